//! Categories and free text: words separated by one space.

use super::Normalized;
use crate::table::CATEGORIES;

/// The short form of a known category (`Female`, `Jr.`, `California`), others as written.
pub(super) fn normalize_category(folded: &str) -> Option<Normalized> {
    let text = spaced(folded);
    match CATEGORIES.get(text.as_str()) {
        Some(short) => Normalized::of((*short).to_owned(), true),
        None => Normalized::of(text, true),
    }
}

/// The words as written, without punctuation.
pub(super) fn normalize_text(folded: &str) -> Option<Normalized> {
    Normalized::of(spaced(folded), true)
}

/// Letters and digits; apostrophes and full stops vanish, other signs become one space.
pub(super) fn spaced(folded: &str) -> String {
    let mut text = String::with_capacity(folded.len());
    for c in folded.chars() {
        if c.is_alphanumeric() {
            text.push(c);
        } else if !matches!(c, '\'' | '\u{2019}' | '.') && !text.is_empty() && !text.ends_with(' ')
        {
            text.push(' ');
        }
    }
    if text.ends_with(' ') {
        text.pop();
    }
    text
}

//! Street addresses: US Postal Service short forms of street, direction and unit words.

use std::borrow::Cow;

use super::{Normalized, words::spaced};
use crate::table::STREET_WORDS;

/// What stands before the number of a flat: `apt`, `suite`, `#` and their like.
const UNIT: &str = "unit";

pub(super) fn normalize(folded: &str) -> Option<Normalized> {
    let spaced = spaced(&replaced(folded, "#", " unit "));
    let spaced = replaced(&spaced, "p o box", "po box");
    let mut text = String::with_capacity(spaced.len());
    let mut last = "";
    for word in spaced.split(' ') {
        let word = STREET_WORDS.get(word).copied().unwrap_or(word);
        if word == UNIT && last == UNIT {
            continue;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
        last = word;
    }
    Normalized::of(text, true)
}

fn replaced<'a>(text: &'a str, from: &str, to: &str) -> Cow<'a, str> {
    if text.contains(from) { text.replace(from, to).into() } else { text.into() }
}

/// The digits of the house number in a normalized address, without leading zeros; the number of
/// a flat that stands in front is passed over.
pub(crate) fn house_number(text: &str) -> Option<&str> {
    let mut words = text.split(' ').peekable();
    if words.peek() == Some(&UNIT) {
        words.nth(1);
    }
    let word = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let number = word[..end].trim_start_matches('0');
    (!number.is_empty()).then_some(number)
}

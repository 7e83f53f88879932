//! Normalization: one value as written becomes the text that is encoded, by its field's kind.
//!
//! `tests/tables/normalize.csv` states the rules as a table of inputs and results.

mod address;
mod code;
mod contact;
mod date;
mod name;
mod words;

use std::borrow::Cow;

use record::FieldKind;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

pub(crate) use address::house_number;
pub use date::DateParts;

/// A value as it is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    /// The text that is cut into grams and hashed; never empty.
    pub text: String,
    /// For a name of several words, its words of three letters or more: each blocks on its own.
    pub parts: Vec<String>,
    /// Year, month and day as written, where a date could be read.
    pub date: Option<DateParts>,
    /// Whether the value is one that the field can hold. One that is not is encoded as written.
    pub fits: bool,
}

impl Normalized {
    fn of(text: String, fits: bool) -> Option<Self> {
        (!text.is_empty()).then(|| Self { text, parts: Vec::new(), date: None, fits })
    }
}

/// Normalizes `raw` as a value of `kind`; `None` where nothing is left.
pub fn normalize(kind: FieldKind, raw: &str) -> Option<Normalized> {
    normalize_folded(kind, &fold(raw))
}

/// Normalizes a value that [`fold`] has folded.
pub(crate) fn normalize_folded(kind: FieldKind, folded: &str) -> Option<Normalized> {
    match kind {
        FieldKind::Name => name::normalize(folded),
        FieldKind::Date => date::normalize(folded),
        FieldKind::Identifier => code::normalize_identifier(folded),
        FieldKind::PostalCode => code::normalize_postal_code(folded),
        FieldKind::Category => words::normalize_category(folded),
        FieldKind::Text => words::normalize_text(folded),
        FieldKind::Address => address::normalize(folded),
        FieldKind::Phone => contact::normalize_phone(folded),
        FieldKind::Email => contact::normalize_email(folded),
    }
}

/// Lower case, compatibility forms and marks undone (Unicode NFKD without combining marks),
/// white space trimmed and each run of it one space.
pub(crate) fn fold(raw: &str) -> Cow<'_, str> {
    if is_folded(raw) { raw.into() } else { folded(raw).into() }
}

/// Whether folding changes nothing; false where that takes more than a look at each byte.
fn is_folded(raw: &str) -> bool {
    let is_spaced = |pair: &[u8]| pair != b"  ";
    raw.bytes().all(|b| matches!(b, b' '..=b'~') && !b.is_ascii_uppercase())
        && raw.as_bytes().windows(2).all(is_spaced)
        && !raw.starts_with(' ')
        && !raw.ends_with(' ')
}

fn folded(raw: &str) -> String {
    let mut folded = String::with_capacity(raw.len());
    let mut push = |c: char| {
        if !c.is_whitespace() && !c.is_control() {
            folded.push(c);
        } else if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    };
    if raw.is_ascii() {
        raw.chars().for_each(|c| push(c.to_ascii_lowercase()));
    } else {
        for c in raw.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
            match plain_letters(c) {
                Some(letters) => letters.chars().for_each(&mut push),
                // Lower-casing can bring a mark of its own (the dot of a Turkish capital I).
                None if is_combining_mark(c) => {}
                None => push(c),
            }
        }
    }
    if folded.ends_with(' ') {
        folded.pop();
    }
    folded
}

/// The Latin letters that have no decomposition, as they are written without them.
fn plain_letters(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ı' => "i",
        'ħ' => "h",
        _ => return None,
    })
}

/// The letters and digits of `text`.
fn alphanumeric(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    kept.extend(text.chars().filter(|c| c.is_alphanumeric()));
    kept
}

/// A whole number that a spreadsheet wrote as `12345.0`, without that ending.
fn without_decimal(text: &str) -> &str {
    match text.strip_suffix(".0") {
        Some(number) if number.bytes().all(|b| b.is_ascii_digit()) => number,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_undoes_case_marks_and_spacing() {
        for (raw, folded) in [
            ("  José\t María ", "jose maria"),
            ("ÅNGSTRÖM", "angstrom"),
            ("Łukasz Weiß", "lukasz weiss"),
            ("İzmir", "izmir"),
            ("ﬁ", "fi"),
            ("\u{0}", ""),
        ] {
            assert_eq!(fold(raw), folded);
        }
    }
}

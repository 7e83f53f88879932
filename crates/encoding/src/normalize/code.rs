//! Identifiers and postal codes: their letters and digits.

use record::is_taxpayer_number;

use super::{Normalized, alphanumeric, without_decimal};

/// The letters and digits. A letter, or nine digits that are no SSN, do not fit.
pub(super) fn normalize_identifier(folded: &str) -> Option<Normalized> {
    let text = alphanumeric(without_decimal(folded));
    let digits_only = text.bytes().all(|b| b.is_ascii_digit());
    let fits = digits_only && (text.len() != 9 || is_taxpayer_number(&text));
    Normalized::of(text, fits)
}

/// US codes become their five digits; codes of other countries do not fit and stay whole.
pub(super) fn normalize_postal_code(folded: &str) -> Option<Normalized> {
    let mut text = alphanumeric(without_decimal(folded));
    let fits = matches!(text.len(), 5 | 9) && text.bytes().all(|b| b.is_ascii_digit());
    if fits {
        text.truncate(5);
    }
    Normalized::of(text, fits)
}

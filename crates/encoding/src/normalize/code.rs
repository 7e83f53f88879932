//! Identifiers and postal codes: their letters and digits.

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

/// Whether a local id has the form of a social security or taxpayer number: nine digits, with
/// or without separators, that could have been issued. Such an id must be sealed before it is sent.
pub fn looks_like_ssn(local_id: &str) -> bool {
    let separated = local_id.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ' ' | '.'));
    let digits: String = local_id.chars().filter(char::is_ascii_digit).collect();
    separated && is_taxpayer_number(&digits)
}

/// Nine digits that the Social Security Administration (area, group and serial not zero, area not
/// 666 or 9xx) or, as an ITIN, the IRS (9xx with group 50-65, 70-88, 90-92 or 94-99) can issue.
fn is_taxpayer_number(digits: &str) -> bool {
    let part = |range| digits.get(range).and_then(|part: &str| part.parse().ok());
    let (Some(area), Some(group), Some(serial)) = (part(0..3), part(3..5), part(5..9)) else {
        return false;
    };
    let (area, group, serial): (u16, u16, u16) = (area, group, serial);
    let issued_group = match area {
        0 | 666 => false,
        900.. => matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99),
        _ => group != 0,
    };
    digits.len() == 9 && issued_group && serial != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_ids_that_could_be_ssns_are_seen() {
        for id in ["219-09-9999", "219099999", "219 09 9999", "900-70-1234"] {
            assert!(looks_like_ssn(id), "{id}");
        }
        for id in ["A219099999", "21909999", "000-12-3456", "900123456", "666121234", "", "é"] {
            assert!(!looks_like_ssn(id), "{id}");
        }
    }
}

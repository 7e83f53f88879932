//! Telephone numbers and email addresses.

use super::{Normalized, without_decimal};

/// Ten digits for a number of the North American plan, `+` and all digits for another country's.
/// An extension is dropped.
pub(super) fn normalize_phone(folded: &str) -> Option<Normalized> {
    let folded = without_decimal(folded);
    let main = folded.split_once('x').map_or(folded, |(before, _)| before.trim_end_matches('e'));
    let digits: String = main.chars().filter(char::is_ascii_digit).collect();
    let international = main.starts_with('+');
    let national = match digits.strip_prefix('1') {
        Some(rest) if rest.len() == 10 => rest,
        _ => &digits,
    };
    // Area code and exchange start with 2 to 9.
    let starts = |place: usize| national.as_bytes().get(place).is_some_and(|b| *b >= b'2');
    let abroad = international && national.len() == digits.len();
    if abroad {
        return Normalized::of(format!("+{digits}"), (8..=15).contains(&digits.len()));
    }
    Normalized::of(national.to_owned(), national.len() == 10 && starts(0) && starts(3))
}

/// The address as written, without spaces.
pub(super) fn normalize_email(folded: &str) -> Option<Normalized> {
    let text = folded.replace(' ', "");
    let fits = text.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty() && domain.contains('.') && !domain.contains('@')
    });
    Normalized::of(text, fits)
}

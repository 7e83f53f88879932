//! Dates: year, month and day as eight digits; what is not a real date stays as written.

use jiff::civil::Date;

use super::{Normalized, alphanumeric, without_decimal};

/// Years of birth that a record can state; others are typing errors.
const PLAUSIBLE_YEARS: std::ops::RangeInclusive<i16> = 1500..=2100;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Year, month and day as written: each may be out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateParts {
    /// Four digits.
    pub year: u16,
    /// 1 to 12 where the month is one.
    pub month: u8,
    /// 1 to 31 where the day is one.
    pub day: u8,
}

impl DateParts {
    /// Whether the parts are a day of the calendar in a plausible year.
    pub fn is_real(self) -> bool {
        let part = |value: u8| i8::try_from(value).ok();
        let date = i16::try_from(self.year).ok().zip(part(self.month)).zip(part(self.day));
        date.is_some_and(|((year, month), day)| {
            PLAUSIBLE_YEARS.contains(&year) && Date::new(year, month, day).is_ok()
        })
    }
}

pub(super) fn normalize(folded: &str) -> Option<Normalized> {
    let written = without_decimal(without_time(folded));
    let Some(parts) = read(written) else {
        return Normalized::of(alphanumeric(written), false);
    };
    let text = format!("{:04}{:02}{:02}", parts.year, parts.month, parts.day);
    Some(Normalized { text, parts: Vec::new(), date: Some(parts), fits: parts.is_real() })
}

/// The text before a time of day (`1980-01-02T00:00:00`, `1/2/1980 0:00`).
fn without_time(text: &str) -> &str {
    let before_time = text
        .split_once(':')
        .and_then(|(before, _)| before.rsplit_once([' ', 't']))
        .map(|(date, _)| date);
    before_time.unwrap_or(text)
}

/// Reads ISO, `YYYYMMDD`, US month-first and month-name forms. A two-digit year and a
/// day-first form with full stops could mean several dates and are not guessed.
fn read(text: &str) -> Option<DateParts> {
    let runs = runs(text);
    let dotted = text.contains('.');
    match runs.as_slice() {
        // Letters of other scripts can be eight bytes too, and must not be cut in their middle.
        [one] if one.len() == 8 && is_number(one) => read_compact(one),
        [year, month, day] if is_year(year) => parts(year, month_number(month)?, day),
        [day, month, year] if is_month_name(month) => parts(year, month_number(month)?, day),
        [month, day, year] if !dotted || is_month_name(month) => {
            parts(year, month_number(month)?, day)
        }
        _ => None,
    }
}

/// Eight digits: `YYYYMMDD`, or `MMDDYYYY` where only that is a real date.
fn read_compact(digits: &str) -> Option<DateParts> {
    let year_first = parts(&digits[..4], number(&digits[4..6])?, &digits[6..])?;
    let month_first = parts(&digits[4..], number(&digits[..2])?, &digits[2..4])?;
    let only_month_first = !year_first.is_real() && month_first.is_real();
    Some(if only_month_first { month_first } else { year_first })
}

/// The runs of digits and of letters, without the endings of ordinal numbers.
fn runs(text: &str) -> Vec<&str> {
    let kind = |c: char| (c.is_ascii_digit(), c.is_alphabetic());
    let mut runs = Vec::with_capacity(3);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| kind(c) != kind(first)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        if kind(first) != (false, false) && !matches!(run, "st" | "nd" | "rd" | "th") {
            runs.push(run);
        }
        rest = tail;
    }
    runs
}

fn parts(year: &str, month: u8, day: &str) -> Option<DateParts> {
    if !is_year(year) {
        return None;
    }
    Some(DateParts { year: year.parse().ok()?, month, day: number(day)? })
}

fn is_year(run: &str) -> bool {
    run.len() == 4 && is_number(run)
}

fn is_number(run: &str) -> bool {
    run.bytes().all(|b| b.is_ascii_digit())
}

fn is_month_name(run: &str) -> bool {
    run.starts_with(|c: char| c.is_alphabetic())
}

fn month_number(run: &str) -> Option<u8> {
    if !is_month_name(run) {
        return number(run);
    }
    let place = MONTHS.iter().position(|month| run.starts_with(month))?;
    u8::try_from(place + 1).ok()
}

/// A number of one or two digits.
fn number(run: &str) -> Option<u8> {
    (run.len() <= 2).then(|| run.parse().ok())?
}

//! Days.

use jiff::civil::Date;

use super::Violation;
use crate::types;

/// First and last year that the contract accepts.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;

/// The message of a day.
pub fn date_to_proto(date: Date) -> types::Date {
    types::Date {
        year: u32::from(date.year().unsigned_abs()),
        month: u32::from(date.month().unsigned_abs()),
        day: u32::from(date.day().unsigned_abs()),
    }
}

/// The day in the required field `field`.
///
/// # Errors
/// A [`Violation`] when it is absent or no day of the years 1900 to 2199.
pub fn date_from_proto(date: Option<&types::Date>, field: &str) -> Result<Date, Violation> {
    optional_date(date, field)?.ok_or_else(|| Violation::new(field, "give a date"))
}

/// The day in the optional field `field`.
///
/// # Errors
/// A [`Violation`] when it is present and no day of the years 1900 to 2199.
pub fn optional_date(date: Option<&types::Date>, field: &str) -> Result<Option<Date>, Violation> {
    let Some(date) = date else { return Ok(None) };
    let parse = || {
        let year = i16::try_from(date.year).ok().filter(|year| YEARS.contains(year))?;
        Date::new(year, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?).ok()
    };
    let remedy = "give a day that exists, in the years 1900 to 2199";
    parse().map(Some).ok_or_else(|| Violation::new(field, remedy))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_are_parsed_back() {
        for day in [date(1900, 1, 1), date(2024, 2, 29), date(2199, 12, 31)] {
            assert_eq!(date_from_proto(Some(&date_to_proto(day)), "on"), Ok(day));
        }
        assert_eq!(optional_date(None, "on"), Ok(None));
    }

    #[test]
    fn days_that_do_not_exist_are_refused_by_field() {
        for (year, month, day) in
            [(0, 0, 0), (2023, 2, 29), (2023, 13, 1), (1899, 12, 31), (u32::MAX, 1, 300)]
        {
            let date = types::Date { year, month, day };
            assert_eq!(date_from_proto(Some(&date), "as_of").unwrap_err().field, "as_of");
        }
        assert_eq!(date_from_proto(None, "as_of").unwrap_err().remedy, "give a date");
    }
}

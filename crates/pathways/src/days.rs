//! Arithmetic on days that never fails: dates beyond the calendar stop at its end.

use jiff::{ToSpan, civil::Date};

/// The day `days` days after `date`.
pub(crate) fn plus_days(date: Date, days: u16) -> Date {
    date.saturating_add(i32::from(days).days())
}

/// The day after `date`.
pub(crate) fn day_after(date: Date) -> Date {
    plus_days(date, 1)
}

/// A date written as a TOML date.
pub(crate) mod toml_date {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, de::Error};
    use toml::value::Datetime;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
        let datetime = Datetime::deserialize(from)?;
        let day = datetime.date.filter(|_| datetime.time.is_none() && datetime.offset.is_none());
        day.and_then(to_date).ok_or_else(|| D::Error::custom("give a date such as 2024-08-19"))
    }

    pub(crate) mod option {
        use super::{Date, Deserializer};

        pub(crate) fn deserialize<'de, D>(from: D) -> Result<Option<Date>, D::Error>
        where
            D: Deserializer<'de>,
        {
            super::deserialize(from).map(Some)
        }
    }

    fn to_date(day: toml::value::Date) -> Option<Date> {
        let (month, number) = (i8::try_from(day.month).ok()?, i8::try_from(day.day).ok()?);
        Date::new(i16::try_from(day.year).ok()?, month, number).ok()
    }
}

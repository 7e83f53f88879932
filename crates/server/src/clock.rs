//! What time it is: the system's clock, or a fixed date for demonstrations and tests.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The service's clock. Valid time is counted in dates, log entries in moments.
#[derive(Debug, Clone)]
pub struct Clock {
    time_zone: TimeZone,
    fixed_date: Option<Date>,
}

impl Clock {
    /// A clock whose days end at midnight in `time_zone`, or that stands at `fixed_date`.
    pub fn new(time_zone: TimeZone, fixed_date: Option<Date>) -> Self {
        Self { time_zone, fixed_date }
    }

    /// Today's date.
    pub fn today(&self) -> Date {
        self.fixed_date.unwrap_or_else(|| self.time_zone.to_datetime(Timestamp::now()).date())
    }

    /// The moment at which `date` ends.
    pub fn end_of(&self, date: Date) -> Timestamp {
        let midnight = date.tomorrow().map(|next| next.at(0, 0, 0, 0));
        midnight
            .and_then(|midnight| self.time_zone.to_timestamp(midnight))
            .unwrap_or(Timestamp::MAX)
    }

    /// The moment, for log entries; a fixed date does not stop it.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

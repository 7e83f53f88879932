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
        self.fixed_date.unwrap_or_else(|| self.date_of(Timestamp::now()))
    }

    /// The date of a moment.
    pub fn date_of(&self, moment: Timestamp) -> Date {
        self.time_zone.to_datetime(moment).date()
    }

    /// The moment at which `date` begins.
    pub fn begin_of(&self, date: Date) -> Timestamp {
        self.time_zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN)
    }

    /// The moment at which `date` ends.
    pub fn end_of(&self, date: Date) -> Timestamp {
        date.tomorrow().map_or(Timestamp::MAX, |next| self.begin_of(next))
    }

    /// The moment, for log entries; on a fixed date it is the same time of that day, so that what
    /// was known at the end of a day includes what came on it.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let fixed = self.fixed_date.map(|date| {
            let time = self.time_zone.to_datetime(now).time();
            self.time_zone.to_timestamp(date.to_datetime(time))
        });
        fixed.and_then(Result::ok).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_fixed_date_every_moment_is_of_that_day() {
        let fixed: Date = "2026-08-31".parse().unwrap();
        let time_zone = TimeZone::get("America/Chicago").unwrap();
        let clock = Clock::new(time_zone.clone(), Some(fixed));
        assert_eq!(clock.today(), fixed);
        assert_eq!(time_zone.to_datetime(clock.now()).date(), fixed);
        assert!(clock.end_of(fixed.yesterday().unwrap()) <= clock.now());
        assert!(clock.now() < clock.end_of(fixed));
    }
}

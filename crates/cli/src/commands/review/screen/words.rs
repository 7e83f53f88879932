//! The contract's terms in a steward's words.

use api::{
    convert::{date_from_proto, micros_from_timestamp},
    review::{Decision, TaskState, Verdict},
    types::{self, RecordKey},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::commands::explain::pair::record_text;

/// The reasons for which a steward is asked, as the contract names them, and what they mean.
pub const TASK_REASONS: [(&str, &str); 8] = [
    ("band", "the weight lies between the two cut-offs"),
    ("margin", "another group fits almost as well"),
    ("conflict", "two valid SSNs: one person has one"),
    ("one source", "two records of an agency that holds no person twice"),
    ("bridge", "the two groups hang together by few of their pairs"),
    ("evidence", "too little in common to compare"),
    ("contrary", "new versions contradict a decision"),
    ("audit", "a sample: judge what you see"),
];

/// What a task's reason means; empty for one that this version does not know.
pub fn task_reason(reason: &str) -> &'static str {
    TASK_REASONS.iter().find(|(name, _)| *name == reason).map_or("", |(_, words)| words)
}

/// A task's state.
pub fn state(state: TaskState) -> &'static str {
    match state {
        TaskState::Unspecified => "any state",
        TaskState::Open => "open",
        TaskState::Deferred => "deferred",
        TaskState::Second => "awaits a second steward",
        TaskState::Escalated => "escalated",
        TaskState::Asked => "an agency is asked",
    }
}

/// A verdict as what was done.
pub fn verdict_done(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unspecified => "decided",
        Verdict::Link => "linked",
        Verdict::Separate => "separated",
        Verdict::Defer => "deferred",
        Verdict::Escalate => "escalated",
    }
}

/// How far the values of a field agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// Equal.
    Full,
    /// Alike, or equal in part.
    Partial,
    /// Different.
    None,
    /// A side has no value.
    Unknown,
}

/// A comparison level in words, and how far it agrees.
pub fn level(level: &str) -> (String, Agreement) {
    let (words, agreement) = match level {
        "exact" => ("the same", Agreement::Full),
        "swapped" => ("day, month swapped", Agreement::Partial),
        "one_off" => ("one character off", Agreement::Partial),
        "transposed" => ("two transposed", Agreement::Partial),
        "nickname" => ("nickname", Agreement::Partial),
        "near" => ("about one typo", Agreement::Partial),
        "exchanged" => ("in other name field", Agreement::Partial),
        "component" => ("two of y, m, d", Agreement::Partial),
        "far" => ("about two typos", Agreement::Partial),
        "differ" => ("DIFFERS", Agreement::None),
        "missing" => ("not known", Agreement::Unknown),
        "phonetic" => ("sounds the same", Agreement::Partial),
        // A derived part, under its own name: prefix3, last4, initial, year_month.
        part => return (format!("same {}", part.replace('_', " ")), Agreement::Partial),
    };
    (words.to_owned(), agreement)
}

/// A record as `agency/local_id`.
pub fn record(record: Option<&RecordKey>) -> String {
    record.map_or_else(|| "?".to_owned(), record_text)
}

/// A day as `2026-01-31`; empty where there is none.
pub fn day(date: Option<&types::Date>) -> String {
    let date = date.and_then(|date| date_from_proto(Some(date), "date").ok());
    date.map_or_else(String::new, |date| date.to_string())
}

/// The day of an instant, UTC.
pub fn day_of(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

/// An instant of the contract; `None` where it is absent or out of range.
pub fn instant(at: Option<&api::Timestamp>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::from_microsecond(micros_from_timestamp(at)).ok())
}

/// How long ago something was: `5 min`, `3 h`, `12 days`.
pub fn age(at: Option<&api::Timestamp>, now: Timestamp) -> String {
    let Some(at) = instant(at) else { return String::new() };
    let minutes = (now.as_second() - at.as_second()).max(0) / 60;
    match minutes {
        0..60 => format!("{minutes} min"),
        60..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

/// `1 record`, `2 records`.
pub fn count(n: usize, one: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n if one.ends_with("status") => format!("{n} {one}es"),
        n => format!("{n} {one}s"),
    }
}

/// A weight in bits, with its sign: `+4.20`.
pub fn bits(millibits: i32) -> String {
    format!("{:+.2}", f64::from(millibits) / 1_000.0)
}

/// A probability: `0.9512`.
pub fn probability(ppm: u32) -> String {
    format!("{:.4}", f64::from(ppm) / 1e6)
}

/// A decision in a line: what, of which records, by whom, when, why.
pub fn decision(decision: &Decision) -> String {
    let pairs = match &decision.pairs[..] {
        [] => String::new(),
        [pair, rest @ ..] => {
            let (left, right) = (record(pair.left.as_ref()), record(pair.right.as_ref()));
            let more = if rest.is_empty() { String::new() } else { format!(" +{}", rest.len()) };
            format!(" {left} and {right}{more}")
        }
    };
    let on = instant(decision.decided_at.as_ref()).map(day_of);
    let on = on.map_or_else(String::new, |day| format!(", {day}"));
    let what = verdict_done(decision.verdict());
    format!("{} {what}{pairs} ({}{on}): {}", decision.id, decision.author, decision.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        let now = Timestamp::from_second(10_000_000).unwrap();
        for (seconds, told) in [
            (-5, "0 min"),
            (59, "0 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
            (9_000_000, "104 days"),
        ] {
            let at = api::Timestamp { seconds: now.as_second() - seconds, nanos: 0 };
            assert_eq!(age(Some(&at), now), told, "{seconds}");
        }
        assert_eq!(age(None, now), "");
    }

    #[test]
    fn every_level_of_linkage_has_words_and_an_unknown_one_keeps_its_name() {
        for (name, words, agreement) in [
            ("exact", "the same", Agreement::Full),
            ("one_off", "one character off", Agreement::Partial),
            ("differ", "DIFFERS", Agreement::None),
            ("missing", "not known", Agreement::Unknown),
            ("year_month", "same year month", Agreement::Partial),
        ] {
            assert_eq!(level(name), (words.to_owned(), agreement));
        }
    }

    #[test]
    fn counts_are_in_the_plural() {
        let counted = [count(0, "record"), count(1, "record"), count(2, "status")];
        assert_eq!(counted, ["0 records", "1 record", "2 statuses"]);
    }
}

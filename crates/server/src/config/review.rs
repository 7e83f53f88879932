//! The settings of review and of questions to agencies.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Span, civil::Date};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The section `review`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReviewFile {
    lease_minutes: u32,
    second_reviewer: Vec<String>,
    second_reviewer_share: f64,
}

/// The section `questions`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct QuestionsFile {
    every_days: u32,
    per_round: u32,
    answer_days: u32,
}

impl Default for ReviewFile {
    fn default() -> Self {
        Self { lease_minutes: 15, second_reviewer: Vec::new(), second_reviewer_share: 0.0 }
    }
}

impl Default for QuestionsFile {
    fn default() -> Self {
        Self { every_days: 7, per_round: 10, answer_days: 30 }
    }
}

/// How tasks are given to stewards.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewPolicy {
    /// How long nobody else is given a task that a steward took.
    pub lease: SignedDuration,
    /// Reasons for which two stewards have to say the same.
    pub second_reviewer: BTreeSet<String>,
    /// Share of all other tasks for which they have to, 0 to 1.
    pub second_reviewer_share: f64,
}

/// When agencies are asked about the quality of their records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuestionPolicy {
    /// Days from round to round.
    pub every_days: i32,
    /// Questions of a round.
    pub per_round: usize,
    /// Days in which an answer is of use.
    pub answer_days: i32,
}

/// The names of the reasons for which a second reviewer can be asked.
const REASONS: [&str; 8] =
    ["band", "margin", "conflict", "one source", "bridge", "evidence", "contrary", "audit"];

impl ReviewFile {
    /// The policy, or which line to change.
    pub(super) fn check(self) -> Result<ReviewPolicy, String> {
        if !(1..=480).contains(&self.lease_minutes) {
            return Err("review.lease_minutes: 1 to 480 is allowed".to_owned());
        }
        if let Some(other) = self.second_reviewer.iter().find(|it| !REASONS.contains(&it.as_str()))
        {
            let known = REASONS.join(", ");
            return Err(format!("review.second_reviewer: '{other}' is none of {known}"));
        }
        if !(0.0..=1.0).contains(&self.second_reviewer_share) {
            return Err("review.second_reviewer_share: 0 to 1 is allowed".to_owned());
        }
        Ok(ReviewPolicy {
            lease: SignedDuration::from_mins(i64::from(self.lease_minutes)),
            second_reviewer: self.second_reviewer.into_iter().collect(),
            second_reviewer_share: self.second_reviewer_share,
        })
    }
}

impl QuestionsFile {
    /// The policy, or which line to change.
    pub(super) fn check(self) -> Result<QuestionPolicy, String> {
        let in_range = |name: &str, value: u32, least: u32, most: u32| {
            let is_in = (least..=most).contains(&value);
            is_in
                .then_some(value as i32)
                .ok_or_else(|| format!("questions.{name}: {least} to {most} is allowed"))
        };
        Ok(QuestionPolicy {
            every_days: in_range("every_days", self.every_days, 1, 366)?,
            per_round: in_range("per_round", self.per_round, 0, 1_000)?.unsigned_abs() as usize,
            answer_days: in_range("answer_days", self.answer_days, 1, 366)?,
        })
    }
}

impl ReviewPolicy {
    /// Whether two stewards have to say the same of a task: for some reasons always, of the others a
    /// share that follows from the task's id.
    pub fn needs_second(&self, reason: &str, task: &str) -> bool {
        let hash = Sha256::digest(format!("second reviewer\n{task}"));
        let rank = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        self.second_reviewer.contains(reason)
            || f64::from(rank) < self.second_reviewer_share * 2f64.powi(32)
    }
}

impl QuestionPolicy {
    /// Rounds are counted from a Monday long ago, so that they are the same whoever asks.
    const FIRST: Date = jiff::civil::date(2024, 1, 1);

    /// The day of the last round, `today` or earlier.
    pub fn last_round(self, today: Date) -> Date {
        let days = (today - Self::FIRST).get_days();
        later(today, -days.rem_euclid(self.every_days))
    }

    /// The day of the next round, after `today`.
    pub fn next_round(self, today: Date) -> Date {
        later(self.last_round(today), self.every_days)
    }

    /// Until when an answer to a question of the round of `day` is of use.
    pub fn answer_by(self, day: Date) -> Date {
        later(day, self.answer_days)
    }
}

/// The date so many days later; the last or first date there is, beyond it.
fn later(day: Date, days: i32) -> Date {
    day.saturating_add(Span::new().days(days))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn rounds_come_on_the_same_days_for_everybody() {
        let policy = QuestionsFile::default().check().unwrap();
        for (today, last, next) in [
            (date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 30)),
            (date(2026, 11, 29), date(2026, 11, 23), date(2026, 11, 30)),
            (date(2023, 12, 31), date(2023, 12, 25), date(2024, 1, 1)),
        ] {
            assert_eq!((policy.last_round(today), policy.next_round(today)), (last, next));
        }
        assert_eq!(policy.answer_by(date(2026, 11, 23)), date(2026, 12, 23));
    }

    #[test]
    fn a_second_reviewer_is_asked_for_named_reasons_and_for_a_share() {
        let policy = |share| {
            let second_reviewer = vec!["conflict".to_owned()];
            let file =
                ReviewFile { second_reviewer, second_reviewer_share: share, ..Default::default() };
            file.check().unwrap()
        };
        assert!(policy(0.0).needs_second("conflict", "T-1"));
        assert!(!policy(0.0).needs_second("band", "T-1"));
        let policy = policy(0.25);
        let asked = (0..4_000).filter(|it| policy.needs_second("band", &format!("T-{it}"))).count();
        assert!((900..1_100).contains(&asked), "{asked}");
    }

    #[test]
    fn mistakes_are_named() {
        let reasons = |reason: &str| vec![reason.to_owned()];
        let misspelled =
            ReviewFile { second_reviewer: reasons("conflicts"), ..Default::default() }.check();
        assert!(misspelled.unwrap_err().contains("'conflicts' is none of band, margin"));
        let long = QuestionsFile { every_days: 0, ..Default::default() }.check();
        assert_eq!(long.unwrap_err(), "questions.every_days: 1 to 366 is allowed");
    }
}

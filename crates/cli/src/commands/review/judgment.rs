//! What a steward says of a task, checked before it is sent.

use api::{
    convert::{date_to_proto, record_key_to_proto},
    review::{DecideTaskRequest, Scope, Task, Verdict},
};
use clap::ValueEnum;
use data_encoding::HEXLOWER;
use jiff::civil::Date;
use record::RecordKey;
use sha2::{Digest, Sha256};

/// Most characters of a reason.
const REASON_CHARS_MAX: usize = 500;

/// What a steward can say of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Answer {
    /// The two groups are one person
    Link,
    /// They are two people
    Separate,
    /// Not now
    Defer,
    /// Somebody else should say
    Escalate,
}

/// Which records a decision binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Reach {
    /// The two records of the best pair
    #[default]
    Pair,
    /// One record, and every record of the other group
    Record,
}

/// What a steward says, with what belongs to it and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgment {
    /// One person.
    Link(Bound),
    /// Two people.
    Separate(Bound),
    /// Not before this day.
    Defer(Date),
    /// Somebody else should say.
    Escalate,
}

/// What a decision binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// The best pair.
    Pair,
    /// A record, or the one that the service chooses, and the whole other group.
    Record(Option<RecordKey>),
}

/// Why: 1 to 500 characters. May hold what it should not, so that only [`Reason::as_str`] shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason(String);

/// What a judgment lacks or has too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The option or column at fault.
    pub field: &'static str,
    /// What to give.
    pub remedy: &'static str,
}

impl Judgment {
    /// Puts the parts together.
    ///
    /// # Errors
    /// [`Misfit`] names the part that is missing or does not belong to the answer.
    pub fn new(
        answer: Answer,
        until: Option<Date>,
        reach: Option<Reach>,
        record: Option<RecordKey>,
    ) -> Result<Self, Misfit> {
        let misfit = |field, remedy| Err(Misfit { field, remedy });
        let decides = matches!(answer, Answer::Link | Answer::Separate);
        match (answer, until) {
            (Answer::Defer, None) => {
                return misfit("until", "give the day on which a deferred task opens again");
            }
            (Answer::Defer, Some(_)) | (_, None) => {}
            (_, Some(_)) => return misfit("until", "leave it out: it belongs to defer only"),
        }
        if !decides && reach.is_some() {
            return misfit("scope", "leave it out: it belongs to link and separate only");
        }
        let bound = match (reach.unwrap_or_default(), record) {
            (Reach::Pair, None) => Bound::Pair,
            (Reach::Record, record) => Bound::Record(record),
            (Reach::Pair, Some(_)) => {
                return misfit("record", "leave it out, or give the scope record");
            }
        };
        Ok(match (answer, until) {
            (Answer::Link, _) => Self::Link(bound),
            (Answer::Separate, _) => Self::Separate(bound),
            (Answer::Defer, Some(until)) => Self::Defer(until),
            (Answer::Defer | Answer::Escalate, _) => Self::Escalate,
        })
    }

    /// The verdict as the contract names it.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Link(_) => Verdict::Link,
            Self::Separate(_) => Verdict::Separate,
            Self::Defer(_) => Verdict::Defer,
            Self::Escalate => Verdict::Escalate,
        }
    }

    /// The request that says so of a task as the steward saw it.
    pub fn request(
        &self,
        task: &str,
        etag: &str,
        reason: &Reason,
        blind: bool,
        request_id: String,
    ) -> DecideTaskRequest {
        let (scope, record, until) = match self {
            Self::Link(bound) | Self::Separate(bound) => match bound {
                Bound::Pair => (Scope::Pair, None, None),
                Bound::Record(record) => {
                    (Scope::Record, record.as_ref().map(record_key_to_proto), None)
                }
            },
            Self::Defer(until) => (Scope::Unspecified, None, Some(date_to_proto(*until))),
            Self::Escalate => (Scope::Unspecified, None, None),
        };
        DecideTaskRequest {
            id: task.to_owned(),
            verdict: self.verdict().into(),
            reason: reason.as_str().to_owned(),
            defer_until: until,
            etag: etag.to_owned(),
            scope: scope.into(),
            record,
            request_id,
            blind,
        }
    }

    /// A request id that is the same whenever the same is said of the same task: the SHA-256 of
    /// task, etag, verdict, scope, record, reason and day, each behind its length.
    pub fn request_id(&self, task: &str, etag: &str, reason: &Reason) -> String {
        let (scope, record, until) = match self {
            Self::Link(bound) | Self::Separate(bound) => match bound {
                Bound::Pair => ("pair", String::new(), String::new()),
                Bound::Record(record) => {
                    let record = record.as_ref().map(ToString::to_string);
                    ("record", record.unwrap_or_default(), String::new())
                }
            },
            Self::Defer(until) => ("", String::new(), until.to_string()),
            Self::Escalate => ("", String::new(), String::new()),
        };
        let verdict = self.verdict().as_str_name();
        let mut hash = Sha256::new();
        for part in [task, etag, verdict, scope, &record, reason.as_str(), &until] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        HEXLOWER.encode(&hash.finalize())
    }
}

impl Reason {
    /// The reason as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Reason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text.chars().count() {
            0 => Err("give a reason, without identity values".to_owned()),
            1..=REASON_CHARS_MAX => Ok(Self(text.to_owned())),
            _ => Err(format!("shorten the reason to {REASON_CHARS_MAX} characters")),
        }
    }
}

impl std::fmt::Debug for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reason(..)")
    }
}

/// Whether a record is one of a task's.
pub fn is_in(record: &RecordKey, task: &Task) -> bool {
    let record = record_key_to_proto(record);
    task.left.iter().chain(&task.right).any(|other| *other == record)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn record() -> RecordKey {
        "college/A-1".parse().unwrap()
    }

    #[test]
    fn what_does_not_belong_to_an_answer_is_named() {
        use Answer::*;
        let (day, pair, one) = (Some(date(2026, 1, 2)), Some(Reach::Pair), Some(Reach::Record));
        for (answer, until, reach, record, expected) in [
            (Link, None, None, None, Ok(Judgment::Link(Bound::Pair))),
            (Link, None, one, None, Ok(Judgment::Link(Bound::Record(None)))),
            (Separate, None, pair, None, Ok(Judgment::Separate(Bound::Pair))),
            (Defer, day, None, None, Ok(Judgment::Defer(date(2026, 1, 2)))),
            (Escalate, None, None, None, Ok(Judgment::Escalate)),
            (Defer, None, None, None, Err("until")),
            (Link, day, None, None, Err("until")),
            (Escalate, day, None, None, Err("until")),
            (Escalate, None, pair, None, Err("scope")),
            (Defer, day, one, None, Err("scope")),
            (Link, None, None, Some(record()), Err("record")),
            (Escalate, None, None, Some(record()), Err("record")),
        ] {
            let judgment = Judgment::new(answer, until, reach, record);
            assert_eq!(judgment.map_err(|misfit| misfit.field), expected, "{answer:?}");
        }
    }

    #[test]
    fn a_reason_has_1_to_500_characters() {
        for (text, fits) in [
            ("card seen".to_owned(), true),
            ("é".repeat(500), true),
            ("é".repeat(501), false),
            (" ".to_owned(), false),
        ] {
            assert_eq!(text.parse::<Reason>().is_ok(), fits, "{text}");
        }
        assert!(!format!("{:?}", "card".parse::<Reason>()).contains("card"));
    }

    #[test]
    fn the_request_holds_what_belongs_to_the_verdict() {
        let reason = "card seen".parse().unwrap();
        let record = Some(record());
        let link = Judgment::new(Answer::Link, None, Some(Reach::Record), record.clone()).unwrap();
        let request = link.request("T-1", "e", &reason, true, "r".to_owned());
        assert_eq!(request.scope(), Scope::Record);
        assert_eq!(request.record, record.as_ref().map(record_key_to_proto));
        assert_eq!((request.verdict(), request.blind), (Verdict::Link, true));
        let defer = Judgment::Defer(date(2026, 1, 2));
        let request = defer.request("T-1", "e", &reason, false, "r".to_owned());
        assert_eq!(request.defer_until, Some(date_to_proto(date(2026, 1, 2))));
        assert_eq!((request.scope(), request.record), (Scope::Unspecified, None));
    }

    proptest! {
        #[test]
        fn another_thing_said_has_another_request_id(
            one in ("[a-c]{0,3}", "[a-c]{0,3}", "[a-c]{1,3}", 0..6_usize),
            other in ("[a-c]{0,3}", "[a-c]{0,3}", "[a-c]{1,3}", 0..6_usize),
        ) {
            let judgments = [
                Judgment::Link(Bound::Pair),
                Judgment::Link(Bound::Record(None)),
                Judgment::Link(Bound::Record(Some(record()))),
                Judgment::Separate(Bound::Pair),
                Judgment::Defer(date(2026, 1, 2)),
                Judgment::Defer(date(2026, 1, 3)),
            ];
            let id = |(task, etag, reason, judgment): &(String, String, String, usize)| {
                judgments[*judgment].request_id(task, etag, &reason.parse().unwrap())
            };
            prop_assert_eq!(id(&one) == id(&other), one == other);
            prop_assert_eq!(id(&one).len(), 64);
        }
    }
}

//! The workload of review: what waits, what was done, how stewards agree.

use crate::{
    Answer, Result, Store, TaskFilter, TaskState, Verdict, WaitKind,
    columns::{all, count, parsed, time},
    queue::Kind,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use record::AgencyId;

/// Ages in days up to which open tasks are counted apart.
pub const AGES: [i64; 3] = [1, 7, 30];

const ACTS: &str = "
    SELECT at, author, verdict FROM fact_decision WHERE at >= ?1
    UNION ALL SELECT at, author, kind FROM fact_note
              WHERE at >= ?1 AND kind IN ('defer', 'escalate')
    UNION ALL SELECT at, author, 'ask' FROM fact_question WHERE at >= ?1 AND author IS NOT NULL";
const ACT_COUNTS: &str = "
    SELECT (SELECT count(*) FROM fact_decision WHERE verdict = 'link'),
           (SELECT count(*) FROM fact_decision WHERE verdict = 'separate'),
           (SELECT count(*) FROM fact_note WHERE kind = 'defer'),
           (SELECT count(*) FROM fact_note WHERE kind = 'escalate'),
           (SELECT count(*) FROM fact_question WHERE author IS NOT NULL)";
/// A decision is overturned when it was taken back, or a later one says the opposite of two of its
/// records.
const OVERTURNED: &str = "
    SELECT count(*), count(*) FILTER (WHERE
        EXISTS (SELECT 1 FROM fact_decision_undo AS u WHERE u.decision = d.id)
        OR EXISTS (
            SELECT 1 FROM fact_decision_pair AS p JOIN fact_decision_pair AS n
                ON n.agency = p.agency AND n.local_id = p.local_id
                AND n.other_agency = p.other_agency AND n.other_local_id = p.other_local_id
                AND n.decision > p.decision
            JOIN fact_decision AS e ON e.seq = n.decision
            WHERE p.decision = d.seq AND e.verdict <> d.verdict))
    FROM fact_decision AS d";
/// The first verdict of a steward about a task, and the first of another about the same groups:
/// the second may have become a decision at once.
const TWICE_JUDGED: &str = "
    SELECT n.kind, coalesce(
        (SELECT m.kind FROM fact_note AS m
         WHERE m.task = n.task AND m.etag = n.etag AND m.author <> n.author
             AND m.number > n.number AND m.kind IN ('link', 'separate')
         ORDER BY m.number LIMIT 1),
        (SELECT d.verdict FROM fact_decision AS d
         WHERE d.task = n.task AND d.first_author = n.author AND d.at >= n.at
         ORDER BY d.seq LIMIT 1)) AS second
    FROM fact_note AS n
    WHERE n.kind IN ('link', 'separate') AND second IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM fact_note AS e
                        WHERE e.task = n.task AND e.etag = n.etag AND e.number < n.number
                            AND e.kind IN ('link', 'separate'))";
const FIELD_CHECKS: &str = "
    SELECT q.agency, q.fields, a.answer FROM fact_answer AS a
        JOIN fact_question AS q ON q.id = a.question
    WHERE q.author IS NULL ORDER BY q.agency";

/// Open tasks for one reason in one state, by age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTasks {
    /// Why a steward is asked.
    pub reason: String,
    /// What they wait for: a steward's first or second verdict where there is no wait.
    pub waits: Option<WaitKind>,
    /// Whether they wait for a second verdict.
    pub is_second: bool,
    /// Up to a day old, up to 7, up to 30, older.
    pub by_age: [u64; 4],
}

/// Something that a steward did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: String,
    /// What: `link`, `separate`, `defer`, `escalate`, `ask`.
    pub kind: String,
}

/// How often stewards did each thing, ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActCounts {
    /// Decisions that link.
    pub link: u64,
    /// Decisions that separate.
    pub separate: u64,
    /// Deferrals.
    pub defer: u64,
    /// Escalations.
    pub escalate: u64,
    /// Questions to agencies.
    pub ask: u64,
}

/// An agency's answer to a routine question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldAnswer {
    /// The agency.
    pub agency: AgencyId,
    /// The fields that were checked.
    pub fields: Vec<String>,
    /// What it said.
    pub answer: Answer,
}

impl OpenTasks {
    fn state(&self) -> &'static str {
        match self.waits {
            Some(waits) => waits.as_str(),
            None if self.is_second => "second",
            None => "open",
        }
    }
}

impl Store {
    /// The tasks by reason, the name of their state, and age.
    pub fn open_tasks(&self, today: Date, now: Timestamp) -> Vec<OpenTasks> {
        let ago = |days: i64| {
            let moment = now.saturating_sub(SignedDuration::from_hours(24 * days));
            moment.unwrap_or(Timestamp::MIN)
        };
        let queue = self.queue().read();
        let census = queue.census(today, AGES.map(ago)).into_iter();
        let open = |((reason, waits, is_second), by_age): (Kind<'_>, _)| OpenTasks {
            reason: reason.to_owned(),
            waits,
            is_second,
            by_age,
        };
        let mut counts: Vec<OpenTasks> = census.map(open).collect();
        counts.sort_by(|a, b| (&a.reason, a.state()).cmp(&(&b.reason, b.state())));
        counts
    }

    /// How many tasks wait for a steward on a day.
    pub fn tasks_to_settle(&self, today: Date) -> u64 {
        self.task_count(&TaskFilter::all(TaskState::Now, today))
    }

    /// What stewards did since a moment, in no meaningful order.
    pub fn acts_since(&self, since: Timestamp) -> Result<Vec<Act>> {
        self.read(|db| {
            all(db.prepare_cached(ACTS)?.query_map([since.as_microsecond()], |row| {
                Ok(Act { at: time(row, 0)?, author: row.get(1)?, kind: row.get(2)? })
            })?)
        })
    }

    /// How often stewards did each thing since the first start.
    pub fn act_counts(&self) -> Result<ActCounts> {
        self.read(|db| {
            let counts = |row: &rusqlite::Row<'_>| {
                Ok(ActCounts {
                    link: count(row, 0)?,
                    separate: count(row, 1)?,
                    defer: count(row, 2)?,
                    escalate: count(row, 3)?,
                    ask: count(row, 4)?,
                })
            };
            Ok(db.prepare_cached(ACT_COUNTS)?.query_row([], counts)?)
        })
    }

    /// How many decisions were ever made, and how many of them were taken back or replaced.
    pub fn overturned(&self) -> Result<(u64, u64)> {
        self.read(|db| {
            let counts = |row: &rusqlite::Row<'_>| Ok((count(row, 0)?, count(row, 1)?));
            Ok(db.prepare_cached(OVERTURNED)?.query_row([], counts)?)
        })
    }

    /// The verdicts of two stewards about the same groups, the second without knowing the first.
    pub fn verdict_pairs(&self) -> Result<Vec<(Verdict, Verdict)>> {
        self.read(|db| {
            let mut query = db.prepare_cached(TWICE_JUDGED)?;
            all(query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
    }

    /// The answers to routine questions.
    pub fn routine_answers(&self) -> Result<Vec<FieldAnswer>> {
        self.read(|db| {
            all(db.prepare_cached(FIELD_CHECKS)?.query_map([], |row| {
                let fields: String = row.get(1)?;
                Ok(FieldAnswer {
                    agency: parsed(row, 0)?,
                    fields: fields.split(' ').map(str::to_owned).collect(),
                    answer: row.get(2)?,
                })
            })?)
        })
    }
}

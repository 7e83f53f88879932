//! Stewards' decisions about records: what they bind, and which of them stand.

use jiff::Timestamp;
use record::{RecordKey, RecordVersion};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{
    Error, Result, Seq, Store, TaskId,
    columns::{all, key, page, seq, time},
    names::{named, text_id},
};

/// The columns that [`stored`] reads.
macro_rules! decision_where {
    ($condition:literal) => {
        concat!(
            "SELECT d.seq, d.id, d.verdict, d.scope, d.task, d.task_reason, d.weight_millibits,
                    d.probability_ppm, d.author, d.first_author, d.reason, d.is_blind,
                    d.model_version, d.request_id, d.at, u.seq, u.author, u.reason, u.at
             FROM fact_decision AS d LEFT JOIN fact_decision_undo AS u ON u.decision = d.id ",
            $condition
        )
    };
}

pub(crate) const BY_ID: &str = decision_where!("WHERE d.id = ?1");
pub(crate) const BY_SEQ: &str = decision_where!("WHERE d.seq = ?1");
pub(crate) const BY_REQUEST: &str = decision_where!("WHERE d.author = ?1 AND d.request_id = ?2");
pub(crate) const UNDONE_BY: &str = decision_where!("WHERE u.seq = ?1");
const ALL: &str = decision_where!("ORDER BY d.seq");
const STANDING: &str = decision_where!("WHERE u.seq IS NULL ORDER BY d.seq");
const PAGE: &str = decision_where!(
    "WHERE d.seq < ?1 AND (?2 IS NULL OR d.author = ?2) AND (?3 OR u.seq IS NULL)
     ORDER BY d.seq DESC LIMIT ?4"
);
pub(crate) const OF_RECORD: &str = decision_where!(
    "WHERE d.seq IN (SELECT decision FROM fact_decision_pair WHERE agency = ?1 AND local_id = ?2)
     ORDER BY d.seq"
);
pub(crate) const BINDING: &str = decision_where!(
    "WHERE d.seq IN (SELECT decision FROM fact_decision_pair
                     WHERE agency = ?1 AND local_id = ?2
                         AND other_agency = ?3 AND other_local_id = ?4)
         AND d.seq <= ?5 AND (u.seq IS NULL OR u.seq > ?5)
     ORDER BY d.seq DESC LIMIT 1"
);
pub(crate) const SHOWN: &str = "
    SELECT agency, local_id, version, side = 'left' FROM fact_decision_shown WHERE decision = ?1
    ORDER BY agency, local_id";
pub(crate) const PAIRS: &str = "
    SELECT agency, local_id, other_agency, other_local_id FROM fact_decision_pair
    WHERE decision = ?1 AND (agency, local_id) < (other_agency, other_local_id)
    ORDER BY agency, local_id, other_agency, other_local_id";

/// The id of a decision, made by the caller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId(pub String);

named! {
    /// What a steward decided about two records.
    "verdict" Verdict {
        /// They are of one person.
        Link = "link",
        /// They are of two people.
        Separate = "separate",
    }
}

named! {
    /// Which records a decision binds.
    "scope" Scope {
        /// Two.
        Pair = "pair",
        /// One, and every other that was shown beside it.
        Record = "record",
    }
}

/// A record as a steward saw it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    /// The record.
    pub record: RecordKey,
    /// Its newest version then.
    pub version: RecordVersion,
}

/// A decision to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// Its id.
    pub id: DecisionId,
    /// What was decided.
    pub verdict: Verdict,
    /// Which records it binds,
    pub scope: Scope,
    /// as pairs: records of the left group with records of the right one.
    pub pairs: Vec<(RecordKey, RecordKey)>,
    /// The left group of the task, sorted.
    pub left: Vec<Shown>,
    /// The right group of the task, sorted.
    pub right: Vec<Shown>,
    /// The task that it settles,
    pub task: TaskId,
    /// why it was there,
    pub task_reason: String,
    /// its match weight in thousandths of a bit,
    pub weight_millibits: i64,
    /// and its match probability in millionths.
    pub probability_ppm: i64,
    /// Who decided.
    pub author: String,
    /// Who had said the same before, where the policy asks for two.
    pub first_author: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether the score was hidden.
    pub is_blind: bool,
    /// The model under which the pair was shown.
    pub model_version: String,
    /// The author's id of the request, so that it is carried out once.
    pub request_id: String,
    /// Now.
    pub at: Timestamp,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its place in the log.
    pub seq: Seq,
    /// What was decided, by whom, when and why.
    pub made: NewDecision,
    /// How it was taken back.
    pub undone: Option<Undo>,
}

/// How a decision was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// Its place in the log.
    pub seq: Seq,
    /// Who took it back.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Which decisions to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decisions {
    /// All of them.
    All,
    /// Those that were not taken back.
    Standing,
}

text_id!(DecisionId);

impl NewDecision {
    /// The newest version of a shown record that the steward saw.
    pub fn version_of(&self, record: &RecordKey) -> Option<RecordVersion> {
        let shown = self.left.iter().chain(&self.right).find(|shown| shown.record == *record);
        shown.map(|shown| shown.version)
    }

    /// The records shown.
    pub(crate) fn records(&self) -> Vec<RecordKey> {
        self.left.iter().chain(&self.right).map(|shown| shown.record.clone()).collect()
    }
}

impl Store {
    /// A decision.
    ///
    /// Errors: `NotFound`.
    pub fn decision(&self, id: &DecisionId) -> Result<Decision> {
        self.read(|db| find(db, id))
    }

    /// The decision that was made or taken back at a place in the log, if one was.
    pub fn decision_at(&self, at: Seq) -> Result<Option<Decision>> {
        self.read(|db| {
            let mut found = db.prepare_cached(BY_SEQ)?.query_row([at], stored).optional()?;
            if found.is_none() {
                found = db.prepare_cached(UNDONE_BY)?.query_row([at], stored).optional()?;
            }
            found.map(|decision| with_records(db, decision)).transpose()
        })
    }

    /// The decision that a request of `author` made, if it did.
    pub fn decision_by_request(&self, author: &str, request_id: &str) -> Result<Option<Decision>> {
        self.read(|db| {
            let mut query = db.prepare_cached(BY_REQUEST)?;
            let found = query.query_row((author, request_id), stored).optional()?;
            found.map(|decision| with_records(db, decision)).transpose()
        })
    }

    /// Decisions in the order of the log.
    pub fn decisions(&self, which: Decisions) -> Result<Vec<Decision>> {
        let query = match which {
            Decisions::All => ALL,
            Decisions::Standing => STANDING,
        };
        self.read(|db| collect(db, query, []))
    }

    /// Decisions before a place in the log, newest first, `limit` at most: of one author, where one
    /// is named, and without those that were taken back, unless they are wanted.
    pub fn decisions_before(
        &self,
        before: Seq,
        author: Option<&str>,
        with_undone: bool,
        limit: usize,
    ) -> Result<Vec<Decision>> {
        self.read(|db| collect(db, PAGE, (before, author, with_undone, page(limit))))
    }

    /// Every decision that ever bound a record, in the order of the log.
    pub fn decisions_of(&self, record: &RecordKey) -> Result<Vec<Decision>> {
        let key = (record.agency.as_str(), record.local_id.as_str());
        self.read(|db| collect(db, OF_RECORD, key))
    }

    /// The decision that binds two records after the fact `at`, if one does.
    pub fn binding(
        &self,
        left: &RecordKey,
        right: &RecordKey,
        at: Seq,
    ) -> Result<Option<Decision>> {
        self.read(|db| binding(db, left, right, at))
    }
}

/// The decision that binds two records after the fact `at`, if one does.
pub(crate) fn binding(
    db: &Connection,
    left: &RecordKey,
    right: &RecordKey,
    at: Seq,
) -> Result<Option<Decision>> {
    let mut query = db.prepare_cached(BINDING)?;
    let values = (
        left.agency.as_str(),
        left.local_id.as_str(),
        right.agency.as_str(),
        right.local_id.as_str(),
        at,
    );
    let found = query.query_row(values, stored).optional()?;
    found.map(|decision| with_records(db, decision)).transpose()
}

/// A decision of this id.
pub(crate) fn find(db: &Connection, id: &DecisionId) -> Result<Decision> {
    let found = db.prepare_cached(BY_ID)?.query_row([id], stored).optional()?;
    with_records(db, found.ok_or(Error::NotFound { what: "decision" })?)
}

fn collect(db: &Connection, query: &str, values: impl rusqlite::Params) -> Result<Vec<Decision>> {
    let decisions = all(db.prepare_cached(query)?.query_map(values, stored)?)?;
    decisions.into_iter().map(|decision| with_records(db, decision)).collect()
}

/// A decision without its records.
fn stored(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let is_undone = row.get::<_, Option<i64>>(15)?.is_some();
    let undo = || -> rusqlite::Result<Undo> {
        let (author, reason) = (row.get(16)?, row.get(17)?);
        Ok(Undo { seq: seq(row, 15)?, author, reason, at: time(row, 18)? })
    };
    Ok(Decision {
        seq: seq(row, 0)?,
        made: NewDecision {
            id: row.get(1)?,
            verdict: row.get(2)?,
            scope: row.get(3)?,
            pairs: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
            task: row.get(4)?,
            task_reason: row.get(5)?,
            weight_millibits: row.get(6)?,
            probability_ppm: row.get(7)?,
            author: row.get(8)?,
            first_author: row.get(9)?,
            reason: row.get(10)?,
            is_blind: row.get(11)?,
            model_version: row.get(12)?,
            request_id: row.get(13)?,
            at: time(row, 14)?,
        },
        undone: is_undone.then(undo).transpose()?,
    })
}

/// Fills in the records of a decision.
fn with_records(db: &Connection, mut decision: Decision) -> Result<Decision> {
    let mut query = db.prepare_cached(SHOWN)?;
    let mut rows = query.query([decision.seq])?;
    while let Some(row) = rows.next()? {
        let shown = Shown { record: key(row, 0)?, version: RecordVersion(row.get(2)?) };
        let is_left: bool = row.get(3)?;
        let group = if is_left { &mut decision.made.left } else { &mut decision.made.right };
        group.push(shown);
    }
    let mut query = db.prepare_cached(PAIRS)?;
    let pairs = query.query_map([decision.seq], |row| Ok((key(row, 0)?, key(row, 2)?)))?;
    decision.made.pairs = all(pairs)?;
    Ok(decision)
}

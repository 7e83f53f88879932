//! Stewards' decisions about pairs of records.

use jiff::Timestamp;
use record::RecordKey;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{
    Error, Result, Seq, Store,
    columns::{all, key, seq, time},
    log::{LogKind, add_fact},
    names::{named, text_id},
};

/// The columns that [`stored`] reads.
macro_rules! decision_where {
    ($condition:literal) => {
        concat!(
            "SELECT d.seq, d.id, d.left_agency, d.left_local_id, d.right_agency, d.right_local_id,
                    d.verdict, d.author, d.reason, d.model_version, d.at,
                    u.seq, u.author, u.reason, u.at
             FROM fact_decision AS d LEFT JOIN fact_decision_undo AS u ON u.decision = d.id ",
            $condition
        )
    };
}

pub(crate) const BY_ID: &str = decision_where!("WHERE d.id = ?1");
const ALL: &str = decision_where!("ORDER BY d.seq");
const STANDING: &str = decision_where!("WHERE u.seq IS NULL ORDER BY d.seq");

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

/// A decision to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// Its id.
    pub id: DecisionId,
    /// One record.
    pub left: RecordKey,
    /// The other record.
    pub right: RecordKey,
    /// What was decided.
    pub verdict: Verdict,
    /// Who decided.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The model under which the pair was shown.
    pub model_version: String,
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

impl Store {
    /// Adds a decision and returns its place in the log.
    ///
    /// Errors: `AlreadyExists` for a used id; `Conflict` when left and right are one record.
    pub fn add_decision(&self, new: &NewDecision) -> Result<Seq> {
        let new = new.clone();
        self.write(1, move |writing| add(writing.db, &new))
    }

    /// Takes a decision back and returns the place of that in the log.
    ///
    /// Errors: `NotFound`; `Conflict` when it was taken back before.
    pub fn undo_decision(
        &self,
        id: &DecisionId,
        author: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<Seq> {
        let (id, author, reason) = (id.clone(), author.to_owned(), reason.to_owned());
        self.write(1, move |writing| {
            if find(writing.db, &id)?.undone.is_some() {
                return Err(Error::conflict("the decision was taken back before"));
            }
            let seq = add_fact(writing.db, at, LogKind::DecisionUndone, &id.0)?;
            let insert = "INSERT INTO fact_decision_undo (seq, decision, author, reason, at)
                          VALUES (?1, ?2, ?3, ?4, ?5)";
            writing.db.execute(insert, (seq, id, author, reason, at.as_microsecond()))?;
            Ok(seq)
        })
    }

    /// A decision.
    ///
    /// Errors: `NotFound`.
    pub fn decision(&self, id: &DecisionId) -> Result<Decision> {
        self.read(|db| find(db, id))
    }

    /// Decisions in the order of the log.
    pub fn decisions(&self, which: Decisions) -> Result<Vec<Decision>> {
        let query = match which {
            Decisions::All => ALL,
            Decisions::Standing => STANDING,
        };
        self.read(|db| all(db.prepare_cached(query)?.query_map([], stored)?))
    }
}

fn find(db: &Connection, id: &DecisionId) -> Result<Decision> {
    let found = db.prepare_cached(BY_ID)?.query_row([id], stored).optional()?;
    found.ok_or(Error::NotFound { what: "decision" })
}

fn add(db: &Connection, new: &NewDecision) -> Result<Seq> {
    if new.left == new.right {
        return Err(Error::conflict("a decision is about two records: name two"));
    }
    if db.prepare_cached(BY_ID)?.exists([&new.id])? {
        return Err(Error::AlreadyExists { what: "decision" });
    }
    let seq = add_fact(db, new.at, LogKind::Decision, &new.id.0)?;
    db.prepare_cached(
        "INSERT INTO fact_decision (seq, id, left_agency, left_local_id, right_agency,
                                    right_local_id, verdict, author, reason, model_version, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute((
        seq,
        &new.id,
        new.left.agency.as_str(),
        new.left.local_id.as_str(),
        new.right.agency.as_str(),
        new.right.local_id.as_str(),
        new.verdict,
        &new.author,
        &new.reason,
        &new.model_version,
        new.at.as_microsecond(),
    ))?;
    Ok(seq)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let is_undone = row.get::<_, Option<i64>>(11)?.is_some();
    let undo = || -> rusqlite::Result<Undo> {
        let (author, reason) = (row.get(12)?, row.get(13)?);
        Ok(Undo { seq: seq(row, 11)?, author, reason, at: time(row, 14)? })
    };
    Ok(Decision {
        seq: seq(row, 0)?,
        made: NewDecision {
            id: row.get(1)?,
            left: key(row, 2)?,
            right: key(row, 4)?,
            verdict: row.get(6)?,
            author: row.get(7)?,
            reason: row.get(8)?,
            model_version: row.get(9)?,
            at: time(row, 10)?,
        },
        undone: is_undone.then(undo).transpose()?,
    })
}

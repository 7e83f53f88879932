//! The log: the order of everything that was accepted.

use jiff::Timestamp;
use record::AgencyId;
use rusqlite::{Connection, Row, ToSql, types::ToSqlOutput};

use crate::{
    ActivationKind, DecisionId, Result, Store, SubmissionId,
    columns::{all, count, int, page, parsed, seq, time},
    names::named,
};

pub(crate) const FACTS_AFTER: &str = "
    SELECT l.seq, l.at, l.kind, l.reference, s.agency, s.committed_offset
    FROM fact_log AS l LEFT JOIN fact_submission AS s ON s.seq = l.seq
    WHERE l.seq > ?1 ORDER BY l.seq LIMIT ?2";

pub(crate) const SEQ_BEFORE: &str = "
    SELECT coalesce((SELECT seq FROM fact_log WHERE at < ?1 ORDER BY at DESC, seq DESC LIMIT 1), 0)";

/// The place of a fact in the log: 1 is the first, 0 stands before all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(pub u64);

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its place.
    pub seq: Seq,
    /// When it was accepted.
    pub at: Timestamp,
    /// What was accepted.
    pub kind: FactKind,
}

/// What was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// A submission of identity records, with the withdrawals of a snapshot.
    Records {
        /// The submission.
        submission: SubmissionId,
        /// Who sent it.
        agency: AgencyId,
        /// Rows sent, refused ones among them.
        rows: u64,
    },
    /// A submission of events.
    Events {
        /// The submission.
        submission: SubmissionId,
        /// Who sent it.
        agency: AgencyId,
    },
    /// Statements of an agency.
    Statements {
        /// Who states them.
        agency: AgencyId,
    },
    /// A steward's decision about two records.
    Decision {
        /// The decision.
        decision: DecisionId,
    },
    /// A decision was taken back.
    DecisionUndone {
        /// The decision.
        decision: DecisionId,
    },
    /// A sample of pairs was drawn for stewards to judge.
    Sample,
    /// An agency withdrew records, and they were erased.
    Withdrawal,
    /// A model, a registry or a rule profile took effect.
    Activation {
        /// Which of them.
        kind: ActivationKind,
        /// Its version.
        version: String,
    },
}

named! {
    /// How the log names the kinds of its entries.
    "kind of fact" LogKind {
        /// A submission of identity records.
        Records = "records",
        /// A submission of events.
        Events = "events",
        /// Statements of an agency.
        Statements = "statements",
        /// A decision.
        Decision = "decision",
        /// A decision taken back.
        DecisionUndone = "decision_undone",
        /// A sample drawn.
        Sample = "sample",
        /// The activation of a model.
        Model = "model",
        /// The activation of a registry.
        Registry = "registry",
        /// The activation of a rule profile.
        Profile = "profile",
        /// Records withdrawn by their agency, and erased.
        Withdrawal = "withdrawal",
    }
}

impl ToSql for Seq {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(int(self.0).into())
    }
}

impl Store {
    /// The facts after `seq`, in order, `limit` of them at most.
    pub fn facts_after(&self, seq: Seq, limit: usize) -> Result<Vec<Fact>> {
        self.read(|db| {
            let mut query = db.prepare_cached(FACTS_AFTER)?;
            let facts = query.query_map((seq, page(limit)), fact)?;
            all(facts)
        })
    }

    /// The place of the last fact that was accepted before `moment`; 0 when there is none.
    pub fn seq_before(&self, moment: Timestamp) -> Result<Seq> {
        self.read(|db| {
            let mut query = db.prepare_cached(SEQ_BEFORE)?;
            Ok(query.query_row([moment.as_microsecond()], |row| seq(row, 0))?)
        })
    }

    /// The place of the last fact; 0 when there is none.
    pub fn last_seq(&self) -> Result<Seq> {
        self.read(last_seq)
    }
}

/// Adds an entry to the log; `reference` is the id or the version of what was accepted, or who
/// stated it.
pub(crate) fn add_fact(
    db: &Connection,
    at: Timestamp,
    kind: LogKind,
    reference: &str,
) -> Result<Seq> {
    // A clock that was set back must not change what was known at the end of a day that is over.
    db.prepare_cached(
        "INSERT INTO fact_log (at, kind, reference)
         VALUES (max(?1, coalesce((SELECT max(at) FROM fact_log), ?1)), ?2, ?3)",
    )?
    .execute((at.as_microsecond(), kind, reference))?;
    Ok(Seq(db.last_insert_rowid().unsigned_abs()))
}

/// The place of the last fact; 0 when there is none.
pub(crate) fn last_seq(db: &Connection) -> Result<Seq> {
    let mut query = db.prepare_cached("SELECT coalesce(max(seq), 0) FROM fact_log")?;
    Ok(query.query_row([], |row| seq(row, 0))?)
}

fn fact(row: &Row<'_>) -> rusqlite::Result<Fact> {
    let reference: String = row.get(3)?;
    let activation = |kind, version| FactKind::Activation { kind, version };
    let kind = match row.get(2)? {
        LogKind::Records => FactKind::Records {
            submission: SubmissionId(reference),
            agency: parsed(row, 4)?,
            rows: count(row, 5)?,
        },
        LogKind::Events => {
            FactKind::Events { submission: SubmissionId(reference), agency: parsed(row, 4)? }
        }
        LogKind::Statements => FactKind::Statements { agency: parsed(row, 3)? },
        LogKind::Decision => FactKind::Decision { decision: DecisionId(reference) },
        LogKind::DecisionUndone => FactKind::DecisionUndone { decision: DecisionId(reference) },
        LogKind::Sample => FactKind::Sample,
        LogKind::Withdrawal => FactKind::Withdrawal,
        LogKind::Model => activation(ActivationKind::Model, reference),
        LogKind::Registry => activation(ActivationKind::Registry, reference),
        LogKind::Profile => activation(ActivationKind::Profile, reference),
    };
    Ok(Fact { seq: seq(row, 0)?, at: time(row, 1)?, kind })
}

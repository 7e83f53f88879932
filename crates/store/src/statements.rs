//! Statements of agencies: facts of no one person.

use jiff::{Timestamp, civil::Date};
use record::AgencyId;
use rusqlite::{OptionalExtension, Row, params};

use crate::{
    Action, Actor, NewAuditEntry, Result, Seq, Store,
    agencies::require_agency,
    audit,
    columns::{all, count, int, page, parsed, seq},
    log::{LogKind, add_fact},
    names::named,
};

pub(crate) const LAST_OF_SUBJECT: &str = "
    SELECT payload FROM fact_statement WHERE agency = ?1 AND kind = ?2 AND subject = ?3
    ORDER BY number DESC LIMIT 1";
pub(crate) const PAGE: &str = "
    SELECT number, agency, received_on, seq, payload FROM fact_statement
    WHERE agency = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
const OF_KIND: &str = "
    SELECT number, agency, received_on, seq, payload FROM fact_statement
    WHERE kind = ?1 AND seq <= ?2 ORDER BY number";
const INSERT: &str = "
    INSERT INTO fact_statement (seq, agency, kind, subject, received_on, payload)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

named! {
    /// What is stated.
    "kind of statement" StatementKind {
        /// The agency has reported everything up to a day.
        CompleteThrough = "complete_through",
        /// The wages of a quarter are loaded.
        WagesLoaded = "wages_loaded",
        /// What an employer's account was in a quarter.
        Employer = "employer",
    }
}

/// A statement to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStatement {
    /// What is stated.
    pub kind: StatementKind,
    /// What it is about: of the statements of one kind about one subject the last counts.
    pub subject: String,
    /// The statement, opaque here.
    pub payload: Vec<u8>,
}

/// A kept statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStatement {
    /// Its number, in the order of arrival.
    pub number: u64,
    /// Who stated it.
    pub agency: AgencyId,
    /// The day on which it was received.
    pub received_on: Date,
    /// The fact that brought it.
    pub seq: Seq,
    /// The statement, opaque here.
    pub payload: Vec<u8>,
}

/// What became of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// Their place in the log; `None` when nothing was new.
    pub seq: Option<Seq>,
    /// Statements that are new facts.
    pub accepted: u64,
    /// Statements that equal the last ones of their subjects.
    pub unchanged: u64,
}

impl Store {
    /// Keeps statements, all in one fact; what the agency last stated of a subject is not kept
    /// twice.
    ///
    /// Errors: `NotFound` for an unknown agency.
    pub fn state(
        &self,
        agency: &AgencyId,
        received_on: Date,
        statements: Vec<NewStatement>,
        at: Timestamp,
    ) -> Result<Stated> {
        let agency = agency.clone();
        self.write(statements.len(), move |writing| {
            let db = writing.db;
            require_agency(db, &agency)?;
            let mut stated = Stated { seq: None, accepted: 0, unchanged: 0 };
            let mut last = db.prepare_cached(LAST_OF_SUBJECT)?;
            let mut insert = db.prepare_cached(INSERT)?;
            let day = received_on.to_string();
            for NewStatement { kind, subject, payload } in &statements {
                let of_subject = (agency.as_str(), kind, subject);
                let known: Option<Vec<u8>> =
                    last.query_row(of_subject, |row| row.get(0)).optional()?;
                if known.as_ref() == Some(payload) {
                    stated.unchanged += 1;
                    continue;
                }
                let seq = match stated.seq {
                    Some(seq) => seq,
                    None => add_fact(db, at, LogKind::Statements, agency.as_str())?,
                };
                insert.execute(params![seq, agency.as_str(), kind, subject, day, payload])?;
                stated.seq = Some(seq);
                stated.accepted += 1;
            }
            if let Some(seq) = stated.seq {
                let entry =
                    NewAuditEntry::new(at, Actor::agency(&agency), Action::StatementsAccepted)
                        .detail(serde_json::json!({ "accepted": stated.accepted }));
                audit::seal(db, writing.handles, seq, &entry)?;
            }
            Ok(stated)
        })
    }

    /// An agency's statements, the newest first, before one of them, `limit` at most.
    pub fn statements(
        &self,
        agency: &AgencyId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<StoredStatement>> {
        let before = int(before.unwrap_or(u64::MAX));
        self.read(|db| {
            let mut query = db.prepare_cached(PAGE)?;
            all(query.query_map((agency.as_str(), before, page(limit)), stored)?)
        })
    }

    /// All agencies' statements of a kind that were accepted up to a fact, in order.
    pub fn statements_of_kind(
        &self,
        kind: StatementKind,
        up_to: Seq,
    ) -> Result<Vec<StoredStatement>> {
        self.read(|db| all(db.prepare_cached(OF_KIND)?.query_map((kind, up_to), stored)?))
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredStatement> {
    Ok(StoredStatement {
        number: count(row, 0)?,
        agency: parsed(row, 1)?,
        received_on: parsed(row, 2)?,
        seq: seq(row, 3)?,
        payload: row.get(4)?,
    })
}

//! Erasing what an agency withdrew: its rows first, in the transaction of the withdrawal, and the names
//! of the records as soon as the engine has taken it in.

mod names;
mod purge;
mod rows;

use std::collections::BTreeSet;

use jiff::Timestamp;
use record::{AgencyId, LocalId, RecordKey};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{
    Action, Actor, Error, Handle, NewAuditEntry, Result, Seq, Store,
    agencies::require_agency,
    audit,
    columns::{all, count, int, parsed, seq, time},
    limits,
    log::{LogKind, add_fact},
    names::text_id,
    writer::Writing,
};
pub use purge::{Purge, Purged};
use rows::{Erased, KNOWN, Target};
#[cfg(test)]
pub(crate) use rows::{IS_KNOWN, LAST_SEAL, PLACES};

/// The columns that [`stored`] reads.
macro_rules! erasure_where {
    ($condition:literal) => {
        concat!(
            "SELECT seq, id, agency, is_all, reason, records, events, at FROM fact_erasure WHERE ",
            $condition
        )
    };
}

pub(crate) const BY_REQUEST: &str = erasure_where!("agency = ?1 AND request_id = ?2");
pub(crate) const IS_ERASED: &str =
    "SELECT 1 FROM fact_withdrawal WHERE agency = ?1 AND local_id = ?2 LIMIT 1";
const ALL: &str = erasure_where!("TRUE ORDER BY seq");
const INSERT: &str = "
    INSERT INTO fact_erasure
        (seq, id, agency, is_all, author, reason, request_id, records, events, at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// The id of an erasure, made by the caller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErasureId(pub String);

text_id!(ErasureId);

/// Which of its records an agency withdraws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withdrawn {
    /// All that it has sent, events without a record too. Its open submissions are given up.
    All,
    /// These.
    Records(Vec<LocalId>),
}

/// What an agency asks to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewErasure {
    /// Its id.
    pub id: ErasureId,
    /// Whose records they are.
    pub agency: AgencyId,
    /// Which of them.
    pub what: Withdrawn,
    /// Who asks.
    pub author: Actor,
    /// Why.
    pub reason: String,
    /// The caller's own id of the request: the same id is the same erasure.
    pub request_id: String,
    /// Now.
    pub at: Timestamp,
}

/// An erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its place in the log.
    pub seq: Seq,
    /// Its id.
    pub id: ErasureId,
    /// Whose records they were.
    pub agency: AgencyId,
    /// Whether it was all that the agency had sent.
    pub is_all: bool,
    /// Why.
    pub reason: String,
    /// How many records, present or withdrawn before, were erased.
    pub records: u64,
    /// How many events.
    pub events: u64,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Withdraws and erases records with their events: when it returns, neither encodings nor events
    /// are in the database any more. The same request id again gives the same erasure.
    ///
    /// Errors: `NotFound` for an unknown agency; `Conflict` when the request id was used for another
    /// erasure.
    pub fn erase(&self, new: &NewErasure) -> Result<Erasure> {
        let new = new.clone();
        self.write(limits::GROUP_ROWS_MAX, move |writing| erase(writing, &new))
    }

    /// The handle of a record.
    pub fn handle_of(&self, record: &RecordKey) -> Handle {
        self.handles().of(record)
    }

    /// Whether a record was erased: for a record that is there again, whether one of its name was.
    pub fn is_erased(&self, record: &RecordKey) -> Result<bool> {
        let tombstone = self.handles().of(record).tombstone();
        self.read(|db| {
            let mut query = db.prepare_cached(IS_ERASED)?;
            Ok(query.exists((record.agency.as_str(), tombstone.as_str()))?)
        })
    }

    /// The handles of the records that an erasure withdrew, ordered.
    pub fn erased_handles(&self, erasure: Seq) -> Result<Vec<Handle>> {
        let records = self.withdrawals_of(erasure)?;
        let mut handles: Vec<Handle> =
            records.iter().map(|record| self.handles().of(record)).collect();
        handles.sort_unstable();
        Ok(handles)
    }

    /// The records of an agency of which something is stored and whose handles are among these.
    pub fn records_of_handles(
        &self,
        agency: &AgencyId,
        handles: &BTreeSet<Handle>,
    ) -> Result<Vec<LocalId>> {
        let known: Vec<LocalId> = self.read_apart(|db| {
            all(db.prepare(KNOWN)?.query_map([agency.as_str()], |row| parsed(row, 0))?)
        })?;
        let is_meant = |id: &LocalId| {
            let record = RecordKey::new(agency.clone(), id.clone());
            handles.contains(&self.handles().of(&record))
        };
        Ok(known.into_iter().filter(is_meant).collect())
    }

    /// All erasures, in the order of the log.
    pub fn erasures(&self) -> Result<Vec<Erasure>> {
        self.read(|db| all(db.prepare_cached(ALL)?.query_map([], stored)?))
    }
}

fn erase(writing: &mut Writing<'_>, new: &NewErasure) -> Result<Erasure> {
    let db = writing.db;
    require_agency(db, &new.agency)?;
    let is_all = new.what == Withdrawn::All;
    let request = (new.agency.as_str(), &new.request_id);
    if let Some(old) = db.prepare_cached(BY_REQUEST)?.query_row(request, stored).optional()? {
        if old.is_all != is_all || old.reason != new.reason {
            let what = "this request id belongs to another withdrawal: make a new request id";
            return Err(Error::conflict(what));
        }
        return Ok(old);
    }
    let target = match &new.what {
        Withdrawn::All => Target::all(writing, &new.agency)?,
        Withdrawn::Records(ids) => Target::some(db, &new.agency, ids)?,
    };
    let seq = add_fact(db, new.at, LogKind::Withdrawal, &new.id.0)?;
    let mut insert = db.prepare_cached(
        "INSERT INTO fact_withdrawal (agency, local_id, seq) VALUES (?1, ?2, ?3)",
    )?;
    for local_id in &target.local_ids {
        insert.execute((new.agency.as_str(), local_id, seq))?;
    }
    let Erased { events } = rows::erase(writing, &target, &new.author, new.at)?;
    let records = target.local_ids.len() as u64;
    db.prepare_cached(INSERT)?.execute((
        seq,
        &new.id,
        new.agency.as_str(),
        is_all,
        format!("{} {}", new.author.role, new.author.name),
        &new.reason,
        &new.request_id,
        int(records),
        int(events),
        new.at.as_microsecond(),
    ))?;
    let named = if is_all { Vec::new() } else { target.keys()? };
    let entry = NewAuditEntry::new(new.at, new.author.clone(), Action::RecordsErased)
        .subject(&new.id.0)
        .detail(serde_json::json!({
            "agency": new.agency.as_str(), "all": is_all, "records": records, "events": events,
            "reason": new.reason,
        }))
        .records(named);
    audit::seal(db, writing.handles, seq, &entry)?;
    Ok(Erasure {
        seq,
        id: new.id.clone(),
        agency: new.agency.clone(),
        is_all,
        reason: new.reason.clone(),
        records,
        events,
        at: new.at,
    })
}

/// Does what changes facts; nothing else may happen within.
pub(crate) fn erasing<T>(db: &Connection, work: impl FnOnce() -> Result<T>) -> Result<T> {
    db.execute("INSERT INTO work_erasure (one) VALUES (1)", [])?;
    let done = work();
    db.execute("DELETE FROM work_erasure", [])?;
    done
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Erasure> {
    Ok(Erasure {
        seq: seq(row, 0)?,
        id: row.get(1)?,
        agency: parsed(row, 2)?,
        is_all: row.get(3)?,
        reason: row.get(4)?,
        records: count(row, 5)?,
        events: count(row, 6)?,
        at: time(row, 7)?,
    })
}

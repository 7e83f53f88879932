//! Reading the audit log.

use std::ops::ControlFlow;

use jiff::Timestamp;
use record::RecordKey;
use rusqlite::{Connection, Row, types::Value};

use super::{Action, Actor, Link};
use crate::{
    Error, Result, Seq, Store,
    columns::{all, count, int, key, page, seq, time},
    handles::Handle,
};

/// The columns that [`entry`] reads.
macro_rules! entries_where {
    ($from:literal, $condition:literal) => {
        concat!(
            "SELECT a.number, a.at, a.role, a.name, a.action, a.subject, a.detail, a.seq, a.content,
                    a.digest,
                    (SELECT count(*) FROM fact_audit_record AS r WHERE r.entry = a.number)
             FROM ",
            $from,
            " WHERE ",
            $condition
        )
    };
}

pub(crate) const ENTRY: &str = entries_where!("fact_audit AS a", "a.number = ?1");
pub(crate) const AFTER: &str =
    entries_where!("fact_audit AS a", "a.number > ?1 ORDER BY a.number LIMIT ?2");
pub(crate) const ABOUT: &str = entries_where!(
    "fact_audit_record AS m CROSS JOIN fact_audit AS a ON a.number = m.entry",
    "m.handle = ?1 ORDER BY m.entry"
);
pub(crate) const OF_AGENCY: &str = entries_where!(
    "fact_audit AS a INDEXED BY fact_audit_of_caller",
    "a.role = 'agency' AND a.name = ?1 AND a.action = ?2 ORDER BY a.number"
);
pub(crate) const OF_ACTION: &str = entries_where!(
    "fact_audit AS a INDEXED BY fact_audit_of_action",
    "a.action = ?1 ORDER BY a.number"
);
pub(crate) const RECORDS: &str = "
    SELECT r.handle, n.agency, n.local_id
    FROM fact_audit_record AS r LEFT JOIN record_name AS n ON n.handle = r.handle
    WHERE r.entry = ?1 ORDER BY r.handle";
/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number: from 1, without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// To what.
    pub subject: String,
    /// How, as JSON; empty: there is nothing to say.
    pub detail: String,
    /// The fact that it seals.
    pub fact: Option<Seq>,
    /// The digest of that fact's content.
    pub content: Option<[u8; 32]>,
    /// How many records it is about.
    pub records: u64,
    /// The digest of the log up to here.
    pub digest: [u8; 32],
}

/// A record that an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedRecord {
    /// Its handle.
    pub handle: Handle,
    /// Its name; `None`: it was erased.
    pub record: Option<RecordKey>,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this role.
    pub role: Option<String>,
    /// Of this agency or person.
    pub name: Option<String>,
    /// Of this action.
    pub action: Option<Action>,
    /// About this record, also by the name that it had before it was erased.
    pub record: Option<RecordKey>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

impl Store {
    /// The entries that a filter lets through, the newest first, before one of them, `limit` at most.
    pub fn audit_entries(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>> {
        let handle = filter.record.as_ref().map(|record| self.handles().of(record));
        let (query, values) = select(filter, handle, before, limit);
        self.read_apart(|db| {
            let mut query = db.prepare(&query)?;
            all(query.query_map(rusqlite::params_from_iter(values), entry)?)
        })
    }

    /// Hands the entries after one of them to `take`, in order, with their records, from one
    /// snapshot, until it breaks off.
    pub fn for_each_audit_entry(
        &self,
        after: u64,
        mut take: impl FnMut(AuditEntry, Vec<AuditedRecord>) -> ControlFlow<()>,
    ) -> Result<()> {
        self.read_apart(|db| {
            for_each(db, after, |entry| {
                let records = records_of(db, entry.number)?;
                Ok(take(entry, records))
            })
        })
    }

    /// An entry and its records.
    ///
    /// Errors: `NotFound`.
    pub fn audit_entry(&self, number: u64) -> Result<(AuditEntry, Vec<AuditedRecord>)> {
        self.read(|db| {
            let mut query = db.prepare_cached(ENTRY)?;
            let found = all(query.query_map([int(number)], entry)?)?.pop();
            let found = found.ok_or(Error::NotFound { what: "audit entry" })?;
            Ok((found, records_of(db, number)?))
        })
    }
}

/// The query of a filter, by the index that leaves the fewest entries to look at.
fn select(
    filter: &AuditFilter,
    handle: Option<Handle>,
    before: Option<u64>,
    limit: usize,
) -> (String, Vec<Value>) {
    let mut query = match handle {
        Some(_) => entries_where!(
            "fact_audit_record AS m CROSS JOIN fact_audit AS a ON a.number = m.entry",
            "m.handle = ? AND a.number < ?"
        ),
        None => entries_where!("fact_audit AS a", "a.number < ?"),
    }
    .to_owned();
    let mut values: Vec<Value> =
        handle.map(|handle| handle.0.to_vec().into()).into_iter().collect();
    values.push(int(before.unwrap_or(u64::MAX)).into());
    let mut and = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            query.push_str(condition);
            values.push(value);
        }
    };
    and(" AND a.role = ?", filter.role.clone().map(Value::from));
    and(" AND a.name = ?", filter.name.clone().map(Value::from));
    and(" AND a.action = ?", filter.action.map(|action| action.to_string().into()));
    and(" AND a.at >= ?", filter.since.map(|at| at.as_microsecond().into()));
    and(" AND a.at < ?", filter.until.map(|at| at.as_microsecond().into()));
    let order = if handle.is_some() { "m.entry" } else { "a.number" };
    query.push_str(&format!(" ORDER BY {order} DESC LIMIT ?"));
    values.push(page(limit).into());
    (query, values)
}

/// Hands the entries after one of them to `take`, in order, until it breaks off.
pub(crate) fn for_each(
    db: &Connection,
    after: u64,
    mut take: impl FnMut(AuditEntry) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut query = db.prepare(AFTER)?;
    let mut rows = query.query((int(after), i64::MAX))?;
    while let Some(row) = rows.next()? {
        if take(entry(row)?)?.is_break() {
            break;
        }
    }
    Ok(())
}

pub(super) fn records_of(db: &Connection, number: u64) -> Result<Vec<AuditedRecord>> {
    let mut query = db.prepare_cached(RECORDS)?;
    all(query.query_map([int(number)], |row| {
        let is_named = row.get::<_, Option<String>>(1)?.is_some();
        let record = is_named.then(|| key(row, 1)).transpose()?;
        Ok(AuditedRecord { handle: row.get(0)?, record })
    })?)
}

pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let is_fact = row.get::<_, Option<i64>>(7)?.is_some();
    Ok(AuditEntry {
        number: count(row, 0)?,
        at: time(row, 1)?,
        actor: Actor { role: row.get(2)?, name: row.get(3)? },
        action: row.get(4)?,
        subject: row.get(5)?,
        detail: row.get(6)?,
        fact: is_fact.then(|| seq(row, 7)).transpose()?,
        content: row.get(8)?,
        digest: row.get(9)?,
        records: count(row, 10)?,
    })
}

impl AuditEntry {
    /// The entry as the chain sees it.
    pub(crate) fn link(&self) -> Link {
        Link {
            number: self.number,
            at: self.at.as_microsecond(),
            role: self.actor.role.clone(),
            name: self.actor.name.clone(),
            action: self.action,
            subject: self.subject.clone(),
            detail: self.detail.clone(),
            seq: self.fact.map(|seq| int(seq.0)),
            content: self.content,
        }
    }
}

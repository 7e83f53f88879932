//! The audit log: who did what to which record when, and who was told what.
//!
//! Entries are chained: each has a digest over the digest before and all of itself, so that none can be
//! changed, taken out or put in between without every later digest being another. Whoever keeps the
//! number and digest of one entry elsewhere can prove that nothing up to it was rewritten.

mod chain;
mod disclosures;
mod read;

use std::collections::BTreeSet;

use jiff::Timestamp;
use record::RecordKey;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use crate::{
    Principal, Result, Seq, Store,
    columns::{count, int},
    content::content,
    handles::{Handle, HandleKey},
    names::named,
};

pub(crate) use chain::{Chain, Link};
pub use disclosures::Disclosure;
pub(crate) use read::for_each;
#[cfg(test)]
pub(crate) use read::{ABOUT, AFTER, ENTRY, OF_ACTION, OF_AGENCY, RECORDS};
pub use read::{AuditEntry, AuditFilter, AuditedRecord};

pub(crate) const LAST: &str = "
    SELECT number, at, digest FROM fact_audit
    WHERE number = (SELECT max(number) FROM fact_audit)";
const INSERT: &str = "
    INSERT INTO fact_audit
        (number, at, role, name, action, subject, detail, seq, content, digest)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

named! {
    /// What an entry says was done.
    "action" Action {
        /// The service started, by the settings that the detail tells apart.
        ServiceStarted = "service_started",
        /// An agency was added.
        AgencyAdded = "agency_added",
        /// A token was issued, or a client certificate registered.
        CredentialIssued = "credential_issued",
        /// A token or a client certificate was revoked.
        CredentialRevoked = "credential_revoked",
        /// A submission became facts.
        SubmissionAccepted = "submission_accepted",
        /// An agency stated facts of no one person.
        StatementsAccepted = "statements_accepted",
        /// An agency withdrew records, and they were erased.
        RecordsErased = "records_erased",
        /// Withdrawn records were erased for good.
        RecordsPurged = "records_purged",
        /// What is left of a fact after an erasure.
        FactResealed = "fact_resealed",
        /// A steward decided.
        Decided = "decided",
        /// A decision was taken back.
        DecisionUndone = "decision_undone",
        /// A sample of pairs was drawn.
        SampleDrawn = "sample_drawn",
        /// A model, a registry or a rule profile took effect.
        Activated = "activated",
        /// A steward asked an agency about a record.
        QuestionAsked = "question_asked",
        /// An agency answered a question.
        QuestionAnswered = "question_answered",
        /// A steward said something of a task without settling it.
        TaskNoted = "task_noted",
        /// An agency was told statuses of records that it named.
        StatusesTold = "statuses_told",
        /// An agency was told a page of its statuses.
        StatusesListed = "statuses_listed",
        /// An agency was told all of its statuses.
        StatusesExported = "statuses_exported",
        /// An agency was told changes of its statuses.
        ChangesTold = "changes_told",
        /// A steward was shown tasks.
        TasksShown = "tasks_shown",
        /// A steward was told why records match or do not.
        Explained = "explained",
        /// An operator took home which records are one participant.
        MembershipsExported = "memberships_exported",
        /// A backup was made.
        BackedUp = "backed_up",
        /// The database was restored from a backup.
        Restored = "restored",
        /// Somebody read the audit log.
        AuditRead = "audit_read",
        /// Somebody asked for the proof that nothing was changed.
        Verified = "verified",
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What they are: agency, steward, operator, auditor or service.
    pub role: String,
    /// Which one: the agency's id, or the person's name.
    pub name: String,
}

impl Actor {
    /// The service itself, by what of it acts, such as `configuration`.
    pub fn service(part: &str) -> Self {
        Self { role: "service".to_owned(), name: part.to_owned() }
    }

    /// A steward.
    pub(crate) fn steward(name: &str) -> Self {
        Self::from(&Principal::Steward(name.to_owned()))
    }

    /// An agency.
    pub(crate) fn agency(agency: &record::AgencyId) -> Self {
        Self::from(&Principal::Agency(agency.clone()))
    }
}

impl From<&Principal> for Actor {
    fn from(principal: &Principal) -> Self {
        Self { role: principal.role().to_string(), name: principal.name().to_owned() }
    }
}

/// An entry to make.
#[derive(Clone)]
pub struct NewAuditEntry {
    /// When. The log never runs backwards: an earlier time counts as that of the entry before.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// To what other than records: the id of a submission, the label of a token. Never a local id.
    pub subject: String,
    /// How, as a JSON object. Never holds a local id: those stand under `records`.
    pub detail: Value,
    /// The records that it is about.
    pub records: Vec<RecordKey>,
}

impl NewAuditEntry {
    /// An entry without subject, detail and records.
    pub fn new(at: Timestamp, actor: Actor, action: Action) -> Self {
        let (subject, detail, records) = (String::new(), Value::Null, Vec::new());
        Self { at, actor, action, subject, detail, records }
    }

    /// Says to what it was done.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), ..self }
    }

    /// Says how.
    pub fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }

    /// Says to which records.
    pub fn records(self, records: Vec<RecordKey>) -> Self {
        Self { records, ..self }
    }
}

/// A fact that an entry seals, and the digest of its content.
pub(crate) struct Sealed {
    pub(crate) seq: Seq,
    pub(crate) content: [u8; 32],
}

impl Store {
    /// Adds an entry to the audit log; returns after it is on disk.
    pub fn audit(&self, entry: NewAuditEntry) -> Result<()> {
        self.write(1 + entry.records.len(), move |writing| {
            append(writing.db, writing.handles, &entry, None)
        })
    }
}

/// Adds the entry that seals a fact whose content is written, inside a transaction.
pub(crate) fn seal(
    db: &Connection,
    handles: &HandleKey,
    seq: Seq,
    entry: &NewAuditEntry,
) -> Result<()> {
    let content = content(db, handles, seq)?;
    append(db, handles, entry, Some(&Sealed { seq, content }))
}

/// Adds an entry, inside a transaction.
pub(crate) fn append(
    db: &Connection,
    handles: &HandleKey,
    entry: &NewAuditEntry,
    fact: Option<&Sealed>,
) -> Result<()> {
    let of_records: BTreeSet<Handle> =
        entry.records.iter().map(|record| handles.of(record)).collect();
    let before = last(db)?;
    let link = Link {
        number: before.number + 1,
        at: entry.at.as_microsecond().max(before.at),
        role: entry.actor.role.clone(),
        name: entry.actor.name.clone(),
        action: entry.action,
        subject: entry.subject.clone(),
        detail: match &entry.detail {
            Value::Null => String::new(),
            detail => detail.to_string(),
        },
        seq: fact.map(|fact| int(fact.seq.0)),
        content: fact.map(|fact| fact.content),
    };
    let digest = link.digest(&before.digest, of_records.iter());
    db.prepare_cached(INSERT)?.execute((
        int(link.number),
        link.at,
        &link.role,
        &link.name,
        link.action,
        &link.subject,
        &link.detail,
        link.seq,
        link.content,
        digest,
    ))?;
    let mut insert =
        db.prepare_cached("INSERT INTO fact_audit_record (handle, entry) VALUES (?1, ?2)")?;
    for handle in &of_records {
        insert.execute((handle, int(link.number)))?;
    }
    remember_names(db, handles, &entry.records)
}

/// Remembers whose the handles are.
fn remember_names(db: &Connection, handles: &HandleKey, records: &[RecordKey]) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO record_name (handle, agency, local_id) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )?;
    for record in records.iter().filter(|record| !record.local_id.is_tombstone()) {
        let (agency, local_id) = (record.agency.as_str(), record.local_id.as_str());
        insert.execute((handles.of(record), agency, local_id))?;
    }
    Ok(())
}

/// Where the chain ends; at number 0 before the first entry.
pub(crate) fn last(db: &Connection) -> Result<Chain> {
    let mut query = db.prepare_cached(LAST)?;
    let last = query.query_row([], |row| {
        Ok(Chain { number: count(row, 0)?, at: row.get(1)?, digest: row.get(2)? })
    });
    Ok(last.optional()?.unwrap_or_default())
}

//! Accepted events.

use std::collections::BTreeSet;

use jiff::civil::Date;
use record::{AgencyId, LocalId, RecordKey};
use rusqlite::Row;

use crate::{
    Error, Result, Seq, Store, SubmissionKind,
    columns::{all, count, page, parsed, seq},
    submissions::find_fact,
};

pub(crate) const EVENTS_OF: &str = "
    SELECT e.event_id, r.received_on, e.seq, r.payload
    FROM fact_event AS e JOIN fact_submission_row AS r ON r.place = e.place
    WHERE e.agency = ?1 AND e.local_id = ?2 AND e.seq <= ?3 ORDER BY e.event_id";
pub(crate) const KEYS_OF_FACT: &str = "
    SELECT DISTINCT local_id FROM fact_submission_row
    WHERE place BETWEEN ?1 AND ?2 AND payload IS NOT NULL ORDER BY local_id";
pub(crate) const WAITING: &str = "
    SELECT e.event_id, r.received_on, e.seq, r.payload, e.local_id
    FROM fact_event AS e JOIN fact_submission_row AS r ON r.place = e.place
    WHERE e.agency = ?1 AND (e.local_id, e.event_id) > (?2, ?3) AND NOT EXISTS (
        SELECT 1 FROM fact_record_version AS v
        WHERE v.agency = e.agency AND v.local_id = e.local_id)
    ORDER BY e.local_id, e.event_id LIMIT ?4";
const COUNT_WAITING: &str = "
    SELECT count(*) FROM fact_event AS e WHERE NOT EXISTS (
        SELECT 1 FROM fact_record_version AS v
        WHERE v.agency = e.agency AND v.local_id = e.local_id)";

/// An accepted event.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The record whose event it is.
    pub record: RecordKey,
    /// The agency's own id of it.
    pub event_id: String,
    /// When the agency came to know it.
    pub received_on: Date,
    /// The fact that brought it.
    pub seq: Seq,
    /// The event, opaque here.
    pub payload: Vec<u8>,
}

impl Store {
    /// The records that the new events of a fact name, ordered, each once.
    ///
    /// Errors: `NotFound` when the fact is not a submission of events.
    pub fn event_keys_of(&self, seq: Seq) -> Result<Vec<RecordKey>> {
        self.read(|db| {
            let stored = find_fact(db, seq)?;
            if stored.submission.kind != SubmissionKind::Events {
                return Err(Error::NotFound { what: "submission of events" });
            }
            let mut query = db.prepare_cached(KEYS_OF_FACT)?;
            all(query.query_map(stored.places(), |row| {
                let local_id: LocalId = parsed(row, 0)?;
                Ok(RecordKey::new(stored.submission.agency.clone(), local_id))
            })?)
        })
    }

    /// The events of these records, ordered by record and event id; with `known_at` only those
    /// accepted up to that fact.
    pub fn events_of(
        &self,
        records: &[RecordKey],
        known_at: Option<Seq>,
    ) -> Result<Vec<StoredEvent>> {
        let known_at = known_at.unwrap_or(Seq(u64::MAX));
        let records: BTreeSet<&RecordKey> = records.iter().collect();
        self.read(|db| {
            let mut query = db.prepare_cached(EVENTS_OF)?;
            let mut events = Vec::new();
            for record in records {
                let key = (record.agency.as_str(), record.local_id.as_str(), known_at);
                let mut rows = query.query(key)?;
                while let Some(row) = rows.next()? {
                    events.push(stored(row, record.clone())?);
                }
            }
            Ok(events)
        })
    }

    /// How many events were accepted.
    pub fn event_count(&self) -> Result<u64> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT count(*) FROM fact_event")?;
            Ok(query.query_row([], |row| count(row, 0))?)
        })
    }

    /// An agency's events that name a record that was never accepted, ordered by local id and event
    /// id, after one of them, `limit` at most.
    pub fn waiting_events(
        &self,
        agency: &AgencyId,
        after: Option<(&LocalId, &str)>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        let (local_id, event_id) = after.map_or(("", ""), |(id, event)| (id.as_str(), event));
        self.read(|db| {
            let mut query = db.prepare_cached(WAITING)?;
            let range = (agency.as_str(), local_id, event_id, page(limit));
            all(query.query_map(range, |row| {
                stored(row, RecordKey::new(agency.clone(), parsed(row, 4)?))
            })?)
        })
    }

    /// How many events name a record that was never accepted. Reads all keys of events.
    pub fn waiting_event_count(&self) -> Result<u64> {
        self.read(|db| Ok(db.prepare_cached(COUNT_WAITING)?.query_row([], |row| count(row, 0))?))
    }
}

fn stored(row: &Row<'_>, record: RecordKey) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        record,
        event_id: row.get(0)?,
        received_on: parsed(row, 1)?,
        seq: seq(row, 2)?,
        payload: row.get(3)?,
    })
}

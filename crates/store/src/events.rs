//! Accepted events.

use std::collections::BTreeSet;

use jiff::civil::Date;
use record::{LocalId, RecordKey};

use crate::{
    Error, Result, Seq, Store, SubmissionKind,
    columns::{all, count, parsed, seq},
    submissions::find_fact,
};

pub(crate) const EVENTS_OF: &str = "
    SELECT e.event_id, r.received_on, e.seq, r.payload
    FROM fact_event AS e JOIN fact_submission_row AS r ON r.place = e.place
    WHERE e.agency = ?1 AND e.local_id = ?2 AND e.seq <= ?3 ORDER BY e.event_id";
pub(crate) const KEYS_OF_FACT: &str = "
    SELECT DISTINCT local_id FROM fact_submission_row
    WHERE place BETWEEN ?1 AND ?2 AND payload IS NOT NULL ORDER BY local_id";
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
                    events.push(StoredEvent {
                        record: record.clone(),
                        event_id: row.get(0)?,
                        received_on: parsed(row, 1)?,
                        seq: seq(row, 2)?,
                        payload: row.get(3)?,
                    });
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

    /// How many events name a record that was never accepted. Reads all keys of events.
    pub fn waiting_events(&self) -> Result<u64> {
        self.read(|db| Ok(db.prepare_cached(COUNT_WAITING)?.query_row([], |row| count(row, 0))?))
    }
}

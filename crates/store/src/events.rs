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
pub(crate) const TAKERS_BACK: &str = "
    SELECT t.event_id, r.received_on, t.seq, r.payload, t.local_id, e.event_id
    FROM fact_event AS e
    CROSS JOIN fact_event AS t INDEXED BY fact_event_that_takes_back
        ON t.agency = e.agency AND t.takes_back = e.event_id AND t.takes_back IS NOT NULL
    CROSS JOIN fact_submission_row AS r ON r.place = t.place
    WHERE e.agency = ?1 AND e.local_id = ?2 AND t.local_id <> ?2 AND e.seq <= ?3 AND t.seq <= ?3";
pub(crate) const KEYS_OF_FACT: &str = "
    SELECT local_id, max(takes_back IS NOT NULL) FROM fact_submission_row
    WHERE place BETWEEN ?1 AND ?2 AND payload IS NOT NULL GROUP BY local_id ORDER BY local_id";
pub(crate) const TAKEN_BACK_BY_FACT: &str = "
    SELECT DISTINCT e.local_id FROM fact_submission_row AS r
    CROSS JOIN fact_event AS e ON e.agency = ?3 AND e.event_id = r.takes_back
    WHERE r.place BETWEEN ?1 AND ?2 AND r.payload IS NOT NULL AND e.local_id <> r.local_id
    ORDER BY e.local_id";
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

/// A record that events came for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKey {
    /// The record.
    pub record: RecordKey,
    /// Whether one of them takes back an earlier event.
    pub takes_back: bool,
}

/// An event of another record that takes back one of a record's events.
#[derive(Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// The record whose event is taken back.
    pub record: RecordKey,
    /// The agency's id of that event.
    pub event_id: String,
    /// The event that takes it back.
    pub by: StoredEvent,
}

impl Store {
    /// The records that the new events of a fact name, and those whose events they take back.
    ///
    /// Errors: `NotFound` when the fact is not a submission of events.
    pub fn event_keys_of(&self, seq: Seq) -> Result<Vec<EventKey>> {
        self.read(|db| {
            let stored = find_fact(db, seq)?;
            if stored.submission.kind != SubmissionKind::Events {
                return Err(Error::NotFound { what: "submission of events" });
            }
            let agency = &stored.submission.agency;
            let (first, last) = stored.places();
            let key = |row: &Row<'_>, takes_back| {
                let record = RecordKey::new(agency.clone(), parsed::<LocalId>(row, 0)?);
                Ok(EventKey { record, takes_back })
            };
            let mut query = db.prepare_cached(KEYS_OF_FACT)?;
            let mut keys = all(query.query_map((first, last), |row| key(row, row.get(1)?))?)?;
            let mut query = db.prepare_cached(TAKEN_BACK_BY_FACT)?;
            let taken_back = (first, last, agency.as_str());
            keys.extend(all(query.query_map(taken_back, |row| key(row, true))?)?);
            Ok(keys)
        })
    }

    /// The events of other records by which their agency takes back events of these, such as those
    /// that were reported of the wrong person, ordered by record and event; with `known_at` only
    /// those accepted up to that fact.
    pub fn taken_back_of(
        &self,
        records: &[RecordKey],
        known_at: Option<Seq>,
    ) -> Result<Vec<TakenBack>> {
        let known_at = known_at.unwrap_or(Seq(u64::MAX));
        let records: BTreeSet<&RecordKey> = records.iter().collect();
        self.read(|db| {
            let mut query = db.prepare_cached(TAKERS_BACK)?;
            let mut found = Vec::new();
            for record in records {
                let key = (record.agency.as_str(), record.local_id.as_str(), known_at);
                let mut rows = query.query(key)?;
                while let Some(row) = rows.next()? {
                    let by = RecordKey::new(record.agency.clone(), parsed(row, 4)?);
                    let (by, event_id) = (stored(row, by)?, row.get(5)?);
                    found.push(TakenBack { record: record.clone(), event_id, by });
                }
            }
            let place =
                |it: &TakenBack| (it.record.clone(), it.event_id.clone(), it.by.event_id.clone());
            found.sort_by_cached_key(place);
            Ok(found)
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

//! Erasing the rows of records: encodings, events, and whatever else was sent of them.

use std::collections::{BTreeMap, btree_map::Entry};

use jiff::Timestamp;
use record::{AgencyId, LocalId, RecordKey};
use rusqlite::Connection;

use super::erasing;
use crate::{
    Action, Actor, Error, NewAuditEntry, Result, Seq,
    audit::{self, Sealed},
    columns::{all, int},
    content::{ROW, Sum, of_row},
    limits::SUBMISSION_ROWS_MAX,
    submissions::DROP_ROWS,
    writer::Writing,
};

pub(super) const KNOWN: &str = "
    SELECT local_id FROM fact_record_version WHERE agency = ?1
    UNION SELECT local_id FROM fact_event WHERE agency = ?1";
pub(crate) const IS_KNOWN: &str = "
    SELECT 1 FROM fact_record_version WHERE agency = ?1 AND local_id = ?2
    UNION ALL SELECT 1 FROM fact_event WHERE agency = ?1 AND local_id = ?2";
/// Where rows of a record lie: accepted versions and events, and rows that only name it.
pub(crate) const PLACES: &str = "
    SELECT place FROM fact_record_version WHERE agency = ?1 AND local_id = ?2
    UNION SELECT place FROM fact_event WHERE agency = ?1 AND local_id = ?2
    UNION SELECT r.place FROM fact_submission_row AS r INDEXED BY fact_submission_row_that_names
        CROSS JOIN fact_submission AS s ON s.number = r.place >> 32
    WHERE r.local_id = ?2 AND r.payload IS NULL AND s.agency = ?1 AND s.state = 'accepted'
    ORDER BY 1";
const PLACES_OF_AGENCY: &str = "
    SELECT r.place FROM fact_submission AS s
    CROSS JOIN fact_submission_row AS r
        ON r.place BETWEEN s.number << 32 AND (s.number << 32) + 4294967295
    WHERE s.agency = ?1 AND s.state = 'accepted' AND r.local_id IS NOT NULL ORDER BY r.place";
const OPEN_SUBMISSIONS: &str =
    "SELECT number FROM fact_submission WHERE agency = ?1 AND state = 'open'";
const ERASE: &str = "
    UPDATE fact_submission_row
    SET local_id = ?2, version = NULL, event_id = NULL, takes_back = NULL, received_on = NULL,
        digest = zeroblob(32), refused_field = NULL, remedy = NULL, payload = NULL
    WHERE place = ?1";
const FREE_REQUESTS: &str = "
    UPDATE fact_submission SET request_id = 'erased ' || id
    WHERE agency = ?1 AND state = 'accepted' AND request_id NOT GLOB 'erased *'";
const FACT_OF: &str = "SELECT seq FROM fact_submission WHERE number = ?1 AND state = 'accepted'";
pub(crate) const LAST_SEAL: &str = "
    SELECT content FROM fact_audit INDEXED BY fact_audit_of_fact
    WHERE seq = ?1 ORDER BY number DESC LIMIT 1";

/// The records of an agency that are to be erased, and where their rows lie.
pub(super) struct Target {
    agency: AgencyId,
    /// Whether it is all that the agency has sent.
    is_all: bool,
    pub(super) local_ids: Vec<String>,
    /// With the place of each row, ascending, the local id that stands in it.
    places: Vec<(i64, String)>,
}

/// What was erased.
pub(super) struct Erased {
    pub(super) events: u64,
}

impl Target {
    /// All that an agency has sent; its open submissions are given up.
    pub(super) fn all(writing: &mut Writing<'_>, agency: &AgencyId) -> Result<Self> {
        let db = writing.db;
        let open: Vec<i64> =
            all(db.prepare(OPEN_SUBMISSIONS)?.query_map([agency.as_str()], |row| row.get(0))?)?;
        for number in open {
            let update = "UPDATE fact_submission SET state = 'abandoned' WHERE number = ?1";
            db.execute(update, [number])?;
            let first = number * int(SUBMISSION_ROWS_MAX);
            db.execute(DROP_ROWS, (first, first + int(SUBMISSION_ROWS_MAX) - 1))?;
            writing.staged.forget(number);
        }
        let mut query = db.prepare(KNOWN)?;
        let local_ids = all(query.query_map([agency.as_str()], |row| row.get(0))?)?;
        let mut query = db.prepare(PLACES_OF_AGENCY)?;
        let places: Vec<i64> = all(query.query_map([agency.as_str()], |row| row.get(0))?)?;
        let mut name = db.prepare("SELECT local_id FROM fact_submission_row WHERE place = ?1")?;
        let named = |place| Ok((place, name.query_row([place], |row| row.get(0))?));
        let places = places.into_iter().map(named).collect::<Result<_>>()?;
        Ok(Self { agency: agency.clone(), is_all: true, local_ids, places })
    }

    /// Some of an agency's records; those of which it never sent anything are left out.
    pub(super) fn some(db: &Connection, agency: &AgencyId, ids: &[LocalId]) -> Result<Self> {
        let (local_ids, places) = (Vec::new(), Vec::new());
        let mut target = Self { agency: agency.clone(), is_all: false, local_ids, places };
        let mut is_known = db.prepare_cached(IS_KNOWN)?;
        let mut find = db.prepare_cached(PLACES)?;
        let mut ids: Vec<&str> = ids.iter().map(LocalId::as_str).collect();
        ids.sort_unstable();
        ids.dedup();
        for local_id in ids {
            let key = (agency.as_str(), local_id);
            if !is_known.exists(key)? {
                continue;
            }
            target.local_ids.push(local_id.to_owned());
            let found = all(find.query_map(key, |row| row.get::<_, i64>(0))?)?;
            target.places.extend(found.into_iter().map(|place| (place, local_id.to_owned())));
        }
        target.places.sort_unstable();
        Ok(target)
    }

    /// How many events its records have.
    pub(super) fn events(&self, db: &Connection) -> Result<u64> {
        let mut query = db.prepare_cached(
            "SELECT count(*) FROM fact_event WHERE agency = ?1 AND local_id = ?2",
        )?;
        let mut events = 0;
        for local_id in &self.local_ids {
            let key = (self.agency.as_str(), local_id);
            events += query.query_row(key, |row| crate::columns::count(row, 0))?;
        }
        Ok(events)
    }

    /// The records.
    pub(super) fn keys(&self) -> Result<Vec<RecordKey>> {
        let key = |local_id: &String| {
            let damaged = |_| Error::Corrupt("a stored local id is none".to_owned());
            Ok(RecordKey::new(self.agency.clone(), local_id.parse().map_err(damaged)?))
        };
        self.local_ids.iter().map(key).collect()
    }
}

/// Erases the rows of a target and what was accepted of them, and seals anew what is left of the
/// submissions that brought them.
pub(super) fn erase(
    writing: &mut Writing<'_>,
    target: &Target,
    author: &Actor,
    at: Timestamp,
) -> Result<Erased> {
    let db = writing.db;
    let (sums, events) = erasing(db, || {
        if target.is_all {
            // Sent again, the same file is a new submission and not one that was accepted before.
            db.execute(FREE_REQUESTS, [target.agency.as_str()])?;
        }
        Ok((erase_rows(writing, target)?, forget_accepted(db, target)?))
    })?;
    for (seq, sum) in sums {
        let entry = NewAuditEntry::new(at, author.clone(), Action::FactResealed);
        let sealed = Sealed { seq, content: sum.to_bytes() };
        audit::append(db, writing.handles, &entry, Some(&sealed))?;
    }
    Ok(Erased { events })
}

/// Takes versions and events out of what was accepted; returns the number of events.
fn forget_accepted(db: &Connection, target: &Target) -> Result<u64> {
    let mut versions =
        db.prepare_cached("DELETE FROM fact_record_version WHERE agency = ?1 AND local_id = ?2")?;
    let mut events =
        db.prepare_cached("DELETE FROM fact_event WHERE agency = ?1 AND local_id = ?2")?;
    let mut n_events = 0;
    for local_id in &target.local_ids {
        let key = (target.agency.as_str(), local_id);
        versions.execute(key)?;
        n_events += events.execute(key)? as u64;
    }
    Ok(n_events)
}

/// Erases rows; returns the new sum of each submission that lost some.
fn erase_rows(writing: &Writing<'_>, target: &Target) -> Result<BTreeMap<Seq, Sum>> {
    let (db, handles, agency) = (writing.db, writing.handles, target.agency.as_str());
    let mut sums: BTreeMap<i64, (Seq, Sum)> = BTreeMap::new();
    let mut erase = db.prepare_cached(ERASE)?;
    let mut read = db.prepare_cached(ROW)?;
    for (place, local_id) in &target.places {
        let number = place.div_euclid(int(SUBMISSION_ROWS_MAX));
        if let Entry::Vacant(entry) = sums.entry(number) {
            entry.insert(seal_of(db, number)?);
        }
        let Some((_, sum)) = sums.get_mut(&number) else { continue };
        let hash = |row: &rusqlite::Row<'_>| Ok(of_row(handles, agency, row));
        sum.subtract(&read.query_row([place], hash)??);
        let tombstone = handles.of_names(agency, local_id).tombstone();
        erase.execute((place, tombstone.as_str()))?;
        sum.add(&read.query_row([place], hash)??);
    }
    Ok(sums.into_values().collect())
}

/// The fact that a submission is, and its last seal.
fn seal_of(db: &Connection, number: i64) -> Result<(Seq, Sum)> {
    let mut fact = db.prepare_cached(FACT_OF)?;
    let seq = fact.query_row([number], |row| crate::columns::seq(row, 0))?;
    let mut query = db.prepare_cached(LAST_SEAL)?;
    let seal: [u8; 32] = query.query_row([seq], |row| row.get(0))?;
    Ok((seq, Sum::from_bytes(&seal)))
}

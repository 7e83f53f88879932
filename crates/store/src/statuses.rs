//! Current statuses of records by pathway.

use std::ops::ControlFlow;

use record::{AgencyId, LocalId, RecordKey};
use rusqlite::{Connection, Row};

use crate::{
    FeedPlace, Result, StatusReplacement, Store,
    columns::{all, count, key, page},
    feed::last_place,
    records::exists,
};

pub(crate) const PAGE: &str = "
    SELECT agency, local_id, pathway, label, awaits, payload FROM derived_status
    WHERE agency = ?1 AND (local_id, pathway) > (?2, ?3) AND (?4 IS NULL OR pathway = ?4)
    ORDER BY local_id, pathway LIMIT ?5";
pub(crate) const PAGE_OF_LABEL: &str = "
    SELECT agency, local_id, pathway, label, awaits, payload FROM derived_status
    WHERE agency = ?1 AND label = ?6 AND (local_id, pathway) > (?2, ?3)
        AND (?4 IS NULL OR pathway = ?4)
    ORDER BY local_id, pathway LIMIT ?5";
pub(crate) const OF_RECORD: &str = "
    SELECT agency, local_id, pathway, label, awaits, payload FROM derived_status
    WHERE agency = ?1 AND local_id = ?2 ORDER BY pathway";
pub(crate) const DROP: &str = "DELETE FROM derived_status WHERE agency = ?1 AND local_id = ?2";
const AWAITING: &str = "
    SELECT DISTINCT agency, local_id FROM derived_status WHERE awaits = 1
    ORDER BY agency, local_id";
const LABEL_COUNTS: &str = "
    SELECT s.pathway, s.label, count(DISTINCT m.participant)
    FROM derived_status AS s JOIN derived_membership AS m
        ON m.agency = s.agency AND m.local_id = s.local_id
    GROUP BY s.pathway, s.label ORDER BY s.pathway, s.label";

/// The status of a record in a pathway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRow {
    /// The record.
    pub record: RecordKey,
    /// The pathway.
    pub pathway: String,
    /// The one word for it, by which it is filtered and counted.
    pub label: String,
    /// Whether the report of a source may change it.
    pub awaits: bool,
    /// The status, opaque here.
    pub payload: Vec<u8>,
}

/// Which statuses to list; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusFilter {
    /// The pathway.
    pub pathway: Option<String>,
    /// The label.
    pub label: Option<String>,
}

/// The place of a status in an agency's list: the next page starts after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusPlace {
    /// The record.
    pub local_id: LocalId,
    /// The pathway.
    pub pathway: String,
}

/// How many participants have a label in a pathway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelCount {
    /// The pathway.
    pub pathway: String,
    /// The label.
    pub label: String,
    /// Participants: one whose records are served different labels counts under each of them.
    pub participants: u64,
}

impl Store {
    /// The statuses of an agency's records, ordered by local id and pathway, `limit` at most.
    pub fn statuses(
        &self,
        agency: &AgencyId,
        filter: &StatusFilter,
        after: Option<&StatusPlace>,
        limit: usize,
    ) -> Result<Vec<StatusRow>> {
        let mut statuses = Vec::new();
        self.read(|db| {
            select(db, agency, filter, after, limit, |row| {
                statuses.push(row);
                ControlFlow::Continue(())
            })
        })?;
        Ok(statuses)
    }

    /// Hands all of an agency's statuses to `take`, ordered by local id and pathway, until it
    /// breaks off; returns the place of the last change of the agency's feed. All of it is read from
    /// one snapshot, so that the changes after that place lead on from it.
    pub fn export_statuses(
        &self,
        agency: &AgencyId,
        filter: &StatusFilter,
        take: impl FnMut(StatusRow) -> ControlFlow<()>,
    ) -> Result<FeedPlace> {
        self.read_apart(|db| {
            let place = last_place(db, agency)?;
            select(db, agency, filter, None, usize::MAX, take)?;
            Ok(place)
        })
    }

    /// The statuses of one record, ordered by pathway.
    pub fn status(&self, record: &RecordKey) -> Result<Vec<StatusRow>> {
        self.read(|db| of_record(db, record))
    }

    /// The statuses of several records, each ordered by pathway, from one snapshot; `None` for a
    /// record that is not there, or not any more.
    pub fn statuses_of(&self, records: &[RecordKey]) -> Result<Vec<Option<Vec<StatusRow>>>> {
        self.read(|db| {
            let of = |record| match exists(db, record)? {
                true => of_record(db, record).map(Some),
                false => Ok(None),
            };
            records.iter().map(of).collect()
        })
    }

    /// The records with a status that the report of a source may change, ordered.
    pub fn records_awaiting(&self) -> Result<Vec<RecordKey>> {
        self.read(|db| all(db.prepare_cached(AWAITING)?.query_map([], |row| key(row, 0))?))
    }

    /// Participants by pathway and label. Reads all statuses.
    pub fn label_counts(&self) -> Result<Vec<LabelCount>> {
        self.read(|db| {
            all(db.prepare_cached(LABEL_COUNTS)?.query_map([], |row| {
                let (pathway, label) = (row.get(0)?, row.get(1)?);
                Ok(LabelCount { pathway, label, participants: count(row, 2)? })
            })?)
        })
    }
}

fn of_record(db: &Connection, record: &RecordKey) -> Result<Vec<StatusRow>> {
    let key = (record.agency.as_str(), record.local_id.as_str());
    all(db.prepare_cached(OF_RECORD)?.query_map(key, status)?)
}

/// Hands the statuses of an agency to `take` in order, `limit` at most, until it breaks off.
fn select(
    db: &Connection,
    agency: &AgencyId,
    filter: &StatusFilter,
    after: Option<&StatusPlace>,
    limit: usize,
    mut take: impl FnMut(StatusRow) -> ControlFlow<()>,
) -> Result<()> {
    let agency = agency.as_str();
    let (local_id, pathway) =
        after.map_or(("", ""), |place| (place.local_id.as_str(), place.pathway.as_str()));
    let (wanted, limit) = (&filter.pathway, page(limit));
    let mut query = db.prepare_cached(filter.label.as_ref().map_or(PAGE, |_| PAGE_OF_LABEL))?;
    let mut rows = match &filter.label {
        None => query.query((agency, local_id, pathway, wanted, limit))?,
        Some(label) => query.query((agency, local_id, pathway, wanted, limit, label))?,
    };
    while let Some(row) = rows.next()? {
        if take(status(row)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Removes the statuses of the touched records and writes the new ones.
pub(crate) fn replace(db: &Connection, replacement: &StatusReplacement) -> Result<()> {
    let mut drop = db.prepare_cached(DROP)?;
    // In the order in which they lie, which makes a large replacement several times faster.
    let mut touched: Vec<&RecordKey> = replacement.touched.iter().collect();
    touched.sort_unstable();
    let mut rows: Vec<&StatusRow> = replacement.rows.iter().collect();
    rows.sort_unstable_by(|a, b| (&a.record, &a.pathway).cmp(&(&b.record, &b.pathway)));
    for record in touched {
        drop.execute((record.agency.as_str(), record.local_id.as_str()))?;
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO derived_status (agency, local_id, pathway, label, awaits, payload)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET label = excluded.label, awaits = excluded.awaits,
                                   payload = excluded.payload",
    )?;
    for StatusRow { record, pathway, label, awaits, payload } in rows {
        let (agency, local_id) = (record.agency.as_str(), record.local_id.as_str());
        insert.execute((agency, local_id, pathway, label, awaits, payload))?;
    }
    Ok(())
}

fn status(row: &Row<'_>) -> rusqlite::Result<StatusRow> {
    let (pathway, label) = (row.get(2)?, row.get(3)?);
    let (awaits, payload) = (row.get(4)?, row.get(5)?);
    Ok(StatusRow { record: key(row, 0)?, pathway, label, awaits, payload })
}

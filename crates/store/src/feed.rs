//! Each agency's feed of changed statuses: a numbered list without gaps.

use std::collections::BTreeMap;

use jiff::Timestamp;
use record::{AgencyId, LocalId, RecordKey};
use rusqlite::{Connection, OptionalExtension, Row};
use sha2::{Digest, Sha256};

use crate::{
    Result, Store,
    columns::{all, count, int, key, page, parsed, time},
    names::named,
};

pub(crate) const CHANGES: &str = "
    SELECT c.cursor, c.digest, c.local_id, c.pathway, c.cause, c.payload, s.at
    FROM fact_change AS c JOIN fact_settlement AS s ON s.number = c.settlement
    WHERE c.agency = ?1 AND c.cursor > ?2 AND c.payload <> x'' ORDER BY c.cursor LIMIT ?3";
pub(crate) const CHANGES_OF_RECORD: &str = "
    SELECT c.cursor, c.digest, c.local_id, c.pathway, c.cause, c.payload, s.at
    FROM fact_change AS c INDEXED BY fact_change_of_status
    JOIN fact_settlement AS s ON s.number = c.settlement
    WHERE c.agency = ?1 AND c.local_id = ?2 ORDER BY c.cursor DESC LIMIT ?3";
pub(crate) const TOLD: &str = "
    SELECT payload FROM fact_change WHERE agency = ?1 AND cursor IN (
        SELECT max(cursor) FROM fact_change WHERE agency = ?1 AND local_id = ?2
        GROUP BY pathway)";
pub(crate) const EPOCH: &str = "
    SELECT epoch FROM fact_feed_epoch WHERE number = (SELECT max(number) FROM fact_feed_epoch)";
pub(crate) const LAST_PLACE: &str = "
    SELECT cursor, digest FROM fact_change WHERE agency = ?1 ORDER BY cursor DESC LIMIT 1";
pub(crate) const PLACE: &str =
    "SELECT cursor, digest FROM fact_change WHERE agency = ?1 AND cursor = ?2";
const INSERT: &str = "
    INSERT INTO fact_change
        (agency, cursor, settlement, local_id, pathway, cause, payload, digest)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

named! {
    /// Why a status changed, in full.
    "cause of change" ChangeCause {
        /// An event came.
        Event = "event",
        /// An event was corrected, voided or revoked.
        Correction = "correction",
        /// A record came or changed: it joined others, left them, or is new.
        Link = "link",
        /// A record was withdrawn.
        Withdrawal = "withdrawal",
        /// A steward decided, or took a decision back.
        Decision = "decision",
        /// Another linkage model took effect.
        Model = "model",
        /// A source said how far it has reported.
        Report = "report",
        /// Other rules took effect.
        Rules = "rules",
        /// A day passed.
        Calendar = "calendar",
    }
}

/// A place in an agency's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedPlace {
    /// The number of a change, from 1 without gaps; 0: before the first.
    pub number: u64,
    /// Over all changes up to it; 32 zero bytes before the first.
    pub digest: [u8; 32],
}

/// A changed status.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// Its place in the agency's feed.
    pub place: FeedPlace,
    /// The agency's handle of the record.
    pub local_id: LocalId,
    /// The pathway.
    pub pathway: String,
    /// Why, in full.
    pub cause: ChangeCause,
    /// The status, opaque here.
    pub payload: Vec<u8>,
    /// When it was settled.
    pub at: Timestamp,
}

/// An entry for an agency's feed.
#[derive(Clone, PartialEq, Eq)]
pub struct NewChange {
    /// Whose record it is, in whose feed it is told.
    pub record: RecordKey,
    /// The pathway.
    pub pathway: String,
    /// Why, in full.
    pub cause: ChangeCause,
    /// The status, opaque here.
    pub payload: Vec<u8>,
}

/// A record whose statuses changed although its feed does not say so yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The record.
    pub record: RecordKey,
    /// Why they changed first.
    pub cause: ChangeCause,
    /// Whether its own agency's data had a part in it.
    pub is_own: bool,
}

impl Store {
    /// The changes of an agency's feed after a number (0: from the start), `limit` at most, without
    /// those of erased records.
    pub fn changes(&self, agency: &AgencyId, after: u64, limit: usize) -> Result<Vec<Change>> {
        self.read(|db| {
            let mut query = db.prepare_cached(CHANGES)?;
            all(query.query_map((agency.as_str(), int(after), page(limit)), change)?)
        })
    }

    /// The last changes that were told of a record, oldest first, `limit` at most.
    pub fn changes_of_record(&self, record: &RecordKey, limit: usize) -> Result<Vec<Change>> {
        let key = (record.agency.as_str(), record.local_id.as_str(), page(limit));
        self.read(|db| {
            let mut changes = all(db.prepare_cached(CHANGES_OF_RECORD)?.query_map(key, change)?)?;
            changes.reverse();
            Ok(changes)
        })
    }

    /// The last change told of each status of a record, opaque here.
    pub fn told(&self, record: &RecordKey) -> Result<Vec<Vec<u8>>> {
        let key = (record.agency.as_str(), record.local_id.as_str());
        self.read(|db| all(db.prepare_cached(TOLD)?.query_map(key, |row| row.get(0))?))
    }

    /// The id of this life of the feeds: random, made with the database.
    pub fn feed_epoch(&self) -> Result<String> {
        self.read(|db| Ok(db.prepare_cached(EPOCH)?.query_row([], |row| row.get(0))?))
    }

    /// The place of the change with this number in an agency's feed; `None` when it has none.
    pub fn feed_place(&self, agency: &AgencyId, number: u64) -> Result<Option<FeedPlace>> {
        if number == 0 {
            return Ok(Some(FeedPlace::default()));
        }
        self.read(|db| {
            let mut query = db.prepare_cached(PLACE)?;
            Ok(query.query_row((agency.as_str(), int(number)), place).optional()?)
        })
    }

    /// The records whose changes are not told yet, ordered.
    pub fn held(&self) -> Result<Vec<Held>> {
        self.read(|db| {
            let query = "SELECT agency, local_id, cause, is_own FROM derived_held
                         ORDER BY agency, local_id";
            let mut query = db.prepare_cached(query)?;
            all(query.query_map([], |row| {
                Ok(Held { record: key(row, 0)?, cause: row.get(2)?, is_own: row.get(3)? })
            })?)
        })
    }
}

/// The place of the last change of an agency's feed.
pub(crate) fn last_place(db: &Connection, agency: &AgencyId) -> Result<FeedPlace> {
    let mut query = db.prepare_cached(LAST_PLACE)?;
    Ok(query.query_row([agency.as_str()], place).optional()?.unwrap_or_default())
}

/// Adds to the feeds, each from its last change on.
pub(crate) fn add_changes(db: &Connection, settlement: i64, changes: &[NewChange]) -> Result<()> {
    let mut insert = db.prepare_cached(INSERT)?;
    let mut places: BTreeMap<&AgencyId, FeedPlace> = BTreeMap::new();
    for NewChange { record, pathway, cause, payload } in changes {
        let last = match places.get(&record.agency) {
            Some(last) => *last,
            None => last_place(db, &record.agency)?,
        };
        let digest = Sha256::new().chain_update(last.digest).chain_update(payload).finalize();
        let next = FeedPlace { number: last.number + 1, digest: digest.into() };
        places.insert(&record.agency, next);
        insert.execute((
            record.agency.as_str(),
            int(next.number),
            settlement,
            record.local_id.as_str(),
            pathway,
            cause,
            payload,
            next.digest,
        ))?;
    }
    Ok(())
}

/// Holds back the changes of some records, and no longer those of others.
pub(crate) fn hold(db: &Connection, held: &[Held], told: &[RecordKey]) -> Result<()> {
    let mut release =
        db.prepare_cached("DELETE FROM derived_held WHERE agency = ?1 AND local_id = ?2")?;
    for record in told {
        release.execute((record.agency.as_str(), record.local_id.as_str()))?;
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO derived_held (agency, local_id, cause, is_own) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET is_own = max(is_own, excluded.is_own)",
    )?;
    for Held { record, cause, is_own } in held {
        insert.execute((record.agency.as_str(), record.local_id.as_str(), cause, is_own))?;
    }
    Ok(())
}

fn place(row: &Row<'_>) -> rusqlite::Result<FeedPlace> {
    Ok(FeedPlace { number: count(row, 0)?, digest: row.get(1)? })
}

fn change(row: &Row<'_>) -> rusqlite::Result<Change> {
    Ok(Change {
        place: place(row)?,
        local_id: parsed(row, 2)?,
        pathway: row.get(3)?,
        cause: row.get(4)?,
        payload: row.get(5)?,
        at: time(row, 6)?,
    })
}

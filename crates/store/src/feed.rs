//! Each agency's feed of changed statuses: a numbered list without gaps.

use jiff::Timestamp;
use record::{AgencyId, LocalId};
use rusqlite::Connection;

use crate::{
    Result, Store,
    columns::{all, count, int, page, parsed, time},
};

pub(crate) const CHANGES: &str = "
    SELECT c.cursor, c.local_id, c.pathway, c.payload, s.at
    FROM fact_change AS c JOIN fact_settlement AS s ON s.number = c.settlement
    WHERE c.agency = ?1 AND c.cursor > ?2 ORDER BY c.cursor LIMIT ?3";
pub(crate) const EPOCH: &str = "
    SELECT epoch FROM fact_feed_epoch WHERE number = (SELECT max(number) FROM fact_feed_epoch)";
pub(crate) const LAST_CURSOR: &str =
    "SELECT coalesce(max(cursor), 0) FROM fact_change WHERE agency = ?1";

/// A changed status.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number in the agency's feed, from 1 without gaps.
    pub cursor: u64,
    /// The agency's handle of the record.
    pub local_id: LocalId,
    /// The pathway.
    pub pathway: String,
    /// The status, opaque here.
    pub payload: Vec<u8>,
    /// When it was settled.
    pub at: Timestamp,
}

impl Store {
    /// The changes of an agency's feed after a cursor (0: from the start), `limit` at most.
    pub fn changes(&self, agency: &AgencyId, after: u64, limit: usize) -> Result<Vec<Change>> {
        self.read(|db| {
            let mut query = db.prepare_cached(CHANGES)?;
            all(query.query_map((agency.as_str(), int(after), page(limit)), |row| {
                Ok(Change {
                    cursor: count(row, 0)?,
                    local_id: parsed(row, 1)?,
                    pathway: row.get(2)?,
                    payload: row.get(3)?,
                    at: time(row, 4)?,
                })
            })?)
        })
    }

    /// The id of this life of the feeds: random, made with the database.
    pub fn feed_epoch(&self) -> Result<String> {
        self.read(|db| Ok(db.prepare_cached(EPOCH)?.query_row([], |row| row.get(0))?))
    }

    /// The number of the last change of an agency's feed; 0 when there is none.
    pub fn last_cursor(&self, agency: &AgencyId) -> Result<u64> {
        self.read(|db| last_cursor(db, agency))
    }
}

/// The number of the last change of an agency's feed; 0 when there is none.
pub(crate) fn last_cursor(db: &Connection, agency: &AgencyId) -> Result<u64> {
    let mut query = db.prepare_cached(LAST_CURSOR)?;
    Ok(query.query_row([agency.as_str()], |row| count(row, 0))?)
}

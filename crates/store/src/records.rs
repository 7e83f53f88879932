//! Accepted identity records, version by version, and their withdrawals.

use record::{AgencyId, LocalId, RecordKey, RecordVersion};
use rusqlite::{Connection, OptionalExtension};

use crate::{
    Error, Result, Seq, Store, SubmissionKind,
    columns::{all, count, key, parsed},
    submissions::find_fact,
};

const PRESENT_AT: &str = "
    SELECT v.agency, v.local_id, v.version, r.payload
    FROM fact_record_version AS v JOIN fact_submission_row AS r ON r.place = v.place
    WHERE v.seq <= ?1 AND v.seq > coalesce(
        (SELECT max(w.seq) FROM fact_withdrawal AS w
         WHERE w.agency = v.agency AND w.local_id = v.local_id AND w.seq <= ?1), 0)
    ORDER BY v.agency, v.local_id, v.version";
/// The rows of one submission lead, not the whole agency: a fact may be a single record.
pub(crate) const VERSIONS_OF_FACT: &str = "
    SELECT v.local_id, v.version, v.place
    FROM fact_submission_row AS r CROSS JOIN fact_record_version AS v
        ON v.agency = ?1 AND v.local_id = r.local_id AND v.version = r.version AND v.seq = ?2
    WHERE r.place BETWEEN ?3 AND ?4 AND r.refused IS NULL";
pub(crate) const PAYLOAD: &str = "SELECT payload FROM fact_submission_row WHERE place = ?1";
pub(crate) const WITHDRAWALS_OF: &str =
    "SELECT agency, local_id FROM fact_withdrawal WHERE seq = ?1 ORDER BY agency, local_id";
pub(crate) const VERSIONS: &str = "
    SELECT version FROM present_version WHERE agency = ?1 AND local_id = ?2 ORDER BY version";
pub(crate) const VERSION: &str = "
    SELECT r.payload FROM present_version AS v JOIN fact_submission_row AS r ON r.place = v.place
    WHERE v.agency = ?1 AND v.local_id = ?2 AND v.version = ?3";
const COUNT_PRESENT: &str =
    "SELECT count(*) FROM (SELECT DISTINCT local_id FROM present_version WHERE agency = ?1)";

/// Which records to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// Every version of every record that is present after this fact.
    PresentAt(Seq),
    /// The versions that this one fact made present.
    Of(Seq),
}

impl Store {
    /// Hands the versions of records and their payloads to `take`, ordered by key and version.
    ///
    /// Errors: `NotFound` when [`Records::Of`] names a fact that is not a submission.
    pub fn for_each_record(
        &self,
        records: Records,
        take: impl FnMut(RecordKey, RecordVersion, &[u8]),
    ) -> Result<()> {
        self.read(|db| match records {
            Records::PresentAt(seq) => for_each_present(db, seq, take),
            Records::Of(seq) => for_each_of(db, seq, take),
        })
    }

    /// The records that a fact withdrew, ordered.
    pub fn withdrawals_of(&self, seq: Seq) -> Result<Vec<RecordKey>> {
        self.read(|db| {
            all(db.prepare_cached(WITHDRAWALS_OF)?.query_map([seq], |row| key(row, 0))?)
        })
    }

    /// The present versions of a record, ascending: empty for an unknown or withdrawn record.
    pub fn record_versions(&self, key: &RecordKey) -> Result<Vec<RecordVersion>> {
        self.read(|db| {
            let mut query = db.prepare_cached(VERSIONS)?;
            let version = |row: &rusqlite::Row<'_>| row.get(0).map(RecordVersion);
            all(query.query_map((key.agency.as_str(), key.local_id.as_str()), version)?)
        })
    }

    /// The payload of a present version of a record.
    pub fn record_version(
        &self,
        key: &RecordKey,
        version: RecordVersion,
    ) -> Result<Option<Vec<u8>>> {
        self.read(|db| {
            let mut query = db.prepare_cached(VERSION)?;
            let version = (key.agency.as_str(), key.local_id.as_str(), version.0);
            Ok(query.query_row(version, |row| row.get(0)).optional()?)
        })
    }

    /// Whether a record is present: accepted and not withdrawn since.
    pub fn record_exists(&self, key: &RecordKey) -> Result<bool> {
        self.read(|db| exists(db, key))
    }

    /// How many records of an agency are present. Reads all of the agency's keys.
    pub fn current_records(&self, agency: &AgencyId) -> Result<u64> {
        self.read(|db| {
            let mut query = db.prepare_cached(COUNT_PRESENT)?;
            Ok(query.query_row([agency.as_str()], |row| count(row, 0))?)
        })
    }
}

/// Whether a record is present.
pub(crate) fn exists(db: &Connection, key: &RecordKey) -> Result<bool> {
    let mut query = db.prepare_cached(VERSIONS)?;
    Ok(query.exists((key.agency.as_str(), key.local_id.as_str()))?)
}

fn for_each_present(
    db: &Connection,
    seq: Seq,
    mut take: impl FnMut(RecordKey, RecordVersion, &[u8]),
) -> Result<()> {
    let mut query = db.prepare_cached(PRESENT_AT)?;
    let mut rows = query.query([seq])?;
    while let Some(row) = rows.next()? {
        take(key(row, 0)?, RecordVersion(row.get(2)?), blob(row, 3)?);
    }
    Ok(())
}

/// Sorts the keys alone: the payloads of a large submission would not fit into memory.
fn for_each_of(
    db: &Connection,
    seq: Seq,
    mut take: impl FnMut(RecordKey, RecordVersion, &[u8]),
) -> Result<()> {
    let stored = find_fact(db, seq)?;
    if stored.submission.kind != SubmissionKind::Records {
        return Err(Error::NotFound { what: "submission of records" });
    }
    let agency = &stored.submission.agency;
    let (first, last) = stored.places();
    let mut query = db.prepare_cached(VERSIONS_OF_FACT)?;
    let mut versions: Vec<(LocalId, i64, i64)> = all(query
        .query_map((agency.as_str(), seq, first, last), |row| {
            Ok((parsed(row, 0)?, row.get(1)?, row.get(2)?))
        })?)?;
    versions.sort_unstable();
    let mut payload = db.prepare_cached(PAYLOAD)?;
    for (local_id, version, place) in versions {
        let mut rows = payload.query([place])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let key = RecordKey::new(agency.clone(), local_id);
        take(key, RecordVersion(version), blob(row, 0)?);
    }
    Ok(())
}

/// The payload of an accepted row, which always has one.
fn blob<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<&'a [u8]> {
    let payload = row.get_ref(column)?.as_blob();
    payload.map_err(|_| Error::Corrupt("an accepted row has no payload".to_owned()))
}

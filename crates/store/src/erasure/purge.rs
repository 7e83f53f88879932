//! Purging: erasing for good what was withdrawn and would otherwise be kept.

use jiff::Timestamp;
use record::{AgencyId, LocalId, RecordKey};

use super::{
    erasing, names,
    rows::{self, Erased, Target},
};
use crate::{
    Action, Actor, NewAuditEntry, Result, Store, audit,
    columns::{all, key},
    limits,
    memberships::applied_seq,
};

/// Records that are withdrawn since before a moment, and of which something is left.
const WITHDRAWN: &str = "
    SELECT DISTINCT w.agency, w.local_id FROM fact_withdrawal AS w
    JOIN fact_log AS l ON l.seq = w.seq
    WHERE w.local_id NOT GLOB '~*' AND l.at < ?1 AND w.seq <= ?2 AND (?3 IS NULL OR w.agency = ?3)
        AND NOT EXISTS (
            SELECT 1 FROM present_version AS v
            WHERE v.agency = w.agency AND v.local_id = w.local_id)
        AND NOT EXISTS (
            SELECT 1 FROM fact_withdrawal AS n JOIN fact_log AS m ON m.seq = n.seq
            WHERE n.agency = w.agency AND n.local_id = w.local_id AND m.at >= ?1)
    ORDER BY w.agency, w.local_id";

/// What to purge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// Of this agency only.
    pub agency: Option<AgencyId>,
    /// Withdrawn before this moment.
    pub before: Timestamp,
    /// Whether nothing is erased, only counted.
    pub dry_run: bool,
    /// Who purges.
    pub author: Actor,
    /// Now.
    pub at: Timestamp,
}

/// What was purged of one agency, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purged {
    /// The agency.
    pub agency: AgencyId,
    /// Its records.
    pub records: Vec<RecordKey>,
    /// How many events they had.
    pub events: u64,
}

impl Store {
    /// Erases the records that are withdrawn since before a moment, with their events and their names;
    /// their withdrawals must have been taken in.
    pub fn purge(&self, purge: &Purge) -> Result<Vec<Purged>> {
        let purge = purge.clone();
        self.write(limits::GROUP_ROWS_MAX, move |writing| {
            let db = writing.db;
            let of = purge.agency.as_ref().map(AgencyId::as_str);
            let range = (purge.before.as_microsecond(), applied_seq(db)?, of);
            let withdrawn = all(db.prepare(WITHDRAWN)?.query_map(range, |row| key(row, 0))?)?;
            let mut purged = Vec::new();
            for records in withdrawn.chunk_by(|a, b| a.agency == b.agency) {
                let agency = records[0].agency.clone();
                let ids: Vec<LocalId> = records.iter().map(|it| it.local_id.clone()).collect();
                let target = Target::some(db, &agency, &ids)?;
                let events = if purge.dry_run {
                    target.events(db)?
                } else {
                    let Erased { events } = rows::erase(writing, &target, &purge.author, purge.at)?;
                    let entry =
                        NewAuditEntry::new(purge.at, purge.author.clone(), Action::RecordsPurged)
                            .subject(agency.as_str())
                            .detail(
                                serde_json::json!({ "records": records.len(), "events": events }),
                            )
                            .records(records.to_vec());
                    audit::append(db, writing.handles, &entry, None)?;
                    names::list(db, writing.handles, records)?;
                    erasing(db, || names::put_tombstones(db))?;
                    events
                };
                purged.push(Purged { agency, records: records.to_vec(), events });
            }
            Ok(purged)
        })
    }
}

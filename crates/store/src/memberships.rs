//! Which record belongs to which participant: now, and as it was asserted at any time.

use jiff::Timestamp;
use record::{ParticipantId, RecordKey};
use rusqlite::{Connection, OptionalExtension};

use crate::{
    Result, Seq, Store,
    columns::{all, count, int, key, participant, seq, time},
    limits,
    names::named,
    settle::LAST_SETTLED,
};

pub(crate) const SETTLEMENT_AT: &str = "
    SELECT number FROM fact_settlement WHERE up_to_seq <= ?1
    ORDER BY up_to_seq DESC, number DESC LIMIT 1";
const CURRENT: &str =
    "SELECT agency, local_id, participant FROM derived_membership ORDER BY agency, local_id";
const ASSERTED: &str = "
    SELECT agency, local_id, participant FROM fact_membership WHERE settlement <= ?1
    ORDER BY agency, local_id, settlement";
pub(crate) const PARTICIPANT_OF: &str =
    "SELECT participant FROM derived_membership WHERE agency = ?1 AND local_id = ?2";
pub(crate) const PARTICIPANT_OF_AT: &str = "
    SELECT participant FROM fact_membership
    WHERE agency = ?1 AND local_id = ?2 AND settlement <= ?3 ORDER BY settlement DESC LIMIT 1";
pub(crate) const LAST_PARTICIPANT_OF: &str = "
    SELECT participant FROM fact_membership
    WHERE agency = ?1 AND local_id = ?2 AND participant IS NOT NULL
    ORDER BY settlement DESC LIMIT 1";
pub(crate) const PARTICIPANTS_EVER: &str = "
    SELECT DISTINCT participant FROM fact_membership
    WHERE agency = ?1 AND local_id = ?2 AND participant IS NOT NULL ORDER BY participant";
pub(crate) const MEMBERS_OF: &str = "
    SELECT agency, local_id FROM derived_membership WHERE participant = ?1
    ORDER BY agency, local_id";
pub(crate) const MEMBERS_OF_AT: &str = "
    SELECT m.agency, m.local_id FROM fact_membership AS m
    WHERE m.participant = ?1 AND m.settlement = (
        SELECT max(l.settlement) FROM fact_membership AS l
        WHERE l.agency = m.agency AND l.local_id = m.local_id AND l.settlement <= ?2)
    ORDER BY m.agency, m.local_id";
pub(crate) const HISTORY: &str = "
    SELECT s.up_to_seq, s.at, m.agency, m.local_id, m.participant, m.cause, s.model_version
    FROM (SELECT DISTINCT agency, local_id FROM fact_membership WHERE participant = ?1) AS ever
    CROSS JOIN fact_membership AS m ON m.agency = ever.agency AND m.local_id = ever.local_id
    CROSS JOIN fact_settlement AS s ON s.number = m.settlement
    ORDER BY m.settlement, m.agency, m.local_id";
pub(crate) const BEGAN: &str = "
    SELECT up_to_seq FROM fact_settlement
    WHERE number = (SELECT min(settlement) FROM fact_membership WHERE participant = ?1)";
pub(crate) const REDIRECT: &str =
    "SELECT to_participant FROM fact_redirect WHERE from_participant = ?1";
pub(crate) const ORIGIN: &str = "SELECT split_from FROM fact_origin WHERE participant = ?1";
pub(crate) const LAST_PARTICIPANT: &str =
    "SELECT coalesce(max(participant), 0) FROM fact_membership";

const RESTORE: &str = "
    INSERT INTO derived_membership (agency, local_id, participant)
    SELECT m.agency, m.local_id, m.participant FROM fact_membership AS m
    WHERE m.participant IS NOT NULL AND m.settlement = (
        SELECT max(l.settlement) FROM fact_membership AS l
        WHERE l.agency = m.agency AND l.local_id = m.local_id)
    ORDER BY m.agency, m.local_id";

named! {
    /// Why a record came to a participant, or left all of them.
    "cause of membership" MembershipCause {
        /// The record is new.
        New = "new",
        /// Two participants became one.
        Merge = "merge",
        /// One participant became several.
        Split = "split",
        /// A steward decided.
        Decision = "decision",
        /// The record was withdrawn.
        Withdrawal = "withdrawal",
        /// A model took effect.
        Model = "model",
        /// A rebuild from the facts came to another result.
        Reconcile = "reconcile",
    }
}

/// One entry of the membership log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipEntry {
    /// The facts up to this one were known.
    pub seq: Seq,
    /// When it was asserted.
    pub at: Timestamp,
    /// The record.
    pub record: RecordKey,
    /// Its participant; `None`: withdrawn.
    pub participant: Option<ParticipantId>,
    /// Why.
    pub cause: MembershipCause,
    /// The model under which it was asserted.
    pub model_version: String,
}

impl Store {
    /// The last fact on which results were asserted.
    pub fn settled_seq(&self) -> Result<Seq> {
        self.read(|db| Ok(db.prepare_cached(LAST_SETTLED)?.query_row([], |row| seq(row, 0))?))
    }

    /// Writes the current memberships anew from the log, after [`Store::drop_derived`] or where a
    /// crash or a repair lost them; what was asserted up to the last settlement is taken in then.
    pub fn restore_memberships(&self) -> Result<()> {
        self.write(limits::GROUP_ROWS_MAX, |writing| {
            writing.db.execute("DELETE FROM derived_membership", [])?;
            writing.db.execute(RESTORE, [])?;
            let applied = writing.db.query_row(LAST_SETTLED, [], |row| seq(row, 0))?;
            set_applied(writing.db, applied)
        })
    }

    /// The last fact that the derived state has taken in.
    pub fn applied_seq(&self) -> Result<Seq> {
        self.read(applied_seq)
    }

    /// Every record that belongs to a participant now, ordered by record.
    pub fn memberships(&self) -> Result<Vec<(RecordKey, ParticipantId)>> {
        self.read(|db| {
            let mut query = db.prepare_cached(CURRENT)?;
            all(query.query_map([], |row| Ok((key(row, 0)?, participant(row, 2)?)))?)
        })
    }

    /// The same from the membership log, which outlives [`Store::drop_derived`]: what was last
    /// asserted, or what was asserted when the facts up to `known_at` were known.
    pub fn asserted_memberships(
        &self,
        known_at: Option<Seq>,
    ) -> Result<Vec<(RecordKey, ParticipantId)>> {
        self.read(|db| {
            let mut query = db.prepare_cached(ASSERTED)?;
            let mut rows = query.query([settlement_at(db, known_at)?])?;
            let mut last: Vec<(RecordKey, Option<ParticipantId>)> = Vec::new();
            while let Some(row) = rows.next()? {
                let entry = (key(row, 0)?, optional_participant(row, 2)?);
                match last.last_mut() {
                    Some(earlier) if earlier.0 == entry.0 => *earlier = entry,
                    _ => last.push(entry),
                }
            }
            Ok(last.into_iter().filter_map(|(key, id)| id.map(|id| (key, id))).collect())
        })
    }

    /// The participant of a record: now, or as asserted when the facts up to `known_at` were known.
    pub fn participant_of(
        &self,
        record: &RecordKey,
        known_at: Option<Seq>,
    ) -> Result<Option<ParticipantId>> {
        let (agency, local_id) = (record.agency.as_str(), record.local_id.as_str());
        let read = |row: &rusqlite::Row<'_>| optional_participant(row, 0);
        self.read(|db| {
            let found = match known_at {
                None => db.prepare_cached(PARTICIPANT_OF)?.query_row((agency, local_id), read),
                Some(_) => {
                    let entry = (agency, local_id, settlement_at(db, known_at)?);
                    db.prepare_cached(PARTICIPANT_OF_AT)?.query_row(entry, read)
                }
            };
            Ok(found.optional()?.flatten())
        })
    }

    /// The participant of a record, or the last one it had before it was withdrawn.
    pub fn last_participant_of(&self, record: &RecordKey) -> Result<Option<ParticipantId>> {
        let key = (record.agency.as_str(), record.local_id.as_str());
        self.read(|db| {
            let mut query = db.prepare_cached(LAST_PARTICIPANT_OF)?;
            Ok(query.query_row(key, |row| participant(row, 0)).optional()?)
        })
    }

    /// The participants that a record ever belonged to, ordered.
    pub fn participants_ever(&self, record: &RecordKey) -> Result<Vec<ParticipantId>> {
        let key = (record.agency.as_str(), record.local_id.as_str());
        self.read(|db| {
            let mut query = db.prepare_cached(PARTICIPANTS_EVER)?;
            all(query.query_map(key, |row| participant(row, 0))?)
        })
    }

    /// The records of a participant, ordered: now, or as asserted at `known_at`.
    pub fn members_of(
        &self,
        participant: ParticipantId,
        known_at: Option<Seq>,
    ) -> Result<Vec<RecordKey>> {
        let id = int(participant.0);
        self.read(|db| match known_at {
            None => all(db.prepare_cached(MEMBERS_OF)?.query_map([id], |row| key(row, 0))?),
            Some(_) => {
                let at = settlement_at(db, known_at)?;
                all(db.prepare_cached(MEMBERS_OF_AT)?.query_map((id, at), |row| key(row, 0))?)
            }
        })
    }

    /// Every entry of the log about a record that was ever in this participant, oldest first.
    pub fn membership_history(&self, participant: ParticipantId) -> Result<Vec<MembershipEntry>> {
        self.read(|db| {
            let mut query = db.prepare_cached(HISTORY)?;
            all(query.query_map([int(participant.0)], |row| {
                Ok(MembershipEntry {
                    seq: seq(row, 0)?,
                    at: time(row, 1)?,
                    record: key(row, 2)?,
                    participant: optional_participant(row, 4)?,
                    cause: row.get(5)?,
                    model_version: row.get(6)?,
                })
            })?)
        })
    }

    /// The fact with which a participant began; `None`: there is no such participant.
    pub fn participant_began(&self, participant: ParticipantId) -> Result<Option<Seq>> {
        self.read(|db| {
            let mut query = db.prepare_cached(BEGAN)?;
            Ok(query.query_row([int(participant.0)], |row| seq(row, 0)).optional()?)
        })
    }

    /// The participant into which this one was merged in the end; itself when it was not.
    pub fn resolve(&self, participant: ParticipantId) -> Result<ParticipantId> {
        self.read(|db| {
            let mut last = participant;
            // Ends: a redirect leads to a participant that is not redirected when it is added.
            while let Some(next) = redirect(db, last)? {
                last = next;
            }
            Ok(last)
        })
    }

    /// The participant from which this one was split off.
    pub fn origin_of(&self, participant: ParticipantId) -> Result<Option<ParticipantId>> {
        self.read(|db| one_participant(db, ORIGIN, participant))
    }

    /// The lowest participant id that was never used.
    pub fn next_participant_id(&self) -> Result<ParticipantId> {
        self.read(|db| {
            let last = db.prepare_cached(LAST_PARTICIPANT)?.query_row([], |row| count(row, 0))?;
            Ok(ParticipantId(last + 1))
        })
    }

    /// How many participants have records now.
    pub fn participant_count(&self) -> Result<u64> {
        self.read(|db| {
            let query = "SELECT count(DISTINCT participant) FROM derived_membership";
            Ok(db.prepare_cached(query)?.query_row([], |row| count(row, 0))?)
        })
    }
}

/// Writes down the last fact that the derived state has taken in.
pub(crate) fn set_applied(db: &Connection, applied: Seq) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO derived_progress (one, applied_seq) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET applied_seq = excluded.applied_seq",
    )?
    .execute([applied])?;
    Ok(())
}

/// The last fact that the derived state has taken in.
pub(crate) fn applied_seq(db: &Connection) -> Result<Seq> {
    let mut query = db.prepare_cached("SELECT applied_seq FROM derived_progress")?;
    Ok(query.query_row([], |row| seq(row, 0)).optional()?.unwrap_or_default())
}

/// The participant into which this one was merged.
pub(crate) fn redirect(db: &Connection, from: ParticipantId) -> Result<Option<ParticipantId>> {
    one_participant(db, REDIRECT, from)
}

fn one_participant(
    db: &Connection,
    query: &str,
    of: ParticipantId,
) -> Result<Option<ParticipantId>> {
    let mut query = db.prepare_cached(query)?;
    Ok(query.query_row([int(of.0)], |row| participant(row, 0)).optional()?)
}

/// The number of the last settlement on facts up to `known_at`; 0 before the first.
fn settlement_at(db: &Connection, known_at: Option<Seq>) -> Result<i64> {
    let known_at = known_at.unwrap_or(Seq(u64::MAX));
    let mut query = db.prepare_cached(SETTLEMENT_AT)?;
    Ok(query.query_row([known_at], |row| row.get(0)).optional()?.unwrap_or_default())
}

pub(crate) fn optional_participant(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<ParticipantId>> {
    let is_present = row.get::<_, Option<i64>>(column)?.is_some();
    is_present.then(|| participant(row, column)).transpose()
}

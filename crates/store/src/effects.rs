//! What a decision, made or taken back, did: who was regrouped, which statuses changed.

use record::{ParticipantId, RecordKey};

use crate::{
    Result, Seq, Store,
    columns::{all, key},
    memberships::optional_participant,
};

pub(crate) const MOVES: &str = "
    SELECT m.agency, m.local_id, m.participant,
           (SELECT b.participant FROM fact_membership AS b
            WHERE b.agency = m.agency AND b.local_id = m.local_id AND b.settlement < m.settlement
            ORDER BY b.settlement DESC LIMIT 1)
    FROM fact_settlement AS s JOIN fact_membership AS m INDEXED BY fact_membership_by_decision
        ON m.settlement = s.number AND m.cause = 'decision'
    WHERE s.up_to_seq = ?1 ORDER BY m.agency, m.local_id";
pub(crate) const TOLD: &str = "
    SELECT c.agency, c.local_id, c.payload
    FROM fact_settlement AS s JOIN fact_change AS c INDEXED BY fact_change_by_decision
        ON c.settlement = s.number AND c.cause = 'decision'
    WHERE s.up_to_seq = ?1 ORDER BY c.agency, c.local_id, c.pathway";

/// A record that a decision gave to another participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The record.
    pub record: RecordKey,
    /// Its participant before.
    pub from: Option<ParticipantId>,
    /// Its participant since.
    pub to: Option<ParticipantId>,
}

impl Store {
    /// The records that the decision at a place in the log regrouped, by record.
    pub fn moves_by_decision(&self, at: Seq) -> Result<Vec<Moved>> {
        self.read(|db| {
            all(db.prepare_cached(MOVES)?.query_map([at], |row| {
                let (to, from) = (optional_participant(row, 2)?, optional_participant(row, 3)?);
                Ok(Moved { record: key(row, 0)?, from, to })
            })?)
        })
    }

    /// The changes of statuses that the decision at a place in the log made, by record and pathway;
    /// the changes are opaque here.
    pub fn told_by_decision(&self, at: Seq) -> Result<Vec<(RecordKey, Vec<u8>)>> {
        self.read(|db| {
            all(db.prepare_cached(TOLD)?.query_map([at], |row| Ok((key(row, 0)?, row.get(2)?)))?)
        })
    }
}

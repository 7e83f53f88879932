//! The digest of what a fact says, by which the audit log seals it.
//!
//! Records stand in it by their handles, so that an erasure, which replaces names by tombstones, leaves
//! the digest of a decision as it was. The rows of a submission are added up: the sum of their keyed
//! hashes modulo 2^256 (an incremental multiset hash, MSet-Add-Hash of Clarke, Devadas, van Dijk,
//! Gassend and Suh 2003), so that erasing one row of a million costs one row.

use rusqlite::{Connection, Row, types::ValueRef};
use sha2::{Digest, Sha256};

use crate::{
    Error, Handle, HandleKey, Result, Seq, columns::key, log::LogKind, submissions::find_fact,
};

pub(crate) const KIND: &str = "SELECT kind FROM fact_log WHERE seq = ?1";
pub(crate) const ROWS: &str = "
    SELECT place, local_id, version, event_id, takes_back, received_on, refused, payload, digest
    FROM fact_submission_row WHERE place BETWEEN ?1 AND ?2";
pub(crate) const ROW: &str = "
    SELECT place, local_id, version, event_id, takes_back, received_on, refused, payload, digest
    FROM fact_submission_row WHERE place = ?1";
pub(crate) const WITHDRAWN: &str = "SELECT agency, local_id FROM fact_withdrawal WHERE seq = ?1";
const ERASURE: &str = "
    SELECT id, agency, is_all, author, reason, records, events, at FROM fact_erasure
    WHERE seq = ?1";
const STATEMENTS: &str = "
    SELECT agency, kind, subject, received_on, payload FROM fact_statement
    WHERE seq = ?1 ORDER BY number";
const DECISION: &str = "
    SELECT id, verdict, scope, task, task_reason, weight_millibits, probability_ppm, author,
           first_author, reason, is_blind, model_version, request_id, at
    FROM fact_decision WHERE seq = ?1";
const SHOWN: &str =
    "SELECT agency, local_id, side, version FROM fact_decision_shown WHERE decision = ?1";
const PAIRS: &str = "
    SELECT agency, local_id, other_agency, other_local_id FROM fact_decision_pair
    WHERE decision = ?1";
const UNDO: &str = "SELECT decision, author, reason, at FROM fact_decision_undo WHERE seq = ?1";
const SAMPLE: &str = "SELECT seed, author, at FROM fact_sample WHERE seq = ?1";
const STRATA: &str = "
    SELECT stratum, is_linked, from_millibits, to_millibits, pairs FROM fact_sample_stratum
    WHERE sample = ?1 ORDER BY stratum";
const SAMPLE_PAIRS: &str = "
    SELECT agency, local_id, other_agency, other_local_id, stratum FROM fact_sample_pair
    WHERE sample = ?1";
const ACTIVATION: &str =
    "SELECT kind, version, content, author, at FROM fact_activation WHERE seq = ?1";

/// A sum of keyed hashes modulo 2^256: the order of its terms does not matter, and any of them can be
/// taken out again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum([u64; 4]);

impl Sum {
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = u64::from_le_bytes(bytes.try_into().expect("a chunk has 8 bytes"));
        }
        Self(limbs)
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (bytes, limb) in bytes.chunks_exact_mut(8).zip(self.0) {
            bytes.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    pub(crate) fn add(&mut self, term: &[u8; 32]) {
        let mut carry = false;
        for (limb, term) in self.0.iter_mut().zip(Self::from_bytes(term).0) {
            let (sum, over) = limb.overflowing_add(term);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, over | over_again);
        }
    }

    pub(crate) fn subtract(&mut self, term: &[u8; 32]) {
        let mut borrow = false;
        for (limb, term) in self.0.iter_mut().zip(Self::from_bytes(term).0) {
            let (rest, under) = limb.overflowing_sub(term);
            let (rest, under_again) = rest.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (rest, under | under_again);
        }
    }
}

/// The digest of the content of a fact, as it stands.
pub(crate) fn content(db: &Connection, handles: &HandleKey, seq: Seq) -> Result<[u8; 32]> {
    let kind: LogKind = db.prepare_cached(KIND)?.query_row([seq], |row| row.get(0))?;
    let mut hash = Content { db, handles, seq, hash: Sha256::new() };
    match kind {
        LogKind::Records | LogKind::Events => return of_submission(db, handles, seq),
        LogKind::Withdrawal => {
            hash.rows(ERASURE)?;
            hash.records(WITHDRAWN, 1)?;
        }
        LogKind::Statements => hash.rows(STATEMENTS)?,
        LogKind::Decision => {
            hash.rows(DECISION)?;
            hash.records(SHOWN, 1)?;
            hash.records(PAIRS, 2)?;
        }
        LogKind::DecisionUndone => hash.rows(UNDO)?,
        LogKind::Sample => {
            hash.rows(SAMPLE)?;
            hash.rows(STRATA)?;
            hash.records(SAMPLE_PAIRS, 2)?;
        }
        LogKind::Model | LogKind::Registry | LogKind::Profile => hash.rows(ACTIVATION)?,
    }
    Ok(hash.hash.finalize().into())
}

/// The sum over the rows of a submission, and over the records that its absence withdrew.
fn of_submission(db: &Connection, handles: &HandleKey, seq: Seq) -> Result<[u8; 32]> {
    let stored = find_fact(db, seq)?;
    let agency = stored.submission.agency.as_str();
    let mut sum = Sum::default();
    let mut query = db.prepare_cached(ROWS)?;
    let mut rows = query.query(stored.places())?;
    while let Some(row) = rows.next()? {
        sum.add(&of_row(handles, agency, row)?);
    }
    let mut query = db.prepare_cached(WITHDRAWN)?;
    let mut rows = query.query([seq])?;
    while let Some(row) = rows.next()? {
        sum.add(&handles.seal(&[b"withdrawn", &handles.of(&key(row, 0)?).0]));
    }
    Ok(sum.to_bytes())
}

/// The keyed hash of one row of an agency's submission.
pub(crate) fn of_row(handles: &HandleKey, agency: &str, row: &Row<'_>) -> Result<[u8; 32]> {
    let place: i64 = row.get(0)?;
    let text = |column| row.get_ref(column).map(bytes_of);
    let local_id: Option<String> = row.get(1)?;
    let named = local_id.map(|local_id| handles.of_names(agency, &local_id).0);
    let version: Option<i64> = row.get(2)?;
    let version = version.map(i64::to_be_bytes);
    Ok(handles.seal(&[
        &place.to_be_bytes(),
        named.as_ref().map_or(&[], |handle| handle),
        version.as_ref().map_or(&[], |version| version),
        text(3)?,
        text(4)?,
        text(5)?,
        text(6)?,
        text(7)?,
        text(8)?,
    ]))
}

/// The bytes of a text or blob; none of anything else.
fn bytes_of(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        _ => &[],
    }
}

/// The digest of a fact that is not a submission, as it grows.
struct Content<'a> {
    db: &'a Connection,
    handles: &'a HandleKey,
    seq: Seq,
    hash: Sha256,
}

impl Content<'_> {
    /// Adds the columns of the rows of a query about the fact, in its order.
    fn rows(&mut self, query: &str) -> Result<()> {
        let mut query = self.db.prepare_cached(query)?;
        let mut rows = query.query([self.seq])?;
        while let Some(row) = rows.next()? {
            self.hash.update([b'r']);
            add_columns(&mut self.hash, row, 0)?;
        }
        Ok(())
    }

    /// Adds rows that begin with the names of `n` records, in the order of their handles.
    fn records(&mut self, query: &str, n: usize) -> Result<()> {
        let mut query = self.db.prepare_cached(query)?;
        let mut rows = query.query([self.seq])?;
        let mut found: Vec<(Vec<Handle>, [u8; 32])> = Vec::new();
        while let Some(row) = rows.next()? {
            let handle = |place| Ok::<_, Error>(self.handles.of(&key(row, 2 * place)?));
            let of_records = (0..n).map(handle).collect::<Result<_>>()?;
            let mut rest = Sha256::new();
            add_columns(&mut rest, row, 2 * n)?;
            found.push((of_records, rest.finalize().into()));
        }
        found.sort();
        for (of_records, rest) in found {
            of_records.iter().for_each(|handle| self.hash.update(handle.0));
            self.hash.update(rest);
        }
        Ok(())
    }
}

/// Adds the columns of a row from one on, each with its type and its length.
fn add_columns(hash: &mut Sha256, row: &Row<'_>, from: usize) -> Result<()> {
    for column in from..row.as_ref().column_count() {
        let value = row.get_ref(column)?;
        match value {
            ValueRef::Null => hash.update([b'n']),
            ValueRef::Integer(number) => {
                hash.update([b'i']);
                hash.update(number.to_be_bytes());
            }
            ValueRef::Real(number) => {
                hash.update([b'f']);
                hash.update(number.to_be_bytes());
            }
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                hash.update([b't']);
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(bytes);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_sum_does_not_depend_on_order_and_terms_can_be_taken_out(
            terms: Vec<[u8; 32]>, taken: [u8; 32],
        ) {
            let of = |terms: &mut dyn Iterator<Item = &[u8; 32]>| {
                let mut sum = Sum::default();
                terms.for_each(|term| sum.add(term));
                sum
            };
            let forward = of(&mut terms.iter());
            prop_assert_eq!(forward, of(&mut terms.iter().rev()));
            let mut with = forward;
            with.add(&taken);
            prop_assert_eq!(with == forward, taken == [0; 32]);
            with.subtract(&taken);
            prop_assert_eq!(Sum::from_bytes(&with.to_bytes()), forward);
        }
    }
}

//! The proof that nothing was changed since it was written: the chain of the audit log, the facts that
//! it seals, the feeds, and the file itself.

use std::{collections::BTreeMap, ops::ControlFlow};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::{
    HandleKey, Result, Seq, Store,
    audit::{self, Chain},
    columns::{all, count, seq},
    content::content,
    handles::Handle,
};

const CHANGES: &str = "
    SELECT agency, cursor, payload, digest FROM fact_change ORDER BY agency, cursor";
const FACTS: &str = "SELECT seq FROM fact_log ORDER BY seq";
const SEALS: &str = "
    SELECT seq, content FROM fact_audit WHERE seq IS NOT NULL ORDER BY number";
const HANDLES: &str = "SELECT handle FROM fact_audit_record WHERE entry = ?1 ORDER BY handle";

/// Findings that are listed at most.
const FINDINGS_MAX: usize = 1_000;

/// What the proof covers, and what contradicts it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entries of the audit log.
    pub entries: u64,
    /// The digest of the last one: who keeps it elsewhere can prove that none was rewritten.
    pub head: [u8; 32],
    /// Facts of the log, each sealed by an entry.
    pub facts: u64,
    /// Facts of which rows were erased since they came.
    pub resealed: u64,
    /// Changes told in the feeds.
    pub changes: u64,
    /// Changes that were emptied, since their record was erased.
    pub erased_changes: u64,
    /// What is wrong, in words; nothing when all of it holds.
    pub findings: Vec<String>,
}

impl Store {
    /// Checks everything that is stored against the audit log; reads the whole database, from one
    /// snapshot.
    pub fn verify(&self) -> Result<Verified> {
        let handles = self.handles().clone();
        let mut verified = self.read_apart(|db| {
            let mut verified = Verified::default();
            verify_chain(db, &mut verified)?;
            verify_facts(db, &handles, &mut verified)?;
            verify_feeds(db, &mut verified)?;
            Ok(verified)
        })?;
        verified.findings.extend(self.integrity_check()?);
        verified.findings.truncate(FINDINGS_MAX);
        Ok(verified)
    }
}

/// Every entry's digest is over the digest before and itself, and no number is missing.
fn verify_chain(db: &Connection, verified: &mut Verified) -> Result<()> {
    let mut before = Chain::default();
    let mut of_entry = db.prepare(HANDLES)?;
    audit::for_each(db, 0, |entry| {
        let link = entry.link();
        if entry.number != before.number + 1 {
            let told =
                format!("audit entries {} to {} are missing", before.number + 1, entry.number - 1);
            verified.findings.push(told);
        }
        let handles: Vec<Handle> =
            all(of_entry.query_map([crate::columns::int(entry.number)], |row| row.get(0))?)?;
        if link.digest(&before.digest, handles.iter()) != entry.digest {
            verified.findings.push(format!("audit entry {} was changed", entry.number));
        }
        before = Chain { number: entry.number, at: link.at, digest: entry.digest };
        verified.entries += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    verified.head = before.digest;
    Ok(())
}

/// Every fact is sealed, and says what it said when it was sealed last.
fn verify_facts(db: &Connection, handles: &HandleKey, verified: &mut Verified) -> Result<()> {
    let mut seals: BTreeMap<Seq, ([u8; 32], u64)> = BTreeMap::new();
    let mut query = db.prepare(SEALS)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let last = seals.entry(seq(row, 0)?).or_default();
        *last = (row.get(1)?, last.1 + 1);
    }
    let facts = all(db.prepare(FACTS)?.query_map([], |row| seq(row, 0))?)?;
    for fact in facts {
        verified.facts += 1;
        match seals.remove(&fact) {
            None => verified.findings.push(format!("fact {} is not in the audit log", fact.0)),
            Some((sealed, times)) => {
                verified.resealed += u64::from(times > 1);
                if content(db, handles, fact)? != sealed {
                    verified.findings.push(format!("fact {} was changed", fact.0));
                }
            }
        }
    }
    for lost in seals.keys() {
        verified.findings.push(format!("fact {} is missing", lost.0));
    }
    Ok(())
}

/// The digest of each change is over the digest before and what was told.
fn verify_feeds(db: &Connection, verified: &mut Verified) -> Result<()> {
    let mut query = db.prepare(CHANGES)?;
    let mut rows = query.query([])?;
    let mut before: (String, [u8; 32]) = (String::new(), [0; 32]);
    while let Some(row) = rows.next()? {
        let agency: String = row.get(0)?;
        let last = if agency == before.0 { before.1 } else { [0; 32] };
        let (payload, digest): (Vec<u8>, [u8; 32]) = (row.get(2)?, row.get(3)?);
        verified.changes += 1;
        if payload.is_empty() {
            verified.erased_changes += 1;
        } else {
            let said = Sha256::new().chain_update(last).chain_update(&payload).finalize();
            if digest[..] != said[..] {
                let cursor = count(row, 1)?;
                verified.findings.push(format!("change {cursor} told to {agency} was changed"));
            }
        }
        before = (agency, digest);
    }
    Ok(())
}

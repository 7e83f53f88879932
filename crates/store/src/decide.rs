//! Making decisions and taking them back, each in one transaction with all that may refuse it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use record::RecordKey;
use rusqlite::{Connection, OptionalExtension};

use crate::{
    Action, Actor, Decision, DecisionId, Error, NewAuditEntry, NewDecision, Result, Seq, Store,
    TaskId, Verdict, audit,
    columns::{all, key, time},
    decisions::{BY_ID, binding, find},
    log::{LogKind, add_fact},
    queue::release,
};

/// What binds a record to others: of decisions about the same two records the last that stands.
pub(crate) const NEIGHBORS: &str = "
    SELECT p.other_agency, p.other_local_id, d.verdict
    FROM fact_decision_pair AS p JOIN fact_decision AS d ON d.seq = p.decision
    WHERE p.agency = ?1 AND p.local_id = ?2
        AND NOT EXISTS (SELECT 1 FROM fact_decision_undo AS u WHERE u.decision = d.id)
        AND NOT EXISTS (
            SELECT 1 FROM fact_decision_pair AS n JOIN fact_decision AS e ON e.seq = n.decision
            WHERE n.agency = p.agency AND n.local_id = p.local_id
                AND n.other_agency = p.other_agency AND n.other_local_id = p.other_local_id
                AND n.decision > p.decision
                AND NOT EXISTS (SELECT 1 FROM fact_decision_undo AS u WHERE u.decision = e.id))
    ORDER BY d.seq";
pub(crate) const ETAG: &str = "SELECT etag FROM derived_task WHERE id = ?1";
pub(crate) const LEASE: &str = "SELECT steward, until FROM work_lease WHERE task = ?1";

/// Why a steward's word is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// The task is not the one that the steward saw, or it is gone.
    Changed,
    /// Another steward holds the task.
    Held {
        /// Who.
        by: String,
        /// When the lease ends.
        until: Timestamp,
    },
    /// Earlier decisions contradict it.
    Contradiction {
        /// Records from the one side to the other, each linked to the next by a decision; for a
        /// link, the two ends are what a decision separates.
        path: Vec<RecordKey>,
    },
}

impl Store {
    /// Makes a decision about a task that still has this etag, and returns its place in the log. Of
    /// decisions about the same two records the last one binds.
    ///
    /// Errors: `AlreadyExists` for a used id; `Conflict` when a pair is one record, or not of the
    /// records shown.
    pub fn add_decision(
        &self,
        new: &NewDecision,
        etag: &str,
    ) -> Result<std::result::Result<Seq, Objection>> {
        let (new, etag) = (new.clone(), etag.to_owned());
        self.write(1, move |writing| {
            match objection(writing.db, (&new.task, &etag), &new.author, new.at)? {
                Some(objection) => Ok(Err(objection)),
                None => all_or_nothing(writing.db, |db| {
                    let added = add(db, &new)?;
                    if let Ok(seq) = added {
                        audit::seal(db, writing.handles, seq, &decided(&new))?;
                    }
                    Ok(added)
                }),
            }
        })
    }

    /// Takes a decision back and returns the place of that in the log. An earlier one about the same
    /// two records binds again, unless later ones contradict it.
    ///
    /// Errors: `NotFound`; `Conflict` when it was taken back before.
    pub fn undo_decision(
        &self,
        id: &DecisionId,
        author: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<std::result::Result<Seq, Objection>> {
        let (id, author, reason) = (id.clone(), author.to_owned(), reason.to_owned());
        self.write(1, move |writing| {
            all_or_nothing(writing.db, |db| {
                let undone = undo(db, &id, (&author, &reason), at)?;
                if let Ok(seq) = undone {
                    let records = find(db, &id)?.made.records();
                    let entry =
                        NewAuditEntry::new(at, Actor::steward(&author), Action::DecisionUndone)
                            .subject(&id.0)
                            .detail(serde_json::json!({ "reason": reason }))
                            .records(records);
                    audit::seal(db, writing.handles, seq, &entry)?;
                }
                Ok(undone)
            })
        })
    }
}

/// The audit entry of a decision.
fn decided(new: &NewDecision) -> NewAuditEntry {
    NewAuditEntry::new(new.at, Actor::steward(&new.author), Action::Decided)
        .subject(&new.id.0)
        .detail(serde_json::json!({
            "verdict": new.verdict.as_str(), "scope": new.scope.as_str(), "task": new.task.0,
            "task_reason": new.task_reason, "reason": new.reason,
            "model_version": new.model_version, "first_author": new.first_author,
        }))
        .records(new.records())
}

/// Does what may be refused at its last step: nothing of it stays then.
fn all_or_nothing(
    db: &Connection,
    intent: impl FnOnce(&Connection) -> Result<std::result::Result<Seq, Objection>>,
) -> Result<std::result::Result<Seq, Objection>> {
    db.execute_batch("SAVEPOINT decision")?;
    let done = intent(db);
    let end = if matches!(done, Ok(Ok(_))) { "" } else { "ROLLBACK TO decision;" };
    db.execute_batch(&format!("{end} RELEASE decision"))?;
    done
}

/// Why a steward may not say anything of a task now: it is not the one that was seen, or another
/// steward holds it.
pub(crate) fn objection(
    db: &Connection,
    (task, etag): (&TaskId, &str),
    steward: &str,
    now: Timestamp,
) -> Result<Option<Objection>> {
    let found: Option<String> =
        db.prepare_cached(ETAG)?.query_row([task], |row| row.get(0)).optional()?;
    if found.as_deref() != Some(etag) {
        return Ok(Some(Objection::Changed));
    }
    held_by_another(db, &task.0, steward, now)
}

/// Whether another steward holds a task.
pub(crate) fn held_by_another(
    db: &Connection,
    task: &str,
    steward: &str,
    now: Timestamp,
) -> Result<Option<Objection>> {
    let mut query = db.prepare_cached(LEASE)?;
    let lease = query.query_row([task], |row| Ok((row.get(0)?, time(row, 1)?)));
    let lease: Option<(String, Timestamp)> = lease.optional()?;
    let other = lease.filter(|(by, until)| by != steward && *until > now);
    Ok(other.map(|(by, until)| Objection::Held { by, until }))
}

fn add(db: &Connection, new: &NewDecision) -> Result<std::result::Result<Seq, Objection>> {
    if db.prepare_cached(BY_ID)?.exists([&new.id])? {
        return Err(Error::AlreadyExists { what: "decision" });
    }
    let seq = add_fact(db, new.at, LogKind::Decision, &new.id.0)?;
    insert(db, seq, new)?;
    for (left, right) in &new.pairs {
        if left == right || new.version_of(left).is_none() || new.version_of(right).is_none() {
            return Err(Error::conflict("a decision binds two different records of its task"));
        }
        if let Some(path) = contradiction(db, (left, right), new.verdict)? {
            return Ok(Err(Objection::Contradiction { path }));
        }
        insert_pair(db, seq, left, right)?;
    }
    release(db, &new.task)?;
    Ok(Ok(seq))
}

fn insert(db: &Connection, seq: Seq, new: &NewDecision) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO fact_decision (seq, id, verdict, scope, task, task_reason, weight_millibits,
             probability_ppm, author, first_author, reason, is_blind, model_version, request_id, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute((
        seq,
        &new.id,
        new.verdict,
        new.scope,
        &new.task,
        &new.task_reason,
        new.weight_millibits,
        new.probability_ppm,
        &new.author,
        &new.first_author,
        &new.reason,
        new.is_blind,
        &new.model_version,
        &new.request_id,
        new.at.as_microsecond(),
    ))?;
    let mut insert = db.prepare_cached(
        "INSERT INTO fact_decision_shown (decision, agency, local_id, side, version)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (group, side) in [(&new.left, "left"), (&new.right, "right")] {
        for shown in group {
            let (agency, local_id) = (shown.record.agency.as_str(), shown.record.local_id.as_str());
            insert.execute((seq, agency, local_id, side, shown.version.0))?;
        }
    }
    Ok(())
}

fn insert_pair(db: &Connection, seq: Seq, left: &RecordKey, right: &RecordKey) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO fact_decision_pair (agency, local_id, other_agency, other_local_id, decision)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (one, other) in [(left, right), (right, left)] {
        insert.execute((
            one.agency.as_str(),
            one.local_id.as_str(),
            other.agency.as_str(),
            other.local_id.as_str(),
            seq,
        ))?;
    }
    Ok(())
}

fn undo(
    db: &Connection,
    id: &DecisionId,
    (author, reason): (&str, &str),
    at: Timestamp,
) -> Result<std::result::Result<Seq, Objection>> {
    let Decision { made, undone, .. } = find(db, id)?;
    if undone.is_some() {
        return Err(Error::conflict("the decision was taken back before"));
    }
    let seq = add_fact(db, at, LogKind::DecisionUndone, &id.0)?;
    let insert = "INSERT INTO fact_decision_undo (seq, decision, author, reason, at)
                  VALUES (?1, ?2, ?3, ?4, ?5)";
    db.execute(insert, (seq, id, author, reason, at.as_microsecond()))?;
    for (left, right) in &made.pairs {
        if let Some(earlier) = binding(db, left, right, seq)?
            && let Some(path) = contradiction(db, (left, right), earlier.made.verdict)?
        {
            return Ok(Err(Objection::Contradiction { path }));
        }
    }
    Ok(Ok(seq))
}

/// The records that decisions link to one, each with the record it was reached from.
struct Linked {
    from: BTreeMap<RecordKey, Option<RecordKey>>,
    apart: Vec<(RecordKey, RecordKey)>,
}

impl Linked {
    /// Follows the standing links from `record` on; remembers what is separated from any of them.
    /// What was decided about the pair `but` does not count.
    fn to(db: &Connection, record: &RecordKey, but: (&RecordKey, &RecordKey)) -> Result<Self> {
        let mut query = db.prepare_cached(NEIGHBORS)?;
        let mut found = Self { from: BTreeMap::from([(record.clone(), None)]), apart: Vec::new() };
        let mut open = VecDeque::from([record.clone()]);
        while let Some(here) = open.pop_front() {
            let key_of = (here.agency.as_str(), here.local_id.as_str());
            let neighbors: Vec<(RecordKey, Verdict)> =
                all(query.query_map(key_of, |row| Ok((key(row, 0)?, row.get(2)?)))?)?;
            for (other, verdict) in neighbors {
                if (&here, &other) == but || (&other, &here) == but {
                    continue;
                }
                match verdict {
                    Verdict::Separate => found.apart.push((here.clone(), other)),
                    Verdict::Link if !found.from.contains_key(&other) => {
                        found.from.insert(other.clone(), Some(here.clone()));
                        open.push_back(other);
                    }
                    Verdict::Link => {}
                }
            }
        }
        Ok(found)
    }

    /// The chain of links from a record that was reached back to the first one.
    fn path_from(&self, record: &RecordKey) -> Vec<RecordKey> {
        let mut path = vec![record.clone()];
        let mut step = self.from.get(record);
        while let Some(Some(before)) = step {
            path.push(before.clone());
            step = self.from.get(before);
        }
        path
    }
}

/// Why a verdict on two records cannot stand beside the standing decisions: records that decisions
/// link are one person, and no decision may separate two of them. An earlier decision about the very
/// two is replaced, not contradicted.
fn contradiction(
    db: &Connection,
    (left, right): (&RecordKey, &RecordKey),
    verdict: Verdict,
) -> Result<Option<Vec<RecordKey>>> {
    let from_left = Linked::to(db, left, (left, right))?;
    if verdict == Verdict::Separate {
        let is_linked = from_left.from.contains_key(right);
        return Ok(is_linked.then(|| from_left.path_from(right).into_iter().rev().collect()));
    }
    let from_right = Linked::to(db, right, (left, right))?;
    let apart: BTreeSet<_> = from_left.apart.iter().collect();
    let between = apart.into_iter().find(|(_, other)| from_right.from.contains_key(other));
    Ok(between.map(|(one, other)| {
        let mut path = from_left.path_from(one);
        path.extend(from_right.path_from(other).into_iter().rev());
        path
    }))
}

//! The proof that what is served follows from the facts: rebuild, compare, list every difference.
//!
//! It goes on beside other work: another thread rebuilds the groups of one moment, and statuses are
//! compared a few people at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError, channel},
    },
    thread,
};

use jiff::civil::Date;
use linkage::Policy;
use record::{ParticipantId, RecordKey, Schema};
use store::{ChangeCause, Records, Seq, StatusRow, Store};

use super::{
    Engine, EngineError,
    handle::Reply,
    replay::rows_by_record,
    state::{Participants, insert_all, linker_at},
};

/// Participants whose statuses are compared before the engine looks at its other work.
const PARTICIPANTS_PER_TURN: usize = 100;

/// A record or a status that is served otherwise than the facts say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The record.
    pub record: RecordKey,
    /// What differs: `membership`, `status` or `calendar`.
    pub what: &'static str,
    /// What was served: the first record of its group, the labels, or the day of the next change.
    pub served: String,
    /// What the facts say.
    pub rebuilt: String,
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// The differences, by record.
    pub differences: Vec<Difference>,
    /// Number of records compared.
    pub records: u64,
    /// Number of statuses compared.
    pub statuses: u64,
}

/// A comparison under way.
pub(super) struct Reconciliation {
    repair: bool,
    stage: Stage,
    found: Reconciled,
    /// Participants whose statuses differ.
    wrong: Vec<ParticipantId>,
    reply: Reply<Reconciled>,
}

enum Stage {
    /// The groups are rebuilt from the facts and compared with those that were asserted.
    Groups(Receiver<Result<Reconciled, EngineError>>),
    /// The statuses of these participants are still to be compared.
    Statuses(Vec<ParticipantId>),
}

impl Engine {
    /// Begins to rebuild participants and statuses from the facts and to compare them with what is
    /// served; with `repair`, what was rebuilt is served in the end. One goes on at a time.
    pub(super) fn begin_reconciliation(&mut self, repair: bool, reply: Reply<Reconciled>) {
        if self.reconciliation.is_some() {
            // A caller that has gone away needs no answer.
            let _ = reply.send(Err(EngineError::Busy));
            return;
        }
        let (send, groups) = channel();
        let (store, up_to) = (self.store.clone(), self.applied);
        let (schema, policy) = (self.schema.clone(), self.policy.clone());
        thread::spawn(move || send.send(compare_groups(&store, &schema, &policy, up_to)));
        let (found, wrong) = (Reconciled::default(), Vec::new());
        let stage = Stage::Groups(groups);
        self.reconciliation = Some(Reconciliation { repair, stage, found, wrong, reply });
    }

    /// Goes on with a comparison; says whether there is more to do at once. New rules come first: what
    /// waits for them differs.
    pub(super) fn reconcile_some(&mut self) -> Result<bool, EngineError> {
        if self.to_recompute() > 0 {
            return Ok(false);
        }
        let Some(mut work) = self.reconciliation.take() else { return Ok(false) };
        match self.compare_some(&mut work) {
            Ok(true) => {
                let is_busy = matches!(work.stage, Stage::Statuses(_));
                self.reconciliation = Some(work);
                Ok(is_busy)
            }
            Ok(false) => {
                let found = self.end_reconciliation(work.repair, work.found, &work.wrong);
                let failed = found.as_ref().err().cloned();
                let _ = work.reply.send(found);
                failed.map_or(Ok(false), Err)
            }
            Err(error) => {
                let _ = work.reply.send(Err(error.clone()));
                Err(error)
            }
        }
    }

    /// Whether groups are being rebuilt.
    pub(super) fn is_rebuilding(&self) -> bool {
        matches!(&self.reconciliation, Some(work) if matches!(work.stage, Stage::Groups(_)))
    }

    /// The next part of a comparison; says whether there is more of it.
    fn compare_some(&self, work: &mut Reconciliation) -> Result<bool, EngineError> {
        match &mut work.stage {
            Stage::Groups(groups) => match groups.try_recv() {
                Err(TryRecvError::Empty) => Ok(true),
                Err(TryRecvError::Disconnected) => Err(EngineError::Stopped),
                Ok(compared) => {
                    work.found = compared?;
                    let mut left: Vec<_> = self.members.keys().copied().collect();
                    left.sort_unstable_by(|a, b| b.cmp(a));
                    work.stage = Stage::Statuses(left);
                    Ok(true)
                }
            },
            Stage::Statuses(left) => {
                let some = left.split_off(left.len().saturating_sub(PARTICIPANTS_PER_TURN));
                work.wrong.extend(self.compare_statuses(&some, &mut work.found)?);
                Ok(!left.is_empty())
            }
        }
    }

    fn end_reconciliation(
        &mut self,
        repair: bool,
        mut found: Reconciled,
        wrong: &[ParticipantId],
    ) -> Result<Reconciled, EngineError> {
        found.differences.sort_by(|a, b| (&a.record, a.what).cmp(&(&b.record, b.what)));
        if repair && !found.differences.is_empty() {
            self.reload()?;
            self.settle_statuses(wrong, ChangeCause::Rules, &BTreeSet::new())?;
        }
        Ok(found)
    }

    /// Compares the statuses of some participants; gives those that differ.
    fn compare_statuses(
        &self,
        some: &[ParticipantId],
        found: &mut Reconciled,
    ) -> Result<Vec<ParticipantId>, EngineError> {
        let members = |id: &ParticipantId| Some((*id, self.members.get(id)?.clone()));
        let some: Participants = some.iter().filter_map(members).collect();
        let (rebuilt, due) = self.evaluate(&some, self.applied)?;
        let mut rows = rows_by_record(&rebuilt);
        rows.values_mut().for_each(|rows| rows.sort_by_key(|row| &row.pathway));
        let due: BTreeMap<_, _> = due.into_iter().map(|due| (due.participant, due.on)).collect();
        let mut wrong = Vec::new();
        for (participant, members) in &some {
            let n_before = found.differences.len();
            for record in members {
                let rebuilt = rows.get(record).map_or(&[][..], Vec::as_slice);
                found.statuses += rebuilt.len() as u64;
                let served = self.store.status(record)?;
                found.differences.extend(status_difference(record, &served, rebuilt));
            }
            let served = self.calendar.of(*participant);
            let rebuilt = due.get(participant).copied().flatten();
            found.differences.extend(day_difference(members.first(), served, rebuilt));
            if found.differences.len() > n_before {
                wrong.push(*participant);
            }
        }
        Ok(wrong)
    }

    /// Forgets what is in memory and rebuilds it from the facts.
    pub(super) fn reload(&mut self) -> Result<(), EngineError> {
        *self = Self::open(
            self.store.clone(),
            self.clock.clone(),
            self.schema.clone(),
            self.policy.clone(),
            self.evaluator.clone(),
        )?;
        Ok(())
    }
}

fn status_difference(
    record: &RecordKey,
    served: &[StatusRow],
    rebuilt: &[&StatusRow],
) -> Option<Difference> {
    if served.iter().eq(rebuilt.iter().copied()) {
        return None;
    }
    let labels = |labels: Vec<&str>| labels.join(", ");
    Some(Difference {
        record: record.clone(),
        what: "status",
        served: labels(served.iter().map(|row| row.label.as_str()).collect()),
        rebuilt: labels(rebuilt.iter().map(|row| row.label.as_str()).collect()),
    })
}

fn day_difference(
    record: Option<&RecordKey>,
    served: Option<Date>,
    rebuilt: Option<Date>,
) -> Option<Difference> {
    let record = record.filter(|_| served != rebuilt)?;
    let day = |day: Option<Date>| day.map_or_else(String::new, |day| day.to_string());
    Some(Difference {
        record: record.clone(),
        what: "calendar",
        served: day(served),
        rebuilt: day(rebuilt),
    })
}

/// Rebuilds the groups from the facts up to `up_to` and compares them with those that the log of
/// memberships has for that moment.
fn compare_groups(
    store: &Store,
    schema: &Arc<Schema>,
    policy: &Policy,
    up_to: Seq,
) -> Result<Reconciled, EngineError> {
    let (mut linker, _) = linker_at(store, schema, policy, up_to)?;
    insert_all(store, Records::PresentAt(up_to), schema, &mut linker, |_| {})?;
    let rebuilt = linker.settle().groups;
    let mut groups: BTreeMap<ParticipantId, Vec<RecordKey>> = BTreeMap::new();
    for (record, participant) in store.asserted_memberships(Some(up_to))? {
        groups.entry(participant).or_default().push(record);
    }
    let served: BTreeMap<&RecordKey, &Vec<RecordKey>> =
        groups.values().flat_map(|group| group.iter().map(move |it| (it, group))).collect();
    let first = |group: &[RecordKey]| group.first().map_or_else(String::new, text);
    let mut found = Reconciled::default();
    let mut differs = |record: &RecordKey, served: String, rebuilt: String| {
        let record = record.clone();
        found.differences.push(Difference { record, what: "membership", served, rebuilt });
    };
    for group in &rebuilt {
        for record in group {
            let before = served.get(record).map_or(&[][..], |group| group.as_slice());
            if before != group.as_slice() {
                differs(record, first(before), first(group));
            }
        }
    }
    let known: BTreeSet<&RecordKey> = rebuilt.iter().flatten().collect();
    for (record, group) in served.iter().filter(|(record, _)| !known.contains(*record)) {
        differs(record, first(group), String::new());
    }
    found.records = known.len() as u64;
    Ok(found)
}

fn text(record: &RecordKey) -> String {
    record.to_string()
}

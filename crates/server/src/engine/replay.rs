//! Taking in facts: each run of submissions is settled together, every other fact alone.

use std::{collections::BTreeSet, sync::Arc};

use record::{ParticipantId, RecordKey};
use sha2::{Digest, Sha256};
use store::{
    ActivationKind, Assignment, Fact, FactKind, MembershipCause, OpenTask, Origin, Records,
    Redirect, Seq, Settled, TaskId, TaskReplacement,
};

use super::{
    Engine, EngineError,
    state::{Participants, Standing, insert_all, linkage_decision, read_model},
};
use crate::{
    participants::{Regrouping, regroup},
    services::millibits,
};

/// Facts read, and settled together, at most.
const RUN_FACTS_MAX: usize = 256;

impl Engine {
    /// Takes in every fact that is not taken in yet, and publishes each place it has come to.
    ///
    /// # Errors
    /// The store's. What was settled before the error stays settled.
    pub(super) fn catch_up(&mut self, publish: impl Fn(Seq) -> Seq) -> Result<(), EngineError> {
        loop {
            let facts = self.store.facts_after(self.applied, RUN_FACTS_MAX)?;
            let run = first_run(&facts);
            let Some(last) = run.last() else { return Ok(()) };
            let up_to = last.seq;
            let mut with_events = BTreeSet::new();
            let mut cause = None;
            for fact in run {
                cause = self.take_in(fact, &mut with_events)?;
            }
            self.settle(up_to, cause, &with_events)?;
            publish(self.applied);
        }
    }

    /// Changes the linker by one fact; returns the cause of what follows, where it is not the
    /// records themselves.
    fn take_in(
        &mut self,
        fact: &Fact,
        with_events: &mut BTreeSet<RecordKey>,
    ) -> Result<Option<MembershipCause>, EngineError> {
        match &fact.kind {
            FactKind::Records { .. } => self.take_in_records(fact.seq).map(|()| None),
            FactKind::Events { .. } => {
                with_events.extend(self.store.event_keys_of(fact.seq)?);
                Ok(None)
            }
            FactKind::Statements { .. } => {
                if self.evaluator.sources.take_in(&self.store, fact.seq)? {
                    with_events.extend(self.store.records_awaiting()?);
                }
                Ok(None)
            }
            FactKind::Decision { decision } => {
                let made = self.store.decision(decision)?.made;
                self.linker.decide(&made.left, &made.right, linkage_decision(made.verdict));
                Ok(Some(MembershipCause::Decision))
            }
            FactKind::DecisionUndone { decision } => {
                let made = self.store.decision(decision)?.made;
                self.linker.undo_decision(&made.left, &made.right);
                Ok(Some(MembershipCause::Decision))
            }
            FactKind::Activation { kind: ActivationKind::Model, .. } => {
                let active = self.store.active(ActivationKind::Model, Some(fact.seq))?;
                let active = active.ok_or(store::Error::NotFound { what: "model" })?;
                self.linker.set_model(Arc::new(read_model(&active.content, &self.schema)?));
                self.model_version = active.version;
                Ok(Some(MembershipCause::Model))
            }
            FactKind::Activation { .. } => Ok(None),
        }
    }

    fn take_in_records(&mut self, seq: Seq) -> Result<(), EngineError> {
        for record in self.store.withdrawals_of(seq)? {
            self.linker.remove(&record);
        }
        let records = &mut self.records;
        insert_all(&self.store, Records::Of(seq), &self.schema, &mut self.linker, |record| {
            let standing = Standing { first_seq: seq, participant: None };
            records.entry(record.clone()).or_insert(standing);
        })
    }

    /// Partitions what was touched, gives the groups their ids, evaluates the statuses that hang on
    /// them, and writes all of it in one transaction.
    pub(super) fn settle(
        &mut self,
        up_to: Seq,
        cause: Option<MembershipCause>,
        with_events: &BTreeSet<RecordKey>,
    ) -> Result<(), EngineError> {
        let settlement = self.linker.settle();
        let regrouping = regroup(
            &settlement.records,
            &settlement.groups,
            |record| self.place(record),
            self.next_participant,
        );
        let memberships = self.assignments(&regrouping, cause);
        let touched = self.move_records(&regrouping, with_events);
        let withdrawn: Vec<RecordKey> = memberships
            .iter()
            .filter(|assignment| assignment.participant.is_none())
            .map(|assignment| assignment.record.clone())
            .collect();
        let today = self.clock.today();
        let (statuses, changes) =
            self.evaluator.replace(&self.store, &touched, &withdrawn, today, |record| {
                self.first_seq(record)
            })?;
        self.store.settle(Settled {
            up_to_seq: up_to,
            at: self.clock.now(),
            model_version: self.model_version.clone(),
            memberships,
            redirects: redirects(&regrouping),
            origins: origins(&regrouping),
            tasks: TaskReplacement {
                touched: settlement.records,
                open: settlement.tasks.iter().map(open_task).collect(),
            },
            statuses,
            changes,
        })?;
        self.next_participant = regrouping.next_id;
        self.applied = up_to;
        Ok(())
    }

    fn assignments(
        &self,
        regrouping: &Regrouping,
        cause: Option<MembershipCause>,
    ) -> Vec<Assignment> {
        let ended: BTreeSet<ParticipantId> =
            regrouping.redirects.iter().map(|(ended, _)| *ended).collect();
        let cause_of = |record: &RecordKey, participant: Option<ParticipantId>| match (
            self.place(record),
            participant,
            cause,
        ) {
            (_, None, _) => MembershipCause::Withdrawal,
            (None, _, _) => MembershipCause::New,
            (_, _, Some(cause)) => cause,
            (Some(place), ..) if ended.contains(&place.participant) => MembershipCause::Merge,
            _ => MembershipCause::Split,
        };
        regrouping
            .moves
            .iter()
            .map(|step| Assignment {
                record: step.record.clone(),
                participant: step.participant,
                cause: cause_of(&step.record, step.participant),
            })
            .collect()
    }

    /// Moves the records in memory; returns the participants whose statuses must be evaluated.
    fn move_records(
        &mut self,
        regrouping: &Regrouping,
        with_events: &BTreeSet<RecordKey>,
    ) -> Participants {
        let mut touched = BTreeSet::new();
        for step in &regrouping.moves {
            let Some(standing) = self.records.get_mut(&step.record) else { continue };
            if let Some(left) = standing.participant.take() {
                touched.insert(left);
                if let Some(members) = self.members.get_mut(&left) {
                    members.remove(&step.record);
                }
            }
            standing.participant = step.participant;
            if let Some(joined) = step.participant {
                touched.insert(joined);
                self.members.entry(joined).or_default().insert(step.record.clone());
            }
        }
        touched
            .extend(with_events.iter().filter_map(|record| Some(self.place(record)?.participant)));
        for participant in &touched {
            if self.members.get(participant).is_some_and(BTreeSet::is_empty) {
                self.members.remove(participant);
            }
        }
        touched
            .into_iter()
            .filter_map(|participant| Some((participant, self.members.get(&participant)?.clone())))
            .collect()
    }
}

/// The facts that are settled together: submissions up to the next decision or activation, or that
/// one alone.
fn first_run(facts: &[Fact]) -> &[Fact] {
    let is_submission =
        |fact: &Fact| matches!(fact.kind, FactKind::Records { .. } | FactKind::Events { .. });
    let n_submissions = facts.iter().take_while(|fact| is_submission(fact)).count();
    &facts[..n_submissions.max(1).min(facts.len())]
}

fn redirects(regrouping: &Regrouping) -> Vec<Redirect> {
    regrouping.redirects.iter().map(|&(from, to)| Redirect { from, to }).collect()
}

fn origins(regrouping: &Regrouping) -> Vec<Origin> {
    let origin = |&(participant, split_from)| Origin { participant, split_from };
    regrouping.origins.iter().map(origin).collect()
}

/// The stored form of a review task; its id follows from the two groups and the reason.
fn open_task(task: &linkage::ReviewTask) -> OpenTask {
    let reason = task.reason.to_string();
    let mut hash = Sha256::new();
    for record in &task.left {
        hash.update(format!("{record}\n"));
    }
    hash.update("\n");
    for record in &task.right {
        hash.update(format!("{record}\n"));
    }
    hash.update(&reason);
    let name = data_encoding::BASE32_NOPAD.encode(&hash.finalize()[..5]);
    let (best_left, best_right) = task.best_pair.clone();
    OpenTask {
        id: TaskId(format!("T-{name}")),
        left: task.left.clone(),
        right: task.right.clone(),
        best_left,
        best_right,
        weight_millibits: i64::from(millibits(task.weight)),
        probability_ppm: (task.probability * 1e6).round() as i64,
        reason,
    }
}

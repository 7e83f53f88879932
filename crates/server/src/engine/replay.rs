//! Taking in facts: each run of submissions is settled together, every other fact alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use api::status::Cause;
use record::{AgencyId, ParticipantId, RecordKey};
use sha2::{Digest, Sha256};
use store::{
    ActivationKind, Assignment, Due, Fact, FactKind, MembershipCause, OpenTask, Origin, Records,
    Redirect, Seq, Settled, TaskId, TaskReplacement,
};

use super::{
    Engine, EngineError, Progress,
    changes::changes_of,
    state::{Participants, Standing, insert_all, linkage_decision, read_model},
};
use crate::{
    participants::{Regrouping, regroup},
    services::millibits,
};

/// Facts read, and settled together, at most.
const RUN_FACTS_MAX: usize = 256;

impl Engine {
    /// Takes in every fact that is not taken in yet, and publishes how far it has come each time.
    ///
    /// # Errors
    /// The store's. What was settled before the error stays settled.
    pub(super) fn catch_up(&mut self, publish: impl Fn(Progress)) -> Result<(), EngineError> {
        loop {
            let facts = self.store.facts_after(self.applied, RUN_FACTS_MAX)?;
            let facts = first_run(&facts);
            let Some(last) = facts.last() else { return Ok(()) };
            let mut run = Run::default();
            for fact in facts {
                self.take_in(fact, &mut run)?;
            }
            self.settle(last.seq, &run)?;
            publish(self.progress());
        }
    }

    /// Changes the linker by one fact.
    fn take_in(&mut self, fact: &Fact, run: &mut Run) -> Result<(), EngineError> {
        match &fact.kind {
            FactKind::Records { .. } => self.take_in_records(fact.seq, run)?,
            FactKind::Events { .. } => {
                let records = self.store.event_keys_of(fact.seq)?;
                run.sent.extend(records.iter().cloned());
                run.with_events.extend(records);
            }
            FactKind::Statements { .. } => {
                if self.evaluator.sources.take_in(&self.store, fact.seq)? {
                    run.with_events.extend(self.store.records_awaiting()?);
                }
            }
            FactKind::Decision { decision } => {
                let made = self.store.decision(decision)?.made;
                self.linker.decide(&made.left, &made.right, linkage_decision(made.verdict));
                run.cause = Some(MembershipCause::Decision);
            }
            FactKind::DecisionUndone { decision } => {
                let made = self.store.decision(decision)?.made;
                self.linker.undo_decision(&made.left, &made.right);
                run.cause = Some(MembershipCause::Decision);
            }
            FactKind::Activation { kind: ActivationKind::Model, .. } => {
                let active = self.store.active(ActivationKind::Model, Some(fact.seq))?;
                let active = active.ok_or(store::Error::NotFound { what: "model" })?;
                self.linker.set_model(Arc::new(read_model(&active.content, &self.schema)?));
                self.model_version = active.version;
                run.cause = Some(MembershipCause::Model);
            }
            FactKind::Activation { .. } => {}
        }
        Ok(())
    }

    fn take_in_records(&mut self, seq: Seq, run: &mut Run) -> Result<(), EngineError> {
        for record in self.store.withdrawals_of(seq)? {
            self.linker.remove(&record);
            run.sent.insert(record);
        }
        let records = &mut self.records;
        insert_all(&self.store, Records::Of(seq), &self.schema, &mut self.linker, |record| {
            let standing = Standing { first_seq: seq, participant: None };
            records.entry(record.clone()).or_insert(standing);
            run.sent.insert(record.clone());
        })
    }

    /// Partitions what was touched, gives the groups their ids, evaluates the statuses that hang on
    /// them, and writes all of it in one transaction.
    pub(super) fn settle(&mut self, up_to: Seq, run: &Run) -> Result<(), EngineError> {
        let settlement = self.linker.settle();
        let regrouping = regroup(
            &settlement.records,
            &settlement.groups,
            |record| self.place(record),
            self.next_participant,
        );
        let memberships = self.assignments(&regrouping, run.cause);
        let origin = Origins::of(run, &regrouping, self);
        let mut touched = self.move_records(&regrouping, &run.with_events);
        let gone: Vec<_> =
            touched.extract_if(.., |_, members| members.is_empty()).map(|(id, _)| id).collect();
        touched.retain(|participant, _| !self.is_to_recompute(*participant));
        let first_seq = |record: &RecordKey| self.first_seq(record);
        let (mut statuses, mut due) =
            self.evaluator.evaluate(&self.store, &touched, self.day, &first_seq)?;
        let changes = changes_of(&self.store, &statuses, self.day, |it| origin.cause(it, self))?;
        // Statuses of withdrawn records go without a word: they are nobody's.
        let withdrawn = memberships.iter().filter(|assignment| assignment.participant.is_none());
        statuses.touched.extend(withdrawn.map(|assignment| assignment.record.clone()));
        due.extend(gone.into_iter().map(|participant| Due { participant, on: None }));
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
            due: due.clone(),
            evaluation: Some(self.evaluation()),
            changes,
        })?;
        due.into_iter().for_each(|due| self.calendar.set(due));
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

    /// Moves the records in memory; returns the participants whose statuses must be evaluated,
    /// those without members among them.
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
        let members = |id| (id, self.members.get(&id).cloned().unwrap_or_default());
        let touched: Participants = touched.into_iter().map(members).collect();
        for (participant, _) in touched.iter().filter(|(_, members)| members.is_empty()) {
            self.members.remove(participant);
        }
        touched
    }
}

/// What a run of facts brought.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Records that events came for.
    pub(super) with_events: BTreeSet<RecordKey>,
    /// Records that their agencies sent anything of: themselves, withdrawals, events.
    pub(super) sent: BTreeSet<RecordKey>,
    /// The cause of moves between participants, where it is not the records themselves.
    pub(super) cause: Option<MembershipCause>,
}

/// Whose data a run of facts brought, by the participants that its records had or got.
struct Origins {
    /// Where the records that moved had stood.
    before: BTreeMap<RecordKey, ParticipantId>,
    sent_to: BTreeSet<(AgencyId, ParticipantId)>,
}

impl Origins {
    /// `engine` has not moved the records yet.
    fn of(run: &Run, regrouping: &Regrouping, engine: &Engine) -> Self {
        let mut origins = Self { before: BTreeMap::new(), sent_to: BTreeSet::new() };
        let standing = |record: &RecordKey| engine.place(record).map(|place| place.participant);
        for step in &regrouping.moves {
            let before = standing(&step.record);
            if run.sent.contains(&step.record) {
                let agency = &step.record.agency;
                let sent_to = step.participant.into_iter().map(|it| (agency.clone(), it));
                origins.sent_to.extend(sent_to);
            }
            origins.before.extend(before.map(|it| (step.record.clone(), it)));
        }
        let stood = run.sent.iter().filter_map(|it| Some((it.agency.clone(), standing(it)?)));
        origins.sent_to.extend(stood);
        origins
    }

    /// Why a status of `record` changed; `engine` has moved the records.
    fn cause(&self, record: &RecordKey, engine: &Engine) -> Cause {
        let now = engine.place(record).map(|place| place.participant);
        let participants = [self.before.get(record).copied(), now];
        let is_own = |it| self.sent_to.contains(&(record.agency.clone(), it));
        match participants.into_iter().flatten().any(is_own) {
            true => Cause::OwnData,
            false => Cause::OtherData,
        }
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

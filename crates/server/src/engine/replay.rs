//! Taking in facts: each run of submissions is settled together, every other fact alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use record::{ParticipantId, RecordKey};
use store::{
    ActivationKind, Assignment, Due, EventKey, Fact, FactKind, Held, MembershipCause, NewChange,
    NewDecision, Origin, Records, Redirect, Seq, Settled, StatusReplacement, StatusRow,
};

use super::{
    Engine, EngineError,
    changes::{Why, changes_of, entry},
    origins::{Origins, Run, Telling},
    state::{Participants, Standing, bind, bind_pair, insert_all, read_model},
};
use crate::participants::{Regrouping, regroup};

/// Facts read, and settled together, at most.
const RUN_FACTS_MAX: usize = 256;

impl Engine {
    /// Takes in the next run of facts; says whether there was one. The calendar is kept after they are
    /// read, so that none of them is of a later day than the engine's.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn take_in_some(&mut self) -> Result<bool, EngineError> {
        let facts = self.store.facts_after(self.applied, RUN_FACTS_MAX)?;
        let facts = first_run(&facts);
        self.keep_calendar()?;
        let Some(last) = facts.last() else { return Ok(false) };
        let mut run = Run::default();
        for fact in facts {
            self.take_in(fact, &mut run)?;
        }
        self.settle(last.seq, &run)?;
        if let Some(erasure) = run.erasure {
            self.forget_erased(erasure)?;
        }
        Ok(true)
    }

    /// Changes the linker by one fact.
    fn take_in(&mut self, fact: &Fact, run: &mut Run) -> Result<(), EngineError> {
        match &fact.kind {
            FactKind::Records { rows, .. } => {
                run.has_single_record |= *rows == 1;
                run.has_batch |= *rows > 1;
                self.take_in_records(fact.seq, run)?;
            }
            FactKind::Events { .. } => {
                for EventKey { record, takes_back } in self.store.event_keys_of(fact.seq)? {
                    run.add_sent(record.clone(), fact.seq);
                    *run.with_events.entry(record).or_default() |= takes_back;
                }
            }
            FactKind::Statements { agency } => {
                let is_other = self.evaluator.sources.take_in(&self.store, fact.seq)?;
                if is_other && self.evaluator.requires(agency) {
                    for record in self.store.records_awaiting()? {
                        if record.agency == *agency {
                            run.add_sent(record.clone(), fact.seq);
                        }
                        run.reported.insert(record);
                    }
                }
            }
            FactKind::Decision { decision } => {
                bind(&mut self.linker, &self.store.decision(decision)?.made);
                run.cause = Some(MembershipCause::Decision);
            }
            FactKind::DecisionUndone { decision } => {
                let made = self.store.decision(decision)?.made;
                self.unbind(&made, fact.seq)?;
                run.cause = Some(MembershipCause::Decision);
            }
            FactKind::Sample => run.is_new_sample = true,
            FactKind::Withdrawal => {
                for record in self.store.withdrawals_of(fact.seq)? {
                    self.linker.forget(&record);
                    run.add_sent(record, fact.seq);
                }
                run.erasure = Some(fact.seq);
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

    /// Takes a decision back: an earlier one about the same records binds again.
    fn unbind(&mut self, undone: &NewDecision, seq: Seq) -> Result<(), EngineError> {
        for (left, right) in &undone.pairs {
            match self.store.binding(left, right, seq)? {
                Some(earlier) => bind_pair(&mut self.linker, &earlier.made, left, right),
                None => self.linker.undo_decision(left, right),
            }
        }
        Ok(())
    }

    fn take_in_records(&mut self, seq: Seq, run: &mut Run) -> Result<(), EngineError> {
        for record in self.store.withdrawals_of(seq)? {
            self.linker.remove(&record);
            run.add_sent(record, seq);
        }
        let records = &mut self.records;
        insert_all(&self.store, Records::Of(seq), &self.schema, &mut self.linker, |record| {
            let standing = Standing { first_seq: seq, participant: None };
            records.entry(record.clone()).or_insert(standing);
            run.add_sent(record.clone(), seq);
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
        let origins = Origins::of(run, &regrouping, self);
        let mut touched = self.move_records(&regrouping, run.touched());
        let gone: Vec<_> =
            touched.extract_if(.., |_, members| members.is_empty()).map(|(id, _)| id).collect();
        touched.retain(|participant, _| !self.is_to_recompute(*participant));
        self.remember_waiting(&origins);
        let (mut statuses, mut due) = self.evaluate(&touched, up_to)?;
        let withdrawn = memberships.iter().filter(|assignment| assignment.participant.is_none());
        statuses.touched.extend(withdrawn.map(|assignment| assignment.record.clone()));
        let news = self.news(&statuses, |record| origins.telling(record, self))?;
        due.extend(gone.into_iter().map(|participant| Due { participant, on: None }));
        let tasks = self.tasks(settlement, up_to, run.is_new_sample)?;
        self.store.settle(Settled {
            up_to_seq: up_to,
            at: self.clock.now(),
            model_version: self.model_version.clone(),
            memberships,
            redirects: redirects(&regrouping),
            origins: split_off(&regrouping),
            tasks,
            statuses,
            due: due.clone(),
            evaluation: Some(self.evaluation()),
            changes: news.changes,
            held: news.held.clone(),
            told: news.told.clone(),
        })?;
        due.into_iter().for_each(|due| self.calendar.set(due));
        self.held.written(news.held, &news.told);
        self.next_participant = regrouping.next_id;
        self.applied = up_to;
        Ok(())
    }

    /// What the feeds are to say of touched records, and what of it is held back.
    pub(super) fn news(
        &self,
        statuses: &StatusReplacement,
        telling: impl Fn(&RecordKey) -> Telling,
    ) -> Result<News, EngineError> {
        let by_record = rows_by_record(statuses);
        let (mut news, mut entries) = (News::default(), Vec::new());
        for record in &statuses.touched {
            let rows = by_record.get(record).map_or(&[][..], Vec::as_slice);
            let changes = changes_of(&self.store, record, rows, self.day)?;
            let Telling { mut why, order, held } = telling(record);
            if held {
                let Why { cause, is_own } = why;
                let held = Held { record: record.clone(), cause, is_own };
                news.held.extend((!changes.is_empty()).then_some(held));
                continue;
            }
            if let Some(first) = self.held.why(record) {
                why = Why { is_own: why.is_own || first.is_own, ..first };
                news.told.push(record.clone());
            }
            let changes = changes.into_iter();
            entries.extend(changes.map(|change| (order, entry(record, change, why))));
        }
        entries.sort_by_key(|(order, _)| *order);
        news.changes = entries.into_iter().map(|(_, change)| change).collect();
        Ok(news)
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

    /// Moves the records in memory; returns the participants whose statuses must be evaluated: those
    /// that got or lost records, without members or not, and those of the records `also`.
    fn move_records<'r>(
        &mut self,
        regrouping: &Regrouping,
        also: impl Iterator<Item = &'r RecordKey>,
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
        touched.extend(also.filter_map(|record| Some(self.place(record)?.participant)));
        let members = |id| (id, self.members.get(&id).cloned().unwrap_or_default());
        let touched: Participants = touched.into_iter().map(members).collect();
        for (participant, _) in touched.iter().filter(|(_, members)| members.is_empty()) {
            self.members.remove(participant);
        }
        touched
    }
}

/// What the feeds are told.
#[derive(Default)]
pub(super) struct News {
    /// Entries of the feeds, in order.
    pub(super) changes: Vec<NewChange>,
    /// Records whose changes are held back, or still are.
    pub(super) held: Vec<Held>,
    /// Records whose changes are held back no longer.
    pub(super) told: Vec<RecordKey>,
}

/// The rows of each record, in the order of `statuses`.
pub(super) fn rows_by_record(
    statuses: &StatusReplacement,
) -> BTreeMap<&RecordKey, Vec<&StatusRow>> {
    let mut rows: BTreeMap<&RecordKey, Vec<&StatusRow>> = BTreeMap::new();
    for row in &statuses.rows {
        rows.entry(&row.record).or_default().push(row);
    }
    rows
}

/// The facts that are settled together: what agencies sent up to the next decision or activation, or
/// that one alone.
fn first_run(facts: &[Fact]) -> &[Fact] {
    let is_sent = |fact: &Fact| {
        matches!(
            fact.kind,
            FactKind::Records { .. } | FactKind::Events { .. } | FactKind::Statements { .. }
        )
    };
    let n_sent = facts.iter().take_while(|fact| is_sent(fact)).count();
    &facts[..n_sent.max(1).min(facts.len())]
}

fn redirects(regrouping: &Regrouping) -> Vec<Redirect> {
    regrouping.redirects.iter().map(|&(from, to)| Redirect { from, to }).collect()
}

fn split_off(regrouping: &Regrouping) -> Vec<Origin> {
    let origin = |&(participant, split_from)| Origin { participant, split_from };
    regrouping.origins.iter().map(origin).collect()
}

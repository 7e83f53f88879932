//! What the engine holds in memory: the linker, and where every record stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;
use linkage::{
    Decided, Decision as LinkageDecision, LabeledJoin, Linker, Model, Policy, ReviewReason,
    TrainingOptions,
};
use record::{EncodedRecord, ParticipantId, RecordKey, RecordVersion, Schema};
use rustc_hash::FxHashMap;
use store::{ActivationKind, Actor, Decisions, NewDecision, Records, Seq, Shown, Store, Verdict};

use super::{
    EngineError, Evaluator, Explained, Progress, TrainedModel, Training,
    calendar::{Calendar, Recomputation},
    held::HeldBack,
    origins::Run,
    reconcile::Reconciliation,
    tasks::{AUDIT, Audits},
};
use crate::{activation, clock::Clock, participants::Place};

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// The fact that first brought the record.
    pub first_seq: Seq,
    /// Its participant; `None` while it is withdrawn or not yet settled.
    pub participant: Option<ParticipantId>,
}

/// The replayer of facts. Lives on one thread; [`super::EngineHandle`] talks to it.
pub struct Engine {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) schema: Arc<Schema>,
    pub(super) policy: Policy,
    pub(super) linker: Linker,
    pub(super) model_version: String,
    pub(super) evaluator: Evaluator,
    /// The day for which all statuses hold.
    pub(super) day: Date,
    pub(super) calendar: Calendar,
    pub(super) recomputation: Option<Recomputation>,
    pub(super) held: HeldBack,
    pub(super) reconciliation: Option<Reconciliation>,
    pub(super) audits: Audits,
    pub(super) applied: Seq,
    pub(super) records: FxHashMap<RecordKey, Standing>,
    pub(super) members: FxHashMap<ParticipantId, BTreeSet<RecordKey>>,
    pub(super) next_participant: u64,
}

impl Engine {
    /// Rebuilds the state in memory from the facts up to the last one taken in, then applies the days
    /// that passed and catches up. What other rules change is left to be done beside other work.
    ///
    /// A model must have been activated.
    ///
    /// # Errors
    /// The store's, or [`EngineError::Model`] when the model in force does not fit the schema.
    pub fn open(
        store: Store,
        clock: Clock,
        schema: Arc<Schema>,
        policy: Policy,
        evaluator: Evaluator,
    ) -> Result<Self, EngineError> {
        let is_lost = store.applied_seq()? < store.settled_seq()?;
        if is_lost {
            tracing::warn!("the derived state is lost or behind: it is made anew from the facts");
            store.restore_memberships()?;
        }
        let applied = store.applied_seq()?;
        let (linker, model_version) = linker_at(&store, &schema, &policy, applied)?;
        evaluator.sources.take_in(&store, applied)?;
        let last = store.evaluation()?;
        let day = last.map_or_else(|| clock.today(), |last| last.day);
        let mut engine = Self {
            day,
            calendar: Calendar::read(day, store.due()?),
            recomputation: None,
            held: HeldBack::read(store.held()?),
            reconciliation: None,
            audits: Audits::default(),
            next_participant: store.next_participant_id()?.0,
            linker,
            store,
            clock,
            schema,
            policy,
            model_version,
            evaluator,
            applied,
            records: FxHashMap::default(),
            members: FxHashMap::default(),
        };
        engine.load_records()?;
        engine.audits = Audits::read(&engine.store, applied)?;
        engine.restore_memberships()?;
        engine.forget_erased_before()?;
        engine.begin_recomputation(last)?;
        engine.keep_calendar()?;
        // Without a status of anybody nothing can be served.
        while is_lost && engine.recompute_some()? {}
        while engine.take_in_some()? {}
        Ok(engine)
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        Progress {
            applied: self.applied,
            day: self.day,
            to_recompute: self.to_recompute(),
            held: self.held.len(),
        }
    }

    fn load_records(&mut self) -> Result<(), EngineError> {
        for (record, first_seq) in self.store.arrivals(self.applied)? {
            self.records.insert(record, Standing { first_seq, participant: None });
        }
        let present = Records::PresentAt(self.applied);
        insert_all(&self.store, present, &self.schema, &mut self.linker, |_| {})
    }

    /// Takes over what was asserted before, then settles: a difference is asserted anew.
    fn restore_memberships(&mut self) -> Result<(), EngineError> {
        for (record, participant) in self.store.asserted_memberships(Some(self.applied))? {
            // One whose versions are erased stands until its withdrawal is taken in.
            let unknown = Standing { first_seq: self.applied, participant: None };
            let standing = self.records.entry(record.clone()).or_insert(unknown);
            standing.participant = Some(participant);
            self.members.entry(participant).or_default().insert(record);
        }
        if self.records.is_empty() {
            return Ok(());
        }
        let cause = Some(store::MembershipCause::Reconcile);
        self.settle(self.applied, &Run { cause, ..Run::default() })
    }

    /// Where `record` stood before the facts that are being taken in.
    pub(super) fn place(&self, record: &RecordKey) -> Option<Place> {
        let standing = self.records.get(record)?;
        let participant = standing.participant?;
        Some(Place { participant, first_seq: standing.first_seq })
    }

    /// Explains pairs of records, and says which fields records have.
    pub(super) fn explain(
        &self,
        pairs: &[(RecordKey, RecordKey)],
        records: &[RecordKey],
    ) -> Explained {
        Explained {
            pairs: pairs.iter().map(|(a, b)| self.linker.explain(a, b)).collect(),
            fields: records.iter().map(|record| self.linker.present_fields(record)).collect(),
        }
    }

    /// Trains a model and, where somebody is named, activates it.
    pub(super) fn train(&self, training: &Training) -> Result<TrainedModel, EngineError> {
        let &Training { seed, with_decisions, ref activate } = training;
        let labels = if with_decisions { self.labels()? } else { Vec::new() };
        let kind = if with_decisions { "judged" } else { "trained" };
        let id = format!("{kind}-{}-{seed}", self.applied.0);
        let options = TrainingOptions { id, seed, labels, ..TrainingOptions::default() };
        let training = self
            .linker
            .train(&options)
            .map_err(|error| EngineError::Training(error.to_string()))?;
        let model = training.model;
        let activated = activate.as_ref().map(|by| self.put_in_force(&model, by));
        let activated = activated.transpose()?;
        Ok(TrainedModel {
            version: model.id.clone(),
            content: model.to_toml(),
            report: training.report.to_string(),
            activated,
        })
    }

    /// What stewards decided where they were asked because of the weight alone: given the weight, the
    /// truth had no part in the choice of these tasks.
    fn labels(&self) -> Result<Vec<LabeledJoin>, EngineError> {
        let mut decisions = self.store.decisions(Decisions::Standing)?;
        let band = ReviewReason::Band.to_string();
        decisions.retain(|it| it.made.task_reason == band || it.made.task_reason == AUDIT);
        let records = |shown: Vec<Shown>| shown.into_iter().map(|shown| shown.record).collect();
        let label = |decision: store::Decision| LabeledJoin {
            is_match: decision.made.verdict == Verdict::Link,
            left: records(decision.made.left),
            right: records(decision.made.right),
        };
        Ok(decisions.into_iter().map(label).collect())
    }

    /// Puts a model, given as TOML, in force.
    pub(super) fn activate(&self, content: &str, by: &Actor) -> Result<Seq, EngineError> {
        let model = Model::from_toml(content, &self.schema)
            .map_err(|error| EngineError::Model(error.to_string()))?;
        let model = match &self.linker.model().frequencies {
            Some(frequencies) => model.with_frequencies(frequencies.clone()),
            None => model,
        };
        self.put_in_force(&model, by)
    }

    fn put_in_force(&self, model: &Model, by: &Actor) -> Result<Seq, EngineError> {
        let content = activation::model_content(model);
        let at = self.clock.now();
        Ok(self.store.activate(ActivationKind::Model, &model.id, &content, by, at)?)
    }
}

/// Inserts stored record versions into a linker, and shows each record to `heard_of`.
pub(super) fn insert_all(
    store: &Store,
    records: Records,
    schema: &Schema,
    linker: &mut Linker,
    mut heard_of: impl FnMut(&RecordKey),
) -> Result<(), EngineError> {
    let mut damaged = None;
    store.for_each_record(records, |key, version, payload| {
        match EncodedRecord::from_bytes(schema, payload) {
            Ok(record) => {
                heard_of(&key);
                linker.insert(key, version, record);
            }
            // Nothing but a damaged or foreign database holds what is not of the schema.
            Err(error) => damaged = Some(store::Error::Corrupt(error.to_string())),
        }
    })?;
    damaged.map_or(Ok(()), |error| Err(error.into()))
}

/// An empty linker with the model and the decisions in force after the fact `seq`.
pub(super) fn linker_at(
    store: &Store,
    schema: &Arc<Schema>,
    policy: &Policy,
    seq: Seq,
) -> Result<(Linker, String), EngineError> {
    let at = (seq > Seq(0)).then_some(seq);
    let active = store
        .active(ActivationKind::Model, at)?
        .ok_or_else(|| EngineError::Model("no model was activated".to_owned()))?;
    let model = read_model(&active.content, schema)?;
    let mut linker = Linker::new(schema.clone(), Arc::new(model), policy.clone());
    for decision in store.decisions(Decisions::All)? {
        let undone = decision.undone.is_some_and(|undo| undo.seq <= seq);
        if decision.seq <= seq && !undone {
            bind(&mut linker, &decision.made);
        }
    }
    Ok((linker, active.version))
}

/// Reads a model that was activated.
pub(super) fn read_model(content: &[u8], schema: &Schema) -> Result<Model, EngineError> {
    activation::read_model(content, schema).map_err(|error| EngineError::Model(error.to_string()))
}

/// Lets a decision bind all of its pairs.
pub(super) fn bind(linker: &mut Linker, made: &NewDecision) {
    for (left, right) in &made.pairs {
        bind_pair(linker, made, left, right);
    }
}

/// Lets a decision bind one of its pairs.
pub(super) fn bind_pair(
    linker: &mut Linker,
    made: &NewDecision,
    left: &RecordKey,
    right: &RecordKey,
) {
    let decision = match made.verdict {
        Verdict::Link => LinkageDecision::MustLink,
        Verdict::Separate => LinkageDecision::CannotLink,
    };
    // A record that was not shown has no version that was seen: every one is new.
    let seen = |record| made.version_of(record).unwrap_or(RecordVersion(i64::MIN));
    linker.decide(left, right, Decided { decision, seen: (seen(left), seen(right)) });
}

/// Participants in an order that does not depend on hashing.
pub(super) type Participants = BTreeMap<ParticipantId, BTreeSet<RecordKey>>;

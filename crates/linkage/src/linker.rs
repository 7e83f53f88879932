//! The incremental linker: index, edges, decisions and partition; the same offline and served.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use hashbrown::HashMap;
use record::{EncodedRecord, RecordKey, RecordVersion, Schema};

use crate::{
    block::{Blocking, Crossing},
    edges::Edges,
    frequency::HeldValues,
    index::{Index, NodeId},
    model::Model,
    policy::Policy,
    score::Scorer,
    settlement::{BlockingReport, Decided, Decision, KeyReport, ScoredPair},
    values::{FieldValues, ValueId},
};

/// A record version's name; its order is the order of everything that the linker gives out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeName {
    pub(crate) key: RecordKey,
    pub(crate) version: RecordVersion,
}

/// Links records into people.
///
/// What [`Linker::settle`] gives depends on the records, versions, decisions, model and policy
/// alone, never on the order or the batches in which they came.
pub struct Linker {
    pub(crate) schema: Arc<Schema>,
    pub(crate) model: Arc<Model>,
    pub(crate) policy: Policy,
    pub(crate) scorer: Scorer,
    pub(crate) index: Index,
    pub(crate) blocking: Blocking,
    pub(crate) edges: Edges,
    /// By node; `None` in places that are free.
    pub(crate) names: Vec<Option<NodeName>>,
    /// By node: the node that stands for its record, the same for all versions.
    record_of: Vec<NodeId>,
    /// The versions of each record, ascending.
    pub(crate) records: HashMap<RecordKey, Vec<NodeId>>,
    decisions: BTreeMap<RecordKey, BTreeMap<RecordKey, Decided>>,
    pub(crate) pending: Pending,
}

/// What has changed since the last settlement.
#[derive(Default)]
pub(crate) struct Pending {
    /// Nodes whose candidates have not been scored; a node may be listed twice, and may be gone.
    pub(crate) unscored: Vec<NodeId>,
    /// Tokens whose count crossed the cap.
    pub(crate) crossings: BTreeSet<Crossing>,
    /// Records whose component has to be divided again, removed ones too.
    pub(crate) touched: BTreeSet<RecordKey>,
}

impl Linker {
    /// An empty linker.
    pub fn new(schema: Arc<Schema>, model: Arc<Model>, policy: Policy) -> Self {
        let index = Index::new(&schema);
        Self {
            scorer: Scorer::new(&schema, &model, &index),
            blocking: Blocking::new(&schema, &policy),
            schema,
            model,
            policy,
            index,
            edges: Edges::default(),
            names: Vec::new(),
            record_of: Vec::new(),
            records: HashMap::new(),
            decisions: BTreeMap::new(),
            pending: Pending::default(),
        }
    }

    /// Adds a version of a record. All versions of a record are evidence and stay together. A
    /// version that is known already changes nothing. `record` has the shape of the schema.
    // The interface takes the record so that a caller need not know that values are interned.
    #[expect(clippy::needless_pass_by_value)]
    pub fn insert(&mut self, key: RecordKey, version: RecordVersion, record: EncodedRecord) {
        let versions = self.records.get(&key).map_or(&[][..], Vec::as_slice);
        let place = versions.partition_point(|node| self.name(*node).version < version);
        if versions.get(place).is_some_and(|node| self.name(*node).version == version) {
            return;
        }
        let node = self.index.insert(&record);
        self.scorer.note_node(&self.model, &self.index, node);
        let crossings = &mut self.pending.crossings;
        self.blocking.insert(node, &record.blocking, &self.index, |crossing| {
            crossings.insert(crossing);
        });
        if self.names.len() <= node.place() {
            self.names.resize(node.place() + 1, None);
            self.record_of.resize(node.place() + 1, node);
        }
        self.record_of[node.place()] =
            self.versions(&key).first().map_or(node, |first| self.record_of[first.place()]);
        self.names[node.place()] = Some(NodeName { key: key.clone(), version });
        self.records.entry(key).or_default().insert(place, node);
        self.pending.unscored.push(node);
    }

    /// Takes out a record with all of its versions. Decisions about it are kept: they hold again
    /// if the record comes back.
    pub fn remove(&mut self, key: &RecordKey) {
        let Some(nodes) = self.records.remove(key) else { return };
        for node in nodes {
            for other in self.edges.isolate(node) {
                if let Some(name) = &self.names[other.place()] {
                    self.pending.touched.insert(name.key.clone());
                }
            }
            let crossings = &mut self.pending.crossings;
            self.blocking.remove(node, |crossing| {
                crossings.insert(crossing);
            });
            self.index.remove(node);
            self.names[node.place()] = None;
        }
        let decided: Vec<_> = self.decided(key).map(|(other, _)| other.clone()).collect();
        self.pending.touched.extend(decided);
        self.pending.touched.insert(key.clone());
    }

    /// Takes out a record for good: its versions, and every decision about it. The next settlement
    /// lists it as touched, even where it is unknown.
    pub fn forget(&mut self, key: &RecordKey) {
        self.remove(key);
        self.pending.touched.insert(key.clone());
        let decided: Vec<_> = self.decided(key).map(|(other, _)| other.clone()).collect();
        for other in decided {
            self.undo_decision(key, &other);
        }
    }

    /// The values that records hold.
    pub fn held_values(&self) -> HeldValues {
        let of_field = |values: &FieldValues| {
            values.counted().map(|(value, _)| values.fingerprint(value)).collect()
        };
        HeldValues(self.index.fields.iter().map(of_field).collect())
    }

    /// Forgets the term frequencies of the model in use of values that no record holds any more, as
    /// where records were erased. No pair has another weight then.
    pub fn forget_frequencies(&mut self, held: &HeldValues) {
        let frequencies = self.model.frequencies.as_ref();
        if let Some(kept) = frequencies.and_then(|frequencies| frequencies.of_held(held)) {
            self.model = Arc::new(Model::clone(&self.model).with_frequencies(Arc::new(kept)));
            self.scorer = Scorer::new(&self.schema, &self.model, &self.index);
        }
    }

    /// Enters a steward's decision; a later one about the same two records replaces it. Either
    /// record may be unknown yet. Where must-links contradict a cannot-link, must-links win.
    /// Versions newer than those seen may reopen it as a task ([`crate::ReviewReason::Contrary`]);
    /// it binds until another one replaces it.
    pub fn decide(&mut self, left: &RecordKey, right: &RecordKey, decided: Decided) {
        for (one, other, decided) in [(left, right, decided), (right, left, decided.turned())] {
            self.decisions.entry(one.clone()).or_default().insert(other.clone(), decided);
            self.pending.touched.insert(one.clone());
        }
    }

    /// Takes a steward's decision back.
    pub fn undo_decision(&mut self, left: &RecordKey, right: &RecordKey) {
        for (one, other) in [(left, right), (right, left)] {
            if let Some(others) = self.decisions.get_mut(one) {
                others.remove(other);
                if others.is_empty() {
                    self.decisions.remove(one);
                }
            }
            self.pending.touched.insert(one.clone());
        }
    }

    /// Changes the model; the next settlement scores and divides everything again.
    pub fn set_model(&mut self, model: Arc<Model>) {
        self.scorer = Scorer::new(&self.schema, &model, &self.index);
        self.model = model;
        self.edges.clear();
        self.pending.unscored = self.nodes().collect();
        self.pending.crossings.clear();
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The model in use.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The steward's decision about two records, if there is one.
    pub fn standing(&self, left: &RecordKey, right: &RecordKey) -> Option<Decision> {
        self.decisions.get(left)?.get(right).map(|decided| decided.decision)
    }

    /// The newest version of a record; `None` if it is unknown.
    pub fn newest_version(&self, key: &RecordKey) -> Option<RecordVersion> {
        self.versions(key).last().map(|node| self.name(*node).version)
    }

    /// The places of the schema's fields of which the newest version of a record has a value,
    /// ascending; `None` if the record is unknown.
    pub fn present_fields(&self, key: &RecordKey) -> Option<Vec<usize>> {
        let row = self.index.row(*self.versions(key).last()?);
        Some((0..row.len()).filter(|field| row[*field] != ValueId::MISSING).collect())
    }

    /// All pairs of records scored at or above the lower cut-off, by (left, right), as of the last
    /// settlement.
    pub fn pairs(&self) -> impl Iterator<Item = ScoredPair> + use<> {
        let mut pairs: Vec<_> = self
            .edges
            .iter()
            .map(|(left, right, weight)| {
                let (left, right) = (&self.name(left).key, &self.name(right).key);
                (left.min(right).clone(), left.max(right).clone(), weight)
            })
            .collect();
        pairs.sort_by(|l, r| (&l.0, &l.1).cmp(&(&r.0, &r.1)).then_with(|| r.2.0.total_cmp(&l.2.0)));
        pairs.dedup_by(|next, first| (&next.0, &next.1) == (&first.0, &first.1));
        let model = Arc::clone(&self.model);
        pairs.into_iter().map(move |(left, right, weight)| {
            let probability = model.probability(weight).value;
            ScoredPair { left, right, weight, probability }
        })
    }

    /// What blocking does with the records as they are.
    pub fn blocking_report(&self) -> BlockingReport {
        let mut keys: Vec<_> = self
            .schema
            .blocking
            .iter()
            .map(|key| KeyReport {
                key: key.name.clone(),
                n_tokens: 0,
                n_pairs: 0,
                n_tokens_over_cap: 0,
                n_versions_over_cap: 0,
                n_pairs_skipped: 0,
                n_pairs_divided: 0,
            })
            .collect();
        for (token, nodes) in self.blocking.blocks() {
            let Some(report) = keys.get_mut(usize::from(token.key)) else { continue };
            let n = nodes.len() as u64;
            report.n_tokens += 1;
            if nodes.len() > self.blocking.cap_of_key(token.key) {
                report.n_tokens_over_cap += 1;
                report.n_versions_over_cap += n;
                report.n_pairs_skipped += n * (n - 1) / 2;
                report.n_pairs_divided += self.blocking.n_pairs_divided(token, nodes, &self.index);
            } else {
                report.n_pairs += n * (n - 1) / 2;
            }
        }
        let is_unreached = |node: &NodeId| {
            self.blocking.candidates(*node).all(|other| self.same_record(*node, other))
        };
        BlockingReport {
            cap: self.policy.block_cap,
            keys,
            n_versions_unreached: self.nodes().filter(is_unreached).count(),
        }
    }

    /// Every node in use.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        let places = self.names.iter().enumerate().filter(|(_, name)| name.is_some());
        places.map(|(place, _)| NodeId(place as u32))
    }

    /// The name of a node in use.
    pub(crate) fn name(&self, node: NodeId) -> &NodeName {
        self.names[node.place()].as_ref().expect("a node in use has a name")
    }

    /// The node that stands for a node's record, the same for all of its versions.
    pub(crate) fn record_of(&self, node: NodeId) -> NodeId {
        self.record_of[node.place()]
    }

    /// Whether two nodes are versions of one record.
    pub(crate) fn same_record(&self, left: NodeId, right: NodeId) -> bool {
        self.record_of(left) == self.record_of(right)
    }

    /// The versions of a record, ascending; none if it is unknown.
    pub(crate) fn versions(&self, key: &RecordKey) -> &[NodeId] {
        self.records.get(key).map_or(&[], Vec::as_slice)
    }

    /// The decisions about a record, by the other record, as between the record and the other one.
    pub(crate) fn decided(
        &self,
        key: &RecordKey,
    ) -> impl Iterator<Item = (&RecordKey, Decided)> + '_ {
        let others = self.decisions.get(key).into_iter().flatten();
        others.map(|(other, decided)| (other, *decided))
    }
}

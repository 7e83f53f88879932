//! Settles a linker: scores new candidates, keeps edges, divides touched components.

use std::collections::HashMap;

use rayon::prelude::*;
use record::{FieldKind, RecordKey};
use rustc_hash::FxHashSet;

use crate::{
    edges::Edge,
    index::NodeId,
    level::{Level, Pattern},
    linker::Linker,
    oversize::split,
    partition::{Division, Identifiers, Limits, Vote, divide},
    score::PairScore,
    settlement::{Decision, OversizeComponent, ReviewTask, Settlement},
    weight::{FixedWeight, MatchWeight},
};

/// A connected component: its nodes by name, and what is decided among them.
struct Component {
    nodes: Vec<NodeId>,
    bound: Vec<usize>,
    apart: Vec<(usize, usize)>,
}

/// A component divided, in terms of records.
#[derive(Default)]
struct Settled {
    groups: Vec<Vec<RecordKey>>,
    tasks: Vec<ReviewTask>,
    oversize: Option<OversizeComponent>,
}

impl Linker {
    /// Brings groups and tasks up to date. Only components that records, versions, removals,
    /// decisions or a changed block have touched since the last call are divided again.
    pub fn settle(&mut self) -> Settlement {
        let mut seeds: FxHashSet<NodeId> = self.retract_unsupported();
        let edges = self.score_pending();
        for edge in edges {
            self.edges.insert(edge);
            seeds.extend([edge.left, edge.right]);
        }
        seeds.extend(std::mem::take(&mut self.pending.unscored));
        let mut records: Vec<RecordKey> =
            std::mem::take(&mut self.pending.touched).into_iter().collect();
        seeds.extend(records.iter().flat_map(|key| self.versions(key)));

        let components = self.components(seeds);
        let settled: Vec<Settled> =
            components.par_iter().map(|component| self.settle_component(component)).collect();
        let mut settlement = Settlement::default();
        for part in settled {
            settlement.groups.extend(part.groups);
            settlement.tasks.extend(part.tasks);
            settlement.oversize.extend(part.oversize);
        }
        records.extend(settlement.groups.iter().flatten().cloned());
        records.par_sort_unstable();
        records.dedup();
        settlement.records = records;
        settlement.groups.par_sort_unstable();
        settlement.tasks.sort_by(|l, r| (&l.left, &l.right).cmp(&(&r.left, &r.right)));
        settlement.oversize.sort_by(|l, r| l.first.cmp(&r.first));
        settlement
    }

    /// Follows the tokens whose counts crossed the cap: edges that only a token now over the cap
    /// supported go, holders of a token back under it are scored again. Returns the ends of the
    /// edges that went.
    fn retract_unsupported(&mut self) -> FxHashSet<NodeId> {
        let mut ends = FxHashSet::default();
        for crossing in std::mem::take(&mut self.pending.crossings) {
            let (nodes, is_over) = self.blocking.crossing(crossing);
            if !is_over {
                self.pending.unscored.extend(nodes);
                continue;
            }
            let mut unsupported = Vec::new();
            for &node in nodes {
                for (other, _) in self.edges.of(node) {
                    if node < *other && !self.blocking.supports(node, *other) {
                        unsupported.push((node, *other));
                    }
                }
            }
            for (left, right) in unsupported {
                self.edges.remove(left, right);
                ends.extend([left, right]);
            }
        }
        ends
    }

    /// Scores the candidates of the pending nodes; gives the new edges.
    fn score_pending(&self) -> Vec<Edge> {
        let lower = MatchWeight::from_probability(self.model.cut_offs.lower);
        let pending: Vec<NodeId> = self.pending.unscored.iter().copied().collect();
        let mut is_pending = vec![false; self.index.n_places()];
        pending.iter().for_each(|node| is_pending[node.place()] = true);
        let of_node = |candidates: &mut Vec<NodeId>, node: NodeId| {
            candidates.clear();
            self.blocking.candidates(node, |other| {
                if !is_pending[other.place()] || node < other {
                    candidates.push(other);
                }
            });
            candidates.sort_unstable();
            candidates.dedup();
            let mut edges = Vec::new();
            for &other in candidates.iter() {
                if self.same_record(node, other) || self.edges.contains(node, other) {
                    continue;
                }
                let weight = self.weight(self.scorer.score(&self.index, node, other));
                if weight >= lower {
                    edges.push(Edge { left: node, right: other, weight: weight.into() });
                }
            }
            edges
        };
        pending
            .par_iter()
            .map_init(Vec::new, |candidates, node| of_node(candidates, *node))
            .flatten_iter()
            .collect()
    }

    /// The weight of a pair: the prior and its evidence.
    pub(crate) fn weight(&self, score: PairScore) -> MatchWeight {
        MatchWeight(self.scorer.prior + score.evidence)
    }

    pub(crate) fn same_record(&self, left: NodeId, right: NodeId) -> bool {
        self.name(left).key == self.name(right).key
    }

    /// The components that contain `seeds`: nodes joined by edges, by being versions of one
    /// record, or by must-links.
    fn components(&self, seeds: FxHashSet<NodeId>) -> Vec<Component> {
        let mut seen = vec![false; self.index.n_places()];
        let mut seeds: Vec<_> = seeds.into_iter().collect();
        seeds.sort_unstable();
        let mut components = Vec::new();
        for seed in seeds {
            if seen[seed.place()] {
                continue;
            }
            seen[seed.place()] = true;
            let mut nodes = vec![seed];
            let mut next = 0;
            while let Some(&node) = nodes.get(next) {
                next += 1;
                let key = &self.name(node).key;
                let joined = self.edges.of(node).iter().map(|(other, _)| *other);
                let versions = self.versions(key).iter().copied();
                let linked = self
                    .decided(key)
                    .filter(|(_, decision)| *decision == Decision::MustLink)
                    .flat_map(|(other, _)| self.versions(other).iter().copied());
                for other in joined.chain(versions).chain(linked) {
                    if !std::mem::replace(&mut seen[other.place()], true) {
                        nodes.push(other);
                    }
                }
            }
            components.push(self.component(nodes));
        }
        components
    }

    /// Numbers the nodes of a component by name and looks up what is decided among them.
    fn component(&self, mut nodes: Vec<NodeId>) -> Component {
        nodes.sort_by(|l, r| self.name(*l).cmp(self.name(*r)));
        let mut first: HashMap<&RecordKey, usize> = HashMap::with_capacity(nodes.len());
        let mut bound: Vec<usize> = Vec::with_capacity(nodes.len());
        let mut links = Vec::new();
        let mut apart = Vec::new();
        for (member, node) in nodes.iter().enumerate() {
            bound.push(*first.entry(&self.name(*node).key).or_insert(member));
        }
        for (key, member) in &first {
            for (other, decision) in self.decided(key) {
                let Some(other) = first.get(other).filter(|other| *other < member) else {
                    continue;
                };
                match decision {
                    Decision::MustLink => links.push((*other, *member)),
                    Decision::CannotLink => apart.push((*other, *member)),
                }
            }
        }
        bind(&mut bound, &links);
        apart.sort_unstable();
        Component { nodes, bound, apart }
    }

    fn settle_component(&self, component: &Component) -> Settled {
        if component.bound.iter().all(|first| *first == 0) {
            let groups = vec![self.keys(&component.nodes)];
            return Settled { groups, ..Settled::default() };
        }
        if component.nodes.len() <= self.policy.component_limit {
            return self.settle_part(component);
        }
        let mut edges = Vec::new();
        let place: HashMap<NodeId, usize> =
            component.nodes.iter().enumerate().map(|(at, node)| (*node, at)).collect();
        for (left, node) in component.nodes.iter().enumerate() {
            for (other, weight) in self.edges.of(*node) {
                let right = place[other];
                if left < right {
                    edges.push((*weight, left, right));
                }
            }
        }
        let parts = split(&component.bound, &mut edges, self.policy.component_limit);
        let mut settled = Settled {
            oversize: Some(OversizeComponent {
                first: self.name(component.nodes[0]).key.clone(),
                n_versions: component.nodes.len(),
                n_parts: parts.len(),
                highest_cut_off: parts.iter().filter_map(|part| part.cut_off).max().map(Into::into),
            }),
            ..Settled::default()
        };
        for part in parts {
            let part = component.part(&part.members);
            let Settled { groups, tasks, .. } = self.settle_part(&part);
            settled.groups.extend(groups);
            settled.tasks.extend(tasks);
        }
        settled
    }

    fn settle_part(&self, part: &Component) -> Settled {
        let limits = Limits {
            upper: MatchWeight::from_probability(self.model.cut_offs.upper),
            lower: MatchWeight::from_probability(self.model.cut_offs.lower),
        };
        let vote =
            |left: usize, right: usize| self.vote(part.nodes[left], part.nodes[right], limits);
        let Division { groups, proposals } = divide(&part.bound, &part.apart, limits, vote);
        let keys = |group: &[usize]| {
            self.keys(&group.iter().map(|member| part.nodes[*member]).collect::<Vec<_>>())
        };
        let tasks = proposals
            .into_iter()
            .map(|proposal| {
                let (left, right) = (&groups[proposal.left], &groups[proposal.right]);
                let (best_left, best_right) = best_pair(left, right, vote);
                let key = |member: usize| self.name(part.nodes[member]).key.clone();
                ReviewTask {
                    left: keys(left),
                    right: keys(right),
                    best_pair: (key(best_left), key(best_right)),
                    weight: proposal.weight,
                    probability: proposal.weight.probability(),
                    reason: proposal.reason,
                }
            })
            .collect();
        Settled { groups: groups.iter().map(|group| keys(group)).collect(), tasks, oversize: None }
    }

    /// A pair votes when full agreement in the fields that both records have would reach the upper
    /// cut-off, or when it reaches the lower one as it is. Others say too little either way: a wage
    /// record with SSN and name says nothing about a record without SSN.
    fn vote(&self, left: NodeId, right: NodeId, limits: Limits) -> Vote {
        let score = self.scorer.score(&self.index, left, right);
        let weight = self.weight(score);
        let could_be = MatchWeight(self.scorer.prior + score.potential);
        let limit = self.model.vote_limit;
        Vote {
            weight: FixedWeight::from(MatchWeight(weight.0.clamp(-limit, limit))),
            counts: could_be >= limits.upper || weight >= limits.lower,
            identifiers: self.identifiers(score.pattern),
        }
    }

    /// What the identifiers of a pair say.
    pub(crate) fn identifiers(&self, pattern: Pattern) -> Identifiers {
        let mut found = Identifiers::default();
        for (place, field) in self.schema.fields.iter().enumerate() {
            if field.kind != FieldKind::Identifier {
                continue;
            }
            match pattern.level(place).map(|level| self.model.fields[place].levels[level].level) {
                Some(Level::Exact | Level::Near | Level::Far) => found.agree = true,
                Some(Level::Differ) => found.conflict = true,
                _ => (),
            }
        }
        found
    }

    /// The records of nodes, each once; nodes are in the order of their names.
    fn keys(&self, nodes: &[NodeId]) -> Vec<RecordKey> {
        let mut keys: Vec<_> = nodes.iter().map(|node| &self.name(*node).key).collect();
        keys.dedup();
        keys.into_iter().cloned().collect()
    }
}

impl Component {
    /// The component that `members` (ascending) are by themselves.
    fn part(&self, members: &[usize]) -> Self {
        let place = |member: &usize| members.binary_search(member).ok();
        let bound = members
            .iter()
            .map(|member| place(&self.bound[*member]).expect("bound members are in one part"))
            .collect();
        let apart = self
            .apart
            .iter()
            .filter_map(|(left, right)| Some((place(left)?, place(right)?)))
            .collect();
        Self { nodes: members.iter().map(|member| self.nodes[*member]).collect(), bound, apart }
    }
}

/// Joins bound sets by `links`; every member is then bound to the smallest of its set.
fn bind(bound: &mut [usize], links: &[(usize, usize)]) {
    fn first(bound: &[usize], mut at: usize) -> usize {
        while bound[at] != at {
            at = bound[at];
        }
        at
    }
    for &(left, right) in links {
        let (left, right) = (first(bound, left), first(bound, right));
        bound[left.max(right)] = left.min(right);
    }
    for member in 0..bound.len() {
        bound[member] = first(bound, member);
    }
}

/// The strongest pair across two groups, the first one of equals.
fn best_pair(
    left: &[usize],
    right: &[usize],
    vote: impl Fn(usize, usize) -> Vote,
) -> (usize, usize) {
    let mut best = (FixedWeight(i32::MIN), (left[0], right[0]));
    for &a in left {
        for &b in right {
            let weight = vote(a, b).weight;
            if weight > best.0 {
                best = (weight, (a, b));
            }
        }
    }
    best.1
}

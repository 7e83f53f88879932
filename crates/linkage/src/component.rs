//! One connected component of records: what holds it together, its votes, and how it is divided.

use hashbrown::HashMap;
use record::{Field, FieldKind, KeyPart, RecordKey};

use crate::{
    edges::Edges,
    index::NodeId,
    level::{Level, Pattern},
    linker::Linker,
    model::Model,
    oversize::split,
    partition::{Division, Identifiers, Join, Limits, Vote, divide},
    score::{PairScore, Scorer},
    settlement::{Decision, OversizeComponent, ReviewTask},
    values::ValueId,
    weight::{FixedWeight, MatchWeight},
};

/// A connected component: its nodes by name, and what is decided among them.
pub(crate) struct Component {
    pub(crate) nodes: Vec<NodeId>,
    /// By node: the first one that it must stay with.
    pub(crate) bound: Vec<usize>,
    apart: Vec<(usize, usize)>,
}

/// A component divided, in terms of records.
#[derive(Default)]
pub(crate) struct Settled {
    pub(crate) groups: Vec<Vec<RecordKey>>,
    pub(crate) tasks: Vec<ReviewTask>,
    pub(crate) oversize: Option<OversizeComponent>,
    pub(crate) joins: Vec<Join>,
}

/// Divides the components of a linker under a model, which need not be the linker's own.
pub(crate) struct Settler<'a> {
    pub(crate) linker: &'a Linker,
    pub(crate) model: &'a Model,
    pub(crate) scorer: &'a Scorer,
    pub(crate) limits: Limits,
}

impl<'a> Settler<'a> {
    /// Divides by the cut-offs of `model`, for which `scorer` was made.
    pub(crate) fn new(linker: &'a Linker, model: &'a Model, scorer: &'a Scorer) -> Self {
        let cut_offs = model.cut_offs;
        let limits = Limits {
            upper: MatchWeight(cut_offs.upper),
            lower: MatchWeight(cut_offs.lower),
            silent: MatchWeight(cut_offs.silent),
            margin: MatchWeight(cut_offs.margin),
        };
        Self { linker, model, scorer, limits }
    }

    /// The weight of a pair: the prior and its evidence.
    pub(crate) fn weight(&self, score: PairScore) -> MatchWeight {
        MatchWeight(self.scorer.prior + score.evidence)
    }

    /// Everything joined to `seed`, by edges, by being versions of one record, or by must-links;
    /// marks it in `seen`.
    pub(crate) fn connected(&self, seed: NodeId, edges: &Edges, seen: &mut [bool]) -> Vec<NodeId> {
        seen[seed.place()] = true;
        let mut nodes = vec![seed];
        let mut next = 0;
        while let Some(&node) = nodes.get(next) {
            next += 1;
            let joined = edges.of(node).iter().map(|(other, _)| *other);
            for other in joined.chain(self.held_together(node)) {
                if !std::mem::replace(&mut seen[other.place()], true) {
                    nodes.push(other);
                }
            }
        }
        nodes
    }

    /// The versions of the node's record, and of the records that a steward linked to it.
    pub(crate) fn held_together(&self, node: NodeId) -> impl Iterator<Item = NodeId> + 'a {
        let linker = self.linker;
        let key = &linker.name(node).key;
        let linked = linker
            .decided(key)
            .filter(|(_, decided)| decided.decision == Decision::MustLink)
            .flat_map(|(other, _)| linker.versions(other).iter().copied());
        linker.versions(key).iter().copied().chain(linked)
    }

    /// Numbers the nodes of a component by name and looks up what is decided among them.
    pub(crate) fn component(&self, mut nodes: Vec<NodeId>) -> Component {
        let linker = self.linker;
        nodes.sort_by(|l, r| linker.name(*l).cmp(linker.name(*r)));
        let mut first: HashMap<&RecordKey, usize> = HashMap::with_capacity(nodes.len());
        let mut bound: Vec<usize> = Vec::with_capacity(nodes.len());
        let mut links = Vec::new();
        let mut apart = Vec::new();
        for (member, node) in nodes.iter().enumerate() {
            bound.push(*first.entry(&linker.name(*node).key).or_insert(member));
        }
        for (key, member) in &first {
            for (other, decided) in linker.decided(key) {
                let Some(other) = first.get(other).filter(|other| *other < member) else {
                    continue;
                };
                match decided.decision {
                    Decision::MustLink => links.push((*other, *member)),
                    Decision::CannotLink => apart.push((*other, *member)),
                }
            }
        }
        bind(&mut bound, &links);
        apart.sort_unstable();
        Component { nodes, bound, apart }
    }

    /// Divides a component, and looks at the decisions in it again.
    pub(crate) fn settle(&self, component: &Component, edges: &Edges) -> Settled {
        let mut settled = self.divide(component, edges);
        settled.tasks.extend(self.contrary(component));
        settled
    }

    /// Divides a component; one above the size limit first by raising its own edge cut-off.
    fn divide(&self, component: &Component, edges: &Edges) -> Settled {
        if component.bound.iter().all(|first| *first == 0) {
            let groups = vec![self.keys(&component.nodes)];
            return Settled { groups, ..Settled::default() };
        }
        let limit = self.linker.policy.component_limit;
        if component.nodes.len() <= limit {
            return self.settle_part(component);
        }
        let place: HashMap<NodeId, usize> =
            component.nodes.iter().enumerate().map(|(place, node)| (*node, place)).collect();
        let mut inner: Vec<(FixedWeight, usize, usize)> = Vec::new();
        for (right, node) in component.nodes.iter().enumerate() {
            for (other, weight) in edges.of(*node) {
                let left = place[other];
                if left < right {
                    inner.push((*weight, left, right));
                }
            }
        }
        let parts = split(&component.bound, &mut inner, limit);
        let first = self.linker.name(component.nodes[0]).key.clone();
        let mut settled = Settled {
            oversize: Some(OversizeComponent {
                first,
                n_versions: component.nodes.len(),
                n_parts: parts.len(),
                highest_cut_off: parts.iter().filter_map(|part| part.cut_off).max().map(Into::into),
            }),
            ..Settled::default()
        };
        for part in parts {
            let Settled { groups, tasks, joins, .. } =
                self.settle_part(&component.part(&part.members));
            settled.groups.extend(groups);
            settled.tasks.extend(tasks);
            settled.joins.extend(joins);
        }
        settled
    }

    fn settle_part(&self, part: &Component) -> Settled {
        let vote = |left: usize, right: usize| self.vote(part.nodes[left], part.nodes[right]);
        let Division { groups, proposals, joins } =
            divide(&part.bound, &part.apart, self.limits, vote);
        let keys = |group: &[usize]| {
            self.keys(&group.iter().map(|member| part.nodes[*member]).collect::<Vec<_>>())
        };
        let tasks = proposals
            .into_iter()
            .map(|proposal| {
                let (left, right) = (&groups[proposal.left], &groups[proposal.right]);
                let (best_left, best_right) = best_pair(left, right, vote);
                let key = |member: usize| self.linker.name(part.nodes[member]).key.clone();
                let probability = self.model.probability(proposal.weight).value;
                ReviewTask {
                    left: keys(left),
                    right: keys(right),
                    best_pair: (key(best_left), key(best_right)),
                    weight: proposal.weight,
                    probability,
                    risk: probability,
                    reason: proposal.reason,
                }
            })
            .collect();
        let groups = groups.iter().map(|group| keys(group)).collect();
        Settled { groups, tasks, oversize: None, joins }
    }

    /// A pair votes on joining two groups if full agreement in the fields that both records have
    /// would reach the minimum of evidence. Others say too little either way: a wage record with
    /// SSN and name says nothing about a record without SSN.
    pub(crate) fn vote(&self, left: NodeId, right: NodeId) -> Vote {
        let score = self.scorer.score(&self.linker.index, left, right);
        let weight = self.weight(score);
        let counts = self.compares(left, right);
        let limit = self.model.vote_limit;
        let identifiers = self.identifiers(score.pattern, left, right);
        let (left, right) = (&self.linker.name(left).key, &self.linker.name(right).key);
        Vote {
            weight: FixedWeight::from(MatchWeight(weight.0.clamp(-limit, limit))),
            counts,
            identifiers,
            one_source: left != right
                && left.agency == right.agency
                && self.linker.policy.free_of_duplicates.contains(&left.agency),
        }
    }

    /// Whether full agreement in the fields that both have would reach the minimum of evidence.
    pub(crate) fn compares(&self, left: NodeId, right: NodeId) -> bool {
        let could_be = self.scorer.prior + self.scorer.potential(&self.linker.index, left, right);
        could_be >= self.model.cut_offs.minimum_evidence
    }

    /// What the identifiers of a pair say. Two values whose one-error tokens are bound to parts
    /// that differ between the records cannot be told to be more than one error apart: they weigh
    /// as values that differ, and forbid nothing.
    pub(crate) fn identifiers(&self, pattern: Pattern, left: NodeId, right: NodeId) -> Identifiers {
        let mut found = Identifiers::default();
        for (place, field) in self.linker.schema.fields.iter().enumerate() {
            if field.kind != FieldKind::Identifier {
                continue;
            }
            match pattern.level(place).map(|level| self.model.fields[place].levels[level].level) {
                Some(
                    Level::Exact | Level::OneOff | Level::Transposed | Level::Near | Level::Far,
                ) => found.agree = true,
                Some(Level::Differ) => found.conflict |= self.same_parts(field, left, right),
                _ => (),
            }
        }
        found
    }

    /// Whether what a field's tokens are bound to is the same in two records, in any order; parts
    /// that are no tokens of their fields count as the same.
    fn same_parts(&self, field: &Field, left: NodeId, right: NodeId) -> bool {
        let Linker { index, schema, .. } = self.linker;
        let parts = |node: NodeId| {
            let token = |part: &KeyPart| {
                let forms = &schema.fields[part.field].tokens;
                let place = forms.iter().position(|form| *form == part.derivation)?;
                let value = index.row(node)[part.field];
                (value != ValueId::MISSING)
                    .then(|| index.fields[part.field].token(value, place))
                    .flatten()
            };
            let mut parts: Vec<Option<u64>> = field.bound_to.iter().map(token).collect();
            parts.sort_unstable();
            parts
        };
        parts(left) == parts(right)
    }

    /// The records of nodes, each once; nodes are in the order of their names.
    fn keys(&self, nodes: &[NodeId]) -> Vec<RecordKey> {
        let mut keys: Vec<_> = nodes.iter().map(|node| &self.linker.name(*node).key).collect();
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

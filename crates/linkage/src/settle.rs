//! Settles a linker: scores new candidates, keeps edges, divides touched components.

use rayon::prelude::*;
use record::RecordKey;
use rustc_hash::FxHashSet;

use crate::{
    component::{Settled, Settler},
    edges::{Edge, Edges},
    index::NodeId,
    linker::Linker,
    settlement::Settlement,
    weight::MatchWeight,
};

impl Linker {
    /// Brings groups and tasks up to date. Only components that records, versions, removals,
    /// decisions or a changed block have touched since the last call are divided again.
    pub fn settle(&mut self) -> Settlement {
        let mut seeds: FxHashSet<NodeId> = self.retract_unsupported();
        let unscored = self.take_unscored();
        let edges = Settler::new(self, &self.model, &self.scorer).edges_of(&unscored, &self.edges);
        for edge in edges {
            self.edges.insert(edge);
            seeds.extend([edge.left, edge.right]);
        }
        seeds.extend(unscored);
        let mut records: Vec<RecordKey> =
            std::mem::take(&mut self.pending.touched).into_iter().collect();
        seeds.extend(records.iter().flat_map(|key| self.versions(key)));

        let settler = Settler::new(self, &self.model, &self.scorer);
        let mut seeds: Vec<_> = seeds.into_iter().collect();
        seeds.sort_unstable();
        let settled = settler.settle_all(&seeds, &self.edges);
        let mut settlement = Settlement::default();
        for (_, part) in settled {
            settlement.groups.extend(part.groups);
            settlement.tasks.extend(part.tasks);
            settlement.oversize.extend(part.oversize);
            settlement.joins.extend(part.joins);
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

    /// The nodes in use whose candidates have not been scored, each once.
    fn take_unscored(&mut self) -> Vec<NodeId> {
        let mut unscored = std::mem::take(&mut self.pending.unscored);
        unscored.retain(|node| self.names[node.place()].is_some());
        unscored.sort_unstable();
        unscored.dedup();
        unscored
    }
}

impl Settler<'_> {
    /// The edges between `nodes` and their candidates that `known` does not have yet: pairs of
    /// different records whose weight reaches the lower cut-off.
    pub(crate) fn edges_of(&self, nodes: &[NodeId], known: &Edges) -> Vec<Edge> {
        if nodes.is_empty() {
            return Vec::new();
        }
        let Linker { index, blocking, .. } = self.linker;
        let mut is_asked = vec![false; index.n_places()];
        nodes.iter().for_each(|node| is_asked[node.place()] = true);
        let of_node = |candidates: &mut Vec<NodeId>, node: NodeId| {
            candidates.clear();
            let is_mine = |other: &NodeId| !is_asked[other.place()] || node < *other;
            candidates.extend(blocking.candidates(node).filter(is_mine));
            candidates.sort_unstable();
            candidates.dedup();
            let mut edges = Vec::new();
            for &other in candidates.iter() {
                if self.linker.same_record(node, other) || known.contains(node, other) {
                    continue;
                }
                let weight: MatchWeight = self.weight(self.scorer.score(index, node, other));
                if weight >= self.limits.lower {
                    edges.push(Edge { left: node, right: other, weight: weight.into() });
                }
            }
            edges
        };
        nodes
            .par_iter()
            .map_init(Vec::new, |candidates, node| of_node(candidates, *node))
            .flatten_iter()
            .collect()
    }

    /// Divides the components that contain `seeds`; each with its number of nodes.
    pub(crate) fn settle_all(&self, seeds: &[NodeId], edges: &Edges) -> Vec<(usize, Settled)> {
        let mut seen = vec![false; self.linker.index.n_places()];
        let mut components = Vec::new();
        for seed in seeds {
            if !seen[seed.place()] {
                components.push(self.connected(*seed, edges, &mut seen));
            }
        }
        components
            .into_par_iter()
            .map(|nodes| (nodes.len(), self.settle(&self.component(nodes), edges)))
            .collect()
    }
}

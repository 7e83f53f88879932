//! The edges: candidate pairs whose weight reaches the lower cut-off.

use crate::{
    index::NodeId,
    weight::{FixedWeight, MatchWeight},
};

/// An edge between two nodes, as scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub(crate) left: NodeId,
    pub(crate) right: NodeId,
    pub(crate) weight: FixedWeight,
}

/// Edges by node, each entered at both ends.
#[derive(Default)]
pub(crate) struct Edges {
    by_node: Vec<Vec<(NodeId, FixedWeight)>>,
}

impl Edges {
    /// The nodes joined to `node` and the weights of the edges.
    pub(crate) fn of(&self, node: NodeId) -> &[(NodeId, FixedWeight)] {
        self.by_node.get(node.place()).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn contains(&self, left: NodeId, right: NodeId) -> bool {
        self.of(left).iter().any(|(other, _)| *other == right)
    }

    pub(crate) fn insert(&mut self, edge: Edge) {
        let last = edge.left.place().max(edge.right.place());
        if self.by_node.len() <= last {
            self.by_node.resize_with(last + 1, Vec::new);
        }
        self.by_node[edge.left.place()].push((edge.right, edge.weight));
        self.by_node[edge.right.place()].push((edge.left, edge.weight));
    }

    pub(crate) fn remove(&mut self, left: NodeId, right: NodeId) {
        self.by_node[left.place()].retain(|(other, _)| *other != right);
        self.by_node[right.place()].retain(|(other, _)| *other != left);
    }

    /// Takes every edge of `node` away and returns the nodes at the other ends.
    pub(crate) fn isolate(&mut self, node: NodeId) -> Vec<NodeId> {
        let Some(edges) = self.by_node.get_mut(node.place()) else { return Vec::new() };
        let others: Vec<_> = std::mem::take(edges).into_iter().map(|(other, _)| other).collect();
        for other in &others {
            self.by_node[other.place()].retain(|(back, _)| *back != node);
        }
        others
    }

    pub(crate) fn clear(&mut self) {
        self.by_node.clear();
    }

    /// Every edge once, in no meaningful order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, NodeId, MatchWeight)> + '_ {
        self.by_node.iter().enumerate().flat_map(|(place, edges)| {
            let left = NodeId(place as u32);
            edges
                .iter()
                .filter(move |(right, _)| left < *right)
                .map(move |(right, weight)| (left, *right, (*weight).into()))
        })
    }
}

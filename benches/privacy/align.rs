//! Alignments of stored values to values of the population file, and the plainest way to one:
//! rank both by frequency (Christen, Schnell, Vatsalan and Ranbaduge 2017).

use super::graph::Graph;

/// Which node of the population graph each node of the stored graph is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alignment {
    /// The node of the population, if one is believed.
    pub to: Vec<Option<u32>>,
    /// How many matched records vouch for it; [`Alignment::BY_PROFILE`] for those that need none.
    pub votes: Vec<u32>,
}

impl Alignment {
    /// Vouched for by frequencies and co-occurrence, not by matched records.
    pub const BY_PROFILE: u32 = u32::MAX;

    /// No node is aligned.
    pub fn empty(nodes: usize) -> Self {
        Self { to: vec![None; nodes], votes: vec![0; nodes] }
    }

    /// Takes `node` for `other`.
    pub fn set(&mut self, node: u32, other: u32, votes: u32) {
        self.to[node as usize] = Some(other);
        self.votes[node as usize] = votes;
    }

    /// Equal encodings are equal values: what an attacker who has the keys sees.
    pub fn by_value(stored: &Graph, population: &Graph) -> Self {
        let places: rustc_hash::FxHashMap<u64, u32> =
            population.node_value.iter().copied().zip(0..).collect();
        let to = stored.node_value.iter().map(|value| places.get(value).copied()).collect();
        Self { to, votes: vec![Self::BY_PROFILE; stored.nodes()] }
    }

    /// In each space the n-th most frequent stored value is taken for the n-th most frequent
    /// value of the population, as long as it has `least` people.
    pub fn by_frequency(
        stored: &Graph,
        population: &Graph,
        spaces: &[usize],
        least: usize,
    ) -> Self {
        let mut alignment = Self::empty(stored.nodes());
        for space in 0..spaces.len() {
            let ranked = |graph: &Graph| nodes_by_count(graph, spaces, space);
            for (node, other) in ranked(stored).into_iter().zip(ranked(population)) {
                if stored.node_count(node) >= least {
                    alignment.set(node, other, Self::BY_PROFILE);
                }
            }
        }
        alignment
    }
}

/// The nodes of a space, the most frequent first.
pub fn nodes_by_count(graph: &Graph, spaces: &[usize], space: usize) -> Vec<u32> {
    let in_space = |node: &u32| spaces[graph.column(graph.node_slots[*node as usize][0])] == space;
    let mut nodes: Vec<u32> = (0..graph.nodes() as u32).filter(in_space).collect();
    nodes.sort_by_key(|node| std::cmp::Reverse(graph.node_count(*node)));
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::graph::tests::graph_of;

    #[test]
    fn the_most_frequent_values_are_aligned_by_rank() {
        let stored = graph_of(&[&[10], &[10], &[10], &[11], &[11], &[12]]);
        let population = graph_of(&[&[22], &[20], &[20], &[20], &[21], &[21]]);
        let alignment = Alignment::by_frequency(&stored, &population, &[0], 2);
        let value = |node: usize| alignment.to[node].map(|it| population.node_value[it as usize]);
        let aligned: Vec<_> =
            (0..stored.nodes()).map(|it| (stored.node_value[it], value(it))).collect();
        assert_eq!(aligned, [(10, Some(20)), (11, Some(21)), (12, None)]);
    }
}

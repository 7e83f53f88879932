//! The samples that training counts: random pairs, blocked pairs, evidence of candidates.

use std::{collections::BTreeMap, hash::Hash};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::TrainingOptions;
use crate::{index::NodeId, level::Pattern, linker::Linker, score::Scorer};

/// Counts of patterns in no meaningful order.
type PatternCounts = FxHashMap<Pattern, u64>;

/// Independent parts of a random sample, so that it is the same on any number of threads.
const N_STREAMS: u64 = 64;

impl Linker {
    /// The nodes in the order of their names, which does not depend on the order of arrival.
    pub(super) fn nodes_by_name(&self) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = self.nodes().collect();
        nodes.par_sort_unstable_by(|left, right| self.name(*left).cmp(self.name(*right)));
        nodes
    }

    /// Patterns of pairs of different records: all pairs if they are few, else a seeded sample.
    pub(super) fn count_random_pairs(
        &self,
        nodes: &[NodeId],
        options: &TrainingOptions,
    ) -> Vec<(Pattern, u64)> {
        let n = nodes.len() as u64;
        let count = |counts: &mut PatternCounts, left: NodeId, right: NodeId| {
            if !self.same_record(left, right) {
                *counts.entry(self.scorer.pattern(&self.index, left, right)).or_default() += 1;
            }
        };
        let counted = if n * (n - 1) / 2 <= options.n_random_pairs {
            let all =
                nodes.par_iter().enumerate().fold(PatternCounts::default, |mut counts, one| {
                    let (place, left) = one;
                    nodes[..place].iter().for_each(|right| count(&mut counts, *left, *right));
                    counts
                });
            all.reduce(PatternCounts::default, merged)
        } else {
            let streams = (0..N_STREAMS).into_par_iter().map(|stream| {
                let mut counts = PatternCounts::default();
                let mut random = ChaCha8Rng::seed_from_u64(options.seed);
                random.set_stream(stream);
                for _ in 0..options.n_random_pairs / N_STREAMS {
                    let left = random.random_range(0..nodes.len());
                    let right = random.random_range(0..nodes.len());
                    count(&mut counts, nodes[left], nodes[right]);
                }
                counts
            });
            streams.reduce(PatternCounts::default, merged)
        };
        counted.into_iter().collect()
    }

    /// Patterns of the pairs that share a token of each blocking key, a place per key. Of a key
    /// with too many pairs, a share of its tokens is taken, chosen by their hash and the seed.
    pub(super) fn count_blocked_pairs(
        &self,
        options: &TrainingOptions,
    ) -> Vec<Vec<(Pattern, u64)>> {
        let mut blocks: Vec<Vec<(u64, &[NodeId])>> = vec![Vec::new(); self.schema.blocking.len()];
        for (token, nodes) in self.blocking.blocks() {
            if nodes.len() <= self.blocking.cap_of_key(token.key) {
                blocks[usize::from(token.key)].push((mixed(token.token.0, options.seed), nodes));
            }
        }
        let count_block = |mut counts: PatternCounts, nodes: &[NodeId]| {
            for (place, left) in nodes.iter().enumerate() {
                for right in &nodes[..place] {
                    if !self.same_record(*left, *right) {
                        let pattern = self.scorer.pattern(&self.index, *left, *right);
                        *counts.entry(pattern).or_default() += 1;
                    }
                }
            }
            counts
        };
        blocks
            .into_iter()
            .map(|mut blocks| {
                blocks.sort_unstable_by_key(|(rank, nodes)| (*rank, nodes.len()));
                let mut n_pairs = 0;
                // Ranked at random, so the first blocks are a sample of all.
                let fitting = blocks.iter().take_while(|(_, nodes)| {
                    n_pairs += nodes.len() as u64 * (nodes.len() as u64 - 1) / 2;
                    n_pairs <= options.n_pairs_per_key
                });
                let n_blocks = fitting.count();
                let counts = blocks[..n_blocks]
                    .par_iter()
                    .fold(PatternCounts::default, |counts, (_, nodes)| count_block(counts, nodes))
                    .reduce(PatternCounts::default, merged);
                counts.into_iter().collect()
            })
            .collect()
    }

    /// A seeded sample of nodes, in the order of their names.
    fn sample_nodes(nodes: &[NodeId], n_sampled: usize, seed: u64) -> Vec<NodeId> {
        let mut places: Vec<usize> = (0..nodes.len()).collect();
        if n_sampled < nodes.len() {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            for place in 0..n_sampled {
                let other = random.random_range(place..places.len());
                places.swap(place, other);
            }
            places.truncate(n_sampled);
            places.sort_unstable();
        }
        places.into_iter().map(|place| nodes[place]).collect()
    }

    /// Seeds of the components to calibrate on, and the share of all nodes that they are.
    pub(super) fn sample_components(
        &self,
        nodes: &[NodeId],
        options: &TrainingOptions,
    ) -> (Vec<NodeId>, f64) {
        let n_sampled = nodes.len().min(options.n_calibration_records);
        let seeds = Self::sample_nodes(nodes, n_sampled, options.seed ^ COMPONENT_STREAM);
        (seeds, n_sampled as f64 / nodes.len().max(1) as f64)
    }

    /// Counts what `class` makes of the candidate pairs of a seeded sample of nodes.
    pub(super) fn count_candidates<K: Ord + Hash + Send>(
        &self,
        nodes: &[NodeId],
        options: &TrainingOptions,
        class: impl Fn(NodeId, NodeId) -> K + Sync,
    ) -> Candidates<K> {
        let n_sampled = nodes.len().min(options.n_prior_records);
        let sample = Self::sample_nodes(nodes, n_sampled, options.seed ^ CANDIDATE_STREAM);
        // A pair is met from both of its ends.
        let scale = nodes.len() as f64 / n_sampled.max(1) as f64 / 2.0;
        let of_node = |mut counts: FxHashMap<K, u64>, node: NodeId| {
            let mut candidates: Vec<NodeId> = self.blocking.candidates(node).collect();
            candidates.sort_unstable();
            candidates.dedup();
            for other in candidates {
                if !self.same_record(node, other) {
                    *counts.entry(class(node, other)).or_default() += 1;
                }
            }
            counts
        };
        let counts = sample
            .par_iter()
            .fold(FxHashMap::default, |counts, node| of_node(counts, *node))
            .reduce(FxHashMap::default, merged);
        Candidates { counts: counts.into_iter().collect(), scale }
    }

    /// The evidence of candidate pairs.
    pub(super) fn count_evidences(
        &self,
        nodes: &[NodeId],
        scorer: &Scorer,
        options: &TrainingOptions,
    ) -> Candidates<i32> {
        self.count_candidates(nodes, options, |left, right| {
            let evidence = scorer.score(&self.index, left, right).evidence;
            (evidence * CLASSES_PER_BIT).round() as i32
        })
    }
}

/// Candidate pairs counted by class.
pub(super) struct Candidates<K> {
    pub(super) counts: BTreeMap<K, u64>,
    /// Candidate pairs that one counted pair stands for.
    pub(super) scale: f64,
}

const CANDIDATE_STREAM: u64 = 0x6361_6e64_6964;
const COMPONENT_STREAM: u64 = 0x636f_6d70_6f6e;

/// Classes of evidence per bit.
const CLASSES_PER_BIT: f64 = 16.0;

/// The prior as the fixed point of the expected share of matches: candidates count with their
/// probability under the prior, pairs that are no candidates as two people. Also whether the fixed
/// point was reached.
pub(super) fn prior(evidences: &Candidates<i32>, n_nodes: usize) -> (f64, bool) {
    let n = n_nodes as f64;
    let n_pairs = n * (n - 1.0) / 2.0;
    let mut prior = 1.0 / n;
    for _ in 0..200 {
        let odds = (prior / (1.0 - prior)).log2();
        let expected: f64 = evidences
            .counts
            .iter()
            .map(|(class, n)| {
                let weight = f64::from(*class) / CLASSES_PER_BIT + odds;
                *n as f64 * crate::weight::MatchWeight(weight).probability()
            })
            .sum();
        // At least one match: with none there is no prior to take a logarithm of.
        let next = ((expected * evidences.scale).max(1.0) / n_pairs).min(0.5);
        if (next / prior).log2().abs() < 1e-3 {
            return (next, true);
        }
        prior = next;
    }
    (prior, false)
}

fn merged<K: Hash + Eq>(
    mut left: FxHashMap<K, u64>,
    right: FxHashMap<K, u64>,
) -> FxHashMap<K, u64> {
    for (key, n) in right {
        *left.entry(key).or_default() += n;
    }
    left
}

/// A token's rank in a sample: a fixed mix of the token and the seed.
fn mixed(token: u64, seed: u64) -> u64 {
    let mixed = (token ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

//! Audit samples: pairs for stewards to judge blind, and precision and recall from what they say.
//!
//! Pairs are drawn at random within strata of their weight (Cochran 1977, ch. 5), so that the few
//! doubtful ones are judged as often as the many that nobody doubts. No stratum holds a pair about
//! which a decision stands: such a pair is known, and no work of the weights. So the estimates are
//! of the pairs that nobody decided.

mod estimate;

use std::{
    collections::BinaryHeap,
    hash::{Hash, Hasher},
};

use rayon::prelude::*;
use record::RecordKey;
use rustc_hash::FxHasher;

pub use estimate::{JudgedStratum, SampleQuality, estimate, kappa, wilson};

use crate::{index::NodeId, linker::Linker, weight::MatchWeight};

/// How to draw a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleOptions {
    /// Most pairs to draw of one stratum.
    pub pairs_per_stratum: usize,
    /// Seed of what is random.
    pub seed: u64,
}

/// Pairs of one range of weights, and a sample of them.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledStratum {
    /// Whether the pairs are of one person, as things stand, or of two.
    pub is_linked: bool,
    /// The least weight; `None` without a bound.
    pub from: Option<MatchWeight>,
    /// Weights are below this one; `None` without a bound.
    pub to: Option<MatchWeight>,
    /// Pairs that nobody decided; in strata below the lower cut-off, an estimate where the records
    /// are many.
    pub n_pairs: u64,
    /// The pairs drawn, the smaller record first; in random order, so that any first part of them
    /// is a fair sample too.
    pub pairs: Vec<(RecordKey, RecordKey)>,
}

/// Where strata of linked pairs begin, in bits from the upper cut-off. The first stratum is what
/// other records hold together.
const LINKED: [f64; 3] = [0.0, 4.0, 10.0];
/// Where strata of pairs that nobody would ask about begin, in bits from the lower cut-off; the last
/// one ends at it.
const SEPARATE: [f64; 2] = [-8.0, -4.0];
/// Most records, about, whose candidates below the lower cut-off are scored.
const MOST_RECORDS: usize = 50_000;

impl Linker {
    /// Draws a sample of the pairs within `people` and of those across them, a stratum for each
    /// range of weights, empty ones too: linked pairs first, then the others, by rising weight.
    /// `people` are all groups of two and more records, sorted, as of the last settlement.
    ///
    /// A linked pair has the best weight over the versions of its records, any other pair the best
    /// one of versions that a blocking key brings together. Pairs that no key brings together, or of
    /// more than eight bits below the lower cut-off, are in no stratum: they count as two people
    /// ([`Linker::reach`] estimates the former).
    ///
    /// The same records, people and seed give the same sample, whatever the order of arrival.
    pub fn draw_sample(
        &self,
        people: &[Vec<RecordKey>],
        options: SampleOptions,
    ) -> Vec<SampledStratum> {
        let draw = Draw { linker: self, person_of: self.person_of(people), options };
        let mut strata = draw.linked(people);
        strata.extend(draw.separate(MOST_RECORDS));
        strata.push(draw.unlinked());
        strata
    }

    /// By node that stands for a record: the place of its person among `people`, if it has one.
    fn person_of(&self, people: &[Vec<RecordKey>]) -> Vec<Option<u32>> {
        let mut person_of = vec![None; self.index.n_places()];
        for (person, group) in (0..).zip(people) {
            for node in group.iter().filter_map(|key| self.versions(key).first()) {
                person_of[self.record_of(*node).place()] = Some(person);
            }
        }
        person_of
    }
}

/// The lowest of the pairs of a stratum by a seeded rank, and how many there are in all.
#[derive(Default)]
struct Drawn<'a> {
    n_pairs: u64,
    lowest: BinaryHeap<(u64, &'a RecordKey, &'a RecordKey)>,
}

/// A sample on its way.
struct Draw<'a> {
    linker: &'a Linker,
    person_of: Vec<Option<u32>>,
    options: SampleOptions,
}

impl<'a> Draw<'a> {
    fn linked(&self, people: &'a [Vec<RecordKey>]) -> Vec<SampledStratum> {
        let upper = self.linker.model.cut_offs.upper;
        let bounds = LINKED.map(|bits| upper + bits);
        let of_group = |mut strata: Vec<Drawn<'a>>, group: &'a Vec<RecordKey>| {
            for (place, right) in group.iter().enumerate() {
                for left in &group[..place] {
                    let Some(weight) = self.best_weight(left, right) else { continue };
                    if self.linker.standing(left, right).is_none() {
                        let stratum = bounds.partition_point(|bound| *bound <= weight.0);
                        strata[stratum].add((left, right), self.options);
                    }
                }
            }
            strata
        };
        let none = || Drawn::none(bounds.len() + 1);
        let strata = people.par_iter().fold(none, of_group).reduce(none, |l, r| self.merged(l, r));
        let bound = |place: usize| bounds.get(place).copied().map(MatchWeight);
        let numbered = strata.into_iter().enumerate();
        numbered
            .map(|(place, drawn)| {
                let from = place.checked_sub(1).and_then(bound);
                drawn.stratum(true, (from, bound(place)), 1.0)
            })
            .collect()
    }

    /// Pairs below the lower cut-off, of candidates of about `most_records` records. A pair belongs
    /// to the smaller of its records, so that each has the chance of that record, whoever the other
    /// one is, and their number is estimated without bias (Horvitz and Thompson 1952).
    fn separate(&self, most_records: usize) -> Vec<SampledStratum> {
        let Linker { index, blocking, scorer, .. } = self.linker;
        let lower = self.linker.model.cut_offs.lower;
        let bounds = SEPARATE.map(|bits| lower + bits);
        let share = (most_records as f64 / self.linker.len().max(1) as f64).min(1.0);
        let is_sampled = |record: NodeId| {
            let key = &self.linker.name(record).key;
            share == 1.0 || (rank(self.options.seed, key, key) as f64) < share * 2_f64.powi(64)
        };
        let scored = |node: NodeId| {
            let mut others: Vec<_> =
                blocking.candidates(node).filter(|other| self.is_open(node, *other)).collect();
            others.sort_unstable();
            others.dedup();
            let weight =
                |other| MatchWeight(scorer.prior + scorer.score(index, node, other).evidence);
            others.into_iter().map(|other| (other, weight(other))).collect()
        };
        let strata = self.drawn(bounds.len(), |record, strata| {
            if !is_sampled(record) {
                return;
            }
            for (other, weight) in self.best_of(record, scored) {
                let place = bounds.partition_point(|bound| *bound <= weight.0);
                if let Some(stratum) = place.checked_sub(1).filter(|_| weight.0 < lower) {
                    strata[stratum].add(self.keys(record, other), self.options);
                }
            }
        });
        let ends = bounds.iter().skip(1).copied().chain([lower]);
        let ranges = bounds.into_iter().zip(ends);
        let range = |(from, to)| (Some(MatchWeight(from)), Some(MatchWeight(to)));
        strata.into_iter().zip(ranges).map(|(d, r)| d.stratum(false, range(r), share)).collect()
    }

    /// Pairs from the lower cut-off on that are not linked: they are edges.
    fn unlinked(&self) -> SampledStratum {
        let edges = |node: NodeId| {
            let edges = self.linker.edges.of(node).iter();
            edges
                .filter(|(other, _)| self.is_open(node, *other))
                .map(|(other, weight)| (*other, MatchWeight::from(*weight)))
                .collect()
        };
        let strata = self.drawn(1, |record, strata| {
            for (other, _) in self.best_of(record, edges) {
                strata[0].add(self.keys(record, other), self.options);
            }
        });
        let lower = MatchWeight(self.linker.model.cut_offs.lower);
        strata.into_iter().fold(Drawn::default(), |_, d| d).stratum(false, (Some(lower), None), 1.0)
    }

    /// What `of_record` adds to `n_strata` strata, over all nodes that stand for a record.
    fn drawn(
        &self,
        n_strata: usize,
        of_record: impl Fn(NodeId, &mut [Drawn<'a>]) + Sync,
    ) -> Vec<Drawn<'a>> {
        let none = || Drawn::none(n_strata);
        let records: Vec<NodeId> =
            self.linker.nodes().filter(|node| self.linker.record_of(*node) == *node).collect();
        let add = |mut strata: Vec<Drawn<'a>>, record: &NodeId| {
            of_record(*record, &mut strata);
            strata
        };
        records.par_iter().fold(none, add).reduce(none, |l, r| self.merged(l, r))
    }

    /// The records that `found` gives for the versions of a record, each once with its best weight.
    fn best_of(
        &self,
        record: NodeId,
        found: impl Fn(NodeId) -> Vec<(NodeId, MatchWeight)>,
    ) -> Vec<(NodeId, MatchWeight)> {
        let versions = self.linker.versions(&self.linker.name(record).key);
        let mut others: Vec<_> = versions
            .iter()
            .flat_map(|node| found(*node))
            .map(|(other, weight)| (self.linker.record_of(other), weight))
            .collect();
        others.sort_unstable_by(|l, r| l.0.cmp(&r.0).then(r.1.0.total_cmp(&l.1.0)));
        others.dedup_by_key(|(other, _)| *other);
        others
    }

    /// Whether a pair is of two people, belongs to the record of `node`, and nobody decided it.
    fn is_open(&self, node: NodeId, other: NodeId) -> bool {
        let person = |node| self.person_of[self.linker.record_of(node).place()];
        let is_linked = person(node).is_some() && person(node) == person(other);
        let (left, right) = self.keys(node, other);
        !is_linked && left < right && self.linker.standing(left, right).is_none()
    }

    fn keys(&self, node: NodeId, other: NodeId) -> (&'a RecordKey, &'a RecordKey) {
        (&self.linker.name(node).key, &self.linker.name(other).key)
    }

    fn best_weight(&self, left: &RecordKey, right: &RecordKey) -> Option<MatchWeight> {
        let Linker { index, scorer, .. } = self.linker;
        let others = self.linker.versions(right);
        let pairs =
            self.linker.versions(left).iter().flat_map(|l| others.iter().map(move |r| (l, r)));
        let evidence = pairs.map(|(one, other)| scorer.score(index, *one, *other).evidence);
        evidence.max_by(f64::total_cmp).map(|evidence| MatchWeight(scorer.prior + evidence))
    }

    fn merged(&self, mut left: Vec<Drawn<'a>>, right: Vec<Drawn<'a>>) -> Vec<Drawn<'a>> {
        for (one, other) in left.iter_mut().zip(right) {
            one.n_pairs += other.n_pairs;
            other.lowest.into_iter().for_each(|pair| one.keep(pair, self.options));
        }
        left
    }
}

impl<'a> Drawn<'a> {
    fn none(n_strata: usize) -> Vec<Self> {
        (0..n_strata).map(|_| Self::default()).collect()
    }

    fn add(&mut self, (left, right): (&'a RecordKey, &'a RecordKey), options: SampleOptions) {
        self.n_pairs += 1;
        self.keep((rank(options.seed, left, right), left, right), options);
    }

    fn keep(&mut self, pair: (u64, &'a RecordKey, &'a RecordKey), options: SampleOptions) {
        if self.lowest.len() < options.pairs_per_stratum {
            self.lowest.push(pair);
        } else if self.lowest.peek().is_some_and(|highest| pair < *highest) {
            self.lowest.pop();
            self.lowest.push(pair);
        }
    }

    /// The stratum, of whose pairs about a share was looked at.
    fn stratum(
        self,
        is_linked: bool,
        (from, to): (Option<MatchWeight>, Option<MatchWeight>),
        share: f64,
    ) -> SampledStratum {
        let pairs = self.lowest.into_sorted_vec();
        SampledStratum {
            is_linked,
            from,
            to,
            n_pairs: (self.n_pairs as f64 / share).round() as u64,
            pairs: pairs.into_iter().map(|(_, l, r)| (l.clone(), r.clone())).collect(),
        }
    }
}

/// A pair's rank in a sample: a fixed hash of the names and the seed (finalized as SplitMix64,
/// Steele et al. 2014).
fn rank(seed: u64, left: &RecordKey, right: &RecordKey) -> u64 {
    let mut hasher = FxHasher::default();
    (seed, left, right).hash(&mut hasher);
    let mixed = hasher.finish();
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests;

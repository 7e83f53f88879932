//! Aligning values by their profile: how often they stand together with values that are aligned
//! already, as in a frequency attack that looks at several columns at once.
//!
//! A stored value is scored against each value of the population by the log-likelihood of its
//! co-occurrence counts; values are aligned that are each other's best with a margin.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::{
    align::{Alignment, nodes_by_count},
    graph::Graph,
    mutual::mutual_best,
};

/// Anchors of a profile: the most frequent aligned values of each column, and in all.
const ANCHORS_PER_COLUMN: usize = 32;
const ANCHORS: usize = 256;
/// Values of fewer people have no profile.
const LEAST_COUNT: usize = 3;
/// Most values of a space that are profiled, of what is stored and of the population.
const MOST_STORED: usize = 400;
const MOST_OF_POPULATION: usize = 600;
/// People's worth of evidence for independence, mixed into each rate.
const SMOOTHING: f32 = 2.0;
/// What one of the counts of a profile counts. They are correlated: a name's initial, its nickname
/// and its filter say the same thing thrice.
const TEMPER: f32 = 0.2;

/// The two graphs and what their columns have in common.
pub struct Profiler<'a> {
    /// What the service stores.
    pub stored: &'a Graph,
    /// The population file, encoded under the attacker's own keys.
    pub population: &'a Graph,
    /// From [`super::graph::spaces`].
    pub spaces: &'a [usize],
}

/// Aligned slots that profiles are made of.
struct Anchors {
    /// For each slot its place among the anchors.
    of_stored: Vec<Option<u16>>,
    of_population: Vec<Option<u16>>,
    /// For each anchor its node in the population, its share there, and how much more often its
    /// column is filled in what is stored.
    anchors: Vec<Anchor>,
}

struct Anchor {
    node: u32,
    share: f32,
    presence: f32,
}

/// The profiles of the population's values of one space, for scoring against.
struct Profiles<'a> {
    nodes: &'a [u32],
    columns: &'a [usize],
    /// For each feature (an own column and an anchor) the log-odds in each value's profile.
    log_odds: Vec<Vec<f32>>,
    /// For each own column what a person without any feature adds to each value's score.
    absent: Vec<Vec<f32>>,
}

impl Profiler<'_> {
    /// Aligns the frequent values anew, each by its profile over `alignment`, where it is better
    /// by `margin` nats than any other choice from either side.
    pub fn align(&self, alignment: &Alignment, margin: f32) -> Alignment {
        let anchors = self.anchors(alignment);
        let mut aligned = Alignment::empty(self.stored.nodes());
        for space in 0..self.spaces.len() {
            let nodes = |graph, most| {
                let mut nodes = nodes_by_count(graph, self.spaces, space);
                nodes.retain(|node| graph.node_count(*node) >= LEAST_COUNT);
                nodes.truncate(most);
                nodes
            };
            let ours = nodes(self.stored, MOST_STORED);
            let theirs = nodes(self.population, MOST_OF_POPULATION);
            let columns: Vec<usize> =
                (0..self.spaces.len()).filter(|column| self.spaces[*column] == space).collect();
            let profiles = self.profiles(&theirs, &columns, &anchors);
            let score = |node: &u32| self.scores(*node, &profiles, &anchors);
            let scores: Vec<Vec<f32>> = ours.par_iter().map(score).collect();
            for pair in mutual_best(&scores).iter().filter(|pair| pair.lead >= margin) {
                aligned.set(ours[pair.row], theirs[pair.column], Alignment::BY_PROFILE);
            }
        }
        aligned
    }

    fn anchors(&self, alignment: &Alignment) -> Anchors {
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for slot in 0..self.stored.slot_node.len() as u32 {
            let node = self.stored.slot_node[slot as usize];
            let other = alignment.to[node as usize]
                .and_then(|other| self.population.slot_of(other, self.stored.column(slot)));
            pairs.extend(other.map(|other| (slot, other)));
        }
        pairs.sort_by_key(|(slot, _)| Reverse(self.stored.count(*slot)));
        let mut of_column = vec![0; self.spaces.len()];
        pairs.retain(|(slot, _)| {
            of_column[self.stored.column(*slot)] += 1;
            of_column[self.stored.column(*slot)] <= ANCHORS_PER_COLUMN
        });
        pairs.truncate(ANCHORS);
        let mut of_stored = vec![None; self.stored.slot_node.len()];
        let mut of_population = vec![None; self.population.slot_node.len()];
        for (place, (slot, other)) in (0..).zip(&pairs) {
            of_stored[*slot as usize] = Some(place);
            of_population[*other as usize] = Some(place);
        }
        let filled = |graph: &Graph, column: usize| {
            graph.column_people[column] as f32 / graph.people.len() as f32
        };
        let anchor = |(slot, other): &(u32, u32)| {
            let column = self.stored.column(*slot);
            Anchor {
                node: self.population.slot_node[*other as usize],
                share: self.population.count(*other) as f32 / self.population.people.len() as f32,
                presence: filled(self.stored, column) / filled(self.population, column),
            }
        };
        Anchors { of_stored, of_population, anchors: pairs.iter().map(anchor).collect() }
    }

    fn profiles<'a>(
        &self,
        nodes: &'a [u32],
        columns: &'a [usize],
        anchors: &Anchors,
    ) -> Profiles<'a> {
        let n_anchors = anchors.anchors.len();
        let mut log_odds = vec![vec![0.0; nodes.len()]; columns.len() * n_anchors];
        let mut absent = vec![vec![0.0; nodes.len()]; columns.len()];
        for (at, node) in nodes.iter().enumerate() {
            let counts =
                profile(self.population, *node, columns, &anchors.of_population, n_anchors);
            for (c, column) in columns.iter().enumerate() {
                let slot = self.population.slot_of(*node, *column);
                let total = slot.map_or(0, |slot| self.population.count(slot)) as f32;
                for (k, anchor) in anchors.anchors.iter().enumerate() {
                    // A value says nothing about itself.
                    if anchor.node == *node {
                        continue;
                    }
                    let feature = c * n_anchors + k;
                    let rate = (counts[feature] + SMOOTHING * anchor.share) / (total + SMOOTHING);
                    let p = (rate * anchor.presence).clamp(1e-4, 0.999);
                    log_odds[feature][at] = (p / (1.0 - p)).ln();
                    absent[c][at] += (1.0 - p).ln();
                }
            }
        }
        Profiles { nodes, columns, log_odds, absent }
    }

    /// The score of a stored value against each value of `profiles`, in nats.
    fn scores(&self, node: u32, profiles: &Profiles<'_>, anchors: &Anchors) -> Vec<f32> {
        let columns = profiles.columns;
        let n_anchors = anchors.anchors.len();
        let counts = profile(self.stored, node, columns, &anchors.of_stored, n_anchors);
        let mut scores = vec![0.0; profiles.nodes.len()];
        let mut add = |count: f32, weights: &[f32]| {
            if count > 0.0 {
                scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += count * weight);
            }
        };
        counts.iter().zip(&profiles.log_odds).for_each(|(count, odds)| add(*count, odds));
        for (column, absent) in columns.iter().zip(&profiles.absent) {
            let slot = self.stored.slot_of(node, *column);
            add(slot.map_or(0, |slot| self.stored.count(slot)) as f32, absent);
        }
        for (score, other) in scores.iter_mut().zip(profiles.nodes) {
            *score = TEMPER * *score + self.count_score(node, *other, columns);
        }
        scores
    }

    /// The log-likelihood of a value's own frequencies: a Poisson count with some more spread.
    fn count_score(&self, node: u32, other: u32, columns: &[usize]) -> f32 {
        let score = |column: &usize| {
            let count = |graph: &Graph, node| {
                graph.slot_of(node, *column).map_or(0, |slot| graph.count(slot)) as f32
            };
            let scale = self.stored.column_people[*column] as f32
                / self.population.column_people[*column].max(1) as f32;
            let expected = count(self.population, other) * scale + 0.5;
            let spread = expected + (0.05 * expected).powi(2);
            let off = count(self.stored, node) - expected;
            -off * off / (2.0 * spread) - 0.5 * spread.ln()
        };
        columns.iter().map(score).sum()
    }
}

/// How often a node, in each of its columns, stands together with each anchor but itself.
fn profile(
    graph: &Graph,
    node: u32,
    columns: &[usize],
    anchors: &[Option<u16>],
    n_anchors: usize,
) -> Vec<f32> {
    let mut counts = vec![0.0; columns.len() * n_anchors];
    for (c, column) in columns.iter().enumerate() {
        let Some(slot) = graph.slot_of(node, *column) else { continue };
        for person in &graph.holders[slot as usize] {
            for other in &graph.people[*person as usize] {
                let Some(anchor) = anchors[*other as usize] else { continue };
                if graph.slot_node[*other as usize] != node {
                    counts[c * n_anchors + usize::from(anchor)] += 1.0;
                }
            }
        }
    }
    counts
}

//! Matching two similarity graphs: the one among stored filters with the one among the filters
//! that the attacker makes of the population file under keys of their own (Vidanage, Christen,
//! Ranbaduge and Schnell 2020; Schäfer, Armknecht and Heng 2024).
//!
//! The keys change every filter, but not how similar two values are. Values are matched by the
//! shape of their neighborhoods first; the surest pairs then serve as landmarks, and each value is
//! matched anew by its similarities to them, with more landmarks in every round.

use rayon::prelude::*;
use record::Filter;

use super::mutual::mutual_best;

/// Quantiles of a value's similarities that describe its neighborhood, nearest first.
const QUANTILES: usize = 32;
/// Share of the values that the last quantile leaves nearer.
const LAST_QUANTILE: f32 = 0.3;
/// Landmarks of the first round, their growth per round, and most of them.
const FIRST_LANDMARKS: usize = 24;
const GROWTH: f32 = 1.4;
const MOST_LANDMARKS: usize = 400;
/// Rounds of matching by landmarks.
const ROUNDS: usize = 12;

/// A graph of pairwise similarities.
pub struct SimilarityGraph {
    size: usize,
    /// Similarities row by row; 0 on the diagonal.
    similarities: Vec<f32>,
    /// For each value the logarithm of its share of the records.
    frequencies: Vec<f32>,
}

impl SimilarityGraph {
    /// The graph of a field's distinct filters, each with the number of its records.
    pub fn of_filters(filters: &[(&Filter, usize)]) -> Self {
        let records: usize = filters.iter().map(|(_, count)| count).sum();
        let frequency = |count: usize| (count as f32 / records as f32).ln();
        let frequencies = filters.iter().map(|(_, count)| frequency(*count)).collect();
        Self::new(frequencies, |i, j| correlation(filters[i].0, filters[j].0))
    }

    /// The graph of records: the mean correlation over the fields that both have.
    pub fn of_records(records: &[Vec<Option<&Filter>>]) -> Self {
        let similarity = |i: usize, j: usize| {
            let pairs = records[i].iter().zip(&records[j]);
            let both = pairs.filter_map(|(a, b)| Some(correlation((*a)?, (*b)?)));
            let (sum, n) = both.fold((0.0, 0), |(sum, n), it| (sum + it, n + 1));
            if n == 0 { 0.0 } else { sum / n as f32 }
        };
        Self::new(vec![0.0; records.len()], similarity)
    }

    fn new(frequencies: Vec<f32>, similarity: impl Fn(usize, usize) -> f32 + Sync) -> Self {
        let size = frequencies.len();
        let row = |i: usize| {
            let similarity = &similarity;
            (0..size).map(move |j| if i == j { 0.0 } else { similarity(i, j) })
        };
        let similarities = (0..size).into_par_iter().flat_map_iter(row).collect();
        Self { size, similarities, frequencies }
    }

    fn row(&self, value: usize) -> &[f32] {
        &self.similarities[value * self.size..][..self.size]
    }

    /// The quantiles of the similarities from `1 / finest` on, and the frequency. Quantiles are the
    /// same for a part of the values as for all of them.
    fn shape(&self, value: usize, finest: usize) -> Vec<f32> {
        let mut nearest = self.row(value).to_vec();
        nearest.sort_unstable_by(|a, b| b.total_cmp(a));
        let step = (LAST_QUANTILE * finest as f32).powf(1.0 / (QUANTILES - 1) as f32);
        let quantile = |at: i32| {
            let share = step.powi(at) / finest as f32;
            let rank = (share * self.size as f32).round() as usize;
            nearest[rank.saturating_sub(1).min(self.size - 1)]
        };
        let mut shape: Vec<f32> = (0..QUANTILES as i32).map(quantile).collect();
        shape.push(0.3 * self.frequencies[value]);
        shape
    }
}

/// For each value of `stored` the value of `population` that it is taken for. `seeds` are pairs
/// known beforehand.
pub fn match_graphs(
    stored: &SimilarityGraph,
    population: &SimilarityGraph,
    seeds: &[(usize, usize)],
) -> Vec<Option<usize>> {
    let finest = stored.size.min(population.size);
    let shapes = |graph: &SimilarityGraph| -> Vec<Vec<f32>> {
        (0..graph.size).into_par_iter().map(|value| graph.shape(value, finest)).collect()
    };
    let likeness = |a: &[f32], b: &[f32]| -squared_distance(a, b);
    let mut pairs = match_vectors(&shapes(stored), &shapes(population), likeness);
    let mut n_landmarks = FIRST_LANDMARKS as f32;
    for _ in 0..ROUNDS {
        pairs.truncate((n_landmarks as usize).min(MOST_LANDMARKS));
        let landmarks = with_seeds(seeds, &pairs);
        let (ours, theirs): (Vec<usize>, Vec<usize>) = landmarks.into_iter().unzip();
        let (ours, theirs) = (coordinates(stored, &ours), coordinates(population, &theirs));
        pairs = match_vectors(&ours, &theirs, product);
        n_landmarks *= GROWTH;
    }
    let mut matched = vec![None; stored.size];
    for (a, b) in with_seeds(seeds, &pairs) {
        matched[a] = Some(b);
    }
    matched
}

/// The seeds, and those pairs that do not contradict one.
fn with_seeds(seeds: &[(usize, usize)], pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let free = |(a, b): &&(usize, usize)| seeds.iter().all(|(c, d)| a != c && b != d);
    seeds.iter().chain(pairs.iter().filter(free)).copied().collect()
}

/// For each value its similarities to the landmarks, centered and of length 1.
fn coordinates(graph: &SimilarityGraph, landmarks: &[usize]) -> Vec<Vec<f32>> {
    let of_value = |value: usize| {
        let row = graph.row(value);
        // A landmark is most similar to itself, in either graph.
        let to = |at: &usize| if *at == value { 1.0 } else { row[*at] };
        let mut vector: Vec<f32> = landmarks.iter().map(to).collect();
        let mean = vector.iter().sum::<f32>() / vector.len() as f32;
        vector.iter_mut().for_each(|it| *it -= mean);
        let length = product(&vector, &vector).sqrt().max(1e-6);
        vector.iter_mut().for_each(|it| *it /= length);
        vector
    };
    (0..graph.size).into_par_iter().map(of_value).collect()
}

/// Pairs of two lists of vectors that score best from either side, the clearest first.
fn match_vectors(
    ours: &[Vec<f32>],
    theirs: &[Vec<f32>],
    score: impl Fn(&[f32], &[f32]) -> f32 + Sync,
) -> Vec<(usize, usize)> {
    let row = |of: &Vec<f32>| theirs.iter().map(|other| score(of, other)).collect();
    let scores: Vec<Vec<f32>> = ours.par_iter().map(row).collect();
    mutual_best(&scores).into_iter().map(|pair| (pair.row, pair.column)).collect()
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    in_lanes(a, b, |a, b| a * b)
}

fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    in_lanes(a, b, |a, b| (a - b) * (a - b))
}

/// The sum of a term over two vectors, in lanes so that it runs in vector registers.
fn in_lanes(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    const LANES: usize = 16;
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| term(*a, *b)).sum();
    sums.iter().sum::<f32>() + rest
}

/// The correlation of two filters, bit by bit (the phi coefficient).
pub fn correlation(a: &Filter, b: &Filter) -> f32 {
    let n = (a.0.len() * 64) as f32;
    let both: u32 = a.0.iter().zip(&b.0).map(|(a, b)| (a & b).count_ones()).sum();
    let (in_a, in_b) = (a.popcount() as f32, b.popcount() as f32);
    let spread = (in_a * (n - in_a) * in_b * (n - in_b)).sqrt();
    if spread == 0.0 { 0.0 } else { (n * both as f32 - in_a * in_b) / spread }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, seq::SliceRandom};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Points in a plane, similar where they are near.
    fn points(count: usize, seed: u64) -> Vec<[f32; 2]> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| [rng.random(), rng.random()]).collect()
    }

    fn graph(points: &[[f32; 2]]) -> SimilarityGraph {
        let distance = |i: usize, j: usize| squared_distance(&points[i], &points[j]);
        SimilarityGraph::new(vec![0.0; points.len()], |i, j| (-20.0 * distance(i, j)).exp())
    }

    #[test]
    fn a_shuffled_graph_is_recognized_and_another_is_not() {
        let points_here = points(120, 1);
        let mut order: Vec<usize> = (0..120).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(2));
        let shuffled: Vec<[f32; 2]> = order.iter().map(|at| points_here[*at]).collect();
        let found = match_graphs(&graph(&points_here), &graph(&shuffled), &[]);
        let right = |found: &[Option<usize>]| {
            found
                .iter()
                .enumerate()
                .filter(|(at, it)| it.is_some_and(|it| order[it] == *at))
                .count()
        };
        assert!(right(&found) > 110, "{}", right(&found));
        let other = match_graphs(&graph(&points_here), &graph(&points(120, 9)), &[]);
        assert!(right(&other) < 12, "{}", right(&other));
    }

    #[test]
    fn correlation_is_of_bits() {
        let filter = |word: u64| Filter(vec![word].into());
        assert!((correlation(&filter(0xFF), &filter(0xFF)) - 1.0).abs() < 1e-6);
        assert!((correlation(&filter(u64::MAX << 32), &filter(u64::MAX >> 32)) + 1.0).abs() < 1e-6);
        assert_eq!(correlation(&filter(0), &filter(0xFF)), 0.0);
    }
}

//! Expectation maximisation over counts of agreement patterns.

use record::Schema;

use super::{MIN_MATCHES, RoundReport, TrainingOptions};
use crate::{level::Pattern, model::Model};

/// Distinct agreement patterns with the number of pairs that show each, sorted by pattern.
pub(super) struct Counts {
    patterns: Vec<(Pattern, u64)>,
}

impl Counts {
    /// Sorts counts and adds up those of one pattern.
    pub(super) fn new(mut patterns: Vec<(Pattern, u64)>) -> Self {
        patterns.sort_unstable();
        patterns.dedup_by(|next, first| {
            let is_same = next.0 == first.0;
            first.1 += if is_same { next.1 } else { 0 };
            is_same
        });
        Self { patterns }
    }

    pub(super) fn n_pairs(&self) -> u64 {
        self.patterns.iter().map(|(_, n)| n).sum()
    }
}

/// Probabilities by field and level.
type Table = Vec<Vec<f64>>;

/// m and u as known so far.
pub(super) struct Estimate {
    pub(super) m: Table,
    pub(super) u: Table,
    /// Expected pairs of one person that showed each level.
    pub(super) n_m: Table,
    /// Random pairs that showed each level.
    pub(super) n_u: Table,
}

/// Pseudo-pairs that pull m to what is usual for a level: a level never seen keeps its share of
/// these, and a handful of pairs does not decide a weight.
const USUAL_MATCHES: f64 = 10.0;
/// And a share of all pairs: clean data are no reason to be ever surer that a disagreement, which
/// the future may bring, means two people.
const USUAL_SHARE: f64 = 0.01;
/// A level of u is taken to have been seen at least half a time.
const LEAST_U_COUNT: f64 = 0.5;

impl Estimate {
    /// The usual m, and u as the random pairs show it.
    pub(super) fn start(model: &Model, random: &Counts) -> Self {
        let m: Table = model
            .fields
            .iter()
            .map(|field| field.levels.iter().map(|level| level.m).collect())
            .collect();
        let (n_m, n_u) = (zeros(&m), zeros(&m));
        let u = model.fields.iter();
        let u = u.map(|field| field.levels.iter().map(|level| level.u).collect()).collect();
        let mut estimate = Self { m, u, n_m, n_u };
        estimate.count_u(random, |_| 1.0);
        estimate
    }

    /// u again, from random pairs less those that the estimate finds to be of one person.
    pub(super) fn refine_u(&mut self, random: &Counts, prior: f64) {
        let (m, u) = (self.m.clone(), self.u.clone());
        self.count_u(random, |pattern| 1.0 - posterior(pattern, &m, &u, prior));
    }

    /// The share of random pairs that the estimate expects to be of one person.
    pub(super) fn expected_prior(&self, random: &Counts, prior: f64) -> f64 {
        let expected: f64 = random
            .patterns
            .iter()
            .map(|(pattern, n)| *n as f64 * posterior(*pattern, &self.m, &self.u, prior))
            .sum();
        (expected / random.n_pairs().max(1) as f64).max(prior / 10.0)
    }

    fn count_u(&mut self, random: &Counts, share: impl Fn(Pattern) -> f64) {
        let mut counts = zeros(&self.u);
        for (pattern, n) in &random.patterns {
            let weight = *n as f64 * share(*pattern);
            add(&mut counts, *pattern, weight);
        }
        for (u, counts) in self.u.iter_mut().zip(&counts) {
            if counts.iter().sum::<f64>() < 1.0 {
                continue; // A field that no pair has keeps what is usual.
            }
            let total: f64 = counts.iter().map(|n| n.max(LEAST_U_COUNT)).sum();
            for (u, n) in u.iter_mut().zip(counts) {
                *u = n.max(LEAST_U_COUNT) / total;
            }
        }
        self.n_u = counts;
    }

    /// m over all rounds that count: each round adds its expected matches to the fields that it
    /// did not leave out.
    pub(super) fn combine(&mut self, start: &Model, rounds: &[Round]) {
        let mut counts = zeros(&self.m);
        for round in rounds.iter().filter(|round| round.counts()) {
            for (sum, of_round) in counts.iter_mut().flatten().zip(round.matches.iter().flatten()) {
                *sum += of_round;
            }
        }
        for (field, counts) in counts.iter().enumerate() {
            let n_matches: f64 = counts.iter().sum();
            let n_usual = USUAL_MATCHES + USUAL_SHARE * n_matches;
            for (level, n) in counts.iter().enumerate() {
                let usual = start.fields[field].levels[level].m;
                self.m[field][level] = (n + n_usual * usual) / (n_matches + n_usual);
            }
        }
        self.n_m = counts;
    }
}

/// The pairs that agree on one blocking key.
pub(super) struct Round {
    key: usize,
    left_out: u16,
    counts: Counts,
    /// Expected number of pairs of one person by field and level.
    matches: Table,
    n_matches: f64,
    iterations: u32,
    converged: bool,
}

impl Round {
    /// The fields of the key, and those correlated with them, are left out: the pairs were chosen
    /// for agreeing on them.
    pub(super) fn new(schema: &Schema, key: usize, counts: &[(Pattern, u64)]) -> Self {
        let mut left_out = 0;
        for part in &schema.blocking[key].parts {
            let of_key = &schema.fields[part.field];
            for (place, field) in schema.fields.iter().enumerate() {
                let is_correlated =
                    field.correlated.is_some() && field.correlated == of_key.correlated;
                if place == part.field || is_correlated {
                    left_out |= 1 << place;
                }
            }
        }
        let counts = counts.iter().map(|(pattern, n)| (pattern.without(left_out), *n)).collect();
        Self {
            key,
            left_out,
            counts: Counts::new(counts),
            matches: Table::new(),
            n_matches: 0.0,
            iterations: 0,
            converged: false,
        }
    }

    /// Whether the round showed enough pairs of one person to learn from.
    pub(super) fn counts(&self) -> bool {
        self.n_matches >= MIN_MATCHES
    }

    /// Runs EM from the estimate: u stays, m and the share of matches move.
    pub(super) fn run(&mut self, estimate: &Estimate, options: &TrainingOptions) {
        let n_pairs = self.counts.n_pairs() as f64;
        let mut m = estimate.m.clone();
        let mut share: f64 = 0.5;
        self.matches = zeros(&m);
        self.n_matches = 0.0;
        self.converged = false;
        self.iterations = 0;
        if n_pairs == 0.0 {
            self.converged = true;
            return;
        }
        while self.iterations < options.max_iterations && !self.converged {
            self.iterations += 1;
            self.expect(&m, &estimate.u, share);
            let next_share = (self.n_matches / n_pairs).clamp(1e-9, 1.0 - 1e-9);
            let moved = maximise(&mut m, &self.matches, &estimate.m);
            self.converged = moved.max((next_share - share).abs()) <= options.tolerance;
            share = next_share;
        }
    }

    /// The expected number of matches by field and level.
    fn expect(&mut self, m: &Table, u: &Table, share: f64) {
        self.matches = zeros(m);
        self.n_matches = 0.0;
        for (pattern, n) in &self.counts.patterns {
            let expected = *n as f64 * posterior(*pattern, m, u, share);
            self.n_matches += expected;
            add(&mut self.matches, *pattern, expected);
        }
    }

    pub(super) fn report(&self, schema: &Schema) -> RoundReport {
        let left_out = schema.fields.iter().enumerate();
        let left_out = left_out.filter(|(place, _)| self.left_out >> place & 1 == 1);
        let n_pairs = self.counts.n_pairs();
        RoundReport {
            key: schema.blocking[self.key].name.clone(),
            left_out: left_out.map(|(_, field)| field.name.clone()).collect(),
            n_pairs,
            matches: if n_pairs > 0 { self.n_matches / n_pairs as f64 } else { 0.0 },
            iterations: self.iterations,
            converged: self.converged,
            counts: self.counts(),
        }
    }
}

/// Moves m to the expected counts, steadied by the estimate; gives the largest move.
fn maximise(m: &mut Table, matches: &Table, steady: &Table) -> f64 {
    let mut moved: f64 = 0.0;
    for ((m, counts), steady) in m.iter_mut().zip(matches).zip(steady) {
        let total: f64 = counts.iter().sum::<f64>() + 1.0;
        for ((m, n), steady) in m.iter_mut().zip(counts).zip(steady) {
            let next = (n + steady) / total;
            moved = moved.max((next - *m).abs());
            *m = next;
        }
    }
    moved
}

/// The probability that a pair with `pattern` is of one person.
fn posterior(pattern: Pattern, m: &Table, u: &Table, prior: f64) -> f64 {
    let mut odds = prior / (1.0 - prior);
    for (field, (m, u)) in m.iter().zip(u).enumerate() {
        if let Some(level) = pattern.level(field) {
            odds *= m[level] / u[level];
        }
    }
    if odds.is_finite() { odds / (1.0 + odds) } else { 1.0 }
}

fn zeros(table: &Table) -> Table {
    table.iter().map(|levels| vec![0.0; levels.len()]).collect()
}

fn add(table: &mut Table, pattern: Pattern, weight: f64) {
    for (field, levels) in table.iter_mut().enumerate() {
        if let Some(level) = pattern.level(field) {
            levels[level] += weight;
        }
    }
}

#[cfg(test)]
mod tests;

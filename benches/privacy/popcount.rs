//! What the number of set bits of a filter says about the length of the value behind it.

use std::collections::{BTreeMap, BTreeSet};

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use record::{EncodedRecord, Schema};

use super::scene::Row;

/// Shufflings that the mutual information of independent values is estimated from.
const SHUFFLES: usize = 8;

/// How far lengths and set bits of a field's distinct values go together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LengthLeak {
    /// Distinct values.
    pub values: usize,
    /// Pearson's correlation of length and set bits.
    pub correlation: f64,
    /// Mutual information of length and set bits in bits, less what shuffled lengths give.
    pub information: f64,
    /// The entropy of the lengths in bits: the most that there is to learn.
    pub entropy: f64,
}

impl LengthLeak {
    /// Of `field` in `rows`, stored as `records`.
    pub fn of(
        schema: &Schema,
        field: usize,
        rows: &[Row],
        records: &[EncodedRecord],
        seed: u64,
    ) -> Self {
        let mut distinct: BTreeSet<(String, u32)> = BTreeSet::new();
        for (row, record) in rows.iter().zip(records) {
            let raw = row.values[field].as_deref();
            let value = raw.and_then(|raw| encoding::normalize(schema.fields[field].kind, raw));
            let filter = record.fields[field].as_ref().and_then(|it| it.filter.as_ref());
            if let (Some(value), Some(filter)) = (value, filter) {
                distinct.insert((value.text, filter.popcount()));
            }
        }
        let pairs = distinct.iter().map(|(text, bits)| (text.chars().count() as u32, *bits));
        Self::of_pairs(pairs.collect(), seed)
    }

    /// Of pairs of length and set bits.
    pub fn of_pairs(mut pairs: Vec<(u32, u32)>, seed: u64) -> Self {
        let entropy = entropy(pairs.iter().map(|pair| pair.0));
        let correlation = correlation(&pairs);
        let information = mutual_information(&pairs);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut chance = 0.0;
        for _ in 0..SHUFFLES {
            let mut lengths: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
            lengths.shuffle(&mut rng);
            pairs.iter_mut().zip(lengths).for_each(|(pair, length)| pair.0 = length);
            chance += mutual_information(&pairs) / SHUFFLES as f64;
        }
        let information = (information - chance).max(0.0);
        Self { values: pairs.len(), correlation, information, entropy }
    }
}

fn correlation(pairs: &[(u32, u32)]) -> f64 {
    let n = pairs.len() as f64;
    let mean = |values: &mut dyn Iterator<Item = u32>| values.map(f64::from).sum::<f64>() / n;
    let (x, y) = (mean(&mut pairs.iter().map(|it| it.0)), mean(&mut pairs.iter().map(|it| it.1)));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let (a, b) = (f64::from(*a) - x, f64::from(*b) - y);
        xy += a * b;
        xx += a * a;
        yy += b * b;
    }
    if xx * yy == 0.0 { 0.0 } else { xy / (xx * yy).sqrt() }
}

fn mutual_information(pairs: &[(u32, u32)]) -> f64 {
    let of_parts = entropy(pairs.iter().map(|it| it.0)) + entropy(pairs.iter().map(|it| it.1));
    of_parts - entropy(pairs.iter().copied())
}

fn entropy<T: Ord>(values: impl Iterator<Item = T>) -> f64 {
    let mut counts: BTreeMap<T, u32> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    let n: u32 = counts.values().sum();
    let share = |count: &u32| f64::from(*count) / f64::from(n);
    counts.values().map(|count| -share(count) * share(count).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_that_follow_the_length_give_it_away_and_others_do_not() {
        let following = LengthLeak::of_pairs((0..400).map(|n| (n % 4, 10 * (n % 4))).collect(), 1);
        assert!((following.entropy - 2.0).abs() < 1e-9);
        assert!(following.correlation > 0.999 && following.information > 1.9, "{following:?}");
        let apart = LengthLeak::of_pairs((0..400).map(|n| (n % 4, n / 4 % 4)).collect(), 1);
        assert!(apart.correlation.abs() < 1e-9 && apart.information < 0.01, "{apart:?}");
    }
}

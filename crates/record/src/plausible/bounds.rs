//! How many bits of a filter the values of a field can set.
//!
//! A value of `g` different grams draws `g * hashes` input bits; each output bit is the XOR of
//! `diffusion` of them. Where a share `p` of the input bits is set, an output bit is set with the
//! probability `q = (1 - (1 - 2 p)^diffusion) / 2`. So `q` is small for the shortest values, near a
//! half for most, and, where the diffusion is even, small again for values so long that nearly all
//! input bits are set. The bounds leave out what values of one character up to [`MOST_GRAMS`]
//! different grams reach with a probability below [`CHANCE`], by Chernoff's bound for independent
//! bits: P(at most s of n) <= exp(-n D(s/n || q)), D being the relative entropy. (Within a round of
//! the diffusion no two output bits share an input bit, and what their number of set ones varies by is
//! less than that.)

use std::ops::RangeInclusive;

use crate::{encoded::Filter, schema::FilterShape};

/// Grams of the longest value: whatever 255 characters hold, and the usual text of a thousand.
const MOST_GRAMS: f64 = 256.0;

/// Logarithm of the probability with which a value falls out of the bounds: one in 2^40.
const CHANCE: f64 = -40.0 * std::f64::consts::LN_2;

/// Logarithm of the probability with which two keys give equal filters, above which equality says
/// nothing: one in 2^64.
const EQUAL_CHANCE: f64 = -64.0 * std::f64::consts::LN_2;

/// The least and the most bits that values set in a filter of `shape`. A filter without any bit, or
/// with all, correlates with no other, and is always left out.
pub(super) fn bounds(shape: &FilterShape) -> RangeInclusive<u32> {
    let longest = density(shape, set_share(shape, MOST_GRAMS * f64::from(shape.hashes)));
    let n_bits = f64::from(shape.bits);
    let is_too_few = |n_set: u32| {
        shortest_has_at_most(shape, n_set) < CHANCE && at_most(n_bits, n_set, longest) < CHANCE
    };
    // The densest values have half of the bits set, or more where an odd diffusion hides nothing.
    let is_too_many =
        |n_set: u32| at_most(n_bits, shape.bits - n_set, 1.0 - longest.max(0.5)) < CHANCE;
    let fewest = first(1, shape.bits / 2, |n_set| !is_too_few(n_set));
    let most = first(shape.bits / 2, shape.bits - 1, |n_set| is_too_many(n_set + 1));
    fewest..=most
}

/// The first of `from..=to` for which `holds`, which then holds for all that follow; `to` where it
/// holds for none.
fn first(from: u32, to: u32, holds: impl Fn(u32) -> bool) -> u32 {
    let (mut from, mut to) = (from, to);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) { to = middle } else { from = middle + 1 }
    }
    to
}

/// Whether two filters like this one, made under two keys, can be equal by chance.
pub(super) fn is_equal_by_chance(filter: &Filter) -> bool {
    -ln_choose(filter.0.len() * 64, filter.popcount() as usize) > EQUAL_CHANCE
}

/// Logarithm of the probability that a value of one character sets at most `n_set` bits: the
/// likeliest of all numbers of draws that fall on a bit that was drawn before.
fn shortest_has_at_most(shape: &FilterShape, n_set: u32) -> f64 {
    let n_bits = f64::from(shape.bits);
    let n_draws = usize::from(shape.grams) * usize::from(shape.hashes);
    let lost = |n_lost: usize| {
        let p_lost = (n_draws as f64 / n_bits).min(1.0).ln() * n_lost as f64;
        let share = ((n_draws - n_lost) as f64 / n_bits).min(1.0);
        (ln_choose(n_draws, n_lost) + p_lost).min(0.0)
            + at_most(n_bits, n_set, density(shape, share))
    };
    (0..n_draws).map(lost).fold(f64::NEG_INFINITY, f64::max)
}

/// The share of input bits that `n_draws` draws set.
fn set_share(shape: &FilterShape, n_draws: f64) -> f64 {
    1.0 - (1.0 - 1.0 / f64::from(shape.bits)).powf(n_draws)
}

/// The probability that an output bit is set where a share `p` of the input bits is.
fn density(shape: &FilterShape, p: f64) -> f64 {
    (1.0 - (1.0 - 2.0 * p).powi(i32::from(shape.diffusion))) / 2.0
}

/// Chernoff's bound on the logarithm of the probability that at most `n_set` of `n_bits` bits are
/// set, each with probability `q`.
fn at_most(n_bits: f64, n_set: u32, q: f64) -> f64 {
    let share = f64::from(n_set) / n_bits;
    if share >= q {
        return 0.0;
    }
    let term = |a: f64, b: f64| if a == 0.0 { 0.0 } else { a * (a / b).ln() };
    -n_bits * (term(share, q) + term(1.0 - share, 1.0 - q))
}

/// Logarithm of the number of ways to choose `k` of `n`.
fn ln_choose(n: usize, k: usize) -> f64 {
    (0..k.min(n - k)).map(|i| ((n - i) as f64 / (i + 1) as f64).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(bits: u32, grams: u8, hashes: u8, diffusion: u8) -> FilterShape {
        FilterShape { bits, grams, positional: false, hashes, diffusion }
    }

    #[test]
    fn bounds_follow_from_the_shape() {
        for (shape, expected) in [
            (shape(512, 2, 6, 10), 23..=339),  // names
            (shape(512, 1, 6, 10), 1..=339),   // dates
            (shape(1024, 2, 4, 10), 12..=630), // addresses
            (shape(512, 2, 4, 10), 7..=339),   // cities
            (shape(512, 2, 3, 10), 1..=339),   // occupations
            (shape(512, 1, 8, 10), 7..=339),   // ZIP codes with their places
            // Without diffusion a long value sets nearly all bits.
            (shape(512, 2, 6, 1), 1..=511),
            // Too short to tell: any number of bits but none and all.
            (shape(64, 1, 1, 1), 1..=63),
        ] {
            assert_eq!(bounds(&shape), expected, "{shape:?}");
        }
    }

    #[test]
    fn every_shape_that_a_schema_may_have_has_bounds() {
        for bits in [64, 128, 1024, 4096] {
            for (grams, hashes, diffusion) in [(1, 1, 1), (2, 6, 10), (2, 6, 9), (4, 64, 32)] {
                let shape = shape(bits, grams, hashes, diffusion);
                let bounds = bounds(&shape);
                assert!(*bounds.start() >= 1 && *bounds.end() < bits, "{shape:?} {bounds:?}");
                assert!(
                    *bounds.start() < bits / 2 && bits / 2 < *bounds.end(),
                    "{shape:?} {bounds:?}"
                );
            }
        }
    }

    #[test]
    fn only_filters_of_many_ways_cannot_be_equal_by_chance() {
        let filter = |set: u64, words: usize| {
            let mut filter = vec![0; words];
            filter[0] = set;
            Filter(filter.into())
        };
        assert!(is_equal_by_chance(&filter(0b111, 8)));
        assert!(is_equal_by_chance(&filter(u64::MAX >> 32, 1)));
        assert!(!is_equal_by_chance(&filter(u64::MAX >> 32, 8)));
    }
}

//! What labels say beyond the two densities: a smooth correction of the log odds.
//!
//! Two log-concave curves cannot follow every shape: twins, say, are a bump of wrong joins at high
//! weights. Where labels keep telling something else than the curves, the log odds move towards it:
//! a logistic regression on the labels, with the curves as its offset and a random walk over weights
//! as the prior of what is added (a Gaussian Markov random field, Rue and Held 2005).

use std::f64::consts::LN_2;

use super::{N_BINS, labels::Labels};

/// How far, by standard deviation, the correction lies from none (natural logarithms).
const LEVEL: f64 = 1.0;
/// How far, by standard deviation, it moves in half a bit (natural logarithms).
const STEP: f64 = 0.3;
/// Nothing moves any more.
const SETTLED: f64 = 1e-9;
const MOST_ROUNDS: usize = 2000;

/// The log odds, in bits, with the correction by labels; never falling, and unchanged without any.
pub(super) fn corrected(log_odds: [f64; N_BINS], labels: &Labels) -> [f64; N_BINS] {
    if labels.is_empty() {
        return log_odds;
    }
    let added = correction(log_odds, labels);
    let mut bits = log_odds;
    bits.iter_mut().zip(added).for_each(|(odds, added)| *odds += added / LN_2);
    // Where the correction ends it may fall: there the labels outweigh what is not labeled.
    never_falling(bits, |bin| labels.n_judged(bin) + 0.1)
}

/// The maximum of the posterior, coordinate by coordinate; the curvature of the logistic likelihood
/// is bounded by a quarter of its labels, so that no step goes too far (Boehning and Lindsay 1988).
fn correction(log_odds: [f64; N_BINS], labels: &Labels) -> [f64; N_BINS] {
    let (level, step) = (LEVEL.powi(-2), STEP.powi(-2));
    let mut added = [0.0_f64; N_BINS];
    for _ in 0..MOST_ROUNDS {
        let mut moved = 0.0_f64;
        for bin in 0..N_BINS {
            let right = 1.0 / (1.0 + (-log_odds[bin] * LN_2 - added[bin]).exp());
            let n_judged = labels.n_judged(bin);
            let mut slope = n_judged * right - labels.n_right(bin) + level * added[bin];
            let mut bend = n_judged / 4.0 + level;
            let before = bin.checked_sub(1).map(|before| added[before]);
            for neighbor in before.into_iter().chain(added.get(bin + 1).copied()) {
                slope += step * (added[bin] - neighbor);
                bend += step;
            }
            added[bin] -= slope / bend;
            moved = moved.max((slope / bend).abs());
        }
        if moved < SETTLED {
            break;
        }
    }
    added
}

/// The nearest sequence that never falls, by weighted squares (pool adjacent violators, Ayer et al.
/// 1955).
fn never_falling(values: [f64; N_BINS], weight: impl Fn(usize) -> f64) -> [f64; N_BINS] {
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(N_BINS);
    for (bin, value) in values.into_iter().enumerate() {
        let mut pool = (value, weight(bin), 1);
        while let Some(&(mean, mass, n)) = pools.last().filter(|(mean, ..)| *mean > pool.0) {
            let sum = mass + pool.1;
            pool = ((mean * mass + pool.0 * pool.1) / sum, sum, n + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    let mut rising = values;
    let pooled = pools.into_iter().flat_map(|(mean, _, n)| std::iter::repeat_n(mean, n));
    rising.iter_mut().zip(pooled).for_each(|(value, mean)| *value = mean);
    rising
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rising() -> [f64; N_BINS] {
        std::array::from_fn(|bin| bin as f64 / 2.0 - 6.0)
    }

    #[test]
    fn nothing_is_corrected_without_labels_and_nothing_far_from_them() {
        assert_eq!(corrected(rising(), &Labels::default()), rising());
        let mut labels = Labels::default();
        (0..100).for_each(|number| labels.count(12, number < 10, false));
        let found = corrected(rising(), &labels);
        // Even odds, where one in ten is right: log2(1 / 9) is -3.17.
        assert!((-3.2..-1.5).contains(&found[12]), "{}", found[12]);
        assert!(found[11] < rising()[11] && found[13] < rising()[13]);
        assert!((found[31] - rising()[31]).abs() < 0.02);
        assert!(found.is_sorted());
    }

    #[test]
    fn what_falls_is_pooled_by_weight() {
        let mut values = rising();
        (values[3], values[4]) = (0.0, -3.0);
        values[5..].fill(1.0);
        let found = never_falling(values, |bin| if bin == 4 { 2.0 } else { 1.0 });
        assert_eq!((found[2], found[3], found[4], found[5]), (-5.0, -2.0, -2.0, 1.0));
    }
}

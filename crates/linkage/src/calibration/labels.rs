//! Joins that stewards judged, by weight.

use super::{BINS_PER_BIT, FLOOR, N_BINS};
use crate::weight::MatchWeight;

/// What stewards said of the joins of one band of weights, and what was to be expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelBand {
    /// The least weight of the band.
    pub from: MatchWeight,
    /// The weight at which the next band begins.
    pub to: MatchWeight,
    /// Joins judged.
    pub n_judged: u32,
    /// Joins found to be right.
    pub n_matches: u32,
    /// The mean probability of the judged joins as calibrated without labels, 0 to 1.
    pub before: f64,
    /// The mean probability as calibrated with them, 0 to 1.
    pub after: f64,
}

/// Judged joins by half a bit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Labels {
    right: [f64; N_BINS],
    wrong: [f64; N_BINS],
    /// Those among them that a decision took from the weights: they are in no other count of joins.
    pub(super) decided: [f64; N_BINS],
}

impl Default for Labels {
    fn default() -> Self {
        Self { right: [0.0; N_BINS], wrong: [0.0; N_BINS], decided: [0.0; N_BINS] }
    }
}

impl Labels {
    pub(super) fn count(&mut self, bin: usize, is_match: bool, is_decided: bool) {
        let judged = if is_match { &mut self.right } else { &mut self.wrong };
        judged[bin] += 1.0;
        self.decided[bin] += f64::from(u8::from(is_decided));
    }

    pub(super) fn n_judged(&self, bin: usize) -> f64 {
        self.right[bin] + self.wrong[bin]
    }

    pub(super) fn n_right(&self, bin: usize) -> f64 {
        self.right[bin]
    }

    pub(super) fn is_empty(&self) -> bool {
        (0..N_BINS).all(|bin| self.n_judged(bin) == 0.0)
    }

    /// The sums over all folds but one.
    pub(super) fn without(folds: &[Self], left_out: Option<usize>) -> Self {
        let mut sums = Self::default();
        for (_, fold) in folds.iter().enumerate().filter(|(fold, _)| Some(*fold) != left_out) {
            for bin in 0..N_BINS {
                sums.right[bin] += fold.right[bin];
                sums.wrong[bin] += fold.wrong[bin];
                sums.decided[bin] += fold.decided[bin];
            }
        }
        sums
    }

    /// Minus the logarithm of the likelihood of what was said of the joins in a bin, where so many
    /// right and wrong ones are expected: binomial.
    pub(super) fn misfit(&self, bin: usize, right: f64, wrong: f64) -> f64 {
        let surprise = |n: f64, expected: f64| {
            if n > 0.0 { -n * (expected / (right + wrong)).max(1e-12).ln() } else { 0.0 }
        };
        surprise(self.right[bin], right) + surprise(self.wrong[bin], wrong)
    }

    /// The labels by bands of a bit, with the mean of two probabilities over them; bands without a
    /// label are left out.
    pub(super) fn bands(
        &self,
        before: impl Fn(usize) -> f64,
        after: impl Fn(usize) -> f64,
    ) -> Vec<LabelBand> {
        let width = BINS_PER_BIT as usize;
        let bands = (0..N_BINS).step_by(width).filter_map(|first| {
            let sum = |of: &dyn Fn(usize) -> f64| (first..first + width).map(of).sum::<f64>();
            let n_judged = sum(&|bin| self.n_judged(bin));
            let mean =
                |of: &dyn Fn(usize) -> f64| sum(&|bin| self.n_judged(bin) * of(bin)) / n_judged;
            let edge = |bin: usize| MatchWeight(FLOOR + bin as f64 / BINS_PER_BIT);
            (n_judged > 0.0).then(|| LabelBand {
                from: edge(first),
                to: edge(first + width),
                n_judged: n_judged as u32,
                n_matches: sum(&|bin| self.right[bin]) as u32,
                before: mean(&before),
                after: mean(&after),
            })
        });
        bands.collect()
    }
}

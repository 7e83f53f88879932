//! The densities of right and wrong joins by weight, and how they are fitted to what is known.

use super::{N_BINS, labels::Labels, middle};

/// What the densities are fitted to, by half a bit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed {
    /// All joins, judged ones included.
    pub(super) joins: [f64; N_BINS],
    /// Joins that a source free of duplicates forbids.
    pub(super) forbidden: [f64; N_BINS],
    /// Share of the pairs of records that lie within such a source.
    pub(super) forbidden_share: f64,
    /// What stewards said of some of the joins.
    pub(super) labels: Labels,
}

/// Where wrong joins begin to thin out in earnest, in bits.
const KNEE: f64 = 1.5;

/// The two densities, as logarithms of: expected right joins and wrong joins in all bins; slope
/// and bend of the right ones' log density; how the wrong ones' falls everywhere, and how much
/// steeper beyond [`KNEE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Parameters([f64; 6]);

/// What is usual for slopes and bends (natural logarithms per bit, per bit squared), from linkages
/// of administrative, historical and made-up records.
const USUAL: [f64; 4] = [0.25, 0.004, 0.1, 0.4];
/// How far they lie from it, as standard deviations of their logarithms.
const SPREAD: [f64; 4] = [0.5, 0.4, 0.8, 0.3];

impl Parameters {
    pub(super) fn start(observed: &Observed) -> Self {
        let n = observed.joins.iter().sum::<f64>().max(1.0);
        let [a, b, c, d] = USUAL.map(f64::ln);
        Self([(0.9 * n).ln(), (0.1 * n).ln(), a, b, c, d])
    }

    /// Expected right and wrong joins by bin.
    fn expected(&self) -> ([f64; N_BINS], [f64; N_BINS]) {
        let [n_right, n_wrong, slope, bend, fall, steep] = self.0.map(f64::exp);
        let (mut right, mut wrong) = ([0.0; N_BINS], [0.0; N_BINS]);
        for bin in 0..N_BINS {
            let z = middle(bin) - 4.0;
            right[bin] = (slope * z - bend * z * z / 2.0).exp();
            let beyond = (middle(bin) - KNEE).exp().ln_1p();
            wrong[bin] = (-fall * middle(bin) - steep * beyond).exp();
        }
        scale(&mut right, n_right);
        scale(&mut wrong, n_wrong);
        (right, wrong)
    }

    /// Minus the logarithm of the posterior, up to a constant.
    ///
    /// Stewards are asked about joins because of their weight and not because of what is true of
    /// them, so given the weight the judged ones are a fair sample, however few weights they cover.
    fn misfit(&self, observed: &Observed) -> f64 {
        let Observed { joins, forbidden, forbidden_share: share, labels } = observed;
        let (right, wrong) = self.expected();
        let poisson = |n: f64, expected: f64| expected - n * expected.max(1e-12).ln();
        let mut misfit = 0.0;
        for bin in 0..N_BINS {
            misfit += poisson(joins[bin], right[bin] + wrong[bin]);
            if *share > 0.0 {
                // What is forbidden is not among the joins: odds, not share.
                misfit += poisson(forbidden[bin], wrong[bin] * share / (1.0 - share));
            }
            misfit += labels.misfit(bin, right[bin], wrong[bin]);
        }
        for (place, (usual, spread)) in USUAL.iter().zip(SPREAD).enumerate() {
            misfit += ((self.0[place + 2] - usual.ln()) / spread).powi(2) / 2.0;
        }
        // Some joins are wrong: about one in ten among those of low weight, within wide bounds.
        misfit + ((self.0[0] - self.0[1] - 2.0) / 2.0).powi(2) / 2.0
    }

    /// The maximum of the posterior by pattern search (Hooke and Jeeves 1961).
    pub(super) fn fit(observed: &Observed, start: Self) -> Self {
        let misfit = |at: Self| at.misfit(observed);
        let mut best = start;
        let mut least = misfit(best);
        let mut step = 0.5;
        while step > 1e-4 {
            let before = best;
            for place in 0..best.0.len() {
                for direction in [step, -step] {
                    let mut next = best;
                    next.0[place] += direction;
                    let value = misfit(next);
                    if value < least {
                        (best, least) = (next, value);
                        break;
                    }
                }
            }
            if best == before {
                step /= 2.0;
                continue;
            }
            let mut next = best;
            next.0.iter_mut().zip(before.0).for_each(|(at, was)| *at += *at - was);
            let value = misfit(next);
            if value < least {
                (best, least) = (next, value);
            }
        }
        best
    }

    /// The log odds, in bits, that a join of each bin is right; never falling.
    pub(super) fn log_odds(&self) -> [f64; N_BINS] {
        let (right, wrong) = self.expected();
        let mut odds = [0.0; N_BINS];
        let mut most = f64::NEG_INFINITY;
        for bin in 0..N_BINS {
            most = (right[bin] / wrong[bin]).log2().max(most);
            odds[bin] = most.clamp(-30.0, 30.0);
        }
        odds
    }
}

fn scale(density: &mut [f64; N_BINS], total: f64) {
    let sum: f64 = density.iter().sum();
    density.iter_mut().for_each(|value| *value *= total / sum);
}

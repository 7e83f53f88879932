//! Calibration: the probability that a join is right, from the shape of all joins.
//!
//! The weights of joins are a mixture. Joins of one person thin out towards low weights, joins of
//! two people towards high ones, and between them lies what the cut-offs have to divide. Both
//! densities are fitted to the histogram of the joins as log-concave curves (a local false
//! discovery rate after Efron 2004, with both sides fitted), steadied by what is usual. Where a
//! source is free of duplicates, the joins that it forbids show the second density by itself; where
//! stewards judged joins, these show the odds of the two.
//! Model probabilities are not used: correlated fields and means over several pairs make them too
//! sure at one end and not sure enough at the other.

mod correction;
mod densities;
mod labels;

use serde::Deserialize;

pub use labels::LabelBand;

use crate::weight::MatchWeight;
use correction::corrected;
use densities::{Observed, Parameters};
use labels::Labels;

/// The probability that a join of one weight is right, with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knot {
    /// The weight, in bits.
    pub weight: f64,
    /// The probability, 0 to 1.
    pub probability: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// A monotone curve from weights to probabilities; empty for the model's own probabilities.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    /// By ascending weight.
    pub knots: Vec<Knot>,
}

/// A probability with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The best guess, 0 to 1.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Calibration {
    /// The probability that goes with `weight`: between knots the log odds are interpolated, beyond
    /// the last ones they move a bit per bit.
    pub fn probability(&self, weight: MatchWeight) -> Estimate {
        let of = |value: fn(&Knot) -> f64| self.curve(weight, value);
        Estimate { value: of(|k| k.probability), low: of(|k| k.low), high: of(|k| k.high) }
    }

    fn curve(&self, weight: MatchWeight, value: fn(&Knot) -> f64) -> f64 {
        let log_odds = |knot: &Knot| MatchWeight::from_probability(value(knot)).0;
        let after = self.knots.partition_point(|knot| knot.weight <= weight.0);
        let bits = match (after.checked_sub(1).map(|at| &self.knots[at]), self.knots.get(after)) {
            (None, None) => weight.0,
            (Some(end), None) | (None, Some(end)) => log_odds(end) + weight.0 - end.weight,
            (Some(left), Some(right)) => {
                let share = (weight.0 - left.weight) / (right.weight - left.weight);
                (1.0 - share) * log_odds(left) + share * log_odds(right)
            }
        };
        MatchWeight(bits).probability()
    }
}

/// The lowest weight that calibration looks at.
pub(crate) const FLOOR: f64 = -6.0;
/// From here on practically every join is right.
const CEILING: f64 = 10.0;
const BINS_PER_BIT: f64 = 2.0;
const N_BINS: usize = ((CEILING - FLOOR) * BINS_PER_BIT) as usize;
/// No join is automatic below this weight, in bits, whatever the calibration says of it: the model
/// itself holds four to one against it, and the fitted curves are least sure there.
const LEAST_UPPER: f64 = -2.0;
/// Cut-offs are chosen to an eighth of a bit.
const SLICES_PER_BIT: f64 = 8.0;
const N_SLICES: usize = ((CEILING - FLOOR) * SLICES_PER_BIT) as usize;
/// Parts of the joins of which each is left out once, for the intervals.
const N_FOLDS: usize = 20;
/// No interval is wider than this many bits to either side, over 1.96.
const MAX_ERROR: f64 = 6.0;

/// Joins by weight; those at or above [`CEILING`] are only counted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    /// Joins by fold and half a bit.
    joins: Vec<[f64; N_BINS]>,
    /// Joins that a source free of duplicates forbids.
    forbidden: Vec<[f64; N_BINS]>,
    /// Joins that stewards judged, by fold.
    labels: Vec<Labels>,
    /// Pairs of groups with too little in common to be compared.
    silent: [f64; N_BINS],
    /// Record pairs that the joins link, by half a bit.
    pairs: [f64; N_BINS],
    pairs_above: f64,
    joins_above: f64,
    /// Share of the pairs of records that lie within a source free of duplicates.
    forbidden_share: f64,
}

/// Cut-offs as chosen for error rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) upper: MatchWeight,
    pub(crate) lower: MatchWeight,
    pub(crate) silent: MatchWeight,
}

/// What cut-offs are to achieve.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRates {
    /// Largest share of the automatic links that may be wrong.
    pub false_links: f64,
    /// Largest probability of being wrong that a single automatic join may have.
    pub doubtful_join: f64,
    /// Largest share of the right joins that may go unseen below the lower cut-off.
    pub missed_joins: f64,
    /// Most review tasks for 1,000 records; the lower cut-off rises until they are that few.
    pub tasks_per_thousand: f64,
}

impl Default for ErrorRates {
    /// 0.75 % of the links, none likelier wrong than one in ten; 0.1 % unseen; 1.5 tasks per
    /// 1,000 records.
    fn default() -> Self {
        Self {
            false_links: 0.0075,
            doubtful_join: 0.1,
            missed_joins: 0.001,
            tasks_per_thousand: 1.5,
        }
    }
}

impl Histogram {
    pub(crate) fn new(forbidden_share: f64) -> Self {
        Self {
            joins: vec![[0.0; N_BINS]; N_FOLDS],
            forbidden: vec![[0.0; N_BINS]; N_FOLDS],
            labels: vec![Labels::default(); N_FOLDS],
            silent: [0.0; N_BINS],
            pairs: [0.0; N_BINS],
            pairs_above: 0.0,
            joins_above: 0.0,
            forbidden_share,
        }
    }

    fn bin(weight: MatchWeight) -> Option<usize> {
        let place = (weight.0 - FLOOR) * BINS_PER_BIT;
        (place >= 0.0 && place < N_BINS as f64).then_some(place as usize)
    }

    /// Counts a join that stands for `times` joins, of component `component`.
    pub(crate) fn count(
        &mut self,
        component: usize,
        weight: MatchWeight,
        n_pairs: u32,
        times: f64,
    ) {
        let n_pairs = f64::from(n_pairs) * times;
        match Self::bin(weight) {
            Some(bin) => {
                self.joins[component % N_FOLDS][bin] += times;
                self.pairs[bin] += n_pairs;
            }
            None if weight.0 >= CEILING => {
                self.pairs_above += n_pairs;
                self.joins_above += times;
            }
            None => (),
        }
    }

    /// Counts a join that a source free of duplicates forbids.
    pub(crate) fn count_forbidden(&mut self, component: usize, weight: MatchWeight, times: f64) {
        if let Some(bin) = Self::bin(weight) {
            self.forbidden[component % N_FOLDS][bin] += times;
        }
    }

    /// Counts two groups with too little in common to be compared.
    pub(crate) fn count_silent(&mut self, weight: MatchWeight, times: f64) {
        if let Some(bin) = Self::bin(weight) {
            self.silent[bin] += times;
        }
    }

    /// Counts the judged join number `number`; false if its weight is not looked at. A join that a
    /// decision took from the weights is among the joins by its label alone.
    pub(crate) fn count_label(
        &mut self,
        number: usize,
        weight: MatchWeight,
        is_match: bool,
        is_decided: bool,
    ) -> bool {
        let bin = Self::bin(weight);
        if let Some(bin) = bin {
            self.labels[number % N_FOLDS].count(bin, is_match, is_decided);
        }
        bin.is_some()
    }

    /// The sums over all folds but one.
    fn without(folds: &[[f64; N_BINS]], left_out: Option<usize>) -> [f64; N_BINS] {
        let mut sums = [0.0; N_BINS];
        for (_, fold) in folds.iter().enumerate().filter(|(fold, _)| Some(*fold) != left_out) {
            sums.iter_mut().zip(fold).for_each(|(sum, n)| *sum += n);
        }
        sums
    }

    /// What is known of all folds but one.
    fn observed(&self, left_out: Option<usize>) -> Observed {
        let labels = Labels::without(&self.labels, left_out);
        let mut joins = Self::without(&self.joins, left_out);
        joins.iter_mut().zip(labels.decided).for_each(|(sum, n)| *sum += n);
        let forbidden = Self::without(&self.forbidden, left_out);
        Observed { joins, forbidden, forbidden_share: self.forbidden_share, labels }
    }

    /// Fits the curve, with intervals by the jackknife over [`N_FOLDS`] parts of the components and
    /// of the labels.
    pub(crate) fn calibrate(&self) -> Calibration {
        let observed = self.observed(None);
        let whole = Parameters::fit(&observed, Parameters::start(&observed));
        let log_odds = corrected(whole.log_odds(), &observed.labels);
        let without = |fold| {
            let observed = self.observed(Some(fold));
            corrected(Parameters::fit(&observed, whole).log_odds(), &observed.labels)
        };
        let folds: Vec<_> = (0..N_FOLDS).map(without).collect();
        let knots = (0..N_BINS).map(|bin| {
            let mean = folds.iter().map(|fold| fold[bin]).sum::<f64>() / N_FOLDS as f64;
            let squares: f64 = folds.iter().map(|fold| (fold[bin] - mean).powi(2)).sum();
            let error = ((N_FOLDS - 1) as f64 / N_FOLDS as f64 * squares).sqrt().min(MAX_ERROR);
            let probability = |bits: f64| MatchWeight(bits).probability().clamp(1e-9, 1.0 - 1e-9);
            Knot {
                weight: middle(bin),
                probability: probability(log_odds[bin]),
                low: probability(log_odds[bin] - 1.96 * error),
                high: probability(log_odds[bin] + 1.96 * error),
            }
        });
        let mut knots: Vec<Knot> = knots.collect();
        for bin in 1..knots.len() {
            let Knot { low, high, .. } = knots[bin - 1];
            knots[bin].low = knots[bin].low.max(low);
            knots[bin].high = knots[bin].high.max(high);
        }
        Calibration { knots }
    }

    /// What stewards said of joins, beside what was to be expected of them without their labels and
    /// with them, by bands of a bit; bands without a label are left out.
    pub(crate) fn label_bands(&self, calibration: &Calibration) -> Vec<LabelBand> {
        let observed = self.observed(None);
        let unlabeled = Observed { labels: Labels::default(), ..observed };
        let before = Parameters::fit(&unlabeled, Parameters::start(&unlabeled)).log_odds();
        observed.labels.bands(
            |bin| MatchWeight(before[bin]).probability(),
            |bin| calibration.probability(MatchWeight(middle(bin))).value,
        )
    }

    /// The cut-offs that keep `rates`, for `n_records` records.
    pub(crate) fn cut_offs(
        &self,
        calibration: &Calibration,
        rates: ErrorRates,
        n_records: usize,
    ) -> Chosen {
        let joins = Self::without(&self.joins, None);
        let edge = |slice: usize| MatchWeight(FLOOR + slice as f64 / SLICES_PER_BIT);
        // A slice holds its share of a bin.
        let bin = |slice: usize| slice * N_BINS / N_SLICES;
        let share = N_BINS as f64 / N_SLICES as f64;
        let right = |slice: usize| {
            let middle = edge(slice).0 + 0.5 / SLICES_PER_BIT;
            calibration.probability(MatchWeight(middle)).value
        };
        let (mut n_links, mut n_false) = (self.pairs_above, 0.0);
        let mut upper = N_SLICES;
        for slice in (0..N_SLICES).rev().take_while(|slice| edge(*slice).0 >= LEAST_UPPER) {
            let (n_pairs, wrong) = (self.pairs[bin(slice)] * share, 1.0 - right(slice));
            n_links += n_pairs;
            n_false += n_pairs * wrong;
            if wrong > rates.doubtful_join || n_false > rates.false_links * n_links {
                break;
            }
            upper = slice;
        }
        let n_right = |slice: usize| joins[bin(slice)] * share * right(slice);
        let n_all: f64 = self.joins_above + (0..N_SLICES).map(n_right).sum::<f64>();
        // Half of the tasks for each of the two kinds of doubt.
        let most_tasks = rates.tasks_per_thousand * n_records as f64 / 1000.0 / 2.0;
        let mut silent = N_SLICES;
        let mut n_silent = 0.0;
        while silent > upper {
            n_silent += self.silent[bin(silent - 1)] * share;
            if n_silent > most_tasks {
                break;
            }
            silent -= 1;
        }
        let mut n_unseen: f64 = (0..upper).map(n_right).sum();
        let mut n_tasks = 0.0;
        let mut lower = upper;
        while lower > 0 && n_unseen > rates.missed_joins * n_all {
            n_tasks += joins[bin(lower - 1)] * share;
            if n_tasks > most_tasks {
                break;
            }
            lower -= 1;
            n_unseen -= n_right(lower);
        }
        Chosen { upper: edge(upper), lower: edge(lower), silent: edge(silent) }
    }
}

/// The middle of a bin, in bits.
fn middle(bin: usize) -> f64 {
    FLOOR + (bin as f64 + 0.5) / BINS_PER_BIT
}

#[cfg(test)]
mod tests;

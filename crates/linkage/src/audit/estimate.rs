//! Precision and recall from judged strata, with 95 % intervals; agreement of two judges.

use crate::calibration::Estimate;

/// What was judged of a stratum of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgedStratum {
    /// Whether its pairs are linked.
    pub is_linked: bool,
    /// Pairs in it.
    pub n_pairs: u64,
    /// Pairs that were judged, drawn at random.
    pub n_judged: u32,
    /// Judged pairs that are of one person.
    pub n_matches: u32,
}

/// What judged strata say of all pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleQuality {
    /// The share of the linked pairs that is of one person; `None` without linked pairs, or while a
    /// stratum of them has none judged.
    pub precision: Option<Estimate>,
    /// The share of the pairs of one person that is linked; `None` where no pair is of one person,
    /// or while any stratum has none judged.
    pub recall: Option<Estimate>,
}

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A number of pairs with its interval.
#[derive(Clone, Copy)]
struct Total {
    value: f64,
    low: f64,
    high: f64,
}

/// Estimates precision and recall from judged strata.
///
/// Shares of strata have Wilson intervals, for a sample without replacement. Those of their sum are
/// recovered from them (MOVER: Zou, Huang and Zhang 2009), and those of recall from the sums of
/// linked and of other pairs (MOVER-R: Donner and Zou 2012, Newcombe 2016). That the number of
/// pairs in a stratum may itself be an estimate is not in the intervals.
pub fn estimate(strata: &[JudgedStratum]) -> SampleQuality {
    let total = |is_linked: bool| {
        let mut n_pairs = 0.0;
        let mut total = Total { value: 0.0, low: 0.0, high: 0.0 };
        for stratum in strata.iter().filter(|s| s.is_linked == is_linked && s.n_pairs > 0) {
            let n = stratum.n_pairs as f64;
            let share = stratum.share()?;
            n_pairs += n;
            total.value += n * share.value;
            total.low += (n * (share.value - share.low)).powi(2);
            total.high += (n * (share.high - share.value)).powi(2);
        }
        total.low = (total.value - total.low.sqrt()).max(0.0);
        total.high = (total.value + total.high.sqrt()).min(n_pairs);
        Some((total, n_pairs))
    };
    let linked = total(true);
    let precision = linked.filter(|(_, n_pairs)| *n_pairs > 0.0).map(|(right, n_pairs)| Estimate {
        value: right.value / n_pairs,
        low: right.low / n_pairs,
        high: right.high / n_pairs,
    });
    let recall =
        linked.zip(total(false)).and_then(|((right, _), (missed, _))| recall(right, missed));
    SampleQuality { precision, recall }
}

impl JudgedStratum {
    /// The share that is of one person. The judged pairs count as so many drawn with replacement as
    /// tell as much; once all pairs are judged, nothing is open.
    fn share(&self) -> Option<Estimate> {
        let (n, n_judged) = (self.n_pairs as f64, f64::from(self.n_judged));
        let value = (self.n_judged > 0).then(|| f64::from(self.n_matches) / n_judged)?;
        if n_judged >= n {
            return Some(Estimate { value, low: value, high: value });
        }
        Some(wilson_interval(value, n_judged * (n - 1.0) / (n - n_judged)))
    }
}

/// Right pairs among right and missed ones.
///
/// With the odds of a miss R = missed / right, the limits are where the recovered interval of
/// `missed - R right` ends at zero: a quadratic in R each.
fn recall(right: Total, missed: Total) -> Option<Estimate> {
    if right.value + missed.value <= 0.0 {
        return None;
    }
    let product = right.value * missed.value;
    let root = |right_error: f64, missed_error: f64| {
        let a = right.value.powi(2) - right_error.powi(2);
        let c = missed.value.powi(2) - missed_error.powi(2);
        (a, c, (product.powi(2) - a * c).max(0.0).sqrt())
    };
    // Most misses: the larger root, as 1 / (1 + R) with R = (product + root) / a.
    let (a, _, most) = root(right.value - right.low, missed.high - missed.value);
    let low = if a > 0.0 { a / (a + product + most) } else { 0.0 };
    // Fewest: the smaller root, R = c / (product + root).
    let (_, c, least) = root(right.high - right.value, missed.value - missed.low);
    let high = if c > 0.0 { (product + least) / (product + least + c) } else { 1.0 };
    Some(Estimate { value: right.value / (right.value + missed.value), low, high })
}

/// The share k / n with its 95 % interval (Wilson 1927); `None` where n is 0 or less than k.
pub fn wilson(k: u64, n: u64) -> Option<Estimate> {
    (n > 0 && k <= n).then(|| wilson_interval(k as f64 / n as f64, n as f64))
}

fn wilson_interval(value: f64, n: f64) -> Estimate {
    let shrink = 1.0 + Z * Z / n;
    let middle = (value + Z * Z / (2.0 * n)) / shrink;
    let half = Z / shrink * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Rounding must not take the limits past the value: at 0 and at 1 they meet it.
    Estimate {
        value,
        low: (middle - half).clamp(0.0, value),
        high: (middle + half).clamp(value, 1.0),
    }
}

/// How far two judges agree beyond chance, up to 1 (Cohen 1960). `table[i][j]` counts what the first
/// called `i` and the second `j`; `None` where there is nothing to agree on: no pairs, or one answer
/// only.
pub fn kappa(table: [[u64; 2]; 2]) -> Option<f64> {
    let table = table.map(|row| row.map(|n| n as f64));
    let n: f64 = table.iter().flatten().sum();
    let agreed = (table[0][0] + table[1][1]) / n;
    let by_chance: f64 = (0..2)
        .map(|answer| (table[answer][0] + table[answer][1]) * (table[0][answer] + table[1][answer]))
        .sum::<f64>()
        / (n * n);
    (n > 0.0 && by_chance < 1.0).then(|| (agreed - by_chance) / (1.0 - by_chance))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn judged(is_linked: bool, n_pairs: u64, n_judged: u32, n_matches: u32) -> JudgedStratum {
        JudgedStratum { is_linked, n_pairs, n_judged, n_matches }
    }

    #[test]
    fn wilson_intervals_are_the_published_ones() {
        // Newcombe (1998), table I, method 3.
        for (k, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let found = wilson(k, n).unwrap();
            assert!(
                (found.low - low).abs() < 5e-5 && (found.high - high).abs() < 5e-5,
                "{found:?}"
            );
        }
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(29, 29).unwrap().high, 1.0);
    }

    #[test]
    fn kappa_is_agreement_beyond_chance() {
        // Agreed 0.7, by chance 0.5.
        assert!((kappa([[20, 5], [10, 15]]).unwrap() - 0.4).abs() < 1e-12);
        assert_eq!(kappa([[4, 0], [0, 6]]), Some(1.0));
        assert_eq!(kappa([[0, 0], [0, 0]]), None);
        assert_eq!(kappa([[7, 0], [0, 0]]), None);
    }

    #[test]
    fn strata_count_by_their_pairs() {
        let strata = [
            judged(true, 100, 50, 40),
            judged(true, 900, 50, 50),
            judged(false, 500, 50, 5),
            judged(false, 0, 0, 0),
        ];
        let found = estimate(&strata);
        assert!((found.precision.unwrap().value - 0.98).abs() < 1e-12);
        assert!((found.recall.unwrap().value - 980.0 / 1030.0).abs() < 1e-12);
        for estimate in [found.precision.unwrap(), found.recall.unwrap()] {
            assert!(0.0 < estimate.low && estimate.low < estimate.value, "{estimate:?}");
            assert!(estimate.value < estimate.high && estimate.high <= 1.0, "{estimate:?}");
        }
    }

    #[test]
    fn a_stratum_of_which_nothing_is_judged_leaves_the_estimate_open() {
        let linked = judged(true, 100, 10, 9);
        let only_linked = estimate(&[linked, judged(false, 50, 0, 0)]);
        assert!(only_linked.precision.is_some() && only_linked.recall.is_none());
        let nothing = estimate(&[judged(true, 100, 0, 0), judged(false, 50, 5, 0)]);
        assert_eq!((nothing.precision, nothing.recall), (None, None));
        assert_eq!(estimate(&[]), SampleQuality { precision: None, recall: None });
        assert_eq!(estimate(&[judged(true, 9, 5, 0)]).recall, None);
    }

    #[test]
    fn what_is_judged_to_the_last_pair_is_known() {
        let found = estimate(&[judged(true, 40, 40, 38), judged(false, 10, 10, 2)]);
        let point = |value: f64| Some(Estimate { value, low: value, high: value });
        assert_eq!((found.precision, found.recall), (point(0.95), point(0.95)));
    }

    #[test]
    fn where_nothing_was_missed_the_recall_is_open_downwards_only() {
        let found = estimate(&[judged(true, 1000, 50, 50), judged(false, 1000, 50, 0)]);
        let recall = found.recall.unwrap();
        assert_eq!((recall.value, recall.high), (1.0, 1.0));
        assert!((0.9..0.95).contains(&recall.low), "{recall:?}");
        // Nothing right among the linked ones: from below.
        let recall =
            estimate(&[judged(true, 10, 5, 0), judged(false, 1000, 50, 25)]).recall.unwrap();
        assert_eq!((recall.value, recall.low), (0.0, 0.0));
        assert!((0.0..0.02).contains(&recall.high) && recall.high > 0.0, "{recall:?}");
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        // Linked or not, pairs, judged, share of one person.
        type Stratum = (bool, u64, u32, f64);
        let usual: &[Stratum] = &[
            (true, 3_000, 60, 0.7),
            (true, 20_000, 60, 0.93),
            (true, 60_000, 60, 0.99),
            (true, 200_000, 60, 0.999),
            (false, 40_000, 60, 0.02),
            (false, 9_000, 60, 0.1),
            (false, 4_000, 60, 0.4),
        ];
        let few: &[Stratum] = &[(true, 400, 20, 0.8), (true, 900, 20, 0.95), (false, 500, 20, 0.3)];
        let nearly_all: &[Stratum] = &[(true, 40, 30, 0.8), (false, 30, 25, 0.3)];
        for (strata, seed) in [(usual, 1), (few, 2), (nearly_all, 3)] {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut held = [0.0; 2];
            let n_rounds = 4000;
            for _ in 0..n_rounds {
                let (judged, truth) = judge(strata, &mut random);
                let found = estimate(&judged);
                for (place, estimate) in [found.precision, found.recall].into_iter().enumerate() {
                    let Estimate { low, high, .. } = estimate.unwrap();
                    let holds = (low - 1e-12..=high + 1e-12).contains(&truth[place]);
                    held[place] += f64::from(u8::from(holds)) / f64::from(n_rounds);
                }
            }
            // Where one pair in a thousand is wrong, Wilson's own interval holds for 94 % of samples of 60.
            assert!(held.iter().all(|held| (0.92..0.985).contains(held)), "{seed}: {held:?}");
        }
    }

    /// Strata with their shares exactly (to a pair), judged without replacement; the true precision
    /// and recall.
    fn judge(
        strata: &[(bool, u64, u32, f64)],
        random: &mut ChaCha8Rng,
    ) -> (Vec<JudgedStratum>, [f64; 2]) {
        let mut totals = [0.0_f64; 3];
        let mut all = Vec::new();
        for &(is_linked, n_pairs, n_judged, share) in strata {
            let n_right = (n_pairs as f64 * share).round() as u64;
            let (mut right, mut left) = (n_right, n_pairs);
            for _ in 0..n_judged {
                right -= u64::from(random.random_range(0..left) < right);
                left -= 1;
            }
            totals[if is_linked { 0 } else { 1 }] += n_right as f64;
            totals[2] += if is_linked { n_pairs as f64 } else { 0.0 };
            all.push(judged(is_linked, n_pairs, n_judged, (n_right - right) as u32));
        }
        let [linked, missed, n_linked] = totals;
        (all, [linked / n_linked, linked / (linked + missed)])
    }
}

//! Tests of calibration on joins drawn from known densities.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Right joins thin out by 0.25 per bit towards low weights; wrong ones are as many at any low
/// weight and thin out by 0.5 per bit from 1.5 on.
fn drawn(n: usize, wrong_share: f64, seed: u64) -> (Histogram, Vec<(f64, bool)>) {
    let joins = joins(n, wrong_share, 0.5, seed);
    let mut histogram = Histogram::new(0.0);
    for (number, (weight, _)) in joins.iter().enumerate() {
        histogram.count(number, MatchWeight(*weight), 1, 1.0);
    }
    (histogram, joins)
}

/// Joins of which the wrong ones thin out by `fall` per bit from 1.5 on.
fn joins(n: usize, wrong_share: f64, fall: f64, seed: u64) -> Vec<(f64, bool)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut join = || {
        let is_right = random.random::<f64>() >= wrong_share;
        let steps: f64 = -random.random::<f64>().ln();
        let weight = match (is_right, random.random::<f64>() < 0.8) {
            (true, _) => CEILING - steps / 0.25,
            (false, true) => FLOOR + random.random::<f64>() * (1.5 - FLOOR),
            (false, false) => 1.5 + steps / fall,
        };
        (weight, is_right)
    };
    (0..n).map(|_| join()).collect()
}

#[test]
fn probabilities_come_near_the_truth_without_labels() {
    for (n, wrong_share) in [(5_000, 0.05), (5_000, 0.2), (50_000, 0.1)] {
        let (histogram, joins) = drawn(n, wrong_share, 7);
        let calibration = histogram.calibrate();
        for bin in [-2.0, 0.0, 2.0, 4.0] {
            let inside: Vec<bool> = joins
                .iter()
                .filter(|(weight, _)| (bin..bin + 2.0).contains(weight))
                .map(|(_, is_right)| *is_right)
                .collect();
            let right = inside.iter().filter(|is_right| **is_right).count();
            let truth = right as f64 / inside.len() as f64;
            let found = calibration.probability(MatchWeight(bin + 1.0));
            assert!((found.value - truth).abs() < 0.15, "{n} {bin}: {found:?} for {truth}");
            assert!(found.low <= found.value && found.value <= found.high);
        }
    }
}

#[test]
fn cut_offs_keep_the_wanted_rates() {
    let (histogram, joins) = drawn(20_000, 0.1, 3);
    let calibration = histogram.calibrate();
    let cut = |rates| histogram.cut_offs(&calibration, rates, 10_000_000);
    let rates = ErrorRates { false_links: 0.02, ..ErrorRates::default() };
    let Chosen { upper, lower, .. } = cut(rates);
    assert!(lower <= upper);
    let linked: Vec<_> = joins.iter().filter(|(weight, _)| *weight >= upper.0).collect();
    let wrong = linked.iter().filter(|(_, is_right)| !is_right).count();
    assert!((wrong as f64) < 0.03 * linked.len() as f64, "{wrong} of {}", linked.len());
    // Stricter rates raise the cut-off; fewer tasks allowed raise the lower one.
    assert!(cut(ErrorRates { false_links: 0.002, ..rates }).upper > upper);
    let few = histogram.cut_offs(&calibration, rates, 1_000);
    assert!(few.lower > lower && few.upper == upper);
}

#[test]
fn calibration_does_not_overrule_the_model_by_much() {
    let (histogram, _) = drawn(20_000, 0.0, 5);
    let calibration = histogram.calibrate();
    let rates = ErrorRates { false_links: 0.5, doubtful_join: 0.9, ..ErrorRates::default() };
    assert_eq!(histogram.cut_offs(&calibration, rates, 1_000).upper.0, LEAST_UPPER);
}

#[test]
fn pairs_with_little_in_common_are_asked_about_as_far_as_there_is_time() {
    let (mut histogram, _) = drawn(20_000, 0.1, 3);
    for number in 0..2_000 {
        histogram.count_silent(MatchWeight(f64::from(number % 100) / 10.0), 1.0);
    }
    let calibration = histogram.calibrate();
    let rates = ErrorRates::default();
    let cut = |n_records| histogram.cut_offs(&calibration, rates, n_records);
    assert_eq!(cut(100_000_000).silent, cut(100_000_000).upper);
    // 750 tasks of 1.5 for 1,000 records, half of them: the 375 strongest of 200 a bit.
    let asked = cut(500_000).silent.0;
    assert!((8.0..8.5).contains(&asked), "{asked}");
}

#[test]
fn joins_that_a_source_forbids_show_the_wrong_ones() {
    // Weights that are all alike tell nothing apart; a source free of duplicates does.
    let mut told = Histogram::new(0.5);
    let mut untold = Histogram::new(0.0);
    for number in 0..4_000 {
        let weight = MatchWeight(FLOOR + f64::from(number % 64) / 4.0);
        for histogram in [&mut told, &mut untold] {
            histogram.count(number as usize, weight, 1, 1.0);
        }
        told.count_forbidden(number as usize, weight, 0.5);
    }
    let at = |histogram: &Histogram| histogram.calibrate().probability(MatchWeight(0.0)).value;
    assert!(at(&told) < at(&untold), "{} {}", at(&told), at(&untold));
}

#[test]
fn without_a_calibration_probabilities_are_the_models_own() {
    let own = Calibration::default().probability(MatchWeight(3.0));
    assert!((own.value - 8.0 / 9.0).abs() < 1e-12);
}

#[test]
fn between_knots_and_beyond_them_the_curve_rises() {
    let knot = |weight, probability| Knot { weight, probability, low: 0.2, high: 0.95 };
    let calibration = Calibration { knots: vec![knot(0.0, 0.5), knot(2.0, 0.9)] };
    let at = |weight| calibration.probability(MatchWeight(weight)).value;
    assert!((at(0.0) - 0.5).abs() < 1e-12 && (at(1.0) - 0.75).abs() < 1e-9);
    assert!((at(3.0) - 18.0 / 19.0).abs() < 1e-9 && (at(-1.0) - 1.0 / 3.0).abs() < 1e-9);
}

/// Where stewards are asked.
const BAND: std::ops::Range<f64> = -1.0..4.0;

/// A histogram of joins, of which every `every`th one in the band was judged, and so decided.
fn judged(joins: &[(f64, bool)], every: usize) -> Histogram {
    let mut histogram = Histogram::new(0.0);
    let mut n_asked = 0;
    for (number, (weight, is_right)) in joins.iter().enumerate() {
        n_asked += usize::from(BAND.contains(weight));
        if BAND.contains(weight) && n_asked % every == 0 {
            assert!(histogram.count_label(number, MatchWeight(*weight), *is_right, true));
        } else {
            histogram.count(number, MatchWeight(*weight), 1, 1.0);
        }
    }
    histogram
}

/// The mean surprise at what is true of joins in the band, in bits.
fn log_loss(calibration: &Calibration, joins: &[(f64, bool)]) -> f64 {
    let asked: Vec<_> = joins.iter().filter(|(weight, _)| BAND.contains(weight)).collect();
    let surprise = |(weight, is_right): &&(f64, bool)| {
        let right = calibration.probability(MatchWeight(*weight)).value;
        -(if *is_right { right } else { 1.0 - right }).log2()
    };
    asked.iter().map(surprise).sum::<f64>() / asked.len() as f64
}

/// Joins as usual, and between -3 and 5 bits as many others as `n_odd` that are all alike: the shape
/// of the histogram does not tell which.
fn odd(n: usize, n_odd: usize, odd_is_right: bool, seed: u64) -> Vec<(f64, bool)> {
    let mut all = joins(n, 0.1, 0.5, seed);
    let mut random = ChaCha8Rng::seed_from_u64(seed + 1000);
    for _ in 0..n_odd {
        let place: f64 = (0..4).map(|_| random.random::<f64>()).sum();
        all.push((2.0 * place - 3.0, odd_is_right));
    }
    all
}

#[test]
fn labels_mend_what_the_shape_of_the_joins_does_not_tell() {
    // The log loss with every 20th join judged, beside that without labels.
    for (n, n_odd, odd_is_right, most) in [
        (20_000, 1_500, false, 0.8),
        (20_000, 500, false, 0.97),
        (5_000, 375, false, 0.85),
        (20_000, 1_500, true, 1.01),
        (20_000, 0, false, 1.01),
    ] {
        let mut loss = [0.0; 2];
        for seed in 1..6 {
            let known = odd(n, n_odd, odd_is_right, seed);
            let truth = odd(20_000, n_odd * 20_000 / n, odd_is_right, seed + 100);
            for (loss, every) in loss.iter_mut().zip([usize::MAX, 20]) {
                *loss += log_loss(&judged(&known, every).calibrate(), &truth);
            }
        }
        let share = loss[1] / loss[0];
        assert!(share < most, "{n} {n_odd} {odd_is_right}: {share}");
    }
}

#[test]
fn joins_that_were_decided_are_joins_all_the_same() {
    let all = joins(20_000, 0.1, 0.5, 1);
    let loss = |every| log_loss(&judged(&all, every).calibrate(), &all);
    // Half of the joins in the band are known by their labels alone: no dent in the histogram.
    assert!((loss(2) - loss(usize::MAX)).abs() < 0.02, "{} {}", loss(2), loss(usize::MAX));
}

#[test]
fn labels_are_compared_with_what_was_expected() {
    let all = odd(20_000, 1_500, false, 1);
    let histogram = judged(&all, 10);
    let bands = histogram.label_bands(&histogram.calibrate());
    let edges: Vec<_> = bands.iter().map(|band| (band.from.0, band.to.0)).collect();
    assert_eq!(edges, [(-1.0, 0.0), (0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)]);
    let n_asked = all.iter().filter(|(weight, _)| BAND.contains(weight)).count();
    assert_eq!(bands.iter().map(|band| band.n_judged as usize).sum::<usize>(), n_asked / 10);
    for band in bands {
        let said = f64::from(band.n_matches) / f64::from(band.n_judged);
        assert!((band.after - said).abs() < (band.before - said).abs(), "{band:?}");
        assert!((band.after - said).abs() < 0.1, "{band:?}");
    }
    let (unlabeled, _) = drawn(5_000, 0.1, 1);
    assert_eq!(unlabeled.label_bands(&unlabeled.calibrate()), []);
}

#[test]
fn the_curve_with_labels_rises_and_its_interval_holds_the_truth() {
    let all = odd(20_000, 1_500, false, 1);
    for every in [20, 5, 1] {
        let calibration = judged(&all, every).calibrate();
        for knots in calibration.knots.windows(2) {
            assert!(knots[0].probability <= knots[1].probability, "{knots:?}");
        }
        let of = |(weight, _): &&(f64, bool)| (1.0..2.0).contains(weight);
        let n_right = all.iter().filter(of).filter(|(_, is_right)| *is_right).count();
        let truth = n_right as f64 / all.iter().filter(of).count() as f64;
        let found = calibration.probability(MatchWeight(1.5));
        assert!(found.low < truth && truth < found.high, "{every}: {found:?} for {truth}");
    }
}

#[test]
fn labels_beyond_the_weights_looked_at_do_not_count() {
    let mut histogram = Histogram::new(0.0);
    for (weight, counts) in [(FLOOR - 0.1, false), (FLOOR, true), (CEILING, false)] {
        assert_eq!(histogram.count_label(0, MatchWeight(weight), true, true), counts, "{weight}");
    }
}

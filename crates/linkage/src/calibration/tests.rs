//! Tests of calibration on joins drawn from known densities.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Right joins thin out by 0.25 per bit towards low weights; wrong ones are as many at any low
/// weight and thin out by 0.5 per bit from 1.5 on.
fn drawn(n: usize, wrong_share: f64, seed: u64) -> (Histogram, Vec<(f64, bool)>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut histogram = Histogram::new(0.0);
    let mut joins = Vec::with_capacity(n);
    for number in 0..n {
        let is_right = random.random::<f64>() >= wrong_share;
        let steps: f64 = -random.random::<f64>().ln();
        let weight = match (is_right, random.random::<f64>() < 0.8) {
            (true, _) => CEILING - steps / 0.25,
            (false, true) => FLOOR + random.random::<f64>() * (1.5 - FLOOR),
            (false, false) => 1.5 + steps / 0.5,
        };
        histogram.count(number, MatchWeight(weight), 1, 1.0);
        joins.push((weight, is_right));
    }
    (histogram, joins)
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

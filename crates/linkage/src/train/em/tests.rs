//! Tests of EM on simulated agreement patterns.

use super::*;
use crate::train::tests::{SCHEMA, simulated};

#[test]
fn em_recovers_m_and_the_share_of_matches() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let start = Model::untrained(&schema);
    let m = [[0.80, 0.20], [0.90, 0.10], [0.70, 0.30], [0.95, 0.05]];
    let u = [[0.01, 0.99], [0.02, 0.98], [0.005, 0.995], [0.10, 0.90]];
    let random = Counts::new(simulated(&m, &u, 0.0, 200_000, 1));
    let mut estimate = Estimate::start(&start, &random);
    let mut round = Round::new(&schema, 0, &simulated(&m, &u, 0.3, 100_000, 2));
    round.run(&estimate, &TrainingOptions::default());
    estimate.combine(&start, &[round]);
    // The key of the round depends on field 0, which it says nothing about.
    assert_eq!(estimate.m[0][0], start.fields[0].levels[0].m);
    for field in 1..4 {
        assert!((estimate.m[field][0] - m[field][0]).abs() < 0.01, "m of field {field}");
        assert!((estimate.u[field][0] / u[field][0]).log2().abs() < 0.2, "u of field {field}");
    }
}

#[test]
fn a_round_reports_its_matches_and_convergence() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let m = [[0.9, 0.1]; 4];
    let u = [[0.01, 0.99]; 4];
    let random = Counts::new(simulated(&m, &u, 0.0, 50_000, 3));
    let estimate = Estimate::start(&Model::untrained(&schema), &random);
    let mut round = Round::new(&schema, 0, &simulated(&m, &u, 0.4, 20_000, 4));
    round.run(&estimate, &TrainingOptions::default());
    let report = round.report(&schema);
    assert!(report.converged && report.counts && report.iterations > 1);
    assert!((report.matches - 0.4).abs() < 0.02, "{}", report.matches);
    assert_eq!((report.key.as_str(), report.left_out), ("one", vec!["a".to_owned()]));
    let hasty = TrainingOptions { max_iterations: 1, ..TrainingOptions::default() };
    round.run(&estimate, &hasty);
    assert!(!round.report(&schema).converged);
}

#[test]
fn u_leaves_out_the_random_pairs_that_are_matches() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let m = [[0.95, 0.05]; 4];
    let u = [[0.001, 0.999]; 4];
    let random = Counts::new(simulated(&m, &u, 0.01, 500_000, 5));
    let start = Model::untrained(&schema);
    let mut estimate = Estimate::start(&start, &random);
    assert!(estimate.u[0][0] > 0.009);
    estimate.m = m.iter().map(|levels| levels.to_vec()).collect();
    estimate.refine_u(&random, 0.01);
    assert!(estimate.u[0][0] < 0.0015, "{}", estimate.u[0][0]);
}

//! Audit samples of linked records.

mod common;

use std::collections::BTreeSet;

use common::{decide, insert, key, linker, populated, population};
use linkage::{Decision, Linker, MatchWeight, SampleOptions, SampledStratum, Settlement};
use record::RecordKey;

const ALL: SampleOptions = SampleOptions { pairs_per_stratum: 1_000_000, seed: 1 };

fn people(settlement: &Settlement) -> Vec<Vec<RecordKey>> {
    settlement.groups.iter().filter(|group| group.len() > 1).cloned().collect()
}

/// The strata of the population, under the default model.
fn drawn(linker: &mut Linker, options: SampleOptions) -> Vec<SampledStratum> {
    let people = people(&linker.settle());
    linker.draw_sample(&people, options)
}

#[test]
fn every_pair_is_in_the_stratum_of_its_weight() {
    let mut linker = populated(&population());
    let settlement = linker.settle();
    let people = people(&settlement);
    let strata = linker.draw_sample(&people, ALL);
    let kinds: Vec<bool> = strata.iter().map(|stratum| stratum.is_linked).collect();
    assert_eq!(kinds, [true, true, true, true, false, false, false]);
    let mut linked = BTreeSet::new();
    for stratum in &strata {
        assert_eq!(stratum.n_pairs, stratum.pairs.len() as u64);
        for (left, right) in &stratum.pairs {
            let weight = linker.explain(left, right).unwrap().total;
            assert!(stratum.from.is_none_or(|from| from <= weight), "{weight} in {stratum:?}");
            assert!(stratum.to.is_none_or(|to| weight < to), "{weight} in {stratum:?}");
            assert!(left < right);
            let together = |group: &Vec<RecordKey>| group.contains(left) && group.contains(right);
            assert_eq!(people.iter().any(together), stratum.is_linked);
            linked.extend(stratum.is_linked.then(|| (left.clone(), right.clone())));
        }
    }
    let n_linked: usize = people.iter().map(|group| group.len() * (group.len() - 1) / 2).sum();
    assert_eq!(linked.len(), n_linked);
    let unlinked: Vec<_> =
        linker.pairs().map(|p| (p.left, p.right)).filter(|pair| !linked.contains(pair)).collect();
    let mut asked = strata[6].pairs.clone();
    asked.sort();
    assert_eq!(asked, unlinked);
    assert!(!unlinked.is_empty() && strata[5].n_pairs > 0 && strata[4].n_pairs > 0);
}

#[test]
fn a_sample_depends_on_the_seed_and_not_on_the_order_of_arrival() {
    let options = SampleOptions { pairs_per_stratum: 10, seed: 7 };
    let mut records = population();
    let strata = drawn(&mut populated(&records), options);
    records.reverse();
    assert_eq!(drawn(&mut populated(&records), options), strata);
    assert_ne!(drawn(&mut populated(&records), SampleOptions { seed: 8, ..options }), strata);
    // The lowest ranks of all: a smaller sample is the first part of a larger one.
    let large = SampleOptions { pairs_per_stratum: 25, ..options };
    for (small, large) in strata.iter().zip(drawn(&mut populated(&records), large)) {
        assert_eq!(small.pairs[..], large.pairs[..small.pairs.len()]);
    }
}

#[test]
fn pairs_that_somebody_decided_are_in_no_stratum() {
    let mut linker = populated(&population());
    let before = drawn(&mut linker, ALL);
    let is_linked = |linked: bool| before.iter().filter(move |s| s.is_linked == linked);
    let one_of_each = is_linked(true).chain(is_linked(false)).filter_map(|s| s.pairs.first());
    let chosen: Vec<_> = one_of_each.cloned().collect();
    for (left, right) in &chosen {
        let is_linked = is_linked(true).any(|s| s.pairs.contains(&(left.clone(), right.clone())));
        let decision = if is_linked { Decision::MustLink } else { Decision::CannotLink };
        decide(&mut linker, (&left.to_string(), &right.to_string()), decision, (1, 1));
    }
    linker.settle();
    // The decisions say what holds anyway, so the people are the same.
    let people = people(&populated(&population()).settle());
    let after = linker.draw_sample(&people, ALL);
    let n_pairs = |strata: &[SampledStratum]| strata.iter().map(|s| s.n_pairs).sum::<u64>();
    assert_eq!(n_pairs(&after), n_pairs(&before) - chosen.len() as u64);
    assert!(after.iter().flat_map(|s| &s.pairs).all(|pair| !chosen.contains(pair)));
}

#[test]
fn versions_of_a_record_are_one_record_with_its_best_weight() {
    let mut linker = linker();
    insert(&mut linker, "a/1", 1, &common::LUIS);
    insert(&mut linker, "a/1", 2, &common::ANA);
    insert(&mut linker, "b/1", 1, &common::ANA);
    insert(&mut linker, "b/1", 2, &common::LUIS);
    let strata = drawn(&mut linker, ALL);
    let found: Vec<_> = strata.iter().filter(|stratum| stratum.n_pairs > 0).collect();
    let [stratum] = found[..] else { panic!("one stratum: {strata:?}") };
    assert_eq!(stratum.pairs, [(key("a/1"), key("b/1"))]);
    let best = linker.explain(&key("a/1"), &key("b/1")).unwrap().total;
    assert!(stratum.from.unwrap_or(MatchWeight(f64::MIN)) <= best);
}

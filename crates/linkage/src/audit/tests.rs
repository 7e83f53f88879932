//! Tests of drawing from records that are all alike, where every number is known.

use std::sync::Arc;

use hashbrown::HashMap;
use record::{BlockingToken, EncodedField, EncodedRecord, RecordVersion, Schema, Token};

use super::*;
use crate::{model::Model, policy::Policy};

const SCHEMA: &str = r#"
    schema = "two"
    version = 1
    [[field]]
    name = "a"
    kind = "text"
    tokens = ["exact"]
    [[field]]
    name = "b"
    kind = "text"
    tokens = ["exact"]
    [[blocking]]
    name = "one"
    parts = ["a"]
"#;

const N_BLOCKS: u64 = 20;
const N_IN_BLOCK: u64 = 20;

/// Blocks of records that agree in one field and differ in the other, `below` bits below the lower
/// cut-off.
fn linker(below: f64) -> Linker {
    let schema = Arc::new(Schema::parse(SCHEMA).unwrap());
    let mut linker =
        Linker::new(schema.clone(), Arc::new(Model::untrained(&schema)), Policy::default());
    for number in 0..N_BLOCKS * N_IN_BLOCK {
        let shared = Token(1 + number % N_BLOCKS);
        let field = |token| Some(EncodedField { filter: None, tokens: vec![Some(token)] });
        let record = EncodedRecord {
            fields: vec![field(shared), field(Token(1_000 + number))],
            blocking: vec![BlockingToken { key: 0, token: shared }],
        };
        linker.insert(key(number), RecordVersion(1), record);
    }
    let weight = linker.explain(&key(0), &key(N_BLOCKS)).unwrap().total.0;
    let mut model = Model::clone(&linker.model);
    model.cut_offs.lower = weight + below;
    model.cut_offs.upper = weight + below + 5.0;
    linker.set_model(Arc::new(model));
    assert_eq!(linker.settle().tasks, []);
    linker
}

fn key(number: u64) -> RecordKey {
    format!("a/{number:03}").parse().unwrap()
}

fn separate(linker: &Linker, most_records: usize, seed: u64) -> Vec<SampledStratum> {
    let options = SampleOptions { pairs_per_stratum: 30, seed };
    Draw { linker, person_of: linker.person_of(&[]), options }.separate(most_records)
}

const N_PAIRS: u64 = N_BLOCKS * N_IN_BLOCK * (N_IN_BLOCK - 1) / 2;

#[test]
fn pairs_below_the_cut_off_are_counted_in_their_stratum() {
    for (below, expected) in
        [(1.0, [0, N_PAIRS]), (4.0, [0, N_PAIRS]), (5.0, [N_PAIRS, 0]), (9.0, [0, 0])]
    {
        let strata = separate(&linker(below), 400, 1);
        assert_eq!([strata[0].n_pairs, strata[1].n_pairs], expected, "{below}");
        assert_eq!(strata[0].to, strata[1].from);
    }
}

#[test]
fn a_sample_of_records_stands_for_all_of_them() {
    let linker = linker(1.0);
    let n_seeds = 400;
    let mut n_pairs = 0;
    let mut of_place: HashMap<u64, u64> = HashMap::new();
    for seed in 0..n_seeds {
        let strata = separate(&linker, 100, seed);
        n_pairs += strata[1].n_pairs;
        assert_eq!(strata[1].pairs.len(), 30);
        for (left, _) in &strata[1].pairs {
            let number: u64 = left.local_id.as_str().parse().unwrap();
            *of_place.entry(number / N_BLOCKS).or_default() += 1;
        }
    }
    let mean = n_pairs as f64 / n_seeds as f64;
    assert!((mean / N_PAIRS as f64 - 1.0).abs() < 0.02, "{mean} for {N_PAIRS}");
    // The first record of a block is the smaller one of 19 pairs, the last but one of a single one.
    for place in 0..N_IN_BLOCK - 1 {
        let share = of_place[&place] as f64 / (n_seeds as f64 * 30.0);
        let expected = (N_IN_BLOCK - 1 - place) as f64 / 190.0;
        assert!((share - expected).abs() < 0.01, "{place}: {share} for {expected}");
    }
}

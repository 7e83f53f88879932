//! Tests of training, and the simulated patterns that EM is tested on.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{level::Pattern, policy::Policy};

/// Four fields of two levels and a blocking key on the first.
pub(super) const SCHEMA: &str = r#"
    schema = "four"
    version = 1
    [[field]]
    name = "a"
    kind = "text"
    tokens = ["exact"]
    [[field]]
    name = "b"
    kind = "text"
    tokens = ["exact"]
    [[field]]
    name = "c"
    kind = "text"
    tokens = ["exact"]
    [[field]]
    name = "d"
    kind = "text"
    tokens = ["exact"]
    [[blocking]]
    name = "one"
    parts = ["a"]
"#;

/// Patterns of `n` pairs of which a share are matches, fields independent.
pub(super) fn simulated(
    m: &[[f64; 2]; 4],
    u: &[[f64; 2]; 4],
    matches: f64,
    n: usize,
    seed: u64,
) -> Vec<(Pattern, u64)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut patterns = Vec::with_capacity(n);
    for _ in 0..n {
        let table = if random.random::<f64>() < matches { m } else { u };
        let mut pattern = Pattern::default();
        for (field, levels) in table.iter().enumerate() {
            let is_exact = random.random::<f64>() < levels[0];
            pattern.set(field, if is_exact { 1 } else { 2 });
        }
        patterns.push((pattern, 1));
    }
    patterns
}

#[test]
fn too_little_to_learn_from_is_said() {
    let schema = Arc::new(Schema::parse(SCHEMA).unwrap());
    let model = Arc::new(Model::untrained(&schema));
    let linker = Linker::new(schema, model, Policy::default());
    let error = linker.train(&TrainingOptions::default()).unwrap_err();
    assert_eq!(error, TrainingError::TooFewRecords { needed: MIN_RECORDS });
}

#[test]
fn an_untrained_model_is_a_model() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let model = Model::untrained(&schema);
    assert_eq!(Model::from_toml(&model.to_toml(), &schema).unwrap(), model);
}

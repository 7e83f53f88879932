//! The match weights of a linkage model as a table.

use linkage::Model;
use serde_json::{Value, json};

use super::interval::weight_interval;
use crate::output::{Section, text};

/// The match weights of every field and level, in bits, with their intervals and counts.
pub fn weights(model: &Model) -> Section {
    let columns = ["field", "level", "m", "u", "weight", "low", "high", "n_m", "n_u"];
    let mut section = Section::new("weights", &columns);
    for field in &model.fields {
        for level in &field.levels {
            let (low, high) = weight_interval(field, level).unzip();
            section.row(vec![
                text(&field.name),
                text(level.level),
                json!(level.m),
                json!(level.u),
                json!(level.weight().0),
                json!(low),
                json!(high),
                count(level.n_m),
                count(level.n_u),
            ]);
        }
    }
    section
}

/// Pairs in training; expected numbers of pairs are rounded.
fn count(n_pairs: f64) -> Value {
    if n_pairs > 0.0 { json!(n_pairs.round() as u64) } else { text("assumed") }
}

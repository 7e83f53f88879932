//! What speaks for and against a pair of records, as rows.

use std::cmp::Reverse;

use api::{
    review::{Decision, PairExplanation},
    types,
};
use serde_json::{Value, json};

use crate::output::{Section, optional, text};

/// Columns of the parts of a weight.
const PART_COLUMNS: [&str; 4] = ["field", "level", "weight", "term_frequency"];

/// What speaks for and against each pair: totals, fields, and conclusions in words.
pub fn pair_sections(pairs: &[PairExplanation]) -> [Section; 3] {
    let columns = ["left", "right", "total", "probability", "lower", "upper", "decision", "model"];
    let mut totals = Section::new("pairs", &columns);
    let columns = [&["left", "right"][..], &PART_COLUMNS].concat();
    let mut fields = Section::new("fields", &columns);
    let mut conclusions = Section::new("conclusions", &["left", "right", "conclusion"]);
    for pair in pairs {
        let names = [record_name(pair.left.as_ref()), record_name(pair.right.as_ref())];
        let score = |cell: Value| if pair.blind { Value::Null } else { cell };
        let mut row = names.to_vec();
        row.extend([
            score(bits(pair.total_millibits)),
            score(probability(pair.probability_ppm)),
            score(bits(pair.lower_cut_off_millibits)),
            score(bits(pair.upper_cut_off_millibits)),
            optional(decision_text(pair)),
            text(&pair.model_version),
        ]);
        totals.row(row);
        for part in part_rows(pair) {
            fields.row(names.iter().cloned().chain(part).collect());
        }
        for conclusion in &pair.conclusions {
            let mut row = names.to_vec();
            row.push(text(conclusion));
            conclusions.row(row);
        }
    }
    [totals, fields, conclusions]
}

/// A part of a pair's weight, in thousandths of a bit.
pub struct Part<'a> {
    /// The field, or in brackets what else it is.
    pub name: &'a str,
    /// Fields: the comparison level.
    pub level: Option<&'a str>,
    /// Its weight.
    pub weight: i32,
    /// Fields: the term-frequency adjustment.
    pub term_frequency: Option<i32>,
}

impl Part<'_> {
    fn row(&self) -> [Value; 4] {
        [
            text(self.name),
            optional(self.level),
            bits(self.weight),
            self.term_frequency.map_or(Value::Null, bits),
        ]
    }
}

/// What adds up to a pair's total: the prior, the fields from the one that says most for a match
/// to the one that says most against it, and what is taken back.
pub fn parts(pair: &PairExplanation) -> Vec<Part<'_>> {
    let whole = |name, weight| Part { name, level: None, weight, term_frequency: None };
    let mut fields: Vec<_> = pair.fields.iter().collect();
    fields.sort_by_key(|field| Reverse(field.weight_millibits + field.term_frequency_millibits));
    let mut parts = vec![whole("(prior)", pair.prior_millibits)];
    parts.extend(fields.into_iter().map(|field| Part {
        name: &field.field,
        level: Some(&field.level),
        weight: field.weight_millibits,
        term_frequency: Some(field.term_frequency_millibits),
    }));
    parts.push(whole("(correlated fields)", pair.correlation_millibits));
    parts.push(whole("(one household)", pair.household_millibits));
    parts
}

/// The parts of a pair's weight as rows, and their total; blind, only the levels in schema order.
fn part_rows(pair: &PairExplanation) -> Vec<[Value; 4]> {
    if pair.blind {
        let levels = pair.fields.iter();
        let levels = levels.map(|it| [text(&it.field), text(&it.level), Value::Null, Value::Null]);
        return levels.collect();
    }
    let mut rows: Vec<_> = parts(pair).iter().map(Part::row).collect();
    rows.push([text("(total)"), Value::Null, bits(pair.total_millibits), Value::Null]);
    rows
}

/// The parts of one pair's weight, and their total.
pub fn parts_section(pair: &PairExplanation) -> Section {
    let mut section = Section::new("fields", &PART_COLUMNS);
    for row in part_rows(pair) {
        section.row(row.to_vec());
    }
    section
}

/// The steward's decision that binds a pair, in words.
pub fn decision_text(pair: &PairExplanation) -> Option<String> {
    let words = |decision: &Decision| {
        format!("{} by {}: {}", decision.id, decision.author, decision.reason)
    };
    pair.decision.as_ref().map(words)
}

/// A record as `agency/local_id`.
pub fn record_name(record: Option<&types::RecordKey>) -> Value {
    optional(record.map(record_text))
}

/// A record as `agency/local_id`, in a text.
pub fn record_text(record: &types::RecordKey) -> String {
    format!("{}/{}", record.agency, record.local_id)
}

/// A weight in bits.
pub fn bits(millibits: i32) -> Value {
    json!(f64::from(millibits) / 1_000.0)
}

/// A probability between 0 and 1.
pub fn probability(ppm: u32) -> Value {
    json!(f64::from(ppm) / 1_000_000.0)
}

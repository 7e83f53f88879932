//! What `waymark link` prints: counts, estimated quality, reviews, blocking, weights, training.

use std::collections::BTreeMap;

use linkage::{BlockingReport, Estimate, Linker, MatchWeight, Settlement, train::TrainingReport};
use serde_json::json;

use crate::{
    commands::offline::Input,
    output::{Section, text},
};

/// Counts of what was read and linked.
pub(super) fn summary(
    input: &Input,
    n_records: usize,
    blocking: &BlockingReport,
    settlement: &Settlement,
) -> Section {
    let mut section = Section::new("summary", &["what", "count"]);
    let n_linked: usize =
        settlement.groups.iter().map(Vec::len).filter(|n_records| *n_records > 1).sum();
    let largest = settlement.groups.iter().map(Vec::len).max().unwrap_or(0);
    for (what, count) in [
        ("agencies", input.agencies.len() as u64),
        ("records", n_records as u64),
        ("rejected rows", input.n_rejected),
        ("records that no blocking key compares", blocking.n_versions_unreached as u64),
        ("records linked to another", n_linked as u64),
        ("participants", settlement.groups.len() as u64),
        ("records of the largest participant", largest as u64),
        ("pairs for review, counted as not linked", settlement.tasks.len() as u64),
        ("oversize components, divided first", settlement.oversize.len() as u64),
    ] {
        section.row(vec![text(what), json!(count)]);
    }
    section
}

/// The quality that is to be expected, without labels, and what the cut-offs are.
pub(super) fn estimates(linker: &Linker, settlement: &Settlement) -> Section {
    let mut section = Section::new("estimates", &["what", "value", "low", "high"]);
    let model = linker.model();
    let Estimate { value, low, high } = settlement.estimated_precision(model);
    section.row(vec![text("precision of the links"), json!(value), json!(low), json!(high)]);
    let missed = linker.reach(&settlement.groups).estimated_missed_share();
    let bound = "pairs of one person that blocking misses, at least";
    section.row(vec![text(bound), json!(missed), text("-"), text("-")]);
    for (what, bits) in [("upper", model.cut_offs.upper), ("lower", model.cut_offs.lower)] {
        let Estimate { value, low, high } = model.probability(MatchWeight(bits));
        let what = format!("probability at the {what} cut-off of {bits:+.2} bits");
        section.row(vec![text(what), json!(value), json!(low), json!(high)]);
    }
    section
}

/// Why pairs are for review.
pub(super) fn reviews(settlement: &Settlement) -> Section {
    let mut section = Section::new("reviews", &["reason", "pairs"]);
    let mut reasons = BTreeMap::new();
    for task in &settlement.tasks {
        *reasons.entry(task.reason).or_insert(0_u64) += 1;
    }
    for (reason, count) in reasons {
        section.row(vec![text(reason), json!(count)]);
    }
    section
}

/// What each blocking key did, and what it skipped.
pub(super) fn blocking(report: &BlockingReport) -> Section {
    let columns = [
        "blocking_key",
        "pairs",
        "tokens_over_cap",
        "records_over_cap",
        "pairs_skipped",
        "by_second_token",
    ];
    let mut section = Section::new("blocking", &columns);
    for key in &report.keys {
        section.row(vec![
            text(&key.key),
            json!(key.n_pairs),
            json!(key.n_tokens_over_cap),
            json!(key.n_versions_over_cap),
            json!(key.n_pairs_skipped),
            json!(key.n_pairs_divided),
        ]);
    }
    section
}

/// How the weights were found: a round of training per blocking key.
pub(super) fn training_rounds(report: &TrainingReport) -> Section {
    let columns = ["blocking_key", "pairs", "matches", "iterations", "converged", "counts"];
    let mut section = Section::new("training", &columns);
    for round in &report.rounds {
        section.row(vec![
            text(&round.key),
            json!(round.n_pairs),
            json!(round.matches),
            json!(round.iterations),
            json!(round.converged),
            json!(round.counts),
        ]);
    }
    section
}

//! Measures links against the truth: pairwise and B-cubed precision, recall and F1.

use std::collections::{BTreeMap, HashMap};

use record::RecordKey;

/// Precision, recall and their harmonic mean, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Share of what was linked that is right; 1 where nothing was linked.
    pub precision: f64,
    /// Share of what is right that was linked; 1 where there is nothing to link.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
}

/// How links compare with the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Records that the truth knows; a record without a link counts as a person of its own.
    pub n_records: usize,
    /// Linked records that the truth does not know: left out of every figure.
    pub n_unknown: usize,
    /// Pairs of one person in the truth.
    pub n_true_pairs: u64,
    /// Pairs of one participant in the links.
    pub n_linked_pairs: u64,
    /// Pairs that are in both.
    pub n_correct_pairs: u64,
    /// Over pairs of records.
    pub pairwise: Quality,
    /// The mean over records of the quality of each record's own cluster (Bagga and Baldwin 1998).
    pub b_cubed: Quality,
    /// Number of participants by their number of records.
    pub linked_sizes: BTreeMap<usize, usize>,
    /// Number of people in the truth by their number of records.
    pub true_sizes: BTreeMap<usize, usize>,
}

/// Compares `links` (record to participant) with `truth` (record to person).
///
/// Works on the counts of (participant, person), so a million records take a second.
pub fn evaluate(
    links: &BTreeMap<RecordKey, String>,
    truth: &BTreeMap<RecordKey, String>,
) -> Evaluation {
    let mut participants: HashMap<&str, usize> = HashMap::new();
    let mut people: HashMap<&str, usize> = HashMap::new();
    let mut cells: HashMap<(usize, usize), usize> = HashMap::new();
    let mut n_unlinked = 0;
    for (record, person) in truth {
        let n_people = people.len();
        let person = *people.entry(person).or_insert(n_people);
        let participant = match links.get(record) {
            Some(participant) => {
                let n_participants = participants.len();
                *participants.entry(participant).or_insert(n_participants)
            }
            None => {
                n_unlinked += 1;
                usize::MAX - n_unlinked
            }
        };
        *cells.entry((participant, person)).or_insert(0) += 1;
    }
    let mut linked: HashMap<usize, usize> = HashMap::new();
    let mut real: HashMap<usize, usize> = HashMap::new();
    for ((participant, person), n) in &cells {
        *linked.entry(*participant).or_insert(0) += n;
        *real.entry(*person).or_insert(0) += n;
    }
    let [n_correct_pairs, n_linked_pairs, n_true_pairs] =
        [n_pairs(cells.values()), n_pairs(linked.values()), n_pairs(real.values())];
    // Sums of rationals with few distinct terms, in a fixed order, so that the same input gives
    // the same figures.
    let mut of_linked: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut of_real: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for ((participant, person), n) in &cells {
        *of_linked.entry((*n, linked[participant])).or_insert(0) += 1;
        *of_real.entry((*n, real[person])).or_insert(0) += 1;
    }
    let n_records = truth.len();
    Evaluation {
        n_records,
        n_unknown: links.keys().filter(|record| !truth.contains_key(*record)).count(),
        n_true_pairs,
        n_linked_pairs,
        n_correct_pairs,
        pairwise: Quality::new(
            ratio(n_correct_pairs as f64, n_linked_pairs as f64),
            ratio(n_correct_pairs as f64, n_true_pairs as f64),
        ),
        b_cubed: Quality::new(mean_share(&of_linked, n_records), mean_share(&of_real, n_records)),
        linked_sizes: sizes(&linked),
        true_sizes: sizes(&real),
    }
}

impl Quality {
    fn new(precision: f64, recall: f64) -> Self {
        let sum = precision + recall;
        let f1 = if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 };
        Self { precision, recall, f1 }
    }
}

fn n_pairs<'a>(counts: impl Iterator<Item = &'a usize>) -> u64 {
    counts.map(|n| (*n as u64) * (*n as u64 - 1) / 2).sum()
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 1.0 }
}

/// The mean over records of (cell / cluster), from counts of (cell, cluster).
fn mean_share(cells: &BTreeMap<(usize, usize), usize>, n_records: usize) -> f64 {
    let sum: f64 = cells
        .iter()
        .map(|((cell, cluster), n)| (n * cell) as f64 * *cell as f64 / *cluster as f64)
        .sum();
    ratio(sum, n_records as f64)
}

fn sizes(clusters: &HashMap<usize, usize>) -> BTreeMap<usize, usize> {
    let mut sizes = BTreeMap::new();
    for size in clusters.values() {
        *sizes.entry(*size).or_insert(0) += 1;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &str)]) -> BTreeMap<RecordKey, String> {
        let row = |(record, name): &(&str, &str)| {
            (format!("a/{record}").parse().unwrap(), (*name).to_owned())
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn figures_agree_with_a_table_worked_by_hand() {
        // Truth: {1 2 3} {4 5} {6}. Links: {1 2 4} {3} {5} and 6 unlinked; 9 is unknown.
        let truth =
            table(&[("1", "x"), ("2", "x"), ("3", "x"), ("4", "y"), ("5", "y"), ("6", "z")]);
        let links =
            table(&[("1", "p"), ("2", "p"), ("4", "p"), ("3", "q"), ("5", "r"), ("9", "p")]);
        let found = evaluate(&links, &truth);
        assert_eq!((found.n_records, found.n_unknown), (6, 1));
        assert_eq!((found.n_true_pairs, found.n_linked_pairs, found.n_correct_pairs), (4, 3, 1));
        assert!((found.pairwise.precision - 1.0 / 3.0).abs() < 1e-12);
        assert!((found.pairwise.recall - 0.25).abs() < 1e-12);
        // Precision of records 1 to 6: 2/3 2/3 1 1/3 1 1; recall: 2/3 2/3 1/3 1/2 1/2 1.
        assert!((found.b_cubed.precision - 14.0 / 18.0).abs() < 1e-12);
        assert!((found.b_cubed.recall - 22.0 / 36.0).abs() < 1e-12);
        assert_eq!(found.linked_sizes, BTreeMap::from([(1, 3), (3, 1)]));
        assert_eq!(found.true_sizes, BTreeMap::from([(1, 1), (2, 1), (3, 1)]));
    }

    #[test]
    fn nothing_to_link_and_nothing_linked_is_right() {
        let found = evaluate(&table(&[]), &table(&[("1", "x"), ("2", "y")]));
        assert_eq!((found.pairwise.f1, found.b_cubed.f1), (1.0, 1.0));
    }
}

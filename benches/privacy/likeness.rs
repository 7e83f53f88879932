//! The similarity-graph attack on a case: field by field, and on whole records.

use std::collections::BTreeMap;

use record::{EncodedRecord, Filter};

use super::{
    case::{Case, KNOWN_IN, Share},
    similarity::{SimilarityGraph, match_graphs},
};

/// The distinct filters of a field in a population, with what they truly stand for.
struct FieldValues<'a> {
    /// Each distinct filter with the number of its records.
    filters: Vec<(&'a Filter, usize)>,
    /// For each the filter of the same value under the victims' keys.
    truth: Vec<&'a Filter>,
}

/// Who makes the filters of the population file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attacker {
    /// Somebody with keys of their own.
    Stranger,
    /// Somebody who has the keys: the control that must succeed.
    KeyHolder,
}

/// How many distinct stored values of `field` are taken for the right value. With `known`, one
/// value in [`KNOWN_IN`] is known beforehand (and counts).
pub fn values_found(case: &Case, field: usize, attacker: Attacker, known: bool) -> Share {
    let stored = FieldValues::new(&case.stored, &case.stored, field);
    let population = FieldValues::new(case.encoded_by(attacker), &case.truth, field);
    let place: BTreeMap<&Filter, usize> = population.truth.iter().copied().zip(0..).collect();
    let seeds = seeds(known, stored.filters.len(), |at| place.get(stored.filters[at].0).copied());
    let graphs = [&stored, &population].map(|it| SimilarityGraph::of_filters(&it.filters));
    let mut share = Share::default();
    for (at, found) in match_graphs(&graphs[0], &graphs[1], &seeds).into_iter().enumerate() {
        let right = found.is_some_and(|found| population.truth[found] == stored.filters[at].0);
        share.add(found.is_some(), right);
    }
    share
}

/// How many stored records are taken for the right person by their similarity over all fields.
/// Every participant has one record in the settings that this is meant for.
pub fn records_found(case: &Case, attacker: Attacker, known: bool) -> Share {
    let graphs = [&case.stored, case.encoded_by(attacker)]
        .map(|records| SimilarityGraph::of_records(&filters(records)));
    let place = |record: usize| case.places[case.participants[record] as usize];
    let seeds = seeds(known, case.stored.len(), |at| place(at).map(|place| place as usize));
    let mut share = Share::default();
    for (at, found) in match_graphs(&graphs[0], &graphs[1], &seeds).into_iter().enumerate() {
        let right = found.is_some_and(|found| place(at) == Some(found as u32));
        share.add(found.is_some(), right);
    }
    share
}

impl Case {
    fn encoded_by(&self, attacker: Attacker) -> &Vec<EncodedRecord> {
        match attacker {
            Attacker::Stranger => &self.population,
            Attacker::KeyHolder => &self.truth,
        }
    }
}

impl<'a> FieldValues<'a> {
    fn new(records: &'a [EncodedRecord], truth: &'a [EncodedRecord], field: usize) -> Self {
        let filter = |record: &'a EncodedRecord| record.fields[field].as_ref()?.filter.as_ref();
        let mut distinct: BTreeMap<&Filter, (usize, &Filter)> = BTreeMap::new();
        for (record, truth) in records.iter().zip(truth) {
            if let (Some(it), Some(truth)) = (filter(record), filter(truth)) {
                distinct.entry(it).or_insert((0, truth)).0 += 1;
            }
        }
        let filters = distinct.iter().map(|(filter, (count, _))| (*filter, *count)).collect();
        Self { filters, truth: distinct.into_values().map(|(_, truth)| truth).collect() }
    }
}

fn filters(records: &[EncodedRecord]) -> Vec<Vec<Option<&Filter>>> {
    records
        .iter()
        .map(|record| {
            record
                .fields
                .iter()
                .map(|field| field.as_ref().and_then(|it| it.filter.as_ref()))
                .collect()
        })
        .collect()
}

/// Every so-many-th of `size` things with its counterpart, if any are known.
fn seeds(
    known: bool,
    size: usize,
    counterpart: impl Fn(usize) -> Option<usize>,
) -> Vec<(usize, usize)> {
    if !known {
        return Vec::new();
    }
    let seed = |at| Some((at, counterpart(at)?));
    (0..size).step_by(KNOWN_IN).filter_map(seed).collect()
}

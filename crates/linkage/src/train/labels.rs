//! Labels: joins that stewards judged, weighed under the model that is being trained.

use record::RecordKey;

use crate::{
    calibration::{Histogram, LabelBand},
    component::Settler,
    index::NodeId,
    partition::weight_of_join,
    weight::MatchWeight,
};

/// Two groups of records as a steward saw them, and what the steward found.
///
/// Labels calibrate weights, so they must be of joins that were judged because of their weight: asked
/// about in the band between the cut-offs, or drawn for an audit. Joins that were asked about for
/// another reason (a rival, say) are of one person less often than their weight tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabeledJoin {
    /// One group, sorted.
    pub left: Vec<RecordKey>,
    /// The other one, sorted.
    pub right: Vec<RecordKey>,
    /// Whether the two are one person.
    pub is_match: bool,
}

/// What was made of the labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LabelReport {
    /// Labels given.
    pub n_given: usize,
    /// Labels that counted: all records are there, and the model would join the groups or keep them
    /// apart by a weight alone.
    pub n_counted: usize,
    /// Labels among these that are of one person.
    pub n_matches: usize,
    /// What was said and what was expected, by weight; bands without a label are left out.
    pub bands: Vec<LabelBand>,
}

impl LabeledJoin {
    /// The two groups, whichever way round they were given.
    fn sides(&self) -> (&[RecordKey], &[RecordKey]) {
        let (left, right) = (&self.left[..], &self.right[..]);
        (left.min(right), left.max(right))
    }
}

impl Settler<'_> {
    /// Counts labels in `histogram`; bands are left to be told.
    pub(super) fn count_labels(
        &self,
        labels: &[LabeledJoin],
        histogram: &mut Histogram,
    ) -> LabelReport {
        let mut report = LabelReport { n_given: labels.len(), ..LabelReport::default() };
        let mut labels: Vec<&LabeledJoin> = labels.iter().collect();
        labels.sort_by_key(|label| (label.sides(), label.is_match));
        for (number, label) in labels.into_iter().enumerate() {
            let Some(weight) = self.weight_of_label(label) else { continue };
            if histogram.count_label(number, weight, label.is_match, self.is_decided(label)) {
                report.n_counted += 1;
                report.n_matches += usize::from(label.is_match);
            }
        }
        report
    }

    /// The weight of joining the groups of a label; `None` where a record is gone, no pair votes, or
    /// no weight alone would have joined them.
    fn weight_of_label(&self, label: &LabeledJoin) -> Option<MatchWeight> {
        let (left, right) = label.sides();
        if left.iter().any(|key| right.contains(key)) {
            return None;
        }
        let nodes = |keys: &[RecordKey]| {
            let versions: Vec<_> = keys.iter().map(|key| self.linker.versions(key)).collect();
            let nodes: Vec<NodeId> = versions.concat();
            versions.iter().all(|versions| !versions.is_empty()).then_some(nodes)
        };
        let (left, right) = (nodes(left)?, nodes(right)?);
        let across = left.iter().flat_map(|one| right.iter().map(move |other| (*one, *other)));
        let votes = across.map(|(one, other)| self.vote(one, other));
        weight_of_join(votes, left.len() > 1 && right.len() > 1, self.limits)
    }

    /// Whether a decision stands between the groups, so that no weight joins them.
    fn is_decided(&self, label: &LabeledJoin) -> bool {
        let stands =
            |one| label.right.iter().any(|other| self.linker.standing(one, other).is_some());
        label.left.iter().any(stands)
    }
}

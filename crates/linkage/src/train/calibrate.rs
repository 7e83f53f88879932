//! The joins that calibration looks at: a sample of components, divided down to the lowest weight.

use record::{AgencyId, RecordKey};

use super::{LabelReport, TrainingOptions};
use crate::{
    calibration::{Chosen, FLOOR, Histogram},
    component::Settler,
    edges::Edges,
    index::NodeId,
    linker::Linker,
    model::Model,
    partition::{Limits, ReviewReason},
    score::Scorer,
    weight::MatchWeight,
};

impl Linker {
    /// Calibrates `model` and chooses its cut-offs by its error rates. What a must-link holds
    /// together is bound before anything is joined, so no decision passes for a weight's.
    pub(super) fn calibrate(
        &self,
        nodes: &[NodeId],
        model: &mut Model,
        options: &TrainingOptions,
    ) -> LabelReport {
        let scorer = Scorer::new(&self.schema, model, &self.index);
        let settler = Settler::new(self, model, &scorer);
        let floor = MatchWeight(FLOOR);
        let limits = Limits { upper: floor, lower: floor, silent: floor, ..settler.limits };
        let settler = Settler { limits, ..settler };
        let (seeds, share) = self.sample_components(nodes, options);
        let edges = settler.explore(&seeds);
        let mut histogram = Histogram::new(self.forbidden_share());
        for (number, (size, settled)) in settler.settle_all(&seeds, &edges).into_iter().enumerate()
        {
            // A component is in the sample as soon as one of its nodes is (Horvitz and Thompson).
            let times = 1.0 / (1.0 - (1.0 - share).powf(size as f64));
            for join in settled.joins {
                histogram.count(number, join.weight, join.n_pairs, times);
            }
            for task in settled.tasks {
                match task.reason {
                    ReviewReason::OneSource => {
                        histogram.count_forbidden(number, task.weight, times)
                    }
                    ReviewReason::Evidence => histogram.count_silent(task.weight, times),
                    _ => (),
                }
            }
        }
        let mut report = settler.count_labels(&options.labels, &mut histogram);
        model.calibration = histogram.calibrate();
        report.bands = histogram.label_bands(&model.calibration);
        let Chosen { upper, lower, silent } =
            histogram.cut_offs(&model.calibration, model.error_rates, self.len());
        model.cut_offs.upper = upper.0;
        model.cut_offs.lower = lower.0;
        model.cut_offs.silent = silent.0;
        report
    }

    /// Share of the pairs of records that lie within one source that is free of duplicates.
    fn forbidden_share(&self) -> f64 {
        let pairs = |n: usize| n as f64 * (n as f64 - 1.0) / 2.0;
        let of_source = |agency: &AgencyId| {
            let is_of = |key: &&RecordKey| key.agency == *agency;
            pairs(self.records.keys().filter(is_of).count())
        };
        let forbidden: f64 = self.policy.free_of_duplicates.iter().map(of_source).sum();
        (forbidden / pairs(self.len()).max(1.0)).min(0.99)
    }
}

impl Settler<'_> {
    /// The edges of everything connected to `seeds`.
    fn explore(&self, seeds: &[NodeId]) -> Edges {
        let mut edges = Edges::default();
        let mut is_known = vec![false; self.linker.index.n_places()];
        let mut next: Vec<NodeId> = seeds.to_vec();
        while !next.is_empty() {
            next.iter().for_each(|node| is_known[node.place()] = true);
            let mut reached = Vec::new();
            for edge in self.edges_of(&next, &edges) {
                edges.insert(edge);
                reached.extend([edge.left, edge.right]);
            }
            reached.extend(next.iter().flat_map(|node| self.held_together(*node)));
            reached.retain(|node| !is_known[node.place()]);
            reached.sort_unstable();
            reached.dedup();
            next = reached;
        }
        edges
    }
}

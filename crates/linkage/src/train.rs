//! Trains a model on the records of a linker: u, m, prior and term frequencies without labels, and
//! the calibration with those that stewards gave.

use std::sync::Arc;

use record::{FieldKind, Schema};

use crate::{
    calibration::{Calibration, ErrorRates},
    frequency::{FieldFrequencies, TermFrequencies},
    level::{Level, levels_of},
    linker::Linker,
    model::{CutOffs, FieldModel, LevelModel, Model, TermFrequencyRule},
    score::Scorer,
};

mod calibrate;
mod em;
mod household;
mod labels;
mod report;
mod sample;

pub use labels::{LabelReport, LabeledJoin};

use em::{Counts, Estimate, Round};
use household::Shared;

/// How to train. Everything that is random comes from `seed`.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingOptions {
    /// Name and version of the new model.
    pub id: String,
    /// Seed of every sample.
    pub seed: u64,
    /// Most random pairs to estimate u from.
    pub n_random_pairs: u64,
    /// Most pairs of one blocking key to estimate m from.
    pub n_pairs_per_key: u64,
    /// Most records whose candidates are scored to estimate the prior.
    pub n_prior_records: usize,
    /// Most records whose components are divided to calibrate probabilities.
    pub n_calibration_records: usize,
    /// Most iterations of EM in a round.
    pub max_iterations: u32,
    /// EM has converged when no probability moves by more than this.
    pub tolerance: f64,
    /// Joins that stewards judged, in any order.
    pub labels: Vec<LabeledJoin>,
}

impl Default for TrainingOptions {
    fn default() -> Self {
        Self {
            id: "trained".to_owned(),
            seed: 1,
            n_random_pairs: 1_000_000,
            n_pairs_per_key: 300_000,
            n_prior_records: 100_000,
            n_calibration_records: 100_000,
            max_iterations: 100,
            tolerance: 1e-5,
            labels: Vec::new(),
        }
    }
}

/// A trained model, with its term-frequency snapshot, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// The model.
    pub model: Model,
    /// What was counted.
    pub report: TrainingReport,
}

/// How a model came about.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingReport {
    /// Record versions trained on.
    pub n_versions: usize,
    /// Random pairs compared for u.
    pub n_random_pairs: u64,
    /// A round of EM per blocking key, in the schema's order.
    pub rounds: Vec<RoundReport>,
    /// Levels that no pair of one person showed: their m is an assumption.
    pub unseen_m: Vec<(String, Level)>,
    /// Levels that no random pair showed: their u is an upper bound.
    pub unseen_u: Vec<(String, Level)>,
    /// Whether EM over the pairs of households converged.
    pub household_converged: bool,
    /// Whether the prior's fixed point was reached.
    pub prior_converged: bool,
    /// What was made of the labels.
    pub labels: LabelReport,
}

/// One round of EM: the pairs that agree on one blocking key.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundReport {
    /// The blocking key.
    pub key: String,
    /// Fields left out because the key depends on them.
    pub left_out: Vec<String>,
    /// Pairs counted.
    pub n_pairs: u64,
    /// Estimated share of the pairs that are of one person.
    pub matches: f64,
    /// Iterations needed.
    pub iterations: u32,
    /// Whether EM converged within the allowed iterations.
    pub converged: bool,
    /// Whether the round had enough pairs of one person to count.
    pub counts: bool,
}

/// Why training gave no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainingError {
    /// There are too few records to estimate anything.
    #[error("training needs at least {needed} records; link with the default model instead")]
    TooFewRecords {
        /// Smallest number of records.
        needed: usize,
    },
    /// No blocking key showed enough pairs of one person.
    #[error(
        "no blocking key shows enough records of one person to learn from; link with the default \
         model instead"
    )]
    NoMatches,
}

/// Fewest records to train on.
const MIN_RECORDS: usize = 50;
/// Fewest expected pairs of one person for a round to count.
const MIN_MATCHES: f64 = 20.0;
/// u and m depend on each other a little: u leaves out the pairs that m finds to be matches.
const PASSES: usize = 3;

impl Linker {
    /// Trains a model on the records as they are: u from random pairs, m by EM over the agreement
    /// patterns of blocked pairs in one round per blocking key (Splink's method: the fields of the
    /// key are left out of its round), h by EM over all candidates with households as a third
    /// class, the prior as the fixed point of the expected number of
    /// matches among all candidates. Probabilities are calibrated on the joins that this model makes
    /// and on what stewards said of some, and the cut-offs follow from them; rules and error rates
    /// are the current model's. The same records, decisions, seed and options give the same model,
    /// whatever the order of arrival.
    ///
    /// # Errors
    /// [`TrainingError`] when there is too little to learn from.
    pub fn train(&self, options: &TrainingOptions) -> Result<Training, TrainingError> {
        if self.len() < MIN_RECORDS {
            return Err(TrainingError::TooFewRecords { needed: MIN_RECORDS });
        }
        let nodes = self.nodes_by_name();
        let start = Model::untrained(&self.schema);
        let random = Counts::new(self.count_random_pairs(&nodes, options));
        let mut rounds: Vec<Round> = self
            .count_blocked_pairs(options)
            .into_iter()
            .enumerate()
            .map(|(key, counts)| Round::new(&self.schema, key, &counts))
            .collect();
        let mut estimate = Estimate::start(&start, &random);
        let mut prior = 1.0 / nodes.len() as f64;
        for _ in 0..PASSES {
            for round in &mut rounds {
                round.run(&estimate, options);
            }
            if !rounds.iter().any(Round::counts) {
                return Err(TrainingError::NoMatches);
            }
            estimate.combine(&start, &rounds);
            estimate.refine_u(&random, prior);
            prior = estimate.expected_prior(&random, prior);
        }
        let mut model = self.shaped(options, &estimate, prior);
        let household_converged = self.train_household(&nodes, &mut model, options);
        let evidences = self.sample_evidences(&nodes, &model, options);
        let (prior, prior_converged) = sample::prior(&evidences, nodes.len());
        model.prior = prior;
        let labels = self.calibrate(&nodes, &mut model, options);
        let report = TrainingReport {
            n_versions: nodes.len(),
            n_random_pairs: random.n_pairs(),
            rounds: rounds.iter().map(|round| round.report(&self.schema)).collect(),
            unseen_m: unseen(&model, &estimate.n_m),
            unseen_u: unseen(&model, &estimate.n_u),
            household_converged,
            prior_converged,
            labels,
        };
        Ok(Training { model, report })
    }

    /// A model of the estimate, with the rules of the current model.
    fn shaped(&self, options: &TrainingOptions, estimate: &Estimate, prior: f64) -> Model {
        let fields = self.schema.fields.iter().zip(levels_of(&self.schema)).enumerate();
        let fields = fields
            .map(|(at, (field, levels))| {
                let mut levels: Vec<_> = levels
                    .into_iter()
                    .enumerate()
                    .map(|(place, level)| {
                        let (m, u) = (estimate.m[at][place], estimate.u[at][place]);
                        let (n_m, n_u) = (estimate.n_m[at][place], estimate.n_u[at][place]);
                        LevelModel { level, m, u, h: u, t: u, n_m, n_u }
                    })
                    .collect();
                let shared = Shared::of(&self.schema, at, None);
                household::set_usual(field.kind, shared, &mut levels);
                FieldModel { name: field.name.clone(), levels }
            })
            .collect();
        Model {
            id: options.id.clone(),
            prior,
            fields,
            frequencies: Some(Arc::new(self.term_frequencies())),
            ..Model::clone(&self.model)
        }
    }

    /// The counts of all values as they are now, in fields that ask for term frequencies.
    pub fn term_frequencies(&self) -> TermFrequencies {
        let fields = self.schema.fields.iter().zip(&self.index.fields);
        let fields = fields.map(|(field, values)| {
            if !field.term_frequency {
                return FieldFrequencies::default();
            }
            let mut total = 0;
            let mut counts: Vec<(u64, u32)> = Vec::new();
            for (value, count) in values.counted() {
                total += u64::from(count);
                counts.push((values.fingerprint(value), count));
            }
            counts.sort_unstable();
            // Encodings that are equal but for a derived token share a fingerprint.
            counts.dedup_by(|next, first| {
                let is_same = next.0 == first.0;
                first.1 += if is_same { next.1 } else { 0 };
                is_same
            });
            counts.retain(|(_, count)| *count > 1);
            FieldFrequencies { total, counts }
        });
        TermFrequencies::new(&self.schema, fields.collect())
    }

    fn sample_evidences(
        &self,
        nodes: &[crate::index::NodeId],
        model: &Model,
        options: &TrainingOptions,
    ) -> sample::Candidates<i32> {
        let scorer = Scorer::new(&self.schema, model, &self.index);
        self.count_evidences(nodes, &scorer, options)
    }
}

/// The levels that less than half a pair showed.
fn unseen(model: &Model, counts: &[Vec<f64>]) -> Vec<(String, Level)> {
    let fields = model.fields.iter().zip(counts);
    fields
        .flat_map(|(field, counts)| {
            let levels = field.levels.iter().zip(counts).filter(|(_, n)| **n < 0.5);
            levels.map(|(level, _)| (field.name.clone(), level.level))
        })
        .collect()
}

impl Model {
    /// A model for any schema from what is usual for each kind of field and level: the start of
    /// EM, and better than nothing where there is too little data to train.
    pub fn untrained(schema: &Schema) -> Self {
        let fields = schema
            .fields
            .iter()
            .zip(levels_of(schema))
            .enumerate()
            .map(|(place, (field, levels))| FieldModel {
                name: field.name.clone(),
                levels: usual(field.kind, Shared::of(schema, place, None), &levels),
            })
            .collect();
        Self {
            id: "untrained".to_owned(),
            schema: schema.id.clone(),
            prior: 1e-5,
            household: 1e-5,
            twins: 1e-7,
            // Odds of nine to one and three to seven, by the model's own probabilities.
            cut_offs: CutOffs {
                upper: 3.17,
                lower: -1.22,
                silent: 3.17,
                margin: 1.0,
                minimum_evidence: 3.17,
            },
            error_rates: ErrorRates::default(),
            calibration: Calibration::default(),
            term_frequency: TermFrequencyRule { floor: 1e-5, cap: 8.0, near_share: 0.5 },
            correlated_share: 0.55,
            vote_limit: 20.0,
            fields,
            frequencies: None,
        }
    }
}

/// Usual m and u: order of magnitude from published linkages of administrative records. `differ`
/// takes what the other levels leave.
fn usual(kind: FieldKind, shared: Shared, levels: &[Level]) -> Vec<LevelModel> {
    let u_exact: f64 = match kind {
        FieldKind::Name => 3e-3,
        FieldKind::Date => 5e-5,
        FieldKind::Identifier => 1e-7,
        FieldKind::Category => 0.3,
        FieldKind::Address => 2e-5,
        FieldKind::PostalCode => 3e-3,
        FieldKind::Phone | FieldKind::Email => 1e-6,
        FieldKind::Text => 1e-2,
    };
    let mut levels: Vec<LevelModel> = levels
        .iter()
        .map(|&level| {
            let (m, u) = match level {
                Level::Exact if kind == FieldKind::Category => (0.95, u_exact),
                Level::Exact | Level::Differ => (0.85, u_exact),
                Level::Swapped | Level::Exchanged => (0.005, u_exact.min(2e-5)),
                Level::OneOff => (0.02, u_exact.max(1e-6)),
                Level::Transposed => (0.01, u_exact.max(1e-6)),
                Level::Nickname => (0.02, u_exact),
                Level::Near => (0.05, u_exact.max(1e-6)),
                Level::Component => (0.03, 4e-3),
                Level::Far => (0.02, (4.0 * u_exact).clamp(1e-5, 0.01)),
                Level::Part(_) => (0.02, 0.03),
            };
            LevelModel { level, m, u, h: u, t: u, n_m: 0.0, n_u: 0.0 }
        })
        .collect();
    if let Some((last, others)) = levels.split_last_mut() {
        last.m = 1.0 - others.iter().map(|level| level.m).sum::<f64>();
        last.u = 1.0 - others.iter().map(|level| level.u).sum::<f64>();
    }
    household::set_usual(kind, shared, &mut levels);
    levels
}

#[cfg(test)]
mod tests;

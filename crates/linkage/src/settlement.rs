//! What settling a linker gives: groups, review tasks and oversize components.

use record::{RecordKey, RecordVersion};

pub use crate::partition::{Join, ReviewReason};
use crate::{calibration::Estimate, model::Model, weight::MatchWeight};

/// A steward's decision about two records. It outranks every score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    /// The two records are of one person.
    MustLink,
    /// The two records are of two people.
    CannotLink,
}

/// A decision about a left and a right record, with what the steward could know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    /// Newest versions of left and right that the steward saw.
    pub seen: (RecordVersion, RecordVersion),
}

impl Decided {
    /// The same decision about the same two records, named the other way round.
    pub(crate) fn turned(self) -> Self {
        Self { seen: (self.seen.1, self.seen.0), ..self }
    }
}

/// The groups of everything that may have changed since the last settlement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settlement {
    /// Every record of every touched component, sorted; removed records are here and in no group.
    pub records: Vec<RecordKey>,
    /// The people: every record in exactly one group, each group sorted, groups by first record.
    pub groups: Vec<Vec<RecordKey>>,
    /// The open tasks among `records`; they replace earlier tasks that touch any of `records`.
    pub tasks: Vec<ReviewTask>,
    /// Components that were too large and had to be divided first, by first record.
    pub oversize: Vec<OversizeComponent>,
    /// Every join that a weight decided, in no meaningful order.
    pub joins: Vec<Join>,
}

impl Settlement {
    /// The share of the linked pairs that `model` expects to be right: the calibrated probability
    /// of each join, weighted with the pairs that it linked; 1 where nothing was joined.
    pub fn estimated_precision(&self, model: &Model) -> Estimate {
        let (mut n_pairs, mut right) = (0.0, Estimate { value: 0.0, low: 0.0, high: 0.0 });
        for join in &self.joins {
            let (n, probability) = (f64::from(join.n_pairs), model.probability(join.weight));
            n_pairs += n;
            right.value += n * probability.value;
            right.low += n * probability.low;
            right.high += n * probability.high;
        }
        let share = |right: f64| if n_pairs > 0.0 { right / n_pairs } else { 1.0 };
        Estimate { value: share(right.value), low: share(right.low), high: share(right.high) }
    }
}

/// Two groups that a steward has to compare. Until then they are two people; but where the reason is
/// [`ReviewReason::Contrary`], two records of whatever the decision about them says.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewTask {
    /// The group with the smaller first record, sorted.
    pub left: Vec<RecordKey>,
    /// The other group, sorted.
    pub right: Vec<RecordKey>,
    /// The strongest pair across the groups: one record of `left`, one of `right`.
    pub best_pair: (RecordKey, RecordKey),
    /// The weight of joining the groups; of the two newest versions where a decision is reopened.
    pub weight: MatchWeight,
    /// The probability that goes with the weight.
    pub probability: f64,
    /// The probability that what stands until a steward decides is wrong: `probability` where the
    /// two are kept apart, its complement where a must-link binds them.
    pub risk: f64,
    /// Why it was not decided without a steward.
    pub reason: ReviewReason,
}

/// A component above the size limit and how it was divided.
#[derive(Debug, Clone, PartialEq)]
pub struct OversizeComponent {
    /// The component's first record.
    pub first: RecordKey,
    /// Number of record versions in it.
    pub n_versions: usize,
    /// Number of parts it was divided into.
    pub n_parts: usize,
    /// The highest edge cut-off that a part of several records needed.
    pub highest_cut_off: Option<MatchWeight>,
}

/// A candidate pair whose weight reaches the lower cut-off.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredPair {
    /// The smaller record.
    pub left: RecordKey,
    /// The larger record.
    pub right: RecordKey,
    /// The best weight over the versions of both.
    pub weight: MatchWeight,
    /// The probability that goes with the weight.
    pub probability: f64,
}

/// What one blocking key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyReport {
    /// The blocking key's name.
    pub key: String,
    /// Tokens held by at least two record versions.
    pub n_tokens: usize,
    /// Pairs within tokens up to the cap; a pair counts once for each token it shares.
    pub n_pairs: u64,
    /// Tokens over the cap.
    pub n_tokens_over_cap: usize,
    /// Record versions that hold such a token.
    pub n_versions_over_cap: u64,
    /// Pairs within tokens over the cap, skipped unless another token or a second token reaches
    /// them.
    pub n_pairs_skipped: u64,
    /// Pairs within tokens over the cap that agree on one more field and are candidates by that
    /// second token; a pair counts once for each.
    pub n_pairs_divided: u64,
}

/// What blocking did, a line per key in the schema's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockingReport {
    /// Most record versions a token may have.
    pub cap: usize,
    /// A report per blocking key.
    pub keys: Vec<KeyReport>,
    /// Record versions that no token joins to another record.
    pub n_versions_unreached: usize,
}

//! Explains a pair: levels, weights, total, cut-offs, and why it was or was not a candidate.

use std::fmt;

use record::{RecordKey, RecordVersion};

use crate::{
    component::Settler, index::NodeId, level::Pattern, linker::Linker, model::CutOffs,
    settlement::Decision, weight::MatchWeight,
};

/// One field's part in a pair's weight.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldExplanation {
    /// The field's name.
    pub field: String,
    /// The comparison level, `missing`, or `counted` where the field was counted with its
    /// exchange partner.
    pub level: String,
    /// The level's weight.
    pub weight: MatchWeight,
    /// What the frequency of the value adds.
    pub term_frequency: MatchWeight,
}

/// A blocking key on which two records agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedKey {
    /// The blocking key's name.
    pub key: String,
    /// Whether too many records share this very token, so that it gives no candidates, and the two
    /// agree on no further field that few of those records have in common.
    pub is_over_cap: bool,
}

/// What becomes of a pair by itself. A group is decided by all of its pairs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PairDecision {
    /// Versions of one record stay together.
    SameRecord,
    /// A steward said that the two are one person.
    MustLink,
    /// A steward said that the two are two people.
    CannotLink,
    /// At or above the upper cut-off.
    Link,
    /// Between the cut-offs.
    Review,
    /// At or above the lower cut-off, but identifiers conflict.
    Conflict,
    /// Below the lower cut-off.
    Separate,
}

impl fmt::Display for PairDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameRecord => "one record",
            Self::MustLink => "linked by a steward",
            Self::CannotLink => "separated by a steward",
            Self::Link => "link",
            Self::Review => "review",
            Self::Conflict => "review: identifiers conflict",
            Self::Separate => "separate",
        })
    }
}

/// Why two records have the weight they have, for their two versions that agree best.
#[derive(Debug, Clone, PartialEq)]
pub struct PairExplanation {
    /// The versions compared, of the first record and of the second.
    pub versions: (RecordVersion, RecordVersion),
    /// The weight of the prior odds.
    pub prior: MatchWeight,
    /// One place per field of the schema.
    pub fields: Vec<FieldExplanation>,
    /// What correlated groups of fields take back because their fields are no independent
    /// evidence.
    pub correlation: MatchWeight,
    /// What is taken back because two people of one household would agree as well.
    pub household: MatchWeight,
    /// Prior, fields, term frequencies, correlation and household together.
    pub total: MatchWeight,
    /// The probability that goes with the total.
    pub probability: f64,
    /// The model's name.
    pub model: String,
    /// The model's cut-offs.
    pub cut_offs: CutOffs,
    /// Blocking keys that the records share; empty means that they never were candidates.
    pub shared_keys: Vec<SharedKey>,
    /// What becomes of the pair.
    pub decision: PairDecision,
}

impl PairExplanation {
    /// Whether a blocking key made the two records candidates.
    pub fn is_candidate(&self) -> bool {
        self.shared_keys.iter().any(|key| !key.is_over_cap)
    }
}

impl Linker {
    /// Explains the weight of two records; `None` if one is unknown. A pair that no blocking key
    /// made a candidate is scored all the same.
    pub fn explain(&self, left: &RecordKey, right: &RecordKey) -> Option<PairExplanation> {
        let mut best: Option<(f64, NodeId, NodeId)> = None;
        for &one in self.versions(left) {
            for &other in self.versions(right) {
                let evidence = self.scorer.score(&self.index, one, other).evidence;
                if best.is_none_or(|(most, ..)| evidence > most) {
                    best = Some((evidence, one, other));
                }
            }
        }
        let (_, one, other) = best?;
        let score = self.scorer.score(&self.index, one, other);
        let fields = self.explain_fields(score.pattern, one, other);
        let by_field: f64 = fields.iter().map(|f| f.weight.0 + f.term_frequency.0).sum();
        let total = MatchWeight(self.scorer.prior + score.evidence);
        let mut shared_keys: Vec<SharedKey> = Vec::new();
        for &one in self.versions(left) {
            for &other in self.versions(right) {
                for (key, is_over_cap) in self.blocking.shared(one, other) {
                    let key = self.schema.blocking[usize::from(key)].name.clone();
                    match shared_keys.iter_mut().find(|shared| shared.key == key) {
                        Some(shared) => shared.is_over_cap &= is_over_cap,
                        None => shared_keys.push(SharedKey { key, is_over_cap }),
                    }
                }
            }
        }
        Some(PairExplanation {
            versions: (self.name(one).version, self.name(other).version),
            prior: MatchWeight(self.scorer.prior),
            fields,
            correlation: MatchWeight(score.evidence - score.household - by_field),
            household: MatchWeight(score.household),
            total,
            probability: self.model.probability(total).value,
            model: self.model.id.clone(),
            cut_offs: self.model.cut_offs,
            shared_keys,
            decision: self.pair_decision(left, right, total, (score.pattern, (one, other))),
        })
    }

    fn explain_fields(
        &self,
        pattern: Pattern,
        left: NodeId,
        right: NodeId,
    ) -> Vec<FieldExplanation> {
        let evidences = self.scorer.field_evidences(&self.index, pattern, left, right);
        evidences
            .into_iter()
            .enumerate()
            .map(|(place, evidence)| {
                let field = &self.model.fields[place];
                let level = match pattern.level(place) {
                    Some(level) => field.levels[level].level.to_string(),
                    None if pattern.code(place) == Pattern::COUNTED => "counted".to_owned(),
                    None => "missing".to_owned(),
                };
                FieldExplanation {
                    field: field.name.clone(),
                    level,
                    weight: MatchWeight(evidence.level),
                    term_frequency: MatchWeight(evidence.rarity),
                }
            })
            .collect()
    }

    fn pair_decision(
        &self,
        left: &RecordKey,
        right: &RecordKey,
        total: MatchWeight,
        (pattern, nodes): (Pattern, (NodeId, NodeId)),
    ) -> PairDecision {
        if left == right {
            return PairDecision::SameRecord;
        }
        match self.standing(left, right) {
            Some(Decision::MustLink) => return PairDecision::MustLink,
            Some(Decision::CannotLink) => return PairDecision::CannotLink,
            None => (),
        }
        let CutOffs { upper, lower, .. } = self.model.cut_offs;
        let identifiers =
            Settler::new(self, &self.model, &self.scorer).identifiers(pattern, nodes.0, nodes.1);
        if total.0 < lower {
            PairDecision::Separate
        } else if identifiers.conflicts() {
            PairDecision::Conflict
        } else if total.0 < upper {
            PairDecision::Review
        } else {
            PairDecision::Link
        }
    }
}

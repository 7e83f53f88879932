//! Explanations of pairs and of what became of statuses, in the contract's words.

use api::{convert::record_key_to_proto, review as proto};
use linkage::{MatchWeight, PairDecision, PairExplanation};
use record::RecordKey;
use store::Change;

use crate::{engine::read_change, times::timestamp};

/// The message of an explanation, without the decision that binds the pair.
pub fn explanation_to_proto(
    left: &RecordKey,
    right: &RecordKey,
    explanation: &PairExplanation,
) -> proto::PairExplanation {
    let fields = explanation.fields.iter().map(|field| proto::FieldExplanation {
        field: field.field.clone(),
        level: field.level.clone(),
        weight_millibits: millibits(field.weight),
        term_frequency_millibits: millibits(field.term_frequency),
    });
    let cut_off = |bits| millibits(MatchWeight(bits));
    proto::PairExplanation {
        left: Some(record_key_to_proto(left)),
        right: Some(record_key_to_proto(right)),
        fields: fields.collect(),
        prior_millibits: millibits(explanation.prior),
        correlation_millibits: millibits(explanation.correlation),
        household_millibits: millibits(explanation.household),
        total_millibits: millibits(explanation.total),
        probability_ppm: (explanation.probability * 1e6).round() as u32,
        lower_cut_off_millibits: cut_off(explanation.cut_offs.lower),
        upper_cut_off_millibits: cut_off(explanation.cut_offs.upper),
        conclusions: conclusions(explanation),
        decision: None,
        model_version: explanation.model.clone(),
        blind: false,
    }
}

/// What an agency was told of a status, with the cause that it was not told.
pub fn change_to_proto(change: &Change) -> store::Result<proto::StatusChange> {
    let told = read_change(&change.payload)?;
    Ok(proto::StatusChange {
        pathway: change.pathway.clone(),
        previous_label: told.previous_label,
        label: told.status.map_or_else(String::new, |status| status.label),
        effective_on: told.effective_on,
        cause: change.cause.to_string(),
        changed_at: Some(timestamp(change.at)),
    })
}

/// A weight in thousandths of a bit.
pub fn millibits(weight: MatchWeight) -> i32 {
    // A cast from float to integer saturates.
    (weight.0 * 1000.0).round() as i32
}

/// What follows for the pair, in plain sentences.
fn conclusions(explanation: &PairExplanation) -> Vec<String> {
    let by_itself = match explanation.decision {
        PairDecision::SameRecord => "The two are versions of one record and stay together.",
        PairDecision::MustLink => "A steward decided that the two are one person.",
        PairDecision::CannotLink => "A steward decided that the two are two people.",
        PairDecision::Link => "By itself the pair reaches the upper cut-off: one person.",
        PairDecision::Review => "By itself the pair lies between the cut-offs: a steward is asked.",
        PairDecision::Conflict => {
            "Identifiers that should be one person's differ: a steward is asked."
        }
        PairDecision::Separate => "By itself the pair lies below the lower cut-off: two people.",
    };
    let names = |over_cap: bool| -> Vec<&str> {
        let keys = explanation.shared_keys.iter().filter(|key| key.is_over_cap == over_cap);
        keys.map(|key| key.key.as_str()).collect()
    };
    let mut sentences = vec![by_itself.to_owned()];
    match (names(false), names(true)) {
        (shared, _) if !shared.is_empty() => {
            sentences.push(format!("They became candidates by sharing {}.", shared.join(", ")));
        }
        (_, over) if !over.is_empty() => sentences.push(format!(
            "They never became candidates: too many records share {}.",
            over.join(", ")
        )),
        _ => sentences.push("They never became candidates: they share no blocking key.".to_owned()),
    }
    sentences.push("Groups are joined by the mean weight over all of their pairs.".to_owned());
    sentences
}

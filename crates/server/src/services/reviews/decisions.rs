//! Decisions as stewards see them: the list, what they did, and taking them back.

use api::{
    ErrorReason,
    convert::{record_key_from_proto, record_key_to_proto},
    error::status,
    limits::PAGE,
    review as proto,
};
use record::ParticipantId;
use store::{Decision, DecisionId, Scope, Seq, Verdict};
use tonic::Status;

use super::{Reviews, reason_of, refused};
use crate::{
    engine::read_change,
    services::pages::{cut, page_token, place_of},
    status::{blocking, of_store},
    times::timestamp,
};

/// What a decision, made or taken back, did.
pub(super) struct Effects {
    pub(super) regroupings: Vec<proto::Regrouping>,
    pub(super) statuses: Vec<proto::StatusEffect>,
}

impl Reviews {
    /// A page of decisions.
    pub(super) fn list_decided(
        &self,
        request: &proto::ListDecisionsRequest,
    ) -> Result<proto::ListDecisionsResponse, Status> {
        let size = PAGE.size(request.page_size)?;
        let list = format!(
            "decisions {} {:?}",
            request.author,
            request.record.as_ref().map(|it| { (&it.agency, &it.local_id) })
        );
        let before = place_of(&list, &request.page_token)?.and_then(|place| place.parse().ok());
        let before = Seq(before.unwrap_or(i64::MAX as u64));
        let author = Some(request.author.as_str()).filter(|author| !author.is_empty());
        let internal = |e: store::Error| of_store(&e, ErrorReason::Internal);
        let mut decisions = match &request.record {
            None => self
                .store
                .decisions_before(before, author, request.include_undone, size + 1)
                .map_err(internal)?,
            Some(record) => {
                let record = record_key_from_proto(Some(record), "record")?;
                let mut of_record = self.store.decisions_of(&record).map_err(internal)?;
                of_record.retain(|it| {
                    it.seq < before
                        && author.is_none_or(|author| it.made.author == author)
                        && (request.include_undone || it.undone.is_none())
                });
                of_record.reverse();
                of_record
            }
        };
        let more = cut(&mut decisions, size);
        let next = decisions.last().filter(|_| more);
        let next = next.map(|last| page_token(&list, &last.seq.0.to_string()));
        Ok(proto::ListDecisionsResponse {
            decisions: decisions.iter().map(decision_to_proto).collect(),
            next_page_token: next.unwrap_or_default(),
        })
    }

    /// Takes a decision back. Where the answer to the first call was lost, the same steward is told
    /// again what it did.
    pub(super) async fn undo(
        &self,
        author: String,
        request: proto::UndoDecisionRequest,
    ) -> Result<proto::UndoDecisionResponse, Status> {
        let reason = reason_of(&request.reason)?;
        let this = self.clone();
        let seq =
            blocking(move || this.take_back(&DecisionId(request.id), &author, &reason)).await?;
        self.apply(seq).await?;
        let this = self.clone();
        let Effects { regroupings, statuses } = blocking(move || this.effects(seq)).await?;
        Ok(proto::UndoDecisionResponse { regroupings, status_effects: statuses })
    }

    fn take_back(&self, id: &DecisionId, author: &str, reason: &str) -> Result<Seq, Status> {
        let unknown = |e: store::Error| of_store(&e, ErrorReason::DecisionUnknown);
        match self.store.undo_decision(id, author, reason, self.clock.now()) {
            Err(store::Error::Conflict { .. }) => {
                let undone = self.store.decision(id).map_err(unknown)?.undone;
                match undone {
                    Some(undo) if undo.author == author && undo.reason == reason => Ok(undo.seq),
                    _ => {
                        let message = "the decision was taken back before";
                        Err(status(ErrorReason::DecisionUndone, message, &[]))
                    }
                }
            }
            taken_back => taken_back.map_err(unknown)?.map_err(|objection| refused(&objection)),
        }
    }

    /// What the decision at a place in the log did.
    pub(super) fn effects(&self, seq: Seq) -> Result<Effects, Status> {
        let read = || -> store::Result<Effects> {
            let text = |id: Option<ParticipantId>| id.map_or_else(String::new, |id| id.to_string());
            let moves = self.store.moves_by_decision(seq)?;
            let regroupings = moves.into_iter().map(|moved| proto::Regrouping {
                record: Some(record_key_to_proto(&moved.record)),
                from_participant: text(moved.from),
                to_participant: text(moved.to),
            });
            let told = self.store.told_by_decision(seq)?;
            let statuses = told.into_iter().map(|(record, payload)| {
                let change = read_change(&payload)?;
                let status = change.status.unwrap_or_default();
                Ok(proto::StatusEffect {
                    record: Some(record_key_to_proto(&record)),
                    pathway: status.pathway,
                    previous_label: change.previous_label,
                    label: status.label,
                    effective_on: change.effective_on,
                })
            });
            Ok(Effects {
                regroupings: regroupings.collect(),
                statuses: statuses.collect::<store::Result<_>>()?,
            })
        };
        read().map_err(|e| of_store(&e, ErrorReason::Internal))
    }
}

/// A decision on the wire.
pub(super) fn decision_to_proto(decision: &Decision) -> proto::Decision {
    let made = &decision.made;
    let version = |record| made.version_of(record).map_or(0, |version| version.0);
    let pairs = made.pairs.iter().map(|(left, right)| proto::DecidedPair {
        left: Some(record_key_to_proto(left)),
        left_version: version(left),
        right: Some(record_key_to_proto(right)),
        right_version: version(right),
    });
    let undone = decision.undone.as_ref();
    proto::Decision {
        id: made.id.0.clone(),
        verdict: verdict_to_proto(made.verdict).into(),
        author: made.author.clone(),
        reason: made.reason.clone(),
        decided_at: Some(timestamp(made.at)),
        scope: match made.scope {
            Scope::Pair => proto::Scope::Pair,
            Scope::Record => proto::Scope::Record,
        }
        .into(),
        pairs: pairs.collect(),
        task_id: made.task.0.clone(),
        task_reason: made.task_reason.clone(),
        model_version: made.model_version.clone(),
        first_author: made.first_author.clone().unwrap_or_default(),
        blind: made.is_blind,
        sequence: decision.seq.0,
        undone_by: undone.map_or_else(String::new, |undo| undo.author.clone()),
        undone_reason: undone.map_or_else(String::new, |undo| undo.reason.clone()),
        undone_at: undone.map(|undo| timestamp(undo.at)),
        undone_sequence: undone.map_or(0, |undo| undo.seq.0),
    }
}

fn verdict_to_proto(verdict: Verdict) -> proto::Verdict {
    match verdict {
        Verdict::Link => proto::Verdict::Link,
        Verdict::Separate => proto::Verdict::Separate,
    }
}

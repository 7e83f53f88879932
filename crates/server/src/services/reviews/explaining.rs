//! Why a record belongs to its participant, and why two records do or do not match.

use std::collections::{BTreeMap, BTreeSet};

use api::{ErrorReason, convert::record_key_to_proto, error::status, review as proto};
use linkage::PairExplanation;
use record::{ParticipantId, RecordKey};
use store::{Decision, MembershipEntry, Seq};
use tonic::Status;

use super::{Reviews, decisions::decision_to_proto};
use crate::{
    engine::AUDIT,
    services::explanation::{change_to_proto, explanation_to_proto},
    status::{blocking, of_engine, of_store},
    times::timestamp,
};

/// Other members that an explanation of one record compares it with at most.
const MEMBERS_EXPLAINED_MAX: usize = 50;

/// Changes of a record's statuses that its explanation tells at most.
const CHANGES_TOLD_MAX: usize = 1_000;

/// Who is in a record's participant, and how it came about: in its last one, if it was withdrawn.
struct Membership {
    /// None: the record was withdrawn.
    participant: Option<ParticipantId>,
    /// With which fact each participant of the history began.
    began: BTreeMap<ParticipantId, Seq>,
    members: Vec<RecordKey>,
    history: Vec<MembershipEntry>,
    decisions: Vec<Decision>,
}

impl Reviews {
    /// Explains `record`, alone or beside `other`.
    pub(super) async fn explanation(
        &self,
        record: RecordKey,
        other: Option<RecordKey>,
    ) -> Result<proto::ExplainResponse, Status> {
        let (this, of, with) = (self.clone(), record.clone(), other.clone());
        let (one, another, task, status_changes) = blocking(move || {
            let Some(with) = with else {
                return Ok((this.membership(&of)?, None, None, this.status_changes(&of)?));
            };
            let tasks = this.store.tasks_about(&of, &with);
            let tasks = tasks.map_err(|e| of_store(&e, ErrorReason::Internal))?;
            // A sample asks about what is settled, too.
            let task = tasks.into_iter().find(|task| task.open.reason != AUDIT);
            Ok((this.membership(&of)?, Some(this.membership(&with)?), task, Vec::new()))
        })
        .await?;
        let pairs = match other {
            Some(other) => vec![(record, other)],
            None => one
                .members
                .iter()
                .filter(|member| **member != record)
                .take(MEMBERS_EXPLAINED_MAX)
                .map(|member| (record.clone(), member.clone()))
                .collect(),
        };
        let mut pairs = self.explain_pairs(pairs).await?;
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.total_millibits));
        Ok(proto::ExplainResponse {
            participant: name(one.participant),
            other_participant: name(another.and_then(|another| another.participant)),
            members: one.members.iter().map(record_key_to_proto).collect(),
            pairs,
            history: history(&one),
            status_changes,
            decisions: one.decisions.iter().map(decision_to_proto).collect(),
            task: task.map(|task| self.task_to_proto(&task, false)),
        })
    }

    /// Explains pairs, each with the decision that binds it.
    async fn explain_pairs(
        &self,
        pairs: Vec<(RecordKey, RecordKey)>,
    ) -> Result<Vec<proto::PairExplanation>, Status> {
        let explained = self.engine.explain(pairs.clone(), Vec::new()).await;
        let explained = explained.map_err(|e| of_engine(&e))?.pairs;
        let store = self.store.clone();
        blocking(move || {
            let message = |((left, right), explanation): (
                (RecordKey, RecordKey),
                Option<PairExplanation>,
            )| {
                let explanation = explanation?;
                let binding = store.binding(&left, &right, Seq(u64::MAX));
                let message = binding.map(|binding| proto::PairExplanation {
                    decision: binding.as_ref().map(decision_to_proto),
                    ..explanation_to_proto(&left, &right, &explanation)
                });
                Some(message.map_err(|e| of_store(&e, ErrorReason::Internal)))
            };
            pairs.into_iter().zip(explained).filter_map(message).collect()
        })
        .await
    }

    /// Who is in the participant of `record`, and how it came about.
    fn membership(&self, record: &RecordKey) -> Result<Membership, Status> {
        let unknown = |e: store::Error| of_store(&e, ErrorReason::RecordUnknown);
        let Some(last) = self.store.last_participant_of(record).map_err(unknown)? else {
            let message = "no record has this name: give AGENCY/LOCAL_ID";
            return Err(status(ErrorReason::RecordUnknown, message, &[]));
        };
        let participant = self.store.participant_of(record, None).map_err(unknown)?;
        let history = self.store.membership_history(last).map_err(unknown)?;
        let ever: BTreeSet<&RecordKey> = history.iter().map(|entry| &entry.record).collect();
        let mut decisions: BTreeMap<Seq, Decision> = BTreeMap::new();
        for record in ever {
            let of_record = self.store.decisions_of(record).map_err(unknown)?;
            decisions.extend(of_record.into_iter().map(|decision| (decision.seq, decision)));
        }
        let mut began = BTreeMap::new();
        for id in history.iter().filter_map(|entry| entry.participant).collect::<BTreeSet<_>>() {
            let first = self.store.participant_began(id).map_err(unknown)?;
            began.extend(first.map(|first| (id, first)));
        }
        let members = participant.map_or(Ok(Vec::new()), |it| self.store.members_of(it, None));
        Ok(Membership {
            participant,
            began,
            members: members.map_err(unknown)?,
            history,
            decisions: decisions.into_values().collect(),
        })
    }

    /// What the agency of `record` was told of its statuses, and why in full.
    fn status_changes(&self, record: &RecordKey) -> Result<Vec<proto::StatusChange>, Status> {
        let changes = self.store.changes_of_record(record, CHANGES_TOLD_MAX);
        let told = changes.and_then(|changes| changes.iter().map(change_to_proto).collect());
        told.map_err(|e: store::Error| of_store(&e, ErrorReason::Internal))
    }
}

fn name(participant: Option<ParticipantId>) -> String {
    participant.map_or_else(String::new, |id| id.to_string())
}

/// The steps by which a participant came about, each with where its record was before.
fn history(membership: &Membership) -> Vec<proto::MembershipChange> {
    let mut before: BTreeMap<&RecordKey, Option<ParticipantId>> = BTreeMap::new();
    let decided_at = |seq: Seq| {
        let is_at = |decision: &&Decision| {
            decision.seq == seq || decision.undone.as_ref().is_some_and(|undo| undo.seq == seq)
        };
        let found = membership.decisions.iter().find(is_at);
        found.map_or_else(String::new, |decision| decision.made.id.0.clone())
    };
    let mut steps = Vec::new();
    for MembershipEntry { seq, at, record, participant, cause, .. } in &membership.history {
        let from = before.insert(record, *participant).flatten();
        let is_decided = *cause == store::MembershipCause::Decision;
        steps.push(proto::MembershipChange {
            record: Some(record_key_to_proto(record)),
            participant: name(*participant),
            cause: cause.to_string(),
            sequence: seq.0,
            changed_at: Some(timestamp(*at)),
            from_participant: name(from),
            decision_id: if is_decided { decided_at(*seq) } else { String::new() },
            is_new_participant: participant
                .is_some_and(|id| membership.began.get(&id) == Some(seq)),
        });
    }
    steps
}

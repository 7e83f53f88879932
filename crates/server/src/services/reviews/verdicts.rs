//! What a steward says of a task: a decision, a first of two verdicts, a day, somebody else.

use std::collections::BTreeMap;

use api::{
    ErrorReason,
    convert::{Violation, optional_date, record_key_from_proto},
    review as proto,
};
use record::RecordKey;
use store::{
    ActivationKind, DecisionId, NewDecision, Note, NoteKind, OpenTask, Scope, Seq, Shown, Task,
    Verdict, WaitKind,
};
use tonic::Status;

use super::{Reviews, changed, decisions::Effects, reason_of, refused};
use crate::{
    engine::AUDIT,
    files::random_id,
    services::submissions::check_request_id,
    status::{blocking, of_store},
};

/// What became of a verdict.
enum Settled {
    /// It is a decision, at this place in the log.
    Decided(DecisionId, Seq),
    /// It is a note.
    Noted(proto::Outcome),
}

/// A request with everything checked that does not depend on the task.
struct Word {
    author: String,
    reason: String,
    request: proto::DecideTaskRequest,
}

impl Reviews {
    /// Does what a steward says of a task, once for each request id.
    pub(super) async fn settle(
        &self,
        author: String,
        request: proto::DecideTaskRequest,
    ) -> Result<proto::DecideTaskResponse, Status> {
        check_request_id(&request.request_id)?;
        let word = Word { author, reason: reason_of(&request.reason)?, request };
        let this = self.clone();
        let settled = blocking(move || match this.settled_before(&word)? {
            Some(settled) => Ok(settled),
            None => this.settle_now(&word),
        });
        match settled.await? {
            Settled::Noted(outcome) => {
                Ok(proto::DecideTaskResponse { outcome: outcome.into(), ..Default::default() })
            }
            Settled::Decided(DecisionId(decision_id), seq) => {
                self.apply(seq).await?;
                let this = self.clone();
                let Effects { regroupings, statuses } = blocking(move || this.effects(seq)).await?;
                Ok(proto::DecideTaskResponse {
                    outcome: proto::Outcome::Decided.into(),
                    decision_id,
                    regroupings,
                    status_effects: statuses,
                })
            }
        }
    }

    /// What became of the same request before.
    fn settled_before(&self, word: &Word) -> Result<Option<Settled>, Status> {
        let internal = |e: store::Error| of_store(&e, ErrorReason::Internal);
        let id = &word.request.request_id;
        let decision = self.store.decision_by_request(&word.author, id).map_err(internal)?;
        if let Some(decision) = decision {
            return Ok(Some(Settled::Decided(decision.made.id, decision.seq)));
        }
        let Some(note) = self.store.note_by_request(&word.author, id).map_err(internal)? else {
            return Ok(None);
        };
        Ok(Some(Settled::Noted(match note.kind {
            NoteKind::Defer => proto::Outcome::Deferred,
            NoteKind::Escalate => proto::Outcome::Escalated,
            NoteKind::Link | NoteKind::Separate => {
                outcome_of(self.store.is_disputed(&note).map_err(internal)?)
            }
        })))
    }

    fn settle_now(&self, word: &Word) -> Result<Settled, Status> {
        let task = self.task(&word.request.id)?;
        if task.open.etag != word.request.etag {
            return Err(changed("it is not what was read"));
        }
        let deferred = proto::Outcome::Deferred;
        match word.request.verdict() {
            proto::Verdict::Link => self.judge(word, &task, Verdict::Link),
            proto::Verdict::Separate => self.judge(word, &task, Verdict::Separate),
            proto::Verdict::Defer => {
                let until = optional_date(word.request.defer_until.as_ref(), "defer_until")?
                    .filter(|until| *until > self.clock.today())
                    .ok_or_else(|| Violation::new("defer_until", "give a day after today"))?;
                let note = Note { until: Some(until), ..self.note(word, &task, NoteKind::Defer) };
                self.add(&note).map(|_| Settled::Noted(deferred))
            }
            proto::Verdict::Escalate => {
                let note = self.note(word, &task, NoteKind::Escalate);
                self.add(&note).map(|_| Settled::Noted(proto::Outcome::Escalated))
            }
            proto::Verdict::Unspecified => {
                let remedy = "give link, separate, defer or escalate";
                Err(Violation::new("verdict", remedy).into())
            }
        }
    }

    /// A verdict decides, unless the policy asks for two and it is the first, or differs from it.
    fn judge(&self, word: &Word, task: &Task, verdict: Verdict) -> Result<Settled, Status> {
        let internal = |e: store::Error| of_store(&e, ErrorReason::Internal);
        let is_escalated = task.waits.is_some_and(|it| it.kind == WaitKind::Escalated);
        let notes = self.store.open_notes_of(&task.open).map_err(internal)?;
        // The last verdict of each steward about these very groups.
        let mut verdicts: BTreeMap<&str, Verdict> = BTreeMap::new();
        for note in notes.iter().filter(|note| note.etag == task.open.etag) {
            verdicts.extend(note.kind.verdict().map(|it| (note.author.as_str(), it)));
        }
        let own = verdicts.remove(word.author.as_str());
        let first = verdicts.into_iter().find(|(_, of_other)| *of_other == verdict);
        let first = first.map(|(author, _)| author.to_owned());
        if is_escalated {
            let passed_on = notes.iter().rev().find(|it| it.kind == NoteKind::Escalate);
            let repeats = first.is_none() && own == Some(verdict);
            if repeats || passed_on.is_some_and(|it| it.author == word.author) {
                let remedy = "the task waits for somebody else than those who passed it on or \
                              disagree about it";
                return Err(Violation::new("verdict", remedy).into());
            }
            return self.decide(word, task, verdict, first);
        }
        let needs_second = self.policy.needs_second(&task.open.reason, &task.open.id.0);
        if needs_second && first.is_none() {
            let standing = self.add(&self.note(word, task, verdict.into()))?;
            let is_disputed = standing.waits.is_some_and(|it| it.kind == WaitKind::Escalated);
            return Ok(Settled::Noted(outcome_of(is_disputed)));
        }
        self.decide(word, task, verdict, first.filter(|_| needs_second))
    }

    fn decide(
        &self,
        word: &Word,
        task: &Task,
        verdict: Verdict,
        first_author: Option<String>,
    ) -> Result<Settled, Status> {
        let internal = |e: store::Error| of_store(&e, ErrorReason::Internal);
        let model = self.store.active_version(ActivationKind::Model).map_err(internal)?;
        let open = &task.open;
        let (scope, pairs) = bound(open, &word.request)?;
        let new = NewDecision {
            id: DecisionId(random_id("D")),
            verdict,
            scope,
            pairs,
            left: open.left.clone(),
            right: open.right.clone(),
            task: open.id.clone(),
            task_reason: open.reason.clone(),
            weight_millibits: open.weight_millibits,
            probability_ppm: open.probability_ppm,
            author: word.author.clone(),
            first_author,
            reason: word.reason.clone(),
            is_blind: word.request.blind || open.reason == AUDIT,
            model_version: model.unwrap_or_default(),
            request_id: word.request.request_id.clone(),
            at: self.clock.now(),
        };
        let added = self.store.add_decision(&new, &word.request.etag).map_err(internal)?;
        let seq = added.map_err(|objection| refused(&objection))?;
        Ok(Settled::Decided(new.id, seq))
    }

    fn note(&self, word: &Word, task: &Task, kind: NoteKind) -> Note {
        Note {
            task: task.open.id.clone(),
            etag: word.request.etag.clone(),
            kind,
            author: word.author.clone(),
            reason: word.reason.clone(),
            until: None,
            request_id: word.request.request_id.clone(),
            at: self.clock.now(),
        }
    }

    fn add(&self, note: &Note) -> Result<store::Standing, Status> {
        let added = self.store.add_note(note).map_err(|e| of_store(&e, ErrorReason::TaskUnknown));
        added?.map_err(|objection| refused(&objection))
    }
}

/// What becomes of a verdict where two are asked for, and it is the first or another one than the first.
fn outcome_of(is_disputed: bool) -> proto::Outcome {
    if is_disputed { proto::Outcome::Escalated } else { proto::Outcome::AwaitsSecond }
}

/// The pairs of records that a decision binds.
fn bound(
    task: &OpenTask,
    request: &proto::DecideTaskRequest,
) -> Result<(Scope, Vec<(RecordKey, RecordKey)>), Status> {
    if request.scope() != proto::Scope::Record {
        return match &request.record {
            None => Ok((Scope::Pair, vec![(task.best_left.clone(), task.best_right.clone())])),
            Some(_) => Err(Violation::new("record", "name a record with the scope record").into()),
        };
    }
    let record = match &request.record {
        Some(record) => record_key_from_proto(Some(record), "record")?,
        None if task.left.len() <= task.right.len() => task.best_left.clone(),
        None => task.best_right.clone(),
    };
    let is_in = |group: &[Shown]| group.iter().any(|shown| shown.record == record);
    let with = |others: &[Shown]| others.iter().map(|shown| shown.record.clone()).collect();
    let others: Vec<RecordKey> = if is_in(&task.left) {
        with(&task.right)
    } else if is_in(&task.right) {
        with(&task.left)
    } else {
        return Err(Violation::new("record", "name a record of the task").into());
    };
    Ok((Scope::Record, others.into_iter().map(|other| (record.clone(), other)).collect()))
}

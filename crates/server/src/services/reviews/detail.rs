//! A task with everything that a steward needs to judge it.

use std::collections::BTreeMap;

use api::{
    ErrorReason,
    convert::{date_to_proto, record_key_to_proto},
    review as proto,
};
use record::RecordKey;
use store::{Note, NoteKind, Question, Seq, Task, WaitKind};
use tonic::Status;

use super::{Reviews, decisions::decision_to_proto};
use crate::{
    engine::AUDIT,
    services::explanation::explanation_to_proto,
    status::{blocking, of_engine, of_store},
    times::timestamp,
};

/// Pairs across the groups that are explained at most, beside the best one.
const OTHER_PAIRS_MAX: usize = 50;

/// What the store knows of a task.
struct Known {
    records: Vec<proto::TaskRecord>,
    decisions: Vec<proto::Decision>,
    notes: Vec<proto::TaskNote>,
    questions: Vec<proto::AgencyQuestion>,
}

impl Reviews {
    /// The task with its pairs, records and what was said of it. An audit is always blind.
    pub(super) async fn detail(
        &self,
        task: Task,
        blind: bool,
    ) -> Result<proto::TaskDetail, Status> {
        let blind = blind || task.open.reason == AUDIT;
        let records: Vec<RecordKey> = task.open.records().cloned().collect();
        let pairs = pairs_of(&task);
        let explained = self.engine.explain(pairs.clone(), records).await;
        let explained = explained.map_err(|e| of_engine(&e))?;
        let mut pairs: Vec<proto::PairExplanation> = pairs
            .iter()
            .zip(&explained.pairs)
            .filter_map(|((left, right), it)| Some(explanation_to_proto(left, right, it.as_ref()?)))
            .collect();
        let (this, of) = (self.clone(), task.clone());
        let mut known = blocking(move || {
            let known = this.known(&of, blind);
            known.map_err(|e| of_store(&e, ErrorReason::Internal))
        })
        .await?;
        for (record, fields) in known.records.iter_mut().zip(&explained.fields) {
            let name = |place: &usize| self.schema.fields[*place].name.clone();
            record.fields = fields.iter().flatten().map(name).collect();
        }
        if blind {
            pairs.iter_mut().for_each(hide);
        }
        let mut pairs = pairs.into_iter();
        let best_pair = pairs.next();
        let mut other_pairs: Vec<_> = pairs.collect();
        other_pairs.sort_by_key(|pair| std::cmp::Reverse(pair.total_millibits));
        Ok(proto::TaskDetail {
            task: Some(self.task_to_proto(&task, blind)),
            best_pair,
            other_pairs,
            records: known.records,
            decisions: known.decisions,
            notes: known.notes,
            questions: known.questions,
            blind,
        })
    }

    fn known(&self, task: &Task, blind: bool) -> store::Result<Known> {
        let open = &task.open;
        let mut records = Vec::new();
        let mut questions: Vec<Question> = Vec::new();
        for (is_left, group) in [(true, &open.left), (false, &open.right)] {
            for shown in group {
                let participant = self.store.participant_of(&shown.record, None)?;
                let participant = participant.filter(|_| !blind);
                let statuses = self.store.status(&shown.record)?;
                records.push(proto::TaskRecord {
                    is_left,
                    record: Some(record_key_to_proto(&shown.record)),
                    version: shown.version.0,
                    participant: participant.map_or_else(String::new, |it| it.to_string()),
                    statuses: statuses
                        .iter()
                        .filter(|row| row.label != "none")
                        .map(|row| format!("{} {}", row.pathway, row.label))
                        .collect(),
                    fields: Vec::new(),
                });
                let asked = self.store.questions_about(&shown.record)?;
                // What was drawn by lot is of use once it is answered.
                questions.extend(
                    asked.into_iter().filter(|it| it.author.is_some() || it.answer.is_some()),
                );
            }
        }
        questions.sort_by_key(|question| question.at);
        let mut decisions = BTreeMap::new();
        for (left, right) in pairs_of(task) {
            let binding = self.store.binding(&left, &right, Seq(u64::MAX))?;
            decisions.extend(binding.map(|binding| (binding.seq, binding)));
        }
        let is_escalated = task.waits.is_some_and(|waits| waits.kind == WaitKind::Escalated);
        let notes = self.store.notes_of(open)?;
        let notes = notes.iter().filter(|note| is_escalated || note.kind.verdict().is_none());
        Ok(Known {
            records,
            decisions: decisions.values().map(decision_to_proto).collect(),
            notes: notes.map(note_to_proto).collect(),
            questions: questions.iter().map(question_to_proto).collect(),
        })
    }

    /// A task of a list; a blind one says nothing of its weight.
    pub(super) fn task_to_proto(&self, task: &Task, blind: bool) -> proto::Task {
        let open = &task.open;
        let blind = blind || open.reason == AUDIT;
        let waits = task.waits_on(self.clock.today());
        let lease = task.lease.as_ref().filter(|lease| lease.until > self.clock.now());
        let records = |group: &[store::Shown]| {
            group.iter().map(|shown| record_key_to_proto(&shown.record)).collect()
        };
        proto::Task {
            id: open.id.0.clone(),
            state: match waits.map(|waits| waits.kind) {
                Some(WaitKind::Deferred) => proto::TaskState::Deferred,
                Some(WaitKind::Asked) => proto::TaskState::Asked,
                Some(WaitKind::Escalated) => proto::TaskState::Escalated,
                None if task.first_author.is_some() => proto::TaskState::Second,
                None => proto::TaskState::Open,
            }
            .into(),
            reason: open.reason.clone(),
            left: records(&open.left),
            right: records(&open.right),
            best_left: Some(record_key_to_proto(&open.best_left)),
            best_right: Some(record_key_to_proto(&open.best_right)),
            weight_millibits: (!blind).then_some(open.weight_millibits as i32),
            probability_ppm: (!blind).then_some(open.probability_ppm as u32),
            waits_until: waits.and_then(|waits| waits.until).map(date_to_proto),
            etag: open.etag.clone(),
            opened_at: Some(timestamp(task.opened_at)),
            statuses: u32::try_from(task.statuses).unwrap_or(u32::MAX),
            priority: (!blind).then_some(task.priority),
            held_by: lease.map_or_else(String::new, |lease| lease.steward.clone()),
            held_until: lease.map(|lease| timestamp(lease.until)),
            needs_second: self.policy.needs_second(&open.reason, &open.id.0),
        }
    }
}

/// The pairs across the groups of a task, the best one first.
fn pairs_of(task: &Task) -> Vec<(RecordKey, RecordKey)> {
    let open = &task.open;
    let best = (open.best_left.clone(), open.best_right.clone());
    let across = open.left.iter().flat_map(|left| {
        open.right.iter().map(|right| (left.record.clone(), right.record.clone()))
    });
    let others = across.filter(|pair| *pair != best).take(OTHER_PAIRS_MAX);
    std::iter::once(best.clone()).chain(others).collect()
}

/// Leaves nothing of a pair but the levels.
fn hide(pair: &mut proto::PairExplanation) {
    let fields = std::mem::take(&mut pair.fields);
    let levels = fields.into_iter().map(|field| proto::FieldExplanation {
        field: field.field,
        level: field.level,
        ..proto::FieldExplanation::default()
    });
    *pair = proto::PairExplanation {
        left: pair.left.take(),
        right: pair.right.take(),
        fields: levels.collect(),
        model_version: std::mem::take(&mut pair.model_version),
        blind: true,
        ..proto::PairExplanation::default()
    };
}

fn note_to_proto(note: &Note) -> proto::TaskNote {
    proto::TaskNote {
        verdict: match note.kind {
            NoteKind::Defer => proto::Verdict::Defer,
            NoteKind::Escalate => proto::Verdict::Escalate,
            NoteKind::Link => proto::Verdict::Link,
            NoteKind::Separate => proto::Verdict::Separate,
        }
        .into(),
        author: note.author.clone(),
        reason: note.reason.clone(),
        at: Some(timestamp(note.at)),
        until: note.until.map(date_to_proto),
    }
}

fn question_to_proto(question: &Question) -> proto::AgencyQuestion {
    proto::AgencyQuestion {
        id: question.id.0.clone(),
        record: Some(record_key_to_proto(&question.record)),
        fields: question.fields.clone(),
        author: question.author.clone().unwrap_or_default(),
        asked_at: Some(timestamp(question.at)),
        put_on: question.put.map(|(day, _)| date_to_proto(day)),
        answer: question.answer.map_or_else(String::new, |(answer, _)| answer.to_string()),
        answered_at: question.answer.map(|(_, at)| timestamp(at)),
    }
}

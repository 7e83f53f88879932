//! The questions that settling leaves for stewards, and those of a sample.

use std::collections::{BTreeMap, BTreeSet};

use linkage::{MatchWeight, ReviewTask, Settlement, audit::SampleOptions};
use record::{RecordKey, RecordVersion};
use sha2::{Digest, Sha256};
use store::{NewStratum, OpenTask, Seq, Shown, Store, TaskId, TaskReplacement};

use super::{Engine, EngineError};
use crate::services::millibits;

/// Why a steward is asked about a pair that was drawn.
pub(crate) const AUDIT: &str = "audit";

/// The pairs of the last sample, each both ways round.
#[derive(Debug, Default)]
pub(super) struct Audits(BTreeMap<RecordKey, BTreeSet<RecordKey>>);

impl Audits {
    /// The pairs of the last sample that was drawn up to the fact `at`.
    pub(super) fn read(store: &Store, at: Seq) -> Result<Self, EngineError> {
        let mut audits = Self::default();
        let Some(sample) = store.last_sample()?.filter(|sample| sample.seq <= at) else {
            return Ok(audits);
        };
        for (one, other) in store.sample_pairs(sample.seq)? {
            audits.0.entry(one.clone()).or_default().insert(other.clone());
            audits.0.entry(other).or_default().insert(one);
        }
        Ok(audits)
    }

    /// The pairs with one of `records`, the smaller record first.
    fn pairs_of<'a>(
        &'a self,
        records: impl Iterator<Item = &'a RecordKey>,
    ) -> BTreeSet<(&'a RecordKey, &'a RecordKey)> {
        let of = |record: &'a RecordKey| {
            let found = self.0.get_key_value(record);
            found.into_iter().flat_map(|(one, others)| {
                others.iter().map(move |other| (one.min(other), one.max(other)))
            })
        };
        if self.0.is_empty() { BTreeSet::new() } else { records.flat_map(of).collect() }
    }
}

impl Engine {
    /// The tasks of a settlement in their stored form; with a new sample, its own in place of those of
    /// the sample before.
    pub(super) fn tasks(
        &mut self,
        settlement: Settlement,
        up_to: Seq,
        is_new_sample: bool,
    ) -> Result<TaskReplacement, EngineError> {
        let mut open: Vec<OpenTask> =
            settlement.tasks.iter().map(|task| self.open_task(task)).collect();
        let mut closed = Vec::new();
        if is_new_sample {
            let before = std::mem::replace(&mut self.audits, Audits::read(&self.store, up_to)?);
            let pairs = before.pairs_of(before.0.keys());
            closed.extend(pairs.into_iter().map(|(one, other)| task_id(one, other, AUDIT)));
            open.extend(self.audit_tasks(self.audits.0.keys()));
        } else {
            open.extend(self.audit_tasks(settlement.records.iter()));
        }
        Ok(TaskReplacement { touched: settlement.records, closed, open })
    }

    /// The drawn pairs among `records` that are there and that nobody has decided about.
    fn audit_tasks<'a>(&'a self, records: impl Iterator<Item = &'a RecordKey>) -> Vec<OpenTask> {
        let pairs = self.audits.pairs_of(records).into_iter();
        pairs.filter_map(|(one, other)| self.audit_task(one, other)).collect()
    }

    fn audit_task(&self, one: &RecordKey, other: &RecordKey) -> Option<OpenTask> {
        if self.linker.standing(one, other).is_some() {
            return None;
        }
        let explained = self.linker.explain(one, other)?;
        let are_together = self.place(one)?.participant == self.place(other)?.participant;
        let risk = if are_together { 1.0 - explained.probability } else { explained.probability };
        let question = Question {
            groups: (vec![self.shown(one)], vec![self.shown(other)]),
            best: (one.clone(), other.clone()),
            weight: explained.total,
            probability: explained.probability,
            risk,
            reason: AUDIT.to_owned(),
        };
        Some(question.into())
    }

    /// Draws a sample of the pairs of records, linked and not linked, by weight; it is a fact, and its
    /// pairs become tasks when that is taken in. `None`, and no fact, where there is no pair to draw.
    pub(super) fn draw_sample(
        &self,
        pairs_per_stratum: usize,
        seed: u64,
        author: &str,
    ) -> Result<Option<Seq>, EngineError> {
        let mut people: Vec<Vec<RecordKey>> = self
            .members
            .values()
            .filter(|members| members.len() > 1)
            .map(|members| members.iter().cloned().collect())
            .collect();
        people.sort_unstable();
        let drawn = self.linker.draw_sample(&people, SampleOptions { pairs_per_stratum, seed });
        if drawn.iter().all(|stratum| stratum.pairs.is_empty()) {
            return Ok(None);
        }
        let bits = |weight: MatchWeight| i64::from(millibits(weight));
        let strata: Vec<NewStratum> = drawn
            .into_iter()
            .map(|stratum| NewStratum {
                is_linked: stratum.is_linked,
                from_millibits: stratum.from.map(bits),
                to_millibits: stratum.to.map(bits),
                n_pairs: stratum.n_pairs,
                drawn: stratum.pairs,
            })
            .collect();
        Ok(Some(self.store.add_sample(seed, &strata, author, self.clock.now())?))
    }

    fn open_task(&self, task: &ReviewTask) -> OpenTask {
        let shown = |group: &[RecordKey]| group.iter().map(|record| self.shown(record)).collect();
        let question = Question {
            groups: (shown(&task.left), shown(&task.right)),
            best: task.best_pair.clone(),
            weight: task.weight,
            probability: task.probability,
            risk: task.risk,
            reason: task.reason.to_string(),
        };
        question.into()
    }

    fn shown(&self, record: &RecordKey) -> Shown {
        let newest = self.linker.newest_version(record);
        Shown { record: record.clone(), version: newest.unwrap_or(RecordVersion(i64::MIN)) }
    }
}

struct Question {
    groups: (Vec<Shown>, Vec<Shown>),
    best: (RecordKey, RecordKey),
    weight: MatchWeight,
    probability: f64,
    risk: f64,
    reason: String,
}

impl From<Question> for OpenTask {
    fn from(question: Question) -> Self {
        let Question { groups: (left, right), best, weight, probability, risk, reason } = question;
        let ppm = |share: f64| (share * 1e6).round() as i64;
        let mut task = Self {
            id: task_id(&best.0, &best.1, &reason),
            left,
            right,
            best_left: best.0,
            best_right: best.1,
            weight_millibits: i64::from(millibits(weight)),
            probability_ppm: ppm(probability),
            risk_ppm: ppm(risk),
            reason,
            etag: String::new(),
        };
        task.etag = etag(&task);
        task
    }
}

/// The id of the question about two records. A sample and a decision that is in doubt ask about a pair
/// for reasons of their own, beside the groups that it may stand between.
fn task_id(one: &RecordKey, other: &RecordKey, reason: &str) -> TaskId {
    let kind = if [AUDIT, "contrary"].contains(&reason) { reason } else { "" };
    let (one, other) = (one.min(other), one.max(other));
    TaskId(format!("T-{}", digest(format!("{one}\n{other}\n{kind}"))))
}

/// Other content, another etag.
fn etag(task: &OpenTask) -> String {
    let group = |group: &[Shown]| {
        group.iter().map(|it| format!("{} {}\n", it.record, it.version.0)).collect::<String>()
    };
    let OpenTask { weight_millibits, probability_ppm, risk_ppm, reason, .. } = task;
    digest(format!(
        "{}\n{}\n{} {}\n{weight_millibits} {probability_ppm} {risk_ppm} {reason}",
        group(&task.left),
        group(&task.right),
        task.best_left,
        task.best_right,
    ))
}

/// Ten letters and digits: 50 bits, so that a million tasks hardly ever share one.
fn digest(text: String) -> String {
    let mut name = data_encoding::BASE32_NOPAD.encode(&Sha256::digest(text)[..7]);
    name.truncate(10);
    name
}

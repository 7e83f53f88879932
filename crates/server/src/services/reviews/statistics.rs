//! The workload of review, how stewards agree, and what samples say of the links.

use std::collections::BTreeMap;

use api::{ErrorReason, convert::date_to_proto, review as proto};
use jiff::{SignedDuration, Timestamp, civil::Date};
use linkage::{
    Estimate,
    audit::{JudgedStratum, estimate, kappa, wilson},
};
use store::{Act, Answer, FieldAnswer, OpenTasks, Stratum, Verdict, WaitKind};
use tonic::Status;

use super::Reviews;
use crate::{status::of_store, times::timestamp};

/// Days whose decisions are told.
const DAYS_TOLD: i64 = 30;

impl Reviews {
    /// Everything that `review stats` shows.
    pub(super) fn statistics(&self) -> Result<proto::GetStatisticsResponse, Status> {
        let read = || -> store::Result<proto::GetStatisticsResponse> {
            let (today, now) = (self.clock.today(), self.clock.now());
            let since = now.saturating_sub(SignedDuration::from_hours(24 * DAYS_TOLD));
            let acts = self.store.acts_since(since.unwrap_or(Timestamp::MIN))?;
            let (decisions, overturned) = self.store.overturned()?;
            Ok(proto::GetStatisticsResponse {
                open: self.store.open_tasks(today, now).iter().map(open_to_proto).collect(),
                days: days(&acts, |at| self.clock.date_of(at)),
                decisions,
                overturned,
                overturned_share: wilson(overturned, decisions).map(share),
                agreement: Some(agreement(&self.store.verdict_pairs()?)),
                quality: self.quality()?,
                field_checks: field_checks(&self.store.routine_answers()?),
            })
        };
        read().map_err(|e| of_store(&e, ErrorReason::Internal))
    }

    fn quality(&self) -> store::Result<Option<proto::SampleQuality>> {
        let Some(sample) = self.store.last_sample()? else { return Ok(None) };
        let strata = self.store.sample_strata(sample.seq)?;
        let judged: Vec<JudgedStratum> = strata
            .iter()
            .map(|stratum| JudgedStratum {
                is_linked: stratum.is_linked,
                n_pairs: stratum.n_pairs,
                n_judged: stratum.n_judged as u32,
                n_matches: stratum.n_matches as u32,
            })
            .collect();
        let quality = estimate(&judged);
        Ok(Some(proto::SampleQuality {
            drawn_at: Some(timestamp(sample.at)),
            strata: strata.iter().map(stratum_to_proto).collect(),
            precision: quality.precision.map(share),
            recall: quality.recall.map(share),
        }))
    }
}

/// A stratum on the wire.
pub(super) fn stratum_to_proto(stratum: &Stratum) -> proto::Stratum {
    let narrow = |millibits: i64| millibits as i32;
    proto::Stratum {
        is_linked: stratum.is_linked,
        from_millibits: stratum.from_millibits.map(narrow),
        to_millibits: stratum.to_millibits.map(narrow),
        pairs: stratum.n_pairs,
        drawn: stratum.n_drawn as u32,
        judged: stratum.n_judged as u32,
        matches: stratum.n_matches as u32,
    }
}

fn open_to_proto(open: &OpenTasks) -> proto::OpenCount {
    let [up_to_1_day, up_to_7_days, up_to_30_days, older] = open.by_age;
    let state = match open.waits {
        Some(WaitKind::Deferred) => proto::TaskState::Deferred,
        Some(WaitKind::Asked) => proto::TaskState::Asked,
        Some(WaitKind::Escalated) => proto::TaskState::Escalated,
        None if open.is_second => proto::TaskState::Second,
        None => proto::TaskState::Open,
    };
    let (reason, state) = (open.reason.clone(), state.into());
    proto::OpenCount { reason, state, up_to_1_day, up_to_7_days, up_to_30_days, older }
}

/// What was done on each day by each steward, newest first.
fn days(acts: &[Act], date_of: impl Fn(Timestamp) -> Date) -> Vec<proto::DayCount> {
    let mut counts: BTreeMap<(std::cmp::Reverse<Date>, &str), proto::DayCount> = BTreeMap::new();
    for act in acts {
        let day = date_of(act.at);
        let count = counts.entry((std::cmp::Reverse(day), &act.author)).or_default();
        count.day = Some(date_to_proto(day));
        count.author.clone_from(&act.author);
        match act.kind.as_str() {
            "link" => count.linked += 1,
            "separate" => count.separated += 1,
            "defer" => count.deferred += 1,
            "escalate" => count.escalated += 1,
            _ => count.asked += 1,
        }
    }
    counts.into_values().collect()
}

fn agreement(verdicts: &[(Verdict, Verdict)]) -> proto::Agreement {
    let mut table = [[0u64; 2]; 2];
    for (first, second) in verdicts {
        let place = |verdict: &Verdict| usize::from(*verdict == Verdict::Separate);
        table[place(first)][place(second)] += 1;
    }
    let tasks = verdicts.len() as u64;
    let agreed = table[0][0] + table[1][1];
    proto::Agreement {
        tasks,
        agreed,
        share: wilson(agreed, tasks).map(share),
        kappa_ppm: kappa(table).map(|kappa| (kappa * 1e6).round() as i32),
    }
}

/// How often a checked field was wrong, by agency and field.
fn field_checks(answers: &[FieldAnswer]) -> Vec<proto::FieldCheck> {
    let mut checks: BTreeMap<(String, String), proto::FieldCheck> = BTreeMap::new();
    for answer in answers.iter().filter(|it| it.answer != Answer::Unknown) {
        for field in &answer.fields {
            let (agency, field) = (answer.agency.to_string(), field.clone());
            let check = checks.entry((agency.clone(), field.clone())).or_insert_with(|| {
                proto::FieldCheck { agency, field, ..proto::FieldCheck::default() }
            });
            check.checked += 1;
            check.corrected += u64::from(answer.answer == Answer::Corrected);
        }
    }
    checks.into_values().collect()
}

fn share(estimate: Estimate) -> proto::Share {
    let ppm = |share: f64| (share * 1e6).round() as u32;
    proto::Share {
        value_ppm: ppm(estimate.value),
        low_ppm: ppm(estimate.low),
        high_ppm: ppm(estimate.high),
    }
}

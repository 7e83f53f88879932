//! A task as the service tells of it, for tests of the screen.

use api::{
    review::{
        AgencyQuestion, DecidedPair, Decision, FieldExplanation, PairExplanation, Scope, Task,
        TaskDetail, TaskFilter, TaskNote, TaskRecord, TaskState, Verdict,
    },
    types::{Date, RecordKey},
};
use jiff::Timestamp;

use super::state::{Ids, State};

/// The moment of every test.
pub fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

/// A moment before it.
pub fn hours_ago(hours: i64) -> Option<api::Timestamp> {
    Some(api::Timestamp { seconds: now().as_second() - hours * 3_600, nanos: 0 })
}

/// A screen that has asked for nothing yet.
pub fn state(blind: bool) -> State {
    State::new(now(), TaskFilter::default(), blind, Ids::new("test".to_owned()))
}

pub fn key(name: &str) -> Option<RecordKey> {
    let (agency, local_id) = name.split_once('/').unwrap();
    Some(RecordKey { agency: agency.to_owned(), local_id: local_id.to_owned() })
}

pub fn task(id: &str) -> Task {
    Task {
        id: id.to_owned(),
        state: TaskState::Open.into(),
        reason: "band".to_owned(),
        left: key("college/A-1017").into_iter().collect(),
        right: [key("workforce/77-20"), key("wages/5512")].into_iter().flatten().collect(),
        best_left: key("college/A-1017"),
        best_right: key("workforce/77-20"),
        weight_millibits: Some(2_150),
        probability_ppm: Some(816_000),
        waits_until: None,
        etag: format!("{id}-etag"),
        opened_at: hours_ago(75),
        statuses: 4,
        priority: Some(920_000),
        held_by: "ann".to_owned(),
        held_until: Some(api::Timestamp { seconds: now().as_second() + 600, nanos: 0 }),
        needs_second: false,
    }
}

pub fn detail(id: &str) -> TaskDetail {
    TaskDetail {
        task: Some(task(id)),
        best_pair: Some(pair("workforce/77-20", 2_150)),
        other_pairs: vec![pair("wages/5512", -1_480)],
        records: vec![
            record(true, "college/A-1017", 20_260_101, "P-000318", &["ui-weld participant"]),
            record(
                false,
                "workforce/77-20",
                3,
                "P-004711",
                &["ui-weld completer", "system participant"],
            ),
            record(false, "wages/5512", 20_251_001, "P-004711", &[]),
        ],
        decisions: Vec::new(),
        notes: vec![TaskNote {
            verdict: Verdict::Defer.into(),
            author: "bob".to_owned(),
            reason: "new data of one of the records are expected".to_owned(),
            at: hours_ago(50),
            until: Some(Date { year: 2026, month: 1, day: 14 }),
        }],
        questions: vec![AgencyQuestion {
            id: "Q-1".to_owned(),
            record: key("college/A-1017"),
            fields: vec!["date_of_birth".to_owned()],
            author: "bob".to_owned(),
            asked_at: hours_ago(49),
            put_on: Some(Date { year: 2026, month: 1, day: 13 }),
            answer: "confirmed".to_owned(),
            answered_at: hours_ago(5),
        }],
        blind: false,
    }
}

/// What [`detail`] says to who must not see the score.
pub fn blind_detail(id: &str) -> TaskDetail {
    let mut detail = detail(id);
    detail.blind = true;
    for record in &mut detail.records {
        record.participant.clear();
    }
    for pair in detail.best_pair.iter_mut().chain(&mut detail.other_pairs) {
        let fields = std::mem::take(&mut pair.fields);
        let fields = fields.into_iter().map(|FieldExplanation { field, level, .. }| {
            FieldExplanation { field, level, ..FieldExplanation::default() }
        });
        let (left, right) = (pair.left.take(), pair.right.take());
        let fields = fields.collect();
        *pair = PairExplanation { left, right, fields, blind: true, ..PairExplanation::default() };
    }
    if let Some(task) = &mut detail.task {
        task.reason = "audit".to_owned();
        (task.weight_millibits, task.probability_ppm, task.priority) = (None, None, None);
    }
    detail
}

/// A task whose decision is contradicted by new data.
pub fn contrary_detail(id: &str) -> TaskDetail {
    let mut detail = detail(id);
    detail.decisions = vec![decision("D-12", Verdict::Separate)];
    if let Some(task) = &mut detail.task {
        task.reason = "contrary".to_owned();
        task.needs_second = true;
    }
    detail
}

pub fn decision(id: &str, verdict: Verdict) -> Decision {
    Decision {
        id: id.to_owned(),
        verdict: verdict.into(),
        author: "ann".to_owned(),
        reason: "one household: what agrees is shared by its members".to_owned(),
        decided_at: hours_ago(300),
        scope: Scope::Pair.into(),
        pairs: vec![DecidedPair {
            left: key("college/A-1017"),
            left_version: 20_250_101,
            right: key("workforce/77-20"),
            right_version: 2,
        }],
        task_id: "T-9".to_owned(),
        ..Decision::default()
    }
}

fn record(
    is_left: bool,
    name: &str,
    version: i64,
    participant: &str,
    statuses: &[&str],
) -> TaskRecord {
    TaskRecord {
        is_left,
        record: key(name),
        version,
        participant: participant.to_owned(),
        statuses: statuses.iter().map(|status| (*status).to_owned()).collect(),
        fields: ["first_name", "last_name", "date_of_birth", "ssn"].map(str::to_owned).to_vec(),
    }
}

fn pair(right: &str, total_millibits: i32) -> PairExplanation {
    let fields = [
        ("first_name", "nickname", 4_300, -200),
        ("middle_name", "missing", 0, 0),
        ("last_name", "exact", 9_250, -1_600),
        ("name_suffix", "missing", 0, 0),
        ("date_of_birth", "component", 1_700, 0),
        ("ssn", "differ", -7_000, 0),
        ("sex", "exact", 900, 0),
        ("street_address", "far", 2_100, 0),
        ("city", "exact", 3_000, -800),
        ("zip", "prefix3", 2_500, 0),
        ("phone", "missing", 0, 0),
        ("email", "exact", 8_000, 0),
    ];
    let fields = fields.map(|(field, level, weight_millibits, term_frequency_millibits)| {
        let (field, level) = (field.to_owned(), level.to_owned());
        FieldExplanation { field, level, weight_millibits, term_frequency_millibits }
    });
    PairExplanation {
        left: key("college/A-1017"),
        right: key(right),
        fields: fields.to_vec(),
        prior_millibits: -17_500,
        total_millibits,
        probability_ppm: 816_000,
        lower_cut_off_millibits: -1_000,
        upper_cut_off_millibits: 6_000,
        conclusions: vec![
            "By itself the pair lies between the cut-offs: a steward is asked.".to_owned(),
        ],
        decision: None,
        model_version: "m-3".to_owned(),
        correlation_millibits: -1_300,
        household_millibits: -1_200,
        blind: false,
    }
}

//! The tasks of the made-up service.

use std::time::{SystemTime, UNIX_EPOCH};

use api::{
    Timestamp,
    review::{FieldExplanation, PairExplanation, Task, TaskDetail, TaskRecord, TaskState},
    types::RecordKey,
};

/// Seconds since the Unix epoch.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// The task `T<n>` about two records, three days old.
pub fn detail(n: u32) -> TaskDetail {
    let left = record(true, "college", &format!("A-{n}"));
    let right = record(false, "workforce", &format!("77-{n}"));
    let task = Task {
        id: format!("T{n}"),
        state: TaskState::Open.into(),
        reason: "band".to_owned(),
        left: left.record.clone().into_iter().collect(),
        right: right.record.clone().into_iter().collect(),
        best_left: left.record.clone(),
        best_right: right.record.clone(),
        weight_millibits: Some(2_150),
        probability_ppm: Some(816_000),
        etag: format!("etag-{n}"),
        opened_at: Some(Timestamp { seconds: now() - 3 * 86_400 - 3_600, nanos: 0 }),
        statuses: 2,
        ..Task::default()
    };
    let best_pair = PairExplanation {
        left: left.record.clone(),
        right: right.record.clone(),
        fields: fields(),
        prior_millibits: -17_500,
        total_millibits: 2_150,
        probability_ppm: 816_000,
        lower_cut_off_millibits: -1_000,
        upper_cut_off_millibits: 6_000,
        ..PairExplanation::default()
    };
    TaskDetail {
        task: Some(task),
        best_pair: Some(best_pair),
        records: vec![left, right],
        ..TaskDetail::default()
    }
}

fn fields() -> Vec<FieldExplanation> {
    let fields = [
        ("first_name", "nickname", 4_300, 0),
        ("last_name", "exact", 9_250, -1_600),
        ("date_of_birth", "component", 1_700, 0),
        ("ssn", "missing", 0, 0),
        ("email", "exact", 6_000, 0),
    ];
    let field = |(field, level, weight_millibits, term_frequency_millibits): (&str, &str, _, _)| {
        let (field, level) = (field.to_owned(), level.to_owned());
        FieldExplanation { field, level, weight_millibits, term_frequency_millibits }
    };
    fields.map(field).to_vec()
}

fn record(is_left: bool, agency: &str, local_id: &str) -> TaskRecord {
    TaskRecord {
        is_left,
        record: Some(RecordKey { agency: agency.to_owned(), local_id: local_id.to_owned() }),
        version: 20_260_101,
        participant: format!("P-{agency}"),
        statuses: vec!["ui-weld participant".to_owned()],
        fields: vec!["first_name".to_owned(), "last_name".to_owned()],
    }
}

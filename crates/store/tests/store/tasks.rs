//! Review tasks.

use jiff::civil::Date;
use store::{
    Deferral, Error, OpenTask, Seq, Settled, Store, TaskFilter, TaskId, TaskReplacement, TaskState,
};

use crate::fixture::{Fixture, agency, at, day, key, record};

fn task(id: &str, left: &[&str], right: &[&str], weight_millibits: i64) -> OpenTask {
    OpenTask {
        id: TaskId(id.to_owned()),
        left: left.iter().map(|one| key(one)).collect(),
        right: right.iter().map(|one| key(one)).collect(),
        best_left: key(left[0]),
        best_right: key(right[0]),
        weight_millibits,
        probability_ppm: 700_000,
        reason: if weight_millibits > 5_000 { "band" } else { "conflict" }.to_owned(),
    }
}

fn settle(store: &Store, touched: &[&str], open: &[OpenTask]) -> store::Result<()> {
    let touched = touched.iter().map(|one| key(one)).collect();
    let tasks = TaskReplacement { touched, open: open.to_vec() };
    store.settle(Settled { tasks, ..Settled::nothing(Seq(1), at(1), "m1") })
}

/// A store with three tasks.
fn with_tasks() -> (Fixture, [OpenTask; 3]) {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("A", 1, "x")]);
    let tasks = [
        task("t1", &["college/A", "college/B"], &["workforce/C"], 9_000),
        task("t2", &["college/D"], &["college/E"], 6_000),
        task("t3", &["college/F"], &["workforce/G"], 6_000),
    ];
    settle(&fixture.store, &[], &tasks).unwrap();
    (fixture, tasks)
}

fn filter(state: TaskState, on: Date) -> TaskFilter {
    TaskFilter { state, on, reason: None, agency: None }
}

fn ids(store: &Store, filter: &TaskFilter) -> Vec<String> {
    store.tasks(filter, None, 99).unwrap().into_iter().map(|task| task.open.id.0).collect()
}

#[test]
fn tasks_are_listed_heaviest_first_and_page_by_page() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    let open = filter(TaskState::Open, day("2026-09-01"));
    let mut seen = Vec::new();
    let mut after = None;
    while let [task] = store.tasks(&open, after.as_ref(), 1).unwrap().as_slice() {
        after = Some(task.open.place());
        seen.push(task.open.clone());
    }
    assert_eq!(seen, tasks);
    assert_eq!(store.task(&tasks[0].id).unwrap().open, tasks[0]);
    let unknown = store.task(&TaskId("none".to_owned()));
    assert_eq!(unknown, Err(Error::NotFound { what: "task" }));
}

#[test]
fn tasks_are_filtered_by_reason_and_agency() {
    let (Fixture { store, .. }, _) = &with_tasks();
    settle(store, &[], &[task("t4", &["college/H"], &["college/I"], 1_000)]).unwrap();
    let open = filter(TaskState::Open, day("2026-09-01"));
    let conflict = TaskFilter { reason: Some("conflict".to_owned()), ..open.clone() };
    assert_eq!(ids(store, &conflict), ["t4"]);
    let workforce = TaskFilter { agency: Some(agency("workforce")), ..open };
    assert_eq!(ids(store, &workforce), ["t1", "t3"]);
}

#[test]
fn a_deferred_task_comes_back_on_its_day() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    let deferral = |until| Deferral {
        until: day(until),
        author: "ada".to_owned(),
        reason: "waiting for papers".to_owned(),
        at: at(1),
    };
    store.defer_task(&tasks[0].id, &deferral("2026-12-01")).unwrap();
    store.defer_task(&tasks[0].id, &deferral("2026-10-01")).unwrap();
    let unknown = TaskId("none".to_owned());
    let refused = store.defer_task(&unknown, &deferral("2026-10-01"));
    assert_eq!(refused, Err(Error::NotFound { what: "task" }));
    let (eve, due) = (day("2026-09-30"), day("2026-10-01"));
    assert_eq!(ids(store, &filter(TaskState::Open, eve)), ["t2", "t3"]);
    assert_eq!(ids(store, &filter(TaskState::Deferred, eve)), ["t1"]);
    assert_eq!(ids(store, &filter(TaskState::Open, due)), ["t1", "t2", "t3"]);
    assert_eq!(store.task(&tasks[0].id).unwrap().deferral, Some(deferral("2026-10-01")));
    let counts = store.task_counts(eve).unwrap();
    assert_eq!(counts.len(), 1);
    assert_eq!((counts[0].reason.as_str(), counts[0].open, counts[0].deferred), ("band", 2, 1));

    settle(store, &["college/A"], &[tasks[0].clone()]).unwrap();
    assert_eq!(ids(store, &filter(TaskState::Deferred, eve)), ["t1"], "settled again");
}

#[test]
fn tasks_that_touch_a_settled_record_are_replaced() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    let heavier = OpenTask { weight_millibits: 7_000, ..tasks[1].clone() };
    settle(store, &["college/B", "college/E"], std::slice::from_ref(&heavier)).unwrap();
    assert_eq!(ids(store, &filter(TaskState::Open, day("2026-09-01"))), ["t2", "t3"]);
    assert_eq!(store.task(&heavier.id).unwrap().open, heavier);
}

#[test]
fn a_record_stands_in_one_group_of_a_task() {
    let (Fixture { store, .. }, _) = &with_tasks();
    let wrong = task("t9", &["college/X"], &["college/X"], 1);
    assert!(matches!(settle(store, &[], &[wrong]), Err(Error::Conflict { .. })));
}

//! Review tasks: the queue, what is said of tasks, and who holds them.

use jiff::{SignedDuration, civil::Date};
use record::RecordVersion;
use store::{
    ActCounts, Claim, Claimed, Error, NewQuestion, Note, NoteKind, Objection, OpenTask, QuestionId,
    Seq, Settled, Shown, StatusReplacement, StatusRow, Store, Task, TaskFilter, TaskId,
    TaskReplacement, TaskState, WaitKind,
};

use crate::fixture::{Fixture, agency, at, day, handles, key, record};

pub fn shown(names: &[&str]) -> Vec<Shown> {
    names.iter().map(|name| Shown { record: key(name), version: RecordVersion(1) }).collect()
}

pub fn task(id: &str, left: &[&str], right: &[&str], risk_ppm: i64) -> OpenTask {
    OpenTask {
        id: TaskId(id.to_owned()),
        left: shown(left),
        right: shown(right),
        best_left: key(left[0]),
        best_right: key(right[0]),
        weight_millibits: risk_ppm,
        probability_ppm: risk_ppm,
        risk_ppm,
        reason: if risk_ppm > 5_000 { "band" } else { "conflict" }.to_owned(),
        etag: format!("{id} {risk_ppm} {left:?} {right:?}"),
    }
}

pub fn settle(store: &Store, touched: &[&str], open: &[OpenTask]) -> store::Result<()> {
    let mut touched: Vec<_> = touched.iter().map(|one| key(one)).collect();
    touched.sort();
    let tasks = TaskReplacement { touched, closed: Vec::new(), open: open.to_vec() };
    store.settle(Settled { tasks, ..Settled::nothing(Seq(1), at(1), "m1") })
}

/// A store with three tasks.
pub fn with_tasks() -> (Fixture, [OpenTask; 3]) {
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

const TODAY: Date = jiff::civil::date(2026, 9, 1);

fn ids(store: &Store, filter: &TaskFilter) -> Vec<String> {
    let listed: Vec<String> =
        store.tasks(filter, None, 99).unwrap().into_iter().map(|task| task.open.id.0).collect();
    assert_eq!(store.task_count(filter), listed.len() as u64);
    listed
}

fn give_statuses(store: &Store, record: &str, pathways: &[&str]) {
    let row = |pathway: &&str| StatusRow {
        record: key(record),
        pathway: (*pathway).to_owned(),
        label: "participant".to_owned(),
        awaits: false,
        payload: Vec::new(),
    };
    let rows = pathways.iter().map(row).collect();
    let statuses = StatusReplacement { touched: vec![key(record)], rows };
    store.settle(Settled { statuses, ..Settled::nothing(Seq(1), at(1), "m1") }).unwrap();
}

fn note(task: &OpenTask, kind: NoteKind, author: &str, second: i64) -> Note {
    Note {
        task: task.id.clone(),
        etag: task.etag.clone(),
        kind,
        author: author.to_owned(),
        reason: "papers".to_owned(),
        until: (kind == NoteKind::Defer).then(|| day("2026-10-01")),
        request_id: format!("{author} {second}"),
        at: at(second),
    }
}

fn claim(steward: &str, second: i64, which: Claimed) -> Claim {
    Claim {
        steward: steward.to_owned(),
        at: at(second),
        lease: SignedDuration::from_secs(10),
        which,
    }
}

fn next(store: &Store, steward: &str, second: i64) -> Option<String> {
    let next = Claimed::Next(TaskFilter::all(TaskState::Now, TODAY));
    let task: Option<Task> = store.claim(&claim(steward, second, next)).unwrap().unwrap();
    task.map(|task| task.open.id.0)
}

#[test]
fn tasks_are_listed_most_urgent_first_and_page_by_page() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    let open = TaskFilter::all(TaskState::Now, TODAY);
    let mut seen = Vec::new();
    let mut after = None;
    while let [task] = store.tasks(&open, after.as_ref(), 1).unwrap().as_slice() {
        after = Some(task.place());
        seen.push(task.open.clone());
    }
    assert_eq!(seen, tasks);
    assert_eq!(store.task(&tasks[0].id).unwrap().open, tasks[0]);
    let unknown = store.task(&TaskId("none".to_owned()));
    assert_eq!(unknown, Err(Error::NotFound { what: "task" }));
}

#[test]
fn what_hangs_on_a_task_makes_it_urgent() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    give_statuses(store, "workforce/G", &["HC-1", "IT-1"]);
    let open = TaskFilter::all(TaskState::Now, TODAY);
    assert_eq!(ids(store, &open), ["t3", "t1", "t2"]);
    let urgent = store.task(&tasks[2].id).unwrap();
    assert_eq!((urgent.statuses, urgent.priority), (2, 18_000));
    let of_pathway = TaskFilter { pathway: Some("IT-1".to_owned()), ..open.clone() };
    assert_eq!(ids(store, &of_pathway), ["t3"]);
    give_statuses(store, "workforce/G", &["HC-1", "HC-2"]);
    assert_eq!(ids(store, &of_pathway), [""; 0], "as many, in other pathways");
    give_statuses(store, "workforce/G", &[]);
    assert_eq!(ids(store, &open), ["t1", "t2", "t3"]);
}

#[test]
fn tasks_are_filtered_by_reason_agency_weight_and_age() {
    let (Fixture { store, .. }, _) = &with_tasks();
    settle(store, &[], &[task("t4", &["college/H"], &["college/I"], 1_000)]).unwrap();
    let open = TaskFilter::all(TaskState::Now, TODAY);
    for (filter, expected) in [
        (TaskFilter { reason: Some("conflict".to_owned()), ..open.clone() }, vec!["t4"]),
        (TaskFilter { agency: Some(agency("workforce")), ..open.clone() }, vec!["t1", "t3"]),
        (TaskFilter { weight_from: Some(6_000), ..open.clone() }, vec!["t1", "t2", "t3"]),
        (TaskFilter { weight_to: Some(6_000), ..open.clone() }, vec!["t4"]),
        (TaskFilter { opened_before: Some(at(0)), ..open.clone() }, vec![]),
        (TaskFilter { opened_before: Some(at(1)), ..open }, vec!["t1", "t2", "t3", "t4"]),
    ] {
        assert_eq!(ids(store, &filter), expected, "{filter:?}");
    }
}

#[test]
fn the_queue_is_the_same_after_reopening() {
    let (Fixture { store, path, directory: _directory }, tasks) = with_tasks();
    give_statuses(&store, "workforce/G", &["HC-1"]);
    store.add_note(&note(&tasks[0], NoteKind::Link, "ada", 1)).unwrap().unwrap();
    let open = TaskFilter::all(TaskState::Now, TODAY);
    let filters = [
        TaskFilter { pathway: Some("HC-1".to_owned()), ..open.clone() },
        TaskFilter { agency: Some(agency("workforce")), ..open.clone() },
        TaskFilter::all(TaskState::Second, TODAY),
        open,
    ];
    let listed = |store: &Store| filters.clone().map(|filter| ids(store, &filter));
    let before = listed(&store);
    assert_eq!(before.clone().map(|ids| ids.len()), [1, 2, 1, 3]);
    drop(store);
    let store = Store::open(&path, &handles()).unwrap();
    assert_eq!(listed(&store), before);
    assert_eq!(next(&store, "ada", 2).as_deref(), Some("t3"), "not what she judged");
    store.drop_derived().unwrap();
    assert_eq!(listed(&store).map(|ids| ids.len()), [0; 4]);
}

#[test]
fn no_two_stewards_hold_one_task() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    assert_eq!(next(store, "ada", 1).as_deref(), Some("t1"));
    assert_eq!(next(store, "grace", 1).as_deref(), Some("t2"));
    assert_eq!(next(store, "ada", 2).as_deref(), Some("t1"), "what she holds already");
    let other = store.claim(&claim("grace", 2, Claimed::Task(tasks[0].id.clone()))).unwrap();
    assert_eq!(other, Err(Objection::Held { by: "ada".to_owned(), until: at(12) }));
    let said = store.add_note(&note(&tasks[0], NoteKind::Escalate, "grace", 2)).unwrap();
    assert!(matches!(said, Err(Objection::Held { .. })));
    // Giving back what another holds changes nothing; a lease that is over binds nobody.
    store.release_task(&tasks[0].id, "grace", None).unwrap();
    let taken = |second| {
        store.claim(&claim("grace", second, Claimed::Task(tasks[0].id.clone()))).unwrap().is_ok()
    };
    assert!(!taken(11));
    assert!(taken(12));
}

#[test]
fn a_skipped_task_is_not_given_again_on_that_day() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    assert_eq!(next(store, "ada", 1).as_deref(), Some("t1"));
    store.release_task(&tasks[0].id, "ada", Some(TODAY)).unwrap();
    assert_eq!(next(store, "ada", 1).as_deref(), Some("t2"));
    assert_eq!(next(store, "grace", 1).as_deref(), Some("t1"));
    store.release_task(&tasks[1].id, "ada", None).unwrap();
    store.release_task(&tasks[0].id, "grace", None).unwrap();
    let tomorrow = Claimed::Next(TaskFilter::all(TaskState::Now, TODAY.tomorrow().unwrap()));
    let task = store.claim(&claim("ada", 1, tomorrow)).unwrap().unwrap().unwrap();
    assert_eq!(task.open.id.0, "t1");
}

#[test]
fn a_deferred_task_comes_back_on_its_day() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    store.add_note(&note(&tasks[0], NoteKind::Defer, "ada", 1)).unwrap().unwrap();
    let (eve, due) = (day("2026-09-30"), day("2026-10-01"));
    let deferred = TaskState::Waiting(WaitKind::Deferred);
    assert_eq!(ids(store, &TaskFilter::all(TaskState::Now, eve)), ["t2", "t3"]);
    assert_eq!(ids(store, &TaskFilter::all(deferred, eve)), ["t1"]);
    assert_eq!(ids(store, &TaskFilter::all(TaskState::Now, due)), ["t1", "t2", "t3"]);
    let open = store.open_tasks(eve, at(2));
    let counts: Vec<_> =
        open.iter().map(|it| (it.reason.as_str(), it.waits, it.by_age[0])).collect();
    let waits = Some(WaitKind::Deferred);
    assert_eq!(counts, [("band", waits, 1), ("band", None, 2)]);
    assert_eq!(store.tasks_to_settle(eve), 2);
}

#[test]
fn what_is_said_follows_the_two_records() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    store.add_note(&note(&tasks[0], NoteKind::Defer, "ada", 1)).unwrap().unwrap();
    let eve = day("2026-09-30");
    let deferred = TaskFilter::all(TaskState::Waiting(WaitKind::Deferred), eve);
    // Another record joins, the other group has become the left one, and another pair is the best.
    let followed = task("t9", &["workforce/C", "workforce/Z"], &["college/A", "college/X"], 8_000);
    settle(store, &["college/A", "workforce/Z"], std::slice::from_ref(&followed)).unwrap();
    assert_eq!(ids(store, &deferred), ["t9"]);
    assert_eq!(store.task_that_follows(&tasks[0].id).unwrap(), Some(followed.id));
    // The pair is of one group: nothing is left of the question.
    settle(store, &["college/A"], &[task("t8", &["college/A", "workforce/C"], &["college/X"], 9)])
        .unwrap();
    assert_eq!(ids(store, &deferred), [""; 0]);
    assert_eq!(store.task_that_follows(&tasks[0].id).unwrap(), None);
}

#[test]
fn two_verdicts_that_differ_escalate_and_one_waits_for_another_steward() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    let say = |kind, author, second| {
        store.add_note(&note(&tasks[0], kind, author, second)).unwrap().unwrap()
    };
    assert_eq!(say(NoteKind::Link, "ada", 1).first_author.as_deref(), Some("ada"));
    assert_eq!(ids(store, &TaskFilter::all(TaskState::Second, TODAY)), ["t1"]);
    assert_eq!(ids(store, &TaskFilter::all(TaskState::Open, TODAY)), ["t2", "t3"]);
    assert_eq!(next(store, "ada", 2).as_deref(), Some("t2"), "not what she judged");
    assert_eq!(next(store, "grace", 2).as_deref(), Some("t1"));
    let disputed = say(NoteKind::Separate, "grace", 3);
    assert_eq!(disputed.waits.map(|waits| waits.kind), Some(WaitKind::Escalated));
    let escalated = TaskState::Waiting(WaitKind::Escalated);
    assert_eq!(ids(store, &TaskFilter::all(escalated, TODAY)), ["t1"]);
    let is_disputed =
        |kind, author, second| store.is_disputed(&note(&tasks[0], kind, author, second));
    assert!(!is_disputed(NoteKind::Link, "ada", 1).unwrap());
    assert!(is_disputed(NoteKind::Separate, "grace", 3).unwrap());
    assert_eq!(store.verdict_pairs().unwrap().len(), 1);
    // A verdict on other groups than these says nothing of them; passing on does.
    let grown = OpenTask { etag: "other".to_owned(), ..tasks[0].clone() };
    settle(store, &["college/A"], std::slice::from_ref(&grown)).unwrap();
    assert_eq!(ids(store, &TaskFilter::all(TaskState::Open, TODAY)), ["t1", "t2", "t3"]);
}

#[test]
fn what_stewards_did_is_counted_and_a_verdict_once_it_is_a_decision() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    let none = ActCounts { link: 0, separate: 0, defer: 0, escalate: 0, ask: 0 };
    assert_eq!(store.act_counts().unwrap(), none);
    for (task, kind, author, second) in [
        (&tasks[0], NoteKind::Link, "ada", 1),
        (&tasks[1], NoteKind::Defer, "ada", 2),
        (&tasks[1], NoteKind::Defer, "grace", 3),
        (&tasks[2], NoteKind::Escalate, "ada", 4),
    ] {
        store.add_note(&note(task, kind, author, second)).unwrap().unwrap();
    }
    let question = NewQuestion {
        id: QuestionId("q1".to_owned()),
        task: tasks[0].id.clone(),
        etag: tasks[0].etag.clone(),
        record: tasks[0].best_left.clone(),
        fields: vec!["ssn".to_owned()],
        author: "grace".to_owned(),
        request_id: "q1".to_owned(),
        waits_until: TODAY,
        not_put_since: day("2025-09-01"),
        at: at(5),
    };
    store.ask(&question).unwrap().unwrap();
    assert_eq!(store.act_counts().unwrap(), ActCounts { defer: 2, escalate: 1, ask: 1, ..none });
}

#[test]
fn nothing_is_said_of_a_task_that_changed_and_nothing_twice() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    let stale = Note { etag: "other".to_owned(), ..note(&tasks[0], NoteKind::Escalate, "ada", 1) };
    assert_eq!(store.add_note(&stale).unwrap(), Err(Objection::Changed));
    let said = note(&tasks[0], NoteKind::Escalate, "ada", 1);
    store.add_note(&said).unwrap().unwrap();
    assert_eq!(store.note_by_request("ada", "ada 1").unwrap(), Some(said.clone()));
    assert_eq!(store.note_by_request("grace", "ada 1").unwrap(), None);
    assert_eq!(store.notes_of(&tasks[0]).unwrap(), [said]);
}

#[test]
fn tasks_that_touch_a_settled_record_are_replaced_and_keep_their_age() {
    let (Fixture { store, .. }, tasks) = &with_tasks();
    let heavier = task("t2", &["college/D"], &["college/E"], 7_000);
    let touched = ["college/B", "college/E"].map(key).to_vec();
    let replacement = TaskReplacement { touched, closed: Vec::new(), open: vec![heavier.clone()] };
    store
        .settle(Settled { tasks: replacement, ..Settled::nothing(Seq(1), at(500), "m1") })
        .unwrap();
    assert_eq!(ids(store, &TaskFilter::all(TaskState::Now, TODAY)), ["t2", "t3"]);
    let replaced = store.task(&heavier.id).unwrap();
    assert_eq!((replaced.open, replaced.opened_at), (heavier, at(1)));
    let closed = vec![tasks[2].id.clone()];
    let replacement = TaskReplacement { closed, ..TaskReplacement::default() };
    store.settle(Settled { tasks: replacement, ..Settled::nothing(Seq(1), at(1), "m1") }).unwrap();
    assert_eq!(ids(store, &TaskFilter::all(TaskState::Now, TODAY)), ["t2"]);
}

#[test]
fn a_record_stands_in_one_group_of_a_task() {
    let (Fixture { store, .. }, _) = &with_tasks();
    let wrong = task("t9", &["college/X"], &["college/X"], 1);
    assert!(matches!(settle(store, &[], &[wrong]), Err(Error::Conflict { .. })));
}

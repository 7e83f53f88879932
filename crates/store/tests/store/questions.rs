//! Questions to agencies: asked about tasks, put in rounds, answered.

use jiff::civil::Date;
use store::{
    Answer, DrawnQuestion, Error, NewQuestion, NotAsked, Objection, QuestionId, QuestionRound,
    Store, TaskId, WaitKind,
};

use crate::{
    fixture::{Fixture, agency, at, day, key, local_id, record},
    tasks::{settle, task},
};

const PUT: Date = jiff::civil::date(2026, 9, 7);

fn id(name: &str) -> QuestionId {
    QuestionId(name.to_owned())
}

/// A question of ada about college/A.
fn question(name: &str, store: &Store) -> NewQuestion {
    NewQuestion {
        id: id(name),
        task: TaskId("t1".to_owned()),
        etag: store.task(&TaskId("t1".to_owned())).unwrap().open.etag,
        record: key("college/A"),
        fields: vec!["ssn".to_owned()],
        author: "ada".to_owned(),
        request_id: name.to_owned(),
        waits_until: day("2026-10-07"),
        not_put_since: day("2025-09-01"),
        at: at(5),
    }
}

/// A store with a task and a sampled pair about the same two records.
fn with_tasks() -> Fixture {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("A", 1, "x")]);
    let [asked, audit] = ["t1", "t2"].map(|id| task(id, &["college/A"], &["workforce/B"], 9_000));
    settle(&fixture.store, &[], &[asked, audit]).unwrap();
    fixture
}

fn put(store: &Store, day: Date, asked: &[&str], drawn: &[(&str, &str)]) {
    let drawn = drawn.iter().map(|(name, of)| DrawnQuestion {
        id: id(name),
        local_id: local_id(of),
        fields: vec!["zip".to_owned(), "city".to_owned()],
    });
    let round = QuestionRound {
        agency: agency("college"),
        day,
        until: jiff::civil::date(2026, 10, 7),
        asked: asked.iter().map(|name| id(name)).collect(),
        drawn: drawn.collect(),
        at: at(10),
    };
    store.hold_round(&round).unwrap();
}

/// What each of the two tasks waits for.
fn waits(store: &Store) -> [Option<WaitKind>; 2] {
    ["t1", "t2"].map(|id| {
        let task = store.task(&TaskId(id.to_owned())).unwrap();
        task.waits.map(|waits| waits.kind)
    })
}

#[test]
fn every_task_about_two_records_waits_for_an_answer_about_one_of_them() {
    let Fixture { store, .. } = &with_tasks();
    store.ask(&question("q1", store)).unwrap().unwrap();
    assert_eq!(waits(store), [Some(WaitKind::Asked); 2]);
    let unknown = store.answer(&agency("college"), &id("q1"), Answer::Confirmed, at(6));
    assert!(matches!(unknown, Err(Error::NotFound { .. })), "it was not put yet");
    put(store, PUT, &["q1"], &[]);
    for (who, answer) in [("workforce", Answer::Confirmed), ("college", Answer::Corrected)] {
        let refused = store.answer(&agency(who), &id("q1"), answer, at(11));
        assert!(matches!(refused, Err(Error::NotFound { .. } | Error::Conflict { .. })), "{who}");
    }
    let answered = store.answer(&agency("college"), &id("q1"), Answer::Unknown, at(12)).unwrap();
    assert_eq!(answered.answer, Some((Answer::Unknown, at(12))));
    assert_eq!(waits(store), [None; 2]);
    let other = store.answer(&agency("college"), &id("q1"), Answer::Confirmed, at(13));
    assert!(matches!(other, Err(Error::AlreadyExists { .. })));
}

#[test]
fn a_record_is_asked_about_once_in_a_while() {
    let Fixture { store, .. } = &with_tasks();
    let stale = NewQuestion { etag: "other".to_owned(), ..question("q0", store) };
    assert_eq!(store.ask(&stale).unwrap(), Err(NotAsked::Objection(Objection::Changed)));
    put(store, PUT, &[], &[("r1", "A"), ("r2", "C")]);
    assert_eq!(store.ask(&question("q1", store)).unwrap(), Err(NotAsked::AskedBefore));
    let later = NewQuestion { not_put_since: PUT, ..question("q1", store) };
    store.ask(&later).unwrap().unwrap();
    let again = NewQuestion { not_put_since: PUT, ..question("q2", store) };
    assert_eq!(store.ask(&again).unwrap(), Err(NotAsked::AskedBefore), "it waits already");
    let waiting = store.questions_waiting(&agency("college")).unwrap();
    assert_eq!(waiting.iter().map(|it| it.id.0.as_str()).collect::<Vec<_>>(), ["q1"]);
}

#[test]
fn a_round_is_held_once_and_listed_by_day_with_the_unanswered_first() {
    let Fixture { store, .. } = &with_tasks();
    put(store, PUT, &[], &[("r2", "C"), ("r1", "D")]);
    put(store, PUT, &[], &[("r3", "E")]);
    put(store, PUT.tomorrow().unwrap(), &[], &[("r0", "F")]);
    store.answer(&agency("college"), &id("r1"), Answer::Confirmed, at(20)).unwrap();
    let list = |today: &str, closed, limit| -> Vec<String> {
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let page = store
                .questions_to(&agency("college"), day(today), closed, after.as_ref(), limit)
                .unwrap();
            after = page.last().map(|last| last.place(day(today)));
            listed.extend(page.iter().map(|question| question.id.0.clone()));
            if page.len() < limit {
                return listed;
            }
        }
    };
    for limit in [1, 2, 99] {
        assert_eq!(list("2026-09-08", false, limit), ["r2", "r0"]);
        assert_eq!(list("2026-09-08", true, limit), ["r2", "r0", "r1"]);
        assert_eq!(list("2026-10-08", true, limit), ["r1", "r2", "r0"]);
        assert_eq!(list("2026-10-08", false, limit), [""; 0]);
    }
    assert!(store.round_is_held(&agency("college"), PUT).unwrap());
    assert!(!store.round_is_held(&agency("workforce"), PUT).unwrap());
}

//! The audit log: what is in it, and what the proof over it notices.

use rusqlite::Connection;
use serde_json::json;
use store::{Action, Actor, AuditFilter, Error, NewAuditEntry, Principal, SubmissionKind};

use crate::fixture::{Fixture, at, delta, event, key, operator, record};

/// A store with facts of several kinds.
fn filled() -> Fixture {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("A1", 1, "one"), record("A2", 1, "two")]);
    let events = [event("A1", "E1", "enrolled")];
    fixture.send(&delta("s2", SubmissionKind::Events), &events);
    fixture
}

fn read(about: &str) -> NewAuditEntry {
    let college = Actor::from(&Principal::Agency("college".parse().unwrap()));
    NewAuditEntry::new(at(5), college, Action::StatusesTold)
        .detail(json!({ "as_of": "2026-09-01" }))
        .records(vec![key(about)])
}

#[test]
fn what_is_done_is_in_the_log_with_who_did_it() {
    let fixture = filled();
    let store = &fixture.store;
    store.audit(read("college/A1")).unwrap();
    let entries = store.audit_entries(&AuditFilter::default(), None, 100).unwrap();
    let told: Vec<String> = entries
        .iter()
        .rev()
        .map(|it| format!("{} {} {} {}", it.number, it.actor.role, it.actor.name, it.action))
        .collect();
    assert_eq!(
        told,
        [
            "1 operator ada agency_added",
            "2 operator ada agency_added",
            "3 agency college submission_accepted",
            "4 agency college submission_accepted",
            "5 agency college statuses_told",
        ]
    );
    let (last, records) = store.audit_entry(5).unwrap();
    assert_eq!((last.detail.as_str(), last.records), ("{\"as_of\":\"2026-09-01\"}", 1));
    assert_eq!(records[0].record, Some(key("college/A1")));
    assert_eq!(store.audit_entry(6).err(), Some(Error::NotFound { what: "audit entry" }));
}

#[test]
fn the_log_is_filtered_by_caller_action_record_and_time_and_comes_in_pages() {
    let fixture = filled();
    let store = &fixture.store;
    for about in ["college/A1", "college/A2", "college/A1"] {
        store.audit(read(about)).unwrap();
    }
    let numbers = |filter: &AuditFilter, before, limit| -> Vec<u64> {
        let entries = store.audit_entries(filter, before, limit).unwrap();
        entries.iter().map(|entry| entry.number).collect()
    };
    let filter = AuditFilter::default;
    assert_eq!(numbers(&filter(), None, 3), [7, 6, 5]);
    assert_eq!(numbers(&filter(), Some(5), 3), [4, 3, 2]);
    let of = |record: &str| AuditFilter { record: Some(key(record)), ..filter() };
    assert_eq!(numbers(&of("college/A1"), None, 9), [7, 5]);
    assert_eq!(numbers(&of("college/A1"), Some(7), 9), [5]);
    assert_eq!(numbers(&of("workforce/A1"), None, 9), [0; 0]);
    let by = |role: &str| AuditFilter { role: Some(role.to_owned()), ..filter() };
    assert_eq!(numbers(&by("operator"), None, 9), [2, 1]);
    let action = AuditFilter { action: Some(Action::SubmissionAccepted), ..filter() };
    assert_eq!(numbers(&action, None, 9), [4, 3]);
    let early = AuditFilter { until: Some(at(1)), ..filter() };
    assert_eq!(numbers(&early, None, 9), [2, 1]);
    let late = AuditFilter { since: Some(at(5)), ..filter() };
    assert_eq!(numbers(&late, None, 9), [7, 6, 5]);
}

#[test]
fn a_clock_that_is_set_back_does_not_turn_the_log_around() {
    let fixture = filled();
    let store = &fixture.store;
    store.audit(NewAuditEntry { at: at(100), ..read("college/A1") }).unwrap();
    store.audit(read("college/A1")).unwrap();
    let entries = store.audit_entries(&AuditFilter::default(), None, 2).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.at).collect::<Vec<_>>(), [at(100), at(100)]);
}

#[test]
fn all_that_was_written_holds_against_the_log() {
    let fixture = filled();
    let store = &fixture.store;
    store.audit(read("college/A1")).unwrap();
    let verified = store.verify().unwrap();
    assert_eq!(verified.findings, Vec::<String>::new());
    assert_eq!((verified.entries, verified.facts, verified.resealed), (5, 2, 0));
    let last = &store.audit_entries(&AuditFilter::default(), None, 1).unwrap()[0];
    assert_eq!(verified.head, last.digest);
}

/// What somebody who can write to the file does behind the service's back, and what is found then.
const FORGERIES: [(&str, &str); 9] = [
    ("UPDATE fact_audit SET name = 'grace' WHERE number = 2", "audit entry 2 was changed"),
    ("UPDATE fact_audit SET detail = '{}' WHERE number = 5", "audit entry 5 was changed"),
    ("UPDATE fact_audit SET at = at + 1 WHERE number = 1", "audit entry 1 was changed"),
    ("DELETE FROM fact_audit_record WHERE entry = 5", "audit entry 5 was changed"),
    (
        "DELETE FROM fact_audit_record WHERE entry = 5; DELETE FROM fact_audit WHERE number = 5;
         UPDATE fact_audit SET number = 5 WHERE number = 6",
        "audit entry 5 was changed",
    ),
    ("DELETE FROM fact_audit WHERE number = 4", "audit entries 4 to 4 are missing"),
    ("UPDATE fact_submission_row SET payload = x'00' WHERE place = 1 << 32", "fact 1 was changed"),
    (
        "UPDATE fact_submission_row SET version = 9 WHERE place = (1 << 32) + 1",
        "fact 1 was changed",
    ),
    ("DELETE FROM fact_submission_row WHERE place = 2 << 32", "fact 2 was changed"),
];

#[test]
fn what_is_forged_in_the_file_is_found() {
    for (forgery, found) in FORGERIES {
        let fixture = filled();
        fixture.store.audit(read("college/A1")).unwrap();
        fixture.store.audit(read("college/A2")).unwrap();
        let Fixture { store, path, directory } = fixture;
        drop(store);
        let db = Connection::open(&path).unwrap();
        db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        let mut query =
            db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").unwrap();
        let triggers: Vec<String> =
            query.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect();
        drop(query);
        for trigger in triggers {
            db.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        db.execute_batch(forgery).unwrap();
        drop(db);
        let store = store::Store::open(&path, &crate::fixture::handles()).unwrap();
        let findings = store.verify().unwrap().findings;
        assert!(findings.iter().any(|it| it == found), "{forgery}\n{findings:?}");
        drop(directory);
    }
}

#[test]
fn an_entry_names_who_administers() {
    let fixture = filled();
    let store = &fixture.store;
    let (first, _) = store.audit_entry(1).unwrap();
    assert_eq!((first.actor, first.subject.as_str()), (operator(), "college"));
}

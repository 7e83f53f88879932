//! Opening, closing, and what the database itself refuses.

use rusqlite::Connection;
use store::{Error, Records, Seq, Store, SubmissionKind};

use crate::fixture::{Fixture, delta, handles, record};

#[test]
fn what_was_acknowledged_is_there_after_reopening() {
    let fixture = Fixture::new();
    let rows = [record("A1", 1, "one"), record("A2", 1, "two")];
    fixture.send_records("s1", &rows);
    let open = delta("s2", SubmissionKind::Records);
    fixture.store.create_submission(&open).unwrap();
    fixture.store.append(&open.id, 0, vec![record("A3", 1, "three")]).unwrap();

    let Fixture { store, path, directory } = fixture;
    drop(store);
    let store = Store::open(&path, &handles()).unwrap();
    let fixture = Fixture { store, path, directory };
    assert_eq!(fixture.records(Records::PresentAt(Seq(1))).len(), 2);
    assert_eq!(fixture.store.submission(&open.id).unwrap().committed_offset, 1);
    let again = fixture.store.append(&open.id, 1, vec![record("A3", 2, "x")]).unwrap();
    assert_eq!(again.rejections.len(), 1, "the keys of an open submission are read again");
    assert_eq!(fixture.store.integrity_check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_second_opening_is_refused_until_the_first_is_closed() {
    let fixture = Fixture::new();
    let locked = Store::open(&fixture.path, &handles()).err();
    assert_eq!(locked, Some(Error::Locked { path: fixture.path.clone() }));
    let clone = fixture.store.clone();
    drop(fixture.store);
    assert!(Store::open(&fixture.path, &handles()).is_err(), "a clone keeps it open");
    drop(clone);
    assert!(Store::open(&fixture.path, &handles()).is_ok());
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("notes.txt");
    std::fs::write(&path, "x".repeat(10_000)).unwrap();
    assert!(matches!(Store::open(&path, &handles()).err(), Some(Error::Corrupt(_))));
    let missing = directory.path().join("no/such/directory.db");
    assert!(matches!(Store::open(&missing, &handles()).err(), Some(Error::Io { .. })));
}

#[test]
fn facts_refuse_change_and_removal() {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("A1", 1, "one")]);
    let db = Connection::open(&fixture.path).unwrap();
    for statement in [
        "UPDATE fact_log SET at = 0",
        "DELETE FROM fact_log",
        "UPDATE fact_agency SET title = 'x'",
        "UPDATE fact_record_version SET version = 2",
        "DELETE FROM fact_record_version",
        "UPDATE fact_submission SET state = 'open'",
        "UPDATE fact_submission SET committed_offset = 9",
        "DELETE FROM fact_submission",
        "UPDATE fact_submission_row SET payload = NULL",
        "DELETE FROM fact_submission_row",
        "PRAGMA recursive_triggers = ON; REPLACE INTO fact_agency VALUES
         ('college', 'x', zeroblob(32), 0)",
    ] {
        let refused = db.execute_batch(statement).unwrap_err().to_string();
        assert!(refused.contains("append-only") || refused.contains("forward"), "{statement}");
    }
    assert_eq!(fixture.records(Records::PresentAt(Seq(1))), ["college/A1@1=one"]);
}

#[test]
fn the_integrity_check_finds_a_changed_digest() {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("A1", 1, "one")]);
    let db = Connection::open(&fixture.path).unwrap();
    db.execute_batch(
        "DROP TRIGGER fact_submission_row_is_not_changed;
         UPDATE fact_submission_row SET digest = randomblob(32), payload = NULL;",
    )
    .unwrap();
    let findings = fixture.store.integrity_check().unwrap();
    assert_eq!(
        findings,
        ["1 accepted records have no payload", "the rows of submission s1 do not give its digest"]
    );
}

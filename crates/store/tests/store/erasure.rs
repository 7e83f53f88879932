//! Erasures: what an agency withdraws is gone for good, and the proof over the rest still holds.

use record::{LocalId, ParticipantId};
use store::{
    Actor, Assignment, ChangeCause, Erasure, ErasureId, Error, FactKind, MembershipCause,
    NewChange, NewErasure, Principal, Purge, Records, Seq, Settled, Store, SubmissionKind,
    Withdrawn,
};

use crate::fixture::{
    Fixture, agency, at, delta, event, handles, key, local_id, operator, record, seal, snapshot,
};

/// Two records of the college with events, one of the workforce board, all settled as one participant
/// and told in the feed.
fn filled() -> Fixture {
    let fixture = Fixture::new();
    let rows = [record("SECRET-1", 1, "encoding-1"), record("SECRET-2", 1, "encoding-2")];
    fixture.send_records("s1", &rows);
    let events = [event("SECRET-1", "EVENT-1", "enrolled-1"), event("SECRET-2", "EVENT-2", "e-2")];
    fixture.send(&delta("s2", SubmissionKind::Events), &events);
    let board = store::NewSubmission {
        agency: agency("workforce"),
        ..delta("s3", SubmissionKind::Records)
    };
    fixture.send(&board, &[record("W1", 1, "encoding-w")]);
    let store = &fixture.store;
    let settled = Settled::nothing(store.last_seq().unwrap(), at(3), "m");
    let members = ["college/SECRET-1", "college/SECRET-2", "workforce/W1"];
    let memberships = members.map(|record| Assignment {
        record: key(record),
        participant: Some(ParticipantId(1)),
        cause: MembershipCause::New,
    });
    let changes = members.map(|record| NewChange {
        record: key(record),
        pathway: "HC".to_owned(),
        cause: ChangeCause::Event,
        payload: format!("status of {record}").into_bytes(),
    });
    let (memberships, changes) = (memberships.to_vec(), changes.to_vec());
    store.settle(Settled { memberships, changes, ..settled }).unwrap();
    fixture
}

fn college() -> Actor {
    Actor::from(&Principal::Agency(agency("college")))
}

fn withdrawal(id: &str, what: Withdrawn) -> NewErasure {
    NewErasure {
        id: ErasureId(id.to_owned()),
        agency: agency("college"),
        what,
        author: college(),
        reason: "left the exchange".to_owned(),
        request_id: format!("request of {id}"),
        at: at(4),
    }
}

fn some(ids: &[&str]) -> Withdrawn {
    Withdrawn::Records(ids.iter().map(|id| local_id(id)).collect())
}

/// What the engine does with an erasure.
fn take_in(store: &Store, erasure: &Erasure) {
    let gone = store.withdrawals_of(erasure.seq).unwrap();
    let gone = gone.into_iter().map(|record| Assignment {
        record,
        participant: None,
        cause: MembershipCause::Withdrawal,
    });
    let settled = Settled::nothing(erasure.seq, at(5), "m");
    store.settle(Settled { memberships: gone.collect(), ..settled }).unwrap();
    store.forget_names(erasure.seq).unwrap();
}

/// Whether any file of the database has these bytes.
fn is_stored(fixture: &Fixture, bytes: &str) -> bool {
    std::fs::read_dir(fixture.directory.path()).unwrap().any(|file| {
        let stored = std::fs::read(file.unwrap().path()).unwrap();
        stored.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    })
}

fn assert_holds(store: &Store) {
    let verified = store.verify().unwrap();
    assert_eq!(verified.findings, Vec::<String>::new());
}

#[test]
fn an_erased_record_is_gone_from_every_file_and_the_rest_holds() {
    let mut fixture = filled();
    assert!(is_stored(&fixture, "encoding-1"));
    let erasure = fixture.store.erase(&withdrawal("W-1", some(&["SECRET-1"]))).unwrap();
    assert_eq!((erasure.records, erasure.events), (1, 1));
    assert_holds(&fixture.store);
    assert_eq!(fixture.store.facts_after(Seq(3), 9).unwrap()[0].kind, FactKind::Withdrawal);
    assert_eq!(
        fixture.records(Records::PresentAt(erasure.seq)),
        ["college/SECRET-2@1=encoding-2", "workforce/W1@1=encoding-w"]
    );
    take_in(&fixture.store, &erasure);
    assert_holds(&fixture.store);
    assert_eq!(fixture.store.erasures_to_forget(Seq(u64::MAX)).unwrap(), []);
    // Closing empties the write-ahead log.
    let Fixture { store, path, directory } = fixture;
    drop(store);
    let store = Store::open(&path, &handles()).unwrap();
    fixture = Fixture { store, path, directory };
    for erased in ["SECRET-1", "encoding-1", "EVENT-1", "enrolled-1"] {
        assert!(!is_stored(&fixture, erased), "{erased}");
    }
    for kept in ["SECRET-2", "encoding-2", "EVENT-2"] {
        assert!(is_stored(&fixture, kept), "{kept}");
    }
    let verified = fixture.store.verify().unwrap();
    assert_eq!(verified.findings, Vec::<String>::new());
    assert_eq!((verified.facts, verified.resealed, verified.erased_changes), (4, 2, 1));
}

#[test]
fn history_keeps_a_tombstone_and_the_feed_goes_on() {
    let fixture = filled();
    let store = &fixture.store;
    let erasure = store.erase(&withdrawal("W-1", some(&["SECRET-1"]))).unwrap();
    take_in(store, &erasure);
    let tombstone = handles().of(&key("college/SECRET-1")).tombstone();
    let history = store.membership_history(ParticipantId(1)).unwrap();
    let named = |id: &LocalId| history.iter().filter(|it| it.record.local_id == *id).count();
    assert_eq!((named(&tombstone), named(&local_id("SECRET-1"))), (2, 0));
    let members = store.members_of(ParticipantId(1), Some(Seq(3))).unwrap();
    assert_eq!(members.iter().filter(|it| it.local_id.is_tombstone()).count(), 1);
    let changes = store.changes(&agency("college"), 0, 9).unwrap();
    assert_eq!(changes.iter().map(|it| it.place.number).collect::<Vec<_>>(), [2]);
    assert!(store.feed_place(&agency("college"), 1).unwrap().is_some(), "its cursor is still good");
    let about = store::AuditFilter { record: Some(key("college/SECRET-1")), ..Default::default() };
    let entries = store.audit_entries(&about, None, 9).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(store.audit_entry(entries[0].number).unwrap().1[0].record, None);
}

#[test]
fn all_of_an_agency_is_erased_at_once_with_its_open_submissions() {
    let fixture = filled();
    let store = &fixture.store;
    let open = delta("s4", SubmissionKind::Records);
    store.create_submission(&open).unwrap();
    store.append(&open.id, 0, vec![record("SECRET-3", 1, "three")]).unwrap();
    fixture.send(&delta("s5", SubmissionKind::Events), &[event("SECRET-9", "EVENT-9", "waits")]);
    let erasure = store.erase(&withdrawal("W-1", Withdrawn::All)).unwrap();
    assert_eq!((erasure.records, erasure.events), (3, 3));
    take_in(store, &erasure);
    assert_holds(store);
    assert_eq!(fixture.records(Records::PresentAt(erasure.seq)), ["workforce/W1@1=encoding-w"]);
    assert_eq!(store.event_count().unwrap(), 0);
    assert_eq!(store.submission(&open.id).unwrap().state, store::SubmissionState::Abandoned);
}

#[test]
fn the_same_request_again_is_the_same_erasure() {
    let fixture = filled();
    let store = &fixture.store;
    let first = store.erase(&withdrawal("W-1", some(&["SECRET-1"]))).unwrap();
    let again =
        NewErasure { id: ErasureId("W-2".to_owned()), ..withdrawal("W-1", some(&["SECRET-1"])) };
    assert_eq!(store.erase(&again), Ok(first));
    let other = NewErasure { what: Withdrawn::All, ..again };
    assert!(matches!(store.erase(&other), Err(Error::Conflict { .. })));
    let nobody = NewErasure { agency: agency("nobody"), ..withdrawal("W-3", Withdrawn::All) };
    assert_eq!(store.erase(&nobody), Err(Error::NotFound { what: "agency" }));
}

#[test]
fn unknown_records_are_left_out() {
    let fixture = filled();
    let store = &fixture.store;
    let erasure = store.erase(&withdrawal("W-1", some(&["NOBODY", "SECRET-1"]))).unwrap();
    assert_eq!(erasure.records, 1);
    let again = store.erase(&withdrawal("W-2", some(&["SECRET-1"]))).unwrap();
    assert_eq!((again.records, again.events), (0, 0));
}

#[test]
fn what_is_sent_after_an_erasure_is_a_new_record() {
    let fixture = filled();
    let erasure = fixture.store.erase(&withdrawal("W-1", some(&["SECRET-1"]))).unwrap();
    // The engine has not taken the erasure in yet.
    fixture.send_records("s4", &[record("SECRET-1", 1, "encoding-new")]);
    take_in(&fixture.store, &erasure);
    assert_holds(&fixture.store);
    let present = fixture.records(Records::PresentAt(Seq(u64::MAX >> 1)));
    assert!(present.contains(&"college/SECRET-1@1=encoding-new".to_owned()), "{present:?}");
    let next = fixture.store.erase(&withdrawal("W-2", some(&["SECRET-1"]))).unwrap();
    take_in(&fixture.store, &next);
    assert_holds(&fixture.store);
}

#[test]
fn a_row_that_equaled_an_erased_one_is_refused_when_it_is_sealed() {
    let fixture = filled();
    let rows = [record("SECRET-1", 1, "encoding-1"), record("SECRET-2", 1, "encoding-2")];
    let open = delta("s4", SubmissionKind::Records);
    fixture.store.create_submission(&open).unwrap();
    fixture.store.append(&open.id, 0, rows.to_vec()).unwrap();
    let erasure = fixture.store.erase(&withdrawal("W-1", some(&["SECRET-1"]))).unwrap();
    let receipt = fixture.store.finalize(&open.id, &seal(&rows)).unwrap();
    assert_eq!((receipt.accepted, receipt.unchanged, receipt.rejected), (0, 1, 1));
    take_in(&fixture.store, &erasure);
    assert_holds(&fixture.store);
}

#[test]
fn what_a_snapshot_withdrew_is_kept_until_it_is_purged() {
    let mut fixture = filled();
    fixture.send(&snapshot("s4"), &[record("SECRET-2", 1, "encoding-2")]);
    let seq = fixture.store.last_seq().unwrap();
    let gone = Assignment {
        record: key("college/SECRET-1"),
        participant: None,
        cause: MembershipCause::Withdrawal,
    };
    let settled = Settled::nothing(seq, at(5), "m");
    fixture.store.settle(Settled { memberships: vec![gone], ..settled }).unwrap();
    let purge = |before, dry_run| Purge {
        agency: None,
        before: at(before),
        dry_run,
        author: operator(),
        at: at(60),
    };
    assert_eq!(fixture.store.purge(&purge(1, false)).unwrap(), [], "withdrawn later than that");
    let would = fixture.store.purge(&purge(50, true)).unwrap();
    assert_eq!((would[0].records.len(), would[0].events), (1, 1));
    assert!(is_stored(&fixture, "encoding-1"));
    assert_eq!(fixture.store.purge(&purge(50, false)).unwrap(), would);
    assert_eq!(fixture.store.purge(&purge(50, false)).unwrap(), []);
    assert_holds(&fixture.store);
    let Fixture { store, path, directory } = fixture;
    drop(store);
    let store = Store::open(&path, &handles()).unwrap();
    fixture = Fixture { store, path, directory };
    for erased in ["SECRET-1", "encoding-1", "EVENT-1", "enrolled-1"] {
        assert!(!is_stored(&fixture, erased), "{erased}");
    }
}

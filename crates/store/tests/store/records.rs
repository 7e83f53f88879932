//! Accepted records and events, snapshots and withdrawals.

use record::{RecordKey, RecordVersion};
use store::{
    Error, EventKey, NewSubmission, Receipt, Records, Seal, Seq, SubmissionKind, TakenBack,
};

use crate::fixture::{
    Fixture, agency, delta, event, key, local_id, record, seal, snapshot, taking_back,
};

#[test]
fn every_version_is_kept_and_read_in_order() {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("B", 1, "b1"), record("A", 2, "a2")]);
    let second = fixture.send_records("s2", &[record("A", 1, "a1"), record("C", 1, "c1")]);
    let workforce =
        NewSubmission { agency: agency("workforce"), ..delta("s3", SubmissionKind::Records) };
    fixture.send(&workforce, &[record("A", 1, "w1")]);

    assert_eq!(
        fixture.records(Records::PresentAt(Seq(3))),
        [
            "college/A@1=a1",
            "college/A@2=a2",
            "college/B@1=b1",
            "college/C@1=c1",
            "workforce/A@1=w1"
        ]
    );
    assert_eq!(fixture.records(Records::PresentAt(Seq(1))), ["college/A@2=a2", "college/B@1=b1"]);
    assert_eq!(fixture.records(Records::Of(second.seq)), ["college/A@1=a1", "college/C@1=c1"]);
    let store = &fixture.store;
    let a = key("college/A");
    assert_eq!(store.record_versions(&a).unwrap(), [RecordVersion(1), RecordVersion(2)]);
    assert_eq!(store.record_version(&a, RecordVersion(2)).unwrap(), Some(b"a2".to_vec()));
    assert_eq!(store.record_version(&a, RecordVersion(3)).unwrap(), None);
    assert!(store.record_exists(&a).unwrap());
    assert!(!store.record_exists(&key("workforce/B")).unwrap());
    assert_eq!(store.current_records(&agency("college")).unwrap(), 3);
}

#[test]
fn a_snapshot_withdraws_what_it_lacks_and_a_later_row_brings_it_back() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (a1, a2, b) = (record("A", 1, "a1"), record("A", 2, "a2"), record("B", 1, "b"));
    fixture.send_records("s1", &[a1, b.clone()]);
    fixture.send_records("s2", std::slice::from_ref(&a2));
    let receipt = fixture.send(&snapshot("s3"), std::slice::from_ref(&b));
    assert_eq!((receipt.accepted, receipt.unchanged, receipt.withdrawn), (0, 1, 1));
    assert_eq!(store.withdrawals_of(receipt.seq).unwrap(), [key("college/A")]);
    assert!(!store.record_exists(&key("college/A")).unwrap());
    assert_eq!(store.record_versions(&key("college/A")).unwrap(), []);
    assert_eq!(store.current_records(&agency("college")).unwrap(), 1);

    let back = fixture.send_records("s4", &[a2]);
    assert_eq!((back.accepted, back.unchanged), (1, 0));
    assert_eq!(fixture.records(Records::Of(back.seq)), ["college/A@2=a2"]);
    assert_eq!(store.record_versions(&key("college/A")).unwrap(), [RecordVersion(2)]);
    for (seq, present) in [
        (2, vec!["college/A@1=a1", "college/A@2=a2", "college/B@1=b"]),
        (3, vec!["college/B@1=b"]),
        (4, vec!["college/A@2=a2", "college/B@1=b"]),
    ] {
        assert_eq!(fixture.records(Records::PresentAt(Seq(seq))), present, "after {seq}");
    }
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_withdrawn_version_with_other_content_is_still_a_conflict() {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("A", 1, "a"), record("B", 1, "b")]);
    fixture.send(&snapshot("s2"), &[record("B", 1, "b")]);
    let receipt = fixture.send_records("s3", &[record("A", 1, "changed")]);
    assert_eq!((receipt.accepted, receipt.rejected), (0, 1));
}

#[test]
fn a_refused_row_of_a_snapshot_withdraws_nothing() {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("A", 1, "a"), record("B", 1, "b")]);
    let receipt = fixture.send(&snapshot("s2"), &[record("A", 1, "changed"), record("B", 1, "b")]);
    assert_eq!((receipt.rejected, receipt.withdrawn), (1, 0));
}

#[test]
fn a_snapshot_withdraws_only_its_own_agency_and_within_the_limit() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let workforce =
        NewSubmission { agency: agency("workforce"), ..delta("s1", SubmissionKind::Records) };
    fixture.send(&workforce, &[record("W", 1, "w")]);
    let rows: Vec<_> = (0..5).map(|n| record(&format!("A{n}"), 1, "a")).collect();
    fixture.send_records("s2", &rows);

    let new = snapshot("s3");
    store.create_submission(&new).unwrap();
    store.append(&new.id, 0, rows[..2].to_vec()).unwrap();
    let limited = |limit| Seal { withdraw_limit: Some(limit), ..seal(&rows[..2]) };
    let refused = store.finalize(&new.id, &limited(2));
    assert!(matches!(refused, Err(Error::Conflict { .. })));
    assert_eq!(store.last_seq().unwrap(), Seq(2));
    assert_eq!(store.current_records(&agency("college")).unwrap(), 5);
    assert_eq!(store.finalize(&new.id, &limited(3)).unwrap().withdrawn, 3);
    assert_eq!(store.current_records(&agency("workforce")).unwrap(), 1);
}

#[test]
fn events_are_read_by_record_as_known_at_a_fact() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let events = |id| delta(id, SubmissionKind::Events);
    let first = fixture.send(&events("s1"), &[event("A", "e2", "two"), event("B", "e1", "one")]);
    let second = fixture.send(
        &events("s2"),
        &[event("A", "e3", "three"), event("A", "e2", "two"), event("A", "e2", "again")],
    );
    assert_eq!((second.accepted, second.unchanged, second.rejected), (1, 1, 1));
    let third = fixture.send(&events("s3"), &[event("B", "e2", "stolen id")]);
    assert_eq!((third.accepted, third.rejected), (0, 1));

    let (a, b) = (key("college/A"), key("college/B"));
    let named = |record: &RecordKey| EventKey { record: record.clone(), takes_back: false };
    assert_eq!(store.event_keys_of(first.seq).unwrap(), [named(&a), named(&b)]);
    assert_eq!(store.event_keys_of(second.seq).unwrap(), [named(&a)]);
    let read = |known_at| -> Vec<String> {
        let events = store.events_of(&[b.clone(), a.clone(), a.clone()], known_at).unwrap();
        let payload = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        events
            .iter()
            .map(|one| format!("{} {} {}", one.record, one.event_id, payload(&one.payload)))
            .collect()
    };
    assert_eq!(read(None), ["college/A e2 two", "college/A e3 three", "college/B e1 one"]);
    assert_eq!(read(Some(first.seq)), ["college/A e2 two", "college/B e1 one"]);
    let waiting = |after: Option<(&str, &str)>, limit| {
        let after = after.map(|(id, event)| (local_id(id), event));
        let after = after.as_ref().map(|(id, event)| (id, *event));
        let waiting = store.waiting_events(&agency("college"), after, limit).unwrap();
        waiting.iter().map(|it| format!("{} {}", it.record, it.event_id)).collect::<Vec<_>>()
    };
    assert_eq!(store.waiting_event_count().unwrap(), 3);
    assert_eq!(waiting(None, 2), ["college/A e2", "college/A e3"]);
    assert_eq!(waiting(Some(("A", "e3")), 2), ["college/B e1"]);
    fixture.send_records("s4", &[record("A", 1, "a")]);
    assert_eq!(store.waiting_event_count().unwrap(), 1);
    assert_eq!(waiting(None, 2), ["college/B e1"]);
    assert_eq!(store.waiting_events(&agency("workforce"), None, 2).unwrap().len(), 0);
}

#[test]
fn an_event_may_take_back_one_that_was_reported_of_another_record() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let send = |id: &str, row| fixture.send(&delta(id, SubmissionKind::Events), &[row]);
    let (a, b) = (key("college/A"), key("college/B"));
    let key = |record: &RecordKey, takes_back| EventKey { record: record.clone(), takes_back };
    let keys = |receipt: Receipt| store.event_keys_of(receipt.seq).unwrap();
    assert_eq!(keys(send("s1", taking_back("A", "e9", "e1"))), [key(&a, true)]);
    let late = send("s2", event("B", "e1", "one"));
    assert_eq!(keys(late.clone()), [key(&b, false)]);
    assert_eq!(keys(send("s3", taking_back("B", "e2", "e1"))), [key(&b, true)]);
    assert_eq!(keys(send("s4", taking_back("A", "e8", "e1"))), [key(&a, true), key(&b, true)]);
    let taken_back = |records: &[RecordKey], known_at| {
        let found = store.taken_back_of(records, known_at).unwrap();
        let text = |it: TakenBack| format!("{} {} by {}", it.record, it.event_id, it.by.event_id);
        found.into_iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(taken_back(&[a, b.clone()], None), ["college/B e1 by e8", "college/B e1 by e9"]);
    assert_eq!(taken_back(&[b], Some(late.seq)), ["college/B e1 by e9"]);
}

#[test]
fn a_fact_that_is_no_submission_has_no_records() {
    let fixture = Fixture::new();
    let events = delta("s1", SubmissionKind::Events);
    let receipt = fixture.send(&events, &[event("A", "e1", "one")]);
    let read = |seq| fixture.store.for_each_record(Records::Of(seq), |_, _, _| {});
    assert!(matches!(read(receipt.seq), Err(Error::NotFound { .. })));
    assert!(matches!(read(Seq(99)), Err(Error::NotFound { .. })));
}

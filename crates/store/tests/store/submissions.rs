//! Submissions: creating, appending, sealing, giving up.

use store::{
    ActivationKind, Error, FactKind, NewRow, NewSubmission, Records, Refusal, RejectionReason,
    RowContent, Seal, Seq, SubmissionId, SubmissionKind, SubmissionMode, SubmissionState,
    Submitted, limits,
};

use crate::fixture::{
    Fixture, agency, at, day, delta, digest, event, local_id, operator, record, seal, snapshot,
};

fn reasons(rejections: &[store::RowRejection]) -> Vec<(u64, RejectionReason)> {
    rejections.iter().map(|one| (one.offset, one.refusal.reason)).collect()
}

#[test]
fn the_same_request_is_the_same_submission() {
    let Fixture { store, .. } = &Fixture::new();
    let new = delta("s1", SubmissionKind::Records);
    let first = store.create_submission(&new).unwrap();
    let again =
        NewSubmission { id: SubmissionId("s2".to_owned()), created_at: at(9), ..new.clone() };
    assert_eq!(store.create_submission(&again).unwrap(), first);
    for other in [
        NewSubmission { kind: SubmissionKind::Events, ..new.clone() },
        NewSubmission { mode: SubmissionMode::Snapshot, ..new.clone() },
        NewSubmission { as_of: day("2026-09-02"), ..new.clone() },
    ] {
        assert!(matches!(store.create_submission(&other), Err(Error::Conflict { .. })));
    }
    let same_id = NewSubmission { request_id: "another".to_owned(), ..new.clone() };
    let exists = Error::AlreadyExists { what: "submission" };
    assert_eq!(store.create_submission(&same_id), Err(exists));
    let unknown = NewSubmission { agency: agency("nobody"), ..new };
    let not_found = Error::NotFound { what: "agency" };
    assert_eq!(store.create_submission(&unknown), Err(not_found));
}

#[test]
fn events_have_no_snapshot() {
    let Fixture { store, .. } = &Fixture::new();
    let new = NewSubmission { kind: SubmissionKind::Events, ..snapshot("s1") };
    assert!(matches!(store.create_submission(&new), Err(Error::Conflict { .. })));
}

#[test]
fn rows_sent_again_change_nothing_and_keep_their_rejections() {
    let Fixture { store, .. } = &Fixture::new();
    let new = delta("s1", SubmissionKind::Records);
    store.create_submission(&new).unwrap();
    let rows = [record("A1", 1, "x"), record("A1", 2, "y"), record("A2", 1, "z")];
    let first = store.append(&new.id, 0, rows[..2].to_vec()).unwrap();
    assert_eq!(first.committed_offset, 2);
    assert_eq!(reasons(&first.rejections), [(1, RejectionReason::DuplicateInSubmission)]);
    assert_eq!(store.append(&new.id, 0, rows[..2].to_vec()).unwrap(), first);
    let overlapping = store.append(&new.id, 1, rows[1..].to_vec()).unwrap();
    assert_eq!(overlapping.committed_offset, 3);
    assert_eq!(overlapping.rejections, first.rejections);
    let stored = store.submission(&new.id).unwrap();
    assert_eq!((stored.committed_offset, stored.rejected), (3, 1));
    assert_eq!(stored.digest, digest(&rows));
}

#[test]
fn a_gap_names_the_offset_that_is_wanted() {
    let Fixture { store, .. } = &Fixture::new();
    let new = delta("s1", SubmissionKind::Records);
    store.create_submission(&new).unwrap();
    let row = || vec![record("A1", 1, "x")];
    assert_eq!(store.append(&new.id, 1, row()), Err(Error::OffsetGap { expected: 0 }));
    store.append(&new.id, 0, row()).unwrap();
    assert_eq!(store.append(&new.id, 5, row()), Err(Error::OffsetGap { expected: 1 }));
    let unknown = SubmissionId("none".to_owned());
    assert_eq!(store.append(&unknown, 0, row()), Err(Error::NotFound { what: "submission" }));
}

#[test]
fn a_row_is_refused_for_its_own_reason_and_the_others_are_kept() {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("A1", 1, "x")]);
    let refusal = Refusal {
        reason: RejectionReason::NothingToCompare,
        field: Some("date_of_birth".to_owned()),
        remedy: Some("give a value".to_owned()),
    };
    let content = RowContent::Refused { local_id: Some(local_id("A9")), refusal: refusal.clone() };
    let rows = [
        record("A1", 1, "changed"),
        event("A1", "e1", "not here"),
        NewRow { digest: [1; 32], content },
        record("A2", 1, "good"),
        record("A2", 1, "good"),
        record("A1", 2, "newer"),
    ];
    let receipt = fixture.send_records("s2", &rows);
    assert_eq!((receipt.accepted, receipt.unchanged, receipt.rejected), (2, 0, 4));
    let rejections = fixture.store.rejections(&receipt.submission, 0, 100).unwrap();
    assert_eq!(
        reasons(&rejections),
        [
            (0, RejectionReason::VersionConflict),
            (1, RejectionReason::WrongKind),
            (2, RejectionReason::NothingToCompare),
            (4, RejectionReason::DuplicateInSubmission),
        ]
    );
    assert_eq!(rejections[2].refusal, refusal);
    let page = fixture.store.rejections(&receipt.submission, 2, 1).unwrap();
    assert_eq!(page, rejections[2..3]);
    assert_eq!(
        fixture.records(Records::Of(receipt.seq)),
        ["college/A1@2=newer", "college/A2@1=good"]
    );
}

#[test]
fn one_content_is_refused_from_the_record_on_that_is_one_too_many() {
    let fixture = Fixture::new();
    let constants = |letter: &str, n_rows: u64| -> Vec<NewRow> {
        (0..n_rows).map(|n| record(&format!("{letter}{n}"), 1, "constant")).collect()
    };
    let most = limits::SAME_CONTENT_MAX as u64;
    let receipt = fixture.send_records("s1", &constants("A", most + 2));
    assert_eq!((receipt.accepted, receipt.rejected), (most, 2));
    let rejections = fixture.store.rejections(&receipt.submission, 0, 100).unwrap();
    let repeated = RejectionReason::Repeated;
    assert_eq!(reasons(&rejections), [(most, repeated), (most + 1, repeated)]);
    // Another submission of the day goes on counting; what is sent again counts once.
    let receipt = fixture.send_records("s2", &constants("A", most + 2));
    assert_eq!((receipt.unchanged, receipt.rejected), (most, 2));
    assert_eq!(fixture.send_records("s3", &constants("B", 1)).rejected, 1);
    // Other agencies and days count for themselves.
    let of_workforce =
        NewSubmission { agency: agency("workforce"), ..delta("s4", SubmissionKind::Records) };
    assert_eq!(fixture.send(&of_workforce, &constants("B", most)).accepted, most);
    let next_day = NewSubmission { created_at: at(86_400), ..delta("s5", SubmissionKind::Records) };
    assert_eq!(fixture.send(&next_day, &constants("B", most)).accepted, most);
}

#[test]
fn sealing_again_gives_the_same_receipt() {
    let fixture = Fixture::new();
    let rows = [record("A1", 1, "x"), record("A2", 1, "y")];
    let receipt = fixture.send_records("s1", &rows);
    assert_eq!(receipt.seq, Seq(1));
    assert_eq!((receipt.accepted, receipt.finalized_at), (2, at(2)));
    let later = Seal { at: at(50), ..seal(&rows) };
    assert_eq!(fixture.store.finalize(&receipt.submission, &later).unwrap(), receipt);
    assert_eq!(fixture.store.last_seq().unwrap(), Seq(1));
    let row = vec![record("A3", 1, "z")];
    assert_eq!(fixture.store.append(&receipt.submission, 2, row), Err(Error::Sealed));
    let state = fixture.store.submission(&receipt.submission).unwrap().state;
    assert_eq!(state, SubmissionState::Accepted(receipt));
}

#[test]
fn a_wrong_count_or_digest_seals_nothing() {
    let Fixture { store, .. } = &Fixture::new();
    let new = delta("s1", SubmissionKind::Records);
    let rows = [record("A1", 1, "x")];
    store.create_submission(&new).unwrap();
    store.append(&new.id, 0, rows.to_vec()).unwrap();
    for wrong in [Seal { row_count: 2, ..seal(&rows) }, Seal { digest: [0; 32], ..seal(&rows) }] {
        assert!(matches!(store.finalize(&new.id, &wrong), Err(Error::Conflict { .. })));
    }
    assert_eq!(store.last_seq().unwrap(), Seq(0));
    assert_eq!(store.submission(&new.id).unwrap().state, SubmissionState::Open);
    assert_eq!(store.finalize(&new.id, &seal(&rows)).unwrap().accepted, 1);
}

#[test]
fn rows_of_an_accepted_submission_are_not_stored_twice() {
    let fixture = Fixture::new();
    let rows = [record("A1", 1, "x"), record("A2", 1, "y")];
    fixture.send_records("s1", &rows);
    let receipt = fixture.send_records("s2", &rows);
    assert_eq!((receipt.accepted, receipt.unchanged, receipt.rejected), (0, 2, 0));
    assert_eq!(fixture.records(Records::Of(receipt.seq)), Vec::<String>::new());
    let db = rusqlite::Connection::open(&fixture.path).unwrap();
    let count = "SELECT count(payload) FROM fact_submission_row";
    assert_eq!(db.query_row(count, [], |row| row.get::<_, u32>(0)).unwrap(), 2);
}

#[test]
fn of_two_open_submissions_the_first_sealed_wins() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let ours = [record("A1", 1, "x"), record("A2", 1, "same")];
    let theirs = [record("A1", 1, "other"), record("A2", 1, "same")];
    for (id, rows) in [("s1", &ours), ("s2", &theirs)] {
        let new = delta(id, SubmissionKind::Records);
        store.create_submission(&new).unwrap();
        assert!(store.append(&new.id, 0, rows.to_vec()).unwrap().rejections.is_empty());
    }
    let first = store.finalize(&SubmissionId("s2".to_owned()), &seal(&theirs)).unwrap();
    assert_eq!((first.accepted, first.rejected), (2, 0));
    let second = store.finalize(&SubmissionId("s1".to_owned()), &seal(&ours)).unwrap();
    assert_eq!((second.accepted, second.unchanged, second.rejected), (0, 1, 1));
    let rejections = store.rejections(&second.submission, 0, 10).unwrap();
    assert_eq!(reasons(&rejections), [(0, RejectionReason::VersionConflict)]);
    assert_eq!(
        fixture.records(Records::PresentAt(second.seq)),
        ["college/A1@1=other", "college/A2@1=same"]
    );
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
}

#[test]
fn an_abandoned_submission_leaves_no_rows() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let new = delta("s1", SubmissionKind::Records);
    let rows = [record("A1", 1, "x")];
    store.create_submission(&new).unwrap();
    store.append(&new.id, 0, rows.to_vec()).unwrap();
    store.abandon(&new.id).unwrap();
    store.abandon(&new.id).unwrap();
    assert_eq!(store.append(&new.id, 1, rows.to_vec()), Err(Error::Sealed));
    assert_eq!(store.finalize(&new.id, &seal(&rows)), Err(Error::Sealed));
    assert_eq!(store.submission(&new.id).unwrap().state, SubmissionState::Abandoned);
    let accepted = fixture.send_records("s2", &rows);
    assert_eq!(accepted.accepted, 1);
    assert_eq!(store.abandon(&accepted.submission), Err(Error::Sealed));
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
}

#[test]
fn submissions_are_listed_by_agency_and_page() {
    let Fixture { store, .. } = &Fixture::new();
    for (id, owner) in [("s1", "college"), ("s2", "workforce"), ("s3", "college")] {
        let new = NewSubmission { agency: agency(owner), ..delta(id, SubmissionKind::Records) };
        store.create_submission(&new).unwrap();
    }
    let ids = |agency: Option<&record::AgencyId>, after: Option<&str>, limit| -> Vec<String> {
        let after = after.map(|id| SubmissionId(id.to_owned()));
        let page = store.submissions(agency, after.as_ref(), limit).unwrap();
        page.into_iter().map(|submission| submission.id.0).collect()
    };
    assert_eq!(ids(None, None, 10), ["s3", "s2", "s1"]);
    assert_eq!(ids(None, Some("s3"), 1), ["s2"]);
    assert_eq!(ids(Some(&agency("college")), None, 10), ["s3", "s1"]);
    assert_eq!(ids(Some(&agency("college")), Some("s3"), 10), ["s1"]);
}

#[test]
fn one_call_submits_all_rows_or_none() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let new = delta("s1", SubmissionKind::Records);
    let bad = vec![record("A1", 1, "x"), record("A1", 2, "y")];
    let Submitted::Refused(rejections) = store.submit(&new, bad, None).unwrap() else {
        panic!("a duplicate was accepted")
    };
    assert_eq!(reasons(&rejections), [(1, RejectionReason::DuplicateInSubmission)]);
    assert_eq!(store.submission(&new.id), Err(Error::NotFound { what: "submission" }));

    let good = vec![record("A1", 1, "x")];
    let accepted = store.submit(&new, good.clone(), None).unwrap();
    assert_eq!(store.submit(&new, good, None).unwrap(), accepted);
    let other = vec![record("A1", 1, "other")];
    assert!(matches!(store.submit(&new, other, None), Err(Error::Conflict { .. })));
    assert_eq!(fixture.records(Records::PresentAt(Seq(1))), ["college/A1@1=x"]);
}

#[test]
fn the_log_tells_submissions_in_the_order_of_sealing() {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("A1", 1, "x")]);
    fixture.send(&delta("s2", SubmissionKind::Events), &[event("A1", "e1", "enrolled")]);
    let facts = fixture.store.facts_after(Seq(0), 10).unwrap();
    let submission = |id: &str| SubmissionId(id.to_owned());
    let college = agency("college");
    assert_eq!(
        facts.iter().map(|fact| fact.kind.clone()).collect::<Vec<_>>(),
        [
            FactKind::Records { submission: submission("s1"), agency: college.clone(), rows: 1 },
            FactKind::Events { submission: submission("s2"), agency: college },
        ]
    );
    assert_eq!(facts[1].seq, Seq(2));
    assert_eq!(fixture.store.facts_after(Seq(1), 10).unwrap(), facts[1..]);
    assert_eq!(fixture.store.facts_after(Seq(0), 1).unwrap(), facts[..1]);
}

#[test]
fn what_was_known_by_a_moment_stays_so_when_the_clock_is_set_back() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let activate = |version: &str, moment| {
        store
            .activate(ActivationKind::Model, version, b"content", &operator(), at(moment))
            .unwrap();
    };
    activate("m1", 100);
    activate("m2", 200);
    assert_eq!(store.seq_before(at(150)).unwrap(), Seq(1));
    activate("m3", 120);
    assert_eq!(store.seq_before(at(150)).unwrap(), Seq(1));
    assert_eq!(store.seq_before(at(200)).unwrap(), Seq(1));
    assert_eq!(store.seq_before(at(201)).unwrap(), Seq(3));
    assert_eq!(store.seq_before(at(1)).unwrap(), Seq(0));
}

#[test]
fn many_senders_at_once_are_all_acknowledged() {
    let fixture = Fixture::new();
    std::thread::scope(|scope| {
        for sender in 0..8 {
            let fixture = &fixture;
            scope.spawn(move || {
                let new = delta(&format!("s{sender}"), SubmissionKind::Records);
                fixture.store.create_submission(&new).unwrap();
                let rows: Vec<_> = (0..50)
                    .map(|n| format!("A{sender}-{n}"))
                    .map(|id| record(&id, 1, &id))
                    .collect();
                for (offset, row) in (0..).zip(&rows) {
                    let appended = fixture.store.append(&new.id, offset, vec![row.clone()]);
                    assert_eq!(appended.unwrap().committed_offset, offset + 1);
                    let gap = fixture.store.append(&new.id, offset + 9, vec![row.clone()]);
                    assert_eq!(gap, Err(Error::OffsetGap { expected: offset + 1 }));
                }
                fixture.store.finalize(&new.id, &seal(&rows)).unwrap();
            });
        }
    });
    assert_eq!(fixture.store.current_records(&agency("college")).unwrap(), 400);
    assert_eq!(fixture.store.integrity_check().unwrap(), Vec::<String>::new());
}

#[test]
fn twenty_thousand_rows_are_appended_and_sealed_in_seconds() {
    let fixture = Fixture::new();
    let new = delta("s1", SubmissionKind::Records);
    let row = |n: u32| record(&format!("A{n}"), 1, &format!("{n:07}").repeat(100));
    let rows: Vec<_> = (0..20_000).map(row).collect();
    let start = std::time::Instant::now();
    fixture.store.create_submission(&new).unwrap();
    for (number, chunk) in (0..).zip(rows.chunks(1_000)) {
        fixture.store.append(&new.id, number * 1_000, chunk.to_vec()).unwrap();
    }
    let receipt = fixture.store.finalize(&new.id, &seal(&rows)).unwrap();
    assert_eq!(receipt.accepted, 20_000);
    // A hundred times what it takes alone in a release build: only a scan per row is that slow.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

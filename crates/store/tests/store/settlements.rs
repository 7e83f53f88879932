//! Memberships, statuses and feeds: now, and as they were asserted.

use std::ops::ControlFlow;

use record::ParticipantId;
use store::{
    Assignment, ChangeCause, Due, Error, Evaluation, FeedPlace, Held, MembershipCause, NewChange,
    Origin, Redirect, Seq, Settled, StatusFilter, StatusPlace, StatusReplacement, StatusRow,
};

use crate::fixture::{Fixture, agency, at, handles, key, local_id, record};

const P1: ParticipantId = ParticipantId(1);
const P2: ParticipantId = ParticipantId(2);
const P3: ParticipantId = ParticipantId(3);

/// A store with three facts, each a submission.
fn with_facts() -> Fixture {
    let fixture = Fixture::new();
    for id in ["s1", "s2", "s3"] {
        fixture.send_records(id, &[record(&format!("of-{id}"), 1, "x")]);
    }
    fixture
}

fn settled(seq: u64, assignments: &[(&str, Option<ParticipantId>)]) -> Settled {
    let memberships = assignments
        .iter()
        .map(|(record, participant)| Assignment {
            record: key(record),
            participant: *participant,
            cause: MembershipCause::New,
        })
        .collect();
    Settled { memberships, ..Settled::nothing(Seq(seq), at(seq as i64), "m1") }
}

fn status(record: &str, pathway: &str, label: &str) -> StatusRow {
    StatusRow {
        record: key(record),
        pathway: pathway.to_owned(),
        label: label.to_owned(),
        awaits: label == "leaver",
        payload: label.as_bytes().to_vec(),
    }
}

fn change(owner: &str, id: &str) -> NewChange {
    NewChange {
        record: key(&format!("{owner}/{id}")),
        pathway: "nursing".to_owned(),
        cause: ChangeCause::Event,
        payload: id.as_bytes().to_vec(),
    }
}

fn is_conflict(result: &store::Result<()>) -> bool {
    matches!(result, Err(Error::Conflict { .. }))
}

/// A and B apart; merged; A withdrawn and B split off.
fn settle_thrice(fixture: &Fixture) {
    let store = &fixture.store;
    store.settle(settled(1, &[("college/A", Some(P1)), ("workforce/B", Some(P2))])).unwrap();
    let redirects = vec![Redirect { from: P2, to: P1 }];
    store.settle(Settled { redirects, ..settled(2, &[("workforce/B", Some(P1))]) }).unwrap();
    let origins = vec![Origin { participant: P3, split_from: P1 }];
    let last = settled(3, &[("college/A", None), ("workforce/B", Some(P3))]);
    store.settle(Settled { origins, ..last }).unwrap();
}

#[test]
fn memberships_answer_for_now_and_for_any_earlier_fact() {
    let fixture = with_facts();
    let store = &fixture.store;
    settle_thrice(&fixture);
    let (a, b) = (key("college/A"), key("workforce/B"));
    for (known_at, of_a, of_b) in [
        (Some(Seq(0)), None, None),
        (Some(Seq(1)), Some(P1), Some(P2)),
        (Some(Seq(2)), Some(P1), Some(P1)),
        (Some(Seq(3)), None, Some(P3)),
        (None, None, Some(P3)),
    ] {
        assert_eq!(store.participant_of(&a, known_at).unwrap(), of_a, "{known_at:?}");
        assert_eq!(store.participant_of(&b, known_at).unwrap(), of_b, "{known_at:?}");
    }
    let members = |id, known_at| store.members_of(id, known_at).unwrap();
    assert_eq!(members(P1, Some(Seq(1))), std::slice::from_ref(&a));
    assert_eq!(members(P1, Some(Seq(2))), [a.clone(), b.clone()]);
    assert_eq!(members(P1, Some(Seq(3))), []);
    assert_eq!(members(P1, None), []);
    assert_eq!(members(P3, None), std::slice::from_ref(&b));
    assert_eq!(store.memberships().unwrap(), [(b.clone(), P3)]);
    assert_eq!(store.asserted_memberships(None).unwrap(), [(b.clone(), P3)]);
    let merged = store.asserted_memberships(Some(Seq(2))).unwrap();
    assert_eq!(merged, [(a, P1), (b, P1)]);
    assert_eq!(store.participant_count().unwrap(), 1);
    assert_eq!(store.applied_seq().unwrap(), Seq(3));
}

#[test]
fn participants_keep_their_history_redirects_and_origins() {
    let fixture = with_facts();
    let store = &fixture.store;
    settle_thrice(&fixture);
    let history: Vec<_> = store
        .membership_history(P1)
        .unwrap()
        .into_iter()
        .map(|entry| (entry.seq, entry.record.to_string(), entry.participant))
        .collect();
    let (a, b) = ("college/A".to_owned(), "workforce/B".to_owned());
    assert_eq!(
        history,
        [
            (Seq(1), a.clone(), Some(P1)),
            (Seq(1), b.clone(), Some(P2)),
            (Seq(2), b.clone(), Some(P1)),
            (Seq(3), a, None),
            (Seq(3), b, Some(P3)),
        ]
    );
    assert_eq!(store.resolve(P2).unwrap(), P1);
    assert_eq!(store.resolve(P3).unwrap(), P3);
    assert_eq!(store.origin_of(P3).unwrap(), Some(P1));
    assert_eq!(store.origin_of(P1).unwrap(), None);
    assert_eq!(store.next_participant_id().unwrap(), ParticipantId(4));
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_participant_that_was_merged_away_is_never_used_again() {
    let fixture = with_facts();
    let store = &fixture.store;
    settle_thrice(&fixture);
    let redirect = |from, to| Settled { redirects: vec![Redirect { from, to }], ..settled(3, &[]) };
    assert!(is_conflict(&store.settle(settled(3, &[("college/A", Some(P2))]))));
    assert!(is_conflict(&store.settle(redirect(P2, P3))));
    assert!(is_conflict(&store.settle(redirect(P1, P2))));
    assert!(is_conflict(&store.settle(redirect(P1, P1))));
    store.settle(redirect(P1, P3)).unwrap();
    assert_eq!(store.resolve(P2).unwrap(), P3);
}

#[test]
fn settling_never_steps_back_nor_ahead_of_the_facts() {
    let fixture = with_facts();
    let store = &fixture.store;
    store.settle(settled(2, &[("college/A", Some(P1))])).unwrap();
    assert!(is_conflict(&store.settle(settled(1, &[]))));
    assert!(is_conflict(&store.settle(settled(4, &[]))));
    let twice = [("college/B", Some(P2)), ("college/B", Some(P3))];
    assert!(is_conflict(&store.settle(settled(3, &twice))));
    assert_eq!(store.applied_seq().unwrap(), Seq(2), "a refused settlement keeps nothing");
    assert_eq!(store.participant_of(&key("college/B"), None).unwrap(), None);
}

#[test]
fn derived_state_is_dropped_and_the_log_stays() {
    let fixture = with_facts();
    let store = &fixture.store;
    settle_thrice(&fixture);
    let rows = vec![status("workforce/B", "nursing", "participant")];
    let touched = vec![key("workforce/B")];
    let statuses = StatusReplacement { touched, rows: rows.clone() };
    let again = Settled { statuses, ..settled(3, &[]) };
    store.settle(again.clone()).unwrap();
    store.drop_derived().unwrap();
    assert_eq!(store.applied_seq().unwrap(), Seq(0));
    assert_eq!(store.memberships().unwrap(), []);
    assert_eq!(store.status(&key("workforce/B")).unwrap(), []);
    let asserted = store.asserted_memberships(None).unwrap();
    assert_eq!(asserted, [(key("workforce/B"), P3)]);
    assert!(is_conflict(&store.settle(settled(2, &[]))), "the log was settled up to 3");

    store.restore_memberships().unwrap();
    assert_eq!(store.settled_seq().unwrap(), Seq(3));
    assert_eq!(store.applied_seq().unwrap(), Seq(3));
    assert_eq!(store.memberships().unwrap(), asserted);
    store.settle(again).unwrap();
    assert_eq!(store.status(&key("workforce/B")).unwrap(), rows);
}

#[test]
fn statuses_of_touched_records_are_replaced() {
    let fixture = with_facts();
    let store = &fixture.store;
    let settle = |touched: &[&str], rows: &[StatusRow]| {
        let touched = touched.iter().map(|one| key(one)).collect();
        let statuses = StatusReplacement { touched, rows: rows.to_vec() };
        store.settle(Settled { statuses, ..settled(1, &[]) }).unwrap();
    };
    let nursing = status("college/A", "nursing", "participant");
    let welding = status("college/A", "welding", "leaver");
    let other = status("college/B", "nursing", "participant");
    settle(&["college/A", "college/B"], &[nursing, welding.clone(), other.clone()]);
    settle(&["college/A"], std::slice::from_ref(&welding));
    assert_eq!(store.records_awaiting().unwrap(), [key("college/A")]);
    assert_eq!(store.status(&key("college/A")).unwrap(), std::slice::from_ref(&welding));
    settle(&["college/A"], &[]);
    assert_eq!(store.status(&key("college/A")).unwrap(), []);
    assert_eq!(store.status(&key("college/B")).unwrap(), [other]);
}

#[test]
fn an_export_rests_on_one_point_of_the_feed_whatever_comes_meanwhile() {
    let fixture = with_facts();
    let store = &fixture.store;
    let settle = |label: &str| {
        let rows = vec![
            status("college/A", "nursing", label),
            status("college/B", "nursing", label),
            status("workforce/A", "nursing", label),
        ];
        let changes = vec![change("college", "A"), change("college", "B")];
        let statuses = StatusReplacement { touched: Vec::new(), rows };
        store.settle(Settled { statuses, changes, ..settled(1, &[]) }).unwrap();
    };
    settle("participant");
    let filter = StatusFilter::default();
    let mut seen = Vec::new();
    let place = store.export_statuses(&agency("college"), &filter, |row| {
        // What is settled while the export goes on is not in it.
        settle("leaver");
        seen.push(format!("{} {}", row.record, row.label));
        ControlFlow::Continue(())
    });
    assert_eq!(place.map(|place| place.number), Ok(2));
    assert_eq!(seen, ["college/A participant", "college/B participant"]);
    let mut n_taken = 0;
    let place = store.export_statuses(&agency("college"), &filter, |_| {
        n_taken += 1;
        ControlFlow::Break(())
    });
    assert_eq!((place.map(|place| place.number), n_taken), (Ok(6), 1));
}

#[test]
fn the_calendar_of_statuses_is_kept_replaced_and_dropped() {
    let fixture = with_facts();
    let store = &fixture.store;
    assert_eq!((store.evaluation().unwrap(), store.due().unwrap()), (None, Vec::new()));
    let (day, later) = ("2026-03-01".parse().unwrap(), "2026-05-01".parse().unwrap());
    let first = Evaluation { rules: [1; 32], day, evaluated_to: Some(P2) };
    let due = |participant, on| Due { participant, on };
    let settle = |evaluation, due: &[Due]| {
        let settled = Settled { evaluation, due: due.to_vec(), ..settled(1, &[]) };
        store.settle(settled).unwrap();
    };
    settle(Some(first), &[due(P2, Some(later)), due(P1, Some(day)), due(P3, None)]);
    assert_eq!(store.evaluation().unwrap(), Some(first));
    assert_eq!(store.due().unwrap(), [(P1, day), (P2, later)]);
    settle(None, &[due(P1, Some(later)), due(P2, None)]);
    assert_eq!(store.evaluation().unwrap(), Some(first));
    assert_eq!(store.due().unwrap(), [(P1, later)]);
    let last = Evaluation { day: later, evaluated_to: None, ..first };
    settle(Some(last), &[]);
    assert_eq!(store.evaluation().unwrap(), Some(last));
    store.drop_derived().unwrap();
    assert_eq!((store.evaluation().unwrap(), store.due().unwrap()), (None, Vec::new()));
}

#[test]
fn the_epoch_of_the_feeds_is_made_with_the_database_and_stays() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let epoch = one.store.feed_epoch().unwrap();
    assert_eq!(epoch.len(), 16);
    assert_ne!(other.store.feed_epoch().unwrap(), epoch);
    let Fixture { store, path, directory } = one;
    drop(store);
    assert_eq!(store::Store::open(&path, &handles()).unwrap().feed_epoch().unwrap(), epoch);
    drop(directory);
}

#[test]
fn statuses_are_listed_by_agency_filter_and_page() {
    let fixture = with_facts();
    let store = &fixture.store;
    let rows = vec![
        status("college/A", "nursing", "participant"),
        status("college/A", "welding", "leaver"),
        status("college/B", "nursing", "leaver"),
        status("workforce/A", "nursing", "leaver"),
    ];
    let statuses = StatusReplacement { touched: Vec::new(), rows };
    let members = [("college/A", Some(P1)), ("college/B", Some(P2)), ("workforce/A", Some(P2))];
    store.settle(Settled { statuses, ..settled(1, &members) }).unwrap();
    let list = |pathway: Option<&str>, label: Option<&str>, after: Option<(&str, &str)>, limit| {
        let filter =
            StatusFilter { pathway: pathway.map(str::to_owned), label: label.map(str::to_owned) };
        let after = after
            .map(|(id, path)| StatusPlace { local_id: local_id(id), pathway: path.to_owned() });
        let page = store.statuses(&agency("college"), &filter, after.as_ref(), limit).unwrap();
        page.iter().map(|row| format!("{} {}", row.record, row.pathway)).collect::<Vec<_>>()
    };
    let all = ["college/A nursing", "college/A welding", "college/B nursing"];
    assert_eq!(list(None, None, None, 9), all);
    assert_eq!(list(None, None, None, 2), all[..2]);
    assert_eq!(list(None, None, Some(("A", "nursing")), 9), all[1..]);
    assert_eq!(list(Some("nursing"), None, None, 9), [all[0], all[2]]);
    assert_eq!(list(None, Some("leaver"), None, 9), all[1..]);
    assert_eq!(list(None, Some("leaver"), Some(("A", "welding")), 9), all[2..]);
    assert_eq!(list(Some("nursing"), Some("leaver"), None, 9), all[2..]);
    let counts: Vec<_> = store
        .label_counts()
        .unwrap()
        .into_iter()
        .map(|one| format!("{} {} {}", one.pathway, one.label, one.participants))
        .collect();
    assert_eq!(counts, ["nursing leaver 1", "nursing participant 1", "welding leaver 1"]);
}

#[test]
fn each_feed_counts_from_one_without_gaps() {
    let fixture = with_facts();
    let store = &fixture.store;
    let settle = |changes: Vec<NewChange>| {
        store.settle(Settled { changes, ..settled(1, &[]) }).unwrap();
    };
    settle(vec![change("college", "A"), change("workforce", "W"), change("college", "B")]);
    settle(vec![change("college", "C")]);
    let cursors = |owner: &str, after, limit| -> Vec<(u64, String)> {
        let page = store.changes(&agency(owner), after, limit).unwrap();
        page.into_iter().map(|one| (one.place.number, one.local_id.to_string())).collect()
    };
    let named = |cursor, id: &str| (cursor, id.to_owned());
    assert_eq!(cursors("college", 0, 9), [named(1, "A"), named(2, "B"), named(3, "C")]);
    assert_eq!(cursors("college", 1, 1), [named(2, "B")]);
    assert_eq!(cursors("workforce", 0, 9), [named(1, "W")]);
    let place = |owner: &str, number| store.feed_place(&agency(owner), number).unwrap();
    assert_eq!(place("nobody", 0), Some(FeedPlace::default()));
    assert_eq!((place("college", 4), place("nobody", 1)), (None, None));
    let refused = settled(9, &[]);
    let changes = vec![change("college", "D")];
    assert!(is_conflict(&store.settle(Settled { changes, ..refused })));
    settle(vec![change("college", "E")]);
    assert_eq!(cursors("college", 3, 9), [named(4, "E")]);
}

#[test]
fn a_place_in_a_feed_tells_it_from_one_in_which_something_else_was_said() {
    let place = |ids: &[&str]| {
        let fixture = with_facts();
        let changes = ids.iter().map(|id| change("college", id)).collect();
        fixture.store.settle(Settled { changes, ..settled(1, &[]) }).unwrap();
        let place = fixture.store.feed_place(&agency("college"), ids.len() as u64).unwrap();
        place.unwrap()
    };
    let one = place(&["A", "B", "C"]);
    assert_eq!((one.number, one), (3, place(&["A", "B", "C"])));
    // The last change is the same, one before it is not.
    assert_ne!(one.digest, place(&["A", "X", "C"]).digest);
}

#[test]
fn what_was_last_told_of_each_status_is_known_and_why() {
    let fixture = with_facts();
    let store = &fixture.store;
    let changes = [("nursing", "one"), ("welding", "two"), ("nursing", "three")];
    let changes = changes.map(|(pathway, text)| NewChange {
        pathway: pathway.to_owned(),
        payload: text.as_bytes().to_vec(),
        ..change("college", "A")
    });
    store.settle(Settled { changes: changes.to_vec(), ..settled(1, &[]) }).unwrap();
    let text = |payload: &Vec<u8>| String::from_utf8(payload.clone()).unwrap();
    let told = |record: &str| {
        let mut told: Vec<_> = store.told(&key(record)).unwrap().iter().map(text).collect();
        told.sort();
        told
    };
    assert_eq!(
        (told("college/A"), told("college/B")),
        (vec!["three".into(), "two".into()], vec![])
    );
    let last = store.changes_of_record(&key("college/A"), 2).unwrap();
    let last: Vec<_> = last.iter().map(|it| (it.place.number, text(&it.payload))).collect();
    assert_eq!(last, [(2, "two".into()), (3, "three".into())]);
}

#[test]
fn changes_are_held_with_their_first_cause_until_they_are_told() {
    let fixture = with_facts();
    let store = &fixture.store;
    let held = |record: &str, cause, is_own| Held { record: key(record), cause, is_own };
    let settle = |held: &[Held], told: &[&str]| {
        let told = told.iter().map(|one| key(one)).collect();
        store.settle(Settled { held: held.to_vec(), told, ..settled(1, &[]) }).unwrap();
    };
    let (link, event) = (ChangeCause::Link, ChangeCause::Event);
    settle(&[held("college/A", link, false), held("college/B", event, true)], &[]);
    settle(&[held("college/A", event, true), held("college/B", link, false)], &[]);
    let both = [held("college/A", link, true), held("college/B", event, true)];
    assert_eq!(store.held().unwrap(), both);
    settle(&[], &["college/A"]);
    assert_eq!(store.held().unwrap(), both[1..]);
}

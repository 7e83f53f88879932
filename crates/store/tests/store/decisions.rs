//! Decisions, samples and activations.

use store::{
    ActivationKind, DecisionId, Decisions, Error, FactKind, NewDecision, NewStratum, Note,
    NoteKind, Objection, OpenTask, Scope, Seq, Undo, Verdict,
};

use crate::{
    fixture::{Fixture, at, key, record},
    tasks::{settle, task},
};

/// A store with one task about these two groups.
fn with_task(left: &[&str], right: &[&str]) -> (Fixture, OpenTask) {
    let fixture = Fixture::new();
    fixture.send_records("s1", &[record("A", 1, "x")]);
    let open = task("t1", left, right, 9_000);
    settle(&fixture.store, &[], std::slice::from_ref(&open)).unwrap();
    (fixture, open)
}

fn decision(id: &str, task: &OpenTask, verdict: Verdict, pairs: &[(&str, &str)]) -> NewDecision {
    NewDecision {
        id: DecisionId(id.to_owned()),
        verdict,
        scope: if pairs.len() > 1 { Scope::Record } else { Scope::Pair },
        pairs: pairs.iter().map(|(left, right)| (key(left), key(right))).collect(),
        left: task.left.clone(),
        right: task.right.clone(),
        task: task.id.clone(),
        task_reason: task.reason.clone(),
        weight_millibits: task.weight_millibits,
        probability_ppm: task.probability_ppm,
        author: "ada".to_owned(),
        first_author: None,
        reason: "same person".to_owned(),
        is_blind: false,
        model_version: "m1".to_owned(),
        request_id: id.to_owned(),
        at: at(1),
    }
}

#[test]
fn a_decision_stands_until_it_is_taken_back() {
    let (Fixture { store, .. }, task) = &with_task(&["college/A"], &["workforce/B"]);
    let pair = [("college/A", "workforce/B")];
    let made = decision("d1", task, Verdict::Link, &pair);
    assert_eq!(store.add_decision(&made, &task.etag).unwrap(), Ok(Seq(2)));
    let again = decision("d2", task, Verdict::Link, &pair);
    assert_eq!(store.add_decision(&again, &task.etag).unwrap(), Ok(Seq(3)));
    let undone = store.undo_decision(&made.id, "grace", "a mistake", at(2)).unwrap();
    assert_eq!(undone, Ok(Seq(4)));

    let read = store.decision(&made.id).unwrap();
    assert_eq!((read.seq, &read.made), (Seq(2), &made));
    let undo =
        Undo { seq: Seq(4), author: "grace".to_owned(), reason: "a mistake".to_owned(), at: at(2) };
    assert_eq!(read.undone, Some(undo));
    assert_eq!(store.decisions(Decisions::All).unwrap().len(), 2);
    let standing = store.decisions(Decisions::Standing).unwrap();
    assert_eq!(standing.iter().map(|one| one.seq).collect::<Vec<_>>(), [Seq(3)]);
    assert_eq!(store.decision_at(Seq(4)).unwrap().unwrap().made.id, made.id);
    assert_eq!(store.decision_by_request("ada", "d1").unwrap().unwrap().made, made);
    assert_eq!(store.decisions_of(&key("workforce/B")).unwrap().len(), 2);
    let newest = store.decisions_before(Seq(99), Some("ada"), true, 1).unwrap();
    assert_eq!(newest[0].made, again);
    assert_eq!(store.overturned().unwrap(), (2, 1));
    let kinds: Vec<_> =
        store.facts_after(Seq(1), 9).unwrap().into_iter().map(|fact| fact.kind).collect();
    assert_eq!(kinds[0], FactKind::Decision { decision: made.id.clone() });
    assert_eq!(kinds[2], FactKind::DecisionUndone { decision: made.id });
}

#[test]
fn of_decisions_about_two_records_the_last_that_stands_binds() {
    let (Fixture { store, .. }, task) = &with_task(&["college/A"], &["workforce/B"]);
    let pair = [("college/A", "workforce/B")];
    let add = |id, verdict| {
        store.add_decision(&decision(id, task, verdict, &pair), &task.etag).unwrap().unwrap()
    };
    let binding = |at| {
        let binding = store.binding(&key("workforce/B"), &key("college/A"), at).unwrap();
        binding.map(|decision| decision.made.id.0)
    };
    let first = add("d1", Verdict::Link);
    let second = add("d2", Verdict::Separate);
    assert_eq!(binding(first).as_deref(), Some("d1"));
    assert_eq!(binding(second).as_deref(), Some("d2"));
    assert_eq!(store.overturned().unwrap(), (2, 1));
    let counts = store.act_counts().unwrap();
    assert_eq!((counts.link, counts.separate), (1, 1));
    let undone = store.undo_decision(&DecisionId("d2".to_owned()), "ada", "", at(3));
    let undone = undone.unwrap().unwrap();
    assert_eq!(binding(undone).as_deref(), Some("d1"));
    assert_eq!(binding(second).as_deref(), Some("d2"), "as it was then");
}

#[test]
fn a_decision_is_made_once_and_taken_back_once() {
    let (Fixture { store, .. }, task) = &with_task(&["college/A"], &["workforce/B"]);
    let made = decision("d1", task, Verdict::Link, &[("college/A", "workforce/B")]);
    store.add_decision(&made, &task.etag).unwrap().unwrap();
    let repeated = store.add_decision(&made, &task.etag);
    assert_eq!(repeated, Err(Error::AlreadyExists { what: "decision" }));
    for pair in [("college/A", "college/A"), ("college/A", "college/Z")] {
        let odd = decision("d2", task, Verdict::Link, &[pair]);
        assert!(matches!(store.add_decision(&odd, &task.etag), Err(Error::Conflict { .. })));
    }
    let stale = decision("d2", task, Verdict::Link, &[("college/A", "workforce/B")]);
    assert_eq!(store.add_decision(&stale, "another").unwrap(), Err(Objection::Changed));
    store.undo_decision(&made.id, "ada", "", at(2)).unwrap().unwrap();
    let again = store.undo_decision(&made.id, "ada", "", at(3));
    assert!(matches!(again, Err(Error::Conflict { .. })));
    let unknown = store.undo_decision(&DecisionId("none".to_owned()), "ada", "", at(3));
    assert_eq!(unknown, Err(Error::NotFound { what: "decision" }));
    assert_eq!(store.last_seq().unwrap(), Seq(3));
}

/// Decisions written as `x=y` (link) and `x#y` (separate), and whether the last one can stand: else
/// the chain of records that contradicts it.
#[test]
fn a_decision_stands_unless_a_chain_of_earlier_ones_contradicts_it() {
    let (left, right) = (["a/w", "a/x", "a/y", "a/z"], ["b/w", "b/x", "b/y", "b/z"]);
    for (earlier, last, expected) in [
        ("", "ax=by", "ok"),
        ("ax=by ay=by", "ax#by", "ok"),
        ("ax=by az=by az=bw", "ax#bw", "ax-by-az-bw"),
        ("ax=by", "ax#bz", "ok"),
        ("ax#bz", "ax=bz", "ok"),
        ("ax=by az=bw az#by", "ax=bw", "by-ax-bw-az"),
        ("ax=by az=bw", "ax=bw", "ok"),
        ("ax#by", "ax#by", "ok"),
        ("ax=by az=bw az#by -az#by", "ax=bw", "ok"),
        ("ax=by ax#bz", "ax=by,bz", "ok"),
        ("ax=by ay#by ay=bz", "ax=bw,bz", "by-ax-bz-ay"),
    ] {
        let (Fixture { store, .. }, task) = &with_task(&left, &right);
        let mut n_decided = 0;
        let mut decide = |text: &str| {
            let verdict = if text.contains('=') { Verdict::Link } else { Verdict::Separate };
            let (one, others) = text.split_once(['=', '#']).unwrap();
            let name = |text: &str| format!("{}/{}", &text[..1], &text[1..]);
            let pairs: Vec<(String, String)> =
                others.split(',').map(|other| (name(one), name(other))).collect();
            let pairs: Vec<(&str, &str)> =
                pairs.iter().map(|(l, r)| (l.as_str(), r.as_str())).collect();
            n_decided += 1;
            let id = format!("{text} {n_decided}");
            let made = decision(&id, task, verdict, &pairs);
            (made.id.clone(), store.add_decision(&made, &task.etag).unwrap())
        };
        let mut ids = Vec::new();
        for text in earlier.split_whitespace() {
            match text.strip_prefix('-') {
                None => ids.push((text, decide(text).0)),
                Some(text) => {
                    let (_, id) = ids.iter().find(|(of, _)| *of == text).unwrap();
                    store.undo_decision(id, "ada", "", at(2)).unwrap().unwrap();
                }
            }
        }
        let before = (store.last_seq().unwrap(), store.decisions(Decisions::All).unwrap());
        let result = match decide(last).1 {
            Ok(_) => "ok".to_owned(),
            Err(Objection::Contradiction { path }) => {
                let after = (store.last_seq().unwrap(), store.decisions(Decisions::All).unwrap());
                assert_eq!(after, before, "nothing of it stays");
                let name = |it: &record::RecordKey| format!("{}{}", it.agency, it.local_id);
                path.iter().map(name).collect::<Vec<_>>().join("-")
            }
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(result, expected, "{earlier} then {last}");
    }
}

#[test]
fn what_binds_again_may_not_contradict_what_was_decided_since() {
    let (Fixture { store, .. }, task) = &with_task(&["a/x", "a/y"], &["b/x", "b/y"]);
    let add = |id: &str, verdict, pair| {
        store.add_decision(&decision(id, task, verdict, &[pair]), &task.etag).unwrap().unwrap()
    };
    add("link", Verdict::Link, ("a/x", "b/x"));
    add("reversed", Verdict::Separate, ("a/x", "b/x"));
    add("other", Verdict::Link, ("a/x", "b/y"));
    add("third", Verdict::Link, ("a/y", "b/y"));
    let last = add("apart", Verdict::Separate, ("a/y", "b/x"));
    let undo =
        |id: &str| store.undo_decision(&DecisionId(id.to_owned()), "ada", "", at(3)).unwrap();
    let path = ["a/y", "b/y", "a/x", "b/x"].map(key).to_vec();
    assert_eq!(undo("reversed"), Err(Objection::Contradiction { path }));
    assert_eq!(store.last_seq().unwrap(), last);
    undo("apart").unwrap();
    undo("reversed").unwrap();
}

#[test]
fn what_was_said_before_a_decision_says_nothing_of_the_question_when_it_is_open_again() {
    let (Fixture { store, .. }, task) = &with_task(&["college/A"], &["workforce/B"]);
    let note = |kind, second| Note {
        task: task.id.clone(),
        etag: task.etag.clone(),
        kind,
        author: "ada".to_owned(),
        reason: "papers".to_owned(),
        until: None,
        request_id: format!("n{second}"),
        at: at(second),
    };
    store.add_note(&note(NoteKind::Link, 1)).unwrap().unwrap();
    store.add_note(&note(NoteKind::Escalate, 2)).unwrap().unwrap();
    let pair = [("college/A", "workforce/B")];
    let link = NewDecision { at: at(3), ..decision("d1", task, Verdict::Link, &pair) };
    store.add_decision(&link, &task.etag).unwrap().unwrap();
    store.undo_decision(&link.id, "ada", "a mistake", at(4)).unwrap().unwrap();
    settle(store, &["college/A"], &[]).unwrap();
    settle(store, &["college/A"], std::slice::from_ref(task)).unwrap();
    let again = store.task(&task.id).unwrap();
    assert_eq!((again.waits, again.first_author), (None, None));
    assert_eq!(again.opened_at, at(4), "it came up again when the decision was taken back");
    assert_eq!(store.notes_of(task).unwrap().len(), 2, "it is on record");
    assert_eq!(store.open_notes_of(task).unwrap(), []);
    store.add_note(&note(NoteKind::Separate, 5)).unwrap().unwrap();
    assert_eq!(store.open_notes_of(task).unwrap().len(), 1);
    assert_eq!(store.task(&task.id).unwrap().first_author.as_deref(), Some("ada"));
}

#[test]
fn a_sampled_pair_is_judged_by_the_last_decision_about_it_since() {
    let (Fixture { store, .. }, task) = &with_task(&["college/A"], &["workforce/B", "workforce/C"]);
    let drawn = |right| vec![(key("college/A"), key(right))];
    let stratum = |is_linked, drawn| NewStratum {
        is_linked,
        from_millibits: is_linked.then_some(3_000),
        to_millibits: None,
        n_pairs: 100,
        drawn,
    };
    let strata = [stratum(true, drawn("workforce/B")), stratum(false, drawn("workforce/C"))];
    let sample = store.add_sample(7, &strata, "ada", at(2)).unwrap();
    assert_eq!(store.last_sample().unwrap().unwrap().seq, sample);
    assert_eq!(store.sample_pairs(sample).unwrap().len(), 2);
    let judged = || -> Vec<_> {
        let strata = store.sample_strata(sample).unwrap();
        strata.iter().map(|it| (it.n_drawn, it.n_judged, it.n_matches)).collect()
    };
    assert_eq!(judged(), [(1, 0, 0), (1, 0, 0)]);
    for (id, verdict, right) in
        [("d1", Verdict::Link, "workforce/B"), ("d2", Verdict::Separate, "workforce/C")]
    {
        let made = decision(id, task, verdict, &[("college/A", right)]);
        store.add_decision(&made, &task.etag).unwrap().unwrap();
    }
    assert_eq!(judged(), [(1, 1, 1), (1, 1, 0)]);
    store.undo_decision(&DecisionId("d1".to_owned()), "ada", "", at(3)).unwrap().unwrap();
    assert_eq!(judged(), [(1, 0, 0), (1, 1, 0)]);
    assert_eq!(store.facts_after(Seq(1), 1).unwrap()[0].kind, FactKind::Sample);
}

#[test]
fn the_last_activation_is_in_effect() {
    let Fixture { store, .. } = &Fixture::new();
    let kind = ActivationKind::Model;
    assert!(store.active(kind, None).unwrap().is_none());
    let activate = |version, content| {
        store.activate(kind, version, content, &crate::fixture::operator(), at(1))
    };
    assert_eq!(activate("m1", b"one").unwrap(), Seq(1));
    assert_eq!(activate("m2", b"two").unwrap(), Seq(2));
    assert_eq!(activate("m1", b"one").unwrap(), Seq(3));
    assert!(matches!(activate("m2", b"changed"), Err(Error::Conflict { .. })));
    store
        .activate(ActivationKind::Registry, "m2", b"other", &crate::fixture::operator(), at(1))
        .unwrap();

    let version_at = |seq| store.active(kind, seq).unwrap().map(|active| active.version);
    assert_eq!(version_at(None).as_deref(), Some("m1"));
    assert_eq!(version_at(Some(Seq(2))).as_deref(), Some("m2"));
    assert_eq!(version_at(Some(Seq(0))), None);
    assert_eq!(store.active(kind, Some(Seq(2))).unwrap().unwrap().content, b"two");
    assert_eq!(store.activations(kind).unwrap().len(), 3);
    let last = store.facts_after(Seq(3), 9).unwrap().remove(0).kind;
    let registry = ActivationKind::Registry;
    assert_eq!(last, FactKind::Activation { kind: registry, version: "m2".to_owned() });
}

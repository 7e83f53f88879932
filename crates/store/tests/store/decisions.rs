//! Decisions and activations.

use store::{
    ActivationKind, DecisionId, Decisions, Error, FactKind, NewDecision, Seq, Undo, Verdict,
};

use crate::fixture::{Fixture, at, key};

fn decision(id: &str) -> NewDecision {
    NewDecision {
        id: DecisionId(id.to_owned()),
        left: key("college/A"),
        right: key("workforce/B"),
        verdict: Verdict::Link,
        author: "ada".to_owned(),
        reason: "same person".to_owned(),
        model_version: "m1".to_owned(),
        at: at(1),
    }
}

#[test]
fn a_decision_stands_until_it_is_taken_back() {
    let Fixture { store, .. } = &Fixture::new();
    let made = decision("d1");
    assert_eq!(store.add_decision(&made).unwrap(), Seq(1));
    assert_eq!(store.add_decision(&decision("d2")).unwrap(), Seq(2));
    assert_eq!(store.undo_decision(&made.id, "grace", "a mistake", at(2)).unwrap(), Seq(3));

    let read = store.decision(&made.id).unwrap();
    assert_eq!((read.seq, &read.made), (Seq(1), &made));
    let undo =
        Undo { seq: Seq(3), author: "grace".to_owned(), reason: "a mistake".to_owned(), at: at(2) };
    assert_eq!(read.undone, Some(undo));
    assert_eq!(store.decisions(Decisions::All).unwrap().len(), 2);
    let standing = store.decisions(Decisions::Standing).unwrap();
    assert_eq!(standing.iter().map(|one| one.seq).collect::<Vec<_>>(), [Seq(2)]);
    let kinds: Vec<_> =
        store.facts_after(Seq(0), 9).unwrap().into_iter().map(|fact| fact.kind).collect();
    assert_eq!(kinds[0], FactKind::Decision { decision: made.id.clone() });
    assert_eq!(kinds[2], FactKind::DecisionUndone { decision: made.id });
}

#[test]
fn a_decision_is_made_once_and_taken_back_once() {
    let Fixture { store, .. } = &Fixture::new();
    let made = decision("d1");
    store.add_decision(&made).unwrap();
    assert_eq!(store.add_decision(&made), Err(Error::AlreadyExists { what: "decision" }));
    let of_one = NewDecision { right: made.left.clone(), ..decision("d2") };
    assert!(matches!(store.add_decision(&of_one), Err(Error::Conflict { .. })));
    store.undo_decision(&made.id, "ada", "", at(2)).unwrap();
    let again = store.undo_decision(&made.id, "ada", "", at(3));
    assert!(matches!(again, Err(Error::Conflict { .. })));
    let unknown = store.undo_decision(&DecisionId("none".to_owned()), "ada", "", at(3));
    assert_eq!(unknown, Err(Error::NotFound { what: "decision" }));
    assert_eq!(store.last_seq().unwrap(), Seq(2));
}

#[test]
fn the_last_activation_is_in_effect() {
    let Fixture { store, .. } = &Fixture::new();
    let kind = ActivationKind::Model;
    assert!(store.active(kind, None).unwrap().is_none());
    let activate = |version, content| store.activate(kind, version, content, "grace", at(1));
    assert_eq!(activate("m1", b"one").unwrap(), Seq(1));
    assert_eq!(activate("m2", b"two").unwrap(), Seq(2));
    assert_eq!(activate("m1", b"one").unwrap(), Seq(3));
    assert!(matches!(activate("m2", b"changed"), Err(Error::Conflict { .. })));
    store.activate(ActivationKind::Registry, "m2", b"other", "grace", at(1)).unwrap();

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

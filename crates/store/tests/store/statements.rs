//! Statements of agencies: the last of a subject counts, and is kept once.

use jiff::civil::Date;
use store::{Error, FactKind, NewStatement, Seq, Stated, StatementKind};

use crate::fixture::{Fixture, agency, at, day};

fn statement(kind: StatementKind, subject: &str, payload: &str) -> NewStatement {
    NewStatement { kind, subject: subject.to_owned(), payload: payload.into() }
}

fn today() -> Date {
    day("2026-09-01")
}

#[test]
fn what_was_stated_last_of_a_subject_is_not_kept_twice() {
    use StatementKind::{CompleteThrough, Employer};
    let Fixture { store, .. } = &Fixture::new();
    let college = agency("college");
    let say = |subject, payload| {
        let statements = vec![
            statement(CompleteThrough, "2026-08-31", "through"),
            statement(Employer, subject, payload),
        ];
        store.state(&college, today(), statements, at(5)).unwrap()
    };
    let stated = |seq, accepted, unchanged| Stated { seq, accepted, unchanged };
    assert_eq!(say("E1", "hospital"), stated(Some(Seq(1)), 2, 0));
    assert_eq!(say("E1", "hospital"), stated(None, 0, 2));
    assert_eq!(say("E1", "school"), stated(Some(Seq(2)), 1, 1));
    // What held before may hold again.
    assert_eq!(say("E1", "hospital"), stated(Some(Seq(3)), 1, 1));
    let facts = store.facts_after(Seq(0), 10).unwrap();
    assert_eq!(facts.len(), 3);
    assert!(facts.iter().all(|it| it.kind == FactKind::Statements { agency: college.clone() }));
    let of_kind = |kind, up_to| store.statements_of_kind(kind, Seq(up_to)).unwrap().len();
    assert_eq!(
        (of_kind(Employer, 9), of_kind(Employer, 2), of_kind(CompleteThrough, 9)),
        (3, 2, 1)
    );
}

#[test]
fn statements_are_listed_by_agency_newest_first_in_pages() {
    let Fixture { store, .. } = &Fixture::new();
    for (number, who) in ["college", "workforce", "college", "college"].iter().enumerate() {
        let one = statement(StatementKind::WagesLoaded, &format!("{number}"), "loaded");
        store.state(&agency(who), today(), vec![one], at(5)).unwrap();
    }
    let page = |before| {
        let page = store.statements(&agency("college"), before, 2).unwrap();
        page.iter().map(|it| it.number).collect::<Vec<_>>()
    };
    assert_eq!(page(None), [4, 3]);
    assert_eq!(page(Some(3)), [1]);
    let unknown = store.state(&agency("nobody"), today(), Vec::new(), at(5));
    assert!(matches!(unknown, Err(Error::NotFound { .. })));
}

use jiff::civil::date;

use super::*;
use crate::event::CredentialKind;

const FILE: &str = r#"
[[purpose]]
id = "education"
[[purpose]]
id = "work"
title = "Services of the workforce boards"

[default]
shares = ["work"]
knows = []

[[agency]]
id = "college"
shares = ["education", "work"]
shares_by_kind = { exclusion = [], credential = ["work"] }
knows = ["education", "work"]

[[agency]]
id = "workforce"
shares = ["work"]
knows = ["work"]
"#;

fn sharing() -> Sharing {
    Sharing::parse("sharing.toml", FILE).unwrap()
}

fn event(source: &str, id: &str, detail: EventDetail) -> Event {
    Event {
        source: source.parse().unwrap(),
        local_id: "A1".parse().unwrap(),
        source_event_id: id.to_owned(),
        received_on: date(2024, 1, 1),
        supersedes: None,
        purpose_tags: BTreeSet::new(),
        detail,
    }
}

fn service(source: &str, id: &str) -> Event {
    let (start, end) = (date(2024, 1, 8), date(2024, 3, 31));
    let (code, program) = ("OST".to_owned(), "adult".to_owned());
    event(source, id, EventDetail::Service { code, program, start, end })
}

fn exclusion(source: &str, id: &str) -> Event {
    let (reason, from) = ("deceased".to_owned(), date(2024, 2, 1));
    event(source, id, EventDetail::Exclusion { reason, from })
}

fn void(source: &str, id: &str, voided: &str) -> Event {
    event(source, id, EventDetail::Void { voided_event_id: voided.to_owned() })
}

/// `source/id` of what the audience knows; a trailing `-` marks what only takes something away.
fn known(audience: &str, events: &[Event]) -> Vec<String> {
    let known = sharing().known_to(&audience.parse().unwrap(), events).into_owned();
    let name = |it: &Event| {
        let mark = if matches!(it.detail, EventDetail::Void { .. }) { "-" } else { "" };
        format!("{}/{}{mark}", it.source, it.source_event_id)
    };
    known.iter().map(name).collect()
}

#[test]
fn an_audience_knows_its_own_events_and_those_shared_for_a_purpose_of_its_own() {
    let events = [
        service("college", "c1"),
        exclusion("college", "c2"),
        service("workforce", "w1"),
        service("adult-ed", "a1"),
        Event { purpose_tags: ["education".to_owned()].into(), ..service("college", "c3") },
        Event { purpose_tags: ["unheard-of".to_owned()].into(), ..service("workforce", "w2") },
    ];
    let of_college = ["college/c1", "college/c2", "workforce/w1", "adult-ed/a1", "college/c3"];
    assert_eq!(known("college", &events), of_college);
    let of_workforce = ["college/c1", "workforce/w1", "adult-ed/a1", "workforce/w2"];
    assert_eq!(known("workforce", &events), of_workforce);
    assert_eq!(known("adult-ed", &events), ["adult-ed/a1"]);
}

#[test]
fn voids_and_revocations_go_with_what_they_name() {
    let (kind, awarded_on) = (CredentialKind::Certificate, date(2024, 3, 1));
    let (code, system, number) = ("CNA".to_owned(), None, None);
    let award = EventDetail::Credential { kind, code, system, awarded_on, number };
    let revocation = |id: &str| EventDetail::Revocation {
        credential_event_id: id.to_owned(),
        on: date(2024, 6, 1),
        reason: None,
    };
    let events = [
        event("college", "c1", award),
        exclusion("college", "c2"),
        event("college", "r1", revocation("c1")),
        event("college", "r2", revocation("c2")),
        void("college", "v1", "r1"),
        void("college", "v2", "c2"),
        void("college", "v3", "nothing"),
    ];
    assert_eq!(known("workforce", &events), ["college/c1", "college/r1", "college/v1-"]);
    assert_eq!(known("college", &events).len(), events.len());
}

#[test]
fn a_correction_that_may_not_be_known_only_takes_away_what_it_corrects() {
    let corrected = |by: Event| Event { supersedes: Some("c1".to_owned()), ..by };
    let hidden = [service("college", "c1"), corrected(exclusion("college", "c2"))];
    assert_eq!(known("workforce", &hidden), ["college/c1", "college/c2-"]);
    let shared = [service("college", "c1"), corrected(service("college", "c2"))];
    assert_eq!(known("workforce", &shared), ["college/c1", "college/c2"]);
    let of_nothing = [corrected(exclusion("college", "c2"))];
    assert_eq!(known("workforce", &of_nothing), Vec::<String>::new());
}

#[test]
fn what_is_hidden_changes_nothing_of_what_is_known() {
    let shown = [service("college", "c1"), service("workforce", "w1")];
    let mut with_hidden = shown.to_vec();
    with_hidden.insert(1, exclusion("college", "c2"));
    with_hidden.push(void("college", "c3", "c2"));
    assert_eq!(known("workforce", &shown), known("workforce", &with_hidden));
}

#[test]
fn the_shipped_file_is_read_and_mistakes_are_named_by_row() {
    let shipped = Sharing::parse("sharing.toml", crate::DEFAULT_SHARING).unwrap();
    assert_eq!(shipped.agencies().count(), 0);
    let refused = |from: &str, to: &str| {
        assert!(FILE.contains(from), "{from}");
        Sharing::parse("sharing.toml", &FILE.replace(from, to)).unwrap_err().to_string()
    };
    for (from, to, expected) in [
        ("id = \"workforce\"", "id = \"No Such\"", "line 18: agency No Such: id: "),
        ("id = \"workforce\"", "id = \"college\"", "line 18: agency college: the agency stands"),
        ("exclusion = []", "excluded = []", "agency college: shares_by_kind.excluded: no such"),
        ("exclusion = []", "void = []", "shares_by_kind.void: it goes with the event"),
        (
            "shares = [\"work\"]\nknows = []",
            "shares = [\"fun\"]\nknows = []",
            "default: shares: no",
        ),
        ("[[purpose]]\nid = \"work\"", "[[purpose]]\nid = \"education\"", "a purpose of that id"),
        (
            "[[purpose]]\nid = \"work\"",
            "[[purpose]]\nid = \"w k\"",
            "purpose w k: id: give 1 to 64",
        ),
        ("knows = []", "known = []", "sharing.toml, line 10: "),
    ] {
        let message = refused(from, to);
        assert!(message.contains(expected), "{message}");
    }
}

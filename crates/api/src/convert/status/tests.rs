//! Statuses as an agency is served them.

use std::collections::BTreeSet;

use jiff::civil::date;
use pathways::{Award, Completer, CredentialKind, Scope, Since};

use super::*;

fn since() -> Since {
    Since { effective: date(2024, 5, 10), determinable: date(2024, 8, 8), known: date(2024, 8, 9) }
}

fn status(engagement: Engagement) -> Status {
    let event = |source: &str, id: &str| EventRef {
        source: source.parse().unwrap(),
        event_id: id.to_owned(),
    };
    let award = Award {
        code: "CNA".to_owned(),
        kind: CredentialKind::License,
        awarded_on: date(2024, 4, 1),
        in_force: true,
        in_measure_window: true,
    };
    Status {
        scope: Scope::Pathway("health".parse().unwrap()),
        as_of: date(2024, 9, 1),
        known_at: date(2024, 9, 2),
        profile: "S1/1".to_owned(),
        registry_version: Some("2024-1".to_owned()),
        participation: Participation::Participant(since()),
        engagement,
        credential: Some(Completer {
            first_on: date(2024, 4, 1),
            determinable: date(2024, 4, 1),
            known: date(2024, 4, 2),
            highest: CredentialKind::License,
            in_force: true,
            awards: vec![award],
        }),
        spells: vec![Spell { start: date(2024, 1, 8), last_day: date(2024, 5, 10), ended: true }],
        exclusions: Vec::new(),
        contributing: BTreeSet::from([event("college", "e1"), event("workforce", "w9")]),
        warnings: BTreeSet::from([Warning::UnknownTerm(event("workforce", "w9"))]),
    }
}

fn served(status: &Status) -> status::Status {
    let (agency, local_id) = ("college".parse().unwrap(), "A-1".parse().unwrap());
    status_to_proto(status, Addressee { agency: &agency, local_id: &local_id, pseudonym: "ps1" })
}

#[test]
fn a_leaver_is_served_with_dates_and_reasons() {
    let reason = LeaveReason::NoEngagement(GapReason::Days(90));
    let (since, deadline) = (since(), since().determinable);
    let leaver = Engagement::Left { since, deadline, reason, confirmed: true };
    let message = served(&status(leaver));
    assert_eq!(message.label, "completer-leaver");
    assert_eq!((message.local_id.as_str(), message.pathway.as_str()), ("A-1", "health"));
    let engagement = message.engagement.unwrap();
    assert_eq!(engagement.state(), EngagementState::Left);
    assert_eq!(engagement.last_on, Some(date_to_proto(date(2024, 5, 10))));
    assert_eq!(engagement.deadline, Some(date_to_proto(date(2024, 8, 8))));
    assert_eq!(engagement.reason, "days");
    assert!(engagement.confirmed);
    let credential = message.credential.unwrap();
    assert_eq!(credential.state(), CredentialState::Completer);
    assert_eq!(credential.awards[0].code, "CNA");
    assert_eq!(
        message.reasons,
        [
            "participant from 2024-05-10; could be told from 2024-08-08",
            "left on 2024-05-10: no qualifying engagement for 90 days; deadline 2024-08-08",
            "completer from 2024-04-01: CNA (license, 2024-04-01)",
        ]
    );
}

#[test]
fn ids_of_events_stay_with_their_agency() {
    let message = served(&status(Engagement::Active));
    let ids: Vec<_> =
        message.events.iter().map(|e| (e.agency.as_str(), e.source_event_id.as_str())).collect();
    assert_eq!(ids, [("college", "e1"), ("workforce", "")]);
    let warning = message.warnings[0].event.clone().unwrap();
    assert_eq!((message.warnings[0].kind.as_str(), warning.source_event_id.as_str()), {
        ("unknown_term", "")
    });
}

#[test]
fn a_gap_names_the_sources_it_waits_for() {
    let gap = Engagement::InGap {
        last_day: date(2024, 5, 10),
        deadline: date(2024, 8, 8),
        reason: GapReason::TermBridge,
        unconfirmed: vec!["college".parse().unwrap()],
    };
    let message = served(&status(gap));
    let engagement = message.engagement.unwrap();
    assert_eq!(engagement.unconfirmed_sources, ["college"]);
    assert_eq!(engagement.reason, "term_bridge");
    assert!(message.reasons[1].ends_with("not confirmed while data is overdue from college"));
}

#[test]
fn a_person_whom_nothing_touches_has_three_empty_facets() {
    let nothing = Status {
        participation: Participation::None,
        credential: None,
        spells: Vec::new(),
        ..status(Engagement::None)
    };
    let message = served(&nothing);
    assert_eq!(message.participation.unwrap().state(), ParticipationState::None);
    assert_eq!(message.engagement.unwrap().state(), EngagementState::None);
    assert_eq!(message.credential.unwrap().state(), CredentialState::None);
    assert_eq!(message.label, "none");
    assert!(message.reasons.is_empty());
}

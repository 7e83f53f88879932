//! What profiles decide beside one another, and when what they decide was told.

#![expect(clippy::unwrap_used, reason = "a profile that cannot be read fails the test")]

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use pathways::{
    Engagement, Event, EventDetail, Participation, Registry, RuleProfile, RuleProfiles, Rules,
    Scope, Since, Status,
};

fn registry() -> Registry {
    Registry::parse(&[("registry.toml", include_str!("tables/registry.toml"))]).unwrap()
}

fn profile(changes: &[(&str, &str)]) -> RuleProfile {
    let mut text = pathways::DEFAULT_PROFILE.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    RuleProfile::parse("changed", &text).unwrap()
}

fn event(id: &str, received_on: Date, detail: EventDetail) -> Event {
    Event {
        source: "college".parse().unwrap(),
        local_id: "A1".parse().unwrap(),
        source_event_id: id.to_owned(),
        received_on,
        supersedes: None,
        purpose_tags: BTreeSet::new(),
        detail,
    }
}

fn enrollment(course: &str, start: Date, end: Date) -> Event {
    let detail = EventDetail::Enrollment {
        program: None,
        course: Some(course.to_owned()),
        term: None,
        credits_tenths: None,
        award_level: None,
        start,
        end,
    };
    event(course, start, detail)
}

fn status(
    events: &[Event],
    profiles: &RuleProfiles,
    scope: &str,
    as_of: Date,
    known_at: Date,
) -> Status {
    let scope = match scope {
        "system" => Scope::System,
        pathway => Scope::Pathway(pathway.parse().unwrap()),
    };
    Rules::new(&registry(), profiles).status(events, &scope, as_of, known_at).unwrap()
}

#[test]
fn an_exclusion_from_the_system_is_judged_by_the_profile_of_each_pathway() {
    let no_window = profile(&[("deceased = 4", "deceased = 0")]);
    let of_manufacturing =
        profile(&[("profile = \"S1\"", "profile = \"MF\"\npathways = [\"MF-1\"]")]);
    let profiles: RuleProfiles = [no_window, of_manufacturing].into_iter().collect();
    let (died, asked) = (date(2024, 6, 3), date(2024, 7, 1));
    let exclusion = EventDetail::Exclusion { reason: "deceased".to_owned(), from: died };
    let events = [
        enrollment("NUR101", date(2024, 1, 8), date(2024, 2, 15)),
        enrollment("WLD101", date(2024, 1, 8), date(2024, 2, 9)),
        event("died", died, exclusion),
    ];
    let is_excluded = |scope| {
        let status = status(&events, &profiles, scope, asked, asked);
        assert!(matches!(status.engagement, Engagement::Left { .. }), "{status:#?}");
        status.exclusions.iter().any(|it| it.applies)
    };
    assert!(!is_excluded("HC-1"));
    assert!(is_excluded("MF-1"));
    assert!(is_excluded("system"));
}

#[test]
fn a_leave_by_a_profile_is_told_from_its_publication() {
    let later = profile(&[
        ("version = 1", "version = 2"),
        ("published_on = 2021-07-01", "published_on = 2024-05-06"),
        ("gap_days = 90", "gap_days = 60"),
    ]);
    let profiles: RuleProfiles = [profile(&[]), later].into_iter().collect();
    let events = [enrollment("NUR101", date(2024, 1, 8), date(2024, 2, 15))];
    let at = |as_of, known_at| status(&events, &profiles, "HC-1", as_of, known_at);
    let (as_of, published) = (date(2024, 5, 1), date(2024, 5, 6));
    let before = at(as_of, date(2024, 5, 5));
    assert!(matches!(before.engagement, Engagement::InGap { .. }), "{before:#?}");
    let then = at(as_of, published);
    let Engagement::Left { since, deadline, .. } = then.engagement else { panic!("{then:#?}") };
    let effective = date(2024, 2, 15);
    assert_eq!(since, Since { effective, determinable: published, known: published });
    assert_eq!(deadline, date(2024, 4, 15));
    let first = date(2024, 1, 8);
    let entry = Since { effective: first, determinable: first, known: first };
    assert_eq!(then.participation, Participation::Participant(entry));
}

#[test]
fn the_next_day_of_change_is_that_on_which_a_sent_event_is_heard() {
    let profiles = profile(&[]).into();
    let registry = registry();
    let rules = Rules::new(&registry, &profiles);
    let mut late = enrollment("NUR102", date(2024, 2, 5), date(2024, 3, 29));
    late.received_on = date(2024, 3, 4);
    let events = [enrollment("NUR101", date(2024, 1, 8), date(2024, 2, 15)), late];
    let next = |day| rules.assess(&events, day).next_transition;
    assert_eq!(next(date(2024, 2, 16)), Some(date(2024, 3, 4)));
    assert_eq!(next(date(2024, 3, 4)), Some(date(2024, 3, 30)));
}

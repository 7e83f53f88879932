//! What people of the made-up state do: believable stories that follow the registry.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeBounds,
    sync::LazyLock,
};

use jiff::{ToSpan, civil::Date};
use pathways::{Columns, CredentialKind, Event, EventDetail, Registry, event_from_row};
use record::RecordKey;
use synthetic::{Agency, Catalog, PersonId, Settings, State};

const PEOPLE: u32 = 1_500;
static STATE: LazyLock<State> =
    LazyLock::new(|| State::generate(&Settings { people: PEOPLE, ..Settings::default() }));
static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let files = [("registry.toml", include_str!("registry.toml"))];
    Catalog::new(&Registry::parse(&files).expect("a sound registry"))
});
static EVENTS: LazyLock<Vec<Event>> = LazyLock::new(|| STATE.events(&CATALOG).collect());

/// How many events of an agency `is` true of.
fn count(agency: Agency, is: impl Fn(&EventDetail) -> bool) -> usize {
    EVENTS.iter().filter(|it| it.source == agency.id() && is(&it.detail)).count()
}

#[test]
fn the_same_settings_give_the_same_events() {
    let again = State::generate(&STATE.settings);
    assert!(again.events(&CATALOG).take(2_000).eq(EVENTS.iter().take(2_000).cloned()));
    let other = State::generate(&Settings { seed: 7, ..STATE.settings.clone() });
    assert!(other.events(&CATALOG).take(2_000).ne(EVENTS.iter().take(2_000).cloned()));
}

#[test]
fn every_event_passes_its_checks_and_names_a_record_of_its_agency() {
    let records: BTreeMap<_, _> = STATE.truth().collect();
    let mut ids = BTreeSet::new();
    for event in &*EVENTS {
        assert_eq!(event.check(), Ok(()));
        let record = RecordKey::new(event.source.clone(), event.local_id.clone());
        assert!(records.contains_key(&record));
        assert!(ids.insert((&event.source, &event.source_event_id)), "{}", event.source_event_id);
    }
}

#[test]
fn the_service_takes_every_event_by_the_shipped_registry_and_profile() {
    let (registry, profiles) = (pathways::default_registry(), pathways::default_profiles());
    let catalog = Catalog::new(&registry);
    for event in STATE.events(&catalog) {
        assert_eq!(registry.latest().check(&event), Ok(()), "{event:?}");
        assert_eq!(profiles.check(&event), Ok(()), "{event:?}");
    }
}

#[test]
fn the_events_of_a_person_name_the_records_of_that_person() {
    for person in (0..300).map(PersonId) {
        let own: BTreeSet<_> = STATE
            .records_of(person)
            .map(|(agency, record)| (agency.id(), record.row.local_id.clone()))
            .collect();
        for event in STATE.events_of(person, &CATALOG) {
            assert!(own.contains(&(event.source, event.local_id)));
        }
    }
}

#[test]
fn nothing_is_received_before_it_happened_or_after_the_last_day() {
    for event in &*EVENTS {
        let happened = match &event.detail {
            EventDetail::Enrollment { start, .. } => *start,
            EventDetail::Drop { on, .. }
            | EventDetail::Withdrawal { on, .. }
            | EventDetail::ClassHours { on, .. }
            | EventDetail::Exit { on, .. }
            | EventDetail::Revocation { on, .. } => *on,
            EventDetail::Service { end, .. } => *end,
            EventDetail::PlannedGap { recorded_on, .. } => *recorded_on,
            EventDetail::Credential { awarded_on, .. } => *awarded_on,
            EventDetail::Wages { quarter, .. } => {
                Date::new(quarter.year, quarter.number as i8 * 3, 1).unwrap()
            }
            EventDetail::Attribute { from, .. } => *from,
            EventDetail::TransferOut { on, .. }
            | EventDetail::EnrollmentElsewhere { on, .. }
            | EventDetail::PathwayFlag { start: on, .. } => *on,
            EventDetail::Void { .. } => STATE.settings.from,
            other => panic!("the made-up state reports no {}", pathways::csv_event::kind(other)),
        };
        assert!(happened <= event.received_on && event.received_on <= STATE.settings.until);
    }
}

#[test]
fn a_correction_names_an_earlier_event_of_the_same_agency() {
    let received: BTreeMap<_, _> =
        EVENTS.iter().map(|it| ((&it.source, &it.source_event_id), it.received_on)).collect();
    let mut corrections = 0;
    for event in &*EVENTS {
        if let EventDetail::Void { voided_event_id: id }
        | EventDetail::Revocation { credential_event_id: id, .. } = &event.detail
        {
            corrections += 1;
            assert!(received[&(&event.source, id)] < event.received_on);
        }
    }
    assert!(corrections > 5);
}

#[test]
fn people_drop_withdraw_take_breaks_and_complete() {
    let enrolled = count(Agency::College, |it| matches!(it, EventDetail::Enrollment { .. }));
    let dropped = count(Agency::College, |it| matches!(it, EventDetail::Drop { .. }));
    let withdrawn = count(Agency::College, |it| matches!(it, EventDetail::Withdrawal { .. }));
    assert!((0.05..0.2).contains(&(dropped as f64 / enrolled as f64)));
    assert!((0.03..0.15).contains(&(withdrawn as f64 / enrolled as f64)));
    assert!(count(Agency::College, |it| matches!(it, EventDetail::PlannedGap { .. })) > 3);
    let degree = |it: &EventDetail| {
        matches!(it, EventDetail::Credential { kind: CredentialKind::AssociateDegree, .. })
    };
    assert!(count(Agency::College, degree) > 3);
    let license = |it: &EventDetail| {
        matches!(it, EventDetail::Credential { kind: CredentialKind::License, .. })
    };
    assert!(count(Agency::College, license) > 15 && count(Agency::Workforce, license) > 5);
}

#[test]
fn some_return_after_a_term_away() {
    let required = |it: &str| !it.starts_with('U');
    let mut terms: BTreeMap<_, BTreeSet<Date>> = BTreeMap::new();
    for event in EVENTS.iter().filter(|it| it.source == Agency::College.id()) {
        if let EventDetail::Enrollment { term: Some(term), start, .. } = &event.detail
            && required(term)
        {
            terms.entry(&event.local_id).or_default().insert(*start);
        }
    }
    let away = |days: &&BTreeSet<Date>| {
        let days: Vec<Date> = days.iter().copied().collect();
        days.windows(2).any(|it| it[0].duration_until(it[1]).as_hours() > 24 * 300)
    };
    assert!(terms.values().filter(away).count() * 50 > terms.len());
}

#[test]
fn each_agency_reports_what_it_knows() {
    assert_eq!(count(Agency::Wages, |it| matches!(it, EventDetail::Enrollment { .. })), 0);
    for event in &*EVENTS {
        if matches!(event.detail, EventDetail::Wages { .. }) {
            assert_eq!(event.source, Agency::Wages.id());
        }
        if let EventDetail::Service { code, .. } = &event.detail
            && code == "OST-WLD"
        {
            assert_eq!(event.source, Agency::Workforce.id());
        }
    }
    assert!(count(Agency::AdultEd, |it| matches!(it, EventDetail::ClassHours { .. })) > 500);
    assert!(count(Agency::HumanServices, |it| matches!(it, EventDetail::Service { .. })) > 150);
    assert!(count(Agency::Wages, |it| matches!(it, EventDetail::Wages { .. })) > 2_000);
}

#[test]
fn attributes_carry_the_purposes_they_were_sent_for() {
    for name in ["demographic_group", "funding_stream", "region"] {
        let is_named = |it: &&Event| match &it.detail {
            EventDetail::Attribute { name: named, .. } => named == name,
            _ => false,
        };
        let tagged: Vec<_> = EVENTS.iter().filter(is_named).collect();
        assert!(tagged.len() > 200 && tagged.iter().all(|it| !it.purpose_tags.is_empty()));
    }
}

/// The events file of an agency with what was received on some days.
fn events_csv(agency: Agency, received: impl RangeBounds<Date>) -> String {
    let mut out = Vec::new();
    STATE.write_events_csv(agency, &CATALOG, received, &mut out).expect("a list takes every byte");
    String::from_utf8(out).expect("codes are text")
}

#[test]
fn the_events_files_of_two_periods_hold_each_event_once() {
    let middle = STATE.settings.from.saturating_add(3.years());
    for agency in [Agency::AdultEd, Agency::HumanServices] {
        let before = events_csv(agency, ..middle).lines().count() - 1;
        let after = events_csv(agency, middle..).lines().count() - 1;
        assert!(before > 0 && after > 0);
        assert_eq!(before + after, count(agency, |_| true));
    }
}

#[test]
fn an_events_file_is_read_back_as_the_events_it_holds() {
    for agency in Agency::ALL {
        let text = events_csv(agency, ..);
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let columns = Columns::of_events(lines.next().unwrap()).unwrap();
        let read = lines
            .map(|row| event_from_row(&agency.id(), &columns, &row, STATE.settings.until).unwrap());
        assert!(read.eq(EVENTS.iter().filter(|it| it.source == agency.id()).cloned()));
    }
}

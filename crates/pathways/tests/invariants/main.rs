//! What holds for every set of events, whatever the rules made of them.

#![expect(clippy::unwrap_used, reason = "a table that cannot be read fails the test")]

use jiff::{ToSpan, civil::Date};
use pathways::{
    Engagement, Event, EventDetail, Participation, RuleProfiles, Rules, Scope, Since, Status,
};
use proptest::{prelude::*, sample::select};

mod history;
mod rules;

use history::{DAYS, FIRST, day, days, events, last_days, standing};
use rules::{completeness, first_registry, profiles, registry};

fn statuses(events: &[Event], profiles: &RuleProfiles, as_of: Date, known_at: Date) -> Vec<Status> {
    Rules::new(registry(), profiles).statuses(events, as_of, known_at).unwrap()
}

fn check_one(status: &Status) {
    let participant = matches!(status.participation, Participation::Participant(_));
    assert_eq!(participant, status.engagement != Engagement::None, "{status:#?}");
    assert_eq!(participant, !status.spells.is_empty(), "{status:#?}");
    assert!(participant || status.credential.is_none(), "{status:#?}");
    if let Participation::Participant(since) = status.participation {
        assert!(since.effective <= status.as_of && since.determinable <= since.known);
        assert!(since.known <= status.known_at, "{status:#?}");
        assert!(status.spells.iter().all(|it| since.effective <= it.last_day), "{status:#?}");
    }
    if let Some(completer) = &status.credential {
        assert!(completer.first_on <= completer.determinable, "{status:#?}");
        assert!(completer.determinable <= completer.known, "{status:#?}");
        assert!(completer.known <= status.known_at, "{status:#?}");
    }
    for pair in status.spells.windows(2) {
        assert!(pair[0].last_day < pair[1].start && pair[0].ended, "{status:#?}");
    }
    let last = status.spells.last();
    match &status.engagement {
        Engagement::Left { since, .. } | Engagement::Transferred { since, .. } => {
            assert!(since.effective <= status.as_of && since.effective < since.determinable);
            assert!(since.known <= status.known_at, "{status:#?}");
            // In the system a leave outranks a transfer, even a later one.
            let is_last_day = |day| day == since.effective || status.scope == Scope::System;
            assert!(last.is_some_and(|it| it.ended && is_last_day(it.last_day)), "{status:#?}");
        }
        Engagement::InGap { last_day, deadline, .. } => {
            assert!(last_day < &status.as_of && last_day < deadline, "{status:#?}");
            assert!(last.is_some_and(|it| !it.ended && it.last_day == *last_day), "{status:#?}");
        }
        Engagement::Active => {
            assert!(last.is_some_and(|it| !it.ended && it.last_day == status.as_of));
        }
        Engagement::None => {}
    }
}

/// The first day on which an event is about something that did happen.
fn happened(detail: &EventDetail) -> Option<Date> {
    match detail {
        EventDetail::Enrollment { start, .. }
        | EventDetail::Service { start, .. }
        | EventDetail::Training { start, .. }
        | EventDetail::PathwayFlag { start, .. } => Some(*start),
        EventDetail::ClassHours { on, .. }
        | EventDetail::TransferOut { on, .. }
        | EventDetail::EnrollmentElsewhere { on, .. } => Some(*on),
        EventDetail::Credential { awarded_on, .. } => Some(*awarded_on),
        _ => None,
    }
}

fn without_days_of_receipt(mut statuses: Vec<Status>) -> Vec<Status> {
    for status in &mut statuses {
        if let Participation::Participant(since) = &mut status.participation {
            since.known = FIRST;
        }
        if let Engagement::Left { since, .. } | Engagement::Transferred { since, .. } =
            &mut status.engagement
        {
            since.known = FIRST;
        }
        if let Some(completer) = &mut status.credential {
            completer.known = FIRST;
        }
    }
    statuses
}

/// A fact with its dates.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    scope: Scope,
    kind: &'static str,
    effective: Date,
    determinable: Date,
    known: Date,
}

impl Fact {
    fn dates(&self) -> (&Scope, &'static str, Date, Date) {
        (&self.scope, self.kind, self.effective, self.determinable)
    }
}

/// The dated facts of a status.
fn facts(status: &Status) -> Vec<Fact> {
    let fact = |kind, effective, determinable, known| Fact {
        scope: status.scope.clone(),
        kind,
        effective,
        determinable,
        known,
    };
    let of = |kind, since: &Since| fact(kind, since.effective, since.determinable, since.known);
    let entry = match &status.participation {
        Participation::Participant(since) => Some(of("participant", since)),
        _ => None,
    };
    let gone = match &status.engagement {
        Engagement::Left { since, .. } => Some(of("left", since)),
        Engagement::Transferred { since, .. } => Some(of("transferred", since)),
        _ => None,
    };
    let completer = status.credential.as_ref();
    let award = completer.map(|it| fact("completer", it.first_on, it.determinable, it.known));
    entry.into_iter().chain(gone).chain(award).collect()
}

fn scopes() -> Vec<Option<Scope>> {
    vec![Some(Scope::Pathway("HC-1".parse().unwrap())), Some(Scope::System), None]
}

fn without_events(mut statuses: Vec<Status>) -> Vec<Status> {
    for status in &mut statuses {
        status.contributing.clear();
        status.warnings.clear();
    }
    statuses
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_facets_of_a_status_fit_together(
        events in events(), (as_of, known_at) in days(), profile in select(profiles().to_vec()),
    ) {
        let statuses = statuses(&events, &profile, as_of, known_at);
        let ends = last_days(&events, known_at);
        let is = |status: &Status, state: fn(&Engagement) -> bool| {
            status.scope != Scope::System && state(&status.engagement)
        };
        let engaged = statuses.iter().any(|it| {
            is(it, |it| matches!(it, Engagement::Active | Engagement::InGap { .. }))
        });
        let left = statuses.iter().any(|it| is(it, |it| matches!(it, Engagement::Left { .. })));
        for status in &statuses {
            check_one(status);
            let mut ended = status.spells.iter().filter(|it| it.ended);
            prop_assert!(ended.all(|it| ends.contains(&it.last_day)), "{status:#?}");
            if status.scope == Scope::System {
                prop_assert_eq!(status.leave_date().is_some(), left && !engaged);
            }
            prop_assert!(!status.reasons().is_empty());
        }
    }

    #[test]
    fn the_order_and_the_repetition_of_events_change_nothing(
        (events, shuffled) in events().prop_flat_map(|events| {
            let mut again = events.clone();
            again.extend(events.iter().cloned());
            (Just(events), Just(again).prop_shuffle())
        }),
        (as_of, known_at) in days(), profile in select(profiles().to_vec()),
    ) {
        let once = statuses(&events, &profile, as_of, known_at);
        prop_assert_eq!(&statuses(&events, &profile, as_of, known_at), &once);
        prop_assert_eq!(&statuses(&shuffled, &profile, as_of, known_at), &once);
    }

    #[test]
    fn a_service_split_into_two_touching_ones_changes_nothing(
        events in events(), place in any::<proptest::sample::Index>(), cut in 0..150_i32,
        (as_of, known_at) in days(), profile in select(profiles().to_vec()),
    ) {
        let whole = place.get(&events);
        let EventDetail::Service { code, program, start, end } = whole.detail.clone() else {
            return Ok(());
        };
        let first_end = start.checked_add(cut.days()).unwrap();
        if first_end >= end {
            return Ok(());
        }
        let part = |id: &str, start, end| {
            let (code, program) = (code.clone(), program.clone());
            let detail = EventDetail::Service { code, program, start, end };
            Event { source_event_id: id.to_owned(), detail, ..whole.clone() }
        };
        let mut split = events.clone();
        split.retain(|it| it != whole);
        split.push(part(&whole.source_event_id, start, first_end));
        split.push(part("second", first_end.tomorrow().unwrap(), end));
        // A void or a correction of the whole is to be one of both parts.
        let heard = FIRST.checked_add((DAYS + 1).days()).unwrap();
        prop_assume!(standing(&events, heard).contains(&whole));
        prop_assert_eq!(
            without_events(statuses(&split, &profile, as_of, known_at)),
            without_events(statuses(&events, &profile, as_of, known_at))
        );
    }

    #[test]
    fn the_order_of_arrival_changes_nothing_in_the_end(
        (events, received) in events().prop_flat_map(|events| {
            let received: Vec<Date> = events.iter().map(|it| it.received_on).collect();
            (Just(events), Just(received).prop_shuffle())
        }),
        as_of in day(), profile in select(profiles().to_vec()),
    ) {
        let known_at = FIRST.checked_add((DAYS + 1).days()).unwrap();
        let mut otherwise = events.clone();
        for (event, received_on) in otherwise.iter_mut().zip(received) {
            event.received_on = received_on;
        }
        prop_assert_eq!(
            without_days_of_receipt(statuses(&otherwise, &profile, as_of, known_at)),
            without_days_of_receipt(statuses(&events, &profile, as_of, known_at))
        );
    }

    #[test]
    fn a_confirmed_leave_falls_only_by_new_events(
        events in events(), (as_of, known_at) in days(), later in day(),
        profile in select(profiles().to_vec()),
    ) {
        let later = later.max(known_at);
        let mut events = events;
        for event in &mut events {
            // What is told before it happens is news on the day on which it does.
            event.received_on = happened(&event.detail).map_or(event.received_on, |day| {
                day.max(event.received_on)
            });
        }
        events.retain(|it| it.received_on <= known_at);
        let completeness = completeness();
        let (registry, profiles) = (first_registry(), &profile);
        let rules = Rules { registry, profiles, completeness: Some(&completeness) };
        let then = rules.statuses(&events, as_of, later).unwrap();
        for status in rules.statuses(&events, as_of, known_at).unwrap() {
            let Engagement::Left { confirmed: true, since, .. } = status.engagement else {
                continue;
            };
            let still = then.iter().find(|it| it.scope == status.scope);
            prop_assert_eq!(still.and_then(Status::leave_date), Some(since.effective));
        }
    }

    /// Asked on the day from which it is known, a fact is the same; on the day before it is not.
    #[test]
    fn a_fact_is_known_from_the_first_day_on_which_it_was_said_to_the_end(
        events in events(), (as_of, known_at) in days(), profile in select(profiles().to_vec()),
        held_back in any::<bool>(),
    ) {
        let completeness = completeness();
        let mut rules = Rules::new(registry(), &profile);
        if held_back {
            rules = rules.with_completeness(&completeness);
        }
        let told = |day: Date| {
            let statuses = rules.statuses(&events, as_of.min(day), day).unwrap();
            statuses.iter().flat_map(facts).collect::<Vec<_>>()
        };
        for fact in told(known_at) {
            let known = fact.known;
            prop_assert!(fact.effective <= fact.determinable && fact.determinable <= known);
            prop_assert!(known <= known_at);
            prop_assert!(told(known).contains(&fact), "not yet on {known}: {fact:?}");
            let before = told(known.yesterday().unwrap());
            let is_same = |it: &&Fact| it.dates() == fact.dates();
            prop_assert!(!before.iter().any(|it| is_same(&it)), "before {known}: {fact:?}");
        }
    }

    #[test]
    fn what_is_received_later_is_not_known(
        events in events(), (as_of, known_at) in days(), profile in select(profiles().to_vec()),
    ) {
        let mut known = events.clone();
        known.retain(|it| it.received_on <= known_at);
        prop_assert_eq!(
            statuses(&known, &profile, as_of, known_at),
            statuses(&events, &profile, as_of, known_at)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_status_stays_to_the_day_before_the_next_transition_and_changes_on_it(
        events in events(), as_of in day(), profile in select(profiles().to_vec()),
        held_back in any::<bool>(),
        scope in select(scopes()),
    ) {
        let completeness = completeness();
        let mut rules = Rules::new(registry(), &profile);
        if held_back {
            rules = rules.with_completeness(&completeness);
        }
        let at = |day| {
            let mut statuses = rules.statuses(&events, day, day).unwrap();
            statuses.retain(|it| scope.as_ref().is_none_or(|scope| it.scope == *scope));
            statuses
        };
        let now = at(as_of);
        let same = |then: &[Status]| {
            then.len() == now.len() && then.iter().zip(&now).all(|(a, b)| a.says_the_same(b))
        };
        let next = rules.next_transition(&events, scope.as_ref(), as_of);
        let last = next.unwrap_or_else(|| as_of.checked_add(1_200.days()).unwrap());
        let mut day = as_of;
        while day < last {
            prop_assert!(same(&at(day)), "changed on {day}, not on {next:?}");
            day = day.tomorrow().unwrap();
        }
        if let Some(next) = next {
            prop_assert!(next > as_of && !same(&at(next)), "the same on {next}");
        }
    }

    #[test]
    fn what_is_served_of_a_status_lasts_to_the_day_before_it_is_to_be_asked_again(
        events in events(), as_of in day(), profile in select(profiles().to_vec()),
        held_back in any::<bool>(),
    ) {
        let completeness = completeness();
        let mut rules = Rules::new(registry(), &profile);
        if held_back {
            rules = rules.with_completeness(&completeness);
        }
        let now = rules.assess(&events, as_of);
        let same = |then: &[Status]| {
            let mut pairs = then.iter().zip(&now.statuses);
            then.len() == now.statuses.len()
                && pairs.all(|(a, b)| a.lasts(b) && a.reasons() == b.reasons())
        };
        let next = now.next_transition;
        let last = next.unwrap_or_else(|| as_of.checked_add(1_200.days()).unwrap());
        let mut day = as_of;
        while day < last {
            let then = rules.statuses(&events, day, day).unwrap();
            prop_assert!(same(&then), "changed on {day}, not on {next:?}");
            prop_assert_eq!(rules.touches(&events, day, day).unwrap(), !then.is_empty());
            day = day.tomorrow().unwrap();
        }
        if let Some(next) = next {
            let then = rules.statuses(&events, next, next).unwrap();
            prop_assert!(next > as_of && !same(&then), "the same on {next}");
        }
    }
}

#[test]
fn a_status_as_known_before_its_own_day_is_refused() {
    let rules = Rules::new(registry(), &profiles()[0]);
    assert!(rules.statuses(&[], FIRST, FIRST.yesterday().unwrap()).is_err());
    assert!(rules.statuses(&[], FIRST, FIRST).is_ok());
}

//! Made-up histories of one person, and what in them stands.

use std::collections::BTreeSet;

use jiff::{ToSpan, civil::Date};
use pathways::{
    CodeSystem, CredentialKind, Event, EventDetail, OccupationCode, OccupationSystem, ProgramCode,
};
use proptest::{prelude::*, sample::select};

use crate::rules::registry;

pub(crate) const FIRST: Date = Date::constant(2023, 8, 1);
pub(crate) const DAYS: i32 = 700;

pub(crate) fn day() -> impl Strategy<Value = Date> {
    (0..DAYS).prop_map(|after| FIRST.checked_add(after.days()).unwrap())
}

pub(crate) fn stretch() -> impl Strategy<Value = (Date, Date)> {
    (day(), 0..150_i32).prop_map(|(start, days)| (start, start.checked_add(days.days()).unwrap()))
}

pub(crate) fn term() -> impl Strategy<Value = (Option<String>, Date, Date)> {
    let in_term = registry().latest().terms.iter();
    let terms: Vec<_> = in_term.map(|it| (Some(it.id.clone()), it.start, it.end)).collect();
    prop_oneof![4 => select(terms), 1 => stretch().prop_map(|(start, end)| (None, start, end))]
}

pub(crate) fn course() -> impl Strategy<Value = String> {
    select(vec!["NUR101", "NUR102", "WLD101", "MATH-T", "HSC050", "PHL110", "ENG101"])
        .prop_map(str::to_owned)
}

pub(crate) fn detail() -> impl Strategy<Value = EventDetail> {
    prop_oneof![
        8 => college(),
        3 => class_hours(),
        5 => service(),
        1 => training(),
        1 => day().prop_map(|on| EventDetail::Exit {
            program: "adult".to_owned(),
            on,
            reason: None,
        }),
        2 => (stretch(), -10..160_i32).prop_map(|((start, end), after)| {
            let recorded_on = start.checked_add(after.days()).unwrap();
            EventDetail::PlannedGap { start, end, recorded_on }
        }),
        2 => (day(), select(vec!["CNA", "ADN", "OSHA-10"])).prop_map(|(awarded_on, code)| {
            let (kind, code) = (CredentialKind::License, code.to_owned());
            EventDetail::Credential { kind, code, system: None, awarded_on, number: None }
        }),
        1 => (0..8_usize, day()).prop_map(|(event, on)| EventDetail::Revocation {
            credential_event_id: format!("e{event}"),
            on,
            reason: None,
        }),
        2 => statement(),
        1 => (0..8_usize).prop_map(|event| {
            EventDetail::Void { voided_event_id: format!("e{event}") }
        }),
    ]
}

pub(crate) fn program() -> impl Strategy<Value = Option<ProgramCode>> {
    let program = ProgramCode { system: CodeSystem::Cip2020, code: "51.0801".to_owned() };
    prop_oneof![3 => Just(None), 1 => Just(Some(program))]
}

pub(crate) fn college() -> impl Strategy<Value = EventDetail> {
    let credits = select(vec![None, Some(20), Some(35)]);
    let enrollment = (course(), program(), term(), credits, 0..3_u8);
    let within = |(term, start, _): (Option<String>, Date, Date), after: i32| {
        (term, start.checked_add(after.days()).unwrap())
    };
    prop_oneof![
        6 => enrollment.prop_map(|(course, program, (term, start, end), credits_tenths, part)| {
            // A part of a term: all of it, its second half, or its first weeks.
            let (start, end) = match part {
                1 => (start.checked_add(50.days()).unwrap().min(end), end),
                2 => (start, start.checked_add(10.days()).unwrap().min(end)),
                _ => (start, end),
            };
            let course = Some(course);
            EventDetail::Enrollment {
                program, course, term, credits_tenths, award_level: None, start, end
            }
        }),
        1 => (course(), term(), -10..60_i32).prop_map(move |(course, term, after)| {
            let (term, on) = within(term, after);
            EventDetail::Drop { course, term, on }
        }),
        1 => (proptest::option::of(course()), day()).prop_map(|(course, on)| {
            EventDetail::Withdrawal { course, term: None, on }
        }),
        1 => (proptest::option::of(course()), term(), -10..90_i32).prop_map(
            move |(course, term, after)| {
                let (term, on) = within(term, after);
                EventDetail::Withdrawal { course, term, on }
            }
        ),
    ]
}

pub(crate) fn class_hours() -> impl Strategy<Value = EventDetail> {
    let (class, hours) = (select(vec!["IET-HC", "ESL-9"]), select(vec![0, 200, 600, 1_200]));
    (class, program(), day(), hours).prop_map(|(class, program, on, hours_hundredths)| {
        EventDetail::ClassHours { class: class.to_owned(), program, on, hours_hundredths }
    })
}

pub(crate) fn training() -> impl Strategy<Value = EventDetail> {
    let occupation =
        OccupationCode { system: OccupationSystem::Soc2018, code: "29-2061".to_owned() };
    let occupation = select(vec![None, Some(occupation)]);
    (program(), occupation, stretch()).prop_map(|(study, occupation, (start, end))| {
        EventDetail::Training { program: "adult".to_owned(), study, occupation, start, end }
    })
}

pub(crate) fn service() -> impl Strategy<Value = EventDetail> {
    let code = select(vec!["OST", "COUNSEL", "SUPPORT", "FOLLOW-UP"]);
    let program = select(vec!["adult", "youth"]);
    (code, program, stretch()).prop_map(|(code, program, (start, end))| EventDetail::Service {
        code: code.to_owned(),
        program: program.to_owned(),
        start,
        end,
    })
}

pub(crate) fn statement() -> impl Strategy<Value = EventDetail> {
    let institution = || "STATE-U".to_owned();
    prop_oneof![
        (stretch(), any::<bool>()).prop_map(|((start, end), ends)| {
            let (pathway, end) = ("HC-1".to_owned(), ends.then_some(end));
            EventDetail::PathwayFlag { pathway, start, end }
        }),
        day().prop_map(move |on| EventDetail::TransferOut { institution: institution(), on }),
        day().prop_map(move |on| {
            EventDetail::EnrollmentElsewhere { institution: institution(), on }
        }),
        day().prop_map(|from| EventDetail::Exclusion { reason: "deceased".to_owned(), from }),
    ]
}

pub(crate) fn events() -> impl Strategy<Value = Vec<Event>> {
    let source = select(vec!["college", "workforce"]);
    let supersedes = proptest::option::weighted(0.1, 0..8_usize);
    let event = (detail(), source, day(), supersedes, select(vec!["A1", "A2"]));
    proptest::collection::vec(event, 1..8).prop_map(|events| {
        let numbered = events.into_iter().enumerate();
        numbered
            .map(|(number, (detail, source, received_on, corrected, local_id))| Event {
                source: source.parse().unwrap(),
                local_id: local_id.parse().unwrap(),
                source_event_id: format!("e{number}"),
                received_on,
                supersedes: corrected.filter(|it| *it != number).map(|it| format!("e{it}")),
                purpose_tags: BTreeSet::new(),
                detail,
            })
            .collect()
    })
}

/// Two days, the second not before the first.
pub(crate) fn days() -> impl Strategy<Value = (Date, Date)> {
    (day(), day()).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

/// The events that stand on a day: received by then, and neither voided nor corrected.
pub(crate) fn standing(events: &[Event], known_at: Date) -> Vec<&Event> {
    let heard: Vec<_> = events.iter().filter(|it| it.received_on <= known_at).collect();
    let is_gone = |event: &Event| {
        heard.iter().filter(|it| it.source == event.source).any(|it| {
            let voided = match &it.detail {
                EventDetail::Void { voided_event_id } => Some(voided_event_id),
                _ => None,
            };
            let gone = [it.supersedes.as_ref(), voided];
            gone.into_iter().flatten().any(|id| *id == event.source_event_id)
        })
    };
    heard.iter().copied().filter(|it| !is_gone(it)).collect()
}

/// The last days of what may be an engagement in some pathway, whole or cut short.
pub(crate) fn last_days(events: &[Event], known_at: Date) -> BTreeSet<Date> {
    let events = standing(events, known_at);
    let cuts = events.iter().filter_map(|it| match &it.detail {
        EventDetail::Drop { course, on, .. } => Some((&it.source, Some(course), *on)),
        EventDetail::Withdrawal { course, on, .. } => Some((&it.source, course.as_ref(), *on)),
        _ => None,
    });
    let cuts: Vec<_> = cuts.collect();
    let ends = events.iter().flat_map(|event| match &event.detail {
        EventDetail::Enrollment { course, program, start, end, .. }
            if course.as_deref() != Some("ENG101") || program.is_some() =>
        {
            let cut = cuts.iter().filter(|(source, of, on)| {
                *source == &event.source
                    && of.is_none_or(|of| Some(of) == course.as_ref())
                    && start <= on
                    && on < end
            });
            cut.map(|it| it.2).chain([*end]).collect()
        }
        EventDetail::Service { code, program, end, .. } => match code.as_str() {
            "FOLLOW-UP" => Vec::new(),
            "SUPPORT" if program != "youth" => Vec::new(),
            _ => vec![*end],
        },
        EventDetail::Training { end, .. } => vec![*end],
        EventDetail::ClassHours { on, hours_hundredths: 1.., .. } => vec![*on],
        EventDetail::PathwayFlag { start, end, .. } => vec![end.unwrap_or(*start)],
        _ => Vec::new(),
    });
    ends.collect()
}

//! Events in and out, and what is refused on the way in.

use jiff::{ToSpan, civil::date};
use pathways::{
    CodeSystem, CredentialKind, DevelopmentalStep, EventError, OccupationCode, OccupationSystem,
    ProgramCode, TestPhase,
};
use proptest::{collection, option, prelude::*, sample::select};

use super::*;

fn any_text() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._é-]{1,20}"
}

fn any_day() -> impl Strategy<Value = Date> {
    (0..36_000_i32).prop_map(|days| date(1980, 1, 1) + days.days())
}

fn any_days() -> impl Strategy<Value = (Date, Date)> {
    (any_day(), 0..400_i32).prop_map(|(start, days)| (start, start + days.days()))
}

fn any_code(system: CodeSystem) -> BoxedStrategy<String> {
    match system {
        CodeSystem::Local => any_text().boxed(),
        CodeSystem::Cip2010 | CodeSystem::Cip2020 => "[0-9]{2}\\.[0-9]{4}".boxed(),
    }
}

fn any_program() -> impl Strategy<Value = ProgramCode> {
    select(&CodeSystem::ALL)
        .prop_flat_map(|system| any_code(system).prop_map(move |code| ProgramCode { system, code }))
}

fn any_occupation() -> impl Strategy<Value = OccupationCode> {
    select(&OccupationSystem::ALL).prop_flat_map(|system| {
        let detail = if system == OccupationSystem::Onet2019 { "\\.[0-9]{2}" } else { "" };
        let code = proptest::string::string_regex(&format!("[0-9]{{2}}-[0-9]{{4}}{detail}"));
        code.unwrap().prop_map(move |code| OccupationCode { system, code })
    })
}

fn any_quarter() -> impl Strategy<Value = Quarter> {
    (1900..2200_i16, 1..=4_u8).prop_map(|(year, number)| Quarter { year, number })
}

fn any_enrollment() -> impl Strategy<Value = EventDetail> {
    let level = option::of(select(&CredentialKind::ALL));
    let term = option::of(any_text());
    let credits = option::of(any::<u32>());
    (option::of(any_program()), any_text(), term, credits, level, any_days()).prop_map(
        |(program, course, term, credits_tenths, award_level, (start, end))| {
            let course = Some(course);
            EventDetail::Enrollment {
                program,
                course,
                term,
                credits_tenths,
                award_level,
                start,
                end,
            }
        },
    )
}

fn any_study() -> impl Strategy<Value = EventDetail> {
    let term = || option::of(any_text());
    prop_oneof![
        any_enrollment(),
        (any_text(), term(), any_day()).prop_map(|(course, term, on)| EventDetail::Drop {
            course,
            term,
            on
        }),
        (option::of(any_text()), term(), any_day())
            .prop_map(|(course, term, on)| EventDetail::Withdrawal { course, term, on }),
        (any_text(), term(), any_text(), any::<bool>(), any_day()).prop_map(
            |(course, term, grade, passed, on)| EventDetail::Grade {
                course,
                term,
                grade,
                passed,
                on
            }
        ),
        (any_text(), select(&DevelopmentalStep::ALL), any_day())
            .prop_map(|(subject, step, on)| EventDetail::Developmental { subject, step, on }),
        (any_text(), any_day())
            .prop_map(|(institution, on)| EventDetail::TransferOut { institution, on }),
        (any_text(), any_day())
            .prop_map(|(institution, on)| EventDetail::EnrollmentElsewhere { institution, on }),
        ("[A-Z0-9]{1,8}", any_day()).prop_map(|(id, on)| EventDetail::IdChange {
            former_local_id: id.parse().unwrap(),
            on
        }),
        (any_text(), option::of(any_program()), any_day(), 0..=2400_u32).prop_map(
            |(class, program, on, hours_hundredths)| {
                EventDetail::ClassHours { class, program, on, hours_hundredths }
            }
        ),
        (any_text(), 1..=6_u8, select(&TestPhase::ALL), any_day()).prop_map(
            |(subject, level, phase, on)| EventDetail::EducationalLevel {
                subject,
                level,
                phase,
                on
            }
        ),
    ]
}

fn any_service() -> impl Strategy<Value = EventDetail> {
    prop_oneof![
        (any_text(), any_text(), any_days()).prop_map(|(code, program, (start, end))| {
            EventDetail::Service { code, program, start, end }
        }),
        (any_text(), option::of(any_program()), any_occupation(), any_days()).prop_map(
            |(program, study, occupation, (start, end))| {
                let occupation = Some(occupation);
                EventDetail::Training { program, study, occupation, start, end }
            }
        ),
        (any_text(), any_day(), option::of(any_text()))
            .prop_map(|(program, on, reason)| EventDetail::Exit { program, on, reason }),
        (any_text(), any_day()).prop_map(|(program, on)| EventDetail::Completion { program, on }),
        (any_text(), any_day())
            .prop_map(|(program, on)| EventDetail::AssistanceExit { program, on }),
        (any_days(), any_day()).prop_map(|((start, end), recorded_on)| {
            EventDetail::PlannedGap { start, end, recorded_on }
        }),
    ]
}

fn any_credential() -> impl Strategy<Value = EventDetail> {
    option::of(select(&CodeSystem::ALL)).prop_flat_map(|system| {
        let code = any_code(system.unwrap_or(CodeSystem::Local));
        (select(&CredentialKind::ALL), code, any_day(), option::of("[!-~]{1,64}")).prop_map(
            move |(kind, code, awarded_on, number)| EventDetail::Credential {
                kind,
                code,
                system,
                awarded_on,
                number,
            },
        )
    })
}

fn any_other() -> impl Strategy<Value = EventDetail> {
    let id = || "[!-~]{1,64}";
    prop_oneof![
        any_credential(),
        (any_text(), any_day()).prop_map(|(reason, from)| EventDetail::Exclusion { reason, from }),
        ("[A-Z]{2}-[0-9]", any_days(), any::<bool>()).prop_map(|(pathway, (start, end), ends)| {
            EventDetail::PathwayFlag { pathway, start, end: ends.then_some(end) }
        }),
        (id(), any_day(), option::of(any_text())).prop_map(|(credential_event_id, on, reason)| {
            EventDetail::Revocation { credential_event_id, on, reason }
        }),
        (any_quarter(), any_text(), option::of("[0-9]{2,6}"), any::<i64>()).prop_map(
            |(quarter, employer, naics, amount_cents)| {
                EventDetail::Wages { quarter, employer, naics, amount_cents }
            }
        ),
        (any_text(), any_text(), any_day())
            .prop_map(|(name, value, from)| EventDetail::Attribute { name, value, from }),
        id().prop_map(|voided_event_id| EventDetail::Void { voided_event_id }),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    let detail = prop_oneof![10 => any_study(), 6 => any_service(), 7 => any_other()];
    let tags = collection::btree_set("[a-z-]{1,8}", 0..4);
    let supersedes = option::of("[!-~]{1,64}");
    ("[A-Z0-9]{1,8}", "[!-~]{1,64}", any_day(), supersedes, tags, detail).prop_map(
        |(local_id, source_event_id, received_on, supersedes, purpose_tags, detail)| Event {
            source: source(),
            local_id: local_id.parse().unwrap(),
            supersedes: supersedes.filter(|it| *it != source_event_id),
            source_event_id,
            received_on,
            purpose_tags,
            detail,
        },
    )
}

fn source() -> AgencyId {
    "college".parse().unwrap()
}

proptest! {
    #[test]
    fn events_are_parsed_back(event in any_event()) {
        let message = event_to_proto(&event);
        prop_assert_eq!(event_from_proto(&message, &source(), event.received_on), Ok(event));
    }
}

fn good(detail: Detail) -> event::Event {
    event::Event {
        local_id: "A-1".to_owned(),
        source_event_id: "e1".to_owned(),
        supersedes: None,
        purpose_tags: vec!["a".to_owned(), "b".to_owned()],
        detail: Some(detail),
    }
}

fn service() -> event::Service {
    event::Service {
        code: "OST".to_owned(),
        program: "adult".to_owned(),
        start: Some(date_to_proto(date(2024, 1, 8))),
        end: Some(date_to_proto(date(2024, 3, 31))),
    }
}

fn refused_field(message: &event::Event) -> String {
    event_from_proto(message, &source(), date(2024, 6, 1)).unwrap_err().violation.field
}

#[test]
fn what_every_event_needs_is_refused_by_path() {
    type Spoil = fn(&mut event::Event);
    let table: [(Spoil, &str); 7] = [
        (|e| e.supersedes = Some("e1".to_owned()), "event.supersedes"),
        (|e| e.local_id = "Ann Smith".to_owned(), "event.local_id"),
        (|e| e.source_event_id.clear(), "event.source_event_id"),
        (|e| e.purpose_tags.swap(0, 1), "event.purpose_tags"),
        (|e| e.purpose_tags[1].push(' '), "event.purpose_tags"),
        (|e| e.purpose_tags = (100..117).map(|n| n.to_string()).collect(), "event.purpose_tags"),
        (|e| e.detail = None, "event.detail"),
    ];
    for (spoil, path) in table {
        let mut message = good(Detail::Service(service()));
        spoil(&mut message);
        assert_eq!(refused_field(&message), path);
    }
}

#[test]
fn what_a_detail_needs_is_refused_by_path() {
    let enrollment = |program| event::Enrollment {
        program,
        start: service().start,
        end: service().end,
        ..event::Enrollment::default()
    };
    let program = |system| event::ProgramCode { system, code: "51.0801".to_owned() };
    let wages = |quarter| event::Wages {
        year: 2024,
        quarter,
        employer: "E1".to_owned(),
        ..event::Wages::default()
    };
    let table = [
        (Detail::Service(event::Service { end: None, ..service() }), "event.service.end"),
        (
            Detail::Service(event::Service {
                end: service().start,
                start: service().end,
                ..service()
            }),
            "event.service.end",
        ),
        (Detail::Enrollment(enrollment(None)), "event.enrollment.course"),
        (Detail::Enrollment(enrollment(Some(program(0)))), "event.enrollment.program.system"),
        (Detail::Enrollment(enrollment(Some(program(99)))), "event.enrollment.program.system"),
        (Detail::Wages(wages(5)), "event.wages.quarter"),
        (Detail::Credential(event::Credential::default()), "event.credential.kind"),
        (Detail::Void(event::Void::default()), "event.void.voided_event_id"),
        (Detail::Developmental(event::Developmental::default()), "event.developmental.step"),
        (Detail::IdChange(event::IdChange::default()), "event.id_change.former_local_id"),
        (
            Detail::Credential(event::Credential { kind: 1, system: 9, ..Default::default() }),
            "event.credential.system",
        ),
    ];
    for (detail, path) in table {
        assert_eq!(refused_field(&good(detail)), path);
    }
}

/// What the domain's own check finds is told by the path of the field, not by a table's column.
#[test]
fn what_a_check_finds_is_refused_by_path() {
    let (start, end) = (date(2024, 1, 8), date(2024, 3, 31));
    let family = || Some(ProgramCode { system: CodeSystem::Cip2020, code: "51.08".to_owned() });
    let nurse = OccupationCode { system: OccupationSystem::Soc2018, code: "nurse".to_owned() };
    let training = |study, occupation| {
        let program = "adult".to_owned();
        EventDetail::Training { program, study, occupation, start, end }
    };
    let hours = |class: &str, program, hours_hundredths| {
        let class = class.to_owned();
        EventDetail::ClassHours { class, program, on: start, hours_hundredths }
    };
    let wages = |employer: &str, naics: Option<&str>, amount_cents| {
        let (quarter, naics) = (Quarter { year: 2024, number: 2 }, naics.map(str::to_owned));
        EventDetail::Wages { quarter, employer: employer.to_owned(), naics, amount_cents }
    };
    let none = String::new;
    let table = [
        (training(family(), None), "training.study.code"),
        (training(None, None), "training.study.code"),
        (training(None, Some(nurse)), "training.occupation.code"),
        (hours("", None, 100), "class_hours.class"),
        (hours("ESL", family(), 100), "class_hours.program.code"),
        (hours("ESL", None, 2_500), "class_hours.hours_hundredths"),
        (wages("", None, 1), "wages.employer"),
        (wages("E1", Some("6"), 1), "wages.naics"),
        (wages("E1", None, 99_999_999), "wages.amount_cents"),
        (EventDetail::Exclusion { reason: none(), from: start }, "exclusion.reason"),
        (
            EventDetail::PathwayFlag { pathway: "HC 1".to_owned(), start, end: None },
            "pathway_flag.pathway",
        ),
        (
            EventDetail::PathwayFlag { pathway: "HC-1".to_owned(), start: end, end: Some(start) },
            "pathway_flag.end",
        ),
        (
            EventDetail::Revocation { credential_event_id: none(), on: start, reason: None },
            "revocation.credential_event_id",
        ),
        (EventDetail::Attribute { name: none(), value: none(), from: start }, "attribute.name"),
    ];
    for (detail, path) in table {
        let message = good(detail_to_proto(&detail));
        assert_eq!(refused_field(&message), format!("event.{path}"));
    }
    let message = good(detail_to_proto(&training(None, None)));
    let of_list = event_refusal(&EventError::Edition("occupation_system"), &message);
    assert_eq!(of_list.violation.field, "event.training.occupation.system");
}

#[test]
fn a_refusal_repeats_nothing_of_the_event() {
    let service = event::Service { code: "Ann Smith ".to_owned(), ..service() };
    let refusal =
        event_from_proto(&good(Detail::Service(service)), &source(), date(2024, 6, 1)).unwrap_err();
    assert!(!refusal.violation.remedy.contains("Ann"), "{refusal:?}");
    assert!(!refusal.violation.remedy.is_empty());
}

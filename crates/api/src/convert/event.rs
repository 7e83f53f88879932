//! Events.

use jiff::civil::Date;
use pathways::{Event, EventDetail, Quarter};
use record::AgencyId;

use self::code::{
    award_level_from_proto, credential_kind_from_proto, occupation_from_proto, occupation_to_proto,
    phase_from_proto, phase_to_proto, program_from_proto, program_to_proto, step_from_proto,
    step_to_proto, system_from_proto, system_to_proto,
};
use super::{RowRefusal, Violation, date_from_proto, date_to_proto, ids::local_id};
use crate::{event, event::event::Detail, limits::MAX_PURPOSE_TAGS, types};

mod code;
mod refusal;

pub(super) use code::credential_kind_to_proto;
pub use refusal::event_refusal;

/// The message of an event. Its source and day of receipt do not travel with it.
pub fn event_to_proto(event: &Event) -> event::Event {
    event::Event {
        local_id: event.local_id.as_str().to_owned(),
        source_event_id: event.source_event_id.clone(),
        supersedes: event.supersedes.clone(),
        purpose_tags: event.purpose_tags.iter().cloned().collect(),
        detail: Some(detail_to_proto(&event.detail)),
    }
}

/// The event in a message that `source` sent and the service received on `received_on`.
///
/// # Errors
/// A [`RowRefusal`] with the path of the first field that does not fit.
pub fn event_from_proto(
    message: &event::Event,
    source: &AgencyId,
    received_on: Date,
) -> Result<Event, RowRefusal> {
    let parse = || {
        let tags = &message.purpose_tags;
        if tags.len() > MAX_PURPOSE_TAGS || !tags.is_sorted_by(|a, b| a < b) {
            let remedy = format!("give at most {MAX_PURPOSE_TAGS} tags, ascending, each once");
            return Err(Violation::new("purpose_tags", remedy));
        }
        let detail = message.detail.as_ref();
        let detail = detail.ok_or_else(|| Violation::new("detail", "say what happened"))?;
        Ok(Event {
            source: source.clone(),
            local_id: local_id(&message.local_id)?,
            source_event_id: message.source_event_id.clone(),
            received_on,
            supersedes: message.supersedes.clone(),
            purpose_tags: tags.iter().cloned().collect(),
            detail: detail_from_proto(detail)
                .map_err(|violation| violation.within(detail_name(detail)))?,
        })
    };
    let event = parse().map_err(|violation: Violation| violation.within("event"))?;
    event.check().map_err(|error| event_refusal(&error, message))?;
    Ok(event)
}

/// The kind of an event as tables of events name it; empty for none that is known.
pub fn event_kind(event: &event::Event) -> &'static str {
    event.detail.as_ref().map_or("", detail_name)
}

fn detail_name(detail: &Detail) -> &'static str {
    match detail {
        Detail::Enrollment(_) => "enrollment",
        Detail::Drop(_) => "drop",
        Detail::Withdrawal(_) => "withdrawal",
        Detail::Grade(_) => "grade",
        Detail::Developmental(_) => "developmental",
        Detail::TransferOut(_) => "transfer_out",
        Detail::EnrollmentElsewhere(_) => "enrollment_elsewhere",
        Detail::IdChange(_) => "id_change",
        Detail::ClassHours(_) => "class_hours",
        Detail::EducationalLevel(_) => "educational_level",
        Detail::Service(_) => "service",
        Detail::Training(_) => "training",
        Detail::Exit(_) => "exit",
        Detail::Completion(_) => "completion",
        Detail::AssistanceExit(_) => "assistance_exit",
        Detail::PlannedGap(_) => "planned_gap",
        Detail::Exclusion(_) => "exclusion",
        Detail::PathwayFlag(_) => "pathway_flag",
        Detail::Credential(_) => "credential",
        Detail::Revocation(_) => "revocation",
        Detail::Wages(_) => "wages",
        Detail::Attribute(_) => "attribute",
        Detail::Void(_) => "void",
    }
}

fn day_to_proto(date: Date) -> Option<types::Date> {
    Some(date_to_proto(date))
}

fn detail_to_proto(detail: &EventDetail) -> Detail {
    match detail.clone() {
        EventDetail::Exclusion { reason, from } => {
            Detail::Exclusion(event::Exclusion { reason, from: day_to_proto(from) })
        }
        EventDetail::PathwayFlag { pathway, start, end } => {
            let (start, end) = (day_to_proto(start), end.and_then(day_to_proto));
            Detail::PathwayFlag(event::PathwayFlag { pathway, start, end })
        }
        EventDetail::Credential { kind, code, system, awarded_on, number } => {
            let kind = credential_kind_to_proto(kind).into();
            let system = system.map_or(event::CodeSystem::Unspecified, system_to_proto).into();
            let awarded_on = day_to_proto(awarded_on);
            Detail::Credential(event::Credential { kind, code, awarded_on, system, number })
        }
        EventDetail::Revocation { credential_event_id, on, reason } => {
            let on = day_to_proto(on);
            Detail::Revocation(event::Revocation { credential_event_id, on, reason })
        }
        EventDetail::Wages { quarter, employer, naics, amount_cents } => {
            let year = u32::from(quarter.year.unsigned_abs());
            let quarter = u32::from(quarter.number);
            Detail::Wages(event::Wages { year, quarter, employer, naics, amount_cents })
        }
        EventDetail::Attribute { name, value, from } => {
            Detail::Attribute(event::Attribute { name, value, from: day_to_proto(from) })
        }
        EventDetail::Void { voided_event_id } => Detail::Void(event::Void { voided_event_id }),
        study_or_service => study_to_proto(study_or_service),
    }
}

/// What colleges and adult education report; all else is a service.
fn study_to_proto(detail: EventDetail) -> Detail {
    match detail {
        EventDetail::Enrollment {
            program,
            course,
            term,
            credits_tenths,
            award_level,
            start,
            end,
        } => Detail::Enrollment(event::Enrollment {
            program: program.map(program_to_proto),
            course,
            term,
            credits_tenths,
            start: day_to_proto(start),
            end: day_to_proto(end),
            award_level: award_level
                .map_or(event::CredentialKind::Unspecified, credential_kind_to_proto)
                .into(),
        }),
        EventDetail::Drop { course, term, on } => {
            Detail::Drop(event::Drop { course, term, on: day_to_proto(on) })
        }
        EventDetail::Withdrawal { course, term, on } => {
            Detail::Withdrawal(event::Withdrawal { course, term, on: day_to_proto(on) })
        }
        EventDetail::Grade { course, term, grade, passed, on } => {
            Detail::Grade(event::Grade { course, term, grade, passed, on: day_to_proto(on) })
        }
        EventDetail::Developmental { subject, step, on } => {
            let step = step_to_proto(step).into();
            Detail::Developmental(event::Developmental { subject, step, on: day_to_proto(on) })
        }
        EventDetail::TransferOut { institution, on } => {
            Detail::TransferOut(event::TransferOut { institution, on: day_to_proto(on) })
        }
        EventDetail::EnrollmentElsewhere { institution, on } => {
            let on = day_to_proto(on);
            Detail::EnrollmentElsewhere(event::EnrollmentElsewhere { institution, on })
        }
        EventDetail::IdChange { former_local_id, on } => Detail::IdChange(event::IdChange {
            former_local_id: former_local_id.as_str().to_owned(),
            on: day_to_proto(on),
        }),
        EventDetail::ClassHours { class, program, on, hours_hundredths } => {
            let (program, on) = (program.map(program_to_proto), day_to_proto(on));
            Detail::ClassHours(event::ClassHours { class, on, hours_hundredths, program })
        }
        EventDetail::EducationalLevel { subject, level, phase, on } => {
            let (level, phase, on) = (level.into(), phase_to_proto(phase).into(), day_to_proto(on));
            Detail::EducationalLevel(event::EducationalLevel { subject, level, phase, on })
        }
        service => service_to_proto(service),
    }
}

/// What workforce boards and human services report.
fn service_to_proto(detail: EventDetail) -> Detail {
    match detail {
        EventDetail::Service { code, program, start, end } => {
            let (start, end) = (day_to_proto(start), day_to_proto(end));
            Detail::Service(event::Service { code, program, start, end })
        }
        EventDetail::Training { program, study, occupation, start, end } => {
            Detail::Training(event::Training {
                program,
                study: study.map(program_to_proto),
                occupation: occupation.map(occupation_to_proto),
                start: day_to_proto(start),
                end: day_to_proto(end),
            })
        }
        EventDetail::Exit { program, on, reason } => {
            Detail::Exit(event::Exit { program, on: day_to_proto(on), reason })
        }
        EventDetail::Completion { program, on } => {
            Detail::Completion(event::Completion { program, on: day_to_proto(on) })
        }
        EventDetail::AssistanceExit { program, on } => {
            Detail::AssistanceExit(event::AssistanceExit { program, on: day_to_proto(on) })
        }
        EventDetail::PlannedGap { start, end, recorded_on } => {
            Detail::PlannedGap(event::PlannedGap {
                start: day_to_proto(start),
                end: day_to_proto(end),
                recorded_on: day_to_proto(recorded_on),
            })
        }
        _ => unreachable!("every other kind is written by the callers"),
    }
}

fn day(date: Option<&types::Date>, field: &'static str) -> Result<Date, Violation> {
    date_from_proto(date, field)
}

fn detail_from_proto(detail: &Detail) -> Result<EventDetail, Violation> {
    Ok(match detail.clone() {
        Detail::Exclusion(m) => {
            EventDetail::Exclusion { reason: m.reason, from: day(m.from.as_ref(), "from")? }
        }
        Detail::PathwayFlag(m) => EventDetail::PathwayFlag {
            pathway: m.pathway,
            start: day(m.start.as_ref(), "start")?,
            end: m.end.as_ref().map(|end| day(Some(end), "end")).transpose()?,
        },
        Detail::Credential(m) => EventDetail::Credential {
            kind: credential_kind_from_proto(m.kind())?,
            system: system_from_proto(m.system, "system")?,
            code: m.code,
            awarded_on: day(m.awarded_on.as_ref(), "awarded_on")?,
            number: m.number,
        },
        Detail::Revocation(m) => EventDetail::Revocation {
            credential_event_id: m.credential_event_id,
            on: day(m.on.as_ref(), "on")?,
            reason: m.reason,
        },
        Detail::Wages(m) => EventDetail::Wages {
            quarter: quarter_from_proto(m.year, m.quarter)?,
            employer: m.employer,
            naics: m.naics,
            amount_cents: m.amount_cents,
        },
        Detail::Attribute(m) => EventDetail::Attribute {
            name: m.name,
            value: m.value,
            from: day(m.from.as_ref(), "from")?,
        },
        Detail::Void(m) => EventDetail::Void { voided_event_id: m.voided_event_id },
        study_or_service => study_from_proto(study_or_service)?,
    })
}

fn study_from_proto(detail: Detail) -> Result<EventDetail, Violation> {
    Ok(match detail {
        Detail::Enrollment(m) => EventDetail::Enrollment {
            award_level: award_level_from_proto(m.award_level)?,
            program: m.program.map(|it| program_from_proto(it, "program")).transpose()?,
            course: m.course,
            term: m.term,
            credits_tenths: m.credits_tenths,
            start: day(m.start.as_ref(), "start")?,
            end: day(m.end.as_ref(), "end")?,
        },
        Detail::Drop(m) => {
            EventDetail::Drop { course: m.course, term: m.term, on: day(m.on.as_ref(), "on")? }
        }
        Detail::Withdrawal(m) => EventDetail::Withdrawal {
            course: m.course,
            term: m.term,
            on: day(m.on.as_ref(), "on")?,
        },
        Detail::Grade(m) => EventDetail::Grade {
            course: m.course,
            term: m.term,
            grade: m.grade,
            passed: m.passed,
            on: day(m.on.as_ref(), "on")?,
        },
        Detail::Developmental(m) => EventDetail::Developmental {
            step: step_from_proto(m.step())?,
            subject: m.subject,
            on: day(m.on.as_ref(), "on")?,
        },
        Detail::TransferOut(m) => {
            EventDetail::TransferOut { institution: m.institution, on: day(m.on.as_ref(), "on")? }
        }
        Detail::EnrollmentElsewhere(m) => EventDetail::EnrollmentElsewhere {
            institution: m.institution,
            on: day(m.on.as_ref(), "on")?,
        },
        Detail::IdChange(m) => EventDetail::IdChange {
            former_local_id: m.former_local_id.parse().map_err(|_| {
                Violation::new("former_local_id", "give 1 to 64 visible characters without '/'")
            })?,
            on: day(m.on.as_ref(), "on")?,
        },
        Detail::ClassHours(m) => EventDetail::ClassHours {
            class: m.class,
            program: m.program.map(|it| program_from_proto(it, "program")).transpose()?,
            on: day(m.on.as_ref(), "on")?,
            hours_hundredths: m.hours_hundredths,
        },
        Detail::EducationalLevel(m) => EventDetail::EducationalLevel {
            phase: phase_from_proto(m.phase())?,
            subject: m.subject,
            level: u8::try_from(m.level)
                .map_err(|_| Violation::new("level", "give a level from 1 to 6"))?,
            on: day(m.on.as_ref(), "on")?,
        },
        service => service_from_proto(service)?,
    })
}

fn service_from_proto(detail: Detail) -> Result<EventDetail, Violation> {
    Ok(match detail {
        Detail::Service(m) => EventDetail::Service {
            code: m.code,
            program: m.program,
            start: day(m.start.as_ref(), "start")?,
            end: day(m.end.as_ref(), "end")?,
        },
        Detail::Training(m) => EventDetail::Training {
            program: m.program,
            study: m.study.map(|it| program_from_proto(it, "study")).transpose()?,
            occupation: m.occupation.map(occupation_from_proto).transpose()?,
            start: day(m.start.as_ref(), "start")?,
            end: day(m.end.as_ref(), "end")?,
        },
        Detail::Exit(m) => EventDetail::Exit {
            program: m.program,
            on: day(m.on.as_ref(), "on")?,
            reason: m.reason,
        },
        Detail::Completion(m) => {
            EventDetail::Completion { program: m.program, on: day(m.on.as_ref(), "on")? }
        }
        Detail::AssistanceExit(m) => {
            EventDetail::AssistanceExit { program: m.program, on: day(m.on.as_ref(), "on")? }
        }
        Detail::PlannedGap(m) => EventDetail::PlannedGap {
            start: day(m.start.as_ref(), "start")?,
            end: day(m.end.as_ref(), "end")?,
            recorded_on: day(m.recorded_on.as_ref(), "recorded_on")?,
        },
        _ => unreachable!("every other kind is read by the callers"),
    })
}

pub(super) fn quarter_from_proto(year: u32, number: u32) -> Result<Quarter, Violation> {
    let year = i16::try_from(year).ok().filter(|year| (1900..=2199).contains(year));
    let quarter = year.zip(u8::try_from(number).ok()).and_then(|(y, n)| Quarter::new(y, n));
    let remedy = "give a year from 1900 to 2199 and a quarter from 1 to 4";
    quarter.ok_or_else(|| Violation::new("quarter", remedy))
}

#[cfg(test)]
mod tests;

//! Events.

use jiff::civil::Date;
use pathways::{CodeSystem, CredentialKind, Event, EventDetail, EventError, ProgramCode, Quarter};
use record::AgencyId;

use super::{RowRefusal, Violation, date_from_proto, date_to_proto, ids::local_id};
use crate::{event, event::event::Detail, limits::MAX_PURPOSE_TAGS, types};

/// The message of an event. Its source and day of receipt do not travel with it.
pub fn event_to_proto(event: &Event) -> event::Event {
    event::Event {
        local_id: event.local_id.as_str().to_owned(),
        source_event_id: event.source_event_id.clone(),
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
        let event = Event {
            source: source.clone(),
            local_id: local_id(&message.local_id)?,
            source_event_id: message.source_event_id.clone(),
            received_on,
            purpose_tags: tags.iter().cloned().collect(),
            detail: detail_from_proto(detail)
                .map_err(|violation| violation.within(detail_name(detail)))?,
        };
        event.check().map_err(|error| misfit(error, detail))?;
        Ok(event)
    };
    parse().map_err(|violation| violation.within("event").into())
}

/// The fault that the domain's own check found. Its text names the field and says what to give.
fn misfit(error: EventError, detail: &Detail) -> Violation {
    let text = error.to_string();
    let remedy = text.split_once(": ").map_or(text.as_str(), |(_, remedy)| remedy);
    let field = match error {
        EventError::Id("event_id") => "source_event_id",
        EventError::Id("purpose_tags") => "purpose_tags",
        _ => detail_name(detail),
    };
    Violation::new(field, remedy)
}

fn detail_name(detail: &Detail) -> &'static str {
    match detail {
        Detail::Enrollment(_) => "enrollment",
        Detail::Drop(_) => "drop",
        Detail::Withdrawal(_) => "withdrawal",
        Detail::ClassHours(_) => "class_hours",
        Detail::Service(_) => "service",
        Detail::Exit(_) => "exit",
        Detail::PlannedGap(_) => "planned_gap",
        Detail::Credential(_) => "credential",
        Detail::Revocation(_) => "revocation",
        Detail::Wages(_) => "wages",
        Detail::Attribute(_) => "attribute",
        Detail::Void(_) => "void",
    }
}

fn detail_to_proto(detail: &EventDetail) -> Detail {
    let day = |date: &Date| Some(date_to_proto(*date));
    match detail.clone() {
        EventDetail::Enrollment { program, course, term, credits_tenths, start, end } => {
            let (start, end) = (day(&start), day(&end));
            let program = program.map(|program| event::ProgramCode {
                system: code_system_to_proto(program.system).into(),
                code: program.code,
            });
            Detail::Enrollment(event::Enrollment {
                program,
                course,
                term,
                credits_tenths,
                start,
                end,
            })
        }
        EventDetail::Drop { course, term, on } => {
            Detail::Drop(event::Drop { course, term, on: day(&on) })
        }
        EventDetail::Withdrawal { course, term, on } => {
            Detail::Withdrawal(event::Withdrawal { course, term, on: day(&on) })
        }
        EventDetail::ClassHours { class, on, hours_hundredths } => {
            Detail::ClassHours(event::ClassHours { class, on: day(&on), hours_hundredths })
        }
        EventDetail::Service { code, program, start, end } => {
            let (start, end) = (day(&start), day(&end));
            Detail::Service(event::Service { code, program, start, end })
        }
        EventDetail::Exit { program, on } => Detail::Exit(event::Exit { program, on: day(&on) }),
        EventDetail::PlannedGap { start, end, recorded_on } => {
            let (start, end, recorded_on) = (day(&start), day(&end), day(&recorded_on));
            Detail::PlannedGap(event::PlannedGap { start, end, recorded_on })
        }
        EventDetail::Credential { kind, code, awarded_on } => {
            let kind = credential_kind_to_proto(kind).into();
            Detail::Credential(event::Credential { kind, code, awarded_on: day(&awarded_on) })
        }
        EventDetail::Revocation { credential_event_id, on } => {
            Detail::Revocation(event::Revocation { credential_event_id, on: day(&on) })
        }
        EventDetail::Wages { quarter, employer, naics, amount_cents } => {
            let year = u32::from(quarter.year.unsigned_abs());
            let quarter = u32::from(quarter.number);
            Detail::Wages(event::Wages { year, quarter, employer, naics, amount_cents })
        }
        EventDetail::Attribute { name, value, from } => {
            Detail::Attribute(event::Attribute { name, value, from: day(&from) })
        }
        EventDetail::Void { voided_event_id } => Detail::Void(event::Void { voided_event_id }),
    }
}

fn detail_from_proto(detail: &Detail) -> Result<EventDetail, Violation> {
    let day = |date: &Option<types::Date>, field| date_from_proto(date.as_ref(), field);
    Ok(match detail.clone() {
        Detail::Enrollment(m) => EventDetail::Enrollment {
            program: m.program.map(program_from_proto).transpose()?,
            course: m.course,
            term: m.term,
            credits_tenths: m.credits_tenths,
            start: day(&m.start, "start")?,
            end: day(&m.end, "end")?,
        },
        Detail::Drop(m) => {
            EventDetail::Drop { course: m.course, term: m.term, on: day(&m.on, "on")? }
        }
        Detail::Withdrawal(m) => {
            EventDetail::Withdrawal { course: m.course, term: m.term, on: day(&m.on, "on")? }
        }
        Detail::ClassHours(m) => EventDetail::ClassHours {
            class: m.class,
            on: day(&m.on, "on")?,
            hours_hundredths: m.hours_hundredths,
        },
        Detail::Service(m) => EventDetail::Service {
            code: m.code,
            program: m.program,
            start: day(&m.start, "start")?,
            end: day(&m.end, "end")?,
        },
        Detail::Exit(m) => EventDetail::Exit { program: m.program, on: day(&m.on, "on")? },
        Detail::PlannedGap(m) => EventDetail::PlannedGap {
            start: day(&m.start, "start")?,
            end: day(&m.end, "end")?,
            recorded_on: day(&m.recorded_on, "recorded_on")?,
        },
        Detail::Credential(m) => EventDetail::Credential {
            kind: credential_kind_from_proto(m.kind())?,
            code: m.code,
            awarded_on: day(&m.awarded_on, "awarded_on")?,
        },
        Detail::Revocation(m) => EventDetail::Revocation {
            credential_event_id: m.credential_event_id,
            on: day(&m.on, "on")?,
        },
        Detail::Wages(m) => EventDetail::Wages {
            quarter: quarter_from_proto(m.year, m.quarter)?,
            employer: m.employer,
            naics: m.naics,
            amount_cents: m.amount_cents,
        },
        Detail::Attribute(m) => {
            EventDetail::Attribute { name: m.name, value: m.value, from: day(&m.from, "from")? }
        }
        Detail::Void(m) => EventDetail::Void { voided_event_id: m.voided_event_id },
    })
}

fn quarter_from_proto(year: u32, number: u32) -> Result<Quarter, Violation> {
    let year = i16::try_from(year).ok().filter(|year| (1900..=2199).contains(year));
    let quarter = year.zip(u8::try_from(number).ok()).and_then(|(y, n)| Quarter::new(y, n));
    let remedy = "give a year from 1900 to 2199 and a quarter from 1 to 4";
    quarter.ok_or_else(|| Violation::new("quarter", remedy))
}

fn program_from_proto(program: event::ProgramCode) -> Result<ProgramCode, Violation> {
    let system = match program.system() {
        event::CodeSystem::Unspecified => {
            return Err(Violation::new("program.system", "give a known code system"));
        }
        event::CodeSystem::Cip2010 => CodeSystem::Cip2010,
        event::CodeSystem::Cip2020 => CodeSystem::Cip2020,
        event::CodeSystem::Local => CodeSystem::Local,
    };
    Ok(ProgramCode { system, code: program.code })
}

fn code_system_to_proto(system: CodeSystem) -> event::CodeSystem {
    match system {
        CodeSystem::Cip2010 => event::CodeSystem::Cip2010,
        CodeSystem::Cip2020 => event::CodeSystem::Cip2020,
        CodeSystem::Local => event::CodeSystem::Local,
    }
}

fn credential_kind_from_proto(kind: event::CredentialKind) -> Result<CredentialKind, Violation> {
    use event::CredentialKind as Proto;
    Ok(match kind {
        Proto::Unspecified => {
            return Err(Violation::new("kind", "give a known kind of credential"));
        }
        Proto::HighSchoolDiploma => CredentialKind::HighSchoolDiploma,
        Proto::HighSchoolEquivalency => CredentialKind::HighSchoolEquivalency,
        Proto::TrainingCard => CredentialKind::TrainingCard,
        Proto::Certificate => CredentialKind::Certificate,
        Proto::Diploma => CredentialKind::Diploma,
        Proto::Certification => CredentialKind::Certification,
        Proto::License => CredentialKind::License,
        Proto::ApprenticeshipCertificate => CredentialKind::ApprenticeshipCertificate,
        Proto::AssociateDegree => CredentialKind::AssociateDegree,
        Proto::BachelorDegree => CredentialKind::BachelorDegree,
    })
}

pub(super) fn credential_kind_to_proto(kind: CredentialKind) -> event::CredentialKind {
    use event::CredentialKind as Proto;
    match kind {
        CredentialKind::HighSchoolDiploma => Proto::HighSchoolDiploma,
        CredentialKind::HighSchoolEquivalency => Proto::HighSchoolEquivalency,
        CredentialKind::TrainingCard => Proto::TrainingCard,
        CredentialKind::Certificate => Proto::Certificate,
        CredentialKind::Diploma => Proto::Diploma,
        CredentialKind::Certification => Proto::Certification,
        CredentialKind::License => Proto::License,
        CredentialKind::ApprenticeshipCertificate => Proto::ApprenticeshipCertificate,
        CredentialKind::AssociateDegree => Proto::AssociateDegree,
        CredentialKind::BachelorDegree => Proto::BachelorDegree,
    }
}

#[cfg(test)]
mod tests;

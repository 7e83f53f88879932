//! Events written as rows.

use super::EVENT_COLUMNS;
use crate::event::{Event, EventDetail, ProgramCode};

/// Writes an event as a row under [`EVENT_COLUMNS`]; the source is the file's and is left out.
pub fn event_to_row(event: &Event) -> [String; EVENT_COLUMNS.len()] {
    let mut row = [const { String::new() }; EVENT_COLUMNS.len()];
    let mut set = |field: &str, value: String| {
        let column = EVENT_COLUMNS.iter().position(|it| *it == field);
        row[column.expect("every field written is a column")] = value;
    };
    set("local_id", event.local_id.as_str().to_owned());
    set("event_id", event.source_event_id.clone());
    set("supersedes", event.supersedes.clone().unwrap_or_default());
    set("received_on", event.received_on.to_string());
    let tags: Vec<_> = event.purpose_tags.iter().map(String::as_str).collect();
    set("purpose_tags", tags.join(";"));
    set("kind", kind(&event.detail).to_owned());
    write_detail(&event.detail, &mut set);
    row
}

/// The kind of an event as the column `kind` names it.
pub fn kind(detail: &EventDetail) -> &'static str {
    match detail {
        EventDetail::Enrollment { .. } => "enrollment",
        EventDetail::Drop { .. } => "drop",
        EventDetail::Withdrawal { .. } => "withdrawal",
        EventDetail::Grade { .. } => "grade",
        EventDetail::Developmental { .. } => "developmental",
        EventDetail::TransferOut { .. } => "transfer_out",
        EventDetail::EnrollmentElsewhere { .. } => "enrollment_elsewhere",
        EventDetail::IdChange { .. } => "id_change",
        EventDetail::ClassHours { .. } => "class_hours",
        EventDetail::EducationalLevel { .. } => "educational_level",
        EventDetail::Service { .. } => "service",
        EventDetail::Training { .. } => "training",
        EventDetail::Exit { .. } => "exit",
        EventDetail::Completion { .. } => "completion",
        EventDetail::AssistanceExit { .. } => "assistance_exit",
        EventDetail::PlannedGap { .. } => "planned_gap",
        EventDetail::Exclusion { .. } => "exclusion",
        EventDetail::PathwayFlag { .. } => "pathway_flag",
        EventDetail::Credential { .. } => "credential",
        EventDetail::Revocation { .. } => "revocation",
        EventDetail::Wages { .. } => "wages",
        EventDetail::Attribute { .. } => "attribute",
        EventDetail::Void { .. } => "void",
    }
}

/// Writes one cell of a row.
type Set<'s> = dyn FnMut(&str, String) + 's;

fn write_detail(detail: &EventDetail, set: &mut Set<'_>) {
    match detail {
        EventDetail::Exclusion { reason, from } => {
            set("reason", reason.clone());
            set("start", from.to_string());
        }
        EventDetail::PathwayFlag { pathway, start, end } => {
            set("pathway", pathway.clone());
            set("start", start.to_string());
            set("end", end.map(|end| end.to_string()).unwrap_or_default());
        }
        EventDetail::Credential { kind, code, system, awarded_on, number } => {
            set("name", kind.to_string());
            set("code", code.clone());
            set("code_system", system.map(|it| it.to_string()).unwrap_or_default());
            set("start", awarded_on.to_string());
            set("number", text(number));
        }
        EventDetail::Revocation { credential_event_id, on, reason } => {
            set("value", credential_event_id.clone());
            set("start", on.to_string());
            set("reason", text(reason));
        }
        EventDetail::Wages { quarter, employer, naics, amount_cents } => {
            set("term", quarter.to_string());
            set("employer", employer.clone());
            set("naics", text(naics));
            set("amount", unscaled(*amount_cents, 2));
        }
        EventDetail::Attribute { name, value, from } => {
            set("name", name.clone());
            set("value", value.clone());
            set("start", from.to_string());
        }
        EventDetail::Void { voided_event_id } => set("value", voided_event_id.clone()),
        _ => {
            write_study(detail, set);
            write_service(detail, set);
        }
    }
}

/// What colleges and adult education report.
fn write_study(detail: &EventDetail, set: &mut Set<'_>) {
    match detail {
        EventDetail::Enrollment {
            program,
            course,
            term,
            credits_tenths,
            award_level,
            start,
            end,
        } => {
            write_program(program.as_ref(), set);
            set("course", text(course));
            set("term", text(term));
            let credits = credits_tenths.map(|tenths| unscaled(i64::from(tenths), 1));
            set("credits", credits.unwrap_or_default());
            set("award_level", award_level.map(|it| it.to_string()).unwrap_or_default());
            set("start", start.to_string());
            set("end", end.to_string());
        }
        EventDetail::Drop { course, term, on } => {
            set("course", course.clone());
            set("term", text(term));
            set("start", on.to_string());
        }
        EventDetail::Withdrawal { course, term, on } => {
            set("course", text(course));
            set("term", text(term));
            set("start", on.to_string());
        }
        EventDetail::Grade { course, term, grade, passed, on } => {
            set("course", course.clone());
            set("term", text(term));
            set("value", grade.clone());
            set("outcome", if *passed { "passed" } else { "failed" }.to_owned());
            set("start", on.to_string());
        }
        EventDetail::Developmental { subject, step, on } => {
            set("subject", subject.clone());
            set("outcome", step.to_string());
            set("start", on.to_string());
        }
        EventDetail::TransferOut { institution, on }
        | EventDetail::EnrollmentElsewhere { institution, on } => {
            set("institution", institution.clone());
            set("start", on.to_string());
        }
        EventDetail::IdChange { former_local_id, on } => {
            set("value", former_local_id.as_str().to_owned());
            set("start", on.to_string());
        }
        EventDetail::ClassHours { class, program, on, hours_hundredths } => {
            set("course", class.clone());
            write_program(program.as_ref(), set);
            set("start", on.to_string());
            set("hours", unscaled(i64::from(*hours_hundredths), 2));
        }
        EventDetail::EducationalLevel { subject, level, phase, on } => {
            set("subject", subject.clone());
            set("level", level.to_string());
            set("outcome", phase.to_string());
            set("start", on.to_string());
        }
        _ => {}
    }
}

/// What workforce boards and human services report.
fn write_service(detail: &EventDetail, set: &mut Set<'_>) {
    match detail {
        EventDetail::Service { code, program, start, end } => {
            set("code", code.clone());
            set("program", program.clone());
            set("start", start.to_string());
            set("end", end.to_string());
        }
        EventDetail::Training { program, study, occupation, start, end } => {
            set("program", program.clone());
            write_program(study.as_ref(), set);
            if let Some(occupation) = occupation {
                set("occupation", occupation.code.clone());
                set("occupation_system", occupation.system.to_string());
            }
            set("start", start.to_string());
            set("end", end.to_string());
        }
        EventDetail::Exit { program, on, reason } => {
            set("program", program.clone());
            set("start", on.to_string());
            set("reason", text(reason));
        }
        EventDetail::Completion { program, on } | EventDetail::AssistanceExit { program, on } => {
            set("program", program.clone());
            set("start", on.to_string());
        }
        EventDetail::PlannedGap { start, end, recorded_on } => {
            set("start", start.to_string());
            set("end", end.to_string());
            set("recorded_on", recorded_on.to_string());
        }
        _ => {}
    }
}

fn write_program(program: Option<&ProgramCode>, set: &mut Set<'_>) {
    if let Some(program) = program {
        set("code", program.code.clone());
        set("code_system", program.system.to_string());
    }
}

fn text(text: &Option<String>) -> String {
    text.clone().unwrap_or_default()
}

/// A number in units of its last of `places` decimals, as a decimal number.
pub(super) fn unscaled(number: i64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let (size, width) = (number.unsigned_abs(), places as usize);
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}.{:0width$}", size / unit, size % unit)
}

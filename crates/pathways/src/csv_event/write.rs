//! Events written as rows.

use super::EVENT_COLUMNS;
use crate::event::{Event, EventDetail};

/// Writes an event as a row under [`EVENT_COLUMNS`]; the source is the file's and is left out.
pub fn event_to_row(event: &Event) -> [String; EVENT_COLUMNS.len()] {
    let mut row = [const { String::new() }; EVENT_COLUMNS.len()];
    let mut set = |field: &str, value: String| {
        let column = EVENT_COLUMNS.iter().position(|it| *it == field);
        row[column.expect("every field written is a column")] = value;
    };
    set("local_id", event.local_id.as_str().to_owned());
    set("event_id", event.source_event_id.clone());
    set("received_on", event.received_on.to_string());
    let tags: Vec<_> = event.purpose_tags.iter().map(String::as_str).collect();
    set("purpose_tags", tags.join(";"));
    set("kind", kind(&event.detail).to_owned());
    write_detail(&event.detail, set);
    row
}

/// The kind of an event as the column `kind` names it.
pub fn kind(detail: &EventDetail) -> &'static str {
    match detail {
        EventDetail::Enrollment { .. } => "enrollment",
        EventDetail::Drop { .. } => "drop",
        EventDetail::Withdrawal { .. } => "withdrawal",
        EventDetail::ClassHours { .. } => "class_hours",
        EventDetail::Service { .. } => "service",
        EventDetail::Exit { .. } => "exit",
        EventDetail::PlannedGap { .. } => "planned_gap",
        EventDetail::Credential { .. } => "credential",
        EventDetail::Revocation { .. } => "revocation",
        EventDetail::Wages { .. } => "wages",
        EventDetail::Attribute { .. } => "attribute",
        EventDetail::Void { .. } => "void",
    }
}

fn write_detail(detail: &EventDetail, mut set: impl FnMut(&str, String)) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    match detail {
        EventDetail::Enrollment { program, course, term, credits_tenths, start, end } => {
            if let Some(program) = program {
                set("code", program.code.clone());
                set("code_system", program.system.to_string());
            }
            set("course", text(course));
            set("term", text(term));
            let credits = credits_tenths.map(|tenths| unscaled(i64::from(tenths), 1));
            set("credits", credits.unwrap_or_default());
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
        EventDetail::ClassHours { class, on, hours_hundredths } => {
            set("course", class.clone());
            set("start", on.to_string());
            set("hours", unscaled(i64::from(*hours_hundredths), 2));
        }
        EventDetail::Service { code, program, start, end } => {
            set("code", code.clone());
            set("program", program.clone());
            set("start", start.to_string());
            set("end", end.to_string());
        }
        EventDetail::Exit { program, on } => {
            set("program", program.clone());
            set("start", on.to_string());
        }
        EventDetail::PlannedGap { start, end, recorded_on } => {
            set("start", start.to_string());
            set("end", end.to_string());
            set("recorded_on", recorded_on.to_string());
        }
        EventDetail::Credential { kind, code, awarded_on } => {
            set("name", kind.to_string());
            set("code", code.clone());
            set("start", awarded_on.to_string());
        }
        EventDetail::Revocation { credential_event_id, on } => {
            set("value", credential_event_id.clone());
            set("start", on.to_string());
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
    }
}

/// A number in units of its last of `places` decimals, as a decimal number.
pub(super) fn unscaled(number: i64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let (size, width) = (number.unsigned_abs(), places as usize);
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}.{:0width$}", size / unit, size % unit)
}

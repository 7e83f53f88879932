//! The cells of each kind of event.

use super::{Cells, KINDS, RowError, refuse};
use crate::event::{EventDetail, OccupationCode, ProgramCode};

pub(super) fn detail(kind: &str, cells: &mut Cells<'_>) -> Result<EventDetail, RowError> {
    Ok(match kind {
        "enrollment"
        | "drop"
        | "withdrawal"
        | "grade"
        | "developmental"
        | "transfer_out"
        | "enrollment_elsewhere"
        | "id_change" => college(kind, cells)?,
        "class_hours" | "educational_level" => adult_education(kind, cells)?,
        "service" | "training" | "exit" | "completion" | "assistance_exit" | "planned_gap" => {
            workforce(kind, cells)?
        }
        "exclusion" => {
            EventDetail::Exclusion { reason: cells.text("reason")?, from: cells.day("start")? }
        }
        "pathway_flag" => EventDetail::PathwayFlag {
            pathway: cells.text("pathway")?,
            start: cells.day("start")?,
            end: cells.date("end")?,
        },
        "credential" => EventDetail::Credential {
            kind: cells.named("name", "give the type of credential, such as license")?,
            code: cells.text("code")?,
            system: cells.optional_named("code_system", PROGRAM_SYSTEM)?,
            awarded_on: cells.day("start")?,
            number: cells.optional_text("number"),
        },
        "revocation" => EventDetail::Revocation {
            credential_event_id: cells.text("value")?,
            on: cells.day("start")?,
            reason: cells.optional_text("reason"),
        },
        "wages" => EventDetail::Wages {
            quarter: cells.named("term", "give the quarter, such as 2024Q2")?,
            employer: cells.text("employer")?,
            naics: cells.optional_text("naics"),
            amount_cents: cells
                .number("amount", 2)?
                .ok_or_else(|| refuse("amount", "give the amount in dollars, such as 1234.56"))?,
        },
        "attribute" => EventDetail::Attribute {
            name: cells.text("name")?,
            value: cells.text("value")?,
            from: cells.day("start")?,
        },
        "void" => EventDetail::Void { voided_event_id: cells.text("value")? },
        _ => return Err(refuse("kind", KINDS)),
    })
}

fn college(kind: &str, cells: &mut Cells<'_>) -> Result<EventDetail, RowError> {
    Ok(match kind {
        "enrollment" => EventDetail::Enrollment {
            program: program(cells)?,
            course: cells.optional_text("course"),
            term: cells.optional_text("term"),
            credits_tenths: cells.number("credits", 1)?,
            award_level: cells
                .optional_named("award_level", "give a type of credential, such as certificate")?,
            start: cells.day("start")?,
            end: cells.day("end")?,
        },
        "drop" => EventDetail::Drop {
            course: cells.text("course")?,
            term: cells.optional_text("term"),
            on: cells.day("start")?,
        },
        "withdrawal" => EventDetail::Withdrawal {
            course: cells.optional_text("course"),
            term: cells.optional_text("term"),
            on: cells.day("start")?,
        },
        "grade" => EventDetail::Grade {
            course: cells.text("course")?,
            term: cells.optional_text("term"),
            grade: cells.text("value")?,
            passed: cells.passed()?,
            on: cells.day("start")?,
        },
        "developmental" => EventDetail::Developmental {
            subject: cells.text("subject")?,
            step: cells.named("outcome", "give referred or completed")?,
            on: cells.day("start")?,
        },
        "transfer_out" => EventDetail::TransferOut {
            institution: cells.text("institution")?,
            on: cells.day("start")?,
        },
        "enrollment_elsewhere" => EventDetail::EnrollmentElsewhere {
            institution: cells.text("institution")?,
            on: cells.day("start")?,
        },
        _ => EventDetail::IdChange {
            former_local_id: cells.named("value", "give the handle used before, without '/'")?,
            on: cells.day("start")?,
        },
    })
}

fn adult_education(kind: &str, cells: &mut Cells<'_>) -> Result<EventDetail, RowError> {
    Ok(match kind {
        "class_hours" => EventDetail::ClassHours {
            class: cells.text("course")?,
            program: program(cells)?,
            on: cells.day("start")?,
            hours_hundredths: cells
                .number("hours", 2)?
                .ok_or_else(|| refuse("hours", "give the hours, such as 1.5"))?,
        },
        _ => EventDetail::EducationalLevel {
            subject: cells.text("subject")?,
            level: cells.named("level", "give a level from 1 to 6")?,
            phase: cells.named("outcome", "give pre or post")?,
            on: cells.day("start")?,
        },
    })
}

fn workforce(kind: &str, cells: &mut Cells<'_>) -> Result<EventDetail, RowError> {
    Ok(match kind {
        "service" => EventDetail::Service {
            code: cells.text("code")?,
            program: cells.text("program")?,
            start: cells.day("start")?,
            end: cells.day("end")?,
        },
        "training" => EventDetail::Training {
            program: cells.text("program")?,
            study: program(cells)?,
            occupation: occupation(cells)?,
            start: cells.day("start")?,
            end: cells.day("end")?,
        },
        "exit" => EventDetail::Exit {
            program: cells.text("program")?,
            on: cells.day("start")?,
            reason: cells.optional_text("reason"),
        },
        "completion" => {
            EventDetail::Completion { program: cells.text("program")?, on: cells.day("start")? }
        }
        "assistance_exit" => {
            EventDetail::AssistanceExit { program: cells.text("program")?, on: cells.day("start")? }
        }
        _ => EventDetail::PlannedGap {
            start: cells.day("start")?,
            end: cells.day("end")?,
            recorded_on: cells.day("recorded_on")?,
        },
    })
}

const PROGRAM_SYSTEM: &str = "give cip2010, cip2020 or local, beside the code of a program";

fn program(cells: &mut Cells<'_>) -> Result<Option<ProgramCode>, RowError> {
    Ok(match cells.optional_text("code") {
        Some(code) => {
            Some(ProgramCode { system: cells.named("code_system", PROGRAM_SYSTEM)?, code })
        }
        None => None,
    })
}

fn occupation(cells: &mut Cells<'_>) -> Result<Option<OccupationCode>, RowError> {
    let remedy = "give soc2010, soc2018 or onet2019, beside the code of an occupation";
    Ok(match cells.optional_text("occupation") {
        Some(code) => {
            Some(OccupationCode { system: cells.named("occupation_system", remedy)?, code })
        }
        None => None,
    })
}

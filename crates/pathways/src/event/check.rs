//! What makes an event one: ids, required texts, forms of codes and the order of dates.

use jiff::civil::Date;

use super::{CodeSystem, Event, EventDetail, ProgramCode, Quarter, code::is_naics};
use crate::status::PathwayId;

/// Why an event is refused. Never repeats what the field held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// An id has the wrong shape.
    #[error("{0}: give 1 to 64 visible ASCII characters, in a tag no ';'")]
    Id(&'static str),
    /// A text that must say something is empty or far too long.
    #[error("{0}: give 1 to 64 characters")]
    Text(&'static str),
    /// The last day lies before the first.
    #[error("end: give a last day on or after the start")]
    EndBeforeStart,
    /// An enrollment names neither a program nor a course.
    #[error("course: give a course, or a program code with its code system")]
    NothingEnrolledIn,
    /// A training names neither what is studied nor an occupation.
    #[error("code: give a program code with its code system, or an occupation with its system")]
    NothingTrainedFor,
    /// An event corrects itself.
    #[error("supersedes: give the id of an earlier event, or leave it empty")]
    SupersedesItself,
    /// A program code does not have the form of its list.
    #[error("code: give a CIP code of six digits, such as 51.0801")]
    Cip,
    /// An occupation code does not have the form of its list.
    #[error("occupation: give a code such as 29-1141, for O*NET 29-1141.00")]
    Occupation,
    /// An industry code does not have the form of NAICS.
    #[error("naics: give 2 to 6 digits")]
    Naics,
    /// A text is not the id of a pathway.
    #[error("pathway: give the id of a registered pathway")]
    Pathway,
    /// A code's list was not in use on that day. Holds the column that names the list.
    #[error("{0}: give the edition of the code that was in use on that day")]
    Edition(&'static str),
    /// No rule profile names the reason of an exclusion: it would have no effect.
    #[error("reason: {}", reasons(known))]
    Reason {
        /// The reasons that are named, separated by commas.
        known: String,
    },
    /// An amount that other systems write where there is none.
    #[error("amount: 999999.99 says that it is not yet known: leave the row out until it is")]
    AmountNotKnown,
    /// An educational functioning level is not 1 to 6.
    #[error("level: give a level from 1 to 6")]
    Level,
    /// A quarter's number is not 1 to 4.
    #[error("term: give a year and a quarter from 1 to 4, such as 2024Q2")]
    Quarter,
    /// A class lasts longer than its day.
    #[error("hours: give at most 24 hours a day")]
    Hours,
}

impl EventError {
    /// The column at fault.
    pub fn column(&self) -> &'static str {
        match self {
            Self::Id(column) | Self::Text(column) | Self::Edition(column) => column,
            Self::EndBeforeStart => "end",
            Self::NothingEnrolledIn => "course",
            Self::NothingTrainedFor | Self::Cip => "code",
            Self::SupersedesItself => "supersedes",
            Self::Occupation => "occupation",
            Self::Naics => "naics",
            Self::Pathway => "pathway",
            Self::Reason { .. } => "reason",
            Self::AmountNotKnown => "amount",
            Self::Level => "level",
            Self::Quarter => "term",
            Self::Hours => "hours",
        }
    }

    /// What to give.
    pub fn remedy(&self) -> String {
        let text = self.to_string();
        text.split_once(": ").map_or_else(|| text.clone(), |(_, remedy)| remedy.to_owned())
    }
}

fn reasons(known: &str) -> String {
    if known.is_empty() {
        "leave the row out: no rule profile names a reason".to_owned()
    } else {
        format!("give one that a rule profile names: {known}")
    }
}

impl Event {
    /// Checks what the types leave open: ids, required texts and the order of dates.
    ///
    /// # Errors
    /// [`EventError`] names the first field that does not fit and what to give.
    pub fn check(&self) -> Result<(), EventError> {
        check_id("event_id", &self.source_event_id)?;
        if let Some(corrected) = &self.supersedes {
            check_id("supersedes", corrected)?;
            if *corrected == self.source_event_id {
                return Err(EventError::SupersedesItself);
            }
        }
        for tag in &self.purpose_tags {
            check_id("purpose_tags", tag)?;
            if tag.contains(';') {
                return Err(EventError::Id("purpose_tags"));
            }
        }
        self.detail.check()
    }
}

impl EventDetail {
    fn check(&self) -> Result<(), EventError> {
        match self {
            Self::Enrollment { program, course, term, start, end, .. } => {
                if program.is_none() && course.is_none() {
                    return Err(EventError::NothingEnrolledIn);
                }
                check_program(program.as_ref())?;
                check_optional("course", course.as_deref())?;
                check_optional("term", term.as_deref())?;
                check_order(*start, *end)
            }
            Self::Drop { course, term, .. } => {
                check_text("course", course)?;
                check_optional("term", term.as_deref())
            }
            Self::Withdrawal { course, term, .. } => {
                check_optional("course", course.as_deref())?;
                check_optional("term", term.as_deref())
            }
            Self::Grade { course, term, grade, .. } => {
                check_text("course", course)?;
                check_optional("term", term.as_deref())?;
                check_text("value", grade)
            }
            Self::Developmental { subject, .. } => check_text("subject", subject),
            Self::TransferOut { institution, .. }
            | Self::EnrollmentElsewhere { institution, .. } => {
                check_text("institution", institution)
            }
            Self::IdChange { .. } => Ok(()),
            Self::ClassHours { class, program, hours_hundredths, .. } => {
                check_text("course", class)?;
                check_program(program.as_ref())?;
                if *hours_hundredths > 2_400 { Err(EventError::Hours) } else { Ok(()) }
            }
            Self::Service { code, program, start, end } => {
                check_text("code", code)?;
                check_text("program", program)?;
                check_order(*start, *end)
            }
            Self::EducationalLevel { subject, level, .. } => {
                check_text("subject", subject)?;
                if (1..=6).contains(level) { Ok(()) } else { Err(EventError::Level) }
            }
            Self::Training { program, study, occupation, start, end } => {
                if study.is_none() && occupation.is_none() {
                    return Err(EventError::NothingTrainedFor);
                }
                check_text("program", program)?;
                check_program(study.as_ref())?;
                if occupation.as_ref().is_some_and(|it| !it.is_well_formed()) {
                    return Err(EventError::Occupation);
                }
                check_order(*start, *end)
            }
            Self::Exit { program, reason, .. } => {
                check_text("program", program)?;
                check_optional("reason", reason.as_deref())
            }
            Self::Completion { program, .. } | Self::AssistanceExit { program, .. } => {
                check_text("program", program)
            }
            Self::Exclusion { reason, .. } => check_text("reason", reason),
            Self::PathwayFlag { pathway, start, end } => {
                pathway.parse::<PathwayId>().map_err(|_| EventError::Pathway)?;
                end.map_or(Ok(()), |end| check_order(*start, end))
            }
            Self::PlannedGap { start, end, .. } => check_order(*start, *end),
            Self::Credential { code, system, number, .. } => {
                check_code(*system, code)?;
                number.as_deref().map_or(Ok(()), |number| check_id("number", number))
            }
            Self::Revocation { credential_event_id, reason, .. } => {
                check_id("value", credential_event_id)?;
                check_optional("reason", reason.as_deref())
            }
            Self::Void { voided_event_id } => check_id("value", voided_event_id),
            Self::Wages { quarter, employer, naics, amount_cents } => {
                check_text("employer", employer)?;
                check_naics(naics.as_deref())?;
                if *amount_cents == NOT_KNOWN_CENTS {
                    return Err(EventError::AmountNotKnown);
                }
                Quarter::new(quarter.year, quarter.number).map(|_| ()).ok_or(EventError::Quarter)
            }
            Self::Attribute { name, value, .. } => {
                check_text("name", name)?;
                check_text("value", value)
            }
        }
    }
}

/// What reports of wages write for an amount that is not yet known.
const NOT_KNOWN_CENTS: i64 = 99_999_999;

fn check_id(field: &'static str, id: &str) -> Result<(), EventError> {
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(EventError::Id(field)) }
}

pub(crate) fn check_text(field: &'static str, text: &str) -> Result<(), EventError> {
    let fits = text == text.trim() && (1..=64).contains(&text.chars().count());
    if fits { Ok(()) } else { Err(EventError::Text(field)) }
}

pub(crate) fn check_optional(field: &'static str, text: Option<&str>) -> Result<(), EventError> {
    text.map_or(Ok(()), |text| check_text(field, text))
}

fn check_order(start: Date, end: Date) -> Result<(), EventError> {
    if end < start { Err(EventError::EndBeforeStart) } else { Ok(()) }
}

/// Checks a program code against its list.
fn check_program(program: Option<&ProgramCode>) -> Result<(), EventError> {
    program.map_or(Ok(()), |it| check_code(Some(it.system), &it.code))
}

fn check_code(system: Option<CodeSystem>, code: &str) -> Result<(), EventError> {
    check_text("code", code)?;
    if system.is_none_or(|system| system.admits(code)) { Ok(()) } else { Err(EventError::Cip) }
}

/// A NAICS code is 2 to 6 digits.
pub(crate) fn check_naics(naics: Option<&str>) -> Result<(), EventError> {
    let fits = naics.is_none_or(is_naics);
    if fits { Ok(()) } else { Err(EventError::Naics) }
}

//! What agencies report about their people: one event is one fact, never changed once sent.
//!
//! A correction is a [`EventDetail::Void`] of the wrong event and a new event with an id of its
//! own, so that any past state of knowledge can be evaluated again.

use std::collections::BTreeSet;

use jiff::civil::Date;
use record::{AgencyId, LocalId};

mod code;

pub use code::{CodeSystem, CredentialKind, ProgramCode, Quarter, UnknownName};

/// One fact about one person, reported by one agency.
///
/// The order (source first, then the agency's handles, then the content) is total, so that a list
/// of events sorts the same whatever the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// The agency that reports it.
    pub source: AgencyId,
    /// The agency's own handle of the person.
    pub local_id: LocalId,
    /// The agency's own id of the event: 1 to 64 visible ASCII characters, unique at the agency.
    pub source_event_id: String,
    /// The day on which the service learned of it.
    pub received_on: Date,
    /// The purposes for which the agency sent it; they decide which audience may know of it.
    pub purpose_tags: BTreeSet<String>,
    /// What happened.
    pub detail: EventDetail,
}

/// What happened. All dates are days; an end is the last day itself (inclusive).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventDetail {
    /// Enrolled in a program, a course, or both.
    Enrollment {
        /// The declared program, if any.
        program: Option<ProgramCode>,
        /// The agency's code of the course, if the row is about one.
        course: Option<String>,
        /// The id of the registered term, if the enrollment belongs to one.
        term: Option<String>,
        /// Credits in tenths: 35 is 3.5 credits.
        credits_tenths: Option<u32>,
        /// The first day.
        start: Date,
        /// The last day.
        end: Date,
    },
    /// Left a course by the census date: never enrolled in it. It undoes every enrollment of the
    /// agency in that course and term; a later change of mind voids the drop.
    Drop {
        /// The course.
        course: String,
        /// The term; the enrollment open on that day if absent.
        term: Option<String>,
        /// The day of the drop.
        on: Date,
    },
    /// Left a course or a program after the census date: enrolled until that day.
    Withdrawal {
        /// The course; everything of the term if absent.
        course: Option<String>,
        /// The term; every enrollment open on that day if absent.
        term: Option<String>,
        /// The last day attended.
        on: Date,
    },
    /// Attended a class for some hours.
    ClassHours {
        /// The agency's code of the class.
        class: String,
        /// The day.
        on: Date,
        /// Hours in hundredths: 150 is an hour and a half.
        hours_hundredths: u32,
    },
    /// Received a service.
    Service {
        /// The registered code of the service.
        code: String,
        /// The program that pays for it, such as `adult`, `youth` or `snap_et`.
        program: String,
        /// The first day.
        start: Date,
        /// The last day on which it was received.
        end: Date,
    },
    /// The agency's own statement that the person left one of its programs.
    Exit {
        /// The program.
        program: String,
        /// The day of the exit.
        on: Date,
    },
    /// A break that was agreed on, such as a parental leave.
    PlannedGap {
        /// The first day of the break.
        start: Date,
        /// The last day of the break.
        end: Date,
        /// The day on which the agency recorded it.
        recorded_on: Date,
    },
    /// Was awarded a credential.
    Credential {
        /// Its type.
        kind: CredentialKind,
        /// The registered code of the credential.
        code: String,
        /// The day of the award.
        awarded_on: Date,
    },
    /// A credential that was truly awarded is no longer in force.
    Revocation {
        /// The same agency's id of the credential event.
        credential_event_id: String,
        /// The first day on which it is not in force.
        on: Date,
    },
    /// Wages of one quarter from one employer.
    Wages {
        /// The quarter.
        quarter: Quarter,
        /// The employer's account at the wage agency.
        employer: String,
        /// The employer's NAICS code in that quarter.
        naics: Option<String>,
        /// The amount in cents.
        amount_cents: i64,
    },
    /// Anything else that the rules use; the names they know are in [`attribute`].
    Attribute {
        /// The name of the attribute.
        name: String,
        /// Its value.
        value: String,
        /// The first day on which it holds.
        from: Date,
    },
    /// An earlier event of the same agency never happened. Final: what did happen after all is
    /// reported again under a new id.
    Void {
        /// The id of the event that never happened.
        voided_event_id: String,
    },
}

/// Names of attributes that the rules know; every other name is kept and has no effect.
pub mod attribute {
    /// The agency's own flag that the person is in a pathway; the value is the pathway's id.
    pub const CAREER_PATHWAY: &str = "career_pathway";
    /// The person left for another institution; the value is the institution's registered id.
    pub const TRANSFERRED_TO: &str = "transferred_to";
    /// The person is enrolled at another institution; the value is its registered id.
    pub const ENROLLED_AT: &str = "enrolled_at";
    /// The person is outside the measures from that day; the value is the reason.
    pub const EXCLUSION: &str = "exclusion";
}

/// Why an event is refused. Never repeats what the field held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
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
    /// A quarter's number is not 1 to 4.
    #[error("term: give a year and a quarter from 1 to 4, such as 2024Q2")]
    Quarter,
    /// A class lasts longer than its day.
    #[error("hours: give at most 24 hours a day")]
    Hours,
}

impl Event {
    /// Checks what the types leave open: ids, required texts and the order of dates.
    ///
    /// # Errors
    /// [`EventError`] names the first field that does not fit and what to give.
    pub fn check(&self) -> Result<(), EventError> {
        check_id("event_id", &self.source_event_id)?;
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
                check_optional("code", program.as_ref().map(|p| p.code.as_str()))?;
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
            Self::ClassHours { class, hours_hundredths, .. } => {
                check_text("course", class)?;
                if *hours_hundredths > 2_400 { Err(EventError::Hours) } else { Ok(()) }
            }
            Self::Service { code, program, start, end } => {
                check_text("code", code)?;
                check_text("program", program)?;
                check_order(*start, *end)
            }
            Self::Exit { program, .. } => check_text("program", program),
            Self::PlannedGap { start, end, .. } => check_order(*start, *end),
            Self::Credential { code, .. } => check_text("code", code),
            Self::Revocation { credential_event_id: id, .. }
            | Self::Void { voided_event_id: id } => check_id("value", id),
            Self::Wages { quarter, employer, naics, .. } => {
                check_text("employer", employer)?;
                check_optional("naics", naics.as_deref())?;
                Quarter::new(quarter.year, quarter.number).map(|_| ()).ok_or(EventError::Quarter)
            }
            Self::Attribute { name, value, .. } => {
                check_text("name", name)?;
                check_text("value", value)
            }
        }
    }
}

fn check_id(field: &'static str, id: &str) -> Result<(), EventError> {
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(EventError::Id(field)) }
}

fn check_text(field: &'static str, text: &str) -> Result<(), EventError> {
    let fits = text == text.trim() && (1..=64).contains(&text.chars().count());
    if fits { Ok(()) } else { Err(EventError::Text(field)) }
}

fn check_optional(field: &'static str, text: Option<&str>) -> Result<(), EventError> {
    text.map_or(Ok(()), |text| check_text(field, text))
}

fn check_order(start: Date, end: Date) -> Result<(), EventError> {
    if end < start { Err(EventError::EndBeforeStart) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn event(detail: EventDetail) -> Event {
        Event {
            source: "college".parse().unwrap(),
            local_id: "A1".parse().unwrap(),
            source_event_id: "e1".to_owned(),
            received_on: date(2024, 1, 1),
            purpose_tags: BTreeSet::new(),
            detail,
        }
    }

    #[test]
    fn an_event_that_cannot_be_is_refused_by_field() {
        let service = |start, end| EventDetail::Service {
            code: "OST".to_owned(),
            program: "adult".to_owned(),
            start,
            end,
        };
        let (first, last) = (date(2024, 1, 8), date(2024, 3, 31));
        assert_eq!(event(service(first, last)).check(), Ok(()));
        assert_eq!(event(service(last, first)).check(), Err(EventError::EndBeforeStart));
        let mut without_id = event(service(first, last));
        without_id.source_event_id.clear();
        assert_eq!(without_id.check(), Err(EventError::Id("event_id")));
        let nothing = EventDetail::Enrollment {
            program: None,
            course: None,
            term: None,
            credits_tenths: None,
            start: first,
            end: last,
        };
        assert_eq!(event(nothing).check(), Err(EventError::NothingEnrolledIn));
    }
}

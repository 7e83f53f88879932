//! What agencies report about their people: one event is one fact, never changed once sent.
//!
//! A correction is a [`EventDetail::Void`] of the wrong event and a new event with an id of its
//! own, so that any past state of knowledge can be evaluated again.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::civil::Date;
use record::{AgencyId, LocalId};

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

/// A program code and the list it comes from: a code without its version means nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProgramCode {
    /// The list.
    pub system: CodeSystem,
    /// The code, such as `51.0801`.
    pub code: String,
}

/// A list of program codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodeSystem {
    /// Classification of Instructional Programs, 2010 (`cip2010`).
    Cip2010,
    /// Classification of Instructional Programs, 2020 (`cip2020`).
    Cip2020,
    /// The agency's own program ids (`local`).
    Local,
}

/// The type of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKind {
    /// A secondary school diploma (`high_school_diploma`).
    HighSchoolDiploma,
    /// A high school equivalency (`high_school_equivalency`).
    HighSchoolEquivalency,
    /// A card for a short safety or work-readiness training, such as OSHA-10 (`training_card`).
    TrainingCard,
    /// A postsecondary certificate (`certificate`).
    Certificate,
    /// A postsecondary diploma (`diploma`).
    Diploma,
    /// A certification by an industry body (`certification`).
    Certification,
    /// A license by a state (`license`).
    License,
    /// A certificate of completion of a registered apprenticeship (`apprenticeship_certificate`).
    ApprenticeshipCertificate,
    /// An associate degree (`associate_degree`).
    AssociateDegree,
    /// A bachelor's degree (`bachelor_degree`).
    BachelorDegree,
}

/// A calendar quarter, written `2024Q2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarter {
    /// The calendar year.
    pub year: i16,
    /// 1 to 4.
    pub number: u8,
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

/// Why a text is not one of a list of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give one of {expected}")]
pub struct UnknownName {
    /// What is allowed.
    pub expected: &'static str,
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

impl Quarter {
    /// Quarter `number` of `year`, if there is one.
    pub fn new(year: i16, number: u8) -> Option<Self> {
        ((0..=9999).contains(&year) && (1..=4).contains(&number)).then_some(Self { year, number })
    }

    /// The quarter that holds `date`.
    pub fn of(date: Date) -> Self {
        Self { year: date.year(), number: date.month().unsigned_abs().div_ceil(3) }
    }

    /// The quarter that lies `count` quarters later.
    pub fn plus(self, count: u16) -> Self {
        let quarters = i32::from(self.year) * 4 + i32::from(self.number) - 1 + i32::from(count);
        let year = i16::try_from(quarters.div_euclid(4)).unwrap_or(i16::MAX);
        Self { year, number: u8::try_from(quarters.rem_euclid(4)).map_or(1, |rest| rest + 1) }
    }
}

impl CodeSystem {
    /// Every code system, in order.
    pub const ALL: [Self; 3] = [Self::Cip2010, Self::Cip2020, Self::Local];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cip2010 => "cip2010",
            Self::Cip2020 => "cip2020",
            Self::Local => "local",
        }
    }
}

impl CredentialKind {
    /// Every type, from the lowest to the highest.
    pub const ALL: [Self; 10] = [
        Self::HighSchoolDiploma,
        Self::HighSchoolEquivalency,
        Self::TrainingCard,
        Self::Certificate,
        Self::Diploma,
        Self::Certification,
        Self::License,
        Self::ApprenticeshipCertificate,
        Self::AssociateDegree,
        Self::BachelorDegree,
    ];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::HighSchoolDiploma => "high_school_diploma",
            Self::HighSchoolEquivalency => "high_school_equivalency",
            Self::TrainingCard => "training_card",
            Self::Certificate => "certificate",
            Self::Diploma => "diploma",
            Self::Certification => "certification",
            Self::License => "license",
            Self::ApprenticeshipCertificate => "apprenticeship_certificate",
            Self::AssociateDegree => "associate_degree",
            Self::BachelorDegree => "bachelor_degree",
        }
    }
}

impl FromStr for CodeSystem {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let expected = "cip2010, cip2020, local";
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or(UnknownName { expected })
    }
}

impl FromStr for CredentialKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let expected = "high_school_diploma, high_school_equivalency, training_card, certificate, \
                        diploma, certification, license, apprenticeship_certificate, \
                        associate_degree, bachelor_degree";
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or(UnknownName { expected })
    }
}

impl FromStr for Quarter {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let parse = || {
            let (year, number) = text.split_once('Q')?;
            let digits = |text: &str, length| {
                text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
            };
            if !digits(year, 4) || !digits(number, 1) {
                return None;
            }
            Self::new(year.parse().ok()?, number.parse().ok()?)
        };
        parse().ok_or(UnknownName { expected: "year and quarter, such as 2024Q2" })
    }
}

impl fmt::Display for CodeSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}Q{}", self.year, self.number)
    }
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
    fn a_quarter_counts_over_the_end_of_a_year() {
        assert_eq!(Quarter::of(date(2024, 3, 31)).plus(2).to_string(), "2024Q3");
        assert_eq!(Quarter::of(date(2024, 3, 31)).plus(4).to_string(), "2025Q1");
        assert_eq!(Quarter::of(date(2024, 4, 1)).plus(2).to_string(), "2024Q4");
        assert_eq!(Quarter::of(date(2024, 4, 1)).plus(4).to_string(), "2025Q2");
    }

    #[test]
    fn names_are_parsed_back() {
        for kind in CredentialKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for system in CodeSystem::ALL {
            assert_eq!(system.to_string().parse(), Ok(system));
        }
        assert_eq!("2024Q2".parse(), Ok(Quarter { year: 2024, number: 2 }));
        for bad in ["2024Q5", "24Q1", "2024q1", "+024Q1", "2024Q"] {
            assert!(bad.parse::<Quarter>().is_err());
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

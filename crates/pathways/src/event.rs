//! What agencies report about their people: one event is one fact, never changed once sent.
//!
//! A correction is a new event that [supersedes](Event::supersedes) the wrong one; an event that
//! never happened is [voided](EventDetail::Void); a credential that was truly awarded and is no
//! longer in force is [revoked](EventDetail::Revocation). None of them changes what was sent
//! before, so that any past state of knowledge can be evaluated again.

use std::collections::BTreeSet;

use jiff::civil::Date;
use record::{AgencyId, LocalId};

mod check;
mod code;

pub use check::EventError;
pub(crate) use check::{check_naics, check_optional, check_text};
pub(crate) use code::is_naics;
pub use code::{
    CodeSystem, CredentialKind, DevelopmentalStep, OccupationCode, OccupationSystem, ProgramCode,
    Quarter, TestPhase, UnknownName,
};

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
    /// The agency's id of the event that this one corrects: it counts no longer, from the day on
    /// which this one is received. A correction of a correction names the correction.
    pub supersedes: Option<String>,
    /// The purposes for which the agency sent it; they decide which audience may know of it.
    pub purpose_tags: BTreeSet<String>,
    /// What happened.
    pub detail: EventDetail,
}

impl Event {
    /// The agency's id of the event that this one corrects, voids or revokes.
    pub fn takes_back(&self) -> Option<&str> {
        match &self.detail {
            EventDetail::Void { voided_event_id } => Some(voided_event_id),
            EventDetail::Revocation { credential_event_id, .. } => Some(credential_event_id),
            _ => self.supersedes.as_deref(),
        }
    }
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
        /// The id of the registered term, if the enrollment belongs to one. One that ends before the
        /// term's census was not retained past it: a short course needs a term of its own.
        term: Option<String>,
        /// Credits in tenths: 35 is 3.5 credits.
        credits_tenths: Option<u32>,
        /// The type of credential that the program leads to.
        award_level: Option<CredentialKind>,
        /// The first day.
        start: Date,
        /// The last day.
        end: Date,
    },
    /// Left a course by the census date: never enrolled in it. Of a course and term it strikes the
    /// agency's enrollments that had begun by its day or, where none had begun by then, all of them;
    /// a course taken up again afterwards counts. A later change of mind voids the drop.
    Drop {
        /// The course.
        course: String,
        /// The term; the enrollment open on that day if absent.
        term: Option<String>,
        /// The day of the drop.
        on: Date,
    },
    /// Left a course or a program after the census date: enrolled until that day. Of a course and
    /// term it strikes what a drop would strike. Of a whole term it ends what has begun, and strikes
    /// what begins later.
    Withdrawal {
        /// The course; everything of the term if absent.
        course: Option<String>,
        /// The term; every enrollment open on that day if absent.
        term: Option<String>,
        /// The last day attended.
        on: Date,
    },
    /// Was graded in a course.
    Grade {
        /// The course.
        course: String,
        /// The term, if the course belongs to one.
        term: Option<String>,
        /// The grade as the agency writes it, such as `B+`.
        grade: String,
        /// Whether it is a pass.
        passed: bool,
        /// The day of the grade.
        on: Date,
    },
    /// Was referred to developmental education, or completed it.
    Developmental {
        /// The subject, such as `mathematics`.
        subject: String,
        /// Which of the two.
        step: DevelopmentalStep,
        /// The day.
        on: Date,
    },
    /// Left for an institution of the next level. Spent when the person is engaged again after a
    /// day without, later than this one.
    TransferOut {
        /// The registered id of the institution.
        institution: String,
        /// The day of the transfer.
        on: Date,
    },
    /// Is enrolled at an institution of the next level that sends no events of its own.
    EnrollmentElsewhere {
        /// The registered id of the institution.
        institution: String,
        /// The first day there.
        on: Date,
    },
    /// The agency's handle of the person changed. Says nothing about pathways.
    IdChange {
        /// The handle used before.
        former_local_id: LocalId,
        /// The first day of the new one.
        on: Date,
    },
    /// Attended a class for some hours.
    ClassHours {
        /// The agency's code of the class.
        class: String,
        /// The college program that the class is taught with, if any.
        program: Option<ProgramCode>,
        /// The day.
        on: Date,
        /// Hours in hundredths: 150 is an hour and a half. None is an absence, and no attendance.
        hours_hundredths: u32,
    },
    /// Took a test of the educational functioning level.
    EducationalLevel {
        /// The subject, such as `reading`.
        subject: String,
        /// The level reached: 1 (beginning literacy) to 6 (high adult secondary).
        level: u8,
        /// Whether it was the test at the start or one after instruction.
        phase: TestPhase,
        /// The day of the test.
        on: Date,
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
    /// Received training for a program of study or an occupation.
    Training {
        /// The program that pays for it, such as `adult`, `youth` or `snap_et`.
        program: String,
        /// What is studied; this or an occupation is required.
        study: Option<ProgramCode>,
        /// The occupation trained for.
        occupation: Option<OccupationCode>,
        /// The first day.
        start: Date,
        /// The last day.
        end: Date,
    },
    /// The agency's own statement that the person left one of its programs. Provisional: a later
    /// engagement contradicts it.
    Exit {
        /// The program.
        program: String,
        /// The last day of participation.
        on: Date,
        /// Why, in the agency's words.
        reason: Option<String>,
    },
    /// Completed participation in a program such as SNAP employment and training.
    Completion {
        /// The program.
        program: String,
        /// The day.
        on: Date,
    },
    /// Assistance, such as TANF, ended. Says nothing about pathways.
    AssistanceExit {
        /// The program.
        program: String,
        /// The last day of assistance.
        on: Date,
    },
    /// A reason to keep the person out of the measures.
    Exclusion {
        /// The reason, as the rule profile names it.
        reason: String,
        /// The first day on which it holds.
        from: Date,
    },
    /// The agency's own flag that the person is in a pathway.
    PathwayFlag {
        /// The pathway's id.
        pathway: String,
        /// The first day.
        start: Date,
        /// The last day; the first day alone if absent.
        end: Option<Date>,
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
        /// The registered code of the credential, or of the program that it concludes.
        code: String,
        /// The list of programs that the code belongs to; absent for a credential's own code.
        system: Option<CodeSystem>,
        /// The day of the award.
        awarded_on: Date,
        /// A keyed token of the license or certificate number, never the number itself.
        number: Option<String>,
    },
    /// A credential that was truly awarded is no longer in force, whoever else reported it; only an
    /// award after that day restores it.
    Revocation {
        /// The same agency's id of the credential event.
        credential_event_id: String,
        /// The first day on which it is not in force.
        on: Date,
        /// Why, in the agency's words.
        reason: Option<String>,
    },
    /// Wages of one quarter from one employer.
    Wages {
        /// The quarter.
        quarter: Quarter,
        /// The employer's account at the wage agency.
        employer: String,
        /// The employer's NAICS code in that quarter, where the row says it.
        naics: Option<String>,
        /// The amount in cents.
        amount_cents: i64,
    },
    /// Anything else that reports group by, such as a region. The rules do not look at it.
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
            supersedes: None,
            purpose_tags: BTreeSet::new(),
            detail,
        }
    }

    #[test]
    fn a_code_has_the_form_of_its_list() {
        let training = |study: Option<(CodeSystem, &str)>, occupation: Option<&str>| {
            let study = study.map(|(system, code)| ProgramCode { system, code: code.to_owned() });
            let system = OccupationSystem::Soc2018;
            let occupation =
                occupation.map(|code| OccupationCode { system, code: code.to_owned() });
            let (start, end) = (date(2024, 1, 8), date(2024, 3, 31));
            let program = "adult".to_owned();
            event(EventDetail::Training { program, study, occupation, start, end }).check()
        };
        assert_eq!(training(Some((CodeSystem::Cip2020, "51.0801")), None), Ok(()));
        for family in ["51", "51.08"] {
            let of_family = training(Some((CodeSystem::Cip2020, family)), None);
            assert_eq!(of_family, Err(EventError::Cip));
        }
        assert_eq!(training(Some((CodeSystem::Cip2020, "510801")), None), Err(EventError::Cip));
        assert_eq!(training(Some((CodeSystem::Local, "510801")), Some("29-1141")), Ok(()));
        assert_eq!(training(None, Some("291141")), Err(EventError::Occupation));
        assert_eq!(training(None, None), Err(EventError::NothingTrainedFor));
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
            award_level: None,
            start: first,
            end: last,
        };
        assert_eq!(event(nothing).check(), Err(EventError::NothingEnrolledIn));
        let mut of_itself = event(service(first, last));
        of_itself.supersedes = Some("e1".to_owned());
        assert_eq!(of_itself.check(), Err(EventError::SupersedesItself));
        let level = |level| EventDetail::EducationalLevel {
            subject: "reading".to_owned(),
            level,
            phase: TestPhase::Pre,
            on: first,
        };
        assert_eq!(event(level(6)).check(), Ok(()));
        assert_eq!(event(level(7)).check(), Err(EventError::Level));
        let flag = |pathway: &str, start, end| {
            event(EventDetail::PathwayFlag { pathway: pathway.to_owned(), start, end }).check()
        };
        assert_eq!(flag("HC-1", first, Some(last)), Ok(()));
        assert_eq!(flag("no such id", first, None), Err(EventError::Pathway));
        assert_eq!(flag("HC-1", last, Some(first)), Err(EventError::EndBeforeStart));
        let wages = |amount_cents| {
            let (quarter, employer) = (Quarter { year: 2024, number: 2 }, "E1".to_owned());
            event(EventDetail::Wages { quarter, employer, naics: None, amount_cents }).check()
        };
        assert_eq!(wages(99_999_998), Ok(()));
        assert_eq!(wages(99_999_999), Err(EventError::AmountNotKnown));
    }
}

//! Terms at the college: courses taken, dropped and left, breaks, returns and degrees.

use jiff::civil::Date;
use pathways::{CodeSystem, CredentialKind, EventDetail, ProgramCode, registry::Term};

use super::{Diary, is_short};
use crate::{agency::Agency, random::plus_days};

/// Courses that belong to no pathway.
const GENERAL_COURSES: [&str; 8] =
    ["ENGL101", "HIST110", "PSYC100", "ARTS120", "SOCI101", "COMM105", "SPAN101", "PHIL101"];
/// The program of those who study no trade, in the college's own codes.
const GENERAL_PROGRAM: &str = "GEN-STUDIES";
/// Terms in a row at most.
const LONGEST: usize = 8;

/// How a term went.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Dropped,
    Withdrew(Date),
    Stayed,
}

impl Diary<'_> {
    /// The person's terms at the college, from the first one after registration.
    pub(super) fn college(&mut self) {
        let Some(registered_on) = self.first_day(Agency::College) else {
            return;
        };
        self.flag(registered_on);
        let terms = &self.catalog.terms;
        let mut next = terms.iter().position(|term| term.census >= registered_on);
        let (mut completed, mut left_on) = (0, None);
        while let Some(at) = next.filter(|at| terms[*at].start <= self.until()) {
            let outcome = self.term(&terms[at], registered_on);
            left_on = match outcome {
                Outcome::Dropped => left_on,
                Outcome::Withdrew(on) => Some(on),
                Outcome::Stayed => Some(terms[at].end),
            };
            completed += usize::from(outcome == Outcome::Stayed);
            let earned = outcome == Outcome::Stayed && self.earn(completed, terms[at].end);
            if completed >= LONGEST {
                break;
            }
            next = self.next_term(at, outcome, earned);
        }
        if let Some(left_on) = left_on.filter(|_| completed >= 2) {
            self.transfer(left_on);
        }
        if let Some(left_on) = left_on
            && self.completed_on.is_none()
            && self.random.chance(0.07)
        {
            let awarded_on = plus_days(left_on, self.random.between(30, 400));
            self.award(Agency::College, awarded_on, is_short);
        }
    }

    fn term(&mut self, term: &Term, registered_on: Date) -> Outcome {
        let start = term.start.max(registered_on);
        let program = self.program();
        let courses = self.courses();
        let outcome = match self.random.by_weight(&[6, 7, 87]) {
            0 => Outcome::Dropped,
            1 => {
                let until = plus_days(term.end, -14);
                Outcome::Withdrew(self.random.day(plus_days(term.census, 1), until))
            }
            _ => Outcome::Stayed,
        };
        for course in courses {
            let credits_tenths = Some(*self.random.pick(&[10, 30, 30, 40, 50]));
            let (term_id, end) = (Some(term.id.clone()), term.end);
            let detail = EventDetail::Enrollment {
                program: program.clone(),
                course: Some(course.clone()),
                term: term_id.clone(),
                credits_tenths,
                award_level: None,
                start,
                end,
            };
            self.report(Agency::College, start, detail);
            let alone = outcome == Outcome::Stayed && self.random.chance(0.05);
            if outcome == Outcome::Dropped || alone {
                let on = self.random.day(start, term.census);
                let detail = EventDetail::Drop { course, term: term_id, on };
                self.report(Agency::College, on, detail);
            } else if let Outcome::Withdrew(on) = outcome {
                let detail = EventDetail::Withdrawal { course: Some(course), term: term_id, on };
                self.report(Agency::College, on, detail);
            }
        }
        outcome
    }

    /// The declared program, which many have not declared.
    fn program(&mut self) -> Option<ProgramCode> {
        if !self.random.chance(0.7) {
            return None;
        }
        match self.career {
            Some(career) if !career.programs.is_empty() => {
                Some(self.random.pick(&career.programs).clone())
            }
            _ => Some(ProgramCode { system: CodeSystem::Local, code: GENERAL_PROGRAM.to_owned() }),
        }
    }

    /// One to three different courses of a term.
    fn courses(&mut self) -> Vec<String> {
        let mut courses = Vec::new();
        let count = 1 + self.random.by_weight(&[45, 35, 20]);
        for place in 0..count {
            let own = self.career.map_or(&[][..], |career| &career.courses);
            let other = match self.career {
                Some(career) => &career.other_courses[..],
                None if self.random.chance(0.2) => {
                    self.catalog.careers.first().map_or(&[][..], |it| &it.other_courses)
                }
                None => &[],
            };
            let course = if !own.is_empty() && (place == 0 || self.random.chance(0.4)) {
                self.random.pick(own).clone()
            } else if !other.is_empty() && self.random.chance(0.5) {
                self.random.pick(other).clone()
            } else {
                (*self.random.pick(&GENERAL_COURSES)).to_owned()
            };
            if !courses.contains(&course) {
                courses.push(course);
            }
        }
        courses
    }

    /// A short credential after a term or two, a degree after several.
    fn earn(&mut self, completed: usize, term_end: Date) -> bool {
        let awarded_on = plus_days(term_end, self.random.between(-10, 15));
        if completed >= 4 && self.random.chance(0.45) {
            self.award(Agency::College, awarded_on, |kind| kind >= CredentialKind::AssociateDegree)
        } else if self.random.chance(if completed == 1 { 0.1 } else { 0.2 }) {
            self.award(Agency::College, awarded_on, is_short)
        } else {
            false
        }
    }

    /// The place of the person's next term in the calendar, if there is one.
    fn next_term(&mut self, at: usize, outcome: Outcome, earned: bool) -> Option<usize> {
        let stays = match outcome {
            Outcome::Stayed if earned => 0.45,
            Outcome::Stayed => 0.74,
            Outcome::Dropped => 0.4,
            Outcome::Withdrew(_) => 0.25,
        };
        let following = at + 1..self.catalog.terms.len();
        let required: Vec<usize> =
            following.clone().filter(|it| self.catalog.terms[*it].required).collect();
        if self.random.chance(stays) {
            let summer = following.start;
            let goes_on = following.contains(&summer) && self.random.chance(0.25);
            return if goes_on { Some(summer) } else { required.first().copied() };
        }
        if !self.random.chance(0.2) {
            return None;
        }
        let back = required.get(1 + self.random.by_weight(&[60, 30, 10])).copied();
        if outcome == Outcome::Stayed && self.random.chance(0.35) {
            self.plan_gap(self.catalog.terms[at].end, back);
        }
        back
    }

    /// Goes on to an institution of the next level, or means to.
    fn transfer(&mut self, left_on: Date) {
        let institutions = &self.catalog.institutions;
        if institutions.is_empty() || !self.random.chance(0.07) {
            return;
        }
        let institution = self.random.pick(institutions).clone();
        let on = plus_days(left_on, self.random.between(5, 40));
        let detail = EventDetail::TransferOut { institution: institution.clone(), on };
        self.report(Agency::College, on, detail);
        if self.random.chance(0.7) {
            let on = plus_days(on, self.random.between(30, 150));
            let detail = EventDetail::EnrollmentElsewhere { institution, on };
            self.report(Agency::College, on, detail);
        }
    }

    /// The college's own flag, which it sets for a few.
    fn flag(&mut self, on: Date) {
        if let Some(career) = self.career
            && self.random.chance(0.05)
        {
            let pathway = career.id.clone();
            self.report(
                Agency::College,
                on,
                EventDetail::PathwayFlag { pathway, start: on, end: None },
            );
        }
    }

    /// A break agreed on with the college, until shortly before the return.
    fn plan_gap(&mut self, last_day: Date, back: Option<usize>) {
        let start = plus_days(last_day, 1);
        let longest = plus_days(start, 179);
        let end = back.map_or(longest, |at| plus_days(self.catalog.terms[at].start, -1));
        let recorded_on = plus_days(last_day, self.random.between(-10, 60));
        let detail = EventDetail::PlannedGap { start, end: end.min(longest), recorded_on };
        self.report(Agency::College, recorded_on, detail);
    }
}

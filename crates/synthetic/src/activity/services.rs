//! Services of the workforce board and of human services: training, search for a job, support.

use jiff::civil::Date;
use pathways::EventDetail;

use super::{Diary, is_short};
use crate::{agency::Agency, random::plus_days};

/// Services of agencies that the registry does not list.
const UNLISTED: [&str; 3] = ["ORIENTATION", "JOB-SEARCH", "CASE-MANAGEMENT"];

impl Diary<'_> {
    /// Services of the workforce board, an exit from its program, and credentials of training.
    pub(super) fn workforce(&mut self) {
        let Some(first) = self.first_day(Agency::Workforce) else {
            return;
        };
        let program = match self.person.age(first) {
            ..25 => "youth",
            _ if self.random.chance(0.3) => "dislocated_worker",
            _ => "adult",
        };
        let (last_day, trained) = self.services(Agency::Workforce, first, program, 0.65);
        if trained && self.random.chance(0.4) {
            let awarded_on = plus_days(last_day, self.random.between(0, 120));
            self.award(Agency::Workforce, awarded_on, is_short);
        }
        self.exit(Agency::Workforce, program, last_day, 0.8);
    }

    /// Components of the training programs of human services.
    pub(super) fn human_services(&mut self) {
        let Some(first) = self.first_day(Agency::HumanServices) else {
            return;
        };
        if !self.random.chance(0.5) {
            return;
        }
        let program = if self.random.chance(0.65) { "snap_et" } else { "tanf" };
        let (last_day, _) = self.services(Agency::HumanServices, first, program, 0.35);
        self.exit(Agency::HumanServices, program, last_day, 0.6);
    }

    /// One to four services one after the other; says the last day, and whether one of them was
    /// training of the person's pathway.
    fn services(
        &mut self,
        agency: Agency,
        first: Date,
        program: &str,
        training: f64,
    ) -> (Date, bool) {
        let own = self.career.map_or(&[][..], |career| match agency {
            Agency::Workforce => &career.workforce_training,
            _ => &career.human_services_training,
        });
        let (mut day, mut last_day, mut trained) = (first, first, false);
        let count = 1 + self.random.by_weight(&[35, 35, 20, 10]);
        for _ in 0..count {
            if day > self.until() {
                break;
            }
            let trains = !own.is_empty() && self.random.chance(training);
            let (code, days) = if trains {
                (self.random.pick(own).clone(), self.random.between(20, 150))
            } else {
                (self.support(), self.random.between(0, 14))
            };
            let end = plus_days(day, days);
            self.serve(agency, &code, program, day, end);
            (last_day, trained) = (end.max(last_day), trained || trains);
            let long_after = self.random.chance(0.15);
            let gap = if long_after { (91, 300) } else { (1, 60) };
            day = plus_days(end, self.random.between(gap.0, gap.1));
        }
        (last_day, trained)
    }

    fn support(&mut self) -> String {
        let listed = &self.catalog.support_services;
        if listed.is_empty() || self.random.chance(0.4) {
            (*self.random.pick(&UNLISTED)).to_owned()
        } else {
            self.random.pick(listed).clone()
        }
    }

    /// Reports a service in parts of two months at most, each after its last day.
    fn serve(&mut self, agency: Agency, code: &str, program: &str, start: Date, end: Date) {
        let mut from = start;
        while from <= end {
            let to = plus_days(from, 59).min(end);
            let (code, program) = (code.to_owned(), program.to_owned());
            self.report(agency, to, EventDetail::Service { code, program, start: from, end: to });
            from = plus_days(to, 1);
        }
    }

    /// The agency's own statement of an exit, 90 days after the last service.
    fn exit(&mut self, agency: Agency, program: &str, last_day: Date, how_often: f64) {
        if self.random.chance(how_often) {
            let known_on = plus_days(last_day, 90);
            let detail =
                EventDetail::Exit { program: program.to_owned(), on: last_day, reason: None };
            self.report(agency, known_on, detail);
        }
    }
}

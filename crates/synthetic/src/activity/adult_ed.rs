//! Class hours in adult education: literacy and integrated classes, and the equivalency diploma.

use jiff::civil::Date;
use pathways::{CredentialKind, EventDetail};

use super::Diary;
use crate::{agency::Agency, random::plus_days};

/// Classes that belong to no pathway.
const GENERAL_CLASSES: [&str; 4] = ["ABE-READ", "ABE-MATH", "ESL-2", "HSE-PREP"];
/// The code of the high school equivalency.
const EQUIVALENCY: &str = "HSE";

impl Diary<'_> {
    /// One or two rounds of weekly classes, the hours reported week by week.
    pub(super) fn adult_ed(&mut self) {
        let Some(first) = self.first_day(Agency::AdultEd) else {
            return;
        };
        let mut day = plus_days(first, self.random.between(3, 40));
        let rounds = 1 + self.random.by_weight(&[70, 30]);
        for _ in 0..rounds {
            let class = self.class();
            let weeks = *self.random.pick(&[1, 2, 3, 5, 8, 8, 10, 12]);
            for _ in 0..weeks {
                if day > self.until() {
                    return;
                }
                let hours_hundredths = 50 * self.random.between(4, 12) as u32;
                let detail = EventDetail::ClassHours {
                    class: class.clone(),
                    program: None,
                    on: day,
                    hours_hundredths,
                };
                self.report(Agency::AdultEd, day, detail);
                let missed = self.random.chance(0.1);
                day = plus_days(day, if missed { 14 } else { 7 });
            }
            if class == "HSE-PREP" && weeks >= 5 && self.random.chance(0.5) {
                self.graduate(plus_days(day, 10));
            }
            day = plus_days(day, self.random.between(14, 200));
        }
    }

    fn class(&mut self) -> String {
        let classes = self.career.map_or(&[][..], |career| &career.classes);
        if !classes.is_empty() && self.random.chance(0.55) {
            self.random.pick(classes).clone()
        } else {
            (*self.random.pick(&GENERAL_CLASSES)).to_owned()
        }
    }

    fn graduate(&mut self, awarded_on: Date) {
        let (kind, code) = (CredentialKind::HighSchoolEquivalency, EQUIVALENCY.to_owned());
        let detail = EventDetail::Credential { kind, code, system: None, awarded_on, number: None };
        self.report(Agency::AdultEd, awarded_on, detail);
    }
}

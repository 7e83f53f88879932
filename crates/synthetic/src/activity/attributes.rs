//! Attributes for reports: region, funding stream and demographic group, each for its purpose.

use std::collections::BTreeSet;

use jiff::civil::Date;
use pathways::EventDetail;

use super::Diary;
use crate::{agency::Agency, random::plus_days};

/// Demographic groups in the words of the reports; most people are in none of them.
const GROUPS: [&str; 7] = [
    "none",
    "low_income",
    "english_learner",
    "single_parent",
    "first_generation",
    "veteran",
    "person_with_disability",
];
const GROUP_WEIGHTS: [u32; 7] = [48, 18, 9, 8, 10, 3, 4];

impl Diary<'_> {
    /// What the agencies say about the person beside what happened.
    pub(super) fn attributes(&mut self) {
        let group = GROUPS[self.random.by_weight(&GROUP_WEIGHTS)];
        for agency in Agency::ALL {
            let Some(first) = self.first_day(agency).filter(|_| agency != Agency::Wages) else {
                continue;
            };
            let region = self.state.places.region(self.person.home(first).0);
            self.attribute(agency, first, "region", region, &["planning", "reporting"]);
            let streams: &[&str] = match agency {
                Agency::College => &["state", "perkins", "self_pay"],
                Agency::AdultEd => &["wioa_title_2", "state"],
                Agency::Workforce => &["wioa_title_1", "trade_adjustment"],
                Agency::HumanServices => &["tanf", "snap_et"],
                Agency::Wages => &[],
            };
            let stream = *self.random.pick(streams);
            self.attribute(agency, first, "funding_stream", stream, &["funding", "reporting"]);
            if group != "none" && self.random.chance(0.8) {
                self.attribute(agency, first, "demographic_group", group, &["equity"]);
            }
        }
    }

    fn attribute(&mut self, agency: Agency, from: Date, name: &str, value: &str, tags: &[&str]) {
        let received_on = plus_days(from, self.random.between(1, 30));
        let purpose_tags: BTreeSet<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
        let (name, value) = (name.to_owned(), value.to_owned());
        let detail = EventDetail::Attribute { name, value, from };
        self.push(agency, from, received_on, purpose_tags, detail);
    }
}

//! The rule profile: every choice on which states differ, as one versioned file.

mod section;
mod versions;

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;

use crate::{
    days::toml_date,
    event::Quarter,
    fault::{Fault, Faults},
    status::Status,
};

pub use section::{
    Boundary, CredentialRules, EntryDate, EntryRules, ExclusionRules, FlagRules, LeaveRules,
    LeaveScope, Precedence, ReportRules, ReportUnit, Route, SectorRule, ServiceRules,
    SharedAttribution, WageRules,
};
pub use versions::RuleProfiles;

/// A rule profile. Days are calendar days.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleProfile {
    /// Its id, such as `S1`.
    pub profile: String,
    /// Its version, from 1.
    pub version: u32,
    /// What it is for.
    pub title: String,
    /// The day from whose knowledge on it is used.
    #[serde(with = "toml_date")]
    pub published_on: Date,
    /// The first day of which it speaks.
    #[serde(with = "toml_date")]
    pub effective_from: Date,
    /// The last day of which it speaks, if there is one.
    #[serde(default, with = "toml_date::option")]
    pub effective_to: Option<Date>,
    /// The pathways that it is for; every pathway without a profile of its own where none is named.
    #[serde(default)]
    pub pathways: BTreeSet<String>,
    /// When a person becomes a participant.
    pub entry: EntryRules,
    /// What an agency's own flag is worth.
    pub flag: FlagRules,
    /// When a participant has left.
    pub leave: LeaveRules,
    /// Which services count.
    pub service: ServiceRules,
    /// Which credentials make a completer.
    pub credential: CredentialRules,
    /// Who is outside the measures.
    pub exclusion: ExclusionRules,
    /// What wages say of employment.
    pub wages: WageRules,
    /// What reports count.
    pub report: ReportRules,
}

impl RuleProfile {
    /// Reads and checks a profile; the name of the file is for messages.
    ///
    /// # Errors
    /// [`Faults`] name each line or setting and what is allowed there.
    pub fn parse(file: &str, text: &str) -> Result<Self, Faults> {
        let profile: Self = toml::from_str(text)
            .map_err(|error| Faults::from(Fault::syntax(file, text, &error)))?;
        let wrong = profile.wrong_settings().into_iter();
        Faults::check(wrong.map(|(place, what)| Fault::new(file, place, what)).collect())?;
        Ok(profile)
    }

    /// Settings that make no sense, each with what is allowed.
    fn wrong_settings(&self) -> Vec<(&'static str, &'static str)> {
        let is_id = !self.profile.is_empty() && self.profile.bytes().all(|b| b.is_ascii_graphic());
        let ends = self.effective_to.is_none_or(|to| self.effective_from <= to);
        let mut counting = self.service.participation_causing.values();
        let either = counting.all(|kinds| kinds.is_disjoint(&self.service.never));
        let checks = [
            (is_id, "profile", "give an id such as \"S1\""),
            (self.version > 0, "version", "give a number from 1"),
            (ends, "effective_to", "give a day on or after effective_from"),
            (!self.entry.any_of.is_empty(), "entry.any_of", "give at least one route of entry"),
            (self.entry.min_courses > 0, "entry.min_courses", "give a number from 1"),
            (
                self.entry.window_days != Some(0),
                "entry.window_days",
                "give at least 1 day, or leave it out",
            ),
            (either, "service.never", "name no kind that counts for a program"),
            (self.wages.min_cents > 0, "wages.min_cents", "give an amount from 1 cent"),
            ((1..=1_000).contains(&self.leave.gap_days), "leave.gap_days", "give 1 to 1000 days"),
        ];
        checks.into_iter().filter(|it| !it.0).map(|(_, place, what)| (place, what)).collect()
    }

    /// Id and version, such as `S1/1`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.profile, self.version)
    }

    /// The leaves of a status in the days from `first` to `last`, as a report counts them.
    pub fn leaves_in(&self, status: &Status, first: Date, last: Date) -> Vec<Date> {
        let spells = status.spells.iter().filter(|it| it.ended);
        let mut leaves: Vec<_> =
            spells.map(|it| it.last_day).filter(|day| (first..=last).contains(day)).collect();
        if self.report.unit == ReportUnit::Person {
            leaves.drain(..leaves.len().saturating_sub(1));
        }
        leaves
    }

    /// Whether a service of `kind` paid for by `program` counts; absent for an unknown program.
    pub(crate) fn causes_participation(&self, program: &str, kind: &str) -> Option<bool> {
        Some(self.service.participation_causing.get(program)?.contains(kind))
    }

    /// Whether `reason`, true from `from`, excludes a person with this leave date from measures.
    pub(crate) fn excludes(&self, reason: &str, from: Date, leave_date: Option<Date>) -> bool {
        let Some(&quarters) = self.exclusion.post_exit_quarters.get(reason) else {
            return false;
        };
        let Some(leave) = leave_date.filter(|&leave| from > leave) else {
            return true;
        };
        quarters > 0 && Quarter::of(from) <= Quarter::of(leave).plus(quarters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_senseless_setting_is_named_at_once() {
        let text = crate::DEFAULT_PROFILE
            .replace("gap_days = 90", "gap_days = 0")
            .replace("min_courses = 1", "min_courses = 0");
        let faults = RuleProfile::parse("s1.toml", &text).unwrap_err();
        assert_eq!(faults.as_slice().len(), 2, "{faults}");
    }

    #[test]
    fn the_built_in_profiles_are_read() {
        let s1 = RuleProfile::parse("s1.toml", crate::DEFAULT_PROFILE).unwrap();
        assert_eq!((s1.name().as_str(), s1.leave.gap_days), ("S1/1", 90));
        let c1y = include_str!("../../../config/profiles/c1y.toml");
        assert_eq!(RuleProfile::parse("c1y.toml", c1y).unwrap().leave.gap_days, 365);
    }

    #[test]
    fn an_unknown_setting_or_a_senseless_one_is_refused_by_name() {
        let changed = |from: &str, to: &str| {
            assert!(crate::DEFAULT_PROFILE.contains(from));
            let text = crate::DEFAULT_PROFILE.replace(from, to);
            RuleProfile::parse("s1.toml", &text).unwrap_err().to_string()
        };
        let typo = changed("gap_days = 90", "gap_dais = 90");
        assert!(typo.starts_with("s1.toml, line ") && typo.contains("gap_dais"), "{typo}");
        let senseless = changed("gap_days = 90", "gap_days = 0");
        assert_eq!(senseless, "s1.toml: leave.gap_days: give 1 to 1000 days");
        assert!(changed("min_courses = 1", "min_courses = 0").contains("entry.min_courses"));
        assert!(changed("\"follow_up\", ", "\"career\", ").contains("service.never"));
        assert!(changed("\"license\"", "\"licence\"").contains("give one of"));
    }
}

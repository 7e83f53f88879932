//! The rule profile: every choice on which states differ, as one versioned file.

mod versions;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;

use crate::{
    days::toml_date,
    event::{CredentialKind, Quarter},
    fault::{Fault, Faults},
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
}

/// When a person becomes a participant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRules {
    /// The routes of entry; one is enough.
    pub any_of: BTreeSet<Route>,
    /// Different courses and terms that the route `course` asks for, from 1.
    pub min_courses: u32,
    /// Credits that the route `course` asks for, if any.
    pub min_credits: Option<u32>,
    /// Hours in integrated classes that the route `class_hours` asks for.
    pub min_hours: u32,
    /// The days within which a route must be met, if it must be met within some.
    pub window_days: Option<u16>,
    /// Whether a feeder component counts as a core one.
    pub feeder_counts: bool,
    /// Whether an enrollment counts only once its term's census is past.
    pub census_required: bool,
    /// What a course or service that several pathways share needs to count for one of them.
    pub shared_attribution: SharedAttribution,
    /// The date on which participation takes effect.
    pub effective: EntryDate,
}

/// A way into a pathway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Enrolled in courses or programs of the pathway.
    Course,
    /// Attended its classes for some hours.
    ClassHours,
    /// Received one of its services.
    Service,
    /// Flagged by an agency.
    AgencyFlag,
}

/// What a shared component needs to count for a pathway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedAttribution {
    /// The pathway's program declared in the same row, or an engagement of the pathway's own that
    /// it overlaps or follows before the deadline.
    ProgramOrOwnEngagement,
    /// Nothing: it counts for every pathway that shares it.
    None,
}

/// The date on which participation takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryDate {
    /// The first day of the first qualifying engagement.
    FirstQualifyingEngagement,
    /// The day on which the threshold was met.
    ThresholdMet,
}

/// What an agency's own flag is worth.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagRules {
    /// Which of the two decides, where an agency's flag and the other events disagree.
    pub precedence: Precedence,
}

/// Whether flags, other events or both make a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precedence {
    /// One of the two is enough; a flag without an engagement is told as a warning.
    DerivedOrAsserted,
    /// Only the other events: a flag alone makes a candidate.
    Derived,
    /// Only a flag: engagements without one make a candidate.
    Asserted,
}

/// When a participant has left. A person has left on the day `gap_days` after the last day of
/// engagement, unless engaged by that day.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveRules {
    /// Days without engagement, 1 to 1,000.
    pub gap_days: u16,
    /// Whether the leave falls on the last of the days or on the day after it.
    pub boundary: Boundary,
    /// Whether engagement in another pathway keeps a person from leaving this one.
    pub scope: LeaveScope,
    /// Whether an engagement that ended with its term is held open to the next required census.
    pub term_bridge: bool,
    /// The longest planned gap, in days; a longer one counts for that long.
    pub planned_gap_max_days: u16,
    /// Days after the last day of engagement by which a planned gap must have been recorded.
    pub planned_gap_record_days: u16,
    /// Whether a transfer to a registered institution is a leave like any other.
    pub transfer_is_leave: bool,
    /// Days after the last day of engagement by which a transfer's enrollment must begin.
    pub transfer_days: u16,
    /// Whether a terminal credential ends the pathway.
    pub on_terminal_credential: bool,
}

/// The day on which the days without engagement are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// The day `gap_days` after the last day of engagement; an engagement on it is in time.
    OnDay,
    /// The day after that one.
    AfterDay,
}

/// What a pathway's leave looks at. The status in the whole system is given beside it either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveScope {
    /// The pathway's own engagements.
    Pathway,
    /// Engagements in any pathway: nobody leaves one while engaged in another.
    System,
}

/// Which services count.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRules {
    /// By program: the kinds of services that count as engagement.
    pub participation_causing: BTreeMap<String, BTreeSet<String>>,
}

/// Which credentials make a completer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRules {
    /// The types that qualify.
    #[serde(deserialize_with = "credential_kinds")]
    pub qualifying_types: BTreeSet<CredentialKind>,
    /// Whether the credential must be on the pathway's list.
    pub requires_on_pathway_list: bool,
    /// Whether an award before the first qualifying engagement is left out.
    pub not_before_entry: bool,
    /// Days after the leave date within which an award counts for the measures.
    pub post_leave_days: u16,
    /// Days after the last day of engagement within which an award makes a completer; without it,
    /// however late.
    pub status_post_leave_days: Option<u16>,
    /// Whether a high school equivalency alone makes a completer.
    pub hse_completes: bool,
}

/// Who is outside the measures.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExclusionRules {
    /// By reason: for how many quarters after the quarter of the leave it still excludes.
    pub post_exit_quarters: BTreeMap<String, u16>,
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
            ((1..=1_000).contains(&self.leave.gap_days), "leave.gap_days", "give 1 to 1000 days"),
        ];
        checks.into_iter().filter(|it| !it.0).map(|(_, place, what)| (place, what)).collect()
    }

    /// Id and version, such as `S1/1`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.profile, self.version)
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

fn credential_kinds<'de, D>(from: D) -> Result<BTreeSet<CredentialKind>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    let names = Vec::<String>::deserialize(from)?;
    names.iter().map(|name| name.parse().map_err(serde::de::Error::custom)).collect()
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
        assert!(changed("\"license\"", "\"licence\"").contains("give one of"));
    }
}

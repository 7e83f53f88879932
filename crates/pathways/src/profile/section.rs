//! The sections of a rule profile, one parameter a field.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::event::CredentialKind;

/// When a person becomes a participant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRules {
    /// The routes of entry; one is enough.
    pub any_of: BTreeSet<Route>,
    /// Different courses and terms that the route `course` asks for, from 1.
    pub min_courses: u32,
    /// Credits that the route `course` asks for, if any; a course of a term counts once.
    pub min_credits: Option<u32>,
    /// Hours in integrated classes that the route `class_hours` asks for.
    pub min_hours: u32,
    /// The days within which a route must be met, if it must be met within some.
    pub window_days: Option<u16>,
    /// Whether a feeder component counts as a core one.
    pub feeder_counts: bool,
    /// Whether an enrollment counts only once its term's census is past: not before it, and never
    /// where its last day, planned or actual, lies before it. A short course needs a term of its
    /// own, or none.
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
    /// Received training: one of its services of that kind, or training for it. Other services that
    /// count are engagements, and no way in.
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
    /// The day on which the threshold was met. What had ended before it is no spell.
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
    /// One of the two is enough; a flag without any other event that is an engagement by itself is
    /// told as a warning.
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
    /// The longest planned gap, in days; a longer one counts for that long. Gaps that overlap or
    /// touch are one.
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
    /// The kinds of services that never count. A kind that is neither among these nor counts for
    /// some program is taken for a misspelling where the registry names it.
    #[serde(default)]
    pub never: BTreeSet<String>,
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
    /// Whether the credential must be on the pathway's list. One that the list says not to qualify
    /// never does.
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

/// What wages say of employment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WageRules {
    /// The least amount from one employer in a quarter that counts, in cents, from 1.
    pub min_cents: i64,
    /// Whose industry decides whether a person works in a sector.
    pub sector: SectorRule,
    /// The quarters after the quarter of the leave of which earnings are counted.
    pub earnings_quarters: BTreeSet<u16>,
    /// Quarters after which one that was never said to be loaded counts as loaded; without it,
    /// never.
    pub final_lag_quarters: Option<u16>,
    /// Whether an account that goes on from another is the same employer.
    pub successor_is_same: bool,
}

/// Whose industry decides whether a person works in a sector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectorRule {
    /// One of the employers is enough.
    AnyEmployer,
    /// The employer that paid most.
    PrimaryEmployer,
}

/// What reports count.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportRules {
    /// What is counted once in a period.
    pub unit: ReportUnit,
}

/// What a report counts once in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportUnit {
    /// A person, by the last leave in the period.
    Person,
    /// Every leave.
    Spell,
}

fn credential_kinds<'de, D>(from: D) -> Result<BTreeSet<CredentialKind>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    let names = Vec::<String>::deserialize(from)?;
    names.iter().map(|name| name.parse().map_err(serde::de::Error::custom)).collect()
}

//! A status: three facets that hold side by side, and the label people read.

use std::{borrow::Borrow, collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use jiff::civil::Date;
use record::AgencyId;

use crate::event::{CredentialKind, Event};

mod label;

pub use label::{Label, UnknownLabel};

/// The id of a pathway: 1 to 32 letters, digits, `-`, `_` or `.`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathwayId(Arc<str>);

/// A text is not the id of a pathway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pathway id is 1 to 32 letters, digits, '-', '_' or '.'")]
pub struct InvalidPathwayId;

/// What a status is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One pathway.
    Pathway(PathwayId),
    /// All pathways together: engaged in any of them is engaged.
    System,
}

/// The status of one participant in one scope, as of a day and as known on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What it is about.
    pub scope: Scope,
    /// The day it speaks of.
    pub as_of: Date,
    /// The day whose knowledge it uses.
    pub known_at: Date,
    /// The id and version of the rule profile, such as `S1/1`; in the system of each that was used;
    /// empty where none governed.
    pub profile: String,
    /// The version of the registry; absent where none was published by `known_at`.
    pub registry_version: Option<String>,
    /// Whether the person ever entered.
    pub participation: Participation,
    /// Whether the person is engaged now.
    pub engagement: Engagement,
    /// The qualifying credentials, if any.
    pub credential: Option<Completer>,
    /// The spells that began by `as_of`, oldest first; they never overlap.
    pub spells: Vec<Spell>,
    /// Exclusions from the measures' denominators, oldest first.
    pub exclusions: Vec<Exclusion>,
    /// The events that gave the status, in order.
    pub contributing: BTreeSet<EventRef>,
    /// What does not fit together in the events.
    pub warnings: BTreeSet<Warning>,
}

/// Names one event: who reported it and the reporter's own id of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventRef {
    /// The agency.
    pub source: AgencyId,
    /// The agency's id of the event.
    pub event_id: String,
}

/// Whether a person entered a pathway. Once true it stays true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Participation {
    /// No event touches the pathway.
    None,
    /// Touched, and below the threshold of entry.
    Candidate,
    /// Entered.
    Participant(Since),
}

/// The three dates of a fact: of one and the same fact, whose `effective` tells it from others of
/// its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The day from which it is true.
    pub effective: Date,
    /// The first day on which the rules published by then could tell, had all events been received.
    pub determinable: Date,
    /// The day from which on it was said, without a break up to now: asked for the same day as known
    /// on this day, the rules give the same fact with the same dates, and as known on the day before
    /// they do not. Every receipt counts, also of a correction, void or drop that moved the fact;
    /// so do a registry version, a profile, and the declaration of a source that was overdue. Days
    /// before `as_of` are asked each as known on itself.
    pub known: Date,
}

/// Whether a participant is engaged on the day the status speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engagement {
    /// Not a participant.
    None,
    /// Engaged on that day.
    Active,
    /// Not engaged, and not yet gone.
    InGap {
        /// The last day of engagement.
        last_day: Date,
        /// The day on which the person has left, unless engaged by then.
        deadline: Date,
        /// What sets the deadline.
        reason: GapReason,
        /// The overdue sources for whose sake a leave past its deadline is held back.
        unconfirmed: Vec<AgencyId>,
    },
    /// Gone.
    Left {
        /// Effective is the last day of engagement, determinable the deadline, or the later
        /// publication of the rules that set it.
        since: Since,
        /// The day on which the person had left.
        deadline: Date,
        /// Why it counts as a leave.
        reason: LeaveReason,
        /// Whether every required source is complete through the deadline.
        confirmed: bool,
    },
    /// Went on to an institution of the next level; not a leave.
    Transferred {
        /// Effective is the last day of engagement, determinable the first day at the institution,
        /// or the later publication of the rules that make it a transfer.
        since: Since,
        /// The registered institution.
        institution: String,
    },
}

impl Engagement {
    /// Whether the report of a source may confirm a leave that now is held back or provisional.
    pub fn awaits_report(&self) -> bool {
        match self {
            Self::InGap { unconfirmed, .. } => !unconfirmed.is_empty(),
            Self::Left { confirmed, .. } => !confirmed,
            Self::None | Self::Active | Self::Transferred { .. } => false,
        }
    }
}

/// What sets the deadline of a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapReason {
    /// The days of the profile after the last day of engagement.
    Days(u16),
    /// The engagement ended with its term: the census of the next required term.
    TermBridge,
    /// A gap that was planned and recorded in time.
    Planned,
    /// A transfer that awaits its enrollment.
    Transfer,
    /// An enrollment that began in time and whose census is still to come.
    PendingCensus,
    /// A terminal credential, which ends the pathway.
    TerminalCredential,
    /// Engagement in another pathway, where the profile looks at the whole system.
    OtherPathway,
}

/// Why a leave is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeaveReason {
    /// The deadline passed; what had set it.
    NoEngagement(GapReason),
    /// The deadline passed while the person was engaged in another pathway.
    MovedPathway,
}

/// The credentials that make a person a completer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completer {
    /// The first award; the two days after it are about that one.
    pub first_on: Date,
    /// The first day on which the rules published by then could tell: the award, or the threshold of
    /// entry after it.
    pub determinable: Date,
    /// The day from which on the first award and `determinable` were said; see [`Since::known`].
    pub known: Date,
    /// The highest type among the awards.
    pub highest: CredentialKind,
    /// Whether any of the awards is in force on the day the status speaks of.
    pub in_force: bool,
    /// One award per credential code, oldest first; renewals and duplicates are folded in.
    pub awards: Vec<Award>,
}

/// One credential on the pathway's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Award {
    /// The registered code.
    pub code: String,
    /// Its type.
    pub kind: CredentialKind,
    /// The first award of this credential.
    pub awarded_on: Date,
    /// Whether it is in force on the day the status speaks of. A revocation ends every award of the
    /// credential up to its day, whoever reported it; a later award restores it.
    pub in_force: bool,
    /// Whether it lies in the measures' window: in a spell or soon enough after it.
    pub in_measure_window: bool,
}

/// A time of engagement, gaps within the deadline included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    /// The first day of engagement.
    pub start: Date,
    /// The last day of engagement that lies on or before the status's `as_of`.
    pub last_day: Date,
    /// Whether it ended, by leave or transfer; the leave date is then `last_day`.
    pub ended: bool,
}

/// A reason to keep a person out of the measures' denominators. Never removes the person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exclusion {
    /// The day from which it holds.
    pub from: Date,
    /// The reason, as the profile names it; not for display beyond the measures.
    pub reason: String,
    /// Whether it excludes: it began by the leave, or within the profile's window after it.
    pub applies: bool,
}

/// Something in the events that a person should look at; the status stands all the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// An agency stated an exit, and the person was engaged after it.
    ExitContradicted(EventRef),
    /// An agency flagged the person, and no other event is an engagement in the pathway.
    FlagWithoutEngagement(EventRef),
    /// The term is not registered, so the enrollment counts without a census.
    UnknownTerm(EventRef),
    /// The profile does not say which services of this program count.
    UnknownServiceProgram(EventRef),
    /// The institution of a transfer is not registered.
    UnknownInstitution(EventRef),
}

impl Status {
    /// Whether two statuses say the same, whatever the days they speak of and the versions and
    /// events that gave them.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.scope == other.scope
            && self.participation == other.participation
            && self.engagement == other.engagement
            && self.credential == other.credential
            && self.exclusions == other.exclusions
            && self.label() == other.label()
    }

    /// Whether a status on one day is all that another says on its own day: only the days they
    /// speak of differ, and the last day of a spell of which neither day is the end.
    pub fn lasts(&self, other: &Self) -> bool {
        let spells = |status: &Self| {
            let mut spells = status.spells.clone();
            if let Some(open) =
                spells.last_mut().filter(|_| status.engagement == Engagement::Active)
            {
                open.last_day = open.start;
            }
            spells
        };
        self.says_the_same(other)
            && self.profile == other.profile
            && self.registry_version == other.registry_version
            && self.contributing == other.contributing
            && self.warnings == other.warnings
            && spells(self) == spells(other)
    }

    /// The last day of engagement, where the person left.
    pub fn leave_date(&self) -> Option<Date> {
        match self.engagement {
            Engagement::Left { since, .. } => Some(since.effective),
            _ => None,
        }
    }
}

impl EventRef {
    /// The name of `event`.
    pub fn of(event: &Event) -> Self {
        Self { source: event.source.clone(), event_id: event.source_event_id.clone() }
    }
}

impl PathwayId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PathwayId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for PathwayId {
    type Err = InvalidPathwayId;

    fn from_str(text: &str) -> Result<Self, InvalidPathwayId> {
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if fits { Ok(Self(text.into())) } else { Err(InvalidPathwayId) }
    }
}

impl fmt::Display for PathwayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pathway(pathway) => pathway.fmt(f),
            Self::System => f.pad("system"),
        }
    }
}

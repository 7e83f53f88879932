//! The label that people read: the three facets in a word or two.

use std::{fmt, str::FromStr};

use super::{Engagement, Participation, Status};

/// A status in a word or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// Nothing touches the pathway.
    None,
    /// Touched, below the threshold of entry.
    Candidate,
    /// Engaged for the first time.
    Participant,
    /// In a gap, without credential.
    ParticipantInGap,
    /// Engaged again after a leave.
    ReturnedParticipant,
    /// Left without credential.
    Leaver,
    /// Went on to the next level without credential.
    Transferred,
    /// Engaged, with credential.
    CompleterEnrolled,
    /// In a gap, with credential.
    CompleterInGap,
    /// Engaged again after a leave, with credential.
    ReturnedCompleter,
    /// Left, with credential.
    CompleterLeaver,
    /// Went on to the next level, with credential.
    CompleterTransferred,
}

impl Status {
    /// The label of the three facets.
    pub fn label(&self) -> Label {
        match self.participation {
            Participation::None => return Label::None,
            Participation::Candidate => return Label::Candidate,
            Participation::Participant(_) => {}
        }
        let (completer, returned) = (self.credential.is_some(), self.spells.len() > 1);
        match (&self.engagement, completer) {
            (Engagement::None, false) => Label::Participant,
            (Engagement::None, true) => Label::CompleterEnrolled,
            (Engagement::Active, false) if returned => Label::ReturnedParticipant,
            (Engagement::Active, true) if returned => Label::ReturnedCompleter,
            (Engagement::Active, false) => Label::Participant,
            (Engagement::Active, true) => Label::CompleterEnrolled,
            (Engagement::InGap { .. }, false) => Label::ParticipantInGap,
            (Engagement::InGap { .. }, true) => Label::CompleterInGap,
            (Engagement::Left { .. }, false) => Label::Leaver,
            (Engagement::Left { .. }, true) => Label::CompleterLeaver,
            (Engagement::Transferred { .. }, false) => Label::Transferred,
            (Engagement::Transferred { .. }, true) => Label::CompleterTransferred,
        }
    }
}

impl Label {
    /// Every label.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::Candidate,
        Self::Participant,
        Self::ParticipantInGap,
        Self::ReturnedParticipant,
        Self::Leaver,
        Self::Transferred,
        Self::CompleterEnrolled,
        Self::CompleterInGap,
        Self::ReturnedCompleter,
        Self::CompleterLeaver,
        Self::CompleterTransferred,
    ];

    /// The label as people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Candidate => "candidate",
            Self::Participant => "participant",
            Self::ParticipantInGap => "participant (gap)",
            Self::ReturnedParticipant => "returned participant",
            Self::Leaver => "leaver",
            Self::Transferred => "transferred",
            Self::CompleterEnrolled => "completer, still enrolled",
            Self::CompleterInGap => "completer (gap)",
            Self::ReturnedCompleter => "returned completer",
            Self::CompleterLeaver => "completer-leaver",
            Self::CompleterTransferred => "completer, transferred",
        }
    }
}

impl FromStr for Label {
    type Err = UnknownLabel;

    fn from_str(text: &str) -> Result<Self, UnknownLabel> {
        Self::ALL.into_iter().find(|label| label.as_str() == text).ok_or(UnknownLabel)
    }
}

/// A text is not a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a label such as participant, leaver or completer-leaver")]
pub struct UnknownLabel;

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

//! A status in plain words. They name no event, and no agency but those whose data is overdue.

use std::fmt;

use crate::status::{
    Completer, Engagement, GapReason, LeaveReason, Participation, Status, Warning,
};

impl Status {
    /// Why the status is what it is: a sentence per facet that says something.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<_> = self.participation_reason().into_iter().collect();
        reasons.extend(self.engagement_reason());
        reasons.extend(self.credential.as_ref().map(completer_reason));
        if self.exclusions.iter().any(|it| it.applies) {
            reasons.push("outside the measures: an exclusion applies".to_owned());
        }
        reasons
    }

    fn participation_reason(&self) -> Option<String> {
        match self.participation {
            Participation::None => None,
            Participation::Candidate => {
                Some("candidate: engaged in it, below the threshold of entry".to_owned())
            }
            Participation::Participant(since) => Some(format!(
                "participant from {}; could be told from {}",
                since.effective, since.determinable
            )),
        }
    }

    fn engagement_reason(&self) -> Option<String> {
        let spell = self.spells.len();
        match &self.engagement {
            Engagement::None => None,
            Engagement::Active if spell > 1 => Some(format!("engaged, in spell {spell}")),
            Engagement::Active => Some("engaged".to_owned()),
            Engagement::InGap { last_day, deadline, unconfirmed, .. }
                if !unconfirmed.is_empty() =>
            {
                let sources: Vec<_> = unconfirmed.iter().map(|it| it.as_str()).collect();
                Some(format!(
                    "in a gap since {last_day}: past the deadline {deadline}, not confirmed while \
                     data is overdue from {}",
                    sources.join(", ")
                ))
            }
            Engagement::InGap { last_day, deadline, reason, .. } => {
                Some(format!("in a gap since {last_day}: {reason}; deadline {deadline}"))
            }
            Engagement::Left { since, deadline, reason, confirmed } => {
                let provisional = if *confirmed { "" } else { "; not every source has reported" };
                Some(format!(
                    "left on {}: {reason}; deadline {deadline}{provisional}",
                    since.effective
                ))
            }
            Engagement::Transferred { since, institution } => Some(format!(
                "transferred after {}: enrolled at {institution}, told from {}",
                since.effective, since.determinable
            )),
        }
    }
}

fn completer_reason(completer: &Completer) -> String {
    let awards: Vec<_> = completer
        .awards
        .iter()
        .map(|it| {
            let force = if it.in_force { "" } else { ", no longer in force" };
            format!("{} ({}, {}{force})", it.code, it.kind, it.awarded_on)
        })
        .collect();
    format!("completer from {}: {}", completer.first_on, awards.join(", "))
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days} days to come back"),
            Self::TermBridge => f.write_str("the census of the next required term is awaited"),
            Self::Planned => f.write_str("a planned gap"),
            Self::Transfer => f.write_str("a transfer, its enrollment is awaited"),
            Self::PendingCensus => f.write_str("an enrollment whose census is awaited"),
            Self::TerminalCredential => f.write_str("a terminal credential"),
            Self::OtherPathway => f.write_str("engaged in another pathway"),
        }
    }
}

impl fmt::Display for LeaveReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MovedPathway => f.write_str("moved to another pathway"),
            Self::NoEngagement(GapReason::Days(days)) => {
                write!(f, "no qualifying engagement for {days} days")
            }
            Self::NoEngagement(GapReason::TermBridge) => {
                f.write_str("no qualifying engagement by the census of the next required term")
            }
            Self::NoEngagement(GapReason::Planned) => {
                f.write_str("no qualifying engagement by the end of the planned gap")
            }
            Self::NoEngagement(GapReason::Transfer) => {
                f.write_str("transferred, and no enrollment there in time")
            }
            Self::NoEngagement(GapReason::PendingCensus) => {
                f.write_str("no qualifying engagement by the census of the enrollment")
            }
            Self::NoEngagement(GapReason::OtherPathway) => {
                f.write_str("no qualifying engagement in any pathway")
            }
            Self::NoEngagement(GapReason::TerminalCredential) => {
                f.write_str("a terminal credential ended the pathway")
            }
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExitContradicted(_) => "an exit was stated, and an engagement followed it",
            Self::FlagWithoutEngagement(_) => "an agency's flag, and no engagement beside it",
            Self::UnknownTerm(_) => "the term is not registered: counted without a census",
            Self::UnknownServiceProgram(_) => "the profile does not know the service's program",
            Self::UnknownInstitution(_) => "the institution of a transfer is not registered",
        })
    }
}

impl Warning {
    /// The event to look at.
    pub fn event(&self) -> &crate::status::EventRef {
        match self {
            Self::ExitContradicted(event)
            | Self::FlagWithoutEngagement(event)
            | Self::UnknownTerm(event)
            | Self::UnknownServiceProgram(event)
            | Self::UnknownInstitution(event) => event,
        }
    }
}

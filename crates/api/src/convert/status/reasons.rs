//! Why a status is what it is, in plain sentences.

use pathways::{Completer, Engagement, GapReason, LeaveReason, Participation, Since, Status};

/// A sentence per facet that says something.
pub(super) fn reasons(status: &Status) -> Vec<String> {
    let facets = [
        participation(status.participation),
        engagement(&status.engagement),
        status.credential.as_ref().map(credential),
    ];
    facets.into_iter().flatten().collect()
}

fn participation(participation: Participation) -> Option<String> {
    match participation {
        Participation::None => None,
        Participation::Candidate => {
            Some("Touched the pathway, below the threshold of entry.".to_owned())
        }
        Participation::Participant(Since { effective, determinable, .. }) => Some(format!(
            "Participant since {effective}; the rule could tell from {determinable} on."
        )),
    }
}

fn engagement(engagement: &Engagement) -> Option<String> {
    match engagement {
        Engagement::None => None,
        Engagement::Active => Some("Engaged on the day asked for.".to_owned()),
        Engagement::InGap { last_day, deadline, reason, unconfirmed } => {
            let why = gap(*reason);
            let mut text = format!(
                "Last engaged on {last_day}; a leaver on {deadline} unless engaged by then"
            );
            text.push_str(&format!(" ({why})."));
            if !unconfirmed.is_empty() {
                let sources: Vec<_> = unconfirmed.iter().map(|agency| agency.as_str()).collect();
                text.push_str(&format!(
                    " Held back until data arrive from: {}.",
                    sources.join(", ")
                ));
            }
            Some(text)
        }
        Engagement::Left { since, reason, confirmed } => {
            let why = match reason {
                LeaveReason::NoEngagement(reason) => gap(*reason),
                LeaveReason::MovedPathway => "engaged in another pathway".to_owned(),
            };
            let open = if *confirmed { "" } else { " Data of a required source are still open." };
            let Since { effective, determinable, .. } = since;
            Some(format!(
                "Left: last engaged on {effective}, not again by {determinable} ({why}).{open}"
            ))
        }
        Engagement::Transferred { since: Since { effective, determinable, .. }, .. } => {
            Some(format!(
                "Transferred: last engaged on {effective}, at the next institution from \
                 {determinable} on."
            ))
        }
    }
}

fn gap(reason: GapReason) -> String {
    match reason {
        GapReason::Days(days) => format!("{days} days after the last day of engagement"),
        GapReason::TermBridge => "census of the next required term".to_owned(),
        GapReason::Planned => "planned gap".to_owned(),
        GapReason::Transfer => "transfer awaiting its enrollment".to_owned(),
        GapReason::PendingCensus => "enrollment whose census is to come".to_owned(),
        GapReason::TerminalCredential => "terminal credential".to_owned(),
    }
}

fn credential(completer: &Completer) -> String {
    let force = if completer.in_force { "in force" } else { "no longer in force" };
    format!(
        "Completer since {}: highest credential {}, {force}.",
        completer.first_on, completer.highest
    )
}

//! Statuses, as one agency is served them.

use pathways::{
    Engagement, EventRef, GapReason, LeaveReason, Participation, Spell, Status, Warning,
};
use record::{AgencyId, LocalId};

use super::{date_to_proto, event::credential_kind_to_proto};
use crate::status::{self, CredentialState, EngagementState, ParticipationState};

/// The record, of one agency, that a status is served for.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// The agency.
    pub agency: &'a AgencyId,
    /// Its own handle of the person.
    pub local_id: &'a LocalId,
    /// Its own pseudonym of the participant.
    pub pseudonym: &'a str,
}

/// The message of a status. Ids of events stay with the agency that gave them.
pub fn status_to_proto(status: &Status, addressee: Addressee<'_>) -> status::Status {
    let event = |event| event_to_proto(event, addressee.agency);
    status::Status {
        local_id: addressee.local_id.as_str().to_owned(),
        pathway: status.scope.to_string(),
        pseudonym: addressee.pseudonym.to_owned(),
        label: status.label().as_str().to_owned(),
        participation: Some(participation_to_proto(status.participation)),
        engagement: Some(engagement_to_proto(&status.engagement)),
        credential: Some(credential_to_proto(status)),
        spells: status.spells.iter().map(spell_to_proto).collect(),
        as_of: Some(date_to_proto(status.as_of)),
        known_at: Some(date_to_proto(status.known_at)),
        rule_profile: status.profile.clone(),
        registry_version: status.registry_version.clone().unwrap_or_default(),
        reasons: status.reasons(),
        events: status.contributing.iter().map(event).collect(),
        warnings: status
            .warnings
            .iter()
            .map(|warning| warning_to_proto(warning, addressee.agency))
            .collect(),
    }
}

fn participation_to_proto(participation: Participation) -> status::Participation {
    let state = match participation {
        Participation::None => ParticipationState::None,
        Participation::Candidate => ParticipationState::Candidate,
        Participation::Participant(_) => ParticipationState::Participant,
    };
    let mut message = status::Participation { state: state.into(), ..Default::default() };
    if let Participation::Participant(since) = participation {
        message.effective_on = Some(date_to_proto(since.effective));
        message.determinable_on = Some(date_to_proto(since.determinable));
        message.known_on = Some(date_to_proto(since.known));
    }
    message
}

fn engagement_to_proto(engagement: &Engagement) -> status::Engagement {
    let of = |state: EngagementState| status::Engagement {
        state: state.into(),
        ..status::Engagement::default()
    };
    match engagement {
        Engagement::None => of(EngagementState::None),
        Engagement::Active => of(EngagementState::Active),
        Engagement::InGap { last_day, deadline, reason, unconfirmed } => status::Engagement {
            last_on: Some(date_to_proto(*last_day)),
            deadline: Some(date_to_proto(*deadline)),
            reason: gap_reason(*reason).to_owned(),
            unconfirmed_sources: unconfirmed.iter().map(AgencyId::to_string).collect(),
            ..of(EngagementState::InGap)
        },
        Engagement::Left { since, deadline, reason, confirmed } => status::Engagement {
            last_on: Some(date_to_proto(since.effective)),
            deadline: Some(date_to_proto(*deadline)),
            known_on: Some(date_to_proto(since.known)),
            reason: match reason {
                LeaveReason::NoEngagement(reason) => gap_reason(*reason).to_owned(),
                LeaveReason::MovedPathway => "moved_pathway".to_owned(),
            },
            confirmed: *confirmed,
            ..of(EngagementState::Left)
        },
        Engagement::Transferred { since, institution } => status::Engagement {
            last_on: Some(date_to_proto(since.effective)),
            deadline: Some(date_to_proto(since.determinable)),
            known_on: Some(date_to_proto(since.known)),
            institution: institution.clone(),
            ..of(EngagementState::Transferred)
        },
    }
}

fn gap_reason(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Days(_) => "days",
        GapReason::TermBridge => "term_bridge",
        GapReason::Planned => "planned",
        GapReason::Transfer => "transfer",
        GapReason::PendingCensus => "pending_census",
        GapReason::TerminalCredential => "terminal_credential",
        GapReason::OtherPathway => "other_pathway",
    }
}

fn credential_to_proto(status: &Status) -> status::CredentialFacet {
    let Some(completer) = &status.credential else {
        return status::CredentialFacet {
            state: CredentialState::None.into(),
            ..status::CredentialFacet::default()
        };
    };
    let awards = completer.awards.iter().map(|award| status::Award {
        code: award.code.clone(),
        kind: credential_kind_to_proto(award.kind).into(),
        awarded_on: Some(date_to_proto(award.awarded_on)),
        in_force: award.in_force,
    });
    status::CredentialFacet {
        state: CredentialState::Completer.into(),
        first_on: Some(date_to_proto(completer.first_on)),
        determinable_on: Some(date_to_proto(completer.determinable)),
        awards: awards.collect(),
        known_on: Some(date_to_proto(completer.known)),
        highest: credential_kind_to_proto(completer.highest).into(),
        in_force: completer.in_force,
    }
}

fn spell_to_proto(spell: &Spell) -> status::Spell {
    status::Spell {
        start: Some(date_to_proto(spell.start)),
        last_on: Some(date_to_proto(spell.last_day)),
        ended: spell.ended,
    }
}

fn event_to_proto(event: &EventRef, addressee: &AgencyId) -> status::ContributingEvent {
    let own = event.source == *addressee;
    status::ContributingEvent {
        agency: event.source.to_string(),
        source_event_id: if own { event.event_id.clone() } else { String::new() },
    }
}

fn warning_to_proto(warning: &Warning, addressee: &AgencyId) -> status::Warning {
    let (kind, event) = match warning {
        Warning::ExitContradicted(event) => ("exit_contradicted", event),
        Warning::FlagWithoutEngagement(event) => ("flag_without_engagement", event),
        Warning::UnknownTerm(event) => ("unknown_term", event),
        Warning::UnknownServiceProgram(event) => ("unknown_service_program", event),
        Warning::UnknownInstitution(event) => ("unknown_institution", event),
    };
    status::Warning { kind: kind.to_owned(), event: Some(event_to_proto(event, addressee)) }
}

#[cfg(test)]
mod tests;

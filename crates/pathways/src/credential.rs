//! Credentials: which awards make a participant a completer, and whether they are in force.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    event::{CredentialKind, Event, EventDetail},
    profile::RuleProfile,
    registry::{ListedCredential, Pathway},
    status::{Award, Completer},
};

/// An award that qualifies for a pathway.
#[derive(Clone, Copy)]
pub(crate) struct Qualified<'a> {
    pub(crate) event: &'a Event,
    pub(crate) code: &'a str,
    pub(crate) kind: CredentialKind,
    pub(crate) awarded_on: Date,
    pub(crate) terminal: bool,
}

/// The awards in `events` that qualify for `pathway`, for a person whose first qualifying
/// engagement began on `first`; by day, code and event.
///
/// A credential that the person held before entry does not qualify by being renewed.
pub(crate) fn qualified<'a>(
    events: &[&'a Event],
    pathway: &Pathway,
    profile: &RuleProfile,
    first: Date,
) -> Vec<Qualified<'a>> {
    let mut held_before = BTreeSet::new();
    let mut awards = Vec::new();
    for event in events.iter().copied() {
        let EventDetail::Credential { kind, code, awarded_on } = &event.detail else { continue };
        let (kind, awarded_on) = (*kind, *awarded_on);
        if profile.credential.not_before_entry && awarded_on < first {
            held_before.insert(code);
            continue;
        }
        let listed = pathway.credentials.iter().find(|it| it.code.eq_ignore_ascii_case(code));
        let kind = listed.map_or(kind, |it| it.kind);
        if qualifies(kind, awarded_on, listed, profile) {
            let terminal = listed.is_some_and(|it| it.terminal);
            awards.push(Qualified { event, code, kind, awarded_on, terminal });
        }
    }
    awards.retain(|it| !held_before.iter().any(|code| code.eq_ignore_ascii_case(it.code)));
    awards.sort_by_key(|it| (it.awarded_on, it.code, it.event));
    awards
}

fn qualifies(
    kind: CredentialKind,
    awarded_on: Date,
    listed: Option<&ListedCredential>,
    profile: &RuleProfile,
) -> bool {
    let rules = &profile.credential;
    if kind == CredentialKind::HighSchoolEquivalency && rules.hse_completes {
        return true;
    }
    let on_list = listed.is_some_and(|it| it.qualifies && it.effective.holds(awarded_on));
    rules.qualifying_types.contains(&kind) && (on_list || !rules.requires_on_pathway_list)
}

/// The credential facet as of a day.
///
/// `spells` are the first and last engaged days of the spells by then, `entry_known` the first
/// day on which the entry could be known.
pub(crate) fn completer(
    qualified: &[Qualified<'_>],
    events: &[&Event],
    as_of: Date,
    spells: &[(Date, Date)],
    entry_known: Date,
    profile: &RuleProfile,
) -> Option<Completer> {
    let awarded: Vec<_> = qualified.iter().filter(|it| it.awarded_on <= as_of).collect();
    let window = profile.credential.post_leave_days;
    let mut by_code: BTreeMap<String, Award> = BTreeMap::new();
    for award in &awarded {
        let awarded_on = award.awarded_on;
        let in_force = !is_revoked(award.event, events, as_of);
        let in_measure_window = spells.iter().any(|&(start, last_day)| {
            start <= awarded_on && awarded_on <= crate::days::plus_days(last_day, window)
        });
        let code = award.code.to_owned();
        by_code
            .entry(code.to_ascii_uppercase())
            .and_modify(|first| first.in_force |= in_force)
            .or_insert(Award { code, kind: award.kind, awarded_on, in_force, in_measure_window });
    }
    let mut awards: Vec<_> = by_code.into_values().collect();
    awards.sort_by(|a, b| (a.awarded_on, &a.code).cmp(&(b.awarded_on, &b.code)));
    let known = awarded.iter().map(|it| it.awarded_on.max(it.event.received_on)).min()?;
    Some(Completer {
        first_on: awards.first()?.awarded_on,
        known: known.max(entry_known),
        highest: awards.iter().map(|it| it.kind).max()?,
        in_force: awards.iter().any(|it| it.in_force),
        awards,
    })
}

/// Whether the award is revoked, by its own agency, with effect on or before `as_of`.
fn is_revoked(award: &Event, events: &[&Event], as_of: Date) -> bool {
    events.iter().any(|event| {
        matches!(&event.detail, EventDetail::Revocation { credential_event_id, on }
            if event.source == award.source
                && *credential_event_id == award.source_event_id
                && *on <= as_of)
    })
}

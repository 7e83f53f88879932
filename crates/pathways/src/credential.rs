//! Credentials: which awards make a participant a completer, and whether they are in force.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    days::plus_days,
    event::{CodeSystem, CredentialKind, Event, EventDetail},
    known::Known,
    profile::RuleProfile,
    registry::{ListedCredential, Pathway, folded, is_same_code},
    status::{Award, Completer, Since},
};

type CredentialName = (String, Option<CredentialKind>);

/// An award that qualifies for a pathway.
pub(crate) struct Qualified<'a> {
    pub(crate) event: &'a Event,
    pub(crate) code: &'a str,
    /// What makes two awards the same credential: the code, and the type beside a program's code.
    name: CredentialName,
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
        let EventDetail::Credential { kind, code, system, awarded_on, .. } = &event.detail else {
            continue;
        };
        let (kind, awarded_on) = (*kind, *awarded_on);
        let name = (folded(code).into_owned(), system.map(|_| kind));
        if profile.credential.not_before_entry && awarded_on < first {
            held_before.insert(name);
            continue;
        }
        let listed = pathway.credentials.iter().find(|it| is_listed_as(it, kind, code, *system));
        let kind = listed.map_or(kind, |it| it.kind);
        if qualifies(kind, awarded_on, listed, profile) {
            let terminal = listed.is_some_and(|it| it.terminal);
            awards.push(Qualified { event, code, name, kind, awarded_on, terminal });
        }
    }
    awards.retain(|it| !held_before.contains(&it.name));
    awards.sort_by(|a, b| (a.awarded_on, a.code, a.event).cmp(&(b.awarded_on, b.code, b.event)));
    awards
}

/// A credential is listed by a code of its own, or by its type and the program it concludes.
fn is_listed_as(
    row: &ListedCredential,
    kind: CredentialKind,
    code: &str,
    system: Option<CodeSystem>,
) -> bool {
    row.system == system && is_same_code(&row.code, code) && (system.is_none() || row.kind == kind)
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
    let listed = listed.filter(|it| it.effective.holds(awarded_on));
    let counts = listed.map_or(!rules.requires_on_pathway_list, |it| it.qualifies);
    counts && rules.qualifying_types.contains(&kind)
}

/// The credential facet as of a day.
///
/// `spells` are the first and last engaged days of the spells by then, `entry` the dates of entry.
pub(crate) fn completer<'a>(
    qualified: &[Qualified<'a>],
    known: &Known<'a>,
    as_of: Date,
    spells: &[(Date, Date)],
    entry: Since,
    profile: &RuleProfile,
) -> Option<Completer> {
    let rules = &profile.credential;
    let within = |awarded_on: Date, days: u16| {
        let mut spells = spells.iter();
        spells.any(|&(start, last)| start <= awarded_on && awarded_on <= plus_days(last, days))
    };
    let in_time = |on| rules.status_post_leave_days.is_none_or(|days| within(on, days));
    let awarded: Vec<_> =
        qualified.iter().filter(|it| it.awarded_on <= as_of && in_time(it.awarded_on)).collect();
    let mut by_name: BTreeMap<&CredentialName, Award> = BTreeMap::new();
    for award in &awarded {
        let awarded_on = award.awarded_on;
        let is_revoked = revoked_on(&award.name, qualified, known, as_of)
            .is_some_and(|revoked_on| awarded_on <= revoked_on);
        let in_force = !is_revoked;
        let in_measure_window = within(awarded_on, rules.post_leave_days);
        let code = award.code.to_owned();
        by_name
            .entry(&award.name)
            .and_modify(|first| first.in_force |= in_force)
            .or_insert(Award { code, kind: award.kind, awarded_on, in_force, in_measure_window });
    }
    let mut awards: Vec<_> = by_name.into_values().collect();
    awards.sort_by(|a, b| (a.awarded_on, &a.code, a.kind).cmp(&(b.awarded_on, &b.code, b.kind)));
    let first_on = awards.first()?.awarded_on;
    let determinable = first_on.max(entry.determinable);
    let of_first = awarded.iter().filter(|it| it.awarded_on == first_on);
    Some(Completer {
        first_on,
        determinable,
        known: of_first.map(|it| it.event.received_on).min()?.max(determinable),
        highest: awards.iter().map(|it| it.kind).max()?,
        in_force: awards.iter().any(|it| it.in_force),
        awards,
    })
}

/// The last day by `as_of` on which an award of the credential was revoked, whoever reported it.
fn revoked_on<'a>(
    name: &CredentialName,
    qualified: &[Qualified<'a>],
    known: &Known<'a>,
    as_of: Date,
) -> Option<Date> {
    let awards = qualified.iter().filter(|it| it.name == *name);
    let revocations = awards.flat_map(|it| known.revocations(it.event));
    revocations.map(|(_, on)| on).filter(|on| *on <= as_of).max()
}

//! The system level: all pathways of a person together.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    engagement::PathwayView,
    evaluate::Person,
    event::CredentialKind,
    status::{Award, Completer, Engagement, Participation, Since, Spell, Status},
};

/// The status in the system, from the pathways' views and the statuses among them that say more
/// than none; `blank` says which days and versions it is about.
pub(crate) fn status(
    person: &Person<'_>,
    blank: Status,
    views: &[PathwayView<'_, '_>],
    statuses: &[Status],
) -> Status {
    let as_of = blank.as_of;
    let engagement = engagement(statuses);
    let profiles: BTreeSet<&str> = statuses.iter().map(|it| it.profile.as_str()).collect();
    let mut status = Status {
        profile: profiles.into_iter().collect::<Vec<_>>().join(", "),
        participation: participation(statuses),
        spells: spells(views, &engagement, as_of),
        engagement,
        credential: credential(statuses),
        contributing: statuses.iter().flat_map(|it| it.contributing.iter().cloned()).collect(),
        warnings: statuses.iter().flat_map(|it| it.warnings.iter().cloned()).collect(),
        ..blank
    };
    if matches!(status.participation, Participation::Participant(_)) {
        status.exclusions = person.exclusions(status.leave_date(), as_of);
    }
    status
}

/// The earliest of each of the three dates.
fn participation(statuses: &[Status]) -> Participation {
    let since = statuses.iter().filter_map(|status| match status.participation {
        Participation::Participant(since) => Some(since),
        _ => None,
    });
    let earliest = since.reduce(|a, b| Since {
        effective: a.effective.min(b.effective),
        determinable: a.determinable.min(b.determinable),
        known: a.known.min(b.known),
    });
    earliest.map_or(Participation::Candidate, Participation::Participant)
}

/// Active in any is active; else the gap that closes last, counted from the last day in any; else
/// the last leave; else the last transfer.
fn engagement(statuses: &[Status]) -> Engagement {
    let rank = |engagement: &Engagement| match engagement {
        Engagement::None => (0, None, None),
        Engagement::Transferred { since, .. } => (1, Some(since.effective), None),
        Engagement::Left { since, .. } => (2, Some(since.effective), Some(since.determinable)),
        Engagement::InGap { deadline, last_day, .. } => (3, Some(*deadline), Some(*last_day)),
        Engagement::Active => (4, None, None),
    };
    let all = statuses.iter().map(|status| &status.engagement);
    let mut engagement = all.clone().max_by_key(|it| rank(it)).cloned().unwrap_or(Engagement::None);
    if let Engagement::InGap { last_day, .. } = &mut engagement {
        let last_days = all.filter_map(last_engaged);
        *last_day = last_days.fold(*last_day, Date::max);
    }
    engagement
}

/// The last day of engagement in a pathway that the person is not engaged in.
fn last_engaged(engagement: &Engagement) -> Option<Date> {
    match engagement {
        Engagement::InGap { last_day, .. } => Some(*last_day),
        Engagement::Left { since, .. } | Engagement::Transferred { since, .. } => {
            Some(since.effective)
        }
        Engagement::None | Engagement::Active => None,
    }
}

/// The pathways' spells, joined where one begins by the deadline of the others.
fn spells(views: &[PathwayView<'_, '_>], engagement: &Engagement, as_of: Date) -> Vec<Spell> {
    let entered = views.iter().filter(|view| view.entered_by(as_of).is_some());
    let mut runs: Vec<_> = entered.flat_map(|view| view.runs_by(as_of)).collect();
    runs.sort_by_key(|run| (run.start, run.deadline));
    let mut spells: Vec<(Spell, Date)> = Vec::new();
    for run in runs {
        let last_day = run.last_day_by(as_of);
        match spells.last_mut() {
            Some((spell, deadline)) if run.start <= *deadline => {
                spell.last_day = spell.last_day.max(last_day);
                *deadline = run.deadline.max(*deadline);
            }
            _ => {
                let spell = Spell { start: run.start, last_day, ended: true };
                spells.push((spell, run.deadline));
            }
        }
    }
    let mut spells: Vec<_> = spells.into_iter().map(|(spell, _)| spell).collect();
    if let Some(last) = spells.last_mut() {
        last.ended = matches!(engagement, Engagement::Left { .. } | Engagement::Transferred { .. });
    }
    spells
}

/// Every pathway's awards; one that several pathways list counts once.
fn credential(statuses: &[Status]) -> Option<Completer> {
    let completers: Vec<_> = statuses.iter().filter_map(|it| it.credential.as_ref()).collect();
    let mut by_name: BTreeMap<(String, CredentialKind), Award> = BTreeMap::new();
    for award in completers.iter().flat_map(|it| &it.awards) {
        let name = (award.code.to_ascii_uppercase(), award.kind);
        let earlier = by_name.entry(name).or_insert_with(|| award.clone());
        earlier.awarded_on = earlier.awarded_on.min(award.awarded_on);
        earlier.in_force |= award.in_force;
        earlier.in_measure_window |= award.in_measure_window;
    }
    let mut awards: Vec<_> = by_name.into_values().collect();
    awards.sort_by(|a, b| (a.awarded_on, &a.code).cmp(&(b.awarded_on, &b.code)));
    Some(Completer {
        first_on: awards.first()?.awarded_on,
        determinable: completers.iter().map(|it| it.determinable).min()?,
        known: completers.iter().map(|it| it.known).min()?,
        highest: awards.iter().map(|it| it.kind).max()?,
        in_force: awards.iter().any(|it| it.in_force),
        awards,
    })
}

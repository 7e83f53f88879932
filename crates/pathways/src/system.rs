//! The system level: all pathways of a person together.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    engagement::PathwayView,
    event::CredentialKind,
    status::{Award, Completer, Engagement, Exclusion, Participation, Spell, Status},
};

/// The status in the system, from the pathways' views and the statuses among them that say more
/// than none; `blank` says which days and versions it is about.
pub(crate) fn status(blank: Status, views: &[PathwayView<'_, '_>], statuses: &[Status]) -> Status {
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
        status.exclusions = exclusions(views, status.leave_date(), as_of);
    }
    status
}

/// The exclusions for a person with this leave date: one applies where the profile of any pathway
/// that the person entered says so.
fn exclusions(
    views: &[PathwayView<'_, '_>],
    leave_date: Option<Date>,
    as_of: Date,
) -> Vec<Exclusion> {
    let mut exclusions: BTreeMap<(Date, String), bool> = BTreeMap::new();
    for view in views.iter().filter(|view| view.entered_by(as_of).is_some()) {
        for Exclusion { from, reason, applies } in view.person.exclusions(leave_date, as_of) {
            *exclusions.entry((from, reason)).or_default() |= applies;
        }
    }
    let exclusions = exclusions.into_iter();
    exclusions.map(|((from, reason), applies)| Exclusion { from, reason, applies }).collect()
}

/// The pathway entered first; of those entered on one day the one that could be told first. All
/// dates are of that one fact: a later entry that was known sooner is another.
fn participation(statuses: &[Status]) -> Participation {
    let since = statuses.iter().filter_map(|status| match status.participation {
        Participation::Participant(since) => Some(since),
        _ => None,
    });
    let first = since.min_by_key(|it| (it.effective, it.determinable, it.known));
    first.map_or(Participation::Candidate, Participation::Participant)
}

/// Active in any is active; else the gap that closes last, counted from the last day in any; else
/// the last leave, which is one when every pathway that was left is; else the last transfer.
fn engagement(statuses: &[Status]) -> Engagement {
    let rank = |engagement: &Engagement| match engagement {
        Engagement::None => (0, None, None),
        Engagement::Transferred { since, .. } => (1, Some(since.effective), None),
        Engagement::Left { since, deadline, .. } => (2, Some(since.effective), Some(*deadline)),
        Engagement::InGap { deadline, last_day, .. } => (3, Some(*deadline), Some(*last_day)),
        Engagement::Active => (4, None, None),
    };
    let all = statuses.iter().map(|status| &status.engagement);
    let mut engagement = all.clone().max_by_key(|it| rank(it)).cloned().unwrap_or(Engagement::None);
    match &mut engagement {
        Engagement::InGap { last_day, .. } => {
            let last_days = all.filter_map(last_engaged);
            *last_day = last_days.fold(*last_day, Date::max);
        }
        Engagement::Left { since, deadline, confirmed, .. } => {
            for other in all {
                if let Engagement::Left { since: its, deadline: day, confirmed: is, .. } = other {
                    since.determinable = since.determinable.max(its.determinable);
                    since.known = since.known.max(its.known);
                    *deadline = (*deadline).max(*day);
                    *confirmed &= is;
                }
            }
        }
        Engagement::None | Engagement::Active | Engagement::Transferred { .. } => {}
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
    let first = completers.iter().min_by_key(|it| (it.first_on, it.determinable, it.known))?;
    Some(Completer {
        first_on: first.first_on,
        determinable: first.determinable,
        known: first.known,
        highest: awards.iter().map(|it| it.kind).max()?,
        in_force: awards.iter().any(|it| it.in_force),
        awards,
    })
}

//! Entry: which activities qualify, and when their threshold was met.

use jiff::civil::Date;

use crate::{
    activity::{Activity, Standing},
    days::{day_after, plus_days},
    profile::{Boundary, EntryDate, Precedence, Route, RuleProfile},
    status::Since,
};

/// A person's way into one pathway.
pub(crate) struct Entered<'p, 'a> {
    /// The first day of the first qualifying engagement.
    pub(crate) first: Date,
    /// Known is the first day from which on the same was said, if nothing was taken away since.
    pub(crate) since: Since,
    /// The qualifying engagements, by start.
    pub(crate) qualifying: Vec<&'p Activity<'a>>,
    /// Engagements that will qualify once their census is past.
    pub(crate) pending: Vec<&'p Activity<'a>>,
}

impl<'p, 'a> Entered<'p, 'a> {
    /// The engagement with the last census still to come, of those that began by `deadline`.
    pub(crate) fn pending_at(&self, deadline: Date) -> Option<&'p Activity<'a>> {
        let begun = self.pending.iter().filter(|it| it.start <= deadline);
        begun.max_by_key(|it| it.determinable).copied()
    }
}

/// How the person entered, from the activities of one pathway, as known at `known_at`.
pub(crate) fn entered<'p, 'a>(
    activities: &'p [Activity<'a>],
    profile: &RuleProfile,
    known_at: Date,
) -> Option<Entered<'p, 'a>> {
    let (first, qualifying) = qualify(activities, profile, |it| it.determinable <= known_at)?;
    let says_it = |counts: &dyn Fn(&Activity<'a>) -> bool| {
        let found = qualify(activities, profile, counts);
        found.is_some_and(|(day, _)| match profile.entry.effective {
            EntryDate::FirstQualifyingEngagement => day == first,
            EntryDate::ThresholdMet => true,
        })
    };
    let determinable =
        first_day(activities, |it| it.determinable, |by| says_it(&|it| it.determinable <= by));
    let known = first_day(
        activities,
        |it| it.known,
        |by| says_it(&|it| it.determinable <= determinable && it.known <= by),
    );
    let effective = match profile.entry.effective {
        EntryDate::FirstQualifyingEngagement => first,
        EntryDate::ThresholdMet => determinable,
    };
    let pending = if activities.iter().any(|it| it.determinable > known_at) {
        let (_, mut all) = qualify(activities, profile, |_| true)?;
        all.retain(|it| it.determinable > known_at);
        all
    } else {
        Vec::new()
    };
    Some(Entered { first, since: Since { effective, determinable, known }, qualifying, pending })
}

/// The first of the activities' days of which `holds` is true. More activities never undo a
/// threshold, nor move its first day forward, so that it is true from then on.
fn first_day<'a>(
    activities: &[Activity<'a>],
    day: impl Fn(&Activity<'a>) -> Date,
    holds: impl Fn(Date) -> bool,
) -> Date {
    let mut days: Vec<Date> = activities.iter().map(day).collect();
    days.sort_unstable();
    days.dedup();
    days.into_iter().find(|&by| holds(by)).expect("the caller found it to hold with all of them")
}

/// The first day of the first engagement of a route that is met, and every engagement from then
/// on or still under way, among the activities that `counts` lets through.
fn qualify<'p, 'a>(
    activities: &'p [Activity<'a>],
    profile: &RuleProfile,
    counts: impl Fn(&Activity<'a>) -> bool,
) -> Option<(Date, Vec<&'p Activity<'a>>)> {
    let of_standing = |standing| {
        let counts = &counts;
        activities.iter().filter(move |it| it.standing == standing && counts(it))
    };
    let own: Vec<_> = of_standing(Standing::Own).collect();
    let class_hours = first_met(&own, Route::ClassHours, profile);
    let is_anchor = |it: &&&Activity<'a>| it.route != Route::ClassHours || class_hours.is_some();
    let anchors = own.iter().filter(is_anchor).copied().collect();
    let shared = attributed(of_standing(Standing::Shared).collect(), anchors, profile);
    let mut all: Vec<_> = own.into_iter().chain(shared).collect();
    all.sort_by(|a, b| (a.start, a.end, a.event).cmp(&(b.start, b.end, b.event)));
    let routes = profile.entry.any_of.iter().filter(|&&route| route != Route::ClassHours);
    let others = routes.filter_map(|&route| first_met(&all, route, profile)).min();
    let flags = all.iter().filter(|it| it.route == Route::AgencyFlag).map(|it| it.start);
    let asserted = match profile.flag.precedence {
        Precedence::Asserted => Some(flags.min()?),
        Precedence::DerivedOrAsserted | Precedence::Derived => None,
    };
    let first = class_hours.into_iter().chain(others).chain(asserted).min()?;
    all.retain(|it| it.end >= first);
    Some((first, all))
}

/// The shared activities that count: those that overlap, touch or follow before its deadline an
/// engagement of the pathway's own, or another shared activity that counts.
fn attributed<'p, 'a>(
    mut open: Vec<&'p Activity<'a>>,
    mut anchors: Vec<&'p Activity<'a>>,
    profile: &RuleProfile,
) -> Vec<&'p Activity<'a>> {
    let own = anchors.len();
    loop {
        let (found, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(|shared| {
            anchors.iter().any(|anchor| {
                anchor.start <= day_after(shared.end)
                    && shared.start <= base_deadline(anchor, profile)
            })
        });
        if found.is_empty() {
            return anchors.split_off(own);
        }
        anchors.extend(found);
        open = rest;
    }
}

/// The deadline that an engagement sets by itself.
pub(crate) fn base_deadline(activity: &Activity<'_>, profile: &RuleProfile) -> Date {
    let days = day_deadline(activity.end, profile);
    activity.bridge.map_or(days, |census| census.max(days))
}

/// The deadline by the count of days alone.
pub(crate) fn day_deadline(last_day: Date, profile: &RuleProfile) -> Date {
    let day = plus_days(last_day, profile.leave.gap_days);
    match profile.leave.boundary {
        Boundary::OnDay => day,
        Boundary::AfterDay => day_after(day),
    }
}

/// The first day of the first stretch, no longer than the profile's window, that meets `route`.
fn first_met(activities: &[&Activity<'_>], route: Route, profile: &RuleProfile) -> Option<Date> {
    if !profile.entry.any_of.contains(&route) {
        return None;
    }
    let of_route = activities.iter().copied().filter(|it| it.meets(route));
    let of_route: Vec<_> = of_route.collect();
    let Some(window) = profile.entry.window_days else {
        return of_route.first().filter(|_| is_met(&of_route, route, profile)).map(|it| it.start);
    };
    let mut starts = (0..of_route.len()).map(|first| {
        let start = of_route[first].start;
        let after = of_route.partition_point(|it| it.start < plus_days(start, window));
        (start, &of_route[first..after])
    });
    starts.find(|(_, stretch)| is_met(stretch, route, profile)).map(|(start, _)| start)
}

fn is_met(activities: &[&Activity<'_>], route: Route, profile: &RuleProfile) -> bool {
    let entry = &profile.entry;
    match route {
        Route::Course => {
            let mut units: Vec<_> =
                activities.iter().map(|it| (&it.unit, it.credits_tenths)).collect();
            // A course of a term counts once, with the most credits reported.
            units.sort_unstable_by(|a, b| b.cmp(a));
            units.dedup_by_key(|it| it.0);
            let credits: u64 = units.iter().map(|it| u64::from(it.1)).sum();
            units.len() as u64 >= u64::from(entry.min_courses)
                && credits >= u64::from(entry.min_credits.unwrap_or(0)) * 10
        }
        Route::ClassHours => {
            let hours: u64 = activities.iter().map(|it| u64::from(it.hours_hundredths)).sum();
            hours >= u64::from(entry.min_hours) * 100
        }
        Route::Service | Route::AgencyFlag => !activities.is_empty(),
    }
}

//! The next day on which a status changes although nobody sends anything more.

use jiff::civil::Date;

use crate::{
    days::day_after,
    evaluate::{Moment, Rules},
    event::{Event, EventDetail},
    status::{Engagement, Scope, Status},
};

/// The statuses of one participant on a day, and the day on which to ask again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The statuses, as [`Rules::statuses`] gives them.
    pub statuses: Vec<Status>,
    /// The first later day on which one of them is no longer [the same](Status::lasts), if nothing
    /// is received beyond the events given; those that are received later are heard on their days.
    pub next_transition: Option<Date>,
}

impl Rules<'_> {
    /// The statuses on `today`, as known then, and the next day on which they change by themselves.
    pub fn assess(&self, events: &[Event], today: Date) -> Assessment {
        let statuses = self.on(events, today);
        let next_transition = self.next(events, &statuses, None, today, Status::lasts);
        Assessment { statuses, next_transition }
    }

    /// The first day after `as_of` on which the status in `scope` (in any scope, where none is
    /// given), evaluated each day with that day's knowledge of `events`, says something else.
    pub fn next_transition(
        &self,
        events: &[Event],
        scope: Option<&Scope>,
        as_of: Date,
    ) -> Option<Date> {
        self.next(events, &self.on(events, as_of), scope, as_of, Status::says_the_same)
    }

    fn on(&self, events: &[Event], day: Date) -> Vec<Status> {
        self.statuses_at(events, Moment { as_of: day, known_at: day, heard_by: day })
    }

    fn next(
        &self,
        events: &[Event],
        now: &[Status],
        scope: Option<&Scope>,
        as_of: Date,
        same: fn(&Status, &Status) -> bool,
    ) -> Option<Date> {
        let mut days = self.days(events, as_of);
        days.extend(now.iter().flat_map(|status| self.leave_days(status)));
        days.retain(|day| *day > as_of);
        days.sort_unstable();
        days.dedup();
        let in_scope = |it: &&Status| scope.is_none_or(|scope| it.scope == *scope);
        days.into_iter().find(|&day| {
            let then = self.on(events, day);
            let (mut now, mut then) = (now.iter().filter(in_scope), then.iter().filter(in_scope));
            loop {
                match (now.next(), then.next()) {
                    (None, None) => return false,
                    (Some(a), Some(b)) if same(a, b) => {}
                    _ => return true,
                }
            }
        })
    }

    /// The days on which a fact begins, ends, can first be counted or is first heard of.
    fn days(&self, events: &[Event], as_of: Date) -> Vec<Date> {
        let published = self.registry.versions().iter().map(|it| it.published_on);
        let received = events.iter().map(|it| it.received_on);
        let mut days: Vec<Date> = published.chain(self.profiles.days()).chain(received).collect();
        days.retain(|&day| day > as_of);
        let readings: Vec<Date> = days.iter().copied().chain([as_of]).collect();
        for day in readings {
            let moment = Moment { as_of: day, known_at: day, heard_by: day };
            for activity in self.people(events, moment).iter().flat_map(|it| &it.activities) {
                days.extend([activity.start, day_after(activity.end), activity.determinable]);
            }
        }
        for event in events {
            match &event.detail {
                EventDetail::Credential { awarded_on: on, .. }
                | EventDetail::Revocation { on, .. }
                | EventDetail::TransferOut { on, .. }
                | EventDetail::EnrollmentElsewhere { on, .. }
                | EventDetail::Exclusion { from: on, .. } => days.push(*on),
                EventDetail::Exit { on, .. } => days.push(day_after(*on)),
                _ => {}
            }
        }
        days
    }

    /// The days on which a gap can end in a leave, or a leave be held back or confirmed.
    fn leave_days(&self, status: &Status) -> Vec<Date> {
        let deadline = match status.engagement {
            Engagement::InGap { deadline, .. } => deadline,
            Engagement::Left { deadline, .. } => deadline,
            _ => return Vec::new(),
        };
        let mut days = vec![deadline];
        if let (Some(completeness), Scope::Pathway(pathway)) = (self.completeness, &status.scope) {
            for registry in self.registry.versions() {
                let sources = registry.pathway(pathway).map(|it| it.required_sources.as_slice());
                days.extend(completeness.days(sources.unwrap_or_default(), deadline, registry));
            }
        }
        days
    }
}

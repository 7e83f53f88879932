//! The next day on which a status changes although nobody sends anything.

use jiff::civil::Date;

use crate::{
    days::day_after,
    evaluate::{Person, Rules},
    event::{Event, EventDetail},
    profile::RuleProfile,
    registry::Registry,
    status::{Engagement, PathwayId, Scope, Status},
};

/// The first day after `as_of` on which the status in `pathway`, evaluated each day with that
/// day's knowledge, says something else, if nothing is received after `as_of`.
pub fn next_transition(
    events: &[Event],
    registry: &Registry,
    profile: &RuleProfile,
    pathway: &PathwayId,
    as_of: Date,
) -> Option<Date> {
    let scope = Scope::Pathway(pathway.clone());
    Rules::new(registry, profile).next_transition(events, Some(&scope), as_of)
}

impl Rules<'_> {
    /// The first day after `as_of` on which the status in `scope` (in any scope, where none is
    /// given) says something else; see [`next_transition`].
    pub fn next_transition(
        &self,
        events: &[Event],
        scope: Option<&Scope>,
        as_of: Date,
    ) -> Option<Date> {
        let known: Vec<Event> =
            events.iter().filter(|event| event.received_on <= as_of).cloned().collect();
        let at = |day| {
            let statuses = self.statuses(&known, day, day);
            statuses.expect("a day is not before itself")
        };
        let mut now = at(as_of);
        let mut days = self.days(&known, as_of);
        days.extend(now.iter().filter_map(deadline));
        let in_scope = |status: &Status| scope.is_none_or(|scope| status.scope == *scope);
        now.retain(in_scope);
        days.retain(|day| *day > as_of);
        days.sort_unstable();
        days.dedup();
        days.into_iter().find(|&day| {
            let mut then = at(day);
            then.retain(in_scope);
            now.len() != then.len() || now.iter().zip(&then).any(|(a, b)| !a.says_the_same(b))
        })
    }

    /// The days on which a fact begins, ends or can first be counted.
    fn days(&self, events: &[Event], as_of: Date) -> Vec<Date> {
        let published = self.registry.versions().iter().map(|it| it.published_on);
        let mut days: Vec<Date> = published.filter(|&day| day > as_of).collect();
        let readings: Vec<Date> = days.iter().copied().chain([as_of]).collect();
        for day in readings {
            let Some(person) = Person::new(*self, events, day) else { continue };
            for activity in &person.activities {
                days.extend([activity.start, day_after(activity.end), activity.determinable]);
            }
        }
        for event in events {
            match &event.detail {
                EventDetail::Credential { awarded_on: on, .. }
                | EventDetail::Revocation { on, .. }
                | EventDetail::Attribute { from: on, .. } => days.push(*on),
                _ => {}
            }
        }
        days.extend(self.completeness.iter().flat_map(|it| it.days()));
        days
    }
}

/// The day on which a gap ends in a leave.
fn deadline(status: &Status) -> Option<Date> {
    match status.engagement {
        Engagement::InGap { deadline, .. } => Some(deadline),
        _ => None,
    }
}

//! The engagement facet: active, in a gap, left or transferred, on one day.

use jiff::civil::Date;

use crate::{
    activity::{Activity, Standing},
    completeness::Covered,
    credential::Qualified,
    days::day_after,
    entry::{Entered, base_deadline},
    evaluate::Person,
    registry::Pathway,
    spells::{Leaving, Run, runs},
    status::{Engagement, GapReason, LeaveReason, Since, Spell},
};

/// What is known of a person in one pathway, whatever the day it is asked for.
pub(crate) struct PathwayView<'p, 'a> {
    pub(crate) person: &'p Person<'a>,
    pub(crate) pathway: &'a Pathway,
    pub(crate) activities: &'p [Activity<'a>],
    pub(crate) entered: Option<Entered<'p, 'a>>,
    pub(crate) awards: Vec<Qualified<'a>>,
    pub(crate) terminal: Vec<Date>,
    /// First day and deadline of engagement in any pathway, where it keeps this one open.
    pub(crate) elsewhere: Vec<(Date, Date)>,
    pub(crate) runs: Vec<Run<'p, 'a>>,
}

impl<'p, 'a> PathwayView<'p, 'a> {
    /// Joins the qualifying engagements into runs. What ended before participation took effect is
    /// none: nobody leaves before being a participant.
    pub(crate) fn join_runs(&mut self) {
        let Some(entered) = &self.entered else { return };
        let mut runs = runs(&entered.qualifying, &self.leaving(entered));
        runs.retain(|run| run.last_end >= entered.since.effective);
        self.runs = runs;
    }

    /// First day and deadline of whatever counts by itself, also below the threshold of entry or
    /// before its census: what holds other pathways open must not begin to do so afterwards.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = (Date, Date)> {
        let own = self.activities.iter().filter(|it| it.standing == Standing::Own);
        own.map(|it| (it.start, base_deadline(it, self.person.profile).max(it.determinable)))
    }

    pub(crate) fn leaving(&self, entered: &Entered<'_, '_>) -> Leaving<'_, 'a> {
        Leaving {
            profile: self.person.profile,
            pauses: &self.person.pauses,
            first: entered.first,
            terminal: &self.terminal,
            elsewhere: &self.elsewhere,
        }
    }

    /// The entry, if participation had taken effect by `as_of`.
    pub(crate) fn entered_by(&self, as_of: Date) -> Option<&Entered<'p, 'a>> {
        self.entered.as_ref().filter(|it| it.since.effective <= as_of)
    }

    /// The runs that had begun by `as_of`, oldest first.
    pub(crate) fn runs_by(&self, as_of: Date) -> &[Run<'p, 'a>] {
        &self.runs[..self.runs.partition_point(|run| run.start <= as_of)]
    }

    /// The engagement facet on `as_of`; `others` are the person's other pathways.
    pub(crate) fn engagement(&self, others: &[PathwayView<'_, '_>], as_of: Date) -> Engagement {
        let person = self.person;
        let Some(entered) = self.entered_by(as_of) else { return Engagement::None };
        let Some(run) = self.runs_by(as_of).last() else { return Engagement::None };
        if run.members.iter().any(|it| it.start <= as_of && as_of <= it.end) {
            return Engagement::Active;
        }
        let last_day = run.last_day_by(as_of);
        let in_gap = |(deadline, reason), unconfirmed| Engagement::InGap {
            last_day,
            deadline,
            reason,
            unconfirmed,
        };
        if run.members.iter().any(|it| it.start > as_of) {
            let so_far = run.by(as_of, &self.leaving(entered));
            let so_far = so_far.map_or((run.deadline, run.reason), |it| (it.deadline, it.reason));
            return in_gap(so_far, Vec::new());
        }
        if let Some(transferred) = self.transferred(run) {
            return transferred;
        }
        let (deadline, reason) = match entered.pending_at(run.deadline) {
            Some(pending) if pending.determinable > run.deadline => {
                (pending.determinable, GapReason::PendingCensus)
            }
            _ => (run.deadline, run.reason),
        };
        if person.known_at < deadline {
            return in_gap((deadline, reason), Vec::new());
        }
        let since = heard_of(run, entered).max(deadline);
        let covered = self.covered(deadline, since);
        if !covered.overdue.is_empty() {
            return in_gap((deadline, reason), covered.overdue);
        }
        let moved = others.iter().any(|other| {
            let elsewhere = other.entered.iter().flat_map(|it| &it.qualifying);
            other.pathway.id != self.pathway.id
                && elsewhere.into_iter().any(|it| it.end > last_day && it.start <= deadline)
        });
        let reason =
            if moved { LeaveReason::MovedPathway } else { LeaveReason::NoEngagement(reason) };
        let known = covered.reported_on.map_or(deadline, |day| day.max(deadline));
        let since = Since { effective: last_day, determinable: deadline, known };
        Engagement::Left { since, deadline, reason, confirmed: covered.is_confirmed }
    }

    fn transferred(&self, run: &Run<'p, 'a>) -> Option<Engagement> {
        let rules = &self.person.profile.leave;
        let (transfer, enrolled) = self.person.pauses.completed_transfer(run, rules)?;
        let day = enrolled.from.max(transfer.from).max(day_after(run.last_end));
        if day > self.person.known_at {
            return None;
        }
        let since = Since { effective: run.last_end, determinable: day, known: day };
        Some(Engagement::Transferred { since, institution: transfer.institution.to_owned() })
    }

    /// How far the required sources have reported of a leave that could be told `since` a day.
    fn covered(&self, deadline: Date, since: Date) -> Covered {
        let (person, sources) = (self.person, &self.pathway.required_sources);
        match person.completeness.filter(|_| !sources.is_empty()) {
            Some(completeness) => {
                let days = (since, person.known_at);
                completeness.covered(sources, deadline, days, person.registry)
            }
            None => Covered { overdue: Vec::new(), is_confirmed: true, reported_on: None },
        }
    }

    /// The spells that had begun by `as_of`.
    pub(crate) fn spells(&self, engagement: &Engagement, as_of: Date) -> Vec<Spell> {
        let runs = self.runs_by(as_of);
        let has_gone =
            matches!(engagement, Engagement::Left { .. } | Engagement::Transferred { .. });
        let spell = |(place, run): (usize, &Run<'p, 'a>)| Spell {
            start: run.start,
            last_day: run.last_day_by(as_of),
            ended: place + 1 < runs.len() || has_gone,
        };
        runs.iter().enumerate().map(spell).collect()
    }
}

/// The first day by which everything about the run had been received.
fn heard_of(run: &Run<'_, '_>, entered: &Entered<'_, '_>) -> Date {
    let withdrawals = run.members.iter().filter_map(|it| it.withdrawal).map(|it| it.received_on);
    let members = run.members.iter().map(|it| it.known);
    let held = run.held_by.map(|event| event.received_on);
    members.chain(withdrawals).chain(held).fold(entered.since.known, Date::max)
}

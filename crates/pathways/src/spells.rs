//! Spells: engagements joined over the gaps that the leave rules allow.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{
    activity::Activity,
    days::{day_after, plus_days},
    entry::{base_deadline, day_deadline},
    event::{Event, EventDetail},
    profile::{LeaveRules, RuleProfile},
    status::GapReason,
};

/// What holds a spell open beyond its last engagement, or ends it.
#[derive(Default)]
pub(crate) struct Pauses<'a> {
    planned: Vec<PlannedGap<'a>>,
    transfers: Vec<Elsewhere<'a>>,
    enrolled: Vec<Elsewhere<'a>>,
    /// Transfers to institutions that the registry does not know.
    pub(crate) unknown: Vec<&'a Event>,
}

/// What a pathway's runs depend on beside its engagements.
pub(crate) struct Leaving<'q, 'a> {
    pub(crate) profile: &'q RuleProfile,
    pub(crate) pauses: &'q Pauses<'a>,
    /// The day before which nothing counted: the first day of the first qualifying engagement.
    pub(crate) first: Date,
    /// The days of awards that end the pathway, in order.
    pub(crate) terminal: &'q [Date],
    /// Stretches, first day and deadline, of engagement in any pathway, in order; they hold a run
    /// open where the profile speaks of the whole system.
    pub(crate) elsewhere: &'q [(Date, Date)],
}

struct PlannedGap<'a> {
    start: Date,
    end: Date,
    recorded_on: Date,
    event: &'a Event,
}

/// A transfer to an institution, or an enrollment there.
#[derive(Clone, Copy)]
pub(crate) struct Elsewhere<'a> {
    pub(crate) institution: &'a str,
    pub(crate) from: Date,
    pub(crate) event: &'a Event,
}

/// Engagements without a leave between them.
pub(crate) struct Run<'p, 'a> {
    pub(crate) start: Date,
    pub(crate) last_end: Date,
    /// The last day on which a member began after a day without engagement.
    back_on: Date,
    pub(crate) members: Vec<&'p Activity<'a>>,
    /// The latest deadline that a member sets by itself, and what sets it.
    base: (Date, GapReason),
    /// The day on which the person has left, unless engaged by then.
    pub(crate) deadline: Date,
    pub(crate) reason: GapReason,
    /// The event that set the deadline, where it was not an engagement.
    pub(crate) held_by: Option<&'a Event>,
}

impl<'a> Pauses<'a> {
    /// The planned gaps, transfers and enrollments elsewhere among `events`.
    pub(crate) fn read(
        events: &[&'a Event],
        institutions: &BTreeMap<String, String>,
        known_at: Date,
        rules: &LeaveRules,
    ) -> Self {
        let mut pauses = Self::default();
        for event in events.iter().copied() {
            match &event.detail {
                EventDetail::PlannedGap { start, end, recorded_on } => {
                    let (start, end, recorded_on) = (*start, *end, *recorded_on);
                    pauses.planned.push(PlannedGap { start, end, recorded_on, event });
                }
                EventDetail::TransferOut { institution, on }
                | EventDetail::EnrollmentElsewhere { institution, on }
                    if !rules.transfer_is_leave =>
                {
                    let leaves = matches!(event.detail, EventDetail::TransferOut { .. });
                    // A transfer to come holds the leave back; an enrollment to come is none yet.
                    if !leaves && *on > known_at {
                        continue;
                    }
                    if institutions.contains_key(institution) {
                        let list =
                            if leaves { &mut pauses.transfers } else { &mut pauses.enrolled };
                        list.push(Elsewhere { institution, from: *on, event });
                    } else {
                        pauses.unknown.push(event);
                    }
                }
                _ => {}
            }
        }
        pauses.planned.sort_by_key(|gap| (gap.start, gap.end, gap.event));
        pauses
    }

    /// The transfers that `run` may end with, up to `limit`. One is spent when the person comes back:
    /// engaged again after a day without.
    fn transfers_of(&self, run: &Run<'_, 'a>, limit: Date) -> impl Iterator<Item = &Elsewhere<'a>> {
        let back_on = run.back_on;
        self.transfers.iter().filter(move |it| back_on <= it.from && it.from <= limit)
    }

    /// The planned gaps after `run` that were recorded in time, each with its first day, the last
    /// day that counts and the event that set it. Gaps that overlap or touch are one gap, with one
    /// maximum; days before the last engagement are no part of it.
    fn gaps_of(&self, run: &Run<'_, 'a>, rules: &LeaveRules) -> Vec<(Date, Date, &'a Event)> {
        let recorded_by = plus_days(run.last_end, rules.planned_gap_record_days);
        let mut joined: Vec<(Date, Date, &'a Event)> = Vec::new();
        for gap in self.planned.iter().filter(|it| it.recorded_on <= recorded_by) {
            let start = gap.start.max(day_after(run.last_end));
            match joined.last_mut() {
                _ if gap.end < start => {}
                Some((_, end, event)) if start <= day_after(*end) => {
                    if gap.end > *end {
                        (*end, *event) = (gap.end, gap.event);
                    }
                }
                _ => joined.push((start, gap.end, gap.event)),
            }
        }
        for (start, end, _) in &mut joined {
            *end = plus_days(*start, rules.planned_gap_max_days.saturating_sub(1)).min(*end);
        }
        joined
    }

    /// The transfer after `run` that is completed first, with the enrollment that completes it, if
    /// the person did enroll.
    pub(crate) fn completed_transfer(
        &self,
        run: &Run<'_, 'a>,
        rules: &LeaveRules,
    ) -> Option<(Elsewhere<'a>, Elsewhere<'a>)> {
        let limit = plus_days(run.last_end, rules.transfer_days);
        let there = |transfer: &Elsewhere<'a>| {
            let at = |it: &&Elsewhere<'a>| {
                it.institution == transfer.institution && it.from > run.last_end && it.from <= limit
            };
            let first = self.enrolled.iter().filter(at).min_by_key(|it| (it.from, it.event));
            first.map(|enrolled| (*transfer, *enrolled))
        };
        let transfers = self.transfers_of(run, limit);
        transfers.filter_map(there).min_by_key(|(transfer, enrolled)| {
            (transfer.from.max(enrolled.from), enrolled.from, transfer.event)
        })
    }
}

impl<'p, 'a> Run<'p, 'a> {
    fn new(activity: &'p Activity<'a>, leaving: &Leaving<'_, 'a>) -> Self {
        let base = own_deadline(activity, leaving.profile);
        Self {
            start: activity.start.max(leaving.first),
            last_end: activity.end,
            back_on: activity.start,
            members: vec![activity],
            base,
            deadline: base.0,
            reason: base.1,
            held_by: None,
        }
    }

    fn push(&mut self, activity: &'p Activity<'a>, profile: &RuleProfile) {
        self.members.push(activity);
        if activity.start > day_after(self.last_end) {
            self.back_on = activity.start;
        }
        self.last_end = self.last_end.max(activity.end);
        let own = own_deadline(activity, profile);
        if own.0 > self.base.0 || own.0 == self.base.0 && own.1 < self.base.1 {
            self.base = own;
        }
    }

    fn set_deadline(&mut self, leaving: &Leaving<'_, 'a>) {
        let Leaving { profile, pauses, terminal, elsewhere, .. } = leaving;
        let rules = &profile.leave;
        let (mut deadline, mut reason, mut held_by) = (self.base.0, self.base.1, None);
        let mut extend = |to: Date, why: GapReason, event| {
            if to > deadline {
                (deadline, reason, held_by) = (to, why, Some(event));
            }
        };
        for (start, end, event) in pauses.gaps_of(self, rules) {
            if start <= self.base.0 {
                extend(day_after(end), GapReason::Planned, event);
            }
        }
        let transfer_limit = plus_days(self.last_end, rules.transfer_days);
        for transfer in pauses.transfers_of(self, transfer_limit) {
            extend(transfer_limit, GapReason::Transfer, transfer.event);
        }
        for &(start, to) in *elsewhere {
            if start <= deadline && to > deadline {
                (deadline, reason, held_by) = (to, GapReason::OtherPathway, None);
            }
        }
        let ends = terminal.iter().copied().find(|&on| self.start <= on && on <= deadline);
        if let Some(on) = ends {
            deadline = day_after(self.last_end).max(on);
            (reason, held_by) = (GapReason::TerminalCredential, None);
        }
        (self.deadline, self.reason, self.held_by) = (deadline, reason, held_by);
    }

    /// The last engaged day on or before `day`; `day` must not lie before the start.
    pub(crate) fn last_day_by(&self, day: Date) -> Date {
        let ends = self.members.iter().filter(|it| it.start <= day).map(|it| it.end.min(day));
        ends.max().unwrap_or(self.start)
    }

    /// The event that set the deadline as the members that began by `day` set it.
    pub(crate) fn held_on(&self, day: Date, leaving: &Leaving<'_, 'a>) -> Option<&'a Event> {
        match self.members.last() {
            Some(last) if last.start > day => self.by(day, leaving)?.held_by,
            _ => self.held_by,
        }
    }

    /// The run of the members that began by `day`; `day` must not lie before the start.
    pub(crate) fn by(&self, day: Date, leaving: &Leaving<'_, 'a>) -> Option<Self> {
        let mut begun = self.members.iter().filter(|it| it.start <= day);
        let mut run = Self::new(begun.next()?, leaving);
        begun.for_each(|it| run.push(it, leaving.profile));
        run.set_deadline(leaving);
        Some(run)
    }
}

/// Joins engagements, sorted by start, into runs: one that begins on or before the deadline goes
/// on with the run, a later one begins the next.
pub(crate) fn runs<'p, 'a>(
    qualifying: &[&'p Activity<'a>],
    leaving: &Leaving<'_, 'a>,
) -> Vec<Run<'p, 'a>> {
    let mut runs: Vec<Run<'p, 'a>> = Vec::new();
    for &activity in qualifying {
        match runs.last_mut() {
            Some(run) if activity.start <= run.deadline => run.push(activity, leaving.profile),
            _ => runs.push(Run::new(activity, leaving)),
        }
        if let Some(run) = runs.last_mut() {
            run.set_deadline(leaving);
        }
    }
    runs
}

/// Stretches of engagement, joined where one begins by the deadline of those before.
pub(crate) fn joined(mut stretches: Vec<(Date, Date)>) -> Vec<(Date, Date)> {
    stretches.sort_unstable();
    let mut joined: Vec<(Date, Date)> = Vec::new();
    for (start, deadline) in stretches {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(deadline),
            _ => joined.push((start, deadline)),
        }
    }
    joined
}

fn own_deadline(activity: &Activity<'_>, profile: &RuleProfile) -> (Date, GapReason) {
    let deadline = base_deadline(activity, profile);
    if deadline > day_deadline(activity.end, profile) {
        (deadline, GapReason::TermBridge)
    } else {
        (deadline, GapReason::Days(profile.leave.gap_days))
    }
}

//! What changes although nobody sends anything: a day passes, or the rules are others.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use jiff::civil::Date;
use record::{AgencyId, ParticipantId, RecordKey};
use rustc_hash::FxHashMap;
use store::{ChangeCause, Due, Evaluation, Seq, Settled};

use super::{
    Engine, EngineError,
    changes::Why,
    origins::{Origins, Telling},
    state::Participants,
};

/// Participants whose statuses are written in one transaction.
const PARTICIPANTS_PER_TRANSACTION: usize = 1_000;

/// Participants evaluated by new rules at a time, before the engine looks at its other work: a
/// fraction of a second.
const PARTICIPANTS_PER_TURN: usize = 250;

/// The days on which participants' statuses change by themselves.
#[derive(Debug)]
pub(super) struct Calendar {
    /// The last day of which all transitions were applied.
    kept_to: Date,
    by_day: BTreeMap<Date, BTreeSet<ParticipantId>>,
    by_participant: FxHashMap<ParticipantId, Date>,
}

impl Calendar {
    pub(super) fn read(kept_to: Date, due: Vec<(ParticipantId, Date)>) -> Self {
        let (by_day, by_participant) = (BTreeMap::new(), FxHashMap::default());
        let mut calendar = Self { kept_to, by_day, by_participant };
        for (participant, on) in due {
            calendar.set(Due { participant, on: Some(on) });
        }
        calendar
    }

    pub(super) fn set(&mut self, Due { participant, on }: Due) {
        let before = match on {
            Some(day) => {
                self.by_day.entry(day).or_default().insert(participant);
                self.by_participant.insert(participant, day)
            }
            None => self.by_participant.remove(&participant),
        };
        if let Some(day) = before.filter(|before| Some(*before) != on)
            && let Some(of_day) = self.by_day.get_mut(&day)
        {
            of_day.remove(&participant);
            if of_day.is_empty() {
                self.by_day.remove(&day);
            }
        }
    }

    pub(super) fn of(&self, participant: ParticipantId) -> Option<Date> {
        self.by_participant.get(&participant).copied()
    }

    /// The participants due by `day`.
    fn due_by(&self, day: Date) -> BTreeSet<ParticipantId> {
        let days = self.by_day.range((Bound::Unbounded, Bound::Included(day)));
        days.flat_map(|(_, participants)| participants).copied().collect()
    }
}

/// The participants that are still to be evaluated by the rules in force.
pub(super) struct Recomputation {
    /// The last participant that was.
    done: ParticipantId,
    /// The others, the last one first.
    left: Vec<ParticipantId>,
    total: usize,
    /// Who sent something of those left, since they wait.
    sent: BTreeSet<(AgencyId, ParticipantId)>,
}

impl Recomputation {
    /// Whether `participant` waits for its turn. Its statuses stay by the rules of before until
    /// then, whatever comes in, so that nobody can tell what others sent by the order of changes.
    fn is_to_do(&self, participant: ParticipantId) -> bool {
        self.left.last().is_some_and(|next| *next <= participant)
            && self.left.first().is_some_and(|last| participant <= *last)
    }
}

impl Engine {
    /// Evaluates the statuses that a new day changes: people become leavers on days when nobody
    /// sends anything. Comes before what else the day brings, so that a change has one cause.
    pub(super) fn keep_calendar(&mut self) -> Result<bool, EngineError> {
        let today = self.clock.today();
        if today == self.day {
            return Ok(false);
        }
        let due = match today > self.day {
            true => self.calendar.due_by(today),
            // Only a clock that was put right goes back.
            false => self.members.keys().copied().collect(),
        };
        let due: Vec<_> = due.into_iter().filter(|it| !self.is_to_recompute(*it)).collect();
        tracing::info!(day = %today, participants = due.len(), "a new day");
        self.day = today;
        for some in due.chunks(PARTICIPANTS_PER_TRANSACTION) {
            self.settle_statuses(some, ChangeCause::Calendar, &BTreeSet::new())?;
        }
        // Should the service stop before this, the next start goes on with whoever is still due.
        self.calendar.kept_to = today;
        if !self.members.is_empty() {
            self.settle_statuses(&[], ChangeCause::Calendar, &BTreeSet::new())?;
        }
        Ok(true)
    }

    /// Begins to evaluate everybody by the rules in force, or goes on with it, where `last` was by
    /// others. [`Engine::recompute_some`] does the work.
    pub(super) fn begin_recomputation(
        &mut self,
        last: Option<Evaluation>,
    ) -> Result<(), EngineError> {
        let done = match last {
            Some(last) if last.rules == self.evaluator.fingerprint => match last.evaluated_to {
                Some(done) => done,
                None => return Ok(()),
            },
            _ => ParticipantId(0),
        };
        let mut left: Vec<_> = self.members.keys().copied().filter(|it| *it > done).collect();
        left.sort_unstable_by(|a, b| b.cmp(a));
        let total = left.len();
        if total > 0 {
            tracing::info!(participants = total, "the rules changed: everybody is evaluated anew");
            let sent = BTreeSet::new();
            self.recomputation = Some(Recomputation { done, left, total, sent });
            self.settle_statuses(&[], ChangeCause::Rules, &BTreeSet::new())?;
        }
        Ok(())
    }

    /// Evaluates some of the participants that are left to do; says whether there were any.
    pub(super) fn recompute_some(&mut self) -> Result<bool, EngineError> {
        let Some(work) = &mut self.recomputation else { return Ok(false) };
        let rest = work.left.len().saturating_sub(PARTICIPANTS_PER_TURN);
        let mut some = work.left.split_off(rest);
        some.reverse();
        work.done = some.last().copied().unwrap_or(work.done);
        let (n_done, total) = (work.total - rest, work.total);
        let evaluated: BTreeSet<_> = some.iter().copied().collect();
        let (sent, waiting) = std::mem::take(&mut work.sent)
            .into_iter()
            .partition(|(_, participant)| evaluated.contains(participant));
        work.sent = waiting;
        if rest == 0 {
            self.recomputation = None;
        }
        self.settle_statuses(&some, ChangeCause::Rules, &sent)?;
        let tenth = |n: usize| n * 10 / total.max(1);
        if rest == 0 || tenth(n_done) > tenth(n_done - some.len()) {
            tracing::info!(done = n_done, of = total, "participants evaluated by the new rules");
        }
        Ok(true)
    }

    /// Whether the statuses of a participant are still by other rules.
    pub(super) fn is_to_recompute(&self, participant: ParticipantId) -> bool {
        self.recomputation.as_ref().is_some_and(|work| work.is_to_do(participant))
    }

    /// Remembers who sent something of participants that wait for other rules: when their turn comes,
    /// the sender is told that the change comes from its own data.
    pub(super) fn remember_waiting(&mut self, origins: &Origins) {
        if let Some(work) = &mut self.recomputation {
            let waiting = origins.sent_to().filter(|(_, it)| work.is_to_do(*it));
            let waiting: Vec<_> = waiting.cloned().collect();
            work.sent.extend(waiting);
        }
    }

    /// How many participants are still to be evaluated by the rules in force.
    pub(super) fn to_recompute(&self) -> usize {
        self.recomputation.as_ref().map_or(0, |work| work.left.len())
    }

    pub(super) fn evaluation(&self) -> Evaluation {
        Evaluation {
            rules: self.evaluator.fingerprint,
            day: self.calendar.kept_to,
            evaluated_to: self.recomputation.as_ref().map(|work| work.done),
        }
    }

    /// Evaluates some participants and writes what changed, without any new fact, for `cause`, or for
    /// the events that an agency `sent` of one of them meanwhile.
    pub(super) fn settle_statuses(
        &mut self,
        participants: &[ParticipantId],
        cause: ChangeCause,
        sent: &BTreeSet<(AgencyId, ParticipantId)>,
    ) -> Result<(), EngineError> {
        let members = |id: &ParticipantId| Some((*id, self.members.get(id)?.clone()));
        let touched: Participants = participants.iter().filter_map(members).collect();
        let (statuses, due) = self.evaluate(&touched, self.applied)?;
        let telling = |record: &RecordKey| {
            let participant = self.place(record).map(|place| place.participant);
            let is_own = participant.is_some_and(|it| sent.contains(&(record.agency.clone(), it)));
            let cause = if is_own { ChangeCause::Event } else { cause };
            Telling { why: Why { cause, is_own }, order: Seq(0), held: false }
        };
        let news = self.news(&statuses, telling)?;
        let nothing = Settled::nothing(self.applied, self.clock.now(), &self.model_version);
        let evaluation = Some(self.evaluation());
        self.store.settle(Settled {
            statuses,
            due: due.clone(),
            evaluation,
            changes: news.changes,
            told: news.told.clone(),
            ..nothing
        })?;
        due.into_iter().for_each(|due| self.calendar.set(due));
        self.held.written(Vec::new(), &news.told);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn id(number: u64) -> ParticipantId {
        ParticipantId(number)
    }

    #[test]
    fn a_participant_is_due_on_one_day_at_most() {
        let (first, second) = (date(2026, 5, 1), date(2026, 9, 1));
        let mut calendar =
            Calendar::read(first, vec![(id(1), first), (id(2), first), (id(3), second)]);
        assert_eq!(calendar.due_by(date(2026, 4, 30)), BTreeSet::new());
        assert_eq!(calendar.due_by(first), [id(1), id(2)].into());
        assert_eq!(calendar.due_by(second), [id(1), id(2), id(3)].into());
        calendar.set(Due { participant: id(1), on: Some(second) });
        calendar.set(Due { participant: id(2), on: None });
        calendar.set(Due { participant: id(3), on: Some(second) });
        assert_eq!(calendar.due_by(first), BTreeSet::new());
        assert_eq!(calendar.due_by(second), [id(1), id(3)].into());
        assert_eq!((calendar.of(id(1)), calendar.of(id(2))), (Some(second), None));
    }

    #[test]
    fn who_waits_for_new_rules_is_among_those_left() {
        let work = Recomputation {
            done: id(3),
            left: vec![id(9), id(7), id(5)],
            total: 5,
            sent: BTreeSet::new(),
        };
        let waits: Vec<_> = (1..12).filter(|number| work.is_to_do(id(*number))).collect();
        assert_eq!(waits, [5, 6, 7, 8, 9]);
    }
}

//! Whose data a run of facts brought, and so why statuses changed.

use std::collections::{BTreeMap, BTreeSet};

use record::{AgencyId, ParticipantId, RecordKey};
use store::{ChangeCause, MembershipCause, Seq};

use super::{Engine, changes::Why};
use crate::participants::Regrouping;

/// What a run of facts brought.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Records whose leave waited for a report that came.
    pub(super) reported: BTreeSet<RecordKey>,
    /// Records that their agencies sent anything of, with the first fact that brought it.
    pub(super) sent: BTreeMap<RecordKey, Seq>,
    /// Records that events came for; whether one takes back an earlier one.
    pub(super) with_events: BTreeMap<RecordKey, bool>,
    /// The cause of moves between participants, where it is not the records themselves.
    pub(super) cause: Option<MembershipCause>,
    /// The withdrawal whose records were erased, which is taken in alone.
    pub(super) erasure: Option<Seq>,
    /// Whether a sample was drawn.
    pub(super) is_new_sample: bool,
    /// Whether a submission of a single record is among the facts.
    pub(super) has_single_record: bool,
    /// Whether a submission of several records is among the facts.
    pub(super) has_batch: bool,
}

impl Run {
    /// Records whose statuses may be others although they did not move.
    pub(super) fn touched(&self) -> impl Iterator<Item = &RecordKey> {
        self.with_events.keys().chain(&self.reported)
    }

    /// A record that its agency sent something of.
    pub(super) fn add_sent(&mut self, record: RecordKey, seq: Seq) {
        self.sent.entry(record).or_insert(seq);
    }
}

/// How a record's changes are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Telling {
    pub(super) why: Why,
    /// Changes are told in this order: first those of the agency's own data, as they came.
    pub(super) order: Seq,
    /// Not now, but net in a moment.
    pub(super) held: bool,
}

/// Whose data a run of facts brought, by the participants that its records had or got.
pub(super) struct Origins {
    /// Where the records that moved had stood.
    before: BTreeMap<RecordKey, ParticipantId>,
    /// The participants that lost or got records.
    regrouped: BTreeSet<ParticipantId>,
    /// The first fact by which an agency sent something of a participant.
    sent_to: BTreeMap<(AgencyId, ParticipantId), Seq>,
    /// Participants that events came for; whether one takes back an earlier one.
    with_events: BTreeMap<ParticipantId, bool>,
    cause: Option<MembershipCause>,
    /// Whether changes by regrouping are told net in a moment.
    one_by_one: bool,
    has_batch: bool,
}

impl Origins {
    /// `engine` has not moved the records yet.
    pub(super) fn of(run: &Run, regrouping: &Regrouping, engine: &Engine) -> Self {
        let mut origins = Self {
            before: BTreeMap::new(),
            regrouped: BTreeSet::new(),
            sent_to: BTreeMap::new(),
            with_events: BTreeMap::new(),
            cause: run.cause,
            one_by_one: run.has_single_record && !run.has_batch,
            has_batch: run.has_batch,
        };
        let standing = |record: &RecordKey| engine.place(record).map(|place| place.participant);
        let now: BTreeMap<&RecordKey, Option<ParticipantId>> =
            regrouping.moves.iter().map(|step| (&step.record, step.participant)).collect();
        for (record, participant) in &now {
            let before = standing(record);
            origins.before.extend(before.map(|it| ((*record).clone(), it)));
            origins.regrouped.extend(before.into_iter().chain(*participant));
        }
        let places = |record: &RecordKey| {
            let now = now.get(record).copied().flatten();
            [standing(record), now].into_iter().flatten().collect::<Vec<_>>()
        };
        for (record, seq) in &run.sent {
            for participant in places(record) {
                let first = origins.sent_to.entry((record.agency.clone(), participant));
                let first = first.or_insert(*seq);
                *first = (*first).min(*seq);
            }
        }
        for (record, takes_back) in &run.with_events {
            for participant in places(record) {
                *origins.with_events.entry(participant).or_default() |= takes_back;
            }
        }
        origins
    }

    /// Who sent something of which participants.
    pub(super) fn sent_to(&self) -> impl Iterator<Item = &(AgencyId, ParticipantId)> {
        self.sent_to.keys()
    }

    /// How changes of `record` are told; `engine` has moved the records.
    pub(super) fn telling(&self, record: &RecordKey, engine: &Engine) -> Telling {
        let now = engine.place(record).map(|place| place.participant);
        let participants = [self.before.get(record).copied(), now];
        let participants = || participants.into_iter().flatten();
        let own = |it| self.sent_to.get(&(record.agency.clone(), it)).copied();
        let own = participants().filter_map(own).min();
        let is_regrouped = participants().any(|it| self.regrouped.contains(&it));
        let events = participants().filter_map(|it| self.with_events.get(&it)).max();
        let cause = match (self.cause, now, events) {
            (Some(MembershipCause::Decision), ..) => ChangeCause::Decision,
            (Some(MembershipCause::Model), ..) => ChangeCause::Model,
            (_, None, _) => ChangeCause::Withdrawal,
            _ if is_regrouped => ChangeCause::Link,
            (.., Some(true)) => ChangeCause::Correction,
            (.., Some(false)) => ChangeCause::Event,
            (.., None) => ChangeCause::Report,
        };
        let is_waiting = engine.held.why(record).is_some();
        let held = self.cause.is_none()
            && ((self.one_by_one && is_regrouped) || (is_waiting && !self.has_batch));
        let why = Why { cause, is_own: own.is_some() };
        Telling { why, order: own.unwrap_or(Seq(u64::MAX)), held }
    }
}

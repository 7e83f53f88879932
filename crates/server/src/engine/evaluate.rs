//! From events to statuses: those of a participant, as each agency may know them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use api::{
    convert::{Addressee, date_to_proto, event_from_proto, status_to_proto},
    status::{self as proto, EngagementState},
};
use jiff::civil::Date;
use pathways::{
    AsOfError, Assessment, Completeness, Event, EventDetail, Registry, RuleProfiles, Rules,
    Sharing, Status,
};
use rayon::prelude::*;
use record::{AgencyId, ParticipantId, RecordKey};
use rustc_hash::FxHashMap;
use store::{Due, Seq, StatusReplacement, StatusRow, Store, StoredEvent, TakenBack};

use super::{
    Engine, EngineError,
    state::{Participants, Standing},
};
use crate::{pseudonym::pseudonym, sources::Sources};

/// Participants from which on they are evaluated on all cores.
const PARALLEL_MIN: usize = 16;

/// Applies the rule profiles, by the registry, to the events that an agency may know of.
#[derive(Clone)]
pub struct Evaluator {
    /// The pathway registry.
    pub registry: Arc<Registry>,
    /// The rule profiles in force, and those before them.
    pub profiles: Profiles,
    /// Whether the agencies have reported.
    pub sources: Sources,
    /// Which agency may know of which events.
    pub sharing: Arc<Sharing>,
    /// Tells these rules from any others.
    pub fingerprint: [u8; 32],
}

/// The rule profiles that were in force, with the day from which each was.
#[derive(Clone)]
pub struct Profiles(Arc<Vec<(Date, RuleProfiles)>>);

impl Profiles {
    /// `history` is not empty, and in order of time.
    ///
    /// # Panics
    /// When it is empty.
    pub fn new(history: Vec<(Date, RuleProfiles)>) -> Self {
        assert!(!history.is_empty(), "some rule profile is in force");
        Self(Arc::new(history))
    }

    /// Those in force at the end of `day`; before the first were, the first.
    pub fn at(&self, day: Date) -> &RuleProfiles {
        let n_by_then = self.0.partition_point(|(from, _)| *from <= day);
        &self.0[n_by_then.saturating_sub(1)].1
    }
}

/// A participant's statuses on a day, as they are served for each of its records.
struct Served {
    /// For each record, in their order, its place in `views`.
    of_record: Vec<usize>,
    /// What is known to one or more agencies.
    views: Vec<Assessment>,
    /// The first later day on which any of it changes by itself.
    due: Option<Date>,
}

impl Evaluator {
    fn rules<'a>(&'a self, known_at: Date, completeness: &'a Completeness) -> Rules<'a> {
        Rules::new(&self.registry, self.profiles.at(known_at)).with_completeness(completeness)
    }

    /// Whether any pathway needs to know that `source` has reported.
    pub(super) fn requires(&self, source: &AgencyId) -> bool {
        let pathways = self.registry.versions().iter().flat_map(|version| &version.pathways);
        pathways.into_iter().any(|pathway| pathway.required_sources.contains(source))
    }

    /// The statuses of the participant with these members, by pathway and of the whole system last,
    /// as they are served for one of its records; pathways that no event touches are left out.
    ///
    /// `up_to` counts only facts up to that one; `known_at` must not lie before `as_of`.
    ///
    /// # Errors
    /// The store's, or a stored event that cannot be read.
    pub fn statuses_of(
        &self,
        store: &Store,
        (record, members): (&RecordKey, &[RecordKey]),
        up_to: Option<Seq>,
        as_of: Date,
        known_at: Date,
    ) -> Result<Vec<Status>, EngineError> {
        let events = events_of(store, members, up_to)?;
        let fatal = |error: AsOfError| store::Error::Fatal(error.to_string());
        let completeness = self.sources.current();
        let rules = self.rules(known_at, &completeness);
        let touches = |events: &[Event]| rules.touches(events, as_of, known_at).map_err(fatal);
        let view = match View::of(record, &events) {
            View::Decided(view) => Cow::Borrowed(view),
            View::Open { own, agency } => self.view(&record.agency, touches(own)?, agency, &events),
        };
        Ok(rules.statuses(&view, as_of, known_at).map_err(fatal)?)
    }

    /// Whether what a record's agency is served for it may rest on events of other agencies: one of the
    /// record's own has to count.
    ///
    /// # Errors
    /// The store's, or a stored event that cannot be read.
    pub fn may_rest_on_others(
        &self,
        store: &Store,
        record: &RecordKey,
        up_to: Option<Seq>,
        as_of: Date,
        known_at: Date,
    ) -> Result<bool, EngineError> {
        let own = events_of(store, std::slice::from_ref(record), up_to)?;
        let completeness = self.sources.current();
        let rules = self.rules(known_at, &completeness);
        let touches = rules.touches(&own, as_of, known_at);
        Ok(touches.map_err(|error| store::Error::Fatal(error.to_string()))?)
    }

    /// What an agency is shown for one of its records. A record without an event of its own that
    /// counts is served what the agency's own events say: an invented one tells nothing.
    fn view<'e>(
        &self,
        audience: &AgencyId,
        counts: bool,
        of_agency: &'e [Event],
        all: &'e [Event],
    ) -> Cow<'e, [Event]> {
        if counts { self.sharing.known_to(audience, all) } else { Cow::Borrowed(of_agency) }
    }

    /// The statuses of one participant on `day`, evaluated once for all agencies that know the same.
    fn served(&self, members: &[RecordKey], events: &[Event], day: Date) -> Served {
        let completeness = self.sources.current();
        let rules = self.rules(day, &completeness);
        let mut known: Vec<Cow<'_, [Event]>> = Vec::new();
        let mut served = Served { of_record: Vec::new(), views: Vec::new(), due: None };
        for record in members {
            let view = match View::of(record, events) {
                View::Decided(view) => Cow::Borrowed(view),
                View::Open { own, agency } => {
                    let counts =
                        rules.touches(own, day, day).expect("one day is not before itself");
                    if !counts && !own.is_empty() {
                        // From the day on which one of them begins to count, more may be known.
                        served.is_due(rules.assess(own, day).next_transition);
                    }
                    self.view(&record.agency, counts, agency, events)
                }
            };
            let place = known.iter().position(|it| same(it, &view)).unwrap_or_else(|| {
                let assessment = rules.assess(&view, day);
                served.is_due(assessment.next_transition);
                served.views.push(assessment);
                known.push(view);
                known.len() - 1
            });
            served.of_record.push(place);
        }
        served
    }

    /// The statuses of one participant as they are stored, by record and pathway.
    fn rows(
        &self,
        members: &[RecordKey],
        served: &Served,
        secrets: &BTreeMap<AgencyId, [u8; 32]>,
        records: &FxHashMap<RecordKey, Standing>,
    ) -> Vec<StatusRow> {
        let mut rows = Vec::new();
        for (record, view) in members.iter().zip(&served.of_record) {
            let Some(secret) = secrets.get(&record.agency) else { continue };
            let name = pseudonym(secret, &oldest(members, &record.agency, records).local_id);
            let addressee =
                Addressee { agency: &record.agency, local_id: &record.local_id, pseudonym: &name };
            rows.extend(served.views[*view].statuses.iter().map(|status| {
                let message = lasting(status_to_proto(status, addressee));
                StatusRow {
                    record: record.clone(),
                    pathway: message.pathway.clone(),
                    label: message.label.clone(),
                    awaits: status.engagement.awaits_report(),
                    payload: api::encode(&message),
                }
            }));
        }
        rows
    }
}

impl Engine {
    /// The statuses of participants by the facts up to `up_to`, by participant, record and pathway,
    /// and when they change by themselves.
    pub(super) fn evaluate(
        &self,
        participants: &Participants,
        up_to: Seq,
    ) -> Result<(StatusReplacement, Vec<Due>), EngineError> {
        let (store, evaluator, day) = (&self.store, &self.evaluator, self.day);
        let secrets: BTreeMap<AgencyId, [u8; 32]> =
            store.agencies()?.into_iter().map(|a| (a.id, a.pseudonym_secret)).collect();
        let records = &self.records;
        let evaluated = |(participant, members): (&ParticipantId, &BTreeSet<RecordKey>)| {
            let members: Vec<RecordKey> = members.iter().cloned().collect();
            let events = events_of(store, &members, Some(up_to))?;
            let served = evaluator.served(&members, &events, day);
            let rows = evaluator.rows(&members, &served, &secrets, records);
            Ok((Due { participant: *participant, on: served.due }, members, rows))
        };
        let evaluated: Vec<(Due, Vec<RecordKey>, Vec<StatusRow>)> =
            if participants.len() < PARALLEL_MIN {
                participants.iter().map(evaluated).collect::<Result<_, EngineError>>()?
            } else {
                participants.par_iter().map(evaluated).collect::<Result<_, EngineError>>()?
            };
        let (mut statuses, mut all_due) = (StatusReplacement::default(), Vec::new());
        for (due, members, rows) in evaluated {
            all_due.push(due);
            statuses.touched.extend(members);
            statuses.rows.extend(rows);
        }
        Ok((statuses, all_due))
    }
}

impl Served {
    fn is_due(&mut self, on: Option<Date>) {
        self.due = [self.due, on].into_iter().flatten().min();
    }
}

/// The events from which it follows what a record's agency is shown for it.
enum View<'e> {
    /// All events are the agency's own: there is nothing to hide.
    Decided(&'e [Event]),
    /// It hangs on whether any of the record's `own` counts; `agency` are all of its agency's.
    Open { own: &'e [Event], agency: &'e [Event] },
}

impl<'e> View<'e> {
    /// `events` are a participant's, ordered by record.
    fn of(record: &RecordKey, events: &'e [Event]) -> Self {
        let agency = stretch(events, |event| event.source == record.agency);
        if agency.len() == events.len() {
            return Self::Decided(events);
        }
        Self::Open { own: stretch(agency, |event| event.local_id == record.local_id), agency }
    }
}

/// The events that `is_in` holds of, which lie together.
fn stretch(events: &[Event], is_in: impl Fn(&Event) -> bool) -> &[Event] {
    let start = events.iter().position(&is_in).unwrap_or(events.len());
    let n_in = events[start..].iter().take_while(|event| is_in(event)).count();
    &events[start..start + n_in]
}

/// Whether two agencies know the same; a list that nobody had to shorten is not read for it.
fn same(a: &[Event], b: &[Event]) -> bool {
    std::ptr::eq(a, b) || a == b
}

/// The events of these records, ordered by record and id. An event of somebody else that takes one
/// of them back, as where it was reported of the wrong person, stands among them as that alone.
fn events_of(
    store: &Store,
    members: &[RecordKey],
    up_to: Option<Seq>,
) -> Result<Vec<Event>, EngineError> {
    let stored = store.events_of(members, up_to)?;
    let mut events: Vec<Event> = stored.iter().map(read_event).collect::<store::Result<_>>()?;
    let n_own = events.len();
    for TakenBack { record, event_id, by } in store.taken_back_of(members, up_to)? {
        if !members.contains(&by.record) {
            let by = read_event(&by)?;
            let detail = match by.detail {
                EventDetail::Revocation { .. } => by.detail,
                _ => EventDetail::Void { voided_event_id: event_id },
            };
            events.push(Event { local_id: record.local_id, supersedes: None, detail, ..by });
        }
    }
    if events.len() > n_own {
        events.sort();
    }
    Ok(events)
}

fn read_event(event: &StoredEvent) -> store::Result<Event> {
    let damaged = || store::Error::Corrupt("a stored event cannot be read".to_owned());
    let message: api::event::Event = api::decode(&event.payload).map_err(|_| damaged())?;
    event_from_proto(&message, &event.record.agency, event.received_on).map_err(|_| damaged())
}

/// The record of `agency` that was heard of first.
fn oldest<'a>(
    members: &'a [RecordKey],
    agency: &AgencyId,
    records: &FxHashMap<RecordKey, Standing>,
) -> &'a RecordKey {
    let first_seq = |record| records.get(record).map_or(Seq(u64::MAX), |it| it.first_seq);
    members
        .iter()
        .filter(|record| record.agency == *agency)
        .min_by_key(|record| (first_seq(record), *record))
        .expect("the agency of a member has a member")
}

/// A status without what any day changes: the days it speaks of, the end so far of an engagement
/// that goes on.
pub(super) fn lasting(mut status: proto::Status) -> proto::Status {
    (status.as_of, status.known_at) = (None, None);
    if let Some(spell) = going_on(&mut status) {
        spell.last_on = None;
    }
    status
}

/// The status that [`lasting`] left, on a day on which it holds.
pub(crate) fn on_day(mut status: proto::Status, day: Date) -> proto::Status {
    let day = Some(date_to_proto(day));
    (status.as_of, status.known_at) = (day, day);
    if let Some(spell) = going_on(&mut status) {
        spell.last_on = day;
    }
    status
}

/// The spell of a person who is engaged.
fn going_on(status: &mut proto::Status) -> Option<&mut proto::Spell> {
    let is_active =
        status.engagement.as_ref().is_some_and(|it| it.state() == EngagementState::Active);
    status.spells.last_mut().filter(|_| is_active)
}

/// Reads a stored status.
pub(crate) fn read_status(payload: &[u8]) -> store::Result<proto::Status> {
    api::decode(payload)
        .map_err(|_| store::Error::Corrupt("a stored status cannot be read".to_owned()))
}

/// Reads a stored change of a feed.
pub(crate) fn read_change(payload: &[u8]) -> store::Result<proto::StatusChange> {
    api::decode(payload)
        .map_err(|_| store::Error::Corrupt("a stored change cannot be read".to_owned()))
}

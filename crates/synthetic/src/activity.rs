//! What people do at the agencies over the years, as the events that the agencies report.

mod adult_ed;
mod attributes;
mod college;
mod services;
mod wages;

use std::collections::BTreeSet;

use jiff::civil::Date;
use pathways::{CredentialKind, Event, EventDetail};
use record::LocalId;

use crate::{
    agency::Agency,
    catalog::{Career, Catalog},
    person::{Person, PersonId},
    random::{Random, Stream, plus_days},
    state::State,
};

/// How many of those who study or train do so in a career pathway.
const IN_A_PATHWAY: f64 = 0.6;
/// Reported long after the usual time.
const LATE: f64 = 0.03;
/// Reported in error and voided later.
const IN_ERROR: f64 = 0.004;

impl State {
    /// Everything that happened and was reported by the last day, person by person; each person's
    /// events in order of the day they were received.
    pub fn events(&self, catalog: &Catalog) -> impl Iterator<Item = Event> {
        (0..).take(self.people.len()).flat_map(|it| self.events_of(PersonId(it), catalog))
    }

    /// What happened to one person and was reported by the last day, in order of the day it was
    /// received.
    pub fn events_of(&self, person: PersonId, catalog: &Catalog) -> Vec<Event> {
        let mut diary = Diary::new(self, person, catalog);
        diary.adult_ed();
        diary.college();
        diary.workforce();
        diary.human_services();
        diary.wages();
        diary.attributes();
        let mut events = diary.events;
        events.retain(|event| event.received_on <= self.settings.until);
        events.sort_by(|a, b| a.received_on.cmp(&b.received_on).then_with(|| a.cmp(b)));
        events
    }
}

/// One person's story while it is being written.
struct Diary<'a> {
    state: &'a State,
    person: &'a Person,
    catalog: &'a Catalog,
    /// The person's records: agency, day and handle, in order.
    records: Vec<(Agency, Date, LocalId)>,
    random: Random,
    /// The pathway that the person follows, if any.
    career: Option<&'a Career>,
    /// The day of the person's first credential of that pathway.
    completed_on: Option<Date>,
    /// How many events each agency has reported.
    reported: [u32; Agency::ALL.len()],
    events: Vec<Event>,
}

impl<'a> Diary<'a> {
    fn new(state: &'a State, id: PersonId, catalog: &'a Catalog) -> Self {
        let mut random = Random::new(state.settings.seed, Stream::Activity(id.0));
        let records = state
            .records_of(id)
            .map(|(agency, record)| (agency, record.recorded_on, record.row.local_id.clone()))
            .collect();
        let follows = !catalog.careers.is_empty() && random.chance(IN_A_PATHWAY);
        let career = follows.then(|| random.pick(&catalog.careers));
        Self {
            state,
            person: &state.people[id.0 as usize],
            catalog,
            records,
            random,
            career,
            completed_on: None,
            reported: [0; Agency::ALL.len()],
            events: Vec::new(),
        }
    }

    /// The last day of the state.
    fn until(&self) -> Date {
        self.state.settings.until
    }

    /// The day of the person's first record at the agency, if it knows the person.
    fn first_day(&self, agency: Agency) -> Option<Date> {
        self.records.iter().find(|(it, ..)| *it == agency).map(|(_, day, _)| *day)
    }

    /// Reports what happened on `day`, some days later, under the handle that the agency used on
    /// that day. Now and then the report is an error that is voided later.
    fn report(&mut self, agency: Agency, day: Date, detail: EventDetail) -> String {
        let usual = match agency {
            Agency::College => (5, 30),
            Agency::AdultEd => (5, 40),
            Agency::Workforce => (1, 20),
            Agency::HumanServices => (4, 35),
            Agency::Wages => (45, 80),
        };
        let late = if self.random.chance(LATE) { self.random.between(30, 180) } else { 0 };
        let received_on = plus_days(day, self.random.between(usual.0, usual.1) + late);
        let id = self.push(agency, day, received_on, BTreeSet::new(), detail);
        if self.random.chance(IN_ERROR) {
            let corrected_on = plus_days(received_on, self.random.between(10, 120));
            let void = EventDetail::Void { voided_event_id: id.clone() };
            self.push(agency, day, corrected_on, BTreeSet::new(), void);
        }
        id
    }

    /// Adds an event and says its id.
    fn push(
        &mut self,
        agency: Agency,
        day: Date,
        received_on: Date,
        purpose_tags: BTreeSet<String>,
        detail: EventDetail,
    ) -> String {
        let own = || self.records.iter().filter(|(it, ..)| *it == agency);
        let (.., local_id) = own()
            .rfind(|(_, recorded_on, _)| *recorded_on <= day)
            .or_else(|| own().next())
            .expect("only an agency that knows the person reports");
        let number = &mut self.reported[agency as usize];
        *number += 1;
        let source_event_id = format!("{}.{number}", local_id.as_str());
        self.events.push(Event {
            source: agency.id(),
            local_id: local_id.clone(),
            source_event_id: source_event_id.clone(),
            received_on,
            supersedes: None,
            purpose_tags,
            detail,
        });
        source_event_id
    }

    /// Awards a credential of the person's pathway whose type `fits`, if there is one; a few are
    /// revoked later.
    fn award(
        &mut self,
        agency: Agency,
        awarded_on: Date,
        fits: impl Fn(CredentialKind) -> bool,
    ) -> bool {
        let credentials = self.career.map_or(&[][..], |career| &career.credentials);
        let fitting: Vec<_> = credentials.iter().filter(|(kind, _)| fits(*kind)).collect();
        if fitting.is_empty() {
            return false;
        }
        let (kind, code) = (*self.random.pick(&fitting)).clone();
        let detail = EventDetail::Credential { kind, code, system: None, awarded_on, number: None };
        let id = self.report(agency, awarded_on, detail);
        if kind > CredentialKind::TrainingCard {
            self.completed_on.get_or_insert(awarded_on);
        }
        if self.random.chance(0.006) {
            let on = plus_days(awarded_on, self.random.between(60, 500));
            self.report(
                agency,
                on,
                EventDetail::Revocation { credential_event_id: id, on, reason: None },
            );
        }
        true
    }
}

/// A credential that takes a few months at most.
fn is_short(kind: CredentialKind) -> bool {
    (CredentialKind::TrainingCard..CredentialKind::AssociateDegree).contains(&kind)
}

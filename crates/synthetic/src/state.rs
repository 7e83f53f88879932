//! The made-up state: its people, the agencies' records of them, and the truth between the two.

use std::collections::BTreeMap;

use jiff::civil::Date;
use record::{LocalId, RecordKey};

use crate::{
    agency::Agency,
    membership,
    names::Names,
    observe::Clerk,
    person::{Person, PersonId},
    places::Places,
    population,
    random::{Random, Stream},
    row::{Distortions, IdentityRow, Record, Values},
    settings::Settings,
};

/// A made-up state.
pub struct State {
    /// What it was generated from.
    pub settings: Settings,
    /// Everybody, in the order of [`PersonId`].
    pub people: Vec<Person>,
    records: BTreeMap<Agency, Vec<Record>>,
    /// The records of each person: place in the agency's list, in order of person, agency and day.
    by_person: Vec<(PersonId, Agency, u32)>,
    pub(crate) places: Places,
}

/// A record that has no local id yet: agencies number their records by the day they are made.
struct Taken {
    on: Date,
    /// The place in the line of that day.
    turn: u32,
    person: PersonId,
    values: Values,
    distortions: Distortions,
}

impl State {
    /// Generates the state that belongs to `settings`.
    pub fn generate(settings: &Settings) -> Self {
        let mut random = Random::new(settings.seed, Stream::People);
        let names = Names::new();
        let places = Places::new(settings.people, &mut random);
        let people = population::people(settings, &names, &places, &mut random);
        let mut random = Random::new(settings.seed, Stream::Records);
        let mut taken: BTreeMap<Agency, Vec<Taken>> = BTreeMap::new();
        for (index, person) in (0..).zip(&people) {
            for (agency, days) in membership::records(person, settings, &mut random) {
                let line = taken.entry(agency).or_default();
                for on in days {
                    let (names, places, noise) = (&names, &places, &settings.noise);
                    let mut clerk = Clerk { names, places, noise, random: &mut random };
                    let draft = clerk.take_down(person, agency, on);
                    let turn = random.below(u32::MAX);
                    let (values, distortions) = (draft.finish(), draft.distortions);
                    line.push(Taken { on, turn, person: PersonId(index), values, distortions });
                }
            }
        }
        let records: BTreeMap<Agency, Vec<Record>> =
            taken.into_iter().map(|(agency, taken)| (agency, number(agency, taken))).collect();
        let by_person = by_person(&records);
        Self { settings: settings.clone(), people, records, by_person, places }
    }

    /// The records of an agency, in the order in which they were made.
    pub fn records(&self, agency: Agency) -> &[Record] {
        self.records.get(&agency).map_or(&[], Vec::as_slice)
    }

    /// The records of a person in order of agency and day.
    pub fn records_of(&self, person: PersonId) -> impl Iterator<Item = (Agency, &Record)> {
        let start = self.by_person.partition_point(|(it, ..)| *it < person);
        self.by_person[start..]
            .iter()
            .take_while(move |(it, ..)| *it == person)
            .map(|(_, agency, place)| (*agency, &self.records(*agency)[*place as usize]))
    }

    /// Whom every record is about, in order of agency and of the agency's records.
    pub fn truth(&self) -> impl Iterator<Item = (RecordKey, PersonId)> {
        self.records.iter().flat_map(|(agency, records)| {
            let id = agency.id();
            records.iter().map(move |record| {
                (RecordKey::new(id.clone(), record.row.local_id.clone()), record.person)
            })
        })
    }
}

/// Gives the records of an agency their local ids, in the order in which they were made.
fn number(agency: Agency, mut taken: Vec<Taken>) -> Vec<Record> {
    taken.sort_by_key(|it| (it.on, it.turn, it.person));
    let numbered = |(number, Taken { on, person, values, distortions, .. }): (u32, Taken)| {
        let local_id: LocalId = format!("{}{number:07}", agency.local_id_prefix())
            .parse()
            .expect("a prefix and a number are a local id");
        Record { person, recorded_on: on, row: IdentityRow::new(local_id, values), distortions }
    };
    (1..).zip(taken).map(numbered).collect()
}

fn by_person(records: &BTreeMap<Agency, Vec<Record>>) -> Vec<(PersonId, Agency, u32)> {
    let places = records.iter().flat_map(|(agency, records)| {
        (0..).zip(records).map(|(place, record)| (record.person, *agency, place))
    });
    let mut by_person: Vec<_> = places.collect();
    by_person.sort_unstable();
    by_person
}

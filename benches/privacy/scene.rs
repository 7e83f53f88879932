//! Who is attacked with what: the records that the service stores and the attacker's population
//! file, both of one made-up state.

use std::sync::Arc;

use encoding::{DEFAULT_PLACEHOLDERS, Encoder, LinkageKey, Placeholders};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use record::{EncodedRecord, Schema};
use synthetic::{Agency, Column, Noise, PersonId, Record, Settings, State};

use crate::pepper::Pepper;

/// Fields that a register of voters or an address broker does not hold.
const NOT_IN_REGISTERS: [&str; 2] = ["ssn", "email"];

/// How often the people are recorded to put the population file together, and the share of the
/// usual noise in each of these passes: next to none.
const REGISTER_NOISE: [f64; 4] = [0.0, 0.01, 0.02, 0.03];

/// One row of plaintext: whom it is about, and its values in the order of the schema's fields.
#[derive(Debug, Clone)]
pub struct Row {
    /// The truth, for counting successes; no attack looks at it.
    pub person: PersonId,
    /// One value per field of the schema, `None` where missing.
    pub values: Vec<Option<String>>,
}

/// What the population file has to do with the stored records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// It holds every stored person with exactly the stored values, SSN included, and as many
    /// others: the setting of the published attacks.
    Copy,
    /// The same, but only a share of the stored people are in it.
    Partial,
    /// It is a register of everybody without SSN and email, written down on another day; stored is
    /// all that five agencies send, with their errors, moves and nicknames.
    Register,
}

/// The stored rows and the population file, in plaintext.
#[derive(Clone)]
pub struct Scene {
    /// What becomes the stored records.
    pub victims: Vec<Row>,
    /// What the attacker holds; at most one row per person.
    pub population: Vec<Row>,
}

/// The secrets of one encoding: of the agencies and of the service.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    linkage: [u8; 32],
    pepper: [u8; 32],
}

impl Keys {
    /// The keys that the stored records are made with.
    pub const VICTIM: Self = Self { linkage: [7; 32], pepper: [8; 32] };
    /// The keys that the attacker makes up.
    pub const ATTACKER: Self = Self { linkage: [101; 32], pepper: [102; 32] };

    /// What the service stores of `rows`: encoded by an agency, re-keyed by the service. A row
    /// without values gives a record without encodings.
    pub fn store(&self, schema: &Arc<Schema>, rows: &[Row]) -> Vec<EncodedRecord> {
        let encoder = self.encoder(schema);
        let pepper = Pepper::new(&self.pepper, schema);
        let nothing =
            EncodedRecord { fields: vec![None; schema.fields.len()], blocking: Vec::new() };
        rows.par_chunks(512)
            .flat_map_iter(|rows| {
                let mut session = encoder.session();
                let encode = |row: &Row| {
                    let values: Vec<_> = row.values.iter().map(Option::as_deref).collect();
                    match session.encode(&values) {
                        Ok(encoded) => pepper.apply(encoded.record),
                        Err(_) => nothing.clone(),
                    }
                };
                rows.iter().map(encode).collect::<Vec<_>>()
            })
            .collect()
    }

    fn encoder(&self, schema: &Arc<Schema>) -> Encoder {
        let placeholders = Placeholders::parse(DEFAULT_PLACEHOLDERS);
        let placeholders = placeholders.expect("the shipped placeholders are checked");
        Encoder::new(schema.clone(), &LinkageKey::from_random(self.linkage, 1), &placeholders)
    }
}

impl Scene {
    /// The scene of `setting` with about `people` in the population file. `overlap` is the share
    /// of stored people in the file of [`Setting::Partial`].
    pub fn new(
        setting: Setting,
        schema: &Arc<Schema>,
        people: u32,
        seed: u64,
        overlap: f64,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let half = people as usize / 2;
        // As many people in a partial file as stored, `overlap` of them the same.
        let apart = match setting {
            Setting::Partial => (half as f64 * (1.0 - overlap)).round() as usize,
            Setting::Copy | Setting::Register => 0,
        };
        let known_of = if setting == Setting::Partial { half + apart } else { people as usize };
        let mut complete = register(schema, known_of as u32, seed);
        complete.shuffle(&mut rng);
        let victims = match setting {
            Setting::Copy | Setting::Partial => complete[..half.min(complete.len())].to_vec(),
            Setting::Register => {
                let settings = Settings { people, seed, ..Settings::default() };
                recorded(schema, &State::generate(&settings))
            }
        };
        let mut population = complete.split_off(apart.min(complete.len()));
        population.shuffle(&mut rng);
        if setting == Setting::Register {
            for (place, field) in schema.fields.iter().enumerate() {
                if NOT_IN_REGISTERS.contains(&field.name.as_str()) {
                    population.iter_mut().for_each(|row| row.values[place] = None);
                }
            }
        }
        Self { victims, population }
    }

    /// The control in which every attack must fail: each column of the population file is
    /// shuffled on its own, so that values keep their frequencies and belong to nobody.
    pub fn shuffled(&self, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5EED);
        let mut population = self.population.clone();
        for field in 0..population.first().map_or(0, |row| row.values.len()) {
            for last in (1..population.len()).rev() {
                let other = rng.random_range(0..=last);
                let (head, tail) = population.split_at_mut(last);
                if let Some(row) = head.get_mut(other) {
                    std::mem::swap(&mut row.values[field], &mut tail[0].values[field]);
                }
            }
        }
        Self { victims: self.victims.clone(), population }
    }
}

/// A row per person with every value that some agency knew, next to free of errors.
fn register(schema: &Arc<Schema>, people: u32, seed: u64) -> Vec<Row> {
    let mut rows: Vec<Row> = (0..people)
        .map(|n| Row { person: PersonId(n), values: vec![None; schema.fields.len()] })
        .collect();
    for noise in REGISTER_NOISE {
        let noise = Noise::scaled(noise);
        let state = State::generate(&Settings { people, seed, noise, ..Settings::default() });
        let mut seen = recorded(schema, &state);
        // The fullest record of a person comes first, so that its values belong together.
        seen.sort_by_key(|row| std::cmp::Reverse(row.values.iter().flatten().count()));
        for row in seen {
            let known = &mut rows[row.person.0 as usize].values;
            known.iter_mut().zip(row.values).for_each(|(known, value)| {
                *known = known.take().or(value);
            });
        }
    }
    rows.retain(|row| row.values.iter().any(Option::is_some));
    rows
}

/// Every record of every agency that holds a value; placeholders count as missing.
pub fn recorded(schema: &Arc<Schema>, state: &State) -> Vec<Row> {
    let columns: Vec<Option<Column>> = schema
        .fields
        .iter()
        .map(|field| Column::ALL.into_iter().find(|column| column.name() == field.name))
        .collect();
    let encoder = Keys::ATTACKER.encoder(schema);
    let mut session = encoder.session();
    let read = |record: &Record| {
        let value = |column: &Option<Column>| record.row.get((*column)?);
        let values: Vec<Option<&str>> = columns.iter().map(value).collect();
        let encoded = session.encode(&values).ok()?.record;
        let kept = values.into_iter().zip(&encoded.fields);
        let values = kept.map(|(value, kept)| value.filter(|_| kept.is_some()).map(str::to_owned));
        Some(Row { person: record.person, values: values.collect() })
    };
    Agency::ALL.into_iter().flat_map(|agency| state.records(agency)).filter_map(read).collect()
}

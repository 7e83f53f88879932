//! Second records of people, under another valid SSN.

use std::collections::BTreeSet;

use benches::{schema, values_of};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use record::{RecordKey, Schema};
use synthetic::{Agency, State};

/// Digits in which another SSN differs from the first at least: no typing error explains it.
const DIGITS_OTHER: usize = 4;

/// Records that `agency` made of people, at most `n` and one of each person, with the values of a record
/// that has an SSN and a birth date, but another SSN.
pub fn doubles(state: &State, agency: Agency, n: usize) -> Vec<(RecordKey, Vec<Option<String>>)> {
    let schema = schema();
    let (ssn, birth) = (place(&schema, "ssn"), place(&schema, "date_of_birth"));
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut people = BTreeSet::new();
    let mut found: Vec<Vec<Option<String>>> = Vec::new();
    for of in Agency::ALL {
        for (record, (_, values)) in state.records(of).iter().zip(values_of(state, of)) {
            if values[ssn].is_some() && values[birth].is_some() && people.insert(record.person) {
                found.push(values);
            }
        }
    }
    found.shuffle(&mut random);
    found.truncate(n);
    let double = |(number, mut values): (usize, Vec<Option<String>>)| {
        values[ssn] = values[ssn].take().map(|first| other_ssn(&first, &mut random));
        let local_id =
            format!("DBL{number:07}").parse().expect("letters and digits are a local id");
        (RecordKey::new(agency.id(), local_id), values)
    };
    found.into_iter().enumerate().map(double).collect()
}

fn place(schema: &Schema, field: &str) -> usize {
    let place = schema.fields.iter().position(|it| it.name == field);
    place.expect("a field of the shipped schema")
}

/// A number that could have been issued, far from `first`.
fn other_ssn(first: &str, random: &mut ChaCha8Rng) -> String {
    let first: Vec<char> = first.chars().filter(char::is_ascii_digit).collect();
    loop {
        let area = random.random_range(1..666);
        let (group, serial) = (random.random_range(1..100), random.random_range(1..10_000));
        let other = format!("{area:03}{group:02}{serial:04}");
        let n_other = other.chars().zip(&first).filter(|(other, first)| other != *first).count();
        if n_other >= DIGITS_OTHER {
            return other;
        }
    }
}

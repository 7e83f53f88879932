//! Records for the tests: people encoded under the default schema, and what a linker says of them.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use encoding::{DEFAULT_PLACEHOLDERS, Encoder, LinkageKey, Placeholders};
use linkage::{DEFAULT_MODEL, Decided, Decision, Linker, Model, Policy, ReviewTask, Settlement};
use record::{DEFAULT_SCHEMA, EncodedRecord, RecordKey, RecordVersion, Schema};

pub static SCHEMA: LazyLock<Arc<Schema>> =
    LazyLock::new(|| Arc::new(Schema::parse(DEFAULT_SCHEMA).unwrap()));

pub static MODEL: LazyLock<Arc<Model>> =
    LazyLock::new(|| Arc::new(Model::from_toml(DEFAULT_MODEL, &SCHEMA).unwrap()));

static ENCODER: LazyLock<Encoder> = LazyLock::new(|| {
    let placeholders = Placeholders::parse(DEFAULT_PLACEHOLDERS).unwrap();
    Encoder::new(SCHEMA.clone(), &LinkageKey::from_random([7; 32], 1), &placeholders)
});

/// An identity record as text; empty parts are missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Person<'a> {
    pub first: &'a str,
    pub last: &'a str,
    pub born: &'a str,
    pub ssn: &'a str,
    pub sex: &'a str,
    pub street: &'a str,
    pub zip: &'a str,
}

impl Person<'_> {
    pub fn encode(&self) -> EncodedRecord {
        let value = |name: &str| match name {
            "first_name" => self.first,
            "last_name" => self.last,
            "date_of_birth" => self.born,
            "ssn" => self.ssn,
            "sex" => self.sex,
            "street_address" => self.street,
            "zip" => self.zip,
            _ => "",
        };
        let values: Vec<_> = SCHEMA
            .fields
            .iter()
            .map(|field| Some(value(&field.name)).filter(|text| !text.is_empty()))
            .collect();
        ENCODER.encode(&values).unwrap().record
    }
}

pub const ANA: Person<'_> = Person {
    first: "Ana",
    last: "Kowalczyk",
    born: "1984-07-23",
    ssn: "219-45-6714",
    sex: "F",
    street: "418 Larkspur Ave",
    zip: "98117",
};

pub const LUIS: Person<'_> = Person {
    first: "Luis",
    last: "Okonkwo",
    born: "1991-02-09",
    ssn: "534-21-8890",
    sex: "M",
    street: "77 Harbor Rd",
    zip: "98402",
};

pub fn key(text: &str) -> RecordKey {
    text.parse().unwrap()
}

pub fn linker() -> Linker {
    linker_with(Policy::default())
}

pub fn linker_with(policy: Policy) -> Linker {
    Linker::new(SCHEMA.clone(), MODEL.clone(), policy)
}

pub fn insert(linker: &mut Linker, name: &str, version: i64, person: &Person<'_>) {
    linker.insert(key(name), RecordVersion(version), person.encode());
}

/// Four hundred people, most with a second record that has one thing wrong.
pub fn population() -> Vec<(String, Person<'static>)> {
    const FIRST: [&str; 20] = [
        "Mary", "James", "Linda", "Robert", "Susan", "David", "Karen", "Daniel", "Nancy", "Paul",
        "Olga", "Steven", "Ruth", "Kevin", "Alice", "Brian", "Julia", "Frank", "Hannah", "Victor",
    ];
    const LAST: [&str; 20] = [
        "Garcia",
        "Nguyen",
        "Olsen",
        "Whitfield",
        "Baptiste",
        "Romero",
        "Jankowski",
        "Tanaka",
        "Murphy",
        "Abebe",
        "Lindqvist",
        "Moreno",
        "Chaudhry",
        "Petrov",
        "Holloway",
        "Kealoha",
        "Dubois",
        "Ferrari",
        "Osterman",
        "Yazzie",
    ];
    let text = |text: String| -> &'static str { text.leak() };
    let mut records = Vec::new();
    for n in 0..400_usize {
        let person = Person {
            first: FIRST[n * 7 % 20],
            last: LAST[n / 20],
            born: text(format!(
                "{}-{:02}-{:02}",
                1950 + n * 13 % 57,
                1 + n * 5 % 12,
                1 + n * 11 % 28
            )),
            ssn: text(format!("{:03}{:02}{:04}", 201 + n, 10 + n * 7 % 80, 1000 + n * 37)),
            sex: if n % 2 == 0 { "F" } else { "M" },
            street: text(format!("{} {} St", 100 + n * 17, LAST[n * 3 % 20])),
            zip: text(format!("{:05}", 98_000 + n * 31 % 600)),
        };
        let second = match n % 8 {
            0 => Person { first: FIRST[(n * 7 + 1) % 20], ..person },
            1 => Person { ssn: "", ..person },
            2 => Person { born: "1971-11-30", ..person },
            3 => Person { street: "1 Ferry Ln", zip: "97201", ..person },
            4 => Person { last: LAST[(n / 20 + 1) % 20], ..person },
            5 => continue,
            _ => person,
        };
        records.push((format!("college/{n}"), person));
        records.push((format!("wages/{n}"), second));
    }
    records
}

pub fn populated(records: &[(String, Person<'_>)]) -> Linker {
    let mut linker = linker();
    for (name, person) in records {
        insert(&mut linker, name, 1, person);
    }
    linker
}

/// Decides by the versions up to `seen`.
pub fn decide(linker: &mut Linker, pair: (&str, &str), decision: Decision, seen: (i64, i64)) {
    let seen = (RecordVersion(seen.0), RecordVersion(seen.1));
    linker.decide(&key(pair.0), &key(pair.1), Decided { decision, seen });
}

/// What stands after any number of settlements.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    pub groups: BTreeSet<Vec<RecordKey>>,
    pub tasks: BTreeMap<(Vec<RecordKey>, Vec<RecordKey>), ReviewTask>,
}

impl State {
    /// Puts a settlement in the place of what stood for its records.
    pub fn apply(&mut self, settlement: &Settlement) {
        let touched: BTreeSet<_> = settlement.records.iter().collect();
        let is_touched = |keys: &[RecordKey]| keys.iter().any(|key| touched.contains(key));
        self.groups.retain(|group| !is_touched(group));
        self.tasks.retain(|(left, right), _| !is_touched(left) && !is_touched(right));
        for group in &settlement.groups {
            assert!(self.groups.insert(group.clone()), "a group was given twice");
        }
        for task in &settlement.tasks {
            self.tasks.insert((task.left.clone(), task.right.clone()), task.clone());
        }
    }

    pub fn of(linker: &mut Linker) -> Self {
        let mut state = Self::default();
        state.apply(&linker.settle());
        state
    }

    pub fn together(&self, left: &str, right: &str) -> bool {
        let (left, right) = (key(left), key(right));
        self.groups.iter().any(|group| group.contains(&left) && group.contains(&right))
    }
}

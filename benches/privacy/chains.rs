//! Reading values that are in no population file from those of a few known people: whoever shares
//! the token of a part of a value shares that part, and chains of such tokens reach far.
//!
//! A value is divided into cells (the characters of an identifier; year, month and day of a date).
//! Equal tokens make cells of their values equal; a known value gives its cells to all that they
//! are equal to. Nothing is guessed, so that all that is read is right; who guesses reads more.

use std::sync::Arc;

use encoding::normalize;
use petgraph::unionfind::UnionFind;
use record::{BlockingToken, Derivation, EncodedRecord, Field, FieldKind, Schema, Token};
use rustc_hash::{FxHashMap, FxHashSet};
use synthetic::{PersonId, Settings, State};

use super::scene::{Keys, Row, recorded};

/// Digits of an SSN.
const DIGITS: usize = 9;

/// Which tokens of a part of a value the attacker finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// All that the schema says.
    All,
    /// No `withoutN` and `pairN`.
    NoNeighbors,
}

/// How many of the stored values of unknown people are read how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// Read in full.
    pub full: usize,
    /// At least one cell is read.
    pub in_part: usize,
    /// All there are.
    pub of: usize,
}

/// What the service stores of a made-up state, and whose it is.
pub struct Store {
    schema: Arc<Schema>,
    rows: Vec<Row>,
    records: Vec<EncodedRecord>,
}

/// A stored value: whose it is, and a number that equal values share.
struct Value<'a> {
    person: PersonId,
    number: usize,
    record: &'a EncodedRecord,
}

impl Store {
    /// The records that five agencies send of `people`, without filters: tokens are enough here.
    pub fn new(schema: &Schema, people: u32, seed: u64) -> Self {
        let mut schema = schema.clone();
        schema.fields.iter_mut().for_each(|field| field.filter = None);
        let schema = Arc::new(schema);
        let state = State::generate(&Settings { people, seed, ..Settings::default() });
        let rows = recorded(&schema, &state);
        Self::of(schema, rows)
    }

    fn of(schema: Arc<Schema>, rows: Vec<Row>) -> Self {
        let records = Keys::VICTIM.store(&schema, &rows);
        Self { schema, rows, records }
    }

    /// Reads the values of `field` for somebody who knows one stored value of each of `known`
    /// people, and which records are theirs.
    pub fn read(&self, field: usize, tokens: Tokens, known: usize) -> Reading {
        let Some(n_cells) = n_cells(self.schema.fields[field].kind) else {
            return Reading::default();
        };
        let values = self.values(field);
        let equal = self.equal_cells(field, tokens, &values, n_cells);
        let cells = |value: usize| (0..n_cells).map(move |cell| value * n_cells + cell);
        let mut acquaintances = FxHashSet::default();
        let mut is_known = FxHashSet::default();
        for Value { person, number, .. } in &values {
            if acquaintances.len() < known && acquaintances.insert(*person) {
                is_known.extend(cells(*number).map(|cell| equal.find(cell)));
            }
        }
        let mut reading = Reading::default();
        for value in values.iter().filter(|it| !acquaintances.contains(&it.person)) {
            let n_read =
                cells(value.number).filter(|cell| is_known.contains(&equal.find(*cell))).count();
            reading.of += 1;
            reading.full += usize::from(n_read == n_cells);
            reading.in_part += usize::from(n_read > 0);
        }
        reading
    }

    /// The stored values of `field` that fit it. Equal ones, by their exact token, have one number.
    fn values(&self, field: usize) -> Vec<Value<'_>> {
        let Field { kind, tokens, .. } = &self.schema.fields[field];
        let exact = tokens.iter().position(|token| *token == Derivation::Exact);
        let mut numbers = FxHashMap::default();
        let mut values = Vec::new();
        for (row, record) in self.rows.iter().zip(&self.records) {
            let normalized = row.values[field].as_ref().and_then(|raw| normalize(*kind, raw));
            let stored = record.fields[field].as_ref().zip(exact);
            let token = stored.and_then(|(stored, place)| stored.tokens[place]);
            if let Some(token) = token.filter(|_| normalized.is_some_and(|value| value.fits)) {
                let next = numbers.len();
                let number = *numbers.entry(token).or_insert(next);
                values.push(Value { person: row.person, number, record });
            }
        }
        values
    }

    /// Which cells of the values of `field` are equal, by the tokens that two of them share.
    fn equal_cells(
        &self,
        field: usize,
        tokens: Tokens,
        values: &[Value<'_>],
        n_cells: usize,
    ) -> UnionFind<usize> {
        let n_values = values.iter().map(|value| value.number + 1).max().unwrap_or(0);
        let mut equal = UnionFind::new(n_values * n_cells);
        let mut join = |derivation: Derivation, found: &dyn Fn(&Value<'_>) -> Vec<Token>| {
            let mut first = FxHashMap::default();
            for value in values {
                for token in found(value) {
                    let other = *first.entry(token).or_insert(value.number);
                    if other != value.number {
                        for (here, there) in shared(derivation, n_cells) {
                            equal.union(value.number * n_cells + here, other * n_cells + there);
                        }
                    }
                }
            }
        };
        for (place, derivation) in self.schema.fields[field].tokens.iter().enumerate() {
            let is_neighbor = matches!(derivation, Derivation::Without(_) | Derivation::Pair(_));
            if tokens == Tokens::NoNeighbors && is_neighbor {
                continue;
            }
            join(*derivation, &|value| {
                let stored = value.record.fields[field].as_ref();
                stored.and_then(|stored| stored.tokens[place]).into_iter().collect()
            });
        }
        for (number, key) in self.schema.blocking.iter().enumerate() {
            for part in key.parts.iter().filter(|part| part.field == field) {
                join(part.derivation, &|value| {
                    let of_key = |it: &&BlockingToken| usize::from(it.key) == number;
                    let tokens = value.record.blocking.iter().filter(of_key);
                    tokens.map(|it| it.token).collect()
                });
            }
        }
        equal
    }
}

/// `schema` with its tokens bound to nothing.
pub fn unbound(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    schema.fields.iter_mut().for_each(|field| field.bound_to.clear());
    schema
}

/// The cells of a value, where its kind is read.
fn n_cells(kind: FieldKind) -> Option<usize> {
    match kind {
        FieldKind::Identifier => Some(DIGITS),
        FieldKind::Date => Some(3),
        _ => None,
    }
}

/// The cells of a value that equal those of another value with the same token of a derivation.
fn shared(derivation: Derivation, n_cells: usize) -> Vec<(usize, usize)> {
    let same = |is_same: &dyn Fn(usize) -> bool| {
        (0..n_cells).filter(|cell| is_same(*cell)).map(|cell| (cell, cell)).collect()
    };
    match derivation {
        Derivation::Prefix(n) => same(&|cell| cell < usize::from(n)),
        Derivation::Last(n) => same(&|cell| cell + usize::from(n) >= n_cells),
        Derivation::Without(n) => same(&|cell| cell + 1 != usize::from(n)),
        Derivation::Pair(n) => {
            // Two distinct values: the one has the two characters in the other order.
            let (first, second) = (usize::from(n) - 1, usize::from(n));
            let mut cells: Vec<_> = same(&|cell| cell != first && cell != second);
            cells.extend([(first, second), (second, first)]);
            cells
        }
        Derivation::Year => same(&|cell| cell == 0),
        Derivation::YearMonth => same(&|cell| cell < 2),
        Derivation::MonthDay => same(&|cell| cell > 0),
        Derivation::YearDay => same(&|cell| cell != 1),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    /// Reads the values of `field` of people called A B unless a name is given, the first known.
    fn read(schema: &Schema, field: &str, tokens: Tokens, values: &[(&str, &str)]) -> Reading {
        let row = |(person, (value, first_name)): (u32, &(&str, &str))| {
            let mut values = vec![None; schema.fields.len()];
            for (name, value) in [(field, *value), ("first_name", *first_name), ("last_name", "B")]
            {
                values[schema.field_index(name).unwrap()] = Some(value.to_owned());
            }
            Row { person: PersonId(person), values }
        };
        let rows = (0..).zip(values).map(row).collect();
        let store = Store::of(Arc::new(schema.clone()), rows);
        store.read(schema.field_index(field).unwrap(), tokens, 1)
    }

    const NUMBERS: [(&str, &str); 5] = [
        ("219-09-1234", "A"),
        ("219-09-1243", "C"), // transposed: read in full
        ("219-09-5234", "D"), // a digit off: eight digits are read
        ("319-09-5234", "E"), // a digit off the last one: seven
        ("501-22-7788", "F"), // a stranger: nothing
    ];

    #[test]
    fn neighbors_of_a_known_number_are_read_and_neighbors_of_these() {
        let read_all = Reading { full: 1, in_part: 3, of: 4 };
        assert_eq!(read(&unbound(&schema()), "ssn", Tokens::All, &NUMBERS), read_all);
        let same_name = NUMBERS.map(|(number, _)| (number, "A"));
        assert_eq!(read(&schema(), "ssn", Tokens::All, &same_name), read_all);
    }

    #[test]
    fn without_tokens_of_neighbors_or_with_other_initials_nothing_is_read() {
        let read_nothing = Reading { full: 0, in_part: 0, of: 4 };
        assert_eq!(read(&schema(), "ssn", Tokens::All, &NUMBERS), read_nothing);
        let reading = read(&unbound(&schema()), "ssn", Tokens::NoNeighbors, &NUMBERS);
        assert_eq!(reading, read_nothing);
    }

    #[test]
    fn a_date_is_read_from_the_parts_that_others_share() {
        let read = |dates: &[_]| read(&schema(), "date_of_birth", Tokens::All, dates);
        let dates = ["1980-03-05", "1980-03-07", "1980-11-07", "1980-11-05", "1971-12-30"]
            .map(|it| (it, "A"));
        // The fourth shares year and day with the first, year and month with the third.
        assert_eq!(read(&dates), Reading { full: 0, in_part: 3, of: 4 });
        let chained = [dates.as_slice(), &[("1962-03-07", "A")]].concat();
        assert_eq!(read(&chained), Reading { full: 0, in_part: 4, of: 5 });
    }
}

//! The distinct encodings of one field, held in columns and counted.

use hashbrown::HashTable;
use record::{Derivation, EncodedField, Field, Token};

/// A distinct encoding of one field, by its place in the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ValueId(u32);

impl ValueId {
    /// No value: place 0 of every column is empty.
    pub(crate) const MISSING: Self = Self(0);

    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// A derived token that a value does not have. No keyed hash is expected to be 0.
const NO_TOKEN: u64 = 0;

/// The distinct encodings of one field. Equal encodings share one place.
pub(crate) struct FieldValues {
    words: usize,
    n_tokens: usize,
    exact_token: Option<usize>,
    filters: Vec<u64>,
    tokens: Vec<u64>,
    fingerprints: Vec<u64>,
    ones: Vec<u32>,
    inverse_deviations: Vec<f32>,
    counts: Vec<u32>,
    table: HashTable<u32>,
    free: Vec<u32>,
}

impl FieldValues {
    pub(crate) fn new(field: &Field) -> Self {
        let words = field.filter.as_ref().map_or(0, |shape| shape.words());
        let n_tokens = field.tokens.len();
        Self {
            words,
            n_tokens,
            exact_token: field.tokens.iter().position(|token| *token == Derivation::Exact),
            filters: vec![0; words],
            tokens: vec![NO_TOKEN; n_tokens],
            fingerprints: vec![0],
            ones: vec![0],
            inverse_deviations: vec![0.0],
            counts: vec![0],
            table: HashTable::new(),
            free: Vec::new(),
        }
    }

    /// The place of an encoding, counted once more.
    pub(crate) fn intern(&mut self, encoded: &EncodedField) -> ValueId {
        let filter = encoded.filter.as_ref().map_or(&[][..], |filter| &filter.0);
        let tokens: Vec<u64> =
            encoded.tokens.iter().map(|token| token.map_or(NO_TOKEN, |Token(t)| t)).collect();
        let fingerprint = self.fingerprint_of(filter, &tokens);
        let found = self
            .table
            .find(fingerprint, |&place| {
                let place = place as usize;
                self.fingerprints[place] == fingerprint
                    && self.filter(ValueId(place as u32)) == filter
                    && self.tokens[place * self.n_tokens..][..self.n_tokens] == tokens[..]
            })
            .copied();
        let place = found.unwrap_or_else(|| self.add(filter, &tokens, fingerprint));
        self.counts[place as usize] += 1;
        ValueId(place)
    }

    fn add(&mut self, filter: &[u64], tokens: &[u64], fingerprint: u64) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            let place = u32::try_from(self.counts.len()).expect("fewer than 2^32 distinct values");
            self.filters.resize(self.filters.len() + self.words, 0);
            self.tokens.resize(self.tokens.len() + self.n_tokens, NO_TOKEN);
            self.fingerprints.push(0);
            self.ones.push(0);
            self.inverse_deviations.push(0.0);
            self.counts.push(0);
            place
        });
        let at = place as usize;
        self.filters[at * self.words..][..self.words].copy_from_slice(filter);
        self.tokens[at * self.n_tokens..][..self.n_tokens].copy_from_slice(tokens);
        self.fingerprints[at] = fingerprint;
        let ones = filter.iter().map(|word| word.count_ones()).sum::<u32>();
        let variance = f64::from(ones) * (self.words as f64 * 64.0 - f64::from(ones));
        self.ones[at] = ones;
        self.inverse_deviations[at] =
            if variance > 0.0 { variance.sqrt().recip() as f32 } else { 0.0 };
        let Self { table, fingerprints, .. } = self;
        table.insert_unique(fingerprint, place, |&place| fingerprints[place as usize]);
        place
    }

    /// Counts an encoding once less and wipes it when none is left.
    pub(crate) fn release(&mut self, value: ValueId) {
        let at = value.place();
        self.counts[at] -= 1;
        if self.counts[at] > 0 {
            return;
        }
        let entry = self.table.find_entry(self.fingerprints[at], |&place| place == value.0);
        entry.expect("a counted value is in the table").remove();
        self.filters[at * self.words..][..self.words].fill(0);
        self.tokens[at * self.n_tokens..][..self.n_tokens].fill(NO_TOKEN);
        self.fingerprints[at] = 0;
        self.free.push(value.0);
    }

    /// A 64-bit fingerprint of what equality looks at: the filter, or else the exact token.
    fn fingerprint_of(&self, filter: &[u64], tokens: &[u64]) -> u64 {
        match self.exact_token {
            Some(token) if filter.is_empty() => fingerprint(&tokens[token..=token]),
            _ => fingerprint(filter),
        }
    }

    /// The fingerprint of a value, the same wherever and whenever the value is seen.
    pub(crate) fn fingerprint(&self, value: ValueId) -> u64 {
        self.fingerprints[value.place()]
    }

    fn filter(&self, value: ValueId) -> &[u64] {
        &self.filters[value.place() * self.words..][..self.words]
    }

    /// The derived token at `place` of the schema's list, if the value has it.
    pub(crate) fn token(&self, value: ValueId, place: usize) -> Option<u64> {
        let token = self.tokens[value.place() * self.n_tokens + place];
        (token != NO_TOKEN).then_some(token)
    }

    /// Correlation (phi coefficient) of the filters of `left` here and `right` in `other`.
    pub(crate) fn correlation(&self, left: ValueId, other: &Self, right: ValueId) -> f32 {
        let both: u32 = self
            .filter(left)
            .iter()
            .zip(other.filter(right))
            .map(|(l, r)| (l & r).count_ones())
            .sum();
        let n_bits = self.words as i64 * 64;
        let ones = i64::from(self.ones[left.place()]) * i64::from(other.ones[right.place()]);
        let covariance = n_bits * i64::from(both) - ones;
        let scale = self.inverse_deviations[left.place()] * other.inverse_deviations[right.place()];
        covariance as f32 * scale
    }

    /// Number of places, of removed values too; ids are below it.
    pub(crate) fn n_places(&self) -> usize {
        self.counts.len()
    }

    /// Every present value with the number of nodes that hold it, in no meaningful order.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (ValueId, u32)> + '_ {
        let places = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        places.map(|(place, count)| (ValueId(place as u32), *count))
    }
}

/// A fixed 64-bit mix of words (folded 128-bit products): stable, since snapshots store it.
fn fingerprint(words: &[u64]) -> u64 {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    for word in words {
        let product = u128::from(state ^ word) * u128::from(0xA076_1D64_78BD_642F_u64);
        state = (product as u64 ^ (product >> 64) as u64).rotate_left(23).wrapping_add(*word);
    }
    state.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ state >> 32
}

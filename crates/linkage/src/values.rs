//! The distinct encodings of one field, side by side in memory and counted.

use hashbrown::HashTable;
use record::{Derivation, EncodedField, Field, Token};

/// A distinct encoding of one field, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ValueId(u32);

impl ValueId {
    /// No value: place 0 is empty.
    pub(crate) const MISSING: Self = Self(0);

    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// A derived token that a value does not have. No keyed hash is expected to be 0.
const NO_TOKEN: u64 = 0;

/// Words of a value in front of its filter and tokens: its fingerprint and its spread.
const N_HEAD_WORDS: usize = 2;

/// The distinct encodings of one field. Equal encodings share one place.
pub(crate) struct FieldValues {
    n_filter_words: usize,
    n_tokens: usize,
    exact_token: Option<usize>,
    /// Per value: its fingerprint, its [`Spread`], its filter and its tokens, so that all that a
    /// comparison reads of a value stands together.
    words: Vec<u64>,
    counts: Vec<u32>,
    table: HashTable<u32>,
    free: Vec<u32>,
}

/// What the correlation needs to know of a filter beside its bits.
#[derive(Clone, Copy)]
struct Spread {
    n_ones: u32,
    /// The inverse of its standard deviation; 0 where all bits are equal.
    inverse_deviation: f32,
}

impl Spread {
    fn of(filter: &[u64]) -> Self {
        let n_ones = filter.iter().map(|word| word.count_ones()).sum::<u32>();
        let variance = f64::from(n_ones) * (filter.len() as f64 * 64.0 - f64::from(n_ones));
        let inverse_deviation = if variance > 0.0 { variance.sqrt().recip() as f32 } else { 0.0 };
        Self { n_ones, inverse_deviation }
    }

    fn to_word(self) -> u64 {
        u64::from(self.n_ones) << 32 | u64::from(self.inverse_deviation.to_bits())
    }

    fn from_word(word: u64) -> Self {
        let n_ones = (word >> 32) as u32;
        Self { n_ones, inverse_deviation: f32::from_bits(word as u32) }
    }
}

impl FieldValues {
    pub(crate) fn new(field: &Field) -> Self {
        let n_filter_words = field.filter.as_ref().map_or(0, |shape| shape.words());
        let n_tokens = field.tokens.len();
        Self {
            n_filter_words,
            n_tokens,
            exact_token: field.tokens.iter().position(|token| *token == Derivation::Exact),
            words: vec![0; N_HEAD_WORDS + n_filter_words + n_tokens],
            counts: vec![0],
            table: HashTable::new(),
            free: Vec::new(),
        }
    }

    /// The place of an encoding, counted once more.
    pub(crate) fn intern(&mut self, encoded: &EncodedField) -> ValueId {
        let filter = encoded.filter.as_ref().map_or(&[][..], |filter| &filter.0);
        let fingerprint = self.fingerprint_of(filter, &encoded.tokens);
        let is_same = |place: &u32| {
            let value = ValueId(*place);
            self.fingerprint(value) == fingerprint
                && self.filter(value) == filter
                && self.tokens(value).iter().copied().eq(encoded.tokens.iter().map(word))
        };
        let found = self.table.find(fingerprint, is_same).copied();
        let place = found.unwrap_or_else(|| self.add(filter, &encoded.tokens, fingerprint));
        self.counts[place as usize] += 1;
        ValueId(place)
    }

    fn add(&mut self, filter: &[u64], tokens: &[Option<Token>], fingerprint: u64) -> u32 {
        let n_words = self.n_words();
        let place = self.free.pop().unwrap_or_else(|| {
            let place = u32::try_from(self.counts.len()).expect("fewer than 2^32 distinct values");
            self.words.resize(self.words.len() + n_words, 0);
            self.counts.push(0);
            place
        });
        let words = &mut self.words[place as usize * n_words..][..n_words];
        words[0] = fingerprint;
        words[1] = Spread::of(filter).to_word();
        let (filter_words, token_words) = words[N_HEAD_WORDS..].split_at_mut(filter.len());
        filter_words.copy_from_slice(filter);
        token_words.iter_mut().zip(tokens).for_each(|(place, token)| *place = word(token));
        let Self { table, words, .. } = self;
        table.insert_unique(fingerprint, place, |&place| words[place as usize * n_words]);
        place
    }

    /// Counts an encoding once less and wipes it when none is left.
    pub(crate) fn release(&mut self, value: ValueId) {
        let at = value.place();
        self.counts[at] -= 1;
        if self.counts[at] > 0 {
            return;
        }
        let entry = self.table.find_entry(self.fingerprint(value), |&place| place == value.0);
        entry.expect("a counted value is in the table").remove();
        let n_words = self.n_words();
        self.words[at * n_words..][..n_words].fill(0);
        self.free.push(value.0);
    }

    /// A 64-bit fingerprint of what equality looks at: the filter, or else the exact token.
    fn fingerprint_of(&self, filter: &[u64], tokens: &[Option<Token>]) -> u64 {
        match self.exact_token {
            Some(place) if filter.is_empty() => fingerprint(&[word(&tokens[place])]),
            _ => fingerprint(filter),
        }
    }

    /// Words of one value.
    fn n_words(&self) -> usize {
        N_HEAD_WORDS + self.n_filter_words + self.n_tokens
    }

    fn words(&self, value: ValueId) -> &[u64] {
        let n_words = self.n_words();
        &self.words[value.place() * n_words..][..n_words]
    }

    /// The fingerprint of a value, the same wherever and whenever the value is seen.
    pub(crate) fn fingerprint(&self, value: ValueId) -> u64 {
        self.words(value)[0]
    }

    fn filter(&self, value: ValueId) -> &[u64] {
        &self.words(value)[N_HEAD_WORDS..][..self.n_filter_words]
    }

    fn tokens(&self, value: ValueId) -> &[u64] {
        &self.words(value)[N_HEAD_WORDS + self.n_filter_words..]
    }

    /// The derived token at `place` of the schema's list, if the value has it.
    pub(crate) fn token(&self, value: ValueId, place: usize) -> Option<u64> {
        let token = self.tokens(value)[place];
        (token != NO_TOKEN).then_some(token)
    }

    /// Correlation (phi coefficient) of the filters of `left` here and `right` in `other`.
    pub(crate) fn correlation(&self, left: ValueId, other: &Self, right: ValueId) -> f32 {
        let (l, r) = (self.filter(left), other.filter(right));
        let n_both: u32 = l.iter().zip(r).map(|(l, r)| (l & r).count_ones()).sum();
        let n_bits = self.n_filter_words as i64 * 64;
        let [l, r] = [self.words(left)[1], other.words(right)[1]].map(Spread::from_word);
        let covariance = n_bits * i64::from(n_both) - i64::from(l.n_ones) * i64::from(r.n_ones);
        covariance as f32 * (l.inverse_deviation * r.inverse_deviation)
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

fn word(token: &Option<Token>) -> u64 {
    token.map_or(NO_TOKEN, |Token(token)| token)
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

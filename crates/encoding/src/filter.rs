//! Bloom filters over the grams of a text, with a diffusion layer.
//!
//! A text is cut into overlapping grams; each gram sets `hashes` input bits, drawn independently
//! by HMAC-SHA256 (no double hashing: Kroll and Steinmetzer 2015 break it). Each output bit is the
//! XOR of `diffusion` input bits (Armknecht, Heng and Schnell, PoPETs 2023(2), 298-311), which
//! hides which bits belong to one gram. The correlation of the outputs of two texts whose grams
//! differ in D places is about `exp(-2 * diffusion * hashes * D / bits)`.

use hmac::{Hmac, Mac};
use record::{Filter, FilterShape};
use sha2::Sha256;

/// Stands before and after a text; no normalized value but an email address can contain it.
const PAD: char = '_';

/// Output words that are summed at once: 512 bits, so that they stay in registers.
const LANES: usize = 8;

/// Words of the longest filter a schema allows.
const MAX_WORDS: usize = 64;

/// Characters of the longest gram a schema allows.
const MAX_GRAM: usize = 4;

/// Symbols of the grams whose bits are computed beforehand: pad, letters, digits, space.
const ALPHABET: usize = 38;

/// Places in a text whose positional grams are computed beforehand.
const TABLE_PLACES: usize = 16;

/// Most grams that are computed beforehand; longer grams are hashed when they are met.
const MAX_TABLE_ROWS: usize = 1 << 15;

/// Makes the filters of one field.
pub(crate) struct FilterEncoder {
    shape: FilterShape,
    gram_key: Hmac<Sha256>,
    /// `hashes` bit positions for each gram of the alphabet (and place); empty if too many.
    table: Vec<u16>,
    /// For lane block `b` and input bit `i`, at `b * bits + i`: the output bits that `i` feeds.
    columns: Vec<[u64; LANES]>,
}

impl FilterEncoder {
    /// A filter encoder of `shape` under the keys of its grams and of its diffusion.
    pub(crate) fn new(
        shape: FilterShape,
        gram_key: Hmac<Sha256>,
        diffusion_key: &Hmac<Sha256>,
    ) -> Self {
        let columns = diffusion_columns(&shape, diffusion_key);
        let mut encoder = Self { shape, gram_key, table: Vec::new(), columns };
        encoder.table = encoder.position_table();
        encoder
    }

    /// The filter of `text`.
    pub(crate) fn encode(&self, text: &str) -> Filter {
        let mut input = [0_u64; MAX_WORDS];
        let mut set = |position: u16| input[usize::from(position) / 64] |= 1 << (position % 64);
        for_each_gram(text, usize::from(self.shape.grams), |index, gram| {
            let place = if self.shape.positional { index + 1 } else { 0 };
            match self.table_row(place, gram) {
                Some(row) => row.iter().copied().for_each(&mut set),
                None => self.gram_positions(place, gram).for_each(&mut set),
            }
        });
        self.diffuse(&input)
    }

    fn diffuse(&self, input: &[u64; MAX_WORDS]) -> Filter {
        let n_words = self.shape.words();
        let n_bits = n_words * 64;
        let mut output = Vec::with_capacity(n_words.next_multiple_of(LANES));
        for columns in self.columns.chunks_exact(n_bits) {
            let mut sum = [0_u64; LANES];
            for (word, columns) in input.iter().zip(columns.chunks_exact(64)) {
                let mut rest = *word;
                while rest != 0 {
                    let column = &columns[rest.trailing_zeros() as usize];
                    sum.iter_mut().zip(column).for_each(|(sum, bits)| *sum ^= bits);
                    rest &= rest - 1;
                }
            }
            output.extend_from_slice(&sum);
        }
        output.truncate(n_words);
        Filter(output.into())
    }

    /// The input bits of one gram: 32-bit words of HMAC-SHA256 over block number, place and gram,
    /// each scaled to the length of the filter.
    fn gram_positions(&self, place: usize, gram: &[char]) -> impl Iterator<Item = u16> {
        let place = u8::try_from(place).unwrap_or(u8::MAX);
        let gram: String = gram.iter().collect();
        let bits = self.shape.bits;
        let key = &self.gram_key;
        (0..=u8::MAX)
            .flat_map(move |block| {
                let mut mac = key.clone();
                mac.update(&[block, place]);
                mac.update(gram.as_bytes());
                words(&mac.finalize().into_bytes().into())
            })
            .map(move |word| scale(word, bits) as u16)
            .take(usize::from(self.shape.hashes))
    }

    /// The bits of every gram over the alphabet, so that common values need no hashing.
    fn position_table(&self) -> Vec<u16> {
        let n_grams = ALPHABET.pow(u32::from(self.shape.grams));
        let places = if self.shape.positional { 1..=TABLE_PLACES } else { 0..=0 };
        let n_rows = n_grams * places.clone().count();
        if n_rows > MAX_TABLE_ROWS {
            return Vec::new();
        }
        let mut table = Vec::with_capacity(n_rows * usize::from(self.shape.hashes));
        for place in places {
            for number in 0..n_grams {
                let gram = gram_of_number(number, self.shape.grams);
                table.extend(self.gram_positions(place, &gram));
            }
        }
        table
    }

    fn table_row(&self, place: usize, gram: &[char]) -> Option<&[u16]> {
        if self.table.is_empty() || place > TABLE_PLACES {
            return None;
        }
        let mut number = place.saturating_sub(1);
        for c in gram {
            number = number * ALPHABET + symbol_number(*c)?;
        }
        let n_hashes = usize::from(self.shape.hashes);
        self.table.get(number * n_hashes..(number + 1) * n_hashes)
    }
}

/// Calls `found` with each gram of `n_chars` characters of `text`, which has `n_chars - 1` pads on
/// either side, and with its number in the row.
fn for_each_gram(text: &str, n_chars: usize, mut found: impl FnMut(usize, &[char])) {
    let mut last_chars = [PAD; MAX_GRAM];
    let chars = text.chars().chain(std::iter::repeat_n(PAD, n_chars - 1));
    for (index, c) in chars.enumerate() {
        last_chars.rotate_left(1);
        last_chars[MAX_GRAM - 1] = c;
        found(index, &last_chars[MAX_GRAM - n_chars..]);
    }
}

fn symbol_number(c: char) -> Option<usize> {
    Some(match c {
        PAD => 0,
        'a'..='z' => 1 + c as usize - 'a' as usize,
        '0'..='9' => 27 + c as usize - '0' as usize,
        ' ' => 37,
        _ => return None,
    })
}

fn gram_of_number(number: usize, grams: u8) -> Vec<char> {
    const SYMBOLS: &[u8; ALPHABET] = b"_abcdefghijklmnopqrstuvwxyz0123456789 ";
    let digit = |place| number / ALPHABET.pow(place) % ALPHABET;
    (0..u32::from(grams)).rev().map(|place| char::from(SYMBOLS[digit(place)])).collect()
}

/// For each input bit the output bits that it feeds. Input bits are dealt to the output bits from
/// a keyed shuffle, `diffusion` at a time, and shuffled anew when too few are left.
fn diffusion_columns(shape: &FilterShape, key: &Hmac<Sha256>) -> Vec<[u64; LANES]> {
    let n_bits = shape.words() * 64;
    let n_taps = usize::from(shape.diffusion);
    let mut columns = vec![[0; LANES]; n_bits * shape.words().div_ceil(LANES)];
    let mut random = keyed_words(key);
    let mut deck: Vec<usize> = Vec::new();
    for output in 0..n_bits {
        if deck.len() < n_taps {
            deck = (0..n_bits).collect();
            for last in (1..n_bits).rev() {
                let word = random.next().expect("the stream of keyed words does not end");
                deck.swap(last, scale(word, last as u32 + 1) as usize);
            }
        }
        let (block, lane) = (output / 64 / LANES, output / 64 % LANES);
        for input in deck.drain(deck.len() - n_taps..) {
            columns[block * n_bits + input][lane] |= 1 << (output % 64);
        }
    }
    columns
}

/// An endless stream of words: HMAC-SHA256 over a 32-bit counter.
fn keyed_words(key: &Hmac<Sha256>) -> impl Iterator<Item = u32> {
    (0_u32..).flat_map(move |counter| {
        let mut mac = key.clone();
        mac.update(&counter.to_le_bytes());
        words(&mac.finalize().into_bytes().into())
    })
}

/// The eight little-endian words of a digest.
fn words(digest: &[u8; 32]) -> [u32; 8] {
    let (chunks, _) = digest.as_chunks::<4>();
    std::array::from_fn(|i| u32::from_le_bytes(chunks[i]))
}

/// A word as an even choice of `0..n`: the upper half of their product.
fn scale(word: u32, n: u32) -> u32 {
    ((u64::from(word) * u64::from(n)) >> 32) as u32
}

#[cfg(test)]
mod tests;

//! The service's own key over what it stores: tokens are hashed again and filters are permuted
//! before anything reaches the disk, so that a stolen database cannot be joined by token to an
//! agency's file.

use std::{fs, io, path::Path};

use hmac::{Hmac, KeyInit, Mac};
use record::{EncodedRecord, Schema, Token};
use sha2::Sha256;
use store::HandleKey;

type HmacSha256 = Hmac<Sha256>;

/// The secret that re-keys every stored encoding; kept in a file of its own, never in the database.
pub struct Pepper {
    /// Under which records stand where their names are erased.
    handles: HandleKey,
    tokens: HmacSha256,
    /// For each field the first field of its exchange group: what must stay comparable is
    /// re-keyed alike.
    labels: Vec<usize>,
    /// For each field with a filter, where each bit of the agency's filter goes.
    permutations: Vec<Option<Vec<u16>>>,
}

impl Pepper {
    /// Length of the pepper file in bytes.
    pub const LENGTH: usize = 32;

    /// Reads the pepper file, or makes one with owner-only permissions where there is none.
    ///
    /// # Errors
    /// The file cannot be read or written, or is not [`Pepper::LENGTH`] bytes long.
    pub fn open(path: &Path, schema: &Schema) -> io::Result<Self> {
        let secret = match fs::read(path) {
            Ok(bytes) => bytes.try_into().map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidData, "the pepper file is not 32 bytes long")
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut secret = [0; Self::LENGTH];
                getrandom::fill(&mut secret).map_err(io::Error::other)?;
                crate::files::write_private(path, &secret)?;
                secret
            }
            Err(error) => return Err(error),
        };
        Ok(Self::new(&secret, schema))
    }

    /// Derives the token key and one permutation per field.
    pub fn new(secret: &[u8; Self::LENGTH], schema: &Schema) -> Self {
        let labels: Vec<usize> = (0..schema.fields.len())
            .map(|place| {
                let group = &schema.fields[place].exchange;
                let first = schema.fields.iter().position(|field| field.exchange == *group);
                if group.is_some() { first.unwrap_or(place) } else { place }
            })
            .collect();
        let permutations = schema
            .fields
            .iter()
            .zip(&labels)
            .map(|(field, label)| {
                let name = &schema.fields[*label].name;
                field.filter.as_ref().map(|shape| permutation(secret, name, shape.bits))
            })
            .collect();
        let handles = HandleKey::new(&derived(secret, b"handles"));
        Self { handles, tokens: keyed(secret, b"tokens"), labels, permutations }
    }

    /// The key of the handles of records.
    pub fn handles(&self) -> &HandleKey {
        &self.handles
    }

    /// Tells this pepper from any other, and nothing else of it.
    pub fn check_value(&self) -> [u8; 16] {
        let mut mac = self.tokens.clone();
        mac.update(b"check value");
        let mut value = [0; 16];
        value.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        value
    }

    /// Re-keys a record that has passed [`EncodedRecord::check`]. Equal encodings stay equal and
    /// the similarity of two filters stays what it was.
    pub fn apply(&self, mut record: EncodedRecord) -> EncodedRecord {
        for (place, field) in record.fields.iter_mut().enumerate() {
            let Some(field) = field else { continue };
            if let (Some(filter), Some(moves)) = (&mut field.filter, &self.permutations[place]) {
                filter.0 = permute(&filter.0, moves);
            }
            // All tokens of one field share a label: a date must stay comparable with its
            // swapped form.
            for token in field.tokens.iter_mut().flatten() {
                *token = self.rekey(b'f', self.labels[place], *token);
            }
        }
        for token in &mut record.blocking {
            token.token = self.rekey(b'b', usize::from(token.key), token.token);
        }
        record.blocking.sort_unstable();
        record
    }

    fn rekey(&self, use_of: u8, place: usize, token: Token) -> Token {
        let mut mac = self.tokens.clone();
        mac.update(&[use_of, place as u8]);
        mac.update(&token.0.to_le_bytes());
        Token(first_u64(&mac.finalize().into_bytes()))
    }
}

fn keyed(secret: &[u8], label: &[u8]) -> HmacSha256 {
    let key = derived(secret, label);
    HmacSha256::new_from_slice(&key).expect("HMAC takes keys of any length")
}

fn derived(secret: &[u8], label: &[u8]) -> [u8; 32] {
    let mut mac = HmacSha256::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(label);
    mac.finalize().into_bytes().into()
}

/// A keyed shuffle of `0..bits`: positions sorted by their HMAC.
fn permutation(secret: &[u8], field: &str, bits: u32) -> Vec<u16> {
    let mac = keyed(secret, format!("filter {field}").as_bytes());
    let mut order: Vec<(u64, u16)> = (0..bits as u16)
        .map(|bit| {
            let mut mac = mac.clone();
            mac.update(&bit.to_le_bytes());
            (first_u64(&mac.finalize().into_bytes()), bit)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, bit)| bit).collect()
}

fn permute(words: &[u64], moves: &[u16]) -> Box<[u64]> {
    let mut moved = vec![0u64; words.len()].into_boxed_slice();
    for (word, mut bits) in words.iter().copied().enumerate() {
        while bits != 0 {
            let from = word * 64 + bits.trailing_zeros() as usize;
            let to = usize::from(moves[from]);
            moved[to / 64] |= 1 << (to % 64);
            bits &= bits - 1;
        }
    }
    moved
}

fn first_u64(bytes: &[u8]) -> u64 {
    let head = bytes.first_chunk().expect("an HMAC-SHA-256 has 32 bytes");
    u64::from_le_bytes(*head)
}

#[cfg(test)]
mod tests {
    use record::{BlockingToken, EncodedField, Filter};

    use super::*;

    fn schema() -> Schema {
        Schema::parse(
            r#"
            schema = "test"
            version = 1
            [[field]]
            name = "name"
            kind = "name"
            exchange = "names"
            tokens = ["initial"]
            filter = { bits = 128, grams = 2, hashes = 4, diffusion = 2 }
            [[field]]
            name = "other_name"
            kind = "name"
            exchange = "names"
            tokens = ["initial"]
            filter = { bits = 128, grams = 2, hashes = 4, diffusion = 2 }
            [[blocking]]
            name = "name"
            parts = ["name:exact"]
            "#,
        )
        .unwrap()
    }

    fn record(words: [u64; 2], token: u64) -> EncodedRecord {
        let filter = Some(Filter(words.into()));
        let field = EncodedField { filter, tokens: vec![Some(Token(token))] };
        EncodedRecord {
            fields: vec![Some(field.clone()), Some(field)],
            blocking: vec![BlockingToken { key: 0, token: Token(token) }],
        }
    }

    fn words(record: &EncodedRecord) -> &[u64] {
        &record.fields[0].as_ref().unwrap().filter.as_ref().unwrap().0
    }

    #[test]
    fn similarity_and_equality_survive_and_values_do_not() {
        let pepper = Pepper::new(&[7; 32], &schema());
        let (a, b) = (record([0xF0F0, 3], 1), record([0xFF00, 9], 1));
        let (pa, pb) = (pepper.apply(a.clone()), pepper.apply(b.clone()));
        let common = |x: &[u64], y: &[u64]| -> u32 {
            x.iter().zip(y).map(|(x, y)| (x & y).count_ones()).sum()
        };
        assert_eq!(common(words(&a), words(&b)), common(words(&pa), words(&pb)));
        assert_eq!(pa.blocking, pb.blocking);
        assert_ne!(pa, a);
        assert_ne!(pa, Pepper::new(&[8; 32], &schema()).apply(a));
    }

    #[test]
    fn the_fields_of_an_exchange_group_stay_comparable() {
        let peppered = Pepper::new(&[7; 32], &schema()).apply(record([0xF0F0, 3], 1));
        assert_eq!(peppered.fields[0], peppered.fields[1]);
    }

    #[test]
    fn a_pepper_file_is_made_once_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pepper.key");
        let made = Pepper::open(&path, &schema()).unwrap().apply(record([5, 6], 7));
        let read = Pepper::open(&path, &schema()).unwrap().apply(record([5, 6], 7));
        assert_eq!(made, read);
        fs::write(&path, b"short").unwrap();
        assert!(Pepper::open(&path, &schema()).is_err());
    }
}

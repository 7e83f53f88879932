//! The encoded record: what leaves an agency and what the linkage side compares.
//!
//! [`EncodedRecord::to_bytes`] is the layout of a stored record. It is fixed by the schema, so it
//! carries no names and no lengths: a presence bit per field and per derived token, then the
//! present filters and tokens in schema order, then the blocking tokens.

use std::fmt;

use crate::schema::Schema;

/// A keyed hash of one value or of a combination of values, cut to 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub u64);

/// A diffused Bloom filter of one field: as many 64-bit words as the field's shape says.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Filter(pub Box<[u64]>);

/// One present field: a filter where the schema gives the field one, and its derived tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedField {
    /// Present exactly when the schema's field has a filter.
    pub filter: Option<Filter>,
    /// One place per derivation in the schema's `tokens`, in that order; `None` where the value
    /// has no such part (the initial of a name always exists, a swapped date may not).
    pub tokens: Vec<Option<Token>>,
}

/// A token over a combination of fields: records that share one become candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockingToken {
    /// The place of the blocking key in the schema, from 0.
    pub key: u8,
    /// The keyed hash of the combination.
    pub token: Token,
}

/// A record as the linkage side sees it. A missing field is `None`, never an encoded empty value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedRecord {
    /// One place per field of the schema, in schema order.
    pub fields: Vec<Option<EncodedField>>,
    /// Sorted, without repeats. A key may give several tokens or none.
    pub blocking: Vec<BlockingToken>,
}

/// Why bytes or parts are not an encoded record of the schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The number of fields, or of tokens of a field, is not the schema's.
    #[error("field {field}: {what} does not fit the linkage schema")]
    Field {
        /// Place of the field in the schema, from 0.
        field: usize,
        /// What does not fit: a static description, never a value.
        what: &'static str,
    },
    /// The bytes end too early or too late.
    #[error("the encoded record has {0}")]
    Length(&'static str),
    /// A blocking token names a key that the schema does not have, or is out of order.
    #[error("a blocking token names key {0}, which is unknown or out of order")]
    BlockingKey(u8),
}

// Encodings stay out of logs and panics.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({} bits)", self.0.len() * 64)
    }
}

impl Filter {
    /// Number of bits that are set.
    pub fn popcount(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

impl EncodedRecord {
    /// Checks that the record has the shape of `schema`.
    ///
    /// # Errors
    /// [`LayoutError`] names the first field or key that does not fit.
    pub fn check(&self, schema: &Schema) -> Result<(), LayoutError> {
        if self.fields.len() != schema.fields.len() {
            return Err(LayoutError::Length("another number of fields than the schema"));
        }
        for (field, (encoded, shape)) in self.fields.iter().zip(&schema.fields).enumerate() {
            let Some(encoded) = encoded else { continue };
            let words = encoded.filter.as_ref().map(|filter| filter.0.len());
            if words != shape.filter.as_ref().map(|shape| shape.words()) {
                return Err(LayoutError::Field { field, what: "the length of the filter" });
            }
            if encoded.tokens.len() != shape.tokens.len() {
                return Err(LayoutError::Field { field, what: "the number of tokens" });
            }
        }
        let mut last = None;
        for token in &self.blocking {
            if usize::from(token.key) >= schema.blocking.len() || last >= Some(*token) {
                return Err(LayoutError::BlockingKey(token.key));
            }
            last = Some(*token);
        }
        Ok(())
    }

    /// The stored layout. The record must have passed [`EncodedRecord::check`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bits = BitWriter::default();
        for field in &self.fields {
            bits.push(field.is_some());
            for token in field.iter().flat_map(|field| &field.tokens) {
                bits.push(token.is_some());
            }
        }
        let mut bytes = bits.bytes;
        for field in self.fields.iter().flatten() {
            for word in field.filter.iter().flat_map(|filter| filter.0.iter()) {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
            for token in field.tokens.iter().flatten() {
                bytes.extend_from_slice(&token.0.to_le_bytes());
            }
        }
        for token in &self.blocking {
            bytes.push(token.key);
            bytes.extend_from_slice(&token.token.0.to_le_bytes());
        }
        bytes
    }

    /// Reads the stored layout.
    ///
    /// # Errors
    /// [`LayoutError`] when the bytes are not a record of `schema`; never panics.
    pub fn from_bytes(schema: &Schema, bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut bits = BitReader { bytes, next: 0 };
        let mut present = Vec::with_capacity(schema.fields.len());
        for field in &schema.fields {
            let tokens = if bits.pull()? {
                Some(field.tokens.iter().map(|_| bits.pull()).collect::<Result<Vec<_>, _>>()?)
            } else {
                None
            };
            present.push(tokens);
        }
        let mut rest = &bytes[bits.next.div_ceil(8)..];
        let mut fields = Vec::with_capacity(present.len());
        for (field, present) in schema.fields.iter().zip(present) {
            let Some(present) = present else {
                fields.push(None);
                continue;
            };
            let filter = match &field.filter {
                Some(shape) => {
                    let words = (0..shape.words())
                        .map(|_| take_u64(&mut rest))
                        .collect::<Result<_, _>>()?;
                    Some(Filter(words))
                }
                None => None,
            };
            let tokens = present
                .into_iter()
                .map(|is| if is { take_u64(&mut rest).map(|t| Some(Token(t))) } else { Ok(None) })
                .collect::<Result<_, _>>()?;
            fields.push(Some(EncodedField { filter, tokens }));
        }
        if !rest.len().is_multiple_of(9) {
            return Err(LayoutError::Length("a blocking token cut short"));
        }
        let mut blocking = Vec::with_capacity(rest.len() / 9);
        while let [key, tail @ ..] = rest {
            rest = tail;
            blocking.push(BlockingToken { key: *key, token: Token(take_u64(&mut rest)?) });
        }
        let record = Self { fields, blocking };
        record.check(schema)?;
        Ok(record)
    }
}

fn take_u64(bytes: &mut &[u8]) -> Result<u64, LayoutError> {
    let (head, tail) =
        bytes.split_first_chunk().ok_or(LayoutError::Length("fewer bytes than the schema says"))?;
    *bytes = tail;
    Ok(u64::from_le_bytes(*head))
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    n_bits: usize,
}

impl BitWriter {
    fn push(&mut self, bit: bool) {
        if self.n_bits.is_multiple_of(8) {
            self.bytes.push(0);
        }
        let last = self.bytes.len() - 1;
        self.bytes[last] |= u8::from(bit) << (self.n_bits % 8);
        self.n_bits += 1;
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl BitReader<'_> {
    fn pull(&mut self) -> Result<bool, LayoutError> {
        let byte = self.bytes.get(self.next / 8).ok_or(LayoutError::Length("no presence bits"))?;
        let bit = byte >> (self.next % 8) & 1 == 1;
        self.next += 1;
        Ok(bit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schema() -> Schema {
        Schema::parse(
            r#"
            schema = "test"
            version = 1
            [[field]]
            name = "name"
            kind = "name"
            tokens = ["initial", "nickname"]
            filter = { bits = 128, grams = 2, hashes = 4, diffusion = 2 }
            [[field]]
            name = "sex"
            kind = "category"
            tokens = ["exact"]
            [[blocking]]
            name = "name_sex"
            parts = ["name:exact", "sex:exact"]
            "#,
        )
        .unwrap()
    }

    fn any_record() -> impl Strategy<Value = EncodedRecord> {
        let token = || proptest::option::of(any::<u64>().prop_map(Token));
        let name = (any::<[u64; 2]>(), token(), token()).prop_map(|(words, a, b)| EncodedField {
            filter: Some(Filter(words.into())),
            tokens: vec![a, b],
        });
        let sex = token().prop_map(|t| EncodedField { filter: None, tokens: vec![t] });
        let blocking = proptest::collection::btree_set(any::<u64>(), 0..4);
        (proptest::option::of(name), proptest::option::of(sex), blocking).prop_map(
            |(name, sex, blocking)| EncodedRecord {
                fields: vec![name, sex],
                blocking: blocking
                    .into_iter()
                    .map(|t| BlockingToken { key: 0, token: Token(t) })
                    .collect(),
            },
        )
    }

    proptest! {
        #[test]
        fn bytes_round_trip(record in any_record()) {
            let schema = schema();
            prop_assert_eq!(record.check(&schema), Ok(()));
            prop_assert_eq!(EncodedRecord::from_bytes(&schema, &record.to_bytes()), Ok(record));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(record) = EncodedRecord::from_bytes(&schema(), &bytes) {
                prop_assert_eq!(record.check(&schema()), Ok(()));
            }
        }
    }

    #[test]
    fn debug_shows_no_encoding() {
        let field =
            EncodedField { filter: Some(Filter([7, 9].into())), tokens: vec![Some(Token(12345))] };
        let shown = format!("{field:?}");
        assert!(!shown.contains("12345") && shown.contains("128 bits"), "{shown}");
    }
}

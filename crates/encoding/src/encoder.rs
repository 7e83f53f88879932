//! The encoder: the values of one record in, one encoded record and the findings out.

mod blocking;
mod combination;
mod field;
mod forms;
mod memory;
mod session;

use std::{collections::BTreeMap, sync::Arc};

use record::{EncodedRecord, Schema};

use crate::{key::LinkageKey, placeholders::Placeholders};
use blocking::KeyEncoder;
use combination::Combination;
use field::FieldEncoder;
pub use session::EncoderSession;

/// Encodes records under one schema and one linkage key. Shared between threads by reference;
/// whoever encodes many records opens an [`EncoderSession`] per thread.
pub struct Encoder {
    fields: Vec<FieldEncoder>,
    /// The fields with bound tokens, and what these are bound to.
    bound: Vec<(usize, Combination)>,
    keys: Vec<KeyEncoder>,
    placeholders: Placeholders,
}

/// An encoded record and what was noticed about its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// What is sent.
    pub record: EncodedRecord,
    /// At most one per field, in schema order.
    pub findings: Vec<Finding>,
}

/// Something noticed about one value, for the agency's data-quality summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Place of the field in the schema, from 0.
    pub field: usize,
    /// What was noticed.
    pub kind: FindingKind,
}

/// What can be noticed about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// The value stands for a missing one (`999-99-9999`, `UNKNOWN`, `-`) and counts as missing.
    Placeholder,
    /// The field cannot hold the value (30 February); it is kept and compared as written.
    DoesNotFit,
}

/// No field of the record holds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record has nothing to compare: fill in at least one field that is not a placeholder")]
pub struct NothingToCompare;

impl Encoder {
    /// Prepares the encoding of records of `schema` under `key`.
    #[expect(clippy::needless_pass_by_value, reason = "every user of a schema shares one")]
    pub fn new(schema: Arc<Schema>, key: &LinkageKey, placeholders: &Placeholders) -> Self {
        let mut filters = BTreeMap::new();
        let field = |field| FieldEncoder::new(field, &schema, key, &mut filters);
        let mut fields: Vec<_> = schema.fields.iter().map(field).collect();
        let bound = schema.fields.iter().enumerate().filter(|(_, field)| field.is_bound());
        let bound = bound
            .map(|(place, field)| (place, Combination::new(&field.bound_to, &schema, &mut fields)))
            .collect();
        let keys = (0..)
            .zip(&schema.blocking)
            .map(|(number, blocking)| KeyEncoder::new(number, blocking, &schema, key, &mut fields))
            .collect();
        Self { fields, bound, keys, placeholders: placeholders.clone() }
    }

    /// Encodes `values`: one per field of the schema, in its order, `None` or empty where missing.
    ///
    /// # Errors
    /// [`NothingToCompare`] when no value is left after placeholders are taken out.
    ///
    /// # Panics
    /// When the number of values is not the number of fields.
    pub fn encode(&self, values: &[Option<&str>]) -> Result<Encoded, NothingToCompare> {
        self.session().encode(values)
    }

    /// A session that remembers the encodings of common values.
    pub fn session(&self) -> EncoderSession<'_> {
        EncoderSession::new(self)
    }
}

#[cfg(test)]
mod tests;

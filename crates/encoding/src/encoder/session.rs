//! A session: encodes many records and remembers the encodings of values that come again.

use std::sync::Arc;

use record::FieldKind;
use rustc_hash::FxHashMap;

use super::{Encoded, Encoder, NothingToCompare, field::FieldValue};

/// Most values remembered per field; a full memory is emptied and filled anew.
const MAX_REMEMBERED: usize = 1 << 16;

/// One thread's use of an [`Encoder`]: the same encodings, a few times faster on files in which
/// names, dates and places repeat. Holds values as written until it is dropped.
pub struct EncoderSession<'a> {
    encoder: &'a Encoder,
    /// Per field, what each value became.
    remembered: Vec<FxHashMap<Box<str>, Arc<FieldValue>>>,
    values: Vec<Arc<FieldValue>>,
}

impl<'a> EncoderSession<'a> {
    pub(super) fn new(encoder: &'a Encoder) -> Self {
        let remembered = encoder.fields.iter().map(|_| FxHashMap::default()).collect();
        Self { encoder, remembered, values: Vec::new() }
    }

    /// Encodes one record, exactly as [`Encoder::encode`] does.
    ///
    /// # Errors
    /// [`NothingToCompare`] when no value is left after placeholders are taken out.
    ///
    /// # Panics
    /// When the number of values is not the number of fields.
    pub fn encode(&mut self, values: &[Option<&str>]) -> Result<Encoded, NothingToCompare> {
        let Self { encoder, remembered, values: encoded } = self;
        assert_eq!(values.len(), remembered.len(), "there is one value per field of the schema");
        encoded.clear();
        for ((field, remembered), raw) in encoder.fields.iter().zip(remembered).zip(values) {
            let raw = raw.unwrap_or_default();
            if let Some(known) = remembered.get(raw) {
                encoded.push(Arc::clone(known));
                continue;
            }
            let value = Arc::new(field.value(raw, &encoder.placeholders));
            if repeats(field.kind) {
                if remembered.len() >= MAX_REMEMBERED {
                    remembered.clear();
                }
                remembered.insert(raw.into(), Arc::clone(&value));
            }
            encoded.push(value);
        }
        encoder.assemble(encoded)
    }
}

/// Whether many records share a value of this kind; the others are near unique.
fn repeats(kind: FieldKind) -> bool {
    use FieldKind::{Category, Date, Name, PostalCode, Text};
    matches!(kind, Name | Date | Category | PostalCode | Text)
}

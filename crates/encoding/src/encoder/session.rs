//! A session: encodes many records and remembers the encodings of values that come again.

use record::EncodedRecord;
use zeroize::Zeroizing;

use super::{
    Encoded, Encoder, Finding, NothingToCompare, blocking::blocking_tokens, field::FieldValue,
    memory::Memory,
};

/// One thread's use of an [`Encoder`]: the same encodings, a few times faster on files in which
/// names, dates and places repeat. Holds values as written, and wipes them when it is dropped.
pub struct EncoderSession<'a> {
    encoder: &'a Encoder,
    fields: Vec<Memory>,
    /// Room for the messages of blocking tokens.
    message: Zeroizing<Vec<u8>>,
}

impl<'a> EncoderSession<'a> {
    pub(super) fn new(encoder: &'a Encoder) -> Self {
        let fields = encoder.fields.iter().map(|_| Memory::default()).collect();
        Self { encoder, fields, message: Zeroizing::default() }
    }

    /// Encodes one record, exactly as [`Encoder::encode`] does.
    ///
    /// # Errors
    /// [`NothingToCompare`] when no value is left after placeholders are taken out.
    ///
    /// # Panics
    /// When the number of values is not the number of fields.
    pub fn encode(&mut self, values: &[Option<&str>]) -> Result<Encoded, NothingToCompare> {
        let Encoder { fields, bound, placeholders, .. } = self.encoder;
        assert_eq!(values.len(), fields.len(), "there is one value per field of the schema");
        for ((memory, field), raw) in self.fields.iter_mut().zip(fields).zip(values) {
            if !field.is_bound() {
                memory.take(field, raw.unwrap_or_default(), None, placeholders);
            }
        }
        // Tokens are bound to parts of fields that are not bound themselves.
        for (place, combination) in bound {
            let value = |field: usize| self.fields[field].value();
            self.message.clear();
            let is_whole = combination.write_first(value, &mut self.message);
            let bound = is_whole.then_some(&self.message[..]);
            let raw = values[*place].unwrap_or_default();
            self.fields[*place].take(&fields[*place], raw, bound, placeholders);
        }
        let values: Vec<&FieldValue> = self.fields.iter().map(Memory::value).collect();
        if values.iter().all(|value| value.encoded.is_none()) {
            return Err(NothingToCompare);
        }
        let finding = |(field, value): (usize, &&FieldValue)| {
            value.finding.map(|kind| Finding { field, kind })
        };
        let findings = values.iter().enumerate().filter_map(finding).collect();
        let blocking = blocking_tokens(&self.encoder.keys, &values, &mut self.message);
        let fields = self.fields.iter_mut().map(Memory::encoded).collect();
        Ok(Encoded { record: EncodedRecord { fields, blocking }, findings })
    }
}

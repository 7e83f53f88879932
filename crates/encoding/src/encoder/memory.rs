//! What a session remembers of one field: the encodings of values that it has met.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use record::{EncodedField, FieldKind};
use rustc_hash::FxBuildHasher;
use zeroize::Zeroizing;

use super::field::{FieldEncoder, FieldValue};
use crate::placeholders::Placeholders;

/// Most values remembered per field; a full memory is emptied and filled anew.
const MAX_REMEMBERED: usize = 1 << 16;

/// The values of one field. Those of fields in which values repeat are kept as they are written,
/// and wiped when they are forgotten.
#[derive(Default)]
pub(super) struct Memory {
    table: HashTable<u32>,
    known: Vec<Known>,
    /// Where the value at hand stands among the known ones; `None` where it is `fresh`.
    place: Option<usize>,
    fresh: FieldValue,
}

struct Known {
    raw: Zeroizing<Box<str>>,
    value: FieldValue,
}

impl Memory {
    /// Makes `raw` the value at hand.
    pub(super) fn take(&mut self, field: &FieldEncoder, raw: &str, placeholders: &Placeholders) {
        if !repeats(field.kind) {
            field.encode(raw, placeholders, &mut self.fresh);
            return;
        }
        let hash = FxBuildHasher.hash_one(raw);
        let Self { table, known, .. } = self;
        let found = table.find(hash, |place| &**known[*place as usize].raw == raw);
        self.place = Some(match found {
            Some(place) => *place as usize,
            None => self.remember(field, raw, placeholders, hash),
        });
    }

    fn remember(
        &mut self,
        field: &FieldEncoder,
        raw: &str,
        placeholders: &Placeholders,
        hash: u64,
    ) -> usize {
        if self.known.len() >= MAX_REMEMBERED {
            self.table.clear();
            self.known.clear();
        }
        let mut value = FieldValue::default();
        field.encode(raw, placeholders, &mut value);
        self.known.push(Known { raw: Zeroizing::new(raw.into()), value });
        let (known, place) = (&self.known, self.known.len() - 1);
        let hash_of = |place: &u32| FxBuildHasher.hash_one(&**known[*place as usize].raw);
        self.table.insert_unique(hash, place as u32, hash_of);
        place
    }

    /// The value at hand.
    pub(super) fn value(&self) -> &FieldValue {
        self.place.map_or(&self.fresh, |place| &self.known[place].value)
    }

    /// The encoding of the value at hand, to be sent.
    pub(super) fn encoded(&mut self) -> Option<EncodedField> {
        match self.place {
            Some(place) => self.known[place].value.encoded.clone(),
            None => self.fresh.encoded.take(),
        }
    }
}

/// Whether many records share a value of this kind; the others are near unique.
fn repeats(kind: FieldKind) -> bool {
    use FieldKind::{Category, Date, Name, PostalCode, Text};
    matches!(kind, Name | Date | Category | PostalCode | Text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use record::Schema;

    use super::*;
    use crate::{Encoder, LinkageKey};

    #[test]
    fn a_full_memory_is_emptied_and_encodes_as_before() {
        let schema = Schema::parse(
            "schema = \"t\"\nversion = 1\n[[field]]\nname = \"sex\"\nkind = \"category\"\n\
             tokens = [\"exact\"]",
        );
        let placeholders = Placeholders::parse("version = \"1\"").unwrap();
        let key = LinkageKey::from_random([7; 32], 1);
        let encoder = Encoder::new(Arc::new(schema.unwrap()), &key, &placeholders);
        let mut memory = Memory::default();
        let mut encode = |raw: &str| {
            memory.take(&encoder.fields[0], raw, &placeholders);
            (memory.encoded(), memory.known.len())
        };
        let (first, _) = encode("first");
        let filled = (1..MAX_REMEMBERED).map(|number| encode(&number.to_string()).1).last();
        assert_eq!(filled, Some(MAX_REMEMBERED));
        assert_eq!(encode("one more").1, 1);
        assert_eq!(encode("first"), (first, 2));
    }
}

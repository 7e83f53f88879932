//! What a session remembers of one field: the encodings of values that it has met, each with the
//! parts that its tokens were bound to.

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
    bound: Zeroizing<Option<Box<[u8]>>>,
    value: FieldValue,
}

impl Known {
    fn is(&self, raw: &str, bound: Option<&[u8]>) -> bool {
        **self.raw == *raw && self.bound.as_deref() == bound
    }

    fn hash(&self) -> u64 {
        FxBuildHasher.hash_one((&**self.raw, self.bound.as_deref()))
    }
}

impl Memory {
    /// Makes `raw` the value at hand; `bound` are the parts that its tokens are bound to, if any.
    pub(super) fn take(
        &mut self,
        field: &FieldEncoder,
        raw: &str,
        bound: Option<&[u8]>,
        placeholders: &Placeholders,
    ) {
        if !repeats(field.kind) {
            field.encode(raw, bound, placeholders, &mut self.fresh);
            return;
        }
        let hash = FxBuildHasher.hash_one((raw, bound));
        let Self { table, known, .. } = self;
        let found = table.find(hash, |place| known[*place as usize].is(raw, bound)).copied();
        self.place = Some(found.map_or_else(
            || {
                let mut value = FieldValue::default();
                field.encode(raw, bound, placeholders, &mut value);
                let bound = Zeroizing::new(bound.map(Box::from));
                self.remember(Known { raw: Zeroizing::new(raw.into()), bound, value }, hash)
            },
            |place| place as usize,
        ));
    }

    /// Keeps a value and gives its place.
    fn remember(&mut self, new: Known, hash: u64) -> usize {
        if self.known.len() >= MAX_REMEMBERED {
            self.table.clear();
            self.known.clear();
        }
        self.known.push(new);
        let (known, place) = (&self.known, self.known.len() - 1);
        self.table.insert_unique(hash, place as u32, |place| known[*place as usize].hash());
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
            memory.take(&encoder.fields[0], raw, None, &placeholders);
            (memory.encoded(), memory.known.len())
        };
        let (first, _) = encode("first");
        let filled = (1..MAX_REMEMBERED).map(|number| encode(&number.to_string()).1).last();
        assert_eq!(filled, Some(MAX_REMEMBERED));
        assert_eq!(encode("one more").1, 1);
        assert_eq!(encode("first"), (first, 2));
    }
}

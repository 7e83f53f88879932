//! Combinations: the forms of several fields of a record, as one message of a token.

use std::collections::BTreeMap;

use record::{KeyPart, Schema};

use super::{
    field::{FieldEncoder, FieldValue},
    forms::text,
};

/// Writes the forms of some parts of a record one after the other.
pub(super) struct Combination {
    parts: Vec<Part>,
    /// Places in `parts` that hold one derivation of the fields of one exchange group: their
    /// values are hashed in sorted order, so that exchanged values give the same token.
    exchanged: Vec<Vec<usize>>,
}

/// A field, and the place of the wanted form among its forms.
struct Part {
    field: usize,
    form: usize,
}

impl Combination {
    /// The combination of `parts`; `fields` from now on have the forms that it takes.
    pub(super) fn new(parts: &[KeyPart], schema: &Schema, fields: &mut [FieldEncoder]) -> Self {
        let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (place, part) in parts.iter().enumerate() {
            if let Some(group) = &schema.fields[part.field].exchange {
                groups.entry((group, part.derivation)).or_default().push(place);
            }
        }
        let part = |part: &KeyPart| {
            let form = fields[part.field].form_place(part.derivation);
            Part { field: part.field, form }
        };
        let exchanged = groups.into_values().filter(|places| places.len() > 1).collect();
        Self { parts: parts.iter().map(part).collect(), exchanged }
    }

    /// How many messages the forms of its parts give: none where a part is missing.
    pub(super) fn count<'v>(&self, value: impl Fn(usize) -> &'v FieldValue) -> usize {
        self.parts.iter().map(|part| value(part.field).forms.count(part.form)).product()
    }

    /// Writes the first message to `message`, and says whether there is one.
    pub(super) fn write_first<'v>(
        &self,
        value: impl Fn(usize) -> &'v FieldValue,
        message: &mut Vec<u8>,
    ) -> bool {
        let is_whole = self.count(&value) > 0;
        if is_whole {
            self.write(0, value, &mut Vec::with_capacity(self.parts.len()), message);
        }
        is_whole
    }

    /// Adds the message of `number`, which is below the count, to `message`.
    pub(super) fn write<'v>(
        &self,
        number: usize,
        value: impl Fn(usize) -> &'v FieldValue,
        chosen: &mut Vec<&'v [u8]>,
        message: &mut Vec<u8>,
    ) {
        chosen.clear();
        let mut rest = number;
        for part in &self.parts {
            let forms = &value(part.field).forms;
            let form = match forms.count(part.form) {
                1 => 0,
                n_forms => {
                    let form = rest % n_forms;
                    rest /= n_forms;
                    form
                }
            };
            chosen.push(forms.get(part.form, form));
        }
        self.sort_exchanged(chosen);
        chosen.iter().for_each(|form| message.extend_from_slice(form));
    }

    fn sort_exchanged(&self, chosen: &mut [&[u8]]) {
        for places in &self.exchanged {
            for (i, place) in places.iter().enumerate() {
                for later in &places[i + 1..] {
                    if text(chosen[*later]) < text(chosen[*place]) {
                        chosen.swap(*place, *later);
                    }
                }
            }
        }
    }
}

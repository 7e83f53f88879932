//! Blocking keys: tokens over combinations of fields.

use std::collections::BTreeMap;

use record::{BlockingKey, BlockingToken, Schema};

use super::field::{FieldEncoder, FieldValue};
use crate::{key::LinkageKey, token::TokenKey};

/// Most tokens that one blocking key gives for one record: names of many words are cut off there.
const MAX_TOKENS_PER_KEY: usize = 16;

/// Makes the tokens of one blocking key.
pub(super) struct KeyEncoder {
    number: u8,
    key: TokenKey,
    parts: Vec<Part>,
    /// Places in `parts` that hold one derivation of the fields of one exchange group: their
    /// values are hashed in sorted order, so that exchanged values give the same token.
    exchanged: Vec<Vec<usize>>,
}

/// Room for one combination of forms and the message made of it, used again for each token.
#[derive(Default)]
pub(super) struct Scratch<'v> {
    chosen: Vec<&'v str>,
    message: Vec<u8>,
}

/// A field, and the place of the wanted form among its forms.
struct Part {
    field: usize,
    form: usize,
}

impl KeyEncoder {
    pub(super) fn new(
        number: u8,
        blocking: &BlockingKey,
        schema: &Schema,
        key: &LinkageKey,
        fields: &mut [FieldEncoder],
    ) -> Self {
        let mut parts = Vec::with_capacity(blocking.parts.len());
        let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (place, part) in blocking.parts.iter().enumerate() {
            let form = fields[part.field].form_place(part.derivation);
            parts.push(Part { field: part.field, form });
            if let Some(group) = &schema.fields[part.field].exchange {
                groups.entry((group, part.derivation)).or_default().push(place);
            }
        }
        let exchanged = groups.into_values().filter(|places| places.len() > 1).collect();
        let subkey = key.subkey(schema, "record", &format!("blocking/{}", blocking.name));
        Self { number, key: TokenKey(subkey), parts, exchanged }
    }

    /// Adds one token per combination of the forms of this key's parts; none if a part is missing.
    pub(super) fn push_tokens<'v>(
        &self,
        values: &[&'v FieldValue],
        scratch: &mut Scratch<'v>,
        tokens: &mut Vec<BlockingToken>,
    ) {
        let count = |part: &Part| values[part.field].forms.count(part.form);
        let n_combinations: usize = self.parts.iter().map(count).product();
        let Scratch { chosen, message } = scratch;
        for combination in 0..n_combinations.min(MAX_TOKENS_PER_KEY) {
            chosen.clear();
            let mut rest = combination;
            for part in &self.parts {
                let n_forms = count(part);
                chosen.push(values[part.field].forms.get(part.form, rest % n_forms));
                rest /= n_forms;
            }
            self.sort_exchanged(chosen);
            message.clear();
            for form in chosen.iter() {
                message.extend_from_slice(&(form.len() as u32).to_le_bytes());
                message.extend_from_slice(form.as_bytes());
            }
            tokens.push(BlockingToken { key: self.number, token: self.key.token(message) });
        }
    }

    fn sort_exchanged(&self, chosen: &mut [&str]) {
        for places in &self.exchanged {
            for (i, place) in places.iter().enumerate() {
                for later in &places[i + 1..] {
                    if chosen[*later] < chosen[*place] {
                        chosen.swap(*place, *later);
                    }
                }
            }
        }
    }
}

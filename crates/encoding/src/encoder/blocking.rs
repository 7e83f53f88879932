//! Blocking keys: tokens over combinations of fields.

use std::collections::BTreeMap;

use record::{BlockingKey, BlockingToken, Schema};

use super::{
    field::{FieldEncoder, FieldValue},
    forms::text,
};
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
    fn push_tokens<'v>(
        &self,
        values: &[&'v FieldValue],
        chosen: &mut Vec<&'v [u8]>,
        message: &mut Vec<u8>,
        tokens: &mut Vec<BlockingToken>,
    ) {
        let count = |part: &Part| values[part.field].forms.count(part.form);
        let n_combinations: usize = self.parts.iter().map(count).product();
        for combination in 0..n_combinations.min(MAX_TOKENS_PER_KEY) {
            chosen.clear();
            let mut rest = combination;
            for part in &self.parts {
                let forms = &values[part.field].forms;
                let form = match count(part) {
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
            message.clear();
            chosen.iter().for_each(|form| message.extend_from_slice(form));
            tokens.push(BlockingToken { key: self.number, token: self.key.token(message) });
        }
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

/// The blocking tokens of a record of `values`, sorted, without repeats. `message` is room for
/// the message of one token.
pub(super) fn blocking_tokens(
    keys: &[KeyEncoder],
    values: &[&FieldValue],
    message: &mut Vec<u8>,
) -> Vec<BlockingToken> {
    let mut tokens = Vec::with_capacity(2 * keys.len());
    let mut chosen = Vec::with_capacity(values.len());
    for key in keys {
        key.push_tokens(values, &mut chosen, message, &mut tokens);
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

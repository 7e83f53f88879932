//! Blocking keys: tokens over combinations of fields.

use record::{BlockingKey, BlockingToken, Schema};

use super::{
    combination::Combination,
    field::{FieldEncoder, FieldValue},
};
use crate::{key::LinkageKey, token::TokenKey};

/// Most tokens that one blocking key gives for one record: names of many words are cut off there.
const MAX_TOKENS_PER_KEY: usize = 16;

/// Makes the tokens of one blocking key.
pub(super) struct KeyEncoder {
    number: u8,
    key: TokenKey,
    combination: Combination,
}

impl KeyEncoder {
    pub(super) fn new(
        number: u8,
        blocking: &BlockingKey,
        schema: &Schema,
        key: &LinkageKey,
        fields: &mut [FieldEncoder],
    ) -> Self {
        let combination = Combination::new(&blocking.parts, schema, fields);
        let subkey = key.subkey(schema, "record", &format!("blocking/{}", blocking.name));
        Self { number, key: TokenKey(subkey), combination }
    }

    /// Adds one token per combination of the forms of this key's parts; none if a part is missing.
    fn push_tokens<'v>(
        &self,
        value: impl Fn(usize) -> &'v FieldValue,
        chosen: &mut Vec<&'v [u8]>,
        message: &mut Vec<u8>,
        tokens: &mut Vec<BlockingToken>,
    ) {
        for number in 0..self.combination.count(&value).min(MAX_TOKENS_PER_KEY) {
            message.clear();
            self.combination.write(number, &value, chosen, message);
            tokens.push(BlockingToken { key: self.number, token: self.key.token([message]) });
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
        key.push_tokens(|field| values[field], &mut chosen, message, &mut tokens);
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

//! Encoded identity records, checked against the linkage schema.

use record::{
    BlockingToken, EncodedField, EncodedRecord, Field, Filter, LocalId, RecordVersion, Schema,
    Token,
};

use super::{RowRefusal, Violation, ids::local_id};
use crate::submission::{self, FieldEncoding, IdentityRecord, RejectionReason};

/// Most blocking tokens of one record: several per key, far from a full index.
const MAX_BLOCKING_TOKENS: usize = 8 * Schema::MAX_BLOCKING_KEYS;

/// The message of a record.
pub fn record_to_proto(
    local_id: &LocalId,
    version: RecordVersion,
    record: &EncodedRecord,
) -> IdentityRecord {
    let present = record.fields.iter().zip(0..).filter_map(|(f, place)| Some((f.as_ref()?, place)));
    IdentityRecord {
        local_id: local_id.as_str().to_owned(),
        version: version.0,
        fields: present.map(|(field, place)| field_to_proto(field, place)).collect(),
        blocking: record
            .blocking
            .iter()
            .map(|t| submission::BlockingToken { key: u32::from(t.key), token: t.token.0 })
            .collect(),
    }
}

fn field_to_proto(field: &EncodedField, place: u32) -> FieldEncoding {
    let words = field.filter.as_ref().map_or(&[][..], |filter| &filter.0);
    let mut filter = Vec::with_capacity(words.len() * 8);
    for word in words {
        filter.extend_from_slice(&word.to_le_bytes());
    }
    let tokens = field.tokens.iter().zip(0..);
    let present = tokens.filter_map(|(token, derivation)| Some(((*token)?, derivation)));
    FieldEncoding {
        field: place,
        filter,
        tokens: present
            .map(|(token, derivation)| submission::Token { derivation, value: token.0 })
            .collect(),
    }
}

/// The record in a message, in the shape of `schema`.
///
/// # Errors
/// A [`RowRefusal`] with the path of the first part that does not fit, or
/// [`RejectionReason::NothingToCompare`] when no field is present.
pub fn record_from_proto(
    message: &IdentityRecord,
    schema: &Schema,
) -> Result<(LocalId, RecordVersion, EncodedRecord), RowRefusal> {
    let local_id = local_id(&message.local_id).map_err(|fault| fault.within("record"))?;
    if message.fields.is_empty() {
        let remedy = "send at least one field that the linkage schema compares";
        let reason = RejectionReason::NothingToCompare;
        return Err(RowRefusal::new(reason, "record.fields", remedy));
    }
    let fields = fields_from_proto(&message.fields, schema)?;
    let blocking = blocking_from_proto(&message.blocking, schema)?;
    Ok((local_id, RecordVersion(message.version), EncodedRecord { fields, blocking }))
}

fn fields_from_proto(
    messages: &[FieldEncoding],
    schema: &Schema,
) -> Result<Vec<Option<EncodedField>>, Violation> {
    let mut fields = vec![None; schema.fields.len()];
    let mut next = 0;
    for (n, message) in messages.iter().enumerate() {
        let place = message.field as usize;
        let path = |part: &str| format!("record.fields[{n}].{part}");
        let Some(shape) = schema.fields.get(place).filter(|_| place >= next) else {
            let remedy = "give fields of the linkage schema in ascending order, each once";
            return Err(Violation::new(path("field"), remedy));
        };
        let field = field_from_proto(message, shape)
            .map_err(|fault| Violation::new(path(&fault.field), fault.remedy))?;
        fields[place] = Some(field);
        next = place + 1;
    }
    Ok(fields)
}

fn field_from_proto(message: &FieldEncoding, shape: &Field) -> Result<EncodedField, Violation> {
    let words = shape.filter.as_ref().map_or(0, |shape| shape.words());
    if message.filter.len() != words * 8 {
        let remedy = format!("give the {} bytes that the linkage schema says", words * 8);
        return Err(Violation::new("filter", remedy));
    }
    if words == 0 && message.tokens.is_empty() {
        return Err(Violation::new("tokens", "leave a missing field out"));
    }
    let (chunks, _) = message.filter.as_chunks::<8>();
    let filter = (words > 0)
        .then(|| Filter(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect()));
    let mut tokens = vec![None; shape.tokens.len()];
    let mut next = 0;
    for (n, token) in message.tokens.iter().enumerate() {
        let place = token.derivation as usize;
        if place < next || place >= tokens.len() {
            let remedy = "give tokens of the linkage schema in ascending order, each once";
            return Err(Violation::new(format!("tokens[{n}].derivation"), remedy));
        }
        tokens[place] = Some(Token(token.value));
        next = place + 1;
    }
    Ok(EncodedField { filter, tokens })
}

fn blocking_from_proto(
    messages: &[submission::BlockingToken],
    schema: &Schema,
) -> Result<Vec<BlockingToken>, Violation> {
    if messages.len() > MAX_BLOCKING_TOKENS {
        let remedy = format!("give at most {MAX_BLOCKING_TOKENS} blocking tokens");
        return Err(Violation::new("record.blocking", remedy));
    }
    let mut tokens: Vec<BlockingToken> = Vec::with_capacity(messages.len());
    for (n, message) in messages.iter().enumerate() {
        let known = u8::try_from(message.key).ok();
        let Some(key) = known.filter(|key| usize::from(*key) < schema.blocking.len()) else {
            let remedy = "give the place of a blocking key of the linkage schema";
            return Err(Violation::new(format!("record.blocking[{n}].key"), remedy));
        };
        let token = BlockingToken { key, token: Token(message.token) };
        if tokens.last().is_some_and(|last| *last >= token) {
            let remedy = "give blocking tokens in ascending order, each once";
            return Err(Violation::new(format!("record.blocking[{n}]"), remedy));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests;

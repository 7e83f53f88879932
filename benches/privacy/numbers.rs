//! Reading identification numbers that no population file holds: the equality graph tells who is
//! who, the numbers of a few acquaintances give the rest.

use record::{FieldKind, Schema};

use super::{
    case::{Case, Share},
    decode::Decoder,
    propagate::Claim,
};

/// Numbers that are read to count the successes.
const READ: usize = 1_000;

/// The field of identification numbers that are encoded digit by digit, if the schema has one.
pub fn number_field(schema: &Schema) -> Option<usize> {
    schema.fields.iter().position(|field| {
        let by_digit = field.filter.as_ref().is_some_and(|it| it.positional && it.grams == 1);
        field.kind == FieldKind::Identifier && by_digit
    })
}

/// How many stored numbers are read rightly, digit for digit, by somebody who knows the numbers of
/// `known` people and takes `claims` for who they are. Numbers that were known do not count.
pub fn numbers_read(
    case: &Case,
    field: usize,
    claims: &[Option<Claim>],
    known: usize,
    seed: u64,
) -> Share {
    let digits = |value: &Option<String>| -> Option<Vec<u8>> {
        let digits = value.as_ref()?.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0');
        Some(digits.collect()).filter(|digits: &Vec<u8>| digits.len() == 9)
    };
    let mut learned = Vec::new();
    let mut acquaintances = std::collections::BTreeSet::new();
    let mut rest = Vec::new();
    for (record, participant) in case.participants.iter().enumerate() {
        let stored = case.stored[record].fields[field].as_ref();
        let Some(filter) = stored.and_then(|field| field.filter.as_ref()) else { continue };
        let claim = claims[*participant as usize];
        let number =
            claim.and_then(|it| digits(&case.scene.complete[it.person as usize].values[field]));
        match number {
            Some(number) if acquaintances.len() < known => {
                if acquaintances.insert(*participant) {
                    learned.push((number, filter));
                }
            }
            _ if acquaintances.contains(participant) => {}
            _ => rest.extend(digits(&case.scene.victims[record].values[field]).zip(Some(filter))),
        }
    }
    let learned: Vec<_> = learned.iter().map(|(number, it)| (number.as_slice(), *it)).collect();
    let decoder = Decoder::learn(&learned, seed);
    let step = rest.len().div_ceil(READ).max(1);
    let mut share = Share::default();
    for (number, filter) in rest.iter().step_by(step) {
        let right = decoder.as_ref().is_some_and(|it| it.read(filter) == *number);
        share.add(decoder.is_some(), right);
    }
    share
}

//! What an encoder cannot have made: records that have the shape of the schema and no values
//! behind them.
//!
//! An encoding looks random to whoever does not hold the linkage key, so little can be said of one.
//! What can: how many bits a value of any length sets in a filter (`bounds`); that what is made
//! under two keys is not equal, but by a chance of one in 2^64; and that a token over several fields
//! needs all of them. A constant, a file filled with zeros, a filter copied into other fields and an
//! exporter that shifts its columns all break one of these.

mod bounds;

use std::{collections::BTreeMap, ops::RangeInclusive};

use crate::{
    derivation::Derivation,
    encoded::{EncodedField, EncodedRecord, Filter, Token},
    schema::{Field, KeyPart, Schema},
};
use bounds::{bounds, is_equal_by_chance};

/// Most blocking tokens that one key gives one record; an encoder cuts off what is more.
pub const MAX_TOKENS_PER_KEY: usize = 16;

/// What records of one schema can be.
pub struct Plausibility {
    fields: Vec<FieldRule>,
    keys: Vec<TokenRule>,
    /// Fields whose filters are of one length and made under different keys.
    strangers: Vec<(usize, usize)>,
}

struct FieldRule {
    /// Numbers of set bits that its filter can have.
    bits: Option<RangeInclusive<u32>>,
    /// One per derived token.
    tokens: Vec<TokenRule>,
}

/// What holds of the tokens of one use.
#[derive(Clone, Copy)]
struct TokenRule {
    /// The same for tokens that are hashed under the same key, and for no others.
    secret: u16,
    /// A bit per field without which there is no such token.
    needs: u16,
}

/// A record that no encoder of its schema makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Implausible {
    /// The first part that cannot be.
    pub part: Part,
    /// Why not.
    pub flaw: Flaw,
}

/// A part of an encoded record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The filter of a field.
    Filter {
        /// Place of the field in the schema, from 0.
        field: usize,
    },
    /// A derived token of a field.
    Token {
        /// Place of the field in the schema, from 0.
        field: usize,
        /// Place of the derivation among the field's tokens, from 0.
        derivation: usize,
    },
    /// A blocking token.
    Blocking {
        /// Its place in the record, from 0.
        place: usize,
    },
}

/// Why a part of a record cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A filter with fewer bits set than any value sets, such as none.
    Sparse,
    /// A filter with more bits set than any value sets, such as all.
    Dense,
    /// A token of 0.
    Zero,
    /// Equal to a filter or token that is made under another key.
    Copied,
    /// A token over fields of which the record lacks one.
    PartMissing,
    /// More tokens of one blocking key than an encoder makes.
    TooMany,
}

impl Flaw {
    /// What an agency can do about it, as an instruction.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Sparse => {
                "no value sets so few bits: leave a missing field out instead of sending it empty, \
                 and encode with the schema's number of hashes and its diffusion"
            }
            Self::Dense => {
                "no value sets so many bits: encode with the schema's number of hashes and its \
                 diffusion, and send the value that the record has in place of a constant"
            }
            Self::Zero => "no value has the token 0: leave out the token of a missing value",
            Self::Copied => {
                "it equals a part that is made under another key: encode each field under its own \
                 key, and look for a constant or a copied column in the export"
            }
            Self::PartMissing => {
                "the token is over a field that the record does not have: leave the token out, or \
                 send the field"
            }
            Self::TooMany => "send at most 16 tokens for each blocking key",
        }
    }
}

impl Plausibility {
    /// What records of `schema` can be.
    pub fn of(schema: &Schema) -> Self {
        let mut secrets = Secrets::default();
        let field = |(place, field): (usize, &Field)| FieldRule {
            bits: field.filter.as_ref().map(bounds),
            tokens: field.tokens.iter().map(|it| secrets.of_token(field, place, *it)).collect(),
        };
        let fields = schema.fields.iter().enumerate().map(field).collect();
        let key = |key: &crate::BlockingKey| TokenRule {
            secret: secrets.number(format!("blocking/{}", key.name)),
            needs: mask(&key.parts),
        };
        let keys = schema.blocking.iter().map(key).collect();
        Self { fields, keys, strangers: strangers(&schema.fields) }
    }

    /// Whether an encoder can have made `record`, which has passed [`EncodedRecord::check`].
    ///
    /// # Errors
    /// [`Implausible`] names the first part that cannot be.
    pub fn check(&self, record: &EncodedRecord) -> Result<(), Implausible> {
        self.check_filters(record)?;
        self.check_tokens(record)
    }

    fn check_filters(&self, record: &EncodedRecord) -> Result<(), Implausible> {
        for (field, rule) in self.fields.iter().enumerate() {
            if let (Some(filter), Some(bits)) = (filter(record, field), &rule.bits) {
                let n_set = filter.popcount();
                if !bits.contains(&n_set) {
                    let flaw = if n_set < *bits.start() { Flaw::Sparse } else { Flaw::Dense };
                    return Err(Implausible { part: Part::Filter { field }, flaw });
                }
            }
        }
        for (one, other) in &self.strangers {
            if let (Some(filter), Some(copy)) = (filter(record, *one), filter(record, *other))
                && filter == copy
                && !is_equal_by_chance(filter)
            {
                let part = Part::Filter { field: *other };
                return Err(Implausible { part, flaw: Flaw::Copied });
            }
        }
        Ok(())
    }

    fn check_tokens(&self, record: &EncodedRecord) -> Result<(), Implausible> {
        let present = record.fields.iter().rev().fold(0, |mask, it| mask << 1 | bit(it.is_some()));
        let mut tokens = Vec::with_capacity(64);
        for (part, token, rule) in self.tokens(record) {
            let flaw = match part {
                _ if token.0 == 0 => Some(Flaw::Zero),
                _ if rule.needs & !present != 0 => Some(Flaw::PartMissing),
                Part::Blocking { place } => is_beyond_most(record, place).then_some(Flaw::TooMany),
                _ => None,
            };
            if let Some(flaw) = flaw {
                return Err(Implausible { part, flaw });
            }
            tokens.push(token.0);
        }
        tokens.sort_unstable();
        let repeats = tokens.windows(2).any(|pair| pair[0] == pair[1]);
        if repeats { self.check_repeats(record) } else { Ok(()) }
    }

    /// Tokens that repeat are hashed under one key.
    fn check_repeats(&self, record: &EncodedRecord) -> Result<(), Implausible> {
        let mut secrets = BTreeMap::new();
        for (part, token, rule) in self.tokens(record) {
            if *secrets.entry(token).or_insert(rule.secret) != rule.secret {
                return Err(Implausible { part, flaw: Flaw::Copied });
            }
        }
        Ok(())
    }

    /// All tokens of a record, those of its fields first.
    fn tokens<'a>(
        &'a self,
        record: &'a EncodedRecord,
    ) -> impl Iterator<Item = (Part, Token, TokenRule)> + 'a {
        let of_field =
            |(field, (encoded, rule)): (usize, (&'a Option<EncodedField>, &'a FieldRule))| {
                let tokens = encoded.iter().flat_map(|encoded| &encoded.tokens);
                tokens.zip(&rule.tokens).enumerate().filter_map(
                    move |(derivation, (token, rule))| {
                        Some((Part::Token { field, derivation }, (*token)?, *rule))
                    },
                )
            };
        let of_fields = record.fields.iter().zip(&self.fields).enumerate().flat_map(of_field);
        let of_keys = record.blocking.iter().enumerate().map(|(place, token)| {
            (Part::Blocking { place }, token.token, self.keys[usize::from(token.key)])
        });
        of_fields.chain(of_keys)
    }
}

/// Numbers the keys under which tokens are hashed.
#[derive(Default)]
struct Secrets(BTreeMap<String, u16>);

impl Secrets {
    fn number(&mut self, name: String) -> u16 {
        let next = self.0.len() as u16;
        *self.0.entry(name).or_insert(next)
    }

    /// The rule of one derived token, whose key an encoder makes of the same parts.
    fn of_token(&mut self, field: &Field, place: usize, derivation: Derivation) -> TokenRule {
        let is_bound = field.is_bound() && derivation != Derivation::Exact;
        let comparable = match derivation {
            Derivation::Swapped => Derivation::Exact,
            other => other,
        };
        let scope = scope(field);
        let needs = if is_bound { mask(&field.bound_to) } else { 0 };
        let secret = self.number(format!("{scope} {is_bound} {comparable}"));
        TokenRule { secret, needs: needs | 1 << place }
    }
}

/// What the keys of a field are made for.
fn scope(field: &Field) -> String {
    match &field.exchange {
        Some(group) => format!("group {group}"),
        None => format!("field {}", field.name),
    }
}

/// The pairs of fields whose filters are comparable in length and not in content.
fn strangers(fields: &[Field]) -> Vec<(usize, usize)> {
    let words = |place: usize| fields[place].filter.as_ref().map(|shape| shape.words());
    let pairs = (0..fields.len()).flat_map(|one| (one + 1..fields.len()).map(move |it| (one, it)));
    pairs
        .filter(|(one, other)| {
            words(*one).is_some()
                && words(*one) == words(*other)
                && scope(&fields[*one]) != scope(&fields[*other])
        })
        .collect()
}

/// Whether the blocking token at `place` is one more of its key than a record has.
fn is_beyond_most(record: &EncodedRecord, place: usize) -> bool {
    // Blocking tokens are sorted by their key.
    let earlier = place.checked_sub(MAX_TOKENS_PER_KEY);
    earlier.is_some_and(|earlier| record.blocking[earlier].key == record.blocking[place].key)
}

fn filter(record: &EncodedRecord, field: usize) -> Option<&Filter> {
    record.fields[field].as_ref()?.filter.as_ref()
}

fn mask(parts: &[KeyPart]) -> u16 {
    parts.iter().fold(0, |mask, part| mask | 1 << part.field)
}

fn bit(is_set: bool) -> u16 {
    u16::from(is_set)
}

#[cfg(test)]
mod tests;

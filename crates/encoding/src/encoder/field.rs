//! One field: from a value as written to its filter, its tokens and its forms for blocking.

use std::{collections::BTreeMap, sync::Arc};

use record::{Derivation, EncodedField, Field, FieldKind, Schema};

use zeroize::Zeroizing;

use super::{
    FindingKind,
    forms::{Forms, length},
};
use crate::{
    derive::{derive, derive_all},
    filter::FilterEncoder,
    key::LinkageKey,
    normalize::{Normalized, fold, normalize_folded},
    placeholders::Placeholders,
    token::TokenKey,
};

/// Encodes the values of one field.
pub(super) struct FieldEncoder {
    pub(super) kind: FieldKind,
    filter: Option<Arc<FilterEncoder>>,
    tokens: Vec<FieldToken>,
    /// The distinct derivations that blocking keys take of this field.
    forms: Vec<Derivation>,
}

/// Makes one derived token of a field.
struct FieldToken {
    derivation: Derivation,
    key: TokenKey,
    /// Whether it is of the derived form together with parts of other fields.
    is_bound: bool,
}

/// All that one value of a field gives to its record.
#[derive(Default)]
pub(super) struct FieldValue {
    pub(super) encoded: Option<EncodedField>,
    /// The forms that blocking keys take of the value.
    pub(super) forms: Forms,
    pub(super) finding: Option<FindingKind>,
}

impl FieldEncoder {
    /// Fields of one exchange group share their keys and so, where it is equal, their filter.
    pub(super) fn new(
        field: &Field,
        schema: &Schema,
        key: &LinkageKey,
        filters: &mut BTreeMap<String, Arc<FilterEncoder>>,
    ) -> Self {
        let scope = match &field.exchange {
            Some(group) => format!("group {group}"),
            None => format!("field {}", field.name),
        };
        let filter = field.filter.as_ref().map(|shape| {
            let make = || {
                let gram_key = key.subkey(schema, &scope, "filter");
                let diffusion_key = key.subkey(schema, &scope, "diffusion");
                Arc::new(FilterEncoder::new(shape.clone(), gram_key, &diffusion_key))
            };
            Arc::clone(filters.entry(format!("{scope} {shape:?}")).or_insert_with(make))
        });
        let token = |derivation: &Derivation| {
            // A swapped date is compared with an exact one, so both have one key.
            let comparable = match derivation {
                Derivation::Swapped => Derivation::Exact,
                other => *other,
            };
            let is_bound = field.is_bound() && *derivation != Derivation::Exact;
            let usage = if is_bound { "bound" } else { "token" };
            let subkey = key.subkey(schema, &scope, &format!("{usage}/{comparable}"));
            FieldToken { derivation: *derivation, key: TokenKey(subkey), is_bound }
        };
        let tokens = field.tokens.iter().map(token).collect();
        Self { kind: field.kind, filter, tokens, forms: Vec::new() }
    }

    /// Whether tokens of this field are hashed together with parts of other fields.
    pub(super) fn is_bound(&self) -> bool {
        self.tokens.iter().any(|token| token.is_bound)
    }

    /// The place of `derivation` among the forms of this field, which from now on has it.
    pub(super) fn form_place(&mut self, derivation: Derivation) -> usize {
        self.forms.iter().position(|form| *form == derivation).unwrap_or_else(|| {
            self.forms.push(derivation);
            self.forms.len() - 1
        })
    }

    /// Encodes `raw` into `value`; nothing where it is empty or stands for a missing value.
    /// `bound` are the parts that bound tokens are hashed together with, if the record has them.
    pub(super) fn encode(
        &self,
        raw: &str,
        bound: Option<&[u8]>,
        placeholders: &Placeholders,
        value: &mut FieldValue,
    ) {
        value.forms.clear();
        let (normalized, finding) = self.read(raw, placeholders);
        value.finding = finding;
        value.encoded = normalized.map(|normalized| {
            let mut room = Zeroizing::new(String::with_capacity(normalized.text.len() + 8));
            for form in &self.forms {
                derive_all(self.kind, &normalized, *form, &mut room, |form| value.forms.push(form));
                value.forms.end_derivation();
            }
            self.encoded(&normalized, bound, &mut room)
        });
    }

    fn encoded(&self, value: &Normalized, bound: Option<&[u8]>, room: &mut String) -> EncodedField {
        let token = |FieldToken { derivation, key, is_bound }: &FieldToken| {
            let form = derive(self.kind, value, *derivation, room)?.as_bytes();
            Some(match is_bound {
                true => key.token([&length(form), form, bound?]),
                false => key.token([form]),
            })
        };
        EncodedField {
            filter: self.filter.as_ref().map(|filter| filter.encode(&value.text)),
            tokens: self.tokens.iter().map(token).collect(),
        }
    }

    fn read(
        &self,
        raw: &str,
        placeholders: &Placeholders,
    ) -> (Option<Normalized>, Option<FindingKind>) {
        let folded = fold(raw);
        if folded.is_empty() {
            return (None, None);
        }
        let contains = |text: &str| placeholders.contains(self.kind, text);
        if contains(&folded) {
            return (None, Some(FindingKind::Placeholder));
        }
        match normalize_folded(self.kind, &folded) {
            Some(value) if value.text == folded || !contains(&value.text) => {
                let finding = (!value.fits).then_some(FindingKind::DoesNotFit);
                (Some(value), finding)
            }
            _ => (None, Some(FindingKind::Placeholder)),
        }
    }
}

//! Parts of a record: what blocking keys combine and what tokens are bound to.

use super::{Field, SchemaError, invalid};
use crate::derivation::Derivation;

/// One field's part in a blocking key or in bound tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPart {
    /// Place of the field in the schema, from 0.
    pub field: usize,
    /// The part of the value that counts.
    pub derivation: Derivation,
}

impl KeyPart {
    /// Reads `field:derivation`, or `field` for its whole value. The error says what is wrong.
    pub(super) fn parse(text: &str, fields: &[Field]) -> Result<Self, String> {
        let (name, derivation) = text.split_once(':').unwrap_or((text, "exact"));
        let field = fields
            .iter()
            .position(|field| field.name == name)
            .ok_or_else(|| format!("no field is called '{name}'"))?;
        let derivation: Derivation = derivation.parse()?;
        if !derivation.applies_to(fields[field].kind) {
            return Err(format!("'{text}' does not apply to that kind of field"));
        }
        Ok(Self { field, derivation })
    }
}

/// Gives each of `fields` what the file says its tokens are bound to.
pub(super) fn bind(fields: &mut [Field], bound_to: &[Vec<String>]) -> Result<(), SchemaError> {
    for (place, texts) in bound_to.iter().enumerate() {
        let refuse = |what: String| invalid(&format!("field {}", fields[place].name), what);
        let part = |text: &String| KeyPart::parse(text, fields).map_err(refuse);
        let parts = texts.iter().map(part).collect::<Result<Vec<_>, _>>()?;
        check_bound(fields, bound_to, place, &parts).map_err(|what| refuse(what.to_owned()))?;
        fields[place].bound_to = parts;
    }
    Ok(())
}

/// Whether the tokens of the field at `place` can be bound to `parts`.
fn check_bound(
    fields: &[Field],
    bound_to: &[Vec<String>],
    place: usize,
    parts: &[KeyPart],
) -> Result<(), &'static str> {
    let tokens = &fields[place].tokens;
    if parts.is_empty() {
        return Ok(());
    }
    if parts.iter().any(|part| part.field == place) {
        return Err("'bound_to' names other fields than the field itself");
    }
    if parts.iter().any(|part| !bound_to[part.field].is_empty()) {
        return Err("'bound_to' names fields that have no 'bound_to' of their own");
    }
    if tokens.iter().all(|token| *token == Derivation::Exact) {
        return Err("'bound_to' needs a token other than 'exact', which is never bound");
    }
    if tokens.contains(&Derivation::Swapped) {
        return Err("'swapped' is compared with 'exact', which is never bound: leave out \
                    'swapped' or 'bound_to'");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Derivation, KeyPart, Schema};

    const BOUND: &str = r#"
        schema = "test"
        version = 1
        [[field]]
        name = "ssn"
        kind = "identifier"
        tokens = ["exact", "without1"]
        bound_to = ["name:initial", "born"]
        [[field]]
        name = "name"
        kind = "name"
        tokens = ["exact"]
        [[field]]
        name = "born"
        kind = "date"
        tokens = ["exact", "swapped"]
    "#;

    #[test]
    fn tokens_are_bound_to_parts_of_other_fields() {
        let schema = Schema::parse(BOUND).unwrap();
        assert_eq!(
            schema.fields[0].bound_to,
            [
                KeyPart { field: 1, derivation: Derivation::Initial },
                KeyPart { field: 2, derivation: Derivation::Exact },
            ]
        );
        assert!(schema.fields[1].bound_to.is_empty());
        for other in ["[\"name:initial\"]", "[]"] {
            let other = BOUND.replace("[\"name:initial\", \"born\"]", other);
            assert_ne!(Schema::parse(&other).unwrap().fingerprint(), schema.fingerprint());
        }
    }

    #[test]
    fn errors_say_what_can_be_bound_to_what() {
        for (from, to, part) in [
            ("name:initial", "middle:initial", "no field is called 'middle'"),
            ("name:initial", "name:year", "does not apply to that kind"),
            ("name:initial", "name:first", "none of exact"),
            ("name:initial", "ssn:last4", "other fields than the field itself"),
            (
                "tokens = [\"exact\"]",
                "tokens = [\"initial\", \"exact\"]\nbound_to = [\"born\"]",
                "no 'bound_to' of their own",
            ),
            ("[\"exact\", \"without1\"]", "[\"exact\"]", "a token other than 'exact'"),
            (
                "\"identifier\"\n        tokens = [\"exact\", \"without1\"]",
                "\"date\"\n        tokens = [\"exact\", \"swapped\"]",
                "compared with 'exact'",
            ),
        ] {
            let text = BOUND.replace(from, to);
            assert_ne!(text, BOUND, "{from}");
            let error = Schema::parse(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{to}: {error}");
        }
    }
}

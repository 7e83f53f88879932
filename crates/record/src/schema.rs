//! The linkage schema: which fields are encoded, how, and which combinations block.
//!
//! The same file is read by every agency's encoder and by the service; its fingerprint travels
//! with every submission, so that two different schemas never meet unnoticed.

mod part;

use std::collections::BTreeSet;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::derivation::Derivation;
pub use part::KeyPart;

/// The linkage schema that is shipped: `config/linkage.toml`.
pub const DEFAULT_SCHEMA: &str = include_str!("../../../config/linkage.toml");

/// What a field holds; decides how it is normalised, encoded and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A part of a person's name.
    Name,
    /// A calendar date.
    Date,
    /// A number issued to one person, such as an SSN.
    Identifier,
    /// One of few values, such as sex or state.
    Category,
    /// A street address.
    Address,
    /// A postal code.
    PostalCode,
    /// A telephone number.
    Phone,
    /// An email address.
    Email,
    /// Anything else that is text, such as an occupation or a place of birth.
    Text,
}

/// How a field's Bloom filter is made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterShape {
    /// Length of the filter in bits before and after diffusion: a multiple of 64 up to 4096.
    pub bits: u32,
    /// Characters per gram, 1 to 4.
    pub grams: u8,
    /// Whether a gram counts with its place in the value (numbers and dates).
    #[serde(default)]
    pub positional: bool,
    /// Bits set per gram before diffusion, 1 to 64.
    pub hashes: u8,
    /// Input bits XORed into each output bit, 1 (no diffusion) to 32.
    pub diffusion: u8,
}

/// A field of the schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Name, and the identity file's column that feeds it.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Shape of its filter, if it is compared by similarity.
    pub filter: Option<FilterShape>,
    /// Derived tokens that are sent for it.
    pub tokens: Vec<Derivation>,
    /// Parts of the same record that all its tokens but `exact` are hashed together with; empty
    /// where they are of the value alone. A record without one of the parts has no such token.
    pub bound_to: Vec<KeyPart>,
    /// Fields of one exchange group are encoded under one key, so that values in each other's
    /// place (given and family name) can be seen.
    pub exchange: Option<String>,
    /// Fields of one correlation group (the parts of an address) do not count as independent
    /// evidence.
    pub correlated: Option<String>,
    /// Smallest similarity (correlation of two filters, 0 to 1) of the level `near`.
    pub near: f64,
    /// Smallest similarity of the level `far`; below it two values disagree.
    pub far: f64,
    /// Whether agreement on a rare value weighs more than on a common one.
    pub term_frequency: bool,
}

/// A combination of fields: records that agree on all of it become candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockingKey {
    /// Name of the key.
    pub name: String,
    /// Its parts; the key gives no token where one is missing.
    pub parts: Vec<KeyPart>,
    /// A token that more record versions hold gives no candidates, where the key has a limit of its
    /// own: keys that say enough only of rare values.
    pub at_most: Option<usize>,
}

/// A checked linkage schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Name of the schema.
    pub id: String,
    /// Version of the schema; a change of any line below is a new version.
    pub version: u32,
    /// The fields, at most [`Schema::MAX_FIELDS`].
    pub fields: Vec<Field>,
    /// The blocking keys, at most [`Schema::MAX_BLOCKING_KEYS`].
    pub blocking: Vec<BlockingKey>,
    fingerprint: [u8; 32],
}

/// Why a schema file is refused.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The file is not TOML of the right form.
    #[error("the linkage schema is not readable: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A value is out of range or names something unknown.
    #[error("linkage schema, {place}: {what}")]
    Invalid {
        /// The field or blocking key.
        place: String,
        /// What is wrong and what is allowed.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    schema: String,
    version: u32,
    field: Vec<FieldFile>,
    #[serde(default)]
    blocking: Vec<BlockingFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    name: String,
    kind: FieldKind,
    filter: Option<FilterShape>,
    #[serde(default)]
    tokens: Vec<String>,
    #[serde(default)]
    bound_to: Vec<String>,
    exchange: Option<String>,
    correlated: Option<String>,
    near: Option<f64>,
    far: Option<f64>,
    #[serde(default)]
    term_frequency: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockingFile {
    name: String,
    parts: Vec<String>,
    at_most: Option<usize>,
}

impl FilterShape {
    /// Number of 64-bit words of a filter.
    pub fn words(&self) -> usize {
        self.bits as usize / 64
    }

    fn check(&self) -> Result<(), &'static str> {
        match self {
            Self { bits, .. } if *bits == 0 || *bits > 4096 || bits % 64 != 0 => {
                Err("filter.bits is a multiple of 64 up to 4096")
            }
            Self { grams: 0 | 5.., .. } => Err("filter.grams is 1 to 4"),
            Self { hashes: 0 | 65.., .. } => Err("filter.hashes is 1 to 64"),
            Self { diffusion: 0 | 33.., .. } => Err("filter.diffusion is 1 to 32"),
            _ => Ok(()),
        }
    }
}

impl Schema {
    /// Most fields a schema may have.
    pub const MAX_FIELDS: usize = 16;
    /// Most blocking keys a schema may have.
    pub const MAX_BLOCKING_KEYS: usize = 32;

    /// Reads and checks a schema file.
    ///
    /// # Errors
    /// [`SchemaError`] names the line, field or key and what is allowed there.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let file: SchemaFile = toml::from_str(text)?;
        if file.field.is_empty() || file.field.len() > Self::MAX_FIELDS {
            return Err(invalid("fields", format!("1 to {} are allowed", Self::MAX_FIELDS)));
        }
        if file.blocking.len() > Self::MAX_BLOCKING_KEYS {
            let most = Self::MAX_BLOCKING_KEYS;
            return Err(invalid("blocking", format!("at most {most} are allowed")));
        }
        let bound_to: Vec<_> = file.field.iter().map(|field| field.bound_to.clone()).collect();
        let mut fields =
            file.field.into_iter().map(Field::checked).collect::<Result<Vec<_>, _>>()?;
        let names: BTreeSet<_> = fields.iter().map(|field| &field.name).collect();
        if names.len() != fields.len() {
            return Err(invalid("fields", "a name stands twice".to_owned()));
        }
        check_exchange_groups(&fields)?;
        part::bind(&mut fields, &bound_to)?;
        let blocking = file
            .blocking
            .into_iter()
            .map(|key| BlockingKey::checked(key, &fields))
            .collect::<Result<_, _>>()?;
        let mut schema =
            Self { id: file.schema, version: file.version, fields, blocking, fingerprint: [0; 32] };
        schema.fingerprint = Sha256::digest(schema.canonical()).into();
        Ok(schema)
    }

    /// SHA-256 of the schema's meaning: comments, order of keys and spacing do not count.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The place of the field called `name`.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// What the encodings depend on, a line per field and key. Comparison settings (`near`,
    /// `far`, `term_frequency`, `correlated`) are the service's own and do not count.
    fn canonical(&self) -> String {
        use std::fmt::Write;
        let mut text = format!("waymark linkage schema 1\n{} {}\n", self.id, self.version);
        for field in &self.fields {
            let _ = write!(text, "field {} {:?}", field.name, field.kind);
            if let Some(f) = &field.filter {
                let _ = write!(
                    text,
                    " filter {} {} {} {} {}",
                    f.bits, f.grams, f.positional, f.hashes, f.diffusion
                );
            }
            for token in &field.tokens {
                let _ = write!(text, " token {token}");
            }
            for part in &field.bound_to {
                let _ = write!(text, " bound {}:{}", self.fields[part.field].name, part.derivation);
            }
            if let Some(group) = &field.exchange {
                let _ = write!(text, " exchange {group}");
            }
            text.push('\n');
        }
        for key in &self.blocking {
            let _ = write!(text, "blocking {}", key.name);
            for part in &key.parts {
                let _ = write!(text, " {}:{}", self.fields[part.field].name, part.derivation);
            }
            text.push('\n');
        }
        text
    }
}

impl Field {
    /// Whether its tokens but `exact` are hashed together with parts of other fields.
    pub fn is_bound(&self) -> bool {
        !self.bound_to.is_empty()
    }

    fn checked(file: FieldFile) -> Result<Self, SchemaError> {
        let refuse = |what: &str| invalid(&format!("field {}", file.name), what.to_owned());
        if file.name.is_empty()
            || !file.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            return Err(refuse("a name is lower-case letters, digits and '_'"));
        }
        if let Some(shape) = &file.filter {
            shape.check().map_err(refuse)?;
        }
        let mut tokens = Vec::new();
        for text in &file.tokens {
            let derivation: Derivation = text.parse().map_err(|what: String| refuse(&what))?;
            if !derivation.applies_to(file.kind) {
                return Err(refuse(&format!("token '{text}' does not apply to this kind")));
            }
            tokens.push(derivation);
        }
        if file.filter.is_none() && !tokens.contains(&Derivation::Exact) {
            return Err(refuse("needs a filter or the token 'exact' to be compared by"));
        }
        let (near, far) = (file.near.unwrap_or(0.45), file.far.unwrap_or(0.25));
        if !(0.0 < far && far <= near && near <= 1.0) {
            return Err(refuse("0 < far <= near <= 1 must hold"));
        }
        Ok(Self {
            name: file.name,
            kind: file.kind,
            filter: file.filter,
            tokens,
            bound_to: Vec::new(),
            exchange: file.exchange,
            correlated: file.correlated,
            near,
            far,
            term_frequency: file.term_frequency,
        })
    }
}

impl BlockingKey {
    fn checked(file: BlockingFile, fields: &[Field]) -> Result<Self, SchemaError> {
        let refuse = |what: String| invalid(&format!("blocking {}", file.name), what);
        if file.parts.is_empty() {
            return Err(refuse("needs at least one part".to_owned()));
        }
        let part = |text: &String| KeyPart::parse(text, fields).map_err(refuse);
        let parts = file.parts.iter().map(part).collect::<Result<_, _>>()?;
        if file.at_most.is_some_and(|most| most < 2) {
            return Err(refuse(
                "'at_most' is 2 or more: one record alone meets no other".to_owned(),
            ));
        }
        Ok(Self { name: file.name, parts, at_most: file.at_most })
    }
}

/// What is exchanged must be comparable: one kind, one filter shape, the same tokens.
fn check_exchange_groups(fields: &[Field]) -> Result<(), SchemaError> {
    for field in fields.iter().filter(|field| field.exchange.is_some()) {
        let partner = fields.iter().find(|other| {
            other.exchange == field.exchange
                && (other.kind, &other.filter, &other.tokens)
                    != (field.kind, &field.filter, &field.tokens)
        });
        if let Some(partner) = partner {
            let what = format!("kind, filter and tokens must equal those of '{}'", partner.name);
            return Err(invalid(&format!("field {}", field.name), what));
        }
    }
    Ok(())
}

fn invalid(place: &str, what: String) -> SchemaError {
    SchemaError::Invalid { place: place.to_owned(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        schema = "test"
        version = 1
        [[field]]
        name = "dob"
        kind = "date"
        tokens = ["exact", "swapped"]
        [[blocking]]
        name = "year"
        parts = ["dob:year"]
    "#;

    #[test]
    fn the_fingerprint_is_of_the_meaning() {
        let schema = Schema::parse(GOOD).unwrap();
        let spaced = GOOD.replace("version = 1", "version   =   1 # a comment");
        assert_eq!(schema.fingerprint(), Schema::parse(&spaced).unwrap().fingerprint());
        let other = GOOD.replace("dob:year", "dob:year_month");
        assert_ne!(schema.fingerprint(), Schema::parse(&other).unwrap().fingerprint());
    }

    #[test]
    fn errors_say_what_is_allowed() {
        for (from, to, part) in [
            ("\"swapped\"", "\"nickname\"", "does not apply"),
            ("\"swapped\"", "\"without1\"", "does not apply"),
            ("\"swapped\"", "\"backwards\"", "none of exact"),
            ("dob:year", "name:year", "no field is called 'name'"),
            ("[\"exact\", \"swapped\"]", "[]", "needs a filter or the token"),
            ("kind = \"date\"", "kind = \"date\"\ncolour = 1", "unknown field"),
            (
                "[[blocking]]",
                "exchange = \"x\"\n[[field]]\nname = \"d2\"\nkind = \"date\"\nexchange = \"x\"\ntokens = [\"exact\"]\n[[blocking]]",
                "must equal those of",
            ),
        ] {
            let error = Schema::parse(&GOOD.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}

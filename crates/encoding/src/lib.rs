//! The agency side of record linkage: linkage key, normalization and keyed encoding.
//!
//! An [`Encoder`] turns the values of one identity record into a [`record::EncodedRecord`]: a
//! diffused Bloom filter and keyed tokens per field, and keyed blocking tokens over combinations
//! of fields. `ENCODING.md` beside this crate describes the encoding byte by byte; the vectors in
//! `tests/golden` let another implementation check itself against it.
//!
//! Knows nothing of servers, files or storage.

mod derive;
mod encoder;
mod filter;
mod key;
mod normalize;
mod placeholders;
mod table;
mod token;

pub use encoder::{Encoded, Encoder, EncoderSession, Finding, FindingKind, NothingToCompare};
pub use key::{KeyCheckValue, KeyError, LinkageKey};
pub use normalize::{DateParts, Normalized, normalize};
pub use placeholders::{Placeholders, PlaceholdersError};

/// The placeholder list that ships with Waymark (`config/placeholders.toml`).
pub const DEFAULT_PLACEHOLDERS: &str = include_str!("../../../config/placeholders.toml");

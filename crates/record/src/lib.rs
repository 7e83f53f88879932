//! What the agency side and the linkage side share: ids, the linkage schema, the encoded record.
//!
//! Knows nothing of keys, plaintext, storage or the network.

pub mod derivation;
pub mod encoded;
pub mod ids;
pub mod plausible;
pub mod schema;
mod taxpayer;

pub use derivation::Derivation;
pub use encoded::{BlockingToken, EncodedField, EncodedRecord, Filter, LayoutError, Token};
pub use ids::{AgencyId, InvalidId, LocalId, ParticipantId, RecordKey, RecordVersion};
pub use plausible::{Flaw, Implausible, Part, Plausibility};
pub use schema::{
    BlockingKey, DEFAULT_SCHEMA, Field, FieldKind, FilterShape, KeyPart, Schema, SchemaError,
};
pub use taxpayer::is_taxpayer_number;

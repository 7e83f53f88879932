//! The gRPC contract in Rust: generated code, conversions, errors, limits and the `.wmk` file.
//!
//! The contract itself is `proto/`; its packages appear here as one module each.

pub mod convert;
pub mod digest;
pub mod error;
pub mod limits;
mod redact;
pub mod wmk;

use prost::Message;

pub use error::ErrorReason;
pub use prost::DecodeError;
pub use prost_types::Timestamp;

pub use generated::waymark::{
    admin::v1 as admin, audit::v1 as audit, event::v1 as event, file::v1 as file,
    question::v1 as question, registry::v1 as registry, review::v1 as review,
    statement::v1 as statement, status::v1 as status, submission::v1 as submission,
    r#type::v1 as types,
};

/// The compiled contract with its comments, for server reflection and for code generators.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));

/// The bytes of a message, for storage.
pub fn encode(message: &impl Message) -> Vec<u8> {
    message.encode_to_vec()
}

/// The number of bytes of a message.
pub fn encoded_len(message: &impl Message) -> usize {
    message.encoded_len()
}

/// The message in bytes that [`encode`] made.
///
/// # Errors
/// When the bytes are not such a message.
pub fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, DecodeError> {
    M::decode(bytes)
}

#[allow(missing_docs, clippy::all, rustdoc::all, rust_2018_idioms)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/contract.rs"));
}

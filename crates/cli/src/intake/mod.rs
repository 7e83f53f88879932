//! Reading the agency's files: rows, headers, mappings, checks, and the rows that are rejected.

pub mod batch;
#[cfg(feature = "service")]
pub mod encoded;
pub mod events;
mod header;
pub mod identity;
pub mod mapping;
mod pipeline;
pub mod quality;
pub mod recall;
pub mod rejection;
pub mod rows;
pub mod statements;
pub mod table;

//! `waymarkd`: takes encoded records and events, links and flags, and serves each agency the
//! statuses of its own people.
//!
//! Never sees plaintext or a linkage key: what comes in is an encoding or is refused.

mod access;
mod activation;
mod clock;
pub mod config;
mod engine;
mod files;
mod metrics;
mod participants;
mod pepper;
mod pseudonym;
mod rounds;
mod serve;
mod services;
mod sources;
mod status;
mod times;

pub use config::{Config, ConfigError};
pub use serve::{OPERATOR_TOKEN_FILE, ServeError, Service, serve};
pub use services::{Feed, page_token, place_of};

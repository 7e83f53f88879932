//! `waymarkd`: takes encoded records and events, links and flags, and serves each agency the
//! statuses of its own people.
//!
//! Never sees plaintext or a linkage key: what comes in is an encoding or is refused.

mod access;
mod activation;
mod backups;
mod certificate;
mod clock;
pub mod config;
mod engine;
mod files;
mod metrics;
mod operator;
mod participants;
mod pepper;
mod pseudonym;
mod restore;
mod rounds;
mod serve;
mod services;
mod sources;
mod status;
mod times;
mod withdrawals;

pub use config::{Config, ConfigError};
pub use operator::OPERATOR_TOKEN_FILE;
pub use restore::{RestoreError, RestoreReport, RestoreRequest, RestoreTo, restore};
pub use serve::{ServeError, Service, serve};
pub use services::{Feed, page_token, place_of};

//! The gRPC services: each translates calls into the store's intents and the engine's commands.

mod admin;
mod audits;
mod binding;
mod credentials;
mod explanation;
mod export;
mod feed;
mod pages;
mod questions;
mod registry;
mod reviews;
mod rows;
mod statements;
mod statuses;
mod submissions;
mod waiting;
mod withdrawals;

pub use admin::Admin;
pub use audits::Audits;
pub use binding::KeyBinding;
pub use credentials::default_last_day;
pub use explanation::millibits;
pub use export::Exports;
pub use feed::Feed;
pub use pages::{page_token, place_of};
pub use questions::Questions;
pub use registry::Registries;
pub use reviews::Reviews;
pub use statements::Statements;
pub use statuses::Statuses;
pub use submissions::Submissions;

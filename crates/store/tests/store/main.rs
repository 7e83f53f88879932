//! What the store promises, intent by intent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod commits;
mod decisions;
mod fixture;
mod opening;
mod questions;
mod records;
mod resending;
mod restore;
mod settlements;
mod statements;
mod submissions;
mod tasks;

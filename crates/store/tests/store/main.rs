//! What the store promises, intent by intent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod audit;
mod commits;
mod decisions;
mod erasure;
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

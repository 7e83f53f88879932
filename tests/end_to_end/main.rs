//! End-to-end tests: the real `waymarkd` on this machine, driven with the real `waymark`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod authorisation;
mod backups;
mod bad_input;
mod calendar;
mod completeness;
mod decisions;
mod durability;
mod explained;
mod faults;
mod feed;
mod hostile;
mod identity;
mod journey;
mod kills;
mod made_up;
mod metrics;
mod order;
mod others;
mod questions;
mod refusals;
mod reopened;
mod review;
mod rpc;
mod rules;
mod samples;
mod sharing;
mod snapshot;
mod steward;
mod undo;
mod waiting;
mod withdrawal;

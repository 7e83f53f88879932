//! End-to-end tests: the real `waymarkd` on this machine, driven with the real `waymark`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod calendar;
mod completeness;
mod decisions;
mod durability;
mod explained;
mod feed;
mod hostile;
mod journey;
mod made_up;
mod metrics;
mod order;
mod questions;
mod refusals;
mod reopened;
mod review;
mod rules;
mod samples;
mod sharing;
mod snapshot;
mod steward;
mod undo;
mod waiting;

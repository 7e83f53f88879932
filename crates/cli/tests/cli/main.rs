//! Runs the real `waymark` binary on real files.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod desk;
#[cfg(feature = "service")]
mod linking;
#[cfg(feature = "service")]
mod model;
mod offline;
mod registry;
mod review;
mod surface;

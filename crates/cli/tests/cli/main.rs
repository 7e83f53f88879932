//! Runs the real `waymark` binary on real files.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod desk;
#[cfg(feature = "service")]
mod linking;
mod offline;
mod surface;

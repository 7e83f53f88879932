//! Runs the real `waymark` binary on real files.

mod desk;
#[cfg(feature = "service")]
mod linking;
mod offline;
mod surface;

//! Drives the real `waymark review` in a pseudo terminal, against a made-up service, and records
//! what an emulator of a terminal shows.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod connection;
mod fake;
mod fixture;
mod sessions;
mod terminal;

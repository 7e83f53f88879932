//! A real `waymarkd` on this machine and the real `waymark` that talks to it, for the end-to-end
//! tests.
//!
//! A helper that cannot do its work panics and says why: a test has nothing to handle.

mod binaries;
mod run;
mod service;
mod wait;

pub use binaries::binary;
pub use run::Run;
pub use service::{Desk, FREE_PORT, OPERATOR, Partition, Service, partition};
pub use wait::until;

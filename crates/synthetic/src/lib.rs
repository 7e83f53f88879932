//! A made-up state with known truth: people, the records that five agencies have of them, and
//! what they do there, for the demo, the tests and the benches.
//!
//! Nobody in it exists. Everything follows from [`Settings`]: the same settings give the same
//! bytes.

mod activity;
mod agency;
mod catalog;
mod distort;
mod membership;
mod names;
mod observe;
mod person;
mod places;
mod population;
mod random;
mod row;
mod settings;
mod ssn;
mod state;
mod write;

pub use agency::{Agency, Column};
pub use catalog::Catalog;
pub use person::{HouseholdId, Person, PersonId, Sex};
pub use row::{Distortion, Distortions, IdentityRow, Record};
pub use settings::{Noise, Settings};
pub use state::State;

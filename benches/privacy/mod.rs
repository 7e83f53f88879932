//! Attacks on what the service stores, by somebody who holds it and a population file.
//!
//! The attacker knows schema, algorithm and parameters, not the keys: everything that needs a key
//! is done with keys of the attacker's own, which leaves equality and similarity as they are.

pub mod align;
pub mod case;
pub mod chains;
pub mod graph;
pub mod likeness;
pub mod mutual;
pub mod popcount;
pub mod profile;
pub mod propagate;
pub mod scene;
pub mod similarity;

//! The engine: one thread that replays facts in their order, links, and keeps what follows from
//! them.
//!
//! Live work, recovery after a crash and the proof that nothing drifted are one code path: read
//! the next facts, settle what they touched, write what changed in one transaction.

mod calendar;
mod changes;
mod erasures;
mod evaluate;
mod handle;
mod held;
mod origins;
mod reconcile;
mod replay;
mod state;
mod tasks;
#[cfg(test)]
mod tests;

pub use evaluate::{Evaluator, Profiles};
pub(crate) use evaluate::{on_day, read_change, read_status};
pub use handle::{EngineError, EngineHandle, Explained, Progress, TrainedModel, Training};
pub use reconcile::{Difference, Reconciled};
pub use state::Engine;
pub(crate) use tasks::AUDIT;

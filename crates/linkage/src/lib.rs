//! Links encoded records into people: blocking, comparison, the Fellegi-Sunter model, partition.
//!
//! Pure: knows nothing of keys, plaintext, storage or the network. A record's way: `index` interns
//! its values, `block` finds candidates, `compare` gives an agreement pattern, `score` its weight,
//! `edges` keeps what reaches the lower cut-off, `partition` turns components into people.

mod block;
mod compare;
mod edges;
pub mod evaluate;
pub mod explain;
pub mod frequency;
mod index;
pub mod level;
pub mod linker;
pub mod model;
mod oversize;
mod partition;
pub mod policy;
mod score;
mod settle;
pub mod settlement;
pub mod train;
mod values;
pub mod weight;

pub use evaluate::{Evaluation, evaluate};
pub use explain::{PairDecision, PairExplanation};
pub use frequency::{FrequencyError, TermFrequencies};
pub use level::{Level, Pattern};
pub use linker::Linker;
pub use model::{CutOffs, DEFAULT_MODEL, FieldModel, LevelModel, Model, ModelError};
pub use policy::Policy;
pub use settlement::{
    BlockingReport, Decision, OversizeComponent, ReviewReason, ReviewTask, ScoredPair, Settlement,
};
pub use train::{Training, TrainingError, TrainingOptions};
pub use weight::MatchWeight;

//! Links encoded records into people: blocking, comparison, the Fellegi-Sunter model, partition.
//!
//! Pure: knows nothing of keys, plaintext, storage or the network. A record's way: `index` interns
//! its values, `block` finds candidates, `compare` gives an agreement pattern, `score` its weight,
//! `edges` keeps what reaches the lower cut-off, `partition` turns components into people.

pub mod audit;
mod block;
pub mod calibration;
mod compare;
mod component;
mod contrary;
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
mod reach;
mod score;
mod settle;
pub mod settlement;
pub mod train;
mod values;
pub mod weight;

pub use audit::{JudgedStratum, SampleOptions, SampleQuality, SampledStratum};
pub use calibration::{Calibration, ErrorRates, Estimate};
pub use evaluate::{Evaluation, evaluate};
pub use explain::{PairDecision, PairExplanation};
pub use frequency::{FrequencyError, HeldValues, TermFrequencies};
pub use level::{Level, Pattern};
pub use linker::Linker;
pub use model::{CutOffs, DEFAULT_MODEL, FieldModel, LevelModel, Model, ModelError};
pub use policy::Policy;
pub use reach::Reach;
pub use settlement::{
    BlockingReport, Decided, Decision, Join, OversizeComponent, ReviewReason, ReviewTask,
    ScoredPair, Settlement,
};
pub use train::{LabelReport, LabeledJoin, Training, TrainingError, TrainingOptions};
pub use weight::MatchWeight;

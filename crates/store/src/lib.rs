//! The durable state: facts that are only ever added to, and what is derived from them, in SQLite.
//!
//! One method is one intent and one atomic transaction. Facts (`fact_` tables) are append-only and
//! ordered by [`Seq`]; derived state (`derived_` tables) can be dropped and computed again. Knows
//! nothing of gRPC, of linkage or of rules: payloads are opaque, time comes in as a parameter.

mod activations;
mod agencies;
mod appends;
mod arrivals;
mod audit;
mod backup;
mod calendar;
mod checkpoint;
mod columns;
mod content;
mod credentials;
mod decide;
mod decisions;
mod effects;
mod erasure;
mod error;
mod events;
mod feed;
mod finalize;
mod handles;
mod integrity;
pub mod limits;
mod log;
mod memberships;
mod migrate;
mod names;
mod notes;
#[cfg(test)]
mod plans;
mod questions;
mod queue;
mod readers;
mod records;
mod repeats;
mod restore;
mod samples;
mod settings;
mod settle;
mod staged;
mod statements;
mod statuses;
mod store;
mod submissions;
mod tasks;
mod truncate;
mod verify;
mod workload;
mod writer;

pub use activations::{Activation, ActivationKind};
pub use agencies::Agency;
pub use appends::{Appended, NewRow, Refusal, RejectionReason, RowContent, RowRejection};
pub use audit::{Action, Actor, AuditEntry, AuditFilter, AuditedRecord, Disclosure, NewAuditEntry};
pub use backup::{Inspected, inspect};
pub use calendar::{Due, Evaluation};
pub use credentials::{
    Credential, CredentialHash, CredentialKind, CredentialScope, CredentialState, Grant, Principal,
    Role,
};
pub use decide::Objection;
pub use decisions::{Decision, DecisionId, Decisions, NewDecision, Scope, Shown, Undo, Verdict};
pub use effects::Moved;
pub use erasure::{Erasure, ErasureId, NewErasure, Purge, Purged, Withdrawn};
pub use error::Error;
pub use events::{EventKey, StoredEvent, TakenBack};
pub use feed::{Change, ChangeCause, FeedPlace, Held, NewChange};
pub use finalize::{Seal, Submitted};
pub use handles::{Handle, HandleKey};
pub use log::{Fact, FactKind, Seq};
pub use memberships::{MembershipCause, MembershipEntry};
pub use names::UnknownName;
pub use notes::{Note, NoteKind, Standing};
pub use questions::{
    Answer, DrawnQuestion, NewQuestion, NotAsked, Question, QuestionId, QuestionPlace,
    QuestionRound,
};
pub use queue::{Claim, Claimed, TaskFilter, TaskPlace, TaskState};
pub use records::Records;
pub use restore::{FactCounts, Place, Resend, Restoration, Restored};
pub use samples::{NewStratum, Sample, Stratum};
pub use settle::{Assignment, Origin, Redirect, Settled, StatusReplacement, TaskReplacement};
pub use statements::{NewStatement, Stated, StatementKind, StoredStatement};
pub use statuses::{LabelCount, StatusFilter, StatusPlace, StatusRow};
pub use store::Store;
pub use submissions::{
    NewSubmission, Receipt, Submission, SubmissionId, SubmissionKind, SubmissionMode,
    SubmissionState,
};
pub use tasks::{Lease, OpenTask, Task, TaskId, WaitKind, Waits};
pub use verify::Verified;
pub use workload::{AGES, Act, ActCounts, FieldAnswer, OpenTasks};

/// What every method of the store answers.
pub type Result<T> = std::result::Result<T, Error>;

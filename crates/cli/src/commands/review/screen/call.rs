//! What the screen asks of the service, and what comes back.

use api::{
    ErrorReason,
    review::{
        AskAgencyResponse, ClaimTaskRequest, ClaimTaskResponse, DecideTaskResponse, Decision,
        ListDecisionsRequest, ListTasksRequest, ListTasksResponse, ReleaseTaskRequest,
        UndoDecisionResponse,
    },
};

use super::commitment::Commitment;
use crate::failure::Failure;

/// A call. Calls are made one after the other, in the order in which the screen asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Take a task, to put it on the screen.
    Claim(ClaimTaskRequest),
    /// Take the task on the screen again, so that its lease does not end.
    Renew(ClaimTaskRequest),
    /// Give a task back.
    Release(ReleaseTaskRequest),
    /// Show a page of the queue.
    List(ListTasksRequest),
    /// Look up the steward's newest decision.
    LastDecision(ListDecisionsRequest),
    /// What must not be lost.
    Commit(Pending),
}

/// A commitment on its way: it stands in the journal until the service answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Its name in the journal; times in it make names sort as the commitments were made.
    pub id: String,
    /// What is committed.
    pub commitment: Commitment,
    /// Whether an earlier run made it.
    pub is_kept: bool,
}

/// What the service answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To [`Call::Claim`] and [`Call::Renew`].
    Claimed(Box<ClaimTaskResponse>),
    /// To [`Call::Release`].
    Released,
    /// To [`Call::List`].
    Listed(ListTasksResponse),
    /// To [`Call::LastDecision`].
    LastDecision(Option<Box<Decision>>),
    /// To a verdict.
    Decided(DecideTaskResponse),
    /// To an undoing.
    Undone(UndoDecisionResponse),
    /// To a question.
    Asked(AskAgencyResponse),
    /// To any call: nothing was changed.
    Refused(Refusal),
}

/// Why the service did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its reason; `None`: not one of the service's own.
    pub reason: Option<ErrorReason>,
    /// Its words.
    pub message: String,
}

/// What became of the oldest call.
#[derive(Debug)]
pub enum Report {
    /// The service answered.
    Answered(Answer),
    /// It did not, for the `n`th time; the same call is made again in a moment.
    Lost(u32),
    /// The caller may not call any more; calls are made no longer.
    Ended(Failure),
}

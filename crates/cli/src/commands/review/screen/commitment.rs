//! What a steward commits to: verdicts, undoings and questions, as they are sent.

use api::{
    DecodeError,
    review::{AskAgencyRequest, DecideTaskRequest, UndoDecisionRequest, Verdict},
};

use super::words;

/// What must reach the service once it was said.
#[derive(Debug, Clone, PartialEq)]
pub enum Commitment {
    /// A verdict on a task.
    Decide(DecideTaskRequest),
    /// A decision taken back. It has no request id: taken back twice, the second time is refused.
    Undo(UndoDecisionRequest),
    /// A question to an agency.
    Ask(AskAgencyRequest),
}

impl Commitment {
    /// Its kind, as the journal names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Decide(_) => "decide",
            Self::Undo(_) => "undo",
            Self::Ask(_) => "ask",
        }
    }

    /// The request, byte for byte as it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Decide(request) => api::encode(request),
            Self::Undo(request) => api::encode(request),
            Self::Ask(request) => api::encode(request),
        }
    }

    /// The commitment of that kind in `bytes`; `None`: there is no such kind.
    ///
    /// # Errors
    /// When the bytes are no such request.
    pub fn from_bytes(kind: &str, bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match kind {
            "decide" => Self::Decide(api::decode(bytes)?),
            "undo" => Self::Undo(api::decode(bytes)?),
            "ask" => Self::Ask(api::decode(bytes)?),
            _ => return Ok(None),
        }))
    }

    /// What it says, in words: `to separate task T1`.
    pub fn words(&self) -> String {
        match self {
            Self::Decide(request) => {
                let verb = match request.verdict() {
                    Verdict::Link => "link",
                    Verdict::Separate => "separate",
                    Verdict::Defer => "defer",
                    Verdict::Escalate => "escalate",
                    Verdict::Unspecified => "decide",
                };
                format!("to {verb} task {}", request.id)
            }
            Self::Undo(request) => format!("to take back decision {}", request.id),
            Self::Ask(request) => {
                format!("to ask about {}", words::record(request.record.as_ref()))
            }
        }
    }
}

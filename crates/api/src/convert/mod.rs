//! Between the contract's messages and the domain's types. What comes in is parsed, never trusted.
//!
//! What is refused is named by the path of the field and by what to give instead; the content of a
//! field is never repeated.

mod date;
mod event;
mod ids;
mod record;
mod statement;
mod status;
mod terms;
mod time;

use crate::submission::{RejectionReason, RowRejection};

pub use date::{date_from_proto, date_to_proto, optional_date};
pub use event::{event_from_proto, event_kind, event_refusal, event_to_proto};
pub use ids::{record_key_from_proto, record_key_to_proto};
pub use record::{record_from_proto, record_to_proto};
pub use statement::{statement_from_proto, statement_to_proto};
pub use status::{Addressee, status_to_proto};
pub use terms::{Binding, Terms, binding_from_proto, binding_to_proto};
pub use time::{micros_from_timestamp, timestamp_from_micros};

/// A field of a request that does not fit, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, such as `as_of.month`.
    pub field: String,
    /// What to give, as an instruction. Never repeats what was given.
    pub remedy: String,
}

/// Why a row of a submission is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRefusal {
    /// The kind of fault.
    pub reason: RejectionReason,
    /// Where it is and what to do.
    pub violation: Violation,
}

impl Violation {
    /// Says that `field` does not fit and what to give.
    pub fn new(field: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { field: field.into(), remedy: remedy.into() }
    }

    /// The same fault seen from the message that holds `field` in its field `parent`.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.field.insert(0, '.');
        self.field.insert_str(0, parent);
        self
    }
}

impl RowRefusal {
    /// Refuses a row for `reason`.
    pub fn new(
        reason: RejectionReason,
        field: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { reason, violation: Violation::new(field, remedy) }
    }

    /// The refusal as the answer to the row at `offset`.
    pub fn at(self, offset: u64) -> RowRejection {
        RowRejection {
            offset,
            reason: self.reason.into(),
            field: self.violation.field,
            remedy: self.violation.remedy,
        }
    }
}

impl From<Violation> for RowRefusal {
    fn from(violation: Violation) -> Self {
        Self { reason: RejectionReason::Malformed, violation }
    }
}

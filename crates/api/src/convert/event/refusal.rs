//! Refusals of events in which the domain's own checks found a fault.

use pathways::EventError;

use super::detail_name;
use crate::{
    convert::{RowRefusal, Violation},
    event::{self, event::Detail},
    submission::RejectionReason,
};

/// The refusal of an event in which the domain's own check found a fault: the path of the field
/// that the fault's column stands for, and what to give.
pub fn event_refusal(error: &EventError, message: &event::Event) -> RowRefusal {
    let reason = match error {
        EventError::Cip
        | EventError::Occupation
        | EventError::Naics
        | EventError::Reason { .. } => RejectionReason::UnknownCode,
        EventError::Edition(_) => RejectionReason::WrongEdition,
        EventError::Pathway => RejectionReason::UnknownPathway,
        EventError::EndBeforeStart => RejectionReason::EndBeforeStart,
        _ => RejectionReason::Malformed,
    };
    let violation = Violation::new(String::new(), error.remedy());
    let violation = match (error.column(), &message.detail) {
        ("event_id", _) => Violation { field: "source_event_id".to_owned(), ..violation },
        (column @ ("supersedes" | "purpose_tags"), _) | (column, None) => {
            Violation { field: column.to_owned(), ..violation }
        }
        (column, Some(detail)) => {
            let field = field_of_column(column, detail).to_owned();
            Violation { field, ..violation }.within(detail_name(detail))
        }
    };
    RowRefusal { reason, violation: violation.within("event") }
}

/// The field of a detail that a column of a table of events stands for.
fn field_of_column(column: &'static str, detail: &Detail) -> &'static str {
    match (column, detail) {
        ("code", Detail::Enrollment(_) | Detail::ClassHours(_)) => "program.code",
        ("code_system", Detail::Enrollment(_) | Detail::ClassHours(_)) => "program.system",
        ("code", Detail::Training(_)) => "study.code",
        ("code_system", Detail::Training(_)) => "study.system",
        ("occupation", _) => "occupation.code",
        ("occupation_system", _) => "occupation.system",
        ("code_system", _) => "system",
        ("course", Detail::ClassHours(_)) => "class",
        ("hours", _) => "hours_hundredths",
        ("value", Detail::Grade(_)) => "grade",
        ("value", Detail::Revocation(_)) => "credential_event_id",
        ("value", Detail::Void(_)) => "voided_event_id",
        ("term", Detail::Wages(_)) => "quarter",
        ("amount", _) => "amount_cents",
        _ => column,
    }
}

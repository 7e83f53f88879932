//! Errors on the wire: google.rpc details with a reason of the error catalogue.
//!
//! Every error that a service makes carries an `ErrorInfo` whose reason is one of
//! [`ErrorReason`]; each has one gRPC code and one page. What varies in a message stands in the
//! metadata too, so that programs need not read prose.

mod reason;

use std::{collections::HashMap, time::Duration};

use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::convert::Violation;

pub use reason::{ErrorReason, UnknownReason};

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "waymark";

/// An error for `reason`. `metadata` names what varies; it never holds an identity value.
pub fn status(reason: ErrorReason, message: &str, metadata: &[(&str, String)]) -> Status {
    Status::with_error_details(reason.code(), message, info(reason, metadata))
}

/// An error for fields of a request that do not fit, [`ErrorReason::RequestInvalid`].
pub fn invalid(violations: &[Violation]) -> Status {
    let mut details = info(ErrorReason::RequestInvalid, &[]);
    details.set_bad_request(
        violations
            .iter()
            .map(|violation| FieldViolation {
                field: violation.field.clone(),
                description: violation.remedy.clone(),
                reason: String::new(),
                localized_message: None,
            })
            .collect::<Vec<_>>(),
    );
    let places: Vec<_> = violations.iter().map(|v| format!("{}: {}", v.field, v.remedy)).collect();
    let message = format!("the request does not fit at {}", places.join("; "));
    Status::with_error_details(ErrorReason::RequestInvalid.code(), message, details)
}

/// An error for `reason` that goes away by itself: the caller may repeat the call after a while.
pub fn retry(reason: ErrorReason, message: &str, after: Duration) -> Status {
    let mut details = info(reason, &[]);
    details.set_retry_info(Some(after));
    Status::with_error_details(reason.code(), message, details)
}

fn info(reason: ErrorReason, metadata: &[(&str, String)]) -> ErrorDetails {
    let metadata: HashMap<_, _> =
        metadata.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    ErrorDetails::with_error_info(reason.name(), DOMAIN, metadata)
}

impl From<Violation> for Status {
    fn from(violation: Violation) -> Self {
        invalid(&[violation])
    }
}

/// The reason of an error that a service made; `None` for one made elsewhere on the way.
pub fn reason_of(status: &Status) -> Option<ErrorReason> {
    let info = status.get_details_error_info().filter(|info| info.domain == DOMAIN)?;
    info.reason.parse().ok()
}

/// An entry of an error's metadata, such as `expected_offset` of [`ErrorReason::OffsetGap`].
pub fn metadata_of(status: &Status, name: &str) -> Option<String> {
    status.get_details_error_info()?.metadata.remove(name)
}

/// The fields that do not fit.
pub fn violations_of(status: &Status) -> Vec<Violation> {
    let request = status.get_details_bad_request();
    let fields = request.into_iter().flat_map(|request| request.field_violations);
    fields.map(|field| Violation::new(field.field, field.description)).collect()
}

/// How long to wait before repeating the call, where repeating it helps.
pub fn retry_after(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn reason_and_metadata_are_read_back() {
        let metadata = [("expected_offset", 7.to_string())];
        let status = status(ErrorReason::OffsetGap, "rows are missing before offset 9", &metadata);
        assert_eq!(status.code(), Code::OutOfRange);
        assert_eq!(reason_of(&status), Some(ErrorReason::OffsetGap));
        assert_eq!(metadata_of(&status, "expected_offset").as_deref(), Some("7"));
        assert_eq!(metadata_of(&status, "other"), None);
    }

    #[test]
    fn violations_are_read_back() {
        let violations = [Violation::new("as_of.month", "give 1 to 12"), Violation::new("a", "b")];
        let status = invalid(&violations);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(violations_of(&status), violations);
        assert!(status.message().contains("as_of.month: give 1 to 12"), "{}", status.message());
    }

    #[test]
    fn a_wait_is_read_back() {
        let status = retry(ErrorReason::ServiceBusy, "the queue is full", Duration::from_secs(2));
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(retry_after(&status), Some(Duration::from_secs(2)));
    }

    #[test]
    fn an_error_made_elsewhere_has_no_reason() {
        assert_eq!(reason_of(&Status::unavailable("connection refused")), None);
        let details = ErrorDetails::with_error_info("OFFSET_GAP", "example.org", HashMap::new());
        let foreign = Status::with_error_details(Code::Internal, "foreign", details);
        assert_eq!(reason_of(&foreign), None);
    }
}

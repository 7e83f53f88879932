//! What the service answers, in the user's terms: errors, days and times.

use api::{
    ErrorReason,
    convert::{date_from_proto, date_to_proto, micros_from_timestamp},
    error::reason_of,
    types,
};
use jiff::{Timestamp, civil::Date};
use serde_json::Value;
use tonic::{Code, Status};

use super::tls;
use crate::{catalogue, exit::Exit, failure::Failure, output::text};

/// A call that failed.
pub fn failure(status: &Status) -> Failure {
    let Some(reason) = reason_of(status) else { return without_reason(status) };
    let exit = match reason {
        ErrorReason::KeyMismatch | ErrorReason::SchemaUnknown | ErrorReason::ModelInvalid => {
            Exit::BadConfig
        }
        _ => exit_of(status.code()),
    };
    Failure {
        exit,
        what: format!("the service: {}", status.message()),
        remedy: None,
        page: Some(reason.name().to_owned()),
    }
}

/// An error that the service itself did not make: the network's, or a proxy's.
fn without_reason(status: &Status) -> Failure {
    if let Some(failure) = tls::failure(status) {
        return failure;
    }
    match status.code() {
        // An internal error of the service itself has a reason: this one is of the transport.
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal => {
            let what = "the connection to the server was lost";
            Failure::new(catalogue::Code::ServerUnreachable, what).remedy(
                "run the same command again: nothing is sent twice. Where that changes nothing, \
                 see whether the address begins with https:// as waymarkd prints it, and whether \
                 the service asks for a client certificate (--certificate)",
            )
        }
        code => {
            let what = format!("the server answered {code:?}: {}", status.message());
            Failure::plain(exit_of(code), what)
        }
    }
}

fn exit_of(code: Code) -> Exit {
    match code {
        Code::Unauthenticated | Code::PermissionDenied => Exit::NotPermitted,
        Code::Unavailable | Code::ResourceExhausted | Code::Aborted | Code::DeadlineExceeded => {
            Exit::TryLater
        }
        Code::Internal | Code::Unknown | Code::DataLoss | Code::Unimplemented => Exit::Bug,
        _ => Exit::BadInput,
    }
}

/// Whether the same call may succeed in a moment.
pub fn is_passing(status: &Status) -> bool {
    match reason_of(status) {
        Some(reason) => {
            matches!(reason, ErrorReason::ServiceBusy | ErrorReason::ServiceUnavailable)
        }
        None => {
            let is_lost =
                matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled);
            is_lost && tls::failure(status).is_none()
        }
    }
}

/// A day as a cell; empty where there is none.
pub fn day(date: Option<&types::Date>) -> Value {
    match date.map(|date| date_from_proto(Some(date), "date")) {
        Some(Ok(date)) => text(date),
        _ => Value::Null,
    }
}

/// A day as a message.
pub fn day_message(date: Option<Date>) -> Option<types::Date> {
    date.map(date_to_proto)
}

/// A time as a cell, to the second in UTC; empty where there is none.
pub fn time(timestamp: Option<&api::Timestamp>) -> Value {
    let micros = timestamp.map(micros_from_timestamp);
    match micros.map(|micros| Timestamp::from_second(micros.div_euclid(1_000_000))) {
        Some(Ok(at)) => text(at),
        _ => Value::Null,
    }
}

/// The name of a protobuf enumeration's value without its prefix, in lower case.
pub fn plain_name(name: &str, prefix: &str) -> Value {
    text(name.trim_start_matches(prefix).trim_start_matches('_').to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_service_names_its_page_and_exit_code() {
        for (reason, exit) in [
            (ErrorReason::KeyMismatch, Exit::BadConfig),
            (ErrorReason::TokenInvalid, Exit::NotPermitted),
            (ErrorReason::ServiceBusy, Exit::TryLater),
            (ErrorReason::RecordUnknown, Exit::BadInput),
            (ErrorReason::Internal, Exit::Bug),
        ] {
            let failure = failure(&api::error::status(reason, "so it is", &[]));
            assert_eq!(failure.exit, exit, "{reason}");
            assert_eq!(failure.page.as_deref(), Some(reason.name()));
            assert!(failure.what.contains("so it is"));
        }
    }

    #[test]
    fn a_lost_connection_is_told_as_one() {
        let failure = failure(&Status::unavailable("tcp connect error"));
        assert_eq!(failure.exit, Exit::Unreachable);
        assert!(is_passing(&Status::unavailable("tcp connect error")));
        assert!(!is_passing(&api::error::status(ErrorReason::KeyMismatch, "", &[])));
    }

    #[test]
    fn days_and_names_are_plain() {
        let date = types::Date { year: 2026, month: 1, day: 31 };
        assert_eq!(day(Some(&date)), "2026-01-31");
        assert_eq!(day(None), Value::Null);
        assert_eq!(plain_name("SUBMISSION_STATE_OPEN", "SUBMISSION_STATE"), "open");
        let at = api::Timestamp { seconds: 1_000_000_000, nanos: 5 };
        assert_eq!(time(Some(&at)), "2001-09-09T01:46:40Z");
    }
}

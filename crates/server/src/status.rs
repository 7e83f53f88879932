//! How the errors of the inner rooms look to a caller: one place, one reason each.

use std::time::Duration;

use api::{
    ErrorReason,
    error::{retry, status},
};
use store::{NewAuditEntry, Store};
use tonic::Status;

use crate::{engine::EngineError, withdrawals::WithdrawalLogError};

/// What a caller is told of the store's error when `missing` is what was asked for.
pub fn of_store(error: &store::Error, missing: ErrorReason) -> Status {
    use store::Error as E;
    match error {
        E::NotFound { .. } => status(missing, &error.to_string(), &[]),
        E::AlreadyExists { what: "credential label" } => {
            status(ErrorReason::CredentialLabelExists, &error.to_string(), &[])
        }
        E::AlreadyExists { what: "credential" } => {
            let message = "the certificate was registered before, and may be revoked: list the \
                           certificates, and have another one made where it is";
            status(ErrorReason::CertificateExists, message, &[])
        }
        E::AlreadyExists { what: "agency" } => {
            status(ErrorReason::AgencyExists, &error.to_string(), &[])
        }
        E::OffsetGap { expected } => {
            let metadata = [("expected_offset", expected.to_string())];
            status(ErrorReason::OffsetGap, &error.to_string(), &metadata)
        }
        E::Sealed => status(ErrorReason::SubmissionSealed, &error.to_string(), &[]),
        E::Busy => retry(ErrorReason::ServiceBusy, &error.to_string(), Duration::from_secs(1)),
        E::Full | E::Disk(_) | E::ReadOnly(_) => {
            tracing::error!(%error, "nothing can be made durable");
            status(ErrorReason::ServiceUnavailable, &error.to_string(), &[])
        }
        E::Conflict { .. } | E::AlreadyExists { .. } => {
            status(ErrorReason::RequestIdReused, &error.to_string(), &[])
        }
        E::Fatal(_)
        | E::Corrupt(_)
        | E::Locked { .. }
        | E::RestoreCutShort { .. }
        | E::NewerSchema { .. }
        | E::Foreign { .. }
        | E::Io { .. } => {
            tracing::error!(%error, "the store failed");
            internal()
        }
    }
}

/// Puts an entry into the audit log, before its caller is told what it says.
///
/// # Errors
/// The store's, as the caller is told of it.
pub fn log(store: &Store, entry: NewAuditEntry) -> Result<(), Status> {
    store.audit(entry).map_err(|e| of_store(&e, ErrorReason::Internal))
}

/// What a caller is told of the engine's error.
pub fn of_engine(error: &EngineError) -> Status {
    match error {
        EngineError::Busy => {
            retry(ErrorReason::ServiceBusy, &error.to_string(), Duration::from_secs(1))
        }
        EngineError::Stopped => status(ErrorReason::ServiceUnavailable, &error.to_string(), &[]),
        EngineError::Training(_) => status(ErrorReason::TrainingFailed, &error.to_string(), &[]),
        EngineError::Model(_) => status(ErrorReason::ModelInvalid, &error.to_string(), &[]),
        EngineError::Store(error) => of_store(error, ErrorReason::Internal),
    }
}

/// What a caller is told where the log of withdrawals cannot be written.
pub fn of_withdrawal_log(error: &WithdrawalLogError) -> Status {
    tracing::error!(%error, "the log of withdrawals cannot be written");
    let message = "the records are erased, but the log beside the backups cannot be written: have an \
                   operator look at its folder, then ask again with the same request id";
    status(ErrorReason::ServiceUnavailable, message, &[])
}

/// An error of the service itself; the log has the details.
pub fn internal() -> Status {
    let message = "the service failed; nothing that was acknowledged is lost";
    status(ErrorReason::Internal, message, &[])
}

/// Runs work that blocks (the disk, much computation) off the threads that serve.
///
/// # Errors
/// The work's own, or an internal error when it panicked.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Status> + Send + 'static,
) -> Result<T, Status> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => {
            tracing::error!(%error, "a request failed");
            Err(internal())
        }
    }
}

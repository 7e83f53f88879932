//! The error catalogue: every reason with its gRPC code and its page in `errors/`.

use std::{fmt, str::FromStr};

use tonic::Code;

/// A name that is not in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the error catalogue has no such reason")]
pub struct UnknownReason;

macro_rules! catalogue {
    ($($(#[$doc:meta])* $reason:ident = $name:literal, $code:ident;)*) => {
        /// Why a call failed. Names, codes and meanings never change; new reasons may come.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorReason {
            $($(#[$doc])* $reason,)*
        }

        impl ErrorReason {
            /// Every reason, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$reason,)*];

            /// The name on the wire and in the catalogue, such as `KEY_MISMATCH`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$reason => $name,)* }
            }

            /// The gRPC code that goes with it.
            pub fn code(self) -> Code {
                match self { $(Self::$reason => Code::$code,)* }
            }

            /// Its page of the catalogue, in Markdown: what happened, why, and what to do.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$reason => include_str!(concat!("../../errors/", $name, ".md")),)*
                }
            }
        }
    };
}

catalogue! {
    /// The call carries no credential: neither a bearer token nor a registered certificate.
    TokenMissing = "TOKEN_MISSING", Unauthenticated;
    /// The bearer token is unknown, expired or revoked.
    TokenInvalid = "TOKEN_INVALID", Unauthenticated;
    /// The client certificate is not registered, expired or revoked.
    CertificateInvalid = "CERTIFICATE_INVALID", Unauthenticated;
    /// The caller's role or the credential's scopes do not allow this.
    NotPermitted = "NOT_PERMITTED", PermissionDenied;
    /// The data belong to another agency than the caller.
    AgencyMismatch = "AGENCY_MISMATCH", PermissionDenied;
    /// No agency has this id.
    AgencyUnknown = "AGENCY_UNKNOWN", NotFound;
    /// The agency exists with another title.
    AgencyExists = "AGENCY_EXISTS", AlreadyExists;
    /// No credential of this kind has the label.
    CredentialUnknown = "CREDENTIAL_UNKNOWN", NotFound;
    /// A credential of this label exists.
    CredentialLabelExists = "CREDENTIAL_LABEL_EXISTS", AlreadyExists;
    /// The certificate was registered before.
    CertificateExists = "CERTIFICATE_EXISTS", AlreadyExists;
    /// Fields of the request do not fit; the details name them.
    RequestInvalid = "REQUEST_INVALID", InvalidArgument;
    /// The request id was used for another request.
    RequestIdReused = "REQUEST_ID_REUSED", AlreadyExists;
    /// The page token is not one that the service gave for this list and filter.
    PageTokenInvalid = "PAGE_TOKEN_INVALID", InvalidArgument;
    /// The records were encoded under another linkage schema.
    SchemaUnknown = "SCHEMA_UNKNOWN", FailedPrecondition;
    /// The records were encoded with another linkage key.
    KeyMismatch = "KEY_MISMATCH", FailedPrecondition;
    /// The agency has no such submission.
    SubmissionUnknown = "SUBMISSION_UNKNOWN", NotFound;
    /// The submission takes no more rows.
    SubmissionSealed = "SUBMISSION_SEALED", FailedPrecondition;
    /// Rows are missing between the committed offset and the first one sent.
    OffsetGap = "OFFSET_GAP", OutOfRange;
    /// The message has more rows than allowed.
    TooManyRows = "TOO_MANY_ROWS", InvalidArgument;
    /// Count or digest of the rows differ from what the service received.
    DigestMismatch = "DIGEST_MISMATCH", FailedPrecondition;
    /// The snapshot would withdraw more records than allowed.
    WithdrawLimitExceeded = "WITHDRAW_LIMIT_EXCEEDED", FailedPrecondition;
    /// The only row of the call was rejected.
    RowRejected = "ROW_REJECTED", InvalidArgument;
    /// No current record has this name.
    RecordUnknown = "RECORD_UNKNOWN", NotFound;
    /// Nothing can be said any more: data were withdrawn and erased.
    DataWithdrawn = "DATA_WITHDRAWN", NotFound;
    /// The audit log has no such entry.
    AuditEntryUnknown = "AUDIT_ENTRY_UNKNOWN", NotFound;
    /// The registry has no such pathway.
    PathwayUnknown = "PATHWAY_UNKNOWN", NotFound;
    /// `known_at` lies before `as_of`.
    KnownBeforeAsOf = "KNOWN_BEFORE_AS_OF", InvalidArgument;
    /// The cursor is not one that this feed gave.
    CursorInvalid = "CURSOR_INVALID", InvalidArgument;
    /// No review task has this id.
    TaskUnknown = "TASK_UNKNOWN", NotFound;
    /// The review task changed since it was read.
    TaskChanged = "TASK_CHANGED", Aborted;
    /// Another steward holds the review task.
    TaskHeld = "TASK_HELD", FailedPrecondition;
    /// The decision contradicts earlier decisions.
    DecisionConflict = "DECISION_CONFLICT", FailedPrecondition;
    /// No decision has this id.
    DecisionUnknown = "DECISION_UNKNOWN", NotFound;
    /// The decision was taken back before.
    DecisionUndone = "DECISION_UNDONE", FailedPrecondition;
    /// The agency has no such question.
    QuestionUnknown = "QUESTION_UNKNOWN", NotFound;
    /// The question has another answer.
    QuestionAnswered = "QUESTION_ANSWERED", FailedPrecondition;
    /// No newer version of the record was accepted since the question was asked.
    CorrectionMissing = "CORRECTION_MISSING", FailedPrecondition;
    /// No model can be trained on the current records.
    TrainingFailed = "TRAINING_FAILED", FailedPrecondition;
    /// The document is not a linkage model of the schema in force.
    ModelInvalid = "MODEL_INVALID", InvalidArgument;
    /// No backup could be made.
    BackupFailed = "BACKUP_FAILED", Unavailable;
    /// The service has more to do than it can take now.
    ServiceBusy = "SERVICE_BUSY", ResourceExhausted;
    /// The service is starting, stopping or cannot write.
    ServiceUnavailable = "SERVICE_UNAVAILABLE", Unavailable;
    /// The service failed; nothing that was acknowledged is lost.
    Internal = "INTERNAL", Internal;
}

impl fmt::Display for ErrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ErrorReason {
    type Err = UnknownReason;

    fn from_str(name: &str) -> Result<Self, UnknownReason> {
        Self::ALL.iter().copied().find(|reason| reason.name() == name).ok_or(UnknownReason)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn names_are_parsed_back() {
        for reason in ErrorReason::ALL {
            assert_eq!(reason.to_string().parse(), Ok(*reason));
            assert!(reason.name().len() <= 63, "{reason}");
        }
        assert_eq!("key_mismatch".parse::<ErrorReason>(), Err(UnknownReason));
    }

    #[test]
    fn every_page_says_what_happened_why_and_what_to_do() {
        for reason in ErrorReason::ALL {
            let page = reason.page();
            assert!(page.starts_with(&format!("# {reason}\n")), "{reason}");
            for heading in ["\n## What happened\n", "\n## Why\n", "\n## What to do\n"] {
                assert!(page.contains(heading), "{reason} lacks {heading:?}");
            }
            let code = format!("\ngRPC code: `{}`\n", upper_snake(&format!("{:?}", reason.code())));
            assert!(page.contains(&code), "{reason} lacks {code:?}");
        }
    }

    #[test]
    fn every_page_belongs_to_a_reason() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("errors");
        let pages: BTreeSet<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let reasons = ErrorReason::ALL.iter().map(|reason| format!("{reason}.md"));
        assert_eq!(pages, reasons.collect());
    }

    #[test]
    fn the_contract_names_only_reasons_of_the_catalogue() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/waymark");
        for package in ["submission", "status", "review", "question", "registry", "admin", "audit"]
        {
            let path = root.join(format!("{package}/v1/{package}.proto"));
            let text = fs::read_to_string(path).unwrap();
            let comments: Vec<_> = text
                .lines()
                .filter_map(|line| line.trim_start().strip_prefix("//"))
                .map(str::trim)
                .collect();
            for name in reasons_in(&comments.join(" ")) {
                assert!(name.parse::<ErrorReason>().is_ok(), "{package}: {name}");
            }
        }
    }

    fn upper_snake(camel: &str) -> String {
        let mut text = String::new();
        for (place, letter) in camel.char_indices() {
            if place > 0 && letter.is_ascii_uppercase() {
                text.push('_');
            }
            text.push(letter.to_ascii_uppercase());
        }
        text
    }

    /// The words in parentheses that look like reasons, such as `(OFFSET_GAP, metadata ...)`.
    fn reasons_in(text: &str) -> Vec<&str> {
        let groups = text.split('(').skip(1).map(|rest| rest.split(')').next().unwrap_or(rest));
        groups
            .flat_map(|group| group.split([',', ' ', ':']))
            .filter(|word| {
                word.contains('_') && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
            })
            .collect()
    }
}

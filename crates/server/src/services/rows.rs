//! Rows of a submission on their way to the store: checked, re-keyed, measured.

use api::{
    convert::{RowRefusal, Violation, event_from_proto, event_refusal, record_from_proto},
    digest::row_digest,
    limits::MAX_ROW_BYTES,
    submission::{self as proto, row::Row as Content},
};
use jiff::civil::Date;
use pathways::{Event, EventError, RegistryVersion, RuleProfiles};
use record::{AgencyId, EncodedRecord, Implausible, LocalId, Part, Plausibility, Schema};
use store::{NewRow, Refusal, RejectionReason, RowContent, SubmissionKind};

use crate::pepper::Pepper;

/// What rows are checked against.
pub struct RowCheck<'a> {
    /// The agency that sends them.
    pub agency: &'a AgencyId,
    /// What they must be.
    pub kind: SubmissionKind,
    /// The linkage schema.
    pub schema: &'a Schema,
    /// What encodings of that schema can be.
    pub plausibility: &'a Plausibility,
    /// The service's own key.
    pub pepper: &'a Pepper,
    /// The pathway registry, once one is published.
    pub registry: Option<&'a RegistryVersion>,
    /// The rule profiles.
    pub profiles: &'a RuleProfiles,
    /// The day on which events count as received.
    pub today: Date,
}

impl RowCheck<'_> {
    /// The stored form of a row; a row that does not fit becomes a refusal, and costs no other row.
    pub fn row(&self, row: &proto::Row) -> NewRow {
        let digest = row_digest(row);
        let content = self.content(row).unwrap_or_else(|refusal| RowContent::Refused {
            local_id: local_id(row),
            refusal: refusal_to_store(refusal),
        });
        NewRow { digest, content }
    }

    fn content(&self, row: &proto::Row) -> Result<RowContent, RowRefusal> {
        if api::encoded_len(row) > MAX_ROW_BYTES {
            let remedy = "send at most 64 KiB per row";
            return Err(RowRefusal::new(proto::RejectionReason::TooLarge, "", remedy));
        }
        match (&row.row, self.kind) {
            (Some(Content::Record(record)), SubmissionKind::Records) => {
                let (local_id, version, record) = record_from_proto(record, self.schema)?;
                check_local_id(&local_id)?;
                let plausible = self.plausibility.check(&record);
                plausible.map_err(|implausible| implausible_refusal(implausible, &record))?;
                let payload = self.pepper.apply(record).to_bytes();
                Ok(RowContent::Record { local_id, version, payload })
            }
            (Some(Content::Event(event)), SubmissionKind::Events) => {
                let parsed = event_from_proto(event, self.agency, self.today)?;
                check_local_id(&parsed.local_id)?;
                self.check_codes(&parsed).map_err(|error| event_refusal(&error, event))?;
                Ok(RowContent::Event {
                    takes_back: parsed.takes_back().map(str::to_owned),
                    local_id: parsed.local_id,
                    event_id: parsed.source_event_id,
                    received_on: self.today,
                    payload: api::encode(event),
                })
            }
            (None, _) => {
                let remedy = "send a record or an event in every row";
                Err(RowRefusal::new(proto::RejectionReason::Malformed, "row", remedy))
            }
            _ => {
                let remedy = "send rows of the kind that the submission was created for";
                Err(RowRefusal::new(proto::RejectionReason::WrongKind, "row", remedy))
            }
        }
    }

    /// Checks what only the registry and the rule profiles know.
    fn check_codes(&self, event: &Event) -> Result<(), EventError> {
        self.registry.map_or(Ok(()), |registry| registry.check(event))?;
        self.profiles.check(event)
    }
}

/// Refuses an SSN as a handle: the encoder does so too, but another agency's may not.
fn check_local_id(local_id: &LocalId) -> Result<(), RowRefusal> {
    if local_id.looks_like_ssn() {
        let reason = proto::RejectionReason::LocalIdLooksLikeSsn;
        return Err(RowRefusal::new(reason, "local_id", "use an id that is not an SSN"));
    }
    if local_id.is_tombstone() {
        let remedy = "use an id that does not begin with '~': those stand for erased records";
        return Err(RowRefusal::new(proto::RejectionReason::Malformed, "local_id", remedy));
    }
    Ok(())
}

/// Names the part of `record` that cannot be by its path in the message.
fn implausible_refusal(implausible: Implausible, record: &EncodedRecord) -> RowRefusal {
    let Implausible { part, flaw } = implausible;
    let n_fields = |field: usize| record.fields[..field].iter().flatten().count();
    let path = match part {
        Part::Filter { field } => format!("record.fields[{}].filter", n_fields(field)),
        Part::Token { field, derivation } => {
            let tokens = record.fields[field].iter().flat_map(|it| &it.tokens[..derivation]);
            format!("record.fields[{}].tokens[{}]", n_fields(field), tokens.flatten().count())
        }
        Part::Blocking { place } => format!("record.blocking[{place}]"),
    };
    RowRefusal::new(proto::RejectionReason::Implausible, path, flaw.remedy())
}

fn local_id(row: &proto::Row) -> Option<LocalId> {
    let text = match row.row.as_ref()? {
        Content::Record(record) => &record.local_id,
        Content::Event(event) => &event.local_id,
    };
    text.parse().ok()
}

fn refusal_to_store(refusal: RowRefusal) -> Refusal {
    let name = refusal.reason.as_str_name();
    let name = name.trim_start_matches("REJECTION_REASON_").to_ascii_lowercase();
    let reason = name.parse().unwrap_or(RejectionReason::Malformed);
    let said = |text: String| Some(text).filter(|text| !text.is_empty());
    let Violation { field, remedy } = refusal.violation;
    Refusal { reason, field: said(field), remedy: said(remedy) }
}

/// A stored refusal of a row of a submission of `kind`, as the contract says it.
pub fn rejection_to_proto(
    kind: SubmissionKind,
    rejection: &store::RowRejection,
) -> proto::RowRejection {
    let Refusal { reason, field, remedy } = &rejection.refusal;
    let name = format!("REJECTION_REASON_{}", reason.as_str().to_ascii_uppercase());
    let known = proto::RejectionReason::from_str_name(&name);
    let (usual_field, usual_remedy) = usual(*reason, kind);
    proto::RowRejection {
        offset: rejection.offset,
        reason: known.unwrap_or(proto::RejectionReason::Malformed).into(),
        field: field.clone().unwrap_or_else(|| usual_field.to_owned()),
        remedy: remedy.clone().unwrap_or_else(|| usual_remedy.to_owned()),
    }
}

/// Stored refusals of rows of a submission of `kind`, as the contract says them.
pub fn rejections_to_proto(
    kind: SubmissionKind,
    rejections: &[store::RowRejection],
) -> Vec<proto::RowRejection> {
    rejections.iter().map(|rejection| rejection_to_proto(kind, rejection)).collect()
}

/// The field and the remedy of a refusal for which the store found the reason.
fn usual(reason: RejectionReason, kind: SubmissionKind) -> (&'static str, &'static str) {
    match (reason, kind) {
        (RejectionReason::DuplicateInSubmission, SubmissionKind::Records) => {
            ("record.local_id", "send each local id once per submission")
        }
        (RejectionReason::DuplicateInSubmission, SubmissionKind::Events) => {
            ("event.source_event_id", "give each event an id of its own")
        }
        (RejectionReason::VersionConflict, SubmissionKind::Records) => (
            "record.version",
            "this version was accepted earlier with other content: send a higher record version",
        ),
        (RejectionReason::VersionConflict, SubmissionKind::Events) => (
            "event.source_event_id",
            "an event of this id was accepted earlier with other content: give another event its \
             own id; to correct that one, send a new id with supersedes naming it",
        ),
        (RejectionReason::WithdrawnMeanwhile, _) => (
            "row",
            "you withdrew the record after this row was sent: send it again, if it is to count",
        ),
        (RejectionReason::Repeated, _) => (
            "record",
            "20 records of other local ids that were sent today have exactly this content: look for \
             a constant or an empty column in the export; if they are people, send a field that \
             tells them apart",
        ),
        (RejectionReason::WrongKind, _) => {
            ("row", "send rows of the kind the submission was created for")
        }
        _ => ("", "send the row in the form of the contract and the schema"),
    }
}

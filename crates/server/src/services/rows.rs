//! Rows of a submission on their way to the store: checked, re-keyed, measured.

use api::{
    convert::{RowRefusal, event_from_proto, event_refusal, record_from_proto},
    digest::row_digest,
    limits::MAX_ROW_BYTES,
    submission::{self as proto, row::Row as Content},
};
use jiff::civil::Date;
use pathways::RegistryVersion;
use record::{AgencyId, LocalId, Schema};
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
    /// The service's own key.
    pub pepper: &'a Pepper,
    /// The pathway registry, once one is published.
    pub registry: Option<&'a RegistryVersion>,
    /// The day on which events count as received.
    pub today: Date,
}

impl RowCheck<'_> {
    /// The stored form of a row; a row that does not fit becomes a refusal, and costs no other row.
    pub fn row(&self, row: &proto::Row) -> NewRow {
        let digest = row_digest(row);
        let content = self.content(row).unwrap_or_else(|refusal| RowContent::Refused {
            local_id: local_id(row),
            refusal: refusal_to_store(&refusal),
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
                let payload = self.pepper.apply(record).to_bytes();
                Ok(RowContent::Record { local_id, version, payload })
            }
            (Some(Content::Event(event)), SubmissionKind::Events) => {
                let parsed = event_from_proto(event, self.agency, self.today)?;
                check_local_id(&parsed.local_id)?;
                if let Some(registry) = self.registry {
                    registry.check(&parsed).map_err(|error| event_refusal(error, event))?;
                }
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
}

/// Refuses an SSN as a handle: the encoder does so too, but another agency's may not.
fn check_local_id(local_id: &LocalId) -> Result<(), RowRefusal> {
    if local_id.looks_like_ssn() {
        let reason = proto::RejectionReason::LocalIdLooksLikeSsn;
        return Err(RowRefusal::new(reason, "local_id", "use an id that is not an SSN"));
    }
    Ok(())
}

fn local_id(row: &proto::Row) -> Option<LocalId> {
    let text = match row.row.as_ref()? {
        Content::Record(record) => &record.local_id,
        Content::Event(event) => &event.local_id,
    };
    text.parse().ok()
}

fn refusal_to_store(refusal: &RowRefusal) -> Refusal {
    let name = refusal.reason.as_str_name();
    let name = name.trim_start_matches("REJECTION_REASON_").to_ascii_lowercase();
    let reason = name.parse().unwrap_or(RejectionReason::Malformed);
    let field = Some(refusal.violation.field.clone()).filter(|field| !field.is_empty());
    Refusal { reason, field }
}

/// A stored refusal as the contract says it.
pub fn rejection_to_proto(rejection: &store::RowRejection) -> proto::RowRejection {
    let Refusal { reason, field } = &rejection.refusal;
    let name = format!("REJECTION_REASON_{}", reason.as_str().to_ascii_uppercase());
    let known = proto::RejectionReason::from_str_name(&name);
    proto::RowRejection {
        offset: rejection.offset,
        reason: known.unwrap_or(proto::RejectionReason::Malformed).into(),
        field: field.clone().unwrap_or_default(),
        remedy: remedy(*reason).to_owned(),
    }
}

fn remedy(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::Malformed => "send the row in the form of the contract and the schema",
        RejectionReason::NothingToCompare => "give at least one identity field",
        RejectionReason::TooLarge => "send at most 64 KiB per row",
        RejectionReason::UnknownCode => "give a code of the form of its system, such as 51.0801",
        RejectionReason::WrongEdition => {
            "give the edition of the code that was in use on the day of the event"
        }
        RejectionReason::UnknownPathway => "give the id of a registered pathway",
        RejectionReason::EndBeforeStart => "give a last day on or after the first",
        RejectionReason::DuplicateInSubmission => "send each id once per submission",
        RejectionReason::VersionConflict => {
            "this version was accepted earlier with other content: send a higher record version"
        }
        RejectionReason::LocalIdLooksLikeSsn => "use a local id that is not an SSN",
        RejectionReason::WrongKind => "send rows of the kind the submission was created for",
    }
}

//! Which record belongs to which participant: asked of the service, written as a links file.

use std::{collections::BTreeMap, path::Path};

use api::{
    admin::{ExportMembershipsRequest, admin_service_client::AdminServiceClient},
    convert::record_key_from_proto,
};
use record::RecordKey;

use super::{answer::failure, connection::Caller, submission::incomplete};
use crate::{failure::Failure, output::file::WholeFile};

/// The participant of every record, by record.
///
/// # Errors
/// [`Failure`] when the service refuses or the connection breaks.
pub async fn memberships(caller: Caller) -> Result<BTreeMap<RecordKey, String>, Failure> {
    let mut client = AdminServiceClient::new(caller);
    let answer = client.export_memberships(ExportMembershipsRequest {}).await;
    let mut messages = answer.map_err(|status| failure(&status))?.into_inner();
    let mut links = BTreeMap::new();
    while let Some(some) = messages.message().await.map_err(|status| failure(&status))? {
        for membership in some.memberships {
            let record = record_key_from_proto(membership.record.as_ref(), "record");
            links.insert(record.map_err(|_| incomplete())?, membership.participant);
        }
    }
    Ok(links)
}

/// Writes a links file: agency,local_id,participant_id, a row per record.
///
/// # Errors
/// [`Failure`] when the file cannot be written.
pub fn write_links(path: &Path, links: &BTreeMap<RecordKey, String>) -> Result<(), Failure> {
    let mut out = csv::Writer::from_writer(WholeFile::create(path)?);
    let failed = |error: &std::io::Error| Failure::writing(path, error);
    let mut row = |cells: [&str; 3]| {
        out.write_record(cells).map_err(|error| failed(&std::io::Error::other(error)))
    };
    row(["agency", "local_id", "participant_id"])?;
    for (record, participant) in links {
        row([record.agency.as_str(), record.local_id.as_str(), participant])?;
    }
    let file = out.into_inner().map_err(|error| failed(error.error()))?;
    file.finish()
}

//! `waymark audit export`: the whole log as a file for auditors.

use std::{io::Write, path::Path};

use api::audit::{
    ExportEntriesRequest, GetEntryResponse, audit_service_client::AuditServiceClient,
};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::detail;
use crate::{
    client::{
        answer::{failure, time},
        connection::{ANSWER_BYTES_MAX, ConnectionArgs},
        submission::incomplete,
    },
    failure::Failure,
    output::{Document, Section, file::WholeFile, text},
};

/// Writes the entries after a number to a file; the file appears whole or not at all.
pub(super) async fn export(
    connection: &ConnectionArgs,
    out: &Path,
    after: u64,
) -> Result<Document, Failure> {
    let client = AuditServiceClient::new(connection.connect().await?);
    let mut client = client.max_decoding_message_size(ANSWER_BYTES_MAX);
    let answer = client.export_entries(ExportEntriesRequest { after }).await;
    let mut messages = answer.map_err(|status| failure(&status))?.into_inner();
    let mut file = WholeFile::create(out)?;
    let (mut entries, mut last) = (0, (after, String::new()));
    while let Some(message) = messages.message().await.map_err(|status| failure(&status))? {
        for found in message.entries {
            let line = line(&found)?;
            writeln!(file, "{line}").map_err(|error| file.failure(&error))?;
            let entry = found.entry.ok_or_else(incomplete)?;
            last = (entry.number, HEXLOWER.encode(&entry.digest));
            entries += 1;
        }
    }
    file.finish()?;
    let mut section = Section::new("export", &["entries", "last_entry", "digest"]);
    section.row(vec![json!(entries), json!(last.0), text(last.1)]);
    Ok(Document::new("waymark.audit.export/1").section(section))
}

/// An entry as a line of the file.
fn line(found: &GetEntryResponse) -> Result<Value, Failure> {
    let entry = found.entry.as_ref().ok_or_else(incomplete)?;
    let records: Vec<Value> = found
        .records
        .iter()
        .map(|it| {
            let name = it.record.as_ref().map(|key| format!("{}/{}", key.agency, key.local_id));
            json!({ "handle": HEXLOWER.encode(&it.handle), "record": name })
        })
        .collect();
    let at = entry.at.as_ref().map(api::convert::micros_from_timestamp);
    Ok(json!({
        "number": entry.number,
        "at": time(entry.at.as_ref()),
        "at_microseconds": at,
        "role": entry.role,
        "name": entry.name,
        "action": entry.action,
        "subject": entry.subject,
        "detail": detail(entry),
        "detail_text": entry.detail,
        "fact": entry.fact,
        "content": HEXLOWER.encode(&entry.content),
        "records": records,
        "digest": HEXLOWER.encode(&entry.digest),
    }))
}

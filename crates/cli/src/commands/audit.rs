//! `waymark audit`: who did what, and who was told what.

mod export;

use std::path::PathBuf;

use api::{
    audit::{
        Disclosure, Entry, EntryFilter, GetEntryRequest, ListDisclosuresRequest,
        ListEntriesRequest, audit_service_client::AuditServiceClient,
    },
    convert::record_key_to_proto,
};
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use jiff::{civil::Date, tz::TimeZone};
use record::RecordKey;
use serde_json::{Value, json};

use crate::{
    client::{
        answer::{failure, time},
        connection::{self, ConnectionArgs},
        submission::incomplete,
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, optional, text},
};

/// Shows the audit log; needs an operator's or an auditor's token. What you read is logged, too.
#[derive(Debug, Args)]
pub struct Audit {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// List entries, newest first
    List(List),
    /// Show an entry with the records that it is about
    Show {
        /// Number of the entry
        #[arg(value_name = "NUMBER")]
        number: u64,
    },
    /// List who was told what that a record has a part in, oldest first
    Disclosures {
        /// The record, as AGENCY/LOCAL_ID
        #[arg(value_name = "RECORD")]
        record: RecordKey,
    },
    /// Write all entries to a file, one JSON object per line, with their digests
    Export {
        /// File to write
        #[arg(long, value_name = "FILE.ndjson")]
        out: PathBuf,
        /// Only entries after this number
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        after: u64,
    },
}

/// Lists entries, newest first.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark audit list --limit 20
  waymark audit list --name college --since 2026-11-01
  waymark audit list --record college/C-1001 --action statuses_told")]
struct List {
    /// Only what this role did: agency, steward, operator, auditor, service
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Only what this agency or person did
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only this action, as the log names it
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only what names this record, as AGENCY/LOCAL_ID; also the name of one that was erased
    #[arg(long, value_name = "RECORD")]
    record: Option<RecordKey>,
    /// Not before this day (UTC)
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<Date>,
    /// Before this day (UTC)
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<Date>,
    /// Most entries to list
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

impl Audit {
    /// Does what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached, or the file cannot be written.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let document = connection::run(async {
            match &self.command {
                AuditCommand::List(list) => list.run(&self.connection).await,
                AuditCommand::Show { number } => show(&self.connection, *number).await,
                AuditCommand::Disclosures { record } => disclosures(&self.connection, record).await,
                AuditCommand::Export { out, after } => {
                    export::export(&self.connection, out, *after).await
                }
            }
        })?;
        document.print(format)?;
        Ok(Exit::Done)
    }
}

impl List {
    async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let mut client = AuditServiceClient::new(connection.connect().await?);
        let mut request = ListEntriesRequest {
            filter: Some(self.filter()),
            page_size: i32::try_from(self.limit.min(1_000)).unwrap_or(1_000),
            page_token: String::new(),
        };
        let mut found = Vec::new();
        loop {
            let answer = client.list_entries(request.clone()).await;
            let page = answer.map_err(|status| failure(&status))?.into_inner();
            found.extend(page.entries);
            if page.next_page_token.is_empty() || found.len() >= self.limit {
                break;
            }
            request.page_token = page.next_page_token;
        }
        found.truncate(self.limit);
        Ok(Document::new("waymark.audit.list/1").section(section(&found)))
    }

    fn filter(&self) -> EntryFilter {
        let named = |text: &Option<String>| text.clone().unwrap_or_default();
        let begin = |day: Option<Date>| {
            let at = TimeZone::UTC.to_timestamp(day?.at(0, 0, 0, 0)).ok()?;
            Some(api::convert::timestamp_from_micros(at.as_microsecond()))
        };
        EntryFilter {
            role: named(&self.role),
            name: named(&self.name),
            action: named(&self.action),
            record: self.record.as_ref().map(record_key_to_proto),
            since: begin(self.since),
            until: begin(self.until),
        }
    }
}

async fn show(connection: &ConnectionArgs, number: u64) -> Result<Document, Failure> {
    let mut client = AuditServiceClient::new(connection.connect().await?);
    let answer = client.get_entry(GetEntryRequest { number }).await;
    let found = answer.map_err(|status| failure(&status))?.into_inner();
    let entry = found.entry.ok_or_else(incomplete)?;
    let mut digests = Section::new("digests", &["what", "digest"]);
    digests.row(vec![text("of the log up to this entry"), text(HEXLOWER.encode(&entry.digest))]);
    if !entry.content.is_empty() {
        let what = format!("of what fact {} says", entry.fact);
        digests.row(vec![text(what), text(HEXLOWER.encode(&entry.content))]);
    }
    let mut records = Section::new("records", &["record", "handle"]);
    for record in &found.records {
        let name = record.record.as_ref().map(|it| format!("{}/{}", it.agency, it.local_id));
        let name = name.unwrap_or_else(|| "(erased)".to_owned());
        records.row(vec![text(name), text(HEXLOWER.encode(&record.handle))]);
    }
    let document = Document::new("waymark.audit.show/1").section(section(&[entry]));
    Ok(document.section(digests).section(records))
}

async fn disclosures(connection: &ConnectionArgs, record: &RecordKey) -> Result<Document, Failure> {
    let mut client = AuditServiceClient::new(connection.connect().await?);
    let request = ListDisclosuresRequest { record: Some(record_key_to_proto(record)) };
    let answer = client.list_disclosures(request).await.map_err(|status| failure(&status))?;
    let columns = ["at", "to", "how", "told_of", "statuses", "rests_on", "entry"];
    let mut section = Section::new("disclosures", &columns);
    for Disclosure { entry, told_of, statuses, rests_on } in answer.into_inner().disclosures {
        let entry = entry.ok_or_else(incomplete)?;
        let told_of = told_of.map(|it| format!("{}/{}", it.agency, it.local_id));
        section.row(vec![
            time(entry.at.as_ref()),
            text(format!("{} {}", entry.role, entry.name)),
            text(&entry.action),
            optional(told_of),
            json!(statuses),
            json!(rests_on),
            json!(entry.number),
        ]);
    }
    Ok(Document::new("waymark.audit.disclosures/1").section(section))
}

fn section(entries: &[Entry]) -> Section {
    let columns = ["entry", "at", "role", "name", "action", "subject", "records", "detail"];
    let mut section = Section::new("entries", &columns);
    for entry in entries {
        section.row(vec![
            json!(entry.number),
            time(entry.at.as_ref()),
            text(&entry.role),
            text(&entry.name),
            text(&entry.action),
            text(&entry.subject),
            json!(entry.records),
            detail(entry),
        ]);
    }
    section
}

/// The detail of an entry as the JSON that it is.
fn detail(entry: &Entry) -> Value {
    serde_json::from_str(&entry.detail).unwrap_or(Value::Null)
}

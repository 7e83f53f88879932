//! `waymark events`: sends events of people whose records the agency has sent, and says how they
//! are written.

use std::{
    collections::HashMap,
    io::BufWriter,
    path::{Path, PathBuf},
};

use api::{
    convert::{Terms, event_kind, event_to_proto},
    submission::{
        ListWaitingEventsRequest, Row, SubmissionKind, SubmissionMode, row,
        submission_service_client::SubmissionServiceClient,
    },
    wmk,
};
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use pathways::csv_event::{COMMON, Cell, FORMS, Form};
use record::AgencyId;

use super::{
    encode::wmk_failure,
    submit::{self, Prepared, SendingArgs, flush, temporary_file},
};
use crate::{
    cli::{ReadingArgs, RejectedArgs},
    client::{
        answer::{day, failure},
        connection::{self, ConnectionArgs},
        outgoing::Outgoing,
    },
    exit::Exit,
    failure::Failure,
    intake::{
        events::{self, EventFile},
        rejection::{Fault, Rejected, Rejection, Rejections},
    },
    output::{Document, Format, Section, progress::Progress, text},
    settings,
};

/// Sends events.
#[derive(Debug, Args)]
pub struct Events {
    #[command(subcommand)]
    command: EventsCommand,
}

#[derive(Debug, Subcommand)]
enum EventsCommand {
    /// Send the events of a file
    Submit(EventsSubmit),
    /// List the events that wait for their record
    Waiting(EventsWaiting),
    /// Say what the columns of an events file hold, for each kind of event
    Columns(EventsColumns),
}

/// Lists the agency's events whose record is not there yet, by local id.
///
/// They count as soon as the record comes. One that stays here names a local id that the agency
/// never sends: take it back with a void, and send it anew for the right one.
#[derive(Debug, Args)]
struct EventsWaiting {
    /// Most events to list; by default all
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Says what the columns hold, with the element ids of the Common Education Data Standards.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  waymark events columns enrollment")]
struct EventsColumns {
    /// The kind of event; without it, every kind
    #[arg(value_parser = PossibleValuesParser::new(FORMS.iter().map(|form| form.kind)))]
    kind: Option<String>,
}

/// Sends events of people: enrollments, services, credentials, wages and others.
///
/// The people are named by the local ids under which their records were sent. An event whose
/// record is not there yet waits for it.
#[derive(Debug, Args)]
#[command(after_long_help = events::help())]
struct EventsSubmit {
    /// Events file
    #[arg(value_name = "EVENTS.csv")]
    input: PathBuf,
    /// The agency that reports the events
    #[arg(long, value_name = "AGENCY")]
    agency: AgencyId,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    how: SendingArgs,
    /// The day that the data describe; by default the day on which the file was last changed (UTC)
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<jiff::civil::Date>,
    #[command(flatten)]
    rejected: RejectedArgs,
}

impl Events {
    /// Sends the file, or describes its columns.
    ///
    /// # Errors
    /// [`Failure`] when the file or the service refuses.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let command = match &self.command {
            EventsCommand::Submit(command) => command,
            EventsCommand::Waiting(command) => {
                connection::run(command.run())?.print(format)?;
                return Ok(Exit::Done);
            }
            EventsCommand::Columns(command) => return command.run(format),
        };
        let reading = ReadingArgs { mapping: None, as_of: command.as_of };
        let prepared = prepare(&command.input, &command.agency, &reading, &command.rejected)?;
        let (connection, how) = (&command.connection, &command.how);
        submit::deliver(vec![prepared], connection, how, &command.rejected, format)
    }
}

impl EventsWaiting {
    async fn run(&self) -> Result<Document, Failure> {
        let mut client = SubmissionServiceClient::new(self.connection.connect().await?);
        let mut request = ListWaitingEventsRequest { page_size: 1_000, page_token: String::new() };
        let mut section = Section::new("events", &["local_id", "event_id", "kind", "received_on"]);
        let mut n_left = self.limit.unwrap_or(usize::MAX);
        while n_left > 0 {
            let answer = client.list_waiting_events(request.clone()).await;
            let page = answer.map_err(|status| failure(&status))?.into_inner();
            let n_listed = page.events.len();
            for waiting in page.events.into_iter().take(n_left) {
                let event = waiting.event.unwrap_or_default();
                section.row(vec![
                    text(&event.local_id),
                    text(&event.source_event_id),
                    text(event_kind(&event)),
                    day(waiting.received_on.as_ref()),
                ]);
            }
            n_left -= n_listed.min(n_left);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        Ok(Document::new("waymark.events.waiting/1").section(section))
    }
}

impl EventsColumns {
    fn run(&self, format: Format) -> Result<Exit, Failure> {
        let mut columns = Section::new("columns", &["kind", "column", "required", "ceds", "holds"]);
        let mut describe = |kind: &str, cell: &Cell| {
            let required = if cell.required { "yes" } else { "" };
            columns.row(vec![
                text(kind),
                text(cell.column),
                text(required),
                text(cell.ceds.unwrap_or_default()),
                text(cell.about),
            ]);
        };
        for cell in &COMMON {
            describe("every", cell);
        }
        let is_asked = |form: &&Form| self.kind.as_deref().is_none_or(|kind| kind == form.kind);
        for form in FORMS.iter().filter(is_asked) {
            for cell in form.cells {
                describe(form.kind, cell);
            }
        }
        Document::new("waymark.events.columns/1").section(columns).print(format)?;
        Ok(Exit::Done)
    }
}

/// Makes an events file ready to be sent.
///
/// # Errors
/// [`Failure`] when the file or its header is not usable.
pub fn prepare(
    path: &Path,
    agency: &AgencyId,
    reading: &ReadingArgs,
    rejected: &RejectedArgs,
) -> Result<Prepared, Failure> {
    let as_of = settings::as_of(reading, path)?;
    let mut file = EventFile::open(path, agency, as_of)?;
    let terms =
        Terms { kind: SubmissionKind::Events, mode: SubmissionMode::Delta, as_of, encoding: None };
    let header = wmk::Header { agency: agency.clone(), terms };
    let temporary = temporary_file()?;
    let mut writer =
        wmk::Writer::new(BufWriter::new(temporary.as_file()), &header).map_err(wmk_failure)?;
    let directory = settings::rejected_directory(rejected, path);
    let mut rejections = Rejections::new(path, file.header_line(), Some(&directory));
    let mut seen: HashMap<String, u64> = HashMap::new();
    let mut lines = Vec::new();
    let progress = Progress::counting("events read");
    while let Some(item) = file.next_row()? {
        progress.advance(1);
        let fresh = item.content.and_then(|event| match seen.get(&event.source_event_id) {
            Some(&line) => Err(Fault::EventIdDuplicate { line }),
            None => Ok(event),
        });
        match fresh {
            Err(fault) => rejections.reject(&Rejection { line: item.line, fault }, &item.raw)?,
            Ok(event) => {
                lines.push(item.line);
                let message = event_to_proto(&event).into();
                seen.insert(event.source_event_id, item.line);
                let row = Row { row: Some(row::Row::Event(message)) };
                writer.write(&row).map_err(wmk_failure)?;
            }
        }
    }
    drop(progress);
    let (out, _) = writer.finish().map_err(wmk_failure)?;
    flush(out)?;
    let rejected: Rejected = rejections.finish()?;
    Ok(Prepared {
        kind: "events",
        source: path.to_owned(),
        outgoing: Outgoing::temporary(temporary.into_temp_path())?,
        lines: Some(lines),
        rejected,
        quality: None,
    })
}

//! `waymark status`: the statuses of the agency's own people, and the feed of their changes.

mod changes;
mod columns;
mod export;
pub(super) mod ids;
mod watch;

use std::path::PathBuf;

use api::{
    limits::MAX_BATCH_GET,
    status::{BatchGetStatusesRequest, GetStatusRequest, Status},
};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::{Value, json};

use self::{changes::Changes, columns::ShowColumns, export::Export, watch::Watch};
use crate::{
    client::{
        answer::{day, day_message, failure, plain_name},
        connection::{self, ConnectionArgs},
        statuses::{self, Client},
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
};

/// Shows the statuses of the agency's own people.
///
/// A status has three facets: participation, engagement and credential. The label says in a word
/// what they amount to.
#[derive(Debug, Args)]
pub struct StatusCommand {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show people's statuses on a day, as far as known on a day
    Get(Get),
    /// List today's statuses of all people
    List(List),
    /// List changes of status since a cursor
    Changes(Changes),
    /// Print changes of status as they happen
    Watch(Watch),
    /// Write all of today's statuses to a file, as of one point of the feed
    Export(Export),
    /// Say what the columns of an export hold
    Columns(ShowColumns),
}

/// Shows people's statuses on a day, as far as known on a day.
#[derive(Debug, Args)]
struct Get {
    /// Local ids of the people
    #[arg(value_name = "LOCAL_ID", required_unless_present = "ids_file")]
    local_ids: Vec<String>,
    /// File with more local ids: one per line, or a CSV file with a column local_id
    #[arg(long, value_name = "FILE")]
    ids_file: Option<PathBuf>,
    /// Only this pathway
    #[arg(long, value_name = "PATHWAY")]
    pathway: Option<String>,
    /// The day in question; by default today
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
    /// Count only what was received by the end of this day; by default today
    #[arg(long, value_name = "YYYY-MM-DD")]
    known_at: Option<Date>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Lists today's statuses of all people.
#[derive(Debug, Args)]
struct List {
    /// Only this pathway
    #[arg(long, value_name = "PATHWAY", default_value = "")]
    pathway: String,
    /// Only this label, such as leaver
    #[arg(long, value_name = "LABEL", default_value = "")]
    label: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl StatusCommand {
    /// Shows what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let (document, exit) = match &self.command {
            What::Get(get) => connection::run(get.run())?,
            What::List(list) => (connection::run(list.run())?, Exit::Done),
            What::Changes(changes) => (connection::run(changes.run(format))?, Exit::Done),
            What::Watch(watch) => return connection::run(watch.run(format)),
            What::Export(export) => (connection::run(export.run())?, Exit::Done),
            What::Columns(columns) => return columns.run(format),
        };
        document.print(format)?;
        Ok(exit)
    }
}

async fn connect(connection: &ConnectionArgs) -> Result<Client, Failure> {
    Ok(statuses::client(connection.connect().await?))
}

impl Get {
    async fn run(&self) -> Result<(Document, Exit), Failure> {
        let mut local_ids = self.local_ids.clone();
        if let Some(path) = &self.ids_file {
            local_ids.extend(ids::read(path)?);
        }
        let mut client = connect(&self.connection).await?;
        let (statuses, missing) = match local_ids.as_slice() {
            [local_id] => (self.one(&mut client, local_id).await?, Vec::new()),
            _ => self.many(&mut client, &local_ids).await?,
        };
        for note in &missing {
            eprintln!("note: {note}");
        }
        let mut reasons = Section::new("reasons", &["local_id", "pathway", "reason"]);
        for status in &statuses {
            for reason in &status.reasons {
                reasons.row(vec![text(&status.local_id), text(&status.pathway), text(reason)]);
            }
        }
        let document = Document::new("waymark.status.get/1").section(section(&statuses));
        let exit = if missing.is_empty() { Exit::Done } else { Exit::WorkRemains };
        Ok((document.section(reasons), exit))
    }

    async fn one(&self, client: &mut Client, local_id: &str) -> Result<Vec<Status>, Failure> {
        let request = GetStatusRequest {
            local_id: local_id.to_owned(),
            pathway: self.pathway.clone().unwrap_or_default(),
            as_of: day_message(self.as_of),
            known_at: day_message(self.known_at),
        };
        let answer = client.get_status(request).await.map_err(|status| failure(&status))?;
        Ok(answer.into_inner().statuses)
    }

    /// The statuses of many people, and the local ids that the service does not have.
    async fn many(
        &self,
        client: &mut Client,
        local_ids: &[String],
    ) -> Result<(Vec<Status>, Vec<String>), Failure> {
        let (mut statuses, mut missing) = (Vec::new(), Vec::new());
        for local_ids in local_ids.chunks(MAX_BATCH_GET) {
            let request = BatchGetStatusesRequest {
                local_ids: local_ids.to_vec(),
                pathway: self.pathway.clone().unwrap_or_default(),
                as_of: day_message(self.as_of),
                known_at: day_message(self.known_at),
            };
            let answer = client.batch_get_statuses(request).await;
            let answer = answer.map_err(|status| failure(&status))?.into_inner();
            statuses.extend(answer.statuses);
            let mut note = |places: &[u32], what: &str| {
                let places = places.iter().filter_map(|place| usize::try_from(*place).ok());
                let ids = places.filter_map(|place| local_ids.get(place));
                missing.extend(ids.map(|local_id| format!("{local_id} {what}")));
            };
            note(&answer.unknown, "was never submitted, or a snapshot left it out");
            note(&answer.withdrawn, "is withdrawn, or rests on what was withdrawn since");
        }
        Ok((statuses, missing))
    }
}

impl List {
    async fn run(&self) -> Result<Document, Failure> {
        let mut client = connect(&self.connection).await?;
        let statuses = statuses::list_all(&mut client, &self.pathway, &self.label).await?;
        Ok(Document::new("waymark.status.list/1").section(section(&statuses)))
    }
}

fn section(statuses: &[Status]) -> Section {
    let columns = [
        "local_id",
        "pathway",
        "label",
        "participation",
        "participant_since",
        "engagement",
        "last_engaged_on",
        "deadline",
        "credential",
        "completed_on",
        "as_of",
        "known_at",
        "pseudonym",
    ];
    let mut section = Section::new("statuses", &columns);
    for status in statuses {
        section.row(cells(status));
    }
    section
}

fn cells(status: &Status) -> Vec<Value> {
    let participation = status.participation.unwrap_or_default();
    let engagement = status.engagement.clone().unwrap_or_default();
    let credential = status.credential.clone().unwrap_or_default();
    vec![
        text(&status.local_id),
        text(&status.pathway),
        text(&status.label),
        plain_name(participation.state().as_str_name(), "PARTICIPATION_STATE"),
        day(participation.effective_on.as_ref()),
        plain_name(engagement.state().as_str_name(), "ENGAGEMENT_STATE"),
        day(engagement.last_on.as_ref()),
        day(engagement.deadline.as_ref()),
        plain_name(credential.state().as_str_name(), "CREDENTIAL_STATE"),
        day(credential.first_on.as_ref()),
        day(status.as_of.as_ref()),
        day(status.known_at.as_ref()),
        json!(status.pseudonym),
    ]
}

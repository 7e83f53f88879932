//! `waymark admin`: agencies, credentials and the state of the service, for operators.

mod backup;
#[cfg(feature = "service")]
mod certs;
mod credentials;
mod purge;
#[cfg(feature = "service")]
mod restore;
mod verify;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use api::admin::{
    AddAgencyRequest, Agency, GetServiceInfoRequest, GetServiceInfoResponse, ListAgenciesRequest,
    ReconcileRequest, admin_service_client::AdminServiceClient,
};
use clap::{Args, Subcommand};
use record::{AgencyId, RecordKey};
use serde_json::json;

#[cfg(feature = "service")]
use certs::CertsCommand;
use credentials::{CertificateCommand, TokenCommand};

use crate::{
    client::{
        answer::{day, failure},
        connection::{self, Caller, ConnectionArgs},
        memberships::{memberships, write_links},
        submission::incomplete,
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
};

/// Administers the service; needs an operator's credential.
#[derive(Debug, Args)]
pub struct Admin {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    #[command(flatten)]
    Service(ServiceCommand),
    /// Restore a backup into the data folder of a service that is stopped
    #[cfg(feature = "service")]
    Restore(restore::Restore),
    /// Make certificates for tests; needs no server
    #[cfg(feature = "service")]
    #[command(subcommand)]
    Certs(CertsCommand),
}

/// What the service is asked to do.
#[derive(Debug, Subcommand)]
enum ServiceCommand {
    /// Add or list the agencies
    #[command(subcommand)]
    Agency(AgencyCommand),
    /// Issue, list or revoke bearer tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Register, list or revoke client certificates
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// Write which record belongs to which participant, as `waymark evaluate` reads it
    Memberships {
        /// File to write: agency,local_id,participant_id, a row per record
        #[arg(long, value_name = "LINKS.csv")]
        out: PathBuf,
    },
    /// Rebuild participants and statuses from the facts and list every difference to what is served
    Reconcile {
        /// Serve what was rebuilt where it differs
        #[arg(long)]
        repair: bool,
    },
    /// Prove that nothing was changed: the audit log, the facts, the feeds, and what is served
    Verify,
    /// Erase for good what is withdrawn and still kept
    Purge(purge::Purge),
    /// Show what the service is and how far it has come
    Info,
    /// Make a backup of the database while the service serves, or list the backups
    Backup(backup::BackupArgs),
}

#[derive(Debug, Subcommand)]
enum AgencyCommand {
    /// Add an agency
    Add {
        /// Its id
        #[arg(value_name = "AGENCY")]
        id: AgencyId,
        /// Its title
        #[arg(long, value_name = "TEXT")]
        title: String,
    },
    /// List the agencies
    List,
}

type Client = AdminServiceClient<Caller>;

impl Admin {
    /// Does what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let (document, exit) = match &self.command {
            AdminCommand::Service(command) => {
                connection::run(async { command.run(self.connection.connect().await?).await })?
            }
            #[cfg(feature = "service")]
            AdminCommand::Restore(restore) => return restore.run(format),
            #[cfg(feature = "service")]
            AdminCommand::Certs(CertsCommand::Dev(dev)) => (dev.run()?, Exit::Done),
        };
        document.print(format)?;
        Ok(exit)
    }
}

impl ServiceCommand {
    async fn run(&self, caller: Caller) -> Result<(Document, Exit), Failure> {
        let mut client = AdminServiceClient::new(caller.clone());
        let document = match self {
            Self::Verify => return verify::verify(caller).await,
            Self::Purge(purge) => purge.run(&mut client).await,
            Self::Backup(backup) => backup.run(&mut client).await,
            Self::Agency(AgencyCommand::Add { id, title }) => {
                add_agency(&mut client, id, title).await
            }
            Self::Agency(AgencyCommand::List) => list_agencies(&mut client).await,
            Self::Token(token) => token.run(&mut client).await,
            Self::Certificate(certificate) => certificate.run(&mut client).await,
            Self::Memberships { out } => {
                let links = memberships(caller).await?;
                write_links(out, &links)?;
                Ok(counted(&links))
            }
            Self::Reconcile { repair } => reconcile(&mut client, *repair).await,
            Self::Info => {
                let answer = client.get_service_info(GetServiceInfoRequest {}).await;
                Ok(info(&answer.map_err(|status| failure(&status))?.into_inner()))
            }
        };
        Ok((document?, Exit::Done))
    }
}

async fn add_agency(client: &mut Client, id: &AgencyId, title: &str) -> Result<Document, Failure> {
    let agency = Agency { id: id.to_string(), title: title.to_owned() };
    let answer = client.add_agency(AddAgencyRequest { agency: Some(agency) }).await;
    let answer = answer.map_err(|status| failure(&status))?.into_inner();
    Ok(agencies(&[answer.agency.ok_or_else(incomplete)?]))
}

async fn list_agencies(client: &mut Client) -> Result<Document, Failure> {
    let mut request = ListAgenciesRequest { page_size: 1_000, page_token: String::new() };
    let mut found = Vec::new();
    loop {
        let answer = client.list_agencies(request.clone()).await;
        let page = answer.map_err(|status| failure(&status))?.into_inner();
        found.extend(page.agencies);
        if page.next_page_token.is_empty() {
            return Ok(agencies(&found));
        }
        request.page_token = page.next_page_token;
    }
}

fn agencies(agencies: &[Agency]) -> Document {
    let mut section = Section::new("agencies", &["agency", "title"]);
    for agency in agencies {
        section.row(vec![text(&agency.id), text(&agency.title)]);
    }
    Document::new("waymark.admin.agencies/1").section(section)
}

fn counted(links: &BTreeMap<RecordKey, String>) -> Document {
    let participants: BTreeSet<&String> = links.values().collect();
    let mut section = Section::new("memberships", &["records", "participants"]);
    section.row(vec![json!(links.len()), json!(participants.len())]);
    Document::new("waymark.admin.memberships/1").section(section)
}

async fn reconcile(client: &mut Client, repair: bool) -> Result<Document, Failure> {
    let answer = client.reconcile(ReconcileRequest { repair }).await;
    let found = answer.map_err(|status| failure(&status))?.into_inner();
    let mut compared = Section::new("compared", &["records", "statuses", "differences"]);
    compared.row(vec![json!(found.records), json!(found.statuses), json!(found.total)]);
    let columns = ["record", "what", "served", "rebuilt"];
    let mut differences = Section::new("differences", &columns);
    for difference in &found.differences {
        let record = difference.record.as_ref().ok_or_else(incomplete)?;
        differences.row(vec![
            text(format!("{}/{}", record.agency, record.local_id)),
            text(&difference.what),
            text(&difference.served),
            text(&difference.rebuilt),
        ]);
    }
    Ok(Document::new("waymark.admin.reconcile/1").section(compared).section(differences))
}

fn info(info: &GetServiceInfoResponse) -> Document {
    let mut facts = Section::new("service", &["what", "value"]);
    let schema = format!("{} version {}", info.schema_id, info.schema_version);
    for (what, value) in [
        ("version", text(&info.version)),
        ("linkage schema", text(schema)),
        ("key epoch", json!(info.key_epoch)),
        ("linkage model", text(&info.model_version)),
        ("pathway registry", text(&info.registry_version)),
        ("records", json!(info.records)),
        ("participants", json!(info.participants)),
        ("events", json!(info.events)),
        ("events without a record", json!(info.waiting_events)),
        ("open review tasks", json!(info.open_tasks)),
        ("last fact", json!(info.log_sequence)),
        ("last fact applied", json!(info.applied_sequence)),
        ("participants to evaluate by new rules", json!(info.participants_to_evaluate)),
        ("records whose changes are told in a moment", json!(info.records_held)),
    ] {
        facts.row(vec![text(what), value]);
    }
    let mut labels = Section::new("statuses", &["pathway", "label", "participants"]);
    for count in &info.labels {
        labels.row(vec![text(&count.pathway), text(&count.label), json!(count.participants)]);
    }
    let columns = ["agency", "complete_through", "due_through", "overdue"];
    let mut sources = Section::new("sources", &columns);
    for source in &info.sources {
        sources.row(vec![
            text(&source.agency),
            day(source.complete_through.as_ref()),
            day(source.due_through.as_ref()),
            text(if source.overdue { "yes" } else { "no" }),
        ]);
    }
    Document::new("waymark.admin.info/1").section(facts).section(sources).section(labels)
}

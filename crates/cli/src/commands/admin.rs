//! `waymark admin`: agencies, tokens and the state of the service, for operators.

mod backup;
#[cfg(feature = "service")]
mod restore;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use api::admin::{
    AccessToken, AddAgencyRequest, Agency, GetServiceInfoRequest, GetServiceInfoResponse,
    IssueTokenRequest, ListAgenciesRequest, ListTokensRequest, ReconcileRequest,
    RevokeTokenRequest, Role, admin_service_client::AdminServiceClient,
};
use clap::{Args, Subcommand, ValueEnum};
use record::{AgencyId, RecordKey};
use serde_json::json;

use crate::{
    client::{
        answer::{day, failure, plain_name, time},
        connection::{self, Caller, ConnectionArgs},
        memberships::{memberships, write_links},
        submission::incomplete,
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
    secret,
};

/// Administers the service; needs an operator's token.
#[derive(Debug, Args)]
pub struct Admin {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Add or list the agencies
    #[command(subcommand)]
    Agency(AgencyCommand),
    /// Issue, list or revoke bearer tokens
    #[command(subcommand)]
    Token(TokenCommand),
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
    /// Show what the service is and how far it has come
    Info,
    /// Make a backup of the database while the service serves, or list the backups
    Backup(backup::BackupArgs),
    /// Restore a backup into the data folder of a service that is stopped
    #[cfg(feature = "service")]
    Restore(restore::Restore),
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

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Issue a token, into a file that only you can read
    Issue(Issue),
    /// List the tokens, without their secrets
    List,
    /// Revoke a token at once
    Revoke {
        /// Label of the token
        #[arg(value_name = "LABEL")]
        label: String,
    },
}

/// Issues a token. The service keeps only its hash: the file is the one place where it stands.
#[derive(Debug, Args)]
struct Issue {
    /// Label of the token, to list and revoke it by
    #[arg(value_name = "LABEL")]
    label: String,
    /// What its holder may do
    #[arg(long, value_enum, value_name = "ROLE")]
    role: Holder,
    /// The agency's id, or the name of the steward or operator
    #[arg(long, value_name = "NAME")]
    subject: String,
    /// File to write the token to; refused where it exists
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Holder {
    /// Submits for an agency and reads its statuses
    Agency,
    /// Reviews uncertain matches
    Steward,
    /// Administers
    Operator,
}

type Client = AdminServiceClient<Caller>;

impl Admin {
    /// Does what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        #[cfg(feature = "service")]
        if let AdminCommand::Restore(restore) = &self.command {
            return restore.run(format);
        }
        let document = connection::run(async {
            let caller = self.connection.connect().await?;
            let mut client = AdminServiceClient::new(caller.clone());
            match &self.command {
                AdminCommand::Agency(AgencyCommand::Add { id, title }) => {
                    add_agency(&mut client, id, title).await
                }
                AdminCommand::Agency(AgencyCommand::List) => list_agencies(&mut client).await,
                AdminCommand::Token(TokenCommand::Issue(issue)) => issue.run(&mut client).await,
                AdminCommand::Token(TokenCommand::List) => list_tokens(&mut client).await,
                AdminCommand::Token(TokenCommand::Revoke { label }) => {
                    revoke(&mut client, label).await
                }
                AdminCommand::Memberships { out } => {
                    let links = memberships(caller).await?;
                    write_links(out, &links)?;
                    Ok(counted(&links))
                }
                AdminCommand::Reconcile { repair } => reconcile(&mut client, *repair).await,
                AdminCommand::Info => {
                    let answer = client.get_service_info(GetServiceInfoRequest {}).await;
                    Ok(info(&answer.map_err(|status| failure(&status))?.into_inner()))
                }
                AdminCommand::Backup(backup) => backup.run(&mut client).await,
                #[cfg(feature = "service")]
                AdminCommand::Restore(_) => unreachable!("it needs no service"),
            }
        })?;
        document.print(format)?;
        Ok(Exit::Done)
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

impl Issue {
    async fn run(&self, client: &mut Client) -> Result<Document, Failure> {
        // The place is taken first: a token that cannot be kept is not issued.
        secret::write_new(&self.out, "")?;
        let request = IssueTokenRequest {
            label: self.label.clone(),
            role: match self.role {
                Holder::Agency => Role::Agency,
                Holder::Steward => Role::Steward,
                Holder::Operator => Role::Operator,
            }
            .into(),
            subject: self.subject.clone(),
        };
        let issued = client.issue_token(request).await.map_err(|status| failure(&status));
        let issued = issued.inspect_err(|_| secret::remove(&self.out))?.into_inner();
        let secret = zeroize::Zeroizing::new(issued.secret);
        secret::overwrite(&self.out, &format!("{}\n", *secret)).map_err(|failure| {
            failure.remedy(format!("revoke it: waymark admin token revoke {}", self.label))
        })?;
        eprintln!("token written to {}", self.out.display());
        Ok(tokens(&[issued.token.ok_or_else(incomplete)?]))
    }
}

async fn list_tokens(client: &mut Client) -> Result<Document, Failure> {
    let mut request = ListTokensRequest { page_size: 1_000, page_token: String::new() };
    let mut found = Vec::new();
    loop {
        let answer = client.list_tokens(request.clone()).await;
        let page = answer.map_err(|status| failure(&status))?.into_inner();
        found.extend(page.tokens);
        if page.next_page_token.is_empty() {
            return Ok(tokens(&found));
        }
        request.page_token = page.next_page_token;
    }
}

async fn revoke(client: &mut Client, label: &str) -> Result<Document, Failure> {
    let answer = client.revoke_token(RevokeTokenRequest { label: label.to_owned() }).await;
    let answer = answer.map_err(|status| failure(&status))?.into_inner();
    Ok(tokens(&[answer.token.ok_or_else(incomplete)?]))
}

fn tokens(tokens: &[AccessToken]) -> Document {
    let columns = ["label", "role", "subject", "issued_at", "revoked_at"];
    let mut section = Section::new("tokens", &columns);
    for token in tokens {
        section.row(vec![
            text(&token.label),
            plain_name(token.role().as_str_name(), "ROLE"),
            text(&token.subject),
            time(token.issued_at.as_ref()),
            time(token.revoked_at.as_ref()),
        ]);
    }
    Document::new("waymark.admin.tokens/1").section(section)
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

//! `waymark admin backup`: a copy of the database, made while the service serves.

use api::admin::{Backup, CreateBackupRequest, ListBackupsRequest};
use clap::{Args, Subcommand};
use serde_json::json;

use super::Client;
use crate::{
    client::{
        answer::{failure, time},
        submission::incomplete,
    },
    failure::Failure,
    output::{Document, Section, text},
};

/// Makes a backup. The pepper is not in it: keep a copy of `pepper.key` in another place.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BackupArgs {
    /// What to write on it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    label: String,
    #[command(subcommand)]
    command: Option<BackupCommand>,
}

#[derive(Debug, Subcommand)]
enum BackupCommand {
    /// List the backups, the newest first
    List,
}

impl BackupArgs {
    /// Does what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub(super) async fn run(&self, client: &mut Client) -> Result<Document, Failure> {
        match self.command {
            Some(BackupCommand::List) => list(client).await,
            None => make(client, &self.label).await,
        }
    }
}

async fn make(client: &mut Client, label: &str) -> Result<Document, Failure> {
    let answer = client.create_backup(CreateBackupRequest { label: label.to_owned() }).await;
    let answer = answer.map_err(|status| failure(&status))?.into_inner();
    eprintln!(
        "the backup lies on the service's machine, in the folder that its settings name; copy it and \
         its .json file to another one. pepper.key is not in it: keep a copy of that apart from the \
         backups, since they are of no use without."
    );
    Ok(backups(&[answer.backup.ok_or_else(incomplete)?]))
}

async fn list(client: &mut Client) -> Result<Document, Failure> {
    let mut request = ListBackupsRequest { page_size: 1_000, page_token: String::new() };
    let mut found = Vec::new();
    loop {
        let answer = client.list_backups(request.clone()).await;
        let page = answer.map_err(|status| failure(&status))?.into_inner();
        found.extend(page.backups);
        if page.next_page_token.is_empty() {
            return Ok(backups(&found));
        }
        request.page_token = page.next_page_token;
    }
}

fn backups(backups: &[Backup]) -> Document {
    let columns =
        ["name", "created_at", "last_fact", "bytes", "sha256", "label", "release", "scheduled"];
    let mut section = Section::new("backups", &columns);
    for backup in backups {
        section.row(vec![
            text(&backup.name),
            time(backup.created_at.as_ref()),
            json!(backup.last_fact),
            json!(backup.bytes),
            text(&backup.sha256),
            text(&backup.label),
            text(&backup.release),
            text(if backup.scheduled { "yes" } else { "no" }),
        ]);
    }
    Document::new("waymark.admin.backups/1").section(section)
}

//! `waymark status export`: all of the agency's statuses in one file, and the cursor to go on from.

use std::path::{Path, PathBuf};

use api::status::ExportStatusesRequest;
use clap::Args;
use serde_json::json;

use super::{
    columns::{COLUMNS, cells},
    connect,
};
use crate::{
    client::{answer::failure, connection::ConnectionArgs, submission::incomplete},
    failure::Failure,
    output::{
        Document, Section,
        file::{WholeFile, write_text},
        progress::Progress,
        shown, text,
    },
};

/// Writes all of today's statuses to a CSV file, as of one point of the feed.
///
/// The cursor of that point is printed, and written to the file of --cursor-out after the statuses
/// are: `status changes --cursor CURSOR` goes on from there, and nothing is missed in between.
#[derive(Debug, Args)]
#[command(after_long_help = "\
`waymark status columns` says what each column holds.

Example, for a nightly job:
  waymark status export --out statuses.csv --cursor-out feed.cursor")]
pub struct Export {
    /// File to write; one that is there is replaced once the new one is complete
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only this pathway
    #[arg(long, value_name = "PATHWAY", default_value = "")]
    pathway: String,
    /// Only this label, such as leaver
    #[arg(long, value_name = "LABEL", default_value = "")]
    label: String,
    /// File to write the cursor to
    #[arg(long, value_name = "FILE")]
    cursor_out: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Export {
    /// Writes the file, then the cursor.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses, the connection breaks or a file cannot be written.
    pub async fn run(&self) -> Result<Document, Failure> {
        let mut client = connect(&self.connection).await?;
        let request =
            ExportStatusesRequest { pathway: self.pathway.clone(), label: self.label.clone() };
        let answer = client.export_statuses(request).await;
        let mut messages = answer.map_err(|status| failure(&status))?.into_inner();
        let failed = |error: csv::Error| Failure::writing(&self.out, &error.into());
        let mut out = csv::Writer::from_writer(WholeFile::create(&self.out)?);
        out.write_record(COLUMNS.iter().map(|column| column.name)).map_err(failed)?;
        let progress = Progress::counting("statuses written");
        let (mut n_statuses, mut cursor) = (0_u64, String::new());
        while let Some(message) = messages.message().await.map_err(|status| failure(&status))? {
            for status in &message.statuses {
                out.write_record(cells(status).iter().map(shown)).map_err(failed)?;
            }
            n_statuses += message.statuses.len() as u64;
            progress.advance(message.statuses.len() as u64);
            cursor = message.cursor;
        }
        drop(progress);
        if cursor.is_empty() {
            return Err(incomplete());
        }
        let file = out.into_inner().map_err(|error| Failure::writing(&self.out, error.error()))?;
        file.finish()?;
        keep_cursor(self.cursor_out.as_deref(), &cursor)?;
        eprintln!("go on with: waymark status changes --cursor {cursor}");
        let mut section = Section::new("export", &["statuses", "cursor"]);
        section.row(vec![json!(n_statuses), text(&cursor)]);
        Ok(Document::new("waymark.status.export/1").section(section))
    }
}

/// Writes the cursor to the file that is to have it.
///
/// # Errors
/// [`Failure`] when the file cannot be written.
pub fn keep_cursor(path: Option<&Path>, cursor: &str) -> Result<(), Failure> {
    path.map_or(Ok(()), |path| write_text(path, &format!("{cursor}\n")))
}

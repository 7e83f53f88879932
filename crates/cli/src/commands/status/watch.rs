//! `waymark status watch`: changes as they happen, over every interruption of the service.

use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use api::status::{StatusChange, WatchChangesRequest};
use clap::Args;
use serde_json::{Map, Value};
use tonic::Status;

use super::{
    changes::{From, change_cells, columns},
    connect,
    export::keep_cursor,
};
use crate::{
    client::{
        answer::{failure, is_passing},
        connection::ConnectionArgs,
        statuses::Client,
    },
    exit::Exit,
    failure::Failure,
    output::{Format, shown},
};

/// Wait before the first new attempt to reach the service; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest wait between two attempts.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Prints changes of status as they happen, until it is interrupted.
///
/// While the service is away, it waits, and goes on after the last change that it printed: nothing
/// is missed or printed twice. JSON is an object per line, CSV has its header first; both have all
/// columns of the status after the change, as `status export` has.
#[derive(Debug, Args)]
pub struct Watch {
    #[command(flatten)]
    from: From,
    /// File that always has the cursor of the last change printed
    #[arg(long, value_name = "FILE")]
    cursor_out: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Why a stream of changes ended.
enum End {
    /// The service went away: it may come back.
    Lost(Status),
    /// There is no going on.
    Failed(Failure),
}

impl Watch {
    /// Prints changes until interrupted.
    ///
    /// # Errors
    /// [`Failure`] when the service cannot be reached at first, or refuses.
    pub async fn run(&self, format: Format) -> Result<Exit, Failure> {
        let mut cursor = self.from.cursor();
        let watched = tokio::select! {
            ended = self.follow(&mut cursor, format) => ended.map(|()| Exit::Done),
            Ok(()) = tokio::signal::ctrl_c() => Ok(Exit::Done),
        };
        if watched.is_ok() && !cursor.is_empty() {
            eprintln!("go on with: waymark status watch --cursor {cursor}");
        }
        watched
    }

    async fn follow(&self, cursor: &mut String, format: Format) -> Result<(), Failure> {
        let mut client = connect(&self.connection).await?;
        let mut printer = Printer { format, header_is_due: format == Format::Csv };
        let mut wait = FIRST_WAIT;
        loop {
            let before = cursor.clone();
            match self.print_all(&mut client, cursor, &mut printer).await {
                End::Failed(failure) => return Err(failure),
                End::Lost(status) => {
                    if *cursor != before {
                        wait = FIRST_WAIT;
                    }
                    if wait == FIRST_WAIT {
                        eprintln!("the service went away ({:?}): waiting for it", status.code());
                    }
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LAST_WAIT);
            // A channel that lost its service connects anew with the next call.
        }
    }

    /// Prints changes after `cursor`, which moves on with them, until the stream ends.
    async fn print_all(
        &self,
        client: &mut Client,
        cursor: &mut String,
        printer: &mut Printer,
    ) -> End {
        let ended = |status: Status| match is_passing(&status) {
            true => End::Lost(status),
            false => End::Failed(failure(&status)),
        };
        let request = WatchChangesRequest { cursor: cursor.clone() };
        let mut changes = match client.watch_changes(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return ended(status),
        };
        loop {
            let change = match changes.message().await {
                Ok(Some(message)) => message.change.unwrap_or_default(),
                Ok(None) => return End::Lost(Status::unavailable("the stream ended")),
                Err(status) => return ended(status),
            };
            let printed = printer.print(&change).map_err(|error| Failure::stdout(&error));
            let kept = printed.and_then(|()| {
                cursor.clone_from(&change.cursor);
                keep_cursor(self.cursor_out.as_deref(), cursor)
            });
            if let Err(failure) = kept {
                return End::Failed(failure);
            }
        }
    }
}

/// Prints changes line by line.
struct Printer {
    format: Format,
    header_is_due: bool,
}

impl Printer {
    fn print(&mut self, change: &StatusChange) -> io::Result<()> {
        let is_whole = self.format != Format::Table;
        let (columns, cells) = (columns(is_whole), change_cells(change, is_whole));
        let mut out = io::stdout().lock();
        match self.format {
            Format::Table => {
                let line: Vec<String> = cells.iter().map(shown).collect();
                writeln!(out, "{}", line.join("  "))?;
            }
            Format::Json => {
                let names = columns.into_iter().map(str::to_owned);
                let object: Map<String, Value> = names.zip(cells).collect();
                serde_json::to_writer(&mut out, &object)?;
                writeln!(out)?;
            }
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(&mut out);
                if std::mem::take(&mut self.header_is_due) {
                    writer.write_record(&columns)?;
                }
                writer.write_record(cells.iter().map(shown))?;
                writer.flush()?;
            }
        }
        out.flush()
    }
}

//! `waymark status changes`: what changed since a cursor.

use std::path::PathBuf;

use api::status::{Facet, ListChangesRequest, StatusChange};
use clap::Args;
use serde_json::Value;

use super::{
    columns::{COLUMNS, cells},
    connect,
    export::keep_cursor,
};
use crate::{
    client::{
        answer::{day, failure, plain_name, time},
        connection::ConnectionArgs,
    },
    failure::Failure,
    output::{Document, Format, Section, text},
};

/// Lists changes of status since a cursor, oldest first.
///
/// Keep the cursor that is told at the end and pass it on the next time: every change is listed
/// once. As CSV or JSON a change has all columns of the status after it, as `status export` has.
#[derive(Debug, Args)]
pub struct Changes {
    #[command(flatten)]
    from: From,
    /// Most changes to list; by default all
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// File to write the cursor to, from which the next run goes on
    #[arg(long, value_name = "FILE")]
    cursor_out: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Where in the feed to start.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct From {
    /// Changes after this cursor
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// Changes from the beginning of the feed
    #[arg(long)]
    all: bool,
}

impl From {
    /// The cursor to start from; empty for the beginning.
    pub fn cursor(&self) -> String {
        self.cursor.clone().unwrap_or_default()
    }
}

impl Changes {
    /// Lists the changes.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub async fn run(&self, format: Format) -> Result<Document, Failure> {
        let mut client = connect(&self.connection).await?;
        let limit = self.limit.unwrap_or(usize::MAX);
        let mut cursor = self.from.cursor();
        let is_whole = format != Format::Table;
        let mut section = Section::new("changes", &columns(is_whole));
        let mut n_listed = 0;
        while n_listed < limit {
            let page_size = i32::try_from((limit - n_listed).min(10_000)).unwrap_or(10_000);
            let request = ListChangesRequest { cursor: cursor.clone(), page_size };
            let answer = client.list_changes(request).await;
            let page = answer.map_err(|status| failure(&status))?.into_inner();
            cursor = page.next_cursor;
            if page.changes.is_empty() {
                break;
            }
            n_listed += page.changes.len();
            for change in &page.changes {
                section.row(change_cells(change, is_whole));
            }
        }
        keep_cursor(self.cursor_out.as_deref(), &cursor)?;
        eprintln!("go on with: waymark status changes --cursor {cursor}");
        let document = Document::new("waymark.status.changes/1").section(section);
        if format == Format::Csv {
            // One table, as programs read it: each row has its cursor.
            return Ok(document);
        }
        let mut next = Section::new("next", &["cursor"]);
        next.row(vec![text(&cursor)]);
        Ok(document.section(next))
    }
}

/// The columns that are a change's own or that people look at first.
const OWN: [&str; 11] = [
    "local_id",
    "pathway",
    "from",
    "to",
    "as_of",
    "changed",
    "effective_on",
    "known_on",
    "cause",
    "changed_at",
    "cursor",
];

/// The columns of a change; a whole one has those of the status after it too.
pub fn columns(is_whole: bool) -> Vec<&'static str> {
    let more = COLUMNS.iter().map(|column| column.name).filter(|name| !OWN.contains(name));
    OWN.into_iter().chain(more.filter(|_| is_whole)).collect()
}

/// The cells of a change, one per column.
pub fn change_cells(change: &StatusChange, is_whole: bool) -> Vec<Value> {
    let status = change.status.clone().unwrap_or_default();
    let facets: Vec<String> = change.changed().map(facet_name).collect();
    let mut row = vec![
        text(&status.local_id),
        text(&status.pathway),
        text(&change.previous_label),
        text(&status.label),
        day(status.as_of.as_ref()),
        text(facets.join(", ")),
        day(change.effective_on.as_ref()),
        day(change.known_on.as_ref()),
        plain_name(change.cause().as_str_name(), "CAUSE"),
        time(change.changed_at.as_ref()),
        text(&change.cursor),
    ];
    if is_whole {
        let named = COLUMNS.iter().zip(cells(&status));
        row.extend(named.filter(|(it, _)| !OWN.contains(&it.name)).map(|(_, cell)| cell));
    }
    row
}

fn facet_name(facet: Facet) -> String {
    let name = plain_name(facet.as_str_name(), "FACET");
    name.as_str().unwrap_or_default().to_owned()
}

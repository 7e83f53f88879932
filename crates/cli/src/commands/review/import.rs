//! The verdicts of a filled-in file, sent row by row.

use std::path::PathBuf;

use api::{ErrorReason, error::reason_of, review::DecideTaskResponse};
use clap::Args;
use serde_json::{Value, json};
use tonic::Status;

use super::{
    sheet::FileArgs,
    tasks::filled,
    verdicts::{self, Entry},
};
use crate::{
    client::{
        answer::{failure, plain_name},
        connection::ConnectionArgs,
        review::{Client, connect, decide, get_task, task_of},
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, progress::Progress, text},
};

/// Decides the tasks of a file that waymark review export wrote and a steward filled in.
///
/// Every row is checked first: where one is wrong, nothing is decided. Then each is decided by
/// itself: one that the service refuses, because its task changed or somebody holds it, does not
/// stop the others. Importing the same file again decides nothing twice.
#[derive(Debug, Args)]
#[command(after_long_help = verdicts::HELP)]
pub struct Import {
    /// The file
    #[arg(value_name = "FILE")]
    input: PathBuf,
    #[command(flatten)]
    file: FileArgs,
    /// Check the file and look whether its tasks are still as they were, but decide nothing
    #[arg(long)]
    dry_run: bool,
}

/// What became of a row.
enum Fate {
    /// Dry run: it would be sent.
    Ready,
    /// The service took it.
    Taken(DecideTaskResponse),
    /// The service refused this row.
    Refused(Refusal),
}

struct Refusal {
    reason: ErrorReason,
    message: String,
}

impl Import {
    /// Decides, prints a row per task, and says whether some were refused.
    ///
    /// # Errors
    /// [`Failure`] when the file is wrong, and when the service cannot be reached any more, after
    /// what became of the rows until then was printed.
    pub async fn run(&self, connection: &ConnectionArgs, format: Format) -> Result<Exit, Failure> {
        let read = verdicts::read(&self.input, self.file.form(&self.input)?)?;
        if read.n_passed_over > 0 {
            eprintln!("{} rows without a verdict are passed over", read.n_passed_over);
        }
        let mut client = connect(connection).await?;
        let progress = Progress::of("verdicts sent", read.entries.len() as u64);
        let mut fates = Vec::new();
        let mut stopped = None;
        for entry in &read.entries {
            match self.send(&mut client, entry).await {
                Ok(fate) => fates.push(fate),
                Err(failure) => {
                    stopped = Some(failure);
                    break;
                }
            }
            progress.advance(1);
        }
        drop(progress);
        let n_refused = fates.iter().filter(|fate| matches!(fate, Fate::Refused(_))).count();
        let section = section(read.entries.iter().zip(&fates));
        Document::new("waymark.review.import/1").section(section).print(format)?;
        if n_refused > 0 {
            eprintln!("{n_refused} rows were refused: export their tasks again and look anew");
        }
        if self.dry_run {
            eprintln!("dry run: nothing was decided");
        }
        match stopped {
            Some(failure) => Err(failure),
            None if n_refused > 0 => Ok(Exit::WorkRemains),
            None => Ok(Exit::Done),
        }
    }

    async fn send(&self, client: &mut Client, entry: &Entry) -> Result<Fate, Failure> {
        if self.dry_run {
            return look(client, entry).await;
        }
        match decide(client, &entry.request()).await {
            Ok(answer) => Ok(Fate::Taken(answer)),
            Err(status) => refusal(&status).map(Fate::Refused).ok_or_else(|| failure(&status)),
        }
    }
}

/// Whether the task is still as the steward saw it.
async fn look(client: &mut Client, entry: &Entry) -> Result<Fate, Failure> {
    let detail = match get_task(client, &entry.task, true).await {
        Ok(detail) => detail,
        Err(status) => {
            return refusal(&status).map(Fate::Refused).ok_or_else(|| failure(&status));
        }
    };
    if task_of(&detail)?.etag == entry.etag {
        return Ok(Fate::Ready);
    }
    let message = "the task changed since it was exported".to_owned();
    Ok(Fate::Refused(Refusal { reason: ErrorReason::TaskChanged, message }))
}

/// A refusal of this row alone; none where the others would fare no better.
fn refusal(status: &Status) -> Option<Refusal> {
    use ErrorReason::{DecisionConflict, RequestInvalid, TaskChanged, TaskHeld, TaskUnknown};
    let of_row = [DecisionConflict, RequestInvalid, TaskChanged, TaskHeld, TaskUnknown];
    let reason = reason_of(status).filter(|reason| of_row.contains(reason))?;
    Some(Refusal { reason, message: status.message().to_owned() })
}

fn section<'a>(rows: impl Iterator<Item = (&'a Entry, &'a Fate)>) -> Section {
    let columns = [
        "row",
        "task",
        "verdict",
        "outcome",
        "decision",
        "records_moved",
        "statuses_changed",
        "why",
        "message",
    ];
    let mut section = Section::new("verdicts", &columns);
    for (entry, fate) in rows {
        let mut row = vec![
            json!(entry.place.number()),
            text(&entry.task),
            plain_name(entry.judgment.verdict().as_str_name(), "VERDICT"),
        ];
        row.extend(cells(fate));
        section.row(row);
    }
    section
}

fn cells(fate: &Fate) -> [Value; 6] {
    const NONE: Value = Value::Null;
    match fate {
        Fate::Ready => [text("ready"), NONE, NONE, NONE, NONE, NONE],
        Fate::Taken(answer) => [
            plain_name(answer.outcome().as_str_name(), "OUTCOME"),
            filled(&answer.decision_id),
            json!(answer.regroupings.len()),
            json!(answer.status_effects.len()),
            NONE,
            NONE,
        ],
        Fate::Refused(refusal) => {
            [text("refused"), NONE, NONE, NONE, text(refusal.reason.name()), text(&refusal.message)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_one_row_does_not_stop_the_others() {
        for (reason, is_of_row) in [
            (ErrorReason::TaskChanged, true),
            (ErrorReason::TaskUnknown, true),
            (ErrorReason::TaskHeld, true),
            (ErrorReason::DecisionConflict, true),
            (ErrorReason::RequestInvalid, true),
            (ErrorReason::NotPermitted, false),
            (ErrorReason::ServiceUnavailable, false),
        ] {
            let status = api::error::status(reason, "so it is", &[]);
            assert_eq!(refusal(&status).is_some(), is_of_row, "{reason}");
        }
        assert!(refusal(&Status::unavailable("connection refused")).is_none());
    }
}

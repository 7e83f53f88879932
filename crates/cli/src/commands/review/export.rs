//! Tasks written to a file, with columns to fill in for `waymark review import`.

use std::path::PathBuf;

use api::{
    ErrorReason,
    error::reason_of,
    review::{PairExplanation, Task, TaskDetail},
    types,
};
use clap::Args;
use hashbrown::HashMap;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    BlindArgs,
    filter::FilterArgs,
    sheet::{FileArgs, Sheet, refuse_existing},
    verdicts,
};
use crate::{
    client::{
        answer::{failure, plain_name, time},
        connection::ConnectionArgs,
        review::{Client, connect, get_task, list_tasks, task_of},
    },
    commands::explain::pair::{bits, probability, record_name, record_text},
    exit::Exit,
    failure::Failure,
    output::{Document, Section, progress::Progress, text},
};

/// Tasks that are asked for at a time.
const ASKED_AT_ONCE: usize = 8;
/// Before the name of a field, in the column of its comparison level.
const LEVEL: &str = "level_";

/// The columns that say what a task is.
const TASK_COLUMNS: [&str; 14] = [
    "task",
    "etag",
    "blind",
    "reason",
    "state",
    "opened_at",
    "statuses",
    "left",
    "right",
    "left_records",
    "right_records",
    "weight",
    "probability",
    "needs_second",
];

/// Writes tasks to a file to be filled in, for waymark review import.
///
/// Every task that the filter lets through is a row, with the comparison level of each field of its
/// best pair (level_FIELD), and empty columns for the verdict.
#[derive(Debug, Args)]
#[command(after_long_help = verdicts::HELP)]
pub struct Export {
    /// File to write; refused where it exists, since it may hold verdicts
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    blind: BlindArgs,
}

impl Export {
    /// Writes the file.
    ///
    /// # Errors
    /// [`Failure`] when the file exists or cannot be written, the service refuses or cannot be
    /// reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let form = self.file.form(&self.out)?;
        refuse_existing(&self.out)?;
        let filter = self.filter.filter()?;
        let client = &mut connect(connection).await?;
        let found = list_tasks(client, filter, usize::MAX).await?;
        let details = details(client, &found.tasks, self.blind.blind).await?;
        let n_gone = found.tasks.len() - details.len();
        if n_gone > 0 {
            eprintln!("{n_gone} tasks were settled meanwhile and are left out");
        }
        sheet(&details)?.write(&self.out, form)?;
        eprintln!(
            "fill in the columns verdict and decision_reason, then: waymark review import {}",
            self.out.display()
        );
        let mut section = Section::new("export", &["tasks", "file"]);
        section.row(vec![json!(details.len()), text(self.out.display())]);
        Ok(Document::new("waymark.review.export.receipt/1").section(section))
    }
}

/// What is known of each task, in order, without those that are settled by now.
async fn details(client: &Client, tasks: &[Task], blind: bool) -> Result<Vec<TaskDetail>, Failure> {
    let progress = Progress::of("tasks read", tasks.len() as u64);
    let mut details = Vec::with_capacity(tasks.len());
    for some in tasks.chunks(ASKED_AT_ONCE) {
        let mut asked = JoinSet::new();
        for (place, task) in some.iter().enumerate() {
            let (mut client, id) = (client.clone(), task.id.clone());
            asked.spawn(async move { (place, get_task(&mut client, &id, blind).await) });
        }
        let mut answers: HashMap<usize, TaskDetail> = HashMap::new();
        while let Some(joined) = asked.join_next().await {
            let (place, answer) =
                joined.map_err(|error| Failure::plain(Exit::Bug, error.to_string()))?;
            match answer {
                Ok(detail) => {
                    answers.insert(place, detail);
                }
                Err(status) if reason_of(&status) == Some(ErrorReason::TaskUnknown) => {}
                Err(status) => return Err(failure(&status)),
            }
        }
        details.extend((0..some.len()).filter_map(|place| answers.remove(&place)));
        progress.advance(some.len() as u64);
    }
    Ok(details)
}

/// The file: what is known of each task, and empty cells to fill in.
fn sheet(details: &[TaskDetail]) -> Result<Sheet, Failure> {
    let fields = fields(details);
    let levels = fields.iter().map(|field| format!("{LEVEL}{field}"));
    let columns = TASK_COLUMNS.iter().map(|column| (*column).to_owned()).chain(levels);
    let filled_in = verdicts::FILLED_IN.iter().map(|column| (*column).to_owned());
    let rows = details.iter().map(|detail| {
        let mut row = task_cells(task_of(detail)?, detail.blind);
        let pair = detail.best_pair.as_ref();
        row.extend(fields.iter().map(|field| pair.map_or(Value::Null, |pair| level(pair, field))));
        row.extend(verdicts::FILLED_IN.map(|_| Value::Null));
        Ok(row)
    });
    Ok(Sheet {
        columns: columns.chain(filled_in).collect(),
        rows: rows.collect::<Result<_, Failure>>()?,
    })
}

/// The fields of the best pairs, in schema order.
fn fields(details: &[TaskDetail]) -> Vec<&str> {
    let mut fields = Vec::new();
    let pairs = details.iter().filter_map(|detail| detail.best_pair.as_ref());
    for field in pairs.flat_map(|pair| &pair.fields) {
        if !fields.contains(&field.field.as_str()) {
            fields.push(&field.field);
        }
    }
    fields
}

fn level(pair: &PairExplanation, field: &str) -> Value {
    let of = pair.fields.iter().find(|explanation| explanation.field == field);
    of.map_or(Value::Null, |explanation| text(&explanation.level))
}

fn task_cells(task: &Task, blind: bool) -> Vec<Value> {
    let names = |records: &[types::RecordKey]| records.iter().map(record_text).collect::<Value>();
    let cells: [Value; TASK_COLUMNS.len()] = [
        text(&task.id),
        text(&task.etag),
        json!(blind),
        text(&task.reason),
        plain_name(task.state().as_str_name(), "TASK_STATE"),
        time(task.opened_at.as_ref()),
        json!(task.statuses),
        record_name(task.best_left.as_ref()),
        record_name(task.best_right.as_ref()),
        names(&task.left),
        names(&task.right),
        task.weight_millibits.map_or(Value::Null, bits),
        task.probability_ppm.map_or(Value::Null, probability),
        json!(task.needs_second),
    ];
    cells.into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use api::review::{FieldExplanation, TaskState};

    use super::super::{sheet::FileFormat, verdicts::read};
    use super::*;

    fn key(local_id: &str) -> types::RecordKey {
        types::RecordKey { agency: "college".to_owned(), local_id: local_id.to_owned() }
    }

    fn detail(id: &str, etag: &str, levels: &[(&str, &str)]) -> TaskDetail {
        let (left, right) = (key("=1"), key("2"));
        let fields = levels.iter().map(|(field, level)| FieldExplanation {
            field: (*field).to_owned(),
            level: (*level).to_owned(),
            ..FieldExplanation::default()
        });
        let pair = PairExplanation { fields: fields.collect(), ..PairExplanation::default() };
        let task = Task {
            id: id.to_owned(),
            state: TaskState::Open.into(),
            etag: etag.to_owned(),
            reason: "band".to_owned(),
            left: vec![left.clone(), key("3")],
            right: vec![right.clone()],
            best_left: Some(left),
            best_right: Some(right),
            weight_millibits: Some(-3_250),
            ..Task::default()
        };
        TaskDetail { task: Some(task), best_pair: Some(pair), ..TaskDetail::default() }
    }

    fn written(
        details: &[TaskDetail],
        name: &str,
        form: FileFormat,
    ) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        sheet(details).unwrap().write(&path, form).unwrap();
        (directory, path)
    }

    #[test]
    fn a_row_holds_what_is_known_and_room_for_a_verdict() {
        let details = [
            detail("T1", "=e", &[("first_name", "exact"), ("state", "missing")]),
            detail("T2", "7", &[("first_name", "near"), ("zip", "exact")]),
        ];
        let (_directory, path) = written(&details, "x.csv", FileFormat::Csv);
        let text = std::fs::read_to_string(path).unwrap();
        let expected = "\
task,etag,blind,reason,state,opened_at,statuses,left,right,left_records,right_records,weight,\
probability,needs_second,level_first_name,level_state,level_zip,verdict,decision_reason,until,\
scope,record
T1,'=e,false,band,open,,0,college/=1,college/2,college/=1 college/3,college/2,-3.2500,,false,exact,\
missing,,,,,,
T2,'7,false,band,open,,0,college/=1,college/2,college/=1 college/3,college/2,-3.2500,,false,near,,\
exact,,,,,
";
        assert_eq!(text, expected);
    }

    fn fill_in(path: &Path, form: FileFormat) {
        let text = std::fs::read_to_string(path).unwrap();
        let text = match form {
            FileFormat::Csv => text.replace("missing,,,,,,", "missing,,link,card seen,,,"),
            FileFormat::Json => {
                let mut file: Value = serde_json::from_str(&text).unwrap();
                file["tasks"][0]["verdict"] = json!("link");
                file["tasks"][0]["decision_reason"] = json!("card seen");
                file.to_string()
            }
        };
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn what_was_exported_and_filled_in_is_read_back() {
        let levels = [("first_name", "exact"), ("state", "missing")];
        let mut details = [detail("T1", "=e", &levels), detail("T2", "7", &[("zip", "exact")])];
        details[0].blind = true;
        for (name, form) in [("x.csv", FileFormat::Csv), ("x.json", FileFormat::Json)] {
            let (_directory, path) = written(&details, name, form);
            assert_eq!(read(&path, form).unwrap().entries, []);
            fill_in(&path, form);
            let verdicts = read(&path, form).unwrap();
            assert_eq!((verdicts.entries.len(), verdicts.n_passed_over), (1, 1), "{name}");
            let entry = &verdicts.entries[0];
            assert_eq!((entry.task.as_str(), entry.etag.as_str()), ("T1", "=e"));
            assert_eq!(entry.reason.as_str(), "card seen");
            assert!(entry.blind);
        }
    }
}

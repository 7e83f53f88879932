//! Tasks as they are listed, shown, taken and given back.

use api::review::{
    AgencyQuestion, ClaimTaskRequest, ReleaseTaskRequest, Task, TaskDetail, TaskNote,
};
use clap::Args;
use serde_json::{Value, json};

use super::{BlindArgs, decisions::decision_section, filter::FilterArgs};
use crate::{
    client::{
        answer::{day, failure, plain_name, time},
        connection::ConnectionArgs,
        review::{connect, get_task, list_tasks, task_of},
    },
    commands::explain::pair::{bits, pair_sections, probability, record_name},
    failure::Failure,
    output::{Document, Section, optional, shown, text},
};

/// Lists the tasks, most urgent first.
///
/// The urgency is the probability that what stands until a decision is wrong, times the number of
/// statuses that depend on it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark review list --reason band --older-than 7
  waymark review list --state escalated --format csv
  waymark review list --weight-from -1 --weight-below 3")]
pub struct List {
    #[command(flatten)]
    filter: FilterArgs,
    /// Most tasks to list
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// Shows a task with what speaks for and against the match.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark review show 4k2m9x
  waymark review show 4k2m9x --blind     only the levels of agreement")]
pub struct Show {
    /// Id of the task
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    blind: BlindArgs,
}

/// Takes the most urgent task that nobody else holds, and shows it.
///
/// Nobody else is given it before the lease ends. Taking it again renews the lease.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark review next
  waymark review next --pathway nursing --blind")]
pub struct Next {
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    blind: BlindArgs,
}

/// Gives a task back before its lease ends.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark review release 4k2m9x
  waymark review release 4k2m9x --skip   and do not give it to me again today")]
pub struct Release {
    /// Id of the task
    #[arg(value_name = "ID")]
    id: String,
    /// Do not be given it again today
    #[arg(long)]
    skip: bool,
}

impl List {
    /// Lists.
    ///
    /// # Errors
    /// [`Failure`] when the filter lets nothing through, the service refuses or cannot be reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let filter = self.filter.filter()?;
        let found = list_tasks(&mut connect(connection).await?, filter, self.limit).await?;
        if (found.tasks.len() as u64) < found.total {
            eprintln!("listed {} of {} tasks", found.tasks.len(), found.total);
        }
        Ok(Document::new("waymark.review.list/2").section(task_section(&found.tasks)))
    }
}

impl Show {
    /// Shows the task.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let client = &mut connect(connection).await?;
        let detail = get_task(client, &self.id, self.blind.blind).await;
        let detail = detail.map_err(|status| failure(&status))?;
        let document = detail_document("waymark.review.show/2", &detail)?;
        tell_how_to_settle(&self.id);
        Ok(document)
    }
}

impl Next {
    /// Takes a task.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let request = ClaimTaskRequest {
            id: String::new(),
            filter: Some(self.filter.filter()?),
            blind: self.blind.blind,
        };
        let mut client = connect(connection).await?;
        let answer = client.claim_task(request).await.map_err(|status| failure(&status))?;
        let answer = answer.into_inner();
        let Some(detail) = answer.detail else {
            eprintln!(
                "there is no task to take: of {} that fit, others are held, skipped or judged by you",
                answer.total
            );
            return Ok(Document::new("waymark.review.next/1").section(task_section(&[])));
        };
        let document = detail_document("waymark.review.next/1", &detail)?;
        let task = task_of(&detail)?;
        eprintln!("yours until {}, of {} that fit", time_text(task), answer.total);
        tell_how_to_settle(&task.id);
        eprintln!("to give it back: waymark review release {} [--skip]", task.id);
        Ok(document)
    }
}

impl Release {
    /// Gives the task back.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let request = ReleaseTaskRequest { id: self.id.clone(), skip: self.skip };
        let mut client = connect(connection).await?;
        client.release_task(request).await.map_err(|status| failure(&status))?;
        let mut section = Section::new("released", &["task", "skipped"]);
        section.row(vec![text(&self.id), json!(self.skip)]);
        Ok(Document::new("waymark.review.release/1").section(section))
    }
}

fn time_text(task: &Task) -> String {
    shown(&time(task.held_until.as_ref()))
}

fn tell_how_to_settle(id: &str) {
    eprintln!(
        "to settle it: waymark review decide {id} link|separate|escalate --reason TEXT\n\
         to put it off: waymark review decide {id} defer --until DATE --reason TEXT"
    );
}

/// Tasks, a row each.
pub fn task_section(tasks: &[Task]) -> Section {
    let columns = [
        "task",
        "state",
        "reason",
        "left",
        "right",
        "records",
        "statuses",
        "weight",
        "probability",
        "priority",
        "opened_at",
        "waits_until",
        "held_by",
    ];
    let mut section = Section::new("tasks", &columns);
    for task in tasks {
        section.row(vec![
            text(&task.id),
            plain_name(task.state().as_str_name(), "TASK_STATE"),
            text(&task.reason),
            record_name(task.best_left.as_ref()),
            record_name(task.best_right.as_ref()),
            json!(task.left.len() + task.right.len()),
            json!(task.statuses),
            task.weight_millibits.map_or(Value::Null, bits),
            task.probability_ppm.map_or(Value::Null, probability),
            json!(task.priority),
            time(task.opened_at.as_ref()),
            day(task.waits_until.as_ref()),
            filled(&task.held_by),
        ]);
    }
    section
}

/// A task with everything that a steward needs.
fn detail_document(schema: &'static str, detail: &TaskDetail) -> Result<Document, Failure> {
    let task = task_of(detail)?;
    if task.needs_second {
        eprintln!("a verdict on this task waits for a second steward's");
    }
    let pairs: Vec<_> = detail.best_pair.iter().chain(&detail.other_pairs).cloned().collect();
    let mut document = Document::new(schema)
        .section(task_section(std::slice::from_ref(task)))
        .section(record_section(detail));
    for section in pair_sections(&pairs) {
        document = document.section(section);
    }
    Ok(document
        .section(decision_section(&detail.decisions))
        .section(note_section(&detail.notes))
        .section(question_section(&detail.questions)))
}

fn record_section(detail: &TaskDetail) -> Section {
    let columns = ["side", "record", "version", "participant", "statuses", "fields"];
    let mut section = Section::new("records", &columns);
    for record in &detail.records {
        section.row(vec![
            text(if record.is_left { "left" } else { "right" }),
            record_name(record.record.as_ref()),
            json!(record.version),
            filled(&record.participant),
            text(record.statuses.join("; ")),
            json!(record.fields),
        ]);
    }
    section
}

fn note_section(notes: &[TaskNote]) -> Section {
    let mut section = Section::new("notes", &["verdict", "author", "reason", "at", "until"]);
    for note in notes {
        section.row(vec![
            plain_name(note.verdict().as_str_name(), "VERDICT"),
            text(&note.author),
            text(&note.reason),
            time(note.at.as_ref()),
            day(note.until.as_ref()),
        ]);
    }
    section
}

fn question_section(questions: &[AgencyQuestion]) -> Section {
    let columns =
        ["question", "record", "fields", "author", "asked_at", "put_on", "answer", "answered_at"];
    let mut section = Section::new("questions", &columns);
    for question in questions {
        section.row(vec![
            text(&question.id),
            record_name(question.record.as_ref()),
            json!(question.fields),
            text(&question.author),
            time(question.asked_at.as_ref()),
            day(question.put_on.as_ref()),
            filled(&question.answer),
            time(question.answered_at.as_ref()),
        ]);
    }
    section
}

/// A cell of text; none where it is empty.
pub fn filled(value: &str) -> Value {
    optional(Some(value).filter(|value| !value.is_empty()))
}

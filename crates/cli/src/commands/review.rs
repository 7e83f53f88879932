//! `waymark review`: the uncertain matches, settled by a data steward.

use api::review::{
    DecideTaskRequest, GetTaskRequest, ListTasksRequest, Task, TaskState, Verdict,
    review_service_client::ReviewServiceClient,
};
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::json;

use super::explain::pair::{bits, pair_sections, probability, record_name};
use crate::{
    client::{
        answer::{day, day_message, failure, plain_name},
        connection::{self, ConnectionArgs},
        submission::incomplete,
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, optional, text},
};

/// Shows and settles the matches that the service is not sure of.
///
/// A decision outranks every weight and survives retraining. Reasons must not hold names, dates or
/// numbers of a person.
#[derive(Debug, Args)]
pub struct Review {
    #[command(subcommand)]
    command: ReviewCommand,
}

#[derive(Debug, Subcommand)]
enum ReviewCommand {
    /// List the tasks, most probable matches first
    List(List),
    /// Show a task with what speaks for and against the match
    Show {
        /// Id of the task
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Settle or defer a task
    Decide(Decide),
}

/// Lists the tasks, most probable matches first.
#[derive(Debug, Args)]
struct List {
    /// List the tasks that were put off instead of the open ones
    #[arg(long)]
    deferred: bool,
    /// Only tasks for this reason, such as band, conflict or bridge
    #[arg(long, value_name = "REASON", default_value = "")]
    reason: String,
    /// Only tasks with a record of this agency
    #[arg(long, value_name = "AGENCY", default_value = "")]
    agency: String,
    /// Most tasks to list
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Settles or defers a task.
#[derive(Debug, Args)]
struct Decide {
    /// Id of the task
    #[arg(value_name = "ID")]
    id: String,
    /// What to do with it
    #[arg(value_enum, value_name = "VERDICT")]
    verdict: Answer,
    /// Why, without identity values
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Deferring: the day on which the task opens again
    #[arg(long, value_name = "YYYY-MM-DD", required_if_eq("verdict", "defer"))]
    until: Option<Date>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What a steward says of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Answer {
    /// The two groups are one person
    Link,
    /// They are two people
    Separate,
    /// Not now
    Defer,
}

impl Review {
    /// Does what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let document = match &self.command {
            ReviewCommand::List(list) => connection::run(list.run())?,
            ReviewCommand::Show { id, connection } => connection::run(show(connection, id))?,
            ReviewCommand::Decide(decide) => connection::run(decide.run())?,
        };
        document.print(format)?;
        Ok(Exit::Done)
    }
}

impl List {
    async fn run(&self) -> Result<Document, Failure> {
        let mut client = ReviewServiceClient::new(self.connection.connect().await?);
        let state = if self.deferred { TaskState::Deferred } else { TaskState::Open };
        let mut request = ListTasksRequest {
            state: state.into(),
            reason: self.reason.clone(),
            agency: self.agency.clone(),
            page_size: 1_000,
            page_token: String::new(),
        };
        let mut tasks = Vec::new();
        let total = loop {
            let answer = client.list_tasks(request.clone()).await;
            let page = answer.map_err(|status| failure(&status))?.into_inner();
            tasks.extend(page.tasks);
            if page.next_page_token.is_empty() || tasks.len() >= self.limit {
                break page.total;
            }
            request.page_token = page.next_page_token;
        };
        tasks.truncate(self.limit);
        if (tasks.len() as u64) < total {
            eprintln!("listed {} of {total} tasks", tasks.len());
        }
        Ok(Document::new("waymark.review.list/1").section(task_section(&tasks)))
    }
}

async fn show(connection: &ConnectionArgs, id: &str) -> Result<Document, Failure> {
    let mut client = ReviewServiceClient::new(connection.connect().await?);
    let answer = client.get_task(GetTaskRequest { id: id.to_owned() }).await;
    let answer = answer.map_err(|status| failure(&status))?.into_inner();
    let task = answer.task.ok_or_else(incomplete)?;
    let mut records = Section::new("records", &["side", "record"]);
    for (side, group) in [("left", &task.left), ("right", &task.right)] {
        for record in group {
            records.row(vec![text(side), record_name(Some(record))]);
        }
    }
    let mut document = Document::new("waymark.review.show/1")
        .section(task_section(std::slice::from_ref(&task)))
        .section(records);
    let pairs: Vec<_> = answer.best_pair.into_iter().collect();
    for section in pair_sections(&pairs) {
        document = document.section(section);
    }
    eprintln!("to settle it: waymark review decide {id} link|separate|defer --reason TEXT");
    Ok(document)
}

impl Decide {
    async fn run(&self) -> Result<Document, Failure> {
        let mut client = ReviewServiceClient::new(self.connection.connect().await?);
        let answer = client.get_task(GetTaskRequest { id: self.id.clone() }).await;
        let answer = answer.map_err(|status| failure(&status))?.into_inner();
        let verdict = match self.verdict {
            Answer::Link => Verdict::Link,
            Answer::Separate => Verdict::Separate,
            Answer::Defer => Verdict::Defer,
        };
        let request = DecideTaskRequest {
            id: self.id.clone(),
            verdict: verdict.into(),
            reason: self.reason.clone(),
            defer_until: day_message(self.until),
            etag: answer.task.ok_or_else(incomplete)?.etag,
        };
        let answer = client.decide_task(request).await.map_err(|status| failure(&status))?;
        let answer = answer.into_inner();
        let mut decided = Section::new("decision", &["task", "verdict", "decision"]);
        let decision = Some(&answer.decision_id).filter(|id| !id.is_empty());
        let verdict = plain_name(verdict.as_str_name(), "VERDICT");
        decided.row(vec![text(&self.id), verdict, optional(decision)]);
        let mut regrouped = Section::new("regroupings", &["record", "from", "to"]);
        for regrouping in &answer.regroupings {
            regrouped.row(vec![
                record_name(regrouping.record.as_ref()),
                text(&regrouping.from_participant),
                text(&regrouping.to_participant),
            ]);
        }
        Ok(Document::new("waymark.review.decide/1").section(decided).section(regrouped))
    }
}

fn task_section(tasks: &[Task]) -> Section {
    let columns = [
        "task",
        "state",
        "reason",
        "left",
        "right",
        "records",
        "weight",
        "probability",
        "deferred_until",
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
            bits(task.weight_millibits),
            probability(task.probability_ppm),
            day(task.deferred_until.as_ref()),
        ]);
    }
    section
}

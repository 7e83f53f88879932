//! `waymark review`: the uncertain matches, settled by a data steward.

mod screen;

use api::review::{
    DecideTaskRequest, GetTaskRequest, ListTasksRequest, Task, TaskFilter, TaskState, Verdict,
    review_service_client::ReviewServiceClient,
};
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::{Value, json};

use self::screen::ScreenOptions;
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
/// Without a command it opens a screen in the terminal, on the most urgent task. A decision outranks
/// every weight and survives retraining. Reasons must not hold names, dates or numbers of a person.
#[derive(Debug, Args)]
pub struct Review {
    #[command(subcommand)]
    command: Option<ReviewCommand>,
    /// Hide weights and participants, so that they do not lead the judgment
    #[arg(long)]
    blind: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
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
            None => {
                let options = ScreenOptions { filter: TaskFilter::default(), blind: self.blind };
                return screen::run(&options, &self.connection);
            }
            Some(ReviewCommand::List(list)) => connection::run(list.run(&self.connection))?,
            Some(ReviewCommand::Show { id }) => connection::run(show(&self.connection, id))?,
            Some(ReviewCommand::Decide(decide)) => connection::run(decide.run(&self.connection))?,
        };
        document.print(format)?;
        Ok(Exit::Done)
    }
}

impl List {
    async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let mut client = ReviewServiceClient::new(connection.connect().await?);
        let state = if self.deferred { TaskState::Deferred } else { TaskState::Open };
        let filter = TaskFilter {
            state: state.into(),
            reason: self.reason.clone(),
            agency: self.agency.clone(),
            ..TaskFilter::default()
        };
        let mut request =
            ListTasksRequest { filter: Some(filter), page_size: 1_000, page_token: String::new() };
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
    let answer = client.get_task(GetTaskRequest { id: id.to_owned(), blind: false }).await;
    let answer = answer.map_err(|status| failure(&status))?.into_inner();
    let detail = answer.detail.ok_or_else(incomplete)?;
    let task = detail.task.ok_or_else(incomplete)?;
    let mut records = Section::new("records", &["side", "record"]);
    for (side, group) in [("left", &task.left), ("right", &task.right)] {
        for record in group {
            records.row(vec![text(side), record_name(Some(record))]);
        }
    }
    let mut document = Document::new("waymark.review.show/1")
        .section(task_section(std::slice::from_ref(&task)))
        .section(records);
    let pairs: Vec<_> = detail.best_pair.into_iter().collect();
    for section in pair_sections(&pairs) {
        document = document.section(section);
    }
    eprintln!("to settle it: waymark review decide {id} link|separate|defer --reason TEXT");
    Ok(document)
}

impl Decide {
    async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let mut client = ReviewServiceClient::new(connection.connect().await?);
        let request = GetTaskRequest { id: self.id.clone(), blind: false };
        let answer = client.get_task(request).await.map_err(|status| failure(&status))?;
        let task = answer.into_inner().detail.and_then(|detail| detail.task);
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
            etag: task.ok_or_else(incomplete)?.etag,
            ..DecideTaskRequest::default()
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
        "waits_until",
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
            task.weight_millibits.map_or(Value::Null, bits),
            task.probability_ppm.map_or(Value::Null, probability),
            day(task.waits_until.as_ref()),
        ]);
    }
    section
}

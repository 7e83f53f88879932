//! `waymark questions`: what the agency is asked about the quality of its own records.

use api::question::{
    Answer, AnswerQuestionRequest, ListQuestionsRequest, ListQuestionsResponse, Question,
    question_service_client::QuestionServiceClient,
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::{
    client::{
        answer::{day, failure, plain_name, time},
        connection::{self, ConnectionArgs},
        submission::incomplete,
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, shown, text},
};

/// Lists and answers the questions about the quality of the agency's own records.
///
/// Questions come in rounds, on the same days whatever happens; most are drawn at random. Each names
/// a record and the fields to check against the agency's own papers.
#[derive(Debug, Args)]
pub struct Questions {
    #[command(subcommand)]
    command: QuestionsCommand,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Subcommand)]
enum QuestionsCommand {
    /// List the questions, those without an answer first, oldest first
    List(List),
    /// Answer a question
    Answer(AnswerArgs),
}

/// Lists the questions, those without an answer first, oldest first.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark questions list
  waymark questions list --all --format csv")]
struct List {
    /// Also those that have an answer, or were not answered in time
    #[arg(long)]
    all: bool,
    /// Most questions to list; by default all
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
}

/// Answers a question. The same answer again changes nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  waymark questions answer Q-7 confirmed
  waymark submit college.csv --agency college --key linkage.key    the record as it should be, then
  waymark questions answer Q-7 corrected")]
struct AnswerArgs {
    /// Id of the question
    #[arg(value_name = "ID")]
    id: String,
    /// What was found
    #[arg(value_enum, value_name = "ANSWER")]
    answer: Finding,
}

/// What an agency found of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Finding {
    /// The fields were checked and are right as they were sent
    Confirmed,
    /// They were wrong, and a newer version of the record was sent
    Corrected,
    /// It cannot be found out
    Unknown,
}

impl Questions {
    /// Does what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let document = connection::run(async {
            match &self.command {
                QuestionsCommand::List(list) => list.run(&self.connection).await,
                QuestionsCommand::Answer(answer) => answer.run(&self.connection).await,
            }
        })?;
        document.print(format)?;
        Ok(Exit::Done)
    }
}

impl List {
    async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let mut client = QuestionServiceClient::new(connection.connect().await?);
        let mut request = ListQuestionsRequest {
            include_closed: self.all,
            page_size: 1_000,
            page_token: String::new(),
        };
        let mut found = Vec::new();
        let next_round_on = loop {
            let answer = client.list_questions(request.clone()).await;
            let answer = answer.map_err(|status| failure(&status))?.into_inner();
            let ListQuestionsResponse { questions, next_page_token, next_round_on } = answer;
            found.extend(questions);
            if next_page_token.is_empty() || found.len() >= self.limit {
                break next_round_on;
            }
            request.page_token = next_page_token;
        };
        found.truncate(self.limit);
        if next_round_on.is_some() {
            eprintln!("the next round of questions is on {}", shown(&day(next_round_on.as_ref())));
        }
        Ok(Document::new("waymark.questions.list/1").section(section(&found)))
    }
}

impl AnswerArgs {
    async fn run(&self, connection: &ConnectionArgs) -> Result<Document, Failure> {
        let mut client = QuestionServiceClient::new(connection.connect().await?);
        let answer = match self.answer {
            Finding::Confirmed => Answer::Confirmed,
            Finding::Corrected => Answer::Corrected,
            Finding::Unknown => Answer::Unknown,
        };
        let request = AnswerQuestionRequest { id: self.id.clone(), answer: answer.into() };
        let answer = client.answer_question(request).await.map_err(|status| failure(&status))?;
        let question = answer.into_inner().question.ok_or_else(incomplete)?;
        Ok(Document::new("waymark.questions.answer/1").section(section(&[question])))
    }
}

fn section(questions: &[Question]) -> Section {
    let columns =
        ["question", "local_id", "fields", "asked_on", "answer_by", "answer", "answered_at"];
    let mut section = Section::new("questions", &columns);
    for question in questions {
        let answer = match question.answer() {
            Answer::Unspecified => Value::Null,
            answer => plain_name(answer.as_str_name(), "ANSWER"),
        };
        section.row(vec![
            text(&question.id),
            text(&question.local_id),
            json!(question.fields),
            day(question.asked_on.as_ref()),
            day(question.answer_by.as_ref()),
            answer,
            time(question.answered_at.as_ref()),
        ]);
    }
    section
}

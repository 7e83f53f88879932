//! `waymark batch`: what was submitted, and what became of it.

use api::submission::{
    GetSubmissionRequest, ListSubmissionsRequest, RejectionReason, Submission,
    submission_service_client::SubmissionServiceClient,
};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    client::{
        answer::{day, failure, plain_name, time},
        connection::{self, ConnectionArgs},
        submission::{incomplete, rejections},
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
};

/// Shows the agency's submissions.
#[derive(Debug, Args)]
pub struct Batch {
    #[command(subcommand)]
    command: BatchCommand,
}

#[derive(Debug, Subcommand)]
enum BatchCommand {
    /// List submissions, newest first
    List {
        /// Most submissions to list
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Show a submission and its rejected rows
    Show {
        /// Id of the submission
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
}

impl Batch {
    /// Shows what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let document = match &self.command {
            BatchCommand::List { limit, connection } => connection::run(list(connection, *limit))?,
            BatchCommand::Show { id, connection } => connection::run(show(connection, id))?,
        };
        document.print(format)?;
        Ok(Exit::Done)
    }
}

async fn list(connection: &ConnectionArgs, limit: usize) -> Result<Document, Failure> {
    let mut client = SubmissionServiceClient::new(connection.connect().await?);
    let mut request = ListSubmissionsRequest { page_size: 1_000, ..Default::default() };
    let mut submissions = Vec::new();
    loop {
        let answer = client.list_submissions(request.clone()).await;
        let page = answer.map_err(|status| failure(&status))?.into_inner();
        submissions.extend(page.submissions);
        if page.next_page_token.is_empty() || submissions.len() >= limit {
            break;
        }
        request.page_token = page.next_page_token;
    }
    submissions.truncate(limit);
    Ok(Document::new("waymark.batch.list/1").section(section(&submissions)))
}

async fn show(connection: &ConnectionArgs, id: &str) -> Result<Document, Failure> {
    let mut client = SubmissionServiceClient::new(connection.connect().await?);
    let request = GetSubmissionRequest { submission_id: id.to_owned() };
    let answer = client.get_submission(request).await.map_err(|status| failure(&status))?;
    let submission = answer.into_inner().submission.ok_or_else(incomplete)?;
    let mut rejected = Section::new("rejections", &["row", "reason", "place", "to_do"]);
    for rejection in rejections(&mut client, id).await? {
        rejected.row(vec![
            json!(rejection.offset),
            plain_name(
                RejectionReason::try_from(rejection.reason).unwrap_or_default().as_str_name(),
                "REJECTION_REASON",
            ),
            text(&rejection.field),
            text(&rejection.remedy),
        ]);
    }
    Ok(Document::new("waymark.batch.show/1").section(section(&[submission])).section(rejected))
}

fn section(submissions: &[Submission]) -> Section {
    let columns = [
        "submission",
        "kind",
        "mode",
        "state",
        "as_of",
        "rows",
        "accepted",
        "unchanged",
        "rejected",
        "withdrawn",
        "created_at",
        "finalized_at",
    ];
    let mut section = Section::new("submissions", &columns);
    for submission in submissions {
        let receipt = submission.receipt.as_ref();
        section.row(vec![
            text(&submission.id),
            plain_name(submission.kind().as_str_name(), "SUBMISSION_KIND"),
            plain_name(submission.mode().as_str_name(), "SUBMISSION_MODE"),
            plain_name(submission.state().as_str_name(), "SUBMISSION_STATE"),
            day(submission.as_of.as_ref()),
            json!(submission.committed_offset),
            json!(receipt.map(|receipt| receipt.accepted)),
            json!(receipt.map(|receipt| receipt.unchanged)),
            json!(submission.rejected),
            json!(receipt.map(|receipt| receipt.withdrawn)),
            time(submission.created_at.as_ref()),
            time(receipt.and_then(|receipt| receipt.finalized_at.as_ref())),
        ]);
    }
    section
}

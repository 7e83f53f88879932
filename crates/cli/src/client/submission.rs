//! Sends one encoded file: create, append from the committed offset on, finalize.

use std::time::Duration;

use api::submission::{
    AppendRowsResponse, AppendRowsUnaryRequest, CreateSubmissionResponse,
    FinalizeSubmissionRequest, GetSubmissionRequest, ListRejectionsRequest, ListSubmissionsRequest,
    Receipt, RowRejection, Submission, SubmissionState,
    submission_service_client::SubmissionServiceClient,
};
use tonic::Status;

use super::{
    answer::{failure, is_passing},
    connection::Caller,
    outgoing::{Messages, Outgoing},
};
use crate::{catalogue::Code, exit::Exit, failure::Failure, output::progress::Progress};

/// How often a lost connection is taken up again without any row getting through.
const ATTEMPTS_MAX: u32 = 5;
/// Wait before the first repetition; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// What to do after the connection is lost for good.
const RUN_AGAIN: &str = "run the same command again: it goes on at the last row that is durable";
/// Most submissions that are searched for one to resume.
const SEARCHED_MAX: usize = 10_000;

/// How a file is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    /// Go on with a submission that was begun before; begin none.
    pub resume_only: bool,
    /// One call per message, for sites whose proxies break streams.
    pub unary: bool,
    /// Snapshots: most records that absence may withdraw.
    pub withdraw_limit: Option<u64>,
}

/// What became of a file.
pub struct Sent {
    /// The service's receipt.
    pub receipt: Receipt,
    /// Rows that the service rejected, by offset.
    pub rejections: Vec<RowRejection>,
}

/// Time between two looks whether an accepted submission is applied.
const LOOK: Duration = Duration::from_millis(50);

type Client = SubmissionServiceClient<Caller>;

/// Asks the service whether it would take the file, without sending a row.
///
/// # Errors
/// [`Failure`] says why it would not.
pub async fn validate(caller: Caller, outgoing: &Outgoing) -> Result<(), Failure> {
    let mut client = SubmissionServiceClient::new(caller);
    let request = outgoing.create_request(true);
    client.create_submission(request).await.map_err(|status| failure(&status))?;
    Ok(())
}

/// Sends the file. Sending it again changes nothing: its request id is made from its content.
///
/// # Errors
/// [`Failure`] when the service refuses it or cannot be reached; running the same command again
/// goes on where this one stopped.
pub async fn send(caller: Caller, outgoing: &Outgoing, how: Sending) -> Result<Sent, Failure> {
    let mut client = SubmissionServiceClient::new(caller);
    let submission = open(&mut client, outgoing, how.resume_only).await?;
    if submission.state() == SubmissionState::Open {
        append_all(&mut client, outgoing, &submission, how.unary).await?;
    }
    let request = FinalizeSubmissionRequest {
        submission_id: submission.id.clone(),
        row_count: outgoing.chain.rows,
        digest: outgoing.chain.digest.to_vec(),
        withdraw_limit: how.withdraw_limit,
    };
    let answer = client.finalize_submission(request).await.map_err(|status| failure(&status))?;
    let receipt = answer.into_inner().receipt.ok_or_else(incomplete)?;
    let rejections = if receipt.rejected == 0 {
        Vec::new()
    } else {
        rejections(&mut client, &submission.id).await?
    };
    Ok(Sent { receipt, rejections })
}

/// Waits until participants and statuses take an accepted submission into account.
///
/// # Errors
/// [`Failure`] when the service cannot be reached any more.
pub async fn wait_applied(caller: Caller, id: &str) -> Result<(), Failure> {
    let mut client = SubmissionServiceClient::new(caller);
    loop {
        let request = GetSubmissionRequest { submission_id: id.to_owned() };
        let answer = client.get_submission(request).await.map_err(|status| failure(&status))?;
        if answer.into_inner().submission.is_some_and(|submission| submission.applied) {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn open(
    client: &mut Client,
    outgoing: &Outgoing,
    resume_only: bool,
) -> Result<Submission, Failure> {
    let request = outgoing.create_request(false);
    if resume_only && !was_begun(client, &request.request_id).await? {
        let what = "no earlier run began to send this file with these options";
        return Err(Failure::new(Code::NothingToResume, what)
            .remedy("leave out --resume to send it from the beginning"));
    }
    let answer = client.create_submission(request).await.map_err(|status| failure(&status))?;
    let CreateSubmissionResponse { submission } = answer.into_inner();
    let submission = submission.ok_or_else(incomplete)?;
    match submission.state() {
        SubmissionState::Accepted => {
            eprintln!("this file was accepted before, as submission {}", submission.id);
        }
        SubmissionState::Open if submission.committed_offset > 0 => {
            eprintln!(
                "going on with submission {} at row {} of {}",
                submission.id, submission.committed_offset, outgoing.chain.rows
            );
        }
        _ => {}
    }
    Ok(submission)
}

async fn was_begun(client: &mut Client, request_id: &str) -> Result<bool, Failure> {
    let mut request = ListSubmissionsRequest { page_size: 1_000, ..Default::default() };
    let mut n_searched = 0;
    while n_searched < SEARCHED_MAX {
        let answer =
            client.list_submissions(request.clone()).await.map_err(|status| failure(&status))?;
        let page = answer.into_inner();
        if page.submissions.iter().any(|submission| submission.request_id == request_id) {
            return Ok(true);
        }
        if page.next_page_token.is_empty() {
            return Ok(false);
        }
        n_searched += page.submissions.len();
        request.page_token = page.next_page_token;
    }
    Ok(false)
}

/// Appends every row, taking up a lost connection again at the committed offset.
async fn append_all(
    client: &mut Client,
    outgoing: &Outgoing,
    submission: &Submission,
    unary: bool,
) -> Result<(), Failure> {
    let progress = Progress::of("rows committed", outgoing.chain.rows);
    let mut committed = Committed { offset: submission.committed_offset, progress };
    committed.progress.advance(committed.offset);
    let (mut n_attempts, mut wait) = (0, FIRST_WAIT);
    while committed.offset < outgoing.chain.rows {
        let before = committed.offset;
        let messages = outgoing.messages(&submission.id, before)?;
        let read_failure = messages.failure();
        let sent = tokio::select! {
            sent = append(client, messages, unary, &mut committed) => sent,
            Ok(()) = tokio::signal::ctrl_c() => {
                return Err(interrupted(committed.offset, outgoing.chain.rows));
            }
        };
        if let Some(failure) = read_failure.take() {
            return Err(failure);
        }
        if committed.offset > before {
            (n_attempts, wait) = (0, FIRST_WAIT);
        }
        n_attempts += 1;
        match sent {
            Ok(()) if committed.offset > before => continue,
            Ok(()) => return Err(incomplete()),
            Err(status) if is_passing(&status) && n_attempts <= ATTEMPTS_MAX => {}
            Err(status) => return Err(failure(&status).remedy(RUN_AGAIN)),
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
        if let Some(offset) = committed_offset(client, &submission.id).await {
            committed.advance(offset);
        }
    }
    Ok(())
}

/// How many rows are durable, and the progress that shows it.
struct Committed {
    offset: u64,
    progress: Progress,
}

impl Committed {
    fn advance(&mut self, offset: u64) {
        self.progress.advance(offset.saturating_sub(self.offset));
        self.offset = self.offset.max(offset);
    }
}

async fn append(
    client: &mut Client,
    messages: Messages,
    unary: bool,
    committed: &mut Committed,
) -> Result<(), Status> {
    if unary {
        for message in messages {
            let request = AppendRowsUnaryRequest { append: Some(message) };
            let answer = client.append_rows_unary(request).await?.into_inner();
            if let Some(AppendRowsResponse { committed_offset, .. }) = answer.appended {
                committed.advance(committed_offset);
            }
        }
        return Ok(());
    }
    let mut answers = client.append_rows(tokio_stream::iter(messages)).await?.into_inner();
    while let Some(AppendRowsResponse { committed_offset, .. }) = answers.message().await? {
        committed.advance(committed_offset);
    }
    Ok(())
}

async fn committed_offset(client: &mut Client, id: &str) -> Option<u64> {
    let request = GetSubmissionRequest { submission_id: id.to_owned() };
    let submission = client.get_submission(request).await.ok()?.into_inner().submission?;
    Some(submission.committed_offset)
}

/// The rejected rows of a submission, by offset.
///
/// # Errors
/// [`Failure`] when the service refuses to tell.
pub async fn rejections(client: &mut Client, id: &str) -> Result<Vec<RowRejection>, Failure> {
    let mut request = ListRejectionsRequest {
        submission_id: id.to_owned(),
        page_size: 1_000,
        page_token: String::new(),
    };
    let mut rejections = Vec::new();
    loop {
        let answer =
            client.list_rejections(request.clone()).await.map_err(|status| failure(&status))?;
        let page = answer.into_inner();
        rejections.extend(page.rejections);
        if page.next_page_token.is_empty() {
            return Ok(rejections);
        }
        request.page_token = page.next_page_token;
    }
}

/// An answer without the part that the contract promises.
pub fn incomplete() -> Failure {
    Failure::plain(Exit::Bug, "the service's answer is incomplete")
        .remedy("use versions of waymark and waymarkd that belong together")
}

fn interrupted(offset: u64, n_rows: u64) -> Failure {
    Failure::plain(Exit::Interrupted, format!("interrupted: {offset} of {n_rows} rows are durable"))
        .remedy(RUN_AGAIN)
}

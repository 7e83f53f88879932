//! Review: tasks and decisions asked of the service page by page, and verdicts sent once.

use std::time::Duration;

use api::review::{
    AskAgencyRequest, AskAgencyResponse, DecideTaskRequest, DecideTaskResponse, Decision,
    GetTaskRequest, ListDecisionsRequest, ListTasksRequest, Task, TaskDetail, TaskFilter,
    review_service_client::ReviewServiceClient,
};
use data_encoding::HEXLOWER;
use tonic::{Response, Status};

use super::{
    answer::{failure, is_passing},
    connection::{ANSWER_BYTES_MAX, Caller, ConnectionArgs},
    submission::incomplete,
};
use crate::{exit::Exit, failure::Failure};

/// How often a call that decides is sent before it is given up.
const ATTEMPTS_MAX: u32 = 5;
/// Wait before the first repetition; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Items of one page.
const PAGE_SIZE: i32 = 1_000;

/// What review is asked through.
pub type Client = ReviewServiceClient<Caller>;

/// Some of the tasks that a filter lets through.
pub struct Tasks {
    /// The most urgent ones, in order.
    pub tasks: Vec<Task>,
    /// How many the filter lets through.
    pub total: u64,
}

/// A client of review, which takes answers as large as the service makes them.
///
/// # Errors
/// [`Failure`] when there is no token, the address is not usable or nobody answers.
pub async fn connect(connection: &ConnectionArgs) -> Result<Client, Failure> {
    let caller = connection.connect().await?;
    Ok(ReviewServiceClient::new(caller).max_decoding_message_size(ANSWER_BYTES_MAX))
}

/// The `limit` most urgent tasks that `filter` lets through.
///
/// # Errors
/// [`Failure`] when the service refuses or the connection breaks.
pub async fn list_tasks(
    client: &mut Client,
    filter: TaskFilter,
    limit: usize,
) -> Result<Tasks, Failure> {
    let page_size = i32::try_from(limit).map_or(PAGE_SIZE, |limit| limit.clamp(1, PAGE_SIZE));
    let mut request =
        ListTasksRequest { filter: Some(filter), page_size, page_token: String::new() };
    let mut tasks = Vec::new();
    loop {
        let answer = client.list_tasks(request.clone()).await;
        let page = answer.map_err(|status| failure(&status))?.into_inner();
        tasks.extend(page.tasks);
        if page.next_page_token.is_empty() || tasks.len() >= limit {
            tasks.truncate(limit);
            return Ok(Tasks { tasks, total: page.total });
        }
        request.page_token = page.next_page_token;
    }
}

/// The `limit` newest decisions that `request` asks for, whatever pages it names.
///
/// # Errors
/// [`Failure`] when the service refuses or the connection breaks.
pub async fn list_decisions(
    client: &mut Client,
    mut request: ListDecisionsRequest,
    limit: usize,
) -> Result<Vec<Decision>, Failure> {
    request.page_size = i32::try_from(limit).map_or(PAGE_SIZE, |limit| limit.clamp(1, PAGE_SIZE));
    let mut decisions = Vec::new();
    loop {
        let answer = client.list_decisions(request.clone()).await;
        let page = answer.map_err(|status| failure(&status))?.into_inner();
        decisions.extend(page.decisions);
        if page.next_page_token.is_empty() || decisions.len() >= limit {
            decisions.truncate(limit);
            return Ok(decisions);
        }
        request.page_token = page.next_page_token;
    }
}

/// A task and what is known of it.
///
/// # Errors
/// The service's refusal, or an answer without the task.
pub async fn get_task(client: &mut Client, id: &str, blind: bool) -> Result<TaskDetail, Status> {
    let answer = client.get_task(GetTaskRequest { id: id.to_owned(), blind }).await?;
    let detail = answer.into_inner().detail.filter(|detail| detail.task.is_some());
    detail.ok_or_else(|| Status::data_loss("the answer has no task"))
}

/// The task of a detail.
///
/// # Errors
/// [`Failure`] when the service left it out.
pub fn task_of(detail: &TaskDetail) -> Result<&Task, Failure> {
    detail.task.as_ref().ok_or_else(incomplete)
}

/// Decides a task. A call whose answer is lost is sent again with its request id, so that nothing
/// is decided twice.
///
/// # Errors
/// The service's refusal, or the last loss of the connection.
pub async fn decide(
    client: &Client,
    request: &DecideTaskRequest,
) -> Result<DecideTaskResponse, Status> {
    let call = || {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.decide_task(request).await }
    };
    repeated(FIRST_WAIT, call).await
}

/// Asks an agency to check a record; sent again like [`decide`].
///
/// # Errors
/// The service's refusal, or the last loss of the connection.
pub async fn ask(client: &Client, request: &AskAgencyRequest) -> Result<AskAgencyResponse, Status> {
    let call = || {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.ask_agency(request).await }
    };
    repeated(FIRST_WAIT, call).await
}

/// A request id that nobody else makes: 32 hexadecimal digits.
///
/// # Errors
/// [`Failure`] when the system gives no random numbers.
pub fn random_request_id() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::plain(Exit::Io, format!("the system gives no random numbers: {error}"))
    })?;
    Ok(HEXLOWER.encode(&bytes))
}

/// Makes a call until it succeeds, is refused, or was lost too often.
async fn repeated<T, F>(mut wait: Duration, mut call: impl FnMut() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    for _ in 1..ATTEMPTS_MAX {
        match call().await {
            Err(status) if is_passing(&status) => tokio::time::sleep(wait).await,
            answer => return answer.map(Response::into_inner),
        }
        wait *= 2;
    }
    call().await.map(Response::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::ready};

    use api::ErrorReason;

    use super::*;
    use crate::client::connection::run;

    /// How often a call is made that `answers` so, in order and then well; and whether it succeeds.
    fn calls(answers: &[fn() -> Status]) -> (usize, bool) {
        let n_calls = Cell::new(0);
        let call = || {
            let answer = answers.get(n_calls.get()).map(|status| status());
            n_calls.set(n_calls.get() + 1);
            ready(answer.map_or_else(|| Ok(Response::new(())), Err))
        };
        let work = async { Ok(repeated(Duration::from_millis(1), call).await.is_ok()) };
        let succeeds = run(work).unwrap();
        (n_calls.get(), succeeds)
    }

    #[test]
    fn a_lost_call_is_sent_again_a_few_times_and_a_refused_one_is_not() {
        let lost = || Status::unavailable("connection refused");
        let refused = || api::error::status(ErrorReason::TaskHeld, "held", &[]);
        for (answers, expected) in [
            (vec![], (1, true)),
            (vec![lost as fn() -> Status, lost], (3, true)),
            (vec![refused], (1, false)),
            (vec![lost, refused], (2, false)),
            (vec![lost; 9], (5, false)),
        ] {
            assert_eq!(calls(&answers), expected);
        }
    }

    #[test]
    fn request_ids_have_the_form_of_the_contract_and_differ() {
        let (one, other) = (random_request_id().unwrap(), random_request_id().unwrap());
        assert_ne!(one, other);
        assert!(one.len() <= 64 && one.bytes().all(|b| b.is_ascii_alphanumeric()), "{one}");
    }
}

//! Makes the calls, one after the other, each until the service has answered.

use std::time::Duration;

use api::{ErrorReason, error::reason_of, review::review_service_client::ReviewServiceClient};
use tokio::{sync::mpsc, time};
use tonic::{Code, Status};

use super::{
    call::{Answer, Call, Pending, Refusal, Report},
    commitment::Commitment,
};
use crate::{
    client::{
        answer::{failure, is_passing},
        connection::{ANSWER_BYTES_MAX, Caller},
    },
    exit::Exit,
};

/// A service that has not answered for so long is called again. Calls can be repeated: those that
/// change something carry a request id.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// Wait before the first repetition; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

type Client = ReviewServiceClient<Caller>;

/// The two ends of the channel to the service.
pub struct Service {
    /// What to call.
    pub calls: mpsc::UnboundedSender<Call>,
    /// What became of it: for each call, in order, any number of losses and one answer.
    pub reports: mpsc::UnboundedReceiver<Report>,
}

impl Service {
    /// Starts to make calls; ends when `calls` is closed.
    pub fn start(caller: Caller) -> Self {
        let client = ReviewServiceClient::new(caller).max_decoding_message_size(ANSWER_BYTES_MAX);
        let (calls, mut called) = mpsc::unbounded_channel();
        let (reporter, reports) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(call) = called.recv().await {
                let report = until_answered(client.clone(), &call, &reporter).await;
                let is_last = matches!(report, Report::Ended(_));
                if reporter.send(report).is_err() || is_last {
                    break;
                }
            }
        });
        Self { calls, reports }
    }
}

async fn until_answered(
    mut client: Client,
    call: &Call,
    reporter: &mpsc::UnboundedSender<Report>,
) -> Report {
    let mut n_lost = 0;
    loop {
        match time::timeout(ANSWER_MAX, make(&mut client, call)).await {
            Ok(Ok(answer)) => return Report::Answered(answer),
            Ok(Err(status)) if !is_lost(&status) => return refused(call, n_lost, &status),
            _ => {}
        }
        n_lost += 1;
        // Nobody listens any more when the screen has closed.
        let _ = reporter.send(Report::Lost(n_lost));
        time::sleep(wait(n_lost)).await;
    }
}

/// How long to wait after the `n`th loss.
fn wait(n_lost: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << (n_lost - 1).min(10)).min(LONGEST_WAIT)
}

/// Whether the same call may be answered in a moment. What the service itself did not say may come
/// from anything on the way: a connection that breaks in the middle of an answer has many names.
fn is_lost(status: &Status) -> bool {
    is_passing(status)
        || reason_of(status).is_none()
            && matches!(
                status.code(),
                Code::Internal | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Aborted
            )
}

fn refused(call: &Call, n_lost: u32, status: &Status) -> Report {
    let reason = reason_of(status);
    let Call::Commit(Pending { commitment, is_kept, .. }) = call else {
        return ended(status).unwrap_or_else(|| refusal(reason, status));
    };
    let was_sent_before = *is_kept || n_lost > 0;
    match (commitment, reason) {
        (Commitment::Undo(_), Some(ErrorReason::DecisionUndone)) if was_sent_before => {
            Report::Answered(Answer::Undone(api::review::UndoDecisionResponse::default()))
        }
        _ => ended(status).unwrap_or_else(|| refusal(reason, status)),
    }
}

fn refusal(reason: Option<ErrorReason>, status: &Status) -> Report {
    Report::Answered(Answer::Refused(Refusal { reason, message: status.message().to_owned() }))
}

/// A token that opens nothing any more ends the screen; what is in the journal stays there.
fn ended(status: &Status) -> Option<Report> {
    let failure = failure(status);
    (failure.exit == Exit::NotPermitted).then_some(Report::Ended(failure))
}

async fn make(client: &mut Client, call: &Call) -> Result<Answer, Status> {
    Ok(match call {
        Call::Claim(request) | Call::Renew(request) => {
            Answer::Claimed(Box::new(client.claim_task(request.clone()).await?.into_inner()))
        }
        Call::Release(request) => {
            client.release_task(request.clone()).await?;
            Answer::Released
        }
        Call::List(request) => {
            Answer::Listed(client.list_tasks(request.clone()).await?.into_inner())
        }
        Call::LastDecision(request) => {
            let page = client.list_decisions(request.clone()).await?.into_inner();
            Answer::LastDecision(page.decisions.into_iter().next().map(Box::new))
        }
        Call::Commit(pending) => match &pending.commitment {
            Commitment::Decide(request) => {
                Answer::Decided(client.decide_task(request.clone()).await?.into_inner())
            }
            Commitment::Undo(request) => {
                Answer::Undone(client.undo_decision(request.clone()).await?.into_inner())
            }
            Commitment::Ask(request) => {
                Answer::Asked(client.ask_agency(request.clone()).await?.into_inner())
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use api::{error::status, review::UndoDecisionRequest};

    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<u128> = (1..=7).map(|n| wait(n).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000]);
        assert_eq!(wait(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn only_what_may_pass_is_repeated() {
        for lost in [
            Status::unavailable("connection refused"),
            Status::internal("h2 protocol error"),
            Status::cancelled(""),
            status(ErrorReason::ServiceBusy, "", &[]),
        ] {
            assert!(is_lost(&lost), "{lost:?}");
        }
        for said in [
            status(ErrorReason::TaskChanged, "", &[]),
            status(ErrorReason::Internal, "", &[]),
            Status::unimplemented(""),
        ] {
            assert!(!is_lost(&said), "{said:?}");
        }
    }

    #[test]
    fn taken_back_before_is_the_answer_to_an_undoing_that_was_sent_before() {
        let commitment = Commitment::Undo(UndoDecisionRequest::default());
        let call = |is_kept| {
            let (id, commitment) = ("1".to_owned(), commitment.clone());
            Call::Commit(Pending { id, commitment, is_kept })
        };
        let undone = status(ErrorReason::DecisionUndone, "", &[]);
        for (is_kept, n_lost, is_done) in [(false, 0, false), (false, 1, true), (true, 0, true)] {
            let report = refused(&call(is_kept), n_lost, &undone);
            let is_undone = matches!(report, Report::Answered(Answer::Undone(_)));
            assert_eq!(is_undone, is_done, "{is_kept} {n_lost}");
        }
        let token = status(ErrorReason::TokenInvalid, "", &[]);
        assert!(matches!(refused(&call(false), 0, &token), Report::Ended(_)));
    }
}

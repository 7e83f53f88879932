//! SubmissionService: identity records and events come in, are made durable, and become facts.

use std::{pin::Pin, sync::Arc};

use api::{
    ErrorReason,
    convert::{Terms, date_to_proto},
    error::status,
    limits::{MAX_ROWS_PER_APPEND, PAGE},
    submission::{self as proto, submission_service_server::SubmissionService},
};
use pathways::Registry;
use record::{AgencyId, Plausibility, Schema};
use store::{
    NewSubmission, Seal, Seq, Store, Submission, SubmissionId, SubmissionKind, SubmissionMode,
    SubmissionState, Submitted,
};
use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

use super::{
    KeyBinding,
    pages::{cut, page_token, place_of},
    rows::{RowCheck, rejection_to_proto, rejections_to_proto},
    waiting::waiting_events,
};
use crate::{
    access::{actor_of, agency_of, pass_of},
    clock::Clock,
    engine::{EngineHandle, Profiles},
    files::random_id,
    pepper::Pepper,
    status::{blocking, internal, of_store},
    times::timestamp,
    withdrawals::WithdrawalLog,
};

/// Answers that may wait for a slow client of a stream.
const ANSWERS_WAITING_MAX: usize = 4;

/// The service; a clone is another handle of the same one.
#[derive(Clone)]
pub struct Submissions {
    /// The durable state.
    pub store: Store,
    /// Told of every new fact.
    pub engine: EngineHandle,
    /// What time it is.
    pub clock: Clock,
    /// The linkage schema.
    pub schema: Arc<Schema>,
    /// What encodings of that schema can be.
    pub plausibility: Arc<Plausibility>,
    /// The service's own key.
    pub pepper: Arc<Pepper>,
    /// The pathway registry, with its history.
    pub registry: Arc<Registry>,
    /// The rule profiles.
    pub profiles: Profiles,
    /// The linkage key that submissions must be encoded with.
    pub binding: Arc<KeyBinding>,
    /// Most records that absence may withdraw, as a share of the agency's records.
    pub withdrawal_share: f64,
    /// What was erased, for those who restore.
    pub withdrawals: WithdrawalLog,
}

impl Submissions {
    fn create(
        &self,
        agency: &AgencyId,
        request_id: &str,
        terms: &Terms,
        validate_only: bool,
    ) -> Result<Submission, Status> {
        check_request_id(request_id)?;
        if let Some(binding) = &terms.encoding {
            self.binding.check(&self.store, &self.schema, binding, validate_only)?;
        }
        let new = self.new_submission(agency.clone(), request_id, terms);
        if validate_only {
            return Ok(unopened(new));
        }
        self.store.create_submission(&new).map_err(|e| of_store(&e, ErrorReason::AgencyUnknown))
    }

    fn new_submission(&self, agency: AgencyId, request_id: &str, terms: &Terms) -> NewSubmission {
        NewSubmission {
            id: SubmissionId(random_id("S")),
            agency,
            request_id: request_id.to_owned(),
            kind: match terms.kind {
                proto::SubmissionKind::Events => SubmissionKind::Events,
                _ => SubmissionKind::Records,
            },
            mode: match terms.mode {
                proto::SubmissionMode::Snapshot => SubmissionMode::Snapshot,
                _ => SubmissionMode::Delta,
            },
            as_of: terms.as_of,
            created_at: self.clock.now(),
        }
    }

    /// The agency's own submission; another agency's is as unknown as none.
    /// The agency's submission of this id; another's is told like one that never was.
    fn own(&self, agency: &AgencyId, id: &str) -> Result<Submission, Status> {
        match self.store.submission(&SubmissionId(id.to_owned())) {
            Ok(submission) if submission.agency == *agency => Ok(submission),
            Ok(_) | Err(store::Error::NotFound { .. }) => {
                let message = "the agency has no such submission: list its batches";
                Err(status(ErrorReason::SubmissionUnknown, message, &[]))
            }
            Err(error) => Err(of_store(&error, ErrorReason::SubmissionUnknown)),
        }
    }

    fn append(
        &self,
        agency: &AgencyId,
        request: &proto::AppendRowsRequest,
    ) -> Result<proto::AppendRowsResponse, Status> {
        let submission = self.own(agency, &request.submission_id)?;
        if request.rows.len() > MAX_ROWS_PER_APPEND {
            let message = format!("send at most {MAX_ROWS_PER_APPEND} rows in one message");
            return Err(status(ErrorReason::TooManyRows, &message, &[]));
        }
        let check = self.check(agency, submission.kind);
        let rows = request.rows.iter().map(|row| check.row(row)).collect();
        let appended = self
            .store
            .append(&submission.id, request.first_offset, rows)
            .map_err(|e| of_store(&e, ErrorReason::SubmissionUnknown))?;
        Ok(proto::AppendRowsResponse {
            committed_offset: appended.committed_offset,
            rejections: rejections_to_proto(submission.kind, &appended.rejections),
        })
    }

    fn check<'a>(&'a self, agency: &'a AgencyId, kind: SubmissionKind) -> RowCheck<'a> {
        let today = self.clock.today();
        RowCheck {
            agency,
            kind,
            schema: &self.schema,
            plausibility: &self.plausibility,
            pepper: &self.pepper,
            registry: self.registry.at(today),
            profiles: self.profiles.at(today),
            today,
        }
    }

    fn finalize(
        &self,
        agency: &AgencyId,
        request: &proto::FinalizeSubmissionRequest,
    ) -> Result<store::Receipt, Status> {
        let submission = self.own(agency, &request.submission_id)?;
        let digest =
            request.digest.as_slice().try_into().map_err(|_| {
                Status::from(api::convert::Violation::new("digest", "give 32 bytes"))
            })?;
        let withdraw_limit = match submission.mode {
            SubmissionMode::Delta => None,
            SubmissionMode::Snapshot => {
                Some(self.withdraw_limit(agency)?.min(request.withdraw_limit.unwrap_or(u64::MAX)))
            }
        };
        let seal =
            Seal { row_count: request.row_count, digest, withdraw_limit, at: self.clock.now() };
        let receipt = self.store.finalize(&submission.id, &seal).map_err(|e| not_sealed(&e))?;
        tracing::info!(
            %agency, submission = submission.id.0, seq = receipt.seq.0,
            accepted = receipt.accepted, rejected = receipt.rejected, "submission accepted"
        );
        self.engine.wake();
        Ok(receipt)
    }

    fn withdraw_limit(&self, agency: &AgencyId) -> Result<u64, Status> {
        let records = self.store.current_records(agency);
        let records = records.map_err(|e| of_store(&e, ErrorReason::AgencyUnknown))?;
        Ok((records as f64 * self.withdrawal_share).ceil() as u64)
    }

    fn submit_one(
        &self,
        agency: &AgencyId,
        request: &proto::SubmitRecordRequest,
    ) -> Result<store::Receipt, Status> {
        check_agency(agency, &request.agency)?;
        check_request_id(&request.request_id)?;
        let row = request.row.as_ref().unwrap_or(&EMPTY_ROW);
        let kind = match row.row {
            Some(proto::row::Row::Event(_)) => proto::SubmissionKind::Events,
            _ => proto::SubmissionKind::Records,
        };
        let (as_of, encoding) = (request.as_of.as_ref(), request.encoding.as_ref());
        let terms = Terms::parse(kind, proto::SubmissionMode::Delta, as_of, encoding)?;
        if let Some(binding) = &terms.encoding {
            self.binding.check(&self.store, &self.schema, binding, false)?;
        }
        let new = self.new_submission(agency.clone(), &request.request_id, &terms);
        let stored = self.check(agency, new.kind).row(row);
        if let store::RowContent::Refused { refusal, .. } = &stored.content {
            return Err(rejected(new.kind, refusal));
        }
        let submitted = self.store.submit(&new, vec![stored], None);
        match submitted.map_err(|e| of_store(&e, ErrorReason::AgencyUnknown))? {
            Submitted::Accepted(receipt) => {
                self.engine.wake();
                Ok(receipt)
            }
            Submitted::Refused(rejections) => {
                let first = rejections.first();
                Err(first.map_or_else(internal, |first| rejected(new.kind, &first.refusal)))
            }
        }
    }
}

static EMPTY_ROW: proto::Row = proto::Row { row: None };

type AppendStream = Pin<Box<dyn Stream<Item = Result<proto::AppendRowsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl SubmissionService for Submissions {
    async fn create_submission(
        &self,
        request: Request<proto::CreateSubmissionRequest>,
    ) -> Result<Response<proto::CreateSubmissionResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        let submission = blocking(move || {
            check_agency(&agency, &request.agency)?;
            let terms = Terms::of_request(&request)?;
            this.create(&agency, &request.request_id, &terms, request.validate_only)
        })
        .await?;
        let submission = Some(submission_to_proto(&submission, self.engine.applied()));
        Ok(Response::new(proto::CreateSubmissionResponse { submission }))
    }

    type AppendRowsStream = AppendStream;

    async fn append_rows(
        &self,
        request: Request<Streaming<proto::AppendRowsRequest>>,
    ) -> Result<Response<AppendStream>, Status> {
        let (agency, pass) = (agency_of(&request)?, pass_of(&request)?);
        let (this, mut messages) = (self.clone(), request.into_inner());
        let (answers, stream) = mpsc::channel(ANSWERS_WAITING_MAX);
        // The next message is read only after the last is durable: HTTP/2 flow control then slows
        // the client down to the disk's speed.
        tokio::spawn(async move {
            loop {
                let answer = match messages.message().await {
                    Ok(None) => return,
                    Ok(Some(message)) => {
                        let (this, agency, pass) = (this.clone(), agency.clone(), pass.clone());
                        blocking(move || {
                            pass.check()?;
                            this.append(&agency, &message)
                        })
                        .await
                    }
                    Err(broken) => Err(broken),
                };
                let failed = answer.is_err();
                if answers.send(answer).await.is_err() || failed {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn append_rows_unary(
        &self,
        request: Request<proto::AppendRowsUnaryRequest>,
    ) -> Result<Response<proto::AppendRowsUnaryResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, append) = (self.clone(), request.into_inner().append.unwrap_or_default());
        let appended = Some(blocking(move || this.append(&agency, &append)).await?);
        Ok(Response::new(proto::AppendRowsUnaryResponse { appended }))
    }

    async fn finalize_submission(
        &self,
        request: Request<proto::FinalizeSubmissionRequest>,
    ) -> Result<Response<proto::FinalizeSubmissionResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        let receipt = blocking(move || this.finalize(&agency, &request)).await?;
        let receipt = Some(receipt_to_proto(&receipt));
        Ok(Response::new(proto::FinalizeSubmissionResponse { receipt }))
    }

    async fn get_submission(
        &self,
        request: Request<proto::GetSubmissionRequest>,
    ) -> Result<Response<proto::GetSubmissionResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        let submission = blocking(move || this.own(&agency, &request.submission_id)).await?;
        let submission = Some(submission_to_proto(&submission, self.engine.applied()));
        Ok(Response::new(proto::GetSubmissionResponse { submission }))
    }

    async fn list_submissions(
        &self,
        request: Request<proto::ListSubmissionsRequest>,
    ) -> Result<Response<proto::ListSubmissionsResponse>, Status> {
        let agency = agency_of(&request)?;
        let (store, request) = (self.store.clone(), request.into_inner());
        let size = PAGE.size(request.page_size)?;
        let before = place_of("submissions", &request.page_token)?.map(SubmissionId);
        let mut page = blocking(move || {
            let page = store.submissions(Some(&agency), before.as_ref(), size + 1);
            page.map_err(|e| of_store(&e, ErrorReason::PageTokenInvalid))
        })
        .await?;
        let more = cut(&mut page, size);
        let last = page.last().filter(|_| more);
        let applied = self.engine.applied();
        Ok(Response::new(proto::ListSubmissionsResponse {
            next_page_token: last.map_or_else(String::new, |s| page_token("submissions", &s.id.0)),
            submissions: page.iter().map(|s| submission_to_proto(s, applied)).collect(),
        }))
    }

    async fn list_rejections(
        &self,
        request: Request<proto::ListRejectionsRequest>,
    ) -> Result<Response<proto::ListRejectionsResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        let size = PAGE.size(request.page_size)?;
        let list = format!("rejections {}", request.submission_id);
        let from = place_of(&list, &request.page_token)?;
        let from: u64 = from.and_then(|from| from.parse().ok()).unwrap_or(0);
        let (kind, mut page) = blocking(move || {
            let submission = this.own(&agency, &request.submission_id)?;
            let page = this.store.rejections(&submission.id, from, size + 1);
            let page = page.map_err(|e| of_store(&e, ErrorReason::SubmissionUnknown))?;
            Ok((submission.kind, page))
        })
        .await?;
        let more = cut(&mut page, size);
        let last = page.last().filter(|_| more);
        let next = last.map(|last| page_token(&list, &(last.offset + 1).to_string()));
        Ok(Response::new(proto::ListRejectionsResponse {
            rejections: rejections_to_proto(kind, &page),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn list_waiting_events(
        &self,
        request: Request<proto::ListWaitingEventsRequest>,
    ) -> Result<Response<proto::ListWaitingEventsResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        Ok(Response::new(blocking(move || waiting_events(&this.store, &agency, &request)).await?))
    }

    async fn abandon_submission(
        &self,
        request: Request<proto::AbandonSubmissionRequest>,
    ) -> Result<Response<proto::AbandonSubmissionResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        let submission = blocking(move || {
            let id = this.own(&agency, &request.submission_id)?.id;
            this.store.abandon(&id).map_err(|e| of_store(&e, ErrorReason::SubmissionUnknown))?;
            this.own(&agency, &request.submission_id)
        })
        .await?;
        let submission = Some(submission_to_proto(&submission, self.engine.applied()));
        Ok(Response::new(proto::AbandonSubmissionResponse { submission }))
    }

    async fn withdraw_records(
        &self,
        request: Request<proto::WithdrawRecordsRequest>,
    ) -> Result<Response<proto::WithdrawRecordsResponse>, Status> {
        let (agency, author) = (agency_of(&request)?, actor_of(&request)?);
        let withdrawal = Some(self.withdraw(agency, author, request.into_inner()).await?);
        Ok(Response::new(proto::WithdrawRecordsResponse { withdrawal }))
    }

    async fn submit_record(
        &self,
        request: Request<proto::SubmitRecordRequest>,
    ) -> Result<Response<proto::SubmitRecordResponse>, Status> {
        let agency = agency_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        let receipt = blocking(move || this.submit_one(&agency, &request)).await?;
        let receipt = Some(receipt_to_proto(&receipt));
        Ok(Response::new(proto::SubmitRecordResponse { receipt }))
    }
}

/// Refuses data that are marked as another agency's than the caller's.
pub(super) fn check_agency(agency: &AgencyId, named: &str) -> Result<(), Status> {
    if named.is_empty() || named == agency.as_str() {
        return Ok(());
    }
    let message = format!("the data are another agency's: you call as {agency}");
    Err(status(ErrorReason::AgencyMismatch, &message, &[]))
}

pub(super) fn check_request_id(request_id: &str) -> Result<(), Status> {
    let fits = (1..=64).contains(&request_id.len())
        && request_id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits {
        return Ok(());
    }
    Err(api::convert::Violation::new("request_id", "give a UUID in text form").into())
}

/// The answer to a request that is only checked.
fn unopened(new: NewSubmission) -> Submission {
    Submission {
        id: SubmissionId(String::new()),
        agency: new.agency,
        request_id: new.request_id,
        kind: new.kind,
        mode: new.mode,
        as_of: new.as_of,
        created_at: new.created_at,
        committed_offset: 0,
        rejected: 0,
        digest: [0; 32],
        state: SubmissionState::Open,
    }
}

fn rejected(kind: SubmissionKind, refusal: &store::Refusal) -> Status {
    let rejection = store::RowRejection { offset: 0, refusal: refusal.clone() };
    let rejection = rejection_to_proto(kind, &rejection);
    let metadata = [
        ("rejection_reason", rejection.reason().as_str_name().to_owned()),
        ("field", rejection.field.clone()),
    ];
    let message = format!("the row is rejected: {}", rejection.remedy);
    status(ErrorReason::RowRejected, &message, &metadata)
}

/// A refused seal: what differs decides the reason.
fn not_sealed(error: &store::Error) -> Status {
    match error {
        store::Error::Conflict { what } if what.contains("withdraw") => {
            status(ErrorReason::WithdrawLimitExceeded, what, &[])
        }
        store::Error::Conflict { what } => status(ErrorReason::DigestMismatch, what, &[]),
        other => of_store(other, ErrorReason::SubmissionUnknown),
    }
}

fn submission_to_proto(submission: &Submission, applied: Seq) -> proto::Submission {
    let (state, receipt) = match &submission.state {
        SubmissionState::Open => (proto::SubmissionState::Open, None),
        SubmissionState::Accepted(receipt) => {
            (proto::SubmissionState::Accepted, Some(receipt_to_proto(receipt)))
        }
        SubmissionState::Abandoned => (proto::SubmissionState::Abandoned, None),
    };
    let kind = match submission.kind {
        SubmissionKind::Records => proto::SubmissionKind::Records,
        SubmissionKind::Events => proto::SubmissionKind::Events,
    };
    let mode = match submission.mode {
        SubmissionMode::Delta => proto::SubmissionMode::Delta,
        SubmissionMode::Snapshot => proto::SubmissionMode::Snapshot,
    };
    proto::Submission {
        id: submission.id.0.clone(),
        kind: kind.into(),
        mode: mode.into(),
        state: state.into(),
        committed_offset: submission.committed_offset,
        rejected: submission.rejected,
        as_of: Some(date_to_proto(submission.as_of)),
        created_at: Some(timestamp(submission.created_at)),
        receipt,
        committed_digest: submission.digest.to_vec(),
        request_id: submission.request_id.clone(),
        applied: matches!(&submission.state, SubmissionState::Accepted(r) if r.seq <= applied),
    }
}

fn receipt_to_proto(receipt: &store::Receipt) -> proto::Receipt {
    proto::Receipt {
        submission_id: receipt.submission.0.clone(),
        accepted: receipt.accepted,
        unchanged: receipt.unchanged,
        rejected: receipt.rejected,
        withdrawn: receipt.withdrawn,
        digest: receipt.digest.to_vec(),
        finalized_at: Some(timestamp(receipt.finalized_at)),
    }
}

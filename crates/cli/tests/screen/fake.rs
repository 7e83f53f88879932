//! A made-up service: it gives out its tasks in order and writes down what it is told.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use api::{
    ErrorReason, Timestamp,
    error::status,
    review::{
        AskAgencyRequest, AskAgencyResponse, ClaimTaskRequest, ClaimTaskResponse,
        DecideTaskRequest, DecideTaskResponse, DecidedPair, Decision, DrawSampleRequest,
        DrawSampleResponse, ExplainRequest, ExplainResponse, GetStatisticsRequest,
        GetStatisticsResponse, GetTaskRequest, GetTaskResponse, ListDecisionsRequest,
        ListDecisionsResponse, ListTasksRequest, ListTasksResponse, Outcome, Regrouping,
        ReleaseTaskRequest, ReleaseTaskResponse, TaskDetail, UndoDecisionRequest,
        UndoDecisionResponse, Verdict,
        review_service_server::{ReviewService, ReviewServiceServer},
    },
};
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use crate::{connection::Connection, fixture};

/// The service, and the connection to it.
pub struct Service {
    /// What the screen connects through.
    pub connection: Connection,
    told: Arc<Mutex<Told>>,
    _runtime: Runtime,
}

/// What the service was told.
#[derive(Default)]
pub struct Told {
    /// Every call of DecideTask, repeated ones too.
    pub calls: Vec<DecideTaskRequest>,
    /// Verdicts that took effect, by request id.
    pub verdicts: BTreeMap<String, DecideTaskRequest>,
    /// Tasks that were given back, and whether they were skipped.
    pub released: Vec<(String, bool)>,
    /// Decisions that were taken back, with the reasons.
    pub undone: Vec<UndoDecisionRequest>,
    /// Whether the connection breaks as soon as the next verdict has taken effect.
    pub cuts_after_verdict: bool,
    /// Whether the next verdict finds its task changed.
    pub changes_task: bool,
    /// Whether verdicts are refused for their bearer token.
    pub refuses_token: bool,
    open: Vec<TaskDetail>,
    decisions: Vec<Decision>,
}

struct Fake {
    told: Arc<Mutex<Told>>,
    connection: Connection,
}

impl Service {
    /// Serves the tasks `T1` to `T<n_tasks>`.
    pub fn start(n_tasks: u32) -> Self {
        let runtime = Runtime::new().unwrap();
        let open = (1..=n_tasks).map(fixture::detail).collect();
        let told = Arc::new(Mutex::new(Told { open, ..Told::default() }));
        let connection = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let connection = Connection::to(listener.local_addr().unwrap()).await;
            let fake = Fake { told: Arc::clone(&told), connection: connection.clone() };
            let server = Server::builder().add_service(ReviewServiceServer::new(fake));
            tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
            connection
        });
        Self { connection, told, _runtime: runtime }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.connection.address()
    }

    /// What it was told.
    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }
}

impl Told {
    fn decide(&mut self, request: &DecideTaskRequest) -> Result<DecideTaskResponse, Status> {
        if self.refuses_token {
            return Err(status(ErrorReason::TokenInvalid, "the token was revoked", &[]));
        }
        self.calls.push(request.clone());
        if !self.verdicts.contains_key(&request.request_id) {
            self.settle(request)?;
        }
        let outcome = match request.verdict() {
            Verdict::Defer => Outcome::Deferred,
            Verdict::Escalate => Outcome::Escalated,
            _ => Outcome::Decided,
        };
        let mut answer = DecideTaskResponse { outcome: outcome.into(), ..Default::default() };
        if outcome == Outcome::Decided {
            answer.decision_id = format!("D-{}", request.id);
            answer.regroupings = vec![Regrouping {
                record: fixture::detail(1).records[0].record.clone(),
                from_participant: "P-college".to_owned(),
                to_participant: "P-workforce".to_owned(),
            }];
        }
        Ok(answer)
    }

    fn settle(&mut self, request: &DecideTaskRequest) -> Result<(), Status> {
        let place = self.place(&request.id)?;
        let task = self.open[place].task.as_mut().unwrap();
        if std::mem::take(&mut self.changes_task) {
            "etag-new".clone_into(&mut task.etag);
            task.statuses = 5;
        }
        if task.etag != request.etag {
            return Err(status(ErrorReason::TaskChanged, "the task has changed", &[]));
        }
        let detail = self.open.remove(place);
        self.verdicts.insert(request.request_id.clone(), request.clone());
        let [left, right] = [&detail.records[0], &detail.records[1]];
        if matches!(request.verdict(), Verdict::Link | Verdict::Separate) {
            self.decisions.push(Decision {
                id: format!("D-{}", request.id),
                verdict: request.verdict,
                author: "ann".to_owned(),
                reason: request.reason.clone(),
                pairs: vec![DecidedPair {
                    left: left.record.clone(),
                    right: right.record.clone(),
                    ..DecidedPair::default()
                }],
                task_id: request.id.clone(),
                ..Decision::default()
            });
        }
        Ok(())
    }

    fn place(&self, id: &str) -> Result<usize, Status> {
        let is_it = |detail: &TaskDetail| detail.task.as_ref().unwrap().id == id;
        let unknown = || status(ErrorReason::TaskUnknown, "there is no such task", &[]);
        self.open.iter().position(is_it).ok_or_else(unknown)
    }

    fn undo(&mut self, request: UndoDecisionRequest) -> Result<(), Status> {
        let is_it = |decision: &Decision| decision.id == request.id;
        let undone = || status(ErrorReason::DecisionUndone, "taken back before", &[]);
        let place = self.decisions.iter().position(is_it).ok_or_else(undone)?;
        let decision = self.decisions.remove(place);
        let number = decision.task_id.trim_start_matches('T').parse().unwrap();
        self.open.push(fixture::detail(number));
        self.undone.push(request);
        Ok(())
    }

    fn claim(&self, id: &str) -> Result<ClaimTaskResponse, Status> {
        let is_skipped = |detail: &&TaskDetail| {
            let id = &detail.task.as_ref().unwrap().id;
            self.released.iter().any(|(released, skip)| released == id && *skip)
        };
        let detail = match id {
            "" => self.open.iter().find(|detail| !is_skipped(detail)).cloned(),
            id => Some(self.open[self.place(id)?].clone()),
        };
        let detail = detail.map(|mut detail| {
            let task = detail.task.as_mut().unwrap();
            "ann".clone_into(&mut task.held_by);
            task.held_until = Some(Timestamp { seconds: fixture::now() + 600, nanos: 0 });
            detail
        });
        Ok(ClaimTaskResponse { detail, total: u64::try_from(self.open.len()).unwrap() })
    }
}

#[tonic::async_trait]
impl ReviewService for Fake {
    async fn list_tasks(
        &self,
        _: Request<ListTasksRequest>,
    ) -> Result<Response<ListTasksResponse>, Status> {
        let told = self.told.lock().unwrap();
        let tasks: Vec<_> = told.open.iter().filter_map(|detail| detail.task.clone()).collect();
        let total = u64::try_from(tasks.len()).unwrap();
        Ok(Response::new(ListTasksResponse { tasks, total, ..Default::default() }))
    }

    async fn claim_task(
        &self,
        request: Request<ClaimTaskRequest>,
    ) -> Result<Response<ClaimTaskResponse>, Status> {
        self.told.lock().unwrap().claim(&request.into_inner().id).map(Response::new)
    }

    async fn release_task(
        &self,
        request: Request<ReleaseTaskRequest>,
    ) -> Result<Response<ReleaseTaskResponse>, Status> {
        let ReleaseTaskRequest { id, skip } = request.into_inner();
        self.told.lock().unwrap().released.push((id, skip));
        Ok(Response::new(ReleaseTaskResponse {}))
    }

    async fn decide_task(
        &self,
        request: Request<DecideTaskRequest>,
    ) -> Result<Response<DecideTaskResponse>, Status> {
        let (answer, cuts) = {
            let mut told = self.told.lock().unwrap();
            let answer = told.decide(&request.into_inner());
            (answer, std::mem::take(&mut told.cuts_after_verdict))
        };
        if cuts {
            self.connection.cut();
            // The answer must not overtake the break.
            std::future::pending::<()>().await;
        }
        answer.map(Response::new)
    }

    async fn list_decisions(
        &self,
        _: Request<ListDecisionsRequest>,
    ) -> Result<Response<ListDecisionsResponse>, Status> {
        let told = self.told.lock().unwrap();
        let decisions = told.decisions.iter().rev().take(1).cloned().collect();
        Ok(Response::new(ListDecisionsResponse { decisions, ..Default::default() }))
    }

    async fn undo_decision(
        &self,
        request: Request<UndoDecisionRequest>,
    ) -> Result<Response<UndoDecisionResponse>, Status> {
        self.told.lock().unwrap().undo(request.into_inner())?;
        Ok(Response::new(UndoDecisionResponse::default()))
    }

    async fn get_task(
        &self,
        _: Request<GetTaskRequest>,
    ) -> Result<Response<GetTaskResponse>, Status> {
        Err(Status::unimplemented("the screen claims tasks"))
    }

    async fn ask_agency(
        &self,
        _: Request<AskAgencyRequest>,
    ) -> Result<Response<AskAgencyResponse>, Status> {
        Err(Status::unimplemented("not part of the sessions"))
    }

    async fn draw_sample(
        &self,
        _: Request<DrawSampleRequest>,
    ) -> Result<Response<DrawSampleResponse>, Status> {
        Err(Status::unimplemented("not part of the screen"))
    }

    async fn get_statistics(
        &self,
        _: Request<GetStatisticsRequest>,
    ) -> Result<Response<GetStatisticsResponse>, Status> {
        Err(Status::unimplemented("not part of the screen"))
    }

    async fn explain(
        &self,
        _: Request<ExplainRequest>,
    ) -> Result<Response<ExplainResponse>, Status> {
        Err(Status::unimplemented("not part of the screen"))
    }
}

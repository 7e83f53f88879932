//! ReviewService: stewards see the uncertain matches, settle them, and ask why.

mod asking;
mod decisions;
mod detail;
mod explaining;
mod queue;
mod statistics;
mod verdicts;

use std::sync::Arc;

use api::{
    ErrorReason,
    convert::{Violation, record_key_from_proto},
    error::status,
    review::{self as proto, review_service_server::ReviewService},
};
use record::Schema;
use store::{Action, Actor, NewAuditEntry, Objection, Store, Task, TaskId};
use tonic::{Request, Response, Status};

use crate::{
    access::{actor_of, person_of},
    clock::Clock,
    config::{QuestionPolicy, ReviewPolicy},
    engine::EngineHandle,
    status::{blocking, log, of_engine, of_store},
};

/// The service; a clone is another handle of the same one.
#[derive(Clone)]
pub struct Reviews {
    /// The durable state.
    pub store: Store,
    /// Explains pairs and applies decisions.
    pub engine: EngineHandle,
    /// What time it is.
    pub clock: Clock,
    /// The linkage schema.
    pub schema: Arc<Schema>,
    /// How tasks are given to stewards.
    pub policy: Arc<ReviewPolicy>,
    /// When agencies are asked.
    pub questions: QuestionPolicy,
}

#[tonic::async_trait]
impl ReviewService for Reviews {
    async fn list_tasks(
        &self,
        request: Request<proto::ListTasksRequest>,
    ) -> Result<Response<proto::ListTasksResponse>, Status> {
        let actor = actor_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        Ok(Response::new(blocking(move || this.list(actor, &request)).await?))
    }

    async fn get_task(
        &self,
        request: Request<proto::GetTaskRequest>,
    ) -> Result<Response<proto::GetTaskResponse>, Status> {
        let actor = actor_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        let task = blocking(move || {
            let task = this.task(&request.id)?;
            this.log_shown(actor, std::slice::from_ref(&task))?;
            Ok(task)
        })
        .await?;
        let detail = Some(self.detail(task, request.blind).await?);
        Ok(Response::new(proto::GetTaskResponse { detail }))
    }

    async fn claim_task(
        &self,
        request: Request<proto::ClaimTaskRequest>,
    ) -> Result<Response<proto::ClaimTaskResponse>, Status> {
        let (steward, actor) = (person_of(&request)?, actor_of(&request)?);
        let (this, request) = (self.clone(), request.into_inner());
        let blind = request.blind;
        let (task, total) = blocking(move || {
            let (task, total) = this.claim(steward, &request)?;
            this.log_shown(actor, task.as_slice())?;
            Ok((task, total))
        })
        .await?;
        let detail = match task {
            Some(task) => Some(self.detail(task, blind).await?),
            None => None,
        };
        Ok(Response::new(proto::ClaimTaskResponse { detail, total }))
    }

    async fn release_task(
        &self,
        request: Request<proto::ReleaseTaskRequest>,
    ) -> Result<Response<proto::ReleaseTaskResponse>, Status> {
        let steward = person_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        blocking(move || {
            let skip = request.skip.then(|| this.clock.today());
            let released = this.store.release_task(&TaskId(request.id), &steward, skip);
            released.map_err(|e| of_store(&e, ErrorReason::TaskUnknown))
        })
        .await?;
        Ok(Response::new(proto::ReleaseTaskResponse {}))
    }

    async fn decide_task(
        &self,
        request: Request<proto::DecideTaskRequest>,
    ) -> Result<Response<proto::DecideTaskResponse>, Status> {
        let author = person_of(&request)?;
        self.settle(author, request.into_inner()).await.map(Response::new)
    }

    async fn list_decisions(
        &self,
        request: Request<proto::ListDecisionsRequest>,
    ) -> Result<Response<proto::ListDecisionsResponse>, Status> {
        let caller = person_of(&request)?;
        let (this, mut request) = (self.clone(), request.into_inner());
        if request.only_own {
            request.author = caller;
        }
        Ok(Response::new(blocking(move || this.list_decided(&request)).await?))
    }

    async fn undo_decision(
        &self,
        request: Request<proto::UndoDecisionRequest>,
    ) -> Result<Response<proto::UndoDecisionResponse>, Status> {
        let author = person_of(&request)?;
        self.undo(author, request.into_inner()).await.map(Response::new)
    }

    async fn ask_agency(
        &self,
        request: Request<proto::AskAgencyRequest>,
    ) -> Result<Response<proto::AskAgencyResponse>, Status> {
        let author = person_of(&request)?;
        self.ask(author, request.into_inner()).await.map(Response::new)
    }

    async fn draw_sample(
        &self,
        request: Request<proto::DrawSampleRequest>,
    ) -> Result<Response<proto::DrawSampleResponse>, Status> {
        let author = person_of(&request)?;
        self.sample(author, request.into_inner()).await.map(Response::new)
    }

    async fn get_statistics(
        &self,
        _: Request<proto::GetStatisticsRequest>,
    ) -> Result<Response<proto::GetStatisticsResponse>, Status> {
        let this = self.clone();
        Ok(Response::new(blocking(move || this.statistics()).await?))
    }

    async fn explain(
        &self,
        request: Request<proto::ExplainRequest>,
    ) -> Result<Response<proto::ExplainResponse>, Status> {
        let actor = actor_of(&request)?;
        let request = request.into_inner();
        let record = record_key_from_proto(request.record.as_ref(), "record")?;
        let other = match &request.other {
            Some(other) => Some(record_key_from_proto(Some(other), "other")?),
            None => None,
        };
        let (this, records) = (self.clone(), [Some(record.clone()), other.clone()]);
        blocking(move || {
            let entry = NewAuditEntry::new(this.clock.now(), actor, Action::Explained);
            log(&this.store, entry.records(records.into_iter().flatten().collect()))
        })
        .await?;
        self.explanation(record, other).await.map(Response::new)
    }
}

impl Reviews {
    /// Logs that a steward is shown tasks, before they are.
    fn log_shown(&self, actor: Actor, tasks: &[Task]) -> Result<(), Status> {
        if tasks.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = tasks.iter().map(|task| task.open.id.0.as_str()).collect();
        let records = tasks.iter().flat_map(|task| task.open.records()).cloned().collect();
        let entry = NewAuditEntry::new(self.clock.now(), actor, Action::TasksShown);
        log(&self.store, entry.detail(serde_json::json!({ "tasks": ids })).records(records))
    }

    /// The task of this id; where it became another one, its id is told.
    fn task(&self, id: &str) -> Result<Task, Status> {
        let id = TaskId(id.to_owned());
        let internal = |e: store::Error| of_store(&e, ErrorReason::Internal);
        match self.store.task(&id) {
            Err(store::Error::NotFound { .. }) => {
                match self.store.task_that_follows(&id).map_err(internal)? {
                    Some(TaskId(next)) => Err(changed(&format!("it goes on as {next}"))),
                    None => {
                        let message = "no such task: it was settled, or is no longer in question";
                        Err(status(ErrorReason::TaskUnknown, message, &[]))
                    }
                }
            }
            found => found.map_err(internal),
        }
    }

    /// Tells the engine of a decision and waits until it is applied.
    async fn apply(&self, seq: store::Seq) -> Result<(), Status> {
        self.engine.wake();
        self.engine.wait_applied(seq).await.map_err(|e| of_engine(&e))
    }
}

/// Why a steward's word is not taken, as the caller is told.
fn refused(objection: &Objection) -> Status {
    match objection {
        Objection::Changed => changed("it is not what was read"),
        Objection::Held { by, until } => {
            let message = format!("{by} holds the task until {until:.0}: take another one");
            status(ErrorReason::TaskHeld, &message, &[("held_by", by.clone())])
        }
        Objection::Contradiction { path } => {
            let path: Vec<String> = path.iter().map(ToString::to_string).collect();
            let message = format!(
                "the decision contradicts earlier ones along {}: explain these records, and undo \
                 the decision that is wrong first",
                path.join(" - ")
            );
            status(ErrorReason::DecisionConflict, &message, &[("path", path.join(" "))])
        }
    }
}

fn changed(how: &str) -> Status {
    let message = format!("the task changed since it was read ({how}): read it again, then decide");
    status(ErrorReason::TaskChanged, &message, &[])
}

/// A steward's reason, without the space around it.
fn reason_of(text: &str) -> Result<String, Status> {
    let reason = text.trim();
    if (1..=500).contains(&reason.chars().count()) {
        return Ok(reason.to_owned());
    }
    Err(Violation::new("reason", "say why, in 1 to 500 characters").into())
}

//! ReviewService: stewards see the uncertain matches, settle them, and ask why.

use api::{
    ErrorReason,
    convert::{
        Violation, date_to_proto, optional_date, record_key_from_proto, record_key_to_proto,
    },
    error::status,
    limits::PAGE,
    review::{self as proto, review_service_server::ReviewService},
};
use linkage::PairExplanation;
use record::{ParticipantId, RecordKey};
use store::{
    Decision, DecisionId, Decisions, Deferral, MembershipEntry, NewDecision, Store, Task,
    TaskFilter, TaskId, TaskPlace, TaskState, Verdict,
};
use tonic::{Request, Response, Status};

use super::{
    explanation::{change_to_proto, explanation_to_proto},
    pages::{cut, page_token, place_of},
};
use crate::{
    access::person_of,
    clock::Clock,
    decisions::{self, Contradiction},
    engine::EngineHandle,
    files::random_id,
    status::{blocking, of_engine, of_store},
    times::timestamp,
};

/// Other members that an explanation of one record compares it with at most.
const MEMBERS_EXPLAINED_MAX: usize = 50;

/// Changes of a record's statuses that its explanation tells at most.
const CHANGES_TOLD_MAX: usize = 1_000;

/// The service; a clone is another handle of the same one.
#[derive(Clone)]
pub struct Reviews {
    /// The durable state.
    pub store: Store,
    /// Explains pairs and applies decisions.
    pub engine: EngineHandle,
    /// What time it is.
    pub clock: Clock,
}

impl Reviews {
    fn list(&self, request: &proto::ListTasksRequest) -> Result<proto::ListTasksResponse, Status> {
        let size = PAGE.size(request.page_size)?;
        let state = match request.state() {
            proto::TaskState::Deferred => TaskState::Deferred,
            _ => TaskState::Open,
        };
        let agency = match request.agency.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|error: record::InvalidId| {
                Status::from(Violation::new("agency", error.to_string()))
            })?),
        };
        let reason = Some(request.reason.clone()).filter(|reason| !reason.is_empty());
        let list = format!("tasks {state} {} {}", request.reason, request.agency);
        let filter = TaskFilter { state, on: self.clock.today(), reason, agency };
        let after = place_of(&list, &request.page_token)?.and_then(|place| {
            let (weight, id) = place.split_once(' ')?;
            let weight_millibits = weight.parse().ok()?;
            Some(TaskPlace { weight_millibits, id: TaskId(id.to_owned()) })
        });
        let internal = |e: store::Error| of_store(&e, ErrorReason::TaskUnknown);
        let mut tasks = self.store.tasks(&filter, after.as_ref(), size + 1).map_err(internal)?;
        let total = self.store.task_count(&filter).map_err(internal)?;
        let more = cut(&mut tasks, size);
        let next = tasks.last().filter(|_| more).map(|task| {
            let TaskPlace { weight_millibits, id } = task.open.place();
            page_token(&list, &format!("{weight_millibits} {}", id.0))
        });
        Ok(proto::ListTasksResponse {
            tasks: tasks.iter().map(|task| self.task_to_proto(task)).collect(),
            next_page_token: next.unwrap_or_default(),
            total,
        })
    }

    fn task(&self, id: &str) -> Result<Task, Status> {
        let found = self.store.task(&TaskId(id.to_owned()));
        found.map_err(|e| of_store(&e, ErrorReason::TaskUnknown))
    }

    /// The task as the steward saw it.
    fn task_unchanged(&self, request: &proto::DecideTaskRequest) -> Result<Task, Status> {
        let task = self.task(&request.id)?;
        if request.etag == self.task_to_proto(&task).etag {
            return Ok(task);
        }
        let message = "the task changed since it was read: read it again, then decide";
        Err(status(ErrorReason::TaskChanged, message, &[]))
    }

    fn defer(
        &self,
        author: String,
        request: &proto::DecideTaskRequest,
    ) -> Result<proto::DecideTaskResponse, Status> {
        let task = self.task_unchanged(request)?;
        let until = optional_date(request.defer_until.as_ref(), "defer_until")?
            .filter(|until| *until > self.clock.today())
            .ok_or_else(|| Violation::new("defer_until", "give a day after today"))?;
        let deferral =
            Deferral { until, author, reason: request.reason.clone(), at: self.clock.now() };
        let deferred = self.store.defer_task(&task.open.id, &deferral);
        deferred.map_err(|e| of_store(&e, ErrorReason::TaskUnknown))?;
        Ok(proto::DecideTaskResponse::default())
    }

    /// Makes the decision a fact, unless earlier decisions contradict it.
    fn decide(
        &self,
        author: String,
        request: &proto::DecideTaskRequest,
        verdict: Verdict,
        model_version: String,
    ) -> Result<Decided, Status> {
        let task = self.task_unchanged(request)?.open;
        let internal = |e: store::Error| of_store(&e, ErrorReason::TaskUnknown);
        let standing = self.store.decisions(Decisions::Standing).map_err(internal)?;
        decisions::check(&standing, &task.best_left, &task.best_right, verdict)
            .map_err(|contradiction| contradicted(&contradiction))?;
        let new = NewDecision {
            id: DecisionId(random_id("D")),
            left: task.best_left,
            right: task.best_right,
            verdict,
            author,
            reason: request.reason.clone(),
            model_version,
            at: self.clock.now(),
        };
        let seq = self.store.add_decision(&new).map_err(internal)?;
        Ok(Decided { id: new.id, seq, pair: (new.left, new.right) })
    }

    fn task_to_proto(&self, task: &Task) -> proto::Task {
        let open = &task.open;
        let until = task.deferral.as_ref().map(|deferral| deferral.until);
        let deferred_until = until.filter(|until| *until > self.clock.today());
        let state = match deferred_until {
            Some(_) => proto::TaskState::Deferred,
            None => proto::TaskState::Open,
        };
        proto::Task {
            id: open.id.0.clone(),
            state: state.into(),
            reason: open.reason.clone(),
            left: open.left.iter().map(record_key_to_proto).collect(),
            right: open.right.iter().map(record_key_to_proto).collect(),
            best_left: Some(record_key_to_proto(&open.best_left)),
            best_right: Some(record_key_to_proto(&open.best_right)),
            weight_millibits: open.weight_millibits as i32,
            probability_ppm: open.probability_ppm as u32,
            deferred_until: deferred_until.map(date_to_proto),
            // The id follows from the groups and the reason; the weight follows from the model.
            etag: format!("{}.{}", open.id.0, open.weight_millibits),
        }
    }

    /// Explains pairs, each with the decision that binds it.
    async fn explain_pairs(
        &self,
        pairs: Vec<(RecordKey, RecordKey)>,
    ) -> Result<Vec<proto::PairExplanation>, Status> {
        let explained = self.engine.explain(pairs.clone()).await.map_err(|e| of_engine(&e))?;
        let store = self.store.clone();
        let standing = blocking(move || {
            let standing = store.decisions(Decisions::Standing);
            standing.map_err(|e| of_store(&e, ErrorReason::RecordUnknown))
        })
        .await?;
        let message =
            |((left, right), explanation): ((RecordKey, RecordKey), Option<PairExplanation>)| {
                let binding = standing.iter().find(|decision| {
                    let made = &decision.made;
                    (&made.left, &made.right) == (&left, &right)
                        || (&made.left, &made.right) == (&right, &left)
                });
                let mut message = explanation_to_proto(&left, &right, &explanation?);
                message.decision = binding.map(decision_to_proto);
                Some(message)
            };
        Ok(pairs.into_iter().zip(explained.pairs).filter_map(message).collect())
    }

    /// Who is in the participant of `record`, and how it came about.
    fn membership(&self, record: &RecordKey) -> Result<Membership, Status> {
        let unknown = |e: store::Error| of_store(&e, ErrorReason::RecordUnknown);
        let Some(participant) = self.store.participant_of(record, None).map_err(unknown)? else {
            let message = "no current record has this name: give AGENCY/LOCAL_ID";
            return Err(status(ErrorReason::RecordUnknown, message, &[]));
        };
        Ok(Membership {
            participant: participant.to_string(),
            members: self.store.members_of(participant, None).map_err(unknown)?,
            history: self.store.membership_history(participant).map_err(unknown)?,
        })
    }

    /// What the agency of `record` was told of its statuses, and why in full.
    fn status_changes(&self, record: &RecordKey) -> Result<Vec<proto::StatusChange>, Status> {
        let changes = self.store.changes_of_record(record, CHANGES_TOLD_MAX);
        let told = changes.and_then(|changes| changes.iter().map(change_to_proto).collect());
        told.map_err(|e: store::Error| of_store(&e, ErrorReason::Internal))
    }

    /// The records that the decision at `seq`, about `pair`, regrouped.
    fn regroupings(
        &self,
        pair: &(RecordKey, RecordKey),
        seq: store::Seq,
    ) -> Result<Vec<proto::Regrouping>, Status> {
        let internal = |e: store::Error| of_store(&e, ErrorReason::Internal);
        let mut entries = Vec::new();
        for record in [&pair.0, &pair.1] {
            let participant = self.store.participant_of(record, None).map_err(internal)?;
            if let Some(participant) = participant {
                entries.extend(self.store.membership_history(participant).map_err(internal)?);
            }
        }
        entries.retain(|entry| entry.seq == seq);
        entries.sort_by(|a, b| a.record.cmp(&b.record));
        entries.dedup();
        let text = |id: Option<ParticipantId>| id.map_or_else(String::new, |id| id.to_string());
        let before = Some(store::Seq(seq.0 - 1));
        let regrouping = |entry: MembershipEntry| {
            let from = self.store.participant_of(&entry.record, before).map_err(internal)?;
            Ok(proto::Regrouping {
                record: Some(record_key_to_proto(&entry.record)),
                from_participant: text(from),
                to_participant: text(entry.participant),
            })
        };
        entries.into_iter().map(regrouping).collect()
    }
}

struct Decided {
    id: DecisionId,
    seq: store::Seq,
    pair: (RecordKey, RecordKey),
}

struct Membership {
    participant: String,
    members: Vec<RecordKey>,
    history: Vec<MembershipEntry>,
}

#[tonic::async_trait]
impl ReviewService for Reviews {
    async fn list_tasks(
        &self,
        request: Request<proto::ListTasksRequest>,
    ) -> Result<Response<proto::ListTasksResponse>, Status> {
        let (this, request) = (self.clone(), request.into_inner());
        Ok(Response::new(blocking(move || this.list(&request)).await?))
    }

    async fn get_task(
        &self,
        request: Request<proto::GetTaskRequest>,
    ) -> Result<Response<proto::GetTaskResponse>, Status> {
        let (this, request) = (self.clone(), request.into_inner());
        let task = blocking(move || this.task(&request.id)).await?;
        let best = (task.open.best_left.clone(), task.open.best_right.clone());
        let best_pair = self.explain_pairs(vec![best]).await?.pop();
        let task = Some(self.task_to_proto(&task));
        Ok(Response::new(proto::GetTaskResponse { task, best_pair }))
    }

    async fn decide_task(
        &self,
        request: Request<proto::DecideTaskRequest>,
    ) -> Result<Response<proto::DecideTaskResponse>, Status> {
        let author = person_of(&request)?;
        let (this, request) = (self.clone(), request.into_inner());
        if !(1..=500).contains(&request.reason.trim().chars().count()) {
            return Err(Violation::new("reason", "say why, in 1 to 500 characters").into());
        }
        let verdict = match request.verdict() {
            proto::Verdict::Link => Verdict::Link,
            proto::Verdict::Separate => Verdict::Separate,
            proto::Verdict::Defer => {
                return blocking(move || this.defer(author, &request)).await.map(Response::new);
            }
            proto::Verdict::Unspecified => {
                return Err(Violation::new("verdict", "give link, separate or defer").into());
            }
        };
        let model_version =
            self.engine.explain(Vec::new()).await.map_err(|e| of_engine(&e))?.model_version;
        let decided =
            blocking(move || this.decide(author, &request, verdict, model_version)).await?;
        self.engine.wake();
        self.engine.wait_applied(decided.seq).await.map_err(|e| of_engine(&e))?;
        let this = self.clone();
        let decision_id = decided.id.0.clone();
        let regroupings = blocking(move || this.regroupings(&decided.pair, decided.seq)).await?;
        Ok(Response::new(proto::DecideTaskResponse { decision_id, regroupings }))
    }

    async fn explain(
        &self,
        request: Request<proto::ExplainRequest>,
    ) -> Result<Response<proto::ExplainResponse>, Status> {
        let request = request.into_inner();
        let record = record_key_from_proto(request.record.as_ref(), "record")?;
        let other = match &request.other {
            Some(other) => Some(record_key_from_proto(Some(other), "other")?),
            None => None,
        };
        let (this, of, with) = (self.clone(), record.clone(), other.clone());
        let (one, another, status_changes) = blocking(move || {
            let changes = if with.is_none() { this.status_changes(&of)? } else { Vec::new() };
            let another = with.map(|with| this.membership(&with)).transpose()?;
            Ok((this.membership(&of)?, another, changes))
        })
        .await?;
        let pairs = match other {
            Some(other) => vec![(record, other)],
            None => one
                .members
                .iter()
                .filter(|member| **member != record)
                .take(MEMBERS_EXPLAINED_MAX)
                .map(|member| (record.clone(), member.clone()))
                .collect(),
        };
        let mut pairs = self.explain_pairs(pairs).await?;
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.total_millibits));
        Ok(Response::new(proto::ExplainResponse {
            participant: one.participant,
            other_participant: another.map_or_else(String::new, |another| another.participant),
            members: one.members.iter().map(record_key_to_proto).collect(),
            pairs,
            history: one.history.iter().map(entry_to_proto).collect(),
            status_changes,
        }))
    }
}

fn contradicted(contradiction: &Contradiction) -> Status {
    let path: Vec<String> = contradiction.path.iter().map(ToString::to_string).collect();
    let message = format!(
        "the decision contradicts earlier ones along {}: explain these records, and undo the \
         decision that is wrong first",
        path.join(" - ")
    );
    status(ErrorReason::DecisionConflict, &message, &[("path", path.join(" "))])
}

fn decision_to_proto(decision: &Decision) -> proto::Decision {
    let made = &decision.made;
    let verdict = match made.verdict {
        Verdict::Link => proto::Verdict::Link,
        Verdict::Separate => proto::Verdict::Separate,
    };
    proto::Decision {
        id: made.id.0.clone(),
        verdict: verdict.into(),
        author: made.author.clone(),
        reason: made.reason.clone(),
        decided_at: Some(timestamp(made.at)),
    }
}

fn entry_to_proto(entry: &MembershipEntry) -> proto::MembershipChange {
    proto::MembershipChange {
        record: Some(record_key_to_proto(&entry.record)),
        participant: entry.participant.map_or_else(String::new, |p| p.to_string()),
        cause: entry.cause.to_string(),
        sequence: entry.seq.0,
        changed_at: Some(timestamp(entry.at)),
    }
}

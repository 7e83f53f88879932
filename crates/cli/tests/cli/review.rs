//! Review through the real binary, against a service that is made up: two tasks, and what it was sent.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use api::{
    ErrorReason,
    error::status,
    review::{
        review_service_server::{ReviewService, ReviewServiceServer},
        *,
    },
    types::RecordKey,
};
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use crate::desk::{Desk, Run};

/// What the service was asked to decide, in order.
type Asked = Arc<Mutex<Vec<DecideTaskRequest>>>;

/// A service with the tasks T1 and T2; T2 is held by another steward.
#[derive(Clone, Default)]
struct Fake {
    asked: Asked,
}

impl Fake {
    fn task(id: &str, blind: bool) -> Task {
        let key = |agency: &str| RecordKey { agency: agency.to_owned(), local_id: id.to_owned() };
        Task {
            id: id.to_owned(),
            state: TaskState::Open.into(),
            reason: "band".to_owned(),
            etag: format!("={id}"),
            left: vec![key("college")],
            right: vec![key("workforce")],
            best_left: Some(key("college")),
            best_right: Some(key("workforce")),
            weight_millibits: (!blind).then_some(-1_500),
            ..Task::default()
        }
    }

    fn detail(id: &str, blind: bool) -> Result<TaskDetail, Status> {
        if !["T1", "T2"].contains(&id) {
            return Err(status(ErrorReason::TaskUnknown, "no task", &[]));
        }
        let level = FieldExplanation {
            field: "last_name".to_owned(),
            level: "near".to_owned(),
            weight_millibits: if blind { 0 } else { 2_000 },
            ..FieldExplanation::default()
        };
        let task = Self::task(id, blind);
        let (left, right) = (task.best_left.clone(), task.best_right.clone());
        let fields = vec![level];
        let pair = PairExplanation { left, right, fields, blind, ..PairExplanation::default() };
        let (task, best_pair) = (Some(task), Some(pair));
        Ok(TaskDetail { task, best_pair, blind, ..TaskDetail::default() })
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ReviewService for Fake {
    async fn list_tasks(&self, request: Request<ListTasksRequest>) -> Answer<ListTasksResponse> {
        // A page holds one task.
        let (id, next) = match request.into_inner().page_token.as_str() {
            "" => ("T1", "more"),
            _ => ("T2", ""),
        };
        let tasks = vec![Self::task(id, false)];
        Ok(Response::new(ListTasksResponse { tasks, next_page_token: next.to_owned(), total: 2 }))
    }

    async fn get_task(&self, request: Request<GetTaskRequest>) -> Answer<GetTaskResponse> {
        let GetTaskRequest { id, blind } = request.into_inner();
        Ok(Response::new(GetTaskResponse { detail: Some(Self::detail(&id, blind)?) }))
    }

    async fn decide_task(&self, request: Request<DecideTaskRequest>) -> Answer<DecideTaskResponse> {
        let request = request.into_inner();
        let (mut asked, id) = (self.asked.lock().unwrap(), request.id.clone());
        asked.push(request);
        if asked.len() == 1 {
            return Err(Status::unavailable("broken pipe"));
        }
        if id == "T2" {
            return Err(status(ErrorReason::TaskHeld, "held by lee", &[]));
        }
        Ok(Response::new(DecideTaskResponse {
            outcome: Outcome::Decided.into(),
            decision_id: "D1".to_owned(),
            ..DecideTaskResponse::default()
        }))
    }

    async fn claim_task(&self, request: Request<ClaimTaskRequest>) -> Answer<ClaimTaskResponse> {
        let mut detail = Self::detail("T1", request.into_inner().blind)?;
        if let Some(task) = &mut detail.task {
            task.held_until = Some(api::Timestamp { seconds: 0, nanos: 0 });
        }
        Ok(Response::new(ClaimTaskResponse { detail: Some(detail), total: 2 }))
    }

    async fn release_task(&self, _: Request<ReleaseTaskRequest>) -> Answer<ReleaseTaskResponse> {
        Ok(Response::new(ReleaseTaskResponse {}))
    }

    async fn list_decisions(
        &self,
        _: Request<ListDecisionsRequest>,
    ) -> Answer<ListDecisionsResponse> {
        Ok(Response::new(ListDecisionsResponse::default()))
    }

    async fn undo_decision(&self, _: Request<UndoDecisionRequest>) -> Answer<UndoDecisionResponse> {
        Err(status(ErrorReason::DecisionUndone, "taken back before", &[]))
    }

    async fn ask_agency(&self, request: Request<AskAgencyRequest>) -> Answer<AskAgencyResponse> {
        let question_id = request.into_inner().fields.join("+");
        Ok(Response::new(AskAgencyResponse { question_id, next_round_on: None }))
    }

    async fn draw_sample(&self, _: Request<DrawSampleRequest>) -> Answer<DrawSampleResponse> {
        Ok(Response::new(DrawSampleResponse { strata: vec![Stratum::default()] }))
    }

    async fn get_statistics(
        &self,
        _: Request<GetStatisticsRequest>,
    ) -> Answer<GetStatisticsResponse> {
        Ok(Response::new(GetStatisticsResponse::default()))
    }

    async fn explain(&self, request: Request<ExplainRequest>) -> Answer<ExplainResponse> {
        let ExplainRequest { record, other } = request.into_inner();
        let are_asked_about = |task: &Task| {
            [&record, &other].iter().all(|it| [&task.best_left, &task.best_right].contains(it))
        };
        let pairs = vec![PairExplanation {
            lower_cut_off_millibits: -2_000,
            upper_cut_off_millibits: 6_000,
            ..PairExplanation::default()
        }];
        Ok(Response::new(ExplainResponse {
            participant: "P1".to_owned(),
            other_participant: "P2".to_owned(),
            pairs,
            task: Some(Self::task("T2", false)).filter(are_asked_about),
            ..ExplainResponse::default()
        }))
    }
}

/// A steward's desk, beside the service.
struct Steward {
    desk: Desk,
    address: SocketAddr,
    asked: Asked,
    _runtime: Runtime,
}

impl Steward {
    fn new() -> Self {
        let (runtime, fake) = (Runtime::new().unwrap(), Fake::default());
        let asked = Arc::clone(&fake.asked);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let service = Server::builder().add_service(ReviewServiceServer::new(fake));
        runtime.spawn(service.serve_with_incoming(TcpListenerStream::new(listener)));
        let desk = Desk::new();
        desk.write_private("token", "wm_kim");
        Self { desk, address, asked, _runtime: runtime }
    }

    fn waymark(&self, command: &str) -> Run {
        let address = self.address;
        self.desk.waymark(&format!(
            "{command} --format json --server http://{address} --token-file token"
        ))
    }

    fn ask(&self, command: &str) -> Value {
        let run = self.waymark(command);
        serde_json::from_str(&run.exits(0).out).unwrap()
    }
}

#[test]
fn tasks_are_listed_page_by_page_shown_taken_and_decided() {
    let steward = Steward::new();
    let listed = steward.ask("review list");
    assert_eq!(listed["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(steward.ask("review list --limit 1")["tasks"].as_array().unwrap().len(), 1);
    let shown = steward.ask("review show T1 --blind");
    assert_eq!(shown["tasks"][0]["weight"], Value::Null);
    assert_eq!(shown["fields"][0]["level"], "near");
    assert_eq!((&shown["fields"][0]["weight"], &shown["fields"][1]), (&Value::Null, &Value::Null));
    steward.waymark("review next").exits(0).tells(&["yours until 1970-01-01T00:00:00Z"]);
    assert_eq!(steward.ask("review release T1 --skip")["released"][0]["skipped"], true);
    let decided = steward.ask("review decide T1 link --reason card-seen --scope record");
    assert_eq!(decided["decision"][0]["decision"], "D1");
    // The first answer was lost.
    let asked = steward.asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
    assert_eq!((asked[0].etag.as_str(), asked[0].scope()), ("=T1", Scope::Record));
}

#[test]
fn agencies_are_asked_and_the_rest_is_printed() {
    let steward = Steward::new();
    let asked = steward.ask("review ask T1 --record college/T1 --field ssn --field last_name");
    assert_eq!(asked["question"][0]["question"], "last_name+ssn");
    steward.waymark("review ask T1 --record college/T2 --field ssn").exits(65);
    steward.waymark("review undo D1 --reason x").exits(65).tells(&["DECISION_UNDONE"]);
    assert_eq!(steward.ask("review sample --pairs 5")["strata"][0]["drawn"], 0);
    assert_eq!(steward.ask("review stats")["quality"], serde_json::json!([]));
    assert_eq!(steward.ask("review decisions")["decisions"], serde_json::json!([]));
}

#[test]
fn why_two_records_are_apart_is_told_by_the_task_about_them() {
    let steward = Steward::new();
    let open = &steward.ask("explain workforce/T2 college/T2")["verdict"][0];
    assert_eq!((&open["decided_by"], &open["same_participant"]), (&"task".into(), &false.into()));
    let none = &steward.ask("explain college/T1 college/T2")["verdict"][0];
    assert_eq!(none["decided_by"], "none");
}

#[test]
fn a_filled_in_file_is_decided_row_by_row_and_again_by_the_same_requests() {
    for name in ["tasks.csv", "tasks.json"] {
        let steward = Steward::new();
        let exported = steward.ask(&format!("review export --out {name} --blind"));
        assert_eq!(exported["export"][0]["tasks"], 2);
        let file = steward.desk.read(name);
        let filled_in = if name.ends_with(".csv") {
            file.replace(",near,,,,,", ",near,link,card seen,,,")
        } else {
            file.replace("\"verdict\": null", "\"verdict\": \"link\"")
                .replace("\"decision_reason\": null", "\"decision_reason\": \"card seen\"")
        };
        steward.desk.write(name, filled_in);

        let dry = steward.ask(&format!("review import {name} --dry-run"));
        assert_eq!(dry["verdicts"][1]["outcome"], "ready");
        assert!(steward.asked.lock().unwrap().is_empty());

        let import = || steward.waymark(&format!("review import {name}"));
        let imported = import();
        let rows: Value = serde_json::from_str(&imported.exits(1).out).unwrap();
        assert_eq!(rows["verdicts"][0]["outcome"], "decided");
        assert_eq!(rows["verdicts"][1]["outcome"], "refused");
        assert_eq!(rows["verdicts"][1]["why"], "TASK_HELD");
        import().exits(1);
        let asked = steward.asked.lock().unwrap();
        // T1, whose first answer was lost, and T2; and both again.
        let ids: Vec<_> = asked.iter().map(|request| request.request_id.as_str()).collect();
        assert_eq!((ids.len(), ids[0]), (5, ids[1]));
        assert_eq!(ids[1..3], ids[3..5]);
        assert!(asked.iter().all(|request| request.blind && request.etag.starts_with("=T")));
    }
}

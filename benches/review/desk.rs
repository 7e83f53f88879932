//! Stewards at their desk, who take one task after the other.

use std::time::{Duration, Instant};

use api::review::{
    ClaimTaskRequest, DecideTaskRequest, GetStatisticsRequest, GetTaskRequest, ListTasksRequest,
    ReleaseTaskRequest, StatusEffect, Task, TaskFilter, UndoDecisionRequest, Verdict,
    review_service_client::ReviewServiceClient,
};
use benches::live::{Arrivals, Caller, Outcome, Running};
use synthetic::Agency;
use tokio::time::timeout;
use tonic::{Code, Response, Status};

/// Calls of one kind, unless they take longer than this together.
const CALLS: usize = 300;
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a change may take to its feed.
const LOST: Duration = Duration::from_secs(10);

/// Tasks to decide about: to link the first half, to separate the others.
const DECIDED: i32 = 2 * CALLS as i32;

type Client = ReviewServiceClient<Caller>;

pub struct Desk {
    stewards: Vec<Client>,
}

/// The feed of an agency.
pub struct Feed {
    agency: String,
    arrivals: Arrivals,
}

/// What a run of decisions, made or taken back, took.
#[derive(Default)]
pub struct Decided {
    /// The decisions made.
    pub decisions: Vec<String>,
    /// To read the task.
    pub seen: Vec<Duration>,
    /// To the answer.
    pub answered: Vec<Duration>,
    /// To the change in the feed, where there is one.
    pub told: Vec<Duration>,
}

impl Desk {
    /// Stewards by their secrets.
    pub fn new(running: &Running, secrets: &[String]) -> Outcome<Self> {
        let client = |secret: &String| Ok(ReviewServiceClient::new(running.caller(secret)?));
        Ok(Self { stewards: secrets.iter().map(client).collect::<Outcome<_>>()? })
    }

    fn steward(&mut self, turn: usize) -> &mut Client {
        let n = self.stewards.len();
        &mut self.stewards[turn % n]
    }

    /// How many tasks wait.
    pub async fn waiting(&mut self) -> Outcome<u64> {
        let request = ListTasksRequest { page_size: 1, ..Default::default() };
        Ok(self.steward(0).list_tasks(request).await?.into_inner().total)
    }

    /// Takes the next task, once.
    pub async fn next(&mut self, filter: Option<TaskFilter>) -> Outcome<Duration> {
        let request = ClaimTaskRequest { filter, ..Default::default() };
        Ok(timed(self.steward(0).claim_task(request)).await?.1)
    }

    /// Takes the next task of a filter again and again, each steward in turn, and lays it aside;
    /// also tells how many there were at first.
    pub async fn claims(&mut self, filter: &TaskFilter) -> Outcome<(Vec<Duration>, u64)> {
        let (mut times, mut total) = (Vec::new(), None);
        let started = Instant::now();
        while times.len() < CALLS && started.elapsed() < PATIENCE {
            let steward = self.steward(times.len());
            let request = ClaimTaskRequest { filter: Some(filter.clone()), ..Default::default() };
            let (answer, time) = timed(steward.claim_task(request)).await?;
            times.push(time);
            total.get_or_insert(answer.total);
            if let Some(task) = answer.detail.and_then(|detail| detail.task) {
                steward.release_task(ReleaseTaskRequest { id: task.id, skip: true }).await?;
            }
        }
        Ok((times, total.unwrap_or_default()))
    }

    /// Reads the first page of a filter again and again.
    pub async fn lists(&mut self, filter: &TaskFilter) -> Outcome<Vec<Duration>> {
        let request = ListTasksRequest { filter: Some(filter.clone()), ..Default::default() };
        let (mut times, started) = (Vec::new(), Instant::now());
        while times.len() < CALLS && started.elapsed() < PATIENCE {
            times.push(timed(self.steward(0).list_tasks(request.clone())).await?.1);
        }
        Ok(times)
    }

    /// Reads the statistics again and again.
    pub async fn statistics(&mut self) -> Outcome<Vec<Duration>> {
        let (mut times, started) = (Vec::new(), Instant::now());
        while times.len() < CALLS && started.elapsed() < PATIENCE {
            times.push(timed(self.steward(0).get_statistics(GetStatisticsRequest {})).await?.1);
        }
        Ok(times)
    }

    /// The tasks to decide about.
    pub async fn most_urgent(&mut self) -> Outcome<Vec<Task>> {
        let request = ListTasksRequest { page_size: DECIDED, ..Default::default() };
        Ok(self.steward(0).list_tasks(request).await?.into_inner().tasks)
    }

    /// Reads and decides one task after the other. Those that earlier decisions settled or changed are
    /// left out.
    pub async fn decide(
        &mut self,
        tasks: &[Task],
        verdict: Verdict,
        feed: &mut Feed,
    ) -> Outcome<Decided> {
        let mut decided = Decided::default();
        for (turn, task) in tasks.iter().enumerate() {
            let steward = self.steward(turn);
            let request = GetTaskRequest { id: task.id.clone(), blind: false };
            let (task, seen) = match timed(steward.get_task(request)).await {
                Err(status) if [Code::NotFound, Code::Aborted].contains(&status.code()) => continue,
                answer => answer?,
            };
            decided.seen.push(seen);
            let task = task.detail.and_then(|detail| detail.task).ok_or("a detail has its task")?;
            let request = DecideTaskRequest {
                request_id: format!("R{}-{turn}", verdict as i32),
                id: task.id,
                etag: task.etag,
                verdict: verdict.into(),
                reason: "the papers were looked at".to_owned(),
                ..Default::default()
            };
            let started = Instant::now();
            let (answer, time) = timed(steward.decide_task(request)).await?;
            decided.answered.push(time);
            decided.decisions.push(answer.decision_id);
            decided.told.extend(feed.tells(&answer.status_effects, started).await?);
        }
        Ok(decided)
    }

    /// Takes decisions back, the last one first.
    pub async fn undo(&mut self, decisions: &[String], feed: &mut Feed) -> Outcome<Decided> {
        let mut undone = Decided::default();
        for id in decisions.iter().rev() {
            let reason = "it was another one".to_owned();
            let request = UndoDecisionRequest { id: id.clone(), reason };
            let started = Instant::now();
            let (answer, time) = timed(self.steward(0).undo_decision(request)).await?;
            undone.answered.push(time);
            undone.told.extend(feed.tells(&answer.status_effects, started).await?);
        }
        Ok(undone)
    }
}

impl Feed {
    pub fn of(agency: Agency, arrivals: Arrivals) -> Self {
        Self { agency: agency.name().to_owned(), arrivals }
    }

    /// How long after `started` the agency was told the first of these changes; `None` if none is of
    /// its records.
    async fn tells(
        &mut self,
        effects: &[StatusEffect],
        started: Instant,
    ) -> Outcome<Option<Duration>> {
        let of_agency = effects
            .iter()
            .find_map(|it| it.record.as_ref().filter(|record| record.agency == self.agency));
        let Some(record) = of_agency else { return Ok(None) };
        loop {
            let arrival = timeout(LOST, self.arrivals.recv()).await?;
            let (status, at) = arrival.ok_or("the feed ended")?;
            if status.local_id == record.local_id && at >= started {
                return Ok(Some(at - started));
            }
        }
    }
}

async fn timed<T>(
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<(T, Duration), Status> {
    let started = Instant::now();
    let answer = call.await?.into_inner();
    Ok((answer, started.elapsed()))
}

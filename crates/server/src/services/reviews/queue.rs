//! The queue: which tasks there are, and who holds which.

use api::{ErrorReason, convert::Violation, limits::PAGE, review as proto};
use jiff::SignedDuration;
use store::{Actor, Claim, Claimed, Task, TaskFilter, TaskId, TaskPlace, TaskState, WaitKind};
use tonic::Status;

use super::{Reviews, refused};
use crate::{
    services::pages::{cut, page_token, place_of},
    status::of_store,
};

impl Reviews {
    /// A page of tasks.
    pub(super) fn list(
        &self,
        actor: Actor,
        request: &proto::ListTasksRequest,
    ) -> Result<proto::ListTasksResponse, Status> {
        let size = PAGE.size(request.page_size)?;
        let filter = self.filter(request.filter.as_ref())?;
        let list = format!("tasks {:?}", request.filter);
        let after = place_of(&list, &request.page_token)?.and_then(|place| {
            let (priority, id) = place.split_once(' ')?;
            Some(TaskPlace { priority: priority.parse().ok()?, id: TaskId(id.to_owned()) })
        });
        let internal = |e: store::Error| of_store(&e, ErrorReason::Internal);
        let mut tasks = self.store.tasks(&filter, after.as_ref(), size + 1).map_err(internal)?;
        let total = self.store.task_count(&filter);
        let more = cut(&mut tasks, size);
        self.log_shown(actor, &tasks)?;
        let next = tasks.last().filter(|_| more).map(|task| {
            let TaskPlace { priority, id } = task.place();
            page_token(&list, &format!("{priority} {}", id.0))
        });
        Ok(proto::ListTasksResponse {
            tasks: tasks.iter().map(|task| self.task_to_proto(task, false)).collect(),
            next_page_token: next.unwrap_or_default(),
            total,
        })
    }

    /// Gives a task to a steward, and counts those that the filter lets through.
    pub(super) fn claim(
        &self,
        steward: String,
        request: &proto::ClaimTaskRequest,
    ) -> Result<(Option<Task>, u64), Status> {
        let filter = self.filter(request.filter.as_ref())?;
        let total = self.store.task_count(&filter);
        let which = match request.id.as_str() {
            "" => Claimed::Next(filter),
            id => Claimed::Task(self.task(id)?.open.id),
        };
        let claim = Claim { steward, at: self.clock.now(), lease: self.policy.lease, which };
        let claimed = self.store.claim(&claim);
        let claimed = claimed.map_err(|e| of_store(&e, ErrorReason::TaskUnknown))?;
        Ok((claimed.map_err(|objection| refused(&objection))?, total))
    }

    fn filter(&self, message: Option<&proto::TaskFilter>) -> Result<TaskFilter, Status> {
        let none = proto::TaskFilter::default();
        let message = message.unwrap_or(&none);
        let named = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let agency = named(&message.agency).map(|text| {
            text.parse().map_err(|error: record::InvalidId| {
                Status::from(Violation::new("filter.agency", error.to_string()))
            })
        });
        let age = SignedDuration::from_hours(24 * i64::from(message.days_at_least));
        let opened_before = self.clock.now().saturating_sub(age).ok();
        let state = match message.state() {
            proto::TaskState::Unspecified => TaskState::Now,
            proto::TaskState::Open => TaskState::Open,
            proto::TaskState::Second => TaskState::Second,
            proto::TaskState::Deferred => TaskState::Waiting(WaitKind::Deferred),
            proto::TaskState::Asked => TaskState::Waiting(WaitKind::Asked),
            proto::TaskState::Escalated => TaskState::Waiting(WaitKind::Escalated),
        };
        Ok(TaskFilter {
            reason: named(&message.reason),
            agency: agency.transpose()?,
            pathway: named(&message.pathway),
            opened_before: opened_before.filter(|_| message.days_at_least > 0),
            weight_from: message.weight_at_least_millibits.map(i64::from),
            weight_to: message.weight_below_millibits.map(i64::from),
            ..TaskFilter::all(state, self.clock.today())
        })
    }
}

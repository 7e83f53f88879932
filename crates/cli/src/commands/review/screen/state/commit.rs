//! What a steward says becomes a commitment, with all that was on the screen.

use std::collections::BTreeSet;

use api::{
    convert::date_to_proto,
    review::{AskAgencyRequest, DecideTaskRequest, Scope, UndoDecisionRequest, Verdict},
};

use super::{Effect, ScopeChoice, State, dialog::Act};
use crate::commands::review::screen::commitment::Commitment;

impl State {
    /// Commits to an act.
    pub(super) fn act(&mut self, act: Act, reason: String) -> Vec<Effect> {
        self.last_reasons.insert(act.name(), reason.clone());
        let id = self.ids.next();
        let (verdict, until) = match act {
            Act::Link => (Verdict::Link, None),
            Act::Separate => (Verdict::Separate, None),
            Act::Defer(until) => (Verdict::Defer, Some(until)),
            Act::Escalate => (Verdict::Escalate, None),
            Act::Undo(decision) => {
                self.undone_task = Some(decision.task_id).filter(|id| !id.is_empty());
                let request = UndoDecisionRequest { id: decision.id, reason };
                return vec![self.commit(id, Commitment::Undo(request))];
            }
        };
        let Some(open) = &self.task else { return Vec::new() };
        let task = &open.task;
        let (scope, record) = match (verdict, open.scope) {
            (Verdict::Defer | Verdict::Escalate, _) => (Scope::Unspecified, None),
            (_, ScopeChoice::Pair) => (Scope::Pair, None),
            (_, ScopeChoice::Left) => (Scope::Record, task.best_left.clone()),
            (_, ScopeChoice::Right) => (Scope::Record, task.best_right.clone()),
        };
        let request = DecideTaskRequest {
            id: task.id.clone(),
            verdict: verdict.into(),
            reason,
            defer_until: until.map(date_to_proto),
            etag: task.etag.clone(),
            scope: scope.into(),
            record,
            request_id: id.clone(),
            blind: open.detail.blind,
        };
        vec![self.commit(id, Commitment::Decide(request))]
    }

    /// Asks the agency of the record at `place` about the chosen ones of its fields.
    pub(super) fn ask(&mut self, place: usize, chosen: &BTreeSet<usize>) -> Vec<Effect> {
        let Some(open) = &self.task else { return Vec::new() };
        let Some(record) = open.detail.records.get(place) else { return Vec::new() };
        let (task, key) = (&open.task, record.record.clone());
        let fields = chosen.iter().filter_map(|field| record.fields.get(*field).cloned()).collect();
        let id = self.ids.next();
        let request = AskAgencyRequest {
            task_id: task.id.clone(),
            etag: task.etag.clone(),
            record: key,
            fields,
            request_id: id.clone(),
        };
        vec![self.commit(id, Commitment::Ask(request))]
    }
}

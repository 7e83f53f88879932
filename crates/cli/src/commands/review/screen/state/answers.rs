//! What the service's answers change.

use api::{
    ErrorReason,
    review::{
        AskAgencyRequest, AskAgencyResponse, ClaimTaskRequest, ClaimTaskResponse,
        DecideTaskRequest, DecideTaskResponse, Decision, ListTasksResponse, Outcome, Regrouping,
        StatusEffect, UndoDecisionRequest, UndoDecisionResponse, Verdict,
    },
};

use super::{
    Effect, LOOK_AGAIN, Notice, OpenTask, State,
    dialog::{Act, Dialog},
};
use crate::commands::review::screen::{
    call::{Answer, Call, Pending, Refusal},
    commitment::Commitment,
    words,
};

impl State {
    /// The service did not answer, for the `n`th time; the driver asks again.
    pub fn on_lost(&mut self, n_lost: u32) {
        self.n_lost = n_lost;
    }

    /// The service answered the oldest call.
    pub fn on_answer(&mut self, answer: Answer) -> Vec<Effect> {
        self.n_lost = 0;
        self.waiting_since = self.now;
        let Some(call) = self.calls.pop_front() else { return Vec::new() };
        match (call, answer) {
            (Call::Claim(request), Answer::Claimed(claimed)) => self.on_claimed(&request, *claimed),
            (Call::Claim(request), Answer::Refused(refusal)) => {
                self.on_claim_refused(&request, &refusal)
            }
            (Call::Renew(_), Answer::Claimed(claimed)) => self.on_renewed(*claimed),
            (Call::Renew(_), Answer::Refused(refusal)) => self.on_task_gone(&refusal),
            (Call::List(_), Answer::Listed(page)) => self.on_listed(page),
            (Call::LastDecision(_), Answer::LastDecision(decision)) => {
                self.on_last_decision(decision)
            }
            (Call::Commit(pending), answer) => self.on_committed(pending, answer),
            (_, Answer::Refused(refusal)) => {
                self.fail(refusal_text(&refusal));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn on_claimed(
        &mut self,
        request: &ClaimTaskRequest,
        claimed: ClaimTaskResponse,
    ) -> Vec<Effect> {
        self.total = claimed.total;
        match claimed.detail {
            Some(detail) => self.show(OpenTask::new(detail, self.now)),
            None if !request.id.is_empty() => return vec![self.claim_next()],
            None => {
                self.task = None;
                self.look_at = self.now.saturating_add(LOOK_AGAIN).ok();
            }
        }
        Vec::new()
    }

    fn show(&mut self, open: OpenTask) {
        self.me =
            Some(open.task.held_by.clone()).filter(|me| !me.is_empty()).or_else(|| self.me.take());
        self.task = Some(open);
    }

    fn on_claim_refused(&mut self, request: &ClaimTaskRequest, refusal: &Refusal) -> Vec<Effect> {
        match &mut self.notice {
            // What led here is worth more than that its task is gone.
            Some(notice) if refusal.reason == Some(ErrorReason::TaskUnknown) => {
                notice.text += " It is no task any more; here is the next one.";
            }
            _ => self.fail(refusal_text(refusal)),
        }
        if request.id.is_empty() {
            self.look_at = self.now.saturating_add(LOOK_AGAIN).ok();
            return Vec::new();
        }
        vec![self.claim_next()]
    }

    /// The lease goes on. What changed meanwhile is shown, and a question about it is taken back.
    fn on_renewed(&mut self, claimed: ClaimTaskResponse) -> Vec<Effect> {
        self.total = claimed.total;
        let (Some(detail), Some(open)) = (claimed.detail, self.task.take()) else {
            return vec![self.claim_next()];
        };
        let renewed = OpenTask::new(detail, self.now);
        if renewed.task.etag == open.task.etag {
            let OpenTask { pair, scope, scroll, .. } = open;
            let n_pairs = renewed.pairs().len();
            let pair = pair.min(n_pairs.saturating_sub(1));
            self.show(OpenTask { pair, scope, scroll, ..renewed });
        } else {
            self.close_task_dialog();
            self.tell("The task has changed just now: look again.");
            self.show(renewed);
        }
        Vec::new()
    }

    /// The task on the screen is another steward's, or none any more.
    fn on_task_gone(&mut self, refusal: &Refusal) -> Vec<Effect> {
        self.fail(refusal_text(refusal));
        self.close_task_dialog();
        self.task = None;
        vec![self.claim_next()]
    }

    fn close_task_dialog(&mut self) {
        self.dialog.take_if(|dialog| {
            matches!(
                dialog,
                Dialog::Until { .. }
                    | Dialog::Why {
                        act: Act::Link | Act::Separate | Act::Defer(_) | Act::Escalate,
                        ..
                    }
                    | Dialog::AskRecord { .. }
                    | Dialog::AskFields { .. }
            )
        });
    }

    fn on_listed(&mut self, page: ListTasksResponse) -> Vec<Effect> {
        self.queue.selected = self.queue.selected.min(page.tasks.len().saturating_sub(1));
        self.queue.total = page.total;
        self.queue.next = page.next_page_token;
        self.queue.tasks = page.tasks;
        Vec::new()
    }

    fn on_last_decision(&mut self, decision: Option<Box<Decision>>) -> Vec<Effect> {
        match decision {
            None => self.fail("Nothing to take back: no decision of yours binds."),
            // The steward may have been quicker with another question.
            Some(_) if self.dialog.is_some() => {}
            Some(decision) => {
                let act = Act::Undo(decision);
                self.dialog = Some(Dialog::Why { act, text: String::new() });
            }
        }
        Vec::new()
    }

    fn on_committed(&mut self, pending: Pending, answer: Answer) -> Vec<Effect> {
        let Pending { commitment, is_kept, .. } = pending;
        let words = commitment.words();
        let before = self.notice.take();
        let mut go_on = match (commitment, answer) {
            (Commitment::Decide(request), Answer::Decided(answer)) => {
                self.tell(decided_text(&request, &answer));
                Next::Task
            }
            (Commitment::Undo(request), Answer::Undone(answer)) => {
                self.tell(undone_text(&request, &answer));
                self.undone_task.take().map_or(Next::Stay, Next::Named)
            }
            (Commitment::Ask(request), Answer::Asked(answer)) => {
                self.tell(asked_text(&request, &answer));
                Next::Task
            }
            (_, Answer::Refused(refusal)) => {
                self.fail(refusal_text(&refusal));
                self.after_refusal(refusal.reason)
            }
            _ => Next::Stay,
        };
        if is_kept {
            self.tell_kept(&words, before);
            go_on = Next::Stay;
        }
        self.go(go_on)
    }

    /// What an earlier run said is told apart from what was said just now, and nothing of it is
    /// told over.
    fn tell_kept(&mut self, words: &str, before: Option<Notice>) {
        let Some(notice) = &mut self.notice else { return };
        let told = if notice.is_error { "could not be done" } else { "has arrived now" };
        notice.text = format!("Kept from before, {words}: it {told}. {}", notice.text);
        if let Some(before) = before {
            notice.is_error |= before.is_error;
            notice.text = format!("{} {}", before.text, notice.text);
        }
    }

    fn after_refusal(&self, reason: Option<ErrorReason>) -> Next {
        match (reason, &self.task) {
            (Some(ErrorReason::TaskChanged), Some(open)) => Next::Named(open.id().to_owned()),
            (Some(ErrorReason::TaskUnknown | ErrorReason::TaskHeld), _) => Next::Task,
            _ => Next::Stay,
        }
    }

    fn go(&mut self, next: Next) -> Vec<Effect> {
        match next {
            Next::Stay => Vec::new(),
            Next::Task => {
                self.task = None;
                vec![self.claim_next()]
            }
            Next::Named(id) if self.task.as_ref().is_some_and(|open| open.id() == id) => {
                vec![self.claim(id)]
            }
            Next::Named(id) => {
                let mut effects: Vec<_> = self.release(false).into_iter().collect();
                effects.push(self.claim(id));
                effects
            }
        }
    }
}

/// What comes on the screen after a commitment.
enum Next {
    /// What is on it.
    Stay,
    /// The most urgent task.
    Task,
    /// That one.
    Named(String),
}

/// What the service said, and what the steward can do.
fn refusal_text(refusal: &Refusal) -> String {
    let to_do = match refusal.reason {
        Some(ErrorReason::TaskChanged) => "Nothing was decided. Look at it as it is now.",
        Some(ErrorReason::TaskUnknown) => "It was settled meanwhile; here is the next one.",
        Some(ErrorReason::TaskHeld) => "Nothing was decided; here is the next one.",
        Some(ErrorReason::DecisionConflict) => {
            "Nothing was decided. Take back the wrong decision (u: your newest; waymark review undo: \
             any), or escalate (e)."
        }
        Some(ErrorReason::RequestInvalid) => "Nothing was changed. Say it in another way.",
        Some(reason) => {
            let message = capitalized(&refusal.message);
            return format!("{message}. More: waymark error {}", reason.name());
        }
        None => "Nothing was changed.",
    };
    format!("{}. {to_do}", capitalized(refusal.message.trim_end_matches('.')))
}

fn decided_text(request: &DecideTaskRequest, answer: &DecideTaskResponse) -> String {
    let done = capitalized(words::verdict_done(request.verdict()));
    let first = match answer.outcome() {
        Outcome::Unspecified | Outcome::Decided => format!("{done}: {}", answer.decision_id),
        Outcome::AwaitsSecond => {
            let what = words::verdict_done(request.verdict());
            format!("Noted as {what}; it waits for a second steward's verdict")
        }
        Outcome::Deferred => {
            format!("Deferred until {}", words::day(request.defer_until.as_ref()))
        }
        Outcome::Escalated if request.verdict() == Verdict::Escalate => {
            "Escalated: somebody else is asked".to_owned()
        }
        Outcome::Escalated => "The first steward said otherwise: escalated".to_owned(),
    };
    format!("{first}. {}", effects_text(&answer.regroupings, &answer.status_effects))
}

fn undone_text(request: &UndoDecisionRequest, answer: &UndoDecisionResponse) -> String {
    let effects = effects_text(&answer.regroupings, &answer.status_effects);
    format!("Decision {} binds no longer. {effects}", request.id)
}

fn asked_text(request: &AskAgencyRequest, answer: &AskAgencyResponse) -> String {
    let agency = request.record.as_ref().map_or("the agency", |record| &record.agency);
    let round = words::day(answer.next_round_on.as_ref());
    format!("{agency} is asked with its next round, {round}; the task waits meanwhile.")
}

/// Who belongs to whom now, and whose statuses changed.
fn effects_text(regroupings: &[Regrouping], statuses: &[StatusEffect]) -> String {
    let mut told: Vec<String> = Vec::new();
    for moved in regroupings {
        let from = match moved.from_participant.as_str() {
            "" => "nobody",
            participant => participant,
        };
        let record = words::record(moved.record.as_ref());
        told.push(format!("{record}: {from} -> {}", moved.to_participant));
    }
    for status in statuses {
        let from = match status.previous_label.as_str() {
            "" => "none",
            label => label,
        };
        let (record, on) = (words::record(status.record.as_ref()), &status.effective_on);
        let (pathway, label, on) = (&status.pathway, &status.label, words::day(on.as_ref()));
        told.push(format!("{record} {pathway}: {from} -> {label} from {on}"));
    }
    match told.len() {
        0 => "No participant or status changed.".to_owned(),
        _ => format!("{}.", told.join("; ")),
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

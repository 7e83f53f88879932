//! What the screen knows, and how keys and answers change it. Nothing here waits, draws or calls:
//! each change gives the effects that the driver has to carry out.

mod answers;
mod commit;
pub mod dialog;
mod keys;
mod scroll;

use std::collections::{BTreeMap, VecDeque};

use api::review::{
    ClaimTaskRequest, ListTasksRequest, PairExplanation, ReleaseTaskRequest, Task, TaskDetail,
    TaskFilter,
};
use jiff::{SignedDuration, Timestamp};

use self::{dialog::Dialog, scroll::Scroll};
use super::{
    call::{Call, Pending},
    commitment::Commitment,
    journal::Kept,
    words,
};

/// A lease is renewed when half of it is left, but not sooner than this.
const RENEWAL_MIN: SignedDuration = SignedDuration::from_secs(5);
/// ... and, should the clocks of the two machines differ, not later than this.
const RENEWAL_MAX: SignedDuration = SignedDuration::from_mins(5);
/// When there is no task to take, the service is asked again after this.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// Tasks on a page of the queue.
const PAGE: i32 = 100;

/// What the driver has to do.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Make a call; a commitment goes into the journal first.
    Call(Call),
    /// Remove from the journal what the steward does not want to be sent.
    Forget(String),
    /// Close the screen.
    Quit,
}

/// Everything that the screen shows.
#[derive(Debug)]
pub struct State {
    /// The time, as of the last event.
    pub now: Timestamp,
    /// Which tasks to list and to take.
    pub filter: TaskFilter,
    /// Whether the steward wants to judge without the score.
    pub blind: bool,
    /// What lies below dialogs.
    pub view: View,
    /// The task that the steward holds.
    pub task: Option<OpenTask>,
    /// Tasks that the filter lets through, as of the last claim.
    pub total: u64,
    /// The queue, as last listed.
    pub queue: Queue,
    /// What the steward is asked.
    pub dialog: Option<Dialog>,
    /// What happened last.
    pub notice: Option<Notice>,
    /// How often in a row the service did not answer; 0: it does.
    pub n_lost: u32,
    /// Calls without an answer, oldest first.
    calls: VecDeque<Call>,
    /// Since when the oldest call waits.
    waiting_since: Timestamp,
    /// When to look for a task again.
    look_at: Option<Timestamp>,
    /// The steward, as the service names whoever holds the task on the screen.
    pub me: Option<String>,
    /// The task of the decision that is being taken back.
    undone_task: Option<String>,
    /// The last reason for each verdict.
    last_reasons: BTreeMap<&'static str, String>,
    /// What was said under another token, and is not sent unasked.
    foreign: VecDeque<Pending>,
    ids: Ids,
}

/// What lies below dialogs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A task, with what speaks for and against it.
    Task,
    /// The list of tasks.
    Queue,
}

/// The task on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenTask {
    /// The task itself.
    pub task: Task,
    /// What else the service tells of it.
    pub detail: TaskDetail,
    /// The pair on show: 0 is the best one.
    pub pair: usize,
    /// Which records a decision will bind.
    pub scope: ScopeChoice,
    /// How far the steward has scrolled.
    pub scroll: Scroll,
    renew_at: Timestamp,
}

/// Which records a decision binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeChoice {
    /// The two records of the best pair.
    Pair,
    /// The best pair's left record, and all of the right group.
    Left,
    /// The best pair's right record, and all of the left group.
    Right,
}

/// The list of tasks.
#[derive(Debug, Default)]
pub struct Queue {
    /// The page on show.
    pub tasks: Vec<Task>,
    /// Number of tasks that the filter lets through.
    pub total: u64,
    /// The chosen task of the page.
    pub selected: usize,
    /// The tokens of the pages up to the one on show; empty: the first one.
    tokens: Vec<String>,
    next: String,
}

/// What happened last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whether something was not done.
    pub is_error: bool,
    /// What, and what to do.
    pub text: String,
}

/// Makes ids that no other run makes, in order.
#[derive(Debug)]
pub struct Ids {
    session: String,
    n_made: u32,
}

impl Ids {
    /// Ids that begin with `session`: letters, digits and hyphens, 50 at most.
    pub fn new(session: String) -> Self {
        Self { session, n_made: 0 }
    }

    fn next(&mut self) -> String {
        self.n_made += 1;
        format!("{}-{:06}", self.session, self.n_made)
    }
}

impl OpenTask {
    fn new(mut detail: TaskDetail, now: Timestamp) -> Self {
        // A service that leaves the task out gives an empty one, which it then does not know.
        let task = detail.task.take().unwrap_or_default();
        let renew_at = renewal(&task, now);
        Self {
            task,
            detail,
            pair: 0,
            scope: ScopeChoice::Pair,
            scroll: Scroll::default(),
            renew_at,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.task.id
    }

    /// The pairs across the groups, the best one first.
    pub fn pairs(&self) -> Vec<&PairExplanation> {
        self.detail.best_pair.iter().chain(&self.detail.other_pairs).collect()
    }
}

impl ScopeChoice {
    /// The next choice: the pair, the record of the smaller group, that of the other one.
    fn after(self, task: &Task) -> Self {
        let smaller = if task.right.len() < task.left.len() { Self::Right } else { Self::Left };
        let other = if smaller == Self::Left { Self::Right } else { Self::Left };
        match self {
            Self::Pair => smaller,
            chosen if chosen == smaller => other,
            _ => Self::Pair,
        }
    }

    /// In a few words, for `task`.
    pub fn words(self, task: &Task) -> String {
        let (left, right) =
            (words::record(task.best_left.as_ref()), words::record(task.best_right.as_ref()));
        match self {
            Self::Pair => format!("{left} and {right}"),
            Self::Left => format!("{left} and all {} of the right", task.right.len()),
            Self::Right => format!("{right} and all {} of the left", task.left.len()),
        }
    }
}

impl Queue {
    /// The number of the page on show, from 1.
    pub fn page(&self) -> usize {
        self.tokens.len() + 1
    }

    /// Whether there is a page after this one.
    pub fn has_next(&self) -> bool {
        !self.next.is_empty()
    }
}

/// When to renew the lease of `task`: halfway to its end.
fn renewal(task: &Task, now: Timestamp) -> Timestamp {
    let until = words::instant(task.held_until.as_ref());
    let left = until.map_or(RENEWAL_MAX, |until| until.duration_since(now) / 2);
    now.saturating_add(left.clamp(RENEWAL_MIN, RENEWAL_MAX)).unwrap_or(now)
}

impl State {
    /// A screen that has asked for nothing yet.
    pub fn new(now: Timestamp, filter: TaskFilter, blind: bool, ids: Ids) -> Self {
        Self {
            now,
            filter,
            blind,
            view: View::Task,
            task: None,
            total: 0,
            queue: Queue::default(),
            dialog: None,
            notice: None,
            n_lost: 0,
            calls: VecDeque::new(),
            waiting_since: now,
            look_at: None,
            me: None,
            undone_task: None,
            last_reasons: BTreeMap::new(),
            foreign: VecDeque::new(),
            ids,
        }
    }

    /// Sends what an earlier run kept, asks about what another token's owner said, and takes the
    /// most urgent task.
    pub fn start(&mut self, kept: Vec<Kept>) -> Vec<Effect> {
        let (own, foreign): (Vec<_>, Vec<_>) = kept.into_iter().partition(|kept| kept.is_own);
        self.foreign = foreign.into_iter().map(|kept| kept.pending).collect();
        self.ask_about_foreign();
        let mut effects: Vec<_> =
            own.into_iter().map(|kept| self.call(Call::Commit(kept.pending))).collect();
        effects.push(self.claim_next());
        effects
    }

    /// Time passes: the lease is renewed, and where there was no task, the service is asked again.
    pub fn on_tick(&mut self) -> Vec<Effect> {
        if !self.calls.is_empty() {
            return Vec::new();
        }
        let now = self.now;
        match &mut self.task {
            Some(open) if now >= open.renew_at => {
                let id = open.id().to_owned();
                let request = self.claim_request(id);
                vec![self.call(Call::Renew(request))]
            }
            None if self.look_at.is_some_and(|at| now >= at) => vec![self.claim_next()],
            _ => Vec::new(),
        }
    }

    /// The call that is answered next.
    pub fn oldest_call(&self) -> Option<&Call> {
        self.calls.front()
    }

    /// Calls that the service has not answered.
    pub fn n_calls(&self) -> usize {
        self.calls.len()
    }

    /// Commitments that the service has not answered.
    pub fn unanswered(&self) -> usize {
        let is_commitment = |call: &&Call| matches!(call, Call::Commit(_));
        self.calls.iter().filter(is_commitment).count()
    }

    /// The task to give back when the screen closes. While a commitment is on its way the task
    /// stays with the steward.
    pub fn to_release(&self) -> Option<ReleaseTaskRequest> {
        let open = self.task.as_ref().filter(|_| self.unanswered() == 0)?;
        Some(ReleaseTaskRequest { id: open.id().to_owned(), skip: false })
    }

    /// Whether the service takes so long that the steward should be told; where the connection is
    /// lost, that is told instead.
    pub fn is_waiting(&self) -> bool {
        let waited = self.now.duration_since(self.waiting_since);
        !self.calls.is_empty() && self.n_lost == 0 && waited >= SignedDuration::from_secs(2)
    }

    /// Whether the task on the screen may be another one in a moment.
    pub fn is_moving(&self) -> bool {
        self.calls.iter().any(|call| match call {
            Call::Claim(_) | Call::Release(_) => true,
            Call::Commit(pending) => !pending.is_kept,
            Call::Renew(_) | Call::List(_) | Call::LastDecision(_) => false,
        })
    }

    /// The commitment could not be written to the journal: it was not sent.
    pub fn on_unwritable(&mut self, why: &str) {
        self.calls.pop_back();
        self.fail(format!("Not sent, since it cannot be kept safe: {why}"));
    }

    fn call(&mut self, call: Call) -> Effect {
        if self.calls.is_empty() {
            self.waiting_since = self.now;
        }
        self.calls.push_back(call.clone());
        Effect::Call(call)
    }

    fn commit(&mut self, id: String, commitment: Commitment) -> Effect {
        self.call(Call::Commit(Pending { id, commitment, is_kept: false }))
    }

    fn claim_request(&self, id: String) -> ClaimTaskRequest {
        ClaimTaskRequest { id, filter: Some(self.filter.clone()), blind: self.blind }
    }

    fn claim(&mut self, id: String) -> Effect {
        self.look_at = None;
        let request = self.claim_request(id);
        self.call(Call::Claim(request))
    }

    fn claim_next(&mut self) -> Effect {
        self.claim(String::new())
    }

    /// Gives the task on the screen back.
    fn release(&mut self, skip: bool) -> Option<Effect> {
        let open = self.task.take()?;
        let request = ReleaseTaskRequest { id: open.id().to_owned(), skip };
        Some(self.call(Call::Release(request)))
    }

    fn list(&mut self) -> Effect {
        let page_token = self.queue.tokens.last().cloned().unwrap_or_default();
        let filter = Some(self.filter.clone());
        self.call(Call::List(ListTasksRequest { filter, page_size: PAGE, page_token }))
    }

    fn ask_about_foreign(&mut self) {
        if let Some(pending) = self.foreign.pop_front() {
            self.dialog = Some(Dialog::Foreign(pending));
        }
    }

    fn tell(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { is_error: false, text: text.into() });
    }

    fn fail(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { is_error: true, text: text.into() });
    }
}

#[cfg(test)]
mod tests;

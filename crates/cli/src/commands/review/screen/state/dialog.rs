//! What the steward is asked, and how keys answer.

use std::collections::BTreeSet;

use api::{
    convert::date_to_proto,
    review::{
        AskAgencyRequest, DecideTaskRequest, Decision, Scope, TaskState, UndoDecisionRequest,
        Verdict,
    },
};
use crossterm::event::{KeyCode, KeyEvent};
use jiff::{ToSpan, civil::Date};

use super::{Effect, ScopeChoice, State, scroll::Scroll};
use crate::commands::review::screen::{
    call::{Call, Pending},
    commitment::Commitment,
    words::{self, TASK_REASONS},
};

/// Longest reason that the service takes, in characters.
const REASON_MAX: usize = 500;
/// Longest agency or date that is typed.
const SHORT_MAX: usize = 64;
/// Most fields that an agency is asked about at once.
const FIELDS_MAX: usize = 3;
/// The states to filter by: the first stands for what a steward can settle now.
pub const STATES: [TaskState; 6] = [
    TaskState::Unspecified,
    TaskState::Open,
    TaskState::Second,
    TaskState::Escalated,
    TaskState::Deferred,
    TaskState::Asked,
];

/// A question to the steward.
#[derive(Debug, Clone, PartialEq)]
pub enum Dialog {
    /// Until when a task is put off.
    Until {
        /// What was typed.
        text: String,
        /// Why it is no answer.
        problem: Option<&'static str>,
    },
    /// Why.
    Why {
        /// What for.
        act: Act,
        /// What was typed.
        text: String,
    },
    /// Which record an agency is asked about.
    AskRecord {
        /// The place of the record among those of the task.
        selected: usize,
    },
    /// Which of its fields.
    AskFields {
        /// The place of the record.
        record: usize,
        /// The place of the field among those that it has.
        selected: usize,
        /// The places of the chosen fields.
        chosen: BTreeSet<usize>,
    },
    /// Which reason the tasks of the queue have.
    FilterReason,
    /// Which state.
    FilterState,
    /// Which agency.
    FilterAgency {
        /// What was typed.
        text: String,
    },
    /// Whether to send what was said under another token.
    Foreign(Pending),
    /// The keys, and how to read the screen.
    Help(Scroll),
}

/// What a reason is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// The two groups are one person.
    Link,
    /// They are two people.
    Separate,
    /// Not before the day.
    Defer(Date),
    /// Somebody else should say.
    Escalate,
    /// A decision is taken back.
    Undo(Box<Decision>),
}

impl Act {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Separate => "separate",
            Self::Defer(_) => "defer",
            Self::Escalate => "escalate",
            Self::Undo(_) => "take back",
        }
    }

    /// The usual reasons, chosen by digit.
    pub fn usual_reasons(&self) -> &'static [&'static str] {
        match self {
            Self::Link => &[
                "the strong fields agree, the rest is spelled otherwise",
                "the name has changed, everything else agrees",
                "a typing error in one field",
                "the agency's answer says so",
            ],
            Self::Separate => &[
                "one household: what agrees is shared by its members",
                "twins: same birth date and address, another first name",
                "only common values agree",
                "the identifiers differ beyond a typing error",
                "the agency's answer says so",
            ],
            Self::Defer(_) => &[
                "waits for the agency's answer",
                "new data of one of the records are expected",
                "the source has to be looked up",
            ],
            Self::Escalate => &[
                "the evidence contradicts itself",
                "it contradicts an earlier decision",
                "I may know the person",
            ],
            Self::Undo(_) => {
                &["the wrong key", "the evidence was misread", "there is new information"]
            }
        }
    }
}

impl State {
    /// Answers the dialog on the screen.
    pub(super) fn on_dialog_key(&mut self, mut dialog: Dialog, key: KeyEvent) -> Vec<Effect> {
        if key.code == KeyCode::Esc && !matches!(dialog, Dialog::Foreign(_)) {
            return Vec::new();
        }
        match &mut dialog {
            Dialog::Until { text, problem } => {
                return self.on_until_key(std::mem::take(text), *problem, key.code);
            }
            Dialog::Why { act, text } => {
                if let Some(reason) = self.chosen_reason(act, text, key.code) {
                    return self.act(act.clone(), reason);
                }
                edit(text, key.code, REASON_MAX);
            }
            Dialog::AskRecord { selected } => {
                let n_records = self.task.as_ref().map_or(0, |open| open.detail.records.len());
                if choose(selected, n_records, key.code) {
                    let (record, chosen) = (*selected, BTreeSet::new());
                    dialog = Dialog::AskFields { record, selected: 0, chosen };
                }
            }
            Dialog::AskFields { record, selected, chosen } => {
                let n_fields = self.fields_of(*record).len();
                if key.code == KeyCode::Enter && !chosen.is_empty() {
                    return self.ask(*record, chosen);
                }
                let is_toggled = match key.code {
                    KeyCode::Char(' ') => n_fields > 0,
                    KeyCode::Enter => false,
                    code => choose(selected, n_fields, code),
                };
                if is_toggled && !chosen.remove(selected) && chosen.len() < FIELDS_MAX {
                    chosen.insert(*selected);
                }
            }
            Dialog::FilterReason => {
                if let Some(place) = digit(key.code, TASK_REASONS.len()) {
                    return self.filter_by(|filter| {
                        filter.reason = TASK_REASONS[place].0.to_owned();
                    });
                }
                if key.code == KeyCode::Char('0') {
                    return self.filter_by(|filter| filter.reason.clear());
                }
            }
            Dialog::FilterState => {
                if let Some(place) = digit(key.code, STATES.len()) {
                    return self.filter_by(|filter| filter.set_state(STATES[place]));
                }
            }
            Dialog::FilterAgency { text } => {
                if key.code == KeyCode::Enter {
                    let agency = std::mem::take(text);
                    return self.filter_by(|filter| filter.agency = agency);
                }
                edit(text, key.code, SHORT_MAX);
            }
            Dialog::Foreign(pending) => match key.code {
                KeyCode::Char('y' | 'Y') => {
                    let effect = self.call(Call::Commit(pending.clone()));
                    self.ask_about_foreign();
                    return vec![effect];
                }
                KeyCode::Char('n' | 'N') => {
                    let effect = Effect::Forget(std::mem::take(&mut pending.id));
                    self.ask_about_foreign();
                    return vec![effect];
                }
                _ => {}
            },
            Dialog::Help(scroll) => match key.code {
                KeyCode::Up => scroll.by(-1),
                KeyCode::Down => scroll.by(1),
                KeyCode::PageUp => scroll.by_page(-1),
                KeyCode::PageDown | KeyCode::Char(' ') => scroll.by_page(1),
                _ => return Vec::new(),
            },
        }
        self.dialog = Some(dialog);
        Vec::new()
    }

    /// Text that was pasted: it never acts as keys.
    pub fn on_paste(&mut self, pasted: &str) {
        let (text, max) = match &mut self.dialog {
            Some(Dialog::Why { text, .. }) => (text, REASON_MAX),
            Some(Dialog::FilterAgency { text } | Dialog::Until { text, .. }) => (text, SHORT_MAX),
            _ => return,
        };
        let line = pasted.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().for_each(|c| edit(text, KeyCode::Char(c), max));
    }

    /// The last reason that the steward gave for such an act.
    pub fn last_reason(&self, act: &Act) -> Option<&str> {
        self.last_reasons.get(act.name()).map(String::as_str)
    }

    /// The fields of which the record at `place` has a value.
    pub fn fields_of(&self, place: usize) -> &[String] {
        let records = self.task.as_ref().map_or(&[][..], |open| &open.detail.records);
        records.get(place).map_or(&[], |record| &record.fields)
    }

    fn on_until_key(
        &mut self,
        mut text: String,
        mut problem: Option<&'static str>,
        key: KeyCode,
    ) -> Vec<Effect> {
        let today = words::day_of(self.now);
        let in_days = |n: i64| today.saturating_add(n.days());
        let until = match key {
            KeyCode::Char('w' | 'W') => Some(in_days(7)),
            KeyCode::Char('m' | 'M') => Some(in_days(30)),
            KeyCode::Enter if text.is_empty() => Some(in_days(7)),
            KeyCode::Enter => text.parse().ok().filter(|until| *until > today),
            _ => {
                edit(&mut text, key, SHORT_MAX);
                problem = None;
                None
            }
        };
        if key == KeyCode::Enter && until.is_none() {
            problem = Some("give a day after today, such as 2030-01-31");
        }
        self.dialog = Some(match until {
            Some(until) => Dialog::Why { act: Act::Defer(until), text: String::new() },
            None => Dialog::Until { text, problem },
        });
        Vec::new()
    }

    /// The reason that `key` completes: a usual one by its digit, the last one again, or the typed
    /// one.
    fn chosen_reason(&self, act: &Act, text: &str, key: KeyCode) -> Option<String> {
        let usual = act.usual_reasons();
        if text.is_empty() {
            return match key {
                KeyCode::Enter => self.last_reason(act).map(str::to_owned),
                key => digit(key, usual.len()).map(|place| usual[place].to_owned()),
            };
        }
        let typed = text.trim();
        (key == KeyCode::Enter && !typed.is_empty()).then(|| typed.to_owned())
    }

    fn act(&mut self, act: Act, reason: String) -> Vec<Effect> {
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

    fn ask(&mut self, place: usize, chosen: &BTreeSet<usize>) -> Vec<Effect> {
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

    pub(super) fn filter_by(
        &mut self,
        change: impl FnOnce(&mut api::review::TaskFilter),
    ) -> Vec<Effect> {
        change(&mut self.filter);
        self.queue.tokens.clear();
        self.queue.selected = 0;
        vec![self.list()]
    }
}

/// The place that a digit from 1 chooses among `n`.
fn digit(key: KeyCode, n: usize) -> Option<usize> {
    let KeyCode::Char(c) = key else { return None };
    let digit = usize::try_from(c.to_digit(10)?).ok()?;
    (1..=n).contains(&digit).then(|| digit - 1)
}

/// Moves within a list of `n`; whether the key chose a place of it.
fn choose(selected: &mut usize, n: usize, key: KeyCode) -> bool {
    match key {
        KeyCode::Up => *selected = selected.saturating_sub(1),
        KeyCode::Down => *selected = (*selected + 1).min(n.saturating_sub(1)),
        KeyCode::Enter => return n > 0,
        key => {
            let Some(place) = digit(key, n) else { return false };
            *selected = place;
            return true;
        }
    }
    false
}

/// Edits a line of text of up to `max` characters.
fn edit(text: &mut String, key: KeyCode, max: usize) {
    match key {
        KeyCode::Char(c) if !c.is_control() && text.chars().count() < max => text.push(c),
        KeyCode::Backspace => {
            text.pop();
        }
        _ => {}
    }
}

//! What the steward is asked, and how keys answer.

use std::collections::BTreeSet;

use api::review::{Decision, TaskState};
use crossterm::event::KeyCode;
use jiff::{ToSpan, civil::Date};

use super::{Effect, State, scroll::Scroll};
use crate::commands::review::screen::{
    call::{Call, Pending},
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
    /// Answers the dialog that was on the screen; it comes back where the key does not close it.
    pub(super) fn on_dialog_key(&mut self, dialog: Dialog, key: KeyCode) -> Vec<Effect> {
        if key == KeyCode::Esc && !matches!(dialog, Dialog::Foreign(_)) {
            return Vec::new();
        }
        match dialog {
            Dialog::Until { text, problem } => self.on_until_key(text, problem, key),
            Dialog::Why { act, text } => self.on_why_key(act, text, key),
            Dialog::AskRecord { selected } => self.on_ask_record_key(selected, key),
            Dialog::AskFields { record, selected, chosen } => {
                self.on_ask_fields_key(record, selected, chosen, key)
            }
            Dialog::FilterReason | Dialog::FilterState | Dialog::FilterAgency { .. } => {
                self.on_filter_key(dialog, key)
            }
            Dialog::Foreign(pending) => self.on_foreign_key(pending, key),
            Dialog::Help(scroll) => {
                match key {
                    KeyCode::Up => scroll.by(-1),
                    KeyCode::Down => scroll.by(1),
                    KeyCode::PageUp => scroll.by_page(-1),
                    KeyCode::PageDown | KeyCode::Char(' ') => scroll.by_page(1),
                    _ => return Vec::new(),
                }
                self.stay(Dialog::Help(scroll))
            }
        }
    }

    fn stay(&mut self, dialog: Dialog) -> Vec<Effect> {
        self.dialog = Some(dialog);
        Vec::new()
    }

    fn on_why_key(&mut self, act: Act, mut text: String, key: KeyCode) -> Vec<Effect> {
        if let Some(reason) = self.chosen_reason(&act, &text, key) {
            return self.act(act, reason);
        }
        edit(&mut text, key, REASON_MAX);
        self.stay(Dialog::Why { act, text })
    }

    fn on_ask_record_key(&mut self, mut selected: usize, key: KeyCode) -> Vec<Effect> {
        let n_records = self.task.as_ref().map_or(0, |open| open.detail.records.len());
        let is_chosen = choose(&mut selected, n_records, key);
        self.stay(if is_chosen {
            Dialog::AskFields { record: selected, selected: 0, chosen: BTreeSet::new() }
        } else {
            Dialog::AskRecord { selected }
        })
    }

    fn on_ask_fields_key(
        &mut self,
        record: usize,
        mut selected: usize,
        mut chosen: BTreeSet<usize>,
        key: KeyCode,
    ) -> Vec<Effect> {
        if key == KeyCode::Enter && !chosen.is_empty() {
            return self.ask(record, &chosen);
        }
        let n_fields = self.fields_of(record).len();
        let is_toggled = match key {
            KeyCode::Char(' ') => n_fields > 0,
            KeyCode::Enter => false,
            key => choose(&mut selected, n_fields, key),
        };
        if is_toggled && !chosen.remove(&selected) && chosen.len() < FIELDS_MAX {
            chosen.insert(selected);
        }
        self.stay(Dialog::AskFields { record, selected, chosen })
    }

    fn on_filter_key(&mut self, mut dialog: Dialog, key: KeyCode) -> Vec<Effect> {
        match &mut dialog {
            Dialog::FilterReason if key == KeyCode::Char('0') => {
                return self.filter_by(|filter| filter.reason.clear());
            }
            Dialog::FilterReason => {
                if let Some(place) = digit(key, TASK_REASONS.len()) {
                    let (reason, _) = TASK_REASONS[place];
                    return self.filter_by(|filter| reason.clone_into(&mut filter.reason));
                }
            }
            Dialog::FilterState => {
                if let Some(place) = digit(key, STATES.len()) {
                    return self.filter_by(|filter| filter.set_state(STATES[place]));
                }
            }
            Dialog::FilterAgency { text } if key == KeyCode::Enter => {
                let agency = std::mem::take(text);
                return self.filter_by(|filter| filter.agency = agency);
            }
            Dialog::FilterAgency { text } => edit(text, key, SHORT_MAX),
            _ => {}
        }
        self.stay(dialog)
    }

    fn on_foreign_key(&mut self, pending: Pending, key: KeyCode) -> Vec<Effect> {
        let effect = match key {
            KeyCode::Char('y' | 'Y') => self.call(Call::Commit(pending)),
            KeyCode::Char('n' | 'N') => Effect::Forget(pending.id),
            _ => return self.stay(Dialog::Foreign(pending)),
        };
        self.ask_about_foreign();
        vec![effect]
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

    /// Changes the filter and lists what it lets through.
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

//! The keys, always on show at the bottom.

use ratatui::text::{Line, Span};

use super::look::{Look, Role};
use crate::commands::review::screen::state::{ScopeChoice, State, View, dialog::Dialog};

/// A key and what it does.
type Key = (&'static str, String);

/// Two lines with the keys that do something now.
pub fn lines(state: &State, look: &Look) -> Vec<Line<'static>> {
    let key = |key: &'static str, what: &str| (key, what.to_owned());
    let (first, second) = match (&state.dialog, state.view) {
        (Some(dialog), _) => (dialog_keys(dialog, state, look), vec![key("ctrl-c", "quit")]),
        (None, View::Queue) => (
            vec![
                key(look.arrows(), "choose"),
                key("Enter", "take it"),
                key("n", "next page"),
                key("p", "previous"),
                key("q", "back to the task"),
            ],
            vec![
                key("r", "reason"),
                key("g", "agency"),
                key("t", "state"),
                key("c", "clear filter"),
                key("u", "undo"),
                key("?", "help"),
                key("x", "quit"),
            ],
        ),
        (None, View::Task) if state.task.is_none() => (
            vec![key("Enter", "look again"), key("q", "queue"), key("u", "undo")],
            vec![key("?", "help"), key("x", "quit")],
        ),
        (None, View::Task) => task_keys(state, look),
    };
    [first, second].into_iter().map(|keys| line(keys, look)).collect()
}

fn task_keys(state: &State, look: &Look) -> (Vec<Key>, Vec<Key>) {
    let key = |key: &'static str, what: &str| (key, what.to_owned());
    let scope = state.task.as_ref().map_or(ScopeChoice::Pair, |open| open.scope);
    let scope = match scope {
        ScopeChoice::Pair => "binds the pair",
        ScopeChoice::Left => "binds LEFT whole",
        ScopeChoice::Right => "binds RIGHT whole",
    };
    (
        vec![
            key("l", "link"),
            key("s", "separate"),
            key("d", "defer"),
            key("e", "escalate"),
            key("k", "skip"),
            key("a", "ask agency"),
            key("u", "undo"),
        ],
        vec![
            key("r", scope),
            key("Tab", "pair"),
            key(look.arrows(), "scroll"),
            key("q", "queue"),
            key("?", "help"),
            key("x", "quit"),
        ],
    )
}

fn dialog_keys(dialog: &Dialog, state: &State, look: &Look) -> Vec<Key> {
    let key = |key: &'static str, what: &str| (key, what.to_owned());
    match dialog {
        Dialog::Until { .. } => vec![
            key("w", "in 7 days"),
            key("m", "in 30 days"),
            key("Enter", "that day"),
            key("Esc", "cancel"),
        ],
        Dialog::Why { act, text } => {
            let enter = match (text.is_empty(), state.last_reason(act)) {
                (true, None) => None,
                (true, Some(_)) => Some(key("Enter", "as last time")),
                (false, _) => Some(key("Enter", act.name())),
            };
            let mut keys = vec![key("1-9", "a usual reason"), key("or", "type one")];
            keys.extend(enter);
            keys.push(key("Esc", "cancel"));
            keys
        }
        Dialog::AskRecord { .. } => {
            vec![key(look.arrows(), "choose"), key("Enter", "this record"), key("Esc", "cancel")]
        }
        Dialog::AskFields { .. } => vec![
            key(look.arrows(), "move"),
            key("Space", "choose up to 3"),
            key("Enter", "ask"),
            key("Esc", "cancel"),
        ],
        Dialog::FilterReason | Dialog::FilterState => {
            vec![key("0-9", "choose"), key("Esc", "cancel")]
        }
        Dialog::FilterAgency { .. } => {
            vec![key("Enter", "only this agency; empty: all"), key("Esc", "cancel")]
        }
        Dialog::Foreign(_) => vec![key("y", "send in my name"), key("n", "throw it away")],
        Dialog::Help(_) => vec![key(look.arrows(), "scroll"), key("Esc", "close")],
    }
}

fn line(keys: Vec<Key>, look: &Look) -> Line<'static> {
    let spans = keys.into_iter().flat_map(|(key, what)| {
        let key = Span::styled(format!(" {key}"), look.style(Role::Key));
        [key, Span::raw(format!(" {what} "))]
    });
    Line::from_iter(spans)
}

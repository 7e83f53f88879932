//! The two lines at the top: which task, why, and how it stands.

use api::review::{TaskDetail, TaskFilter};
use ratatui::text::Line;

use super::{
    look::{Look, Role},
    wrap::fit,
};
use crate::commands::review::screen::{
    state::{OpenTask, State, View},
    words,
};

/// The header, `width` characters wide. `place` says which lines of a long text are on show.
pub fn lines(state: &State, look: &Look, place: &str, width: usize) -> Vec<Line<'static>> {
    let (left, mut facts) = match (state.view, &state.task) {
        (View::Queue, _) => (queue_title(state), Vec::new()),
        (View::Task, Some(open)) => (task_title(open), task_facts(open, state)),
        (View::Task, None) => ("waymark review".to_owned(), Vec::new()),
    };
    let right = if state.is_waiting() {
        "waiting for the service".to_owned()
    } else {
        match state.view {
            View::Task => format!("{} to review", state.total),
            View::Queue => String::new(),
        }
    };
    let filter = filter(&state.filter);
    if !filter.is_empty() {
        facts.push(format!("only {filter}"));
    }
    let second = both_ends(&facts.join(", "), place, width, look);
    vec![
        Line::styled(both_ends(&left, &right, width, look), look.style(Role::Bar)),
        Line::styled(second, look.style(Role::Dim)),
    ]
}

/// Two texts at the two ends of a line; the left one is cut off where they do not fit.
fn both_ends(left: &str, right: &str, width: usize, look: &Look) -> String {
    let (left, right) = (look.clean(left), look.clean(right));
    let room = width.saturating_sub(right.chars().count() + 3);
    fit(&format!(" {} {right} ", fit(&left, room)), width)
}

fn task_title(open: &OpenTask) -> String {
    let task = &open.task;
    match words::task_reason(&task.reason) {
        "" => format!("{}  {}", task.id, task.reason),
        words => format!("{}  {}: {words}", task.id, task.reason),
    }
}

fn task_facts(open: &OpenTask, state: &State) -> Vec<String> {
    let task = &open.task;
    let n_statuses = usize::try_from(task.statuses).unwrap_or(usize::MAX);
    let mut facts = vec![
        words::state(task.state()).to_owned(),
        format!("{} old", words::age(task.opened_at.as_ref(), state.now)),
        words::count(n_statuses, "status"),
    ];
    match words::day(task.waits_until.as_ref()) {
        day if day.is_empty() => {}
        day => facts.push(format!("until {day}")),
    }
    facts.extend(said_before(&open.detail));
    if task.needs_second {
        facts.push("needs two stewards".to_owned());
    }
    if open.detail.blind {
        facts.push("BLIND".to_owned());
    }
    facts
}

/// That something was said or asked before, which may stand far below.
fn said_before(detail: &TaskDetail) -> Vec<String> {
    let (n_notes, n_questions) = (detail.notes.len(), detail.questions.len());
    let has_answer = detail.questions.iter().any(|question| !question.answer.is_empty());
    let mut facts = Vec::new();
    if n_notes > 0 {
        facts.push(words::count(n_notes, "note"));
    }
    match (n_questions, has_answer) {
        (0, _) => {}
        (n, false) => facts.push(words::count(n, "question")),
        (_, true) => facts.push("AGENCY ANSWERED".to_owned()),
    }
    facts
}

fn queue_title(state: &State) -> String {
    let page = if state.queue.page() > 1 || state.queue.has_next() {
        format!(", page {}", state.queue.page())
    } else {
        String::new()
    };
    let n_tasks = usize::try_from(state.queue.total).unwrap_or(usize::MAX);
    format!("Queue, most urgent first: {}{page}", words::count(n_tasks, "task"))
}

/// What a filter lets through, in words; empty: everything that a steward can settle.
pub fn filter(filter: &TaskFilter) -> String {
    let mut parts = Vec::new();
    for (name, value) in
        [("reason", &filter.reason), ("agency", &filter.agency), ("pathway", &filter.pathway)]
    {
        if !value.is_empty() {
            parts.push(format!("{name} {value}"));
        }
    }
    if filter.state != 0 {
        parts.push(format!("state {}", words::state(filter.state())));
    }
    if filter.days_at_least > 0 {
        parts.push(format!("{} days old or more", filter.days_at_least));
    }
    for (name, weight) in
        [("from", filter.weight_at_least_millibits), ("below", filter.weight_below_millibits)]
    {
        parts.extend(weight.map(|weight| format!("{name} {} bits", words::bits(weight))));
    }
    parts.join(", ")
}

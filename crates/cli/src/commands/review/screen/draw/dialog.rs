//! What the steward is asked, in a box over the task.

use ratatui::{
    Frame,
    layout::Rect,
    text::Line,
    widgets::{Block, Clear, Paragraph},
};

use super::{
    look::{Look, Role},
    wrap::wrap,
};
use crate::commands::review::screen::{
    call::Pending,
    state::{
        State,
        dialog::{Act, Dialog, STATES},
    },
    words::{self, TASK_REASONS},
};

const WIDTH_MAX: u16 = 76;

const HELP: &str = "\
Each row is a field of the two records, as far as their encodings agree; nobody sees the values.
weight: how much more often two records of one person agree like that than records of two people, \
in bits (log2); plus speaks for one person, minus for two.
rarity: what is added or taken because the value is rarer or more common than others.
(prior): how rarely any two records are one person. (correlated): taken back, since fields that go \
together say the same twice. (household): taken back, since people of one household agree as well.
Bars show how the sum moves to the total; the dotted lines are the cut-offs. Below the lower one \
two records stay apart, from the upper one on they are linked, between them you are asked.

l link: the two groups are one person. s separate: they are two. A decision outranks every weight, \
and u takes it back.
r says which records it binds: the best pair, or one record whole, against every record of the \
other group as shown.
d defer: it comes back on a day. e escalate: somebody else is asked. k skip: you are not given it \
again today.
a ask agency: it checks fields of its record and is told no reason; the task waits.
Tab shows another pair across the groups. q shows the queue: r, g and t there choose the reason, \
agency and state of what comes next.
Reasons must hold no name, date or number of a person.
What you say is kept on this machine until the service has confirmed it.";

/// Draws the dialog into the middle of `area`.
pub fn draw(state: &State, dialog: &Dialog, look: &Look, frame: &mut Frame<'_>, area: Rect) {
    let width = area.width.min(WIDTH_MAX);
    let inner = usize::from(width.saturating_sub(4));
    let (title, lines) = content(state, dialog, look, inner);
    let n_lines = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let height = n_lines.saturating_add(2).min(area.height);
    let [x, y] = [area.width - width, area.height - height].map(|rest| rest / 2);
    let place = Rect { x: area.x + x, y: area.y + y, width, height };
    let top = match dialog {
        Dialog::Help(scroll) => scroll.fit(lines.len(), usize::from(height.saturating_sub(2))),
        // A list follows the choice; what is typed stands at the end.
        _ => lines.iter().rposition(|line| line.style == look.style(Role::Chosen)).map_or_else(
            || lines.len().saturating_sub(usize::from(height.saturating_sub(2))),
            |chosen| (chosen + 3).saturating_sub(usize::from(height)),
        ),
    };
    let border = Block::bordered().border_set(look.border()).title(format!(" {title} "));
    let padded: Vec<Line<'_>> = lines
        .into_iter()
        .skip(top)
        .map(|mut line| {
            line.spans.insert(0, " ".into());
            line
        })
        .collect();
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(padded).block(border), place);
}

fn content(
    state: &State,
    dialog: &Dialog,
    look: &Look,
    width: usize,
) -> (String, Vec<Line<'static>>) {
    let text = |text: &str| -> Vec<Line<'static>> {
        let lines = text.lines().map(|line| wrap(&look.clean(line), width));
        lines
            .flat_map(|parts| if parts.is_empty() { vec![String::new()] } else { parts })
            .map(Line::raw)
            .collect()
    };
    match dialog {
        Dialog::Until { text: typed, problem } => {
            let mut lines = text("It comes back on that day, whatever becomes of its records.");
            lines.extend(text("w in 7 days, m in 30 days, or a day: YYYY-MM-DD"));
            lines.extend(problem.map(|problem| Line::styled(problem, look.style(Role::Alarm))));
            lines.push(input(typed, look, width));
            ("Defer until when?".to_owned(), lines)
        }
        Dialog::Why { act, text: typed } => why(state, act, typed, look, width),
        Dialog::AskRecord { selected } => {
            let records = state.task.as_ref().map_or(&[][..], |open| &open.detail.records);
            let rows = records.iter().map(|record| {
                let side = if record.is_left { "left " } else { "right" };
                format!("{side} {}", words::record(record.record.as_ref()))
            });
            let mut lines = text("Its agency checks fields of it, and is told no reason.");
            lines.extend(list(rows, *selected, look));
            ("Ask about which record?".to_owned(), lines)
        }
        Dialog::AskFields { record, selected, chosen } => {
            let rows = state.fields_of(*record).iter().enumerate().map(|(place, field)| {
                let mark = if chosen.contains(&place) { "[x]" } else { "[ ]" };
                format!("{mark} {field}")
            });
            (
                "Ask about which of its fields, three at most?".to_owned(),
                list(rows, *selected, look),
            )
        }
        Dialog::FilterReason => {
            let mut lines = text("0 any reason");
            lines.extend(numbered(
                TASK_REASONS.iter().map(|(name, words)| format!("{name}: {words}")),
            ));
            ("Only tasks for which reason?".to_owned(), lines)
        }
        Dialog::FilterState => {
            let rows = STATES.iter().enumerate().map(|(place, state)| match place {
                0 => "what you can settle now".to_owned(),
                _ => words::state(*state).to_owned(),
            });
            ("Only tasks in which state?".to_owned(), numbered(rows))
        }
        Dialog::FilterAgency { text: typed } => {
            let line = input(typed, look, width);
            ("Only tasks with a record of which agency?".to_owned(), vec![line])
        }
        Dialog::Foreign(pending) => {
            ("Said under another token".to_owned(), foreign(pending, &text))
        }
        Dialog::Help(_) => ("Help".to_owned(), text(HELP)),
    }
}

fn foreign(pending: &Pending, text: &dyn Fn(&str) -> Vec<Line<'static>>) -> Vec<Line<'static>> {
    text(&format!(
        "An earlier run with another bearer token was told {}, and the service has not confirmed \
         it. Was it you? y sends it in your name, n throws it away.",
        pending.commitment.words()
    ))
}

/// What will be done, the usual reasons, the last one, and what is typed.
fn why(
    state: &State,
    act: &Act,
    typed: &str,
    look: &Look,
    width: usize,
) -> (String, Vec<Line<'static>>) {
    let what = match (act, &state.task) {
        (Act::Undo(decision), _) => words::decision(decision),
        (Act::Link | Act::Separate, Some(open)) => {
            format!("Binds {}.", open.scope.words(&open.task))
        }
        (Act::Defer(until), _) => format!("Until {until}."),
        _ => String::new(),
    };
    let mut lines: Vec<_> = wrap(&look.clean(&what), width).into_iter().map(Line::raw).collect();
    lines.extend(numbered(act.usual_reasons().iter().map(|reason| (*reason).to_owned())));
    if let Some(last) = state.last_reason(act) {
        let last = wrap(&look.clean(&format!("Enter: {last}")), width);
        lines.extend(last.into_iter().map(Line::raw));
    }
    lines.push(input(typed, look, width));
    let mut title = act.name().to_owned();
    title[..1].make_ascii_uppercase();
    (format!("{title}: why? (no name, date or number of a person)"), lines)
}

/// The end of what was typed, with a cursor.
fn input(typed: &str, look: &Look, width: usize) -> Line<'static> {
    let typed = look.clean(typed);
    let room = width.saturating_sub(4);
    let skipped = typed.chars().count().saturating_sub(room);
    let shown: String = typed.chars().skip(skipped).collect();
    Line::styled(format!("> {shown}_"), look.style(Role::Heading))
}

fn numbered(rows: impl Iterator<Item = String>) -> Vec<Line<'static>> {
    rows.enumerate().map(|(place, row)| Line::raw(format!("{} {row}", place + 1))).collect()
}

fn list(rows: impl Iterator<Item = String>, selected: usize, look: &Look) -> Vec<Line<'static>> {
    rows.enumerate()
        .map(|(place, row)| {
            let is_chosen = place == selected;
            let mark = if is_chosen { look.mark() } else { ' ' };
            let role = if is_chosen { Role::Chosen } else { Role::Plain };
            Line::styled(look.clean(&format!("{mark} {} {row}", place + 1)), look.style(role))
        })
        .collect()
}

//! Puts the state into a frame. Drawing decides nothing; it only says back how far a text scrolls.

mod dialog;
mod header;
mod keys;
pub mod look;
mod queue;
mod task;
mod waterfall;
mod wrap;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};

use self::{
    look::{Look, Role},
    wrap::wrap,
};
use super::state::{State, View};

/// Most lines that what happened last takes from the task.
const NOTICE_MAX: usize = 8;

/// Draws the whole screen.
pub fn draw(state: &State, look: &Look, frame: &mut Frame<'_>) {
    let width = usize::from(frame.area().width);
    let notice = notice_lines(state, look, width);
    let keys = keys::lines(state, look);
    let height = |lines: &[Line<'_>]| Constraint::Length(u16::try_from(lines.len()).unwrap_or(0));
    let rows = [Constraint::Length(2), Constraint::Min(0), height(&notice), height(&keys)];
    let [top, body, below, bottom] = Layout::vertical(rows).areas(frame.area());
    let place = match state.view {
        View::Task => draw_task(state, look, frame, body),
        View::Queue => queue::draw(state, look, frame, body),
    };
    frame.render_widget(Paragraph::new(header::lines(state, look, &place, width)), top);
    frame.render_widget(Paragraph::new(notice), below);
    frame.render_widget(Paragraph::new(keys), bottom);
    if let Some(dialog) = &state.dialog {
        dialog::draw(state, dialog, look, frame, body);
    }
}

/// Draws the task as far as it is scrolled; says which lines are on show, where not all are.
fn draw_task(state: &State, look: &Look, frame: &mut Frame<'_>, area: Rect) -> String {
    let width = usize::from(area.width);
    let Some(open) = &state.task else {
        let lines = without_task(state, look, width);
        frame.render_widget(Paragraph::new(lines), area);
        return String::new();
    };
    let lines = task::lines(open, state.now, look, width);
    let (n_lines, height) = (lines.len(), usize::from(area.height));
    let top = open.scroll.fit(n_lines, height);
    let shown: Vec<_> = lines.into_iter().skip(top).take(height).collect();
    let bottom = top + shown.len();
    frame.render_widget(Paragraph::new(shown), area);
    if n_lines > height {
        format!("lines {}-{bottom} of {n_lines}", top + 1)
    } else {
        String::new()
    }
}

fn without_task(state: &State, look: &Look, width: usize) -> Vec<Line<'static>> {
    let (heading, text) = if state.is_moving() {
        ("", String::new())
    } else {
        let total = match state.total {
            0 => "No task waits.".to_owned(),
            n => format!("{n} wait, but others hold them, or you have judged or skipped them."),
        };
        let text = format!("{total} The service is asked again now and then; Enter asks it now.");
        ("Nothing for you to review.", text)
    };
    let heading = Line::styled(format!(" {heading}"), look.style(Role::Heading));
    let mut lines = vec![Line::default(), heading];
    let text = wrap(&text, width.saturating_sub(2)).into_iter();
    lines.extend(text.map(|part| Line::raw(format!(" {part}"))));
    lines
}

/// The connection where it is lost, and what happened last.
fn notice_lines(state: &State, look: &Look, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut add = |is_alarm: bool, text: &str| {
        let role = if is_alarm { Role::Alarm } else { Role::Heading };
        let mark = if is_alarm { "!" } else { "*" };
        for (place, part) in
            wrap(&look.clean(text), width.saturating_sub(2)).into_iter().enumerate()
        {
            let mark = if place == 0 { mark } else { " " };
            lines.push(Line::from(vec![
                Span::styled(mark.to_owned(), look.style(role)),
                Span::raw(format!(" {part}")),
            ]));
        }
    };
    if state.n_lost > 0 {
        let kept = match state.unanswered() {
            0 => "You can go on once it is back.",
            _ => {
                "What you said is kept on this machine and sent then, also if you close the screen."
            }
        };
        add(true, &format!("The connection is lost; trying again ({}). {kept}", state.n_lost));
    }
    if let Some(notice) = &state.notice {
        add(notice.is_error, &notice.text);
    }
    if lines.len() > NOTICE_MAX {
        lines.truncate(NOTICE_MAX - 1);
        lines.push(Line::raw("  ..."));
    }
    lines
}

#[cfg(test)]
pub mod tests;

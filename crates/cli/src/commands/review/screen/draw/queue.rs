//! The list of tasks.

use api::review::Task;
use ratatui::{Frame, layout::Rect, text::Line, widgets::Paragraph};

use super::{
    look::{Look, Role},
    wrap::fit,
};
use crate::commands::review::screen::{state::State, words};

/// Draws as many tasks as fit, the chosen one among them; says which.
pub fn draw(state: &State, look: &Look, frame: &mut Frame<'_>, area: Rect) -> String {
    let (queue, height) = (&state.queue, usize::from(area.height).saturating_sub(1).max(1));
    let top = (queue.selected + 1).saturating_sub(height);
    let columns = Columns { is_blind: state.blind, width: usize::from(area.width) };
    let mut lines = vec![Line::styled(columns.caption(), look.style(Role::Heading))];
    for (place, task) in queue.tasks.iter().enumerate().skip(top).take(height) {
        let is_chosen = place == queue.selected;
        let mark = if is_chosen { look.mark() } else { ' ' };
        let row = look.clean(&columns.row(task, state, mark));
        lines.push(Line::styled(
            row,
            look.style(if is_chosen { Role::Chosen } else { Role::Plain }),
        ));
    }
    if queue.tasks.is_empty() && state.oldest_call().is_none() {
        lines.push(Line::raw("   No task."));
    }
    let bottom = top + lines.len() - 1;
    frame.render_widget(Paragraph::new(lines), area);
    let n_tasks = queue.tasks.len();
    if n_tasks > height { format!("{}-{bottom} of {n_tasks}", top + 1) } else { String::new() }
}

/// The columns of the list; the records take what is left of the width.
struct Columns {
    is_blind: bool,
    width: usize,
}

impl Columns {
    fn caption(&self) -> String {
        let weights = if self.is_blind { "" } else { " weight  prob." };
        let best = fit("best pair", self.best_width());
        format!("   reason     {best} records{weights}     age stands")
    }

    /// Everything else takes 57 columns at most.
    fn best_width(&self) -> usize {
        let others = if self.is_blind { 43 } else { 57 };
        self.width.saturating_sub(others).max(10)
    }

    fn row(&self, task: &Task, state: &State, mark: char) -> String {
        let (left, right) =
            (words::record(task.best_left.as_ref()), words::record(task.best_right.as_ref()));
        let best = fit(&format!("{left} {right}"), self.best_width());
        let weights = match (self.is_blind, task.weight_millibits, task.probability_ppm) {
            (true, ..) => String::new(),
            (false, Some(weight), Some(probability)) => {
                format!(" {:>6} {:>6}", words::bits(weight), words::probability(probability))
            }
            _ => format!(" {:>6} {:>6}", "", ""),
        };
        let n_records = task.left.len() + task.right.len();
        let age = words::age(task.opened_at.as_ref(), state.now);
        let stands = match task.held_by.as_str() {
            "" => words::state(task.state()).to_owned(),
            steward if state.me.as_deref() == Some(steward) => "with you".to_owned(),
            steward => format!("with {steward}"),
        };
        let reason = fit(&task.reason, 10);
        let row = format!(" {mark} {reason} {best} {n_records:>7}{weights} {age:>7} {stands}");
        fit(&row, self.width)
    }
}

//! What keys do where no dialog is open.

use api::review::{ListDecisionsRequest, TaskFilter};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{
    Effect, State, View,
    dialog::{Act, Dialog},
    scroll::Scroll,
};
use crate::commands::review::screen::call::Call;

impl State {
    /// A key was pressed.
    pub fn on_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        if is_control && matches!(key.code, KeyCode::Char('c' | 'C')) {
            return vec![Effect::Quit];
        }
        if is_control || key.modifiers.contains(KeyModifiers::ALT) {
            return Vec::new();
        }
        if let Some(dialog) = self.dialog.take() {
            return self.on_dialog_key(dialog, key.code);
        }
        let code = match key.code {
            KeyCode::Char(c) => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        match code {
            KeyCode::Char('x') => vec![Effect::Quit],
            KeyCode::Char('?') => self.open(Dialog::Help(Scroll::default())),
            KeyCode::Char('u') => self.on_undo_key(),
            code => match self.view {
                View::Task => self.on_task_key(code),
                View::Queue => self.on_queue_key(code),
            },
        }
    }

    fn on_task_key(&mut self, key: KeyCode) -> Vec<Effect> {
        match key {
            KeyCode::Char('q') => {
                self.view = View::Queue;
                return vec![self.list()];
            }
            KeyCode::Enter if self.task.is_none() && !self.is_moving() => {
                return vec![self.claim_next()];
            }
            _ => {}
        }
        let Some(open) = &mut self.task else { return Vec::new() };
        let n_pairs = open.pairs().len().max(1);
        match key {
            KeyCode::Up => open.scroll.by(-1),
            KeyCode::Down => open.scroll.by(1),
            KeyCode::PageUp => open.scroll.by_page(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => open.scroll.by_page(1),
            KeyCode::Home => open.scroll.to_top(),
            KeyCode::End => open.scroll.to_end(),
            KeyCode::Tab => open.pair = (open.pair + 1) % n_pairs,
            KeyCode::BackTab => open.pair = (open.pair + n_pairs - 1) % n_pairs,
            KeyCode::Char('r') => open.scope = open.scope.after(&open.task),
            KeyCode::Char(c @ ('l' | 's' | 'd' | 'e' | 'k' | 'a')) => return self.on_act_key(c),
            _ => {}
        }
        Vec::new()
    }

    /// Keys that settle the task or put it away.
    fn on_act_key(&mut self, key: char) -> Vec<Effect> {
        if self.is_moving() {
            self.tell("One moment: the service has not answered yet.");
            return Vec::new();
        }
        let why = |act| Dialog::Why { act, text: String::new() };
        match key {
            'l' => self.open(why(Act::Link)),
            's' => self.open(why(Act::Separate)),
            'e' => self.open(why(Act::Escalate)),
            'd' => self.open(Dialog::Until { text: String::new(), problem: None }),
            'a' => self.open(Dialog::AskRecord { selected: 0 }),
            _ => {
                self.tell("Skipped: somebody else may be given it, and you not before tomorrow.");
                let mut effects: Vec<_> = self.release(true).into_iter().collect();
                effects.push(self.claim_next());
                effects
            }
        }
    }

    /// Looks up the steward's newest decision, whichever run made it.
    fn on_undo_key(&mut self) -> Vec<Effect> {
        if self.is_moving() {
            self.tell("One moment: the service has not answered yet.");
            return Vec::new();
        }
        let request = ListDecisionsRequest { only_own: true, page_size: 1, ..Default::default() };
        vec![self.call(Call::LastDecision(request))]
    }

    fn on_queue_key(&mut self, key: KeyCode) -> Vec<Effect> {
        let last = self.queue.tasks.len().saturating_sub(1);
        match key {
            KeyCode::Char('q') | KeyCode::Esc => {
                self.view = View::Task;
                if self.task.is_none() && !self.is_moving() {
                    return vec![self.claim_next()];
                }
            }
            KeyCode::Up => self.queue.selected = self.queue.selected.saturating_sub(1),
            KeyCode::Down => self.queue.selected = (self.queue.selected + 1).min(last),
            KeyCode::PageUp => self.queue.selected = self.queue.selected.saturating_sub(10),
            KeyCode::PageDown => self.queue.selected = (self.queue.selected + 10).min(last),
            KeyCode::Home => self.queue.selected = 0,
            KeyCode::End => self.queue.selected = last,
            KeyCode::Enter => return self.open_selected(),
            KeyCode::Char('n') if self.queue.has_next() => {
                self.queue.tokens.push(self.queue.next.clone());
                self.queue.selected = 0;
                return vec![self.list()];
            }
            KeyCode::Char('p') if self.queue.tokens.pop().is_some() => {
                self.queue.selected = 0;
                return vec![self.list()];
            }
            KeyCode::Char('r') => return self.open(Dialog::FilterReason),
            KeyCode::Char('t') => return self.open(Dialog::FilterState),
            KeyCode::Char('g') => return self.open(Dialog::FilterAgency { text: String::new() }),
            KeyCode::Char('c') => return self.filter_by(|filter| *filter = TaskFilter::default()),
            _ => {}
        }
        Vec::new()
    }

    /// Takes the chosen task of the queue, and gives back the one that was held.
    fn open_selected(&mut self) -> Vec<Effect> {
        let Some(task) = self.queue.tasks.get(self.queue.selected) else { return Vec::new() };
        let id = task.id.clone();
        if self.is_moving() {
            self.tell("One moment: the service has not answered yet.");
            return Vec::new();
        }
        (self.view, self.notice) = (View::Task, None);
        if self.task.as_ref().is_some_and(|open| open.id() == id) {
            return Vec::new();
        }
        let mut effects: Vec<_> = self.release(false).into_iter().collect();
        effects.push(self.claim(id));
        effects
    }

    fn open(&mut self, dialog: Dialog) -> Vec<Effect> {
        self.notice = None;
        self.dialog = Some(dialog);
        Vec::new()
    }
}

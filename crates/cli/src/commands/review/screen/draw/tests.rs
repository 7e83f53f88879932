//! What is on the screen, recorded.

use api::review::{ClaimTaskResponse, ListTasksResponse, TaskDetail, TaskState, Verdict};
use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Terminal, backend::TestBackend};

use super::*;
use crate::commands::review::screen::{call::Answer, samples, state::dialog::Dialog};

const UNICODE: Look = Look { is_unicode: true, is_colored: true };
const ASCII: Look = Look { is_unicode: false, is_colored: false };

/// The screen in the common look.
pub fn drawn(state: &State, width: u16, height: u16) -> String {
    drawn_as(state, &UNICODE, width, height)
}

fn drawn_as(state: &State, look: &Look, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(state, look, frame)).unwrap();
    let rows = terminal.backend().to_string();
    let rows = rows.lines().map(|row| row.trim_matches('"').trim_end());
    rows.collect::<Vec<_>>().join("\n")
}

fn open(detail: TaskDetail) -> State {
    let mut state = samples::state(detail.blind);
    state.start(Vec::new());
    state.on_answer(Answer::Claimed(Box::new(ClaimTaskResponse {
        detail: Some(detail),
        total: 12,
    })));
    state
}

fn press(state: &mut State, keys: &[KeyCode]) {
    for key in keys {
        state.on_key(KeyEvent::from(*key));
    }
}

fn listed() -> State {
    let mut state = open(samples::detail("T1"));
    press(&mut state, &[KeyCode::Char('q')]);
    let mut tasks: Vec<_> = (1..30).map(|n| samples::task(&format!("T{n}"))).collect();
    tasks[1].held_by.clear();
    tasks[2].held_by.clear();
    tasks[2].set_state(TaskState::Second);
    let (total, next_page_token) = (112, "two".to_owned());
    state.on_answer(Answer::Listed(ListTasksResponse { tasks, next_page_token, total }));
    press(&mut state, &[KeyCode::Down]);
    state
}

#[test]
fn a_task_fits_the_smallest_terminal() {
    insta::assert_snapshot!(drawn(&open(samples::detail("T1")), 80, 24));
}

#[test]
fn a_task_scrolls_to_what_was_said_of_it_before() {
    let mut state = open(samples::detail("T1"));
    drawn(&state, 80, 24);
    press(&mut state, &[KeyCode::End, KeyCode::Tab]);
    insta::assert_snapshot!(drawn(&state, 80, 24));
}

#[test]
fn a_large_terminal_shows_all_of_a_task() {
    insta::assert_snapshot!(drawn(&open(samples::contrary_detail("T1")), 120, 40));
}

#[test]
fn a_blind_task_shows_the_levels_alone() {
    let screen = drawn(&open(samples::blind_detail("T1")), 80, 24);
    assert!(!screen.contains("P-0") && !screen.contains("weight"), "{screen}");
    insta::assert_snapshot!(screen);
}

#[test]
fn a_terminal_without_unicode_gets_ascii_alone() {
    let screen = drawn_as(&open(samples::detail("T1")), &ASCII, 80, 24);
    assert!(screen.is_ascii(), "{screen}");
    insta::assert_snapshot!(screen);
}

#[test]
fn the_queue_is_a_list() {
    insta::assert_snapshot!(drawn(&listed(), 80, 24));
}

#[test]
fn the_question_why_says_what_will_be_bound_and_offers_reasons() {
    let mut state = open(samples::detail("T1"));
    press(&mut state, &[KeyCode::Char('r'), KeyCode::Char('s')]);
    state.on_paste("because");
    insta::assert_snapshot!(drawn(&state, 80, 24));
}

#[test]
fn an_agency_is_asked_about_fields() {
    let mut state = open(samples::detail("T1"));
    press(&mut state, &[KeyCode::Char('a'), KeyCode::Down, KeyCode::Enter, KeyCode::Char('4')]);
    insta::assert_snapshot!(drawn_as(&state, &ASCII, 80, 24));
}

#[test]
fn a_lost_connection_is_told_with_what_becomes_of_the_decision() {
    let mut state = open(samples::detail("T1"));
    press(&mut state, &[KeyCode::Char('l'), KeyCode::Char('1')]);
    state.on_lost(2);
    insta::assert_snapshot!(drawn(&state, 80, 24));
}

#[test]
fn taking_back_shows_the_decision() {
    let mut state = open(samples::detail("T1"));
    press(&mut state, &[KeyCode::Char('u')]);
    let decision = samples::decision("D-12", Verdict::Separate);
    state.on_answer(Answer::LastDecision(Some(Box::new(decision))));
    insta::assert_snapshot!(drawn(&state, 80, 24));
}

#[test]
fn nothing_to_review_is_said_so() {
    let mut state = samples::state(false);
    state.start(Vec::new());
    state.on_answer(Answer::Claimed(Box::new(ClaimTaskResponse { detail: None, total: 3 })));
    insta::assert_snapshot!(drawn(&state, 80, 24));
}

#[test]
fn every_screen_can_be_drawn_at_any_size() {
    let mut states = vec![
        samples::state(false),
        open(samples::detail("T1")),
        open(samples::blind_detail("T1")),
        open(TaskDetail::default()),
        listed(),
    ];
    for key in ['l', 'd', 'a', '?'] {
        let mut state = open(samples::detail("T1"));
        press(&mut state, &[KeyCode::Char(key)]);
        states.push(state);
    }
    for state in &states {
        for (width, height) in [(1, 1), (3, 2), (10, 4), (39, 9), (60, 12), (300, 90)] {
            drawn(state, width, height);
        }
    }
}

#[test]
fn texts_of_others_do_not_reach_the_terminal_raw() {
    let mut detail = samples::detail("T1");
    detail.notes[0].reason = "\u{1b}[2J\u{7}evil".to_owned();
    detail.records[0].participant = "P\u{1b}c".to_owned();
    let screen = drawn(&open(detail), 80, 60);
    assert!(screen.contains("evil"));
    assert!(!screen.contains(|c: char| c.is_control() && c != '\n'), "{screen:?}");
}

#[test]
fn help_names_every_key_of_a_task() {
    let mut state = open(samples::detail("T1"));
    state.dialog = Some(Dialog::Help(Default::default()));
    insta::assert_snapshot!(drawn(&state, 80, 40));
}

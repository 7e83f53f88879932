//! A steward's sessions at the screen.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use api::review::Verdict;
use insta::assert_snapshot;

use crate::{fake::Service, terminal::Home};

const T1: &[&str] = &["T1", "total", "x quit"];
const T2: &[&str] = &["T2", "total", "x quit"];

#[test]
fn a_steward_decides_skips_defers_takes_back_and_leaves() {
    let (service, home) = (Service::start(4), Home::new());
    let mut terminal = home.review(service.address(), &[]);
    assert_snapshot!("first_task", terminal.shows(T1));

    terminal.type_keys("l");
    assert_snapshot!("why", terminal.shows(&["Link: why?"]));
    terminal.type_keys("2");
    assert_snapshot!("linked", terminal.shows(&["T2", "Linked: D-T1", "total"]));

    terminal.type_keys("k");
    terminal.shows(&["T3", "Skipped", "total"]);

    terminal.type_keys("d");
    terminal.shows(&["Defer until when?"]);
    terminal.type_keys("2199-12-31\r");
    terminal.shows(&["Until 2199-12-31."]);
    terminal.type_keys("the file is on its way\r");
    terminal.shows(&["T4", "Deferred until 2199-12-31", "total"]);

    terminal.type_keys("u");
    assert_snapshot!("take_back", terminal.shows(&["Take back: why?", "D-T1 linked"]));
    terminal.type_keys("1");
    terminal.shows(&["T1", "Decision D-T1 binds no longer", "total"]);

    terminal.type_keys("q");
    assert_snapshot!("queue", terminal.shows(&["Queue", "3 tasks", "college/A-2"]));
    terminal.type_keys("q");
    terminal.shows(T1);
    terminal.type_keys("x");
    let (code, output) = terminal.ended();
    assert_eq!(code, 0);
    assert!(output.contains("\x1b[?25h") && output.ends_with("\x1b[?1049l"), "terminal restored");

    let told = service.told();
    let verdicts: Vec<_> =
        told.calls.iter().map(|call| (call.id.as_str(), call.verdict())).collect();
    assert_eq!(verdicts, [("T1", Verdict::Link), ("T3", Verdict::Defer)]);
    assert_eq!(told.calls[1].reason, "the file is on its way");
    assert_eq!(told.undone[0].reason, "the wrong key");
    let released: Vec<_> = told.released.iter().map(|(id, skip)| (id.as_str(), *skip)).collect();
    assert_eq!(released, [("T2", true), ("T4", false), ("T1", false)]);
    assert!(home.journal().is_empty());
}

#[test]
fn the_screen_follows_the_size_of_the_terminal() {
    let (service, home) = (Service::start(1), Home::new());
    let mut terminal = home.review(service.address(), &[]);
    let small = terminal.shows(T1);
    terminal.resize(100, 30);
    assert_snapshot!("large", terminal.shows_sized(100, 30, "T1"));
    terminal.resize(80, 24);
    assert_eq!(terminal.shows_sized(80, 24, "T1"), small);
    terminal.type_keys("\x03");
    assert_eq!(terminal.ended().0, 0);
}

#[test]
fn without_color_and_unicode_the_screen_says_the_same() {
    let (service, home) = (Service::start(1), Home::new());
    let mut terminal = home.review(service.address(), &[("NO_COLOR", "1"), ("LANG", "C")]);
    let screen = terminal.shows(T1);
    assert!(screen.is_ascii());
    assert_snapshot!("plain", screen);
    terminal.type_keys("x");
    let (_, output) = terminal.ended();
    for color in ["\x1b[3", "\x1b[4", "\x1b[9", ";3", ";4", ";9"] {
        for found in output.match_indices(color) {
            let rest = &output[found.0..];
            let sequence = rest.find(|c: char| c.is_ascii_alphabetic()).map(|end| &rest[..=end]);
            let is_color = sequence.is_some_and(|sequence| {
                sequence.ends_with('m') && !["\x1b[39m", "\x1b[49m"].contains(&sequence)
            });
            assert!(!is_color, "{sequence:?}");
        }
    }
}

#[test]
fn a_decision_survives_a_broken_connection_and_arrives_once() {
    let (service, home) = (Service::start(2), Home::new());
    service.told().cuts_after_verdict = true;
    let mut terminal = home.review(service.address(), &[]);
    terminal.shows(T1);
    terminal.type_keys("s1");
    let lost = terminal.shows(&["The connection is lost; trying again (", "is kept on this"]);
    let once = |lost: String, n: u32| lost.replace(&format!("again ({n})"), "again (1)");
    assert_snapshot!("lost", (2..10).fold(lost, once));
    assert_eq!(home.journal().len(), 1);
    terminal.type_keys("?");
    terminal.shows(&["Help"]);
    terminal.type_keys("\x1b");

    service.connection.mend();
    terminal.shows(&["T2", "Separated: D-T1", "total"]);
    terminal.type_keys("x");
    assert_eq!(terminal.ended().0, 0);
    let told = service.told();
    assert!(told.calls.len() >= 2, "it was sent again");
    assert_eq!(told.verdicts.len(), 1, "with the same request id");
    assert!(home.journal().is_empty());
}

#[test]
fn a_decision_survives_the_end_of_the_terminal_and_is_sent_at_the_next_start() {
    let (service, home) = (Service::start(2), Home::new());
    service.told().cuts_after_verdict = true;
    let mut terminal = home.review(service.address(), &[]);
    terminal.shows(T1);
    terminal.type_keys("l1");
    terminal.shows(&["The connection is lost"]);
    assert_eq!(terminal.closed(), 130);
    let [file] = &home.journal()[..] else { panic!("one commitment is kept") };
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);

    service.connection.mend();
    let mut terminal = home.review(service.address(), &[]);
    assert_snapshot!("kept", terminal.shows(&["Kept from before", "T2", "total"]));
    terminal.type_keys("x");
    assert_eq!(terminal.ended().0, 0);
    let told = service.told();
    assert_eq!((told.verdicts.len(), told.calls.len() >= 2), (1, true));
    assert!(home.journal().is_empty());
}

#[test]
fn closing_without_an_answer_says_what_is_kept() {
    let (service, home) = (Service::start(1), Home::new());
    service.told().cuts_after_verdict = true;
    let mut terminal = home.review(service.address(), &[]);
    terminal.shows(T1);
    terminal.type_keys("l1");
    terminal.shows(&["The connection is lost"]);
    terminal.type_keys("x");
    let (code, output) = terminal.ended();
    assert_eq!(code, 1);
    assert!(output.contains("sent at the next waymark review"), "{output}");
    assert_eq!(home.journal().len(), 1);
}

#[test]
fn a_task_that_changed_is_shown_again_and_nothing_is_decided() {
    let (service, home) = (Service::start(2), Home::new());
    service.told().changes_task = true;
    let mut terminal = home.review(service.address(), &[]);
    terminal.shows(T1);
    terminal.type_keys("l1");
    assert_snapshot!("changed", terminal.shows(&["The task has changed", "5 statuses"]));
    terminal.type_keys("l\r");
    terminal.shows(&["Linked: D-T1"]);
    terminal.shows(T2);
    terminal.type_keys("x");
    assert_eq!(terminal.ended().0, 0);
    assert_eq!(service.told().verdicts.len(), 1);
}

#[test]
fn a_token_that_opens_nothing_any_more_closes_the_screen_and_keeps_the_decision() {
    let (service, home) = (Service::start(1), Home::new());
    service.told().refuses_token = true;
    let mut terminal = home.review(service.address(), &[]);
    terminal.shows(T1);
    terminal.type_keys("l1");
    let (code, output) = terminal.ended();
    assert_eq!(code, 77);
    assert!(output.contains("use another token") && output.contains("TOKEN_INVALID"), "{output}");
    assert_eq!(home.journal().len(), 1);
}

#[test]
fn pasted_text_decides_nothing() {
    let (service, home) = (Service::start(1), Home::new());
    let mut terminal = home.review(service.address(), &[]);
    terminal.shows(T1);
    terminal.type_keys("\x1b[200~l1\x1b[201~l\x1b[200~as the\nagency says\x1b[201~");
    terminal.shows(&["Link: why?", "> as the agency says_"]);
    assert!(service.told().calls.is_empty());
}

#[test]
fn a_terminal_that_closes_and_a_process_that_is_ended_give_the_task_back() {
    let (service, home) = (Service::start(1), Home::new());
    let terminal = home.review(service.address(), &[]);
    terminal.shows(T1);
    assert_eq!(terminal.closed(), 130);
    let terminal = home.review(service.address(), &[]);
    terminal.shows(T1);
    terminal.terminate();
    assert_eq!(terminal.ended().0, 130);
    assert_eq!(service.told().released, [("T1".to_owned(), false), ("T1".to_owned(), false)]);
}

#[test]
fn what_is_no_terminal_is_told_of_the_other_commands() {
    let output = Command::new(env!("CARGO_BIN_EXE_waymark"))
        .arg("review")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("waymark review list, show and decide"), "{told}");
    let home = Home::new();
    let terminal = home.review("127.0.0.1:1".parse().unwrap(), &[("TERM", "dumb")]);
    let (code, output) = terminal.ended();
    assert!(code == 2 && output.contains("waymark review list"), "{output}");
}

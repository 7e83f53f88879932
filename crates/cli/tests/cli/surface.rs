//! The command surface: names, exit codes, help and the error catalogue.

use crate::desk::Desk;

#[test]
fn help_names_the_commands_and_the_exit_codes() {
    let help = Desk::new().waymark("--help");
    for part in ["keygen", "check", "encode", "error", "Exit codes:", "77  not permitted"] {
        assert!(help.out.contains(part), "{part}");
    }
    assert_eq!(help.code, 0);
}

#[test]
fn a_wrong_command_line_is_refused() {
    let desk = Desk::new();
    desk.waymark("encode").exits(2);
    desk.waymark("check --format yaml x.csv").exits(2);
    desk.waymark("encode --agency College! --key k --out o x.csv")
        .exits(2)
        .tells(&["lower-case letters"]);
}

#[test]
fn an_error_code_has_a_page() {
    let desk = Desk::new();
    let page = desk.waymark("error column_unknown");
    assert!(page.exits(0).out.starts_with("# COLUMN_UNKNOWN\n"), "{}", page.out);
    let service = desk.waymark("error KEY_MISMATCH");
    assert!(service.exits(0).out.contains("KEY_MISMATCH"), "{}", service.out);
    assert!(desk.waymark("error").out.lines().count() > 20);
    desk.waymark("error NO_SUCH_CODE").exits(2);
}

#[test]
fn every_command_of_a_steward_and_of_questions_has_an_example() {
    let desk = Desk::new();
    for command in [
        "review",
        "review list",
        "review show",
        "review next",
        "review release",
        "review decide",
        "review ask",
        "review undo",
        "review decisions",
        "review export",
        "review import",
        "review sample",
        "review stats",
        "questions list",
        "questions answer",
        "explain",
        "train",
    ] {
        let help = desk.waymark(&format!("{command} --help"));
        let example = format!("\n  waymark {command}");
        assert!(help.exits(0).out.contains(&example), "{command}: {}", help.out);
    }
    for command in ["list", "next", "export"] {
        let help = desk.waymark(&format!("review {command} --help")).out;
        for option in ["--state", "--reason", "--older-than", "--weight-from", "--token-file"] {
            assert!(help.contains(option), "review {command} {option}");
        }
    }
}

#[test]
fn what_a_steward_cannot_mean_is_refused_before_anybody_is_called() {
    let desk = Desk::new();
    for (command, told) in [
        ("review list --state closed", "possible values"),
        ("review list --weight-from 3 --weight-below 1", "no weight is both"),
        ("review decide T link", "--reason"),
        ("review decide T defer --reason later", "the day on which"),
        ("review decide T link --reason x --until 2026-10-02", "it belongs to defer only"),
        ("review decide T link --reason x --record a/1", "give the scope record"),
        ("review decide T escalate --reason x --scope pair", "link and separate only"),
        ("review ask T --record a/1", "--field"),
        ("review ask T --record a/1 --field a --field b --field c --field d", "at most 3"),
        ("review sample --pairs 1001", "1..=1000"),
        ("review undo D", "--reason"),
        ("review export --out tasks.txt", ".csv or .json"),
        ("review --reason band list", "put them behind it"),
        ("questions answer Q maybe", "possible values"),
    ] {
        desk.waymark(command).exits(2).tells(&[told]);
    }
    let long = "x".repeat(501);
    desk.waymark(&format!("review undo D --reason {long}")).exits(2).tells(&["500 characters"]);
}

#[test]
fn a_file_of_verdicts_is_checked_as_a_whole_before_anybody_is_called() {
    let desk = Desk::new();
    desk.write("tasks.csv", "task,etag,verdict,decision_reason\nT1,e,link,\nT2,e,lnk,x\nT3,e,,\n");
    desk.waymark("review import tasks.csv").exits(65).tells(&[
        "fault: tasks.csv, line 2, decision_reason: give a reason",
        "fault: tasks.csv, line 3, verdict: give link, separate, defer or escalate",
        "2 of its rows are wrong; nothing was decided",
        "REVIEW_FILE_INVALID",
    ]);
    desk.waymark("review export --out tasks.csv").exits(74).tells(&["OUTPUT_EXISTS"]);
}

#[cfg(unix)]
#[test]
fn a_reader_that_stops_early_is_no_failure() {
    use std::process::{Command, Stdio};

    let mut child = Command::new(env!("CARGO_BIN_EXE_waymark"))
        .arg("error")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

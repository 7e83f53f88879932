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

//! Newer versions that speak strongly against a decision make it a task again, while it binds.

use support::{OPERATOR, Service};

use crate::steward::{
    HEADER, ONE, are_together, cell, decide, says, submit, task, tasks, with_tasks,
};

/// Sends a newer version of a record.
#[track_caller]
fn correct(service: &Service, agency: &str, row: &str) {
    service.write("newer.csv", format!("{HEADER}{row}"));
    service.accepts(agency, "newer.csv", "--as-of 2026-12-31");
    service.settle();
}

/// The task that asks about a decision once more.
#[track_caller]
fn contrary(service: &Service) -> String {
    let rows = service.ask("pat", "review list --reason contrary").rows("tasks");
    assert_eq!(rows.len(), 1, "{rows:?}");
    cell(&rows[0], "task")
}

#[test]
fn a_link_that_newer_versions_speak_against_is_looked_at_again() {
    let service = with_tasks("fixed_date = \"2026-09-30\"");
    service.add_steward("kim");
    let before = task(&service, "one/L", "other/L");
    // What was said before the decision does not hold back what comes after it.
    says(&service, "kim", &before, "escalate");
    let decided = says(&service, "pat", &before, "link");
    let link = cell(&decided.row("decision"), "decision");
    assert!(are_together(&service.partition(), "one/L", "other/L"));

    correct(&service, "other", "L,Marta,Villanueva,1963-12-08,671-03-4488,5 Elm Way,99201,,\n");
    let id = contrary(&service);
    assert_ne!(id, before);
    assert!(are_together(&service.partition(), "one/L", "other/L"), "it still binds");
    let shown = service.ask("pat", &format!("review show {id}"));
    assert_eq!(cell(&shown.row("decisions"), "decision"), link);
    let why = service.ask("pat", "explain one/L other/L").row("verdict");
    assert_eq!(why["decided_by"], "decision");
    let seen = service.ask("pat", "review decisions").row("decided_pairs");

    let parted = says(&service, "pat", &id, "separate");
    assert_eq!(parted.rows("regroupings").len(), 1);
    assert!(!are_together(&service.partition(), "one/L", "other/L"));
    assert_eq!(tasks(&service).len(), 2);
    // The newer decision names the versions of now.
    let now = &service.ask("pat", "review decisions").rows("decided_pairs")[0];
    assert_eq!(now["left_version"], seen["left_version"]);
    assert!(now["right_version"].as_i64() > seen["right_version"].as_i64());

    // Without it the link binds again, and is in doubt again.
    let newest = cell(&parted.row("decision"), "decision");
    let undone = service.ask("pat", &format!("review undo {newest} --reason too-early"));
    assert_eq!(undone.rows("regroupings").len(), 1);
    assert!(are_together(&service.partition(), "one/L", "other/L"));
    assert_eq!(contrary(&service), id);
    // Who looked again and stays with it is not asked once more.
    says(&service, "pat", &id, "link");
    assert_eq!(tasks(&service).len(), 2);
    assert!(are_together(&service.partition(), "one/L", "other/L"));
    assert_eq!(service.ask(OPERATOR, "admin reconcile").row("compared")["differences"], 0);
}

#[test]
fn a_separation_that_newer_versions_speak_against_is_looked_at_again() {
    let service = with_tasks("fixed_date = \"2026-09-30\"");
    decide(&service, "one/L", "other/L", "separate");
    correct(&service, "other", ONE.lines().next().unwrap());
    let id = contrary(&service);
    assert!(!are_together(&service.partition(), "one/L", "other/L"), "it still binds");
    says(&service, "pat", &id, "link");
    assert!(are_together(&service.partition(), "one/L", "other/L"));
    assert_eq!(tasks(&service).len(), 2);
}

#[test]
fn newer_versions_that_say_the_same_reopen_nothing() {
    let service = with_tasks("fixed_date = \"2026-09-30\"");
    decide(&service, "one/L", "other/L", "link");
    correct(&service, "other", "L,Luis,Okonkwo,1991-02-09,671-03-4488,5 Elm Way,99201,,\n");
    assert_eq!(service.ask("pat", "review list --reason contrary").rows("tasks").len(), 0);
    submit(&service, "third", "L,Luis,Okonkwo,1991-02-09,,77 Harbor Rd,98404,,\n");
    assert_eq!(tasks(&service).iter().filter(|(_, left, _)| left.ends_with("/L")).count(), 0);
}

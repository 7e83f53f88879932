//! What was acknowledged is there after `kill -9`, once.

use std::{fmt::Write, process::Child};

use serde_json::Value;
use support::{OPERATOR, Run, Service, until};

use crate::made_up;

/// Rows of the large file: more messages than it takes to be caught in the middle of them.
const N_ROWS: u64 = 12_000;

/// A word that no other number gives.
fn word(mut number: u64) -> String {
    let mut word = String::new();
    while word.len() < 6 {
        word.push(char::from(b'a' + (number % 26) as u8));
        number = number / 26 + 7;
    }
    word
}

/// People with nothing in common.
pub fn large_file() -> String {
    let mut text = "local_id,first_name,last_name,date_of_birth,ssn\n".to_owned();
    for n in 0..N_ROWS {
        let (year, month, day) = (1940 + n % 60, 1 + n % 12, 1 + n % 28);
        let (first, last, serial) = (word(n * 31), word(n), 1 + n % 9_998);
        let (area, group) = (100 + n / 90 % 500, 1 + n % 90);
        writeln!(
            text,
            "P{n},{first},{last},{year}-{month:02}-{day:02},{area}{group:02}{serial:04}"
        )
        .unwrap();
    }
    text
}

fn service_with_large_file() -> Service {
    let service = Service::start("");
    service.add_agency("college");
    service.write("large.csv", large_file());
    // Encoded once: what is sent is the same as from the identity file.
    let encode = "encode large.csv --agency college --key linkage.key --out large.wmk";
    service.waymark("nobody", encode).exits(0);
    service
}

/// The one submission.
fn submission(service: &Service) -> Option<Value> {
    let submissions = service.ask("college", "batch list").rows("submissions");
    assert!(submissions.len() <= 1, "one submission, however often the command is run");
    submissions.into_iter().next()
}

/// Waits until more than `n` rows are acknowledged; gives how many were seen.
fn wait_for_rows(service: &Service, n: u64) -> u64 {
    until("rows are acknowledged", || {
        let submission = submission(service)?;
        assert_eq!(submission["state"], "open", "the file is too small to be caught in the middle");
        submission["rows"].as_u64().filter(|rows| *rows > n)
    })
}

fn end(mut client: Child) {
    client.kill().unwrap();
    client.wait().unwrap();
}

fn finish(client: Child) -> Run {
    client.wait_with_output().unwrap().into()
}

#[test]
fn a_submission_survives_kills_in_the_middle_and_counts_every_row_once() {
    let mut service = service_with_large_file();
    let mut acknowledged = 0;
    for _ in 0..3 {
        let client = service.begin_submit("college", "large.wmk");
        acknowledged = wait_for_rows(&service, acknowledged);
        service.kill();
        end(client);
        service.launch();
        let durable = submission(&service).unwrap()["rows"].as_u64().unwrap();
        assert!(durable >= acknowledged, "{durable} of {acknowledged} acknowledged rows");
        acknowledged = durable;
    }
    let resumed = service.submit("college", "large.csv", "--resume");
    resumed.exits(0).tells(&["going on with submission", &format!("at row {acknowledged} of")]);
    let receipt = resumed.row("receipts");
    assert_eq!((&receipt["accepted"], &receipt["unchanged"]), (&N_ROWS.into(), &0.into()));
    assert_eq!(service.partition().iter().flatten().count() as u64, N_ROWS);
    assert_eq!(service.info("records"), N_ROWS);

    // The same file again: the same receipt, no new fact.
    let fact = service.info("last fact");
    let again = service.submit("college", "large.wmk", "");
    again.exits(0).tells(&["was accepted before"]);
    assert_eq!(again.row("receipts"), receipt);
    // Rows that were sent before, in another batch: only the new one changes anything.
    let mut rows: Vec<String> = large_file().lines().take(101).map(str::to_owned).collect();
    rows.push("X1,Zoe,Quist,1990-01-01,\n".to_owned());
    service.write("again.csv", rows.join("\n"));
    let more = service.submit("college", "again.csv", "").exits(0).row("receipts");
    assert_eq!((&more["accepted"], &more["unchanged"]), (&1.into(), &100.into()));
    assert_eq!(service.info("records"), N_ROWS + 1);
    assert_eq!(service.info("last fact").as_u64(), fact.as_u64().map(|fact| fact + 1));
}

#[test]
fn a_client_rides_out_a_crash_of_the_service() {
    let mut service = service_with_large_file();
    let client = service.begin_submit("college", "large.wmk");
    wait_for_rows(&service, 0);
    service.kill();
    service.launch_in_place();
    let receipt = finish(client).exits(0).row("receipts");
    assert_eq!(receipt["accepted"], N_ROWS);
}

#[test]
fn a_receipt_holds_although_the_service_is_killed_at_once() {
    let state = made_up::state(200);
    let mut service = Service::start("fixed_date = \"2026-09-30\"");
    let agencies = made_up::write_identities(&service, &state);
    let mut n_records = 0;
    for agency in agencies {
        service.add_agency(agency);
        let receipt = service.accepts(agency, &format!("{agency}.csv"), "").remove(0);
        n_records += receipt["accepted"].as_u64().unwrap();
        service.kill();
        service.launch();
        assert_eq!(service.info("records"), n_records, "records after {agency}");
    }
    let partition = service.partition();
    assert_eq!(partition.iter().flatten().count() as u64, n_records);
    let rebuilt = service.ask(OPERATOR, "admin reconcile").row("compared");
    assert_eq!(rebuilt["differences"], 0);
    service.stop();
    service.launch();
    assert_eq!(service.partition(), partition);
}

#[test]
fn there_is_nothing_to_resume_before_the_first_run() {
    let service = Service::start("");
    service.add_agency("college");
    service.write("college.csv", "local_id,last_name\nS1,Kowalczyk\n");
    service.submit("college", "college.csv", "--resume").is_refused(65, "NOTHING_TO_RESUME");
    assert_eq!(submission(&service), None);
}

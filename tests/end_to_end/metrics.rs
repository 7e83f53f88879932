//! What is served to whoever watches the service.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

use support::Service;

use crate::steward::{decide, task};

const SETTINGS: &str = "fixed_date = \"2026-09-30\"\nmetrics_listen = \"127.0.0.1:0\"";

/// The same people in two agencies but for their SSNs.
const ONE: &str = "\
local_id,first_name,last_name,date_of_birth,ssn,street_address,zip
L-1,Luis,Okonkwo,1991-02-09,534-21-8890,77 Harbor Rd,98404
P-1,Priya,Ramanathan,1979-11-30,617-55-2043,9 Juniper Ct,98501
T-1,Tomasz,Lindqvist,1988-05-17,308-62-9417,12 Foundry St,98901
";
const OTHER: &str = "\
local_id,first_name,last_name,date_of_birth,ssn,street_address,zip
L-2,Luis,Okonkwo,1991-02-09,671-03-4488,77 Harbor Rd,98404
P-2,Priya,Ramanathan,1979-11-30,458-13-7721,9 Juniper Ct,98501
T-2,Tomasz,Lindqvist,1988-05-17,520-77-1163,12 Foundry St,98901
";

/// The address in the last line of the log that tells one.
fn address(service: &Service) -> String {
    let log = service.log();
    let (_, rest) = log.rsplit_once("waymarkd: metrics on http://").unwrap();
    rest.split_once("/metrics\n").unwrap().0.to_owned()
}

/// Head and body of the answer to a request.
fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

#[test]
fn the_metrics_count_what_stewards_do_and_name_nobody() {
    let service = Service::start(SETTINGS);
    service.add_steward("pat");
    for (agency, rows) in [("college", ONE), ("workforce", OTHER)] {
        service.add_agency(agency);
        service.write(&format!("{agency}.csv"), rows);
        service.accepts(agency, &format!("{agency}.csv"), "");
    }
    decide(&service, "college/L-1", "workforce/L-2", "link");
    decide(&service, "college/P-1", "workforce/P-2", "separate");
    let waits = task(&service, "college/T-1", "workforce/T-2");
    service.ask("pat", &format!("review decide {waits} escalate --reason two-cards"));
    let decisions = service.ask("pat", "review decisions").column("decisions", "decision");
    let undone = decisions.first().unwrap();
    service.ask("pat", &format!("review undo {undone} --reason a-mistake"));
    service.settle();

    let (head, body) = get(&address(&service), "/metrics");
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(head.contains("\r\ncontent-type: text/plain; version=0.0.4"), "{head}");
    let last = service.info("last fact");
    for line in [
        "waymark_review_acts_total{verdict=\"link\"} 1",
        "waymark_review_acts_total{verdict=\"separate\"} 1",
        "waymark_review_acts_total{verdict=\"escalate\"} 1",
        "waymark_review_acts_total{verdict=\"defer\"} 0",
        "waymark_review_decisions_total 2",
        "waymark_review_decisions_overturned_total 1",
        "waymark_review_twice_judged_tasks_total 0",
        "waymark_participants_to_evaluate 0",
        &format!("waymark_log_sequence {last}"),
        &format!("waymark_applied_sequence {last}"),
    ] {
        assert!(body.lines().any(|it| it == line), "no {line} in\n{body}");
    }
    let escalated = |line: &str| line.contains("state=\"escalated\",age=\"up_to_1_day\"} 1");
    assert!(body.lines().any(escalated), "{body}");
    for name in ["pat", "college", "workforce", "L-1", "Luis", waits.as_str(), undone] {
        assert!(!body.contains(name), "{name} in\n{body}");
    }
}

#[test]
fn nothing_else_is_served_beside_the_metrics_and_they_end_with_the_service() {
    let mut service = Service::start(SETTINGS);
    let address = address(&service);
    for path in ["/", "/metrics/", "/waymark.admin.v1.AdminService/GetInfo"] {
        let (head, _) = get(&address, path);
        assert!(head.starts_with("http/1.1 404 "), "{path}: {head}");
    }
    // A connection that says nothing keeps nobody from stopping.
    let _idle = TcpStream::connect(&address).unwrap();
    service.stop();
    assert_eq!(TcpStream::connect(&address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    service.launch_with("");
    assert!(!service.log().rsplit_once("stopped").unwrap().1.contains("metrics on"));
}

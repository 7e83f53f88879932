//! What was done and who was told what is on record, and nobody can change it unseen.

use std::collections::BTreeSet;

use serde_json::Value;
use support::{OPERATOR, Run, Service};

use crate::{made_up::HEADER, steward};

const ANA: &str = "Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n";
const STUDIES: &str = "\
local_id,event_id,kind,code,course,term,start,end,name
S1,E1,enrollment,,NUR101,2026SP,2026-01-12,2026-05-08,
";
const SERVICES: &str = "\
local_id,event_id,kind,code,program,start,end
W1,E1,service,HC-TRAINING,adult,2026-02-02,2026-02-20
";

/// Ana at the college and at the workforce board, with events that both may know of.
fn started() -> Service {
    let service = Service::start("fixed_date = \"2026-03-01\"");
    for (agency, id, events) in [("college", "S1", STUDIES), ("workforce", "W1", SERVICES)] {
        service.add_agency(agency);
        service.write(&format!("{agency}.csv"), format!("{HEADER}{id},{ANA}"));
        service.write("events.csv", events);
        service.accepts(agency, &format!("{agency}.csv"), "--events events.csv");
    }
    service.settle();
    service
}

/// Who did what, by the entries that a filter lets through, oldest first.
fn entries(service: &Service, filter: &str) -> Vec<String> {
    let rows = service.ask(OPERATOR, &format!("audit list --limit 500 {filter}")).rows("entries");
    let entry = |row: &Value| {
        let cell = |column| steward::cell(row, column);
        format!("{} {} {}", cell("role"), cell("name"), cell("action"))
    };
    rows.iter().rev().map(entry).collect()
}

fn disclosures(service: &Service, record: &str) -> Vec<(String, String, String, Value)> {
    let rows = service.ask(OPERATOR, &format!("audit disclosures {record}")).rows("disclosures");
    let cell = |row: &Value, column: &str| row[column].as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| {
            (cell(row, "to"), cell(row, "how"), cell(row, "told_of"), row["statuses"].clone())
        })
        .collect()
}

#[track_caller]
fn holds(service: &Service) -> Run {
    let proof = service.ask(OPERATOR, "admin verify");
    assert_eq!(proof.rows("findings").len(), 0, "{}", proof.out);
    proof
}

#[test]
fn what_everybody_does_and_is_told_is_on_record() {
    let service = steward::with_tasks("fixed_date = \"2026-09-30\"");
    let id = steward::task(&service, "one/P", "other/P");
    service.ask("pat", &format!("review show {id}"));
    steward::says(&service, "pat", &id, "separate");
    service.ask("pat", "explain one/L other/L");
    service.ask("one", "status get P");
    service.ask("one", "status list");
    service.ask(OPERATOR, "admin memberships --out links.csv");
    let of_pat: BTreeSet<String> = entries(&service, "--name pat").into_iter().collect();
    for action in ["tasks_shown", "decided", "explained"] {
        assert!(of_pat.contains(&format!("steward pat {action}")), "{of_pat:?}");
    }
    let of_one = entries(&service, "--role agency --name one");
    assert_eq!(
        of_one,
        ["submission_accepted", "statuses_told", "statuses_listed"]
            .map(|it| format!("agency one {it}"))
    );
    let by_operator = entries(&service, "--role operator");
    for action in ["agency_added", "memberships_exported", "audit_read"] {
        let told = format!("operator operator-1 {action}");
        assert!(by_operator.contains(&told), "{by_operator:?}");
    }
    // By record, by action and by day.
    assert!(entries(&service, "--record one/P").contains(&"steward pat decided".to_owned()));
    assert!(!entries(&service, "--record one/T").contains(&"steward pat decided".to_owned()));
    assert_eq!(entries(&service, "--action decided").len(), 1);
    assert_eq!(entries(&service, "--until 2026-09-29").len(), 0);
    service.waymark(OPERATOR, "audit list --action nonsense").is_refused(65, "REQUEST_INVALID");
    service.waymark(OPERATOR, "audit show 100000").is_refused(65, "AUDIT_ENTRY_UNKNOWN");
    for nobody in ["one", "pat"] {
        service.waymark(nobody, "audit list").is_refused(77, "NOT_PERMITTED");
        service.waymark(nobody, "admin verify").is_refused(77, "NOT_PERMITTED");
    }
}

#[test]
fn an_entry_is_shown_with_its_records_and_digests() {
    let service = started();
    service.ask("college", "status get S1 --pathway HC-1");
    let rows = service.ask(OPERATOR, "audit list --action statuses_told").rows("entries");
    let number = &rows[0]["entry"];
    let shown = service.ask(OPERATOR, &format!("audit show {number}"));
    assert_eq!(shown.row("entries")["detail"]["labels"][0], "HC-1: participant");
    assert_eq!(shown.row("records")["record"], "college/S1");
    assert_eq!(shown.row("digests")["digest"].as_str().unwrap().len(), 64);
}

#[test]
fn who_was_told_what_of_a_record_is_listed_with_what_others_were_told_that_rests_on_it() {
    let service = started();
    assert_eq!(disclosures(&service, "college/S1"), []);
    service.ask("college", "status get S1");
    service.ask("college", "status changes --all");
    service.ask("workforce", "status list");
    service.ask("workforce", "status export --out all.csv --cursor-out cursor");
    let told = disclosures(&service, "college/S1");
    let how: Vec<(&str, &str, &str)> =
        told.iter().map(|(to, how, of, _)| (to.as_str(), how.as_str(), of.as_str())).collect();
    assert_eq!(
        how,
        [
            ("agency college", "statuses_told", "college/S1"),
            ("agency college", "changes_told", "college/S1"),
            ("agency workforce", "statuses_listed", "workforce/W1"),
            ("agency workforce", "statuses_exported", "workforce/W1"),
        ]
    );
    assert!(told.iter().all(|it| it.3[0] == "HC-1: participant"), "{told:?}");
    service.waymark(OPERATOR, "audit disclosures college/S9").is_refused(65, "RECORD_UNKNOWN");
}

#[test]
fn what_rests_on_no_event_of_an_agency_discloses_nothing_of_its_records() {
    let service = Service::start("fixed_date = \"2026-03-01\"");
    for (agency, id) in [("college", "S1"), ("workforce", "W1")] {
        service.add_agency(agency);
        service.write(&format!("{agency}.csv"), format!("{HEADER}{id},{ANA}"));
        service.accepts(agency, &format!("{agency}.csv"), "");
    }
    service.write("events.csv", SERVICES);
    service.waymark("workforce", "events submit events.csv --agency workforce").exits(0);
    service.settle();
    service.ask("workforce", "status get W1");
    assert_eq!(disclosures(&service, "college/S1"), []);
    assert_eq!(disclosures(&service, "workforce/W1").len(), 1);
}

#[test]
fn the_export_of_the_log_is_whole_and_its_digest_is_the_one_that_is_proven() {
    let service = started();
    let proof = holds(&service);
    let proven = proof.rows("checked");
    let proven =
        |what: &str| proven.iter().find(|row| row["what"] == what).unwrap()["value"].clone();
    let export = service.ask(OPERATOR, "audit export --out log.ndjson").row("export");
    let log = service.read("log.ndjson");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(export["entries"], lines.len());
    for (place, line) in lines.iter().enumerate() {
        assert_eq!(line["number"], place + 1);
    }
    let at_proof = proven("entries of the audit log").as_u64().unwrap() as usize;
    assert_eq!(lines[at_proof - 1]["digest"], proven("digest of the last one"));
    assert_eq!(lines.last().unwrap()["digest"], export["digest"]);
    for secret in ["Kowalczyk", "219456714", "1984-07-23"] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[test]
fn what_is_changed_behind_the_services_back_is_found() {
    let mut service = started();
    holds(&service);
    service.stop();
    let path = service.path("data/waymark.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // Who sent a submission: a name of the same length, so that the file stays sound.
    let entry = b"agencycollegesubmission_accepted";
    let found = bytes.windows(entry.len()).position(|it| it == entry).unwrap();
    bytes[found + 6..found + 13].copy_from_slice(b"collage");
    std::fs::write(&path, bytes).unwrap();
    service.launch();
    let run = service.waymark(OPERATOR, "admin verify --format json");
    run.exits(1).tells(&["findings", "restore a backup"]);
    let findings = run.column("findings", "finding");
    assert!(findings.iter().any(|it| it.contains("was changed")), "{findings:?}");
}

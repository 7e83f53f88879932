//! A leave is confirmed by what the sources declare, and held back while one of them is overdue.

use std::fs;

use support::{OPERATOR, Service};

use crate::made_up::{HEADER, REGISTRY};

const SOURCES: &str = "\
[[source]]
agency = \"college\"
calendar = { period = \"census\", grace_days = 14 }
";

const STUDENT: &str = "S1,Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n";

/// X05: a fall and a spring, and no return. The deadline is the census of 2024-09-03.
const EVENTS: &str = "\
local_id,event_id,kind,course,term,start,end
S1,E1,enrollment,NUR101,F23,2023-08-21,2023-12-15
S1,E2,enrollment,NUR102,S24,2024-01-16,2024-05-10
";

const LATE: &str = "\
local_id,event_id,kind,course,term,start,end
S1,E3,enrollment,NUR102,F24,2024-08-19,2024-12-13
";

fn on(day: &str) -> String {
    format!(
        "fixed_date = \"{day}\"\n[linkage]\nsources = \"sources.toml\"\n\
         [pathways]\nregistry = \"pathways\""
    )
}

/// A service that has the student's events, on a day.
fn with_student(day: &str) -> Service {
    let mut service = Service::prepare(&on("2024-05-31"));
    fs::create_dir(service.path("pathways")).unwrap();
    service.write("pathways/registry.toml", REGISTRY);
    service.write("sources.toml", SOURCES);
    service.launch();
    for agency in ["college", "workforce"] {
        service.add_agency(agency);
    }
    service.write("college.csv", format!("{HEADER}{STUDENT}"));
    service.write("events.csv", EVENTS);
    service.accepts("college", "college.csv", "--events events.csv");
    service.settle();
    move_to(&mut service, day);
    service
}

fn move_to(service: &mut Service, day: &str) {
    service.stop();
    service.launch_with(&on(day));
}

/// Where the student stands, and why.
#[track_caller]
fn stands(service: &Service, options: &str) -> (String, String) {
    let run = service.ask("college", &format!("status get S1 --pathway HC-1 {options}"));
    let reasons = run.rows("reasons");
    let reasons: Vec<_> = reasons.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    (run.row("statuses")["engagement"].as_str().unwrap().to_owned(), reasons.join("\n"))
}

#[track_caller]
fn declare(service: &Service, day: &str) -> (u64, u64) {
    let run = service.ask("college", &format!("statements complete-through {day}"));
    service.settle();
    let receipt = run.row("receipts");
    (receipt["accepted"].as_u64().unwrap(), receipt["unchanged"].as_u64().unwrap())
}

/// The labels of the pathway in the college's feed.
fn feed(service: &Service) -> Vec<String> {
    let rows = service.ask("college", "status changes --all").rows("changes");
    let of_pathway = rows.into_iter().filter(|row| row["pathway"] == "HC-1");
    of_pathway.map(|row| row["to"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn x20_late_data_undo_a_confirmed_leave_from_the_day_they_are_known() {
    let mut service = with_student("2024-09-10");
    let (engagement, reasons) = stands(&service, "");
    assert_eq!(engagement, "left");
    assert!(reasons.contains("not every source has reported"), "{reasons}");
    assert_eq!(declare(&service, "2024-09-05"), (1, 0));
    let (engagement, reasons) = stands(&service, "");
    assert_eq!(engagement, "left");
    assert!(!reasons.contains("not every source has reported"), "{reasons}");

    move_to(&mut service, "2024-10-15");
    assert_eq!(stands(&service, "").0, "left");
    move_to(&mut service, "2024-11-20");
    service.write("late.csv", LATE);
    service.waymark("college", "events submit late.csv --agency college").exits(0);
    service.settle();
    move_to(&mut service, "2024-11-21");
    let as_of = "--as-of 2024-10-15";
    assert_eq!(stands(&service, &format!("{as_of} --known-at 2024-10-15")).0, "left");
    assert_eq!(stands(&service, &format!("{as_of} --known-at 2024-11-21")).0, "active");
}

#[test]
fn x20b_an_overdue_source_holds_a_leave_back_until_it_declares() {
    let mut service = with_student("2024-10-15");
    let (engagement, reasons) = stands(&service, "--as-of 2024-10-15 --known-at 2024-10-15");
    assert_eq!(engagement, "in_gap");
    assert!(reasons.contains("not confirmed while data is overdue from college"), "{reasons}");
    let source = service.ask(OPERATOR, "admin info").row("sources");
    assert_eq!(source["agency"], "college");
    assert_eq!((&source["due_through"], &source["overdue"]), (&"2024-09-03".into(), &"yes".into()));
    assert_eq!(source["complete_through"], serde_json::Value::Null);

    // What another agency declares, or a day before the deadline, is not what is waited for.
    service.waymark("workforce", "statements complete-through 2024-10-14").exits(0);
    assert_eq!(declare(&service, "2024-09-02"), (1, 0));
    assert_eq!(stands(&service, "").0, "in_gap");

    assert_eq!(declare(&service, "2024-09-03"), (1, 0));
    assert_eq!(stands(&service, "").0, "left");
    assert_eq!(feed(&service).last().unwrap(), "leaver");
    let sources = service.ask(OPERATOR, "admin info").rows("sources");
    assert_eq!(sources[0]["overdue"], "no");

    // The same again changes nothing; what was declared survives a crash.
    let (facts, n_changes) = (service.info("last fact"), feed(&service).len());
    assert_eq!(declare(&service, "2024-09-03"), (0, 1));
    service.kill();
    service.launch();
    assert_eq!(service.info("last fact"), facts);
    assert_eq!((stands(&service, "").0.as_str(), feed(&service).len()), ("left", n_changes));
    let found = service.ask(OPERATOR, "admin reconcile").row("compared");
    assert_eq!(found["differences"], 0);
}

#[test]
fn a_declaration_is_taken_back_by_an_earlier_day_and_a_confirmed_leave_stands() {
    let mut service = with_student("2024-09-10");
    assert_eq!(declare(&service, "2024-09-02"), (1, 0));
    assert_eq!(declare(&service, "2024-09-05"), (1, 0));
    let confirmed = stands(&service, "");
    assert!(!confirmed.1.contains("not every source has reported"), "{}", confirmed.1);
    // Also a day that was stated before: it is not what was stated last.
    let run = service.waymark("college", "statements complete-through 2024-09-02 --format json");
    run.exits(0).tells(&["taken back: data complete through 2024-09-05"]);
    assert_eq!(run.row("receipts")["accepted"], 1);
    service.settle();
    let source = service.ask(OPERATOR, "admin info").row("sources");
    assert_eq!(source["complete_through"], "2024-09-02");
    move_to(&mut service, "2024-10-15");
    assert_eq!(stands(&service, ""), confirmed);
    let found = service.ask(OPERATOR, "admin reconcile").row("compared");
    assert_eq!(found["differences"], 0);

    // What comes now, with the deadline of 2024-09-03, is not confirmed by what no longer stands.
    service.write("late.csv", LATE.replace("F24,2024-08-19,2024-12-13", ",2024-05-11,2024-06-05"));
    service.waymark("college", "events submit late.csv --agency college").exits(0);
    service.settle();
    let (engagement, reasons) = stands(&service, "");
    assert_eq!(engagement, "in_gap");
    assert!(reasons.contains("not confirmed while data is overdue from college"), "{reasons}");
}

#[test]
fn statements_of_a_file_are_taken_row_by_row_and_listed() {
    let service = with_student("2024-10-15");
    service.write(
        "said.csv",
        "\
kind,start,quarter,final,employer,naics,successor_of
complete_through,2024-09-30,,,,,
complete_through,2024-10-16,,,,,
wages_loaded,,2024Q2,yes,,,
employer,,2024Q2,,E2,622110,E1
employer,,2024Q2,,E3,62x,
hearsay,,,,,,
",
    );
    let submit = "statements submit said.csv --agency college";
    let run = service.waymark("college", &format!("{submit} --format json"));
    run.exits(1).tells(&[
        "said.csv, line 6: naics does not fit: give 2 to 6 digits (STATEMENT_INVALID)",
        "said.csv, line 7: kind does not fit: give one of complete_through, wages_loaded",
        "said.csv, line 3: the row was rejected by the service (malformed at \
         statement.complete_through.day): give a day that is not to come",
        "said.rejected.csv",
    ]);
    let receipt = run.row("receipts");
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&3.into(), &3.into()));
    let again = service.waymark("college", &format!("{submit} --format json"));
    assert_eq!(again.row("receipts")["unchanged"], 3);

    let listed = service.ask("college", "statements list").rows("statements");
    let kinds: Vec<_> = listed.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["employer", "wages_loaded", "complete_through"]);
    assert_eq!((&listed[0]["successor_of"], &listed[0]["naics"]), (&"E1".into(), &"622110".into()));
    assert_eq!((&listed[1]["quarter"], &listed[1]["final"]), (&"2024Q2".into(), &"yes".into()));
    assert_eq!(listed[2]["received_on"], "2024-10-15");
    assert_eq!(service.ask("workforce", "statements list").rows("statements").len(), 0);

    service.waymark("workforce", submit).is_refused(77, "AGENCY_MISMATCH");
    service
        .waymark("college", "statements complete-through 2024-10-16")
        .is_refused(65, "ROW_REJECTED")
        .tells(&["give a day that is not to come"]);
}

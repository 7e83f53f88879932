//! What an agency withdraws is erased: from every file, from what is served, and from history.

use serde_json::Value;
use support::{OPERATOR, Service};

use crate::{made_up::HEADER, steward};

const ANA: &str = "Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402\n";
const LUIS: &str = "Luis,Okonkwo,1991-02-09,534-21-8890,M,77 Harbor Rd,Tacoma,98404\n";
const STUDIES: &str = "\
local_id,event_id,kind,code,course,term,start,end,name
STUDENT-1,ENROLLED-1,enrollment,,NUR101,2026SP,2026-01-12,2026-05-08,
STUDENT-1,AWARDED-1,credential,CNA,,,2026-02-20,,license
STUDENT-2,ENROLLED-2,enrollment,,NUR101,2026SP,2026-01-12,2026-05-08,
";
const SERVICES: &str = "\
local_id,event_id,kind,code,program,start,end
W1,E1,service,HC-TRAINING,adult,2026-02-02,2026-02-20
";

/// Ana at the college and at the workforce board, Luis at the college, by the first of March.
fn started() -> Service {
    let service = Service::start("fixed_date = \"2026-03-01\"");
    let college = format!("STUDENT-1,{ANA}STUDENT-2,{LUIS}");
    for (agency, rows, events) in
        [("college", college, STUDIES), ("workforce", format!("W1,{ANA}"), SERVICES)]
    {
        service.add_agency(agency);
        service.write(&format!("{agency}.csv"), format!("{HEADER}{rows}"));
        service.write(&format!("{agency}.events.csv"), events);
        let events = format!("--events {agency}.events.csv");
        service.accepts(agency, &format!("{agency}.csv"), &events);
    }
    service.settle();
    service
}

#[track_caller]
fn holds(service: &Service) {
    let proof = service.ask(OPERATOR, "admin verify");
    assert_eq!(proof.rows("findings").len(), 0, "{}", proof.out);
}

fn label(service: &Service, agency: &str, question: &str) -> Value {
    let rows = service.ask(agency, question).rows("statuses");
    rows.first().map_or(Value::Null, |row| row["label"].clone())
}

/// Whether the workforce board is told that somebody completed.
fn completes(service: &Service, question: &str) -> bool {
    label(service, "workforce", question).to_string().contains("completer")
}

#[test]
fn a_withdrawn_record_is_gone_from_the_files_at_once_and_from_what_is_served() {
    let mut service = started();
    assert!(service.has_stored(b"STUDENT-1") && service.has_stored(b"ENROLLED-1"));
    assert!(completes(&service, "status get W1 --pathway HC-1"));
    let done = service.ask("college", "withdraw STUDENT-1 --reason consent-revoked");
    let done = done.row("withdrawals");
    assert_eq!((&done["records"], &done["events"]), (&1.into(), &2.into()));
    for erased in ["STUDENT-1", "ENROLLED-1", "AWARDED-1"] {
        assert!(!service.has_stored(erased.as_bytes()), "{erased} is still in a file");
    }
    assert!(service.has_stored(b"STUDENT-2"), "others' stay");
    let partition = service.partition();
    assert_eq!(partition.iter().flatten().count(), 2);
    assert!(!completes(&service, "status get W1 --pathway HC-1"), "the award was the college's");
    holds(&service);
    service.stop();
    service.launch();
    assert_eq!(service.partition(), partition);
    holds(&service);
    let log = service.ask(OPERATOR, "audit list --action records_erased").row("entries");
    assert_eq!(log["detail"]["reason"], "consent-revoked");
    let shown = service.ask(OPERATOR, &format!("audit show {}", log["entry"]));
    assert_eq!(shown.row("records")["record"], "(erased)");
    let by_name = service.ask(OPERATOR, "audit list --record college/STUDENT-1");
    assert_eq!(by_name.rows("entries").len(), 1, "who knows the name finds what was done");
}

#[test]
fn questions_about_the_past_answer_that_it_was_withdrawn() {
    let mut service = started();
    service.stop();
    service.launch_with("fixed_date = \"2026-03-10\"");
    let past = "status get W1 --pathway HC-1 --as-of 2026-03-01 --known-at 2026-03-01";
    assert!(completes(&service, past));
    service.ask("college", "withdraw STUDENT-1 --reason consent-revoked");
    service.waymark("workforce", past).is_refused(65, "DATA_WITHDRAWN");
    service.waymark("college", "status get STUDENT-1").is_refused(65, "DATA_WITHDRAWN");
    service.waymark("college", "status get NOBODY").is_refused(65, "RECORD_UNKNOWN");
    let many = service.waymark("college", "status get STUDENT-1 STUDENT-2 NOBODY");
    many.exits(1).tells(&["STUDENT-1 is withdrawn", "NOBODY was never submitted"]);
    // Luis was never together with her.
    let luis = "status get STUDENT-2 --pathway HC-1 --as-of 2026-03-01 --known-at 2026-03-01";
    assert_eq!(label(&service, "college", luis), "participant");
    assert!(!completes(&service, "status get W1 --pathway HC-1"));
}

#[test]
fn the_feed_goes_on_from_a_cursor_of_before() {
    let service = started();
    let before = service.ask("college", "status changes --all");
    let cursor = steward::cell(&before.row("next"), "cursor");
    service.ask("college", "withdraw STUDENT-1 --reason consent-revoked");
    service.settle();
    let told = service.ask("college", &format!("status changes --cursor {cursor}"));
    assert!(!told.out.contains("STUDENT-1"), "{}", told.out);
    let again = service.ask("college", "status changes --all");
    assert_eq!(again.column("changes", "local_id").into_iter().collect::<Vec<_>>(), ["STUDENT-2"]);
}

#[test]
fn all_that_an_agency_sent_goes_when_it_leaves_and_it_may_come_back() {
    let service = started();
    service
        .waymark("college", "withdraw --all workforce --reason left")
        .is_refused(77, "AGENCY_MISMATCH");
    let done = service.ask("college", "withdraw --all college --reason agreement-ended");
    let done = done.row("withdrawals");
    assert_eq!((&done["records"], &done["events"]), (&2.into(), &3.into()));
    for erased in ["STUDENT-1", "STUDENT-2", "ENROLLED-1", "ENROLLED-2"] {
        assert!(!service.has_stored(erased.as_bytes()), "{erased} is still in a file");
    }
    assert_eq!(service.info("records"), 1);
    holds(&service);
    let back = service.accepts("college", "college.csv", "--events college.events.csv");
    assert_eq!(back[0]["accepted"], 2, "{back:?}");
    service.settle();
    assert_eq!(service.info("records"), 3);
    assert!(completes(&service, "status get W1 --pathway HC-1"));
    holds(&service);
}

#[test]
fn what_a_decision_bound_is_a_tombstone_and_does_not_bind_who_comes_back() {
    let mut service = steward::with_tasks("fixed_date = \"2026-09-30\"");
    steward::decide(&service, "one/P", "other/P", "link");
    service.ask("one", "withdraw P --reason left");
    holds(&service);
    let decisions = service.ask("pat", "review decisions").rows("decisions");
    assert!(!decisions[0].to_string().contains("one/P"), "{}", decisions[0]);
    service.stop();
    service.launch();
    holds(&service);
    let mut rows: Vec<&str> = steward::ONE.lines().collect();
    rows[1] = "P,Priya,Ramanathan,1979-11-30,617-55-2043,9 Juniper Court,98501,,";
    steward::resubmit(&service, "one", &(rows.join("\n") + "\n"), "--as-of 2026-09-30");
    let partition = service.partition();
    assert!(!steward::are_together(&partition, "one/P", "other/P"), "{partition:?}");
    assert!(steward::tasks(&service).iter().any(|(_, l, r)| l == "one/P" && r == "other/P"));
    holds(&service);
}

#[test]
fn wrong_withdrawals_are_refused_and_change_nothing() {
    let service = started();
    let fact = service.info("last fact");
    service.waymark("college", "withdraw --reason x").exits(2);
    service.waymark("college", "withdraw STUDENT-1 --all college --reason x").exits(2);
    service.waymark("college", "withdraw STUDENT-1").exits(2);
    service.waymark("pat", "withdraw STUDENT-1 --reason x").is_refused(77, "TOKEN_FILE_MISSING");
    assert_eq!(service.info("last fact"), fact);
    let nobody = service.waymark("college", "withdraw W1 --reason x --format json");
    nobody.exits(0).tells(&["1 of the local ids: nothing of them was there to erase"]);
    assert_eq!(nobody.row("withdrawals")["records"], 0);
    assert_eq!(service.info("records"), 3, "another agency's record stays");
}

#[test]
fn what_a_snapshot_left_out_is_purged_after_a_dry_run() {
    let mut service = started();
    service.stop();
    service.launch_with("fixed_date = \"2026-03-05\"\n[limits]\nsnapshot_withdrawal_share = 1.0");
    service.write("all.csv", format!("{HEADER}STUDENT-2,{LUIS}"));
    service.accepts("college", "all.csv", "--mode snapshot --as-of 2026-03-05");
    service.settle();
    assert!(service.has_stored(b"STUDENT-1"));
    let purge =
        |options: &str| service.ask(OPERATOR, &format!("admin purge {options}")).rows("purged");
    assert_eq!(purge("--withdrawn-before 2026-03-05"), [] as [Value; 0]);
    service
        .waymark(OPERATOR, "admin purge --withdrawn-before 2026-03-06")
        .is_refused(65, "REQUEST_INVALID");
    service.stop();
    service.launch_with("fixed_date = \"2026-04-05\"");
    let purge =
        |options: &str| service.ask(OPERATOR, &format!("admin purge {options}")).rows("purged");
    let would = purge("--withdrawn-before 2026-04-01 --dry-run");
    assert_eq!((&would[0]["records"], &would[0]["events"]), (&1.into(), &2.into()));
    assert!(service.has_stored(b"STUDENT-1"), "a dry run erases nothing");
    assert_eq!(purge("--withdrawn-before 2026-04-01 --agency workforce"), [] as [Value; 0]);
    assert_eq!(purge("--withdrawn-before 2026-04-01"), would);
    assert!(!service.has_stored(b"STUDENT-1") && !service.has_stored(b"ENROLLED-1"));
    assert_eq!(purge("--withdrawn-before 2026-04-01"), [] as [Value; 0]);
    holds(&service);
}

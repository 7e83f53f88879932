//! Who may not, and what does not belong here, is refused at once, and nothing is half-applied.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use support::{FREE_PORT, OPERATOR, Service};

use crate::made_up::HEADER;

const PEOPLE: &str = "\
S1,Ana,Kowalczyk,1984-07-23,219-45-6714,F,418 Larkspur Ave,Tacoma,98402
S2,Luis,Okonkwo,1991-02-09,534-21-8890,M,77 Harbor Rd,Tacoma,98404
";

const OTHER_SCHEMA: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../config/examples/febrl.linkage.toml");

/// Two agencies and a steward; nothing was submitted yet.
fn started() -> Service {
    let service = Service::start("fixed_date = \"2026-03-01\"");
    service.add_agency("college");
    service.add_agency("workforce");
    service.add_steward("pat");
    service.write("people.csv", format!("{HEADER}{PEOPLE}"));
    service
}

/// How far the log of facts has come, and what is known.
fn facts(service: &Service) -> [Value; 4] {
    service.settle();
    ["last fact", "records", "events", "participants"].map(|what| service.info(what))
}

fn n_batches(service: &Service, agency: &str) -> usize {
    service.ask(agency, "batch list").rows("submissions").len()
}

#[test]
fn another_key_and_another_schema_are_refused_at_the_first_message() {
    let service = started();
    let before = facts(&service);
    // Another schema is refused even before anybody has sent anything.
    let schema = format!("--schema {OTHER_SCHEMA}");
    service.write("names.csv", "local_id,first_name,last_name\nS1,Ana,Kowalczyk\n");
    service.submit("college", "names.csv", &schema).is_refused(78, "SCHEMA_UNKNOWN");
    assert_eq!((facts(&service), n_batches(&service, "college")), (before, 0));

    service.accepts("college", "people.csv", "");
    let before = facts(&service);
    service.waymark("nobody", "keygen --out other.key").exits(0);
    let submit = "submit people.csv --agency workforce --key other.key";
    for options in ["", "--dry-run", "--unary"] {
        service.waymark("workforce", &format!("{submit} {options}")).is_refused(78, "KEY_MISMATCH");
    }
    service.submit("workforce", "names.csv", &schema).is_refused(78, "SCHEMA_UNKNOWN");
    assert_eq!((facts(&service), n_batches(&service, "workforce")), (before, 0));
    // The right key is still welcome.
    service.accepts("workforce", "people.csv", "");
}

#[test]
fn a_dry_run_sends_nothing_and_binds_nothing() {
    let service = started();
    let before = facts(&service);
    service.waymark("nobody", "keygen --out other.key").exits(0);
    let dry = "submit people.csv --agency college --key other.key --dry-run";
    service.waymark("college", dry).exits(0).tells(&["nothing was sent"]);
    assert_eq!((facts(&service), n_batches(&service, "college")), (before, 0));
    service.accepts("college", "people.csv", "");
}

#[test]
fn nobody_does_anything_without_a_valid_token() {
    let service = started();
    let before = facts(&service);
    service.submit("nobody", "people.csv", "").is_refused(77, "TOKEN_FILE_MISSING");
    // A token of the right form that nobody issued.
    service.write("stranger.token", "A".repeat(43));
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(service.path("stranger.token"), private).unwrap();
    for command in ["status list", "batch list", "review list", "admin info"] {
        service.waymark("stranger", command).is_refused(77, "TOKEN_INVALID");
    }
    service
        .waymark("college", "submit people.csv --agency college --key linkage.key --dry-run")
        .exits(0);
    service.ask(OPERATOR, "admin token revoke college");
    service.submit("college", "people.csv", "").is_refused(77, "TOKEN_INVALID");
    assert_eq!(facts(&service)[1..], before[1..]);
    // Secrets do not stand in the database.
    let secret = service.read("workforce.token");
    assert!(!service.has_stored(secret.trim().as_bytes()));
    assert!(!service.log().contains(secret.trim()));
}

#[test]
fn a_token_file_that_others_can_read_is_not_used() {
    let service = started();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(service.path("college.token"), open).unwrap();
    service.submit("college", "people.csv", "").is_refused(78, "SECRET_FILE_OPEN");
}

#[test]
fn an_agency_submits_only_its_own_data() {
    let service = started();
    let before = facts(&service);
    let submit = "submit people.csv --agency workforce --key linkage.key";
    service.waymark("college", submit).is_refused(77, "AGENCY_MISMATCH");
    let encode = "encode people.csv --agency workforce --key linkage.key --out people.wmk";
    service.waymark("college", encode).exits(0);
    let submit = "submit people.wmk --agency workforce";
    service.waymark("college", submit).is_refused(77, "AGENCY_MISMATCH");
    let submit = "submit people.wmk --agency college";
    service.waymark("college", submit).is_refused(65, "AGENCY_MISMATCH");
    assert_eq!((facts(&service), n_batches(&service, "college")), (before, 0));
    assert_eq!(n_batches(&service, "workforce"), 0);
    service
        .waymark(OPERATOR, "admin token issue x --role agency --subject museum --out x.token")
        .is_refused(65, "AGENCY_UNKNOWN");
    assert!(!service.path("x.token").exists());
}

#[test]
fn an_agency_sees_nothing_of_another() {
    let service = started();
    service.write(
        "events.csv",
        "local_id,event_id,kind,course,term,start,end\n\
         S1,E1,enrollment,NUR101,2026SP,2026-01-12,2026-05-08\n",
    );
    let receipts = service.accepts("college", "people.csv", "--events events.csv");
    service.settle();
    let batch = receipts[0]["submission"].as_str().unwrap();
    service
        .waymark("workforce", &format!("batch show {batch}"))
        .is_refused(65, "SUBMISSION_UNKNOWN");
    assert_eq!(n_batches(&service, "workforce"), 0);
    service.waymark("workforce", "status get S1").is_refused(65, "RECORD_UNKNOWN");
    assert_eq!(service.ask("workforce", "status list").rows("statuses").len(), 0);
    assert_eq!(service.ask("workforce", "status changes --all").rows("changes").len(), 0);
    let cursor = service.ask("college", "status changes --all").row("next");
    let cursor = cursor["cursor"].as_str().unwrap();
    service
        .waymark("workforce", &format!("status changes --cursor {cursor}"))
        .is_refused(65, "CURSOR_INVALID");
}

#[test]
fn every_role_does_its_own_work_only() {
    let service = started();
    let before = facts(&service);
    for (who, commands) in [
        (
            "college",
            &[
                "review list",
                "review show T-1",
                "explain college/S1",
                "train --activate",
                "admin info",
                "admin agency add museum --title Museum",
                "admin memberships --out links.csv",
                "admin reconcile",
                "admin token list",
            ][..],
        ),
        (
            "pat",
            &[
                "submit people.csv --agency college --key linkage.key",
                "status list",
                "batch list",
                "train",
                "admin info",
            ],
        ),
        (
            OPERATOR,
            &[
                "submit people.csv --agency college --key linkage.key",
                "status get S1",
                "status changes --all",
                "review list",
                "explain college/S1",
            ],
        ),
    ] {
        for command in commands {
            service.waymark(who, command).is_refused(77, "NOT_PERMITTED");
        }
    }
    assert_eq!(facts(&service), before);
    assert!(!service.path("links.csv").exists());
}

#[test]
fn what_does_not_exist_is_named_by_its_page() {
    let service = started();
    for (who, command, code, page) in [
        ("college", "status get S1", 65, "RECORD_UNKNOWN"),
        ("college", "status list --pathway XX-9", 65, "PATHWAY_UNKNOWN"),
        ("college", "status changes --cursor nonsense", 65, "CURSOR_INVALID"),
        ("college", "batch show S-1", 65, "SUBMISSION_UNKNOWN"),
        ("pat", "review show T-1", 65, "TASK_UNKNOWN"),
        ("pat", "review decide T-1 link --reason none", 65, "TASK_UNKNOWN"),
        ("pat", "review undo D-1 --reason none", 65, "DECISION_UNKNOWN"),
        ("pat", "review sample --pairs 1", 65, "TRAINING_FAILED"),
        ("college", "questions answer Q-1 confirmed", 65, "QUESTION_UNKNOWN"),
        (OPERATOR, "admin token revoke nobody", 65, "CREDENTIAL_UNKNOWN"),
        (OPERATOR, "admin agency add college --title Another", 65, "AGENCY_EXISTS"),
        (OPERATOR, "train", 65, "TRAINING_FAILED"),
        ("college", "status list --server http://127.0.0.1:9", 69, "SERVER_UNREACHABLE"),
        ("college", "status list --server http://198.51.100.1:7443", 78, "SERVER_ADDRESS_INVALID"),
    ] {
        service.waymark(who, command).is_refused(code, page);
        let printed = service.waymark("nobody", &format!("error {page}"));
        assert!(printed.exits(0).out.starts_with(&format!("# {page}\n")), "{}", printed.out);
    }
    service.waymark("nobody", "error NO_SUCH_PAGE").exits(2);
}

#[test]
fn the_service_refuses_settings_that_it_cannot_serve_by() {
    let mut service = Service::prepare("");
    let calendar = "calendar = { period = \"semester\", grace_days = 14 }";
    service.write("sources.toml", format!("[[source]]\nagency = \"college\"\n{calendar}\n"));
    for (listen, settings, told) in [
        ("0.0.0.0:0", "", "only a loopback address"),
        ("[::]:0", "", "only a loopback address"),
        ("198.51.100.1:7443", "", "only a loopback address"),
        ("nowhere", "", "waymarkd.toml"),
        (FREE_PORT, "fixed_date = \"2026-02-30\"", "fixed_date"),
        (FREE_PORT, "lissten = true", "lissten"),
        (FREE_PORT, "[linkage]\nschema = \"missing.toml\"", "missing.toml"),
        (FREE_PORT, "[linkage]\nsources = \"sources.toml\"", "sources.toml, line 3: "),
        (FREE_PORT, "[limits]\nsnapshot_withdrawal_share = 2.0", "0 to 1 is allowed"),
        (FREE_PORT, "[linkage]\nkey_check_value = \"12\"", "32 hexadecimal digits"),
    ] {
        service.launch_refused(listen, settings).exits(78).tells(&[told]);
        assert!(!service.path("data").exists(), "nothing is made before the settings are in order");
    }
    service.launch();
    service.stop();
    let other = format!("[linkage]\nschema = \"{OTHER_SCHEMA}\"");
    service.launch_refused(FREE_PORT, &other).exits(78).tells(&["another linkage schema"]);
}

#[test]
fn the_configured_key_is_the_only_one() {
    let desk = Service::prepare("");
    let made = desk.ask("nobody", "keygen --out theirs.key").row("key");
    let check_value = made["key_check_value"].as_str().unwrap();
    let settings = format!("[linkage]\nkey_check_value = \"{check_value}\"");
    let service = Service::start(&settings);
    service.add_agency("college");
    service.write("people.csv", format!("{HEADER}{PEOPLE}"));
    service.submit("college", "people.csv", "").is_refused(78, "KEY_MISMATCH");
    service.write("linkage.key", desk.read("theirs.key"));
    service.accepts("college", "people.csv", "");
}

//! What the disk, the files and the clock can do to the service: each ends with a clear error or a
//! clean recovery, and nothing that was acknowledged is lost.

use std::{
    fs::{self, OpenOptions, Permissions},
    os::unix::{
        fs::{FileExt, MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    process::Command,
};

use support::{FREE_PORT, OPERATOR, Service, binary};

use crate::{durability::large_file, made_up};

const SETTINGS: &str = "fixed_date = \"2026-09-30\"";

/// Some agencies' records, all taken in.
fn service(agencies: &[&str]) -> Service {
    let service = Service::start(SETTINGS);
    made_up::write_identities(&service, &made_up::state(150));
    for agency in agencies {
        service.add_agency(agency);
        service.accepts(agency, &format!("{agency}.csv"), "");
    }
    service.settle();
    service
}

#[test]
fn a_full_disk_is_told_and_what_was_acknowledged_is_there_when_there_is_room() {
    let mut service = service(&["college"]);
    let then = service.partition();
    service.write("large.csv", large_file());
    service.stop();
    // No file may grow beyond 4 or 8 MB, as the shell counts: a write fails as on a full disk.
    service.launch_under("ulimit -f 8192; trap '' XFSZ");
    let full = service.submit("college", "large.csv", "");
    full.is_refused(75, "SERVICE_UNAVAILABLE").tells(&["the disk of the database", "then restart"]);
    let rows = || {
        let submissions = service.ask("college", "batch list").rows("submissions");
        submissions.iter().map(|it| it["rows"].as_u64().unwrap()).max().unwrap()
    };
    let acknowledged = rows();
    assert!(acknowledged > 0 && service.partition() == then, "what is there can be read");
    service.kill();
    service.launch();
    let durable = service.ask("college", "batch list").rows("submissions");
    assert!(durable.iter().any(|it| it["rows"].as_u64() >= Some(acknowledged)));
    let resumed = service.submit("college", "large.csv", "--resume");
    assert_eq!(resumed.exits(0).row("receipts")["accepted"], 12_000);
    service.settle();
    assert_eq!(service.ask(OPERATOR, "admin reconcile").row("compared")["differences"], 0);
}

#[test]
fn data_that_cannot_be_written_are_refused_at_the_start() {
    let mut service = Service::start(SETTINGS);
    service.stop();
    // Root may write whatever the permissions say: then it is somebody else who tries.
    let is_root = fs::metadata(service.path("data")).unwrap().uid() == 0;
    let waymarkd = service.path("waymarkd");
    fs::copy(binary("waymarkd"), &waymarkd).unwrap();
    let allow = |name: &str, mode| {
        fs::set_permissions(service.path(name), Permissions::from_mode(mode)).unwrap();
    };
    let start = || {
        let mut command = Command::new(&waymarkd);
        if is_root {
            command.uid(65_534);
        }
        service.runs_in_vain(command.args(["--config", "waymarkd.toml"]))
    };
    allow("", 0o755);
    allow("data/waymark.db", 0o444);
    allow("data", 0o555);
    allow("data/waymark.db.lock", 0o444);
    start().exits(1).tells(&["pepper.key cannot be used", "check the path and its permissions"]);
    allow("data/pepper.key", 0o644);
    start().exits(1).tells(&["check the path and its permissions"]);
    allow("data/waymark.db.lock", 0o666);
    start().exits(1).tells(&["the database cannot be written", "the right to write"]);
    allow("data", 0o755);
    allow("data/waymark.db", 0o600);
    allow("data/pepper.key", 0o600);
    service.launch();
}

#[test]
fn a_damaged_database_ends_the_service_until_a_backup_is_restored() {
    let mut service = service(&["college", "workforce"]);
    let then = service.partition();
    let made = service.ask(OPERATOR, "admin backup").row("backups");
    let backup = format!("--from data/backups/{}", made["name"].as_str().unwrap());
    service.stop();
    let path = service.path("data/waymark.db");
    let sound = fs::read(&path).unwrap();
    let (half, pages) = (sound.len() / 2 / 4096 * 4096, 64 * 4096);
    let overwrite = || {
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&vec![0xA5; pages], half as u64).unwrap();
    };
    let told = ["the database is damaged", "restore a backup"];
    let damages: [(&str, &dyn Fn()); 3] = [
        ("overwritten", &overwrite),
        ("cut short", &|| fs::write(&path, &sound[..half]).unwrap()),
        ("garbage", &|| fs::write(&path, vec![b'x'; 20_000]).unwrap()),
    ];
    for (how, damage) in damages {
        damage();
        let refused = service.launch_refused(FREE_PORT, SETTINGS);
        refused.exits(1).tells(&told);
        assert!(!refused.err.contains("panicked"), "{how}: {}", refused.err);
        let restored = format!("admin restore --config waymarkd.toml {backup}");
        service.waymark("nobody", &restored).exits(0);
        service.launch();
        assert_eq!(service.partition(), then, "{how}");
        service.stop();
    }
    // Nothing is what an empty disk gives.
    for emptied in
        [|path: &_| fs::write(path, "").unwrap(), |path: &_| fs::remove_file(path).unwrap()]
    {
        emptied(&path);
        let refused = service.launch_refused(FREE_PORT, SETTINGS);
        refused.exits(1).tells(&["the database is empty although", "Restore a backup"]);
    }
}

#[test]
fn a_log_that_is_cut_short_leaves_what_was_written_before() {
    for keep in [0.98, 0.9] {
        let mut service = service(&["college"]);
        let last = service.info("last fact").as_u64();
        service.kill();
        let path = service.path("data/waymark.db-wal");
        let log = fs::read(&path).unwrap();
        fs::write(&path, &log[..(log.len() as f64 * keep) as usize]).unwrap();
        service.launch();
        assert!(service.info("last fact").as_u64() <= last);
        service.accepts("college", "college.csv", "");
        service.settle();
        assert_eq!(service.info("last fact").as_u64(), last);
        assert_eq!(service.ask(OPERATOR, "admin reconcile").row("compared")["differences"], 0);
    }
}

#[test]
fn a_service_whose_log_was_removed_says_that_it_lost_its_data() {
    let mut service = Service::start(SETTINGS);
    service.add_agency("college");
    service.kill();
    fs::remove_file(service.path("data/waymark.db-wal")).unwrap();
    let refused = service.launch_refused(FREE_PORT, SETTINGS);
    refused.exits(1).tells(&["the database is empty although", "Restore a backup"]);
}

#[test]
fn a_clock_that_was_set_back_changes_no_order() {
    let mut service = Service::start(SETTINGS);
    service.write("college.csv", include_str!("../../config/examples/college.csv"));
    service.write("events.csv", include_str!("../../config/examples/college.events.csv"));
    service.write("adult-ed.csv", include_str!("../../config/examples/adult-ed.csv"));
    service.add_agency("college");
    service.accepts("college", "college.csv", "--events events.csv");
    service.settle();
    let statuses = |service: &Service| service.ask("college", "status list").rows("statuses");
    let (then, partition) = (statuses(&service), service.partition());
    assert!(!then.is_empty());
    service.stop();
    service.launch_with("fixed_date = \"2026-06-30\"");
    assert_eq!(service.partition(), partition);
    service.add_agency("adult-ed");
    service.accepts("adult-ed", "adult-ed.csv", "");
    let joined = service.partition();
    assert_ne!(joined, partition);
    assert_eq!(service.ask(OPERATOR, "admin reconcile").row("compared")["differences"], 0);
    service.stop();
    service.launch_with(SETTINGS);
    assert_eq!(service.partition(), joined);
    assert_eq!(statuses(&service), then);
    assert_eq!(service.ask(OPERATOR, "admin reconcile").row("compared")["differences"], 0);
    assert!(!service.log().contains("panicked"), "{}", service.log());
}

#[test]
fn whoever_starts_a_service_without_an_operator_is_given_a_token() {
    let mut service = Service::start(SETTINGS);
    service.ask(OPERATOR, "admin token revoke operator-1");
    service.waymark(OPERATOR, "admin info").is_refused(77, "TOKEN_INVALID");
    service.stop();
    service.launch();
    let tokens = service.ask(OPERATOR, "admin token list").column("tokens", "label");
    assert_eq!(tokens, ["operator-1", "operator-2"].map(str::to_owned).into());
}

#[test]
fn a_second_service_on_the_same_data_is_refused() {
    let service = service(&["college"]);
    service.launch_second().exits(1).tells(&["in use by another process: stop that one first"]);
    assert_eq!(
        service.info("records"),
        service.ask("college", "batch list").rows("submissions")[0]["rows"]
    );
}

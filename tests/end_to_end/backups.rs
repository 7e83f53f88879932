//! Backups while the service serves, and what a restore brings back.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use support::{OPERATOR, Run, Service, until};

use crate::made_up;

const SETTINGS: &str = "fixed_date = \"2026-09-30\"";

/// A service with the first two agencies' records of a made-up state.
fn service() -> Service {
    let service = Service::start(SETTINGS);
    for agency in made_up::write_identities(&service, &made_up::state(60)) {
        service.add_agency(agency);
    }
    for agency in ["college", "adult-ed"] {
        service.accepts(agency, &format!("{agency}.csv"), "");
    }
    service.settle();
    service
}

/// Makes a backup; gives its file.
#[track_caller]
fn backup(service: &Service) -> PathBuf {
    let made = service.ask(OPERATOR, "admin backup --label before");
    made.tells(&["pepper.key is not in it"]);
    service.path("data/backups").join(made.row("backups")["name"].as_str().unwrap())
}

fn restore(service: &Service, arguments: &str) -> Run {
    let command = format!("admin restore --config waymarkd.toml --format json {arguments}");
    service.waymark("nobody", &command)
}

fn differences(service: &Service) -> serde_json::Value {
    service.ask(OPERATOR, "admin reconcile").row("compared")["differences"].clone()
}

#[test]
fn a_restored_service_is_the_one_of_the_backup_and_takes_again_what_was_sent_since() {
    let mut service = service();
    let then = service.partition();
    let file = backup(&service);
    let listed = service.ask(OPERATOR, "admin backup list").row("backups");
    assert_eq!(
        (&listed["label"], &listed["last_fact"]),
        (&"before".into(), &service.info("last fact"))
    );
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    service.accepts("workforce", "workforce.csv", "");
    let afterwards = service.partition();
    assert_ne!(afterwards, then);
    let export = "status export --out statuses.csv --cursor-out feed.cursor";
    service.ask("college", export);
    let cursor = service.read("feed.cursor");
    let from = format!("--from {}", file.display());
    restore(&service, &from)
        .is_refused(78, "RESTORE_REFUSED")
        .tells(&["in use by another process"]);
    service.kill();

    let look = restore(&service, &format!("{from} --dry-run"));
    look.exits(0).tells(&["dry run: nothing was changed"]);
    let done = restore(&service, &from);
    done.exits(0).tells(&["start the service"]);
    assert_eq!(done.rows("send_again"), look.rows("send_again"));
    assert_eq!(done.row("send_again")["agency"], "workforce");
    let aside = done.row("restored")["moved_aside_to"].as_str().unwrap().to_owned();
    assert!(service.path(&aside).exists());

    service.launch();
    assert_eq!(service.partition(), then);
    assert_eq!(differences(&service), 0);
    let changes = format!("status changes --cursor {}", cursor.trim());
    service.waymark("college", &changes).is_refused(65, "CURSOR_INVALID");
    service.accepts("workforce", "workforce.csv", "");
    assert_eq!(service.partition(), afterwards);

    // The database that was moved aside is as good as a backup.
    service.stop();
    restore(&service, &format!("--from {aside} --no-manifest")).exits(0);
    service.launch();
    assert_eq!(service.partition(), afterwards);
    assert_eq!(differences(&service), 0);
}

#[test]
fn any_earlier_moment_of_a_database_can_be_had() {
    let mut service = Service::start("");
    for agency in made_up::write_identities(&service, &made_up::state(60)) {
        service.add_agency(agency);
    }
    service.add_steward("pat");
    let mut known = vec![service.partition()];
    let mut moments = vec![now()];
    for agency in ["college", "adult-ed", "workforce"] {
        service.accepts(agency, &format!("{agency}.csv"), "");
        known.push(service.partition());
        moments.push(now());
    }
    service.ask(OPERATOR, "admin token revoke pat");
    // The latest first: an earlier moment of what is left.
    for (n, moment) in moments.iter().enumerate().rev() {
        service.stop();
        let to = format!("--from data/waymark.db --no-manifest --to {moment}");
        let done = restore(&service, &to);
        assert_eq!(done.exits(0).rows("send_again").len(), usize::from(n < 3), "to {n}");
        service.launch();
        assert_eq!(service.partition(), known[n], "after {n} submissions");
        assert_eq!(differences(&service), 0);
        service.waymark("pat", "review list").is_refused(77, "TOKEN_INVALID");
    }
    for agency in ["college", "adult-ed", "workforce"] {
        service.accepts(agency, &format!("{agency}.csv"), "");
    }
    assert_eq!(service.partition(), known[3]);
}

/// The present moment, by the clock that the service has.
fn now() -> String {
    jiff::Timestamp::now().to_string()
}

#[test]
fn what_is_no_sound_backup_is_refused_and_changes_nothing() {
    let mut service = service();
    let file = backup(&service);
    let then = service.partition();
    service.stop();
    let from = format!("--from {}", file.display());
    let bytes = fs::read(&file).unwrap();
    let mut altered = bytes.clone();
    altered[bytes.len() / 2] ^= 1;
    fs::write(&file, altered).unwrap();
    restore(&service, &from)
        .is_refused(65, "BACKUP_INVALID")
        .tells(&["not what its manifest says"]);
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let cut = restore(&service, &format!("{from} --no-manifest"));
    cut.is_refused(65, "BACKUP_INVALID").tells(&["damaged"]);
    fs::write(&file, &bytes).unwrap();
    let manifest = file.with_extension("json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::remove_file(&manifest).unwrap();
    restore(&service, &from).is_refused(65, "BACKUP_INVALID").tells(&["--no-manifest"]);
    fs::write(&manifest, text).unwrap();

    // On a new machine the pepper comes first.
    let pepper = fs::read(service.path("data/pepper.key")).unwrap();
    fs::remove_file(service.path("data/pepper.key")).unwrap();
    restore(&service, &from).is_refused(78, "RESTORE_REFUSED").tells(&["pepper.key is missing"]);
    service
        .launch_refused(support::FREE_PORT, SETTINGS)
        .exits(1)
        .tells(&["pepper.key", "kept apart"]);
    fs::write(service.path("data/pepper.key"), [7; 32]).unwrap();
    service.launch_refused(support::FREE_PORT, SETTINGS).exits(1).tells(&["not the one"]);
    fs::write(service.path("data/pepper.key"), pepper).unwrap();
    service.launch();
    assert_eq!(service.partition(), then);
}

#[test]
fn the_service_makes_backups_by_itself() {
    let service = Service::start("[backup]\nevery_hours = 24\nfolder = \"elsewhere\"");
    let made = until("a backup is made", || {
        let backups = service.ask(OPERATOR, "admin backup list").rows("backups");
        backups.into_iter().next()
    });
    assert_eq!((&made["scheduled"], &made["label"]), (&"yes".into(), &"".into()));
    assert!(service.path("elsewhere").join(made["name"].as_str().unwrap()).exists());
}

#[test]
fn what_was_withdrawn_since_a_backup_is_erased_from_it_when_it_is_restored() {
    let mut service = service();
    let before = service.partition();
    let file = backup(&service);
    let gone = before.iter().flatten().find(|it| it.starts_with("college/")).unwrap().clone();
    let local_id = gone.trim_start_matches("college/");
    service.ask("college", &format!("withdraw {local_id} --reason consent-revoked"));
    service.ask("adult-ed", "withdraw --all adult-ed --reason agreement-ended");
    let after = service.partition();
    assert!(after.iter().flatten().all(|it| *it != gone && !it.starts_with("adult-ed/")));
    // A moment before the erasure cannot be made of what is left of the records.
    let later = service.ask(OPERATOR, "admin backup").row("backups");
    service.stop();
    let later = format!("--from data/backups/{} --to 2026-09-29", later["name"].as_str().unwrap());
    restore(&service, &later).exits(78).tells(&["restore a backup made before the erasure"]);
    let restored = restore(&service, &format!("--from {}", file.display()));
    restored.exits(0).tells(&["are erased from it"]);
    service.launch();
    assert_eq!(service.partition(), after);
    let proof = service.ask(OPERATOR, "admin verify");
    assert_eq!(proof.rows("findings").len(), 0, "{}", proof.out);
    let log = service.ask(OPERATOR, "audit list --action restored");
    assert_eq!(log.rows("entries").len(), 1);
}

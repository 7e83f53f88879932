//! Backups and restores: a copy is the database of one moment, and an earlier moment of it can be had.

use std::{fs, path::Path};

use jiff::Timestamp;
use record::ParticipantId;
use rusqlite::Connection;
use store::{
    ActivationKind, Answer, Assignment, ChangeCause, CredentialHash, CredentialKind, DecisionId,
    DrawnQuestion, Error, FactCounts, Grant, Inspected, MembershipCause, NewChange, NewDecision,
    NewQuestion, NewRow, NewStatement, NewStratum, NewSubmission, Note, NoteKind, OpenTask, Origin,
    Place, Principal, QuestionId, QuestionRound, Redirect, Restoration, Restored, Scope, Seal, Seq,
    Settled, StatementKind, Store, SubmissionKind, TaskReplacement, Verdict, inspect,
};

use crate::{
    fixture::{
        Fixture, agency, at, day, delta, event, handles, key, local_id, operator, record, seal,
        snapshot, taking_back,
    },
    tasks::task,
};

/// What happens one after the other, each a while after the one before: every table of facts gets
/// rows, but that of revoked tokens.
const STEPS: [fn(&Store, Timestamp); 15] = [
    |store, now| send(store, delta("s1", SubmissionKind::Records), &two_records(), now),
    |store, now| {
        let tasks = TaskReplacement { open: vec![question_of_two()], ..Default::default() };
        let members = [("college/A", 1), ("workforce/B", 2), ("college/C", 3)];
        settle(store, Settled { tasks, ..settled(1, &members, now) });
    },
    |store, now| {
        let subject = "2026-08-31".to_owned();
        let kind = StatementKind::CompleteThrough;
        let stated = vec![NewStatement { kind, subject, payload: b"through".to_vec() }];
        store.state(&agency("college"), day("2026-09-01"), stated, now).unwrap();
    },
    |store, now| {
        let rows = [event("A", "E1", "enrolled"), taking_back("A", "E2", "E1")];
        send(store, delta("s2", SubmissionKind::Events), &rows, now);
    },
    |store, now| {
        store.add_note(&deferral(now)).unwrap().unwrap();
        store.ask(&asked(now)).unwrap().unwrap();
    },
    |store, now| store.hold_round(&round(now)).unwrap(),
    |store, now| {
        store.answer(&agency("college"), &id("q1"), Answer::Unknown, now).unwrap();
    },
    |store, now| {
        store.add_decision(&decision(now), &question_of_two().etag).unwrap().unwrap();
    },
    |store, now| {
        let decision = DecisionId("d1".to_owned());
        store.undo_decision(&decision, "grace", "a mistake", now).unwrap().unwrap();
    },
    |store, now| {
        let drawn = vec![(key("college/A"), key("workforce/B"))];
        let (from_millibits, to_millibits, n_pairs) = (None, None, 9);
        let stratum = NewStratum { is_linked: true, from_millibits, to_millibits, n_pairs, drawn };
        store.add_sample(7, &[stratum], "ada", now).unwrap();
    },
    |store, now| {
        store.activate(ActivationKind::Model, "m2", b"model", &operator(), now).unwrap();
    },
    |store, now| {
        let redirects = vec![Redirect { from: ParticipantId(2), to: ParticipantId(1) }];
        let origins = vec![Origin { participant: ParticipantId(4), split_from: ParticipantId(3) }];
        let members = [("workforce/B", 1), ("college/C", 4)];
        settle(store, Settled { redirects, origins, ..settled(7, &members, now) });
    },
    |store, now| {
        store.add_agency(&agency("library"), "A library", [8; 32], &operator(), now).unwrap();
        store.issue_credential(CredentialHash([3; 32]), &grant("kim", now), &operator()).unwrap();
    },
    // The second record is withdrawn, the first is sent unchanged.
    |store, now| send(store, snapshot("s3"), &two_records()[..1], now),
    |store, now| {
        let open = NewSubmission { created_at: now, ..delta("s4", SubmissionKind::Records) };
        store.create_submission(&open).unwrap();
        store.append(&open.id, 0, vec![record("A", 1, "one"), record("Z", 1, "new")]).unwrap();
    },
];

fn two_records() -> [NewRow; 2] {
    [record("A", 1, "one"), record("C", 1, "two")]
}

fn send(store: &Store, new: NewSubmission, rows: &[NewRow], now: Timestamp) {
    let new = NewSubmission { created_at: now, ..new };
    store.create_submission(&new).unwrap();
    store.append(&new.id, 0, rows.to_vec()).unwrap();
    store.finalize(&new.id, &Seal { at: now, ..seal(rows) }).unwrap();
}

fn settled(seq: u64, members: &[(&str, u64)], now: Timestamp) -> Settled {
    let assign = |(record, participant): &(&str, u64)| Assignment {
        record: key(record),
        participant: Some(ParticipantId(*participant)),
        cause: MembershipCause::New,
    };
    let change = |(record, participant): &(&str, u64)| NewChange {
        record: key(record),
        pathway: "nursing".to_owned(),
        cause: ChangeCause::Link,
        payload: participant.to_string().into_bytes(),
    };
    let memberships = members.iter().map(assign).collect();
    let changes = members.iter().map(change).collect();
    Settled { memberships, changes, ..Settled::nothing(Seq(seq), now, "m1") }
}

fn settle(store: &Store, settled: Settled) {
    store.settle(settled).unwrap();
}

fn question_of_two() -> OpenTask {
    task("t1", &["college/A"], &["workforce/B"], 9_000)
}

fn deferral(at: Timestamp) -> Note {
    let task = question_of_two();
    Note {
        task: task.id,
        etag: task.etag,
        kind: NoteKind::Escalate,
        author: "ada".to_owned(),
        reason: "unclear".to_owned(),
        until: None,
        request_id: "n1".to_owned(),
        at,
    }
}

fn id(name: &str) -> QuestionId {
    QuestionId(name.to_owned())
}

fn asked(at: Timestamp) -> NewQuestion {
    let task = question_of_two();
    NewQuestion {
        id: id("q1"),
        task: task.id,
        etag: task.etag,
        record: key("college/A"),
        fields: vec!["ssn".to_owned()],
        author: "ada".to_owned(),
        request_id: "q1".to_owned(),
        waits_until: day("2026-10-07"),
        not_put_since: day("2025-09-01"),
        at,
    }
}

fn round(at: Timestamp) -> QuestionRound {
    let fields = vec!["zip".to_owned()];
    let drawn = DrawnQuestion { id: id("q2"), local_id: local_id("C"), fields };
    QuestionRound {
        agency: agency("college"),
        day: day("2026-09-07"),
        until: day("2026-10-07"),
        asked: vec![id("q1")],
        drawn: vec![drawn],
        at,
    }
}

fn decision(at: Timestamp) -> NewDecision {
    let task = question_of_two();
    NewDecision {
        id: DecisionId("d1".to_owned()),
        verdict: Verdict::Link,
        scope: Scope::Pair,
        pairs: vec![(key("college/A"), key("workforce/B"))],
        left: task.left,
        right: task.right,
        task: task.id,
        task_reason: task.reason,
        weight_millibits: task.weight_millibits,
        probability_ppm: task.probability_ppm,
        author: "ada".to_owned(),
        first_author: None,
        reason: "same person".to_owned(),
        is_blind: false,
        model_version: "m1".to_owned(),
        request_id: "d1".to_owned(),
        at,
    }
}

fn grant(name: &str, issued_at: Timestamp) -> Grant {
    Grant {
        kind: CredentialKind::Token,
        label: name.to_owned(),
        principal: steward(name),
        scopes: [].into(),
        issued_at,
        expires_at: at(100_000),
    }
}

fn steward(name: &str) -> Principal {
    Principal::Steward(name.to_owned())
}

/// When a step happens.
fn moment(step: usize) -> Timestamp {
    at(10 + 10 * step as i64)
}

/// A store after the first steps.
fn after(steps: usize) -> Fixture {
    let fixture = Fixture::new();
    fixture.store.put_setting_once("schema", b"one").unwrap();
    for (step, happens) in STEPS.iter().enumerate().take(steps) {
        happens(&fixture.store, moment(step));
    }
    fixture
}

fn prepare(path: &Path, source: &Path, before: Option<Timestamp>) -> store::Result<Restoration> {
    Place::take(path)?.prepare(source, before)
}

/// Restores the backup over the store of `fixture`, which is closed for that.
fn restore(fixture: Fixture, backup: &Path, before: Option<Timestamp>) -> (Fixture, Restored) {
    let Fixture { store, path, directory } = fixture;
    drop(store);
    let restoration = prepare(&path, backup, before).unwrap();
    let outcome = restoration.outcome().clone();
    restoration.put_in_place(Some(&directory.path().join("aside.db"))).unwrap();
    (Fixture { store: Store::open(&path, &handles()).unwrap(), path, directory }, outcome)
}

fn texts(db: &Connection, query: &str) -> Vec<String> {
    let mut query = db.prepare(query).unwrap();
    let columns = query.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let cells = (0..columns).map(|column| format!("{:?}", row.get_ref(column).unwrap()));
        Ok(cells.collect::<Vec<_>>().join(" | "))
    };
    query.query_map([], row).unwrap().map(|text| text.unwrap()).collect()
}

/// All facts of a closed or open database, but the life of its feeds, and where numbers go on.
fn facts(path: &Path) -> Vec<String> {
    let db = Connection::open(path).unwrap();
    let numbers = "SELECT * FROM sqlite_sequence WHERE seq > 0 AND name <> 'fact_feed_epoch'
                   ORDER BY name";
    let mut all = texts(&db, numbers);
    for name in names(&db).iter().filter(|name| *name != "fact_feed_epoch") {
        let rows = texts(&db, &format!("SELECT * FROM {name}"));
        all.extend(rows.into_iter().map(|row| format!("{name}: {row}")));
    }
    all
}

fn backup(fixture: &Fixture) -> std::path::PathBuf {
    let path = fixture.directory.path().join("backup.db");
    fixture.store.copy_to(&path).unwrap();
    path
}

/// A revocation is kept at whatever moment, and no moment before an erasure can be had of what is left.
const WITHOUT_ROWS: [&str; 2] = ["fact_credential_revocation", "fact_erasure"];

#[test]
fn the_steps_give_every_table_of_facts_rows() {
    let fixture = after(STEPS.len());
    let db = Connection::open(&fixture.path).unwrap();
    for table in names(&db) {
        let rows: u32 =
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert!(rows > 0 || WITHOUT_ROWS.contains(&table.as_str()), "{table} is empty");
    }
}

fn names(db: &Connection) -> Vec<String> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'fact_%'";
    let mut query = db.prepare(tables).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect()
}

#[test]
fn a_database_taken_back_to_a_moment_is_the_one_of_then() {
    let whole = after(STEPS.len());
    let backup = backup(&whole);
    for steps in 0..STEPS.len() {
        let (restored, _) = restore(Fixture::new(), &backup, Some(moment(steps)));
        let then = after(steps);
        assert_eq!(facts(&restored.path), facts(&then.path), "after {steps} steps");
        assert_eq!(restored.store.integrity_check().unwrap(), Vec::<String>::new());
        assert_eq!(restored.store.applied_seq().unwrap(), Seq(0));
    }
}

#[test]
fn a_restored_database_has_the_schema_of_a_fresh_one_and_guards_its_facts() {
    let whole = after(STEPS.len());
    let backup = backup(&whole);
    let (restored, _) = restore(Fixture::new(), &backup, Some(moment(4)));
    let schema = |fixture: &Fixture| {
        let db = Connection::open(&fixture.path).unwrap();
        texts(
            &db,
            "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'
                    ORDER BY type, name",
        )
    };
    assert_eq!(schema(&restored), schema(&Fixture::new()));
    let db = Connection::open(&restored.path).unwrap();
    assert!(db.execute_batch("DELETE FROM fact_log").is_err());
}

#[test]
fn a_backup_is_of_one_moment_although_others_write_meanwhile() {
    let fixture = Fixture::new();
    let store = fixture.store.clone();
    let writing = std::thread::spawn(move || {
        for number in 0..200 {
            let id = format!("s{number}");
            send(&store, delta(&id, SubmissionKind::Records), &[record(&id, 1, "x")], at(number));
        }
    });
    let mut lasts = Vec::new();
    for number in 0..5 {
        let path = fixture.directory.path().join(format!("{number}.db"));
        fixture.store.copy_to(&path).unwrap();
        let Inspected { last_seq, .. } = inspect(&path).unwrap();
        lasts.push(last_seq);
        let (restored, outcome) = restore(Fixture::new(), &path, None);
        assert_eq!(restored.store.integrity_check().unwrap(), Vec::<String>::new());
        assert_eq!(restored.store.last_seq().unwrap(), last_seq);
        assert_eq!(outcome.last.map_or(Seq(0), |(seq, _)| seq), last_seq);
    }
    writing.join().unwrap();
    assert!(lasts.is_sorted());
    let exists = fixture.store.copy_to(&fixture.directory.path().join("0.db"));
    assert!(matches!(exists, Err(Error::Io { .. })), "a backup is never overwritten");
}

#[test]
fn a_restore_says_what_is_to_be_sent_again_and_moves_the_present_database_aside() {
    let fixture = after(4);
    let backup = backup(&fixture);
    let epoch = fixture.store.feed_epoch().unwrap();
    STEPS[7](&fixture.store, moment(7));
    send(&fixture.store, delta("s9", SubmissionKind::Records), &[record("N", 1, "n")], moment(8));
    let present = facts(&fixture.path);
    let (restored, outcome) = restore(fixture, &backup, Some(moment(2)));
    let counts = |kept, dropped| FactCounts { kept, dropped };
    let kinds: Vec<_> = outcome.facts.iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
    assert_eq!(
        kinds,
        [
            ("decision", counts(0, 1)),
            ("events", counts(0, 1)),
            ("records", counts(1, 1)),
            ("statements", counts(0, 1)),
        ]
    );
    let resend: Vec<_> = outcome.resend.iter().map(|it| (it.agency.as_str(), it.rows)).collect();
    assert_eq!(resend, [("college", None), ("college", Some(2)), ("college", Some(1))]);
    assert_eq!((outcome.last, outcome.unread), (Some((Seq(1), moment(0))), None));
    assert_ne!(restored.store.feed_epoch().unwrap(), epoch, "cursors of before are refused");
    assert_eq!(facts(&restored.directory.path().join("aside.db")), present);
    // The same request may be sent again.
    send(
        &restored.store,
        delta("s10", SubmissionKind::Events),
        &[event("A", "E1", "x")],
        moment(9),
    );
}

/// Whether a token is revoked; `None`: there is no such token.
fn state_of(store: &Store, token: &CredentialHash) -> Option<bool> {
    let found = store.find_credential(CredentialKind::Token, token).unwrap();
    found.map(|credential| credential.revoked_at.is_some())
}

#[test]
fn no_restore_lets_a_revoked_token_in_again() {
    let fixture = Fixture::new();
    let tokens = [1, 2, 3].map(|number| CredentialHash([number; 32]));
    for (token, name) in tokens.iter().zip(["ada", "grace"]) {
        fixture.store.issue_credential(*token, &grant(name, at(1)), &operator()).unwrap();
    }
    let backup = backup(&fixture);
    fixture.store.issue_credential(tokens[2], &grant("kim", at(5)), &operator()).unwrap();
    for label in ["ada", "kim"] {
        fixture.store.revoke_credential(CredentialKind::Token, label, &operator(), at(6)).unwrap();
    }
    let (restored, outcome) = restore(fixture, &backup, None);
    let found = tokens.map(|token| state_of(&restored.store, &token));
    assert_eq!(found, [Some(true), Some(false), None]);
    assert_eq!(outcome.revoked, 1);
    // What is known in the backup itself holds at any moment of it.
    let path = restored.path.clone();
    let (restored, _) = restore(restored, &path, Some(at(2)));
    assert_eq!(state_of(&restored.store, &tokens[0]), Some(true));
    assert_eq!(state_of(&restored.store, &tokens[1]), Some(false));
}

#[test]
fn a_damaged_present_database_is_moved_aside_and_told() {
    let fixture = after(3);
    let backup = backup(&fixture);
    let Fixture { store, path, directory } = fixture;
    drop(store);
    fs::write(&path, "rubbish").unwrap();
    let restoration = prepare(&path, &backup, None).unwrap();
    assert!(restoration.outcome().unread.as_deref().unwrap().contains("damaged"));
    let aside = directory.path().join("aside.db");
    restoration.put_in_place(Some(&aside)).unwrap();
    assert_eq!(fs::read(&aside).unwrap(), b"rubbish");
    assert_eq!(Store::open(&path, &handles()).unwrap().last_seq().unwrap(), Seq(2));
}

#[test]
fn a_restore_that_ends_early_changes_nothing() {
    let fixture = after(3);
    let backup = backup(&fixture);
    let locked = prepare(&fixture.path, &backup, None).err();
    assert_eq!(locked, Some(Error::Locked { path: fixture.path.clone() }));
    let Fixture { store, path, directory } = fixture;
    drop(store);
    let before = facts(&path);
    drop(prepare(&path, &backup, Some(moment(1))).unwrap());
    assert_eq!(facts(&path), before);
    let files = fs::read_dir(directory.path()).unwrap().map(|it| it.unwrap().file_name());
    let mut files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["backup.db", "waymark.db", "waymark.db.lock"]);
    // Between the two renames of one that was killed.
    fs::rename(&path, directory.path().join("waymark.db.restoring")).unwrap();
    let cut_short = Store::open(&path, &handles()).err();
    assert_eq!(cut_short, Some(Error::RestoreCutShort { path: path.clone() }));
    drop(prepare(&path, &backup, None).unwrap());
    let still = Store::open(&path, &handles()).err();
    assert_eq!(
        still,
        Some(Error::RestoreCutShort { path: path.clone() }),
        "a look changes nothing"
    );
    let restoration = prepare(&path, &backup, None).unwrap();
    restoration.put_in_place(Some(&directory.path().join("aside.db"))).unwrap();
    assert_eq!(Store::open(&path, &handles()).unwrap().last_seq().unwrap(), Seq(2));
}

#[test]
fn a_file_is_inspected_before_it_is_trusted() {
    let fixture = after(3);
    let path = backup(&fixture);
    assert_eq!(inspect(&path).unwrap().last_seq, Seq(2));
    let other = fixture.directory.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert_eq!(inspect(&other), Err(Error::Foreign { path: other.clone() }));
    let bytes = fs::read(&path).unwrap();
    for (name, bytes) in [
        ("cut short", bytes[..bytes.len() / 2].to_vec()),
        ("rubbish", vec![b'x'; 9_000]),
        ("overwritten", {
            let mut bytes = bytes.clone();
            let middle = bytes.len() / 2 / 4096 * 4096;
            bytes[middle..middle + 4096].fill(0xA5);
            bytes
        }),
    ] {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(inspect(&path), Err(Error::Corrupt(_))), "{name}");
    }
    assert!(matches!(inspect(Path::new("/no/such/file")), Err(Error::Io { .. })));
}

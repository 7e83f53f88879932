//! A process that is killed while it appends loses nothing that it acknowledged.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use jiff::Timestamp;
use record::RecordVersion;
use sha2::{Digest, Sha256};
use store::{
    Actor, HandleKey, NewRow, NewSubmission, RowContent, Seal, Store, SubmissionId, SubmissionKind,
    SubmissionMode,
};

/// Names the database to the process that is killed.
const DATABASE: &str = "STORE_CRASH_DATABASE";
const CHUNK: u64 = 20;

fn rows(first: u64, count: u64) -> Vec<NewRow> {
    (first..first + count)
        .map(|number| {
            let content = RowContent::Record {
                local_id: format!("A{number}").parse().unwrap(),
                version: RecordVersion(1),
                payload: number.to_le_bytes().repeat(88),
            };
            NewRow { digest: Sha256::digest(number.to_le_bytes()).into(), content }
        })
        .collect()
}

fn handles() -> HandleKey {
    HandleKey::new(&[5; 32])
}

fn submission() -> NewSubmission {
    NewSubmission {
        id: SubmissionId("s1".to_owned()),
        agency: "college".parse().unwrap(),
        request_id: "r1".to_owned(),
        kind: SubmissionKind::Records,
        mode: SubmissionMode::Delta,
        as_of: "2026-09-01".parse().unwrap(),
        created_at: Timestamp::UNIX_EPOCH,
    }
}

/// Appends until it is killed, and says after each acknowledgement how far it came.
fn append_until_killed(path: &Path) {
    let store = Store::open(path, &handles()).unwrap();
    let (new, at) = (submission(), Timestamp::UNIX_EPOCH);
    store.add_agency(&new.agency, "College", [7; 32], &Actor::service("test"), at).unwrap();
    store.create_submission(&new).unwrap();
    let mut out = std::io::stderr();
    for first in (0..).step_by(CHUNK as usize) {
        let appended = store.append(&new.id, first, rows(first, CHUNK)).unwrap();
        writeln!(out, "acknowledged {}", appended.committed_offset).unwrap();
    }
}

#[test]
fn rows_acknowledged_before_a_kill_are_there_after_it() {
    if let Some(path) = env::var_os(DATABASE) {
        return append_until_killed(Path::new(&path));
    }
    for acknowledgements in [1, 7, 40] {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("waymark.db");
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "rows_acknowledged_before_a_kill_are_there_after_it", "--nocapture"])
            .env(DATABASE, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let told = |line: String| line.strip_prefix("acknowledged ")?.parse::<u64>().ok();
        let mut acknowledged = 0;
        for _ in 0..acknowledgements {
            acknowledged = lines.by_ref().map_while(Result::ok).find_map(told).unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged = lines.map_while(Result::ok).filter_map(told).last().unwrap_or(acknowledged);

        let store = Store::open(&path, &handles()).unwrap();
        let new = submission();
        let stored = store.submission(&new.id).unwrap();
        assert!(stored.committed_offset >= acknowledged);
        assert_eq!(stored.committed_offset % CHUNK, 0, "half a chunk was kept");
        assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
        let rest = rows(stored.committed_offset, 3);
        let sent = stored.committed_offset + 3;
        store.append(&new.id, stored.committed_offset, rest).unwrap();
        let digest = rows(0, sent).iter().fold([0; 32], |digest: [u8; 32], row| {
            Sha256::digest([digest, row.digest].concat()).into()
        });
        let at = Timestamp::UNIX_EPOCH;
        let seal = Seal { row_count: sent, digest, withdraw_limit: None, at };
        assert_eq!(store.finalize(&new.id, &seal).unwrap().accepted, sent);
    }
}

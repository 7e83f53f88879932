//! A store in a temporary directory, and rows to put into it.

use std::path::PathBuf;

use jiff::{Timestamp, civil::Date};
use record::{AgencyId, LocalId, RecordKey, RecordVersion};
use sha2::{Digest, Sha256};
use store::{
    Actor, HandleKey, NewRow, NewSubmission, Principal, Receipt, Records, RowContent, Seal, Store,
    SubmissionId, SubmissionKind, SubmissionMode,
};
use tempfile::TempDir;

/// A store with the agencies `college` and `workforce`; the directory goes with it.
pub struct Fixture {
    pub store: Store,
    pub path: PathBuf,
    pub directory: TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("waymark.db");
        let store = Store::open(&path, &handles()).unwrap();
        for id in ["college", "workforce"] {
            store.add_agency(&agency(id), "An agency", [7; 32], &operator(), at(0)).unwrap();
        }
        Self { store, path, directory }
    }

    /// Creates, appends and seals.
    pub fn send(&self, new: &NewSubmission, rows: &[NewRow]) -> Receipt {
        self.store.create_submission(new).unwrap();
        self.store.append(&new.id, 0, rows.to_vec()).unwrap();
        self.store.finalize(&new.id, &seal(rows)).unwrap()
    }

    /// Sends records of the college as a delta.
    pub fn send_records(&self, id: &str, rows: &[NewRow]) -> Receipt {
        self.send(&delta(id, SubmissionKind::Records), rows)
    }

    /// `agency/local_id@version=payload` of the records read.
    pub fn records(&self, records: Records) -> Vec<String> {
        let mut read = Vec::new();
        self.store
            .for_each_record(records, |key, version, payload| {
                read.push(format!("{key}@{version}={}", String::from_utf8_lossy(payload)));
            })
            .unwrap();
        read
    }
}

/// The key of handles of all tests.
pub fn handles() -> HandleKey {
    HandleKey::new(&[5; 32])
}

/// Who administers in the tests.
pub fn operator() -> Actor {
    Actor::from(&Principal::Operator("ada".to_owned()))
}

pub fn agency(id: &str) -> AgencyId {
    id.parse().unwrap()
}

pub fn local_id(id: &str) -> LocalId {
    id.parse().unwrap()
}

pub fn key(text: &str) -> RecordKey {
    text.parse().unwrap()
}

/// A time, some seconds after the start of all tests.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A submission of the college.
pub fn delta(id: &str, kind: SubmissionKind) -> NewSubmission {
    NewSubmission {
        id: SubmissionId(id.to_owned()),
        agency: agency("college"),
        request_id: format!("request of {id}"),
        kind,
        mode: SubmissionMode::Delta,
        as_of: day("2026-09-01"),
        created_at: at(1),
    }
}

pub fn snapshot(id: &str) -> NewSubmission {
    NewSubmission { mode: SubmissionMode::Snapshot, ..delta(id, SubmissionKind::Records) }
}

pub fn record(id: &str, version: i64, payload: &str) -> NewRow {
    let content = RowContent::Record {
        local_id: local_id(id),
        version: RecordVersion(version),
        payload: payload.as_bytes().to_vec(),
    };
    NewRow { digest: Sha256::digest(format!("{id} {version} {payload}")).into(), content }
}

pub fn event(id: &str, event_id: &str, payload: &str) -> NewRow {
    let content = RowContent::Event {
        local_id: local_id(id),
        event_id: event_id.to_owned(),
        takes_back: None,
        received_on: day("2026-08-31"),
        payload: payload.as_bytes().to_vec(),
    };
    NewRow { digest: Sha256::digest(format!("{id} {event_id} {payload}")).into(), content }
}

/// An event that takes back an earlier one.
pub fn taking_back(id: &str, event_id: &str, earlier: &str) -> NewRow {
    let NewRow { digest, mut content } = event(id, event_id, "taken back");
    if let RowContent::Event { takes_back, .. } = &mut content {
        *takes_back = Some(earlier.to_owned());
    }
    NewRow { digest, content }
}

/// The running digest over rows, as a sender computes it.
pub fn digest(rows: &[NewRow]) -> [u8; 32] {
    rows.iter().fold([0; 32], |digest, row| Sha256::digest([digest, row.digest].concat()).into())
}

pub fn seal(rows: &[NewRow]) -> Seal {
    Seal { row_count: rows.len() as u64, digest: digest(rows), withdraw_limit: None, at: at(2) }
}

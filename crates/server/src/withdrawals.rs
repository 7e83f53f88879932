//! The log of withdrawals beside the backups: what was erased is erased from every backup, too, when it
//! is restored.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use record::AgencyId;
use serde::{Deserialize, Serialize};
use store::{Actor, ErasureId, Handle, NewErasure, Store, Withdrawn};

/// The file in the folder of the backups.
const FILE: &str = "withdrawals.log";

/// The log; a clone is another handle of the same file.
#[derive(Clone)]
pub struct WithdrawalLog {
    path: Arc<Path>,
    writing: Arc<Mutex<()>>,
}

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawalLogError {
    /// The file.
    #[error(
        "{} cannot be used ({source}): it lies beside the backups and is needed to restore any of \
         them", path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is not one of the log.
    #[error("{} is damaged at line {line}: put a copy of it there", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// One line: what was erased, without a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    id: String,
    agency: String,
    /// All that the agency had sent by then.
    all: bool,
    /// The handles of the records; none where it is all.
    handles: Vec<String>,
    /// When, for people.
    at: String,
}

impl WithdrawalLog {
    /// The log in a folder of backups.
    pub fn of(folder: &Path) -> Self {
        Self { path: folder.join(FILE).into(), writing: Arc::default() }
    }

    /// Adds what the store has erased on its agencies' wish and the log does not have yet; returns
    /// after it is on disk.
    ///
    /// # Errors
    /// [`WithdrawalLogError`]; the next call tries again.
    pub fn catch_up(&self, store: &Store) -> Result<(), WithdrawalLogError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let known: BTreeSet<String> = self.read()?.into_iter().map(|entry| entry.id).collect();
        let mut added = Vec::new();
        for erasure in store.erasures()?.into_iter().filter(|it| !known.contains(&it.id.0)) {
            let handles = match erasure.is_all {
                true => Vec::new(),
                false => store.erased_handles(erasure.seq)?,
            };
            added.push(Entry {
                id: erasure.id.0,
                agency: erasure.agency.to_string(),
                all: erasure.is_all,
                handles: handles.iter().map(Handle::to_string).collect(),
                at: erasure.at.to_string(),
            });
        }
        self.append(&added)
    }

    /// Adds records of an agency that are about to be purged; returns after it is on disk.
    ///
    /// # Errors
    /// [`WithdrawalLogError`].
    pub fn add_purge(
        &self,
        id: &str,
        agency: &AgencyId,
        handles: &[Handle],
        at: Timestamp,
    ) -> Result<(), WithdrawalLogError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let handles = handles.iter().map(Handle::to_string).collect();
        let agency = agency.to_string();
        let (id, at) = (id.to_owned(), at.to_string());
        self.append(&[Entry { id, agency, all: false, handles, at }])
    }

    /// Erases from a restored database what was withdrawn after its last fact; returns how many
    /// records.
    ///
    /// # Errors
    /// [`WithdrawalLogError`]; the database is not to be used then.
    pub fn replay(&self, store: &Store, at: Timestamp) -> Result<u64, WithdrawalLogError> {
        let done: BTreeSet<String> = store.erasures()?.into_iter().map(|it| it.id.0).collect();
        let agencies: BTreeSet<String> =
            store.agencies()?.into_iter().map(|agency| agency.id.to_string()).collect();
        let mut erased = 0;
        for (place, entry) in (1..).zip(self.read()?) {
            if done.contains(&entry.id) || !agencies.contains(&entry.agency) {
                continue;
            }
            let damaged =
                || WithdrawalLogError::Line { path: self.path.to_path_buf(), line: place };
            let agency: AgencyId = entry.agency.parse().map_err(|_| damaged())?;
            let what = if entry.all {
                Withdrawn::All
            } else {
                let handles = entry.handles.iter().map(|handle| handle.parse());
                let handles: BTreeSet<Handle> =
                    handles.collect::<Result<_, _>>().map_err(|_| damaged())?;
                Withdrawn::Records(store.records_of_handles(&agency, &handles)?)
            };
            let erasure = store.erase(&NewErasure {
                request_id: format!("replay-{}", entry.id),
                id: ErasureId(entry.id),
                agency,
                what,
                author: Actor::service("restore"),
                reason: "withdrawn after the backup was made".to_owned(),
                at,
            })?;
            erased += erasure.records;
        }
        Ok(erased)
    }

    fn append(&self, entries: &[Entry]) -> Result<(), WithdrawalLogError> {
        if entries.is_empty() {
            return Ok(());
        }
        let failed = |source| WithdrawalLogError::File { path: self.path.to_path_buf(), source };
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let lines = entries.iter().map(|entry| {
            let line = serde_json::to_string(entry).expect("texts and times are written as JSON");
            format!("{line}\n")
        });
        let lines: String = lines.collect();
        let mut file = OpenOptions::new();
        let file = file.create(true).read(true).append(true).mode(0o600).open(&self.path);
        file.and_then(|mut file| {
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            // What a crash cut short was never acknowledged, and must not swallow the next line.
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            file.set_len(whole as u64)?;
            file.write_all(lines.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(failed)
    }

    /// The entries, in order. A last line that was cut short by a crash was never acknowledged.
    fn read(&self) -> Result<Vec<Entry>, WithdrawalLogError> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.map_err(|source| WithdrawalLogError::File {
                path: self.path.to_path_buf(),
                source,
            })?,
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let parsed = |(place, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|_| WithdrawalLogError::Line {
                path: self.path.to_path_buf(),
                line: place,
            })
        };
        (1..).zip(whole.lines().filter(|line| !line.is_empty())).map(parsed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_read_and_a_line_cut_short_is_not_counted() {
        let folder = tempfile::tempdir().unwrap();
        let log = WithdrawalLog::of(&folder.path().join("backups"));
        assert_eq!(log.read().unwrap(), []);
        let agency: AgencyId = "college".parse().unwrap();
        let handle = Handle([7; 16]);
        log.add_purge("P-1", &agency, &[handle], Timestamp::UNIX_EPOCH).unwrap();
        log.add_purge("P-2", &agency, &[], Timestamp::UNIX_EPOCH).unwrap();
        let entries = log.read().unwrap();
        assert_eq!(entries.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["P-1", "P-2"]);
        assert_eq!(entries[0].handles, [handle.to_string()]);
        let text = fs::read_to_string(&log.path).unwrap();
        fs::write(&*log.path, &text[..text.len() - 5]).unwrap();
        assert_eq!(log.read().unwrap().len(), 1);
        log.add_purge("P-3", &agency, &[], Timestamp::UNIX_EPOCH).unwrap();
        let ids: Vec<_> = log.read().unwrap().into_iter().map(|entry| entry.id).collect();
        assert_eq!(ids, ["P-1", "P-3"]);
        fs::write(&*log.path, format!("rubbish\n{text}")).unwrap();
        assert!(matches!(log.read(), Err(WithdrawalLogError::Line { line: 1, .. })));
    }
}

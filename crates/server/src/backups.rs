//! Backups: copies of the database that are made while the service serves.
//!
//! The pepper is in none of them: whoever has a backup alone cannot join it to an agency's file.

mod manifest;

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use store::{Action, Actor, NewAuditEntry, Store};

use crate::{clock::Clock, config::BackupPolicy, files::write_private};
pub use manifest::Manifest;

/// Ends the names of files that are not complete.
const PART: &str = "part";

/// How long it takes until a backup that failed is tried again, if not less.
const RETRY: Duration = Duration::from_secs(3_600);

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Another one is being made.
    #[error("another backup is being made: wait for it")]
    Busy,
    /// The database could not be copied, or the copy is not sound.
    #[error("the database could not be backed up: {0}")]
    Store(#[from] store::Error),
    /// The folder or a file in it.
    #[error("{} cannot be used ({source}): check the folder of the backups, its room and its rights",
        path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The backups of a service. A clone is another handle of the same ones.
#[derive(Clone)]
pub struct Backups {
    store: Store,
    clock: Clock,
    policy: Arc<BackupPolicy>,
    making: Arc<Mutex<()>>,
}

/// A backup that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The name of its file.
    pub name: String,
    /// What it is.
    pub manifest: Manifest,
}

impl Backups {
    /// The backups by a policy.
    pub fn new(store: Store, clock: Clock, policy: BackupPolicy) -> Self {
        Self { store, clock, policy: Arc::new(policy), making: Arc::default() }
    }

    /// Makes a backup: copies, checks the copy, and only then gives it its name.
    ///
    /// # Errors
    /// [`BackupError`] says what to put right; there is no half a backup.
    pub fn make(&self, label: &str, scheduled: bool, by: &Actor) -> Result<Backup, BackupError> {
        let _making = self.making.try_lock().map_err(|_| BackupError::Busy)?;
        let folder = &self.policy.folder;
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700).create(folder).map_err(failed(folder))?;
        self.remove_parts()?;
        let part = folder.join(format!("waymark.{PART}"));
        self.store.copy_to(&part)?;
        let inspected = store::inspect(&part)?;
        let (name, at) = self.next_name(inspected.last_seq.0)?;
        let path = folder.join(&name);
        let manifest =
            Manifest::of(&part, at, inspected, label, scheduled).map_err(failed(&part))?;
        self.write_manifest(&manifest, &path)?;
        // The database comes last: with it the backup is there.
        fs::rename(&part, &path).map_err(failed(&path))?;
        sync(folder)?;
        let entry = NewAuditEntry::new(self.clock.now(), by.clone(), Action::BackedUp)
            .subject(&name)
            .detail(serde_json::json!({
                "last_fact": manifest.last_fact, "sha256": manifest.sha256,
                "bytes": manifest.bytes, "label": label,
            }));
        self.store.audit(entry)?;
        Ok(Backup { name, manifest })
    }

    /// The backups that are there, the newest first.
    ///
    /// # Errors
    /// [`BackupError::Folder`].
    pub fn list(&self) -> Result<Vec<Backup>, BackupError> {
        let mut found = Vec::new();
        for path in self.files()? {
            let is_database = path.extension().is_some_and(|extension| extension == "db");
            let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            let Some(name) = name.filter(|_| is_database) else { continue };
            match Manifest::read(&path) {
                Ok(manifest) => found.push(Backup { name, manifest }),
                // Somebody else's file does not hide the others.
                Err(error) => tracing::warn!(file = name, %error, "a backup has no manifest"),
            }
        }
        // A name begins with the time.
        found.sort_by(|a, b| b.name.cmp(&a.name));
        Ok(found)
    }

    /// Makes backups by itself, as often as the policy says, until it is dropped.
    pub async fn keep_schedule(self) {
        let Some(every) = self.policy.every else { return };
        let mut wait = self.until_due(every);
        loop {
            tokio::time::sleep(wait).await;
            let this = self.clone();
            let made = tokio::task::spawn_blocking(move || this.make_due()).await;
            wait = match made {
                Ok(Ok(name)) => {
                    tracing::info!(name, "a backup was made");
                    every
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "the backup that was due could not be made");
                    every.min(RETRY)
                }
                Err(error) => {
                    tracing::error!(%error, "the backup that was due ended early");
                    every.min(RETRY)
                }
            };
        }
    }

    /// Makes the one that is due and removes the oldest that are beyond those kept.
    fn make_due(&self) -> Result<String, BackupError> {
        let made = self.make("", true, &Actor::service("schedule"))?;
        let due = self.list()?.into_iter().filter(|backup| backup.manifest.scheduled);
        for old in due.skip(self.policy.keep) {
            let path = self.policy.folder.join(&old.name);
            for file in [path.clone(), Manifest::path_of(&path)] {
                fs::remove_file(&file).map_err(failed(&file))?;
            }
        }
        Ok(made.name)
    }

    /// How long it is until a backup is due; a clock that was set back makes it no longer than usual.
    fn until_due(&self, every: Duration) -> Duration {
        let scheduled = |backup: &Backup| backup.manifest.scheduled;
        let last = self.list().unwrap_or_default().into_iter().find(scheduled);
        let Some(Ok(last)) = last.map(|last| last.manifest.created_at()) else {
            return Duration::ZERO;
        };
        let since = self.clock.now().duration_since(last).max(SignedDuration::ZERO);
        every.saturating_sub(since.unsigned_abs())
    }

    /// A name by the time and the last fact, and that time: later than that of the newest backup,
    /// whatever the clock does, so that names tell the order.
    fn next_name(&self, last_fact: u64) -> Result<(String, Timestamp), BackupError> {
        let newest = self.list()?.into_iter().filter_map(|it| it.manifest.created_at().ok()).max();
        let after = newest.map(|newest| newest + SignedDuration::from_secs(1));
        let at = after.map_or_else(|| self.clock.now(), |after| after.max(self.clock.now()));
        let time = TimeZone::UTC.to_datetime(at).strftime("%Y%m%dT%H%M%SZ");
        Ok((format!("waymark-{time}-{last_fact:06}.db"), at))
    }

    fn write_manifest(&self, manifest: &Manifest, path: &Path) -> Result<(), BackupError> {
        let path = Manifest::path_of(path);
        let part = path.with_extension(PART);
        let text = manifest.text().map_err(failed(&path))?;
        write_private(&part, text.as_bytes()).map_err(failed(&part))?;
        fs::rename(&part, &path).map_err(failed(&path))
    }

    /// Removes what is left from backups that were cut short.
    fn remove_parts(&self) -> Result<(), BackupError> {
        for path in self.files()? {
            if path.extension().is_some_and(|extension| extension == PART) {
                fs::remove_file(&path).map_err(failed(&path))?;
            }
        }
        Ok(())
    }

    /// The files of Waymark's names in the folder; none where there is no folder.
    fn files(&self) -> Result<Vec<PathBuf>, BackupError> {
        let folder = &self.policy.folder;
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed(folder))?,
        };
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths.collect::<io::Result<Vec<_>>>().map_err(failed(folder))?;
        paths.retain(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("waymark-") || name.starts_with("waymark."))
        });
        Ok(paths)
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> BackupError {
    move |source| BackupError::Folder { path: path.to_owned(), source }
}

fn sync(folder: &Path) -> Result<(), BackupError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn backups(folder: &Path, keep: usize) -> Backups {
        let store =
            Store::open(&folder.join("waymark.db"), &store::HandleKey::new(&[5; 32])).unwrap();
        let clock = Clock::new(TimeZone::UTC, Some("2026-11-26".parse().unwrap()));
        let every = Some(Duration::from_secs(3_600));
        let policy = BackupPolicy { folder: folder.join("backups"), every, keep };
        Backups::new(store, clock, policy)
    }

    #[test]
    fn backups_are_listed_the_newest_first_and_only_their_owner_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let backups = backups(folder.path(), 7);
        assert_eq!(backups.list().unwrap(), []);
        let first = backups.make("before the update", false, &Actor::service("test")).unwrap();
        let second = backups.make("", false, &Actor::service("test")).unwrap();
        assert!(first.name.starts_with("waymark-20261126T") && first.name.ends_with("Z-000000.db"));
        let files = folder.path().join("backups");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = files.join(&first.name);
        assert_eq!((mode(&files), mode(&path)), (0o700, 0o600));
        assert_eq!(mode(&Manifest::path_of(&path)), 0o600);
        assert!(first.manifest.fits(&path).unwrap());
        assert_eq!(Manifest::read(&path).unwrap(), first.manifest);
        fs::write(files.join("waymark-notes.db"), "somebody else's").unwrap();
        assert_eq!(backups.list().unwrap(), [second, first]);
    }

    #[test]
    fn of_those_that_it_makes_by_itself_the_service_keeps_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let backups = backups(folder.path(), 2);
        let every = Duration::from_secs(3_600);
        assert_eq!(backups.until_due(every), Duration::ZERO);
        let labeled = backups.make("kept", false, &Actor::service("test")).unwrap();
        let made: Vec<_> = (0..4).map(|_| backups.make_due().unwrap()).collect();
        let names: Vec<_> = backups.list().unwrap().into_iter().map(|it| it.name).collect();
        assert_eq!(names, [made[3].clone(), made[2].clone(), labeled.name]);
        assert_eq!(fs::read_dir(folder.path().join("backups")).unwrap().count(), 6);
        assert!(backups.until_due(every) > every - Duration::from_secs(60));
    }

    #[test]
    fn what_a_backup_that_was_cut_short_left_goes_with_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let backups = backups(folder.path(), 2);
        let files = folder.path().join("backups");
        fs::create_dir(&files).unwrap();
        for name in ["waymark.part", "waymark-1.part", "waymark-20261126T000000Z-000001.json"] {
            fs::write(files.join(name), "half").unwrap();
        }
        assert_eq!(backups.list().unwrap(), []);
        let made = backups.make("", false, &Actor::service("test")).unwrap();
        assert_eq!(backups.list().unwrap(), [made]);
        // A manifest without its backup may be that of one that was moved elsewhere.
        assert_eq!(fs::read_dir(&files).unwrap().count(), 3);
        // A folder that cannot be one.
        fs::remove_dir_all(&files).unwrap();
        fs::write(&files, "a file").unwrap();
        let told = backups.make("", false, &Actor::service("test")).unwrap_err().to_string();
        assert!(told.contains("check the folder of the backups"), "{told}");
    }
}

//! Restoring a backup into the data folder, while the service is stopped.

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use store::{Action, Actor, NewAuditEntry, Restoration, Restored};

use crate::{
    backups::Manifest,
    clock::Clock,
    config::Config,
    pepper::Pepper,
    serve::{DATABASE_FILE, PEPPER_FILE, PEPPER_SETTING},
    withdrawals::{WithdrawalLog, WithdrawalLogError},
};

/// What is to be restored.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// The backup, or any database of the service.
    pub from: PathBuf,
    /// The last moment whose facts are kept; `None`: all are.
    pub to: Option<RestoreTo>,
    /// Whether the file may be without a manifest.
    pub without_manifest: bool,
    /// Says what it would do, and changes nothing.
    pub dry_run: bool,
}

/// The last moment whose facts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreTo {
    /// This one.
    Moment(Timestamp),
    /// The end of this day, in the service's time zone.
    Day(Date),
}

/// What a restore did, or would do.
#[derive(Debug, Clone)]
pub struct RestoreReport {
    /// What the restored database holds, and what it lacks.
    pub restored: Restored,
    /// Records that were withdrawn after the backup was made, and erased from it.
    pub erased: u64,
    /// Where the database of before is; `None`: there was none.
    pub aside: Option<PathBuf>,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is no manifest to check the file by.
    #[error(
        "{} has no manifest that can be read ({source}): name a backup with its .json file beside \
         it, or say --no-manifest", path.display()
    )]
    NoManifest {
        /// The backup.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not the one that was written.
    #[error("{} is not what its manifest says: take another backup", path.display())]
    Altered {
        /// The backup.
        path: PathBuf,
    },
    /// The data folder lacks the pepper.
    #[error(
        "{} is missing: put the one there that was kept apart when the service was set up; a backup \
         does not hold it, and is of no use without", path.display()
    )]
    NoPepper {
        /// Where it belongs.
        path: PathBuf,
    },
    /// The backup cannot be used.
    #[error("{}: {source}", path.display())]
    Backup {
        /// The backup.
        path: PathBuf,
        /// Why.
        source: store::Error,
    },
    /// The log of withdrawals.
    #[error(transparent)]
    Withdrawals(#[from] WithdrawalLogError),
    /// The restore failed, or a service runs.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl RestoreTo {
    /// The first moment whose facts are not kept.
    fn end(self, clock: &Clock) -> Timestamp {
        match self {
            Self::Moment(last) => {
                last.checked_add(SignedDuration::from_micros(1)).unwrap_or(Timestamp::MAX)
            }
            Self::Day(day) => clock.end_of(day),
        }
    }
}

/// Restores a backup: checks it, makes a database of it beside the present one, moves that one aside
/// and the new one into its place. The next start makes derived state of its facts.
///
/// # Errors
/// [`RestoreError`] says what to put right; the present database is as it was then.
pub fn restore(config: &Config, request: &RestoreRequest) -> Result<RestoreReport, RestoreError> {
    let pepper = config.data_dir.join(PEPPER_FILE);
    if !pepper.exists() {
        return Err(RestoreError::NoPepper { path: pepper });
    }
    let database = config.data_dir.join(DATABASE_FILE);
    let place = store::Place::take(&database)?;
    if !request.without_manifest {
        check_manifest(&request.from)?;
    }
    let unusable = |source| RestoreError::Backup { path: request.from.clone(), source };
    store::inspect(&request.from).map_err(unusable)?;
    let clock = Clock::new(config.time_zone.clone(), config.fixed_date);
    let before = request.to.map(|to| to.end(&clock));
    let restoration = place.prepare(&request.from, before)?;
    let restored = restoration.outcome().clone();
    let erased = finish(&restoration, config, request, &clock)?;
    let aside = database.exists().then(|| aside(&database, Timestamp::now()));
    if !request.dry_run {
        restoration.put_in_place(aside.as_deref())?;
    }
    Ok(RestoreReport { restored, erased, aside })
}

/// Erases what was withdrawn since, and puts the restore on record; returns how many records were
/// erased.
fn finish(
    restoration: &Restoration,
    config: &Config,
    request: &RestoreRequest,
    clock: &Clock,
) -> Result<u64, RestoreError> {
    let path = config.data_dir.join(PEPPER_FILE);
    let pepper = Pepper::open(&path, &config.schema)
        .map_err(|_| RestoreError::NoPepper { path: path.clone() })?;
    let store = restoration.open(pepper.handles())?;
    match store.put_setting_once(PEPPER_SETTING, &pepper.check_value()) {
        Err(store::Error::Conflict { .. }) => return Err(RestoreError::NoPepper { path }),
        other => other?,
    }
    let now = clock.now();
    let erased = WithdrawalLog::of(&config.backup.folder).replay(&store, now)?;
    let from = request.from.file_name().map(|name| name.to_string_lossy().into_owned());
    let last = restoration.outcome().last;
    let entry = NewAuditEntry::new(now, Actor::service("restore"), Action::Restored)
        .subject(from.unwrap_or_default())
        .detail(serde_json::json!({
            "last_fact": last.map(|(seq, _)| seq.0), "to_a_moment": request.to.is_some(),
            "erased": erased,
        }));
    store.audit(entry)?;
    Ok(erased)
}

fn check_manifest(from: &Path) -> Result<(), RestoreError> {
    let unreadable = |source| RestoreError::NoManifest { path: from.to_owned(), source };
    let manifest = Manifest::read(from).map_err(unreadable)?;
    match manifest.fits(from).map_err(unreadable)? {
        true => Ok(()),
        false => Err(RestoreError::Altered { path: from.to_owned() }),
    }
}

/// Where the present database is moved: nothing lies there yet.
fn aside(database: &Path, mut at: Timestamp) -> PathBuf {
    loop {
        let mut name = database.as_os_str().to_owned();
        let time = TimeZone::UTC.to_datetime(at).strftime("%Y%m%dT%H%M%SZ");
        name.push(format!(".before-restore-{time}"));
        let path = PathBuf::from(name);
        if !path.exists() {
            return path;
        }
        at += SignedDuration::from_secs(1);
    }
}

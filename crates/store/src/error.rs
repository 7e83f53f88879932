//! Why the store did not do what it was asked: one variant for each reaction.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why an intent was not carried out. Nothing of it is half done. Never holds an identity value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The named thing does not exist.
    #[error("there is no such {what}")]
    NotFound {
        /// The kind of thing, such as `submission`.
        what: &'static str,
    },
    /// A thing of this id or name exists.
    #[error("this {what} exists already: choose another name")]
    AlreadyExists {
        /// The kind of thing, such as `agency`.
        what: &'static str,
    },
    /// The request contradicts what is stored; asking again gives the same answer.
    #[error("{what}")]
    Conflict {
        /// What contradicts, and what to do.
        what: String,
    },
    /// Rows between the committed offset and the first row sent are missing.
    #[error("rows are missing: send on from offset {expected}")]
    OffsetGap {
        /// The committed offset: the first row that is wanted.
        expected: u64,
    },
    /// The submission takes no rows any more.
    #[error("the submission is closed: create a new one")]
    Sealed,
    /// The database is in use for too long; try again.
    #[error("the database is busy: try again")]
    Busy,
    /// The disk is full: nothing can be acknowledged until there is room.
    #[error("the disk of the database is full: make room, then restart")]
    Full,
    /// The disk does not take or give what it should.
    #[error(
        "the disk of the database failed ({0}): look at the disk, its room and its quotas, then \
             restart"
    )]
    Disk(String),
    /// The database may only be read.
    #[error(
        "the database cannot be written ({0}): give the service's account the right to write \
             it and its folder, and mount the disk for writing"
    )]
    ReadOnly(String),
    /// The database cannot be used: stop acknowledging and tell an operator.
    #[error("the database failed: {0}")]
    Fatal(String),
    /// The database holds what was never written: restore a backup.
    #[error("the database is damaged ({0}): restore a backup")]
    Corrupt(String),
    /// Another process has the database open.
    #[error("{} is in use by another process: stop that one first", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// A restore of the database did not come to its end.
    #[error(
        "a restore of {} was cut short: run `waymark admin restore` again", path.display()
    )]
    RestoreCutShort {
        /// The database.
        path: PathBuf,
    },
    /// The database was written by a newer release.
    #[error("the database has schema {found}, this release knows up to {known}: upgrade")]
    NewerSchema {
        /// The schema number of the database.
        found: u32,
        /// The newest schema number of this release.
        known: u32,
    },
    /// The file is a database of another program.
    #[error("{} is not a Waymark database: name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be opened or created.
    #[error("{} cannot be opened ({reason}): check the path and its permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}

impl Error {
    /// A conflict in words.
    pub(crate) fn conflict(what: impl Into<String>) -> Self {
        Self::Conflict { what: what.into() }
    }
}

impl From<rusqlite::Error> for Error {
    /// Sorts SQLite's errors by what the caller can do. The texts name tables, never values.
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::FromSqlConversionFailure(column, _, _)
            | rusqlite::Error::IntegralValueOutOfRange(column, _) => {
                Self::Corrupt(format!("column {column} does not hold what it should"))
            }
            rusqlite::Error::InvalidColumnType(_, name, _) => {
                Self::Corrupt(format!("column {name} has another type"))
            }
            rusqlite::Error::SqliteFailure(failure, message) => match failure.code {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::SystemIoFailure => Self::Disk(failure.to_string()),
                ErrorCode::ReadOnly => Self::ReadOnly(failure.to_string()),
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                    Self::Corrupt(failure.to_string())
                }
                _ => Self::Fatal(message.unwrap_or_else(|| failure.to_string())),
            },
            other => Self::Fatal(other.to_string()),
        }
    }
}

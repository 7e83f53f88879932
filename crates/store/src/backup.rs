//! Copies of the whole database: taken while it is in use, and looked at before they are trusted.

use std::{fs::File, os::unix::fs::OpenOptionsExt, path::Path};

use rusqlite::{Connection, OpenFlags};

use crate::{
    Error, Result, Seq, Store,
    columns::all,
    log::last_seq,
    migrate::check_origin,
    store::{io, set_up},
};

/// What a file that can be restored holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// The number of its schema.
    pub schema: u32,
    /// Its last fact.
    pub last_seq: Seq,
}

impl Store {
    /// Writes the database, as it is at one moment, into the new file `path`, and syncs it to disk.
    ///
    /// Everybody reads and writes on meanwhile: the copy is one read transaction over a connection
    /// of its own. `VACUUM INTO` and not SQLite's backup in steps, since it leaves behind what was
    /// removed from the database, and every row is read.
    ///
    /// Errors: `Io` where the file exists or cannot be made, `Full`, `Disk`, `Corrupt`.
    pub fn copy_to(&self, path: &Path) -> Result<()> {
        self.apart(|db| copy(db, path))
    }
}

/// Writes a database into the new file `path`, which only its owner may read.
pub(crate) fn copy(db: &Connection, path: &Path) -> Result<()> {
    let mut new = File::options();
    let file = new.write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|error| io(path, &error))?;
    let name = path.to_str().ok_or_else(|| io(path, &"the path is not UTF-8".to_owned()))?;
    db.execute("VACUUM INTO ?1", [name])?;
    file.sync_all().map_err(|error| io(path, &error))
}

/// Checks that the file at `path` is a sound database of Waymark that this release can read. Reads
/// every page.
///
/// Errors: `Io`, `Foreign`, `NewerSchema`, `Corrupt`.
pub fn inspect(path: &Path) -> Result<Inspected> {
    let db = open_to_read(path)?;
    let schema = check_origin(&db, path)?;
    let mut query = db.prepare("PRAGMA integrity_check(3)")?;
    let findings: Vec<String> = all(query.query_map([], |row| row.get(0))?)?;
    match findings.as_slice() {
        [only] if only == "ok" => Ok(Inspected { schema, last_seq: last_seq(&db)? }),
        findings => Err(Error::Corrupt(findings.join("; "))),
    }
}

/// A database that is only read.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(|error| io(path, &error))?;
    set_up(&db)?;
    Ok(db)
}

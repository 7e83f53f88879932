//! The read-only connections.

use std::{
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, PoisonError},
};

use rusqlite::Connection;

use crate::{Result, backup::open_to_read, limits};

/// A pool of read-only connections; a caller waits while all of them are in use.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl Readers {
    /// Opens the connections.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let idle = (0..limits::READERS).map(|_| connect(path)).collect::<Result<_>>()?;
        Ok(Self { path: path.to_owned(), idle: Mutex::new(idle), returned: Condvar::new() })
    }

    /// Runs a query that may take long on one snapshot of the database, over a connection of its
    /// own: no other reader waits for it.
    pub(crate) fn read_apart<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut db = connect(&self.path)?;
        let snapshot = db.transaction()?;
        query(&snapshot)
    }

    /// Does what begins its own transaction, over a connection of its own.
    pub(crate) fn apart<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        work(&connect(&self.path)?)
    }

    /// Runs a query on one snapshot of the database.
    pub(crate) fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut lease = self.lease();
        let db = lease.db.as_mut().expect("a lease has its connection until it ends");
        let snapshot = db.transaction()?;
        query(&snapshot)
    }

    fn lease(&self) -> Lease<'_> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(db) = idle.pop() {
                return Lease { readers: self, db: Some(db) };
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let db = open_to_read(path)?;
    db.pragma_update(None, "mmap_size", limits::READER_MMAP_BYTES)?;
    Ok(db)
}

/// A connection in use; it goes back when the lease ends, also by a panic of the query.
struct Lease<'a> {
    readers: &'a Readers,
    db: Option<Connection>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.db.take());
        self.readers.returned.notify_one();
    }
}

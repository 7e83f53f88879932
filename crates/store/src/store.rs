//! The open database: one writer, a few readers, one process.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{
    Error, HandleKey, Result,
    checkpoint::Checkpointer,
    columns::all,
    limits,
    migrate::migrate,
    queue::{self, Queue},
    readers::Readers,
    restore::check_is_done,
    writer::{Writer, Writing},
};

/// The durable state. A clone is another handle of the same open database; the last one closes it.
#[derive(Clone)]
pub struct Store(Arc<Open>);

/// An open database. Dropped in this order: whoever closes last empties the log.
struct Open {
    readers: Readers,
    writer: Writer,
    _checkpointer: Checkpointer,
    queue: Arc<Queue>,
    handles: HandleKey,
    path: PathBuf,
    _lock: File,
}

impl Store {
    /// Opens the database at `path`, creating or migrating it as needed.
    ///
    /// The file must lie on a local file system. A file `<path>.lock` beside it keeps a second
    /// process out. The database must always be opened with the same key of handles.
    ///
    /// Errors: `Locked`, `RestoreCutShort`, `NewerSchema`, `Foreign`, `Io`, `Corrupt`.
    pub fn open(path: &Path, handles: &HandleKey) -> Result<Self> {
        let lock = lock(path)?;
        check_is_done(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(path, flags).map_err(|error| io(path, &error))?;
        set_up(&db)?;
        if db.is_readonly("main")? {
            return Err(Error::ReadOnly(path.display().to_string()));
        }
        migrate(&mut db, path)?;
        set_up_writing(&db)?;
        let readers = Readers::open(path)?;
        let queue = Arc::new(Queue::open(&db)?);
        let checkpointer = Checkpointer::start(path, &mut db)?;
        let handles = handles.clone();
        let writer = Writer::start(db, queue.clone(), handles.clone());
        let writer = writer.map_err(|error| io(path, &error))?;
        let path = path.to_owned();
        let _checkpointer = checkpointer;
        let open = Open { readers, writer, _checkpointer, queue, handles, path, _lock: lock };
        Ok(Self(Arc::new(open)))
    }

    /// Empties every derived table: [`Store::applied_seq`] is 0 again, the facts stay.
    pub fn drop_derived(&self) -> Result<()> {
        self.write(limits::GROUP_ROWS_MAX, |writing| {
            queue::touch_all(writing.db)?;
            empty(writing.db, "derived")
        })
    }

    /// Empties the write-ahead log into the database, so that nothing that was erased is left in it. A
    /// reader may keep some of it until the next time.
    pub fn empty_log(&self) -> Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&self.0.path, flags)?;
        db.busy_timeout(Duration::from_millis(limits::EMPTYING_MS_MAX))?;
        // The answer says whether all of it could be done; what is left is done later.
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Carries out an intent of about `rows` rows; see [`Writer::write`].
    pub(crate) fn write<T: Send + 'static>(
        &self,
        rows: usize,
        intent: impl FnOnce(&mut Writing<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.writer.write(rows, intent)
    }

    /// Makes the handles of records.
    pub(crate) fn handles(&self) -> &HandleKey {
        &self.0.handles
    }

    /// The tasks in memory.
    pub(crate) fn queue(&self) -> &Arc<Queue> {
        &self.0.queue
    }

    /// Runs a query on one snapshot of the database.
    pub(crate) fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.0.readers.read(query)
    }

    /// Does work that begins its own transaction; see [`Readers::apart`].
    pub(crate) fn apart<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.0.readers.apart(work)
    }

    /// Runs a query that may take long; see [`Readers::read_apart`].
    pub(crate) fn read_apart<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.0.readers.read_apart(query)
    }
}

/// Removes all rows of the tables whose names begin with `kind` and an underscore.
pub(crate) fn empty(db: &Connection, kind: &str) -> Result<()> {
    for table in tables(db, kind)? {
        db.execute(&format!("DELETE FROM {table}"), [])?;
    }
    Ok(())
}

/// The tables whose names begin with `kind` and an underscore.
pub(crate) fn tables(db: &Connection, kind: &str) -> Result<Vec<String>> {
    let mut query = db.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE ?1 || '\\_%'
         ESCAPE '\\' ORDER BY name",
    )?;
    all(query.query_map([kind], |row| row.get(0))?)
}

/// Settings of every connection.
///
/// The stability guarantee keeps SQLite from planning a query anew for each value bound to it,
/// which takes longer than most of our queries.
pub(crate) fn set_up(db: &Connection) -> Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.busy_timeout(Duration::from_millis(limits::BUSY_MS_MAX))?;
    db.set_prepared_statement_cache_capacity(limits::STATEMENTS_CACHED);
    db.execute_batch(
        "PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;",
    )?;
    Ok(())
}

/// Settings of the connection that writes. `recursive_triggers` lets the triggers that guard the
/// facts see a removal by `REPLACE` too.
fn set_up_writing(db: &Connection) -> Result<()> {
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "recursive_triggers", true)?;
    // What is erased or replaced is overwritten, not only unlinked.
    db.pragma_update(None, "secure_delete", true)?;
    db.pragma_update(None, "cache_size", -limits::WRITER_CACHE_KIB)?;
    db.pragma_update(None, "journal_size_limit", limits::JOURNAL_BYTES_KEPT)?;
    Ok(())
}

/// Takes the advisory lock of the database; the system gives it back when the process ends.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|error| io(&name, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(io(&name, &error)),
    }
}

pub(crate) fn io(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Io { path: path.to_owned(), reason: error.to_string() }
}

//! Putting a backup, or an earlier moment of it, in the place of the database.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use crate::{
    Error, HandleKey, Result, Seq, Store, SubmissionId,
    backup::{copy, open_to_read},
    columns::{all, count, seq, time},
    migrate::migrate,
    store::{self, io, lock, set_up},
    truncate::truncate,
};

const NEW_LIFE: &str = "INSERT INTO fact_feed_epoch (epoch) VALUES (lower(hex(randomblob(8))))";
const REVOKE: &str = "
    INSERT INTO fact_credential_revocation (label, revoked_at)
    SELECT label, ?2 FROM fact_credential WHERE hash = ?1 ON CONFLICT DO NOTHING";

/// The place of a database that nobody can open meanwhile.
pub struct Place {
    path: PathBuf,
    _lock: File,
}

/// A database that is made beside the present one. Until it is put in place nothing has changed.
pub struct Restoration {
    place: Place,
    part: Part,
    outcome: Restored,
}

/// What a restored database holds, and what it does not hold any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Its last fact, and when that was accepted.
    pub last: Option<(Seq, Timestamp)>,
    /// Of each kind of facts how many it has, and how many it lacks.
    pub facts: BTreeMap<String, FactCounts>,
    /// What agencies have to send again, by the time of its acceptance.
    pub resend: Vec<Resend>,
    /// Tokens whose revocation was taken over from the present database.
    pub revoked: u64,
    /// Why the present database could not be read: then what it alone had is not counted, and tokens
    /// that were revoked since are in force again.
    pub unread: Option<String>,
}

/// Facts of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FactCounts {
    /// Those in the restored database.
    pub kept: u64,
    /// Those that the backup or the present database had besides.
    pub dropped: u64,
}

/// A submission, or statements, that the restored database lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resend {
    /// When it was accepted.
    pub at: Timestamp,
    /// Who sent it.
    pub agency: String,
    /// `records`, `events` or `statements`.
    pub kind: String,
    /// The submission; statements have none.
    pub submission: Option<SubmissionId>,
    /// Rows of the submission.
    pub rows: Option<u64>,
}

impl Place {
    /// Keeps everybody else from the database at `path`, whether or not there is one.
    ///
    /// Errors: `Locked` while a service runs on it; `Io`.
    pub fn take(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), _lock: lock(path)? })
    }

    /// Makes a database of the one at `source`, as it was before the moment `before`, if there is one,
    /// to be put in this place.
    ///
    /// `source` is only read, and should have been inspected ([`crate::inspect`]); it may be the
    /// database of this place.
    ///
    /// Errors: `Io`, `Full`, `Disk`, `Corrupt`.
    pub fn prepare(self, source: &Path, before: Option<Timestamp>) -> Result<Restoration> {
        let path = &self.path;
        let part = Part::make(path, source)?;
        let mut db = Connection::open(&part.0)?;
        set_up(&db)?;
        if let Some(moment) = before {
            check_erasures(&db, moment)?;
        }
        // Nobody else has the file, and it is thrown away should anything fail.
        db.execute_batch(
            "PRAGMA foreign_keys = OFF; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;",
        )?;
        migrate(&mut db, &part.0)?;
        let present = if path.exists() { History::of_file(path) } else { Ok(History::default()) };
        let (present, unread) = match present {
            Ok(present) => (present, None),
            Err(error) => (History::default(), Some(error.to_string())),
        };
        let mut before_it = History::of(&db)?;
        let revoked = without_guards(&mut db, |db| rebuild(db, before, &present))?;
        check_references(&db)?;
        before_it.facts.extend(present.facts);
        let outcome = compare(&before_it, &History::of(&db)?, revoked, unread);
        Ok(Restoration { place: self, part, outcome })
    }
}

impl Restoration {
    /// What it holds, and what it does not hold any more.
    pub fn outcome(&self) -> &Restored {
        &self.outcome
    }

    /// The database that is made, to add to it what must be in it before it is put in place; it is to
    /// be closed by then.
    ///
    /// Errors: as [`Store::open`].
    pub fn open(&self, handles: &HandleKey) -> Result<Store> {
        Store::open(&self.part.0, handles)
    }

    /// Moves the present database, if there is one, to `aside`, a file of the same folder that does
    /// not exist, and the restored one into its place.
    ///
    /// Where this is cut short, the store does not open until a restoration was carried to its end.
    ///
    /// Errors: `Io`.
    pub fn put_in_place(self, aside: Option<&Path>) -> Result<()> {
        let path = &self.place.path;
        let restoring = beside(path, RESTORING);
        sync(&self.part.0)?;
        rename(&self.part.0, &restoring)?;
        let folder = folder_of(path);
        sync(folder)?;
        // With a log of another life beside it, a database would be taken for damaged.
        for ending in ["-wal", "-shm", ""] {
            let present = beside(path, ending);
            match aside {
                Some(aside) if present.exists() => rename(&present, &beside(aside, ending))?,
                Some(_) => {}
                // A log without its database tells nobody anything.
                None => remove(&present)?,
            }
        }
        sync(folder)?;
        rename(&restoring, path)?;
        sync(folder)
    }
}

/// Makes the new database of the copy, in one transaction, in this order: what was not known goes; what
/// must not come back is carried over; derived state is emptied, to be made anew at the next start; the
/// feeds begin another life. Returns how many tokens were revoked.
fn rebuild(db: &Connection, before: Option<Timestamp>, present: &History) -> Result<u64> {
    if let Some(moment) = before {
        truncate(db, moment)?;
    }
    let revoked = revoke(db, present)?;
    store::empty(db, "derived")?;
    store::empty(db, "work")?;
    db.execute(NEW_LIFE, [])?;
    Ok(revoked)
}

/// Revokes the tokens that the present database says are.
fn revoke(db: &Connection, present: &History) -> Result<u64> {
    let mut insert = db.prepare(REVOKE)?;
    let mut revoked = 0;
    for (hash, at) in &present.revocations {
        revoked += insert.execute((hash, at))? as u64;
    }
    Ok(revoked)
}

/// Lets `work` change facts: the triggers that guard them are away until it is done, and then the
/// same again.
fn without_guards<T>(
    db: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let guards: Vec<(String, String)> = {
        let mut query =
            step.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")?;
        all(query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?)?
    };
    for (name, _) in &guards {
        step.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    let done = work(&step)?;
    for (_, sql) in &guards {
        step.execute_batch(sql)?;
    }
    step.commit()?;
    Ok(done)
}

/// Refuses to go back to before an erasure: what is left of its records is of after it. The backups of
/// before have them still, and lose them again when they are restored.
fn check_erasures(db: &Connection, moment: Timestamp) -> Result<()> {
    let last: Option<i64> = db.query_row(
        "SELECT max(at) FROM fact_audit WHERE action IN ('records_erased', 'records_purged')",
        [],
        |row| row.get(0),
    )?;
    match last {
        Some(last) if last >= moment.as_microsecond() => Err(Error::conflict(
            "records were erased after that moment, and this file lacks them: restore a backup made \
             before the erasure; what was withdrawn is erased from it, too",
        )),
        _ => Ok(()),
    }
}

fn check_references(db: &Connection) -> Result<()> {
    let broken: u64 =
        db.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| count(row, 0))?;
    match broken {
        0 => Ok(()),
        _ => Err(Error::Corrupt(format!("{broken} rows refer to rows that do not exist"))),
    }
}

/// What a database knows of what was accepted, and of tokens.
#[derive(Default)]
struct History {
    /// Each fact: its place and time, its kind, what it refers to, and its rows.
    facts: BTreeSet<KnownFact>,
    /// The hash of each revoked token, and when it was revoked.
    revocations: Vec<(Vec<u8>, i64)>,
}

/// A fact as it is told from any other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct KnownFact {
    at: Timestamp,
    seq: Seq,
    kind: String,
    reference: String,
    submission: Option<(String, u64)>,
}

impl History {
    fn of_file(path: &Path) -> Result<Self> {
        Self::of(&open_to_read(path)?)
    }

    fn of(db: &Connection) -> Result<Self> {
        let mut query = db.prepare(
            "SELECT l.at, l.seq, l.kind, l.reference, s.agency, s.committed_offset
             FROM fact_log AS l LEFT JOIN fact_submission AS s ON s.seq = l.seq",
        )?;
        let facts = query.query_map([], |row| {
            let agency: Option<String> = row.get(4)?;
            let sent = |agency| Ok::<_, rusqlite::Error>((agency, count(row, 5)?));
            Ok(KnownFact {
                at: time(row, 0)?,
                seq: seq(row, 1)?,
                kind: row.get(2)?,
                reference: row.get(3)?,
                submission: agency.map(sent).transpose()?,
            })
        })?;
        let facts = all(facts)?.into_iter().collect();
        let mut query = db.prepare(
            "SELECT t.hash, r.revoked_at
             FROM fact_credential_revocation AS r JOIN fact_credential AS t ON t.label = r.label",
        )?;
        let revocations = all(query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?)?;
        Ok(Self { facts, revocations })
    }
}

impl KnownFact {
    /// What its agency has to send again, where an agency sent it.
    fn resend(&self) -> Option<Resend> {
        let (agency, submission, rows) = match (&self.submission, self.kind.as_str()) {
            (Some((agency, rows)), _) => {
                (agency, Some(SubmissionId(self.reference.clone())), Some(*rows))
            }
            (None, "statements") => (&self.reference, None, None),
            _ => return None,
        };
        let (at, agency, kind) = (self.at, agency.clone(), self.kind.clone());
        Some(Resend { at, agency, kind, submission, rows })
    }
}

fn compare(before: &History, after: &History, revoked: u64, unread: Option<String>) -> Restored {
    let mut facts: BTreeMap<String, FactCounts> = BTreeMap::new();
    for fact in &after.facts {
        facts.entry(fact.kind.clone()).or_default().kept += 1;
    }
    let mut resend = Vec::new();
    for fact in before.facts.difference(&after.facts) {
        facts.entry(fact.kind.clone()).or_default().dropped += 1;
        resend.extend(fact.resend());
    }
    let last = after.facts.iter().max_by_key(|fact| fact.seq).map(|fact| (fact.seq, fact.at));
    Restored { last, facts, resend, revoked, unread }
}

/// A file that goes when it is not needed any more.
struct Part(PathBuf);

impl Part {
    /// Copies the database at `source` into a file beside the one at `path`.
    fn make(path: &Path, source: &Path) -> Result<Self> {
        let part = Self(beside(path, ".restoring-part"));
        remove(&part.0)?;
        copy(&open_to_read(source)?, &part.0)?;
        Ok(part)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It may have become the database; a file that is left over is overwritten the next time.
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(beside(&self.0, ".lock"));
    }
}

/// Ends the name of a database that is complete, but not yet in the place of the one before.
const RESTORING: &str = ".restoring";

/// Says so where a restoration at `path` was cut short.
pub(crate) fn check_is_done(path: &Path) -> Result<()> {
    match beside(path, RESTORING).exists() {
        true => Err(Error::RestoreCutShort { path: path.to_owned() }),
        false => Ok(()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(path, &error)),
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| io(from, &error))
}

fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| io(path, &error))
}

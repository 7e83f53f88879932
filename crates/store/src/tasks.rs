//! Review tasks: pairs of groups that a steward decides about, as they were last settled.

use std::{cmp::Reverse, collections::BTreeSet};

use jiff::{Timestamp, civil::Date};
use record::{RecordKey, RecordVersion};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{
    Error, Result, Shown, Store, TaskReplacement,
    columns::{all, count, key, parsed, time},
    decide::{ETAG, LEASE},
    names::{named, text_id},
    notes::{self, Standing},
    queue::touch,
};

/// The columns that [`task`] reads.
macro_rules! task_where {
    ($condition:literal) => {
        concat!(
            "SELECT t.id, t.reason, t.weight_millibits, t.probability_ppm, t.risk_ppm,
                    t.best_left_agency, t.best_left_local_id,
                    t.best_right_agency, t.best_right_local_id, t.etag,
                    t.statuses, t.priority, t.opened_at, t.waits, t.waits_until, t.first_author
             FROM derived_task AS t ",
            $condition
        )
    };
}

pub(crate) const BY_ID: &str = task_where!("WHERE t.id = ?1");
pub(crate) const BY_PAIR: &str = task_where!(
    "JOIN derived_task_record AS a ON a.task = t.id JOIN derived_task_record AS b ON b.task = t.id
     WHERE a.agency = ?1 AND a.local_id = ?2 AND b.agency = ?3 AND b.local_id = ?4
         AND a.side <> b.side
     ORDER BY t.priority DESC, t.id LIMIT 1"
);
pub(crate) const IDS_BY_PAIR: &str = "
    SELECT a.task FROM derived_task_record AS a JOIN derived_task_record AS b ON b.task = a.task
    WHERE a.agency = ?1 AND a.local_id = ?2 AND b.agency = ?3 AND b.local_id = ?4
        AND a.side <> b.side";
pub(crate) const RECORDS_OF: &str = "
    SELECT agency, local_id, version, side = 'left' FROM derived_task_record WHERE task = ?1
    ORDER BY agency, local_id";
pub(crate) const TASKS_OF: &str =
    "SELECT task FROM derived_task_record WHERE agency = ?1 AND local_id = ?2";
const ALL_RECORDS: &str = "SELECT agency, local_id, task FROM derived_task_record";
pub(crate) const PAIR_OF_TASK: &str =
    "SELECT agency, local_id, other_agency, other_local_id FROM fact_task WHERE id = ?1";
const INSERT_TASK: &str = "
    INSERT INTO derived_task
        (id, reason, weight_millibits, probability_ppm, risk_ppm, statuses, priority,
         best_left_agency, best_left_local_id, best_right_agency, best_right_local_id, etag,
         opened_at, waits, waits_until, first_author, agencies, pathways)
    VALUES (?1, ?2, ?3, ?4, ?5, 0, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, '')";
const INSERT_RECORD: &str = "
    INSERT INTO derived_task_record (agency, local_id, task, side, version)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
/// A status that says nothing of a person is none that hangs on a decision.
pub(crate) const STATUSES_ON: &str = "
    SELECT count(s.label), coalesce(group_concat(DISTINCT s.pathway ORDER BY s.pathway), '')
    FROM derived_task_record AS r CROSS JOIN derived_status AS s
        ON s.agency = r.agency AND s.local_id = r.local_id AND s.label <> 'none'
    WHERE r.task = ?1";
/// Apart from counting: an update from a query takes a savepoint of its own, which in a transaction
/// that writes 100,000 tasks takes the longer the more there are.
pub(crate) const SET_STATUSES: &str = "
    UPDATE derived_task SET statuses = ?2, pathways = ?3, priority = risk_ppm * (1 + ?2)
    WHERE id = ?1 AND (statuses, pathways) <> (?2, ?3)";

/// The id of a task: of its best pair, so that it stays the same while other records come and go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub String);

/// A question for a steward: are these two groups of records one person?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTask {
    /// Its id.
    pub id: TaskId,
    /// One group, sorted.
    pub left: Vec<Shown>,
    /// The other group, sorted.
    pub right: Vec<Shown>,
    /// The record of the left group in the best pair.
    pub best_left: RecordKey,
    /// The record of the right group in the best pair.
    pub best_right: RecordKey,
    /// The match weight of joining the groups, in thousandths of a bit.
    pub weight_millibits: i64,
    /// The match probability, in millionths.
    pub probability_ppm: i64,
    /// The probability that what stands until a decision is wrong, in millionths.
    pub risk_ppm: i64,
    /// Why a steward is asked, by its stable name.
    pub reason: String,
    /// Differs when anything of the above does.
    pub etag: String,
}

/// A task as it stands in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The question.
    pub open: OpenTask,
    /// Statuses of the records of both groups.
    pub statuses: u64,
    /// Risk times one more than the statuses.
    pub priority: u64,
    /// When the question first came up.
    pub opened_at: Timestamp,
    /// What it waits for.
    pub waits: Option<Waits>,
    /// Who gave a verdict that waits for a second one.
    pub first_author: Option<String>,
    /// Who holds it, until when; the lease may be over.
    pub lease: Option<Lease>,
}

/// What a task waits for, other than a steward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// What for.
    pub kind: WaitKind,
    /// The day on which it is open again, whatever happens.
    pub until: Option<Date>,
}

named! {
    /// What a task waits for.
    "wait" WaitKind {
        /// A day.
        Deferred = "deferred",
        /// An agency's answer.
        Asked = "asked",
        /// Somebody else.
        Escalated = "escalated",
    }
}

/// A steward holds a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who.
    pub steward: String,
    /// When it ends.
    pub until: Timestamp,
}

text_id!(TaskId);

impl Task {
    /// What it waits for on a day, if not for a steward.
    pub fn waits_on(&self, day: Date) -> Option<Waits> {
        self.waits.filter(|waits| waits.lasts_on(day))
    }
}

impl Waits {
    /// Whether the wait is not over on a day.
    pub(crate) fn lasts_on(self, day: Date) -> bool {
        self.until.is_none_or(|until| until > day)
    }
}

impl Store {
    /// A task.
    ///
    /// Errors: `NotFound`, also when it was settled since.
    pub fn task(&self, id: &TaskId) -> Result<Task> {
        self.read(|db| find(db, id))
    }

    /// The tasks that ask whether two records are one person, the most urgent first.
    pub fn tasks_about(&self, one: &RecordKey, other: &RecordKey) -> Result<Vec<Task>> {
        self.read(|db| {
            let ids = ids_about(db, one, other)?;
            let found: Result<Vec<Task>> = ids.iter().map(|id| find(db, id)).collect();
            let mut found = found?;
            found.sort_by_key(|task| Reverse(task.priority));
            Ok(found)
        })
    }

    /// The task that the question of a task that is no more has become: that about the same two
    /// records.
    pub fn task_that_follows(&self, id: &TaskId) -> Result<Option<TaskId>> {
        self.read(|db| {
            let pair = |row: &Row<'_>| Ok((key(row, 0)?, key(row, 2)?));
            let pair = db.prepare_cached(PAIR_OF_TASK)?.query_row([id], pair).optional()?;
            let Some((one, other)) = pair else { return Ok(None) };
            let found = find_about(db, &one, &other)?;
            Ok(found.map(|found| found.open.id).filter(|found| found != id))
        })
    }
}

/// A task with its groups and its lease.
pub(crate) fn find(db: &Connection, id: &TaskId) -> Result<Task> {
    let found = db.prepare_cached(BY_ID)?.query_row([id], task).optional()?;
    with_records(db, found.ok_or(Error::NotFound { what: "task" })?)
}

/// The most urgent task with one record in each group, without its groups and its lease.
pub(crate) fn find_about(
    db: &Connection,
    one: &RecordKey,
    other: &RecordKey,
) -> Result<Option<Task>> {
    let mut query = db.prepare_cached(BY_PAIR)?;
    Ok(query.query_row(pair_values(one, other), task).optional()?)
}

fn pair_values<'a>(
    one: &'a RecordKey,
    other: &'a RecordKey,
) -> (&'a str, &'a str, &'a str, &'a str) {
    (one.agency.as_str(), one.local_id.as_str(), other.agency.as_str(), other.local_id.as_str())
}

/// The tasks with one record in each group, by id.
fn ids_about(db: &Connection, one: &RecordKey, other: &RecordKey) -> Result<BTreeSet<TaskId>> {
    let mut query = db.prepare_cached(IDS_BY_PAIR)?;
    let pair = pair_values(one, other);
    let ids = query.query_map(pair, |row| row.get(0))?;
    ids.map(|id| Ok(id?)).collect()
}

/// Removes the tasks that touch the touched records, and writes the open ones. Those that stay as they
/// are are not written: at a start, nearly all do.
pub(crate) fn replace(db: &Connection, replacement: &TaskReplacement, at: Timestamp) -> Result<()> {
    let mut gone = touching(db, &replacement.touched)?;
    gone.extend(replacement.closed.iter().cloned());
    let mut written = Vec::new();
    for task in &replacement.open {
        let etag = db.prepare_cached(ETAG)?.query_row([&task.id], |row| row.get(0)).optional()?;
        let etag: Option<String> = etag;
        if etag.as_ref() == Some(&task.etag) {
            gone.remove(&task.id);
        } else {
            gone.extend(etag.map(|_| task.id.clone()));
            written.push(task);
        }
    }
    for id in &gone {
        db.prepare_cached("DELETE FROM derived_task WHERE id = ?1")?.execute([id])?;
        db.prepare_cached("DELETE FROM derived_task_record WHERE task = ?1")?.execute([id])?;
        touch(db, id)?;
    }
    for task in written {
        insert(db, task, at)?;
        count_statuses(db, &task.id)?;
    }
    Ok(())
}

/// From so many records on, all tasks are read instead of those of each record.
const RECORDS_ASKED_MAX: usize = 10_000;

/// The tasks that touch any of `records`, which are sorted.
fn touching(db: &Connection, records: &[RecordKey]) -> Result<BTreeSet<TaskId>> {
    let mut found = BTreeSet::new();
    if records.len() > RECORDS_ASKED_MAX {
        let mut query = db.prepare_cached(ALL_RECORDS)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            if records.binary_search(&key(row, 0)?).is_ok() {
                found.insert(row.get(2)?);
            }
        }
        return Ok(found);
    }
    let mut query = db.prepare_cached(TASKS_OF)?;
    for record in records {
        let key = (record.agency.as_str(), record.local_id.as_str());
        found.extend(all(query.query_map(key, |row| row.get::<_, TaskId>(0))?)?);
    }
    Ok(found)
}

/// Counts what hangs on the tasks of a record anew.
pub(crate) fn count_statuses_of(db: &Connection, record: &RecordKey) -> Result<()> {
    let key = (record.agency.as_str(), record.local_id.as_str());
    let tasks: Vec<TaskId> = all(db.prepare_cached(TASKS_OF)?.query_map(key, |row| row.get(0))?)?;
    tasks.iter().try_for_each(|task| count_statuses(db, task))
}

fn count_statuses(db: &Connection, task: &TaskId) -> Result<()> {
    let mut query = db.prepare_cached(STATUSES_ON)?;
    let (found, pathways): (i64, String) =
        query.query_row([task], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if db.prepare_cached(SET_STATUSES)?.execute((task, found, pathways))? > 0 {
        touch(db, task)?;
    }
    Ok(())
}

/// Writes what was said of two records meanwhile, to every task between them.
pub(crate) fn renew_standings(db: &Connection, one: &RecordKey, other: &RecordKey) -> Result<()> {
    ids_about(db, one, other)?.iter().try_for_each(|id| renew_standing(db, id))
}

fn renew_standing(db: &Connection, id: &TaskId) -> Result<()> {
    let task = find(db, id)?.open;
    let Standing { waits, first_author, .. } = notes::standing(db, &task)?;
    let (kind, until) = columns(waits);
    let update = "UPDATE derived_task SET waits = ?2, waits_until = ?3, first_author = ?4
                  WHERE id = ?1";
    db.prepare_cached(update)?.execute((id, kind, until, first_author))?;
    touch(db, id)
}

fn columns(waits: Option<Waits>) -> (Option<WaitKind>, Option<String>) {
    let until = waits.and_then(|waits| waits.until).map(|until| until.to_string());
    (waits.map(|waits| waits.kind), until)
}

fn insert(db: &Connection, task: &OpenTask, at: Timestamp) -> Result<()> {
    touch(db, &task.id)?;
    let standing = notes::standing(db, task)?;
    notes::opened(db, task, at)?;
    let (kind, until) = columns(standing.waits);
    db.prepare_cached(INSERT_TASK)?.execute((
        &task.id,
        &task.reason,
        task.weight_millibits,
        task.probability_ppm,
        task.risk_ppm,
        task.best_left.agency.as_str(),
        task.best_left.local_id.as_str(),
        task.best_right.agency.as_str(),
        task.best_right.local_id.as_str(),
        &task.etag,
        standing.opened_at.unwrap_or(at).as_microsecond(),
        kind,
        until,
        standing.first_author,
        agencies(task),
    ))?;
    let mut insert = db.prepare_cached(INSERT_RECORD)?;
    for (records, side) in [(&task.left, "left"), (&task.right, "right")] {
        for Shown { record: RecordKey { agency, local_id }, version } in records {
            let row = (agency.as_str(), local_id.as_str(), &task.id, side, version.0);
            if insert.execute(row)? == 0 {
                return Err(Error::conflict("a record stands once in a task, in one group"));
            }
        }
    }
    Ok(())
}

/// The agencies with a record in either group, as a list.
fn agencies(task: &OpenTask) -> String {
    let agencies: BTreeSet<&str> = task.records().map(|record| record.agency.as_str()).collect();
    agencies.into_iter().collect::<Vec<_>>().join(",")
}

/// What a task waits for, from its columns `waits` at `column` and `waits_until` after it.
pub(crate) fn waits(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Waits>> {
    let until = row.get::<_, Option<String>>(column + 1)?;
    let until = until.map(|_| parsed(row, column + 1)).transpose()?;
    let kind: Option<WaitKind> = row.get(column)?;
    Ok(kind.map(|kind| Waits { kind, until }))
}

/// A task without its groups and its lease.
fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    let open = OpenTask {
        id: row.get(0)?,
        left: Vec::new(),
        right: Vec::new(),
        best_left: key(row, 5)?,
        best_right: key(row, 7)?,
        weight_millibits: row.get(2)?,
        probability_ppm: row.get(3)?,
        risk_ppm: row.get(4)?,
        reason: row.get(1)?,
        etag: row.get(9)?,
    };
    Ok(Task {
        open,
        statuses: count(row, 10)?,
        priority: count(row, 11)?,
        opened_at: time(row, 12)?,
        waits: waits(row, 13)?,
        first_author: row.get(15)?,
        lease: None,
    })
}

/// Fills in the groups and the lease of a task.
fn with_records(db: &Connection, mut task: Task) -> Result<Task> {
    let mut query = db.prepare_cached(RECORDS_OF)?;
    let mut rows = query.query([&task.open.id])?;
    while let Some(row) = rows.next()? {
        let shown = Shown { record: key(row, 0)?, version: RecordVersion(row.get(2)?) };
        let group = if row.get(3)? { &mut task.open.left } else { &mut task.open.right };
        group.push(shown);
    }
    let mut query = db.prepare_cached(LEASE)?;
    let lease = query
        .query_row([&task.open.id], |row| Ok(Lease { steward: row.get(0)?, until: time(row, 1)? }));
    task.lease = lease.optional()?;
    Ok(task)
}

//! Review tasks: pairs of groups that a steward decides about.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use record::{AgencyId, RecordKey};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    Error, Result, Store, TaskReplacement,
    columns::{all, count, key, page, parsed, time},
    names::{named, text_id},
};

/// The columns that [`task`] reads.
macro_rules! task_where {
    ($condition:literal) => {
        concat!(
            "SELECT t.id, t.reason, t.weight_millibits, t.probability_ppm,
                    t.best_left_agency, t.best_left_local_id,
                    t.best_right_agency, t.best_right_local_id,
                    d.until, d.author, d.reason, d.at
             FROM derived_task AS t LEFT JOIN fact_deferral AS d ON d.number =
                 (SELECT max(l.number) FROM fact_deferral AS l WHERE l.task = t.id)
             WHERE ",
            $condition
        )
    };
}

pub(crate) const BY_ID: &str = task_where!("t.id = ?1");
pub(crate) const PAGE: &str = task_where!(
    "t.weight_millibits <= ?1 AND (t.weight_millibits < ?1 OR t.id > ?2)
     AND (coalesce(d.until, '') > ?3) = ?4
     AND (?5 IS NULL OR t.reason = ?5)
     AND (?6 IS NULL OR EXISTS (
         SELECT 1 FROM derived_task_record AS r WHERE r.task = t.id AND r.agency = ?6))
     ORDER BY t.weight_millibits DESC, t.id LIMIT ?7"
);
const COUNT: &str = concat!(
    "SELECT count(*) FROM (",
    task_where!(
        "(coalesce(d.until, '') > ?1) = ?2
         AND (?3 IS NULL OR t.reason = ?3)
         AND (?4 IS NULL OR EXISTS (
             SELECT 1 FROM derived_task_record AS r WHERE r.task = t.id AND r.agency = ?4))"
    ),
    ")"
);
pub(crate) const RECORDS_OF: &str = "
    SELECT agency, local_id, side = 'left' FROM derived_task_record WHERE task = ?1
    ORDER BY agency, local_id";
pub(crate) const TASKS_OF: &str =
    "SELECT task FROM derived_task_record WHERE agency = ?1 AND local_id = ?2";
const COUNTS: &str = "
    SELECT reason, count(*) FILTER (WHERE NOT deferred), count(*) FILTER (WHERE deferred)
    FROM (SELECT t.reason, coalesce((SELECT d.until FROM fact_deferral AS d WHERE d.task = t.id
                                     ORDER BY d.number DESC LIMIT 1), '') > ?1 AS deferred
          FROM derived_task AS t)
    GROUP BY reason ORDER BY reason";
const INSERT_TASK: &str = "
    INSERT INTO derived_task
        (id, reason, weight_millibits, probability_ppm, best_left_agency, best_left_local_id,
         best_right_agency, best_right_local_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const INSERT_RECORD: &str = "
    INSERT INTO derived_task_record (agency, local_id, task, side) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO NOTHING";

/// The id of a task: the same groups and reason give the same id, whenever they are settled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub String);

/// A question for a steward: are these two groups of records one person?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTask {
    /// Its id.
    pub id: TaskId,
    /// One group, sorted.
    pub left: Vec<RecordKey>,
    /// The other group, sorted.
    pub right: Vec<RecordKey>,
    /// The record of the left group in the best pair.
    pub best_left: RecordKey,
    /// The record of the right group in the best pair.
    pub best_right: RecordKey,
    /// The match weight of joining the groups, in thousandths of a bit.
    pub weight_millibits: i64,
    /// The match probability, in millionths.
    pub probability_ppm: i64,
    /// Why a steward is asked, by its stable name.
    pub reason: String,
}

/// A task and whether it was put off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The question.
    pub open: OpenTask,
    /// The last time it was put off.
    pub deferral: Option<Deferral>,
}

/// A task was put off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferral {
    /// The day on which it is open again.
    pub until: Date,
    /// Who put it off.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

named! {
    /// Whether a task waits for a steward.
    "task state" TaskState {
        /// It does.
        Open = "open",
        /// It was put off to a later day.
        Deferred = "deferred",
    }
}

/// Which tasks to list; `None` is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFilter {
    /// Whether they wait.
    pub state: TaskState,
    /// Today: a task is deferred before the day until which it was put off.
    pub on: Date,
    /// Why a steward is asked.
    pub reason: Option<String>,
    /// An agency with a record in either group.
    pub agency: Option<AgencyId>,
}

/// The place of a task in the list: the next page starts after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPlace {
    /// Its weight.
    pub weight_millibits: i64,
    /// Its id.
    pub id: TaskId,
}

/// How many tasks there are for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskCount {
    /// Why a steward is asked.
    pub reason: String,
    /// Those that wait.
    pub open: u64,
    /// Those put off.
    pub deferred: u64,
}

text_id!(TaskId);

impl OpenTask {
    /// Where the task stands in the list.
    pub fn place(&self) -> TaskPlace {
        TaskPlace { weight_millibits: self.weight_millibits, id: self.id.clone() }
    }
}

impl Store {
    /// Tasks, the heaviest first and then by id, `limit` at most.
    pub fn tasks(
        &self,
        filter: &TaskFilter,
        after: Option<&TaskPlace>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let (weight, id) =
            after.map_or((i64::MAX, ""), |place| (place.weight_millibits, place.id.0.as_str()));
        let is_deferred = filter.state == TaskState::Deferred;
        let agency = filter.agency.as_ref().map(AgencyId::as_str);
        let (on, limit) = (filter.on.to_string(), page(limit));
        self.read(|db| {
            let mut query = db.prepare_cached(PAGE)?;
            let page = params![weight, id, on, is_deferred, filter.reason, agency, limit];
            let tasks = all(query.query_map(page, task)?)?;
            tasks.into_iter().map(|task| with_records(db, task)).collect()
        })
    }

    /// How many tasks a filter lets through.
    pub fn task_count(&self, filter: &TaskFilter) -> Result<u64> {
        let is_deferred = filter.state == TaskState::Deferred;
        let agency = filter.agency.as_ref().map(AgencyId::as_str);
        let on = filter.on.to_string();
        self.read(|db| {
            let mut query = db.prepare_cached(COUNT)?;
            let values = params![on, is_deferred, filter.reason, agency];
            Ok(query.query_row(values, |row| count(row, 0))?)
        })
    }

    /// A task.
    ///
    /// Errors: `NotFound`, also when it was settled since.
    pub fn task(&self, id: &TaskId) -> Result<Task> {
        self.read(|db| {
            let found = db.prepare_cached(BY_ID)?.query_row([id], task).optional()?;
            with_records(db, found.ok_or(Error::NotFound { what: "task" })?)
        })
    }

    /// How many tasks there are on a day, by reason.
    pub fn task_counts(&self, on: Date) -> Result<Vec<TaskCount>> {
        self.read(|db| {
            all(db.prepare_cached(COUNTS)?.query_map([on.to_string()], |row| {
                Ok(TaskCount {
                    reason: row.get(0)?,
                    open: count(row, 1)?,
                    deferred: count(row, 2)?,
                })
            })?)
        })
    }

    /// Puts a task off.
    ///
    /// Errors: `NotFound`.
    pub fn defer_task(&self, id: &TaskId, deferral: &Deferral) -> Result<()> {
        let (id, deferral) = (id.clone(), deferral.clone());
        self.write(1, move |writing| {
            if !writing.db.prepare_cached(BY_ID)?.exists([&id])? {
                return Err(Error::NotFound { what: "task" });
            }
            let Deferral { until, author, reason, at } = deferral;
            let insert = "INSERT INTO fact_deferral (task, until, author, reason, at)
                          VALUES (?1, ?2, ?3, ?4, ?5)";
            let values = (id, until.to_string(), author, reason, at.as_microsecond());
            writing.db.prepare_cached(insert)?.execute(values)?;
            Ok(())
        })
    }
}

/// Removes the tasks that touch the touched records and writes the open ones.
pub(crate) fn replace(db: &Connection, replacement: &TaskReplacement) -> Result<()> {
    let mut tasks_of = db.prepare_cached(TASKS_OF)?;
    let mut gone: BTreeSet<TaskId> = replacement.open.iter().map(|task| task.id.clone()).collect();
    for record in &replacement.touched {
        let key = (record.agency.as_str(), record.local_id.as_str());
        gone.extend(all(tasks_of.query_map(key, |row| row.get(0))?)?);
    }
    for id in &gone {
        db.prepare_cached("DELETE FROM derived_task WHERE id = ?1")?.execute([id])?;
        db.prepare_cached("DELETE FROM derived_task_record WHERE task = ?1")?.execute([id])?;
    }
    replacement.open.iter().try_for_each(|task| insert(db, task))
}

fn insert(db: &Connection, task: &OpenTask) -> Result<()> {
    db.prepare_cached(INSERT_TASK)?.execute((
        &task.id,
        &task.reason,
        task.weight_millibits,
        task.probability_ppm,
        task.best_left.agency.as_str(),
        task.best_left.local_id.as_str(),
        task.best_right.agency.as_str(),
        task.best_right.local_id.as_str(),
    ))?;
    let mut insert = db.prepare_cached(INSERT_RECORD)?;
    for (records, side) in [(&task.left, "left"), (&task.right, "right")] {
        for RecordKey { agency, local_id } in records {
            if insert.execute((agency.as_str(), local_id.as_str(), &task.id, side))? == 0 {
                return Err(Error::conflict("a record stands once in a task, in one group"));
            }
        }
    }
    Ok(())
}

/// A task without its groups.
fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    let is_deferred = row.get::<_, Option<String>>(8)?.is_some();
    let deferral = || -> rusqlite::Result<Deferral> {
        let (author, reason) = (row.get(9)?, row.get(10)?);
        Ok(Deferral { until: parsed(row, 8)?, author, reason, at: time(row, 11)? })
    };
    let open = OpenTask {
        id: row.get(0)?,
        left: Vec::new(),
        right: Vec::new(),
        best_left: key(row, 4)?,
        best_right: key(row, 6)?,
        weight_millibits: row.get(2)?,
        probability_ppm: row.get(3)?,
        reason: row.get(1)?,
    };
    Ok(Task { open, deferral: is_deferred.then(deferral).transpose()? })
}

/// Fills in the groups of a task.
fn with_records(db: &Connection, mut task: Task) -> Result<Task> {
    let mut query = db.prepare_cached(RECORDS_OF)?;
    let mut rows = query.query([&task.open.id])?;
    while let Some(row) = rows.next()? {
        let group = if row.get(2)? { &mut task.open.left } else { &mut task.open.right };
        group.push(key(row, 0)?);
    }
    drop(rows);
    drop(query);
    Ok(task)
}

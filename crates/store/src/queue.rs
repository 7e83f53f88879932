//! The queue of stewards: tasks by urgency, each given to one steward at a time.

mod index;

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp, civil::Date};
use record::AgencyId;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{
    Error, Lease, Result, Store, Task, TaskId, WaitKind,
    columns::time,
    decide::{LEASE, Objection, held_by_another},
    tasks::find,
};
#[cfg(test)]
pub(crate) use index::BY_ID as LISTED_BY_ID;
pub(crate) use index::{Kind, Queue, touch, touch_all};

/// Tasks that a steward is not given: those that others hold or the steward skipped today, and those
/// that the transaction has changed, which the queue does not know yet.
const SET_ASIDE: &str = "
    SELECT task FROM work_lease WHERE steward <> :steward AND until > :now
    UNION ALL SELECT task FROM work_skip WHERE steward = :steward AND day = :day
    UNION ALL SELECT id FROM touched_task";

/// Which tasks a list holds, by what they wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// A steward's verdict, the first or the second.
    Now,
    /// A steward's first verdict.
    Open,
    /// A second steward's.
    Second,
    /// Something else.
    Waiting(WaitKind),
}

/// Which tasks to list; `None` is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFilter {
    /// What they wait for.
    pub state: TaskState,
    /// Today: a task waits before the day until which it was put off.
    pub on: Date,
    /// Why a steward is asked.
    pub reason: Option<String>,
    /// An agency with a record in either group.
    pub agency: Option<AgencyId>,
    /// A pathway in which a record of either group has a status.
    pub pathway: Option<String>,
    /// When they came up at the latest.
    pub opened_before: Option<Timestamp>,
    /// The least weight, in thousandths of a bit.
    pub weight_from: Option<i64>,
    /// The weight from which on they are left out, in thousandths of a bit.
    pub weight_to: Option<i64>,
}

/// The place of a task in the list: the next page starts after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPlace {
    /// Its priority.
    pub priority: u64,
    /// Its id.
    pub id: TaskId,
}

/// What a steward asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who.
    pub steward: String,
    /// Now.
    pub at: Timestamp,
    /// How long nobody else is to be given the task.
    pub lease: SignedDuration,
    /// Which task.
    pub which: Claimed,
}

/// Which task a steward asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// This one.
    Task(TaskId),
    /// The most urgent one that the filter lets through, that nobody else holds, and that the
    /// steward has neither judged nor skipped today.
    Next(TaskFilter),
}

impl TaskFilter {
    /// All tasks in a state on a day.
    pub fn all(state: TaskState, on: Date) -> Self {
        Self {
            state,
            on,
            reason: None,
            agency: None,
            pathway: None,
            opened_before: None,
            weight_from: None,
            weight_to: None,
        }
    }
}

impl Task {
    /// Where the task stands in the list.
    pub fn place(&self) -> TaskPlace {
        TaskPlace { priority: self.priority, id: self.open.id.clone() }
    }
}

impl Store {
    /// Tasks, the most urgent first and then by id, `limit` at most.
    pub fn tasks(
        &self,
        filter: &TaskFilter,
        after: Option<&TaskPlace>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let mut found = Vec::new();
        let mut after = after.cloned();
        while found.len() < limit {
            let places = self.queue().read().page(filter, after.as_ref(), limit - found.len());
            let Some(last) = places.last() else { break };
            after = Some(last.clone());
            found.extend(self.tasks_still_there(&places)?);
        }
        Ok(found)
    }

    /// The tasks at places of the queue, without those that were settled meanwhile.
    fn tasks_still_there(&self, places: &[TaskPlace]) -> Result<Vec<Task>> {
        self.read(|db| {
            let found = places.iter().map(|place| find(db, &place.id));
            found.filter(|found| !matches!(found, Err(Error::NotFound { .. }))).collect()
        })
    }

    /// How many tasks a filter lets through.
    pub fn task_count(&self, filter: &TaskFilter) -> u64 {
        self.queue().read().count(filter)
    }

    /// Gives a task to a steward; a task that the steward holds is held anew. `None`: there is none
    /// to give.
    ///
    /// Errors: `NotFound` for a named task that is not there.
    pub fn claim(&self, claim: &Claim) -> Result<std::result::Result<Option<Task>, Objection>> {
        let (claim, queue) = (claim.clone(), self.queue().clone());
        self.write(1, move |writing| {
            let db = writing.db;
            let id = match &claim.which {
                Claimed::Task(id) => {
                    if let Some(held) = held_by_another(db, &id.0, &claim.steward, claim.at)? {
                        return Ok(Err(held));
                    }
                    Some(find(db, id)?.open.id)
                }
                Claimed::Next(filter) => {
                    let aside = set_aside(db, &claim, filter.on)?;
                    queue.read().next(filter, &claim.steward, &aside)
                }
            };
            let Some(id) = id else { return Ok(Ok(None)) };
            hold(db, &id, &claim)?;
            Ok(Ok(Some(find(db, &id)?)))
        })
    }

    /// Gives a task back, if the steward holds it; with `skip`, the steward is not given it again on
    /// that day.
    pub fn release_task(&self, id: &TaskId, steward: &str, skip: Option<Date>) -> Result<()> {
        let (id, steward) = (id.clone(), steward.to_owned());
        self.write(1, move |writing| {
            let mut query = writing.db.prepare_cached(LEASE)?;
            let lease = query
                .query_row([&id], |row| Ok(Lease { steward: row.get(0)?, until: time(row, 1)? }));
            if lease.optional()?.is_some_and(|lease| lease.steward == steward) {
                release(writing.db, &id)?;
            }
            if let Some(day) = skip {
                let insert = "INSERT OR REPLACE INTO work_skip (steward, task, day)
                              VALUES (?1, ?2, ?3)";
                let mut insert = writing.db.prepare_cached(insert)?;
                insert.execute((&steward, &id, day.to_string()))?;
            }
            Ok(())
        })
    }
}

/// Ends the lease of a task.
pub(crate) fn release(db: &Connection, id: &TaskId) -> Result<()> {
    db.prepare_cached("DELETE FROM work_lease WHERE task = ?1")?.execute([id])?;
    Ok(())
}

/// The tasks that a steward is not given on a day.
fn set_aside(db: &Connection, claim: &Claim, day: Date) -> Result<HashSet<TaskId>> {
    let mut query = db.prepare_cached(SET_ASIDE)?;
    let values = named_params! {
        ":steward": claim.steward, ":now": claim.at.as_microsecond(), ":day": day.to_string(),
    };
    let aside = query.query_map(values, |row| row.get(0))?;
    Ok(aside.collect::<rusqlite::Result<_>>()?)
}

/// Writes a lease, and forgets those that are over.
fn hold(db: &Connection, id: &TaskId, claim: &Claim) -> Result<()> {
    let now = claim.at.as_microsecond();
    db.prepare_cached("DELETE FROM work_lease WHERE until <= ?1")?.execute([now])?;
    let until = claim.at.saturating_add(claim.lease).unwrap_or(Timestamp::MAX);
    let insert = "INSERT OR REPLACE INTO work_lease (task, steward, until) VALUES (?1, ?2, ?3)";
    let lease = (id, &claim.steward, until.as_microsecond());
    db.prepare_cached(insert)?.execute(lease)?;
    Ok(())
}

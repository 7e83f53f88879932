//! The queue of stewards: tasks by urgency, each given to one steward at a time.

use jiff::{SignedDuration, Timestamp, civil::Date};
use record::AgencyId;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{
    Lease, Result, Store, Task, TaskId, WaitKind,
    columns::{all, count, int, page, time},
    decide::{LEASE, Objection, held_by_another},
    tasks::{find, task, task_where, with_records},
};

/// What a filter lets through; `:mine` are the states that a steward can settle now.
macro_rules! filtered {
    ($start:literal, $more:literal) => {
        concat!(
            $start,
            " WHERE CASE :state
                  WHEN 'now' THEN t.waits IS NULL
                      OR (t.waits <> 'escalated' AND t.waits_until <= :day)
                  WHEN 'open' THEN t.first_author IS NULL AND (t.waits IS NULL
                      OR (t.waits <> 'escalated' AND t.waits_until <= :day))
                  WHEN 'second' THEN t.first_author IS NOT NULL AND (t.waits IS NULL
                      OR (t.waits <> 'escalated' AND t.waits_until <= :day))
                  WHEN 'escalated' THEN t.waits = 'escalated'
                  ELSE t.waits = :state AND t.waits_until > :day END
              AND (:reason IS NULL OR t.reason = :reason)
              AND (:before IS NULL OR t.opened_at <= :before)
              AND t.weight_millibits >= :weight_from AND t.weight_millibits < :weight_to
              AND (:agency IS NULL OR EXISTS (
                  SELECT 1 FROM derived_task_record AS r
                  WHERE r.task = t.id AND r.agency = :agency))
              AND (:pathway IS NULL OR EXISTS (
                  SELECT 1 FROM derived_task_record AS r JOIN derived_status AS s
                      ON s.agency = r.agency AND s.local_id = r.local_id
                  WHERE r.task = t.id AND s.pathway = :pathway AND s.label <> 'none')) ",
            $more
        )
    };
}

const SELECT: &str = task_where!("");
const PAGE_REST: &str = filtered!(
    "",
    "AND t.priority <= :priority AND (t.priority < :priority OR t.id > :id)
     ORDER BY t.priority DESC, t.id LIMIT :limit"
);
const COUNT: &str = filtered!("SELECT count(*) FROM derived_task AS t", "");
const NEXT_REST: &str = filtered!(
    "",
    "AND (t.first_author IS NULL OR t.first_author <> :steward)
     AND NOT EXISTS (SELECT 1 FROM work_lease AS l
                     WHERE l.task = t.id AND l.steward <> :steward AND l.until > :now)
     AND NOT EXISTS (SELECT 1 FROM work_skip AS s
                     WHERE s.steward = :steward AND s.task = t.id AND s.day = :day)
     ORDER BY t.priority DESC, t.id LIMIT 1"
);

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

impl TaskState {
    fn name(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Open => "open",
            Self::Second => "second",
            Self::Waiting(kind) => kind.as_str(),
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
        let (priority, id) =
            after.map_or((i64::MAX, ""), |place| (int(place.priority), place.id.0.as_str()));
        self.read(|db| {
            let mut query = db.prepare_cached(&page_query())?;
            let values = Values::of(filter);
            let tasks = all(query.query_map(
                named_params! {
                    ":state": values.state, ":day": values.day, ":reason": filter.reason,
                    ":before": values.before, ":weight_from": values.from,
                    ":weight_to": values.to, ":agency": values.agency,
                    ":pathway": filter.pathway, ":priority": priority, ":id": id,
                    ":limit": page(limit),
                },
                task,
            )?)?;
            tasks.into_iter().map(|task| with_records(db, task)).collect()
        })
    }

    /// How many tasks a filter lets through.
    pub fn task_count(&self, filter: &TaskFilter) -> Result<u64> {
        self.read(|db| {
            let mut query = db.prepare_cached(COUNT)?;
            let values = Values::of(filter);
            Ok(query.query_row(
                named_params! {
                    ":state": values.state, ":day": values.day, ":reason": filter.reason,
                    ":before": values.before, ":weight_from": values.from,
                    ":weight_to": values.to, ":agency": values.agency,
                    ":pathway": filter.pathway,
                },
                |row| count(row, 0),
            )?)
        })
    }

    /// Gives a task to a steward; a task that the steward holds is held anew. `None`: there is none
    /// to give.
    ///
    /// Errors: `NotFound` for a named task that is not there.
    pub fn claim(&self, claim: &Claim) -> Result<std::result::Result<Option<Task>, Objection>> {
        let claim = claim.clone();
        self.write(1, move |writing| {
            let db = writing.db;
            let id = match &claim.which {
                Claimed::Task(id) => {
                    if let Some(held) = held_by_another(db, &id.0, &claim.steward, claim.at)? {
                        return Ok(Err(held));
                    }
                    Some(find(db, id)?.open.id)
                }
                Claimed::Next(filter) => next(db, filter, &claim)?,
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

/// A page of tasks as a query.
pub(crate) fn page_query() -> String {
    format!("{SELECT}{PAGE_REST}")
}

/// The next task of a steward as a query.
pub(crate) fn next_query() -> String {
    format!("{SELECT}{NEXT_REST}")
}

/// Ends the lease of a task.
pub(crate) fn release(db: &Connection, id: &TaskId) -> Result<()> {
    db.prepare_cached("DELETE FROM work_lease WHERE task = ?1")?.execute([id])?;
    Ok(())
}

fn next(db: &Connection, filter: &TaskFilter, claim: &Claim) -> Result<Option<TaskId>> {
    let mut query = db.prepare_cached(&next_query())?;
    let values = Values::of(filter);
    let found = query.query_row(
        named_params! {
            ":state": values.state, ":day": values.day, ":reason": filter.reason,
            ":before": values.before, ":weight_from": values.from, ":weight_to": values.to,
            ":agency": values.agency, ":pathway": filter.pathway, ":steward": claim.steward,
            ":now": claim.at.as_microsecond(),
        },
        |row| row.get(0),
    );
    Ok(found.optional()?)
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

/// A filter as values of a query.
struct Values<'a> {
    state: &'static str,
    day: String,
    before: Option<i64>,
    from: i64,
    to: i64,
    agency: Option<&'a str>,
}

impl<'a> Values<'a> {
    fn of(filter: &'a TaskFilter) -> Self {
        Self {
            state: filter.state.name(),
            day: filter.on.to_string(),
            before: filter.opened_before.map(|moment| moment.as_microsecond()),
            from: filter.weight_from.unwrap_or(i64::MIN),
            to: filter.weight_to.unwrap_or(i64::MAX),
            agency: filter.agency.as_ref().map(AgencyId::as_str),
        }
    }
}

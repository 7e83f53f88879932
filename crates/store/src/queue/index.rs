//! The tasks in memory, the most urgent first, with what filters look at: a filter that lets through
//! few of 100,000 tasks, or none, has to look at all of them, and reading a table of them takes longer
//! than a steward is to wait.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{TaskFilter, TaskPlace, TaskState};
use crate::{
    Result, TaskId, WaitKind, Waits,
    columns::{all, count, time},
    tasks::waits,
};

/// The columns that [`listed`] reads.
macro_rules! listed_where {
    ($condition:literal) => {
        concat!(
            "SELECT id, priority, waits, waits_until, first_author, reason, weight_millibits,
                    opened_at, agencies, pathways
             FROM derived_task ",
            $condition
        )
    };
}

const ALL: &str = listed_where!("");
pub(crate) const BY_ID: &str = listed_where!("WHERE id = ?1");

/// Which tasks a transaction of the writer adds, changes or removes. A table, so that what is rolled
/// back is forgotten. No triggers fill it: they would give each statement a savepoint of its own, and
/// in a transaction that writes 100,000 tasks each of these takes longer than the one before.
const NOTE_TOUCHED: &str = "
    CREATE TEMP TABLE touched_task (id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID";
const TOUCH: &str = "INSERT OR IGNORE INTO touched_task VALUES (?1)";
const TOUCH_ALL: &str = "INSERT OR IGNORE INTO touched_task SELECT id FROM derived_task";
const TOUCHED: &str = "SELECT id FROM touched_task";
const FORGET_TOUCHED: &str = "DELETE FROM touched_task";

/// Has the queue take over a task that the transaction adds, changes or removes.
pub(crate) fn touch(db: &Connection, id: &TaskId) -> Result<()> {
    db.prepare_cached(TOUCH)?.execute([id])?;
    Ok(())
}

/// The same of all tasks.
pub(crate) fn touch_all(db: &Connection) -> Result<()> {
    db.execute(TOUCH_ALL, [])?;
    Ok(())
}

/// The tasks as of the last commit, shared by the writer, who keeps them so, and all readers.
pub(crate) struct Queue(RwLock<QueueIndex>);

impl Queue {
    /// Reads the tasks over the connection that will write them.
    pub(crate) fn open(writer: &Connection) -> Result<Self> {
        writer.execute_batch(NOTE_TOUCHED)?;
        let mut index = QueueIndex::default();
        let mut query = writer.prepare(ALL)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            index.put(&row.get(0)?, Some(listed(row)?));
        }
        Ok(Self(RwLock::new(index)))
    }

    /// Takes over what the writer has committed. What cannot be read now is taken over after the next
    /// commit.
    pub(crate) fn renew(&self, writer: &Connection) -> Result<()> {
        let touched: Vec<TaskId> =
            all(writer.prepare_cached(TOUCHED)?.query_map([], |row| row.get(0))?)?;
        if touched.is_empty() {
            return Ok(());
        }
        let mut query = writer.prepare_cached(BY_ID)?;
        let read = |id: TaskId| {
            let found = query.query_row([&id], listed).optional()?;
            Ok((id, found))
        };
        let renewed = touched.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        let mut index = self.0.write().unwrap_or_else(PoisonError::into_inner);
        renewed.into_iter().for_each(|(id, listed)| index.put(&id, listed));
        writer.prepare_cached(FORGET_TOUCHED)?.execute([])?;
        Ok(())
    }

    /// The tasks. Whoever holds them keeps the writer from answering.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, QueueIndex> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A text that many tasks share, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Word(u32);

/// The texts that tasks share: reasons, stewards, and lists of agencies and pathways.
#[derive(Default)]
struct Words {
    texts: Vec<String>,
    numbers: HashMap<String, Word>,
}

impl Words {
    fn number(&mut self, text: &str) -> Word {
        if let Some(word) = self.numbers.get(text) {
            return *word;
        }
        let word = Word(u32::try_from(self.texts.len()).expect("tasks share fewer texts"));
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), word);
        word
    }

    /// For each text, whether `wanted` is it or stands in it, if it is a list.
    fn with(&self, wanted: &str) -> Vec<bool> {
        self.texts.iter().map(|text| text.split(',').any(|part| part == wanted)).collect()
    }
}

/// What filters look at in a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    waits: Option<Waits>,
    first_author: Option<Word>,
    reason: Word,
    agencies: Word,
    pathways: Word,
    weight_millibits: i64,
    opened_at: Timestamp,
}

impl Entry {
    /// What the task waits for on a day, if not for a steward.
    fn waits_for(&self, day: Date) -> Option<WaitKind> {
        self.waits.filter(|waits| waits.lasts_on(day)).map(|waits| waits.kind)
    }
}

/// A row of the table of tasks.
struct Listed {
    priority: u64,
    waits: Option<Waits>,
    first_author: Option<String>,
    reason: String,
    weight_millibits: i64,
    opened_at: Timestamp,
    agencies: String,
    pathways: String,
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        priority: count(row, 1)?,
        waits: waits(row, 2)?,
        first_author: row.get(4)?,
        reason: row.get(5)?,
        weight_millibits: row.get(6)?,
        opened_at: time(row, 7)?,
        agencies: row.get(8)?,
        pathways: row.get(9)?,
    })
}

/// The tasks by urgency.
#[derive(Default)]
pub(crate) struct QueueIndex {
    entries: BTreeMap<(Reverse<u64>, TaskId), Entry>,
    priorities: HashMap<TaskId, u64>,
    words: Words,
}

/// Tasks alike in what is counted of them: the reason, what they wait for, whether a first verdict was
/// given.
pub(crate) type Kind<'a> = (&'a str, Option<WaitKind>, bool);

impl QueueIndex {
    fn put(&mut self, id: &TaskId, listed: Option<Listed>) {
        if let Some(priority) = self.priorities.remove(id) {
            self.entries.remove(&(Reverse(priority), id.clone()));
        }
        let Some(listed) = listed else { return };
        let words = &mut self.words;
        let entry = Entry {
            waits: listed.waits,
            first_author: listed.first_author.map(|author| words.number(&author)),
            reason: words.number(&listed.reason),
            agencies: words.number(&listed.agencies),
            pathways: words.number(&listed.pathways),
            weight_millibits: listed.weight_millibits,
            opened_at: listed.opened_at,
        };
        self.priorities.insert(id.clone(), listed.priority);
        self.entries.insert((Reverse(listed.priority), id.clone()), entry);
    }

    /// How many tasks a filter lets through.
    pub(crate) fn count(&self, filter: &TaskFilter) -> u64 {
        let sieve = Sieve::new(filter, &self.words);
        self.entries.values().filter(|entry| sieve.lets_through(entry)).count() as u64
    }

    /// The tasks that a filter lets through, `limit` at most, in order, from a place on.
    pub(crate) fn page(
        &self,
        filter: &TaskFilter,
        after: Option<&TaskPlace>,
        limit: usize,
    ) -> Vec<TaskPlace> {
        let sieve = Sieve::new(filter, &self.words);
        let start = after.map_or(Bound::Unbounded, |place| {
            Bound::Excluded((Reverse(place.priority), place.id.clone()))
        });
        let entries = self.entries.range((start, Bound::Unbounded));
        let found = entries.filter(|(_, entry)| sieve.lets_through(entry));
        let place = |(priority, id): &(Reverse<u64>, TaskId)| TaskPlace {
            priority: priority.0,
            id: id.clone(),
        };
        found.map(|(key, _)| place(key)).take(limit).collect()
    }

    /// The most urgent task that a filter lets through, that is not in `aside`, and that `steward` has
    /// not judged.
    pub(crate) fn next(
        &self,
        filter: &TaskFilter,
        steward: &str,
        aside: &HashSet<TaskId>,
    ) -> Option<TaskId> {
        let sieve = Sieve::new(filter, &self.words);
        let steward = self.words.numbers.get(steward).copied();
        let is_free = |entry: &Entry| entry.first_author.is_none_or(|it| Some(it) != steward);
        let mut free = self
            .entries
            .iter()
            .filter(|(_, entry)| sieve.lets_through(entry) && is_free(entry))
            .map(|((_, id), _)| id);
        free.find(|id| !aside.contains(id)).cloned()
    }

    /// The tasks counted by kind on a day, and by age: those that came up after the first moment, after
    /// the second, after the third, before.
    pub(crate) fn census(&self, day: Date, ages: [Timestamp; 3]) -> BTreeMap<Kind<'_>, [u64; 4]> {
        let mut census: HashMap<_, [u64; 4]> = HashMap::new();
        for entry in self.entries.values() {
            let waits = entry.waits_for(day);
            let is_second = waits.is_none() && entry.first_author.is_some();
            let age = ages.iter().take_while(|age| entry.opened_at <= **age).count();
            census.entry((entry.reason, waits, is_second)).or_default()[age] += 1;
        }
        let named = |((reason, waits, is_second), counts): ((Word, _, _), _)| {
            ((self.words.texts[reason.0 as usize].as_str(), waits, is_second), counts)
        };
        census.into_iter().map(named).collect()
    }
}

/// A filter with the texts that it looks for looked up.
struct Sieve<'a> {
    filter: &'a TaskFilter,
    reason: Option<Vec<bool>>,
    agency: Option<Vec<bool>>,
    pathway: Option<Vec<bool>>,
}

impl<'a> Sieve<'a> {
    fn new(filter: &'a TaskFilter, words: &Words) -> Self {
        Self {
            filter,
            reason: filter.reason.as_ref().map(|reason| words.with(reason)),
            agency: filter.agency.as_ref().map(|agency| words.with(agency.as_str())),
            pathway: filter.pathway.as_ref().map(|pathway| words.with(pathway)),
        }
    }

    fn lets_through(&self, entry: &Entry) -> bool {
        let fits = |wanted: &Option<Vec<bool>>, word: Word| {
            wanted.as_ref().is_none_or(|wanted| wanted[word.0 as usize])
        };
        let filter = self.filter;
        let waits = entry.waits_for(filter.on);
        let is_in_state = match filter.state {
            TaskState::Now => waits.is_none(),
            TaskState::Open => waits.is_none() && entry.first_author.is_none(),
            TaskState::Second => waits.is_none() && entry.first_author.is_some(),
            TaskState::Waiting(kind) => waits == Some(kind),
        };
        is_in_state
            && fits(&self.reason, entry.reason)
            && fits(&self.agency, entry.agencies)
            && fits(&self.pathway, entry.pathways)
            && filter.opened_before.is_none_or(|moment| entry.opened_at <= moment)
            && filter.weight_from.is_none_or(|least| entry.weight_millibits >= least)
            && filter.weight_to.is_none_or(|end| entry.weight_millibits < end)
    }
}

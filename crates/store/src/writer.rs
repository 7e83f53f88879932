//! The writer thread: the one connection that writes, and the grouping of commits.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;

use crate::{Error, HandleKey, Result, limits, queue::Queue, repeats::Repeats, staged::StagedKeys};

/// The writer: takes jobs in order, commits several of them at once, then answers each.
pub(crate) struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// An intent that waits for the writer.
struct Job {
    /// About how many rows it writes: a group is committed once it has enough of them.
    rows: usize,
    run: Box<dyn FnOnce(&mut Writing<'_>) -> Answer + Send>,
}

/// Hands a job's outcome to its caller, or why its group could not be committed.
type Answer = Box<dyn FnOnce(Option<Error>) + Send>;

/// A transaction of the writer, with what the writer remembers between transactions.
pub(crate) struct Writing<'a> {
    /// The connection, inside the transaction.
    pub(crate) db: &'a Connection,
    /// The keys of open submissions.
    pub(crate) staged: &'a mut StagedKeys,
    /// Makes the handles of records.
    pub(crate) handles: &'a HandleKey,
    /// The contents of records that came lately.
    pub(crate) repeats: &'a mut Repeats,
    /// Why the transaction is lost.
    failure: Option<Error>,
}

impl Writer {
    /// Starts the thread on its connection; `queue` was opened on it.
    pub(crate) fn start(
        db: Connection,
        queue: Arc<Queue>,
        handles: HandleKey,
    ) -> std::io::Result<Self> {
        let (jobs, inbox) = sync_channel(limits::QUEUE_JOBS_MAX);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_until_closed(&db, &queue, &handles, &inbox))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Carries out an intent of about `rows` rows in a transaction; returns after its commit.
    ///
    /// Nothing of an intent that returns an error is kept.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        rows: usize,
        intent: impl FnOnce(&mut Writing<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = sync_channel(1);
        let run = move |writing: &mut Writing<'_>| -> Answer {
            let outcome = writing.all_or_nothing(intent);
            Box::new(move |failure| {
                let outcome = failure.map_or(outcome, Err);
                // A caller that is gone has nobody to tell.
                let _ = answer.send(outcome);
            })
        };
        let jobs = self.jobs.as_ref().expect("the queue is open until the writer is dropped");
        jobs.send(Job { rows, run: Box::new(run) }).map_err(|_| stopped())?;
        answered.recv().map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    /// Closes the queue and waits until its last job is committed.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has told its callers by hanging up.
            let _ = thread.join();
        }
    }
}

fn stopped() -> Error {
    Error::Fatal("the writer stopped".to_owned())
}

fn write_until_closed(db: &Connection, queue: &Queue, handles: &HandleKey, inbox: &Receiver<Job>) {
    let (mut staged, mut repeats) = (StagedKeys::default(), Repeats::default());
    while let Ok(first) = inbox.recv() {
        let group = (&mut staged, &mut repeats);
        let (answers, failure) = write_group((db, handles), group, first, inbox);
        // What was committed stays so; tasks that cannot be read now are read after the next group.
        let _ = queue.renew(db);
        for answer in answers {
            answer(failure.clone());
        }
    }
    // Refreshes the statistics of the query planner; the database is as good without.
    let _ = db.execute_batch("PRAGMA optimize");
}

/// Runs a job and those that wait behind it in one transaction and commits; returns their answers, and
/// why nothing of the group is kept, if so.
fn write_group(
    (db, handles): (&Connection, &HandleKey),
    (staged, repeats): (&mut StagedKeys, &mut Repeats),
    first: Job,
    inbox: &Receiver<Job>,
) -> (Vec<Answer>, Option<Error>) {
    let failure = db.execute_batch("BEGIN IMMEDIATE").err().map(Error::from);
    let mut writing = Writing { db, staged, repeats, handles, failure };
    let mut answers = Vec::new();
    let mut rows = 0;
    let mut next = Some(first);
    while let Some(job) = next {
        rows += job.rows;
        answers.push((job.run)(&mut writing));
        let has_room = rows < limits::GROUP_ROWS_MAX && writing.failure.is_none();
        next = if has_room { inbox.try_recv().ok() } else { None };
    }
    (answers, writing.commit())
}

impl Writing<'_> {
    /// Runs an intent inside a savepoint, so that its failure undoes nothing of its group.
    fn all_or_nothing<T>(&mut self, intent: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.staged.start_job();
        self.db.prepare_cached("SAVEPOINT job")?.execute([])?;
        let outcome = intent(self);
        if outcome.is_err() {
            self.staged.forget_job();
            // A full disk or a failed write ends the whole transaction, not only the savepoint.
            let undone = self.db.execute_batch("ROLLBACK TO job");
            if undone.is_err() || self.db.is_autocommit() {
                self.failure = outcome.as_ref().err().cloned();
                return outcome;
            }
        }
        self.db.prepare_cached("RELEASE job")?.execute([])?;
        outcome
    }

    /// Commits; returns why that failed, and then nothing of the group is kept.
    fn commit(self) -> Option<Error> {
        let failure =
            self.failure.or_else(|| self.db.execute_batch("COMMIT").err().map(Error::from));
        if failure.is_some() {
            self.staged.clear();
            if !self.db.is_autocommit() {
                // Should this fail too, the next BEGIN fails and says so.
                let _ = self.db.execute_batch("ROLLBACK");
            }
        }
        failure
    }
}

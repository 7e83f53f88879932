//! The keys that open submissions have used: what tells a duplicate row.

use std::collections::{BTreeMap, HashSet};

use rusqlite::Connection;

use crate::{Result, SubmissionKind, columns::all, limits, submissions::StoredSubmission};

/// The local ids (records) or event ids (events) of open submissions, remembered by the writer.
///
/// The rows on disk say the same, so that any of it may be forgotten and is read again.
#[derive(Default)]
pub(crate) struct StagedKeys {
    of: BTreeMap<i64, HashSet<Box<str>>>,
    touched: Option<i64>,
}

impl StagedKeys {
    /// The keys of a submission, for a job to look at and to add to.
    pub(crate) fn keys(
        &mut self,
        db: &Connection,
        stored: &StoredSubmission,
    ) -> Result<&mut HashSet<Box<str>>> {
        let number = stored.number;
        if !self.of.contains_key(&number) {
            if self.of.values().map(HashSet::len).sum::<usize>() > limits::STAGED_KEYS_MAX {
                self.of.clear();
            }
            self.of.insert(number, read(db, stored)?);
        }
        self.touched = Some(number);
        Ok(self.of.entry(number).or_default())
    }

    /// Forgets the keys of a submission, which takes no rows any more.
    pub(crate) fn forget(&mut self, number: i64) {
        self.of.remove(&number);
    }

    /// A job starts.
    pub(crate) fn start_job(&mut self) {
        self.touched = None;
    }

    /// The job's rows were undone: forgets the submission it worked on.
    pub(crate) fn forget_job(&mut self) {
        if let Some(number) = self.touched.take() {
            self.forget(number);
        }
    }

    /// A whole transaction was undone.
    pub(crate) fn clear(&mut self) {
        self.of.clear();
    }
}

/// The keys of a submission's rows that were not refused.
fn read(db: &Connection, stored: &StoredSubmission) -> Result<HashSet<Box<str>>> {
    let mut query = db.prepare_cached(match stored.submission.kind {
        SubmissionKind::Records => {
            "SELECT local_id FROM fact_submission_row
             WHERE place BETWEEN ?1 AND ?2 AND refused IS NULL"
        }
        SubmissionKind::Events => {
            "SELECT event_id FROM fact_submission_row
             WHERE place BETWEEN ?1 AND ?2 AND refused IS NULL"
        }
    })?;
    let keys = query.query_map(stored.places(), |row| row.get(0))?;
    Ok(all(keys)?.into_iter().collect())
}

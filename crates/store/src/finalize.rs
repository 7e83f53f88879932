//! Sealing a submission: its rows become facts, all or none.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    Action, Actor, Error, NewAuditEntry, NewRow, NewSubmission, Receipt, RejectionReason, Result,
    RowRejection, Seq, Store, Submission, SubmissionId, SubmissionKind, SubmissionMode,
    SubmissionState,
    appends::{append, chain},
    audit,
    columns::{all, int},
    limits,
    log::{LogKind, add_fact},
    submissions::{StoredSubmission, create, find},
    writer::Writing,
};

const STAGED_RECORDS: &str = "
    SELECT local_id, version, place, payload IS NOT NULL FROM fact_submission_row
    WHERE place BETWEEN ?1 AND ?2 AND refused IS NULL";
const STAGED_EVENTS: &str = "
    SELECT local_id, event_id, place, payload IS NOT NULL FROM fact_submission_row
    WHERE place BETWEEN ?1 AND ?2 AND refused IS NULL";
pub(crate) const LAST_OF_VERSION: &str = "
    SELECT seq, place FROM fact_record_version
    WHERE agency = ?1 AND local_id = ?2 AND version = ?3 ORDER BY seq DESC LIMIT 1";
pub(crate) const LAST_WITHDRAWAL: &str = "
    SELECT coalesce(max(seq), 0) FROM fact_withdrawal WHERE agency = ?1 AND local_id = ?2";
pub(crate) const PLACE_OF_EVENT: &str =
    "SELECT place FROM fact_event WHERE agency = ?1 AND event_id = ?2";
pub(crate) const SAME_DIGEST: &str = "
    SELECT a.digest = b.digest FROM fact_submission_row AS a, fact_submission_row AS b
    WHERE a.place = ?1 AND b.place = ?2";
const INSERT_VERSION: &str = "
    INSERT INTO fact_record_version (agency, local_id, version, seq, place)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const INSERT_EVENT: &str = "
    INSERT INTO fact_event (agency, local_id, event_id, takes_back, seq, place)
    SELECT ?1, ?2, ?3, takes_back, ?4, ?5 FROM fact_submission_row WHERE place = ?5";
const ABSENT_RECORDS: &str = "
    SELECT DISTINCT local_id FROM present_version WHERE agency = ?1 AND local_id NOT IN (
        SELECT local_id FROM fact_submission_row
        WHERE place BETWEEN ?2 AND ?3 AND local_id IS NOT NULL)
    ORDER BY local_id";
const ACCEPT: &str = "
    UPDATE fact_submission
    SET state = 'accepted', rejected = ?2, seq = ?3, accepted = ?4, unchanged = ?5, withdrawn = ?6,
        finalized_at = ?7
    WHERE number = ?1";

/// What the sender says of the whole submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Rows sent, refused ones among them.
    pub row_count: u64,
    /// The digest over all rows sent.
    pub digest: [u8; 32],
    /// Most records that absence from a snapshot may withdraw; `None`: any number.
    pub withdraw_limit: Option<u64>,
    /// Now.
    pub at: Timestamp,
}

/// What became of rows that were submitted in one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// All of them are facts.
    Accepted(Receipt),
    /// These were refused, and nothing was kept.
    Refused(Vec<RowRejection>),
}

impl Store {
    /// Seals a submission; again gives the same receipt.
    ///
    /// Errors: `NotFound`; `Sealed` when it was abandoned; `Conflict` when count or digest differ
    /// from what is stored, or more records would be withdrawn than the limit.
    pub fn finalize(&self, id: &SubmissionId, seal: &Seal) -> Result<Receipt> {
        let (id, seal) = (id.clone(), seal.clone());
        self.write(limits::GROUP_ROWS_MAX, move |writing| finalize(writing, &id, &seal))
    }

    /// Creates a submission of these rows and seals it, in one transaction.
    ///
    /// All or nothing: when a row is refused, nothing is kept. The same request id again gives the
    /// same receipt.
    ///
    /// Errors: as [`Store::create_submission`] and [`Store::finalize`].
    pub fn submit(
        &self,
        new: &NewSubmission,
        rows: Vec<NewRow>,
        withdraw_limit: Option<u64>,
    ) -> Result<Submitted> {
        let new = new.clone();
        self.write(rows.len(), move |writing| {
            writing.db.execute_batch("SAVEPOINT rows")?;
            let submitted = submit(writing, &new, &rows, withdraw_limit)?;
            if let Submitted::Refused(_) = submitted {
                writing.staged.forget_job();
                writing.db.execute_batch("ROLLBACK TO rows")?;
            }
            writing.db.execute_batch("RELEASE rows")?;
            Ok(submitted)
        })
    }
}

fn submit(
    writing: &mut Writing<'_>,
    new: &NewSubmission,
    rows: &[NewRow],
    withdraw_limit: Option<u64>,
) -> Result<Submitted> {
    let digest = rows.iter().fold([0; 32], |digest, row| chain(&digest, &row.digest));
    let stored = create(writing.db, new)?;
    if stored.submission.state == SubmissionState::Open {
        let appended = append(writing, &stored, 0, rows)?;
        if !appended.rejections.is_empty() {
            return Ok(Submitted::Refused(appended.rejections));
        }
    }
    let row_count = rows.len() as u64;
    let seal = Seal { row_count, digest, withdraw_limit, at: new.created_at };
    finalize(writing, &stored.submission.id, &seal).map(Submitted::Accepted)
}

/// Seals a submission, inside a transaction.
fn finalize(writing: &mut Writing<'_>, id: &SubmissionId, seal: &Seal) -> Result<Receipt> {
    let db = writing.db;
    let stored = find(db, id)?;
    let submission = &stored.submission;
    if submission.state == SubmissionState::Abandoned {
        return Err(Error::Sealed);
    }
    if (submission.committed_offset, submission.digest) != (seal.row_count, seal.digest) {
        return Err(Error::conflict(format!(
            "{} rows are stored, and their number or digest is not what the sender says: send the \
             rows again as a new submission",
            submission.committed_offset
        )));
    }
    if let SubmissionState::Accepted(receipt) = &submission.state {
        return Ok(receipt.clone());
    }
    let kind = match submission.kind {
        SubmissionKind::Records => LogKind::Records,
        SubmissionKind::Events => LogKind::Events,
    };
    let seq = add_fact(db, seal.at, kind, &id.0)?;
    let counts = match submission.kind {
        SubmissionKind::Records => accept_records(db, &stored, seq)?,
        SubmissionKind::Events => accept_events(db, &stored, seq)?,
    };
    let withdrawn = match submission.mode {
        SubmissionMode::Delta => 0,
        SubmissionMode::Snapshot => withdraw_absent(db, &stored, seq, seal.withdraw_limit)?,
    };
    db.prepare_cached(ACCEPT)?.execute((
        stored.number,
        int(submission.rejected + counts.refused),
        seq,
        int(counts.accepted),
        int(counts.unchanged),
        int(withdrawn),
        seal.at.as_microsecond(),
    ))?;
    writing.staged.forget(stored.number);
    match find(db, id)?.submission.state {
        SubmissionState::Accepted(receipt) => {
            audit::seal(db, writing.handles, seq, &accepted(submission, &receipt))?;
            Ok(receipt)
        }
        _ => Err(Error::Corrupt("a sealed submission is not accepted".to_owned())),
    }
}

/// The audit entry of a submission that became facts.
fn accepted(submission: &Submission, receipt: &Receipt) -> NewAuditEntry {
    let actor = Actor::agency(&submission.agency);
    NewAuditEntry::new(receipt.finalized_at, actor, Action::SubmissionAccepted)
        .subject(&submission.id.0)
        .detail(serde_json::json!({
            "kind": submission.kind.as_str(), "mode": submission.mode.as_str(),
            "as_of": submission.as_of.to_string(), "rows": submission.committed_offset,
            "accepted": receipt.accepted, "unchanged": receipt.unchanged,
            "rejected": receipt.rejected, "withdrawn": receipt.withdrawn,
        }))
}

/// What became of the rows that were not refused when they were appended.
#[derive(Default)]
struct Counts {
    accepted: u64,
    unchanged: u64,
    /// Refused now, because another submission was sealed in between.
    refused: u64,
}

/// A row that is about to become a fact.
struct StagedRow<K> {
    local_id: String,
    /// The version of a record, the id of an event.
    unique: K,
    place: i64,
    has_payload: bool,
}

/// How a staged row stands against an accepted one of the same version or event id.
enum Standing {
    Same,
    Other,
}

/// The staged rows, ordered by local id as the facts lie, which makes their insertion fast.
fn staged_rows<K: rusqlite::types::FromSql + Ord>(
    db: &Connection,
    query: &str,
    stored: &StoredSubmission,
) -> Result<Vec<StagedRow<K>>> {
    let mut query = db.prepare_cached(query)?;
    let mut rows = all(query.query_map(stored.places(), |row| {
        Ok(StagedRow {
            local_id: row.get(0)?,
            unique: row.get(1)?,
            place: row.get(2)?,
            has_payload: row.get(3)?,
        })
    })?)?;
    rows.sort_unstable_by(|a, b| (&a.local_id, &a.unique).cmp(&(&b.local_id, &b.unique)));
    Ok(rows)
}

/// Makes facts of the staged records.
fn accept_records(db: &Connection, stored: &StoredSubmission, seq: Seq) -> Result<Counts> {
    let agency = stored.submission.agency.as_str();
    let mut counts = Counts::default();
    let mut last_of_version = db.prepare_cached(LAST_OF_VERSION)?;
    let mut insert = db.prepare_cached(INSERT_VERSION)?;
    for row in staged_rows::<i64>(db, STAGED_RECORDS, stored)? {
        let version = (agency, &row.local_id, row.unique);
        let last = last_of_version
            .query_row(version, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
            .optional()?;
        let Some((last_seq, place)) = last else {
            if !row.has_payload {
                refuse_erased(db, &row)?;
                counts.refused += 1;
                continue;
            }
            insert.execute(params![agency, row.local_id, row.unique, seq, row.place])?;
            counts.accepted += 1;
            continue;
        };
        match stand(db, &row, place)? {
            Standing::Other => counts.refused += 1,
            Standing::Same if last_seq > last_withdrawal(db, agency, &row.local_id)? => {
                counts.unchanged += 1;
            }
            Standing::Same => {
                insert.execute(params![agency, row.local_id, row.unique, seq, place])?;
                counts.accepted += 1;
            }
        }
    }
    Ok(counts)
}

/// Makes facts of the staged events.
fn accept_events(db: &Connection, stored: &StoredSubmission, seq: Seq) -> Result<Counts> {
    let agency = stored.submission.agency.as_str();
    let mut counts = Counts::default();
    let mut place_of_event = db.prepare_cached(PLACE_OF_EVENT)?;
    let mut insert = db.prepare_cached(INSERT_EVENT)?;
    for row in staged_rows::<String>(db, STAGED_EVENTS, stored)? {
        let found = place_of_event.query_row((agency, &row.unique), |row| row.get(0)).optional()?;
        let Some(place) = found else {
            if !row.has_payload {
                refuse_erased(db, &row)?;
                counts.refused += 1;
                continue;
            }
            insert.execute(params![agency, row.local_id, row.unique, seq, row.place])?;
            counts.accepted += 1;
            continue;
        };
        match stand(db, &row, place)? {
            Standing::Other => counts.refused += 1,
            Standing::Same => counts.unchanged += 1,
        }
    }
    Ok(counts)
}

/// Refuses a row that was not kept, as it equaled an accepted one which was erased meanwhile.
fn refuse_erased<K>(db: &Connection, row: &StagedRow<K>) -> Result<()> {
    let update = "UPDATE fact_submission_row SET refused = ?2 WHERE place = ?1";
    db.prepare_cached(update)?.execute((row.place, RejectionReason::WithdrawnMeanwhile))?;
    Ok(())
}

/// Compares a staged row with the accepted one at `place`; drops what need not be stored twice.
fn stand<K>(db: &Connection, row: &StagedRow<K>, place: i64) -> Result<Standing> {
    let is_same = db
        .prepare_cached(SAME_DIGEST)?
        .query_row((row.place, place), |row| row.get::<_, bool>(0))?;
    let refused = (!is_same).then_some(RejectionReason::VersionConflict);
    if row.has_payload {
        let update = "UPDATE fact_submission_row SET payload = NULL, refused = ?2 WHERE place = ?1";
        db.prepare_cached(update)?.execute((row.place, refused))?;
    }
    Ok(if is_same { Standing::Same } else { Standing::Other })
}

/// The place in the log of the last withdrawal of a record; 0 when there is none.
fn last_withdrawal(db: &Connection, agency: &str, local_id: &str) -> Result<i64> {
    let mut query = db.prepare_cached(LAST_WITHDRAWAL)?;
    Ok(query.query_row((agency, local_id), |row| row.get(0))?)
}

/// Withdraws the agency's present records of which the snapshot has no row, not even a refused one.
fn withdraw_absent(
    db: &Connection,
    stored: &StoredSubmission,
    seq: Seq,
    limit: Option<u64>,
) -> Result<u64> {
    let agency = stored.submission.agency.as_str();
    let (first, last) = stored.places();
    let mut query = db.prepare_cached(ABSENT_RECORDS)?;
    let absent: Vec<String> = all(query.query_map((agency, first, last), |row| row.get(0))?)?;
    let withdrawn = absent.len() as u64;
    if limit.is_some_and(|limit| withdrawn > limit) {
        return Err(Error::conflict(format!(
            "{withdrawn} records are absent from the snapshot, more than may be withdrawn: check \
             the file, or raise the limit"
        )));
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO fact_withdrawal (agency, local_id, seq) VALUES (?1, ?2, ?3)",
    )?;
    for local_id in absent {
        insert.execute((agency, local_id, seq))?;
    }
    Ok(withdrawn)
}

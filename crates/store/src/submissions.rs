//! Submissions: a numbered stream of rows that an agency sends, then seals.

use jiff::{Timestamp, civil::Date};
use record::AgencyId;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{
    Error, Result, Seq, Store,
    agencies::require_agency,
    columns::{all, count, page, parsed, seq, time},
    limits,
    names::{named, text_id},
};

/// The columns that [`stored`] reads.
macro_rules! submission_where {
    ($condition:literal) => {
        concat!(
            "SELECT number, id, agency, request_id, kind, mode, as_of, created_at, state,
                    committed_offset, rejected, digest, seq, accepted, unchanged, withdrawn,
                    finalized_at
             FROM fact_submission WHERE ",
            $condition
        )
    };
}

pub(crate) const BY_ID: &str = submission_where!("id = ?1");
pub(crate) const BY_REQUEST: &str = submission_where!("agency = ?1 AND request_id = ?2");
pub(crate) const BY_SEQ: &str = submission_where!("seq = ?1");
pub(crate) const PAGE: &str = submission_where!("number < ?1 ORDER BY number DESC LIMIT ?2");
pub(crate) const PAGE_OF_AGENCY: &str =
    submission_where!("agency = ?3 AND number < ?1 ORDER BY number DESC LIMIT ?2");
pub(crate) const DROP_ROWS: &str = "DELETE FROM fact_submission_row WHERE place BETWEEN ?1 AND ?2";

/// The id of a submission, made by the caller, unique over all agencies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubmissionId(pub String);

named! {
    /// What the rows of a submission are.
    "submission kind" SubmissionKind {
        /// Identity records.
        Records = "records",
        /// Events.
        Events = "events",
    }
}

named! {
    /// What absence from a submission means.
    "submission mode" SubmissionMode {
        /// Nothing.
        Delta = "delta",
        /// The agency's record is withdrawn.
        Snapshot = "snapshot",
    }
}

/// A submission to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubmission {
    /// Its id, if it is not there yet.
    pub id: SubmissionId,
    /// Who sends it.
    pub agency: AgencyId,
    /// The agency's own id of the request: the same id is the same submission.
    pub request_id: String,
    /// What its rows are.
    pub kind: SubmissionKind,
    /// What absence from it means. Events are always a delta.
    pub mode: SubmissionMode,
    /// The day whose state it describes.
    pub as_of: Date,
    /// Now.
    pub created_at: Timestamp,
}

/// A submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Its id.
    pub id: SubmissionId,
    /// Who sends it.
    pub agency: AgencyId,
    /// The agency's own id of the request.
    pub request_id: String,
    /// What its rows are.
    pub kind: SubmissionKind,
    /// What absence from it means.
    pub mode: SubmissionMode,
    /// The day whose state it describes.
    pub as_of: Date,
    /// When it was created.
    pub created_at: Timestamp,
    /// How many rows are durable: the offset of the next row.
    pub committed_offset: u64,
    /// How many of these rows were refused.
    pub rejected: u64,
    /// The running digest: 32 zero bytes, then SHA-256 of the digest so far and the row's digest.
    pub digest: [u8; 32],
    /// Whether it takes rows.
    pub state: SubmissionState,
}

/// Whether a submission takes rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmissionState {
    /// It takes rows.
    Open,
    /// It is sealed and its rows are facts.
    Accepted(Receipt),
    /// It was given up; its rows are gone.
    Abandoned,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The submission.
    pub submission: SubmissionId,
    /// Its place in the log.
    pub seq: Seq,
    /// Rows that are new facts.
    pub accepted: u64,
    /// Rows that were facts already.
    pub unchanged: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Records that its absence withdrew.
    pub withdrawn: u64,
    /// The digest over all rows sent.
    pub digest: [u8; 32],
    /// When it was sealed.
    pub finalized_at: Timestamp,
}

/// A submission and its number, under which its rows lie.
pub(crate) struct StoredSubmission {
    pub(crate) number: i64,
    pub(crate) submission: Submission,
}

impl StoredSubmission {
    /// The place of its row at `offset`.
    pub(crate) fn place(&self, offset: u64) -> i64 {
        let offset = i64::try_from(offset).expect("an offset has 32 bits");
        self.number * OFFSETS + offset
    }

    /// The places of its first and last possible row.
    pub(crate) fn places(&self) -> (i64, i64) {
        (self.place(0), self.place(limits::SUBMISSION_ROWS_MAX - 1))
    }
}

/// Offsets of one submission: places of submissions lie this far apart.
const OFFSETS: i64 = limits::SUBMISSION_ROWS_MAX as i64;

/// The offset in its submission of the row at `place`.
pub(crate) fn offset_of(place: i64) -> u64 {
    place.rem_euclid(OFFSETS).unsigned_abs()
}

text_id!(SubmissionId);

impl Store {
    /// Creates a submission, or returns the one of the same agency and request id.
    ///
    /// Errors: `NotFound` for an unknown agency; `Conflict` when the request id was used with
    /// another kind, mode or day, or for a snapshot of events; `AlreadyExists` for a used id.
    pub fn create_submission(&self, new: &NewSubmission) -> Result<Submission> {
        let new = new.clone();
        self.write(1, move |writing| Ok(create(writing.db, &new)?.submission))
    }

    /// A submission.
    ///
    /// Errors: `NotFound`.
    pub fn submission(&self, id: &SubmissionId) -> Result<Submission> {
        self.read(|db| Ok(find(db, id)?.submission))
    }

    /// Submissions, the newest first: of one agency or of all, after one of them, `limit` at most.
    ///
    /// Errors: `NotFound` for an unknown `after`.
    pub fn submissions(
        &self,
        agency: Option<&AgencyId>,
        after: Option<&SubmissionId>,
        limit: usize,
    ) -> Result<Vec<Submission>> {
        let submission = |row: &Row<'_>| stored(row).map(|stored| stored.submission);
        self.read(|db| {
            let after =
                after.map_or(Ok(i64::MAX), |id| find(db, id).map(|stored| stored.number))?;
            match agency {
                None => {
                    let mut query = db.prepare_cached(PAGE)?;
                    all(query.query_map((after, page(limit)), submission)?)
                }
                Some(agency) => {
                    let mut query = db.prepare_cached(PAGE_OF_AGENCY)?;
                    all(query.query_map((after, page(limit), agency.as_str()), submission)?)
                }
            }
        })
    }

    /// Gives up an open submission and drops its rows; again changes nothing.
    ///
    /// Errors: `NotFound`; `Sealed` when it is accepted.
    pub fn abandon(&self, id: &SubmissionId) -> Result<()> {
        let id = id.clone();
        self.write(limits::GROUP_ROWS_MAX, move |writing| {
            let stored = find(writing.db, &id)?;
            match stored.submission.state {
                SubmissionState::Accepted(_) => return Err(Error::Sealed),
                SubmissionState::Abandoned => return Ok(()),
                SubmissionState::Open => {}
            }
            let update = "UPDATE fact_submission SET state = 'abandoned' WHERE number = ?1";
            writing.db.prepare_cached(update)?.execute([stored.number])?;
            writing.db.prepare_cached(DROP_ROWS)?.execute(stored.places())?;
            writing.staged.forget(stored.number);
            Ok(())
        })
    }
}

/// The submission of this id.
pub(crate) fn find(db: &Connection, id: &SubmissionId) -> Result<StoredSubmission> {
    let found = db.prepare_cached(BY_ID)?.query_row([id], stored).optional()?;
    found.ok_or(Error::NotFound { what: "submission" })
}

/// The submission that is the fact `seq`.
pub(crate) fn find_fact(db: &Connection, seq: Seq) -> Result<StoredSubmission> {
    let found = db.prepare_cached(BY_SEQ)?.query_row([seq], stored).optional()?;
    found.ok_or(Error::NotFound { what: "submission" })
}

/// Creates a submission, or finds the one of the same agency and request id.
pub(crate) fn create(db: &Connection, new: &NewSubmission) -> Result<StoredSubmission> {
    if new.kind == SubmissionKind::Events && new.mode == SubmissionMode::Snapshot {
        return Err(Error::conflict("events have no snapshot: send them as a delta"));
    }
    require_agency(db, &new.agency)?;
    let request = (new.agency.as_str(), &new.request_id);
    if let Some(old) = db.prepare_cached(BY_REQUEST)?.query_row(request, stored).optional()? {
        let same = &old.submission;
        if (same.kind, same.mode, same.as_of) != (new.kind, new.mode, new.as_of) {
            return Err(Error::conflict(
                "this request id belongs to a submission of another kind, mode or day: make a new \
                 request id",
            ));
        }
        return Ok(old);
    }
    let inserted = db
        .prepare_cached(
            "INSERT INTO fact_submission (id, agency, request_id, kind, mode, as_of, created_at,
                                          state, committed_offset, rejected, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'open', 0, 0, zeroblob(32))
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute((
            &new.id,
            new.agency.as_str(),
            &new.request_id,
            new.kind,
            new.mode,
            new.as_of.to_string(),
            new.created_at.as_microsecond(),
        ))?;
    match inserted {
        0 => Err(Error::AlreadyExists { what: "submission" }),
        _ => find(db, &new.id),
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredSubmission> {
    let id: SubmissionId = row.get(1)?;
    let digest = row.get(11)?;
    let rejected = count(row, 10)?;
    let state: String = row.get(8)?;
    let state = match state.as_str() {
        "open" => SubmissionState::Open,
        "abandoned" => SubmissionState::Abandoned,
        _ => SubmissionState::Accepted(Receipt {
            submission: id.clone(),
            seq: seq(row, 12)?,
            accepted: count(row, 13)?,
            unchanged: count(row, 14)?,
            rejected,
            withdrawn: count(row, 15)?,
            digest,
            finalized_at: time(row, 16)?,
        }),
    };
    let submission = Submission {
        id,
        agency: parsed(row, 2)?,
        request_id: row.get(3)?,
        kind: row.get(4)?,
        mode: row.get(5)?,
        as_of: parsed(row, 6)?,
        created_at: time(row, 7)?,
        committed_offset: count(row, 9)?,
        rejected,
        digest,
        state,
    };
    Ok(StoredSubmission { number: row.get(0)?, submission })
}

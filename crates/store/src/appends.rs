//! Rows of a submission: made durable in order, checked one by one.

use std::collections::HashSet;

use jiff::civil::Date;
use record::{LocalId, RecordVersion};
use rusqlite::{Connection, OptionalExtension, Row};
use sha2::{Digest, Sha256};

use crate::{
    Error, Result, Store, Submission, SubmissionId, SubmissionKind, SubmissionState,
    columns::{all, int, page},
    limits,
    names::named,
    repeats::Day,
    submissions::{StoredSubmission, find, offset_of},
    writer::Writing,
};

pub(crate) const DIGEST_OF_VERSION: &str = "
    SELECT r.digest FROM fact_record_version AS v JOIN fact_submission_row AS r ON r.place = v.place
    WHERE v.agency = ?1 AND v.local_id = ?2 AND v.version = ?3 LIMIT 1";
pub(crate) const DIGEST_OF_EVENT: &str = "
    SELECT r.digest FROM fact_event AS e JOIN fact_submission_row AS r ON r.place = e.place
    WHERE e.agency = ?1 AND e.event_id = ?2";
pub(crate) const REJECTIONS: &str = "
    SELECT place, refused, refused_field, remedy FROM fact_submission_row
    WHERE place BETWEEN ?1 AND ?2 AND refused IS NOT NULL ORDER BY place LIMIT ?3";
const INSERT_ROW: &str = "
    INSERT INTO fact_submission_row
        (place, local_id, version, event_id, takes_back, received_on, digest, refused,
         refused_field, remedy, payload)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const ADVANCE: &str = "
    UPDATE fact_submission SET committed_offset = ?2, rejected = ?3, digest = ?4
    WHERE number = ?1";

/// A row to append.
#[derive(Clone, PartialEq, Eq)]
pub struct NewRow {
    /// The digest of the row as it was sent.
    pub digest: [u8; 32],
    /// What it holds.
    pub content: RowContent,
}

/// What a row holds.
#[derive(Clone, PartialEq, Eq)]
pub enum RowContent {
    /// An identity record.
    Record {
        /// The agency's handle of it.
        local_id: LocalId,
        /// Its version.
        version: RecordVersion,
        /// The encoded record, opaque here.
        payload: Vec<u8>,
    },
    /// An event.
    Event {
        /// The record whose event it is; it may not be there yet.
        local_id: LocalId,
        /// The agency's own id of the event.
        event_id: String,
        /// The agency's id of the event that this one corrects, voids or revokes.
        takes_back: Option<String>,
        /// When the agency came to know it.
        received_on: Date,
        /// The event, opaque here.
        payload: Vec<u8>,
    },
    /// A row that the caller refused: its rejection is kept, its content is not.
    Refused {
        /// The record it names, when that much could be read: a snapshot does not withdraw it.
        local_id: Option<LocalId>,
        /// Why.
        refusal: Refusal,
    },
}

/// Why a row is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of reason.
    pub reason: RejectionReason,
    /// The field at fault, by its name in the linkage schema or in the contract.
    pub field: Option<String>,
    /// What to give instead; absent where the reason says enough.
    pub remedy: Option<String>,
}

named! {
    /// The kinds of reasons for which one row is refused.
    "rejection reason" RejectionReason {
        /// Not of the form of the contract or of the linkage schema.
        Malformed = "malformed",
        /// No field that could be compared.
        NothingToCompare = "nothing_to_compare",
        /// Larger than a row may be.
        TooLarge = "too_large",
        /// A code that is not of its system's form.
        UnknownCode = "unknown_code",
        /// The submission has an earlier row of the same local id (records) or event id (events).
        DuplicateInSubmission = "duplicate_in_submission",
        /// The same version or event id was accepted earlier with other content.
        VersionConflict = "version_conflict",
        /// An encoding that no encoder makes of any value.
        Implausible = "implausible",
        /// More records of other local ids have the same content than may.
        Repeated = "repeated",
        /// The local id looks like a social security number.
        LocalIdLooksLikeSsn = "local_id_looks_like_ssn",
        /// A record in a submission of events, or the reverse.
        WrongKind = "wrong_kind",
        /// A code whose edition was not in use on that day.
        WrongEdition = "wrong_edition",
        /// A pathway that the registry does not have.
        UnknownPathway = "unknown_pathway",
        /// A last day before the first.
        EndBeforeStart = "end_before_start",
        /// It equaled what the agency withdrew while the submission was open.
        WithdrawnMeanwhile = "withdrawn_meanwhile",
    }
}

/// A refused row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRejection {
    /// The row's offset in its submission.
    pub offset: u64,
    /// Why.
    pub refusal: Refusal,
}

/// The answer to an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// How many rows of the submission are durable.
    pub committed_offset: u64,
    /// The refused ones among the rows just sent, also when they were sent before.
    pub rejections: Vec<RowRejection>,
}

impl Store {
    /// Appends rows from `first_offset` on; returns after they are on disk.
    ///
    /// Rows below the committed offset are skipped, so that sending again changes nothing.
    ///
    /// Errors: `NotFound`; `OffsetGap`; `Sealed`; `Conflict` beyond the rows a submission may have.
    pub fn append(
        &self,
        id: &SubmissionId,
        first_offset: u64,
        rows: Vec<NewRow>,
    ) -> Result<Appended> {
        let id = id.clone();
        self.write(rows.len(), move |writing| {
            let stored = find(writing.db, &id)?;
            append(writing, &stored, first_offset, &rows)
        })
    }

    /// The refused rows of a submission from offset `from` on, in order, `limit` at most.
    ///
    /// Errors: `NotFound`.
    pub fn rejections(
        &self,
        id: &SubmissionId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RowRejection>> {
        self.read(|db| {
            let stored = find(db, id)?;
            let from = from.min(limits::SUBMISSION_ROWS_MAX - 1);
            let range = (stored.place(from), stored.places().1, page(limit));
            all(db.prepare_cached(REJECTIONS)?.query_map(range, rejection)?)
        })
    }
}

/// Appends rows to an open submission, inside a transaction.
pub(crate) fn append(
    writing: &mut Writing<'_>,
    stored: &StoredSubmission,
    first_offset: u64,
    rows: &[NewRow],
) -> Result<Appended> {
    let submission = &stored.submission;
    let committed = submission.committed_offset;
    let end = first_offset.saturating_add(rows.len() as u64);
    if submission.state != SubmissionState::Open {
        return Err(Error::Sealed);
    }
    if first_offset > committed {
        return Err(Error::OffsetGap { expected: committed });
    }
    if end > limits::SUBMISSION_ROWS_MAX {
        return Err(Error::conflict("the submission has too many rows: divide it"));
    }
    let new_rows = rows.get((committed - first_offset) as usize..).unwrap_or_default();
    if !new_rows.is_empty() {
        insert(writing, stored, new_rows)?;
    }
    let mut rejections = Vec::new();
    if !rows.is_empty() {
        let range = (stored.place(first_offset), stored.place(end - 1), page(rows.len()));
        rejections = all(writing.db.prepare_cached(REJECTIONS)?.query_map(range, rejection)?)?;
    }
    Ok(Appended { committed_offset: committed.max(end), rejections })
}

/// Inserts rows after the committed ones and moves the offset and the running digest on.
fn insert(writing: &mut Writing<'_>, stored: &StoredSubmission, rows: &[NewRow]) -> Result<()> {
    let Submission { committed_offset, mut rejected, mut digest, .. } = stored.submission;
    let mut judge = Judge {
        db: writing.db,
        submission: &stored.submission,
        staged: writing.staged.keys(writing.db, stored)?,
        repeats: writing.repeats.day(&stored.submission),
    };
    let mut insert = writing.db.prepare_cached(INSERT_ROW)?;
    for (offset, row) in (committed_offset..).zip(rows) {
        digest = chain(&digest, &row.digest);
        let judged = judge.judge(row)?;
        let refusal = match &judged {
            Judged::Refused(refusal) => Some(refusal),
            Judged::Unchanged | Judged::New(_) => None,
        };
        let payload = match judged {
            Judged::New(payload) => Some(payload),
            Judged::Unchanged | Judged::Refused(_) => None,
        };
        let named = row.content.named();
        rejected += u64::from(refusal.is_some());
        insert.execute((
            stored.place(offset),
            named.local_id.map(LocalId::as_str),
            named.version,
            named.event_id,
            named.takes_back,
            named.received_on.map(|day| day.to_string()),
            row.digest,
            refusal.map(|refusal| refusal.reason),
            refusal.and_then(|refusal| refusal.field.as_deref()),
            refusal.and_then(|refusal| refusal.remedy.as_deref()),
            payload,
        ))?;
    }
    let committed_offset = committed_offset + rows.len() as u64;
    let advanced = (stored.number, int(committed_offset), int(rejected), digest);
    writing.db.prepare_cached(ADVANCE)?.execute(advanced)?;
    Ok(())
}

/// The running digest after one more row.
pub(crate) fn chain(digest: &[u8; 32], row: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(digest).chain_update(row).finalize().into()
}

/// How a row stands against what was sent and accepted before.
enum Judged<'a> {
    New(&'a [u8]),
    Unchanged,
    Refused(Refusal),
}

/// Judges the rows of a submission.
struct Judge<'a> {
    db: &'a Connection,
    submission: &'a Submission,
    /// The local ids or event ids that it has used.
    staged: &'a mut HashSet<Box<str>>,
    repeats: &'a mut Day,
}

impl Judge<'_> {
    /// Judges a row; its local id or event id is staged unless the row is refused.
    fn judge<'r>(&mut self, row: &'r NewRow) -> Result<Judged<'r>> {
        let refused = |reason| Ok(Judged::Refused(Refusal { reason, field: None, remedy: None }));
        let digest = |row: &Row<'_>| row.get::<_, [u8; 32]>(0);
        let Submission { agency, kind, .. } = self.submission;
        let (unique, accepted, payload) = match (&row.content, kind) {
            (RowContent::Refused { refusal, .. }, _) => {
                return Ok(Judged::Refused(refusal.clone()));
            }
            (RowContent::Record { local_id, version, payload }, SubmissionKind::Records) => {
                let mut query = self.db.prepare_cached(DIGEST_OF_VERSION)?;
                let key = (agency.as_str(), local_id.as_str(), version.0);
                (local_id.as_str(), query.query_row(key, digest).optional()?, payload)
            }
            (RowContent::Event { event_id, payload, .. }, SubmissionKind::Events) => {
                let mut query = self.db.prepare_cached(DIGEST_OF_EVENT)?;
                let key = (agency.as_str(), event_id);
                (event_id.as_str(), query.query_row(key, digest).optional()?, payload)
            }
            _ => return refused(RejectionReason::WrongKind),
        };
        if self.staged.contains(unique) {
            return refused(RejectionReason::DuplicateInSubmission);
        }
        if accepted.is_some_and(|digest| digest != row.digest) {
            return refused(RejectionReason::VersionConflict);
        }
        if let RowContent::Record { local_id, payload, .. } = &row.content
            && !self.repeats.admit(local_id, payload)
        {
            return refused(RejectionReason::Repeated);
        }
        self.staged.insert(unique.into());
        Ok(if accepted.is_some() { Judged::Unchanged } else { Judged::New(payload) })
    }
}

/// The columns by which a row is named.
#[derive(Default)]
struct Named<'a> {
    local_id: Option<&'a LocalId>,
    version: Option<i64>,
    event_id: Option<&'a str>,
    takes_back: Option<&'a str>,
    received_on: Option<Date>,
}

impl RowContent {
    fn named(&self) -> Named<'_> {
        match self {
            Self::Record { local_id, version, .. } => {
                Named { local_id: Some(local_id), version: Some(version.0), ..Named::default() }
            }
            Self::Event { local_id, event_id, takes_back, received_on, .. } => Named {
                local_id: Some(local_id),
                event_id: Some(event_id),
                takes_back: takes_back.as_deref(),
                received_on: Some(*received_on),
                ..Named::default()
            },
            Self::Refused { local_id, .. } => {
                Named { local_id: local_id.as_ref(), ..Named::default() }
            }
        }
    }
}

fn rejection(row: &Row<'_>) -> rusqlite::Result<RowRejection> {
    let refusal = Refusal { reason: row.get(1)?, field: row.get(2)?, remedy: row.get(3)? };
    Ok(RowRejection { offset: offset_of(row.get(0)?), refusal })
}

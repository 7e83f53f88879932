//! What stewards say of a task without settling it. It belongs to a pair of records, and so follows
//! them when their groups change.

use jiff::{Timestamp, civil::Date};
use record::RecordKey;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{
    Action, Actor, NewAuditEntry, OpenTask, Result, Store, TaskId, Verdict, WaitKind, Waits, audit,
    columns::{all, key, parsed, time},
    decide::{Objection, objection},
    names::named,
    queue::release,
    tasks::renew_standings,
};

/// The columns that [`stored`] reads.
macro_rules! note_where {
    ($condition:literal) => {
        concat!(
            "SELECT task, etag, kind, author, reason, until, request_id, at,
                    other_agency, other_local_id, number
             FROM fact_note WHERE ",
            $condition
        )
    };
}

pub(crate) const OF_RECORD: &str = note_where!("agency = ?1 AND local_id = ?2 ORDER BY number");
pub(crate) const BY_REQUEST: &str = note_where!("author = ?1 AND request_id = ?2");
pub(crate) const OPENED: &str = "
    SELECT other_agency, other_local_id, opened_at, id FROM fact_task
    WHERE agency = ?1 AND local_id = ?2";
pub(crate) const DISPUTED: &str = "
    SELECT 1 FROM fact_note AS n JOIN fact_note AS m ON m.task = n.task AND m.etag = n.etag
    WHERE n.author = ?1 AND n.request_id = ?2 AND m.number < n.number AND m.author <> n.author
        AND m.kind IN ('link', 'separate') AND m.kind <> n.kind";
/// When something was decided about a record and another one, or taken back.
pub(crate) const DECIDED: &str = "
    SELECT p.other_agency, p.other_local_id, max(d.at, coalesce(u.at, d.at))
    FROM fact_decision_pair AS p JOIN fact_decision AS d ON d.seq = p.decision
        LEFT JOIN fact_decision_undo AS u ON u.decision = d.id
    WHERE p.agency = ?1 AND p.local_id = ?2";
/// Questions about a pair with its answer, if there is one.
pub(crate) const QUESTIONS_ABOUT: &str = "
    SELECT q.right_agency, q.right_local_id, q.at, q.waits_until, a.at
    FROM fact_question AS q LEFT JOIN fact_answer AS a ON a.question = q.id
    WHERE q.left_agency = ?1 AND q.left_local_id = ?2 ORDER BY q.number";

named! {
    /// What a steward says of a task.
    "note" NoteKind {
        /// Not before a day.
        Defer = "defer",
        /// Somebody else should say.
        Escalate = "escalate",
        /// One person; waits for a second steward.
        Link = "link",
        /// Two people; waits for a second steward.
        Separate = "separate",
    }
}

/// What a steward says of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The task,
    pub task: TaskId,
    /// as it was seen.
    pub etag: String,
    /// What is said.
    pub kind: NoteKind,
    /// Who says it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Deferrals: the day on which the task is open again.
    pub until: Option<Date>,
    /// The author's id of the request, so that it is carried out once.
    pub request_id: String,
    /// When.
    pub at: Timestamp,
}

/// What was said of a task so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// What it waits for.
    pub waits: Option<Waits>,
    /// Who gave a verdict that waits for a second one.
    pub first_author: Option<String>,
    /// That verdict.
    pub first_verdict: Option<Verdict>,
    /// When the question first came up.
    pub opened_at: Option<Timestamp>,
}

impl NoteKind {
    /// The verdict that a note gives, if it does.
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Link => Some(Verdict::Link),
            Self::Separate => Some(Verdict::Separate),
            Self::Defer | Self::Escalate => None,
        }
    }
}

impl From<Verdict> for NoteKind {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Link => Self::Link,
            Verdict::Separate => Self::Separate,
        }
    }
}

impl Store {
    /// Adds what a steward says of a task, gives the task back, and tells how it stands then.
    pub fn add_note(&self, note: &Note) -> Result<std::result::Result<Standing, Objection>> {
        let note = note.clone();
        self.write(1, move |writing| {
            let added = add(writing.db, &note)?;
            if added.is_ok() {
                audit::append(writing.db, writing.handles, &noted(&note), None)?;
            }
            Ok(added)
        })
    }

    /// The note that a request of `author` added, if it did.
    pub fn note_by_request(&self, author: &str, request_id: &str) -> Result<Option<Note>> {
        self.read(|db| {
            let mut query = db.prepare_cached(BY_REQUEST)?;
            let found = query.query_row((author, request_id), stored).optional()?;
            Ok(found.map(|found| found.note))
        })
    }

    /// Whether a verdict differs from one that another steward had given of the same groups before.
    pub fn is_disputed(&self, note: &Note) -> Result<bool> {
        self.read(|db| Ok(db.prepare_cached(DISPUTED)?.exists((&note.author, &note.request_id))?))
    }

    /// What stewards said of a task and those that it follows, oldest first.
    pub fn notes_of(&self, task: &OpenTask) -> Result<Vec<Note>> {
        self.read(|db| Ok(notes_across(db, task)?.into_iter().map(|it| it.note).collect()))
    }

    /// What stewards said of a task since anything was last decided about it, oldest first.
    pub fn open_notes_of(&self, task: &OpenTask) -> Result<Vec<Note>> {
        self.read(|db| {
            let since = decided_across(db, task)?;
            let notes = notes_across(db, task)?.into_iter().map(|it| it.note);
            Ok(notes.filter(|note| Some(note.at) > since).collect())
        })
    }

    /// How a task stands by what was said of it.
    pub fn standing_of(&self, task: &OpenTask) -> Result<Standing> {
        self.read(|db| standing(db, task))
    }
}

/// The audit entry of a note.
fn noted(note: &Note) -> NewAuditEntry {
    NewAuditEntry::new(note.at, Actor::steward(&note.author), Action::TaskNoted)
        .subject(&note.task.0)
        .detail(serde_json::json!({ "kind": note.kind.as_str(), "reason": note.reason }))
}

fn add(db: &Connection, note: &Note) -> Result<std::result::Result<Standing, Objection>> {
    if let Some(objection) = objection(db, (&note.task, &note.etag), &note.author, note.at)? {
        return Ok(Err(objection));
    }
    let task = crate::tasks::find(db, &note.task)?.open;
    let (one, other) = ordered(&task);
    db.prepare_cached(
        "INSERT INTO fact_note (agency, local_id, other_agency, other_local_id, task, etag, kind,
                                author, reason, until, request_id, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute((
        one.agency.as_str(),
        one.local_id.as_str(),
        other.agency.as_str(),
        other.local_id.as_str(),
        &note.task,
        &note.etag,
        note.kind,
        &note.author,
        &note.reason,
        note.until.map(|until| until.to_string()),
        &note.request_id,
        note.at.as_microsecond(),
    ))?;
    renew_standings(db, one, other)?;
    release(db, &note.task)?;
    Ok(Ok(standing(db, &task)?))
}

/// Remembers when a question first came up.
pub(crate) fn opened(db: &Connection, task: &OpenTask, at: Timestamp) -> Result<()> {
    let (one, other) = ordered(task);
    db.prepare_cached(
        "INSERT INTO fact_task (id, agency, local_id, other_agency, other_local_id, opened_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?
    .execute((
        &task.id,
        one.agency.as_str(),
        one.local_id.as_str(),
        other.agency.as_str(),
        other.local_id.as_str(),
        at.as_microsecond(),
    ))?;
    Ok(())
}

/// The best pair of a task, the smaller record first.
pub(crate) fn ordered(task: &OpenTask) -> (&RecordKey, &RecordKey) {
    let (left, right) = (&task.best_left, &task.best_right);
    (left.min(right), left.max(right))
}

/// Something said or asked of a task.
enum Said {
    Note(Note),
    Asked { until: Option<Date>, answered: bool },
}

/// How a task stands by all that was said of pairs across its groups. A decision ends what was said
/// before it: where the question comes up again, because the decision was taken back or newer versions
/// speak against it, it is open.
pub(crate) fn standing(db: &Connection, task: &OpenTask) -> Result<Standing> {
    let mut said: Vec<(Timestamp, Said)> = Vec::new();
    for found in notes_across(db, task)? {
        said.push((found.note.at, Said::Note(found.note)));
    }
    said.extend(questions_across(db, task)?);
    let since = decided_across(db, task)?;
    said.retain(|(at, _)| Some(*at) > since);
    let opened_at = opened_across(db, task, since)?;
    let mut standing = Standing { opened_at, ..Standing::default() };
    // What was said at one moment keeps its order.
    said.sort_by_key(|(at, _)| *at);
    for (_, said) in said {
        standing.hear(said, &task.etag);
    }
    Ok(standing)
}

impl Standing {
    fn hear(&mut self, said: Said, etag: &str) {
        let waits = |kind, until| Some(Waits { kind, until });
        match said {
            Said::Asked { until, answered: false } => self.waits = waits(WaitKind::Asked, until),
            // An answer brings the task back, whatever it waited for before it was asked.
            Said::Asked { answered: true, .. } => self.waits = None,
            Said::Note(note) => match note.kind.verdict() {
                None if note.kind == NoteKind::Defer => {
                    self.waits = waits(WaitKind::Deferred, note.until);
                }
                None => self.waits = waits(WaitKind::Escalated, None),
                // A verdict on other groups than these says nothing of them.
                Some(_) if note.etag != etag => {}
                Some(verdict) => self.hear_verdict(verdict, note.author),
            },
        }
    }

    fn hear_verdict(&mut self, verdict: Verdict, author: String) {
        let is_other = self.first_author.as_ref().is_some_and(|first| *first != author);
        if is_other && self.first_verdict != Some(verdict) {
            self.waits = Some(Waits { kind: WaitKind::Escalated, until: None });
        } else {
            self.first_author = Some(author);
            self.first_verdict = Some(verdict);
        }
    }
}

struct Stored {
    note: Note,
    other: RecordKey,
    number: i64,
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let until: Option<String> = row.get(5)?;
    let note = Note {
        task: row.get(0)?,
        etag: row.get(1)?,
        kind: row.get(2)?,
        author: row.get(3)?,
        reason: row.get(4)?,
        until: until.map(|_| parsed(row, 5)).transpose()?,
        request_id: row.get(6)?,
        at: time(row, 7)?,
    };
    Ok(Stored { note, other: key(row, 8)?, number: row.get(10)? })
}

/// Whether `one` is of one group and `other` of the other.
fn is_across(task: &OpenTask, one: &RecordKey, other: &RecordKey) -> bool {
    let is_in = |group: &[crate::Shown], record: &RecordKey| {
        group.binary_search_by(|shown| shown.record.cmp(record)).is_ok()
    };
    (is_in(&task.left, one) && is_in(&task.right, other))
        || (is_in(&task.right, one) && is_in(&task.left, other))
}

fn notes_across(db: &Connection, task: &OpenTask) -> Result<Vec<Stored>> {
    let mut query = db.prepare_cached(OF_RECORD)?;
    let mut notes = Vec::new();
    for record in task.records() {
        let key_of = (record.agency.as_str(), record.local_id.as_str());
        let found: Vec<Stored> = all(query.query_map(key_of, stored)?)?;
        notes.extend(found.into_iter().filter(|note| is_across(task, record, &note.other)));
    }
    notes.sort_by_key(|note| note.number);
    Ok(notes)
}

fn questions_across(db: &Connection, task: &OpenTask) -> Result<Vec<(Timestamp, Said)>> {
    let mut query = db.prepare_cached(QUESTIONS_ABOUT)?;
    let mut said = Vec::new();
    for record in task.records() {
        let mut rows = query.query((record.agency.as_str(), record.local_id.as_str()))?;
        while let Some(row) = rows.next()? {
            if !is_across(task, record, &key(row, 0)?) {
                continue;
            }
            let until: Option<String> = row.get(3)?;
            let until = until.map(|_| parsed(row, 3)).transpose()?;
            said.push((time(row, 2)?, Said::Asked { until, answered: false }));
            if row.get::<_, Option<i64>>(4)?.is_some() {
                said.push((time(row, 4)?, Said::Asked { until, answered: true }));
            }
        }
    }
    Ok(said)
}

fn decided_across(db: &Connection, task: &OpenTask) -> Result<Option<Timestamp>> {
    let mut query = db.prepare_cached(DECIDED)?;
    let mut last = None;
    for record in task.records() {
        let mut rows = query.query((record.agency.as_str(), record.local_id.as_str()))?;
        while let Some(row) = rows.next()? {
            if is_across(task, record, &key(row, 0)?) {
                last = last.max(Some(time(row, 2)?));
            }
        }
    }
    Ok(last)
}

/// When the question first came up since it was last decided; where it came up before, and no later
/// task tells when it did again, that decision or the taking back of it brought it up.
fn opened_across(
    db: &Connection,
    task: &OpenTask,
    since: Option<Timestamp>,
) -> Result<Option<Timestamp>> {
    let mut query = db.prepare_cached(OPENED)?;
    let (mut first, mut is_known) = (None, false);
    for record in task.records() {
        let mut rows = query.query((record.agency.as_str(), record.local_id.as_str()))?;
        while let Some(row) = rows.next()? {
            let opened = time(row, 2)?;
            if !is_across(task, record, &key(row, 0)?) {
                continue;
            }
            is_known |= row.get::<_, TaskId>(3)? == task.id;
            if Some(opened) > since {
                first = Some(first.map_or(opened, |first: Timestamp| first.min(opened)));
            }
        }
    }
    Ok(first.or_else(|| since.filter(|_| is_known)))
}

impl OpenTask {
    /// The records of both groups, left first.
    pub fn records(&self) -> impl Iterator<Item = &RecordKey> {
        self.left.iter().chain(&self.right).map(|shown| &shown.record)
    }
}

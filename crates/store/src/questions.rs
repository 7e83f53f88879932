//! Questions to agencies about their own records: asked by stewards or drawn by lot, put in rounds.

use jiff::{Timestamp, civil::Date};
use record::{AgencyId, LocalId, RecordKey};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    Action, Actor, Error, NewAuditEntry, Objection, Result, Store, TaskId, audit,
    columns::{all, count, int, key, page, parsed, time},
    decide::objection,
    names::{named, text_id},
    notes::ordered,
    queue::release,
    tasks::{find, renew_standings},
};

/// The columns that [`stored`] reads.
macro_rules! question_where {
    ($condition:literal) => {
        concat!(
            "SELECT q.id, q.agency, q.local_id, q.fields, q.author, q.at,
                    p.day, p.until, a.answer, a.at
             FROM fact_question AS q LEFT JOIN fact_question_put AS p ON p.question = q.id
                 LEFT JOIN fact_answer AS a ON a.question = q.id WHERE ",
            $condition
        )
    };
}

pub(crate) const BY_ID: &str = question_where!("q.id = ?1");
pub(crate) const BY_REQUEST: &str = question_where!("q.author = ?1 AND q.request_id = ?2");
pub(crate) const ABOUT: &str =
    question_where!("q.agency = ?1 AND q.local_id = ?2 ORDER BY q.number");
/// Those that wait for an answer come first.
pub(crate) const PUT_TO: &str = "
    SELECT id, agency, local_id, fields, author, at, day, until, answer, answered, is_closed FROM (
        SELECT q.id, q.agency, q.local_id, q.fields, q.author, q.at, p.day, p.until, a.answer,
               a.at AS answered, a.answer IS NOT NULL OR p.until < ?2 AS is_closed
        FROM fact_question_put AS p JOIN fact_question AS q ON q.id = p.question
            LEFT JOIN fact_answer AS a ON a.question = q.id
        WHERE p.agency = ?1)
    WHERE (is_closed, day, id) > (?3, ?4, ?5) AND (?6 OR NOT is_closed)
    ORDER BY is_closed, day, id LIMIT ?7";
pub(crate) const WAITING: &str =
    question_where!("q.agency = ?1 AND p.question IS NULL ORDER BY q.number");
pub(crate) const IS_CORRECTED: &str = "
    SELECT 1 FROM fact_question_put AS p
        JOIN fact_question AS q ON q.id = p.question
        JOIN fact_question_round AS r ON r.agency = p.agency AND r.day = p.day
        JOIN fact_record_version AS v ON v.agency = q.agency AND v.local_id = q.local_id
        JOIN fact_log AS l ON l.seq = v.seq
    WHERE p.question = ?1 AND l.at > r.at";
pub(crate) const IS_ROUND: &str =
    "SELECT 1 FROM fact_question_round WHERE agency = ?1 AND day = ?2";
pub(crate) const RECORD_AT: &str = "
    SELECT local_id FROM derived_membership WHERE agency = ?1 ORDER BY local_id LIMIT 1 OFFSET ?2";
pub(crate) const COUNT_RECORDS: &str = "SELECT count(*) FROM derived_membership WHERE agency = ?1";
const PAIR_ASKED_ABOUT: &str = "
    SELECT left_agency, left_local_id, right_agency, right_local_id FROM fact_question
    WHERE id = ?1 AND left_agency IS NOT NULL";

/// The id of a question, made by the caller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub String);

named! {
    /// What an agency says of a record.
    "answer" Answer {
        /// The fields are right.
        Confirmed = "confirmed",
        /// They were wrong; a newer version was sent.
        Corrected = "corrected",
        /// It cannot be found out.
        Unknown = "unknown",
    }
}

/// A steward's question about a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewQuestion {
    /// Its id.
    pub id: QuestionId,
    /// The task,
    pub task: TaskId,
    /// as it was seen.
    pub etag: String,
    /// The record to check: one of the task.
    pub record: RecordKey,
    /// The fields to check.
    pub fields: Vec<String>,
    /// Who asks.
    pub author: String,
    /// The author's id of the request, so that it is carried out once.
    pub request_id: String,
    /// The day on which the task is open again without an answer.
    pub waits_until: Date,
    /// Where the agency was asked about the same record later than on this day, it is not again.
    pub not_put_since: Date,
    /// Now.
    pub at: Timestamp,
}

/// Why a question is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAsked {
    /// For the reasons for which nothing is decided.
    Objection(Objection),
    /// The agency was asked about the record not long ago.
    AskedBefore,
}

/// A question drawn by lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnQuestion {
    /// Its id.
    pub id: QuestionId,
    /// The record to check.
    pub local_id: LocalId,
    /// The fields to check.
    pub fields: Vec<String>,
}

/// A round of questions to one agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionRound {
    /// The agency.
    pub agency: AgencyId,
    /// Its day.
    pub day: Date,
    /// An answer is of use until this day.
    pub until: Date,
    /// Stewards' questions that are put,
    pub asked: Vec<QuestionId>,
    /// and those drawn by lot.
    pub drawn: Vec<DrawnQuestion>,
    /// Now.
    pub at: Timestamp,
}

/// A question and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its id.
    pub id: QuestionId,
    /// The record to check.
    pub record: RecordKey,
    /// The fields to check.
    pub fields: Vec<String>,
    /// Who asked; `None`: drawn by lot.
    pub author: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The round in which it was put: its day, and until when an answer is of use.
    pub put: Option<(Date, Date)>,
    /// The answer, and when it came.
    pub answer: Option<(Answer, Timestamp)>,
}

/// The place of a question in an agency's list: the next page starts after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionPlace {
    /// Whether it waits for no answer any more.
    pub is_closed: bool,
    /// The day of its round.
    pub day: String,
    /// Its id.
    pub id: QuestionId,
}

text_id!(QuestionId);

impl Store {
    /// Asks an agency about a record of a task, with its next round.
    ///
    /// Errors: `NotFound`; `Conflict` for a record that is not of the task.
    pub fn ask(&self, new: &NewQuestion) -> Result<std::result::Result<(), NotAsked>> {
        let new = new.clone();
        self.write(1, move |writing| {
            let asked = ask(writing.db, &new)?;
            if asked.is_ok() {
                let actor = Actor::steward(&new.author);
                let entry = NewAuditEntry::new(new.at, actor, Action::QuestionAsked)
                    .subject(&new.id.0)
                    .detail(serde_json::json!({ "task": new.task.0, "fields": new.fields }))
                    .records(vec![new.record]);
                audit::append(writing.db, writing.handles, &entry, None)?;
            }
            Ok(asked)
        })
    }

    /// The question that a request of `author` asked, if it did.
    pub fn question_by_request(&self, author: &str, request_id: &str) -> Result<Option<Question>> {
        self.read(|db| {
            let mut query = db.prepare_cached(BY_REQUEST)?;
            Ok(query.query_row((author, request_id), stored).optional()?)
        })
    }

    /// Everything that was ever asked about a record, oldest first.
    pub fn questions_about(&self, record: &RecordKey) -> Result<Vec<Question>> {
        let of = (record.agency.as_str(), record.local_id.as_str());
        self.read(|db| all(db.prepare_cached(ABOUT)?.query_map(of, stored)?))
    }

    /// The questions put to an agency, those that wait for an answer on `today` first, then by round
    /// and id, `limit` at most.
    pub fn questions_to(
        &self,
        agency: &AgencyId,
        today: Date,
        with_closed: bool,
        after: Option<&QuestionPlace>,
        limit: usize,
    ) -> Result<Vec<Question>> {
        let first =
            QuestionPlace { is_closed: false, day: String::new(), id: QuestionId(String::new()) };
        let after = after.unwrap_or(&first);
        self.read(|db| {
            let values = params![
                agency.as_str(),
                today.to_string(),
                after.is_closed,
                after.day,
                after.id,
                with_closed,
                page(limit)
            ];
            all(db.prepare_cached(PUT_TO)?.query_map(values, stored)?)
        })
    }

    /// What stewards ask an agency and was not put to it yet, oldest first.
    pub fn questions_waiting(&self, agency: &AgencyId) -> Result<Vec<Question>> {
        self.read(|db| all(db.prepare_cached(WAITING)?.query_map([agency.as_str()], stored)?))
    }

    /// Whether a round was held.
    pub fn round_is_held(&self, agency: &AgencyId, day: Date) -> Result<bool> {
        self.read(|db| is_held(db, agency, day))
    }

    /// How many records of an agency belong to a participant. Reads all of the agency's keys.
    pub fn records_of_agency(&self, agency: &AgencyId) -> Result<u64> {
        self.read(|db| {
            let mut query = db.prepare_cached(COUNT_RECORDS)?;
            Ok(query.query_row([agency.as_str()], |row| count(row, 0))?)
        })
    }

    /// The agency's record at a place in the order of local ids, from 0 on.
    pub fn record_at(&self, agency: &AgencyId, place: u64) -> Result<Option<LocalId>> {
        self.read(|db| {
            let mut query = db.prepare_cached(RECORD_AT)?;
            let values = (agency.as_str(), int(place));
            Ok(query.query_row(values, |row| parsed(row, 0)).optional()?)
        })
    }

    /// Holds a round, unless it was held.
    pub fn hold_round(&self, round: &QuestionRound) -> Result<()> {
        let round = round.clone();
        self.write(round.asked.len() + round.drawn.len(), move |writing| {
            hold_round(writing.db, &round)
        })
    }

    /// Takes an agency's answer; the same one again changes nothing.
    ///
    /// Errors: `NotFound` for a question that was not put to this agency; `AlreadyExists` where it
    /// has another answer; `Conflict` where a correction has not come.
    pub fn answer(
        &self,
        agency: &AgencyId,
        id: &QuestionId,
        answer: Answer,
        at: Timestamp,
    ) -> Result<Question> {
        let (agency, id) = (agency.clone(), id.clone());
        self.write(1, move |writing| {
            let question = take_answer(writing.db, &agency, &id, (answer, at))?;
            let entry = NewAuditEntry::new(at, Actor::agency(&agency), Action::QuestionAnswered)
                .subject(&id.0)
                .detail(serde_json::json!({ "answer": answer.as_str() }))
                .records(vec![question.record.clone()]);
            audit::append(writing.db, writing.handles, &entry, None)?;
            Ok(question)
        })
    }
}

fn ask(db: &Connection, new: &NewQuestion) -> Result<std::result::Result<(), NotAsked>> {
    if let Some(objection) = objection(db, (&new.task, &new.etag), &new.author, new.at)? {
        return Ok(Err(NotAsked::Objection(objection)));
    }
    let task = find(db, &new.task)?.open;
    if !task.records().any(|record| *record == new.record) {
        return Err(Error::conflict("ask about a record of the task"));
    }
    let of = (new.record.agency.as_str(), new.record.local_id.as_str());
    let earlier: Vec<Question> = all(db.prepare_cached(ABOUT)?.query_map(of, stored)?)?;
    if earlier.iter().any(|it| it.put.is_none() || it.is_put_since(new.not_put_since)) {
        return Ok(Err(NotAsked::AskedBefore));
    }
    let (one, other) = ordered(&task);
    db.prepare_cached(
        "INSERT INTO fact_question (id, agency, local_id, fields, author, request_id, waits_until,
             left_agency, left_local_id, right_agency, right_local_id, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute((
        &new.id,
        of.0,
        of.1,
        new.fields.join(" "),
        &new.author,
        &new.request_id,
        new.waits_until.to_string(),
        one.agency.as_str(),
        one.local_id.as_str(),
        other.agency.as_str(),
        other.local_id.as_str(),
        new.at.as_microsecond(),
    ))?;
    renew_standings(db, one, other)?;
    release(db, &new.task)?;
    Ok(Ok(()))
}

fn is_held(db: &Connection, agency: &AgencyId, day: Date) -> Result<bool> {
    let mut query = db.prepare_cached(IS_ROUND)?;
    Ok(query.exists((agency.as_str(), day.to_string()))?)
}

fn hold_round(db: &Connection, round: &QuestionRound) -> Result<()> {
    if is_held(db, &round.agency, round.day)? {
        return Ok(());
    }
    let (agency, day) = (round.agency.as_str(), round.day.to_string());
    let at = round.at.as_microsecond();
    db.execute(
        "INSERT INTO fact_question_round (agency, day, at) VALUES (?1, ?2, ?3)",
        (agency, &day, at),
    )?;
    let mut insert = db.prepare_cached(
        "INSERT INTO fact_question (id, agency, local_id, fields, at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for question in &round.drawn {
        let fields = question.fields.join(" ");
        insert.execute((&question.id, agency, question.local_id.as_str(), fields, at))?;
    }
    let put = round.asked.iter().chain(round.drawn.iter().map(|question| &question.id));
    let mut insert = db.prepare_cached(
        "INSERT INTO fact_question_put (agency, day, question, until) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for question in put {
        insert.execute((agency, &day, question, round.until.to_string()))?;
    }
    Ok(())
}

fn take_answer(
    db: &Connection,
    agency: &AgencyId,
    id: &QuestionId,
    (answer, at): (Answer, Timestamp),
) -> Result<Question> {
    let found = db.prepare_cached(BY_ID)?.query_row([id], stored).optional()?;
    let question = found.filter(|it| it.record.agency == *agency && it.put.is_some());
    let question = question.ok_or(Error::NotFound { what: "question" })?;
    match question.answer {
        Some((before, _)) if before == answer => return Ok(question),
        Some(_) => return Err(Error::AlreadyExists { what: "answer" }),
        None => {}
    }
    if answer == Answer::Corrected && !db.prepare_cached(IS_CORRECTED)?.exists([id])? {
        return Err(Error::conflict("no newer version of the record came since it was asked"));
    }
    let insert = "INSERT INTO fact_answer (question, answer, at) VALUES (?1, ?2, ?3)";
    db.execute(insert, (id, answer, at.as_microsecond()))?;
    let pair = |row: &Row<'_>| Ok((key(row, 0)?, key(row, 2)?));
    let pair = db.prepare_cached(PAIR_ASKED_ABOUT)?.query_row([id], pair).optional()?;
    if let Some((one, other)) = pair {
        renew_standings(db, &one, &other)?;
    }
    Ok(Question { answer: Some((answer, at)), ..question })
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Question> {
    let fields: String = row.get(3)?;
    let day: Option<String> = row.get(6)?;
    let answer: Option<Answer> = row.get(8)?;
    Ok(Question {
        id: row.get(0)?,
        record: key(row, 1)?,
        fields: fields.split(' ').map(str::to_owned).collect(),
        author: row.get(4)?,
        at: time(row, 5)?,
        put: day
            .map(|_| Ok::<_, rusqlite::Error>((parsed(row, 6)?, parsed(row, 7)?)))
            .transpose()?,
        answer: answer.map(|it| Ok::<_, rusqlite::Error>((it, time(row, 9)?))).transpose()?,
    })
}

impl Question {
    /// Whether it was put to the agency later than on `day`.
    pub fn is_put_since(&self, day: Date) -> bool {
        self.put.is_some_and(|(put, _)| put > day)
    }

    /// Where the question stands in its agency's list on a day.
    pub fn place(&self, today: Date) -> QuestionPlace {
        let (day, until) = self.put.unzip();
        QuestionPlace {
            is_closed: self.answer.is_some() || until.is_some_and(|until| until < today),
            day: day.map_or_else(String::new, |day| day.to_string()),
            id: self.id.clone(),
        }
    }
}

//! Taking in what the engine settled: one call, one transaction.

use std::collections::BTreeSet;

use jiff::Timestamp;
use record::{ParticipantId, RecordKey};
use rusqlite::{Connection, params};

use crate::{
    Error, Held, MembershipCause, NewChange, OpenTask, Result, Seq, StatusRow, Store, TaskId,
    calendar::{self, Due, Evaluation},
    columns::{int, seq},
    feed::{add_changes, hold},
    log::last_seq,
    memberships::{applied_seq, redirect, set_applied},
    statuses, tasks,
};

pub(crate) const LAST_SETTLED: &str = "SELECT coalesce(max(up_to_seq), 0) FROM fact_settlement";

/// What the engine settled after the facts up to `up_to_seq`.
#[derive(Clone)]
pub struct Settled {
    /// The last fact taken in; never less than in an earlier call.
    pub up_to_seq: Seq,
    /// Now.
    pub at: Timestamp,
    /// The model under which it was settled.
    pub model_version: String,
    /// Records whose participant changed, each once.
    pub memberships: Vec<Assignment>,
    /// Participants that were merged into others.
    pub redirects: Vec<Redirect>,
    /// Participants that were split off others.
    pub origins: Vec<Origin>,
    /// Review tasks.
    pub tasks: TaskReplacement,
    /// Statuses.
    pub statuses: StatusReplacement,
    /// When these participants' statuses change by themselves.
    pub due: Vec<Due>,
    /// How the statuses were evaluated, where that changed.
    pub evaluation: Option<Evaluation>,
    /// Entries of the agencies' feeds, in order.
    pub changes: Vec<NewChange>,
    /// Records whose changes are not told yet, in part held already.
    pub held: Vec<Held>,
    /// Records whose changes are held no longer.
    pub told: Vec<RecordKey>,
}

/// A record comes to a participant, or leaves all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The record.
    pub record: RecordKey,
    /// Its participant; `None`: withdrawn.
    pub participant: Option<ParticipantId>,
    /// Why.
    pub cause: MembershipCause,
}

/// A participant was merged into another; its id is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirect {
    /// The participant that is no more.
    pub from: ParticipantId,
    /// The participant that has its records.
    pub to: ParticipantId,
}

/// A new participant was split off another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The new participant.
    pub participant: ParticipantId,
    /// The participant that had its records.
    pub split_from: ParticipantId,
}

/// Tasks that touch `touched` records go, `open` ones come.
#[derive(Debug, Clone, Default)]
pub struct TaskReplacement {
    /// Records whose tasks were settled again, sorted.
    pub touched: Vec<RecordKey>,
    /// Tasks that are no more, whatever they touch.
    pub closed: Vec<TaskId>,
    /// All open tasks among them.
    pub open: Vec<OpenTask>,
}

/// Statuses of `touched` records go, `rows` come.
#[derive(Debug, Clone, Default)]
pub struct StatusReplacement {
    /// Records whose statuses were evaluated again, withdrawn ones among them.
    pub touched: Vec<RecordKey>,
    /// All statuses of these records.
    pub rows: Vec<StatusRow>,
}

impl Settled {
    /// Nothing changed but that the facts up to `up_to_seq` are taken in.
    pub fn nothing(up_to_seq: Seq, at: Timestamp, model_version: &str) -> Self {
        Self {
            up_to_seq,
            at,
            model_version: model_version.to_owned(),
            memberships: Vec::new(),
            redirects: Vec::new(),
            origins: Vec::new(),
            tasks: TaskReplacement::default(),
            statuses: StatusReplacement::default(),
            due: Vec::new(),
            evaluation: None,
            changes: Vec::new(),
            held: Vec::new(),
            told: Vec::new(),
        }
    }
}

impl Store {
    /// Takes in what was settled: memberships and their log, tasks, statuses and their calendar, the
    /// feeds.
    ///
    /// Errors: `Conflict` when facts are taken in that do not exist, or fewer than before; when a
    /// participant that was merged away gets a record or is merged again; when a task has a record
    /// in both groups.
    pub fn settle(&self, settled: Settled) -> Result<()> {
        self.write(settled.rows(), move |writing| settle(writing.db, &settled))
    }
}

impl Settled {
    /// About how many rows it writes.
    fn rows(&self) -> usize {
        1 + self.memberships.len() + self.statuses.touched.len() + self.changes.len()
    }

    /// Whether it asserts anything that the facts must remember.
    fn asserts(&self) -> bool {
        !(self.memberships.is_empty()
            && self.redirects.is_empty()
            && self.origins.is_empty()
            && self.changes.is_empty())
    }
}

fn settle(db: &Connection, settled: &Settled) -> Result<()> {
    check_progress(db, settled.up_to_seq)?;
    if settled.asserts() {
        db.prepare_cached(
            "INSERT INTO fact_settlement (up_to_seq, at, model_version) VALUES (?1, ?2, ?3)",
        )?
        .execute((
            settled.up_to_seq,
            settled.at.as_microsecond(),
            &settled.model_version,
        ))?;
        let settlement = db.last_insert_rowid();
        add_redirects(db, settlement, &settled.redirects)?;
        add_origins(db, settlement, &settled.origins)?;
        assign(db, settlement, &settled.memberships)?;
        add_changes(db, settlement, &settled.changes)?;
    }
    hold(db, &settled.held, &settled.told)?;
    statuses::replace(db, &settled.statuses)?;
    tasks::replace(db, &settled.tasks, settled.at)?;
    for record in &settled.statuses.touched {
        tasks::count_statuses_of(db, record)?;
    }
    calendar::replace_due(db, &settled.due)?;
    if let Some(evaluation) = &settled.evaluation {
        calendar::evaluated(db, evaluation)?;
    }
    set_applied(db, settled.up_to_seq)
}

/// The log of memberships is ordered by the facts known: a settlement never steps back.
fn check_progress(db: &Connection, up_to_seq: Seq) -> Result<()> {
    let last_settled = db.prepare_cached(LAST_SETTLED)?.query_row([], |row| seq(row, 0))?;
    if up_to_seq < last_settled.max(applied_seq(db)?) {
        return Err(Error::conflict("facts beyond these were settled before"));
    }
    if up_to_seq > last_seq(db)? {
        return Err(Error::conflict("there are not that many facts to settle"));
    }
    Ok(())
}

fn add_redirects(db: &Connection, settlement: i64, redirects: &[Redirect]) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO fact_redirect (from_participant, to_participant, settlement)
         VALUES (?1, ?2, ?3)",
    )?;
    for &Redirect { from, to } in redirects {
        if from == to || redirect(db, from)?.is_some() || redirect(db, to)?.is_some() {
            return Err(Error::conflict("a participant is merged once, into one that still is"));
        }
        insert.execute((int(from.0), int(to.0), settlement))?;
    }
    Ok(())
}

fn add_origins(db: &Connection, settlement: i64, origins: &[Origin]) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO fact_origin (participant, split_from, settlement) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )?;
    for origin in origins {
        let ids = (int(origin.participant.0), int(origin.split_from.0), settlement);
        if insert.execute(ids)? == 0 {
            return Err(Error::conflict("a participant is split off once"));
        }
    }
    Ok(())
}

/// Writes the membership log and the current memberships.
fn assign(db: &Connection, settlement: i64, memberships: &[Assignment]) -> Result<()> {
    let participants: BTreeSet<_> = memberships.iter().filter_map(|one| one.participant).collect();
    for participant in participants {
        if redirect(db, participant)?.is_some() {
            return Err(Error::conflict("a participant that was merged away is not used again"));
        }
    }
    let mut log = db.prepare_cached(
        "INSERT INTO fact_membership (agency, local_id, settlement, participant, cause)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?;
    let mut current = db.prepare_cached(
        "INSERT INTO derived_membership (agency, local_id, participant) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET participant = excluded.participant",
    )?;
    let mut gone =
        db.prepare_cached("DELETE FROM derived_membership WHERE agency = ?1 AND local_id = ?2")?;
    for Assignment { record, participant, cause } in memberships {
        let (agency, local_id) = (record.agency.as_str(), record.local_id.as_str());
        let participant = participant.map(|id| int(id.0));
        if log.execute(params![agency, local_id, settlement, participant, cause])? == 0 {
            return Err(Error::conflict("a settlement assigns a record once"));
        }
        match participant {
            Some(participant) => current.execute((agency, local_id, participant))?,
            None => gone.execute((agency, local_id))?,
        };
    }
    Ok(())
}

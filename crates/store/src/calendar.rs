//! For which day the statuses hold, by which rules, and when each changes by itself.

use jiff::civil::Date;
use record::ParticipantId;
use rusqlite::{Connection, OptionalExtension};

use crate::{
    Result, Store,
    columns::{all, int, parsed, participant},
};

/// By which rules, and for which day, the statuses were evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluation {
    /// The fingerprint of the rules.
    pub rules: [u8; 32],
    /// The day.
    pub day: Date,
    /// The last participant evaluated by these rules, while there are others left.
    pub evaluated_to: Option<ParticipantId>,
}

/// When a participant's statuses change although nobody sends anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The participant.
    pub participant: ParticipantId,
    /// The day; `None`: never.
    pub on: Option<Date>,
}

impl Store {
    /// How the statuses were evaluated; `None` before the first time.
    pub fn evaluation(&self) -> Result<Option<Evaluation>> {
        self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT rules, day, evaluated_to FROM derived_evaluation")?;
            let found = query.query_row([], |row| {
                let to: Option<i64> = row.get(2)?;
                let evaluated_to = to.map(|_| participant(row, 2)).transpose()?;
                Ok(Evaluation { rules: row.get(0)?, day: parsed(row, 1)?, evaluated_to })
            });
            Ok(found.optional()?)
        })
    }

    /// Every participant whose statuses change by themselves, with the day, by participant.
    pub fn due(&self) -> Result<Vec<(ParticipantId, Date)>> {
        self.read(|db| {
            let query = "SELECT participant, due_on FROM derived_due ORDER BY participant";
            let mut query = db.prepare_cached(query)?;
            all(query.query_map([], |row| Ok((participant(row, 0)?, parsed(row, 1)?)))?)
        })
    }
}

/// Writes down how the statuses were evaluated.
pub(crate) fn evaluated(db: &Connection, evaluation: &Evaluation) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO derived_evaluation (one, rules, day, evaluated_to) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (one) DO UPDATE SET
             rules = excluded.rules, day = excluded.day, evaluated_to = excluded.evaluated_to",
    )?
    .execute((
        evaluation.rules,
        evaluation.day.to_string(),
        evaluation.evaluated_to.map(|participant| int(participant.0)),
    ))?;
    Ok(())
}

/// Replaces the days of these participants.
pub(crate) fn replace_due(db: &Connection, due: &[Due]) -> Result<()> {
    let mut set = db.prepare_cached(
        "INSERT INTO derived_due (participant, due_on) VALUES (?1, ?2)
         ON CONFLICT (participant) DO UPDATE SET due_on = excluded.due_on",
    )?;
    let mut never = db.prepare_cached("DELETE FROM derived_due WHERE participant = ?1")?;
    for Due { participant, on } in due {
        match on {
            Some(day) => set.execute((int(participant.0), day.to_string()))?,
            None => never.execute([int(participant.0)])?,
        };
    }
    Ok(())
}

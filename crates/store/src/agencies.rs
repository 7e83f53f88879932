//! The agencies that may send.

use jiff::Timestamp;
use record::AgencyId;
use rusqlite::Connection;

use crate::{
    Action, Actor, Error, NewAuditEntry, Result, Store, audit,
    columns::{all, parsed, time},
};

/// An agency. Not shown by `Debug`: it holds a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its id.
    pub id: AgencyId,
    /// Its name for people.
    pub title: String,
    /// The secret under which its pseudonyms of participants are made.
    pub pseudonym_secret: [u8; 32],
    /// When it was added.
    pub added_at: Timestamp,
}

impl Store {
    /// Adds an agency.
    ///
    /// Errors: `AlreadyExists` when there is an agency of this id.
    pub fn add_agency(
        &self,
        id: &AgencyId,
        title: &str,
        pseudonym_secret: [u8; 32],
        by: &Actor,
        at: Timestamp,
    ) -> Result<()> {
        let (id, title, by) = (id.clone(), title.to_owned(), by.clone());
        self.write(1, move |writing| {
            let insert = "INSERT INTO fact_agency (id, title, pseudonym_secret, added_at)
                          VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
            let values = (id.as_str(), &title, pseudonym_secret, at.as_microsecond());
            if writing.db.execute(insert, values)? == 0 {
                return Err(Error::AlreadyExists { what: "agency" });
            }
            let entry = NewAuditEntry::new(at, by, Action::AgencyAdded)
                .subject(id.as_str())
                .detail(serde_json::json!({ "title": title }));
            audit::append(writing.db, writing.handles, &entry, None)
        })
    }

    /// All agencies, ordered by id.
    pub fn agencies(&self) -> Result<Vec<Agency>> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT id, title, pseudonym_secret, added_at FROM fact_agency ORDER BY id",
            )?;
            let agencies = query.query_map([], |row| {
                Ok(Agency {
                    id: parsed(row, 0)?,
                    title: row.get(1)?,
                    pseudonym_secret: row.get(2)?,
                    added_at: time(row, 3)?,
                })
            })?;
            all(agencies)
        })
    }
}

/// Refuses an agency that was never added.
pub(crate) fn require_agency(db: &Connection, id: &AgencyId) -> Result<()> {
    let mut query = db.prepare_cached("SELECT 1 FROM fact_agency WHERE id = ?1")?;
    match query.exists([id.as_str()])? {
        true => Ok(()),
        false => Err(Error::NotFound { what: "agency" }),
    }
}

//! Models, registries and rule profiles that took effect.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};

use crate::{
    Action, Actor, Error, NewAuditEntry, Result, Seq, Store, audit,
    columns::{all, seq, time},
    erasure::erasing,
    limits,
    log::{LogKind, add_fact},
    names::named,
};

/// The columns that [`stored`] reads.
macro_rules! activation_where {
    ($condition:literal) => {
        concat!(
            "SELECT seq, kind, version, content, author, at FROM fact_activation WHERE ",
            $condition
        )
    };
}

pub(crate) const ACTIVE: &str =
    activation_where!("kind = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1");
pub(crate) const ACTIVE_VERSION: &str =
    "SELECT version FROM fact_activation WHERE kind = ?1 ORDER BY seq DESC LIMIT 1";
const ALL_OF_KIND: &str = activation_where!("kind = ?1 ORDER BY seq");

named! {
    /// What can be activated.
    "kind of activation" ActivationKind {
        /// A linkage model.
        Model = "model",
        /// A registry of pathways.
        Registry = "registry",
        /// A rule profile.
        Profile = "profile",
    }
}

/// An activation.
#[derive(Clone, PartialEq, Eq)]
pub struct Activation {
    /// Its place in the log.
    pub seq: Seq,
    /// What was activated.
    pub kind: ActivationKind,
    /// Its version.
    pub version: String,
    /// Its content, opaque here.
    pub content: Vec<u8>,
    /// Who activated it.
    pub author: String,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// The version in force.
    pub fn active_version(&self, kind: ActivationKind) -> Result<Option<String>> {
        self.read(|db| {
            let mut query = db.prepare_cached(ACTIVE_VERSION)?;
            Ok(query.query_row([kind], |row| row.get(0)).optional()?)
        })
    }

    /// Activates a version and returns the place of that in the log. An earlier version may be
    /// activated again.
    ///
    /// Errors: `Conflict` when this version was activated before with other content.
    pub fn activate(
        &self,
        kind: ActivationKind,
        version: &str,
        content: &[u8],
        by: &Actor,
        at: Timestamp,
    ) -> Result<Seq> {
        let (version, content, by) = (version.to_owned(), content.to_owned(), by.clone());
        let author = by.name.clone();
        self.write(1, move |writing| {
            let db = writing.db;
            let other = "SELECT 1 FROM fact_activation
                         WHERE kind = ?1 AND version = ?2 AND content <> ?3";
            if db.prepare_cached(other)?.exists((kind, &version, &content))? {
                return Err(Error::conflict(format!(
                    "{kind} {version} was activated before with other content: give the new \
                     content a new version"
                )));
            }
            let seq = add_fact(db, at, kind.log_kind(), &version)?;
            let insert = "INSERT INTO fact_activation (seq, kind, version, content, author, at)
                          VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            db.execute(insert, (seq, kind, &version, content, author, at.as_microsecond()))?;
            let entry = NewAuditEntry::new(at, by, Action::Activated)
                .subject(&version)
                .detail(serde_json::json!({ "kind": kind.as_str() }));
            audit::seal(db, writing.handles, seq, &entry)?;
            Ok(seq)
        })
    }

    /// Replaces the contents of activations by what is left of them after an erasure.
    ///
    /// The caller vouches that each differs only in what is to be erased.
    pub fn clean_activations(
        &self,
        cleaned: Vec<(Seq, Vec<u8>)>,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()> {
        let by = by.clone();
        self.write(limits::GROUP_ROWS_MAX, move |writing| {
            let db = writing.db;
            let update = "UPDATE fact_activation SET content = ?2 WHERE seq = ?1";
            erasing(db, || {
                for (seq, content) in &cleaned {
                    db.execute(update, (seq, content))?;
                }
                Ok(())
            })?;
            for (seq, _) in cleaned {
                let entry = NewAuditEntry::new(at, by.clone(), Action::FactResealed);
                audit::seal(db, writing.handles, seq, &entry)?;
            }
            Ok(())
        })
    }

    /// What is in effect: now, or after the fact `at_seq`.
    pub fn active(&self, kind: ActivationKind, at_seq: Option<Seq>) -> Result<Option<Activation>> {
        let at_seq = at_seq.unwrap_or(Seq(u64::MAX));
        self.read(|db| {
            Ok(db.prepare_cached(ACTIVE)?.query_row((kind, at_seq), stored).optional()?)
        })
    }

    /// All activations of a kind, in the order of the log.
    pub fn activations(&self, kind: ActivationKind) -> Result<Vec<Activation>> {
        self.read(|db| all(db.prepare_cached(ALL_OF_KIND)?.query_map([kind], stored)?))
    }
}

impl ActivationKind {
    fn log_kind(self) -> LogKind {
        match self {
            Self::Model => LogKind::Model,
            Self::Registry => LogKind::Registry,
            Self::Profile => LogKind::Profile,
        }
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Activation> {
    Ok(Activation {
        seq: seq(row, 0)?,
        kind: row.get(1)?,
        version: row.get(2)?,
        content: row.get(3)?,
        author: row.get(4)?,
        at: time(row, 5)?,
    })
}

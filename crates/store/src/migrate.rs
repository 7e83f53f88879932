//! The schema of the database, step by step.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::{Error, Result};

/// `WAYM`: marks the file as a database of Waymark.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"WAYM");

/// The steps in order; the schema number is how many of them were taken.
const STEPS: [&str; 3] = [
    include_str!("../migrations/0001_facts.sql"),
    include_str!("../migrations/0002_derived.sql"),
    include_str!("../migrations/0003_append_only.sql"),
];

/// Takes the steps that the database at `path` has not taken, each in a transaction of its own.
///
/// Errors: `Foreign` for a database of another program, `NewerSchema` for one of a newer release.
pub(crate) fn migrate(db: &mut Connection, path: &Path) -> Result<()> {
    let found = check_origin(db, path)?;
    for number in found..STEPS.len() as u32 {
        take_step(db, number)?;
    }
    Ok(())
}

/// The schema number of a database of Waymark, or of an empty one, that this release knows.
///
/// Errors: `Foreign`, `NewerSchema`.
pub(crate) fn check_origin(db: &Connection, path: &Path) -> Result<u32> {
    let known = STEPS.len() as u32;
    let application_id: i32 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let found = schema_number(db)?;
    let tables: u32 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_empty = application_id == 0 && found == 0 && tables == 0;
    if application_id != APPLICATION_ID && !is_empty {
        return Err(Error::Foreign { path: path.to_owned() });
    }
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    Ok(found)
}

/// The schema number of the database.
fn schema_number(db: &Connection) -> Result<u32> {
    Ok(db.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Takes the step after `number` of them.
fn take_step(db: &mut Connection, number: u32) -> Result<()> {
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    step.execute_batch(STEPS[number as usize])?;
    step.pragma_update(None, "application_id", APPLICATION_ID)?;
    step.pragma_update(None, "user_version", number + 1)?;
    Ok(step.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(db: &Connection) -> Vec<String> {
        let mut query = db
            .prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY type, name")
            .unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(|sql| sql.unwrap()).collect()
    }

    #[test]
    fn a_database_migrated_from_any_step_equals_a_fresh_one() {
        let mut fresh = Connection::open_in_memory().unwrap();
        migrate(&mut fresh, Path::new("fresh")).unwrap();
        for taken in 0..STEPS.len() as u32 {
            let mut old = Connection::open_in_memory().unwrap();
            (0..taken).for_each(|number| take_step(&mut old, number).unwrap());
            migrate(&mut old, Path::new("old")).unwrap();
            assert_eq!(schema(&old), schema(&fresh), "from step {taken}");
            assert_eq!(schema_number(&old).unwrap(), STEPS.len() as u32);
        }
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, Path::new("db")).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        let known = STEPS.len() as u32;
        let refused = migrate(&mut db, Path::new("db"));
        assert_eq!(refused, Err(Error::NewerSchema { found: 99, known }));
    }

    #[test]
    fn a_database_of_another_program_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE theirs (x)").unwrap();
        let refused = migrate(&mut db, Path::new("theirs.db"));
        assert_eq!(refused, Err(Error::Foreign { path: "theirs.db".into() }));
    }

    #[test]
    fn every_table_of_facts_refuses_change_and_removal() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, Path::new("db")).unwrap();
        let mut query = db
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'fact_%'")
            .unwrap();
        let tables: Vec<String> =
            query.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect();
        assert_eq!(tables.len(), 34);
        for table in tables {
            for event in ["UPDATE", "DELETE"] {
                let triggers: u32 = db
                    .query_row(
                        "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'
                         AND tbl_name = ?1 AND sql LIKE '%BEFORE ' || ?2 || ' ON%RAISE(ABORT%'",
                        [table.as_str(), event],
                        |row| row.get(0),
                    )
                    .unwrap();
                assert_eq!(triggers, 1, "{event} of {table}");
            }
        }
    }
}

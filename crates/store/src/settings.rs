//! Settings of the instance that are set once: its id, the schema fingerprint, the key check value.

use rusqlite::{Connection, OptionalExtension};

use crate::{Error, Result, Store};

impl Store {
    /// The value of a setting, if it was set.
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.read(|db| setting(db, name))
    }

    /// Sets a setting for good; the same value again changes nothing.
    ///
    /// Errors: `Conflict` when it was set to another value.
    pub fn put_setting_once(&self, name: &str, value: &[u8]) -> Result<()> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.write(1, move |writing| match setting(writing.db, &name)? {
            Some(old) if old == value => Ok(()),
            Some(_) => Err(Error::conflict(format!(
                "the setting {name} of this database has another value: use the settings it was \
                 created with, or a new database"
            ))),
            None => {
                let insert = "INSERT INTO fact_setting (name, value) VALUES (?1, ?2)";
                writing.db.execute(insert, (&name, &value))?;
                Ok(())
            }
        })
    }
}

fn setting(db: &Connection, name: &str) -> Result<Option<Vec<u8>>> {
    let mut query = db.prepare_cached("SELECT value FROM fact_setting WHERE name = ?1")?;
    Ok(query.query_row([name], |row| row.get(0)).optional()?)
}

//! Putting tombstones in the place of the names of erased records, wherever they stand.

use rusqlite::Connection;

use super::erasing;
use crate::{
    HandleKey, Result, Seq, Store,
    columns::{all, key, seq},
    limits,
    writer::Writing,
};

/// Where names stand, by table and the columns of agency and local id.
const NAMED: [(&str, &str, &str); 18] = [
    ("fact_withdrawal", "agency", "local_id"),
    ("fact_membership", "agency", "local_id"),
    ("fact_decision_shown", "agency", "local_id"),
    ("fact_decision_pair", "agency", "local_id"),
    ("fact_decision_pair", "other_agency", "other_local_id"),
    ("fact_task", "agency", "local_id"),
    ("fact_task", "other_agency", "other_local_id"),
    ("fact_note", "agency", "local_id"),
    ("fact_note", "other_agency", "other_local_id"),
    ("fact_question", "agency", "local_id"),
    ("fact_question", "left_agency", "left_local_id"),
    ("fact_question", "right_agency", "right_local_id"),
    ("fact_sample_pair", "agency", "local_id"),
    ("fact_sample_pair", "other_agency", "other_local_id"),
    ("fact_change", "agency", "local_id"),
    ("derived_task", "best_left_agency", "best_left_local_id"),
    ("derived_task", "best_right_agency", "best_right_local_id"),
    ("derived_task_record", "agency", "local_id"),
];

/// Names that go with their rows.
const DROPPED: [&str; 4] = ["derived_held", "derived_status", "derived_membership", "record_name"];

/// Erasures whose records still stand by their names.
pub(crate) const TO_FORGET: &str = "
    SELECT e.seq FROM fact_erasure AS e
    WHERE e.seq <= ?1 AND EXISTS (
        SELECT 1 FROM fact_withdrawal AS w INDEXED BY fact_withdrawal_of_fact
        WHERE w.seq = e.seq AND w.local_id NOT GLOB '~*')
    ORDER BY e.seq";
pub(crate) const NAMES: &str = "
    SELECT agency, local_id FROM fact_withdrawal
    WHERE seq = ?1 AND local_id NOT GLOB '~*' ORDER BY agency, local_id";

impl Store {
    /// The erasures up to a fact whose records still stand by their names.
    pub fn erasures_to_forget(&self, applied: Seq) -> Result<Vec<Seq>> {
        self.read(|db| {
            all(db.prepare_cached(TO_FORGET)?.query_map([applied], |row| seq(row, 0))?)
        })
    }

    /// Puts tombstones in the place of the names of the records that an erasure withdrew: in the log of
    /// memberships, the decisions, tasks, questions and samples, and in the feed, whose entries about
    /// them are emptied. The facts up to the erasure must be taken in, and no later ones.
    pub fn forget_names(&self, erasure: Seq) -> Result<()> {
        self.write(limits::GROUP_ROWS_MAX, move |writing| {
            let Writing { db, handles, .. } = *writing;
            let mut query = db.prepare_cached(NAMES)?;
            let records = all(query.query_map([erasure], |row| key(row, 0))?)?;
            list(db, handles, &records)?;
            erasing(db, || put_tombstones(db))
        })
    }
}

/// Lists the records whose names go, each with its tombstone.
pub(super) fn list(
    db: &Connection,
    handles: &HandleKey,
    records: &[record::RecordKey],
) -> Result<()> {
    db.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS erased (
             agency TEXT NOT NULL, local_id TEXT NOT NULL, tombstone TEXT NOT NULL,
             PRIMARY KEY (agency, local_id)) WITHOUT ROWID;
         DELETE FROM temp.erased;",
    )?;
    let mut insert = db.prepare_cached(
        "INSERT INTO temp.erased (agency, local_id, tombstone) VALUES (?1, ?2, ?3)",
    )?;
    for record in records {
        let tombstone = handles.of(record).tombstone();
        insert.execute((record.agency.as_str(), record.local_id.as_str(), tombstone.as_str()))?;
    }
    Ok(())
}

/// Puts tombstones in the place of the listed names.
pub(super) fn put_tombstones(db: &Connection) -> Result<()> {
    const LISTED: &str = "IN (SELECT agency, local_id FROM temp.erased)";
    db.execute(
        &format!("UPDATE fact_change SET payload = x'' WHERE (agency, local_id) {LISTED}"),
        [],
    )?;
    crate::queue::touch_all(db)?;
    for (table, agency, local_id) in NAMED {
        db.execute(
            &format!(
                "UPDATE {table} SET {local_id} = (
                     SELECT tombstone FROM temp.erased AS e
                     WHERE e.agency = {table}.{agency} AND e.local_id = {table}.{local_id})
                 WHERE ({agency}, {local_id}) {LISTED}"
            ),
            [],
        )?;
    }
    for table in DROPPED {
        db.execute(&format!("DELETE FROM {table} WHERE (agency, local_id) {LISTED}"), [])?;
    }
    db.execute("DELETE FROM temp.erased", [])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::migrate::migrate;

    /// Tables that hold names and are emptied by the erasure itself.
    const ERASED: [&str; 3] = ["fact_record_version", "fact_event", "fact_submission_row"];

    #[test]
    fn no_table_keeps_the_name_of_an_erased_record() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, Path::new("names")).unwrap();
        let mut query = db
            .prepare(
                "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
                 WHERE t.type = 'table' AND c.name LIKE '%local_id' ORDER BY t.name, c.cid",
            )
            .unwrap();
        let columns = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        for column in columns {
            let (table, column): (String, String) = column.unwrap();
            let is_named =
                NAMED.iter().any(|(of, _, local_id)| *of == table && *local_id == column);
            let is_dropped = DROPPED.contains(&table.as_str()) && column == "local_id";
            let is_erased = ERASED.contains(&table.as_str()) && column == "local_id";
            assert!(is_named || is_dropped || is_erased, "{table}.{column} keeps names");
        }
    }
}

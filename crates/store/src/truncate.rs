//! Taking a database back to an earlier moment: what was not known then goes.

use jiff::Timestamp;
use rusqlite::Connection;

use crate::{Result, columns::all};

/// Every table of facts, once, and which of its rows were not known before `:moment` (microseconds),
/// when `:seq` was the last fact, `:settlement` the last one, and `:entry` the last of the
/// audit log. In this order, so that a condition
/// can name the rows that are left in a table above it.
///
/// What an agency had sent in part is not known: its rows may lean on accepted ones that go. It is
/// sent again from the start, and its id is free for that. That a token was revoked stays known as
/// long as the token is: no restore lets anybody in again.
const NOT_KNOWN: [(&str, &str); 34] = [
    ("fact_setting", "false"),
    ("fact_feed_epoch", "false"),
    ("fact_agency", "added_at >= :moment"),
    ("fact_credential", "issued_at >= :moment"),
    ("fact_credential_revocation", "label NOT IN (SELECT label FROM fact_credential)"),
    ("fact_log", "seq > :seq"),
    ("fact_submission", "coalesce(seq > :seq, state = 'open' OR created_at >= :moment)"),
    (
        "fact_submission_row",
        "place >> 32 NOT IN (SELECT number FROM fact_submission WHERE state = 'accepted')",
    ),
    ("fact_record_version", "seq > :seq"),
    ("fact_erasure", "seq > :seq"),
    ("fact_withdrawal", "seq > :seq"),
    ("fact_event", "seq > :seq"),
    ("fact_statement", "seq > :seq"),
    ("fact_decision", "seq > :seq"),
    ("fact_decision_shown", "decision > :seq"),
    ("fact_decision_pair", "decision > :seq"),
    ("fact_decision_undo", "seq > :seq"),
    ("fact_sample", "seq > :seq"),
    ("fact_sample_stratum", "sample > :seq"),
    ("fact_sample_pair", "sample > :seq"),
    ("fact_activation", "seq > :seq"),
    ("fact_task", "opened_at >= :moment"),
    ("fact_note", "at >= :moment"),
    ("fact_question", "at >= :moment"),
    ("fact_question_round", "at >= :moment"),
    (
        "fact_question_put",
        "question NOT IN (SELECT id FROM fact_question)
         OR (agency, day) NOT IN (SELECT agency, day FROM fact_question_round)",
    ),
    ("fact_answer", "at >= :moment OR question NOT IN (SELECT id FROM fact_question)"),
    ("fact_settlement", "number > :settlement"),
    ("fact_membership", "settlement > :settlement"),
    ("fact_redirect", "settlement > :settlement"),
    ("fact_origin", "settlement > :settlement"),
    ("fact_change", "settlement > :settlement"),
    ("fact_audit", "number > :entry"),
    ("fact_audit_record", "entry > :entry"),
];

/// Removes what was not known before `moment`. The triggers that guard the facts must be away.
pub(crate) fn truncate(db: &Connection, moment: Timestamp) -> Result<()> {
    let moment = moment.as_microsecond().to_string();
    let number = |query: String| db.query_row(&query, [], |row| row.get::<_, i64>(0));
    let last = format!("SELECT coalesce(max(seq), 0) FROM fact_log WHERE at < {moment}");
    let seq = number(last)?.to_string();
    // A clock that was set back may have dated a later one earlier: the first that goes decides.
    let settlement = number(format!(
        "SELECT coalesce(min(number) - 1, {}) FROM fact_settlement
         WHERE at >= {moment} OR up_to_seq > {seq}",
        i64::MAX
    ))?;
    // In the same way the first entry of the audit log that is of later, or seals a later fact.
    let entry = number(format!(
        "SELECT coalesce(min(number) - 1, {}) FROM fact_audit
         WHERE at >= {moment} OR seq > {seq}",
        i64::MAX
    ))?;
    for (table, condition) in NOT_KNOWN {
        let condition = condition
            .replace(":moment", &moment)
            .replace(":seq", &seq)
            .replace(":settlement", &settlement.to_string())
            .replace(":entry", &entry.to_string());
        db.execute(&format!("DELETE FROM {table} WHERE {condition}"), [])?;
    }
    count_on(db)
}

/// Lets numbers that are given one after the other go on from the last that is left.
fn count_on(db: &Connection) -> Result<()> {
    let mut query = db.prepare("SELECT name FROM sqlite_sequence ORDER BY name")?;
    let tables: Vec<String> = all(query.query_map([], |row| row.get(0))?)?;
    for table in tables {
        let last = format!("SELECT coalesce(max(rowid), 0) FROM {table}");
        let update = format!("UPDATE sqlite_sequence SET seq = ({last}) WHERE name = ?1");
        db.execute(&update, [&table])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;
    use crate::{migrate::migrate, store::tables};

    #[test]
    fn every_table_of_facts_says_once_what_of_it_was_not_known() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, Path::new("db")).unwrap();
        let named: BTreeSet<&str> = NOT_KNOWN.iter().map(|(table, _)| *table).collect();
        assert_eq!(named.len(), NOT_KNOWN.len(), "a table stands twice");
        assert_eq!(Vec::from_iter(named), tables(&db, "fact").unwrap());
    }
}

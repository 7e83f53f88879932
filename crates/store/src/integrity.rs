//! The check of the whole database, beyond what SQLite checks by itself.

use rusqlite::Connection;

use crate::{Error, Result, Store, SubmissionId, appends::chain, columns::all, submissions::find};

/// What must not be found, and how it is reported.
const CONTRADICTIONS: [(&str, &str); 8] = [
    ("SELECT count(*) FROM pragma_foreign_key_check", "rows refer to rows that do not exist"),
    (
        "SELECT count(*) FROM fact_record_version AS v LEFT JOIN fact_submission_row AS r
         ON r.place = v.place WHERE r.payload IS NULL",
        "accepted records have no payload",
    ),
    (
        "SELECT count(*) FROM fact_event AS e LEFT JOIN fact_submission_row AS r
         ON r.place = e.place WHERE r.payload IS NULL",
        "accepted events have no payload",
    ),
    (
        "SELECT count(*) FROM fact_submission WHERE state = 'accepted'
         AND accepted + unchanged + rejected <> committed_offset",
        "submissions have a receipt that does not add up",
    ),
    (
        "SELECT count(*) FROM (SELECT 1 FROM fact_change GROUP BY agency
         HAVING min(cursor) <> 1 OR max(cursor) <> count(*))",
        "feeds have gaps",
    ),
    (
        "SELECT count(*) FROM fact_membership AS m JOIN fact_redirect AS r
         ON r.from_participant = m.participant AND m.settlement >= r.settlement",
        "records were given to a participant that was merged away",
    ),
    (
        "SELECT count(*) FROM fact_credential AS c WHERE NOT EXISTS (
             SELECT 1 FROM fact_audit AS a
             WHERE a.action = 'credential_issued' AND a.subject = c.label
                 AND a.detail ->> 'role' = c.role AND a.detail ->> 'name' = c.name
                 AND a.detail ->> 'scopes' = c.scopes)",
        "credentials are not as the audit log says that they were issued",
    ),
    (
        "SELECT count(*) FROM fact_audit AS a WHERE a.action = 'credential_revoked' AND NOT EXISTS (
             SELECT 1 FROM fact_credential_revocation AS r WHERE r.label = a.subject)",
        "credentials that the audit log says were revoked are in force",
    ),
];

impl Store {
    /// Reads every page and checks that tables can be read by them, beside other work.
    ///
    /// Errors: `Corrupt` says what is damaged.
    pub fn check_pages(&self) -> Result<()> {
        let findings: Vec<String> = self.read_apart(|db| {
            let mut query = db.prepare("PRAGMA quick_check(3)")?;
            all(query.query_map([], |row| row.get(0))?)
        })?;
        match findings.as_slice() {
            [only] if only == "ok" => Ok(()),
            findings => Err(Error::Corrupt(findings.join("; "))),
        }
    }

    /// Checks the whole database; returns what is wrong with it, nothing when it is sound.
    ///
    /// Reads everything: the pages, the references, and the digest of every submission.
    pub fn integrity_check(&self) -> Result<Vec<String>> {
        self.read(|db| {
            let mut query = db.prepare("PRAGMA integrity_check")?;
            let mut findings: Vec<String> = all(query.query_map([], |row| row.get(0))?)?;
            findings.retain(|finding| finding != "ok");
            for (query, wrong) in CONTRADICTIONS {
                let found: u64 = db.query_row(query, [], |row| crate::columns::count(row, 0))?;
                if found > 0 {
                    findings.push(format!("{found} {wrong}"));
                }
            }
            findings.extend(false_digests(db)?);
            Ok(findings)
        })
    }
}

/// The submissions whose rows do not give their running digest.
fn false_digests(db: &Connection) -> Result<Vec<String>> {
    let mut query =
        db.prepare("SELECT id FROM fact_submission WHERE state <> 'abandoned' ORDER BY number")?;
    let ids: Vec<SubmissionId> = all(query.query_map([], |row| row.get(0))?)?;
    let mut digests = db.prepare(
        "SELECT digest FROM fact_submission_row WHERE place BETWEEN ?1 AND ?2 ORDER BY place",
    )?;
    let mut findings = Vec::new();
    for id in ids {
        let stored = find(db, &id)?;
        let (mut rows, mut digest, mut is_erased) = (0, [0; 32], false);
        let mut stored_digests = digests.query(stored.places())?;
        while let Some(row) = stored_digests.next()? {
            let of_row: [u8; 32] = row.get(0)?;
            is_erased |= of_row == [0; 32];
            rows += 1;
            digest = chain(&digest, &of_row);
        }
        // What is left of a submission after an erasure has its seal in the audit log.
        if !is_erased
            && (rows, digest) != (stored.submission.committed_offset, stored.submission.digest)
        {
            findings.push(format!("the rows of submission {} do not give its digest", id.0));
        }
    }
    Ok(findings)
}

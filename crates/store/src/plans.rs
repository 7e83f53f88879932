//! Tests that no query about one record, task, participant or page reads a whole table.

use std::path::Path;

use rusqlite::Connection;

use crate::{
    activations, appends, audit, content, credentials, decide, decisions, effects, erasure, events,
    feed, finalize, log, memberships, migrate::migrate, notes, questions, queue, records, samples,
    settle, statements, statuses, submissions, tasks,
};

const QUERIES: [&str; 105] = [
    activations::ACTIVE,
    activations::ACTIVE_VERSION,
    appends::DIGEST_OF_VERSION,
    appends::DIGEST_OF_EVENT,
    appends::REJECTIONS,
    audit::LAST,
    audit::ENTRY,
    audit::AFTER,
    audit::ABOUT,
    audit::OF_AGENCY,
    audit::OF_ACTION,
    audit::RECORDS,
    content::KIND,
    content::ROW,
    erasure::IS_ERASED,
    erasure::IS_KNOWN,
    erasure::PLACES,
    erasure::LAST_SEAL,
    erasure::BY_REQUEST,
    credentials::FIND_CREDENTIAL,
    decide::NEIGHBORS,
    decide::ETAG,
    decide::LEASE,
    decisions::BY_ID,
    decisions::BY_SEQ,
    decisions::BY_REQUEST,
    decisions::UNDONE_BY,
    decisions::OF_RECORD,
    decisions::BINDING,
    decisions::SHOWN,
    decisions::PAIRS,
    effects::MOVES,
    effects::TOLD,
    events::EVENTS_OF,
    events::TAKERS_BACK,
    events::KEYS_OF_FACT,
    events::TAKEN_BACK_BY_FACT,
    events::WAITING,
    feed::CHANGES,
    feed::EPOCH,
    feed::LAST_PLACE,
    feed::PLACE,
    feed::CHANGES_OF_RECORD,
    feed::TOLD,
    finalize::LAST_OF_VERSION,
    finalize::LAST_WITHDRAWAL,
    finalize::PLACE_OF_EVENT,
    finalize::SAME_DIGEST,
    log::FACTS_AFTER,
    log::SEQ_BEFORE,
    memberships::SETTLEMENT_AT,
    memberships::PARTICIPANT_OF,
    memberships::PARTICIPANT_OF_AT,
    memberships::LAST_PARTICIPANT_OF,
    memberships::PARTICIPANTS_EVER,
    memberships::MEMBERS_OF,
    memberships::MEMBERS_OF_AT,
    memberships::HISTORY,
    memberships::BEGAN,
    memberships::REDIRECT,
    memberships::ORIGIN,
    memberships::LAST_PARTICIPANT,
    notes::OF_RECORD,
    notes::BY_REQUEST,
    notes::OPENED,
    notes::DECIDED,
    notes::DISPUTED,
    notes::QUESTIONS_ABOUT,
    questions::BY_ID,
    questions::BY_REQUEST,
    questions::ABOUT,
    questions::PUT_TO,
    questions::IS_CORRECTED,
    questions::IS_ROUND,
    questions::WAITING,
    queue::LISTED_BY_ID,
    records::VERSIONS_OF_FACT,
    records::PAYLOAD,
    records::WITHDRAWALS_OF,
    records::VERSIONS,
    records::VERSION,
    samples::LAST,
    samples::PAIRS,
    samples::STRATA,
    settle::LAST_SETTLED,
    statements::LAST_OF_SUBJECT,
    statements::PAGE,
    statuses::PAGE,
    statuses::PAGE_OF_LABEL,
    statuses::OF_RECORD,
    statuses::DROP,
    submissions::BY_ID,
    submissions::BY_REQUEST,
    submissions::BY_SEQ,
    submissions::PAGE,
    submissions::PAGE_OF_AGENCY,
    submissions::DROP_ROWS,
    tasks::BY_ID,
    tasks::BY_PAIR,
    tasks::IDS_BY_PAIR,
    tasks::PAIR_OF_TASK,
    tasks::STATUSES_ON,
    tasks::SET_STATUSES,
    tasks::RECORDS_OF,
    tasks::TASKS_OF,
];

#[test]
fn no_query_about_one_thing_scans_a_table() {
    let mut db = Connection::open_in_memory().unwrap();
    migrate(&mut db, Path::new("plans")).unwrap();
    for query in QUERIES {
        assert_eq!(scans(&db, query), Vec::<String>::new(), "{query}");
    }
    assert_eq!(scans(&db, "SELECT place FROM fact_event WHERE event_id = ?1").len(), 1);
}

#[test]
fn the_events_of_a_record_are_found_without_reading_all_of_its_agency() {
    let mut db = Connection::open_in_memory().unwrap();
    migrate(&mut db, Path::new("plans")).unwrap();
    for query in [events::EVENTS_OF, events::TAKERS_BACK, feed::TOLD, statuses::OF_RECORD] {
        let steps = steps(&db, query);
        assert!(!steps.iter().any(|step| step.ends_with("(agency=?)")), "{query}\n{steps:?}");
    }
}

/// The steps of a query's plan that read a whole table.
fn scans(db: &Connection, query: &str) -> Vec<String> {
    let mut scans = steps(db, query);
    // The history of a participant first collects the few records it ever had; a constant is no table.
    scans.retain(|step| {
        step.starts_with("SCAN") && !["SCAN ever", "SCAN CONSTANT ROW"].contains(&step.as_str())
    });
    scans
}

/// The steps of a query's plan.
fn steps(db: &Connection, query: &str) -> Vec<String> {
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
    let mut rows = explain.raw_query();
    let mut steps: Vec<String> = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get("detail").unwrap());
    }
    steps
}

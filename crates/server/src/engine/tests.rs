//! The engine on a store of its own: what it counts, in which order, and what it tells the feeds.

mod sequences;

use std::sync::Arc;

use api::{
    convert::date_to_proto,
    event::{self, event::Detail},
    status::{Cause, StatusChange},
};
use jiff::{civil::Date, tz::TimeZone};
use linkage::{DEFAULT_MODEL, Model, Policy};
use record::{
    AgencyId, BlockingToken, DEFAULT_SCHEMA, EncodedField, EncodedRecord, Filter, RecordKey,
    RecordVersion, Schema, Token,
};
use sha2::{Digest, Sha256};
use store::{
    ActivationKind, ChangeCause, NewRow, NewSubmission, RowContent, Settled, StatusReplacement,
    Store, SubmissionId, SubmissionKind, SubmissionMode, Submitted,
};
use tokio::sync::oneshot;

use super::{Difference, Engine, EngineError, Evaluator, Profiles, read_change};
use crate::{activation, clock::Clock, sources::Sources};

fn tester() -> store::Actor {
    store::Actor::service("test")
}

/// A store with two agencies and the model that scores.
struct Desk {
    _folder: tempfile::TempDir,
    store: Store,
    schema: Arc<Schema>,
    sent: u32,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let handles = store::HandleKey::new(&[5; 32]);
        let store = Store::open(&folder.path().join("waymark.db"), &handles).unwrap();
        let schema = Arc::new(Schema::parse(DEFAULT_SCHEMA).unwrap());
        let model = Model::from_toml(DEFAULT_MODEL, &schema).unwrap();
        let (content, at) = (activation::model_content(&model), clock("2026-03-01").now());
        store.activate(ActivationKind::Model, &model.id, &content, &tester(), at).unwrap();
        for (number, agency) in ["college", "workforce"].iter().enumerate() {
            let id = agency.parse().unwrap();
            store.add_agency(&id, agency, [number as u8; 32], &tester(), at).unwrap();
        }
        Self { _folder: folder, store, schema, sent: 0 }
    }

    fn engine(&self, day: &str, rules: u8) -> Engine {
        let profiles = vec![("2021-07-01".parse().unwrap(), pathways::default_profiles())];
        let evaluator = Evaluator {
            registry: Arc::new(pathways::default_registry()),
            profiles: Profiles::new(profiles),
            sources: Sources::new(Default::default()),
            sharing: Arc::new(pathways::default_sharing()),
            fingerprint: [rules; 32],
        };
        let (store, schema) = (self.store.clone(), self.schema.clone());
        Engine::open(store, clock(day), schema, Policy::default(), evaluator).unwrap()
    }

    /// Sends rows as one submission, which is one fact.
    fn send(&mut self, agency: &str, kind: SubmissionKind, rows: Vec<NewRow>) {
        self.send_as(agency, kind, SubmissionMode::Delta, rows);
    }

    fn send_as(
        &mut self,
        agency: &str,
        kind: SubmissionKind,
        mode: SubmissionMode,
        rows: Vec<NewRow>,
    ) {
        self.sent += 1;
        let new = NewSubmission {
            id: SubmissionId(format!("S{}", self.sent)),
            agency: agency.parse().unwrap(),
            request_id: format!("r{}", self.sent),
            kind,
            mode,
            as_of: "2026-03-01".parse().unwrap(),
            created_at: clock("2026-03-01").now(),
        };
        let submitted = self.store.submit(&new, rows, None).unwrap();
        assert!(matches!(submitted, Submitted::Accepted(_)));
    }

    /// Sends a version of a record: that of the person with this number.
    fn record(&mut self, record: &str, version: i64, person: u64) {
        let key: RecordKey = record.parse().unwrap();
        let content = RowContent::Record {
            local_id: key.local_id,
            version: RecordVersion(version),
            payload: encoded(&self.schema, person).to_bytes(),
        };
        let digest = Sha256::digest(format!("{record} {version} {person}")).into();
        self.send(key.agency.as_str(), SubmissionKind::Records, vec![NewRow { digest, content }]);
    }

    /// Sends an event; it takes back the event of that id, where one is given.
    fn event(&mut self, record: &str, id: &str, detail: Detail, takes_back: Option<&str>) {
        let key: RecordKey = record.parse().unwrap();
        let event = event::Event {
            local_id: key.local_id.to_string(),
            source_event_id: id.to_owned(),
            detail: Some(detail),
            ..event::Event::default()
        };
        let content = RowContent::Event {
            local_id: key.local_id,
            event_id: id.to_owned(),
            takes_back: takes_back.map(str::to_owned),
            received_on: "2026-03-01".parse().unwrap(),
            payload: api::encode(&event),
        };
        let digest = Sha256::digest(id).into();
        self.send(key.agency.as_str(), SubmissionKind::Events, vec![NewRow { digest, content }]);
    }

    fn labels(&self, record: &str) -> Vec<String> {
        let rows = self.store.status(&record.parse().unwrap()).unwrap();
        rows.into_iter().filter(|row| row.pathway == "HC-1").map(|row| row.label).collect()
    }

    /// What an agency was told of the pathway: label before, label after, why, and in full.
    fn told(&self, agency: &str) -> Vec<(String, String, Cause, ChangeCause)> {
        let agency: AgencyId = agency.parse().unwrap();
        let changes = self.store.changes(&agency, 0, 100).unwrap();
        let of_pathway = changes.into_iter().filter(|change| change.pathway == "HC-1");
        of_pathway
            .map(|change| {
                let told: StatusChange = read_change(&change.payload).unwrap();
                let why = (told.cause(), change.cause);
                (told.previous_label, told.status.unwrap().label, why.0, why.1)
            })
            .collect()
    }
}

/// What differs from the facts, compared beside other work.
fn differences(engine: &mut Engine) -> Vec<Difference> {
    let (reply, mut answer) = oneshot::channel();
    engine.begin_reconciliation(false, reply);
    loop {
        engine.reconcile_some().unwrap();
        if let Ok(found) = answer.try_recv() {
            return found.unwrap().differences;
        }
    }
}

fn clock(day: &str) -> Clock {
    Clock::new(TimeZone::UTC, Some(day.parse().unwrap()))
}

/// Every field of a person: two encodings of one person are the same, of two people nothing is.
fn encoded(schema: &Schema, person: u64) -> EncodedRecord {
    let word = |what: &str, number: usize| {
        let hash = Sha256::digest(format!("{person} {what} {number}"));
        u64::from_le_bytes(hash[..8].try_into().unwrap())
    };
    let field = |field: &record::Field| {
        let tokens = (0..field.tokens.len()).map(|place| Some(Token(word(&field.name, place))));
        let words = |n_words| (0..n_words).map(|it| word(&field.name, 100 + it)).collect();
        Some(EncodedField {
            filter: field.filter.as_ref().map(|shape| Filter(words(shape.words()))),
            tokens: tokens.collect(),
        })
    };
    let blocking = (0..).zip(&schema.blocking);
    let record = EncodedRecord {
        fields: schema.fields.iter().map(field).collect(),
        blocking: blocking
            .map(|(key, it)| BlockingToken { key, token: Token(word(&it.name, 0)) })
            .collect(),
    };
    record.check(schema).unwrap();
    record
}

fn day(text: &str) -> Option<api::types::Date> {
    Some(date_to_proto(text.parse::<Date>().unwrap()))
}

fn enrolled() -> Detail {
    Detail::Enrollment(event::Enrollment {
        course: Some("NUR101".to_owned()),
        term: Some("2026SP".to_owned()),
        start: day("2026-01-12"),
        end: day("2026-05-08"),
        ..event::Enrollment::default()
    })
}

fn served() -> Detail {
    Detail::Service(event::Service {
        code: "HC-TRAINING".to_owned(),
        program: "adult".to_owned(),
        start: day("2026-02-02"),
        end: day("2026-02-20"),
    })
}

fn takes_back(id: &str) -> Detail {
    Detail::Void(event::Void { voided_event_id: id.to_owned() })
}

fn text(label: &str) -> String {
    label.to_owned()
}

#[test]
fn only_facts_that_were_taken_in_count_although_others_are_there() {
    let mut desk = Desk::new();
    desk.record("college/S1", 1, 1);
    desk.record("workforce/W1", 1, 1);
    let mut engine = desk.engine("2026-03-01", 1);
    // The activation ends the run of what is settled together; its own events come after it.
    desk.event("college/S1", "E1", enrolled(), None);
    let at = clock("2026-03-01").now();
    desk.store.activate(ActivationKind::Registry, "r", b"r", &tester(), at).unwrap();
    desk.event("workforce/W1", "E2", served(), None);
    assert!(engine.take_in_some().unwrap());
    assert_eq!(
        (desk.labels("college/S1"), desk.labels("workforce/W1").len()),
        (vec![text("participant")], 0)
    );
    assert_eq!(differences(&mut engine), []);
    while engine.take_in_some().unwrap() {}
    let own = (text(""), text("participant"), Cause::OwnData, ChangeCause::Event);
    assert_eq!((desk.told("college"), desk.told("workforce")), (vec![own.clone()], vec![own]));
}

#[test]
fn where_records_come_one_by_one_what_remains_of_a_change_is_told_a_moment_later() {
    let mut desk = Desk::new();
    desk.record("college/S1", 1, 1);
    desk.record("workforce/W1", 1, 1);
    desk.event("college/S1", "E1", enrolled(), None);
    desk.event("workforce/W1", "E2", served(), None);
    let mut engine = desk.engine("2026-03-01", 1);
    let wait = |engine: &mut Engine| while !engine.tell_held().unwrap() {};
    wait(&mut engine);
    let before = desk.told("workforce");
    assert_eq!(desk.labels("workforce/W1"), ["participant"]);

    // For a moment the college's record is of somebody else: her training alone is over.
    desk.record("college/S1", 2, 2);
    engine.take_in_some().unwrap();
    assert_eq!(desk.labels("workforce/W1"), ["participant (gap)"]);
    desk.record("college/S1", 3, 1);
    engine.take_in_some().unwrap();
    wait(&mut engine);
    assert_eq!(
        (desk.labels("workforce/W1"), desk.told("workforce")),
        (vec![text("participant")], before)
    );

    // An event is told at once; so is a regrouping that stays, when its moment is over.
    desk.record("college/S1", 4, 2);
    engine.take_in_some().unwrap();
    wait(&mut engine);
    desk.event("workforce/W1", "E3", takes_back("E2"), Some("E2"));
    engine.take_in_some().unwrap();
    let told = desk.told("workforce");
    let (gap, none) = (text("participant (gap)"), text("none"));
    assert_eq!(
        told[told.len() - 2..],
        [
            (text("participant"), gap.clone(), Cause::OtherData, ChangeCause::Link),
            (gap, none, Cause::OwnData, ChangeCause::Correction),
        ]
    );
}

#[test]
fn what_was_reported_of_the_wrong_person_is_taken_back_under_another_local_id() {
    let mut desk = Desk::new();
    desk.record("college/S1", 1, 1);
    desk.record("college/S2", 1, 2);
    desk.event("college/S1", "E1", enrolled(), None);
    // A void that is there before what it voids.
    desk.event("college/S1", "E2", takes_back("E3"), Some("E3"));
    let mut engine = desk.engine("2026-03-01", 1);
    while !engine.tell_held().unwrap() {}
    assert_eq!(desk.labels("college/S1"), ["participant"]);
    desk.event("college/S2", "E3", enrolled(), None);
    engine.take_in_some().unwrap();
    assert_eq!(desk.labels("college/S2"), Vec::<String>::new());
    desk.event("college/S2", "E4", takes_back("E1"), Some("E1"));
    engine.take_in_some().unwrap();
    assert_eq!(desk.labels("college/S1"), Vec::<String>::new());
    let correction = (text("participant"), text("none"), Cause::OwnData, ChangeCause::Correction);
    assert_eq!(desk.told("college").pop(), Some(correction));
    assert_eq!(differences(&mut engine), []);
}

#[test]
fn lost_derived_state_is_made_anew_and_the_feeds_say_nothing_twice() {
    let mut desk = Desk::new();
    for (record, person) in [("college/S1", 1), ("workforce/W1", 1), ("college/S2", 2)] {
        desk.record(record, 1, person);
    }
    desk.event("college/S1", "E1", enrolled(), None);
    desk.event("workforce/W1", "E2", served(), None);
    let mut engine = desk.engine("2026-03-01", 1);
    while !engine.tell_held().unwrap() {}
    let status = |record: &str| desk.store.status(&record.parse().unwrap()).unwrap();
    let before = ["college/S1", "workforce/W1", "college/S2"].map(status);
    let told = (desk.told("college"), desk.told("workforce"));
    drop(engine);
    desk.store.drop_derived().unwrap();
    assert_eq!(status("college/S1"), []);
    let mut engine = desk.engine("2026-03-01", 1);
    assert_eq!(["college/S1", "workforce/W1", "college/S2"].map(status), before);
    assert_eq!((desk.told("college"), desk.told("workforce")), told);
    assert_eq!(differences(&mut engine), []);
}

#[test]
fn who_waits_for_other_rules_is_told_of_own_data_as_such() {
    let mut desk = Desk::new();
    desk.record("college/S1", 1, 1);
    desk.record("workforce/W1", 1, 1);
    drop(desk.engine("2026-03-01", 1));
    let mut engine = desk.engine("2026-03-01", 2);
    desk.event("college/S1", "E1", enrolled(), None);
    engine.take_in_some().unwrap();
    assert_eq!(desk.labels("college/S1"), Vec::<String>::new(), "it waits for its turn");
    while engine.recompute_some().unwrap() {}
    let own = (text(""), text("participant"), Cause::OwnData, ChangeCause::Event);
    assert_eq!((desk.told("college"), desk.told("workforce")), (vec![own], vec![]));
}

#[test]
fn a_comparison_goes_on_beside_new_facts_and_one_at_a_time() {
    let mut desk = Desk::new();
    for person in 1..=3 {
        desk.record(&format!("college/S{person}"), 1, person);
    }
    desk.event("college/S1", "E1", enrolled(), None);
    let mut engine = desk.engine("2026-03-01", 1);
    let (reply, mut answer) = oneshot::channel();
    engine.begin_reconciliation(false, reply);
    let (second, mut refused) = oneshot::channel();
    engine.begin_reconciliation(false, second);
    assert!(matches!(refused.try_recv(), Ok(Err(EngineError::Busy))));
    // While the groups of the moment before are rebuilt, people are regrouped and events come.
    desk.record("college/S2", 2, 1);
    desk.event("college/S3", "E2", enrolled(), None);
    while engine.take_in_some().unwrap() {}
    let found = loop {
        engine.reconcile_some().unwrap();
        if let Ok(found) = answer.try_recv() {
            break found.unwrap();
        }
    };
    assert_eq!((found.records, found.differences.len()), (3, 0));
    assert!(found.statuses >= 3, "{} statuses", found.statuses);
}

#[test]
fn what_is_served_otherwise_than_the_facts_say_is_found_and_repaired() {
    let mut desk = Desk::new();
    desk.record("college/S1", 1, 1);
    desk.event("college/S1", "E1", enrolled(), None);
    let mut engine = desk.engine("2026-03-01", 1);
    let record: RecordKey = "college/S1".parse().unwrap();
    let touched = vec![record.clone()];
    let statuses = StatusReplacement { touched, rows: Vec::new() };
    let nothing = Settled::nothing(engine.applied, clock("2026-03-01").now(), "m");
    desk.store.settle(Settled { statuses, ..nothing }).unwrap();
    let found = differences(&mut engine);
    let what = |found: &Difference| (found.record.clone(), found.what, found.rebuilt.clone());
    let labels = "participant, participant";
    assert_eq!(found.iter().map(what).collect::<Vec<_>>(), [(record, "status", text(labels))]);
    let (reply, mut answer) = oneshot::channel();
    engine.begin_reconciliation(true, reply);
    while answer.try_recv().is_err() {
        engine.reconcile_some().unwrap();
    }
    assert_eq!(
        (desk.labels("college/S1"), differences(&mut engine)),
        (vec![text("participant")], vec![])
    );
}

#[test]
fn what_was_received_on_a_later_day_counts_from_that_day_on() {
    // The clock was set back after the event had come; or the engine was still at the day before.
    let mut desk = Desk::new();
    desk.record("college/S1", 1, 1);
    desk.event("college/S1", "E1", enrolled(), None);
    drop(desk.engine("2026-02-28", 1));
    assert_eq!(desk.labels("college/S1"), Vec::<String>::new());
    let mut engine = desk.engine("2026-03-01", 1);
    assert_eq!(desk.labels("college/S1"), ["participant"]);
    assert_eq!(differences(&mut engine), []);
    drop(engine);
    drop(desk.engine("2026-02-27", 1));
    assert_eq!(desk.labels("college/S1"), Vec::<String>::new());
    desk.engine("2026-03-05", 1);
    assert_eq!(desk.labels("college/S1"), ["participant"]);
}

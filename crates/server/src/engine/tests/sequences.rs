//! Whatever agencies send and stewards decide, in whatever order: what is served is what a rebuild from
//! the facts gives, and what stands of the decisions holds.

use std::{
    collections::BTreeMap,
    env,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRng, TestRunner},
};
use record::ParticipantId;
use store::{
    DecisionId, Decisions, ErasureId, NewDecision, NewErasure, OpenTask, Purge, Scope, Seq,
    TaskFilter, TaskState, Verdict, Withdrawn,
};

use super::*;

/// Sequences tried in all, unless the variable `SEQUENCES` says otherwise.
const N_SEQUENCES: u32 = 200;
/// Threads that try them, which wait for the disk some of the time.
const N_THREADS: u32 = 4;

/// What happened in all sequences.
#[derive(Debug, Default)]
struct Happened {
    decided: AtomicU32,
    refused: AtomicU32,
    undone: AtomicU32,
    contrary: AtomicU32,
    erased: AtomicU32,
    purged: AtomicU32,
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// An agency sends a version of one of its records: of a person, some fields of another one.
    Send { college: bool, record: u8, person: u8, other: u8, mask: u8 },
    /// An agency sends a snapshot of some of its records; the others are withdrawn.
    Snapshot { college: bool, keep: u8 },
    /// An agency withdraws one of its records, or all that it has sent; it is erased.
    /// A restart may come before the engine has heard of it.
    Erase { college: bool, record: Option<u8>, restart: bool },
    /// What snapshots left out is erased for good.
    Purge,
    /// A steward settles one of the open tasks.
    Decide { task: prop::sample::Index, verdict: Verdict, scope: Scope },
    /// A steward takes one of the standing decisions back.
    Undo(prop::sample::Index),
    /// The service stops and starts again.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let verdict = prop_oneof![Just(Verdict::Link), Just(Verdict::Separate)];
    let scope = prop_oneof![Just(Scope::Pair), Just(Scope::Record)];
    // Mostly two people, and records that differ in what makes stewards wonder.
    let mask = prop_oneof![Just(0u8), Just(1), Just(1), Just(1), 2u8..8];
    let send = (any::<bool>(), 0u8..4, 0u8..2, 2u8..5, mask);
    let send = send.prop_map(|(college, record, person, other, mask)| Step::Send {
        college,
        record,
        person,
        other,
        mask,
    });
    let step = prop_oneof![
        5 => send.clone(),
        1 => (any::<bool>(), 0u8..16).prop_map(|(college, keep)| Step::Snapshot { college, keep }),
        1 => (
            any::<bool>(),
            prop_oneof![3 => (0u8..4).prop_map(Some), 1 => Just(None)],
            any::<bool>(),
        )
            .prop_map(|(college, record, restart)| Step::Erase { college, record, restart }),
        1 => Just(Step::Purge),
        6 => (any::<prop::sample::Index>(), verdict, scope)
            .prop_map(|(task, verdict, scope)| Step::Decide { task, verdict, scope }),
        2 => any::<prop::sample::Index>().prop_map(Step::Undo),
        1 => Just(Step::Restart),
    ];
    let sends = prop::collection::vec(send, 4..7);
    (sends, prop::collection::vec(step, 4..20)).prop_map(|(sends, more)| [sends, more].concat())
}

/// What a record says, by which fields are another person's.
#[derive(Debug, Clone, Copy)]
struct Content {
    person: u8,
    other: u8,
    mask: u8,
}

struct Office<'a> {
    happened: &'a Happened,
    desk: Desk,
    engine: Engine,
    /// What the newest version of each record says, with its number.
    sent: BTreeMap<RecordKey, (i64, Content)>,
    n_versions: i64,
    n_decisions: u32,
    n_erasures: u32,
}

impl<'a> Office<'a> {
    fn new(happened: &'a Happened) -> Self {
        let desk = Desk::new();
        let engine = desk.engine("2026-03-01", 1);
        Self {
            happened,
            desk,
            engine,
            sent: BTreeMap::new(),
            n_versions: 0,
            n_decisions: 0,
            n_erasures: 0,
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Send { college, record, person, other, mask } => {
                let key = key(college, record);
                self.n_versions += 1;
                let content = Content { person, other, mask };
                self.sent.insert(key.clone(), (self.n_versions, content));
                let rows = vec![self.row(&key)];
                self.desk.send(key.agency.as_str(), SubmissionKind::Records, rows);
            }
            Step::Snapshot { college, keep } => {
                let agency: AgencyId = agency(college).parse().unwrap();
                let kept = |key: &RecordKey| {
                    key.agency != agency
                        || (0..4).any(|n| keep & (1 << n) > 0 && *key == self::key(college, n))
                };
                self.sent.retain(|key, _| kept(key));
                let of_agency = self.sent.keys().filter(|key| key.agency == agency);
                let rows = of_agency.map(|key| self.row(key)).collect();
                self.desk.send_as(
                    agency.as_str(),
                    SubmissionKind::Records,
                    SubmissionMode::Snapshot,
                    rows,
                );
            }
            Step::Erase { college, record, restart } => {
                self.erase(college, record);
                if restart {
                    self.engine = self.desk.engine("2026-03-01", 1);
                }
            }
            Step::Purge => {
                let purge = Purge {
                    agency: None,
                    before: clock("2026-03-02").now(),
                    dry_run: false,
                    author: tester(),
                    at: clock("2026-03-01").now(),
                };
                let purged = self.engine.purge(&purge).unwrap();
                let n_purged: usize = purged.iter().map(|of| of.records.len()).sum();
                self.happened.purged.fetch_add(n_purged as u32, Relaxed);
            }
            Step::Decide { ref task, verdict, scope } => {
                let tasks = self.tasks();
                if !tasks.is_empty() {
                    let task = tasks[task.index(tasks.len())].clone();
                    let is_contrary = u32::from(task.reason == "contrary");
                    self.happened.contrary.fetch_add(is_contrary, Relaxed);
                    self.decide(&task, verdict, scope);
                }
            }
            Step::Undo(ref which) => {
                let standing = self.desk.store.decisions(Decisions::Standing).unwrap();
                if !standing.is_empty() {
                    let id = &standing[which.index(standing.len())].made.id;
                    let at = clock("2026-03-01").now();
                    let undone = self.desk.store.undo_decision(id, "kim", "other papers", at);
                    let happened = match undone.unwrap() {
                        Ok(_) => &self.happened.undone,
                        Err(_) => &self.happened.refused,
                    };
                    happened.fetch_add(1, Relaxed);
                }
            }
            Step::Restart => self.engine = self.desk.engine("2026-03-01", 1),
        }
        while self.engine.take_in_some().unwrap() {}
    }

    fn erase(&mut self, college: bool, record: Option<u8>) {
        self.n_erasures += 1;
        let agency: AgencyId = agency(college).parse().unwrap();
        let what = match record {
            Some(record) => Withdrawn::Records(vec![key(college, record).local_id]),
            None => Withdrawn::All,
        };
        self.sent.retain(|sent, _| {
            sent.agency != agency || record.is_some_and(|record| *sent != key(college, record))
        });
        let new = NewErasure {
            id: ErasureId(format!("W{}", self.n_erasures)),
            agency,
            what,
            author: tester(),
            reason: "left".to_owned(),
            request_id: format!("w{}", self.n_erasures),
            at: clock("2026-03-01").now(),
        };
        let erased = self.desk.store.erase(&new).unwrap();
        self.happened.erased.fetch_add(erased.records as u32, Relaxed);
    }

    fn row(&self, key: &RecordKey) -> NewRow {
        let (version, content) = self.sent[key];
        let Content { person, other, mask } = content;
        let payload = mixed(&self.desk.schema, person, other, mask).to_bytes();
        let digest = Sha256::digest([key.to_string().as_bytes(), &payload].concat()).into();
        let (local_id, version) = (key.local_id.clone(), RecordVersion(version));
        NewRow { digest, content: RowContent::Record { local_id, version, payload } }
    }

    fn tasks(&self) -> Vec<OpenTask> {
        let filter = TaskFilter::all(TaskState::Now, "2026-03-01".parse().unwrap());
        let tasks = self.desk.store.tasks(&filter, None, 999).unwrap();
        tasks.into_iter().map(|task| task.open).collect()
    }

    fn decide(&mut self, task: &OpenTask, verdict: Verdict, scope: Scope) {
        self.n_decisions += 1;
        let others = task.right.iter().map(|shown| &shown.record);
        let pairs = match scope {
            Scope::Pair => vec![(task.best_left.clone(), task.best_right.clone())],
            Scope::Record => others.map(|it| (task.best_left.clone(), it.clone())).collect(),
        };
        let new = NewDecision {
            id: DecisionId(format!("D{}", self.n_decisions)),
            verdict,
            scope,
            pairs,
            left: task.left.clone(),
            right: task.right.clone(),
            task: task.id.clone(),
            task_reason: task.reason.clone(),
            weight_millibits: task.weight_millibits,
            probability_ppm: task.probability_ppm,
            author: "kim".to_owned(),
            first_author: None,
            reason: "papers seen".to_owned(),
            is_blind: false,
            model_version: String::new(),
            request_id: format!("r{}", self.n_decisions),
            at: clock("2026-03-01").now(),
        };
        // One that contradicts others is refused, and leaves nothing behind.
        let happened = match self.desk.store.add_decision(&new, &task.etag).unwrap() {
            Ok(_) => &self.happened.decided,
            Err(_) => &self.happened.refused,
        };
        happened.fetch_add(1, Relaxed);
    }

    fn check(&mut self) {
        assert_eq!(differences(&mut self.engine), []);
        assert_eq!(self.desk.store.verify().unwrap().findings, Vec::<String>::new());
        assert_eq!(self.desk.store.erasures_to_forget(self.engine.applied).unwrap(), []);
        self.check_decisions();
        let served = (self.tasks(), self.groups());
        self.desk.store.drop_derived().unwrap();
        self.engine = self.desk.engine("2026-03-01", 1);
        assert_eq!((self.tasks(), self.groups()), served);
    }

    /// Who is together, as served.
    fn groups(&self) -> Vec<Vec<RecordKey>> {
        let mut groups: BTreeMap<ParticipantId, Vec<RecordKey>> = BTreeMap::new();
        for (record, participant) in self.desk.store.memberships().unwrap() {
            groups.entry(participant).or_default().push(record);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort();
        groups
    }

    /// What decisions link is together, what they separate is not; a task asks about no pair that a
    /// decision binds, unless new versions contradict it.
    fn check_decisions(&self) {
        let store = &self.desk.store;
        let participant = |record: &RecordKey| store.participant_of(record, None).unwrap();
        for decision in store.decisions(Decisions::Standing).unwrap() {
            for (left, right) in &decision.made.pairs {
                let binding = store.binding(left, right, Seq(u64::MAX >> 1)).unwrap().unwrap();
                let (Some(one), Some(other)) = (participant(left), participant(right)) else {
                    continue;
                };
                let are_together = binding.made.verdict == Verdict::Link;
                assert_eq!(one == other, are_together, "{left} {right}: {binding:?}");
            }
        }
        for task in self.tasks().iter().filter(|task| task.reason != "contrary") {
            for left in &task.left {
                for right in &task.right {
                    let (left, right) = (&left.record, &right.record);
                    let binding = store.binding(left, right, Seq(u64::MAX >> 1)).unwrap();
                    assert_eq!(binding, None, "{task:?}");
                }
            }
        }
    }
}

fn agency(college: bool) -> &'static str {
    if college { "college" } else { "workforce" }
}

fn key(college: bool, record: u8) -> RecordKey {
    format!("{}/{record}", agency(college)).parse().unwrap()
}

/// A person's record of which the fields of a mask are another person's, or missing.
fn mixed(schema: &Schema, person: u8, other: u8, mask: u8) -> EncodedRecord {
    let mut record = encoded(schema, u64::from(person));
    let strange = encoded(schema, u64::from(other));
    for (place, field) in schema.fields.iter().enumerate() {
        let part = match field.name.as_str() {
            "ssn" => 1,
            "last_name" | "street_address" => 2,
            "date_of_birth" | "phone" | "email" => 4,
            _ => 0,
        };
        if mask & part > 0 {
            record.fields[place].clone_from(&strange.fields[place]);
        }
    }
    record
}

#[test]
fn random_sequences_leave_what_a_rebuild_from_the_facts_gives() {
    let wanted = env::var("SEQUENCES").map_or(N_SEQUENCES, |number| number.parse().unwrap());
    let happened = Happened::default();
    thread::scope(|scope| {
        for number in 0..N_THREADS {
            let happened = &happened;
            scope.spawn(move || {
                let cases = wanted.div_ceil(N_THREADS);
                let config = Config { cases, failure_persistence: None, ..Config::default() };
                let seed = [number as u8; 32];
                let rng = TestRng::from_seed(config.rng_algorithm, &seed);
                let run = TestRunner::new_with_rng(config, rng).run(&steps(), |steps| {
                    let mut office = Office::new(happened);
                    steps.iter().for_each(|step| office.take(step));
                    office.check();
                    Ok(())
                });
                run.unwrap_or_else(|error| panic!("{error}"));
            });
        }
    });
    println!("{wanted} sequences: {happened:?}");
    let Happened { decided, refused, undone, contrary, erased, purged } = happened;
    let happened = [decided, refused, undone, contrary, erased, purged];
    let happened = happened.map(AtomicU32::into_inner);
    assert!(happened.iter().all(|n| *n >= 1) && happened[0] > wanted, "{happened:?}");
}

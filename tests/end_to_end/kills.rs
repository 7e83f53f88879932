//! A service under load that is killed at random moments keeps everything that it acknowledged.
//!
//! `KILLS` says how often (10), `KILLS_SEED` at which moments.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use support::{Desk, OPERATOR, Run, Service};

use crate::{
    made_up,
    steward::{self, cell},
};

/// After so many kills what is served is compared with what the facts say.
const KILLS_PER_RECONCILIATION: usize = 5;

/// Records of one submission.
const ROWS: usize = 6;

/// How a client ends while the service is away.
const AWAY: [i32; 2] = [69, 75];

/// What clients were told.
#[derive(Default)]
struct Told {
    /// Rows of each submission of which somebody has the receipt.
    receipts: BTreeMap<String, Value>,
    decisions: BTreeSet<String>,
    backups: BTreeSet<String>,
}

/// Lets everybody go home, also when the test fails.
struct Closing<'a>(&'a AtomicBool);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Numbers that look random (Steele, Lea and Flood: SplitMix).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// Somebody who works on whether or not the service is there.
struct Worker<'a> {
    desk: Desk,
    told: &'a Mutex<Told>,
    is_over: &'a AtomicBool,
}

impl Worker<'_> {
    /// Runs a command; it ends with one of `codes`, or because the service is away.
    fn run(&self, who: &str, command: &str, codes: &[i32]) -> Run {
        let run = self.desk.waymark(who, &format!("{command} --format json"));
        let is_known = codes.contains(&run.code) || AWAY.contains(&run.code);
        assert!(is_known, "{who}: {command} ended with {}\n{}", run.code, run.err);
        run
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Sends each file, and the events with it, until it has the receipts.
    fn send(&self, agency: &str, files: &[String]) {
        for file in files {
            let submit =
                format!("submit {file} --agency {agency} --key linkage.key --events {file}.events");
            let receipts = loop {
                if self.is_over() {
                    return;
                }
                let run = self.run(agency, &submit, &[0, 1]);
                if run.code <= 1 {
                    break run.rows("receipts");
                }
            };
            let mut told = self.told.lock().unwrap();
            let receipts = receipts.into_iter();
            told.receipts.extend(receipts.map(|it| (cell(&it, "submission"), it["rows"].clone())));
        }
    }

    /// Decides one task after the other, and takes decisions back when there is none left.
    fn decide(&self, mut random: Random) {
        let mut standing: Vec<String> = Vec::new();
        while !self.is_over() {
            let listed = self.run("pat", "review list", &[0]);
            let tasks = if listed.code == 0 { listed.rows("tasks") } else { Vec::new() };
            // Another record may have come meanwhile, or a kill the answer.
            let Some(task) = tasks.get(random.below(tasks.len().max(1) as u64) as usize) else {
                if let Some(decision) = standing.pop() {
                    self.run("pat", &format!("review undo {decision} --reason again"), &[0, 65]);
                }
                continue;
            };
            let (task, verdict) =
                (cell(task, "task"), ["link", "separate"][random.below(2) as usize]);
            let decide = format!("review decide {task} {verdict} --reason as-it-fell");
            let run = self.run("pat", &decide, &[0, 65]);
            if run.code == 0 {
                let decision = cell(&run.row("decision"), "decision");
                self.told.lock().unwrap().decisions.insert(decision.clone());
                standing.push(decision);
            }
        }
    }

    /// Makes backups, trains models and reads statuses.
    fn operate(&self) {
        for turn in 0.. {
            if self.is_over() {
                return;
            }
            self.run("college", "status list", &[0]);
            if turn % 4 == 1 {
                let made = self.run(OPERATOR, "admin backup", &[0]);
                let mut told = self.told.lock().unwrap();
                told.backups.extend((made.code == 0).then(|| cell(&made.row("backups"), "name")));
            }
            if turn % 8 == 5 {
                // There may be too few records yet.
                self.run(OPERATOR, "train --activate", &[0, 65]);
            }
        }
    }
}

/// Files of a few records each, and of an event of every record of them.
fn files(service: &Service, agency: &str) -> Vec<String> {
    let rows = service.read(&format!("{agency}.csv")).lines().count() - 1;
    let files = made_up::split(service, agency, rows.div_ceil(ROWS));
    for file in &files {
        let mut events = "local_id,event_id,kind,course,term,start,end\n".to_owned();
        for line in service.read(file).lines().skip(1) {
            let id = line.split(',').next().unwrap();
            events += &format!("{id},E-{id},enrollment,NUR101,2026SP,2026-01-12,2026-05-08\n");
        }
        service.write(&format!("{file}.events"), events);
    }
    files
}

/// The submissions of an agency: their rows, and whether they are accepted.
fn submissions(service: &Service, agency: &str) -> BTreeMap<String, (u64, bool)> {
    let rows = service.ask(agency, "batch list --limit 100000").rows("submissions");
    let read = |row: &Value| (row["rows"].as_u64().unwrap(), row["state"] == "accepted");
    rows.iter().map(|row| (cell(row, "submission"), read(row))).collect()
}

const AGENCIES: [&str; 2] = ["college", "workforce"];

/// What anybody could see before a kill.
fn seen(service: &Service) -> BTreeMap<String, (u64, bool)> {
    AGENCIES.iter().flat_map(|agency| submissions(service, agency)).collect()
}

/// Looks that all of it is still there.
fn check(service: &Service, before: &BTreeMap<String, (u64, bool)>, told: &Mutex<Told>) {
    // What is told from here on is looked for the next time.
    let told = told.lock().unwrap();
    let after = seen(service);
    for (submission, (rows, is_accepted)) in before {
        let (durable, still) = after[submission];
        assert!(
            durable >= *rows && still >= *is_accepted,
            "{submission}: {rows} rows were durable"
        );
    }
    for (submission, rows) in &told.receipts {
        assert_eq!((Some(after[submission].0), after[submission].1), (rows.as_u64(), true));
    }
    let decisions =
        service.ask("pat", "review decisions --all --limit 100000").column("decisions", "decision");
    assert!(decisions.is_superset(&told.decisions), "a decision is lost");
    let backups = service.ask(OPERATOR, "admin backup list").column("backups", "name");
    assert!(backups.is_superset(&told.backups), "a backup is lost");
}

#[track_caller]
fn reconciles(service: &Service) {
    service.settle();
    let proof = service.ask(OPERATOR, "admin verify");
    assert_eq!(proof.rows("findings").len(), 0, "{}", proof.out);
}

#[test]
fn nothing_that_was_acknowledged_is_lost_by_kills_under_load() {
    let (kills, seed) = (number("KILLS", 10) as usize, number("KILLS_SEED", 1));
    eprintln!("KILLS={kills} KILLS_SEED={seed}");
    let mut service = Service::start("fixed_date = \"2026-09-30\"");
    made_up::write_identities(&service, &made_up::state(120 * kills as u32));
    AGENCIES.iter().for_each(|agency| service.add_agency(agency));
    service.add_steward("pat");
    steward::submit(&service, "one", steward::ONE);
    steward::submit(&service, "other", steward::OTHER);
    let files = AGENCIES.map(|agency| files(&service, agency));
    let (told, is_over) = (Mutex::default(), AtomicBool::new(false));
    let mut random = Random(seed);
    thread::scope(|scope| {
        let _closing = Closing(&is_over);
        let worker = || Worker { desk: service.desk(), told: &told, is_over: &is_over };
        for (agency, files) in AGENCIES.iter().zip(&files) {
            let worker = worker();
            scope.spawn(move || worker.send(agency, files));
        }
        let (steward, operator) = (worker(), worker());
        scope.spawn(move || steward.decide(Random(seed)));
        scope.spawn(move || operator.operate());
        for kill in 1..=kills {
            thread::sleep(Duration::from_millis(random.below(1_500)));
            let before = seen(&service);
            thread::sleep(Duration::from_millis(random.below(300)));
            service.kill();
            service.launch_in_place();
            check(&service, &before, &told);
            if kill % KILLS_PER_RECONCILIATION == 0 {
                reconciles(&service);
            }
            assert!(!service.log().contains("panicked"), "{}", service.log());
        }
    });
    check(&service, &BTreeMap::new(), &told);
    reconciles(&service);
    let told = told.into_inner().unwrap();
    eprintln!(
        "after {kills} kills: {} receipts, {} decisions, {} backups",
        told.receipts.len(),
        told.decisions.len(),
        told.backups.len()
    );
    assert!(told.receipts.len() >= kills && !told.decisions.is_empty());
    // The last backup can be restored.
    service.stop();
    if let Some(name) = told.backups.last() {
        assert!(fs::exists(service.path(&format!("data/backups/{name}"))).unwrap());
        let restore = "admin restore --config waymarkd.toml --dry-run --from data/backups/";
        service.waymark("nobody", &format!("{restore}{name}")).exits(0);
    }
}

//! How long a commit takes while the log is copied. Measured by hand: `cargo test -p store --test
//! store -- --ignored --nocapture commits`.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use store::{Records, Seq, SubmissionKind};

use crate::fixture::{Fixture, delta, record};

/// Commits of 20 rows of 1 KiB: 120 MB.
const COMMITS: u64 = 6_000;
const ROWS: u64 = 20;

#[test]
#[ignore = "takes minutes"]
fn commits_are_short_beside_a_reader_and_the_log_stays_small() {
    let fixture = Fixture::new();
    let new = delta("s1", SubmissionKind::Records);
    fixture.store.create_submission(&new).unwrap();
    fixture.send_records("s0", &[record("A", 1, "x")]);
    let (store, is_over) = (fixture.store.clone(), &AtomicBool::new(false));
    let log = fixture.directory.path().join("waymark.db-wal");
    let payload = "x".repeat(1_024);
    let (mut times, mut longest_log) = (Vec::new(), 0);
    thread::scope(|scope| {
        scope.spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                store.for_each_record(Records::PresentAt(Seq(1)), |_, _, _| {}).unwrap();
            }
        });
        for commit in 0..COMMITS {
            let first = commit * ROWS;
            let rows = (first..first + ROWS).map(|n| record(&format!("R{n}"), 1, &payload));
            let rows = rows.collect();
            let began = Instant::now();
            fixture.store.append(&new.id, first, rows).unwrap();
            times.push(began.elapsed());
            longest_log = longest_log.max(std::fs::metadata(&log).unwrap().len());
        }
        is_over.store(true, Ordering::Relaxed);
    });
    times.sort_unstable();
    let of = |share: f64| times[(times.len() as f64 * share) as usize];
    let (half, p99, p999, max) = (of(0.5), of(0.99), of(0.999), of(1.0 - 1e-9));
    let slow = times.iter().filter(|time| **time > Duration::from_millis(100)).count();
    eprintln!("half {half:?}, p99 {p99:?}, p99.9 {p999:?}, max {max:?}, above 100 ms: {slow}");
    eprintln!("log at most {} MiB", longest_log >> 20);
    assert!(longest_log < 300 << 20, "the log is begun anew again and again");
}

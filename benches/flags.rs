//! Re-evaluates the statuses of a million made-up participants with some fifteen million events.
//!
//! `cargo bench --package benches --bench flags`; `-- 100000` for another number of participants.
//! The events are made in chunks, and only their evaluation is timed: statuses of today in every
//! pathway, and the next day on which one of them changes by itself.

use std::{
    env, fs,
    time::{Duration, Instant},
};

use pathways::{Event, Rules, default_profiles, default_registry};
use rayon::prelude::*;
use synthetic::{Catalog, PersonId, Settings, State};

/// People made at a time.
const CHUNK: u32 = 10_000;

#[derive(Default)]
struct Totals {
    participants: usize,
    events: usize,
    statuses: usize,
    evaluating: Duration,
    assessing: Duration,
}

fn main() {
    let wanted = env::args().skip(1).find_map(|it| it.parse().ok()).unwrap_or(1_000_000_usize);
    let (registry, profiles) = (default_registry(), default_profiles());
    let rules = Rules::new(&registry, &profiles);
    let catalog = Catalog::new(&registry);
    let mut totals = Totals::default();
    for seed in 0.. {
        let people = participants(seed, &catalog, wanted - totals.participants);
        evaluate(&rules, &people, &mut totals);
        if totals.participants >= wanted {
            break;
        }
    }
    report(&totals);
}

/// The people of another chunk who have events, at most `most`, and their state.
fn participants(seed: u64, catalog: &Catalog, most: usize) -> (State, Vec<Vec<Event>>) {
    let state = State::generate(&Settings { people: CHUNK, seed, ..Settings::default() });
    let mut people: Vec<Vec<Event>> = (0..CHUNK)
        .into_par_iter()
        .map(|number| state.events_of(PersonId(number), catalog))
        .filter(|events| !events.is_empty())
        .collect();
    people.truncate(most);
    (state, people)
}

fn evaluate(rules: &Rules<'_>, (state, people): &(State, Vec<Vec<Event>>), totals: &mut Totals) {
    let today = state.settings.until;
    totals.participants += people.len();
    totals.events += people.iter().map(Vec::len).sum::<usize>();
    let started = Instant::now();
    totals.statuses += people
        .par_iter()
        .map(|events| rules.statuses(events, today, today).map_or(0, |statuses| statuses.len()))
        .sum::<usize>();
    totals.evaluating += started.elapsed();
    let started = Instant::now();
    let changing = people.par_iter().map(|it| rules.assess(it, today).next_transition);
    std::hint::black_box(changing.flatten().count());
    totals.assessing += started.elapsed();
}

fn report(totals: &Totals) {
    let Totals { participants, events, statuses, evaluating, assessing } = totals;
    let each = *events as f64 / *participants as f64;
    println!("{participants} participants, {events} events ({each:.1} each), {statuses} statuses");
    println!("statuses:                    {:6.1} s", evaluating.as_secs_f64());
    println!("statuses and the next change:{:6.1} s", assessing.as_secs_f64());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("peak memory: {}", peak.map_or("not known", str::trim));
}

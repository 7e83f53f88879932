//! Clerical review with a million records and a hundred thousand open tasks: how long a steward waits.
//!
//! `cargo bench --package benches --bench review`; `-- --records 20000` for another number of records,
//! with a tenth as many tasks. Runs a real service on loopback and sends it the records of all agencies
//! and up to three events of each person. To have something to ask stewards about, an agency has a
//! second record of some people, with another valid SSN. Then it measures, one call at a time and from
//! outside: the next task, with and without filters; lists; a decision and its undoing, to the answer
//! and to the change in a watching agency's feed; and the start of the service with all of that.

#[path = "review/desk.rs"]
mod desk;
#[path = "review/doubles.rs"]
mod doubles;
#[path = "review/figures.rs"]
mod figures;

use std::time::Instant;

use api::{
    admin::Role,
    review::{TaskFilter, TaskState, Verdict},
    submission::SubmissionKind,
};
use benches::{
    live::{Filling, Outcome, Running, Sender, encoded_rows, event_rows, resident, rows_of},
    state,
};
use clap::Parser;
use desk::{Desk, Feed};
use doubles::doubles;
use figures::{Aim, Figures};
use synthetic::{Agency, State};

/// The allocator of the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures clerical review from outside.
#[derive(Parser)]
struct Options {
    /// Records of all agencies together, about.
    #[arg(long, default_value_t = 1_000_000)]
    records: u32,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The agency that holds people twice, and whose feed is watched.
const WATCHED: Agency = Agency::Workforce;

/// Stewards who take tasks in turn.
const STEWARDS: [&str; 5] = ["ada", "emmy", "grace", "mary", "sofya"];

/// Records of the made-up state for each of its people.
const RECORDS_PER_PERSON: f64 = 2.3;

/// Second records with another SSN, for each record.
const DOUBLES_PER_RECORD: f64 = 0.065;

fn main() -> Outcome<()> {
    let options = Options::parse();
    let records = f64::from(options.records);
    let n_doubles = records * DOUBLES_PER_RECORD;
    let state = state(((records - n_doubles) / RECORDS_PER_PERSON) as u32);
    let folder = tempfile::tempdir()?;
    let mut figures = Figures::default();

    let running = Running::start(folder.path(), state.settings.until)?;
    let secrets = running.block_on(async {
        let watched = fill(&running, &state, n_doubles as usize).await?;
        let mut secrets = Vec::new();
        for steward in STEWARDS {
            secrets.push(running.issue(Role::Steward, steward).await?);
        }
        let mut desk = Desk::new(&running, &secrets)?;
        queue(&mut desk, &mut figures).await?;
        decisions(&mut desk, &watched, &mut figures).await?;
        Outcome::Ok(secrets)
    })?;
    running.stop()?;

    let started = Instant::now();
    let running = Running::start(folder.path(), state.settings.until)?;
    figures.add("start of the service, until it answers", Aim::None, [started.elapsed()]);
    running.block_on(async {
        let mut desk = Desk::new(&running, &secrets)?;
        figures.add("the first task after it", Aim::Screen, [desk.next(None).await?]);
        Outcome::Ok(())
    })?;
    println!("\n{figures}\n\nmemory {}", resident());
    running.stop()
}

/// Sends everything; returns the agency whose feed is watched.
async fn fill(running: &Running, state: &State, n_doubles: usize) -> Outcome<Sender> {
    let mut senders = Vec::new();
    let mut filling = Filling::begin("records");
    for agency in Agency::ALL {
        let sender = running.register(agency).await?;
        let mut rows = encoded_rows(state, agency);
        if agency == WATCHED {
            rows.extend(rows_of(&doubles(state, WATCHED, n_doubles)));
        }
        filling.send(&sender, SubmissionKind::Records, rows).await?;
        senders.push((agency, sender));
    }
    filling.end().await?;
    let mut filling = Filling::begin("events");
    let mut events = event_rows(state);
    for (agency, sender) in &senders {
        let rows = events.remove(agency).unwrap_or_default();
        filling.send(sender, SubmissionKind::Events, rows).await?;
    }
    filling.end().await?;
    println!("{} participants; memory {}", running.participants().await?, resident());
    let watched = senders.into_iter().find(|(agency, _)| *agency == WATCHED);
    Ok(watched.ok_or("every agency is registered")?.1)
}

/// Taking and listing tasks.
async fn queue(desk: &mut Desk, figures: &mut Figures) -> Outcome<()> {
    let any = TaskFilter::default;
    let filters = [
        ("any", any()),
        ("of an agency", TaskFilter { agency: WATCHED.name().to_owned(), ..any() }),
        ("with a status in a pathway", TaskFilter { pathway: "HC-1".to_owned(), ..any() }),
        ("for a reason", TaskFilter { reason: "band".to_owned(), ..any() }),
        ("up to a weight", TaskFilter { weight_below_millibits: Some(1_000), ..any() }),
        (
            "all of these at once",
            TaskFilter {
                agency: WATCHED.name().to_owned(),
                pathway: "HC-1".to_owned(),
                reason: "conflict".to_owned(),
                weight_at_least_millibits: Some(1_000),
                ..any()
            },
        ),
        ("of a reason there is none of", TaskFilter { reason: "audit".to_owned(), ..any() }),
        ("of a pathway there is none of", TaskFilter { pathway: "XX-9".to_owned(), ..any() }),
        ("that are deferred: none", TaskFilter { state: TaskState::Deferred.into(), ..any() }),
    ];
    println!("{} tasks wait", desk.waiting().await?);
    for (name, filter) in &filters {
        let (times, total) = desk.claims(filter).await?;
        figures.add(format!("next task, {name} ({total})"), Aim::Screen, times);
    }
    for (name, filter) in &filters[..3] {
        let times = desk.lists(filter).await?;
        figures.add(format!("first 100 tasks, {name}"), Aim::Screen, times);
    }
    figures.add("statistics", Aim::None, desk.statistics().await?);
    Ok(())
}

/// Deciding and taking back.
async fn decisions(desk: &mut Desk, watched: &Sender, figures: &mut Figures) -> Outcome<()> {
    let tasks = desk.most_urgent().await?;
    let (to_link, to_separate) = tasks.split_at(tasks.len() / 2);
    let mut feed = Feed::of(WATCHED, watched.watch().await?);
    let linked = desk.decide(to_link, Verdict::Link, &mut feed).await?;
    figures.add("a task by its id", Aim::Screen, linked.seen);
    figures.add("a decision to link, to its answer", Aim::Applied, linked.answered);
    figures.add("the same, to its change in a watched feed", Aim::Applied, linked.told);
    let separated = desk.decide(to_separate, Verdict::Separate, &mut feed).await?;
    figures.add("a decision to separate, to its answer", Aim::Applied, separated.answered);
    let undone = desk.undo(&linked.decisions, &mut feed).await?;
    figures.add("undoing a link, to its answer", Aim::Applied, undone.answered);
    figures.add("the same, to its change in a watched feed", Aim::Applied, undone.told);
    Ok(())
}

//! The service at a million participants: how long it takes them in, and how fast it answers then.
//!
//! `cargo bench --package benches --bench service`; `-- 100000` for another number of people. Runs a
//! real service on loopback, sends it the records of all agencies and up to three events of each
//! person over gRPC, and then measures, one call at a time and from outside: the statuses of one
//! person; an event, from its acknowledgement to its change in a watching agency's feed; a record,
//! to its acknowledgement and until participants and statuses take it into account.

use std::{
    collections::{BTreeMap, HashMap},
    env,
    time::{Duration, Instant},
};

use api::{
    convert::date_to_proto,
    event::{Event, PathwayFlag, event::Detail},
    status::GetStatusRequest,
    submission::{Row, SubmissionKind, row},
};
use benches::{
    live::{Filling, Outcome, Running, Sender, Times, encoded_rows, event_rows, resident},
    state,
};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use synthetic::{Agency, Record, State};
use tokio::time::interval;

/// The allocator of the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// People whose statuses are asked for.
const GETS: usize = 20_000;

/// Events sent one by one, and their number in a second.
const EVENTS: usize = 1_000;
const EVENTS_PER_SECOND: u64 = 100;

/// Records held back from the batches and sent one by one, and their number in a second.
const RECORDS: usize = 2_000;
const RECORDS_PER_SECOND: u64 = 500;

/// The agency whose feed is watched.
const WATCHED: Agency = Agency::AdultEd;

const PATHWAY: &str = "HC-1";

fn main() -> Outcome<()> {
    let people = env::args().skip(1).find_map(|it| it.parse().ok()).unwrap_or(1_000_000);
    let state = state(people);
    let folder = tempfile::tempdir()?;
    let running = Running::start(folder.path(), state.settings.until)?;
    running.block_on(measure(&running, &state))?;
    running.stop()
}

async fn measure(running: &Running, state: &State) -> Outcome<()> {
    let mut senders = BTreeMap::new();
    let mut held_back = Vec::new();
    let mut filling = Filling::begin("records");
    for agency in Agency::ALL {
        let sender = running.register(agency).await?;
        let mut rows = encoded_rows(state, agency);
        let n_kept = rows.len().saturating_sub(RECORDS / Agency::ALL.len());
        held_back.extend(rows.split_off(n_kept).into_iter().map(|row| (agency, row)));
        filling.send(&sender, SubmissionKind::Records, rows).await?;
        senders.insert(agency, sender);
    }
    filling.end().await?;
    let mut filling = Filling::begin("events");
    for (agency, rows) in event_rows(state) {
        filling.send(&senders[&agency], SubmissionKind::Events, rows).await?;
    }
    filling.end().await?;
    println!("{} participants; memory {}", running.participants().await?, resident());

    let mut random = ChaCha8Rng::seed_from_u64(1);
    let local_id = |record: &Record| record.row.local_id.to_string();
    let mut ids: Vec<String> = state.records(WATCHED).iter().map(local_id).collect();
    ids.truncate(ids.len().saturating_sub(RECORDS / Agency::ALL.len()));
    ids.shuffle(&mut random);
    get(&senders[&WATCHED], &ids).await?;
    events(&senders[&WATCHED], &ids).await?;
    held_back.shuffle(&mut random);
    records(&senders, held_back).await
}

/// Statuses of one person after the other.
async fn get(sender: &Sender, ids: &[String]) -> Outcome<()> {
    let mut client = sender.statuses();
    let mut times = Vec::new();
    for local_id in ids.iter().cycle().take(GETS) {
        let request = GetStatusRequest { local_id: local_id.clone(), ..Default::default() };
        let started = Instant::now();
        client.get_status(request).await?;
        times.push(started.elapsed());
    }
    Times::from_iter(times).print("get the statuses of a person");
    Ok(())
}

/// Events that change a status, with somebody watching.
async fn events(sender: &Sender, ids: &[String]) -> Outcome<()> {
    let strangers = without_status(sender, ids).await?;
    let mut changes = sender.watch().await?;
    let n_expected = strangers.len();
    let (mut acknowledged, mut times) = (Vec::new(), Vec::new());
    let mut pace = interval(Duration::from_micros(1_000_000 / EVENTS_PER_SECOND));
    for local_id in strangers {
        pace.tick().await;
        let detail = PathwayFlag {
            pathway: PATHWAY.to_owned(),
            start: Some(date_to_proto(sender.today)),
            end: None,
        };
        let event = Event {
            source_event_id: format!("flag-{local_id}"),
            local_id: local_id.clone(),
            detail: Some(Detail::PathwayFlag(detail)),
            ..Event::default()
        };
        let started = Instant::now();
        sender.one(Row { row: Some(row::Row::Event(Box::new(event))) }).await?;
        times.push(started.elapsed());
        acknowledged.push((local_id, Instant::now()));
    }
    Times::from_iter(times).print("an event, to its acknowledgement");
    let mut arrivals: HashMap<String, Instant> = HashMap::new();
    while arrivals.len() < n_expected
        && let Some((status, at)) = changes.recv().await
    {
        if status.pathway == PATHWAY {
            arrivals.entry(status.local_id).or_insert(at);
        }
    }
    let visible = acknowledged
        .iter()
        .filter_map(|(local_id, at)| Some(arrivals.get(local_id)?.saturating_duration_since(*at)));
    Times::from_iter(visible).print("from then to its change in the feed");
    Ok(())
}

/// People of the agency who have no status in the pathway.
async fn without_status(sender: &Sender, ids: &[String]) -> Outcome<Vec<String>> {
    let mut client = sender.statuses();
    let mut without = Vec::new();
    for local_id in ids {
        let (local_id, pathway) = (local_id.clone(), PATHWAY.to_owned());
        let request =
            GetStatusRequest { local_id: local_id.clone(), pathway, ..Default::default() };
        if client.get_status(request).await?.into_inner().statuses.is_empty() {
            without.push(local_id);
        }
        if without.len() == EVENTS {
            break;
        }
    }
    Ok(without)
}

/// New records, each of somebody whom other agencies may know.
async fn records(senders: &BTreeMap<Agency, Sender>, rows: Vec<(Agency, Row)>) -> Outcome<()> {
    let (mut acknowledged, mut settled) = (Vec::new(), Vec::new());
    let mut pace = interval(Duration::from_micros(1_000_000 / RECORDS_PER_SECOND));
    let mut waiting = Vec::new();
    for (agency, row) in rows {
        pace.tick().await;
        let sender = senders[&agency].clone();
        // Calls overlap as those of several agencies do: a slow one does not hold back the others.
        waiting.push(tokio::spawn(async move {
            let started = Instant::now();
            let submission_id = sender.one(row).await?;
            let acknowledged = started.elapsed();
            sender.settled(&submission_id).await?;
            Outcome::Ok((acknowledged, started.elapsed()))
        }));
    }
    for one in waiting {
        let (ack, applied) = one.await??;
        acknowledged.push(ack);
        settled.push(applied);
    }
    Times::from_iter(acknowledged).print("a record, to its acknowledgement");
    Times::from_iter(settled).print("a record, until it is linked and its statuses are served");
    Ok(())
}

//! Encode, train, link and evaluate the records of a made-up state: elements per second.
//!
//! `cargo bench --package benches` runs all; `-- link` one of them.

use std::{hint::black_box, sync::Arc};

use benches::{encoded, encoder, schema, state, values};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use linkage::{DEFAULT_MODEL, Linker, Model, Policy, TrainingOptions};
use pathways::Rules;
use record::RecordVersion;
use synthetic::{Catalog, PersonId};

const PEOPLE: u32 = 5_000;

fn encode(criterion: &mut Criterion) {
    let (encoder, rows) = (encoder(), values(&state(PEOPLE)));
    let mut group = criterion.benchmark_group("encode");
    group.sample_size(10).throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("records", |bencher| {
        bencher.iter(|| {
            let mut session = encoder.session();
            for (_, values) in &rows {
                let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
                let _ = black_box(session.encode(&values));
            }
        });
    });
    group.finish();
}

fn link(criterion: &mut Criterion) {
    let (schema, records) = (schema(), encoded(&state(PEOPLE)));
    let model = Model::from_toml(DEFAULT_MODEL, &schema).expect("the shipped model fits");
    let filled = || {
        let mut linker = Linker::new(schema.clone(), Arc::new(model.clone()), Policy::default());
        for (key, record) in &records {
            linker.insert(key.clone(), RecordVersion(1), record.clone());
        }
        linker
    };
    let mut group = criterion.benchmark_group("link");
    group.sample_size(10).throughput(Throughput::Elements(records.len() as u64));
    group.bench_function("insert", |bencher| bencher.iter(|| black_box(filled().len())));
    group.bench_function("settle", |bencher| {
        bencher.iter_batched(filled, |mut linker| linker.settle(), BatchSize::PerIteration);
    });
    let linker = filled();
    group.bench_function("train", |bencher| {
        bencher.iter(|| linker.train(&TrainingOptions::default()).map(|t| t.model.prior));
    });
    group.finish();
}

fn evaluate(criterion: &mut Criterion) {
    let (state, registry) = (state(PEOPLE), pathways::default_registry());
    let profiles = pathways::default_profiles();
    let catalog = Catalog::new(&registry);
    let people: Vec<_> = (0..PEOPLE).map(|n| state.events_of(PersonId(n), &catalog)).collect();
    let rules = Rules::new(&registry, &profiles);
    let until = state.settings.until;
    let mut group = criterion.benchmark_group("evaluate");
    group.sample_size(10).throughput(Throughput::Elements(people.len() as u64));
    group.bench_function("people", |bencher| {
        bencher.iter(|| {
            people
                .iter()
                .map(|e| rules.statuses(e, until, until).map_or(0, |s| s.len()))
                .sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(rooms, encode, link, evaluate);
criterion_main!(rooms);

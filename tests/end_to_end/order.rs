//! The same records give the same people, in whatever order and batches, served or offline.

use std::fs;

use support::{OPERATOR, Partition, Service, partition};
use synthetic::State;

use crate::made_up;

/// A service that links by the model in `model.toml`.
const SETTINGS: &str = "fixed_date = \"2026-09-30\"\n[linkage]\nmodel = \"model.toml\"";

/// Submits the files (agency and file) one after the other to a service of its own; gives who is
/// whom at the end.
fn served(state: &State, model: &str, key: &str, order: impl Fn(&Service) -> Files) -> Partition {
    let mut service = Service::prepare(SETTINGS);
    service.write("model.toml", model);
    service.write("linkage.key", key);
    service.launch();
    for agency in made_up::write_identities(&service, state) {
        service.add_agency(agency);
    }
    for (agency, file) in order(&service) {
        service.accepts(&agency, &file, "");
    }
    let partition = service.partition();
    let rebuilt = service.ask(OPERATOR, "admin reconcile").row("compared");
    assert_eq!(rebuilt["differences"], 0, "rebuilding from the facts gives what is served");
    partition
}

/// Agencies and files, in the order in which they are submitted.
type Files = Vec<(String, String)>;

const AGENCIES: [&str; 5] = ["college", "adult-ed", "workforce", "human-services", "wages"];

fn whole_files(agencies: impl Iterator<Item = &'static str>) -> Files {
    agencies.map(|agency| (agency.to_owned(), format!("{agency}.csv"))).collect()
}

/// The first quarters of all files, then the second, the last agency first.
fn interleaved(service: &Service) -> Files {
    let parts = AGENCIES.map(|agency| (agency, made_up::split(service, agency, 4)));
    let turn = |n: usize| {
        let files = parts.iter().rev();
        files.filter_map(move |(agency, parts)| Some(((*agency).to_owned(), parts.get(n)?.clone())))
    };
    (0..4).flat_map(turn).collect()
}

#[test]
fn people_do_not_depend_on_order_or_batches_or_on_being_served() {
    let state = made_up::state(250);
    let desk = Service::prepare("");
    let files = made_up::write_identities(&desk, &state).map(|agency| format!("{agency}.csv"));
    let files = format!("{} --key linkage.key", files.join(" "));
    desk.waymark("nobody", &format!("train {files} --out model.toml")).exits(0);
    // By the model's file alone: the frequencies of values that training counted are not in it.
    desk.waymark("nobody", &format!("link {files} --out links.csv --model model.toml")).exits(0);
    let offline = partition(&desk.path("links.csv"));
    let n_records: usize = offline.iter().map(std::collections::BTreeSet::len).sum();
    assert!(n_records > 400 && offline.len() < n_records * 2 / 3, "there is much to link");

    let (model, key) = (desk.read("model.toml"), desk.read("linkage.key"));
    let forward = served(&state, &model, &key, |_| whole_files(AGENCIES.into_iter()));
    let backward = served(&state, &model, &key, |_| whole_files(AGENCIES.into_iter().rev()));
    let interleaved = served(&state, &model, &key, interleaved);
    assert_eq!(forward, backward);
    assert_eq!(forward, interleaved);
    assert_eq!(forward, offline);
}

#[test]
fn files_linked_or_trained_on_twice_give_the_same_bytes() {
    let desk = Service::prepare("");
    let state = made_up::state(120);
    made_up::write_identities(&desk, &state);
    let files = "college.csv workforce.csv";
    for name in ["one", "two"] {
        for command in [
            format!("link --out {name}.csv --pairs {name}.pairs.csv"),
            format!("train --out {name}.toml"),
        ] {
            desk.waymark("nobody", &format!("{command} {files} --key linkage.key")).exits(0);
        }
    }
    for ending in ["csv", "pairs.csv", "toml"] {
        let bytes = |name: &str| fs::read(desk.path(&format!("{name}.{ending}"))).unwrap();
        assert!(bytes("one") == bytes("two"), "{ending}");
    }
}

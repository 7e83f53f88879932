//! Identity files for the tests: a few people by hand, or a made-up state.

use std::fs;

use support::Service;
use synthetic::{Agency, Noise, Settings, State};

/// The header of the files written by hand.
pub const HEADER: &str =
    "local_id,first_name,last_name,date_of_birth,ssn,sex,street_address,city,zip\n";

/// The registry of the worked examples: HC-1 requires the college's data.
pub const REGISTRY: &str = include_str!("../../crates/pathways/tests/tables/registry.toml");

/// A made-up state whose records are wrong more often than usual.
pub fn state(people: u32) -> State {
    let noise = Noise::scaled(2.0);
    State::generate(&Settings { people, seed: 7, noise, ..Settings::default() })
}

/// Writes the identity file of each agency, `college.csv` and so on; gives the agencies' names.
pub fn write_identities(service: &Service, state: &State) -> [&'static str; 5] {
    for agency in Agency::ALL {
        let mut file = Vec::new();
        state.write_identity_csv(agency, &mut file).unwrap();
        service.write(&format!("{}.csv", agency.name()), file);
    }
    Agency::ALL.map(Agency::name)
}

/// Divides `NAME.csv` into `n` files with the same header; gives their names.
pub fn split(service: &Service, name: &str, n: usize) -> Vec<String> {
    let text = fs::read_to_string(service.path(&format!("{name}.csv"))).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let parts = rows.chunks(rows.len().div_ceil(n)).enumerate().map(|(place, rows)| {
        let part = format!("{name}-{place}.csv");
        service.write(&part, format!("{header}\n{}\n", rows.join("\n")));
        part
    });
    parts.collect()
}

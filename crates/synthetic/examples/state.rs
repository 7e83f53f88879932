//! Writes the made-up state as files: an identity file of each agency, and the truth.

use std::{fs::File, io::BufWriter, path::PathBuf};

use clap::Parser;
use synthetic::{Agency, Noise, Settings, State};

/// Writes the made-up state: AGENCY.csv for each of its agencies, and truth.csv
/// (agency,local_id,person_id). The same options give the same bytes.
#[derive(Parser)]
struct Options {
    /// Directory to write to, made if need be
    directory: PathBuf,
    /// How many people live in the state
    #[arg(long, default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(1..))]
    people: u32,
    /// The seed of every random choice
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// How many times as untidy as everyday records the files are; 0 for no slips
    #[arg(long, default_value_t = 1.0, value_parser = factor)]
    noise: f64,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "write a number such as 1 or 2.5".to_owned())?;
    let is_usable = factor.is_finite() && factor >= 0.0;
    is_usable.then_some(factor).ok_or_else(|| "write a number of 0 or more".to_owned())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Options { directory, people, seed, noise } = Options::parse();
    let settings = Settings { people, seed, noise: Noise::scaled(noise), ..Settings::default() };
    let state = State::generate(&settings);
    std::fs::create_dir_all(&directory)?;
    let create = |name: &str| File::create(directory.join(name)).map(BufWriter::new);
    for agency in Agency::ALL {
        state.write_identity_csv(agency, create(&format!("{}.csv", agency.name()))?)?;
        eprintln!("{}: {} records", agency.name(), state.records(agency).len());
    }
    state.write_truth_csv(create("truth.csv")?)?;
    Ok(())
}

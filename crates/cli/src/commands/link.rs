//! `waymark link`: links identity files offline, without a server.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use encoding::LinkageKey;
use linkage::{
    DEFAULT_MODEL, Linker, Model, Policy, Settlement, TrainingOptions, train::TrainingReport,
};
use record::{AgencyId, ParticipantId, RecordKey, RecordVersion, Schema};
use serde_json::json;

use super::report_rejected;
use crate::{
    catalogue::Code,
    cli::{COLUMNS_HELP, RejectedArgs, SchemaArgs},
    exit::Exit,
    failure::Failure,
    intake::{
        batch::{self, Intake, Seen},
        identity::IdentityFile,
        mapping::Mapping,
        quality::Quality,
    },
    output::{Document, Format, Section, file::WholeFile, progress::Progress, text},
    secret, settings,
};

/// Links identity files on this machine, without a server: for pilots and evaluation.
///
/// Several files are several agencies, each named after its file unless a column agency says
/// otherwise. The records are encoded and compared exactly as the service compares them. Without
/// --model the match weights are trained on the files themselves. Pairs between the two cut-offs,
/// which a steward would review, count as not linked.
#[derive(Debug, Args)]
#[command(after_long_help = COLUMNS_HELP)]
pub struct Link {
    /// Identity files
    #[arg(value_name = "FILE.csv", required = true)]
    inputs: Vec<PathBuf>,
    /// File to write: agency,local_id,participant_id, a row per record
    #[arg(long, value_name = "LINKS.csv")]
    out: PathBuf,
    /// File to write every compared pair above the lower cut-off to:
    /// agency_a,local_id_a,agency_b,local_id_b,weight,probability
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
    #[command(flatten)]
    schema: SchemaArgs,
    /// Linkage model to compare with, instead of training one
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// File to write the trained model to
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    model_out: Option<PathBuf>,
    /// Linkage key; without one, a random key that is forgotten afterwards
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Mapping of column names: once for all files, or once per file, in their order
    #[arg(long, value_name = "FILE")]
    mapping: Vec<PathBuf>,
    #[command(flatten)]
    rejected: RejectedArgs,
}

/// What was read, over all files.
struct Input {
    quality: Quality,
    n_rejected: u64,
    agencies: BTreeSet<AgencyId>,
}

impl Link {
    /// Links the files.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be read or written, or no model can be trained.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let schema = settings::schema(&self.schema)?;
        let mappings = self.mappings()?;
        let key = match &self.key {
            Some(path) => secret::linkage_key(path)?,
            None => settings::random_key(0)?,
        };
        let model = match &self.model {
            Some(path) => read_model(path, &schema)?,
            None => starting_model(&schema),
        };
        let mut linker = Linker::new(Arc::clone(&schema), Arc::new(model), Policy::default());
        let input = self.read_all(&mut linker, &schema, &key, &mappings)?;
        let training = if self.model.is_some() { None } else { self.train(&mut linker)? };
        eprintln!("linking {} records", linker.len());
        let settlement = linker.settle();
        self.write_links(&settlement)?;
        if let Some(path) = &self.pairs {
            write_pairs(path, &linker)?;
        }
        let mut document = Document::new("waymark.link/1")
            .section(summary(&input, &linker, &settlement))
            .section(input.quality.section())
            .section(weights(linker.model()));
        if let Some(report) = &training {
            document = document.section(training_rounds(report));
        }
        document.print(format)?;
        Ok(if input.n_rejected == 0 { Exit::Done } else { Exit::WorkRemains })
    }

    fn mappings(&self) -> Result<Vec<Mapping>, Failure> {
        let read =
            self.mapping.iter().map(|path| Mapping::read(path)).collect::<Result<Vec<_>, _>>()?;
        match read.len() {
            0 => Ok(vec![Mapping::default(); self.inputs.len()]),
            1 => Ok(vec![read[0].clone(); self.inputs.len()]),
            n if n == self.inputs.len() => Ok(read),
            _ => {
                let what = "--mapping is given neither once nor once per file";
                Err(Failure::plain(Exit::Usage, what))
            }
        }
    }

    fn read_all(
        &self,
        linker: &mut Linker,
        schema: &Arc<Schema>,
        key: &LinkageKey,
        mappings: &[Mapping],
    ) -> Result<Input, Failure> {
        let encoder = settings::encoder(schema, key)?;
        let progress = Progress::counting("rows read");
        let mut seen = Seen::default();
        let mut input =
            Input { quality: Quality::new(schema), n_rejected: 0, agencies: BTreeSet::new() };
        for (path, mapping) in self.inputs.iter().zip(mappings) {
            let file = IdentityFile::open(path, None, mapping, schema)?;
            for column in &file.header().not_sent {
                eprintln!("note: {}: {column} is not in the linkage schema", path.display());
            }
            let directory = settings::rejected_directory(&self.rejected, path);
            let intake = Intake {
                encoder: &encoder,
                quality: Quality::new(schema),
                version: RecordVersion(0),
                rejected_directory: Some(&directory),
            };
            let agencies = &mut input.agencies;
            let summary = batch::encode(path, file, intake, &mut seen, &progress, |record| {
                if !agencies.contains(&record.key.agency) {
                    agencies.insert(record.key.agency.clone());
                }
                linker.insert(record.key, record.version, record.record);
                Ok(())
            })?;
            input.quality.add(&summary.quality);
            input.n_rejected += summary.rejected.n_rows;
            report_rejected(&summary.rejected);
        }
        Ok(input)
    }

    /// Trains on what was read; with too little to learn from, the model stays as it is.
    fn train(&self, linker: &mut Linker) -> Result<Option<TrainingReport>, Failure> {
        eprintln!("training on {} records", linker.len());
        let training = match linker.train(&TrainingOptions::default()) {
            Ok(training) => training,
            Err(error) => {
                eprintln!("note: {error}; that is what happens now");
                return Ok(None);
            }
        };
        if let Some(path) = &self.model_out {
            let mut file = WholeFile::create(path)?;
            let written = file.write_all(training.model.to_toml().as_bytes());
            written.map_err(|error| file.failure(&error))?;
            file.finish()?;
        }
        linker.set_model(Arc::new(training.model));
        Ok(Some(training.report))
    }

    /// Numbers the participants in the order of their first records.
    fn write_links(&self, settlement: &Settlement) -> Result<(), Failure> {
        let mut rows: Vec<(&RecordKey, ParticipantId)> = Vec::new();
        for (number, group) in (1..).zip(&settlement.groups) {
            rows.extend(group.iter().map(|key| (key, ParticipantId(number))));
        }
        rows.sort_unstable();
        let rows = rows.into_iter().map(|(key, participant)| {
            [key.agency.to_string(), key.local_id.to_string(), participant.to_string()]
        });
        write_csv(&self.out, ["agency", "local_id", "participant_id"], rows)
    }
}

fn read_model(path: &Path, schema: &Schema) -> Result<Model, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::reading(path, &error))?;
    Model::from_toml(&text, schema).map_err(|error| {
        Failure::new(Code::ModelFileInvalid, format!("{}: {error}", path.display()))
            .remedy("name a model that was trained for this linkage schema")
    })
}

/// The shipped model where it belongs to the schema, else what is usual for its kinds of fields.
fn starting_model(schema: &Schema) -> Model {
    Model::from_toml(DEFAULT_MODEL, schema).unwrap_or_else(|_| Model::untrained(schema))
}

fn write_pairs(path: &Path, linker: &Linker) -> Result<(), Failure> {
    let header = ["agency_a", "local_id_a", "agency_b", "local_id_b", "weight", "probability"];
    let rows = linker.pairs().map(|pair| {
        [
            pair.left.agency.to_string(),
            pair.left.local_id.to_string(),
            pair.right.agency.to_string(),
            pair.right.local_id.to_string(),
            format!("{:.3}", pair.weight.0),
            format!("{:.6}", pair.probability),
        ]
    });
    write_csv(path, header, rows)
}

fn write_csv<const N: usize>(
    path: &Path,
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<(), Failure> {
    let mut file = WholeFile::create(path)?;
    let write = |file: &mut WholeFile| -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(header)?;
        for row in rows {
            writer.write_record(&row)?;
        }
        writer.flush()
    };
    write(&mut file).map_err(|error| file.failure(&error))?;
    file.finish()
}

fn summary(input: &Input, linker: &Linker, settlement: &Settlement) -> Section {
    let mut section = Section::new("summary", &["what", "count"]);
    let n_linked: usize =
        settlement.groups.iter().map(Vec::len).filter(|n_records| *n_records > 1).sum();
    for (what, count) in [
        ("agencies", input.agencies.len() as u64),
        ("records", linker.len() as u64),
        ("rejected rows", input.n_rejected),
        ("records linked to another", n_linked as u64),
        ("participants", settlement.groups.len() as u64),
        ("pairs for review, counted as not linked", settlement.tasks.len() as u64),
    ] {
        section.row(vec![text(what), json!(count)]);
    }
    section
}

/// The match weights of every field and level, in bits.
fn weights(model: &Model) -> Section {
    let mut section = Section::new("weights", &["field", "level", "m", "u", "weight"]);
    for field in &model.fields {
        for level in &field.levels {
            section.row(vec![
                text(&field.name),
                text(level.level),
                json!(level.m),
                json!(level.u),
                json!(level.weight().0),
            ]);
        }
    }
    section
}

/// How the weights were found: a round of training per blocking key.
fn training_rounds(report: &TrainingReport) -> Section {
    let columns = ["blocking_key", "pairs", "matches", "iterations", "converged", "counts"];
    let mut section = Section::new("training", &columns);
    for round in &report.rounds {
        section.row(vec![
            text(&round.key),
            json!(round.n_pairs),
            json!(round.matches),
            json!(round.iterations),
            json!(round.converged),
            json!(round.counts),
        ]);
    }
    section
}

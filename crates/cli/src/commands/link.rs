//! `waymark link`: links identity files offline, without a server.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use linkage::{Linker, Settlement, TrainingOptions, train::TrainingReport};
use record::{ParticipantId, RecordKey};

use super::offline::{FilesArgs, read_model, starting_model, write_csv};
use crate::{
    cli::COLUMNS_HELP,
    exit::Exit,
    failure::Failure,
    output::{Document, Format},
};

mod sections;

const HELP: &str = "\
What is printed:
  summary    what was read and linked
  estimates  how right the links are likely to be, and where the cut-offs are
  reviews    why pairs are left for a steward; they count as not linked
  blocking   pairs that agree on a blocking key are compared; where too many records share a value,
             only those that agree on one more field (by second token)
  quality    of the values of each field
  weights    of the model, as waymark model show prints them
  training   a round per blocking key, where the model was trained here";

/// Links identity files on this machine, without a server: for pilots and evaluation.
///
/// Several files are several agencies, each named after its file unless a column agency says
/// otherwise. The records are encoded and compared exactly as the service compares them. Without
/// --model the match weights are trained on the files themselves, without labels, and the cut-offs
/// are chosen for the model's error rates. What a steward would review counts as not linked.
#[derive(Debug, Args)]
#[command(after_long_help = format!("{HELP}\n\n{COLUMNS_HELP}"))]
pub struct Link {
    /// Identity files, or encoded files of one key
    #[arg(value_name = "FILE.csv|FILE.wmk", required = true)]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    files: FilesArgs,
    /// File to write: agency,local_id,participant_id, a row per record
    #[arg(long, value_name = "LINKS.csv")]
    out: PathBuf,
    /// File to write every compared pair above the lower cut-off to:
    /// agency_a,local_id_a,agency_b,local_id_b,weight,probability
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
    /// Linkage model to compare by, such as one that waymark train wrote, instead of training one
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

impl Link {
    /// Links the files.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be read or written, or no model can be trained.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let schema = self.files.schema()?;
        let model = match &self.model {
            Some(path) => read_model(path, &schema)?,
            None => starting_model(&schema),
        };
        let mut linker = Linker::new(Arc::clone(&schema), Arc::new(model), self.files.policy()?);
        let input = self.files.read(&self.inputs, &mut linker, &schema)?;
        let training = if self.model.is_some() { None } else { train(&mut linker)? };
        eprintln!("linking {} records", linker.len());
        let settlement = linker.settle();
        self.write_links(&settlement)?;
        if let Some(path) = &self.pairs {
            write_pairs(path, &linker)?;
        }
        let blocking = linker.blocking_report();
        let mut document = Document::new("waymark.link/2")
            .section(sections::summary(&input, linker.len(), &blocking, &settlement))
            .section(sections::estimates(&linker, &settlement))
            .section(sections::reviews(&settlement))
            .section(sections::blocking(&blocking))
            .section(input.quality.section())
            .section(super::model::weights(linker.model()));
        if let Some(report) = &training {
            document = document.section(sections::training_rounds(report));
        }
        document.print(format)?;
        Ok(input.exit())
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

/// Trains on what was read; with too little to learn from, the model stays as it is.
fn train(linker: &mut Linker) -> Result<Option<TrainingReport>, Failure> {
    eprintln!("training on {} records", linker.len());
    let training = match linker.train(&TrainingOptions::default()) {
        Ok(training) => training,
        Err(error) => {
            eprintln!("note: {error}; that is what happens now");
            return Ok(None);
        }
    };
    linker.set_model(Arc::new(training.model));
    Ok(Some(training.report))
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

//! What the commands that work offline share: reading records and models, writing tables.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use encoding::LinkageKey;
use linkage::{DEFAULT_MODEL, Linker, Model, Policy};
use record::{AgencyId, RecordVersion, Schema};

use super::{encode::binding, report_rejected};
use crate::{
    catalogue::Code,
    cli::{RejectedArgs, SchemaArgs},
    client::outgoing::is_encoded,
    exit::Exit,
    failure::Failure,
    intake::{
        batch::{self, BatchRecord, Intake, Seen},
        encoded,
        identity::IdentityFile,
        mapping::Mapping,
        quality::Quality,
    },
    output::{file::WholeFile, progress::Progress},
    secret, settings,
};

/// How identity files and encoded files are read.
#[derive(Debug, Args)]
pub struct FilesArgs {
    #[command(flatten)]
    schema: SchemaArgs,
    /// Linkage key for identity files; without one, a random key that is forgotten afterwards
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Mapping of column names: once for all files, or once per file, in their order
    #[arg(long, value_name = "FILE")]
    mapping: Vec<PathBuf>,
    /// What is known of the sources: which agencies hold no person twice
    #[arg(long, value_name = "SOURCES.toml")]
    sources: Option<PathBuf>,
    #[command(flatten)]
    rejected: RejectedArgs,
}

/// What was read, over all files.
pub struct Input {
    /// The quality of the accepted rows.
    pub quality: Quality,
    /// Number of rejected rows.
    pub n_rejected: u64,
    /// Whose records were read.
    pub agencies: BTreeSet<AgencyId>,
}

impl FilesArgs {
    /// The linkage schema to encode under.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read or is no linkage schema.
    pub fn schema(&self) -> Result<Arc<Schema>, Failure> {
        settings::schema(&self.schema)
    }

    /// The limits of linkage, with what the sources file says.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read or is no sources file.
    pub fn policy(&self) -> Result<Policy, Failure> {
        let Some(path) = &self.sources else { return Ok(Policy::default()) };
        let text = fs::read_to_string(path).map_err(|error| Failure::reading(path, &error))?;
        Policy::with_sources(&text)
            .map_err(|error| Failure::plain(Exit::Usage, format!("{}: {error}", path.display())))
    }

    /// The first option that was given, if any was.
    pub fn first_given(&self) -> Option<&'static str> {
        [
            ("--schema", self.schema.schema.is_some()),
            ("--key", self.key.is_some()),
            ("--mapping", !self.mapping.is_empty()),
            ("--sources", self.sources.is_some()),
            ("--rejected-dir", self.rejected.rejected_dir.is_some()),
        ]
        .into_iter()
        .find_map(|(name, is_given)| is_given.then_some(name))
    }

    /// Reads the records of `inputs`, identity files (encoded on the way) and encoded files
    /// (`.wmk`), under `schema` into `linker`.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be read or is encoded under another schema or key, or a file
    /// of rejected rows cannot be written.
    pub fn read(
        &self,
        inputs: &[PathBuf],
        linker: &mut Linker,
        schema: &Arc<Schema>,
    ) -> Result<Input, Failure> {
        let mappings = self.mappings(inputs.len())?;
        let key = self.linkage_key(inputs)?;
        let encoder = settings::encoder(schema, &key)?;
        // A random key is no demand on the files that are encoded already.
        let mut binding = self.key.is_some().then(|| binding(schema, &key));
        let progress = Progress::counting("rows read");
        let mut seen = Seen::default();
        let mut input =
            Input { quality: Quality::new(schema), n_rejected: 0, agencies: BTreeSet::new() };
        for (path, mapping) in inputs.iter().zip(&mappings) {
            let agencies = &mut input.agencies;
            let sink = |record: BatchRecord| {
                if !agencies.contains(&record.key.agency) {
                    agencies.insert(record.key.agency.clone());
                }
                linker.insert(record.key, record.version, record.record);
                Ok(())
            };
            let summary = if is_encoded(path) {
                encoded::read(path, schema, &mut binding, &mut seen, &progress, sink)?
            } else {
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
                batch::encode(path, file, intake, &mut seen, &progress, sink)?
            };
            input.quality.add(&summary.quality);
            input.n_rejected += summary.rejected.n_rows;
            report_rejected(&summary.rejected);
        }
        Ok(input)
    }

    fn linkage_key(&self, inputs: &[PathBuf]) -> Result<LinkageKey, Failure> {
        if let Some(path) = &self.key {
            return secret::linkage_key(path);
        }
        let n_encoded = inputs.iter().filter(|path| is_encoded(path)).count();
        if n_encoded > 0 && n_encoded < inputs.len() {
            let what = "identity files stand beside encoded files, and there is no linkage key";
            return Err(Failure::plain(Exit::Usage, what)
                .remedy("name the key of the encoded files with --key FILE"));
        }
        settings::random_key(0)
    }

    fn mappings(&self, n_files: usize) -> Result<Vec<Mapping>, Failure> {
        let read =
            self.mapping.iter().map(|path| Mapping::read(path)).collect::<Result<Vec<_>, _>>()?;
        match read.len() {
            0 => Ok(vec![Mapping::default(); n_files]),
            1 => Ok(vec![read[0].clone(); n_files]),
            n if n == n_files => Ok(read),
            _ => {
                let what = "--mapping is given neither once nor once per file";
                Err(Failure::plain(Exit::Usage, what))
            }
        }
    }
}

impl Input {
    /// How the command ends: rejected rows are work that remains.
    pub fn exit(&self) -> Exit {
        if self.n_rejected == 0 { Exit::Done } else { Exit::WorkRemains }
    }
}

/// The model that training begins with: the shipped one where it belongs to the schema, else what
/// is usual for its kinds of fields.
pub fn starting_model(schema: &Schema) -> Model {
    Model::from_toml(DEFAULT_MODEL, schema).unwrap_or_else(|_| Model::untrained(schema))
}

/// Reads the linkage model at `path`.
///
/// # Errors
/// [`Failure`] when the file cannot be read or is no model for `schema`.
pub fn read_model(path: &Path, schema: &Schema) -> Result<Model, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::reading(path, &error))?;
    Model::from_toml(&text, schema).map_err(|error| {
        Failure::new(Code::ModelFileInvalid, format!("{}: {error}", path.display()))
            .remedy("name a model that was trained for this linkage schema")
    })
}

/// Writes a CSV file that appears whole or not at all.
///
/// # Errors
/// [`Failure`] when the file cannot be written.
pub fn write_csv<const N: usize>(
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

//! `waymark encode`: turns an identity file into encodings that may leave the agency.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use api::{
    convert::{Binding, Terms, record_to_proto},
    submission::{Row, SubmissionKind, SubmissionMode, row},
    wmk::{self, WmkError},
};
use clap::{Args, ValueEnum};
use encoding::LinkageKey;
use record::{AgencyId, Schema};
use serde_json::json;

use super::report_rejected;
use crate::{
    catalogue::Code,
    cli::{COLUMNS_HELP, ReadingArgs, RejectedArgs, SchemaArgs},
    exit::Exit,
    failure::Failure,
    intake::{
        batch::{self, Intake, Seen, Summary},
        identity::IdentityFile,
        quality::Quality,
    },
    output::{Document, Format, Section, file::WholeFile, progress::Progress, text},
    secret, settings,
};

/// Encodes an identity file into a file that may leave the agency.
///
/// Every value becomes a keyed encoding; the output holds no name, date or number. Rows that
/// cannot be encoded are rejected and written to NAME.rejected.csv beside the input, to be fixed
/// and encoded again; the other rows are encoded all the same.
#[derive(Debug, Args)]
#[command(after_long_help = COLUMNS_HELP)]
pub struct Encode {
    /// Identity file
    #[arg(value_name = "IN.csv")]
    input: PathBuf,
    /// File to write
    #[arg(long, value_name = "OUT.wmk")]
    out: PathBuf,
    /// The agency whose records these are
    #[arg(long, value_name = "AGENCY")]
    agency: AgencyId,
    /// Linkage key file, of mode 0600
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the absence of a record means
    #[arg(long, value_enum, default_value_t, value_name = "MODE")]
    mode: Mode,
    #[command(flatten)]
    schema: SchemaArgs,
    #[command(flatten)]
    reading: ReadingArgs,
    #[command(flatten)]
    rejected: RejectedArgs,
}

/// What the absence of a record means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Mode {
    /// Nothing: the batch adds and replaces
    #[default]
    Delta,
    /// The record is withdrawn: the batch is all that the agency holds
    Snapshot,
}

impl From<Mode> for SubmissionMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Delta => Self::Delta,
            Mode::Snapshot => Self::Snapshot,
        }
    }
}

/// How one identity file becomes one `.wmk` file.
pub struct Encoding<'a> {
    /// The identity file.
    pub input: &'a Path,
    /// The agency whose records these are.
    pub agency: &'a AgencyId,
    /// The linkage key.
    pub key: &'a LinkageKey,
    /// What the absence of a record means.
    pub mode: Mode,
    /// Where the schema is.
    pub schema: &'a SchemaArgs,
    /// How the file is read.
    pub reading: &'a ReadingArgs,
    /// Where rejected rows go.
    pub rejected: &'a RejectedArgs,
}

impl Encode {
    /// Encodes the file.
    ///
    /// # Errors
    /// [`Failure`] when the key, the schema, the columns or a file is not usable.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let key = secret::linkage_key(&self.key)?;
        let out = WholeFile::create(&self.out)?;
        let encoding = Encoding {
            input: &self.input,
            agency: &self.agency,
            key: &key,
            mode: self.mode,
            schema: &self.schema,
            reading: &self.reading,
            rejected: &self.rejected,
        };
        let (out, encoded) = encoding.write(out)?;
        out.finish()?;
        let summary = &encoded.summary;
        let mut rows = Section::new("rows", &["rows", "count"]);
        rows.row(vec![text("encoded"), json!(summary.n_accepted)]);
        rows.row(vec![text("rejected"), json!(summary.rejected.n_rows)]);
        Document::new("waymark.encode/1")
            .section(rows)
            .section(summary.quality.section())
            .print(format)?;
        report_rejected(&summary.rejected);
        eprintln!("to send it: waymark submit --agency {} {}", self.agency, self.out.display());
        Ok(if summary.rejected.n_rows == 0 { Exit::Done } else { Exit::WorkRemains })
    }
}

/// What became of one identity file.
pub struct EncodedFile {
    /// Counts and data quality.
    pub summary: Summary,
    /// The line of the identity file that each row stands at.
    pub lines: Vec<u64>,
}

impl Encoding<'_> {
    /// Encodes the identity file into `out`.
    ///
    /// # Errors
    /// [`Failure`] when the key, the schema, the columns or a file is not usable.
    pub fn write<W: Write>(&self, out: W) -> Result<(W, EncodedFile), Failure> {
        let schema = settings::schema(self.schema)?;
        let mapping = settings::mapping(self.reading.mapping.as_deref())?;
        let encoder = settings::encoder(&schema, self.key)?;
        let as_of = settings::as_of(self.reading, self.input)?;
        let file = IdentityFile::open(self.input, Some(self.agency), &mapping, &schema)?;
        for column in &file.header().not_sent {
            eprintln!("note: {column} is not in the linkage schema and is not sent");
        }
        let header = wmk::Header {
            agency: self.agency.clone(),
            terms: Terms {
                kind: SubmissionKind::Records,
                mode: self.mode.into(),
                as_of,
                encoding: Some(binding(&schema, self.key)),
            },
        };
        let mut writer = wmk::Writer::new(out, &header).map_err(wmk_failure)?;
        let directory = settings::rejected_directory(self.rejected, self.input);
        let intake = Intake {
            encoder: &encoder,
            quality: Quality::new(&schema),
            version: settings::version_of(as_of),
            rejected_directory: Some(&directory),
        };
        let mut lines = Vec::new();
        let progress = Progress::counting("rows read");
        let mut seen = Seen::default();
        let summary = batch::encode(self.input, file, intake, &mut seen, &progress, |record| {
            lines.push(record.line);
            let message = record_to_proto(&record.key.local_id, record.version, &record.record);
            writer.write(&Row { row: Some(row::Row::Record(message.into())) }).map_err(wmk_failure)
        })?;
        drop(progress);
        let (out, _) = writer.finish().map_err(wmk_failure)?;
        Ok((out, EncodedFile { summary, lines }))
    }
}

/// The schema and key that rows are encoded with.
pub fn binding(schema: &Schema, key: &LinkageKey) -> Binding {
    Binding::new(schema, key.epoch(), key.check_value(schema).0)
}

/// A failure to read or write a `.wmk` file.
pub fn wmk_failure(error: WmkError) -> Failure {
    match error {
        WmkError::Io(error) => {
            Failure::new(Code::FileUnwritable, format!("the encoded file: {error}"))
        }
        other => Failure::new(Code::EncodedFileInvalid, other.to_string()),
    }
}

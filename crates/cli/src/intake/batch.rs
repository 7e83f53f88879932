//! One identity file, encoded: rows in, encoded records out, in the order of the file.

use std::path::Path;

use data_encoding::{Encoding, Specification};
use encoding::{Encoded, Encoder, NothingToCompare};
use rayon::prelude::*;
use record::{EncodedRecord, LocalId, RecordKey, RecordVersion};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use super::{
    identity::{IdentityFile, IdentityRow, Item},
    quality::Quality,
    rejection::{Fault, Rejected, Rejection, Rejections},
};
use crate::{failure::Failure, output::progress::Progress};

/// Rows that are encoded at a time, on all cores.
const CHUNK_ROWS: usize = 4096;

/// An encoded record with its name and version.
pub struct BatchRecord {
    /// Line of its row, from 1.
    pub line: u64,
    /// The record's name.
    pub key: RecordKey,
    /// Its version: the file's, else the batch's as-of date.
    pub version: RecordVersion,
    /// Its encoding.
    pub record: EncodedRecord,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Records that were encoded.
    pub n_accepted: u64,
    /// Rows that were rejected, and where they stand.
    pub rejected: Rejected,
    /// Data quality of the accepted records.
    pub quality: Quality,
}

/// Where each local id of a batch stands, so that a second row of it is rejected.
#[derive(Default)]
pub struct Seen {
    files: Vec<String>,
    places: FxHashMap<RecordKey, (usize, u64)>,
}

impl Seen {
    fn open_file(&mut self, path: &Path) {
        self.files.push(path.display().to_string());
    }

    /// Notes that `key` stands at `line` of the file opened last; says where it stood before.
    fn note(&mut self, key: &RecordKey, line: u64) -> Result<(), Fault> {
        let file = self.files.len() - 1;
        match self.places.get(key) {
            Some(&(file, line)) => {
                Err(Fault::LocalIdDuplicate { file: self.files[file].clone(), line })
            }
            None => {
                self.places.insert(key.clone(), (file, line));
                Ok(())
            }
        }
    }
}

/// What one file is encoded with.
pub struct Intake<'a> {
    /// The encoder.
    pub encoder: &'a Encoder,
    /// Counts over the fields of the schema, all zero.
    pub quality: Quality,
    /// Version of rows that have none.
    pub version: RecordVersion,
    /// Where rejected rows are written; nowhere where `None`.
    pub rejected_directory: Option<&'a Path>,
}

/// Encodes the rows of `file` and hands each record to `sink`.
///
/// # Errors
/// [`Failure`] when the file cannot be read, rejected rows cannot be written, or `sink` fails.
pub fn encode(
    path: &Path,
    mut file: IdentityFile<'_>,
    intake: Intake<'_>,
    seen: &mut Seen,
    progress: &Progress,
    mut sink: impl FnMut(BatchRecord) -> Result<(), Failure>,
) -> Result<Summary, Failure> {
    let Intake { encoder, mut quality, version, rejected_directory } = intake;
    seen.open_file(path);
    let mut rejections = Rejections::new(path, &file.header().line, rejected_directory);
    let mut n_accepted = 0;
    loop {
        let items = read_chunk(&mut file)?;
        if items.is_empty() {
            break;
        }
        progress.advance(items.len() as u64);
        let encoded: Vec<_> =
            items.into_par_iter().map(|item| encode_item(encoder, item)).collect();
        for item in encoded {
            let (row, encoded) = match item {
                Ok(pair) => pair,
                Err((rejection, raw)) => {
                    rejections.reject(&rejection, &raw)?;
                    continue;
                }
            };
            let record = match name(&row, &encoded, version)
                .and_then(|record| seen.note(&record.0, row.line).map(|()| record))
            {
                Ok((key, version)) => {
                    BatchRecord { line: row.line, key, version, record: encoded.record }
                }
                Err(fault) => {
                    let raw = file.header().raw(&row.raw);
                    rejections.reject(&Rejection { line: row.line, fault }, raw)?;
                    continue;
                }
            };
            quality.count(row.values.iter().map(Option::as_deref), &encoded.findings);
            n_accepted += 1;
            sink(record)?;
        }
    }
    Ok(Summary { n_accepted, rejected: rejections.finish()?, quality })
}

fn read_chunk(file: &mut IdentityFile<'_>) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::with_capacity(CHUNK_ROWS);
    while items.len() < CHUNK_ROWS {
        let Some(item) = file.next()? else { break };
        items.push(item);
    }
    Ok(items)
}

fn encode_item(
    encoder: &Encoder,
    item: Item,
) -> Result<(IdentityRow, Encoded), (Rejection, String)> {
    match item {
        Item::Rejected(rejection, raw) => Err((rejection, raw)),
        Item::Row(row) => {
            let values: Vec<Option<&str>> = row.values.iter().map(Option::as_deref).collect();
            match encoder.encode(&values) {
                Ok(encoded) => Ok((row, encoded)),
                Err(NothingToCompare) => {
                    let fault = Fault::NothingToCompare;
                    Err((Rejection { line: row.line, fault }, row.raw))
                }
            }
        }
    }
}

fn name(
    row: &IdentityRow,
    encoded: &Encoded,
    version: RecordVersion,
) -> Result<(RecordKey, RecordVersion), Fault> {
    let local_id = match &row.local_id {
        Some(local_id) => local_id.clone(),
        None => derived_local_id(&encoded.record),
    };
    Ok((RecordKey::new(row.agency.clone(), local_id), row.version.unwrap_or(version)))
}

/// The local id of a record in a file that has none: a hash of the record's encoding, which is
/// keyed already, so the same values under the same key give the same id, and nobody without the
/// key can find the values from it.
fn derived_local_id(record: &EncodedRecord) -> LocalId {
    let digest = Sha256::digest(record.to_bytes());
    format!("derived-{}", base32().encode(&digest[..15]))
        .parse()
        .expect("base 32 digits are visible ASCII")
}

fn base32() -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.encoding().expect("the symbols are 32 distinct characters")
}

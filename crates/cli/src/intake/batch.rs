//! One identity file, encoded: rows in, encoded records out, in the order of the file.

use std::{borrow::Cow, collections::BTreeSet, hash::BuildHasher, path::Path};

use data_encoding::{Encoding, Specification};
use encoding::{Encoded, Encoder, EncoderSession, NothingToCompare};
use hashbrown::HashTable;
use record::{AgencyId, EncodedRecord, LocalId, RecordKey, RecordVersion};
use rustc_hash::FxBuildHasher;
use sha2::{Digest, Sha256};

use super::{
    identity::{IdentityFile, IdentityRow, RejectedRow, RowLayout},
    pipeline,
    quality::Quality,
    rejection::{Fault, Rejected, Rejections},
    rows::{BadRow, Row, RowReader},
};
use crate::{failure::Failure, output::progress::Progress};

/// Rows that go through the pipeline together.
const BATCH_ROWS: usize = 1024;

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
    /// Each file, with the number of records seen before it.
    files: Vec<(String, usize)>,
    /// Each record, with its line.
    records: Vec<(RecordKey, u64)>,
    places: HashTable<u32>,
    agencies: BTreeSet<AgencyId>,
}

impl Seen {
    /// The local ids noted from now on stand in the file at `path`.
    pub fn open_file(&mut self, path: &Path) {
        self.files.push((path.display().to_string(), self.records.len()));
    }

    /// The same agency, in memory only once.
    pub fn agency(&mut self, agency: AgencyId) -> AgencyId {
        if let Some(known) = self.agencies.get(&agency) {
            return known.clone();
        }
        self.agencies.insert(agency.clone());
        agency
    }

    /// Notes that `key` stands at `line` of the file opened last.
    ///
    /// # Errors
    /// [`Fault::LocalIdDuplicate`], which says where it stood before.
    pub fn note(&mut self, key: &RecordKey, line: u64) -> Result<(), Fault> {
        let Self { files, records, places, .. } = self;
        let hash = FxBuildHasher.hash_one(key);
        if let Some(place) = places.find(hash, |place| records[*place as usize].0 == *key) {
            let place = *place as usize;
            let file = files.partition_point(|(_, n_before)| *n_before <= place) - 1;
            let file = files[file].0.clone();
            return Err(Fault::LocalIdDuplicate { file, line: records[place].1 });
        }
        let place = u32::try_from(records.len()).expect("a batch has fewer than 2^32 records");
        records.push((key.clone(), line));
        let hash_of = |place: &u32| FxBuildHasher.hash_one(&records[*place as usize].0);
        places.insert_unique(hash, place, hash_of);
        Ok(())
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

/// Encodes the rows of `file` on all cores and hands each record to `sink`.
///
/// # Errors
/// [`Failure`] when the file cannot be read, rejected rows cannot be written, or `sink` fails.
pub fn encode(
    path: &Path,
    file: IdentityFile<'_>,
    intake: Intake<'_>,
    seen: &mut Seen,
    progress: &Progress,
    mut sink: impl FnMut(BatchRecord) -> Result<(), Failure>,
) -> Result<Summary, Failure> {
    let Intake { encoder, mut quality, version, rejected_directory } = intake;
    seen.open_file(path);
    let mut rejections = Rejections::new(path, &file.header().line, rejected_directory);
    let mut n_accepted = 0;
    let (mut rows, layout) = file.into_parts();
    let read = || read_batch(&mut rows, layout.n_columns(), progress);
    let worker = || {
        let mut session = encoder.session();
        let layout = &layout;
        move |batch: Vec<_>| -> Vec<_> {
            batch.into_iter().map(|row| encode_row(layout, &mut session, row)).collect()
        }
    };
    pipeline::in_order(read, worker, |batch| {
        for row in batch {
            let (row, encoded) = match row {
                Ok(pair) => pair,
                Err((rejection, raw)) => {
                    rejections.reject(&rejection, &raw)?;
                    continue;
                }
            };
            let IdentityRow { row, agency, local_id, version: own_version } = row;
            let local_id = local_id.unwrap_or_else(|| derived_local_id(&encoded.record));
            let key = RecordKey::new(seen.agency(agency), local_id);
            if let Err(fault) = seen.note(&key, row.line) {
                let (rejection, raw) = layout.rejected(row.line, fault, &row.raw);
                rejections.reject(&rejection, &raw)?;
                continue;
            }
            quality.count(layout.values(&row).map(|value| value.is_some()), &encoded.findings);
            n_accepted += 1;
            let version = own_version.unwrap_or(version);
            sink(BatchRecord { line: row.line, key, version, record: encoded.record })?;
        }
        Ok(())
    })?;
    Ok(Summary { n_accepted, rejected: rejections.finish()?, quality })
}

/// The next rows; `None` at the end of the file.
fn read_batch(
    rows: &mut RowReader<'_>,
    n_columns: usize,
    progress: &Progress,
) -> Result<Option<Vec<Result<Row, BadRow>>>, Failure> {
    let mut batch = Vec::with_capacity(BATCH_ROWS);
    while batch.len() < BATCH_ROWS {
        let Some(row) = rows.next(Some(n_columns))? else { break };
        batch.push(row);
    }
    progress.advance(batch.len() as u64);
    Ok((!batch.is_empty()).then_some(batch))
}

fn encode_row(
    layout: &RowLayout,
    session: &mut EncoderSession<'_>,
    row: Result<Row, BadRow>,
) -> Result<(IdentityRow, Encoded), RejectedRow> {
    let row = layout.understand(row)?;
    let values: Vec<Option<Cow<'_, str>>> = layout.values(&row.row).collect();
    let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
    match session.encode(&values) {
        Ok(encoded) => Ok((row, encoded)),
        Err(NothingToCompare) => {
            Err(layout.rejected(row.row.line, Fault::NothingToCompare, &row.row.raw))
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_row_of_a_record_is_told_where_the_first_stands() {
        let mut seen = Seen::default();
        let key = |key: &str| key.parse::<RecordKey>().unwrap();
        seen.open_file(Path::new("empty.csv"));
        seen.open_file(Path::new("one.csv"));
        assert_eq!(seen.note(&key("college/A-1"), 2), Ok(()));
        assert_eq!(seen.note(&key("wages/A-1"), 3), Ok(()));
        seen.open_file(Path::new("two.csv"));
        assert_eq!(seen.note(&key("college/A-2"), 2), Ok(()));
        for (repeated, file, line) in [
            ("wages/A-1", "one.csv", 3),
            ("college/A-2", "two.csv", 2),
            ("college/A-1", "one.csv", 2),
        ] {
            let fault = Fault::LocalIdDuplicate { file: file.to_owned(), line };
            assert_eq!(seen.note(&key(repeated), 9), Err(fault));
        }
    }
}

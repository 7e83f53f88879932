//! An encoded file on its way out: checked whole before a row of it is sent.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use api::{
    convert::binding_to_proto,
    digest::RowChain,
    limits::{APPEND_TARGET_BYTES, MAX_ROWS_PER_APPEND},
    submission::{AppendRowsRequest, CreateSubmissionRequest, Row},
    wmk::{self, Reader},
};
use sha2::{Digest, Sha256};
use tempfile::TempPath;

use super::answer::day_message;
use crate::{catalogue::Code, failure::Failure};

/// A `.wmk` file whose seal was checked.
pub struct Outgoing {
    place: Place,
    /// Whose rows it holds and how they were made.
    pub header: wmk::Header,
    /// Count and digest of its rows.
    pub chain: RowChain,
}

/// Where the file is.
enum Place {
    /// A file of the user's.
    Named(PathBuf),
    /// A file that is removed once it was sent.
    Temporary(TempPath),
}

impl Outgoing {
    /// Takes a file of the user's.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be read or is not the file it was sealed as.
    pub fn named(path: &Path) -> Result<Self, Failure> {
        Self::check(Place::Named(path.to_owned()))
    }

    /// Takes a file that is removed once it was sent.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be read or is not the file it was sealed as.
    pub fn temporary(path: TempPath) -> Result<Self, Failure> {
        Self::check(Place::Temporary(path))
    }

    /// Reads the file once from beginning to end.
    fn check(place: Place) -> Result<Self, Failure> {
        let path = place.path();
        let mut reader = open(path)?;
        for row in reader.by_ref() {
            row.map_err(|error| unreadable(path, &error))?;
        }
        let (header, chain) = (reader.header().clone(), reader.row_chain());
        Ok(Self { place, header, chain })
    }

    /// The request that opens the file's submission.
    pub fn create_request(&self, validate_only: bool) -> CreateSubmissionRequest {
        let terms = &self.header.terms;
        CreateSubmissionRequest {
            request_id: self.request_id(),
            kind: terms.kind.into(),
            mode: terms.mode.into(),
            as_of: day_message(Some(terms.as_of)),
            encoding: terms.encoding.as_ref().map(binding_to_proto),
            validate_only,
            agency: self.header.agency.to_string(),
        }
    }

    /// A UUID (version 8) made from the file: the same file asks for the same submission, whoever
    /// runs the command and however often.
    fn request_id(&self) -> String {
        let terms = &self.header.terms;
        let (kind, mode) = (terms.kind.as_str_name(), terms.mode.as_str_name());
        let head = format!(
            "waymark request 1\n{} {kind} {mode} {} {}\n",
            self.header.agency, terms.as_of, self.chain.rows
        );
        let mut hash = Sha256::new();
        hash.update(head);
        hash.update(self.chain.digest);
        if let Some(binding) = &terms.encoding {
            hash.update(binding.schema_fingerprint);
            hash.update(binding.key_epoch.to_le_bytes());
            hash.update(binding.key_check_value);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        id[6] = id[6] & 0x0f | 0x80;
        id[8] = id[8] & 0x3f | 0x80;
        let hex = data_encoding::HEXLOWER.encode(&id);
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    /// The rows from `first_offset` on, in messages for `submission`.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read any more.
    pub fn messages(&self, submission: &str, first_offset: u64) -> Result<Messages, Failure> {
        let path = self.place.path();
        let mut reader = open(path)?;
        for row in reader.by_ref().take(usize::try_from(first_offset).unwrap_or(usize::MAX)) {
            row.map_err(|error| unreadable(path, &error))?;
        }
        Ok(Messages {
            path: path.to_owned(),
            reader,
            submission: submission.to_owned(),
            next_offset: first_offset,
            failure: ReadFailure::default(),
        })
    }
}

/// Whether the name of a file says that it is encoded.
pub fn is_encoded(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wmk")
}

/// Opens an encoded file.
///
/// # Errors
/// [`Failure`] when it cannot be read or is no encoded file.
pub fn open(path: &Path) -> Result<Reader<BufReader<File>>, Failure> {
    let file = File::open(path).map_err(|error| Failure::reading(path, &error))?;
    Reader::open(BufReader::new(file)).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &wmk::WmkError) -> Failure {
    Failure::new(Code::EncodedFileInvalid, format!("{}: {error}", path.display()))
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Temporary(path) => path,
        }
    }
}

/// Why a stream of messages ended early, if the file could not be read to its end.
#[derive(Clone, Default)]
pub struct ReadFailure(Arc<Mutex<Option<Failure>>>);

impl ReadFailure {
    /// The failure, once.
    pub fn take(&self) -> Option<Failure> {
        self.0.lock().ok().and_then(|mut failure| failure.take())
    }

    fn set(&self, failure: Failure) {
        if let Ok(mut place) = self.0.lock() {
            *place = Some(failure);
        }
    }
}

/// The rows of a file in messages of at most [`MAX_ROWS_PER_APPEND`] rows.
pub struct Messages {
    path: PathBuf,
    reader: Reader<BufReader<File>>,
    submission: String,
    next_offset: u64,
    failure: ReadFailure,
}

impl Messages {
    /// Where it will stand why the stream ended early.
    pub fn failure(&self) -> ReadFailure {
        self.failure.clone()
    }
}

impl Iterator for Messages {
    type Item = AppendRowsRequest;

    fn next(&mut self) -> Option<AppendRowsRequest> {
        let (mut rows, mut n_bytes): (Vec<Row>, usize) = (Vec::new(), 0);
        while rows.len() < MAX_ROWS_PER_APPEND && n_bytes < APPEND_TARGET_BYTES {
            match self.reader.next() {
                None => break,
                Some(Ok(row)) => {
                    n_bytes += api::encoded_len(&row);
                    rows.push(row);
                }
                Some(Err(error)) => {
                    self.failure.set(unreadable(&self.path, &error));
                    return None;
                }
            }
        }
        if rows.is_empty() {
            return None;
        }
        let first_offset = self.next_offset;
        self.next_offset += rows.len() as u64;
        Some(AppendRowsRequest { submission_id: self.submission.clone(), first_offset, rows })
    }
}

#[cfg(test)]
mod tests {
    use api::{
        convert::Terms,
        submission::{IdentityRecord, SubmissionKind, SubmissionMode, row},
    };

    use super::*;

    fn file(n_rows: u64, as_of: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.wmk");
        let header = wmk::Header {
            agency: "college".parse().unwrap(),
            terms: Terms {
                kind: SubmissionKind::Events,
                mode: SubmissionMode::Delta,
                as_of: as_of.parse().unwrap(),
                encoding: None,
            },
        };
        let mut writer = wmk::Writer::new(File::create(&path).unwrap(), &header).unwrap();
        for number in 0..n_rows {
            let record = IdentityRecord { local_id: format!("A-{number}"), ..Default::default() };
            writer.write(&Row { row: Some(row::Row::Record(record.into())) }).unwrap();
        }
        writer.finish().unwrap();
        (directory, path)
    }

    #[test]
    fn the_same_file_asks_for_the_same_submission() {
        let id = |n_rows, as_of| {
            let (_directory, path) = file(n_rows, as_of);
            Outgoing::named(&path).unwrap().create_request(false).request_id
        };
        let one = id(3, "2026-01-31");
        assert_eq!(one, id(3, "2026-01-31"));
        assert_ne!(one, id(2, "2026-01-31"));
        assert_ne!(one, id(3, "2026-01-30"));
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&one[14..15], "8");
    }

    #[test]
    fn messages_go_on_at_the_committed_offset() {
        let (_directory, path) = file(2_500, "2026-01-31");
        let outgoing = Outgoing::named(&path).unwrap();
        let sizes = |from| {
            let messages = outgoing.messages("s", from).unwrap();
            messages.map(|m| (m.first_offset, m.rows.len())).collect::<Vec<_>>()
        };
        assert_eq!(sizes(0), [(0, 1000), (1000, 1000), (2000, 500)]);
        assert_eq!(sizes(1_200), [(1200, 1000), (2200, 300)]);
        assert_eq!(sizes(2_500), []);
    }

    #[test]
    fn a_damaged_file_is_refused_before_anything_is_sent() {
        let (_directory, path) = file(3, "2026-01-31");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 5);
        std::fs::write(&path, bytes).unwrap();
        let failure = Outgoing::named(&path).err().unwrap();
        assert_eq!(failure.page.as_deref(), Some("ENCODED_FILE_INVALID"));
    }
}

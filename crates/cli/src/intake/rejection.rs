//! Why a row is rejected: the reasons, how they are told, and the file the user fixes.

use std::{
    fmt, fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use api::ErrorReason;

use crate::{catalogue::Code, failure::Failure};

/// What is wrong with a row. Never holds the text of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A quote is opened and not closed, or closed in another row.
    QuoteOpen,
    /// Another number of cells than the header.
    CellCount {
        /// Cells of the row.
        found: usize,
        /// Cells of the header.
        expected: usize,
    },
    /// More bytes or cells than a row may have.
    RowTooLarge,
    /// The local id is empty.
    LocalIdMissing,
    /// The local id has characters that a local id may not have, or is too long.
    LocalIdInvalid,
    /// The local id equals the row's SSN or looks like an SSN.
    LocalIdLooksLikeSsn,
    /// The local id stands in an earlier row.
    LocalIdDuplicate {
        /// Name of the file of the earlier row.
        file: String,
        /// Line of the earlier row.
        line: u64,
    },
    /// The record version is neither a whole number nor a date.
    VersionInvalid,
    /// The agency is not an agency id.
    AgencyInvalid,
    /// No field of the schema has a value.
    NothingToCompare,
    /// A cell of an event or statement does not have the form it needs.
    CellInvalid {
        /// Its column.
        column: String,
        /// What is wrong and what to give.
        what: String,
        /// The page about it.
        code: Code,
    },
    /// The service rejected the row: its reason, the place in the row, and its remedy.
    ByService {
        /// The reason's name, such as `version_conflict`.
        reason: String,
        /// Path of the part that is to blame; empty for the whole row.
        place: String,
        /// What to do.
        remedy: String,
    },
    /// The event id stands in an earlier row.
    EventIdDuplicate {
        /// Line of the earlier row.
        line: u64,
    },
}

/// A rejected row, as it is told to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Line of the row, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

impl Fault {
    /// The column at fault, where it is one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::QuoteOpen
            | Self::CellCount { .. }
            | Self::RowTooLarge
            | Self::NothingToCompare
            | Self::ByService { .. } => None,
            Self::LocalIdMissing
            | Self::LocalIdInvalid
            | Self::LocalIdLooksLikeSsn
            | Self::LocalIdDuplicate { .. } => Some("local_id"),
            Self::VersionInvalid => Some("record_version"),
            Self::AgencyInvalid => Some("agency"),
            Self::CellInvalid { column, .. } => Some(column),
            Self::EventIdDuplicate { .. } => Some("event_id"),
        }
    }

    /// The page of the error catalogue.
    pub fn page(&self) -> &'static str {
        let code = match self {
            Self::ByService { .. } => return ErrorReason::RowRejected.name(),
            Self::QuoteOpen | Self::CellCount { .. } => Code::RowMalformed,
            Self::RowTooLarge => Code::RowTooLarge,
            Self::LocalIdMissing | Self::LocalIdInvalid => Code::LocalIdInvalid,
            Self::LocalIdLooksLikeSsn => Code::LocalIdLooksLikeSsn,
            Self::LocalIdDuplicate { .. } => Code::LocalIdDuplicate,
            Self::VersionInvalid => Code::VersionInvalid,
            Self::AgencyInvalid => Code::AgencyInvalid,
            Self::NothingToCompare => Code::NothingToCompare,
            Self::CellInvalid { code, .. } => *code,
            Self::EventIdDuplicate { .. } => Code::EventInvalid,
        };
        code.id()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuoteOpen => {
                f.write_str("a quote is opened and not closed: close it, or double it (\"\")")
            }
            Self::CellCount { found, expected } => write!(
                f,
                "has {found} cells where the header has {expected}: quote a cell that holds a comma"
            ),
            Self::RowTooLarge => f.write_str("is over 64 KiB or 1,024 cells: shorten it"),
            Self::LocalIdMissing => f.write_str("is empty: give the row a local id"),
            Self::LocalIdInvalid => f.write_str(
                "must be 1 to 64 visible ASCII characters without spaces or '/': rename it",
            ),
            Self::LocalIdLooksLikeSsn => f.write_str(
                "is or looks like a social security number, which must not leave the agency: \
                 use another handle",
            ),
            Self::LocalIdDuplicate { file, line } => {
                write!(f, "stands already in {file}, line {line}: keep one of the two rows")
            }
            Self::VersionInvalid => {
                f.write_str("must be a whole number or a date such as 2026-01-31")
            }
            Self::AgencyInvalid => f.write_str(
                "must be 1 to 32 lower-case letters, digits, '-' or '_', starting with a letter",
            ),
            Self::NothingToCompare => f.write_str(
                "has no value to compare (placeholders do not count): fill in at least one field",
            ),
            Self::CellInvalid { what, .. } => f.write_str(what),
            Self::ByService { reason, place, remedy } => {
                write!(f, "was rejected by the service ({reason}")?;
                if !place.is_empty() {
                    write!(f, " at {place}")?;
                }
                write!(f, "): {remedy}")
            }
            Self::EventIdDuplicate { line } => {
                write!(f, "stands already in line {line}: give each event an id of its own")
            }
        }
    }
}

/// Collects the rejected rows of one input: tells the first few, writes all to a file beside it.
pub struct Rejections {
    source: PathBuf,
    header: String,
    /// Where the rows go; `None` where they are only told.
    path: Option<PathBuf>,
    file: Option<BufWriter<fs::File>>,
    n_rejected: u64,
}

/// Rejections that are told one by one on standard error; the rest stand in the file.
const TOLD_MAX: u64 = 20;

/// The column of a rejected file that says why; ignored when the file is sent again.
pub const REJECTION_COLUMN: &str = "rejection";

impl Rejections {
    /// Collects the rejected rows of `source`, whose header line is `header`. They are written to
    /// `directory`, or nowhere where that is `None`.
    pub fn new(source: &Path, header: &str, directory: Option<&Path>) -> Self {
        let path = directory.map(|directory| directory.join(rejected_name(source)));
        Self {
            source: source.to_owned(),
            header: header.to_owned(),
            path,
            file: None,
            n_rejected: 0,
        }
    }

    /// Goes on with the rejections of `source` after an earlier part of the work `rejected` some.
    ///
    /// # Errors
    /// [`Failure`] when the file of rejected rows cannot be opened again.
    pub fn go_on(
        source: &Path,
        header: &str,
        directory: &Path,
        rejected: &Rejected,
    ) -> Result<Self, Failure> {
        let mut rejections = Self::new(source, header, Some(directory));
        rejections.n_rejected = rejected.n_rows;
        if let Some(path) = &rejected.path {
            let file = fs::OpenOptions::new().append(true).open(path);
            let file = file.map_err(|error| Failure::writing(path, &error))?;
            rejections.file = Some(BufWriter::new(file));
        }
        Ok(rejections)
    }

    /// Takes one rejected row. `raw` is the row as it stands in the file.
    ///
    /// # Errors
    /// [`Failure`] when the file of rejected rows cannot be written.
    pub fn reject(&mut self, rejection: &Rejection, raw: &str) -> Result<(), Failure> {
        self.n_rejected += 1;
        if self.n_rejected <= TOLD_MAX {
            eprintln!("rejected: {}", self.describe(rejection));
        } else if self.n_rejected == TOLD_MAX + 1 {
            eprintln!("rejected: further rows, not listed here");
        }
        let Some(path) = &self.path else { return Ok(()) };
        let failed = |error: io::Error| {
            Failure::writing(path, &error).remedy("name a directory with --rejected-dir DIR")
        };
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = BufWriter::new(create_private(path).map_err(failed)?);
                writeln!(file, "{REJECTION_COLUMN},{}", self.header).map_err(failed)?;
                none.insert(file)
            }
        };
        // One cell that never needs quotes, in front, so that the row itself stays as it is.
        let reason = describe_fault(&rejection.fault).replace(',', ";").replace('"', "'");
        let place = rejection.line;
        writeln!(file, "line {place}: {reason},{raw}").map_err(failed)
    }

    /// Closes the file.
    ///
    /// # Errors
    /// [`Failure`] when the file of rejected rows cannot be written.
    pub fn finish(self) -> Result<Rejected, Failure> {
        let Some(file) = self.file else {
            return Ok(Rejected { n_rows: self.n_rejected, path: None });
        };
        let path = self.path.expect("an open file has a path");
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(|error| Failure::writing(&path, &error))?;
        Ok(Rejected { n_rows: self.n_rejected, path: Some(path) })
    }

    fn describe(&self, rejection: &Rejection) -> String {
        format!(
            "{}, line {}: {} ({})",
            self.source.display(),
            rejection.line,
            describe_fault(&rejection.fault),
            rejection.fault.page()
        )
    }
}

/// How many rows of an input were rejected, and where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Number of rejected rows.
    pub n_rows: u64,
    /// The file that holds them, where there is one.
    pub path: Option<PathBuf>,
}

/// A fault with its column, or of the row.
pub fn describe_fault(fault: &Fault) -> String {
    match fault.column() {
        Some(column) => format!("{column} {fault}"),
        None => format!("the row {fault}").replacen("the row a quote", "a quote", 1),
    }
}

fn rejected_name(source: &Path) -> PathBuf {
    PathBuf::from(source.file_name().unwrap_or_default()).with_extension("rejected.csv")
}

/// Rejected rows are identities: only the user who sends them may read them.
fn create_private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_rows_keep_their_text_and_say_why() {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("college.csv");
        let mut rejections =
            Rejections::new(&source, "local_id,first_name", Some(directory.path()));
        let fault = Fault::CellCount { found: 3, expected: 2 };
        rejections.reject(&Rejection { line: 7, fault }, "A-1,\"x,y\",z").unwrap();
        let rejected = rejections.finish().unwrap();
        assert_eq!(rejected.n_rows, 1);
        let text = fs::read_to_string(rejected.path.unwrap()).unwrap();
        assert_eq!(
            text,
            "rejection,local_id,first_name\nline 7: the row has 3 cells where the header has 2: \
             quote a cell that holds a comma,A-1,\"x,y\",z\n"
        );
        assert!(directory.path().join("college.rejected.csv").exists());
    }

    #[test]
    fn without_rejections_there_is_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let rejections = Rejections::new(Path::new("a.csv"), "local_id", Some(directory.path()));
        assert_eq!(rejections.finish().unwrap(), Rejected { n_rows: 0, path: None });
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

//! Identity rows: a row of the file becomes a local id, a version and one value per field.

use std::{
    borrow::Cow,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use record::{AgencyId, LocalId, RecordVersion, Schema};

use super::{
    header::Header,
    mapping::Mapping,
    rejection::{Fault, Rejection},
    rows::{BadRow, Row, RowReader},
};
use crate::{catalogue::Code, failure::Failure};

/// Which agency the rows of a file belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// All of them to this one.
    Agency(AgencyId),
    /// Each to the agency in its column `agency`.
    Column,
}

/// One row of an identity file, checked but not encoded.
pub struct IdentityRow {
    /// The row as written, to be given back where it is rejected later.
    pub row: Row,
    /// The agency.
    pub agency: AgencyId,
    /// The local id; `None` where the file has none and one is derived.
    pub local_id: Option<LocalId>,
    /// The version, where the file has one.
    pub version: Option<RecordVersion>,
}

/// A rejected row and its text.
pub type RejectedRow = (Rejection, String);

/// An identity file, open and with its header understood.
pub struct IdentityFile<'a> {
    rows: RowReader<'a>,
    layout: RowLayout,
}

/// What the cells of a file's rows mean: its columns, and whose records they are.
pub struct RowLayout {
    header: Header,
    owner: Owner,
}

impl<'a> IdentityFile<'a> {
    /// Opens `path` and reads its header. The rows belong to `agency`, else to the agency in the
    /// column `agency`, else to the agency that the file is named after.
    ///
    /// # Errors
    /// [`Failure`] when the file, its header or its agency is not usable.
    pub fn open(
        path: &'a Path,
        agency: Option<&AgencyId>,
        mapping: &Mapping,
        schema: &Schema,
    ) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| Failure::reading(path, &error))?;
        Self::of(path, BufReader::with_capacity(1 << 18, file), agency, mapping, schema)
    }

    /// As [`IdentityFile::open`], with `input` as what stands at `path`.
    ///
    /// # Errors
    /// [`Failure`] when the input, its header or its agency is not usable.
    pub fn of(
        path: &'a Path,
        input: impl BufRead + Send + 'a,
        agency: Option<&AgencyId>,
        mapping: &Mapping,
        schema: &Schema,
    ) -> Result<Self, Failure> {
        let mut rows = RowReader::new(path, input);
        let header = match rows.next(None)? {
            Some(Ok(row)) => Header::resolve(path, &row, mapping, schema)?,
            Some(Err(_)) | None => {
                let what = format!("{}, line 1: there is no header row", path.display());
                return Err(Failure::new(Code::HeaderMissing, what)
                    .remedy("put the column names in the first line"));
            }
        };
        let owner = match agency {
            Some(agency) => Owner::Agency(agency.clone()),
            None if !header.agency.is_empty() => Owner::Column,
            None => Owner::Agency(agency_of_name(path)?),
        };
        Ok(Self { rows, layout: RowLayout { header, owner } })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.layout.header
    }

    /// The rows below the header, and what their cells mean.
    pub fn into_parts(self) -> (RowReader<'a>, RowLayout) {
        (self.rows, self.layout)
    }
}

impl RowLayout {
    /// Number of cells of a row.
    pub fn n_columns(&self) -> usize {
        self.header.n_columns
    }

    /// Checks a row and finds out whose record it is.
    ///
    /// # Errors
    /// [`RejectedRow`] where the row cannot be a record.
    pub fn understand(&self, row: Result<Row, BadRow>) -> Result<IdentityRow, RejectedRow> {
        let row = row.map_err(|BadRow { line, raw, fault }| self.rejected(line, fault, &raw))?;
        match self.read(&row) {
            Ok((agency, local_id, version)) => Ok(IdentityRow { row, agency, local_id, version }),
            Err(fault) => Err(self.rejected(row.line, fault, &row.raw)),
        }
    }

    /// One value per field of the schema, in schema order; an empty cell is `None`.
    pub fn values<'r>(&self, row: &'r Row) -> impl Iterator<Item = Option<Cow<'r, str>>> {
        self.header.fields.iter().map(|places| joined(row, places))
    }

    /// The row at `line`, rejected for `fault`: its text is given back as it was written.
    pub fn rejected(&self, line: u64, fault: Fault, raw: &str) -> RejectedRow {
        (Rejection { line, fault }, self.header.raw(raw).to_owned())
    }

    fn read(&self, row: &Row) -> Result<(AgencyId, Option<LocalId>, Option<RecordVersion>), Fault> {
        let header = &self.header;
        let agency = match &self.owner {
            Owner::Agency(agency) => agency.clone(),
            Owner::Column => joined(row, &header.agency)
                .and_then(|text| text.parse().ok())
                .ok_or(Fault::AgencyInvalid)?,
        };
        let version = joined(row, &header.version)
            .map(|text| text.parse().map_err(|_| Fault::VersionInvalid))
            .transpose()?;
        if header.local_id.is_empty() {
            return Ok((agency, None, version));
        }
        let text = joined(row, &header.local_id).ok_or(Fault::LocalIdMissing)?;
        let local_id: LocalId = text.parse().map_err(|_| Fault::LocalIdInvalid)?;
        let is_ssn = local_id.looks_like_ssn()
            || joined(row, &header.ssn).is_some_and(|ssn| bare(&ssn) == bare(&text));
        if is_ssn { Err(Fault::LocalIdLooksLikeSsn) } else { Ok((agency, Some(local_id), version)) }
    }
}

/// The cells at `places`, joined with a space; `None` where all of them are empty.
fn joined<'r>(row: &'r Row, places: &[usize]) -> Option<Cow<'r, str>> {
    let mut cells = places.iter().map(|&place| row.cell(place)).filter(|cell| !cell.is_empty());
    let mut value = Cow::Borrowed(cells.next()?);
    for cell in cells {
        let joined = value.to_mut();
        joined.push(' ');
        joined.push_str(cell);
    }
    Some(value)
}

/// Letters and digits only, so that an SSN with and without hyphens is the same.
fn bare(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The agency that a file is named after: `college.csv` and `college.rejected.csv` are of
/// `college`.
fn agency_of_name(path: &Path) -> Result<AgencyId, Failure> {
    let mut stem = PathBuf::from(path.file_stem().unwrap_or_default());
    while stem.extension().is_some_and(|extension| extension == "rejected") {
        stem.set_extension("");
    }
    stem.to_string_lossy().parse().map_err(|error| {
        let what = format!("{}: the file's name is no agency id: {error}", path.display());
        Failure::new(Code::AgencyInvalid, what)
            .remedy("name the agency with --agency, or in a column agency")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of a row, or the line of a rejected one and what is wrong with it.
    type Outcome = Result<Vec<Option<String>>, (u64, Fault)>;

    fn read(text: &str, agency: Option<&str>) -> Vec<Outcome> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("college.csv");
        std::fs::write(&path, text).unwrap();
        let schema = Schema::parse(
            "schema = \"t\"\nversion = 1\n[[field]]\nname = \"first_name\"\nkind = \"name\"\n\
             tokens = [\"exact\"]\n",
        )
        .unwrap();
        let agency = agency.map(|agency| agency.parse().unwrap());
        let file =
            IdentityFile::open(&path, agency.as_ref(), &Mapping::default(), &schema).unwrap();
        let (mut rows, layout) = file.into_parts();
        let mut outcomes = Vec::new();
        while let Some(row) = rows.next(Some(layout.n_columns())).unwrap() {
            outcomes.push(match layout.understand(row) {
                Ok(IdentityRow { row, agency, local_id, version }) => Ok([
                    Some(agency.to_string()),
                    local_id.map(|id| id.to_string()),
                    version.map(|version| version.to_string()),
                ]
                .into_iter()
                .chain(layout.values(&row).map(|value| value.map(Cow::into_owned)))
                .collect()),
                Err((rejection, _)) => Err((rejection.line, rejection.fault)),
            });
        }
        outcomes
    }

    fn row(cells: &[&str]) -> Result<Vec<Option<String>>, (u64, Fault)> {
        Ok(cells.iter().map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned())).collect())
    }

    #[test]
    fn rows_have_an_agency_a_local_id_a_version_and_values() {
        let text = "agency,local_id,record_version,first_name\nwages,A-1,2026-01-31, Ann \n";
        assert_eq!(read(text, None), [row(&["wages", "A-1", "20260131", "Ann"])]);
        assert_eq!(read(text, Some("x")), [row(&["x", "A-1", "20260131", "Ann"])]);
        assert_eq!(read("first_name\nAnn\n", None), [row(&["college", "", "", "Ann"])]);
    }

    #[test]
    fn rows_that_cannot_be_sent_are_rejected() {
        let text = "agency,local_id,record_version,ssn,first_name\n\
                    a,,1,,Ann\na,x y,1,,Ann\na,123-45-6789,1,,Ann\na,A12,1,A-12,Ann\n\
                    a,A1,soon,,Ann\nBig State,A1,1,,Ann\na,A1,1,Ann\na,A1,1,,Ann\n";
        let faults: Vec<_> = read(text, None).into_iter().filter_map(Result::err).collect();
        assert_eq!(
            faults,
            [
                (2, Fault::LocalIdMissing),
                (3, Fault::LocalIdInvalid),
                (4, Fault::LocalIdLooksLikeSsn),
                (5, Fault::LocalIdLooksLikeSsn),
                (6, Fault::VersionInvalid),
                (7, Fault::AgencyInvalid),
                (8, Fault::CellCount { found: 4, expected: 5 }),
            ]
        );
    }

    #[test]
    fn a_file_is_of_the_agency_it_is_named_after() {
        for name in ["data/college.csv", "college.rejected.csv", "college.rejected.rejected.csv"] {
            assert_eq!(agency_of_name(Path::new(name)).unwrap().as_str(), "college");
        }
        assert!(agency_of_name(Path::new("Fall 2025.csv")).is_err());
    }
}

//! The rows of a filled-in file of tasks, as they stand in it.

use std::{
    fmt,
    io::{self, BufRead},
    path::Path,
};

use serde_json::Value;

use super::sheet::{FileFormat, TASKS, unmarked};
use crate::{
    catalogue::Code,
    failure::Failure,
    intake::{
        rejection::describe_fault,
        rows::{BadRow, Row, RowReader},
    },
};

/// The columns that are read; others are for the reader's eyes.
pub const READ: [&str; 8] =
    ["task", "etag", "verdict", "decision_reason", "until", "scope", "record", "blind"];
/// How many of them, from the front, every CSV file has.
const N_REQUIRED: usize = 3;

/// Where a row stands, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The line of a CSV file.
    Line(u64),
    /// The row of a JSON file.
    Row(u64),
}

/// What is wrong with a row. Holds no text of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The row.
    pub place: Place,
    /// The column; none where it is the row.
    pub column: Option<&'static str>,
    /// What to give.
    pub remedy: String,
}

/// A row as it stands in the file: the cells of [`READ`].
pub struct RawRow {
    /// Where it stands.
    pub place: Place,
    /// Its cells, or why it has none.
    pub cells: Result<[String; READ.len()], Fault>,
}

/// The rows of the file at `path`, whose content is `input`.
///
/// # Errors
/// [`Failure`] when the file cannot be read, is of another form or lacks a column.
pub fn raw_rows(
    path: &Path,
    input: impl BufRead + Send,
    form: FileFormat,
) -> Result<Vec<RawRow>, Failure> {
    match form {
        FileFormat::Csv => csv_rows(path, input),
        FileFormat::Json => json_rows(path, input),
    }
}

fn csv_rows(path: &Path, input: impl BufRead + Send) -> Result<Vec<RawRow>, Failure> {
    let mut reader = RowReader::new(path, input);
    let header = match reader.next(None)? {
        Some(Ok(header)) => header,
        _ => return Err(no_columns(path)),
    };
    let places = places(path, &header)?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next(Some(header.n_cells()))? {
        rows.push(match row {
            Ok(row) => RawRow {
                place: Place::Line(row.line),
                cells: Ok(places.map(|place| {
                    place.map(|place| unmarked(row.cell(place)).to_owned()).unwrap_or_default()
                })),
            },
            Err(BadRow { line, fault, .. }) => {
                let (place, remedy) = (Place::Line(line), describe_fault(&fault));
                RawRow { place, cells: Err(Fault { place, column: None, remedy }) }
            }
        });
    }
    Ok(rows)
}

/// The places of the columns of [`READ`] in a header.
fn places(path: &Path, header: &Row) -> Result<[Option<usize>; READ.len()], Failure> {
    let names: Vec<String> = header.cells().map(str::to_ascii_lowercase).collect();
    let places = READ.map(|column| names.iter().position(|name| name == column));
    if places[..N_REQUIRED].contains(&None) {
        return Err(no_columns(path));
    }
    for column in READ {
        if names.iter().filter(|name| *name == column).count() > 1 {
            let what = format!("{}, line 1: column \"{column}\" stands twice", path.display());
            return Err(Failure::new(Code::ColumnRepeated, what)
                .remedy("rename or remove one of the two columns"));
        }
    }
    Ok(places)
}

fn no_columns(path: &Path) -> Failure {
    let what =
        format!("{}, line 1: the columns task, etag and verdict are not all there", path.display());
    Failure::new(Code::HeaderMissing, what).remedy(
        "fill in a file that waymark review export wrote, and save it as CSV with commas and its \
         first line",
    )
}

fn json_rows(path: &Path, input: impl BufRead) -> Result<Vec<RawRow>, Failure> {
    let text = io::read_to_string(input).map_err(|error| Failure::reading(path, &error))?;
    let invalid = |what: &str| {
        Failure::new(Code::ReviewFileInvalid, format!("{}: {what}", path.display()))
            .remedy("fill in a file that waymark review export wrote")
    };
    let file: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| invalid(&format!("line {}: is no JSON", error.line())))?;
    let Some(rows) = file.get(TASKS).and_then(Value::as_array) else {
        return Err(invalid("has no array of tasks"));
    };
    let rows = rows.iter().zip(1..).map(|(row, number)| {
        let place = Place::Row(number);
        RawRow { place, cells: json_cells(place, row) }
    });
    Ok(rows.collect())
}

fn json_cells(place: Place, row: &Value) -> Result<[String; READ.len()], Fault> {
    if !row.is_object() {
        let remedy = "give an object, as it was exported".to_owned();
        return Err(Fault { place, column: None, remedy });
    }
    let mut cells = [const { String::new() }; READ.len()];
    for (cell, column) in cells.iter_mut().zip(READ) {
        *cell = match row.get(column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Bool(value)) => value.to_string(),
            Some(_) => {
                return Err(Fault {
                    place,
                    column: Some(column),
                    remedy: "give a text".to_owned(),
                });
            }
        };
    }
    Ok(cells)
}

impl Place {
    /// The number of the line or row.
    pub fn number(self) -> u64 {
        match self {
            Self::Line(number) | Self::Row(number) => number,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Row(number) => write!(f, "row {number}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, column, remedy } = self;
        match column {
            Some(column) => write!(f, "{place}, {column}: {remedy}"),
            None => write!(f, "{place}: {remedy}"),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The rows of a file that holds `text`.
    pub fn rows(text: &str, form: FileFormat) -> Result<Vec<RawRow>, Failure> {
        raw_rows(Path::new("x"), text.as_bytes(), form)
    }

    #[test]
    fn a_file_of_another_form_is_refused() {
        for (text, form, page) in [
            ("", FileFormat::Csv, "HEADER_MISSING"),
            ("task;etag;verdict\n", FileFormat::Csv, "HEADER_MISSING"),
            ("task,etag,verdict,verdict\n", FileFormat::Csv, "COLUMN_REPEATED"),
            ("task,etag", FileFormat::Json, "REVIEW_FILE_INVALID"),
            ("{\"tasks\": 1}", FileFormat::Json, "REVIEW_FILE_INVALID"),
        ] {
            let failure = rows(text, form).err().unwrap();
            assert_eq!(failure.page.as_deref(), Some(page), "{text}");
        }
    }
}

//! A filled-in file of tasks: read and checked as a whole before anything is decided.

use std::{collections::BTreeMap, fmt, fs, io::BufReader, path::Path};

use api::review::DecideTaskRequest;
use clap::ValueEnum;
use jiff::civil::Date;
use record::RecordKey;
use serde_json::Value;

use super::{
    judgment::{Answer, Judgment, Misfit, Reach, Reason},
    sheet::{FileFormat, TASKS, unmarked},
};
use crate::{
    catalogue::Code,
    failure::Failure,
    intake::{
        rejection::describe_fault,
        rows::{BadRow, Row, RowReader},
    },
};

/// The columns that a steward fills in.
pub const FILLED_IN: [&str; 5] = ["verdict", "decision_reason", "until", "scope", "record"];
/// The columns that are read; others are for the reader's eyes.
const READ: [&str; 8] =
    ["task", "etag", "verdict", "decision_reason", "until", "scope", "record", "blind"];
/// How many of them, from the front, every CSV file has.
const N_REQUIRED: usize = 3;
/// Faults that are told one by one.
const TOLD_MAX: usize = 20;

/// The columns and how they are filled in, for the help of the commands.
pub const HELP: &str = "\
Examples:
  waymark review export --out tasks.csv --reason band
  waymark review export --out tasks.json --agency college --blind
  waymark review import tasks.csv --dry-run
  waymark review import tasks.csv

A row is decided when its verdict is filled in; other rows are passed over:
  verdict          link, separate, defer or escalate
  decision_reason  why: 1 to 500 characters, without identity values
  until            defer: the day on which the task opens again, such as 2026-10-02
  scope            link and separate: pair (where it is empty) or record
  record           scope record: the record, as AGENCY/LOCAL_ID; where it is empty, that of the best
                   pair in the smaller group

In a CSV file an apostrophe stands before a text that a spreadsheet would take for a formula or a
number (it begins with = + - @, or is one); import takes it away again. Importing the same file
again decides nothing twice.";

/// What a file says.
#[derive(Debug)]
pub struct Verdicts {
    /// The rows with a verdict, in order.
    pub entries: Vec<Entry>,
    /// Number of the rows without one.
    pub n_passed_over: usize,
}

/// A row with a verdict.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands: the line of a CSV file, the row of a JSON file, from 1.
    pub place: Place,
    /// The task.
    pub task: String,
    /// Its etag as the steward saw it.
    pub etag: String,
    /// What the steward says.
    pub judgment: Judgment,
    /// Why.
    pub reason: Reason,
    /// Whether the score was hidden from the steward.
    pub blind: bool,
}

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
    place: Place,
    column: Option<&'static str>,
    remedy: String,
}

/// A row as it stands in the file: the cells of [`READ`].
struct RawRow {
    place: Place,
    cells: Result<[String; READ.len()], Fault>,
}

impl Entry {
    /// The request that decides the task, the same whenever the same file is sent.
    pub fn request(&self) -> DecideTaskRequest {
        let request_id = self.judgment.request_id(&self.task, &self.etag, &self.reason);
        self.judgment.request(&self.task, &self.etag, &self.reason, self.blind, request_id)
    }
}

/// Reads the file at `path`.
///
/// # Errors
/// [`Failure`] when the file cannot be read or is of another form; where rows are wrong, after each
/// is told on standard error.
pub fn read(path: &Path, form: FileFormat) -> Result<Verdicts, Failure> {
    let rows = match form {
        FileFormat::Csv => csv_rows(path)?,
        FileFormat::Json => json_rows(path)?,
    };
    understand(rows).map_err(|faults| {
        for fault in faults.iter().take(TOLD_MAX) {
            eprintln!("fault: {}, {fault}", path.display());
        }
        if faults.len() > TOLD_MAX {
            eprintln!("fault: further {}, not listed here", faults.len() - TOLD_MAX);
        }
        let what = format!(
            "{}: {} of its rows are wrong; nothing was decided",
            path.display(),
            faults.len()
        );
        Failure::new(Code::ReviewFileInvalid, what).remedy("correct them and import the file again")
    })
}

/// Takes every row, or says what is wrong with each.
fn understand(rows: Vec<RawRow>) -> Result<Verdicts, Vec<Fault>> {
    let mut verdicts = Verdicts { entries: Vec::new(), n_passed_over: 0 };
    let (mut faults, mut places) = (Vec::new(), BTreeMap::new());
    for row in rows {
        let place = row.place;
        match row.cells.and_then(|cells| entry(place, &cells)) {
            Ok(None) => verdicts.n_passed_over += 1,
            Ok(Some(entry)) => match places.insert(entry.task.clone(), place) {
                None => verdicts.entries.push(entry),
                Some(first) => {
                    let remedy = format!("keep one verdict of the task: {first} has another");
                    faults.push(Fault { place, column: Some("task"), remedy });
                }
            },
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(verdicts) } else { Err(faults) }
}

/// The row as a verdict; none where it has none.
fn entry(place: Place, cells: &[String; READ.len()]) -> Result<Option<Entry>, Fault> {
    let [task, etag, verdict, reason, until, scope, record, blind] = cells;
    if verdict.is_empty() {
        return Ok(None);
    }
    let fault =
        |column, remedy: &str| Fault { place, column: Some(column), remedy: remedy.to_owned() };
    for (column, cell) in [("task", task), ("etag", etag)] {
        if cell.is_empty() {
            return Err(fault(column, "put it back as it was exported"));
        }
    }
    let answer = Answer::from_str(verdict, true)
        .map_err(|_| fault("verdict", "give link, separate, defer or escalate"))?;
    let reason = reason.parse().map_err(|remedy: String| fault("decision_reason", &remedy))?;
    let until = optional(until, day).map_err(|remedy| fault("until", remedy))?;
    let reach = optional(scope, |scope| {
        Reach::from_str(scope, true).map_err(|_| "give pair or record, or leave it empty")
    });
    let reach = reach.map_err(|remedy| fault("scope", remedy))?;
    let record = optional(record, |record| {
        record.parse::<RecordKey>().map_err(|_| "name the record as AGENCY/LOCAL_ID")
    });
    let record = record.map_err(|remedy| fault("record", remedy))?;
    let blind = match blind.to_ascii_lowercase().as_str() {
        "" | "false" => false,
        "true" => true,
        _ => return Err(fault("blind", "put it back as it was exported: true or false")),
    };
    let judgment = Judgment::new(answer, until, reach, record)
        .map_err(|Misfit { field, remedy }| fault(field, remedy))?;
    let (task, etag) = (task.clone(), etag.clone());
    Ok(Some(Entry { place, task, etag, judgment, reason, blind }))
}

fn optional<T>(
    cell: &str,
    parse: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, &'static str> {
    if cell.is_empty() { Ok(None) } else { parse(cell).map(Some) }
}

/// A day of the years that the contract knows.
fn day(cell: &str) -> Result<Date, &'static str> {
    let remedy = "give a day such as 2026-10-02, in a column that the spreadsheet keeps as text";
    let day: Date = cell.parse().map_err(|_| remedy)?;
    if (1900..=2199).contains(&day.year()) { Ok(day) } else { Err(remedy) }
}

fn csv_rows(path: &Path) -> Result<Vec<RawRow>, Failure> {
    let file = fs::File::open(path).map_err(|error| Failure::reading(path, &error))?;
    let mut reader = RowReader::new(path, BufReader::new(file));
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

fn json_rows(path: &Path) -> Result<Vec<RawRow>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::reading(path, &error))?;
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
mod tests {
    use super::*;

    const HEADER: &str = "task,etag,note,verdict,decision_reason,until,scope,record\n";

    fn rows(text: &str, form: FileFormat) -> Result<Vec<RawRow>, Failure> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        fs::write(&path, text).unwrap();
        match form {
            FileFormat::Csv => csv_rows(&path),
            FileFormat::Json => json_rows(&path),
        }
    }

    fn faults(text: &str) -> Vec<String> {
        let rows = rows(&format!("{HEADER}{text}"), FileFormat::Csv).unwrap();
        let faults = understand(rows).err().unwrap_or_default();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn filled_in_rows_are_read_and_others_passed_over() {
        let text = "\
T1,e1,,LINK,card seen,,,
T2,e2,my own note,,,,,
T3,'=e3,,defer,asked,2026-10-02,,
T4,e4,,separate,\"cousins, twins\",,Record,college/A-1
T5,e5,,escalate,'tis odd,,,
";
        let rows = rows(&format!("{HEADER}{text}"), FileFormat::Csv).unwrap();
        let verdicts = understand(rows).unwrap();
        assert_eq!(verdicts.n_passed_over, 1);
        let said: Vec<_> = verdicts
            .entries
            .iter()
            .map(|it| (it.place.number(), it.task.as_str(), it.etag.as_str(), it.reason.as_str()))
            .collect();
        let expected = [
            (2, "T1", "e1", "card seen"),
            (4, "T3", "=e3", "asked"),
            (5, "T4", "e4", "cousins, twins"),
            (6, "T5", "e5", "'tis odd"),
        ];
        assert_eq!(said, expected);
        let judged = Judgment::new(
            Answer::Separate,
            None,
            Some(Reach::Record),
            Some("college/A-1".parse().unwrap()),
        );
        assert_eq!(verdicts.entries[2].judgment, judged.unwrap());
    }

    #[test]
    fn every_fault_is_named_by_line_and_column() {
        let long = "x".repeat(501);
        for (row, expected) in [
            ("T1,e1,,lnk,x,,,", "line 2, verdict: give link"),
            (",e1,,link,x,,,", "line 2, task: put it back"),
            ("T1,,,link,x,,,", "line 2, etag: put it back"),
            ("T1,e1,,link,,,,", "line 2, decision_reason: give a reason"),
            (&format!("T1,e1,,link,{long},,,"), "line 2, decision_reason: shorten"),
            ("T1,e1,,defer,x,,,", "line 2, until: give the day"),
            ("T1,e1,,defer,x,10/2/2026,,", "line 2, until: give a day such as"),
            ("T1,e1,,defer,x,0026-10-02,,", "line 2, until: give a day such as"),
            ("T1,e1,,link,x,2026-10-02,,", "line 2, until: leave it out"),
            ("T1,e1,,link,x,,all,", "line 2, scope: give pair or record"),
            ("T1,e1,,defer,x,2026-10-02,pair,", "line 2, scope: leave it out"),
            ("T1,e1,,link,x,,record,A-1", "line 2, record: name the record"),
            ("T1,e1,,link,x,,,college/A-1", "line 2, record: leave it out"),
            ("T1,e1,,link,x", "line 2: the row has 5 cells"),
            ("T1,e1,,link,x,,,\nT1,e1,,separate,x,,,", "line 3, task: keep one verdict"),
        ] {
            let faults = faults(row);
            assert_eq!(faults.len(), 1, "{row}: {faults:?}");
            assert!(faults[0].starts_with(expected), "{row}: {faults:?}");
        }
        assert_eq!(faults("T1,e1,,lnk,x,,,\nT2,e2,,link,,,,\nT3,e3,,link,x,,,").len(), 2);
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

    #[test]
    fn rows_of_json_are_named_by_number() {
        for (row, expected) in [
            ("{\"task\": \"T\", \"etag\": \"e\", \"verdict\": 1}", "row 1, verdict: give a text"),
            ("{\"task\": \"T\", \"verdict\": \"link\"}", "row 1, etag: put it back"),
            ("7", "row 1: give an object"),
        ] {
            let rows = rows(&format!("{{\"tasks\": [{row}]}}"), FileFormat::Json).unwrap();
            let faults = understand(rows).unwrap_err();
            assert!(faults[0].to_string().starts_with(expected), "{row}: {}", faults[0]);
        }
    }

    #[test]
    fn the_same_file_makes_the_same_requests() {
        let requests = |text: &str| -> Vec<_> {
            let rows = rows(&format!("{HEADER}{text}"), FileFormat::Csv).unwrap();
            understand(rows).unwrap().entries.iter().map(Entry::request).collect()
        };
        let one = requests("T1,e1,,link,seen,,,\nT2,e2,,link,seen,,,\n");
        assert_eq!(one, requests("T1,e1,,link,seen,,pair,\nT2,e2,note,Link,seen ,,,\n"));
        assert_ne!(one[0].request_id, one[1].request_id);
    }
}

//! A filled-in file of tasks: read and checked as a whole before anything is decided.

use std::{collections::BTreeMap, fs::File, io::BufReader, path::Path};

use api::review::DecideTaskRequest;
use clap::ValueEnum;
use jiff::civil::Date;
use record::RecordKey;

use super::{
    judgment::{Answer, Judgment, Misfit, Reach, Reason},
    rows::{Fault, Place, READ, RawRow, raw_rows},
    sheet::FileFormat,
};
use crate::{catalogue::Code, failure::Failure};

/// The columns that a steward fills in.
pub const FILLED_IN: [&str; 5] = ["verdict", "decision_reason", "until", "scope", "record"];
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
    let file = File::open(path).map_err(|error| Failure::reading(path, &error))?;
    understand(raw_rows(path, BufReader::new(file), form)?).map_err(|faults| {
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
///
/// # Errors
/// A [`Fault`] for each row that is wrong.
pub fn understand(rows: Vec<RawRow>) -> Result<Verdicts, Vec<Fault>> {
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

#[cfg(test)]
mod tests {
    use super::{
        super::{rows::tests::rows, sheet::FileFormat},
        *,
    };

    const HEADER: &str = "task,etag,note,verdict,decision_reason,until,scope,record\n";

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

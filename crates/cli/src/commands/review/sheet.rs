//! Tasks as a file to fill in: its columns, its two forms, and cells that a spreadsheet leaves alone.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::{
    catalogue::Code,
    exit::Exit,
    failure::Failure,
    output::{file::WholeFile, shown},
};

/// Names the form of a JSON file.
const SCHEMA: &str = "waymark.review.export/1";
/// The key of its rows.
pub const TASKS: &str = "tasks";
/// Before a text that a spreadsheet would take for a formula or a number.
const MARK: char = '\'';

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// A header row and a row per task
    Csv,
    /// An object with the rows under `tasks`
    Json,
}

/// In which form a file is.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// Form of the file; by default by its name, .csv or .json
    #[arg(long, value_enum, value_name = "FORM")]
    file_format: Option<FileFormat>,
}

/// A file of tasks in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// A cell per column.
    pub rows: Vec<Vec<Value>>,
}

impl FileArgs {
    /// The form of the file at `path`.
    ///
    /// # Errors
    /// [`Failure`] when neither the name nor an option says.
    pub fn form(&self, path: &Path) -> Result<FileFormat, Failure> {
        if let Some(form) = self.file_format {
            return Ok(form);
        }
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(FileFormat::Csv),
            Some("json") => Ok(FileFormat::Json),
            _ => {
                let what = format!("{}: the name does not say the form", path.display());
                Err(Failure::plain(Exit::Usage, what)
                    .remedy("end the name in .csv or .json, or give --file-format csv|json"))
            }
        }
    }
}

/// Refuses a file that exists: it may hold verdicts that were not sent yet.
///
/// # Errors
/// [`Failure`] when there is such a file.
pub fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if !fs::exists(path).map_err(|error| Failure::writing(path, &error))? {
        return Ok(());
    }
    let what = format!("{}: exists already and may hold verdicts", path.display());
    Err(Failure::new(Code::OutputExists, what).remedy("name another file, or remove this one"))
}

impl Sheet {
    /// Writes the file, which appears whole or not at all.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be written.
    pub fn write(&self, path: &Path, form: FileFormat) -> Result<(), Failure> {
        let mut file = WholeFile::create(path)?;
        let written = match form {
            FileFormat::Csv => self.write_csv(&mut file),
            FileFormat::Json => self.write_json(&mut file),
        };
        written.map_err(|error| file.failure(&error))?;
        file.finish()
    }

    fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(csv_cell))?;
        }
        writer.flush()
    }

    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let object = |cells: &Vec<Value>| {
            let pairs = self.columns.iter().cloned().zip(cells.iter().cloned());
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        let rows: Value = self.rows.iter().map(object).collect();
        serde_json::to_writer_pretty(&mut *out, &json!({ "schema": SCHEMA, TASKS: rows }))?;
        writeln!(out)
    }
}

/// A cell as it stands in a CSV file. Numbers stay numbers, negative ones too.
fn csv_cell(cell: &Value) -> String {
    match cell {
        Value::String(_) | Value::Array(_) => marked(shown(cell)),
        _ => shown(cell),
    }
}

/// A text that no spreadsheet takes for a formula or a number: an apostrophe stands before one that
/// it would. [`unmarked`] takes it away.
fn marked(text: String) -> String {
    if needs_mark(&text) { format!("{MARK}{text}") } else { text }
}

/// The text that [`marked`] was given. A text typed by hand stays as it is.
pub fn unmarked(cell: &str) -> &str {
    cell.strip_prefix(MARK).filter(|text| needs_mark(text)).unwrap_or(cell)
}

/// Whether a spreadsheet takes the text for a formula or a number, or would not if it were not for
/// a mark.
fn needs_mark(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
        || text.parse::<f64>().is_ok()
        || text.strip_prefix(MARK).is_some_and(needs_mark)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_text_becomes_a_formula_or_a_number_and_numbers_stay_numbers() {
        for (cell, expected) in [
            (json!("=1+1"), "'=1+1"),
            (json!("+1"), "'+1"),
            (json!("-college"), "'-college"),
            (json!("@A1"), "'@A1"),
            (json!("12e34567"), "'12e34567"),
            (json!("'=1"), "''=1"),
            (json!("'tis"), "'tis"),
            (json!("college/A-1"), "college/A-1"),
            (json!(["=a", "b"]), "'=a b"),
            (json!(-3.25), "-3.2500"),
            (json!(-3), "-3"),
            (Value::Null, ""),
        ] {
            assert_eq!(csv_cell(&cell), expected, "{cell}");
        }
    }

    #[test]
    fn the_name_says_the_form() {
        let form = |name: &str, file_format| FileArgs { file_format }.form(Path::new(name)).ok();
        assert_eq!(form("a.csv", None), Some(FileFormat::Csv));
        assert_eq!(form("a.JSON", None), Some(FileFormat::Json));
        assert_eq!(form("a.txt", None), None);
        assert_eq!(form("a.txt", Some(FileFormat::Json)), Some(FileFormat::Json));
    }

    proptest! {
        #[test]
        fn a_marked_text_is_read_back(text in "[='+\\-@1e a]{0,6}") {
            let cell = marked(text.clone());
            prop_assert_eq!(unmarked(&cell), text);
        }
    }
}

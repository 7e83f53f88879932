//! What commands print on standard output: sections of rows, as tables, JSON or CSV.

pub mod chart;
pub mod file;
pub mod page;
pub mod progress;

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Aligned columns, for people.
    #[default]
    Table,
    /// One JSON object, with its own version in `schema`.
    Json,
    /// A header row and a row per line; an empty line between sections.
    Csv,
}

/// Rows with the same columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    name: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
}

/// Everything that one command prints.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    schema: &'static str,
    sections: Vec<Section>,
}

/// A cell of text.
#[expect(clippy::needless_pass_by_value, reason = "a cell takes what is made for it")]
pub fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}

/// A cell of text that may be missing.
pub fn optional(value: Option<impl ToString>) -> Value {
    value.map_or(Value::Null, text)
}

impl Section {
    /// No rows yet.
    pub fn new(name: &'static str, columns: &[&'static str]) -> Self {
        Self { name, columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, a cell per column.
    pub fn row(&mut self, cells: Vec<Value>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    fn to_json(&self) -> Value {
        let object = |cells: &Vec<Value>| {
            let pairs = self.columns.iter().map(|column| (*column).to_owned());
            Value::Object(pairs.zip(cells.iter().cloned()).collect::<Map<_, _>>())
        };
        self.rows.iter().map(object).collect()
    }

    fn to_table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.columns.iter().map(|column| column.replace('_', " ")));
        for cells in &self.rows {
            table.add_row(cells.iter().map(shown));
        }
        for (place, column) in table.column_iter_mut().enumerate() {
            column.set_padding(if place == 0 { (0, 1) } else { (1, 1) });
            if self.rows.iter().any(|cells| cells[place].is_number()) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

impl Document {
    /// Nothing yet. `schema` names the form of the JSON and its version: `waymark.check/1`.
    pub fn new(schema: &'static str) -> Self {
        Self { schema, sections: Vec::new() }
    }

    /// Adds a section.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// Prints to standard output.
    ///
    /// # Errors
    /// [`Failure`] when standard output cannot be written.
    pub fn print(&self, format: Format) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        self.write(format, &mut out)
            .and_then(|()| out.flush())
            .map_err(|error| Failure::stdout(&error))
    }

    fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Json => {
                let mut object = Map::from_iter([("schema".to_owned(), json!(self.schema))]);
                for section in &self.sections {
                    object.insert(section.name.to_owned(), section.to_json());
                }
                serde_json::to_writer_pretty(&mut *out, &object)?;
                writeln!(out)
            }
            Format::Csv => self.separated(out, |section, out| {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(&section.columns)?;
                for cells in &section.rows {
                    writer.write_record(cells.iter().map(shown))?;
                }
                writer.flush()
            }),
            Format::Table => self.separated(out, |section, out| {
                for line in section.to_table().lines() {
                    writeln!(out, "{}", line.trim_end())?;
                }
                Ok(())
            }),
        }
    }

    fn separated(
        &self,
        out: &mut dyn Write,
        each: impl Fn(&Section, &mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        for (place, section) in self.sections.iter().enumerate() {
            if place > 0 {
                writeln!(out)?;
            }
            each(section, out)?;
        }
        Ok(())
    }
}

/// A cell as text. Control characters are left out: cells may come from other people.
pub fn shown(cell: &Value) -> String {
    let text = match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            let is_small = number != 0.0 && number.abs() < 0.001;
            if is_small { format!("{number:.2e}") } else { format!("{number:.4}") }
        }
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let mut counts = Section::new("counts", &["field", "does_not_fit"]);
        counts.row(vec![text("sex"), json!(12)]);
        counts.row(vec![text("zip, +4\u{1b}"), json!(0.5)]);
        let mut empty = Section::new("notes", &["note"]);
        empty.row(vec![Value::Null]);
        Document::new("waymark.test/1").section(counts).section(empty)
    }

    fn written(format: Format) -> String {
        let mut out = Vec::new();
        document().write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_is_aligned_and_plain() {
        let expected = "\
field    does not fit
sex                12
zip, +4        0.5000

note

";
        assert_eq!(written(Format::Table), expected);
    }

    #[test]
    fn json_names_its_form() {
        let value: Value = serde_json::from_str(&written(Format::Json)).unwrap();
        assert_eq!(value["schema"], "waymark.test/1");
        assert_eq!(value["counts"][0], json!({"field": "sex", "does_not_fit": 12}));
        assert_eq!(value["notes"][0]["note"], Value::Null);
    }

    #[test]
    fn csv_quotes_what_needs_quotes() {
        let expected = "field,does_not_fit\nsex,12\n\"zip, +4\",0.5000\n\nnote\n\"\"\n";
        assert_eq!(written(Format::Csv), expected);
    }
}

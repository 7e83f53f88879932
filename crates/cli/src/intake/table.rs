//! Tables of events or of statements: the header is understood first, then row by row.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use pathways::csv_event::{Columns, RowError};

use super::{
    header::{check_known, check_repeats, no_header, without_rejection},
    rejection::{Fault, REJECTION_COLUMN},
    rows::{BadRow, RowReader},
};
use crate::{catalogue::Code, failure::Failure};

/// What a table is of.
pub struct Form {
    /// The columns it may have.
    pub names: &'static [&'static str],
    /// Understands a header.
    pub columns: fn(&[&str]) -> Result<Columns, RowError>,
    /// The error of a header that is not one.
    pub code: Code,
    /// Where its columns are described.
    pub help: &'static str,
}

/// What stands at one row of a table: what it says or what is wrong with it, its text and its line.
pub struct Item<T> {
    /// Line of the row, from 1.
    pub line: u64,
    /// The row as written.
    pub raw: String,
    /// What the row says, or what is wrong with it.
    pub content: Result<T, Fault>,
}

/// A table, open and with its header understood.
pub struct Table<'a> {
    rows: RowReader<'a>,
    columns: Columns,
    width: usize,
    line: String,
    has_rejections: bool,
}

impl<'a> Table<'a> {
    /// Opens `path`.
    ///
    /// # Errors
    /// [`Failure`] when the file or its header is not usable.
    pub fn open(path: &'a Path, form: &Form) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| Failure::reading(path, &error))?;
        Self::of(path, BufReader::with_capacity(1 << 18, file), form)
    }

    /// As [`Table::open`], with `input` as what stands at `path`.
    ///
    /// # Errors
    /// [`Failure`] when the input or its header is not usable.
    pub fn of(
        path: &'a Path,
        input: impl BufRead + Send + 'a,
        form: &Form,
    ) -> Result<Self, Failure> {
        let mut rows = RowReader::new(path, input);
        let at = format!("{}, line 1", path.display());
        let Some(Ok(row)) = rows.next(None)? else {
            let what = format!("{at}: there is no header row");
            return Err(Failure::new(Code::HeaderMissing, what)
                .remedy("put the column names in the first line"));
        };
        let names: Vec<&str> = row.cells().collect();
        let has_rejections = names.first() == Some(&REJECTION_COLUMN);
        // Columns are named in small letters, and read in any.
        let own = names[usize::from(has_rejections)..].iter().map(|it| it.to_ascii_lowercase());
        let own: Vec<String> = own.collect();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        if !own.iter().any(|name| form.names.contains(name)) {
            return Err(no_header(&at, &row, form.help));
        }
        check_repeats(&at, &own)?;
        let otherwise = format!("take it out; {}", form.help);
        check_known(&at, &own, form.names, &otherwise)?;
        let columns = (form.columns)(&own)
            .map_err(|error| Failure::new(form.code, format!("{at}: {error}")).remedy(form.help))?;
        let (width, line) = (names.len(), without_rejection(&row.raw, has_rejections).to_owned());
        Ok(Self { rows, columns, width, line, has_rejections })
    }

    /// The header line, without a leading column of rejections.
    pub fn header_line(&self) -> &str {
        &self.line
    }

    /// The next row as `understand` takes its cells; `None` at the end of the file.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read or is not UTF-8.
    pub fn next<T>(
        &mut self,
        understand: impl FnOnce(&Columns, &[&str]) -> Result<T, Fault>,
    ) -> Result<Option<Item<T>>, Failure> {
        let Some(row) = self.rows.next(Some(self.width))? else { return Ok(None) };
        let (line, raw, content) = match row {
            Ok(row) => {
                let cells: Vec<&str> = row.cells().skip(usize::from(self.has_rejections)).collect();
                (row.line, row.raw.clone(), understand(&self.columns, &cells))
            }
            Err(BadRow { line, raw, fault }) => (line, raw, Err(fault)),
        };
        let raw = without_rejection(&raw, self.has_rejections).to_owned();
        Ok(Some(Item { line, raw, content }))
    }
}

/// The fault of a cell: the error's text names the column and says what to give.
pub fn misfit(error: &RowError, code: Code) -> Fault {
    let text = error.to_string();
    let (column, remedy) = text.split_once(": ").unwrap_or(("kind", &text));
    let what = format!("does not fit: {remedy}");
    Fault::CellInvalid { column: column.to_owned(), what, code }
}

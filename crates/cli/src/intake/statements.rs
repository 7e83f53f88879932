//! Statement rows: a row of a statements file becomes a [`pathways::Statement`].

use std::{io::BufRead, path::Path};

use jiff::civil::Date;
use pathways::{Columns, STATEMENT_COLUMNS, Statement, statement_from_row};
use record::AgencyId;

use super::table::{Form, Item, Table, misfit};
use crate::{catalogue::Code, failure::Failure};

/// The kinds of statements and their columns, for the help of the command that reads them.
pub const HELP: &str = "\
The file is CSV in UTF-8 with a header row. Every row needs kind, which says which other columns it
uses; those in brackets are optional:
  complete_through   start
  wages_loaded       quarter final
  employer           employer quarter [naics] [successor_of]
complete_through: everything up to the day in start has been reported. wages_loaded: the wages of
the quarter (2024Q2) are loaded, all of this agency's where final is yes. employer: the account in
employer had the industry code naics (CEDS 001064) in that quarter, and goes on from the account in
successor_of.

What is stated last counts, of the days as of each quarter and account, in the order of the rows.
So an error is taken back: by an earlier day (leaves that were confirmed by then stand), by final =
no, by another naics, or by the account itself in successor_of, which then goes on from none; a cell
left empty keeps what was stated before. The service counts a statement as received on the day it
gets it; a column received_on is read for checks only.";

/// The form of a statements file.
const FORM: Form = Form {
    names: &STATEMENT_COLUMNS,
    columns: |header| Columns::of_statements(header.iter().copied()),
    code: Code::StatementInvalid,
    help: "see waymark statements submit --help for the columns",
};

/// A statements file, open and with its header understood.
pub struct StatementFile<'a> {
    table: Table<'a>,
    source: AgencyId,
    received_on: Date,
}

impl<'a> StatementFile<'a> {
    /// Opens `path`, which holds what `source` states.
    ///
    /// # Errors
    /// [`Failure`] when the file or its header is not usable.
    pub fn open(path: &'a Path, source: &AgencyId, received_on: Date) -> Result<Self, Failure> {
        Ok(Self { table: Table::open(path, &FORM)?, source: source.clone(), received_on })
    }

    /// As [`StatementFile::open`], with `input` as what stands at `path`.
    ///
    /// # Errors
    /// [`Failure`] when the input or its header is not usable.
    pub fn of(
        path: &'a Path,
        input: impl BufRead + Send + 'a,
        source: &AgencyId,
        received_on: Date,
    ) -> Result<Self, Failure> {
        Ok(Self { table: Table::of(path, input, &FORM)?, source: source.clone(), received_on })
    }

    /// The header line, without a leading column of rejections.
    pub fn header_line(&self) -> &str {
        self.table.header_line()
    }

    /// The next row; `None` at the end of the file.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read or is not UTF-8.
    pub fn next_row(&mut self) -> Result<Option<Item<Statement>>, Failure> {
        let (source, received_on) = (&self.source, self.received_on);
        self.table.next(|columns, cells| {
            statement_from_row(source, columns, cells, received_on)
                .map_err(|error| misfit(&error, Code::StatementInvalid))
        })
    }
}

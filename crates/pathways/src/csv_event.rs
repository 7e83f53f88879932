//! Events as rows of a table, the form in which agencies write them by hand.
//!
//! Every kind uses some of the columns, and the others stay empty: [`FORMS`] says which. A one-day
//! event has its day in `start`. Dates are ISO dates, an end is the last day itself, tags are
//! separated by `;`.

use jiff::civil::Date;
use record::AgencyId;

use crate::event::{Event, EventError};

mod cells;
mod form;
mod read;
mod write;

pub(crate) use cells::{Cells, refuse};
pub use form::{COMMON, Cell, FORMS, Form};
pub use write::{event_to_row, kind};

/// The columns, in the order in which they are written.
pub const EVENT_COLUMNS: [&str; 31] = [
    "local_id",
    "event_id",
    "supersedes",
    "kind",
    "code",
    "code_system",
    "course",
    "term",
    "start",
    "end",
    "recorded_on",
    "hours",
    "credits",
    "award_level",
    "program",
    "occupation",
    "occupation_system",
    "institution",
    "pathway",
    "subject",
    "level",
    "outcome",
    "reason",
    "number",
    "amount",
    "employer",
    "naics",
    "name",
    "value",
    "purpose_tags",
    "received_on",
];

const KINDS: &str = "give one of enrollment, drop, withdrawal, grade, developmental, transfer_out, \
                     enrollment_elsewhere, id_change, class_hours, educational_level, service, \
                     training, exit, completion, assistance_exit, planned_gap, exclusion, \
                     pathway_flag, credential, revocation, wages, attribute, void";

/// Why a header or a row is refused. Never repeats what a cell holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A column of the header is unknown, or stands twice.
    #[error("column {column}: take it out, or name it one of {}", names.join(", "))]
    Column {
        /// Its place, from 1.
        column: usize,
        /// The columns of the table.
        names: &'static [&'static str],
    },
    /// A column that every file needs is missing from the header.
    #[error("header: add the column {0}")]
    MissingColumn(&'static str),
    /// The row has another number of cells than the header.
    #[error("row: give as many cells as the header has")]
    Length,
    /// A cell does not fit.
    #[error("{field}: {remedy}")]
    Field {
        /// Its column.
        field: &'static str,
        /// What to give.
        remedy: &'static str,
    },
    /// The cells do not make an event together.
    #[error(transparent)]
    Event(#[from] EventError),
}

/// Where the columns stand in a file of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    names: &'static [&'static str],
    places: Vec<Option<usize>>,
    width: usize,
}

impl Columns {
    /// Reads the header of a table of events. Columns may stand in any order; those that no row
    /// uses may be left out.
    ///
    /// # Errors
    /// [`RowError`] names the first column that is unknown, repeated or missing.
    pub fn of_events<'h>(header: impl IntoIterator<Item = &'h str>) -> Result<Self, RowError> {
        Self::read(header, &EVENT_COLUMNS, &["local_id", "event_id", "kind"])
    }

    pub(crate) fn read<'h>(
        header: impl IntoIterator<Item = &'h str>,
        names: &'static [&'static str],
        needed: &[&'static str],
    ) -> Result<Self, RowError> {
        let mut columns = Self { names, places: vec![None; names.len()], width: 0 };
        for (place, name) in header.into_iter().enumerate() {
            let name = name.trim().trim_start_matches('\u{feff}');
            let known = names.iter().position(|it| it.eq_ignore_ascii_case(name));
            match known.map(|known| &mut columns.places[known]) {
                Some(unset @ None) => *unset = Some(place),
                _ => return Err(RowError::Column { column: place + 1, names }),
            }
            columns.width = place + 1;
        }
        match needed.iter().find(|it| columns.place(it).is_none()) {
            Some(missing) => Err(RowError::MissingColumn(missing)),
            None => Ok(columns),
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|it| *it == name).and_then(|column| self.places[column])
    }
}

/// Reads one row of an events file of `source`. `received_on` stands in where the row names no
/// day of its own.
///
/// # Errors
/// [`RowError`] names the column and what to give.
pub fn event_from_row(
    source: &AgencyId,
    columns: &Columns,
    row: &[&str],
    received_on: Date,
) -> Result<Event, RowError> {
    let mut cells = Cells::new(columns, row)?;
    let local_id = cells.required("local_id", "give the agency's own handle of the person")?;
    let remedy = "give 1 to 64 visible characters without '/'";
    let local_id = local_id.parse().map_err(|_| refuse("local_id", remedy))?;
    let source_event_id = cells.required("event_id", "give an id that no other event has")?.into();
    let supersedes = cells.optional_text("supersedes");
    let kind = cells.required("kind", KINDS)?;
    let received_on = cells.date("received_on")?.unwrap_or(received_on);
    let tags = cells.optional("purpose_tags").unwrap_or_default();
    let tags = tags.split(';').map(str::trim).filter(|tag| !tag.is_empty());
    let purpose_tags = tags.map(str::to_owned).collect();
    let detail = read::detail(kind, &mut cells)?;
    cells.nothing_left()?;
    let source = source.clone();
    let event =
        Event { source, local_id, source_event_id, received_on, supersedes, purpose_tags, detail };
    event.check()?;
    Ok(event)
}

#[cfg(test)]
mod tests;

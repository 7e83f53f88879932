//! Event rows: a row of an events file becomes a [`pathways::Event`].

use std::{fs::File, io::BufReader, path::Path};

use jiff::civil::Date;
use pathways::csv_event::{Columns, EVENT_COLUMNS, FORMS, RowError, event_from_row};
use pathways::{Event, EventDetail, EventError};
use record::{AgencyId, LocalId};

use super::{
    header::{check_known, check_repeats, no_header, without_rejection},
    rejection::{Fault, REJECTION_COLUMN},
    rows::{BadRow, Row, RowReader},
};
use crate::{catalogue::Code, failure::Failure};

/// The kinds of events and their columns, for the help of the commands that read events files.
pub fn help() -> String {
    let mut text = String::from(
        "The file is CSV in UTF-8 with a header row. Every row needs local_id, event_id (your own \
         id of the\nevent) and kind; the kind says which other columns it uses, those in brackets \
         are optional:\n",
    );
    for form in &FORMS {
        let mut line = format!("  {:<21}", form.kind);
        for cell in form.cells {
            let name = if cell.required { cell.column } else { &format!("[{}]", cell.column) };
            if line.len() + name.len() > 98 {
                text.push_str(line.trim_end());
                line = format!("\n{:23}", "");
            }
            line.push_str(&format!("{name} "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(
        "`waymark events columns KIND` says what each of them holds. An enrollment names a course \
         or a\nprogram (code with code_system), a training a program or an occupation. Dates are \
         2026-01-31; a\none-day event has its day in start, an end is the last day itself. \
         supersedes names the event\nthat a row corrects; purpose_tags lists tags separated by \
         semicolons. The service counts an\nevent as received on the day it gets it; a column \
         received_on is read for checks only.",
    );
    text
}

/// What stands at one row of an events file: an event or a rejected row, its text, and its line.
pub struct EventItem {
    /// Line of the row, from 1.
    pub line: u64,
    /// The row as written.
    pub raw: String,
    /// The event, or what is wrong with the row.
    pub event: Result<Event, Fault>,
}

/// An events file, open and with its header understood.
pub struct EventFile<'a> {
    rows: RowReader<'a>,
    columns: Columns,
    width: usize,
    line: String,
    has_rejections: bool,
    source: AgencyId,
    received_on: Date,
}

impl<'a> EventFile<'a> {
    /// Opens `path`, whose events `source` reports.
    ///
    /// # Errors
    /// [`Failure`] when the file or its header is not usable.
    pub fn open(path: &'a Path, source: &AgencyId, received_on: Date) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| Failure::reading(path, &error))?;
        let mut rows = RowReader::new(path, BufReader::with_capacity(1 << 18, file));
        let at = format!("{}, line 1", path.display());
        let Some(Ok(row)) = rows.next(None)? else {
            let what = format!("{at}: there is no header row");
            return Err(Failure::new(Code::HeaderMissing, what)
                .remedy("put the column names in the first line"));
        };
        let names: Vec<&str> = row.cells().collect();
        let has_rejections = names.first() == Some(&REJECTION_COLUMN);
        let own = &names[usize::from(has_rejections)..];
        if !own.iter().any(|name| EVENT_COLUMNS.contains(name)) {
            return Err(no_header(&at, &row));
        }
        let help = "see waymark events submit --help for the columns";
        check_repeats(&at, own)?;
        check_known(&at, own, &EVENT_COLUMNS).map_err(|failure| failure.remedy(help))?;
        let columns = Columns::of_events(own.iter().copied()).map_err(|error| {
            Failure::new(Code::EventInvalid, format!("{at}: {error}")).remedy(help)
        })?;
        let (width, line) = (names.len(), without_rejection(&row.raw, has_rejections).to_owned());
        Ok(Self { rows, columns, width, line, has_rejections, source: source.clone(), received_on })
    }

    /// The header line, without a leading column of rejections.
    pub fn header_line(&self) -> &str {
        &self.line
    }

    /// The next row; `None` at the end of the file.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read or is not UTF-8.
    pub fn next(&mut self) -> Result<Option<EventItem>, Failure> {
        let Some(row) = self.rows.next(Some(self.width))? else { return Ok(None) };
        let (line, raw, event) = match row {
            Ok(row) => (row.line, row.raw.clone(), self.understand(&row)),
            Err(BadRow { line, raw, fault }) => (line, raw, Err(fault)),
        };
        let raw = without_rejection(&raw, self.has_rejections).to_owned();
        Ok(Some(EventItem { line, raw, event }))
    }

    fn understand(&self, row: &Row) -> Result<Event, Fault> {
        let cells: Vec<&str> = row.cells().skip(usize::from(self.has_rejections)).collect();
        let event = event_from_row(&self.source, &self.columns, &cells, self.received_on)
            .map_err(|error| misfit(&error))?;
        let former = match &event.detail {
            EventDetail::IdChange { former_local_id, .. } => Some(former_local_id),
            _ => None,
        };
        if former.into_iter().chain([&event.local_id]).any(LocalId::looks_like_ssn) {
            return Err(Fault::LocalIdLooksLikeSsn);
        }
        Ok(event)
    }
}

/// The error's text names the column and says what to give.
fn misfit(error: &RowError) -> Fault {
    if matches!(error, RowError::Event(EventError::Id("local_id"))) {
        return Fault::LocalIdInvalid;
    }
    let text = error.to_string();
    let (column, remedy) = text.split_once(": ").unwrap_or(("kind", &text));
    Fault::EventCellInvalid(column.to_owned(), format!("does not fit: {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<EventDetail, String>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let agency = "college".parse().unwrap();
        let day = "2026-01-31".parse().unwrap();
        let mut events = EventFile::open(file.path(), &agency, day).unwrap();
        let mut details = Vec::new();
        while let Some(item) = events.next().unwrap() {
            details.push(item.event.map(|event| event.detail).map_err(|fault| {
                format!("{}: {} {fault}", item.line, fault.column().unwrap_or_default())
            }));
        }
        details
    }

    #[test]
    fn rows_are_events_of_the_agency() {
        let details = read(
            "local_id,event_id,kind,course,start,hours\n\
             A-1,e1,drop,NUR101,2026-01-20,\n\
             A-1,e2,class_hours,ESL1,2026-01-20,1.25\n",
        );
        let day = "2026-01-20".parse().unwrap();
        let course = "NUR101".to_owned();
        assert_eq!(details[0], Ok(EventDetail::Drop { course, term: None, on: day }));
        let class = "ESL1".to_owned();
        let hours =
            EventDetail::ClassHours { class, program: None, on: day, hours_hundredths: 125 };
        assert_eq!(details[1], Ok(hours));
    }

    #[test]
    fn a_column_of_rejections_is_read_over() {
        let details = read(
            "rejection,local_id,event_id,kind,course,start\n\
             start: give a day,A-1,e1,drop,NUR101,2026-01-20\n",
        );
        assert!(details[0].is_ok(), "{details:?}");
    }

    #[test]
    fn rows_that_are_no_events_say_which_column_and_what_to_give() {
        let text = "local_id,event_id,kind,start,end,course,hours\n\
                    A-1,e1,party,,,,\n\
                    A-1,e2,drop,2026-02-30,,X,\n\
                    A-1,e3,drop,2026-02-03,,,\n\
                    A-1,,drop,2026-02-03,,X,\n\
                    A-1,e5,enrollment,2026-02-03,2026-02-02,X,\n\
                    A-1,e6,class_hours,2026-02-03,,X,25\n\
                    123456789,e8,drop,2026-02-03,,X,\n";
        let faults: Vec<String> = read(text).into_iter().filter_map(Result::err).collect();
        for (fault, part) in faults.iter().zip([
            "2: kind",
            "3: start",
            "4: course",
            "5: event_id",
            "6: end",
            "7: hours",
            "8: local_id is or looks like a social security number",
        ]) {
            assert!(fault.starts_with(part), "{fault}");
        }
        assert_eq!(faults.len(), 7);
    }
}

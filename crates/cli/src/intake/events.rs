//! Event rows: a row of an events file becomes a [`pathways::Event`].

use std::{io::BufRead, path::Path};

use jiff::civil::Date;
use pathways::csv_event::{Columns, EVENT_COLUMNS, FORMS, RowError, event_from_row};
use pathways::{Event, EventDetail, EventError};
use record::{AgencyId, LocalId};

use super::{
    rejection::Fault,
    table::{Form, Item, Table, misfit},
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

/// The form of an events file.
const FORM: Form = Form {
    names: &EVENT_COLUMNS,
    columns: |header| Columns::of_events(header.iter().copied()),
    code: Code::EventInvalid,
    help: "see waymark events submit --help for the columns",
};

/// An events file, open and with its header understood.
pub struct EventFile<'a> {
    table: Table<'a>,
    source: AgencyId,
    received_on: Date,
}

impl<'a> EventFile<'a> {
    /// Opens `path`, whose events `source` reports.
    ///
    /// # Errors
    /// [`Failure`] when the file or its header is not usable.
    pub fn open(path: &'a Path, source: &AgencyId, received_on: Date) -> Result<Self, Failure> {
        Ok(Self { table: Table::open(path, &FORM)?, source: source.clone(), received_on })
    }

    /// As [`EventFile::open`], with `input` as what stands at `path`.
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
    pub fn next_row(&mut self) -> Result<Option<Item<Event>>, Failure> {
        let (source, received_on) = (&self.source, self.received_on);
        self.table.next(|columns, cells| understand(source, columns, cells, received_on))
    }
}

fn understand(
    source: &AgencyId,
    columns: &Columns,
    cells: &[&str],
    received_on: Date,
) -> Result<Event, Fault> {
    let event =
        event_from_row(source, columns, cells, received_on).map_err(|error| match error {
            RowError::Event(EventError::Id("local_id")) => Fault::LocalIdInvalid,
            error => misfit(&error, Code::EventInvalid),
        })?;
    let former = match &event.detail {
        EventDetail::IdChange { former_local_id, .. } => Some(former_local_id),
        _ => None,
    };
    if former.into_iter().chain([&event.local_id]).any(LocalId::looks_like_ssn) {
        return Err(Fault::LocalIdLooksLikeSsn);
    }
    Ok(event)
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
        while let Some(item) = events.next_row().unwrap() {
            details.push(item.content.map(|event| event.detail).map_err(|fault| {
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

    fn refused(text: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let agency = "college".parse().unwrap();
        let day = "2026-01-31".parse().unwrap();
        let refused = EventFile::open(file.path(), &agency, day).err().unwrap();
        format!("{}; {}", refused.what, refused.remedy.unwrap())
    }

    #[test]
    fn a_header_that_is_none_is_told_with_the_nearest_column() {
        for (text, parts) in [
            (&b""[..], ["there is no header row", "put the column names in the first line"]),
            (b"A-1,e1,drop\n", ["no recognised column", "see waymark events submit --help"]),
            (b"local_id;event_id;kind\n", ["no recognised column", "with commas"]),
            (b"local_id,event_id,knid\n", ["unknown column \"knid\"", "did you mean kind"]),
            (b"student_id,event_id,kind\n", ["\"student_id\"", "did you mean local_id"]),
            (b"local_id,event_id,kind,xyzzy\n", ["\"xyzzy\"", "take it out; see waymark events"]),
            (b"local_id,event_id,kind,kind\n", ["\"kind\" stands twice", "rename or remove"]),
            (b"local_id,kind,start\n", ["add the column event_id", "see waymark events submit"]),
        ] {
            let told = refused(text);
            assert!(parts.iter().all(|part| told.contains(part)), "{told}");
        }
    }

    #[test]
    fn a_byte_order_mark_line_ends_of_windows_and_capitals_change_nothing() {
        let plain = "local_id,event_id,kind,course,start\nA-1,e1,drop,NUR101,2026-01-20\n";
        let other = plain.replacen("local_id", "\u{feff}Local_ID", 1).replace('\n', "\r\n");
        assert_eq!(read(&other), read(plain));
        assert!(read(plain)[0].is_ok());
    }

    #[test]
    fn what_no_registry_is_needed_for_is_told_by_row_and_column() {
        let text = "local_id,event_id,kind,code,code_system,start,end,amount,employer,term\n\
                    A-1,e1,enrollment,51.0801,cip2020,9/1/2026,2026-09-30,,,\n\
                    A-1,e2,enrollment,51.08,cip2020,2026-01-12,2026-05-08,,,\n\
                    A-1,e3,enrollment,51.0801,cip1990,2026-01-12,2026-05-08,,,\n\
                    A-1,e4,wages,,,,,999999.99,E1,2026Q1\n\
                    A-1,e5,wages,,,,,1000,E1,2026-1\n\
                    A-1,e6,void,,,2026-01-12,,,,\n\
                    A-1,e7,enrollment,51.0801,cip2020,2026-01-12,2026-05-08\n\
                    A-1,e8,enrollment,51.0801,cip2020,2026-01-12,2026-05-08,,,\n";
        let rows = read(text);
        for (row, part) in rows.iter().zip([
            "2: start does not fit: give a date such as 2024-08-19",
            "3: code does not fit: give a CIP code of six digits",
            "4: code_system does not fit: give cip2010",
            "5: amount does not fit: 999999.99 says that it is not yet known: leave the row out",
            "6: term does not fit: give the quarter, such as 2024Q2",
            "7: value does not fit: fill it in",
            "8:  has 7 cells where the header has 10",
        ]) {
            assert!(row.as_ref().is_err_and(|fault| fault.starts_with(part)), "{row:?}");
        }
        assert!(rows[7].is_ok(), "{rows:?}");
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

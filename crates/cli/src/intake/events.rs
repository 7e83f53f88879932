//! Event rows: a row of an events file becomes a [`pathways::Event`].

use std::path::Path;

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

    /// The header line, without a leading column of rejections.
    pub fn header_line(&self) -> &str {
        self.table.header_line()
    }

    /// The next row; `None` at the end of the file.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be read or is not UTF-8.
    pub fn next(&mut self) -> Result<Option<Item<Event>>, Failure> {
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
        while let Some(item) = events.next().unwrap() {
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

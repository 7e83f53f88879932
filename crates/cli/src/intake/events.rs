//! Event rows: a row of an events file becomes a [`pathways::Event`].

use std::{fs::File, io::BufReader, path::Path, str::FromStr};

use encoding::looks_like_ssn;
use jiff::civil::Date;
use pathways::{CredentialKind, Event, EventDetail, EventError, ProgramCode, Quarter};
use record::{AgencyId, LocalId};

use super::{
    header::{check_known, check_repeats, no_header, without_rejection},
    rejection::{Fault, REJECTION_COLUMN},
    rows::{BadRow, Row, RowReader},
};
use crate::{catalogue::Code, failure::Failure};

/// The columns of an events file.
pub const COLUMNS: [&str; 24] = [
    "local_id",
    "event_id",
    "type",
    "on",
    "start",
    "end",
    "program",
    "code_system",
    "code",
    "course",
    "term",
    "credits",
    "hours",
    "kind",
    "quarter",
    "employer",
    "naics",
    "amount",
    "name",
    "value",
    "recorded_on",
    "purpose_tags",
    "agency",
    REJECTION_COLUMN,
];

/// The types of events and their columns, for the help of the commands that read events files.
pub const HELP: &str = "\
The file is CSV in UTF-8 with a header row. Every row needs local_id, event_id (your own id of the
event) and type; the type says which other columns it needs, those in brackets are optional:
  enrollment   start, end, code and code_system (cip2010, cip2020, local) or course, [term],
               [credits]
  drop         course, on, [term]                     left before the census day
  withdrawal   on, [course], [term]                   left after it; on: last day attended
  class_hours  course, on, hours
  service      code, program, start, end
  exit         program, on
  planned_gap  start, end, recorded_on
  credential   kind, code, on
  revocation   value (event_id of the credential), on
  wages        quarter (2026Q1), employer, amount, [naics]
  attribute    name, value, on
  void         value (event_id of what never happened)
Dates are 2026-01-31, the end is the last day itself. credits, hours and amount are decimal numbers.
purpose_tags, where the file has it, lists tags separated by spaces.";

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
    columns: Vec<String>,
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
        let columns: Vec<String> = row.cells().map(str::to_owned).collect();
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        if !names.iter().any(|name| COLUMNS.contains(name)) {
            return Err(no_header(&at, &row));
        }
        check_repeats(&at, &names)?;
        check_known(&at, &names, &COLUMNS).map_err(|failure| {
            failure.remedy("see waymark events submit --help for the columns")
        })?;
        if let Some(missing) = COLUMNS[..3].iter().find(|column| !names.contains(column)) {
            let what = format!("{at}: there is no column {missing}");
            return Err(Failure::new(Code::EventInvalid, what)
                .remedy("see waymark events submit --help for the columns"));
        }
        let has_rejections = columns[0] == REJECTION_COLUMN;
        let line = without_rejection(&row.raw, has_rejections).to_owned();
        Ok(Self { rows, columns, line, has_rejections, source: source.clone(), received_on })
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
        let Some(row) = self.rows.next(Some(self.columns.len()))? else { return Ok(None) };
        let (line, raw, event) = match row {
            Ok(row) => (row.line, row.raw.clone(), self.understand(&row)),
            Err(BadRow { line, raw, fault }) => (line, raw, Err(fault)),
        };
        let raw = without_rejection(&raw, self.has_rejections).to_owned();
        Ok(Some(EventItem { line, raw, event }))
    }

    fn understand(&self, row: &Row) -> Result<Event, Fault> {
        let cells = Cells { columns: &self.columns, row };
        let local_id = cells.need("local_id")?;
        if looks_like_ssn(local_id) {
            return Err(Fault::LocalIdLooksLikeSsn);
        }
        let event = Event {
            source: self.source.clone(),
            local_id: LocalId::from_str(local_id).map_err(|_| Fault::LocalIdInvalid)?,
            source_event_id: cells.need("event_id")?.to_owned(),
            received_on: self.received_on,
            purpose_tags: cells
                .get("purpose_tags")
                .into_iter()
                .flat_map(str::split_whitespace)
                .map(str::to_owned)
                .collect(),
            detail: detail(&cells)?,
        };
        event.check().map_err(misfit)?;
        Ok(event)
    }
}

struct Cells<'a> {
    columns: &'a [String],
    row: &'a Row,
}

impl<'a> Cells<'a> {
    fn get(&self, column: &str) -> Option<&'a str> {
        let place = self.columns.iter().position(|name| name == column)?;
        Some(self.row.cell(place)).filter(|cell| !cell.is_empty())
    }

    fn need(&self, column: &'static str) -> Result<&'a str, Fault> {
        self.get(column).ok_or(Fault::EventCellMissing(column))
    }

    fn text(&self, column: &'static str) -> Result<String, Fault> {
        self.need(column).map(str::to_owned)
    }

    fn optional(&self, column: &'static str) -> Option<String> {
        self.get(column).map(str::to_owned)
    }

    fn date(&self, column: &'static str) -> Result<Date, Fault> {
        let form = "must be a date such as 2026-01-31";
        self.need(column)?.parse().map_err(|_| invalid(column, form))
    }

    /// A decimal number with at most `places` digits behind the point, in units of its last place.
    fn decimal(&self, column: &'static str, places: u32) -> Result<i64, Fault> {
        let form = match places {
            1 => "must be a number with at most 1 digit behind the point",
            _ => "must be a number with at most 2 digits behind the point",
        };
        decimal(self.need(column)?, places).ok_or_else(|| invalid(column, form))
    }

    fn unsigned(&self, column: &'static str, places: u32) -> Result<u32, Fault> {
        u32::try_from(self.decimal(column, places)?)
            .map_err(|_| invalid(column, "must be a number from 0 on"))
    }
}

fn detail(cells: &Cells<'_>) -> Result<EventDetail, Fault> {
    Ok(match cells.need("type")? {
        "enrollment" => EventDetail::Enrollment {
            program: program(cells)?,
            course: cells.optional("course"),
            term: cells.optional("term"),
            credits_tenths: match cells.get("credits") {
                Some(_) => Some(cells.unsigned("credits", 1)?),
                None => None,
            },
            start: cells.date("start")?,
            end: cells.date("end")?,
        },
        "drop" => EventDetail::Drop {
            course: cells.text("course")?,
            term: cells.optional("term"),
            on: cells.date("on")?,
        },
        "withdrawal" => EventDetail::Withdrawal {
            course: cells.optional("course"),
            term: cells.optional("term"),
            on: cells.date("on")?,
        },
        "class_hours" => EventDetail::ClassHours {
            class: cells.text("course")?,
            on: cells.date("on")?,
            hours_hundredths: cells.unsigned("hours", 2)?,
        },
        "service" => EventDetail::Service {
            code: cells.text("code")?,
            program: cells.text("program")?,
            start: cells.date("start")?,
            end: cells.date("end")?,
        },
        "exit" => EventDetail::Exit { program: cells.text("program")?, on: cells.date("on")? },
        "planned_gap" => EventDetail::PlannedGap {
            start: cells.date("start")?,
            end: cells.date("end")?,
            recorded_on: cells.date("recorded_on")?,
        },
        "credential" => EventDetail::Credential {
            kind: parsed(cells, "kind", CredentialKind::from_str)?,
            code: cells.text("code")?,
            awarded_on: cells.date("on")?,
        },
        "revocation" => EventDetail::Revocation {
            credential_event_id: cells.text("value")?,
            on: cells.date("on")?,
        },
        "wages" => EventDetail::Wages {
            quarter: parsed(cells, "quarter", Quarter::from_str)?,
            employer: cells.text("employer")?,
            naics: cells.optional("naics"),
            amount_cents: cells.decimal("amount", 2)?,
        },
        "attribute" => EventDetail::Attribute {
            name: cells.text("name")?,
            value: cells.text("value")?,
            from: cells.date("on")?,
        },
        "void" => EventDetail::Void { voided_event_id: cells.text("value")? },
        _ => {
            let form = "must be a type of event: see waymark events submit --help";
            return Err(invalid("type", form));
        }
    })
}

fn program(cells: &Cells<'_>) -> Result<Option<ProgramCode>, Fault> {
    if cells.get("code").is_none() {
        return Ok(None);
    }
    let system = parsed(cells, "code_system", pathways::CodeSystem::from_str)?;
    Ok(Some(ProgramCode { system, code: cells.text("code")? }))
}

fn parsed<T, E: std::fmt::Display>(
    cells: &Cells<'_>,
    column: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Fault> {
    parse(cells.need(column)?).map_err(|error| misfit_at(column, &error.to_string()))
}

fn decimal(text: &str, places: u32) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > places as usize || !is_number(whole) || !is_number(part) {
        return None;
    }
    let padded = format!("{whole}{part:0<width$}", width = places as usize);
    padded.parse::<i64>().ok().map(|number| sign * number)
}

fn invalid(column: &'static str, form: &str) -> Fault {
    Fault::EventCellInvalid(column.to_owned(), form.to_owned())
}

fn misfit_at(column: &str, remedy: &str) -> Fault {
    Fault::EventCellInvalid(column.to_owned(), format!("does not fit: {remedy}"))
}

/// The error's text names the column and says what to give.
fn misfit(error: EventError) -> Fault {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((column, remedy)) => misfit_at(column, remedy),
        None => misfit_at("type", &text),
    }
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
    fn every_type_of_event_has_a_row() {
        let rows = [
            "enrollment,,2026-01-10,2026-05-01,,cip2020,51.3801,NUR101,,2026SP,3.5,,,,,,,,",
            "drop,2026-01-20,,,,,,NUR101,,,,,,,,,,,",
            "withdrawal,2026-01-20,,,,,,,,,,,,,,,,,",
            "class_hours,2026-01-20,,,,,,ESL1,,,,1.25,,,,,,,",
            "service,,2026-01-10,2026-01-11,adult,,CAREER,,,,,,,,,,,,",
            "exit,2026-01-20,,,adult,,,,,,,,,,,,,,",
            "planned_gap,,2026-01-10,2026-01-11,,,,,,,,,,,,,,,2026-01-09",
            "credential,2026-01-20,,,,,RN,,,,,,license,,,,,,",
            "revocation,2026-01-20,,,,,,,,,,,,,,,,e1,",
            "wages,,,,,,,,,,,,,2026Q1,E9,-12.5,,,",
            "attribute,2026-01-20,,,,,,,,,,,,,,,region,north,",
            "void,,,,,,,,,,,,,,,,,e1,",
        ];
        let mut text =
            "local_id,event_id,type,on,start,end,program,code_system,code,course,agency,\
                        term,credits,hours,kind,quarter,employer,amount,name,value,recorded_on\n"
                .to_owned();
        for (number, row) in rows.iter().enumerate() {
            text += &format!("A-1,n{number},{row}\n");
        }
        let details = read(&text);
        assert!(details.iter().all(Result::is_ok), "{details:?}");
        let date = |text: &str| text.parse().unwrap();
        assert_eq!(
            details[0],
            Ok(EventDetail::Enrollment {
                program: Some(ProgramCode {
                    system: pathways::CodeSystem::Cip2020,
                    code: "51.3801".to_owned()
                }),
                course: Some("NUR101".to_owned()),
                term: Some("2026SP".to_owned()),
                credits_tenths: Some(35),
                start: date("2026-01-10"),
                end: date("2026-05-01"),
            })
        );
        assert_eq!(
            details[9],
            Ok(EventDetail::Wages {
                quarter: Quarter::new(2026, 1).unwrap(),
                employer: "E9".to_owned(),
                naics: None,
                amount_cents: -1250,
            })
        );
    }

    #[test]
    fn rows_that_are_no_events_say_which_column_and_what_to_give() {
        let text = "local_id,event_id,type,on,start,end,course,hours\n\
                    A-1,e1,party,,,,,\n\
                    A-1,e2,drop,2026-02-30,,,X,\n\
                    A-1,e3,drop,2026-02-03,,,,\n\
                    A-1,,drop,2026-02-03,,,X,\n\
                    A-1,e5,enrollment,,2026-02-03,2026-02-02,X,\n\
                    A-1,e6,class_hours,2026-02-03,,,X,25\n\
                    A-1,e7,class_hours,2026-02-03,,,X,1.255\n\
                    123456789,e8,drop,2026-02-03,,,X,\n";
        let faults: Vec<String> = read(text).into_iter().filter_map(Result::err).collect();
        for (fault, part) in faults.iter().zip([
            "2: type must be a type of event",
            "3: on must be a date",
            "4: course is empty",
            "5: event_id is empty",
            "6: end does not fit: give a last day on or after the start",
            "7: hours does not fit: give at most 24 hours",
            "8: hours must be a number with at most 2 digits",
            "9: local_id is or looks like a social security number",
        ]) {
            assert!(fault.starts_with(part), "{fault}");
        }
        assert_eq!(faults.len(), 8);
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(decimal("12", 2), Some(1200));
        assert_eq!(decimal("12.5", 2), Some(1250));
        assert_eq!(decimal("-0.01", 2), Some(-1));
        for bad in ["", ".5", "1,000", "1e3", "1.234", "--1", "99999999999999999999"] {
            assert_eq!(decimal(bad, 2), None, "{bad}");
        }
    }
}

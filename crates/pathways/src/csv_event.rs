//! Events as rows of a table, the form in which agencies write them by hand.
//!
//! Every kind uses some of the columns, and the others stay empty: [`FORMS`] says which. A one-day
//! event has its day in `start`. Dates are ISO dates, an end is the last day itself, tags are
//! separated by `;`.

use std::{collections::BTreeSet, str::FromStr};

use jiff::civil::Date;
use record::AgencyId;

use crate::event::{Event, EventDetail, EventError, OccupationCode, ProgramCode};

mod form;
mod write;

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
pub enum EventRowError {
    /// A column of the header is unknown, or stands twice.
    #[error("column {column}: take it out, or name it one of {}", EVENT_COLUMNS.join(", "))]
    Column {
        /// Its place, from 1.
        column: usize,
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

/// Where the columns stand in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventColumns {
    places: [Option<usize>; EVENT_COLUMNS.len()],
    width: usize,
}

impl EventColumns {
    /// Reads a header. Columns may stand in any order; those that no row uses may be left out.
    ///
    /// # Errors
    /// [`EventRowError`] names the first column that is unknown, repeated or missing.
    pub fn from_header<'h>(
        header: impl IntoIterator<Item = &'h str>,
    ) -> Result<Self, EventRowError> {
        let mut columns = Self { places: [None; EVENT_COLUMNS.len()], width: 0 };
        for (place, name) in header.into_iter().enumerate() {
            let name = name.trim().trim_start_matches('\u{feff}');
            let known = EVENT_COLUMNS.iter().position(|it| it.eq_ignore_ascii_case(name));
            match known.map(|known| &mut columns.places[known]) {
                Some(unset @ None) => *unset = Some(place),
                _ => return Err(EventRowError::Column { column: place + 1 }),
            }
            columns.width = place + 1;
        }
        for needed in ["local_id", "event_id", "kind"] {
            if columns.place(needed).is_none() {
                return Err(EventRowError::MissingColumn(needed));
            }
        }
        Ok(columns)
    }

    fn place(&self, name: &str) -> Option<usize> {
        EVENT_COLUMNS.iter().position(|it| *it == name).and_then(|column| self.places[column])
    }
}

/// Reads one row of an events file of `source`. `received_on` stands in where the row names no
/// day of its own.
///
/// # Errors
/// [`EventRowError`] names the column and what to give.
pub fn event_from_row(
    source: &AgencyId,
    columns: &EventColumns,
    row: &[&str],
    received_on: Date,
) -> Result<Event, EventRowError> {
    if row.len() != columns.width {
        return Err(EventRowError::Length);
    }
    let mut cells = Cells { columns, row, used: BTreeSet::new() };
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
    let detail = detail(kind, &mut cells)?;
    cells.nothing_left()?;
    let source = source.clone();
    let event =
        Event { source, local_id, source_event_id, received_on, supersedes, purpose_tags, detail };
    event.check()?;
    Ok(event)
}

fn detail(kind: &str, cells: &mut Cells<'_>) -> Result<EventDetail, EventRowError> {
    Ok(match kind {
        "enrollment"
        | "drop"
        | "withdrawal"
        | "grade"
        | "developmental"
        | "transfer_out"
        | "enrollment_elsewhere"
        | "id_change" => college(kind, cells)?,
        "class_hours" | "educational_level" => adult_education(kind, cells)?,
        "service" | "training" | "exit" | "completion" | "assistance_exit" | "planned_gap" => {
            workforce(kind, cells)?
        }
        "exclusion" => {
            EventDetail::Exclusion { reason: cells.text("reason")?, from: cells.day("start")? }
        }
        "pathway_flag" => {
            EventDetail::PathwayFlag { pathway: cells.text("pathway")?, on: cells.day("start")? }
        }
        "credential" => EventDetail::Credential {
            kind: cells.named("name", "give the type of credential, such as license")?,
            code: cells.text("code")?,
            system: cells.optional_named("code_system", PROGRAM_SYSTEM)?,
            awarded_on: cells.day("start")?,
            number: cells.optional_text("number"),
        },
        "revocation" => EventDetail::Revocation {
            credential_event_id: cells.text("value")?,
            on: cells.day("start")?,
            reason: cells.optional_text("reason"),
        },
        "wages" => EventDetail::Wages {
            quarter: cells.named("term", "give the quarter, such as 2024Q2")?,
            employer: cells.text("employer")?,
            naics: cells.optional_text("naics"),
            amount_cents: cells
                .number("amount", 2)?
                .ok_or_else(|| refuse("amount", "give the amount in dollars, such as 1234.56"))?,
        },
        "attribute" => EventDetail::Attribute {
            name: cells.text("name")?,
            value: cells.text("value")?,
            from: cells.day("start")?,
        },
        "void" => EventDetail::Void { voided_event_id: cells.text("value")? },
        _ => return Err(refuse("kind", KINDS)),
    })
}

fn college(kind: &str, cells: &mut Cells<'_>) -> Result<EventDetail, EventRowError> {
    Ok(match kind {
        "enrollment" => EventDetail::Enrollment {
            program: program(cells)?,
            course: cells.optional_text("course"),
            term: cells.optional_text("term"),
            credits_tenths: cells.number("credits", 1)?,
            award_level: cells
                .optional_named("award_level", "give a type of credential, such as certificate")?,
            start: cells.day("start")?,
            end: cells.day("end")?,
        },
        "drop" => EventDetail::Drop {
            course: cells.text("course")?,
            term: cells.optional_text("term"),
            on: cells.day("start")?,
        },
        "withdrawal" => EventDetail::Withdrawal {
            course: cells.optional_text("course"),
            term: cells.optional_text("term"),
            on: cells.day("start")?,
        },
        "grade" => EventDetail::Grade {
            course: cells.text("course")?,
            term: cells.optional_text("term"),
            grade: cells.text("value")?,
            passed: cells.passed()?,
            on: cells.day("start")?,
        },
        "developmental" => EventDetail::Developmental {
            subject: cells.text("subject")?,
            step: cells.named("outcome", "give referred or completed")?,
            on: cells.day("start")?,
        },
        "transfer_out" => EventDetail::TransferOut {
            institution: cells.text("institution")?,
            on: cells.day("start")?,
        },
        "enrollment_elsewhere" => EventDetail::EnrollmentElsewhere {
            institution: cells.text("institution")?,
            on: cells.day("start")?,
        },
        _ => EventDetail::IdChange {
            former_local_id: cells.named("value", "give the handle used before, without '/'")?,
            on: cells.day("start")?,
        },
    })
}

fn adult_education(kind: &str, cells: &mut Cells<'_>) -> Result<EventDetail, EventRowError> {
    Ok(match kind {
        "class_hours" => EventDetail::ClassHours {
            class: cells.text("course")?,
            program: program(cells)?,
            on: cells.day("start")?,
            hours_hundredths: cells
                .number("hours", 2)?
                .ok_or_else(|| refuse("hours", "give the hours, such as 1.5"))?,
        },
        _ => EventDetail::EducationalLevel {
            subject: cells.text("subject")?,
            level: cells.named("level", "give a level from 1 to 6")?,
            phase: cells.named("outcome", "give pre or post")?,
            on: cells.day("start")?,
        },
    })
}

fn workforce(kind: &str, cells: &mut Cells<'_>) -> Result<EventDetail, EventRowError> {
    Ok(match kind {
        "service" => EventDetail::Service {
            code: cells.text("code")?,
            program: cells.text("program")?,
            start: cells.day("start")?,
            end: cells.day("end")?,
        },
        "training" => EventDetail::Training {
            program: cells.text("program")?,
            study: program(cells)?,
            occupation: occupation(cells)?,
            start: cells.day("start")?,
            end: cells.day("end")?,
        },
        "exit" => EventDetail::Exit {
            program: cells.text("program")?,
            on: cells.day("start")?,
            reason: cells.optional_text("reason"),
        },
        "completion" => {
            EventDetail::Completion { program: cells.text("program")?, on: cells.day("start")? }
        }
        "assistance_exit" => {
            EventDetail::AssistanceExit { program: cells.text("program")?, on: cells.day("start")? }
        }
        _ => EventDetail::PlannedGap {
            start: cells.day("start")?,
            end: cells.day("end")?,
            recorded_on: cells.day("recorded_on")?,
        },
    })
}

const PROGRAM_SYSTEM: &str = "give cip2010, cip2020 or local, beside the code of a program";

fn program(cells: &mut Cells<'_>) -> Result<Option<ProgramCode>, EventRowError> {
    Ok(match cells.optional_text("code") {
        Some(code) => {
            Some(ProgramCode { system: cells.named("code_system", PROGRAM_SYSTEM)?, code })
        }
        None => None,
    })
}

fn occupation(cells: &mut Cells<'_>) -> Result<Option<OccupationCode>, EventRowError> {
    let remedy = "give soc2010, soc2018 or onet2019, beside the code of an occupation";
    Ok(match cells.optional_text("occupation") {
        Some(code) => {
            Some(OccupationCode { system: cells.named("occupation_system", remedy)?, code })
        }
        None => None,
    })
}

/// The cells of a row, and which of them were asked for.
struct Cells<'a> {
    columns: &'a EventColumns,
    row: &'a [&'a str],
    used: BTreeSet<&'static str>,
}

impl<'a> Cells<'a> {
    /// The cell without outer spaces, unless empty.
    fn optional(&mut self, field: &'static str) -> Option<&'a str> {
        self.used.insert(field);
        let text = self.columns.place(field).map(|place| self.row[place].trim())?;
        (!text.is_empty()).then_some(text)
    }

    fn required(
        &mut self,
        field: &'static str,
        remedy: &'static str,
    ) -> Result<&'a str, EventRowError> {
        self.optional(field).ok_or_else(|| refuse(field, remedy))
    }

    fn optional_text(&mut self, field: &'static str) -> Option<String> {
        self.optional(field).map(str::to_owned)
    }

    fn text(&mut self, field: &'static str) -> Result<String, EventRowError> {
        self.required(field, "fill it in for this kind of event").map(str::to_owned)
    }

    fn date(&mut self, field: &'static str) -> Result<Option<Date>, EventRowError> {
        let remedy = "give a date such as 2024-08-19";
        self.optional(field)
            .map(|text| iso_date(text).ok_or_else(|| refuse(field, remedy)))
            .transpose()
    }

    fn day(&mut self, field: &'static str) -> Result<Date, EventRowError> {
        let remedy = "give a date such as 2024-08-19 for this kind of event";
        self.date(field)?.ok_or_else(|| refuse(field, remedy))
    }

    fn named<T: FromStr>(
        &mut self,
        field: &'static str,
        remedy: &'static str,
    ) -> Result<T, EventRowError> {
        self.required(field, remedy)?.parse().map_err(|_| refuse(field, remedy))
    }

    fn optional_named<T: FromStr>(
        &mut self,
        field: &'static str,
        remedy: &'static str,
    ) -> Result<Option<T>, EventRowError> {
        let text = self.optional(field);
        text.map(|text| text.parse().map_err(|_| refuse(field, remedy))).transpose()
    }

    fn passed(&mut self) -> Result<bool, EventRowError> {
        let remedy = "give passed or failed";
        match self.required("outcome", remedy)? {
            "passed" => Ok(true),
            "failed" => Ok(false),
            _ => Err(refuse("outcome", remedy)),
        }
    }

    /// A decimal number in units of its last of `places` decimals.
    fn number<T: TryFrom<i64>>(
        &mut self,
        field: &'static str,
        places: usize,
    ) -> Result<Option<T>, EventRowError> {
        let parse = |text| scaled(text, places).and_then(|number| T::try_from(number).ok());
        let remedy = if places == 1 {
            "give a number with at most one decimal, such as 3.5"
        } else {
            "give a number with at most two decimals, such as 1.25"
        };
        self.optional(field)
            .map(|text| parse(text).ok_or_else(|| refuse(field, remedy)))
            .transpose()
    }

    fn nothing_left(&self) -> Result<(), EventRowError> {
        let filled = |field: &str| {
            self.columns.place(field).is_some_and(|place| !self.row[place].trim().is_empty())
        };
        match EVENT_COLUMNS.iter().find(|field| !self.used.contains(*field) && filled(field)) {
            Some(field) => Err(refuse(field, "leave it empty for this kind of event")),
            None => Ok(()),
        }
    }
}

fn refuse(field: &'static str, remedy: &'static str) -> EventRowError {
    EventRowError::Field { field, remedy }
}

/// Four digits, two, two: nothing else is taken for a date.
fn iso_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, b)| match at {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        });
    if shaped { text.parse().ok() } else { None }
}

fn scaled(text: &str, places: usize) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > places {
        return None;
    }
    format!("{whole}{decimals:0<places$}").parse::<i64>().ok().map(|number| sign * number)
}

#[cfg(test)]
mod tests;

//! The cells of a row: texts, dates, names and numbers, each with what to give where it fails.

use std::{collections::BTreeSet, str::FromStr};

use jiff::civil::Date;

use super::{Columns, RowError};

/// The cells of a row, and which of them were asked for.
pub(crate) struct Cells<'a> {
    columns: &'a Columns,
    row: &'a [&'a str],
    used: BTreeSet<&'static str>,
}

impl<'a> Cells<'a> {
    /// The cells of a row of the table that `columns` are of.
    pub(crate) fn new(columns: &'a Columns, row: &'a [&'a str]) -> Result<Self, RowError> {
        if row.len() != columns.width {
            return Err(RowError::Length);
        }
        Ok(Self { columns, row, used: BTreeSet::new() })
    }

    /// The cell without outer spaces, unless empty.
    pub(crate) fn optional(&mut self, field: &'static str) -> Option<&'a str> {
        self.used.insert(field);
        let text = self.columns.place(field).map(|place| self.row[place].trim())?;
        (!text.is_empty()).then_some(text)
    }

    pub(crate) fn required(
        &mut self,
        field: &'static str,
        remedy: &'static str,
    ) -> Result<&'a str, RowError> {
        self.optional(field).ok_or_else(|| refuse(field, remedy))
    }

    pub(crate) fn optional_text(&mut self, field: &'static str) -> Option<String> {
        self.optional(field).map(str::to_owned)
    }

    pub(crate) fn text(&mut self, field: &'static str) -> Result<String, RowError> {
        self.required(field, "fill it in for this kind of event").map(str::to_owned)
    }

    pub(crate) fn date(&mut self, field: &'static str) -> Result<Option<Date>, RowError> {
        let remedy = "give a date such as 2024-08-19";
        self.optional(field)
            .map(|text| iso_date(text).ok_or_else(|| refuse(field, remedy)))
            .transpose()
    }

    pub(crate) fn day(&mut self, field: &'static str) -> Result<Date, RowError> {
        let remedy = "give a date such as 2024-08-19 for this kind of event";
        self.date(field)?.ok_or_else(|| refuse(field, remedy))
    }

    pub(crate) fn named<T: FromStr>(
        &mut self,
        field: &'static str,
        remedy: &'static str,
    ) -> Result<T, RowError> {
        self.required(field, remedy)?.parse().map_err(|_| refuse(field, remedy))
    }

    pub(crate) fn optional_named<T: FromStr>(
        &mut self,
        field: &'static str,
        remedy: &'static str,
    ) -> Result<Option<T>, RowError> {
        let text = self.optional(field);
        text.map(|text| text.parse().map_err(|_| refuse(field, remedy))).transpose()
    }

    pub(crate) fn passed(&mut self) -> Result<bool, RowError> {
        let remedy = "give passed or failed";
        match self.required("outcome", remedy)? {
            "passed" => Ok(true),
            "failed" => Ok(false),
            _ => Err(refuse("outcome", remedy)),
        }
    }

    /// A decimal number in units of its last of `places` decimals.
    pub(crate) fn number<T: TryFrom<i64>>(
        &mut self,
        field: &'static str,
        places: usize,
    ) -> Result<Option<T>, RowError> {
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

    pub(crate) fn nothing_left(&self) -> Result<(), RowError> {
        let filled = |field: &str| {
            self.columns.place(field).is_some_and(|place| !self.row[place].trim().is_empty())
        };
        match self.columns.names.iter().find(|field| !self.used.contains(*field) && filled(field)) {
            Some(field) => Err(refuse(field, "leave it empty for this kind of event")),
            None => Ok(()),
        }
    }
}

pub(crate) fn refuse(field: &'static str, remedy: &'static str) -> RowError {
    RowError::Field { field, remedy }
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

pub(super) fn scaled(text: &str, places: usize) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > places {
        return None;
    }
    format!("{whole}{decimals:0<places$}").parse::<i64>().ok().map(|number| sign * number)
}

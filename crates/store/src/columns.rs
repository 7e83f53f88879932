//! Values in and out of columns.

use std::{error::Error, str::FromStr};

use jiff::Timestamp;
use record::{ParticipantId, RecordKey};
use rusqlite::{Row, types::Type};

use crate::{Result, Seq};

/// A count or number as SQLite stores it; beyond its range, the largest there is.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The size of a page as SQLite takes it.
pub(crate) fn page(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// All rows of a query, or its first error.
pub(crate) fn all<T>(rows: impl Iterator<Item = rusqlite::Result<T>>) -> Result<Vec<T>> {
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A stored count or number.
pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// The text of a column as an id or a date.
pub(crate) fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error: T::Err| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// The key of a record from its agency in `column` and its local id in the next.
pub(crate) fn key(row: &Row<'_>, column: usize) -> rusqlite::Result<RecordKey> {
    Ok(RecordKey::new(parsed(row, column)?, parsed(row, column + 1)?))
}

/// A stored participant id.
pub(crate) fn participant(row: &Row<'_>, column: usize) -> rusqlite::Result<ParticipantId> {
    count(row, column).map(ParticipantId)
}

/// A stored place in the log.
pub(crate) fn seq(row: &Row<'_>, column: usize) -> rusqlite::Result<Seq> {
    count(row, column).map(Seq)
}

/// A stored time.
pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let micros: i64 = row.get(column)?;
    Timestamp::from_microsecond(micros)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, micros))
}

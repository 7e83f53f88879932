//! The settings that commands share: schema, encoder, mapping, as-of date.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use encoding::{DEFAULT_PLACEHOLDERS, Encoder, LinkageKey, Placeholders};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use record::{DEFAULT_SCHEMA, RecordVersion, Schema};

use crate::{
    catalogue::Code,
    cli::{ReadingArgs, RejectedArgs, SchemaArgs},
    exit::Exit,
    failure::Failure,
    intake::mapping::Mapping,
};

/// The linkage schema that `args` name.
///
/// # Errors
/// [`Failure`] when the file cannot be read or is no linkage schema.
pub fn schema(args: &SchemaArgs) -> Result<Arc<Schema>, Failure> {
    let (name, text) = match &args.schema {
        None => ("the shipped schema".to_owned(), DEFAULT_SCHEMA.to_owned()),
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| Failure::reading(path, &error))?;
            (path.display().to_string(), text)
        }
    };
    let invalid = |error| Failure::new(Code::SchemaInvalid, format!("{name}: {error}"));
    Schema::parse(&text).map(Arc::new).map_err(invalid)
}

/// An encoder under `key`, with the shipped list of placeholders.
///
/// # Errors
/// [`Failure`] when the shipped list is unreadable, which is a bug.
pub fn encoder(schema: &Arc<Schema>, key: &LinkageKey) -> Result<Encoder, Failure> {
    let placeholders = Placeholders::parse(DEFAULT_PLACEHOLDERS)
        .map_err(|error| Failure::plain(Exit::Bug, format!("the shipped placeholders: {error}")))?;
    Ok(Encoder::new(Arc::clone(schema), key, &placeholders))
}

/// A linkage key that lives in memory only.
///
/// # Errors
/// [`Failure`] when the system gives no random numbers.
pub fn random_key(epoch: u32) -> Result<LinkageKey, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::plain(Exit::Io, format!("the system gives no random numbers: {error}"))
    })?;
    Ok(LinkageKey::from_random(bytes, epoch))
}

/// The mapping file at `path`; an empty mapping where there is none.
///
/// # Errors
/// [`Failure`] when the file cannot be read or is no mapping.
pub fn mapping(path: Option<&Path>) -> Result<Mapping, Failure> {
    path.map_or_else(|| Ok(Mapping::default()), Mapping::read)
}

/// The day that the data in `input` describe: as given, else the day the file last changed, so
/// that the same file gives the same versions whenever it is sent.
///
/// # Errors
/// [`Failure`] when the file's date cannot be read.
pub fn as_of(args: &ReadingArgs, input: &Path) -> Result<Date, Failure> {
    if let Some(date) = args.as_of {
        return Ok(date);
    }
    let changed = fs::metadata(input)
        .and_then(|metadata| metadata.modified())
        .map_err(|error| Failure::reading(input, &error))?;
    Timestamp::try_from(changed).map(|at| TimeZone::UTC.to_datetime(at).date()).map_err(|_| {
        let what = format!("{}: its date of change is out of range", input.display());
        Failure::plain(Exit::BadInput, what).remedy("name the day with --as-of YYYY-MM-DD")
    })
}

/// The version of a record of `as_of` that has none of its own.
pub fn version_of(as_of: Date) -> RecordVersion {
    let (year, month, day) = (as_of.year(), as_of.month(), as_of.day());
    RecordVersion(i64::from(year) * 10_000 + i64::from(month) * 100 + i64::from(day))
}

/// Where the rejected rows of `input` go.
pub fn rejected_directory(args: &RejectedArgs, input: &Path) -> PathBuf {
    match &args.rejected_dir {
        Some(directory) => directory.clone(),
        None => input.parent().unwrap_or_else(|| Path::new("")).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_from_a_date_is_the_one_of_the_dates_text() {
        let date: Date = "2026-01-31".parse().unwrap();
        assert_eq!(version_of(date), "2026-01-31".parse().unwrap());
    }

    #[test]
    fn without_a_date_the_file_says_the_day() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let changed = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        file.as_file().set_modified(changed).unwrap();
        let mut args = ReadingArgs { mapping: None, as_of: None };
        assert_eq!(as_of(&args, file.path()).unwrap().to_string(), "2001-09-09");
        args.as_of = Some("2026-01-31".parse().unwrap());
        assert_eq!(as_of(&args, file.path()).unwrap().to_string(), "2026-01-31");
    }
}

//! Ids of agencies, of their records, and of participants.

use std::{fmt, str::FromStr, sync::Arc};

use crate::taxpayer::is_taxpayer_number;

/// Why a text is not an id. Never repeats the text: a local id can be an identity value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The text is not an agency id.
    #[error(
        "an agency id is 1 to 32 lower-case letters, digits, '-' or '_', starting with a letter"
    )]
    Agency,
    /// The text is not a local id.
    #[error("a local id is 1 to 64 printable characters without spaces or '/'")]
    Local,
    /// The text is not `agency/local_id`.
    #[error("a record is named AGENCY/LOCAL_ID")]
    Record,
    /// The text is not a participant id.
    #[error("a participant id is the letter P and a number, such as P000042")]
    Participant,
    /// The text is neither an integer nor an ISO date.
    #[error("a record version is a whole number or a date such as 2026-01-31")]
    Version,
}

/// An agency that sends records: 1 to 32 lower-case letters, digits, `-` or `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgencyId(Arc<str>);

/// An agency's own handle of one of its records: 1 to 64 visible ASCII characters, no `/`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalId(Arc<str>);

/// One record of one agency, written `agency/local_id`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey {
    /// The agency that owns the record.
    pub agency: AgencyId,
    /// The agency's own handle of it.
    pub local_id: LocalId,
}

/// The version of a record: the highest is current. An ISO date counts as the number `yyyymmdd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordVersion(pub i64);

/// A participant: opaque, never reused, written `P000042`. Shown to stewards and operators only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParticipantId(pub u64);

impl AgencyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LocalId {
    /// What a tombstone starts with: the service keeps one in the place of a local id that was erased,
    /// and accepts none.
    pub const TOMBSTONE: char = '~';

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands in the place of a local id that was erased.
    pub fn is_tombstone(&self) -> bool {
        self.0.starts_with(Self::TOMBSTONE)
    }

    /// Whether the id has the form of a social security or taxpayer number: nine digits, with or
    /// without separators, that could have been issued. Such an id must not leave the agency.
    pub fn looks_like_ssn(&self) -> bool {
        let is_separator = |c| matches!(c, '-' | '.');
        let digits: String = self.0.chars().filter(|c| !is_separator(*c)).collect();
        is_taxpayer_number(&digits)
    }
}

impl RecordKey {
    /// Names the record `local_id` of `agency`.
    pub fn new(agency: AgencyId, local_id: LocalId) -> Self {
        Self { agency, local_id }
    }
}

impl FromStr for AgencyId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let fits = text.len() <= 32
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if starts_well && fits { Ok(Self(text.into())) } else { Err(InvalidId::Agency) }
    }
}

impl FromStr for LocalId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
        if fits { Ok(Self(text.into())) } else { Err(InvalidId::Local) }
    }
}

impl FromStr for RecordKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (agency, local_id) = text.split_once('/').ok_or(InvalidId::Record)?;
        Ok(Self { agency: agency.parse()?, local_id: local_id.parse()? })
    }
}

impl FromStr for RecordVersion {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let bytes = text.as_bytes();
        let is_date = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
        let digits = if is_date { text.replace('-', "") } else { text.to_owned() };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidId::Version);
        }
        digits.parse().map(Self).map_err(|_| InvalidId::Version)
    }
}

impl FromStr for ParticipantId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let number = text.strip_prefix('P').ok_or(InvalidId::Participant)?;
        number.parse().map(Self).map_err(|_| InvalidId::Participant)
    }
}

impl fmt::Display for AgencyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.agency, self.local_id)
    }
}

impl fmt::Display for RecordVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{:06}", self.0)
    }
}

// A local id stays out of logs and panics: only `Display`, asked for on purpose, shows it.
impl fmt::Debug for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalId(..)")
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordKey({}/..)", self.agency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_parsed_or_refused() {
        for good in ["college", "adult-ed", "a_1"] {
            assert_eq!(good.parse::<AgencyId>().unwrap().as_str(), good);
        }
        for bad in ["", "College", "1st", "a b", &"a".repeat(33)] {
            assert_eq!(bad.parse::<AgencyId>(), Err(InvalidId::Agency));
        }
        for bad in ["", "a b", "a/b", "é", &"a".repeat(65)] {
            assert_eq!(bad.parse::<LocalId>(), Err(InvalidId::Local));
        }
        let key: RecordKey = "college/A-1".parse().unwrap();
        assert_eq!(key.to_string(), "college/A-1");
        assert_eq!("P000042".parse(), Ok(ParticipantId(42)));
        assert_eq!(ParticipantId(42).to_string(), "P000042");
    }

    #[test]
    fn a_version_is_a_number_or_a_date() {
        assert_eq!("7".parse(), Ok(RecordVersion(7)));
        assert_eq!("2026-01-31".parse(), Ok(RecordVersion(20_260_131)));
        for bad in ["", "-1", "31/01/2026", "2026-1-31"] {
            assert_eq!(bad.parse::<RecordVersion>(), Err(InvalidId::Version));
        }
    }

    #[test]
    fn debug_shows_no_local_id() {
        let key: RecordKey = "college/A-1".parse().unwrap();
        assert!(!format!("{key:?}").contains("A-1"));
    }
}

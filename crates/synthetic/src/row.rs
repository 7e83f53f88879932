//! One identity record as an agency wrote it down, and how it came to differ from the truth.

use std::fmt;

use jiff::civil::Date;
use record::LocalId;

use crate::{agency::Column, person::PersonId};

const COLUMNS: usize = Column::ALL.len();

/// A record of an agency together with the truth behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whom it is about.
    pub person: PersonId,
    /// The day on which it was made.
    pub recorded_on: Date,
    /// What the agency wrote down.
    pub row: IdentityRow,
    /// How it differs from the person's name and numbers of that day.
    pub distortions: Distortions,
}

/// What an agency wrote down about a person.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityRow {
    /// The agency's handle of the record.
    pub local_id: LocalId,
    values: Values,
}

/// The values of a row in one text, each with the place where it ends.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Values {
    text: Box<str>,
    ends: [u16; COLUMNS],
}

/// The values of a row while it is being written; an empty one is missing.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) values: [String; COLUMNS],
    pub(crate) distortions: Distortions,
}

/// One way in which a record differs from the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Distortion {
    /// A nickname instead of the first name.
    Nickname,
    /// The middle name in the place of the first.
    GoesByMiddleName,
    /// A family name that the person no longer bears.
    FormerName,
    /// One of two surnames.
    SurnamePart,
    /// First and last name in each other's column.
    NamesSwapped,
    /// A typing error in a name.
    NameTypo,
    /// The initial instead of the first name.
    FirstInitial,
    /// A name column that says nothing.
    NamePlaceholder,
    /// One digit of the birth date off.
    DateDigit,
    /// Day and month swapped.
    DateSwapped,
    /// A birth date that says nothing.
    DatePlaceholder,
    /// A birth date that is in no calendar.
    ImpossibleDate,
    /// One digit of the SSN off.
    SsnDigit,
    /// Two neighboring digits of the SSN swapped.
    SsnTransposed,
    /// An SSN that says nothing.
    SsnPlaceholder,
    /// The SSN of somebody else.
    SsnBorrowed,
    /// An address that the person has moved away from.
    FormerAddress,
    /// A typing error in the street address.
    AddressTypo,
    /// One digit of the telephone number off.
    PhoneDigit,
    /// The other sex.
    WrongSex,
}

/// A set of distortions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Distortions(u32);

impl IdentityRow {
    pub(crate) fn new(local_id: LocalId, values: Values) -> Self {
        Self { local_id, values }
    }

    /// What stands in the column, if anything.
    pub fn get(&self, column: Column) -> Option<&str> {
        let Values { text, ends } = &self.values;
        let index = column as usize;
        let start = index.checked_sub(1).map_or(0, |before| usize::from(ends[before]));
        let value = &text[start..usize::from(ends[index])];
        (!value.is_empty()).then_some(value)
    }
}

// Nobody in it is real, but it reads like an identity: it stays out of logs like one.
impl fmt::Debug for IdentityRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityRow(..)")
    }
}

impl Draft {
    pub(crate) fn set(&mut self, column: Column, value: impl Into<String>) {
        self.values[column as usize] = value.into();
    }

    pub(crate) fn value(&mut self, column: Column) -> &mut String {
        &mut self.values[column as usize]
    }

    /// The values of the finished row.
    pub(crate) fn finish(&self) -> Values {
        let text = self.values.concat().into_boxed_str();
        let mut end = 0;
        let ends = std::array::from_fn(|column| {
            end += self.values[column].len();
            u16::try_from(end).expect("a row is shorter than 65,536 bytes")
        });
        Values { text, ends }
    }
}

impl Distortion {
    /// Every distortion, in order.
    pub const ALL: [Self; 20] = [
        Self::Nickname,
        Self::GoesByMiddleName,
        Self::FormerName,
        Self::SurnamePart,
        Self::NamesSwapped,
        Self::NameTypo,
        Self::FirstInitial,
        Self::NamePlaceholder,
        Self::DateDigit,
        Self::DateSwapped,
        Self::DatePlaceholder,
        Self::ImpossibleDate,
        Self::SsnDigit,
        Self::SsnTransposed,
        Self::SsnPlaceholder,
        Self::SsnBorrowed,
        Self::FormerAddress,
        Self::AddressTypo,
        Self::PhoneDigit,
        Self::WrongSex,
    ];
}

impl Distortions {
    /// Whether `distortion` is among them.
    pub fn contains(self, distortion: Distortion) -> bool {
        self.0 & (1 << distortion as u8) != 0
    }

    /// Whether the record is as it should be.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The distortions in order.
    pub fn iter(self) -> impl Iterator<Item = Distortion> {
        Distortion::ALL.into_iter().filter(move |it| self.contains(*it))
    }

    pub(crate) fn add(&mut self, distortion: Distortion) {
        self.0 |= 1 << distortion as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_back_each_value() {
        let mut draft = Draft::default();
        draft.set(Column::FirstName, "Ada");
        draft.set(Column::Zip, "97810");
        let row = IdentityRow::new("S1".parse().unwrap(), draft.finish());
        assert_eq!(row.get(Column::FirstName), Some("Ada"));
        assert_eq!(row.get(Column::MiddleName), None);
        assert_eq!(row.get(Column::Zip), Some("97810"));
        assert_eq!(row.get(Column::Email), None);
    }

    #[test]
    fn a_set_of_distortions_lists_what_was_added() {
        let mut set = Distortions::default();
        assert!(set.is_empty());
        set.add(Distortion::WrongSex);
        set.add(Distortion::Nickname);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Distortion::Nickname, Distortion::WrongSex]);
    }
}

//! A person as the person really is: names, homes and numbers over the years.

use jiff::civil::Date;

use crate::{
    names::{GivenName, Surname},
    places::{Address, Phone},
    ssn::Ssn,
};

/// The place of a person in the state: the truth behind every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u32);

/// A household: people who share an address for at least a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HouseholdId(pub u32);

/// Sex as the agencies record it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sex {
    /// Written `F`.
    Female,
    /// Written `M`.
    Male,
}

/// A family name of one or two surnames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FamilyName {
    pub(crate) first: Surname,
    pub(crate) second: Option<(Joint, Surname)>,
}

/// What stands between two surnames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    Hyphen,
    Space,
}

/// One person. What changes over the years is a list with the day from which each value holds,
/// oldest first; the first value holds from birth.
#[derive(Debug, Clone)]
pub struct Person {
    /// Where the person lives or grew up.
    pub household: HouseholdId,
    /// The sex.
    pub sex: Sex,
    /// The day of birth.
    pub birth: Date,
    /// Whether a twin of the same household is among the people, too.
    pub is_twin: bool,
    pub(crate) given: GivenName,
    pub(crate) middle: Option<GivenName>,
    pub(crate) suffix: Option<&'static str>,
    pub(crate) nickname: Option<&'static str>,
    pub(crate) goes_by_middle: bool,
    /// A former surname stands in the place of the middle name after a marriage.
    pub(crate) maiden_as_middle: bool,
    pub(crate) family_names: Vec<(Date, FamilyName)>,
    pub(crate) homes: Vec<(Date, Address)>,
    pub(crate) phones: Vec<(Date, Phone)>,
    pub(crate) email: Option<Box<str>>,
    pub(crate) ssn: Option<Ssn>,
    pub(crate) borrowed_ssn: Option<Ssn>,
    /// The household receives assistance from human services.
    pub(crate) assisted: bool,
}

impl FamilyName {
    /// A family name of one surname.
    pub(crate) fn single(surname: Surname) -> Self {
        Self { first: surname, second: None }
    }

    /// This surname's first part followed by another.
    pub(crate) fn joined(self, joint: Joint, second: Surname) -> Self {
        Self { first: self.first, second: Some((joint, second)) }
    }
}

impl Person {
    /// The age in whole years on `date`.
    pub fn age(&self, date: Date) -> i16 {
        let before_birthday = (date.month(), date.day()) < (self.birth.month(), self.birth.day());
        date.year() - self.birth.year() - i16::from(before_birthday)
    }

    /// Whether the family name changes over the years of the state.
    pub fn changes_name(&self) -> bool {
        self.family_names.len() > 1
    }

    /// Whether the person moves over the years of the state.
    pub fn moves(&self) -> bool {
        self.homes.len() > 1
    }

    /// The family name on `date`, the one before it if there is one, and since when.
    pub(crate) fn family_name(&self, date: Date) -> (FamilyName, Option<(FamilyName, Date)>) {
        let current = current(&self.family_names, date);
        let (since, name) = self.family_names[current];
        let former = current.checked_sub(1).map(|it| (self.family_names[it].1, since));
        (name, former)
    }

    /// The address on `date`, and the one before it if there is one.
    pub(crate) fn home(&self, date: Date) -> (Address, Option<Address>) {
        let current = current(&self.homes, date);
        (self.homes[current].1, current.checked_sub(1).map(|it| self.homes[it].1))
    }

    /// The telephone number on `date`, if any.
    pub(crate) fn phone(&self, date: Date) -> Option<Phone> {
        (!self.phones.is_empty()).then(|| self.phones[current(&self.phones, date)].1)
    }
}

/// The place of the value that holds on `date`.
fn current<T>(values: &[(Date, T)], date: Date) -> usize {
    values.iter().rposition(|(from, _)| *from <= date).unwrap_or(0)
}

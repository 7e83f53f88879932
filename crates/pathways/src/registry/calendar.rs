//! The terms of the registry, and which of them an agency keeps.

use std::collections::BTreeSet;

use jiff::civil::Date;
use record::AgencyId;

use super::RegistryVersion;

/// A college term. Census is the day by which an enrollment must be retained to count: one that
/// ends before it never does, so that a course shorter than that needs a term of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Its id.
    pub id: String,
    /// The agency whose term it is; absent where all keep it. An agency's own term takes the place
    /// of the common one of the same id, and stands beside all others. An agency that does not keep
    /// a common term gives one of its id that is not required.
    pub source: Option<AgencyId>,
    /// The first day.
    pub start: Date,
    /// The census date.
    pub census: Date,
    /// The last day.
    pub end: Date,
    /// Whether a student who goes on is expected to enroll in it; a summer term is not.
    pub required: bool,
}

impl RegistryVersion {
    /// The term that `source` calls `id`.
    pub fn term(&self, source: &AgencyId, id: &str) -> Option<&Term> {
        let named = |own: bool| {
            self.terms.iter().find(|it| {
                it.id == id
                    && if own { it.source.as_ref() == Some(source) } else { it.source.is_none() }
            })
        };
        named(true).or_else(|| named(false))
    }

    /// The calendar of `source`, by start: its own terms, and those that all keep except where it
    /// has one of the same id. A term of its own replaces no other, so that one more term, such as
    /// of a short course, does not hide the calendar that it belongs to.
    pub(crate) fn terms_of(&self, source: &AgencyId) -> impl Iterator<Item = &Term> {
        let is_own = |it: &&Term| it.source.as_ref() == Some(source);
        let own: BTreeSet<&str> = self.terms.iter().filter(is_own).map(|it| &*it.id).collect();
        self.terms
            .iter()
            .filter(move |it| is_own(it) || it.source.is_none() && !own.contains(&*it.id))
    }

    /// The census of the first required term in the calendar of `source` that begins after `day`.
    pub(crate) fn next_required_census(&self, source: &AgencyId, day: Date) -> Option<Date> {
        self.terms_of(source).find(|it| it.required && it.start > day).map(|it| it.census)
    }
}

//! Whether the agencies have reported up to a day, without which nobody can be said to have left.

use jiff::civil::Date;
use record::AgencyId;

/// What the agencies were to report by when, and what they declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completeness {
    expectations: Vec<Expectation>,
    declarations: Vec<Declaration>,
}

/// By `due`, a source is to have reported everything up to `period_end`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expectation {
    /// The agency.
    pub source: AgencyId,
    /// The last day of the period.
    pub period_end: Date,
    /// The last day of grace.
    pub due: Date,
}

/// On a day, a source said that it had reported everything up to another day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declaration {
    /// The agency.
    pub source: AgencyId,
    /// The last day it speaks of.
    pub complete_through: Date,
    /// The day on which it was received.
    pub declared_on: Date,
}

/// What is known about a source's data up to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    Complete,
    NotYetDue,
    Overdue,
}

impl Completeness {
    /// Expectations and declarations, in any order. A source without expectation is never overdue.
    pub fn new(mut expectations: Vec<Expectation>, declarations: Vec<Declaration>) -> Self {
        expectations.sort();
        Self { expectations, declarations }
    }

    /// What is known at `known_at` about the data of `source` up to `day`. The period that holds
    /// `day` decides: a later file that is late changes nothing.
    pub(crate) fn coverage(&self, source: &AgencyId, day: Date, known_at: Date) -> Coverage {
        let declared = self.declarations.iter().any(|it| {
            it.source == *source && it.complete_through >= day && it.declared_on <= known_at
        });
        let due = self
            .expectations
            .iter()
            .find(|it| it.source == *source && it.period_end >= day)
            .map(|it| it.due);
        match due {
            _ if declared => Coverage::Complete,
            Some(due) if due < known_at => Coverage::Overdue,
            _ => Coverage::NotYetDue,
        }
    }

    /// The days on which [`Completeness::coverage`] may change.
    pub(crate) fn days(&self) -> impl Iterator<Item = Date> + '_ {
        let due = self.expectations.iter().map(|it| crate::days::day_after(it.due));
        due.chain(self.declarations.iter().map(|it| it.declared_on))
    }
}

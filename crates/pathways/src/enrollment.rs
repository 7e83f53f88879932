//! Enrollments as they turned out: cut by withdrawals, undone by drops, confirmed by the census.

use jiff::civil::Date;

use crate::{
    event::{Event, EventDetail, ProgramCode},
    profile::RuleProfile,
    registry::{RegistryVersion, Term},
};

/// An enrollment that was not undone.
pub(crate) struct Enrollment<'a> {
    pub(crate) event: &'a Event,
    /// The withdrawal that cut it short.
    pub(crate) withdrawal: Option<&'a Event>,
    pub(crate) program: Option<&'a ProgramCode>,
    pub(crate) course: Option<&'a str>,
    pub(crate) term: Option<&'a str>,
    pub(crate) credits_tenths: u32,
    pub(crate) start: Date,
    pub(crate) end: Date,
    /// The first day on which it can be counted: the census, or the first day without one.
    pub(crate) determinable: Date,
    /// Whether it ended with its term.
    pub(crate) to_term_end: bool,
    /// Whether its term stands in the registry, or none is named.
    pub(crate) term_is_known: bool,
}

/// The enrollments among `events` that no drop and no early withdrawal undid.
pub(crate) fn enrollments<'a>(
    events: &[&'a Event],
    registry: &RegistryVersion,
    profile: &RuleProfile,
) -> Vec<Enrollment<'a>> {
    let changes: Vec<_> = events
        .iter()
        .copied()
        .filter(|event| {
            matches!(event.detail, EventDetail::Drop { .. } | EventDetail::Withdrawal { .. })
        })
        .collect();
    let rows = events.iter().filter_map(|event| Enrollment::read(event, registry));
    rows.filter_map(|(row, term)| row.after(&changes, term, profile)).collect()
}

impl<'a> Enrollment<'a> {
    fn read<'r>(
        event: &'a Event,
        registry: &'r RegistryVersion,
    ) -> Option<(Self, Option<&'r Term>)> {
        let EventDetail::Enrollment {
            program,
            course,
            term: term_id,
            credits_tenths,
            start,
            end,
            ..
        } = &event.detail
        else {
            return None;
        };
        let term = term_id.as_deref().and_then(|id| registry.term(&event.source, id));
        let row = Self {
            event,
            withdrawal: None,
            program: program.as_ref(),
            course: course.as_deref(),
            term: term_id.as_deref(),
            credits_tenths: credits_tenths.unwrap_or(0),
            start: *start,
            end: *end,
            determinable: *start,
            to_term_end: term.is_some_and(|term| *end >= term.end),
            term_is_known: term_id.is_none() || term.is_some(),
        };
        Some((row, term))
    }

    /// This enrollment after its drops, its earliest withdrawal and its census, if it stands.
    fn after(
        mut self,
        changes: &[&'a Event],
        term: Option<&Term>,
        profile: &RuleProfile,
    ) -> Option<Self> {
        let census = term.map(|term| term.census).filter(|_| profile.entry.census_required);
        for change in changes.iter().filter(|change| change.source == self.event.source) {
            let last_day = match &change.detail {
                EventDetail::Drop { course, term, on } => {
                    let about_this =
                        self.course == Some(course) && self.is_of(term.as_deref(), *on);
                    if about_this && self.undone_by_drop(*on, census, profile) {
                        return None;
                    }
                    about_this.then_some(*on)
                }
                EventDetail::Withdrawal { course, term, on } => {
                    let about_this = course.as_deref().is_none_or(|it| self.course == Some(it))
                        && self.is_of(term.as_deref(), *on);
                    (about_this && self.start <= *on).then_some(*on)
                }
                _ => None,
            };
            if let Some(on) = last_day.filter(|on| *on < self.end) {
                self.end = on;
                self.withdrawal = Some(change);
                self.to_term_end = false;
            }
        }
        if let Some(census) = census {
            if self.end < census && self.withdrawal.is_some() {
                return None;
            }
            self.determinable = self.determinable.max(census);
        }
        Some(self)
    }

    /// A drop after the census is a withdrawal; where no census is asked for, so is any drop
    /// after the first day.
    fn undone_by_drop(&self, on: Date, census: Option<Date>, profile: &RuleProfile) -> bool {
        match census {
            Some(census) => on <= census,
            None => profile.entry.census_required || on <= self.start,
        }
    }

    fn is_of(&self, term: Option<&str>, day: Date) -> bool {
        match term {
            Some(term) => self.term == Some(term),
            None => self.start <= day && day <= self.event_end(),
        }
    }

    /// The last day as first reported: several withdrawals must not hide one another.
    fn event_end(&self) -> Date {
        match self.event.detail {
            EventDetail::Enrollment { end, .. } => end,
            _ => self.end,
        }
    }
}

//! Enrollments as they turned out: cut by withdrawals, undone by drops, confirmed by the census.

use jiff::civil::Date;

use crate::{
    event::{Event, EventDetail, ProgramCode},
    profile::RuleProfile,
    registry::{RegistryVersion, Term, is_same_code},
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
    let rows = events.iter().filter_map(|event| Enrollment::read(event, registry));
    let mut rows: Vec<_> = rows.collect();
    let changes = events.iter().filter_map(|event| Change::read(event));
    let changes: Vec<_> = changes.map(|it| (it.strikes_all(&rows), it)).collect();
    rows.retain_mut(|(row, term)| row.stands_after(&changes, *term, profile));
    rows.into_iter().map(|(row, _)| row).collect()
}

/// A drop or a withdrawal.
struct Change<'a> {
    event: &'a Event,
    is_drop: bool,
    course: Option<&'a str>,
    term: Option<&'a str>,
    on: Date,
}

impl<'a> Change<'a> {
    fn read(event: &'a Event) -> Option<Self> {
        let (is_drop, course, term, on) = match &event.detail {
            EventDetail::Drop { course, term, on } => (true, Some(course), term, *on),
            EventDetail::Withdrawal { course, term, on } => (false, course.as_ref(), term, *on),
            _ => return None,
        };
        let (course, term) = (course.map(String::as_str), term.as_deref());
        Some(Self { event, is_drop, course, term, on })
    }

    /// Whether it names what `row` is about. Without a term it is about what is open on its day.
    fn names(&self, row: &Enrollment<'_>) -> bool {
        let is_of_course = |it| row.course.is_some_and(|course| is_same_code(course, it));
        self.event.source == row.event.source
            && self.course.is_none_or(is_of_course)
            && match self.term {
                Some(term) => row.term == Some(term),
                None => row.start <= self.on && self.on <= row.reported_end(),
            }
    }

    /// Whether it strikes what begins after its day too: the whole of a term, or a course of a term
    /// of which nothing had begun. A course that is taken up again afterwards is not struck.
    fn strikes_all(&self, rows: &[(Enrollment<'_>, Option<&Term>)]) -> bool {
        let has_begun = |row: &Enrollment<'_>| self.names(row) && row.start <= self.on;
        self.course.is_none() || !rows.iter().any(|(row, _)| has_begun(row))
    }
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

    /// Cuts the enrollment by its earliest change and counts it from its census; whether it stands.
    /// Each change says whether it strikes what begins after its day too.
    fn stands_after(
        &mut self,
        changes: &[(bool, Change<'a>)],
        term: Option<&Term>,
        profile: &RuleProfile,
    ) -> bool {
        let census = term.map(|term| term.census).filter(|_| profile.entry.census_required);
        for (strikes_all, change) in changes {
            if !change.names(self) {
                continue;
            }
            if self.start > change.on {
                if *strikes_all {
                    return false;
                }
                continue;
            }
            if change.is_drop && self.is_undone_by_drop(change.on, census, profile) {
                return false;
            }
            if change.on < self.end {
                self.end = change.on;
                self.withdrawal = Some(change.event);
                self.to_term_end = false;
            }
        }
        if let Some(census) = census {
            self.determinable = self.determinable.max(census);
        }
        census.is_none_or(|census| census <= self.end)
    }

    /// A drop after the census is a withdrawal; where no census is asked for, so is any drop
    /// after the first day.
    fn is_undone_by_drop(&self, on: Date, census: Option<Date>, profile: &RuleProfile) -> bool {
        match census {
            Some(census) => on <= census,
            None => profile.entry.census_required || on <= self.start,
        }
    }

    /// The last day as first reported: several withdrawals must not hide one another.
    fn reported_end(&self) -> Date {
        match self.event.detail {
            EventDetail::Enrollment { end, .. } => end,
            _ => self.end,
        }
    }
}

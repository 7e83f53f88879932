//! Whether the agencies have reported up to a day, without which nobody can be said to have left.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use record::AgencyId;
use serde::Deserialize;

use crate::{
    days::{day_after, plus_days},
    fault::{Fault, Faults},
    registry::RegistryVersion,
};

/// When the agencies are to report, and what they declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completeness {
    calendars: BTreeMap<AgencyId, Calendar>,
    declarations: Vec<Declaration>,
}

/// When an agency is to report: each period in full by its last day and the days of grace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// The period that one report speaks of.
    pub period: Period,
    /// Days after the period by which the report is to be there.
    pub grace_days: u16,
}

/// A period of reporting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A week, Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// From the day after one census of the registry's terms to the next census.
    Census,
    /// From the day after one term's end to the end of the next.
    Term,
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

/// How far a source has reported, and how far it was to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The agency.
    pub source: AgencyId,
    /// The last day up to which it declared its data complete.
    pub complete_through: Option<Date>,
    /// The last day of the last period whose days of grace are over.
    pub due_through: Option<Date>,
}

impl Reported {
    /// Whether a report is overdue.
    pub fn is_overdue(&self) -> bool {
        self.complete_through < self.due_through
    }
}

/// What is known about a source's data up to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    Complete,
    NotYetDue,
    Overdue,
}

#[derive(Deserialize)]
struct SourcesFile {
    #[serde(default)]
    source: Vec<SourceRow>,
}

/// The part of a source's entry that is about its calendar.
#[derive(Deserialize)]
struct SourceRow {
    agency: String,
    calendar: Option<CalendarRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarRow {
    period: Period,
    grace_days: u16,
}

/// How far the sources that a pathway requires have reported of a leave.
pub(crate) struct Covered {
    /// Those whose report is overdue, ordered; none where the leave is confirmed.
    pub(crate) overdue: Vec<AgencyId>,
    /// Whether all of them had reported up to the deadline.
    pub(crate) is_confirmed: bool,
    /// Where some were overdue: the day since which none is.
    pub(crate) reported_on: Option<Date>,
}

impl Completeness {
    /// The calendars of the agencies, and what was declared, in the order of receipt. A source
    /// without calendar is never overdue.
    pub fn new(calendars: BTreeMap<AgencyId, Calendar>, declarations: Vec<Declaration>) -> Self {
        Self { calendars, declarations }
    }

    /// Reads the calendars of a sources file (`config/sources.toml`), of which the name is for
    /// messages.
    ///
    /// # Errors
    /// [`Faults`] name the rows and what to give.
    pub fn calendars(file: &str, text: &str) -> Result<BTreeMap<AgencyId, Calendar>, Faults> {
        let rows: SourcesFile = toml::from_str(text)
            .map_err(|error| Faults::from(Fault::syntax(file, text, &error)))?;
        let mut calendars = BTreeMap::new();
        let mut faults = Vec::new();
        for (number, row) in (1..).zip(rows.source) {
            let place = format!("source {number} ({})", row.agency);
            let Some(CalendarRow { period, grace_days }) = row.calendar else { continue };
            match row.agency.parse() {
                Ok(agency) => {
                    if calendars.insert(agency, Calendar { period, grace_days }).is_some() {
                        faults.push(Fault::new(file, place, "the agency stands above; keep one"));
                    }
                }
                Err(error) => faults.push(Fault::new(file, place, format!("agency: {error}"))),
            }
        }
        Faults::check(faults).map(|()| calendars)
    }

    /// How far each source that has a calendar, or declared something, has reported by the end of
    /// `known_at`; by source.
    pub fn reported(&self, known_at: Date, registry: &RegistryVersion) -> Vec<Reported> {
        let declared = self.declarations.iter().filter(|it| it.declared_on <= known_at);
        let mut through: BTreeMap<&AgencyId, Option<Date>> =
            self.calendars.keys().map(|source| (source, None)).collect();
        for declaration in declared {
            through.insert(&declaration.source, Some(declaration.complete_through));
        }
        through
            .into_iter()
            .map(|(source, complete_through)| Reported {
                source: source.clone(),
                complete_through,
                due_through: self.due_through(source, known_at, registry),
            })
            .collect()
    }

    /// The last day of the last period of `source` whose days of grace are over at `known_at`.
    fn due_through(
        &self,
        source: &AgencyId,
        known_at: Date,
        registry: &RegistryVersion,
    ) -> Option<Date> {
        let calendar = self.calendars.get(source)?;
        let day = known_at.saturating_sub((i64::from(calendar.grace_days) + 1).days());
        match calendar.period {
            Period::Census => {
                registry.terms_of(source).map(|it| it.census).filter(|it| *it <= day).max()
            }
            Period::Term => {
                registry.terms_of(source).map(|it| it.end).filter(|it| *it <= day).max()
            }
            period if last_day(period, day) == day => Some(day),
            period => Some(first_day(period, day).saturating_sub(1.day())),
        }
    }

    /// What is known at `known_at` about the data of `source` up to `day`. The period that holds
    /// `day` decides: a later file that is late changes nothing.
    pub(crate) fn coverage(
        &self,
        source: &AgencyId,
        day: Date,
        known_at: Date,
        registry: &RegistryVersion,
    ) -> Coverage {
        match self.due(source, day, registry) {
            _ if self.is_declared(source, day, known_at) => Coverage::Complete,
            Some(due) if due < known_at => Coverage::Overdue,
            _ => Coverage::NotYetDue,
        }
    }

    /// How far `sources` have reported by `known_at` of a leave with this deadline, which could be told
    /// `since` some day. Once all of them have, it is confirmed, also where one takes its declaration
    /// back afterwards.
    pub(crate) fn covered(
        &self,
        sources: &[AgencyId],
        deadline: Date,
        (since, known_at): (Date, Date),
        registry: &RegistryVersion,
    ) -> Covered {
        let mut days = self.days(sources, deadline, registry);
        days.retain(|day| since < *day && *day <= known_at);
        days.push(since);
        days.sort_unstable();
        let mut covered = Covered { overdue: Vec::new(), is_confirmed: false, reported_on: None };
        for on in days {
            let coverage = |source| self.coverage(source, deadline, on, registry);
            covered.is_confirmed |= sources.iter().all(|it| coverage(it) == Coverage::Complete);
            let was_overdue = !covered.overdue.is_empty();
            covered.overdue.clear();
            if !covered.is_confirmed {
                let overdue = sources.iter().filter(|it| coverage(it) == Coverage::Overdue);
                covered.overdue.extend(overdue.cloned());
            }
            if was_overdue && covered.overdue.is_empty() {
                covered.reported_on = Some(on);
            }
        }
        covered.overdue.sort();
        covered
    }

    /// Whether `source` had declared its data up to `day` on a day `on`. What it declares stands
    /// until it declares another day, and to the end of the day on which it does.
    fn is_declared(&self, source: &AgencyId, day: Date, on: Date) -> bool {
        let own = self.declarations.iter().filter(|it| it.source == *source);
        let mut until = own.rev().skip_while(|it| it.declared_on > on);
        let covers = |it: &Declaration| it.complete_through >= day;
        loop {
            match until.next() {
                Some(last) if covers(last) => return true,
                Some(last) if last.declared_on == on => {}
                _ => return false,
            }
        }
    }

    /// The last day of grace of the period of `source` that holds `day`.
    fn due(&self, source: &AgencyId, day: Date, registry: &RegistryVersion) -> Option<Date> {
        let calendar = self.calendars.get(source)?;
        let last_day = match calendar.period {
            Period::Census => {
                registry.terms_of(source).map(|it| it.census).filter(|it| *it >= day).min()?
            }
            Period::Term => {
                registry.terms_of(source).map(|it| it.end).filter(|it| *it >= day).min()?
            }
            period => last_day(period, day),
        };
        Some(plus_days(last_day, calendar.grace_days))
    }

    /// The days on which the coverage of the days up to `deadline` may change for these sources.
    pub(crate) fn days(
        &self,
        sources: &[AgencyId],
        deadline: Date,
        registry: &RegistryVersion,
    ) -> Vec<Date> {
        let due = sources.iter().filter_map(|source| self.due(source, deadline, registry));
        let declared = self.declarations.iter().filter(|it| sources.contains(&it.source));
        // What a declaration replaces stands to the end of that day.
        let declared = declared.flat_map(|it| [it.declared_on, day_after(it.declared_on)]);
        due.map(day_after).chain(declared).collect()
    }
}

/// The first day of the week, month or quarter that holds `day`; `day` itself for other periods.
fn first_day(period: Period, day: Date) -> Date {
    match period {
        Period::Week => day.saturating_sub(i32::from(day.weekday().to_monday_zero_offset()).days()),
        Period::Month => day.first_of_month(),
        Period::Quarter => {
            let months = (i32::from(day.month()) - 1) % 3;
            day.first_of_month().saturating_sub(months.months())
        }
        Period::Census | Period::Term => day,
    }
}

/// The last day of the week, month or quarter that holds `day`; `day` itself for other periods.
fn last_day(period: Period, day: Date) -> Date {
    let first = first_day(period, day);
    match period {
        Period::Week => first.saturating_add(6.days()),
        Period::Month => first.last_of_month(),
        Period::Quarter => first.saturating_add(2.months()).last_of_month(),
        Period::Census | Period::Term => day,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::default_registry;

    fn due(period: Period, day: Date) -> Option<Date> {
        let source: AgencyId = "college".parse().unwrap();
        let calendars = [(source.clone(), Calendar { period, grace_days: 10 })].into();
        let registry = default_registry();
        Completeness::new(calendars, Vec::new()).due(&source, day, registry.latest())
    }

    #[test]
    fn a_report_is_due_the_days_of_grace_after_its_period() {
        assert_eq!(due(Period::Week, date(2024, 9, 2)), Some(date(2024, 9, 18)));
        assert_eq!(due(Period::Week, date(2024, 9, 8)), Some(date(2024, 9, 18)));
        assert_eq!(due(Period::Month, date(2024, 2, 1)), Some(date(2024, 3, 10)));
        assert_eq!(due(Period::Quarter, date(2024, 12, 31)), Some(date(2025, 1, 10)));
        assert_eq!(due(Period::Quarter, date(2024, 1, 31)), Some(date(2024, 4, 10)));
        assert_eq!(due(Period::Census, date(2024, 9, 3)), Some(date(2024, 9, 13)));
        assert_eq!(due(Period::Term, date(2024, 9, 3)), Some(date(2024, 12, 23)));
        assert_eq!(due(Period::Term, date(2040, 1, 1)), None);
    }

    #[test]
    fn a_source_is_overdue_while_the_last_period_past_its_grace_is_not_declared() {
        let (source, other): (AgencyId, AgencyId) =
            ("college".parse().unwrap(), "wages".parse().unwrap());
        let registry = default_registry();
        let reported = |period, known_at| {
            let declaration = |complete_through, declared_on| Declaration {
                source: source.clone(),
                complete_through,
                declared_on,
            };
            let declarations = vec![
                declaration(date(2024, 9, 30), date(2024, 10, 5)),
                Declaration { source: other.clone(), ..declaration(date(2024, 1, 1), known_at) },
            ];
            let calendars = [(source.clone(), Calendar { period, grace_days: 10 })].into();
            let all = Completeness::new(calendars, declarations);
            let [of_source, of_other] =
                all.reported(known_at, registry.latest()).try_into().unwrap();
            assert_eq!((of_other.due_through, of_other.is_overdue()), (None, false));
            (of_source.complete_through, of_source.due_through.unwrap(), of_source.is_overdue())
        };
        let declared = Some(date(2024, 9, 30));
        for (period, known_at, expected) in [
            (Period::Month, date(2024, 10, 4), (None, date(2024, 8, 31), true)),
            (Period::Month, date(2024, 10, 10), (declared, date(2024, 8, 31), false)),
            (Period::Month, date(2024, 10, 11), (declared, date(2024, 9, 30), false)),
            (Period::Month, date(2024, 11, 10), (declared, date(2024, 9, 30), false)),
            (Period::Month, date(2024, 11, 11), (declared, date(2024, 10, 31), true)),
            (Period::Quarter, date(2025, 1, 10), (declared, date(2024, 9, 30), false)),
            (Period::Quarter, date(2025, 1, 11), (declared, date(2024, 12, 31), true)),
            (Period::Week, date(2024, 10, 16), (declared, date(2024, 9, 29), false)),
            (Period::Week, date(2024, 10, 17), (declared, date(2024, 10, 6), true)),
            (Period::Census, date(2024, 9, 13), (None, date(2024, 6, 10), true)),
        ] {
            assert_eq!(reported(period, known_at), expected, "{period:?} {known_at}");
        }
    }

    #[test]
    fn an_earlier_day_declared_later_takes_the_later_day_back() {
        let source: AgencyId = "college".parse().unwrap();
        let other: AgencyId = "workforce".parse().unwrap();
        let declaration = |source: &AgencyId, complete_through, declared_on| Declaration {
            source: source.clone(),
            complete_through,
            declared_on,
        };
        let (wrong, right) = (date(2024, 9, 30), date(2024, 8, 31));
        let declarations = vec![
            declaration(&source, wrong, date(2024, 10, 5)),
            declaration(&source, right, date(2024, 10, 9)),
            declaration(&other, wrong, date(2024, 10, 20)),
        ];
        let all = Completeness::new(BTreeMap::new(), declarations);
        for (on, expected) in [(4, false), (5, true), (8, true), (9, true), (10, false)] {
            assert_eq!(all.is_declared(&source, wrong, date(2024, 10, on)), expected, "{on}");
        }
        assert!(all.is_declared(&source, right, date(2024, 10, 10)));
        let reported = all.reported(date(2024, 10, 10), default_registry().latest());
        assert_eq!(reported[0].complete_through, Some(right));
        // What was confirmed stands; what was not, or became known afterwards, is not confirmed.
        let (sources, later) = ([source, other], date(2024, 11, 1));
        let registry = default_registry();
        let confirms = |sources: &[AgencyId], through, since| {
            all.covered(sources, through, (since, later), registry.latest()).is_confirmed
        };
        assert!(confirms(&sources[..1], wrong, date(2024, 10, 1)));
        assert!(!confirms(&sources[..1], wrong, date(2024, 10, 10)));
        assert!(!confirms(&sources, wrong, date(2024, 10, 1)));
        assert!(confirms(&sources, right, date(2024, 10, 1)));
    }

    #[test]
    fn the_calendars_of_a_sources_file_are_read_and_mistakes_named_by_row() {
        let text = "[[source]]\nagency = \"college\"\nfree_of_duplicates = true\n\
                    calendar = { period = \"census\", grace_days = 14 }\n";
        let calendars = Completeness::calendars("sources.toml", text).unwrap();
        let expected = Calendar { period: Period::Census, grace_days: 14 };
        assert_eq!(calendars.values().collect::<Vec<_>>(), [&expected]);
        let refused =
            |text: &str| Completeness::calendars("sources.toml", text).unwrap_err().to_string();
        let twice = refused(&text.repeat(2));
        assert_eq!(twice, "sources.toml: source 2 (college): the agency stands above; keep one");
        let typo = refused(&text.replace("census", "semester"));
        assert!(typo.starts_with("sources.toml, line 4: "), "{typo}");
    }
}

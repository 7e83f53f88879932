//! Activities: the stretches of days that events put into a pathway, before any threshold.

use std::borrow::Cow;

use jiff::civil::Date;
use record::AgencyId;

use crate::{
    enrollment::{Enrollment, enrollments},
    event::{Event, EventDetail, OccupationCode, ProgramCode},
    profile::{Precedence, Route, RuleProfile, SharedAttribution},
    registry::{Component, ComponentKind, RegistryVersion, Role, folded},
    status::{EventRef, Warning},
};

/// The kind of service that a training is.
const TRAINING: &str = "training";

/// What an activity is worth by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Touches the pathway; never an engagement.
    Touch,
    /// Counts beside an engagement of the pathway's own.
    Shared,
    /// Counts by itself.
    Own,
}

/// A stretch of days in one pathway.
#[derive(Debug, Clone)]
pub(crate) struct Activity<'a> {
    pub(crate) pathway: usize,
    pub(crate) start: Date,
    pub(crate) end: Date,
    pub(crate) route: Route,
    pub(crate) standing: Standing,
    /// What counts once towards the number of courses: source, course or program, term.
    pub(crate) unit: (&'a AgencyId, Cow<'a, str>, &'a str),
    pub(crate) credits_tenths: u32,
    pub(crate) hours_hundredths: u32,
    /// Whether a service is a training.
    is_training: bool,
    /// The first day on which it can be counted.
    pub(crate) determinable: Date,
    /// The first day on which it could be counted from what had been received.
    pub(crate) known: Date,
    /// The census up to which its end is bridged.
    pub(crate) bridge: Option<Date>,
    pub(crate) event: &'a Event,
    pub(crate) withdrawal: Option<&'a Event>,
}

impl Activity<'_> {
    /// Whether it goes towards the threshold of `route`. Of services only trainings do; the others
    /// that count are engagements of a person who entered by another route.
    pub(crate) fn meets(&self, route: Route) -> bool {
        self.route == route && (route != Route::Service || self.is_training)
    }
}

/// Reads activities out of events.
pub(crate) struct Reader<'a> {
    pub(crate) registry: &'a RegistryVersion,
    pub(crate) profile: &'a RuleProfile,
    activities: Vec<Activity<'a>>,
    warnings: Vec<(usize, Warning)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(registry: &'a RegistryVersion, profile: &'a RuleProfile) -> Self {
        Self { registry, profile, activities: Vec::new(), warnings: Vec::new() }
    }

    /// The activities in `events`, ordered by pathway, start, end and event; and, by pathway,
    /// what does not fit together.
    pub(crate) fn read(
        mut self,
        events: &[&'a Event],
    ) -> (Vec<Activity<'a>>, Vec<(usize, Warning)>) {
        for enrollment in enrollments(events, self.registry, self.profile) {
            self.enrolled(&enrollment);
        }
        for event in events.iter().copied() {
            match &event.detail {
                EventDetail::ClassHours { class, program, on, hours_hundredths } => {
                    self.attended(event, class, program.as_ref(), *on, *hours_hundredths);
                }
                EventDetail::Service { code, program, start, end } => {
                    self.served(event, code, program, (*start, *end));
                }
                EventDetail::Training { program, study, occupation, start, end } => {
                    let subject = (study.as_ref(), occupation.as_ref());
                    self.trained(event, program, subject, (*start, *end));
                }
                EventDetail::PathwayFlag { pathway, start, end } => {
                    self.flagged(event, pathway, (*start, end.unwrap_or(*start)));
                }
                _ => {}
            }
        }
        self.activities.sort_by(|a, b| {
            (a.pathway, a.start, a.end, a.event).cmp(&(b.pathway, b.start, b.end, b.event))
        });
        (self.activities, self.warnings)
    }

    fn enrolled(&mut self, row: &Enrollment<'a>) {
        let source = &row.event.source;
        let course = row.course.map(|it| (ComponentKind::Course, it));
        let places = self.places(source, row.program.map(of_program), course, row.start);
        let bridge = row.to_term_end && self.profile.leave.term_bridge;
        let bridge = bridge.then(|| self.registry.next_required_census(source, row.end)).flatten();
        let what = row.course.or_else(|| row.program.map(|it| it.code.as_str()));
        for (pathway, standing) in places {
            if !row.term_is_known {
                let event = EventRef::of(row.event);
                self.warnings.push((pathway, Warning::UnknownTerm(event)));
            }
            let days = (row.start, row.end);
            self.activities.push(Activity {
                unit: (source, folded(what.unwrap_or_default()), row.term.unwrap_or_default()),
                credits_tenths: row.credits_tenths,
                determinable: row.determinable,
                known: row.determinable.max(row.event.received_on),
                bridge,
                withdrawal: row.withdrawal,
                ..activity(pathway, row.event, days, Route::Course, standing)
            });
        }
    }

    /// An attendance of no hours is an absence, which agencies report with the rest of a list.
    fn attended(
        &mut self,
        event: &'a Event,
        class: &'a str,
        program: Option<&'a ProgramCode>,
        on: Date,
        hours_hundredths: u32,
    ) {
        if hours_hundredths == 0 {
            return;
        }
        let class = Some((ComponentKind::Class, class));
        for (pathway, standing) in self.places(&event.source, program.map(of_program), class, on) {
            self.activities.push(Activity {
                hours_hundredths,
                ..activity(pathway, event, (on, on), Route::ClassHours, standing)
            });
        }
    }

    /// The pathways in which one or the other code stands, with the better of the two standings.
    fn places(
        &self,
        source: &AgencyId,
        program: Option<(ComponentKind, &str)>,
        other: Option<(ComponentKind, &str)>,
        start: Date,
    ) -> Vec<(usize, Standing)> {
        let mut places: Vec<(usize, Standing)> = Vec::new();
        for (kind, code) in program.into_iter().chain(other) {
            for (pathway, component) in self.registry.components(kind, code, source, start) {
                let standing = self.standing(component);
                match places.iter_mut().find(|(other, _)| *other == pathway) {
                    Some((_, best)) => *best = standing.max(*best),
                    None => places.push((pathway, standing)),
                }
            }
        }
        places
    }

    fn served(&mut self, event: &'a Event, code: &'a str, program: &str, days: (Date, Date)) {
        let kind = ComponentKind::Service;
        for (pathway, component) in self.registry.components(kind, code, &event.source, days.0) {
            let service = component.service.as_deref().unwrap_or_default();
            self.caused(event, program, service, days, (pathway, self.standing(component)));
        }
    }

    fn trained(
        &mut self,
        event: &'a Event,
        program: &str,
        (study, occupation): (Option<&'a ProgramCode>, Option<&'a OccupationCode>),
        days: (Date, Date),
    ) {
        let occupation =
            occupation.map(|it| (ComponentKind::Occupation(it.system), it.code.as_str()));
        for place in self.places(&event.source, study.map(of_program), occupation, days.0) {
            self.caused(event, program, TRAINING, days, place);
        }
    }

    /// A service of some kind, paid for by `program`: the profile says whether it counts.
    fn caused(
        &mut self,
        event: &'a Event,
        program: &str,
        service: &str,
        days: (Date, Date),
        (pathway, standing): (usize, Standing),
    ) {
        let causes = self.profile.causes_participation(program, service);
        if causes.is_none() {
            let warning = Warning::UnknownServiceProgram(EventRef::of(event));
            self.warnings.push((pathway, warning));
        }
        let standing = if causes == Some(true) { standing } else { Standing::Touch };
        self.activities.push(Activity {
            is_training: service == TRAINING,
            ..activity(pathway, event, days, Route::Service, standing)
        });
    }

    fn flagged(&mut self, event: &'a Event, pathway: &str, days: (Date, Date)) {
        let Some(pathway) = self.registry.pathway_index(pathway) else { return };
        let counts = match self.profile.flag.precedence {
            Precedence::DerivedOrAsserted => self.profile.entry.any_of.contains(&Route::AgencyFlag),
            Precedence::Derived => false,
            Precedence::Asserted => true,
        };
        let standing = if counts { Standing::Own } else { Standing::Touch };
        self.activities.push(activity(pathway, event, days, Route::AgencyFlag, standing));
    }

    fn standing(&self, component: &Component) -> Standing {
        match component.role {
            Role::Core | Role::Integrated => Standing::Own,
            Role::Feeder if self.profile.entry.feeder_counts => Standing::Own,
            Role::Feeder => Standing::Touch,
            Role::Shared => match self.profile.entry.shared_attribution {
                SharedAttribution::ProgramOrOwnEngagement => Standing::Shared,
                SharedAttribution::None => Standing::Own,
            },
        }
    }
}

fn of_program(program: &ProgramCode) -> (ComponentKind, &str) {
    (ComponentKind::Program(program.system), &program.code)
}

fn activity<'a>(
    pathway: usize,
    event: &'a Event,
    (start, end): (Date, Date),
    route: Route,
    standing: Standing,
) -> Activity<'a> {
    Activity {
        pathway,
        start,
        end: end.max(start),
        route,
        standing,
        unit: (&event.source, Cow::Borrowed(""), ""),
        credits_tenths: 0,
        hours_hundredths: 0,
        is_training: false,
        determinable: start,
        known: start.max(event.received_on),
        bridge: None,
        event,
        withdrawal: None,
    }
}

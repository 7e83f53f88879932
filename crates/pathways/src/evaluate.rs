//! The status of a person in a pathway, or in all, as of a day and as known on a day.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::{
    activity::{Activity, Reader},
    completeness::Completeness,
    credential::{completer, qualified},
    engagement::PathwayView,
    entry::entered,
    event::{Event, EventDetail, attribute},
    known::known_events,
    profile::{Route, RuleProfile},
    registry::{Pathway, Registry, RegistryVersion},
    spells::{Pauses, runs},
    status::{
        Engagement, EventRef, Exclusion, Participation, PathwayId, Scope, Spell, Status, Warning,
    },
    system,
};

/// A status was asked for as known before the day it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("known_at: give a day on or after as_of")]
pub struct AsOfError;

/// The rules that give a status.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// What belongs to which pathway.
    pub registry: &'a Registry,
    /// The choices of the state.
    pub profile: &'a RuleProfile,
    /// Whether agencies have reported; without it every leave counts as confirmed.
    pub completeness: Option<&'a Completeness>,
}

/// Everything known of one person on one day.
pub(crate) struct Person<'a> {
    pub(crate) rules: Rules<'a>,
    pub(crate) known_at: Date,
    pub(crate) registry: &'a RegistryVersion,
    pub(crate) events: Vec<&'a Event>,
    pub(crate) activities: Vec<Activity<'a>>,
    warnings: Vec<(usize, Warning)>,
    pub(crate) pauses: Pauses<'a>,
}

/// The status of the person whose events these are, in `pathway`.
///
/// `events` are those of one participant, in any order. A pathway that the registry did not have
/// by `known_at` gives a status that says none.
///
/// # Errors
/// [`AsOfError`] when `known_at` lies before `as_of`.
pub fn evaluate(
    events: &[Event],
    registry: &Registry,
    profile: &RuleProfile,
    pathway: &PathwayId,
    as_of: Date,
    known_at: Date,
) -> Result<Status, AsOfError> {
    let scope = Scope::Pathway(pathway.clone());
    Rules::new(registry, profile).status(events, &scope, as_of, known_at)
}

impl<'a> Rules<'a> {
    /// Rules that take every source as complete.
    pub fn new(registry: &'a Registry, profile: &'a RuleProfile) -> Self {
        Self { registry, profile, completeness: None }
    }

    /// These rules, with leaves held back where a source is overdue.
    #[must_use]
    pub fn with_completeness(self, completeness: &'a Completeness) -> Self {
        Self { completeness: Some(completeness), ..self }
    }

    /// The status of one participant in `scope`; see [`evaluate`].
    ///
    /// # Errors
    /// [`AsOfError`] when `known_at` lies before `as_of`.
    pub fn status(
        &self,
        events: &[Event],
        scope: &Scope,
        as_of: Date,
        known_at: Date,
    ) -> Result<Status, AsOfError> {
        let statuses = self.statuses(events, as_of, known_at)?;
        let found = statuses.into_iter().find(|status| status.scope == *scope);
        Ok(found.unwrap_or_else(|| self.nothing(scope.clone(), as_of, known_at)))
    }

    /// The statuses of one participant in every pathway that an event touches, by pathway id, and
    /// in the system last. Empty where no event touches any.
    ///
    /// # Errors
    /// [`AsOfError`] when `known_at` lies before `as_of`.
    pub fn statuses(
        &self,
        events: &[Event],
        as_of: Date,
        known_at: Date,
    ) -> Result<Vec<Status>, AsOfError> {
        if known_at < as_of {
            return Err(AsOfError);
        }
        let Some(person) = Person::new(*self, events, known_at) else { return Ok(Vec::new()) };
        let views = person.views();
        let pathways = views.iter().map(|view| person.status(view, &views, as_of));
        let mut statuses: Vec<_> = pathways.collect();
        statuses.retain(|status| status.participation != Participation::None);
        if !statuses.is_empty() {
            let nothing = self.nothing(Scope::System, as_of, known_at);
            statuses.push(system::status(&person, nothing, &views, &statuses));
        }
        Ok(statuses)
    }

    fn nothing(&self, scope: Scope, as_of: Date, known_at: Date) -> Status {
        Status {
            scope,
            as_of,
            known_at,
            profile: self.profile.name(),
            registry_version: self.registry.at(known_at).map(|it| it.version.clone()),
            participation: Participation::None,
            engagement: Engagement::None,
            credential: None,
            spells: Vec::new(),
            exclusions: Vec::new(),
            contributing: BTreeSet::new(),
            warnings: BTreeSet::new(),
        }
    }
}

impl<'a> Person<'a> {
    /// What is known on `known_at`; nothing where no registry was published by then.
    pub(crate) fn new(rules: Rules<'a>, events: &'a [Event], known_at: Date) -> Option<Self> {
        let registry = rules.registry.at(known_at)?;
        let events = known_events(events, known_at);
        let (activities, warnings) = Reader::new(registry, rules.profile).read(&events);
        let institutions = &registry.institutions;
        let pauses = Pauses::read(&events, institutions, known_at, &rules.profile.leave);
        Some(Self { rules, known_at, registry, events, activities, warnings, pauses })
    }

    /// The pathways that the events touch, by id.
    fn views(&self) -> Vec<PathwayView<'_, 'a>> {
        let by_pathway = self.activities.chunk_by(|a, b| a.pathway == b.pathway);
        by_pathway.map(|activities| self.view(activities)).collect()
    }

    fn view<'p>(&'p self, activities: &'p [Activity<'a>]) -> PathwayView<'p, 'a> {
        let pathway: &'a Pathway = &self.registry.pathways[activities[0].pathway];
        let profile = self.rules.profile;
        let entered = entered(activities, profile, self.known_at);
        let mut awards = Vec::new();
        let (mut terminal, mut spells) = (Vec::new(), Vec::new());
        if let Some(entered) = &entered {
            awards = qualified(&self.events, pathway, profile, entered.first);
            if profile.leave.on_terminal_credential {
                terminal = awards.iter().filter(|it| it.terminal).map(|it| it.awarded_on).collect();
            }
            spells = runs(&entered.qualifying, &self.pauses, &terminal, profile);
        }
        PathwayView { pathway, activities, entered, awards, terminal, runs: spells }
    }

    fn status(
        &self,
        view: &PathwayView<'_, 'a>,
        views: &[PathwayView<'_, 'a>],
        as_of: Date,
    ) -> Status {
        let scope = Scope::Pathway(view.pathway.id.clone());
        let mut status = self.rules.nothing(scope, as_of, self.known_at);
        let Some(entered) = view.entered_by(as_of) else {
            let touches = view.activities.iter().filter(|it| it.start <= as_of);
            status.contributing = touches.map(|it| EventRef::of(it.event)).collect();
            if !status.contributing.is_empty() {
                status.participation = Participation::Candidate;
                status.warnings = self.warnings(view, &[]);
            }
            return status;
        };
        status.participation = Participation::Participant(entered.since);
        status.engagement = view.engagement(self, views, as_of);
        status.spells = view.spells(&status.engagement, as_of);
        let days: Vec<_> = status.spells.iter().map(|it| (it.start, it.last_day)).collect();
        let (events, profile) = (&self.events, self.rules.profile);
        let known = entered.since.known;
        status.credential = completer(&view.awards, events, as_of, &days, known, profile);
        status.exclusions = self.exclusions(status.leave_date(), as_of);
        status.contributing = self.contributing(view, &status);
        status.warnings = self.warnings(view, &status.spells);
        status
    }

    /// The exclusions that began by `as_of`, for a person with this leave date.
    pub(crate) fn exclusions(&self, leave_date: Option<Date>, as_of: Date) -> Vec<Exclusion> {
        let mut exclusions: Vec<_> = self
            .events
            .iter()
            .filter_map(|event| match &event.detail {
                EventDetail::Attribute { name, value, from }
                    if name == attribute::EXCLUSION && *from <= as_of =>
                {
                    let applies = self.rules.profile.excludes(value, *from, leave_date);
                    Some(Exclusion { from: *from, reason: value.clone(), applies })
                }
                _ => None,
            })
            .collect();
        exclusions.sort();
        exclusions.dedup();
        exclusions
    }

    /// The events behind a participant's status.
    fn contributing(&self, view: &PathwayView<'_, 'a>, status: &Status) -> BTreeSet<EventRef> {
        let mut events = BTreeSet::new();
        let in_gap = matches!(status.engagement, Engagement::InGap { .. });
        for run in view.runs_by(status.as_of) {
            for member in &run.members {
                if member.start <= status.as_of || in_gap {
                    events.insert(EventRef::of(member.event));
                    events.extend(member.withdrawal.map(EventRef::of));
                }
            }
            events.extend(run.held_by.map(EventRef::of));
        }
        if let (Engagement::Transferred { .. }, Some(run)) = (&status.engagement, view.runs.last())
            && let Some((transfer, enrolled)) =
                self.pauses.completed_transfer(run, &self.rules.profile.leave)
        {
            events.extend([EventRef::of(transfer.event), EventRef::of(enrolled.event)]);
        }
        let awards = view.awards.iter().filter(|it| it.awarded_on <= status.as_of);
        events.extend(awards.clone().map(|it| EventRef::of(it.event)));
        let revoked = self.events.iter().filter(|event| match &event.detail {
            EventDetail::Revocation { credential_event_id, on } => {
                *on <= status.as_of
                    && awards.clone().any(|it| {
                        it.event.source == event.source
                            && it.event.source_event_id == *credential_event_id
                    })
            }
            _ => false,
        });
        events.extend(revoked.map(|event| EventRef::of(event)));
        events
    }

    fn warnings(&self, view: &PathwayView<'_, 'a>, spells: &[Spell]) -> BTreeSet<Warning> {
        let of_view = |(pathway, _): &&(usize, Warning)| *pathway == view.activities[0].pathway;
        let mut warnings: BTreeSet<_> =
            self.warnings.iter().filter(of_view).map(|(_, warning)| warning.clone()).collect();
        let unknown = self.pauses.unknown.iter();
        warnings.extend(unknown.map(|event| Warning::UnknownInstitution(EventRef::of(event))));
        for event in &self.events {
            if let EventDetail::Exit { on, .. } = event.detail
                && spells.iter().any(|it| it.start <= on && on < it.last_day)
            {
                warnings.insert(Warning::ExitContradicted(EventRef::of(event)));
            }
        }
        let is_flag = |it: &&Activity<'_>| it.route == Route::AgencyFlag;
        if view.activities.iter().all(|it| is_flag(&it)) {
            let flags = view.activities.iter().filter(is_flag);
            warnings.extend(flags.map(|it| Warning::FlagWithoutEngagement(EventRef::of(it.event))));
        }
        warnings
    }
}

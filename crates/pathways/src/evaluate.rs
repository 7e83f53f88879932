//! The status of a person in a pathway, or in all, as of a day and as known on a day.

use std::{collections::BTreeSet, rc::Rc};

use jiff::{ToSpan, civil::Date};

use crate::{
    activity::{Activity, Reader, Standing},
    completeness::Completeness,
    credential::{completer, qualified},
    engagement::PathwayView,
    entry::{Entered, entered},
    event::{Event, EventDetail},
    known::Known,
    profile::{LeaveScope, Route, RuleProfile, RuleProfiles},
    registry::{Pathway, Registry, RegistryVersion},
    spells::{Pauses, joined},
    status::{
        Engagement, EventRef, Exclusion, Participation, PathwayId, Scope, Spell, Status, Warning,
    },
    system,
    told::{Judged, News},
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
    pub profiles: &'a RuleProfiles,
    /// Whether agencies have reported; without it every leave counts as confirmed.
    pub completeness: Option<&'a Completeness>,
}

/// Everything known of one person on one day, in the pathways that one profile governs.
pub(crate) struct Person<'a> {
    pub(crate) profile: &'a RuleProfile,
    pub(crate) completeness: Option<&'a Completeness>,
    pub(crate) known_at: Date,
    pub(crate) registry: &'a RegistryVersion,
    pub(crate) known: Rc<Known<'a>>,
    pub(crate) activities: Vec<Activity<'a>>,
    warnings: Vec<(usize, Warning)>,
    pub(crate) pauses: Pauses<'a>,
}

/// The day of a question, and what may be used for its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) as_of: Date,
    pub(crate) known_at: Date,
    /// The last day of receipt of the events that are used; never after `known_at`.
    pub(crate) heard_by: Date,
}

impl Moment {
    /// The day before `day`, by what had been received by then. The day asked for stays, unless it
    /// was still to come.
    pub(crate) fn before(self, day: Date) -> Self {
        let known_at = day.saturating_sub(1.day());
        Self { as_of: self.as_of.min(known_at), known_at, heard_by: self.heard_by.min(known_at) }
    }
}

/// The status of the person whose events these are, in `pathway`.
///
/// `events` are those of one participant, in any order; those that an audience may not know of are
/// left out by the caller. A pathway that the registry did not have by `known_at`, or that no
/// profile governed, gives a status that says none.
///
/// # Errors
/// [`AsOfError`] when `known_at` lies before `as_of`.
pub fn evaluate(
    events: &[Event],
    registry: &Registry,
    profiles: &RuleProfiles,
    pathway: &PathwayId,
    as_of: Date,
    known_at: Date,
) -> Result<Status, AsOfError> {
    let scope = Scope::Pathway(pathway.clone());
    Rules::new(registry, profiles).status(events, &scope, as_of, known_at)
}

impl<'a> Rules<'a> {
    /// Rules that take every source as complete.
    pub fn new(registry: &'a Registry, profiles: &'a RuleProfiles) -> Self {
        Self { registry, profiles, completeness: None }
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
        Ok(self.statuses_at(events, Moment { as_of, known_at, heard_by: known_at }))
    }

    /// Whether [`Rules::statuses`] says anything: whether an event that had begun by `as_of` touches
    /// a pathway.
    ///
    /// # Errors
    /// [`AsOfError`] when `known_at` lies before `as_of`.
    pub fn touches(
        &self,
        events: &[Event],
        as_of: Date,
        known_at: Date,
    ) -> Result<bool, AsOfError> {
        if known_at < as_of {
            return Err(AsOfError);
        }
        let people = self.people(events, Moment { as_of, known_at, heard_by: known_at });
        let mut activities = people.iter().flat_map(|person| &person.activities);
        Ok(activities.any(|activity| activity.start <= as_of))
    }

    /// The statuses by the rules and events of a moment alone.
    pub(crate) fn judged_at(&self, events: &[Event], moment: Moment) -> Judged {
        let people = self.people(events, moment);
        let views = views(&people);
        let pathways = views.iter().map(|view| self.pathway_status(view, &views, moment.as_of));
        let mut statuses: Vec<_> = pathways.collect();
        statuses.retain(|status| status.participation != Participation::None);
        if !statuses.is_empty() {
            let nothing = self.nothing(Scope::System, moment.as_of, moment.known_at);
            statuses.push(system::status(nothing, &views, &statuses));
        }
        Judged { statuses, news: News::read(self, events, &views, moment) }
    }

    /// What is known at a moment, under each of the profiles in use; nobody where no registry was
    /// published by then.
    pub(crate) fn people<'e>(&self, events: &'e [Event], moment: Moment) -> Vec<Person<'e>>
    where
        'a: 'e,
    {
        let Some(registry) = self.registry.at(moment.known_at) else { return Vec::new() };
        let known = Rc::new(Known::read(events, |event| event.received_on <= moment.heard_by));
        let ids = registry.pathways.iter().map(|it| &it.id);
        let governing: Vec<Option<&RuleProfile>> =
            ids.map(|id| self.profiles.governing(id, moment.as_of, moment.known_at)).collect();
        let mut people = Vec::new();
        for profile in self.profiles.as_slice() {
            let governs =
                |it: &Option<&RuleProfile>| it.is_some_and(|it| std::ptr::eq(it, profile));
            if !governing.iter().any(governs) {
                continue;
            }
            let (mut activities, warnings) = Reader::new(registry, profile).read(&known.events);
            activities.retain(|it| governs(&governing[it.pathway]));
            let pauses = Pauses::read(
                &known.events,
                &registry.institutions,
                moment.known_at,
                &profile.leave,
            );
            people.push(Person {
                profile,
                completeness: self.completeness,
                known_at: moment.known_at,
                registry,
                known: known.clone(),
                activities,
                warnings,
                pauses,
            });
        }
        people
    }

    fn nothing(&self, scope: Scope, as_of: Date, known_at: Date) -> Status {
        let profile = match &scope {
            Scope::Pathway(pathway) => self.profiles.governing(pathway, as_of, known_at),
            Scope::System => None,
        };
        Status {
            scope,
            as_of,
            known_at,
            profile: profile.map(RuleProfile::name).unwrap_or_default(),
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

    fn pathway_status(
        &self,
        view: &PathwayView<'_, '_>,
        views: &[PathwayView<'_, '_>],
        as_of: Date,
    ) -> Status {
        let person = view.person;
        let scope = Scope::Pathway(view.pathway.id.clone());
        let mut status = self.nothing(scope, as_of, person.known_at);
        let Some(entered) = view.entered_by(as_of) else {
            let touches = view.activities.iter().filter(|it| it.start <= as_of);
            status.contributing = touches.map(|it| EventRef::of(it.event)).collect();
            if !status.contributing.is_empty() {
                status.participation = Participation::Candidate;
                status.warnings = person.warnings(view, &[]);
            }
            return status;
        };
        status.participation = Participation::Participant(entered.since);
        status.engagement = view.engagement(views, as_of);
        status.spells = view.spells(&status.engagement, as_of);
        let days: Vec<_> = status.spells.iter().map(|it| (it.start, it.last_day)).collect();
        let since = entered.since;
        status.credential =
            completer(&view.awards, &person.known, as_of, &days, since, person.profile);
        status.exclusions = person.exclusions(status.leave_date(), as_of);
        status.contributing = person.contributing(view, entered, &status);
        status.warnings = person.warnings(view, &status.spells);
        status
    }
}

/// The pathways that the events touch, by id.
pub(crate) fn views<'p, 'a>(people: &'p [Person<'a>]) -> Vec<PathwayView<'p, 'a>> {
    let mut views: Vec<_> = people.iter().flat_map(|person| person.views()).collect();
    if people.len() > 1 {
        views.sort_by(|a, b| a.pathway.id.cmp(&b.pathway.id));
    }
    let in_system =
        |view: &PathwayView<'_, '_>| view.person.profile.leave.scope == LeaveScope::System;
    if views.len() > 1 && views.iter().any(in_system) {
        let stretches = views.iter().flat_map(PathwayView::stretches);
        let elsewhere = joined(stretches.collect());
        for view in views.iter_mut().filter(|view| in_system(view)) {
            view.elsewhere.clone_from(&elsewhere);
            view.join_runs();
        }
    }
    views
}

impl<'a> Person<'a> {
    fn views<'p>(&'p self) -> impl Iterator<Item = PathwayView<'p, 'a>> {
        let by_pathway = self.activities.chunk_by(|a, b| a.pathway == b.pathway);
        by_pathway.map(|activities| self.view(activities))
    }

    fn view<'p>(&'p self, activities: &'p [Activity<'a>]) -> PathwayView<'p, 'a> {
        let pathway: &'a Pathway = &self.registry.pathways[activities[0].pathway];
        let profile = self.profile;
        let entered = entered(activities, profile, self.known_at);
        let (mut awards, mut terminal) = (Vec::new(), Vec::new());
        if let Some(entered) = &entered {
            awards = qualified(&self.known.events, pathway, profile, entered.first);
            if profile.leave.on_terminal_credential {
                terminal = awards.iter().filter(|it| it.terminal).map(|it| it.awarded_on).collect();
            }
        }
        let mut view = PathwayView {
            person: self,
            pathway,
            activities,
            entered,
            awards,
            terminal,
            elsewhere: Vec::new(),
            runs: Vec::new(),
        };
        view.join_runs();
        view
    }

    /// The exclusions that began by `as_of`, for a person with this leave date.
    pub(crate) fn exclusions(&self, leave_date: Option<Date>, as_of: Date) -> Vec<Exclusion> {
        let mut exclusions: Vec<_> = self
            .known
            .events
            .iter()
            .filter_map(|event| match &event.detail {
                EventDetail::Exclusion { reason, from } if *from <= as_of => {
                    let applies = self.profile.excludes(reason, *from, leave_date);
                    Some(Exclusion { from: *from, reason: reason.clone(), applies })
                }
                _ => None,
            })
            .collect();
        exclusions.sort();
        exclusions.dedup();
        exclusions
    }

    /// The events behind a participant's status.
    fn contributing(
        &self,
        view: &PathwayView<'_, 'a>,
        entered: &Entered<'_, 'a>,
        status: &Status,
    ) -> BTreeSet<EventRef> {
        let as_of = status.as_of;
        let in_gap = matches!(status.engagement, Engagement::InGap { .. });
        let last = view.runs_by(as_of).last();
        let begun = entered.qualifying.iter().filter(|it| it.start <= as_of);
        // A gap is one although, or because, the person came back.
        let later = last.into_iter().flat_map(|run| &run.members);
        let later = later.filter(|it| in_gap && it.start > as_of);
        let pending = last.filter(|_| in_gap).and_then(|run| entered.pending_at(run.deadline));
        let engagements = begun.chain(later).copied().chain(pending);
        let mut events: BTreeSet<_> = engagements
            .flat_map(|it| [Some(it.event), it.withdrawal].into_iter().flatten())
            .collect();
        let leaving = view.leaving(entered);
        events.extend(view.runs_by(as_of).iter().filter_map(|run| run.held_on(as_of, &leaving)));
        if let (Engagement::Transferred { .. }, Some(run)) = (&status.engagement, last)
            && let Some((transfer, enrolled)) =
                self.pauses.completed_transfer(run, &self.profile.leave)
        {
            events.extend([transfer.event, enrolled.event]);
        }
        for award in view.awards.iter().filter(|it| it.awarded_on <= as_of) {
            events.insert(award.event);
            let revocations = self.known.revocations(award.event);
            events.extend(revocations.filter(|(_, on)| *on <= as_of).map(|(event, _)| event));
        }
        let excludes = |it: &&&Event| matches!(&it.detail, EventDetail::Exclusion { from, .. } if *from <= as_of);
        events.extend(self.known.events.iter().filter(excludes).copied());
        events.into_iter().map(EventRef::of).collect()
    }

    fn warnings(&self, view: &PathwayView<'_, 'a>, spells: &[Spell]) -> BTreeSet<Warning> {
        let of_view = |(pathway, _): &&(usize, Warning)| *pathway == view.activities[0].pathway;
        let mut warnings: BTreeSet<_> =
            self.warnings.iter().filter(of_view).map(|(_, warning)| warning.clone()).collect();
        let unknown = self.pauses.unknown.iter();
        warnings.extend(unknown.map(|event| Warning::UnknownInstitution(EventRef::of(event))));
        for event in &self.known.events {
            if let EventDetail::Exit { on, .. } = event.detail
                && spells.iter().any(|it| it.start <= on && on < it.last_day)
            {
                warnings.insert(Warning::ExitContradicted(EventRef::of(event)));
            }
        }
        let is_flag = |it: &&Activity<'_>| it.route == Route::AgencyFlag;
        let is_engagement = |it: &Activity<'_>| it.standing == Standing::Own && !is_flag(&it);
        if !view.activities.iter().any(is_engagement) {
            let flags = view.activities.iter().filter(is_flag);
            warnings.extend(flags.map(|it| Warning::FlagWithoutEngagement(EventRef::of(it.event))));
        }
        warnings
    }
}

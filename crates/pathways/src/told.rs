//! Since when each fact was told: `determinable` by the rules as they were published, `known` by
//! what had been received too.
//!
//! What the rules say of one person changes only on some days. After the last of them a fact was
//! told as soon as its own events were there, which its dates as judged say. Whether it was told
//! before that day is asked of the rules as of the day before: so a day that changed nothing of the
//! fact leaves its dates alone, and a fact that was told, taken back and told again is known from
//! the last time.

use jiff::{ToSpan, civil::Date};

use crate::{
    activity::Standing,
    engagement::PathwayView,
    evaluate::{Moment, Rules},
    event::{Event, EventDetail},
    profile::{EntryDate, RuleProfile},
    registry::is_same_code,
    status::{Engagement, Participation, Since, Status},
};

/// Statuses whose dates are those of the rules and events of one moment, and the days of news.
pub(crate) struct Judged {
    pub(crate) statuses: Vec<Status>,
    pub(crate) news: News,
}

/// The last day by a moment on which what is said of each kind of fact may have changed otherwise
/// than by an event that adds to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct News {
    /// A registry version or a profile was published.
    published: Date,
    /// Something was taken away from the engagements, or another profile began to speak.
    taken: Date,
    /// An engagement, a gap or a transfer was added, or its census passed.
    engaged: Date,
    /// A credential was added, or the entry that it follows.
    awarded: Date,
}

/// A dated fact of a status.
struct Fact<'s> {
    kind: Kind,
    effective: Date,
    determinable: &'s mut Date,
    known: &'s mut Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Entry,
    Leave,
    Transfer,
    Award,
}

impl Rules<'_> {
    /// The statuses at a moment, each fact with the days since which it was told.
    pub(crate) fn statuses_at(&self, events: &[Event], moment: Moment) -> Vec<Status> {
        let Judged { mut statuses, news } = self.published_at(events, moment);
        let days = statuses.iter_mut().flat_map(facts).filter_map(|fact| news.last_about(&fact));
        let Some(last) = days.max() else { return statuses };
        let mut before = self.statuses_at(events, moment.before(last));
        for status in &mut statuses {
            let mut earlier = before.iter_mut().find(|it| it.scope == status.scope);
            for fact in facts(status) {
                let Some(day) = news.last_about(&fact) else { continue };
                let same = earlier.as_mut().and_then(|it| fact.in_status(it));
                let same = same.filter(|it| it.determinable == fact.determinable);
                *fact.known = same.map_or(day, |it| *it.known);
            }
        }
        statuses
    }

    /// The statuses at a moment, no fact determinable before the rules that tell it were published.
    fn published_at(&self, events: &[Event], moment: Moment) -> Judged {
        let mut judged = self.judged_at(events, moment);
        let published = judged.news.published;
        let is_older = |fact: &Fact<'_>| *fact.determinable < published;
        if !judged.statuses.iter_mut().flat_map(facts).any(|fact| is_older(&fact)) {
            return judged;
        }
        let unpublished = Moment { heard_by: moment.heard_by, ..moment.before(published) };
        let mut before = self.published_at(events, unpublished).statuses;
        for status in &mut judged.statuses {
            let mut earlier = before.iter_mut().find(|it| it.scope == status.scope);
            for fact in facts(status).filter(is_older) {
                let same = earlier.as_mut().and_then(|it| fact.in_status(it));
                *fact.determinable = same.map_or(published, |it| *it.determinable);
                *fact.known = (*fact.known).max(*fact.determinable);
            }
        }
        judged
    }

    /// The last day by `day` on which a registry version or a profile was published.
    fn last_published(&self, day: Date) -> Date {
        let versions = self.registry.versions().iter().map(|it| it.published_on);
        let profiles = self.profiles.as_slice().iter().map(|it| it.published_on);
        versions.chain(profiles).filter(|it| *it <= day).max().unwrap_or(Date::MIN)
    }
}

impl News {
    /// The news among `events` at a moment; `views` are what was read of them.
    pub(crate) fn read(
        rules: &Rules<'_>,
        events: &[Event],
        views: &[PathwayView<'_, '_>],
        moment: Moment,
    ) -> Self {
        let mut news = Self::received(events, moment.heard_by, |event| {
            is_counted_before(event, events, views)
        });
        news.published = rules.last_published(moment.known_at);
        // Each day is judged by the profile that speaks of it.
        let spoken = rules.profiles.days().filter(|it| *it <= moment.as_of);
        news.taken = spoken.fold(news.taken, Date::max);
        // A touch, such as a follow-up, counts for nothing, and neither does hearing of it.
        let activities = views.iter().flat_map(|view| view.activities);
        for it in activities.filter(|it| it.standing != Standing::Touch) {
            let counted = Some(it.determinable).filter(|day| *day <= moment.known_at);
            let heard = Some(it.event.received_on).max(counted);
            news.engaged = heard.map_or(news.engaged, |day| day.max(news.engaged));
        }
        let entries = views.iter().filter_map(|view| view.entered.as_ref());
        news.awarded = entries.map(|it| it.since.known).fold(news.awarded, Date::max);
        let profiles = || views.iter().map(|view| view.person.profile);
        let depends_on_engagement = |it: &RuleProfile| {
            it.credential.status_post_leave_days.is_some()
                || it.entry.effective == EntryDate::ThresholdMet
        };
        if profiles().any(depends_on_engagement) {
            news.awarded = news.awarded.max(news.engaged);
        }
        if profiles().any(|it| it.leave.on_terminal_credential) {
            news.engaged = news.engaged.max(news.awarded);
        }
        news
    }

    /// The news that events themselves are, up to a day of receipt; of drops and withdrawals those
    /// that `takes` says to take something away.
    fn received(events: &[Event], heard_by: Date, takes: impl Fn(&Event) -> bool) -> Self {
        let none = Date::MIN;
        let mut news = Self { published: none, taken: none, engaged: none, awarded: none };
        for event in events.iter().filter(|event| event.received_on <= heard_by) {
            let removed = match &event.detail {
                EventDetail::Void { voided_event_id } => Some(voided_event_id),
                _ => event.supersedes.as_ref(),
            };
            if let Some(id) = removed {
                let named = |it: &&Event| it.source == event.source && it.source_event_id == *id;
                for removed in events.iter().filter(named) {
                    news.hear(event.received_on, &removed.detail, true);
                }
            }
            let takes = is_change(&event.detail) && takes(event);
            news.hear(event.received_on, &event.detail, takes);
        }
        if events.iter().any(|it| is_change(&it.detail)) {
            let heard = events.iter().filter(|event| event.received_on <= heard_by);
            let restoring = heard.filter(|it| restores(it, events)).map(|it| it.received_on);
            news.taken = restoring.fold(news.taken, Date::max);
        }
        news
    }

    /// Hears on `day` of an event, or that it does not stand, and whether that takes away what had
    /// counted towards an entry.
    fn hear(&mut self, day: Date, detail: &EventDetail, takes: bool) {
        let last = match detail {
            EventDetail::Enrollment { .. }
            | EventDetail::ClassHours { .. }
            | EventDetail::Service { .. }
            | EventDetail::Training { .. }
            | EventDetail::PathwayFlag { .. } => {
                if takes {
                    self.taken = self.taken.max(day);
                }
                return;
            }
            EventDetail::Drop { .. } | EventDetail::Withdrawal { .. } if takes => &mut self.taken,
            EventDetail::Drop { .. }
            | EventDetail::Withdrawal { .. }
            | EventDetail::PlannedGap { .. }
            | EventDetail::TransferOut { .. }
            | EventDetail::EnrollmentElsewhere { .. } => &mut self.engaged,
            EventDetail::Credential { .. } => &mut self.awarded,
            _ => return,
        };
        *last = day.max(*last);
    }

    /// The last day of news about `fact`, unless it was told only later.
    fn last_about(&self, fact: &Fact<'_>) -> Option<Date> {
        let added = match fact.kind {
            // Rules that were in force before may tell it by other events.
            _ if *fact.determinable <= self.published => self.engaged.max(self.awarded),
            Kind::Entry => Date::MIN,
            Kind::Leave | Kind::Transfer => self.engaged,
            Kind::Award => self.awarded,
        };
        let day = added.max(self.taken).max(self.published);
        (day >= *fact.known && day > *fact.determinable).then_some(day)
    }
}

fn is_change(detail: &EventDetail) -> bool {
    matches!(detail, EventDetail::Drop { .. } | EventDetail::Withdrawal { .. })
}

/// Whether what a drop or a withdrawal takes away may have counted towards an entry before it was
/// received. Nothing does before its census; and of an enrollment that is only cut short, the days
/// of entry do not depend on the end, unless a shared activity goes on with it.
fn is_counted_before(change: &Event, events: &[Event], views: &[PathwayView<'_, '_>]) -> bool {
    let (course, term, last_struck) = match &change.detail {
        EventDetail::Drop { course, term: Some(term), on } => (Some(course), term, *on),
        EventDetail::Withdrawal { course, term: Some(term), on } => {
            (course.as_ref(), term, on.saturating_sub(1.day()))
        }
        _ => return true,
    };
    let census_of = |view: &PathwayView<'_, '_>| {
        let term = view.person.registry.term(&change.source, term);
        term.map(|it| it.census).filter(|_| view.person.profile.entry.census_required)
    };
    let Some(census) = views.first().and_then(census_of) else { return true };
    if change.received_on <= census && views.iter().all(|view| census_of(view).is_some()) {
        return false;
    }
    let begins_later = |it: &Event| match &it.detail {
        EventDetail::Enrollment { start, term: of, .. } => {
            it.source == change.source && of.as_ref() == Some(term) && *start > last_struck
        }
        _ => false,
    };
    let activities = || views.iter().flat_map(|view| view.activities);
    course.is_none()
        || last_struck < census
        || views.iter().any(|view| census_of(view).is_none())
        || events.iter().any(begins_later)
        || activities().any(|it| it.standing == Standing::Shared)
}

/// Whether it is an enrollment of a course and term that a drop or a withdrawal names: these strike
/// what had begun, so that one more that had may spare another.
fn restores(event: &Event, events: &[Event]) -> bool {
    let EventDetail::Enrollment { course: Some(course), term, .. } = &event.detail else {
        return false;
    };
    events.iter().filter(|it| it.source == event.source).any(|it| match &it.detail {
        EventDetail::Drop { course: named, term: of, .. }
        | EventDetail::Withdrawal { course: Some(named), term: of, .. } => {
            of.is_some() && of == term && is_same_code(named, course)
        }
        _ => false,
    })
}

impl<'f> Fact<'f> {
    fn of(kind: Kind, since: &'f mut Since) -> Self {
        let Since { effective, determinable, known } = since;
        Self { kind, effective: *effective, determinable, known }
    }

    /// The same fact in another status of the scope.
    fn in_status<'s>(&self, status: &'s mut Status) -> Option<Fact<'s>> {
        facts(status).find(|it| it.kind == self.kind && it.effective == self.effective)
    }
}

fn facts(status: &mut Status) -> impl Iterator<Item = Fact<'_>> {
    let entry = match &mut status.participation {
        Participation::Participant(since) => Some((Kind::Entry, since)),
        Participation::None | Participation::Candidate => None,
    };
    let gone = match &mut status.engagement {
        Engagement::Left { since, .. } => Some((Kind::Leave, since)),
        Engagement::Transferred { since, .. } => Some((Kind::Transfer, since)),
        Engagement::None | Engagement::Active | Engagement::InGap { .. } => None,
    };
    let award = status.credential.as_mut().map(|it| Fact {
        kind: Kind::Award,
        effective: it.first_on,
        determinable: &mut it.determinable,
        known: &mut it.known,
    });
    let dated = entry.into_iter().chain(gone);
    dated.map(|(kind, since)| Fact::of(kind, since)).chain(award)
}

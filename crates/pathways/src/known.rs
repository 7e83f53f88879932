//! The events that count as known on a day: received by then, each once, neither voided nor
//! superseded.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
};

use jiff::civil::Date;
use record::AgencyId;

use crate::event::{Event, EventDetail};

/// An event's name: its source and the source's id of it.
type Name<'a> = (&'a AgencyId, &'a str);

/// What is known of one person on one day.
pub(crate) struct Known<'a> {
    /// The events that count, ordered by source and event id.
    pub(crate) events: Vec<&'a Event>,
    /// What each correction corrects, itself corrected or not.
    corrects: BTreeMap<Name<'a>, &'a str>,
}

impl<'a> Known<'a> {
    /// What is known from the events that `is_heard` lets through.
    ///
    /// Of two events with one id the one received first stands. A correction hides what it
    /// corrects even where it is voided itself: what was reported in error does not come back.
    pub(crate) fn read(events: &'a [Event], is_heard: impl Fn(&Event) -> bool) -> Self {
        let mut known: BTreeMap<Name<'a>, &Event> = BTreeMap::new();
        let mut hidden: BTreeSet<Name<'a>> = BTreeSet::new();
        for event in events.iter().filter(|event| is_heard(event)) {
            if let EventDetail::Void { voided_event_id } = &event.detail {
                hidden.insert((&event.source, voided_event_id));
            }
            match known.entry((&event.source, &event.source_event_id)) {
                Entry::Vacant(place) => {
                    place.insert(event);
                }
                Entry::Occupied(mut place) if earlier(event, place.get()) => {
                    place.insert(event);
                }
                Entry::Occupied(_) => {}
            }
        }
        let corrects: BTreeMap<Name<'a>, &'a str> = known
            .iter()
            .filter_map(|(name, event)| Some((*name, event.supersedes.as_deref()?)))
            .collect();
        hidden.extend(corrects.iter().map(|((source, _), corrected)| (*source, *corrected)));
        known.retain(|name, event| {
            !hidden.contains(name) && !matches!(event.detail, EventDetail::Void { .. })
        });
        Self { events: known.into_values().collect(), corrects }
    }

    /// Whether `name`, given by the source of `event`, names it or an event that it corrects.
    pub(crate) fn is_named(&self, event: &'a Event, name: &str) -> bool {
        let mut id = event.source_event_id.as_str();
        // A correction leads to what it corrects; a circle of them ends after as many steps.
        for _ in 0..=self.corrects.len() {
            if id == name {
                return true;
            }
            let Some(corrected) = self.corrects.get(&(&event.source, id)) else { return false };
            id = corrected;
        }
        false
    }

    /// The revocations of an award, in the order of the events.
    pub(crate) fn revocations(&self, award: &'a Event) -> impl Iterator<Item = (&'a Event, Date)> {
        self.events.iter().filter_map(move |event| match &event.detail {
            EventDetail::Revocation { credential_event_id, on, .. }
                if event.source == award.source && self.is_named(award, credential_event_id) =>
            {
                Some((*event, *on))
            }
            _ => None,
        })
    }
}

fn earlier(one: &Event, other: &Event) -> bool {
    one.received_on.cmp(&other.received_on).then_with(|| one.cmp(other)) == Ordering::Less
}

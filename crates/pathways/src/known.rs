//! The events that count as known on a day: received by then, each once, none of them voided.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
};

use jiff::civil::Date;
use record::AgencyId;

use crate::event::{Event, EventDetail};

/// The events known at the end of `known_at`, ordered by source and event id.
///
/// Of two events with one id the one received first stands.
pub(crate) fn known_events(events: &[Event], known_at: Date) -> Vec<&Event> {
    let mut known: BTreeMap<(&AgencyId, &str), &Event> = BTreeMap::new();
    let mut voided: BTreeSet<(&AgencyId, &str)> = BTreeSet::new();
    for event in events.iter().filter(|event| event.received_on <= known_at) {
        if let EventDetail::Void { voided_event_id } = &event.detail {
            voided.insert((&event.source, voided_event_id));
            continue;
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
    known.retain(|id, _| !voided.contains(id));
    known.into_values().collect()
}

fn earlier(one: &Event, other: &Event) -> bool {
    one.received_on.cmp(&other.received_on).then_with(|| one.cmp(other)) == Ordering::Less
}

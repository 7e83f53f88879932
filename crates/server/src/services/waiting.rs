//! Events that wait for their record, as their agency is told of them.

use api::{
    ErrorReason,
    convert::date_to_proto,
    limits::PAGE,
    submission::{ListWaitingEventsRequest, ListWaitingEventsResponse, WaitingEvent},
};
use record::{AgencyId, LocalId};
use store::{Store, StoredEvent};
use tonic::Status;

use super::pages::{cut, page_token, place_of};
use crate::status::of_store;

/// The name of the list in its page tokens.
const LIST: &str = "waiting events";

/// A page of the agency's events whose record was never accepted.
///
/// # Errors
/// `REQUEST_INVALID`, `PAGE_TOKEN_INVALID`, or the store's.
pub fn waiting_events(
    store: &Store,
    agency: &AgencyId,
    request: &ListWaitingEventsRequest,
) -> Result<ListWaitingEventsResponse, Status> {
    let size = PAGE.size(request.page_size)?;
    let place = place_of(LIST, &request.page_token)?;
    let after = place.as_deref().and_then(|place| {
        // A local id has no slash.
        let (local_id, event_id) = place.split_once('/')?;
        Some((local_id.parse::<LocalId>().ok()?, event_id))
    });
    let after = after.as_ref().map(|(local_id, event_id)| (local_id, *event_id));
    let internal = |error: store::Error| of_store(&error, ErrorReason::Internal);
    let mut page = store.waiting_events(agency, after, size + 1).map_err(internal)?;
    let more = cut(&mut page, size);
    let next = page
        .last()
        .filter(|_| more)
        .map(|last| page_token(LIST, &format!("{}/{}", last.record.local_id, last.event_id)));
    let events = page.iter().map(waiting_event).collect::<store::Result<_>>();
    Ok(ListWaitingEventsResponse {
        events: events.map_err(internal)?,
        next_page_token: next.unwrap_or_default(),
    })
}

fn waiting_event(stored: &StoredEvent) -> store::Result<WaitingEvent> {
    let damaged = |_| store::Error::Corrupt("a stored event cannot be read".to_owned());
    Ok(WaitingEvent {
        event: Some(api::decode(&stored.payload).map_err(damaged)?),
        received_on: Some(date_to_proto(stored.received_on)),
    })
}

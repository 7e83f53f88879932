//! Moments and optional dates between the store's form and the contract's.

use api::convert::timestamp_from_micros;
use jiff::Timestamp;

/// A moment on the wire.
pub fn timestamp(at: Timestamp) -> api::Timestamp {
    timestamp_from_micros(at.as_microsecond())
}

/// A moment from the wire; `None` for one that no calendar has.
pub fn moment(at: &api::Timestamp) -> Option<Timestamp> {
    Timestamp::new(at.seconds, at.nanos).ok()
}

//! Moments and optional dates between the store's form and the contract's.

use api::convert::timestamp_from_micros;
use jiff::Timestamp;

/// A moment on the wire.
pub fn timestamp(at: Timestamp) -> api::Timestamp {
    timestamp_from_micros(at.as_microsecond())
}

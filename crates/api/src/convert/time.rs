//! Instants.

use prost_types::Timestamp;

const MICROS: i64 = 1_000_000;

/// The message of an instant given in microseconds since the Unix epoch, UTC.
pub fn timestamp_from_micros(micros: i64) -> Timestamp {
    let nanos = i32::try_from(micros.rem_euclid(MICROS) * 1_000);
    Timestamp {
        seconds: micros.div_euclid(MICROS),
        nanos: nanos.expect("a part of a second in nanoseconds fits"),
    }
}

/// Microseconds since the Unix epoch, UTC; beyond the range of `i64` the nearest end of it.
pub fn micros_from_timestamp(timestamp: &Timestamp) -> i64 {
    timestamp.seconds.saturating_mul(MICROS).saturating_add(i64::from(timestamp.nanos) / 1_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn instants_are_parsed_back(micros: i64) {
            let timestamp = timestamp_from_micros(micros);
            prop_assert!((0..1_000_000_000).contains(&timestamp.nanos));
            // Within a second of the ends the seconds alone leave the range.
            let near_the_end = micros.unsigned_abs() > i64::MAX.unsigned_abs() - MICROS as u64;
            prop_assume!(!near_the_end);
            prop_assert_eq!(micros_from_timestamp(&timestamp), micros);
        }

        #[test]
        fn any_timestamp_is_read(seconds: i64, nanos: i32) {
            micros_from_timestamp(&Timestamp { seconds, nanos });
        }
    }
}

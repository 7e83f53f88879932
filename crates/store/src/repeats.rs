//! Records that are the same in everything but their local id: a constant, or a broken export.

use std::{
    collections::{BTreeMap, HashMap},
    hash::BuildHasher,
};

use record::{AgencyId, LocalId};
use rustc_hash::FxBuildHasher;

use crate::{Submission, limits};

/// Who holds which content among the records that an agency sent, by the day on which their
/// submission was opened; remembered by the writer.
///
/// Local ids are told apart, so that what is sent again counts once. None of it is on disk: after a
/// restart, or when it holds [`limits::CONTENTS_MAX`] contents, it starts anew, and lets each content
/// pass as often again as it may.
#[derive(Default)]
pub(crate) struct Repeats {
    of: BTreeMap<(AgencyId, i64), Day>,
}

/// The contents of one agency's records of one day, and who holds them, all by their hashes.
#[derive(Default)]
pub(crate) struct Day {
    first: HashMap<u64, u64, FxBuildHasher>,
    /// The local ids after the first.
    others: HashMap<u64, Vec<u64>, FxBuildHasher>,
}

impl Repeats {
    /// The records of the agency and the day of a submission.
    pub(crate) fn day(&mut self, submission: &Submission) -> &mut Day {
        if self.of.values().map(|day| day.first.len()).sum::<usize>() > limits::CONTENTS_MAX {
            self.of.clear();
        }
        let day = submission.created_at.as_second().div_euclid(24 * 60 * 60);
        let agency = &submission.agency;
        // A submission that was opened yesterday may still take rows; one of the day before starts
        // its count anew.
        self.of.retain(|(of, then), _| of != agency || *then >= day - 1);
        self.of.entry((agency.clone(), day)).or_default()
    }
}

impl Day {
    /// Counts a record, unless [`limits::SAME_CONTENT_MAX`] other local ids hold its content; says
    /// whether it was counted.
    pub(crate) fn admit(&mut self, local_id: &LocalId, payload: &[u8]) -> bool {
        let content = FxBuildHasher.hash_one(payload);
        let holder = FxBuildHasher.hash_one(local_id.as_str());
        if *self.first.entry(content).or_insert(holder) == holder {
            return true;
        }
        let others = self.others.entry(content).or_default();
        if others.contains(&holder) {
            return true;
        }
        let has_room = others.len() + 1 < limits::SAME_CONTENT_MAX;
        if has_room {
            others.push(holder);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_refused_from_the_record_on_that_is_one_too_many() {
        let mut day = Day::default();
        let admit = |day: &mut Day, id: usize, payload: &[u8]| {
            day.admit(&format!("A-{id}").parse().unwrap(), payload)
        };
        let most = limits::SAME_CONTENT_MAX;
        // A second round: the same rows, sent again.
        for _ in 0..2 {
            for id in 0..most {
                assert!(admit(&mut day, id, b"constant"), "{id}");
            }
            assert!(!admit(&mut day, most, b"constant"));
            assert!(!admit(&mut day, most + 1, b"constant"));
            assert!(admit(&mut day, most, b"a person"));
        }
    }
}

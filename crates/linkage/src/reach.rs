//! How well blocking reaches the records of one person, estimated from the links themselves.

use rayon::prelude::*;
use record::RecordKey;

use crate::linker::Linker;

/// How the pairs of records within participants were found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Pairs by the number of blocking keys that made them candidates; at place 0 those that no key
    /// reached, which other records hold together.
    pub pairs_by_keys: Vec<u64>,
}

impl Reach {
    /// Pairs within participants.
    pub fn n_pairs(&self) -> u64 {
        self.pairs_by_keys.iter().sum()
    }

    /// Pairs of one person that no key reaches, those that other records hold together included:
    /// the lower bound of Chao (1987) for a population caught by several traps, where f1 and f2 are
    /// the pairs that one and two keys reach. A bound, since a pair that is hard for one key is
    /// mostly hard for the others too.
    pub fn estimated_unreached(&self) -> f64 {
        let pairs = |n_keys: usize| self.pairs_by_keys.get(n_keys).copied().unwrap_or(0) as f64;
        let (once, twice) = (pairs(1), pairs(2));
        (once * (once - 1.0) / (2.0 * (twice + 1.0))).max(pairs(0))
    }

    /// Estimated share of all pairs of one person that the participants do not hold because no key
    /// reaches them, 0 to 1.
    pub fn estimated_missed_share(&self) -> f64 {
        let unseen =
            self.estimated_unreached() - self.pairs_by_keys.first().map_or(0.0, |n| *n as f64);
        let all = self.n_pairs() as f64 + unseen;
        if all > 0.0 { (unseen / all).max(0.0) } else { 0.0 }
    }
}

impl Linker {
    /// How blocking reached the pairs within `groups`.
    pub fn reach(&self, groups: &[Vec<RecordKey>]) -> Reach {
        let none = || vec![0; self.schema.blocking.len() + 1];
        let count = |mut counts: Vec<u64>, group: &Vec<RecordKey>| {
            for (place, left) in group.iter().enumerate() {
                for right in &group[..place] {
                    counts[self.n_shared_keys(left, right)] += 1;
                }
            }
            counts
        };
        let sum = |left: Vec<u64>, right: Vec<u64>| {
            left.into_iter().zip(right).map(|(left, right)| left + right).collect()
        };
        Reach { pairs_by_keys: groups.par_iter().fold(none, count).reduce(none, sum) }
    }

    fn n_shared_keys(&self, left: &RecordKey, right: &RecordKey) -> usize {
        let mut keys = 0_u32;
        for &one in self.versions(left) {
            for &other in self.versions(right) {
                for (key, is_over_cap) in self.blocking.shared(one, other) {
                    keys |= if is_over_cap { 0 } else { 1 << key };
                }
            }
        }
        keys.count_ones() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_key_reached_is_bounded_by_what_few_keys_reached() {
        // 40 pairs reached once and 20 twice: at least 40 * 39 / 42 = 37.1 unreached, 10 of them
        // held together by others.
        let reach = Reach { pairs_by_keys: vec![10, 40, 20, 100] };
        assert!((reach.estimated_unreached() - 37.142_857).abs() < 1e-5);
        assert!((reach.estimated_missed_share() - 27.142_857 / 197.142_857).abs() < 1e-6);
        // Where every pair is reached many times, nothing is missed.
        let all = Reach { pairs_by_keys: vec![0, 0, 3, 100] };
        assert_eq!(all.estimated_missed_share(), 0.0);
    }
}

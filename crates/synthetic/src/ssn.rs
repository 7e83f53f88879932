//! Social security numbers by the rules of issue: unique, and alike where real ones are.

use std::fmt;

/// A number that could have been issued: area 001 to 899 without 666, group 01 to 99, serial 0001
/// to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ssn(u32);

/// The first area number of the state, and how many it has: those born in it share them.
const HOME_AREA: u32 = 540;
const HOME_AREAS: u32 = 12;
/// Every area number outside the state's own.
const OTHER_AREAS: u32 = 898 - HOME_AREAS;
/// Pairs of neighboring serial numbers in one group; the last number stays unused.
const PAIRS: u32 = 4999;
const GROUPS: u32 = 99;

/// Issues numbers: every one at most once.
pub(crate) struct Issuer {
    seed: u32,
    issued_home: u32,
    issued_elsewhere: u32,
}

impl Issuer {
    /// An office whose sequence depends on `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        let folded = seed ^ (seed >> 32);
        Self { seed: folded as u32, issued_home: 0, issued_elsewhere: 0 }
    }

    /// A number whose neighbor stays free for a twin: from the state's own areas while there are
    /// any, or from everywhere else.
    pub(crate) fn issue(&mut self, born_in_state: bool) -> Ssn {
        const HOME: u32 = HOME_AREAS * GROUPS * PAIRS;
        const ELSEWHERE: u32 = OTHER_AREAS * GROUPS * PAIRS;
        if born_in_state && self.issued_home < HOME {
            let place = permute(self.issued_home, HOME, self.seed);
            self.issued_home += 1;
            Self::at(place, |area| HOME_AREA + area)
        } else {
            let place = permute(self.issued_elsewhere % ELSEWHERE, ELSEWHERE, self.seed);
            self.issued_elsewhere += 1;
            Self::at(place, |area| {
                let below_home = area + 1;
                let beyond_home =
                    if below_home < HOME_AREA { below_home } else { below_home + HOME_AREAS };
                if beyond_home < 666 { beyond_home } else { beyond_home + 1 }
            })
        }
    }

    fn at(place: u32, area: impl Fn(u32) -> u32) -> Ssn {
        let (pair, rest) = (place % PAIRS, place / PAIRS);
        Ssn(area(rest / GROUPS) * 1_000_000 + (rest % GROUPS + 1) * 10_000 + pair * 2 + 1)
    }
}

impl Ssn {
    /// The next number, which was kept free for a twin.
    pub(crate) fn neighbor(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A permutation of the numbers below `count`: a Feistel network on the next even power of two,
/// walked until it lands below `count`.
fn permute(number: u32, count: u32, seed: u32) -> u32 {
    let half = (32 - (count - 1).leading_zeros()).div_ceil(2);
    let mask = (1 << half) - 1;
    let mut value = number;
    loop {
        let (mut left, mut right) = (value >> half, value & mask);
        for round in 1..=4 {
            let mixed = (right ^ seed).wrapping_add(round).wrapping_mul(0x9E37_79B1);
            (left, right) = (right, left ^ ((mixed ^ (mixed >> 15)) & mask));
        }
        value = left << half | right;
        if value < count {
            return value;
        }
    }
}

impl fmt::Display for Ssn {
    /// Nine digits without hyphens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:09}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_number_is_valid_and_issued_once() {
        let mut issuer = Issuer::new(7);
        let numbers: BTreeSet<String> = (0..20_000)
            .map(|n| issuer.issue(n % 3 != 0))
            .flat_map(|number| [number.to_string(), number.neighbor().to_string()])
            .collect();
        assert_eq!(numbers.len(), 40_000);
        for number in numbers {
            assert!(number.len() == 9 && number.as_str() < "900000000");
            assert!(!["000", "666"].contains(&&number[..3]));
            assert!(&number[3..5] != "00" && &number[5..] != "0000");
        }
    }

    #[test]
    fn the_permutation_reaches_every_number() {
        let reached: BTreeSet<u32> = (0..1000).map(|n| permute(n, 1000, 3)).collect();
        assert_eq!(reached.len(), 1000);
        assert_ne!(permute(1, 1000, 3), permute(1, 1000, 4));
    }
}

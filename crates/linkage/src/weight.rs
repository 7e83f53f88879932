//! Match weights: evidence in bits, and its conversion to a probability.

use std::{
    fmt,
    ops::{Add, Sub},
};

/// Evidence for (positive) or against (negative) one person, as a base-2 logarithm of odds or of
/// a likelihood ratio.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct MatchWeight(pub f64);

impl MatchWeight {
    /// The weight of prior or posterior odds with `probability` (above 0, below 1).
    pub fn from_probability(probability: f64) -> Self {
        Self((probability / (1.0 - probability)).log2())
    }

    /// The probability whose odds have this weight, 0 to 1.
    pub fn probability(self) -> f64 {
        // Either form overflows on one side only.
        if self.0 >= 0.0 {
            1.0 / (1.0 + (-self.0).exp2())
        } else {
            self.0.exp2() / (1.0 + self.0.exp2())
        }
    }
}

impl Add for MatchWeight {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for MatchWeight {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl fmt::Display for MatchWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.2}", self.0)
    }
}

/// A weight in units of 2^-16 bit: sums do not depend on the order of their terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct FixedWeight(pub(crate) i32);

impl FixedWeight {
    const UNIT: f64 = 65536.0;
}

impl From<MatchWeight> for FixedWeight {
    fn from(weight: MatchWeight) -> Self {
        // A cast from float to integer saturates: beyond 32,000 bits nothing changes.
        Self((weight.0 * Self::UNIT).round() as i32)
    }
}

impl From<FixedWeight> for MatchWeight {
    fn from(weight: FixedWeight) -> Self {
        Self(f64::from(weight.0) / FixedWeight::UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weight_and_probability_are_inverse() {
        for probability in [1e-9, 0.01, 0.5, 0.99] {
            let back = MatchWeight::from_probability(probability).probability();
            assert!((back - probability).abs() < 1e-12 * probability.max(1e-3));
        }
        assert_eq!(MatchWeight(5000.0).probability(), 1.0);
        assert_eq!(MatchWeight(-5000.0).probability(), 0.0);
    }
}

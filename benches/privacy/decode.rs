//! Reading values that are in no population file, given the plaintext of some others.
//!
//! Diffusion is a sum over GF(2), and so is a filter of positional grams as far as its grams set
//! different input bits: each output bit of a number's filter is the XOR of one unknown bit per
//! place and digit, but for a few collisions. That is a noisy linear system (learning parity with
//! noise); information-set decoding (Prange 1962) solves it bit by bit from known pairs of number
//! and filter. With the solution every other number of the field is read off.

use std::{cmp::Reverse, collections::BTreeSet};

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use record::Filter;

use super::similarity::correlation;

/// Digits that a place can hold.
const DIGITS: usize = 10;
/// Tries per output bit to find as many equations as there are unknowns without a collision.
const TRIES: usize = 400;
/// A solution that fails this share of the known filters or fewer is right.
const FEW_FAILURES: f64 = 0.15;
/// Known numbers, those of the most similar filters, from which a number is sought.
const STARTS: usize = 12;

/// What the grams of a field add to its filters.
pub struct Decoder {
    places: usize,
    /// For each place and digit the output bits that they turn over.
    grams: Vec<Vec<u64>>,
    /// What all numbers have in common.
    base: Vec<u64>,
    /// The digits that were seen in each place.
    digits: Vec<BTreeSet<u8>>,
    known: Vec<(Vec<u8>, Filter)>,
}

/// An equation over GF(2): which unknowns it has, and its right side in the last place.
type Equation = u128;

impl Decoder {
    /// Learns from `known` numbers of equal length and their filters; `None` where they are too
    /// few.
    pub fn learn(known: &[(&[u8], &Filter)], seed: u64) -> Option<Self> {
        let (first, filter) = known.first()?;
        let places = first.len();
        // A constant, and nine digits per place beside the first, which is its zero.
        let unknowns = 1 + places * (DIGITS - 1);
        if known.len() <= unknowns || unknowns >= 127 {
            return None;
        }
        let words = filter.0.len();
        let solve = |bit: usize| {
            let equations: Vec<Equation> = known
                .iter()
                .map(|(number, filter)| {
                    let right = filter.0[bit / 64] >> (bit % 64) & 1;
                    left_side(number) | Equation::from(right) << unknowns
                })
                .collect();
            solve_with_noise(&equations, unknowns, seed ^ bit as u64)
        };
        let solutions: Vec<Equation> = (0..words * 64).into_par_iter().map(solve).collect();
        let vector = |unknown: usize| {
            let mut vector = vec![0_u64; words];
            for (bit, solution) in solutions.iter().enumerate() {
                vector[bit / 64] |= ((solution >> unknown & 1) as u64) << (bit % 64);
            }
            vector
        };
        let grams = (0..places * DIGITS)
            .map(|gram| match gram % DIGITS {
                0 => vec![0; words],
                digit => vector(1 + gram / DIGITS * (DIGITS - 1) + digit - 1),
            })
            .collect();
        let seen = |place| known.iter().map(|(number, _)| number[place]).collect();
        Some(Self {
            places,
            grams,
            base: vector(0),
            digits: (0..places).map(seen).collect(),
            known: known.iter().map(|(number, it)| (number.to_vec(), (*it).clone())).collect(),
        })
    }

    /// The number whose filter comes closest to `filter`, sought from several starts by exchanging
    /// the digits of two places at a time.
    pub fn read(&self, filter: &Filter) -> Vec<u8> {
        let near = |it: &(Vec<u8>, Filter)| Reverse((correlation(&it.1, filter) * 1e6) as i64);
        let mut starts: Vec<&(Vec<u8>, Filter)> = self.known.iter().collect();
        starts.sort_by_cached_key(|it| near(it));
        let sought = starts.iter().take(STARTS).map(|start| self.improve(start.0.clone(), filter));
        sought.min().map(|(_, number)| number).unwrap_or_default()
    }

    /// The best number that exchanges of two digits at a time lead to, and the bits that differ.
    fn improve(&self, mut number: Vec<u8>, filter: &Filter) -> (u32, Vec<u8>) {
        let mut rest: Vec<u64> = filter.0.iter().zip(&self.base).map(|(a, b)| a ^ b).collect();
        for (place, digit) in number.iter().enumerate() {
            turn(&mut rest, self.gram(place, *digit));
        }
        let mut least = weight(&rest);
        loop {
            let before = least;
            for (one, other) in (0..self.places).flat_map(|a| (0..a).map(move |b| (a, b))) {
                turn(&mut rest, self.gram(one, number[one]));
                turn(&mut rest, self.gram(other, number[other]));
                for a in self.digits[one].iter() {
                    let mut half = rest.clone();
                    turn(&mut half, self.gram(one, *a));
                    for b in self.digits[other].iter() {
                        let pairs = half.iter().zip(self.gram(other, *b));
                        let left = pairs.map(|(x, y)| (x ^ y).count_ones()).sum();
                        if left < least {
                            (least, number[one], number[other]) = (left, *a, *b);
                        }
                    }
                }
                turn(&mut rest, self.gram(one, number[one]));
                turn(&mut rest, self.gram(other, number[other]));
            }
            if least == before {
                return (least, number);
            }
        }
    }

    fn gram(&self, place: usize, digit: u8) -> &[u64] {
        &self.grams[place * DIGITS + usize::from(digit)]
    }
}

fn weight(bits: &[u64]) -> u32 {
    bits.iter().map(|word| word.count_ones()).sum()
}

fn turn(bits: &mut [u64], by: &[u64]) {
    bits.iter_mut().zip(by).for_each(|(bits, by)| *bits ^= by);
}

/// The unknowns of a number: the constant, and one for each digit that is not 0.
fn left_side(number: &[u8]) -> Equation {
    let digits = number.iter().enumerate().filter(|(_, digit)| **digit > 0);
    digits.fold(1, |side, (place, digit)| {
        side | 1 << (1 + place * (DIGITS - 1) + usize::from(*digit) - 1)
    })
}

/// The best solution found from subsets of the equations as large as the number of unknowns.
fn solve_with_noise(equations: &[Equation], unknowns: usize, seed: u64) -> Equation {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<Equation> = equations.to_vec();
    let mut best = (usize::MAX, 0);
    for _ in 0..TRIES {
        order.shuffle(&mut rng);
        let solution = solve(&order, unknowns);
        let fails = |equation: &&Equation| {
            let side = *equation & ((1 << unknowns) - 1);
            (side & solution).count_ones() % 2 != (*equation >> unknowns) as u32 & 1
        };
        let failures = equations.iter().filter(fails).count();
        if failures < best.0 {
            best = (failures, solution);
        }
        if (failures as f64) < FEW_FAILURES * equations.len() as f64 {
            break;
        }
    }
    best.1
}

/// A solution of the first independent equations by elimination; unknowns that none of them
/// determines are 0.
fn solve(equations: &[Equation], unknowns: usize) -> Equation {
    let mut pivots: Vec<(usize, Equation)> = Vec::with_capacity(unknowns);
    for equation in equations {
        let mut rest = *equation;
        for (place, pivot) in &pivots {
            if rest >> place & 1 == 1 {
                rest ^= pivot;
            }
        }
        let place = rest.trailing_zeros() as usize;
        if rest == 0 || place >= unknowns {
            continue;
        }
        for (_, pivot) in &mut pivots {
            if *pivot >> place & 1 == 1 {
                *pivot ^= rest;
            }
        }
        pivots.push((place, rest));
        if pivots.len() == unknowns {
            break;
        }
    }
    pivots.iter().fold(0, |solution, (place, pivot)| solution | (pivot >> unknowns & 1) << place)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    /// Numbers of five digits whose digits turn over an eighth of 256 bits each, and a filter of
    /// each with one bit in twenty wrong.
    fn numbers(count: usize) -> Vec<(Vec<u8>, Filter)> {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut gram = || -> [u64; 4] {
            std::array::from_fn(|_| rng.random::<u64>() & rng.random::<u64>() & rng.random::<u64>())
        };
        let grams: Vec<[u64; 4]> = (0..5 * DIGITS).map(|_| gram()).collect();
        let number = |_| {
            let number: Vec<u8> = (0..5).map(|_| rng.random_range(0..10)).collect();
            let mut bits = [0; 4];
            for (place, digit) in number.iter().enumerate() {
                turn(&mut bits, &grams[place * DIGITS + usize::from(*digit)]);
            }
            for bit in 0..256 {
                bits[bit / 64] ^= u64::from(rng.random_bool(0.05)) << (bit % 64);
            }
            (number, Filter(bits.into()))
        };
        (0..count).map(number).collect()
    }

    #[test]
    fn enough_known_numbers_give_the_others() {
        let numbers = numbers(160);
        let known: Vec<(&[u8], &Filter)> =
            numbers[..120].iter().map(|(number, filter)| (number.as_slice(), filter)).collect();
        let decoder = Decoder::learn(&known, 1).unwrap();
        let read = numbers[120..].iter().filter(|(number, filter)| decoder.read(filter) == *number);
        assert!(read.count() >= 38);
        assert!(Decoder::learn(&known[..40], 1).is_none(), "46 unknowns need more equations");
    }

    #[test]
    fn equations_are_solved_in_spite_of_wrong_ones() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let secret: Equation = 0b1011_0010_1101;
        let equation = |number: usize| {
            let side: Equation = rng.random_range(1..1 << 12);
            let is_wrong = number.is_multiple_of(12);
            let right = ((side & secret).count_ones() % 2) ^ u32::from(is_wrong);
            side | Equation::from(right) << 12
        };
        let equations: Vec<Equation> = (0..60).map(equation).collect();
        assert_eq!(solve_with_noise(&equations, 12, 1), secret);
    }
}

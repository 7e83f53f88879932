//! Seeded random choices: the only source of chance in this crate.

use jiff::{ToSpan, civil::Date};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Independent sequences of random numbers under one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    /// Who lives in the state.
    People,
    /// Which agencies know a person and what they wrote down.
    Records,
    /// What the person with this index did.
    Activity(u32),
}

/// A sequence of random choices.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// The sequence `stream` under `seed`.
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(match stream {
            Stream::People => 0,
            Stream::Records => 1,
            Stream::Activity(person) => 2 + u64::from(person),
        });
        Self(rng)
    }

    /// True with `probability`, between 0 and 1.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability)
    }

    /// A number below `count`, which is not 0.
    pub(crate) fn below(&mut self, count: u32) -> u32 {
        self.0.random_range(0..count)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        self.0.random_range(low..=high)
    }

    /// An index into a list of `length`, which is not 0.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.0.random_range(0..length)
    }

    /// One of `items`, which are not empty.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// An index drawn by `weights`, of which at least one is not 0.
    pub(crate) fn by_weight(&mut self, weights: &[u32]) -> usize {
        let mut rest = self.below(weights.iter().sum());
        for (index, &weight) in weights.iter().enumerate() {
            if rest < weight {
                return index;
            }
            rest -= weight;
        }
        unreachable!("the rest is below the sum of the weights")
    }

    /// A day from `from` to `until`, both included; `from` if `until` lies before it.
    pub(crate) fn day(&mut self, from: Date, until: Date) -> Date {
        let days = days_between(from, until).max(0);
        plus_days(from, self.between(0, days))
    }
}

/// The day `days` after `date` (before it, if negative), within the calendar.
pub(crate) fn plus_days(date: Date, days: i32) -> Date {
    date.saturating_add(days.days())
}

/// The days from `from` to `until`, negative if `until` lies before `from`.
pub(crate) fn days_between(from: Date, until: Date) -> i32 {
    from.duration_until(until).as_hours().try_into().map_or(i32::MAX, |hours: i32| hours / 24)
}

/// A list of items to draw from by weight, for many draws from long lists.
pub(crate) struct Weighted<T> {
    items: Vec<T>,
    /// The sum of the weights up to and including each item.
    sums: Vec<u64>,
}

impl<T: Copy> Weighted<T> {
    /// The items with their weights; at least one weight is not 0.
    pub(crate) fn new(weighted: impl IntoIterator<Item = (T, u32)>) -> Self {
        let mut sum = 0;
        let (items, sums) = weighted
            .into_iter()
            .map(|(item, weight)| {
                sum += u64::from(weight);
                (item, sum)
            })
            .unzip();
        Self { items, sums }
    }

    /// The sum of all weights.
    pub(crate) fn total(&self) -> u64 {
        self.sums.last().copied().unwrap_or(0)
    }

    /// One item.
    pub(crate) fn draw(&self, random: &mut Random) -> T {
        let at = random.0.random_range(0..self.total());
        self.items[self.sums.partition_point(|&sum| sum <= at)]
    }
}

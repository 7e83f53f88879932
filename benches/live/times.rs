//! How long calls took, and how much memory the process has.

use std::{fs, time::Duration};

/// How long each of some calls took, ascending.
#[derive(Debug, Clone)]
pub struct Times(Vec<Duration>);

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

impl Times {
    /// Number of calls.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time in milliseconds within which a share of the calls, 0 to 1, was done.
    pub fn ms(&self, share: f64) -> f64 {
        let place = (self.0.len() as f64 * share) as usize;
        let last = self.0.len().saturating_sub(1);
        self.0.get(place.min(last)).map_or(0.0, |it| it.as_secs_f64() * 1e3)
    }

    /// Prints a line about them.
    pub fn print(&self, what: &str) {
        println!(
            "{what}: p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms ({} times)",
            self.ms(0.5),
            self.ms(0.99),
            self.ms(1.0),
            self.count()
        );
    }
}

/// The memory of this process, as the system tells it.
pub fn resident() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    peak.map_or("not known", str::trim).to_owned()
}

//! The table of what was measured.

use std::{fmt, time::Duration};

use benches::live::Times;
use comfy_table::{Table, presets::ASCII_MARKDOWN};

/// Within what something should be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// On a steward's screen.
    Screen,
    /// Decided, and told to the agencies.
    Applied,
    /// Nothing is promised.
    None,
}

impl Aim {
    fn ms(self) -> Option<f64> {
        match self {
            Self::Screen => Some(50.0),
            Self::Applied => Some(200.0),
            Self::None => None,
        }
    }
}

/// What was measured, in the order of measuring.
#[derive(Default)]
pub struct Figures(Vec<(String, Aim, Times)>);

impl Figures {
    /// Adds how long each of some calls took.
    pub fn add(
        &mut self,
        what: impl Into<String>,
        aim: Aim,
        times: impl IntoIterator<Item = Duration>,
    ) {
        let (what, times) = (what.into(), Times::from_iter(times));
        times.print(&what);
        self.0.push((what, aim, times));
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        let header = ["what, in ms", "calls", "p50", "p99", "most", "aim", "p99 within it"];
        table.load_style(ASCII_MARKDOWN).set_header(header);
        for (what, aim, times) in &self.0 {
            let ms = |share| format!("{:.1}", times.ms(share));
            let is_within = |aim| if times.ms(0.99) < aim { "yes" } else { "NO" };
            table.add_row([
                what.clone(),
                times.count().to_string(),
                ms(0.5),
                ms(0.99),
                ms(1.0),
                aim.ms().map_or_else(String::new, |aim| format!("{aim:.0}")),
                aim.ms().map_or("", is_within).to_owned(),
            ]);
        }
        write!(f, "{table}")
    }
}

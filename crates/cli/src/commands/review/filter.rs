//! Which tasks: the options that several commands share.

use api::review::{TaskFilter, TaskState};
use clap::{Args, ValueEnum};
use record::AgencyId;

use crate::{exit::Exit, failure::Failure};

/// Most bits of a weight, either way: what the contract's thousandths hold.
const BITS_MAX: f64 = 2_000_000.0;

/// Which tasks. What is not given lets everything through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct FilterArgs {
    /// Only tasks in this state; by default what a steward can settle now: open tasks and those
    /// that wait for a second verdict
    #[arg(long, value_enum, value_name = "STATE")]
    state: Option<State>,
    /// Only tasks for this reason
    #[arg(long, value_enum, value_name = "REASON")]
    reason: Option<TaskReason>,
    /// Only tasks with a record of this agency
    #[arg(long, value_name = "AGENCY")]
    agency: Option<AgencyId>,
    /// Only tasks with a record that has a status in this pathway
    #[arg(long, value_name = "PATHWAY")]
    pathway: Option<String>,
    /// Only tasks that came up at least so many days ago
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u32>,
    /// Only tasks whose match weight is not below this
    #[arg(long, value_name = "BITS", value_parser = millibits, allow_negative_numbers = true)]
    weight_from: Option<i32>,
    /// Only tasks whose match weight is below this
    #[arg(long, value_name = "BITS", value_parser = millibits, allow_negative_numbers = true)]
    weight_below: Option<i32>,
}

/// What a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// A steward
    Open,
    /// The day until which it was put off
    Deferred,
    /// A second steward's verdict
    Second,
    /// Somebody else than those who passed it on or disagreed about it
    Escalated,
    /// An agency's answer
    Asked,
}

/// Why a steward is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TaskReason {
    /// The weight lies between the two cut-offs
    Band,
    /// Another group fits almost as well
    Margin,
    /// Two valid SSNs
    Conflict,
    /// Two records of an agency that holds no person twice
    #[value(alias = "one_source", alias = "one source")]
    OneSource,
    /// Two groups hang together by few of their pairs
    Bridge,
    /// Too little in common to compare
    Evidence,
    /// New versions contradict a decision
    Contrary,
    /// A sample
    Audit,
}

impl FilterArgs {
    /// The filter as the service takes it.
    ///
    /// # Errors
    /// [`Failure`] when no weight lies within the bounds.
    pub fn filter(&self) -> Result<TaskFilter, Failure> {
        if let (Some(from), Some(below)) = (self.weight_from, self.weight_below)
            && from >= below
        {
            let what = "no weight is both from --weight-from on and below --weight-below";
            return Err(Failure::plain(Exit::Usage, what)
                .remedy("give --weight-below a higher weight than --weight-from"));
        }
        Ok(TaskFilter {
            state: self.state.map_or(TaskState::Unspecified, State::to_proto).into(),
            reason: self.reason.map(TaskReason::name).unwrap_or_default().to_owned(),
            agency: self.agency.as_ref().map(ToString::to_string).unwrap_or_default(),
            pathway: self.pathway.clone().unwrap_or_default(),
            days_at_least: self.older_than.unwrap_or_default(),
            weight_at_least_millibits: self.weight_from,
            weight_below_millibits: self.weight_below,
        })
    }
}

impl State {
    fn to_proto(self) -> TaskState {
        match self {
            Self::Open => TaskState::Open,
            Self::Deferred => TaskState::Deferred,
            Self::Second => TaskState::Second,
            Self::Escalated => TaskState::Escalated,
            Self::Asked => TaskState::Asked,
        }
    }
}

impl TaskReason {
    /// The contract's word.
    fn name(self) -> &'static str {
        match self {
            Self::Band => "band",
            Self::Margin => "margin",
            Self::Conflict => "conflict",
            Self::OneSource => "one source",
            Self::Bridge => "bridge",
            Self::Evidence => "evidence",
            Self::Contrary => "contrary",
            Self::Audit => "audit",
        }
    }
}

/// A weight in bits as thousandths of a bit.
fn millibits(text: &str) -> Result<i32, String> {
    let bits: f64 = text.parse().map_err(|_| "give a number of bits, such as -1.5".to_owned())?;
    if !(-BITS_MAX..=BITS_MAX).contains(&bits) {
        return Err("no weight is so large".to_owned());
    }
    #[expect(clippy::cast_possible_truncation, reason = "two thousand million fit")]
    let millibits = (bits * 1e3).round() as i32;
    Ok(millibits)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        filter: FilterArgs,
    }

    fn filter(line: &str) -> Result<TaskFilter, String> {
        let line = Line::try_parse_from(format!("x {line}").split_whitespace());
        let line = line.map_err(|error| error.to_string())?;
        line.filter.filter().map_err(|failure| failure.to_string())
    }

    #[test]
    fn options_become_the_filter_of_the_contract() {
        let default = TaskFilter::default;
        for (line, expected) in [
            ("", default()),
            ("--state second", TaskFilter { state: TaskState::Second.into(), ..default() }),
            ("--reason one-source", TaskFilter { reason: "one source".to_owned(), ..default() }),
            ("--reason one_source", TaskFilter { reason: "one source".to_owned(), ..default() }),
            (
                "--agency college --pathway nursing --older-than 7",
                TaskFilter {
                    agency: "college".to_owned(),
                    pathway: "nursing".to_owned(),
                    days_at_least: 7,
                    ..default()
                },
            ),
            (
                "--weight-from -1.5 --weight-below 6",
                TaskFilter {
                    weight_at_least_millibits: Some(-1_500),
                    weight_below_millibits: Some(6_000),
                    ..default()
                },
            ),
        ] {
            assert_eq!(filter(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_is_refused() {
        for (line, what) in [
            ("--weight-from 6 --weight-below 6", "no weight is both"),
            ("--weight-from nan", "no weight is so large"),
            ("--weight-from 1e9", "no weight is so large"),
            ("--weight-from six", "give a number of bits"),
            ("--state closed", "possible values"),
            ("--reason hunch", "possible values"),
            ("--agency College", "lower-case letters"),
            ("--older-than -1", "unexpected argument"),
        ] {
            let refused = filter(line).unwrap_err();
            assert!(refused.contains(what), "{line}: {refused}");
        }
    }
}

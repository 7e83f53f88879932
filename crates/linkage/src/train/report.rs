//! A training's report as text, for people.

use std::fmt;

use super::{LabelReport, RoundReport, TrainingReport};

impl fmt::Display for TrainingReport {
    /// A line for the sizes, one per round of EM, one for everything to be wary of, and what the
    /// labels say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} record versions, {} random pairs for u",
            self.n_versions, self.n_random_pairs
        )?;
        for round in &self.rounds {
            write!(f, "{round}")?;
        }
        let names = |levels: &[(String, crate::Level)]| {
            let names: Vec<String> =
                levels.iter().map(|(field, level)| format!("{field} {level}")).collect();
            names.join(", ")
        };
        if !self.unseen_m.is_empty() {
            writeln!(f, "never seen in one person, m is assumed: {}", names(&self.unseen_m))?;
        }
        if !self.unseen_u.is_empty() {
            writeln!(f, "never seen at random, u is an upper bound: {}", names(&self.unseen_u))?;
        }
        if !self.household_converged {
            writeln!(
                f,
                "the households did not converge: compare the model before you rely on it"
            )?;
        }
        if !self.prior_converged {
            writeln!(f, "the prior did not converge: compare the model before you rely on it")?;
        }
        if self.labels.n_given > 0 {
            write!(f, "{}", self.labels)?;
        }
        Ok(())
    }
}

impl fmt::Display for LabelReport {
    /// A line for the numbers, and a table by weight.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "labels: {} of {} count, {} of one person",
            self.n_counted, self.n_given, self.n_matches
        )?;
        if !self.bands.is_empty() {
            writeln!(f, "  weight      judged  matches   expected before    after")?;
        }
        for band in &self.bands {
            writeln!(
                f,
                "  {:+3} to {:+3}  {:6}  {:7}  {:15.1} %  {:5.1} %",
                band.from.0,
                band.to.0,
                band.n_judged,
                band.n_matches,
                band.before * 100.0,
                band.after * 100.0
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for RoundReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match (self.counts, self.converged) {
            (false, _) => "too few matches to count",
            (true, true) => "converged",
            (true, false) => "did not converge",
        };
        writeln!(
            f,
            "{}: {} pairs, {:.1} % of one person, {outcome} after {} iterations",
            self.key,
            self.n_pairs,
            self.matches * 100.0,
            self.iterations
        )
    }
}

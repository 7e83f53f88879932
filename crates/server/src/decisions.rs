//! Whether a steward's decision can stand beside the earlier ones.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use record::RecordKey;
use store::{Decision, Verdict};

/// The earlier decisions that a new one contradicts, as the chain of records that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// Records from the one side to the other, each linked to the next by a decision; for a link,
    /// the two ends are what a decision separates.
    pub path: Vec<RecordKey>,
}

/// Checks a new decision on `left` and `right` against the standing ones: records that decisions
/// link are one person, and no decision may separate two of them.
///
/// # Errors
/// [`Contradiction`] with the path.
pub fn check(
    standing: &[Decision],
    left: &RecordKey,
    right: &RecordKey,
    verdict: Verdict,
) -> Result<(), Contradiction> {
    let linked = links(standing);
    match verdict {
        Verdict::Separate => match path(&linked, left, right) {
            Some(path) => Err(Contradiction { path }),
            None => Ok(()),
        },
        Verdict::Link => separated(standing, &linked, left, right),
    }
}

fn links(standing: &[Decision]) -> BTreeMap<&RecordKey, BTreeSet<&RecordKey>> {
    let mut linked: BTreeMap<&RecordKey, BTreeSet<&RecordKey>> = BTreeMap::new();
    for decision in standing.iter().filter(|d| d.made.verdict == Verdict::Link) {
        let (left, right) = (&decision.made.left, &decision.made.right);
        linked.entry(left).or_default().insert(right);
        linked.entry(right).or_default().insert(left);
    }
    linked
}

/// A decision that separates a record linked to `left` from one linked to `right`.
fn separated(
    standing: &[Decision],
    linked: &BTreeMap<&RecordKey, BTreeSet<&RecordKey>>,
    left: &RecordKey,
    right: &RecordKey,
) -> Result<(), Contradiction> {
    for decision in standing.iter().filter(|d| d.made.verdict == Verdict::Separate) {
        let (a, b) = (&decision.made.left, &decision.made.right);
        for (a, b) in [(a, b), (b, a)] {
            if let (Some(mut one), Some(other)) = (path(linked, a, left), path(linked, right, b)) {
                one.extend(other);
                return Err(Contradiction { path: one });
            }
        }
    }
    Ok(())
}

/// The shortest chain of linked records from `from` to `to`, both included.
fn path(
    linked: &BTreeMap<&RecordKey, BTreeSet<&RecordKey>>,
    from: &RecordKey,
    to: &RecordKey,
) -> Option<Vec<RecordKey>> {
    let mut came_from: BTreeMap<&RecordKey, Option<&RecordKey>> = BTreeMap::from([(from, None)]);
    let mut open = VecDeque::from([from]);
    while let Some(here) = open.pop_front() {
        if here == to {
            let mut chain = vec![here.clone()];
            let mut step = came_from[here];
            while let Some(before) = step {
                chain.push(before.clone());
                step = came_from[before];
            }
            chain.reverse();
            return Some(chain);
        }
        for next in linked.get(here).into_iter().flatten() {
            if !came_from.contains_key(next) {
                came_from.insert(next, Some(here));
                open.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use store::{DecisionId, NewDecision, Seq};

    use super::*;

    fn key(name: &str) -> RecordKey {
        format!("a/{name}").parse().unwrap()
    }

    /// Decisions written as `x=y` (link) and `x#y` (separate).
    fn standing(text: &str) -> Vec<Decision> {
        text.split_whitespace()
            .map(|text| {
                let verdict = if text.contains('=') { Verdict::Link } else { Verdict::Separate };
                let (left, right) = text.split_once(['=', '#']).unwrap();
                let made = NewDecision {
                    id: DecisionId(text.to_owned()),
                    left: key(left),
                    right: key(right),
                    verdict,
                    author: "s".to_owned(),
                    reason: "r".to_owned(),
                    model_version: "m".to_owned(),
                    at: Timestamp::UNIX_EPOCH,
                };
                Decision { seq: Seq(1), made, undone: None }
            })
            .collect()
    }

    fn names(result: Result<(), Contradiction>) -> String {
        result.map_or_else(
            |c| c.path.iter().map(|r| r.local_id.to_string()).collect::<Vec<_>>().join("-"),
            |()| "ok".to_owned(),
        )
    }

    #[test]
    fn a_decision_stands_unless_a_chain_of_earlier_ones_contradicts_it() {
        for (earlier, left, right, verdict, expected) in [
            ("", "x", "y", Verdict::Link, "ok"),
            ("x=y y=z", "x", "z", Verdict::Separate, "x-y-z"),
            ("x=y", "x", "z", Verdict::Separate, "ok"),
            ("x#z", "x", "z", Verdict::Link, "x-z"),
            ("x=y z=w y#w", "x", "z", Verdict::Link, "y-x-z-w"),
            ("x=y z=w", "x", "z", Verdict::Link, "ok"),
            ("x#y", "x", "y", Verdict::Separate, "ok"),
        ] {
            let result = check(&standing(earlier), &key(left), &key(right), verdict);
            assert_eq!(names(result), expected, "{earlier} then {left} {right}");
        }
    }
}

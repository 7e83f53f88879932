//! Divides one connected component of records into people: average-weight agglomeration.
//!
//! Pure: members are numbered in the order of (record key, version), votes are exact integers, and
//! ties go to the smaller numbers, so the result does not depend on the order of arrival.

use std::fmt;

use crate::weight::{FixedWeight, MatchWeight};

/// What one cross pair says about joining the groups of its two members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vote {
    /// The pair's weight, prior included, limited to the model's vote limit.
    pub(crate) weight: FixedWeight,
    /// Whether the pair carries enough evidence to vote.
    pub(crate) counts: bool,
    /// What the pair's identifiers say.
    pub(crate) identifiers: Identifiers,
}

/// Whether identifiers that both members have speak for one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Identifiers {
    /// Some identifier agrees, up to one typing error.
    pub(crate) agree: bool,
    /// Some identifier differs by more than one digit or one transposition.
    pub(crate) conflict: bool,
}

/// The weights between which a steward is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) upper: MatchWeight,
    pub(crate) lower: MatchWeight,
}

/// Why two groups were not joined although their weight reaches the lower cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReviewReason {
    /// The weight lies between the cut-offs.
    Band,
    /// Two identifiers differ by more than one digit or one transposition.
    Conflict,
}

impl fmt::Display for ReviewReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Band => "band",
            Self::Conflict => "conflict",
        })
    }
}

/// Two groups that a steward has to compare, by their places in [`Division::groups`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Proposal {
    pub(crate) left: usize,
    pub(crate) right: usize,
    pub(crate) weight: MatchWeight,
    pub(crate) reason: ReviewReason,
}

/// A component divided.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Division {
    /// Every member in exactly one group; members ascending, groups by first member.
    pub(crate) groups: Vec<Vec<usize>>,
    /// By (left, right).
    pub(crate) proposals: Vec<Proposal>,
}

/// The sum over the cross pairs of two groups.
#[derive(Debug, Clone, Copy, Default)]
struct Cross {
    sum: i64,
    votes: u32,
    agree: bool,
    conflict: bool,
    apart: bool,
}

impl Cross {
    fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.votes += other.votes;
        self.agree |= other.agree;
        self.conflict |= other.conflict;
        self.apart |= other.apart;
    }

    /// The prior once plus the mean evidence of the pairs that vote.
    fn mean(self) -> Option<MatchWeight> {
        let unit = MatchWeight::from(FixedWeight(1)).0;
        (self.votes > 0).then(|| MatchWeight(self.sum as f64 / f64::from(self.votes) * unit))
    }

    /// Identifiers conflict unless some cross pair shows that the groups share one.
    fn conflicts(self) -> bool {
        self.conflict && !self.agree
    }
}

struct Agglomeration {
    members: Vec<Vec<usize>>,
    cross: Vec<Cross>,
    /// For each group the best partner with a larger number that it may join.
    best: Vec<Option<(MatchWeight, usize)>>,
    upper: MatchWeight,
}

/// Divides the members `0..bound.len()`.
///
/// `bound[i]` is the smallest member that `i` must stay with (itself, if none). `apart` are pairs
/// that must not meet. Groups are joined, best mean weight first, while the best reaches
/// `limits.upper`; what remains from `limits.lower` on is proposed to a steward, for each group
/// its best partner.
pub(crate) fn divide(
    bound: &[usize],
    apart: &[(usize, usize)],
    limits: Limits,
    vote: impl Fn(usize, usize) -> Vote,
) -> Division {
    let mut agglomeration = Agglomeration::new(bound, apart, limits.upper, vote);
    while agglomeration.join_best() {}
    agglomeration.finish(limits.lower)
}

impl Agglomeration {
    fn new(
        bound: &[usize],
        apart: &[(usize, usize)],
        upper: MatchWeight,
        vote: impl Fn(usize, usize) -> Vote,
    ) -> Self {
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut group_of = vec![0; bound.len()];
        for (member, &first) in bound.iter().enumerate() {
            if first == member {
                group_of[member] = members.len();
                members.push(vec![member]);
            } else {
                group_of[member] = group_of[first];
                members[group_of[first]].push(member);
            }
        }
        let n = members.len();
        let mut this =
            Self { members, cross: vec![Cross::default(); n * n], best: vec![None; n], upper };
        for right in 0..bound.len() {
            for left in 0..right {
                let (a, b) = (group_of[left], group_of[right]);
                if a != b {
                    this.enter(a, b, vote(left, right).into());
                }
            }
        }
        for &(left, right) in apart {
            let (a, b) = (group_of[left], group_of[right]);
            if a != b {
                this.enter(a, b, Cross { apart: true, ..Cross::default() });
            }
        }
        for group in 0..n {
            this.best[group] = this.best_of(group);
        }
        this
    }

    fn n(&self) -> usize {
        self.members.len()
    }

    fn cross(&self, left: usize, right: usize) -> Cross {
        self.cross[left * self.n() + right]
    }

    fn enter(&mut self, left: usize, right: usize, cross: Cross) {
        let n = self.n();
        self.cross[left * n + right].add(cross);
        self.cross[right * n + left].add(cross);
    }

    fn is_alive(&self, group: usize) -> bool {
        !self.members[group].is_empty()
    }

    /// The weight at which two groups may be joined without asking.
    fn joinable(&self, left: usize, right: usize) -> Option<MatchWeight> {
        let cross = self.cross(left, right);
        let may = !cross.apart && !cross.conflicts();
        cross.mean().filter(|mean| may && *mean >= self.upper)
    }

    fn best_of(&self, group: usize) -> Option<(MatchWeight, usize)> {
        let mut best: Option<(MatchWeight, usize)> = None;
        for other in group + 1..self.n() {
            if self.is_alive(other)
                && let Some(mean) = self.joinable(group, other)
                && best.is_none_or(|(most, _)| mean > most)
            {
                best = Some((mean, other));
            }
        }
        best
    }

    /// Joins the best pair of groups; false when none may be joined.
    fn join_best(&mut self) -> bool {
        let mut best: Option<(MatchWeight, usize, usize)> = None;
        for (left, candidate) in self.best.iter().enumerate() {
            if let Some((mean, right)) = *candidate
                && best.is_none_or(|(most, ..)| mean > most)
            {
                best = Some((mean, left, right));
            }
        }
        let Some((_, left, right)) = best else { return false };
        let moved = std::mem::take(&mut self.members[right]);
        self.members[left].extend(moved);
        self.members[left].sort_unstable();
        self.best[right] = None;
        for other in 0..self.n() {
            if other != left && self.is_alive(other) {
                self.enter(left, other, self.cross(right, other));
            }
        }
        for other in 0..self.n() {
            if self.is_alive(other) {
                self.update_best(other, left, right);
            }
        }
        true
    }

    /// Renews the best partner of `group` after `right` went into `left`.
    fn update_best(&mut self, group: usize, left: usize, right: usize) {
        let was_part = self.best[group].is_some_and(|(_, other)| other == left || other == right);
        if group == left || was_part {
            self.best[group] = self.best_of(group);
        } else if group < left
            && let Some(mean) = self.joinable(group, left)
            && self.best[group].is_none_or(|(most, other)| (mean, other) > (most, left))
        {
            self.best[group] = Some((mean, left));
        }
    }

    fn finish(self, lower: MatchWeight) -> Division {
        let alive: Vec<usize> = (0..self.n()).filter(|group| self.is_alive(*group)).collect();
        let mut proposals = Vec::new();
        let mut strongest = vec![None; alive.len()];
        for (right, &b) in alive.iter().enumerate() {
            for (left, &a) in alive[..right].iter().enumerate() {
                let cross = self.cross(a, b);
                let Some(weight) = cross.mean().filter(|mean| !cross.apart && *mean >= lower)
                else {
                    continue;
                };
                let reason =
                    if cross.conflicts() { ReviewReason::Conflict } else { ReviewReason::Band };
                for side in [left, right] {
                    if strongest[side].is_none_or(|most| weight > most) {
                        strongest[side] = Some(weight);
                    }
                }
                proposals.push(Proposal { left, right, weight, reason });
            }
        }
        proposals.retain(|proposal| {
            [proposal.left, proposal.right].iter().any(|s| strongest[*s] == Some(proposal.weight))
        });
        proposals.sort_by_key(|proposal| (proposal.left, proposal.right));
        let mut members = self.members;
        let groups = alive.into_iter().map(|group| std::mem::take(&mut members[group])).collect();
        Division { groups, proposals }
    }
}

impl From<Vote> for Cross {
    fn from(vote: Vote) -> Self {
        Self {
            sum: if vote.counts { i64::from(vote.weight.0) } else { 0 },
            votes: u32::from(vote.counts),
            agree: vote.identifiers.agree,
            conflict: vote.identifiers.conflict,
            apart: false,
        }
    }
}

#[cfg(test)]
mod tests;

//! Divides one connected component of records into people: average-weight agglomeration.
//!
//! Pure: members are numbered in the order of (record key, version), votes are exact integers, and
//! ties go to the smaller numbers, so the result does not depend on the order of arrival.

use std::{collections::BTreeSet, fmt};

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
    /// Whether the two are different records of one source that is free of duplicates.
    pub(crate) one_source: bool,
}

/// Whether identifiers that both members have speak for one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Identifiers {
    /// Some identifier agrees, up to one typing error.
    pub(crate) agree: bool,
    /// Some identifier differs by more than one digit or one transposition.
    pub(crate) conflict: bool,
}

impl Identifiers {
    /// Identifiers conflict unless one that is shared speaks for one person.
    pub(crate) fn conflicts(self) -> bool {
        self.conflict && !self.agree
    }
}

/// What an automatic join needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From here on groups are joined,
    pub(crate) upper: MatchWeight,
    /// and from here on a steward is asked.
    pub(crate) lower: MatchWeight,
    /// From here on a steward is asked about groups that are not compared.
    pub(crate) silent: MatchWeight,
    /// Bits by which a join must beat the second-best one that contradicts it.
    pub(crate) margin: MatchWeight,
}

/// Why a steward is asked about two groups: mostly, why they were not joined although their weight
/// reaches the lower cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReviewReason {
    /// The weight lies between the cut-offs.
    Band,
    /// Another group fits one of the two almost as well, and the three cannot all be one person.
    Margin,
    /// Two identifiers differ by more than one digit or one transposition.
    Conflict,
    /// Both groups hold a record of a source that is declared free of duplicates.
    OneSource,
    /// Two groups of several records hang together by a minority of their pairs.
    Bridge,
    /// The records have too little in common to compare: full agreement would not say enough.
    Evidence,
    /// A steward's decision binds the two, and versions that came since speak strongly against it.
    Contrary,
}

impl fmt::Display for ReviewReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Band => "band",
            Self::Margin => "margin",
            Self::Conflict => "conflict",
            Self::OneSource => "one source",
            Self::Bridge => "bridge",
            Self::Evidence => "evidence",
            Self::Contrary => "contrary",
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

/// Two groups that were joined because of their weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Join {
    /// The weight of joining them.
    pub weight: MatchWeight,
    /// Number of record pairs that this linked.
    pub n_pairs: u32,
}

/// A component divided.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Division {
    /// Every member in exactly one group; members ascending, groups by first member.
    pub(crate) groups: Vec<Vec<usize>>,
    /// By (left, right).
    pub(crate) proposals: Vec<Proposal>,
    /// In the order of joining.
    pub(crate) joins: Vec<Join>,
}

/// From here down two groups are taken to be two people: odds of a thousand to one.
const IMPOSSIBLE: MatchWeight = MatchWeight(-10.0);

/// The sum over the cross pairs of two groups.
#[derive(Debug, Clone, Copy, Default)]
struct Cross {
    sum: i64,
    votes: u32,
    /// Votes that by themselves reach the lower cut-off.
    in_favor: u32,
    /// The highest weight of a pair that does not vote.
    silent: Option<FixedWeight>,
    identifiers: Identifiers,
    one_source: bool,
    apart: bool,
}

impl Cross {
    fn of(vote: Vote, limits: Limits) -> Self {
        let is_in_favor = vote.counts && MatchWeight::from(vote.weight) >= limits.lower;
        Self {
            sum: if vote.counts { i64::from(vote.weight.0) } else { 0 },
            votes: u32::from(vote.counts),
            in_favor: u32::from(is_in_favor),
            silent: (!vote.counts).then_some(vote.weight),
            identifiers: vote.identifiers,
            one_source: vote.one_source,
            apart: false,
        }
    }

    fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.votes += other.votes;
        self.in_favor += other.in_favor;
        self.silent = self.silent.max(other.silent);
        self.identifiers.agree |= other.identifiers.agree;
        self.identifiers.conflict |= other.identifiers.conflict;
        self.one_source |= other.one_source;
        self.apart |= other.apart;
    }

    /// The prior once plus the mean evidence of the pairs that vote.
    fn mean(self) -> Option<MatchWeight> {
        let unit = MatchWeight::from(FixedWeight(1)).0;
        (self.votes > 0).then(|| MatchWeight(self.sum as f64 / f64::from(self.votes) * unit))
    }

    /// Whether the groups practically cannot be one person.
    fn contradicts(self) -> bool {
        self.apart
            || self.identifiers.conflicts()
            || self.one_source
            || self.mean().is_some_and(|mean| mean <= IMPOSSIBLE)
    }

    /// What speaks against joining the groups without asking, whatever their weight; whether both
    /// have several members is for the caller to say.
    fn objection(self, are_several: bool) -> Option<ReviewReason> {
        if self.identifiers.conflicts() {
            Some(ReviewReason::Conflict)
        } else if self.one_source {
            Some(ReviewReason::OneSource)
        } else if are_several && 2 * self.in_favor < self.votes {
            Some(ReviewReason::Bridge)
        } else {
            None
        }
    }

    /// The weight to ask a steward about: of pairs that are not compared only one that would have
    /// been joined, from its own cut-off on.
    fn weight_to_ask(self, limits: Limits) -> Option<MatchWeight> {
        let silent = self.silent.map(MatchWeight::from).filter(|weight| *weight >= limits.silent);
        self.mean().or(silent).filter(|weight| !self.apart && *weight >= limits.lower)
    }
}

/// The weight of joining two groups by all votes across them; `None` where nobody votes, or where
/// something speaks against the join whatever its weight.
pub(crate) fn weight_of_join(
    votes: impl Iterator<Item = Vote>,
    are_several: bool,
    limits: Limits,
) -> Option<MatchWeight> {
    let mut cross = Cross::default();
    votes.for_each(|vote| cross.add(Cross::of(vote, limits)));
    cross.mean().filter(|_| cross.objection(are_several).is_none())
}

struct Agglomeration {
    members: Vec<Vec<usize>>,
    cross: Vec<Cross>,
    /// For each group the best partner with a larger number that it may join.
    best: Vec<Option<(MatchWeight, usize)>>,
    /// Pairs of groups that may not be joined now because a rival is too close.
    held: BTreeSet<(usize, usize)>,
    joins: Vec<Join>,
    limits: Limits,
}

/// Divides the members `0..bound.len()`.
///
/// `bound[i]` is the smallest member that `i` must stay with (itself, if none). `apart` are pairs
/// that must not meet. Groups are joined, best mean weight first, while the best reaches the upper
/// cut-off and nothing speaks against it ([`ReviewReason`]); what remains from the lower cut-off
/// on is proposed to a steward, for each group its best partner.
pub(crate) fn divide(
    bound: &[usize],
    apart: &[(usize, usize)],
    limits: Limits,
    vote: impl Fn(usize, usize) -> Vote,
) -> Division {
    let mut agglomeration = Agglomeration::new(bound, apart, limits, vote);
    while agglomeration.join_best() {}
    agglomeration.finish()
}

impl Agglomeration {
    fn new(
        bound: &[usize],
        apart: &[(usize, usize)],
        limits: Limits,
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
        let mut this = Self {
            members,
            cross: vec![Cross::default(); n * n],
            best: vec![None; n],
            held: BTreeSet::new(),
            joins: Vec::new(),
            limits,
        };
        for right in 0..bound.len() {
            for left in 0..right {
                let (a, b) = (group_of[left], group_of[right]);
                if a != b {
                    this.enter(a, b, Cross::of(vote(left, right), limits));
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

    /// What speaks against joining two groups without asking, whatever their weight.
    fn objection(&self, left: usize, right: usize) -> Option<ReviewReason> {
        let are_several = self.members[left].len() > 1 && self.members[right].len() > 1;
        self.cross(left, right).objection(are_several)
    }

    /// The weight at which two groups may be joined without asking, rivals aside.
    fn joinable(&self, left: usize, right: usize) -> Option<MatchWeight> {
        let cross = self.cross(left, right);
        let mean = cross.mean().filter(|mean| !cross.apart && *mean >= self.limits.upper)?;
        self.objection(left, right).is_none().then_some(mean)
    }

    /// Whether another group fits one of the two almost as well as they fit each other, while it
    /// contradicts the other of the two.
    fn has_rival(&self, left: usize, right: usize, weight: MatchWeight) -> bool {
        let least = weight - self.limits.margin;
        let rivals = |fits: usize, contradicts: usize| {
            let mut others =
                (0..self.n()).filter(|g| *g != left && *g != right && self.is_alive(*g));
            others.any(|other| {
                let rival = self.cross(fits, other);
                !rival.apart
                    && rival.mean().is_some_and(|mean| mean > least && mean >= self.limits.lower)
                    && self.cross(contradicts, other).contradicts()
            })
        };
        rivals(left, right) || rivals(right, left)
    }

    fn best_of(&self, group: usize) -> Option<(MatchWeight, usize)> {
        let mut best: Option<(MatchWeight, usize)> = None;
        for other in group + 1..self.n() {
            if self.is_alive(other)
                && let Some(mean) = self.joinable(group, other)
                && best.is_none_or(|(most, _)| mean > most)
                && !self.held.contains(&(group, other))
            {
                best = Some((mean, other));
            }
        }
        best
    }

    /// Joins the best pair of groups, or holds it because of a rival; false when none may be
    /// joined.
    fn join_best(&mut self) -> bool {
        let mut best: Option<(MatchWeight, usize, usize)> = None;
        for (left, candidate) in self.best.iter().enumerate() {
            if let Some((mean, right)) = *candidate
                && best.is_none_or(|(most, ..)| mean > most)
            {
                best = Some((mean, left, right));
            }
        }
        let Some((weight, left, right)) = best else { return false };
        if self.has_rival(left, right, weight) {
            self.held.insert((left, right));
            self.best[left] = self.best_of(left);
        } else {
            self.join(left, right, weight);
        }
        true
    }

    fn join(&mut self, left: usize, right: usize, weight: MatchWeight) {
        let n_pairs = self.members[left].len() * self.members[right].len();
        self.joins.push(Join { weight, n_pairs: u32::try_from(n_pairs).unwrap_or(u32::MAX) });
        let moved = std::mem::take(&mut self.members[right]);
        self.members[left].extend(moved);
        self.members[left].sort_unstable();
        self.best[right] = None;
        for other in 0..self.n() {
            if other != left && self.is_alive(other) {
                self.enter(left, other, self.cross(right, other));
            }
        }
        // A join changes who is whose rival: what was held is looked at again.
        let released: BTreeSet<usize> =
            std::mem::take(&mut self.held).into_iter().map(|(group, _)| group).collect();
        for other in 0..self.n() {
            if self.is_alive(other) && released.contains(&other) {
                self.best[other] = self.best_of(other);
            } else if self.is_alive(other) {
                self.update_best(other, left, right);
            }
        }
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

    fn reason(&self, left: usize, right: usize, weight: MatchWeight) -> ReviewReason {
        if let Some(objection) = self.objection(left, right) {
            objection
        } else if self.cross(left, right).votes == 0 {
            ReviewReason::Evidence
        } else if weight >= self.limits.upper {
            ReviewReason::Margin
        } else {
            ReviewReason::Band
        }
    }

    fn finish(self) -> Division {
        let alive: Vec<usize> = (0..self.n()).filter(|group| self.is_alive(*group)).collect();
        let mut proposals = Vec::new();
        let mut strongest = vec![None; alive.len()];
        for (right, &b) in alive.iter().enumerate() {
            for (left, &a) in alive[..right].iter().enumerate() {
                let cross = self.cross(a, b);
                let Some(weight) = cross.weight_to_ask(self.limits) else { continue };
                for side in [left, right] {
                    if strongest[side].is_none_or(|most| weight > most) {
                        strongest[side] = Some(weight);
                    }
                }
                proposals.push(Proposal { left, right, weight, reason: self.reason(a, b, weight) });
            }
        }
        proposals.retain(|proposal| {
            [proposal.left, proposal.right].iter().any(|s| strongest[*s] == Some(proposal.weight))
        });
        proposals.sort_by_key(|proposal| (proposal.left, proposal.right));
        let mut members = self.members;
        let groups = alive.into_iter().map(|group| std::mem::take(&mut members[group])).collect();
        Division { groups, proposals, joins: self.joins }
    }
}

#[cfg(test)]
mod tests;

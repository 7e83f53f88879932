//! Decisions that newer versions speak against: they are tasks again, and bind all the same.
//!
//! A steward decides on the versions that are there. What comes later is compared with what was
//! seen, both under the model of now, so that another model alone reopens nothing.

use record::RecordKey;

use crate::{
    component::{Component, Settler},
    index::NodeId,
    partition::ReviewReason,
    settlement::{Decided, Decision, ReviewTask},
    weight::MatchWeight,
};

/// How much newer versions must say against a decision before it is looked at again: odds of eight
/// to one, in bits.
const STRONG: MatchWeight = MatchWeight(3.0);

impl Settler<'_> {
    /// The tasks that reopen decisions about two records of a component.
    ///
    /// Cannot-links do not hold a component together. But the newest versions of such a pair must
    /// reach the upper cut-off to count, and then they are joined by an edge, unless no blocking key
    /// brings them together: what nobody would have linked needs no second look.
    pub(crate) fn contrary(&self, component: &Component) -> Vec<ReviewTask> {
        let linker = self.linker;
        let key = |place: usize| &linker.name(component.nodes[place]).key;
        let place_of = |of: &RecordKey| {
            let nodes = &component.nodes;
            nodes.binary_search_by(|node| linker.name(*node).key.cmp(of)).ok()
        };
        let mut tasks = Vec::new();
        for left in 0..component.nodes.len() {
            // Once for each record.
            if left > 0 && key(left - 1) == key(left) {
                continue;
            }
            for (other, decided) in linker.decided(key(left)) {
                let Some(right) = place_of(other).filter(|_| key(left) < other) else { continue };
                let are_bound = component.bound[left] == component.bound[right];
                // Must-links that contradict a cannot-link win: it says nothing any more.
                if decided.decision == Decision::CannotLink && are_bound {
                    continue;
                }
                tasks.extend(self.reopened((key(left), other), decided));
            }
        }
        tasks
    }

    /// The task that a decision about two present records is again, if newer versions speak
    /// strongly against it.
    fn reopened(
        &self,
        (left, right): (&RecordKey, &RecordKey),
        decided: Decided,
    ) -> Option<ReviewTask> {
        let linker = self.linker;
        let newest = (*linker.versions(left).last()?, *linker.versions(right).last()?);
        let is_newer = |node: NodeId, seen| linker.name(node).version > seen;
        if !is_newer(newest.0, decided.seen.0) && !is_newer(newest.1, decided.seen.1) {
            return None;
        }
        // Two versions with too little in common say nothing, neither for nor against.
        if !self.compares(newest.0, newest.1) {
            return None;
        }
        let score = self.scorer.score(&linker.index, newest.0, newest.1);
        let conflict = self.identifiers(score.pattern, newest.0, newest.1).conflicts();
        let weight = self.weight(score);
        // Nothing to compare with: the versions seen were withdrawn, and others sent.
        let before = self.seen_weight((left, right), decided);
        let is_contrary = match decided.decision {
            Decision::MustLink => {
                before.is_none_or(|before| weight <= before - STRONG)
                    && (weight < self.limits.lower || conflict)
            }
            Decision::CannotLink => {
                before.is_none_or(|before| weight >= before + STRONG)
                    && weight >= self.limits.upper
                    && !conflict
            }
        };
        let probability = self.model.probability(weight).value;
        is_contrary.then(|| ReviewTask {
            left: vec![left.clone()],
            right: vec![right.clone()],
            best_pair: (left.clone(), right.clone()),
            weight,
            probability,
            risk: match decided.decision {
                Decision::MustLink => 1.0 - probability,
                Decision::CannotLink => probability,
            },
            reason: ReviewReason::Contrary,
        })
    }

    /// The best weight of two versions that the steward could see; `None` if they are gone.
    fn seen_weight(
        &self,
        (left, right): (&RecordKey, &RecordKey),
        decided: Decided,
    ) -> Option<MatchWeight> {
        let linker = self.linker;
        let seen = |key, newest| {
            let versions = linker.versions(key).iter().copied();
            versions.take_while(move |node| linker.name(*node).version <= newest)
        };
        let pairs = seen(left, decided.seen.0)
            .flat_map(|one| seen(right, decided.seen.1).map(move |other| (one, other)));
        let weight = |(one, other)| self.weight(self.scorer.score(&linker.index, one, other));
        pairs.map(weight).max_by(|one, other| one.0.total_cmp(&other.0))
    }
}

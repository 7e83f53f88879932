//! Tests of the partition: by hand and by property.

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    upper: MatchWeight(5.0),
    lower: MatchWeight(1.0),
    silent: MatchWeight(6.0),
    margin: MatchWeight(2.0),
};

fn vote(weight: i32) -> Vote {
    Vote {
        weight: FixedWeight::from(MatchWeight(f64::from(weight))),
        counts: true,
        identifiers: Identifiers::default(),
        one_source: false,
    }
}

/// A symmetric table of votes from its upper triangle.
fn table(
    n: usize,
    votes: &[(usize, usize, Vote)],
    other: Vote,
) -> impl Fn(usize, usize) -> Vote + use<> {
    let mut cells = vec![other; n * n];
    for &(left, right, vote) in votes {
        cells[left * n + right] = vote;
        cells[right * n + left] = vote;
    }
    move |left, right| cells[left * n + right]
}

fn free(n: usize) -> Vec<usize> {
    (0..n).collect()
}

#[test]
fn a_chain_is_cut_where_the_mean_says_so() {
    // 0-1 and 2-3 are strong; 1-2 alone does not carry 0-2, 0-3 and 1-3.
    let votes = table(4, &[(0, 1, vote(12)), (2, 3, vote(12)), (1, 2, vote(8))], vote(-6));
    let division = divide(&free(4), &[], LIMITS, votes);
    assert_eq!(division.groups, [[0, 1], [2, 3]]);
    assert_eq!(division.proposals, []);
}

#[test]
fn a_pair_without_a_vote_does_not_dilute_the_mean() {
    let silent = Vote { counts: false, ..vote(-4) };
    let votes = table(3, &[(0, 1, vote(6)), (1, 2, vote(7)), (0, 2, silent)], vote(0));
    assert_eq!(divide(&free(3), &[], LIMITS, votes).groups, [[0, 1, 2]]);
    let votes = table(3, &[(0, 1, vote(6)), (1, 2, vote(7)), (0, 2, vote(-4))], vote(0));
    assert_eq!(divide(&free(3), &[], LIMITS, votes).groups, [vec![0], vec![1, 2]]);
}

#[test]
fn what_lies_between_the_cut_offs_is_proposed_and_kept_apart() {
    let division = divide(&free(2), &[], LIMITS, |_, _| vote(3));
    assert_eq!(division.groups, [[0], [1]]);
    let [proposal] = division.proposals[..] else { panic!("one proposal") };
    assert_eq!((proposal.weight, proposal.reason), (MatchWeight(3.0), ReviewReason::Band));
}

#[test]
fn conflicting_identifiers_ask_a_steward_unless_one_is_shared() {
    let conflict = Identifiers { conflict: true, agree: false };
    let strong = Vote { identifiers: conflict, ..vote(9) };
    let division = divide(&free(2), &[], LIMITS, |_, _| strong);
    assert_eq!((division.groups.len(), division.proposals[0].reason), (2, ReviewReason::Conflict));
    // Bound 0 and 1 hold two numbers, one of which 2 has.
    let agree = Vote { identifiers: Identifiers { conflict: false, agree: true }, ..vote(9) };
    let votes = table(3, &[(0, 2, strong), (1, 2, agree)], vote(0));
    assert_eq!(divide(&[0, 0, 2], &[], LIMITS, votes).groups, [[0, 1, 2]]);
}

#[test]
fn what_must_not_meet_is_neither_joined_nor_proposed() {
    let votes = table(3, &[(0, 1, vote(12))], vote(9));
    let division = divide(&free(3), &[(0, 2)], LIMITS, votes);
    assert_eq!((division.groups, division.proposals), (vec![vec![0, 1], vec![2]], vec![]));
}

#[test]
fn two_that_contradict_each_other_and_fit_alike_ask_a_steward() {
    // 1 fits 0 and 2 nearly as well, and 0 and 2 are two people.
    let votes = |best| table(3, &[(0, 1, vote(best)), (1, 2, vote(9))], vote(-15));
    let division = divide(&free(3), &[], LIMITS, votes(10));
    assert_eq!(division.groups, [[0], [1], [2]]);
    assert!(division.proposals.iter().all(|p| p.reason == ReviewReason::Margin));
    // With the margin kept, the better one wins.
    assert_eq!(divide(&free(3), &[], LIMITS, votes(12)).groups, [vec![0, 1], vec![2]]);
    // Without the contradiction all three are one person.
    let votes = table(3, &[(0, 1, vote(10)), (1, 2, vote(9))], vote(4));
    assert_eq!(divide(&free(3), &[], LIMITS, votes).groups, [[0, 1, 2]]);
}

#[test]
fn two_records_of_a_source_free_of_duplicates_ask_a_steward() {
    let strong = Vote { one_source: true, ..vote(18) };
    let division = divide(&free(2), &[], LIMITS, |_, _| strong);
    let reason = division.proposals[0].reason;
    assert_eq!((division.groups.len(), reason), (2, ReviewReason::OneSource));
}

#[test]
fn two_groups_that_hang_together_by_one_pair_are_a_bridge() {
    let votes = [(0, 1, vote(22)), (2, 3, vote(22)), (1, 2, vote(20))];
    let division = divide(&free(4), &[], LIMITS, table(4, &votes, vote(0)));
    assert_eq!(division.groups, [[0, 1], [2, 3]]);
    let [proposal] = division.proposals[..] else { panic!("one proposal") };
    assert_eq!((proposal.weight, proposal.reason), (MatchWeight(5.0), ReviewReason::Bridge));
}

#[test]
fn records_with_too_little_in_common_are_not_joined_unasked() {
    let silent = Vote { counts: false, ..vote(6) };
    let division = divide(&free(2), &[], LIMITS, |_, _| silent);
    let reason = division.proposals[0].reason;
    assert_eq!((division.groups.len(), reason), (2, ReviewReason::Evidence));
}

#[test]
fn every_join_is_told_with_the_pairs_that_it_links() {
    let votes = table(3, &[(0, 1, vote(12)), (0, 2, vote(9))], vote(7));
    let division = divide(&free(3), &[], LIMITS, votes);
    let joins = [(MatchWeight(12.0), 1), (MatchWeight(8.0), 2)];
    assert_eq!(division.joins, joins.map(|(weight, n_pairs)| Join { weight, n_pairs }));
}

#[derive(Debug, Clone)]
struct Case {
    bound: Vec<usize>,
    apart: Vec<(usize, usize)>,
    votes: Vec<Vote>,
    order: Vec<usize>,
}

fn case() -> impl Strategy<Value = Case> {
    (2_usize..9).prop_flat_map(|n| {
        let vote =
            (-40_i32..60, any::<bool>(), any::<bool>(), 0..10).prop_map(|(w, c, a, x)| Vote {
                weight: FixedWeight(w * 10_000 + x),
                counts: c,
                identifiers: Identifiers { agree: a, conflict: !a && x == 0 },
                one_source: x == 1,
            });
        let pairs = proptest::collection::vec((0..n, 0..n), 0..3);
        let order = Just(free(n)).prop_shuffle();
        (proptest::collection::vec(vote, n * n), pairs.clone(), pairs, order).prop_map(
            move |(votes, links, apart, order)| {
                let mut bound = free(n);
                for (left, right) in links {
                    let (from, to) = (bound[left].max(bound[right]), bound[left].min(bound[right]));
                    bound.iter_mut().filter(|first| **first == from).for_each(|first| *first = to);
                }
                Case { bound, apart, votes, order }
            },
        )
    })
}

impl Case {
    fn vote(&self, left: usize, right: usize) -> Vote {
        self.votes[left.min(right) * self.bound.len() + left.max(right)]
    }
}

proptest! {
    #[test]
    fn constraints_hold_and_nothing_joinable_is_left(case in case()) {
        let division = divide(&case.bound, &case.apart, LIMITS, |l, r| case.vote(l, r));
        let mut group_of = vec![usize::MAX; case.bound.len()];
        for (group, members) in division.groups.iter().enumerate() {
            prop_assert!(members.is_sorted());
            members.iter().for_each(|member| group_of[*member] = group);
        }
        for (member, first) in case.bound.iter().enumerate() {
            prop_assert_eq!(group_of[member], group_of[*first]);
        }
        for &(left, right) in &case.apart {
            // Being bound together outranks being kept apart.
            let is_bound = case.bound[left] == case.bound[right];
            prop_assert_eq!(group_of[left] == group_of[right], is_bound);
        }
        for proposal in &division.proposals {
            prop_assert!(proposal.weight >= LIMITS.lower);
            let is_below = proposal.weight < LIMITS.upper;
            prop_assert!(is_below || proposal.reason != ReviewReason::Band);
        }
    }

    #[test]
    fn the_numbering_of_members_does_not_matter_where_weights_differ(case in case()) {
        // Distinct weights leave no ties for the numbering to decide.
        let distinct = |left: usize, right: usize| {
            let place = (left.min(right) * case.bound.len() + left.max(right)) as i32;
            let vote = case.vote(left, right);
            Vote { weight: FixedWeight(vote.weight.0 + (1 << (place % 13)) + place * 97), ..vote }
        };
        let n = case.bound.len();
        let renumbered = |member: usize| case.order.iter().position(|m| *m == member).unwrap();
        let plain = divide(&free(n), &case.apart, LIMITS, distinct);
        let apart: Vec<_> =
            case.apart.iter().map(|(l, r)| (renumbered(*l), renumbered(*r))).collect();
        let other =
            divide(&free(n), &apart, LIMITS, |l, r| distinct(case.order[l], case.order[r]));
        let mut back: Vec<Vec<usize>> = other
            .groups
            .iter()
            .map(|group| {
                let mut members: Vec<_> = group.iter().map(|m| case.order[*m]).collect();
                members.sort_unstable();
                members
            })
            .collect();
        back.sort();
        prop_assert_eq!(plain.groups, back);
    }
}

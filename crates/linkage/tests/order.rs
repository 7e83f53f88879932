//! What a linker settles depends on its contents, not on the way there.

mod common;

use std::collections::BTreeMap;

use common::{ANA, LUIS, Person, State, decide, insert, key, linker_with};
use linkage::{Decision, Policy};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

/// A crowd that is hard to tell apart: shared names, dates, addresses, missing and wrong parts.
fn crowd() -> Vec<(String, Person<'static>)> {
    let sister = Person { first: "Anna", ssn: "219-45-6715", ..ANA };
    let people = [
        ANA,
        Person { ssn: "", ..ANA },
        Person { born: "1984-07-32", street: "", ..ANA },
        Person { first: "Kowalczyk", last: "Ana", ..ANA },
        Person { last: "Fitzgerald", ..ANA },
        sister,
        Person { ssn: "", ..sister },
        Person { ssn: "219-45-6714", first: "Marek", born: "1955-01-02", sex: "M", ..ANA },
        Person { first: ANA.first, last: ANA.last, ssn: ANA.ssn, ..Person::default() },
        Person { first: ANA.first, last: ANA.last, born: ANA.born, ..Person::default() },
        LUIS,
        Person { ssn: "534-21-8809", ..LUIS },
        Person { ssn: "601-77-1212", ..LUIS },
        Person { first: "Louis", ssn: "", born: "1991-09-02", ..LUIS },
        Person { first: LUIS.first, last: LUIS.last, ..Person::default() },
    ];
    let name = |(n, person): (usize, &Person<'static>)| (format!("a{}/{n}", n % 3), *person);
    people.iter().enumerate().map(name).collect()
}

/// A step on the way.
#[derive(Debug, Clone)]
enum Step {
    Insert(usize),
    /// The record comes, with another person's data as its second version.
    Revise(usize, Index),
    Remove(usize),
    Decide(Pair, Seen),
    Undo(Pair),
    Settle,
}

/// Two people of the crowd, in the order in which the step names them.
type Pair = (usize, usize);
/// A decision and the versions seen.
type Seen = (Decision, (i64, i64));

#[derive(Debug, Clone)]
struct Case {
    steps: Vec<Step>,
    policy: Policy,
}

/// What the linker holds after some steps.
#[derive(Default)]
struct Contents {
    versions: BTreeMap<usize, Vec<(i64, Person<'static>)>>,
    decisions: BTreeMap<Pair, Seen>,
}

impl Contents {
    fn add(&mut self, record: usize, version: i64, person: Person<'static>) {
        let versions = self.versions.entry(record).or_default();
        if !versions.iter().any(|(known, _)| *known == version) {
            versions.push((version, person));
        }
    }
}

fn case() -> impl Strategy<Value = Case> {
    let n = crowd().len();
    let all: Vec<usize> = (0..n).collect();
    let decision = prop_oneof![Just(Decision::MustLink), Just(Decision::CannotLink)];
    let pair = (0..n, 0..n).prop_filter("two records", |(left, right)| left != right);
    let undone = proptest::option::of(any::<Index>());
    let decided = (pair, decision, (0_i64..3, 0_i64..3), any::<Index>());
    (
        Just(all.clone()).prop_shuffle(),
        proptest::collection::vec((any::<Index>(), any::<Index>()), 0..5),
        subsequence(all, 0..4),
        proptest::collection::vec(any::<Index>(), 0..6),
        proptest::collection::vec((decided, undone), 0..5),
        prop_oneof![Just(3_usize), Just(6), Just(100)],
        prop_oneof![Just(4_usize), Just(100)],
        any::<bool>(),
    )
        .prop_map(
            |(order, revised, removed, settled, decided, block_cap, component_limit, is_free)| {
                let mut steps: Vec<Step> = order.into_iter().map(Step::Insert).collect();
                for (record, other) in revised {
                    let record = record.index(crowd().len());
                    steps.push(Step::Revise(record, other));
                }
                steps.extend(removed.into_iter().map(Step::Remove));
                for ((pair, decision, seen, at), undone) in decided {
                    let at = at.index(steps.len());
                    steps.insert(at, Step::Decide(pair, (decision, seen)));
                    if let Some(later) = undone {
                        let later = at + 1 + later.index(steps.len() - at);
                        steps.insert(later, Step::Undo((pair.1, pair.0)));
                    }
                }
                for at in settled {
                    steps.insert(at.index(steps.len()), Step::Settle);
                }
                let agency = key(&crowd()[0].0).agency;
                let free_of_duplicates = is_free.then_some(agency).into_iter().collect();
                let policy = Policy { block_cap, component_limit, free_of_duplicates };
                Case { steps, policy }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_way_to_the_same_contents_gives_the_same_people(case in case()) {
        let crowd = crowd();
        let name = |(left, right): Pair| (&crowd[left].0[..], &crowd[right].0[..]);
        let mut linker = linker_with(case.policy.clone());
        let mut state = State::default();
        let mut contents = Contents::default();
        for step in &case.steps {
            match *step {
                Step::Insert(n) => {
                    insert(&mut linker, &crowd[n].0, 1, &crowd[n].1);
                    contents.add(n, 1, crowd[n].1);
                }
                Step::Revise(n, other) => {
                    let person = crowd[other.index(crowd.len())].1;
                    insert(&mut linker, &crowd[n].0, 2, &person);
                    contents.add(n, 2, person);
                }
                Step::Remove(n) => {
                    linker.remove(&key(&crowd[n].0));
                    contents.versions.remove(&n);
                }
                Step::Decide((left, right), (decision, seen)) => {
                    decide(&mut linker, name((left, right)), decision, seen);
                    contents.decisions.remove(&(right, left));
                    contents.decisions.insert((left, right), (decision, seen));
                }
                Step::Undo((left, right)) => {
                    linker.undo_decision(&key(&crowd[left].0), &key(&crowd[right].0));
                    contents.decisions.remove(&(left, right));
                    contents.decisions.remove(&(right, left));
                }
                Step::Settle => state.apply(&linker.settle()),
            }
        }
        state.apply(&linker.settle());

        let mut fresh = linker_with(case.policy);
        for (pair, (decision, (left, right))) in &contents.decisions {
            let (one, other) = name(*pair);
            decide(&mut fresh, (other, one), *decision, (*right, *left));
        }
        for (n, versions) in &contents.versions {
            for (version, person) in versions.iter().rev() {
                insert(&mut fresh, &crowd[*n].0, *version, person);
            }
        }
        prop_assert_eq!(&state, &State::of(&mut fresh));
        prop_assert!(linker.pairs().eq(fresh.pairs()));
        prop_assert_eq!(linker.settle().records, []);
    }
}

//! What a linker settles depends on its contents, not on the way there.

mod common;

use common::{ANA, LUIS, Person, State, insert, key, linker_with};
use linkage::{Decision, Linker, Policy};
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
    Settle,
}

#[derive(Debug, Clone)]
struct Case {
    steps: Vec<Step>,
    decisions: Vec<(usize, usize, Decision)>,
    policy: Policy,
}

fn case() -> impl Strategy<Value = Case> {
    let n = crowd().len();
    let all: Vec<usize> = (0..n).collect();
    let decision = prop_oneof![Just(Decision::MustLink), Just(Decision::CannotLink)];
    (
        Just(all.clone()).prop_shuffle(),
        proptest::collection::vec((any::<Index>(), any::<Index>()), 0..3),
        subsequence(all, 0..4),
        proptest::collection::vec(any::<Index>(), 0..6),
        proptest::collection::vec((0..n, 0..n, decision), 0..3),
        prop_oneof![Just(3_usize), Just(6), Just(100)],
        prop_oneof![Just(4_usize), Just(100)],
        any::<bool>(),
    )
        .prop_map(
            |(order, revised, removed, settled, decisions, block_cap, component_limit, is_free)| {
                let mut steps: Vec<Step> = order.into_iter().map(Step::Insert).collect();
                for (record, other) in revised {
                    let record = record.index(crowd().len());
                    steps.push(Step::Revise(record, other));
                }
                steps.extend(removed.into_iter().map(Step::Remove));
                for at in settled {
                    steps.insert(at.index(steps.len()), Step::Settle);
                }
                let agency = key(&crowd()[0].0).agency;
                let free_of_duplicates = is_free.then_some(agency).into_iter().collect();
                let policy = Policy { block_cap, component_limit, free_of_duplicates };
                Case { steps, decisions, policy }
            },
        )
}

fn decide(linker: &mut Linker, crowd: &[(String, Person<'_>)], case: &Case) {
    for (left, right, decision) in &case.decisions {
        if left != right {
            linker.decide(&key(&crowd[*left].0), &key(&crowd[*right].0), *decision);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_way_to_the_same_contents_gives_the_same_people(case in case(), last in any::<bool>()) {
        let crowd = crowd();
        let mut linker = linker_with(case.policy.clone());
        let mut state = State::default();
        let mut contents: Vec<Vec<(i64, Person<'_>)>> = vec![Vec::new(); crowd.len()];
        if !last {
            decide(&mut linker, &crowd, &case);
        }
        for step in &case.steps {
            match step {
                Step::Insert(n) => {
                    insert(&mut linker, &crowd[*n].0, 1, &crowd[*n].1);
                    contents[*n].push((1, crowd[*n].1));
                }
                Step::Revise(n, other) => {
                    let person = crowd[other.index(crowd.len())].1;
                    insert(&mut linker, &crowd[*n].0, 2, &person);
                    if !contents[*n].iter().any(|(version, _)| *version == 2) {
                        contents[*n].push((2, person));
                    }
                }
                Step::Remove(n) => {
                    linker.remove(&key(&crowd[*n].0));
                    contents[*n].clear();
                }
                Step::Settle => state.apply(&linker.settle()),
            }
        }
        if last {
            decide(&mut linker, &crowd, &case);
        }
        state.apply(&linker.settle());

        let mut fresh = linker_with(case.policy.clone());
        for ((name, _), versions) in crowd.iter().zip(&contents) {
            for (version, person) in versions.iter().rev() {
                insert(&mut fresh, name, *version, person);
            }
        }
        decide(&mut fresh, &crowd, &case);
        prop_assert_eq!(&state, &State::of(&mut fresh));
        prop_assert!(linker.pairs().eq(fresh.pairs()));
        prop_assert_eq!(linker.settle().records, []);
    }
}

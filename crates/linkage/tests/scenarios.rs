//! What becomes of the people that agencies really send.

mod common;

use std::sync::Arc;

use common::{
    ANA, LUIS, MODEL, Person, SCHEMA, State, decide, insert, key, linker, linker_with, populated,
    population,
};
use linkage::{
    Decision, LabeledJoin, MatchWeight, PairDecision, Policy, ReviewReason, ReviewTask,
    TermFrequencies, TrainingOptions,
};
use record::RecordVersion;

#[test]
fn one_person_is_linked_and_two_are_not() {
    let mut linker = linker();
    insert(&mut linker, "college/1", 1, &ANA);
    insert(&mut linker, "wages/1", 1, &Person { first: "Anna", ..ANA });
    insert(&mut linker, "college/2", 1, &LUIS);
    let settlement = linker.settle();
    assert_eq!(settlement.groups, [vec![key("college/1"), key("wages/1")], vec![key("college/2")]]);
    assert_eq!(settlement.tasks, []);
    assert_eq!(linker.pairs().count(), 1);
}

#[test]
fn a_full_record_joins_one_with_ssn_and_name_to_one_without_ssn() {
    let wages = Person { first: ANA.first, last: ANA.last, ssn: ANA.ssn, ..Person::default() };
    let adult = Person { ssn: "", ..ANA };
    let mut linker = linker();
    insert(&mut linker, "wages/1", 1, &wages);
    insert(&mut linker, "adulted/1", 1, &adult);
    insert(&mut linker, "adulted/2", 1, &Person { street: "9 Pine St", zip: "98003", ..adult });
    assert!(!State::of(&mut linker).together("wages/1", "adulted/1"));
    insert(&mut linker, "college/1", 1, &ANA);
    let group = ["adulted/1", "adulted/2", "college/1", "wages/1"].map(key).to_vec();
    assert_eq!(linker.settle().groups, [group]);
}

#[test]
fn different_identifiers_stop_a_merge_and_ask_a_steward() {
    let mut linker = linker();
    insert(&mut linker, "college/1", 1, &ANA);
    insert(&mut linker, "wages/1", 1, &Person { ssn: "671-03-4488", ..ANA });
    let settlement = linker.settle();
    assert_eq!(settlement.groups.len(), 2);
    let [task] = &settlement.tasks[..] else { panic!("one task") };
    assert_eq!(task.reason, ReviewReason::Conflict);
    assert_eq!(task.best_pair, (key("college/1"), key("wages/1")));
    // Neither one mistyped digit nor one transposition is a conflict.
    insert(&mut linker, "humanserv/1", 1, &Person { ssn: "219-45-6774", ..ANA });
    insert(&mut linker, "humanserv/2", 1, &Person { ssn: "219-54-6714", ..ANA });
    let state = State::of(&mut linker);
    assert!(state.together("college/1", "humanserv/1"));
    assert!(state.together("college/1", "humanserv/2"));
}

#[test]
fn what_a_household_shares_does_not_make_two_people_one() {
    let mut linker = linker();
    let sister = Person { first: "Beatrix", born: "1987-11-02", ssn: "", ..ANA };
    insert(&mut linker, "college/1", 1, &Person { ssn: "", ..ANA });
    insert(&mut linker, "college/2", 1, &sister);
    insert(&mut linker, "college/3", 1, &Person { born: ANA.born, ..sister });
    let settlement = linker.settle();
    assert_eq!(settlement.groups.len(), 3, "sisters, and a twin whose own birth date is missing");
    let explained = linker.explain(&key("college/1"), &key("college/2")).unwrap();
    assert!(explained.household.0 < -5.0, "{}", explained.household);
    assert_eq!(explained.decision, PairDecision::Separate);
}

#[test]
fn a_stewards_decision_outranks_the_score() {
    let mut linker = linker();
    insert(&mut linker, "college/1", 1, &ANA);
    insert(&mut linker, "college/2", 1, &ANA);
    insert(&mut linker, "wages/1", 1, &LUIS);
    decide(&mut linker, ("college/1", "college/2"), Decision::CannotLink, (1, 1));
    decide(&mut linker, ("wages/1", "college/2"), Decision::MustLink, (1, 1));
    let state = State::of(&mut linker);
    assert!(state.together("wages/1", "college/2") && !state.together("college/1", "college/2"));
    let explained = linker.explain(&key("college/1"), &key("college/2")).unwrap();
    assert_eq!(explained.decision, PairDecision::CannotLink);
    assert_eq!(linker.standing(&key("college/2"), &key("wages/1")), Some(Decision::MustLink));
    assert_eq!(linker.standing(&key("college/1"), &key("wages/1")), None);
    linker.set_model(MODEL.clone());
    assert_eq!(State::of(&mut linker), state, "decisions survive another model");
    linker.undo_decision(&key("college/1"), &key("college/2"));
    linker.undo_decision(&key("wages/1"), &key("college/2"));
    let state = State::of(&mut linker);
    assert!(!state.together("wages/1", "college/2") && state.together("college/1", "college/2"));
}

/// The contrary task about `a/1` and `b/1` after a decision on `seen` and newer versions of `a/1`.
fn reopened(
    decision: Decision,
    seen: [&Person<'_>; 2],
    newer: &[(i64, Person<'_>)],
) -> Option<ReviewTask> {
    let mut linker = linker();
    insert(&mut linker, "a/1", 1, seen[0]);
    insert(&mut linker, "b/1", 1, seen[1]);
    // Seen the other way round than the records' names are ordered.
    decide(&mut linker, ("b/1", "a/1"), decision, (1, 2));
    assert_eq!(linker.settle().tasks, []);
    for (version, person) in newer {
        insert(&mut linker, "a/1", *version, person);
    }
    let state = State::of(&mut linker);
    assert_eq!(state.together("a/1", "b/1"), decision == Decision::MustLink, "it still binds");
    let mut tasks = state.tasks.into_values();
    let task = tasks.next();
    assert_eq!(tasks.next(), None);
    task
}

#[test]
fn a_decision_is_a_task_again_when_newer_versions_speak_strongly_against_it() {
    use Decision::{CannotLink, MustLink};
    let without = Person { ssn: "", ..ANA };
    let other_number = Person { ssn: "671-03-4488", ..ANA };
    let twin = Person { first: "Beatrix", ssn: "671-03-4488", ..ANA };
    let sparse = Person { first: ANA.first, last: "Okonkwo", ..Person::default() };
    for (what, decision, seen, newer, expected) in [
        ("another person's data", MustLink, [&ANA, &ANA], vec![(3, LUIS)], true),
        ("an older version", MustLink, [&ANA, &ANA], vec![(2, LUIS)], false),
        ("an address", MustLink, [&ANA, &ANA], vec![(3, Person { street: "", ..ANA })], false),
        ("little to compare", MustLink, [&ANA, &ANA], vec![(3, sparse)], false),
        ("another number", MustLink, [&ANA, &ANA], vec![(3, other_number)], true),
        ("no worse than was seen", MustLink, [&LUIS, &ANA], vec![(3, LUIS)], false),
        ("taken back", MustLink, [&ANA, &ANA], vec![(3, LUIS), (4, ANA)], false),
        ("the same number", CannotLink, [&twin, &ANA], vec![(3, ANA)], true),
        ("an older version", CannotLink, [&twin, &ANA], vec![(2, ANA)], false),
        ("no more than was seen", CannotLink, [&ANA, &ANA], vec![(3, ANA)], false),
        ("more, but another number", CannotLink, [&LUIS, &ANA], vec![(3, other_number)], false),
        ("more, and no number", CannotLink, [&LUIS, &ANA], vec![(3, without)], true),
    ] {
        let task = reopened(decision, seen, &newer);
        assert_eq!(task.is_some(), expected, "{decision:?}: {what}");
        let Some(task) = task else { continue };
        assert_eq!((task.left, task.right), (vec![key("a/1")], vec![key("b/1")]));
        assert_eq!(task.reason, ReviewReason::Contrary);
        let is_link = decision == MustLink;
        let risk = if is_link { 1.0 - task.probability } else { task.probability };
        assert_eq!(task.risk, risk, "{decision:?}: {what}");
    }
}

#[test]
fn a_reopened_decision_is_settled_by_another_one_and_not_by_another_model() {
    let mut linker = linker();
    insert(&mut linker, "a/1", 1, &ANA);
    insert(&mut linker, "b/1", 1, &ANA);
    decide(&mut linker, ("a/1", "b/1"), Decision::MustLink, (1, 1));
    // Under this model nothing is linked, but nothing new was seen either.
    let mut strict = linkage::Model::clone(&MODEL);
    strict.prior = 1e-30;
    linker.set_model(Arc::new(strict));
    assert_eq!(linker.settle().tasks, []);
    linker.set_model(MODEL.clone());
    insert(&mut linker, "a/1", 2, &LUIS);
    assert_eq!(linker.settle().tasks.len(), 1);
    decide(&mut linker, ("a/1", "b/1"), Decision::MustLink, (2, 1));
    assert_eq!(linker.settle().tasks, []);
}

#[test]
fn where_the_versions_seen_are_gone_what_is_there_decides_about_reopening() {
    let mut linker = linker();
    insert(&mut linker, "a/1", 1, &LUIS);
    insert(&mut linker, "b/1", 1, &ANA);
    decide(&mut linker, ("a/1", "b/1"), Decision::MustLink, (1, 1));
    linker.remove(&key("a/1"));
    insert(&mut linker, "a/1", 2, &LUIS);
    let [task] = &linker.settle().tasks[..] else { panic!("one task") };
    assert_eq!(task.reason, ReviewReason::Contrary);
    linker.remove(&key("a/1"));
    insert(&mut linker, "a/1", 3, &ANA);
    assert_eq!(linker.settle().tasks, []);
}

#[test]
fn a_cannot_link_that_must_links_overrule_is_not_reopened() {
    let mut linker = linker();
    let twin = Person { first: "Beatrix", ssn: "671-03-4488", ..ANA };
    insert(&mut linker, "a/1", 1, &twin);
    insert(&mut linker, "b/1", 1, &ANA);
    insert(&mut linker, "c/1", 1, &ANA);
    decide(&mut linker, ("a/1", "b/1"), Decision::CannotLink, (1, 1));
    decide(&mut linker, ("a/1", "c/1"), Decision::MustLink, (1, 1));
    decide(&mut linker, ("b/1", "c/1"), Decision::MustLink, (1, 1));
    insert(&mut linker, "a/1", 2, &ANA);
    assert_eq!(linker.settle().tasks, []);
}

#[test]
fn the_newest_version_and_what_it_tells_are_known() {
    let mut linker = linker();
    insert(&mut linker, "a/1", 2, &Person { ssn: "", ..ANA });
    insert(&mut linker, "a/1", 1, &ANA);
    assert_eq!(linker.newest_version(&key("a/1")), Some(RecordVersion(2)));
    let names = |fields: Vec<usize>| -> Vec<&str> {
        fields.into_iter().map(|place| &SCHEMA.fields[place].name[..]).collect()
    };
    let present = names(linker.present_fields(&key("a/1")).unwrap());
    assert!(present.contains(&"first_name") && !present.contains(&"ssn"), "{present:?}");
    assert_eq!(linker.present_fields(&key("a/2")), None);
    assert_eq!(linker.newest_version(&key("a/2")), None);
}

#[test]
fn versions_of_a_record_stay_together_and_all_are_evidence() {
    let mut linker = linker();
    let married = Person { last: "Fitzgerald", street: "5 Elm Ct", zip: "98661", ssn: "", ..ANA };
    insert(&mut linker, "college/1", 1, &Person { ssn: "", ..ANA });
    insert(&mut linker, "college/1", 2, &LUIS);
    insert(&mut linker, "college/1", 2, &married);
    assert_eq!(linker.len(), 1);
    let settlement = linker.settle();
    assert_eq!(settlement.groups, [[key("college/1")]]);
    insert(&mut linker, "adulted/1", 1, &Person { ssn: "", ..ANA });
    linker.settle();
    let explained = linker.explain(&key("college/1"), &key("adulted/1")).unwrap();
    assert_eq!(explained.versions.0, RecordVersion(1));
    linker.remove(&key("college/1"));
    let settlement = linker.settle();
    assert_eq!(settlement.records, [key("adulted/1"), key("college/1")]);
    assert_eq!(settlement.groups, [[key("adulted/1")]]);
}

#[test]
fn a_token_that_outgrows_the_cap_retracts_its_edges_until_it_shrinks_again() {
    let mut linker = linker_with(Policy { block_cap: 2, ..Policy::default() });
    // Only the birth date and family name bring these together.
    let one = Person { ssn: "", ..ANA };
    let two = Person { first: "Beatrix", ..one };
    insert(&mut linker, "a/1", 1, &Person { sex: "", street: "", zip: "", ..one });
    insert(&mut linker, "a/2", 1, &Person { sex: "", street: "", zip: "", ..one });
    linker.settle();
    assert_eq!(linker.pairs().count(), 1);
    insert(&mut linker, "a/3", 1, &Person { sex: "", street: "", zip: "", ..one });
    linker.settle();
    assert_eq!(linker.pairs().count(), 0, "every shared token has three holders");
    assert!(!linker.explain(&key("a/1"), &key("a/2")).unwrap().is_candidate());
    assert!(linker.blocking_report().keys.iter().any(|key| key.n_tokens_over_cap > 0));
    insert(&mut linker, "a/4", 1, &two);
    linker.settle();
    linker.remove(&key("a/3"));
    linker.remove(&key("a/4"));
    assert!(State::of(&mut linker).together("a/1", "a/2"));
    assert_eq!(linker.pairs().count(), 1);
}

#[test]
fn a_missing_value_weighs_nothing() {
    let mut linker = linker();
    let names = Person { first: ANA.first, last: ANA.last, ..Person::default() };
    insert(&mut linker, "a/1", 1, &ANA);
    insert(&mut linker, "a/2", 1, &names);
    let explained = linker.explain(&key("a/1"), &key("a/2")).unwrap();
    for field in &explained.fields {
        let is_name = field.field == "first_name" || field.field == "last_name";
        assert_eq!(field.level, if is_name { "exact" } else { "missing" });
        assert_eq!(field.weight != MatchWeight(0.0), is_name);
    }
    let sum: f64 = explained.fields.iter().map(|f| f.weight.0 + f.term_frequency.0).sum();
    let total = explained.prior.0 + sum + explained.correlation.0 + explained.household.0;
    assert!((total - explained.total.0).abs() < 1e-9);
}

#[test]
fn a_pair_that_was_no_candidate_is_explained_all_the_same() {
    let mut linker = linker();
    insert(&mut linker, "a/1", 1, &ANA);
    insert(&mut linker, "a/2", 1, &LUIS);
    let explained = linker.explain(&key("a/1"), &key("a/2")).unwrap();
    assert!(!explained.is_candidate() && explained.shared_keys.is_empty());
    assert_eq!(explained.decision, PairDecision::Separate);
    assert_eq!(linker.explain(&key("a/1"), &key("a/9")), None);
}

#[test]
fn levels_see_what_goes_wrong_in_records() {
    let level = |changed: Person<'_>, field: &str| {
        let mut linker = linker();
        insert(&mut linker, "a/1", 1, &Person { first: "Robert", born: "1984-07-03", ..ANA });
        insert(&mut linker, "a/2", 1, &changed);
        let explained = linker.explain(&key("a/1"), &key("a/2")).unwrap();
        let back = linker.explain(&key("a/2"), &key("a/1")).unwrap();
        assert_eq!(explained.total, back.total);
        explained.fields.into_iter().find(|f| f.field == field).unwrap().level
    };
    let same = Person { first: "Robert", born: "1984-07-03", ..ANA };
    for (changed, field, expected) in [
        (same, "first_name", "exact"),
        (Person { first: "Bob", ..same }, "first_name", "nickname"),
        (Person { first: "Robrt", ..same }, "first_name", "near"),
        (Person { first: "R", ..same }, "first_name", "initial"),
        (Person { first: "Wilma", ..same }, "first_name", "differ"),
        (Person { first: ANA.last, last: "Robert", ..same }, "first_name", "exchanged"),
        (Person { first: ANA.last, last: "Robert", ..same }, "last_name", "counted"),
        (Person { born: "1984-03-07", ..same }, "date_of_birth", "swapped"),
        (Person { born: "1984-07-04", ..same }, "date_of_birth", "component"),
        (Person { born: "1961-12-30", ..same }, "date_of_birth", "differ"),
        (Person { ssn: "219-45-6774", ..same }, "ssn", "one_off"),
        (Person { ssn: "219-54-6714", ..same }, "ssn", "transposed"),
        (Person { ssn: "219-54-6741", ..same }, "ssn", "differ"),
        (Person { ssn: "219-45-6177", ..same }, "ssn", "differ"),
        (Person { ssn: "219-45-671", ..same }, "ssn", "differ"),
        // Neighboring numbers are seen beside the same initials only, in either order.
        (Person { ssn: "219-45-6774", first: "Ruth", ..same }, "ssn", "one_off"),
        (Person { ssn: "219-45-6774", first: ANA.last, last: "Robert", ..same }, "ssn", "one_off"),
        (Person { ssn: "219-45-6774", first: "Wilma", ..same }, "ssn", "differ"),
        (Person { ssn: "219-45-6774", first: "", ..same }, "ssn", "differ"),
        (Person { first: "Wilma", last: "", ..same }, "ssn", "exact"),
        (Person { zip: "98122", ..same }, "zip", "prefix3"),
        (Person { street: "418 Oak Blvd", ..same }, "street_address", "number"),
        (Person { sex: "M", ..same }, "sex", "differ"),
    ] {
        assert_eq!(level(changed, field), expected, "{field}");
    }
}

#[test]
fn training_learns_from_records_alone_and_not_from_their_order() {
    let mut records = population();
    let options = TrainingOptions { n_random_pairs: 50_000, ..TrainingOptions::default() };
    let mut linker = populated(&records);
    let training = linker.train(&options).unwrap();
    records.reverse();
    let backwards = populated(&records).train(&options).unwrap();
    assert_eq!(training, backwards);
    assert!(training.report.rounds.iter().any(|round| round.counts && round.converged));
    assert!(training.report.prior_converged);
    assert!((3e-4..3e-3).contains(&training.model.prior), "{}", training.model.prior);

    let frequencies = training.model.frequencies.clone().unwrap();
    let stored = TermFrequencies::from_bytes(&frequencies.to_bytes(), &SCHEMA).unwrap();
    assert_eq!(stored, *frequencies);
    linker.set_model(Arc::new(training.model));
    let groups = linker.settle().groups;
    let n_pairs = groups.iter().filter(|group| group.len() == 2).count();
    assert!(groups.iter().all(|group| group.iter().all(|k| k.local_id == group[0].local_id)));
    assert!(n_pairs > 330, "{n_pairs} of 350 linked");
}

#[test]
fn what_a_must_link_joins_is_no_join_of_a_weight() {
    let mut linker = linker();
    insert(&mut linker, "a/1", 1, &ANA);
    insert(&mut linker, "b/1", 1, &ANA);
    assert_eq!(linker.settle().joins.len(), 1);
    decide(&mut linker, ("a/1", "b/1"), Decision::MustLink, (1, 1));
    assert_eq!(linker.settle().joins, []);
}

/// What stewards say of every second record: whether it is of the same person as the first one.
fn labels(is_match: bool) -> Vec<LabeledJoin> {
    let label = |left: String, right: String| LabeledJoin {
        left: vec![key(&left)],
        right: vec![key(&right)],
        is_match,
    };
    (0..400).map(|n| label(format!("wages/{n}"), format!("college/{n}"))).collect()
}

#[test]
fn labels_of_decided_joins_calibrate_and_say_what_they_changed() {
    let records = population();
    let train = |decision: Option<Decision>, labels| {
        let mut linker = populated(&records);
        for n in (1..400).step_by(8).filter(|_| decision.is_some()) {
            let (left, right) = (format!("college/{n}"), format!("wages/{n}"));
            decide(&mut linker, (&left, &right), decision.unwrap(), (1, 1));
        }
        let options = TrainingOptions { n_random_pairs: 50_000, labels, ..Default::default() };
        linker.train(&options).unwrap()
    };
    let unlabeled = train(None, Vec::new());
    assert!(!unlabeled.report.to_string().contains("labels"));
    let agreed = train(Some(Decision::MustLink), labels(true));
    // Those without a number count: half a hundred are no pair, the others are beyond doubt.
    let report = &agreed.report.labels;
    assert_eq!((report.n_given, report.n_counted, report.n_matches), (400, 50, 50));
    let denied = train(Some(Decision::CannotLink), labels(false));
    assert_eq!((denied.report.labels.n_counted, denied.report.labels.n_matches), (50, 0));
    let [band] = denied.report.labels.bands[..] else { panic!("one band: {denied:?}") };
    assert_eq!((band.n_judged, band.n_matches), (50, 0));
    assert!(band.before > 0.95 && band.after < 0.5, "{band:?}");
    let text = denied.report.to_string();
    assert!(text.contains("labels: 50 of 400 count, 0 of one person\n"), "{text}");
    assert!(text.contains("  +8 to  +9      50        0"), "{text}");
    assert!(denied.model.cut_offs.upper > agreed.model.cut_offs.upper);
    assert_eq!(agreed.model.fields, denied.model.fields);
    // Neither the order of the labels nor that of their sides matters.
    let turn = |label: LabeledJoin| LabeledJoin { left: label.right, right: label.left, ..label };
    let turned = labels(false).into_iter().rev().map(turn).collect();
    assert_eq!(train(Some(Decision::CannotLink), turned), denied);
}

#[test]
fn labels_of_what_no_weight_alone_decides_do_not_count() {
    let linker = populated(&population());
    let label = |left: &[&str], right: &[&str]| {
        let keys = |names: &[&str]| names.iter().map(|name| key(name)).collect();
        LabeledJoin { left: keys(left), right: keys(right), is_match: true }
    };
    for (why, label, n_counted) in [
        ("doubtful", label(&["college/1"], &["wages/1"]), 1),
        ("other numbers", label(&["college/4"], &["college/5"]), 0),
        ("a record is gone", label(&["college/1", "college/999"], &["wages/1"]), 0),
        ("one record on both sides", label(&["college/1"], &["college/1", "wages/1"]), 0),
        ("beyond doubt", label(&["college/6"], &["wages/6"]), 0),
    ] {
        let labels = vec![label];
        let options = TrainingOptions { n_random_pairs: 50_000, labels, ..Default::default() };
        let report = linker.train(&options).unwrap().report;
        assert_eq!(report.labels.n_counted, n_counted, "{why}");
    }
}

#[test]
fn a_mistyped_ssn_beside_another_initial_forbids_nothing() {
    let mut linker = linker();
    insert(&mut linker, "a/1", 1, &ANA);
    // Married, and one digit wrong: bound to another initial, the tokens cannot tell how near.
    let married = Person { last: "Fitzgerald", ssn: "219-45-6713", ..ANA };
    insert(&mut linker, "b/1", 1, &married);
    insert(&mut linker, "c/1", 1, &Person { ssn: "601-77-1212", ..ANA });
    linker.settle();
    let decision = |other: &str| linker.explain(&key("a/1"), &key(other)).unwrap().decision;
    assert_ne!(decision("b/1"), PairDecision::Conflict);
    assert_eq!(decision("c/1"), PairDecision::Conflict);
}

//! What makes records of several agencies hard to link is in the made-up state, each kind of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use synthetic::{Agency, Column, Distortion, Noise, PersonId, Record, Settings, State};

const PEOPLE: u32 = 6_000;
/// Five times the everyday noise, as in the larger set of the quality bench.
static UNTIDY: LazyLock<State> = LazyLock::new(|| {
    let noise = Noise::scaled(5.0);
    State::generate(&Settings { people: PEOPLE, noise, ..Settings::default() })
});

fn records() -> impl Iterator<Item = &'static Record> {
    Agency::ALL.into_iter().flat_map(|it| UNTIDY.records(it))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The value in lower case; empty if there is none.
fn value(record: &Record, column: Column) -> String {
    record.row.get(column).unwrap_or_default().to_lowercase()
}

#[test]
fn placeholders_stand_where_nothing_was_known() {
    let found = |column, distortion| -> BTreeSet<String> {
        records()
            .filter(|it| it.distortions.contains(distortion))
            .map(|it| value(it, column))
            .collect()
    };
    let first_names = found(Column::FirstName, Distortion::NamePlaceholder);
    for name in ["unknown", "test", "baby boy", "baby girl"] {
        assert!(first_names.contains(name), "{name}");
    }
    let last_names = found(Column::LastName, Distortion::NamePlaceholder);
    assert!(last_names.contains("unknown") && !last_names.contains("baby boy"));
    assert!(found(Column::DateOfBirth, Distortion::DatePlaceholder).contains("1900-01-01"));
    let numbers = found(Column::Ssn, Distortion::SsnPlaceholder);
    assert!(numbers.contains("999-99-9999") && numbers.contains("999999999"));
}

#[test]
fn some_social_security_numbers_are_used_by_two_people() {
    let mut users: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
    for record in records().filter(|it| !it.distortions.contains(Distortion::SsnPlaceholder)) {
        if let Some(ssn) = record.row.get(Column::Ssn) {
            users.entry(digits(ssn)).or_default().insert(record.person);
        }
    }
    let shared: Vec<_> = users.into_values().filter(|it| it.len() == 2).collect();
    let person = |id: PersonId| &UNTIDY.people[id.0 as usize];
    let of_one_household = shared.iter().filter(|users| {
        let households: BTreeSet<_> = users.iter().map(|it| person(*it).household).collect();
        households.len() == 1
    });
    assert!(shared.len() > 20, "{}", shared.len());
    assert!((5..shared.len()).contains(&of_one_household.count()));
}

#[test]
fn a_father_and_a_son_at_one_address_bear_one_name() {
    let mut homes: BTreeMap<[String; 4], BTreeSet<PersonId>> = BTreeMap::new();
    for record in records() {
        let key = [Column::FirstName, Column::LastName, Column::StreetAddress, Column::Zip]
            .map(|column| value(record, column));
        if key.iter().all(|it| !it.is_empty()) {
            homes.entry(key).or_default().insert(record.person);
        }
    }
    let is_father_and_son = |people: &&BTreeSet<PersonId>| {
        let born: Vec<i16> =
            people.iter().map(|it| UNTIDY.people[it.0 as usize].birth.year()).collect();
        born.len() == 2 && born[0].abs_diff(born[1]) >= 12
    };
    assert!(homes.values().any(|people| is_father_and_son(&people)));
}

#[test]
fn most_twins_with_an_ssn_were_issued_neighboring_numbers() {
    let own_number = |person: usize| {
        let wrong = [
            Distortion::SsnBorrowed,
            Distortion::SsnDigit,
            Distortion::SsnTransposed,
            Distortion::SsnPlaceholder,
        ];
        UNTIDY
            .records_of(PersonId(person as u32))
            .filter(|(_, it)| !wrong.iter().any(|slip| it.distortions.contains(*slip)))
            .find_map(|(_, it)| digits(it.row.get(Column::Ssn)?).parse::<u32>().ok())
    };
    let gaps: Vec<u32> = UNTIDY
        .people
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair.iter().all(|it| it.is_twin) && pair[0].birth == pair[1].birth)
        .filter_map(|(first, _)| Some(own_number(first)?.abs_diff(own_number(first + 1)?)))
        .collect();
    let neighbors = gaps.iter().filter(|gap| **gap == 1).count();
    assert!(gaps.len() > 5 && neighbors * 2 > gaps.len(), "{neighbors} of {}", gaps.len());
}

#[test]
fn one_agency_has_records_of_a_person_from_before_and_after_a_move_or_a_new_name() {
    let (mut moved, mut renamed) = (0, 0);
    for person in (0..PEOPLE).map(PersonId) {
        let of_board: Vec<&Record> = UNTIDY
            .records_of(person)
            .filter(|(agency, _)| *agency == Agency::Workforce)
            .map(|(_, record)| record)
            .collect();
        for pair in of_board.windows(2) {
            let years = pair[1].recorded_on.year() - pair[0].recorded_on.year();
            let differ = |column| {
                let [old, new] = [pair[0], pair[1]].map(|it| value(it, column));
                years > 0 && !old.is_empty() && !new.is_empty() && old != new
            };
            moved += u32::from(differ(Column::Zip));
            let misspelled = pair.iter().any(|it| !it.distortions.is_empty());
            renamed += u32::from(!misspelled && differ(Column::LastName));
        }
    }
    assert!(moved > 20 && renamed > 3, "{moved} moved, {renamed} renamed");
}

#[test]
fn agencies_know_different_things_of_one_person() {
    let (mut initials, mut disjoint) = (0, 0);
    for person in (0..PEOPLE).map(PersonId) {
        let records: Vec<_> = UNTIDY.records_of(person).collect();
        let middle: Vec<String> =
            records.iter().map(|(_, it)| value(it, Column::MiddleName)).collect();
        let is_initial_of = |short: &String, long: &String| {
            short.len() == 1 && long.len() > 1 && long.starts_with(short.as_str())
        };
        initials += u32::from(
            middle.iter().any(|short| middle.iter().any(|long| is_initial_of(short, long))),
        );
        let agencies: BTreeSet<Agency> = records.iter().map(|(agency, _)| *agency).collect();
        disjoint += u32::from(agencies == [Agency::AdultEd, Agency::Wages].into());
    }
    assert!(initials > 300, "{initials} people with a middle name and its initial");
    assert!(disjoint > 50, "{disjoint} people share no field but their names");
}

//! The made-up state as its users see it: deterministic, plausible, and complete in its truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::civil::Date;
use synthetic::{Agency, Column, Distortion, HouseholdId, Noise, PersonId, Settings, State};

const PEOPLE: u32 = 6_000;
static STATE: LazyLock<State> = LazyLock::new(|| State::generate(&settings()));

fn settings() -> Settings {
    Settings { people: PEOPLE, ..Settings::default() }
}

fn identity_csv(state: &State, agency: Agency) -> String {
    let mut out = Vec::new();
    state.write_identity_csv(agency, &mut out).expect("a list takes every byte");
    String::from_utf8(out).expect("names are text")
}

fn share(agency: Agency, is: impl Fn(&synthetic::Record) -> bool) -> f64 {
    let records = STATE.records(agency);
    records.iter().filter(|it| is(it)).count() as f64 / records.len() as f64
}

fn noise_share(distortion: Distortion, agency: Agency, holds: Column) -> f64 {
    let holding = STATE.records(agency).iter().filter(|it| it.row.get(holds).is_some());
    let (all, wrong) = holding.fold((0, 0), |(all, wrong), it| {
        (all + 1, wrong + u32::from(it.distortions.contains(distortion)))
    });
    f64::from(wrong) / f64::from(all)
}

#[test]
fn the_same_settings_give_the_same_bytes_and_another_seed_others() {
    let small = Settings { people: 500, ..Settings::default() };
    let (one, again) = (State::generate(&small), State::generate(&small));
    let other = State::generate(&Settings { seed: 43, ..small });
    for agency in Agency::ALL {
        assert_eq!(identity_csv(&one, agency), identity_csv(&again, agency));
        assert_ne!(identity_csv(&one, agency), identity_csv(&other, agency));
    }
}

#[test]
fn each_agency_writes_only_the_columns_it_records() {
    let header = |agency| identity_csv(&STATE, agency).lines().next().unwrap().to_owned();
    assert_eq!(
        header(Agency::College),
        "local_id,first_name,middle_name,last_name,name_suffix,date_of_birth,ssn,street_address,\
         city,state,zip,email"
    );
    assert_eq!(
        header(Agency::AdultEd),
        "local_id,first_name,middle_name,last_name,date_of_birth,sex,street_address,city,state,\
         zip,phone,email"
    );
    assert_eq!(
        header(Agency::Workforce),
        "local_id,first_name,middle_name,last_name,name_suffix,date_of_birth,ssn,sex,\
         street_address,city,state,zip,phone,email"
    );
    assert_eq!(header(Agency::Wages), "local_id,first_name,middle_name,last_name,ssn");
    for agency in Agency::ALL {
        for record in STATE.records(agency) {
            let unknown = Column::ALL.iter().filter(|it| !agency.columns().contains(it));
            assert!(unknown.copied().all(|it| record.row.get(it).is_none()));
        }
    }
}

#[test]
fn the_share_of_records_with_an_ssn_fits_the_agency() {
    let has_ssn = |agency| share(agency, |it| it.row.get(Column::Ssn).is_some());
    for (agency, expected) in [
        (Agency::College, 0.85),
        (Agency::AdultEd, 0.0),
        (Agency::Workforce, 0.92),
        (Agency::HumanServices, 0.95),
        (Agency::Wages, 0.985),
    ] {
        let share = has_ssn(agency);
        assert!((share - expected).abs() < 0.02, "{}: {share}", agency.name());
    }
}

#[test]
fn the_truth_covers_every_record_and_every_person_once() {
    let truth: BTreeMap<_, _> = STATE.truth().collect();
    let records: usize = Agency::ALL.iter().map(|it| STATE.records(*it).len()).sum();
    assert_eq!(truth.len(), records);
    let people: BTreeSet<PersonId> = truth.values().copied().collect();
    assert_eq!(people, (0..PEOPLE).map(PersonId).collect());
    for (record, person) in &truth {
        let own = STATE
            .records_of(*person)
            .any(|(agency, it)| agency.id() == record.agency && it.row.local_id == record.local_id);
        assert!(own, "{record:?}");
    }
    let mut csv = Vec::new();
    STATE.write_truth_csv(&mut csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.starts_with("agency,local_id,person_id\n"));
    assert_eq!(csv.lines().count(), records + 1);
}

#[test]
fn two_in_five_are_known_to_one_agency_only_and_some_have_several_records() {
    let agencies_of = |person| -> BTreeSet<Agency> {
        STATE.records_of(PersonId(person)).map(|(agency, _)| agency).collect()
    };
    let at_one = (0..PEOPLE).filter(|it| agencies_of(*it).len() == 1).count() as f64;
    assert!((0.37..0.43).contains(&(at_one / f64::from(PEOPLE))), "{at_one}");
    for agency in Agency::ALL {
        let records = STATE.records(agency);
        let people: BTreeSet<PersonId> = records.iter().map(|it| it.person).collect();
        assert_eq!(agency.is_free_of_duplicates(), people.len() == records.len());
    }
    assert!(Agency::AdultEd.is_free_of_duplicates());
}

#[test]
fn common_names_are_as_common_as_in_a_real_state() {
    let mut surnames: BTreeMap<String, usize> = BTreeMap::new();
    let mut records = 0;
    for agency in Agency::ALL {
        for record in STATE.records(agency) {
            let name = record.row.get(Column::LastName).unwrap_or_default().to_uppercase();
            *surnames.entry(name).or_default() += 1;
            records += 1;
        }
    }
    let smith = surnames["SMITH"] as f64 / f64::from(records);
    assert!((0.006..0.017).contains(&smith), "Smith: {smith}");
    assert!(surnames.values().all(|count| *count <= surnames["SMITH"]));
    let once = surnames.values().filter(|count| **count <= 3).count();
    assert!(once * 2 > surnames.len(), "most surnames are rare");
}

#[test]
fn there_are_households_twins_namesakes_and_people_who_move_and_change_names() {
    let mut households: BTreeMap<HouseholdId, u32> = BTreeMap::new();
    for person in &STATE.people {
        *households.entry(person.household).or_default() += 1;
    }
    let shared = households.values().filter(|size| **size > 1).count();
    assert!(shared * 3 > households.len() && households.values().any(|size| *size >= 4));
    let count = |is: fn(&synthetic::Person) -> bool| {
        STATE.people.iter().filter(|it| is(it)).count() as f64 / f64::from(PEOPLE)
    };
    assert!((0.005..0.03).contains(&count(|it| it.is_twin)));
    assert!((0.02..0.08).contains(&count(|it| it.changes_name())));
    assert!((0.35..0.6).contains(&count(|it| it.moves())));
    let twins: Vec<_> = STATE.people.iter().filter(|it| it.is_twin).collect();
    let has_twin = |one: &&&synthetic::Person| {
        let same =
            |it: &&&synthetic::Person| it.household == one.household && it.birth == one.birth;
        twins.iter().filter(same).count() >= 2
    };
    assert!(twins.iter().filter(has_twin).count() * 10 > twins.len() * 9);
    let juniors = share(Agency::Workforce, |it| it.row.get(Column::NameSuffix) == Some("Jr"));
    assert!((0.001..0.02).contains(&juniors), "{juniors}");
}

#[test]
fn the_noise_is_as_often_as_asked_for() {
    let noise = Noise::default();
    for (distortion, agency, holds, expected) in [
        (Distortion::NamesSwapped, Agency::Wages, Column::LastName, noise.names_swapped),
        (Distortion::DateDigit, Agency::Workforce, Column::DateOfBirth, noise.date_digit),
        (Distortion::SsnDigit, Agency::Wages, Column::Ssn, noise.ssn_digit),
        (Distortion::SsnTransposed, Agency::Wages, Column::Ssn, noise.ssn_transposed),
        (Distortion::SsnPlaceholder, Agency::Wages, Column::Ssn, noise.ssn_placeholder),
        (Distortion::AddressTypo, Agency::College, Column::StreetAddress, noise.address_typo),
        (Distortion::PhoneDigit, Agency::Workforce, Column::Phone, noise.phone_digit),
    ] {
        let share = noise_share(distortion, agency, holds);
        let band = expected * 0.4..expected * 1.8;
        assert!(band.contains(&share), "{distortion:?}: {share}, not about {expected}");
    }
    let nicknames = noise_share(Distortion::Nickname, Agency::AdultEd, Column::FirstName);
    assert!((0.02..0.12).contains(&nicknames), "{nicknames}");
    let silent =
        State::generate(&Settings { people: 500, noise: Noise::scaled(0.0), ..settings() });
    for record in Agency::ALL.into_iter().flat_map(|it| silent.records(it)) {
        for slip in [Distortion::NameTypo, Distortion::SsnDigit, Distortion::DateDigit] {
            assert!(!record.distortions.contains(slip));
        }
    }
    let loud = State::generate(&Settings { people: 500, noise: Noise::scaled(5.0), ..settings() });
    let clean = |state: &State| {
        state.records(Agency::Workforce).iter().filter(|it| it.distortions.is_empty()).count()
    };
    assert!(clean(&loud) * 3 < clean(&silent) * 2);
}

#[test]
fn a_date_or_an_ssn_is_wrong_only_where_it_says_so() {
    let (mut dates, mut numbers) = (0, 0);
    for record in Agency::ALL.into_iter().flat_map(|it| STATE.records(it)) {
        let person = &STATE.people[record.person.0 as usize];
        let noted = |slips: &[Distortion]| slips.iter().any(|it| record.distortions.contains(*it));
        if let Some(date) = record.row.get(Column::DateOfBirth) {
            dates += 1;
            let date: Result<Date, _> = date.parse();
            assert_eq!(date.is_err(), noted(&[Distortion::ImpossibleDate]));
            let wrong =
                [Distortion::DateDigit, Distortion::DateSwapped, Distortion::DatePlaceholder];
            assert_eq!(date.ok() != Some(person.birth), noted(&wrong));
        }
        if let Some(ssn) = record.row.get(Column::Ssn) {
            numbers += 1;
            let digits: String = ssn.chars().filter(char::is_ascii_digit).collect();
            let is_valid = digits.len() == 9
                && !["000", "666"].contains(&&digits[..3])
                && &digits[..1] != "9"
                && &digits[3..5] != "00"
                && &digits[5..] != "0000";
            let wrong =
                [Distortion::SsnDigit, Distortion::SsnTransposed, Distortion::SsnPlaceholder];
            assert!(is_valid || noted(&wrong));
        }
    }
    assert!(dates > 5_000 && numbers > 5_000);
}

#[test]
fn an_ssn_belongs_to_one_person_unless_it_is_borrowed_or_mistyped() {
    let wrong = [
        Distortion::SsnBorrowed,
        Distortion::SsnDigit,
        Distortion::SsnTransposed,
        Distortion::SsnPlaceholder,
    ];
    let mut owners: BTreeMap<String, PersonId> = BTreeMap::new();
    let mut borrowed = 0;
    for record in Agency::ALL.into_iter().flat_map(|it| STATE.records(it)) {
        borrowed += u32::from(record.distortions.contains(Distortion::SsnBorrowed));
        let Some(ssn) = record.row.get(Column::Ssn) else { continue };
        if wrong.iter().any(|it| record.distortions.contains(*it)) {
            continue;
        }
        let owner = *owners.entry(ssn.replace('-', "")).or_insert(record.person);
        assert_eq!(owner, record.person);
    }
    assert!((5..200).contains(&borrowed), "{borrowed}");
}

#[test]
fn no_local_id_looks_like_an_ssn_and_none_is_used_twice() {
    for agency in Agency::ALL {
        let ids: BTreeSet<&str> =
            STATE.records(agency).iter().map(|it| it.row.local_id.as_str()).collect();
        assert_eq!(ids.len(), STATE.records(agency).len());
        for id in ids {
            assert!(id.starts_with(|first: char| first.is_ascii_uppercase()));
            assert!(id.bytes().filter(u8::is_ascii_digit).count() < 9);
        }
    }
}

#[test]
fn records_are_made_within_the_years_of_the_state() {
    let Settings { from, until, .. } = settings();
    for agency in Agency::ALL {
        let days: Vec<Date> = STATE.records(agency).iter().map(|it| it.recorded_on).collect();
        assert!(days.is_sorted() && days.iter().all(|day| (from..=until).contains(day)));
    }
}

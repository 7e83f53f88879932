//! Which agencies know a person, and on which days they make a record.

use jiff::civil::Date;

use crate::{
    agency::Agency,
    person::Person,
    random::{Random, days_between, plus_days},
    settings::Settings,
};

/// How many agencies know a person: 1 to 5.
const AGENCIES_PER_PERSON: [u32; 5] = [40, 33, 18, 7, 2];
/// Days at least between two records of a person at one agency.
const DAYS_BETWEEN_RECORDS: i32 = 120;
/// Nobody younger than this many years has a record.
const YOUNGEST: i16 = 16;

/// The agencies that know the person, in order, and the days of their records, in order; at least
/// one of each.
pub(crate) fn records(
    person: &Person,
    settings: &Settings,
    random: &mut Random,
) -> Vec<(Agency, Vec<Date>)> {
    let mut known_to = draw_agencies(person, settings, random);
    known_to.sort();
    let first_day = first_day(person, settings);
    let mut firsts: Vec<Date> =
        known_to.iter().map(|_| draw_first(first_day, settings, random)).collect();
    let place = |agency| known_to.iter().position(|it| *it == agency);
    if let (Some(college), Some(adult_ed)) = (place(Agency::College), place(Agency::AdultEd))
        && firsts[adult_ed] > firsts[college]
        && random.chance(0.8)
    {
        firsts.swap(adult_ed, college);
    }
    let repeated =
        |(agency, first)| (agency, draw_repeats(person, agency, first, settings, random));
    known_to.into_iter().zip(firsts).map(repeated).collect()
}

fn draw_agencies(person: &Person, settings: &Settings, random: &mut Random) -> Vec<Agency> {
    let age = person.age(settings.from);
    let by_age = |young, middle, old| match age {
        ..27 => young,
        27..45 => middle,
        _ => old,
    };
    let mut weights = [
        by_age(480, 260, 90),
        by_age(120, 130, 90),
        by_age(150, 240, 260),
        if person.assisted { 520 } else { 110 },
        by_age(240, 320, 340),
    ];
    let count = 1 + random.by_weight(&AGENCIES_PER_PERSON);
    let draw = |_| {
        let drawn = random.by_weight(&weights);
        weights[drawn] = 0;
        Agency::ALL[drawn]
    };
    (0..count).map(draw).collect()
}

/// The first day on which the person can have a record.
fn first_day(person: &Person, settings: &Settings) -> Date {
    let grown = Date::new(person.birth.year() + YOUNGEST, 12, 31).unwrap_or(settings.until);
    grown.clamp(settings.from, settings.until)
}

/// The day of a first record: more of them early, for agencies know most of their people for long.
fn draw_first(first_day: Date, settings: &Settings, random: &mut Random) -> Date {
    let last_day = plus_days(settings.until, -45).max(first_day);
    let one = random.day(first_day, last_day);
    if random.chance(0.5) { one.min(random.day(first_day, last_day)) } else { one }
}

/// The first day and those of later records, which a move or a new name makes likelier.
fn draw_repeats(
    person: &Person,
    agency: Agency,
    first: Date,
    settings: &Settings,
    random: &mut Random,
) -> Vec<Date> {
    let changed = person.moves() || person.changes_name();
    let often = agency.habits().repeats * if changed { 2.0 } else { 1.0 };
    let mut days = vec![first];
    let mut last = first;
    while random.chance(often) {
        let earliest = plus_days(last, DAYS_BETWEEN_RECORDS);
        if days_between(earliest, settings.until) < 0 {
            break;
        }
        last = random.day(earliest, settings.until);
        days.push(last);
    }
    days
}

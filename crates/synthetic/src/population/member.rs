//! What a member of a household is given at birth and picks up later: names, homes and numbers.

use jiff::civil::Date;

use super::{Census, Household};
use crate::{
    names::{GivenName, Surname},
    person::{FamilyName, Person, Sex},
    places::{Address, Phone, Places},
    random::plus_days,
    settings::Settings,
};

/// First years of birth and how common they are: each entry reaches up to the next.
const BIRTH_YEARS: [(i32, u32); 8] =
    [(1942, 1), (1950, 7), (1960, 12), (1970, 15), (1980, 19), (1990, 26), (2000, 20), (2008, 0)];
/// A telephone number or an address is given up in a year.
const MOVES_PER_YEAR: f64 = 0.11;
const NEW_PHONES_PER_YEAR: f64 = 0.08;
const EMAIL_HOSTS: [&str; 5] =
    ["mail.example", "inbox.example", "post.example", "example.com", "example.net"];

impl Census<'_> {
    /// A member of the household born in `year`, not yet among the people.
    pub(super) fn member(
        &mut self,
        household: &Household,
        sex: Sex,
        year: i32,
        name: FamilyName,
    ) -> Person {
        let year = year as i16;
        let given = self.names.draw_given(sex, household.origin, year, self.random);
        let nicknames = self.names.nicknames(given);
        let known_by_nickname = !nicknames.is_empty() && self.random.chance(0.4);
        let nickname = known_by_nickname.then(|| *self.random.pick(nicknames));
        let has_middle = self.random.chance(0.9);
        let middle = has_middle
            .then(|| self.names.draw_given(sex, household.origin, year - 25, self.random))
            .filter(|middle| *middle != given);
        let first_day = Date::new(year, 1, 1).unwrap_or(Date::ZERO);
        let on_new_year = self.random.chance(0.006);
        let birth = plus_days(first_day, if on_new_year { 0 } else { self.random.between(0, 364) });
        let has_ssn = self.random.chance(0.985);
        let from_state = self.random.chance(0.55);
        Person {
            household: household.id,
            sex,
            birth,
            is_twin: false,
            given,
            middle,
            suffix: None,
            nickname,
            goes_by_middle: middle.is_some() && self.random.chance(0.03),
            maiden_as_middle: false,
            family_names: vec![(birth, name)],
            homes: household.homes.clone(),
            phones: self.draw_phones(household.phone, birth),
            email: self.draw_email(given, name.first, birth),
            ssn: has_ssn.then(|| self.issuer.issue(from_state)),
            borrowed_ssn: None,
            assisted: household.assisted,
        }
    }

    pub(super) fn draw_homes(&mut self) -> Vec<(Date, Address)> {
        let mut homes = vec![(Date::ZERO, self.places.draw_address(self.random))];
        let Settings { from, until, .. } = *self.settings;
        for year in from.year()..=until.year() {
            if self.random.chance(MOVES_PER_YEAR) {
                let day = Date::new(year, 1, 1).unwrap_or(from);
                let day = plus_days(day, self.random.between(0, 364));
                homes.push((day, self.places.draw_address(self.random)));
            }
        }
        homes
    }

    /// The household's number, one of the person's own with a successor now and then, or none.
    fn draw_phones(&mut self, shared: Phone, birth: Date) -> Vec<(Date, Phone)> {
        match self.random.by_weight(&[22, 72, 6]) {
            0 => vec![(birth, shared)],
            1 => {
                let mut phones = vec![(birth, Places::draw_phone(self.random))];
                let Settings { from, until, .. } = *self.settings;
                let years = f64::from(until.year() - from.year() + 1);
                if self.random.chance((years * NEW_PHONES_PER_YEAR).min(1.0)) {
                    let day = self.random.day(from, until);
                    phones.push((day, Places::draw_phone(self.random)));
                }
                phones
            }
            _ => Vec::new(),
        }
    }

    fn draw_email(&mut self, given: GivenName, surname: Surname, birth: Date) -> Option<Box<str>> {
        let style = self.random.by_weight(&[30, 22, 18, 18, 12]);
        let host = self.random.pick(&EMAIL_HOSTS);
        let number = self.random.below(1_000);
        let given = letters(self.names.given(given));
        let surname = letters(self.names.surname(surname));
        let initial = &given[..1];
        let email = match style {
            0 => format!("{given}.{surname}{number}@{host}"),
            1 => format!("{initial}{surname}{number}@{host}"),
            2 => format!("{given}{}@{host}", i32::from(birth.year()) * 100 + number as i32 % 100),
            3 => format!("{surname}{initial}{number}@{host}"),
            _ => return None,
        };
        Some(email.into())
    }

    pub(super) fn draw_sex(&mut self) -> Sex {
        if self.random.chance(0.54) { Sex::Female } else { Sex::Male }
    }

    pub(super) fn birth_year(&mut self) -> i32 {
        let band = self.random.by_weight(&BIRTH_YEARS.map(|(_, weight)| weight));
        self.random.between(BIRTH_YEARS[band].0, BIRTH_YEARS[band + 1].0 - 1)
    }
}

/// The letters of a name in lower case.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphabetic).map(|it| it.to_ascii_lowercase()).collect()
}

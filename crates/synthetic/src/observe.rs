//! What an agency writes down about a person on a day.

use jiff::civil::Date;

use crate::{
    agency::{Agency, Column, Habits},
    distort::{digit_off, digits_swapped, typo},
    names::Names,
    person::{FamilyName, Joint, Person, Sex},
    places::{Places, STATE},
    random::{Random, days_between},
    row::{Distortion, Draft},
    settings::Noise,
};

const NAME_PLACEHOLDERS: [&str; 2] = ["UNKNOWN", "TEST"];
const DATE_PLACEHOLDER: &str = "1900-01-01";
const SSN_PLACEHOLDERS: [&str; 4] = ["999999999", "000000000", "123456789", "111111111"];
/// How often an agency accepts a mistyped birth date that is in no calendar.
const ACCEPTS_IMPOSSIBLE_DATE: f64 = 0.1;

/// A clerk who takes down records.
pub(crate) struct Clerk<'a> {
    pub(crate) names: &'a Names,
    pub(crate) places: &'a Places,
    pub(crate) noise: &'a Noise,
    pub(crate) random: &'a mut Random,
}

impl Clerk<'_> {
    /// The values of a new record; columns that the agency does not have are empty.
    pub(crate) fn take_down(&mut self, person: &Person, agency: Agency, on: Date) -> Draft {
        let (habits, columns) = (agency.habits(), agency.columns());
        let mut draft = Draft::default();
        self.names(&mut draft, person, habits, on, columns.contains(&Column::NameSuffix));
        if self.random.chance(habits.birth) {
            self.birth(&mut draft, person.birth);
        }
        if self.random.chance(habits.ssn) {
            self.ssn(&mut draft, person, habits.hyphens);
        }
        if self.random.chance(habits.sex) {
            let wrong = self.random.chance(self.noise.wrong_sex);
            let is_male = (person.sex == Sex::Male) != wrong;
            draft.set(Column::Sex, if is_male { "M" } else { "F" });
            draft.note(wrong, Distortion::WrongSex);
        }
        if self.random.chance(habits.address) {
            self.address(&mut draft, person, habits, on);
        }
        if self.random.chance(habits.phone) {
            self.phone(&mut draft, person, agency, on);
        }
        if self.random.chance(habits.email) {
            draft.set(Column::Email, person.email.as_deref().unwrap_or_default());
        }
        if habits.capitals {
            draft.values.iter_mut().for_each(|value| value.make_ascii_uppercase());
        }
        draft
    }

    fn names(
        &mut self,
        draft: &mut Draft,
        person: &Person,
        habits: &Habits,
        on: Date,
        has_suffix: bool,
    ) {
        let informal = self.random.chance(habits.informal);
        let mut first = self.names.given(person.given);
        let mut middle = person.middle.map(|it| self.names.given(it));
        if person.goes_by_middle && (informal || self.random.chance(0.3)) {
            (first, middle) = (middle.unwrap_or(first), Some(first));
            draft.distortions.add(Distortion::GoesByMiddleName);
        } else if let Some(nickname) = person.nickname.filter(|_| informal) {
            first = nickname;
            draft.distortions.add(Distortion::Nickname);
        }
        let (mut family, former) = person.family_name(on);
        if let Some((name, since)) = former {
            let lately = days_between(since, on) < 365;
            if lately && self.random.chance(habits.former_name) {
                family = name;
                draft.distortions.add(Distortion::FormerName);
            } else if person.maiden_as_middle {
                middle = Some(self.names.surname(name.first));
            }
        }
        draft.set(Column::FirstName, first);
        match self.random.by_weight(&habits.middle_name) {
            0 => draft.set(Column::MiddleName, middle.unwrap_or_default()),
            1 => draft.set(Column::MiddleName, middle.map_or("", |it| &it[..1])),
            _ => {}
        }
        let last = self.family_name(draft, family);
        draft.set(Column::LastName, last);
        if let Some(suffix) = person.suffix.filter(|_| self.random.chance(habits.suffix)) {
            if has_suffix {
                draft.set(Column::NameSuffix, suffix);
            } else {
                draft.value(Column::LastName).push_str(&format!(" {suffix}"));
            }
        }
        self.name_slips(draft, person.sex);
    }

    /// The family name, of two surnames both or one of them.
    fn family_name(&mut self, draft: &mut Draft, name: FamilyName) -> String {
        let first = self.names.surname(name.first);
        let Some((joint, second)) = name.second else {
            return first.to_owned();
        };
        let second = self.names.surname(second);
        let (usual, other, weights) = match joint {
            Joint::Hyphen => ('-', ' ', [72, 10, 9, 9]),
            Joint::Space => (' ', '-', [55, 10, 28, 7]),
        };
        let choice = self.random.by_weight(&weights);
        draft.note(choice >= 2, Distortion::SurnamePart);
        match choice {
            0 => format!("{first}{usual}{second}"),
            1 => format!("{first}{other}{second}"),
            2 => first.to_owned(),
            _ => second.to_owned(),
        }
    }

    fn name_slips(&mut self, draft: &mut Draft, sex: Sex) {
        let noise = self.noise;
        for column in [Column::FirstName, Column::MiddleName, Column::LastName] {
            let value = draft.value(column);
            if !value.is_empty() && self.random.chance(noise.name_typo) {
                *value = typo(value, self.random);
                draft.distortions.add(Distortion::NameTypo);
            }
        }
        if self.random.chance(noise.names_swapped) {
            draft.values.swap(Column::FirstName as usize, Column::LastName as usize);
            draft.distortions.add(Distortion::NamesSwapped);
        } else if self.random.chance(noise.first_initial_only) {
            draft.value(Column::FirstName).truncate(1);
            draft.distortions.add(Distortion::FirstInitial);
        } else if self.random.chance(noise.name_placeholder) {
            self.name_placeholder(draft, sex);
        }
    }

    /// A name that says nothing; in the place of a first name also that of a newborn.
    fn name_placeholder(&mut self, draft: &mut Draft, sex: Sex) {
        let [unknown, test] = NAME_PLACEHOLDERS;
        let newborn = if sex == Sex::Male { "Baby Boy" } else { "Baby Girl" };
        let column = *self.random.pick(&[Column::FirstName, Column::LastName]);
        let name = match column {
            Column::FirstName => *self.random.pick(&[unknown, test, newborn]),
            _ => *self.random.pick(&NAME_PLACEHOLDERS),
        };
        draft.set(column, name);
        draft.distortions.add(Distortion::NamePlaceholder);
    }

    fn birth(&mut self, draft: &mut Draft, birth: Date) {
        let swapped = Date::new(birth.year(), birth.day(), birth.month())
            .ok()
            .filter(|swapped| *swapped != birth);
        if self.random.chance(self.noise.date_placeholder) {
            draft.set(Column::DateOfBirth, DATE_PLACEHOLDER);
            draft.distortions.add(Distortion::DatePlaceholder);
        } else if self.random.chance(self.noise.date_digit) {
            let wrong = self.date_digit_off(draft, birth);
            draft.set(Column::DateOfBirth, wrong);
            draft.distortions.add(Distortion::DateDigit);
        } else if let Some(swapped) = swapped
            && self.random.chance(self.noise.date_swapped)
        {
            draft.set(Column::DateOfBirth, swapped.to_string());
            draft.distortions.add(Distortion::DateSwapped);
        } else {
            draft.set(Column::DateOfBirth, birth.to_string());
        }
    }

    /// The date with a wrong digit after the century; a date that is in no calendar is tried
    /// again by most.
    fn date_digit_off(&mut self, draft: &mut Draft, birth: Date) -> String {
        loop {
            let wrong = digit_off(&birth.to_string(), self.random, |at| at >= 2);
            let possible = wrong.parse::<Date>().is_ok();
            if possible || self.random.chance(ACCEPTS_IMPOSSIBLE_DATE) {
                draft.note(!possible, Distortion::ImpossibleDate);
                return wrong;
            }
        }
    }

    fn ssn(&mut self, draft: &mut Draft, person: &Person, hyphens: bool) {
        let borrowed = person.borrowed_ssn.filter(|_| self.random.chance(0.8));
        let Some(ssn) = borrowed.or(person.ssn) else {
            return;
        };
        let mut digits = ssn.to_string();
        if self.random.chance(self.noise.ssn_placeholder) {
            (*self.random.pick(&SSN_PLACEHOLDERS)).clone_into(&mut digits);
            draft.distortions.add(Distortion::SsnPlaceholder);
        } else {
            draft.note(borrowed.is_some(), Distortion::SsnBorrowed);
            if self.random.chance(self.noise.ssn_digit) {
                digits = digit_off(&digits, self.random, |_| true);
                draft.distortions.add(Distortion::SsnDigit);
            } else if self.random.chance(self.noise.ssn_transposed)
                && let Some(swapped) = digits_swapped(&digits, self.random)
            {
                digits = swapped;
                draft.distortions.add(Distortion::SsnTransposed);
            }
        }
        if hyphens {
            digits.insert(5, '-');
            digits.insert(3, '-');
        }
        draft.set(Column::Ssn, digits);
    }

    fn address(&mut self, draft: &mut Draft, person: &Person, habits: &Habits, on: Date) {
        let (mut address, former) = person.home(on);
        if let Some(former) = former
            && self.random.chance(habits.former_address)
        {
            address = former;
            draft.distortions.add(Distortion::FormerAddress);
        }
        let mut line = self.places.street_line(address, habits.full_street);
        if self.random.chance(self.noise.address_typo) {
            line = typo(&line, self.random);
            draft.distortions.add(Distortion::AddressTypo);
        }
        draft.set(Column::StreetAddress, line);
        draft.set(Column::City, self.places.city(address));
        draft.set(Column::State, STATE);
        draft.set(Column::Zip, address.zip.to_string());
    }

    fn phone(&mut self, draft: &mut Draft, person: &Person, agency: Agency, on: Date) {
        let Some(phone) = person.phone(on) else {
            return;
        };
        let mut digits = phone.0.to_string();
        if self.random.chance(self.noise.phone_digit) {
            digits = digit_off(&digits, self.random, |_| true);
            draft.distortions.add(Distortion::PhoneDigit);
        }
        let (area, exchange, line) = (&digits[..3], &digits[3..6], &digits[6..]);
        let written = match agency {
            Agency::AdultEd => format!("({area}) {exchange}-{line}"),
            Agency::Workforce => format!("{area}-{exchange}-{line}"),
            _ => digits,
        };
        draft.set(Column::Phone, written);
    }
}

impl Draft {
    fn note(&mut self, happened: bool, distortion: Distortion) {
        if happened {
            self.distortions.add(distortion);
        }
    }
}

//! Who lives in the state: households with couples, children, twins and namesakes.

mod member;

use jiff::civil::Date;

use crate::{
    names::{Names, Origin, Surname},
    person::{FamilyName, HouseholdId, Joint, Person, Sex},
    places::{Address, Phone, Places},
    random::{Random, plus_days},
    settings::Settings,
    ssn::{Issuer, Ssn},
};

/// The people of the state, household by household.
pub(crate) fn people(
    settings: &Settings,
    names: &Names,
    places: &Places,
    random: &mut Random,
) -> Vec<Person> {
    let issuer = Issuer::new(settings.seed);
    let wanted = settings.people as usize;
    let people = Vec::with_capacity(wanted + 8);
    let mut census = Census { settings, names, places, random, issuer, people, households: 0 };
    while census.people.len() < wanted {
        census.add_household();
    }
    census.people.truncate(wanted);
    census.lend_ssns();
    census.people
}

struct Census<'a> {
    settings: &'a Settings,
    names: &'a Names,
    places: &'a Places,
    random: &'a mut Random,
    issuer: Issuer,
    people: Vec<Person>,
    households: u32,
}

/// What the members of a household share.
struct Household {
    id: HouseholdId,
    origin: Origin,
    family_name: FamilyName,
    homes: Vec<(Date, Address)>,
    phone: Phone,
    assisted: bool,
}

impl Census<'_> {
    fn add_household(&mut self) {
        let household = self.household();
        match self.random.by_weight(&[52, 18, 12, 11, 7]) {
            0 => self.add_single(&household),
            1 => {
                let year = self.birth_year();
                self.add_couple(&household, year);
            }
            2 => {
                let year = self.random.between(1950, 1982);
                let (father, mother) = self.add_couple(&household, year);
                let children = 1 + self.random.by_weight(&[50, 35, 15]);
                self.add_children(&household, Some(father), mother, children);
            }
            3 => {
                let year = self.random.between(1955, 1984);
                let mother = self.member(&household, Sex::Female, year, household.family_name);
                self.people.push(mother);
                let children = 1 + self.random.by_weight(&[65, 35]);
                self.add_children(&household, None, self.people.len() - 1, children);
            }
            _ => {
                let year = self.birth_year();
                for _ in 0..2 {
                    let sex = self.draw_sex();
                    let year = (year + self.random.between(-4, 4)).min(2007);
                    let sibling = self.member(&household, sex, year, household.family_name);
                    self.people.push(sibling);
                }
            }
        }
    }

    fn household(&mut self) -> Household {
        let (surname, origin) = self.names.draw_surname(self.random);
        let id = HouseholdId(self.households);
        self.households += 1;
        Household {
            id,
            origin,
            family_name: self.family_name(surname, origin),
            homes: self.draw_homes(),
            phone: Places::draw_phone(self.random),
            assisted: self.random.chance(0.22),
        }
    }

    /// A family name: with a second surname after the mother for many Hispanic families.
    fn family_name(&mut self, surname: Surname, origin: Origin) -> FamilyName {
        let name = FamilyName::single(surname);
        let double = match origin {
            Origin::Hispanic => 0.25,
            Origin::General | Origin::Asian => 0.015,
        };
        if !self.random.chance(double) {
            return name;
        }
        let joint = if origin == Origin::Hispanic { Joint::Space } else { Joint::Hyphen };
        let mut second = self.names.draw_surname(self.random);
        while second.1 != origin {
            second = self.names.draw_surname(self.random);
        }
        name.joined(joint, second.0)
    }

    fn add_single(&mut self, household: &Household) {
        let sex = self.draw_sex();
        let year = self.birth_year();
        let mut person = self.member(household, sex, year, household.family_name);
        let marries =
            if sex == Sex::Female && (1975..=2004).contains(&year) { 0.09 } else { 0.004 };
        if self.random.chance(marries) {
            let surname = self.names.draw_surname(self.random).0;
            let wedding = self.random.day(self.settings.from, self.settings.until);
            self.take_name(&mut person, wedding, surname);
        }
        if sex == Sex::Male && self.random.chance(0.015) {
            person.suffix = Some(*self.random.pick(&["Jr", "Jr", "Sr", "II", "III"]));
        }
        self.people.push(person);
    }

    /// Adds two partners and says where they stand in the list.
    fn add_couple(&mut self, household: &Household, year: i32) -> (usize, usize) {
        let husband = self.member(household, Sex::Male, year, household.family_name);
        let (maiden, origin) = self.names.draw_surname(self.random);
        let (maiden, origin) = if self.random.chance(0.6) && origin != household.origin {
            (self.names.draw_surname(self.random).0, household.origin)
        } else {
            (maiden, origin)
        };
        let sex = if self.random.chance(0.02) { Sex::Male } else { Sex::Female };
        let year = (year + self.random.between(-6, 4)).min(2007);
        let maiden_name = self.family_name(maiden, origin);
        let mut wife = self.member(household, sex, year, maiden_name);
        let surname = household.family_name.first;
        match self.random.by_weight(&[57, 25, 18]) {
            0 => {
                self.take_name(&mut wife, self.settings.from, surname);
                wife.family_names = wife.family_names.split_off(wife.family_names.len() - 1);
                if self.random.chance(0.08) {
                    self.divorce(&mut wife, maiden_name);
                }
            }
            1 => {
                let wedding = self.random.day(self.settings.from, self.settings.until);
                self.take_name(&mut wife, wedding, surname);
                let together = household.homes.iter().filter(|(since, _)| *since > wedding);
                let (shared, _) = husband.home(wedding);
                wife.homes = self.draw_homes();
                wife.homes.retain(|(since, _)| *since < wedding);
                wife.homes.push((wedding, shared));
                wife.homes.extend(together);
            }
            _ => {}
        }
        if husband.email.is_some() && self.random.chance(0.06) {
            wife.email.clone_from(&husband.email);
        }
        self.people.extend([husband, wife]);
        (self.people.len() - 2, self.people.len() - 1)
    }

    /// A new family name from the day of the wedding, or the old one kept.
    fn take_name(&mut self, person: &mut Person, wedding: Date, surname: Surname) {
        let (own, _) = person.family_name(wedding);
        let name = match self.random.by_weight(&[70, 9, 21]) {
            0 => FamilyName::single(surname),
            1 => own.joined(Joint::Hyphen, surname),
            _ => return,
        };
        person.family_names.push((wedding, name));
        person.maiden_as_middle = name.second.is_none() && self.random.chance(0.15);
    }

    fn divorce(&mut self, person: &mut Person, maiden_name: FamilyName) {
        let day = self.random.day(self.settings.from, self.settings.until);
        person.homes.retain(|(since, _)| *since < day);
        person.homes.push((day, self.places.draw_address(self.random)));
        if person.family_name(day).0 != maiden_name && self.random.chance(0.5) {
            person.family_names.push((plus_days(day, 60), maiden_name));
        }
    }

    /// Adds the children of one or two of the people; a twin counts beside `count`.
    fn add_children(
        &mut self,
        household: &Household,
        father: Option<usize>,
        mother: usize,
        count: usize,
    ) {
        let oldest = i32::from(self.people[mother].birth.year()) + 18;
        let mut year = oldest.max(1984) + self.random.between(0, 12);
        for _ in 0..count {
            if year > 2007 {
                year = 2007 - self.random.between(0, 4);
            }
            let sex = self.draw_sex();
            let mut child = self.member(household, sex, year, household.family_name);
            if let Some(father) = father
                && sex == Sex::Male
                && self.random.chance(0.09)
            {
                self.make_namesake(&mut child, father);
            } else if self.random.chance(0.2) {
                let parent = if sex == Sex::Female { Some(mother) } else { father };
                child.middle = parent.map(|it| self.people[it].given).or(child.middle);
            }
            self.leave_home(&mut child);
            if self.random.chance(0.035) {
                let twin = self.twin(household, &mut child);
                self.people.push(twin);
            }
            self.people.push(child);
            year += self.random.between(2, 4);
        }
    }

    /// The son bears the father's name.
    fn make_namesake(&mut self, son: &mut Person, father: usize) {
        let father = &mut self.people[father];
        if father.suffix.is_some() {
            return;
        }
        son.given = father.given;
        son.middle = if self.random.chance(0.8) { father.middle } else { son.middle };
        (father.suffix, son.suffix) = (Some("Sr"), Some("Jr"));
    }

    fn twin(&mut self, household: &Household, child: &mut Person) -> Person {
        let same_sex = self.random.chance(0.65);
        let sex = if same_sex { child.sex } else { self.draw_sex() };
        let year = i32::from(child.birth.year());
        let mut twin = self.member(household, sex, year, household.family_name);
        let alike = self.random.chance(0.35);
        for _ in 0..if alike { 40 } else { 0 } {
            let given = self.names.draw_given(sex, household.origin, year as i16, self.random);
            let initial = |name| self.names.given(name).as_bytes()[0];
            if given != child.given && initial(given) == initial(child.given) {
                twin.given = given;
                break;
            }
        }
        while twin.given == child.given {
            twin.given = self.names.draw_given(sex, household.origin, year as i16, self.random);
        }
        twin.nickname = None;
        twin.birth = child.birth;
        if self.random.chance(0.7) {
            twin.ssn = child.ssn.map(Ssn::neighbor);
        }
        if self.random.chance(0.7) {
            twin.homes.clone_from(&child.homes);
        } else {
            self.leave_home(&mut twin);
        }
        (child.is_twin, twin.is_twin) = (true, true);
        twin
    }

    /// Moves a grown child out, before the first day or some day later.
    fn leave_home(&mut self, child: &mut Person) {
        let Settings { from, until, .. } = *self.settings;
        if child.age(from) >= 21 && self.random.chance(0.55) {
            child.homes = self.draw_homes();
        } else if self.random.chance(0.35) {
            let grown = Date::new(child.birth.year() + 18, 7, 1).unwrap_or(until);
            let day = self.random.day(grown.max(from), until);
            let own = self.draw_homes();
            child.homes.retain(|(since, _)| *since < day);
            child.homes.push((day, own[0].1));
            child.homes.extend(own.into_iter().skip(1).filter(|(since, _)| *since > day));
        }
    }

    /// Lets a few people use an SSN of somebody else: of the household, mostly.
    fn lend_ssns(&mut self) {
        let people = self.people.len();
        for borrower in 0..people {
            if !self.random.chance(self.settings.noise.ssn_borrowed) {
                continue;
            }
            let anybody = self.random.index(people);
            let household = self.people[borrower].household;
            let near = [borrower + 1, borrower.wrapping_sub(1)]
                .into_iter()
                .find(|it| self.people.get(*it).is_some_and(|it| it.household == household));
            let owner = near.filter(|_| self.random.chance(0.7)).unwrap_or(anybody);
            let ssn = self.people[owner].ssn;
            self.people[borrower].borrowed_ssn = ssn.filter(|_| owner != borrower);
        }
    }
}

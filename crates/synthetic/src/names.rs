//! Names as common as in a real state: census-like lists with a long tail of rare names.

use std::collections::BTreeMap;

use crate::{
    person::Sex,
    random::{Random, Weighted},
};

const GIVEN_NAMES: &str = include_str!("../data/given_names.csv");
const SURNAMES: &str = include_str!("../data/surnames.csv");
const NICKNAMES: &str = include_str!("../data/nicknames.csv");
const NAME_PARTS: &str = include_str!("../data/name_parts.csv");

/// The first decade of birth in the list of given names, and how many it has.
const FIRST_DECADE: i16 = 1940;
const DECADES: usize = 7;
/// How often the parts of names make a given name that is in no list.
const RARE_GIVEN_NAME: f64 = 0.06;
/// Distinct surnames beyond the list double in each octave while each name gets rarer.
const TAIL_OCTAVES: u32 = 8;
/// How many people have a surname of each octave, relative to the list's counts: names fall off a
/// little faster than one over rank.
const TAIL_WEIGHTS: [u32; TAIL_OCTAVES as usize] = [200, 186, 173, 161, 150, 139, 130, 121];
/// People with a surname of the tail for each thousand with one of the list.
const TAIL_PER_THOUSAND: u64 = 1_250;

/// A surname: the place of the name in the list or beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Surname(u32);

/// A given name: its place in the list or beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GivenName(u16);

/// Where a surname comes from: families prefer given names of the same origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    General,
    Hispanic,
    Asian,
}

/// Every name of the state.
pub(crate) struct Names {
    surnames: Vec<Box<str>>,
    listed_surnames: Weighted<(Surname, Origin)>,
    listed: u32,
    given: Vec<Box<str>>,
    /// Names of one sex, origin and decade of birth.
    listed_given: BTreeMap<(Sex, Origin), Vec<Weighted<GivenName>>>,
    rare_given: BTreeMap<Sex, Vec<GivenName>>,
    nicknames: BTreeMap<GivenName, Vec<&'static str>>,
}

impl Names {
    /// Reads the lists that come with this crate.
    pub(crate) fn new() -> Self {
        let parts = parts();
        let (mut surnames, listed_surnames) = listed_surnames();
        let listed = u32::try_from(surnames.len()).expect("the list is short");
        surnames.extend(tail_surnames(&parts, listed));
        let (mut given, listed_given) = listed_given_names();
        let rare_given =
            [(Sex::Male, "male_start", "male_end"), (Sex::Female, "female_start", "female_end")]
                .map(|(sex, start, end)| {
                    (sex, rare_given_names(&parts[start], &parts[end], &mut given))
                })
                .into();
        let nicknames = rows(NICKNAMES)
            .filter_map(|[name, nicknames]| {
                let name = given.iter().position(|it| **it == *name)?;
                Some((given_name(name), nicknames.split(' ').collect()))
            })
            .collect();
        Self { surnames, listed_surnames, listed, given, listed_given, rare_given, nicknames }
    }

    /// A surname, as common as it is in the state.
    pub(crate) fn draw_surname(&self, random: &mut Random) -> (Surname, Origin) {
        let in_tail = TAIL_PER_THOUSAND as f64 / (1000 + TAIL_PER_THOUSAND) as f64;
        if random.chance(in_tail) {
            let octave = random.by_weight(&TAIL_WEIGHTS) as u32;
            let first = self.listed << octave;
            (Surname(first + random.below(first)), Origin::General)
        } else {
            self.listed_surnames.draw(random)
        }
    }

    /// A given name, as common as it is for the sex and the year of birth.
    pub(crate) fn draw_given(
        &self,
        sex: Sex,
        origin: Origin,
        year: i16,
        random: &mut Random,
    ) -> GivenName {
        if random.chance(RARE_GIVEN_NAME) {
            return *random.pick(&self.rare_given[&sex]);
        }
        let own_origin = origin != Origin::General && random.chance(0.55);
        let origin = if own_origin { origin } else { Origin::General };
        let decade =
            usize::try_from((year - FIRST_DECADE) / 10).map_or(0, |it| it.min(DECADES - 1));
        self.listed_given[&(sex, origin)][decade].draw(random)
    }

    /// The surname as text.
    pub(crate) fn surname(&self, name: Surname) -> &str {
        &self.surnames[name.0 as usize]
    }

    /// The given name as text.
    pub(crate) fn given(&self, name: GivenName) -> &str {
        &self.given[usize::from(name.0)]
    }

    /// The nicknames of a given name.
    pub(crate) fn nicknames(&self, name: GivenName) -> &[&'static str] {
        self.nicknames.get(&name).map_or(&[], Vec::as_slice)
    }
}

/// The rows of a list below its header; the lists of this crate hold no quotes.
fn rows<const COLUMNS: usize>(list: &'static str) -> impl Iterator<Item = [&'static str; COLUMNS]> {
    list.lines().skip(1).map(|line| {
        let mut cells = line.split(',');
        std::array::from_fn(|_| cells.next().expect("every row of a list has every column"))
    })
}

/// The syllables of rare names by their part.
fn parts() -> BTreeMap<&'static str, Vec<&'static str>> {
    rows(NAME_PARTS).map(|[part, syllables]| (part, syllables.split(' ').collect())).collect()
}

fn origin(text: &str) -> Origin {
    match text {
        "hispanic" => Origin::Hispanic,
        "asian" => Origin::Asian,
        _ => Origin::General,
    }
}

fn given_name(index: usize) -> GivenName {
    GivenName(index.try_into().expect("there are fewer than 65,536 given names"))
}

fn count(text: &str) -> u32 {
    text.parse().expect("a count of a list is a whole number")
}

fn listed_surnames() -> (Vec<Box<str>>, Weighted<(Surname, Origin)>) {
    let names = rows::<3>(SURNAMES).map(|[name, ..]| name.into()).collect();
    let weighted = (0..)
        .zip(rows(SURNAMES))
        .map(|(index, [_, from, weight])| ((Surname(index), origin(from)), count(weight)));
    (names, Weighted::new(weighted))
}

/// The surnames beyond the list, the common ones (two syllables) first.
fn tail_surnames(
    parts: &BTreeMap<&'static str, Vec<&'static str>>,
    listed: u32,
) -> impl Iterator<Item = Box<str>> {
    let [starts, middles, ends] =
        ["surname_start", "surname_middle", "surname_end"].map(|part| parts[part].clone());
    let length = (listed << TAIL_OCTAVES) - listed;
    (0..length as usize).map(move |index| {
        let (start, rest) = (index % starts.len(), index / starts.len());
        let (end, rest) = ((rest + start * 7) % ends.len(), rest / ends.len());
        let middle = if rest == 0 { "" } else { middles[(rest - 1) % middles.len()] };
        [starts[start], middle, ends[end]].concat().into()
    })
}

/// A name with its counts by decade of birth.
type ByDecade = (GivenName, [u32; DECADES]);
/// The names of one sex and origin, one list for each decade of birth.
type GivenLists = BTreeMap<(Sex, Origin), Vec<Weighted<GivenName>>>;

fn listed_given_names() -> (Vec<Box<str>>, GivenLists) {
    let mut names = Vec::new();
    let mut weights: BTreeMap<(Sex, Origin), Vec<ByDecade>> = BTreeMap::new();
    for [name, sex, from, by_decade @ ..] in rows::<{ 3 + DECADES }>(GIVEN_NAMES) {
        let sex = if sex == "M" { Sex::Male } else { Sex::Female };
        let by_decade: [&str; DECADES] = by_decade;
        let entry = (given_name(names.len()), by_decade.map(count));
        weights.entry((sex, origin(from))).or_default().push(entry);
        names.push(name.into());
    }
    let by_decade = |names: &Vec<ByDecade>| {
        (0..DECADES)
            .map(|decade| Weighted::new(names.iter().map(|(name, by)| (*name, by[decade]))))
            .collect()
    };
    let lists = weights.iter().map(|(key, names)| (*key, by_decade(names))).collect();
    (names, lists)
}

fn rare_given_names(
    starts: &[&'static str],
    ends: &[&'static str],
    given: &mut Vec<Box<str>>,
) -> Vec<GivenName> {
    let mut rare = Vec::new();
    for start in starts {
        for end in ends {
            rare.push(given_name(given.len()));
            given.push([*start, *end].concat().into());
        }
    }
    rare
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn common_surnames_are_common_and_most_surnames_are_rare() {
        let (names, mut random) = (Names::new(), Random::new(1, Stream::People));
        let mut counts: BTreeMap<Surname, u32> = BTreeMap::new();
        for _ in 0..100_000 {
            *counts.entry(names.draw_surname(&mut random).0).or_default() += 1;
        }
        let smith = counts[&Surname(0)];
        assert!((900..1_300).contains(&smith), "Smith: {smith} in 100,000");
        assert!(counts.len() > 20_000, "{} distinct surnames", counts.len());
        assert_eq!(names.surname(Surname(0)), "Smith");
    }

    #[test]
    fn given_names_follow_the_year_of_birth() {
        let (names, mut random) = (Names::new(), Random::new(1, Stream::People));
        let mut share = |name: &str, year| {
            let draws = (0..10_000)
                .map(|_| names.draw_given(Sex::Female, Origin::General, year, &mut random))
                .filter(|drawn| names.given(*drawn) == name);
            draws.count()
        };
        assert!(share("Linda", 1947) > 20 * share("Linda", 2003));
        assert!(share("Madison", 2002) > 20 * share("Madison", 1947));
    }

    #[test]
    fn every_nickname_belongs_to_a_listed_name() {
        assert_eq!(Names::new().nicknames.len(), rows::<2>(NICKNAMES).count());
    }
}

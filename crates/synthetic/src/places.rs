//! Cities, streets, addresses and telephone numbers of the made-up state.

use crate::random::{Random, Weighted};

const CITIES: &str = include_str!("../data/cities.csv");
const STREETS: &str = include_str!("../data/streets.txt");

/// The postal abbreviation of the state; no real state has it.
pub(crate) const STATE: &str = "JF";
/// Area codes that are in use nowhere.
const AREA_CODES: [u64; 4] = [237, 258, 273, 286];
/// Kinds of streets, in full and abbreviated, and how common they are.
const STREET_KINDS: [(&str, &str); 8] = [
    ("Street", "St"),
    ("Avenue", "Ave"),
    ("Road", "Rd"),
    ("Drive", "Dr"),
    ("Lane", "Ln"),
    ("Court", "Ct"),
    ("Boulevard", "Blvd"),
    ("Way", "Way"),
];
const KIND_WEIGHTS: [u32; 8] = [30, 22, 12, 14, 8, 6, 5, 3];
const DIRECTIONS: [&str; 5] = ["", "N ", "S ", "E ", "W "];

/// Where somebody lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address {
    number: u16,
    direction: u8,
    street: u16,
    kind: u8,
    /// 0 for a house of its own.
    unit: u16,
    city: u8,
    pub(crate) zip: u32,
}

/// A telephone number of ten digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phone(pub(crate) u64);

struct City {
    name: &'static str,
    region: &'static str,
    first_zip: u32,
    zips: u32,
}

/// The map of the state.
pub(crate) struct Places {
    cities: Vec<City>,
    cities_by_size: Weighted<u8>,
    streets: Vec<String>,
    /// Large buildings: many households share all of the address but the unit.
    buildings: Vec<Address>,
}

impl Places {
    /// Draws the map, with one large building for every 400 people.
    pub(crate) fn new(people: u32, random: &mut Random) -> Self {
        let mut cities = Vec::new();
        let mut weights = Vec::new();
        for line in CITIES.lines().skip(1) {
            let mut cells = line.split(',');
            let mut next = || cells.next().expect("every city has every column");
            let (name, region) = (next(), next());
            let [first_zip, zips, weight] =
                [next(), next(), next()].map(|cell| cell.parse().expect("a whole number"));
            weights.push((cities.len() as u8, weight));
            cities.push(City { name, region, first_zip, zips });
        }
        let numbered = (1..=60).map(|n| format!("{n}{}", ordinal(n)));
        let streets = STREETS.lines().map(str::to_owned).chain(numbered).collect();
        let cities_by_size = Weighted::new(weights);
        let mut places = Self { cities, cities_by_size, streets, buildings: Vec::new() };
        places.buildings = (0..=people / 400).map(|_| places.house(random)).collect();
        places
    }

    /// An address: a house, an apartment or a unit of a large building.
    pub(crate) fn draw_address(&self, random: &mut Random) -> Address {
        if random.chance(0.15) {
            let building = *random.pick(&self.buildings);
            return Address { unit: (100 + random.below(300)) as u16, ..building };
        }
        let house = self.house(random);
        let unit = if random.chance(0.18) { 1 + random.below(24) as u16 } else { 0 };
        Address { unit, ..house }
    }

    fn house(&self, random: &mut Random) -> Address {
        let city = self.cities_by_size.draw(random);
        let City { first_zip, zips, .. } = self.cities[usize::from(city)];
        let longest = *random.pick(&[99, 999, 999, 9_999, 9_999]);
        let directed = random.chance(0.2);
        Address {
            number: 1 + random.below(longest) as u16,
            direction: if directed { 1 + random.below(4) as u8 } else { 0 },
            street: random.index(self.streets.len()) as u16,
            kind: random.by_weight(&KIND_WEIGHTS) as u8,
            unit: 0,
            city,
            zip: first_zip + random.below(zips),
        }
    }

    /// A telephone number.
    pub(crate) fn draw_phone(random: &mut Random) -> Phone {
        let area = *random.pick(&AREA_CODES);
        let exchange = 200 + u64::from(random.below(800));
        Phone((area * 1_000 + exchange) * 10_000 + u64::from(random.below(10_000)))
    }

    /// The street line, with the kind of street in full or abbreviated.
    pub(crate) fn street_line(&self, address: Address, in_full: bool) -> String {
        let Address { number, unit, .. } = address;
        let direction = DIRECTIONS[usize::from(address.direction)];
        let street = &self.streets[usize::from(address.street)];
        let (full, short) = STREET_KINDS[usize::from(address.kind)];
        let kind = if in_full { full } else { short };
        match (unit, in_full) {
            (0, _) => format!("{number} {direction}{street} {kind}"),
            (_, true) => format!("{number} {direction}{street} {kind} Apt {unit}"),
            (_, false) => format!("{number} {direction}{street} {kind} #{unit}"),
        }
    }

    /// The city.
    pub(crate) fn city(&self, address: Address) -> &'static str {
        self.cities[usize::from(address.city)].name
    }

    /// The planning region of the city.
    pub(crate) fn region(&self, address: Address) -> &'static str {
        self.cities[usize::from(address.city)].region
    }
}

fn ordinal(n: u32) -> &'static str {
    match (n % 10, n % 100) {
        (1, last) if last != 11 => "st",
        (2, last) if last != 12 => "nd",
        (3, last) if last != 13 => "rd",
        _ => "th",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn an_address_reads_like_one() {
        let mut random = Random::new(1, Stream::People);
        let places = Places::new(1_000, &mut random);
        for _ in 0..1_000 {
            let address = places.draw_address(&mut random);
            let line = places.street_line(address, false);
            assert!(line.split(' ').next().unwrap().parse::<u16>().unwrap() >= 1, "{line}");
            assert!((97_810..98_100).contains(&address.zip), "{}", address.zip);
        }
    }

    #[test]
    fn streets_are_counted_in_english() {
        let ordinals = [1, 2, 3, 4, 11, 12, 13, 21, 42].map(ordinal);
        assert_eq!(ordinals, ["st", "nd", "rd", "th", "th", "th", "th", "st", "nd"]);
    }
}

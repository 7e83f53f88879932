//! How large the made-up state is, which years it covers, and how untidy its records are.

use jiff::civil::{Date, date};

/// What to generate. The same settings always give the same state, byte for byte.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How many people live in the state; each has at least one record.
    pub people: u32,
    /// The seed of every random choice.
    pub seed: u64,
    /// The first day of records and events.
    pub from: Date,
    /// The last day on which a record is made or an event is received; after `from`.
    pub until: Date,
    /// How often records are wrong.
    pub noise: Noise,
}

/// How often a value of a record is wrong: each rate is a probability per record that holds the
/// value, unless it says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// A typing error in a first, middle or last name, per name.
    pub name_typo: f64,
    /// First and last name in each other's column.
    pub names_swapped: f64,
    /// Only the initial of the first name.
    pub first_initial_only: f64,
    /// A first or last name that says nothing, such as `UNKNOWN` or `Baby Boy`.
    pub name_placeholder: f64,
    /// One digit of the birth date off.
    pub date_digit: f64,
    /// Day and month of the birth date swapped, where that is a date too.
    pub date_swapped: f64,
    /// A birth date that says nothing, such as 1900-01-01.
    pub date_placeholder: f64,
    /// One digit of the SSN off.
    pub ssn_digit: f64,
    /// Two neighboring digits of the SSN swapped.
    pub ssn_transposed: f64,
    /// An SSN that says nothing, such as 999-99-9999.
    pub ssn_placeholder: f64,
    /// A person who uses the SSN of somebody else at most agencies, per person.
    pub ssn_borrowed: f64,
    /// A typing error in the street address.
    pub address_typo: f64,
    /// One digit of the telephone number off.
    pub phone_digit: f64,
    /// The other sex.
    pub wrong_sex: f64,
}

impl Default for Settings {
    /// 20,000 people from 2022 to September 2026 with everyday noise.
    fn default() -> Self {
        Self {
            people: 20_000,
            seed: 42,
            from: date(2022, 1, 1),
            until: date(2026, 9, 30),
            noise: Noise::default(),
        }
    }
}

impl Default for Noise {
    fn default() -> Self {
        Self {
            name_typo: 0.018,
            names_swapped: 0.004,
            first_initial_only: 0.004,
            name_placeholder: 0.001,
            date_digit: 0.008,
            date_swapped: 0.005,
            date_placeholder: 0.003,
            ssn_digit: 0.007,
            ssn_transposed: 0.004,
            ssn_placeholder: 0.004,
            ssn_borrowed: 0.004,
            address_typo: 0.03,
            phone_digit: 0.01,
            wrong_sex: 0.003,
        }
    }
}

impl Noise {
    /// The default noise with every rate multiplied by `factor` (0 for none), at most 1.
    pub fn scaled(factor: f64) -> Self {
        let mut noise = Self::default();
        for rate in noise.rates() {
            *rate = (*rate * factor).clamp(0.0, 1.0);
        }
        noise
    }

    fn rates(&mut self) -> [&mut f64; 14] {
        [
            &mut self.name_typo,
            &mut self.names_swapped,
            &mut self.first_initial_only,
            &mut self.name_placeholder,
            &mut self.date_digit,
            &mut self.date_swapped,
            &mut self.date_placeholder,
            &mut self.ssn_digit,
            &mut self.ssn_transposed,
            &mut self.ssn_placeholder,
            &mut self.ssn_borrowed,
            &mut self.address_typo,
            &mut self.phone_digit,
            &mut self.wrong_sex,
        ]
    }
}

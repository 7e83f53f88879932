//! Codes in events: programs, occupations, types of credentials and quarters, with their names in
//! files.

use std::{fmt, str::FromStr};

use jiff::civil::Date;

/// A program code and the list it comes from: a code without its version means nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProgramCode {
    /// The list.
    pub system: CodeSystem,
    /// The code, such as `51.0801`.
    pub code: String,
}

/// A list of program codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodeSystem {
    /// Classification of Instructional Programs, 2010 (`cip2010`).
    Cip2010,
    /// Classification of Instructional Programs, 2020 (`cip2020`).
    Cip2020,
    /// The agency's own program ids (`local`).
    Local,
}

/// An occupation code and the list it comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OccupationCode {
    /// The list.
    pub system: OccupationSystem,
    /// The code, such as `29-1141`.
    pub code: String,
}

/// A list of occupation codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OccupationSystem {
    /// Standard Occupational Classification, 2010 (`soc2010`).
    Soc2010,
    /// Standard Occupational Classification, 2018 (`soc2018`).
    Soc2018,
    /// O*NET-SOC taxonomy, 2019 (`onet2019`).
    Onet2019,
}

/// Where a person stands with developmental education in a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DevelopmentalStep {
    /// Was found to need it (`referred`).
    Referred,
    /// Completed it (`completed`).
    Completed,
}

/// When a test of the educational functioning level was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestPhase {
    /// At the start (`pre`).
    Pre,
    /// After instruction (`post`).
    Post,
}

/// The type of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKind {
    /// A secondary school diploma (`high_school_diploma`).
    HighSchoolDiploma,
    /// A high school equivalency (`high_school_equivalency`).
    HighSchoolEquivalency,
    /// A card for a short safety or work-readiness training, such as OSHA-10 (`training_card`).
    TrainingCard,
    /// A postsecondary certificate (`certificate`).
    Certificate,
    /// A postsecondary diploma (`diploma`).
    Diploma,
    /// A certification by an industry body (`certification`).
    Certification,
    /// A license by a state (`license`).
    License,
    /// A certificate of completion of a registered apprenticeship (`apprenticeship_certificate`).
    ApprenticeshipCertificate,
    /// An associate degree (`associate_degree`).
    AssociateDegree,
    /// A bachelor's degree (`bachelor_degree`).
    BachelorDegree,
}

/// A calendar quarter, written `2024Q2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarter {
    /// The calendar year.
    pub year: i16,
    /// 1 to 4.
    pub number: u8,
}

/// Why a text is not one of a list of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give one of {expected}")]
pub struct UnknownName {
    /// What is allowed.
    pub expected: &'static str,
}

impl Quarter {
    /// The first quarter that can be written.
    pub(crate) const FIRST: Self = Self { year: 0, number: 1 };

    /// Quarter `number` of `year`, if there is one.
    pub fn new(year: i16, number: u8) -> Option<Self> {
        ((0..=9999).contains(&year) && (1..=4).contains(&number)).then_some(Self { year, number })
    }

    /// The quarter that holds `date`.
    pub fn of(date: Date) -> Self {
        Self { year: date.year(), number: date.month().unsigned_abs().div_ceil(3) }
    }

    /// The quarter that lies `count` quarters later.
    pub fn plus(self, count: u16) -> Self {
        let quarters = i32::from(self.year) * 4 + i32::from(self.number) - 1 + i32::from(count);
        let year = i16::try_from(quarters.div_euclid(4)).unwrap_or(i16::MAX);
        Self { year, number: u8::try_from(quarters.rem_euclid(4)).map_or(1, |rest| rest + 1) }
    }
}

impl OccupationCode {
    /// Whether the code has the form of its list: `29-1141`, for O*NET `29-1141.00`.
    pub(crate) fn is_well_formed(&self) -> bool {
        let soc = |code: &str| is_parted(code, '-');
        match self.system {
            OccupationSystem::Soc2010 | OccupationSystem::Soc2018 => soc(&self.code),
            OccupationSystem::Onet2019 => self
                .code
                .split_once('.')
                .is_some_and(|(code, detail)| soc(code) && are_digits(detail, 2)),
        }
    }
}

/// Two digits, the mark, and four digits.
fn is_parted(code: &str, mark: char) -> bool {
    code.split_once(mark).is_some_and(|(family, rest)| are_digits(family, 2) && are_digits(rest, 4))
}

fn are_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text is a NAICS code: 2 to 6 digits.
pub(crate) fn is_naics(code: &str) -> bool {
    (2..=6).any(|length| are_digits(code, length))
}

impl CodeSystem {
    /// Whether `code` has the form of the list: a CIP code has six digits, such as `51.0801`. A
    /// family of codes, such as `51.08`, is no program.
    pub(crate) fn admits(self, code: &str) -> bool {
        self == Self::Local || is_parted(code, '.')
    }

    /// Every code system, in order.
    pub const ALL: [Self; 3] = [Self::Cip2010, Self::Cip2020, Self::Local];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cip2010 => "cip2010",
            Self::Cip2020 => "cip2020",
            Self::Local => "local",
        }
    }
}

impl CredentialKind {
    /// Every type, from the lowest to the highest.
    pub const ALL: [Self; 10] = [
        Self::HighSchoolDiploma,
        Self::HighSchoolEquivalency,
        Self::TrainingCard,
        Self::Certificate,
        Self::Diploma,
        Self::Certification,
        Self::License,
        Self::ApprenticeshipCertificate,
        Self::AssociateDegree,
        Self::BachelorDegree,
    ];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::HighSchoolDiploma => "high_school_diploma",
            Self::HighSchoolEquivalency => "high_school_equivalency",
            Self::TrainingCard => "training_card",
            Self::Certificate => "certificate",
            Self::Diploma => "diploma",
            Self::Certification => "certification",
            Self::License => "license",
            Self::ApprenticeshipCertificate => "apprenticeship_certificate",
            Self::AssociateDegree => "associate_degree",
            Self::BachelorDegree => "bachelor_degree",
        }
    }
}

impl FromStr for CodeSystem {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let expected = "cip2010, cip2020, local";
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or(UnknownName { expected })
    }
}

impl FromStr for CredentialKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let expected = "high_school_diploma, high_school_equivalency, training_card, certificate, \
                        diploma, certification, license, apprenticeship_certificate, \
                        associate_degree, bachelor_degree";
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or(UnknownName { expected })
    }
}

impl OccupationSystem {
    /// Every list of occupations, in order.
    pub const ALL: [Self; 3] = [Self::Soc2010, Self::Soc2018, Self::Onet2019];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Soc2010 => "soc2010",
            Self::Soc2018 => "soc2018",
            Self::Onet2019 => "onet2019",
        }
    }
}

impl FromStr for OccupationSystem {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let expected = "soc2010, soc2018, onet2019";
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or(UnknownName { expected })
    }
}

impl fmt::Display for OccupationSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl DevelopmentalStep {
    /// Every step, in order.
    pub const ALL: [Self; 2] = [Self::Referred, Self::Completed];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Referred => "referred",
            Self::Completed => "completed",
        }
    }
}

impl FromStr for DevelopmentalStep {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let expected = "referred, completed";
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or(UnknownName { expected })
    }
}

impl fmt::Display for DevelopmentalStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TestPhase {
    /// Both phases, in order.
    pub const ALL: [Self; 2] = [Self::Pre, Self::Post];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pre => "pre",
            Self::Post => "post",
        }
    }
}

impl FromStr for TestPhase {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let expected = "pre, post";
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or(UnknownName { expected })
    }
}

impl fmt::Display for TestPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Quarter {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let parse = || {
            let (year, number) = text.split_once('Q')?;
            if !are_digits(year, 4) || !are_digits(number, 1) {
                return None;
            }
            Self::new(year.parse().ok()?, number.parse().ok()?)
        };
        parse().ok_or(UnknownName { expected: "year and quarter, such as 2024Q2" })
    }
}

impl fmt::Display for CodeSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}Q{}", self.year, self.number)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_quarter_counts_over_the_end_of_a_year() {
        assert_eq!(Quarter::of(date(2024, 3, 31)).plus(2).to_string(), "2024Q3");
        assert_eq!(Quarter::of(date(2024, 3, 31)).plus(4).to_string(), "2025Q1");
        assert_eq!(Quarter::of(date(2024, 4, 1)).plus(2).to_string(), "2024Q4");
        assert_eq!(Quarter::of(date(2024, 4, 1)).plus(4).to_string(), "2025Q2");
    }

    #[test]
    fn names_are_parsed_back() {
        for kind in CredentialKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for system in CodeSystem::ALL {
            assert_eq!(system.to_string().parse(), Ok(system));
        }
        for system in OccupationSystem::ALL {
            assert_eq!(system.to_string().parse(), Ok(system));
        }
        for step in DevelopmentalStep::ALL {
            assert_eq!(step.to_string().parse(), Ok(step));
        }
        for phase in TestPhase::ALL {
            assert_eq!(phase.to_string().parse(), Ok(phase));
        }
        assert_eq!("2024Q2".parse(), Ok(Quarter { year: 2024, number: 2 }));
        for bad in ["2024Q5", "24Q1", "2024q1", "+024Q1", "2024Q"] {
            assert!(bad.parse::<Quarter>().is_err());
        }
    }
}

//! The five agencies of the state: what each records, and how carefully.

use record::AgencyId;

/// An agency that knows some of the people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Agency {
    /// A community college: neither sex nor telephone number, SSN for most.
    College,
    /// Adult education: no SSN at all, and one record per person.
    AdultEd,
    /// A workforce board: everything.
    Workforce,
    /// Human services: SSN for nearly all, the address of the household, no email.
    HumanServices,
    /// Wage records: SSN and names only.
    Wages,
}

/// A column of an identity file beside `local_id`, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// `first_name`
    FirstName,
    /// `middle_name`, or its initial.
    MiddleName,
    /// `last_name`
    LastName,
    /// `name_suffix`: Jr, Sr, II or III.
    NameSuffix,
    /// `date_of_birth`, as in 1990-12-31.
    DateOfBirth,
    /// `ssn`, with or without hyphens.
    Ssn,
    /// `sex`: F or M.
    Sex,
    /// `street_address`, with the unit.
    StreetAddress,
    /// `city`
    City,
    /// `state`, abbreviated.
    State,
    /// `zip`, five digits.
    Zip,
    /// `phone`
    Phone,
    /// `email`
    Email,
}

/// How an agency works: shares and probabilities per record, weights by order of the comment.
pub(crate) struct Habits {
    /// Writes the nickname of a person who has one, or the middle name of one who goes by it.
    pub(crate) informal: f64,
    /// Writes the middle name in full, its initial, or nothing.
    pub(crate) middle_name: [u32; 3],
    /// Writes a name changed within the last year as it was.
    pub(crate) former_name: f64,
    /// Has the address before the last move.
    pub(crate) former_address: f64,
    /// Knows each of these, where the person has one and the agency records it.
    pub(crate) suffix: f64,
    pub(crate) birth: f64,
    pub(crate) ssn: f64,
    pub(crate) sex: f64,
    pub(crate) address: f64,
    pub(crate) phone: f64,
    pub(crate) email: f64,
    /// Makes another record of somebody it has one of.
    pub(crate) repeats: f64,
    /// Writes in capitals.
    pub(crate) capitals: bool,
    /// Writes the kind of street in full.
    pub(crate) full_street: bool,
    /// Writes an SSN with hyphens.
    pub(crate) hyphens: bool,
}

impl Agency {
    /// Every agency, in order.
    pub const ALL: [Self; 5] =
        [Self::College, Self::AdultEd, Self::Workforce, Self::HumanServices, Self::Wages];

    /// The id of the agency as text.
    pub fn name(self) -> &'static str {
        match self {
            Self::College => "college",
            Self::AdultEd => "adult-ed",
            Self::Workforce => "workforce",
            Self::HumanServices => "human-services",
            Self::Wages => "wages",
        }
    }

    /// The id of the agency.
    pub fn id(self) -> AgencyId {
        self.name().parse().expect("every name is an agency id")
    }

    /// The columns of the agency's identity file after `local_id`, in order.
    pub fn columns(self) -> &'static [Column] {
        use Column::*;
        match self {
            Self::College => &[
                FirstName,
                MiddleName,
                LastName,
                NameSuffix,
                DateOfBirth,
                Ssn,
                StreetAddress,
                City,
                State,
                Zip,
                Email,
            ],
            Self::AdultEd => &[
                FirstName,
                MiddleName,
                LastName,
                DateOfBirth,
                Sex,
                StreetAddress,
                City,
                State,
                Zip,
                Phone,
                Email,
            ],
            Self::Workforce => &Column::ALL,
            Self::HumanServices => &[
                FirstName,
                MiddleName,
                LastName,
                NameSuffix,
                DateOfBirth,
                Ssn,
                Sex,
                StreetAddress,
                City,
                State,
                Zip,
                Phone,
            ],
            Self::Wages => &[FirstName, MiddleName, LastName, Ssn],
        }
    }

    /// Whether the agency has at most one record of a person.
    pub fn is_free_of_duplicates(self) -> bool {
        self.habits().repeats == 0.0
    }

    /// The letters before the running number of a local id.
    pub(crate) fn local_id_prefix(self) -> &'static str {
        match self {
            Self::College => "S",
            Self::AdultEd => "AE-",
            Self::Workforce => "WF",
            Self::HumanServices => "HS-",
            Self::Wages => "W",
        }
    }

    pub(crate) fn habits(self) -> &'static Habits {
        match self {
            Self::College => &COLLEGE,
            Self::AdultEd => &ADULT_ED,
            Self::Workforce => &WORKFORCE,
            Self::HumanServices => &HUMAN_SERVICES,
            Self::Wages => &WAGES,
        }
    }
}

impl Column {
    /// Every column, in the order of a file.
    pub const ALL: [Self; 13] = [
        Self::FirstName,
        Self::MiddleName,
        Self::LastName,
        Self::NameSuffix,
        Self::DateOfBirth,
        Self::Ssn,
        Self::Sex,
        Self::StreetAddress,
        Self::City,
        Self::State,
        Self::Zip,
        Self::Phone,
        Self::Email,
    ];

    /// The header of the column.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstName => "first_name",
            Self::MiddleName => "middle_name",
            Self::LastName => "last_name",
            Self::NameSuffix => "name_suffix",
            Self::DateOfBirth => "date_of_birth",
            Self::Ssn => "ssn",
            Self::Sex => "sex",
            Self::StreetAddress => "street_address",
            Self::City => "city",
            Self::State => "state",
            Self::Zip => "zip",
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }
}

const COLLEGE: Habits = Habits {
    informal: 0.08,
    middle_name: [55, 25, 20],
    former_name: 0.35,
    former_address: 0.2,
    suffix: 0.7,
    birth: 0.995,
    ssn: 0.865,
    sex: 0.0,
    address: 0.97,
    phone: 0.0,
    email: 0.92,
    repeats: 0.07,
    capitals: false,
    full_street: true,
    hyphens: false,
};

const ADULT_ED: Habits = Habits {
    informal: 0.35,
    middle_name: [5, 30, 65],
    former_name: 0.15,
    former_address: 0.08,
    suffix: 0.15,
    birth: 0.98,
    ssn: 0.0,
    sex: 0.97,
    address: 0.9,
    phone: 0.8,
    email: 0.55,
    repeats: 0.0,
    capitals: false,
    full_street: false,
    hyphens: false,
};

const WORKFORCE: Habits = Habits {
    informal: 0.14,
    middle_name: [20, 50, 30],
    former_name: 0.2,
    former_address: 0.1,
    suffix: 0.6,
    birth: 0.995,
    ssn: 0.93,
    sex: 0.99,
    address: 0.95,
    phone: 0.9,
    email: 0.75,
    repeats: 0.14,
    capitals: false,
    full_street: false,
    hyphens: true,
};

const HUMAN_SERVICES: Habits = Habits {
    informal: 0.1,
    middle_name: [35, 35, 30],
    former_name: 0.15,
    former_address: 0.08,
    suffix: 0.5,
    birth: 0.995,
    ssn: 0.965,
    sex: 0.995,
    address: 0.93,
    phone: 0.75,
    email: 0.0,
    repeats: 0.14,
    capitals: true,
    full_street: false,
    hyphens: true,
};

const WAGES: Habits = Habits {
    informal: 0.07,
    middle_name: [5, 45, 50],
    former_name: 0.5,
    former_address: 0.0,
    suffix: 0.3,
    birth: 0.0,
    ssn: 1.0,
    sex: 0.0,
    address: 0.0,
    phone: 0.0,
    email: 0.0,
    repeats: 0.1,
    capitals: true,
    full_street: false,
    hyphens: false,
};

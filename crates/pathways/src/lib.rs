//! Career-pathway flags: events in, participant, leaver and completer statuses out.
//!
//! Pure: no input or output, no clock, and no knowledge of linkage, storage or the network.

mod activity;
mod completeness;
mod credential;
pub mod csv_event;
mod days;
mod engagement;
mod enrollment;
mod entry;
mod evaluate;
pub mod event;
mod fault;
mod known;
pub mod profile;
mod reason;
pub mod registry;
mod sharing;
mod spells;
mod statement;
pub mod status;
mod system;
mod told;
mod transition;
mod wages;

pub use completeness::{Calendar, Completeness, Declaration, Period, Reported};
pub use csv_event::{Columns, EVENT_COLUMNS, RowError, event_from_row, event_to_row};
pub use evaluate::{AsOfError, Rules, evaluate};
pub use event::{
    CodeSystem, CredentialKind, DevelopmentalStep, Event, EventDetail, EventError, OccupationCode,
    OccupationSystem, ProgramCode, Quarter, TestPhase,
};
pub use fault::{Fault, Faults};
pub use profile::{RuleProfile, RuleProfiles};
pub use registry::{Pathway, Registry, RegistryVersion};
pub use sharing::Sharing;
pub use statement::{STATEMENT_COLUMNS, Statement, StatementDetail, statement_from_row};
pub use status::{
    Award, Completer, Engagement, EventRef, Exclusion, GapReason, Label, LeaveReason,
    Participation, PathwayId, Scope, Since, Spell, Status, Warning,
};
pub use transition::Assessment;
pub use wages::{Account, Earnings, QuarterWages, WageHistory};

/// The rule profile used where the settings name none: S1.
pub const DEFAULT_PROFILE: &str = include_str!("../../../config/profiles/s1.toml");

/// The sharing used where the settings name none.
pub const DEFAULT_SHARING: &str = include_str!("../../../config/sharing.toml");

/// The files of the registry used where the settings name none, by name.
pub const DEFAULT_REGISTRY: [(&str, &str); 4] = [
    ("registry.toml", include_str!("../../../config/pathways/registry.toml")),
    ("health-care.toml", include_str!("../../../config/pathways/health-care.toml")),
    (
        "advanced-manufacturing.toml",
        include_str!("../../../config/pathways/advanced-manufacturing.toml"),
    ),
    (
        "information-technology.toml",
        include_str!("../../../config/pathways/information-technology.toml"),
    ),
];

/// The registry of [`DEFAULT_REGISTRY`].
pub fn default_registry() -> Registry {
    Registry::parse(&DEFAULT_REGISTRY).expect("the built-in registry is checked by a test")
}

/// The sharing of [`DEFAULT_SHARING`].
pub fn default_sharing() -> Sharing {
    Sharing::parse("sharing.toml", DEFAULT_SHARING)
        .expect("the built-in sharing is checked by a test")
}

/// The profile of [`DEFAULT_PROFILE`], for every pathway.
pub fn default_profiles() -> RuleProfiles {
    RuleProfile::parse("s1.toml", DEFAULT_PROFILE)
        .expect("the built-in profile is checked by a test")
        .into()
}

//! `waymark registry check`: every fault of a registry and what goes with it, at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use clap::Args;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use pathways::{
    Completeness, Fault, Faults, Registry, RegistryVersion, RuleProfile, RuleProfiles,
    registry::Term,
};
use record::AgencyId;
use serde_json::json;

use super::{RegistryArgs, named_file};
use crate::{
    catalogue::Code,
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, optional, text},
};

/// Checks a registry, with the rule profiles and calendars that go with it.
///
/// Every fault is listed at once, with its file, line and row and what to give. A calendar whose
/// last required term begins within a year is warned of.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  waymark registry check --registry config/pathways --profile config/profiles/s1.toml")]
pub(super) struct Check {
    #[command(flatten)]
    registry: RegistryArgs,
    /// A rule profile; may be given several times. Without it, the one that Waymark ships
    #[arg(long = "profile", value_name = "FILE")]
    profiles: Vec<PathBuf>,
    /// The sources file, whose calendars are checked
    #[arg(long, value_name = "FILE")]
    sources: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(&self, format: Format) -> Result<Exit, Failure> {
        let mut faults = Vec::new();
        let mut note = |wrong: Faults| faults.extend_from_slice(wrong.as_slice());
        let files = self.registry.files()?;
        let registry = Registry::parse(&files).map_err(&mut note).ok();
        let profiles = self.read_profiles()?;
        let profiles = match &registry {
            Some(registry) => {
                let version = registry.latest();
                let read = RuleProfiles::parse(&profiles, version).map_err(&mut note).ok();
                if let Some(profiles) = &read {
                    let _ = profiles.check_services(version).map_err(&mut note);
                }
                read
            }
            // Without a registry a profile can still be checked by itself.
            None => {
                let parse = |(name, text): &(String, String)| {
                    RuleProfile::parse(name, text).map_err(&mut note).ok()
                };
                profiles.iter().map(parse).collect()
            }
        };
        if let Some(path) = &self.sources {
            let (name, text) = named_file(path)?;
            match Completeness::calendars(&name, &text) {
                Ok(calendars) => {
                    let version = registry.as_ref().map(Registry::latest);
                    let required = version.into_iter().flat_map(required_sources);
                    let missing = required.filter(|it| !calendars.contains_key(it));
                    faults.extend(missing.map(|agency| without_calendar(&name, &agency)));
                }
                Err(wrong) => faults.extend_from_slice(wrong.as_slice()),
            }
        }
        match (registry, profiles) {
            (Some(registry), Some(profiles)) if faults.is_empty() => {
                let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
                for warning in ending_calendars(registry.latest(), &profiles, today) {
                    eprintln!("warning: {warning}");
                }
                sound(registry.latest(), &profiles).print(format)?;
                Ok(Exit::Done)
            }
            _ => Err(listed(&faults, format)?),
        }
    }

    fn read_profiles(&self) -> Result<Vec<(String, String)>, Failure> {
        if self.profiles.is_empty() {
            let shipped = pathways::DEFAULT_PROFILE.to_owned();
            return Ok(vec![("the shipped profile".to_owned(), shipped)]);
        }
        self.profiles.iter().map(|path| named_file(path)).collect()
    }
}

/// The agencies that some pathway requires, each once, in order.
fn required_sources(version: &RegistryVersion) -> BTreeSet<AgencyId> {
    version.pathways.iter().flat_map(|it| it.required_sources.iter().cloned()).collect()
}

fn without_calendar(file: &str, agency: &AgencyId) -> Fault {
    let what = "a pathway requires it: give its calendar, or its reports are never overdue";
    Fault {
        file: file.to_owned(),
        line: None,
        place: format!("source {agency}"),
        what: what.to_owned(),
    }
}

/// Calendars of terms that end within a year, where a profile bridges over to the next term.
fn ending_calendars(
    version: &RegistryVersion,
    profiles: &RuleProfiles,
    today: Date,
) -> Vec<String> {
    if !profiles.as_slice().iter().any(|profile| profile.leave.term_bridge) {
        return Vec::new();
    }
    let mut last: BTreeMap<Option<&AgencyId>, &Term> = BTreeMap::new();
    for term in version.terms.iter().filter(|term| term.required) {
        last.insert(term.source.as_ref(), term);
    }
    let soon = today.saturating_add(1.year());
    let ending = last.into_iter().filter(|(_, term)| term.start <= soon);
    let told = |(source, term): (Option<&AgencyId>, &Term)| {
        let whose = source.map(|source| format!(" of {source}")).unwrap_or_default();
        format!(
            "the last required term{whose} is {}, from {} on: add later ones, or nobody's break \
             after it is bridged",
            term.id, term.start
        )
    };
    ending.map(told).collect()
}

/// Prints the faults; the failure says how many there are.
fn listed(faults: &[Fault], format: Format) -> Result<Failure, Failure> {
    let mut section = Section::new("faults", &["file", "line", "place", "fault"]);
    for Fault { file, line, place, what } in faults {
        section.row(vec![text(file), optional(*line), text(place), text(what)]);
    }
    Document::new("waymark.registry.check/1").section(section).print(format)?;
    let what = match faults.len() {
        1 => "1 fault".to_owned(),
        count => format!("{count} faults"),
    };
    Ok(Failure::new(Code::RegistryInvalid, what).remedy("correct the rows that are listed"))
}

/// What a registry without faults holds.
fn sound(version: &RegistryVersion, profiles: &RuleProfiles) -> Document {
    let columns = ["version", "published_on", "terms", "institutions", "rule_profiles"];
    let mut registry = Section::new("registry", &columns);
    registry.row(vec![
        text(&version.version),
        text(version.published_on),
        json!(version.terms.len()),
        json!(version.institutions.len()),
        text(profiles.names()),
    ]);
    let columns = ["pathway", "title", "naics", "components", "credentials", "required_sources"];
    let mut pathways = Section::new("pathways", &columns);
    for pathway in &version.pathways {
        let sources: Vec<_> = pathway.required_sources.iter().map(ToString::to_string).collect();
        pathways.row(vec![
            text(&pathway.id),
            text(&pathway.title),
            text(format!("{} ({})", pathway.naics.join(" "), pathway.naics_edition)),
            json!(pathway.components.len()),
            json!(pathway.credentials.len()),
            text(sources.join(" ")),
        ]);
    }
    Document::new("waymark.registry.check/1").section(registry).section(pathways)
}

//! The registry: which programs, courses, classes, services and credentials make up a pathway.
//!
//! A registry holds every version that was ever in use, so that a status can be given as known
//! on any past day: a version counts from the day on which it was published.

mod calendar;
mod file;
mod rows;
mod suggest;

use std::{borrow::Cow, collections::BTreeMap};

use jiff::civil::Date;
use record::AgencyId;

use crate::{
    event::{CodeSystem, CredentialKind, Event, EventDetail, EventError, OccupationSystem},
    fault::{Fault, Faults},
    status::PathwayId,
};

pub use calendar::Term;
pub use suggest::{CatalogueRow, Reason, Suggestion};

/// Every version of the registry, oldest first.
#[derive(Debug, Clone)]
pub struct Registry {
    versions: Vec<RegistryVersion>,
}

/// One version: what was published on one day.
#[derive(Debug, Clone, Default)]
pub struct RegistryVersion {
    /// Its name, such as `2022-07`.
    pub version: String,
    /// The day from which it counts.
    pub published_on: Date,
    /// The pathways, by id.
    pub pathways: Vec<Pathway>,
    /// The terms, by start.
    pub terms: Vec<Term>,
    /// Institutions of the next level by id, with their titles.
    pub institutions: BTreeMap<String, String>,
    /// The days on which an edition of a code system was in use, by its name, such as `cip2010`;
    /// one that is not listed is taken on any day.
    pub editions: BTreeMap<String, Effective>,
    /// Kinds of services, each with the row that names it, for faults that only a profile shows.
    pub(crate) services: Vec<(String, Fault)>,
    index: BTreeMap<ComponentKind, BTreeMap<String, Vec<Placement>>>,
}

/// A career pathway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pathway {
    /// Its id.
    pub id: PathwayId,
    /// Its title.
    pub title: String,
    /// NAICS codes of its sector: 2 to 6 digits.
    pub naics: Vec<String>,
    /// The edition of NAICS: 2017 or 2022.
    pub naics_edition: u16,
    /// The agencies whose data a leave waits for.
    pub required_sources: Vec<AgencyId>,
    /// What it consists of.
    pub components: Vec<Component>,
    /// The credentials it leads to.
    pub credentials: Vec<ListedCredential>,
}

/// A program, course, class or service that is part of a pathway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// What it is.
    pub kind: ComponentKind,
    /// Its code.
    pub code: String,
    /// The agency whose code it is; absent where the code means the same everywhere.
    pub source: Option<AgencyId>,
    /// What it is to the pathway.
    pub role: Role,
    /// Services only: the kind of service, which the rule profile knows.
    pub service: Option<String>,
    /// What the agency calls it; may be empty.
    pub title: String,
    /// The days on which an engagement must begin to count.
    pub effective: Effective,
}

/// A credential on a pathway's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCredential {
    /// Its code, or the code of the program that it concludes.
    pub code: String,
    /// The list of programs that the code belongs to; absent for a code of the credential's own.
    pub system: Option<CodeSystem>,
    /// Its type.
    pub kind: CredentialKind,
    /// What it is called; may be empty.
    pub title: String,
    /// Whether it qualifies; a listed credential that does not is recorded all the same.
    pub qualifies: bool,
    /// Whether the pathway ends with it.
    pub terminal: bool,
    /// The days on which an award counts.
    pub effective: Effective,
}

/// A stretch of days, open at the end where no end is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effective {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Option<Date>,
}

/// What a component is. A program code belongs to a list of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComponentKind {
    /// A college program.
    Program(CodeSystem),
    /// A college course.
    Course,
    /// An adult-education class.
    Class,
    /// A workforce or human service.
    Service,
    /// An occupation that training is for.
    Occupation(OccupationSystem),
}

impl ComponentKind {
    /// The kind that a file names, with the edition that a program or an occupation needs.
    ///
    /// # Errors
    /// The field and what to give.
    pub fn from_names(kind: &str, system: Option<&str>) -> Result<Self, String> {
        let of_system = |what: &str| system.ok_or_else(|| format!("system: give {what}"));
        match (kind, system) {
            ("program", _) => {
                let system = of_system("cip2010, cip2020 or local")?;
                Ok(Self::Program(system.parse().map_err(|e| format!("system: {e}"))?))
            }
            ("occupation", _) => {
                let system = of_system("soc2010, soc2018 or onet2019")?;
                Ok(Self::Occupation(system.parse().map_err(|e| format!("system: {e}"))?))
            }
            ("course" | "class" | "service", Some(_)) => {
                Err("system: only a program and an occupation have one".to_owned())
            }
            ("course", None) => Ok(Self::Course),
            ("class", None) => Ok(Self::Class),
            ("service", None) => Ok(Self::Service),
            _ => Err("kind: give program, course, class, service or occupation".to_owned()),
        }
    }

    /// The kind as files name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Program(_) => "program",
            Self::Course => "course",
            Self::Class => "class",
            Self::Service => "service",
            Self::Occupation(_) => "occupation",
        }
    }

    /// The edition of a program's or an occupation's code, as files name it.
    pub fn system(self) -> Option<&'static str> {
        match self {
            Self::Program(system) => Some(system.name()),
            Self::Occupation(system) => Some(system.name()),
            Self::Course | Self::Class | Self::Service => None,
        }
    }
}

impl Role {
    /// The role as files name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Integrated => "integrated",
            Self::Feeder => "feeder",
            Self::Shared => "shared",
        }
    }
}

/// What a component is to a pathway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Part of the pathway and of no other.
    Core,
    /// Adult education or basic skills taught together with a core component.
    Integrated,
    /// Leads to the pathway.
    Feeder,
    /// Part of several pathways, such as general education or a supportive service.
    Shared,
}

/// Where a code stands: a pathway's component, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(crate) pathway: usize,
    component: usize,
}

impl Registry {
    /// Reads and checks the files of one version, given as name and text, in any order. One of
    /// them names the version; each of them may hold pathways, terms and institutions.
    ///
    /// # Errors
    /// [`Faults`] name each wrong row with its file and line, and what is allowed there.
    pub fn parse<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<Self, Faults> {
        file::parse(files).map(|version| Self { versions: vec![version] })
    }

    /// This registry and the versions of `other`: the history of both.
    #[must_use]
    pub fn with_history(mut self, other: Self) -> Self {
        self.versions.extend(other.versions);
        self.versions.sort_by_cached_key(|it| (it.published_on, it.version.clone()));
        self
    }

    /// The version in use on `day`: the last one published by then.
    pub fn at(&self, day: Date) -> Option<&RegistryVersion> {
        let later = self.versions.partition_point(|version| version.published_on <= day);
        later.checked_sub(1).map(|last| &self.versions[last])
    }

    /// The last version.
    pub fn latest(&self) -> &RegistryVersion {
        self.versions.last().expect("a registry has at least one version")
    }

    /// Every version, oldest first.
    pub fn versions(&self) -> &[RegistryVersion] {
        &self.versions
    }
}

impl RegistryVersion {
    /// Sorts pathways and terms and indexes the components by code.
    fn index(mut self) -> Self {
        self.pathways.sort_by(|a, b| a.id.cmp(&b.id));
        self.terms.sort_by(|a, b| (a.start, &a.id, &a.source).cmp(&(b.start, &b.id, &b.source)));
        for (pathway, content) in self.pathways.iter().enumerate() {
            for (component, row) in content.components.iter().enumerate() {
                let codes = self.index.entry(row.kind).or_default();
                let places = codes.entry(folded(&row.code).into_owned()).or_default();
                places.push(Placement { pathway, component });
            }
        }
        self
    }

    /// The pathway called `id`.
    pub fn pathway(&self, id: &PathwayId) -> Option<&Pathway> {
        self.pathway_index(id.as_str()).map(|index| &self.pathways[index])
    }

    pub(crate) fn pathway_index(&self, id: &str) -> Option<usize> {
        self.pathways.binary_search_by(|it| it.id.as_str().cmp(id)).ok()
    }

    /// Checks of an event what only a registry can know: that the pathway of a flag exists, and
    /// that the edition of a code was in use on the day. A course, class or service that no pathway
    /// lists is none of ours, and no fault.
    ///
    /// # Errors
    /// [`EventError`] names the field and what to give.
    pub fn check(&self, event: &Event) -> Result<(), EventError> {
        let in_use = |column, name: &str, day: Date| {
            let is_in_use = self.editions.get(name).is_none_or(|edition| edition.holds(day));
            if is_in_use { Ok(()) } else { Err(EventError::Edition(column)) }
        };
        let of_program = |system: Option<CodeSystem>, day| {
            system.map_or(Ok(()), |system| in_use("code_system", system.name(), day))
        };
        match &event.detail {
            EventDetail::PathwayFlag { pathway, .. } => {
                self.pathway_index(pathway).map(|_| ()).ok_or(EventError::Pathway)
            }
            EventDetail::Enrollment { program, start, .. } => {
                of_program(program.as_ref().map(|it| it.system), *start)
            }
            EventDetail::ClassHours { program, on, .. } => {
                of_program(program.as_ref().map(|it| it.system), *on)
            }
            EventDetail::Training { study, occupation, start, .. } => {
                of_program(study.as_ref().map(|it| it.system), *start)?;
                let system = occupation.as_ref().map(|it| it.system.name());
                system.map_or(Ok(()), |system| in_use("occupation_system", system, *start))
            }
            EventDetail::Credential { system, awarded_on, .. } => of_program(*system, *awarded_on),
            _ => Ok(()),
        }
    }

    /// The components that carry `code` at `source` for what begins on `start`, with the place of
    /// their pathway; the most important role of each pathway only.
    pub(crate) fn components(
        &self,
        kind: ComponentKind,
        code: &str,
        source: &AgencyId,
        start: Date,
    ) -> Vec<(usize, &Component)> {
        let places = self.index.get(&kind).and_then(|codes| codes.get(folded(code).as_ref()));
        let mut found: Vec<(usize, &Component)> = Vec::new();
        for place in places.into_iter().flatten() {
            let row = &self.pathways[place.pathway].components[place.component];
            let applies =
                row.effective.holds(start) && row.source.as_ref().is_none_or(|only| only == source);
            match found.last_mut() {
                _ if !applies => {}
                Some((pathway, best)) if *pathway == place.pathway => {
                    if row.role < best.role {
                        *best = row;
                    }
                }
                _ => found.push((place.pathway, row)),
            }
        }
        found
    }
}

impl Effective {
    /// Whether `day` lies in it.
    pub fn holds(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

/// A code without regard to case and outer spaces: agencies write `nur101` and `NUR101`.
pub(crate) fn folded(code: &str) -> Cow<'_, str> {
    let code = code.trim();
    if code.bytes().any(|b| b.is_ascii_lowercase()) {
        Cow::Owned(code.to_ascii_uppercase())
    } else {
        Cow::Borrowed(code)
    }
}

/// Whether two codes are the same without regard to case and outer spaces.
pub(crate) fn is_same_code(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

#[cfg(test)]
mod tests;

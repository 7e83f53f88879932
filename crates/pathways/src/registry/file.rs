//! The files of a registry: reading and checking.

use std::collections::BTreeSet;

use jiff::civil::Date;
use record::AgencyId;
use serde::Deserialize;

use super::{
    Component, ComponentKind, Effective, ListedCredential, Pathway, RegistryVersion, Role, Term,
};
use crate::{days::toml_date, event::CodeSystem, status::PathwayId};

/// Why a registry is refused.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A file is not a registry file; the message names line and key.
    #[error("{file}: {source}")]
    Syntax {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: Box<toml::de::Error>,
    },
    /// A row makes no sense.
    #[error("{file}: {place}: {what}")]
    Invalid {
        /// The file.
        file: String,
        /// The pathway and the row, counted from 1.
        place: String,
        /// What is allowed.
        what: String,
    },
    /// The files together are not one version.
    #[error("{0}")]
    Whole(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    registry: Option<Header>,
    #[serde(default)]
    pathway: Vec<PathwayRow>,
    #[serde(default)]
    term: Vec<TermRow>,
    #[serde(default)]
    institution: Vec<InstitutionRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: String,
    #[serde(with = "toml_date")]
    published_on: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PathwayRow {
    id: String,
    title: String,
    naics: Vec<String>,
    #[serde(default)]
    required_sources: Vec<String>,
    #[serde(default)]
    component: Vec<ComponentRow>,
    #[serde(default)]
    credential: Vec<CredentialRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentRow {
    kind: String,
    code: String,
    system: Option<String>,
    source: Option<String>,
    role: Role,
    service: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(with = "toml_date")]
    effective_from: Date,
    #[serde(default, with = "toml_date::option")]
    effective_to: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialRow {
    code: String,
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default = "yes")]
    qualifies: bool,
    #[serde(default)]
    terminal: bool,
    #[serde(with = "toml_date")]
    effective_from: Date,
    #[serde(default, with = "toml_date::option")]
    effective_to: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermRow {
    id: String,
    source: Option<String>,
    #[serde(with = "toml_date")]
    start: Date,
    #[serde(with = "toml_date")]
    census: Date,
    #[serde(with = "toml_date")]
    end: Date,
    required: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstitutionRow {
    id: String,
    title: String,
}

fn yes() -> bool {
    true
}

/// Reads the files of one version.
pub(super) fn parse<N, T>(files: &[(N, T)]) -> Result<RegistryVersion, RegistryError>
where
    N: AsRef<str>,
    T: AsRef<str>,
{
    let files = files
        .iter()
        .map(|(name, text)| match toml::from_str::<File>(text.as_ref()) {
            Ok(file) => Ok((name.as_ref(), file)),
            Err(source) => {
                Err(RegistryError::Syntax { file: name.as_ref().into(), source: source.into() })
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut headers = files.iter().filter_map(|(_, file)| file.registry.as_ref());
    let mut version = match (headers.next(), headers.next()) {
        (Some(header), None) if !header.version.trim().is_empty() => {
            RegistryVersion::new(header.version.clone(), header.published_on)
        }
        _ => {
            return Err(RegistryError::Whole("give [registry] with a version in one of the files"));
        }
    };
    for (name, file) in files {
        read(&mut version, file).map_err(|(place, what)| RegistryError::Invalid {
            file: name.to_owned(),
            place,
            what,
        })?;
    }
    if version.pathways.is_empty() {
        return Err(RegistryError::Whole("give at least one [[pathway]]"));
    }
    Ok(version.index())
}

/// The place of a row, and what is wrong there.
type Fault = (String, String);

fn read(version: &mut RegistryVersion, file: File) -> Result<(), Fault> {
    for (row, term) in (1..).zip(file.term) {
        let place = format!("term {row} ({})", term.id);
        let term = term.checked().map_err(|what| (place.clone(), what))?;
        if version.terms.iter().any(|it| it.id == term.id && it.source == term.source) {
            return Err((place, "a term of that id stands above".to_owned()));
        }
        version.terms.push(term);
    }
    for (row, institution) in (1..).zip(file.institution) {
        let place = format!("institution {row} ({})", institution.id);
        if version.institutions.insert(institution.id, institution.title).is_some() {
            return Err((place, "an institution of that id stands above".to_owned()));
        }
    }
    for pathway in file.pathway {
        let place = format!("pathway {}", pathway.id);
        let pathway = pathway.checked().map_err(|(row, what)| (format!("{place}{row}"), what))?;
        if version.pathways.iter().any(|it| it.id == pathway.id) {
            return Err((place, "a pathway of that id stands above".to_owned()));
        }
        version.pathways.push(pathway);
    }
    Ok(())
}

impl TermRow {
    fn checked(self) -> Result<Term, String> {
        if !(self.start <= self.census && self.census <= self.end) {
            return Err("give start, census and end in this order".to_owned());
        }
        let source = agency(self.source.as_deref())?;
        let Self { id, start, census, end, required, .. } = self;
        Ok(Term { id, source, start, census, end, required })
    }
}

impl PathwayRow {
    fn checked(self) -> Result<Pathway, Fault> {
        let whole = |what: String| (String::new(), what);
        let id: PathwayId = self.id.parse().map_err(|e| whole(format!("id: {e}")))?;
        let is_naics =
            |it: &String| (2..=6).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit());
        if self.naics.is_empty() || !self.naics.iter().all(is_naics) {
            return Err(whole("naics: give codes of 2 to 6 digits".to_owned()));
        }
        let sources = self.required_sources.iter().map(|it| it.parse().map_err(|e| (it, e)));
        let required_sources = sources
            .collect::<Result<_, _>>()
            .map_err(|(it, e)| whole(format!("required_sources: {it}: {e}")))?;
        let mut components: Vec<Component> = Vec::new();
        for (row, component) in (1..).zip(self.component) {
            let place = format!(", component {row} ({} {})", component.kind, component.code);
            let component = component.checked().map_err(|what| (place.clone(), what))?;
            if let Some(other) = components.iter().position(|it| it.clashes_with(&component)) {
                let what = format!("the same code is in effect in row {} too", other + 1);
                return Err((place, what));
            }
            components.push(component);
        }
        let mut credentials = Vec::new();
        let mut codes = BTreeSet::new();
        for (row, credential) in (1..).zip(self.credential) {
            let place = format!(", credential {row} ({})", credential.code);
            let credential = credential.checked().map_err(|what| (place.clone(), what))?;
            if !codes.insert(credential.code.clone()) {
                return Err((place, "a credential of that code stands above".to_owned()));
            }
            credentials.push(credential);
        }
        let Self { title, naics, .. } = self;
        Ok(Pathway { id, title, naics, required_sources, components, credentials })
    }
}

impl ComponentRow {
    fn checked(self) -> Result<Component, String> {
        let kind = match (self.kind.as_str(), self.system.as_deref()) {
            ("program", Some(system)) => {
                ComponentKind::Program(system.parse().map_err(|e| format!("system: {e}"))?)
            }
            ("program", None) => return Err("system: give cip2010, cip2020 or local".to_owned()),
            (_, Some(_)) => return Err("system: only a program has one".to_owned()),
            ("course", None) => ComponentKind::Course,
            ("class", None) => ComponentKind::Class,
            ("service", None) => ComponentKind::Service,
            _ => return Err("kind: give program, course, class or service".to_owned()),
        };
        if (kind == ComponentKind::Service) != self.service.is_some() {
            return Err("service: give the kind of service, for a service only".to_owned());
        }
        let system = if let ComponentKind::Program(system) = kind { Some(system) } else { None };
        check_code(&self.code, system)?;
        let effective = effective(self.effective_from, self.effective_to)?;
        let source = agency(self.source.as_deref())?;
        let Self { code, role, service, title, .. } = self;
        Ok(Component { kind, code, source, role, service, title, effective })
    }
}

impl Component {
    fn clashes_with(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.effective, other.effective);
        self.kind == other.kind
            && self.source == other.source
            && super::folded(&self.code) == super::folded(&other.code)
            && mine.to.is_none_or(|to| theirs.from <= to)
            && theirs.to.is_none_or(|to| mine.from <= to)
    }
}

impl CredentialRow {
    fn checked(self) -> Result<ListedCredential, String> {
        check_code(&self.code, None)?;
        let kind = self.kind.parse().map_err(|e| format!("kind: {e}"))?;
        let effective = effective(self.effective_from, self.effective_to)?;
        let Self { code, title, qualifies, terminal, .. } = self;
        Ok(ListedCredential { code, kind, title, qualifies, terminal, effective })
    }
}

fn effective(from: Date, to: Option<Date>) -> Result<Effective, String> {
    if to.is_some_and(|to| to < from) {
        return Err("effective_to: give a day on or after effective_from".to_owned());
    }
    Ok(Effective { from, to })
}

fn agency(source: Option<&str>) -> Result<Option<AgencyId>, String> {
    source.map(str::parse).transpose().map_err(|error| format!("source: {error}"))
}

/// A CIP code is two digits, a point and four digits; any other is a text of up to 64 characters.
fn check_code(code: &str, system: Option<CodeSystem>) -> Result<(), String> {
    let is_cip = || {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        code.split_once('.').is_some_and(|(family, rest)| {
            family.len() == 2 && rest.len() == 4 && digits(family) && digits(rest)
        })
    };
    match system {
        Some(CodeSystem::Cip2010 | CodeSystem::Cip2020) if !is_cip() => {
            Err("code: give a six-digit CIP code such as 51.0801".to_owned())
        }
        _ if code.trim() != code || !(1..=64).contains(&code.chars().count()) => {
            Err("code: give 1 to 64 characters without outer spaces".to_owned())
        }
        _ => Ok(()),
    }
}

//! The rows of a registry file, each checked by itself.

use std::collections::BTreeMap;

use jiff::civil::Date;
use record::AgencyId;
use serde::Deserialize;

use super::{Component, ComponentKind, Effective, ListedCredential, Role, Term};
use crate::{
    days::toml_date,
    event::{CodeSystem, OccupationCode, is_naics},
    status::PathwayId,
};

/// When an edition of a code system was in use.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EditionRow {
    name: String,
    #[serde(with = "toml_date")]
    effective_from: Date,
    #[serde(default, with = "toml_date::option")]
    effective_to: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ComponentRow {
    kind: String,
    code: String,
    pub(super) system: Option<String>,
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
pub(super) struct CredentialRow {
    code: String,
    pub(super) system: Option<String>,
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
pub(super) struct TermRow {
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
pub(super) struct InstitutionRow {
    pub(super) id: String,
    pub(super) title: String,
}

fn yes() -> bool {
    true
}

impl TermRow {
    pub(super) fn checked(self) -> Result<Term, String> {
        if !(self.start <= self.census && self.census <= self.end) {
            return Err("give start, census and end in this order".to_owned());
        }
        let source = agency(self.source.as_deref())?;
        let Self { id, start, census, end, required, .. } = self;
        Ok(Term { id, source, start, census, end, required })
    }
}

/// The id of a pathway and the agencies that it requires, or all that is wrong with its head.
pub(super) fn head(
    id: &str,
    naics: &[String],
    naics_edition: u16,
    required_sources: &[String],
) -> Result<(PathwayId, Vec<AgencyId>), Vec<String>> {
    let mut wrong = Vec::new();
    if naics.is_empty() || !naics.iter().all(|it| is_naics(it)) {
        wrong.push("naics: give codes of 2 to 6 digits".to_owned());
    }
    if ![2017, 2022].contains(&naics_edition) {
        wrong.push("naics_edition: give 2017 or 2022".to_owned());
    }
    let mut sources = Vec::new();
    for source in required_sources {
        match source.parse() {
            Ok(agency) => sources.push(agency),
            Err(error) => wrong.push(format!("required_sources: {source}: {error}")),
        }
    }
    match id.parse() {
        Ok(id) if wrong.is_empty() => Ok((id, sources)),
        Ok(_) => Err(wrong),
        Err(error) => {
            wrong.push(format!("id: {error}"));
            Err(wrong)
        }
    }
}

/// Whether a row is in effect only while its code's edition is in use.
pub(super) fn is_within(
    editions: &BTreeMap<String, Effective>,
    system: Option<&str>,
    effective: Effective,
) -> Result<(), String> {
    let Some((name, edition)) = system.and_then(|name| editions.get_key_value(name)) else {
        return Ok(());
    };
    if effective.from < edition.from {
        return Err(format!("effective_from: {name} is in use from {} on", edition.from));
    }
    match edition.to {
        Some(to) if effective.to.is_none_or(|end| end > to) => {
            Err(format!("effective_to: {name} is in use until {to}"))
        }
        _ => Ok(()),
    }
}

impl EditionRow {
    pub(super) fn checked(self) -> Result<(String, Effective), String> {
        const NAMES: [&str; 5] = ["cip2010", "cip2020", "soc2010", "soc2018", "onet2019"];
        if !NAMES.contains(&self.name.as_str()) {
            return Err(format!("name: give one of {}", NAMES.join(", ")));
        }
        Ok((self.name, effective(self.effective_from, self.effective_to)?))
    }
}

impl ComponentRow {
    pub(super) fn checked(self) -> Result<Component, String> {
        let kind = ComponentKind::from_names(&self.kind, self.system.as_deref())?;
        if (kind == ComponentKind::Service) != self.service.is_some() {
            return Err("service: give the kind of service, for a service only".to_owned());
        }
        let system = if let ComponentKind::Program(system) = kind { Some(system) } else { None };
        check_code(&self.code, system)?;
        if let ComponentKind::Occupation(system) = kind
            && !(OccupationCode { system, code: self.code.clone() }).is_well_formed()
        {
            return Err("code: give a code such as 29-1141, for O*NET 29-1141.00".to_owned());
        }
        let effective = effective(self.effective_from, self.effective_to)?;
        let source = agency(self.source.as_deref())?;
        let Self { code, role, service, title, .. } = self;
        Ok(Component { kind, code, source, role, service, title, effective })
    }
}

impl Component {
    pub(super) fn clashes_with(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.effective, other.effective);
        self.kind == other.kind
            && self.source == other.source
            && super::folded(&self.code) == super::folded(&other.code)
            && mine.to.is_none_or(|to| theirs.from <= to)
            && theirs.to.is_none_or(|to| mine.from <= to)
    }
}

impl ListedCredential {
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.system == other.system
            && super::folded(&self.code) == super::folded(&other.code)
            && (self.system.is_none() || self.kind == other.kind)
    }
}

impl CredentialRow {
    pub(super) fn checked(self) -> Result<ListedCredential, String> {
        let system = self.system.as_deref().map(str::parse).transpose();
        let system = system.map_err(|e| format!("system: {e}"))?;
        check_code(&self.code, system)?;
        let kind = self.kind.parse().map_err(|e| format!("kind: {e}"))?;
        let effective = effective(self.effective_from, self.effective_to)?;
        let Self { code, title, qualifies, terminal, .. } = self;
        Ok(ListedCredential { code, system, kind, title, qualifies, terminal, effective })
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

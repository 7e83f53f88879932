//! `waymark registry suggest`: component rows for an agency's catalogue, for a person to accept.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::civil::Date;
use pathways::{
    Registry, RegistryVersion,
    registry::{CatalogueRow, ComponentKind, Reason, Suggestion},
};
use record::AgencyId;
use serde::Deserialize;
use serde_json::json;

use super::RegistryArgs;
use crate::{
    catalogue::Code,
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, file::WholeFile, text},
};

/// Proposes component rows for the programs, courses, classes and services of a catalogue.
///
/// A code that the registry has for another agency, edition or time comes first, then programs of
/// one four-digit CIP group and similar titles. Nothing is registered: read the proposals, and put
/// those that are right into the pathway's file.
#[derive(Debug, Args)]
#[command(after_long_help = "\
The catalogue is CSV in UTF-8 with a header row: kind (program, course, class, service or
occupation), code, and where they are known code_system and title.

Example:
  waymark registry suggest --agency north-college --out proposals.toml catalogue.csv")]
pub(super) struct Suggest {
    /// The catalogue
    #[arg(value_name = "CATALOGUE.csv")]
    catalogue: PathBuf,
    /// The agency whose catalogue it is
    #[arg(long, value_name = "AGENCY")]
    agency: AgencyId,
    #[command(flatten)]
    registry: RegistryArgs,
    /// First day on which the rows are to count; by default the registry's day of publication
    #[arg(long, value_name = "YYYY-MM-DD")]
    effective_from: Option<Date>,
    /// The lowest score, 0 to 1, of what is proposed
    #[arg(long, value_name = "SCORE", default_value_t = 0.6)]
    least: f64,
    /// File for the proposals as rows of a registry file, each with its reason
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A row as it stands in the file.
#[derive(Deserialize)]
struct Row {
    kind: String,
    code: String,
    #[serde(default)]
    code_system: Option<String>,
    #[serde(default)]
    title: String,
}

impl Suggest {
    pub(super) fn run(&self, format: Format) -> Result<Exit, Failure> {
        let files = self.registry.files()?;
        let registry = Registry::parse(&files).map_err(|faults| {
            let remedy = "waymark registry check lists them as a table";
            Failure::new(Code::RegistryInvalid, faults.to_string()).remedy(remedy)
        })?;
        let version = registry.latest();
        let rows = read(&self.catalogue)?;
        let from = self.effective_from.unwrap_or(version.published_on);
        let suggestions = version.suggest(&rows, &self.agency, from, self.least);
        if let Some(path) = &self.out {
            let mut file = WholeFile::create(path)?;
            let written = file.write_all(as_toml(version, &suggestions).as_bytes());
            written.map_err(|error| file.failure(&error))?;
            file.finish()?;
        }
        let columns = ["line", "kind", "code", "title", "pathway", "role", "score", "reason"];
        let mut section = Section::new("suggestions", &columns);
        for Suggestion { row, pathway, component, score, reason } in &suggestions {
            section.row(vec![
                json!(row + 2),
                text(component.kind.name()),
                text(&component.code),
                text(&component.title),
                text(&version.pathways[*pathway].id),
                text(component.role.name()),
                json!(score),
                text(in_words(reason)),
            ]);
        }
        Document::new("waymark.registry.suggest/1").section(section).print(format)?;
        let mut proposed: Vec<_> = suggestions.iter().map(|it| it.row).collect();
        proposed.dedup();
        eprintln!("{} of {} rows have a proposal", proposed.len(), rows.len());
        Ok(Exit::Done)
    }
}

fn read(path: &Path) -> Result<Vec<CatalogueRow>, Failure> {
    let invalid = |line: u64, what: &str| {
        let what = format!("{}, line {line}: {what}", path.display());
        Failure::new(Code::CatalogueInvalid, what)
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|error| Failure::reading(path, &error.into()))?;
    let mut rows = Vec::new();
    for (line, row) in (2..).zip(reader.deserialize::<Row>()) {
        let remedy = "give the columns kind and code, and as many cells as the header has";
        let Row { kind, code, code_system, title } =
            row.map_err(|_| invalid(line, "cannot be read").remedy(remedy))?;
        let system = code_system.as_deref().filter(|system| !system.is_empty());
        let kind = ComponentKind::from_names(&kind, system)
            .map_err(|what| invalid(line, &what.replace("system:", "code_system:")))?;
        if code.is_empty() {
            return Err(invalid(line, "code: give the agency's code"));
        }
        rows.push(CatalogueRow { kind, code, title });
    }
    Ok(rows)
}

/// Rows as a registry file takes them, by pathway, each below its score and reason.
fn as_toml(version: &RegistryVersion, suggestions: &[Suggestion]) -> String {
    let mut out = String::from(
        "# Proposals. Move each row that is right into the file of its pathway, below its\n\
         # [[pathway]], and raise the registry's version.\n",
    );
    for (place, pathway) in version.pathways.iter().enumerate() {
        let of_pathway: Vec<_> = suggestions.iter().filter(|it| it.pathway == place).collect();
        if !of_pathway.is_empty() {
            let _ = write!(out, "\n# Pathway {}: {}\n", pathway.id, pathway.title);
        }
        for Suggestion { component, score, reason, .. } in of_pathway {
            let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
            let _ = write!(
                out,
                "\n# score {score:.2}: {}\n[[pathway.component]]\nkind = {}\n",
                in_words(reason).replace('\n', " "),
                quoted(component.kind.name())
            );
            let source = component.source.as_ref().map(AgencyId::as_str);
            let lines = [
                ("system", component.kind.system()),
                ("code", Some(component.code.as_str())),
                ("source", source),
                ("role", Some(component.role.name())),
                ("service", component.service.as_deref()),
                ("title", Some(component.title.as_str())),
            ];
            for (key, value) in lines {
                if let Some(value) = value {
                    let _ = writeln!(out, "{key} = {}", quoted(value));
                }
            }
            let _ = writeln!(out, "effective_from = {}", component.effective.from);
            if let Some(to) = component.effective.to {
                let _ = writeln!(out, "effective_to = {to}");
            }
        }
    }
    out
}

fn in_words(reason: &Reason) -> String {
    match reason {
        Reason::SameCode(code) => format!("the same code as {code}"),
        Reason::SameGroup(code) => format!("in the CIP group of {code}"),
        Reason::SimilarTitle(title) => format!("a title like \"{title}\""),
    }
}

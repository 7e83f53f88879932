//! `waymark registry suggest`: component rows for an agency's catalogue, for a person to accept.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::civil::Date;
use pathways::{
    Registry, RegistryVersion,
    registry::{CatalogueRow, ComponentKind, Reason, Suggestion},
};
use record::AgencyId;
use serde_json::json;

use super::RegistryArgs;
use crate::{
    catalogue::Code,
    exit::Exit,
    failure::Failure,
    intake::{
        rejection::describe_fault,
        rows::{BadRow, Row, RowReader},
    },
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
occupation), code, and where they are known code_system and title. A row that is none of these is
told by its line, and the others are read all the same.

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

impl Suggest {
    pub(super) fn run(&self, format: Format) -> Result<Exit, Failure> {
        let files = self.registry.files()?;
        let registry = Registry::parse(&files).map_err(|faults| {
            let remedy = "waymark registry check lists them as a table";
            Failure::new(Code::RegistryInvalid, faults.to_string()).remedy(remedy)
        })?;
        let version = registry.latest();
        let Catalogue { rows, lines, bad } = Catalogue::read(&self.catalogue)?;
        for (line, what) in &bad {
            let (file, page) = (self.catalogue.display(), Code::CatalogueInvalid.id());
            eprintln!("rejected: {file}, line {line}: {what} ({page})");
        }
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
                json!(lines[*row]),
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
        Ok(if bad.is_empty() { Exit::Done } else { Exit::WorkRemains })
    }
}

/// A catalogue as it was read.
#[derive(Default)]
pub(crate) struct Catalogue {
    pub(crate) rows: Vec<CatalogueRow>,
    /// The line of each row.
    lines: Vec<u64>,
    /// Lines that are no rows of a catalogue, and what is wrong with them.
    pub(crate) bad: Vec<(u64, String)>,
}

impl Catalogue {
    fn read(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| Failure::reading(path, &error))?;
        Self::of(path, BufReader::new(file))
    }

    /// As [`Catalogue::read`], with `input` as what stands at `path`.
    pub(crate) fn of(path: &Path, input: impl BufRead + Send) -> Result<Self, Failure> {
        let mut reader = RowReader::new(path, input);
        let header = match reader.next(None)? {
            Some(Ok(row)) => row.cells().map(str::to_ascii_lowercase).collect(),
            _ => Vec::new(),
        };
        let columns = Columns::find(&header).ok_or_else(|| {
            let what = format!("{}, line 1: the columns kind and code are missing", path.display());
            let remedy = "put the names of the columns in the first line, separated by commas";
            Failure::new(Code::CatalogueInvalid, what).remedy(remedy)
        })?;
        let mut catalogue = Self::default();
        while let Some(row) = reader.next(Some(header.len()))? {
            let (line, read) = match row {
                Ok(row) => (row.line, columns.understand(&row)),
                Err(BadRow { line, fault, .. }) => (line, Err(describe_fault(&fault))),
            };
            match read {
                Ok(row) => {
                    catalogue.rows.push(row);
                    catalogue.lines.push(line);
                }
                Err(what) => catalogue.bad.push((line, what)),
            }
        }
        Ok(catalogue)
    }
}

/// Where the columns of a catalogue stand.
struct Columns {
    kind: usize,
    code: usize,
    code_system: Option<usize>,
    title: Option<usize>,
}

impl Columns {
    fn find(header: &[String]) -> Option<Self> {
        let place = |name: &str| header.iter().position(|it| it == name);
        let (code_system, title) = (place("code_system"), place("title"));
        Some(Self { kind: place("kind")?, code: place("code")?, code_system, title })
    }

    fn understand(&self, row: &Row) -> Result<CatalogueRow, String> {
        let code = row.cell(self.code).to_owned();
        if code.is_empty() {
            return Err("code: give the agency's code".to_owned());
        }
        let system = self.code_system.map(|place| row.cell(place));
        let system = system.filter(|system| !system.is_empty());
        let kind = ComponentKind::from_names(row.cell(self.kind), system)
            .map_err(|what| what.replace("system:", "code_system:"))?;
        let title = self.title.map_or("", |place| row.cell(place)).to_owned();
        Ok(CatalogueRow { kind, code, title })
    }
}

/// Rows as a registry file takes them, by pathway, each below its score and reason.
pub(crate) fn as_toml(version: &RegistryVersion, suggestions: &[Suggestion]) -> String {
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

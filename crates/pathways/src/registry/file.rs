//! The files of a registry: reading them, with every fault and the line it stands on.

use jiff::civil::Date;
use serde::{Deserialize, de::DeserializeOwned};
use toml::Spanned;

use super::{
    Component, ListedCredential, Pathway, RegistryVersion,
    rows::{ComponentRow, CredentialRow, EditionRow, InstitutionRow, TermRow, head, is_within},
};
use crate::{
    days::toml_date,
    fault::{Fault, Faults},
};

/// A row as it stands in a file, read by itself so that a fault in one hides no other.
type Row = Spanned<toml::Table>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    registry: Option<Row>,
    #[serde(default)]
    pathway: Vec<Spanned<PathwayRows>>,
    #[serde(default)]
    term: Vec<Row>,
    #[serde(default)]
    institution: Vec<Row>,
    #[serde(default)]
    code_system: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: String,
    #[serde(with = "toml_date")]
    published_on: Date,
}

/// The rows of a pathway; its [`Head`] is read by itself.
#[derive(Deserialize)]
struct PathwayRows {
    #[serde(default)]
    component: Vec<Row>,
    #[serde(default)]
    credential: Vec<Row>,
}

/// What stands in a pathway beside its rows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    title: String,
    naics: Vec<String>,
    naics_edition: u16,
    #[serde(default)]
    required_sources: Vec<String>,
}

/// Reads the files of one version.
pub(super) fn parse<N, T>(files: &[(N, T)]) -> Result<RegistryVersion, Faults>
where
    N: AsRef<str>,
    T: AsRef<str>,
{
    let mut reader = Reader::default();
    let mut read = Vec::new();
    for (name, text) in files {
        let (name, text) = (name.as_ref(), text.as_ref());
        match toml::from_str::<File>(text) {
            Ok(file) => read.push((name, text, file)),
            Err(error) => reader.faults.push(Fault::syntax(name, text, &error)),
        }
    }
    let is_whole = read.len() == files.len();
    for (name, text, file) in &mut read {
        if let Some(header) = file.registry.take() {
            reader.header(Source { name, text }, header);
        }
        for row in std::mem::take(&mut file.code_system) {
            reader.edition(Source { name, text }, row);
        }
    }
    for (name, text, file) in read {
        reader.file(Source { name, text }, file);
    }
    reader.finish(is_whole)
}

/// A file, for messages.
#[derive(Clone, Copy)]
struct Source<'s> {
    name: &'s str,
    text: &'s str,
}

/// The heads of a file's pathways, as they stand there.
fn heads(text: &str) -> Vec<toml::Table> {
    let file: toml::Table = toml::from_str(text).unwrap_or_default();
    let pathways = file.get("pathway").and_then(toml::Value::as_array);
    let head = |pathway: &toml::Value| {
        let mut head = pathway.as_table().cloned().unwrap_or_default();
        head.retain(|key, _| !["component", "credential"].contains(&key));
        head
    };
    pathways.into_iter().flatten().map(head).collect()
}

/// What was read so far, and what is wrong with it.
#[derive(Default)]
struct Reader {
    has_header: bool,
    header: Option<Header>,
    version: RegistryVersion,
    faults: Vec<Fault>,
}

impl Reader {
    fn header(&mut self, source: Source<'_>, row: Row) {
        let is_second = std::mem::replace(&mut self.has_header, true);
        let Some((header, fault)) = self.row::<Header>(source, "registry", row) else { return };
        if is_second {
            self.faults.push(fault("another file names the version too; keep one"));
        } else if header.version.trim().is_empty() {
            self.faults.push(fault("version: give a name such as \"2022-07\""));
        } else {
            self.header = Some(header);
        }
    }

    fn edition(&mut self, source: Source<'_>, row: Row) {
        let Some((row, fault)) = self.row::<EditionRow>(source, "code_system", row) else { return };
        match row.checked() {
            Ok((name, effective)) => {
                if self.version.editions.insert(name, effective).is_some() {
                    self.faults.push(fault("the code system stands above; keep one"));
                }
            }
            Err(what) => self.faults.push(fault(&what)),
        }
    }

    fn file(&mut self, source: Source<'_>, file: File) {
        for row in file.term {
            let Some((row, fault)) = self.row::<TermRow>(source, "term", row) else { continue };
            match row.checked() {
                Ok(term) => {
                    let same = |it: &super::Term| it.id == term.id && it.source == term.source;
                    if self.version.terms.iter().any(same) {
                        self.faults.push(fault("a term of that id stands above; keep one"));
                    }
                    self.version.terms.push(term);
                }
                Err(what) => self.faults.push(fault(&what)),
            }
        }
        for row in file.institution {
            let read = self.row::<InstitutionRow>(source, "institution", row);
            let Some((row, fault)) = read else { continue };
            if self.version.institutions.insert(row.id, row.title).is_some() {
                self.faults.push(fault("an institution of that id stands above; keep one"));
            }
        }
        for (rows, head) in file.pathway.into_iter().zip(heads(source.text)) {
            self.pathway(source, rows, head);
        }
    }

    fn pathway(&mut self, source: Source<'_>, rows: Spanned<PathwayRows>, table: toml::Table) {
        let span = rows.span();
        let PathwayRows { component, credential } = rows.into_inner();
        let named = table.get("id").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        let place = format!("pathway {named}").trim_end().to_owned();
        let fault = |what: &str| Fault::new(source.name, &*place, what).at(source.text, &span);
        let components = self.components(source, &named, component);
        let credentials = self.credentials(source, &named, credential);
        let Head { id, title, naics, naics_edition, required_sources } =
            match table.try_into::<Head>() {
                Ok(head) => head,
                Err(error) => return self.faults.push(fault(error.message().trim_end())),
            };
        match head(&id, &naics, naics_edition, &required_sources) {
            Ok((id, _)) if self.version.pathways.iter().any(|it| it.id == id) => {
                self.faults.push(fault("a pathway of that id stands above; keep one"));
            }
            Ok((id, required_sources)) => self.version.pathways.push(Pathway {
                id,
                title,
                naics,
                naics_edition,
                required_sources,
                components,
                credentials,
            }),
            Err(wrong) => self.faults.extend(wrong.iter().map(|what| fault(what))),
        }
    }

    fn components(&mut self, source: Source<'_>, id: &str, rows: Vec<Row>) -> Vec<Component> {
        let mut components: Vec<Component> = Vec::new();
        for (number, row) in (1..).zip(rows) {
            let place = format!("pathway {id}, component {number}");
            let Some((row, fault)) = self.row::<ComponentRow>(source, &place, row) else {
                continue;
            };
            let system = row.system.clone();
            match row.checked() {
                Ok(component) => {
                    if let Some(other) = components.iter().find(|it| it.clashes_with(&component)) {
                        let code = &other.code;
                        let what =
                            format!("{code} is in effect in a row above too; end one of them");
                        self.faults.push(fault(&what));
                    }
                    let within =
                        is_within(&self.version.editions, system.as_deref(), component.effective);
                    self.faults.extend(within.err().map(|what| fault(&what)));
                    let service = component.service.clone();
                    self.version.services.extend(service.map(|kind| (kind, fault(""))));
                    components.push(component);
                }
                Err(what) => self.faults.push(fault(&what)),
            }
        }
        components
    }

    fn credentials(
        &mut self,
        source: Source<'_>,
        id: &str,
        rows: Vec<Row>,
    ) -> Vec<ListedCredential> {
        let mut credentials: Vec<ListedCredential> = Vec::new();
        for (number, row) in (1..).zip(rows) {
            let place = format!("pathway {id}, credential {number}");
            let Some((row, fault)) = self.row::<CredentialRow>(source, &place, row) else {
                continue;
            };
            let system = row.system.clone();
            match row.checked() {
                Ok(credential) => {
                    if credentials.iter().any(|it| it.is_same_as(&credential)) {
                        self.faults.push(fault("a credential of that code stands above; keep one"));
                    }
                    let within =
                        is_within(&self.version.editions, system.as_deref(), credential.effective);
                    self.faults.extend(within.err().map(|what| fault(&what)));
                    credentials.push(credential);
                }
                Err(what) => self.faults.push(fault(&what)),
            }
        }
        credentials
    }

    /// Reads one row, and makes faults of it: its place names its code or id, where it has one.
    fn row<'s, R: DeserializeOwned>(
        &mut self,
        source: Source<'s>,
        place: &str,
        row: Row,
    ) -> Option<(R, impl Fn(&str) -> Fault + use<'s, R>)> {
        let span = row.span();
        let table = row.into_inner();
        let name = ["code", "id", "name"].iter().find_map(|key| table.get(*key)?.as_str());
        let place = name.map_or_else(|| place.to_owned(), |name| format!("{place} ({name})"));
        let fault = move |what: &str| Fault::new(source.name, &*place, what).at(source.text, &span);
        match table.try_into() {
            Ok(row) => Some((row, fault)),
            Err(error) => {
                let error: toml::de::Error = error;
                self.faults.push(fault(error.message().trim_end()));
                None
            }
        }
    }

    /// The version, if nothing is wrong with it. What only all files together can be said to lack
    /// is not said where one of them could not be read.
    fn finish(mut self, is_whole: bool) -> Result<RegistryVersion, Faults> {
        let is_sound = is_whole && self.faults.is_empty();
        if is_sound && self.version.pathways.is_empty() && self.header.is_some() {
            self.faults.push(Fault::new("registry", "pathway", "give at least one [[pathway]]"));
        }
        if is_whole && !self.has_header {
            let what = "give [registry] with version and published_on in one of the files";
            self.faults.push(Fault::new("registry", "version", what));
        }
        Faults::check(self.faults)?;
        let mut version = self.version;
        if let Some(Header { version: name, published_on }) = self.header {
            (version.version, version.published_on) = (name, published_on);
        }
        Ok(version.index())
    }
}

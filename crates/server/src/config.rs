//! The settings file of `waymarkd`, read and checked before anything starts.

mod backup;
mod review;
mod tls;

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{civil::Date, tz::TimeZone};
use linkage::{Model, Policy};
use pathways::{Calendar, Completeness, Registry, RuleProfiles, Sharing};
use record::{AgencyId, Schema};
use serde::Deserialize;
use tonic::transport::ServerTlsConfig;

use crate::activation;
use backup::BackupFile;
pub use backup::BackupPolicy;
pub use review::{QuestionPolicy, ReviewPolicy};
use review::{QuestionsFile, ReviewFile};
use tls::TlsFile;

/// Why the settings are refused; the message says which line of which file to change.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that the settings name cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {what}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong and what is allowed.
        what: String,
    },
}

/// The settings as they stand in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    listen: SocketAddr,
    metrics_listen: Option<SocketAddr>,
    data_dir: PathBuf,
    time_zone: String,
    fixed_date: Option<String>,
    tls: Option<TlsFile>,
    #[serde(default)]
    linkage: LinkageFile,
    #[serde(default)]
    pathways: PathwaysFile,
    #[serde(default)]
    limits: LimitsFile,
    #[serde(default)]
    review: ReviewFile,
    #[serde(default)]
    questions: QuestionsFile,
    #[serde(default)]
    backup: BackupFile,
}

impl ConfigFile {
    /// Says what is wrong with an address to listen on. Port 0 is another port each time.
    fn check_addresses(&self) -> Result<(), String> {
        if self.tls.is_none() && !self.listen.ip().is_loopback() {
            return Err(
                "listen: without TLS only a loopback address such as 127.0.0.1 is accepted: \
                        name a certificate and its key under [tls]"
                    .to_owned(),
            );
        }
        // The metrics have neither TLS nor tokens.
        if self.metrics_listen.is_some_and(|address| !address.ip().is_loopback()) {
            return Err(
                "metrics_listen: only a loopback address such as 127.0.0.1 is accepted".to_owned()
            );
        }
        if self.listen.port() != 0 && self.metrics_listen == Some(self.listen) {
            return Err("metrics_listen: an address other than that of listen is needed".to_owned());
        }
        Ok(())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkageFile {
    schema: Option<PathBuf>,
    model: Option<PathBuf>,
    sources: Option<PathBuf>,
    key_check_value: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PathwaysFile {
    registry: Option<PathBuf>,
    #[serde(default)]
    profiles: Vec<PathBuf>,
    sharing: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LimitsFile {
    snapshot_withdrawal_share: f64,
}

impl Default for LimitsFile {
    fn default() -> Self {
        Self { snapshot_withdrawal_share: 0.05 }
    }
}

/// The checked settings, with every file they name read.
#[derive(Debug)]
pub struct Config {
    /// Address to listen on; loopback where there is no TLS.
    pub listen: SocketAddr,
    /// Address on which the metrics are served; loopback.
    pub metrics_listen: Option<SocketAddr>,
    /// How calls are encrypted; `None`: not at all.
    pub tls: Option<ServerTlsConfig>,
    /// Folder of the database and the service's own keys.
    pub data_dir: PathBuf,
    /// Where a day ends.
    pub time_zone: TimeZone,
    /// The date the service believes it is, for demonstrations and tests.
    pub fixed_date: Option<Date>,
    /// The linkage schema that all agencies encode by.
    pub schema: Arc<Schema>,
    /// The model to start with, until another is activated.
    pub model: Model,
    /// The limits of linkage, and what is known of the sources.
    pub policy: Policy,
    /// When the agencies are to report.
    pub calendars: BTreeMap<AgencyId, Calendar>,
    /// The expected key check value; without it the first submission sets it.
    pub key_check_value: Option<[u8; 16]>,
    /// The pathway registry.
    pub registry: Registry,
    /// The registry's files, as they are kept when it is put in force.
    pub registry_content: Vec<u8>,
    /// The rule profiles.
    pub profiles: RuleProfiles,
    /// The rule profiles' files, as they are kept when they are put in force.
    pub profiles_content: Vec<u8>,
    /// Which agency may know of which events.
    pub sharing: Sharing,
    /// The sharing file.
    pub sharing_text: String,
    /// Most records that absence from one snapshot may withdraw, as a share of 0 to 1.
    pub snapshot_withdrawal_share: f64,
    /// How tasks are given to stewards.
    pub review: ReviewPolicy,
    /// When agencies are asked about the quality of their records.
    pub questions: QuestionPolicy,
    /// Where backups go, and which the service makes by itself.
    pub backup: BackupPolicy,
}

impl Config {
    /// Reads the settings file and every file it names; relative paths count from its folder.
    ///
    /// # Errors
    /// [`ConfigError`] names the file and what to change in it.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(path, &read(path)?)
    }

    /// Reads `text` as the settings file at `path`, and every file it names.
    ///
    /// # Errors
    /// [`ConfigError`] names the file and what to change in it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let file: ConfigFile = toml::from_str(text).map_err(|error| invalid(path, &error))?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        file.check_addresses().map_err(|what| invalid(path, &what))?;
        let time_zone = TimeZone::get(&file.time_zone)
            .map_err(|_| invalid(path, "time_zone: not a name of the IANA time zone database"))?;
        let fixed_date = file.fixed_date.as_deref().map(str::parse).transpose();
        let fixed_date =
            fixed_date.map_err(|_| invalid(path, "fixed_date: a date such as 2026-06-30"))?;
        let share = file.limits.snapshot_withdrawal_share;
        if !(0.0..=1.0).contains(&share) {
            return Err(invalid(path, "limits.snapshot_withdrawal_share: 0 to 1 is allowed"));
        }
        let (schema, model) = read_linkage(folder, &file.linkage)?;
        let (policy, calendars) = read_sources(folder, file.linkage.sources.as_deref())?;
        let rules = read_pathways(folder, &file.pathways)?;
        let key_check_value = match &file.linkage.key_check_value {
            Some(text) => Some(parse_check_value(text).ok_or_else(|| {
                invalid(path, "linkage.key_check_value: 32 hexadecimal digits are needed")
            })?),
            None => None,
        };
        let data_dir = folder.join(file.data_dir);
        let backup = file.backup.check(folder, &data_dir).map_err(|what| invalid(path, &what))?;
        Ok(Self {
            listen: file.listen,
            metrics_listen: file.metrics_listen,
            tls: file.tls.map(|tls| tls.check(path)).transpose()?,
            data_dir,
            time_zone,
            fixed_date,
            schema,
            model,
            policy,
            calendars,
            key_check_value,
            registry: rules.registry,
            registry_content: rules.registry_content,
            profiles: rules.profiles,
            profiles_content: rules.profiles_content,
            sharing: rules.sharing,
            sharing_text: rules.sharing_text,
            snapshot_withdrawal_share: share,
            review: file.review.check().map_err(|what| invalid(path, &what))?,
            questions: file.questions.check().map_err(|what| invalid(path, &what))?,
            backup,
        })
    }
}

fn read_linkage(folder: &Path, file: &LinkageFile) -> Result<(Arc<Schema>, Model), ConfigError> {
    let (schema_path, schema_text) =
        named_or(folder, file.schema.as_deref(), record::DEFAULT_SCHEMA)?;
    let schema = Schema::parse(&schema_text).map_err(|error| invalid(&schema_path, &error))?;
    if file.model.is_none() && file.schema.is_some() {
        // The shipped model is the shipped schema's; for any other one, training has to begin.
        let model = Model::untrained(&schema);
        return Ok((Arc::new(schema), model));
    }
    let (model_path, model_text) = named_or(folder, file.model.as_deref(), linkage::DEFAULT_MODEL)?;
    let model =
        Model::from_toml(&model_text, &schema).map_err(|error| invalid(&model_path, &error))?;
    Ok((Arc::new(schema), model))
}

/// What linkage has to know of the sources, and when they are to report.
fn read_sources(
    folder: &Path,
    file: Option<&Path>,
) -> Result<(Policy, BTreeMap<AgencyId, Calendar>), ConfigError> {
    let (path, text) = named_or(folder, file, "")?;
    let policy = Policy::with_sources(&text).map_err(|error| invalid(&path, &error))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let calendars =
        Completeness::calendars(&name, &text).map_err(|error| invalid(&path, &error))?;
    Ok((policy, calendars))
}

/// The registry, the rule profiles and the sharing, with their texts.
fn read_pathways(folder: &Path, file: &PathwaysFile) -> Result<Rules, ConfigError> {
    let (registry_path, files) = match &file.registry {
        Some(path) => {
            let path = folder.join(path);
            let files = read_folder(&path)?;
            (path, files)
        }
        None => (PathBuf::from(BUILT_IN), activation::built_in_registry()),
    };
    let registry = Registry::parse(&files).map_err(|error| invalid(&registry_path, &error))?;
    let registry_content = activation::files_content(&files);
    let files = profile_files(folder, &file.profiles)?;
    let profiles = RuleProfiles::parse(&files, registry.latest())
        .map_err(|error| invalid(Path::new("pathways.profiles"), &error))?;
    profiles.check_services(registry.latest()).map_err(|error| invalid(&registry_path, &error))?;
    let profiles_content = activation::files_content(&files);
    let (path, sharing_text) =
        named_or(folder, file.sharing.as_deref(), pathways::DEFAULT_SHARING)?;
    let sharing =
        Sharing::parse("sharing", &sharing_text).map_err(|error| invalid(&path, &error))?;
    Ok(Rules { registry, registry_content, profiles, profiles_content, sharing, sharing_text })
}

/// The names and texts of the rule profiles; the built-in one where none is named.
fn profile_files(folder: &Path, paths: &[PathBuf]) -> Result<Vec<(String, String)>, ConfigError> {
    if paths.is_empty() {
        return Ok(vec![("s1.toml".to_owned(), pathways::DEFAULT_PROFILE.to_owned())]);
    }
    let read = |path: &PathBuf| Ok((path.display().to_string(), read(&folder.join(path))?));
    paths.iter().map(read).collect()
}

struct Rules {
    registry: Registry,
    registry_content: Vec<u8>,
    profiles: RuleProfiles,
    profiles_content: Vec<u8>,
    sharing: Sharing,
    sharing_text: String,
}

/// Name and text of every `.toml` file of a folder, in the order of their names.
fn read_folder(folder: &Path) -> Result<Vec<(String, String)>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push((entry.file_name().to_string_lossy().into_owned(), read(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

/// What stands for the path of a file that is built in.
const BUILT_IN: &str = "(built in)";

/// The named file's path and text, or the built-in text.
fn named_or(
    folder: &Path,
    name: Option<&Path>,
    built_in: &str,
) -> Result<(PathBuf, String), ConfigError> {
    match name {
        Some(name) => {
            let path = folder.join(name);
            let text = read(&path)?;
            Ok((path, text))
        }
        None => Ok((PathBuf::from(BUILT_IN), built_in.to_owned())),
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

fn invalid(path: &Path, what: &(impl ToString + ?Sized)) -> ConfigError {
    ConfigError::Invalid { path: path.to_owned(), what: what.to_string() }
}

fn parse_check_value(text: &str) -> Option<[u8; 16]> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(addresses: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("waymarkd.toml");
        let others = "data_dir = \"data\"\ntime_zone = \"America/Chicago\"";
        fs::write(&path, format!("{addresses}\n{others}\n")).unwrap();
        Config::read(&path)
    }

    #[test]
    fn metrics_are_served_where_the_settings_say_and_nowhere_by_default() {
        let [calls, metrics] = ["listen = '127.0.0.1:7443'", "metrics_listen = '[::1]:9464'"];
        assert_eq!(read_with(calls).unwrap().metrics_listen, None);
        let both = read_with(&format!("{calls}\n{metrics}")).unwrap();
        assert_eq!(both.metrics_listen, Some("[::1]:9464".parse().unwrap()));
        // The system chooses two ports.
        read_with("listen = '127.0.0.1:0'\nmetrics_listen = '127.0.0.1:0'").unwrap();
    }

    #[test]
    fn both_addresses_are_of_this_machine_and_differ() {
        let loopback = "only a loopback address";
        for (listen, metrics, setting, told) in [
            ("0.0.0.0:7443", "127.0.0.1:9464", "listen", "without TLS only a loopback address"),
            ("127.0.0.1:7443", "0.0.0.0:9464", "metrics_listen", loopback),
            ("127.0.0.1:7443", "[::]:9464", "metrics_listen", loopback),
            ("127.0.0.1:7443", "198.51.100.1:9464", "metrics_listen", loopback),
            ("127.0.0.1:7443", "127.0.0.1:7443", "metrics_listen", "other than that of listen"),
        ] {
            let addresses = format!("listen = '{listen}'\nmetrics_listen = '{metrics}'");
            let refused = read_with(&addresses).unwrap_err().to_string();
            assert!(refused.contains(&format!("waymarkd.toml: {setting}: ")), "{refused}");
            assert!(refused.contains(told), "{refused}");
        }
    }

    #[test]
    fn with_tls_calls_are_served_anywhere_and_the_metrics_here_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let [certificate, key] = ["own.pem", "own.key"].map(|name| folder.path().join(name));
        fs::write(&certificate, made.cert.pem()).unwrap();
        crate::files::write_private(&key, made.signing_key.serialize_pem().as_bytes()).unwrap();
        let files = format!("certificate = {certificate:?}\nkey = {key:?}");
        let tls = |metrics: &str| {
            let path = folder.path().join("waymarkd.toml");
            let others = "data_dir = 'data'\ntime_zone = 'America/Chicago'";
            let addresses = format!("listen = '0.0.0.0:7443'\nmetrics_listen = '{metrics}'");
            fs::write(&path, format!("{addresses}\n{others}\n[tls]\n{files}\n")).unwrap();
            Config::read(&path)
        };
        assert!(tls("127.0.0.1:9464").unwrap().tls.is_some());
        let refused = tls("0.0.0.0:9464").unwrap_err().to_string();
        assert!(refused.contains("metrics_listen: only a loopback address"), "{refused}");
    }
}

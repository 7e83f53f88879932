//! A running `waymarkd` with a folder of its own, and the commands that agencies, stewards and
//! operators give it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{binaries::binary, run::Run, wait::until};

/// Who the token that the service made at its first start belongs to.
pub const OPERATOR: &str = "operator";

/// An address that lets the system choose a free port.
pub const FREE_PORT: &str = "127.0.0.1:0";

/// Records, as AGENCY/LOCAL_ID, grouped by person.
pub type Partition = BTreeSet<BTreeSet<String>>;

/// A service under test. Everybody works in one folder, with a token file each; the service is
/// killed when this goes away.
pub struct Service {
    folder: TempDir,
    settings: String,
    process: Option<Child>,
    address: String,
    authority: Option<PathBuf>,
}

impl Service {
    /// Starts a service on a free port, with an empty database and `settings`: lines of TOML that
    /// go behind the usual ones. Makes the linkage key `linkage.key`.
    pub fn start(settings: &str) -> Self {
        let mut service = Self::prepare(settings);
        service.launch();
        service
    }

    /// A service as [`Service::start`] gives it, before its first launch.
    pub fn prepare(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let settings = settings.to_owned();
        let address = String::new();
        let service = Self { folder, settings, process: None, address, authority: None };
        service.waymark("nobody", "keygen --out linkage.key").exits(0);
        service
    }

    /// Launches it on the data that are there, on a free port.
    pub fn launch(&mut self) {
        self.launch_at(FREE_PORT);
    }

    /// Launches it on the data that are there, with other settings.
    pub fn launch_with(&mut self, settings: &str) {
        settings.clone_into(&mut self.settings);
        self.launch();
    }

    /// Launches it again on the port where it listened before.
    pub fn launch_in_place(&mut self) {
        let (_, address) = self.address.split_once("://").expect("it has listened");
        let address = address.to_owned();
        self.launch_at(&address);
    }

    /// Another service on a copy of everything in the folder of this one, which must have stopped.
    /// Neither runs afterwards.
    pub fn copy(&self) -> Self {
        assert!(self.process.is_none(), "the service still runs");
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        copy_files(self.folder.path(), folder.path());
        copy_files(&self.path("data"), &folder.path().join("data"));
        let (settings, authority) = (self.settings.clone(), self.authority.clone());
        Self { folder, settings, process: None, address: String::new(), authority }
    }

    /// Launches it from a shell that has done `before`, such as setting a limit.
    pub fn launch_under(&mut self, before: &str) {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{before}; exec \"$0\" --config waymarkd.toml")]);
        shell.arg(binary("waymarkd"));
        self.launch_by(FREE_PORT, shell);
    }

    /// Launches it on the data that are there, to listen at an address.
    pub fn launch_at(&mut self, listen: &str) {
        let mut command = Command::new(binary("waymarkd"));
        command.args(["--config", "waymarkd.toml"]);
        self.launch_by(listen, command);
    }

    fn launch_by(&mut self, listen: &str, mut command: Command) {
        assert!(self.process.is_none(), "the service still runs");
        self.write_settings(listen, &self.settings);
        let log = OpenOptions::new().create(true).append(true).open(self.path("waymarkd.log"));
        let log = log.expect("the log can be written");
        let n_before = self.log().len();
        let process = self.in_folder(&mut command).stderr(log).spawn().expect("waymarkd starts");
        self.process = Some(process);
        self.address = until("waymarkd listens", || {
            let log = self.log();
            let ended = self.process.as_mut().and_then(|it| it.try_wait().expect("it is a child"));
            assert!(ended.is_none(), "waymarkd ended:\n{log}");
            address_in(&log[n_before..])
        });
    }

    fn write_settings(&self, listen: &str, more: &str) {
        let usual = "data_dir = \"data\"\ntime_zone = \"America/Chicago\"";
        self.write("waymarkd.toml", format!("listen = \"{listen}\"\n{usual}\n{more}\n"));
    }

    fn in_folder<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.current_dir(self.folder.path());
        command.env("RUST_LOG", "info").stdin(Stdio::null()).stdout(Stdio::null())
    }

    /// Launches `waymarkd` with settings that it refuses, so that it ends by itself. The service
    /// must not be running.
    pub fn launch_refused(&self, listen: &str, settings: &str) -> Run {
        assert!(self.process.is_none(), "the service still runs");
        self.write_settings(listen, settings);
        self.runs_in_vain(Command::new(binary("waymarkd")).args(["--config", "waymarkd.toml"]))
    }

    /// Launches a second `waymarkd` on the same data, which ends by itself.
    pub fn launch_second(&self) -> Run {
        let settings = self.read("waymarkd.toml");
        let rest = settings.split_once('\n').expect("the address stands in the first line").1;
        self.write("second.toml", format!("listen = \"{FREE_PORT}\"\n{rest}"));
        self.runs_in_vain(Command::new(binary("waymarkd")).args(["--config", "second.toml"]))
    }

    /// Launches a `waymarkd` that ends by itself, given as a command.
    pub fn runs_in_vain(&self, command: &mut Command) -> Run {
        let command = self.in_folder(command);
        let mut process = command.stderr(Stdio::piped()).spawn().expect("waymarkd starts");
        let ended = until("waymarkd refuses to run", || process.try_wait().ok().flatten());
        assert!(!ended.success(), "waymarkd refuses to run");
        process.wait_with_output().expect("waymarkd is a child").into()
    }

    /// Ends the service as `kill -9` does, with whatever it is doing.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("the service runs");
        process.kill().expect("the service can be killed");
        process.wait().expect("the service is a child");
    }

    /// Tells the service to stop and waits until it has.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("the service runs");
        let id = process.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill starts");
        assert!(told.success(), "the service can be told to stop");
        let status = process.wait().expect("the service is a child");
        assert!(status.success(), "waymarkd stops as told: {status}\n{}", self.log());
    }

    /// Where it listens, as a URL.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Lets every command trust a file of the folder as the authority of certificates.
    pub fn trust(&mut self, authority: &str) {
        self.authority = Some(self.path(authority));
    }

    /// What the service has logged since its first start.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("waymarkd.log")).unwrap_or_default()
    }

    /// Path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("the file can be written");
    }

    /// Reads a file of the folder.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Whether any file of the service's data folder has these bytes.
    pub fn has_stored(&self, bytes: &[u8]) -> bool {
        let files = fs::read_dir(self.path("data")).expect("there is a data folder");
        let mut paths = files.map(|file| file.expect("the folder can be read").path());
        paths.by_ref().filter(|path| path.is_file()).any(|path| {
            let stored = fs::read(path).expect("the data can be read");
            stored.windows(bytes.len()).any(|window| window.eq_ignore_ascii_case(bytes))
        })
    }

    /// A desk in the folder, for somebody who works on while the service is killed and launched in
    /// its place.
    pub fn desk(&self) -> Desk {
        let (folder, address) = (self.folder.path().to_owned(), self.address.clone());
        Desk { folder, address, authority: self.authority.clone() }
    }

    /// Starts `waymark` in the folder with the token of `who` ("nobody" has none). The arguments
    /// are separated by spaces.
    pub fn command(&self, who: &str, arguments: &str) -> Command {
        self.desk().command(who, arguments)
    }

    /// Runs `waymark` with the token of `who` to its end.
    pub fn waymark(&self, who: &str, arguments: &str) -> Run {
        self.command(who, arguments).output().expect("waymark starts").into()
    }

    /// Runs `waymark` with the token of `who`; it must succeed, and print JSON.
    #[track_caller]
    pub fn ask(&self, who: &str, arguments: &str) -> Run {
        let run = self.waymark(who, &format!("{arguments} --format json"));
        run.exits(0);
        run
    }

    /// Registers an agency and gives it a token.
    pub fn add_agency(&self, agency: &str) {
        self.ask(OPERATOR, &format!("admin agency add {agency} --title {agency}"));
        self.issue(agency, "agency");
    }

    /// Gives a steward a token.
    pub fn add_steward(&self, name: &str) {
        self.issue(name, "steward");
    }

    fn issue(&self, name: &str, role: &str) {
        self.issue_for(name, role, name, "");
    }

    /// Issues a token `label`, in the file of that name, that stands for `subject`, with more
    /// options.
    pub fn issue_for(&self, label: &str, role: &str, subject: &str, options: &str) {
        let issue = format!("admin token issue {label} --role {role} --subject {subject}");
        self.ask(OPERATOR, &format!("{issue} --out {label}.token {options}"));
    }

    /// Runs `waymark submit` for an identity file of an agency, with more options.
    pub fn submit(&self, agency: &str, file: &str, options: &str) -> Run {
        self.waymark(agency, &submit_arguments(agency, file, options))
    }

    /// Starts `waymark submit` and does not wait for it.
    pub fn begin_submit(&self, agency: &str, file: &str) -> Child {
        let mut command = self.command(agency, &submit_arguments(agency, file, ""));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("waymark starts")
    }

    /// Submits records (and events) that are all accepted; gives the receipts.
    #[track_caller]
    pub fn accepts(&self, agency: &str, file: &str, options: &str) -> Vec<Value> {
        self.submit(agency, file, options).exits(0).rows("receipts")
    }

    /// A fact about the service, by its name in `waymark admin info`.
    #[track_caller]
    pub fn info(&self, what: &str) -> Value {
        let facts = self.ask(OPERATOR, "admin info").rows("service");
        let fact = facts.iter().find(|fact| fact["what"] == what);
        fact.unwrap_or_else(|| panic!("no fact {what}"))["value"].clone()
    }

    /// Waits until participants and statuses take every fact into account, and the feeds tell it.
    #[track_caller]
    pub fn settle(&self) {
        until("every fact is applied and told", || {
            let facts = self.ask(OPERATOR, "admin info").rows("service");
            let value =
                |what: &str| Some(&facts.iter().find(|fact| fact["what"] == what)?["value"]);
            let is_applied = value("last fact")? == value("last fact applied")?;
            let is_told = value("records whose changes are told in a moment")? == 0;
            (is_applied && is_told).then_some(())
        });
    }

    /// Who is whom, when every fact is taken into account.
    #[track_caller]
    pub fn partition(&self) -> Partition {
        self.settle();
        let out = self.path("memberships.csv");
        // A file that stands there is from an earlier look.
        let _ = fs::remove_file(&out);
        self.ask(OPERATOR, "admin memberships --out memberships.csv");
        partition(&out)
    }
}

/// Where somebody works who needs no more of the service than its address.
#[derive(Debug, Clone)]
pub struct Desk {
    folder: PathBuf,
    address: String,
    authority: Option<PathBuf>,
}

impl Desk {
    /// Runs `waymark` with the token of `who` to its end.
    pub fn waymark(&self, who: &str, arguments: &str) -> Run {
        self.command(who, arguments).output().expect("waymark starts").into()
    }

    fn command(&self, who: &str, arguments: &str) -> Command {
        let mut command = Command::new(binary("waymark"));
        command.args(arguments.split_whitespace()).current_dir(&self.folder);
        command.env_remove("WAYMARK_TOKEN_FILE").env("NO_COLOR", "1").stdin(Stdio::null());
        command.env("WAYMARK_SERVER", &self.address);
        if let Some(authority) = &self.authority {
            command.env("WAYMARK_AUTHORITY", authority);
        }
        let token = match who {
            OPERATOR => "data/operator.token".to_owned(),
            other => format!("{other}.token"),
        };
        let token = self.folder.join(token);
        if token.exists() {
            command.env("WAYMARK_TOKEN_FILE", token);
        }
        command
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_file() {
            let name = path.file_name().expect("a file has a name");
            fs::copy(&path, to.join(name)).expect("a file can be copied");
        }
    }
}

/// The partition in a links file: `agency,local_id,participant_id`.
pub fn partition(path: &Path) -> Partition {
    let file = File::open(path).expect("the links can be read");
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in csv::Reader::from_reader(file).into_deserialize() {
        let (agency, local_id, participant): (String, String, String) = row.expect("a link");
        let is_new = groups.entry(participant).or_default().insert(format!("{agency}/{local_id}"));
        assert!(is_new, "a record stands twice in {}", path.display());
    }
    groups.into_values().collect()
}

fn submit_arguments(agency: &str, file: &str, options: &str) -> String {
    format!("submit {file} --agency {agency} --key linkage.key --format json {options}")
}

/// The address that `waymarkd` says it listens on.
fn address_in(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("waymarkd: listening on ")?;
    // The line ends with what follows the address: half an address has no comma yet.
    rest.split_once(',').map(|(address, _)| address.to_owned())
}

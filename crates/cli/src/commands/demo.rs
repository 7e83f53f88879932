//! `waymark demo`: a made-up state end to end, on this machine.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use api::admin::GetServiceInfoResponse;
use clap::{Args, Parser};
use serde_json::json;
use synthetic::{Agency, Settings};

use super::keygen;
use crate::{
    cli::Cli,
    client::memberships::write_links,
    demo::{self, DemoFiles, DemoService, Journey, Results},
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, text},
};

/// Shows the whole way: five made-up agencies, a real server on this machine, linked participants,
/// statuses.
///
/// Makes up a state with known truth, encodes each agency's records with a fresh linkage key, sends
/// them over gRPC to a server on a free port, lets it learn its model, and asks it for the results.
/// Everything is kept in one folder, which is named, to look at afterwards.
#[derive(Debug, Args)]
pub struct Demo {
    /// People in the made-up state
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    people: u32,
    /// Seed of everything random: the same seed makes the same state
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// An empty or new folder for the demo; by default a new one among the temporary files
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Leave the server running until Ctrl-C, to try more commands against it
    #[arg(long)]
    keep: bool,
}

/// The agency whose view is shown.
const SHOWN: &str = "college";

impl Demo {
    /// Runs the demo.
    ///
    /// # Errors
    /// [`Failure`] when the folder, a port or the server cannot be used.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let started = Instant::now();
        let folder = self.folder()?;
        eprintln!("everything of this demo is in {}", folder.display());
        let settings = Settings { people: self.people, seed: self.seed, ..Settings::default() };
        let (files, state) = step("made up a state and its agencies' files", || {
            DemoFiles::write(folder, &settings)
        })?;
        keygen::write_key(&files.key(), 1)?;
        let service = step("started the server", || DemoService::start(&files, settings.until))?;
        let journey = Journey::new(&files, service.url());
        step("registered the agencies and a steward", || journey.register())?;

        let deliveries = deliver(&journey)?;
        step("linked and flagged", || journey.settle())?;
        step("trained the model on the service's records, linked again", || journey.train())?;
        let info = step("flagged again", || journey.settle())?;
        let truth = state.truth().map(|(record, person)| (record, person.0.to_string()));
        let results = step("asked for the results", || Results::collect(&journey, truth, SHOWN))?;
        write_links(&files.folder.join("links.csv"), &results.links)?;

        Document::new("waymark.demo/1")
            .section(deliveries)
            .section(self.outcome(&info))
            .section(demo::accuracy(&results.evaluation))
            .section(demo::by_pathway(&info))
            .section(demo::by_label(SHOWN, &results.own_statuses))
            .print(format)?;
        if format == Format::Table {
            show_commands(&files, &service, &results)?;
        }
        eprintln!("\ndone in {:.0} s", started.elapsed().as_secs_f64());
        self.end(service, &files, &results)
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        let Some(folder) = &self.dir else {
            let made = tempfile::Builder::new().prefix("waymark-demo-").tempdir();
            return made
                .map(tempfile::TempDir::keep)
                .map_err(|error| Failure::writing(&std::env::temp_dir(), &error));
        };
        std::fs::create_dir_all(folder).map_err(|error| Failure::writing(folder, &error))?;
        let mut entries =
            std::fs::read_dir(folder).map_err(|error| Failure::reading(folder, &error))?;
        if entries.next().is_some() {
            let what = format!("{}: is not empty", folder.display());
            return Err(Failure::plain(Exit::Usage, what).remedy("name a new folder with --dir"));
        }
        folder.canonicalize().map_err(|error| Failure::reading(folder, &error))
    }

    fn outcome(&self, info: &GetServiceInfoResponse) -> Section {
        let mut section = Section::new("outcome", &["what", "count"]);
        for (what, count) in [
            ("people in truth", u64::from(self.people)),
            ("records in", info.records),
            ("events in", info.events),
            ("participants", info.participants),
            ("open review tasks", info.open_tasks),
        ] {
            section.row(vec![text(what), json!(count)]);
        }
        section
    }

    fn end(
        &self,
        service: DemoService,
        files: &DemoFiles,
        results: &Results,
    ) -> Result<Exit, Failure> {
        let folder = files.folder.display();
        let local_id = results.examples().pop().unwrap_or_default();
        let pair = results.telling_pair.as_ref().map(|pair| &pair.0);
        let record = pair.map_or_else(String::new, ToString::to_string);
        let start = if self.keep {
            format!("the server listens on {}; in another terminal, try:\n", service.url())
        } else {
            format!(
                "start the server again (or run the demo with --keep), then try:\n  \
                 waymarkd --config {folder}/waymarkd.toml\n"
            )
        };
        eprintln!(
            "\n{start}  export WAYMARK_SERVER={url}\n  \
             waymark status get {local_id} --as-of 2024-12-31 --token-file {folder}/college.token\n  \
             waymark status changes --all --limit 5 --token-file {folder}/college.token\n  \
             waymark batch list --token-file {folder}/college.token\n  \
             waymark review list --token-file {folder}/steward.token\n  \
             waymark explain {record} --token-file {folder}/steward.token\n  \
             waymark admin info --token-file {folder}/data/operator.token\n  \
             waymark evaluate --links {folder}/links.csv --truth {folder}/truth.csv",
            url = service.url()
        );
        if self.keep {
            wait_for_interrupt()?;
        }
        service.stop()?;
        Ok(Exit::Done)
    }
}

/// Lets every agency encode and submit; says what became of it.
fn deliver(journey: &Journey<'_>) -> Result<Section, Failure> {
    let columns = ["agency", "records", "rejected", "events", "seconds"];
    let mut section = Section::new("records_in", &columns);
    for agency in Agency::ALL {
        let what = format!("{} encoded and submitted", agency.id());
        let delivery = step(&what, || journey.submit(&agency.id()))?;
        section.row(vec![
            text(&delivery.agency),
            json!(delivery.records.accepted),
            json!(delivery.rejected_rows + delivery.records.rejected),
            json!(delivery.events.accepted),
            json!((delivery.took.as_secs_f64() * 10.0).round() / 10.0),
        ]);
    }
    Ok(section)
}

/// Runs two commands in front of the user: a status of the agency's own, and a match explained.
fn show_commands(
    files: &DemoFiles,
    service: &DemoService,
    results: &Results,
) -> Result<(), Failure> {
    let mut get = vec!["status".to_owned(), "get".to_owned()];
    get.extend(results.examples());
    show(&get, &service.url(), &files.token(SHOWN))?;
    if let Some((left, right)) = &results.telling_pair {
        let explain = ["explain".to_owned(), left.to_string(), right.to_string()];
        show(&explain, &service.url(), &files.token(demo::STEWARD))?;
    }
    Ok(())
}

/// Does something, and says what it was and how long it took.
fn step<T>(what: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let started = Instant::now();
    let done = work();
    let outcome = if done.is_ok() { "" } else { ": failed" };
    eprintln!("{:6.1} s  {what}{outcome}", started.elapsed().as_secs_f64());
    done
}

/// Prints a command as a user would type it, and runs it.
fn show(command: &[String], url: &str, token: &Path) -> Result<(), Failure> {
    println!("\n$ waymark {} --token-file {}", command.join(" "), token.display());
    let connection = [format!("--server={url}"), format!("--token-file={}", token.display())];
    let arguments =
        ["waymark".to_owned()].into_iter().chain(command.iter().cloned()).chain(connection);
    let cli = Cli::try_parse_from(arguments)
        .map_err(|_| Failure::plain(Exit::Bug, "a command that the demo shows is wrong"))?;
    super::run(&cli).map(|_| ())
}

fn wait_for_interrupt() -> Result<(), Failure> {
    eprintln!("\nCtrl-C ends the server; the folder stays");
    crate::client::connection::run(async {
        let heard = tokio::signal::ctrl_c().await;
        heard.map_err(|error| Failure::plain(Exit::Io, format!("no signals: {error}")))
    })
}

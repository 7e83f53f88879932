//! `waymark train`: trains a linkage model, on the records of the service or on files.

#[cfg(feature = "service")]
mod files;

use std::path::PathBuf;

use api::admin::{TrainRequest, admin_service_client::AdminServiceClient};
use clap::Args;
use serde_json::Value;

#[cfg(feature = "service")]
use super::offline::FilesArgs;
use crate::{
    client::{
        answer::{failure, time},
        connection::{self, ConnectionArgs},
        submission::incomplete,
    },
    exit::Exit,
    failure::Failure,
    output::{Document, Format, Section, file::write_text, text},
};

#[cfg(feature = "service")]
const HELP: &str = "\
Examples:
  waymark train --activate --token-file operator.token      on the records of the service
  waymark train --out model.toml college.csv workforce.csv  on files, without a service

Training on the service's records needs an operator's token. A model trained on files serves
waymark link --model and the service's settings.";
#[cfg(not(feature = "service"))]
const HELP: &str = "\
Example:
  waymark train --activate --token-file operator.token";

/// Trains a linkage model without labels, on the service's records or on files.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub struct Train {
    /// Identity files, or encoded files of one key, to train on instead of the service's records
    #[cfg(feature = "service")]
    #[arg(value_name = "FILE.csv|FILE.wmk")]
    inputs: Vec<PathBuf>,
    /// Put the model trained on the service's records in force, and settle the participants anew
    #[arg(long)]
    activate: bool,
    /// Seed of the random pairs
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// File to write the model to
    #[arg(long, value_name = "MODEL.toml")]
    out: Option<PathBuf>,
    #[cfg(feature = "service")]
    #[command(flatten)]
    files: FilesArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What training gave.
struct Trained {
    version: String,
    /// When it was put in force, if it was.
    activated_at: Value,
    /// What was counted, in words.
    report: String,
    exit: Exit,
}

impl Train {
    /// Trains.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached, a file cannot be read or written,
    /// or there is too little to learn from.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        let trained = self.train()?;
        eprintln!("{}", trained.report.trim_end());
        let mut section = Section::new("model", &["model", "activated_at"]);
        section.row(vec![text(&trained.version), trained.activated_at]);
        Document::new("waymark.train/1").section(section).print(format)?;
        Ok(trained.exit)
    }

    #[cfg(feature = "service")]
    fn train(&self) -> Result<Trained, Failure> {
        if !self.inputs.is_empty() {
            return self.on_files();
        }
        self.refuse_options_of_files()?;
        self.on_service().map_err(files::or_on_files)
    }

    #[cfg(not(feature = "service"))]
    fn train(&self) -> Result<Trained, Failure> {
        self.on_service()
    }

    fn on_service(&self) -> Result<Trained, Failure> {
        let answer = connection::run(async {
            let mut client = AdminServiceClient::new(self.connection.connect().await?);
            eprintln!("training; this takes minutes on a million records");
            let request = TrainRequest {
                activate: self.activate,
                seed: self.seed,
                ..TrainRequest::default()
            };
            let answer = client.train(request).await.map_err(|status| failure(&status))?;
            Ok(answer.into_inner())
        })?;
        let model = answer.model.ok_or_else(incomplete)?;
        if let Some(path) = &self.out {
            write_text(path, &model.content)?;
        }
        let activated_at = time(model.activated_at.as_ref());
        let report = answer.report;
        Ok(Trained { version: model.version, activated_at, report, exit: Exit::Done })
    }
}

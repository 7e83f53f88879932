//! `waymark train`: trains a linkage model on the records of the service.

use std::path::PathBuf;

use api::admin::{TrainRequest, admin_service_client::AdminServiceClient};
use clap::Args;

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

/// Trains a linkage model on the service's current records; needs an operator's token.
///
/// The model is put in force only with --activate; the participants are then settled anew.
#[derive(Debug, Args)]
pub struct Train {
    /// Put the trained model in force
    #[arg(long)]
    activate: bool,
    /// Seed of the random pairs
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// File to write the model to
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Train {
    /// Trains.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses or cannot be reached.
    pub fn run(&self, format: Format) -> Result<Exit, Failure> {
        eprintln!("training; this takes minutes on a million records");
        let answer = connection::run(async {
            let mut client = AdminServiceClient::new(self.connection.connect().await?);
            let request = TrainRequest { activate: self.activate, seed: self.seed };
            let answer = client.train(request).await.map_err(|status| failure(&status))?;
            Ok(answer.into_inner())
        })?;
        let model = answer.model.ok_or_else(incomplete)?;
        if let Some(path) = &self.out {
            write_text(path, &model.content)?;
        }
        eprintln!("{}", answer.report.trim_end());
        let mut section = Section::new("model", &["model", "activated_at"]);
        section.row(vec![text(&model.version), time(model.activated_at.as_ref())]);
        Document::new("waymark.train/1").section(section).print(format)?;
        Ok(Exit::Done)
    }
}

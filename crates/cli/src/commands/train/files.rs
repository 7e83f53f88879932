//! Training on files, without a service.

use std::{path::Path, sync::Arc};

use api::ErrorReason;
use linkage::{Linker, TrainingOptions};
use serde_json::Value;

use super::{Train, Trained};
use crate::{
    catalogue::Code, commands::offline::starting_model, exit::Exit, failure::Failure,
    output::file::write_text,
};

impl Train {
    /// Trains a model on the files and writes it.
    pub(super) fn on_files(&self) -> Result<Trained, Failure> {
        let out = self.file_to_write()?;
        let schema = self.files.schema()?;
        let policy = self.files.policy()?;
        let mut linker =
            Linker::new(Arc::clone(&schema), Arc::new(starting_model(&schema)), policy);
        let input = self.files.read(&self.inputs, &mut linker, &schema)?;
        eprintln!("training on {} records", linker.len());
        let options = TrainingOptions { seed: self.seed, ..TrainingOptions::default() };
        let training = linker.train(&options).map_err(|error| Failure {
            exit: Exit::BadInput,
            what: error.to_string(),
            remedy: None,
            page: Some(ErrorReason::TrainingFailed.name().to_owned()),
        })?;
        write_text(out, &training.model.to_toml())?;
        eprintln!("to link by it: waymark link --model {} --out LINKS.csv FILE...", out.display());
        Ok(Trained {
            version: training.model.id,
            activated_at: Value::Null,
            report: training.report.to_string(),
            exit: input.exit(),
        })
    }

    /// Training on the service reads no file.
    pub(super) fn refuse_options_of_files(&self) -> Result<(), Failure> {
        let Some(option) = self.files.first_given() else { return Ok(()) };
        let what = format!("{option} says how files are read, and no file is named");
        Err(Failure::plain(Exit::Usage, what).remedy(format!(
            "name the files to train on, or leave {option} out to train on the service's records"
        )))
    }

    fn file_to_write(&self) -> Result<&Path, Failure> {
        if self.activate {
            let what = "a model that is trained on files is not put in force by --activate";
            return Err(Failure::plain(Exit::Usage, what).remedy(
                "leave the files out to train on the service's records, or leave --activate out \
                 and name the model in the service's settings",
            ));
        }
        if self.with_decisions {
            let what = "files hold no decisions for --with-decisions";
            return Err(Failure::plain(Exit::Usage, what).remedy(
                "leave the files out to train on the service's records, or leave --with-decisions \
                 out",
            ));
        }
        let Some(out) = &self.out else {
            let what = "files are trained on, and the model would be lost";
            return Err(Failure::plain(Exit::Usage, what)
                .remedy("name the file to write it to with --out MODEL.toml"));
        };
        Ok(out)
    }
}

/// Tells who cannot ask the service of the other way to train.
pub(super) fn or_on_files(mut failure: Failure) -> Failure {
    let unasked = [Code::TokenFileMissing, Code::ServerUnreachable].map(Code::id);
    if let (Some(page), Some(remedy)) = (&failure.page, &mut failure.remedy)
        && unasked.contains(&page.as_str())
    {
        *remedy += "; or train on files, without a service: waymark train --out MODEL.toml FILE...";
    }
    failure
}

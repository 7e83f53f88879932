//! The files of the demo: what five agencies, a steward and an operator would have on their disks.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use record::AgencyId;
use synthetic::{Agency, Catalog, Settings, State};

use crate::{exit::Exit, failure::Failure};

/// The folder of the demo.
pub struct DemoFiles {
    /// The folder.
    pub folder: PathBuf,
}

impl DemoFiles {
    /// Writes the identity file and the event file of every agency, and the truth.
    ///
    /// # Errors
    /// [`Failure`] when a file cannot be written.
    pub fn write(folder: PathBuf, settings: &Settings) -> Result<(Self, State), Failure> {
        let files = Self { folder };
        let state = State::generate(settings);
        let catalog = Catalog::new(&pathways::default_registry());
        for agency in Agency::ALL {
            let id = agency.id();
            write_csv(&files.identities(&id), |out| state.write_identity_csv(agency, out))?;
            write_csv(&files.events(&id), |out| state.write_events_csv(agency, &catalog, .., out))?;
        }
        write_csv(&files.truth(), |out| state.write_truth_csv(out))?;
        Ok((files, state))
    }

    /// An agency's identity file.
    pub fn identities(&self, agency: &AgencyId) -> PathBuf {
        self.folder.join(format!("{agency}.csv"))
    }

    /// An agency's event file.
    pub fn events(&self, agency: &AgencyId) -> PathBuf {
        self.folder.join(format!("{agency}.events.csv"))
    }

    /// Who is who: what no service ever has.
    pub fn truth(&self) -> PathBuf {
        self.folder.join("truth.csv")
    }

    /// The linkage key that the agencies share.
    pub fn key(&self) -> PathBuf {
        self.folder.join("linkage.key")
    }

    /// The settings of the service.
    pub fn config(&self) -> PathBuf {
        self.folder.join("waymarkd.toml")
    }

    /// The token of an agency or a person.
    pub fn token(&self, holder: &str) -> PathBuf {
        self.folder.join(format!("{holder}.token"))
    }

    /// The token that the service made at its first start.
    pub fn operator_token(&self) -> PathBuf {
        self.folder.join("data").join(server::OPERATOR_TOKEN_FILE)
    }
}

fn write_csv(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> csv::Result<()>,
) -> Result<(), Failure> {
    let file = File::create(path).map_err(|error| Failure::writing(path, &error))?;
    let mut out = BufWriter::new(file);
    write(&mut out).map_err(|error| {
        Failure::plain(Exit::Io, format!("{}: cannot be written: {error}", path.display()))
    })?;
    out.flush().map_err(|error| Failure::writing(path, &error))
}

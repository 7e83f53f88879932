//! The journal: what was said and not yet confirmed by the service, kept on this machine.
//!
//! One file per commitment, written and synced before it is sent and removed once the service has
//! answered, so that neither a lost connection nor a killed process loses a decision. A file holds
//! the request as sent: ids, verdict and reason, never an identity value.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{call::Pending, commitment::Commitment};
use crate::{
    client::connection::ConnectionArgs, exit::Exit, failure::Failure, output::file::WholeFile,
    secret,
};

/// What one steward has said to one service.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    /// Tells credentials apart, and says nothing of them.
    author: String,
}

/// What an earlier run left behind.
#[derive(Debug, PartialEq)]
pub struct Kept {
    /// What was said.
    pub pending: Pending,
    /// Whether it was said under the credential of this run.
    pub is_own: bool,
}

impl Journal {
    /// The journal for the service and the credential that `connection` names, in the user's directory
    /// for state: `$XDG_STATE_HOME`, by default `~/.local/state`.
    ///
    /// # Errors
    /// [`Failure`] when there is no such directory and none can be made, or no token.
    pub fn open(connection: &ConnectionArgs) -> Result<Self, Failure> {
        let is_set = |path: &PathBuf| !path.as_os_str().is_empty();
        let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(is_set);
        let home = env::var_os("HOME").map(PathBuf::from).filter(is_set);
        let state =
            state.or_else(|| home.map(|home| home.join(".local/state"))).ok_or_else(|| {
                Failure::plain(
                    Exit::BadConfig,
                    "there is no place to keep decisions until they arrive",
                )
                .remedy("name a directory of yours in XDG_STATE_HOME")
            })?;
        // A steward is known by a token, else by the key of a certificate.
        let known_by =
            connection.token_file.as_deref().or(connection.tls.certificate_key.as_deref());
        let known_by = known_by.map(secret::read).transpose()?;
        let known_by = known_by.as_deref().map_or("", |secret| secret.trim());
        Self::at(&state, &connection.server, known_by)
    }

    fn at(state: &Path, server: &str, token: &str) -> Result<Self, Failure> {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let server: String = server.chars().map(plain).collect();
        let directory = state.join("waymark").join("review").join(server);
        make_private(&directory).map_err(|error| Failure::writing(&directory, &error))?;
        let digest = Sha256::new().chain_update("waymark review journal\0").chain_update(token);
        let author = HEXLOWER.encode(&digest.finalize()[..8]);
        Ok(Self { directory, author })
    }

    /// Keeps a commitment; it is on disk when this returns.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be written.
    pub fn keep(&self, pending: &Pending) -> Result<(), Failure> {
        let path = self.path(pending, &self.author);
        let mut file = WholeFile::create(&path)?;
        let written = io::Write::write_all(&mut file, &pending.commitment.bytes());
        written.map_err(|error| file.failure(&error))?;
        file.finish()
    }

    /// Forgets a commitment that the service has answered.
    ///
    /// # Errors
    /// [`Failure`] when its file cannot be removed.
    pub fn forget(&self, id: &str) -> Result<(), Failure> {
        for path in self.files()? {
            if name_parts(&path).is_some_and(|(name, ..)| name == id) {
                fs::remove_file(&path).map_err(|error| Failure::writing(&path, &error))?;
            }
        }
        Ok(())
    }

    /// What earlier runs left behind, as it was said.
    ///
    /// # Errors
    /// [`Failure`] when the journal cannot be read.
    pub fn kept(&self) -> Result<Vec<Kept>, Failure> {
        let mut kept = Vec::new();
        for path in self.files()? {
            let Some((id, author, kind)) = name_parts(&path) else { continue };
            let bytes = fs::read(&path).map_err(|error| Failure::reading(&path, &error))?;
            let Ok(Some(commitment)) = Commitment::from_bytes(kind, &bytes) else { continue };
            let is_own = author == self.author;
            kept.push(Kept {
                pending: Pending { id: id.to_owned(), commitment, is_kept: true },
                is_own,
            });
        }
        Ok(kept)
    }

    fn path(&self, pending: &Pending, author: &str) -> PathBuf {
        let kind = pending.commitment.kind();
        self.directory.join(format!("{}.{author}.{kind}", pending.id))
    }

    /// The files of the journal, by name.
    fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let failed = |error: io::Error| Failure::reading(&self.directory, &error);
        let entries = fs::read_dir(&self.directory).map_err(failed)?;
        let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|e| e.path())).collect();
        let mut paths = paths.map_err(failed)?;
        paths.sort();
        Ok(paths)
    }
}

/// Id, author and kind of the commitment in a file: `ID.AUTHOR.KIND`.
fn name_parts(path: &Path) -> Option<(&str, &str, &str)> {
    let mut parts = path.file_name()?.to_str()?.split('.');
    let (id, author, kind) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some((id, author, kind))
}

/// Makes a directory that nobody else can look into.
fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

#[cfg(test)]
mod tests {
    use api::review::{AskAgencyRequest, DecideTaskRequest, UndoDecisionRequest};

    use super::*;

    const SERVER: &str = "http://127.0.0.1:7443";

    fn pending(id: &str, commitment: Commitment) -> Pending {
        Pending { id: id.to_owned(), commitment, is_kept: true }
    }

    fn all_kinds() -> [Pending; 3] {
        let decide = DecideTaskRequest {
            id: "T1".to_owned(),
            request_id: "1".to_owned(),
            ..DecideTaskRequest::default()
        };
        let undo = UndoDecisionRequest { id: "D1".to_owned(), reason: "wrong key".to_owned() };
        let ask = AskAgencyRequest { task_id: "T1".to_owned(), ..AskAgencyRequest::default() };
        [
            pending("1", Commitment::Decide(decide)),
            pending("2", Commitment::Undo(undo)),
            pending("3", Commitment::Ask(ask)),
        ]
    }

    #[test]
    fn what_is_kept_is_read_back_as_it_was_said_until_it_is_forgotten() {
        let state = tempfile::tempdir().unwrap();
        let journal = Journal::at(state.path(), SERVER, "wm_1").unwrap();
        for pending in all_kinds().iter().rev() {
            journal.keep(pending).unwrap();
        }
        let again = Journal::at(state.path(), SERVER, "wm_1").unwrap();
        let kept: Vec<Pending> = again.kept().unwrap().into_iter().map(|k| k.pending).collect();
        assert_eq!(kept, all_kinds());
        for id in ["1", "3", "4"] {
            journal.forget(id).unwrap();
        }
        let kept = again.kept().unwrap();
        assert_eq!(kept.len(), 1);
        assert!(kept[0].pending.id == "2" && kept[0].is_own);
    }

    #[test]
    fn another_service_has_another_journal_and_another_token_is_told_apart() {
        let state = tempfile::tempdir().unwrap();
        let [pending, ..] = all_kinds();
        Journal::at(state.path(), SERVER, "wm_1").unwrap().keep(&pending).unwrap();
        let other = Journal::at(state.path(), "http://127.0.0.1:1", "wm_1").unwrap();
        assert_eq!(other.kept().unwrap(), []);
        let kept = Journal::at(state.path(), SERVER, "wm_2").unwrap().kept().unwrap();
        assert_eq!(kept, [Kept { pending, is_own: false }]);
    }

    #[cfg(unix)]
    #[test]
    fn the_journal_is_its_owners_alone_and_says_nothing_of_the_token() {
        use std::os::unix::fs::PermissionsExt;

        let state = tempfile::tempdir().unwrap();
        let journal = Journal::at(state.path(), SERVER, "wm_s3cret").unwrap();
        journal.keep(&all_kinds()[0]).unwrap();
        let [file] = &journal.files().unwrap()[..] else { panic!("one file") };
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(file), mode(&journal.directory)), (0o600, 0o700));
        assert!(!file.to_str().unwrap().contains("s3cret"));
    }

    #[test]
    fn files_of_others_are_left_alone() {
        let state = tempfile::tempdir().unwrap();
        let journal = Journal::at(state.path(), SERVER, "").unwrap();
        for name in ["x", "1.a.decide.partial", "1.a.later", "2.a.decide"] {
            fs::write(journal.directory.join(name), [0xff; 3]).unwrap();
        }
        assert_eq!(journal.kept().unwrap(), []);
    }
}

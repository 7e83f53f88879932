//! Files that hold secrets: read only when nobody else can read them, never overwritten.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use encoding::LinkageKey;
use zeroize::Zeroizing;

use crate::{catalogue::Code, failure::Failure};

/// Reads a secret file, such as a linkage key or a token.
///
/// # Errors
/// [`Failure`] when the file cannot be read, or others than its owner can read it.
pub fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed = |error: io::Error| Failure::reading(path, &error);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let what = format!("{}: others can read this secret file", path.display());
            return Err(Failure::new(Code::SecretFileOpen, what).remedy(format!(
                "make it yours alone: chmod 600 {}; replace the secret if others may have read it",
                path.display()
            )));
        }
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(failed)
}

/// Writes a new secret file that only its owner can read.
///
/// # Errors
/// [`Failure`] when the file exists or cannot be written.
pub fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let what = format!("{}: exists already and is not overwritten", path.display());
            Failure::new(Code::OutputExists, what).remedy("choose another file")
        }
        _ => Failure::writing(path, &error),
    })
}

/// Replaces the content of a secret file that [`write_new`] made.
///
/// # Errors
/// [`Failure`] when the file cannot be written.
pub fn overwrite(path: &Path, text: &str) -> Result<(), Failure> {
    let options = fs::OpenOptions::new().write(true).truncate(true).open(path);
    options
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(|error| Failure::writing(path, &error))
}

/// Removes a secret file that [`write_new`] made and that holds nothing.
pub fn remove(path: &Path) {
    // The failure that made it useless is reported; an empty file left behind does no harm.
    let _ = fs::remove_file(path);
}

/// Reads a linkage key file.
///
/// # Errors
/// [`Failure`] when the file cannot be read, is open to others, or holds no linkage key.
pub fn linkage_key(path: &Path) -> Result<LinkageKey, Failure> {
    let text = read(path)?;
    LinkageKey::parse(&text).map_err(|error| {
        Failure::new(Code::KeyFileInvalid, format!("{}: {error}", path.display()))
            .remedy("name a file made by waymark keygen")
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_the_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        write_new(&path, "s3cret").unwrap();
        assert_eq!(read(&path).unwrap().as_str(), "s3cret");
        assert!(write_new(&path, "other").unwrap_err().what.contains("not overwritten"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&path).unwrap_err().what.contains("others can read"));
    }
}

//! Files that only the service's own account may read.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Writes a new file with permissions 0600 and syncs it to disk.
///
/// # Errors
/// The file exists already or cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Whether a file gives nothing to anybody but its owner.
///
/// # Errors
/// There is no such file.
pub fn is_private(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 == 0)
}

/// An id that nobody can guess: `prefix`, a dash, and 20 letters and digits.
pub fn random_id(prefix: &str) -> String {
    format!("{prefix}-{}", random_text(12))
}

/// A secret of 160 bits as text, for a bearer token.
pub fn random_secret() -> String {
    random_text(20)
}

fn random_text(n_bytes: usize) -> String {
    let mut bytes = vec![0; n_bytes];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase()
}

//! The manifest of a backup: a file beside it that says what it is.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What the files of this release are.
const FORMAT: &str = "waymark.backup/1";

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 20;

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    created_at: String,
    /// Place of its last fact in the log.
    pub last_fact: u64,
    /// Number of the database's schema.
    pub schema_number: u32,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Release of the service that made it.
    pub release: String,
    /// What its maker wrote on it.
    pub label: String,
    /// Whether the service made it by itself, and may remove it.
    pub scheduled: bool,
}

impl Manifest {
    /// The manifest of the database file at `path`, made now, whose last fact is `last_fact`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of(
        path: &Path,
        created_at: Timestamp,
        inspected: store::Inspected,
        label: &str,
        scheduled: bool,
    ) -> io::Result<Self> {
        let (bytes, sha256) = digest(path)?;
        Ok(Self {
            format: FORMAT.to_owned(),
            created_at: created_at.to_string(),
            last_fact: inspected.last_seq.0,
            schema_number: inspected.schema,
            bytes,
            sha256,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            label: label.to_owned(),
            scheduled,
        })
    }

    /// Where the manifest of the backup at `path` stands.
    pub fn path_of(path: &Path) -> PathBuf {
        path.with_extension("json")
    }

    /// Reads the manifest of the backup at `path`.
    ///
    /// # Errors
    /// It cannot be read, or is no manifest.
    pub fn read(path: &Path) -> io::Result<Self> {
        let manifest: Self = serde_json::from_slice(&fs::read(Self::path_of(path))?)?;
        match manifest.format == FORMAT && manifest.created_at().is_ok() {
            true => Ok(manifest),
            false => {
                let what = format!("the format is {}, not {FORMAT}", manifest.format);
                Err(io::Error::new(io::ErrorKind::InvalidData, what))
            }
        }
    }

    /// The text of its file.
    ///
    /// # Errors
    /// None: a manifest is always written.
    pub fn text(&self) -> io::Result<String> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }

    /// When the backup was made.
    ///
    /// # Errors
    /// The time is none.
    pub fn created_at(&self) -> Result<Timestamp, jiff::Error> {
        self.created_at.parse()
    }

    /// Whether the file at `path` is the one that the manifest was written for.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn fits(&self, path: &Path) -> io::Result<bool> {
        Ok(digest(path)? == (self.bytes, self.sha256.clone()))
    }
}

/// Size and SHA-256 of a file.
fn digest(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut sha256, mut bytes) = (File::open(path)?, Sha256::new(), 0);
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok((bytes, HEXLOWER.encode(&sha256.finalize()))),
            n => {
                sha256.update(&chunk[..n]);
                bytes += n as u64;
            }
        }
    }
}

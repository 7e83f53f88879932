//! Files that appear whole or not at all.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use api::wmk::partial_path;

use crate::failure::Failure;

/// A file under the name `NAME.partial` until it is complete and on disk.
pub struct WholeFile {
    path: PathBuf,
    partial: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl WholeFile {
    /// Starts to write what becomes `path`.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be made.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let partial = partial_path(path);
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&partial).map_err(|error| Failure::writing(path, &error))?;
        Ok(Self { path: path.to_owned(), partial, writer: Some(BufWriter::new(file)) })
    }

    /// Gives the file its name, once its bytes are on disk.
    ///
    /// # Errors
    /// [`Failure`] when the file cannot be written or renamed.
    pub fn finish(mut self) -> Result<(), Failure> {
        let writer = self.writer.take().expect("a file is finished once");
        writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&self.partial, &self.path))
            .and_then(|()| sync_directory(&self.path))
            .map_err(|error| Failure::writing(&self.path, &error))
    }

    /// A failure to write this file.
    pub fn failure(&self, error: &io::Error) -> Failure {
        Failure::writing(&self.path, error)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().expect("an unfinished file is open").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().expect("an unfinished file is open").flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            // Left behind by a failure that is reported already.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Writes a file that appears whole or not at all.
///
/// # Errors
/// [`Failure`] when it cannot be written.
pub fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    let mut file = WholeFile::create(path)?;
    file.write_all(text.as_bytes()).map_err(|error| file.failure(&error))?;
    file.finish()
}

/// A rename is durable once its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_complete() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.csv");
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"a,b\n").unwrap();
        assert!(!path.exists());
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a,b\n");
        drop(WholeFile::create(&path).unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

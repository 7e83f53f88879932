//! The settings of backups.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

/// Where backups go when the settings do not say: this folder of the data folder.
const FOLDER: &str = "backups";

/// The section `backup`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BackupFile {
    folder: Option<PathBuf>,
    every_hours: u32,
    keep: u32,
}

impl Default for BackupFile {
    fn default() -> Self {
        Self { folder: None, every_hours: 0, keep: 7 }
    }
}

/// Where backups go, and which the service makes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupPolicy {
    /// The folder; made with the first backup.
    pub folder: PathBuf,
    /// Time from one that the service makes by itself to the next; `None`: it makes none.
    pub every: Option<Duration>,
    /// How many of those are kept.
    pub keep: usize,
}

impl BackupFile {
    /// The policy, or which line to change. Relative paths count from `folder`.
    pub(super) fn check(self, folder: &Path, data_dir: &Path) -> Result<BackupPolicy, String> {
        if self.every_hours > 24 * 31 {
            return Err("backup.every_hours: 0 (never) to 744 is allowed".to_owned());
        }
        if !(1..=10_000).contains(&self.keep) {
            return Err("backup.keep: 1 to 10000 is allowed".to_owned());
        }
        let named = self.folder.map(|name| folder.join(name));
        Ok(BackupPolicy {
            folder: named.unwrap_or_else(|| data_dir.join(FOLDER)),
            every: (self.every_hours > 0)
                .then(|| Duration::from_secs(3_600 * u64::from(self.every_hours))),
            keep: self.keep as usize,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<BackupPolicy, String> {
        let file: BackupFile = toml::from_str(text).unwrap();
        file.check(Path::new("/etc/waymark"), Path::new("/var/waymark"))
    }

    #[test]
    fn backups_lie_in_the_data_folder_and_none_is_made_by_itself_by_default() {
        let folder = PathBuf::from("/var/waymark/backups");
        assert_eq!(check(""), Ok(BackupPolicy { folder, every: None, keep: 7 }));
        let named = check("folder = 'b'\nevery_hours = 24\nkeep = 30").unwrap();
        assert_eq!(named.folder, Path::new("/etc/waymark/b"));
        assert_eq!((named.every, named.keep), (Some(Duration::from_secs(86_400)), 30));
        for refused in ["every_hours = 745", "keep = 0"] {
            let told = check(refused).unwrap_err();
            assert!(told.contains("is allowed"), "{told}");
        }
    }
}

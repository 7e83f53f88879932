//! The binaries under test, built once per test process.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use escargot::{CargoBuild, format::Message};

/// Paths of the binaries by name.
static BINARIES: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(build);

/// The binary of that name, `waymark` or `waymarkd`.
pub fn binary(name: &str) -> &'static Path {
    BINARIES.get(name).unwrap_or_else(|| panic!("the workspace builds no binary {name}"))
}

/// Builds the whole workspace's binaries, so that dependencies have the features that they have
/// in a test run of the workspace, and what that has built is used again.
fn build() -> BTreeMap<String, PathBuf> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let messages = CargoBuild::new()
        .manifest_path(manifest)
        .arg("--workspace")
        .bins()
        .exec()
        .expect("cargo starts");
    let mut binaries = BTreeMap::new();
    for message in messages {
        let message = message.expect("the binaries build");
        if let Ok(Message::CompilerArtifact(artifact)) = message.decode()
            && let Some(path) = &artifact.executable
        {
            binaries.insert(artifact.target.name.to_string(), path.to_path_buf());
        }
    }
    binaries
}

//! Every kept input of every fuzz target, given to what the target does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use hostile::TARGETS;

/// Most time for one input, in a build without optimization and beside other tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// Most bytes of all kept inputs.
const MOST_BYTES: u64 = 500 << 10;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = fs::read_dir(fuzz().join("corpus").join(target)).unwrap();
    folder.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_kept_input_is_read_or_refused() {
    for (target, run) in TARGETS {
        for input in inputs(target) {
            eprintln!("{}", input.display());
            let data = fs::read(&input).unwrap();
            let started = Instant::now();
            run(&data);
            assert!(started.elapsed() < PATIENCE, "{}", input.display());
        }
    }
}

#[test]
fn every_target_has_a_file_and_a_corpus_and_the_reverse() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(targets.len(), TARGETS.len());
    assert_eq!(names(&fuzz().join("fuzz_targets")), targets);
    assert_eq!(names(&fuzz().join("corpus")), targets);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for (target, _) in TARGETS {
        assert!(!inputs(target).is_empty(), "{target} has no inputs");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
        let source = fuzz().join(format!("fuzz_targets/{target}.rs"));
        let source = fs::read_to_string(source).unwrap();
        assert!(source.contains(&format!("hostile::{target}(data)")), "{target}");
    }
}

#[test]
fn the_corpus_stays_small() {
    let sizes = TARGETS.iter().flat_map(|(target, _)| inputs(target));
    let total: u64 = sizes.map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(total < MOST_BYTES, "{total} bytes: minimize with cargo fuzz cmin");
}

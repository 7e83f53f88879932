//! The directions of dependencies that ARCHITECTURE.md promises, checked on the build's own graph.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, PackageId};

/// The dependency graph of normal (not dev, not build) dependencies, by package name.
struct Graph {
    metadata: Metadata,
}

impl Graph {
    fn load(features: CargoOpt) -> Self {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .features(features)
            .exec()
            .expect("cargo metadata runs in the workspace");
        Self { metadata }
    }

    /// Names of everything that package `name` reaches through normal dependencies.
    fn reached_from(&self, name: &str) -> BTreeSet<String> {
        let names: BTreeMap<&PackageId, &str> =
            self.metadata.packages.iter().map(|p| (&p.id, p.name.as_str())).collect();
        let resolve = self.metadata.resolve.as_ref().expect("the graph is resolved");
        let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|n| (&n.id, n)).collect();
        let start = self.metadata.workspace_packages().into_iter().find(|p| p.name == name);
        let mut open = vec![&start.expect("the package is in the workspace").id];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            for dependency in &nodes[id].deps {
                let normal =
                    dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
                if normal && seen.insert(names[&dependency.pkg].to_owned()) {
                    open.push(&dependency.pkg);
                }
            }
        }
        seen
    }

    /// Names of the packages that `name` itself declares, of the given kind.
    fn declared_by(&self, name: &str, kind: DependencyKind) -> BTreeSet<String> {
        let package = self.metadata.workspace_packages().into_iter().find(|p| p.name == name);
        let package = package.expect("the package is in the workspace");
        package.dependencies.iter().filter(|d| d.kind == kind).map(|d| d.name.clone()).collect()
    }
}

fn assert_absent(reached: &BTreeSet<String>, absent: &[&str], of: &str) {
    for name in absent {
        assert!(!reached.contains(*name), "{of} must know nothing of {name}");
    }
}

#[test]
fn the_pure_crates_reach_no_runtime_transport_or_storage() {
    let graph = Graph::load(CargoOpt::AllFeatures);
    for pure in ["record", "encoding", "linkage", "pathways", "synthetic"] {
        let reached = graph.reached_from(pure);
        assert_absent(&reached, &["tokio", "tonic", "prost", "rusqlite", "store", "api"], pure);
    }
}

#[test]
fn rooms_know_only_what_the_architecture_says() {
    let graph = Graph::load(CargoOpt::AllFeatures);
    for (room, absent) in [
        ("record", &["encoding", "linkage", "pathways"][..]),
        ("encoding", &["linkage", "pathways", "synthetic"]),
        ("linkage", &["encoding", "pathways", "synthetic", "hmac", "hkdf"]),
        ("pathways", &["encoding", "linkage", "synthetic"]),
        ("store", &["tonic", "prost", "api", "encoding", "linkage"]),
        ("api", &["store", "server", "rusqlite", "linkage", "encoding"]),
        ("server", &["encoding", "synthetic"]),
    ] {
        assert_absent(&graph.reached_from(room), absent, room);
    }
}

#[test]
fn an_agency_only_build_of_waymark_reaches_neither_store_nor_server() {
    let reached = Graph::load(CargoOpt::NoDefaultFeatures).reached_from("waymark");
    assert_absent(
        &reached,
        &["store", "server", "rusqlite", "linkage", "synthetic", "rcgen"],
        "waymark",
    );
}

#[test]
fn only_api_speaks_protobuf_and_only_store_speaks_sql() {
    let graph = Graph::load(CargoOpt::AllFeatures);
    for room in ["record", "encoding", "linkage", "pathways", "store", "server", "waymark"] {
        let declared = graph.declared_by(room, DependencyKind::Normal);
        assert!(!declared.contains("prost"), "{room} must leave protobuf to api");
        assert!(
            room == "store" || !declared.contains("rusqlite"),
            "{room} must leave SQL to store"
        );
    }
}

#[test]
fn tests_close_no_circle() {
    let graph = Graph::load(CargoOpt::AllFeatures);
    let rooms: BTreeSet<String> =
        graph.metadata.workspace_packages().iter().map(|p| p.name.to_string()).collect();
    for room in &rooms {
        for dev in graph.declared_by(room, DependencyKind::Development).intersection(&rooms) {
            assert!(!graph.reached_from(dev).contains(room), "{room} tests itself through {dev}");
        }
    }
}

//! The import rule: who may name whom. A crate that is not listed for another fails here.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Allowed workspace imports, from ARCHITECTURE.md.
fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let rule = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
    let all = ["model", "sip", "media", "engine", "store", "net", "web", "console", "board"];
    BTreeMap::from([
        ("model", rule(&[])),
        ("sip", rule(&["model"])),
        ("media", rule(&["model"])),
        ("store", rule(&["model"])),
        ("board", rule(&["model"])),
        ("web", rule(&["model"])),
        ("console", rule(&["model"])),
        ("engine", rule(&["model", "sip"])),
        ("net", rule(&["model", "sip", "media"])),
        // `belfry simulate` runs the shipped pacing in the simulated world.
        ("belfry", rule(&[all.as_slice(), &["sim"]].concat())),
        ("sim", rule(&["model", "sip", "media", "engine", "store"])),
    ])
}

/// Outside crates that no pure crate may name.
const IMPURE: [&str; 8] = ["tokio", "rusqlite", "axum", "nix", "alsa", "systemd", "libc", "socket2"];

fn manifest(name: &str) -> toml::Table {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the workspace");
    let path = root.join("src").join(name).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn dependencies(name: &str) -> BTreeSet<String> {
    match manifest(name).get("dependencies") {
        Some(toml::Value::Table(table)) => table.keys().cloned().collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn each_crate_imports_only_what_the_architecture_allows() {
    let rules = allowed();
    for (name, may) in &rules {
        for dependency in dependencies(name) {
            let ours = rules.contains_key(dependency.as_str());
            assert!(!ours || may.contains(dependency.as_str()), "{name} may not import {dependency}");
        }
    }
}

#[test]
fn pure_crates_name_no_runtime_and_no_operating_system() {
    for name in ["model", "sip", "media", "engine"] {
        for dependency in dependencies(name) {
            assert!(!IMPURE.contains(&dependency.as_str()), "{name} is pure and may not import {dependency}");
        }
    }
}

#[test]
fn every_crate_under_src_has_a_rule() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the workspace");
    for entry in std::fs::read_dir(root.join("src")).expect("src exists") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        assert!(allowed().contains_key(name.as_str()), "src/{name} has no line in the import rule");
    }
}

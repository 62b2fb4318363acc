//! Layers: which crate may stand on which, and which libraries belong to one layer alone.
//!
//! The tables are ARCHITECTURE.md's diagram as data. Cargo's own account of the workspace is what is
//! compared with them, so that a new edge is a change here, seen in review. Development dependencies
//! between our crates are free, as nothing ships with them; on `xtask` even they are not.

use std::path::Path;

use serde_json::Value;

use super::Fault;
use crate::generate::PURE;
use crate::process::{Failure, cargo, stdout_of};

/// Each crate, and those of ours that it may depend on.
const LAYERS: &[(&str, &[&str])] = &[
    ("countersign-core", &[]),
    ("countersign-schemes", &["countersign-core"]),
    ("countersign-certificates", &["countersign-core"]),
    ("countersign-signed", &["countersign-core"]),
    ("countersign-store", &["countersign-core"]),
    ("countersign-store-embedded", &["countersign-store", "countersign-core"]),
    ("countersign-store-postgres", &["countersign-store-embedded", "countersign-store", "countersign-core"]),
    ("countersign-store-redis", &["countersign-store", "countersign-core"]),
    (
        "countersign-gateway",
        &[
            "countersign-certificates",
            "countersign-schemes",
            "countersign-signed",
            "countersign-store",
            "countersign-core",
        ],
    ),
    ("countersign-gate", &["countersign-core"]),
    (
        "countersign-cli",
        &[
            "countersign-certificates",
            "countersign-gate",
            "countersign-gateway",
            "countersign-schemes",
            "countersign-signed",
            "countersign-store",
            "countersign-store-embedded",
            "countersign-store-postgres",
            "countersign-store-redis",
            "countersign-core",
        ],
    ),
    (
        "countersign-bench",
        &[
            "countersign-gate",
            "countersign-schemes",
            "countersign-signed",
            "countersign-store",
            "countersign-store-embedded",
            "countersign-store-redis",
            "countersign-core",
        ],
    ),
];

/// Libraries that mark a layer, and the only crates that may have them.
const CONFINED: &[(&str, &[&str])] = &[
    ("clap", &["countersign-cli"]),
    ("http", &["countersign-gateway"]),
    ("hyper", &["countersign-gateway"]),
    ("redb", &["countersign-store-embedded"]),
    ("redis", &["countersign-store-redis"]),
    ("rustls", &["countersign-gate", "countersign-store-postgres", "countersign-store-redis"]),
    (
        "tokio",
        &[
            "countersign-gateway",
            "countersign-gate",
            "countersign-cli",
            "countersign-bench",
            "countersign-store-postgres",
            "countersign-store-redis",
        ],
    ),
    ("tokio-postgres", &["countersign-store-postgres"]),
    ("tokio-rustls", &["countersign-gate", "countersign-store-postgres"]),
    ("toml", &["countersign-schemes", "countersign-gateway", "countersign-cli"]),
    ("x509-cert", &["countersign-certificates"]),
];

/// What would bring a clock, randomness, I/O or a runtime into a crate that has none.
const IMPURE: &[&str] = &["futures", "getrandom", "rand", "rustix", "tempfile", "tracing", "tracing-subscriber"];

pub(super) fn faults(root: &Path) -> Result<Vec<Fault>, Failure> {
    let metadata = stdout_of(cargo(root).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)
        .map_err(|error| Failure::Program(format!("cargo metadata: its output is not JSON: {error}")))?;
    Ok(judge(&edges(&metadata)))
}

/// A dependency, as a manifest states it.
#[derive(Debug)]
struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    dev: bool,
}

/// Every package with its dependencies; a package without any stands with an empty list.
fn edges(metadata: &Value) -> Vec<(&str, Vec<Edge<'_>>)> {
    list(&metadata["packages"]).iter().filter_map(edges_of).collect()
}

fn edges_of(package: &Value) -> Option<(&str, Vec<Edge<'_>>)> {
    let from = package["name"].as_str()?;
    let mut edges = Vec::new();
    for dependency in list(&package["dependencies"]) {
        edges.push(Edge { from, to: dependency["name"].as_str()?, dev: dependency["kind"] == "dev" });
    }
    Some((from, edges))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn judge(packages: &[(&str, Vec<Edge<'_>>)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, edges) in packages {
        if *name != "xtask" && LAYERS.iter().all(|(layer, _)| layer != name) {
            faults.push(Fault::of(name, "has no layer: add it to LAYERS in xtask/src/tidy/crates.rs"));
        }
        faults.extend(edges.iter().filter_map(|edge| Some(Fault::of(edge.from, wrong(edge)?))));
    }
    for (layer, _) in LAYERS {
        if packages.iter().all(|(name, _)| name != layer) {
            faults.push(Fault::of(layer, "is a layer without a crate: remove it from LAYERS"));
        }
    }
    faults
}

/// What is wrong with a dependency, if anything is.
fn wrong(edge: &Edge<'_>) -> Option<String> {
    let Edge { from, to, dev } = *edge;
    if to == "xtask" {
        return Some("depends on xtask, which nothing may".to_owned());
    }
    if dev || from == "xtask" {
        return None;
    }
    if to.starts_with("countersign") {
        let allowed = LAYERS.iter().find(|(layer, _)| *layer == from).map_or(&[][..], |(_, below)| below);
        return (!allowed.contains(&to)).then(|| format!("depends on {to}, which is not below it"));
    }
    if PURE.contains(&from) && IMPURE.contains(&to) {
        return Some(format!("depends on {to}, but does no I/O and knows no clock, randomness or runtime"));
    }
    let (_, owners) = CONFINED.iter().find(|(library, _)| *library == to)?;
    (!owners.contains(&from)).then(|| format!("depends on {to}, which belongs to {} alone", owners.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge<'a>(from: &'a str, to: &'a str) -> Edge<'a> {
        Edge { from, to, dev: false }
    }

    #[test]
    fn an_edge_upwards_or_sideways_is_wrong() {
        for (from, to) in [
            ("countersign-core", "countersign-schemes"),
            ("countersign-schemes", "countersign-store"),
            ("countersign-store", "countersign-store-embedded"),
            ("countersign-gateway", "countersign-cli"),
            ("countersign-cli", "xtask"),
        ] {
            assert!(wrong(&edge(from, to)).is_some(), "{from} → {to}");
            assert!(wrong(&edge(to, from)).is_none() || from == "countersign-schemes", "{to} → {from}");
        }
    }

    #[test]
    fn a_library_outside_its_layer_is_wrong() {
        for (from, to) in [
            ("countersign-core", "tokio"),
            ("countersign-core", "toml"),
            ("countersign-core", "getrandom"),
            ("countersign-schemes", "tracing"),
            ("countersign-store", "hyper"),
            ("countersign-gateway", "clap"),
        ] {
            assert!(wrong(&edge(from, to)).is_some(), "{from} → {to}");
        }
        assert!(wrong(&edge("countersign-gateway", "tracing")).is_none());
    }

    #[test]
    fn development_dependencies_are_free_but_for_xtask() {
        assert!(wrong(&Edge { dev: true, ..edge("countersign-core", "countersign-schemes") }).is_none());
        assert!(wrong(&Edge { dev: true, ..edge("countersign-core", "xtask") }).is_some());
    }

    #[test]
    fn cargos_account_is_read_whole() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "countersign-core", "dependencies": [
                { "name": "hmac", "kind": null }, { "name": "countersign-cli", "kind": "build" },
                { "name": "proptest", "kind": "dev" } ] },
            { "name": "countersign-new", "dependencies": [] } ] });
        let faults: Vec<String> = judge(&edges(&metadata)).iter().map(ToString::to_string).collect();
        assert_eq!(faults[0], "countersign-core: depends on countersign-cli, which is not below it");
        assert!(faults[1].starts_with("countersign-new: has no layer"));
        assert_eq!(faults.len(), 2 + LAYERS.len() - 1, "and the layers that this workspace lacks");
    }

    #[test]
    fn pure_crates_have_a_layer() {
        for name in PURE {
            assert!(LAYERS.iter().any(|(layer, _)| layer == name), "{name}");
        }
    }
}

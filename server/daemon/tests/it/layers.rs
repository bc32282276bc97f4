//! The architecture, as tables the build is held to.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Each crate and the crates of the workspace it may depend on, innermost first. Tests may use
/// more (`dev-dependencies`).
const LAYERS: &[(&str, &[&str])] = &[
    ("car-api", &[]),
    ("car-engine", &["car-api"]),
    ("car-shim", &[]),
    ("car-git", &[]),
    ("car-pty", &[]),
    ("car-store", &["car-api", "car-engine"]),
    ("car-files", &["car-api", "car-engine"]),
    ("car-backup", &["car-files"]),
    (
        "car-hub",
        &[
            "car-api",
            "car-backup",
            "car-engine",
            "car-files",
            "car-git",
            "car-pty",
            "car-shim",
            "car-store",
        ],
    ),
    ("car-agents", &["car-api", "car-engine"]),
    ("car-push", &["car-hub"]),
    ("car-voice", &["car-hub"]),
    ("car-web", &[]),
    ("car-http", &["car-api", "car-hub", "car-web"]),
    ("car-demo-agent", &[]),
    ("car-model-endpoint", &["car-demo-agent"]),
    ("car-client", &["car-api"]),
    ("car-bench", &["car-api", "car-client", "car-store"]),
    (
        "car-daemon",
        &[
            "car-api",
            "car-agents",
            "car-client",
            "car-demo-agent",
            "car-engine",
            "car-files",
            "car-git",
            "car-http",
            "car-hub",
            "car-push",
            "car-shim",
            "car-store",
            "car-voice",
        ],
    ),
];

/// Crates from outside that only the named ones may depend on.
const FENCED: &[(&str, &[&str])] = &[
    ("axum", &["car-http", "car-model-endpoint", "car-bench"]),
    ("hyper", &["car-http", "car-model-endpoint"]),
    ("sqlx", &["car-store"]),
    ("notify", &["car-hub"]),
    ("zstd", &["car-backup"]),
    ("listenfd", &["car-daemon"]),
    ("pty-process", &["car-pty"]),
    ("clap", &["car-client", "car-daemon"]),
    ("reqwest", &["car-client", "car-push", "car-voice"]),
    ("rustix", &["car-shim", "car-files", "car-git", "car-daemon", "car-bench", "car-client"]),
    ("utoipa", &["car-api", "car-http"]),
];

/// Source files that may start processes, by the beginning of their path.
const STARTERS: &[&str] = &[
    "server/shim/",
    "server/pty/",
    "server/git/",
    "server/daemon/",
    "server/demo-agent/",
    "server/model-endpoint/",
    "server/bench/",
    "client-cli/",
    // Verification and set-up commands, and what an agent's program says of its version.
    "server/hub/src/shell.rs",
    "server/hub/src/agents.rs",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn dependencies_point_inwards() {
    let packages = packages();
    let members: BTreeSet<_> = packages.iter().map(|p| p["name"].as_str().unwrap()).collect();
    let listed: BTreeSet<_> = LAYERS.iter().map(|(name, _)| *name).collect();
    assert_eq!(members, listed, "every crate has a row in LAYERS");
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) = LAYERS.iter().find(|(listed, _)| *listed == name).unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let target = dependency["name"].as_str().unwrap();
            if dependency["kind"] == "dev" {
                continue;
            }
            if members.contains(target) {
                assert!(allowed.contains(&target), "{name} may not depend on {target}");
            }
            for (fenced, owners) in FENCED {
                let own = target != *fenced || owners.contains(&name);
                assert!(own, "{name} may not depend on {fenced}");
            }
        }
    }
}

#[test]
fn processes_are_started_in_few_places() {
    let root = workspace();
    let mut sources = Vec::new();
    for dir in ["server", "client-cli", "openapi"] {
        collect_sources(&root.join(dir), &mut sources);
    }
    assert!(sources.len() > 50, "the sources were not found");
    for path in sources {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let is_test = name.contains("/tests/") || name.ends_with("/tests.rs");
        if is_test || STARTERS.iter().any(|starter| name.starts_with(starter)) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let starts = text.contains("tokio::process")
            || text.lines().any(|line| line.contains("process::") && line.contains("Command"));
        assert!(!starts, "{name} may not start processes");
    }
}

fn collect_sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            collect_sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

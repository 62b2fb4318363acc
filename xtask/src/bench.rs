//! `cargo xtask bench`: what verification costs, as ratios in one run.
//!
//! The figures go to `target/bench/*.json`; the last full run stands in `docs/performance.md`. Not part of `ci`: a
//! machine that does other things at the same time says nothing about speed.

use std::path::Path;

use crate::process::{Failure, cargo, command, run};

/// Runs the benchmarks, one after the other.
pub(crate) fn bench(root: &Path) -> Result<(), Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let lacking: Vec<&str> =
        PEERS.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package).collect();
    if !lacking.is_empty() {
        let packages = lacking.join(" ");
        return Err(Failure::Program(format!("what it is measured against is missing: apt-get install {packages}")));
    }
    run(cargo(root).args(["build", "--release", "-p", "countersign-bench", "-p", "countersign-cli"]))?;
    // A workspace of its own: it links what `deny.toml` forbids here.
    let place = root.join("target/interop/cargo/httpsig--0.0.26");
    run(cargo(root)
        .args(["build", "--quiet", "--release", "--locked", "--manifest-path", "interop/httpsig/Cargo.toml"])
        .arg("--target-dir")
        .arg(&place))?;
    let python_path = crate::interop::python_path(root)?;
    for name in ["countersign-bench", "allocations", "values", "store", "replay", "gateway", "gate"] {
        println!("\n== {name}");
        let mut program = command(root, root.join("target/release").join(name));
        program.env("HTTPSIG_PEER", place.join("release/httpsig-peer"));
        if name == "values" {
            program.env("PYTHONPATH", &python_path);
        }
        run(&mut program)?;
    }
    Ok(())
}

/// What the figures are held against, with the packages of Debian that have them.
const PEERS: [(&str, &str); 4] =
    [("nginx", "nginx-light"), ("haproxy", "haproxy"), ("socat", "socat"), ("redis-server", "redis-server")];

/// Whether it takes as long to refuse whatever is wrong: a measurement, so not part of `ci` either.
pub(crate) fn timing(root: &Path, schemes: &[&str]) -> Result<(), Failure> {
    let program = ["run", "--release", "--quiet", "-p", "countersign-bench", "--bin", "timing", "--"];
    run(cargo(root).args(program).args(schemes))
}

//! `cargo xtask bench`: what verification costs, as ratios in one run.
//!
//! The figures go to `target/bench/*.json`; the last full run stands in `docs/performance.md`. Not part of `ci`: a
//! machine that does other things at the same time says nothing about speed.

use std::path::Path;

use crate::process::{Failure, cargo, command, run};

/// Runs the benchmarks, one after the other.
pub(crate) fn bench(root: &Path) -> Result<(), Failure> {
    run(cargo(root).args(["build", "--release", "-p", "countersign-bench", "-p", "countersign-cli"]))?;
    for name in ["countersign-bench", "allocations", "gateway"] {
        println!("\n== {name}");
        run(&mut command(root, root.join("target/release").join(name)))?;
    }
    Ok(())
}

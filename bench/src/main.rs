//! Verification against the bare hashing of the same bytes. Prints a table and writes `target/bench/engine.json`.

#![expect(clippy::print_stdout, reason = "a benchmark's whole interface is what it prints")]

use std::hint::black_box;
use std::time::Instant;

use countersign_bench::Case;

/// Batches, of which the fastest counts: everything else on the machine only makes one slower.
const BATCHES: usize = 300;
const PER_BATCH: u32 = 500;

fn main() -> std::io::Result<()> {
    println!("{:<20} {:>12} {:>12} {:>8}", "scheme", "verify, ns", "bare, ns", "ratio");
    let mut rows = Vec::new();
    for case in Case::all().into_iter().filter(|case| std::env::args().nth(1).is_none_or(|name| name == case.name)) {
        let (verify, bare) = fastest(&case);
        let ratio = verify / bare;
        println!("{:<20} {verify:>12.0} {bare:>12.0} {ratio:>8.2}", case.name);
        rows.push(serde_json::json!({"scheme": case.name, "verify_ns": verify, "bare_ns": bare, "ratio": ratio}));
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/engine.json", format!("{:#}\n", serde_json::Value::Array(rows)))
}

/// The fastest batch of each, batches of both alternating, in nanoseconds an operation.
fn fastest(case: &Case) -> (f64, f64) {
    let mut best = (f64::INFINITY, f64::INFINITY);
    for _ in 0..BATCHES {
        best.0 = best.0.min(batch(|| black_box(black_box(case).verify())));
        best.1 = best.1.min(batch(|| black_box(black_box(case).hash())));
    }
    best
}

fn batch<T>(mut run: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..PER_BATCH {
        black_box(run());
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(PER_BATCH)
}

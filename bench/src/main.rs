//! Verification against the bare hashing of the same bytes. Prints a table and writes `target/bench/engine.json`.

#![expect(clippy::print_stdout, reason = "a benchmark's whole interface is what it prints")]

use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use countersign_bench::Case;
use serde_json::{Value, json};

/// Batches, of which the fastest counts: everything else on the machine only makes one slower.
const BATCHES: usize = 300;
const PER_BATCH: u32 = 500;

fn main() -> std::io::Result<()> {
    println!("{:<20} {:>12} {:>12} {:>8}", "scheme", "verify, ns", "bare, ns", "ratio");
    let mut rows = Vec::new();
    for case in
        Case::all().into_iter().filter(|case| std::env::args().nth(1).is_none_or(|name| case.name.starts_with(&name)))
    {
        let (verify, bare) = fastest(&case);
        let ratio = verify / bare;
        println!("{:<20} {verify:>12.0} {bare:>12.0} {ratio:>8.2}", case.name);
        rows.push(json!({"scheme": case.name, "verify_ns": verify, "bare_ns": bare, "ratio": ratio}));
    }
    httpsig(&mut rows)?;
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/engine.json", format!("{:#}\n", Value::Array(rows)))
}

/// The crate `httpsig` verifies the same messages, in a program of its own that `$HTTPSIG_PEER` names: it links what this
/// project must not.
fn httpsig(rows: &mut [Value]) -> std::io::Result<()> {
    let Some(program) = std::env::var_os("HTTPSIG_PEER") else { return Ok(()) };
    let shown: Vec<(usize, Value)> = Case::all().iter().filter_map(Case::for_httpsig).collect();
    let lines: Vec<String> = shown.iter().map(|(_, line)| line.to_string()).collect();
    let mut running = Command::new(program).arg("bench").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    running.stdin.take().expect("a pipe").write_all(lines.join("\n").as_bytes())?;
    let answered = running.wait_with_output()?;
    println!("\n{:<20} {:>12} {:>12} {:>8}", "httpsig", "base, bytes", "verify, ns", "times");
    for text in String::from_utf8_lossy(&answered.stdout).lines() {
        let answer: Value = serde_json::from_str(text)?;
        let (name, ns) = (answer["name"].as_str().unwrap_or_default(), answer["ns"].as_f64().unwrap_or_default());
        let Some(row) = rows.iter_mut().find(|row| row["scheme"] == name) else { continue };
        let times = ns / row["verify_ns"].as_f64().unwrap_or(f64::NAN);
        let bytes = shown.iter().find(|(_, line)| line["name"] == name).map_or(0, |(bytes, _)| *bytes);
        println!("{name:<20} {bytes:>12} {ns:>12.0} {times:>8.2}");
        row["base_bytes"] = json!(bytes);
        row["httpsig_ns"] = json!(ns);
    }
    Ok(())
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

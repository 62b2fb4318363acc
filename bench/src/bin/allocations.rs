//! Allocations per verification, after warm-up. Prints a table and writes `target/bench/allocations.json`.

#![expect(clippy::print_stdout, reason = "a benchmark's whole interface is what it prints")]

use countersign_bench::Case;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const ROUNDS: u64 = 1000;

fn main() -> std::io::Result<()> {
    println!("{:<20} {:>24}", "scheme", "allocations a message");
    let mut rows = Vec::new();
    for case in Case::all() {
        for _ in 0..ROUNDS {
            assert!(case.verify(), "{} verifies", case.name);
        }
        let profiler = dhat::Profiler::builder().testing().build();
        for _ in 0..ROUNDS {
            assert!(case.verify(), "{} verifies", case.name);
        }
        let blocks = dhat::HeapStats::get().total_blocks;
        drop(profiler);
        println!("{:<20} {:>20}.{:03}", case.name, blocks / ROUNDS, blocks % ROUNDS);
        rows.push(serde_json::json!({"scheme": case.name, "blocks": blocks, "messages": ROUNDS}));
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/allocations.json", format!("{:#}\n", serde_json::Value::Array(rows)))
}

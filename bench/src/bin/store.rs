//! Replay stores: inserts a second, CPU and bytes an entry, at one and at ten million live entries; and how long a journal
//! of ten million takes from its opening to its first answer. Prints a table and writes `target/bench/store.json`.
//!
//! `store [ENTRIES…]`. One thread asks, but where answers wait for the disk: there it is 64, so that syncs are grouped, and
//! a hundredth of the entries.

#![expect(clippy::print_stdout, reason = "a benchmark's whole interface is what it prints")]

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use countersign_core::replay::{FirstUse, ReplayEntry, ReplayGuard};
use countersign_core::time::UnixTime;
use countersign_store::conformance::{ask, entry};
use countersign_store::{Limits, MemoryReplay};
use countersign_store_embedded::{Durability, Journal, JournalOptions};
use serde_json::{Value, json};

const START: i64 = 1_700_000_000;
/// Entries live so long, and come evenly over it.
const WINDOW: i64 = 390;

fn main() -> std::io::Result<()> {
    let asked: Vec<u32> = std::env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let counts = if asked.is_empty() { vec![1_000_000, 10_000_000] } else { asked };
    let mut rows = Vec::new();
    println!("{:<22} {:>11} {:>12} {:>10} {:>12}", "store", "entries", "inserts/s", "CPU, us", "bytes/entry");
    for count in counts {
        rows.push(memory(count));
        let folder = tempfile::tempdir()?;
        rows.push(embedded(folder.path(), count)?);
        rows.push(restarted(folder.path(), count));
        rows.push(synced(count / 100)?);
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/store.json", format!("{:#}\n", Value::Array(rows)))
}

fn limits(count: u32) -> Limits {
    let entries = usize::try_from(count).unwrap_or(usize::MAX) + 100;
    Limits { entries, entries_per_key: entries }
}

/// The entry with a number, of one of a hundred clients.
fn numbered(number: u32, count: u32) -> ReplayEntry {
    let now = START + i64::from(number) * WINDOW / i64::from(count);
    entry(number % 100, number, now, now + WINDOW)
}

fn memory(count: u32) -> Value {
    let store = MemoryReplay::new(limits(count));
    let (seconds, cpu) = insert(&store, count);
    let bytes = store.bytes().expect("it answers");
    row("memory", count, seconds, cpu, per_entry(u64::try_from(bytes).unwrap_or(u64::MAX), count))
}

fn embedded(folder: &Path, count: u32) -> std::io::Result<Value> {
    let journal = opened(folder, Durability::Os, count, START);
    let (seconds, cpu) = insert(&journal, count);
    let mut bytes = 0;
    for file in std::fs::read_dir(folder.join("replay"))? {
        bytes += file?.metadata()?.len();
    }
    Ok(row("embedded, process", count, seconds, cpu, per_entry(bytes, count)))
}

/// Opens a journal and has it decide once.
fn restarted(folder: &Path, count: u32) -> Value {
    let now = START + WINDOW;
    let (started, before) = (Instant::now(), cpu());
    let journal = opened(folder, Durability::Os, count, now);
    assert_eq!(journal.decide(&numbered(count - 1, count)), Ok(FirstUse::Seen), "it remembers");
    let seconds = started.elapsed().as_secs_f64();
    let cpu = cpu() - before;
    println!("{:<22} {count:>11} {seconds:>10.2} s to the first answer, {cpu:.2} s of CPU", "  restarted");
    json!({"store": "embedded, restarted", "entries": count, "seconds": seconds, "cpu_seconds": cpu})
}

/// Answers that wait for the disk, asked for by 64 threads.
fn synced(count: u32) -> std::io::Result<Value> {
    let folder = tempfile::tempdir()?;
    let journal = opened(folder.path(), Durability::Synced, count, START);
    let next = AtomicU32::new(0);
    let (started, cpu) = (Instant::now(), cpu());
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let asked = entry(number % 100, number, START, START + WINDOW);
                    assert_eq!(journal.decide(&asked), Ok(FirstUse::First));
                }
            });
        }
    });
    Ok(row("embedded, power", count, started.elapsed().as_secs_f64(), self::cpu() - cpu, f64::NAN))
}

fn opened(folder: &Path, durability: Durability, count: u32, now: i64) -> Journal {
    let options = JournalOptions { limits: limits(count), durability };
    Journal::open(folder, options, UnixTime::from_secs(now)).expect("the journal opens")
}

/// Inserts all. Returns seconds by the clock and of CPU.
fn insert(store: &dyn ReplayGuard, count: u32) -> (f64, f64) {
    let (started, before) = (Instant::now(), cpu());
    for number in 0..count {
        assert_eq!(ask(store, &numbered(number, count)), Ok(FirstUse::First));
    }
    (started.elapsed().as_secs_f64(), cpu() - before)
}

fn row(store: &str, count: u32, seconds: f64, cpu: f64, bytes: f64) -> Value {
    let (rate, each) = (f64::from(count) / seconds, cpu * 1e6 / f64::from(count));
    println!("{store:<22} {count:>11} {rate:>12.0} {each:>10.2} {bytes:>12.1}");
    json!({"store": store, "entries": count, "inserts_per_second": rate, "cpu_us": each, "bytes_per_entry": bytes})
}

fn per_entry(bytes: u64, count: u32) -> f64 {
    f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) * 1_000.0 / f64::from(count)
}

/// Seconds of CPU that this process has taken, by all its threads.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN);
    // Of a hundredth of a second each, on every Linux there is.
    (ticks(11) + ticks(12)) / 100.0
}

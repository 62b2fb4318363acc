//! `countersign size`: how much a replay store takes, for a rate of requests and the time that they are accepted.
//!
//! Bytes per entry are measured ones: `docs/replay.md` says how, and of which run.

use std::io::Write as _;

use serde::Serialize;

use crate::args::SizeArguments;
use crate::failure::Failure;
use crate::out::{Outcome, Output};

/// Bytes that one entry takes.
struct Cost {
    memory: u64,
    journal: u64,
    redis: u64,
    postgres: u64,
}

const COST: Cost = Cost { memory: 24, journal: 24, redis: REDIS, postgres: POSTGRES };
/// Measured: at a million entries 123 where many come at once and 129 one by one, at ten million 134.
const REDIS: u64 = 135;
/// An entry's row and its place in two indexes, and as much again for the count of its key and second where no two entries
/// share one.
const POSTGRES: u64 = 210;
/// Seconds that an entry outlives its window, in case clocks step.
const MARGIN: u64 = 30;
/// A journal file covers an eighth of what it holds, and at least a minute; it is there until all of it is over.
const SPAN: u64 = 64;

#[derive(Debug, Serialize, PartialEq, Eq)]
struct Size {
    /// Seconds for which an entry is remembered.
    remembered: u64,
    /// Entries at a time, of all gateways.
    entries: u64,
    /// Entries at a time, of one gateway.
    entries_per_gateway: u64,
    memory_bytes: u64,
    journal_bytes: u64,
    redis_bytes: u64,
    postgres_rows: u64,
    postgres_bytes: u64,
}

pub(crate) fn run(arguments: &SizeArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let Some(size) = size(arguments.rps, arguments.window, arguments.ahead, arguments.gateways) else {
        return Err(Failure::arguments("so many entries cannot be counted", "give a smaller rate or window"));
    };
    if arguments.json {
        out.json(&size)?;
        return Ok(Outcome::Holds);
    }
    let Size { remembered, entries, entries_per_gateway, .. } = size;
    writeln!(out, "{entries} entries at a time: {} a second, remembered for {remembered} s", arguments.rps)?;
    if arguments.gateways > 1 {
        writeln!(
            out,
            "{entries_per_gateway} of them on each of {} gateways, where they do not share a store",
            arguments.gateways
        )?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "one gateway, embedded   {:>10} of memory, {} of disk",
        bytes(size.memory_bytes),
        bytes(size.journal_bytes)
    )?;
    writeln!(out, "shared, Redis           {:>10} of its memory", bytes(size.redis_bytes))?;
    writeln!(out, "shared, PostgreSQL      {:>10} of disk, {} rows", bytes(size.postgres_bytes), size.postgres_rows)?;
    if entries > 10_000_000 {
        writeln!(
            out,
            "\nmore than the 10,000,000 entries that a store holds unless it is told otherwise (`entries`)"
        )?;
    }
    Ok(Outcome::Holds)
}

fn size(rps: u64, window: u64, ahead: u64, gateways: u64) -> Option<Size> {
    let remembered = window.checked_add(ahead)?.checked_add(MARGIN)?;
    let entries = rps.checked_mul(remembered)?;
    let entries_per_gateway = entries.div_ceil(gateways.max(1));
    // On the disk until its file is over.
    let kept = remembered.checked_add((remembered / 8).next_power_of_two().max(SPAN))?;
    let on_disk = rps.checked_mul(kept)?.div_ceil(gateways.max(1));
    Some(Size {
        remembered,
        entries,
        entries_per_gateway,
        memory_bytes: entries_per_gateway.checked_mul(COST.memory)?,
        journal_bytes: on_disk.checked_mul(COST.journal)?,
        redis_bytes: entries.checked_mul(COST.redis)?,
        postgres_rows: entries,
        postgres_bytes: entries.checked_mul(COST.postgres)?,
    })
}

/// A number of bytes for people, rounded up.
fn bytes(number: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut left = number;
    for unit in units {
        if left < 10_240 || unit == "PiB" {
            return format!("{left} {unit}");
        }
        left = left.div_ceil(1024);
    }
    format!("{number} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_and_a_window_give_entries_and_bytes() {
        let size = size(1_000, 300, 60, 1).unwrap();
        assert_eq!((size.remembered, size.entries), (390, 390_000));
        assert_eq!(size.memory_bytes, 390_000 * 24);
        assert_eq!(size.journal_bytes, (390 + 64) * 1_000 * 24);
        let shared = super::size(1_000, 300, 60, 3).unwrap();
        assert_eq!((shared.entries, shared.entries_per_gateway), (390_000, 130_000));
    }

    #[test]
    fn what_cannot_be_counted_is_no_number() {
        assert_eq!(size(u64::MAX, 300, 0, 1), None);
        assert_eq!(size(1, u64::MAX, 1, 1), None);
    }

    #[test]
    fn bytes_are_rounded_up() {
        assert_eq!([0, 10_239, 10_240, 240_000_000].map(bytes), ["0 B", "10239 B", "10 KiB", "229 MiB"]);
    }
}

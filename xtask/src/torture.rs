//! `cargo xtask torture`: what `./test` does a few times, done by the hundred or the thousand.
//!
//! A case is a test that takes its number of rounds from `COUNTERSIGN_ROUNDS` and says what came of it in lines that
//! begin with `torture:`. They are printed together at the end, whatever failed before.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use crate::process::{Failure, cargo, counted, unstartable};

struct Case {
    name: &'static str,
    package: &'static str,
    /// The test program.
    test: &'static str,
    /// Which of its tests. Empty: all.
    filter: &'static str,
    rounds: u32,
    shows: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "kill-9",
        package: "countersign-store-embedded",
        test: "kill_nine",
        filter: "",
        rounds: 1_000,
        shows: "a store is killed under load",
    },
    Case {
        name: "power-cut",
        package: "countersign-store-embedded",
        test: "power",
        filter: "",
        rounds: 1_000,
        shows: "the power goes under load, with what was not synced; and the clock steps",
    },
    Case {
        name: "gateway-kill-9",
        package: "countersign-cli",
        test: "crash",
        filter: "what_was_accepted_right_before_a_kill",
        rounds: 1_000,
        shows: "a gateway is killed right after it accepted",
    },
    Case {
        name: "redis-failover",
        package: "countersign-store-redis",
        test: "failover",
        filter: "",
        rounds: 100,
        shows: "a replica that was cut off is promoted under load",
    },
    Case {
        name: "redis-at-once",
        package: "countersign-cli",
        test: "shared",
        filter: "attack_22",
        rounds: 100,
        shows: "ten thousand identical requests at once, over three gateways and one Redis",
    },
    Case {
        name: "revocation",
        package: "countersign-cli",
        test: "shared_keys",
        filter: "revoked_under_load",
        rounds: 1,
        shows: "a key is revoked while three gateways use it",
    },
    Case {
        name: "reseal-kill-9",
        package: "countersign-cli",
        test: "shared_keys",
        filter: "killed_while_sealing_anew",
        rounds: 50,
        shows: "sealing the keys in PostgreSQL anew is killed half-way",
    },
];

/// Runs the cases named, or all of them.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let (names, rounds) = parse(arguments)?;
    let cases = CASES.iter().filter(|case| names.is_empty() || names.contains(&case.name));
    let mut tally = Vec::new();
    let mut failed = Vec::new();
    for case in cases {
        let rounds = rounds.unwrap_or(case.rounds);
        println!(
            "── {}: {}, {}",
            case.name,
            case.shows,
            counted(usize::try_from(rounds).unwrap_or(usize::MAX), "round")
        );
        let started = Instant::now();
        let (lines, held) = torture(root, case, rounds)?;
        tally.extend(lines.into_iter().map(|line| format!("{:<16} {line}", case.name)));
        if !held {
            failed.push(format!("{}: failed", case.name));
        }
        println!("── {}: {:.1} s", case.name, started.elapsed().as_secs_f64());
    }
    println!();
    for line in &tally {
        println!("{line}");
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::Faults(failed)) }
}

/// Runs one case. Returns what it said, and whether it held.
fn torture(root: &Path, case: &Case, rounds: u32) -> Result<(Vec<String>, bool), Failure> {
    let mut command = cargo(root);
    command.args(["test", "--quiet", "-p", case.package, "--test", case.test]);
    command.args((!case.filter.is_empty()).then_some(case.filter));
    command.args(["--", "--nocapture", "--test-threads", "1"]).env("COUNTERSIGN_ROUNDS", rounds.to_string());
    let mut running = command.stderr(Stdio::piped()).spawn().map_err(|error| unstartable(&command, &error))?;
    let mut said = Vec::new();
    for line in running.stderr.take().into_iter().flat_map(|output| BufReader::new(output).split(b'\n')) {
        let line = line.unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        match line.strip_prefix("torture: ") {
            Some(told) => said.push(told.to_owned()),
            None => eprintln!("{line}"),
        }
    }
    let status = running.wait().map_err(|error| unstartable(&command, &error))?;
    if status.success() && said.is_empty() {
        return Err(Failure::Program(format!("{}: it said nothing of what it did", case.name)));
    }
    Ok((said, status.success()))
}

fn parse<'a>(arguments: &[&'a str]) -> Result<(Vec<&'a str>, Option<u32>), Failure> {
    let known: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    let usage =
        || Failure::Usage(format!("usage: cargo xtask torture [CASE…] [--rounds N]\ncases: {}", known.join(", ")));
    let (mut names, mut rounds) = (Vec::new(), None);
    let mut left = arguments.iter();
    while let Some(argument) = left.next() {
        match *argument {
            "--rounds" => {
                let number = left.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                rounds = Some(number.ok_or_else(usage)?);
            }
            name if known.contains(&name) => names.push(name),
            _ => return Err(usage()),
        }
    }
    Ok((names, rounds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_and_rounds_are_read_and_nothing_else() {
        assert_eq!(parse(&[]).unwrap(), (vec![], None));
        assert_eq!(parse(&["power-cut", "--rounds", "7"]).unwrap(), (vec!["power-cut"], Some(7)));
        for wrong in [&["power"][..], &["--rounds"], &["--rounds", "0"], &["--rounds", "x"], &["--round", "1"]] {
            assert!(matches!(parse(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
    }

    #[test]
    fn cases_differ_in_name() {
        for (at, case) in CASES.iter().enumerate() {
            assert!(CASES.iter().skip(at + 1).all(|other| other.name != case.name), "{}", case.name);
        }
    }
}

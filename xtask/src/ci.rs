//! Everything that must hold: steps in order, each named and timed, up to the first that fails.
//!
//! Here and in CI the same steps run with the same arguments; what CI does differently is in
//! `.ci/run`, but for the last step, which in a fresh clone can tell that nothing changed. The closing
//! line, with the number of tests, is the last line on standard output.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::process::{Failure, cargo, command, run as run_command, stdout_of, unstartable};
use crate::tally::Tally;
use crate::{generate, interop, process};

/// Runs the steps named, or all of them.
pub(crate) fn run(root: &Path, names: &[&str]) -> Result<(), Failure> {
    let steps = chosen(names)?;
    let mut tally = None;
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let mut outcome = Ok(());
    for step in &steps {
        println!("── {}: {}", step.name, step.holds);
        let started = Instant::now();
        outcome = (step.run)(root, &mut tally);
        times.push((step.name, started.elapsed()));
        if outcome.is_err() {
            println!("── {}: failed", step.name);
            break;
        }
    }
    println!();
    for (name, time) in &times {
        println!("{name:>8} {:6.1} s", time.as_secs_f64());
    }
    for step in steps.iter().skip(times.len()) {
        println!("{:>8}  not run", step.name);
    }
    if let Some(tally) = tally {
        println!();
        for skipped in tally.skipped() {
            println!("{skipped}");
        }
        println!("{tally}");
    }
    outcome
}

struct Step {
    name: &'static str,
    /// What holds once the step has succeeded.
    holds: &'static str,
    run: fn(&Path, &mut Option<Tally>) -> Result<(), Failure>,
}

/// Cheap before dear, and what others depend on first: the layout of the source, then what compiles
/// it without generating code, then what runs it. That nothing changed can only be asked at the end.
const STEPS: &[Step] = &[
    Step { name: "fmt", holds: "the source is laid out by rustfmt", run: fmt },
    Step { name: "clippy", holds: "no lint has anything to say", run: clippy },
    Step { name: "test", holds: "unit, integration and documentation tests pass", run: test },
    Step {
        name: "orders",
        holds: "the memory store keeps its promise in whatever order its threads run",
        run: |root, _| orders(root),
    },
    Step { name: "valkey", holds: "the Redis store's tests pass on Valkey, where it is installed", run: valkey },
    Step {
        name: "interop",
        holds: "vendors' SDKs and we agree, where they can be installed",
        run: |root, _| interop::quick(root),
    },
    Step { name: "doc", holds: "the documentation builds without a warning", run: doc },
    Step { name: "gen", holds: "generated files are up to date", run: |root, _| generate::check(root) },
    Step { name: "deny", holds: "dependencies are the ones we agreed on", run: deny },
    Step { name: "clean", holds: "in CI: nothing in the tree was changed by all this", run: clean },
];

fn chosen(names: &[&str]) -> Result<Vec<&'static Step>, Failure> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(Failure::Usage(format!("error: no step `{unknown}`\nhint: there are {}", known.join(", "))));
    }
    Ok(STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)).collect())
}

fn fmt(root: &Path, _: &mut Option<Tally>) -> Result<(), Failure> {
    run_command(cargo(root).args(["fmt", "--all", "--check"]))
}

fn clippy(root: &Path, _: &mut Option<Tally>) -> Result<(), Failure> {
    run_command(cargo(root).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// With locks that try interleavings, which the other tests of the crate cannot be run with.
fn orders(root: &Path) -> Result<(), Failure> {
    let tests =
        ["test", "--quiet", "-p", "countersign-store", "--features", "interleavings", "--lib", "interleavings"];
    run_command(cargo(root).args(tests))
}

fn doc(root: &Path, _: &mut Option<Tally>) -> Result<(), Failure> {
    run_command(cargo(root).env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--workspace", "--no-deps"]))
}

fn deny(root: &Path, _: &mut Option<Tally>) -> Result<(), Failure> {
    let checks = ["check", "-D", "warnings", "bans", "licenses", "sources"];
    run_command(command(root, "cargo-deny").args(checks)).map_err(|failure| match failure {
        Failure::Program(why) => {
            Failure::Program(format!("{why}\nhint: ./test installs it; by hand: cargo install cargo-deny --locked"))
        }
        other => other,
    })
}

fn clean(root: &Path, _: &mut Option<Tally>) -> Result<(), Failure> {
    if std::env::var_os("CI").is_none_or(|ci| ci != "true") {
        return Ok(());
    }
    let changed = stdout_of(command(root, "git").args(["status", "--porcelain"]))?;
    if changed.is_empty() {
        return Ok(());
    }
    // The difference itself, where somebody will look for it: it may be a machine that is gone by then.
    run_command(command(root, "git").args(["--no-pager", "diff"]))?;
    Err(Failure::Faults(changed.lines().map(|line| format!("changed by this run: {line}")).collect()))
}

fn test(root: &Path, tally: &mut Option<Tally>) -> Result<(), Failure> {
    let mut tests = cargo(root);
    tests.args(["test", "--workspace", "--no-fail-fast"]);
    counting(root, "test", tests, tally)
}

/// Failovers apart, which take longest and ask the same of a server.
fn valkey(root: &Path, tally: &mut Option<Tally>) -> Result<(), Failure> {
    let Some(server) = std::env::var_os("COUNTERSIGN_VALKEY_SERVER") else {
        println!("skipped: COUNTERSIGN_VALKEY_SERVER does not say where a `valkey-server` is");
        return Ok(());
    };
    let mut tests = cargo(root);
    // Of the workspace, though one crate has them: with that crate alone libraries would be built anew, with other features.
    tests.env("COUNTERSIGN_REDIS_SERVER", server).args(["test", "--workspace", "--no-fail-fast"]);
    tests.args(["--test", "redis_conformance", "--test", "redis_faults", "--test", "redis_setups"]);
    counting(root, "valkey", tests, tally)
}

/// Runs tests. The whole output goes to `target/xtask/NAME.log`; failures and each program's result are shown.
fn counting(root: &Path, name: &str, mut tests: Command, tally: &mut Option<Tally>) -> Result<(), Failure> {
    let folder = root.join("target/xtask");
    let path = folder.join(name).with_extension("log");
    let unwritable = |error| Failure::File(path.clone(), error);
    std::fs::create_dir_all(&folder).map_err(unwritable)?;
    let mut log = std::fs::File::create(&path).map_err(unwritable)?;

    tests.args(["--", "--show-output"]).stdout(Stdio::piped());
    let mut running = tests.spawn().map_err(|error| unstartable(&tests, &error))?;
    let tally = tally.get_or_insert_default();
    let (passed, failed) = (tally.passed(), tally.failed());
    let lines = running.stdout.take().into_iter().flat_map(lines_of);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || lines.take_while(|line| sender.send(line.clone()).is_ok()).count());
    let status = loop {
        match receiver.recv_timeout(Duration::from_secs(2)) {
            Ok(line) => {
                writeln!(log, "{line}").map_err(unwritable)?;
                if tally.line(&line) {
                    println!("{line}");
                }
            }
            Err(RecvTimeoutError::Disconnected) => break running.wait(),
            Err(RecvTimeoutError::Timeout) => {
                if let Ok(Some(_)) = running.try_wait() {
                    return Err(Failure::Refused("a test left a process running, which holds its output".to_owned()));
                }
            }
        }
    };
    let status = status.map_err(|error| unstartable(&tests, &error))?;
    match (status.success(), tally.passed() - passed, tally.failed() - failed) {
        (true, 1.., 0) => Ok(()),
        (true, 0, 0) => Err(Failure::Refused("no test ran".to_owned())),
        (true, _, failed) => Err(Failure::Program(format!("cargo test succeeded with {failed} failed"))),
        (false, _, 0) => Err(Failure::Refused("cargo test failed outside of a test: see above".to_owned())),
        (false, _, failed) => Err(Failure::Refused(format!("{} failed", process::counted(failed, "test")))),
    }
}

/// The lines of an output. Tests may print anything: what is not UTF-8 is made so.
fn lines_of(output: impl Read) -> impl Iterator<Item = String> {
    let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
    lines.map(|line| String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_steps_run_unless_some_are_named() {
        assert_eq!(chosen(&[]).unwrap().len(), STEPS.len());
        let names: Vec<&str> = chosen(&["test", "fmt"]).unwrap().iter().map(|step| step.name).collect();
        assert_eq!(names, ["fmt", "test"], "in their own order");
    }

    #[test]
    fn an_unknown_step_runs_nothing() {
        let Err(failure) = chosen(&["fmt", "lint"]) else { panic!("`lint` is no step") };
        assert_eq!(failure.exit_status(), 2);
        assert!(failure.to_string().contains("`lint`"));
    }
}

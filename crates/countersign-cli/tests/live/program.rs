//! Programs that run to their end, and what they said.

use std::ffi::OsStr;
use std::fmt;
use std::process::{Command, Stdio};

/// What a program left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// The one object on standard output.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ended with {}\n--- stdout\n{}--- stderr\n{}", self.status, self.stdout, self.stderr)
    }
}

/// Runs the program that is tested.
pub fn countersign<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Finished {
    run(Command::new(env!("CARGO_BIN_EXE_countersign")).args(arguments))
}

/// Runs one of the articles' clients. `None`, and the reason printed, where there is no Python.
pub fn python<I: AsRef<OsStr>>(client: &str, arguments: impl IntoIterator<Item = I>) -> Option<Finished> {
    if Command::new("python3").arg("-V").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no python3");
        return None;
    }
    Some(run(Command::new("python3").arg(super::articles().join(client)).args(arguments)))
}

/// Runs a program to its end. What it talks to is on this machine, whatever proxy there may be.
pub fn run(command: &mut Command) -> Finished {
    command.env("no_proxy", "*").env("PYTHONDONTWRITEBYTECODE", "1").env("NO_COLOR", "1").stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Finished { status: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Sends a signal to a process.
pub fn signal(name: &str, pid: u32) {
    let sent = kill(name, &pid.to_string());
    assert_eq!(sent.status, 0, "{sent}");
}

/// Kills a process group, if there is anything left of it.
pub fn end_group(leader: u32) {
    kill("KILL", &format!("-{leader}"));
}

fn kill(name: &str, target: &str) -> Finished {
    run(Command::new("sh").args(["-c", r#"kill -s "$1" -- "$2""#, "kill", name, target]))
}

//! Where results go, and what a command ends with.

use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write};
use std::process::ExitCode;

use serde::Serialize;

/// What a command found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It holds; or it is done.
    Holds,
    /// It is refused.
    Refused,
    /// Some of it could not be decided.
    Undecided,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Holds => 0,
            Outcome::Refused => 1,
            Outcome::Undecided => 2,
        })
    }
}

/// Standard output, buffered.
#[derive(Debug)]
pub(crate) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    colour: bool,
}

impl Output {
    pub(crate) fn new() -> Self {
        let out = io::stdout().lock();
        let colour = out.is_terminal() && wants_colour(environment);
        Self { out: BufWriter::with_capacity(64 * 1024, out), colour }
    }

    /// Whether a person looks at it who wants colour.
    pub(crate) const fn colour(&self) -> bool {
        self.colour
    }

    /// A value as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether a person looks at the log who wants colour.
pub(crate) fn colour_on_stderr() -> bool {
    io::stderr().is_terminal() && wants_colour(environment)
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `NO_COLOR` (no-color.org) and terminals that can do nothing.
fn wants_colour(var: impl Fn(&str) -> Option<String>) -> bool {
    var("NO_COLOR").is_none_or(|value| value.is_empty()) && var("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_is_respected() {
        let with = |no_color: Option<&'static str>, term: Option<&'static str>| {
            wants_colour(|name| if name == "NO_COLOR" { no_color } else { term }.map(str::to_owned))
        };
        assert!(with(None, Some("xterm")) && with(Some(""), Some("xterm")) && with(None, None));
        assert!(!with(Some("1"), Some("xterm")) && !with(None, Some("dumb")));
    }
}

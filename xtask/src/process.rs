//! Other programs, and the one way in which a task fails.
//!
//! A program that cannot be started and one that says no are both a [`Failure`], never a panic and
//! never ignored. Output is inherited unless somebody reads it.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Why a task did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The tree is not as it must be; one complete line each.
    Faults(Vec<String>),
    /// A file could not be read or written.
    File(std::path::PathBuf, std::io::Error),
    /// A program could not be started, or what it printed made no sense.
    Program(String),
    /// A program said no, and has told why itself.
    Refused(String),
    /// The arguments make no sense; what would.
    Usage(String),
}

impl Failure {
    /// 1 where something does not hold, 2 where that could not be decided.
    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Self::Faults(_) | Self::Refused(_) => 1,
            Self::File(..) | Self::Program(_) | Self::Usage(_) => 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faults(faults) => {
                for fault in faults {
                    writeln!(f, "{fault}")?;
                }
                write!(f, "error: {} found", counted(faults.len(), "fault"))
            }
            Self::File(path, error) => write!(f, "error: {}: {error}", path.display()),
            Self::Program(why) | Self::Refused(why) => write!(f, "error: {why}"),
            Self::Usage(usage) => f.write_str(usage),
        }
    }
}

/// The cargo that runs this task, for running more of it.
pub(crate) fn cargo(root: &Path) -> Command {
    command(root, std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program to be run in `root`.
pub(crate) fn command(root: &Path, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root);
    command
}

/// Runs a program, its output shown as it comes.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| unstartable(command, &error))?;
    if status.success() { Ok(()) } else { Err(Failure::Refused(format!("{} failed ({status})", line(command)))) }
}

/// Runs a program for what it prints on standard output.
pub(crate) fn stdout_of(command: &mut Command) -> Result<String, Failure> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| unstartable(command, &error))?;
    if !output.status.success() {
        return Err(Failure::Program(format!("{} failed ({})", line(command), output.status)));
    }
    String::from_utf8(output.stdout).map_err(|_| Failure::Program(format!("{}: output is not UTF-8", line(command))))
}

/// What to say of a program that could not be started.
pub(crate) fn unstartable(command: &Command, error: &std::io::Error) -> Failure {
    Failure::Program(format!("{}: {error}", line(command)))
}

/// The command as one would type it: the program by its name, without its folder.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// `1 fault`, `2 faults`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_says_no_is_refused_and_named() {
        let failure = run(command(Path::new("."), "sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(failure.exit_status(), 1);
        assert_eq!(failure.to_string(), "error: sh -c exit 3 failed (exit status: 3)");
    }

    #[test]
    fn a_program_that_is_not_there_is_no_refusal() {
        let failure = run(&mut command(Path::new("."), "no-such-program-here")).unwrap_err();
        assert_eq!(failure.exit_status(), 2);
        let failure = stdout_of(&mut command(Path::new("."), "no-such-program-here")).unwrap_err();
        assert_eq!(failure.exit_status(), 2);
    }

    #[test]
    fn output_is_returned_only_of_a_program_that_succeeded() {
        let here = Path::new(".");
        assert_eq!(stdout_of(command(here, "sh").args(["-c", "echo yes"])).unwrap(), "yes\n");
        assert!(stdout_of(command(here, "sh").args(["-c", "echo yes; exit 1"])).is_err());
    }
}

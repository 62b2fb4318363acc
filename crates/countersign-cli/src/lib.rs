//! The command line: arguments in, library call, printed result out.
//!
//! ```text
//! args ─► task ─► engine ─► answer, verify, explain, sign, curl
//!          message           out
//! args ─► value, link ─► the library of signed values
//! ```
//!
//! Results go to standard output, talk to standard error. A command ends with 0 where it holds, 1 where it is
//! refused, 2 where it could not be decided; a reader that stops reading is no failure. The clock and random bits
//! are drawn in `world` and nowhere else. Nothing is decided here: signing, verifying and serving are the
//! libraries' matter.

mod advice;
mod answer;
mod args;
mod check;
mod curl;
mod database;
mod dev;
mod encoding;
mod engine;
mod explain;
mod failure;
mod gate;
mod generate;
mod generated;
mod jsonl;
mod key_file;
mod keys;
mod link;
mod lint;
mod log;
mod log_line;
mod material;
mod memory;
mod message;
mod out;
mod paint;
mod reason;
mod scheme_file;
mod schemes;
mod secret_source;
mod serve;
mod shared;
mod sign;
mod size;
mod task;
mod usage;
mod value;
mod verify;
mod world;

pub use args::Arguments;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use args::Command;
use failure::Failure;
use out::{Outcome, Output};

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::tell(&error),
    };
    let mut out = Output::new();
    let done = run(arguments.command, &mut out).and_then(|outcome| {
        out.flush()?;
        Ok(outcome)
    });
    match done {
        Ok(outcome) => outcome.into(),
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // Where standard error is closed too, the exit status has to do.
            let _ = failure.report(&mut std::io::stderr().lock());
            Outcome::Undecided.into()
        }
    }
}

fn run(command: Command, out: &mut Output) -> Result<Outcome, Failure> {
    match command {
        Command::Sign(arguments) => sign::run(&arguments, out),
        Command::Verify(arguments) => verify::run(&arguments, out),
        Command::Explain(arguments) => explain::run(&arguments, out),
        Command::Curl(arguments) => curl::run(&arguments, out),
        Command::Keys(arguments) => keys::run(&arguments, out),
        Command::Check(arguments) => check::run(&arguments, out),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Gate(arguments) => gate::run(&arguments, out),
        Command::Size(arguments) => size::run(&arguments, out),
        Command::Store(arguments) => shared::run(&arguments, out),
        Command::Dev(arguments) => dev::run(&arguments, out),
        Command::Schemes(arguments) => schemes::run(&arguments, out),
        Command::Reason(arguments) => reason::run(&arguments, out),
        Command::Completions(arguments) => generated::completions(&arguments, out),
        Command::Man(arguments) => generated::man(&arguments, out),
        Command::Generated { schemes: false } => generated::all(out),
        Command::Generated { schemes: true } => generated::pages_of_schemes(out),
        Command::Value(arguments) => value::run(&arguments, out),
        Command::Link(arguments) => link::run(&arguments, out),
        Command::Lint(arguments) => lint::run(&arguments, out),
    }
}

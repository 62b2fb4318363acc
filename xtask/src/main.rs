//! The project's own tasks, as `cargo xtask TASK`; [`USAGE`] lists them.
//!
//! Everything here runs on the tree it was built from and needs nothing but cargo, git and, for one
//! step, cargo-deny. Nothing under `crates/` may depend on this crate. What installs tools is not
//! here: that is the shell's part, in `.ci/setup.sh`. `interop` installs what it examines, the
//! vendors' SDKs, under `target`.

#![expect(clippy::print_stdout, reason = "a task's whole interface is what it prints")]

mod bench;
mod ci;
mod generate;
mod interop;
mod process;
mod tally;
mod tidy;
mod torture;

use std::path::PathBuf;
use std::process::ExitCode;

use process::Failure;

const USAGE: &str = "\
usage: cargo xtask TASK

tasks:
  ci [STEP…]     everything that must hold, in order, up to the first step that fails
  tidy           the code rules alone
  bench          what verification costs, against the bare hashing and against nginx
  timing [SCHEME…]
                 whether time tells where a signature is wrong, or which keys are known
  interop [--count N] [--seed S] [DRIVER|SCHEME…]
                 vendors' SDKs sign and we verify, and the other way round
  interop values [--count N] [--seed S] [FRAMEWORK…]
                 Django, itsdangerous, Express and Rails sign values and we open them, and the other way round
  torture [CASE…] [--rounds N]
                 crashes, power cuts and failovers by the thousand; prints the tally
  gen [--check]  write the generated files; --check only says which are stale";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root();
    let done = match arguments.as_slice() {
        ["ci", steps @ ..] => ci::run(&root, steps),
        ["bench"] => bench::bench(&root),
        ["timing", schemes @ ..] => bench::timing(&root, schemes),
        ["interop", arguments @ ..] => interop::run(&root, arguments),
        ["torture", arguments @ ..] => torture::run(&root, arguments),
        ["tidy"] => tidy::run(&root),
        ["gen"] => generate::write(&root),
        ["gen", "--check"] => generate::check(&root),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure::Usage(USAGE.to_owned())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.exit_status())
        }
    }
}

/// The repository: the folder above this crate's, as cargo gives it at run time.
///
/// The path of compile time would be wrong in a tree that was copied together with its `target`.
fn root() -> PathBuf {
    let here =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}

//! The binary `countersign`. What it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_cli::main()
}

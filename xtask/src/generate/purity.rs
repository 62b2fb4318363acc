//! The `clippy.toml` of each crate that does no I/O and knows no clock, randomness, environment or
//! thread: what it may not call, and why.
//!
//! One table makes the file of every such crate, because clippy reads a crate's own file instead of
//! the workspace's and knows no inclusion. A crate that joins gets a row in [`PURE`]. Exceptions, in
//! tests that read vectors for instance, are `#[expect(clippy::disallowed_methods, reason = "…")]`.

use std::fmt::Write as _;

use super::File;

/// The crates that the bans hold for. `crate::tidy` refuses a runtime among their dependencies.
pub(crate) const PURE: &[&str] = &["countersign-core", "countersign-schemes", "countersign-signed"];

/// One file for each pure crate.
pub(super) fn files() -> Vec<File> {
    PURE.iter().map(|name| File::new(format!("crates/{name}/clippy.toml"), content())).collect()
}

fn content() -> String {
    let mut toml = String::from(
        "# Made by `cargo xtask gen`, from xtask/src/generate/purity.rs. Do not edit.\n\n\
         # What a test may do that the code may not.\n",
    );
    for may in ["unwrap", "expect", "panic", "indexing-slicing"] {
        let _ = writeln!(toml, "allow-{may}-in-tests = true");
    }
    section(&mut toml, "disallowed-methods", METHODS);
    section(&mut toml, "disallowed-types", TYPES);
    toml
}

fn section(toml: &mut String, key: &str, bans: &[Ban]) {
    let _ = writeln!(toml, "\n{key} = [");
    for ban in bans {
        for item in ban.items {
            let path = format!("{}::{item}", ban.module);
            let _ = writeln!(toml, "    {{ path = \"{path}\", reason = \"{}\" }},", ban.reason);
        }
    }
    toml.push_str("]\n");
}

/// Some items of one module that are banned for one reason.
struct Ban {
    module: &'static str,
    items: &'static [&'static str],
    reason: &'static str,
}

const CLOCK: &str = "no clock here: the time comes in as a UnixTime";
const ENVIRONMENT: &str = "no environment here: what a deployment decides comes in as an argument";
const FILES: &str = "no I/O here: the caller reads and writes, and passes bytes";
const NETWORK: &str = "no I/O here: the gateway has the sockets";
const TERMINAL: &str = "no terminal here: the command line reads and prints";
const RANDOM: &str = "no randomness here: a nonce comes in as an argument";
const THREADS: &str = "no threads here: the caller decides where this runs";
const PROCESSES: &str = "no processes here: a fault is an error that is returned";

const METHODS: &[Ban] = &[
    Ban { module: "std::time::SystemTime", items: &["now", "elapsed"], reason: CLOCK },
    Ban { module: "std::time::Instant", items: &["now", "elapsed"], reason: CLOCK },
    Ban {
        module: "std::env",
        items: &[
            "args",
            "args_os",
            "current_dir",
            "current_exe",
            "home_dir",
            "set_current_dir",
            "temp_dir",
            "var",
            "var_os",
            "vars",
            "vars_os",
        ],
        reason: ENVIRONMENT,
    },
    Ban {
        module: "std::fs",
        items: &[
            "canonicalize",
            "copy",
            "create_dir",
            "create_dir_all",
            "exists",
            "hard_link",
            "metadata",
            "read",
            "read_dir",
            "read_link",
            "read_to_string",
            "remove_dir",
            "remove_dir_all",
            "remove_file",
            "rename",
            "set_permissions",
            "symlink_metadata",
            "write",
        ],
        reason: FILES,
    },
    Ban {
        module: "std::path::Path",
        items: &["canonicalize", "exists", "is_dir", "is_file", "metadata", "read_dir", "try_exists"],
        reason: FILES,
    },
    Ban { module: "std::net::ToSocketAddrs", items: &["to_socket_addrs"], reason: NETWORK },
    Ban { module: "aws_lc_rs::rand", items: &["fill", "generate"], reason: RANDOM },
    Ban { module: "aws_lc_rs::rand::SecureRandom", items: &["fill"], reason: RANDOM },
    Ban { module: "std::io", items: &["stderr", "stdin", "stdout"], reason: TERMINAL },
    Ban { module: "std::thread", items: &["scope", "sleep", "spawn"], reason: THREADS },
    Ban { module: "std::process", items: &["abort", "exit"], reason: PROCESSES },
];

const TYPES: &[Ban] = &[
    Ban { module: "std::fs", items: &["File", "OpenOptions"], reason: FILES },
    Ban { module: "std::net", items: &["TcpListener", "TcpStream", "UdpSocket"], reason: NETWORK },
    Ban { module: "std::process", items: &["Command"], reason: PROCESSES },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ban_is_written_with_its_reason() {
        let toml = content();
        let bans: usize = METHODS.iter().chain(TYPES).map(|ban| ban.items.len()).sum();
        assert_eq!(toml.matches("{ path = \"").count(), bans);
        assert_eq!(toml.matches(", reason = \"no ").count(), bans);
        assert!(toml.contains("\"std::time::SystemTime::now\""));
    }
}

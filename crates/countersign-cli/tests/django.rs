//! The example of a Django application: its links, enforced by the running program.

mod live;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use live::{root, run};

/// Where Django is: `./test` installs it.
fn django() -> Option<PathBuf> {
    let folder = std::env::var_os("COUNTERSIGN_DJANGO").map(PathBuf::from).unwrap_or_default();
    let mut python = Command::new("python3");
    python.args(["-c", "import django"]).env("PYTHONPATH", &folder).stderr(Stdio::null());
    if python.status().is_ok_and(|status| status.success()) {
        return Some(folder);
    }
    eprintln!("skipped: there is no Django; COUNTERSIGN_DJANGO names the folder that pip installed it in");
    None
}

#[test]
fn its_downloads_are_checked_and_its_reset_works_once_after_a_crash_too() {
    let Some(folder) = django() else { return };
    let mut example = Command::new("python3");
    example.arg(root().join("examples/django-links/run")).env("PYTHONPATH", folder);
    let walked = run(example.env("COUNTERSIGN", env!("CARGO_BIN_EXE_countersign")));
    assert_eq!(walked.status, 0, "{walked}");
    let lines: Vec<&str> = walked.stdout.lines().collect();
    assert_eq!(lines.len(), 13, "{walked}");
    for (line, expected) in [
        (3, "200 Anne's report"),
        (10, "200 The password"),
        (11, "401 request-repeated"),
        (12, "401 request-repeated"),
    ] {
        assert!(lines[line].contains(expected), "{}", lines[line]);
    }
}

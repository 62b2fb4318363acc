//! Where SDKs are installed: a folder for each set of requirements under `target/interop`, so that no two of them
//! have to agree on what they depend on. Installed once; another version is another folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::driver::{Driver, Language};
use crate::process::{cargo, command};

/// An installed SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
}

/// Why an SDK is not there.
#[derive(Debug)]
pub(super) struct NotInstalled {
    what: String,
    why: String,
}

impl std::fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cannot be installed: {}", self.what, self.why)
    }
}

/// Installs what a driver needs, where that has not been done. `patience`: how long it may take.
pub(super) fn install(root: &Path, driver: &Driver, patience: Option<Duration>) -> Result<Place, NotInstalled> {
    let what = driver.requirements.join(" ");
    let failed = |why: String| NotInstalled { what: what.clone(), why };
    let base = root.join("target/interop").join(match driver.language {
        Language::Python => "pip",
        Language::Node => "npm",
        Language::Rust => "cargo",
    });
    let folder = base.join(file_name(&what));
    let place = Place { folder: folder.clone() };
    if driver.language == Language::Rust {
        // Cargo knows what is there already, and whether the project has changed since.
        return prepared(&folder)
            .and_then(|()| installer(root, driver, &folder, patience))
            .map(|()| place)
            .map_err(failed);
    }
    if folder.is_dir() {
        return Ok(place);
    }
    if patience.is_some_and(|patience| patience.is_zero()) {
        return Err(failed("installing others took all the time there is".to_owned()));
    }
    print!("installing {what} …");
    flush();
    let started = Instant::now();
    // Into a folder beside it first: an interrupted installation must not look like a finished one.
    let part = base.join(format!("{}.part", file_name(&what)));
    let result = prepare(&part)
        .and_then(|()| installer(root, driver, &part, patience))
        .and_then(|()| fs::rename(&part, &folder).map_err(|error| error.to_string()));
    match &result {
        Ok(()) => println!(" {:.0} s", started.elapsed().as_secs_f64()),
        Err(_) => println!(" failed"),
    }
    result.map(|()| place).map_err(failed)
}

/// A folder that is there.
fn prepared(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())
}

/// A folder that is there and empty.
fn prepare(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.to_string()),
        _ => {}
    }
    prepared(folder)
}

fn installer(root: &Path, driver: &Driver, folder: &Path, patience: Option<Duration>) -> Result<(), String> {
    let mut program = match driver.language {
        Language::Python => command(root, "python3"),
        Language::Node => command(root, "npm"),
        Language::Rust => cargo(root),
    };
    match driver.language {
        Language::Python => {
            program.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
            program.args(["--root-user-action", "ignore", "--target"]).arg(folder);
        }
        Language::Node => {
            program
                .args(["install", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
                .arg(folder);
        }
        Language::Rust => {
            // What is required stands in the project's own Cargo.toml.
            let manifest = root.join("interop").join(driver.package()).join("Cargo.toml");
            program.args(["build", "--quiet", "--release", "--locked", "--manifest-path"]).arg(manifest);
            program.arg("--target-dir").arg(folder);
            return waited(&mut program, &folder.join("install.log"), patience);
        }
    }
    program.args(&driver.requirements);
    waited(&mut program, &folder.join("install.log"), patience)
}

/// Runs a program to its end, or kills it; what it says goes to a file.
fn waited(program: &mut Command, log: &Path, patience: Option<Duration>) -> Result<(), String> {
    let file = fs::File::create(log).map_err(|error| error.to_string())?;
    let both = file.try_clone().map_err(|error| error.to_string())?;
    let name = program.get_program().to_string_lossy().into_owned();
    let mut running =
        program.stdin(Stdio::null()).stdout(file).stderr(both).spawn().map_err(|error| format!("{name}: {error}"))?;
    let started = Instant::now();
    loop {
        match running.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(complaint(log).unwrap_or_else(|| format!("{name} failed ({status})"))),
            None if patience.is_some_and(|patience| started.elapsed() > patience) => {
                // It may have ended just now, which is as good.
                let _ = running.kill();
                let _ = running.wait();
                return Err(format!("{name} was not done after {} s", started.elapsed().as_secs()));
            }
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// What an installer complains of: its first two lines that say `error`, else its last.
fn complaint(log: &Path) -> Option<String> {
    let text = fs::read_to_string(log).ok()?;
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let errors: Vec<&str> = lines().filter(|line| line.to_ascii_lowercase().contains("error")).take(2).collect();
    if errors.is_empty() { lines().next_back().map(str::to_owned) } else { Some(errors.join("; ")) }
}

/// Requirements as one file's name.
fn file_name(requirements: &str) -> String {
    requirements.chars().map(|char| if char.is_ascii_alphanumeric() || char == '.' { char } else { '-' }).collect()
}

fn flush() {
    // Progress that cannot be shown is no reason to stop.
    let _ = std::io::Write::flush(&mut std::io::stdout());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installer_that_fails_or_hangs_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let run = |script: &str, patience| waited(Command::new("sh").args(["-c", script]), &log, patience);
        assert_eq!(run("true", None), Ok(()));
        assert_eq!(run("echo no such package >&2; echo; exit 1", None).unwrap_err(), "no such package");
        assert_eq!(
            run("echo ERROR: a; echo b; echo c error; echo error d; exit 1", None).unwrap_err(),
            "ERROR: a; c error"
        );
        assert_eq!(run("exit 3", None).unwrap_err(), "sh failed (exit status: 3)");
        assert!(run("exec sleep 60", Some(Duration::ZERO)).unwrap_err().contains("was not done"));
        assert!(waited(&mut Command::new("no-such-program"), &log, None).unwrap_err().contains("no-such-program"));
    }

    #[test]
    fn another_version_is_another_folder() {
        assert_eq!(file_name("a==1.0 b==2"), "a--1.0-b--2");
        assert_ne!(file_name("@x/y@1.0"), file_name("@x/y@1.1"));
    }
}

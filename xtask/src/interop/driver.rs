//! Drivers, as `interop/run.py --list` tells them, and how one is run.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::scratch::Place;
use crate::process::{Failure, command, stdout_of};

/// What a driver says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Driver {
    pub(super) name: String,
    pub(super) language: Language,
    /// What has to be installed, the SDK first.
    pub(super) requirements: Vec<String>,
    pub(super) schemes: Vec<String>,
    /// Which of `sign`, `verify`, `base` and `fixed` it has.
    pub(super) functions: Vec<String>,
    /// Whether it is installed in seconds.
    pub(super) quick: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Language {
    #[default]
    Python,
    Node,
    /// The driver is Python, and the SDK a crate: a project of its own under `interop`, named like the crate.
    Rust,
}

impl Driver {
    /// The SDK, as it is required.
    pub(super) fn sdk(&self) -> &str {
        self.requirements.first().map_or("", String::as_str)
    }

    /// The SDK's name, without its version.
    pub(super) fn package(&self) -> &str {
        self.sdk().split("==").next().unwrap_or_default()
    }

    pub(super) fn has(&self, function: &str) -> bool {
        self.functions.iter().any(|known| known == function)
    }

    /// The driver's program, with its SDK in reach.
    pub(super) fn command(&self, root: &Path, place: &Place) -> Command {
        let mut program = match self.language {
            Language::Python | Language::Rust => command(root, "python3"),
            Language::Node => command(root, "node"),
        };
        match self.language {
            Language::Python => program.env("PYTHONPATH", &place.folder).args(["-W", "ignore", "interop/run.py"]),
            Language::Rust => {
                program.env("INTEROP_PEER", place.folder.join("release").join(format!("{}-peer", self.package())));
                program.args(["-W", "ignore", "interop/run.py"])
            }
            Language::Node => program.env("INTEROP_NPM", &place.folder).args(["--no-warnings", "interop/run.mjs"]),
        };
        program.arg(&self.name);
        program
    }

    fn read(line: &Value) -> Option<Self> {
        let texts = |name: &str| -> Option<Vec<String>> {
            line[name].as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
        };
        let mut requirements = vec![line["sdk"].as_str()?.to_owned()];
        requirements.extend(texts("also")?);
        Some(Self {
            name: line["driver"].as_str()?.to_owned(),
            language: match line["language"].as_str()? {
                "python" => Language::Python,
                "node" => Language::Node,
                "rust" => Language::Rust,
                _ => return None,
            },
            requirements,
            schemes: texts("schemes")?,
            functions: texts("functions")?,
            quick: line["quick"].as_bool()?,
        })
    }
}

/// All drivers there are.
pub(super) fn list(root: &Path) -> Result<Vec<Driver>, Failure> {
    let text = stdout_of(command(root, "python3").args(["interop/run.py", "--list"]))?;
    let read = |line: &str| serde_json::from_str(line).ok().as_ref().and_then(Driver::read);
    text.lines()
        .map(|line| read(line).ok_or_else(|| Failure::Program(format!("interop/run.py --list: {line}"))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_driver_is_read_whole_or_not_at_all() {
        let line = json!({"driver": "x", "language": "node", "sdk": "x@1", "also": ["y@2"], "schemes": ["s"],
            "functions": ["sign"], "quick": true});
        let driver = Driver::read(&line).unwrap();
        assert_eq!((driver.sdk(), driver.requirements.len()), ("x@1", 2));
        assert!(driver.has("sign") && !driver.has("verify"));
        for name in ["driver", "language", "sdk", "also", "schemes", "functions", "quick"] {
            let mut less = line.clone();
            less.as_object_mut().unwrap().remove(name);
            assert_eq!(Driver::read(&less), None, "{name}");
        }
    }

    #[test]
    fn the_drivers_of_this_tree_can_be_read() {
        if stdout_of(command(Path::new("."), "python3").arg("--version")).is_err() {
            eprintln!("skipped: there is no python3");
            return;
        }
        let drivers = list(&crate::root()).unwrap();
        assert!(!drivers.is_empty());
        for driver in drivers {
            let pinned = match driver.language {
                Language::Python | Language::Rust => |text: &String| text.contains("=="),
                Language::Node => |text: &String| text.rfind('@').is_some_and(|at| at > 0),
            };
            assert!(driver.requirements.iter().all(pinned), "{}: pin {:?}", driver.name, driver.requirements);
            assert!(driver.has("sign") || driver.has("verify"), "{} does nothing", driver.name);
        }
    }
}

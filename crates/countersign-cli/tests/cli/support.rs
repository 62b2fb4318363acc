//! Running the binary, and finding the vectors that live beside the repository.

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }
}

pub(crate) fn countersign() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.env_remove("RUST_LOG").env_remove("NO_COLOR");
    command
}

/// Runs a command to its end, with something on its standard input.
pub(crate) fn run(arguments: &[&str], input: impl AsRef<[u8]>) -> Done {
    let mut command = countersign();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    let input = input.as_ref().to_vec();
    // A command that does not read its input closes it, which is its right.
    let writer = std::thread::spawn(move || stdin.write_all(&input).is_ok());
    let output = running.wait_with_output().unwrap();
    writer.join().unwrap();
    Done {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Answers to lines, one for each.
pub(crate) fn jsonl(command: &str, lines: &[Value]) -> Vec<Value> {
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let done = run(&[command, "--jsonl"], text.join("\n"));
    let answers = done.lines();
    assert_eq!(answers.len(), lines.len(), "{done:?}");
    for (line, answer) in lines.iter().zip(&answers) {
        assert_eq!(line["id"], answer["id"], "answers come in order");
    }
    answers
}

/// The folder of vectors, or a word about why the test cannot run.
pub(crate) fn vectors() -> Option<PathBuf> {
    let root = std::env::var_os("COUNTERSIGN_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"), PathBuf::from);
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("skipped: no vectors; COUNTERSIGN_VECTORS names their folder");
    None
}

pub(crate) fn read_json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A scheme of these tests' own.
pub(crate) fn own_scheme(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/schemes").join(name);
    path.to_str().unwrap().to_owned()
}

//! `countersign schemes test`: every scheme of the catalogue signs a message that it then verifies, and refuses with
//! another key; and the messages of a folder get the verdicts they should.
//!
//! A folder of messages holds one folder for each scheme, with files of JSON lines as `verify --jsonl` reads them.
//! Each line says in `expect` what must come of it: `verified`, `refused`, or the code of a reason. What else it says
//! for people and for the script that changes messages (`source`, `covered`, `open`, `of`, `changed`) is passed over.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_core::scheme::Kind;
use countersign_core::{Scheme, SignError};
use countersign_schemes::catalogue;
use serde::Serialize;
use serde_json::Value;

use crate::engine::{Engine, Keys, Task, Undecided};
use crate::failure::Failure;
use crate::generate;
use crate::material::Material;
use crate::message::json::{Line, LineError};
use crate::message::{Message, Url};
use crate::out::{Outcome, Output};
use crate::task::Defaults;
use crate::world;

/// What became of one trial.
#[derive(Debug, Serialize)]
struct Row {
    scheme: String,
    /// The file and line, where it came from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    passed: bool,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

pub(super) fn run(
    named: &[String],
    vectors: Option<&Path>,
    json: bool,
    out: &mut Output,
) -> Result<Outcome, Failure> {
    let mut rows: Vec<Row> = if named.is_empty() {
        catalogue::names().iter().map(|name| round_trip(name)).collect()
    } else {
        named.iter().map(|name| round_trip(name)).collect()
    };
    if let Some(folder) = vectors {
        let mut engine = Engine::default();
        for (folder, file) in files(folder)? {
            let scheme =
                if named.is_empty() { Some(&folder) } else { named.iter().find(|name| stem(name) == folder) };
            if let Some(scheme) = scheme {
                read_file(scheme, &file, &mut engine, &mut rows)?;
            }
        }
    }
    for row in &rows {
        if json {
            out.json(row)?;
            continue;
        }
        let place = row.place.as_ref().map(|place| format!("  {place}")).unwrap_or_default();
        match &row.fault {
            None => writeln!(out, "ok    {}{place}", row.scheme)?,
            Some(fault) => writeln!(out, "FAIL  {}{place}: {fault}", row.scheme)?,
        }
    }
    let failed = rows.iter().filter(|row| !row.passed).count();
    if !json {
        writeln!(out, "{} passed, {failed} failed", rows.len() - failed)?;
    }
    Ok(if failed == 0 { Outcome::Holds } else { Outcome::Refused })
}

/// The name of the scheme in a file of that path; a name is its own.
fn stem(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.strip_suffix(".toml").unwrap_or(file)
}

fn round_trip(name: &str) -> Row {
    let fault = trial(name).err();
    Row { scheme: name.to_owned(), place: None, passed: fault.is_none(), fault }
}

/// Signs; is refused with another key, and verified with its own.
fn trial(name: &str) -> Result<(), String> {
    let told = |error: Undecided| error.to_string();
    let mut engine = Engine::new(true);
    let file = engine.scheme(name).map_err(told)?;
    let make = || generate::key_for(file.scheme()).map_err(|error| error.to_string());
    let (key, other) = (make()?, make()?);
    let mut task = sample(name, &mut engine, key.signs).map_err(told)?;
    // A verifier is told less than a signer.
    task.vars.clear();
    let mut verdict = |keys: Keys| {
        task.keys = keys;
        let decision = engine.verify(&task).map_err(told)?;
        Ok::<_, String>(decision.verdict.map(|_| ()).map_err(|rejection| rejection.reason().code()))
    };
    if verdict(keys(other.verifies))?.is_ok() {
        return Err("verified with another key".to_owned());
    }
    match verdict(keys(key.verifies))? {
        Ok(()) => Ok(()),
        Err(code) => Err(format!("{code} instead of verified")),
    }
}

fn keys(material: Material) -> Keys {
    Keys::One { material: Arc::new(material), id: Some("key".to_owned()), algorithm: None }
}

/// A message of the kind that a scheme signs, signed with a key that was made for it.
pub(super) fn signed(name: &str, engine: &mut Engine) -> Result<Task, Undecided> {
    let file = engine.scheme(name)?;
    let key = generate::key_for(file.scheme())?;
    sample(name, engine, key.signs)
}

fn sample(name: &str, engine: &mut Engine, key: Material) -> Result<Task, Undecided> {
    let file = engine.scheme(name)?;
    let mut task = Task {
        scheme: name.to_owned(),
        keys: keys(key),
        vars: VARS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        now: world::now(),
        nonce: None,
        message: message(file.scheme())?,
    };
    let signed = loop {
        match engine.sign(&task) {
            // Values that only a deployment knows mean nothing here.
            Err(Undecided::Sign { error: SignError::VarNeeded { name }, .. })
                if !task.vars.iter().any(|(known, _)| *known == name) =>
            {
                task.vars.push((name, "1".to_owned()));
            }
            other => break other?,
        }
    };
    task.message.apply(&signed);
    Ok(task)
}

fn said(verdict: Result<(), &'static str>) -> &'static str {
    match verdict {
        Ok(()) => "verified",
        Err(code) => code,
    }
}

/// What schemes of the catalogue ask for: a region and a service, and for how many seconds a link holds.
const VARS: &[(&str, &str)] =
    &[("region", "us-east-1"), ("service", "service"), ("expires-in", "300"), ("ttl", "300")];

fn message(scheme: &Scheme) -> Result<Message, LineError> {
    let (method, fields, body) = match scheme.kind {
        Kind::Link => ("GET", Vec::new(), None),
        Kind::Request | Kind::Webhook => {
            let form = b"application/x-www-form-urlencoded";
            ("POST", vec![("Content-Type".to_owned(), form.to_vec())], Some(b"a=1&b=2".to_vec()))
        }
    };
    let url = Url::parse("https://example.com/a/b?c=d&e=%20f")?;
    Ok(Message::request(method.to_owned(), url, fields, body)?)
}

/// The files of a folder of messages, with their schemes, in order.
fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut files = Vec::new();
    for scheme in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        let name = scheme.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lines = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl");
        files.extend(entries(&scheme)?.into_iter().filter(lines).map(|file| (name.clone(), file)));
    }
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |source| Failure::Unreadable { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

fn read_file(scheme: &str, path: &Path, engine: &mut Engine, rows: &mut Vec<Row>) -> Result<(), Failure> {
    let unreadable = |source| Failure::Unreadable { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(unreadable)?;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fault = judge(scheme, line, engine).err();
        let place = Some(format!("{}:{}", path.display(), index + 1));
        rows.push(Row { scheme: scheme.to_owned(), place, passed: fault.is_none(), fault });
    }
    Ok(())
}

/// Takes out what a line says for people, and for the script that changes messages.
pub(super) fn without_notes(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        for name in ["source", "covered", "open", "of", "changed"] {
            object.remove(name);
        }
    }
}

/// Whether a line gets the verdict that it expects.
fn judge(scheme: &str, line: &str, engine: &mut Engine) -> Result<(), String> {
    let mut value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let expected = value.as_object_mut().and_then(|object| object.remove("expect"));
    without_notes(&mut value);
    let Some(Value::String(expected)) = expected else { return Err("the line says no `expect`".to_owned()) };
    let mut line = Line::read(value.to_string().as_bytes()).map_err(|unreadable| unreadable.error.to_string())?;
    let defaults = Defaults { scheme: Some(scheme.to_owned()), ..Defaults::default() };
    let decided = defaults.task_of(&mut line).and_then(|(task, _)| engine.verify(&task));
    let verdict = decided.map_err(|error| error.to_string())?.verdict;
    let found = said(verdict.map(|_| ()).map_err(|rejection| rejection.reason().code()));
    if found == expected || expected == "refused" && found != "verified" {
        Ok(())
    } else {
        Err(format!("{found} instead of {expected}"))
    }
}

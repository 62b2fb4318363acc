//! A scheme's own messages: a folder of files of JSON lines as `verify --jsonl` reads them.
//!
//! Each line says in `expect` what must come of it: `verified`, `refused`, or the code of a reason. What else it says
//! for people and for the script that changes messages is passed over; any other field is a fault, as everywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::again::{self, Again};
use super::{Explained, Fault, Report};
use crate::engine::{Engine, Keys, Task};
use crate::failure::Failure;
use crate::material::Material;
use crate::message::json::Line;
use crate::task::Defaults;

/// The fields that are for people, and for `vectors/change.py`.
const PASSED_OVER: &[&str] = &["source", "covered", "open", "of", "changed"];

/// Takes out what a line says for people, and for the script that changes messages.
pub(in crate::schemes) fn without_notes(line: &mut Value) {
    if let Some(object) = line.as_object_mut() {
        object.retain(|name, _| !PASSED_OVER.contains(&name.as_str()));
    }
}

/// Private keys whose public halves stand in lines: those of `keys` beside the schemes' folders.
#[derive(Debug, Default)]
pub(super) struct KeyPairs(Vec<(String, Arc<Material>)>);

impl KeyPairs {
    /// `NAME.pub.pem` is the public half of `NAME.pem`.
    pub(super) fn read(vectors: &Path) -> Result<Self, Failure> {
        let folder = vectors.join("keys");
        let mut pairs = Self::default();
        if !folder.is_dir() {
            return Ok(pairs);
        }
        for path in files(&folder, "pem")? {
            let Some(name) = path.to_str().and_then(|path| path.strip_suffix(".pub.pem")) else { continue };
            if let Material::Public(public) = Material::read_key(&path)? {
                let private = Material::read_key(Path::new(&format!("{name}.pem")))?;
                pairs.0.push((public.trim().to_owned(), Arc::new(private)));
            }
        }
        Ok(pairs)
    }

    /// The task with the private half, where only the public one is given and the other is known.
    fn completed(&self, task: &Task) -> Task {
        let mut task = task.clone();
        if let Keys::One { material, .. } = &mut task.keys
            && let Material::Public(public) = &**material
            && let Some((_, private)) = self.0.iter().find(|(known, _)| known == public.trim())
        {
            *material = Arc::clone(private);
        }
        task
    }
}

/// Reads all files of a scheme's folder.
pub(super) fn read(folder: &Path, pairs: &KeyPairs, engine: &mut Engine, report: &mut Report) -> Result<(), Failure> {
    for path in files(folder, "jsonl")? {
        let unreadable = |source| Failure::Unreadable { path: path.clone(), source };
        let text = fs::read_to_string(&path).map_err(unreadable)?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            if let Err((id, what, explained)) = judge(line, pairs, engine, report) {
                let place = Some((format!("{}:{}", path.display(), index + 1), id));
                report.faults.push(Fault { place, what, explained });
            }
        }
    }
    Ok(())
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |source| Failure::Unreadable { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    paths.sort();
    Ok(paths)
}

/// The id of a line, what is wrong with it, and how that came about.
type Wrong = (Value, String, Option<Box<Explained>>);

/// Whether a line gets the verdict that it expects and, where it verifies, is made again.
fn judge(line: &str, pairs: &KeyPairs, engine: &mut Engine, report: &mut Report) -> Result<(), Wrong> {
    let unreadable = |what: String| (Value::Null, what, None);
    let mut value: Value = serde_json::from_str(line).map_err(|error| unreadable(error.to_string()))?;
    // A changed line is not one that the SDK made.
    let changed = value.get("of").is_some();
    let expected = value.as_object_mut().and_then(|object| object.shift_remove("expect"));
    without_notes(&mut value);
    let Some(Value::String(expected)) = expected else {
        return Err(unreadable("the line says no `expect`".to_owned()));
    };
    let mut line = Line::read(value.to_string().as_bytes())
        .map_err(|unreadable| (unreadable.id, unreadable.error.to_string(), None))?;
    let id = line.id.clone();
    if line.scheme.is_some() {
        return Err((id, "`scheme` is what the folder is named after".to_owned(), None));
    }
    let defaults = Defaults { scheme: Some(report.scheme.clone()), ..Defaults::default() };
    let undecided = |error: crate::engine::Undecided| (id.clone(), error.to_string(), None);
    let (task, _) = defaults.task_of(&mut line).map_err(undecided)?;
    let decision = engine.verify(&task).map_err(undecided)?;
    let found = decision.verdict.as_ref().map_or_else(|rejection| rejection.reason().code(), |_| "verified");
    if found != expected && (expected != "refused" || found == "verified") {
        return Err(explained(id, format!("{found} instead of {expected}"), &task, engine));
    }
    if found != "verified" {
        report.refused += 1;
        return Ok(());
    }
    report.verified += 1;
    if changed {
        return Ok(());
    }
    let is_response = |task: &Task| task.message.status.is_some();
    if report.samples.iter().all(|sample| is_response(sample) != is_response(&task)) {
        report.samples.push(task.clone());
    }
    match again::write(&task, engine).and_then(|()| again::sign(&pairs.completed(&task), engine)) {
        Ok(Again::Signed) => report.signed_again += 1,
        Ok(Again::Unsigned) => {}
        Err(what) => return Err(explained(id, what, &task, engine)),
    }
    Ok(())
}

fn explained(id: Value, what: String, task: &Task, engine: &mut Engine) -> Wrong {
    let explained = engine.explain(task).ok();
    let explained =
        explained.map(|(decision, explanation)| Box::new(Explained { decision, explanation, now: task.now }));
    (id, what, explained)
}

//! `countersign value`: signed values, one or a stream of them.

mod line;
mod settings;
mod task;

use std::io::{Read as _, Write as _};
use std::path::Path;

use countersign_core::UnixTime;
use countersign_signed::Json;

use crate::args::{ValueArguments, ValueCommand, ValueOptions};
use crate::failure::Failure;
use crate::jsonl::{LONGEST, Lines, Next};
use crate::material::SecretText;
use crate::out::{Outcome, Output};
use crate::world;
pub(crate) use settings::ValueError;
use settings::{Operation, Settings};
use task::Task;

pub(crate) fn run(arguments: &ValueArguments, out: &mut Output) -> Result<Outcome, Failure> {
    match &arguments.command {
        None if arguments.jsonl => stream(&arguments.input, out),
        None => Err(Failure::arguments(
            "there is nothing to be done",
            "say `sign`, `unsign`, `dumps` or `loads`; or --jsonl for lines that say it",
        )),
        Some(command) => {
            let (operation, options) = match command {
                ValueCommand::Sign(options) => (Operation::Sign, options),
                ValueCommand::Unsign(options) => (Operation::Unsign, options),
                ValueCommand::Dumps(options) => (Operation::Dumps, options),
                ValueCommand::Loads(options) => (Operation::Loads, options),
            };
            one(operation, options, out)
        }
    }
}

/// One value, of the command line.
fn one(operation: Operation, options: &ValueOptions, out: &mut Output) -> Result<Outcome, Failure> {
    let text = match options.value.as_deref() {
        Some(text) if text != "-" => text.to_owned(),
        _ => read_text()?,
    };
    let value = match operation {
        Operation::Dumps => Json::parse(text.as_bytes()).map_err(ValueError::NotJson)?,
        Operation::Loads | Operation::Sign | Operation::Unsign => Json::String(text),
    };
    let task = Task {
        operation,
        settings: settings_of(options)?,
        also: Vec::new(),
        max_age: options.max_age,
        now: options.now.map_or_else(world::now, UnixTime::from_secs),
        value,
        signature: options.signature.clone(),
        user: None,
    };
    let done = task.run()?;
    if options.json {
        writeln!(out, "{}", line::answer(None, &Ok(done.clone())))?;
    }
    match done {
        Ok(done) => {
            if !options.json {
                match (&done.value, operation) {
                    (Json::String(text), Operation::Sign | Operation::Unsign | Operation::Dumps) => {
                        writeln!(out, "{text}")?;
                    }
                    (value, _) => writeln!(out, "{value}")?,
                }
            }
            if done.needs_resign {
                // Where standard error is closed, the result counts all the same.
                let _ = writeln!(
                    std::io::stderr().lock(),
                    "note: it was made with an old key, digest or salt: sign it anew"
                );
            }
            Ok(Outcome::Holds)
        }
        Err(refused) => {
            if !options.json {
                writeln!(out, "rejected {}: {refused}", refused.code())?;
            }
            Ok(Outcome::Refused)
        }
    }
}

fn settings_of(options: &ValueOptions) -> Result<Settings, Failure> {
    Ok(Settings {
        format: Some(options.format.clone()),
        keys: read_keys(&options.key, &options.key_file)?,
        salt: options.salt.clone(),
        sep: options.sep.clone(),
        algorithm: options.algorithm.clone(),
        key_derivation: options.key_derivation.clone(),
        key_digest: options.key_digest.clone(),
        timestamp: options.timestamp.then_some(true),
        compress: options.compress.then_some(true),
        url_safe: options.url_safe,
        cookie: options.cookie.clone(),
        cookie_salt: options.cookie_salt.clone(),
        purpose: options.purpose.clone(),
        expires_in: options.expires_in,
        envelope: options.envelope.clone(),
        once: options.once.then_some(true),
    })
}

/// Keys as options give them, the newest first.
pub(crate) fn read_keys(
    texts: &[SecretText],
    files: &[std::path::PathBuf],
) -> Result<Vec<SecretText>, crate::material::MaterialError> {
    if texts.is_empty() { files.iter().map(|path| SecretText::read(path)).collect() } else { Ok(texts.to_vec()) }
}

/// Standard input, without the line end at its end.
fn read_text() -> Result<String, Failure> {
    let unreadable = |source| Failure::Unreadable { path: "standard input".into(), source };
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).map_err(unreadable)?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// Answers every line of a file; `-` is standard input.
fn stream(path: &Path, out: &mut Output) -> Result<Outcome, Failure> {
    if path == Path::new("-") {
        return answer_all(Lines::new(std::io::stdin().lock()), out);
    }
    let file = std::fs::File::open(path).map_err(|source| Failure::Unreadable { path: path.to_owned(), source })?;
    answer_all(Lines::new(file), out)
}

fn answer_all(mut lines: Lines<impl std::io::Read>, out: &mut Output) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Holds;
    loop {
        let (id, done) = match lines.next(out)? {
            Next::End => break,
            Next::TooLong => (Json::Null, Err(ValueError::LineTooLong { most: LONGEST })),
            // White space between lines is nobody's value.
            Next::Line if lines.line.trim_ascii().is_empty() => continue,
            Next::Line => {
                let (id, task) = line::read(&lines.line);
                (id, task.and_then(|task| task.run()))
            }
        };
        if done.is_err() {
            outcome = Outcome::Undecided;
        }
        writeln!(out, "{}", line::answer(Some(&id), &done))?;
    }
    out.flush()?;
    Ok(outcome)
}

//! The example of a page: the message of the catalogue, or one signed here, with all that became of it.

use std::fmt::Write as _;
use std::sync::Arc;

use countersign_core::alg::Asymmetric;
use countersign_core::canon;
use countersign_core::scheme::same_name;
use countersign_core::{Coverage, Explanation, Scheme, SignError};
use countersign_schemes::catalogue;
use serde_json::Value;

use super::super::trial;
use super::{block, code};
use crate::curl::shell::quoted;
use crate::engine::{Decision, Engine, Keys, Task, Undecided};
use crate::explain::is_raw;
use crate::explain::visible::Visible;
use crate::failure::Failure;
use crate::generate;
use crate::material::Material;
use crate::message::json::Line;
use crate::scheme_file::{self, SchemeFile};
use crate::task::Defaults;
use crate::world;

/// What the names of stages that are carriers begin with.
const PLACES: [&str; 7] = ["cookie ", "form ", "header ", "json ", "path", "query ", "xml "];

/// Fields that curl writes, or that another message has another value of.
const OF_THE_MOMENT: [&str; 4] = ["content-length", "content-md5", "date", "host"];

/// A message, its verdict, and the way there.
pub(super) struct Example {
    /// Who signed it.
    source: Option<String>,
    key: String,
    task: Task,
    decision: Decision,
    explanation: Explanation,
    pub(super) coverage: Option<Coverage>,
}

impl Example {
    pub(super) fn of(name: &str) -> Result<Self, Failure> {
        let mut engine = Engine::default();
        let line = if scheme_file::is_path(name) { None } else { catalogue::example(name) };
        let (source, key, task) = if let Some(line) = line {
            from_line(name, line)?
        } else {
            (None, "a key made for this page".to_owned(), trial::signed(name, &mut engine)?)
        };
        let (decision, explanation) = engine.explain(&task)?;
        let coverage = decision.verdict.as_ref().ok().map(|facts| facts.coverage.clone());
        Ok(Self { source, key, task, decision, explanation, coverage })
    }

    /// Commands that sign such a message.
    pub(super) fn commands(&self, name: &str, scheme: &Scheme) -> Result<String, Failure> {
        let rules = if self.task.message.status.is_some() { scheme.response.as_ref() } else { None };
        let rules = rules.unwrap_or(&scheme.request);
        let mut task = self.task.clone();
        task.vars.clear();
        let rest = self.explanation.fields.iter().find(|(name, _)| name == "rest").map(|(_, path)| path.as_slice());
        // A body whose carriers cannot be taken out is not shown either.
        let bare = trial::bare(&task.message, rules, rest);
        let typed = bare.is_some() && rules.chunks.is_none();
        task.message = bare.unwrap_or_else(|| self.task.message.clone());
        if task.message.status.is_none() {
            // What a message signature lists in any case has to be there.
            let components = rules.message_signature.iter().flat_map(|policy| &policy.components);
            let listed: Vec<&str> =
                components.filter(|covered| !covered.optional).filter_map(|covered| covered.field()).collect();
            // What the vendor signs by its name, its API wants: the action, the version.
            let own = rules.cover.iter().filter(|glob| !glob.starts_with(['*', '!']));
            let own: Vec<&[u8]> = own.map(String::as_bytes).collect();
            let kept = |name: &str| {
                let lower = name.to_ascii_lowercase();
                lower == "content-type"
                    || listed.iter().any(|other| name.eq_ignore_ascii_case(other))
                    || !OF_THE_MOMENT.contains(&lower.as_str())
                        && !lower.ends_with("-date")
                        && own.iter().any(|glob| canon::glob(glob, lower.as_bytes()))
            };
            task.message.fields.retain(|(name, _)| kept(name));
        }
        self.complete(name, scheme, &mut task)?;
        let id = if scheme.request.fields.iter().any(|field| field.name == "key-id") { " --key-id ID" } else { "" };
        let key =
            if scheme.request.key_pair().is_some() { " --key-file private.pem" } else { " --secret-file secret.txt" };
        let mut vars = String::new();
        for (name, value) in &task.vars {
            let _ = write!(vars, " --var {}", assigned(name, value));
        }
        let message = &task.message;
        if message.status.is_some() {
            return Ok(block(
                "sh",
                &format!("countersign sign --scheme {}{id}{key}{vars} --request answer.http", scheme.name),
            ));
        }
        let mut words = vec![format!("countersign curl --scheme {}{id}{key}{vars}", scheme.name)];
        let has_body = !message.content().is_empty();
        let shown = text_to_type(message.content()).filter(|_| typed);
        if message.method != if has_body { "POST" } else { "GET" } {
            words.push(format!("-X {}", message.method));
        }
        for (name, value) in &message.fields {
            words.push(format!("-H {}", shell(&format!("{name}: {}", String::from_utf8_lossy(value)))));
        }
        match (has_body, shown) {
            (false, _) => {}
            (true, Some(text)) => words.push(format!("-d {}", shell(text))),
            (true, None) => words.push("-d @body".to_owned()),
        }
        words.push(shell(&message.url()));
        let command = block("sh", &words.join(" \\\n  "));
        Ok(if has_body && shown.is_none() {
            format!("With the body in a file `body`:\n\n{command}")
        } else {
            command
        })
    }

    /// Adds the variables that signing asks for, with the values that the example has. What is shown has to work.
    fn complete(&self, name: &str, scheme: &Scheme, task: &mut Task) -> Result<(), Failure> {
        let mut engine = Engine::default();
        let public = matches!(&task.keys, Keys::One { material, .. } if matches!(**material, Material::Public(_)));
        if public || !matches!(task.keys, Keys::One { .. }) {
            let material = Arc::new(generate::key_for(scheme)?.signs);
            task.keys = Keys::One { material, id: Some("ID".to_owned()), algorithm: None };
        }
        if let Keys::One { id, .. } = &mut task.keys {
            id.get_or_insert_with(|| "ID".to_owned());
        }
        name.clone_into(&mut task.scheme);
        let mut completed = false;
        loop {
            let wanted = match engine.sign(task) {
                Ok(_) => return Ok(()),
                Err(
                    Undecided::VarNeeded { name, .. } | Undecided::Sign { error: SignError::VarNeeded { name }, .. },
                ) if !task.vars.iter().any(|(given, _)| same_name(given, &name)) => name,
                // What the example's maker gave, though the scheme can do without for others.
                Err(Undecided::Sign { error: SignError::Missing { .. }, .. }) if !completed => {
                    completed = true;
                    for (name, value) in &self.task.vars {
                        if !task.vars.iter().any(|(given, _)| same_name(given, name)) {
                            task.vars.push((name.clone(), value.clone()));
                        }
                    }
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let expiry = scheme.fresh.expires.and_then(|id| scheme.request.fields.get(id));
            task.vars.push(if wanted == "ttl" || expiry.is_some_and(|expiry| expiry.name == wanted) {
                ("ttl".to_owned(), "3600".to_owned())
            } else {
                let value = self.value(&wanted);
                (wanted, value)
            });
        }
    }

    /// What the example has for a variable, or a capture.
    fn value(&self, name: &str) -> String {
        let given = self.task.vars.iter().find(|(given, _)| same_name(given, name)).map(|(_, value)| value.clone());
        let read = self.explanation.fields.iter().find(|(read, _)| same_name(read, name));
        given.or_else(|| read.map(|(_, value)| String::from_utf8_lossy(value).into_owned())).unwrap_or_default()
    }

    /// The message, and every step to its signature.
    pub(super) fn steps(&self, file: &SchemeFile) -> String {
        let mut text = String::new();
        let by = self.source.as_ref().map_or_else(
            || "Signed by this engine".to_owned(),
            |source| format!("Signed by {}", source.trim_end_matches('.')),
        );
        let _ = writeln!(text, "{by}, with {}, judged at {}:\n", self.key, world::instant(self.task.now));
        let mut sent = Vec::new();
        // Writing to memory cannot fail.
        let _ = self.task.message.write_http(&mut sent);
        let sent = String::from_utf8_lossy(&sent).replace("\r\n", "\n");
        let _ = writeln!(text, "{}\n", block("http", &sent));
        match &self.decision.verdict {
            Ok(_) => text.push_str("It is verified.\n"),
            Err(rejection) => {
                let _ = writeln!(text, "It is rejected: {}.", rejection.detail(file.scheme()));
            }
        }
        let mut before: &[u8] = &[];
        // Of an algorithm that draws random bits each signature is another one: the message shows one.
        let draws = |name: &str| {
            Asymmetric::from_record(name)
                .is_some_and(|algorithm| !matches!(algorithm, Asymmetric::Ed25519 | Asymmetric::RsaPkcs1(_)))
        };
        let mut hidden = false;
        for stage in &self.explanation.stages {
            // The signature is its last encoding, and the carriers stand above.
            let again = stage.name == "signature" && stage.bytes == before;
            let carrier = PLACES.iter().any(|place| stage.name.starts_with(place));
            before = &stage.bytes;
            hidden |= draws(&stage.name);
            let random = hidden;
            hidden &= stage.name != "signature";
            if again || carrier || random {
                continue;
            }
            let shown = if is_raw(&stage.name) {
                world::hex(&stage.bytes)
            } else {
                Visible::of(&stage.bytes).lines().join("\n")
            };
            let _ = writeln!(text, "\n{}\n\n{}", code(&stage.name), block("text", &shown));
        }
        text
    }
}

/// A body that can be typed.
fn text_to_type(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    // `-d @…` names a file.
    let plain =
        !text.is_empty() && text.len() <= MOST_TYPED && !text.starts_with('@') && !text.chars().any(char::is_control);
    plain.then_some(text)
}

/// In bytes.
const MOST_TYPED: usize = 300;

/// A variable for `--var`; a value that nobody types comes from one of the shell's.
fn assigned(name: &str, value: &str) -> String {
    if value.len() <= MOST_TYPED / 4 {
        return shell(&format!("{name}={value}"));
    }
    format!("{name}=\"${}\"", name.to_uppercase().replace('-', "_"))
}

fn shell(text: &str) -> String {
    quoted(text.as_bytes())
}

/// The message of the catalogue.
fn from_line(name: &str, line: &str) -> Result<(Option<String>, String, Task), Failure> {
    let odd = |what: String| Failure::from(Undecided::Example { name: name.to_owned(), what });
    let mut value: Value = serde_json::from_str(line).map_err(|error| odd(error.to_string()))?;
    let source = value["source"].as_str().map(str::to_owned);
    let key = match (value["secret"].as_str(), value["key_id"].as_str()) {
        (Some(secret), _) => format!("the secret {}", code(secret)),
        (None, Some(id)) => format!("the key {}", code(id)),
        (None, None) => "a test key".to_owned(),
    };
    if let Some(object) = value.as_object_mut() {
        object.remove("expect");
    }
    trial::without_notes(&mut value);
    let mut line =
        Line::read(value.to_string().as_bytes()).map_err(|unreadable| odd(unreadable.error.to_string()))?;
    let defaults = Defaults { scheme: Some(name.to_owned()), ..Defaults::default() };
    let (task, _) = defaults.task_of(&mut line)?;
    Ok((source, key, task))
}

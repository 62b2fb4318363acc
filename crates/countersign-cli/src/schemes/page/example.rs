//! The example of a page: the message of the catalogue, or one signed here, with all that became of it.

use std::fmt::Write as _;

use countersign_core::alg::Asymmetric;
use countersign_core::scheme::draft::Place;
use countersign_core::scheme::same_name;
use countersign_core::{Coverage, Explanation, Scheme};
use countersign_schemes::catalogue;
use serde_json::Value;

use super::super::trial;
use super::{block, code};
use crate::curl::shell::quoted;
use crate::engine::{Decision, Engine, Task, Undecided};
use crate::explain::is_raw;
use crate::explain::visible::Visible;
use crate::failure::Failure;
use crate::message::Message;
use crate::message::json::Line;
use crate::scheme_file::{self, SchemeFile};
use crate::task::Defaults;
use crate::world;

/// What the names of stages that are carriers begin with.
const PLACES: [&str; 7] = ["cookie ", "form ", "header ", "json ", "path", "query ", "xml "];

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
    pub(super) fn commands(&self, scheme: &Scheme) -> String {
        let (id, key) =
            match (scheme.request.key_pair().is_some(), scheme.request.fields.iter().any(|f| f.name == "key-id")) {
                (true, true) => (" --key-id ID", " --key-file private.pem"),
                (true, false) => ("", " --key-file private.pem"),
                (false, true) => (" --key-id ID", " --secret-file secret.txt"),
                (false, false) => ("", " --secret-file secret.txt"),
            };
        let asks = |name: &str| {
            let var = scheme.vars.iter().find(|var| same_name(&var.name, name));
            let captured = scheme.request.fields.iter().find(|field| same_name(&field.name, name));
            var.map_or(captured.is_some_and(|field| field.definition.is_none()), |var| var.default.is_none())
        };
        let mut vars = String::new();
        for (name, _) in self.task.vars.iter().filter(|(name, _)| asks(name)) {
            let _ = write!(vars, " --var {name}=…");
        }
        let message = &self.task.message;
        if message.status.is_some() {
            return block(
                "sh",
                &format!("countersign sign --scheme {}{id}{key}{vars} --request answer.http", scheme.name),
            );
        }
        let mut words = vec![format!("countersign curl --scheme {}{id}{key}{vars}", scheme.name)];
        let has_body = !message.content().is_empty();
        if message.method != if has_body { "POST" } else { "GET" } {
            words.push(format!("-X {}", message.method));
        }
        for (name, value) in &message.fields {
            if name.eq_ignore_ascii_case("content-type") {
                words
                    .push(format!("-H {}", quoted(format!("{name}: {}", String::from_utf8_lossy(value)).as_bytes())));
            }
        }
        if has_body {
            words.push("-d @body".to_owned());
        }
        words.push(quoted(bare(scheme, message).as_bytes()));
        block("sh", &words.join(" \\\n  "))
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

/// The URL of a message without the parameters that carry its credentials.
fn bare(scheme: &Scheme, message: &Message) -> String {
    let url = message.url();
    let Some((path, query)) = url.split_once('?') else { return url };
    let carries = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        scheme.request.carriers.iter().any(|carrier| carrier.place == Place::Query && carrier.name == name)
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !carries(pair)).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
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

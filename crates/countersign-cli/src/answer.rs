//! Answers as JSON: what a program reads, in a line of a stream or alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_core::{Explanation, Signed, UnixTime};
use serde::Serialize;
use serde_json::Value;

use crate::engine::{Decision, Undecided};
use crate::message::Message;
use crate::scheme_file::SchemeFile;

/// A signed message.
#[derive(Debug, Serialize)]
pub(crate) struct SignedAnswer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    headers: Vec<(&'a str, String)>,
    #[serde(flatten)]
    body: Body<'a>,
    signature: String,
}

#[derive(Debug, Serialize)]
enum Body<'a> {
    #[serde(rename = "body")]
    Text(&'a str),
    #[serde(rename = "body_base64")]
    Binary(String),
}

impl<'a> SignedAnswer<'a> {
    /// `message` has been signed already. `binary`: its body is wanted as base64.
    pub(crate) fn new(id: Option<&'a Value>, message: &'a Message, signed: &Signed, binary: bool) -> Self {
        let body = match std::str::from_utf8(message.content()) {
            Ok(text) if !binary => Body::Text(text),
            _ => Body::Binary(STANDARD.encode(message.content())),
        };
        let headers = message.fields.iter().map(|(name, value)| (name.as_str(), text(value)));
        Self {
            id,
            url: message.status.is_none().then(|| message.url()),
            headers: headers.collect(),
            body,
            signature: text(&signed.signature),
        }
    }
}

/// A verdict, with the steps to it where they were asked for.
#[derive(Debug, Serialize)]
pub(crate) struct VerdictAnswer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
    #[serde(flatten)]
    verdict: Verdict,
    #[serde(flatten)]
    steps: Option<Steps>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
enum Verdict {
    Verified {
        scheme: String,
        key_id: Option<String>,
        signed_at: Option<i64>,
        covered: Vec<String>,
        not_covered: Vec<String>,
    },
    Rejected {
        reason: &'static str,
        detail: String,
        scheme: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<String>,
    },
    Undecided {
        error: String,
    },
}

#[derive(Debug, Serialize)]
struct Steps {
    fields: Vec<FieldRow>,
    stages: Vec<StageRow>,
    claimed_signature: Option<String>,
    computed_signature: Option<String>,
    /// What is to be said of a message that verifies all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

#[derive(Debug, Serialize)]
struct FieldRow {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct StageRow {
    name: String,
    bytes_base64: String,
    /// The same as text, where it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_base64: Option<String>,
    step: String,
}

impl<'a> VerdictAnswer<'a> {
    pub(crate) fn new(id: Option<&'a Value>, decision: Decision) -> Self {
        let Decision { scheme, plan, verdict } = decision;
        let name = plan.scheme().name.clone();
        let verdict = match verdict {
            Ok(facts) => Verdict::Verified {
                scheme: name,
                key_id: facts.key_id,
                signed_at: facts.signed_at.map(UnixTime::secs),
                covered: facts.coverage.covered,
                not_covered: facts.coverage.not_covered,
            },
            Err(rejection) => Verdict::Rejected {
                reason: rejection.reason().code(),
                detail: rejection.detail(plan.scheme()),
                step: rejection.step().map(|step| scheme.place(step)),
                scheme: name,
            },
        };
        Self { id, verdict, steps: None }
    }

    pub(crate) fn with_steps(self, scheme: &SchemeFile, explanation: Explanation, warning: Option<String>) -> Self {
        let stages = explanation.stages.into_iter().map(|stage| StageRow {
            bytes_base64: STANDARD.encode(&stage.bytes),
            claimed_base64: stage.claimed.map(|claimed| STANDARD.encode(claimed)),
            step: scheme.place(stage.span),
            text: String::from_utf8(stage.bytes).ok(),
            name: stage.name,
        });
        let fields = explanation.fields.into_iter().map(|(name, value)| FieldRow { name, value: text(&value) });
        let steps = Steps {
            fields: fields.collect(),
            stages: stages.collect(),
            claimed_signature: explanation.claimed_signature.as_deref().map(text),
            computed_signature: explanation.computed_signature.as_deref().map(text),
            warning,
        };
        Self { steps: Some(steps), ..self }
    }

    pub(crate) fn undecided(id: Option<&'a Value>, error: &Undecided) -> Self {
        Self { id, verdict: Verdict::Undecided { error: error.to_string() }, steps: None }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

//! Pairs, for people and for programs.

use super::draft::HOST;
use super::{Collision, Held, Sent};
use countersign_core::canon;
use countersign_core::time::{TimeFormat, UnixTime};
use serde::Serialize;
use std::fmt::Write as _;

/// A pair as JSON: two lines of `verify --jsonl`, and what both have signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CollisionRow {
    /// The requests.
    pub requests: [Line; 2],
    /// What both have signed, where it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The same, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_base64: Option<String>,
}

/// A request, and what it takes to verify it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    headers: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Box<Line>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<i64>,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    vars: std::collections::BTreeMap<String, String>,
    peer: String,
}

/// Longer bodies are shown by their ends.
const LONGEST: usize = 400;

impl Collision {
    /// As it is printed below a finding: both requests in full, and with what they can be tried out.
    #[must_use]
    pub fn text(&self) -> String {
        let what = if self.requests.iter().any(|sent| sent.status.is_some()) { "answers" } else { "requests" };
        let mut out = format!("two {what} with one signature:\n");
        for (number, request) in self.requests.iter().enumerate() {
            for line in request.lines() {
                let mark = number + 1;
                _ = writeln!(out, "{}", format!("  {mark} | {line}").trim_end());
            }
            if number == 0 {
                out.push('\n');
            }
        }
        let mut time = Vec::new();
        TimeFormat::Iso.write(UnixTime::from_secs(self.now), &mut time);
        let ids = match &self.key_ids {
            [one, other] if one == other => format!("`{one}`"),
            [one, other] => format!("`{one}` and `{other}` alike"),
        };
        let key = match self.key {
            Held::Secret(secret) => format!("the secret of {ids} is `{secret}`"),
            Held::Pair { .. } => format!("the key of {ids} is the one that --json shows"),
        };
        _ = write!(out, "  at {}, where {key}", String::from_utf8_lossy(&time));
        for (name, value) in &self.vars {
            _ = write!(out, ", {name}={value}");
        }
        let [one, other] = &self.requests;
        if one.peer != other.peer {
            _ = write!(out, "; from {} and from {}", one.peer, other.peer);
        }
        out
    }

    /// As JSON.
    #[must_use]
    pub fn row(&self) -> CollisionRow {
        let [one, other] = &self.requests;
        let [id, other_id] = &self.key_ids;
        let (base, base_base64) = text_or_base64(&self.base);
        CollisionRow { requests: [self.line(one, id), self.line(other, other_id)], base, base_base64 }
    }

    fn line(&self, request: &Sent, id: &str) -> Line {
        let (secret, public_key) = match self.key {
            Held::Secret(secret) => (Some(secret), None),
            Held::Pair { public, .. } => (None, Some(public)),
        };
        let vars = self.vars.iter().cloned().collect();
        let (key_id, now) = (Some(id.to_owned()), Some(self.now));
        Line { key_id, secret, public_key, now, vars, ..Line::of(request) }
    }
}

impl Line {
    fn of(request: &Sent) -> Self {
        let (body, body_base64) = request.body.as_deref().map_or((None, None), text_or_base64);
        let field = |(name, value): &(String, Vec<u8>)| (name.clone(), String::from_utf8_lossy(value).into_owned());
        let fields = request.fields.iter().map(field);
        let asks = request.status.is_none();
        let host = asks.then(|| ("Host".to_owned(), HOST.to_owned()));
        Self {
            method: asks.then(|| request.method.clone()),
            url: asks.then(|| format!("https://{HOST}{}", String::from_utf8_lossy(&request.target))),
            status: request.status,
            headers: host.into_iter().chain(fields).collect(),
            body,
            body_base64,
            request: request.answers.as_ref().map(|request| Box::new(Self::of(request))),
            key_id: None,
            secret: None,
            public_key: None,
            now: None,
            vars: std::collections::BTreeMap::new(),
            peer: request.peer.clone(),
        }
    }
}

impl Sent {
    /// As it is sent, line by line.
    fn lines(&self) -> Vec<String> {
        let mut lines = match self.status {
            Some(status) => vec![format!("HTTP/1.1 {status}")],
            None => vec![
                format!("{} {} HTTP/1.1", self.method, String::from_utf8_lossy(&self.target)),
                format!("Host: {HOST}"),
            ],
        };
        lines.extend(self.fields.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))));
        if let Some(body) = &self.body {
            lines.push(String::new());
            let text = String::from_utf8_lossy(body);
            let shown = if text.len() > LONGEST { ends(&text) } else { text.into_owned() };
            lines.extend(shown.split('\n').map(str::to_owned));
        }
        lines
    }
}

/// The beginning and the end of a text that is too long to be shown.
fn ends(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    let end: Vec<char> = text.chars().rev().take(20).collect();
    format!("{start} … {} ({} bytes)", end.iter().rev().collect::<String>(), text.len())
}

fn text_or_base64(bytes: &[u8]) -> (Option<String>, Option<String>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Some(text.to_owned()), None);
    }
    let mut out = Vec::new();
    canon::b64(bytes, &mut out);
    (None, Some(String::from_utf8_lossy(&out).into_owned()))
}

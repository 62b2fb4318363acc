//! Qiniu's tokens as its own tests print them: `COUNTERSIGN_VECTORS`, or `../shared/vectors` beside the repository.
//! Skipped, and said so, where they are missing.
//!
//! Each row verifies, and neither with another signature nor with another body where that is signed.

#![expect(clippy::disallowed_methods, reason = "the crate does no I/O; the vectors lie in files")]

use countersign_core::key::{Key, KeySet};
use countersign_core::reject::Reason;
use countersign_core::request::{RequestView, Transport};
use countersign_core::time::UnixTime;
use countersign_core::{NeedsBody, Plan, Verifier};
use countersign_schemes::{Catalogue, catalogue, load};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// A request that carries a token.
#[derive(Debug, Clone)]
struct Case {
    /// The text of a scheme.
    scheme: String,
    method: String,
    authority: String,
    target: String,
    fields: Vec<(String, String)>,
    body: String,
    key: Key,
}

impl Case {
    fn verdict(&self) -> Result<(), Reason> {
        let scheme = load("row.toml", &self.scheme, &Catalogue).unwrap_or_else(|error| panic!("{error}"));
        let view = RequestView {
            method: &self.method,
            target: self.target.as_bytes(),
            authority: &self.authority,
            transport: Transport::Https,
            fields: &self.fields,
            body: Some(self.body.as_bytes()),
            peer: None,
            status: None,
            trailers: None,
            answers: None,
        };
        let keys = KeySet::new([Arc::new(self.key.clone())]);
        let verifier = Verifier::new(Plan::compile(&scheme));
        let started = verifier.start(view, UnixTime::from_secs(0));
        let checked = started.and_then(|state| state.key(&keys)).and_then(NeedsBody::finish);
        checked.map(drop).map_err(|refused| refused.reason())
    }

    /// What is wrong with the judgement of the row, if anything.
    fn fault(&self, signs_body: bool) -> Option<String> {
        if let Err(reason) = self.verdict() {
            return Some(format!("is refused: {reason:?}"));
        }
        let mut forged = self.clone();
        let (_, token) = forged.fields.last_mut().expect("a token");
        let at = token.find(':').expect("a signature") + 3;
        let other = if token[at..].starts_with('A') { "B" } else { "A" };
        token.replace_range(at..=at, other);
        let longer = Self { body: format!("{}x", self.body), ..self.clone() };
        if forged.verdict() != Err(Reason::SignatureMismatch) {
            return Some(format!("with another signature: {:?}", forged.verdict()));
        }
        (longer.verdict().is_err() != signs_body).then(|| format!("with another body: {:?}", longer.verdict()))
    }
}

fn rows() -> Option<Vec<Value>> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors"));
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or(beside, PathBuf::from);
    if !root.is_dir() {
        eprintln!("skipped: no vectors at {}", root.display());
        return None;
    }
    let text = std::fs::read_to_string(root.join("vendor-api/vendor.json")).expect("a file of vectors");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let rows = file["cases"].as_array().expect("cases").iter();
    Some(rows.filter(|row| text_of(row, "/scheme").starts_with("qiniu")).cloned().collect())
}

fn text_of<'a>(row: &'a Value, pointer: &str) -> &'a str {
    row.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A scheme of the catalogue in which something stands in the place of something else.
fn with(name: &str, places: &[(&str, &str)]) -> String {
    let text = catalogue::text(name).expect("a scheme of the catalogue").to_owned();
    places.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{name} has no {from}");
        text.replace(from, to)
    })
}

/// The authority and the rest of a URL.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()))
}

fn case(row: &Value) -> Case {
    let (authority, target) =
        split(row.pointer("/request/url").map_or(text_of(row, "/url"), |_| text_of(row, "/request/url")));
    // The SDK's tests hand it URLs without a path, and without a host, which nobody can send: then nothing is signed in
    // their place.
    let pathless = if target.starts_with('/') { ("{target}", "{target}") } else { ("{target}", "[?{query-string}]") };
    let hostless = if authority.is_empty() { ("Host: {host}", "Host: ") } else { ("Host: {host}", "Host: {host}") };
    let undated =
        [("X-Qiniu-Date  = \"{timestamp:iso-basic}\"\n", ""), ("timestamp = \"15m\"", "replay = \"always\"")];
    let bare = |text: &str, base: &str| {
        format!(
            "[header]\nAuthorization = \"{text}\"\n[sign]\nbase = \"{base}\"\nsignature = \"{{base | hmac-sha1 secret | \
             b64url-pad}}\"\n"
        )
    };
    let (scheme, prefix) = match text_of(row, "/scheme") {
        "qiniu token" => (bare("{key-id:word}:{signature:b64url}", "{body}"), ""),
        "qiniu token_with_data" => (bare("{key-id:word}:{signature:b64url}:{data:b64url}", "{data}"), ""),
        "qiniu QBox request" => (with("qiniu-qbox", &[pathless]), "QBox "),
        "qiniu Qiniu (mac v2) request" => (with("qiniu", &[pathless, hostless, undated[0], undated[1]]), "Qiniu "),
        unknown => panic!("unknown row {unknown}"),
    };
    let mut fields: Vec<(String, String)> = Vec::new();
    if let Some(given) = row.pointer("/request/qheaders").and_then(Value::as_object) {
        fields
            .extend(given.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())));
    } else if !text_of(row, "/content_type").is_empty() {
        fields.push(("Content-Type".into(), text_of(row, "/content_type").into()));
    }
    fields.push(("Authorization".into(), format!("{prefix}{}", text_of(row, "/expected"))));
    let method = text_of(row, "/request/method");
    Case {
        scheme,
        method: if method.is_empty() { "POST" } else { method }.into(),
        authority: authority.into(),
        target: if target.starts_with('/') { target.into() } else { format!("/{target}") },
        fields,
        body: ["/request/body", "/body", "/data"].map(|pointer| text_of(row, pointer)).concat(),
        key: Key::secret(text_of(row, "/sk").as_bytes()).with_id(text_of(row, "/ak")),
    }
}

#[test]
fn qiniu() {
    let Some(rows) = rows() else { return };
    let mut wrong = Vec::new();
    for row in &rows {
        let case = case(row);
        let form = text_of(row, "/content_type") == "application/x-www-form-urlencoded";
        let signs_body = match text_of(row, "/scheme") {
            "qiniu QBox request" => form,
            "qiniu token_with_data" => false,
            _ => true,
        };
        wrong.extend(case.fault(signs_body).map(|fault| format!("{row} {fault}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows.len(), 13);
}

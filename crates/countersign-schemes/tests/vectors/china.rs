//! Qiniu's tokens as its own tests print them.
//!
//! Each row verifies, and neither with another signature nor with another body where that is signed.

use crate::case::{Case, json, text};
use countersign_core::key::Key;
use countersign_core::reject::Reason;
use countersign_schemes::catalogue;
use serde_json::Value;

impl Case {
    /// What is wrong with the judgement of the row, if anything.
    fn fault(&self, signs_body: bool) -> Option<String> {
        if let Err(reason) = self.verify() {
            return Some(format!("is refused: {reason:?}"));
        }
        let mut forged = self.clone();
        let (_, token) = forged.headers.last_mut().expect("a token");
        let at = token.find(':').expect("a signature") + 3;
        let other = if token[at..].starts_with('A') { "B" } else { "A" };
        token.replace_range(at..=at, other);
        let longer = Self { body: format!("{}x", self.body), ..self.clone() };
        if forged.verify() != Err(Reason::SignatureMismatch) {
            return Some(format!("with another signature: {:?}", forged.verify()));
        }
        (longer.verify().is_err() != signs_body).then(|| format!("with another body: {:?}", longer.verify()))
    }
}

fn rows() -> Option<Vec<Value>> {
    let file = json("vendor-api/vendor.json")?;
    let rows = file["cases"].as_array().expect("cases").iter();
    Some(rows.filter(|row| text(row, "/scheme").starts_with("qiniu")).cloned().collect())
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
        split(row.pointer("/request/url").map_or(text(row, "/url"), |_| text(row, "/request/url")));
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
    let (scheme, prefix) = match text(row, "/scheme") {
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
    } else if !text(row, "/content_type").is_empty() {
        fields.push(("Content-Type".into(), text(row, "/content_type").into()));
    }
    fields.push(("Authorization".into(), format!("{prefix}{}", text(row, "/expected"))));
    let method = text(row, "/request/method");
    Case {
        name: prefix.to_owned(),
        https: true,
        scheme,
        method: if method.is_empty() { "POST" } else { method }.into(),
        authority: authority.into(),
        target: if target.starts_with('/') { target.into() } else { format!("/{target}") },
        headers: fields,
        body: ["/request/body", "/body", "/data"].map(|pointer| text(row, pointer)).concat(),
        key: Key::secret(text(row, "/sk").as_bytes()).with_id(text(row, "/ak")),
        now: 0,
        vars: Vec::new(),
    }
}

#[test]
fn qiniu() {
    let Some(rows) = rows() else { return };
    let mut wrong = Vec::new();
    for row in &rows {
        let case = case(row);
        let form = text(row, "/content_type") == "application/x-www-form-urlencoded";
        let signs_body = match text(row, "/scheme") {
            "qiniu QBox request" => form,
            "qiniu token_with_data" => false,
            _ => true,
        };
        wrong.extend(case.fault(signs_body).map(|fault| format!("{row} {fault}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows.len(), 13);
}

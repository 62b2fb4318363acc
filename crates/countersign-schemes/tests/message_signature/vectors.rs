//! The examples of RFC 9421: signatures with their verdicts, and lines of signature bases.

#![expect(clippy::disallowed_methods, reason = "the crate does no I/O; the vectors lie in files")]

use std::path::PathBuf;
use std::sync::Arc;

use countersign_core::{Key, Transport};
use serde_json::Value;

use crate::support::{Message, base, explain, lax, plan, sign, verify_by};

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")),
        PathBuf::from,
    );
    let there = folder.join("rfc9421").is_dir();
    if !there {
        eprintln!("skipped: ../shared/vectors is not there");
    }
    there.then_some(folder)
}

fn suite() -> Option<Value> {
    let text = std::fs::read_to_string(folder()?.join("rfc9421/rfc9421.json")).expect("the suite");
    Some(serde_json::from_str(&text).expect("JSON"))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("`{name}` is missing in {value}"))
}

fn pairs(value: &Value) -> Vec<(String, Vec<u8>)> {
    let pair = |pair: &Value| {
        let part = |at: usize| pair[at].as_str().expect("text").to_owned();
        (part(0), part(1).into_bytes())
    };
    value.as_array().map(|pairs| pairs.iter().map(pair).collect()).unwrap_or_default()
}

fn message(value: &Value, scheme: &str) -> Message {
    let fields = pairs(&value["headers"]);
    let host = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let mut message =
        Message::request(value["method"].as_str().unwrap_or("GET"), value["target"].as_str().unwrap_or("/"));
    message.authority = host.map_or(String::new(), |(_, value)| String::from_utf8(value.clone()).expect("text"));
    message.transport = if scheme == "https" { Transport::Https } else { Transport::Http };
    message.body = value["body"].as_str().unwrap_or_default().as_bytes().to_vec();
    message.fields = fields;
    if value["type"] == "response" {
        message.status = Some(u16::try_from(value["status"].as_u64().expect("a status")).expect("a status"));
        message.target.clear();
    }
    message
}

fn key(suite: &Value, id: &str) -> (Key, bool) {
    let key = &suite["keys"][id];
    let (material, is_secret) = match key["secret_base64"].as_str() {
        Some(secret) => (Key::secret(secret.as_bytes()), true),
        None => (Key::public_pem(text(key, "public_pem")).expect("a public key"), false),
    };
    let mut key_ = material.with_id(id);
    key_.algorithm = Some(text(key, "alg").to_owned());
    (key_, is_secret)
}

/// Every signature of the standard: its base as printed, and its verdict.
#[test]
fn signatures_of_the_standard() {
    let Some(suite) = suite() else { return };
    let signatures = suite["signatures"].as_array().expect("signatures");
    assert_eq!(signatures.len(), 20);
    let plan = lax();
    for signature in signatures {
        let id = text(signature, "id");
        let mut message = message(&signature["message"], text(signature, "scheme"));
        if let related @ Value::Object(_) = &signature["related_request"] {
            message.answers = Some(Box::new(self::message(related, text(signature, "scheme"))));
        }
        // The line feed in front of the body is the document's, not the message's: its Content-Length says 18.
        if id.starts_with("s43") && message.body.starts_with(b"\n") {
            message.body.remove(0);
        }
        let (key, is_secret) = key(&suite, text(signature, "key_id"));
        let mut vars = vec![("label", text(signature, "label"))];
        if is_secret {
            vars.push(("secret-encoding", "base64"));
        }
        let now = 1_618_884_490;
        let explanation = explain(&plan, &vars, &message, key.clone(), now);
        assert_eq!(base(&explanation).as_deref(), Some(text(signature, "signature_base")), "{id}");
        let verdict = verify_by(&plan, &vars, &message, key, now);
        assert_eq!(verdict.is_ok(), signature["expected"] == "valid", "{id}: {:?}", verdict.map(|_| ()));
    }
}

/// Every printed line of a signature base.
#[test]
fn component_values_of_the_standard() {
    let Some(suite) = suite() else { return };
    let (mut lines, mut left) = (0, 0);
    for case in suite["component_values"].as_array().expect("cases") {
        let mut message = message(&case["message"], text(case, "scheme"));
        // Only requests in origin form reach the engine; the core's own tests have the other forms.
        if !message.target.starts_with(['/', '*']) && message.status.is_none() {
            left += 1;
            continue;
        }
        if message.authority.is_empty() && message.status.is_none() {
            message.authority = "www.example.com".to_owned();
        }
        message.trailers = Some(pairs(&case["trailers"]));
        let known = case["known_structured_fields"].as_object().into_iter().flatten();
        let known: Vec<String> =
            known.map(|(name, shape)| format!("{name}={}", shape.as_str().expect("a shape"))).collect();
        let known = known.join(" ");
        for line in case["lines"].as_array().expect("lines") {
            let line = line.as_str().expect("a line");
            let (identifier, _) = line.split_once(": ").expect("a name and a value");
            let vars = [("components", identifier), ("structured", known.as_str())];
            let signed = sign(&lax(), &vars, &message).unwrap_or_else(|error| panic!("{line}: {error:?}"));
            let explanation = explain(&lax(), &vars[1..], &signed, crate::support::secret(), crate::support::NOW);
            let base = base(&explanation).expect("a base");
            assert_eq!(base.lines().next(), Some(line));
            lines += 1;
        }
    }
    assert_eq!((lines, left), (37, 2));
}

/// The strict default refuses what the examples leave open.
#[test]
fn the_strict_default_refuses_what_the_examples_leave_open() {
    let Some(suite) = suite() else { return };
    let plan: Arc<_> = plan("extends = \"rfc9421\"");
    for signature in suite["signatures"].as_array().expect("signatures") {
        let message = message(&signature["message"], text(signature, "scheme"));
        // A response has neither a method nor a target that could be left open.
        if message.status.is_some() {
            continue;
        }
        let (key, _) = key(&suite, text(signature, "key_id"));
        let vars = [("label", text(signature, "label")), ("secret-encoding", "base64")];
        assert!(verify_by(&plan, &vars, &message, key, 1_618_884_490).is_err(), "{}", signature["id"]);
    }
}

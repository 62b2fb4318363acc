//! Webhooks: the cases of the vendors' libraries, the valid ones and those that must be refused.

use crate::support::{jsonl, read_json, vectors};
use serde_json::{Value, json};

/// The scheme of a case, and the case as a line. `None`: the case is about a scheme that is not in the catalogue.
fn line(index: usize, case: &Value) -> Option<Value> {
    let scheme = match case["scheme"].as_str().unwrap() {
        "standard-webhooks-v1" => "standard-webhooks",
        "standard-webhooks-v1a" => "standard-webhooks-v1a",
        "github" => "github-webhook",
        "slack" => "slack-v0",
        "twilio" => "twilio-form",
        "sendgrid" => "sendgrid-ecdsa",
        other => panic!("unknown scheme {other}"),
    };
    let mut headers: Vec<Value> =
        case["headers"].as_object().unwrap().iter().map(|(name, value)| json!([name, value])).collect();
    let mut body = case["body"].clone();
    if let Some(params) = case["params"].as_object() {
        headers.push(json!(["Content-Type", "application/x-www-form-urlencoded"]));
        body = json!(form(params));
    }
    let now = case["now"].as_i64().or_else(|| stamp(case)).unwrap_or(1_700_000_000);
    let mut line = json!({
        "id": index, "scheme": scheme, "method": "POST", "headers": headers, "body": body, "now": now,
        "url": case["url"].as_str().unwrap_or("https://example.com/hook"),
    });
    if let Some(secret) = case["secret"].as_str().or_else(|| case["auth_token"].as_str()) {
        line["secret"] = json!(secret);
    } else {
        line["public_key"] = json!(public_pem(case)?);
    }
    Some(line)
}

/// The time that a case without one was signed at.
fn stamp(case: &Value) -> Option<i64> {
    let headers = case["headers"].as_object()?;
    let (_, stamp) = headers.iter().find(|(name, _)| name.to_ascii_lowercase().ends_with("-timestamp"))?;
    stamp.as_str()?.parse().ok()
}

fn form(params: &serde_json::Map<String, Value>) -> String {
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |out, byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' => out + &char::from(byte).to_string(),
            byte => out + &format!("%{byte:02X}"),
        })
    };
    let mut pairs = Vec::new();
    for (name, value) in params {
        let values = value.as_array().map_or_else(|| vec![value], |values| values.iter().collect());
        pairs.extend(values.into_iter().map(|value| format!("{}={}", encode(name), encode(value.as_str().unwrap()))));
    }
    pairs.join("&")
}

/// The key of a case as PEM: it is given as SPKI, or as the 32 bytes of an Ed25519 key.
fn public_pem(case: &Value) -> Option<String> {
    let der = match (case["public_key_der_base64"].as_str(), case["public_key_base64"].as_str()) {
        (Some(der), _) => der.to_owned(),
        // RFC 8410, section 4: twelve bytes say what follows. They are four groups of base64.
        (None, Some(raw)) => format!("MCowBQYDK2VwAyEA{raw}"),
        (None, None) => return None,
    };
    Some(format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n"))
}

#[test]
fn every_case_gets_the_verdict_that_its_library_gives() {
    let Some(root) = vectors() else { return };
    let suite = read_json(&root.join("webhooks/webhooks.json"));
    let cases = suite["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 28);
    let lines: Vec<Value> = cases.iter().enumerate().map(|(index, case)| line(index, case).unwrap()).collect();
    for (case, answer) in cases.iter().zip(jsonl("verify", &lines)) {
        let wanted = match case["expected"].as_str().unwrap() {
            "valid" => "verified",
            "invalid" => "rejected",
            other => panic!("unknown expectation {other}"),
        };
        assert_eq!(answer["verdict"], wanted, "{} {}: {answer}", case["scheme"], case["name"]);
    }
}

#[test]
fn a_valid_case_with_a_changed_body_is_refused() {
    let Some(root) = vectors() else { return };
    let suite = read_json(&root.join("webhooks/webhooks.json"));
    let valid = suite["cases"].as_array().unwrap().iter().filter(|case| case["expected"] == "valid");
    for (index, case) in valid.enumerate() {
        let mut line = line(index, case).unwrap();
        line["body"] = json!(format!("{}x", line["body"].as_str().unwrap()));
        assert_eq!(jsonl("verify", &[line])[0]["verdict"], "rejected", "{} {}", case["scheme"], case["name"]);
    }
}

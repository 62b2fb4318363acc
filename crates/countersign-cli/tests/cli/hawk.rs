//! Hawk's own test cases: headers made by its client, headers its server takes and refuses, links, responses.

use crate::support::{jsonl, read_json, vectors};
use serde_json::{Value, json};

fn suite() -> Option<Value> {
    Some(read_json(&vectors()?.join("hawk/hawk.json")))
}

fn list<'a>(suite: &'a Value, name: &str) -> &'a [Value] {
    let list = suite[name].as_array().unwrap();
    assert!(!list.is_empty(), "{name}");
    list
}

fn verdicts(lines: &[Value]) -> Vec<Value> {
    jsonl("verify", lines).into_iter().map(|answer| answer["verdict"].clone()).collect()
}

fn without(mut line: Value, names: &[&str]) -> Value {
    line.as_object_mut().unwrap().retain(|name, value| !names.contains(&name.as_str()) && !value.is_null());
    line
}

/// A request as the client made it.
fn client_line(case: &Value) -> Value {
    let mut headers = vec![json!(["Authorization", case["expected_header"]])];
    if !case["content_type"].is_null() {
        headers.push(json!(["Content-Type", case["content_type"]]));
    }
    let credentials = &case["credentials"];
    let line = json!({
        "id": case["name"], "scheme": "hawk", "method": case["method"], "url": case["url"], "headers": headers,
        "body": case["payload"], "now": case["ts"], "nonce": case["nonce"],
        "key_id": credentials["id"], "secret": credentials["key"], "alg": credentials["algorithm"],
    });
    without(line, &[])
}

#[test]
fn what_the_client_signs_is_verified() {
    let Some(suite) = suite() else { return };
    let lines: Vec<Value> = list(&suite, "client_headers").iter().map(client_line).collect();
    assert!(verdicts(&lines).iter().all(|verdict| verdict == "verified"));
    for (line, answer) in list(&suite, "client_headers").iter().zip(jsonl("explain", &lines)) {
        let base = answer["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == "signature-base");
        assert_eq!(base.unwrap()["text"], line["normalized_string"], "{}", line["name"]);
    }
}

#[test]
fn what_the_client_signs_is_signed_to_the_byte() {
    let Some(suite) = suite() else { return };
    for case in list(&suite, "client_headers") {
        let mut line = client_line(case);
        line["headers"].as_array_mut().unwrap().remove(0);
        if let Some(ext) = case["ext"].as_str() {
            line["vars"] = json!({ "ext": ext });
        }
        let answer = &jsonl("sign", &[line])[0];
        let headers = answer["headers"].as_array().unwrap();
        let made = headers.iter().find(|header| header[0] == "Authorization").unwrap_or_else(|| panic!("{answer}"));
        // Without a payload our signer states the digest of an empty body only if there is one to state.
        assert_eq!(made[1], case["expected_header"], "{}", case["name"]);
    }
}

#[test]
fn the_servers_cases_are_taken_and_refused() {
    let Some(suite) = suite() else { return };
    let line = |case: &Value, index: usize| {
        let origin = format!("http://{}:{}", case["host"].as_str().unwrap(), case["port"]);
        let line = json!({
            "id": index, "scheme": "hawk", "method": case["method"],
            "url": format!("{origin}{}", case["resource"].as_str().unwrap()),
            "headers": [["Authorization", case["authorization"]]],
            "now": case["now"].as_i64().unwrap_or(1_353_788_437),
            "secret": case["key"].as_str().unwrap_or("werxhqb98rpaxn39848xrunpaw3489ruxnpa98w4rxn"),
            "alg": case["algorithm"].as_str().unwrap_or("sha256"),
        });
        line
    };
    for (name, verdict) in [("server_valid", "verified"), ("server_malformed", "rejected")] {
        let cases = list(&suite, name);
        let lines: Vec<Value> = cases.iter().enumerate().map(|(index, case)| line(case, index)).collect();
        for (line, answer) in lines.iter().zip(jsonl("explain", &lines)) {
            // The suite has one case whose body is not among the values: its header is right, which is all it tests.
            if line["headers"][0][1].as_str().unwrap().contains("hash=") {
                assert_eq!(answer["reason"], "digest-mismatch");
                assert_eq!(answer["computed_signature"], answer["claimed_signature"], "{answer}");
            } else {
                assert_eq!(answer["verdict"], verdict, "{name}: {answer}");
            }
        }
    }
}

#[test]
fn a_body_that_is_not_the_stated_one_is_refused() {
    let Some(suite) = suite() else { return };
    let with_hash = |case: &&Value| case["expected_header"].as_str().unwrap().contains("hash=");
    for case in list(&suite, "client_headers").iter().filter(with_hash) {
        let mut line = client_line(case);
        line["body"] = json!("something else");
        assert_eq!(jsonl("verify", &[line])[0]["reason"], "digest-mismatch", "{}", case["name"]);
    }
}

fn link(case: &Value) -> Value {
    let credentials = &case["credentials"];
    let (url, secret, algorithm) = if let Some(bewit) = case["expected_bewit"].as_str() {
        let url = format!("{}?bewit={bewit}", case["url"].as_str().unwrap());
        (url, &credentials["key"], &credentials["algorithm"])
    } else {
        let target = case["request_url"].as_str().unwrap();
        (
            format!("http://{}:{}{target}", case["host"].as_str().unwrap(), case["port"]),
            &case["key"],
            &case["algorithm"],
        )
    };
    let now = case["expires"].as_i64().unwrap() - 10;
    json!({"id": case["name"], "scheme": "hawk-bewit", "method": "GET", "url": url, "now": now, "secret": secret, "alg": algorithm})
}

#[test]
fn links_are_followed_until_they_expire_and_only_by_reading() {
    let Some(suite) = suite() else { return };
    let lines: Vec<Value> = list(&suite, "bewits").iter().map(link).collect();
    let answers = jsonl("verify", &lines);
    assert!(answers.iter().all(|answer| answer["verdict"] == "verified"), "{answers:?}");
    for (change, reason) in [
        (json!({"now": 9_999_999_999_i64}), Some("expired")),
        (json!({"method": "POST"}), None),
        (json!({"secret": "another"}), Some("signature-mismatch")),
    ] {
        for line in &lines {
            let mut line = line.clone();
            line.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let answer = &jsonl("verify", &[line])[0];
            assert_eq!(answer["verdict"], "rejected", "{change}");
            assert!(reason.is_none_or(|reason| answer["reason"] == reason), "{change}: {answer}");
        }
    }
}

#[test]
fn links_are_made_to_the_byte() {
    let Some(suite) = suite() else { return };
    for case in list(&suite, "bewits").iter().filter(|case| !case["expected_bewit"].is_null()) {
        let credentials = &case["credentials"];
        let mut vars = json!({ "expires": case["expires"].to_string() });
        if let Some(ext) = case["ext"].as_str() {
            vars["ext"] = json!(ext);
        }
        let line = json!({
            "id": case["name"], "scheme": "hawk-bewit", "method": "GET", "url": case["url"],
            "key_id": credentials["id"], "secret": credentials["key"], "alg": credentials["algorithm"], "vars": vars,
            "now": case["now_ms"].as_i64().unwrap() / 1000,
        });
        let wanted = format!("{}?bewit={}", case["url"].as_str().unwrap(), case["expected_bewit"].as_str().unwrap());
        assert_eq!(jsonl("sign", &[line])[0]["url"], wanted, "{}", case["name"]);
    }
}

#[test]
fn responses_have_the_signatures_of_the_suite() {
    let Some(suite) = suite() else { return };
    for case in list(&suite, "responses") {
        let request = &case["request"];
        let text = |name: &str| request[name].as_str().unwrap();
        let origin = format!("http://{}:{}", text("host"), request["port"]);
        let credentials = format!(r#"Hawk id="1", ts="{}", nonce="{}", mac="AAAA""#, text("ts"), text("nonce"));
        let line = json!({
            "id": case["name"], "scheme": "hawk", "status": 200,
            "headers": [["Content-Type", case["content_type"]], ["Server-Authorization", case["expected_server_authorization"]]],
            "body": case["payload"], "secret": case["key"], "alg": case["algorithm"],
            "now": text("ts").parse::<i64>().unwrap(),
            "request": {
                "method": request["method"], "url": format!("{origin}{}", text("resource")),
                "headers": [["Authorization", credentials]],
            },
        });
        let answer = &jsonl("explain", &[line])[0];
        let base = answer["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == "signature-base");
        assert_eq!(base.unwrap()["text"], case["normalized_string"], "{}", case["name"]);
        assert_eq!(answer["verdict"], "verified", "{}: {answer}", case["name"]);
    }
}

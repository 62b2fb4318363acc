//! The contract of `--jsonl`: one answer a line, in order, whatever the line.

use crate::support::{countersign, jsonl, run};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

/// A request of the first article's client.
fn good() -> Value {
    json!({
        "id": "1", "scheme": "md5-token", "method": "GET", "secret": "s3cr3t", "now": 1_714_566_896,
        "url": "http://x/p?user=alice&timestamp=1714566896&token=785ed02", "headers": [],
    })
}

fn changed(change: &Value) -> Value {
    let mut line = good();
    line.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    line
}

#[test]
fn an_answer_has_the_documented_shape() {
    let answer = &jsonl("verify", &[good()])[0];
    assert_eq!(
        *answer,
        json!({
            "id": "1", "verdict": "verified", "scheme": "md5-token", "key_id": "alice", "signed_at": 1_714_566_896,
            "covered": ["key-id", "timestamp"], "not_covered": ["method", "authority", "path", "query", "body"],
        })
    );
    let answer = &jsonl("verify", &[changed(&json!({"now": 1_714_567_896}))])[0];
    assert_eq!((&answer["verdict"], &answer["reason"]), (&json!("rejected"), &json!("timestamp-stale")));
    assert_eq!(answer["detail"], "the signed time is 1000 s ago");
    let answer = &jsonl("explain", &[good()])[0];
    assert_eq!(answer["verdict"], "verified");
    let stages = answer["stages"].as_array().unwrap();
    let base = stages.iter().find(|stage| stage["name"] == "signature-base").unwrap();
    assert_eq!(base["bytes_base64"], "YWxpY2UKMTcxNDU2Njg5NgpzM2NyM3Q=");
    let mut unsigned = good();
    unsigned["url"] = json!("http://x/p");
    unsigned["key_id"] = json!("alice");
    unsigned["headers"] = json!([["A", "b"]]);
    let answer = &jsonl("sign", &[unsigned])[0];
    assert_eq!(
        *answer,
        json!({
            "id": "1", "url": "http://x/p?user=alice&timestamp=1714566896&token=785ed02", "headers": [["A", "b"]],
            "body": "", "signature": "785ed02",
        })
    );
}

#[test]
fn every_line_gets_its_answer_in_order_a_malformed_one_too() {
    let lines = [
        good().to_string(),
        "nonsense".to_owned(),
        "[]".to_owned(),
        json!({"id": 2}).to_string(),
        changed(&json!({"id": [3], "colour": 1})).to_string(),
        changed(&json!({"id": {"four": 4}, "secret": null})).to_string(),
        changed(&json!({"id": 5, "scheme": "md6-token"})).to_string(),
        changed(&json!({"id": 6, "url": "x"})).to_string(),
        changed(&json!({"id": null})).to_string(),
        "\u{feff}{}".to_owned(),
        good().to_string(),
    ];
    for command in ["verify", "explain", "sign"] {
        let done = run(&[command, "--jsonl"], lines.join("\n"));
        assert_eq!((done.status, done.err.as_str()), (2, ""), "{command}");
        let answers = done.lines();
        assert_eq!(answers.len(), lines.len(), "{command}");
        let ids = ["1", "null", "null", "2", "[3]", "{\"four\":4}", "5", "6", "null", "null", "1"];
        for (index, (answer, id)) in answers.iter().zip(ids).enumerate() {
            assert_eq!(answer["id"].to_string().trim_matches('"'), id, "{command}, line {index}");
            if (1..8).contains(&index) || index == 9 {
                assert_eq!(answer["verdict"], "undecided", "{command}, line {index}: {answer}");
                assert!(answer["error"].as_str().is_some_and(|error| !error.is_empty()));
            }
        }
        assert!(!done.out.contains("s3cr3t") || command == "explain", "{command}: a secret in an answer");
    }
}

#[test]
fn the_status_is_0_when_every_line_was_decided() {
    for (lines, status) in [
        (vec![], 0),
        (vec![good()], 0),
        (vec![good(), changed(&json!({"secret": "wrong"}))], 0),
        (vec![changed(&json!({"secret": "wrong"}))], 0),
        (vec![good(), json!({}), good()], 2),
    ] {
        let text: Vec<String> = lines.iter().map(Value::to_string).collect();
        assert_eq!(run(&["verify", "--jsonl"], text.join("\n")).status, status, "{text:?}");
    }
}

#[test]
fn the_fields_of_a_line_win_over_options() {
    let options = ["verify", "--jsonl", "--scheme", "slack-v0", "--secret", "other", "--now", "5", "--key-id", "bob"];
    let mut line = changed(&json!({"key_id": "alice"}));
    assert_eq!(run(&options, line.to_string()).lines()[0]["verdict"], "verified");
    for name in ["scheme", "secret", "now", "key_id"] {
        let value = line.as_object_mut().unwrap().remove(name).unwrap();
        assert_ne!(run(&options, line.to_string()).lines()[0]["verdict"], "verified", "{name}");
        line[name] = value;
    }
    let options = ["verify", "--jsonl", "--scheme", "md5-token", "--secret", "s3cr3t", "--now", "1714566896"];
    for name in ["scheme", "secret", "now"] {
        line.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(run(&options, line.to_string()).lines()[0]["verdict"], "verified");
}

#[test]
fn a_key_without_id_serves_any_and_one_with_an_id_only_that() {
    for (key_id, reason) in [(None, None), (Some("alice"), None), (Some("bob"), Some("key-unknown"))] {
        let line = changed(&json!({ "key_id": key_id }));
        let answer = &jsonl("verify", &[line])[0];
        assert_eq!(answer["reason"].as_str(), reason, "{answer}");
        if reason.is_none() {
            assert_eq!(answer["key_id"], "alice");
        }
    }
}

#[test]
fn bodies_come_as_text_or_as_base64_and_go_as_they_came() {
    let line = |more: Value| {
        let mut line =
            json!({"id": 1, "scheme": "github-webhook", "method": "POST", "url": "https://x/", "secret": "s"});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let answers = jsonl("sign", &[line(json!({"body": "é"})), line(json!({"body_base64": "w6k="}))]);
    assert_eq!(answers[0]["signature"], answers[1]["signature"]);
    assert_eq!((&answers[0]["body"], &answers[0].get("body_base64")), (&json!("é"), &None));
    assert_eq!((&answers[1].get("body"), &answers[1]["body_base64"]), (&None, &json!("w6k=")));
    let binary = &jsonl("sign", &[line(json!({"body_base64": "AP8="}))])[0];
    assert_eq!(binary["body_base64"], "AP8=");
    let verified = line(json!({"body_base64": "AP8=", "headers": binary["headers"]}));
    assert_eq!(jsonl("verify", &[verified])[0]["verdict"], "verified");
}

#[test]
fn what_a_carrier_adds_to_the_body_is_in_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.toml");
    std::fs::write(
        &path,
        "[form]\nsign = \"{signature:hex}\"\n[sign]\nbase = '{form | without sign | sort-kv | each \"{k}={v}\" | join \"&\"}'\n\
         signature = \"{base | hmac-sha256 secret | hex}\"\n[fresh]\nremember = \"1h\"\n",
    )
    .unwrap();
    let line = json!({
        "id": 1, "scheme": path, "method": "POST", "url": "https://x/", "secret": "s", "body": "b=2&a=1",
        "headers": [["Content-Type", "application/x-www-form-urlencoded"]],
    });
    let answer = &jsonl("sign", std::slice::from_ref(&line))[0];
    let body = answer["body"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert!(body.starts_with("b=2&a=1&sign="), "{body}");
    let mut signed = line;
    signed["body"] = json!(body);
    assert_eq!(jsonl("verify", &[signed])[0]["verdict"], "verified");
}

#[test]
fn key_pairs_come_as_pem() {
    let generated = run(&["schemes", "show", "spring-sign-rsa", "--json"], "").json();
    assert_eq!(generated["key_pair"], true);
    let suite = include_str!("../../../countersign-core/tests/keys/rsa-2048.pkcs8.pem");
    let public = include_str!("../../../countersign-core/tests/keys/rsa-2048.spki.pem");
    let other = include_str!("../../../countersign-core/tests/keys/p256.spki.pem");
    let line = json!({"id": 1, "scheme": "spring-sign-rsa", "method": "POST", "url": "https://x/a?b=1", "body": "{}", "now": 1000});
    let with = |line: &Value, name: &str, value: Value| {
        let mut line = line.clone();
        line[name] = value;
        line
    };
    let signed = &jsonl("sign", &[with(&line, "private_key", json!(suite))])[0];
    let signed = with(&line, "headers", signed["headers"].clone());
    let answers = jsonl(
        "verify",
        &[
            with(&signed, "public_key", json!(public)),
            with(&signed, "private_key", json!(suite)),
            with(&signed, "public_key", json!(other)),
            with(&signed, "secret", json!(public)),
            with(&with(&signed, "public_key", json!(public)), "alg", json!("ed25519")),
        ],
    );
    let verdicts: Vec<&str> = answers.iter().map(|answer| answer["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["verified", "verified", "rejected", "rejected", "rejected"], "{answers:?}");
    let odd = jsonl(
        "verify",
        &[
            with(&signed, "public_key", json!("s3cr3t")),
            with(&with(&signed, "secret", json!("x")), "public_key", json!(public)),
            with(&with(&signed, "public_key", json!(public)), "alg", json!("rsa-sha255")),
        ],
    );
    assert!(odd.iter().all(|answer| answer["verdict"] == "undecided"), "{odd:?}");
    assert!(!odd[0].to_string().contains("s3cr3t"));
}

#[test]
fn variables_are_told_alike_with_hyphen_and_underscore_and_unknown_ones_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.toml");
    std::fs::write(
        &path,
        "[vars]\nthe-realm = { about = \"x\" }\n[header]\nX-Sign = \"{signature:hex}\"\n[sign]\nbase = \"{the-realm}\"\n\
         signature = \"{base | hmac-sha256 secret | hex}\"\n[fresh]\nremember = \"1h\"\n",
    )
    .unwrap();
    let line = |vars: Value| json!({"id": 1, "scheme": path, "method": "GET", "url": "https://x/", "secret": "s", "vars": vars});
    let signature = |vars: Value| jsonl("sign", &[line(vars)])[0]["signature"].as_str().map(str::to_owned);
    let wanted = signature(json!({"the-realm": "7"}));
    assert!(wanted.is_some());
    assert_eq!(signature(json!({"the_realm": "7", "nothing-of-the-kind": true})), wanted);
    assert_eq!(signature(json!({"the_realm": 7})), wanted);
    assert_ne!(signature(json!({"the_realm": "8"})), wanted);
    let option = run(&["sign", "--jsonl", "--var", "the_realm=7"], line(json!({})).to_string());
    assert_eq!(option.lines()[0]["signature"].as_str(), wanted.as_deref());
    let over = run(&["sign", "--jsonl", "--var", "the-realm=8"], line(json!({"the_realm": "7"})).to_string());
    assert_eq!(over.lines()[0]["signature"].as_str(), wanted.as_deref(), "a line wins over an option");
    for vars in [json!({"the_realm": ["r"]}), json!({"the_realm": {}})] {
        let answer = &jsonl("sign", &[line(vars)])[0];
        assert_eq!(answer["error"], "the value of `the_realm` in `vars` is neither text, number nor boolean");
    }
    for nothing in [json!({}), json!({"the_realm": null})] {
        assert_eq!(jsonl("sign", &[line(nothing)])[0]["verdict"], "undecided", "a value that is needed is missing");
    }
}

#[test]
fn host_and_url_must_agree() {
    for (host, verdict) in [("x", "verified"), ("X:80", "verified"), ("y", "rejected"), ("x:81", "rejected")] {
        let answer = &jsonl("verify", &[changed(&json!({"headers": [["Host", host]]}))])[0];
        assert_eq!(answer["verdict"], verdict, "{host}: {answer}");
    }
}

#[test]
fn paths_are_judged_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.toml");
    std::fs::write(
        &path,
        "[header]\nX-Sign = \"{signature:hex}\"\n[sign]\nbase = \"{method}\\n{target}\"\n\
         signature = \"{base | hmac-sha256 secret | hex}\"\n[fresh]\nremember = \"1h\"\n",
    )
    .unwrap();
    for target in ["//a", "/a/../b", "/a%2Fb", "/a//b/./c", "/%2e%2e", "/a?b=%00"] {
        let line = json!({"id": target, "scheme": path, "method": "GET", "url": format!("https://x{target}"), "secret": "s"});
        let signed = &jsonl("sign", std::slice::from_ref(&line))[0];
        assert_eq!(signed["url"], line["url"], "{signed}");
        let mut verified = line.clone();
        verified["headers"] = signed["headers"].clone();
        assert_eq!(jsonl("verify", &[verified])[0]["verdict"], "verified", "{target}");
    }
}

#[test]
fn nonces_are_remembered_with_replay_and_only_then() {
    let text = format!(
        "{}\n{}\n{}\n",
        good(),
        changed(&json!({"now": 1_714_566_900})),
        changed(&json!({"now": 1_714_566_880}))
    );
    let reasons = |options: &[&str]| -> Vec<Option<String>> {
        let done = run(options, &text);
        assert_eq!(done.status, 0);
        done.lines().iter().map(|answer| answer["reason"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(reasons(&["verify", "--jsonl"]), [None, None, None]);
    let replayed = || Some("replayed".to_owned());
    assert_eq!(reasons(&["verify", "--jsonl", "--replay"]), [None, replayed(), replayed()]);
    assert_eq!(reasons(&["explain", "--jsonl", "--replay"]), [None, replayed(), replayed()]);
}

#[test]
fn a_line_with_a_status_is_a_response() {
    let base = json!({"id": 1, "scheme": "md5-token", "secret": "s", "status": 200, "headers": [], "body": "x"});
    let answer = &jsonl("verify", std::slice::from_ref(&base))[0];
    assert_eq!(answer["reason"], "signature-missing", "the scheme signs no responses");
    let mut with_url = base.clone();
    with_url["url"] = json!("https://x/");
    assert_eq!(jsonl("verify", &[with_url])[0]["verdict"], "undecided");
    let answer = &jsonl("sign", &[base])[0];
    assert_eq!(answer["error"], "the scheme does not sign responses");
}

#[test]
fn the_clients_address_is_taken_from_the_line_or_the_option() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.toml");
    std::fs::write(
        &path,
        "[header]\nX-Sign = \"{signature:hex}\"\n[sign]\nbase = \"{peer}\"\nsignature = \"{base | hmac-sha256 secret | hex}\"\n\
         [fresh]\nremember = \"1h\"\n",
    )
    .unwrap();
    let line = |peer: Value| json!({"id": 1, "scheme": path, "method": "GET", "url": "https://x/", "secret": "s", "peer": peer});
    let one = run(&["sign", "--jsonl"], line(json!("192.0.2.1")).to_string()).lines()[0]["signature"].clone();
    let option =
        run(&["sign", "--jsonl", "--peer", "192.0.2.1"], line(Value::Null).to_string()).lines()[0]["signature"]
            .clone();
    assert!(one.is_string());
    assert_eq!(one, option);
    let other = run(&["sign", "--jsonl", "--peer", "192.0.2.1"], line(json!("192.0.2.2")).to_string()).lines()[0]["signature"].clone();
    assert_ne!(one, other);
}

#[test]
fn a_program_may_wait_for_each_answer() {
    let mut running =
        countersign().args(["verify", "--jsonl"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    let mut answers = BufReader::new(running.stdout.take().unwrap()).lines();
    for round in 0..3 {
        writeln!(stdin, "{}", changed(&json!({ "id": round }))).unwrap();
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["id"], round);
    }
    drop(stdin);
    assert!(answers.next().is_none());
    assert!(running.wait().unwrap().success());
}

#[test]
fn a_file_is_read_as_standard_input_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    // A line end at the end, none, empty lines, and carriage returns.
    for text in [format!("{}\n", good()), good().to_string(), format!("\n\r\n{}\r\n\n", good())] {
        std::fs::write(&path, text).unwrap();
        let done = run(&["verify", "--jsonl", "--request", path.to_str().unwrap()], "");
        assert_eq!((done.status, done.lines().len()), (0, 1), "{done:?}");
    }
    let done = run(&["verify", "--jsonl", "--request", "/nowhere/at/all"], "");
    assert_eq!((done.status, done.out.as_str()), (2, ""));
}

#[test]
fn a_long_stream_is_answered_line_by_line() {
    let bad = changed(&json!({"id": -1, "secret": "wrong"})).to_string();
    let mut text = String::new();
    for id in 0..50_000 {
        if id % 1000 == 999 {
            text += &bad;
        } else {
            text += &changed(&json!({ "id": id })).to_string();
        }
        text.push('\n');
    }
    let done = run(&["verify", "--jsonl"], text);
    assert_eq!(done.status, 0);
    let answers = done.lines();
    assert_eq!(answers.len(), 50_000);
    for (id, answer) in answers.iter().enumerate() {
        let (wanted, verdict) = if id % 1000 == 999 { (json!(-1), "rejected") } else { (json!(id), "verified") };
        assert_eq!((&answer["id"], &answer["verdict"]), (&wanted, &json!(verdict)));
    }
}

//! Signed values by the command line: the contract of its lines, and the frameworks' own values through it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::{countersign, read_json, run, vectors};

/// Answers to lines, one for each.
fn answers(lines: &[Value]) -> Vec<Value> {
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let done = run(&["value", "--jsonl"], text.join("\n"));
    let answers = done.lines();
    assert_eq!(answers.len(), lines.len(), "{done:?}");
    answers
}

#[test]
fn an_answer_has_the_documented_shape() {
    let line = |more: Value| {
        let mut line = json!({"id": "1", "format": "django", "key": "k", "now": 1_714_566_896});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let signed = answers(&[line(json!({"op": "sign", "value": "v", "timestamp": true}))]).remove(0);
    let token = signed["value"].as_str().unwrap().to_owned();
    assert_eq!(signed, json!({"id": "1", "value": token, "needs_resign": false}));
    let unsign = |more: Value| {
        let mut whole = line(json!({"op": "unsign", "value": token, "timestamp": true}));
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        answers(&[whole]).remove(0)
    };
    assert_eq!(unsign(json!({"max_age": 60})), json!({"id": "1", "value": "v", "needs_resign": false}));
    assert_eq!(unsign(json!({"now": 1_714_566_957, "max_age": 60})), json!({"id": "1", "rejected": "expired"}));
    assert_eq!(unsign(json!({"key": "other"})), json!({"id": "1", "rejected": "signature-mismatch"}));
    assert_eq!(unsign(json!({"value": "v"})), json!({"id": "1", "rejected": "malformed"}));
    let old = unsign(json!({"key": null, "keys": ["new", "k"]}));
    assert_eq!(old, json!({"id": "1", "value": "v", "needs_resign": true}));
    // What cannot be decided says so, as the other streams do.
    let odd = unsign(json!({"format": "pickle"}));
    assert_eq!((&odd["id"], &odd["verdict"]), (&json!("1"), &json!("undecided")));
    assert!(odd["error"].as_str().unwrap().starts_with("`format` is none of those"), "{odd}");
}

#[test]
fn every_line_gets_its_answer_and_the_exit_status_says_whether_all_were_decided() {
    let good = r#"{"id":1,"op":"sign","format":"express","key":"k","value":"v"}"#;
    let wrong = r#"{"id":2,"op":"unsign","format":"express","key":"k","value":"v.x"}"#;
    let done = run(&["value", "--jsonl"], format!("{good}\n\n{wrong}"));
    assert_eq!((done.status, done.lines().len()), (0, 2), "a refusal is a decision");
    let done = run(&["value", "--jsonl"], format!("{good}\nnonsense\n[]\n{wrong}\n"));
    let ids: Vec<Value> = done.lines().iter().map(|answer| answer["id"].clone()).collect();
    assert_eq!((done.status, ids), (2, vec![json!(1), Value::Null, Value::Null, json!(2)]));
    let done = run(&["value"], "");
    assert_eq!(done.status, 2);
}

#[test]
fn numbers_keep_their_digits() {
    for number in ["123456789012345678901234567890", "0.1000000000000000055", "1.50", "-0", "1e5", "5e-324"] {
        for format in ["django", "itsdangerous", "rails", "express"] {
            let dumps = format!(r#"{{"op":"dumps","format":"{format}","key":"k","value":[{number}],"now":0}}"#);
            let signed = run(&["value", "--jsonl"], dumps).json()["value"].to_string();
            let loads = format!(r#"{{"op":"loads","format":"{format}","key":"k","value":{signed},"now":0}}"#);
            let done = run(&["value", "--jsonl"], loads);
            assert!(done.out.contains(&format!("\"value\":[{number}]")), "{format} {number}: {done:?}");
        }
    }
    let done = run(&["value", "--jsonl"], r#"{"op":"dumps","format":"django","key":"k","value":1e400}"#);
    assert!(done.out.contains("cannot be signed"), "{done:?}");
}

#[test]
fn attack_34_a_bomb_that_was_signed_with_the_right_key_is_refused_in_bounded_memory() {
    const SIZE: usize = 200 * 1024 * 1024;
    let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b' '; SIZE], 1);
    let payload = format!(".{}", URL_SAFE_NO_PAD.encode(&bomb));
    for (format, salt) in [("django", "django.core.signing"), ("itsdangerous", "itsdangerous")] {
        let mut line = json!({"id": 1, "format": format, "key": "k", "salt": salt, "now": 0, "timestamp": true});
        line["op"] = json!("sign");
        line["value"] = json!(payload);
        line["value"] = answers(std::slice::from_ref(&line))[0]["value"].clone();
        line["op"] = json!("loads");
        let mut running = countersign();
        running.args(["value", "--jsonl"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = running.spawn().unwrap();
        let mut stdin = running.stdin.take().unwrap();
        writeln!(stdin, "{line}").unwrap();
        let mut answer = String::new();
        BufReader::new(running.stdout.take().unwrap()).read_line(&mut answer).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), json!({"id": 1, "rejected": "too-large"}));
        if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", running.id())) {
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
            let kilobytes: usize = peak.trim().trim_end_matches("kB").trim().parse().unwrap();
            assert!(kilobytes < 64 * 1024, "{kilobytes} kB for a bomb of {SIZE} bytes");
        }
        drop(stdin);
        running.wait().unwrap();
    }
}

#[test]
fn one_value_on_the_command_line() {
    let key = ["--format", "django", "--key", "predictable-secret"];
    let done = run(&[&["value", "sign", "hello"], &key[..], &["--algorithm", "sha512"]].concat(), "");
    let signed = "hello:Usf3uVQOZ9m6uPfVonKR-EBXjPe7bjMbp3_Fq8MfsptgkkM1ojidN0BxYaT5HAEN1VzO9_jVu7R-VkqknHYNvw\n";
    assert_eq!((done.status, done.out.as_str()), (0, signed));
    let done = run(&[&["value", "unsign"], &key[..], &["--algorithm", "sha512"]].concat(), signed);
    assert_eq!((done.status, done.out.as_str()), (0, "hello\n"));
    let done = run(&[&["value", "unsign"], &key[..]].concat(), signed);
    assert_eq!((done.status, done.out.as_str()), (1, "rejected signature-mismatch: no key makes this signature\n"));
    let object = r#"{"a":[1.50,null]}"#;
    let signed = run(&[&["value", "dumps"], &key[..], &["--now", "100"]].concat(), object);
    let loads = [&["value", "loads", signed.out.trim_end()], &key[..], &["--max-age", "5"]].concat();
    let done = run(&[&loads[..], &["--now", "105"]].concat(), "");
    assert_eq!((done.status, done.out.trim_end()), (0, object));
    let done = run(&[&loads[..], &["--now", "106", "--json"]].concat(), "");
    assert_eq!((done.status, done.json()), (1, json!({"rejected": "expired"})));
    // An old key is told beside the result.
    let rotated = ["value", "loads", "--format", "django", "--key", "new", "--key", "predictable-secret"];
    let done = run(&rotated, &signed.out);
    assert_eq!((done.status, done.out.trim_end()), (0, object));
    assert!(done.err.starts_with("note: "), "{done:?}");
    for (arguments, status) in [
        (&["value", "sign", "v", "--format", "pickle", "--key", "k"][..], 2),
        (&["value", "sign", "v", "--format", "django"], 2),
        (&["value", "dumps", "{", "--format", "django", "--key", "k"], 2),
        (&["value", "unsign", "v", "--format", "django", "--key", "k", "--max-age", "1"], 2),
    ] {
        let done = run(arguments, "");
        assert_eq!(done.status, status, "{done:?}");
        assert!(done.err.starts_with("error: ") && done.out.is_empty(), "{done:?}");
    }
}

#[test]
fn a_link_is_made_and_checked() {
    let key = ["--key", "correct horse battery staple", "--now", "1714566896"];
    let url = "https://files.example.com/report.pdf?user=7";
    let make =
        [&["link", "make", url, "--expires-in", "60", "--uses", "1", "--free", "utm_source"], &key[..]].concat();
    let made = run(&make, "");
    let link = made.out.trim_end();
    assert!(made.status == 0 && link.starts_with(&format!("{url}&cs-link=")), "{made:?}");
    assert_ne!(run(&make, "").out, made.out, "each has a number of its own");
    let check = |link: &str, more: &[&str]| run(&[&["link", "check", link], &key[..], more].concat(), "");
    let done = check(link, &[]);
    assert!(done.status == 0 && done.out.starts_with("holds\n  until  2024-05-01T12:35:56Z\n  uses   1 in all"));
    assert_eq!(check(&format!("{link}&utm_source=mail#page"), &[]).status, 0);
    for (link, more, code) in [
        (link.replace("user=7", "user=8"), &[][..], "signature-mismatch"),
        (format!("{link}&more=1"), &[], "signature-mismatch"),
        (link.to_owned(), &["--method", "POST"], "bound-otherwise"),
        (url.to_owned(), &[], "malformed"),
    ] {
        let done = check(&link, &[more, &["--json"]].concat());
        assert_eq!((done.status, done.json()), (1, json!({"verdict": "rejected", "reason": code})), "{link}");
    }
    let late = ["link", "check", link, "--key", "correct horse battery staple", "--now", "1714566957"];
    assert!(run(&late, "").out.starts_with("rejected expired"));
    let short = run(&["link", "make", url, "--expires-in", "60", "--key", "short"], "");
    assert!(short.status == 2 && short.err.contains("shorter than 16 bytes"), "{short:?}");
    let relative = run(&[&["link", "make", "/a", "--expires-in", "60"], &key[..]].concat(), "");
    assert!(relative.status == 2 && relative.err.contains("no absolute URL"), "{relative:?}");
}

/// The lines that a vector makes: the operation that opens it, and what comes of that.
fn opening(case: &Value) -> Option<(Value, Value)> {
    let kind = case["kind"].as_str()?;
    let mut line = json!({"id": 0, "value": case["expected"], "now": case.get("time").cloned().unwrap_or(json!(0))});
    let format = match kind {
        "cookie-signature" => "express",
        "flask session" => "flask",
        "generate" => "rails",
        _ if case["key_derivation"].is_string() || kind.contains("Serializer") => "itsdangerous",
        _ => "django",
    };
    line["format"] = json!(format);
    let (op, opened) = if kind.contains("dumps") || matches!(kind, "flask session" | "generate") {
        ("loads", case["obj"].clone())
    } else {
        ("unsign", case["value"].clone())
    };
    line["op"] = json!(op);
    let url_safe = format == "itsdangerous" && kind.contains("dumps") && !kind.contains("URLSafe");
    if url_safe {
        line["url_safe"] = json!(false);
    }
    if kind.contains("Timed") || kind.contains("TimestampSigner") {
        line["timestamp"] = json!(true);
    }
    for (name, field) in [("key", "key"), ("secret", "key"), ("salt", "salt"), ("sep", "sep"), ("purpose", "purpose")]
    {
        if case[name].is_string() && !(format == "flask" && name == "salt") {
            line[field] = case[name].clone();
        }
    }
    for (name, field) in [("algorithm", "algorithm"), ("digest", "algorithm"), ("key_derivation", "key_derivation")] {
        if case[name].is_string() {
            line[field] = case[name].clone();
        }
    }
    Some((line, opened))
}

#[test]
fn the_frameworks_own_values_are_opened_and_made_again() {
    let Some(root) = vectors() else { return };
    let mut opened = 0;
    for file in ["django", "itsdangerous", "rails", "node-cookies"] {
        let whole = read_json(&root.join(format!("signed-values/{file}.json")));
        let kinds = [
            "Signer.sign",
            "TimestampSigner.sign",
            "signing.dumps",
            "Serializer.dumps",
            "URLSafeSerializer.dumps",
            "URLSafeTimedSerializer.dumps",
            "flask session",
            "generate",
            "cookie-signature",
        ];
        let wanted = |case: &&Value| kinds.contains(&case["kind"].as_str().unwrap()) && case["key_hex"].is_null();
        let cases: Vec<&Value> = whole["cases"].as_array().unwrap().iter().filter(wanted).collect();
        // Which signer it is shows in the file where it does not show in the case.
        let pairs: Vec<(Value, Value)> = cases
            .iter()
            .map(|case| {
                let (mut line, value) = opening(case).unwrap();
                if file == "itsdangerous" && line["format"] == "django" {
                    line["format"] = json!("itsdangerous");
                }
                (line, value)
            })
            .collect();
        let lines: Vec<Value> = pairs.iter().map(|(line, _)| line.clone()).collect();
        for ((line, value), answer) in pairs.iter().zip(answers(&lines)) {
            assert_eq!(answer, json!({"id": 0, "value": value, "needs_resign": false}), "{line}");
            opened += 1;
        }
        let again: Vec<Value> = pairs
            .iter()
            .map(|(line, value)| {
                let mut line = line.clone();
                line["op"] = json!(if line["op"] == "loads" { "dumps" } else { "sign" });
                line["value"] = value.clone();
                line
            })
            .collect();
        for (((line, _), case), answer) in pairs.iter().zip(&cases).zip(answers(&again)) {
            let compressed = line["value"].as_str().unwrap().starts_with('.') || case["compress"] == true;
            if !compressed && case["expires_at"].is_null() {
                assert_eq!(answer["value"], line["value"], "{line}");
            }
        }
    }
    assert_eq!(opened, 46 + 7 + 70 - 1 + 32 + 7 + 2 + 42 + 5 + 1 + 36 + 10);
}

//! What the proof and the pairs are worth: every pair that is shown does verify, no scheme whose base is called
//! injective has one, and the forgeries that are known of weak schemes were predicted.

#![expect(clippy::disallowed_methods, reason = "the crate does no I/O; its vectors lie in files")]

use countersign_core::key::{Key, KeySet};
use countersign_core::request::{RequestView, Transport};
use countersign_core::time::UnixTime;
use countersign_core::{Plan, Scheme, Verifier};
use countersign_schemes::lint::{self, Base, Collision, Held, Sent};
use countersign_schemes::{Catalogue, catalogue, load};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

fn scheme(name: &str) -> Scheme {
    load(name, catalogue::text(name).expect("a name of the catalogue"), &Catalogue).expect("a scheme")
}

/// The schemes of the catalogue and the fixtures of the rules.
fn schemes() -> Vec<(String, Scheme)> {
    let mut schemes: Vec<_> = catalogue::names().iter().map(|name| ((*name).to_owned(), scheme(name))).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint");
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in fs::read_dir(&root).expect("the fixtures").map(|entry| entry.expect("an entry").path()) {
        if folder.is_dir() {
            files.extend(fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()));
        }
    }
    files.sort();
    for path in files {
        let name = path.strip_prefix(&root).expect("below it").display().to_string();
        let text = fs::read_to_string(&path).expect("a fixture");
        schemes.push((name.clone(), load(&name, &text, &Catalogue).expect("a scheme")));
    }
    schemes
}

fn verifies(verifier: &Verifier, sent: &Sent, keys: &KeySet, now: UnixTime) -> bool {
    let asked = sent.answers.as_ref().map(|asked| seen(asked, None));
    verifier.explain(seen(sent, asked.as_ref()), keys, now).verdict.is_ok()
}

fn seen<'v>(sent: &'v Sent, answers: Option<&'v RequestView<'v>>) -> RequestView<'v> {
    let response = sent.status.is_some();
    RequestView {
        method: if response { "" } else { &sent.method },
        target: if response { b"" } else { &sent.target },
        authority: if response { "" } else { "api.example.com" },
        transport: Transport::Https,
        fields: &sent.fields,
        body: Some(sent.body.as_deref().unwrap_or_default()),
        peer: Some(&sent.peer),
        status: sent.status,
        trailers: None,
        answers,
    }
}

/// The key of each request, as whoever verifies has it: a public one where there is one.
fn keys(pair: &Collision, index: usize) -> KeySet {
    let key = match pair.key {
        Held::Pair { public, .. } => Key::public_pem(public).expect("a public key"),
        Held::Secret(secret) => Key::secret(secret.as_bytes()),
    };
    KeySet::new([Arc::new(key.with_id(&pair.key_ids[index]))])
}

#[test]
fn every_pair_that_is_shown_verifies() {
    let mut shown = 0;
    for (name, scheme) in schemes() {
        let plan = Plan::compile(&scheme);
        // SHA-1 of RSA is verified and never made, so those are shown with another digest.
        let made = !format!("{:?}", scheme.request.signature.primitive).contains("RsaPkcs1(Sha1)");
        let derived = format!("{:?}", scheme.request.signature.primitive).starts_with("Derived");
        for finding in lint::lint(&scheme) {
            let Some(pair) = finding.collision else { continue };
            let [one, other] = &pair.requests;
            assert_ne!(one, other, "{name}: {}", finding.rule.code);
            shown += 1;
            if !made || derived {
                continue;
            }
            let mut verifier = Verifier::new(Arc::clone(&plan));
            for (var, value) in &pair.vars {
                verifier = verifier.with_var(var, value);
            }
            for (index, sent) in pair.requests.iter().enumerate() {
                let holds = verifies(&verifier, sent, &keys(&pair, index), UnixTime::from_secs(pair.now));
                assert!(holds, "{name}: {}: request {index} of\n{}", finding.rule.code, pair.text());
            }
        }
    }
    assert!(shown > 120, "only {shown} pairs");
}

#[test]
fn what_is_said_to_be_confused_is_shown() {
    const CONFUSED: &[&str] = &["pairs-undelimited", "pairs-unescaped", "separator-in-value", "values-adjacent"];
    for (name, scheme) in schemes() {
        for finding in lint::lint(&scheme).iter().filter(|finding| CONFUSED.contains(&finding.rule.code)) {
            let shown = finding.collision.is_some();
            assert_eq!(shown, finding.severity > lint::Severity::Note, "{name}: {}", finding.message);
        }
    }
}

#[test]
fn a_pair_is_two_lines_for_programs() {
    let report = lint::report(&scheme("twilio-form"));
    let rows = lint::located(&report.findings, &[]);
    let row = rows.iter().find(|row| row.rule == "pairs-undelimited").expect("it is found");
    let row = serde_json::to_value(row).expect("JSON");
    let requests = row["collision"]["requests"].as_array().expect("two requests");
    assert_eq!(requests.len(), 2);
    for request in requests {
        for key in ["method", "url", "headers", "body", "key_id", "secret", "now"] {
            assert!(!request[key].is_null(), "{key}");
        }
    }
    assert_ne!(requests[0]["body"], requests[1]["body"]);
    assert!(report.findings.iter().any(|finding| {
        finding.collision.as_ref().is_some_and(|pair| pair.text().contains("  1 | POST /orders"))
    }));
}

#[test]
fn what_is_known_of_bases() {
    for name in
        ["aws-sigv4-s3", "countersign-v1", "kong-hmac-auth", "slack-v0", "spring-sign-hmac", "standard-webhooks"]
    {
        let Base::Injective(told) = lint::report(&scheme(name)).base else { panic!("{name}: not proven") };
        assert!(!told.is_empty(), "{name}");
    }
    for name in ["1worldsync", "alipay-rsa2", "coinbase-exchange", "spring-sign", "taobao-top-md5", "twilio-form"] {
        assert_eq!(lint::report(&scheme(name)).base, Base::Collides, "{name}");
    }
    let Base::Injective(told) = lint::report(&scheme("countersign-v1")).base else { panic!("not proven") };
    for part in ["method", "host", "target", "body", "key-id", "timestamp", "nonce"] {
        assert!(told.iter().any(|known| known == part), "{part}: {told:?}");
    }
}

/// Each forgery of vendors.json, by the vector it was made from, and the rule that says so of the scheme.
const PREDICTED: &[(&str, &str)] = &[
    ("akamai-edgegrid-post", "body-partly-covered"),
    ("aliyun-oss-v1-put", "query-partly-covered"),
    ("dingtalk-bot", "body-not-covered"),
    ("jeecg-sign", "time-not-covered"),
    ("satoken-sign", "empty-dropped"),
    ("taobao-top-md5", "pairs-undelimited"),
    ("tencent-tc3-post", "coverage-chosen-by-sender"),
    ("twilio-form", "pairs-undelimited"),
    ("wechatpay-v2-md5", "pairs-unescaped"),
];

/// Schemes that refuse the forgery, as they ask for more than the vendor's client signs.
const STRICTER: &[&str] = &["tencent-tc3-post"];

#[test]
fn each_forgery_was_predicted() {
    let folder = env::var("COUNTERSIGN_VECTORS").unwrap_or_else(|_| "../../../shared/vectors".to_owned());
    let Ok(text) = fs::read_to_string(Path::new(&folder).join("vendors.json")) else {
        return eprintln!("skipped: there is no vendors.json in {folder}");
    };
    let vendors: Value = serde_json::from_str(&text).expect("JSON");
    let collisions = vendors["collisions"].as_array().expect("a list");
    assert_eq!(collisions.len(), PREDICTED.len());
    for collision in collisions {
        let (base, name) =
            (collision["base"].as_str().expect("a name"), collision["scheme"].as_str().expect("a name"));
        let Some((_, rule)) = PREDICTED.iter().find(|(known, _)| *known == base) else { panic!("{base} is new") };
        assert!(lint::rule(rule).is_some(), "{rule}");
        let Some(text) = catalogue::text(name) else { continue };
        let found = lint::lint(&load(name, text, &Catalogue).expect("a scheme"));
        let predicted = found.iter().any(|finding| finding.rule.code == *rule);
        assert_ne!(predicted, STRICTER.contains(&base), "{base}: {rule}");
    }
}

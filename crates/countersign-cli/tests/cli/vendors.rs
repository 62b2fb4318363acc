//! Requests signed by the vendors' own libraries, and the vendors' own test cases: each verifies at its own time, and
//! none does once anything that counts was changed.

use crate::changes::{changes, flips, replaced};
use crate::suites::{self, Case};
use crate::support::{jsonl, vectors};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Panics unless every line is rejected, for whatever reason.
fn all_rejected(lines: &[Value], change: &str) {
    for (line, answer) in lines.iter().zip(jsonl("verify", lines)) {
        assert_eq!(answer["verdict"], "rejected", "{change}: {line}: {answer}");
    }
}

fn judged(cases: &[Case]) {
    let lines: Vec<Value> = cases.iter().map(|case| case.line.clone()).collect();
    let answers = jsonl("verify", &lines);
    let wrong = cases.iter().zip(&answers).filter_map(|(case, answer)| {
        let found = answer["reason"].as_str().or(answer["verdict"].as_str()).unwrap();
        (found != case.wanted).then(|| format!("{}: {} wanted: {answer}", case.line["id"], case.wanted))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_vendors_request_verifies_at_its_own_time() {
    let Some(cases) = suites::vendors() else { return };
    judged(&cases);
    assert_eq!(cases.len(), 53, "a scheme of vendors.json is missing");
}

#[test]
fn every_case_of_the_vendors_suites_is_judged_as_it_says() {
    let suites = [(suites::edgegrid(), 15), (suites::gcs(), 29), (suites::cavage(), 8), (suites::vendor_api(), 15)];
    for (cases, count) in suites {
        let Some(cases) = cases else { return };
        judged(&cases);
        assert_eq!(cases.len(), count, "{:?}", cases.iter().map(|case| &case.line["id"]).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_signed_is_what_the_suites_say() {
    let suites = [suites::vendors(), suites::edgegrid(), suites::gcs(), suites::cavage(), suites::vendor_api()];
    let Some(suites) = suites.into_iter().collect::<Option<Vec<_>>>() else { return };
    let mut lines = Vec::new();
    let mut bases = Vec::new();
    for case in suites.into_iter().flatten() {
        let told = ["verified", "key-unsuitable"].contains(&case.wanted);
        let Some(base) = case.base.filter(|_| told) else { continue };
        let mut line = case.line;
        if case.wanted == "key-unsuitable" {
            // Any key shows what is signed.
            line.as_object_mut().unwrap().remove("private_key");
            line["public_key"] = json!(include_str!("../../../../vectors/keys/rsa.pub.pem"));
        }
        lines.push(line);
        bases.push(base);
    }
    let wrong = lines.iter().zip(jsonl("explain", &lines)).zip(&bases).filter_map(|((line, explained), base)| {
        let stages = explained["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = stages.iter().find(|stage| stage["name"] == "signature-base").map(|stage| &stage["text"]);
        let same = found.is_some_and(|found| found == base.as_str());
        (!same).then(|| format!("{}:\n{}\nis not\n{base}", line["id"], found.unwrap_or(&Value::Null)))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(lines.len() >= 58, "{}", lines.len());
}

#[test]
fn none_verifies_with_another_secret_or_under_another_id() {
    let Some(lines) = suites::positive() else { return };
    let with = |name: &str, change: fn(&str) -> String| -> Vec<Value> {
        let mut changed = lines.clone();
        changed.retain(|line| line[name].is_string());
        for line in &mut changed {
            line[name] = json!(change(line[name].as_str().unwrap()));
        }
        changed
    };
    // In the middle, where it is neither a prefix nor padding of an encoded secret.
    let secrets = with("secret", |secret| {
        let at = secret.len() / 2;
        let other = if secret.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &secret[..at], &secret[at + 1..])
    });
    assert!(!secrets.is_empty());
    all_rejected(&secrets, "another secret");
    // Where the message says nothing of an id, the verifier's own is no part of it.
    let carried = with("key_id", |id| format!("{id}x"));
    let explained = jsonl("explain", &carried);
    let carried: Vec<Value> = carried
        .into_iter()
        .zip(explained)
        .filter(|(_, line)| value_of(line, "key-id").is_some())
        .map(|(line, _)| line)
        .collect();
    assert!(!carried.is_empty());
    all_rejected(&carried, "another key id");
}

/// What a capture holds, as an explanation shows it.
fn value_of<'a>(explained: &'a Value, name: &str) -> Option<&'a str> {
    let field = explained["fields"].as_array()?.iter().find(|field| field["name"] == name)?;
    field["value"].as_str()
}

#[test]
fn none_verifies_with_a_character_of_its_signature_changed() {
    let Some(lines) = suites::positive() else { return };
    let mut changed = Vec::new();
    for (line, answer) in lines.iter().zip(jsonl("explain", &lines)) {
        let claimed = answer["claimed_signature"].as_str().unwrap();
        let before = changed.len();
        for flipped in flips(claimed) {
            let places = replaced(line, claimed, &flipped);
            assert_eq!(places.len(), 1, "{claimed} stands in {} places of {line}", places.len());
            changed.extend(places);
        }
        assert!(changed.len() >= before + 7, "{claimed}");
    }
    all_rejected(&changed, "a changed signature");
}

#[test]
fn none_verifies_with_a_covered_part_changed() {
    let Some(lines) = suites::positive() else { return };
    // A capture's value may stand in several places: those count where the engine reads another value.
    let mut tried: Vec<(usize, String, Option<String>, Value)> = Vec::new();
    let mut parts = BTreeSet::new();
    let explained = jsonl("explain", &lines);
    for (index, (verified, explained)) in jsonl("verify", &lines).iter().zip(&explained).enumerate() {
        for part in verified["covered"].as_array().unwrap() {
            let part = part.as_str().unwrap();
            let captured = value_of(explained, part);
            let changed = changes(&lines[index], part, captured);
            assert!(changed.iter().all(|changed| *changed != lines[index]), "{part}");
            let own = |line| (index, part.to_owned(), captured.map(str::to_owned), line);
            tried.extend(changed.into_iter().map(own));
            parts.insert((index, part.to_owned()));
        }
    }
    let candidates: Vec<Value> = tried.iter().map(|(.., line)| line.clone()).collect();
    let mut changed = Vec::new();
    let mut met = BTreeSet::new();
    for ((index, part, captured, line), read) in tried.into_iter().zip(jsonl("explain", &candidates)) {
        if captured.is_none() || value_of(&read, &part) != captured.as_deref() {
            changed.push(line);
            met.insert((index, part));
        }
    }
    let missed: Vec<_> = parts.difference(&met).map(|(index, part)| format!("{part} of {}", lines[*index])).collect();
    assert!(missed.is_empty(), "no way to change {}", missed.join("\n"));
    all_rejected(&changed, "a covered part");
    let names: BTreeSet<&str> = parts.iter().map(|(_, part)| part.as_str()).collect();
    for part in ["method", "authority", "path", "query", "body", "timestamp", "nonce", "header date"] {
        assert!(names.contains(part), "no request covers {part}");
    }
}

/// Requests that were changed and verify all the same: what the linter says of these schemes, shown. They are here so
/// that a scheme which becomes stricter, or laxer, is noticed.
#[test]
fn the_known_collisions_of_weak_schemes_collide() {
    let Some(collisions) = suites::collisions() else { return };
    assert_eq!(collisions.len(), 9);
    for (base, mut line) in collisions {
        let refused = |line: &Value| jsonl("verify", std::slice::from_ref(line))[0]["reason"].clone();
        match base.as_str() {
            // As it is printed it is no XML, which SDKs that cut it up do not notice.
            "wechatpay-v2-md5" => {
                assert_eq!(refused(&line), "body-malformed");
                line["body"] = json!(line["body"].as_str().unwrap().replace("test&device", "test&amp;device"));
            }
            // The year 2033 is too far ahead for us. Any other time will do, as none is signed.
            "jeecg-sign" => {
                assert_eq!(refused(&line), "timestamp-future");
                let now = line["now"].as_i64().unwrap();
                let stamp =
                    line["headers"].as_array_mut().unwrap().iter_mut().find(|header| header[0] == "X-TIMESTAMP");
                stamp.unwrap()[1] = json!((now * 1000 + 299_999).to_string());
            }
            _ => {}
        }
        assert_eq!(jsonl("verify", &[line])[0]["verdict"], "verified", "{base}");
    }
}

/// A body of which only the beginning is signed: the first byte that is not may be anything.
#[test]
fn an_edgegrid_body_is_signed_up_to_its_limit() {
    if vectors().is_none() {
        return;
    }
    let Some(case) =
        suites::edgegrid().unwrap_or_default().into_iter().find(|case| case.line["id"] == "POST too large")
    else {
        return;
    };
    let limit = usize::try_from(case.line["vars"]["max-body"].as_u64().unwrap()).unwrap();
    let body = case.line["body"].as_str().unwrap();
    let with = |at: usize| {
        let mut changed = case.line.clone();
        changed["body"] = json!(format!("{}X{}", &body[..at], &body[at + 1..]));
        jsonl("verify", &[changed])[0]["verdict"].as_str().unwrap().to_owned()
    };
    assert!(body.len() > limit);
    assert_eq!((with(limit - 1), with(limit)), ("rejected".to_owned(), "verified".to_owned()));
}

//! What a signature covers, and what it does not: listed fields, digests of the body, the whole base and nothing less.

use crate::support::{Message, NONCE, NOW, Subject, catalogue_subjects, reason, sample};
use countersign_core::reject::Reason;
use countersign_core::{Freshness, Plan, Signer, UnixTime};
use countersign_schemes::{Catalogue, catalogue, load};
use std::sync::Arc;

#[test]
fn attack_10_coverage_is_what_the_message_lists() {
    let kong =
        Subject::reading("kong-as-shipped", "extends = \"kong-hmac-auth\"\n[require]\nsigned = false\n", &Catalogue);
    let covered = |signed: &str| {
        let message = kong.sign_with(&sample(&kong), &[("signed", signed)], NOW, NONCE).expect("signed");
        kong.verify(&message).expect("it holds").coverage
    };
    assert_eq!(covered("date").not_covered, ["method", "authority", "path", "query", "body"]);
    assert_eq!(covered("date digest").not_covered, ["method", "authority", "path", "query"]);
    assert_eq!(covered("date @request-target").not_covered, ["authority", "body"]);
    assert_eq!(covered("date host request-line").not_covered, ["body"]);
    assert!(covered("date x-other").covers("header x-other") && !covered("date").covers("header x-other"));
    // As the catalogue has it, none of that is enough.
    let strict = Subject::of("kong-hmac-auth");
    for thin in ["date", "date digest", "date @request-target", "@request-target digest"] {
        let signed = kong.sign_with(&sample(&kong), &[("signed", thin)], NOW, NONCE).expect("signed");
        assert_eq!(reason(&strict.verify(&signed)), Reason::CoverageTooThin, "{thin}");
        assert!(strict.sign_with(&sample(&strict), &[("signed", thin)], NOW, NONCE).is_err(), "{thin}");
    }
}

/// Every message that these tests verify is held against those before it; here is what has to differ, and what need not.
#[test]
fn attack_10_what_is_covered_hangs_on_what_is_there_and_on_what_is_listed() {
    let subject = Subject::of("aws-sigv4");
    let verified = |message: &Message| {
        let signed = subject.signed(message);
        subject.verify(&signed).expect("it holds");
        subject.bases()
    };
    let one = Message::new("GET", "/a?b=1");
    // The first one derives the key, and with it entries of `[let]` that nobody needs again.
    verified(&one);
    let before = verified(&one);
    let more = |message: &Message| verified(message) - before;
    assert_eq!(more(&Message::new("GET", "/c?d=2")), 0, "another request");
    assert_eq!(more(&one.clone().with_field("X-Amz-Meta-A", "1")), 1, "a name more");
    assert_eq!(more(&one.clone().with_field("X-Amz-Meta-B", "1")), 2, "another name");
    assert_eq!(more(&one.with_field("X-Amz-Meta-A", "2")), 2, "the same names");
}

/// What cuts, leaves out or stands in covers nothing: each base with a change of the message that it does not see.
#[test]
fn attack_10_what_is_not_seen_is_not_said_to_be_covered() {
    let message = || {
        Message::new("POST", "/pay/bob?a=1&b=&a=2")
            .with_field("X-Path", "/pay/bob")
            .with_field("X-One", "1")
            .with_body("{\"amount\":10,\"to\":\"bob\"}")
    };
    let target = |target: &str| Message { target: target.into(), ..message() };
    let body = |body: &str| message().with_body(body);
    let pairs = r#"each "{k}={v}" | join "&""#;
    for (base, part, changed) in [
        (format!("{{query | without b | {pairs}}}"), "query", target("/pay/bob?a=1&b=9&a=2")),
        (format!("{{query | only a | {pairs}}}"), "query", target("/pay/bob?a=1&a=2&c=3")),
        (format!("{{query | drop-empty | {pairs}}}"), "query", target("/pay/bob?a=1&a=2&c=")),
        (format!("{{query | first | {pairs}}}"), "query", target("/pay/bob?a=1&b=&a=3")),
        (format!("{{query | last | {pairs}}}"), "query", target("/pay/bob?a=7&b=&a=2")),
        (r#"{query | each "{k}" | join "&"}"#.into(), "query", target("/pay/bob?a=1&b=&a=3")),
        (r#"{query | each "{k}={v | len}" | join "&"}"#.into(), "query", target("/pay/bob?a=1&b=&a=3")),
        (r#"{query | each "{k}={v | slice 0 1}" | join "&"}"#.into(), "query", target("/pay/bob?a=11&b=&a=2")),
        ("{path | slice 0 4}".into(), "path", target("/pay/eve?a=1&b=&a=2")),
        ("{target | before \"?\"}".into(), "query", target("/pay/bob?a=3")),
        ("{path | after \"/pay\"}".into(), "path", target("/x/pay/bob?a=1&b=&a=2")),
        (r#"a[{path | when method "GET"}]"#.into(), "path", target("/pay/eve?a=1&b=&a=2")),
        (r#"{path | when method "GET" | unless path "/" | or "-"}"#.into(), "path", target("/pay/eve?a=1&b=&a=2")),
        (r#"{path | unless path "/" | when method "GET" | or "-"}"#.into(), "path", target("/pay/eve?a=1&b=&a=2")),
        (r#"{path | unless path "/pay/bob" "/pay/eve" | or "-"}"#.into(), "path", target("/pay/eve?a=1&b=&a=2")),
        ("{path | len}".into(), "path", target("/pay/eve?a=1&b=&a=2")),
        ("{header.x-path | or path}".into(), "path", target("/pay/eve?a=1&b=&a=2")),
        ("{path | when method \"GET\" | or \"-\"}".into(), "path", target("/pay/eve?a=1&b=&a=2")),
        ("[{header.x-two}{path}]".into(), "path", target("/pay/eve?a=1&b=&a=2")),
        ("[{path}{query.z}]".into(), "path", target("/pay/eve?a=1&b=&a=2")),
        ("{body | slice 0 8}".into(), "body", body("{\"amount\":99,\"to\":\"eve\"}")),
        ("{json.amount}".into(), "body", body("{\"amount\":10,\"to\":\"eve\"}")),
        (format!("{{json | only amount | {pairs}}}"), "body", body("{\"amount\":10,\"to\":\"eve\"}")),
        ("{hostname}".into(), "authority", Message { authority: "api.example.com:81".into(), ..message() }),
        ("{port}".into(), "authority", Message { authority: "other.example".into(), ..message() }),
    ] {
        let subject = of_base(&base);
        let signed = subject.signed(&message());
        let held = subject.verify(&signed).expect("it holds");
        let sign = signed.field("x-sign").expect("a signature").to_vec();
        let mut changed = changed;
        changed.fields.push(("X-Sign".to_owned(), sign));
        assert!(subject.verify(&changed).is_ok(), "{base} does not see it");
        assert!(held.coverage.not_covered.iter().any(|open| open == part), "{base}: {part}");
    }
    // And what is seen is said to be.
    for (base, part) in [
        ("{query | sort-kv | each \"{k}[={v}]\" | join \"&\"}", "query"),
        ("{query-raw | join \"&\"}", "query"),
        ("{form-raw | join \"&\"}", "body"),
        ("{header.x-none | or path}", "path"),
        ("{path | when method \"GET\" | or path}", "path"),
        ("{path | unless path \"/\" | or \"\"}", "path"),
        ("[{header.x-one}{path}]", "path"),
        ("[?{query-string}]", "query"),
        ("{body | sha256 | hex | slice 0 40}", "body"),
        ("{body | hmac-sha1 secret | b64}", "body"),
        ("{json | sort | each \"{k}={v}\" | join \"&\"}", "body"),
        ("{hostname}:{port}", "authority"),
        ("{url}", "authority"),
        ("{\"{method}\" | lower}", "method"),
    ] {
        let subject = of_base(base);
        let held = subject.verify(&subject.signed(&message())).expect("it holds");
        assert!(held.coverage.covers(part), "{base}: {:?}", held.coverage);
    }
}

fn of_base(base: &str) -> Subject {
    let text = format!(
        "[header]\nX-Sign = \"{{signature:hex}}\"\n[sign]\nbase = '-{base}-'\n\
         signature = \"{{base | hmac-sha256 secret | hex}}\"\n"
    );
    Subject::from("of-base", &text)
}

#[test]
fn attack_11_a_digest_is_signed_and_the_body_has_it() {
    let other = b"another payload of that length".to_vec();
    for (name, field, digest) in [
        ("kong-hmac-auth", "digest", "SHA-256={body | sha256 | b64}"),
        ("aws-sigv4-s3", "x-amz-content-sha256", "{body | sha256 | hex}"),
    ] {
        let subject = Subject::of(name);
        let signed = subject.signed(&sample(&subject));
        let mut body_only = signed.clone();
        body_only.body.clone_from(&other);
        assert_eq!(reason(&subject.verify(&body_only)), Reason::DigestMismatch, "{name}");
        let mut digest_only = signed.clone();
        digest_only.set_field(field, made(digest, &other));
        assert_eq!(reason(&subject.verify(&digest_only)), Reason::SignatureMismatch, "{name}");
        let both = Message { body: other.clone(), ..digest_only };
        assert_eq!(reason(&subject.verify(&both)), Reason::SignatureMismatch, "{name}");
        // The digest of the body is there twice, and the second one is right.
        let mut twice = signed.clone();
        twice.body.clone_from(&other);
        twice.fields.push((field.to_owned(), made(digest, &other)));
        assert_eq!(reason(&subject.verify(&twice)), Reason::FieldDuplicated, "{name}");
        let mut without = signed.clone();
        without.remove_field(field);
        assert!(subject.verify(&without).is_err(), "{name}");
    }
    let hawk = Subject::of("hawk");
    let signed = hawk.signed(&sample(&hawk));
    let mut changed = signed.clone();
    changed.body = other;
    assert_eq!(reason(&hawk.verify(&changed)), Reason::DigestMismatch);
    // Where Hawk's client sends no hash, coverage says so.
    let mut bare = sample(&hawk);
    bare.body = Vec::new();
    let bare = bare.view(false, |view| {
        let signer = Signer::new(Arc::clone(&hawk.plan));
        let fresh = Freshness { now: UnixTime::from_secs(NOW), nonce: Some(NONCE) };
        let edits = signer.sign(view, &hawk.key, &fresh).expect("signed");
        let mut signed = bare.clone();
        edits.apply(&mut signed.fields);
        signed
    });
    let held = hawk.verify(&bare).expect("it holds");
    assert!(held.coverage.not_covered.contains(&"body".to_owned()));
    assert_eq!(hawk.verify(&bare.with_body("anything")).map(|held| held.coverage), Ok(held.coverage));
}

/// What a scheme's expression makes of a body.
fn made(template: &str, body: &[u8]) -> Vec<u8> {
    let subject = of_base(template);
    let message = Message { body: body.to_vec(), ..Message::new("PUT", "/") };
    let base = subject.base(&subject.signed(&message)).expect("a base");
    base[1..base.len() - 1].to_vec()
}

#[test]
fn attack_11_an_unsigned_payload_is_said_to_be_unsigned() {
    let s3 = Subject::of("aws-sigv4-s3");
    let unsigned = s3.sign_with(&sample(&s3), &[("payload", "UNSIGNED-PAYLOAD")], NOW, NONCE).expect("signed");
    let held = s3.verify(&unsigned).expect("S3 takes that");
    assert_eq!(held.coverage.not_covered, ["body"]);
    let swapped = Message { body: b"anything else".to_vec(), ..unsigned.clone() };
    assert_eq!(s3.verify(&swapped).map(|held| held.coverage.not_covered), Ok(vec!["body".to_owned()]));
    let strict = Subject::from(
        "strict",
        "extends = \"aws-sigv4-s3\"\n[bind]\npayload = { value = \"{body-hash}\", or = [] }\n",
    );
    assert_eq!(reason(&strict.verify(&unsigned)), Reason::DigestMismatch);
    // Nobody else may say so, and nobody may say it afterwards.
    let aws = Subject::of("aws-sigv4");
    for value in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "", "-"] {
        let message = sample(&aws).with_field("X-Amz-Content-Sha256", value);
        assert!(aws.sign(&message).is_err(), "{value}");
        let loose = Subject::from("loose", "extends = \"aws-sigv4\"\n[bind]\nX-Amz-Content-Sha256 = false\n");
        let signed = loose.sign(&message).expect("its own scheme signs it");
        assert_eq!(reason(&aws.verify(&signed)), Reason::DigestMismatch, "{value}");
        let mut afterwards = s3.signed(&sample(&s3));
        afterwards.set_field("x-amz-content-sha256", value);
        assert!(s3.verify(&afterwards).is_err(), "{value}");
    }
}

/// A signature over less than the base is none: a line left out, one after the other, of every base that has lines.
#[test]
fn attack_14_only_the_whole_base_verifies() {
    let mut bases = 0;
    for subject in catalogue_subjects() {
        let text = catalogue::text(&subject.name).expect("there");
        let mut within = false;
        for (number, line) in text.lines().enumerate() {
            let opens = line.matches("'''").count() % 2 == 1;
            if within && !opens && line.contains('{') {
                let lines: Vec<&str> =
                    text.lines().enumerate().filter(|(at, _)| *at != number).map(|(_, l)| l).collect();
                let Ok(scheme) = load(&subject.name, &lines.join("\n"), &Catalogue) else { continue };
                let other = Subject { plan: Plan::compile(&scheme), ..Subject::of(&subject.name) };
                // Some lines are empty for this message: without them it is the same.
                if let Ok(signed) = other.sign(&sample(&subject))
                    && own_signature(&signed, &other) != own_signature(&subject.signed(&sample(&subject)), &subject)
                {
                    assert!(subject.verify(&signed).is_err(), "{} without {line}", subject.name);
                    bases += 1;
                }
            }
            within ^= opens;
        }
    }
    assert!(bases > 20, "{bases}");
}

fn own_signature(signed: &Message, subject: &Subject) -> Option<Vec<u8>> {
    subject.explain(signed).claimed_signature
}

/// `GoToSocial` once tried again without the query.
#[test]
fn attack_14_a_signature_over_the_path_is_none_over_the_query() {
    for name in [
        "countersign-v1",
        "hawk",
        "kong-hmac-auth",
        "aws-sigv4",
        "aws-sigv4-s3",
        "spring-sign-hmac",
        "spring-sign-rsa",
    ] {
        let subject = Subject::of(name);
        let message = Message { target: b"/v1/pay".to_vec(), ..sample(&subject) };
        let mut signed = subject.signed(&message);
        assert!(subject.verify(&signed).is_ok(), "{name}");
        for target in ["/v1/pay?a=1", "/v1/pay?a", "/v1/pay/?", "/v1/pay?=", "/v1/"] {
            signed.target = target.as_bytes().to_vec();
            assert!(subject.verify(&signed).is_err(), "{name}: {target}");
        }
    }
}

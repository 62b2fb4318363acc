//! Words that starters and gateways needed: what each refuses, and the one change without which it does not.

use crate::support::{Message, NONCE, NOW, SECRET, Subject, reason};
use countersign_core::SignError;
use countersign_core::key::Key;
use countersign_core::reject::Reason;
use countersign_schemes::{Catalogue, load};

/// A scheme whose base is `base`, with more sections before it.
fn subject(base: &str, more: &str) -> Subject {
    let text = format!(
        "[header]\nX-Sign = \"{{signature:hex}}\"\n{more}\n[sign]\nbase = '''{base}'''\n\
         signature = \"{{base | hmac-sha256 secret | hex}}\"\n"
    );
    Subject::from("words", &text)
}

fn faults(more: &str) -> String {
    let text = format!(
        "[header]\nX-Sign = \"{{signature:hex}}\"\nX-Tag = \"{{tag?}}\"\n[sign]\nbase = \"{{method}}\"\n\
         signature = \"{{base | hmac-sha256 secret | hex}}\"\n{more}"
    );
    load("fault.toml", &text, &Catalogue).expect_err("a fault").to_string()
}

// --- [require] covered ---

const DIGEST: &str = "X-Digest = \"{digest?}\"\n[let]\ndigest = \"{body | sha256 | hex}\"\n";

#[test]
fn a_body_that_has_to_be_covered_is_refused_where_it_is_not() {
    let subject = subject("{method}[\n{digest}]", &format!("{DIGEST}[require]\ncovered = \"body\""));
    let empty = Message::new("POST", "/");
    let full = Message::new("POST", "/").with_body("{}");
    assert!(matches!(subject.sign(&full), Err(SignError::Message(no)) if no.reason() == Reason::CoverageTooThin));
    let signed = subject.signed(&empty);
    assert!(subject.verify(&signed).is_ok());
    let added = signed.with_body("{}");
    assert_eq!(reason(&subject.verify(&added)), Reason::CoverageTooThin);
    // It is the same however the body comes.
    assert_eq!(reason(&subject.verify_streamed(&added, &[1])), Reason::CoverageTooThin);
    assert_eq!(reason(&subject.verify_streamed(&added, &[])), Reason::CoverageTooThin);
}

#[test]
fn a_body_is_covered_by_its_digest() {
    let text = format!("{DIGEST}[require]\ncovered = \"method body\"");
    let subject = subject("{method}[\n{digest}]", &text);
    let stated = Message::new("POST", "/")
        .with_body("{}")
        .with_field("X-Digest", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    let signed = subject.signed(&stated);
    assert!(subject.verify(&signed).is_ok());
    assert!(subject.verify_streamed(&signed, &[1]).is_ok());
    assert_eq!(reason(&subject.verify(&signed.with_body("{ }"))), Reason::DigestMismatch);
}

#[test]
fn a_capture_that_has_to_be_covered_may_be_absent_but_not_open() {
    let names = "X-Signed = \"{signed:names}\"\nX-Until = \"{until:unix?}\"\n[require]\ncovered = \"until\"";
    let subject =
        subject("{headers | with \"until\" \"{until}\" | pick signed | each \"{k}: {v}\" | join \"\\n\"}", names);
    let plain = Message::new("GET", "/");
    let until = (NOW + 60).to_string();
    let with = |signed: &str, message: &Message| subject.sign_with(message, &[("signed", signed)], NOW, NONCE);
    assert!(with("host", &plain).is_ok());
    let limited = plain.with_field("X-Until", &until);
    assert!(matches!(with("host", &limited), Err(SignError::Message(no)) if no.reason() == Reason::CoverageTooThin));
    let signed = with("host;until", &limited).expect("signed");
    assert!(subject.verify(&signed).is_ok());
}

#[test]
fn what_has_to_be_covered_has_to_exist() {
    assert!(
        faults("[require]\ncovered = \"cookies\"").contains("`cookies` is neither a part of a message nor captured")
    );
}

// --- query-form, query-json ---

#[test]
fn a_body_is_a_form_if_its_media_type_says_so() {
    let subject = subject("{query-form | each \"{k}={v}\" | join \"&\"}", "");
    let base = |kind: &[&str]| {
        let message = Message::new("POST", "/?q=1").with_body("a=1+2");
        let message = kind.iter().fold(message, |message, kind| message.with_field("Content-Type", kind));
        subject.sign(&message).map(|signed| String::from_utf8(subject.base(&signed).unwrap()).unwrap())
    };
    for kind in ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; charset=utf-8"] {
        assert_eq!(base(&[kind]).unwrap(), "q=1&a=1 2", "{kind}");
    }
    for kind in [&[][..], &["text/plain"], &["application/x-www-form-urlencoded2"], &["application/json; a=b"]] {
        assert_eq!(base(kind).unwrap(), "q=1", "{kind:?}");
    }
    let two = base(&["text/plain", "application/x-www-form-urlencoded"]);
    assert!(matches!(two, Err(SignError::Message(no)) if no.reason() == Reason::FieldDuplicated));
}

#[test]
fn a_body_that_is_no_form_is_not_decoded() {
    let subject = subject("{query-form | each \"{k}={v}\" | join \"&\"}", "");
    let message = Message::new("POST", "/?q=1").with_body("100%").with_field("Content-Type", "text/plain");
    assert!(subject.sign(&message).is_ok());
    let form =
        Message::new("POST", "/").with_body("100%").with_field("Content-Type", "application/x-www-form-urlencoded");
    assert!(matches!(subject.sign(&form), Err(SignError::Message(no)) if no.reason() == Reason::BodyMalformed));
}

#[test]
fn members_follow_the_parameters() {
    let base = |list: &str, target: &str, body: &str| {
        let subject = subject(&format!("{{{list} | each \"{{k}}={{v}}\" | join \"&\"}}"), "");
        subject
            .sign(&Message::new("POST", target).with_body(body))
            .map(|signed| String::from_utf8(subject.base(&signed).unwrap()).unwrap())
    };
    assert_eq!(base("query-json", "/?a=%41+b", "{\"c\":1}").unwrap(), "a=A b&c=1");
    assert_eq!(base("query-raw-json", "/?a=%41+b", "{\"c\":1}").unwrap(), "a=%41+b&c=1");
    assert_eq!(base("query-json", "/?a=1", "").unwrap(), "a=1");
    for body in ["[]", "a=1", "{\"a\":1,\"a\":2}", " "] {
        let refused = base("query-json", "/", body);
        assert!(matches!(refused, Err(SignError::Message(no)) if no.reason() == Reason::BodyMalformed), "{body}");
    }
}

// --- digest-name ---

#[test]
fn an_algorithm_that_the_request_states_has_to_be_the_keys() {
    let text = "[key]\nalgorithms = [\"hmac-sha256\", \"hmac-sha1\"]\n[header]\nX-Alg = \"{alg:token}\"\nX-Sign = \"{signature:hex}\"\n\
         [let]\nalg = \"hmac-{digest-name}\"\n[sign]\nbase = \"{method}\"\nsignature = \"{base | hmac secret | hex}\"\n";
    let subject = Subject::from("stated", text);
    let signed = subject.signed(&Message::new("GET", "/"));
    assert_eq!(signed.field("x-alg"), Some(&b"hmac-sha256"[..]));
    let mut stated = signed.clone();
    stated.set_field("x-alg", "hmac-sha1");
    assert_eq!(reason(&subject.verify(&stated)), Reason::ValueDisagrees);
    let weaker = subject.with_key(crate::keys::named(Key::secret(SECRET.as_bytes()), "hmac-sha1"));
    let other = weaker.signed(&Message::new("GET", "/"));
    assert_eq!(other.field("x-alg"), Some(&b"hmac-sha1"[..]));
    assert!(weaker.verify(&other).is_ok());
    assert_eq!(reason(&subject.verify(&other)), Reason::SignatureMismatch);
    assert_eq!(reason(&weaker.verify(&signed)), Reason::SignatureMismatch);
}

// --- names-any ---

#[test]
fn names_of_any_case_are_found_and_signed_as_they_are_listed() {
    let subject = subject(
        "{headers | pick signed | each \"{k}:{v}\\n\" | join \"\"}",
        "X-Signed = \"{signed:names-any}\"\n[require]\nsigned = \"host\"",
    );
    let message = Message::new("GET", "/").with_field("X-Tag", "a");
    let with = |signed: &str| subject.sign_with(&message, &[("signed", signed)], NOW, NONCE);
    let signed = with("HOST;x-TAG").expect("signed");
    assert_eq!(subject.base(&signed).unwrap(), b"HOST:api.example.com\nx-TAG:a\n");
    let mut relabelled = signed.clone();
    relabelled.set_field("x-signed", "host;x-tag");
    assert_eq!(reason(&subject.verify(&relabelled)), Reason::SignatureMismatch);
    for twice in ["Host;host", "host;X-Tag;x-tag"] {
        assert!(
            matches!(with(twice), Err(SignError::Message(no)) if no.reason() == Reason::FieldDuplicated),
            "{twice}"
        );
    }
    assert!(matches!(with("X-Tag"), Err(SignError::Message(no)) if no.reason() == Reason::CoverageTooThin));
}

// --- [json] in ---

const TOKEN: &str = "[header]\nX-Token = \"{token:b64}.{signature:hex}\"\n[json]\nwho = { text = \"{who:word}\", in = \"token\" }\n\
     when = { text = \"{timestamp:unix}\", in = \"token\" }\n[sign]\nbase = \"{token}.{method}\"\n\
     signature = \"{base | hmac-sha256 secret | hex}\"\n[fresh]\ntimestamp = \"5m\"\n";

#[test]
fn members_of_an_encoded_object_are_captured() {
    let subject = Subject::from("token", TOKEN);
    let signed = subject.sign_with(&Message::new("GET", "/"), &[("who", "alice")], NOW, NONCE).expect("signed");
    let token = String::from_utf8(signed.field("x-token").unwrap().to_vec()).unwrap();
    // {"who":"alice","when":"1760000000"}
    assert!(token.starts_with("eyJ3aG8iOiJhbGljZSIsIndoZW4iOiIxNzYwMDAwMDAwIn0=."), "{token}");
    let verified = subject.verify(&signed).expect("it holds");
    assert_eq!(verified.capture("who"), Some(&b"alice"[..]));
    let sent = |object: &str| {
        let mut message = signed.clone();
        message.set_field("x-token", format!("{object}.{}", "0".repeat(64)));
        reason(&subject.verify(&message))
    };
    // {"who":"alice"} and the same twice, [1], and what is no base64.
    assert_eq!(sent("eyJ3aG8iOiJhbGljZSJ9"), Reason::FieldMissing);
    assert_eq!(sent("eyJ3aG8iOiJhbGljZSIsIndobyI6ImJvYiJ9"), Reason::CredentialMalformed);
    assert_eq!(sent("WzFd"), Reason::CredentialMalformed);
    assert_eq!(sent("WzF"), Reason::CredentialMalformed);
}

#[test]
fn a_body_that_is_json_has_nothing_to_do_with_it() {
    let subject = Subject::from("token", TOKEN);
    let message = Message::new("POST", "/").with_body("{\"who\":\"bob\",\"when\":\"1\"}");
    let signed = subject.sign_with(&message, &[("who", "alice")], NOW, NONCE).expect("signed");
    assert_eq!(signed.body, message.body);
    assert_eq!(subject.verify(&signed).expect("it holds").capture("who"), Some(&b"alice"[..]));
}

#[test]
fn an_object_is_read_in_a_capture_that_encodes_one() {
    for more in [
        "[json]\na = { text = \"{a}\", in = \"tag\" }",
        "[json]\na = { text = \"{a}\", in = \"none\" }",
        "[query]\na = { text = \"{a}\", in = \"tag\" }",
    ] {
        assert!(faults(more).contains("no JSON object can be read in"), "{more}");
    }
}

// --- pct behind a signature ---

#[test]
fn an_encoded_signature_has_one_spelling() {
    let text = "[header]\nX-Sign = \"{signature:quotable}\"\n[sign]\nbase = \"{method}\"\n\
         signature = \"{base | ed25519 private_key | b64 | pct}\"\n";
    let subject = Subject::from("encoded", text);
    let signed = subject.signed(&Message::new("GET", "/"));
    let sign = String::from_utf8(signed.field("x-sign").unwrap().to_vec()).unwrap();
    assert!(sign.ends_with("%3D%3D") && subject.verify(&signed).is_ok());
    for other in
        [sign.replace("%3D", "%3d"), sign.replace("%3D", "="), format!("%{:02X}{}", sign.as_bytes()[0], &sign[1..])]
    {
        let mut changed = signed.clone();
        changed.set_field("x-sign", other.clone());
        assert_eq!(reason(&subject.verify(&changed)), Reason::SignatureMismatch, "{other}");
    }
}

// --- java-map, fastjson ---

#[test]
fn what_java_would_print_in_several_ways_is_refused() {
    let base = |filter: &str, target: &str, body: &str| {
        let subject = subject(&format!("{{query-json | {filter}}}"), "");
        match subject.sign(&Message::new("POST", target).with_body(body)) {
            Ok(signed) => Ok(String::from_utf8(subject.base(&signed).unwrap()).unwrap()),
            Err(SignError::Message(no)) => Err(no.reason()),
            Err(other) => panic!("{other}"),
        }
    };
    let map = "java-map | each \"{k}{v}\" | join \"\"";
    assert_eq!(
        base(map, "/?b=2", r#"{"a":{"x":[1,null]},"\uff61":"","😀":1}"#).as_deref(),
        Ok("a{x=[1, null]}b2😀1\u{ff61}")
    );
    assert_eq!(
        base("fastjson", "/?b=2&%20=\"", r#"{"a":1.5,"c":true}"#).as_deref(),
        Ok(r#"{" ":"\"","a":"1.5","b":"2","c":"true"}"#)
    );
    assert_eq!(base("fastjson", "/", "").as_deref(), Ok("{}"));
    for filter in [map, "fastjson"] {
        for (target, body) in [("/?a=1&a=2", ""), ("/?a=1", "{\"a\":1}")] {
            assert_eq!(base(filter, target, body), Err(Reason::FieldDuplicated), "{filter} {target} {body}");
        }
        for (target, body) in
            [("/?a", ""), ("/?a=%ff", ""), ("/?%ff=a", ""), ("/", "{\"a\":-0}"), ("/", "{\"a\":1e2}")]
        {
            assert_eq!(base(filter, target, body), Err(Reason::BodyMalformed), "{filter} {target} {body}");
        }
    }
    for body in ["{\"a\":{}}", "{\"a\":null}", "{\"a\":1.0}", "{\"a\":\"\\u007f\"}"] {
        assert_eq!(base("fastjson", "/", body), Err(Reason::BodyMalformed), "{body}");
    }
    assert_eq!(base(map, "/", "{\"a\":1.5}"), Err(Reason::BodyMalformed));
}

//! Signature bases that two messages could share: what runs into its neighbour, and where the files admit it.

use crate::support::{CLIENT, Held, Message, NONCE, NOW, Subject, catalogue_subjects, sample};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::collections::HashMap;

/// Values that hold what other values and separators are made of.
const NEAR: &[&str] =
    &["a", "b", "ab", "a=b", "a&b", "a\tb", "content-type:a", "1760000000", "00", "countersign-v1", "é"];

/// Messages so much alike that a base which lets one value run into the next would make two of them one.
fn alike() -> impl Strategy<Value = (Message, String, String)> {
    let method = select(&["GET", "GETA", "A", "POST"][..]);
    let host = select(&["a", "ab", "GET", "a:1", "1"][..]);
    let target = select(
        &["/", "/a", "/?a", "/?a=b", "/?a&b", "/a?b", "/?a=%26b", "/?a=&b=", "/?ab=", "/?a=b&a", "/?b&a=b"][..],
    );
    let kind = prop::option::of(select(NEAR));
    let nonces = &["a-nonce-of-16-ch", "a-nonce-of-16-c1", "760000000a-nonce-of", "a-nonce-of-16-ch1"][..];
    (method, host, target, kind, select(&["", "a", "b", "ab"][..]), select(NEAR), select(nonces)).prop_map(
        |(method, host, target, kind, body, id, nonce)| {
            let mut message = Message::new(method, target).with_body(body);
            message.authority = host.to_owned();
            message.fields.extend(kind.map(|kind| ("Content-Type".to_owned(), kind.into())));
            (message, id.to_owned(), nonce.to_owned())
        },
    )
}

/// Pairs of messages with one base and different covered parts.
fn collisions(name: &str, count: usize) -> (usize, Vec<String>) {
    let subject = Subject::of(name);
    let mut runner = TestRunner::deterministic();
    let mut bases: HashMap<Vec<u8>, String> = HashMap::new();
    let (mut made, mut found) = (0_usize, Vec::new());
    while made < count {
        let (message, id, nonce) = alike().new_tree(&mut runner).expect("a message").current();
        let subject = subject.with_key(subject.key.clone().with_id(id));
        let Ok(signed) = subject.sign_with(&message, &[], NOW, &nonce) else { continue };
        made += 1;
        let held = subject.verify(&signed).expect("what is signed verifies");
        let meant = meaning(name, &signed, &held);
        match bases.insert(subject.base(&signed).expect("a base"), meant.clone()) {
            Some(other) if other != meant => found.push(format!("{other}\n{meant}")),
            _ => {}
        }
    }
    (bases.len() * (bases.len() - 1) / 2, found)
}

fn meaning(name: &str, signed: &Message, held: &Held) -> String {
    let part = |part: &String| (part.clone(), crate::meaning::of(name, part, signed, held));
    format!("{:?}", held.coverage.covered.iter().map(part).collect::<Vec<_>>())
}

#[test]
fn attack_07_sound_bases_are_injective() {
    for name in ["countersign-v1", "spring-sign-hmac", "aws-sigv4", "hawk"] {
        let (pairs, found) = collisions(name, 900);
        assert!(found.is_empty(), "{name}: {}", found.join("\n\n"));
        assert!(pairs > 100_000, "{name}: {pairs}");
    }
}

/// The same search where there is something to be found, and where the files say so.
#[test]
fn attack_07_the_search_finds_what_unsound_bases_confuse() {
    let confused = |name: &str, a: &str, b: &str| {
        let subject = Subject::of(name);
        let base = |target: &str| {
            let signed = subject.signed(&Message::new("GET", target));
            String::from_utf8(subject.base(&signed).expect("a base")).expect("text")
        };
        base(a) == base(b)
    };
    for name in ["1worldsync", "1worldsync-content1", "spring-sign"] {
        assert!(confused(name, "/?a=1%26b=2", "/?a=1&b=2"), "{name}");
    }
    for name in ["spring-sign-hmac", "aws-sigv4", "countersign-v1", "hawk", "kong-hmac-auth"] {
        assert!(!confused(name, "/?a=1%26b=2", "/?a=1&b=2"), "{name}");
    }
    let text = "[header]\nX-A = \"{a?}\"\nX-B = \"{b?}\"\nX-Sign = \"{signature:hex}\"\n[sign]\n\
                base = \"[{a}][{b}]\"\nsignature = \"{base | hmac-sha256 secret | hex}\"\n";
    let subject = Subject::from("flickr", text);
    let base = |a: &str, b: &str| {
        let message = Message::new("GET", "/").with_field("X-A", a).with_field("X-B", b);
        subject.base(&subject.signed(&message))
    };
    assert_eq!(base("foo", "bar"), base("foob", "ar"));
}

/// A key id with a line feed in it could pass for two lines of a base.
#[test]
fn attack_07_no_carrier_holds_a_line_feed() {
    for subject in catalogue_subjects() {
        let names_key = subject.plan.scheme().request.fields.iter().any(|field| field.name == "key-id");
        let id = format!("{CLIENT}\n{NOW}");
        let forged = subject.with_key(subject.key.clone().with_id(id)).sign(&sample(&subject));
        assert_eq!(forged.is_err(), names_key, "{}", subject.name);
        if subject.plan.captures_nonce() {
            let forged = subject.sign_with(&sample(&subject), &[], NOW, &format!("{NONCE}\n0"));
            assert!(forged.is_err(), "{}", subject.name);
        }
    }
}

//! One change at a time: to each covered component, to each parameter, to each bit of the signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_core::Key;

use crate::support::{Message, NOW, sign_by, strict, verify_by};

fn message() -> Message {
    Message::request("PUT", "/a/b?x=1&y=2")
        .with("Content-Type", "text/plain")
        .with("X-List", "a=1, b=2;x")
        .with("X-Twice", "one")
        .with("X-Twice", "two")
        .with_body("the body")
}

const COMPONENTS: &str = "@method @target-uri @authority @scheme @request-target @path @query \
                          \"@query-param\";name=\"x\" content-type x-list;key=\"b\" x-twice;bs content-digest";

pub(crate) fn keys() -> Vec<(&'static str, Key, Key)> {
    macro_rules! pair {
        ($algorithm:literal, $name:literal) => {
            (
                $algorithm,
                Key::private_pem(include_str!(concat!("../../../../vectors/keys/", $name, ".pem"))).expect("a key"),
                Key::public_pem(include_str!(concat!("../../../../vectors/keys/", $name, ".pub.pem")))
                    .expect("a key"),
            )
        };
    }
    let secret = || Key::secret(crate::support::SECRET.as_bytes());
    let all = [
        ("hmac-sha256", secret(), secret()),
        pair!("ed25519", "ed25519"),
        pair!("ecdsa-p256-sha256", "p256"),
        pair!("ecdsa-p384-sha384", "p384"),
        pair!("rsa-pss-sha512", "rsa"),
        pair!("rsa-v1_5-sha256", "rsa"),
    ];
    let named = |(algorithm, private, public): (&'static str, Key, Key)| {
        let name = |mut key: Key| {
            key.algorithm = Some(algorithm.to_owned());
            key.with_id("alice")
        };
        (algorithm, name(private), name(public))
    };
    all.map(named).into()
}

/// What a message can be changed to, with what the change is called.
fn changes(signed: &Message) -> Vec<(String, Message)> {
    let mut changes: Vec<(String, Message)> = Vec::new();
    let mut add = |name: &str, change: &dyn Fn(&mut Message)| {
        let mut message = signed.clone();
        change(&mut message);
        changes.push((name.to_owned(), message));
    };
    add("method", &|message| "POST".clone_into(&mut message.method));
    add("method's case", &|message| "Put".clone_into(&mut message.method));
    add("path", &|message| "/a/c?x=1&y=2".clone_into(&mut message.target));
    add("path's encoding", &|message| "/%61/b?x=1&y=2".clone_into(&mut message.target));
    add("query", &|message| "/a/b?x=1&y=3".clone_into(&mut message.target));
    add("order of the query", &|message| "/a/b?y=2&x=1".clone_into(&mut message.target));
    add("query's end", &|message| "/a/b?x=1&y=2&".clone_into(&mut message.target));
    add("parameter", &|message| "/a/b?x=2&y=2".clone_into(&mut message.target));
    add("authority", &|message| "example.org".clone_into(&mut message.authority));
    add("port", &|message| "example.com:8443".clone_into(&mut message.authority));
    add("scheme", &|message| message.transport = countersign_core::Transport::Http);
    add("body", &|message| message.body.push(b'!'));
    for (name, value) in [
        ("content-type", "text/html"),
        ("content-type", "text/plain, text/html"),
        ("x-list", "a=1, b=3;x"),
        ("x-list", "a=1, b=2;y"),
        ("x-list", "a=1"),
        ("x-twice", "other"),
        ("content-digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"),
    ] {
        add(&format!("{name}: {value}"), &|message| *message = message.clone().replacing(name, value));
    }
    add("a line less", &|message| *message = message.clone().without("x-twice"));
    add("lines swapped", &|message| message.fields.swap(2, 3));
    add("lines joined", &|message| {
        *message = message.clone().without("x-twice").with("X-Twice", "one, two");
    });
    let input = signed.value("signature-input");
    for (from, to) in [
        ("created=1714566896", "created=1714566897"),
        (";nonce=\"n-", ";nonce=\"m-"),
        ("keyid=\"alice\"", "keyid=\"alicf\""),
        ("\"@method\" ", ""),
        ("\"@path\" \"@query\"", "\"@query\" \"@path\""),
        (";created", ";tag=\"x\";created"),
        (";created", ";unknown;created"),
        ("\"x-twice\";bs", "\"x-twice\""),
    ] {
        assert!(input.contains(from), "{from} is not in {input}");
        let changed = input.replacen(from, to, 1);
        add(&format!("{from} -> {to}"), &|message| *message = message.clone().replacing("signature-input", &changed));
    }
    changes
}

#[test]
fn no_changed_message_verifies() {
    let plan = strict();
    let mut count = 0;
    for (algorithm, private, public) in keys() {
        let vars = [("components", COMPONENTS), ("alg", algorithm)];
        let signer = vars
            .iter()
            .fold(countersign_core::Signer::new(strict()), |signer, (name, value)| signer.with_var(name, value));
        let fresh = countersign_core::Freshness {
            now: countersign_core::UnixTime::from_secs(NOW),
            nonce: Some("n-0123456789abcdef"),
        };
        let signed = message().seen(|view| signer.sign(view, &private, &fresh)).expect("it is signed");
        let signed = message().signed_with(&signed);
        verify_by(&plan, &[], &signed, public.clone(), NOW)
            .unwrap_or_else(|rejection| panic!("{algorithm}: {rejection:?}"));
        for (name, changed) in changes(&signed) {
            let outcome = verify_by(&plan, &[], &changed, public.clone(), NOW);
            assert!(outcome.is_err(), "{algorithm}, {name}");
            count += 1;
        }
        let field = signed.value("signature");
        let text = field.strip_prefix("sig1=:").and_then(|rest| rest.strip_suffix(':')).expect("a signature");
        let raw = STANDARD.decode(text).expect("base64");
        // Of the longer ones a bit of each byte will do.
        for bit in (0..raw.len() * 8).filter(|bit| raw.len() <= 64 || bit % 8 == bit / 8 % 8) {
            let mut flipped = raw.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let changed = signed.clone().replacing("signature", &format!("sig1=:{}:", STANDARD.encode(&flipped)));
            assert!(verify_by(&plan, &[], &changed, public.clone(), NOW).is_err(), "{algorithm}, bit {bit}");
            count += 1;
        }
        // Security 2: no prefix, no extension, and not nothing.
        for length in (0..raw.len()).step_by(raw.len() / 8) {
            let short = format!("sig1=:{}:", STANDARD.encode(&raw[..length]));
            let changed = signed.clone().replacing("signature", &short);
            assert!(verify_by(&plan, &[], &changed, public.clone(), NOW).is_err(), "{algorithm}, {length} bytes");
        }
        let longer = format!("sig1=:{}:", STANDARD.encode([raw.as_slice(), &[0]].concat()));
        assert!(verify_by(&plan, &[], &signed.replacing("signature", &longer), public, NOW).is_err());
    }
    assert!(count > 2000, "{count} changes");
}

/// Another key never holds, of whatever kind it is.
#[test]
fn no_other_key_verifies() {
    let plan = strict();
    for (algorithm, private, _) in keys() {
        let signed = sign_by(&plan, &[], &message(), &private).expect("it is signed");
        for (other, _, public) in keys() {
            let outcome = verify_by(&plan, &[], &signed, public, NOW);
            assert_eq!(outcome.is_ok(), other == algorithm, "{algorithm} by {other}");
        }
        let stranger = Key::secret(*b"another secret of some length").with_id("alice");
        assert!(verify_by(&plan, &[], &signed, stranger, NOW).is_err());
    }
}

//! Nothing panics: neither on any message, under any scheme, nor on any text that pretends to be a scheme.

use crate::generate::{cases, cuts, message, pairs, text};
use crate::support::{KITCHEN, Message, NOW, Subject, all_subjects, sample};
use countersign_core::Plan;
use countersign_core::key::KeySet;
use countersign_core::request::Transport;
use countersign_core::scheme::draft::Place;
use countersign_core::time::UnixTime;
use countersign_schemes::{Catalogue, catalogue, load};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{TestCaseError, TestRunner};

/// Everything that can be done with a message.
fn judge(subject: &Subject, message: &Message, cuts: &[usize], now: i64) {
    let _ = subject.verify_at(message, &subject.keys, UnixTime::from_millis(now));
    let _ = subject.verify_at(message, &KeySet::default(), UnixTime::from_secs(NOW));
    let _ = subject.verify_streamed(message, cuts);
    let _ = subject.explain(message);
    let _ = subject.sign(message);
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..most)
}

/// A message of arbitrary bytes, with the names that the scheme looks for.
fn arbitrary(subject: &Subject) -> impl Strategy<Value = Message> + use<> {
    let scheme = subject.plan.scheme();
    let mut names: Vec<String> = ["Host", "Cookie", "Content-Type", "", "X"].map(str::to_owned).into();
    let mut parameters = vec!["a=1".to_owned()];
    for carrier in &scheme.request.carriers {
        match carrier.place {
            Place::Header => names.push(carrier.written.clone()),
            Place::Query | Place::Form | Place::Cookie => parameters.push(format!("{}=", carrier.written)),
            _ => {}
        }
    }
    let fields = vec((prop_oneof![4 => select(names), 1 => any::<String>()], bytes(40)), 0..6);
    let query = (select(parameters), bytes(30)).prop_map(|(name, value)| [name.into_bytes(), value].concat());
    let target = (bytes(20), vec(query, 0..3), any::<bool>()).prop_map(|(path, query, begins)| {
        let path = if begins { [b"/", path.as_slice()].concat() } else { path };
        [path, query.join(&b'&')].join(&b'?')
    });
    let odd = (any::<String>(), any::<String>(), any::<Option<String>>(), any::<Option<u16>>());
    let known = Just(("POST".to_owned(), "api.example.com".to_owned(), None, None));
    (target, fields, bytes(300), prop_oneof![3 => known, 1 => odd]).prop_map(
        |(target, fields, body, (method, authority, peer, status))| Message {
            method,
            target,
            authority,
            transport: Transport::Http,
            fields,
            body,
            peer,
            status,
            answers: status.map(|_| Box::new(Message::new("GET", "/"))),
        },
    )
}

#[test]
fn arbitrary_bytes_are_judged() {
    for subject in all_subjects() {
        let input = (arbitrary(&subject), cuts(), any::<i64>());
        let result = TestRunner::new(cases(40)).run(&input, |(message, cuts, now)| {
            judge(&subject, &message, &cuts, now);
            Ok(())
        });
        assert!(result.is_ok(), "{}: {result:?}", subject.name);
    }
}

/// Carriers that are nearly what they should be: each of a signed message, taken apart.
#[test]
fn torn_carriers_are_judged() {
    for subject in all_subjects() {
        let signed = subject.signed(&sample(&subject));
        let edits = vec((any::<Index>(), any::<Index>(), text()), 1..4);
        let result = TestRunner::new(cases(60)).run(&(edits, cuts()), |(edits, cuts)| {
            let mut torn = signed.clone();
            for (part, place, text) in edits {
                let mut parts: Vec<&mut Vec<u8>> = vec![&mut torn.target, &mut torn.body];
                parts.extend(torn.fields.iter_mut().map(|(_, value)| value));
                let count = parts.len();
                let part = &mut *parts[part.index(count)];
                let from = place.index(part.len() + 1);
                let to = part.len().min(from + text.len() / 2);
                part.splice(from..to, text.into_bytes());
            }
            judge(&subject, &torn, &cuts, NOW * 1000);
            Ok(())
        });
        assert!(result.is_ok(), "{}: {result:?}", subject.name);
    }
}

/// Bodies that readers of JSON, XML and forms choke on.
#[test]
fn odd_bodies_are_judged() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(5000), close.repeat(5000));
    let bodies = [
        deep("{\"a\":", "}"),
        deep("[", "]"),
        deep("<a>", "</a>"),
        deep("%25", "&"),
        "{\"sign\":{\"sign\":\"a\"}}".to_owned(),
        "{\"sign\":1e999,\"nonce\":-0}".to_owned(),
        "{\"nonce\":\"\\ud83d\"}".to_owned(),
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a><sign>&b;</sign></a>".to_owned(),
        "<xml><sign><![CDATA[]]></sign></xml>".to_owned(),
        "<xml sign=\"a\"/>".to_owned(),
        "=&=&=".to_owned(),
        "&".repeat(10_000),
        "sign=".repeat(2000),
        "\u{feff}{}".to_owned(),
    ];
    for subject in all_subjects() {
        let signed = subject.signed(&sample(&subject));
        for body in &bodies {
            for cut in [0, 1, body.len() / 2] {
                let torn = Message { body: body.as_bytes()[..cut].to_vec(), ..signed.clone() };
                judge(&subject, &torn, &[], NOW * 1000);
            }
            judge(&subject, &signed.clone().with_body(body), &[1, 2], NOW * 1000);
        }
    }
}

const NAMES: &[&str] = &[
    "key-id",
    "timestamp",
    "nonce",
    "signature",
    "secret",
    "base",
    "body",
    "method",
    "path",
    "query",
    "headers",
    "form",
    "json",
    "xml",
    "params",
    "target",
    "url",
    "host",
    "peer",
    "status",
    "a",
    "b",
    "k",
    "v",
    "signed",
    "query.a",
    "header.x-a",
    "json.a",
    "request.method",
    "request.body",
    "port",
    "rest",
    "query-raw",
    "form-raw",
    "cookie.a",
    "",
];
const FILTERS: &[&str] = &[
    "hex",
    "b64",
    "unb64",
    "sha256",
    "md5",
    "digest",
    "hmac secret",
    "hmac-sha256 secret",
    "hmac-sha256 a",
    "ed25519 private_key",
    "ecdsa-p256 private_key",
    "sort",
    "sort-kv",
    "sort-items",
    "each \"{k}={v}\"",
    "each \"{k}[={v}]\"",
    "each \"{a}{v | hex}\"",
    "join \"&\"",
    "join \"\"",
    "pick signed",
    "pick signed skip",
    "only a*",
    "without sign",
    "fold \",\"",
    "first",
    "last",
    "dedupe",
    "drop-empty",
    "with \"@a\" \"{method}\"",
    "line \"b\" \"{target}\"",
    "or a",
    "or \"x{b}\"",
    "when method \"POST\"",
    "unless a \"\"",
    "if-any",
    "lower",
    "upper",
    "trim",
    "squeeze",
    "slice 0 8",
    "slice 3 9999999",
    "before \"/\"",
    "after \"/\"",
    "strip-prefix \"a\"",
    "translate \"ab\" \"xy\"",
    "ratchet sha256 a secret",
    "time iso",
    "pct",
    "pct-path",
    "dots",
    "unpct",
    "form-dec",
    "len",
    "slash-end",
    "json-escape",
    "unhex",
    "lower-names",
    "bogus",
    "slice",
    "each",
    "",
];
const TYPES: &[&str] = &[
    "",
    "",
    ":hex",
    ":b64",
    ":unix",
    ":iso",
    ":names",
    ":int",
    ":word",
    ":text 0-9",
    "?",
    ":token?",
    ":hex-any",
    ":\"yyyy-MM-dd@+08:00\"",
    ":unix-ms",
    ":b64url",
    ":quotable 2-1",
    ":bogus",
];
const LITERALS: &[&str] = &["", ".", "\\n", "a=", ", ", "v1,", "\"", "&", " ", ":", "{{", "]]", "sig=", "é"];

/// A template that a scheme could have, or nearly.
fn template() -> impl Strategy<Value = String> {
    let value = (select(NAMES), select(TYPES), vec(select(FILTERS), 0..3), any::<u8>()).prop_map(
        |(name, kind, filters, odd)| {
            let kind = if odd < 200 { "" } else { kind };
            let pipeline = [&[name][..], &filters].concat().join(" | ");
            format!("{{{}}}", pipeline.replacen(name, &format!("{name}{kind}"), 1))
        },
    );
    let piece = prop_oneof![2 => value, 2 => select(LITERALS).prop_map(str::to_owned)].boxed();
    let optional = vec(piece.clone(), 1..3).prop_map(|pieces| format!("[{}]", pieces.concat()));
    vec(prop_oneof![5 => piece, 1 => optional], 0..5).prop_map(|pieces| pieces.concat())
}

/// The keys of a carrier.
fn carrier() -> impl Strategy<Value = String> {
    let value = (select(NAMES), select(TYPES)).prop_map(|(name, kind)| format!("{{{name}{kind}}}"));
    let piece = prop_oneof![2 => value, 2 => select(LITERALS).prop_map(str::to_owned)];
    let captures = vec(piece, 1..5).prop_map(|pieces| pieces.concat());
    let options = select(
        &["", "", "split = \",\"\n", "decode = \"b64\"\n", "split = \" \"\nunknown = \"reject\"\nrepeat = false\n"][..],
    );
    (prop_oneof![2 => template().boxed(), 3 => captures.boxed()], options)
        .prop_map(|(text, options)| format!("text = '{text}'\n{options}"))
}

/// A scheme, or nearly one: about every fifth can be used.
fn scheme() -> impl Strategy<Value = String> {
    let place = select(&["header", "query", "form", "json", "xml", "cookie"][..]);
    let carriers = vec((place, "[a-cX][a-z-]{0,4}", carrier()), 0..3);
    let lets = vec((select(&["a", "b", "key", "nonce", "signed"][..]), template()), 0..3);
    let encoding = select(&["hex", "b64", "HEX"][..]);
    let algorithm = prop_oneof![
        3 => select(&["sha256", "hmac-sha256 secret", "hmac secret", "digest"][..]),
        1 => select(FILTERS),
    ];
    (carriers, lets, template(), algorithm, encoding, template(), 0_u8..16).prop_map(
        |(carriers, lets, base, algorithm, encoding, other, sections)| {
            let mut text =
                vec![format!("[header]\nX-Sign = '{{signature:{encoding}}}'\nX-Time = '{{timestamp:unix?}}'")];
            text.extend(carriers.iter().map(|(place, name, keys)| format!("[{place}.{name}]\n{keys}")));
            text.extend((!lets.is_empty()).then(|| "[let]".to_owned()));
            text.extend(lets.iter().map(|(name, template)| format!("{name} = '{template}'")));
            text.push(format!(
                "[sign]\nbase = '{base}{{secret}}'\nsignature = '{{base | {algorithm} | {encoding}}}'"
            ));
            text.extend((sections & 0b0001 != 0).then(|| format!("[bind]\nX-Bound = '{other}'")));
            text.extend((sections & 0b0010 != 0).then(|| "[fresh]\nnonce = \"once per key\"".to_owned()));
            text.extend((sections & 0b1100 == 0b1100).then(|| format!("[[try]]\n[[try]]\nbase = '{other}'")));
            text.join("\n")
        },
    )
}

/// A scheme of the catalogue, or of the sinks, with some of its text exchanged.
fn torn_scheme() -> impl Strategy<Value = String> {
    let texts: Vec<&str> = catalogue::names()
        .iter()
        .filter_map(|name| catalogue::text(name))
        .chain(KITCHEN.iter().map(|(_, text)| *text))
        .collect();
    let piece = prop_oneof![
        template(),
        select(FILTERS).prop_map(|filter| format!(" | {filter}")),
        select(TYPES).prop_map(str::to_owned),
        text(),
        pairs(),
    ];
    (select(texts), vec((any::<Index>(), 0_usize..12, piece), 1..4)).prop_map(|(text, edits)| {
        let mut text: Vec<char> = text.chars().collect();
        for (at, removed, piece) in edits {
            let from = at.index(text.len() + 1);
            let to = text.len().min(from + removed);
            text.splice(from..to, piece.chars());
        }
        text.into_iter().collect()
    })
}

/// Reads a scheme; where it is one, it is used, and what it signs it verifies.
fn used(text: &str, seen: &Message) -> Result<bool, TestCaseError> {
    let Ok(scheme) = load("random", text, &Catalogue) else { return Ok(false) };
    let plan = Plan::compile(&scheme);
    let key = crate::keys::fitting(&plan).with_id("client-1");
    let verifying = crate::keys::verifying(&key, &plan);
    let subject = Subject::compiled(plan, key, verifying);
    judge(&subject, seen, &[3], NOW * 1000);
    if let Ok(signed) = subject.sign(seen) {
        let verdict = subject.verify(&signed);
        prop_assert!(verdict.is_ok(), "{:?}\n{}\n{:?}", verdict, text, signed);
        judge(&subject, &signed, &[3], NOW * 1000);
    }
    Ok(true)
}

#[test]
fn random_schemes_are_read_and_used() {
    let used_schemes = std::cell::Cell::new(0);
    let result = TestRunner::new(cases(2500)).run(&(scheme(), message("random")), |(text, seen)| {
        used_schemes.set(used_schemes.get() + u32::from(used(&text, &seen)?));
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.expect_err("failed"));
    assert!(used_schemes.get() > 50, "{}", used_schemes.get());
}

#[test]
fn torn_schemes_are_read_and_used() {
    let used_schemes = std::cell::Cell::new(0);
    let result = TestRunner::new(cases(1200)).run(&(torn_scheme(), message("torn")), |(text, seen)| {
        used_schemes.set(used_schemes.get() + u32::from(used(&text, &seen)?));
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.expect_err("failed"));
    assert!(used_schemes.get() > 50, "{}", used_schemes.get());
}

/// Any text at all.
#[test]
fn arbitrary_text_is_no_scheme() {
    let result = TestRunner::new(cases(400)).run(&(any::<String>(), bytes(200)), |(text, bytes)| {
        let _ = load("random", &text, &Catalogue);
        let _ = load("random", &String::from_utf8_lossy(&bytes), &Catalogue);
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}

//! What a sound file is read as: the examples of the language's design, and one file with everything in it.

use countersign_core::scheme::draft::{At, Carrier, MessageDraft, Part, Place, Span, Template, WindowDraft};
use countersign_core::scheme::{Fault, SchemeDraft};
use countersign_schemes::{Catalogue, SchemeError, Source, open, read};
use proptest::prelude::*;

fn sound(name: &str, text: &str) -> SchemeDraft {
    read(name, text, &Catalogue).unwrap_or_else(|error| panic!("{error}"))
}

fn value<T>(at: Option<At<T>>) -> Option<T> {
    at.map(|at| at.value)
}

/// The pieces of a template, short: literals as they are, expressions by name.
fn short(template: &Template) -> String {
    let part = |part: &Part| match part {
        Part::Literal(text) => String::from_utf8_lossy(text).into_owned(),
        Part::Optional(inner) => format!("[{}]", short(inner)),
        Part::Expr(expr) => match &expr.atom {
            countersign_core::scheme::draft::Atom::Name(name) => format!("{{{name}}}"),
            countersign_core::scheme::draft::Atom::Quoted(inner) => format!("{{\"{}\"}}", short(inner)),
        },
    };
    template.parts.iter().map(part).collect()
}

fn carriers(message: &MessageDraft) -> Vec<(Place, &str, String)> {
    let row = |carrier: &Carrier| (carrier.place, short(&carrier.text));
    message.carriers.iter().map(|carrier| (row(carrier).0, carrier.name.value.as_str(), row(carrier).1)).collect()
}

#[test]
fn the_examples_of_the_design() {
    let examples = [
        ("md5-token", include_str!("examples/md5-token.toml"), "{key-id}\n{timestamp}\n{secret}", 3),
        (
            "header-hmac",
            include_str!("examples/header-hmac.toml"),
            "{key-id}\n{timestamp}\n{nonce}\n{method}\n{target}\n{body}",
            4,
        ),
        ("1worldsync", include_str!("examples/1worldsync.toml"), "{path}?{query}", 3),
        (
            "aws-sigv4",
            include_str!("examples/aws-sigv4.toml"),
            "AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{canonical}",
            3,
        ),
        (
            "wechatpay-v3",
            include_str!("examples/wechatpay-v3.toml"),
            "{method}\n{target}\n{timestamp}\n{nonce}\n{body}\n",
            1,
        ),
        ("stripe", include_str!("examples/stripe.toml"), "{timestamp}.{body}", 1),
    ];
    for (name, text, base, carriers) in examples {
        let draft = sound(name, text);
        let sign = draft.request.sign.expect("a signature");
        assert_eq!(short(&sign.base), base, "{name}");
        assert_eq!(short(&sign.signature), "{base}", "{name}");
        assert_eq!(draft.request.carriers.len(), carriers, "{name}");
    }
}

#[test]
fn the_response_of_an_example() {
    let draft = sound("wechatpay-v3", include_str!("examples/wechatpay-v3.toml"));
    let response = draft.response.expect("a response");
    assert_eq!(
        carriers(&response),
        [
            (Place::Header, "Wechatpay-Serial", "{key-id}".to_owned()),
            (Place::Header, "Wechatpay-Timestamp", "{timestamp}".to_owned()),
            (Place::Header, "Wechatpay-Nonce", "{nonce}".to_owned()),
            (Place::Header, "Wechatpay-Signature", "{signature}".to_owned()),
        ]
    );
    assert_eq!(response.sign.map(|sign| short(&sign.base)), Some("{timestamp}\n{nonce}\n{body}\n".to_owned()));
}

const EVERYTHING: &str = r#"
title = "a title"
reference = "https://example.com"
kind = "webhook"
when = "query sig"
[key]
algorithms = ["hmac-sha256", 'hmac-sha1']
resolver = "certificates"
[vars]
region = "here"
bucket = {}
limit = { default = "1", about = "how many" }
[path]
text = "/{token}/{rest}"
[json]
z = "{a}"
[header.List]
text = "t={timestamp:unix},v1={signature:hex}"
split = ","
unknown = "reject"
repeat = false
decode = "b64url"
[header]
A = "{key-id}"
[cookie]
c = "{b}"
[form]
f = "{c}"
[xml]
x = "{d}"
[query]
q = { text = "{e}", decode = "pct" }
[let]
b = "second"
a = "first"
[sign]
base = "{body}"
signature = "{base | hmac secret | hex}"
cover = "host date"
include = "hash"
[bind]
Digest = "{body | sha256 | b64}"
payload = { value = "{x}", or = "UNSIGNED" }
both = { value = "{y}", or = ["A", "B"] }
[require]
signed = "host x-*"
fields = "nonce"
[[try]]
[[try]]
let = { a = "other" }
base = "{a}"
[fresh]
timestamp = { past = "1h30m", future = "0s" }
expires = "until"
starts = "from"
lifetime = { field = "ttl", max = "7d" }
nonce = "once"
replay = "always"
remember = "24h"
[errors]
status = 401
body = '{{"m":"{reason}"}}'
content-type = "application/json"
[response.json]
sign = "{signature:hex}"
[response.bind]
Digest = "{body | md5 | hex}"
[response.require]
fields = "nonce"
[[response.try]]
base = "x"
"#;

#[test]
fn every_section_and_key() {
    let draft = sound("folder/everything.toml", EVERYTHING);
    assert_eq!(draft.name, "everything");
    assert_eq!(value(draft.title).as_deref(), Some("a title"));
    assert_eq!(value(draft.reference).as_deref(), Some("https://example.com"));
    assert_eq!(value(draft.kind).as_deref(), Some("webhook"));
    assert_eq!(value(draft.when).as_deref(), Some("query sig"));
    let algorithms: Vec<_> = draft.algorithms.iter().map(|name| name.value.as_str()).collect();
    assert_eq!(algorithms, ["hmac-sha256", "hmac-sha1"]);
    assert_eq!(value(draft.resolver).as_deref(), Some("certificates"));
    let vars: Vec<_> = draft
        .vars
        .into_iter()
        .map(|var| (var.name.value, value(var.default).unwrap_or_default(), value(var.about).unwrap_or_default()))
        .collect();
    let expected = [("region", "here", ""), ("bucket", "", ""), ("limit", "1", "how many")];
    assert_eq!(vars, expected.map(|(name, default, about)| (name.to_owned(), default.to_owned(), about.to_owned())));

    let request = &draft.request;
    assert_eq!(
        carriers(request),
        [
            (Place::Path, "", "/{token}/{rest}".to_owned()),
            (Place::Json, "z", "{a}".to_owned()),
            (Place::Header, "List", "t={timestamp},v1={signature}".to_owned()),
            (Place::Header, "A", "{key-id}".to_owned()),
            (Place::Cookie, "c", "{b}".to_owned()),
            (Place::Form, "f", "{c}".to_owned()),
            (Place::Xml, "x", "{d}".to_owned()),
            (Place::Query, "q", "{e}".to_owned()),
        ]
    );
    let list = request.carriers[2].clone();
    assert_eq!((value(list.split).as_deref(), value(list.unknown).as_deref()), (Some(","), Some("reject")));
    assert_eq!((value(list.repeat), value(list.decode).as_deref()), (Some(false), Some("b64url")));
    let lets: Vec<_> = request.lets.iter().map(|item| (item.name.value.as_str(), short(&item.text))).collect();
    assert_eq!(lets, [("b", "second".to_owned()), ("a", "first".to_owned())]);
    let sign = request.sign.clone().expect("a signature");
    assert_eq!((value(sign.cover).as_deref(), value(sign.include).as_deref()), (Some("host date"), Some("hash")));
    let binds: Vec<_> = request
        .binds
        .iter()
        .map(|bind| (bind.name.value.as_str(), bind.or.iter().map(|or| or.value.as_str()).collect::<Vec<_>>()))
        .collect();
    assert_eq!(binds, [("Digest", vec![]), ("payload", vec!["UNSIGNED"]), ("both", vec!["A", "B"])]);
    let requires: Vec<_> =
        request.requires.iter().map(|item| (item.name.value.as_str(), item.names.value.as_str())).collect();
    assert_eq!(requires, [("signed", "host x-*"), ("fields", "nonce")]);
    let tries: Vec<_> = request.tries.iter().map(|item| (item.lets.len(), item.base.as_ref().map(short))).collect();
    assert_eq!(tries, [(0, None), (1, Some("{a}".to_owned()))]);

    let fresh = draft.fresh;
    assert_eq!(value(fresh.timestamp), Some(WindowDraft { past: Some(5400), future: Some(0) }));
    assert_eq!((value(fresh.expires).as_deref(), value(fresh.starts).as_deref()), (Some("until"), Some("from")));
    assert_eq!(value(fresh.lifetime), Some(("ttl".to_owned(), 604_800)));
    assert_eq!((value(fresh.nonce).as_deref(), value(fresh.replay).as_deref()), (Some("once"), Some("always")));
    assert_eq!(value(fresh.remember), Some(86_400));
    let errors = draft.errors.expect("errors");
    assert_eq!(
        (value(errors.status), errors.body.as_ref().map(short)),
        (Some(401), Some("{\"m\":\"{reason}\"}".to_owned()))
    );
    assert_eq!(value(errors.content_type).as_deref(), Some("application/json"));
    let response = draft.response.expect("a response");
    assert_eq!(
        (response.carriers.len(), response.binds.len(), response.requires.len(), response.tries.len()),
        (1, 1, 1, 1)
    );
}

#[test]
fn one_duration_is_a_window_to_both_sides_and_one_side_leaves_the_other_open() {
    let window = |text: &str| value(sound("x", &format!("[fresh]\ntimestamp = {text}")).fresh.timestamp);
    assert_eq!(window("\"2m\""), Some(WindowDraft { past: Some(120), future: Some(120) }));
    assert_eq!(window("{ past = \"2m\" }"), Some(WindowDraft { past: Some(120), future: None }));
    assert_eq!(window("{ future = \"2m\" }"), Some(WindowDraft { past: None, future: Some(120) }));
}

#[test]
fn places_are_those_of_the_file() {
    let marked = |span: Span| EVERYTHING.get(span.start as usize..span.end as usize).unwrap_or_default();
    let draft = sound("everything", EVERYTHING);
    assert_eq!(draft.title.map(|title| marked(title.span)), Some("a title"));
    let list = &draft.request.carriers[2];
    assert_eq!(marked(list.name.span), "List");
    assert_eq!(marked(list.text.span), "t={timestamp:unix},v1={signature:hex}");
    assert_eq!(list.split.as_ref().map(|split| marked(split.span)), Some(","));
    assert_eq!(list.repeat.as_ref().map(|repeat| marked(repeat.span)), Some("false"));
    assert_eq!(marked(draft.request.carriers[0].name.span), "path");
    assert_eq!(draft.fresh.lifetime.map(|lifetime| marked(lifetime.span)), Some("{ field = \"ttl\", max = \"7d\" }"));
    assert_eq!(draft.errors.and_then(|errors| errors.status).map(|status| marked(status.span)), Some("401"));
    assert_eq!(marked(draft.request.tries[1].span), "[[try]]");
    assert_eq!(marked(draft.request.requires[0].names.span), "host x-*");
}

#[test]
fn a_file_means_the_same_with_either_line_ending() {
    let text = include_str!("examples/header-hmac.toml");
    let base = |text: &str| sound("x", text).request.sign.map(|sign| short(&sign.base));
    assert_eq!(base(&text.replace('\n', "\r\n")), base(text));
}

#[test]
fn a_huge_file_is_no_scheme() {
    let text = "#".repeat(300_000);
    let error = read("x", &text, &Catalogue).expect_err("too large");
    assert_eq!(error.faults[0].message, "a file of 300000 bytes is no scheme");
    assert!(error.to_string().len() < 1000);
}

#[test]
fn faults_have_an_end() {
    let text = format!("title = 1\n[let]\na = '{}'\n", "} ".repeat(500));
    let SchemeError { faults, .. } = read("x", &text, &Catalogue).expect_err("faulty");
    assert_eq!(faults.len(), 100);
}

#[test]
fn the_sources_come_with_the_scheme() {
    let document = open("mine.toml", "extends = \"stripe-webhook\"", &Catalogue).expect("sound");
    let names: Vec<_> = document.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["mine.toml", "stripe-webhook"]);
}

#[test]
fn rows_are_json() {
    let error = read("a.toml", "kind = \"x\"\ntitel = 1", &Catalogue).expect_err("faulty");
    assert_eq!(
        serde_json::to_string(&error.located()).expect("JSON"),
        concat!(
            r#"[{"file":"a.toml","line":2,"column":1,"text":"titel","#,
            r#""message":"`titel` is not a section or key of a scheme","hint":"did you mean `title`?"}]"#
        )
    );
}

#[test]
fn faults_found_later_are_shown_the_same_way() {
    let document = open("a.toml", "kind = \"wobhook\"", &Catalogue).expect("sound so far");
    let kind = document.draft.kind.expect("a kind");
    let fault = Fault { span: kind.span, message: "no such kind".into(), hint: None };
    let shown = SchemeError::new(document.sources, vec![fault]).to_string();
    assert_eq!(shown, "error: no such kind\n  --> a.toml:1:9\n   |\n 1 | kind = \"wobhook\"\n   |         ^^^^^^^");
}

/// Pieces that make a file nearly a scheme more often than any characters would.
fn near_scheme() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "[header]",
        "[sign]",
        "[[try]]",
        "[let]",
        "[fresh]",
        "[bind]",
        "[response.header]",
        "[header.X]",
        "\n",
        " = ",
        "base",
        "signature",
        "text",
        "split",
        "timestamp",
        "X",
        "a",
        "\"",
        "'",
        "'''",
        "\"\"\"",
        "{",
        "}",
        "[",
        "]",
        "{key-id:word 1-9?}",
        "{base | md5 | hex}",
        "{query | each \"{k}={v}\" | join \"&\"}",
        "\\n",
        "\\\"",
        "|",
        ":",
        "é",
        "\r\n",
        "false",
        "5",
        "{ past = \"5m\" }",
        "extends = \"hawk\"",
        "#",
        ",",
        "\t",
        ".",
        "\u{0}",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(text in prop_oneof![near_scheme(), any::<String>()]) {
        if let Err(error) = read("any.toml", &text, &Catalogue) {
            prop_assert!(!error.faults.is_empty());
            let sizes: Vec<usize> = error.sources.iter().map(|Source { text, .. }| text.len()).collect();
            for Fault { span, .. } in &error.faults {
                prop_assert!(span.start <= span.end && span.end as usize <= sizes[usize::from(span.file)]);
            }
            prop_assert_eq!(error.to_string().matches("  --> ").count(), error.faults.len());
            prop_assert_eq!(error.located().len(), error.faults.len());
        }
    }
}

//! Rules of the language that are easy to get wrong, each with the message that tells.

use countersign_core::key::{Key, KeySet};
use countersign_core::request::{RequestView, Transport};
use countersign_core::time::UnixTime;
use countersign_core::{Freshness, Plan, Signer, Verifier};
use countersign_schemes::{Catalogue, load};
use std::sync::Arc;

type Fields = Vec<(String, Vec<u8>)>;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn plan(text: &str) -> Arc<Plan> {
    Plan::compile(&load("rule.toml", text, &Catalogue).unwrap_or_else(|error| panic!("{error}")))
}

fn key() -> Key {
    Key::secret(*b"a secret of some length").with_id("alice")
}

fn view<'a>(target: &'a str, fields: &'a Fields) -> RequestView<'a> {
    RequestView {
        method: "POST",
        target: target.as_bytes(),
        authority: "api.example.com",
        transport: Transport::Https,
        fields,
        body: None,
        peer: None,
        status: None,
        trailers: None,
        answers: None,
    }
}

fn sign(plan: &Arc<Plan>, message: RequestView<'_>) -> Fields {
    let fresh = Freshness { now: NOW, nonce: Some("0123456789abcdef") };
    let signed = Signer::new(Arc::clone(plan)).with_var("team_name", "blue").sign(message, &key(), &fresh);
    let mut fields = Vec::new();
    message.fields.all(&mut |name, value| fields.push((name.to_owned(), value.to_vec())));
    signed.expect("it can be signed").apply(&mut fields);
    fields
}

/// The reason of a refusal, or the nothing that is said of what holds.
fn verdict(plan: &Arc<Plan>, message: RequestView<'_>, now: UnixTime) -> Result<(), &'static str> {
    let keys = KeySet::new([Arc::new(key())]);
    let verifier = Verifier::new(Arc::clone(plan)).with_var("team_name", "blue");
    verifier.explain(message, &keys, now).verdict.map(drop).map_err(|refused| refused.reason().code())
}

#[test]
fn a_parameter_without_a_value_takes_no_other_out_of_the_base() {
    let plan = plan(
        r#"
        [header]
        X-Sign = "{signature:hex}"
        [sign]
        base = '{path}[?{query | each "{k}={v}" | join "&"}]'
        signature = "{base | hmac-sha256 secret | hex}"
        "#,
    );
    let fields = sign(&plan, view("/pay", &Fields::new()));
    assert_eq!(verdict(&plan, view("/pay", &fields), NOW), Ok(()));
    for forged in ["/pay?to=eve&x", "/pay?x&to=eve", "/pay?x"] {
        assert_eq!(verdict(&plan, view(forged, &fields), NOW), Err("signature-mismatch"), "{forged}");
    }
}

#[test]
fn a_parameter_without_a_value_does_not_hide_its_namesakes_when_they_are_folded() {
    let plan = plan(
        r#"
        [header]
        X-Sign = "{signature:hex}"
        [sign]
        base = '{query | fold "," | each "{k}={v}" | join "&"}'
        signature = "{base | hmac-sha256 secret | hex}"
        "#,
    );
    let fields = sign(&plan, view("/pay?to", &Fields::new()));
    assert_eq!(verdict(&plan, view("/pay?to", &fields), NOW), Ok(()));
    for forged in ["/pay?to&to=eve", "/pay?to=eve&to", "/pay?to&to"] {
        assert_eq!(verdict(&plan, view(forged, &fields), NOW), Err("signature-mismatch"), "{forged}");
    }
}

#[test]
fn a_variable_is_given_with_either_dash() {
    let plan = plan(
        r#"
        [vars]
        team_name = {}
        [header]
        X-Sign = "{signature:hex}"
        [sign]
        base = "{team_name}"
        signature = "{base | hmac-sha256 secret | hex}"
        "#,
    );
    let fields = sign(&plan, view("/", &Fields::new()));
    assert_eq!(verdict(&plan, view("/", &fields), NOW), Ok(()));
}

#[test]
fn the_edges_of_every_window_are_inside() {
    let rules = [
        ("timestamp = \"5m\"", -300_000..=300_000, "timestamp-future", "timestamp-stale"),
        (
            "timestamp = { past = \"1h\", future = \"1s\" }\nlifetime = { field = \"ttl\", max = \"90s\" }",
            -1000..=90_000,
            "timestamp-future",
            "expired",
        ),
        ("starts = \"timestamp\"\nexpires = \"until\"", -60_000..=90_000, "timestamp-future", "expired"),
    ];
    for (rule, accepted, before, behind) in rules {
        let plan = plan(&format!(
            r#"
            [header]
            X-Time  = "{{timestamp:unix-ms}}"
            X-Until = "{{until:unix-ms}}"
            X-Ttl   = "{{ttl:int}}"
            X-Sign  = "{{signature:hex}}"
            [sign]
            base = "{{timestamp}} {{until}} {{ttl}}"
            signature = "{{base | hmac-sha256 secret | hex}}"
            [fresh]
            {rule}
            "#
        ));
        let until = (NOW.millis() + 90_000).to_string();
        let fields = vec![("X-Until".to_owned(), until.into_bytes()), ("X-Ttl".to_owned(), b"90".to_vec())];
        let fields = sign(&plan, view("/", &fields));
        let at = |shift: i64| verdict(&plan, view("/", &fields), UnixTime::from_millis(NOW.millis() + shift));
        assert_eq!((at(*accepted.start()), at(*accepted.end())), (Ok(()), Ok(())), "{rule}");
        assert_eq!((at(accepted.start() - 1), at(accepted.end() + 1)), (Err(before), Err(behind)), "{rule}");
    }
}

#[test]
fn a_key_is_derived_and_fields_are_listed_in_one_way_only() {
    for (entry, fault) in [
        (r#""{secret | hkdf sha256 path host 0 | hex}""#, "HKDF makes no key of 0 bytes"),
        (r#""{secret | hkdf sha256 path host 8161 | hex}""#, "HKDF makes no key of 8161 bytes"),
        (r#""{secret | hkdf sha1 path host 5101 | hex}""#, "HKDF makes no key of 5101 bytes"),
        (r#""{secret | hkdf sha265 path host 32 | hex}""#, "unknown digest `sha265`"),
        (r#""{secret | hkdf sha256 path 32 | hex}""#, "write `hkdf HASH SALT INFO LENGTH`"),
        (r#""{secret | hkdf sha256 path host long | hex}""#, "write `hkdf HASH SALT INFO LENGTH`"),
        (r#""{secret | hkdf sha256 none host 32 | hex}""#, "unknown name `none`"),
        (r#"'{query | hkdf sha256 path host 32 | join ""}'"#, "`hkdf` works on text"),
        (r#"'{headers | listed signed | join ""}'"#, "write `listed NAMES GLOB…`"),
        (r#"'{headers | listed other x-* | join ""}'"#, "no carrier captures `{other:names}`"),
        (r#""{path | listed signed x-*}""#, "`listed` works on a list"),
        (r#"'{headers | title | join ""}'"#, "`title` works on text"),
    ] {
        let text = format!(
            "[header]\nX-Sign = \"{{signature:hex}}\"\nX-Names = \"{{signed:names?}}\"\n[let]\na = {entry}\n[sign]\n\
             base = \"{{path}}{{a}}\"\nsignature = \"{{base | hmac-sha256 secret | hex}}\"\n"
        );
        let shown = load("rule.toml", &text, &Catalogue).expect_err(entry).to_string();
        assert!(shown.contains(fault), "{entry} is refused with\n{shown}");
    }
}

/// A list of names is empty only where its lengths say that it may be; then it lists nothing.
#[test]
fn an_empty_list_of_names_lists_nothing() {
    let scheme = |lengths: &str| {
        plan(&format!(
            "[header]\nX-Sign = \"{{signed:names{lengths}}}/{{signature:hex}}\"\n[sign]\ncover = \"x-none\"\n\
             base = '{{path}};{{headers | pick signed | each \"{{k}}={{v}}\" | join \"&\"}};{{headers | listed signed x-t* \
             | each \"{{k}}={{v}}\" | join \"&\"}}'\nsignature = \"{{base | hmac-sha256 secret | hex}}\"\n"
        ))
    };
    let fields: Fields = vec![("X-Tag".into(), b"blue".to_vec())];
    let (may_be, must_not) = (scheme(" 0-64"), scheme(""));
    let signed = sign(&may_be, view("/a", &fields));
    assert!(signed.iter().any(|(_, value)| value.starts_with(b"/")), "{signed:?}");
    assert_eq!(verdict(&may_be, view("/a", &signed), NOW), Ok(()));
    assert_eq!(verdict(&must_not, view("/a", &signed), NOW), Err("credential-malformed"));
    let listed = |list: &str| {
        let mut listed = signed.clone();
        for (name, value) in &mut listed {
            if name == "X-Sign" {
                *value = [list.as_bytes(), value].concat();
            }
        }
        verdict(&may_be, view("/a", &listed), NOW)
    };
    assert_eq!(listed(";"), Err("credential-malformed"));
    assert_eq!(listed("x-tag"), Err("signature-mismatch"));
    assert_eq!(listed("x-tag;x-tag"), Err("field-duplicated"));
}

#[test]
fn a_slip_in_a_word_leads_to_the_word() {
    let text = "kind = \"KIND\"\n[header]\nX-Sign = \"{signature:TYPE}\"\n[sign]\nbase = \"{SOURCE}\"\n\
                signature = \"{base | PRIMITIVE secret | hex}\"\n";
    let right = [("KIND", "webhook"), ("TYPE", "hex"), ("SOURCE", "body"), ("PRIMITIVE", "hmac-sha256")];
    let with = |wrong: &str, slip: &str| {
        let each = |text: String, (place, word): &(&str, &str)| {
            text.replace(place, if *place == wrong { slip } else { word })
        };
        load("rule.toml", &right.iter().fold(text.to_owned(), each), &Catalogue)
    };
    assert!(with("", "").is_ok());
    for (place, slip, meant) in [
        ("KIND", "webhok", "webhook"),
        ("TYPE", "hx", "hex"),
        ("SOURCE", "boddy", "body"),
        ("PRIMITIVE", "hmac-sha265", "hmac-sha256"),
        ("PRIMITIVE", "HMAC-SHA256", "hmac-sha256"),
        ("PRIMITIVE", "hmac_sha1", "hmac-sha1"),
    ] {
        let told = with(place, slip).expect_err(slip).to_string();
        assert!(told.contains(&format!("hint: did you mean `{meant}`?")), "{slip}: {told}");
    }
}

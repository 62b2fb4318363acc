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

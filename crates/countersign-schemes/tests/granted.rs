//! Names from variables, patterns that grant, policies, derived key pairs, values in front of a signature of one
//! length: what each refuses, and that a scheme that uses one wrongly is no scheme.

use countersign_core::key::{Key, KeySet};
use countersign_core::reject::Reason;
use countersign_core::request::{RequestView, Transport};
use countersign_core::time::UnixTime;
use countersign_core::{Checked, Freshness, NeedsBody, Plan, SignError, Signer, Verifier};
use countersign_schemes::{Catalogue, load};
use proptest::prelude::*;
use std::sync::Arc;

const NOW: i64 = 1_700_000_000;

type Fields = Vec<(String, Vec<u8>)>;

fn plan(text: &str) -> Arc<Plan> {
    Plan::compile(&load("own.toml", text, &Catalogue).unwrap_or_else(|error| panic!("{error}")))
}

/// The faults of a scheme that has some.
fn faults(text: &str) -> Vec<String> {
    let error = load("own.toml", text, &Catalogue).expect_err("a fault");
    error.faults.into_iter().map(|fault| fault.message).collect()
}

fn view<'a>(target: &'a str, fields: &'a Fields, peer: Option<&'a str>) -> RequestView<'a> {
    RequestView {
        method: "GET",
        target: target.as_bytes(),
        authority: "a.example",
        transport: Transport::Https,
        fields,
        body: Some(b""),
        peer,
        status: None,
        trailers: None,
        answers: None,
    }
}

fn signed(plan: &Arc<Plan>, view: RequestView<'_>, vars: &[(&str, &str)], key: &Key) -> Result<Fields, SignError> {
    let signer =
        vars.iter().fold(Signer::new(Arc::clone(plan)), |signer, (name, value)| signer.with_var(name, value));
    let signed = signer.sign(view, key, &Freshness { now: UnixTime::from_secs(NOW), nonce: None })?;
    let mut fields = Fields::new();
    view.fields.all(&mut |name, value| fields.push((name.to_owned(), value.to_vec())));
    signed.apply(&mut fields);
    Ok(fields)
}

fn verified(plan: &Arc<Plan>, view: RequestView<'_>, vars: &[(&str, &str)], key: &Key) -> Result<(), Reason> {
    let verifier =
        vars.iter().fold(Verifier::new(Arc::clone(plan)), |verifier, (name, value)| verifier.with_var(name, value));
    let keys = KeySet::new([Arc::new(key.clone())]);
    let started = verifier.start(view, UnixTime::from_secs(NOW)).map_err(|no| no.reason())?;
    started.key(&keys).and_then(NeedsBody::finish).map(drop).map_err(|no| no.reason())
}

fn secret() -> Key {
    Key::secret(*b"a secret")
}

const LISTED: &str = r#"
[vars]
listed = ""
[header]
X-Sign = "{signature:hex}"
[sign]
base      = '{target}|{headers | pick listed RULE | each "{k}:{v}" | join ","}'
signature = "{base | hmac-sha256 secret | hex}"
"#;

#[test]
fn a_variable_lists_what_is_signed() {
    let both: Fields = vec![("X-A".into(), b"1".to_vec()), ("X-B".into(), b"2".to_vec())];
    let one: Fields = vec![("X-A".into(), b"1".to_vec())];
    for (rule, without) in [("reject", Err(Reason::FieldMissing)), ("skip", Err(Reason::SignatureMismatch))] {
        let plan = plan(&LISTED.replace("RULE", rule));
        // Names of field lines have no case.
        let vars = [("listed", "X-B;x-a")];
        let fields = signed(&plan, view("/", &both, None), &vars, &secret()).expect("a signed request");
        assert_eq!(verified(&plan, view("/", &fields, None), &vars, &secret()), Ok(()));
        let other = [("listed", "x-a;x-b")];
        let mismatch = Err(Reason::SignatureMismatch);
        assert_eq!(verified(&plan, view("/", &fields, None), &other, &secret()), mismatch, "another order");
        assert_eq!(verified(&plan, view("/", &fields, None), &[], &secret()), mismatch, "none of them");
        let twice = [("listed", "x-a;x-a")];
        let verdict = verified(&plan, view("/", &fields, None), &twice, &secret());
        assert_eq!(verdict, Err(Reason::FieldDuplicated), "a name twice");
        let removed: Fields = fields.iter().filter(|(name, _)| name != "X-B").cloned().collect();
        assert_eq!(verified(&plan, view("/", &removed, None), &vars, &secret()), without, "{rule}");
    }
    let skipping = plan(&LISTED.replace("RULE", "skip"));
    let vars = [("listed", "x-b;x-a")];
    let fields = signed(&skipping, view("/", &one, None), &vars, &secret()).expect("a signed request");
    assert_eq!(verified(&skipping, view("/", &fields, None), &vars, &secret()), Ok(()));
}

#[test]
fn a_slice_ends_where_a_variable_says_and_nowhere_else() {
    let text = |default: &str| {
        format!(
            "[vars]\nmost = \"{default}\"\n[header]\nX-Sign = \"{{signature:hex}}\"\n[sign]\n\
             base = \"{{target | slice 0 most}}\"\nsignature = \"{{base | hmac-sha256 secret | hex}}\"\n"
        )
    };
    let sliced = plan(&text("3"));
    let none = Fields::new();
    let fields = signed(&sliced, view("/abc", &none, None), &[], &secret()).expect("a signed request");
    assert_eq!(verified(&sliced, view("/abd", &fields, None), &[], &secret()), Ok(()), "behind the end");
    assert_eq!(verified(&sliced, view("/xbc", &fields, None), &[], &secret()), Err(Reason::SignatureMismatch));
    for most in ["", "-1", "3 ", "three", "99999999999999999999999"] {
        let vars = [("most", most)];
        let verdict = verified(&sliced, view("/abc", &fields, None), &vars, &secret());
        assert_eq!(verdict, Err(Reason::FieldMissing), "{most:?} is no number of bytes");
        assert!(signed(&sliced, view("/abc", &none, None), &vars, &secret()).is_err(), "{most:?}");
    }
    assert_eq!(faults(&text("three")), ["the default of `most` is no number of bytes"]);
    let cut = "[vars]\nmost = \"3\"\n[header]\nX-Sign = \"{signature:hex}\"\n[sign]\nbase = \"{target}\"\n\
               signature = \"{base | hmac-sha256 secret | hex | slice 0 most}\"\n";
    assert_eq!(faults(cut), ["`slice` is no encoding"], "how much of a signature counts is no matter of deployment");
}

#[test]
fn one_of_the_patterns_has_to_fit() {
    let plan = plan(
        r#"
        [header]
        X-List = "{list}"
        X-Sign = "{signature:hex}"
        [sign]
        base      = "{list}"
        signature = "{base | hmac-sha256 secret | hex}"
        [bind]
        list = '{list | granting path "!!"}'
        "#,
    );
    let none = Fields::new();
    for (list, granted, refused) in [
        ("/a", vec!["/a"], vec!["/", "/a/", "/ab", "/A"]),
        ("/a!!/b/*", vec!["/a", "/b/", "/b/c/d"], vec!["/b", "/a!!/b/*"]),
        ("/a!b", vec!["/a!b"], vec!["/a", "/b", "b"]),
        ("!!/x?", vec!["/xy"], vec!["/x", "/xyz", "/"]),
        ("*", vec!["/", "/a/b"], vec![]),
    ] {
        for path in granted {
            let fields =
                signed(&plan, view(path, &none, None), &[("list", list)], &secret()).expect("a signed request");
            assert_eq!(verified(&plan, view(path, &fields, None), &[], &secret()), Ok(()), "{list} {path}");
            for path in &refused {
                let verdict = verified(&plan, view(path, &fields, None), &[], &secret());
                let expected = if path.starts_with('/') { Reason::ValueDisagrees } else { Reason::TargetMalformed };
                assert_eq!(verdict, Err(expected), "{list} {path}");
            }
        }
        for path in refused {
            let signed = signed(&plan, view(path, &none, None), &[("list", list)], &secret());
            assert!(signed.is_err(), "{list} {path} is signed for nobody");
        }
    }
}

const POLICY: &str = r#"
[header]
X-Policy = "{policy:b64 1-4096}"
X-Sign   = "{signature:hex}"
[sign]
base      = "{policy}"
signature = "{base | hmac-sha256 secret | hex}"
[policy]
text     = "{policy | unb64}"
resource = "{url}"
[fresh]
replay   = "always"
remember = "100d"
"#;

fn policy(condition: &str) -> String {
    let text = format!(r#"{{"Statement":[{{"Resource":"https://a.example/x/*","Condition":{{{condition}}}}}]}}"#);
    let mut base64 = Vec::new();
    countersign_core::canon::b64(text.as_bytes(), &mut base64);
    String::from_utf8(base64).expect("base64")
}

#[test]
fn a_policy_grants_or_the_message_is_refused() {
    let plan = plan(POLICY);
    let none = Fields::new();
    let condition =
        format!(r#""DateLessThan":{{"AWS:EpochTime":{}}},"IpAddress":{{"AWS:SourceIp":"192.0.2.0/24"}}"#, NOW + 10);
    let granting = policy(&condition);
    let vars = [("policy", granting.as_str())];
    let here = Some("192.0.2.7");
    assert!(signed(&plan, view("/y", &none, here), &vars, &secret()).is_err(), "nobody signs what is not granted");
    let fields = signed(&plan, view("/x/1", &none, here), &vars, &secret()).expect("a signed request");
    let verdict = |target, peer| verified(&plan, view(target, &fields, peer), &[], &secret());
    assert_eq!(verdict("/x/1", here), Ok(()));
    assert_eq!(verdict("/x/2?a=b", here), Ok(()), "what else it grants");
    for (target, peer) in
        [("/x", here), ("/y", here), ("/x/1", Some("192.0.3.7")), ("/x/1", None), ("/x/1", Some("?"))]
    {
        assert_eq!(verdict(target, peer), Err(Reason::ValueDisagrees), "{target} {peer:?}");
    }
    // A message is remembered for as long as its policy grants it, and a little longer for clocks that differ.
    let verifier = Verifier::new(Arc::clone(&plan));
    let keys = KeySet::new([Arc::new(secret())]);
    let started = verifier.start(view("/x/1", &fields, here), UnixTime::from_secs(NOW)).expect("a fresh request");
    match started.key(&keys).and_then(NeedsBody::finish) {
        Ok(Checked::NeedsReplay(replay)) => {
            let until = replay.entry().live_until.millis() / 1000;
            assert!((NOW + 9..NOW + 60).contains(&until), "{}", until - NOW);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_ends_of_a_policy_are_outside() {
    let plan = plan(POLICY);
    let none = Fields::new();
    let both = |after: i64, before: i64| {
        format!(r#""DateLessThan":{{"AWS:EpochTime":{before}}},"DateGreaterThan":{{"AWS:EpochTime":{after}}}"#)
    };
    for (after, before, expected) in [
        (NOW - 1, NOW + 1, Ok(())),
        (NOW - 1, NOW, Err(Reason::Expired)),
        (NOW, NOW + 1, Err(Reason::TimestampFuture)),
        (NOW + 5, NOW - 5, Err(Reason::Expired)),
    ] {
        // One that grants nothing now is signed by hand.
        let policy = policy(&both(after, before));
        let key = countersign_core::alg::MacKey::new(countersign_core::alg::Hash::Sha256, b"a secret");
        let mut hex = Vec::new();
        countersign_core::canon::hex_lower(key.mac(policy.as_bytes()).as_bytes(), &mut hex);
        let fields: Fields = vec![("X-Policy".into(), policy.into_bytes()), ("X-Sign".into(), hex)];
        assert_eq!(verified(&plan, view("/x/1", &fields, None), &[], &secret()), expected, "{after} {before}");
    }
    let forged: Fields = vec![("X-Policy".into(), b"AAAA".to_vec()), ("X-Sign".into(), b"00".to_vec())];
    let verdict = verified(&plan, view("/x/1", &forged, None), &[], &secret());
    assert_eq!(verdict, Err(Reason::SignatureMismatch), "what nobody signed is not read");
    assert!(signed(&plan, view("/x/1", &none, None), &[("policy", "AAAA")], &secret()).is_err(), "no policy");
}

#[test]
fn a_policy_has_both_parts() {
    for (without, key) in [("text     = \"{policy | unb64}\"\n", "text"), ("resource = \"{url}\"\n", "resource")] {
        let faults = faults(&POLICY.replace(without, ""));
        assert!(matches!(faults.as_slice(), [one] if one.contains(key)), "{faults:?}");
    }
    let unknown = faults(&POLICY.replace("resource =", "action = \"{method}\"\nresource ="));
    assert!(matches!(unknown.as_slice(), [one] if one.contains("action")), "{unknown:?}");
}

fn derived(key: &str) -> String {
    format!(
        "[header]\nX-Sign = \"{{signature:hex}}\"\n[let]\nsigning-key = '{key}'\n[sign]\nbase = \"{{target}}\"\n\
         signature = \"{{base | ecdsa-p256 signing-key | hex}}\"\n"
    )
}

#[test]
fn a_derived_pair_needs_a_secret_and_a_scalar() {
    let none = Fields::new();
    let good = plan(&derived(r#"{secret | kdf-p256 "label" "context"}"#));
    let fields = signed(&good, view("/a", &none, None), &[], &secret()).expect("a signed request");
    assert_eq!(verified(&good, view("/a", &fields, None), &[], &secret()), Ok(()));
    assert_eq!(verified(&good, view("/b", &fields, None), &[], &secret()), Err(Reason::SignatureMismatch));
    let other = plan(&derived(r#"{secret | kdf-p256 "label" "other"}"#));
    assert_eq!(verified(&other, view("/a", &fields, None), &[], &secret()), Err(Reason::SignatureMismatch));

    // Zero, what is too large, and what has another length are no scalars.
    for hex in ["00".repeat(32), "ff".repeat(32), "11".repeat(31), "11".repeat(33), String::new()] {
        let key = Key::secret(hex.as_bytes());
        let plain = plan(&derived("{secret | unhex}"));
        let verdict = verified(&plain, view("/a", &fields, None), &[], &key);
        assert_eq!(verdict, Err(Reason::KeyUnsuitable), "{hex}");
        assert_eq!(signed(&plain, view("/a", &none, None), &[], &key), Err(SignError::KeyUnsuitable), "{hex}");
    }
    assert_eq!(
        faults(&derived(r#"{target | kdf-p256 "label" "context"}"#)),
        ["nothing secret goes into the signature: anybody could make it"]
    );
    // The same of SM2, and candidates that are counted from 0 are others.
    let sm2 = |key: &str| plan(&derived(key).replace("ecdsa-p256", "sm2-sm3"));
    let good = sm2(r#"{secret | kdf-sm2 "label" "context" 0}"#);
    let fields = signed(&good, view("/a", &none, None), &[], &secret()).expect("a signed request");
    assert_eq!(verified(&good, view("/a", &fields, None), &[], &secret()), Ok(()));
    for other in [r#"{secret | kdf-sm2 "label" "context"}"#, r#"{secret | kdf-p256 "label" "context" 0}"#] {
        let verdict = verified(&sm2(other), view("/a", &fields, None), &[], &secret());
        assert_eq!(verdict, Err(Reason::SignatureMismatch), "{other}");
    }
    for count in ["2", "-1", "x"] {
        let usage = faults(&derived(&format!(r#"{{secret | kdf-p256 "label" "context" {count}}}"#)));
        assert_eq!(usage, ["`kdf-p256` is not used like this"], "{count}");
    }
    let rsa = derived("{secret}").replace("ecdsa-p256", "rsa-sha256");
    assert_eq!(faults(&rsa), ["`rsa-sha256` signs with `private_key`"]);
}

#[test]
fn what_nobody_gave_is_named() {
    let none = Fields::new();
    for (scheme, name) in
        [("cookie-signature", "value"), ("rails-message-verifier", "data"), ("aws-sigv4a", "service")]
    {
        let text = format!("extends = \"{scheme}\"\n");
        let key = secret().with_id("id");
        let vars: &[(&str, &str)] = if scheme == "aws-sigv4a" { &[("region-set", "*")] } else { &[] };
        let refused = signed(&plan(&text), view("/", &none, None), vars, &key);
        assert_eq!(refused, Err(SignError::VarNeeded { name: name.to_owned() }), "{scheme}");
    }
    let refused = signed(&plan("extends = \"aws-sigv4a\"\n"), view("/", &none, None), &[], &secret().with_id("id"));
    assert_eq!(refused, Err(SignError::VarNeeded { name: "region-set".to_owned() }));
}

proptest! {
    /// In front of a signature of one length anything may stand, what separates them too.
    #[test]
    fn a_value_in_front_of_a_signature_is_read_from_the_end(value in "[ -~é.]{0,80}") {
        let plan = plan("extends = \"cookie-signature\"\n");
        let none = Fields::new();
        let fields = signed(&plan, view("/", &none, None), &[("value", &value)], &secret()).expect("a cookie");
        let keys = KeySet::new([Arc::new(secret())]);
        let verifier = Verifier::new(Arc::clone(&plan));
        let explained = verifier.explain(view("/", &fields, None), &keys, UnixTime::from_secs(NOW));
        prop_assert!(explained.verdict.is_ok());
        let read = explained.fields.iter().find(|(name, _)| name == "value").map(|(_, value)| value.as_slice());
        prop_assert_eq!(read, Some(value.as_bytes()));
    }
}

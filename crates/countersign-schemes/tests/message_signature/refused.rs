//! What bad input gets: each fault its own reason, and none of them a verdict by chance.

use countersign_core::{Key, Reason};

use crate::support::{Message, NOW, lax, plan, reason, scheme, secret, sign, strict, verifier, verify, verify_by};

fn transfer() -> Message {
    Message::request("POST", "/transfers?dry=1")
        .with("Content-Type", "application/json")
        .with("X-Other", "1")
        .with("X-List", "a=1")
        .with_body("{\"to\":\"bob\"}")
}

fn signed() -> Message {
    sign(&strict(), &[], &transfer()).expect("it is signed")
}

/// The message with another `Signature-Input`; the signature stands for any.
fn claiming(input: &str) -> Message {
    let label = input.split('=').next().expect("a label").to_owned();
    transfer().with("Signature-Input", input).with("Signature", &format!("{label}=:AAAA:"))
}

#[test]
fn malformed_fields_are_told_apart() {
    for input in [
        "sig1",
        "sig1=1",
        "sig1=(\"@method\"",
        "sig1=(\"@method\");created=\"1\"",
        "sig1=(\"@method\");created=1.0",
        "sig1=(\"@method\");keyid=alice",
        "sig1=(\"@method\");nonce=1",
        "sig1=(\"@method\");created=1714566896;created=1714566896",
        "sig1=(\"@method\"), sig1=(\"@path\")",
        "=(\"@method\")",
    ] {
        let message = claiming("sig1=(\"@method\")").replacing("signature-input", input);
        assert_eq!(reason(verify(&lax(), &[], &message)), Reason::SignatureInputMalformed, "{input}");
    }
    for signature in ["sig1", "sig1=AAAA", "sig1=\"AAAA\"", "sig1=(:AAAA:)", "sig1=:AAAA", "sig1=:AAAA:, sig1=:AAAA:"]
    {
        let message = claiming("sig1=(\"@method\");created=1714566896").replacing("signature", signature);
        assert_eq!(reason(verify(&lax(), &[], &message)), Reason::SignatureMalformed, "{signature}");
    }
}

/// Security 15, 9 and RFC 9421, section 2.5.
#[test]
fn components_that_are_none_are_refused() {
    for (components, expected) in [
        ("\"@method\" \"@method\"", Reason::ComponentDuplicated),
        ("\"x-other\" \"X-Other\"", Reason::ComponentInvalid),
        ("\"x-list\";key=\"a\";sf \"x-list\";sf;key=\"a\"", Reason::ComponentDuplicated),
        ("\"@methd\"", Reason::ComponentUnknown),
        ("\"@signature-params\"", Reason::ComponentUnknown),
        ("\"X-Other\"", Reason::ComponentInvalid),
        ("\"x-other\";unknown", Reason::ComponentInvalid),
        ("\"x-other\";bs;sf", Reason::ComponentInvalid),
        ("\"x-other\";sf", Reason::ComponentInvalid),
        ("\"@method\";req", Reason::ComponentInvalid),
        ("\"@status\"", Reason::ComponentInvalid),
        ("\"@query-param\"", Reason::ComponentInvalid),
        ("\"@query-param\";name=\"absent\"", Reason::ComponentMissing),
        ("\"x-absent\"", Reason::ComponentMissing),
        ("\"x-other\";tr", Reason::ComponentMissing),
        ("\"content-type\";key=\"a\"", Reason::ComponentInvalid),
    ] {
        let message = claiming(&format!("sig1=({components});created={NOW}"));
        assert_eq!(reason(verify(&lax(), &[], &message)), expected, "{components}");
    }
    let twice = Message {
        target: "/?a=1&a=2".to_owned(),
        ..claiming(&format!("sig1=(\"@query-param\";name=\"a\");created={NOW}"))
    };
    assert_eq!(reason(verify(&lax(), &[], &twice)), Reason::FieldDuplicated);
}

#[test]
fn a_field_cannot_pass_for_a_derived_component() {
    let message = signed().with("@method", "GET");
    assert_eq!(reason(verify(&strict(), &[], &message)), Reason::FieldNameReserved);
}

#[test]
fn labels_come_in_pairs() {
    let message = signed();
    assert_eq!(reason(verify(&strict(), &[], &message.clone().without("signature"))), Reason::LabelUnpaired);
    assert_eq!(reason(verify(&strict(), &[], &message.clone().without("signature-input"))), Reason::LabelUnpaired);
    let other = message.value("signature").replacen("sig1", "sig2", 1);
    assert_eq!(
        reason(verify(&strict(), &[], &message.clone().replacing("signature", &other))),
        Reason::LabelUnpaired
    );
    let more = message.clone().with("Signature", "sig2=:AAAA:");
    assert_eq!(reason(verify(&strict(), &[], &more)), Reason::LabelUnpaired);
    let none = message.without("signature").without("signature-input");
    assert_eq!(reason(verify(&strict(), &[], &none)), Reason::SignatureMissing);
}

#[test]
fn parameters_have_a_range() {
    for parameters in ["created=-1", "created=999999999999999", "created=1714566896;expires=1714566895"] {
        let message = claiming(&format!("sig1=(\"@method\");{parameters}"));
        assert_eq!(reason(verify(&lax(), &[], &message)), Reason::ParameterOutOfRange, "{parameters}");
    }
    let expired = sign(&lax(), &[("expires", "1714566900")], &transfer()).expect("it is signed");
    verify_by(&lax(), &[], &expired, secret(), 1_714_566_900).expect("it is valid to its last second");
    assert_eq!(reason(verify_by(&lax(), &[], &expired, secret(), 1_714_566_901)), Reason::Expired);
    let old = signed();
    assert_eq!(reason(verify_by(&strict(), &[], &old, secret(), NOW + 301)), Reason::TimestampStale);
    assert_eq!(reason(verify_by(&strict(), &[], &old, secret(), NOW - 301)), Reason::TimestampFuture);
    let timeless = claiming("sig1=(\"@method\");keyid=\"alice\"");
    assert_eq!(reason(verify(&lax(), &[], &timeless)), Reason::FieldMissing);
}

/// Refused before any cryptography, and before anything is copied.
#[test]
fn there_is_a_limit_to_number_and_size() {
    let many = |count: usize| {
        let mut message = transfer();
        for number in 0..count {
            message = message
                .with("Signature-Input", &format!("s{number}=(\"@method\");created={NOW};tag=\"{number}\""))
                .with("Signature", &format!("s{number}=:AAAA:"));
        }
        message
    };
    assert_eq!(reason(verify(&lax(), &[("tag", "1")], &many(4))), Reason::SignatureMismatch);
    assert_eq!(reason(verify(&lax(), &[("tag", "1")], &many(5))), Reason::SignaturesTooMany);
    let components: Vec<String> = (0..65).map(|number| format!("\"x-{number}\"")).collect();
    let mut wide = claiming(&format!("sig1=({});created={NOW}", components.join(" ")));
    for number in 0..65 {
        wide = wide.with(&format!("X-{number}"), "1");
    }
    assert_eq!(reason(verify(&lax(), &[], &wide)), Reason::TooLarge);
    let long = claiming(&format!("sig1=(\"@method\");created={NOW};tag=\"{}\"", "x".repeat(16 * 1024)));
    assert_eq!(reason(verify(&lax(), &[], &long)), Reason::TooLarge);
}

/// Security 10 and 11, and RFC 9421, section 7.2.1: what a verifier insists on is not the sender's to choose.
#[test]
fn coverage_is_the_verifiers_to_choose() {
    let with = |components: &str| {
        let vars = [("components", components)];
        let signer = countersign_core::Signer::new(strict()).with_var(vars[0].0, vars[0].1);
        let fresh = countersign_core::Freshness {
            now: countersign_core::UnixTime::from_secs(NOW),
            nonce: Some("n-0123456789abcdef"),
        };
        let signed = transfer().seen(|view| signer.sign(view, &secret(), &fresh)).expect("it is signed");
        transfer().signed_with(&signed)
    };
    verify(&strict(), &[], &with("@method @target-uri content-digest")).expect("that is enough");
    verify(&strict(), &[], &with("@method @authority @path @query content-digest")).expect("so is that");
    verify(&strict(), &[], &with("@method @authority @request-target content-digest")).expect("and that");
    for thin in [
        "@target-uri content-digest",
        "@method @path @query content-digest",
        "@method @authority @query content-digest",
        "@method @authority @path content-digest",
        "@method @authority @path \"@query-param\";name=\"dry\" content-digest",
        "@method @target-uri",
    ] {
        assert_eq!(reason(verify(&strict(), &[], &with(thin))), Reason::CoverageTooThin, "{thin}");
    }
    let no_nonce = sign(&strict(), &[("components", "@method @target-uri content-digest")], &transfer());
    assert_eq!(reason(verify(&strict(), &[], &no_nonce.expect("it is signed"))), Reason::FieldMissing);
}

/// `@method;req` is not `@method`, and one parameter more is another component.
#[test]
fn a_required_component_is_required_with_its_parameters() {
    let request = transfer();
    let response = Message::response(200, request).with("X-Other", "a=1");
    let components = [("components", "@status \"@method\";req x-other;key=\"a\"")];
    let signed = sign(&lax(), &components, &response).expect("it is signed");
    verify(&lax(), &[("require", "\"@method\";req")], &signed).expect("it is covered");
    verify(&lax(), &[("require", "x-other;key=\"a\"")], &signed).expect("it is covered");
    for required in ["@method", "x-other", "x-other;key=\"b\"", "x-other;sf", "@status \"@path\";req"] {
        assert_eq!(reason(verify(&lax(), &[("require", required)], &signed)), Reason::CoverageTooThin, "{required}");
    }
}

/// Security 11: a digest that is signed is compared, and one that is not compared covers nothing.
#[test]
fn a_covered_digest_is_compared() {
    let message = signed();
    let changed = Message { body: b"{\"to\":\"eve\"}".to_vec(), ..message.clone() };
    assert_eq!(reason(verify(&strict(), &[], &changed)), Reason::DigestMismatch);
    let emptied = Message { body: Vec::new(), ..message };
    assert_eq!(reason(verify(&strict(), &[], &emptied)), Reason::DigestMismatch);
    // Of two claims both have to be right, whichever one would be preferred.
    let half = signed().value("content-digest");
    let half = transfer().with("Content-Digest", &format!("{half}, sha-512=:{}==:", "A".repeat(86)));
    assert!(sign(&strict(), &[], &half).is_err(), "nobody signs a claim that is wrong");
    for digest in ["md5=:AAAAAAAAAAAAAAAAAAAAAA==:", "unknown=:AAAA:", "sha-384=:AAAA:"] {
        let vars = [("components", "@method @target-uri content-digest")];
        let weak = sign(&lax(), &vars, &transfer().with("Content-Digest", digest)).expect("it is signed");
        verify(&lax(), &[], &weak).expect("nobody insists on the body");
        let insisting = [("require", "content-digest")];
        assert_eq!(reason(verify(&lax(), &insisting, &weak)), Reason::CoverageTooThin, "{digest}");
    }
    for digest in ["sha-256=AAAA", "sha-256=1", "sha-256=:AAAA:, sha-256=:AAAA:", "sha-256"] {
        let forged = claiming(&format!("sig1=(\"content-digest\");created={NOW}")).with("Content-Digest", digest);
        // The signature does not hold: nothing is told of what it does not vouch for.
        assert_eq!(reason(verify(&lax(), &[], &forged)), Reason::SignatureMismatch, "{digest}");
    }
}

/// Security 16, and RFC 9421, sections 7.2.5 to 7.2.7: a foreign signature changes nothing.
#[test]
fn a_foreign_signature_is_no_second_chance() {
    let ours = signed();
    let foreign = ours
        .clone()
        .with("Signature-Input", &format!("theirs=(\"x-other\");created={NOW};keyid=\"mallory\""))
        .with("Signature", "theirs=:AAAA:");
    verify(&strict(), &[], &foreign).expect("one of them covers what is insisted on");
    let changed = foreign.replacing("content-type", "text/plain");
    assert_eq!(reason(verify(&strict(), &[], &changed)), Reason::SignatureMismatch);
    let twin = ours.value("signature-input").replacen("sig1", "sig2", 1);
    let both = ours.clone().with("Signature-Input", &twin).with("Signature", "sig2=:AAAA:");
    assert_eq!(reason(verify(&strict(), &[], &both)), Reason::SignatureAmbiguous);
    verify(&strict(), &[("label", "sig1")], &both).expect("the label says which");
    assert_eq!(reason(verify(&strict(), &[("label", "sig3")], &ours)), Reason::SignatureMissing);
    assert_eq!(reason(verify(&strict(), &[("tag", "app")], &ours)), Reason::SignatureMissing);
}

/// Security 5, and RFC 9421, section 7.3.6: the key decides, and the message may only agree.
#[test]
fn algorithms_are_the_keys_to_choose() {
    let pem = include_str!("../../../../vectors/keys/ed25519.pub.pem");
    let public = || Key::public_pem(pem).expect("a key").with_id("alice");
    // The public key's text as a shared secret.
    let confused =
        crate::support::sign_by(&strict(), &[], &transfer(), &Key::secret(pem.as_bytes()).with_id("alice"));
    let confused = confused.expect("it is signed");
    assert_eq!(reason(verify_by(&strict(), &[], &confused, public(), NOW)), Reason::SignatureMismatch);
    let claims = sign(&strict(), &[("alg", "hmac-sha256")], &transfer()).expect("it is signed");
    verify(&strict(), &[], &claims).expect("it agrees");
    assert_eq!(reason(verify_by(&strict(), &[], &claims, public(), NOW)), Reason::KeyUnsuitable);
    let lies = claims.value("signature-input").replace("hmac-sha256", "ed25519");
    assert_eq!(
        reason(verify(&strict(), &[], &claims.clone().replacing("signature-input", &lies))),
        Reason::KeyUnsuitable
    );
    let mut other = secret();
    other.algorithm = Some("hmac-sha512".to_owned());
    assert_eq!(reason(verify_by(&strict(), &[], &claims, other, NOW)), Reason::KeyUnsuitable);
    let narrow = plan("extends = \"rfc9421\"\n[key]\nalgorithms = [\"ed25519\"]");
    assert_eq!(reason(verify(&narrow, &[], &claims)), Reason::KeyUnsuitable);
}

#[test]
fn a_variable_that_cannot_be_read_lets_nothing_pass() {
    let message = signed();
    for (name, value) in [("require", "@methd"), ("secret-encoding", "rot13"), ("structured", "a=b")] {
        let verifier = verifier(&strict(), &[(name, value)]);
        assert!(verifier.fault().is_some(), "{name}");
        let refused = message.seen(|view| verifier.start(view, countersign_core::UnixTime::from_secs(NOW)).err());
        assert!(refused.is_some(), "{name}");
    }
}

#[test]
fn policies_have_their_faults() {
    for (text, expected) in [
        ("[message-signature]\nlabel = \"sig1\"", "no components are signed"),
        ("[message-signature]\ncomponents = \"@methd\"", "`@methd` is not a component"),
        ("[message-signature]\ncomponents = \"@method\"\nlabel = \"Sig\"", "`Sig` is not a label"),
        ("[message-signature]\ncomponents = \"@method\"\nmost = 17", "1 to 16 signatures"),
        ("[message-signature]\ncomponents = \"@method\"\nsecret = \"rot13\"", "unknown form of a secret"),
        ("[message-signature]\ncomponents = \"@method\"\n[key]\nalgorithms = [\"hmac-md5\"]", "unknown algorithm"),
        ("[message-signature]\ncomponents = \"@method\"\n[require]\ncovered = \"colour\"", "`colour` is not a part"),
        (
            "[message-signature]\ncomponents = \"@method\"\n[require]\nfields = \"colour\"",
            "not a signature parameter",
        ),
        ("[message-signature]\ncomponents = \"@method\"\n[require]\nsigned = \"a\"", "unknown requirement"),
        ("[message-signature]\ncomponents = \"@method\"\n[let]\na = \"b\"", "exclude each other"),
    ] {
        let error = countersign_schemes::load("own.toml", text, &countersign_schemes::Catalogue)
            .expect_err(&format!("{text} has a fault"));
        assert!(error.to_string().contains(expected), "{text}\n{error}");
    }
    scheme("[message-signature]\ncomponents = \"@method\"");
}

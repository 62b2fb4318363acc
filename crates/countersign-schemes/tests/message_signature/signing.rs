//! What is signed is what was named, and verifies.

use countersign_core::{SignError, Transport};

use crate::support::{Message, base, explain, lax, secret, sign, sign_by, strict, verify};

fn transfer() -> Message {
    Message::request("POST", "/transfers?dry=1")
        .with("Content-Type", "application/json")
        .with_body("{\"to\":\"bob\"}")
}

#[test]
fn the_strict_default_verifies_what_it_signs() {
    let signed = sign(&strict(), &[], &transfer()).expect("it is signed");
    let verified = verify(&strict(), &[], &signed).expect("it is verified");
    assert_eq!(verified.key_id(), Some(b"alice".as_slice()));
    assert_eq!(verified.covered().not_covered, [""; 0]);
    let input = signed.value("signature-input");
    assert!(
        input.starts_with("sig1=(\"@method\" \"@target-uri\" \"content-type\" \"content-digest\");created="),
        "{input}"
    );
    assert!(input.contains(";nonce=\""), "{input}");
}

#[test]
fn nothing_is_signed_that_was_not_named() {
    let vars = [("components", "@method content-type"), ("label", "mine")];
    let signed = sign(&strict(), &vars, &transfer()).expect("it is signed");
    let input = signed.value("signature-input");
    assert_eq!(input, "mine=(\"@method\" \"content-type\");created=1714566896;keyid=\"alice\"");
    assert!(!signed.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-digest")));
    verify(&strict(), &[("require", "@method")], &signed).expect("it is verified where no more is asked for");
}

#[test]
fn a_response_signs_what_it_answers() {
    let request = sign(&strict(), &[], &transfer()).expect("it is signed");
    let response = Message::response(200, request.clone()).with("Content-Type", "text/plain").with_body("ok");
    let signed = sign(&strict(), &[], &response).expect("it is signed");
    assert!(signed.value("signature-input").contains("\"@method\";req \"@target-uri\";req"));
    verify(&strict(), &[], &signed).expect("it is verified");
    let mut other = signed.clone();
    other.answers.as_mut().expect("a request").target = "/transfers?dry=0".to_owned();
    assert!(verify(&strict(), &[], &other).is_err());
}

#[test]
fn signatures_stand_side_by_side() {
    let first = sign(&strict(), &[("label", "client")], &transfer()).expect("it is signed");
    let both = sign(&strict(), &[("label", "proxy")], &first).expect("it is signed again");
    for label in ["client", "proxy"] {
        verify(&strict(), &[("label", label)], &both).expect("each is verified");
    }
    let again = sign(&strict(), &[("label", "proxy")], &both);
    assert_eq!(again.unwrap_err(), SignError::AlreadySigned { carrier: "Signature-Input".to_owned() });
}

#[test]
fn what_is_asked_for_is_answered() {
    let asked = "ours=(\"@method\" \"@authority\");created;nonce=\"of the server\";tag=\"app\"";
    let signed = sign(&lax(), &[("accept-signature", asked)], &transfer()).expect("it is signed");
    assert_eq!(
        signed.value("signature-input"),
        "ours=(\"@method\" \"@authority\");created=1714566896;keyid=\"alice\";nonce=\"of the server\";tag=\"app\""
    );
    let absent = sign(&lax(), &[("accept-signature", "ours=(\"x-absent\")")], &transfer());
    assert!(matches!(absent, Err(SignError::Message(_))), "{absent:?}");
    let unreadable = sign(&lax(), &[("accept-signature", "ours=(\"@methd\")")], &transfer());
    assert!(matches!(unreadable, Err(SignError::VarUnreadable { .. })), "{unreadable:?}");
}

#[test]
fn what_would_not_verify_is_not_signed() {
    let wrong_digest = transfer().with("Content-Digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:");
    assert!(matches!(sign(&strict(), &[], &wrong_digest), Err(SignError::Message(_))));
    for components in ["x-absent", "@status", "\"@query-param\";name=\"absent\"", "content-type;sf", "@method;req"] {
        let outcome = sign(&lax(), &[("components", components)], &transfer());
        assert!(matches!(outcome, Err(SignError::Message(_))), "{components}: {outcome:?}");
    }
    for components in ["@methd", "Content-Type", "date date"] {
        let outcome = sign(&lax(), &[("components", components)], &transfer());
        assert!(matches!(outcome, Err(SignError::VarUnreadable { .. })), "{components}: {outcome:?}");
    }
    let past = sign(&lax(), &[("expires", "1714566000")], &transfer());
    assert_eq!(past.unwrap_err(), SignError::ValueUnfit { name: "expires".to_owned() });
    let public =
        countersign_core::Key::public_pem(include_str!("../../../../vectors/keys/ed25519.pub.pem")).expect("a key");
    assert_eq!(sign_by(&lax(), &[], &transfer(), &public).unwrap_err(), SignError::KeyUnsuitable);
}

/// RFC 9421, section 2.2.3: the default port is none, and the host has no case.
#[test]
fn the_authority_is_normalised() {
    for (authority, transport, line) in [
        ("EXAMPLE.com:443", Transport::Https, "\"@authority\": example.com"),
        ("example.com:80", Transport::Http, "\"@authority\": example.com"),
        ("example.com:443", Transport::Http, "\"@authority\": example.com:443"),
        ("[2001:DB8::1]:8443", Transport::Https, "\"@authority\": [2001:db8::1]:8443"),
    ] {
        let message = Message { authority: authority.to_owned(), transport, ..transfer() };
        let signed = sign(&lax(), &[("components", "@authority")], &message).expect("it is signed");
        let explanation = explain(&lax(), &[], &signed, crate::support::secret(), crate::support::NOW);
        assert_eq!(base(&explanation).expect("a base").lines().next(), Some(line));
    }
}

/// RFC 9421, section 2.3: the parameters are signed as they serialise, however they were spelt.
#[test]
fn spellings_of_one_list_have_one_last_line() {
    let last = |input: &str| {
        let message = Message::request("GET", "/?a=1")
            .with("Signature-Input", &format!("sig1={input}"))
            .with("Signature", "sig1=:AAAA:");
        let base = base(&explain(&lax(), &[], &message, secret(), 1_714_566_896)).expect("a base");
        base.lines().last().and_then(|line| line.strip_prefix("\"@signature-params\": ")).map(str::to_owned)
    };
    for (input, wanted) in [
        ("(\"@method\");created=1714566896;keyid=\"a\"", "(\"@method\");created=1714566896;keyid=\"a\""),
        ("( \"@method\"  \"@path\" );  created=1714566896", "(\"@method\" \"@path\");created=1714566896"),
        ("();created=0001714566896", "();created=1714566896"),
        ("(  );x=?1;y=?0;created=1714566896", "();x;y=?0;created=1714566896"),
        ("();created=1714566896;n=-0;m=-7;t=*a/b", "();created=1714566896;n=0;m=-7;t=*a/b"),
        ("();created=1714566896;d=1.50;e=@007", "();created=1714566896;d=1.5;e=@7"),
        // As long as before, and longer: bytes whose last bits were set, and without their padding.
        ("();created=1714566896;b=:/x==:", "();created=1714566896;b=:/w==:"),
        ("();created=1714566896;b=:/w:", "();created=1714566896;b=:/w==:"),
        ("();  created=1714566896;b=:/w:;c=%\"%61\"", "();created=1714566896;b=:/w==:;c=%\"a\""),
        (
            "(\"@query-param\";  name=\"a\" );created=1714566896;s=\"\\\"\\\\\"",
            "(\"@query-param\";name=\"a\");created=1714566896;s=\"\\\"\\\\\"",
        ),
        ("(\"@scheme\" \"@authority\" );created=1714566896", "(\"@scheme\" \"@authority\");created=1714566896"),
    ] {
        assert_eq!(last(input).as_deref(), Some(wanted), "{input}");
    }
}

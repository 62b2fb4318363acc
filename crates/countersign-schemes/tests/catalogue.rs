//! Every scheme of the catalogue is read without a fault, and says what it is.

use countersign_core::scheme::draft::MessageDraft;
use countersign_schemes::{Catalogue, catalogue, load, read};

#[test]
fn every_scheme_is_read() {
    for name in catalogue::names() {
        let text = catalogue::text(name).expect("a name of the catalogue has a text");
        let draft = match read(name, text, &Catalogue) {
            Ok(draft) => draft,
            Err(error) => panic!("{name}:\n{error}"),
        };
        assert_eq!(draft.name, *name);
        for (key, value) in [("title", &draft.title), ("reference", &draft.reference), ("kind", &draft.kind)] {
            assert!(value.is_some(), "{name} lacks `{key}`");
        }
        let either = draft.either.iter().map(|member| &member.request);
        let requests = if draft.either.is_empty() { vec![&draft.request] } else { either.collect() };
        for MessageDraft { carriers, sign, message_signature, .. } in requests {
            // RFC 9421 says itself where its signature stands.
            let stands = message_signature.is_some();
            assert_eq!(stands, carriers.is_empty(), "{name} has no carriers");
            assert_eq!(stands, sign.is_none(), "{name} signs nothing");
        }
    }
}

#[test]
fn every_scheme_can_be_used() {
    let mut wrong = Vec::new();
    for name in catalogue::names() {
        let text = catalogue::text(name).expect("a name of the catalogue has a text");
        if let Err(error) = load(name, text, &Catalogue) {
            wrong.push(format!("{name}:\n{error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_names_that_people_type_are_there() {
    let promised = [
        "1worldsync",
        "1worldsync-content1",
        "aws-sigv4",
        "aws-sigv4-query",
        "aws-sigv4-query-s3",
        "aws-sigv4-s3",
        "countersign-v1",
        "github-webhook",
        "hawk",
        "hawk-bewit",
        "kong-hmac-auth",
        "md5-token",
        "sendgrid-ecdsa",
        "slack-v0",
        "spring-sign",
        "spring-sign-hmac",
        "spring-sign-rsa",
        "standard-webhooks",
        "standard-webhooks-v1a",
        "stripe-webhook",
        "twilio-form",
    ];
    for name in promised {
        assert!(catalogue::text(name).is_some(), "{name}");
    }
}

//! OAuth 1.0 and draft-cavage-12 against what others have printed.
//!
//! Both use an RSA key of 1024 bits, which serves RSA with SHA-1 and nothing else. Under the others it is unsuitable:
//! there the base is compared, and the signature is checked outside the engine.

use crate::case::{Case, json, text};
use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use countersign_core::canon;
use countersign_core::key::{Key, KeySet};
use countersign_core::reject::Reason;
use countersign_core::time::UnixTime;
use serde_json::Value;
use std::sync::Arc;

impl Case {
    fn base(&self) -> String {
        let keys = KeySet::new([Arc::new(self.key.clone())]);
        let explained = self.verifier().explain(self.view(), &keys, UnixTime::from_secs(self.now));
        let found = explained.stages.iter().find(|stage| stage.name == "signature-base");
        let stage = found.unwrap_or_else(|| panic!("no base: {:?}", explained.verdict));
        String::from_utf8(stage.bytes.clone()).expect("text")
    }
}

fn pct(text: &str) -> String {
    let mut out = Vec::new();
    canon::pct(text.as_bytes(), &mut out);
    String::from_utf8(out).expect("text")
}

fn unb64(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    canon::unb64(text.as_bytes(), &mut out).expect("base64");
    out
}

/// The public half of the key in the file, by `openssl rsa -pubout`: with so short a key nothing is signed here.
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDk1/bxyS8Q8jiheHeYYp/4rEKJ\n\
    opeQRRKKpZI4s5i+UPwVpupGAlwXWfzXwSMaKPAoKJNdu7tqKRniqst5uoHXw98g\n\
    j0x7zamu0Ck1LtQ4c7pFMVah5IYGhBi2E9ycNS329W27nJPWNCbESTu7snVlG8V8\n\
    mfvGGg3xNjTMO7IdrwIDAQAB\n\
    -----END PUBLIC KEY-----";

/// The request of RFC 5849, section 3.4.1.1, with every signature that oauthlib's tests expect for it. They let
/// `oauth_signature_method` say HMAC-SHA1 throughout, which is refused here unless it is so.
#[test]
fn oauth1() {
    let Some(file) = json("vendor-api/vendor.json") else { return };
    let cases = file["cases"].as_array().expect("cases");
    let of = |name: &str| cases.iter().find(|row| text(row, "/scheme") == name).expect("a row");
    let message = of("OAuth 1.0 HMAC-SHA1");
    let base = text(message, "/signature_base_string");
    let stated = "[let]\nsignature-method = \"HMAC-SHA1\"\n";
    let rows = [
        ("OAuth 1.0 HMAC-SHA1", "oauth1-hmac-sha1".to_owned(), "hmac-sha1", Ok(())),
        ("OAuth 1.0 HMAC-SHA256", "oauth1-hmac-sha1".to_owned(), "hmac-sha256", Err(Reason::ValueDisagrees)),
        ("OAuth 1.0 HMAC-SHA512", "oauth1-hmac-sha1".to_owned(), "hmac-sha512", Err(Reason::ValueDisagrees)),
        ("OAuth 1.0 RSA-SHA1", "oauth1-rsa-sha1".to_owned(), "", Err(Reason::ValueDisagrees)),
        ("OAuth 1.0 HMAC-SHA256", format!("extends = \"oauth1-hmac-sha1\"\n{stated}"), "hmac-sha256", Ok(())),
        ("OAuth 1.0 HMAC-SHA512", format!("extends = \"oauth1-hmac-sha1\"\n{stated}"), "hmac-sha512", Ok(())),
        ("OAuth 1.0 RSA-SHA1", format!("extends = \"oauth1-rsa-sha1\"\n{stated}"), "", Ok(())),
        (
            "OAuth 1.0 RSA-SHA256",
            format!("extends = \"oauth1-rsa-sha256\"\n{stated}"),
            "",
            Err(Reason::KeyUnsuitable),
        ),
    ];
    for (name, scheme, algorithm, expected) in rows {
        let row = of(name);
        assert_eq!(text(row, "/signature_base_string"), base, "{name}");
        let mut key = match text(row, "/private_pem") {
            "" => Key::secret(text(message, "/client_secret").as_bytes()),
            _ => Key::public_pem(PUBLIC).expect("a key"),
        };
        key = key.with_id(text(message, "/oauth_params/oauth_consumer_key"));
        key.algorithm = (!algorithm.is_empty()).then(|| algorithm.to_owned());
        let url = text(message, "/url");
        let mut fields: Vec<_> = message["oauth_params"].as_object().expect("parameters").iter().collect();
        let signature = Value::from(text(row, "/expected_signature"));
        let signature_name = "oauth_signature".to_owned();
        fields.push((&signature_name, &signature));
        let fields = fields.iter().map(|(name, value)| format!("{name}=\"{}\"", pct(value.as_str().expect("text"))));
        let fields = fields.collect::<Vec<_>>().join(", ");
        let token_secret = if algorithm.is_empty() { None } else { Some(text(message, "/token_secret")) };
        let mut case = Case {
            name: name.to_owned(),
            https: false,
            scheme,
            method: text(message, "/method").into(),
            authority: "example.com".into(),
            target: url.strip_prefix("http://example.com").expect("its host").into(),
            headers: vec![
                ("Content-Type".into(), "application/x-www-form-urlencoded".into()),
                ("Authorization".into(), format!("OAuth {fields}")),
            ],
            body: text(message, "/form_body").into(),
            key,
            now: 137_131_201,
            vars: token_secret.map(|secret| ("token-secret".to_owned(), secret.to_owned())).into_iter().collect(),
        };
        assert_eq!(case.verify(), expected, "{name}");
        if expected == Err(Reason::KeyUnsuitable) {
            case.key = Key::private_pem(private(""))
                .expect("a key")
                .with_id(text(message, "/oauth_params/oauth_consumer_key"));
        }
        if expected != Err(Reason::ValueDisagrees) {
            assert_eq!(case.base(), base, "{name}");
        }
        if expected.is_ok() {
            case.body = case.body.replace("c2", "c3");
            assert_eq!(case.verify(), Err(Reason::SignatureMismatch), "{name} with another body");
        }
    }
}

/// What the draft's own examples need: less has to be signed, and instants may be listed beside `rsa-sha256`, as in the
/// form of C.3 that does not verify.
const LOOSE: &str = r#"
[header]
Date = false
[sign]
base = '{headers | with "(request-target)" "{method | lower} {target}" | with "(created)" "{created}" | with "(expires)" "{expires}" | pick signed reject | fold ", " | each "{k}: {v}" | join "\n"}'
[require]
signed  = false
covered = false
[fresh]
timestamp = false
"#;

/// C.1 lists no headers, which means its Date alone.
const DATE_ALONE: &str = r#"
kind = "request"
[header]
Authorization = 'Signature keyId="{key-id:quotable}",algorithm="rsa-sha256",signature="{signature:b64}"'
[sign]
base = "date: {header.date}"
signature = "{base | rsa-sha256 private_key | b64}"
"#;

/// Appendix C, and messages of the W3C's suite that are not signed as they say.
#[test]
fn draft_cavage_12() {
    let Some(file) = json("cavage/cavage.json") else { return };
    let (mut valid, mut invalid) = (0, 0);
    for row in file["cases"].as_array().expect("cases") {
        let id = text(row, "/id");
        let key_id = text(row, "/params").split('"').nth(1).expect("a key id");
        let headers = row.pointer("/message/headers").and_then(Value::as_array).expect("headers").iter();
        let mut headers: Vec<(String, String)> =
            headers.map(|pair| (text(pair, "/0").to_owned(), text(pair, "/1").to_owned())).collect();
        headers.retain(|(name, _)| name != "Authorization");
        headers.push(("Authorization".into(), format!("Signature {}", text(row, "/params"))));
        let parent = match id {
            "w3c-p256-signed" | "w3c-ecdsa-signed" => "draft-cavage-12-ecdsa-p256",
            "w3c-ed25519-signed" => "draft-cavage-12-ed25519",
            _ => "draft-cavage-12-rsa-sha256",
        };
        let listed = !row["headers_param"].is_null();
        let mut case = Case {
            name: id.to_owned(),
            https: false,
            scheme: if listed { format!("extends = \"{parent}\"\n{LOOSE}") } else { DATE_ALONE.into() },
            method: text(row, "/message/method").into(),
            authority: "example.com".into(),
            target: text(row, "/message/target").into(),
            headers,
            body: text(row, "/message/body").into(),
            key: Key::private_pem(private(parent)).expect("a key").with_id(key_id),
            now: 1_402_170_696,
            vars: Vec::new(),
        };
        // What is sent is what the file says is signed, and another key has not signed it.
        assert_eq!(case.base(), text(row, "/signing_string"), "{id}");
        assert_eq!(case.verify(), Err(Reason::SignatureMismatch), "{id}");
        // Outside the engine three hold, with RSA.
        let pem = text(&file, &format!("/keys/{}/public_pem", text(row, "/key")));
        let der = unb64(&pem.lines().filter(|line| !line.starts_with("--")).collect::<String>());
        let public = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, der);
        let signature = unb64(text(row, "/signature_base64"));
        let holds = public.verify(text(row, "/signing_string").as_bytes(), &signature).is_ok();
        assert_eq!(holds, text(row, "/expected") == "valid", "{id}");
        *(if holds { &mut valid } else { &mut invalid }) += 1;
        // In the engine none does: the curve of one is none of NIST's, RSA needs longer keys.
        let Ok(own) = Key::public_pem(pem) else {
            assert_eq!(id, "w3c-ecdsa-signed");
            continue;
        };
        case.key = own.with_id(key_id);
        let rsa = parent == "draft-cavage-12-rsa-sha256";
        let expected = if rsa { Reason::KeyUnsuitable } else { Reason::SignatureMismatch };
        assert_eq!(case.verify(), Err(expected), "{id}");
        // Nor does any list all that has to be signed, or carry it.
        case.scheme = parent.to_owned();
        let refused = case.verify().expect_err(id);
        assert_ne!(refused, Reason::SignatureMismatch, "{id}");
    }
    assert_eq!((valid, invalid), (3, 5));
}

fn private(scheme: &str) -> &'static str {
    match scheme {
        "draft-cavage-12-ecdsa-p256" => include_str!("../../../../vectors/keys/p256.pem"),
        "draft-cavage-12-ed25519" => include_str!("../../../../vectors/keys/ed25519.pem"),
        _ => include_str!("../../../../vectors/keys/rsa.pem"),
    }
}

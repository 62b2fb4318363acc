//! Keys of the RFCs, and every way to write one wrongly.

use super::*;
use crate::alg::{Asymmetric, KeyError, Verdict};
use proptest::prelude::*;

/// RFC 8037, appendix A.1; its thumbprint is in A.3.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// RFC 7517, appendix A.1 and A.2: P-256.
const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","use":"enc","kid":"1"}"#;
/// RFC 7638, section 3.1: a public RSA key of 2048 bits.
const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
const OCT: &str = r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw","kid":"s"}"#;

fn error(text: &str) -> JwkError {
    Jwk::from_text(text).expect_err(text)
}

/// The key with a member set to another value, or added.
fn with(text: &str, member: &str, value: &str) -> String {
    let mut key: serde_json::Value = serde_json::from_str(text).unwrap();
    key[member] = serde_json::from_str(value).unwrap();
    key.to_string()
}

fn without(text: &str, member: &str) -> String {
    let mut key: serde_json::Value = serde_json::from_str(text).unwrap();
    assert!(key.as_object_mut().unwrap().remove(member).is_some());
    key.to_string()
}

#[test]
fn thumbprints_of_the_rfcs() {
    for (text, thumbprint) in [
        (RSA, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (ED25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ] {
        assert_eq!(Jwk::from_text(text).unwrap().thumbprint(), thumbprint);
        // Of the public half too, and whatever else is said of the key.
        let more = with(&with(text, "use", "\"sig\""), "kid", "\"other\"");
        assert_eq!(Jwk::from_text(&more).unwrap().thumbprint(), thumbprint);
    }
    let public = without(ED25519, "d");
    assert_eq!(Jwk::from_text(&public).unwrap().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // RFC 7638 gives the order of members for the other kinds.
    let ec = without(EC, "use");
    let plain = r#"{"crv":"P-256","kty":"EC","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    for (text, plain) in [(ec.as_str(), plain), (OCT, r#"{"k":"AAECAwQFBgcICQoLDA0ODw","kty":"oct"}"#)] {
        let mut expected = Vec::new();
        canon::b64url(Hash::Sha256.digest(plain.as_bytes()).as_bytes(), &mut expected);
        assert_eq!(Jwk::from_text(text).unwrap().thumbprint().as_bytes(), expected);
    }
}

#[test]
fn both_halves_of_a_pair_belong_together() {
    let by = [(ED25519.to_owned(), Asymmetric::Ed25519), (without(EC, "use"), Asymmetric::EcdsaP256 { raw: true })];
    for (text, by) in by {
        let Ok(Key { material: Material::Private(private), .. }) = Key::private(&text) else { panic!("{text}") };
        let Ok(Key { material: Material::Public(public), .. }) = Key::public(&text) else { panic!("{text}") };
        let Ok(alone) = PublicKey::from_text(&without(&text, "d")) else { panic!("{text}") };
        let mut signature = Vec::new();
        private.sign(by, b"message", &mut signature).unwrap();
        for public in [private.public(), &public, &alone] {
            assert_eq!(public.verify(by, b"message", &signature), Verdict::Holds);
            assert_eq!(public.verify(by, b"messagf", &signature), Verdict::Fails);
        }
    }
}

#[test]
fn what_a_key_says_of_itself_limits_it() {
    let key = Key::public(RSA).unwrap();
    assert_eq!((key.id.as_deref(), key.algorithm.as_deref()), (Some("2011-04-29"), Some("rsa-sha256")));
    let key = Key::public(&with(&with(ED25519, "nbf", "1712793600"), "exp", "1715385600")).unwrap();
    assert!(
        !key.is_valid_at(UnixTime::from_secs(1_712_793_599)) && key.is_valid_at(UnixTime::from_secs(1_712_793_600))
    );
    assert!(
        key.is_valid_at(UnixTime::from_secs(1_715_385_600)) && !key.is_valid_at(UnixTime::from_secs(1_715_385_601))
    );
    for (alg, name) in [("EdDSA", "ed25519"), ("Ed25519", "ed25519")] {
        let key = Key::private(&with(ED25519, "alg", &format!("\"{alg}\""))).unwrap();
        assert_eq!(key.algorithm.as_deref(), Some(name));
    }
    let key = Key::public(&with(&without(EC, "use"), "alg", "\"ES256\"")).unwrap();
    assert_eq!(key.algorithm.as_deref(), Some("ecdsa-p256-raw"));
    let key = Jwk::from_text(&with(OCT, "alg", "\"HS512\"")).unwrap().secret().unwrap();
    assert_eq!((key.id.as_deref(), key.algorithm.as_deref()), (Some("s"), Some("hmac-sha512")));
    let Material::Secret(secret) = key.material else { panic!("a secret") };
    assert_eq!(secret.expose(), (0..16).collect::<Vec<u8>>());
}

#[test]
fn limits_given_besides_are_narrower_or_an_error() {
    let at = UnixTime::from_secs;
    let key = || Key::public(&with(&with(RSA, "nbf", "10"), "exp", "20")).unwrap();
    assert_eq!(key().limited(Some("rsa-sha512"), None, None).unwrap_err(), KeyError::OtherAlgorithm);
    let same = key().limited(Some("rsa-sha256"), Some(at(5)), Some(at(30))).unwrap();
    assert_eq!((same.not_before, same.not_after), (Some(at(10)), Some(at(20))));
    let narrower = key().limited(None, Some(at(15)), Some(at(16))).unwrap();
    assert_eq!((narrower.not_before, narrower.not_after), (Some(at(15)), Some(at(16))));
    assert_eq!(narrower.algorithm.as_deref(), Some("rsa-sha256"));
    let free = Key::public(ED25519).unwrap().limited(Some("ed25519"), None, Some(at(1))).unwrap();
    assert_eq!((free.algorithm.as_deref(), free.not_before, free.not_after), (Some("ed25519"), None, Some(at(1))));
}

#[test]
fn a_key_of_another_kind_or_purpose_is_refused_where_one_is_wanted() {
    let jwk = |text: &str| Jwk::from_text(text).unwrap();
    assert_eq!(jwk(RSA).private().unwrap_err(), JwkError::NotPrivate);
    assert_eq!(jwk(RSA).secret().unwrap_err(), JwkError::NotSecret);
    assert_eq!(jwk(OCT).public().unwrap_err(), JwkError::IsSecret);
    assert_eq!(jwk(OCT).private().unwrap_err(), JwkError::IsSecret);
    assert_eq!(PublicKey::from_text(OCT).unwrap_err(), KeyError::Jwk(JwkError::IsSecret));
    assert!(matches!(jwk(ED25519).key().unwrap().material, Material::Private(_)));
    assert!(matches!(jwk(RSA).key().unwrap().material, Material::Public(_)));
    assert!(matches!(jwk(OCT).key().unwrap().material, Material::Secret(_)));

    let key_ops = JwkError::Contradiction { member: "key_ops" };
    let only = |text, operations| jwk(&with(text, "key_ops", operations));
    assert_eq!(only(ED25519, r#"["verify"]"#).private().unwrap_err(), key_ops);
    assert!(only(ED25519, r#"["verify"]"#).public().is_ok());
    // A private key that signs has a public half that verifies; a public key that would sign is none.
    assert!(only(ED25519, r#"["sign"]"#).public().is_ok());
    assert_eq!(only(RSA, r#"["sign"]"#).public().unwrap_err(), key_ops);
    assert!(only(OCT, r#"["verify"]"#).secret().is_ok());
    assert!(only(ED25519, r#"["deriveBits","sign"]"#).private().is_ok());
}

#[test]
fn every_contradiction_is_told() {
    for (text, member, value, expected) in [
        (RSA, "use", "\"enc\"", JwkError::OtherPurpose { member: "use" }),
        (RSA, "use", "\"SIG\"", JwkError::OtherPurpose { member: "use" }),
        (RSA, "key_ops", r#"["encrypt"]"#, JwkError::OtherPurpose { member: "key_ops" }),
        (RSA, "key_ops", "[]", JwkError::OtherPurpose { member: "key_ops" }),
        (RSA, "alg", "\"PS256x\"", JwkError::UnknownAlgorithm),
        (RSA, "alg", "\"none\"", JwkError::UnknownAlgorithm),
        (RSA, "alg", "\"RSA-OAEP\"", JwkError::UnknownAlgorithm),
        (RSA, "alg", "\"ES256\"", JwkError::AlgorithmUnsuitable),
        (RSA, "alg", "\"HS256\"", JwkError::AlgorithmUnsuitable),
        (OCT, "alg", "\"RS256\"", JwkError::AlgorithmUnsuitable),
        (ED25519, "alg", "\"ES384\"", JwkError::AlgorithmUnsuitable),
        (RSA, "kty", "\"rsa\"", JwkError::UnknownType),
        (RSA, "oth", "[]", JwkError::Primes),
        (ED25519, "crv", "\"X25519\"", JwkError::UnknownCurve),
        (ED25519, "crv", "\"P-256\"", JwkError::UnknownCurve),
    ] {
        assert_eq!(error(&with(text, member, value)), expected, "{member}: {value}");
    }
    let signs = with(ED25519, "use", "\"sig\"");
    assert!(Jwk::from_text(&with(&signs, "key_ops", r#"["sign","verify"]"#)).is_ok());
    let both = with(&signs, "key_ops", r#"["sign","encrypt"]"#);
    assert_eq!(error(&both), JwkError::Contradiction { member: "key_ops" });
    assert_eq!(error(&with(EC, "use", "\"sig\"").replace("P-256", "secp256k1")), JwkError::UnknownCurve);
}

#[test]
fn every_wrong_member_is_named() {
    for (text, member) in [(RSA, "kty"), (RSA, "n"), (RSA, "e"), (ED25519, "crv"), (ED25519, "x"), (OCT, "k")] {
        assert_eq!(error(&without(text, member)), JwkError::Missing { member });
    }
    let ec = without(EC, "use");
    for member in ["crv", "x", "y"] {
        assert_eq!(error(&without(&ec, member)), JwkError::Missing { member });
    }
    // A private RSA key needs all of its numbers.
    let private = with(RSA, "d", "\"AQ\"");
    assert_eq!(error(&private), JwkError::Missing { member: "p" });
    for (text, member, value) in [
        (ED25519, "x", "AAAA"),
        (ED25519, "x", ""),
        (ED25519, "d", "AAAA"),
        (&*ec, "x", "AAAA"),
        (&*ec, "y", "AAAA"),
        (&*ec, "d", "AAAA"),
        (OCT, "k", ""),
        (RSA, "n", "AQAB"),
        (RSA, "e", "AAEAAQ"),
    ] {
        let wrong = with(text, member, &format!("\"{value}\""));
        assert_eq!(error(&wrong), JwkError::Length { member }, "{wrong}");
    }
    for value in ["=", "AA==", "A+/A", "A", "A A", "\\u0041A", "AB"] {
        let wrong = with(OCT, "k", "\"@\"").replace('@', value);
        assert_eq!(
            error(&wrong),
            JwkError::WrongForm { member: "k", wanted: "base64url without padding" },
            "{wrong}"
        );
    }
    for (member, value, wanted) in [
        ("kty", "1", "a string"),
        ("kid", "1", "a string"),
        ("alg", "[]", "a string"),
        ("use", "null", "a string"),
        ("key_ops", "\"sign\"", "an array of distinct strings"),
        ("key_ops", r#"["sign","sign"]"#, "an array of distinct strings"),
        ("key_ops", "[1]", "an array of distinct strings"),
        ("nbf", "\"1\"", "a whole number of seconds"),
        ("exp", "1.5", "a whole number of seconds"),
    ] {
        assert_eq!(error(&with(OCT, member, value)), JwkError::WrongForm { member, wanted });
    }
}

#[test]
fn numbers_that_do_not_belong_together_are_refused() {
    let other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let ec = without(EC, "use");
    for (text, member) in [(ED25519, "d"), (ED25519, "x"), (ec.as_str(), "d"), (ec.as_str(), "x"), (ec.as_str(), "y")]
    {
        assert_eq!(error(&with(text, member, &format!("\"{other}\""))), JwkError::Inconsistent, "{member}");
    }
    assert_eq!(error(&with(&ec, "d", &format!("\"{}\"", "A".repeat(43)))), JwkError::Inconsistent);
    assert_eq!(error(&with(RSA, "e", "\"Ag\"")), JwkError::Inconsistent);
}

#[test]
fn attack_08_a_name_that_comes_twice_is_refused() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{}x",
        r#"{"kty":"oct","k":"AAAA","k":"AAAB"}"#,
        r#"{"kty":"oct","kty":"RSA","k":"AAAA"}"#,
        r#"{"kty":"oct","k":"AAAA","\u006b":"AAAB"}"#,
        r#"{"kty":"oct","k":"AAAA","x5c":1,"x5c":2}"#,
    ] {
        assert_eq!(error(text), JwkError::Json, "{text}");
    }
}

#[test]
fn a_set_passes_over_what_is_not_ours_and_refuses_what_is_broken() {
    let x25519 = with(ED25519, "crv", "\"X25519\"");
    let set = jwks(&format!(r#"{{"keys":[{RSA},{EC},{x25519},{{"kty":"AKP"}},{ED25519}],"more":1}}"#)).unwrap();
    assert_eq!((set.keys.len(), set.passed_over), (2, 3));
    assert_eq!(jwks(OCT).unwrap().keys.len(), 1);
    let fault = |text: &str| jwks(text).unwrap_err();
    for (text, index, error) in [
        (format!(r#"{{"keys":[{RSA},{}]}}"#, without(ED25519, "x")), Some(1), JwkError::Missing { member: "x" }),
        (format!(r#"{{"keys":[{EC}]}}"#), None, JwkError::Empty),
        (r#"{"keys":[]}"#.to_owned(), None, JwkError::Empty),
        (r#"{"keys":{}}"#.to_owned(), None, JwkError::WrongForm { member: "keys", wanted: "an array" }),
        (r#"{"keys":[1]}"#.to_owned(), Some(0), JwkError::Json),
        (r#"{"keys":[],"keys":[]}"#.to_owned(), None, JwkError::Json),
        ("[]".to_owned(), None, JwkError::Json),
        ("{}".to_owned(), None, JwkError::Missing { member: "kty" }),
    ] {
        assert_eq!(fault(&text), JwksError { index, error }, "{text}");
    }
    let broken = format!(r#"{{"keys":[{RSA},{}]}}"#, without(ED25519, "x"));
    assert_eq!(fault(&broken).to_string(), "keys[1]: `x` is missing");
}

/// The key of RFC 9421, appendix B.1.4, under the name that draft-meunier-web-bot-auth-architecture gives it.
#[test]
fn a_directory_names_its_keys_by_their_thumbprints() {
    let text = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"anything","use":"sig","nbf":1712793600,"exp":1715385600,"x":"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}],"purpose":"rag"}"#;
    let keys = directory(text).unwrap();
    assert_eq!(keys[0].id.as_deref(), Some("poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"));
    assert_eq!(keys[0].not_after, Some(UnixTime::from_secs(1_715_385_600)));
    // What a private key has leaked into is still a directory of public keys; a secret is none.
    assert!(matches!(directory(ED25519).unwrap()[0].material, Material::Public(_)));
    assert_eq!(directory(OCT).unwrap_err().error, JwkError::IsSecret);
}

#[test]
fn attack_35_nothing_of_a_key_is_printed() {
    for text in [OCT, ED25519] {
        let printed = format!("{:?}", Jwk::from_text(text).unwrap());
        assert!(!printed.contains("AAEC") && !printed.contains("nWGx") && !printed.contains("0, 1, 2"), "{printed}");
    }
}

proptest! {
    #[test]
    fn any_text_is_judged(text: String, near in r#"\{("(kty|crv|x|d|k|alg|use|key_ops)":("(oct|RSA|EC|OKP|P-256|Ed25519|[A-D]{0,43})"|\[\]|1),?){0,5}\}"#) {
        let _ = (Jwk::from_text(&text), Jwk::from_text(&near), jwks(&text), directory(&near));
    }
}

fn published(key: &Key) -> String {
    Published::of(key).unwrap().to_text().unwrap()
}

/// What comes back of a key that was written.
fn read_back(text: &str) -> Key {
    Key::public(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn der_of(key: &Key) -> Vec<u8> {
    match &key.material {
        Material::Public(public) => public.to_der().unwrap(),
        Material::Private(private) => private.public().to_der().unwrap(),
        Material::Secret(_) => panic!("no pair"),
    }
}

#[test]
fn what_is_written_has_the_thumbprint_and_the_members_of_the_rfcs() {
    let ed25519 = published(&Key::private(&with(ED25519, "kid", "\"a\"")).unwrap());
    assert_eq!(
        ed25519,
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a","use":"sig"}"#
    );
    assert_eq!(Jwk::from_text(&ed25519).unwrap().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let rsa = published(&Key::public(RSA).unwrap());
    assert_eq!(Jwk::from_text(&rsa).unwrap().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let members = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(members(&rsa), members(&with(RSA, "use", "\"sig\"")));
    let ec = with(EC, "use", "\"sig\"");
    assert_eq!(members(&published(&Key::private(&ec).unwrap())), members(&without(&ec, "d")));
}

#[test]
fn what_limits_a_key_is_written_where_there_is_a_word_for_it() {
    let key = |algorithm| Key::public(&without(RSA, "alg")).unwrap().limited(algorithm, None, None).unwrap();
    for (algorithm, alg) in [
        (None, None),
        (Some("rsa-sha512"), Some("RS512")),
        (Some("rsa-pss-sha256"), Some("PS256")),
        // As RFC 9421 names it.
        (Some("rsa-v1_5-sha256"), Some("RS256")),
        (Some("rsa-sha1"), None),
    ] {
        let written: serde_json::Value = serde_json::from_str(&published(&key(algorithm))).unwrap();
        assert_eq!(written.get("alg").and_then(serde_json::Value::as_str), alg, "{algorithm:?}");
    }
    // JOSE has no DER.
    let ec = |algorithm| Key::private(&without(EC, "use")).unwrap().limited(Some(algorithm), None, None).unwrap();
    assert!(!published(&ec("ecdsa-p256")).contains("alg"));
    assert!(published(&ec("ecdsa-p256-raw")).contains("\"alg\":\"ES256\""));
    let at = |seconds| Some(UnixTime::from_secs(seconds));
    let lasting = Key::public(RSA).unwrap().limited(None, at(1_000), at(2_000)).unwrap();
    let back = read_back(&published(&lasting));
    assert_eq!((back.not_before, back.not_after), (at(1_000), at(2_000)));
    assert_eq!(back.algorithm.as_deref(), Some("rsa-sha256"));
}

#[test]
fn attack_35_what_is_published_has_no_private_member() {
    let pairs = [ED25519.to_owned(), without(EC, "use")];
    for text in pairs {
        let key = Key::private(&text).unwrap();
        let pair: serde_json::Value = serde_json::from_str(&text).unwrap();
        let written = published(&key);
        assert!(!written.contains(pair["d"].as_str().unwrap()), "{written}");
        let written: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&written).unwrap();
        for (name, _) in &written {
            assert!(["kty", "crv", "x", "y", "kid", "use"].contains(&name.as_str()), "{name}");
        }
    }
    let secret = Jwk::from_text(OCT).unwrap().secret().unwrap();
    assert_eq!(Published::of(&secret).unwrap_err(), JwkError::IsSecret);
}

#[test]
fn there_is_no_json_web_key_of_an_sm2_key() {
    let key =
        Key::of(Material::Private(Arc::new(PrivateKey::from_scalar(crate::alg::KeyKind::Sm2, &[7; 32]).unwrap())));
    assert!(Published::of(&key).unwrap().to_text().unwrap_err().is_foreign());
}

#[test]
fn a_written_set_is_read_as_one() {
    let keys = [ED25519, RSA].map(|text| published(&Key::public(text).unwrap()));
    let set = written_set(keys.iter().map(String::as_str));
    let read: Vec<_> = jwks(&set).unwrap().keys.iter().map(Jwk::thumbprint).collect();
    assert_eq!(read, keys.each_ref().map(|text| Jwk::from_text(text).unwrap().thumbprint()));
    assert_eq!(jwks(&written_set([])).unwrap_err().error, JwkError::Empty);
}

/// A pair of each kind, from 32 bytes.
fn pair(kind: u8, seed: [u8; 32]) -> Option<PrivateKey> {
    use crate::alg::KeyKind;
    match kind {
        0 => PrivateKey::from_scalar(KeyKind::P256, &seed).ok(),
        1 => {
            let head = [0x30, 0x3e, 0x02, 0x01, 0x01, 0x04, 0x30];
            let curve = [0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
            PrivateKey::from_der(&[&head[..], &[0; 16], &seed, &curve].concat()).ok()
        }
        _ => {
            // The public half is made of the seed: through PKCS#8 without it (RFC 8410, section 7).
            let head =
                [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
            PrivateKey::from_der(&[&head[..], &seed].concat()).ok()
        }
    }
}

proptest! {
    #[test]
    fn a_key_that_was_written_is_read_as_the_same(
        kind in 0_u8..3,
        seed: [u8; 32],
        kid in "\\PC{1,40}|[\"\\\\\n\u{1}é]{1,8}",
    ) {
        if let Some(private) = pair(kind, seed) {
            let key = Key::of(Material::Private(Arc::new(private))).with_id(&kid);
            let text = published(&key);
            let back = read_back(&text);
            prop_assert_eq!(back.id.as_deref(), Some(kid.as_str()));
            prop_assert_eq!(der_of(&back), der_of(&key));
            // And once more.
            prop_assert_eq!(published(&back), text);
        }
    }
}

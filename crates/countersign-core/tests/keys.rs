//! Keys: every supported form is read, everything else is refused, and a key serves its own algorithms only.

use countersign_core::alg::{Asymmetric, Hash, KeyError, KeyKind, PrivateKey, PublicKey, Verdict};
use countersign_core::{Key, Material};
use proptest::prelude::*;

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("keys/", $name, ".pem"))
    };
}

const MESSAGE: &[u8] = b"message";
const RSA_SHA1: Asymmetric = Asymmetric::RsaPkcs1(Hash::Sha1);
const PAIRS: &[(KeyKind, &str, &str)] = &[
    (KeyKind::Rsa, key!("rsa-2048.pkcs8"), key!("rsa-2048.spki")),
    (KeyKind::P256, key!("p256.pkcs8"), key!("p256.spki")),
    (KeyKind::P384, key!("p384.pkcs8"), key!("p384.spki")),
    (KeyKind::Ed25519, key!("ed25519.pkcs8"), key!("ed25519.spki")),
    (KeyKind::Sm2, key!("sm2.pkcs8"), key!("sm2.spki")),
];

#[test]
fn attack_05_algorithm_confusion_only_the_diagonal_verifies() {
    let pairs: Vec<_> = PAIRS.iter().map(|(_, private, _)| PrivateKey::from_pem(private).unwrap()).collect();
    let mut held = 0;
    for signer in &pairs {
        for signed_by in Asymmetric::ALL {
            let mut signature = b"before".to_vec();
            match signer.sign(*signed_by, MESSAGE, &mut signature) {
                Ok(()) => assert_eq!(signer.kind(), signed_by.key_kind()),
                Err(error) => {
                    assert_ne!(signer.kind(), signed_by.key_kind());
                    assert_eq!(error, KeyError::Unsuitable);
                    assert_eq!(signature, b"before", "a refusal writes nothing");
                    continue;
                }
            }
            assert!(signature.starts_with(b"before"), "signatures are appended");
            let signature = &signature[b"before".len()..];
            for verifier in pairs.iter().map(PrivateKey::public) {
                for judged_by in Asymmetric::ALL {
                    let expected = if verifier.kind() != judged_by.key_kind() {
                        Verdict::Unsuitable
                    } else if signed_by == judged_by {
                        Verdict::Holds
                    } else {
                        Verdict::Fails
                    };
                    let verdict = verifier.verify(*judged_by, MESSAGE, signature);
                    assert_eq!(verdict, expected, "{} judged as {}", signed_by.name(), judged_by.name());
                    held += usize::from(verdict == Verdict::Holds);
                }
            }
        }
    }
    assert_eq!(held, Asymmetric::ALL.len(), "each algorithm, once");
}

#[test]
fn algorithms_without_a_name_have_no_key() {
    let key = PrivateKey::from_pem(key!("rsa-2048.pkcs8")).unwrap();
    for nameless in [
        Asymmetric::RsaPkcs1(Hash::Md5),
        Asymmetric::RsaPkcs1(Hash::Sm3),
        Asymmetric::RsaPss(Hash::Md5),
        Asymmetric::RsaPss(Hash::Sha1),
        Asymmetric::RsaPss(Hash::Sm3),
    ] {
        assert_eq!(key.public().verify(nameless, MESSAGE, &[0; 256]), Verdict::Unsuitable);
        assert_eq!(key.sign(nameless, MESSAGE, &mut Vec::new()), Err(KeyError::Unsuitable));
    }
}

#[test]
fn attack_02_every_other_length_and_every_flipped_bit_fails() {
    for (kind, private, public) in PAIRS {
        let (private, public) = (PrivateKey::from_pem(private).unwrap(), PublicKey::from_pem(public).unwrap());
        for by in Asymmetric::ALL.iter().filter(|by| by.key_kind() == *kind) {
            let mut signature = Vec::new();
            private.sign(*by, MESSAGE, &mut signature).unwrap();
            assert_eq!(public.verify(*by, MESSAGE, &signature), Verdict::Holds, "{}", by.name());
            assert_eq!(public.verify(*by, b"messagf", &signature), Verdict::Fails, "{}", by.name());
            assert_eq!(public.verify(*by, b"", &signature), Verdict::Fails, "{}", by.name());
            for len in 0..signature.len() {
                let verdict = public.verify(*by, MESSAGE, &signature[..len]);
                assert_eq!(verdict, Verdict::Fails, "{}: {len} bytes", by.name());
                let mut flipped = signature.clone();
                flipped[len] ^= 1 << (len % 8);
                assert_eq!(public.verify(*by, MESSAGE, &flipped), Verdict::Fails, "{}: byte {len}", by.name());
            }
            signature.push(0);
            assert_eq!(public.verify(*by, MESSAGE, &signature), Verdict::Fails, "{}: longer", by.name());
        }
    }
}

#[test]
fn every_form_of_a_key_is_the_same_key() {
    for (signer, verifier, by) in [
        (key!("rsa-2048.pkcs1"), key!("rsa-2048.rsapublickey"), "rsa-sha256"),
        (key!("rsa-2048.pkcs1"), key!("rsa-2048.spki"), "rsa-pss-sha512"),
        (key!("rsa-2048.pkcs8"), key!("rsa-2048.rsapublickey"), "rsa-sha384"),
        (key!("rsa-2048.pkcs8"), key!("rsa-2048.spki"), "rsa-sha1"),
        (key!("rsa-2048.pkcs1"), key!("rsa-2048.rsapublickey"), "rsa-sha1"),
        (key!("rsa-1024.pkcs8"), key!("rsa-1024.spki"), "rsa-sha1"),
        (key!("p256.sec1"), key!("p256.spki"), "ecdsa-p256"),
        (key!("p384.sec1"), key!("p384.spki"), "ecdsa-p384-raw"),
        (key!("ed25519.pkcs8"), key!("ed25519.spki"), "ed25519"),
        (key!("sm2.sec1"), key!("sm2.spki"), "sm2-sm3"),
    ] {
        let by = Asymmetric::from_name(by).unwrap();
        let mut signature = Vec::new();
        PrivateKey::from_pem(signer).unwrap().sign(by, MESSAGE, &mut signature).unwrap();
        let public = PublicKey::from_pem(verifier).unwrap();
        assert_eq!(public.verify(by, MESSAGE, &signature), Verdict::Holds, "{}", by.name());
    }
}

/// RFC 9421, appendix B.1: of each key, PEM and JSON Web Key are the same key, in every form that is printed there. The
/// private key of B.1.2 says by its identifier that it is for RSASSA-PSS, and serves nothing else.
#[test]
fn the_keys_of_rfc_9421_are_the_same_as_pem_and_as_jwk() {
    let Some(vectors) = vectors("rfc9421/rfc9421.json") else { return };
    let mut pairs = 0;
    for (name, key) in vectors["keys"].as_object().unwrap() {
        let Some(public) = key["public_pem"].as_str() else {
            assert_eq!(key["alg"], "hmac-sha256", "{name}");
            continue;
        };
        let jwk = key["jwk"].to_string();
        let publics = [PublicKey::from_pem(public), PublicKey::from_text(&jwk)].map(Result::unwrap);
        let privates = [Key::private(key["private_pem"].as_str().unwrap()), Key::private(&jwk)].map(|key| {
            let Material::Private(private) = key.unwrap().material else { panic!("{name}: a private key") };
            private
        });
        assert_eq!(Key::public(&jwk).unwrap().id.as_deref(), Some(name.as_str()));
        let algorithms = Asymmetric::ALL.iter().filter(|by| publics[0].fits(**by) && **by != RSA_SHA1);
        let mut signed = 0;
        for by in algorithms {
            for (form, private) in privates.iter().enumerate() {
                let mut signature = Vec::new();
                if let Err(error) = private.sign(*by, MESSAGE, &mut signature) {
                    assert!(name == "test-key-rsa-pss" && form == 0 && by.name().starts_with("rsa-sha"), "{name}");
                    assert_eq!(error, KeyError::Unsuitable);
                    continue;
                }
                for public in publics.iter().chain([private.public()]) {
                    assert_eq!(public.verify(*by, MESSAGE, &signature), Verdict::Holds, "{name}: {}", by.name());
                    assert_eq!(public.verify(*by, b"messagf", &signature), Verdict::Fails, "{name}: {}", by.name());
                }
                signed += 1;
            }
        }
        assert!(signed >= 2, "{name}");
        pairs += 1;
    }
    assert_eq!(pairs, 4);
}

/// One number of a private key changed at a time.
#[test]
fn attack_02_a_jwk_of_another_pair_is_refused() {
    let Some(vectors) = vectors("rfc9421/rfc9421.json") else { return };
    let mut refused = 0;
    for (name, key) in vectors["keys"].as_object().unwrap() {
        let Some(members) = key["jwk"].as_object() else { continue };
        for (member, value) in members.iter().filter(|(member, _)| !["kty", "crv", "kid"].contains(&member.as_str()))
        {
            let mut changed = members.clone();
            let text = value.as_str().unwrap();
            let first = if text.starts_with('B') { "C" } else { "B" };
            changed[member] = format!("{first}{}", &text[1..]).into();
            let changed = serde_json::Value::Object(changed).to_string();
            assert!(Key::private(&changed).is_err(), "{name}: {member}");
            refused += 1;
        }
    }
    assert_eq!(refused, 8 + 8 + 3 + 2);
}

#[test]
fn rsa_keys_for_pss_alone_are_told_by_their_identifier() {
    let Some(vectors) = vectors("rfc9421/rfc9421.json") else { return };
    let private = vectors["keys"]["test-key-rsa-pss"]["private_pem"].as_str().unwrap();
    let private = PrivateKey::from_pem(private).unwrap();
    for by in Asymmetric::ALL {
        assert_eq!(private.public().fits(*by), matches!(by, Asymmetric::RsaPss(_)), "{}", by.name());
    }
    // The same public key as SPKI with that identifier, which has no NULL behind it.
    let public = vectors["keys"]["test-key-rsa-pss"]["public_pem"].as_str().unwrap();
    let der = pem::parse(public).unwrap().into_contents();
    let rest = [&der[6..16], &[0x0a]].concat();
    let identifier = [&[0x30, 0x82, 0x01, 0x20, 0x30, 0x0b][..], &rest, &der[19..]].concat();
    let read = PublicKey::from_der(&identifier).unwrap();
    for by in Asymmetric::ALL {
        assert_eq!(read.fits(*by), matches!(by, Asymmetric::RsaPss(_)), "{}", by.name());
    }
    for end in 0..identifier.len() {
        assert!(PublicKey::from_der(&identifier[..end]).is_err());
    }
    // Parameters would limit the hash, which is not read.
    let limited = [&[0x30, 0x82, 0x01, 0x22, 0x30, 0x0d][..], &rest, &[0x30, 0x00], &der[19..]].concat();
    assert!(PublicKey::from_der(&limited).is_err());
}

/// A file of the vectors beside the repository.
#[expect(clippy::disallowed_methods, reason = "the engine does no I/O; its test vectors lie in files")]
fn vectors(file: &str) -> Option<serde_json::Value> {
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")),
        std::path::PathBuf::from,
    );
    let file = root.join(file);
    if !file.is_file() {
        eprintln!("skipped: no vectors; COUNTERSIGN_VECTORS names their folder");
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
}

/// GM/T 0003.5, appendix A.2: the recommended curve, the default identity.
#[test]
fn sm2_holds_for_the_example_of_its_standard() {
    let spki = "3059301306072a8648ce3d020106082a811ccf5501822d03420004\
                09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
                ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
    let signature = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
                     b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
    let public = PublicKey::from_der(&const_hex::decode(spki).unwrap()).unwrap();
    let signature = const_hex::decode(signature).unwrap();
    let raw = Asymmetric::Sm2 { raw: true };
    assert_eq!(public.verify(raw, b"message digest", &signature), Verdict::Holds);
    assert_eq!(public.verify(raw, b"message digesu", &signature), Verdict::Fails);
    // The private key of the example signs what its public key takes, and the same each time.
    let private = "30310201010420\
                   3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8\
                   a00a06082a811ccf5501822d";
    let private = PrivateKey::from_der(&const_hex::decode(private).unwrap()).unwrap();
    let mut signatures = [Vec::new(), Vec::new()];
    for signature in &mut signatures {
        private.sign(raw, b"message digest", signature).unwrap();
        assert_eq!(public.verify(raw, b"message digest", signature), Verdict::Holds);
    }
    assert_eq!(signatures[0], signatures[1]);
    // r and s of zero, of the order, and past it.
    let order = const_hex::decode("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123").unwrap();
    for part in [[0; 32].as_slice(), &order, &[0xff; 32]] {
        for (r, s) in [(part, &signature[32..]), (&signature[..32], part), (part, part)] {
            assert_eq!(public.verify(raw, b"message digest", &[r, s].concat()), Verdict::Fails, "{part:?}");
        }
    }
}

#[test]
fn sm2_is_what_openssl_makes_of_it() {
    let public = PublicKey::from_pem(key!("sm2.spki")).unwrap();
    let der = Asymmetric::Sm2 { raw: false };
    assert_eq!(public.verify(der, MESSAGE, include_bytes!("keys/sm2.sm3.sig")), Verdict::Holds);
    // The same key and message, signed for `alice`.
    let alice = const_hex::decode(SM2_OF_ALICE).unwrap();
    assert_eq!(public.verify(der, MESSAGE, &alice), Verdict::Fails);
    // A point that is not on the curve, and the one at infinity.
    let spki = pem_body(key!("sm2.spki"));
    let mut off = spki.clone();
    *off.last_mut().unwrap() ^= 1;
    assert_eq!(PublicKey::from_der(&off).unwrap_err(), KeyError::Malformed);
    // P-256's name on a key of SM2's curve.
    assert_eq!(PublicKey::from_der(&renamed(&spki)).unwrap_err(), KeyError::Malformed);
}

const SM2_OF_ALICE: &str = "304402204007d0f3f0aa5daa0d4c7ad38f4f6499036c123388e469b92d52f30c6cca9482\
                            02202c2904720e525e4674cbf94741e1a11e3d1f93d894993ddc4b741a94f8f6f5a2";

fn pem_body(text: &str) -> Vec<u8> {
    pem::parse(text).unwrap().into_contents()
}

/// With the curve's identifier replaced by that of P-256.
fn renamed(spki: &[u8]) -> Vec<u8> {
    let (sm2, p256) =
        (const_hex::decode("06082a811ccf5501822d").unwrap(), const_hex::decode("06082a8648ce3d030107").unwrap());
    let at = spki.windows(sm2.len()).position(|part| part == sm2).unwrap();
    [&spki[..at], &p256, &spki[at + sm2.len()..]].concat()
}

/// RFC 8032, section 7.1, test 1: seed, public key, and the signature over nothing.
#[test]
fn ed25519_from_seed() {
    let seed = const_hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
    let public = const_hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
    let expected = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
                    d25bf5f0595bbe24655141438e7a100b";
    for bytes in [seed.clone(), [&seed[..], &public].concat()] {
        let key = PrivateKey::from_ed25519(&bytes).unwrap();
        let mut signature = Vec::new();
        key.sign(Asymmetric::Ed25519, b"", &mut signature).unwrap();
        assert_eq!(const_hex::encode(&signature), expected);
        let public = PublicKey::from_ed25519(&public).unwrap();
        assert_eq!(public.verify(Asymmetric::Ed25519, b"", &signature), Verdict::Holds);
    }
    let of_another = [&seed[..], &seed].concat();
    for wrong in [&seed[1..], &of_another, &[seed.as_slice(), &public, &[0]].concat(), &[]] {
        assert_eq!(PrivateKey::from_ed25519(wrong).unwrap_err(), KeyError::Malformed);
    }
    for wrong in [&public[1..], &[public.as_slice(), &[0]].concat(), &[]] {
        assert_eq!(PublicKey::from_ed25519(wrong).unwrap_err(), KeyError::Malformed);
    }
}

/// The `.sig` files are OpenSSL's; PKCS#1 v1.5 leaves nothing to the signer.
#[test]
fn sha1_signatures_are_what_openssl_makes_whatever_blinds_them() {
    for (private, expected) in [
        (key!("rsa-2048.pkcs8"), include_bytes!("keys/rsa-2048.sha1.sig").as_slice()),
        (key!("rsa-2048.pkcs1"), include_bytes!("keys/rsa-2048.sha1.sig")),
        (key!("rsa-1024.pkcs8"), include_bytes!("keys/rsa-1024.sha1.sig")),
    ] {
        let signer = PrivateKey::from_pem(private).unwrap();
        assert_eq!(signer.kind(), KeyKind::Rsa);
        for _ in 0..3 {
            let mut signature = Vec::new();
            signer.sign(RSA_SHA1, MESSAGE, &mut signature).unwrap();
            assert_eq!(signature, expected);
        }
    }
}

#[test]
fn a_short_private_key_serves_sha1_and_nothing_else() {
    let old = PrivateKey::from_pem(key!("rsa-1024.pkcs8")).unwrap();
    for by in Asymmetric::ALL.iter().filter(|by| **by != RSA_SHA1) {
        let mut signature = b"before".to_vec();
        assert_eq!(old.sign(*by, MESSAGE, &mut signature), Err(KeyError::Unsuitable), "{}", by.name());
        assert_eq!(signature, b"before", "{}", by.name());
    }
}

#[test]
fn a_private_key_whose_numbers_do_not_fit_together_is_refused() {
    for private in [key!("rsa-1024.pkcs8"), key!("rsa-2048.pkcs1")] {
        let der = pem_body(private);
        // Somewhere in the modulus, the private exponent, and the primes.
        for at in [der.len() / 6, der.len() / 3, der.len() / 2, der.len() * 2 / 3] {
            let mut damaged = der.clone();
            damaged[at] ^= 1;
            assert!(PrivateKey::from_der(&damaged).is_err(), "byte {at}: {private}");
        }
    }
}

#[test]
fn sha1_is_verified_with_old_keys() {
    let old = PublicKey::from_pem(key!("rsa-1024.spki")).unwrap();
    assert_eq!(old.verify(RSA_SHA1, MESSAGE, include_bytes!("keys/rsa-1024.sha1.sig")), Verdict::Holds);
    assert_eq!(old.verify(RSA_SHA1, b"other", include_bytes!("keys/rsa-1024.sha1.sig")), Verdict::Fails);
    for by in Asymmetric::ALL.iter().filter(|by| **by != RSA_SHA1) {
        assert_eq!(old.verify(*by, MESSAGE, &[0; 128]), Verdict::Unsuitable, "{}", by.name());
    }
    let new = PublicKey::from_pem(key!("rsa-2048.spki")).unwrap();
    assert_eq!(new.verify(RSA_SHA1, MESSAGE, include_bytes!("keys/rsa-2048.sha1.sig")), Verdict::Holds);
}

#[test]
fn what_is_not_a_public_key_is_refused() {
    for (text, expected) in [
        ("", KeyError::Malformed),
        ("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", KeyError::Malformed),
        ("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n", KeyError::Malformed),
        (key!("p256.certificate"), KeyError::OtherContent),
        (key!("p256.pkcs8"), KeyError::OtherContent),
        (key!("p521.spki"), KeyError::Malformed),
        (key!("rsa-512.spki"), KeyError::WrongSize { bits: 512 }),
        (concat!(key!("p256.spki"), key!("p384.spki")), KeyError::Several),
    ] {
        assert_eq!(PublicKey::from_pem(text).unwrap_err(), expected, "{text}");
    }
}

/// RFC 8032, section 7.1, test 1, as vendors publish their keys.
#[test]
fn an_ed25519_public_key_may_be_64_hexadecimal_digits() {
    let digits = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let signature = const_hex::decode(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
         d25bf5f0595bbe24655141438e7a100b",
    )
    .unwrap();
    for text in [digits.to_owned(), digits.to_uppercase(), format!("  {digits}\r\n")] {
        let key = PublicKey::from_text(&text).unwrap();
        assert_eq!(key.kind(), KeyKind::Ed25519);
        assert_eq!(key.verify(Asymmetric::Ed25519, b"", &signature), Verdict::Holds, "{text:?}");
    }
    let pem = key!("p256.spki");
    assert_eq!(PublicKey::from_text(pem).unwrap().kind(), KeyKind::P256);
    for wrong in
        [&digits[1..], &format!("{digits}0"), &format!("0x{}", &digits[2..]), &format!("{}zz", &digits[2..]), ""]
    {
        assert_eq!(PublicKey::from_text(wrong).unwrap_err(), KeyError::Malformed, "{wrong:?}");
    }
}

#[test]
fn what_is_not_a_private_key_is_refused() {
    for (text, expected) in [
        ("", KeyError::Malformed),
        ("secret", KeyError::Malformed),
        (key!("rsa-2048.spki"), KeyError::OtherContent),
        (key!("rsa-2048.encrypted"), KeyError::Encrypted),
        (key!("rsa-2048.encrypted-pkcs1"), KeyError::Encrypted),
        (key!("p521.sec1"), KeyError::Malformed),
        (key!("rsa-512.pkcs8"), KeyError::WrongSize { bits: 512 }),
        (key!("ed448.pkcs8"), KeyError::Malformed),
        (concat!(key!("p256.pkcs8"), key!("p384.pkcs8")), KeyError::Several),
    ] {
        assert_eq!(PrivateKey::from_pem(text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn a_damaged_encoding_is_refused() {
    for (_, private, public) in PAIRS {
        let der = pem::parse(public).unwrap().into_contents();
        assert!(PublicKey::from_der(&der).is_ok());
        assert!(PublicKey::from_der(&[&der[..], &[0]].concat()).is_err(), "trailing byte: {public}");
        for len in 0..der.len() {
            assert!(PublicKey::from_der(&der[..len]).is_err(), "{len} bytes: {public}");
        }
        let der = pem::parse(private).unwrap().into_contents();
        assert!(PublicKey::from_der(&der).is_err(), "private as public: {private}");
        assert!(PrivateKey::from_der(&[&der[..], &[0]].concat()).is_err(), "trailing byte: {private}");
        for len in 0..der.len() {
            assert!(PrivateKey::from_der(&der[..len]).is_err(), "{len} bytes: {private}");
        }
    }
}

#[test]
fn debug_shows_the_kind_and_nothing_else() {
    let key = PrivateKey::from_pem(key!("p256.pkcs8")).unwrap();
    assert_eq!(format!("{key:?} {:?}", key.public()), "PrivateKey { kind: P256, .. } PublicKey { kind: P256, .. }");
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_key_and_no_signature(bytes: Vec<u8>, text: String) {
        let _ = (PublicKey::from_der(&bytes), PrivateKey::from_der(&bytes));
        prop_assert!(PublicKey::from_pem(&text).is_err());
        prop_assert!(PrivateKey::from_pem(&text).is_err());
        let _ = (PublicKey::from_ed25519(&bytes), PrivateKey::from_ed25519(&bytes));
        for (_, _, public) in PAIRS {
            let key = PublicKey::from_pem(public).unwrap();
            for by in Asymmetric::ALL {
                prop_assert_ne!(key.verify(*by, MESSAGE, &bytes), Verdict::Holds);
            }
        }
    }
}

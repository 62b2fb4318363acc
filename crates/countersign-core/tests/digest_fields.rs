//! Digest fields against the examples of RFC 9530: `COUNTERSIGN_VECTORS`, or `../shared/vectors`.

#![expect(clippy::disallowed_methods, reason = "the engine does no I/O; its test vectors lie in files")]

use countersign_core::alg::Hash;
use countersign_core::canon::{Malformed, unb64};
use countersign_core::digest_field::{self, Standing, claims, push, standing, wants};
use serde_json::Value;
use std::path::PathBuf;

/// Every digest of every printed message is claimed, and is the content's where the example says so. The three that are
/// printed with more padding than base64 has are malformed.
#[test]
fn the_rfc_s_messages() {
    let Some(vectors) = vectors() else { return };
    let (mut matching, mut other, mut malformed, mut wanted) = (0, 0, 0, 0);
    for message in array(&vectors["messages"]) {
        let content = base64(&message["content_base64"]);
        for check in array(&message["checks"]) {
            let name = check["field"].as_str().unwrap();
            let field = field(message, name).unwrap();
            if check["strict_base64"] == false {
                assert_eq!(claims(field.as_bytes()).err(), Some(Malformed), "{field}");
                malformed += 1;
                // With the padding that belongs there it is the content's.
                assert!(is_claimed(&field.replace("==:", "=:"), Hash::Sha256, &content), "{field}");
                continue;
            }
            let Standing::Active(hash) = standing(check["alg"].as_str().unwrap()) else {
                panic!("a digest that is not active: {check}");
            };
            assert_eq!(claims(field.as_bytes()).unwrap().of(hash), Some(&*base64(&check["value"])), "{field}");
            let matches = is_claimed(&field, hash, &content);
            assert_eq!(Some(matches), check["matches_content"].as_bool(), "{}: {field}", message["section"]);
            *if matches { &mut matching } else { &mut other } += 1;
        }
        for name in ["Want-Content-Digest", "Want-Repr-Digest"] {
            if let Some(field) = field(message, name) {
                wants(field.as_bytes()).unwrap();
                wanted += 1;
            }
        }
    }
    assert_eq!((matching, other, malformed, wanted), (13, 6, 3, 0));
}

/// The sample digests, as one field: those that are active are the content's, the others are passed over.
#[test]
fn the_rfc_s_sample_digests() {
    let Some(vectors) = vectors() else { return };
    let samples = &vectors["sample_digest_values"];
    let content = samples["content"].as_str().unwrap().as_bytes();
    let values = samples["values"].as_object().unwrap();
    let field: Vec<_> = values.iter().map(|(name, value)| format!("{name}=:{}:", value.as_str().unwrap())).collect();
    let field = field.join(", ");
    let mut active = 0;
    for (name, value) in values {
        match standing(name) {
            Standing::Active(hash) => {
                assert!(is_claimed(&field, hash, content), "{name}");
                let mut out = Vec::new();
                push(hash, &hash.digest(content), &mut out).unwrap();
                assert_eq!(String::from_utf8(out).unwrap(), format!("{name}=:{}:", value.as_str().unwrap()));
                active += 1;
            }
            Standing::Inactive => {
                let alone = format!("{name}=:{}:", value.as_str().unwrap());
                assert_eq!(claims(alone.as_bytes()).unwrap().passed_over(), Some(name.as_str()));
            }
            Standing::Unknown => panic!("{name} is not known"),
        }
    }
    assert_eq!((active, values.len()), (2, 8));
}

/// The printed wishes.
#[test]
fn the_rfc_s_wishes() {
    let Some(vectors) = vectors() else { return };
    let lines: Vec<_> =
        array(&vectors["want_fields"]).iter().flat_map(|text| text.as_str().unwrap().lines()).collect();
    assert_eq!(lines.len(), 4);
    for line in lines {
        let (_, field) = line.split_once(": ").unwrap();
        let wants = wants(field.as_bytes()).unwrap();
        assert_eq!(wants.best(), Some(Hash::Sha256), "{line}");
        if field.contains("sha-512") {
            assert_eq!((wants.weight(Hash::Sha512), wants.weight(Hash::Sha256)), (Some(300), Some(1000)), "{line}");
        }
    }
}

/// The content of the RFC's samples is that of draft-cavage-http-signatures, whose `Digest` is RFC 3230's.
#[test]
fn the_legacy_field_claims_the_same() {
    let Some(vectors) = vectors() else { return };
    let samples = &vectors["sample_digest_values"];
    let content = samples["content"].as_str().unwrap().as_bytes();
    let value = |name: &str| samples["values"][name].as_str().unwrap();
    let field = format!("SHA-256={},sha-512={}, MD5={}", value("sha-256"), value("sha-512"), value("md5"));
    let claims = digest_field::legacy::claims(field.as_bytes()).unwrap();
    for hash in [Hash::Sha256, Hash::Sha512] {
        assert_eq!(claims.of(hash), Some(hash.digest(content).as_bytes()));
    }
    assert_eq!(claims.passed_over(), Some("MD5"));
}

fn is_claimed(field: &str, hash: Hash, content: &[u8]) -> bool {
    claims(field.as_bytes()).unwrap().of(hash) == Some(hash.digest(content).as_bytes())
}

/// A header or trailer field, its lines joined.
fn field(message: &Value, name: &str) -> Option<String> {
    let lines = array(&message["headers"]).iter().chain(array(&message["trailers"]));
    let values: Vec<_> = lines.filter(|line| line[0] == name).map(|line| line[1].as_str().unwrap()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn base64(text: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    unb64(text.as_str().unwrap().as_bytes(), &mut bytes).unwrap();
    bytes
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn vectors() -> Option<Value> {
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")),
        PathBuf::from,
    );
    let file = root.join("rfc9530-digest/rfc9530.json");
    if !file.is_file() {
        eprintln!("skipped: no vectors; COUNTERSIGN_VECTORS names their folder");
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
}

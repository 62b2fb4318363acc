//! JSON Web Keys where PEM is taken: files, sets of keys, and members of lines. The key is RFC 8037's, appendix A.1.

use crate::support::{jsonl, run};
use serde_json::{Value, json};

const SCHEME: &str = "draft-cavage-12-ed25519";
const REQUEST: &str = "\
POST /orders HTTP/1.1
Host: example.com
Content-Length: 2

{}";

fn private() -> Value {
    let mut key = public();
    key["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    key
}

fn public() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": "client", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

#[test]
fn what_a_key_signs_its_set_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{content:#}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let key = file("private.jwk", &private());
    let signed = run(&["sign", "--scheme", SCHEME, "--key-file", &key], REQUEST);
    assert_eq!(signed.status, 0, "{signed:?}");
    assert!(signed.out.contains("keyId=\"client\""), "{}", signed.out);

    let foreign = json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"});
    let set = file("keys.json", &json!({"keys": [foreign, public()]}));
    let verify = |keys: &str, message: &str| run(&["verify", "--scheme", SCHEME, "--keys", keys], message);
    let done = verify(&set, &signed.out);
    assert_eq!(done.status, 0, "{done:?}");
    assert_eq!(verify(&set, &signed.out.replace("/orders", "/ordera")).status, 1);
    // Half a pair verifies, and the whole pair does too.
    assert_eq!(verify(&file("pair.json", &json!({"keys": [private()]})), &signed.out).status, 0);

    let with = |member: &str, value: Value| {
        let mut key = public();
        key[member] = value;
        key
    };
    for (key, expected) in [(with("kid", json!("other")), "key-unknown"), (with("exp", json!(1)), "key-inactive")] {
        let keys = file("refused.json", &json!({"keys": [key]}));
        let done = run(&["verify", "--scheme", SCHEME, "--keys", &keys, "--json"], &signed.out);
        assert_eq!((done.status, &done.json()["reason"]), (1, &json!(expected)), "{done:?}");
    }
    for (key, expected) in [
        (with("use", json!("enc")), "the set holds no key that signs"),
        (with("alg", json!("ES256")), "keys[0]: `alg` is not an algorithm of this kind of key"),
        (with("x", json!("AAAA")), "keys[0]: `x` has a wrong length"),
    ] {
        let done = verify(&file("broken.json", &json!({"keys": [key]})), &signed.out);
        assert_eq!(done.status, 2, "{done:?}");
        assert!(done.err.contains(expected) && done.err.contains("broken.json"), "{}", done.err);
    }
}

#[test]
fn a_line_s_keys_may_be_json_web_keys() {
    let message = |key: &str, value: &Value, headers: &Value| json!({"id": key, "scheme": SCHEME, "method": "GET", "url": "https://example.com/a", "headers": headers, key: value.to_string()});
    let signed = &jsonl("sign", &[message("private_key", &private(), &json!([]))])[0];
    assert!(signed["signature"].is_string(), "{signed}");
    let lines = [
        message("public_key", &public(), &signed["headers"]),
        message("public_key", &private(), &signed["headers"]),
        message("private_key", &private(), &signed["headers"]),
        message("private_key", &public(), &signed["headers"]),
        message("public_key", &json!({"kty": "oct", "k": "AAAA"}), &signed["headers"]),
    ];
    let answers = jsonl("verify", &lines);
    for answer in &answers[..3] {
        assert_eq!(answer["verdict"], "verified", "{answer}");
    }
    for (answer, expected) in answers[3..].iter().zip(["the key is public", "the key is a shared secret"]) {
        assert!(answer["verdict"] != "verified" && answer.to_string().contains(expected), "{answer}");
    }
}

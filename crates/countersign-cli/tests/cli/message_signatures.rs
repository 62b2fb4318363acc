//! Message signatures (RFC 9421) at the command line: key directories, and what an explanation warns of.

use crate::support::{Done, run};
use std::path::Path;

const REQUEST: &str =
    "POST /transfers?dry=1 HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: text/plain\r\n\r\nbody";

fn signed(scheme: &str, more: &[&str]) -> String {
    let done = run(&[&["sign", "--scheme", scheme], more].concat(), REQUEST);
    assert_eq!(done.status, 0, "{done:?}");
    done.out
}

/// Explains under the policy as it stands, or without its demands.
fn explained(request: &str, more: &[&str]) -> Done {
    let secret = ["--key-id", "alice", "--secret", "correct horse battery staple"];
    run(&[&["explain", "--scheme", "rfc9421"], &secret[..], more].concat(), request)
}

#[test]
fn what_a_valid_signature_leaves_open_is_warned_of() {
    let secret = ["--key-id", "alice", "--secret", "correct horse battery staple"];
    let whole = signed("rfc9421", &secret);
    let done = explained(&whole, &[]);
    assert_eq!(done.status, 0, "{done:?}");
    for line in ["  \"@method\": POST␊", "  \"@target-uri\": https://api.example.com/transfers?dry=1␊"] {
        assert!(done.out.lines().any(|shown| shown == line), "{line}: {}", done.out);
    }
    assert!(!done.out.contains("warning"), "{}", done.out);
    assert!(explained(&whole, &["--json"]).json().get("warning").is_none());
    for (components, open) in [
        ("@authority", "body, method and query"),
        ("@method @target-uri", "body"),
        ("@method @path content-digest", "query"),
        ("@request-target content-digest", "method"),
    ] {
        let thin = signed("rfc9421", &[&secret[..], &["--var", &format!("components={components}")]].concat());
        assert_eq!(explained(&thin, &[]).status, 1, "{components}");
        let done = explained(&thin, &["--var", "require="]);
        let warning = format!("the signature holds and does not cover the {open}:");
        assert_eq!(done.status, 0, "{done:?}");
        assert!(done.out.contains(&format!("warning: {warning}")), "{}", done.out);
        let json = explained(&thin, &["--var", "require=", "--json"]).json();
        assert!(json["warning"].as_str().is_some_and(|text| text.starts_with(&warning)), "{json}");
    }
}

/// RFC 8037, appendix A, whose key is nobody's.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
const DIRECTORY: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","kid":"mine","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

#[test]
fn a_key_directory_finds_a_key_by_its_thumbprint() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (private, directory) = (path("private.pem", PRIVATE), path("directory.json", DIRECTORY));
    assert!(Path::new(&directory).exists());
    let by = |id: &str| {
        let request = signed("web-bot-auth", &["--key-id", id, "--key-file", &private, "--var", "ttl=60"]);
        let done = run(&["verify", "--scheme", "web-bot-auth", "--keys", &directory, "--json"], &request);
        (done.status, done.json()["verdict"].as_str().map(str::to_owned), done.json()["reason"].clone())
    };
    assert_eq!(by(THUMBPRINT), (0, Some("verified".to_owned()), serde_json::Value::Null));
    // Its `kid` is a name of its own.
    assert_eq!(by("mine").0, 0);
    assert_eq!(by("another"), (1, Some("rejected".to_owned()), serde_json::json!("key-unknown")));
    for (text, fault) in [
        ("{}", "directory.json"),
        (r#"{"keys":[]}"#, "no key that signs"),
        (r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}"#, "keys[0]"),
    ] {
        let broken = path("directory.json", text);
        let done = run(&["verify", "--scheme", "web-bot-auth", "--keys", &broken], REQUEST);
        assert_eq!(done.status, 2, "{text}: {done:?}");
        assert!(done.err.contains(fault), "{text}: {}", done.err);
    }
}

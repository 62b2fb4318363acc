//! Keys from a folder of certificates, as the command line is given one.

use crate::support::run;
use std::path::Path;

/// Valid from 2024 to 2034.
const NOW: &str = "1714566896";
const SERIAL: &str = "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB";
const SCHEME: &str = "wechatpay-v3-response";
const NOTIFICATION: &str =
    "POST /notify HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 13\r\n\r\n{\"id\":\"EV-1\"}";

/// A certificate of the tests of the crate that reads them.
fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../countersign-certificates/tests/certificates");
    folder.join(name).to_str().expect("text").to_owned()
}

/// A folder with these certificates.
fn folder(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in names {
        std::fs::copy(file(name), folder.path().join(name)).expect("a copy");
    }
    folder
}

fn signed(key_id: &str, now: &str) -> String {
    let key = file("private.pem");
    let arguments = ["sign", "--scheme", SCHEME, "--key-id", key_id, "--key-file", &key, "--now", now];
    let done = run(&arguments, NOTIFICATION);
    assert_eq!(done.status, 0, "{done:?}");
    done.out
}

/// Exit status, and the reason of a refusal, or what is said where nothing was decided.
fn verify(scheme: &str, folder: &tempfile::TempDir, more: &[&str], message: &str) -> (i32, String) {
    let folder = folder.path().to_str().expect("text");
    let arguments = [&["verify", "--scheme", scheme, "--certificates", folder, "--json"], more].concat();
    let done = run(&arguments, message);
    if done.status == 2 {
        return (2, done.out + &done.err);
    }
    (done.status, done.json()["reason"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_certificate_is_found_by_its_serial_number_and_serves_while_it_is_valid() {
    let certificates = folder(&["wechatpay.pem", "curve.pem"]);
    let judged = |key_id: &str, now: &str, more: &[&str]| {
        verify(SCHEME, &certificates, &[&["--now", now], more].concat(), &signed(key_id, now))
    };
    let refused = |reason: &str| (1, reason.to_owned());
    assert_eq!(judged(SERIAL, NOW, &[]), (0, String::new()));
    assert_eq!(judged(SERIAL, NOW, &["--key-id", SERIAL]), (0, String::new()));
    assert_eq!(judged(SERIAL, NOW, &["--key-id", "07"]), refused("key-unknown"));
    assert_eq!(judged(SERIAL, "2019686400", &[]), (0, String::new()));
    assert_eq!(judged(SERIAL, "2019686401", &[]), refused("key-inactive"));
    assert_eq!(judged(SERIAL, "1704067199", &[]), refused("key-inactive"));
    assert_eq!(judged("08", NOW, &[]), refused("key-unknown"));
    assert_eq!(judged(&SERIAL.to_lowercase(), NOW, &[]), refused("key-unknown"));
    // The key on a curve.
    assert_eq!(judged("07", NOW, &[]), refused("key-unsuitable"));
}

#[test]
fn what_is_wrong_with_the_folder_is_no_verdict() {
    let undecided = |scheme: &str, names: &[&str], message: &str, said: &str| {
        let (status, error) = verify(scheme, &folder(names), &["--now", NOW], message);
        assert!(status == 2 && error.contains(said), "{status} {error}");
    };
    let message = signed(SERIAL, NOW);
    undecided(SCHEME, &["private.pem"], &message, "private key");
    undecided(SCHEME, &["wechatpay.pem", "short-key.pem"], &message, "fewer than 2048 bits");
    undecided(SCHEME, &[], &message, "no certificate");
    let signature = "0".repeat(64);
    let other = format!("POST / HTTP/1.1\r\nHost: a\r\nX-Hub-Signature-256: sha256={signature}\r\n\r\n");
    undecided("github-webhook", &["wechatpay.pem"], &other, "does not say how a key id names a certificate");
}

//! Keys as they are brought in and taken out: encodings, seal keys, purposes.

use crate::gateway::{Site, signed, status};

const TEXT: &str = "0123456789abcdef";
/// The same bytes.
const HEX: &str = "30313233343536373839616263646566";
const BASE64: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";

#[test]
fn attack_35_a_secret_that_reads_in_two_ways_is_not_guessed_and_not_repeated() {
    let site = Site::new();
    for (secret, other) in [(HEX, "hex"), (BASE64, "base64")] {
        let refused = site.keys(&["add", "alice", "--secret", secret]);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{}", refused.err);
        assert!(refused.err.contains("--encoding text") && refused.err.contains(other), "{}", refused.err);
        assert!(!refused.err.contains(secret), "{}", refused.err);
    }
    for wrong in [
        &["--secret", "not hex at all!", "--encoding", "hex"][..],
        &["--secret", "0x30313233343536373839616263646566", "--encoding", "hex"],
        &["--secret", "bad*base64", "--encoding", "base64"],
        &["--secret", HEX, "--encoding", "rot13"],
        &["--generate", "--encoding", "hex"],
        &["--encoding", "hex"],
    ] {
        let refused = site.keys(&[&["add", "alice"], wrong].concat());
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{wrong:?}: {}", refused.err);
    }
    assert_eq!(site.keys(&["list", "--json"]).json(), serde_json::json!([]));
}

#[test]
fn attack_06_bytes_are_counted_and_not_the_digits_that_spell_them() {
    let site = Site::new();
    let fifteen = &HEX[..30];
    let refused = site.keys(&["add", "old", "--secret", fifteen, "--encoding", "hex"]);
    assert!(refused.status == 2 && refused.err.contains("15 bytes"), "{}", refused.err);
    let taken = site.keys(&["add", "old", "--secret", fifteen, "--encoding", "hex", "--legacy"]);
    assert!(taken.status == 0 && taken.err.contains("legacy"), "{}", taken.err);
    let listed = site.keys(&["list"]).out;
    assert!(listed.contains("legacy"), "{listed}");
}

#[test]
fn bytes_verify_whatever_they_were_written_as() {
    let site = Site::new();
    let (gateway, address) = site.serve();
    let file = site.folder.path().join("secret");
    for (id, written, encoding) in [
        ("hex", HEX, "hex"),
        ("base64", BASE64, "base64"),
        ("unpadded", &BASE64[..22], "base64"),
        ("text", TEXT, "text"),
    ] {
        std::fs::write(&file, format!("{written}\n")).unwrap();
        let added = site.keys(&["add", id, "--secret-file", file.to_str().unwrap(), "--encoding", encoding]);
        assert_eq!(added.status, 0, "{}", added.err);
        // There is no upstream: what is verified gets as far as that.
        assert_eq!(status(&address, &signed(&address, id, TEXT)), 502, "{id}");
    }
    // Bytes that are no text, by way of the running gateway and out again.
    let ff = "ff".repeat(16);
    assert_eq!(site.keys(&["add", "bytes", "--secret", &ff, "--encoding", "hex"]).status, 0);
    assert_eq!(site.keys(&["rotate", "bytes", "--secret", &"fe".repeat(16), "--encoding", "hex"]).status, 0);
    let exported = site.keys(&["export", "bytes"]).out;
    assert!(exported.contains("\"/////////////////////w==\"") && exported.contains("\"base64\""), "{exported}");
    let other = Site::new();
    std::fs::write(&file, &exported).unwrap();
    assert_eq!(other.keys(&["import", file.to_str().unwrap()]).status, 0);
    assert_eq!(other.keys(&["export", "bytes"]).out, exported);
    assert_eq!(gateway.stop(), 0);
}

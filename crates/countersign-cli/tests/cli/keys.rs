//! Keys as they are brought in and taken out: encodings, seal keys, purposes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::gateway::{Site, signed, status};

/// Writes a file that nobody but its owner can read.
fn write_secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

const TEXT: &str = "0123456789abcdef";
/// The same bytes.
const HEX: &str = "30313233343536373839616263646566";
const BASE64: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";

#[test]
fn attack_35_a_secret_that_reads_in_two_ways_is_text_which_is_told_and_not_repeated() {
    let site = Site::new();
    for (secret, other) in [(HEX, "hex"), (BASE64, "base64")] {
        let added = site.keys(&["add", other, "--secret", secret]);
        assert_eq!((added.status, added.out.as_str()), (0, ""), "{}", added.err);
        assert!(added.err.contains("--encoding text") && added.err.contains(other), "{}", added.err);
        assert!(!added.err.contains(secret), "{}", added.err);
        let said = site.keys(&["add", &format!("{other}-said"), "--secret", secret, "--encoding", "text"]);
        assert!(said.status == 0 && !said.err.contains("note"), "{}", said.err);
        assert_eq!(site.keys(&["revoke", other]).status, 0);
        assert_eq!(site.keys(&["revoke", &format!("{other}-said")]).status, 0);
    }
    let before = site.keys(&["list", "--json"]).json();
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
    assert_eq!(site.keys(&["list", "--json"]).json(), before);
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

const OLD: &str = "8f1d4c0b6a2e95737a51fe0c9d24b86813e07f5a4bc6d2913e8a70f52cd1b694";
const NEW: &str = "0f1d4c0b6a2e95737a51fe0c9d24b86813e07f5a4bc6d2913e8a70f52cd1b695";

/// Has the store's section say more.
fn configure(site: &Site, more: &str) {
    let text = std::fs::read_to_string(site.config()).unwrap();
    let (before, after) = text.split_once("path = \"data\"\n").unwrap();
    let routes = &after[after.find("[[route]]").unwrap()..];
    std::fs::write(site.config(), format!("{before}path = \"data\"\n{more}\n{routes}")).unwrap();
}

#[test]
fn attack_35_the_seal_key_comes_from_elsewhere_and_is_not_repeated() {
    let site = Site::new();
    let file = site.folder.path().join("seal");
    write_secret(&file, &format!("{OLD}\n"));
    configure(&site, "seal-key-file = \"seal\"");
    assert_eq!(site.keys(&["add", "alice", "--secret", TEXT]).status, 0);
    assert!(!site.folder.path().join("data/seal.key").exists());
    // The same by a command; another key, or none, opens nothing.
    configure(&site, &format!("seal-key-command = [\"echo\", \"{OLD}\"]"));
    assert!(site.keys(&["export"]).out.contains(TEXT));
    for other in [
        format!("seal-key-command = [\"echo\", \"{NEW}\"]"),
        format!("seal-key-command = [\"echo\", \"{}\"]", &OLD[..62]),
        "seal-key-command = [\"false\"]".to_owned(),
        "seal-key-env = \"COUNTERSIGN_TEST_NO_SUCH_VARIABLE\"".to_owned(),
        String::new(),
    ] {
        configure(&site, &other);
        let refused = site.keys(&["list"]);
        assert!(refused.status == 2 && refused.out.is_empty(), "{other}: {}", refused.err);
        assert!(refused.err.contains("hint: "), "{}", refused.err);
        assert!(!refused.err.contains(&OLD[..62]) && !refused.err.contains(NEW), "{}", refused.err);
    }
}

#[test]
fn keys_are_sealed_anew_under_a_running_gateway_and_when_it_is_stopped() {
    let site = Site::new();
    let named = |current: &str| format!("seal-key-command = [\"echo\", \"{current}\"]");
    let both = format!("{}\nformer-seal-key-command = [\"echo\", \"{OLD}\"]", named(NEW));
    // Each signs once: the same request within a second would be a repetition.
    for id in ["alice", "bob", "carol"] {
        assert_eq!(site.keys(&["add", id, "--secret", TEXT]).status, 0);
    }
    // `seal.key` in the folder, by a new one.
    let file = site.folder.path().join("data/seal.key");
    let before = std::fs::read(&file).unwrap();
    assert_eq!(site.keys(&["reseal", "--json"]).json(), serde_json::json!({ "keys": 3 }));
    assert_ne!(std::fs::read(&file).unwrap(), before);
    // From the folder to a key from elsewhere; not by a gateway that knows nothing of it.
    let (gateway, address) = site.serve();
    configure(&site, &named(OLD));
    let refused = site.keys(&["reseal"]);
    assert!(refused.status == 2 && refused.err.contains("stop it"), "{}", refused.err);
    assert_eq!(status(&address, &signed(&address, "alice", TEXT)), 502);
    assert_eq!(gateway.stop(), 0);
    assert_eq!(site.keys(&["list"]).status, 2, "nobody asked for the change yet");
    assert_eq!(site.keys(&["reseal", "--json"]).json(), serde_json::json!({ "keys": 3 }));
    assert_eq!(site.keys(&["reseal", "--json"]).json(), serde_json::json!({ "keys": 0 }), "they are");
    // From there to the next, while the gateway serves with either.
    configure(&site, &both);
    let (gateway, address) = site.serve();
    assert_eq!(status(&address, &signed(&address, "bob", TEXT)), 502);
    assert_eq!(site.keys(&["reseal", "--json"]).json(), serde_json::json!({ "keys": 3 }));
    assert_eq!(status(&address, &signed(&address, "carol", TEXT)), 502);
    assert_eq!(site.keys(&["add", "dave", "--secret", TEXT]).status, 0);
    assert_eq!(gateway.stop(), 0);
    configure(&site, &named(OLD));
    assert_eq!(site.keys(&["list"]).status, 2);
    configure(&site, &named(NEW));
    assert_eq!(site.keys(&["list", "--json"]).json().as_array().unwrap().len(), 4);
}

/// Killed at any instant, it leaves a store that opens with all that was in it.
#[test]
fn attack_38_sealing_anew_is_killed_and_nothing_is_lost() {
    let site = Site::new();
    for id in ["alice", "bob", "carol"] {
        assert_eq!(site.keys(&["add", id, "--secret", TEXT]).status, 0);
    }
    for round in 0..20 {
        let mut command = crate::support::countersign();
        let mut running = command.args(["keys", "reseal", "-c", &site.config()]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(round));
        let _ = running.kill();
        running.wait().unwrap();
        let listed = site.keys(&["export"]);
        assert_eq!((listed.status, listed.out.matches(TEXT).count()), (0, 3), "{}", listed.err);
    }
}

const PRIVATE_PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC7aW7e4xzBLpa3RKiOpuPxpPkCjOy49zbh0Utd+K58E
-----END PRIVATE KEY-----
";
const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA8YGNrAc4jW0FekD2SabijdDqZumXo3+igXWht9wrFuM=
-----END PUBLIC KEY-----
";

#[test]
fn attack_35_the_public_part_of_a_pair_is_exported_and_none_of_a_secret() {
    let site = Site::new();
    let file = site.folder.path().join("pair.pem");
    std::fs::write(&file, PRIVATE_PEM).unwrap();
    assert_eq!(site.keys(&["add", "alice", "--secret", TEXT]).status, 0);
    assert_eq!(site.keys(&["add", "pair", "--private-key", file.to_str().unwrap()]).status, 0);
    for refused in [&["export", "alice", "--public"][..], &["export", "--public"], &["export", "nobody", "--public"]]
    {
        let refused = site.keys(refused);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{}", refused.err);
        assert!(!refused.err.contains(TEXT), "{}", refused.err);
    }
    // What `openssl pkey -pubout` makes of it.
    assert_eq!(site.keys(&["export", "pair", "--public"]).out, PUBLIC_PEM);
    let parts = site.keys(&["export", "pair", "--public", "--json"]).json();
    assert_eq!((&parts[0]["version"], &parts[0]["pem"]), (&1.into(), &PUBLIC_PEM.into()), "{parts}");
    assert_eq!(site.keys(&["revoke", "pair"]).status, 0);
    assert_eq!(site.keys(&["export", "pair", "--public"]).status, 2, "it is revoked");
}

#[test]
fn attack_35_a_sealed_export_shows_nothing_and_is_imported_with_its_key_alone() {
    let (site, other) = (Site::new(), Site::new());
    let path = |name: &str| site.folder.path().join(name).to_str().unwrap().to_owned();
    write_secret(path("seal").as_ref(), OLD);
    write_secret(path("wrong").as_ref(), NEW);
    assert_eq!(site.keys(&["add", "alice", "--secret", TEXT]).status, 0);
    let sealed = site.keys(&["export", "--seal-key-file", &path("seal")]);
    assert!(sealed.status == 0 && !sealed.out.contains(TEXT) && !sealed.out.contains("alice"), "{}", sealed.out);
    assert_eq!(site.keys(&["export", "--seal-key-env", "COUNTERSIGN_TEST_NO_SUCH_VARIABLE"]).status, 2);
    std::fs::write(path("sealed"), &sealed.out).unwrap();
    for key in [&[][..], &["--seal-key-file", &path("wrong")]] {
        let refused = other.keys(&[&["import", &path("sealed")], key].concat());
        assert_eq!(refused.status, 2, "{}", refused.err);
    }
    assert_eq!(other.keys(&["list", "--json"]).json(), serde_json::json!([]));
    assert_eq!(other.keys(&["import", &path("sealed"), "--seal-key-file", &path("seal")]).status, 0);
    assert_eq!(other.keys(&["export"]).out, site.keys(&["export"]).out);
}

#[test]
fn attack_05_a_key_does_nothing_but_what_it_is_for() {
    let site = Site::new();
    let (gateway, address) = site.serve();
    for purpose in ["sign", "verify", "both"] {
        assert_eq!(site.keys(&["add", purpose, "--secret", TEXT, "--purpose", purpose]).status, 0);
    }
    // There is no upstream: what is verified gets as far as that.
    assert_eq!(status(&address, &signed(&address, "sign", TEXT)), 401);
    assert_eq!(status(&address, &signed(&address, "verify", TEXT)), 502);
    assert_eq!(status(&address, &signed(&address, "both", TEXT)), 502);
    // What follows it is for the same.
    assert_eq!(site.keys(&["rotate", "sign", "--secret", "another secret...", "--overlap", "1h"]).status, 0);
    assert_eq!(status(&address, &signed(&address, "sign", "another secret...")), 401);
    let listed = site.keys(&["list"]).out;
    assert_eq!(listed.matches("signs only").count(), 2, "{listed}");
    assert_eq!(listed.matches("verifies only").count(), 1, "{listed}");
    let exported = site.keys(&["export", "sign"]).out;
    assert!(exported.contains("\"purpose\": \"sign\""), "{exported}");
    let file = site.folder.path().join("public.pem");
    std::fs::write(&file, PUBLIC_PEM).unwrap();
    let refused = site.keys(&["add", "pair", "--public-key", file.to_str().unwrap(), "--purpose", "sign"]);
    assert!(refused.status == 2 && refused.err.contains("cannot sign"), "{}", refused.err);
    assert_eq!(site.keys(&["add", "pair", "--secret", TEXT, "--purpose", "encrypt"]).status, 2);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn attack_05_a_key_that_only_verifies_signs_nothing_that_leaves() {
    let site = Site::new();
    let text = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), text + "sign = { scheme = \"md5-token\", key = \"ours\" }\n").unwrap();
    assert_eq!(site.keys(&["add", "theirs", "--secret", TEXT]).status, 0);
    assert_eq!(site.keys(&["add", "ours", "--secret", "another secret...", "--purpose", "verify"]).status, 0);
    let refused = crate::support::run(&["serve", "-c", &site.config()], "");
    assert!(refused.status == 2 && refused.err.contains("the key `ours`"), "{}", refused.err);
    assert_eq!(site.keys(&["revoke", "ours"]).status, 0);
    assert_eq!(site.keys(&["add", "ours", "--secret", "another secret...", "--purpose", "sign"]).status, 0);
    let (gateway, address) = site.serve();
    // There is no upstream: what is verified and signed gets as far as that.
    assert_eq!(status(&address, &signed(&address, "theirs", TEXT)), 502);
    assert_eq!(status(&address, &signed(&address, "ours", "another secret...")), 401);
    assert_eq!(gateway.stop(), 0);
}

/// The same pair and an RSA pair, as whoever publishes them would.
#[test]
fn attack_35_a_json_web_key_has_the_public_part_and_no_private_member() {
    let site = Site::new();
    let path = |name: &str| site.folder.path().join(name).to_str().unwrap().to_owned();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../countersign-core/tests/keys");
    std::fs::write(path("pair"), PRIVATE_PEM).unwrap();
    assert_eq!(site.keys(&["add", "alice", "--secret", TEXT]).status, 0);
    assert_eq!(site.keys(&["add", "ed", "--private-key", &path("pair"), "--not-after", "4000000000"]).status, 0);
    for (id, file, more) in [
        ("rsa", "rsa-2048.pkcs8.pem", &["--alg", "rsa-pss-sha512"][..]),
        ("p256", "p256.pkcs8.pem", &[]),
        ("p384", "p384.pkcs8.pem", &["--alg", "ecdsa-p384-raw"]),
        ("judges", "p256.pkcs8.pem", &["--purpose", "verify"]),
        ("sm2", "sm2.pkcs8.pem", &[]),
    ] {
        let added = site.keys(&[&["add", id, "--private-key", &format!("{data}/{file}")], more].concat());
        assert_eq!(added.status, 0, "{id}: {}", added.err);
    }
    std::fs::write(path("partner"), PUBLIC_PEM).unwrap();
    assert_eq!(site.keys(&["add", "partner", "--public-key", &path("partner")]).status, 0);
    let jwk = |id: &str| site.keys(&["export", id, "--public", "--format", "jwk"]);
    let ed = jwk("ed").json();
    let x = "8YGNrAc4jW0FekD2SabijdDqZumXo3-igXWht9wrFuM";
    assert_eq!(
        ed,
        serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "ed", "use": "sig", "exp": 4_000_000_000_u64})
    );
    assert_eq!(
        (jwk("rsa").json()["alg"].as_str(), jwk("p384").json()["alg"].as_str()),
        (Some("PS512"), Some("ES384"))
    );
    assert_eq!(jwk("partner").json()["kid"], "partner");
    for id in ["ed", "rsa", "p256", "p384", "partner"] {
        let written = jwk(id);
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_value(written.json()).unwrap();
        for name in members.keys() {
            let public =
                ["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "nbf", "exp"].contains(&name.as_str());
            assert!(public, "{id}: {name}");
        }
        // It is read again as what it was: the same PEM comes out.
        std::fs::write(path("back"), &written.out).unwrap();
        let other = Site::new();
        assert_eq!(other.keys(&["add", id, "--public-key", &path("back")]).status, 0);
        let pem = |site: &Site| site.keys(&["export", id, "--public"]).out;
        assert_eq!(pem(&other), pem(&site), "{id}");
        compared_with_python(id, &written.out, &pem(&site));
    }
    for refused in ["alice", "sm2", "nobody"] {
        let refused = jwk(refused);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{}", refused.err);
        assert!(!refused.err.contains(TEXT), "{}", refused.err);
    }
    // What is published of all: not what a partner signs with, nor what only judges.
    let set = site.keys(&["export", "--public", "--format", "jwks"]);
    let kids: Vec<_> = set.json()["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(kids, ["ed", "p256", "p384", "rsa"]);
    assert!(set.err.contains("sm2"), "{}", set.err);
    // Two while it rotates: a set has both, and one is not chosen.
    assert_eq!(site.keys(&["rotate", "ed", "--private-key", &path("pair")]).status, 0);
    let two = jwk("ed");
    assert!(two.status == 2 && two.err.contains("jwks"), "{}", two.err);
    let set = site.keys(&["export", "ed", "--public", "--format", "jwks"]).json();
    assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    for unnamed in [&["export", "--public"][..], &["export", "--public", "--format", "jwk"]] {
        assert_eq!(site.keys(unnamed).status, 2);
    }
    assert_eq!(site.keys(&["export", "ed", "--format", "jwk"]).status, 2, "never without --public");
}

/// The same key of the same numbers, by Python's `cryptography`, from where `./test` installs it with
/// `http-message-signatures`.
fn compared_with_python(id: &str, jwk: &str, pem: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let driver = std::fs::read_to_string(root.join("interop/drivers/rfc9421-pypi.py")).unwrap();
    let sdk = driver.lines().find_map(|line| line.strip_prefix("SDK = \"")?.strip_suffix('"')).unwrap();
    let python = || {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", root.join("target/interop/pip").join(sdk.replace("==", "--")));
        python.env("PYTHONDONTWRITEBYTECODE", "1").stderr(Stdio::null());
        python
    };
    if !python().args(["-c", "import cryptography"]).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no cryptography for Python (./test installs it)");
        return;
    }
    let script = "\
import base64, json, sys
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
jwk = json.loads(sys.argv[1])
raw = lambda name: base64.urlsafe_b64decode(jwk[name] + '=' * (-len(jwk[name]) % 4))
number = lambda name: int.from_bytes(raw(name), 'big')
if jwk['kty'] == 'RSA':
    key = rsa.RSAPublicNumbers(number('e'), number('n')).public_key()
elif jwk['kty'] == 'EC':
    curve = {'P-256': ec.SECP256R1(), 'P-384': ec.SECP384R1()}[jwk['crv']]
    key = ec.EllipticCurvePublicNumbers(number('x'), number('y'), curve).public_key()
else:
    key = ed25519.Ed25519PublicKey.from_public_bytes(raw('x'))
form = serialization.PublicFormat.SubjectPublicKeyInfo
print(key.public_bytes(serialization.Encoding.PEM, form).decode(), end='')
";
    let made = python().args(["-c", script, jwk]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&made.stdout), pem, "{id}");
}

//! Algorithms and canonicalisation against the vectors beside the repository: `COUNTERSIGN_VECTORS`, or `../shared/vectors`.

#![expect(clippy::disallowed_methods, reason = "the engine does no I/O; its test vectors lie in files")]

use countersign_core::alg::{Hash, MacKey};
use countersign_core::canon::{dots, lower, pct_path, squeeze, trim};
use std::path::PathBuf;

/// RFC 2202 and RFC 4231, section 4: key, message and tag of each case.
#[test]
fn hmac_of_the_rfcs() {
    for (file, hash, cases) in [
        ("rfc-2202-md5.txt", Hash::Md5, 7),
        ("rfc-2202-sha1.txt", Hash::Sha1, 7),
        ("rfc-4231-sha256.txt", Hash::Sha256, 6),
        ("rfc-4231-sha384.txt", Hash::Sha384, 6),
        ("rfc-4231-sha512.txt", Hash::Sha512, 6),
    ] {
        let Some(text) = vector("hmac-rfc", file) else { return };
        let (mut key, mut message, mut judged) = (Vec::new(), Vec::new(), 0);
        for (name, value) in text.lines().filter_map(|line| line.split_once(" = ")) {
            match name {
                "Len" => {}
                "Key" => key = const_hex::decode(value).unwrap(),
                "Msg" => message = const_hex::decode(value).unwrap(),
                "MD" => {
                    let tag = MacKey::new(hash, &key).mac(&message);
                    assert_eq!(const_hex::encode(tag.as_bytes()), value, "{file}: {}", judged + 1);
                    judged += 1;
                }
                unknown => panic!("{file}: unknown line {unknown:?}"),
            }
        }
        assert_eq!(judged, cases, "{file}");
    }
}

/// The canonical path and headers of every case of AWS's suite for Signature Version 4.
#[test]
fn aws_sigv4_paths_and_headers() {
    let Some(root) = root() else { return };
    let (mut normalised, mut as_sent) = (0, 0);
    for case in std::fs::read_dir(root.join("aws-sigv4/v4")).unwrap() {
        let case = case.unwrap().path();
        let read = |file: &str| std::fs::read_to_string(case.join(file)).unwrap();
        let (request, canonical) = (read("request.txt"), read("header-canonical-request.txt"));
        let (request_line, fields) = request.split_once('\n').unwrap();
        let target = request_line.split_once(' ').unwrap().1.strip_suffix(" HTTP/1.1").unwrap();
        let path = target.split('?').next().unwrap().as_bytes();

        let mut plain = Vec::new();
        if read("context.json").contains("\"normalize\": true") {
            dots(path, &mut plain);
            normalised += 1;
        } else {
            plain.extend_from_slice(path);
            as_sent += 1;
        }
        let mut encoded = Vec::new();
        pct_path(&plain, &mut encoded);
        let mut lines = canonical.lines();
        assert_eq!(encoded, lines.nth(1).unwrap().as_bytes(), "{}", case.display());

        // A line that begins with white space continues the one before it.
        let fields = fields.split("\n\n").next().unwrap().replace("\n ", " ");
        for (name, expected) in lines.skip(1).take_while(|line| !line.is_empty()).filter_map(|l| l.split_once(':')) {
            let values: Vec<_> = fields
                .lines()
                .filter_map(|line| line.split_once(':'))
                .filter(|(sent, _)| {
                    let mut lowered = Vec::new();
                    lower(sent.as_bytes(), &mut lowered);
                    lowered == name.as_bytes()
                })
                .map(|(_, value)| {
                    let mut squeezed = Vec::new();
                    squeeze(trim(value.as_bytes()), &mut squeezed);
                    squeezed
                })
                .collect();
            // The suite's signer adds the fields that are not in the request.
            if !values.is_empty() {
                assert_eq!(values.join(&b','), expected.as_bytes(), "{}: {name}", case.display());
            }
        }
    }
    assert!(normalised > 20 && as_sent > 5, "{normalised} and {as_sent}");
}

fn vector(folder: &str, file: &str) -> Option<String> {
    Some(std::fs::read_to_string(root()?.join(folder).join(file)).unwrap())
}

fn root() -> Option<PathBuf> {
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")),
        PathBuf::from,
    );
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("skipped: no vectors; COUNTERSIGN_VECTORS names their folder");
    None
}

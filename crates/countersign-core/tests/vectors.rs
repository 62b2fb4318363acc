//! The algorithms against the vectors beside the repository: `COUNTERSIGN_VECTORS`, or `../shared/vectors`.

use countersign_core::alg::{Hash, MacKey};
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

fn vector(folder: &str, file: &str) -> Option<String> {
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")),
        PathBuf::from,
    );
    if !root.is_dir() {
        eprintln!("skipped: no vectors; COUNTERSIGN_VECTORS names their folder");
        return None;
    }
    Some(std::fs::read_to_string(root.join(folder).join(file)).unwrap())
}

//! HKDF, RFC 5869: a key of any length from a secret, a salt and what the key is for.
//!
//! Deliberately absent: a step of its own for Extract or Expand. What a scheme names is the whole derivation.

use super::{Hash, MacKey};
use zeroize::Zeroizing;

/// The longest output, in digests: RFC 5869, section 2.3.
pub const MOST_BLOCKS: usize = 255;

/// Appends `length` bytes derived from `secret`. Nothing is appended past [`MOST_BLOCKS`] digests: whoever reads a
/// length from a file refuses it there.
pub fn hkdf(hash: Hash, secret: &[u8], salt: &[u8], info: &[u8], length: usize, out: &mut Vec<u8>) {
    // Section 2.2. An absent salt is a digest's worth of zeros, which is the key that HMAC makes of an empty one.
    let extracted = MacKey::new(hash, salt).mac(secret);
    let expand = MacKey::new(hash, extracted.as_bytes());
    let mut block = Zeroizing::new(Vec::new());
    let mut wanted = length;
    // Section 2.3: T(n) = HMAC(PRK, T(n-1) | info | n).
    for counter in 1..=u8::MAX {
        if wanted == 0 {
            return;
        }
        let mut mac = expand.begin();
        mac.update(&block);
        mac.update(info);
        mac.update(&[counter]);
        block.clear();
        block.extend_from_slice(mac.finish().as_bytes());
        let taken = wanted.min(block.len());
        out.extend_from_slice(block.get(..taken).unwrap_or_default());
        wanted = wanted.saturating_sub(taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon;

    fn derived(hash: Hash, secret: &[u8], salt: &[u8], info: &[u8], length: usize) -> String {
        let (mut out, mut hex) = (Vec::new(), Vec::new());
        hkdf(hash, secret, salt, info, length, &mut out);
        canon::hex_lower(&out, &mut hex);
        String::from_utf8(hex).unwrap()
    }

    /// RFC 5869, appendix A.
    #[test]
    fn the_test_cases_of_rfc_5869() {
        let range = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let cases = [
            (
                Hash::Sha256,
                vec![0x0b; 22],
                range(0x00, 0x0c),
                range(0xf0, 0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                Hash::Sha256,
                range(0x00, 0x4f),
                range(0x60, 0xaf),
                range(0xb0, 0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
                 da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                Hash::Sha256,
                vec![0x0b; 22],
                vec![],
                vec![],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
            (
                Hash::Sha1,
                vec![0x0b; 11],
                range(0x00, 0x0c),
                range(0xf0, 0xf9),
                "085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896",
            ),
            (
                Hash::Sha1,
                vec![0x0c; 22],
                vec![],
                vec![],
                "2c91117204d745f3500d636a62f64f0ab3bae548aa53d423b0d1f27ebba6f5e5673a081d70cce7acfc48",
            ),
        ];
        for (hash, secret, salt, info, expected) in cases {
            assert_eq!(derived(hash, &secret, &salt, &info, expected.len() / 2), expected);
        }
    }

    #[test]
    fn a_shorter_key_is_the_beginning_of_a_longer_one_and_none_is_past_the_limit() {
        let whole = derived(Hash::Sha256, b"secret", b"salt", b"info", 100);
        for length in [0, 1, 31, 32, 33, 64, 65] {
            assert_eq!(derived(Hash::Sha256, b"secret", b"salt", b"info", length), whole[..length * 2]);
        }
        let most = MOST_BLOCKS * 32;
        assert_eq!(derived(Hash::Sha256, b"", b"", b"", most).len(), most * 2);
        assert_eq!(derived(Hash::Sha256, b"", b"", b"", most + 1).len(), most * 2);
    }

    #[test]
    fn each_input_makes_another_key() {
        let key = derived(Hash::Sha256, b"secret", b"salt", b"info", 32);
        for other in [
            derived(Hash::Sha1, b"secret", b"salt", b"info", 32),
            derived(Hash::Sha256, b"Secret", b"salt", b"info", 32),
            derived(Hash::Sha256, b"secret", b"salts", b"info", 32),
            derived(Hash::Sha256, b"secret", b"salt", b"inf", 32),
        ] {
            assert_ne!(key, other);
        }
    }
}

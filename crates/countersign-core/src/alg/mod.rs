//! Algorithms: hashes, MACs and signatures, each as one closed choice that a scheme file names.
//!
//! Hashes and MACs are those of `RustCrypto`, signatures those of aws-lc-rs, but for what it does not have: SM2, and
//! signing with RSA and SHA-1. No type of theirs is handed out.
//! What is a key, and which algorithms it serves, is settled when the key is read; verification only looks it up.
//!
//! Deliberately absent: an algorithm that a request could choose, equality on [`Digest`] (only [`ct_eq`]
//! compares), digests of unnamed length, and any fallback from one algorithm to another.

mod asymmetric;
mod checksum;
mod der;
mod hash;
mod hkdf;
mod kdf;
mod key;
mod mac;
mod rsa_sha1;
mod sm2;

pub use asymmetric::{Asymmetric, KeyKind, Verdict};
pub use checksum::{Checksum, Checksumming};
pub use hash::{Digest, Hash, Hasher};
pub use hkdf::{MOST_BLOCKS, hkdf};
pub use kdf::{ScalarKdf, ScalarOf, kdf_scalar};
pub use key::{KeyError, PrivateKey, PublicKey, PublicNumbers, RsaNumbers};
pub use mac::{Mac, MacKey};
pub(crate) use mac::{hmac_sha3_256, hmac_sha3_384};

use ctutils::CtEq as _;

/// Whether two byte strings are equal, in a time that depends on their lengths and on nothing else.
///
/// Strings of different lengths are different, which is told at once: lengths are no secret here.
#[must_use]
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.ct_eq(b).to_bool()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn attack_02_03_only_the_whole_tag_compares_equal() {
        let tag = MacKey::new(Hash::Sha256, b"a key of some length").mac(b"message");
        let tag = tag.as_bytes();
        assert!(ct_eq(tag, tag));
        for len in 0..tag.len() {
            assert!(!ct_eq(tag, &tag[..len]), "prefix of {len} bytes");
            assert!(!ct_eq(&tag[..len], tag), "prefix of {len} bytes");
            let mut flipped = tag.to_vec();
            flipped[len] ^= 1;
            assert!(!ct_eq(tag, &flipped), "changed at byte {len}");
        }
        for extension in [&[0][..], &[0; 32], tag] {
            assert!(!ct_eq(tag, &[tag, extension].concat()));
        }
    }

    proptest! {
        #[test]
        fn constant_time_equality_is_equality(a: Vec<u8>, b: Vec<u8>) {
            prop_assert_eq!(ct_eq(&a, &b), a == b);
            prop_assert!(ct_eq(&a, &a.clone()));
        }
    }
}

//! The key pair that is derived from a shared secret: private scalars of P-256 and SM2 from NIST SP 800-108's counter
//! mode.
//!
//! AWS Signature Version 4A uses it so that both ends, which hold one secret, hold one key pair
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>, and the key
//! derivation of aws-c-auth, read 2026-11-22). Whoever has only the public half can verify, and not sign.
//!
//! Deliberately absent: other curves, and any other way to reduce a candidate. A candidate that is too large is passed
//! over (FIPS 186-5, A.2.2), never taken modulo the order.

use super::{Hash, MacKey};
use zeroize::Zeroizing;

/// How a private scalar is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalarKdf {
    /// The kind of key whose scalar it is.
    pub of: ScalarOf,
    /// The number of the first candidate: 1 with AWS, 0 with others.
    pub first: u8,
}

/// The kinds of keys that are derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarOf {
    /// P-256, by HMAC-SHA256.
    P256,
    /// SM2, by HMAC-SM3.
    Sm2,
}

/// A private scalar, derived from a key, a label and a context.
///
/// SP 800-108r1, section 4.1, with an HMAC and one block: `1 ‖ label ‖ 0 ‖ context ‖ n ‖ 256`, where the last byte of
/// the context counts candidates. The first candidate of at most the order less two, and one more, is the scalar.
/// `None`: none up to the 254th was small enough, which does not happen.
#[must_use]
pub fn kdf_scalar(by: ScalarKdf, key: &[u8], label: &[u8], context: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let (hash, most) = match by.of {
        ScalarOf::P256 => (Hash::Sha256, &P256_LESS_TWO),
        ScalarOf::Sm2 => (Hash::Sm3, &SM2_LESS_TWO),
    };
    let key = MacKey::new(hash, key);
    (by.first..=254).find_map(|count| {
        let mut block = key.begin();
        block.update(&[0, 0, 0, 1]);
        block.update(label);
        block.update(&[0]);
        block.update(context);
        block.update(&[count, 0, 0, 1, 0]);
        let mut scalar = Zeroizing::new(<[u8; 32]>::try_from(block.finish().as_bytes()).ok()?);
        if !at_most(&scalar, most) {
            return None;
        }
        plus_one(&mut scalar);
        Some(scalar)
    })
}

/// Whether one number is at most another, in a time that does not depend on either.
fn at_most(number: &[u8; 32], most: &[u8; 32]) -> bool {
    let (mut less, mut greater) = (0_u8, 0_u8);
    for (a, b) in number.iter().zip(most) {
        let undecided = !(less | greater) & 1;
        less |= u8::from(a < b) & undecided;
        greater |= u8::from(a > b) & undecided;
    }
    greater == 0
}

fn plus_one(number: &mut [u8; 32]) {
    let mut carry = 1;
    for byte in number.iter_mut().rev() {
        let (sum, over) = byte.overflowing_add(carry);
        *byte = sum;
        carry = u8::from(over);
    }
}

/// The order of P-256's group (FIPS 186-5 by way of SP 800-186, section 3.2.1.3), less two, big-endian.
const P256_LESS_TWO: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
];
/// The order of SM2's group (GB/T 32918.5), less two.
const SM2_LESS_TWO: [u8; 32] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x72, 0x03, 0xdf,
    0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x21,
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_scalar_is_below_the_order() {
        assert!(at_most(&P256_LESS_TWO, &P256_LESS_TWO));
        let mut above = P256_LESS_TWO;
        plus_one(&mut above);
        assert!(!at_most(&above, &P256_LESS_TWO));
        assert!(at_most(&[0; 32], &P256_LESS_TWO));
        assert!(!at_most(&[0xff; 32], &P256_LESS_TWO));
    }

    #[test]
    fn one_more_carries() {
        let mut number = [0xff; 32];
        number[0] = 0;
        plus_one(&mut number);
        let mut expected = [0; 32];
        expected[0] = 1;
        assert_eq!(number, expected);
    }

    #[test]
    fn every_part_counts() {
        let by = ScalarKdf { of: ScalarOf::P256, first: 1 };
        let scalar =
            |by, key: &[u8], label: &[u8], context: &[u8]| *kdf_scalar(by, key, label, context).expect("one");
        let derived = |key: &[u8], label: &[u8], context: &[u8]| scalar(by, key, label, context);
        let one = derived(b"key", b"label", b"context");
        for by in [ScalarKdf { of: ScalarOf::Sm2, ..by }, ScalarKdf { first: 0, ..by }] {
            assert_ne!(one, scalar(by, b"key", b"label", b"context"));
        }
        assert_eq!(one, derived(b"key", b"label", b"context"));
        for other in [
            derived(b"kez", b"label", b"context"),
            derived(b"key", b"labem", b"context"),
            derived(b"key", b"label", b"contexu"),
            derived(b"key", b"labe", b"lcontext"),
        ] {
            assert_ne!(one, other);
        }
    }

    proptest! {
        #[test]
        fn comparing_is_comparing(a: [u8; 32], b: [u8; 32]) {
            prop_assert_eq!(at_most(&a, &b), a <= b);
        }
    }
}

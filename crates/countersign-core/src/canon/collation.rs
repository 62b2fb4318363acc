//! The order of names in a "word sort": letters first, hyphens and apostrophes only where all else is equal.
//!
//! It is how Windows compares under the invariant culture, and so how Azure Storage orders the `x-ms-` fields of its
//! Shared Key signature, whatever its manual says of "lexicographically". The weights are those that Microsoft's
//! azure-storage-blob 12.31.1 states, reduced to their order (read 2026-11-22).
//!
//! Deliberately absent: everything that no field name can hold. Such a byte weighs as much as nothing, and names that
//! differ in nothing else stay in the order in which they came.

use std::cmp::Ordering;

/// Compares two names: by the weights of their characters, those passed over that have none; and then by where their
/// hyphens and apostrophes stand.
///
/// `a_b`, `a1`, `ab`, `a-b` are in order: an underscore is before digits and letters, and `a-b` is `ab` at first.
#[must_use]
pub fn collate(one: &[u8], other: &[u8]) -> Ordering {
    weights(one).cmp(weights(other)).then_with(|| marks(one).cmp(marks(other)))
}

/// The weights of the characters that have one. Case makes none.
fn weights(name: &[u8]) -> impl Iterator<Item = usize> + '_ {
    name.iter().filter_map(|byte| ORDER.iter().position(|known| *known == byte.to_ascii_lowercase()))
}

/// For each character what it is beside the letters: a hyphen weighs more than an apostrophe, and both more than
/// anything else.
fn marks(name: &[u8]) -> impl Iterator<Item = u8> + '_ {
    name.iter().map(|byte| match byte {
        b'\'' => 1,
        b'-' => 2,
        _ => 0,
    })
}

/// What has a weight, in order. Of the characters of a field name (RFC 9110, section 5.6.2) only `'` and `-` are not
/// among it.
const ORDER: &[u8] = b"!#$%&*.^_`|~+0123456789abcdefghijklmnopqrstuvwxyz";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hyphens_count_last() {
        let sorted = [
            "x-ms-!", "x-ms-.", "x-ms-_", "x-ms-+", "x-ms-0", "x-ms-a", "x-ms-a_b", "x-ms-a1", "x-ms-ab", "x-ms-a'b",
            "x-ms-a-b", "x-ms-abc", "x-ms-b",
        ];
        for (at, one) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                assert_eq!(collate(one.as_bytes(), other.as_bytes()), at.cmp(&other_at), "{one} {other}");
            }
        }
        assert_eq!(collate(b"ab", b"AB"), Ordering::Equal);
        assert_eq!(collate(b"ab-", b"a-b"), Ordering::Less, "the earlier hyphen is the heavier one");
    }

    proptest! {
        /// It is an order: what sorts by it comes out the same however it was shuffled.
        #[test]
        fn it_is_a_total_order(a in "[-'!_a-c1]{0,6}", b in "[-'!_a-c1]{0,6}", c in "[-'!_a-c1]{0,6}") {
            let (a, b, c) = (a.as_bytes(), b.as_bytes(), c.as_bytes());
            prop_assert_eq!(collate(a, b), collate(b, a).reverse());
            if collate(a, b) != Ordering::Greater && collate(b, c) != Ordering::Greater {
                prop_assert_ne!(collate(a, c), Ordering::Greater);
            }
            prop_assert_eq!(collate(a, b) == Ordering::Equal, a == b);
        }
    }
}

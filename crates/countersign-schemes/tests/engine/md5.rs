//! MD5 (RFC 1321) with its state laid open, which is all that a length extension needs.

/// What an attacker sees of a digest, and goes on from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State([u32; 4]);

impl State {
    const START: Self = Self([0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]);

    /// The state behind a digest: the digest is the state.
    pub(crate) fn of(digest: &[u8]) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(digest.chunks_exact(4)) {
            *word = u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        }
        Self(words)
    }

    /// The digest of all that went into the state before, `before` bytes with their padding, and of `more`.
    pub(crate) fn extend(mut self, before: usize, more: &[u8]) -> [u8; 16] {
        assert_eq!(before % 64, 0, "whole blocks");
        let mut rest = more.to_vec();
        rest.extend(padding(before + more.len()));
        for block in rest.chunks_exact(64) {
            self.block(block);
        }
        let mut digest = [0; 16];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.0) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        digest
    }

    /// Section 3.4.
    fn block(&mut self, block: &[u8]) {
        let word = |index: usize| u32::from_le_bytes(block[4 * index..4 * index + 4].try_into().expect("four bytes"));
        let [mut a, mut b, mut c, mut d] = self.0;
        for step in 0..64_usize {
            let (mixed, index) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), (7 * step) % 16),
            };
            let turned = a.wrapping_add(mixed).wrapping_add(sine(step)).wrapping_add(word(index));
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(turned.rotate_left(TURNS[step / 16][step % 4]));
        }
        for (word, other) in self.0.iter_mut().zip([a, b, c, d]) {
            *word = word.wrapping_add(other);
        }
    }
}

const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The step's constant: the whole part of 2³² times the sine of its number.
fn sine(step: usize) -> u32 {
    let number = f64::from(u32::try_from(step + 1).expect("small"));
    format!("{:.0}", (number.sin().abs() * 4_294_967_296.0).floor()).parse().expect("32 bits")
}

/// What MD5 puts behind a message of so many bytes: sections 3.1 and 3.2.
pub(crate) fn padding(length: usize) -> Vec<u8> {
    let mut bytes = vec![0x80];
    bytes.resize(1 + (119 - length % 64) % 64, 0);
    bytes.extend_from_slice(&(8 * length as u64).to_le_bytes());
    bytes
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// RFC 1321, appendix A.5.
#[test]
fn the_rfc_s_examples() {
    for (message, digest) in [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        (&"1234567890".repeat(8), "57edf4a22be3c955ac49da2e2107b67a"),
    ] {
        let made = State::START.extend(0, message.as_bytes());
        assert_eq!(hex(&made), digest);
    }
}

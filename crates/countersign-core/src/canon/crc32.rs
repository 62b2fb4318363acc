//! CRC-32, the checksum of ISO-HDLC, Ethernet and zip (polynomial 0xEDB88320, reflected).
//!
//! It finds damage, not attacks: who wants a message of another's checksum computes four bytes to go with it. It is
//! here because a vendor signs it in the place of the body, and the linter says what that is worth.

/// The checksum.
#[must_use]
pub fn crc32(input: &[u8]) -> u32 {
    crc32fast::hash(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the catalogue of parametrised CRC algorithms, CRC-32/ISO-HDLC.
    #[test]
    fn the_digits_have_their_published_checksum() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }
}

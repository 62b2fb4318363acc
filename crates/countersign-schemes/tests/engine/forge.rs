//! A body that has another's CRC-32: why a checksum covers nothing.

/// The polynomial, reflected.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// What `body` becomes when four bytes that give it the checksum of `known` are appended.
pub(crate) fn with_checksum_of(known: &[u8], body: &[u8]) -> Vec<u8> {
    // Backwards from the register that is wanted: each step back says which entry of the table was taken.
    let mut wanted = register(known);
    let mut entries = [0; 4];
    for entry in entries.iter_mut().rev() {
        let index = (0..=255).find(|index| table(*index) >> 24 == wanted >> 24).expect("one of each");
        *entry = index;
        wanted = (wanted ^ table(index)) << 8;
    }
    let mut forged = body.to_vec();
    for entry in entries {
        let low = register(&forged).to_le_bytes()[0];
        forged.push(low ^ u8::try_from(entry).expect("an index"));
    }
    forged
}

fn register(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |register, byte| (register >> 8) ^ table((register ^ u32::from(*byte)) & 0xff))
}

fn table(index: u32) -> u32 {
    (0..8).fold(index, |entry, _| if entry & 1 == 1 { (entry >> 1) ^ POLYNOMIAL } else { entry >> 1 })
}

#[test]
fn the_checksum_is_the_same() {
    // The check value of CRC-32/ISO-HDLC.
    assert_eq!(register(b"123456789") ^ u32::MAX, 0xcbf4_3926);
    let forged = with_checksum_of(b"123456789", b"anything else");
    assert_eq!(register(&forged) ^ u32::MAX, 0xcbf4_3926);
    assert!(forged.starts_with(b"anything else") && forged.len() == 17);
}

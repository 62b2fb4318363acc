//! Checksums: they find what a bad disk or wire did, and nothing that somebody wanted to do.
//!
//! The cyclic ones are the reflected CRCs of the names by which the object stores know them: CRC-32 (ISO 3309,
//! RFC 1952), CRC-32C (RFC 3720, section 12.1) and CRC-64/NVME (NVM Express, NVM Command Set, section 5.2.1.3.4).
//! Eight bytes at a time, by eight tables.
//!
//! Deliberately absent: their use as a signature or in one. No scheme file can name them where something has to be
//! proved.

use std::sync::OnceLock;

use super::{Hash, Hasher};

/// A checksum that is carried beside content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// CRC-32.
    Crc32,
    /// CRC-32C.
    Crc32c,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Checksum {
    /// Every checksum.
    pub const ALL: &'static [Self] = &[Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name, as in `crc32c`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The checksum of a name, which must be spelt exactly.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|checksum| checksum.name() == name)
    }

    /// Starts a checksum that is fed in pieces.
    #[must_use]
    pub fn begin(self) -> Checksumming {
        let cyclic = |polynomial, width| Checksumming(State::Cyclic { polynomial, width, register: ones(width) });
        match self {
            Self::Crc32 => cyclic(Polynomial::Crc32, 4),
            Self::Crc32c => cyclic(Polynomial::Crc32c, 4),
            Self::Crc64Nvme => cyclic(Polynomial::Crc64Nvme, 8),
            Self::Sha1 => Checksumming(State::Hash(Box::new(Hash::Sha1.begin()))),
            Self::Sha256 => Checksumming(State::Hash(Box::new(Hash::Sha256.begin()))),
        }
    }
}

/// A checksum being computed.
#[derive(Debug, Clone)]
pub struct Checksumming(State);

#[derive(Debug, Clone)]
enum State {
    /// `width`: bytes of the result.
    Cyclic {
        polynomial: Polynomial,
        width: usize,
        register: u64,
    },
    Hash(Box<Hasher>),
}

impl Checksumming {
    /// Feeds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        match &mut self.0 {
            State::Cyclic { polynomial, register, .. } => *register = polynomial.tables().advance(*register, piece),
            State::Hash(hasher) => hasher.update(piece),
        }
    }

    /// The checksum of everything fed, most significant byte first.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Cyclic { width, register, .. } => {
                let bytes = (register ^ ones(width)).to_be_bytes();
                bytes.get(bytes.len().saturating_sub(width)..).unwrap_or_default().to_vec()
            }
            State::Hash(hasher) => hasher.finish().as_bytes().to_vec(),
        }
    }
}

/// The register before the first byte, and what the last one is turned over with.
const fn ones(width: usize) -> u64 {
    if width == 4 { 0xffff_ffff } else { u64::MAX }
}

#[derive(Debug, Clone, Copy)]
enum Polynomial {
    Crc32,
    Crc32c,
    Crc64Nvme,
}

impl Polynomial {
    /// Bit-reversed, as the register is.
    const fn reflected(self) -> u64 {
        match self {
            Self::Crc32 => 0xedb8_8320,
            Self::Crc32c => 0x82f6_3b78,
            Self::Crc64Nvme => 0x9a6c_9329_ac4b_c9b5,
        }
    }

    fn tables(self) -> &'static Tables {
        static CRC32: OnceLock<Tables> = OnceLock::new();
        static CRC32C: OnceLock<Tables> = OnceLock::new();
        static CRC64NVME: OnceLock<Tables> = OnceLock::new();
        let tables = match self {
            Self::Crc32 => &CRC32,
            Self::Crc32c => &CRC32C,
            Self::Crc64Nvme => &CRC64NVME,
        };
        tables.get_or_init(|| Tables::of(self.reflected()))
    }
}

/// What a byte does to the register, and what it does with one to seven bytes of zero behind it.
struct Tables([[u64; 256]; 8]);

impl Tables {
    fn of(polynomial: u64) -> Self {
        let step = |register: u64| if register & 1 == 1 { (register >> 1) ^ polynomial } else { register >> 1 };
        let alone: [u64; 256] =
            std::array::from_fn(|byte| (0..8).fold(u64::try_from(byte).unwrap_or_default(), |crc, _| step(crc)));
        let mut tables = [alone; 8];
        let mut before = alone;
        for table in tables.iter_mut().skip(1) {
            for entry in &mut before {
                *entry = (*entry >> 8) ^ at(&alone, *entry);
            }
            *table = before;
        }
        Self(tables)
    }

    fn advance(&self, register: u64, piece: &[u8]) -> u64 {
        let [alone, ..] = &self.0;
        let (words, rest) = piece.as_chunks::<8>();
        let register = words.iter().fold(register, |register, word| {
            let word = register ^ u64::from_le_bytes(*word);
            // The first byte has seven behind it.
            let bytes = word.to_le_bytes();
            bytes.iter().zip(self.0.iter().rev()).fold(0, |sum, (byte, table)| sum ^ at(table, u64::from(*byte)))
        });
        rest.iter().fold(register, |register, byte| (register >> 8) ^ at(alone, register ^ u64::from(*byte)))
    }
}

/// The entry of the lowest byte.
fn at(table: &[u64; 256], index: u64) -> u64 {
    let [low, ..] = index.to_le_bytes();
    table.get(usize::from(low)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(checksum: Checksum, pieces: &[&[u8]]) -> String {
        let mut summing = checksum.begin();
        for piece in pieces {
            summing.update(piece);
        }
        const_hex::encode(summing.finish())
    }

    /// The check values of the catalogue of parametrised CRC algorithms, and FIPS 180's for the digests.
    #[test]
    fn each_has_its_published_check_value() {
        for (name, check, empty) in [
            ("crc32", "cbf43926", "00000000"),
            ("crc32c", "e3069283", "00000000"),
            ("crc64nvme", "ae8b14860a799888", "0000000000000000"),
        ] {
            let checksum = Checksum::from_name(name).unwrap();
            assert_eq!(of(checksum, &[b"123456789"]), check, "{name}");
            assert_eq!(of(checksum, &[]), empty, "{name}");
        }
        assert_eq!(of(Checksum::Sha1, &[b"abc"]), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(of(Checksum::Sha256, &[b"abc"]).starts_with("ba7816bf"));
    }

    #[test]
    fn names_are_exact() {
        for checksum in Checksum::ALL {
            assert_eq!(Checksum::from_name(checksum.name()), Some(*checksum));
        }
        for wrong in ["", "CRC32", "crc-32", "md5", "sha512"] {
            assert_eq!(Checksum::from_name(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_make_the_checksum_of_the_whole(pieces in prop::collection::vec(any::<Vec<u8>>(), 0..6)) {
            let whole = pieces.concat();
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            for checksum in Checksum::ALL {
                prop_assert_eq!(of(*checksum, &pieces), of(*checksum, &[&whole]));
            }
        }

        /// Bit by bit, as the definition has it.
        #[test]
        fn the_tables_do_what_the_polynomial_does(text: Vec<u8>) {
            let polynomial = 0x82f6_3b78_u32;
            let mut register = u32::MAX;
            for byte in &text {
                register ^= u32::from(*byte);
                for _ in 0..8 {
                    register = if register & 1 == 1 { (register >> 1) ^ polynomial } else { register >> 1 };
                }
            }
            prop_assert_eq!(of(Checksum::Crc32c, &[&text]), format!("{:08x}", !register));
        }
    }
}

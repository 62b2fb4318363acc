//! Hash functions: FIPS 180-4 (SHA), GB/T 32905 (SM3), RFC 1321 (MD5).
//!
//! MD5 and SHA-1 are here because vendors' schemes use them; whether a scheme may is the linter's question.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use sm3::Sm3;

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// MD5: collisions cost nothing. Vendors' schemes only.
    Md5,
    /// SHA-1: collisions are affordable. Vendors' schemes only.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SM3.
    Sm3,
}

impl Hash {
    /// Every hash function, the weakest first.
    pub const ALL: &'static [Self] = &[Self::Md5, Self::Sha1, Self::Sha256, Self::Sm3, Self::Sha384, Self::Sha512];

    /// The name in scheme files, as in `sha256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sm3 => "sm3",
        }
    }

    /// The hash function of a name, which must be spelt exactly.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|hash| hash.name() == name)
    }

    /// How many bytes a digest has.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Sm3 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Starts a digest that is fed in pieces.
    #[must_use]
    pub fn begin(self) -> Hasher {
        Hasher(match self {
            Self::Md5 => State::Md5(Md5::new()),
            Self::Sha1 => State::Sha1(Sha1::new()),
            Self::Sha256 => State::Sha256(Sha256::new()),
            Self::Sha384 => State::Sha384(Sha384::new()),
            Self::Sha512 => State::Sha512(Sha512::new()),
            Self::Sm3 => State::Sm3(Sm3::new()),
        })
    }

    /// The digest of one message.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Digest {
        match self {
            Self::Md5 => Digest::of(Md5::digest(message).into()),
            Self::Sha1 => Digest::of(Sha1::digest(message).into()),
            Self::Sha256 => Digest::of(Sha256::digest(message).into()),
            Self::Sha384 => Digest::of(Sha384::digest(message).into()),
            Self::Sha512 => Digest::of(Sha512::digest(message).into()),
            Self::Sm3 => Digest::of(Sm3::digest(message).into()),
        }
    }
}

/// A digest being computed. Its state is wiped when dropped: what is hashed may hold a secret.
#[derive(Clone)]
pub struct Hasher(State);

impl Hasher {
    /// Feeds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        match &mut self.0 {
            State::Md5(state) => state.update(piece),
            State::Sha1(state) => state.update(piece),
            State::Sha256(state) => state.update(piece),
            State::Sha384(state) => state.update(piece),
            State::Sha512(state) => state.update(piece),
            State::Sm3(state) => state.update(piece),
        }
    }

    /// The digest of everything fed.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Md5(state) => Digest::of(state.finalize().into()),
            State::Sha1(state) => Digest::of(state.finalize().into()),
            State::Sha256(state) => Digest::of(state.finalize().into()),
            State::Sha384(state) => Digest::of(state.finalize().into()),
            State::Sha512(state) => Digest::of(state.finalize().into()),
            State::Sm3(state) => Digest::of(state.finalize().into()),
        }
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher(..)")
    }
}

/// A digest or a tag, of the length that its algorithm has.
///
/// It cannot be compared with `==` and does not print its bytes: a tag that we computed is a valid signature.
#[derive(Clone, Copy)]
pub struct Digest {
    bytes: [u8; LONGEST],
    len: u8,
}

impl Digest {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// A SHA-256 digest that was computed before.
    pub(crate) fn from_sha256(digest: [u8; 32]) -> Self {
        Self::of(digest)
    }

    pub(super) fn of<const LEN: usize>(digest: [u8; LEN]) -> Self {
        const { assert!(LEN <= LONGEST) };
        let mut bytes = [0; LONGEST];
        if let Some(head) = bytes.first_chunk_mut() {
            *head = digest;
        }
        Self { bytes, len: u8::try_from(LEN).unwrap_or(u8::MAX) }
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({} bytes)", self.len)
    }
}

#[derive(Clone)]
enum State {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    Sm3(Sm3),
}

const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The digests of `abc`: RFC 1321, appendix A.5, FIPS 180-4's examples, and GB/T 32905, appendix A.1.
    const ABC: &[(&str, &str)] = &[
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
        ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("sm3", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (
            "sha384",
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            "sha512",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ];

    #[test]
    fn abc_has_its_published_digests() {
        assert_eq!(ABC.len(), Hash::ALL.len());
        for (name, expected) in ABC {
            let hash = Hash::from_name(name).unwrap();
            let digest = hash.digest(b"abc");
            assert_eq!(const_hex::encode(digest.as_bytes()), *expected, "{name}");
            assert_eq!(digest.as_bytes().len(), hash.output_len(), "{name}");
        }
    }

    /// GB/T 32905, appendix A.2: more than one block.
    #[test]
    fn sm3_of_sixty_four_bytes() {
        let digest = Hash::Sm3.digest(&b"abcd".repeat(16));
        let expected = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
        assert_eq!(const_hex::encode(digest.as_bytes()), expected);
    }

    #[test]
    fn names_are_exact() {
        for hash in Hash::ALL {
            assert_eq!(Hash::from_name(hash.name()), Some(*hash));
        }
        for wrong in ["", "SHA256", "sha-256", "sha256 ", "sha224", "sha", "SM3", "sm-3", "sm4"] {
            assert_eq!(Hash::from_name(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn debug_shows_no_bytes() {
        let digest = Hash::Sha256.digest(b"abc");
        assert_eq!(format!("{digest:?}"), "Digest(32 bytes)");
        assert_eq!(format!("{:?}", Hash::Sha1.begin()), "Hasher(..)");
    }

    proptest! {
        #[test]
        fn pieces_make_the_digest_of_the_whole(pieces in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
            for hash in Hash::ALL {
                let mut hasher = hash.begin();
                for piece in &pieces {
                    hasher.update(piece);
                }
                let (whole, fed) = (hash.digest(&pieces.concat()), hasher.finish());
                prop_assert_eq!(whole.as_bytes(), fed.as_bytes());
            }
        }
    }
}

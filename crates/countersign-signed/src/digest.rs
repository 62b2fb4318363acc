//! The digests that frameworks may be set to, and HMACs with them.
//!
//! The engine's own are used where it has them; what is left is what Python's `hashlib` guarantees besides.

use blake2::{Blake2b512, Blake2s256};
use countersign_core::alg::{Hash, MacKey};
use hmac::{KeyInit as _, Mac as _, SimpleHmac};
use sha2::{Digest as _, Sha224};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use zeroize::{Zeroize as _, Zeroizing};

macro_rules! digests {
    ($($(#[$about:meta])* $name:ident $text:literal $kind:ident $of:ident;)*) => {
        /// A digest, by the name that `hashlib` has for it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Digest { $($(#[$about])* $name,)* }

        impl Digest {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name, as in `sha256`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Hashes the pieces, one after the other.
            pub(crate) fn hash(self, pieces: &[&[u8]]) -> Zeroizing<Vec<u8>> {
                match self { $(Self::$name => digests!(hash $kind $of pieces),)* }
            }

            /// Prepares a key of any length.
            pub(crate) fn keyed(self, key: &[u8]) -> Keyed {
                match self { $(Self::$name => digests!(keyed $kind $of key $name),)* }
            }
        }

        digests!(extra [] $($kind $of $name)*);
    };
    (hash core $of:ident $pieces:ident) => {{
        let mut hasher = Hash::$of.begin();
        for piece in $pieces {
            hasher.update(piece);
        }
        Zeroizing::new(hasher.finish().as_bytes().to_vec())
    }};
    (hash extra $of:ident $pieces:ident) => {{
        let mut hasher = $of::new();
        for piece in $pieces {
            hasher.update(piece);
        }
        Zeroizing::new(hasher.finalize().to_vec())
    }};
    (keyed core $of:ident $key:ident $name:ident) => { Keyed(State::Core(MacKey::new(Hash::$of, $key))) };
    (keyed extra $of:ident $key:ident $name:ident) => {
        // RFC 2104 takes keys of every length; the signature of the trait does not know that.
        Keyed(SimpleHmac::<$of>::new_from_slice($key).map_or(State::None, |state| State::$name(Box::new(state))))
    };
    (extra [$($of:ident $name:ident)*] core $core:ident $n:ident $($rest:tt)*) => {
        digests!(extra [$($of $name)*] $($rest)*);
    };
    (extra [$($of:ident $name:ident)*] extra $more:ident $n:ident $($rest:tt)*) => {
        digests!(extra [$($of $name)* $more $n] $($rest)*);
    };
    (extra [$($of:ident $name:ident)*]) => {
        #[derive(Clone)]
        #[expect(clippy::large_enum_variant, reason = "what nearly everybody uses is found without a pointer")]
        enum State {
            Core(MacKey),
            None,
            $($name(Box<SimpleHmac<$of>>),)*
        }

        impl Keyed {
            /// The tag of the pieces, one after the other.
            pub(crate) fn tag(&self, pieces: &[&[u8]]) -> Tag {
                match &self.0 {
                    State::Core(key) => {
                        let mut mac = key.begin();
                        for piece in pieces {
                            mac.update(piece);
                        }
                        Tag::of(mac.finish().as_bytes())
                    }
                    State::None => Tag::of(&[]),
                    $(State::$name(key) => {
                        let mut mac = SimpleHmac::clone(key);
                        for piece in pieces {
                            mac.update(piece);
                        }
                        Tag::of(&mac.finalize().into_bytes())
                    })*
                }
            }
        }
    };
}

digests! {
    /// `BLAKE2b`.
    Blake2b "blake2b" extra Blake2b512;
    /// `BLAKE2s`.
    Blake2s "blake2s" extra Blake2s256;
    /// MD5: as old as it is weak.
    Md5 "md5" core Md5;
    /// SHA-1: Django before 3.1, itsdangerous, Rails and keygrip where nothing else is said.
    Sha1 "sha1" core Sha1;
    /// SHA-224.
    Sha224 "sha224" extra Sha224;
    /// SHA-256.
    Sha256 "sha256" core Sha256;
    /// SHA-384.
    Sha384 "sha384" core Sha384;
    /// SHA3-224.
    Sha3With224 "sha3_224" extra Sha3_224;
    /// SHA3-256.
    Sha3With256 "sha3_256" extra Sha3_256;
    /// SHA3-384.
    Sha3With384 "sha3_384" extra Sha3_384;
    /// SHA3-512.
    Sha3With512 "sha3_512" extra Sha3_512;
    /// SHA-512.
    Sha512 "sha512" core Sha512;
}

impl Digest {
    /// The digest of a name, which must be spelt exactly.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|digest| digest.name() == name)
    }
}

/// An HMAC key whose schedule is done.
#[derive(Clone)]
pub(crate) struct Keyed(State);

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyed(..)")
    }
}

/// A tag, of the length that its digest has. A tag that we computed is a valid signature, so it does not print, and
/// only constant time compares it.
pub(crate) struct Tag {
    bytes: [u8; LONGEST],
    len: usize,
}

const LONGEST: usize = 64;

impl Tag {
    fn of(tag: &[u8]) -> Self {
        let mut bytes = [0; LONGEST];
        for (to, from) in bytes.iter_mut().zip(tag) {
            *to = *from;
        }
        Self { bytes, len: tag.len().min(LONGEST) }
    }

    /// Overwrites it, where it was a key.
    pub(crate) fn wipe(mut self) {
        self.bytes.zeroize();
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// PBKDF2, RFC 8018, section 5.2: what Rails derives its keys with.
pub(crate) fn pbkdf2(digest: Digest, secret: &[u8], salt: &[u8], rounds: u32, length: usize) -> Zeroizing<Vec<u8>> {
    let key = digest.keyed(secret);
    let mut out = Zeroizing::new(Vec::with_capacity(length));
    for counter in 1..=u32::MAX {
        if out.len() >= length {
            break;
        }
        let mut link = key.tag(&[salt, &counter.to_be_bytes()]);
        let mut block = Zeroizing::new(link.as_bytes().to_vec());
        if block.is_empty() {
            break;
        }
        for _ in 1..rounds {
            link = key.tag(&[link.as_bytes()]);
            for (to, from) in block.iter_mut().zip(link.as_bytes()) {
                *to ^= from;
            }
        }
        out.extend_from_slice(&block);
    }
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        let digit = |nibble| char::from_digit(u32::from(nibble), 16).unwrap();
        bytes.iter().flat_map(|byte: &u8| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    /// By Python's `hmac.new(b"key", b"message", NAME)`.
    const TAGS: &[(&str, &str)] = &[
        (
            "blake2b",
            "04e9ada930688cde75eec939782eed653073dd621d7643f813702976257cf037\
             d325b50eedd417c01b6ad1f978fbe2980a93d27d854044e8626df6fa279d6680",
        ),
        ("blake2s", "bba8fa28708ae80d249e317318c95c859f3f77512be23910d5094d9110454d6f"),
        ("md5", "4e4748e62b463521f6775fbf921234b5"),
        ("sha1", "2088df74d5f2146b48146caf4965377e9d0be3a4"),
        ("sha224", "a0b5eecae3f74f0561a8da6f389f78f1a3895c8c183c31c1756d7925"),
        ("sha256", "6e9ef29b75fffc5b7abae527d58fdadb2fe42e7219011976917343065f58ed4a"),
        (
            "sha384",
            "0fd3ae3237be98c64a075b7394989fc6789f31788fada42e\
             ada85ee6698bde2feae20b66271b67544b9062c773b2d86f",
        ),
        ("sha3_224", "d67a1f6c06fba02851bdb27bb78463f805b63f34bfbc7ebb8bf24016"),
        ("sha3_256", "0f43852a24d5597a8200312a95993991581679d63264f1b1ad4b5ccac7fe8ba4"),
        (
            "sha3_384",
            "be48b7a82bf3dda2dc743a584e7a7d6375a664e611d240a6\
             c951f3d15e18666fc6d4b3e31f8d6c44caec98667209aa31",
        ),
        (
            "sha3_512",
            "4b733ae1713d83ed27e49527a1e4ce032ecad6657e82403b42c31f901f00bdc3\
             06fdc5d1e4b664530e9c691a01070d85e6479be0b9c43b28e0ed7740f90628cf",
        ),
        (
            "sha512",
            "e477384d7ca229dd1426e64b63ebf2d36ebd6d7e669a6735424e72ea6c01d3f8\
             b56eb39c36d8232f5427999b8d1a3f9cd1128fc69f4d75b434216810fa367e98",
        ),
    ];

    #[test]
    fn every_digest_makes_pythons_tag() {
        assert_eq!(TAGS.len(), Digest::ALL.len());
        for (name, expected) in TAGS {
            let digest = Digest::from_name(name).unwrap();
            let tag = digest.keyed(b"key").tag(&[b"mess", b"age"]);
            assert_eq!(hex(tag.as_bytes()), *expected, "{name}");
        }
    }

    #[test]
    fn a_key_longer_than_a_block_is_hashed_first() {
        let long = [b'k'; 300];
        for digest in Digest::ALL {
            let hashed = digest.hash(&[&long[..100], &long[100..]]);
            let (one, other) = (digest.keyed(&long).tag(&[b"m"]), digest.keyed(&hashed).tag(&[b"m"]));
            assert_eq!(hex(one.as_bytes()), hex(other.as_bytes()), "{}", digest.name());
        }
    }

    #[test]
    fn names_are_exact() {
        for wrong in ["", "SHA256", "sha-256", "sha3-256", "shake_128", "sha512_256"] {
            assert_eq!(Digest::from_name(wrong), None, "{wrong}");
        }
    }

    /// RFC 6070.
    #[test]
    fn pbkdf2_has_its_published_outputs() {
        let derived = |rounds, length| hex(&pbkdf2(Digest::Sha1, b"password", b"salt", rounds, length));
        assert_eq!(derived(1, 20), "0c60c80f961f0e71f3a9b524af6012062fe037a6");
        assert_eq!(derived(2, 20), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
        assert_eq!(derived(4096, 20), "4b007901b765489abead49d926f721d065a429c1");
        assert!(derived(2, 50).starts_with(&derived(2, 20)) && derived(2, 50).len() == 100);
    }
}

//! HMAC, RFC 2104: a key that is prepared once, and tags computed with it.
//!
//! Deliberately absent: comparison and truncation. A tag is computed again and compared by [`ct_eq`](super::ct_eq).

use super::{Digest, Hash};
use hmac::digest::common::{Key, KeySizeUser};
use hmac::digest::{FixedOutput as _, Update as _};
use hmac::{Hmac, KeyInit, SimpleHmac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use sha3::{Sha3_256, Sha3_384};
use sm3::Sm3;
use zeroize::Zeroize as _;

/// An HMAC key whose schedule is done: a tag costs no work on the key. Wiped when dropped, and never printed.
#[derive(Clone)]
pub struct MacKey(State);

impl MacKey {
    /// Prepares a key of any length.
    #[must_use]
    pub fn new(hash: Hash, key: &[u8]) -> Self {
        Self(match hash {
            Hash::Md5 => State::Md5(keyed::<_, Md5>(key)),
            Hash::Sha1 => State::Sha1(keyed::<_, Sha1>(key)),
            Hash::Sha256 => State::Sha256(keyed::<_, Sha256>(key)),
            Hash::Sha384 => State::Sha384(keyed::<_, Sha384>(key)),
            Hash::Sha512 => State::Sha512(keyed::<_, Sha512>(key)),
            Hash::Sm3 => State::Sm3(keyed::<_, Sm3>(key)),
        })
    }

    /// The hash function it was prepared for.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        match self.0 {
            State::Md5(_) => Hash::Md5,
            State::Sha1(_) => Hash::Sha1,
            State::Sha256(_) => Hash::Sha256,
            State::Sha384(_) => Hash::Sha384,
            State::Sha512(_) => Hash::Sha512,
            State::Sm3(_) => Hash::Sm3,
        }
    }

    /// Starts a tag over a message that is fed in pieces.
    #[must_use]
    pub fn begin(&self) -> Mac {
        Mac(self.0.clone())
    }

    /// The tag of one message.
    #[must_use]
    pub fn mac(&self, message: &[u8]) -> Digest {
        let mut mac = self.begin();
        mac.update(message);
        mac.finish()
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MacKey({}, ..)", self.hash().name())
    }
}

/// A tag being computed.
#[derive(Clone)]
pub struct Mac(State);

impl Mac {
    /// Feeds the next piece of the message.
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

    /// The tag of everything fed.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Md5(state) => Digest::of(state.finalize_fixed().into()),
            State::Sha1(state) => Digest::of(state.finalize_fixed().into()),
            State::Sha256(state) => Digest::of(state.finalize_fixed().into()),
            State::Sha384(state) => Digest::of(state.finalize_fixed().into()),
            State::Sha512(state) => Digest::of(state.finalize_fixed().into()),
            State::Sm3(state) => Digest::of(state.finalize_fixed().into()),
        }
    }
}

impl std::fmt::Debug for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mac(..)")
    }
}

/// The tag by SHA3-256. It is no [`Hash`]: no scheme asks for it, Python's `multiprocessing` does.
pub(crate) fn hmac_sha3_256(key: &[u8], message: &[u8]) -> Digest {
    Digest::of(keyed::<SimpleHmac<Sha3_256>, Sha3_256>(key).chain(message).finalize_fixed().into())
}

/// The tag by SHA3-384.
pub(crate) fn hmac_sha3_384(key: &[u8], message: &[u8]) -> Digest {
    Digest::of(keyed::<SimpleHmac<Sha3_384>, Sha3_384>(key).chain(message).finalize_fixed().into())
}

/// RFC 2104, section 2: a key longer than a block is hashed, a shorter one is padded with zeros. Done here because
/// only the constructor that takes a whole block cannot fail.
fn keyed<M: KeyInit + KeySizeUser, H: hmac::digest::Digest>(key: &[u8]) -> M {
    let mut block = Key::<M>::default();
    if key.len() > block.len() {
        let mut hashed = H::digest(key);
        fill(&mut block, &hashed);
        hashed.as_mut_slice().zeroize();
    } else {
        fill(&mut block, key);
    }
    let state = M::new(&block);
    block.as_mut_slice().zeroize();
    state
}

fn fill(block: &mut [u8], bytes: &[u8]) {
    for (slot, byte) in block.iter_mut().zip(bytes) {
        *slot = *byte;
    }
}

#[derive(Clone)]
enum State {
    Md5(Hmac<Md5>),
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
    Sm3(Hmac<Sm3>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn debug_shows_no_key() {
        let key = MacKey::new(Hash::Sha256, b"secret");
        assert_eq!(format!("{key:?} {:?}", key.begin()), "MacKey(sha256, ..) Mac(..)");
    }

    #[test]
    fn a_prepared_key_serves_any_number_of_messages() {
        let key = MacKey::new(Hash::Sha256, b"secret");
        let first = key.mac(b"one");
        let _ = key.mac(b"two");
        assert_eq!(first.as_bytes(), key.mac(b"one").as_bytes());
        assert_ne!(first.as_bytes(), key.mac(b"two").as_bytes());
    }

    /// GB/T 15852.2, appendix: messages and keys of several lengths.
    #[test]
    fn hmac_sm3_has_its_published_values() {
        let text = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".repeat(2);
        let key =
            const_hex::decode("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425").unwrap();
        for (key, message, tag) in [
            (&key[..32], text.as_slice(), "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a"),
            (&key, &[0xcd; 50], "220bf579ded555393f0159f66c99877822a3ecf610d1552154b41d44b94db3ae"),
            (&[0x0b; 32], b"Hi There", "c0ba18c68b90c88bc07de794bfc7d2c8d19ec31ed8773bc2b390c9604e0be11e"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "2e87f1d16862e6d964b50a5200bf2b10b764faa9680a296a2405f24bec39f882",
            ),
        ] {
            assert_eq!(const_hex::encode(MacKey::new(Hash::Sm3, key).mac(message).as_bytes()), tag);
        }
    }

    proptest! {
        /// RFC 2104's own words, from the hash alone: H(K ^ opad, H(K ^ ipad, text)).
        #[test]
        fn a_tag_is_what_rfc_2104_defines(
            key in prop::collection::vec(any::<u8>(), 0..200),
            head: Vec<u8>,
            tail: Vec<u8>,
        ) {
            for hash in Hash::ALL {
                let block_len = if hash.output_len() > 32 { 128 } else { 64 };
                let mut block =
                    if key.len() > block_len { hash.digest(&key).as_bytes().to_vec() } else { key.clone() };
                block.resize(block_len, 0);
                let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<_>>();
                let inner = hash.digest(&[&pad(0x36)[..], &head, &tail].concat());
                let expected = hash.digest(&[&pad(0x5c)[..], inner.as_bytes()].concat());

                let mut mac = MacKey::new(*hash, &key).begin();
                mac.update(&head);
                mac.update(&tail);
                let tag = mac.finish();
                prop_assert_eq!(tag.as_bytes(), expected.as_bytes());
            }
        }
    }
}

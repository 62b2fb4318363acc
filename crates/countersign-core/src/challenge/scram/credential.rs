//! What a server keeps of a password: RFC 5802's `StoredKey` and `ServerKey`, with the salt and the iterations.
//!
//! A key's text is a password, or what is kept of one in `PostgreSQL`'s notation:
//! `SCRAM-SHA-256$4096:SALT$STORED_KEY:SERVER_KEY`, the last three in base64. While keys rotate, several passwords of
//! one id are kept under one salt, so that each of them works.

use std::sync::Arc;

use hmac::Hmac;
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{ITERATIONS, mac, prepared, xor};
use crate::alg::{Digest, Hash, ct_eq};
use crate::canon;
use crate::challenge::{Candidates, Refusal};
use crate::key::Key;
use crate::tally::Tally;

/// How many iterations a password of the key store gets: what RFC 7677 has as the least, since a guess costs a
/// connection here, and nobody can steal what is only in memory.
pub const DEFAULT_ITERATIONS: u32 = 4096;

/// What a server keeps of the passwords of one id.
#[derive(Clone)]
pub struct Credential {
    pub(super) salt: Box<[u8]>,
    pub(super) iterations: u32,
    kept: Vec<Kept>,
    /// Why there are none.
    none: Refusal,
}

#[derive(Clone)]
struct Kept {
    stored_key: Digest,
    server_key: Digest,
    /// Where uses of the key are counted that it was made of.
    tally: Option<Arc<Tally>>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(..)")
    }
}

impl Credential {
    /// What is to be kept of the secrets of an id: derived with this salt where they are passwords, which takes a
    /// while, and the same while where there are none.
    #[must_use]
    pub fn of(candidates: &Candidates, salt: &[u8]) -> Self {
        Self::with(Hash::Sha256, candidates, salt, DEFAULT_ITERATIONS)
    }

    pub(super) fn with(hash: Hash, candidates: &Candidates, salt: &[u8], iterations: u32) -> Self {
        let none = candidates.absence().unwrap_or(Refusal::AnswerWrong);
        let mut credential = Self { salt: salt.into(), iterations, kept: Vec::new(), none };
        let mut derived = false;
        let stored: Vec<_> = candidates.each().filter(|(_, secret)| secret.starts_with(PREFIX)).collect();
        if stored.is_empty() {
            for (key, password) in candidates.each() {
                match salted(hash, password, salt, iterations) {
                    Ok(salted) => credential.kept.push(Kept::of(hash, &salted).counted(key)),
                    Err(refusal) => credential.none = refusal,
                }
                derived = true;
            }
        } else if let Some((salt, iterations, _)) = stored.first().and_then(|(_, text)| read(text)) {
            // The newest decides; others serve where they share its salt.
            let kept = |(key, text): &(&Key, &[u8])| {
                let (salt, iterations, kept) = read(text)?;
                Some((salt, iterations, kept.counted(key)))
            };
            let same = stored.iter().filter_map(kept);
            let same = same.filter(|(other, count, _)| *other == salt && *count == iterations);
            credential.kept = same.map(|(_, _, kept)| kept).collect();
            (credential.salt, credential.iterations) = (salt.into(), iterations);
        } else {
            credential.none = Refusal::KeyNotFitting;
        }
        if !derived {
            // The work of a known password, so that time does not tell.
            let _ = salted(hash, b"nobody", salt, iterations);
        }
        credential
    }

    /// Whether uses are counted where those of these candidates are: the same secret may have become another key's.
    #[must_use]
    pub fn counts_for(&self, candidates: &Candidates) -> bool {
        let is = |kept: &Kept| {
            let same = |(key, _): (&Key, _)| match (&kept.tally, key.tally()) {
                (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                (one, other) => one.is_none() && other.is_none(),
            };
            candidates.each().any(same)
        };
        self.kept.iter().all(is)
    }

    /// The server's signature, where the proof is made from one of the passwords, and where uses of that are counted.
    pub(super) fn judge(
        &self,
        hash: Hash,
        message: &str,
        proof: &[u8],
    ) -> Result<(Digest, Option<&Arc<Tally>>), Refusal> {
        let mut signature = None;
        for kept in &self.kept {
            let holds = kept.holds(hash, message, proof);
            let own = mac(hash, kept.server_key.as_bytes(), message);
            if holds && signature.is_none() {
                signature = Some((own, kept.tally.as_ref()));
            }
        }
        if self.kept.is_empty() {
            let nobody = Kept { stored_key: hash.digest(b""), server_key: hash.digest(b""), tally: None };
            let _ = nobody.holds(hash, message, proof);
            let _ = mac(hash, nobody.server_key.as_bytes(), message);
            return Err(self.none);
        }
        signature.ok_or(Refusal::AnswerWrong)
    }
}

impl Kept {
    /// RFC 5802, section 3.
    fn of(hash: Hash, salted_password: &[u8]) -> Self {
        let client_key = mac(hash, salted_password, "Client Key");
        let server_key = mac(hash, salted_password, "Server Key");
        Self { stored_key: hash.digest(client_key.as_bytes()), server_key, tally: None }
    }

    fn counted(self, key: &Key) -> Self {
        Self { tally: key.tally().cloned(), ..self }
    }

    fn holds(&self, hash: Hash, message: &str, proof: &[u8]) -> bool {
        let signature = mac(hash, self.stored_key.as_bytes(), message);
        let client_key = Zeroizing::new(xor(proof, signature.as_bytes()));
        // A proof of another length is none, and costs the same.
        let right_length = proof.len() == signature.as_bytes().len();
        ct_eq(hash.digest(&client_key).as_bytes(), self.stored_key.as_bytes()) && right_length
    }
}

/// `SaltedPassword`: PBKDF2 of the prepared password.
pub(super) fn salted(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let password = Zeroizing::new(prepared(password)?);
    let mut salted = Zeroizing::new(vec![0; hash.output_len()]);
    let done = match hash {
        Hash::Sha1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password.as_bytes(), salt, iterations, &mut salted),
        Hash::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password.as_bytes(), salt, iterations, &mut salted),
        Hash::Md5 | Hash::Sha384 | Hash::Sha512 | Hash::Sm3 => return Err(Refusal::DigestRefused),
    };
    done.map_err(|_| Refusal::PasswordUnprepared)?;
    Ok(salted)
}

const PREFIX: &[u8] = b"SCRAM-SHA-256$";

/// Reads `PostgreSQL`'s notation.
fn read(text: &[u8]) -> Option<(Vec<u8>, u32, Kept)> {
    let text = str::from_utf8(text.strip_prefix(PREFIX)?).ok()?;
    let (head, tail) = text.split_once('$')?;
    let (iterations, salt) = head.split_once(':')?;
    let (stored_key, server_key) = tail.split_once(':')?;
    let iterations = iterations.parse().ok().filter(|count| ITERATIONS.contains(count))?;
    let bytes = |text: &str| {
        let mut bytes = Vec::new();
        canon::unb64(text.as_bytes(), &mut bytes).ok()?;
        Some(bytes)
    };
    let digest = |text: &str| <[u8; 32]>::try_from(bytes(text)?).ok().map(Digest::from_sha256);
    let kept = Kept { stored_key: digest(stored_key)?, server_key: digest(server_key)?, tally: None };
    Some((bytes(salt).filter(|salt| !salt.is_empty())?, iterations, kept))
}

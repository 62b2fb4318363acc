//! What a gate keeps of SCRAM passwords: derived at the first attempt, and remembered while the keys stay.
//!
//! An id that nobody knows is derived for and remembered like any other, so that neither the salt nor the time tells it
//! apart. How many are remembered is bounded, and the oldest gives way; how many are derived at a time is too.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::alg::{Hash, MacKey, ct_eq};
use countersign_core::challenge::Candidates;
use countersign_core::challenge::scram::Credential;
use tokio::sync::Semaphore;

use crate::reason::Reason;

/// How many ids are remembered.
const MOST: usize = 4096;
/// How many are derived at a time.
const AT_ONCE: usize = 4;
/// Bytes.
const SALT: usize = 16;

pub(crate) struct Credentials {
    /// Makes salts. Of this process alone: what is derived with them ends with it.
    key: MacKey,
    known: Mutex<Known>,
    deriving: Semaphore,
}

#[derive(Default)]
struct Known {
    by_id: HashMap<Box<str>, Entry>,
    oldest_first: VecDeque<Box<str>>,
}

struct Entry {
    /// Of the secrets that it was made from.
    fingerprint: Vec<u8>,
    credential: Arc<Credential>,
}

impl Credentials {
    pub(crate) fn new() -> Result<Self, Reason> {
        let mut seed = [0; 32];
        aws_lc_rs::rand::fill(&mut seed).map_err(|_| Reason::NoRandomness)?;
        Ok(Self { key: MacKey::new(Hash::Sha256, &seed), known: Mutex::default(), deriving: Semaphore::new(AT_ONCE) })
    }

    /// What is kept of the secrets of an id.
    pub(crate) async fn of(&self, id: &str, candidates: Candidates) -> Result<Arc<Credential>, Reason> {
        let fingerprint = self.fingerprint(&candidates);
        let known = self.recall(id, &fingerprint);
        if let Some(credential) = known.filter(|credential| credential.counts_for(&candidates)) {
            return Ok(credential);
        }
        let mut salt = self.key.begin();
        salt.update(b"salt");
        salt.update(id.as_bytes());
        let salt = salt.finish();
        let permit = self.deriving.acquire().await;
        let derive = move || Credential::of(&candidates, &salt.as_bytes()[..SALT]);
        let derived = tokio::task::spawn_blocking(derive).await;
        drop(permit);
        // It can only have been stopped with the runtime.
        let credential = Arc::new(derived.map_err(|_| Reason::Stopping)?);
        self.remember(id, fingerprint, &credential);
        Ok(credential)
    }

    fn fingerprint(&self, candidates: &Candidates) -> Vec<u8> {
        let mut mac = self.key.begin();
        mac.update(candidates.absence().map_or("", |refusal| refusal.code()).as_bytes());
        for secret in candidates.secrets() {
            mac.update(&(secret.len() as u64).to_be_bytes());
            mac.update(secret);
        }
        mac.finish().as_bytes().to_vec()
    }

    fn recall(&self, id: &str, fingerprint: &[u8]) -> Option<Arc<Credential>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.by_id.get(id).filter(|entry| ct_eq(&entry.fingerprint, fingerprint))?;
        Some(Arc::clone(&entry.credential))
    }

    fn remember(&self, id: &str, fingerprint: Vec<u8>, credential: &Arc<Credential>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry { fingerprint, credential: Arc::clone(credential) };
        if known.by_id.insert(id.into(), entry).is_none() {
            known.oldest_first.push_back(id.into());
        }
        while known.by_id.len() > MOST
            && let Some(oldest) = known.oldest_first.pop_front()
        {
            known.by_id.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::challenge::Refusal;

    use super::*;

    #[tokio::test]
    async fn ids_are_remembered_alike_whether_known_or_not_and_within_bounds() {
        let credentials = Credentials::new().unwrap();
        let unknown = || Candidates::none(Refusal::KeyUnknown);
        let first = credentials.of("nobody", unknown()).await.unwrap();
        let again = credentials.of("nobody", unknown()).await.unwrap();
        assert!(Arc::ptr_eq(&first, &again), "the same salt, and no second derivation");
        let changed = credentials.of("nobody", Candidates::none(Refusal::KeyNotValid)).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &changed), "other keys, another credential");
        for number in 0..MOST + 10 {
            credentials.remember(&number.to_string(), Vec::new(), &first);
        }
        let known = credentials.known.lock().unwrap();
        assert_eq!((known.by_id.len(), known.oldest_first.len()), (MOST, MOST));
        assert!(!known.by_id.contains_key("nobody"));
    }
}

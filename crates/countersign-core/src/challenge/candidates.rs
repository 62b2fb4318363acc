//! The secrets that may have made an answer, and why there are none where there are none.
//!
//! Where no key fits, the answer is still computed, with a secret that nobody has: an unknown key id takes the time of
//! a wrong answer.

use std::sync::Arc;

use super::Refusal;
use crate::key::{Key, KeySet, Material};
use crate::time::UnixTime;

/// The secrets to judge an answer by.
#[derive(Debug, Clone)]
pub struct Candidates {
    keys: Vec<Arc<Key>>,
    none: Refusal,
}

impl Candidates {
    /// The shared secrets among `keys` that are valid now and not bound to another algorithm.
    #[must_use]
    pub fn of(keys: &KeySet, now: UnixTime, algorithm: &str) -> Self {
        let fits = |key: &Key| {
            matches!(key.material, Material::Secret(_)) && key.algorithm.as_deref().is_none_or(|own| own == algorithm)
        };
        let none = match keys.keys() {
            [] => Refusal::KeyUnknown,
            all if all.iter().all(|key| fits(key)) => Refusal::KeyNotValid,
            _ => Refusal::KeyNotFitting,
        };
        let mut fitting = keys.valid_at(now);
        fitting.retain(|key| fits(key));
        Self { keys: fitting, none }
    }

    /// No secrets, for this reason.
    #[must_use]
    pub const fn none(why: Refusal) -> Self {
        Self { keys: Vec::new(), none: why }
    }

    /// Why there are none; `None` where there are some.
    #[must_use]
    pub fn absence(&self) -> Option<Refusal> {
        self.keys.is_empty().then_some(self.none)
    }

    /// Each secret.
    pub fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        self.each().map(|(_, secret)| secret)
    }

    /// Each key with its secret.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Key, &[u8])> {
        self.keys.iter().filter_map(|key| Some((&**key, secret(key)?)))
    }

    /// The newest key: the one that is valid since latest, and otherwise the first that was given.
    #[must_use]
    pub fn newest(&self) -> Option<&Key> {
        self.keys.first().map(|key| &**key)
    }

    /// The key whose secret satisfies `holds`. Every secret is tried; where there is none, one that nobody has.
    pub(super) fn find(&self, mut holds: impl FnMut(&[u8]) -> bool) -> Result<&Key, Refusal> {
        let mut found = None;
        for key in &self.keys {
            if let Some(secret) = secret(key)
                && holds(secret)
                && found.is_none()
            {
                found = Some(&**key);
            }
        }
        if self.keys.is_empty() {
            // As long as a digest: the work does not depend on it.
            let _ = holds(&[0; 32]);
            return Err(self.none);
        }
        found.ok_or(Refusal::AnswerWrong)
    }
}

/// The bytes of a shared secret.
pub(super) fn secret(key: &Key) -> Option<&[u8]> {
    match &key.material {
        Material::Secret(secret) => Some(secret.expose()),
        Material::Private(_) | Material::Public(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: impl IntoIterator<Item = Key>) -> KeySet {
        KeySet::new(keys.into_iter().map(Arc::new))
    }

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    #[test]
    fn why_there_are_none() {
        let of = |keys: &KeySet| Candidates::of(keys, at(100), "hmac-sha256").absence();
        assert_eq!(of(&KeySet::default()), Some(Refusal::KeyUnknown));
        let ended = Key::secret(*b"a").limited(None, None, Some(at(99))).unwrap();
        assert_eq!(of(&set([ended.clone()])), Some(Refusal::KeyNotValid));
        let other = Key::secret(*b"a").limited(Some("hmac-sha512"), None, None).unwrap();
        assert_eq!(of(&set([other])), Some(Refusal::KeyNotFitting));
        assert_eq!(of(&set([ended, Key::secret(*b"b")])), None);
    }

    #[test]
    fn every_secret_is_tried_and_one_where_there_is_none() {
        let keys = Candidates::of(&set([Key::secret(*b"a"), Key::secret(*b"b")]), at(0), "");
        let mut tried = Vec::new();
        let found = keys.find(|secret| {
            tried.push(secret.to_vec());
            secret == b"a"
        });
        assert!(found.is_ok());
        assert_eq!(tried, [b"a".to_vec(), b"b".to_vec()]);

        let none = Candidates::of(&KeySet::default(), at(0), "");
        let mut tried = 0;
        let found = none.find(|_| {
            tried += 1;
            true
        });
        assert_eq!((found.err(), tried), (Some(Refusal::KeyUnknown), 1), "even where the answer would hold");
    }
}

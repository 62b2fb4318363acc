//! Keys that somebody handed over: from a command line, a file, a test.
//!
//! Built once and then only read. Absent on purpose: change, validity (the engine judges it, so that the
//! reason is told rightly), persistence.

use countersign_core::key::{Key, KeyQuery, KeyResolver, KeySet};
use countersign_core::replay::{Answer, StoreError};
use std::collections::HashMap;
use std::sync::Arc;

/// Keys in memory, found by the id that a request claims.
///
/// A request that claims an id gets the keys of that id and those without one, which serve any id. A request
/// whose scheme carries no id may have been signed with any key here.
#[derive(Debug, Clone, Default)]
pub struct MemoryKeys {
    by_id: HashMap<Box<[u8]>, KeySet>,
    of_any_id: KeySet,
    everything: Everything,
}

/// More keys would have to be tried for one request than [`KeySet::MOST`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} keys could serve {}, and at most {most} are tried", describe(.key_id.as_deref()), most = KeySet::MOST)]
pub struct TooManyKeys {
    /// How many there are.
    pub found: usize,
    /// The id that they would serve; `None` for requests that claim none.
    pub key_id: Option<String>,
}

#[derive(Debug, Clone)]
enum Everything {
    Fits(KeySet),
    TooMuch(TooManyKeys),
}

impl MemoryKeys {
    /// Takes the keys. Each id may have at most [`KeySet::MOST`], those without an id included.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self, TooManyKeys> {
        let keys: Vec<Arc<Key>> = keys.into_iter().map(Arc::new).collect();
        let serving = |key_id: Option<&str>| -> Result<KeySet, TooManyKeys> {
            let serves = |key: &&Arc<Key>| match (&key.id, key_id) {
                (Some(id), Some(asked)) => id == asked,
                (None, _) => true,
                (Some(_), None) => false,
            };
            key_set(key_id, keys.iter().filter(serves))
        };
        let mut by_id = HashMap::new();
        for id in keys.iter().filter_map(|key| key.id.as_deref()) {
            by_id.insert(id.as_bytes().into(), serving(Some(id))?);
        }
        let everything = key_set(None, keys.iter()).map_or_else(Everything::TooMuch, Everything::Fits);
        Ok(Self { by_id, of_any_id: serving(None)?, everything })
    }

    fn find(&self, query: &KeyQuery<'_>) -> Result<KeySet, StoreError> {
        match (query.claimed_key_id, &self.everything) {
            (Some(id), _) => Ok(self.by_id.get(id).unwrap_or(&self.of_any_id).clone()),
            (None, Everything::Fits(all)) => Ok(all.clone()),
            // Trying the first few would refuse a genuine request for the order of a file.
            (None, Everything::TooMuch(why)) => Err(StoreError::Unavailable(why.to_string())),
        }
    }
}

impl KeyResolver for MemoryKeys {
    fn resolve<'a>(&'a self, query: &'a KeyQuery<'a>) -> Answer<'a, Result<KeySet, StoreError>> {
        Answer::Ready(self.find(query))
    }
}

impl Default for Everything {
    fn default() -> Self {
        Self::Fits(KeySet::default())
    }
}

fn key_set<'a>(key_id: Option<&str>, keys: impl Iterator<Item = &'a Arc<Key>>) -> Result<KeySet, TooManyKeys> {
    let keys: Vec<_> = keys.cloned().collect();
    if keys.len() > KeySet::MOST {
        return Err(TooManyKeys { found: keys.len(), key_id: key_id.map(str::to_owned) });
    }
    Ok(KeySet::new(keys))
}

fn describe(key_id: Option<&str>) -> String {
    key_id.map_or_else(|| "a request that claims no key id".to_owned(), |id| format!("key id {id:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::key::Material;

    fn key(id: Option<&str>, secret: &str) -> Key {
        let key = Key::secret(secret.as_bytes());
        match id {
            Some(id) => key.with_id(id),
            None => key,
        }
    }

    fn secrets(keys: &MemoryKeys, claimed: Option<&str>) -> Vec<String> {
        let query = KeyQuery::new("scheme", claimed.map(str::as_bytes));
        let found = keys.find(&query).unwrap();
        found.keys().iter().map(|key| secret(key)).collect()
    }

    fn secret(key: &Key) -> String {
        match &key.material {
            Material::Secret(secret) => String::from_utf8(secret.expose().to_vec()).unwrap(),
            other => panic!("not a secret: {other:?}"),
        }
    }

    #[test]
    fn a_claimed_id_gets_its_own_keys_and_those_of_no_id_and_no_others() {
        let keys = [(Some("a"), "a1"), (Some("b"), "b1"), (None, "any"), (Some("a"), "a2")];
        let keys = MemoryKeys::new(keys.map(|(id, secret)| key(id, secret))).unwrap();
        assert_eq!(secrets(&keys, Some("a")), ["a1", "any", "a2"]);
        assert_eq!(secrets(&keys, Some("b")), ["b1", "any"]);
        assert_eq!(secrets(&keys, Some("c")), ["any"]);
        assert_eq!(secrets(&keys, Some("")), ["any"]);
        assert_eq!(secrets(&keys, Some("A")), ["any"], "ids are compared to the byte");
    }

    #[test]
    fn an_unknown_id_gets_no_key() {
        let keys = MemoryKeys::new([key(Some("a"), "a1")]).unwrap();
        assert!(secrets(&keys, Some("b")).is_empty());
        assert!(secrets(&MemoryKeys::default(), None).is_empty());
    }

    #[test]
    fn where_no_id_is_claimed_every_key_is_a_candidate() {
        let keys = MemoryKeys::new([key(Some("a"), "a1"), key(None, "any")]).unwrap();
        assert_eq!(secrets(&keys, None), ["a1", "any"]);
    }

    #[test]
    fn keys_past_the_fourth_are_an_error_and_never_left_out() {
        let five = |id: Option<&'static str>| (0..5).map(move |_| key(id, "s"));
        let error = MemoryKeys::new(five(Some("a"))).unwrap_err();
        assert_eq!(error.to_string(), "5 keys could serve key id \"a\", and at most 4 are tried");
        let error = MemoryKeys::new(five(None)).unwrap_err();
        assert_eq!(error, TooManyKeys { found: 5, key_id: None });
        let crowded = five(None).take(3).chain([key(Some("a"), "1"), key(Some("a"), "2")]);
        assert_eq!(MemoryKeys::new(crowded).unwrap_err().found, 5);
    }

    #[test]
    fn many_ids_are_fine_until_a_request_names_none() {
        let keys = MemoryKeys::new(["a", "b", "c", "d", "e"].map(|id| key(Some(id), id))).unwrap();
        assert_eq!(secrets(&keys, Some("e")), ["e"]);
        let answer = keys.find(&KeyQuery::new("scheme", None));
        assert!(matches!(answer, Err(StoreError::Unavailable(why)) if why.contains("claims no key id")));
    }
}

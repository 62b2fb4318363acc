//! Keys, the newest of which signs and any of which verifies.

use countersign_core::Secret;

/// The keys of one use. The order says which is new; both orders are in use, so both constructors say theirs.
#[derive(Debug, Clone)]
pub struct Keys {
    newest_first: Vec<Secret>,
}

/// Why keys are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// An empty key.
    #[error("a key is empty")]
    Empty,
    /// No key.
    #[error("there is no key")]
    None,
    /// Every value would be tried with all of them.
    #[error("there are more than {} keys", Keys::MOST)]
    TooMany,
    /// Our own formats take no key that could be guessed.
    #[error("a key is shorter than {} bytes", Keys::SHORTEST)]
    TooShort,
}

impl Keys {
    /// How many keys there may be: a wrong value is tried with each.
    pub const MOST: usize = 16;

    /// The fewest bytes of a key of our own formats. What frameworks take is not ours to say.
    pub const SHORTEST: usize = 16;

    /// As Django and keygrip list them.
    pub fn newest_first<K: AsRef<[u8]>>(keys: impl IntoIterator<Item = K>) -> Result<Self, KeyFault> {
        let newest_first: Vec<Secret> = keys.into_iter().map(|key| Secret::new(key.as_ref())).collect();
        match newest_first.as_slice() {
            [] => Err(KeyFault::None),
            keys if keys.iter().any(|key| key.expose().is_empty()) => Err(KeyFault::Empty),
            keys if keys.len() > Self::MOST => Err(KeyFault::TooMany),
            _ => Ok(Self { newest_first }),
        }
    }

    /// As itsdangerous lists them.
    pub fn oldest_first<K: AsRef<[u8]>>(keys: impl IntoIterator<Item = K>) -> Result<Self, KeyFault> {
        let mut keys = Self::newest_first(keys)?;
        keys.newest_first.reverse();
        Ok(keys)
    }

    /// One key.
    pub fn one(key: impl AsRef<[u8]>) -> Result<Self, KeyFault> {
        Self::newest_first([key])
    }

    /// Refuses keys that could be guessed.
    pub(crate) fn long_enough(&self) -> Result<(), KeyFault> {
        if self.newest_first.iter().any(|key| key.expose().len() < Self::SHORTEST) {
            return Err(KeyFault::TooShort);
        }
        Ok(())
    }

    /// What is made of each, the newest first.
    pub(crate) fn each<T>(&self, mut to: impl FnMut(&[u8]) -> T) -> Vec<T> {
        self.newest_first.iter().map(|key| to(key.expose())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_none_are_refused() {
        assert_eq!(Keys::newest_first([""; 0]).unwrap_err(), KeyFault::None);
        assert_eq!(Keys::newest_first(["a", ""]).unwrap_err(), KeyFault::Empty);
        assert_eq!(Keys::oldest_first([""]).unwrap_err(), KeyFault::Empty);
        assert_eq!(Keys::newest_first(vec!["a"; 17]).unwrap_err(), KeyFault::TooMany);
        assert_eq!(Keys::one("fifteen bytes..").unwrap().long_enough().unwrap_err(), KeyFault::TooShort);
        assert!(Keys::one("sixteen bytes...").unwrap().long_enough().is_ok());
    }

    #[test]
    fn the_two_orders_are_each_others_reverse() {
        let listed = |keys: Keys| keys.each(<[u8]>::to_vec);
        let (new, old) = (Keys::newest_first(["b", "a"]).unwrap(), Keys::oldest_first(["a", "b"]).unwrap());
        assert_eq!(listed(new), listed(old));
    }

    #[test]
    fn attack_35_keys_print_nothing_of_themselves() {
        let printed = format!("{:?}", Keys::one("canary-of-a-key").unwrap());
        assert!(!printed.contains("canary"), "{printed}");
    }
}

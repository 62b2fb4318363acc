//! What a request carries that was signed for whoever holds it: links, cookies, tokens.
//!
//! ```text
//! head ─► cookie, field or parameter ─► keys of the store ─► countersign-signed ─► Presented
//!                                                                               └► Once, Uses: replay store, last
//! ```
//!
//! Invariants:
//!
//! * What is handed upstream comes out of an `Opened` of the library, or is not handed on.
//! * A key that is not in the store, or a store that does not answer, decides nothing: the request is not forwarded.
//! * A value that is there twice is not read.
//! * A key is told as used by whoever accepts the request, and not before.
//! * What may be used once is admitted to the replay store when everything else holds, and never taken back.

mod carried;
mod link;
mod value;

pub(crate) use link::LinkGate;
pub(crate) use value::{Presented, ValueGate, trial};

use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::alg::ct_eq;
use countersign_core::key::{KeyQuery, KeyResolver, Material, Secret};
use countersign_core::reject::Reason;
use countersign_core::time::UnixTime;
use countersign_core::{Key, StoreError};
use countersign_signed::{Keys, Refused, SettingFault};

use crate::judge::Doubt;
use crate::refuse::Refusal;

type Make<T> = Box<dyn Fn(&Keys) -> Result<T, SettingFault> + Send + Sync>;

/// Keys of the store, and what was made of them last.
pub(crate) struct Ring<T> {
    /// What the keys are for, as the store and the log call it.
    scheme: &'static str,
    ids: Vec<String>,
    store: Arc<dyn KeyResolver>,
    make: Make<T>,
    made: Mutex<Option<Made<T>>>,
}

/// Why there is nothing to check with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoKeys {
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Nothing will come of it before somebody changes the keys.
    #[error("{0}")]
    Unusable(String),
}

/// What is made of keys costs a few hashes, so it is kept until they are others.
struct Made<T> {
    of: Vec<Secret>,
    what: Arc<T>,
}

/// What the keys that are valid now make, and they themselves, in its order.
pub(crate) struct Ready<T> {
    pub(crate) what: Arc<T>,
    pub(crate) keys: RingKeys,
}

/// The keys that something was checked with.
pub(crate) struct RingKeys(Vec<Arc<Key>>);

impl RingKeys {
    /// The key at a place.
    pub(crate) fn at(&self, place: usize) -> Option<&Key> {
        self.0.get(place).map(|key| &**key)
    }
}

impl<T> Ring<T> {
    pub(crate) fn new(
        scheme: &'static str,
        ids: &[String],
        store: &Arc<dyn KeyResolver>,
        make: impl Fn(&Keys) -> Result<T, SettingFault> + Send + Sync + 'static,
    ) -> Self {
        Self { scheme, ids: ids.to_vec(), store: Arc::clone(store), make: Box::new(make), made: Mutex::new(None) }
    }

    /// What the keys that are valid now make.
    pub(crate) async fn get(&self, now: UnixTime) -> Result<Ready<T>, NoKeys> {
        let keys = RingKeys(self.keys(now).await?);
        let secrets = || keys.0.iter().filter_map(|key| secret(key));
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &Made<T>| {
            known.of.len() == keys.0.len()
                && known.of.iter().zip(secrets()).all(|(one, other)| ct_eq(one.expose(), other.expose()))
        };
        if let Some(known) = made.as_ref().filter(|known| same(known)) {
            return Ok(Ready { what: Arc::clone(&known.what), keys });
        }
        let unusable = |why: String| NoKeys::Unusable(format!("the keys of a {} cannot be used: {why}", self.scheme));
        let listed =
            Keys::newest_first(secrets().map(Secret::expose)).map_err(|fault| unusable(fault.to_string()))?;
        let what = Arc::new((self.make)(&listed).map_err(|fault| unusable(fault.to_string()))?);
        *made = Some(Made { of: secrets().cloned().collect(), what: Arc::clone(&what) });
        drop(made);
        Ok(Ready { what, keys })
    }

    /// Why nothing could ever be checked. An unreachable store says nothing.
    pub(crate) async fn fault(&self, now: UnixTime) -> Option<String> {
        match self.get(now).await {
            Ok(_) | Err(NoKeys::Store(_)) => None,
            Err(NoKeys::Unusable(why)) => Some(why),
        }
    }

    /// The keys that are valid now, all of them secrets: in the order of their ids, and of one id the one that is valid since latest first.
    async fn keys(&self, now: UnixTime) -> Result<Vec<Arc<Key>>, NoKeys> {
        let mut keys = Vec::new();
        for id in &self.ids {
            let query = KeyQuery::new(self.scheme, Some(id.as_bytes()));
            let found = self.store.resolve(&query).wait().await?;
            if found.keys().is_empty() {
                return Err(NoKeys::Unusable(format!("there is no key `{id}` in the store")));
            }
            for key in found.valid_at(now) {
                if secret(&key).is_none() {
                    return Err(NoKeys::Unusable(format!("the key `{id}` is no secret")));
                }
                keys.push(key);
            }
        }
        if keys.is_empty() {
            let ids = self.ids.join("`, `");
            return Err(NoKeys::Unusable(format!("none of the keys `{ids}` is valid now")));
        }
        Ok(keys)
    }
}

impl<T> std::fmt::Debug for Ring<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("scheme", &self.scheme).field("ids", &self.ids).finish_non_exhaustive()
    }
}

fn secret(key: &Key) -> Option<&Secret> {
    match &key.material {
        Material::Secret(secret) => Some(secret),
        _ => None,
    }
}

/// The library's reasons in the engine's words. One match, no wildcard: a new reason has to be placed.
const fn reason(refused: Refused) -> Reason {
    match refused {
        Refused::Bound => Reason::ValueDisagrees,
        Refused::Early => Reason::TimestampFuture,
        Refused::Expired => Reason::Expired,
        Refused::Malformed => Reason::CredentialMalformed,
        Refused::Replayed => Reason::Replayed,
        Refused::SignatureMismatch => Reason::SignatureMismatch,
        Refused::TooLarge => Reason::TooLarge,
    }
}

/// A doubt about something that was carried, named as in "the link".
fn doubt(what: &str, refused: Refused) -> Doubt {
    let detail = Some(format!("{what}: {refused}"));
    Doubt { detail, ..Doubt::of(Refusal::Rejected(reason(refused))) }
}

fn missing(what: &str) -> Doubt {
    let detail = Some(format!("{what} is not there"));
    Doubt { detail, ..Doubt::of(Refusal::Rejected(Reason::SignatureMissing)) }
}

fn doubled(what: &str) -> Doubt {
    let detail = Some(format!("{what} is there more than once"));
    Doubt { detail, ..Doubt::of(Refusal::Rejected(Reason::FieldDuplicated)) }
}

/// Without keys nothing is decided, whoever is to blame.
fn keyless(why: NoKeys) -> Doubt {
    undecided(match why {
        NoKeys::Store(error) => error,
        NoKeys::Unusable(why) => StoreError::Unavailable(why),
    })
}

fn undecided(error: StoreError) -> Doubt {
    let detail = Some(error.to_string());
    Doubt { detail, ..Doubt::of(Refusal::Undecided(error)) }
}

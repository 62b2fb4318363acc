//! The end of the way: the replay answer, and what was verified.

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use super::Verifier;
use super::coverage::{self, Coverage, CoverageBasis};
use super::pool::{Desk, Lease};
use crate::alg::{Digest, Hash, Hasher};
use crate::plan::Plan;
use crate::plan::carrier::Captures;
use crate::plan::run::Scratch;
use crate::reject::{Reason, Rejection, Subject};
use crate::replay::{FirstUse, ReplayEntry};
use crate::scheme::model::FieldId;
use crate::tally::Tally;
use crate::time::UnixTime;

impl Verifier {
    /// The replay entry: what it is a digest of never depends on how the signature is encoded, nor on a nonce or
    /// a time that is not signed. `owner`: whose key it was, by its record or by what is signed.
    pub(super) fn entry(&self, verified: &Verified, owner: &[u8], now: UnixTime) -> ReplayEntry {
        let Desk { judged, identity, facts, scratch } = verified.lease.peek_desk();
        let found = self.plan.message(verified.response);
        let plan = found.map(|(_, plan)| plan);
        let nonce = plan.filter(|plan| plan.signs_nonce).and_then(|plan| plan.fresh.nonce);
        let Scratch { captures, found: signed, .. } = scratch;
        let made;
        let unique = if let Some(nonce) = nonce.and_then(|rule| captures.get(rule.field)) {
            nonce
        } else {
            made = match identity {
                Identity::Digest(digest) => *digest,
                Identity::Base => Hash::Sha256.digest(&signed.base),
            };
            made.as_bytes()
        };
        let key = self.namespace.quota(owner);
        let owner = if nonce.is_some_and(|rule| !rule.per_key) { b"".as_slice() } else { owner };
        // A time that nobody signed tells no two messages apart, and ends nothing: it can be exchanged.
        let free = found.is_some_and(|(message, plan)| {
            let covers = |id| coverage::covers_capture(message, plan, facts, captures, id);
            let time = plan.fresh.timestamp.map(|window| window.field);
            debug_assert!(time.is_none_or(|id| !coverage::certain::covers(message, id) || covers(id)));
            time.is_some_and(|id| !plan.signs_time && !covers(id))
        });
        let stamp = judged.signed_at.filter(|_| !free).map_or(0, UnixTime::millis);
        let digest = self.namespace.digest(owner, stamp, unique);
        let remember = i64::try_from(self.plan.scheme.fresh.remember).unwrap_or(i64::MAX);
        let until = judged
            .accepted_until
            .filter(|_| !free)
            .unwrap_or_else(|| UnixTime::from_millis(now.millis().saturating_add(remember.saturating_mul(1000))));
        let margin = i64::try_from(self.margin).unwrap_or(i64::MAX).saturating_mul(1000);
        let live_until = UnixTime::from_millis(until.millis().saturating_add(margin));
        let since = match judged.accepted_from.filter(|_| !free) {
            Some(from) => UnixTime::from_millis(from.millis().saturating_sub(margin)),
            // It could have been sent at any time before. What was remembered from `now` on was remembered as long.
            None if free || judged.accepted_until.is_none() => {
                let life = live_until.millis().saturating_sub(now.millis());
                UnixTime::from_millis(now.millis().saturating_sub(life))
            }
            None => UnixTime::from_millis(i64::MIN),
        };
        ReplayEntry { digest, key, live_until, since, now }
    }
}

/// What tells a message from others where no nonce does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Identity {
    /// The digest of the base of its message signature, made only where it is asked for.
    #[default]
    Base,
    /// A digest of what was signed.
    Digest(Digest),
}

/// The namespace of replay entries: the scheme's name and the realm, never the scheme's content, so that editing a
/// scheme forgets nothing. Hashed as far as that goes: what each message adds to it is one block more, mostly.
#[derive(Debug)]
pub(super) struct Namespace {
    entries: Hasher,
    quotas: DefaultHasher,
}

impl Namespace {
    /// The block size of SHA-256.
    const BLOCK: usize = 64;

    pub(super) fn new(plan: &Plan, realm: &str) -> Self {
        let mut names = Hash::Sha256.begin();
        for name in [plan.scheme.name.as_bytes(), realm.as_bytes()] {
            names.update(&length(name));
            names.update(name);
        }
        let names = names.finish();
        let mut block = [0; Self::BLOCK];
        for (to, from) in block.iter_mut().zip(names.as_bytes()) {
            *to = *from;
        }
        let mut entries = Hash::Sha256.begin();
        entries.update(&block);
        let mut quotas = DefaultHasher::new();
        quotas.write(names.as_bytes());
        Self { entries, quotas }
    }

    /// The digest of an entry: only one of the three that follow needs its length told, since the next has a fixed
    /// one and the last ends where everything does.
    fn digest(&self, owner: &[u8], stamp: i64, unique: &[u8]) -> [u8; 32] {
        let mut hasher = self.entries.clone();
        hasher.update(&length(owner));
        hasher.update(owner);
        hasher.update(&stamp.to_be_bytes());
        hasher.update(unique);
        hasher.finish().as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// What quotas count by. Two keys that share it share a quota and nothing else, and no client chooses its key id,
    /// so a fast hash will do.
    fn quota(&self, owner: &[u8]) -> [u8; 16] {
        let mut hasher = self.quotas.clone();
        hasher.write(owner);
        let first = hasher.finish();
        hasher.write_u8(1);
        ((u128::from(first) << 64) | u128::from(hasher.finish())).to_be_bytes()
    }
}

fn length(piece: &[u8]) -> [u8; 4] {
    u32::try_from(piece.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// A message that holds in every respect but one: it may have been here before.
#[derive(Debug)]
#[must_use = "without the store's answer the message is not verified"]
pub enum Checked {
    /// The store has to be asked.
    NeedsReplay(NeedsReplay),
    /// The scheme remembers no messages of this kind.
    Verified(Verified),
}

/// Waits for the replay store's answer.
///
/// It is left with that answer, and in no other way:
///
/// ```
/// use countersign_core::{FirstUse, NeedsReplay, Rejection, Verified};
///
/// fn forward(waiting: NeedsReplay, answer: FirstUse) -> Result<Verified, Rejection> {
///     waiting.answered(answer)
/// }
/// ```
///
/// Without one there is nothing verified,
///
/// ```compile_fail,E0061
/// use countersign_core::{NeedsReplay, Rejection, Verified};
///
/// fn forward(waiting: NeedsReplay) -> Result<Verified, Rejection> {
///     waiting.answered()
/// }
/// ```
///
/// what waits inside cannot be taken out,
///
/// ```compile_fail,E0616
/// use countersign_core::{NeedsReplay, Verified};
///
/// fn forward(waiting: NeedsReplay) -> Verified {
///     waiting.verified
/// }
/// ```
///
/// and one answer serves one message once.
///
/// ```compile_fail,E0382
/// use countersign_core::{FirstUse, NeedsReplay, Verified};
///
/// fn forward(waiting: NeedsReplay) -> [Option<Verified>; 2] {
///     [waiting.answered(FirstUse::First).ok(), waiting.answered(FirstUse::First).ok()]
/// }
/// ```
#[derive(Debug)]
#[must_use = "without the store's answer the message is not verified"]
pub struct NeedsReplay {
    verified: Verified,
    entry: ReplayEntry,
}

impl NeedsReplay {
    pub(super) const fn new(verified: Verified, entry: ReplayEntry) -> Self {
        Self { verified, entry }
    }

    /// What the store has to admit.
    #[must_use]
    pub const fn entry(&self) -> &ReplayEntry {
        &self.entry
    }

    /// Takes the store's answer.
    pub fn answered(self, first: FirstUse) -> Result<Verified, Rejection> {
        match first {
            FirstUse::First => Ok(self.verified),
            FirstUse::Seen => Err(Rejection::new(Reason::Replayed, None, Subject::Request)),
        }
    }
}

/// A message that was verified. Nobody else can make one.
///
/// So a function that takes one has nothing left to check:
///
/// ```
/// use countersign_core::Verified;
///
/// fn handle(request: &Verified) -> Option<&[u8]> {
///     request.key_id()
/// }
/// ```
///
/// It has no constructor that others could call,
///
/// ```compile_fail,E0624
/// let forge = countersign_core::Verified::new;
/// ```
///
/// no field that they could fill,
///
/// ```compile_fail,E0616
/// fn forge(mut verified: countersign_core::Verified) {
///     verified.key_id = None;
/// }
/// ```
///
/// and is neither copied nor made of nothing.
///
/// ```compile_fail,E0277
/// fn copies<T: Clone>() {}
/// copies::<countersign_core::Verified>();
/// ```
///
/// ```compile_fail,E0277
/// let made: countersign_core::Verified = Default::default();
/// ```
#[derive(Debug)]
pub struct Verified {
    response: bool,
    /// Where it lies among the captured bytes.
    key_id: Option<(usize, usize)>,
    /// Where uses of the key are counted, if a store counts them.
    tally: Option<Arc<Tally>>,
    /// Holds the plan, and all that was found out.
    lease: Lease,
}

impl Verified {
    /// Called where everything else was checked, and nowhere else.
    pub(super) const fn new(
        response: bool,
        key_id: Option<(usize, usize)>,
        tally: Option<Arc<Tally>>,
        lease: Lease,
    ) -> Self {
        Self { response, key_id, tally, lease }
    }

    fn plan(&self) -> &Arc<Plan> {
        self.lease.plan()
    }

    fn captures(&self) -> &Captures {
        &self.lease.peek().captures
    }

    /// Whose key made the signature; `None` where neither the message nor the key record names one.
    #[must_use]
    pub fn key_id(&self) -> Option<&[u8]> {
        let (start, end) = self.key_id?;
        self.captures().bytes.get(start..end)
    }

    /// Counts a use of the key that made the signature, if a store counts them. For whoever accepts the message, once
    /// everything else that is asked of it is there too.
    pub fn count_use(&self, now: UnixTime) {
        if let Some(tally) = &self.tally {
            tally.count(now);
        }
    }

    /// The scheme's name.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.plan().scheme.name
    }

    /// The signed time, where the scheme has one.
    #[must_use]
    pub fn signed_at(&self) -> Option<UnixTime> {
        self.lease.peek_desk().judged.signed_at
    }

    /// What the signature covers of this message.
    #[must_use]
    pub fn covered(&self) -> Coverage {
        let Some((message, plan)) = self.plan().message(self.response) else { return Coverage::default() };
        coverage::of(message, plan, &self.lease.peek_desk().facts, self.captures())
    }

    /// What [`covered`](Self::covered) hangs on; `None` where that is more than can be kept.
    #[must_use]
    pub fn coverage_basis(&self) -> Option<CoverageBasis> {
        CoverageBasis::of(self.plan(), self.response, &self.lease.peek_desk().facts, self.captures())
    }

    /// Whether this is covered as the message of that basis was.
    #[must_use]
    pub fn is_covered_by(&self, basis: &CoverageBasis) -> bool {
        basis.is_of(self.plan(), self.response, &self.lease.peek_desk().facts, self.captures())
    }

    /// A capture, by its name in the scheme: nonce, scope, region …
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        let (message, _) = self.plan().message(self.response)?;
        let id: FieldId = message.fields.iter().position(|field| field.name == name)?;
        self.captures().get(id)
    }
}

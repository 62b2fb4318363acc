//! Verification as states that can only be left forwards.
//!
//! ```text
//! Verifier ──start──► NeedsKey ──key──► NeedsBody ──update…finish──► Checked ┬► Verified
//!          carriers            policy,            body, signature,           └► NeedsReplay ──answered──► Verified
//!          freshness           early signature    digests
//! ```
//!
//! Only this module makes a [`Verified`]. Nothing here reads a clock, a store or a socket: the caller is asked for
//! the key, the body and the replay answer, and hands them in.

mod coverage;
pub(crate) mod fresh;
pub(crate) mod read;
pub(crate) mod signature;

use std::sync::{Arc, Mutex};

use crate::alg::{Digest, Hash, Hasher, Mac};
use crate::key::{Key, KeyQuery, KeySet, Material};
use crate::plan::run::{Env, Scratch, Stop, run, run_whole};
use crate::plan::{Base, MessagePlan, Plan, PrimitivePlan};
use crate::reject::{Reason, Rejection, Subject};
use crate::replay::{FirstUse, ReplayEntry};
use crate::request::RequestView;
use crate::scheme::Message;
use crate::scheme::model::{FieldId, Primitive, Replay, Source};
use crate::time::UnixTime;
use coverage::BodyBound;
pub use coverage::Coverage;
use fresh::Judged;

/// How long a request target may be, in bytes.
const LONGEST_TARGET: usize = 64 * 1024;
/// By how many seconds clocks may differ before a replay entry is forgotten too early.
const CLOCK_MARGIN: u64 = 30;

/// Verifies messages under one plan. Shared; buffers are reused from one message to the next.
#[derive(Debug)]
pub struct Verifier {
    plan: Arc<Plan>,
    vars: Vec<Option<Vec<u8>>>,
    /// Values that captures must have, because they were given.
    pinned: Vec<(String, Vec<u8>)>,
    realm: String,
    margin: u64,
    pool: Arc<Pool>,
    /// Stands in for a key that is not known, so that the answer takes as long.
    dummy: Key,
}

impl Verifier {
    /// A verifier without variables, in the empty realm.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        let vars = &plan.scheme.vars;
        Self {
            vars: vars.iter().map(|var| var.default.clone().map(String::into_bytes)).collect(),
            pinned: Vec::new(),
            realm: String::new(),
            margin: CLOCK_MARGIN,
            pool: Arc::default(),
            dummy: Key::secret(*b"no key is known for this id, and nobody must notice"),
            plan,
        }
    }

    /// Sets a deployment variable, or pins a capture: region, service … must then be this and no other. `_` and `-`
    /// are the same. What the scheme does not have is ignored.
    #[must_use]
    pub fn with_var(mut self, name: &str, value: &str) -> Self {
        let name = name.replace('_', "-");
        if let Some(index) = self.plan.scheme.vars.iter().position(|var| var.name == name) {
            if let Some(slot) = self.vars.get_mut(index) {
                *slot = Some(value.as_bytes().to_vec());
            }
        }
        self.pinned.push((name, value.as_bytes().to_vec()));
        self
    }

    /// Sets the realm: what may not be replayed here may be new elsewhere.
    #[must_use]
    pub fn with_realm(mut self, realm: &str) -> Self {
        realm.clone_into(&mut self.realm);
        self
    }

    /// Sets for how many seconds longer than necessary an accepted message is remembered, because clocks differ.
    /// Default: 30.
    #[must_use]
    pub const fn with_clock_margin(mut self, seconds: u64) -> Self {
        self.margin = seconds;
        self
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    pub(crate) fn variables(&self) -> &[Option<Vec<u8>>] {
        &self.vars
    }

    /// Reads the carriers, and judges what needs neither key nor body.
    pub fn start<'a>(&'a self, view: RequestView<'a>, now: UnixTime) -> Result<NeedsKey<'a>, Rejection> {
        let Some((message, plan)) = self.plan.message(view.status.is_some()) else {
            return Err(Rejection::new(Reason::SignatureMissing, None, Subject::Request));
        };
        target(&view)?;
        let mut scratch = Pool::lease(&self.pool);
        scratch.get().reset(message.fields.len());
        read::carriers(&view, message, scratch.get())?;
        self.pins(message, scratch.get())?;
        let judged = fresh::judge(&self.plan.scheme.fresh, message, scratch.get(), now)?;
        read::requirements(&view, message, scratch.get())?;
        Ok(NeedsKey { verifier: self, view, now, message, plan, judged, scratch })
    }

    /// Captures that were pinned down.
    fn pins(&self, message: &Message, scratch: &Scratch) -> Result<(), Rejection> {
        for (name, value) in &self.pinned {
            let Some(id) = message.fields.iter().position(|field| field.name == *name) else { continue };
            let Some(captured) = scratch.captures.get(id) else { continue };
            if captured != value.as_slice() {
                let span = message.fields.get(id).map(|field| field.span);
                return Err(Rejection::new(Reason::ValueDisagrees, span, Subject::Capture(id)));
            }
        }
        Ok(())
    }

    fn replay_applies(&self, view: &RequestView<'_>) -> bool {
        match self.plan.scheme.fresh.replay {
            Replay::Always => true,
            Replay::Never => false,
            // Safe methods: RFC 9110, section 9.2.1.
            Replay::UnsafeMethods => !matches!(view.method, "GET" | "HEAD" | "OPTIONS" | "TRACE"),
        }
    }
}

/// A message whose carriers were read, and which is fresh if they are genuine.
#[derive(Debug)]
pub struct NeedsKey<'a> {
    verifier: &'a Verifier,
    view: RequestView<'a>,
    now: UnixTime,
    message: &'a Message,
    plan: &'a MessagePlan,
    judged: Judged,
    scratch: Lease,
}

impl<'a> NeedsKey<'a> {
    /// What a key resolver is asked.
    #[must_use]
    pub fn query(&self) -> KeyQuery<'_> {
        KeyQuery::new(&self.verifier.plan.scheme.name, self.claimed_key_id())
    }

    fn claimed_key_id(&self) -> Option<&[u8]> {
        let id = self.message.fields.iter().position(|field| field.name == "key-id")?;
        self.scratch.peek().captures.get(id)
    }

    /// Takes the candidates. An empty set is an unknown key: it is refused, but neither sooner nor with other work
    /// than a wrong signature.
    pub fn key(self, keys: &'a KeySet) -> Result<NeedsBody<'a>, Rejection> {
        let mut candidates: Candidates<'a> = Candidates::default();
        let mut failure = Reason::KeyUnknown;
        for key in keys.keys() {
            let same_id = match (key.id.as_deref(), self.claimed_key_id()) {
                (Some(id), Some(claimed)) => id.as_bytes() == claimed,
                _ => true,
            };
            if !same_id {
                continue;
            }
            let Some(hash) = suits(key, &self.message.signature.primitive, &self.verifier.plan.scheme.key.hashes)
            else {
                failure = Reason::KeyUnsuitable;
                continue;
            };
            if !key.is_valid_at(self.now) {
                failure = Reason::KeyInactive;
                continue;
            }
            candidates.push(key, hash);
        }
        let failure = candidates.is_empty().then_some(failure);
        if failure.is_some() {
            candidates.push(&self.verifier.dummy, default_hash(&self.verifier.plan));
        }
        let Self { verifier, view, now, message, plan, judged, scratch } = self;
        let mut state = NeedsBody {
            verifier,
            view,
            now,
            message,
            plan,
            judged,
            scratch,
            candidates,
            failure,
            held: None,
            running: Vec::new(),
        };
        state.begin()?;
        Ok(state)
    }
}

/// The keys that may have made the signature, with what `hmac` and `digest` stand for with each.
#[derive(Debug, Default, Clone, Copy)]
struct Candidates<'a> {
    keys: [Option<(&'a Key, Hash)>; KeySet::MOST],
}

impl<'a> Candidates<'a> {
    fn push(&mut self, key: &'a Key, hash: Hash) {
        if let Some(slot) = self.keys.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some((key, hash));
        }
    }

    const fn is_empty(&self) -> bool {
        matches!(self.keys, [None, ..])
    }

    fn iter(&self) -> impl Iterator<Item = (&'a Key, Hash)> + use<'a> {
        self.keys.into_iter().flatten()
    }
}

/// A digest over the body, running.
#[derive(Debug)]
struct Running {
    what: What,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// A job, with the digest it is computed by.
    Job(usize, Hash),
    /// The signature, for the candidate of this number.
    Signature(usize),
}

#[derive(Debug)]
enum State {
    Hash(Hasher),
    Mac(Mac),
}

impl State {
    fn update(&mut self, chunk: &[u8]) {
        match self {
            Self::Hash(hasher) => hasher.update(chunk),
            Self::Mac(mac) => mac.update(chunk),
        }
    }

    fn finish(self) -> Digest {
        match self {
            Self::Hash(hasher) => hasher.finish(),
            Self::Mac(mac) => mac.finish(),
        }
    }
}

/// A message with its key, that waits for its body.
#[derive(Debug)]
pub struct NeedsBody<'a> {
    verifier: &'a Verifier,
    view: RequestView<'a>,
    now: UnixTime,
    message: &'a Message,
    plan: &'a MessagePlan,
    judged: Judged,
    scratch: Lease,
    candidates: Candidates<'a>,
    /// There is no usable key. Told at the end, like a wrong signature.
    failure: Option<Reason>,
    /// The candidate whose signature holds, with the digest of what it signed.
    held: Option<(usize, Digest)>,
    running: Vec<Running>,
}

impl<'a> NeedsBody<'a> {
    /// Whether the signature has been checked before the body: only its digest is still to be compared.
    #[must_use]
    pub const fn signature_holds(&self) -> bool {
        self.held.is_some()
    }

    /// Takes a piece of the body, in order. Not needed where the whole body is in the [`RequestView`].
    pub fn update(&mut self, chunk: &[u8]) {
        if self.view.body.is_none() {
            for running in &mut self.running {
                running.state.update(chunk);
            }
        }
    }

    /// The body is over.
    pub fn finish(mut self) -> Result<Checked, Rejection> {
        self.complete()?;
        if self.held.is_none() {
            let body = Some(self.view.body.unwrap_or_default());
            let held = self.signature(body).map_err(refused)?;
            self.held = held;
        }
        if let Some(reason) = self.failure {
            return Err(Rejection::new(reason, None, Subject::Key));
        }
        let Some((candidate, digest)) = self.held else {
            let span = Some(self.message.signature.span);
            return Err(Rejection::new(
                Reason::SignatureMismatch,
                span,
                Subject::Capture(self.message.signature_field),
            ));
        };
        let bound = self.agreements(candidate).map_err(refused)?;
        Ok(self.checked(candidate, &digest, bound))
    }

    /// Starts the digests over the body, or checks the signature if it does not need one.
    fn begin(&mut self) -> Result<(), Rejection> {
        let plan = self.plan;
        let Some(variant) = plan.variants.first() else { return Ok(()) };
        let candidates = self.candidates;
        if variant.early {
            match self.signature(None) {
                Ok(Some(held)) => self.held = Some(held),
                Ok(None) => {
                    if let Some(reason) = self.failure {
                        return Err(Rejection::new(reason, None, Subject::Key));
                    }
                    let span = Some(self.message.signature.span);
                    let subject = Subject::Capture(self.message.signature_field);
                    return Err(Rejection::new(Reason::SignatureMismatch, span, subject));
                }
                Err(Stop::NeedBody) => {}
                Err(Stop::Rejected(rejection)) => return Err(self.instead(rejection)),
            }
        }
        self.scratch.get().forget_lets(variant.lets.len());
        for (number, (key, hash)) in candidates.iter().enumerate() {
            self.scratch.get().forget_keyed(variant);
            let env = self.env(variant, Some(key), hash, None);
            let scratch = self.scratch.get();
            for (index, job) in plan.jobs.iter().enumerate() {
                let what = What::Job(index, job.hash.unwrap_or(hash));
                if self.running.iter().any(|running| running.what == what) {
                    continue;
                }
                let mark = scratch.out.len();
                run_whole(&env, scratch, &job.before).map_err(refused)?;
                let mut hasher = job.hash.unwrap_or(hash).begin();
                hasher.update(scratch.out.get(mark..).unwrap_or_default());
                scratch.out.truncate(mark);
                self.running.push(Running { what, state: State::Hash(hasher) });
            }
            if let Base::Around { before, .. } = &variant.base {
                let state = match &variant.primitive {
                    PrimitivePlan::Digest(of) => State::Hash(of.unwrap_or(hash).begin()),
                    PrimitivePlan::Mac { .. } => match signature::mac_key(&env, scratch) {
                        Ok(key) => State::Mac(key.begin()),
                        // The dummy of an unknown key need not decode: what stands in for it only takes time.
                        Err(_) if self.failure.is_some() => State::Hash(hash.begin()),
                        Err(stop) => return Err(refused(stop)),
                    },
                    PrimitivePlan::Signature(_) => continue,
                };
                let mut running = Running { what: What::Signature(number), state };
                let mark = scratch.out.len();
                run_whole(&env, scratch, before).map_err(refused)?;
                running.state.update(scratch.out.get(mark..).unwrap_or_default());
                scratch.out.truncate(mark);
                self.running.push(running);
            }
        }
        Ok(())
    }

    /// Ends the digests over the body.
    fn complete(&mut self) -> Result<(), Rejection> {
        let plan = self.plan;
        let Some(variant) = plan.variants.first() else { return Ok(()) };
        let body = self.view.body;
        let candidates = self.candidates;
        let first = candidates.iter().next();
        for Running { what, mut state } in std::mem::take(&mut self.running) {
            if let Some(body) = body {
                state.update(body);
            }
            let (after, candidate) = match (what, &variant.base) {
                (What::Job(index, _), _) => (plan.jobs.get(index).map(|job| &job.after), first),
                (What::Signature(number), Base::Around { after, .. }) => (Some(after), candidates.iter().nth(number)),
                (What::Signature(_), Base::Whole(_)) => (None, None),
            };
            let (Some(after), Some((key, hash))) = (after, candidate) else { continue };
            let env = self.env(variant, Some(key), hash, body);
            let scratch = self.scratch.get();
            let mark = scratch.out.len();
            run_whole(&env, scratch, after).map_err(refused)?;
            state.update(scratch.out.get(mark..).unwrap_or_default());
            scratch.out.truncate(mark);
            let digest = state.finish();
            match what {
                What::Job(index, hash) => scratch.digests.push((index, hash, digest)),
                What::Signature(number) => {
                    let held = signature::holds(&env, self.message, scratch, Some(digest)).map_err(refused)?;
                    if let (Some(digest), None) = (held, self.held) {
                        self.held = Some((number, digest));
                    }
                }
            }
        }
        Ok(())
    }

    /// The candidate whose signature holds.
    fn signature(&mut self, body: Option<&[u8]>) -> Result<Option<(usize, Digest)>, Stop> {
        let plan = self.plan;
        if matches!(plan.variants.first().map(|variant| &variant.base), Some(Base::Around { .. })) {
            return Ok(None);
        }
        let candidates = self.candidates;
        let mut refusal = None;
        for variant in &plan.variants {
            self.scratch.get().forget_lets(variant.lets.len());
            for (number, (key, hash)) in candidates.iter().enumerate() {
                self.scratch.get().forget_keyed(variant);
                let env = self.env(variant, Some(key), hash, body);
                match signature::holds(&env, self.message, self.scratch.get(), None) {
                    Ok(Some(digest)) => return Ok(Some((number, digest))),
                    Ok(None) => {}
                    Err(Stop::NeedBody) => return Err(Stop::NeedBody),
                    Err(stop) => refusal = Some(stop),
                }
            }
        }
        match refusal {
            Some(Stop::Rejected(rejection)) => Err(self.instead(rejection).into()),
            _ => Ok(None),
        }
    }

    /// What is told where a key is missing: that, and not that its stand-in could not be used.
    fn instead(&self, rejection: Rejection) -> Rejection {
        match self.failure {
            Some(reason) if rejection.reason() == Reason::KeyUnsuitable => Rejection::new(reason, None, Subject::Key),
            _ => rejection,
        }
    }

    /// Captures and bound fields must hold what is computed.
    fn agreements(&mut self, candidate: usize) -> Result<BodyBound, Stop> {
        let plan = self.plan;
        let Some(variant) = plan.variants.first() else { return Ok(BodyBound::Unclaimed) };
        let Some((key, hash)) = self.candidates.iter().nth(candidate) else { return Ok(BodyBound::Unclaimed) };
        let body = Some(self.view.body.unwrap_or_default());
        let env = self.env(variant, Some(key), hash, body);
        let message = self.message;
        let scratch = self.scratch.get();
        let mut bound = BodyBound::Unclaimed;
        for (id, field) in message.fields.iter().enumerate() {
            let Some(definition) = field.definition else { continue };
            if scratch.captures.get(id).is_none() {
                continue;
            }
            let Some(entry) = variant.lets.get(definition) else { continue };
            let mark = scratch.out.len();
            let present = run(&env, scratch, &entry.program)?;
            let same = present && scratch.captures.get(id) == scratch.out.get(mark..);
            scratch.out.truncate(mark);
            if !same {
                let reason = if entry.body { Reason::DigestMismatch } else { Reason::ValueDisagrees };
                return Err(Rejection::new(reason, Some(field.span), Subject::Capture(id)).into());
            }
            if entry.body {
                bound = bound.and(coverage::signs(message, scratch, &Source::Field(id)));
            }
        }
        for (index, bind) in plan.binds.iter().enumerate() {
            let start = scratch.out.len();
            let present = match &bind.what {
                Source::Field(id) => match scratch.captures.get(*id) {
                    Some(value) => {
                        scratch.out.extend_from_slice(value);
                        true
                    }
                    None => false,
                },
                Source::Header(name) => crate::plan::run::field_line(&self.view, name, &mut scratch.out)?,
                _ => false,
            };
            if !present {
                continue;
            }
            let end = scratch.out.len();
            let held = scratch.out.get(start..end).unwrap_or_default();
            if bind.or.iter().any(|other| other.as_slice() == held) {
                scratch.out.truncate(start);
                if bind.body {
                    bound = BodyBound::Waived;
                }
                continue;
            }
            run_whole(&env, scratch, &bind.value)?;
            let same = scratch.out.get(start..end) == scratch.out.get(end..);
            scratch.out.truncate(start);
            if !same {
                let reason = if bind.body { Reason::DigestMismatch } else { Reason::ValueDisagrees };
                return Err(Rejection::new(reason, Some(bind.span), Subject::Bind(index)).into());
            }
            if bind.body {
                bound = bound.and(coverage::signs(message, scratch, &bind.what));
            }
        }
        Ok(bound)
    }

    fn checked(self, candidate: usize, digest: &Digest, body_bound: BodyBound) -> Checked {
        let key = self.candidates.iter().nth(candidate).map(|(key, _)| key);
        let claimed = self.message.fields.iter().position(|field| field.name == "key-id");
        let key_id = match claimed.and_then(|id| self.scratch.peek().captures.get(id)) {
            Some(claimed) => Some(claimed.to_vec()),
            None => key.and_then(|key| key.id.clone()).map(String::into_bytes),
        };
        let verified = Verified {
            plan: Arc::clone(&self.verifier.plan),
            response: self.view.status.is_some(),
            key_id,
            signed_at: self.judged.signed_at,
            body_bound,
            host_sent: !self.view.authority.is_empty(),
            scratch: self.scratch,
        };
        if !self.verifier.replay_applies(&self.view) {
            return Checked::Verified(verified);
        }
        let entry = self.verifier.entry(&verified, self.message, &self.judged, digest, self.now);
        Checked::NeedsReplay(NeedsReplay { verified, entry })
    }

    fn env<'e>(
        &self,
        variant: &'e crate::plan::Variant,
        key: Option<&'e Key>,
        hash: Hash,
        body: Option<&'e [u8]>,
    ) -> Env<'e>
    where
        'a: 'e,
    {
        Env { view: self.view, plan: self.plan, variant, vars: &self.verifier.vars, key, hash, body }
    }
}

impl Verifier {
    /// The replay entry: what it is a digest of never depends on how the signature is encoded.
    fn entry(
        &self,
        verified: &Verified,
        message: &Message,
        judged: &Judged,
        digest: &Digest,
        now: UnixTime,
    ) -> ReplayEntry {
        let nonce = self.plan.scheme.fresh.nonce;
        let key_id = match nonce {
            Some(rule) if !rule.per_key => b"".as_slice(),
            _ => verified.key_id().unwrap_or_default(),
        };
        let captures = &verified.scratch.peek().captures;
        let unique = nonce.and_then(|rule| captures.get(rule.field)).unwrap_or(digest.as_bytes());
        let stamp = judged.signed_at.map_or(0, UnixTime::millis).to_be_bytes();
        let name = self.plan.scheme.name.as_bytes();
        // The timestamp is part of the entry; a nonce counts once with each. Its window bounds how long that matters.
        let entry = lengths(&[name, self.realm.as_bytes(), key_id, &stamp, unique]);
        let owner = lengths(&[name, self.realm.as_bytes(), verified.key_id().unwrap_or_default()]);
        let remember = i64::try_from(self.plan.scheme.fresh.remember).unwrap_or(i64::MAX);
        let until = judged
            .accepted_until
            .unwrap_or_else(|| UnixTime::from_millis(now.millis().saturating_add(remember.saturating_mul(1000))));
        let margin = i64::try_from(self.margin).unwrap_or(i64::MAX).saturating_mul(1000);
        let mut full = [0; 32];
        full.copy_from_slice(entry.as_bytes().get(..32).unwrap_or(&[0; 32]));
        let mut half = [0; 16];
        half.copy_from_slice(owner.as_bytes().get(..16).unwrap_or(&[0; 16]));
        let _ = message;
        ReplayEntry {
            digest: full,
            key: half,
            live_until: UnixTime::from_millis(until.millis().saturating_add(margin)),
            now,
        }
    }
}

/// SHA-256 over pieces, each with its length in front.
fn lengths(pieces: &[&[u8]]) -> Digest {
    let mut hasher = Hash::Sha256.begin();
    for piece in pieces {
        hasher.update(&u64::try_from(piece.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(piece);
    }
    hasher.finish()
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
#[derive(Debug)]
#[must_use = "without the store's answer the message is not verified"]
pub struct NeedsReplay {
    verified: Verified,
    entry: ReplayEntry,
}

impl NeedsReplay {
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
#[derive(Debug)]
pub struct Verified {
    plan: Arc<Plan>,
    response: bool,
    key_id: Option<Vec<u8>>,
    signed_at: Option<UnixTime>,
    body_bound: BodyBound,
    host_sent: bool,
    scratch: Lease,
}

impl Verified {
    /// Whose key made the signature; `None` where neither the message nor the key record names one.
    #[must_use]
    pub fn key_id(&self) -> Option<&[u8]> {
        self.key_id.as_deref()
    }

    /// The scheme's name.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.plan.scheme.name
    }

    /// The signed time, where the scheme has one.
    #[must_use]
    pub const fn signed_at(&self) -> Option<UnixTime> {
        self.signed_at
    }

    /// What the signature covers of this message.
    #[must_use]
    pub fn covered(&self) -> Coverage {
        let Some((message, _)) = self.plan.message(self.response) else { return Coverage::default() };
        coverage::of(message, self.scratch.peek(), self.body_bound, self.host_sent)
    }

    /// A capture, by its name in the scheme: nonce, scope, region …
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        let (message, _) = self.plan.message(self.response)?;
        let id: FieldId = message.fields.iter().position(|field| field.name == name)?;
        self.scratch.peek().captures.get(id)
    }
}

/// What `hmac` and `digest` stand for where no key says otherwise.
fn default_hash(plan: &Plan) -> Hash {
    plan.scheme.key.hashes.first().copied().unwrap_or(Hash::Sha256)
}

/// Whether a key may be used for a primitive, and what `hmac` and `digest` then stand for.
pub(crate) fn suits(key: &Key, primitive: &Primitive, hashes: &[Hash]) -> Option<Hash> {
    let default = hashes.first().copied().unwrap_or(Hash::Sha256);
    let named = key.algorithm.as_deref();
    match (primitive, &key.material) {
        (Primitive::Signature(algorithm), Material::Public(public)) => {
            (public.fits(*algorithm) && named.is_none_or(|name| name == algorithm.name())).then_some(default)
        }
        (Primitive::Signature(algorithm), Material::Private(private)) => (private.public().fits(*algorithm)
            && named.is_none_or(|name| name == algorithm.name()))
        .then_some(default),
        (Primitive::Mac(of, _) | Primitive::Digest(of), Material::Secret(_)) => {
            let Some(name) = named else { return Some(default) };
            let hash = Hash::from_name(name.strip_prefix("hmac-").unwrap_or(name))?;
            match of {
                Some(fixed) => (*fixed == hash).then_some(default),
                None => (hashes.contains(&hash) || (hashes.is_empty() && hash == default)).then_some(hash),
            }
        }
        _ => None,
    }
}

fn refused(stop: Stop) -> Rejection {
    match stop {
        Stop::Rejected(rejection) => rejection,
        Stop::NeedBody => Rejection::new(Reason::BodyMalformed, None, Subject::Body),
    }
}

/// A target that could end a line, or be read in two ways, is none.
fn target(view: &RequestView<'_>) -> Result<(), Rejection> {
    let refuse = |reason| Err(Rejection::new(reason, None, Subject::Request));
    if view.target.len() > LONGEST_TARGET {
        return refuse(Reason::TooLarge);
    }
    let odd = |byte: &u8| byte.is_ascii_control() || *byte == b' ';
    let begins = matches!(view.target.first(), Some(b'/')) || view.target == b"*" || view.status.is_some();
    if !begins || view.target.iter().any(odd) || view.authority.bytes().any(|byte| odd(&byte)) {
        return refuse(Reason::TargetMalformed);
    }
    if view.status.is_none() && !crate::canon::is_token(view.method.as_bytes()) {
        return refuse(Reason::TargetMalformed);
    }
    Ok(())
}

/// Buffers that wait for the next message.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Vec<Box<Scratch>>>);

impl Pool {
    /// How many buffers are kept.
    const MOST: usize = 64;

    pub(crate) fn lease(pool: &Arc<Self>) -> Lease {
        let scratch = pool.0.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default();
        Lease { pool: Arc::clone(pool), scratch: Some(scratch) }
    }
}

/// A buffer on loan from the pool.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<Pool>,
    scratch: Option<Box<Scratch>>,
}

impl Lease {
    pub(crate) fn get(&mut self) -> &mut Scratch {
        self.scratch.get_or_insert_default()
    }

    pub(crate) fn peek(&self) -> &Scratch {
        static EMPTY: std::sync::OnceLock<Scratch> = std::sync::OnceLock::new();
        self.scratch.as_deref().unwrap_or_else(|| EMPTY.get_or_init(Scratch::default))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(scratch), Ok(mut spare)) = (self.scratch.take(), self.pool.0.lock())
            && spare.len() < Pool::MOST
        {
            spare.push(scratch);
        }
    }
}

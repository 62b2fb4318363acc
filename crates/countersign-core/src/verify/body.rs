//! The middle of the way: the body passes, the signature and the digests are compared.

use super::agree::agree;
use super::chain::{self, Chain, Linking, Proof};
use super::coverage::{Facts, insist};
use super::pool::Lease;
use super::verified::{Checked, Identity, NeedsReplay, Verified};
use super::{NeedsKey, Verifier, is_remembered, policy, signature};
use crate::alg::Hash;
use crate::httpsig;
use crate::key::{Key, KeySet};
use crate::plan::run::{Env, Scratch, Stop, run_whole};
use crate::plan::stream::{Running, State, What};
use crate::plan::{Base, Early, MessagePlan, Op, PrimitivePlan, Variant};
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;
use crate::scheme::Message;
use crate::scheme::model::Source;
use crate::time::UnixTime;

/// The keys that may have made the signature, with what `hmac` and `digest` stand for with each.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Candidates<'a> {
    keys: [Option<(&'a Key, Hash)>; KeySet::MOST],
}

impl<'a> Candidates<'a> {
    pub(super) fn push(&mut self, key: &'a Key, hash: Hash) {
        if let Some(slot) = self.keys.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some((key, hash));
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        matches!(self.keys, [None, ..])
    }

    fn iter(&self) -> impl Iterator<Item = (&'a Key, Hash)> + use<'a> {
        self.keys.into_iter().flatten()
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
    scratch: Lease,
    candidates: Candidates<'a>,
    /// There is no usable key. Told at the end, like a wrong signature.
    failure: Option<Reason>,
    held: Option<Hold>,
    /// Whether a byte of the body has passed.
    has_body: bool,
    /// The body's chunks, where it comes in chunks.
    chain: Option<Box<Chain>>,
}

/// The signature that holds: by which alternative and which candidate.
#[derive(Debug, Clone, Copy)]
struct Hold {
    variant: usize,
    candidate: usize,
}

impl<'a> NeedsBody<'a> {
    pub(super) fn new(state: NeedsKey<'a>, candidates: Candidates<'a>, failure: Option<Reason>) -> Self {
        let NeedsKey { verifier, view, now, message, plan, scratch } = state;
        Self {
            verifier,
            view,
            now,
            message,
            plan,
            scratch,
            candidates,
            failure,
            held: None,
            has_body: false,
            chain: None,
        }
    }

    /// Whether the signature has been checked before the body: only its digest is still to be compared.
    #[must_use]
    pub const fn signature_holds(&self) -> bool {
        self.held.is_some()
    }

    /// Takes a piece of the body, in order. Not needed where the whole body is in the [`RequestView`], and not enough
    /// where it has to be: then the message is refused.
    ///
    /// Of a body in signed chunks it is refused here, with the first chunk whose signature does not hold: what still
    /// comes need not be read.
    pub fn update(&mut self, piece: &[u8]) -> Result<(), Rejection> {
        if self.view.body.is_some() {
            return Ok(());
        }
        self.feed(piece, &mut Vec::new())
    }

    /// Takes in a piece of a body that streams. What of its content may leave is appended to `content`.
    fn feed(&mut self, piece: &[u8], content: &mut Vec<u8>) -> Result<(), Rejection> {
        self.has_body |= !piece.is_empty();
        for running in &mut self.scratch.get().running {
            running.state.update(piece);
        }
        self.link(piece, content)
    }

    /// Where the body comes in chunks, a state that hands out their content; otherwise this one.
    #[expect(clippy::result_large_err, reason = "what comes back is no error, but the state to go on with")]
    pub fn releasing(mut self) -> Result<ReleasesChunks<'a>, Self> {
        match &mut self.chain {
            Some(chain) if self.view.body.is_none() => {
                chain.keep();
                Ok(ReleasesChunks(self))
            }
            _ => Err(self),
        }
    }

    /// The body is over.
    pub fn finish(mut self) -> Result<Checked, Rejection> {
        if let Some(body) = self.view.body {
            self.link(body, &mut Vec::new())?;
        }
        if let Some(chain) = &self.chain {
            chain.finish()?;
        }
        self.complete()?;
        if self.held.is_none() {
            // A body that was needed whole and not handed in is not an empty one: that stops here.
            let held = self.signature(self.view.body).map_err(refused)?;
            self.held = held;
        }
        if let Some(reason) = self.failure {
            return Err(self.unheld(reason));
        }
        let Some(hold) = self.held else {
            return Err(self.unheld(Reason::SignatureMismatch));
        };
        // What they were when the base was made: they are computed anew for what they define.
        let lets = self.scratch.peek().lets_found();
        let compared = match &self.message.message_signature {
            Some(_) => u64::from(httpsig::compare(&self.view, self.scratch.get())?),
            None => self.agree(hold).map_err(refused)?,
        };
        self.granted(hold).map_err(refused)?;
        let chunks = self.chain.as_ref().is_some_and(|chain| chain.proof() != Proof::Checksum);
        let facts =
            Facts::of(&self.view, self.plan, &self.scratch.peek().noted, hold.variant, compared, chunks, lets);
        let has_body = self.view.body.map_or(self.has_body, |body| !body.is_empty());
        match self.verifier.rules(self.view.status.is_some()) {
            Some(rules) => httpsig::insist(self.message, rules, self.scratch.peek(), compared != 0, has_body)?,
            None => insist(self.message, self.plan, &facts, &self.scratch.peek().captures, has_body)?,
        }
        self.scratch.desk().facts = facts;
        Ok(self.checked(hold))
    }

    /// Judges a piece of a body in chunks.
    fn link(&mut self, piece: &[u8], content: &mut Vec<u8>) -> Result<(), Rejection> {
        let Some(mut chain) = self.chain.take() else { return Ok(()) };
        let linked = match self.holding() {
            Some(env) => match Linking::new(env, self.message, self.scratch.get()) {
                Some(mut linking) => chain.update(&mut linking, piece, content),
                None => Err(refused(Stop::NeedBody)),
            },
            None => Err(refused(Stop::NeedBody)),
        };
        self.chain = Some(chain);
        linked
    }

    /// Where the message says that its body comes in chunks, the signature that was checked is the first of a chain.
    fn begin_chain(&mut self) -> Result<(), Rejection> {
        let (Some(rule), Some(env)) = (&self.message.chunks, self.holding()) else { return Ok(()) };
        let scratch = self.scratch.get();
        if let Some(proof) = chain::proof(&env, self.message, scratch).map_err(refused)? {
            let chain = Chain::begin(proof, rule, scratch, self.message.signature_field)?;
            self.chain = Some(Box::new(chain));
        }
        Ok(())
    }

    /// What programs read under the signature that holds.
    fn holding(&self) -> Option<Env<'a>> {
        let held = self.held?;
        let (key, hash) = self.candidates.iter().nth(held.candidate)?;
        let variant = self.plan.variants.get(held.variant)?;
        Some(self.env(variant, Some(key), hash, self.view.body))
    }

    /// Starts the digests over the body, or checks the signature if it does not need one.
    pub(super) fn begin(&mut self) -> Result<(), Rejection> {
        if self.message.message_signature.is_some() {
            return self.begin_message_signature();
        }
        let plan = self.plan;
        let Some(variant) = plan.variants.first() else { return Ok(()) };
        let candidates = self.candidates;
        let early = match variant.early {
            Early::Always => true,
            Early::IfClaimed => self.claims_digest(variant),
            Early::Never => false,
        };
        if early {
            self.hold_early()?;
        }
        self.begin_chain()?;
        self.scratch.get().forget_lets(variant.lets.len());
        if self.chain.is_some() && plan.chunks.as_ref().is_some_and(|chunks| chunks.replaces_jobs) {
            return Ok(());
        }
        for (number, (key, hash)) in candidates.iter().enumerate() {
            self.scratch.get().forget_keyed(variant);
            let env = self.env(variant, Some(key), hash, None);
            let scratch = self.scratch.get();
            for (index, job) in plan.jobs.iter().enumerate() {
                let what = What::Job(index, job.hash.unwrap_or(hash));
                if scratch.running.iter().any(|running| running.what == what) {
                    continue;
                }
                let mark = scratch.out.len();
                run_whole(&env, scratch, &job.before).map_err(refused)?;
                let mut hasher = job.hash.unwrap_or(hash).begin();
                hasher.update(scratch.out.get(mark..).unwrap_or_default());
                scratch.out.truncate(mark);
                scratch.running.push(Running { what, state: State::Hash(hasher) });
            }
            if let Base::Around { before, .. } = &variant.base {
                let state = self.begin_signature(variant, before, key, hash);
                let state = match state {
                    Ok(Some(state)) => state,
                    Ok(None) => continue,
                    // The dummy of an unknown key need not decode: what stands in for it only takes time.
                    Err(Stop::Rejected(rejection))
                        if self.failure.is_some() && rejection.reason() == Reason::KeyUnsuitable =>
                    {
                        State::Hash(hash.begin())
                    }
                    Err(stop) => return Err(refused(stop)),
                };
                self.scratch.get().running.push(Running { what: What::Signature(number), state });
            }
        }
        Ok(())
    }

    /// Checks the signature before the body, where it needs none of it.
    fn hold_early(&mut self) -> Result<(), Rejection> {
        match self.signature(None) {
            // The stand-in of an unknown key is no secret: that its signature holds means nothing.
            Ok(Some(held)) if self.failure.is_none() => {
                self.held = Some(held);
                Ok(())
            }
            Ok(_) => Err(self.unheld(self.failure.unwrap_or(Reason::SignatureMismatch))),
            Err(Stop::NeedBody) => Ok(()),
            Err(Stop::Rejected(rejection)) => Err(self.instead(rejection)),
        }
    }

    /// Checks a message signature, and starts those digests over the body that it vouches for.
    fn begin_message_signature(&mut self) -> Result<(), Rejection> {
        self.hold_early()?;
        let view = self.view;
        let Scratch { out, found, running, .. } = self.scratch.get();
        let claimed = httpsig::claimed(&view, found, out)?;
        for (index, (hash, claimed)) in httpsig::COMPARED.into_iter().zip(claimed).enumerate() {
            if claimed {
                running.push(Running { what: What::Job(index, hash), state: State::Hash(hash.begin()) });
            }
        }
        Ok(())
    }

    /// Starts the digest that is the signature; `None` where the primitive takes its message whole.
    fn begin_signature(
        &mut self,
        variant: &Variant,
        before: &[Op],
        key: &Key,
        hash: Hash,
    ) -> Result<Option<State>, Stop> {
        let env = self.env(variant, Some(key), hash, None);
        let scratch = self.scratch.get();
        let mark = scratch.out.len();
        run_whole(&env, scratch, before)?;
        let mut state = match &variant.primitive {
            PrimitivePlan::Digest(of) => State::Hash(of.unwrap_or(hash).begin()),
            PrimitivePlan::Mac { .. } => State::Mac(signature::mac_key(&env, scratch)?.begin()),
            PrimitivePlan::Agreed | PrimitivePlan::Derived(..) | PrimitivePlan::Signature(_) => return Ok(None),
        };
        state.update(scratch.out.get(mark..).unwrap_or_default());
        scratch.out.truncate(mark);
        Ok(Some(state))
    }

    /// Whether the message states what the body's digest is said to be.
    fn claims_digest(&self, variant: &Variant) -> bool {
        let captures = &self.scratch.peek().captures;
        let field = self.message.fields.iter().enumerate().any(|(id, field)| {
            let entry = field.definition.and_then(|definition| variant.lets.get(definition));
            entry.is_some_and(|entry| entry.body) && captures.get(id).is_some()
        });
        field
            || self.plan.binds.iter().filter(|bind| bind.body).any(|bind| match &bind.what {
                Source::Field(id) => captures.get(*id).is_some(),
                Source::Header(_) => bind
                    .line
                    .and_then(|number| self.scratch.peek().noted.count(number))
                    .is_some_and(|count| count > 0),
                _ => false,
            })
    }

    /// Ends the digests over the body.
    fn complete(&mut self) -> Result<(), Rejection> {
        let plan = self.plan;
        let Some(variant) = plan.variants.first() else { return Ok(()) };
        let body = self.view.body;
        let candidates = self.candidates;
        let first = candidates.iter().next();
        let mut running = std::mem::take(&mut self.scratch.get().running);
        for Running { what, mut state } in running.drain(..) {
            if let Some(body) = body {
                state.update(body);
            }
            let (after, candidate) = match (what, &variant.base) {
                (What::Job(index, _), _) => (plan.jobs.get(index).map(|job| &job.after), first),
                (What::Signature(number), Base::Around { after, .. }) => (Some(after), candidates.iter().nth(number)),
                (What::Signature(_), Base::Whole(_)) => (None, None),
            };
            let (Some(after), Some((key, hash))) = (after, candidate) else { continue };
            self.scratch.get().forget_keyed(variant);
            let env = self.env(variant, Some(key), hash, body);
            let scratch = self.scratch.get();
            let mark = scratch.out.len();
            if let Err(stop) = run_whole(&env, scratch, after) {
                return Err(self.instead(refused(stop)));
            }
            state.update(scratch.out.get(mark..).unwrap_or_default());
            scratch.out.truncate(mark);
            let digest = state.finish();
            match what {
                What::Job(index, hash) => scratch.digests.push((index, hash, digest)),
                What::Signature(number) => {
                    let held = signature::holds(&env, self.message, scratch, Some(digest)).map_err(refused)?;
                    if let (Some(digest), None) = (held, self.held) {
                        self.scratch.desk().identity = Identity::Digest(digest);
                        self.held = Some(Hold { variant: 0, candidate: number });
                    }
                }
            }
        }
        self.scratch.get().running = running;
        Ok(())
    }

    /// The first signature that holds, by alternatives and candidates in their order.
    fn signature(&mut self, body: Option<&[u8]>) -> Result<Option<Hold>, Stop> {
        let plan = self.plan;
        if matches!(plan.variants.first().map(|variant| &variant.base), Some(Base::Around { .. })) {
            return Ok(None);
        }
        let candidates = self.candidates;
        let mut compared = false;
        let mut refusal = None;
        for (at, variant) in plan.variants.iter().enumerate() {
            self.scratch.get().forget_lets(variant.lets.len());
            for (candidate, (key, hash)) in candidates.iter().enumerate() {
                self.scratch.get().forget_keyed(variant);
                let rules = self.verifier.rules(self.view.status.is_some());
                let holds = if let (Some(policy), Some(rules)) = (&self.message.message_signature, rules) {
                    httpsig::holds(policy, rules, Some(key), self.scratch.peek())
                } else {
                    let env = self.env(variant, Some(key), hash, body);
                    signature::holds(&env, self.message, self.scratch.get(), None)
                        .map(|held| held.map(Identity::Digest))
                };
                match holds {
                    Ok(Some(identity)) => {
                        self.scratch.desk().identity = identity;
                        return Ok(Some(Hold { variant: at, candidate }));
                    }
                    Ok(None) => compared = true,
                    Err(Stop::NeedBody) => return Err(Stop::NeedBody),
                    Err(stop) => refusal = Some(stop),
                }
            }
        }
        match refusal {
            // What one alternative lacks is no matter where another one was compared.
            Some(Stop::Rejected(rejection)) if !compared => Err(self.instead(rejection).into()),
            _ => Ok(None),
        }
    }

    /// What is told where a key is missing: that, and not that its stand-in could not be used.
    fn instead(&self, rejection: Rejection) -> Rejection {
        match self.failure {
            Some(reason) if rejection.reason() == Reason::KeyUnsuitable => self.unheld(reason),
            _ => rejection,
        }
    }

    /// What is told where no key that may be used makes the signature.
    fn unheld(&self, reason: Reason) -> Rejection {
        if reason == Reason::SignatureMismatch {
            let subject = Subject::Capture(self.message.signature_field);
            return Rejection::new(reason, Some(self.message.signature.span), subject);
        }
        Rejection::new(reason, None, Subject::Key)
    }

    /// Captures and bound fields must hold what is computed.
    fn agree(&mut self, hold: Hold) -> Result<u64, Stop> {
        let plan = self.plan;
        if !plan.asks.claims {
            return Ok(0);
        }
        let key = self.candidates.iter().nth(hold.candidate);
        let (Some(variant), Some((key, hash))) = (plan.variants.get(hold.variant), key) else { return Ok(0) };
        let env = self.env(variant, Some(key), hash, self.view.body);
        agree(&env, self.message, self.scratch.get(), self.chain.is_some())
    }

    /// The message must be one that its policy grants; it is accepted no longer than that.
    fn granted(&mut self, hold: Hold) -> Result<(), Stop> {
        let key = self.candidates.iter().nth(hold.candidate);
        let plan = self.plan;
        let (Some(variant), Some((key, hash)), Some(policy)) = (plan.variants.get(hold.variant), key, &plan.policy)
        else {
            return Ok(());
        };
        let env = self.env(variant, Some(key), hash, self.view.body);
        let until = policy::judge(&env, policy, self.scratch.get(), self.now)?;
        let judged = &mut self.scratch.desk().judged;
        judged.accepted_until = Some(judged.accepted_until.map_or(until, |other| other.min(until)));
        Ok(())
    }

    fn checked(mut self, hold: Hold) -> Checked {
        let key = self.candidates.iter().nth(hold.candidate).map(|(key, _)| key);
        let captures = &mut self.scratch.get().captures;
        let claimed = self.plan.key_id.and_then(|id| captures.at.get(id).copied().flatten());
        // Where the message names no key, the record does.
        let key_id = claimed.or_else(|| {
            let id = key.and_then(|key| key.id.as_deref())?;
            let start = captures.bytes.len();
            captures.bytes.extend_from_slice(id.as_bytes());
            Some((start, captures.bytes.len()))
        });
        let response = self.view.status.is_some();
        let tally = key.and_then(Key::tally).cloned();
        let verified = Verified::new(response, key_id, tally, self.scratch);
        if !is_remembered(self.plan, &self.view) {
            return Checked::Verified(verified);
        }
        // What is remembered must not hang on anything that the signature does not cover.
        let recorded = key.and_then(|key| key.id.as_deref()).map(str::as_bytes);
        let owner = recorded.or_else(|| verified.key_id().filter(|_| self.plan.signs_key_id)).unwrap_or_default();
        let entry = self.verifier.entry(&verified, owner, self.now);
        Checked::NeedsReplay(NeedsReplay::new(verified, entry))
    }

    fn env<'e>(&self, variant: &'e Variant, key: Option<&'e Key>, hash: Hash, body: Option<&'e [u8]>) -> Env<'e>
    where
        'a: 'e,
    {
        Env { view: self.view, plan: self.plan, variant, vars: &self.verifier.vars, key, hash, body }
    }
}

/// A message whose body comes in chunks, and that hands out their content as soon as it is known to be the signer's.
///
/// What was handed out is whole chunks, from the first, in order. That the message is not an old one, and that no
/// chunk is missing at the end, is known only where it is `Verified`: until then nothing may be done for good.
#[derive(Debug)]
pub struct ReleasesChunks<'a>(NeedsBody<'a>);

impl ReleasesChunks<'_> {
    /// Takes a piece of the body, in order, and appends what may be handed out.
    pub fn update(&mut self, piece: &[u8], content: &mut Vec<u8>) -> Result<(), Rejection> {
        self.0.feed(piece, content)
    }

    /// The body is over.
    pub fn finish(self) -> Result<Checked, Rejection> {
        self.0.finish()
    }
}

fn refused(stop: Stop) -> Rejection {
    match stop {
        Stop::Rejected(rejection) => rejection,
        Stop::NeedBody => Rejection::new(Reason::BodyMalformed, None, Subject::Body),
    }
}

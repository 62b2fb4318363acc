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

pub(crate) mod agree;
mod body;
pub(crate) mod chain;
pub(crate) mod coverage;
pub(crate) mod fresh;
pub(crate) mod meant;
pub(crate) mod policy;
mod pool;
pub(crate) mod read;
pub(crate) mod signature;
mod verified;

use std::sync::Arc;

use crate::alg::{Hash, PublicKey};
use crate::httpsig::{self, Algorithm, Rules};
use crate::key::{Key, KeyQuery, KeySet, Material};
use crate::plan::noted::{Noted, Value};
use crate::plan::run::Scratch;
use crate::plan::source::split_authority;
use crate::plan::{MessagePlan, Plan};
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;
use crate::scheme::model::{Primitive, Replay};
use crate::scheme::{Message, same_name};
use crate::time::UnixTime;
use body::Candidates;
pub use body::{NeedsBody, ReleasesChunks};
pub use coverage::{Coverage, CoverageBasis};
use meant::Meant;
use pool::{Lease, Pool};
pub(crate) use verified::Identity;
use verified::Namespace;
pub use verified::{Checked, NeedsReplay, Verified};

/// How long a request target may be, in bytes.
const LONGEST_TARGET: usize = 64 * 1024;
/// By how many seconds clocks may differ before a replay entry is forgotten too early.
const CLOCK_MARGIN: u64 = 30;

/// Verifies messages under one plan. Shared; buffers are reused from one message to the next.
pub struct Verifier {
    plan: Arc<Plan>,
    meant: Meant,
    vars: Vec<Option<Vec<u8>>>,
    /// Values that captures must have, because they were given.
    pinned: Vec<(String, Vec<u8>)>,
    namespace: Namespace,
    margin: u64,
    pool: Arc<Pool>,
    /// Stand in for a key that is not known, so that the answer takes as long: of requests, and of responses.
    /// More than one only where the message has a say in the algorithm: one for each of its policy.
    stand_ins: [Vec<Key>; 2],
    /// How message signatures are judged, with what the variables change: of requests, and of responses.
    rules: [Option<Rules>; 2],
    /// A variable that cannot be read. Nothing is verified then.
    fault: Option<String>,
    /// The verifiers of schemes that stand side by side under this one's name.
    either: Vec<Self>,
}

/// Variables may be secrets, as a salt is: none is shown.
impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("scheme", &self.plan.scheme.name).finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier without variables, in the empty realm.
    #[must_use]
    pub fn new(plan: Arc<Plan>) -> Self {
        let vars = &plan.scheme.vars;
        Self {
            meant: Meant::of(&plan.scheme),
            vars: vars.iter().map(|var| var.default.clone().map(String::into_bytes)).collect(),
            pinned: Vec::new(),
            namespace: Namespace::new(&plan, ""),
            margin: CLOCK_MARGIN,
            pool: Pool::new(Arc::clone(&plan)),
            stand_ins: [false, true].map(|response| {
                let message = plan.message(response);
                message.map_or_else(Vec::new, |(message, _)| stand_ins(message))
            }),
            rules: [false, true].map(|response| {
                let (message, _) = plan.message(response)?;
                message.message_signature.as_ref().map(Rules::of)
            }),
            fault: None,
            either: plan.either().iter().map(|plan| Self::new(Arc::clone(plan))).collect(),
            plan,
        }
    }

    /// Sets a deployment variable, or pins a capture: region, service … must then be this and no other. `_` and `-`
    /// are the same. What the scheme does not have is ignored.
    #[must_use]
    pub fn with_var(mut self, name: &str, value: &str) -> Self {
        if let Some(index) = self.plan.scheme.vars.iter().position(|var| same_name(&var.name, name))
            && let Some(slot) = self.vars.get_mut(index)
        {
            *slot = Some(value.as_bytes().to_vec());
        }
        self.either = self.either.into_iter().map(|member| member.with_var(name, value)).collect();
        for rules in self.rules.iter_mut().flatten() {
            if let Err(what) = rules.set(name, value) {
                self.fault.get_or_insert(what);
            }
        }
        self.pinned.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    /// What is wrong with a variable that was given, and what would be right. Until it is mended every message is
    /// refused.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref().or_else(|| self.either.iter().find_map(|member| member.fault()))
    }

    /// The verifier of the scheme that judges a message, where several stand side by side: the first that applies to it,
    /// by what is in the message and never by what holds. Its plan is what a rejection's places and names refer to.
    #[must_use]
    pub fn judging(&self, view: &RequestView<'_>) -> &Self {
        let applies = |member: &&Self| member.plan.scheme.applies(view);
        self.either.iter().find(applies).or(self.either.last()).unwrap_or(self)
    }

    pub(crate) fn rules(&self, response: bool) -> Option<&Rules> {
        let [request, answer] = &self.rules;
        if response { answer.as_ref() } else { request.as_ref() }
    }

    /// Sets the realm: what may not be replayed here may be new elsewhere.
    #[must_use]
    pub fn with_realm(mut self, realm: &str) -> Self {
        self.namespace = Namespace::new(&self.plan, realm);
        self.either = self.either.into_iter().map(|member| member.with_realm(realm)).collect();
        self
    }

    /// Sets for how many seconds longer than necessary an accepted message is remembered, because clocks differ.
    /// Default: 30.
    #[must_use]
    pub fn with_clock_margin(mut self, seconds: u64) -> Self {
        self.margin = seconds;
        self.either = self.either.into_iter().map(|member| member.with_clock_margin(seconds)).collect();
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
        if !self.either.is_empty() {
            return self.judging(&view).start(view, now);
        }
        let Some((message, plan)) = self.plan.message(view.status.is_some()) else {
            return Err(Rejection::new(Reason::SignatureMissing, None, Subject::Request));
        };
        if self.fault.is_some() {
            return Err(Rejection::new(Reason::CoverageTooThin, None, Subject::Request));
        }
        let mut lease = Pool::lease(&self.pool);
        let scratch = lease.get();
        scratch.reset(message.fields.len());
        scratch.noted.note_lines(&view, &plan.names);
        unambiguous(&view, plan, &scratch.noted)?;
        if !plan.parameters.is_empty() {
            scratch.noted.note_query(view.target, &plan.parameters);
        }
        match (&message.message_signature, self.rules(view.status.is_some())) {
            (Some(policy), Some(rules)) => httpsig::read(&view, message, plan, policy, rules, scratch)?,
            _ => read::carriers(&view, message, plan, scratch)?,
        }
        self.meant.judge(&view)?;
        self.pins(message, scratch)?;
        let judged = fresh::judge(&plan.fresh, message, scratch, now)?;
        if message.message_signature.is_none() {
            read::requirements(&view, message, scratch)?;
        }
        lease.desk().judged = judged;
        Ok(NeedsKey { verifier: self, view, now, message, plan, scratch: lease })
    }

    /// Captures that were pinned down.
    fn pins(&self, message: &Message, scratch: &Scratch) -> Result<(), Rejection> {
        for (name, value) in &self.pinned {
            let Some(id) = message.fields.iter().position(|field| same_name(&field.name, name)) else { continue };
            let Some(captured) = scratch.captures.get(id) else { continue };
            if captured != value.as_slice() {
                let span = message.fields.get(id).map(|field| field.span);
                return Err(Rejection::new(Reason::ValueDisagrees, span, Subject::Capture(id)));
            }
        }
        Ok(())
    }
}

/// Whether a message is remembered, by its own rule.
fn is_remembered(plan: &MessagePlan, view: &RequestView<'_>) -> bool {
    match plan.fresh.replay {
        Replay::Always => true,
        Replay::Never => false,
        // Safe methods: RFC 9110, section 9.2.1.
        Replay::UnsafeMethods => !matches!(view.method, "GET" | "HEAD" | "OPTIONS" | "TRACE"),
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
    scratch: Lease,
}

impl<'a> NeedsKey<'a> {
    /// What a key resolver is asked.
    #[must_use]
    pub fn query(&self) -> KeyQuery<'_> {
        KeyQuery::new(&self.verifier.plan.scheme.name, self.claimed_key_id())
    }

    fn claimed_key_id(&self) -> Option<&[u8]> {
        self.scratch.peek().captures.get(self.plan.key_id?)
    }

    /// The key that the message would need, as far as it says which: by name, by its signature's length, or both.
    fn stand_in(&self) -> Option<&'a Key> {
        let [of_requests, of_responses] = &self.verifier.stand_ins;
        let all = if self.view.status.is_some() { of_responses } else { of_requests };
        let Some(policy) = &self.message.message_signature else { return all.first() };
        let claimed = self.scratch.peek().captures.get(httpsig::ALG);
        let meant = |algorithm: &httpsig::Algorithm| self.could_be(*algorithm) && algorithm.is_claimed(claimed);
        policy.algorithms.iter().position(meant).and_then(|at| all.get(at)).or(all.first())
    }

    /// The algorithm of a message signature, with this key.
    fn algorithm(&self, policy: &httpsig::Policy, key: &Key) -> Option<httpsig::Algorithm> {
        policy.algorithm(key, self.scratch.peek().captures.get(httpsig::ALG))
    }

    /// Whether the signature is as long as one of this algorithm's.
    fn could_be(&self, algorithm: httpsig::Algorithm) -> bool {
        algorithm.makes(self.scratch.peek().found.signature.len())
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
            let hash = match &self.message.message_signature {
                Some(policy) => match self.algorithm(policy, key) {
                    Some(algorithm) if !self.could_be(algorithm) => {
                        failure = Reason::SignatureMismatch;
                        continue;
                    }
                    algorithm => algorithm.map(|_| Hash::Sha256),
                },
                None => suits(key, &self.message.signature.primitive, &self.verifier.plan.scheme.key.hashes),
            };
            let Some(hash) = hash else {
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
        if failure.is_some()
            && let Some(key) = self.stand_in()
        {
            candidates.push(key, default_hash(&self.verifier.plan));
        }
        let mut state = NeedsBody::new(self, candidates, failure);
        state.begin()?;
        Ok(state)
    }
}

/// A key of the kind that a primitive takes. It is no secret to anybody.
fn stand_ins(message: &Message) -> Vec<Key> {
    let Some(policy) = &message.message_signature else { return vec![stand_in(&message.signature.primitive)] };
    let one = |algorithm: &Algorithm| match algorithm {
        Algorithm::Hmac(_) => stand_in(&Primitive::Agreed),
        Algorithm::Signature(algorithm) => stand_in(&Primitive::Signature(*algorithm)),
    };
    policy.algorithms.iter().map(one).collect()
}

fn stand_in(primitive: &Primitive) -> Key {
    // Text that is hexadecimal digits and base64 as well, for the schemes that decode their secret.
    let secret = || Key::secret(*b"5374616e642d696e2c20616e64206e6f2073656372657420746f20616e796f6e");
    match primitive {
        Primitive::Signature(algorithm) => PublicKey::stand_in(algorithm.key_kind())
            .map_or_else(|_| secret(), |key| Key::of(Material::Public(Arc::new(key)))),
        Primitive::Agreed | Primitive::Derived(..) | Primitive::Digest(_) | Primitive::Mac(..) => secret(),
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
        // The secret is what the pair is derived from; who has only one half of the pair can do that half's work.
        (Primitive::Derived(algorithm, _), Material::Secret(_)) => {
            named.is_none_or(|name| name == algorithm.name()).then_some(default)
        }
        (Primitive::Derived(algorithm, _) | Primitive::Signature(algorithm), Material::Public(public)) => {
            (public.fits(*algorithm) && named.is_none_or(|name| name == algorithm.name())).then_some(default)
        }
        (Primitive::Derived(algorithm, _) | Primitive::Signature(algorithm), Material::Private(private)) => {
            (private.public().fits(*algorithm) && named.is_none_or(|name| name == algorithm.name()))
                .then_some(default)
        }
        (Primitive::Mac(of, _), Material::Secret(_)) => {
            let Some(name) = named else { return Some(default) };
            let hash = match (name.strip_prefix("hmac-"), of) {
                (Some(hash), _) => hash,
                // Where only the digest is left to the key, its name alone says it all, as in Hawk's credentials.
                (None, None) => name,
                (None, Some(_)) => return None,
            };
            chosen(Hash::from_name(hash)?, *of, hashes)
        }
        (Primitive::Digest(of), Material::Secret(_)) => match named {
            Some(name) => chosen(Hash::from_name(name)?, *of, hashes),
            None => Some(default),
        },
        _ => None,
    }
}

/// What a key's digest makes of a scheme's: it must be that, or one of those that the scheme leaves to the key.
fn chosen(hash: Hash, fixed: Option<Hash>, hashes: &[Hash]) -> Option<Hash> {
    let default = hashes.first().copied().unwrap_or(Hash::Sha256);
    match fixed {
        Some(fixed) => (fixed == hash).then_some(default),
        None => (hashes.contains(&hash) || (hashes.is_empty() && hash == default)).then_some(hash),
    }
}

/// A target that could end a line, or be read in two ways, is none; nor are two authorities that differ.
pub(crate) fn unambiguous(view: &RequestView<'_>, plan: &MessagePlan, noted: &Noted) -> Result<(), Rejection> {
    let refuse = |reason| Err(Rejection::new(reason, None, Subject::Request));
    if view.target.len() > LONGEST_TARGET {
        return refuse(Reason::TooLarge);
    }
    // A space cannot end a line; a gateway refuses it earlier.
    let odd = u8::is_ascii_control;
    // What ends an authority (RFC 3986, section 3.2) cannot be part of one.
    let ends = |byte: u8| matches!(byte, b' ' | b'/' | b'?' | b'#' | b'\\' | b'@');
    let begins = matches!(view.target.first(), Some(b'/')) || view.target == b"*" || view.status.is_some();
    // Nor can a colon stand in a host but in brackets (section 3.2.2), nor anything but digits in a port (3.2.3); one of
    // none could be the default or nothing.
    let odd_colon = || {
        let (hostname, port) = split_authority(view.authority);
        let two_colons = hostname.contains(':') && !(hostname.starts_with('[') && hostname.ends_with(']'));
        two_colons || port.is_some_and(|port| port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    // No early end, so that many bytes are looked at at once: nearly always it is all of them.
    let odd_bytes = view.authority.bytes().fold(false, |found, byte| found | odd(&byte) | ends(byte))
        | view.target.iter().fold(false, |found, byte| found | odd(byte));
    let colon = view.authority.bytes().fold(0, |found, byte| found | u8::from(byte == b':')) != 0;
    if !begins || odd_bytes || (colon && odd_colon()) {
        return refuse(Reason::TargetMalformed);
    }
    if view.status.is_some() {
        return Ok(());
    }
    if !crate::canon::is_token(view.method.as_bytes()) {
        return refuse(Reason::TargetMalformed);
    }
    // What is signed as `host` must be where the request goes.
    let other = |host: &[u8]| !host.eq_ignore_ascii_case(view.authority.as_bytes());
    let mut others = false;
    if !view.authority.is_empty() {
        match noted.line(view, &plan.names, plan.host) {
            Ok(Value::Absent) => {}
            Ok(Value::Here(host)) => others = other(host),
            Ok(Value::Ask | Value::Escaped(_)) | Err(_) => {
                view.fields.values("host", &mut |host| others |= other(host));
            }
        }
    }
    if others {
        return Err(Rejection::new(Reason::FieldDuplicated, None, Subject::Header("host".to_owned())));
    }
    Ok(())
}

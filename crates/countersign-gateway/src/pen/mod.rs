//! Signing on the gateway's own account: requests on their way upstream, answers on their way to the client.
//!
//! ```text
//! Verified ─► strip: what clashes ends here ─► Pen: key of the store, time, nonce ─► upstream
//! upstream ─► held, to a limit ─► Pen, with the client's request for `req` ─► client
//! ```
//!
//! Invariants: a key is looked up for each message, so that a revoked one signs nothing more; what cannot be signed
//! goes nowhere. Deliberately absent: signing what was not verified.

mod answer;
mod request;
mod strip;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_core::key::{KeyQuery, KeyResolver};
use countersign_core::request::{Fields, RequestView};
use countersign_core::scheme::{Message, Scheme};
use countersign_core::time::UnixTime;
use countersign_core::{Freshness, Key, Plan, SignError, Signed, Signer, StoreError};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

pub(crate) use answer::{ASKING, AnswerPen, Asked, asking};
pub(crate) use request::{RequestPen, is_turned_away, whole};
pub(crate) use strip::Clashes;

use crate::config::SignConfig;
use crate::judge::Stores;

/// A scheme, its variables, and the key to sign with.
pub(crate) struct Pen {
    /// One for each of the schemes that stand side by side, in their order; else one.
    signers: Vec<Signer>,
    scheme: Arc<str>,
    counts_nonces: bool,
    /// Whether answers may carry a nonce.
    answers_with_nonce: bool,
    key: Arc<str>,
    keys: Arc<dyn KeyResolver>,
    last_nonce: AtomicU64,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsigned {
    #[error("the key `{0}` is not in the store, not valid now, or not for signing")]
    NoKey(Arc<str>),
    #[error("the store could not say what the key `{0}` is: {1}")]
    Store(Arc<str>, #[source] StoreError),
    #[error("the system gives no random bits")]
    NoRandomness,
    #[error("{0}")]
    Sign(#[from] SignError),
    #[error("`{0}` cannot be written as a field")]
    Field(String),
    #[error("the upstream's answer is longer than {0} bytes, and has to be held to be signed")]
    AnswerTooLarge(u64),
    #[error("the upstream's answer broke off: {0}")]
    AnswerBroken(#[source] hyper::Error),
    #[error("the upstream's answer came too slowly to be held")]
    AnswerTimedOut,
    #[error("the body could not be read back: {0}")]
    Body(#[source] std::io::Error),
    #[error("the target cannot be written: {0}")]
    Target(#[from] http::uri::InvalidUri),
}

impl Pen {
    pub(crate) fn new(config: &SignConfig, stores: &Stores) -> Self {
        let scheme = &config.scheme.scheme;
        let plan = Plan::compile(scheme);
        let mut signer = Signer::new(Arc::clone(&plan));
        for (name, value) in &config.vars {
            signer = signer.with_var(name, value);
        }
        let chosen = config.vars.iter().any(|(name, _)| name == "alternative");
        let signers = if chosen || scheme.either.is_empty() {
            vec![signer]
        } else {
            scheme.either.iter().map(|member| signer.clone().with_var("alternative", &member.name)).collect()
        };
        let carries_nonce = |message: &Message| match message.message_signature {
            Some(_) => message.required_fields.iter().any(|id| is_nonce(message, *id)),
            None => true,
        };
        Self {
            signers,
            answers_with_nonce: scheme.response.as_ref().is_some_and(carries_nonce),
            scheme: scheme.name.as_str().into(),
            counts_nonces: plan.counts_nonces(),
            key: config.key.as_str().into(),
            keys: Arc::clone(&stores.keys),
            last_nonce: AtomicU64::new(0),
        }
    }

    /// How many schemes there are to choose from.
    pub(crate) fn alternatives(&self) -> usize {
        self.signers.len()
    }

    /// Signs a message under one of the schemes, with variables besides those of the configuration, and counts a use of
    /// the key.
    pub(crate) async fn sign(
        &self,
        alternative: usize,
        view: RequestView<'_>,
        more: &[(&str, &str)],
        now: UnixTime,
    ) -> Result<Signed, Unsigned> {
        let (signed, key) = self.signed(alternative, view, more, now).await?;
        key.count_use(now);
        Ok(signed)
    }

    /// A message that is signed, and the key that signed it.
    async fn signed(
        &self,
        alternative: usize,
        view: RequestView<'_>,
        more: &[(&str, &str)],
        now: UnixTime,
    ) -> Result<(Signed, Arc<Key>), Unsigned> {
        let keys = self.keys(now).await?;
        let Some(signer) = self.signers.get(alternative).or(self.signers.first()) else {
            return Err(SignError::KeyUnsuitable.into());
        };
        let mut with_more = None;
        for (name, value) in more {
            with_more = Some(with_more.unwrap_or_else(|| signer.clone()).with_var(name, value));
        }
        let signer = with_more.as_ref().unwrap_or(signer);
        let nonce = if self.counts_nonces {
            Some(self.counted_nonce(now))
        } else if wants_nonce(view.status.is_some(), self.answers_with_nonce, signer) {
            Some(random_nonce()?)
        } else {
            None
        };
        let fresh = Freshness { now, nonce: nonce.as_deref() };
        let mut last = SignError::KeyUnsuitable;
        for key in keys {
            match signer.sign(view, &key, &fresh) {
                Ok(signed) => return Ok((signed, key)),
                // The next of a rotation may be of another kind.
                Err(SignError::KeyUnsuitable) => {}
                Err(other) => {
                    last = other;
                    break;
                }
            }
        }
        Err(last.into())
    }

    /// Whether the key can sign at all, as far as that is known without a message. An unreachable store says nothing.
    pub(crate) async fn fault(&self, now: UnixTime, response: bool) -> Option<Unsigned> {
        let lines: Vec<(String, Vec<u8>)> = Vec::new();
        let view = RequestView {
            method: "GET",
            target: b"/",
            authority: "countersign.example",
            transport: countersign_core::Transport::Http,
            fields: &lines,
            trailers: None,
            body: Some(b""),
            peer: None,
            status: None,
            answers: None,
        };
        let answer = RequestView { status: Some(200), answers: Some(&view), ..view };
        let mut attempts = 0..self.alternatives();
        loop {
            let alternative = attempts.next()?;
            let tried = self.signed(alternative, if response { answer } else { view }, &[], now).await;
            if let Err(error) = tried
                && error.is_the_configurations()
            {
                return Some(error);
            }
        }
    }

    /// The keys that are valid now, the one that is valid since latest first.
    async fn keys(&self, now: UnixTime) -> Result<Vec<Arc<Key>>, Unsigned> {
        let query = KeyQuery::new(&self.scheme, Some(self.key.as_bytes())).to_sign();
        let found = self.keys.resolve(&query).wait().await;
        let found = found.map_err(|error| Unsigned::Store(Arc::clone(&self.key), error))?;
        let mut keys = found.valid_at(now);
        for key in &mut keys {
            if key.id.is_none() {
                *key = Arc::new(Key::clone(key).with_id(&*self.key));
            }
        }
        if keys.is_empty() { Err(Unsigned::NoKey(Arc::clone(&self.key))) } else { Ok(keys) }
    }

    /// Milliseconds since 1970, or one more than the last.
    fn counted_nonce(&self, now: UnixTime) -> String {
        let clock = u64::try_from(now.millis()).unwrap_or_default();
        let next = |last: u64| clock.max(last.saturating_add(1));
        let last = self.last_nonce.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        next(last.unwrap_or_else(|last| last)).to_string()
    }
}

impl std::fmt::Debug for Pen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pen").field("scheme", &self.scheme).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Unsigned {
    /// Whether no message at all could have been signed.
    fn is_the_configurations(&self) -> bool {
        matches!(
            self,
            Self::NoKey(_)
                | Self::Sign(
                    SignError::KeyUnsuitable
                        | SignError::Key(_)
                        | SignError::KeyIdNeeded
                        | SignError::NoResponse
                        | SignError::VarNeeded { .. }
                        | SignError::VarUnreadable { .. }
                        | SignError::NonceNeeded
                )
        )
    }
}

/// Adds what signs a message to its fields.
pub(crate) fn apply(signed: &Signed, fields: &mut HeaderMap) -> Result<(), Unsigned> {
    for (name, value) in &signed.fields {
        let unfit = || Unsigned::Field(name.clone());
        let field = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
        let value = HeaderValue::from_bytes(value).map_err(|_| unfit())?;
        if field == header::COOKIE || field == header::CONTENT_LENGTH {
            fields.insert(field, value);
        } else {
            fields.append(field, value);
        }
    }
    Ok(())
}

fn is_nonce(message: &Message, id: usize) -> bool {
    message.fields.get(id).is_some_and(|field| field.name == "nonce")
}

/// Whether a nonce has to be made.
fn wants_nonce(is_answer: bool, answers_with_nonce: bool, signer: &Signer) -> bool {
    if is_answer { answers_with_nonce } else { signer.wants_nonce() }
}

/// The lines of a header map, as the engine reads them.
pub(crate) struct FieldLines<'a>(pub(crate) &'a HeaderMap);

impl Fields for FieldLines<'_> {
    fn values(&self, lower_name: &str, each: &mut dyn FnMut(&[u8])) {
        for value in self.0.get_all(lower_name) {
            each(value.as_bytes().trim_ascii());
        }
    }

    fn all(&self, each: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self.0 {
            each(name.as_str(), value.as_bytes().trim_ascii());
        }
    }
}

/// The schemes that stand behind one name.
pub(crate) fn members(scheme: &Scheme) -> impl Iterator<Item = &Scheme> {
    std::iter::once(scheme).chain(&scheme.either)
}

/// 128 random bits as hexadecimal digits.
fn random_nonce() -> Result<String, Unsigned> {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Unsigned::NoRandomness)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

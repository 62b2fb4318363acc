//! The touching surface with the engine: a route's scheme, ready to judge requests.
//!
//! Only the engine makes a [`Verified`], and only with one in hand does the proxy forward what a route enforces. This
//! module turns what HTTP has into what the engine reads, and the engine's answers into the gateway's.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use countersign_certificates::Certificates;
use countersign_core::key::{KeyQuery, KeyResolver, KeySet};
use countersign_core::reject::{PublicReason, Reason, Rejection};
use countersign_core::replay::ReplayGuard;
use countersign_core::request::{RequestView, Transport};
use countersign_core::scheme::model::{Carrier, ErrorPart};
use countersign_core::time::UnixTime;
use countersign_core::{BodyNeed, Checked, Chunks as _, CoverageBasis, Denial, NeedsKey, Plan, Verified, Verifier};
use countersign_schemes::{Excerpt, Source};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use hyper::body::Bytes;

use crate::config::{ErrorStyle, RouteConfig, SchemeFile};
use crate::failures::Failures;
use crate::holding::Holding;
use crate::pen::FieldLines;
use crate::refuse::{OwnAnswer, Refusal};

/// The stores that a gateway asks.
#[derive(Clone)]
pub struct Stores {
    /// Finds keys.
    pub keys: Arc<dyn KeyResolver>,
    /// Remembers what was accepted.
    pub replay: Arc<dyn ReplayGuard>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stores(..)")
    }
}

/// A scheme with its variables and stores.
#[derive(Debug)]
pub(crate) struct Judge {
    verifier: Verifier,
    /// Whether the credentials, or some of them, sit in the body.
    carries_in_body: bool,
    stores: Stores,
    /// Counts wrong signatures, where they can be guessed.
    failures: Option<Failures>,
    /// The key of requests that name none.
    key: Option<String>,
    transport: Transport,
    sources: Vec<Source>,
    /// What was told last of what a signature covers: nearly always it is the same again.
    told: ArcSwapOption<(CoverageBasis, HeaderValue)>,
}

/// Why a request was not verified: for the client, and, in more words, for the log.
#[derive(Debug)]
pub(crate) struct Doubt {
    pub(crate) refusal: Refusal,
    /// A sentence that names fields and never their values.
    pub(crate) detail: Option<String>,
    /// Where in the scheme file the rule stands that was not met, as in `md5-token:12`.
    pub(crate) step: Option<String>,
    /// Whose key the request claims to be signed with. Unauthenticated.
    pub(crate) claimed_key_id: Option<String>,
}

impl Judge {
    pub(crate) fn new(route: &RouteConfig, file: &SchemeFile, transport: Transport, stores: &Stores) -> Self {
        let plan = Plan::compile(&file.scheme);
        let mut verifier = Verifier::new(plan).with_realm(route.realm.as_deref().unwrap_or_default());
        for (name, value) in &route.vars {
            verifier = verifier.with_var(name, value);
        }
        let mut stores = stores.clone();
        if let Some(certificates) = &route.certificates {
            stores.keys = Arc::<Certificates>::clone(certificates);
        }
        let own = std::iter::once(&file.scheme).chain(&file.scheme.either);
        let carries_in_body = own.flat_map(|scheme| &scheme.request.carriers).any(Carrier::in_body);
        let sources = file.sources.clone();
        let failures = Failures::of(&file.scheme, route.max_failures);
        let (key, told) = (route.key.clone(), ArcSwapOption::empty());
        Self { verifier, carries_in_body, stores, failures, key, transport, sources, told }
    }

    /// What the upstream is told that the signature covers.
    pub(crate) fn covered_value(&self, verified: &Verified) -> HeaderValue {
        if let Some(told) = &*self.told.load()
            && verified.is_covered_by(&told.0)
        {
            debug_assert_eq!(told.1, list_value(&verified.covered().covered), "one basis, one coverage");
            return told.1.clone();
        }
        let value = list_value(&verified.covered().covered);
        if let Some(basis) = verified.coverage_basis() {
            self.told.store(Some(Arc::new((basis, value.clone()))));
        }
        value
    }

    /// The key that the route names and that is not there, or not at present. It may be added while the gateway runs.
    pub(crate) async fn lacks(&self, now: UnixTime) -> Option<&str> {
        let key = self.key.as_deref()?;
        let query = KeyQuery::new(&self.verifier.plan().scheme().name, Some(key.as_bytes()));
        let found = self.stores.keys.resolve(&query).wait().await.ok()?;
        (!found.keys().iter().any(|key| key.is_valid_at(now))).then_some(key)
    }

    /// Whether the whole body has to be in memory.
    pub(crate) fn needs_buffer(&self) -> bool {
        self.verifier.plan().body_need() == BodyNeed::Buffer
    }

    /// Verifies a request and reads its body to the end. Where it is refused, the body may be partly read.
    pub(crate) async fn verify(
        &self,
        head: &Parts,
        body: &mut Holding,
        peer: &str,
        now: UnixTime,
    ) -> Result<Verified, Doubt> {
        let lines = FieldLines(&head.headers);
        let view = RequestView {
            method: head.method.as_str(),
            target: head.uri.path_and_query().map_or("/", PathAndQuery::as_str).as_bytes(),
            authority: authority(&head.headers),
            transport: self.transport,
            fields: &lines,
            body: None,
            peer: Some(peer),
            status: None,
            trailers: None,
            answers: None,
        };
        let whole = if self.needs_buffer() {
            // What the head alone is refused for brings nobody's body into memory.
            if !self.carries_in_body {
                let verifier = self.verifier.judging(&view);
                verifier.start(view, now).map_err(|rejection| self.doubt(verifier, rejection.into(), body, None))?;
            }
            Some(body.read_all().await.map_err(|error| Doubt::of(body.refusal(error)))?)
        } else {
            None
        };
        let view = RequestView { body: whole.as_deref(), ..view };
        let mut claimed = None;
        let verifier = self.verifier.judging(&view);
        let decided = self.decide(verifier, view, body, now, &mut claimed).await;
        decided.map_err(|denial| match denial {
            Stop::Denied(denial) => self.doubt(verifier, denial, body, claimed),
            Stop::Failing => Doubt { claimed_key_id: claimed, ..Doubt::of(Refusal::KeyFailing) },
        })
    }

    fn doubt(&self, verifier: &Verifier, denial: Denial, body: &Holding, claimed_key_id: Option<String>) -> Doubt {
        let (refusal, detail, step) = match denial {
            Denial::Body(error) => (body.refusal(error), None, None),
            Denial::Undecided(error) => (Refusal::Undecided(error.clone()), Some(error.to_string()), None),
            Denial::Rejected(rejection) => {
                let place = rejection.step().map(|span| Excerpt::new(&self.sources, span));
                let step = place.map(|place| format!("{}:{}", place.file, place.line));
                (Refusal::Rejected(rejection.reason()), Some(rejection.detail(verifier.plan().scheme())), step)
            }
        };
        Doubt { refusal, detail, step, claimed_key_id }
    }

    /// The engine's states, one after the other. The states see to the order; here the stores are asked, wrong
    /// signatures counted, and the claimed key id is kept for the log.
    async fn decide(
        &self,
        verifier: &Verifier,
        view: RequestView<'_>,
        body: &mut Holding,
        now: UnixTime,
        claimed: &mut Option<String>,
    ) -> Result<Verified, Stop> {
        let needs_key = verifier.start(view, now)?;
        let mut query = needs_key.query();
        *claimed = query.claimed_key_id.map(shortened);
        if let (None, Some(key)) = (query.claimed_key_id, &self.key) {
            query = KeyQuery::new(query.scheme, Some(key.as_bytes()));
        }
        let keys = self.stores.keys.resolve(&query).wait().await.map_err(Denial::Undecided)?;
        let counted =
            self.failures.as_ref().map(|failures| (failures, query.claimed_key_id.unwrap_or_default().to_vec()));
        let checked = Self::checked(needs_key, &keys, body).await;
        if let Some((failures, key_id)) = &counted {
            match &checked {
                Ok(_) if failures.too_many(key_id, now) => return Err(Stop::Failing),
                Err(Denial::Rejected(rejection)) if rejection.reason() == Reason::SignatureMismatch => {
                    failures.count(key_id, now);
                }
                _ => {}
            }
        }
        match checked? {
            Checked::Verified(verified) => Ok(verified),
            Checked::NeedsReplay(needs_replay) => {
                let first = self.stores.replay.admit(needs_replay.entry()).wait().await.map_err(Denial::Undecided)?;
                Ok(needs_replay.answered(first).map_err(Denial::Rejected)?)
            }
        }
    }

    async fn checked(needs_key: NeedsKey<'_>, keys: &KeySet, body: &mut Holding) -> Result<Checked, Denial> {
        let mut needs_body = needs_key.key(keys)?;
        while let Some(chunk) = body.next().await.map_err(Denial::Body)? {
            needs_body.update(&chunk)?;
        }
        Ok(needs_body.finish()?)
    }
}

/// Why a request was not verified, before it is put in words.
enum Stop {
    Denied(Denial),
    /// The signature holds, and may have been guessed.
    Failing,
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Denied(rejection.into())
    }
}

impl Doubt {
    pub(crate) const fn of(refusal: Refusal) -> Self {
        Self { refusal, detail: None, step: None, claimed_key_id: None }
    }
}

/// A list as a field's value. The names of listed fields come from the client, so a comma in one must not make two of it.
fn list_value(parts: &[String]) -> HeaderValue {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b',';
    let mut text = Vec::with_capacity(parts.iter().map(|part| part.len() + 2).sum());
    for part in parts {
        if !text.is_empty() {
            text.extend_from_slice(b", ");
        }
        if part.bytes().all(is_plain) {
            text.extend_from_slice(part.as_bytes());
        } else {
            text.extend(part.chars().map(|c| u8::try_from(c).ok().filter(|byte| is_plain(*byte)).unwrap_or(b'?')));
        }
    }
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static(""))
}

/// The scheme's own answer for a public reason, where the route wants that.
pub(crate) fn own_answer(route: &RouteConfig, reason: PublicReason) -> Option<OwnAnswer> {
    let errors = route.scheme.as_ref()?.scheme.errors.as_ref().filter(|_| route.errors == ErrorStyle::Scheme)?;
    let body: String = errors
        .body
        .iter()
        .map(|part| match part {
            ErrorPart::Detail => reason.sentence(),
            ErrorPart::Literal(text) => text,
            ErrorPart::Reason => reason.code(),
        })
        .collect();
    Some(OwnAnswer {
        status: errors.status.and_then(|status| StatusCode::from_u16(status).ok()),
        content_type: HeaderValue::from_str(&errors.content_type).ok(),
        body: Bytes::from(body),
    })
}

/// The authority as sent. The guard has made sure that there is one, and that it is plain; HTTP/1.0 may do without.
pub(crate) fn authority(fields: &HeaderMap) -> &str {
    fields.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// A claimed key id for the log: as text, and not longer than anybody's key id is.
fn shortened(key_id: &[u8]) -> String {
    const LONGEST: usize = 128;
    String::from_utf8_lossy(&key_id[..key_id.len().min(LONGEST)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_in_a_list_is_never_two() {
        for (parts, expected) in [
            (vec!["method", "header x-a"], "method, header x-a"),
            (vec!["header x, method"], "header x? method"),
            (vec!["header \r\nX: y", "header \u{e9}"], "header ??X: y, header ?"),
            (vec![], ""),
        ] {
            let parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
            assert_eq!(list_value(&parts), expected);
        }
    }

    #[test]
    fn a_claimed_key_id_is_cut_for_the_log() {
        assert_eq!(shortened(&[b'a'; 1_000]).len(), 128);
        assert_eq!(shortened(b"a\xff"), "a\u{fffd}");
    }
}

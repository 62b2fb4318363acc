//! Two requests of one signature, where a scheme has such: made, and tried out.
//!
//! ```text
//! scheme ─► a request that it signs ─► recipes: pairs that should have one base ─► engine: one signature, both hold
//! ```
//!
//! A weakness of form is a supposition until somebody makes use of it. So from each one follows a recipe for two
//! requests that differ in something that is signed, and the engine, which knows nothing of suppositions, signs one
//! and verifies the other with its signature. What it accepts is shown; what it does not accept is not claimed.
//!
//! Everything here is fixed: the instant, the nonce, the key, the words. Nothing is drawn at random, so the same
//! scheme has the same pair each time.

mod draft;
mod engine;
mod losses;
mod samples;
mod shifts;
mod shown;

pub use shown::CollisionRow;

use super::subject::Reading;
use super::text::Owner;
use super::written::Written;
use countersign_core::scheme::{Message, Scheme, Span};
use engine::Engine;

/// Two different requests that have one signature base, and so one signature: under this key, at this time, both
/// verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// The requests, signed: the second one with the first one's signature.
    pub requests: [Sent; 2],
    /// Whose key each of them names. Mostly the same.
    pub key_ids: [String; 2],
    /// What both have signed. It holds the secret where the scheme puts it there: that of `key`, which is nobody's.
    pub base: Vec<u8>,
    /// The key.
    pub key: Held,
    /// When both are accepted, in Unix seconds.
    pub now: i64,
    /// The deployment's variables.
    pub vars: Vec<(String, String)>,
}

/// A request as it is sent to `https://api.example.com`, or an answer to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: Vec<u8>,
    /// The field lines, but for `Host`.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
    /// The client's address.
    pub peer: String,
    /// Of an answer: the status.
    pub status: Option<u16>,
    /// Of an answer: the request.
    pub answers: Option<Box<Self>>,
}

/// A key made to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Two halves, in PEM.
    Pair {
        /// The one that signs.
        private: &'static str,
        /// The one that verifies.
        public: &'static str,
    },
    /// A shared secret.
    Secret(&'static str),
}

/// A pair, and what it shows.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// The rule.
    pub(super) rule: &'static str,
    /// The place at which the rule finds it.
    pub(super) span: Span,
    pub(super) collision: Collision,
}

/// The pairs of a message: for each place at which its texts may be read in two ways, and for each loss.
pub(super) fn shown(
    scheme: &Scheme,
    message: &Message,
    response: bool,
    written: &Written,
    readings: &[Reading],
) -> Vec<Shown> {
    // RFC 9421 gives each component a line of its own, and the signature says which they are.
    if message.message_signature.is_some() {
        return Vec::new();
    }
    let Some(mut engine) = Engine::new(scheme, message, response) else { return Vec::new() };
    if response {
        let asking = Engine::new(scheme, &scheme.request, false);
        let asked = asking.and_then(|engine| Some(engine.sign(&samples::draft(&engine, scheme)?)?.ok()?.sent));
        let Some(asked) = asked else { return Vec::new() };
        engine.answering(asked);
    }
    let Some(draft) = samples::draft(&engine, scheme) else { return Vec::new() };
    let draft = samples::full(&engine, &draft);
    let mut shown = losses::shown(&engine, &draft, message);
    let drafts: Vec<_> = std::iter::once(draft.clone()).chain(samples::fronted(&engine, &draft)).collect();
    shown.extend(shifts::shown(&engine, &drafts, message, written, readings));
    shown
}

/// Where a rule finds it that two readings part: at the value that comes first.
pub(super) fn place(written: &Written, text: Span, one: Option<Owner>, other: Option<Owner>) -> Span {
    one.or(other).and_then(|owner| written.span(owner)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalogue, catalogue, load};

    /// Without a message to begin with nothing can be shown, and nothing would be.
    #[test]
    fn every_scheme_of_the_catalogue_signs_a_sample() {
        let mut unsigned = Vec::new();
        for name in catalogue::names() {
            let scheme = load(name, catalogue::text(name).unwrap(), &Catalogue).unwrap();
            // What RFC 9421 makes a base of is judged by its policy, without samples.
            if scheme.request.message_signature.is_some() {
                continue;
            }
            for message in scheme.request.alternatives() {
                let engine = Engine::new(&scheme, &message, false).unwrap();
                if samples::draft(&engine, &scheme).is_none() {
                    unsigned.push(*name);
                }
            }
        }
        // They sign a policy that has to be made first; its part `meta` has to hold the digest of another part.
        unsigned.retain(|name| !name.starts_with("cloudfront-custom") && *name != "wechatpay-v3-upload");
        assert!(unsigned.is_empty(), "{unsigned:?}");
    }
}

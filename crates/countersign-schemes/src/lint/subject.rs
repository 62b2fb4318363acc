//! What a rule looks at: one message of a scheme, in one of its alternatives, with what is known about it.

use super::collision::{self, Collision, Shown};
use super::coverage::Cover;
use super::draws::{self, Drawn};
use super::grammar::{self, Clash, TooLarge};
use super::naming;
use super::told::{self, Told};
use super::written::{self, Written};
use countersign_core::alg::Hash;
use countersign_core::httpsig::Policy;
use countersign_core::scheme::model::{FieldId, Primitive, Replay, Source, Template};
use countersign_core::scheme::{Kind, Message, Scheme, Span};

/// One message of a scheme.
pub(super) struct Subject<'a> {
    pub(super) scheme: &'a Scheme,
    pub(super) message: &'a Message,
    /// The answer to a request: method, host, path, query, time and nonce are the request's matter.
    pub(super) response: bool,
    pub(super) cover: Cover,
    pub(super) written: Written,
    /// Where one of the texts can be read in two ways.
    pub(super) readings: Vec<Reading>,
    /// What is told of each part of the message that is signed.
    pub(super) parts: Vec<told::Part>,
    /// Pairs of requests that have one signature.
    pub(super) shown: Vec<Shown>,
}

/// A place at which a text can be read in two ways.
pub(super) struct Reading {
    /// Where the text stands.
    pub(super) text: Span,
    /// Where the readings part.
    pub(super) clash: Result<Clash, TooLarge>,
    /// Also among messages whose time is accepted, which all have as many digits.
    pub(super) accepted: bool,
}

impl<'a> Subject<'a> {
    pub(super) fn new(scheme: &'a Scheme, message: &'a Message, response: bool) -> Self {
        let written = Written::of(scheme, message, false);
        let readings = readings(scheme, message, &written);
        let cover = Cover::of(message, &scheme.vars);
        let parts = told::parts(message, &cover, &Written::of(scheme, message, true));
        let shown = collision::shown(scheme, message, response, &written, &readings);
        Self { scheme, message, response, cover, written, readings, parts, shown }
    }

    /// The kind of a request; a response has none.
    pub(super) fn request(&self) -> Option<Kind> {
        (!self.response).then_some(self.scheme.kind)
    }

    pub(super) fn base(&self) -> Span {
        self.message.base.span
    }

    /// Where freshness is decided, or else what is signed.
    pub(super) fn fresh(&self) -> Span {
        if self.scheme.fresh.span == Span::default() { self.base() } else { self.scheme.fresh.span }
    }

    pub(super) fn drawn(&self, text: &'a Template) -> Vec<Drawn<'a>> {
        draws::drawn(self.message, text)
    }

    /// What the signature is computed over: what the base draws on.
    pub(super) fn signed(&self) -> Vec<Drawn<'a>> {
        self.drawn(&self.message.base)
    }

    /// The lists among it.
    pub(super) fn lists(&self) -> impl Iterator<Item = Drawn<'a>> {
        self.signed().into_iter().filter(|drawn| matches!(drawn.source, Source::List(_)))
    }

    /// What the key of the MAC is made of.
    pub(super) fn key(&self) -> Option<&'a Template> {
        match &self.message.signature.primitive {
            Primitive::Derived(_, key) | Primitive::Mac(_, key) => Some(key),
            Primitive::Agreed | Primitive::Digest(_) | Primitive::Signature(_) => None,
        }
    }

    /// What stands for `hmac` and `digest`, where the scheme leaves that to the key.
    pub(super) fn hashes(&self, named: Option<Hash>) -> Vec<Hash> {
        hashes(self.scheme, named)
    }

    /// Templates whose values count as signed: the base, what captures and bound fields are compared with, and what is
    /// signed of chunks.
    pub(super) fn templates(&self) -> Vec<&'a Template> {
        let defined = self.message.fields.iter().filter_map(|field| self.message.lets.get(field.definition?));
        let bound = self.message.binds.iter().map(|bind| &bind.value);
        let chunks = self.message.chunks.as_ref();
        let chunks = chunks.into_iter().flat_map(|chunks| std::iter::once(&chunks.base).chain(&chunks.trailer));
        let base = std::iter::once(&self.message.base);
        base.chain(defined.map(|entry| &entry.text)).chain(bound).chain(chunks).collect()
    }

    /// The captures that decide how fresh a message is.
    pub(super) fn times(&self) -> Vec<FieldId> {
        let fresh = &self.scheme.fresh;
        let window = fresh.timestamp.map(|window| window.field);
        let lifetime = fresh.lifetime.map(|(field, _)| field);
        [window, fresh.expires, fresh.starts, lifetime].into_iter().flatten().collect()
    }

    pub(super) fn is_remembered(&self) -> bool {
        self.scheme.fresh.replay != Replay::Never
    }

    /// Whether two messages of one base agree in all that the base is made for.
    pub(super) fn is_injective(&self) -> bool {
        let readable = self.readings.iter().all(|reading| !reading.accepted)
            && self.written.lists.iter().all(|list| list.clashes.as_ref().is_ok_and(Vec::is_empty));
        readable && self.parts.iter().all(|part| !matches!(part.told, Told::Not(_)) || part.is_aside())
    }

    /// Where two readings part.
    pub(super) fn place(&self, reading: &Reading) -> Span {
        let Ok(clash) = reading.clash else { return reading.text };
        collision::place(&self.written, reading.text, clash.one, clash.other)
    }

    /// The pair that a rule can show for a place.
    pub(super) fn pair(&self, rule: &str, span: Span) -> Option<&Collision> {
        self.shown.iter().find(|shown| shown.rule == rule && shown.span == span).map(|shown| &shown.collision)
    }

    /// The policy of a message signature, where the message is signed by RFC 9421.
    pub(super) fn policy(&self) -> Option<&'a Policy> {
        self.message.message_signature.as_ref()
    }

    /// Whether a message has this capture, as far as the scheme knows: what only may be there is nobody's concern in a
    /// message signature, whose parameters the standard knows whether a scheme uses them or not.
    pub(super) fn expects(&self, id: FieldId) -> bool {
        self.policy().is_none() || self.message.required_fields.contains(&id)
    }

    /// What people call a capture.
    pub(super) fn field(&self, id: FieldId) -> &str {
        self.message.fields.get(id).map_or("", |field| &field.name)
    }

    /// What people call a source.
    pub(super) fn name(&self, source: &Source) -> String {
        naming::name(self.scheme, self.message, source)
    }
}

/// What stands for `hmac` and `digest` in a scheme, where it leaves that to the key.
pub(super) fn hashes(scheme: &Scheme, named: Option<Hash>) -> Vec<Hash> {
    match (named, scheme.key.hashes.as_slice()) {
        (Some(hash), _) => vec![hash],
        (None, []) => vec![Hash::Sha256],
        (None, hashes) => hashes.to_vec(),
    }
}

fn readings(scheme: &Scheme, message: &Message, written: &Written) -> Vec<Reading> {
    let closed = scheme.fresh.timestamp.is_some_and(written::is_closed);
    // The same texts, in the same order.
    let accepted = closed.then(|| Written::of(scheme, message, true));
    let mut readings = Vec::new();
    for (index, (text, span)) in written.texts.iter().enumerate() {
        let Ok(clashes) = grammar::clashes(text) else {
            readings.push(Reading { text: *span, clash: Err(TooLarge), accepted: true });
            continue;
        };
        if clashes.is_empty() {
            continue;
        }
        let later = accepted.as_ref().and_then(|written| written.texts.get(index));
        let later = later.map_or(Ok(clashes.clone()), |(text, _)| grammar::clashes(text));
        for clash in clashes {
            let same = |other: &Clash| (other.one, other.other) == (clash.one, clash.other);
            let accepted = later.as_ref().map_or(true, |later| later.iter().any(same));
            readings.push(Reading { text: *span, clash: Ok(clash), accepted });
        }
    }
    readings
}

//! The engine, as whoever tries to deceive it has it: requests are signed, and other ones verified.

use super::draft::{Draft, HOST, Pair, Place};
use super::samples;
use super::{Collision, Held, Sent};
use crate::lint::draws;
use countersign_core::key::{Key, KeySet};
use countersign_core::request::{RequestView, Transport};
use countersign_core::scheme::model::{Bound, FieldType, Primitive, Source, Template};
use countersign_core::scheme::{Message, Scheme, Span};
use countersign_core::time::UnixTime;
use countersign_core::{Freshness, Plan, SignError, Signer, Verifier};
use std::sync::Arc;

/// A scheme, and a key for it.
pub(super) struct Engine<'a> {
    /// The alternative at hand, as a scheme of its own.
    scheme: Scheme,
    pub(super) message: &'a Message,
    plan: Arc<Plan>,
    /// The scheme with all its alternatives, as whoever verifies has it.
    whole: Arc<Plan>,
    held: Held,
    key: Key,
    /// The same under whatever id: a request that names another key is as good where both have one secret.
    keys: KeySet,
    /// The request that is answered.
    asked: Option<Sent>,
}

/// When everything happens: 2024-05-01T12:34:56Z.
pub(super) const NOW: i64 = 1_714_566_896;
const KEY_ID: &str = "alice";
pub(super) const PEER: &str = "192.0.2.7";
/// How often something missing is added before giving up.
const MOST: usize = 24;

impl<'a> Engine<'a> {
    /// `None` where there is no key for the scheme's algorithm.
    pub(super) fn new(scheme: &Scheme, message: &'a Message, response: bool) -> Option<Self> {
        let mut whole = scheme.clone();
        // What a vendor's clients still sign with, and the engine does not: the same base under a better digest.
        for message in std::iter::once(&mut whole.request).chain(&mut whole.response) {
            if let Primitive::Signature(algorithm) = &mut message.signature.primitive {
                *algorithm = samples::signing(*algorithm);
            }
        }
        let held = Held::of(&whole.request.signature.primitive);
        let key = held.signing(KEY_ID)?;
        let mut any = key.clone();
        if message.fields.iter().any(|field| field.name == "key-id") {
            any.id = None;
        }
        let keys = KeySet::new([Arc::new(any)]);
        let mut own = whole.clone();
        let target = if response { own.response.as_mut()? } else { &mut own.request };
        target.lets.clone_from(&message.lets);
        target.base = message.base.clone();
        target.tries = Vec::new();
        // What only this alternative needs is written for it.
        let needed = draws::drawn(message, &message.base).into_iter().filter(draws::Drawn::mandatory);
        target.include.extend(needed.filter_map(|drawn| match drawn.source {
            Source::Field(id) => Some(*id),
            _ => None,
        }));
        let (plan, whole) = (Plan::compile(&own), Plan::compile(&whole));
        Some(Self { scheme: own, message, plan, whole, held, key, keys, asked: None })
    }

    /// Has the messages answer a request.
    pub(super) fn answering(&mut self, asked: Sent) {
        self.asked = Some(asked);
    }

    pub(super) const fn is_answering(&self) -> bool {
        self.asked.is_some()
    }

    /// Adds to a draft what the scheme needs. `None`: it could not be found out.
    pub(super) fn completed(&self, draft: &Draft) -> Option<Draft> {
        let mut draft = draft.clone();
        for attempt in 0..MOST {
            match self.sign(&draft)? {
                Ok(_) => return Some(draft),
                Err(SignError::VarNeeded { name } | SignError::ValueUnfit { name }) => {
                    draft.give(&name, samples::value(self.field_type(&name), &name, attempt)?);
                }
                Err(SignError::Missing { step }) => {
                    let added = step.is_some_and(|span| self.add(&mut draft, span).is_some());
                    if !added {
                        self.give_all(&mut draft)?;
                    }
                }
                Err(_) => return None,
            }
        }
        None
    }

    fn field_type(&self, name: &str) -> Option<&FieldType> {
        self.message.fields.iter().find(|field| field.name == name).map(|field| &field.kind)
    }

    /// Adds the part of a message that stands at a place of the scheme.
    fn add(&self, draft: &mut Draft, span: Span) -> Option<()> {
        let message = self.message;
        let texts = std::iter::once(&message.base)
            .chain(message.lets.iter().map(|entry| &entry.text))
            .chain(message.binds.iter().map(|bind| &bind.value));
        let drawn = texts.flat_map(|text| draws::drawn(message, text)).find(|drawn| drawn.span == span)?;
        let item = |name: &str| Pair::new(name, "1");
        let before = draft.clone();
        match drawn.source {
            Source::Header(name) => draft.fields.push((name.clone(), samples::field(name).to_vec())),
            Source::Cookie(name) => draft.fields.push(("cookie".to_owned(), format!("{name}=1").into_bytes())),
            Source::Query(name) => draft.query.push(item(name)),
            Source::QueryString => draft.query.push(item("item")),
            Source::Form(name) | Source::Json(name) | Source::Xml(name) => {
                draft.items_mut(Place::Body)?.push(item(name));
            }
            Source::Field(id) => {
                let field = message.fields.get(*id).filter(|field| draft.given(&field.name).is_none())?;
                draft.give(&field.name, samples::value(Some(&field.kind), &field.name, 0)?);
            }
            Source::Var(id) => {
                let var = self.scheme.vars.get(*id).filter(|var| draft.given(&var.name).is_none())?;
                draft.give(&var.name, samples::value(None, &var.name, 0)?);
            }
            _ => {}
        }
        (*draft != before).then_some(())
    }

    /// Gives a value to every capture and variable that has none yet, and adds the fields that signing would list.
    fn give_all(&self, draft: &mut Draft) -> Option<()> {
        self.give(draft, false).or_else(|| self.give(draft, true))
    }

    fn give(&self, draft: &mut Draft, optional: bool) -> Option<()> {
        let before = draft.clone();
        let message = self.message;
        for (id, field) in message.fields.iter().enumerate() {
            let own = matches!(field.name.as_str(), "key-id" | "nonce" | "timestamp");
            let listed = field.kind.names().is_some() && !message.cover.is_empty();
            let bound = message.binds.iter().any(|bind| bind.what == Source::Field(id));
            let computed = field.definition.is_some() || listed || bound || id == message.signature_field;
            if !own && !computed && (optional || !field.optional) && draft.given(&field.name).is_none() {
                let begins = self.scheme.fresh.starts == Some(id);
                let value =
                    if begins { samples::BEGINNING } else { samples::value(Some(&field.kind), &field.name, 0)? };
                draft.give(&field.name, value);
            }
        }
        for var in self.scheme.vars.iter().filter(|var| var.default.is_none()) {
            if draft.given(&var.name).is_none() {
                draft.give(&var.name, samples::value(None, &var.name, 0)?);
            }
        }
        let fields = message.cover.iter().filter(|_| optional);
        for name in fields.filter(|name| countersign_core::canon::is_token(name.as_bytes())) {
            let fits = !name.contains(['*', '!']) && name != "host";
            if fits && draft.field(name).is_none() && !message.carriers.iter().any(|carrier| carrier.name == *name) {
                draft.fields.push((name.clone(), samples::field(name).to_vec()));
            }
        }
        (*draft != before).then_some(())
    }

    /// Signs a draft. `None`: it cannot be written as a request.
    pub(super) fn sign(&self, draft: &Draft) -> Option<Result<Signed, SignError>> {
        let mut sent = draft.sent()?;
        sent.answers = self.asked.clone().map(Box::new);
        let mut signer = Signer::new(Arc::clone(&self.plan));
        for (name, value) in &draft.given {
            signer = signer.with_var(name, value);
        }
        let fresh = Freshness { now: UnixTime::from_secs(NOW), nonce: Some(samples::NONCE) };
        let signed = sent.looked_at(|view| signer.sign(view, &self.key, &fresh));
        Some(signed.map(|signed| {
            signed.apply(&mut sent.fields);
            sent.target = signed.target;
            sent.body = signed.body.or(sent.body);
            Signed { sent, signature: signed.signature, given: draft.given.clone() }
        }))
    }

    /// The base of a signed request, and the value of each capture.
    pub(super) fn read(&self, signed: &Signed) -> Option<Read> {
        let verifier = self.verifier(&self.plan, signed);
        let explanation = signed.sent.looked_at(|view| verifier.explain(view, &self.keys, UnixTime::from_secs(NOW)));
        let base = explanation.stages.iter().find(|stage| stage.name == "signature-base")?.bytes.clone();
        Some(Read { base, fields: explanation.fields })
    }

    /// What a template makes of a draft.
    pub(super) fn rendered(&self, template: &Template, draft: &Draft) -> Option<Vec<u8>> {
        let signed = self.sign(draft)?.ok()?;
        let mut scheme = self.scheme.clone();
        let message = if self.is_answering() { scheme.response.as_mut()? } else { &mut scheme.request };
        message.base = template.clone();
        let verifier = self.verifier(&Plan::compile(&scheme), &signed);
        let explanation = signed.sent.looked_at(|view| verifier.explain(view, &self.keys, UnixTime::from_secs(NOW)));
        explanation.stages.into_iter().find(|stage| stage.name == "signature-base").map(|stage| stage.bytes)
    }

    /// A variable that the deployment fixes, and no message carries.
    fn is_fixed(&self, name: &str) -> bool {
        self.scheme.vars.iter().any(|var| var.name == name) && self.field_type(name).is_none()
    }

    fn verifier(&self, plan: &Arc<Plan>, signed: &Signed) -> Verifier {
        let mut verifier = Verifier::new(Arc::clone(plan));
        for (name, value) in &signed.given {
            if self.is_fixed(name) {
                verifier = verifier.with_var(name, value);
            }
        }
        verifier
    }

    /// Where a slice ends, with the default of a variable.
    pub(super) fn bound(&self, bound: Bound) -> Option<usize> {
        match bound {
            Bound::At(to) => Some(to),
            Bound::Var(id) => self.scheme.vars.get(id)?.default.as_ref()?.parse().ok(),
        }
    }

    /// Whether two drafts are different requests of one signature: one is signed, and with its signature the other
    /// verifies.
    pub(super) fn collides(&self, one: &Draft, other: &Draft) -> Option<Collision> {
        let one = self.sign(one)?.ok()?;
        let mut other = self.sign(other)?.ok()?;
        let base = self.read(&one)?.base;
        if one.sent == other.sent || base != self.read(&other)?.base {
            return None;
        }
        if one.signature != other.signature {
            // The algorithm draws random numbers; the other request gets the first one's signature.
            other.sent.replace(&other.signature, &one.signature)?;
        }
        let holds = |signed: &Signed| {
            let verifier = self.verifier(&self.whole, signed);
            let explained =
                signed.sent.looked_at(|view| verifier.explain(view, &self.keys, UnixTime::from_secs(NOW)));
            explained.verdict.is_ok()
        };
        if !holds(&one) || !holds(&other) {
            return None;
        }
        let fixed = self.scheme.vars.iter().filter(|var| self.is_fixed(&var.name));
        let vars = fixed.filter_map(|var| {
            let (_, value) = one.given.iter().find(|(name, _)| *name == var.name)?;
            Some((var.name.clone(), value.clone()))
        });
        let ids = [&one, &other].map(|signed| {
            let fields = self.read(signed).map(|read| read.fields).unwrap_or_default();
            let id = fields.into_iter().find(|(name, _)| name == "key-id").map(|(_, id)| id);
            id.map_or_else(|| KEY_ID.to_owned(), |id| String::from_utf8_lossy(&id).into_owned())
        });
        let key = self.held;
        Some(Collision { requests: [one.sent, other.sent], key_ids: ids, base, key, now: NOW, vars: vars.collect() })
    }
}

/// A signed request.
pub(super) struct Signed {
    pub(super) sent: Sent,
    signature: Vec<u8>,
    given: Vec<(String, String)>,
}

/// What the engine reads of a signed request.
pub(super) struct Read {
    pub(super) base: Vec<u8>,
    pub(super) fields: Vec<(String, Vec<u8>)>,
}

impl Sent {
    /// Shows it to the engine.
    fn looked_at<T>(&self, look: impl FnOnce(RequestView<'_>) -> T) -> T {
        let answers = self.answers.as_ref().map(|request| request.view(None));
        look(self.view(answers.as_ref()))
    }

    fn view<'v>(&'v self, answers: Option<&'v RequestView<'v>>) -> RequestView<'v> {
        let response = self.status.is_some();
        RequestView {
            method: if response { "" } else { &self.method },
            target: if response { b"" } else { &self.target },
            authority: if response { "" } else { HOST },
            transport: Transport::Https,
            fields: &self.fields,
            body: Some(self.body.as_deref().unwrap_or_default()),
            peer: Some(&self.peer),
            status: self.status,
            trailers: None,
            answers,
        }
    }

    /// Puts another text in the place of one, which has to stand in the message once.
    fn replace(&mut self, from: &[u8], to: &[u8]) -> Option<()> {
        let texts = || {
            let fields = self.fields.iter().map(|(_, value)| value);
            fields.chain([&self.target]).chain(&self.body)
        };
        let (index, at) = {
            let mut found = texts().enumerate().flat_map(|(index, text)| {
                let at = (0..text.len()).filter(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(from)));
                at.map(move |at| (index, at))
            });
            let first = found.next()?;
            if found.next().is_some() {
                return None;
            }
            first
        };
        let fields = self.fields.iter_mut().map(|(_, value)| value);
        let text = fields.chain([&mut self.target]).chain(&mut self.body).nth(index)?;
        text.splice(at..at + from.len(), to.iter().copied());
        Some(())
    }
}

//! Signing: the same template that parses carriers writes them.
//!
//! What the message already has is kept, what is missing is appended, and nothing is added that the scheme does not
//! call for.

mod chunks;
mod error;
mod members;
mod names;

pub use error::SignError;

use std::sync::Arc;

use crate::canon;
use crate::httpsig;
use crate::key::{Key, Material};
use crate::plan::list::convert;
use crate::plan::noted::Noted;
use crate::plan::run::{Env, Scratch, Stop, digest_body, run};
use crate::plan::source::split_target;
use crate::plan::{MessagePlan, Plan, PrimitivePlan, Program};
use crate::reject::{Rejection, Subject};
use crate::request::{Fields, RequestView};
use crate::scheme::draft::Place;
use crate::scheme::model::{Carrier, Convert, Field, FieldId, FieldType, Message, Source, Wrap};
use crate::scheme::{References, Var, same_name};
use crate::time::UnixTime;
use crate::verify::agree::agree;
use crate::verify::coverage::{Facts, insist};
use crate::verify::meant::Meant;
use crate::verify::{fresh, policy, read, signature, suits, unambiguous};
use zeroize::Zeroizing;

/// Signs messages under one plan.
#[derive(Clone)]
pub struct Signer {
    plan: Arc<Plan>,
    /// Values that were given, by capture or variable name.
    given: Vec<(String, Vec<u8>)>,
}

/// Variables may be secrets, as a salt is: none is shown.
impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("scheme", &self.plan.scheme.name).finish_non_exhaustive()
    }
}

/// What makes a signed message new.
#[derive(Debug, Clone, Copy)]
pub struct Freshness<'a> {
    /// The time to sign.
    pub now: UnixTime,
    /// The nonce, where the scheme has one. It has to be unguessable and must never come twice: 128 random bits.
    pub nonce: Option<&'a str>,
}

/// What has to be changed in a message so that it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The target; longer than before where carriers sit in the query or the path.
    pub target: Vec<u8>,
    /// Field lines to append. A `Cookie` and a `Content-Length` replace the one that is there ([`Signed::apply`]).
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body, where carriers sit in it, or where it goes in chunks.
    pub body: Option<Vec<u8>>,
    /// The signature as the message carries it.
    pub signature: Vec<u8>,
}

impl Signed {
    /// Adds what has to be added to field lines.
    pub fn apply(&self, fields: &mut Vec<(String, Vec<u8>)>) {
        for (name, value) in &self.fields {
            let replaces = ["cookie", "content-length"].iter().any(|one| name.eq_ignore_ascii_case(one));
            match fields.iter_mut().find(|(known, _)| replaces && known.eq_ignore_ascii_case(name)) {
                Some((_, old)) => old.clone_from(value),
                None => fields.push((name.clone(), value.clone())),
            }
        }
    }
}

impl Signer {
    /// A signer without variables.
    #[must_use]
    pub const fn new(plan: Arc<Plan>) -> Self {
        Self { plan, given: Vec::new() }
    }

    /// Gives a value to a variable or a capture; `_` and `-` are the same. What the scheme does not have is ignored.
    #[must_use]
    pub fn with_var(mut self, name: &str, value: &str) -> Self {
        self.given.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    /// Signs a message. Its body, if it has one, has to be in the view.
    pub fn sign(&self, view: RequestView<'_>, key: &Key, fresh: &Freshness<'_>) -> Result<Signed, SignError> {
        if let Some(member) = self.alternative()? {
            return member.sign(view, key, fresh);
        }
        let (message, plan) = self.plan.message(view.status.is_some()).ok_or(SignError::NoResponse)?;
        if let Some(policy) = &message.message_signature {
            unambiguous(&view, plan, &Noted::default()).map_err(SignError::Message)?;
            return httpsig::sign(message, policy, &self.given, view, key, fresh);
        }
        let hashes = &self.plan.scheme().key.hashes;
        let hash = suits(key, &message.signature.primitive, hashes).ok_or(SignError::KeyUnsuitable)?;
        let variant = plan.variants.first().ok_or(SignError::KeyUnsuitable)?;
        let vars = self.variables();
        let mut draft = Draft::of(&view);
        let mut scratch = Scratch::default();
        scratch.reset(message.fields.len());
        Self::keep_present(&view, message, &mut scratch)?;
        self.fill(message, &mut scratch, key, fresh)?;
        let signing = Signing { message, plan, view, vars: &vars, key, hash, variant };
        let chunking = signing.announce(&mut draft, &mut scratch)?;
        let chunked = chunking.is_some();
        signing.define(&mut draft, &mut scratch)?;
        signing.assemble(&draft, &mut scratch)?;
        signing.write(&mut draft, &mut scratch, |carrier, _| carrier.place == Place::Header)?;
        signing.list_names(&draft, &mut scratch)?;
        signing.write(&mut draft, &mut scratch, |_, _| true)?;
        let base = signing.base(&draft, &mut scratch)?;
        let signature = signing.signature(&draft, &mut scratch, &base)?;
        scratch.captures.set(message.signature_field, &signature);
        signing.write_signature(&mut draft, &mut scratch)?;
        signing.read_back(&draft, &mut scratch, &base, fresh.now, chunked, &Meant::of(&self.plan.scheme))?;
        if let Some(chunking) = chunking {
            signing.write_chunks(&mut draft, &mut scratch, &chunking, &signature)?;
        }
        Ok(Signed {
            fields: draft.appended,
            body: draft.body.filter(|_| draft.body_changed),
            target: draft.target,
            signature,
        })
    }

    /// Whether a nonce has to be given for a request.
    #[must_use]
    pub fn wants_nonce(&self) -> bool {
        if let Ok(Some(member)) = self.alternative() {
            return member.wants_nonce();
        }
        let message = &self.plan.scheme().request;
        match &message.message_signature {
            Some(_) => httpsig::wants_nonce(message, &self.given),
            None => self.plan.captures_nonce(),
        }
    }

    /// The signer of one of several schemes that stand side by side: the first, or the one that the variable
    /// `alternative` names. `None`: there is one scheme.
    fn alternative(&self) -> Result<Option<Self>, SignError> {
        let members = self.plan.either();
        let Some(first) = members.first() else { return Ok(None) };
        let plan = match self.given("alternative") {
            None => first,
            Some(name) => members.iter().find(|plan| plan.scheme.name.as_bytes() == name).ok_or_else(|| {
                let names: Vec<&str> = members.iter().map(|plan| plan.scheme.name.as_str()).collect();
                SignError::VarUnreadable { what: format!("`alternative` is one of {}", names.join(", ")) }
            })?,
        };
        Ok(Some(Self { plan: Arc::clone(plan), given: self.given.clone() }))
    }

    fn variables(&self) -> Vec<Option<Vec<u8>>> {
        let vars = &self.plan.scheme().vars;
        let of = |var: &Var| self.given(&var.name).or(var.default.as_deref().map(str::as_bytes)).map(<[u8]>::to_vec);
        vars.iter().map(of).collect()
    }

    fn default(&self, name: &str) -> Option<&[u8]> {
        let var = self.plan.scheme().vars.iter().find(|var| var.name == name)?;
        var.default.as_deref().map(str::as_bytes)
    }

    fn given(&self, name: &str) -> Option<&[u8]> {
        self.given.iter().rev().find(|(known, _)| same_name(known, name)).map(|(_, value)| value.as_slice())
    }

    /// Captures what the message already carries.
    fn keep_present(view: &RequestView<'_>, message: &Message, scratch: &mut Scratch) -> Result<(), SignError> {
        for (index, carrier) in read::outer_first(message) {
            if carrier.place == Place::Path {
                // The path of an unsigned link goes into the capture `rest`.
                if let Some(rest) = message.fields.iter().position(|field| field.name == "rest") {
                    scratch.captures.set(rest, split_target(view.target).0);
                }
                continue;
            }
            let mark = scratch.out.len();
            if !read::value(view, message, carrier, &scratch.captures, &mut scratch.out)
                .map_err(SignError::Message)?
            {
                continue;
            }
            if carries(carrier, message.signature_field) {
                return Err(SignError::AlreadySigned { carrier: carrier.written.clone() });
            }
            read::parse(message, carrier, index, scratch, mark)
                .map_err(|_| SignError::CarrierMalformed { carrier: carrier.written.clone() })?;
            scratch.out.truncate(mark);
        }
        Ok(())
    }

    /// Sets the captures that need nothing of the message.
    fn fill(
        &self,
        message: &Message,
        scratch: &mut Scratch,
        key: &Key,
        fresh: &Freshness<'_>,
    ) -> Result<(), SignError> {
        let rules = &self.plan.scheme().fresh;
        for (id, field) in message.fields.iter().enumerate() {
            if id == message.signature_field || scratch.captures.get(id).is_some() {
                continue;
            }
            let mut value = Vec::new();
            if let Some(given) = self.given(&field.name).or_else(|| self.default(&field.name)) {
                value.extend_from_slice(given);
                if let (FieldType::Time(format), Some(instant)) = (&field.kind, unix(given))
                    && format.parse(given).is_none()
                {
                    value.clear();
                    format.write(instant, &mut value);
                }
            } else if field.name == "key-id" {
                match &key.id {
                    Some(id) => value.extend_from_slice(id.as_bytes()),
                    None if field.optional => continue,
                    None => return Err(SignError::KeyIdNeeded),
                }
            } else if field.name == "nonce" && field.definition.is_none() {
                match fresh.nonce {
                    Some(nonce) => value.extend_from_slice(nonce.as_bytes()),
                    None if field.optional => continue,
                    None => return Err(SignError::NonceNeeded),
                }
            } else if let FieldType::Time(format) = &field.kind
                && field.definition.is_none()
                && (field.name == "timestamp" || (rules.starts == Some(id) && !field.optional))
            {
                format.write(fresh.now, &mut value);
            } else if let (FieldType::Time(format), true, Some(ttl)) =
                (&field.kind, rules.expires == Some(id), self.given("ttl").and_then(unix))
            {
                let end = fresh.now.millis().saturating_add(ttl.millis());
                format.write(UnixTime::from_millis(end), &mut value);
            } else {
                continue;
            }
            if !fits(message, id, &value) {
                return Err(SignError::ValueUnfit { name: field.name.clone() });
            }
            scratch.captures.set(id, &value);
        }
        Ok(())
    }
}

/// One message being signed.
struct Signing<'s> {
    message: &'s Message,
    plan: &'s MessagePlan,
    view: RequestView<'s>,
    vars: &'s [Option<Vec<u8>>],
    key: &'s Key,
    hash: crate::alg::Hash,
    variant: &'s crate::plan::Variant,
}

impl Signing<'_> {
    /// Runs something on the message as it has become.
    fn with<T>(&self, draft: &Draft, run: impl FnOnce(&Env<'_>) -> T) -> T {
        let view = RequestView {
            target: &draft.target,
            fields: &draft.fields,
            body: draft.body.as_deref().or(self.view.body),
            ..self.view
        };
        run(&Env {
            view,
            plan: self.plan,
            variant: self.variant,
            vars: self.vars,
            key: Some(self.key),
            hash: self.hash,
            body: Some(view.body.unwrap_or_default()),
        })
    }

    fn refresh(&self, draft: &Draft, scratch: &mut Scratch) -> Result<(), SignError> {
        scratch.forget_lets(self.variant.lets.len());
        self.with(draft, |env| digest_body(env, scratch)).map_err(stopped)
    }

    /// Sets the captures that are defined in `[let]` or bound to what is computed.
    fn define(&self, draft: &mut Draft, scratch: &mut Scratch) -> Result<(), SignError> {
        let message = self.message;
        let mut defined: Vec<(usize, FieldId, &Field)> = message
            .fields
            .iter()
            .enumerate()
            .filter_map(|(id, field)| field.definition.map(|definition| (definition, id, field)))
            .filter(|(_, id, field)| {
                scratch.captures.get(*id).is_none()
                    && (!field.optional || (message.include.contains(id) && self.view.body.is_some()))
            })
            .collect();
        defined.sort_by_key(|(definition, ..)| *definition);
        let mut programs: Vec<(&Program, FieldId, &Field)> = defined
            .into_iter()
            .filter_map(|(definition, id, field)| Some((&self.variant.lets.get(definition)?.program, id, field)))
            .collect();
        for bind in &self.plan.binds {
            let Source::Field(id) = bind.what else { continue };
            if let Some(field) = message.fields.get(id).filter(|field| !field.optional && field.definition.is_none())
                && scratch.captures.get(id).is_none()
            {
                programs.push((&bind.value, id, field));
            }
        }
        if programs.is_empty() {
            return Ok(());
        }
        self.refresh(draft, scratch)?;
        for (program, id, field) in programs {
            let mark = scratch.out.len();
            let present = self.with(draft, |env| run(env, scratch, program)).map_err(stopped)?;
            let value = scratch.out.get(mark..).unwrap_or_default().to_vec();
            scratch.out.truncate(mark);
            if present {
                if !fits(message, id, &value) {
                    return Err(SignError::ValueUnfit { name: field.name.clone() });
                }
                scratch.captures.set(id, &value);
            } else if field.definition.is_none() {
                // What it is bound to needs the value itself, and says only what may be given.
                return Err(SignError::VarNeeded { name: field.name.clone() });
            } else if !field.optional {
                return Err(self.ungiven(scratch).unwrap_or(SignError::Missing { step: scratch.missing() }));
            }
        }
        Ok(())
    }

    /// The capture that only the caller knows and did not give, of which others are made.
    fn ungiven(&self, scratch: &Scratch) -> Option<SignError> {
        let bound = |id: FieldId| self.plan.binds.iter().any(|bind| bind.what == Source::Field(id));
        let mut fields = self.message.fields.iter().enumerate();
        let (_, field) = fields.find(|(id, field)| {
            let made =
                field.optional || field.definition.is_some() || *id == self.message.signature_field || bound(*id);
            !made
                && !matches!(field.kind, FieldType::Names(_) | FieldType::NamesAny)
                && scratch.captures.get(*id).is_none()
        })?;
        Some(SignError::VarNeeded { name: field.name.clone() })
    }

    /// Writes the carriers that do not hold the signature and whose captures are all there.
    fn write(
        &self,
        draft: &mut Draft,
        scratch: &mut Scratch,
        which: fn(&Carrier, &Message) -> bool,
    ) -> Result<(), SignError> {
        for (carrier, program) in self.message.carriers.iter().zip(&self.plan.writes) {
            if carries(carrier, self.message.signature_field) || !which(carrier, self.message) {
                continue;
            }
            let last = carrier.place != Place::Header;
            self.write_one(carrier, program, draft, scratch, last)?;
        }
        Ok(())
    }

    /// Writes the carriers of the signature. Others that are still missing lack something.
    fn write_signature(&self, draft: &mut Draft, scratch: &mut Scratch) -> Result<(), SignError> {
        for (carrier, program) in self.message.carriers.iter().zip(&self.plan.writes) {
            self.write_one(carrier, program, draft, scratch, true)?;
        }
        Ok(())
    }

    fn write_one(
        &self,
        carrier: &Carrier,
        program: &Program,
        draft: &mut Draft,
        scratch: &mut Scratch,
        last: bool,
    ) -> Result<(), SignError> {
        if carrier.within.is_some() || draft.written.contains(&(carrier.place, carrier.name.clone())) {
            return Ok(());
        }
        let mut there = Vec::new();
        let present = carrier.place != Place::Path
            && self
                .with(draft, |env| read::value(&env.view, self.message, carrier, &scratch.captures, &mut there))
                .map_err(SignError::Message)?;
        if present {
            return Ok(());
        }
        let mark = scratch.out.len();
        let whole = self.with(draft, |env| run(env, scratch, program)).map_err(stopped)?;
        let value = scratch.out.get(mark..).unwrap_or_default().to_vec();
        scratch.out.truncate(mark);
        if !whole {
            return if carrier.optional || !last { Ok(()) } else { Err(self.unwritten(carrier, scratch)) };
        }
        draft.written.push((carrier.place, carrier.name.clone()));
        draft.append(carrier, &wrapped(carrier.wrap, value))
    }

    fn base(&self, draft: &Draft, scratch: &mut Scratch) -> Result<Zeroizing<Vec<u8>>, SignError> {
        self.refresh(draft, scratch)?;
        let start =
            self.with(draft, |env| signature::base(env, scratch)).map_err(|stop| self.lacking_base(scratch, stop))?;
        let base = Zeroizing::new(scratch.out.get(start..).unwrap_or_default().to_vec());
        scratch.out.truncate(start);
        Ok(base)
    }

    /// What is told where the base lacks something: the capture that nobody gave, if there is one.
    fn lacking_base(&self, scratch: &Scratch, stop: Stop) -> SignError {
        let fields = self.message.fields.iter().enumerate();
        let mut open = fields.filter(|(id, field)| {
            !field.optional && *id != self.message.signature_field && scratch.captures.get(*id).is_none()
        });
        match (stopped(stop), open.next()) {
            (SignError::Missing { .. }, Some((_, field))) => SignError::VarNeeded { name: field.name.clone() },
            (error, _) => error,
        }
    }

    fn signature(&self, draft: &Draft, scratch: &mut Scratch, base: &[u8]) -> Result<Vec<u8>, SignError> {
        let mark = scratch.out.len();
        self.with(draft, |env| -> Result<(), SignError> {
            let raw = match &self.variant.primitive {
                PrimitivePlan::Agreed => return Err(SignError::KeyUnsuitable),
                PrimitivePlan::Digest(of) => of.unwrap_or(self.hash).digest(base).as_bytes().to_vec(),
                PrimitivePlan::Mac { .. } => {
                    let key = signature::mac_key(env, scratch).map_err(stopped)?;
                    key.mac(base).as_bytes().to_vec()
                }
                PrimitivePlan::Derived(algorithm, _) | PrimitivePlan::Signature(algorithm) => {
                    let derived = signature::derived(env, scratch).map_err(stopped)?;
                    let private = match (&derived, &self.key.material) {
                        (Some(derived), _) => derived,
                        (None, Material::Private(private)) => private,
                        (None, _) => return Err(SignError::KeyUnsuitable),
                    };
                    let mut raw = Vec::new();
                    private.sign(*algorithm, base, &mut raw)?;
                    raw
                }
            };
            signature::encode(env, scratch, &raw).map_err(stopped)
        })?;
        let value = scratch.out.get(mark..).unwrap_or_default().to_vec();
        scratch.out.truncate(mark);
        if !fits(self.message, self.message.signature_field, &value) {
            return Err(SignError::ValueUnfit { name: "signature".to_owned() });
        }
        Ok(value)
    }

    /// A verifier has to read what was meant. It may not: white space around a field is not part of it, a separator
    /// in a value ends an item, what was there already may be wrong, and a scheme may sign the very place that holds
    /// the signature.
    fn read_back(
        &self,
        draft: &Draft,
        scratch: &mut Scratch,
        base: &[u8],
        now: UnixTime,
        chunked: bool,
        meant: &Meant,
    ) -> Result<(), SignError> {
        let message = self.message;
        let mut read = Scratch::default();
        read.reset(message.fields.len());
        self.with(draft, |env| {
            unambiguous(&env.view, env.plan, &read.noted)?;
            read::carriers(&env.view, message, env.plan, &mut read)?;
            meant.judge(&env.view)?;
            read::requirements(&env.view, message, &mut read)
        })
        .map_err(|rejection| self.unread(rejection))?;
        for (id, field) in message.fields.iter().enumerate() {
            let (read, meant) = (read.captures.get(id), scratch.captures.get(id));
            if read.unwrap_or_default() != meant.unwrap_or_default() {
                return Err(SignError::ValueUnfit { name: field.name.clone() });
            }
        }
        scratch.captures = std::mem::take(&mut read.captures);
        // A message is signed for its own time, which may be another one than now.
        let now = fresh::stamp(&self.plan.fresh, message, scratch).unwrap_or(now);
        fresh::judge(&self.plan.fresh, message, scratch, now).map_err(SignError::Message)?;
        if message.carriers.iter().any(|carrier| carrier.in_body() && carries(carrier, message.signature_field)) {
            self.refresh(draft, scratch)?;
        } else {
            scratch.forget_lets(self.variant.lets.len());
        }
        let start = self.with(draft, |env| signature::base(env, scratch)).map_err(stopped)?;
        let same = scratch.out.get(start..) == Some(base);
        scratch.out.truncate(start);
        if !same {
            return Err(SignError::CoversItself);
        }
        self.with(draft, |env| {
            let lets = scratch.lets_found();
            let compared = agree(env, message, scratch, chunked)?;
            let facts = Facts::of(&env.view, env.plan, &scratch.noted, 0, compared, chunked, lets);
            let has_body = env.view.body.is_some_and(|body| !body.is_empty());
            Ok(insist(message, env.plan, &facts, &scratch.captures, has_body)?)
        })
        .map_err(stopped)?;
        match &self.plan.policy {
            Some(plan) => self.with(draft, |env| policy::judge(env, plan, scratch, now)).map(drop).map_err(stopped),
            None => Ok(()),
        }
    }

    /// What is told where a carrier that was written could not be read.
    fn unread(&self, rejection: Rejection) -> SignError {
        let Subject::Carrier(index) = *rejection.subject() else { return SignError::Message(rejection) };
        let Some(carrier) = self.message.carriers.get(index) else { return SignError::Message(rejection) };
        let mut ids = Vec::new();
        References::captures(&carrier.text, &mut ids);
        let name = match ids.as_slice() {
            [id] => self.message.fields.get(*id).map(|field| field.name.clone()),
            _ => None,
        };
        SignError::ValueUnfit { name: name.unwrap_or_else(|| carrier.written.clone()) }
    }
}

/// A message that is becoming a signed one.
struct Draft {
    target: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
    appended: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    body_changed: bool,
    written: Vec<(Place, String)>,
}

impl Draft {
    fn of(view: &RequestView<'_>) -> Self {
        let mut fields = Vec::new();
        view.fields.all(&mut |name, value| fields.push((name.to_owned(), value.to_vec())));
        Self {
            target: view.target.to_vec(),
            fields,
            appended: Vec::new(),
            body: view.body.map(<[u8]>::to_vec),
            body_changed: false,
            written: Vec::new(),
        }
    }

    /// Gives a field line its one value.
    fn set(&mut self, name: &str, value: Vec<u8>) {
        self.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.fields.push((name.to_owned(), value.clone()));
        self.appended.push((name.to_owned(), value));
    }

    fn append(&mut self, carrier: &Carrier, value: &[u8]) -> Result<(), SignError> {
        let name = &carrier.written;
        match carrier.place {
            Place::Cookie => {
                let mut line = Vec::new();
                self.fields.values("cookie", &mut |present| line.extend_from_slice(present));
                if !line.is_empty() {
                    line.extend_from_slice(b"; ");
                }
                line.extend_from_slice(name.as_bytes());
                line.push(b'=');
                line.extend_from_slice(value);
                self.fields.retain(|(known, _)| !known.eq_ignore_ascii_case("cookie"));
                self.appended.retain(|(known, _)| !known.eq_ignore_ascii_case("cookie"));
                self.fields.push(("Cookie".to_owned(), line.clone()));
                self.appended.push(("Cookie".to_owned(), line));
            }
            Place::Form => {
                let body = self.body.get_or_insert_default();
                parameter(body, body.is_empty(), name, value, canon::form_encode);
                self.body_changed = true;
            }
            Place::Header => {
                self.fields.push((name.clone(), value.to_vec()));
                self.appended.push((name.clone(), value.to_vec()));
            }
            Place::Json => {
                let body = self.body.get_or_insert_with(|| b"{}".to_vec());
                if body.is_empty() {
                    body.extend_from_slice(b"{}");
                }
                json_member(body, name, value)
                    .ok_or_else(|| SignError::CarrierMalformed { carrier: name.clone() })?;
                self.body_changed = true;
            }
            Place::Path => {
                let query = split_target(&self.target).1.map(<[u8]>::to_vec);
                self.target = value.to_vec();
                if let Some(query) = query {
                    self.target.push(b'?');
                    self.target.extend_from_slice(&query);
                }
            }
            Place::Query => {
                let first = match split_target(&self.target).1 {
                    None => {
                        self.target.push(b'?');
                        true
                    }
                    Some(query) => query.is_empty(),
                };
                parameter(&mut self.target, first, name, value, canon::pct);
            }
            Place::Xml => {
                let body = self.body.get_or_insert_with(|| b"<xml></xml>".to_vec());
                xml_child(body, name, value).ok_or_else(|| SignError::CarrierMalformed { carrier: name.clone() })?;
                self.body_changed = true;
            }
        }
        Ok(())
    }
}

fn parameter(out: &mut Vec<u8>, first: bool, name: &str, value: &[u8], encode: fn(&[u8], &mut Vec<u8>)) {
    if !first {
        out.push(b'&');
    }
    encode(name.as_bytes(), out);
    out.push(b'=');
    encode(value, out);
}

/// Puts a member at the end of a JSON object.
fn json_member(body: &mut Vec<u8>, name: &str, value: &[u8]) -> Option<()> {
    let mut members: usize = 0;
    canon::json_members(body, &mut |_, _| members = members.saturating_add(1)).ok()?;
    let end = body.iter().rposition(|byte| *byte == b'}')?;
    let rest = body.split_off(end);
    if members > 0 {
        body.push(b',');
    }
    body.push(b'"');
    canon::json_escape(name.as_bytes(), body);
    body.extend_from_slice(b"\":\"");
    canon::json_escape(value, body);
    body.push(b'"');
    body.extend_from_slice(&rest);
    Some(())
}

/// Puts a child at the end of an XML root.
fn xml_child(body: &mut Vec<u8>, name: &str, value: &[u8]) -> Option<()> {
    canon::xml_children(body, &mut |_, _| {}).ok()?;
    let end = body.windows(2).rposition(|pair| pair == b"</")?;
    let rest = body.split_off(end);
    body.push(b'<');
    body.extend_from_slice(name.as_bytes());
    body.push(b'>');
    for byte in value {
        match byte {
            b'&' => body.extend_from_slice(b"&amp;"),
            b'<' => body.extend_from_slice(b"&lt;"),
            b'>' => body.extend_from_slice(b"&gt;"),
            other => body.push(*other),
        }
    }
    body.extend_from_slice(b"</");
    body.extend_from_slice(name.as_bytes());
    body.push(b'>');
    body.extend_from_slice(&rest);
    Some(())
}

fn wrapped(wrap: Option<Wrap>, value: Vec<u8>) -> Vec<u8> {
    let by = match wrap {
        None => return value,
        Some(Wrap::B64) => Convert::B64,
        Some(Wrap::B64Url) => Convert::B64Url,
        Some(Wrap::Pct) => Convert::Pct,
    };
    let mut out = Vec::new();
    // These conversions accept every input.
    match convert(by, &value, &mut out) {
        Ok(()) => out,
        Err(canon::Malformed) => value,
    }
}

/// Whether a value can be written for a capture, and parsed back.
fn fits(message: &Message, id: FieldId, value: &[u8]) -> bool {
    message.carriers.iter().all(|carrier| carrier.shape.admits(&message.fields, id, value))
}

fn carries(carrier: &Carrier, field: FieldId) -> bool {
    let mut ids = Vec::new();
    References::captures(&carrier.text, &mut ids);
    ids.contains(&field)
}

fn unix(text: &[u8]) -> Option<UnixTime> {
    std::str::from_utf8(text).ok()?.parse().ok().map(UnixTime::from_secs)
}

fn stopped(stop: Stop) -> SignError {
    use crate::reject::Reason;
    match stop {
        Stop::NeedBody => SignError::Missing { step: None },
        Stop::Rejected(rejection) if rejection.reason() == Reason::KeyUnsuitable => SignError::KeyUnsuitable,
        Stop::Rejected(rejection) if rejection.reason() == Reason::FieldMissing => {
            SignError::Missing { step: rejection.step() }
        }
        Stop::Rejected(rejection) => SignError::Message(rejection),
    }
}

//! Explanation: the same programs once more, with what they made of the message kept.
//!
//! The verdict is that of verification itself, on the same message: there is no second judge that could disagree.
//! The stages hold the signature base, and with schemes that put the secret there the secret is in it: an explanation
//! is for whoever holds the key, never for a client.

use crate::alg::Hash;
use crate::canon;
use crate::httpsig;
use crate::key::{Key, KeySet, Material};
use crate::plan::PrimitivePlan;
use crate::plan::list::convert;
use crate::plan::run::{Env, Scratch, Stop, digest_body, run, run_on};
use crate::plan::source::field_line;
use crate::reject::Rejection;
use crate::request::RequestView;
use crate::scheme::Message;
use crate::scheme::draft::{Place, Span};
use crate::scheme::model::{Convert, Filter, Primitive, Source, Wrap};
use crate::time::UnixTime;
use crate::verify::chain::{self, Chain, Linking, Watched};
use crate::verify::{Checked, Coverage, Verified, Verifier, read, signature, suits};

/// What verification makes of a message, stage by stage.
#[derive(Debug)]
pub struct Explanation {
    /// The verdict, as of a message that was not seen before.
    pub verdict: Result<Held, Rejection>,
    /// What the carriers hold, by the names of captures, in the order of the scheme.
    pub fields: Vec<(String, Vec<u8>)>,
    /// What was computed, in order: `[let]` entries, `signature-base`, the primitive, each encoding, the carrier as
    /// it would be written. Ends early where something is missing.
    pub stages: Vec<Stage>,
    /// The first claimed signature, as carried.
    pub claimed_signature: Option<Vec<u8>>,
    /// The signature that the key makes, as carried; `None` where only the private key could make it.
    pub computed_signature: Option<Vec<u8>>,
}

/// The facts of a message that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose key made the signature.
    pub key_id: Option<Vec<u8>>,
    /// The signed time.
    pub signed_at: Option<UnixTime>,
    /// What is covered.
    pub coverage: Coverage,
}

/// One step on the way to the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name: that of a `[let]` entry or filter, or `signature-base`.
    pub name: String,
    /// What came out.
    pub bytes: Vec<u8>,
    /// Where it stands in the scheme.
    pub span: Span,
    /// What the message claims for it, where it claims something.
    pub claimed: Option<Vec<u8>>,
}

impl Verifier {
    /// Explains a message; its body has to be in the view.
    #[must_use]
    pub fn explain(&self, view: RequestView<'_>, keys: &KeySet, now: UnixTime) -> Explanation {
        let judging = self.judging(&view);
        if !std::ptr::eq(judging, self) {
            return judging.explain(view, keys, now);
        }
        let verdict = self.verdict(view, keys, now);
        let mut explanation = Explanation {
            verdict,
            fields: Vec::new(),
            stages: Vec::new(),
            claimed_signature: None,
            computed_signature: None,
        };
        let Some((message, plan)) = self.plan().message(view.status.is_some()) else { return explanation };
        if let (Some(policy), Some(rules)) = (&message.message_signature, self.rules(view.status.is_some())) {
            let shown = httpsig::explain(&view, message, plan, policy, rules, keys);
            explanation.fields = shown.fields;
            explanation.stages = shown.stages;
            explanation.claimed_signature = shown.claimed;
            explanation.computed_signature = shown.computed;
            return explanation;
        }
        let mut scratch = Scratch::default();
        scratch.reset(message.fields.len());
        let readable = read::carriers(&view, message, plan, &mut scratch);
        for (id, field) in message.fields.iter().enumerate() {
            if let Some(value) = scratch.captures.get(id) {
                explanation.fields.push((field.name.clone(), value.to_vec()));
            }
        }
        explanation.claimed_signature = scratch.captures.get(message.signature_field).map(<[u8]>::to_vec);
        let hashes = &self.plan().scheme().key.hashes;
        let claimed_id = explanation.fields.iter().find(|(name, _)| name == "key-id").map(|(_, id)| id.as_slice());
        let usable = |key: &&std::sync::Arc<Key>| suits(key, &message.signature.primitive, hashes).is_some();
        let own = keys.keys().iter().filter(usable).find(|key| match (key.id.as_deref(), claimed_id) {
            (Some(id), Some(claimed)) => id.as_bytes() == claimed,
            _ => true,
        });
        let (Some(variant), Some(key), Ok(())) = (plan.variants.first(), own, readable) else { return explanation };
        let env = Env {
            view,
            plan,
            variant,
            vars: self.variables(),
            key: Some(key),
            hash: suits(key, &message.signature.primitive, hashes).unwrap_or(Hash::Sha256),
            body: Some(view.body.unwrap_or_default()),
        };
        scratch.forget_lets(variant.lets.len());
        let mut stages = Stages { env, message, scratch, out: Vec::new(), computed: None };
        // What stopped it is in the verdict already.
        let _ = stages.all();
        explanation.stages = stages.out;
        explanation.computed_signature = stages.computed;
        explanation
    }

    fn verdict(&self, view: RequestView<'_>, keys: &KeySet, now: UnixTime) -> Result<Held, Rejection> {
        let verified = match self.start(view, now)?.key(keys)?.finish()? {
            Checked::Verified(verified) => verified,
            Checked::NeedsReplay(replay) => replay.answered(crate::replay::FirstUse::First)?,
        };
        Ok(Held::of(&verified))
    }
}

impl Held {
    fn of(verified: &Verified) -> Self {
        Self {
            key_id: verified.key_id().map(<[u8]>::to_vec),
            signed_at: verified.signed_at(),
            coverage: verified.covered(),
        }
    }
}

struct Stages<'s> {
    env: Env<'s>,
    message: &'s Message,
    scratch: Scratch,
    out: Vec<Stage>,
    computed: Option<Vec<u8>>,
}

impl Stages<'_> {
    fn all(&mut self) -> Result<(), Stop> {
        digest_body(&self.env, &mut self.scratch)?;
        let start = signature::base(&self.env, &mut self.scratch)?;
        let base = self.scratch.out.get(start..).unwrap_or_default().to_vec();
        self.scratch.out.truncate(start);
        self.lets();
        self.stage("signature-base", base.clone(), self.message.base.span, None);
        self.signature(&base)?;
        let chunked = self.chunks()?;
        self.bound(chunked)
    }

    /// What is signed of a body in chunks, link by link, up to the first that does not hold. Of many the first and the
    /// last are shown. The answer: whether it is such a body.
    fn chunks(&mut self) -> Result<bool, Stop> {
        let message = self.message;
        let Some(rule) = &message.chunks else { return Ok(false) };
        let Some(proof) = chain::proof(&self.env, message, &mut self.scratch)? else { return Ok(false) };
        // The first link hangs on the message's own signature.
        let computed = self.computed.as_deref().unwrap_or_default();
        let claimed = self.scratch.captures.get(message.signature_field).unwrap_or_default();
        if !signature::is_same(message, computed, claimed) {
            return Ok(true);
        }
        let mut chain = Chain::begin(proof, rule, &mut self.scratch, message.signature_field)?;
        chain.watch();
        if let Some(mut linking) = Linking::new(self.env, message, &mut self.scratch) {
            let body = self.env.body.unwrap_or_default();
            // What stopped it is in the verdict already.
            let _ = chain.update(&mut linking, body, &mut Vec::new());
        }
        for Watched { chunk, base, claimed, computed } in chain.watched() {
            let (name, span) = match (chunk, &rule.trailer) {
                (None, Some(trailer)) => ("trailer".to_owned(), trailer.span),
                (number, _) => (format!("chunk {}", number.unwrap_or_default()), rule.base.span),
            };
            self.stage(&name, base, span, None);
            self.stage(&format!("{name} signature"), computed, message.signature.span, Some(claimed));
        }
        Ok(true)
    }

    /// The lets that went into the base, in the order in which they were computed. Those that draw on the key are
    /// keys themselves, and are left out.
    fn lets(&mut self) {
        for id in self.scratch.order.clone() {
            let (Some(entry), Some(plan)) = (self.message.lets.get(id), self.env.variant.lets.get(id)) else {
                continue;
            };
            if plan.keyed {
                continue;
            }
            let value = self.scratch.let_value(id).unwrap_or_default().to_vec();
            self.stage(&entry.name, value, entry.span, None);
        }
    }

    fn signature(&mut self, base: &[u8]) -> Result<(), Stop> {
        let span = self.message.signature.span;
        let (name, raw) = match (&self.env.variant.primitive, &self.message.signature.primitive) {
            (PrimitivePlan::Digest(of), _) => {
                let hash = of.unwrap_or(self.env.hash);
                (hash.name().to_owned(), hash.digest(base).as_bytes().to_vec())
            }
            (PrimitivePlan::Mac { hash, .. }, _) => {
                let key = signature::mac_key(&self.env, &mut self.scratch)?;
                (format!("hmac-{}", hash.unwrap_or(self.env.hash).name()), key.mac(base).as_bytes().to_vec())
            }
            (PrimitivePlan::Signature(algorithm), Primitive::Signature(_)) => {
                let Some(Material::Private(private)) = self.env.key.map(|key| &key.material) else { return Ok(()) };
                let mut raw = Vec::new();
                if private.sign(*algorithm, base, &mut raw).is_err() {
                    return Ok(());
                }
                (algorithm.name().to_owned(), raw)
            }
            // ECDSA makes another signature each time: there is none to compare with.
            (PrimitivePlan::Agreed | PrimitivePlan::Derived(..) | PrimitivePlan::Signature(_), _) => return Ok(()),
        };
        self.stage(&name, raw.clone(), span, None);
        let mut value = raw;
        for (filter, op) in self.message.signature.encode.iter().zip(&self.env.plan.encode) {
            let start = self.scratch.out.len();
            run_on(&self.env, &mut self.scratch, &value, std::slice::from_ref(op))?;
            value = self.scratch.out.get(start..).unwrap_or_default().to_vec();
            self.scratch.out.truncate(start);
            self.stage(filter_name(filter), value.clone(), span, None);
        }
        let field = self.message.signature_field;
        let claimed = self.scratch.captures.get(field).map(<[u8]>::to_vec);
        self.stage("signature", value.clone(), span, claimed);
        self.computed = Some(value.clone());
        self.carriers(&value)
    }

    /// The carriers of the signature, as they would be written.
    fn carriers(&mut self, value: &[u8]) -> Result<(), Stop> {
        let field = self.message.signature_field;
        let claimed = self.scratch.captures.get(field).map(<[u8]>::to_vec);
        self.scratch.captures.set(field, value);
        for (carrier, program) in self.message.carriers.iter().zip(&self.env.plan.writes) {
            let mut ids = Vec::new();
            crate::scheme::References::captures(&carrier.text, &mut ids);
            if !ids.contains(&field) {
                continue;
            }
            let start = self.scratch.out.len();
            let whole = run(&self.env, &mut self.scratch, program)?;
            let mut text = self.scratch.out.get(start..).unwrap_or_default().to_vec();
            self.scratch.out.truncate(start);
            if !whole {
                continue;
            }
            let by = match (carrier.wrap, carrier.place) {
                (Some(Wrap::B64), _) => Some(Convert::B64),
                (Some(Wrap::B64Url), _) => Some(Convert::B64Url),
                (Some(Wrap::Pct), _) | (None, Place::Query) => Some(Convert::Pct),
                (None, Place::Form) => Some(Convert::FormEnc),
                (None, _) => None,
            };
            if let Some(by) = by {
                let mut out = Vec::new();
                if let Err(canon::Malformed) = convert(by, &text, &mut out) {
                    continue;
                }
                text = out;
            }
            let place = match carrier.place {
                Place::Cookie => "cookie",
                Place::Form => "form",
                Place::Header => "header",
                Place::Json => "json",
                Place::Path => "path",
                Place::Query => "query",
                Place::Xml => "xml",
            };
            self.stage(format!("{place} {}", carrier.written).trim_end(), text, carrier.span, None);
        }
        if let Some(claimed) = claimed {
            self.scratch.captures.set(field, &claimed);
        }
        Ok(())
    }

    /// What captures and bound fields must hold.
    fn bound(&mut self, chunked: bool) -> Result<(), Stop> {
        let settled = self.message.chunks.as_ref().filter(|_| chunked).map(|chunks| chunks.mode);
        for (id, field) in self.message.fields.iter().enumerate().filter(|(id, _)| settled != Some(*id)) {
            let Some(plan) = field.definition.and_then(|definition| self.env.variant.lets.get(definition)) else {
                continue;
            };
            let Some(claimed) = self.scratch.captures.get(id).map(<[u8]>::to_vec) else { continue };
            let value = self.value(&plan.program)?;
            self.stage(&field.name, value, field.span, Some(claimed));
        }
        let is_settled = |what: &Source| settled.is_some_and(|id| *what == Source::Field(id));
        for (bind, plan) in self.message.binds.iter().zip(&self.env.plan.binds) {
            if is_settled(&bind.what) {
                continue;
            }
            let claimed = match &bind.what {
                Source::Field(id) => self.scratch.captures.get(*id).map(<[u8]>::to_vec),
                Source::Header(name) => {
                    let mut value = Vec::new();
                    field_line(&self.env.view, name, &mut value)?.then_some(value)
                }
                Source::Let(id) => match self.env.variant.lets.get(*id) {
                    Some(entry) => Some(self.value(&entry.program)?),
                    None => None,
                },
                _ => None,
            };
            if claimed.is_some() {
                let value = self.value(&plan.value)?;
                self.stage(&bind.name, value, bind.span, claimed);
            }
        }
        Ok(())
    }

    fn value(&mut self, program: &[crate::plan::Op]) -> Result<Vec<u8>, Stop> {
        let start = self.scratch.out.len();
        run(&self.env, &mut self.scratch, program)?;
        let value = self.scratch.out.get(start..).unwrap_or_default().to_vec();
        self.scratch.out.truncate(start);
        Ok(value)
    }

    fn stage(&mut self, name: &str, bytes: Vec<u8>, span: Span, claimed: Option<Vec<u8>>) {
        self.out.push(Stage { name: name.to_owned(), bytes, span, claimed });
    }
}

fn filter_name(filter: &Filter) -> &'static str {
    match filter {
        Filter::Convert(Convert::B64) => "b64",
        Filter::Convert(Convert::B64NoPad) => "b64-nopad",
        Filter::Convert(Convert::B64Url) => "b64url",
        Filter::Convert(Convert::B64UrlPad) => "b64url-pad",
        Filter::Convert(Convert::Hex) => "hex",
        Filter::Convert(Convert::HexUpper) => "HEX",
        Filter::Convert(Convert::Lower) => "lower",
        Filter::Convert(Convert::Pct) => "pct",
        Filter::Convert(Convert::Upper) => "upper",
        Filter::Slice(..) => "slice",
        Filter::Translate(..) => "translate",
        _ => "encoding",
    }
}

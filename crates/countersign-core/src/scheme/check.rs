//! From a draft to a scheme: names are resolved, conditions are checked, faults are collected.

use super::chunks;
use super::filters::Flow;
use super::model::{
    Alternative, Bind, Carrier, Chunk, Field, FieldType, Fresh, KeyRule, Let, ListSource, Message, NonceRule, Part,
    Policy, Primitive, Replay, SignatureRule, Source, Split, Template, Var, Window, Wrap,
};
use super::references::References;
use super::vocabulary::{self, MEMBERS, SOURCES};
use super::{Checked, Scheme, draft};
use super::{head, message_signature};
use crate::plan::carrier;
use crate::plan::compile::{Depth, on_body};
use crate::scheme::draft::{Atom, Expr, Fault, MessageDraft, Place, SchemeDraft, Span};
use crate::time::TimeFormat;

/// How many lets may be nested in a carrier.
const DEEPEST: usize = 8;
/// How long a message without a signed time is remembered, in seconds, where the scheme does not say.
const REMEMBER: u64 = 24 * 60 * 60;

pub(super) fn check(draft: &SchemeDraft) -> Result<Scheme, Vec<Fault>> {
    if !draft.either.is_empty() {
        return head::either(draft);
    }
    let mut faults = Vec::new();
    let by_rfc9421 = |message: &MessageDraft| message.message_signature.is_some();
    let (mut hashes, mut algorithms) = (Vec::new(), Vec::new());
    if by_rfc9421(&draft.request) || draft.response.as_ref().is_some_and(by_rfc9421) {
        algorithms = message_signature::algorithms(&draft.algorithms, &mut faults);
    } else {
        hashes = head::hashes(draft, &mut faults);
    }
    head::resolver(draft, &mut faults);
    let mut vars: Vec<Var> = draft.vars.iter().map(head::var).collect();
    if !algorithms.is_empty() {
        message_signature::add_variables(&mut vars);
    }
    let mut message = |message: &MessageDraft, fresh: &draft::FreshDraft, name: &str| match &message.message_signature
    {
        Some(section) => message_signature::message(message, section, &algorithms, fresh, &mut faults),
        None => self::message(message, &vars, name, &mut faults),
    };
    let request = message(&draft.request, &draft.fresh, draft.name.as_str());
    // A response need not repeat what makes a request new.
    let answer = draft::FreshDraft { nonce: None, ..draft.fresh.clone() };
    let response = draft.response.as_ref().map(|response| message(response, &answer, "response"));
    let fresh = request.as_ref().map(|request| fresh(draft, request, &mut faults)).unwrap_or_default();
    let kind = head::kind(draft, &mut faults);
    let when = head::when(draft, &mut faults);
    let errors = draft.errors.as_ref().map(|errors| head::errors(errors, &mut faults));
    match (request, response) {
        (Some(request), response @ (None | Some(Some(_)))) if faults.is_empty() => Ok(Scheme {
            response: response.flatten(),
            name: draft.name.clone(),
            title: draft.title.as_ref().map(|title| title.value.clone()).unwrap_or_default(),
            reference: draft.reference.as_ref().map(|reference| reference.value.clone()),
            kind,
            when,
            key: KeyRule { hashes, resolver: draft.resolver.clone() },
            vars,
            request,
            fresh,
            errors,
            either: Vec::new(),
            checked: Checked,
        }),
        _ => Err(faults),
    }
}

fn fresh(draft: &SchemeDraft, request: &Message, faults: &mut Vec<Fault>) -> Fresh {
    let draft = &draft.fresh;
    let mut field = |name: &str, span: Span, fits: fn(&FieldType) -> bool, what: &str| {
        let found = request.fields.iter().position(|field| field.name == name);
        match found.and_then(|id| request.fields.get(id)) {
            Some(field) if fits(&field.kind) => found,
            Some(field) => {
                faults.push(fault(
                    span,
                    format!("`{name}` does not hold {what}"),
                    Some(format!("it is captured at `{{{}}}`; give it a fitting type", field.name)),
                ));
                None
            }
            None => {
                faults.push(fault(
                    span,
                    format!("no carrier captures `{name}`"),
                    Some(format!("capture `{{{name}:TYPE}}` in [header], [query] …")),
                ));
                None
            }
        }
    };
    let is_time = |kind: &FieldType| kind.time().is_some();
    let mut coarse = None;
    let timestamp = draft.timestamp.as_ref().and_then(|window| {
        let field = field("timestamp", window.span, is_time, "an instant")?;
        let step =
            request.fields.get(field).and_then(|field| field.kind.time()).map_or(0, TimeFormat::resolution_millis);
        if window
            .value
            .past
            .is_some_and(|past| i64::try_from(past).is_ok_and(|past| past.saturating_mul(1000) < step))
        {
            // A stamp stands for the first instant of its day, or minute: it would be stale when it is written.
            coarse = Some(window.span);
        }
        Some(Window { field, past: window.value.past, future: window.value.future })
    });
    let expires = draft.expires.as_ref().and_then(|name| field(&name.value, name.span, is_time, "an instant"));
    let starts = draft.starts.as_ref().and_then(|name| field(&name.value, name.span, is_time, "an instant"));
    let lifetime = draft.lifetime.as_ref().and_then(|at| {
        let (name, most) = &at.value;
        Some((field(name, at.span, |kind| *kind == FieldType::Int, "a number")?, *most))
    });
    let nonce = draft.nonce.as_ref().and_then(|rule| {
        let id = field("nonce", rule.span, |_| true, "a nonce")?;
        Some((rule, id))
    });
    let nonce = nonce.and_then(|(rule, field)| match rule.value.as_str() {
        "once" => Some(NonceRule { field, per_key: false }),
        "once per key" => Some(NonceRule { field, per_key: true }),
        other => {
            faults.push(fault(rule.span, format!("unknown rule `{other}`"), Some("`once per key` or `once`".into())));
            None
        }
    });
    if let Some(span) = coarse {
        faults.push(fault(
            span,
            "the window is shorter than a step of the timestamp".into(),
            Some("give the timestamp a finer type, or the window at least one of its steps".into()),
        ));
    }
    if let (Some(at), None) = (&draft.lifetime, timestamp) {
        faults.push(fault(
            at.span,
            "a lifetime counts from a timestamp".into(),
            Some("add `timestamp` to [fresh]".into()),
        ));
    }
    let replay = match draft.replay.as_ref().map(|replay| (replay.value.as_str(), replay.span)) {
        None if nonce.is_some() => Replay::Always,
        None | Some(("unsafe-methods", _)) => Replay::UnsafeMethods,
        Some(("always", _)) => Replay::Always,
        Some(("never", _)) => Replay::Never,
        Some((other, span)) => {
            faults.push(fault(
                span,
                format!("unknown rule `{other}`"),
                Some("always, unsafe-methods or never".into()),
            ));
            Replay::Always
        }
    };
    Fresh {
        timestamp,
        expires,
        starts,
        lifetime,
        nonce,
        replay,
        remember: draft.remember.as_ref().map_or(REMEMBER, |remember| remember.value),
        span: span_of(draft),
    }
}

/// Where `[fresh]` stands: at the first of its entries that there is.
fn span_of(draft: &draft::FreshDraft) -> Span {
    None.or(draft.timestamp.as_ref().map(|at| at.span))
        .or(draft.expires.as_ref().map(|at| at.span))
        .or(draft.lifetime.as_ref().map(|at| at.span))
        .or(draft.starts.as_ref().map(|at| at.span))
        .or(draft.nonce.as_ref().map(|at| at.span))
        .or(draft.replay.as_ref().map(|at| at.span))
        .or(draft.remember.as_ref().map(|at| at.span))
        .unwrap_or_default()
}

fn message(draft: &MessageDraft, vars: &[Var], scheme: &str, faults: &mut Vec<Fault>) -> Option<Message> {
    let before = faults.len();
    let mut checker =
        Checker { draft, vars, fields: Vec::new(), lets: Vec::new(), faults, in_each: false, in_chunks: false };
    checker.reject_duplicates();
    let shapes: Vec<_> = draft.carriers.iter().map(|carrier| checker.inline(&carrier.text, 0)).collect();
    checker.order_lets();
    checker.define_fields();
    let carriers: Vec<Carrier> =
        draft.carriers.iter().zip(&shapes).filter_map(|(carrier, shape)| checker.carrier(carrier, shape)).collect();
    let lets = checker.resolve_lets(&[]);
    let Some(sign) = &draft.sign else {
        checker.faults.push(fault(
            Span::default(),
            format!("`{scheme}` has no [sign]"),
            Some("[sign] needs `base` and `signature`".into()),
        ));
        return None;
    };
    let base = checker.template(&sign.base);
    let signature = checker.signature(&sign.signature);
    let tries: Vec<Alternative> = draft
        .tries
        .iter()
        .map(|alternative| Alternative {
            lets: checker.resolve_lets(&alternative.lets),
            base: alternative.base.as_ref().map_or_else(|| base.clone(), |base| checker.template(base)),
        })
        .collect();
    let binds = draft.binds.iter().map(|bind| checker.bind(bind)).collect();
    let policy = draft
        .policy
        .as_ref()
        .map(|policy| Policy { text: checker.template(&policy.text), resource: checker.template(&policy.resource) });
    let chunks = draft.chunks.as_ref().map(|chunks| checker.chunks(chunks, &carriers));
    let (requires, required_fields, required_parts) = checker.requires();
    let include = checker.include(sign);
    let signature_field = checker.fields.iter().position(|field| field.name == "signature");
    let (Some(signature), Some(signature_field)) = (signature, signature_field) else {
        if signature_field.is_none() {
            checker.faults.push(fault(
                sign.signature.span,
                "no carrier captures `{signature}`".into(),
                Some("write `{signature:hex}` or `{signature:b64}` where the message carries it".into()),
            ));
        }
        return None;
    };
    if checker.faults.len() > before {
        return None;
    }
    let message = Message {
        fields: checker.fields,
        carriers,
        lets,
        base,
        signature,
        signature_field,
        cover: sign.cover.iter().flat_map(|cover| words(&cover.value)).map(str::to_ascii_lowercase).collect(),
        include,
        binds,
        requires,
        required_fields,
        policy,
        required_parts,
        tries,
        chunks: chunks.flatten(),
        message_signature: None,
    };
    keyed(&message, faults);
    chunks::signed(&message, faults);
    for text in message.policy.iter().flat_map(|policy| [&policy.text, &policy.resource]) {
        if on_body(&message, text, Depth::All) {
            let hint = "it may pass unseen; judge by what the head says".to_owned();
            faults.push(fault(text.span, "a policy cannot hang on the body".into(), Some(hint)));
        }
    }
    (faults.len() == before).then_some(message)
}

/// A signature that takes no key, or that covers itself, is no signature.
fn keyed(message: &Message, faults: &mut Vec<Fault>) {
    let base = References::of(message, &message.base);
    if base.fields.contains(&message.signature_field) {
        faults.push(fault(message.base.span, "the signature base contains the signature".into(), None));
    }
    let (keyed, span) = match &message.signature.primitive {
        Primitive::Digest(_) => (base.secret, message.base.span),
        Primitive::Mac(_, key) => (base.secret || References::of(message, key).secret, message.signature.span),
        Primitive::Derived(_, key) => (References::of(message, key).secret, message.signature.span),
        Primitive::Agreed | Primitive::Signature(_) => (true, message.signature.span),
    };
    if !keyed {
        faults.push(fault(
            span,
            "nothing secret goes into the signature: anybody could make it".into(),
            Some("a digest needs `{secret}` in its base; better, use `hmac-sha256 secret`".into()),
        ));
    }
}

pub(super) struct Checker<'a> {
    pub(super) draft: &'a MessageDraft,
    pub(super) vars: &'a [Var],
    pub(super) fields: Vec<Field>,
    /// The names of the lets, each after those it uses.
    pub(super) lets: Vec<&'a draft::Let>,
    pub(super) faults: &'a mut Vec<Fault>,
    pub(super) in_each: bool,
    /// Whether a template of `[chunks]` is being resolved.
    pub(super) in_chunks: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn fault(&mut self, span: Span, message: impl Into<String>, hint: impl Into<Option<String>>) {
        self.faults.push(fault(span, message.into(), hint.into()));
    }

    fn reject_duplicates(&mut self) {
        let names = |carrier: &draft::Carrier| match carrier.place {
            Place::Header => carrier.name.value.to_ascii_lowercase(),
            _ => carrier.name.value.clone(),
        };
        for (index, carrier) in self.draft.carriers.iter().enumerate() {
            let twice = self.draft.carriers.iter().take(index);
            if twice.into_iter().any(|other| other.place == carrier.place && names(other) == names(carrier)) {
                self.fault(carrier.name.span, format!("`{}` is described twice", carrier.name.value), None);
            }
        }
    }

    /// A carrier's template with the lets that hold captures put in their places; captures are collected.
    fn inline(&mut self, text: &'a draft::Template, depth: usize) -> draft::Template {
        let mut parts = Vec::new();
        for part in &text.parts {
            match part {
                draft::Part::Literal(_) => parts.push(part.clone()),
                draft::Part::Optional(inner) => {
                    let known = self.fields.len();
                    let inner = self.inline(inner, depth);
                    for field in self.fields.iter_mut().skip(known) {
                        field.optional = true;
                    }
                    parts.push(draft::Part::Optional(inner));
                }
                draft::Part::Expr(expr) => match (&expr.atom, expr.filters.is_empty()) {
                    (Atom::Name(name), true) => match self.composite(name).filter(|_| expr.kind.is_none()) {
                        Some(_) if depth >= DEEPEST => {
                            self.fault(expr.span, format!("`{name}` is nested too deeply"), None);
                        }
                        Some(composite) => parts.extend(self.inline(composite, depth.saturating_add(1)).parts),
                        None => {
                            self.capture(name, expr);
                            parts.push(part.clone());
                        }
                    },
                    _ => self.fault(
                        expr.span,
                        "a carrier can only capture: nothing computed can be parsed back",
                        "write `{name:type}` here, and the computation in [let] under the same name".to_owned(),
                    ),
                },
            }
        }
        draft::Template { parts, span: text.span }
    }

    /// A let that holds captures of its own, and so stands for its text in carriers.
    fn composite(&self, name: &str) -> Option<&'a draft::Template> {
        fn captures(text: &draft::Template) -> bool {
            text.parts.iter().any(|part| match part {
                draft::Part::Expr(expr) => expr.kind.is_some(),
                draft::Part::Literal(_) => false,
                draft::Part::Optional(inner) => captures(inner),
            })
        }
        let found = self.draft.lets.iter().find(|entry| entry.name.value == name)?;
        captures(&found.text).then_some(&found.text)
    }

    fn capture(&mut self, name: &str, expr: &Expr) {
        if self.fields.iter().any(|field| field.name == name) {
            self.fault(
                expr.span,
                format!("`{name}` is captured twice"),
                "capture it once, and name the second place in [bind] if both must agree".to_owned(),
            );
            return;
        }
        if name.contains('.') {
            self.fault(
                expr.span,
                format!("`{name}` cannot name a capture"),
                "use letters, digits and `-`".to_owned(),
            );
            return;
        }
        let kind = match &expr.kind {
            None => FieldType::Text,
            Some(kind) => FieldType::from_name(&kind.value).unwrap_or_else(|| {
                let near = vocabulary::nearest(&kind.value, FieldType::NAMES.iter().map(|&name| name.to_owned()));
                let hint = near.map_or_else(
                    || {
                        format!(
                            "types: {}, or a time pattern such as yyyy-MM-dd HH:mm:ss@+08:00",
                            FieldType::NAMES.join(" ")
                        )
                    },
                    |near| format!("did you mean `{near}`?"),
                );
                self.fault(kind.span, format!("unknown type `{}`", kind.value), hint);
                FieldType::Text
            }),
        };
        let (least, most) = expr.length.as_ref().map_or((1, 4096), |length| length.value);
        if least > most {
            self.fault(expr.span, format!("no length is both at least {least} and at most {most}"), None);
        }
        let length = (usize::try_from(least).unwrap_or(1), usize::try_from(most).unwrap_or(usize::MAX));
        self.fields.push(Field {
            name: name.to_owned(),
            kind,
            length,
            optional: expr.optional,
            definition: None,
            span: expr.span,
        });
    }

    /// Orders the lets so that each comes after those it uses.
    fn order_lets(&mut self) {
        let mut pending: Vec<&'a draft::Let> = self.draft.lets.iter().collect();
        let names: Vec<String> = pending.iter().map(|entry| entry.name.value.clone()).collect();
        while !pending.is_empty() {
            let count = pending.len();
            let mut rest = Vec::new();
            for entry in pending {
                let mut used = Vec::new();
                mentioned(&entry.text, &mut used);
                let waits = used
                    .iter()
                    .any(|name| names.contains(name) && !self.lets.iter().any(|done| done.name.value == **name));
                if waits { rest.push(entry) } else { self.lets.push(entry) }
            }
            if rest.len() == count {
                for entry in rest {
                    self.fault(entry.name.span, format!("`{}` is defined in a circle", entry.name.value), None);
                }
                return;
            }
            pending = rest;
        }
    }

    fn define_fields(&mut self) {
        for field in &mut self.fields {
            field.definition = self.lets.iter().position(|entry| entry.name.value == field.name);
        }
    }

    fn carrier(&mut self, draft: &draft::Carrier, shape: &draft::Template) -> Option<Carrier> {
        let text = self.template(shape);
        let split = draft.split.as_ref().map(|separator| Split {
            separator: separator.value.as_bytes().to_vec(),
            reject_unknown: match draft.unknown.as_ref().map(|unknown| (unknown.value.as_str(), unknown.span)) {
                None | Some(("ignore", _)) => false,
                Some(("reject", _)) => true,
                Some((other, span)) => {
                    self.fault(span, format!("unknown rule `{other}`"), "ignore or reject".to_owned());
                    true
                }
            },
            repeat_signature: draft.repeat.as_ref().is_none_or(|repeat| repeat.value),
        });
        let wrap = draft.decode.as_ref().and_then(|decode| match decode.value.as_str() {
            "b64" => Some(Wrap::B64),
            "b64url" => Some(Wrap::B64Url),
            "pct" => Some(Wrap::Pct),
            other => {
                self.fault(decode.span, format!("unknown wrapping `{other}`"), "b64, b64url or pct".to_owned());
                None
            }
        });
        let within = draft.within.as_ref().and_then(|name| self.within(draft.place, name));
        let mut captured = Vec::new();
        References::captures(&text, &mut captured);
        let optional = captured.iter().all(|id| self.fields.get(*id).is_some_and(|field| field.optional));
        let shape = match carrier::shape(&text, split.as_ref(), &self.fields) {
            Ok(shape) => shape,
            Err(problem) => {
                self.faults.push(problem);
                return None;
            }
        };
        Some(Carrier {
            place: draft.place,
            name: match draft.place {
                Place::Header => draft.name.value.to_ascii_lowercase(),
                _ => draft.name.value.clone(),
            },
            written: draft.name.value.clone(),
            text,
            split,
            wrap,
            within,
            optional: optional && !captured.is_empty(),
            span: draft.name.span,
            shape,
        })
    }

    fn resolve_lets(&mut self, replaced: &'a [draft::Let]) -> Vec<Let> {
        for entry in replaced {
            if !self.lets.iter().any(|known| known.name.value == entry.name.value) {
                self.fault(
                    entry.name.span,
                    format!("`{}` replaces nothing", entry.name.value),
                    "an alternative replaces entries of [let]".to_owned(),
                );
            }
        }
        let entries = self.lets.clone();
        entries
            .iter()
            .map(|entry| {
                let entry = replaced.iter().find(|other| other.name.value == entry.name.value).unwrap_or(entry);
                Let { name: entry.name.value.clone(), text: self.template(&entry.text), span: entry.name.span }
            })
            .collect()
    }

    /// Resolves a template.
    pub(super) fn template(&mut self, draft: &draft::Template) -> Template {
        let parts = draft
            .parts
            .iter()
            .filter_map(|part| match part {
                draft::Part::Expr(expr) => self.value(expr, Flow::Scalar).map(Part::Value),
                draft::Part::Literal(text) => Some(Part::Literal(text.clone())),
                draft::Part::Optional(inner) => Some(Part::Optional(self.template(inner))),
            })
            .collect();
        Template { parts, span: draft.span }
    }

    /// Resolves a name: captures, lets and variables come before sources.
    pub(super) fn source(&mut self, name: &str, span: Span) -> Option<Source> {
        if self.in_each && name == "k" {
            return Some(Source::K);
        }
        if self.in_each && name == "v" {
            return Some(Source::V);
        }
        if let Some(part) = Chunk::ALL.iter().find(|part| self.in_chunks && part.name() == name) {
            return Some(Source::Chunk(*part));
        }
        if let Some(id) = self.fields.iter().position(|field| field.name == name) {
            return Some(Source::Field(id));
        }
        if let Some(id) = self.lets.iter().position(|entry| entry.name.value == name) {
            return Some(Source::Let(id));
        }
        if let Some(id) = self.vars.iter().position(|var| var.name == name) {
            return Some(Source::Var(id));
        }
        if let Some(list) = ListSource::ALL.iter().find(|list| list.name() == name) {
            return Some(Source::List(*list));
        }
        if let Some(source) = of_message(name) {
            return Some(source);
        }
        if let Some(member) = name.strip_prefix("request.") {
            // The request has neither captures nor lists here, and its key is the response's.
            let source = of_message(member).filter(|source| {
                !matches!(source, Source::DigestName | Source::KeyId | Source::Secret | Source::Status)
            });
            if source.is_none() {
                let hint = "as in `request.method`, `request.body` or `request.header.x-request-id`".to_owned();
                self.fault(span, format!("a request has no `{member}` to take"), hint);
            }
            return Some(Source::Request(Box::new(source?)));
        }
        let known = self
            .fields
            .iter()
            .map(|field| field.name.clone())
            .chain(self.lets.iter().map(|entry| entry.name.value.clone()))
            .chain(self.vars.iter().map(|var| var.name.clone()))
            .chain(SOURCES.iter().map(|(name, _)| (*name).to_owned()))
            .chain(ListSource::ALL.iter().map(|list| list.name().to_owned()));
        let hint = match vocabulary::nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if name.contains('.') => format!("members stand behind one of: {}", MEMBERS.join(", ")),
            None => "capture it in a carrier, define it in [let], or declare it in [vars]".to_owned(),
        };
        self.fault(span, format!("unknown name `{name}`"), hint);
        None
    }

    fn signature(&mut self, draft: &draft::Template) -> Option<SignatureRule> {
        let wrong = "the signature is one expression: `{base | hmac-sha256 secret | hex}`";
        let [draft::Part::Expr(expr)] = draft.parts.as_slice() else {
            self.fault(draft.span, wrong, None);
            return None;
        };
        if expr.atom != Atom::Name("base".to_owned()) {
            self.fault(expr.span, wrong, "begin it with `base`".to_owned());
            return None;
        }
        self.signature_rule(expr)
    }

    fn bind(&mut self, draft: &draft::Bind) -> Bind {
        let name = &draft.name.value;
        let field = self.fields.iter().position(|field| field.name == *name);
        let entry = self.lets.iter().position(|entry| entry.name.value == *name);
        let what = field
            .map(Source::Field)
            .or(entry.map(Source::Let))
            .unwrap_or_else(|| Source::Header(name.to_ascii_lowercase()));
        Bind {
            what,
            name: name.clone(),
            value: self.template(&draft.value),
            or: draft.or.iter().map(|text| text.value.as_bytes().to_vec()).collect(),
            span: draft.name.span,
        }
    }
}

/// A source that is a part of the message itself.
fn of_message(name: &str) -> Option<Source> {
    if let Some((_, source)) = SOURCES.iter().find(|(known, _)| *known == name) {
        return Some(source.clone());
    }
    let (place, member) = name.split_once('.').filter(|(_, member)| !member.is_empty())?;
    Some(match place {
        "cookie" => Source::Cookie(member.to_owned()),
        "form" => Source::Form(member.to_owned()),
        "header" => Source::Header(member.to_ascii_lowercase()),
        "json" => Source::Json(member.to_owned()),
        "part" => Source::Part(member.to_owned()),
        "query" => Source::Query(member.to_owned()),
        "xml" => Source::Xml(member.to_owned()),
        _ => return None,
    })
}

pub(super) fn fault(span: Span, message: String, hint: Option<String>) -> Fault {
    Fault { span, message, hint }
}

pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_ascii_whitespace()
}

/// The names that a template mentions.
fn mentioned<'a>(text: &'a draft::Template, names: &mut Vec<&'a String>) {
    for part in &text.parts {
        match part {
            draft::Part::Literal(_) => {}
            draft::Part::Optional(inner) => mentioned(inner, names),
            draft::Part::Expr(expr) => {
                match &expr.atom {
                    Atom::Name(name) => names.push(name),
                    Atom::Quoted(inner) => mentioned(inner, names),
                }
                for filter in &expr.filters {
                    if matches!(filter.name.as_str(), "decode" | "encode" | "only" | "slice" | "time" | "without") {
                        continue;
                    }
                    for arg in &filter.args {
                        match &arg.value {
                            draft::Arg::Word(word) => names.push(word),
                            draft::Arg::Text(inner) => mentioned(inner, names),
                        }
                    }
                }
            }
        }
    }
}

//! From a checked message to programs. Total: nothing here can fail.

use super::noted::Names;
use super::{
    Asks, Base, BindPlan, Blame, BodyNeed, ChunksPlan, Early, From, Job, LetPlan, ListOp, MessagePlan, Op,
    PolicyPlan, PrimitivePlan, Program, Read, Variant,
};
use crate::alg::Hash;
use crate::httpsig;
use crate::scheme::References;
use crate::scheme::draft::{Place, Span};
use crate::scheme::model::{
    Carrier, Chunk, Chunks, Convert, FieldId, Filter, Fresh, LetId, ListSource, Listing, Message, Part, Primitive,
    Source, Template, Value,
};
use crate::verify::coverage::certain;
use crate::verify::read::outer_first;

pub(super) fn message(message: &Message, fresh: Fresh) -> MessagePlan {
    if message.message_signature.is_some() {
        return message_signature(fresh);
    }
    let mut compiler = Compiler {
        message,
        stream: message.tries.is_empty(),
        names: Names::default(),
        parameters: Names::default(),
        jobs: Vec::new(),
        listings: Vec::new(),
        raw_body: false,
        optional: false,
        asks: Asks::default(),
    };
    let variants: Vec<Variant> = message.alternatives().iter().map(|message| compiler.variant(message)).collect();
    let binds: Vec<BindPlan> = message
        .binds
        .iter()
        .map(|bind| BindPlan {
            what: bind.what.clone(),
            line: match &bind.what {
                Source::Header(name) => Some(compiler.names.number(name)),
                _ => None,
            },
            value: compiler.program(&bind.value),
            or: bind.or.clone(),
            span: bind.span,
            body: on_body(message, &bind.value, Depth::All),
        })
        .collect();
    let policy = message.policy.as_ref().map(|policy| PolicyPlan {
        text: compiler.program(&policy.text),
        resource: compiler.program(&policy.resource),
        span: policy.text.span,
    });
    let writes = message.carriers.iter().map(|carrier| compiler.program(&carrier.text)).collect();
    let mut encode = Vec::new();
    for filter in &message.signature.encode {
        compiler.filter(filter, message.signature.span, Blame::Message, &mut encode);
    }
    let chunks = message.chunks.as_ref().map(|chunks| compiler.chunks(chunks));
    let body_carriers = message.carriers.iter().any(Carrier::in_body);
    let body_need = body_need(message, &variants, &compiler, body_carriers);
    let names = &mut compiler.names;
    let signed_headers = signed_headers(message)
        .into_iter()
        .map(|name| (names.number(&name), name))
        .map(|(n, name)| (name, n))
        .collect();
    let host = names.number("host");
    let reads: Vec<Read> = outer_first(message)
        .map(|(carrier, read)| Read {
            carrier,
            from: match read.place {
                Place::Header if read.within.is_none() => From::Line(names.number(&read.name)),
                Place::Query if read.within.is_none() => From::Parameter(compiler.parameters.number(&read.name)),
                _ => From::Message,
            },
        })
        .collect();
    let defines = message.fields.iter().any(|field| field.definition.is_some());
    compiler.asks.claims = defines || !binds.is_empty() || policy.is_some();
    let key_id = message.fields.iter().position(|field| field.name == "key-id");
    MessagePlan {
        asks: compiler.asks,
        host,
        reads,
        names: compiler.names,
        parameters: compiler.parameters,
        writes,
        variants,
        binds,
        policy,
        chunks,
        jobs: compiler.jobs.into_iter().map(|(_, job)| job).collect(),
        signs_key_id: key_id.is_some_and(|id| signs(message, id)),
        key_id,
        signs_time: fresh
            .timestamp
            .is_some_and(|window| signs(message, window.field) || certain::covers(message, window.field)),
        signs_nonce: fresh.nonce.is_some_and(|rule| signs(message, rule.field)),
        signed_headers,
        listings: compiler.listings,
        encode: encode.into(),
        body_need,
        fresh,
    }
}

/// A message that is signed by RFC 9421: `httpsig` makes its base. The body's digests are jobs that run where the message
/// claims them; everything else that a verifier goes by is a signature parameter, and so is signed.
fn message_signature(fresh: Fresh) -> MessagePlan {
    let job = |hash| Job { hash: Some(hash), before: Program::default(), after: Program::default() };
    let variant = Variant {
        lets: Vec::new(),
        base: Base::Whole(Program::default()),
        primitive: PrimitivePlan::Agreed,
        early: Early::Always,
    };
    let mut names = Names::default();
    let host = names.number("host");
    MessagePlan {
        names,
        parameters: Names::default(),
        host,
        asks: Asks::default(),
        reads: Vec::new(),
        writes: Vec::new(),
        variants: vec![variant],
        binds: Vec::new(),
        policy: None,
        jobs: httpsig::COMPARED.map(job).into(),
        chunks: None,
        key_id: Some(httpsig::KEY_ID),
        signs_key_id: true,
        signs_nonce: true,
        signs_time: true,
        signed_headers: Vec::new(),
        listings: Vec::new(),
        encode: Program::default(),
        body_need: BodyNeed::DigestClaimed,
        fresh,
    }
}

/// Whether the signature covers a capture, by each alternative: it is in the base, or in a field line that is, or that
/// has to be listed.
fn signs(message: &Message, id: FieldId) -> bool {
    message.alternatives().iter().all(|message| {
        let drawn = References::of(message, &message.base);
        let rides = |carrier: &Carrier| {
            let mut ids = Vec::new();
            References::captures(&carrier.text, &mut ids);
            let listed = message.requires.iter().any(|require| require.names.contains(&carrier.name));
            let signed = drawn.sources.iter().any(|source| match source {
                Source::Header(name) => *name == carrier.name,
                Source::List(ListSource::Headers) => listed,
                _ => false,
            });
            carrier.place == Place::Header && ids.contains(&id) && signed
        };
        drawn.fields.contains(&id) || message.carriers.iter().any(rides)
    })
}

fn signed_headers(message: &Message) -> Vec<String> {
    let mut names = Vec::new();
    for message in message.alternatives() {
        for source in References::of(&message, &message.base).sources {
            match source {
                Source::Header(name) if !names.contains(&name) => names.push(name),
                _ => {}
            }
        }
    }
    names
}

fn body_need(message: &Message, variants: &[Variant], compiler: &Compiler, body_carriers: bool) -> BodyNeed {
    let around = variants.iter().any(|variant| matches!(variant.base, Base::Around { .. }));
    let early = variants.iter().all(|variant| variant.early != Early::Never);
    let anywhere =
        !compiler.jobs.is_empty() || message.chunks.is_some() || on_body(message, &message.base, Depth::All);
    if body_carriers || compiler.raw_body {
        BodyNeed::Buffer
    } else if around {
        BodyNeed::Inline
    } else if !early {
        BodyNeed::HashFirst
    } else if anywhere {
        BodyNeed::DigestClaimed
    } else {
        BodyNeed::Unsigned
    }
}

/// What a job is compiled from: its digest, and the template around the body.
type JobSource = (Option<Hash>, Vec<Part>);

/// What is compiled, and what it turned out to need.
struct Compiler<'m> {
    message: &'m Message,
    /// The names of field lines that are asked for.
    names: Names,
    /// Those of parameters of the query.
    parameters: Names,
    /// Whether the body may stream: one message without alternatives.
    stream: bool,
    /// Digests over the body, with what they were compiled from.
    jobs: Vec<(JobSource, Job)>,
    /// The captures that list names.
    listings: Vec<FieldId>,
    /// Whether something needs the body whole.
    raw_body: bool,
    /// Whether an optional segment is being compiled.
    optional: bool,
    asks: Asks,
}

impl Compiler<'_> {
    fn variant(&mut self, message: &Message) -> Variant {
        let lets = message
            .lets
            .iter()
            .map(|entry| LetPlan {
                program: self.program(&entry.text),
                keyed: keyed(message, &entry.text.parts),
                body: on_body(message, &entry.text, Depth::All),
            })
            .collect();
        let primitive = match &message.signature.primitive {
            Primitive::Agreed => PrimitivePlan::Agreed,
            Primitive::Digest(hash) => PrimitivePlan::Digest(*hash),
            Primitive::Mac(hash, key) => {
                let id = super::fingerprint(&(key, &message.lets));
                PrimitivePlan::Mac { hash: *hash, key: self.program(key), parts: Self::parts(message, key), id }
            }
            Primitive::Derived(algorithm, key) => PrimitivePlan::Derived(*algorithm, self.program(key)),
            Primitive::Signature(algorithm) => PrimitivePlan::Signature(*algorithm),
        };
        let streams = self.stream && !matches!(primitive, PrimitivePlan::Derived(..) | PrimitivePlan::Signature(_));
        let around = around_body(&message.base.parts).filter(|(before, _)| streams && !self.waits(before));
        let is_around = around.is_some();
        let base = match around {
            Some((before, after)) => {
                Base::Around { before: self.parts_program(before), after: self.parts_program(after) }
            }
            None => Base::Whole(self.program(&message.base)),
        };
        let early = if is_around || !self.stream || on_body(message, &message.base, Depth::Certain) {
            Early::Never
        } else if on_body(message, &message.base, Depth::All) {
            Early::IfClaimed
        } else {
            Early::Always
        };
        Variant { lets, base, primitive, early }
    }

    fn chunks(&mut self, chunks: &Chunks) -> ChunksPlan {
        let base = self.program(&chunks.base);
        let hash = |op: &Op| if let Op::Chunk(hash) = op { Some(*hash) } else { None };
        let hashes = base.iter().filter_map(hash).collect();
        let message = self.message;
        let others = message.binds.iter().filter(|bind| bind.what != Source::Field(chunks.mode));
        let fields = message.fields.iter().enumerate().filter(|(id, _)| *id != chunks.mode);
        let defined = fields.filter_map(|(_, field)| message.lets.get(field.definition?)).map(|entry| &entry.text);
        let mut compared = others.map(|bind| &bind.value).chain(defined);
        ChunksPlan {
            trailer: chunks.trailer.as_ref().map(|trailer| self.program(trailer)),
            unsigned_when: chunks.unsigned_when.as_ref().map(|when| self.program(when)),
            size: self.program(&chunks.size),
            replaces_jobs: !compared.any(|text| on_body(message, text, Depth::All)),
            base,
            hashes,
        }
    }

    /// What a MAC key is made of besides the secret; `None` where its state cannot be kept.
    fn parts(message: &Message, key: &Template) -> Option<Program> {
        let mut sources = Vec::new();
        key_parts(message, key, &mut sources);
        let mut ops = Vec::new();
        for source in &sources {
            // None of these can hold a zero byte, so two different sets of parts are kept apart.
            let may_hold_any_byte = match source {
                Source::Field(_) | Source::KeyId => false,
                Source::Var(_) | Source::Let(_) => true,
                _ => return None,
            };
            ops.push(Op::Open);
            ops.push(Op::Push(source.clone(), key.span));
            ops.push(Op::Or(Box::default()));
            if may_hold_any_byte {
                ops.push(Op::Convert(Convert::Hex, key.span, Blame::Message));
            }
            ops.push(Op::Close(key.span, Blame::Message));
            ops.push(Op::Text(Box::from(*b"\x00")));
        }
        Some(ops.into())
    }

    /// Whether a source draws on the secret.
    fn secret(&self, source: &Source) -> bool {
        let draws = |text: &Template| References::of(self.message, text).secret;
        match source {
            Source::Let(id) => self.message.lets.get(*id).is_some_and(|entry| draws(&entry.text)),
            Source::Quoted(inner) => draws(inner),
            Source::Secret => true,
            _ => false,
        }
    }

    /// Whether what stands in front of a body that streams needs that body itself.
    fn waits(&self, before: &[Part]) -> bool {
        before.iter().any(|part| part_on_body(self.message, part, Depth::All))
    }

    fn program(&mut self, text: &Template) -> Program {
        self.parts_program(&text.parts)
    }

    /// The program of each item. A segment around the whole list does not ask whether an item has a value: if it
    /// did, one parameter without `=` would take all others out of what is signed.
    fn each(&mut self, text: &Template) -> Program {
        let outside = std::mem::replace(&mut self.optional, false);
        let program = self.program(text);
        self.optional = outside;
        program
    }

    fn parts_program(&mut self, parts: &[Part]) -> Program {
        let mut ops = Vec::new();
        self.append(parts, &mut ops);
        ops.into()
    }

    fn append(&mut self, parts: &[Part], ops: &mut Vec<Op>) {
        for part in parts {
            match part {
                Part::Literal(text) => ops.push(Op::Text(text.as_slice().into())),
                Part::Optional(inner) => {
                    ops.push(Op::OpenOptional);
                    let outside = std::mem::replace(&mut self.optional, true);
                    self.append(&inner.parts, ops);
                    self.optional = outside;
                    ops.push(Op::CloseOptional);
                }
                Part::Value(value) => self.value(value, ops),
            }
        }
    }

    fn value(&mut self, value: &Value, ops: &mut Vec<Op>) {
        let mut filters = value.filters.as_slice();
        if filters.is_empty() && !matches!(value.source, Source::Quoted(_)) {
            self.push(&value.source, value.span, ops);
            return;
        }
        if let [Filter::Or(other)] = filters
            && other.parts.is_empty()
            && !matches!(value.source, Source::List(_) | Source::Quoted(_))
        {
            let source = self.source(&value.source, value.span);
            ops.push(Op::OrNothing(Box::new(source)));
            return;
        }
        let blame = if self.secret(&value.source) { Blame::Key } else { Blame::Message };
        ops.push(Op::Open);
        if let Some(job) = self.job(value) {
            ops.push(Op::Job(job));
            filters = filters.get(1..).unwrap_or_default();
        } else if let (Source::Chunk(Chunk::Content), Some((Filter::Hash(hash), rest))) =
            (&value.source, filters.split_first())
        {
            ops.push(Op::Chunk(*hash));
            filters = rest;
        } else {
            match &value.source {
                Source::Quoted(inner) => self.append(&inner.parts, ops),
                Source::List(list) => filters = self.load(*list, filters, value.span, ops),
                other => self.push(other, value.span, ops),
            }
        }
        let mut rest = filters.iter().peekable();
        while let Some(filter) = rest.next() {
            match (filter, rest.peek()) {
                (Filter::Each(text), Some(Filter::Join(separator))) => {
                    ops.push(Op::EachJoin(self.each(text), separator.as_slice().into()));
                    rest.next();
                }
                _ => self.filter(filter, value.span, blame, ops),
            }
        }
        ops.push(Op::Close(value.span, blame));
    }

    fn push(&mut self, source: &Source, span: Span, ops: &mut Vec<Op>) {
        let op = self.source(source, span);
        // A parameter without `=` has an empty value, except where a segment asks whether it has one.
        let empty_value = *source == Source::V && !self.optional;
        ops.push(if empty_value { Op::OrNothing(Box::new(op)) } else { op });
    }

    fn source(&mut self, source: &Source, span: Span) -> Op {
        self.raw_body |= whole_body(source);
        match source {
            Source::Header(name) => Op::Line(self.names.number(name), span),
            Source::Query(name) => Op::Parameter(self.parameters.number(name), span),
            source => Op::Push(source.clone(), span),
        }
    }

    fn load<'f>(&mut self, list: ListSource, filters: &'f [Filter], span: Span, ops: &mut Vec<Op>) -> &'f [Filter] {
        self.raw_body |= whole_body(&Source::List(list));
        self.asks.form |= list == ListSource::QueryForm;
        for filter in filters {
            if let Filter::Listed(id, _) | Filter::Pick(Listing::Field(id), _) = filter
                && !self.listings.contains(id)
            {
                self.listings.push(*id);
            }
        }
        if let (ListSource::Headers, Some((Filter::Pick(listing, absent), rest))) = (list, filters.split_first()) {
            ops.push(Op::LoadPicked(*listing, *absent, span));
            return rest;
        }
        ops.push(Op::Load(list));
        filters
    }

    /// A digest over the body alone, or over a template around it, becomes a job.
    fn job(&mut self, value: &Value) -> Option<usize> {
        let Some(Filter::Hash(hash)) = value.filters.first() else { return None };
        let (before, after): (&[Part], &[Part]) = match &value.source {
            Source::Body => (&[], &[]),
            Source::Quoted(inner) => around_body(&inner.parts)?,
            _ => return None,
        };
        // A digest that takes in the key is another one for each candidate, and one that takes in another waits for it.
        let around = || before.iter().chain(after);
        if !self.stream
            || around().any(|part| keyed(self.message, std::slice::from_ref(part)))
            || around().any(|part| part_on_body(self.message, part, Depth::All))
        {
            return None;
        }
        let body = [Part::Literal(vec![0])];
        let shape: Vec<Part> = before.iter().chain(&body).chain(after).cloned().collect();
        if let Some(index) = self.jobs.iter().position(|(key, _)| key.0 == *hash && key.1 == shape) {
            return Some(index);
        }
        let job = Job { hash: *hash, before: self.parts_program(before), after: self.parts_program(after) };
        self.jobs.push(((*hash, shape), job));
        Some(self.jobs.len().saturating_sub(1))
    }

    fn filter(&mut self, filter: &Filter, span: Span, blame: Blame, ops: &mut Vec<Op>) {
        ops.push(match filter {
            Filter::After(text) => Op::After(text.as_slice().into()),
            Filter::AfterLast(text) => Op::AfterLast(text.as_slice().into()),
            Filter::Before(text) => Op::Before(text.as_slice().into()),
            Filter::Convert(convert) if matches!(list_state(ops), State::List) => {
                Op::List(ListOp::Convert(*convert, span))
            }
            Filter::Convert(convert) => Op::Convert(*convert, span, blame),
            Filter::Dedupe => Op::List(ListOp::Dedupe),
            Filter::DropEmpty => Op::List(ListOp::DropEmpty),
            Filter::Each(text) => Op::List(ListOp::Each(self.each(text))),
            Filter::Fastjson => Op::Fastjson(span),
            Filter::First => Op::List(ListOp::First),
            Filter::Fold(text) => Op::List(ListOp::Fold(text.as_slice().into())),
            Filter::Granting(subject, separator) => {
                Op::Granting(self.program(subject), separator.as_slice().into(), span)
            }
            Filter::Hash(hash) => Op::Hash(*hash),
            Filter::Hkdf { hash, salt, info, length } => {
                Op::Hkdf(*hash, self.program(salt), self.program(info), *length)
            }
            Filter::Hmac(hash, key) => Op::Hmac(*hash, self.program(key)),
            Filter::IfAny => Op::IfAny,
            Filter::Join(separator) => Op::EachJoin(Box::default(), separator.as_slice().into()),
            Filter::JavaMap => Op::List(ListOp::JavaMap(span)),
            Filter::Kdf(by, label, context) => Op::Kdf(*by, label.as_slice().into(), self.program(context)),
            Filter::Last => Op::List(ListOp::Last),
            Filter::Listed(field, globs) => Op::List(ListOp::Listed(*field, globs.clone(), span)),
            Filter::LowerNames => Op::List(ListOp::LowerNames),
            Filter::Member(name) => Op::Member(self.program(name), span, blame),
            Filter::Only(globs) => Op::List(ListOp::Only(globs.clone(), true)),
            Filter::Or(other) => Op::Or(self.program(other)),
            Filter::PctOnly(bytes) => Op::PctOnly(bytes.as_slice().into()),
            Filter::Pick(listing, absent) => Op::List(ListOp::Pick(*listing, *absent, span)),
            Filter::Ratchet(hash, steps) => Op::Ratchet(*hash, steps.iter().map(|step| self.program(step)).collect()),
            Filter::Slice(from, to) => Op::Slice(*from, *to, span),
            Filter::Sort => Op::List(ListOp::Sort),
            Filter::SortCollated => Op::List(ListOp::SortCollated),
            Filter::SortItems => Op::List(ListOp::SortItems),
            Filter::SortKv => Op::List(ListOp::SortKv),
            Filter::StripPrefix(text) => Op::StripPrefix(text.as_slice().into()),
            Filter::Time(from, to) => Op::Time(from.clone(), to.clone()),
            Filter::Translate(from, to) => Op::Translate(from.as_slice().into(), to.as_slice().into()),
            Filter::When(subject, values, negated) => Op::When(self.program(subject), values.clone(), *negated),
            Filter::With { name, value, bare } => {
                Op::List(ListOp::With { name: name.clone(), value: self.program(value), bare: *bare, span })
            }
            Filter::Without(globs) => Op::List(ListOp::Only(globs.clone(), false)),
        });
    }
}

enum State {
    List,
    Scalar,
}

/// What runs through the pipeline whose operations end `ops`.
fn list_state(ops: &[Op]) -> State {
    match ops.last() {
        Some(Op::Load(_) | Op::LoadPicked(..) | Op::List(_)) => State::List,
        _ => State::Scalar,
    }
}

/// Whether something has another value for another key: it draws on the key, or on what its algorithm stands for.
fn keyed(message: &Message, parts: &[Part]) -> bool {
    let text = |text: &Template| keyed(message, &text.parts);
    parts.iter().any(|part| match part {
        Part::Literal(_) => false,
        Part::Optional(inner) => text(inner),
        Part::Value(value) => {
            let source = match &value.source {
                Source::DigestName | Source::KeyId | Source::Secret => true,
                Source::Let(id) => message.lets.get(*id).is_some_and(|entry| text(&entry.text)),
                Source::Quoted(inner) => text(inner),
                _ => false,
            };
            source
                || value.filters.iter().any(|filter| {
                    let mut drawn = matches!(filter, Filter::Hash(None) | Filter::Hmac(None, _));
                    filter.each_template(&mut |inner| drawn |= text(inner));
                    drawn
                })
        }
    })
}

/// What a key is made of besides the secret. Lets that draw on the key are taken apart: what they hold is secret.
fn key_parts(message: &Message, text: &Template, sources: &mut Vec<Source>) {
    let own = Message { lets: Vec::new(), ..message.clone() };
    for source in References::of(&own, text).sources {
        match source {
            Source::Secret | Source::Quoted(_) => {}
            Source::Let(id) => match message.lets.get(id) {
                Some(entry) if keyed(message, &entry.text.parts) => key_parts(message, &entry.text, sources),
                _ => sources.push(Source::Let(id)),
            },
            other => sources.push(other),
        }
    }
}

/// What stands before and after the body, where it stands bare in a template, once.
fn around_body(parts: &[Part]) -> Option<(&[Part], &[Part])> {
    let is_body =
        |part: &Part| matches!(part, Part::Value(value) if value.source == Source::Body && value.filters.is_empty());
    let at = parts.iter().position(is_body)?;
    let (before, rest) = parts.split_at_checked(at)?;
    let after = rest.get(1..)?;
    (!after.iter().any(is_body)).then_some((before, after))
}

/// Whether a source needs the whole body at hand.
const fn whole_body(source: &Source) -> bool {
    match source {
        Source::Body | Source::Form(_) | Source::Json(_) | Source::Part(_) | Source::Xml(_) => true,
        Source::List(list) => list.draws_on_body(),
        _ => false,
    }
}

/// How far to look for the body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Everywhere.
    All,
    /// Not where it only stands in for something absent.
    Certain,
}

/// Whether a template draws on the body.
pub(crate) fn on_body(message: &Message, text: &Template, depth: Depth) -> bool {
    Search { message, depth, seen: Vec::new() }.template(text)
}

fn part_on_body(message: &Message, part: &Part, depth: Depth) -> bool {
    Search { message, depth, seen: Vec::new() }.part(part)
}

/// A search for the body.
struct Search<'m> {
    message: &'m Message,
    depth: Depth,
    /// The lets that were looked into: one that did not draw on the body need not be looked into again.
    seen: Vec<LetId>,
}

impl Search<'_> {
    fn template(&mut self, text: &Template) -> bool {
        text.parts.iter().any(|part| self.part(part))
    }

    fn part(&mut self, part: &Part) -> bool {
        match part {
            Part::Literal(_) => false,
            Part::Optional(inner) => self.template(inner),
            Part::Value(value) => {
                self.source(&value.source) || value.filters.iter().any(|filter| self.filter(filter))
            }
        }
    }

    fn source(&mut self, source: &Source) -> bool {
        match source {
            Source::Let(id) if self.seen.contains(id) => false,
            Source::Let(id) => {
                self.seen.push(*id);
                self.message.lets.get(*id).is_some_and(|entry| self.template(&entry.text))
            }
            Source::Quoted(inner) => self.template(inner),
            other => whole_body(other),
        }
    }

    fn filter(&mut self, filter: &Filter) -> bool {
        if matches!(filter, Filter::Or(_)) && self.depth == Depth::Certain {
            return false;
        }
        let mut found = false;
        filter.each_template(&mut |text| found |= self.template(text));
        found
    }
}

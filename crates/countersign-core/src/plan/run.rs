//! The machine that runs programs: one loop, one exhaustive match, one buffer.

use super::carrier::{Captures, names};
use super::list::{Decoding, Item, List, Order, Range, convert, decimal, json_text};
use super::{ListOp, MessagePlan, Op, Variant};
use crate::alg::{Digest, Hash, MacKey};
use crate::canon;
use crate::key::{Key, Material};
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;
use crate::scheme::draft::Span;
use crate::scheme::model::{FieldId, IfAbsent, LetId, ListSource, Source};

/// How many names a capture of names may list.
pub(crate) const MOST_NAMES: usize = 100;

/// Why a program stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It needs the body, which is not there yet.
    NeedBody,
    /// The message is refused.
    Rejected(Rejection),
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// What programs read: all of it fixed while one runs.
#[derive(Clone, Copy)]
pub(crate) struct Env<'e> {
    pub(crate) view: RequestView<'e>,
    pub(crate) plan: &'e MessagePlan,
    pub(crate) variant: &'e Variant,
    pub(crate) vars: &'e [Option<Vec<u8>>],
    pub(crate) key: Option<&'e Key>,
    /// What `digest` and `hmac` stand for with this key.
    pub(crate) hash: Hash,
    /// The whole body, where it is at hand.
    pub(crate) body: Option<&'e [u8]>,
}

/// What programs write: buffers that are reused from one request to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The stack of bytes. A program leaves its result at the end.
    pub(crate) out: Vec<u8>,
    pub(crate) captures: Captures,
    /// Results of body jobs.
    pub(crate) digests: Vec<(usize, Hash, Digest)>,
    /// The lets in the order in which they were computed, for those who want to see.
    pub(crate) order: Vec<LetId>,
    memo: Vec<Memo>,
    memo_bytes: Vec<u8>,
    tmp: Vec<u8>,
    frames: Vec<Frame>,
    list: List,
    /// Lists being walked by `each`, innermost last, with the item at hand.
    each: Vec<(List, Option<Item>)>,
    spare: Vec<List>,
    missing: Option<Span>,
}

#[derive(Debug, Clone, Copy, Default)]
enum Memo {
    #[default]
    Unknown,
    Absent,
    At(usize, usize),
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    mark: usize,
    absent: bool,
}

impl Scratch {
    /// Forgets the last message.
    pub(crate) fn reset(&mut self, fields: usize) {
        self.out.clear();
        self.captures.reset(fields);
        self.digests.clear();
        self.forget_lets(0);
    }

    /// Forgets the values of lets and makes room for `count`.
    pub(crate) fn forget_lets(&mut self, count: usize) {
        self.memo.clear();
        self.memo.resize(count, Memo::Unknown);
        self.memo_bytes.clear();
        self.order.clear();
        self.frames.clear();
        while let Some((mut list, _)) = self.each.pop() {
            list.clear();
            self.spare.push(list);
        }
    }

    /// Forgets the values of lets that draw on the key.
    pub(crate) fn forget_keyed(&mut self, variant: &Variant) {
        for (memo, plan) in self.memo.iter_mut().zip(&variant.lets) {
            if plan.keyed {
                *memo = Memo::Unknown;
            }
        }
        let lets = &variant.lets;
        self.order.retain(|id| lets.get(*id).is_some_and(|plan| !plan.keyed));
    }

    /// The value of a let, where it has been computed and is there.
    pub(crate) fn let_value(&self, id: LetId) -> Option<&[u8]> {
        match self.memo.get(id)? {
            Memo::At(start, end) => self.memo_bytes.get(*start..*end),
            Memo::Absent | Memo::Unknown => None,
        }
    }

    /// Where the value that was missing last is written in the scheme.
    pub(crate) const fn missing(&self) -> Option<Span> {
        self.missing
    }

    fn tail(&self, mark: usize) -> &[u8] {
        self.out.get(mark..).unwrap_or_default()
    }
}

/// Runs a program; its bytes are appended to `scratch.out`. False: something it needs is absent.
pub(crate) fn run(env: &Env<'_>, scratch: &mut Scratch, program: &[Op]) -> Result<bool, Stop> {
    let depth = scratch.frames.len();
    scratch.frames.push(Frame { mark: scratch.out.len(), absent: false });
    let result = steps(env, scratch, program);
    let absent = scratch.frames.get(depth).is_none_or(|frame| frame.absent);
    scratch.frames.truncate(depth);
    result.map(|()| !absent)
}

/// Runs a program that must not lack anything.
pub(crate) fn run_whole(env: &Env<'_>, scratch: &mut Scratch, program: &[Op]) -> Result<(), Stop> {
    scratch.missing = None;
    if run(env, scratch, program)? {
        return Ok(());
    }
    Err(Rejection::new(Reason::FieldMissing, scratch.missing, Subject::Part).into())
}

/// Computes the digests over a body that is at hand.
pub(crate) fn digest_body(env: &Env<'_>, scratch: &mut Scratch) -> Result<(), Stop> {
    let body = env.body.ok_or(Stop::NeedBody)?;
    scratch.digests.clear();
    for (index, job) in env.plan.jobs.iter().enumerate() {
        let hash = job.hash.unwrap_or(env.hash);
        let mark = scratch.out.len();
        run_whole(env, scratch, &job.before)?;
        let mut hasher = hash.begin();
        hasher.update(scratch.tail(mark));
        hasher.update(body);
        scratch.out.truncate(mark);
        run_whole(env, scratch, &job.after)?;
        hasher.update(scratch.tail(mark));
        scratch.out.truncate(mark);
        scratch.digests.push((index, hash, hasher.finish()));
    }
    Ok(())
}

/// Runs a program of filters on `input`; the result is appended.
pub(crate) fn run_on(env: &Env<'_>, scratch: &mut Scratch, input: &[u8], filters: &[Op]) -> Result<(), Stop> {
    let depth = scratch.frames.len();
    scratch.frames.push(Frame { mark: scratch.out.len(), absent: false });
    scratch.out.extend_from_slice(input);
    let result = steps(env, scratch, filters);
    scratch.frames.truncate(depth);
    result
}

fn steps(env: &Env<'_>, scratch: &mut Scratch, program: &[Op]) -> Result<(), Stop> {
    for op in program {
        match op {
            Op::Text(text) => scratch.out.extend_from_slice(text),
            Op::Push(source, span) => {
                if !push(env, scratch, &env.view, source, *span)? {
                    scratch.missing.get_or_insert(*span);
                    absent(scratch);
                }
            }
            Op::Job(job) => {
                let hash = env.plan.jobs.get(*job).and_then(|job| job.hash).unwrap_or(env.hash);
                let done = scratch.digests.iter().find(|(index, of, _)| index == job && *of == hash);
                let digest = done.map(|(_, _, digest)| *digest).ok_or(Stop::NeedBody)?;
                scratch.out.extend_from_slice(digest.as_bytes());
            }
            Op::Open | Op::OpenOptional => {
                scratch.frames.push(Frame { mark: scratch.out.len(), absent: false });
            }
            Op::Close(span) => {
                if scratch.frames.pop().is_some_and(|frame| frame.absent) {
                    scratch.missing.get_or_insert(*span);
                    absent(scratch);
                }
            }
            Op::CloseOptional => {
                if let Some(frame) = scratch.frames.pop().filter(|frame| frame.absent) {
                    scratch.out.truncate(frame.mark);
                    scratch.missing = None;
                }
            }

            Op::Load(list) => load(env, scratch, *list)?,
            Op::LoadPicked(field, if_absent, span) => {
                scratch.list.clear();
                pick_fields(env, scratch, *field, *if_absent, *span)?;
            }
            Op::List(op) => rewrite(env, scratch, op)?,
            Op::EachJoin(program, separator) => each_join(env, scratch, program, separator)?,

            Op::Convert(by, span) => {
                let mark = mark(scratch);
                scratch.tmp.clear();
                let input = scratch.out.get(mark..).unwrap_or_default();
                convert(*by, input, &mut scratch.tmp).map_err(|canon::Malformed| {
                    Rejection::new(Reason::CredentialMalformed, Some(*span), Subject::Part)
                })?;
                replace(scratch, mark);
            }
            Op::After(text) => {
                let mark = mark(scratch);
                match find(scratch.tail(mark), text) {
                    Some(at) => keep(scratch, mark, at.saturating_add(text.len()), usize::MAX),
                    None => absent(scratch),
                }
            }
            Op::Before(text) => {
                let mark = mark(scratch);
                let at = find(scratch.tail(mark), text).unwrap_or(usize::MAX);
                keep(scratch, mark, 0, at);
            }
            Op::Hash(hash) => {
                let mark = mark(scratch);
                let digest = hash.unwrap_or(env.hash).digest(scratch.tail(mark));
                scratch.out.truncate(mark);
                scratch.out.extend_from_slice(digest.as_bytes());
            }
            Op::Hmac(hash, key) => {
                let mark = mark(scratch);
                let end = scratch.out.len();
                let present = run(env, scratch, key)?;
                let digest = MacKey::new(hash.unwrap_or(env.hash), scratch.tail(end))
                    .mac(scratch.out.get(mark..end).unwrap_or_default());
                wipe(scratch, end);
                scratch.out.truncate(mark);
                scratch.out.extend_from_slice(digest.as_bytes());
                if !present {
                    absent(scratch);
                }
            }
            Op::IfAny => {
                if scratch.tail(mark(scratch)).is_empty() {
                    absent(scratch);
                }
            }
            Op::Or(other) => {
                let mark = mark(scratch);
                if let Some(frame) = scratch.frames.last_mut().filter(|frame| frame.absent) {
                    frame.absent = false;
                    scratch.out.truncate(mark);
                    scratch.missing = None;
                    if !run(env, scratch, other)? {
                        absent(scratch);
                    }
                }
            }
            Op::Ratchet(hash, steps) => {
                let mark = mark(scratch);
                for step in steps {
                    let end = scratch.out.len();
                    let present = run(env, scratch, step)?;
                    let digest =
                        MacKey::new(*hash, scratch.out.get(mark..end).unwrap_or_default()).mac(scratch.tail(end));
                    wipe(scratch, mark);
                    scratch.out.truncate(mark);
                    scratch.out.extend_from_slice(digest.as_bytes());
                    if !present {
                        absent(scratch);
                    }
                }
            }
            Op::Slice(from, to) => {
                let mark = mark(scratch);
                keep(scratch, mark, *from, *to);
            }
            Op::StripPrefix(prefix) => {
                let mark = mark(scratch);
                if scratch.tail(mark).starts_with(prefix) {
                    keep(scratch, mark, prefix.len(), usize::MAX);
                }
            }
            Op::Time(from, to) => {
                let mark = mark(scratch);
                match from.parse(scratch.tail(mark)) {
                    Some(instant) => {
                        scratch.out.truncate(mark);
                        to.write(instant, &mut scratch.out);
                    }
                    None => absent(scratch),
                }
            }
            Op::Translate(from, to) => {
                let mark = mark(scratch);
                for byte in scratch.out.get_mut(mark..).unwrap_or_default() {
                    let at = from.iter().position(|other| other == byte);
                    if let Some(other) = at.and_then(|at| to.get(at)) {
                        *byte = *other;
                    }
                }
            }
            Op::When(subject, values, negated) => {
                let end = scratch.out.len();
                let present = run(env, scratch, subject)?;
                let among = present && values.iter().any(|value| value.as_slice() == scratch.tail(end));
                scratch.out.truncate(end);
                if among == *negated {
                    absent(scratch);
                }
            }
        }
    }
    Ok(())
}

fn mark(scratch: &Scratch) -> usize {
    scratch.frames.last().map_or(0, |frame| frame.mark)
}

fn absent(scratch: &mut Scratch) {
    if let Some(frame) = scratch.frames.last_mut() {
        frame.absent = true;
    }
}

/// Puts `tmp` in the place of what follows `mark`.
fn replace(scratch: &mut Scratch, mark: usize) {
    scratch.out.truncate(mark);
    scratch.out.extend_from_slice(&scratch.tmp);
}

/// Keeps the bytes `from..to` of what follows `mark`, as far as there are any.
fn keep(scratch: &mut Scratch, mark: usize, from: usize, to: usize) {
    let length = scratch.out.len().saturating_sub(mark);
    let to = to.min(length);
    let from = from.min(to);
    scratch.out.truncate(mark.saturating_add(to));
    if from > 0 {
        scratch.out.drain(mark..mark.saturating_add(from));
    }
}

/// Overwrites key material before it is cut off.
fn wipe(scratch: &mut Scratch, mark: usize) {
    use zeroize::Zeroize as _;
    scratch.out.get_mut(mark..).unwrap_or_default().zeroize();
}

/// Appends a source. False: it is absent.
fn push(
    env: &Env<'_>,
    scratch: &mut Scratch,
    view: &RequestView<'_>,
    source: &Source,
    span: Span,
) -> Result<bool, Stop> {
    let out = &mut scratch.out;
    match source {
        Source::Body => {
            let body = if std::ptr::eq(view, &raw const env.view) { env.body } else { view.body };
            out.extend_from_slice(body.ok_or(Stop::NeedBody)?);
        }
        Source::Cookie(name) => return Ok(cookie(view, name, out)?),
        Source::Field(id) => match scratch.captures.get(*id) {
            Some(value) => out.extend_from_slice(value),
            None => return Ok(false),
        },
        Source::Form(name) => {
            let body = env.body.ok_or(Stop::NeedBody)?;
            return parameter(body, name, Decoding::Form, span, Reason::BodyMalformed, out);
        }
        Source::Header(name) => return Ok(field_line(view, name, out)?),
        Source::Host => match view.authority {
            "" => return Ok(false),
            authority => out.extend_from_slice(authority.as_bytes()),
        },
        Source::Hostname => match split_authority(view.authority).0 {
            "" => return Ok(false),
            hostname => out.extend_from_slice(hostname.as_bytes()),
        },
        Source::Json(name) => return json_member(env.body.ok_or(Stop::NeedBody)?, name, span, out),
        Source::K => match scratch.each.last() {
            Some((list, Some(item))) => out.extend_from_slice(list.slice(item.k)),
            _ => return Ok(false),
        },
        Source::KeyId => match env.key.and_then(|key| key.id.as_deref()) {
            Some(id) => out.extend_from_slice(id.as_bytes()),
            None => return Ok(false),
        },
        Source::Let(id) => return push_let(env, scratch, *id),
        Source::List(_) => return Ok(false),
        Source::Method => out.extend_from_slice(view.method.as_bytes()),
        Source::Path => out.extend_from_slice(split_target(view.target).0),
        Source::Peer => match view.peer {
            Some(peer) => out.extend_from_slice(peer.as_bytes()),
            None => return Ok(false),
        },
        Source::Port => match split_authority(view.authority).1 {
            Some(port) => out.extend_from_slice(port.as_bytes()),
            None => decimal(usize::from(view.transport.default_port()), out),
        },
        Source::Query(name) => {
            let query = split_target(view.target).1.unwrap_or_default();
            return parameter(query, name, Decoding::Form, span, Reason::TargetMalformed, out);
        }
        Source::QueryString => match split_target(view.target).1 {
            Some(query) => out.extend_from_slice(query),
            None => return Ok(false),
        },
        Source::Quoted(_) => return Ok(false),
        Source::Request(inner) => match view.answers {
            Some(request) => return push(env, scratch, request, inner, span),
            None => return Ok(false),
        },
        Source::Scheme => out.extend_from_slice(view.transport.scheme().as_bytes()),
        Source::Secret => match env.key.map(|key| &key.material) {
            Some(Material::Secret(secret)) => out.extend_from_slice(secret.expose()),
            _ => return Err(Rejection::new(Reason::KeyUnsuitable, Some(span), Subject::Key).into()),
        },
        Source::Status => match view.status {
            Some(status) => decimal(usize::from(status), out),
            None => return Ok(false),
        },
        Source::Target => out.extend_from_slice(view.target),
        Source::Url => {
            if view.authority.is_empty() {
                return Ok(false);
            }
            out.extend_from_slice(view.transport.scheme().as_bytes());
            out.extend_from_slice(b"://");
            out.extend_from_slice(view.authority.as_bytes());
            out.extend_from_slice(view.target);
        }
        Source::V => match scratch.each.last() {
            Some((list, Some(item))) if item.has_value => out.extend_from_slice(list.slice(item.v)),
            _ => return Ok(false),
        },
        Source::Var(id) => match env.vars.get(*id).and_then(Option::as_deref) {
            Some(value) => out.extend_from_slice(value),
            None => return Ok(false),
        },
        Source::Xml(name) => return xml_child(env.body.ok_or(Stop::NeedBody)?, name, span, out),
    }
    Ok(true)
}

/// Appends a let, computing it at its first use.
fn push_let(env: &Env<'_>, scratch: &mut Scratch, id: LetId) -> Result<bool, Stop> {
    match scratch.memo.get(id).copied().unwrap_or_default() {
        Memo::Absent => return Ok(false),
        Memo::At(start, end) => {
            let value = scratch.memo_bytes.get(start..end).unwrap_or_default();
            scratch.out.extend_from_slice(value);
            return Ok(true);
        }
        Memo::Unknown => {}
    }
    let Some(plan) = env.variant.lets.get(id) else { return Ok(false) };
    let mark = scratch.out.len();
    // What is walked outside is none of the let's business, and must be there again afterwards.
    let list = std::mem::replace(&mut scratch.list, scratch.spare.pop().unwrap_or_default());
    let present = run(env, scratch, &plan.program);
    let mut own = std::mem::replace(&mut scratch.list, list);
    own.clear();
    scratch.spare.push(own);
    let present = present?;
    let memo = if present {
        let start = scratch.memo_bytes.len();
        scratch.memo_bytes.extend_from_slice(scratch.out.get(mark..).unwrap_or_default());
        scratch.order.push(id);
        Memo::At(start, scratch.memo_bytes.len())
    } else {
        scratch.out.truncate(mark);
        Memo::Absent
    };
    if let Some(slot) = scratch.memo.get_mut(id) {
        *slot = memo;
    }
    Ok(present)
}

fn load(env: &Env<'_>, scratch: &mut Scratch, source: ListSource) -> Result<(), Stop> {
    let list = &mut scratch.list;
    list.clear();
    let target = |_| Rejection::new(Reason::TargetMalformed, None, Subject::Query);
    let body = |_| Rejection::new(Reason::BodyMalformed, None, Subject::Body);
    let query = split_target(env.view.target).1.unwrap_or_default();
    match source {
        ListSource::Query | ListSource::QueryPct | ListSource::QueryRaw => {
            list.parameters(query, Decoding::of(source)).map_err(target)?;
        }
        ListSource::Form => {
            list.parameters(env.body.ok_or(Stop::NeedBody)?, Decoding::Form).map_err(body)?;
        }
        ListSource::Params => {
            list.parameters(query, Decoding::Form).map_err(target)?;
            list.parameters(env.body.ok_or(Stop::NeedBody)?, Decoding::Form).map_err(body)?;
        }
        ListSource::Headers => {
            env.view.fields.all(&mut |name, value| list.push(name.as_bytes(), value));
            list.lower_names();
            let host = list.items.iter().any(|item| list.slice(item.k) == b"host");
            if !host && !env.view.authority.is_empty() {
                list.push(b"host", env.view.authority.as_bytes());
            }
        }
        ListSource::Json => list.json(env.body.ok_or(Stop::NeedBody)?).map_err(body)?,
        ListSource::Xml => list.xml(env.body.ok_or(Stop::NeedBody)?).map_err(body)?,
    }
    Ok(())
}

/// Loads the field lines that a capture of names lists, in its order.
fn pick_fields(
    env: &Env<'_>,
    scratch: &mut Scratch,
    field: FieldId,
    if_absent: IfAbsent,
    span: Span,
) -> Result<(), Stop> {
    let Some(listed) = scratch.captures.get(field) else { return Ok(()) };
    let list = &mut scratch.list;
    for (index, name) in names(listed).enumerate() {
        if index >= MOST_NAMES {
            return Err(Rejection::new(Reason::TooLarge, Some(span), Subject::Capture(field)).into());
        }
        if names(listed).take(index).any(|other| other == name) {
            return Err(Rejection::new(Reason::FieldDuplicated, Some(span), Subject::Capture(field)).into());
        }
        let lower = std::str::from_utf8(name).unwrap_or_default();
        let before = list.items.len();
        env.view.fields.values(lower, &mut |value| list.push(name, value));
        if list.items.len() == before {
            if lower == "host" && !env.view.authority.is_empty() {
                list.push(name, env.view.authority.as_bytes());
                continue;
            }
            match if_absent {
                IfAbsent::Empty => list.push(name, b""),
                IfAbsent::Reject => {
                    return Err(Rejection::new(Reason::FieldMissing, Some(span), Subject::Capture(field)).into());
                }
                IfAbsent::Skip => {}
            }
        }
    }
    Ok(())
}

fn rewrite(env: &Env<'_>, scratch: &mut Scratch, op: &ListOp) -> Result<(), Stop> {
    match op {
        ListOp::Convert(by, names, span) => {
            scratch
                .list
                .convert(*by, *names, &mut scratch.tmp)
                .map_err(|canon::Malformed| Rejection::new(Reason::TargetMalformed, Some(*span), Subject::Part))?;
        }
        ListOp::Dedupe => scratch.list.dedupe(),
        ListOp::DropEmpty => scratch.list.retain(|_, value| !value.is_empty()),
        ListOp::Each(program) => each(env, scratch, program)?,
        ListOp::First => scratch.list.one_each(false),
        ListOp::Fold(separator) => scratch.list.fold(separator),
        ListOp::Last => scratch.list.one_each(true),
        ListOp::LowerNames => scratch.list.lower_names(),
        ListOp::Only(globs, only) => {
            let among = |name: &[u8]| globs.iter().any(|pattern| canon::glob(pattern.as_bytes(), name));
            scratch.list.retain(|name, _| among(name) == *only);
        }
        ListOp::Pick(field, if_absent, span) => pick(scratch, *field, *if_absent, *span)?,
        ListOp::Sort => scratch.list.sort(Order::Name),
        ListOp::SortItems => scratch.list.sort(Order::Text),
        ListOp::SortKv => scratch.list.sort(Order::NameValue),
        ListOp::With { name, value, bare, span } => {
            if scratch.list.items.iter().any(|item| scratch.list.slice(item.k) == name.as_bytes()) {
                return Err(Rejection::new(Reason::FieldDuplicated, Some(*span), Subject::Part).into());
            }
            let end = scratch.out.len();
            let list = std::mem::take(&mut scratch.list);
            let present = run(env, scratch, value);
            scratch.list = list;
            if present? {
                let k = scratch.list.put(name.as_bytes());
                let v = scratch.list.put(scratch.out.get(end..).unwrap_or_default());
                scratch.list.items.insert(0, Item { k, v, has_value: true, bare: *bare });
            }
            scratch.out.truncate(end);
        }
    }
    Ok(())
}

/// Keeps the items that a capture of names lists, in its order.
fn pick(scratch: &mut Scratch, field: FieldId, if_absent: IfAbsent, span: Span) -> Result<(), Stop> {
    let Some(listed) = scratch.captures.get(field) else {
        scratch.list.clear();
        return Ok(());
    };
    let items = std::mem::take(&mut scratch.list.items);
    for (index, name) in names(listed).enumerate() {
        if index >= MOST_NAMES {
            return Err(Rejection::new(Reason::TooLarge, Some(span), Subject::Capture(field)).into());
        }
        if names(listed).take(index).any(|other| other == name) {
            return Err(Rejection::new(Reason::FieldDuplicated, Some(span), Subject::Capture(field)).into());
        }
        let before = scratch.list.items.len();
        for item in &items {
            if scratch.list.slice(item.k) == name {
                scratch.list.items.push(*item);
            }
        }
        if scratch.list.items.len() == before {
            match if_absent {
                IfAbsent::Empty => scratch.list.push(name, b""),
                IfAbsent::Reject => {
                    return Err(Rejection::new(Reason::FieldMissing, Some(span), Subject::Capture(field)).into());
                }
                IfAbsent::Skip => {}
            }
        }
    }
    Ok(())
}

/// Renders each item; the list then holds the texts.
fn each(env: &Env<'_>, scratch: &mut Scratch, program: &[Op]) -> Result<(), Stop> {
    let mut rendered = scratch.spare.pop().unwrap_or_default();
    let result = walk(env, scratch, program, b"", &mut |scratch, mark, item| {
        let k = scratch.each.last().map(|(list, _)| rendered.put(list.slice(item.k))).unwrap_or_default();
        let v: Range = rendered.put(scratch.out.get(mark..).unwrap_or_default());
        rendered.items.push(Item { k, v, has_value: true, bare: true });
        scratch.out.truncate(mark);
    });
    scratch.list.clear();
    std::mem::swap(&mut scratch.list, &mut rendered);
    scratch.spare.push(rendered);
    result
}

fn each_join(env: &Env<'_>, scratch: &mut Scratch, program: &[Op], separator: &[u8]) -> Result<(), Stop> {
    walk(env, scratch, program, separator, &mut |_, _, _| {})
}

/// What a walk hands on after each item: the scratch, where the item's text begins, and the item.
type Visit<'v> = dyn FnMut(&mut Scratch, usize, Item) + 'v;

/// Renders each item of the list register behind `out`, with a separator between.
fn walk(
    env: &Env<'_>,
    scratch: &mut Scratch,
    program: &[Op],
    separator: &[u8],
    visit: &mut Visit<'_>,
) -> Result<(), Stop> {
    let list = std::mem::replace(&mut scratch.list, scratch.spare.pop().unwrap_or_default());
    let count = list.items.len();
    scratch.each.push((list, None));
    let mut result = Ok(());
    for index in 0..count {
        let Some((list, current)) = scratch.each.last_mut() else { break };
        let Some(item) = list.items.get(index).copied() else { break };
        *current = Some(item);
        if index > 0 {
            scratch.out.extend_from_slice(separator);
        }
        let mark = scratch.out.len();
        let step = if item.bare || program.is_empty() {
            default_text(scratch, item, program.is_empty());
            Ok(true)
        } else {
            run(env, scratch, program)
        };
        match step {
            Ok(true) => visit(scratch, mark, item),
            Ok(false) => {
                absent(scratch);
                break;
            }
            Err(stop) => {
                result = Err(stop);
                break;
            }
        }
    }
    if let Some((mut list, _)) = scratch.each.pop() {
        list.clear();
        let spare = std::mem::replace(&mut scratch.list, list);
        scratch.spare.push(spare);
    }
    result
}

/// An item without a template: a bare one is its value, a pair is `name=value`.
fn default_text(scratch: &mut Scratch, item: Item, whole: bool) {
    let Some((list, _)) = scratch.each.last() else { return };
    if whole && !item.bare {
        scratch.out.extend_from_slice(list.slice(item.k));
        if item.has_value {
            scratch.out.push(b'=');
        }
    }
    if item.has_value || item.bare {
        scratch.out.extend_from_slice(list.slice(item.v));
    }
}

/// Path and query of a target, as sent.
pub(crate) fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match target.iter().position(|byte| *byte == b'?') {
        Some(at) => {
            let (path, query) = target.split_at_checked(at).unwrap_or((target, &[]));
            (path, query.get(1..))
        }
        None => (target, None),
    }
}

/// Name and port of an authority. Brackets of an IPv6 address stay with the name.
pub(crate) fn split_authority(authority: &str) -> (&str, Option<&str>) {
    let after_brackets = authority.rfind(']').map_or(0, |at| at.saturating_add(1));
    match authority.get(after_brackets..).and_then(|rest| rest.rfind(':')) {
        Some(at) => {
            let at = at.saturating_add(after_brackets);
            (authority.get(..at).unwrap_or(authority), authority.get(at.saturating_add(1)..))
        }
        None => (authority, None),
    }
}

/// Appends the one field line of a name.
pub(crate) fn field_line(view: &RequestView<'_>, name: &str, out: &mut Vec<u8>) -> Result<bool, Rejection> {
    let mark = out.len();
    let mut lines: usize = 0;
    view.fields.values(name, &mut |value| {
        lines = lines.saturating_add(1);
        if lines == 1 {
            out.extend_from_slice(value);
        }
    });
    match lines {
        0 if name == "host" && !view.authority.is_empty() => {
            out.extend_from_slice(view.authority.as_bytes());
            Ok(true)
        }
        0 => Ok(false),
        1 => Ok(true),
        _ => {
            out.truncate(mark);
            Err(Rejection::new(Reason::FieldDuplicated, None, Subject::Header(name.to_owned())))
        }
    }
}

/// Appends the value of a cookie (RFC 6265, section 4.2).
pub(crate) fn cookie(view: &RequestView<'_>, name: &str, out: &mut Vec<u8>) -> Result<bool, Rejection> {
    let mark = out.len();
    let mut count: usize = 0;
    view.fields.values("cookie", &mut |line| {
        for pair in line.split(|byte| *byte == b';') {
            let pair = canon::trim(pair);
            let value = pair.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            if let Some(value) = value {
                count = count.saturating_add(1);
                if count == 1 {
                    out.extend_from_slice(value);
                }
            }
        }
    });
    if count > 1 {
        out.truncate(mark);
        return Err(Rejection::new(Reason::FieldDuplicated, None, Subject::Cookie(name.to_owned())));
    }
    Ok(count == 1)
}

/// Appends the value of a parameter.
pub(crate) fn parameter(
    raw: &[u8],
    name: &str,
    decoding: Decoding,
    span: Span,
    malformed: Reason,
    out: &mut Vec<u8>,
) -> Result<bool, Stop> {
    let mark = out.len();
    let mut found = false;
    let wrong =
        |canon::Malformed| Stop::from(Rejection::new(malformed, Some(span), Subject::Parameter(name.to_owned())));
    for (key, value) in canon::query_pairs(raw) {
        let start = out.len();
        decoding.apply(key, out).map_err(wrong)?;
        let same = out.get(start..) == Some(name.as_bytes());
        out.truncate(start);
        if !same {
            continue;
        }
        if found {
            out.truncate(mark);
            return Err(
                Rejection::new(Reason::FieldDuplicated, Some(span), Subject::Parameter(name.to_owned())).into()
            );
        }
        found = true;
        decoding.apply(value.unwrap_or_default(), out).map_err(wrong)?;
    }
    Ok(found)
}

/// Appends the value of a member of a JSON object.
pub(crate) fn json_member(body: &[u8], name: &str, span: Span, out: &mut Vec<u8>) -> Result<bool, Stop> {
    let mut found = false;
    canon::json_members(body, &mut |key, value| {
        if key == name.as_bytes() {
            found = true;
            out.extend_from_slice(json_text(&value));
        }
    })
    .map_err(|canon::Malformed| Rejection::new(Reason::BodyMalformed, Some(span), Subject::Body))?;
    Ok(found)
}

/// Appends the text of a child of an XML root.
pub(crate) fn xml_child(body: &[u8], name: &str, span: Span, out: &mut Vec<u8>) -> Result<bool, Stop> {
    let mut found = false;
    canon::xml_children(body, &mut |key, text| {
        if key == name.as_bytes() {
            found = true;
            out.extend_from_slice(text);
        }
    })
    .map_err(|canon::Malformed| Rejection::new(Reason::BodyMalformed, Some(span), Subject::Body))?;
    Ok(found)
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return None;
    }
    text.windows(needle.len()).position(|window| window == needle)
}

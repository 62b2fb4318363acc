//! The machine that runs programs: one loop, one exhaustive match, one buffer.

use super::carrier::Captures;
use super::list::{Decoding, Item, List, convert};
use super::noted::{Noted, Value};
use super::rewrite::{each_join, fastjson, load, pick_fields, rewrite};
use super::source::{field_line, parameter, push, split_target};
use super::stream::Running;
use super::{Blame, MessagePlan, Op, Variant};
use crate::alg::{Digest, Hash, MacKey, hkdf, kdf_scalar};
use crate::canon::{self, sf};
use crate::chunks::Link;
use crate::httpsig::Found;
use crate::key::Key;
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;
use crate::scheme::draft::Span;
use crate::scheme::model::{Bound, LetId};
use crate::verify::coverage::{LetsFound, bit};
use zeroize::Zeroize as _;

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
#[derive(Default)]
pub(crate) struct Scratch {
    /// The stack of bytes. A program leaves its result at the end.
    pub(crate) out: Vec<u8>,
    pub(crate) captures: Captures,
    /// The message signature that counts.
    pub(crate) found: Found,
    /// Where the components of one are.
    pub(crate) marks: Vec<sf::Mark>,
    /// Where the message's field lines and parameters are.
    pub(crate) noted: Noted,
    /// Digests over the body that are being computed.
    pub(crate) running: Vec<Running>,
    /// Results of body jobs.
    pub(crate) digests: Vec<(usize, Hash, Digest)>,
    /// What the templates of `[chunks]` draw on.
    pub(crate) link: Link,
    /// The lets in the order in which they were computed, for those who want to see.
    pub(crate) order: Vec<LetId>,
    /// Where the names of a list lie, while it is asked for some.
    pub(crate) ranges: Vec<(usize, usize)>,
    memo: Vec<Memo>,
    memo_bytes: Vec<u8>,
    pub(crate) tmp: Vec<u8>,
    /// A signature that was decoded.
    pub(crate) decoded: Vec<u8>,
    frames: Vec<Frame>,
    pub(super) list: List,
    /// Lists being walked by `each`, innermost last, with the item at hand.
    pub(super) each: Vec<(List, Option<Item>)>,
    pub(super) spare: Vec<List>,
    pub(super) missing: Option<(Span, Blame)>,
    /// Whether a secret has been through these buffers.
    pub(crate) secret: bool,
}

/// Programs run over secrets, too, so nothing of it is shown.
impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scratch(..)")
    }
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

impl Drop for Scratch {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl Scratch {
    /// Forgets the last message.
    pub(crate) fn reset(&mut self, fields: usize) {
        self.out.clear();
        self.captures.reset(fields);
        self.found.reset();
        self.noted.forget();
        self.running.clear();
        self.digests.clear();
        self.link.clear();
        self.forget_lets(0);
    }

    /// Overwrites what secrets have been through.
    pub(crate) fn wipe(&mut self) {
        if std::mem::take(&mut self.secret) {
            self.out.zeroize();
            self.tmp.zeroize();
            self.memo_bytes.zeroize();
        }
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

    /// Which lets were there when they were needed, and which were not.
    pub(crate) fn lets_found(&self) -> LetsFound {
        let mut found = LetsFound::default();
        for (id, memo) in self.memo.iter().enumerate() {
            match memo {
                Memo::At(..) => found.there |= bit(id),
                Memo::Absent => found.absent |= bit(id),
                Memo::Unknown => {}
            }
        }
        found
    }

    /// Where the value that was missing last is written in the scheme.
    pub(crate) fn missing(&self) -> Option<Span> {
        self.missing.map(|(span, _)| span)
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
    let step = scratch.missing();
    Err(match scratch.missing {
        Some((_, Blame::Key)) => Rejection::new(Reason::KeyUnsuitable, step, Subject::Key),
        _ => Rejection::new(Reason::FieldMissing, step, Subject::Part),
    }
    .into())
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
        // What is absent is not filtered: there is nothing that could be malformed.
        if scratch.frames.last().is_some_and(|frame| frame.absent) && op.filters() {
            continue;
        }
        match op {
            Op::Text(text) => scratch.out.extend_from_slice(text),
            Op::Push(source, span) => {
                if !push(env, scratch, &env.view, source, *span)? {
                    scratch.missing.get_or_insert((*span, Blame::Message));
                    absent(scratch);
                }
            }
            Op::Line(_, span) | Op::Parameter(_, span) => {
                if !push_one(env, scratch, op)? {
                    scratch.missing.get_or_insert((*span, Blame::Message));
                    absent(scratch);
                }
            }
            Op::OrNothing(source) => {
                let mark = scratch.out.len();
                if !push_one(env, scratch, source)? {
                    scratch.out.truncate(mark);
                    scratch.missing = None;
                }
            }
            Op::Job(job) => {
                let hash = env.plan.jobs.get(*job).and_then(|job| job.hash).unwrap_or(env.hash);
                let done = scratch.digests.iter().find(|(index, of, _)| index == job && *of == hash);
                let digest = done.map(|(_, _, digest)| *digest).ok_or(Stop::NeedBody)?;
                scratch.out.extend_from_slice(digest.as_bytes());
            }
            Op::Chunk(hash) => {
                let hash = hash.unwrap_or(env.hash);
                let done = scratch.link.digests.iter().find(|(of, _)| *of == hash);
                let digest = done.map(|(_, digest)| *digest).ok_or(Stop::NeedBody)?;
                scratch.out.extend_from_slice(digest.as_bytes());
            }
            Op::Open | Op::OpenOptional => {
                scratch.frames.push(Frame { mark: scratch.out.len(), absent: false });
            }
            Op::Close(span, blame) => {
                if scratch.frames.pop().is_some_and(|frame| frame.absent) {
                    scratch.missing.get_or_insert((*span, *blame));
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
            Op::LoadPicked(listing, if_absent, span) => {
                scratch.list.clear();
                pick_fields(env, scratch, *listing, *if_absent, *span)?;
            }
            Op::List(op) => rewrite(env, scratch, op)?,
            Op::Fastjson(span) => fastjson(scratch, *span)?,
            Op::EachJoin(program, separator) => each_join(env, scratch, program, separator)?,

            Op::Convert(by, span, blame) => {
                let mark = mark(scratch);
                scratch.tmp.clear();
                let input = scratch.out.get(mark..).unwrap_or_default();
                convert(*by, input, &mut scratch.tmp).map_err(|canon::Malformed| match blame {
                    Blame::Key => Rejection::new(Reason::KeyUnsuitable, Some(*span), Subject::Key),
                    Blame::Message => Rejection::new(Reason::CredentialMalformed, Some(*span), Subject::Part),
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
            Op::AfterLast(text) => {
                let mark = mark(scratch);
                let at = rfind(scratch.tail(mark), text).map_or(0, |at| at.saturating_add(text.len()));
                keep(scratch, mark, at, usize::MAX);
            }
            Op::Before(text) => {
                let mark = mark(scratch);
                let at = find(scratch.tail(mark), text).unwrap_or(usize::MAX);
                keep(scratch, mark, 0, at);
            }
            Op::Granting(subject, separator, span) => {
                let mark = mark(scratch);
                let end = scratch.out.len();
                let present = run(env, scratch, subject)?;
                let (patterns, value) = scratch.out.split_at_checked(end).unwrap_or_default();
                let patterns = patterns.get(mark..).unwrap_or_default();
                let granted = present && canon::any_of(patterns, separator, |one| canon::wildcard(one, value));
                scratch.out.truncate(end);
                if !granted {
                    return Err(Rejection::new(Reason::ValueDisagrees, Some(*span), Subject::Part).into());
                }
            }
            Op::Hash(hash) => {
                let mark = mark(scratch);
                let digest = hash.unwrap_or(env.hash).digest(scratch.tail(mark));
                scratch.out.truncate(mark);
                scratch.out.extend_from_slice(digest.as_bytes());
            }
            Op::Hkdf(hash, salt, info, length) => {
                let mark = mark(scratch);
                let end = scratch.out.len();
                let mut present = run(env, scratch, salt)?;
                let salted = scratch.out.len();
                present &= run(env, scratch, info)?;
                let (before, info) = scratch.out.split_at_checked(salted).unwrap_or_default();
                let salt = before.get(end..).unwrap_or_default();
                scratch.tmp.clear();
                hkdf(*hash, before.get(mark..end).unwrap_or_default(), salt, info, *length, &mut scratch.tmp);
                wipe(scratch, mark);
                replace(scratch, mark);
                scratch.tmp.zeroize();
                if !present {
                    absent(scratch);
                }
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
            Op::Member(name, span, blame) => {
                let mark = mark(scratch);
                let end = scratch.out.len();
                let present = run(env, scratch, name)?;
                let text = scratch.out.get(mark..end).unwrap_or_default();
                let found = canon::json_member(text, scratch.tail(end)).map_err(|canon::Malformed| match blame {
                    Blame::Key => Rejection::new(Reason::KeyUnsuitable, Some(*span), Subject::Key),
                    Blame::Message => Rejection::new(Reason::CredentialMalformed, Some(*span), Subject::Part),
                })?;
                if let Some(value) = found.filter(|_| present) {
                    scratch.tmp.clear();
                    scratch.tmp.extend_from_slice(value);
                    replace(scratch, mark);
                } else {
                    scratch.out.truncate(end);
                    absent(scratch);
                }
            }
            Op::Kdf(by, label, context) => {
                let mark = mark(scratch);
                let end = scratch.out.len();
                let present = run(env, scratch, context)?;
                let (key, context) = scratch.out.split_at_checked(end).unwrap_or_default();
                let scalar = kdf_scalar(*by, key.get(mark..).unwrap_or_default(), label, context);
                wipe(scratch, mark);
                scratch.out.truncate(mark);
                match scalar.filter(|_| present) {
                    Some(scalar) => scratch.out.extend_from_slice(&*scalar),
                    None => absent(scratch),
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
            Op::PctOnly(bytes) => {
                let mark = mark(scratch);
                scratch.tmp.clear();
                canon::pct_only(scratch.out.get(mark..).unwrap_or_default(), bytes, &mut scratch.tmp);
                replace(scratch, mark);
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
            Op::Slice(from, to, span) => {
                let mark = mark(scratch);
                let to = bound(env, *to)
                    .ok_or_else(|| Rejection::new(Reason::FieldMissing, Some(*span), Subject::Part))?;
                keep(scratch, mark, *from, to);
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

/// Does an operation that appends one source. False: it is absent.
fn push_one(env: &Env<'_>, scratch: &mut Scratch, op: &Op) -> Result<bool, Stop> {
    match op {
        Op::Push(source, span) => push(env, scratch, &env.view, source, *span),
        Op::Line(number, _) => Ok(push_line(env, scratch, *number)?),
        Op::Parameter(number, span) => push_parameter(env, scratch, *number, *span),
        _ => Ok(false),
    }
}

/// Appends the one field line whose name has this number. False: there is none.
pub(crate) fn push_line(env: &Env<'_>, scratch: &mut Scratch, number: usize) -> Result<bool, Rejection> {
    let names = &env.plan.names;
    match scratch.noted.line(&env.view, names, number)? {
        Value::Absent => Ok(false),
        Value::Ask | Value::Escaped(_) => field_line(&env.view, names.name(number), &mut scratch.out),
        Value::Here(value) => {
            scratch.out.extend_from_slice(value);
            Ok(true)
        }
    }
}

/// Appends the one parameter of the query whose name has this number. False: there is none.
fn push_parameter(env: &Env<'_>, scratch: &mut Scratch, number: usize, span: Span) -> Result<bool, Stop> {
    let Scratch { noted, out, .. } = scratch;
    match noted.parameter(env.view.target, number) {
        Value::Absent => return Ok(false),
        Value::Escaped(value) if canon::form_decode(value, out).is_ok() => return Ok(true),
        // What cannot be decoded is found out once more, and told.
        Value::Ask | Value::Escaped(_) => {}
        Value::Here(value) => {
            out.extend_from_slice(value);
            return Ok(true);
        }
    }
    let query = split_target(env.view.target).1.unwrap_or_default();
    let name = env.plan.parameters.name(number);
    parameter(query, name, Decoding::Form, span, Reason::TargetMalformed, out)
}

/// Where a slice ends. A variable that is no number stops the message: what it would leave out is signed by nobody.
fn bound(env: &Env<'_>, bound: Bound) -> Option<usize> {
    match bound {
        Bound::At(to) => Some(to),
        Bound::Var(id) => std::str::from_utf8(env.vars.get(id)?.as_deref()?).ok()?.parse().ok(),
    }
}

fn mark(scratch: &Scratch) -> usize {
    scratch.frames.last().map_or(0, |frame| frame.mark)
}

pub(super) fn absent(scratch: &mut Scratch) {
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
    scratch.out.get_mut(mark..).unwrap_or_default().zeroize();
}

/// Appends a let, computing it at its first use.
pub(super) fn push_let(env: &Env<'_>, scratch: &mut Scratch, id: LetId) -> Result<bool, Stop> {
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
    let present = if scratch.list.is_empty() {
        let present = run(env, scratch, &plan.program);
        scratch.list.clear();
        present?
    } else {
        let list = std::mem::replace(&mut scratch.list, scratch.spare.pop().unwrap_or_default());
        let present = run(env, scratch, &plan.program);
        let mut own = std::mem::replace(&mut scratch.list, list);
        own.clear();
        scratch.spare.push(own);
        present?
    };
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

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return None;
    }
    text.windows(needle.len()).position(|window| window == needle)
}

fn rfind(text: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return None;
    }
    text.windows(needle.len()).rposition(|window| window == needle)
}

//! Carriers: the same template that writes credentials parses them.
//!
//! Parsing is deterministic. A capture takes the longest run of its type's characters that does not hold the first
//! character of what follows; two captures that could not be told apart are a fault of the scheme. Where nothing
//! follows but text and a signature of one length, the capture takes all that is in front of them, counted from the
//! end, and may hold what separates them. So whatever is parsed renders to the same bytes again.

use crate::canon::{split_at_byte, trim};
use crate::scheme::draft::{Fault, Span};
use crate::scheme::model::{Field, FieldId, FieldType, Part, Source, Split, Template};
use crate::time::UnixTime;

/// How many items of a list may carry a signature.
const MOST_SIGNATURES: usize = 8;
/// How many items a list may have.
const MOST_ITEMS: usize = 64;

/// A carrier's template, ready to parse.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    /// What precedes the first item of a list: an authentication scheme.
    head: Vec<u8>,
    /// The items of a list; otherwise the one shape of the whole value.
    items: Vec<Item>,
    /// The separator, where the value is a list.
    separator: Option<Vec<u8>>,
    /// Whether separators in double quotes separate nothing.
    quotes: bool,
    reject_unknown: bool,
    repeat_signature: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Item {
    pieces: Vec<Piece>,
    optional: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(Vec<u8>),
    Capture { field: FieldId, stops: Vec<u8>, run: ByteSet, tail: Option<usize> },
    Optional(Vec<Piece>),
}

/// A set of bytes, one place for each: what is looked up for every byte of a value takes one step.
#[derive(Clone, PartialEq, Eq)]
struct ByteSet(Box<[bool; 256]>);

impl Default for ByteSet {
    fn default() -> Self {
        Self(Box::new([false; 256]))
    }
}

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries((0..=u8::MAX).filter(|byte| self.holds(*byte))).finish()
    }
}

impl ByteSet {
    fn of(holds: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        for (byte, place) in (0..=u8::MAX).zip(set.0.iter_mut()) {
            *place = holds(byte);
        }
        set
    }

    fn or(&self, other: &Self) -> Self {
        Self::of(|byte| self.holds(byte) || other.holds(byte))
    }

    fn meets(&self, other: &Self) -> bool {
        (0..=u8::MAX).any(|byte| self.holds(byte) && other.holds(byte))
    }

    fn holds(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).is_some_and(|holds| *holds)
    }
}

/// Why a carrier's value could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It does not have the shape.
    Malformed,
    /// An item is there twice.
    Duplicated,
}

/// What was captured: bytes, and where each capture and each candidate signature lies in them.
#[derive(Debug, Default)]
pub(crate) struct Captures {
    pub(crate) bytes: Vec<u8>,
    pub(crate) at: Vec<Option<(usize, usize)>>,
    pub(crate) signatures: Vec<(usize, usize)>,
    /// What those of them that are instants stand for.
    instants: Vec<(FieldId, UnixTime)>,
    found: Vec<(FieldId, usize, usize)>,
}

impl Captures {
    /// Forgets everything and makes room for `count` captures.
    pub(crate) fn reset(&mut self, count: usize) {
        self.bytes.clear();
        self.at.clear();
        self.at.resize(count, None);
        self.signatures.clear();
        self.instants.clear();
        self.found.clear();
    }

    /// The bytes of a capture.
    pub(crate) fn get(&self, field: FieldId) -> Option<&[u8]> {
        let (start, end) = self.at.get(field).copied().flatten()?;
        self.bytes.get(start..end)
    }

    /// What a capture stands for, where it was read as an instant.
    pub(crate) fn instant(&self, field: FieldId) -> Option<UnixTime> {
        self.instants.iter().find(|(id, _)| *id == field).map(|(_, instant)| *instant)
    }

    /// Sets a capture.
    pub(crate) fn set(&mut self, field: FieldId, value: &[u8]) {
        self.instants.retain(|(id, _)| *id != field);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value);
        if let Some(slot) = self.at.get_mut(field) {
            *slot = Some((start, self.bytes.len()));
        }
    }
}

/// The shape of a carrier; a fault where it could not be parsed back.
pub(crate) fn shape(text: &Template, split: Option<&Split>, fields: &[Field]) -> Result<Shape, Fault> {
    let Some(split) = split else {
        let pieces = pieces(text);
        if has_bare_optional(&pieces, fields) && !is_optional(&pieces, fields) {
            return Err(Fault {
                span: text.span,
                message: "a carrier is there or not as a whole".into(),
                hint: Some("put what may be absent in brackets: `{key-id}[:{ext}]`".into()),
            });
        }
        let mut item = Item { pieces: close(pieces, fields, text)?, optional: false };
        read_from_the_end(&mut item.pieces, fields);
        return Ok(Shape {
            head: Vec::new(),
            items: vec![item],
            separator: None,
            quotes: false,
            reject_unknown: false,
            repeat_signature: false,
        });
    };
    let mut items: Vec<(Vec<Piece>, bool)> = Vec::new();
    let mut current = Vec::new();
    items_of(pieces(text), &split.separator, &mut current, &mut items, false);
    if !current.is_empty() {
        items.push((current, false));
    }
    let head = items.first_mut().map(|(pieces, _)| take_head(pieces, &split.separator)).unwrap_or_default();
    let quotes = items
        .iter()
        .any(|(pieces, _)| pieces.iter().any(|piece| matches!(piece, Piece::Literal(text) if text.ends_with(b"\""))));
    let mut closed = Vec::new();
    for (pieces, optional) in items {
        if has_bare_optional(&pieces, fields) && !optional {
            return Err(Fault {
                span: text.span,
                message: "an item of a list is there or not as a whole".into(),
                hint: Some("put it in brackets with its separator: `[, ext=\"{ext}\"]`".into()),
            });
        }
        if !matches!(pieces.first(), Some(Piece::Literal(_))) {
            return Err(Fault {
                span: text.span,
                message: "an item of a list has to begin with literal text".into(),
                hint: Some("items are told apart by how they begin, as in `v1={signature:hex}`".into()),
            });
        }
        let item = Item { pieces: close(pieces, fields, text)?, optional };
        if closed.iter().any(|other: &Item| begin_alike(&other.pieces, &item.pieces)) {
            return Err(Fault {
                span: text.span,
                message: "two items of a list begin alike".into(),
                hint: Some("items are told apart by how they begin, as in `v1={signature:hex}`".into()),
            });
        }
        closed.push(item);
    }
    if closed.is_empty() {
        return Err(Fault { span: text.span, message: "a list without items".into(), hint: None });
    }
    Ok(Shape {
        head,
        items: closed,
        separator: Some(split.separator.clone()),
        quotes,
        reject_unknown: split.reject_unknown,
        repeat_signature: split.repeat_signature,
    })
}

/// Whether a capture that may be absent stands outside of brackets.
fn has_bare_optional(pieces: &[Piece], fields: &[Field]) -> bool {
    pieces.iter().any(|piece| match piece {
        Piece::Capture { field, .. } => fields.get(*field).is_some_and(|field| field.optional),
        Piece::Literal(_) | Piece::Optional(_) => false,
    })
}

/// Whether the text that one item begins with begins that of the other.
fn begin_alike(a: &[Piece], b: &[Piece]) -> bool {
    match (a.first(), b.first()) {
        (Some(Piece::Literal(a)), Some(Piece::Literal(b))) => a.starts_with(b) || b.starts_with(a),
        _ => false,
    }
}

/// Whether all captures may be absent.
fn is_optional(pieces: &[Piece], fields: &[Field]) -> bool {
    pieces.iter().all(|piece| match piece {
        Piece::Capture { field, .. } => fields.get(*field).is_some_and(|field| field.optional),
        Piece::Literal(_) => true,
        Piece::Optional(inner) => is_optional(inner, fields),
    })
}

fn pieces(text: &Template) -> Vec<Piece> {
    text.parts
        .iter()
        .filter_map(|part| match part {
            Part::Literal(text) => Some(Piece::Literal(text.clone())),
            Part::Optional(inner) => Some(Piece::Optional(pieces(inner))),
            Part::Value(value) => match value.source {
                Source::Field(field) => {
                    Some(Piece::Capture { field, stops: Vec::new(), run: ByteSet::default(), tail: None })
                }
                _ => None,
            },
        })
        .collect()
}

/// Splits pieces into the items of a list. An optional segment that holds a separator is an optional item.
fn items_of(
    pieces: Vec<Piece>,
    separator: &[u8],
    current: &mut Vec<Piece>,
    items: &mut Vec<(Vec<Piece>, bool)>,
    optional: bool,
) {
    for piece in pieces {
        match piece {
            Piece::Literal(text) => {
                let mut rest = text.as_slice();
                while let Some(at) = find(rest, separator) {
                    let (before, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
                    if !before.is_empty() {
                        current.push(Piece::Literal(before.to_vec()));
                    }
                    if !current.is_empty() {
                        items.push((std::mem::take(current), optional));
                    }
                    rest = after.get(separator.len()..).unwrap_or_default().trim_ascii_start();
                }
                if !rest.is_empty() {
                    current.push(Piece::Literal(rest.to_vec()));
                }
            }
            Piece::Optional(inner) if holds(&inner, separator) => {
                if !current.is_empty() {
                    items.push((std::mem::take(current), optional));
                }
                items_of(inner, separator, current, items, true);
                if !current.is_empty() {
                    items.push((std::mem::take(current), true));
                }
            }
            other => current.push(other),
        }
    }
}

fn holds(pieces: &[Piece], separator: &[u8]) -> bool {
    pieces.iter().any(|piece| matches!(piece, Piece::Literal(text) if find(text, separator).is_some()))
}

fn take_head(pieces: &mut [Piece], separator: &[u8]) -> Vec<u8> {
    if separator.contains(&b' ') {
        return Vec::new();
    }
    let Some(Piece::Literal(text)) = pieces.first_mut() else { return Vec::new() };
    let Some(space) = text.iter().rposition(|byte| *byte == b' ') else { return Vec::new() };
    let rest = text.split_off(space.saturating_add(1));
    std::mem::replace(text, rest)
}

/// Computes where each capture has to stop, and refuses what could not be told apart.
fn close(mut pieces: Vec<Piece>, fields: &[Field], text: &Template) -> Result<Vec<Piece>, Fault> {
    close_before(&mut pieces, &[], fields, text.span)?;
    Ok(pieces)
}

fn close_before(pieces: &mut [Piece], then: &[Piece], fields: &[Field], span: Span) -> Result<(), Fault> {
    let count = pieces.len();
    for index in 0..count {
        let (head, tail) = pieces.split_at_mut_checked(index.saturating_add(1)).unwrap_or((&mut [], &mut []));
        let followers: Vec<Piece> = tail.iter().chain(then).cloned().collect();
        match head.last_mut() {
            Some(Piece::Capture { field, stops, run, .. }) => {
                let captured = fields.get(*field);
                for follower in &followers {
                    match follower {
                        Piece::Literal(text) => {
                            stops.extend(text.first());
                            break;
                        }
                        Piece::Optional(inner) => {
                            if let Some(Piece::Literal(text)) = inner.first() {
                                stops.extend(text.first());
                            } else {
                                return Err(apart(span));
                            }
                        }
                        Piece::Capture { field: next, .. } => {
                            let apart_by_type = match (captured, fields.get(*next)) {
                                (Some(a), Some(b)) => {
                                    fixed(a).is_some()
                                        || (0..=u8::MAX).all(|byte| !(a.kind.admits(byte) && b.kind.admits(byte)))
                                }
                                _ => false,
                            };
                            if !apart_by_type {
                                return Err(apart(span));
                            }
                            if fields.get(*next).is_some_and(|next| next.length.0 > 0) {
                                break;
                            }
                        }
                    }
                }
                if let Some(captured) = captured {
                    let ends = fixed(captured).is_none();
                    *run = ByteSet::of(|byte| captured.kind.admits(byte) && !(ends && stops.contains(&byte)));
                }
            }
            Some(Piece::Optional(inner)) => {
                if !inner.iter().any(|piece| matches!(piece, Piece::Capture { .. })) {
                    return Err(Fault {
                        span,
                        message: "an optional segment of a carrier needs a capture that may be absent".into(),
                        hint: None,
                    });
                }
                if first_bytes(inner, fields).meets(&first_bytes(&followers, fields)) {
                    return Err(Fault {
                        span,
                        message: "an optional segment begins like what may follow without it".into(),
                        hint: Some("begin it with a character that what follows cannot begin with".into()),
                    });
                }
                close_before(inner, &followers, fields, span)?;
            }
            Some(Piece::Literal(_)) | None => {}
        }
    }
    Ok(())
}

/// Lets what precedes `TEXT{signature}` hold that text, where the signature has one length: `{value}.{signature}`.
fn read_from_the_end(pieces: &mut [Piece], fields: &[Field]) {
    if let [.., Piece::Capture { field, stops, run, tail }, Piece::Literal(text), Piece::Capture { field: last, .. }] =
        pieces
        && let (Some(field), Some(last)) = (fields.get(*field), fields.get(*last))
        && let (None, Some(length), false, "signature") =
            (fixed(field), fixed(last), field.optional, last.name.as_str())
    {
        stops.clear();
        *run = ByteSet::of(|byte| field.kind.admits(byte));
        *tail = Some(text.len().saturating_add(length));
    }
}

/// The bytes that something may begin with, what may be absent passed over.
fn first_bytes(pieces: &[Piece], fields: &[Field]) -> ByteSet {
    let mut set = ByteSet::default();
    for piece in pieces {
        let (first, goes_on) = match piece {
            Piece::Literal(text) => (ByteSet::of(|byte| text.first() == Some(&byte)), false),
            Piece::Capture { field, .. } => match fields.get(*field) {
                Some(field) => (ByteSet::of(|byte| field.kind.admits(byte)), field.length.0 == 0),
                None => continue,
            },
            Piece::Optional(inner) => (first_bytes(inner, fields), true),
        };
        set = set.or(&first);
        if !goes_on {
            break;
        }
    }
    set
}

fn apart(span: Span) -> Fault {
    Fault {
        span,
        message: "two captures stand side by side and could not be told apart".into(),
        hint: Some("put literal text between them, or give the first one a type of fixed length".into()),
    }
}

fn fixed(field: &Field) -> Option<usize> {
    field.kind.fixed_length().or_else(|| (field.length.0 == field.length.1).then_some(field.length.0))
}

impl Shape {
    /// Reads a value. Captures go to `captures`; those that hold the signature are candidates, in order.
    pub(crate) fn read(
        &self,
        fields: &[Field],
        signature: FieldId,
        value: &[u8],
        captures: &mut Captures,
    ) -> Result<(), Problem> {
        captures.found.clear();
        match &self.separator {
            None => {
                let item = self.items.first().ok_or(Problem::Malformed)?;
                let end = advance(&item.pieces, fields, value, 0, &mut captures.found);
                if end != Some(value.len()) {
                    return Err(Problem::Malformed);
                }
            }
            Some(separator) => self.read_list(fields, signature, value, separator, captures)?,
        }
        Self::commit(fields, signature, value, captures)
    }

    fn read_list(
        &self,
        fields: &[Field],
        signature: FieldId,
        value: &[u8],
        separator: &[u8],
        captures: &mut Captures,
    ) -> Result<(), Problem> {
        let list = value.strip_prefix(self.head.as_slice()).ok_or(Problem::Malformed)?;
        let offset = self.head.len();
        let mut met: u64 = 0;
        for (count, (start, end)) in Pieces::new(list, separator, self.quotes).enumerate() {
            if count >= MOST_ITEMS {
                return Err(Problem::Malformed);
            }
            let (start, end) = (start.saturating_add(offset), end.saturating_add(offset));
            let text = value.get(..end).ok_or(Problem::Malformed)?;
            let begins = |item: &Item| match item.pieces.first() {
                Some(Piece::Literal(literal)) => text.get(start..).is_some_and(|rest| rest.starts_with(literal)),
                _ => false,
            };
            let Some((index, item)) = self.items.iter().enumerate().find(|(_, item)| begins(item)) else {
                if self.reject_unknown {
                    return Err(Problem::Malformed);
                }
                continue;
            };
            let bit = 1_u64.checked_shl(u32::try_from(index).unwrap_or(64)).unwrap_or(0);
            let repeats = self.repeat_signature && holds_capture(&item.pieces, signature);
            if met & bit != 0 && !repeats {
                return Err(Problem::Duplicated);
            }
            met |= bit;
            if advance(&item.pieces, fields, text, start, &mut captures.found) != Some(end) {
                return Err(Problem::Malformed);
            }
        }
        for (index, item) in self.items.iter().enumerate() {
            let bit = 1_u64.checked_shl(u32::try_from(index).unwrap_or(64)).unwrap_or(0);
            if !item.optional && met & bit == 0 {
                return Err(Problem::Malformed);
            }
        }
        Ok(())
    }

    fn commit(fields: &[Field], signature: FieldId, value: &[u8], captures: &mut Captures) -> Result<(), Problem> {
        let found = std::mem::take(&mut captures.found);
        let result = found.iter().try_for_each(|&(id, start, end)| {
            let field = fields.get(id).ok_or(Problem::Malformed)?;
            let bytes = value.get(start..end).ok_or(Problem::Malformed)?;
            let typed = typed(field, bytes).ok_or(Problem::Malformed)?;
            if id == signature {
                if captures.signatures.len() >= MOST_SIGNATURES {
                    return Err(Problem::Malformed);
                }
                let at = captures.bytes.len();
                captures.bytes.extend_from_slice(bytes);
                captures.signatures.push((at, captures.bytes.len()));
                if captures.at.get(id).copied().flatten().is_some() {
                    return Ok(());
                }
                if let Some(slot) = captures.at.get_mut(id) {
                    *slot = Some((at, captures.bytes.len()));
                }
                return Ok(());
            }
            if captures.at.get(id).copied().flatten().is_some() {
                return Err(Problem::Duplicated);
            }
            captures.set(id, bytes);
            if let Typed::Instant(instant) = typed {
                captures.instants.push((id, instant));
            }
            Ok(())
        });
        captures.found = found;
        result
    }

    /// Whether a value that was read and what was written of it say the same: byte for byte, or, in a list, the same
    /// items but for those that are passed over and signatures behind the first.
    pub(crate) fn same(&self, signature: FieldId, read: &[u8], written: &[u8]) -> bool {
        let Some(separator) = &self.separator else { return read == written };
        let items = |value: &[u8]| -> Option<Vec<Vec<u8>>> {
            let list = value.strip_prefix(self.head.as_slice())?;
            let ranges = Pieces::new(list, separator, self.quotes);
            Some(ranges.map(|(start, end)| list.get(start..end).unwrap_or_default().to_vec()).collect())
        };
        let (Some(read), Some(written)) = (items(read), items(written)) else { return false };
        let may_be_more = |text: &[u8]| {
            let item = self.items.iter().find(|item| match item.pieces.first() {
                Some(Piece::Literal(literal)) => text.starts_with(literal),
                _ => false,
            });
            item.is_none_or(|item| self.repeat_signature && holds_capture(&item.pieces, signature))
        };
        written.iter().all(|item| read.contains(item))
            && read.iter().all(|item| written.contains(item) || may_be_more(item))
    }

    /// Whether a value could be written for this capture and parsed back.
    pub(crate) fn admits(&self, fields: &[Field], id: FieldId, value: &[u8]) -> bool {
        let place = self.items.iter().find_map(|item| place_of(&item.pieces, id));
        match (place, fields.get(id)) {
            (None, _) => true,
            (Some((stops, quoted)), Some(field)) => {
                typed(field, value).is_some()
                    && (fixed(field).is_some() || !value.iter().any(|byte| stops.contains(byte)))
                    && value.iter().all(|byte| field.kind.admits(*byte))
                    && (quoted || self.separator.as_ref().is_none_or(|separator| self.stands_bare(separator, value)))
            }
            (Some(_), None) => false,
        }
    }

    /// Whether a byte can stand in what is captured here; nothing is where the capture is not.
    pub(crate) fn may_hold(&self, id: FieldId, byte: u8) -> bool {
        let Some((stops, quoted)) = self.items.iter().find_map(|item| place_of(&item.pieces, id)) else {
            return false;
        };
        let ends_item = !quoted && self.separator.as_ref().is_some_and(|separator| separator.as_slice() == [byte]);
        !stops.contains(&byte) && !ends_item
    }

    /// Whether a value can stand in a list without quotes: it ends no item, and nothing of it is trimmed.
    fn stands_bare(&self, separator: &[u8], value: &[u8]) -> bool {
        let quote = self.quotes && value.contains(&b'"');
        find(value, separator).is_none() && trim(value).len() == value.len() && !quote
    }
}

/// What a capture has to stop at, and whether a quote stands before it.
fn place_of(pieces: &[Piece], id: FieldId) -> Option<(&[u8], bool)> {
    let mut quoted = false;
    pieces.iter().find_map(|piece| match piece {
        Piece::Capture { field, stops, .. } if *field == id => Some((stops.as_slice(), quoted)),
        Piece::Capture { .. } => {
            quoted = false;
            None
        }
        Piece::Literal(text) => {
            quoted = text.ends_with(b"\"");
            None
        }
        Piece::Optional(inner) => place_of(inner, id),
    })
}

fn holds_capture(pieces: &[Piece], id: FieldId) -> bool {
    pieces.iter().any(|piece| match piece {
        Piece::Capture { field, .. } => *field == id,
        Piece::Literal(_) => false,
        Piece::Optional(inner) => holds_capture(inner, id),
    })
}

/// What a value stands for by its type.
enum Typed {
    Instant(UnixTime),
    Itself,
}

/// What a type demands beyond its characters. `None`: the value does not have it.
fn typed(field: &Field, value: &[u8]) -> Option<Typed> {
    let (least, most) = field.length;
    if value.len() < least || value.len() > most {
        return None;
    }
    let holds = match &field.kind {
        FieldType::Time(format) => return format.parse(value).map(Typed::Instant),
        FieldType::Names(_) => {
            are_names(value) && !value.iter().fold(false, |any, byte| any | byte.is_ascii_uppercase())
        }
        FieldType::NamesAny => are_names(value),
        _ => true,
    };
    holds.then_some(Typed::Itself)
}

const fn separates_names(byte: u8) -> bool {
    matches!(byte, b';' | b',' | b' ')
}

/// Whether no name of a list is empty; the empty list has none. No early end, so that many bytes are looked at at once.
fn are_names(value: &[u8]) -> bool {
    let separates = |byte: Option<&u8>| byte.is_some_and(|byte| separates_names(*byte));
    let pairs = value.iter().zip(value.iter().skip(1));
    let twice = pairs.fold(false, |twice, (a, b)| twice | (separates_names(*a) & separates_names(*b)));
    !(twice || separates(value.first()) || separates(value.last()))
}

/// The names of a list of names: none of an empty one. The capture's type admits only one separator, so there is no
/// guessing.
pub(crate) fn names(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let most = if value.is_empty() { 0 } else { usize::MAX };
    value.split(|byte| separates_names(*byte)).take(most)
}

/// Matches pieces from `at`; answers where they end.
fn advance(
    pieces: &[Piece],
    fields: &[Field],
    input: &[u8],
    mut at: usize,
    found: &mut Vec<(FieldId, usize, usize)>,
) -> Option<usize> {
    for piece in pieces {
        let rest = input.get(at..)?;
        match piece {
            Piece::Literal(text) => {
                if !rest.starts_with(text) {
                    return None;
                }
                at = at.checked_add(text.len())?;
            }
            Piece::Optional(inner) => {
                let mark = found.len();
                match advance(inner, fields, input, at, found) {
                    Some(next) => at = next,
                    None => found.truncate(mark),
                }
            }
            Piece::Capture { field: id, run, tail, .. } => {
                let field = fields.get(*id)?;
                let told = match tail {
                    Some(tail) => Some(rest.len().checked_sub(*tail)?),
                    None => fixed(field),
                };
                let length = match told {
                    Some(length) if rest.get(..length)?.iter().all(|byte| run.holds(*byte)) => length,
                    Some(_) => return None,
                    None => rest.iter().position(|byte| !run.holds(*byte)).unwrap_or(rest.len()),
                };
                if length < field.length.0 {
                    return None;
                }
                let end = at.checked_add(length)?;
                found.push((*id, at, end));
                at = end;
            }
        }
    }
    Some(at)
}

/// The items of a list, trimmed, as ranges.
struct Pieces<'a> {
    text: &'a [u8],
    separator: &'a [u8],
    quotes: bool,
    at: Option<usize>,
}

impl<'a> Pieces<'a> {
    const fn new(text: &'a [u8], separator: &'a [u8], quotes: bool) -> Self {
        Self { text, separator, quotes, at: Some(0) }
    }
}

impl Iterator for Pieces<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let start = self.at?;
        let mut quoted = false;
        let mut end = start;
        loop {
            let rest = self.text.get(end..)?;
            let first = self.separator.first().copied();
            let decides = |byte: &u8| Some(*byte) == first || *byte == b'"';
            let step = match first {
                // Most of a list lies between quotes, or there are none.
                _ if quoted => split_at_byte(rest, b'"').0.len(),
                Some(first) if !self.quotes => split_at_byte(rest, first).0.len(),
                _ => rest.iter().position(decides).unwrap_or(rest.len()),
            };
            if step == rest.len() {
                end = self.text.len();
                self.at = None;
                break;
            }
            end = end.saturating_add(step);
            let rest = rest.get(step..)?;
            if self.quotes && rest.first() == Some(&b'"') {
                quoted = !quoted;
            }
            if !quoted && rest.first().copied() == first && rest.starts_with(self.separator) {
                self.at = Some(end.saturating_add(self.separator.len()));
                break;
            }
            end = end.saturating_add(1);
        }
        let item = self.text.get(start..end)?;
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let before = item.iter().take_while(|byte| blank(byte)).count();
        let from = start.saturating_add(before);
        Some((from, from.saturating_add(trim(item).len())))
    }
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return None;
    }
    text.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
pub(crate) mod tests;

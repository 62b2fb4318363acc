//! The list register: loaded from the message, rewritten, rendered item by item.

use std::borrow::Cow;

use super::carrier::{Captures, names};
use super::list::{Decoding, Item, Order, Range};
use super::run::{Env, Scratch, Stop, absent, run};
use super::source::{is_form, split_target};
use super::{ListOp, Op};
use crate::canon;
use crate::reject::{Reason, Rejection, Subject};
use crate::scheme::draft::Span;
use crate::scheme::model::{FieldId, IfAbsent, ListSource, Listing, Source};

/// How many names a capture of names may list.
const MOST_NAMES: usize = 100;

pub(super) fn load(env: &Env<'_>, scratch: &mut Scratch, source: ListSource) -> Result<(), Stop> {
    let list = &mut scratch.list;
    list.clear();
    let target = |_| Rejection::new(Reason::TargetMalformed, None, Subject::Query);
    let body = |_| Rejection::new(Reason::BodyMalformed, None, Subject::Body);
    let query = split_target(env.view.target).1.unwrap_or_default();
    match source {
        ListSource::Query | ListSource::QueryPct | ListSource::QueryRaw => {
            list.parameters(query, Decoding::of(source)).map_err(target)?;
        }
        ListSource::Form | ListSource::FormRaw => {
            list.parameters(env.body.ok_or(Stop::NeedBody)?, Decoding::of(source)).map_err(body)?;
        }
        ListSource::Params => {
            list.parameters(query, Decoding::Form).map_err(target)?;
            list.parameters(env.body.ok_or(Stop::NeedBody)?, Decoding::Form).map_err(body)?;
        }
        ListSource::QueryForm => {
            list.parameters(query, Decoding::Form).map_err(target)?;
            let raw = env.body.ok_or(Stop::NeedBody)?;
            if is_form(&env.view)? {
                list.parameters(raw, Decoding::Form).map_err(body)?;
            }
        }
        ListSource::QueryJson | ListSource::QueryRawJson => {
            list.parameters(query, Decoding::of(source)).map_err(target)?;
            match env.body.ok_or(Stop::NeedBody)? {
                [] => {}
                raw => list.json(raw).map_err(body)?,
            }
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
    if list.is_too_long() {
        let what = if source.draws_on_body() { Subject::Body } else { Subject::Query };
        return Err(Rejection::new(Reason::TooLarge, None, what).into());
    }
    Ok(())
}

/// What lists the names, and what is to blame if it lists them badly. Names of field lines are in lower case whoever
/// wrote the list: a capture's type sees to it, a variable is anybody's text.
fn listed<'s>(env: &Env<'s>, captures: &'s Captures, listing: Listing) -> (Option<Cow<'s, [u8]>>, Subject) {
    match listing {
        Listing::Field(id) => (captures.get(id).map(Cow::Borrowed), Subject::Capture(id)),
        Listing::Var(id) => {
            let value = env.vars.get(id).and_then(Option::as_deref).filter(|value| !value.is_empty());
            let lower = |value: &'s [u8]| {
                let is_lower = !value.iter().any(u8::is_ascii_uppercase);
                if is_lower { Cow::Borrowed(value) } else { Cow::Owned(value.to_ascii_lowercase()) }
            };
            (value.map(lower), Subject::Part)
        }
    }
}

/// Loads the field lines whose names are listed, in that order.
pub(super) fn pick_fields(
    env: &Env<'_>,
    scratch: &mut Scratch,
    listing: Listing,
    if_absent: IfAbsent,
    span: Span,
) -> Result<(), Stop> {
    let (listed, subject) = listed(env, &scratch.captures, listing);
    let Some(listed) = listed.as_deref() else { return Ok(()) };
    let list = &mut scratch.list;
    let text = std::str::from_utf8(listed).ok();
    let mut start: usize = 0;
    for (index, name) in names(listed).enumerate() {
        if index >= MOST_NAMES {
            return Err(Rejection::new(Reason::TooLarge, Some(span), subject.clone()).into());
        }
        let end = start.saturating_add(name.len());
        let listed_as = text.map_or_else(|| std::str::from_utf8(name).ok(), |text| text.get(start..end));
        start = end.saturating_add(1);
        if list.items.iter().any(|item| list.slice(item.k).eq_ignore_ascii_case(name)) {
            return Err(Rejection::new(Reason::FieldDuplicated, Some(span), subject.clone()).into());
        }
        let listed_as = listed_as.unwrap_or_default();
        let lowered = listed_as.bytes().any(|byte| byte.is_ascii_uppercase()).then(|| listed_as.to_ascii_lowercase());
        let lower = lowered.as_deref().unwrap_or(listed_as);
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
                    return Err(Rejection::new(Reason::FieldMissing, Some(span), subject.clone()).into());
                }
                IfAbsent::Skip => {}
            }
        }
    }
    Ok(())
}

pub(super) fn rewrite(env: &Env<'_>, scratch: &mut Scratch, op: &ListOp) -> Result<(), Stop> {
    match op {
        ListOp::Convert(by, span) => {
            scratch
                .list
                .convert(*by, &mut scratch.tmp)
                .map_err(|canon::Malformed| Rejection::new(Reason::TargetMalformed, Some(*span), Subject::Part))?;
        }
        ListOp::Dedupe => scratch.list.dedupe(),
        ListOp::DropEmpty => scratch.list.retain(|_, value| !value.is_empty()),
        ListOp::Each(program) => each(env, scratch, program)?,
        ListOp::First => scratch.list.one_each(false),
        ListOp::Fold(separator) => scratch.list.fold(separator),
        ListOp::JavaMap(span) => {
            let refused = |reason| Rejection::new(reason, Some(*span), Subject::Body);
            scratch.list.java_map(canon::java_string, &mut scratch.tmp).map_err(refused)?;
        }
        ListOp::Last => scratch.list.one_each(true),
        ListOp::Listed(field, globs, span) => keep_listed(scratch, *field, globs, *span)?,
        ListOp::LowerNames => scratch.list.lower_names(),
        ListOp::Only(globs, only) => {
            let among = |name: &[u8]| globs.iter().any(|pattern| canon::glob(pattern.as_bytes(), name));
            scratch.list.retain(|name, _| among(name) == *only);
        }
        ListOp::Pick(listing, if_absent, span) => pick(env, scratch, *listing, *if_absent, *span)?,
        ListOp::Sort => scratch.list.sort(Order::Name),
        ListOp::SortCollated => scratch.list.sort(Order::Collated),
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
                scratch.list.items.insert(0, Item { k, v, has_value: true, bare: *bare, json: false });
            }
            scratch.out.truncate(end);
        }
    }
    Ok(())
}

/// Appends the list as fastjson writes a sorted map of strings.
pub(super) fn fastjson(scratch: &mut Scratch, span: Span) -> Result<(), Stop> {
    let unreadable = |canon::Malformed| Rejection::new(Reason::BodyMalformed, Some(span), Subject::Body);
    let Scratch { list, out, tmp, .. } = scratch;
    list.java_map(canon::fastjson_scalar, tmp).map_err(|reason| Rejection::new(reason, Some(span), Subject::Body))?;
    out.push(b'{');
    for (index, item) in list.items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        canon::fastjson_string(list.slice(item.k), out).map_err(unreadable)?;
        out.push(b':');
        canon::fastjson_string(list.slice(item.v), out).map_err(unreadable)?;
    }
    out.push(b'}');
    Ok(())
}

/// Keeps the items whose names are listed, in that order.
fn pick(env: &Env<'_>, scratch: &mut Scratch, listing: Listing, if_absent: IfAbsent, span: Span) -> Result<(), Stop> {
    let (listed, subject) = listed(env, &scratch.captures, listing);
    let Some(listed) = listed.as_deref() else {
        scratch.list.clear();
        return Ok(());
    };
    let items = std::mem::take(&mut scratch.list.items);
    for (index, name) in names(listed).enumerate() {
        if index >= MOST_NAMES {
            return Err(Rejection::new(Reason::TooLarge, Some(span), subject.clone()).into());
        }
        if names(listed).take(index).any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(Rejection::new(Reason::FieldDuplicated, Some(span), subject.clone()).into());
        }
        let before = scratch.list.items.len();
        for item in &items {
            if scratch.list.slice(item.k).eq_ignore_ascii_case(name) {
                scratch.list.items.push(*item);
            }
        }
        if scratch.list.items.len() == before {
            match if_absent {
                IfAbsent::Empty => scratch.list.push(name, b""),
                IfAbsent::Reject => {
                    return Err(Rejection::new(Reason::FieldMissing, Some(span), subject.clone()).into());
                }
                IfAbsent::Skip => {}
            }
        }
    }
    Ok(())
}

/// Keeps the items that a capture of names lists and those that match, in their own order. Who lists a name wants it
/// signed, so one that is absent is refused.
fn keep_listed(scratch: &mut Scratch, field: FieldId, globs: &[String], span: Span) -> Result<(), Stop> {
    let text = scratch.captures.get(field).unwrap_or_default();
    let listed: Vec<&[u8]> = names(text).take(MOST_NAMES.saturating_add(1)).collect();
    let refuse = |reason| Err(Rejection::new(reason, Some(span), Subject::Capture(field)).into());
    if listed.len() > MOST_NAMES {
        return refuse(Reason::TooLarge);
    }
    let list = &mut scratch.list;
    for (index, name) in listed.iter().enumerate() {
        if listed.iter().take(index).any(|other| other.eq_ignore_ascii_case(name)) {
            return refuse(Reason::FieldDuplicated);
        }
        if !list.items.iter().any(|item| list.slice(item.k).eq_ignore_ascii_case(name)) {
            return refuse(Reason::FieldMissing);
        }
    }
    list.retain(|name, _| {
        listed.iter().any(|other| other.eq_ignore_ascii_case(name))
            || globs.iter().any(|glob| canon::glob(glob.as_bytes(), name))
    });
    Ok(())
}

/// Renders each item; the list then holds the texts.
fn each(env: &Env<'_>, scratch: &mut Scratch, program: &[Op]) -> Result<(), Stop> {
    let mut rendered = scratch.spare.pop().unwrap_or_default();
    let result = walk(env, scratch, program, b"", &mut |scratch, mark, item| {
        let k = scratch.each.last().map(|(list, _)| rendered.put(list.slice(item.k))).unwrap_or_default();
        let v: Range = rendered.put(scratch.out.get(mark..).unwrap_or_default());
        rendered.items.push(Item { k, v, has_value: true, bare: true, json: false });
        scratch.out.truncate(mark);
    });
    scratch.list.clear();
    std::mem::swap(&mut scratch.list, &mut rendered);
    scratch.spare.push(rendered);
    result
}

pub(super) fn each_join(env: &Env<'_>, scratch: &mut Scratch, program: &[Op], separator: &[u8]) -> Result<(), Stop> {
    if !program.is_empty() && program.iter().all(is_plain) {
        plain_join(scratch, program, separator);
        return Ok(());
    }
    walk(env, scratch, program, separator, &mut |_, _, _| {})
}

/// Whether an operation only writes text, the name of an item or its value, as nearly all do that render items.
fn is_plain(op: &Op) -> bool {
    match op {
        Op::Text(_) | Op::Push(Source::K, _) => true,
        Op::OrNothing(source) => matches!(**source, Op::Push(Source::V, _)),
        _ => false,
    }
}

/// What [`walk`] does with a program of plain operations, without running it for each item.
fn plain_join(scratch: &mut Scratch, program: &[Op], separator: &[u8]) {
    let Scratch { list, out, missing, .. } = scratch;
    for (index, item) in list.items.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(separator);
        }
        if item.bare {
            out.extend_from_slice(list.slice(item.v));
            continue;
        }
        for op in program {
            match op {
                Op::Text(text) => out.extend_from_slice(text),
                Op::Push(..) => out.extend_from_slice(list.slice(item.k)),
                _ if item.has_value => out.extend_from_slice(list.slice(item.v)),
                _ => *missing = None,
            }
        }
    }
    list.clear();
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

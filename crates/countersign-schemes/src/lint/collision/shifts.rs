//! Pairs that move text from one value to another: where a text can be read in two ways.
//!
//! Of two values of which the first stands before the second, with some text between them, a message has another
//! twin if what separates them can be a part of either: the second value disappears in the first
//! (`a=1&b=2` is an `a` of `1&b=2`), or the text between moves over (an `a` of `1=` and a `b`).

use super::draft::{Draft, Place, Slot};
use super::engine::Engine;
use super::{Collision, Shown, place};
use crate::lint::subject::Reading;
use crate::lint::text::Owner;
use crate::lint::written::{Made, Written};
use countersign_core::scheme::Span;
use countersign_core::scheme::model::{Filter, ListSource, Message, Part, Source, Template, Value};

/// The pairs for each reading, and for each list.
pub(super) fn shown(
    engine: &Engine<'_>,
    drafts: &[Draft],
    message: &Message,
    written: &Written,
    readings: &[Reading],
) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for list in &written.lists {
        let Ok(clashes) = &list.clashes else { continue };
        let Some(text) = template(message, list.span, true) else { continue };
        for clash in clashes {
            let rule =
                if clash.one.is_some() && clash.other.is_some() { "pairs-undelimited" } else { "pairs-unescaped" };
            if shown.iter().any(|known| known.rule == rule && known.span == list.span) {
                continue;
            }
            let found = drafts
                .iter()
                .find_map(|draft| search(engine, draft, &text, &items(draft, list.source), &|_, _| true));
            shown.extend(found.map(|collision| Shown { rule, span: list.span, collision }));
        }
    }
    for reading in readings.iter().filter(|reading| reading.accepted) {
        let Ok(clash) = reading.clash else { continue };
        let Some(text) = template(message, reading.text, false) else { continue };
        let rule =
            if clash.one.is_some() && clash.other.is_some() { "values-adjacent" } else { "separator-in-value" };
        let span = place(written, reading.text, clash.one, clash.other);
        if shown.iter().any(|known| known.rule == rule && known.span == span) {
            continue;
        }
        let found = drafts.iter().find_map(|draft| {
            let [ours, theirs] = [clash.one, clash.other]
                .map(|owner| owner.map(|owner| slots_of(draft, written, message, owner)).unwrap_or_default());
            let (both, neither) =
                (clash.one.is_some() && clash.other.is_some(), clash.one.is_none() && clash.other.is_none());
            let involved = |one: &Slot, other: &Slot| {
                let apart =
                    (ours.contains(one) && theirs.contains(other)) || (ours.contains(other) && theirs.contains(one));
                let either = [one, other].iter().any(|slot| ours.contains(slot) || theirs.contains(slot));
                (if both { apart } else { either || neither }) && !one.is_beside(other)
            };
            search(engine, draft, &text, &slots(draft, written, message), &involved)
        });
        shown.extend(found.map(|collision| Shown { rule, span, collision }));
    }
    shown
}

/// What moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    /// The second value, and all that stands between, into the first.
    Merge,
    /// What stands between them, or some bytes where nothing does.
    Bytes,
    /// The first value, to where the second would stand: each is there alone.
    Place,
}

/// The first pair of drafts that collide.
fn search(
    engine: &Engine<'_>,
    draft: &Draft,
    text: &Template,
    slots: &[Slot],
    involved: &dyn Fn(&Slot, &Slot) -> bool,
) -> Option<Collision> {
    let draft = explicit(engine, draft, slots)?;
    let rendered = engine.rendered(text, &draft)?;
    for how in [Move::Merge, Move::Bytes, Move::Place] {
        for first in slots {
            for second in slots.iter().filter(|second| *second != first && involved(first, second)) {
                let (Some(a), Some(b)) = (draft.text(first), draft.text(second)) else { continue };
                for between in gaps(&rendered, &a, &b) {
                    let found = candidates(&draft, (first, &a), (second, &b), &between, how)
                        .into_iter()
                        .find_map(|(one, other)| engine.collides(&one, &other));
                    if found.is_some() {
                        return found;
                    }
                }
            }
        }
    }
    None
}

/// How many places are looked at where two values may stand.
const MOST_GAPS: usize = 3;

/// What stands between two values, wherever they may stand.
fn gaps(text: &[u8], a: &[u8], b: &[u8]) -> Vec<Vec<u8>> {
    let at = |needle: &[u8], from: usize| {
        (from..=text.len())
            .find(|at| !needle.is_empty() && text.get(*at..).is_some_and(|rest| rest.starts_with(needle)))
    };
    let mut gaps = Vec::new();
    let mut from = 0;
    while let Some(start) = at(a, from) {
        let end = start + a.len();
        // The longest run of the first value that is not the beginning of a longer one is as good as any.
        if let Some(next) = at(b, end) {
            gaps.extend(text.get(end..next).map(<[u8]>::to_vec));
        }
        from = start + 1;
        if gaps.len() >= MOST_GAPS {
            break;
        }
    }
    gaps
}

/// Drafts that should have one text.
fn candidates(
    draft: &Draft,
    (first, a): (&Slot, &[u8]),
    (second, b): (&Slot, &[u8]),
    between: &[u8],
    how: Move,
) -> Vec<(Draft, Draft)> {
    let joined = |parts: &[&[u8]]| parts.concat();
    let mut found = Vec::new();
    match how {
        Move::Merge => {
            let whole = joined(&[a, between, b]);
            for (stays, goes) in [(first, second), (second, first)] {
                let merged = draft.with(stays, &whole).and_then(|draft| draft.without(goes));
                found.extend(merged.map(|merged| (draft.clone(), merged)));
            }
        }
        Move::Bytes if between.is_empty() => {
            if let (Some((head, rest)), false) = (b.split_first(), b.len() < 2) {
                let other = draft.with(first, &joined(&[a, &[*head]])).and_then(|draft| draft.with(second, rest));
                found.extend(other.map(|other| (draft.clone(), other)));
            }
            if let (Some((tail, rest)), false) = (a.split_last(), a.len() < 2) {
                let other = draft.with(first, rest).and_then(|draft| draft.with(second, &joined(&[&[*tail], b])));
                found.extend(other.map(|other| (draft.clone(), other)));
            }
            for byte in [b"0", b"a", b"/", b"-"] {
                let one = draft.with(second, &joined(&[byte, b]));
                let other = draft.with(first, &joined(&[a, byte]));
                found.extend(one.zip(other));
            }
        }
        Move::Place => {
            let one = draft.without(second);
            let other = draft.with(second, a).and_then(|draft| draft.without(first));
            found.extend(one.zip(other));
        }
        Move::Bytes => {
            let one = draft.with(second, &joined(&[between, b]));
            let other = draft.with(first, &joined(&[a, between]));
            found.extend(one.zip(other));
        }
    }
    found
}

/// The draft with its captures given, so that they can be exchanged.
fn explicit(engine: &Engine<'_>, draft: &Draft, slots: &[Slot]) -> Option<Draft> {
    let signed = engine.sign(draft)?.ok()?;
    let read = engine.read(&signed)?;
    let mut draft = draft.clone();
    for slot in slots {
        let Slot::Capture(name) = slot else { continue };
        if let Some((_, value)) = read.fields.iter().find(|(known, _)| known == name) {
            draft.give(name, std::str::from_utf8(value).ok()?);
        }
    }
    Some(draft)
}

/// Every slot that the base draws on.
fn slots(draft: &Draft, written: &Written, message: &Message) -> Vec<Slot> {
    let mut slots = Vec::new();
    for index in 0..written.origins.len() {
        for slot in slots_of(draft, written, message, Owner(index)) {
            if !slots.contains(&slot) {
                slots.push(slot);
            }
        }
    }
    // Whose key it is decides over everything else.
    slots.sort_by_key(|slot| *slot == Slot::Capture("key-id".to_owned()));
    slots
}

/// The slots of a value.
fn slots_of(draft: &Draft, written: &Written, message: &Message, owner: Owner) -> Vec<Slot> {
    match written.origin(owner).map(|origin| &origin.made) {
        Some(Made::Filtered(inner, ..)) => slots_of(draft, written, message, *inner),
        Some(Made::List(number) | Made::Name(number) | Made::Value(number)) => {
            written.lists.get(*number).map(|list| items(draft, list.source)).unwrap_or_default()
        }
        Some(Made::Source(source)) => of_source(draft, message, source).into_iter().collect(),
        Some(Made::Either(..) | Made::Same(..) | Made::Texts(..) | Made::Unknown) | None => Vec::new(),
    }
}

/// The names and values of a list's items.
fn items(draft: &Draft, list: ListSource) -> Vec<Slot> {
    let Some(place) = draft.place(list) else {
        return draft.fields.iter().map(|(name, _)| Slot::Header(name.to_ascii_lowercase())).collect();
    };
    let merged = matches!(list, ListSource::Params | ListSource::QueryForm | ListSource::QueryJson);
    let other = (merged && place == Place::Body).then_some(Place::Query);
    let of = |place: Place| (0..draft.items(place).len()).map(move |index| (place, index));
    let all = of(place).chain(other.into_iter().flat_map(of));
    all.flat_map(|(place, index)| [Slot::Name(place, index), Slot::Value(place, index)]).collect()
}

/// The slot of a source.
pub(super) fn of_source(draft: &Draft, message: &Message, source: &Source) -> Option<Slot> {
    let item = |place: Place, name: &str| {
        let index = draft.items(place).iter().position(|item| item.k == name.as_bytes());
        index.map(|index| Slot::Value(place, index))
    };
    Some(match source {
        Source::Body => Slot::Body,
        Source::Field(id) => Slot::Capture(message.fields.get(*id)?.name.clone()),
        Source::Form(name) | Source::Json(name) | Source::Xml(name) => return item(Place::Body, name),
        Source::Header(name) if name != "host" => Slot::Header(name.clone()),
        Source::Method => Slot::Method,
        Source::Path => Slot::Path,
        Source::Peer => Slot::Peer,
        Source::Query(name) => return item(Place::Query, name),
        Source::QueryString => Slot::QueryString,
        Source::Target | Source::Url => Slot::Target,
        _ => return None,
    })
}

/// The template of a text, by its place: what stands before the filters that make it disappear.
fn template(message: &Message, span: Span, list: bool) -> Option<Template> {
    if !list && message.base.span == span {
        return Some(message.base.clone());
    }
    let texts = std::iter::once(&message.base)
        .chain(message.lets.iter().map(|entry| &entry.text))
        .chain(message.binds.iter().map(|bind| &bind.value));
    texts.into_iter().find_map(|text| within(message, text, span, list))
}

fn within(message: &Message, text: &Template, span: Span, list: bool) -> Option<Template> {
    text.parts.iter().find_map(|part| match part {
        Part::Literal(_) => None,
        Part::Optional(inner) => within(message, inner, span, list),
        Part::Value(value) => {
            if value.span == span
                && let Some(found) = unfiltered(message, value, list)
            {
                return Some(found);
            }
            let inner =
                if let Source::Quoted(inner) = &value.source { within(message, inner, span, list) } else { None };
            inner.or_else(|| {
                value.filters.iter().find_map(|filter| match filter {
                    Filter::Each(text) | Filter::Or(text) | Filter::Hmac(_, text) => {
                        within(message, text, span, list)
                    }
                    Filter::With { value, .. } => within(message, value, span, list),
                    _ => None,
                })
            })
        }
    })
}

fn unfiltered(message: &Message, value: &Value, list: bool) -> Option<Template> {
    match &value.source {
        Source::List(_) if list => {
            let end = value.filters.iter().position(|filter| matches!(filter, Filter::Join(_)))?;
            let filters = value.filters.get(..=end)?.to_vec();
            let value = Value { filters, ..value.clone() };
            Some(Template { parts: vec![Part::Value(value)], span: Span::default() })
        }
        _ if list => None,
        Source::Quoted(inner) => Some(inner.clone()),
        Source::Let(id) => message.lets.get(*id).map(|entry| entry.text.clone()),
        _ => None,
    }
}

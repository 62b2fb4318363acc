//! Carriers of random templates: whatever is read from one is what it is written from.

use super::*;
use crate::plan::run::{Env, Scratch, run};
use crate::plan::{MessagePlan, Plan};
use crate::request::{RequestView, Transport};
use crate::scheme::Scheme;
use crate::scheme::draft::{self, At, Atom, Expr, Place, SchemeDraft, SignDraft};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::cell::Cell;
use std::sync::Arc;

const TYPES: &[&str] = &[
    "text",
    "text",
    "quotable",
    "token",
    "unreserved",
    "word",
    "int",
    "hex",
    "HEX",
    "b64",
    "b64url",
    "names",
    "names-space",
    "unix",
    "iso",
    "date",
    "http-date",
    "yyyy-MM-dd HH:mm@+08:00",
];
const LITERALS: &[&str] =
    &["", ".", ",", ", ", " ", "a", "a=", "b=", "\"", "=\"", "\", ", ";", "-", "x", "v1,", "Basic "];

/// A piece of a template: text, or a capture by its number, its type, and whether it may be absent.
#[derive(Debug, Clone)]
enum Bit {
    Text(&'static str),
    Capture(&'static str, bool),
    Optional(Vec<Bit>),
}

fn bits() -> impl Strategy<Value = Vec<Bit>> {
    let text = || select(LITERALS).prop_map(Bit::Text);
    let capture =
        || (select(TYPES), prop::bool::weighted(0.1)).prop_map(|(kind, optional)| Bit::Capture(kind, optional));
    let leaf = || prop_oneof![3 => text(), 3 => capture()];
    let inner = vec(leaf(), 1..3).prop_map(Bit::Optional);
    let nested = (vec(leaf(), 1..3), vec(leaf(), 1..3)).prop_map(|(mut outer, inner)| {
        outer.push(Bit::Optional(inner));
        Bit::Optional(outer)
    });
    vec(prop_oneof![4 => text(), 4 => capture(), 1 => inner, 1 => nested], 1..6)
}

/// The items of a list: `a=…`, `b="…"`, some of them optional with their separator, behind a scheme's name or not.
fn list() -> impl Strategy<Value = (Vec<Bit>, Option<&'static str>)> {
    let item = (select(TYPES), any::<bool>(), prop::bool::weighted(0.2));
    let head = select(&["", "", "Basic "][..]);
    let separator = select(&[",", ";", " ", "&"][..]);
    (vec(item, 1..5), head, separator, any::<bool>()).prop_map(|(items, head, separator, blank)| {
        let mut bits = vec![Bit::Text(if separator == " " { "" } else { head })];
        for (index, (kind, quoted, optional)) in items.into_iter().enumerate() {
            let mut item = Vec::new();
            if index > 0 {
                item.extend([Bit::Text(separator), Bit::Text(if blank && separator != " " { " " } else { "" })]);
            }
            let (before, after) = if quoted { ("=\"", "\"") } else { ("=", "") };
            item.extend([Bit::Text(["a", "b", "c", "d"][index]), Bit::Text(before)]);
            item.extend([Bit::Capture(kind, false), Bit::Text(after)]);
            if optional && index > 0 {
                bits.push(Bit::Optional(item));
            } else {
                bits.extend(item);
            }
        }
        (bits, Some(separator))
    })
}

/// A carrier's template, and its separator where it is a list.
fn any_carrier() -> impl Strategy<Value = (Vec<Bit>, Option<&'static str>)> {
    prop_oneof![bits().prop_map(|bits| (bits, None)), list()]
}

fn expr(name: &str, kind: Option<&str>, optional: bool, filters: Vec<draft::Filter>) -> Expr {
    Expr {
        atom: Atom::Name(name.to_owned()),
        kind: kind.map(|kind| At::new(kind.to_owned(), Span::default())),
        length: None,
        optional,
        filters,
        span: Span::default(),
    }
}

fn template(bits: &[Bit], count: &mut usize) -> draft::Template {
    let mut parts: Vec<draft::Part> = Vec::new();
    for bit in bits {
        match bit {
            // The grammar merges adjacent text, and has none that is empty.
            Bit::Text(text) => match parts.last_mut() {
                _ if text.is_empty() => {}
                Some(draft::Part::Literal(before)) => before.extend_from_slice(text.as_bytes()),
                _ => parts.push(draft::Part::Literal(text.as_bytes().to_vec())),
            },
            Bit::Capture(kind, optional) => {
                let name = format!("f{count}");
                *count += 1;
                parts.push(draft::Part::Expr(expr(&name, Some(kind), *optional, Vec::new())));
            }
            Bit::Optional(inner) => parts.push(draft::Part::Optional(template(inner, count))),
        }
    }
    draft::Template { parts, span: Span::default() }
}

/// A scheme with this carrier beside the one of its signature; `None` where it could not be parsed back.
fn plan(bits: &[Bit], split: Option<&str>, reject: bool) -> Option<(Arc<Plan>, usize)> {
    let mut count = 0;
    let carrier = |name: &str, text: draft::Template, split: Option<&str>| draft::Carrier {
        place: Place::Header,
        name: At::new(name.to_owned(), Span::default()),
        text,
        split: split.map(|split| At::new(split.to_owned(), Span::default())),
        unknown: reject.then(|| At::new("reject".to_owned(), Span::default())),
        repeat: None,
        decode: None,
        within: None,
    };
    let one = |expr| draft::Template { parts: vec![draft::Part::Expr(expr)], span: Span::default() };
    let filter = |name: &str| draft::Filter { name: name.to_owned(), args: Vec::new(), span: Span::default() };
    let mut scheme = SchemeDraft { name: "random".to_owned(), ..SchemeDraft::default() };
    scheme.request.carriers = vec![
        carrier("x", template(bits, &mut count), split),
        carrier("s", one(expr("signature", Some("hex"), false, Vec::new())), None),
    ];
    scheme.request.sign = Some(SignDraft {
        base: one(expr("secret", None, false, Vec::new())),
        signature: one(expr("base", None, false, vec![filter("md5"), filter("hex")])),
        cover: None,
        include: None,
    });
    let scheme = Scheme::check(&scheme).ok()?;
    Some((Plan::compile(&scheme), count))
}

/// A plan that verifies something.
pub(crate) fn any_plan() -> Arc<Plan> {
    plan(&[Bit::Capture("hex", false)], None, false).expect("a scheme in order").0
}

/// What the captures are written as; `None` where one that is needed is missing.
fn written(plan: &Plan, captures: &[Option<Vec<u8>>]) -> Option<Vec<u8>> {
    let message: &MessagePlan = &plan.request;
    let fields: &[(&str, &str)] = &[];
    let fields: Vec<(&str, &str)> = fields.to_vec();
    let view = RequestView {
        method: "GET",
        target: b"/",
        authority: "",
        transport: Transport::Http,
        fields: &fields,
        body: None,
        peer: None,
        status: None,
        trailers: None,
        answers: None,
    };
    let variant = message.variants.first().expect("a variant");
    let env = Env { view, plan: message, variant, vars: &[], key: None, hash: crate::alg::Hash::Md5, body: None };
    let mut scratch = Scratch::default();
    scratch.reset(captures.len() + 1);
    for (id, value) in captures.iter().enumerate() {
        if let Some(value) = value {
            scratch.captures.set(id, value);
        }
    }
    let whole = run(&env, &mut scratch, message.writes.first().expect("a carrier")).expect("nothing of a message");
    whole.then_some(std::mem::take(&mut scratch.out))
}

/// What is read from a value, capture by capture.
fn read(plan: &Plan, count: usize, value: &[u8]) -> Option<Vec<Option<Vec<u8>>>> {
    let message = &plan.scheme().request;
    let mut captures = Captures::default();
    captures.reset(message.fields.len());
    let shape = &message.carriers.first().expect("a carrier").shape;
    shape.read(&message.fields, message.signature_field, value, &mut captures).ok()?;
    Some((0..count).map(|id| captures.get(id).map(<[u8]>::to_vec)).collect())
}

/// Text that a carrier may hold.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = select(
        &[
            "a",
            "b",
            "=",
            "a=",
            "b=",
            "\"",
            ",",
            ", ",
            " ",
            ".",
            ";",
            "-",
            "x",
            "v1,",
            "1",
            "12",
            "00",
            "ab",
            "Basic ",
            "1760000000",
            "2025-10-09T08:53:20Z",
            "20251009",
            "Thu, 09 Oct 2025 08:53:20 GMT",
            "2025-10-09 16:53",
            "é",
            "host;date",
            "A",
            "Z~",
            "+/=",
            "\t",
            "\0",
            "\\",
        ][..],
    );
    vec(piece, 0..8).prop_map(|pieces| pieces.concat().into_bytes())
}

/// At least this many of the cases have to say something.
fn enough(said: &Cell<u32>) {
    assert!(said.get() > 100, "{}", said.get());
}

#[test]
fn what_was_read_is_written_again() {
    let said = Cell::new(0);
    let input = (any_carrier(), any::<bool>(), vec(value(), 20));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2_000));
    let result = runner.run(&input, |((bits, split), reject, values)| {
        let Some((plan, count)) = plan(&bits, split, reject) else { return Ok(()) };
        for value in values {
            let Some(captures) = read(&plan, count, &value) else { continue };
            said.set(said.get() + u32::from(count > 0));
            let again = written(&plan, &captures);
            prop_assert!(again.is_some(), "{:?} is read as {:?} and cannot be written", value, captures);
            let again = again.unwrap_or_default();
            if split.is_none() {
                prop_assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&value));
            }
            prop_assert_eq!(read(&plan, count, &again), Some(captures));
        }
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.expect_err("failed"));
    enough(&said);
}

#[test]
fn what_is_written_is_read_again() {
    let said = Cell::new(0);
    let input = (any_carrier(), any::<bool>(), vec(vec(prop::option::weighted(0.8, value()), 12), 20));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2_000));
    let result = runner.run(&input, |((bits, split), reject, assignments)| {
        let Some((plan, count)) = plan(&bits, split, reject) else { return Ok(()) };
        let message = &plan.scheme().request;
        let shape = &message.carriers.first().expect("a carrier").shape;
        for mut values in assignments {
            values.truncate(count);
            for (id, value) in values.iter_mut().enumerate() {
                if value.as_ref().is_some_and(|value| !shape.admits(&message.fields, id, value)) {
                    *value = None;
                }
            }
            let Some(text) = written(&plan, &values) else { continue };
            said.set(said.get() + u32::from(values.iter().any(Option::is_some)));
            let again = read(&plan, count, &text);
            prop_assert!(again.is_some(), "{:?} of {:?} is not read", String::from_utf8_lossy(&text), values);
            let again = again.unwrap_or_default();
            // What stands in a segment that is absent is not written, and nothing else is lost.
            prop_assert!(
                again.iter().zip(&values).all(|(read, meant)| read.is_none() || read == meant),
                "{:?} of {:?}",
                again,
                values
            );
            prop_assert_eq!(written(&plan, &again), Some(text));
        }
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.expect_err("failed"));
    enough(&said);
}

#[test]
fn what_was_read_and_what_is_written_are_the_same_or_not() {
    let items = [Bit::Text("Basic a="), Bit::Capture("hex", false), Bit::Text(", b="), Bit::Capture("hex", false)];
    let list = |reject| {
        let (plan, _) = plan(&items, Some(","), reject).expect("a scheme");
        plan.scheme().request.carriers[0].shape.clone()
    };
    let written = b"Basic a=01, b=02";
    let same = |read: &[u8]| list(false).same(usize::MAX, read, written);
    for read in [&b"Basic a=01, b=02"[..], b"Basic b=02,a=01", b"Basic a=01,  b=02 , c=03"] {
        assert!(same(read), "{:?}", String::from_utf8_lossy(read));
    }
    for read in
        [&b"Basic a=01"[..], b"Basic a=01, b=03", b"Basic a=01, b=02, a=03", b"basic a=01, b=02", b"a=01, b=02", b""]
    {
        assert!(!same(read), "{:?}", String::from_utf8_lossy(read));
    }
    let (plan, _) = plan(&items[..2], None, false).expect("a scheme");
    let whole = &plan.scheme().request.carriers[0].shape;
    assert!(whole.same(usize::MAX, b"Basic a=01", b"Basic a=01"));
    assert!(!whole.same(usize::MAX, b"Basic a=01", b"Basic a=01 "));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic((bits, split) in any_carrier(), value: Vec<u8>) {
        if let Some((plan, count)) = plan(&bits, split, true) {
            let _ = read(&plan, count, &value);
        }
    }
}

//! What a signature covers: some of it by the scheme, some of it by what the message lists.

use crate::plan::MessagePlan;
use crate::plan::carrier::names;
use crate::plan::compile::{Depth, on_body};
use crate::plan::run::Scratch;
use crate::scheme::model::{FieldId, Filter, ListSource, Message, Part, Source, Template};

/// What a signature covers of a message, and what it leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Covered parts: `method`, `authority`, `path`, `query`, `body`, the names of captures, and
    /// `header NAME`, `query NAME` … for single ones.
    pub covered: Vec<String>,
    /// Those of `method`, `authority`, `path`, `query` and `body` that are not.
    pub not_covered: Vec<String>,
}

impl Coverage {
    /// Whether a part is covered.
    #[must_use]
    pub fn covers(&self, part: &str) -> bool {
        self.covered.iter().any(|covered| covered == part)
    }
}

/// What became of the digest that a message claims for its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyBound {
    /// It is signed, and it is the body's.
    Compared,
    /// No digest is claimed.
    Unclaimed,
    /// A value is claimed that says that the body is not signed, or the claim is not signed.
    Waived,
}

/// What a verification learnt about the message that coverage depends on.
#[derive(Debug)]
pub(super) struct Facts {
    /// What became of the body's claimed digest.
    pub(super) body: BodyBound,
    /// Whether the message names its authority.
    pub(super) host: bool,
    /// One bit for each of the first 64 field lines that the scheme would sign and the message does not have.
    pub(super) absent: u64,
}

/// The bit of a number below 64.
pub(super) fn bit(index: usize) -> u64 {
    u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index)).unwrap_or(0)
}

/// The parts that a message may leave open.
const PARTS: [&str; 5] = ["method", "authority", "path", "query", "body"];

pub(super) fn of(message: &Message, plan: &MessagePlan, facts: &Facts, scratch: &Scratch) -> Coverage {
    let signed = &plan.signed;
    let mut covered: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !covered.iter().any(|known| known == name) {
            covered.push(name.to_owned());
        }
    };
    for source in &signed.sources {
        match source {
            Source::Field(id) => {
                if let Some(field) = message.fields.get(*id).filter(|_| scratch.captures.get(*id).is_some()) {
                    add(&field.name);
                }
            }
            Source::Form(name) => add(&format!("form {name}")),
            Source::Header(name) if name == "host" => add("authority"),
            Source::Header(name) if absent(plan, facts, name) => {}
            Source::Header(name) => add(&format!("header {name}")),
            Source::Host | Source::Hostname => add("authority"),
            Source::Json(name) => add(&format!("json {name}")),
            Source::List(ListSource::Params | ListSource::Query | ListSource::QueryPct | ListSource::QueryRaw)
                if whole_query(message) =>
            {
                add("query");
            }
            Source::Method => add("method"),
            Source::Path => add("path"),
            Source::Query(name) => add(&format!("query {name}")),
            Source::QueryString => add("query"),
            Source::Status => add("status"),
            Source::Target => {
                add("path");
                add("query");
            }
            Source::Url => {
                add("authority");
                add("path");
                add("query");
            }
            _ => {}
        }
    }
    if covers_body(message, facts.body) {
        add("body");
    }
    for id in &plan.listings {
        for name in names(scratch.captures.get(*id).unwrap_or_default()) {
            match name {
                b"host" if facts.host => add("authority"),
                b"@request-target" | b"request-line" => {
                    add("method");
                    add("path");
                    add("query");
                }
                name => add(&format!("header {}", String::from_utf8_lossy(name))),
            }
        }
    }
    let not_covered = PARTS
        .iter()
        .filter(|part| !covered.iter().any(|known| known == *part))
        .map(|part| (*part).to_owned())
        .collect();
    Coverage { covered, not_covered }
}

fn absent(plan: &MessagePlan, facts: &Facts, name: &str) -> bool {
    plan.signed_headers.iter().position(|known| known == name).is_some_and(|index| facts.absent & bit(index) != 0)
}

impl BodyBound {
    /// After another claim that was compared: it counts only if it is signed.
    pub(super) const fn and(self, signed: bool) -> Self {
        match (self, signed) {
            (Self::Compared, _) | (Self::Unclaimed, true) => Self::Compared,
            (Self::Unclaimed, false) | (Self::Waived, _) => Self::Waived,
        }
    }
}

/// Whether the signature covers a capture or a field line of this message.
pub(super) fn signs(plan: &MessagePlan, scratch: &Scratch, what: &Source) -> bool {
    let header = |name: &String| {
        let listed = |id: &FieldId| names(scratch.captures.get(*id).unwrap_or_default());
        plan.signed.sources.iter().any(|source| matches!(source, Source::Header(other) if other == name))
            || plan.listings.iter().any(|id| listed(id).any(|listed| listed == name.as_bytes()))
    };
    match what {
        Source::Field(id) => {
            plan.signed.fields.contains(id)
                || plan.carried_by.get(*id).is_some_and(|by| by.as_ref().is_some_and(header))
        }
        Source::Header(name) => header(name),
        _ => false,
    }
}

/// The captures that choose which field lines are signed.
pub(crate) fn listings(message: &Message) -> Vec<FieldId> {
    let mut ids = Vec::new();
    each_filter(message, &mut |filter| {
        if let Filter::Pick(id, _) = filter {
            ids.push(*id);
        }
    });
    ids
}

/// Whether the whole query is signed: no parameter is left out but those that carry the credentials.
fn whole_query(message: &Message) -> bool {
    let mut partial = false;
    each_filter(message, &mut |filter| partial |= matches!(filter, Filter::Only(_)));
    !partial
}

/// Whether the body, or a digest of it that was computed or compared, is signed.
fn covers_body(message: &Message, bound: BodyBound) -> bool {
    on_body(message, &message.base, Depth::Certain)
        || match bound {
            BodyBound::Compared => true,
            BodyBound::Waived => false,
            // Nothing claims a digest: what would stand in for it was computed from the body.
            BodyBound::Unclaimed => on_body(message, &message.base, Depth::All),
        }
}

fn each_filter(message: &Message, visit: &mut dyn FnMut(&Filter)) {
    walk(message, &message.base, visit, 0);
}

fn walk(message: &Message, text: &Template, visit: &mut dyn FnMut(&Filter), depth: usize) {
    if depth > 64 {
        return;
    }
    let deeper = depth.saturating_add(1);
    for part in &text.parts {
        match part {
            Part::Literal(_) => {}
            Part::Optional(inner) => walk(message, inner, visit, deeper),
            Part::Value(value) => {
                match &value.source {
                    Source::Let(id) => {
                        if let Some(entry) = message.lets.get(*id) {
                            walk(message, &entry.text, visit, deeper);
                        }
                    }
                    Source::Quoted(inner) => walk(message, inner, visit, deeper),
                    _ => {}
                }
                for filter in &value.filters {
                    visit(filter);
                    if let Filter::Or(other) = filter {
                        walk(message, other, visit, deeper);
                    }
                }
            }
        }
    }
}

//! What a signature covers: some of it by the scheme, some of it by what the message lists.
//!
//! The signature base of the message at hand is walked once more, and a part counts only if it certainly went in,
//! whole. What stands behind `or` went in where what it stands in for is absent; an optional segment went in where
//! everything in it is there. What cannot be told any more after verification (whether the query had a parameter)
//! counts as open. Lists that leave items out, and filters that cut, cover nothing.
//!
//! Deliberately absent: whether two messages could have the same base. That is the linter's question.

pub(crate) mod certain;
mod walk;

use std::sync::Arc;

use crate::httpsig;
use crate::plan::carrier::Captures;
use crate::plan::noted::Noted;
use crate::plan::source::is_form;
use crate::plan::{MessagePlan, Plan};
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;
use crate::scheme::draft::Place;
use crate::scheme::model::{Carrier, FieldId, Message};
use crate::scheme::{PARTS, References};
use walk::{Name, Walk};

/// What a signature covers of a message, and what it leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Covered parts: `method`, `authority` (`hostname` where its port is not), `path`, `query`, `body`, the names of
    /// captures, and `header NAME`, `query NAME` … for single ones.
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

/// All that coverage hangs on: messages that have the same basis are covered alike.
///
/// For whoever has something to do for each coverage, and would rather do it once for many messages.
#[derive(Debug)]
pub struct CoverageBasis {
    plan: Arc<Plan>,
    response: bool,
    facts: Facts,
    captured: Captured,
    /// What the captures hold that list names.
    listed: Vec<Option<Vec<u8>>>,
}

/// Which of the captures are there, and which hold something, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Captured {
    there: u64,
    filled: u64,
}

impl Captured {
    fn of(message: &Message, captures: &Captures) -> Self {
        let mut captured = Self { there: 0, filled: 0 };
        for id in 0..message.fields.len() {
            if let Some(value) = captures.get(id) {
                captured.there |= bit(id);
                captured.filled |= if value.is_empty() { 0 } else { bit(id) };
            }
        }
        captured
    }
}

impl CoverageBasis {
    /// The basis of a message. `None`: it hangs on more than is kept here.
    pub(super) fn of(plan: &Arc<Plan>, response: bool, facts: &Facts, captures: &Captures) -> Option<Self> {
        let (message, compiled) = plan.message(response)?;
        // Of a message signature it is the list of components, which is told only by reading it.
        if message.message_signature.is_some() || message.fields.len() > 64 {
            return None;
        }
        let listed = compiled.listings.iter().map(|id| captures.get(*id).map(<[u8]>::to_vec)).collect();
        let captured = Captured::of(message, captures);
        Some(Self { plan: Arc::clone(plan), response, facts: *facts, captured, listed })
    }

    /// Whether [`Self::of`] would make the same once more.
    pub(super) fn is_of(&self, plan: &Arc<Plan>, response: bool, facts: &Facts, captures: &Captures) -> bool {
        let Some((message, compiled)) = plan.message(response) else { return false };
        Arc::ptr_eq(&self.plan, plan)
            && self.response == response
            && self.facts == *facts
            && self.captured == Captured::of(message, captures)
            && self.listed.iter().map(Option::as_deref).eq(compiled.listings.iter().map(|id| captures.get(*id)))
    }
}

/// What a verification learnt about the message that coverage depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The alternative that holds.
    pub(super) variant: usize,
    /// One bit for each of the first 64 bound fields that is there and holds the computed value.
    pub(super) compared: u64,
    /// Whether the message names its authority.
    pub(super) host: bool,
    /// Whether the body came in chunks that are signed.
    pub(super) chunks: bool,
    /// One bit for each of the first 64 field lines that the scheme would sign and the message does not have.
    pub(super) absent: u64,
    /// Whether the message says that its body is a form.
    pub(super) form: bool,
    /// Which entries of `[let]` were there, and which were not.
    pub(super) lets: LetsFound,
}

/// One bit for each of the first 64 entries of `[let]`; one that was not computed has neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LetsFound {
    pub(crate) there: u64,
    pub(crate) absent: u64,
}

impl Facts {
    pub(crate) fn of(
        view: &RequestView<'_>,
        plan: &MessagePlan,
        noted: &Noted,
        variant: usize,
        compared: u64,
        chunks: bool,
        lets: LetsFound,
    ) -> Self {
        let mut absent = 0;
        for (index, (name, number)) in plan.signed_headers.iter().enumerate() {
            let there = noted.count(*number).map_or_else(
                || {
                    let mut there = false;
                    view.fields.values(name, &mut |_| there = true);
                    there
                },
                |count| count > 0,
            );
            if !there {
                absent |= bit(index);
            }
        }
        let host = !view.authority.is_empty();
        Self { variant, compared, host, chunks, absent, form: plan.asks.form && is_form(view).unwrap_or(false), lets }
    }
}

/// The bit of a number below 64.
pub(crate) fn bit(index: usize) -> u64 {
    u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index)).unwrap_or(0)
}

pub(super) fn of(message: &Message, plan: &MessagePlan, facts: &Facts, captures: &Captures) -> Coverage {
    if message.message_signature.is_some() {
        return httpsig::coverage(captures, facts.compared != 0);
    }
    of_walk(&Walk::new(message, plan, facts, captures), facts)
}

fn of_walk(walk: &Walk<'_>, facts: &Facts) -> Coverage {
    let mut covered = walk.all();
    let has = |covered: &[String], part: &str| covered.iter().any(|known| known == part);
    if facts.chunks && !has(&covered, "body") {
        covered.push("body".to_owned());
    }
    if has(&covered, "hostname") && has(&covered, "port") && !has(&covered, "authority") {
        covered.push("authority".to_owned());
    }
    let whole = has(&covered, "authority");
    covered.retain(|part| part != "port" && (part != "hostname" || !whole));
    let open = PARTS.iter().filter(|part| !has(&covered, part)).map(|part| (*part).to_owned());
    Coverage { not_covered: open.collect(), covered }
}

/// Whether [`of`] covers one part, found out without the list of all.
fn covers(walk: &Walk<'_>, facts: &Facts, part: Name<'_>) -> bool {
    let covers = covers_alone(walk, facts, part);
    debug_assert_eq!(covers, part.is_among(&of_walk(walk, facts).covered), "{part:?}");
    covers
}

fn covers_alone(walk: &Walk<'_>, facts: &Facts, part: Name<'_>) -> bool {
    let has = |name| walk.has(Name("", name));
    let authority = || has("authority") || (has("hostname") && has("port"));
    match part {
        Name("", "authority") => authority(),
        Name("", "body") => facts.chunks || has("body"),
        Name("", "hostname") => has("hostname") && !authority(),
        Name("", "port") => false,
        part => walk.has(part),
    }
}

/// Whether a capture is covered: by itself, or with the place that carries it.
pub(super) fn covers_capture(
    message: &Message,
    plan: &MessagePlan,
    facts: &Facts,
    captures: &Captures,
    id: FieldId,
) -> bool {
    let walk = Walk::new(message, plan, facts, captures);
    let covers = |part: Name<'_>| covers(&walk, facts, part);
    let named = |id: FieldId| message.fields.get(id).is_some_and(|field| covers(Name("", &field.name)));
    let whole = |carrier: &Carrier| match carrier.place {
        _ if carrier.within.is_some() => carrier.within.is_some_and(named),
        Place::Cookie => covers(Name("header", "cookie")),
        Place::Form | Place::Json | Place::Xml => covers(Name("", "body")),
        Place::Header => covers(Name("header", &carrier.name)),
        Place::Path => covers(Name("", "path")),
        Place::Query => covers(Name("", "query")),
    };
    let holds = |carrier: &&Carrier| References::any_capture(&carrier.text, |other| other == id);
    named(id) || message.carriers.iter().filter(holds).any(whole)
}

/// Refuses a message whose signature leaves something open that the policy wants covered. An empty body and an absent
/// capture are not asked for: where somebody adds one, it is.
pub(crate) fn insist(
    message: &Message,
    plan: &MessagePlan,
    facts: &Facts,
    captures: &Captures,
    has_body: bool,
) -> Result<(), Rejection> {
    if message.required_parts.is_empty() {
        return Ok(());
    }
    let walk = Walk::new(message, plan, facts, captures);
    for part in &message.required_parts {
        let there = match message.fields.iter().position(|field| field.name == part.value) {
            Some(id) if !PARTS.contains(&part.value.as_str()) => captures.get(id).is_some(),
            _ => has_body || part.value != "body",
        };
        if there && !covers(&walk, facts, Name("", &part.value)) {
            let subject = Subject::Required(part.value.clone());
            return Err(Rejection::new(Reason::CoverageTooThin, Some(part.span), subject));
        }
    }
    Ok(())
}

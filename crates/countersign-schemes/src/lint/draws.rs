//! What a template draws on, and how each value stands there.
//!
//! The core's `References` say what a template can draw on; a lint has to know more: whether the value is there
//! always, only in an optional segment, only in the place of something absent, or only looked at to decide.

use countersign_core::scheme::Span;
use countersign_core::scheme::model::{FieldId, Filter, Listing, Message, Part, Source, Template, Value};

/// A value that a template draws on.
#[derive(Debug, Clone)]
pub(super) struct Drawn<'a> {
    /// Where its bytes come from: neither a `[let]` entry nor a template in quotes.
    pub(super) source: &'a Source,
    /// What is done with them on the way into the template, in order; also what is done with a longer text of which
    /// they are a part.
    pub(super) filters: Vec<&'a Filter>,
    /// Where it stands.
    pub(super) span: Span,
    /// How it stands there.
    pub(super) standing: Standing<'a>,
}

/// How a value stands in a template.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing<'a> {
    /// In an optional segment.
    pub(super) optional: bool,
    /// As what.
    pub(super) role: Role,
    /// A synthetic list item of this name, there only where the capture of names lists it.
    pub(super) listed: Option<(FieldId, &'a str)>,
}

/// As what a value stands in a template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// As itself.
    #[default]
    Itself,
    /// In the key of a MAC inside, or as a step of a key's derivation.
    Key,
    /// In the place of something absent.
    Fallback,
    /// Only compared, to decide whether something else is there.
    Condition {
        /// Compared with methods that change nothing, and the message refused if it is none of them.
        safe: bool,
    },
}

impl Standing<'_> {
    /// Whether every text that is made of the value depends on it.
    pub(super) fn counts(&self) -> bool {
        matches!(self.role, Role::Itself | Role::Key)
    }

    /// Whether it is written, and not only compared.
    pub(super) fn is_written(&self) -> bool {
        !matches!(self.role, Role::Condition { .. })
    }

    fn with(self, role: Role) -> Self {
        // What stands in for something does so whatever it is made of.
        if self.role == Role::Fallback { self } else { Self { role, ..self } }
    }
}

impl<'a> Drawn<'a> {
    /// What is done with it before it becomes a digest, and so may lose something.
    pub(super) fn before_digest(&self) -> impl Iterator<Item = &'a Filter> + '_ {
        self.filters.iter().copied().take_while(|filter| !is_digest(filter))
    }

    /// Where it is absent, something else is signed in its place.
    pub(super) fn replaceable(&self) -> Option<&'a Template> {
        self.filters.iter().find_map(|filter| match filter {
            Filter::Or(other) => Some(other),
            _ => None,
        })
    }

    /// Where it is absent, so is the whole text, and the message is refused.
    pub(super) fn mandatory(&self) -> bool {
        self.standing.counts() && !self.standing.optional && self.replaceable().is_none()
    }
}

/// Whether a filter makes a digest or a MAC.
pub(super) fn is_digest(filter: &Filter) -> bool {
    matches!(filter, Filter::Hash(_) | Filter::Hkdf { .. } | Filter::Hmac(..) | Filter::Kdf(..) | Filter::Ratchet(..))
}

/// The methods that change nothing: RFC 9110, section 9.2.1.
const SAFE: &[&[u8]] = &[b"GET", b"HEAD", b"OPTIONS", b"TRACE"];

/// Everything that a template draws on, in order.
pub(super) fn drawn<'a>(message: &'a Message, text: &'a Template) -> Vec<Drawn<'a>> {
    let mut walk = Walk { message, looked_at: 0, found: Vec::new() };
    walk.template(text, &[], Standing::default(), 0);
    walk.found
}

/// How many parts are looked at, and how deep: where every entry names the one before twice, reading has to end.
const MOST: usize = 2_000;
const DEEPEST: usize = 64;

struct Walk<'a> {
    message: &'a Message,
    looked_at: usize,
    found: Vec<Drawn<'a>>,
}

impl<'a> Walk<'a> {
    fn template(&mut self, text: &'a Template, outer: &[&'a Filter], standing: Standing<'a>, depth: usize) {
        for part in &text.parts {
            self.looked_at += 1;
            if depth > DEEPEST || self.looked_at > MOST {
                return;
            }
            match part {
                Part::Literal(_) => {}
                Part::Optional(inner) => {
                    self.template(inner, outer, Standing { optional: true, ..standing }, depth + 1);
                }
                Part::Value(value) => self.value(value, outer, standing, depth + 1),
            }
        }
    }

    fn value(&mut self, value: &'a Value, outer: &[&'a Filter], standing: Standing<'a>, depth: usize) {
        let filters: Vec<&'a Filter> = value.filters.iter().chain(outer.iter().copied()).collect();
        match &value.source {
            Source::Let(id) => {
                if let Some(entry) = self.message.lets.get(*id) {
                    self.template(&entry.text, &filters, standing, depth);
                }
            }
            Source::Quoted(inner) => self.template(inner, &filters, standing, depth),
            source => self.found.push(Drawn { source, filters, span: value.span, standing }),
        }
        for (index, filter) in value.filters.iter().enumerate() {
            let rest: Vec<&'a Filter> = value.filters.iter().skip(index + 1).chain(outer.iter().copied()).collect();
            match filter {
                Filter::Each(text) => self.template(text, &rest, standing, depth),
                Filter::Granting(subject, _) => {
                    self.template(subject, &[], standing.with(Role::Condition { safe: false }), depth);
                }
                Filter::Hkdf { salt, info, .. } => {
                    self.template(salt, &[], standing.with(Role::Key), depth);
                    self.template(info, &[], standing.with(Role::Key), depth);
                }
                // The name decides what is there, and is not written.
                Filter::Member(name) => {
                    self.template(name, &[], standing.with(Role::Condition { safe: false }), depth);
                }
                Filter::Hmac(_, key) | Filter::Kdf(_, _, key) => {
                    self.template(key, &[], standing.with(Role::Key), depth);
                }
                Filter::Or(other) => self.template(other, &rest, standing.with(Role::Fallback), depth),
                Filter::Ratchet(_, steps) => {
                    for step in steps {
                        self.template(step, &[], standing.with(Role::Key), depth);
                    }
                }
                Filter::When(subject, values, negated) => {
                    let refused = !standing.optional && !rest.iter().any(|filter| matches!(filter, Filter::Or(_)));
                    let safe = refused && !negated && values.iter().all(|value| SAFE.contains(&value.as_slice()));
                    self.template(subject, &[], standing.with(Role::Condition { safe }), depth);
                }
                Filter::With { name, value: text, .. } => {
                    let listed = value.filters.iter().skip(index).find_map(|filter| match filter {
                        Filter::Pick(Listing::Field(id), _) => Some((*id, name.as_str())),
                        _ => None,
                    });
                    self.template(text, &rest, Standing { listed: listed.or(standing.listed), ..standing }, depth);
                }
                _ => {}
            }
        }
    }
}

//! The signature base (RFC 9421, section 2.5): a line for each covered component, and the signature parameters.
//!
//! Made once a message, when its signature is chosen: what a component lacks is found there, before any key is asked for.

use super::MOST_COMPONENTS;
use super::component::{Component, Covered, Derived, Flags, Flaw};
use super::value::{self, Declared};
use crate::canon::sf;
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;

/// What was found of the signature that counts. Reused from one message to the next.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The signature base.
    pub(crate) base: Vec<u8>,
    /// The signature, decoded.
    pub(crate) signature: Vec<u8>,
    /// Which of the parts of a request it covers.
    pub(super) parts: Parts,
    components: Vec<Line>,
    /// One bit for each component, which others may share: nearly all are told by theirs.
    bits: u64,
}

/// A component's line: where its identifier stands in the base, with what tells it apart.
#[derive(Debug, Clone, Copy)]
struct Line {
    start: usize,
    end: usize,
    /// The length of the name.
    name: usize,
    flags: Flags,
    /// Whether it has a `key` or a `name`.
    valued: bool,
}

/// Parts of a request that are covered, one bit each.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts(u8);

impl Parts {
    pub(crate) const METHOD: Self = Self(1);
    pub(crate) const AUTHORITY: Self = Self(2);
    pub(crate) const PATH: Self = Self(4);
    pub(crate) const QUERY: Self = Self(8);
    /// The body, if what is claimed for it holds.
    pub(crate) const BODY: Self = Self(16);
    /// What a digest field claims of the representation, not of the body.
    pub(crate) const REPRESENTATION: Self = Self(32);

    pub(crate) const fn has(self, part: Self) -> bool {
        self.0 & part.0 == part.0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The part of a name, as `[require] covered` has it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "authority" => Self::AUTHORITY,
            "body" => Self::BODY,
            "method" => Self::METHOD,
            "path" => Self::PATH,
            "query" => Self::QUERY,
            _ => return None,
        })
    }

    /// What a component covers, wholly, of the message that carries the signature.
    pub(super) fn of(component: &Component<'_>) -> Self {
        if component.flags.has(Flags::REQ) || component.flags.has(Flags::TR) {
            return Self::default();
        }
        match component.derived {
            Some(Derived::Authority) => Self::AUTHORITY,
            Some(Derived::Method) => Self::METHOD,
            Some(Derived::Path) => Self::PATH,
            Some(Derived::Query) => Self::QUERY,
            Some(Derived::RequestTarget) => Self::PATH.and(Self::QUERY),
            Some(Derived::TargetUri) => Self::AUTHORITY.and(Self::PATH).and(Self::QUERY),
            Some(Derived::QueryParam | Derived::Scheme | Derived::Status) => Self::default(),
            None => {
                // A member that is signed alone covers the body only if it is one of those that are compared.
                let compared = component.key.is_none_or(|key| matches!(key, "sha-256" | "sha-512"));
                match component.name {
                    "content-digest" if compared => Self::BODY,
                    "repr-digest" if compared => Self::REPRESENTATION,
                    "host" => Self::AUTHORITY,
                    _ => Self::default(),
                }
            }
        }
    }
}

impl Found {
    /// Forgets the last message.
    pub(crate) fn reset(&mut self) {
        self.base.clear();
        self.signature.clear();
        self.components.clear();
        self.parts = Parts::default();
        self.bits = 0;
    }

    /// Makes the lines of components. The answer is how long their list is once it is serialised, its parameters apart.
    pub(super) fn lines(
        &mut self,
        view: &RequestView<'_>,
        list: &sf::InnerList<'_>,
        declared: &Declared,
        spare: &mut Vec<u8>,
    ) -> Result<usize, Rejection> {
        let mut length: usize = 0;
        for item in list.items() {
            let component = Component::read(&item).map_err(|flaw| flawed(flaw, &item))?;
            if self.components.len() >= MOST_COMPONENTS {
                return Err(Rejection::new(Reason::TooLarge, None, Subject::Header("signature-input".to_owned())));
            }
            if self.has(&component) {
                let subject = Subject::Component(component.name.to_owned());
                return Err(Rejection::new(Reason::ComponentDuplicated, None, subject));
            }
            let start = self.base.len();
            if item.params.raw().is_empty() {
                self.base.push(b'"');
                self.base.extend_from_slice(component.name.as_bytes());
                self.base.push(b'"');
            } else {
                item.serialize(&mut self.base);
            }
            let (end, name) = (self.base.len(), component.name.len());
            // With the parenthesis or the space before it.
            length = length.saturating_add(end.saturating_sub(start)).saturating_add(1);
            let (flags, valued) = (component.flags, component.is_valued());
            self.components.push(Line { start, end, name, flags, valued });
            self.bits |= bit(&component);
            self.parts = self.parts.and(Parts::of(&component));
            self.base.extend_from_slice(b": ");
            value::push(view, &component, declared, spare, &mut self.base)?;
            self.base.push(b'\n');
        }
        Ok(length.max(1).saturating_add(1))
    }

    /// Makes the last line; `parameters` is the list of components, serialised, with what follows it.
    pub(super) fn end(&mut self, parameters: &[u8]) {
        self.base.extend_from_slice(b"\"@signature-params\": ");
        self.base.extend_from_slice(parameters);
    }

    /// Whether a component is covered, with exactly these parameters; or as [`Covered::under`] has it.
    pub(super) fn covers(&self, wanted: &Covered, label: &str) -> bool {
        self.has(&wanted.component()) || wanted.under(label).is_some_and(|member| self.has(&member))
    }

    fn has(&self, wanted: &Component<'_>) -> bool {
        self.bits & bit(wanted) != 0 && self.finds(wanted)
    }

    fn finds(&self, wanted: &Component<'_>) -> bool {
        self.components.iter().any(|line| {
            // Behind the first quote.
            let from = line.start.saturating_add(1);
            let same = line.flags == wanted.flags
                && line.valued == wanted.is_valued()
                && line.name == wanted.name.len()
                && self.base.get(from..from.saturating_add(line.name)) == Some(wanted.name.as_bytes());
            same && (!line.valued || self.component(line) == Some(*wanted))
        })
    }

    fn component(&self, line: &Line) -> Option<Component<'_>> {
        Component::read(&sf::item(self.base.get(line.start..line.end)?).ok()?).ok()
    }
}

fn bit(component: &Component<'_>) -> u64 {
    let last = component.name.bytes().next_back().unwrap_or_default();
    1 << (usize::from(last).wrapping_add(component.name.len().wrapping_mul(5)) & 63)
}

/// What is told of an identifier that is none.
pub(super) fn flawed(flaw: Flaw, item: &sf::Item<'_>) -> Rejection {
    let reason = match flaw {
        Flaw::Component => Reason::ComponentInvalid,
        Flaw::ComponentUnknown => Reason::ComponentUnknown,
    };
    let name = match item.bare {
        sf::Bare::String(name) => name.raw().chars().take(64).collect(),
        _ => String::new(),
    };
    Rejection::new(reason, None, Subject::Component(name))
}

//! Component identifiers (RFC 9421, section 2): what a signature covers, by name and parameters.
//!
//! An existing [`Component`] is one that the standard knows: a field in lower case or a derived component, with
//! parameters that go together. Two are the same if name and parameters are, in whatever order these stand.

use super::base::Parts;
use crate::canon::sf::{self, Bare, Item};
use crate::scheme::PARTS;

/// What is wrong with a component identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Name and parameters are not those of a component.
    Component,
    /// It begins with `@` and is none of the derived components.
    ComponentUnknown,
}

/// A derived component (RFC 9421, section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derived {
    Authority,
    Method,
    Path,
    Query,
    QueryParam,
    RequestTarget,
    Scheme,
    Status,
    TargetUri,
}

impl Derived {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "@authority" => Self::Authority,
            "@method" => Self::Method,
            "@path" => Self::Path,
            "@query" => Self::Query,
            "@query-param" => Self::QueryParam,
            "@request-target" => Self::RequestTarget,
            "@scheme" => Self::Scheme,
            "@status" => Self::Status,
            "@target-uri" => Self::TargetUri,
            _ => return None,
        })
    }
}

/// The parameters of a component that have no value, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(u8);

impl Flags {
    /// Each line's value as a byte sequence (section 2.1.3).
    pub(crate) const BS: Self = Self(1);
    /// Of the request that a response answers (section 2.4).
    pub(crate) const REQ: Self = Self(2);
    /// Serialised strictly, as a structured field (section 2.1.1).
    pub(crate) const SF: Self = Self(4);
    /// Of the trailer (section 2.1.4).
    pub(crate) const TR: Self = Self(8);

    pub(crate) const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    /// Sets a flag by the name of its parameter. False: there is none of that name, or it is set already.
    fn set(&mut self, name: &str) -> bool {
        let flag = match name {
            "bs" => Self::BS,
            "req" => Self::REQ,
            "sf" => Self::SF,
            "tr" => Self::TR,
            _ => return false,
        };
        let new = !self.has(flag);
        self.0 |= flag.0;
        new
    }
}

/// A component identifier. `key` and `name` are as they stand between their quotes, escapes and all: in a structured
/// field one value has one such text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Component<'a> {
    pub(crate) name: &'a str,
    pub(crate) derived: Option<Derived>,
    pub(crate) flags: Flags,
    pub(crate) key: Option<&'a str>,
    pub(crate) param: Option<&'a str>,
}

impl<'a> Component<'a> {
    /// Reads an item of a list of covered components.
    pub(crate) fn read(item: &Item<'a>) -> Result<Self, Flaw> {
        let Bare::String(name) = item.bare else { return Err(Flaw::Component) };
        let derived = Derived::from_name(name.raw());
        if derived.is_none() && name.raw().starts_with('@') {
            return Err(name.plain().map_or(Flaw::Component, |_| Flaw::ComponentUnknown));
        }
        let mut component = Self { name: name.raw(), derived, flags: Flags::default(), key: None, param: None };
        for (parameter, value) in item.params.entries() {
            match (parameter, value) {
                ("key", Bare::String(key)) if component.key.is_none() => component.key = Some(key.raw()),
                ("name", Bare::String(name)) if component.param.is_none() => component.param = Some(name.raw()),
                (flag, Bare::Boolean(true)) if component.flags.set(flag) => {}
                _ => return Err(Flaw::Component),
            }
        }
        if component.is_sound() { Ok(component) } else { Err(Flaw::Component) }
    }

    /// Whether it has a parameter with a value.
    pub(super) const fn is_valued(&self) -> bool {
        self.key.is_some() || self.param.is_some()
    }

    /// Whether name and parameters go together (sections 2.1 to 2.2.8).
    fn is_sound(&self) -> bool {
        let Some(derived) = self.derived else {
            let named = !self.name.is_empty() && self.name.bytes().all(sf::is_lower_tchar);
            let strict = self.flags.has(Flags::SF) || self.key.is_some();
            return named && self.param.is_none() && !(self.flags.has(Flags::BS) && strict);
        };
        let of_request = self.flags == Flags::REQ;
        let of_fields = (self.flags != Flags::default() && !of_request) || self.key.is_some();
        let named = self.param.is_some() == (derived == Derived::QueryParam);
        !of_fields && named && !(derived == Derived::Status && of_request)
    }
}

/// A component identifier of a policy, which outlives the text it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// The identifier as the signature parameters have it, as in `"@query-param";name="Pet"`.
    pub text: String,
    /// Whether it is left out where the message does not have it.
    pub optional: bool,
    name: String,
    derived: Option<Derived>,
    flags: Flags,
    key: Option<String>,
    param: Option<String>,
}

impl Covered {
    pub(super) fn new(item: &Item<'_>, optional: bool) -> Result<Self, Flaw> {
        let component = Component::read(item)?;
        let mut text = Vec::new();
        item.serialize(&mut text);
        Ok(Self {
            text: String::from_utf8(text).map_err(|_| Flaw::Component)?,
            optional,
            name: component.name.to_owned(),
            derived: component.derived,
            flags: component.flags,
            key: component.key.map(str::to_owned),
            param: component.param.map(str::to_owned),
        })
    }

    /// The member of a dictionary that is a signature's own, by its label (as `Signature-Agent` has one for each
    /// signature): it stands for a field that has to be covered only where it is there.
    pub(super) fn under<'a>(&'a self, label: &'a str) -> Option<Component<'a>> {
        let component = self.component();
        let whole = component.derived.is_none() && component.flags == Flags::default() && component.key.is_none();
        (self.optional && whole).then_some(Component { key: Some(label), ..component })
    }

    /// The parts of the message that it covers wholly: of `method`, `authority`, `path`, `query` and `body`.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> + use<> {
        let parts = Parts::of(&self.component());
        PARTS.iter().copied().filter(move |name| Parts::named(name).is_some_and(|part| parts.has(part)))
    }

    /// The query parameter that it covers, encoded as section 2.2.8 has it.
    #[must_use]
    pub fn query_parameter(&self) -> Option<&str> {
        self.param.as_deref()
    }

    /// The field whose lines it covers wholly, in the message itself.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        let Component { flags, .. } = self.component();
        let elsewhere = flags.has(Flags::REQ) || flags.has(Flags::TR);
        let whole = self.derived.is_none() && self.key.is_none() && !elsewhere;
        whole.then_some(self.name.as_str())
    }

    /// The same, not to be left out.
    pub(super) fn firm(self) -> Self {
        Self { optional: false, ..self }
    }

    /// The identifier.
    pub(crate) fn component(&self) -> Component<'_> {
        let (key, param) = (self.key.as_deref(), self.param.as_deref());
        Component { name: &self.name, derived: self.derived, flags: self.flags, key, param }
    }

    /// Reads a list of components, separated by spaces: `@method "@query-param";name="Pet" content-type?`. Quotes
    /// around a name may be left out; a question mark makes it optional.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        let mut found: Vec<Self> = Vec::new();
        for word in words(text) {
            let (word, optional) = match word.strip_suffix('?') {
                Some(word) => (word, true),
                None => (word, false),
            };
            let quoted = if word.starts_with('"') {
                word.to_owned()
            } else {
                let (name, parameters) = word.split_at(word.find(';').unwrap_or(word.len()));
                format!("\"{name}\"{parameters}")
            };
            let unreadable = || word.to_owned();
            let item = sf::item(quoted.as_bytes()).map_err(|_| unreadable())?;
            let covered = Self::new(&item, optional).map_err(|_| unreadable())?;
            if found.iter().any(|other| other.component() == covered.component()) {
                return Err(unreadable());
            }
            found.push(covered);
        }
        Ok(found)
    }
}

/// The words of a text; spaces within quotes separate nothing.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            char if char.is_ascii_whitespace() && !quoted => {
                words.push(text.get(start..at).unwrap_or_default());
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    words.push(text.get(start..).unwrap_or_default());
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Component<'_>, Flaw> {
        Component::read(&sf::item(text.as_bytes()).expect("an item"))
    }

    #[test]
    fn what_the_standard_does_not_know_is_no_component() {
        for text in ["\"@metod\"", "\"@\"", "\"@Method\"", "\"@signature-params\"", "\"@request-response\""] {
            assert_eq!(read(text), Err(Flaw::ComponentUnknown), "{text}");
        }
        for text in [
            "date",
            "\"Date\"",
            "\"\"",
            "\"a b\"",
            "\"a\\\"b\"",
            "\"date\";unknown",
            "\"date\";sf=?0",
            "\"date\";sf=1",
            "\"date\";bs;sf",
            "\"date\";bs;key=\"a\"",
            "\"date\";name=\"a\"",
            "\"date\";key=a",
            "\"date\";sf;sf",
            "\"@method\";sf",
            "\"@method\";key=\"a\"",
            "\"@path\";tr",
            "\"@query-param\"",
            "\"@query-param\";name=Pet",
            "\"@method\";name=\"a\"",
            "\"@status\";req",
        ] {
            assert_eq!(read(text), Err(Flaw::Component), "{text}");
        }
    }

    #[test]
    fn identifiers_are_the_same_whatever_the_order_of_their_parameters() {
        assert_eq!(read("\"a\";req;key=\"x\""), read("\"a\";key=\"x\";req"));
        assert_ne!(read("\"a\";key=\"x\""), read("\"a\";key=\"y\""));
        assert_ne!(read("\"@method\""), read("\"@method\";req"));
    }

    #[test]
    fn lists_for_people_become_identifiers() {
        let texts = |list: &str| -> Vec<(String, bool)> {
            Covered::list(list).expect("a list").into_iter().map(|covered| (covered.text, covered.optional)).collect()
        };
        assert_eq!(
            texts("@method  \"@query-param\";name=\"a b\" content-type? date;bs"),
            [
                ("\"@method\"".to_owned(), false),
                ("\"@query-param\";name=\"a b\"".to_owned(), false),
                ("\"content-type\"".to_owned(), true),
                ("\"date\";bs".to_owned(), false),
            ]
        );
        for wrong in ["@methd", "Date", "date date", "\"a\";key=\"x\";req \"a\";req;key=\"x\"", "\"date", "a,b"] {
            assert!(Covered::list(wrong).is_err(), "{wrong}");
        }
    }
}

//! The values of components (RFC 9421, sections 2.1 and 2.2), appended to the signature base.
//!
//! What the message does not have, has twice where once is meant, or could not be written on one line of ASCII is
//! refused, never left out.

use super::component::{Component, Derived, Flags};
use super::structured::{self, FieldShape};
use crate::canon::{self, sf};
use crate::plan::source::{split_authority, split_target};
use crate::reject::{Reason, Rejection, Subject};
use crate::request::{Fields, RequestView};

/// Types of structured fields beyond the registered ones, by lower-case name.
pub(crate) type Declared = [(String, FieldShape)];

/// Appends a component's value. `spare` is a buffer to work in.
pub(crate) fn push(
    view: &RequestView<'_>,
    component: &Component<'_>,
    declared: &Declared,
    spare: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), Rejection> {
    let view = if component.flags.has(Flags::REQ) {
        // A request answers none (section 2.4).
        if view.status.is_none() {
            return Err(refuse(Reason::ComponentInvalid, component));
        }
        view.answers.ok_or_else(|| missing(component))?
    } else {
        view
    };
    match component.derived {
        Some(derived) => derive(view, component, derived, out),
        None => field(view, component, declared, spare, out),
    }
}

/// Whether a message has what a component names. What it has and nobody could sign counts.
pub(super) fn is_there(view: &RequestView<'_>, component: &Component<'_>, declared: &Declared) -> bool {
    match push(view, component, declared, &mut Vec::new(), &mut Vec::new()) {
        Ok(()) => true,
        Err(rejection) => rejection.reason() != Reason::ComponentMissing,
    }
}

/// RFC 9421, sections 2.2.1 to 2.2.9.
fn derive(
    view: &RequestView<'_>,
    component: &Component<'_>,
    derived: Derived,
    out: &mut Vec<u8>,
) -> Result<(), Rejection> {
    // A response has a status and nothing else; what it answers is asked for with `req`.
    match (view.status, derived) {
        (Some(status), Derived::Status) => {
            sf::Bare::Integer(status.into()).serialize(out);
            return Ok(());
        }
        (Some(_), _) | (None, Derived::Status) => return Err(refuse(Reason::ComponentInvalid, component)),
        (None, _) => {}
    }
    let path = || split_target(view.target).0;
    let query = || split_target(view.target).1.unwrap_or_default();
    match derived {
        Derived::Method => out.extend_from_slice(view.method.as_bytes()),
        Derived::TargetUri => {
            if view.authority.is_empty() {
                return Err(missing(component));
            }
            out.extend_from_slice(view.transport.scheme().as_bytes());
            out.extend_from_slice(b"://");
            // As it was sent: section 2.2.3 alone normalizes, and there it is the value of `@authority`.
            out.extend_from_slice(view.authority.as_bytes());
            out.extend_from_slice(view.target);
        }
        Derived::Authority => {
            if view.authority.is_empty() {
                return Err(missing(component));
            }
            authority(view, out);
        }
        Derived::Scheme => out.extend_from_slice(view.transport.scheme().as_bytes()),
        Derived::RequestTarget => out.extend_from_slice(view.target),
        Derived::Path => match path() {
            [] => out.push(b'/'),
            path => out.extend_from_slice(path),
        },
        Derived::Query => {
            out.push(b'?');
            out.extend_from_slice(query());
        }
        Derived::QueryParam => return parameter(query(), component, out),
        Derived::Status => {}
    }
    Ok(())
}

/// The host in lower case, and the port where it is not the default one (section 2.2.3; RFC 9110, section 4.2.3).
fn authority(view: &RequestView<'_>, out: &mut Vec<u8>) {
    let (hostname, port) = split_authority(view.authority);
    let mark = out.len();
    out.extend_from_slice(hostname.as_bytes());
    out.get_mut(mark..).unwrap_or_default().make_ascii_lowercase();
    let default = view.transport.default_port();
    if let Some(port) = port.filter(|port| port.parse() != Ok(default)) {
        out.push(b':');
        out.extend_from_slice(port.as_bytes());
    }
}

/// Section 2.2.8: name and value are decoded as a form's and encoded again, a space as `%20`.
fn parameter(query: &[u8], component: &Component<'_>, out: &mut Vec<u8>) -> Result<(), Rejection> {
    let wanted = component.param.unwrap_or_default().as_bytes();
    let malformed = |canon::Malformed| refuse(Reason::TargetMalformed, component);
    let mark = out.len();
    let mut found = false;
    for (name, value) in canon::query_pairs(query) {
        let start = out.len();
        encode_again(name, out).map_err(malformed)?;
        let same = out.get(start..) == Some(wanted);
        out.truncate(start);
        if !same {
            continue;
        }
        if found {
            out.truncate(mark);
            return Err(refuse(Reason::FieldDuplicated, component));
        }
        found = true;
        encode_again(value.unwrap_or_default(), out).map_err(malformed)?;
    }
    if found { Ok(()) } else { Err(missing(component)) }
}

/// Decodes a name or value of a form (WHATWG URL, section 5.1) and percent-encodes it again. What is not UTF-8 could be
/// read in two ways.
fn encode_again(text: &[u8], out: &mut Vec<u8>) -> Result<(), canon::Malformed> {
    let mark = out.len();
    canon::form_decode(text, out)?;
    let decoded = mark..out.len();
    if std::str::from_utf8(out.get(decoded.clone()).unwrap_or_default()).is_err() {
        return Err(canon::Malformed);
    }
    for at in decoded.clone() {
        let byte = out.get(at).copied().unwrap_or_default();
        if byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_') {
            out.push(byte);
        } else {
            out.push(b'%');
            canon::hex_upper(&[byte], out);
        }
    }
    out.drain(decoded);
    Ok(())
}

/// RFC 9421, sections 2.1 to 2.1.4.
fn field(
    view: &RequestView<'_>,
    component: &Component<'_>,
    declared: &Declared,
    spare: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), Rejection> {
    let mark = out.len();
    let fields: &(dyn Fields + Sync) = match (component.flags.has(Flags::TR), view.trailers) {
        (true, Some(trailers)) => trailers,
        (true, None) => return Err(missing(component)),
        (false, _) => view.fields,
    };
    let mut lines: usize = 0;
    let mut sound = true;
    let mut line = |value: &[u8]| {
        if lines > 0 {
            out.extend_from_slice(b", ");
        }
        lines = lines.saturating_add(1);
        if component.flags.has(Flags::BS) {
            sf::push_bytes(canon::trim(value), out);
        } else {
            sound &= unfold(value, out);
        }
    };
    fields.values(component.name, &mut line);
    if component.name == "host" && !component.flags.has(Flags::TR) && lines == 0 && !view.authority.is_empty() {
        // Whoever carries the authority elsewhere (`:authority`) has one line of that name all the same.
        let mut line = |value: &[u8]| out.extend_from_slice(value);
        line(view.authority.as_bytes());
    } else if lines == 0 {
        return Err(missing(component));
    }
    if !sound {
        return Err(refuse(Reason::ComponentInvalid, component));
    }
    if component.flags.has(Flags::SF) || component.key.is_some() {
        spare.clear();
        spare.extend_from_slice(out.get(mark..).unwrap_or_default());
        out.truncate(mark);
        strict(component, declared, spare, out)?;
    }
    Ok(())
}

/// Appends a field line's value; obsolete folding becomes one space (RFC 9421, section 2.1). False: it cannot stand on a
/// line of the signature base (section 2.5: neither control characters nor bytes beyond ASCII).
fn unfold(value: &[u8], out: &mut Vec<u8>) -> bool {
    let value = canon::trim(value);
    if value.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~' | b'\t')) {
        out.extend_from_slice(value);
        return true;
    }
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.peek() == Some(&b'\n') => {}
            b'\n' if matches!(bytes.peek(), Some(b' ' | b'\t')) => {
                while bytes.next_if(|byte| matches!(byte, b' ' | b'\t')).is_some() {}
                while matches!(out.last(), Some(b' ' | b'\t')) {
                    out.pop();
                }
                out.push(b' ');
            }
            b' '..=b'~' | b'\t' => out.push(byte),
            _ => return false,
        }
    }
    true
}

/// Sections 2.1.1 and 2.1.2: appends the strict serialization of a field's combined value, or of a member of it.
///
/// Of a member that is there twice the last one counts (RFC 9651, section 3.2), and whoever takes the first reads what
/// nobody signed: that is refused.
fn strict(
    component: &Component<'_>,
    declared: &Declared,
    combined: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Rejection> {
    let invalid = |canon::Malformed| refuse(Reason::ComponentInvalid, component);
    if let Some(key) = component.key {
        let dictionary = sf::dictionary(combined).map_err(invalid)?;
        let member = dictionary.get(key).ok_or_else(|| missing(component))?;
        if dictionary.entries().filter(|(name, _)| *name == key).nth(1).is_some() {
            return Err(refuse(Reason::FieldDuplicated, component));
        }
        member.serialize(out);
        return Ok(());
    }
    let own = declared.iter().find(|(name, _)| name == component.name).map(|(_, shape)| *shape);
    match own.or_else(|| structured::registered(component.name)) {
        Some(FieldShape::Dictionary) => {
            let dictionary = sf::dictionary(combined).map_err(invalid)?;
            if dictionary.repeats() {
                return Err(refuse(Reason::FieldDuplicated, component));
            }
            dictionary.serialize(out);
        }
        Some(FieldShape::List) => sf::list(combined).map_err(invalid)?.serialize(out),
        Some(FieldShape::Item) => sf::item(combined).map_err(invalid)?.serialize(out),
        None => return Err(refuse(Reason::ComponentInvalid, component)),
    }
    Ok(())
}

fn missing(component: &Component<'_>) -> Rejection {
    refuse(Reason::ComponentMissing, component)
}

fn refuse(reason: Reason, component: &Component<'_>) -> Rejection {
    Rejection::new(reason, None, Subject::Component(component.name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Transport;

    fn line(method: &str, target: &str, text: &str) -> Result<String, Reason> {
        line_at("example.com", method, target, text)
    }

    fn line_at(authority: &str, method: &str, target: &str, text: &str) -> Result<String, Reason> {
        let fields: Vec<(String, Vec<u8>)> = vec![
            ("X-Folded".to_owned(), b" Obsolete\r\n    line folding. ".to_vec()),
            ("X-Broken".to_owned(), b"a\nb: c".to_vec()),
            ("X-Latin".to_owned(), b"caf\xe9".to_vec()),
            ("X-Tab".to_owned(), b"a\tb".to_vec()),
            ("Priority".to_owned(), b"u=1, i".to_vec()),
            ("Priority".to_owned(), b"u=2".to_vec()),
        ];
        let view = RequestView {
            method,
            target: target.as_bytes(),
            authority,
            transport: Transport::Http,
            fields: &fields,
            trailers: None,
            body: None,
            peer: None,
            status: None,
            answers: None,
        };
        let item = sf::item(text.as_bytes()).expect("an item");
        let mut out = Vec::new();
        push(&view, &Component::read(&item).expect("a component"), &[], &mut Vec::new(), &mut out)
            .map_err(|rejection| rejection.reason())?;
        Ok(String::from_utf8(out).expect("ASCII"))
    }

    /// RFC 9421, section 2.2.5: the target in whatever form it has. The engine's front door refuses those without a path.
    #[test]
    fn a_request_target_is_as_it_was_sent() {
        let absolute = "https://www.example.com/path?param=value";
        assert_eq!(line("GET", absolute, "\"@request-target\"").as_deref(), Ok(absolute));
        assert_eq!(line("CONNECT", "www.example.com:80", "\"@request-target\"").as_deref(), Ok("www.example.com:80"));
        assert_eq!(line("OPTIONS", "*", "\"@request-target\"").as_deref(), Ok("*"));
    }

    /// Sections 2.2.2 and 2.2.3: the target URI is as it was sent, and only the authority is normalized.
    #[test]
    fn the_authority_is_normalized_and_the_target_uri_is_not() {
        let uri = |authority: &str| line_at(authority, "GET", "/a?b", "\"@target-uri\"");
        let normal = |authority: &str| line_at(authority, "GET", "/a?b", "\"@authority\"");
        assert_eq!(uri("Example.COM:80").as_deref(), Ok("http://Example.COM:80/a?b"));
        assert_eq!(normal("Example.COM:80").as_deref(), Ok("example.com"));
        assert_eq!(normal("Example.COM:443").as_deref(), Ok("example.com:443"));
        assert_eq!(uri(""), Err(Reason::ComponentMissing));
    }

    /// Section 2.5: a line of the base is one line of ASCII, whatever a field holds.
    #[test]
    fn no_value_ends_its_line() {
        assert_eq!(line("GET", "/", "\"x-folded\"").as_deref(), Ok("Obsolete line folding."));
        assert_eq!(line("GET", "/", "\"x-tab\"").as_deref(), Ok("a\tb"));
        assert_eq!(line("GET", "/", "\"x-broken\""), Err(Reason::ComponentInvalid));
        assert_eq!(line("GET", "/", "\"x-latin\""), Err(Reason::ComponentInvalid));
        assert_eq!(line("GET", "/", "\"x-latin\";bs").as_deref(), Ok(":Y2Fm6Q==:"));
        assert_eq!(line("GET", "/", "\"x-broken\";bs").as_deref(), Ok(":YQpiOiBj:"));
    }

    /// Attack 8: of two members of one name some readers take the first.
    #[test]
    fn attack_08_a_member_that_is_there_twice_is_refused() {
        assert_eq!(line("GET", "/", "\"priority\";key=\"i\"").as_deref(), Ok("?1"));
        assert_eq!(line("GET", "/", "\"priority\";key=\"u\""), Err(Reason::FieldDuplicated));
        assert_eq!(line("GET", "/", "\"priority\";sf"), Err(Reason::FieldDuplicated));
        // Signed as it was sent it has one reading.
        assert_eq!(line("GET", "/", "\"priority\"").as_deref(), Ok("u=1, i, u=2"));
    }

    /// Section 2.2.8: decoded as a form's and encoded again; what could be read in two ways is refused.
    #[test]
    fn parameters_are_encoded_again() {
        let at = |query: &str, name: &str| {
            line("GET", &format!("/?{query}"), &format!("\"@query-param\";name=\"{name}\""))
        };
        assert_eq!(at("a=b+c%2b*~", "a").as_deref(), Ok("b%20c%2B*%7E"));
        assert_eq!(at("%61=1", "a").as_deref(), Ok("1"));
        assert_eq!(at("a", "a").as_deref(), Ok(""));
        assert_eq!(at("a=1&%61=2", "a"), Err(Reason::FieldDuplicated));
        assert_eq!(at("a=%ff", "a"), Err(Reason::TargetMalformed));
        assert_eq!(at("a=%zz", "a"), Err(Reason::TargetMalformed));
        assert_eq!(at("b=1", "a"), Err(Reason::ComponentMissing));
    }
}

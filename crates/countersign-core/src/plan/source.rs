//! Sources: what programs append of the message itself.
//!
//! A source that is there twice is refused here, whoever asks for it; one that is absent says so, and the program
//! decides what that means.

use super::list::{Decoding, decimal, json_text};
use super::run::{Env, Scratch, Stop, push_let};
use crate::canon;
use crate::key::Material;
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;
use crate::scheme::draft::Span;
use crate::scheme::model::{Chunk, Source};

/// Appends a source. False: it is absent.
pub(super) fn push(
    env: &Env<'_>,
    scratch: &mut Scratch,
    view: &RequestView<'_>,
    source: &Source,
    span: Span,
) -> Result<bool, Stop> {
    let out = &mut scratch.out;
    // The request that a response answers is whole.
    let own = std::ptr::eq(view, &raw const env.view);
    let body = || if own { env.body.ok_or(Stop::NeedBody) } else { Ok(view.body.unwrap_or_default()) };
    match source {
        Source::Body => out.extend_from_slice(body()?),
        Source::Chunk(Chunk::Previous) => out.extend_from_slice(&scratch.link.previous),
        Source::Chunk(Chunk::Trailers) => out.extend_from_slice(&scratch.link.trailers),
        Source::Cookie(name) => return Ok(cookie(view, name, out)?),
        Source::DigestName => out.extend_from_slice(env.hash.name().as_bytes()),
        Source::Field(id) => match scratch.captures.get(*id) {
            Some(value) => out.extend_from_slice(value),
            None => return Ok(false),
        },
        Source::Form(name) => {
            return parameter(body()?, name, Decoding::Form, span, Reason::BodyMalformed, out);
        }
        Source::Header(name) => return Ok(field_line(view, name, out)?),
        Source::Host => match view.authority {
            "" => return Ok(false),
            authority => out.extend_from_slice(authority.as_bytes()),
        },
        Source::Hostname => match split_authority(view.authority).0 {
            "" => return Ok(false),
            hostname => out.extend_from_slice(hostname.as_bytes()),
        },
        Source::Json(name) => return json_member(body()?, name, span, out),
        Source::K => match scratch.each.last() {
            Some((list, Some(item))) => out.extend_from_slice(list.slice(item.k)),
            _ => return Ok(false),
        },
        Source::KeyId => match env.key.and_then(|key| key.id.as_deref()) {
            Some(id) => out.extend_from_slice(id.as_bytes()),
            None => return Ok(false),
        },
        Source::Let(id) => return push_let(env, scratch, *id),
        Source::Method => out.extend_from_slice(view.method.as_bytes()),
        Source::Path => out.extend_from_slice(split_target(view.target).0),
        Source::Part(name) => return body_part(view, body()?, name, span, out),
        Source::Peer => match view.peer {
            Some(peer) => out.extend_from_slice(peer.as_bytes()),
            None => return Ok(false),
        },
        Source::Port => match split_authority(view.authority).1 {
            Some(port) => out.extend_from_slice(port.as_bytes()),
            None => decimal(usize::from(view.transport.default_port()), out),
        },
        Source::Query(name) => {
            let query = split_target(view.target).1.unwrap_or_default();
            return parameter(query, name, Decoding::Form, span, Reason::TargetMalformed, out);
        }
        Source::QueryString => match split_target(view.target).1 {
            Some(query) => out.extend_from_slice(query),
            None => return Ok(false),
        },
        // Compiled to operations of their own.
        Source::Chunk(Chunk::Content) | Source::List(_) | Source::Quoted(_) => return Ok(false),
        Source::Request(inner) => match view.answers {
            Some(request) => return push(env, scratch, request, inner, span),
            None => return Ok(false),
        },
        Source::Scheme => out.extend_from_slice(view.transport.scheme().as_bytes()),
        Source::Secret => match env.key.map(|key| &key.material) {
            Some(Material::Secret(secret)) => {
                out.extend_from_slice(secret.expose());
                scratch.secret = true;
            }
            _ => return Err(Rejection::new(Reason::KeyUnsuitable, Some(span), Subject::Key).into()),
        },
        Source::Status => match view.status {
            Some(status) => decimal(usize::from(status), out),
            None => return Ok(false),
        },
        Source::Target => out.extend_from_slice(view.target),
        Source::Url => {
            if view.authority.is_empty() {
                return Ok(false);
            }
            out.extend_from_slice(view.transport.scheme().as_bytes());
            out.extend_from_slice(b"://");
            out.extend_from_slice(view.authority.as_bytes());
            out.extend_from_slice(view.target);
        }
        Source::V => match scratch.each.last() {
            Some((list, Some(item))) if item.has_value => out.extend_from_slice(list.slice(item.v)),
            _ => return Ok(false),
        },
        Source::Var(id) => match env.vars.get(*id).and_then(Option::as_deref) {
            Some(value) => out.extend_from_slice(value),
            None => return Ok(false),
        },
        Source::Xml(name) => return xml_child(body()?, name, span, out),
    }
    Ok(true)
}

/// Path and query of a target, as sent.
pub(crate) fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let (path, rest) = canon::split_at_byte(target, b'?');
    (path, rest.get(1..))
}

/// Name and port of an authority. Brackets of an IPv6 address stay with the name.
pub(crate) fn split_authority(authority: &str) -> (&str, Option<&str>) {
    // Nearly always it is a name alone.
    if !canon::has_any(authority.as_bytes(), *b":") {
        return (authority, None);
    }
    let after_brackets = authority.rfind(']').map_or(0, |at| at.saturating_add(1));
    match authority.get(after_brackets..).and_then(|rest| rest.rfind(':')) {
        Some(at) => {
            let at = at.saturating_add(after_brackets);
            (authority.get(..at).unwrap_or(authority), authority.get(at.saturating_add(1)..))
        }
        None => (authority, None),
    }
}

/// Appends the one field line of a name.
pub(crate) fn field_line(view: &RequestView<'_>, name: &str, out: &mut Vec<u8>) -> Result<bool, Rejection> {
    let mark = out.len();
    let mut lines: usize = 0;
    view.fields.values(name, &mut |value| {
        lines = lines.saturating_add(1);
        if lines == 1 {
            out.extend_from_slice(value);
        }
    });
    match lines {
        0 if name == "host" && !view.authority.is_empty() => {
            out.extend_from_slice(view.authority.as_bytes());
            Ok(true)
        }
        0 => Ok(false),
        1 => Ok(true),
        _ => {
            out.truncate(mark);
            Err(Rejection::new(Reason::FieldDuplicated, None, Subject::Header(name.to_owned())))
        }
    }
}

/// Whether the message says that its body is a form: the media type of its one `Content-Type` (RFC 9110, section 8.3).
pub(crate) fn is_form(view: &RequestView<'_>) -> Result<bool, Rejection> {
    let mut lines: usize = 0;
    let mut form = false;
    view.fields.values("content-type", &mut |value| {
        lines = lines.saturating_add(1);
        form = canon::media_type(value).eq_ignore_ascii_case(b"application/x-www-form-urlencoded");
    });
    if lines > 1 {
        return Err(Rejection::new(Reason::FieldDuplicated, None, Subject::Header("content-type".to_owned())));
    }
    Ok(form)
}

/// Appends the value of a cookie (RFC 6265, section 4.2). One whose name only some servers would take for this one,
/// because they trim it or do not miss the `=`, makes the message ambiguous.
pub(crate) fn cookie(view: &RequestView<'_>, name: &str, out: &mut Vec<u8>) -> Result<bool, Rejection> {
    let mark = out.len();
    let (mut found, mut ambiguous) = (false, false);
    view.fields.values("cookie", &mut |line| {
        for pair in line.split(|byte| *byte == b';').map(canon::trim) {
            let (known, rest) = canon::split_at_byte(pair, b'=');
            if canon::trim(known) != name.as_bytes() {
                continue;
            }
            match rest.split_first() {
                Some((_, value)) if !found && known.len() == name.len() => {
                    found = true;
                    out.extend_from_slice(value);
                }
                _ => ambiguous = true,
            }
        }
    });
    if ambiguous {
        out.truncate(mark);
        return Err(Rejection::new(Reason::FieldDuplicated, None, Subject::Cookie(name.to_owned())));
    }
    Ok(found)
}

/// Appends the value of a parameter.
pub(crate) fn parameter(
    raw: &[u8],
    name: &str,
    decoding: Decoding,
    span: Span,
    malformed: Reason,
    out: &mut Vec<u8>,
) -> Result<bool, Stop> {
    let mark = out.len();
    let mut found = false;
    let wrong =
        |canon::Malformed| Stop::from(Rejection::new(malformed, Some(span), Subject::Parameter(name.to_owned())));
    // Nearly no query has an escape; then no name has to be looked through for one.
    let is_escape = |byte: &u8| matches!(byte, b'%' | b'+');
    let escapes = canon::has_any(raw, *b"%+");
    for (key, value) in canon::query_pairs(raw) {
        let same = if escapes && key.iter().any(is_escape) {
            let start = out.len();
            decoding.apply(key, out).map_err(wrong)?;
            let same = out.get(start..) == Some(name.as_bytes());
            out.truncate(start);
            same
        } else {
            key == name.as_bytes()
        };
        if !same {
            continue;
        }
        if found {
            out.truncate(mark);
            return Err(
                Rejection::new(Reason::FieldDuplicated, Some(span), Subject::Parameter(name.to_owned())).into()
            );
        }
        found = true;
        decoding.apply(value.unwrap_or_default(), out).map_err(wrong)?;
    }
    Ok(found)
}

/// Appends the value of a member of a JSON object.
pub(crate) fn json_member(body: &[u8], name: &str, span: Span, out: &mut Vec<u8>) -> Result<bool, Stop> {
    let mut found = false;
    canon::json_members(body, &mut |key, value| {
        if key == name.as_bytes() {
            found = true;
            out.extend_from_slice(json_text(&value));
        }
    })
    .map_err(|canon::Malformed| Rejection::new(Reason::BodyMalformed, Some(span), Subject::Body))?;
    Ok(found)
}

/// Appends the content of the part of a `multipart/form-data` body that has this name.
pub(crate) fn body_part(
    view: &RequestView<'_>,
    body: &[u8],
    name: &str,
    span: Span,
    out: &mut Vec<u8>,
) -> Result<bool, Stop> {
    let malformed = |canon::Malformed| Rejection::new(Reason::BodyMalformed, Some(span), Subject::Body);
    let mut content_type = Vec::new();
    field_line(view, "content-type", &mut content_type)?;
    let mut found = None;
    let mut twice = false;
    canon::parts(body, canon::boundary(&content_type).map_err(malformed)?, &mut |part| {
        if part.name == name.as_bytes() {
            twice |= found.replace(part.content).is_some();
        }
    })
    .map_err(malformed)?;
    if twice {
        return Err(Rejection::new(Reason::FieldDuplicated, Some(span), Subject::Parameter(name.to_owned())).into());
    }
    out.extend_from_slice(found.unwrap_or_default());
    Ok(found.is_some())
}

/// Appends the text of a child of an XML root.
pub(crate) fn xml_child(body: &[u8], name: &str, span: Span, out: &mut Vec<u8>) -> Result<bool, Stop> {
    let mut found = false;
    canon::xml_children(body, &mut |key, text| {
        if key == name.as_bytes() {
            found = true;
            out.extend_from_slice(text);
        }
    })
    .map_err(|canon::Malformed| Rejection::new(Reason::BodyMalformed, Some(span), Subject::Body))?;
    Ok(found)
}

//! Values as they are carried: in a cookie, a field, a parameter, with what each framework puts around them there.

use countersign_core::canon;
use countersign_signed::django;
use http::header::{self, HeaderMap};
use http::request::Parts;

use super::{doubled, missing};
use crate::config::{ValueFormat, ValuePlace};
use crate::judge::Doubt;

/// A value, and its signature where that lies beside it.
pub(super) struct Carried {
    pub(super) value: String,
    pub(super) signature: Option<String>,
}

/// Why a value is none: its framework would not read it either.
const UNREADABLE: countersign_signed::Refused = countersign_signed::Refused::Malformed;

pub(super) fn read(head: &Parts, place: &ValuePlace, format: &ValueFormat, what: &str) -> Result<Carried, Doubt> {
    let raw = match place {
        ValuePlace::Cookie(name) => cookie(&head.headers, name).map_err(|Twice| doubled(what))?,
        ValuePlace::Header(name) => {
            let mut lines = head.headers.get_all(name).iter();
            match (lines.next(), lines.next()) {
                (Some(_), Some(_)) => return Err(doubled(what)),
                (line, _) => line.map(|line| line.as_bytes().trim_ascii().to_vec()),
            }
        }
        ValuePlace::Query(name) => {
            parameter(head.uri.query().unwrap_or_default(), name).map_err(|Twice| doubled(what))?
        }
    };
    let raw = raw.ok_or_else(|| missing(what))?;
    let unreadable = || super::doubt(what, UNREADABLE);
    let text = String::from_utf8(raw).map_err(|_| unreadable())?;
    let ValuePlace::Cookie(name) = place else { return Ok(Carried { value: text, signature: None }) };
    let (value, signature) = match format {
        ValueFormat::Django(_) | ValueFormat::DjangoCookie(_) | ValueFormat::Itsdangerous(_) => {
            (django::unquote(&text).ok_or_else(unreadable)?, None)
        }
        // `cookie-parser` decodes, and a signed one begins so.
        ValueFormat::Express => {
            let decoded = decoded(text.as_bytes(), canon::unpct).ok_or_else(unreadable)?;
            (decoded.strip_prefix("s:").ok_or_else(unreadable)?.to_owned(), None)
        }
        // Rack reads cookies as it reads forms.
        ValueFormat::Rails(..) => (decoded(text.as_bytes(), canon::form_decode).ok_or_else(unreadable)?, None),
        ValueFormat::Keygrip(_) => {
            let signature = cookie(&head.headers, &format!("{name}.sig")).map_err(|Twice| doubled(what))?;
            let signature = signature.and_then(|signature| String::from_utf8(signature).ok());
            (text, Some(signature.ok_or_else(|| missing(what))?))
        }
        ValueFormat::Countersign(_) => (text, None),
    };
    Ok(Carried { value, signature })
}

/// It is there more than once, and readers differ on which counts.
#[derive(Debug, PartialEq, Eq)]
struct Twice;

/// The one cookie of a name (RFC 6265, section 4.2.1).
fn cookie(fields: &HeaderMap, name: &str) -> Result<Option<Vec<u8>>, Twice> {
    let mut found = None;
    for line in fields.get_all(header::COOKIE) {
        for pair in line.as_bytes().split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            let Some(at) = pair.iter().position(|byte| *byte == b'=') else { continue };
            if pair[..at].trim_ascii() == name.as_bytes() {
                if found.is_some() {
                    return Err(Twice);
                }
                found = Some(pair[at + 1..].trim_ascii().to_vec());
            }
        }
    }
    Ok(found)
}

/// The one parameter of a name, decoded as forms are.
fn parameter(query: &str, name: &str) -> Result<Option<Vec<u8>>, Twice> {
    let mut found = None;
    for pair in query.as_bytes().split(|byte| *byte == b'&') {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let read = canon::form_decode(&pair[..at], &mut key);
        if read.is_err() || key != name.as_bytes() {
            continue;
        }
        // What cannot be decoded is there all the same, and is no value.
        if canon::form_decode(pair.get(at + 1..).unwrap_or_default(), &mut value).is_err() {
            value = vec![0xff];
        }
        if found.is_some() {
            return Err(Twice);
        }
        found = Some(value);
    }
    Ok(found)
}

fn decoded(
    text: &[u8],
    decode: fn(&[u8], &mut Vec<u8>) -> Result<(), countersign_core::canon::Malformed>,
) -> Option<String> {
    let mut out = Vec::new();
    decode(text, &mut out).ok()?;
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_08_a_cookie_that_is_there_twice_is_not_read() {
        let lines = |lines: &[&'static str]| -> HeaderMap {
            lines.iter().map(|line| (header::COOKIE, http::HeaderValue::from_static(line))).collect()
        };
        let found = |text: &str| Ok(Some(text.as_bytes().to_vec()));
        assert_eq!(cookie(&lines(&["a=1; session=x; b=2"]), "session"), found("x"));
        assert_eq!(cookie(&lines(&["session=x=y=;"]), "session"), found("x=y="));
        assert_eq!(cookie(&lines(&["Session=x; xsession=y; session"]), "session"), Ok(None));
        for twice in [&["session=x; session=x"][..], &["session=x", "session=y"], &["session =x;session=y"]] {
            assert_eq!(cookie(&lines(twice), "session"), Err(Twice), "{twice:?}");
        }
    }

    #[test]
    fn attack_08_a_parameter_that_is_there_twice_is_not_read() {
        let found = |text: &[u8]| Ok(Some(text.to_vec()));
        assert_eq!(parameter("a=1&token=x%3A+y", "token"), found(b"x: y"));
        assert_eq!(parameter("a=1", "token"), Ok(None));
        assert_eq!(parameter("token", "token"), found(b""));
        assert_eq!(parameter("token=%zz", "token"), found(&[0xff]));
        for twice in ["token=x&token=y", "token=x&%74oken=y", "token=x&token=%zz"] {
            assert_eq!(parameter(twice, "token"), Err(Twice), "{twice}");
        }
    }
}

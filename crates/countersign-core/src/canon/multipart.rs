//! `multipart/form-data` bodies (RFC 7578; RFC 2046, section 5.1), which uploads send.
//!
//! Readers of multipart disagree about almost everything that is not written in the usual way, so nothing else is
//! taken: no text before the first boundary or behind the last, no bare line feed, no folded line, no transfer encoding,
//! no escapes in names.

use super::{Malformed, is_token, trim};

/// A part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyPart<'a> {
    /// The name of its field.
    pub name: &'a [u8],
    /// Its content.
    pub content: &'a [u8],
}

/// The boundary that a `Content-Type` of `multipart/form-data` names.
pub fn boundary(content_type: &[u8]) -> Result<&[u8], Malformed> {
    let (media_type, parameters) = value_and_parameters(content_type)?;
    if !media_type.eq_ignore_ascii_case(b"multipart/form-data") {
        return Err(Malformed);
    }
    let mut found = parameters.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"boundary"));
    match (found.next(), found.next()) {
        // RFC 2046, section 5.1.1: 1 to 70 of these, and no space at the end.
        (Some((_, boundary)), None) if (1..=70).contains(&boundary.len()) => {
            let admitted = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(byte);
            if boundary.iter().all(admitted) { Ok(boundary) } else { Err(Malformed) }
        }
        _ => Err(Malformed),
    }
}

/// Hands each part to `each`, in the order in which they were sent. Whether two have one name is for the caller to judge.
///
/// `each` may have been called for some parts before a fault further on is found: what it collected counts only if the
/// answer is `Ok`.
pub fn parts<'b>(body: &'b [u8], boundary: &[u8], each: &mut dyn FnMut(BodyPart<'b>)) -> Result<(), Malformed> {
    let delimiter = [b"\r\n--", boundary].concat();
    // The first delimiter stands at the beginning, without the line end that precedes the others.
    let first = delimiter.get(2..).ok_or(Malformed)?;
    let mut rest = body.strip_prefix(first).ok_or(Malformed)?;
    loop {
        rest = match rest {
            [b'-', b'-'] | [b'-', b'-', b'\r', b'\n'] => return Ok(()),
            [b'\r', b'\n', rest @ ..] => rest,
            _ => return Err(Malformed),
        };
        let (head, after) = cut(rest, b"\r\n\r\n")?;
        // `--boundary: x` could pass for a field of the head.
        if cut(head, &delimiter).is_ok() {
            return Err(Malformed);
        }
        let (content, after) = cut(after, &delimiter)?;
        each(BodyPart { name: field_name(head)?, content });
        rest = after;
    }
}

/// The name that a part's head gives its field.
fn field_name(head: &[u8]) -> Result<&[u8], Malformed> {
    let mut disposition = None;
    let mut rest = head;
    loop {
        let (line, after) = cut(rest, b"\r\n").unwrap_or((rest, &[]));
        if line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Err(Malformed);
        }
        let at = line.iter().position(|byte| *byte == b':').ok_or(Malformed)?;
        let (name, value) = line.split_at_checked(at).ok_or(Malformed)?;
        let value = trim(value.get(1..).unwrap_or_default());
        // A folded line begins with white space, which is no token.
        if !is_token(name) {
            return Err(Malformed);
        }
        if name.eq_ignore_ascii_case(b"content-disposition") {
            if disposition.replace(value).is_some() {
                return Err(Malformed);
            }
        } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
            // RFC 7578, section 4.7: deprecated. These change nothing.
            let plain = [&b"binary"[..], b"8bit", b"7bit"];
            if !plain.iter().any(|known| value.eq_ignore_ascii_case(known)) {
                return Err(Malformed);
            }
        }
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    let (kind, parameters) = value_and_parameters(disposition.ok_or(Malformed)?)?;
    if !kind.eq_ignore_ascii_case(b"form-data") {
        return Err(Malformed);
    }
    let mut name = None;
    for (known, value) in parameters {
        if known.eq_ignore_ascii_case(b"name") {
            // Some readers decode `%22` in a name, and some do not.
            if value.contains(&b'%') || name.replace(value).is_some() {
                return Err(Malformed);
            }
        } else if !known.eq_ignore_ascii_case(b"filename") && !known.eq_ignore_ascii_case(b"filename*") {
            return Err(Malformed);
        }
    }
    name.ok_or(Malformed)
}

/// A value, and parameters of which each is a name with a value.
type WithParameters<'a> = (&'a [u8], Vec<(&'a [u8], &'a [u8])>);

/// `value; name=token; name="text"` (RFC 9110, section 5.6.6), without escapes.
fn value_and_parameters(text: &[u8]) -> Result<WithParameters<'_>, Malformed> {
    let end = text.iter().position(|byte| *byte == b';').unwrap_or(text.len());
    let (value, mut rest) = text.split_at_checked(end).ok_or(Malformed)?;
    let mut parameters = Vec::new();
    while let [b';', after @ ..] = rest {
        let at = after.iter().position(|byte| *byte == b'=').ok_or(Malformed)?;
        let (name, after) = after.split_at_checked(at).ok_or(Malformed)?;
        let name = trim(name);
        let after = after.get(1..).ok_or(Malformed)?;
        let value;
        (value, rest) = if let [b'"', after @ ..] = after {
            let (text, after) = cut(after, b"\"")?;
            if text.iter().any(|byte| *byte == b'\\' || byte.is_ascii_control()) {
                return Err(Malformed);
            }
            (text, skip_white(after))
        } else {
            let end = after.iter().position(|byte| *byte == b';').unwrap_or(after.len());
            let (text, after) = after.split_at_checked(end).ok_or(Malformed)?;
            let text = trim(text);
            // `filename*=UTF-8''...` and boundaries as clients write them hold more than a token does.
            if text.is_empty() || text.iter().any(|byte| !(b'!'..=b'~').contains(byte) || *byte == b'"') {
                return Err(Malformed);
            }
            (text, after)
        };
        if !is_token(name) {
            return Err(Malformed);
        }
        parameters.push((name, value));
    }
    if rest.is_empty() { Ok((trim(value), parameters)) } else { Err(Malformed) }
}

fn skip_white(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

/// What precedes the first occurrence of a text, and what follows it.
fn cut<'a>(text: &'a [u8], at: &[u8]) -> Result<(&'a [u8], &'a [u8]), Malformed> {
    let start = text.windows(at.len()).position(|window| window == at).ok_or(Malformed)?;
    let (before, rest) = text.split_at_checked(start).ok_or(Malformed)?;
    Ok((before, rest.get(at.len()..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: impl AsRef<[u8]>) -> Result<Vec<(String, String)>, Malformed> {
        let mut found = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        parts(body.as_ref(), b"b-1", &mut |part| found.push((text(part.name), text(part.content))))?;
        Ok(found)
    }

    #[track_caller]
    fn check(body: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        assert_eq!(read(body), Ok(expected), "{body}");
    }

    #[test]
    fn parts_come_in_order_with_their_exact_bytes() {
        check("--b-1--", &[]);
        check("--b-1--\r\n", &[]);
        check("--b-1\r\nContent-Disposition: form-data; name=\"meta\"\r\n\r\n{}\r\n--b-1--\r\n", &[("meta", "{}")]);
        check(
            "--b-1\r\ncontent-type: application/json\r\nCONTENT-DISPOSITION:Form-Data;name=a\r\n\r\n\r\n--b-1\r\n\
             Content-Disposition: form-data; name=\"f\"; filename=\"a; name=x.png\"; filename*=UTF-8''%e4.png\r\n\
             Content-Transfer-Encoding: binary\r\n\r\n\r\n--b\r\n\n--b-1\r\n\r\n--b-1--",
            &[("a", ""), ("f", "\r\n--b\r\n\n--b-1\r\n")],
        );
    }

    #[test]
    fn what_readers_disagree_about_is_malformed() {
        let part = |head: &str| format!("--b-1\r\n{head}\r\n\r\nx\r\n--b-1--");
        assert!(read(part("Content-Disposition: form-data; name=\"a\"")).is_ok());
        for head in [
            "",
            "Content-Type: text/plain",
            "Content-Disposition: form-data",
            "Content-Disposition: file; name=\"a\"",
            "Content-Disposition: form-data; name=\"a\"; name=\"b\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"",
            "Content-Disposition: form-data; name*=UTF-8''a",
            "Content-Disposition: form-data; name=\"a\"; x=\"b\"",
            "Content-Disposition: form-data; name=\"a\\\"b\"",
            "Content-Disposition: form-data; name=\"a%22b\"",
            "Content-Disposition: form-data; name=\"a",
            "Content-Disposition: form-data; name=",
            "Content-Disposition: form-data; name=\"a\" b",
            "Content-Disposition: form-data, name=\"a\"",
            "Content-Disposition: form-data;\r\n name=\"a\"",
            "Content-Disposition : form-data; name=\"a\"",
            "Content-Disposition: form-data; name=\"a\"\nX: y",
            "Content-Disposition: form-data; name=\"a\"\rX: y",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64",
            "Content-Disposition: form-data; name=\"a\"\r\n--b-1: x",
            "Content-Disposition: form-data; name=\"a\"\r\nno field",
        ] {
            assert_eq!(read(part(head)), Err(Malformed), "{head}");
        }
        let whole = part("Content-Disposition: form-data; name=\"a\"");
        for body in [
            String::new(),
            format!("\r\n{whole}"),
            format!("preamble\r\n{whole}"),
            format!("{whole}epilogue"),
            format!("{whole}\r\n\r\n"),
            whole.replace("\r\n", "\n"),
            whole.replace("--b-1--", "--b-1"),
            whole.replace("--b-1--", "--b-1 --"),
            whole.replace("--b-1--", "--b-12--"),
            whole.replacen("--b-1\r\n", "--b-1 \r\n", 1),
            whole.replacen("--b-1\r\n", "--b-12\r\n", 1),
        ] {
            assert_eq!(read(&body), Err(Malformed), "{body:?}");
        }
    }

    #[test]
    fn the_boundary_is_read_in_one_way() {
        for (text, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("Multipart/Form-Data;charset=utf-8; Boundary=\"a=b:c\"", Some("a=b:c")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"\"", None),
            ("multipart/form-data; boundary=\"a b\"", None),
            ("multipart/form-data; boundary=a; boundary=b", None),
            ("multipart/form-data; boundary=a; boundary", None),
            ("multipart/form-data, boundary=a", None),
            ("multipart/mixed; boundary=a", None),
            ("application/json; boundary=a", None),
            ("", None),
        ] {
            assert_eq!(boundary(text.as_bytes()).ok(), expected.map(str::as_bytes), "{text}");
        }
        let long = |count: usize| format!("multipart/form-data; boundary={}", "a".repeat(count));
        assert!(boundary(long(70).as_bytes()).is_ok() && boundary(long(71).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(texts in prop::collection::vec(("[a-z0-9 ;=]{0,8}", any::<Vec<u8>>()), 0..4)) {
            let mut body = Vec::new();
            for (name, content) in &texts {
                prop_assume!(cut(content, b"b-1").is_err());
                body.extend_from_slice(
                    format!("--b-1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes(),
                );
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--b-1--");
            let mut found = Vec::new();
            let result = parts(&body, b"b-1", &mut |part| found.push((part.name.to_vec(), part.content.to_vec())));
            prop_assert_eq!(result, Ok(()));
            let expected: Vec<_> = texts.into_iter().map(|(name, content)| (name.into_bytes(), content)).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn nearly_multipart_never_panics(body in "(--b-1|\r\n|--|Content-Disposition: form-data|; name=|\"a\"|[ -~]){0,24}") {
            let _ = (read(&body), boundary(body.as_bytes()));
        }
    }
}

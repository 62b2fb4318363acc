//! HTTP/1.1 messages as text: one message a file, with CRLF or LF at the end of lines.
//!
//! A file is not a connection, so more is read here than the gateway would take: bare LF, folded field lines
//! (RFC 9112, section 5.2), a target with spaces. What is read is one message all the same, or an error with its
//! line. Chunked bodies are not decoded: a scheme signs the content, and a file holds that as it is.

use std::io::{self, Write};

use countersign_core::Transport;
use countersign_core::canon::is_token;

use super::{Message, MessageError, Url, UrlError};

/// Why a text is no HTTP message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("there is no message: nothing was read")]
    Empty,
    #[error("line {line}: this is neither a request line (`GET /path HTTP/1.1`) nor a status line")]
    StartLine { line: usize },
    #[error("line {line}: a field line is `Name: value`")]
    FieldLine { line: usize },
    #[error("line {line}: a carriage return that ends no line")]
    StrayReturn { line: usize },
    #[error("{0}")]
    Message(#[from] MessageError),
    #[error("{0}")]
    Url(#[from] UrlError),
    #[error("there is no `Host` field, so the message does not say where it goes")]
    NoHost,
    #[error("`Content-Length` is {value:?}, which is no length")]
    LengthMalformed { value: String },
    #[error("`Content-Length` is {claimed}, and the body has {found} bytes")]
    LengthDisagrees { claimed: usize, found: usize },
    #[error("the body is chunked")]
    Chunked,
}

impl HttpError {
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Chunked => Some("write the content itself as the body, and remove `Transfer-Encoding`"),
            Self::Empty | Self::StartLine { .. } => {
                Some("a request is a raw HTTP/1.1 message; with --jsonl it is one JSON object a line")
            }
            Self::LengthDisagrees { .. } => Some("correct the length, or leave it out: the body ends with the file"),
            Self::NoHost => Some("add `Host: example.com`"),
            _ => None,
        }
    }
}

impl Message {
    /// Reads a message. `transport` is what a request in origin form was sent over.
    pub(crate) fn from_http(bytes: &[u8], transport: Transport) -> Result<Self, HttpError> {
        let mut lines = Lines { rest: bytes, number: 0 };
        // RFC 9112, section 2.2: an empty line before the start line is no part of the message.
        let start = loop {
            match lines.next()? {
                None => return Err(HttpError::Empty),
                Some([]) => {}
                Some(start) => break start,
            }
        };
        let start_line = lines.number;
        let fields = fields(&mut lines)?;
        let body = body(&fields, lines.rest)?;
        let wrong = || HttpError::StartLine { line: start_line };
        if start.starts_with(b"HTTP/") {
            let status = status(start).ok_or_else(wrong)?;
            return Ok(Self::response(status, fields, body, None)?);
        }
        let (method, target) = request_line(start).ok_or_else(wrong)?;
        let url = if target.starts_with(b"/") || target == b"*" {
            let host = super::host(&fields)?.ok_or(HttpError::NoHost)?.to_owned();
            let Url { authority, .. } = Url::parse(&format!("{}://{host}", transport.scheme()))?;
            Url { transport, authority, target: target.to_vec() }
        } else {
            // Absolute form, RFC 9112, section 3.2.2.
            Url::parse(std::str::from_utf8(target).map_err(|_| wrong())?)?
        };
        Ok(Self::request(method.to_owned(), url, fields, body)?)
    }

    /// Writes the message as it would be sent.
    pub(crate) fn write_http(&self, out: &mut impl Write) -> io::Result<()> {
        if let Some(status) = self.status {
            write!(out, "HTTP/1.1 {status}\r\n")?;
        } else {
            write!(out, "{} ", self.method)?;
            out.write_all(&self.target)?;
            out.write_all(b" HTTP/1.1\r\n")?;
            if self.values("host").next().is_none() {
                write!(out, "Host: {}\r\n", self.authority)?;
            }
        }
        for (name, value) in &self.fields {
            // The body may have grown since its length was written.
            if name.eq_ignore_ascii_case("content-length") {
                write!(out, "{name}: {}\r\n", self.content().len())?;
                continue;
            }
            write!(out, "{name}: ")?;
            out.write_all(value.trim_ascii())?;
            out.write_all(b"\r\n")?;
        }
        out.write_all(b"\r\n")?;
        out.write_all(self.content())
    }
}

struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its end; `None` at the end of the text.
    fn next(&mut self) -> Result<Option<&'a [u8]>, HttpError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let (line, rest) = match self.rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.contains(&b'\r') {
            return Err(HttpError::StrayReturn { line: self.number });
        }
        Ok(Some(line))
    }
}

/// Field lines up to the empty line, or to the end where there is none.
fn fields(lines: &mut Lines<'_>) -> Result<Vec<(String, Vec<u8>)>, HttpError> {
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    while let Some(line) = lines.next()? {
        if line.is_empty() {
            break;
        }
        let wrong = || HttpError::FieldLine { line: lines.number };
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            // RFC 9112, section 5.2: a fold stands for white space.
            let (_, value) = fields.last_mut().ok_or_else(wrong)?;
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or_else(wrong)?;
        let (name, value) = line.split_at(colon);
        let name = std::str::from_utf8(name).ok().filter(|name| is_token(name.as_bytes())).ok_or_else(wrong)?;
        fields.push((name.to_owned(), value[1..].trim_ascii().to_vec()));
    }
    Ok(fields)
}

/// What follows the head. An editor's line end behind a body of stated length is not part of it.
fn body(fields: &[(String, Vec<u8>)], rest: &[u8]) -> Result<Option<Vec<u8>>, HttpError> {
    let values = |wanted: &str| {
        let wanted = wanted.to_owned();
        fields.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(&wanted)).map(|(_, value)| value.as_slice())
    };
    if values("transfer-encoding").next().is_some() {
        return Err(HttpError::Chunked);
    }
    let mut length = None;
    for value in values("content-length") {
        let text = String::from_utf8_lossy(value);
        let malformed = || HttpError::LengthMalformed { value: text.clone().into_owned() };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        let claimed: usize = text.parse().map_err(|_| malformed())?;
        if length.is_some_and(|length| length != claimed) {
            return Err(malformed());
        }
        length = Some(claimed);
    }
    match length {
        None => Ok((!rest.is_empty()).then(|| rest.to_vec())),
        Some(claimed) => match rest.split_at_checked(claimed) {
            Some((body, b"" | b"\n" | b"\r\n")) => Ok(Some(body.to_vec())),
            _ => Err(HttpError::LengthDisagrees { claimed, found: rest.len() }),
        },
    }
}

/// Method and target: from the first space to the last, so that a target may hold spaces itself.
fn request_line(line: &[u8]) -> Option<(&str, &[u8])> {
    let first = line.iter().position(|byte| *byte == b' ')?;
    let last = line.iter().rposition(|byte| *byte == b' ')?;
    let target = line.get(first + 1..last)?;
    let method = std::str::from_utf8(&line[..first]).ok().filter(|method| is_token(method.as_bytes()))?;
    let printable = target.iter().all(|byte| !byte.is_ascii_control());
    (printable && !target.is_empty() && is_version(&line[last + 1..])).then_some((method, target))
}

fn status(line: &[u8]) -> Option<u16> {
    let mut words = std::str::from_utf8(line).ok()?.splitn(3, ' ');
    let version = words.next()?;
    let code = words.next().filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))?;
    is_version(version.as_bytes()).then(|| code.parse().ok())?
}

fn is_version(text: &[u8]) -> bool {
    matches!(text, b"HTTP/1.0" | b"HTTP/1.1" | b"HTTP/2" | b"HTTP/2.0" | b"HTTP/3")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Message, HttpError> {
        Message::from_http(text.as_bytes(), Transport::Https)
    }

    #[test]
    fn what_is_no_message_says_where() {
        for (text, why) in [
            ("", HttpError::Empty),
            ("\r\n\n", HttpError::Empty),
            ("GET /\n\n", HttpError::StartLine { line: 1 }),
            ("\nGET / HTTP/9\nHost: a\n\n", HttpError::StartLine { line: 2 }),
            ("G@T / HTTP/1.1\nHost: a\n\n", HttpError::StartLine { line: 1 }),
            ("HTTP/1.1 20\n\n", HttpError::StartLine { line: 1 }),
            ("GET / HTTP/1.1\n Host: a\n\n", HttpError::FieldLine { line: 2 }),
            ("GET / HTTP/1.1\nHost : a\n\n", HttpError::FieldLine { line: 2 }),
            ("GET / HTTP/1.1\nHost\n\n", HttpError::FieldLine { line: 2 }),
            ("GET / HTTP/1.1\rHost: a\n\n", HttpError::StrayReturn { line: 1 }),
            ("GET / HTTP/1.1\nAccept: a\n\n", HttpError::NoHost),
            ("GET / HTTP/1.1\nHost: a\nHost: a\n\n", HttpError::Message(MessageError::HostDoubled)),
            ("GET / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\r\n\r\n", HttpError::Chunked),
            (
                "POST / HTTP/1.1\nHost: a\nContent-Length: 3\n\nab",
                HttpError::LengthDisagrees { claimed: 3, found: 2 },
            ),
            ("POST / HTTP/1.1\nHost: a\nContent-Length: +2\n\nab", HttpError::LengthMalformed { value: "+2".into() }),
        ] {
            assert_eq!(read(text).unwrap_err(), why, "{text:?}");
        }
    }

    #[test]
    fn a_message_is_read_whatever_its_line_ends() {
        for end in ["\n", "\r\n"] {
            let text =
                ["POST /a b?c HTTP/1.1", "Host:example.com", "X: 1", "  2", "\t3 ", "Content-Length: 2", "", "ab"]
                    .join(end);
            for tail in ["", end] {
                let message = read(&format!("{text}{tail}")).unwrap();
                assert_eq!(message.target, b"/a b?c");
                assert_eq!(message.url(), "https://example.com/a b?c");
                assert_eq!(message.values("x").collect::<Vec<_>>(), [b"1 2 3"]);
                assert_eq!(message.content(), b"ab");
            }
        }
    }

    #[test]
    fn a_head_may_end_with_the_file_and_a_body_without_length_too() {
        assert_eq!(read("GET / HTTP/1.1\nHost: a").unwrap().body, None);
        assert_eq!(read("GET / HTTP/1.1\nHost: a\nContent-Length: 0\n\n").unwrap().body, Some(Vec::new()));
        assert_eq!(read("POST / HTTP/1.1\nHost: a\n\nbody\n").unwrap().content(), b"body\n");
        assert_eq!(read("HTTP/1.1 204 No Content\r\nA: b\r\n\r\n").unwrap().status, Some(204));
        assert_eq!(read("GET http://h:1/p HTTP/1.1\n\n").unwrap().authority, "h:1");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let message = read("POST /p?q HTTP/1.1\nHost: a\nX:  1\n\nbody").unwrap();
        let mut text = Vec::new();
        message.write_http(&mut text).unwrap();
        assert_eq!(text, b"POST /p?q HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\nbody");
        assert_eq!(Message::from_http(&text, Transport::Https).unwrap(), message);
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes: Vec<u8>) {
            let _ = Message::from_http(&bytes, Transport::Http);
        }

        #[test]
        fn any_head_that_is_read_can_be_written_and_read_again(
            head in "(GET|P) /[ -~é]{0,9} HTTP/1.1\r?\n(Host|A|b):[ -~\t]{0,9}\r?\n([ -~]{0,9}\r?\n){0,3}", body: Vec<u8>,
        ) {
            let bytes = [head.as_bytes(), b"\n", &body].concat();
            if let Ok(message) = Message::from_http(&bytes, Transport::Http) {
                let mut text = Vec::new();
                message.write_http(&mut text).unwrap();
                prop_assert_eq!(Message::from_http(&text, Transport::Http).unwrap(), message);
            }
        }
    }
}

//! One head, line by line: request line, field lines, and what they say together about framing.
//!
//! A line is judged when its line feed has arrived, so that packets make no difference. What is judged are rules of
//! syntax and framing only; a field that has no part in framing may have any value that RFC 9110 allows.

use std::ops::Range;

use memchr::memchr;

use super::body::Framing;
use super::target::{self, TOKEN_BYTES};
use super::{FIELD_LIMIT, HEAD_LIMIT, Violation};

/// A head that is being read.
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    line_start: usize,
    scanned: usize,
    fields: usize,
    request: Option<RequestLine>,
    host: Option<Range<usize>>,
    length: Option<u64>,
    encoded: bool,
}

/// How far a head has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadStep {
    /// Its end has not arrived.
    Partial,
    /// An empty line came before it, `len` bytes long, which means nothing (RFC 9112, section 2.2).
    Blank { len: usize },
    /// It is whole and right, and `len` bytes long.
    Whole { len: usize, framing: Framing },
}

impl HeadScan {
    /// Looks at what has arrived of this head: all of its bytes, each time.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<HeadStep, Violation> {
        // Bytes that cannot begin a request, a TLS handshake for example, may never bring a line feed.
        if bytes.first().is_some_and(|byte| !TOKEN_BYTES[usize::from(*byte)] && *byte != b'\r') {
            return Err(if bytes.first() == Some(&b'\n') { Violation::LineEnding } else { Violation::Method });
        }
        let within = &bytes[..bytes.len().min(HEAD_LIMIT)];
        while let Some(length) = memchr(b'\n', &within[self.scanned..]) {
            let end = self.scanned + length;
            let line = self.line_start..line_end(within, self.line_start, end)?;
            self.line_start = end + 1;
            self.scanned = self.line_start;
            match (&self.request, line.is_empty()) {
                (None, true) => return Ok(HeadStep::Blank { len: self.line_start }),
                (None, false) => self.request = Some(RequestLine::read(within, line)?),
                (Some(request), true) => {
                    let framing = self.framing(request, within)?;
                    return Ok(HeadStep::Whole { len: self.line_start, framing });
                }
                (Some(_), false) => self.field(within, line)?,
            }
        }
        self.scanned = within.len();
        if within.len() == HEAD_LIMIT { Err(Violation::HeadTooLarge) } else { Ok(HeadStep::Partial) }
    }

    fn field(&mut self, bytes: &[u8], line: Range<usize>) -> Result<(), Violation> {
        let text = &bytes[line.clone()];
        if matches!(text.first(), Some(b' ' | b'\t')) {
            return Err(Violation::ObsoleteFold);
        }
        let colon = memchr(b':', text).ok_or(Violation::FieldLine)?;
        let (name, rest) = text.split_at(colon);
        if matches!(name.last(), Some(b' ' | b'\t')) {
            return Err(Violation::SpaceBeforeColon);
        }
        if name.is_empty() || !name.iter().all(|byte| TOKEN_BYTES[usize::from(*byte)]) {
            return Err(Violation::FieldName);
        }
        self.fields += 1;
        if self.fields > FIELD_LIMIT {
            return Err(Violation::FieldsTooMany);
        }
        let value = &rest[1..];
        // Without a way out in the middle, many bytes are looked at in one step.
        if !value.iter().fold(true, |right, byte| right & is_field_byte(*byte)) {
            return Err(Violation::ControlByte);
        }
        match Framed::by_name(name) {
            None => Ok(()),
            Some(Framed::Lookalike) => Err(Violation::Lookalike),
            Some(Framed::Expect) if value.trim_ascii().eq_ignore_ascii_case(b"100-continue") => Ok(()),
            Some(Framed::Expect) => Err(Violation::Expectation),
            Some(Framed::Host) => {
                if self.host.is_some() {
                    return Err(Violation::HostRepeated);
                }
                if !target::is_plain_authority(value.trim_ascii()) {
                    return Err(Violation::HostOdd);
                }
                let leading = value.len() - value.trim_ascii_start().len();
                let start = line.start + colon + 1 + leading;
                self.host = Some(start..start + value.trim_ascii().len());
                Ok(())
            }
            Some(Framed::Length) => {
                if self.length.is_some() {
                    return Err(Violation::LengthRepeated);
                }
                self.length = Some(decimal(value.trim_ascii()).ok_or(Violation::LengthOdd)?);
                Ok(())
            }
            Some(Framed::Encoding) => {
                if self.encoded {
                    return Err(Violation::EncodingRepeated);
                }
                if !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                    return Err(Violation::EncodingOdd);
                }
                self.encoded = true;
                Ok(())
            }
        }
    }

    /// The rules that need the whole head.
    fn framing(&self, request: &RequestLine, bytes: &[u8]) -> Result<Framing, Violation> {
        let host = self.host.clone().map(|host| &bytes[host]);
        if host.is_none() && (!request.old_version || request.authority.is_some()) {
            return Err(Violation::HostMissing);
        }
        if let (Some(authority), Some(host)) = (request.authority.clone(), host)
            && !bytes[authority].eq_ignore_ascii_case(host)
        {
            return Err(Violation::AuthorityDisagrees);
        }
        match (self.encoded, self.length) {
            (true, Some(_)) => Err(Violation::LengthAndEncoding),
            (true, None) if request.old_version => Err(Violation::EncodingOnOldVersion),
            (true, None) => Ok(Framing::Chunked),
            (false, Some(0) | None) => Ok(Framing::None),
            (false, Some(length)) => Ok(Framing::Length(length)),
        }
    }
}

/// What later rules need of the request line.
#[derive(Debug)]
struct RequestLine {
    /// Where an absolute-form target's authority stands.
    authority: Option<Range<usize>>,
    /// HTTP/1.0.
    old_version: bool,
}

impl RequestLine {
    fn read(bytes: &[u8], line: Range<usize>) -> Result<Self, Violation> {
        let text = &bytes[line.clone()];
        let mut parts = text.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Violation::RequestLine);
        };
        if method.is_empty() || !method.iter().all(|byte| TOKEN_BYTES[usize::from(*byte)]) {
            return Err(Violation::Method);
        }
        if target.is_empty() || version.is_empty() {
            return Err(Violation::RequestLine);
        }
        let old_version = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return Err(Violation::Version),
        };
        let authority = target::check(method, target)?.map(|authority| {
            let start = line.start + method.len() + 1 + b"http://".len();
            start..start + authority.len()
        });
        Ok(Self { authority, old_version })
    }
}

/// A field that has a part in framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framed {
    Encoding,
    Expect,
    Host,
    Length,
    /// One that CGI-like servers cannot tell from a framing field, since they read `_` for `-`.
    Lookalike,
}

impl Framed {
    fn by_name(name: &[u8]) -> Option<Self> {
        // Most fields are told apart by their length alone.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => Some(Self::Host),
            6 if name.eq_ignore_ascii_case(b"expect") => Some(Self::Expect),
            14 if name.eq_ignore_ascii_case(b"content-length") => Some(Self::Length),
            14 if name.eq_ignore_ascii_case(b"content_length") => Some(Self::Lookalike),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => Some(Self::Encoding),
            17 if name.eq_ignore_ascii_case(b"transfer_encoding") => Some(Self::Lookalike),
            _ => None,
        }
    }
}

/// The end of a line without its carriage return, once that is known to be the only one.
fn line_end(bytes: &[u8], start: usize, line_feed: usize) -> Result<usize, Violation> {
    match bytes[start..line_feed].split_last() {
        Some((b'\r', line)) if memchr(b'\r', line).is_none() => Ok(line_feed - 1),
        _ => Err(Violation::LineEnding),
    }
}

/// RFC 9110, section 5.5: visible characters, space, tab, and bytes from 0x80 on, which are opaque.
const fn is_field_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// Digits and nothing else, without leading zeros (which a C library may take for octal), up to `i64::MAX`.
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) || (value.len() > 1 && value.first() == Some(&b'0'))
    {
        return None;
    }
    let value: u64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    i64::try_from(value).is_ok().then_some(value)
}

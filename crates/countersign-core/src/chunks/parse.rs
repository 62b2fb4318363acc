//! The framing of a body in chunks, taken apart byte by byte.
//!
//! ```text
//! 10000;chunk-signature=ad80…⏎   SIZE in hexadecimal digits, and the signature where chunks are signed
//! 65536 bytes⏎
//! 0;chunk-signature=b6c6…⏎        the last chunk is empty
//! x-amz-checksum-crc32c:sOO8/Q==⏎ trailer lines, where there are any, right behind it
//! ⏎
//! ```
//!
//! ⏎ is CR LF. As in the documentation of Amazon S3, "Signature Calculations for the Authorization Header:
//! Transferring Payload in Multiple Chunks" and "Including Trailing Headers" (read 2026-11). One client (minio-go)
//! puts a line feed between a trailer's value and its CR LF; it is not part of the value, and is let pass.
//!
//! A body is one thing or none: sizes have no leading zero, no extension but the one is known, lines hold neither
//! white space at an end nor control characters, and nothing follows the last line. What a chunk is split into when
//! it arrives makes no difference. Deliberately absent: signatures, lengths that were announced, and content, which
//! stays where it is.

use super::Flaw;
use crate::canon;

/// The longest line, in bytes: more than any signature and any checksum.
const LONGEST_LINE: usize = 1024;
/// The extension that holds a chunk's signature.
pub(crate) const SIGNATURE: &str = "chunk-signature";

/// Follows a body in chunks.
#[derive(Debug, Clone)]
pub(crate) struct Parser {
    state: State,
    /// The line that is being read, or was last.
    line: Vec<u8>,
    /// Whether it was.
    ended: bool,
    /// Whether chunks have signatures.
    signed: bool,
    /// Whether trailer lines follow the last chunk.
    trailers: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the line before a chunk.
    Size,
    /// In a chunk, with so many bytes to come.
    Data { left: u64 },
    /// Before the CR that ends a chunk.
    DataCr { last: bool },
    /// Before the LF behind it.
    DataLf { last: bool },
    /// In a trailer line, or in the empty one behind them.
    Trailer,
    /// At the end.
    Done,
}

/// What the bytes that were taken in came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'p> {
    /// Nothing yet.
    Pending,
    /// A chunk begins. One of size zero is the last, and has ended already.
    Begin { size: u64, signature: &'p [u8] },
    /// So many bytes of its content.
    Data(usize),
    /// It has ended.
    End,
    /// A trailer, its name as sent.
    Trailer { name: &'p [u8], value: &'p [u8] },
    /// So has the body.
    Done,
}

impl Parser {
    pub(crate) const fn new(signed: bool, trailers: bool) -> Self {
        Self { state: State::Size, line: Vec::new(), ended: false, signed, trailers }
    }

    /// Whether the body has ended as it should.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes in some of `input`, which is not empty; how many bytes, and what came of them. After a flaw it is over.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<(usize, Event<'_>), Flaw> {
        match self.state {
            State::Size => {
                let (used, whole) = self.line(input)?;
                if !whole {
                    return Ok((used, Event::Pending));
                }
                let (size, signature) = head(&self.line, self.signed)?;
                self.state = match size {
                    0 if self.trailers => State::Trailer,
                    0 => State::DataCr { last: true },
                    left => State::Data { left },
                };
                Ok((used, Event::Begin { size, signature }))
            }
            State::Data { left } => {
                let used = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                self.state = match left.saturating_sub(u64::try_from(used).unwrap_or(u64::MAX)) {
                    0 => State::DataCr { last: false },
                    left => State::Data { left },
                };
                Ok((used, Event::Data(used)))
            }
            State::DataCr { last } => {
                expect(input, b'\r')?;
                self.state = State::DataLf { last };
                Ok((1, Event::Pending))
            }
            State::DataLf { last } => {
                expect(input, b'\n')?;
                self.state = if last { State::Done } else { State::Size };
                Ok((1, if last { Event::Done } else { Event::End }))
            }
            State::Trailer => {
                let (used, whole) = self.line(input)?;
                if !whole {
                    return Ok((used, Event::Pending));
                }
                if self.line.is_empty() {
                    self.state = State::Done;
                    return Ok((used, Event::Done));
                }
                let (name, value) = trailer(&self.line)?;
                Ok((used, Event::Trailer { name, value }))
            }
            State::Done => Err(Flaw::AfterEnd),
        }
    }

    /// Takes in a line; whether it is whole now, and then without its end.
    fn line(&mut self, input: &[u8]) -> Result<(usize, bool), Flaw> {
        if std::mem::take(&mut self.ended) {
            self.line.clear();
        }
        for (at, byte) in input.iter().enumerate() {
            let ends = self.line.last() == Some(&b'\r');
            match (ends, *byte) {
                (true, b'\n') => {
                    self.line.pop();
                    self.ended = true;
                    return Ok((at.saturating_add(1), true));
                }
                (true, _) => return Err(Flaw::Line),
                (false, _) if self.line.len() >= LONGEST_LINE => return Err(Flaw::LineTooLong),
                (false, byte) => self.line.push(byte),
            }
        }
        Ok((input.len(), false))
    }
}

fn expect(input: &[u8], wanted: u8) -> Result<(), Flaw> {
    if input.first() == Some(&wanted) { Ok(()) } else { Err(Flaw::End) }
}

/// `SIZE`, or `SIZE;chunk-signature=SIGNATURE`.
fn head(line: &[u8], signed: bool) -> Result<(u64, &[u8]), Flaw> {
    let mut parts = line.splitn(2, |byte| *byte == b';');
    let size = size(parts.next().unwrap_or_default()).ok_or(Flaw::Size)?;
    let signature = match (parts.next(), signed) {
        (None, false) => &[],
        (Some(extension), true) => extension
            .strip_prefix(SIGNATURE.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="))
            .filter(|signature| {
                !signature.is_empty() && signature.iter().all(|byte| is_value(*byte) && *byte != b';')
            })
            .ok_or(Flaw::Extension)?,
        (None, true) => return Err(Flaw::Unsigned),
        (Some(_), false) => return Err(Flaw::Extension),
    };
    Ok((size, signature))
}

/// Hexadecimal digits of either case, without a zero in front.
fn size(digits: &[u8]) -> Option<u64> {
    let plain = digits == b"0" || !digits.starts_with(b"0");
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u64::from_str_radix(digits, 16).ok().filter(|_| plain)
}

/// `name:value`.
fn trailer(line: &[u8]) -> Result<(&[u8], &[u8]), Flaw> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Flaw::Trailer)?;
    let (name, value) = line.split_at_checked(colon).ok_or(Flaw::Trailer)?;
    let value = value.get(1..).unwrap_or_default();
    if !canon::is_token(name) || value.is_empty() || !value.iter().all(|byte| is_value(*byte)) {
        return Err(Flaw::Trailer);
    }
    Ok((name, value))
}

/// Neither white space nor a control character: what signatures and checksums are written with.
const fn is_value(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    /// What comes of a body that arrives in pieces of a length, as text.
    fn parse(body: &[u8], signed: bool, trailers: bool, piece: usize) -> String {
        let mut parser = Parser::new(signed, trailers);
        let mut told = String::new();
        let mut content = Vec::new();
        for mut piece in body.chunks(piece.max(1)) {
            while !piece.is_empty() {
                let (used, event) = match parser.step(piece) {
                    Ok(step) => step,
                    Err(flaw) => return format!("{told}{flaw:?}"),
                };
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                match event {
                    Event::Pending => {}
                    Event::Begin { size, signature } => write!(told, "{size}({}) ", text(signature)).unwrap(),
                    Event::Data(count) => content.extend_from_slice(&piece[..count]),
                    Event::End => write!(told, "{:?} ", text(&std::mem::take(&mut content))).unwrap(),
                    Event::Trailer { name, value } => {
                        write!(told, "{}={} ", text(name), text(value)).unwrap();
                    }
                    Event::Done => told.push_str("done"),
                }
                piece = &piece[used..];
            }
        }
        if parser.is_done() { told } else { format!("{told}…") }
    }

    fn check(body: &str, signed: bool, trailers: bool, expected: &str) {
        for piece in 1..=body.len() + 1 {
            assert_eq!(parse(body.as_bytes(), signed, trailers, piece), expected, "{body:?} by {piece}");
        }
    }

    #[test]
    fn chunks_with_signatures() {
        for (body, expected) in [
            ("3;chunk-signature=ab\r\na\r\n\r\n0;chunk-signature=cd\r\n\r\n", "3(ab) \"a\\r\\n\" 0(cd) done"),
            (
                "A;chunk-signature=b+/=\r\n0123456789\r\n0;chunk-signature=c\r\n\r\n",
                "10(b+/=) \"0123456789\" 0(c) done",
            ),
            ("0;chunk-signature=cd\r\n\r\n", "0(cd) done"),
            ("", "…"),
            ("3;chunk-signature=ab\r\nabc\r\n", "3(ab) \"abc\" …"),
            ("0;chunk-signature=cd\r\n", "0(cd) …"),
            ("0;chunk-signature=cd\r\n\r\n\r\n", "0(cd) doneAfterEnd"),
            ("0;chunk-signature=cd\r\n\r\n0;chunk-signature=cd\r\n\r\n", "0(cd) doneAfterEnd"),
            ("0;chunk-signature=cd\r\na:b\r\n\r\n", "0(cd) End"),
            ("3\r\nabc\r\n", "Unsigned"),
            ("3;\r\nabc\r\n", "Extension"),
            ("3;chunk-signature=\r\nabc\r\n", "Extension"),
            ("3;chunk-signature=ab;x=y\r\nabc\r\n", "Extension"),
            ("3;x=y;chunk-signature=ab\r\nabc\r\n", "Extension"),
            ("3;Chunk-Signature=ab\r\nabc\r\n", "Extension"),
            ("3; chunk-signature=ab\r\nabc\r\n", "Extension"),
            ("3;chunk-signature=ab \r\nabc\r\n", "Extension"),
            ("3;chunk-signature=ab\n\r\nabc\r\n", "Extension"),
            ("3 ;chunk-signature=ab\r\nabc\r\n", "Size"),
            ("03;chunk-signature=ab\r\nabc\r\n", "Size"),
            ("00;chunk-signature=ab\r\n\r\n", "Size"),
            ("0x3;chunk-signature=ab\r\nabc\r\n", "Size"),
            ("+3;chunk-signature=ab\r\nabc\r\n", "Size"),
            ("-1;chunk-signature=ab\r\nabc\r\n", "Size"),
            (";chunk-signature=ab\r\nabc\r\n", "Size"),
            ("10000000000000000;chunk-signature=ab\r\nabc\r\n", "Size"),
            ("\r\n", "Size"),
            ("3;chunk-signature=ab\nabc\r\n", "Extension"),
            ("3;chunk-signature=ab\rabc\r\n", "Line"),
            ("3;chunk-signature=ab\r\nabcd\r\n", "3(ab) End"),
            ("3;chunk-signature=ab\r\nabc\n", "3(ab) End"),
            ("3;chunk-signature=ab\r\nabc\r0", "3(ab) End"),
            ("3;chunk-signature=ab\r\nab\r\n", "3(ab) End"),
        ] {
            check(body, true, false, expected);
        }
    }

    #[test]
    fn chunks_without_signatures_and_trailers() {
        for (body, expected) in [
            ("3\r\nabc\r\n0\r\na:b\r\n\r\n", "3() \"abc\" 0() a=b done"),
            ("0\r\na:b\r\nC:d:e\r\n\r\n", "0() a=b C=d:e done"),
            ("0\r\na:b\n\r\nc:d\n\r\n\r\n", "0() a=b c=d done"),
            ("0\r\n\r\n", "0() done"),
            ("0\r\na:b\r\n", "0() a=b …"),
            ("0\r\na:b\r\n\r\nx", "0() a=b doneAfterEnd"),
            ("0\r\n\r\na:b\r\n\r\n", "0() doneAfterEnd"),
            ("3;chunk-signature=ab\r\nabc\r\n", "Extension"),
            ("0\r\na: b\r\n\r\n", "0() Trailer"),
            ("0\r\na:b \r\n\r\n", "0() Trailer"),
            ("0\r\na :b\r\n\r\n", "0() Trailer"),
            ("0\r\n a:b\r\n\r\n", "0() Trailer"),
            ("0\r\n:b\r\n\r\n", "0() Trailer"),
            ("0\r\na:\r\n\r\n", "0() Trailer"),
            ("0\r\na\r\n\r\n", "0() Trailer"),
            ("0\r\na:b\n\n\r\n\r\n", "0() Trailer"),
            ("0\r\na:b\nc:d\r\n\r\n", "0() Trailer"),
            ("0\r\na:b\tc\r\n\r\n", "0() Trailer"),
            ("0\r\na:\u{e9}\r\n\r\n", "0() Trailer"),
            ("0\r\na:b\rc\r\n\r\n", "0() Line"),
        ] {
            check(body, false, true, expected);
        }
    }

    #[test]
    fn a_line_has_an_end() {
        let line = "1".repeat(LONGEST_LINE + 1);
        check(&line, true, false, "LineTooLong");
        check(&format!("0\r\na:{line}\r\n\r\n"), false, true, "0() LineTooLong");
    }

    proptest! {
        #[test]
        fn how_a_body_is_split_makes_no_difference(
            body in "([0-3a](;chunk-signature=[a-f]{1,3})?\r?\n[a-z\r\n:]{0,4}(\r\n)?){0,4}", piece in 1_usize..9,
        ) {
            for signed in [false, true] {
                for trailers in [false, true] {
                    let whole = parse(body.as_bytes(), signed, trailers, body.len());
                    prop_assert_eq!(parse(body.as_bytes(), signed, trailers, piece), whole);
                }
            }
        }

        #[test]
        fn any_bytes_are_judged(body: Vec<u8>, signed: bool, trailers: bool) {
            let _ = parse(&body, signed, trailers, 3);
        }
    }
}

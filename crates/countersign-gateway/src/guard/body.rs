//! Where a body ends: by its declared length, or chunk by chunk (RFC 9112, section 7.1).
//!
//! Chunk extensions and trailer fields are refused. Both are rare, both come after the signature has been read, and
//! both are where parsers disagree.

use super::Violation;

/// How the body of a message is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// No body.
    None,
    /// So many bytes; never zero.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// Follows a body through its bytes.
#[derive(Debug)]
pub(super) enum BodyScan {
    Length(u64),
    Chunked(Chunk),
    Done,
}

/// What some bytes were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scanned {
    /// How many of them belong to this body.
    pub(super) belonging: usize,
    /// The rule that the byte after those breaks, if it breaks one.
    pub(super) violation: Option<Violation>,
}

impl BodyScan {
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::None => Self::Done,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(Chunk::Size { digits: 0, size: 0 }),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Goes as far as the body, or what is right of it, reaches.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Scanned {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match self {
                Self::Done => break,
                Self::Length(left) => {
                    at += take(left, bytes.len() - at);
                    if *left == 0 {
                        *self = Self::Done;
                    }
                }
                Self::Chunked(Chunk::Data { left }) => {
                    at += take(left, bytes.len() - at);
                    if *left == 0 {
                        *self = Self::Chunked(Chunk::DataCr);
                    }
                }
                Self::Chunked(chunk) => match chunk.byte(*byte) {
                    Ok(Some(next)) => {
                        *chunk = next;
                        at += 1;
                    }
                    Ok(None) => {
                        *self = Self::Done;
                        at += 1;
                    }
                    Err(violation) => return Scanned { belonging: at, violation: Some(violation) },
                },
            }
        }
        Scanned { belonging: at, violation: None }
    }
}

/// A place in a chunked body.
#[derive(Debug)]
pub(super) enum Chunk {
    Size { digits: u8, size: u64 },
    SizeLf { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    LastCr,
    LastLf,
}

/// As many digits as a size of 64 bits has.
const MOST_SIZE_DIGITS: u8 = 16;

impl Chunk {
    /// The place after one byte that is not data; `None` after the last byte of the body.
    fn byte(&self, byte: u8) -> Result<Option<Self>, Violation> {
        Ok(Some(match (self, byte) {
            (Self::Size { digits, size }, _) if byte.is_ascii_hexdigit() => {
                if *digits == MOST_SIZE_DIGITS {
                    return Err(Violation::ChunkSize);
                }
                let digit = (byte as char).to_digit(16).unwrap_or_default();
                Self::Size { digits: digits + 1, size: (size << 4) | u64::from(digit) }
            }
            (Self::Size { digits: 1.., size }, b'\r') => Self::SizeLf { size: *size },
            (Self::Size { digits: 1.., .. }, b';') => return Err(Violation::ChunkExtension),
            (Self::SizeLf { size: 0 }, b'\n') => Self::LastCr,
            (Self::SizeLf { size }, b'\n') => Self::Data { left: *size },
            (Self::Size { .. } | Self::SizeLf { .. }, _) => return Err(Violation::ChunkSize),
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Size { digits: 0, size: 0 },
            (Self::LastCr, b'\r') => Self::LastLf,
            (Self::LastCr, _) => return Err(Violation::Trailers),
            (Self::LastLf, b'\n') => return Ok(None),
            (Self::Data { .. } | Self::DataCr | Self::DataLf | Self::LastLf, _) => return Err(Violation::ChunkEnd),
        }))
    }
}

/// Takes as much of `left` as there is, and says how much that was.
fn take(left: &mut u64, available: usize) -> usize {
    let taken = usize::try_from(*left).map_or(available, |left| left.min(available));
    *left -= taken as u64;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that belong to the body, and what came of them.
    fn scan(framing: Framing, bytes: &[u8], split: usize) -> (usize, Option<Violation>, bool) {
        let mut body = BodyScan::new(framing);
        let mut belonging = 0;
        for piece in bytes.chunks(split.max(1)) {
            let scanned = body.advance(piece);
            belonging += scanned.belonging;
            if scanned.violation.is_some() || scanned.belonging < piece.len() {
                return (belonging, scanned.violation, body.is_done());
            }
        }
        (belonging, None, body.is_done())
    }

    #[test]
    fn chunked_bodies() {
        use Violation::*;
        for (bytes, expected) in [
            ("0\r\n\r\n", (5, None, true)),
            ("000\r\n\r\nGET", (7, None, true)),
            ("5\r\nhello\r\n0\r\n\r\nrest", (15, None, true)),
            ("A\r\n0123456789\r\n0\r\n\r\n", (20, None, true)),
            ("0000000000000001\r\nx\r\n0\r\n\r\n", (26, None, true)),
            ("", (0, None, false)),
            ("5\r\nhel", (6, None, false)),
            ("5\r\nhello\r\n0\r\n", (13, None, false)),
            ("00000000000000001\r\n", (16, Some(ChunkSize), false)),
            ("\r\n", (0, Some(ChunkSize), false)),
            ("g\r\n", (0, Some(ChunkSize), false)),
            ("-1\r\n", (0, Some(ChunkSize), false)),
            ("0x5\r\n", (1, Some(ChunkSize), false)),
            (" 5\r\n", (0, Some(ChunkSize), false)),
            ("5 \r\n", (1, Some(ChunkSize), false)),
            ("5\n", (1, Some(ChunkSize), false)),
            ("5\r5", (2, Some(ChunkSize), false)),
            (";a\r\n", (0, Some(ChunkSize), false)),
            ("5;a=b\r\nhello\r\n", (1, Some(ChunkExtension), false)),
            ("5;\n", (1, Some(ChunkExtension), false)),
            ("5\r\nhello!\r\n", (8, Some(ChunkEnd), false)),
            ("5\r\nhello\n0\r\n\r\n", (8, Some(ChunkEnd), false)),
            ("5\r\nhello\r0\r\n\r\n", (9, Some(ChunkEnd), false)),
            ("0\r\nA: b\r\n\r\n", (3, Some(Trailers), false)),
            ("0\r\n\n", (3, Some(Trailers), false)),
            ("0\r\n\rx", (4, Some(ChunkEnd), false)),
        ] {
            for split in 1..=bytes.len() + 1 {
                assert_eq!(scan(Framing::Chunked, bytes.as_bytes(), split), expected, "{bytes:?} by {split}");
            }
        }
    }

    #[test]
    fn bodies_of_a_length() {
        for (length, bytes, expected) in [
            (3, "abc", (3, None, true)),
            (3, "abcGET", (3, None, true)),
            (3, "ab", (2, None, false)),
            (u64::MAX, "ab", (2, None, false)),
        ] {
            for split in 1..=bytes.len() {
                let (belonging, violation, done) = scan(Framing::Length(length), bytes.as_bytes(), split);
                assert_eq!((belonging, violation, done), expected, "{bytes:?} by {split}");
            }
        }
    }

    #[test]
    fn no_body_takes_no_bytes() {
        assert_eq!(scan(Framing::None, b"GET", 3), (0, None, true));
    }
}

//! A connection's bytes, told apart into heads and bodies. No input or output, no clock: bytes in, answers out.

use super::Violation;
use super::body::BodyScan;
use super::head::{HeadScan, HeadStep};

/// Where a connection stands between the messages on it.
#[derive(Debug)]
pub(super) enum Wire {
    /// In a head, or before one. `blank` says that an empty line before it was passed over already.
    Head { scan: HeadScan, blank: bool },
    /// In the body that follows a head.
    Body(BodyScan),
}

/// What the bytes at hand are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The beginning of something; hold them and bring more.
    More,
    /// So many bytes mean nothing; drop them.
    Drop(usize),
    /// So many bytes are a head that is right; pass it on.
    Head(usize),
    /// So many bytes are body; pass them on.
    Body(usize),
    /// The head at hand breaks a rule.
    BadHead(Violation),
    /// So many bytes are body, and the next breaks a rule.
    BadBody(usize, Violation),
}

impl Wire {
    pub(super) fn new() -> Self {
        Self::Head { scan: HeadScan::default(), blank: false }
    }

    /// Whether the next byte belongs to a body.
    pub(super) fn is_in_body(&self) -> bool {
        matches!(self, Self::Body(_))
    }

    /// Looks at all bytes that were neither passed on nor dropped yet.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Step {
        if bytes.is_empty() {
            return Step::More;
        }
        match self {
            Self::Head { scan, blank } => match scan.advance(bytes) {
                Ok(HeadStep::Partial) => Step::More,
                Ok(HeadStep::Blank { .. }) if *blank => Step::BadHead(Violation::RequestLine),
                Ok(HeadStep::Blank { len }) => {
                    *self = Self::Head { scan: HeadScan::default(), blank: true };
                    Step::Drop(len)
                }
                Ok(HeadStep::Whole { len, framing }) => {
                    *self = Self::after(BodyScan::new(framing));
                    Step::Head(len)
                }
                Err(violation) => Step::BadHead(violation),
            },
            Self::Body(body) => {
                let scanned = body.advance(bytes);
                if body.is_done() {
                    *self = Self::new();
                }
                match scanned.violation {
                    None => Step::Body(scanned.belonging),
                    Some(violation) => Step::BadBody(scanned.belonging, violation),
                }
            }
        }
    }

    fn after(body: BodyScan) -> Self {
        if body.is_done() { Self::new() } else { Self::Body(body) }
    }
}

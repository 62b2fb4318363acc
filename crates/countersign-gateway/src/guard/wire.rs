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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::corpus;
    use super::*;

    /// What a connection is taken for: the bytes passed on, and how each message went.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Reading {
        passed: Vec<u8>,
        heads: usize,
        violation: Option<(bool, Violation)>,
        unread: usize,
    }

    fn read(bytes: &[u8], mut splits: impl FnMut() -> usize) -> Reading {
        let mut wire = Wire::new();
        let mut reading = Reading::default();
        let (mut start, mut arrived) = (0, 0);
        loop {
            match wire.advance(&bytes[start..arrived]) {
                Step::More if arrived == bytes.len() => break,
                Step::More => arrived = (arrived + splits().max(1)).min(bytes.len()),
                Step::Drop(len) => start += len,
                Step::Head(len) => {
                    reading.heads += 1;
                    reading.passed.extend(&bytes[start..start + len]);
                    start += len;
                }
                Step::Body(len) => {
                    reading.passed.extend(&bytes[start..start + len]);
                    start += len;
                }
                Step::BadHead(violation) => {
                    reading.violation = Some((true, violation));
                    return reading;
                }
                Step::BadBody(len, violation) => {
                    reading.passed.extend(&bytes[start..start + len]);
                    reading.violation = Some((false, violation));
                    return reading;
                }
            }
        }
        reading.unread = bytes.len() - start;
        reading
    }

    #[test]
    fn the_corpus_is_judged_as_it_says() {
        for case in corpus::cases() {
            for split in [1, 2, 3, 7, 64, usize::MAX] {
                let reading = read(&case.wire, || split);
                let found = reading.violation.map_or("passes", |(_, violation)| violation.code());
                assert_eq!(found, case.expect, "{} split by {split}", case.name);
                if found == "passes" {
                    assert_eq!(reading.heads, case.requests, "{}", case.name);
                    assert_eq!(reading.unread, 0, "{}", case.name);
                }
            }
        }
    }

    #[test]
    fn the_corpus_has_every_violation_that_a_few_bytes_can_show() {
        let cases = corpus::cases();
        assert!(cases.len() >= 150, "{} cases", cases.len());
        for violation in Violation::ALL {
            if !matches!(violation, Violation::BodyTimeout | Violation::HeadTimeout | Violation::HeadTooLarge) {
                assert!(cases.iter().any(|case| case.expect == violation.code()), "{}", violation.code());
            }
        }
    }

    fn valid_requests() -> impl Strategy<Value = Vec<u8>> {
        let field = ("[A-Za-z][A-Za-z0-9-]{0,12}", "[ -~]{0,20}").prop_filter("not a framing field", |(name, _)| {
            !["host", "content-length", "transfer-encoding", "expect"].contains(&&*name.to_ascii_lowercase())
        });
        let body = prop_oneof![
            Just((String::new(), Vec::new())),
            prop::collection::vec(any::<u8>(), 0..200)
                .prop_map(|body| (format!("Content-Length: {}\r\n", body.len()), body)),
            prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..5).prop_map(|chunks| {
                let mut body = Vec::new();
                for chunk in chunks {
                    body.extend(format!("{:x}\r\n", chunk.len()).bytes());
                    body.extend(chunk);
                    body.extend(b"\r\n");
                }
                body.extend(b"0\r\n\r\n");
                ("Transfer-Encoding: chunked\r\n".to_owned(), body)
            }),
        ];
        let request = ("[A-Z]{1,7}", "/[a-z0-9/?=&%.]{0,30}", prop::collection::vec(field, 0..6), body)
            .prop_filter("not a tunnel", |(method, ..)| method != "CONNECT")
            .prop_map(|(method, target, fields, (framing, body))| {
                let mut wire = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{framing}").into_bytes();
                for (name, value) in fields {
                    wire.extend(format!("{name}: {value}\r\n").bytes());
                }
                wire.extend(b"\r\n");
                wire.extend(body);
                wire
            });
        prop::collection::vec(request, 1..4).prop_map(|requests| requests.concat())
    }

    proptest! {
        #[test]
        fn valid_requests_pass_unchanged_however_they_are_split(wire in valid_requests(), splits in prop::collection::vec(1_usize..50, 1..20)) {
            let mut splits = splits.into_iter().cycle();
            let reading = read(&wire, || splits.next().unwrap());
            prop_assert_eq!(reading.violation, None);
            prop_assert_eq!(reading.passed, wire);
            prop_assert_eq!(reading.unread, 0);
        }

        #[test]
        fn a_damaged_request_is_judged_alike_however_it_is_split(
            mut wire in valid_requests(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), Just(b':'), Just(0), any::<u8>()]), 1..4),
            splits in prop::collection::vec(1_usize..50, 1..20),
        ) {
            for (at, byte) in damage {
                let at = at.index(wire.len());
                wire[at] = byte;
            }
            let mut splits = splits.into_iter().cycle();
            prop_assert_eq!(read(&wire, || splits.next().unwrap()), read(&wire, || usize::MAX));
        }

        #[test]
        fn arbitrary_bytes_are_judged_alike_however_they_are_split(wire in prop::collection::vec(any::<u8>(), 0..400), splits in prop::collection::vec(1_usize..50, 1..20)) {
            let mut splits = splits.into_iter().cycle();
            prop_assert_eq!(read(&wire, || splits.next().unwrap()), read(&wire, || usize::MAX));
        }
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let head = |padding: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(padding));
        let fixed = head(0).len();
        let exact = read(head(super::super::HEAD_LIMIT - fixed).as_bytes(), || 1000);
        assert_eq!((exact.heads, exact.violation), (1, None));
        let over = read(head(super::super::HEAD_LIMIT - fixed + 1).as_bytes(), || 1000);
        assert_eq!(over.violation, Some((true, Violation::HeadTooLarge)));

        let lines = |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count - 1));
        assert_eq!(read(lines(100).as_bytes(), || 1000).violation, None);
        assert_eq!(read(lines(101).as_bytes(), || 1000).violation, Some((true, Violation::FieldsTooMany)));
    }
}

//! The guard as a whole: what it makes of the corpus and of generated requests, alone and in front of the library.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::wire::{Step, Wire};
use super::*;

/// What became of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Head and body were right.
    Whole,
    /// The bytes ended within the body.
    CutOff,
    /// The head breaks a rule.
    BadHead(Violation),
    /// The body breaks a rule.
    BadBody(Violation),
}

/// What a connection's bytes are taken for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reading {
    passed: Vec<u8>,
    fates: Vec<Fate>,
    /// Bytes at the end that are the beginning of a head.
    unread: usize,
}

impl Reading {
    /// As the corpus says it.
    fn verdict(&self) -> &'static str {
        match self.fates.last() {
            Some(Fate::BadHead(violation) | Fate::BadBody(violation)) => violation.code(),
            _ => "passes",
        }
    }
}

fn read(bytes: &[u8], mut splits: impl FnMut() -> usize) -> Reading {
    let mut wire = Wire::new();
    let mut reading = Reading::default();
    let (mut start, mut arrived) = (0, 0_usize);
    loop {
        let step = wire.advance(&bytes[start..arrived]);
        let passed = match step {
            Step::More if arrived == bytes.len() => break,
            Step::More => {
                arrived = arrived.saturating_add(splits().max(1)).min(bytes.len());
                continue;
            }
            Step::Drop(len) => {
                start += len;
                continue;
            }
            Step::Head(len) => {
                reading.fates.push(Fate::Whole);
                len
            }
            Step::Body(len) | Step::BadBody(len, _) => len,
            Step::BadHead(_) => 0,
        };
        reading.passed.extend(&bytes[start..start + passed]);
        start += passed;
        match step {
            Step::BadHead(violation) => reading.fates.push(Fate::BadHead(violation)),
            Step::BadBody(_, violation) => *reading.fates.last_mut().unwrap() = Fate::BadBody(violation),
            _ => continue,
        }
        return reading;
    }
    if wire.is_in_body() {
        *reading.fates.last_mut().unwrap() = Fate::CutOff;
    }
    reading.unread = bytes.len() - start;
    reading
}

#[test]
fn the_corpus_is_judged_as_it_says() {
    for case in corpus::cases() {
        for split in [1, 2, 3, 7, 64, usize::MAX] {
            let reading = read(&case.wire, || split);
            assert_eq!(reading.verdict(), case.expect, "{} split by {split}", case.name);
            if case.expect == "passes" {
                assert_eq!(reading.fates, vec![Fate::Whole; case.requests], "{}", case.name);
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

#[test]
fn limits_hold_to_the_byte() {
    let judge = |wire: String| read(wire.as_bytes(), || 1000).fates;
    let head = |padding: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(padding));
    let fixed = head(0).len();
    assert_eq!(judge(head(HEAD_LIMIT - fixed)), [Fate::Whole]);
    assert_eq!(judge(head(HEAD_LIMIT - fixed + 1)), [Fate::BadHead(Violation::HeadTooLarge)]);

    let lines = |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count - 1));
    assert_eq!(judge(lines(FIELD_LIMIT)), [Fate::Whole]);
    assert_eq!(judge(lines(FIELD_LIMIT + 1)), [Fate::BadHead(Violation::FieldsTooMany)]);
}

#[test]
fn guard_and_library_agree_on_the_corpus() {
    for case in corpus::cases() {
        for split in [1, 3, 1_000_000] {
            agree(&case.wire, vec![split]).unwrap_or_else(|error| panic!("{} by {split}: {error}", case.name));
        }
    }
}

proptest! {
    #[test]
    fn valid_requests_pass_unchanged_however_they_are_split(wire in valid_requests(), splits in splits()) {
        let mut splits = splits.into_iter().cycle();
        let reading = read(&wire, || splits.next().unwrap());
        prop_assert!(reading.fates.iter().all(|fate| *fate == Fate::Whole), "{:?}", reading.fates);
        prop_assert_eq!(reading.passed, wire);
        prop_assert_eq!(reading.unread, 0);
    }

    #[test]
    fn a_damaged_request_is_judged_alike_however_it_is_split(wire in damaged_requests(), splits in splits()) {
        let mut splits = splits.into_iter().cycle();
        prop_assert_eq!(read(&wire, || splits.next().unwrap()), read(&wire, || usize::MAX));
    }

    #[test]
    fn arbitrary_bytes_are_judged_alike_however_they_are_split(
        wire in prop::collection::vec(any::<u8>(), 0..400),
        splits in splits(),
    ) {
        let mut splits = splits.into_iter().cycle();
        prop_assert_eq!(read(&wire, || splits.next().unwrap()), read(&wire, || usize::MAX));
    }

    #[test]
    fn guard_and_library_agree_on_valid_requests(wire in valid_requests(), splits in splits()) {
        agree(&wire, splits)?;
    }

    #[test]
    fn guard_and_library_agree_on_damaged_requests(wire in damaged_requests(), splits in splits()) {
        agree(&wire, splits)?;
    }
}

/// Every head that the guard sees is one call of the service, with its verdict, in order, and its body ends as the
/// guard says. The library finds nothing to object to by itself, or there would be fewer calls.
fn agree(wire: &[u8], splits: Vec<usize>) -> Result<(), TestCaseError> {
    let expected = read(wire, || usize::MAX).fates;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seen = runtime.block_on(serve(wire.to_vec(), splits));
    if wire.windows(8).any(|window| window == b"HTTP/1.0") {
        // The library closes the connection after such a request, and may have read more by then.
        prop_assert!(expected.starts_with(&seen), "{:?} {:?}", seen, expected);
    } else {
        prop_assert_eq!(seen, expected);
    }
    Ok(())
}

/// Feeds bytes, split into packets, through a guard and the library to a service, and gives what that saw.
async fn serve(wire: Vec<u8>, splits: Vec<usize>) -> Vec<Fate> {
    let (client, server) = tokio::io::duplex(1024);
    let minute = Duration::from_mins(1);
    let patience = Patience { head: minute, idle: minute, stall: minute, slowest_body: 1 };
    let (guarded, verdicts) = Guarded::new(server, patience);
    let fates = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&fates);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (verdicts, log) = (verdicts.clone(), Arc::clone(&log));
        async move {
            let (verdict, _in_flight) = verdicts.next();
            let fate = match (verdict, request.into_body().collect().await) {
                (Err(violation), _) => Fate::BadHead(violation),
                (Ok(()), Ok(_)) => Fate::Whole,
                (Ok(()), Err(_)) => verdicts.body_violation().map_or(Fate::CutOff, Fate::BadBody),
            };
            log.lock().unwrap().push(fate);
            Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from_static(b"ok"))))
        }
    });
    // A client that has sent everything and waits would be taken for one that has gone.
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .half_close(true)
        .serve_connection(TokioIo::new(guarded), service);
    let connection = tokio::spawn(connection);
    let (mut from, mut to) = tokio::io::split(client);
    let write = async {
        let mut rest = &wire[..];
        let mut splits = splits.into_iter().cycle();
        while !rest.is_empty() {
            let (packet, after) = rest.split_at(splits.next().unwrap_or(1).clamp(1, rest.len()));
            if to.write_all(packet).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
            rest = after;
        }
        let _ = to.shutdown().await;
    };
    let mut answers = Vec::new();
    let ((), _) = tokio::join!(write, from.read_to_end(&mut answers));
    let _ = connection.await;
    let fates = fates.lock().unwrap();
    fates.clone()
}

fn splits() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1_usize..50, 1..20)
}

fn valid_requests() -> impl Strategy<Value = Vec<u8>> {
    let field = ("[A-Za-z][A-Za-z0-9-]{0,12}", "[ -~]{0,20}").prop_filter("a field with a meaning", |(name, _)| {
        !["host", "content-length", "transfer-encoding", "expect", "connection"]
            .contains(&&*name.to_ascii_lowercase())
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
        .prop_filter("a tunnel", |(method, ..)| method != "CONNECT")
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

/// Valid requests of which a few bytes were replaced, mostly by those that mean something to a parser.
fn damaged_requests() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![prop::sample::select(b"\r\n :\0;,\t0".as_slice()), any::<u8>()];
    let damage = prop::collection::vec((any::<prop::sample::Index>(), byte), 1..4);
    (valid_requests(), damage).prop_map(|(mut wire, damage)| {
        for (at, byte) in damage {
            let at = at.index(wire.len());
            wire[at] = byte;
        }
        wire
    })
}

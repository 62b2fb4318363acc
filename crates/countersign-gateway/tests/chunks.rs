//! Uploads in signed chunks: forwarded as they were sent, or not at all.

#[expect(dead_code, reason = "the tests of other subjects use the rest of it")]
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use countersign_core::key::Key;
use countersign_core::request::{RequestView, Transport};
use countersign_core::time::UnixTime;
use countersign_core::{Freshness, Plan, Signer};
use countersign_schemes::{Catalogue, catalogue, load};
use support::{Client, SECRET, Setup, Site, noise, now};

const SCHEME: &str = "extends = \"aws-sigv4-streaming\"";

fn site() -> Site {
    Setup { scheme: SCHEME, server: "body-memory = \"64 KiB\"", ..Setup::default() }.start()
}

/// An upload as it is sent.
struct Upload {
    target: String,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// Signs an upload in chunks of 10 000 bytes.
fn upload(content: &[u8], vars: &[(&str, &str)]) -> Upload {
    // Two of one second under one name would be one upload that is repeated.
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let target = format!("/bucket/key?x={}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let name = "aws-sigv4-streaming";
    let scheme = load(name, catalogue::text(name).unwrap(), &Catalogue).unwrap();
    let mut signer = Signer::new(Plan::compile(&scheme));
    for (name, value) in [("region", "eu-west-3"), ("service", "s3"), ("chunk-size", "10000")].iter().chain(vars) {
        signer = signer.with_var(name, value);
    }
    let mut fields = vec![("Host".to_owned(), b"a.example".to_vec())];
    let view = RequestView {
        method: "PUT",
        target: target.as_bytes(),
        authority: "a.example",
        transport: Transport::Http,
        fields: &fields.clone(),
        body: Some(content),
        peer: None,
        status: None,
        trailers: None,
        answers: None,
    };
    let key = Key::secret(SECRET.as_bytes()).with_id("alice");
    let signed = signer.sign(view, &key, &Freshness { now: UnixTime::from_secs(now()), nonce: None }).unwrap();
    signed.apply(&mut fields);
    Upload { fields, body: signed.body.unwrap(), target }
}

impl Upload {
    fn head(&self, framing: &str) -> Vec<u8> {
        let mut head = format!("PUT {} HTTP/1.1\r\n", self.target).into_bytes();
        for (name, value) in &self.fields {
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        head.extend(framing.bytes().chain(*b"\r\n\r\n"));
        head
    }

    /// With its length.
    fn wire(&self) -> Vec<u8> {
        [self.head(&format!("Content-Length: {}", self.body.len())), self.body.clone()].concat()
    }

    /// In chunks of the transfer, which are not those that are signed.
    fn chunked(&self, size: usize) -> Vec<u8> {
        let mut wire = self.head("Transfer-Encoding: chunked");
        for chunk in self.body.chunks(size) {
            wire.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
        }
        wire.extend(b"0\r\n\r\n");
        wire
    }

    /// Where the content of a chunk begins, counted from 0.
    fn chunk(&self, number: usize) -> usize {
        let mut at = 0;
        for _ in 0..number {
            at += 4 + self.body[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1 + 10_000 - 2;
        }
        at + self.body[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1
    }
}

const TRAILED: &[(&str, &str)] =
    &[("payload", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), ("trailer-names", "x-amz-checksum-crc32c")];

#[test]
fn an_upload_in_chunks_reaches_the_upstream_as_it_was_sent() {
    let site = site();
    for (content, vars) in [(noise(25_000), &[][..]), (noise(1), TRAILED), (noise(300_000), TRAILED)] {
        for transfer in [0, 1_000, 70_000] {
            let upload = upload(&content, vars);
            let wire = if transfer == 0 { upload.wire() } else { upload.chunked(transfer) };
            let before = site.upstream.received().len();
            let response = site.send(wire);
            assert_eq!((response.status(), response.text()), (200, "ok".to_owned()), "{transfer}");
            let received = &site.upstream.received()[before];
            assert!(received.body == upload.body, "the body is another");
            assert_eq!(received.field("content-length"), Some(upload.body.len().to_string().as_str()));
            assert_eq!(received.field("content-encoding"), Some("aws-chunked"));
            assert_eq!(received.field("x-amz-decoded-content-length"), Some(content.len().to_string().as_str()));
            assert!(received.field("countersign-covered").unwrap().split(", ").any(|part| part == "body"));
        }
    }
}

#[test]
fn attack_11_no_byte_of_an_upload_with_a_changed_chunk_goes_upstream() {
    let site = site();
    for (number, vars) in [(0, &[][..]), (1, &[][..]), (2, TRAILED)] {
        let mut upload = upload(&noise(25_000), vars);
        let at = upload.chunk(number);
        upload.body[at] ^= 1;
        let response = site.send(upload.wire());
        assert_eq!((response.status(), response.reason()), (401, "signature-wrong".to_owned()), "{number}");
        assert_eq!(site.upstream.accepted(), 0, "{number}");
    }
    for (what, change) in [
        ("cut short", (|body: &mut Vec<u8>| body.truncate(20_000)) as fn(&mut Vec<u8>)),
        ("with something behind it", |body| body.extend(b"0\r\n\r\n")),
        ("without its last chunk", |body| body.truncate(body.len() - 86)),
        ("content alone", |body| *body = noise(25_000)),
    ] {
        let mut upload = upload(&noise(25_000), &[]);
        change(&mut upload.body);
        let response = site.send(upload.wire());
        assert_eq!((response.status(), response.reason()), (401, "request-malformed".to_owned()), "{what}");
        assert_eq!(site.upstream.accepted(), 0, "{what}");
    }
    let unsigned = [("payload", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ("unsigned-chunks", "checksum"), TRAILED[1]];
    let response = site.send(upload(&noise(25_000), &unsigned).wire());
    assert_eq!((response.status(), response.reason()), (401, "signature-wrong".to_owned()));
    assert_eq!(site.upstream.accepted(), 0);
    assert!(site.metrics().contains("reason=\"coverage-too-thin\"} 1"), "{}", site.metrics());
}

#[test]
fn nothing_goes_upstream_before_the_last_chunk_was_verified() {
    let site = site();
    let upload = upload(&noise(200_000), TRAILED);
    let wire = upload.wire();
    let mut client = site.connect();
    client.write(&wire[..wire.len() - 1]);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(site.upstream.accepted(), 0);
    client.write(&wire[wire.len() - 1..]);
    assert_eq!(client.read().status(), 200);
    assert!(site.upstream.only().body == upload.body);
}

#[test]
fn a_changed_chunk_is_refused_before_the_rest_of_the_upload_comes() {
    let site = site();
    let mut upload = upload(&noise(25_000), &[]);
    let at = upload.chunk(1);
    upload.body[at] ^= 1;
    let wire = upload.wire();
    let mut client = Client::connect(site.addr());
    // Up to the line end behind the second chunk; the third is never sent.
    client.write(&wire[..wire.len() - upload.body.len() + at + 10_002]);
    assert_eq!(client.read().status(), 401);
    assert_eq!(site.upstream.accepted(), 0);
}

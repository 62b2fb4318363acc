//! Bodies in signed chunks: taken whole or refused, whatever pieces they arrive in, and nothing of a changed chunk is
//! ever handed out.

use crate::generate::cuts;
use crate::support::{Message, NONCE, NOW, SECRET, Subject, reason};
use countersign_core::alg::{Checksum, Hash, MacKey, ct_eq};
use countersign_core::reject::Reason::*;
use countersign_core::{BodyNeed, Rejection, UnixTime};
use countersign_schemes::{Catalogue, load};
use proptest::prelude::*;
use std::fmt::Write as _;

const MODE: &str = "X-Amz-Content-Sha256";
const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SUMS: &str = "x-amz-checksum-crc32,x-amz-checksum-crc64nvme";

fn subject() -> Subject {
    Subject::of("aws-sigv4-streaming")
}

/// The same scheme where the deployment takes chunks that nobody signed.
fn lax() -> Subject {
    let mut subject = subject();
    subject.verifier = subject.verifier.with_var("unsigned-chunks", "checksum");
    subject
}

/// An upload in chunks of a size.
fn upload(subject: &Subject, content: &[u8], size: usize, mode: &str) -> Message {
    let message = Message { body: content.to_vec(), ..Message::new("PUT", "/bucket/key") };
    let size = size.to_string();
    let vars = [("chunk-size", size.as_str()), ("payload", mode), ("trailer-names", SUMS)];
    let vars = if mode == SIGNED { &vars[..2] } else { &vars };
    let vars: Vec<(&str, &str)> = vars.iter().copied().chain([("unsigned-chunks", "checksum")]).collect();
    subject.sign_with(&message, &vars, NOW, NONCE).unwrap_or_else(|error| panic!("{mode}: {error}"))
}

/// What is handed out of a body in pieces, and the verdict.
fn released(subject: &Subject, message: &Message, cuts: &[usize]) -> (Vec<u8>, Result<(), Rejection>) {
    let mut content = Vec::new();
    let verdict = message.view(false, |view| {
        let state = subject.verifier.start(view, UnixTime::from_secs(NOW))?.key(&subject.keys)?;
        let mut state = state.releasing().expect("a body in chunks");
        let mut rest = message.body.as_slice();
        for cut in cuts.iter().copied().chain([usize::MAX]) {
            let (piece, after) = rest.split_at(rest.len().min(cut));
            state.update(piece, &mut content)?;
            rest = after;
        }
        state.finish().map(drop)
    });
    (content, verdict)
}

fn text(message: &Message) -> String {
    String::from_utf8(message.body.clone()).unwrap()
}

fn with_body(message: &Message, body: String) -> Message {
    Message { body: body.into_bytes(), ..message.clone() }
}

#[test]
fn attack_11_no_byte_of_a_body_in_chunks_can_be_changed() {
    for mode in [SIGNED, SIGNED_TRAILER] {
        let subject = subject();
        let genuine = upload(&subject, b"eight by8 bytes", 8, mode);
        assert!(subject.verify(&genuine).unwrap().coverage.covers("body"), "{mode}");
        for at in 0..genuine.body.len() {
            for by in [1, 0x20, 0x80] {
                let mut changed = genuine.clone();
                changed.body[at] ^= by;
                // The name of a trailer is the same in either case, and `a` of a size is `A`.
                let case = by == 0x20 && changed.body[at].is_ascii_alphabetic();
                let name =
                    case && text(&changed).lines().any(|line| line.starts_with("x-amz-") || line.contains(':'));
                let same = name && subject.verify(&changed).is_ok();
                let whole = subject.verify(&changed);
                assert!(same || whole.is_err(), "{mode}: byte {at} by {by}: {:?}", text(&changed));
                let (content, streamed) = released(&subject, &changed, &[7; 40]);
                assert_eq!(whole.map(drop), streamed, "{mode}: byte {at}");
                assert!(
                    b"eight by8 bytes".starts_with(&content) && matches!(content.len(), 0 | 8 | 15),
                    "{content:?}"
                );
            }
        }
    }
}

#[test]
fn attack_11_chunks_are_in_their_place_all_of_them_once() {
    let subject = subject();
    let genuine = upload(&subject, b"eight by8 bytes and more", 8, SIGNED);
    let body = text(&genuine);
    // Each chunk with its head, and the last one.
    let starts: Vec<usize> = body.match_indices(";chunk-signature=").map(|(at, _)| at - 1).collect();
    let chunks: Vec<&str> = starts
        .iter()
        .enumerate()
        .map(|(n, at)| &body[*at..starts.get(n + 1).copied().unwrap_or(body.len())])
        .collect();
    let [one, two, three, last] = chunks[..] else { panic!("{chunks:?}") };
    assert!(subject.verify(&with_body(&genuine, [one, two, three, last].concat())).is_ok());
    let signature = |chunk: &str| chunk[chunk.find('=').unwrap() + 1..][..64].to_owned();
    for (chunks, expected, what) in [
        (vec![two, three, last], SignatureMismatch, "the first is missing"),
        (vec![one, three, last], SignatureMismatch, "one is missing"),
        (vec![one, two, last], ValueDisagrees, "the one before the last is missing"),
        (vec![one, two, three], BodyMalformed, "the last is missing"),
        (vec![one, two], BodyMalformed, "two are missing"),
        (vec![], BodyMalformed, "all are missing"),
        (vec![last], ValueDisagrees, "only the last is there"),
        (vec![two, one, three, last], SignatureMismatch, "two have changed places"),
        (vec![one, one, two, last], SignatureMismatch, "one is there twice"),
        (vec![one, two, three, three, last], ValueDisagrees, "one is there twice, and too long"),
        (vec![one, two, three, last, last], BodyMalformed, "the last is there twice"),
        (vec![one, two, three, last, "x"], BodyMalformed, "something follows"),
        (vec![one, two, three, last, "\r\n"], BodyMalformed, "a line end follows"),
        (vec![one, two, three, &last[..last.len() - 2]], BodyMalformed, "the last line end is missing"),
        (vec![one, two, three, &last[..last.len() - 1]], BodyMalformed, "half of it is"),
        (vec![one, two, three, "0\r\n\r\n"], BodyMalformed, "the last is not signed"),
        (vec!["8\r\neight by\r\n", two, three, last], BodyMalformed, "the first is not signed"),
    ] {
        let changed = with_body(&genuine, chunks.concat());
        assert_eq!(reason(&subject.verify(&changed)), expected, "{what}");
        let (content, streamed) = released(&subject, &changed, &[1, 100, 3]);
        assert_eq!(streamed.unwrap_err().reason(), expected, "{what}");
        assert!(b"eight by8 bytes and more".starts_with(&content), "{what}: {content:?}");
    }
    // Two chunks made one, with either signature; one made two.
    let joined = |signature: &str| format!("10;chunk-signature={signature}\r\neight by8 bytes \r\n{three}{last}");
    for signature in [signature(one), signature(two)] {
        let changed = with_body(&genuine, joined(&signature));
        assert_eq!(reason(&subject.verify(&changed)), SignatureMismatch);
    }
    let parted = format!("4;chunk-signature={0}\r\neigh\r\n4;chunk-signature={0}\r\nt by\r\n", signature(one));
    assert_eq!(
        reason(&subject.verify(&with_body(&genuine, format!("{parted}{two}{three}{last}")))),
        SignatureMismatch
    );
    // The chunks of another message under the same key, of the same length and time.
    let mut other = Message { body: b"eight by8 bytes and less".to_vec(), ..Message::new("PUT", "/bucket/other") };
    other = subject.sign_with(&other, &[("chunk-size", "8")], NOW, NONCE).unwrap();
    assert!(subject.verify(&other).is_ok());
    assert_eq!(reason(&subject.verify(&Message { body: other.body, ..genuine.clone() })), SignatureMismatch);
}

#[test]
fn trailers_are_those_announced_each_once_and_true() {
    let subject = subject();
    let genuine = upload(&subject, b"eight by8 bytes", 8, SIGNED_TRAILER);
    let body = text(&genuine);
    let start = body.find("x-amz-checksum-crc32:").unwrap();
    let (chunks, trailer) = body.split_at(start);
    let lines: Vec<&str> = trailer.split_inclusive("\r\n").collect();
    let [crc32, crc64, signature, end] = lines[..] else { panic!("{lines:?}") };
    let judge = |lines: &[&str]| subject.verify(&with_body(&genuine, [chunks, &lines.concat()].concat()));
    for (lines, what) in [
        (vec![crc32, crc64, signature, end], "as they were"),
        (vec![crc64, crc32, signature, end], "in another order, which is not signed"),
        (vec![&crc32.to_uppercase()[..20], &crc32[20..], crc64, signature, end], "a name in upper case"),
        (vec![&crc32.replace('\r', "\n\r"), crc64, signature, end], "with a line feed before the line end"),
    ] {
        assert!(judge(&lines).is_ok(), "{what}: {:?}", judge(&lines));
    }
    let sha = "x-amz-checksum-sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n";
    let wrong = crc32.replace(':', ":A");
    for (lines, expected, what) in [
        (vec![crc32, signature, end], FieldMissing, "one is missing"),
        (vec![signature, end], FieldMissing, "both are"),
        (vec![end], FieldMissing, "all is"),
        (vec![crc32, crc64, end], SignatureMissing, "the signature is"),
        (vec![crc32, crc64, signature], BodyMalformed, "the end is"),
        (vec![], BodyMalformed, "everything is"),
        (vec![crc32, crc32, crc64, signature, end], FieldDuplicated, "one is there twice"),
        (vec![crc32, crc64, signature, signature, end], FieldDuplicated, "the signature is there twice"),
        (vec![crc32, signature, crc64, end], ValueDisagrees, "one comes behind the signature"),
        (vec![crc32, crc64, sha, signature, end], ValueDisagrees, "one was not announced"),
        (vec![crc32, crc64, "x-other:1\r\n", signature, end], ValueDisagrees, "another was not announced"),
        (vec![&wrong, crc64, signature, end], SignatureMismatch, "one is changed"),
        (vec![crc32, crc64, &signature.replace(':', ":0"), end], SignatureMismatch, "the signature is"),
        (vec![crc32, crc64, signature, end, end], BodyMalformed, "something follows"),
    ] {
        assert_eq!(reason(&judge(&lines)), expected, "{what}");
    }
}

/// A body in chunks made by hand, from the AWS documentation alone: signed rightly, whatever it is.
struct ByHand {
    key: MacKey,
    scope: String,
    previous: String,
    body: String,
}

impl ByHand {
    /// Behind the first signature of a message.
    fn behind(message: &Message) -> Self {
        let authorization = String::from_utf8(message.field("Authorization").unwrap().to_vec()).unwrap();
        let (_, signature) = authorization.split_once("Signature=").unwrap();
        let (_, credential) = authorization.split_once("Credential=").unwrap();
        let (_, scope) = credential.split_once(',').unwrap().0.split_once('/').unwrap();
        let stamp = String::from_utf8(message.field("X-Amz-Date").unwrap().to_vec()).unwrap();
        let secret = MacKey::new(Hash::Sha256, format!("AWS4{SECRET}").as_bytes());
        let key =
            scope.split('/').fold(secret, |key, step| MacKey::new(Hash::Sha256, key.mac(step.as_bytes()).as_bytes()));
        Self { key, scope: format!("{stamp}\n{scope}"), previous: signature.to_owned(), body: String::new() }
    }

    fn sign(&mut self, kind: &str, digests: &str) -> String {
        let text = format!("AWS4-HMAC-SHA256-{kind}\n{}\n{}\n{digests}", self.scope, self.previous);
        self.previous = hex(self.key.mac(text.as_bytes()).as_bytes());
        self.previous.clone()
    }

    fn chunk(mut self, content: &str) -> Self {
        let digest = |text: &str| hex(Hash::Sha256.digest(text.as_bytes()).as_bytes());
        let signature = self.sign("PAYLOAD", &format!("{}\n{}", digest(""), digest(content)));
        write!(self.body, "{:x};chunk-signature={signature}\r\n{content}\r\n", content.len()).unwrap();
        self
    }

    /// The last chunk, and the trailer right behind it.
    fn trailer(self, lines: &[(&str, &str)]) -> Self {
        let mut this = self.chunk("");
        this.body.truncate(this.body.len() - 2);
        let canonical = lines.iter().fold(String::new(), |text, (name, value)| text + name + ":" + value + "\n");
        let signature = this.sign("TRAILER", &hex(Hash::Sha256.digest(canonical.as_bytes()).as_bytes()));
        this.body += &canonical.replace('\n', "\r\n");
        write!(this.body, "x-amz-trailer-signature:{signature}\r\n\r\n").unwrap();
        this
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    countersign_core::canon::hex_lower(bytes, &mut text);
    String::from_utf8(text).unwrap()
}

fn sum(checksum: Checksum, content: &str) -> String {
    let mut summing = checksum.begin();
    summing.update(content.as_bytes());
    let mut text = Vec::new();
    countersign_core::canon::b64(&summing.finish(), &mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn what_is_signed_by_hand_is_what_the_engine_signs() {
    let subject = subject();
    let genuine = upload(&subject, b"eight by8 bytes", 8, SIGNED);
    let body = ByHand::behind(&genuine).chunk("eight by").chunk("8 bytes").chunk("").body;
    assert_eq!(body, text(&genuine));
    let genuine = upload(&subject, b"eight by8 bytes", 8, SIGNED_TRAILER);
    let content = "eight by8 bytes";
    let sums = [
        ("x-amz-checksum-crc32", sum(Checksum::Crc32, content)),
        ("x-amz-checksum-crc64nvme", sum(Checksum::Crc64Nvme, content)),
    ];
    let lines = sums.each_ref().map(|(name, sum)| (*name, sum.as_str()));
    let body = ByHand::behind(&genuine).chunk("eight by").chunk("8 bytes").trailer(&lines).body;
    assert_eq!(body, text(&genuine));
}

/// Signed by who has the key, and refused all the same: what the body is does not agree with what is said of it.
#[test]
fn signed_chunks_have_the_length_and_the_checksums_that_were_announced() {
    let subject = subject();
    let genuine = upload(&subject, b"eight by8 bytes", 8, SIGNED);
    let hand = || ByHand::behind(&genuine);
    let judge = |body: String| subject.verify(&with_body(&genuine, body));
    assert!(judge(hand().chunk("eight ").chunk("by8").chunk(" bytes").chunk("").body).is_ok(), "in other chunks");
    for (body, expected, what) in [
        (hand().chunk("eight by").chunk("").body, ValueDisagrees, "too little"),
        (hand().chunk("").body, ValueDisagrees, "nothing"),
        (hand().chunk("eight by8 bytes!").chunk("").body, ValueDisagrees, "too much"),
        (hand().chunk("eight by8 bytes").chunk("!").chunk("").body, ValueDisagrees, "too much, one by one"),
        (hand().chunk("eight by8 bytes").body, BodyMalformed, "without an end"),
        (hand().chunk("eight by8 bytes").chunk("").chunk("!").body, BodyMalformed, "with more behind the end"),
        (hand().chunk("eight by8 bytes").trailer(&[]).body, BodyMalformed, "with a trailer"),
    ] {
        assert_eq!(reason(&judge(body)), expected, "{what}");
    }
    // What comes is refused when its head says that it is too much.
    let body = hand().chunk("eight by8 bytes!").body;
    let head = with_body(&genuine, body[..=body.find('\n').unwrap()].to_owned());
    assert_eq!(released(&subject, &head, &[]).1.unwrap_err().reason(), ValueDisagrees);

    let genuine = upload(&subject, b"content", 8, SIGNED_TRAILER);
    let judge = |content: &str, crc32: &str, crc64: &str| {
        let lines = &[("x-amz-checksum-crc32", crc32), ("x-amz-checksum-crc64nvme", crc64)];
        let body = ByHand::behind(&genuine).chunk(content).trailer(lines).body;
        subject.verify(&with_body(&genuine, body))
    };
    let (crc32, crc64) = (sum(Checksum::Crc32, "content"), sum(Checksum::Crc64Nvme, "content"));
    assert!(judge("content", &crc32, &crc64).is_ok());
    assert_eq!(reason(&judge("contend", &crc32, &crc64)), DigestMismatch);
    for (crc32, crc64) in [
        ("AAAAAA==", crc64.as_str()),
        (&crc32, "AAAAAAAAAAA="),
        (&crc64, &crc32),
        (crc32.trim_end_matches('='), &crc64),
        (&crc32.to_lowercase(), &crc64),
    ] {
        assert_eq!(reason(&judge("content", crc32, crc64)), DigestMismatch, "{crc32} {crc64}");
    }
    assert!(!ct_eq(crc32.as_bytes(), crc32.to_lowercase().as_bytes()), "the case above is one");
}

#[test]
fn a_checksum_finds_what_was_changed_by_accident() {
    let lax = lax();
    let unsigned = upload(&lax, b"content", 8, UNSIGNED_TRAILER);
    assert!(lax.verify(&unsigned).is_ok());
    for at in 0..unsigned.body.len() {
        let mut changed = unsigned.clone();
        changed.body[at] ^= 1;
        let verdict = lax.verify(&changed);
        assert!(verdict.is_err(), "byte {at}: {verdict:?}");
        let content = text(&unsigned).find("content").unwrap();
        if (content..content + 7).contains(&at) {
            assert_eq!(reason(&verdict), DigestMismatch);
            assert_eq!(released(&lax, &changed, &[1; 20]).0, b"", "nothing leaves before the checksum agreed");
        }
    }
}

#[test]
fn chunks_that_nobody_signed_are_refused_unless_the_deployment_says_otherwise() {
    let (strict, lax) = (subject(), lax());
    let unsigned = upload(&lax, b"content", 3, UNSIGNED_TRAILER);
    assert_eq!(reason(&strict.verify(&unsigned)), CoverageTooThin);
    let held = lax.verify(&unsigned).unwrap();
    assert!(held.coverage.not_covered.contains(&"body".to_owned()), "a checksum signs nothing");
    for other in ["", "yes", "CHECKSUM", "checksum "] {
        let mut subject = subject();
        subject.verifier = subject.verifier.with_var("unsigned-chunks", other);
        assert_eq!(reason(&subject.verify(&unsigned)), CoverageTooThin, "{other:?}");
    }
    // Chunk signatures that nobody asked for are not passed over.
    let signed = upload(&lax, b"content", 3, SIGNED_TRAILER);
    assert_eq!(reason(&lax.verify(&Message { body: signed.body, ..unsigned })), BodyMalformed);
}

/// A body is in chunks or it is not, and every place that says so agrees.
#[test]
fn attack_15_how_the_body_comes_can_be_read_in_one_way() {
    let subject = subject();
    let chunked = upload(&subject, b"content", 8, SIGNED);
    let trailed = upload(&subject, b"content", 8, SIGNED_TRAILER);
    // Signed as they are here: what the fields say is what the signer meant.
    let signed = |fields: &[(&str, &str)], vars: &[(&str, &str)]| {
        let mut message = Message { body: b"content".to_vec(), ..Message::new("PUT", "/bucket/key") };
        for (name, value) in fields {
            message = message.with_field(name, value);
        }
        let digest = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";
        let vars: Vec<(&str, &str)> = vars.iter().copied().chain([("payload", digest)]).collect();
        Subject::of("aws-sigv4-s3").sign_with(&message, &vars, NOW, NONCE).unwrap()
    };
    assert!(subject.verify(&signed(&[], &[])).is_ok());
    for (message, expected, what) in [
        (signed(&[("X-Amz-Decoded-Content-Length", "7")], &[]), ValueDisagrees, "whole, and with the other's length"),
        (signed(&[("Content-Encoding", "aws-chunked")], &[]), ValueDisagrees, "whole, and coded"),
        (signed(&[("Content-Encoding", "gzip, AWS-Chunked")], &[]), ValueDisagrees, "whole, and coded twice"),
        (signed(&[("X-Amz-Trailer", "x-amz-checksum-crc32")], &[]), ValueDisagrees, "whole, and with a trailer"),
    ] {
        assert_eq!(reason(&subject.verify(&message)), expected, "{what}");
    }
    assert!(subject.verify(&signed(&[("Content-Encoding", "gzip")], &[])).is_ok());
    // Changed on the way, all of it is covered by the first signature.
    for (message, field, value) in [
        (&chunked, MODE, SIGNED_TRAILER),
        (&chunked, MODE, UNSIGNED_TRAILER),
        (&chunked, MODE, "UNSIGNED-PAYLOAD"),
        (&trailed, MODE, SIGNED),
        (&trailed, "X-Amz-Trailer", "x-amz-checksum-crc32"),
        (&chunked, "X-Amz-Decoded-Content-Length", "8"),
        (&chunked, "Content-Encoding", "gzip"),
    ] {
        let mut changed = message.clone();
        changed.set_field(field, value);
        assert_eq!(reason(&subject.verify(&changed)), SignatureMismatch, "{field}: {value}");
    }
    for field in [MODE, "X-Amz-Decoded-Content-Length"] {
        let mut changed = chunked.clone();
        changed.remove_field(field);
        assert!(subject.verify(&changed).is_err(), "{field}");
    }
    let plain = Message { body: b"content".to_vec(), ..chunked.clone() };
    assert_eq!(reason(&subject.verify(&plain)), BodyMalformed);
    let late = chunked.with_field("X-Amz-Trailer", "x-amz-checksum-crc32");
    assert_eq!(reason(&subject.verify(&late)), CoverageTooThin);
}

/// What the head announces is looked at before the first chunk.
#[test]
fn what_is_announced_has_to_be_possible() {
    let subject = subject();
    // Signed by somebody who announces what he likes.
    let announced = |length: &str, names: Option<&str>| {
        let mut message = Message::new("PUT", "/bucket/key").with_field("X-Amz-Decoded-Content-Length", length);
        if let Some(names) = names {
            message = message.with_field("X-Amz-Trailer", names);
        }
        let mode = if names.is_some() { SIGNED_TRAILER } else { SIGNED };
        let laxer = "extends = \"aws-sigv4-s3\"\n[bind]\npayload = false\n[header]\nX-Amz-Content-Sha256 = \"{payload:token}\"";
        let signer = Subject::from("laxer", laxer);
        let signed = signer.sign_with(&message, &[("payload", mode)], NOW, NONCE).unwrap();
        signed.view(false, |view| {
            let state =
                subject.verifier.start(view, UnixTime::from_secs(NOW)).and_then(|state| state.key(&subject.keys));
            state.map(drop).map_err(|rejection| rejection.reason())
        })
    };
    assert_eq!(announced("0", None), Ok(()));
    assert_eq!(announced("7", Some(SUMS)), Ok(()));
    for (length, names, expected) in [
        ("", None, CredentialMalformed),
        ("-1", None, CredentialMalformed),
        ("7.0", None, CredentialMalformed),
        ("99999999999999999999", None, CredentialMalformed),
        ("7", Some("x-amz-checksum-md4"), CredentialMalformed),
        ("7", Some("x-amz-checksum-"), CredentialMalformed),
        ("7", Some("x-amz-meta-a"), CredentialMalformed),
        ("7", Some("x-amz-trailer-signature"), CredentialMalformed),
        ("7", Some("X-Amz-Checksum-Crc32"), CredentialMalformed),
        ("7", Some("x-amz-checksum-crc32, x-amz-checksum-sha1"), CredentialMalformed),
        ("7", Some("x-amz-checksum-crc32,x-amz-checksum-crc32"), FieldDuplicated),
    ] {
        assert_eq!(announced(length, names), Err(expected), "{length:?} {names:?}");
    }
}

#[test]
fn a_chunk_that_does_not_hold_is_refused_before_the_next_one_comes() {
    let subject = subject();
    let mut changed = upload(&subject, b"eight by8 bytes and more", 8, SIGNED);
    let second = text(&changed).find("8 bytes").unwrap();
    changed.body[second] ^= 1;
    changed.body.truncate(second + 10);
    let (content, verdict) = released(&subject, &changed, &[]);
    assert_eq!((content.as_slice(), verdict.as_ref().unwrap_err().reason()), (&b"eight by"[..], SignatureMismatch));
    let detail = verdict.unwrap_err().detail(subject.plan.scheme());
    assert_eq!(detail, "the signature of chunk 2 of the body is not the one that this key makes for it");
    // And it stays refused, whatever comes and whoever asks.
    changed.view(false, |view| {
        let mut state = subject.verifier.start(view, UnixTime::from_secs(NOW)).unwrap().key(&subject.keys).unwrap();
        assert!(state.update(&changed.body).is_err());
        assert_eq!(state.update(b"").unwrap_err().reason(), SignatureMismatch);
        assert_eq!(state.finish().unwrap_err().reason(), SignatureMismatch);
    });
}

/// Whoever takes the content out piece by piece is told no less of what the policy wants than whoever does not.
#[test]
fn attack_11_a_body_that_has_to_be_covered_is_not_taken_out_where_it_is_not() {
    let text = "extends = \"aws-sigv4-streaming\"\n[require]\ncovered = \"body\"\n";
    let mut strict = Subject::from("strict", text);
    strict.verifier = strict.verifier.with_var("unsigned-chunks", "checksum");
    for (mode, expected) in [(SIGNED, None), (UNSIGNED_TRAILER, Some(CoverageTooThin))] {
        let message = upload(&lax(), b"content of an upload", 8, mode);
        let reasons = [strict.verify(&message).map(drop), released(&strict, &message, &[3, 50]).1];
        assert_eq!(reasons.map(|verdict| verdict.err().map(|refused| refused.reason())), [expected; 2], "{mode}");
    }
}

/// A scheme with a longest chunk of 16 bytes.
fn short() -> Subject {
    let text = countersign_schemes::catalogue::text("aws-sigv4-streaming").unwrap();
    assert!(text.contains("max               = 16777216"));
    Subject::from("short", &text.replace("max               = 16777216", "max = 16"))
}

#[test]
fn attack_31_a_chunk_too_long_is_refused_by_its_head() {
    let short = short();
    for (size, expected) in [(16, None), (17, Some(TooLarge))] {
        let subject = subject();
        let genuine = upload(&subject, &[b'a'; 40], size, SIGNED);
        assert_eq!(short.verify(&genuine).err().map(|rejection| rejection.reason()), expected, "{size}");
        let head = genuine.body.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let begun = Message { body: genuine.body[..head].to_vec(), ..genuine };
        let reason = released(&short, &begun, &[]).1.unwrap_err().reason();
        assert_eq!(reason, expected.unwrap_or(BodyMalformed), "{size}");
    }
    let message = Message { body: vec![b'a'; 40], ..Message::new("PUT", "/") };
    let error = short.sign_with(&message, &[("chunk-size", "17")], NOW, NONCE).unwrap_err();
    assert_eq!(error.to_string(), "the value of `size` does not fit the place where the scheme carries it");
    for size in ["0", "", "1k", "-1"] {
        assert!(short.sign_with(&message, &[("chunk-size", size)], NOW, NONCE).is_err(), "{size:?}");
    }
}

#[test]
fn what_is_signed_says_how_the_body_goes() {
    let subject = subject();
    let put = |content: &[u8]| Message { body: content.to_vec(), ..Message::new("PUT", "/bucket/key") };
    let field =
        |message: &Message, name: &str| message.field(name).map(|value| String::from_utf8_lossy(value).into_owned());
    let signed = subject.signed(&put(b"content").with_field("Content-Length", "7"));
    assert_eq!(field(&signed, MODE).as_deref(), Some(SIGNED));
    assert_eq!(field(&signed, "X-Amz-Decoded-Content-Length").as_deref(), Some("7"));
    assert_eq!(field(&signed, "Content-Encoding").as_deref(), Some("aws-chunked"));
    assert_eq!(field(&signed, "Content-Length"), Some(signed.body.len().to_string()));
    assert_eq!(field(&signed, "X-Amz-Trailer"), None);
    assert!(subject.verify(&signed).is_ok());
    // Names of trailers alone say that there is one.
    let trailed = subject.signed(&put(b"content").with_field("X-Amz-Trailer", "x-amz-checksum-sha256"));
    assert_eq!(field(&trailed, MODE).as_deref(), Some(SIGNED_TRAILER));
    assert!(subject.verify(&trailed).is_ok());
    // Nothing to send, and nothing said: no chunks.
    for (message, chunks) in [(Message::new("GET", "/"), false), (put(b"").with_field(MODE, SIGNED), true)] {
        let signed = subject.signed(&message);
        assert_eq!(signed.field("X-Amz-Decoded-Content-Length").is_some(), chunks);
        assert_eq!(signed.body.is_empty(), !chunks);
        assert!(subject.verify(&signed).is_ok());
    }
    for (message, error) in [
        (
            put(b"a").with_field("Content-Encoding", "gzip"),
            "`Content-Encoding` is there already and does not have the form that the scheme describes",
        ),
        (
            put(b"a").with_field("X-Amz-Decoded-Content-Length", "2"),
            "the value of `decoded-length` does not fit the place where the scheme carries it",
        ),
        (put(b"a").with_field(MODE, SIGNED_TRAILER), "the scheme needs a value for `trailer-names`"),
    ] {
        assert_eq!(subject.sign(&message).unwrap_err().to_string(), error);
    }
    let gzip = put(b"a").with_field("Content-Encoding", "aws-chunked,gzip");
    assert!(subject.verify(&subject.signed(&gzip)).is_ok());
}

/// What would leave a chunk unsigned, or let its signature stand for something else, is a fault of the scheme.
#[test]
fn a_section_that_signs_too_little_is_no_section() {
    let text = |from: &str, to: &str| {
        let scheme = r#"
[header]
X-Mode = "{mode:token}"
X-Length = "{length:int?}"
X-Names = "{names:names-comma?}"
X-Time = "{timestamp:unix}"
X-Sign = "{signature:hex}"
[sign]
base = "REQUEST {timestamp} {mode}"
signature = "{base | hmac-sha256 secret | hex}"
[chunks]
format = "aws-chunked"
mode = "mode"
signed = "A"
signed-trailer = "B"
unsigned-trailer = { value = "C", when = "{header.x-lax}" }
length = "length"
trailers = "names"
checksum = "x-"
trailer-signature = "x-s"
base = "CHUNK {timestamp} {previous} {chunk | sha256 | hex}"
trailer = "TRAILER {timestamp} {previous} {trailers | sha256 | hex}"
[fresh]
timestamp = "5m"
"#;
        assert!(from.is_empty() || scheme.contains(from), "{from}");
        let changed = scheme.replacen(from, to, 1);
        match load("faulty", &changed, &Catalogue) {
            Ok(_) => String::new(),
            Err(error) => error.faults.iter().map(|fault| fault.message.clone()).collect::<Vec<_>>().join("; "),
        }
    };
    assert_eq!(text("", ""), "");
    for (from, to, fault) in [
        ("\"aws-chunked\"", "\"chunked\"", "unknown framing `chunked`"),
        ("format = \"aws-chunked\"\n", "", "`[chunks]` lacks `format`"),
        ("mode = \"mode\"", "mode = \"none\"", "no carrier captures `none`"),
        ("length = \"length\"", "length = \"mode\"", "`mode` is not of type `int`"),
        ("trailers = \"names\"", "trailers = \"mode\"", "`mode` is not of type `names-comma`"),
        ("trailers = \"names\"\n", "", "a trailer needs `trailers`; a trailer needs `trailers`"),
        ("checksum = \"x-\"\n", "", "a trailer needs `checksum`; a trailer needs `checksum`"),
        ("trailer-signature = \"x-s\"\n", "", "a trailer needs `trailer-signature`"),
        ("\"B\"", "\"A\"", "`A` stands for two kinds of chunks"),
        ("{chunk | sha256 | hex}", "{chunk}", "a chunk is signed by its digest: its content does not stay"),
        ("{chunk | sha256 | hex}", "{chunk | hex}", "a chunk is signed by its digest: its content does not stay"),
        ("{chunk | sha256 | hex}", "{timestamp}", "this does not sign `{chunk}`"),
        ("{chunk | sha256 | hex}", "[{chunk | sha256 | hex}]", "this does not sign `{chunk}`"),
        ("{chunk | sha256 | hex}", "{chunk | sha256 | hex | slice 0 8}", "this does not sign `{chunk}`"),
        ("CHUNK {timestamp} {previous}", "CHUNK {timestamp}", "this does not sign `{previous}`"),
        ("TRAILER {timestamp} {previous}", "TRAILER", "this does not sign `{previous}`"),
        ("{trailers | sha256 | hex}", "", "this does not sign `{trailers}`"),
        (
            "{chunk | sha256 | hex}",
            "{chunk | sha256 | hex}{body}",
            "the body is not there yet when its chunks are signed",
        ),
        (
            "CHUNK {timestamp}",
            "REQUEST {timestamp}",
            "a signature over this could stand for one over another text that [chunks] signs",
        ),
        (
            "CHUNK {timestamp}",
            "TRAILER chunk",
            "a signature over this could stand for one over another text that [chunks] signs",
        ),
        (
            "REQUEST {timestamp}",
            "{timestamp}",
            "a signature over this could stand for one over another text that [chunks] signs",
        ),
        (
            "{mode}\"",
            "{mode} {body}\"",
            "the signature has to hold before the first chunk comes, and here it needs the body",
        ),
        (
            "base = \"REQUEST {timestamp} {mode}\"\nsignature = \"{base | hmac-sha256 secret | hex}\"",
            "base = \"REQUEST {timestamp} {mode}\"\nsignature = \"{base | ed25519 private_key | hex}\"",
            "chunks are signed one after the other, which takes an HMAC",
        ),
        ("[sign]", "[form]\nx = \"{x}\"\n[sign]", "a body in chunks cannot carry credentials"),
        (
            "\"{signature:hex}\"",
            "{ text = \"a={signature:hex}\", split = \",\" }",
            "the first chunk is signed over one signature, and there may be several",
        ),
        ("[fresh]", "[[try]]\n[fresh]", "[chunks] and [[try]] do not go together"),
        ("[fresh]", "max = 0\n[fresh]", "`max` must be a number from 1 on, without quotes, not a number"),
        ("{timestamp} {mode}", "{timestamp} {mode} {previous}", "unknown name `previous`"),
        ("signed = \"A\"", "signs = \"A\"", "`signs` is not a key of `[chunks]`"),
    ] {
        assert_eq!(text(from, to), fault, "{from} -> {to}");
    }
    let bare =
        "signed = \"A\"\nsigned-trailer = \"B\"\nunsigned-trailer = { value = \"C\", when = \"{header.x-lax}\" }\n";
    assert_eq!(text(bare, ""), "no body would be one in chunks");
}

#[test]
fn a_body_in_chunks_streams() {
    assert_eq!(subject().plan.body_need(), BodyNeed::DigestClaimed);
}

proptest! {
    #[test]
    fn any_content_in_any_chunks_and_pieces_is_taken_and_comes_out_again(
        content in prop::collection::vec(any::<u8>(), 0..200),
        size in 1_usize..80,
        cuts in cuts(),
        mode in prop::sample::select(vec![SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]),
        at in any::<prop::sample::Index>(),
        by in 1_u8..,
    ) {
        let subject = lax();
        let message = upload(&subject, &content, size, mode);
        let whole = subject.verify(&message);
        prop_assert!(whole.is_ok(), "{:?}", whole);
        prop_assert_eq!(&whole, &subject.verify_streamed(&message, &cuts));
        let (out, verdict) = released(&subject, &message, &cuts);
        prop_assert_eq!((out, verdict), (content.clone(), Ok(())));

        let mut changed = message.clone();
        let at = at.index(changed.body.len());
        changed.body[at] ^= by;
        let whole = subject.verify(&changed);
        prop_assert_eq!(&whole, &subject.verify_streamed(&changed, &cuts));
        let (out, verdict) = released(&subject, &changed, &cuts);
        prop_assert_eq!(whole.map(drop), verdict);
        // Whole chunks of the genuine content, and nothing else.
        prop_assert!(content.starts_with(&out));
        prop_assert!(out.len() % size == 0 || out.len() == content.len(), "{} of {}", out.len(), size);
    }
}

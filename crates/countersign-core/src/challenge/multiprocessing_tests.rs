//! Transcripts of `CPython`, both sides, and what is refused.

use super::*;
use crate::challenge::tests::{Connecting, SECRET, Serving, identity, keys, known, nonce, vector};
use crate::challenge::{Nonce, Protocol};
use crate::key::Key;

/// The bytes that the recording interpreters had in the place of random ones.
fn counting() -> Nonce {
    Nonce(std::array::from_fn(|at| u8::try_from(at).unwrap()))
}

/// What the sides said in a transcript, with the lengths that go before on the wire.
fn frames(case: &serde_json::Value) -> Vec<(&str, Vec<u8>)> {
    let frames = case["frames"].as_array().unwrap();
    let frame = |frame: &serde_json::Value| {
        let content = const_hex::decode(frame[1].as_str().unwrap()).unwrap();
        let mut wire = Vec::new();
        write(&[&content], &mut wire);
        wire
    };
    frames.iter().map(|entry| (entry[0].as_str().unwrap(), frame(entry))).collect()
}

/// Every transcript, seen from both sides: what ours says is what `CPython` said, to the byte.
#[test]
fn the_transcripts_of_cpython() {
    let Some(vectors) = vector("python_multiprocessing_auth.json") else { return };
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let text = |name: &str| case[name].as_str();
        let name = format!("{}: {}", text("python").unwrap(), text("case").unwrap());
        let frames = frames(case);
        let key = text("authkey").unwrap().as_bytes();
        let clients = text("client_authkey").map_or(key, str::as_bytes);
        let old = matches!(text("python").unwrap(), "3.8.18" | "3.11.7");
        // The digest is in the challenge, and the answer says whether it is an old client's.
        let asked = named(&frames[0].1[4 + CHALLENGE.len()..]).map_or(PythonDigest::Md5, |(digest, _)| digest);
        let old_answer = frames[1].1.len() == 4 + OLD_ANSWER;
        let rules = Multiprocessing {
            digest: asked,
            allow_md5: old || old_answer || asked == PythonDigest::Md5,
            old_challenge: old,
        };
        let protocol = Protocol::Multiprocessing(rules);

        // The server: it says its frames, given the client's.
        let mut sent = Vec::new();
        let identity_of_server = crate::challenge::ServerIdentity::default();
        let server = crate::challenge::Server::begin(protocol, &identity_of_server, &counting(), None, &mut sent);
        let mut serving =
            Serving { server: Some(server), keys: keys([Key::secret(key)]), waiting: Vec::new(), sent, end: None };
        for (who, frame) in &frames {
            if *who == "C" {
                // The recorded ends drew the same bytes, so that each was asked its own challenge.
                if let Some(crate::challenge::Server(crate::challenge::ServerState::Multiprocessing(server))) =
                    &mut serving.server
                    && !matches!(server.state, ServerState::Asked)
                {
                    server.question.message.clear();
                }
                serving.feed(frame);
            } else if let Some(rest) = serving.sent.strip_prefix(frame.as_slice()) {
                serving.sent = rest.to_vec();
            } else {
                // The last one, where it is the parting.
                assert_eq!((frame.as_slice(), &*serving.sent), (protocol.parting(), &[][..]), "{name}");
                assert_eq!(serving.end, Some(Err(Refusal::AnswerWrong)), "{name}");
            }
        }
        let (server_ok, client_ok) = (case["result"]["server"] == "ok", case["result"]["client"] == "ok");
        let mutual = frames.len() > 3;
        assert_eq!(serving.end.is_some_and(|end| end.is_ok()), server_ok && mutual, "{name}");

        // The client: the same the other way round. An old client's answer to a new challenge is an old client's.
        if old_answer && !old {
            continue;
        }
        let client =
            crate::challenge::Client::begin(protocol, &identity("", clients), &nonce(0xff), None, &mut Vec::new());
        let mut client = Connecting { client: client.ok(), waiting: Vec::new(), sent: Vec::new(), end: None };
        for (who, frame) in &frames {
            if *who == "S" {
                if let Some(crate::challenge::Client(crate::challenge::ClientState::Multiprocessing(client))) =
                    &mut client.client
                    && matches!(client.state, ClientState::Answered)
                {
                    client.question = Question::new(rules, &counting());
                }
                client.feed(frame);
            } else {
                let rest = client.sent.strip_prefix(frame.as_slice());
                client.sent = rest.unwrap_or_else(|| panic!("{name}: {:?}", client.end)).to_vec();
            }
        }
        let end = client.end;
        if mutual {
            assert_eq!(end, Some(Ok(())), "{name}");
        } else {
            assert_eq!(end, if client_ok { None } else { Some(Err(Refusal::RefusedByPeer)) }, "{name}");
        }
    }
}

/// A server that has asked with `rules`, given one frame.
fn answered(rules: Multiprocessing, content: &[&[u8]]) -> Option<Refusal> {
    let mut wire = Vec::new();
    write(content, &mut wire);
    let mut serving = Serving::begin(Protocol::Multiprocessing(rules), known("a", SECRET), 2, None);
    serving.feed(&wire);
    serving.end.and_then(Result::err)
}

#[test]
fn attack_39_md5_is_neither_given_nor_taken_unless_allowed() {
    let strict = Multiprocessing::default();
    let lax = Multiprocessing { allow_md5: true, ..strict };
    let message = Question::new(strict, &nonce(2)).message;
    let md5 = PythonDigest::Md5.mac(SECRET, &message);
    let sha256 = PythonDigest::Sha256.mac(SECRET, &message);
    assert_eq!(answered(strict, &[b"{sha256}", sha256.as_bytes()]), None);
    assert_eq!(answered(strict, &[md5.as_bytes()]), Some(Refusal::Md5), "raw");
    assert_eq!(answered(strict, &[b"{md5}", md5.as_bytes()]), Some(Refusal::DigestRefused), "named, not asked for");
    assert_eq!(answered(lax, &[md5.as_bytes()]), None, "an old client");
    assert_eq!(answered(lax, &[b"{md5}", md5.as_bytes()]), Some(Refusal::DigestRefused), "not what was asked for");

    // The other direction: what a client is asked for.
    let ask = |rules, content: &[u8]| {
        let mut wire = Vec::new();
        write(&[CHALLENGE, content], &mut wire);
        let mut client = Connecting::begin(Protocol::Multiprocessing(rules), &identity("", SECRET), 1, None);
        client.feed(&wire);
        (client.end.and_then(Result::err), !client.sent.is_empty())
    };
    assert_eq!(ask(strict, &[7; 20]), (Some(Refusal::Md5), false));
    assert_eq!(ask(strict, &[b"{md5}", [7; 40].as_slice()].concat()), (Some(Refusal::Md5), false));
    assert_eq!(ask(lax, &[7; 20]), (None, true));
    assert_eq!(ask(lax, &[b"{md5}", [7; 40].as_slice()].concat()), (None, true));
    assert_eq!(ask(strict, &[b"{sha256}", [7; 40].as_slice()].concat()), (None, true));
    for (content, refusal) in [
        (&b""[..], Refusal::ChallengeShort),
        (&[7; 19], Refusal::ChallengeShort),
        (&[7; 40], Refusal::FrameMalformed),
        (b"{sha1}0123456789012345678901234567890123456789", Refusal::DigestRefused),
        (b"{SHA256}0123456789012345678901234567890123456789", Refusal::DigestRefused),
        (b"{sha256 0123456789012345678901234567890123456789", Refusal::FrameMalformed),
    ] {
        assert_eq!(ask(lax, content), (Some(refusal), false), "{content:?}");
    }
}

#[test]
fn attack_39_an_answer_of_any_other_length_is_wrong() {
    let rules = Multiprocessing { allow_md5: true, ..Multiprocessing::default() };
    let message = Question::new(rules, &nonce(2)).message;
    let mac = PythonDigest::Sha256.mac(SECRET, &message);
    for length in (0..=240).filter(|length| *length != 32) {
        let answer: Vec<u8> = mac.as_bytes().iter().copied().chain(std::iter::repeat(0)).take(length).collect();
        assert_eq!(answered(rules, &[b"{sha256}", &answer]), Some(Refusal::AnswerWrong), "{length}");
    }
    for length in 0..16 {
        assert!(answered(rules, &[&mac.as_bytes()[..length]]).is_some(), "{length}");
    }
}

#[test]
fn attack_39_a_servers_own_challenge_is_not_answered() {
    let rules = Multiprocessing::default();
    let protocol = Protocol::Multiprocessing(rules);
    let mut server = Serving::begin(protocol, known("a", SECRET), 2, None);
    let challenge = server.take();
    let message = Question::new(rules, &nonce(2)).message;
    let mut wire = Vec::new();
    write(&[b"{sha256}", PythonDigest::Sha256.mac(SECRET, &message).as_bytes()], &mut wire);
    server.feed(&wire);
    assert_eq!(server.take(), b"\0\0\0\x09#WELCOME#");
    server.feed(&challenge);
    assert_eq!((server.end.clone(), server.sent.as_slice()), (Some(Err(Refusal::ChallengeReflected)), &[][..]));
}

#[test]
fn a_client_that_rejects_the_servers_answer_says_so() {
    let rules = Multiprocessing::default();
    let mut client = Connecting::begin(Protocol::Multiprocessing(rules), &identity("", SECRET), 1, None);
    let mut wire = Vec::new();
    write(&[CHALLENGE, b"{sha256}", &[7; 40]], &mut wire);
    client.feed(&wire);
    client.feed(b"\0\0\0\x09#WELCOME#");
    client.take();
    let mut wrong = Vec::new();
    write(&[b"{sha256}", &[0; 32]], &mut wrong);
    client.feed(&wrong);
    assert_eq!((client.end, client.sent.as_slice()), (Some(Err(Refusal::AnswerWrong)), FAILURE_FRAME));
}

//! What a proof covers, the bytes on the wire, and what is refused.

use super::*;
use crate::challenge::tests::{Connecting, SECRET, Serving, identity, known, talk};
use crate::challenge::{Protocol, ServerIdentity};

const V1: Protocol = Protocol::CountersignV1;

fn greet(client: &mut Connecting, server: &mut Serving) {
    server.feed(&client.take());
    client.feed(&server.take());
}

/// What each proof must depend on: the model in `tests/countersign_v1_model.rs` takes it for granted.
#[test]
fn attack_39_a_proof_covers_role_ids_nonces_version_and_binding() {
    let hello_of = |ids: &[&str], fill| hello(ids, &[fill; NONCE]);
    let binding = Binding::tls_exporter([9; 32]);
    let base = transcript(&hello_of(&["a", "s"], 1), &hello_of(&["s"], 2), Some(&binding));
    let proof_of =
        |role, id, secret: &[u8], transcript: &Digest| proof(role, id, secret, transcript).as_bytes().to_vec();
    let mut version = hello_of(&["a", "s"], 1);
    version[0] = 2;
    let mut all = vec![
        proof_of(Role::Client, "a", SECRET, &base),
        proof_of(Role::Server, "a", SECRET, &base),
        proof_of(Role::Client, "s", SECRET, &base),
        proof_of(Role::Client, "a", b"another secret", &base),
    ];
    for other in [
        transcript(&hello_of(&["b", "s"], 1), &hello_of(&["s"], 2), Some(&binding)),
        transcript(&hello_of(&["a", "t"], 1), &hello_of(&["s"], 2), Some(&binding)),
        transcript(&hello_of(&["a", "s"], 3), &hello_of(&["s"], 2), Some(&binding)),
        transcript(&hello_of(&["a", "s"], 1), &hello_of(&["t"], 2), Some(&binding)),
        transcript(&hello_of(&["a", "s"], 1), &hello_of(&["s"], 3), Some(&binding)),
        transcript(&version, &hello_of(&["s"], 2), Some(&binding)),
        transcript(&hello_of(&["a", "s"], 1), &hello_of(&["s"], 2), Some(&Binding::tls_exporter([8; 32]))),
        transcript(&hello_of(&["a", "s"], 1), &hello_of(&["s"], 2), None),
        // The same bytes, divided in another way.
        transcript(&hello_of(&["as", ""], 1), &hello_of(&["s"], 2), Some(&binding)),
        transcript(&hello_of(&["s"], 2), &hello_of(&["a", "s"], 1), Some(&binding)),
    ] {
        all.push(proof_of(Role::Client, "a", SECRET, &other));
    }
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}

/// HMAC, HKDF and SHA-256 as the module's documentation says, computed once by Python's `hmac` and `hashlib`.
#[test]
fn the_bytes_on_the_wire_stay_what_they_are() {
    let mut client = Connecting::begin(V1, &identity("alice", SECRET), 1, None);
    let mut server = Serving::begin(V1, known("alice", SECRET), 2, None);
    let mut said = Vec::new();
    for _ in 0..2 {
        let up = client.take();
        server.feed(&up);
        let down = server.take();
        client.feed(&down);
        said.push(const_hex::encode(up));
        said.push(const_hex::encode(down));
    }
    assert_eq!(said, WIRE);
}

const WIRE: [&str; 4] = [
    "003001010005616c6963650005616c6963650101010101010101010101010101010101010101010101010101010101010101",
    "002901010005616c6963650202020202020202020202020202020202020202020202020202020202020202",
    "002102f7ac3f6d6bd89fbd0e85e0169b7333f46d4d7f913697b02a2e89e1d2e3a94ee0",
    "002102ee4546010f7d7a3413cd48abb0ac947a6801d95b9e30c1e9ac3c8f74f9d13037",
];

#[test]
fn a_server_with_a_key_of_its_own_proves_that_one() {
    let own = Some(("gate".to_owned(), Secret::new(*b"the gate's secret")));
    let meet = |expected: Option<(String, Secret)>| {
        let mut who = identity("alice", SECRET);
        who.server = expected;
        let mut client = Connecting::begin(V1, &who, 1, None);
        let mut server = Serving::begin(V1, known("alice", SECRET), 2, None);
        let identity = ServerIdentity { own: own.clone() };
        let nonce = crate::challenge::tests::nonce(2);
        server.server = Some(crate::challenge::Server::begin(V1, &identity, &nonce, None, &mut Vec::new()));
        talk(&mut client, &mut server, 1000);
        (client.end, server.end.map(|end| end.is_ok()))
    };
    assert_eq!(meet(own.clone()), (Some(Ok(())), Some(true)));
    assert_eq!(meet(None), (Some(Err(Refusal::KeyUnknown)), None), "the client wanted another, and proves nothing");
    let wrong = Some(("gate".to_owned(), Secret::new(*b"something else")));
    assert_eq!(meet(wrong), (Some(Err(Refusal::AnswerWrong)), Some(true)));
}

#[test]
fn attack_39_reflection_the_client_does_not_take_its_own_words() {
    let mut client = Connecting::begin(V1, &identity("alice", SECRET), 1, None);
    let hello = client.take();
    client.feed(&hello);
    assert_eq!(client.end, Some(Err(Refusal::FrameMalformed)), "a client's HELLO is no server's");

    // Its own proof is none of the server.
    let mut client = Connecting::begin(V1, &identity("alice", SECRET), 1, None);
    let mut server = Serving::begin(V1, known("alice", SECRET), 2, None);
    greet(&mut client, &mut server);
    let proof = client.take();
    client.feed(&proof);
    assert_eq!(client.end, Some(Err(Refusal::AnswerWrong)));
}

#[test]
fn attack_39_relay_a_proof_is_of_use_in_one_session_alone() {
    let mut client = Connecting::begin(V1, &identity("alice", SECRET), 1, None);
    let hello = client.take();
    let mut first = Serving::begin(V1, known("alice", SECRET), 2, None);
    let mut second = Serving::begin(V1, known("alice", SECRET), 3, None);
    first.feed(&hello);
    second.feed(&hello);
    client.feed(&first.take());
    second.feed(&client.take());
    assert_eq!(second.end, Some(Err(Refusal::AnswerWrong)));
}

#[test]
fn attack_39_who_ends_tls_between_the_two_cannot_pass_the_handshake_on() {
    let (left, right) = (Binding::tls_exporter([1; 32]), Binding::tls_exporter([2; 32]));
    for (clients, servers) in [(Some(&left), Some(&right)), (Some(&left), None), (None, Some(&right))] {
        let mut client = Connecting::begin(V1, &identity("alice", SECRET), 1, clients.cloned());
        let mut server = Serving::begin(V1, known("alice", SECRET), 2, servers.cloned());
        talk(&mut client, &mut server, 1000);
        assert_eq!(server.end, Some(Err(Refusal::AnswerWrong)));
        assert_ne!(client.end, Some(Ok(())));
    }
    let mut client = Connecting::begin(V1, &identity("alice", SECRET), 1, Some(left.clone()));
    let mut server = Serving::begin(V1, known("alice", SECRET), 2, Some(left));
    talk(&mut client, &mut server, 1000);
    assert_eq!((client.end, server.end.map(|end| end.is_ok())), (Some(Ok(())), Some(true)));
}

#[test]
fn odd_hellos_are_refused() {
    let judge = |content: &[u8]| {
        let mut wire = Vec::new();
        write(HELLO, content, &mut wire);
        let mut server = Serving::begin(V1, known("alice", SECRET), 2, None);
        server.feed(&wire);
        (server.end.and_then(Result::err), server.sent.is_empty())
    };
    let long = "x".repeat(256);
    let longer = "x".repeat(257);
    assert_eq!(judge(&hello(&["alice", "alice"], &[1; 32])), (None, false));
    assert_eq!(judge(&hello(&[&long, &long], &[1; 32])), (None, false));
    let mut other_version = hello(&["alice", "alice"], &[1; 32]);
    other_version[0] = 0;
    assert_eq!(judge(&other_version), (Some(Refusal::VersionUnknown), true));
    for odd in [
        hello(&["alice"], &[1; 32]),
        hello(&["alice", "alice", "alice"], &[1; 32]),
        hello(&["", "alice"], &[1; 32]),
        hello(&["al\nice", "alice"], &[1; 32]),
        hello(&[&longer, "a"], &[1; 32]),
        vec![],
        vec![1],
        vec![1, 0xff, 0xff],
        [&[1, 0, 1, 0xff, 0, 1, b'a'][..], &[1; 32]].concat(),
    ] {
        assert_eq!(judge(&odd), (Some(Refusal::FrameMalformed), true), "{odd:?}");
    }
    let whole = hello(&["alice", "alice"], &[1; 32]);
    for end in 1..whole.len() {
        assert_eq!(judge(&whole[..end]).0, Some(Refusal::FrameMalformed), "{end}");
    }
}

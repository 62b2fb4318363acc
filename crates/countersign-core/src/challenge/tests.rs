//! What the tests of the handshakes share, and what holds for every protocol.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::key::{Key, KeySet};
use crate::time::UnixTime;

pub(super) const SECRET: &[u8] = b"a secret of some length";

/// A file of the public vectors; `None`, and the reason printed, where they are missing.
#[expect(clippy::disallowed_methods, reason = "the engine does no I/O; its test vectors lie in files")]
pub(super) fn vector(file: &str) -> Option<serde_json::Value> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or_else(|| beside.into(), std::path::PathBuf::from);
    let path = root.join("sasl").join(file);
    if !root.exists() {
        eprintln!("skipped: there are no vectors at {}", root.display());
        return None;
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap())
}

pub(super) fn identity(key_id: &str, secret: impl AsRef<[u8]>) -> ClientIdentity {
    ClientIdentity { key_id: key_id.to_owned(), secret: Secret::new(secret.as_ref()), server: None }
}

pub(super) fn keys(keys: impl IntoIterator<Item = Key>) -> Candidates {
    Candidates::of(&KeySet::new(keys.into_iter().map(Arc::new)), UnixTime::from_secs(0), "")
}

pub(super) fn known(id: &str, secret: &[u8]) -> Candidates {
    keys([Key::secret(secret).with_id(id)])
}

pub(super) fn nonce(fill: u8) -> Nonce {
    Nonce([fill; Nonce::LEN])
}

/// Gives a server the keys it asks for.
pub(super) fn with_keys(turn: ServerTurn, keys: &Candidates) -> ServerTurn {
    let mut out = Vec::new();
    match turn {
        ServerTurn::NeedsKeys(needs) => needs.keys(keys, &mut out),
        other => other,
    }
}

pub(super) fn admitted(turn: ServerTurn) -> Option<String> {
    match turn {
        ServerTurn::Admitted(admitted) => admitted.key_id,
        other => panic!("not admitted: {other:?}"),
    }
}

pub(super) fn refused(turn: ServerTurn) -> Refusal {
    match turn {
        ServerTurn::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// A server that is fed pieces: what it has not used waits with it.
pub(super) struct Serving {
    pub(super) server: Option<Server>,
    pub(super) keys: Candidates,
    pub(super) waiting: Vec<u8>,
    pub(super) sent: Vec<u8>,
    /// The key id of who was admitted, or why nobody was.
    pub(super) end: Option<Result<Option<String>, Refusal>>,
}

impl Serving {
    pub(super) fn begin(protocol: Protocol, keys: Candidates, fill: u8, binding: Option<Binding>) -> Self {
        let mut sent = Vec::new();
        let server = Server::begin(protocol, &ServerIdentity::default(), &nonce(fill), binding, &mut sent);
        Self { server: Some(server), keys, waiting: Vec::new(), sent, end: None }
    }

    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.waiting.extend_from_slice(piece);
        while let Some(server) = self.server.take() {
            let (used, mut turn) = server.step(&self.waiting, &mut self.sent);
            self.waiting.drain(..used);
            loop {
                turn = match turn {
                    // Nobody but alice has a name here.
                    ServerTurn::NeedsKeys(needs) if needs.claimed_key_id().is_some_and(|id| id != "alice") => {
                        needs.keys(&keys([]), &mut self.sent)
                    }
                    ServerTurn::NeedsKeys(needs) => needs.keys(&self.keys, &mut self.sent),
                    ServerTurn::NeedsCredential(needs) => {
                        let credential = Arc::new(scram::Credential::of(&self.keys, b"salt"));
                        needs.credential(credential, &mut self.sent)
                    }
                    ServerTurn::Wait(server) => {
                        self.server = Some(server);
                        break;
                    }
                    ServerTurn::Admitted(admitted) => {
                        self.end = Some(Ok(admitted.key_id));
                        break;
                    }
                    ServerTurn::Refused(refusal) => {
                        self.end = Some(Err(refusal));
                        break;
                    }
                };
            }
            if used == 0 {
                break;
            }
        }
    }

    /// What it has sent since it was asked last.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sent)
    }
}

/// The same for a client.
pub(super) struct Connecting {
    pub(super) client: Option<Client>,
    pub(super) waiting: Vec<u8>,
    pub(super) sent: Vec<u8>,
    pub(super) end: Option<Result<(), Refusal>>,
}

impl Connecting {
    pub(super) fn begin(protocol: Protocol, identity: &ClientIdentity, fill: u8, binding: Option<Binding>) -> Self {
        let mut sent = Vec::new();
        let client = Client::begin(protocol, identity, &nonce(fill), binding, &mut sent).unwrap();
        Self { client: Some(client), waiting: Vec::new(), sent, end: None }
    }

    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.waiting.extend_from_slice(piece);
        while let Some(client) = self.client.take() {
            let (used, mut turn) = client.step(&self.waiting, &mut self.sent);
            self.waiting.drain(..used);
            loop {
                turn = match turn {
                    ClientTurn::NeedsPassword(needs) => needs.derive(&mut self.sent),
                    ClientTurn::Wait(client) => {
                        self.client = Some(client);
                        break;
                    }
                    ClientTurn::Admitted => {
                        self.end = Some(Ok(()));
                        break;
                    }
                    ClientTurn::Refused(refusal) => {
                        self.end = Some(Err(refusal));
                        break;
                    }
                };
            }
            if used == 0 {
                break;
            }
        }
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sent)
    }
}

/// Carries everything between the two until nothing more comes, in pieces of `piece` bytes.
pub(super) fn talk(client: &mut Connecting, server: &mut Serving, piece: usize) {
    loop {
        let (up, down) = (client.take(), server.take());
        if up.is_empty() && down.is_empty() {
            return;
        }
        up.chunks(piece).for_each(|piece| server.feed(piece));
        down.chunks(piece).for_each(|piece| client.feed(piece));
    }
}

pub(super) fn protocols() -> Vec<Protocol> {
    let python = Multiprocessing::default();
    vec![
        Protocol::Article { digest: Hash::Md5 },
        Protocol::Article { digest: Hash::Sha512 },
        Protocol::Multiprocessing(python),
        Protocol::Multiprocessing(Multiprocessing { digest: PythonDigest::Sha3_384, ..python }),
        Protocol::Multiprocessing(Multiprocessing { allow_md5: true, old_challenge: true, ..python }),
        Protocol::Scram(scram::Rules::sha256()),
        Protocol::CramMd5,
        Protocol::CountersignV1,
    ]
}

#[test]
fn both_ends_agree_in_pieces_of_any_size_and_what_follows_is_the_services() {
    for protocol in protocols() {
        for piece in [1, 2, 7, 10_000] {
            let mut client = Connecting::begin(protocol, &identity("alice", SECRET), 1, None);
            let mut server = Serving::begin(protocol, known("alice", SECRET), 2, None);
            talk(&mut client, &mut server, piece);
            assert_eq!(client.end, Some(Ok(())), "{protocol:?} in pieces of {piece}");
            assert_eq!(server.end, Some(Ok(Some("alice".to_owned()))), "{protocol:?}");
            assert!(client.waiting.is_empty() && server.waiting.is_empty());
        }
    }
}

/// All that a client says to a server whose nonce is of `fill`s.
fn said(protocol: Protocol, fill: u8) -> Vec<u8> {
    let mut client = Connecting::begin(protocol, &identity("alice", SECRET), 1, None);
    let mut server = Serving::begin(protocol, known("alice", SECRET), fill, None);
    let mut said = Vec::new();
    while server.end.is_none() {
        let piece = client.take();
        server.feed(&piece);
        said.extend_from_slice(&piece);
        client.feed(&server.take());
    }
    said
}

#[test]
fn data_right_behind_the_last_answer_is_not_touched() {
    for protocol in protocols() {
        let mut all = said(protocol, 2);
        all.extend_from_slice(b"and then the service's");
        let mut server = Serving::begin(protocol, known("alice", SECRET), 2, None);
        server.feed(&all);
        assert!(server.end.is_some_and(|end| end.is_ok()), "{protocol:?}");
        assert_eq!(server.waiting, b"and then the service's", "{protocol:?}");
    }
}

#[test]
fn attack_39_a_wrong_key_and_an_unknown_id_get_the_same_bytes() {
    for protocol in protocols() {
        let mut sent = Vec::new();
        for (keys, why) in
            [(known("alice", b"another secret"), Refusal::AnswerWrong), (keys([]), Refusal::KeyUnknown)]
        {
            let mut client = Connecting::begin(protocol, &identity("alice", SECRET), 1, None);
            let mut server = Serving::begin(protocol, keys, 2, None);
            let mut all = Vec::new();
            for _ in 0..4 {
                server.feed(&client.take());
                all.extend_from_slice(&server.sent);
                client.feed(&server.take());
            }
            assert_eq!(server.end, Some(Err(why)), "{protocol:?}");
            if protocol.is_mutual() {
                assert_eq!(client.end, None, "{protocol:?}: nothing tells it yet");
                client.feed(protocol.parting());
                assert_eq!(client.end, Some(Err(Refusal::RefusedByPeer)), "{protocol:?}");
            }
            sent.push(all);
        }
        assert_eq!(sent[0], sent[1], "{protocol:?}");
    }
}

#[test]
fn attack_39_an_answer_recorded_or_relayed_from_another_session_is_refused() {
    for protocol in protocols() {
        // What a genuine client said to one session is of no use in another, which has another nonce.
        let mut second = Serving::begin(protocol, known("alice", SECRET), 3, None);
        second.feed(&said(protocol, 2));
        assert_eq!(second.end, Some(Err(Refusal::AnswerWrong)), "{protocol:?}");
    }
}

#[test]
fn attack_39_what_the_server_says_is_no_answer_to_it() {
    for protocol in protocols() {
        let mut server = Serving::begin(protocol, known("alice", SECRET), 2, None);
        let mut said = server.take();
        if said.is_empty() {
            // It speaks second: its own greeting, or a client's, comes back.
            let mut client = Connecting::begin(protocol, &identity("alice", SECRET), 1, None);
            server.feed(&client.take());
            said = server.take();
        }
        server.feed(&said);
        server.feed(&said);
        let refusal = server.end.unwrap_or_else(|| panic!("{protocol:?} waits on")).unwrap_err();
        assert!(
            matches!(refusal, Refusal::AnswerWrong | Refusal::FrameMalformed | Refusal::DigestRefused | Refusal::Md5),
            "{protocol:?}: {refusal}"
        );
    }
}

#[test]
fn attack_39_a_handshake_cut_anywhere_admits_nobody() {
    for protocol in protocols() {
        let mut client = Connecting::begin(protocol, &identity("alice", SECRET), 1, None);
        let mut server = Serving::begin(protocol, known("alice", SECRET), 2, None);
        let mut all = Vec::new();
        while server.end.is_none() {
            for byte in client.take() {
                assert!(server.end.is_none(), "{protocol:?}: admitted after {} bytes, too early", all.len());
                server.feed(&[byte]);
                all.push(byte);
            }
            client.feed(&server.take());
        }
        // The same bytes with one changed are refused, or wait for more: all that a proof covers, and the proof. What a
        // client asks the server in `multiprocessing` comes after its own.
        let proved = if matches!(protocol, Protocol::Multiprocessing(_)) { 4 + 16 } else { all.len() };
        for at in 0..proved {
            let mut changed = all.clone();
            changed[at] ^= 1;
            let mut server = Serving::begin(protocol, known("alice", SECRET), 2, None);
            server.feed(&changed);
            assert!(!matches!(server.end, Some(Ok(_))), "{protocol:?}: byte {at} of {} does not count", all.len());
        }
    }
}

#[test]
fn an_oversized_frame_is_refused_before_it_has_come() {
    for (protocol, wire) in [
        (Protocol::Multiprocessing(Multiprocessing::default()), vec![0, 0, 1, 1]),
        (Protocol::Multiprocessing(Multiprocessing::default()), vec![0x7f, 0xff, 0xff, 0xff]),
        (Protocol::Multiprocessing(Multiprocessing::default()), vec![0xff, 0xff, 0xff, 0xff]),
        (Protocol::CountersignV1, vec![0xff, 0xff]),
        (Protocol::Scram(scram::Rules::sha256()), vec![b'a'; 2048]),
        (Protocol::CramMd5, vec![b'a'; 2048]),
    ] {
        let mut server = Serving::begin(protocol, known("alice", SECRET), 2, None);
        server.feed(&wire);
        assert_eq!(server.end, Some(Err(Refusal::FrameLong)), "{protocol:?}");
        // A client that begins is not asked by anybody yet, and refuses as well.
        let mut client = Connecting::begin(protocol, &identity("alice", SECRET), 1, None);
        client.feed(&wire);
        assert_eq!(client.end, Some(Err(Refusal::FrameLong)), "{protocol:?}");
    }
}

#[test]
fn codes_are_told_apart() {
    let mut codes: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), count);
}

proptest! {
    /// No bytes make an end panic, use more than it was given, or admit anybody.
    #[test]
    fn any_bytes_are_refused_or_waited_for(
        which in 0..8_usize,
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..4),
    ) {
        let protocol = protocols()[which];
        let mut server = Serving::begin(protocol, known("alice", SECRET), 2, None);
        let mut client = Connecting::begin(protocol, &identity("alice", SECRET), 1, None);
        for piece in &pieces {
            server.feed(piece);
            client.feed(piece);
        }
        prop_assert!(!matches!(server.end, Some(Ok(_))));
        prop_assert!(!(protocol.is_mutual() && client.end == Some(Ok(()))));
    }
}

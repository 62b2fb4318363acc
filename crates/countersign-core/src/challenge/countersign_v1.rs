//! `countersign-v1`: both ends prove that they hold the key, and that they mean each other.
//!
//! ```text
//! client                                     server
//! HELLO  version, client id, server id, nonce ─►
//!                           ◄─ HELLO  version, server id, nonce
//! PROOF  HMAC(client's key, "client" ‖ transcript) ─►
//!                           ◄─ PROOF  HMAC(server's key, "server" ‖ transcript)
//! ```
//!
//! A frame is its length (two bytes, most significant first), its kind (one byte, which the length counts) and its
//! content. The transcript is everything in both HELLOs, as sent, and the channel binding, each part with its length
//! before it; a proof is over the role and the transcript. The keys are derived for this purpose and this id alone.
//!
//! The client proves first, so that nobody without a key gets a proof to guess a weak secret from; and the server's
//! HELLO is the same whether it knows the id or not. Where the server has no key of its own, its id is the client's and
//! it proves that it knows the client's key.
//!
//! docs/gate.md has the states; the model that is checked is `tests/countersign_v1_model.rs`.

use super::candidates::Candidates;
use super::{
    Admitted, Binding, ClientIdentity, ClientTurn, Judging as AnyJudging, NeedsKeys, Nonce, Refusal, ServerTurn,
};
use crate::alg::{Digest, Hash, Hasher, MacKey, ct_eq, hkdf};
use crate::key::Secret;
use zeroize::Zeroizing;

const LABEL: &[u8] = b"countersign-gate-v1";
const VERSION: u8 = 1;
const HELLO: u8 = 1;
const PROOF: u8 = 2;
const REFUSED: u8 = 3;
pub(super) const REFUSED_FRAME: &[u8] = &[0, 1, REFUSED];
/// Bytes of a nonce, and of a proof.
const NONCE: usize = 32;
const TAG: usize = 32;
/// Bytes of a key id.
const LONGEST_ID: usize = 256;
/// Bytes of a frame without its length: a HELLO with two of the longest ids.
const LONGEST: usize = 1 + 1 + 2 * (2 + LONGEST_ID) + NONCE;

/// How many bytes a frame has, its kind and its content.
type Frame<'a> = (usize, u8, &'a [u8]);

/// The first frame.
fn frame(input: &[u8]) -> Result<Option<Frame<'_>>, Refusal> {
    let Some((length, rest)) = input.split_first_chunk() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes(*length));
    if length > LONGEST {
        return Err(Refusal::FrameLong);
    }
    if length == 0 {
        return Err(Refusal::FrameMalformed);
    }
    let Some((kind, content)) = rest.get(..length).and_then(<[u8]>::split_first) else { return Ok(None) };
    Ok(Some((length.saturating_add(2), *kind, content)))
}

/// The content of a frame that has to be of a kind.
fn expect(found: u8, content: &[u8], kind: u8) -> Result<&[u8], Refusal> {
    match found {
        _ if found == kind => Ok(content),
        REFUSED if content.is_empty() => Err(Refusal::RefusedByPeer),
        _ => Err(Refusal::FrameMalformed),
    }
}

fn write(kind: u8, content: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(content.len().saturating_add(1)).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.push(kind);
    out.extend_from_slice(content);
}

/// A HELLO's content: the version, key ids with their lengths, and the nonce to its end.
fn hello(ids: &[&str], nonce: &[u8; NONCE]) -> Vec<u8> {
    let mut content = vec![VERSION];
    for id in ids {
        content.extend_from_slice(&u16::try_from(id.len()).unwrap_or(u16::MAX).to_be_bytes());
        content.extend_from_slice(id.as_bytes());
    }
    content.extend_from_slice(nonce);
    content
}

/// The key ids of a HELLO, which has exactly so many.
fn read_hello<const IDS: usize>(content: &[u8]) -> Result<[&str; IDS], Refusal> {
    let (version, mut rest) = content.split_first().ok_or(Refusal::FrameMalformed)?;
    if *version != VERSION {
        return Err(Refusal::VersionUnknown);
    }
    let mut ids = [""; IDS];
    for slot in &mut ids {
        let (length, after) = rest.split_first_chunk().ok_or(Refusal::FrameMalformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (id, after) = after.split_at_checked(length).ok_or(Refusal::FrameMalformed)?;
        let id = str::from_utf8(id).map_err(|_| Refusal::FrameMalformed)?;
        *slot = valid_id(id).ok_or(Refusal::FrameMalformed)?;
        rest = after;
    }
    if rest.len() == NONCE { Ok(ids) } else { Err(Refusal::FrameMalformed) }
}

/// A key id that a key store can have.
fn valid_id(id: &str) -> Option<&str> {
    (!id.is_empty() && id.len() <= LONGEST_ID && !id.chars().any(char::is_control)).then_some(id)
}

/// Which end a proof is from.
#[derive(Debug, Clone, Copy)]
enum Role {
    Client,
    Server,
}

/// What a proof is over: both HELLOs and the binding, hashed.
fn transcript(client_hello: &[u8], server_hello: &[u8], binding: Option<&Binding>) -> Digest {
    let mut hasher = Hash::Sha256.begin();
    let (kind, data): (&[u8], &[u8]) = binding.map_or((b"", b""), |binding| (binding.kind.as_bytes(), &binding.data));
    for part in [LABEL, client_hello, server_hello, kind, data] {
        add(&mut hasher, part);
    }
    hasher.finish()
}

fn add(hasher: &mut Hasher, part: &[u8]) {
    hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    hasher.update(part);
}

/// The proof that the end in this role makes with the key of this id.
fn proof(role: Role, id: &str, secret: &[u8], transcript: &Digest) -> Digest {
    let mut info = Vec::new();
    for part in [LABEL, id.as_bytes()] {
        info.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        info.extend_from_slice(part);
    }
    let mut key = Zeroizing::new(Vec::with_capacity(TAG));
    hkdf(Hash::Sha256, secret, b"", &info, TAG, &mut key);
    let mut mac = MacKey::new(Hash::Sha256, &key).begin();
    // Both have six letters, so what follows begins at one place.
    mac.update(match role {
        Role::Client => b"client",
        Role::Server => b"server",
    });
    mac.update(transcript.as_bytes());
    mac.finish()
}

#[derive(Debug)]
pub(super) struct Server {
    own: Option<(String, Secret)>,
    nonce: [u8; NONCE],
    binding: Option<Binding>,
    state: ServerState,
}

#[derive(Debug)]
enum ServerState {
    Begun,
    /// Has said hello.
    Greeted {
        client: String,
        server: String,
        transcript: Digest,
    },
}

impl Server {
    pub(super) fn begin(own: Option<(String, Secret)>, nonce: &Nonce, binding: Option<Binding>) -> Self {
        Self { own, nonce: nonce.head(), binding, state: ServerState::Begun }
    }

    pub(super) fn step(mut self, input: &[u8], out: &mut Vec<u8>) -> (usize, ServerTurn) {
        let (used, kind, content) = match frame(input) {
            Ok(Some(frame)) => frame,
            Ok(None) => return (0, self.wait()),
            Err(refusal) => return (0, ServerTurn::Refused(refusal)),
        };
        let turn = match self.state {
            ServerState::Begun => match self.greet(kind, content, out) {
                Ok(state) => {
                    self.state = state;
                    self.wait()
                }
                Err(refusal) => ServerTurn::Refused(refusal),
            },
            ServerState::Greeted { client, server, transcript } => match expect(kind, content, PROOF) {
                Ok(claimed) if claimed.len() == TAG => {
                    let claimed = claimed.into();
                    let judging = Judging { own: self.own, client: client.clone(), server, transcript, claimed };
                    ServerTurn::NeedsKeys(NeedsKeys {
                        claimed: Some(client),
                        state: AnyJudging::CountersignV1(judging),
                    })
                }
                Ok(_) => ServerTurn::Refused(Refusal::FrameMalformed),
                Err(refusal) => ServerTurn::Refused(refusal),
            },
        };
        (used, turn)
    }

    fn greet(&self, kind: u8, content: &[u8], out: &mut Vec<u8>) -> Result<ServerState, Refusal> {
        let client_hello = expect(kind, content, HELLO)?;
        // Whom the client wants is in the transcript; whether it gets it, the client judges.
        let [client, _] = read_hello(client_hello)?;
        let server = self.own.as_ref().map_or(client, |(id, _)| id).to_owned();
        let server_hello = hello(&[&server], &self.nonce);
        write(HELLO, &server_hello, out);
        let transcript = transcript(client_hello, &server_hello, self.binding.as_ref());
        Ok(ServerState::Greeted { client: client.to_owned(), server, transcript })
    }

    fn wait(self) -> ServerTurn {
        ServerTurn::Wait(super::Server(super::ServerState::CountersignV1(self)))
    }
}

#[derive(Debug)]
pub(super) struct Judging {
    own: Option<(String, Secret)>,
    client: String,
    server: String,
    transcript: Digest,
    claimed: Box<[u8]>,
}

impl Judging {
    pub(super) fn keys(self, keys: &Candidates, out: &mut Vec<u8>) -> ServerTurn {
        let Self { own, client, server, transcript, claimed } = self;
        let holds = |secret: &[u8]| ct_eq(proof(Role::Client, &client, secret, &transcript).as_bytes(), &claimed);
        let key = match keys.find(holds) {
            Ok(key) => key,
            Err(refusal) => return ServerTurn::Refused(refusal),
        };
        let secret = own.as_ref().map(|(_, secret)| secret.expose()).or_else(|| super::candidates::secret(key));
        let Some(secret) = secret else { return ServerTurn::Refused(Refusal::KeyNotFitting) };
        write(PROOF, proof(Role::Server, &server, secret, &transcript).as_bytes(), out);
        ServerTurn::Admitted(Admitted::by(key, Some(client)))
    }
}

#[derive(Debug)]
pub(super) struct Client {
    id: String,
    secret: Secret,
    server: Option<(String, Secret)>,
    hello: Vec<u8>,
    binding: Option<Binding>,
    /// Once both have said hello.
    transcript: Option<Digest>,
}

impl Client {
    pub(super) fn begin(
        identity: &ClientIdentity,
        nonce: &Nonce,
        binding: Option<Binding>,
        out: &mut Vec<u8>,
    ) -> Result<Self, Refusal> {
        let id = valid_id(&identity.key_id).ok_or(Refusal::KeyUnknown)?;
        let server = identity.server.as_ref().map_or(id, |(id, _)| id);
        let server = valid_id(server).ok_or(Refusal::KeyUnknown)?;
        let hello = hello(&[id, server], &nonce.head());
        write(HELLO, &hello, out);
        let (secret, server) = (identity.secret.clone(), identity.server.clone());
        Ok(Self { id: id.to_owned(), secret, server, hello, binding, transcript: None })
    }

    pub(super) fn step(mut self, input: &[u8], out: &mut Vec<u8>) -> (usize, ClientTurn) {
        let (used, kind, content) = match frame(input) {
            Ok(Some(frame)) => frame,
            Ok(None) => return (0, self.wait()),
            Err(refusal) => return (0, ClientTurn::Refused(refusal)),
        };
        let done = match &self.transcript {
            None => self.prove(kind, content, out).map(Some),
            Some(transcript) => self.judge(kind, content, transcript).map(|()| None),
        };
        let turn = match done {
            Ok(None) => ClientTurn::Admitted,
            Ok(transcript) => {
                self.transcript = transcript;
                self.wait()
            }
            Err(refusal) => ClientTurn::Refused(refusal),
        };
        (used, turn)
    }

    fn prove(&self, kind: u8, content: &[u8], out: &mut Vec<u8>) -> Result<Digest, Refusal> {
        let server_hello = expect(kind, content, HELLO)?;
        let [server] = read_hello(server_hello)?;
        if server != self.server_id() {
            return Err(Refusal::KeyUnknown);
        }
        let transcript = transcript(&self.hello, server_hello, self.binding.as_ref());
        write(PROOF, proof(Role::Client, &self.id, self.secret.expose(), &transcript).as_bytes(), out);
        Ok(transcript)
    }

    fn judge(&self, kind: u8, content: &[u8], transcript: &Digest) -> Result<(), Refusal> {
        let claimed = expect(kind, content, PROOF)?;
        let secret = self.server.as_ref().map_or(&self.secret, |(_, secret)| secret);
        let expected = proof(Role::Server, self.server_id(), secret.expose(), transcript);
        if ct_eq(expected.as_bytes(), claimed) { Ok(()) } else { Err(Refusal::AnswerWrong) }
    }

    fn server_id(&self) -> &str {
        self.server.as_ref().map_or(&self.id, |(id, _)| id)
    }

    fn wait(self) -> ClientTurn {
        ClientTurn::Wait(super::Client(super::ClientState::CountersignV1(self)))
    }
}

#[cfg(test)]
#[path = "countersign_v1_tests.rs"]
mod tests;

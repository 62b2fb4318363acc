//! What Python's `multiprocessing.connection` says before anything else (`CPython` 3.8 to 3.13, its
//! `connection.py` read 2026-11-29), both directions of its mutual exchange.
//!
//! Each frame is preceded by its length, a signed 32-bit number, most significant byte first. The listener sends
//! `#CHALLENGE#` and a message; the other answers; `#WELCOME#` or `#FAILURE#` follows; then the same the other way round.
//!
//! The new message is `{sha256}` and 40 random bytes, and its answer `{sha256}` and the HMAC of the whole message. The
//! old one is 20 random bytes, and its answer the bare HMAC-MD5. An old peer answers a new message like an old one, so
//! that a new challenge serves both, and whoever accepts that answer can be talked down to MD5: hence `allow_md5`.
//!
//! The protocol names no roles. An end that both listens and connects with one key can be made to answer its own
//! challenge by way of another connection; within a connection that is refused here.

use super::candidates::{Candidates, secret};
use super::{
    Admitted, ClientIdentity, ClientTurn, Judging as AnyJudging, Multiprocessing, NeedsKeys, Nonce, Refusal,
    ServerTurn,
};
use crate::alg::{self, Digest, Hash, MacKey, ct_eq};
use crate::key::Secret;

/// The digests that `CPython` knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PythonDigest {
    /// MD5, which needs `allow_md5`.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA3-256.
    Sha3_256,
    /// SHA3-384.
    Sha3_384,
}

impl PythonDigest {
    /// Every digest.
    pub const ALL: &'static [Self] = &[Self::Md5, Self::Sha256, Self::Sha384, Self::Sha3_256, Self::Sha3_384];

    /// The name, as `hashlib` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha3_256 => "sha3_256",
            Self::Sha3_384 => "sha3_384",
        }
    }

    pub(super) const fn algorithm(self) -> &'static str {
        match self {
            Self::Md5 => "hmac-md5",
            Self::Sha256 => "hmac-sha256",
            Self::Sha384 => "hmac-sha384",
            Self::Sha3_256 => "hmac-sha3_256",
            Self::Sha3_384 => "hmac-sha3_384",
        }
    }

    fn mac(self, secret: &[u8], message: &[u8]) -> Digest {
        match self {
            Self::Md5 => MacKey::new(Hash::Md5, secret).mac(message),
            Self::Sha256 => MacKey::new(Hash::Sha256, secret).mac(message),
            Self::Sha384 => MacKey::new(Hash::Sha384, secret).mac(message),
            Self::Sha3_256 => alg::hmac_sha3_256(secret, message),
            Self::Sha3_384 => alg::hmac_sha3_384(secret, message),
        }
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|digest| digest.name().as_bytes() == name)
    }
}

/// The longest frame, in bytes: what `CPython` itself accepts here.
const LONGEST: usize = 256;
const CHALLENGE: &[u8] = b"#CHALLENGE#";
const WELCOME: &[u8] = b"#WELCOME#";
const FAILURE: &[u8] = b"#FAILURE#";
pub(super) const FAILURE_FRAME: &[u8] = b"\0\0\0\x09#FAILURE#";
/// Bytes of an old message, and of an HMAC-MD5: `CPython` takes either for an old peer's.
const OLD_MESSAGE: usize = 20;
const OLD_ANSWER: usize = 16;
/// Bytes: fewer are no challenge, to `CPython` neither.
const SHORTEST_MESSAGE: usize = 20;

/// The first frame's content, and how many bytes it has with its length.
fn frame(input: &[u8]) -> Result<Option<(usize, &[u8])>, Refusal> {
    let Some((length, rest)) = input.split_first_chunk() else { return Ok(None) };
    // A negative one announces a length of eight bytes.
    let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| Refusal::FrameLong)?;
    if length > LONGEST {
        return Err(Refusal::FrameLong);
    }
    Ok(rest.get(..length).map(|content| (length.saturating_add(4), content)))
}

fn write(parts: &[&[u8]], out: &mut Vec<u8>) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(&i32::try_from(length).unwrap_or(i32::MAX).to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// What this end asks.
#[derive(Debug)]
struct Question {
    rules: Multiprocessing,
    message: Vec<u8>,
}

impl Question {
    fn new(rules: Multiprocessing, nonce: &Nonce) -> Self {
        let mut message = Vec::new();
        if rules.old_challenge {
            message.extend_from_slice(&nonce.head::<OLD_MESSAGE>());
        } else {
            for part in [b"{", rules.digest.name().as_bytes(), b"}", &nonce.0] {
                message.extend_from_slice(part);
            }
        }
        Self { rules, message }
    }

    fn ask(&self, out: &mut Vec<u8>) {
        write(&[CHALLENGE, &self.message], out);
    }

    /// Which digest an answer was made with, and its HMAC.
    fn read<'a>(&self, answer: &'a [u8]) -> Result<(PythonDigest, &'a [u8]), Refusal> {
        if answer.len() == OLD_ANSWER || answer.len() == OLD_MESSAGE {
            return if self.rules.allow_md5 { Ok((PythonDigest::Md5, answer)) } else { Err(Refusal::Md5) };
        }
        let (digest, mac) = named(answer)?;
        // The one that was asked for, and no other.
        if self.rules.old_challenge || digest != self.rules.digest {
            return Err(Refusal::DigestRefused);
        }
        allowed(self.rules, digest)?;
        Ok((digest, mac))
    }

    /// Whether a secret makes an answer. The work is the same for every answer that is wrong.
    fn holds(&self, answer: &[u8], secret: &[u8]) -> bool {
        let (digest, mac) = self.read(answer).unwrap_or((self.rules.digest, &[]));
        ct_eq(digest.mac(secret, &self.message).as_bytes(), mac)
    }
}

/// `{sha256}` and what follows it.
fn named(message: &[u8]) -> Result<(PythonDigest, &[u8]), Refusal> {
    let inner = message.strip_prefix(b"{").ok_or(Refusal::FrameMalformed)?;
    let end = inner.iter().position(|byte| *byte == b'}').ok_or(Refusal::FrameMalformed)?;
    let (name, rest) = inner.split_at_checked(end).ok_or(Refusal::FrameMalformed)?;
    let digest = PythonDigest::from_name(name).ok_or(Refusal::DigestRefused)?;
    Ok((digest, rest.strip_prefix(b"}").unwrap_or_default()))
}

fn allowed(rules: Multiprocessing, digest: PythonDigest) -> Result<(), Refusal> {
    if digest == PythonDigest::Md5 && !rules.allow_md5 { Err(Refusal::Md5) } else { Ok(()) }
}

/// Answers the peer's challenge, which is not `own`.
fn answer(
    rules: Multiprocessing,
    content: &[u8],
    own: &[u8],
    secret: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let message = content.strip_prefix(CHALLENGE).ok_or(Refusal::FrameMalformed)?;
    if message == own {
        return Err(Refusal::ChallengeReflected);
    }
    if message.len() < SHORTEST_MESSAGE {
        return Err(Refusal::ChallengeShort);
    }
    if message.len() == OLD_MESSAGE {
        allowed(rules, PythonDigest::Md5)?;
        write(&[PythonDigest::Md5.mac(secret, message).as_bytes()], out);
        return Ok(());
    }
    let (digest, _) = named(message)?;
    allowed(rules, digest)?;
    write(&[b"{", digest.name().as_bytes(), b"}", digest.mac(secret, message).as_bytes()], out);
    Ok(())
}

#[derive(Debug)]
pub(super) struct Server {
    question: Question,
    state: ServerState,
}

#[derive(Debug)]
enum ServerState {
    /// Has asked.
    Asked,
    /// Has welcomed, and waits to be asked.
    Welcomed { secret: Secret, admitted: Admitted },
    /// Has answered.
    Answered { admitted: Admitted },
}

impl Server {
    pub(super) fn begin(rules: Multiprocessing, nonce: &Nonce, out: &mut Vec<u8>) -> Self {
        let question = Question::new(rules, nonce);
        question.ask(out);
        Self { question, state: ServerState::Asked }
    }

    pub(super) fn step(self, input: &[u8], out: &mut Vec<u8>) -> (usize, ServerTurn) {
        let Self { question, state } = self;
        let (used, content) = match frame(input) {
            Ok(Some(frame)) => frame,
            Ok(None) => return (0, Self { question, state }.wait()),
            Err(refusal) => return (0, ServerTurn::Refused(refusal)),
        };
        let turn = match state {
            ServerState::Asked => ServerTurn::NeedsKeys(NeedsKeys {
                claimed: None,
                state: AnyJudging::Multiprocessing(Judging { question, answer: content.into() }),
            }),
            ServerState::Welcomed { secret, admitted } => {
                match answer(question.rules, content, &question.message, secret.expose(), out) {
                    Ok(()) => Self { question, state: ServerState::Answered { admitted } }.wait(),
                    Err(refusal) => ServerTurn::Refused(refusal),
                }
            }
            ServerState::Answered { admitted } if content == WELCOME => ServerTurn::Admitted(admitted),
            ServerState::Answered { .. } => ServerTurn::Refused(verdict(content)),
        };
        (used, turn)
    }

    fn wait(self) -> ServerTurn {
        ServerTurn::Wait(super::Server(super::ServerState::Multiprocessing(self)))
    }
}

#[derive(Debug)]
pub(super) struct Judging {
    question: Question,
    answer: Box<[u8]>,
}

impl Judging {
    pub(super) fn keys(self, keys: &Candidates, out: &mut Vec<u8>) -> ServerTurn {
        let Self { question, answer } = self;
        let found = keys.find(|secret| question.holds(&answer, secret));
        let (key, secret) = match found.map(|key| (key, secret(key))) {
            Ok((key, Some(secret))) => (key, secret),
            // What is wrong with the answer itself says more.
            Err(Refusal::AnswerWrong) => {
                return ServerTurn::Refused(question.read(&answer).err().unwrap_or(Refusal::AnswerWrong));
            }
            Err(refusal) => return ServerTurn::Refused(refusal),
            Ok((_, None)) => return ServerTurn::Refused(Refusal::KeyNotFitting),
        };
        write(&[WELCOME], out);
        let admitted = Admitted::by(key, key.id.clone());
        let state = ServerState::Welcomed { secret: Secret::new(secret), admitted };
        Server { question, state }.wait()
    }
}

#[derive(Debug)]
pub(super) struct Client {
    question: Question,
    secret: Secret,
    state: ClientState,
}

#[derive(Debug, Clone, Copy)]
enum ClientState {
    /// Waits to be asked.
    Begun,
    /// Has answered.
    Answered,
    /// Has asked.
    Asked,
}

impl Client {
    pub(super) fn begin(rules: Multiprocessing, identity: &ClientIdentity, nonce: &Nonce) -> Self {
        let question = Question::new(rules, nonce);
        Self { question, secret: identity.secret.clone(), state: ClientState::Begun }
    }

    pub(super) fn step(mut self, input: &[u8], out: &mut Vec<u8>) -> (usize, ClientTurn) {
        let (used, content) = match frame(input) {
            Ok(Some(frame)) => frame,
            Ok(None) => return (0, self.wait()),
            Err(refusal) => return (0, ClientTurn::Refused(refusal)),
        };
        let turn = match self.state {
            ClientState::Begun => {
                let question = &self.question;
                match answer(question.rules, content, &question.message, self.secret.expose(), out) {
                    Ok(()) => {
                        self.state = ClientState::Answered;
                        self.wait()
                    }
                    Err(refusal) => ClientTurn::Refused(refusal),
                }
            }
            ClientState::Answered if content == WELCOME => {
                self.question.ask(out);
                self.state = ClientState::Asked;
                self.wait()
            }
            ClientState::Answered => ClientTurn::Refused(verdict(content)),
            ClientState::Asked if self.question.holds(content, self.secret.expose()) => {
                write(&[WELCOME], out);
                ClientTurn::Admitted
            }
            ClientState::Asked => {
                let why = self.question.read(content).err().unwrap_or(Refusal::AnswerWrong);
                write(&[FAILURE], out);
                ClientTurn::Refused(why)
            }
        };
        (used, turn)
    }

    fn wait(self) -> ClientTurn {
        ClientTurn::Wait(super::Client(super::ClientState::Multiprocessing(self)))
    }
}

/// What a frame in the place of `#WELCOME#` says.
fn verdict(content: &[u8]) -> Refusal {
    if content == FAILURE { Refusal::RefusedByPeer } else { Refusal::FrameMalformed }
}

#[cfg(test)]
#[path = "multiprocessing_tests.rs"]
mod tests;

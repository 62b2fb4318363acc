//! Challenge and response over a byte stream: handshakes as bytes in, bytes out.
//!
//! ```text
//! Server::begin ─► Wait ─► NeedsKeys ─► Admitted          Client::begin ─► Wait ─► Admitted
//!                   │          └─► Wait …                                   └─► NeedsPassword ─► Wait …
//!                   └─► Refused                                             └─► Refused
//! ```
//!
//! An end is given all bytes that have come and not been used yet, says how many of them it has used, appends what is to
//! be sent, and is consumed by it: it can only be left forwards. What it has not used after [`ServerTurn::Admitted`]
//! belongs to the service.
//!
//! Invariants:
//!
//! * A frame's length is judged before its content is waited for. Nothing here keeps bytes, so who calls decides how
//!   many may wait.
//! * Whatever is wrong, the peer gets the same [`Protocol::parting`] and the connection closes. The [`Refusal`] is for
//!   the log.
//! * An unknown key id costs the same work as a wrong answer.
//!
//! Deliberately absent: sockets, clocks, deadlines, randomness. Nonces come in as arguments, and the time with the keys.

mod article;
mod candidates;
mod countersign_v1;
mod cram_md5;
mod line;
mod multiprocessing;
mod refusal;
pub mod scram;

use std::fmt;
use std::sync::Arc;

pub use candidates::Candidates;
pub use multiprocessing::PythonDigest;
pub use refusal::Refusal;

use crate::alg::Hash;
use crate::key::{Key, Secret};
use crate::tally::Tally;
use crate::time::UnixTime;

/// A handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// The server sends 32 bytes, the client answers with their HMAC; whatever follows is the service's. Only the client
    /// proves something.
    Article {
        /// The digest of the HMAC: it says how long the answer is.
        digest: Hash,
    },
    /// Python's `multiprocessing.connection`: both prove that they know the key, in frames with their lengths.
    Multiprocessing(Multiprocessing),
    /// SCRAM, RFC 5802 and RFC 7677, with and without channel binding; messages as lines of base64.
    Scram(scram::Rules),
    /// CRAM-MD5, RFC 2195; messages as lines of base64. Only the client proves something.
    CramMd5,
    /// Our own: both prove that they know the key, and that they mean each other, this version and this TLS connection.
    CountersignV1,
}

/// How `multiprocessing` is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Multiprocessing {
    /// The digest that this end asks for. Default: SHA-256.
    pub digest: PythonDigest,
    /// Whether answers by HMAC-MD5 are given and accepted: all that `CPython` before 3.12 knows. Default: no.
    pub allow_md5: bool,
    /// Whether this end's challenge is that of `CPython` before 3.12: 20 bytes, no digest named. Later ones answer it by
    /// HMAC-MD5, and earlier ones do not need it: they answer the new one. Default: no.
    pub old_challenge: bool,
}

impl Default for Multiprocessing {
    fn default() -> Self {
        Self { digest: PythonDigest::Sha256, allow_md5: false, old_challenge: false }
    }
}

impl Protocol {
    /// The name on the command line, in logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Article { .. } => "article",
            Self::Multiprocessing(_) => "multiprocessing",
            Self::Scram(_) => "scram-sha-256",
            Self::CramMd5 => "cram-md5",
            Self::CountersignV1 => "countersign-v1",
        }
    }

    /// What a refused client is sent before the connection closes, whatever the reason.
    #[must_use]
    pub const fn parting(&self) -> &'static [u8] {
        match self {
            Self::Article { .. } | Self::CramMd5 => b"",
            Self::Multiprocessing(_) => multiprocessing::FAILURE_FRAME,
            Self::Scram(_) => scram::FAILURE_LINE,
            Self::CountersignV1 => countersign_v1::REFUSED_FRAME,
        }
    }

    /// Whether the client names a key.
    #[must_use]
    pub const fn names_key(&self) -> bool {
        matches!(self, Self::Scram(_) | Self::CramMd5 | Self::CountersignV1)
    }

    /// Whether the client learns that the server knows the key too.
    #[must_use]
    pub const fn is_mutual(&self) -> bool {
        !matches!(self, Self::Article { .. } | Self::CramMd5)
    }

    /// The algorithm that a key must not exclude, by its name in key records.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Article { digest } => hmac_name(*digest),
            Self::Multiprocessing(rules) => rules.digest.algorithm(),
            Self::Scram(_) | Self::CountersignV1 => "hmac-sha256",
            Self::CramMd5 => "hmac-md5",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const fn hmac_name(hash: Hash) -> &'static str {
    match hash {
        Hash::Md5 => "hmac-md5",
        Hash::Sha1 => "hmac-sha1",
        Hash::Sha256 => "hmac-sha256",
        Hash::Sha384 => "hmac-sha384",
        Hash::Sha512 => "hmac-sha512",
        Hash::Sm3 => "hmac-sm3",
    }
}

/// Random bytes for one handshake, drawn by the caller and never used again. Each protocol takes as many as it sends.
#[derive(Clone, Copy)]
pub struct Nonce(pub [u8; Nonce::LEN]);

impl Nonce {
    /// Bytes: what the longest challenge has.
    pub const LEN: usize = 40;

    fn head<const N: usize>(&self) -> [u8; N] {
        const { assert!(N <= Self::LEN) };
        self.0.first_chunk().copied().unwrap_or([0; N])
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

/// What ties a handshake to the TLS connection it runs in: RFC 9266's `tls-exporter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The channel binding's registered name, as in `tls-exporter`.
    pub kind: &'static str,
    /// Its data.
    pub data: Box<[u8]>,
}

impl Binding {
    /// Binds to what both ends of a TLS connection export under [`Binding::EXPORTER_LABEL`], with an empty context.
    #[must_use]
    pub fn tls_exporter(data: [u8; 32]) -> Self {
        Self { kind: "tls-exporter", data: data.into() }
    }

    /// The label of RFC 9266.
    pub const EXPORTER_LABEL: &'static [u8] = b"EXPORTER-Channel-Binding";
}

/// A peer that has proved what its protocol asks for.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Whose key it was: the id that was claimed or, where the protocol carries none, that of the key's record.
    pub key_id: Option<String>,
    tally: Option<Arc<Tally>>,
}

impl Admitted {
    fn by(key: &Key, key_id: Option<String>) -> Self {
        Self { key_id, tally: key.tally().cloned() }
    }

    /// Counts a use of the key that the peer has proved to have, if a store counts them.
    pub fn count_use(&self, now: UnixTime) {
        if let Some(tally) = &self.tally {
            tally.count(now);
        }
    }
}

/// What comes of the bytes that a server was given.
#[derive(Debug)]
pub enum ServerTurn {
    /// It needs more than it has.
    Wait(Server),
    /// It needs the keys of an id.
    NeedsKeys(NeedsKeys),
    /// It needs what a SCRAM server keeps of the passwords of an id.
    NeedsCredential(scram::NeedsCredential),
    /// The handshake holds. What was not used is the service's.
    Admitted(Admitted),
    /// It does not hold: the parting, and nothing else.
    Refused(Refusal),
}

/// The server's end.
#[derive(Debug)]
pub struct Server(ServerState);

#[derive(Debug)]
enum ServerState {
    Article(article::Server),
    Multiprocessing(multiprocessing::Server),
    Scram(scram::Server),
    CramMd5(cram_md5::Server),
    CountersignV1(countersign_v1::Server),
}

/// What a server is besides its protocol.
#[derive(Debug, Clone, Default)]
pub struct ServerIdentity {
    /// The server's own key under `countersign-v1`. `None`: it proves that it knows the client's.
    pub own: Option<(String, Secret)>,
}

impl Server {
    /// Begins, and appends what is to be sent first.
    #[must_use]
    pub fn begin(
        protocol: Protocol,
        identity: &ServerIdentity,
        nonce: &Nonce,
        binding: Option<Binding>,
        out: &mut Vec<u8>,
    ) -> Self {
        Self(match protocol {
            Protocol::Article { digest } => ServerState::Article(article::Server::begin(digest, nonce, out)),
            Protocol::Multiprocessing(rules) => {
                ServerState::Multiprocessing(multiprocessing::Server::begin(rules, nonce, out))
            }
            Protocol::Scram(rules) => ServerState::Scram(scram::Server::begin(rules, nonce, binding)),
            Protocol::CramMd5 => ServerState::CramMd5(cram_md5::Server::begin(nonce, out)),
            Protocol::CountersignV1 => {
                ServerState::CountersignV1(countersign_v1::Server::begin(identity.own.clone(), nonce, binding))
            }
        })
    }

    /// Goes on with what has come; says how much of it was used.
    #[must_use]
    pub fn step(self, input: &[u8], out: &mut Vec<u8>) -> (usize, ServerTurn) {
        match self.0 {
            ServerState::Article(server) => server.step(input),
            ServerState::Multiprocessing(server) => server.step(input, out),
            ServerState::Scram(server) => server.step(input, out),
            ServerState::CramMd5(server) => server.step(input),
            ServerState::CountersignV1(server) => server.step(input, out),
        }
    }
}

/// A server that has an answer, and no key to judge it by.
#[derive(Debug)]
pub struct NeedsKeys {
    /// The key id that the client claims. `None` where the protocol carries none.
    claimed: Option<String>,
    state: Judging,
}

#[derive(Debug)]
enum Judging {
    Article(article::Judging),
    Multiprocessing(multiprocessing::Judging),
    CramMd5(cram_md5::Judging),
    CountersignV1(countersign_v1::Judging),
}

impl NeedsKeys {
    /// The key id that the client claims, unauthenticated; `None` where the protocol carries none.
    #[must_use]
    pub fn claimed_key_id(&self) -> Option<&str> {
        self.claimed.as_deref()
    }

    /// Judges the answer by these keys.
    #[must_use]
    pub fn keys(self, keys: &Candidates, out: &mut Vec<u8>) -> ServerTurn {
        match self.state {
            Judging::Article(judging) => judging.keys(keys),
            Judging::Multiprocessing(judging) => judging.keys(keys, out),
            Judging::CramMd5(judging) => judging.keys(keys, self.claimed),
            Judging::CountersignV1(judging) => judging.keys(keys, out),
        }
    }
}

/// What comes of the bytes that a client was given.
#[derive(Debug)]
pub enum ClientTurn {
    /// It needs more than it has.
    Wait(Client),
    /// It has to derive a key from its password, which takes a while: [`scram::NeedsPassword::derive`].
    NeedsPassword(scram::NeedsPassword),
    /// The handshake holds, as far as a client can tell. What was not used is the service's.
    Admitted,
    /// It does not hold.
    Refused(Refusal),
}

/// The client's end.
#[derive(Debug)]
pub struct Client(ClientState);

#[derive(Debug)]
enum ClientState {
    Article(article::Client),
    Multiprocessing(multiprocessing::Client),
    Scram(scram::Client),
    CramMd5(cram_md5::Client),
    CountersignV1(countersign_v1::Client),
}

/// Who a client is.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    /// The key id, where the protocol carries one.
    pub key_id: String,
    /// The secret.
    pub secret: Secret,
    /// The server's own key under `countersign-v1`. `None`: the server has to know the client's.
    pub server: Option<(String, Secret)>,
}

impl Client {
    /// Begins, and appends what is to be sent first.
    pub fn begin(
        protocol: Protocol,
        identity: &ClientIdentity,
        nonce: &Nonce,
        binding: Option<Binding>,
        out: &mut Vec<u8>,
    ) -> Result<Self, Refusal> {
        Ok(Self(match protocol {
            Protocol::Article { digest } => ClientState::Article(article::Client::begin(digest, identity)),
            Protocol::Multiprocessing(rules) => {
                ClientState::Multiprocessing(multiprocessing::Client::begin(rules, identity, nonce))
            }
            Protocol::Scram(rules) => ClientState::Scram(scram::Client::begin(rules, identity, nonce, binding, out)?),
            Protocol::CramMd5 => ClientState::CramMd5(cram_md5::Client::begin(identity)?),
            Protocol::CountersignV1 => {
                ClientState::CountersignV1(countersign_v1::Client::begin(identity, nonce, binding, out)?)
            }
        }))
    }

    /// Goes on with what has come; says how much of it was used.
    #[must_use]
    pub fn step(self, input: &[u8], out: &mut Vec<u8>) -> (usize, ClientTurn) {
        match self.0 {
            ClientState::Article(client) => client.step(input, out),
            ClientState::Multiprocessing(client) => client.step(input, out),
            ClientState::Scram(client) => client.step(input),
            ClientState::CramMd5(client) => client.step(input, out),
            ClientState::CountersignV1(client) => client.step(input, out),
        }
    }
}

#[cfg(test)]
mod tests;

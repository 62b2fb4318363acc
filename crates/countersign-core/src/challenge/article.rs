//! 32 random bytes out, their HMAC back, and then the service: the protocol of many a tutorial.
//!
//! The answer is as long as the digest; what follows it is not looked at. Nothing tells the client that it is let in,
//! and nothing proves anything about the server: whoever stands between can pass the challenge on.
//!
//! A client never answers a challenge of another length, and has no way to tell a service's bytes from it: 32 it is.

use super::candidates::Candidates;
use super::{Admitted, ClientIdentity, ClientTurn, Judging as AnyJudging, NeedsKeys, Nonce, ServerTurn};
use crate::alg::{Digest, Hash, MacKey, ct_eq};
use crate::key::Secret;

/// Bytes of a challenge.
const CHALLENGE: usize = 32;

#[derive(Debug)]
pub(super) struct Server {
    digest: Hash,
    challenge: [u8; CHALLENGE],
}

impl Server {
    pub(super) fn begin(digest: Hash, nonce: &Nonce, out: &mut Vec<u8>) -> Self {
        let challenge = nonce.head();
        out.extend_from_slice(&challenge);
        Self { digest, challenge }
    }

    pub(super) fn step(self, input: &[u8]) -> (usize, ServerTurn) {
        let length = self.digest.output_len();
        let Some(answer) = input.get(..length) else {
            return (0, ServerTurn::Wait(super::Server(super::ServerState::Article(self))));
        };
        let judging = Judging { server: self, answer: answer.into() };
        (length, ServerTurn::NeedsKeys(NeedsKeys { claimed: None, state: AnyJudging::Article(judging) }))
    }
}

#[derive(Debug)]
pub(super) struct Judging {
    server: Server,
    answer: Box<[u8]>,
}

impl Judging {
    pub(super) fn keys(self, keys: &Candidates) -> ServerTurn {
        let Server { digest, challenge } = self.server;
        match keys.find(|secret| ct_eq(answer(digest, secret, &challenge).as_bytes(), &self.answer)) {
            Ok(key) => ServerTurn::Admitted(Admitted::by(key, key.id.clone())),
            Err(refusal) => ServerTurn::Refused(refusal),
        }
    }
}

#[derive(Debug)]
pub(super) struct Client {
    digest: Hash,
    secret: Secret,
}

impl Client {
    pub(super) fn begin(digest: Hash, identity: &ClientIdentity) -> Self {
        Self { digest, secret: identity.secret.clone() }
    }

    pub(super) fn step(self, input: &[u8], out: &mut Vec<u8>) -> (usize, ClientTurn) {
        let Some(challenge) = input.get(..CHALLENGE) else {
            return (0, ClientTurn::Wait(super::Client(super::ClientState::Article(self))));
        };
        out.extend_from_slice(answer(self.digest, self.secret.expose(), challenge).as_bytes());
        (CHALLENGE, ClientTurn::Admitted)
    }
}

fn answer(digest: Hash, secret: &[u8], challenge: &[u8]) -> Digest {
    MacKey::new(digest, secret).mac(challenge)
}

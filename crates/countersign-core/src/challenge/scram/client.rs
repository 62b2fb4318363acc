//! The client's end.

use super::message::{self, ServerFirst, read_server_final};
use super::{ITERATIONS, Rules, auth_message, credential, mac, prepared, xor};
use crate::alg::{Digest, ct_eq};
use crate::challenge::{self, Binding, ClientIdentity, ClientState, ClientTurn, Nonce, Refusal, line};
use crate::key::Secret;
use zeroize::Zeroizing;

#[derive(Debug)]
pub(in crate::challenge) struct Client {
    rules: Rules,
    secret: Secret,
    gs2_header: String,
    bare: String,
    nonce: String,
    binding: Option<Binding>,
    /// What the server has to sign with, once the proof is sent.
    expected: Option<Digest>,
}

impl Client {
    pub(in crate::challenge) fn begin(
        rules: Rules,
        identity: &ClientIdentity,
        nonce: &Nonce,
        binding: Option<Binding>,
        out: &mut Vec<u8>,
    ) -> Result<Self, Refusal> {
        if rules.require_binding && binding.is_none() {
            return Err(Refusal::BindingOneSided);
        }
        let header = binding.as_ref().map_or("n,,".to_owned(), |binding| format!("p={},,", binding.kind));
        Self::with(rules, identity, message::to_base64(&nonce.head::<24>()), header, binding, out)
    }

    pub(super) fn with(
        rules: Rules,
        identity: &ClientIdentity,
        nonce: String,
        gs2_header: String,
        binding: Option<Binding>,
        out: &mut Vec<u8>,
    ) -> Result<Self, Refusal> {
        let user = prepared(identity.key_id.as_bytes())?;
        let bare = format!("n={},r={nonce}", message::escaped(&user));
        line::write(format!("{gs2_header}{bare}").as_bytes(), out);
        Ok(Self { rules, secret: identity.secret.clone(), gs2_header, bare, nonce, binding, expected: None })
    }

    pub(in crate::challenge) fn step(self, input: &[u8]) -> (usize, ClientTurn) {
        match line::read(input) {
            Ok(Some((used, message))) => (used, self.read(&message).unwrap_or_else(ClientTurn::Refused)),
            Ok(None) => (0, self.wait()),
            Err(refusal) => (0, ClientTurn::Refused(refusal)),
        }
    }

    fn read(self, message: &[u8]) -> Result<ClientTurn, Refusal> {
        let message = str::from_utf8(message).map_err(|_| Refusal::FrameMalformed)?;
        if let Some(expected) = &self.expected {
            let signature = read_server_final(message)?;
            let holds = ct_eq(expected.as_bytes(), &signature);
            return if holds { Ok(ClientTurn::Admitted) } else { Err(Refusal::AnswerWrong) };
        }
        if message.starts_with("e=") {
            return Err(Refusal::RefusedByPeer);
        }
        let first = ServerFirst::read(message)?;
        // RFC 5802, section 5.1: the server's nonce is the client's with more behind it.
        if first.nonce.strip_prefix(self.nonce.as_str()).is_none_or(str::is_empty) {
            return Err(Refusal::ChallengeReflected);
        }
        if !ITERATIONS.contains(&first.iterations) {
            return Err(Refusal::IterationsOutOfBounds);
        }
        let ServerFirst { nonce, salt, iterations } = first;
        let (nonce, server_first) = (nonce.to_owned(), message.to_owned());
        Ok(ClientTurn::NeedsPassword(NeedsPassword { client: self, server_first, nonce, salt, iterations }))
    }

    fn wait(self) -> ClientTurn {
        ClientTurn::Wait(challenge::Client(ClientState::Scram(self)))
    }
}

/// A client that has the salt and has to derive a key.
#[derive(Debug)]
pub struct NeedsPassword {
    client: Client,
    server_first: String,
    nonce: String,
    salt: Vec<u8>,
    iterations: u32,
}

impl NeedsPassword {
    /// Derives the key and goes on. This takes as long as the server asks for.
    #[must_use]
    pub fn derive(self, out: &mut Vec<u8>) -> ClientTurn {
        let Self { mut client, server_first, nonce, salt, iterations } = self;
        let hash = client.rules.hash;
        let salted = match credential::salted(hash, client.secret.expose(), &salt, iterations) {
            Ok(salted) => salted,
            Err(refusal) => return ClientTurn::Refused(refusal),
        };
        let input = message::binding_input(&client.gs2_header, client.binding.as_ref());
        let without_proof = format!("c={},r={nonce}", message::to_base64(&input));
        let auth_message = auth_message(&client.bare, &server_first, &without_proof);
        // RFC 5802, section 3.
        let client_key = mac(hash, &salted, "Client Key");
        let stored_key = hash.digest(client_key.as_bytes());
        let signature = mac(hash, stored_key.as_bytes(), &auth_message);
        let proof = Zeroizing::new(xor(client_key.as_bytes(), signature.as_bytes()));
        let server_key = mac(hash, &salted, "Server Key");
        client.expected = Some(mac(hash, server_key.as_bytes(), &auth_message));
        line::write(format!("{without_proof},p={}", message::to_base64(&proof)).as_bytes(), out);
        client.wait()
    }
}

//! The server's end.

use std::sync::Arc;

use super::message::{self, ClientFinal, ClientFirst, Flag, ServerFirst};
use super::{Credential, Rules, auth_message, prepared};
use crate::challenge::{self, Admitted, Binding, Nonce, Refusal, ServerState, ServerTurn, line};

#[derive(Debug)]
pub(in crate::challenge) struct Server {
    rules: Rules,
    nonce: String,
    binding: Option<Binding>,
    state: State,
}

#[derive(Debug)]
enum State {
    Begun,
    /// Has sent the salt.
    Salted(Box<Salted>),
}

#[derive(Debug)]
struct Salted {
    greeting: Greeting,
    server_first: String,
    nonce: String,
    credential: Arc<Credential>,
}

/// What the client's first message leaves behind.
#[derive(Debug)]
struct Greeting {
    user: String,
    gs2_header: String,
    bare: String,
    client_nonce: String,
    bound: bool,
}

impl Server {
    pub(in crate::challenge) fn begin(rules: Rules, nonce: &Nonce, binding: Option<Binding>) -> Self {
        Self::with(rules, message::to_base64(&nonce.head::<24>()), binding)
    }

    pub(super) fn with(rules: Rules, nonce: String, binding: Option<Binding>) -> Self {
        Self { rules, nonce, binding, state: State::Begun }
    }

    pub(in crate::challenge) fn step(self, input: &[u8], out: &mut Vec<u8>) -> (usize, ServerTurn) {
        match line::read(input) {
            Ok(Some((used, message))) => (used, self.read(&message, out).unwrap_or_else(ServerTurn::Refused)),
            Ok(None) => (0, self.wait()),
            Err(refusal) => (0, ServerTurn::Refused(refusal)),
        }
    }

    fn read(self, message: &[u8], out: &mut Vec<u8>) -> Result<ServerTurn, Refusal> {
        let message = str::from_utf8(message).map_err(|_| Refusal::FrameMalformed)?;
        match &self.state {
            State::Begun => {
                let greeting = self.greet(message)?;
                Ok(ServerTurn::NeedsCredential(NeedsCredential { server: self, greeting }))
            }
            State::Salted(salted) => self.judge(salted, message, out),
        }
    }

    fn greet(&self, message: &str) -> Result<Greeting, Refusal> {
        let first = ClientFirst::read(message)?;
        let bound = match (first.flag, &self.binding) {
            (Flag::None, _) | (Flag::ThoughtNone, None) if !self.rules.require_binding => false,
            (Flag::Used(kind), Some(binding)) if kind == binding.kind => true,
            // RFC 5802, section 6, of `y` where there is a binding: somebody has made the client believe otherwise.
            (Flag::None | Flag::ThoughtNone | Flag::Used(_), _) => return Err(Refusal::BindingOneSided),
        };
        let user = prepared(first.user.as_bytes())?;
        // To act for somebody else is nobody's right here.
        if first.authorization.as_ref().is_some_and(|other| *other != first.user) {
            return Err(Refusal::FrameMalformed);
        }
        Ok(Greeting {
            user,
            gs2_header: first.gs2_header.to_owned(),
            bare: first.bare.to_owned(),
            client_nonce: first.nonce.to_owned(),
            bound,
        })
    }

    fn judge(&self, salted: &Salted, message: &str, out: &mut Vec<u8>) -> Result<ServerTurn, Refusal> {
        let last = ClientFinal::read(message)?;
        let Greeting { user, gs2_header, bare, bound, .. } = &salted.greeting;
        let auth_message = auth_message(bare, &salted.server_first, last.without_proof);
        let judged = salted.credential.judge(self.rules.hash, &auth_message, &last.proof);
        if last.nonce != salted.nonce {
            return Err(Refusal::AnswerWrong);
        }
        let binding = self.binding.as_ref().filter(|_| *bound);
        if last.binding != message::binding_input(gs2_header, binding) {
            return Err(Refusal::BindingMismatch);
        }
        let (signature, tally) = judged?;
        line::write(format!("v={}", message::to_base64(signature.as_bytes())).as_bytes(), out);
        Ok(ServerTurn::Admitted(Admitted { key_id: Some(user.clone()), tally: tally.cloned() }))
    }

    fn wait(self) -> ServerTurn {
        ServerTurn::Wait(challenge::Server(ServerState::Scram(self)))
    }
}

/// A server that knows who claims to be there, and not what is kept of the password.
#[derive(Debug)]
pub struct NeedsCredential {
    server: Server,
    greeting: Greeting,
}

impl NeedsCredential {
    /// The user that the client claims to be, prepared by `SASLprep` and unauthenticated: the key id.
    #[must_use]
    pub fn claimed_key_id(&self) -> &str {
        &self.greeting.user
    }

    /// Goes on with what is kept.
    #[must_use]
    pub fn credential(self, credential: Arc<Credential>, out: &mut Vec<u8>) -> ServerTurn {
        let Self { mut server, greeting } = self;
        let nonce = format!("{}{}", greeting.client_nonce, server.nonce);
        let first = ServerFirst { nonce: &nonce, salt: credential.salt.to_vec(), iterations: credential.iterations };
        let server_first = first.write();
        line::write(server_first.as_bytes(), out);
        server.state = State::Salted(Box::new(Salted { greeting, server_first, nonce, credential }));
        server.wait()
    }
}

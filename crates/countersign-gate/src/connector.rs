//! The client's end over a stream.

use countersign_core::Secret;
use countersign_core::challenge::{Binding, Client, ClientIdentity, ClientTurn, Protocol};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::handshake::{HandshakeLimits, Refused, Wire, nonce};
use crate::reason::Reason;
use crate::stream::Authenticated;

/// The client's end of a protocol.
#[derive(Debug, Clone)]
pub struct Connector {
    protocol: Protocol,
    identity: ClientIdentity,
    limits: HandshakeLimits,
}

impl Connector {
    /// Proves to have the secret of this key id. Where the protocol carries none, the id is not used.
    #[must_use]
    pub fn new(protocol: Protocol, key_id: impl Into<String>, secret: Secret) -> Self {
        let identity = ClientIdentity { key_id: key_id.into(), secret, server: None };
        Self { protocol, identity, limits: HandshakeLimits::default() }
    }

    /// Insists on a server with a key of its own, under `countersign-v1`.
    #[must_use]
    pub fn with_server(mut self, key_id: impl Into<String>, secret: Secret) -> Self {
        self.identity.server = Some((key_id.into(), secret));
        self
    }

    /// With other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: HandshakeLimits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) const fn limits(&self) -> HandshakeLimits {
        self.limits
    }

    /// Proves it, and has the server prove itself where the protocol is mutual.
    ///
    /// Where it is not, a server that refuses does so by closing the stream later.
    pub async fn connect<S>(&self, mut stream: S, binding: Option<Binding>) -> Result<Authenticated<S>, Refused>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let done = timeout(self.limits.deadline, self.shake(&mut stream, binding)).await;
        match done.unwrap_or(Err(Reason::Deadline)) {
            Ok(rest) => Ok(Authenticated::new(stream, rest)),
            Err(reason) => Err(Refused { reason, claimed_key_id: None }),
        }
    }

    async fn shake<S>(&self, stream: &mut S, binding: Option<Binding>) -> Result<Vec<u8>, Reason>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut wire = Wire::new(stream, self.limits.bytes);
        let mut client = Client::begin(self.protocol, &self.identity, &nonce()?, binding, &mut wire.out)?;
        loop {
            wire.send().await?;
            let (used, turn) = client.step(&wire.inbox, &mut wire.out);
            wire.used(used);
            let turn = match turn {
                ClientTurn::NeedsPassword(needs) => {
                    let derive = move || {
                        let mut out = Vec::new();
                        (needs.derive(&mut out), out)
                    };
                    // It can only have been stopped with the runtime.
                    let (turn, out) = tokio::task::spawn_blocking(derive).await.map_err(|_| Reason::Stopping)?;
                    wire.out.extend_from_slice(&out);
                    turn
                }
                other => other,
            };
            client = match turn {
                ClientTurn::Wait(client) => client,
                ClientTurn::Admitted => {
                    wire.send().await?;
                    return Ok(wire.inbox);
                }
                ClientTurn::Refused(refusal) => {
                    // `multiprocessing` tells the server that its answer was wrong; if it is gone, so be it.
                    let _ = wire.send().await;
                    return Err(refusal.into());
                }
                // Deriving leads to waiting or to a refusal.
                ClientTurn::NeedsPassword(_) => return Err(Reason::Left),
            };
            if used == 0 {
                wire.receive().await?;
            }
        }
    }
}
